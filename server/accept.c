/* server/accept.c - accepted sockets go round the loops by turns. */
#include "server/accept.h"

#include "server/conn.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct AcceptPost {
    KtPost post;
    KtLoop *loop;
    int fd;
} AcceptPost;

static void accept_arrived(KtPost *post)
{
    AcceptPost *ask = (AcceptPost *)post;
    if (kt_conn_new(ask->loop, ask->fd) != KT_OK)
        kt_log(&ask->loop->server->log, KT_LOG_ERROR, "out of memory: a connection was closed");
    free(ask);
}

static void hand_over(KtServer *server, int fd)
{
    KtLoop *loop = &server->loop[server->next_loop++ % server->loops];
    if (loop->index == 0) { /* this thread's own */
        if (kt_conn_new(loop, fd) != KT_OK)
            kt_log(&server->log, KT_LOG_ERROR, "out of memory: a connection was closed");
        return;
    }
    AcceptPost *post = malloc(sizeof *post);
    if (!post) {
        kt_log(&server->log, KT_LOG_ERROR, "out of memory: a connection was closed");
        close(fd);
        return;
    }
    *post = (AcceptPost){.post.arrived = accept_arrived, .loop = loop, .fd = fd};
    kt_post_box_put(&loop->box, &post->post);
}

static void on_accept(evutil_socket_t listener, short what, void *arg)
{
    (void)what;
    KtServer *server = arg;
    for (int i = 0; i < 64; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            hand_over(server, fd);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno != EAGAIN) {
            kt_log(&server->log, KT_LOG_ERROR, "a connection could not be accepted: %s",
                   strerror(errno));
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                /* The event would fire at once again: breathe. */
                struct timeval wait = {.tv_usec = 100000};
                for (uint32_t l = 0; l < server->listeners; l++)
                    event_del(server->listener[l].event);
                event_add(server->retry_event, &wait);
            }
        }
        break;
    }
    kt_loop_settle(&server->loop[0]);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    KtServer *server = arg;
    for (uint32_t l = 0; l < server->listeners; l++)
        if (server->listener[l].fd >= 0)
            event_add(server->listener[l].event, NULL);
}

KtStatus kt_accept_start(KtServer *server)
{
    struct event_base *base = server->loop[0].base;
    server->retry_event = event_new(base, -1, 0, on_retry, server);
    if (!server->retry_event)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < server->listeners; i++) {
        KtListener *listener = &server->listener[i];
        listener->event = event_new(base, listener->fd, EV_READ | EV_PERSIST, on_accept, server);
        if (!listener->event || event_add(listener->event, NULL) < 0)
            return KT_ERR_MEMORY;
    }
    return KT_OK;
}

void kt_accept_stop(KtServer *server)
{
    if (server->retry_event)
        event_free(server->retry_event);
    server->retry_event = NULL;
    for (uint32_t i = 0; i < server->listeners; i++) {
        if (server->listener[i].event)
            event_free(server->listener[i].event);
        server->listener[i].event = NULL;
        kt_listener_close(&server->listener[i]);
    }
}
