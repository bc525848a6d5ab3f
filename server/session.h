/* server/session.h - what one client has asked and not yet been told: its lane, its cursors, its transaction.
 *
 * RUN, BEGIN, COMMIT and ROLLBACK run one after the other (the lane); a RUN gives the lane up when it ends or first
 * parks. At most one task of a session works at a time, so a transaction's view has one thread at a time and sessions
 * share the workers fairly. Only the loop's thread calls. */
#ifndef KT_SERVER_SESSION_H
#define KT_SERVER_SESSION_H

#include "server/task.h"

typedef struct KtConn KtConn;

enum {
    KT_LANE_MOST = 1000,              /* requests that may wait; then the socket is not read */
    KT_LANE_BYTES = 16 * 1024 * 1024, /* and bytes of them */
    KT_INLINE_BYTES = 16 * 1024,      /* a longer request is decoded by a worker */
    KT_INLINE_MOST = 8                /* requests that one event may work on the loop's thread */
};

struct KtSession {
    KtConn *conn;
    uint64_t id;
    uint8_t key[KMP_CANCEL_KEY];
    bool open; /* WELCOME was sent */
    bool stopping, gone;
    uint64_t last_cursor;
    /* the lane */
    KtTask *lane, **lane_last; /* waiting, in order */
    uint32_t lane_len;
    size_t lane_bytes;
    KtTask *at_work;  /* the one that holds the lane */
    bool last_failed; /* for SKIP-IF-FAILED */
    /* tasks that have begun and are not over */
    KtTask *tasks;
    KtTask *ready, **ready_last;
    KtTask *running; /* with a worker */
    KtTask *room;    /* first of those that wait for the socket */
    uint32_t inline_left;
    /* the transaction of BEGIN */
    KtTxn *txn;
    KtTask *closer;  /* rolls back without being asked; the lane waits for it */
    uint32_t resets; /* RESETs to answer when all is quiet: reset_request[0 .. resets) */
    uint32_t reset_request[8];
};

void kt_session_open(KtSession *session, KtConn *conn);
/* One whole message of an open session. The payload is copied where it must last. */
void kt_session_message(KtSession *session, const KmpMessage *message);
/* Ends requests by number; 0: all that run and wait. */
void kt_session_cancel(KtSession *session, uint64_t request);
/* Starts what may start, hands out what may work. */
void kt_session_pump(KtSession *session);
/* May more requests be read? */
bool kt_session_accepts(const KtSession *session);
/* The socket has taken bytes. */
void kt_session_drained(KtSession *session);
/* The connection ends while the client may still read: what runs and waits is cancelled, and answered. */
void kt_session_leave(KtSession *session);
/* kithd stops: nothing new; what waits is answered Unavailable. */
void kt_session_stop(KtSession *session);
/* And now its transaction: after all sessions have been stopped, so that its turn goes to nobody. */
void kt_session_stop_txn(KtSession *session);
/* The client is gone: all ends, unanswered. */
void kt_session_gone(KtSession *session);
/* Nothing runs, waits or is held: the connection may go. */
bool kt_session_quiet(const KtSession *session);
/* When kt_session_timer is to be called: CLOCK_MONOTONIC, 0: never. */
int64_t kt_session_due(const KtSession *session);
void kt_session_timer(KtSession *session, int64_t now_ns);

/* ---- for dispatch.c ---- */

/* `task` has worked (state READY or RUNNING before): what follows from `work`. */
void kt_session_worked(KtSession *session, KtTask *task, KtWork work);
void kt_session_make_ready(KtSession *session, KtTask *task);
/* Ends a task that has begun, in whatever state it is. */
void kt_session_end(KtSession *session, KtTask *task, KtEnding why);

#endif
