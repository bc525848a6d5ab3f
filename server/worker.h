/* server/worker.h - the threads that run queries, commits and schema statements. */
#ifndef KT_SERVER_WORKER_H
#define KT_SERVER_WORKER_H

#include "server/queue.h"

typedef struct KtWorkers {
    KtRunQueue queue; /* any thread */
    pthread_t *thread;
    uint32_t n;
} KtWorkers;

/* Starts `n` threads. Signals stay with the caller's thread: block them before. Errors: MEMORY, IO. */
KtStatus kt_workers_start(KtWorkers *workers, uint32_t n) KT_MUST_CHECK;
/* Lets the queue run empty and joins. */
void kt_workers_stop(KtWorkers *workers);

#endif
