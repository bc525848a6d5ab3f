/* bench/bars/served.c - starting and stopping what is measured from outside. */
#include "bench/bars/served.h"

#include "base/clock.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void served_keep_to_core(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)core % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

bool served_start(const char *kithd, const char *data, int core, Served *out)
{
    int pipe_fd[2];
    *out = (Served){0};
    if (!kithd || pipe(pipe_fd) != 0)
        return false;
    out->pid = fork();
    if (out->pid == 0) {
        if (core >= 0)
            served_keep_to_core(core);
        (void)dup2(pipe_fd[1], 1);
        (void)close(pipe_fd[0]);
        (void)execl(kithd, kithd, "--data", data, "--kmp-listen", "127.0.0.1:0", "--log-level",
                    "warn", (char *)NULL);
        _exit(127);
    }
    (void)close(pipe_fd[1]);
    FILE *f = fdopen(pipe_fd[0], "r");
    char line[128] = "", address[100];
    bool ok = out->pid > 0 && f && fgets(line, sizeof line, f) &&
              sscanf(line, "kithd: listening on %99s", address) == 1;
    if (ok)
        (void)snprintf(out->uri, sizeof out->uri, "kith://%s/kith", address);
    if (f)
        (void)fclose(f);
    if (!ok && out->pid > 0)
        served_stop(out);
    return ok;
}

void served_stop(Served *served)
{
    if (served->pid <= 0)
        return;
    (void)kill(served->pid, SIGTERM);
    (void)waitpid(served->pid, NULL, 0);
    served->pid = 0;
}

int64_t served_ask_int(kith_connection *connection, const char *text)
{
    kith_result *result;
    int64_t value = -1;
    if (kith_run(connection, text, NULL, NULL, &result, NULL) != 0)
        return -1;
    bool ok = kith_next(result, NULL) == 1 && kith_as_int(kith_get(result, 0), &value) &&
              kith_next(result, NULL) == 0;
    kith_result_free(result);
    return ok ? value : -1;
}

bool served_ask_one(kith_connection *connection)
{
    return served_ask_int(connection, "RETURN 1") == 1;
}

double served_run(const char *const *argv, bool c_locale)
{
    int64_t began = kt_clock_ns();
    pid_t pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (nowhere >= 0)
            (void)dup2(nowhere, 1);
        if (c_locale)
            (void)setenv("LC_ALL", "C", 1);
        union {
            const char *const *from;
            char *const *to;
        } cast = {.from = argv};
        (void)execvp(argv[0], cast.to);
        _exit(127);
    }
    int code = -1;
    if (pid < 0 || waitpid(pid, &code, 0) != pid || code != 0)
        return -1;
    return (double)(kt_clock_ns() - began) / 1e9;
}
