/* bench/bars/wire.c - kithd over loopback against a blocking echo of the same bytes, and kithd at rest.
 *
 * The echo is another process that reads a request's bytes and writes an answer's, blocking, with TCP_NODELAY: the
 * least that a round trip costs here. Both are timed in turns by the wall clock; p50 of many. All keep to one
 * core: left to the scheduler a pair that shares a core and one that wakes a sleeping one differ by ten times from run
 * to run, and waking costs both sides the same 80 us, which would hide what the server does. */
#include "bench/bars/bar.h"
#include "bench/bars/served.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <sched.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 4000, MEDIAN = ROUNDS / 2, REQUEST_BYTES = 64, ANSWER_BYTES = 160 };

static bool whole(int fd, char *bytes, size_t n, bool out)
{
    while (n > 0) {
        ssize_t done = out ? write(fd, bytes, n) : read(fd, bytes, n);
        if (done <= 0)
            return false;
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

/* A connected socket to a process that echoes, or -1. */
static int echo_socket(pid_t *pid)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&at, &len) != 0)
        return -1;
    *pid = fork();
    if (*pid == 0) {
        served_keep_to_core(0);
        char bytes[ANSWER_BYTES] = {0};
        int fd = accept(listener, NULL, NULL);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        while (whole(fd, bytes, REQUEST_BYTES, false) && whole(fd, bytes, ANSWER_BYTES, true)) {
        }
        _exit(0);
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    (void)close(listener);
    if (ok)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return ok ? fd : -1;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* p50 of kithd's answer and of the echo, in turns. */
static bool measure(World *world, double *kith_ns, double *echo_ns)
{
    Served served = {0};
    pid_t echo = -1;
    char data[4200];
    (void)snprintf(data, sizeof data, "%s/wire", world->folder);
    static int64_t kith[ROUNDS], plain[ROUNDS];
    kith_connection *connection = NULL;
    int fd = echo_socket(&echo);
    bool ok = fd >= 0 && served_start(world->kithd, data, 0, &served) &&
              kith_connect(served.uri, NULL, &connection, NULL) == 0;
    char bytes[ANSWER_BYTES] = {0};
    cpu_set_t before;
    (void)sched_getaffinity(0, sizeof before, &before);
    served_keep_to_core(0);
    for (int i = 0; ok && i < ROUNDS; i++) {
        int64_t t0 = kt_clock_ns();
        ok = served_ask_one(connection);
        int64_t t1 = kt_clock_ns();
        ok = ok && whole(fd, bytes, REQUEST_BYTES, true) && whole(fd, bytes, ANSWER_BYTES, false);
        kith[i] = t1 - t0;
        plain[i] = kt_clock_ns() - t1;
    }
    (void)sched_setaffinity(0, sizeof before, &before);
    kith_close(connection);
    if (fd >= 0)
        (void)close(fd);
    if (echo > 0)
        (void)waitpid(echo, NULL, 0);
    served_stop(&served);
    qsort(kith, ROUNDS, sizeof *kith, by_time);
    qsort(plain, ROUNDS, sizeof *plain, by_time);
    *kith_ns = (double)kith[MEDIAN];
    *echo_ns = (double)plain[MEDIAN];
    return ok;
}

double bar_echo_ns(World *world)
{
    double kith, echo;
    return measure(world, &kith, &echo) ? echo : -1;
}

double bar_wire(World *world)
{
    double kith, echo;
    if (!measure(world, &kith, &echo))
        return -1;
    (void)printf("# wire: RETURN 1 p50 %.1f us, echo p50 %.1f us\n", kith / 1e3, echo / 1e3);
    return kith / echo;
}

static double resident_mb(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    return (double)bar_resident_bytes(path) / 1e6;
}

double bar_idle(World *world)
{
    Served served;
    char data[4200];
    (void)snprintf(data, sizeof data, "%s/idle", world->folder);
    if (!served_start(world->kithd, data, 0, &served))
        return -1;
    kith_connection *connection = NULL;
    bool ok = kith_connect(served.uri, NULL, &connection, NULL) == 0 && served_ask_one(connection);
    kith_close(connection);
    double mb = resident_mb(served.pid);
    served_stop(&served);
    (void)printf("# idle: %.1f MB resident\n", mb);
    return ok && mb > 0 ? mb / 30 : -1;
}
