/* server/signals.c - signals through a file descriptor. */
#include "server/signals.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    KtServer *server = arg;
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        kt_log(&server->log, KT_LOG_INFO, "stopping on %s",
               info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
        kt_server_going_away(server);
    }
    kt_loop_settle(&server->loop[0]);
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
    server->signal_event =
        event_new(server->loop[0].base, server->signal_fd, EV_READ | EV_PERSIST, on_signal, server);
    return server->signal_event && event_add(server->signal_event, NULL) == 0 ? KT_OK
                                                                              : KT_ERR_MEMORY;
}

void kt_signals_close(KtServer *server)
{
    if (server->signal_event)
        event_free(server->signal_event);
    server->signal_event = NULL;
    if (server->signal_fd >= 0)
        close(server->signal_fd);
    server->signal_fd = -1;
}
