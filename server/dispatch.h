/* server/dispatch.h - who works: the loop's thread for a first quantum, else a worker.
 *
 * Only the loop's thread calls; kt_dispatch_turn's answer and a worker's come back as posts. */
#ifndef KT_SERVER_DISPATCH_H
#define KT_SERVER_DISPATCH_H

#include "server/session.h"

enum {
    KT_FIRST_QUANTUM_NS = 50 * 1000, /* on the loop's thread */
    KT_WORKER_QUANTUM_NS = 2 * 1000 * 1000
};

/* Works tasks of `ready` until one is with a worker or none is left. */
void kt_dispatch(KtSession *session);
/* Puts the task's transaction into the queue of writers; comes back through kt_session_make_ready. */
void kt_dispatch_turn(KtSession *session, KtTask *task);

#endif
