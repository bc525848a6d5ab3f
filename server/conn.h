/* server/conn.h - one connection: bytes in, bytes out, and how much may wait on either side.
 *
 * Only its loop's thread touches it. Output that the socket does not take is kept here, at most about KT_CONN_HIGH
 * and one message: whoever makes rows asks kt_conn_room first; with more than KT_CONN_DEAF waiting, or a full lane,
 * nothing is read either. */
#ifndef KT_SERVER_CONN_H
#define KT_SERVER_CONN_H

#include "protocol/kmp/frame.h"
#include "server/loop.h"
#include "server/session.h"

#include <event2/event_struct.h>

enum {
    KT_CONN_HIGH = 256 * 1024, /* rows are made until this much waits for the socket */
    KT_CONN_LOW = 64 * 1024,   /* and again when it has fallen to this */
    KT_CONN_DEAF = 1024 * 1024
};

typedef enum KtConnStage {
    KT_CONN_PREAMBLE,
    KT_CONN_LOGIN,
    KT_CONN_OPEN,
    KT_CONN_FLUSH,  /* answers go out, nothing is read */
    KT_CONN_LINGER, /* our side is shut; reads and drops until the other side is */
    KT_CONN_LOST
} KtConnStage;

struct KtConn {
    KtLoop *loop;
    int fd;
    KtConnStage stage;
    struct event read_event, write_event, timer;
    bool reading, writing; /* the events are set */
    bool dirty;
    int64_t timer_ns; /* when the timer is set to fire; 0: not set */
    int64_t opened_ns;
    int64_t linger_ns; /* FLUSH and LINGER end then */
    KtBuf in;          /* bytes not yet taken */
    KtBuf out;         /* bytes not yet sent, from out_at */
    size_t out_at;
    KmpInbox inbox;
    KmpWire wire;
    KtSession session;
    KtConn *prev, *next, *dirty_next;
};

/* Takes over `fd`, closes it on failure. Errors: MEMORY. */
KtStatus kt_conn_new(KtLoop *loop, int fd) KT_MUST_CHECK;
/* Bytes to send: appended, sent when the event is over. */
void kt_conn_send(KtConn *conn, const void *bytes, size_t len);
size_t kt_conn_waiting(const KtConn *conn); /* bytes not yet sent */
size_t kt_conn_room(const KtConn *conn);    /* bytes of rows that may be added */
/* No more requests; what is answered goes out, then the socket closes. */
void kt_conn_end(KtConn *conn);
/* The other side is gone: nothing can be sent. */
void kt_conn_lost(KtConn *conn);
/* Called by the loop when an event is over; may free the connection. */
void kt_conn_settle(KtConn *conn);

#endif
