/* server/signals.c - signals through a file descriptor, read by a thread that nothing else can hold up. */
#include "server/signals.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void stop_arrived(KtPost *post)
{
    KtServer *server = (KtServer *)((char *)post - offsetof(KtServer, stop));
    kt_log(&server->log, KT_LOG_INFO, "stopping on %s",
           server->stop_signal == SIGTERM ? "SIGTERM" : "SIGINT");
    kt_server_going_away(server);
}

/* Only write and _exit: other threads are at work on all else. */
static void leave(int64_t grace_ms)
{
    char text[256];
    int len = snprintf(
        text, sizeof text,
        "kithd: the stop did not end within server stop-grace (%lld ms) and %d s more: leaving with a thread still at "
        "work; what was committed is kept as after a crash\n",
        (long long)grace_ms, KT_STOP_SPARE_MS / 1000);
    if (len > 0 && write(STDERR_FILENO, text, (size_t)len) < 0)
        _exit(KT_STOP_GAVE_UP);
    _exit(KT_STOP_GAVE_UP);
}

/* Milliseconds to wait for `until_ns` (0: for ever), rounded up. */
static int wait_ms(int64_t until_ns)
{
    if (until_ns == 0)
        return -1;
    int64_t left = until_ns - kt_clock_ns();
    return left <= 0 ? 0 : (int)(left / 1000000 + 1);
}

static void *watch(void *arg)
{
    KtServer *server = arg;
    struct pollfd fd[2] = {{.fd = server->watch_end, .events = POLLIN},
                           {.fd = server->signal_fd, .events = POLLIN}};
    int64_t leave_ns = 0, grace_ms = server->config.stop_grace_ms;
    for (;;) {
        int n = poll(fd, 2, wait_ms(leave_ns));
        if (n > 0 && fd[0].revents)
            return NULL;
        struct signalfd_siginfo info;
        if (n > 0 && read(server->signal_fd, &info, sizeof info) == (ssize_t)sizeof info &&
            leave_ns == 0) { /* a second signal says nothing new */
            leave_ns = kt_clock_ns() + (grace_ms + KT_STOP_SPARE_MS) * 1000000;
            server->stop_signal = (int)info.ssi_signo;
            server->stop.arrived = stop_arrived;
            kt_post_box_put(&server->loop[0].box, &server->stop);
        }
        if (leave_ns && kt_clock_ns() >= leave_ns)
            leave(grace_ms);
    }
}

KtStatus kt_signals_open(KtServer *server)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return KT_ERR_IO;
    server->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return server->signal_fd < 0 ? KT_ERR_IO : KT_OK;
}

KtStatus kt_signals_start(KtServer *server)
{
    server->watch_end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->watch_end < 0)
        return KT_ERR_IO;
    if (pthread_create(&server->watch, NULL, watch, server) != 0)
        return KT_ERR_MEMORY;
    server->watched = true;
    return KT_OK;
}

void kt_signals_close(KtServer *server)
{
    if (server->watched) {
        KT_CHECK(eventfd_write(server->watch_end, 1) == 0);
        pthread_join(server->watch, NULL);
    }
    server->watched = false;
    if (server->watch_end >= 0)
        close(server->watch_end);
    if (server->signal_fd >= 0)
        close(server->signal_fd);
    server->watch_end = server->signal_fd = -1;
}
