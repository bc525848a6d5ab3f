/* server/loop.h - one thread that owns sockets: their bytes, their sessions, their timers.
 *
 * After each event the loop settles the connections that it touched: runs what may run, flushes, sets timers. */
#ifndef KT_SERVER_LOOP_H
#define KT_SERVER_LOOP_H

#include "base/hash.h"
#include "server/task.h"

typedef struct KtServer KtServer;
typedef struct KtConn KtConn;
struct event_base;
struct event;

enum { KT_LOOP_SCRATCH = 128 * 1024 };

typedef struct KtLoop {
    /* constant once started */
    KtServer *server;
    uint32_t index;
    pthread_t thread;
    /* any thread */
    KtPostBox box;
    /* only its thread */
    struct event_base *base;
    struct event *box_event;
    KtConn *conns;      /* all of them */
    KtConn *dirty;      /* touched since the last settling */
    KtMap64 by_session; /* session number to KtConn*; 0: gone */
    size_t gone;        /* entries that are 0 */
    KtTaskShelf shelf;
    uint8_t *scratch; /* KT_LOOP_SCRATCH bytes to read into */
    KtPost stop;      /* from the first loop to the others */
    KtPost stop_txns; /* from the last that was told, to all */
    bool stopping;
    int64_t stop_by_ns;
} KtLoop;

KtStatus kt_loop_open(KtLoop *loop, KtServer *server,
                      uint32_t index) KT_MUST_CHECK; /* Errors: MEMORY, IO */
/* Runs until stopping and without connections. */
void kt_loop_run(KtLoop *loop);
void kt_loop_close(KtLoop *loop);
/* No new work: each session is told to end, and when all loops have told theirs, transactions are rolled back: so no
 * turn reaches a writer that has not been told. Threads: the loop's. */
void kt_loop_stop(KtLoop *loop);
/* To be called at the end of each event. Threads: the loop's. */
void kt_loop_settle(KtLoop *loop);
/* The connection is looked at when the event is over. */
void kt_loop_touch(KtLoop *loop, KtConn *conn);

#endif
