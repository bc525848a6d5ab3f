/* server/listener.h - the sockets that take connections: TCP on loopback, and Unix. */
#ifndef KT_SERVER_LISTENER_H
#define KT_SERVER_LISTENER_H

#include "base/diag.h"

struct event;

typedef struct KtListener {
    int fd;
    char name[256]; /* "127.0.0.1:5484" with the port taken, or the path */
    bool is_unix;   /* the path is removed at the end */
    struct event *event;
} KtListener;

/* `where`: HOST:PORT, [HOST]:PORT or a port alone (127.0.0.1). Only loopback: there is no login yet.
 * Errors: CONFIG, ADDRESS_IN_USE. */
KtStatus kt_listen_tcp(const char *where, KtDiag *diag, KtListener *out) KT_MUST_CHECK;
/* A socket file that nobody listens on is replaced. Errors: CONFIG, ADDRESS_IN_USE. */
KtStatus kt_listen_unix(const char *path, KtDiag *diag, KtListener *out) KT_MUST_CHECK;
void kt_listener_close(KtListener *listener);

#endif
