/* server/worker.c - takes jobs and runs them. */
#include "server/worker.h"

#include <stdlib.h>

static void *work(void *arg)
{
    KtWorkers *workers = arg;
    KtJob *job;
    while ((job = kt_run_queue_take(&workers->queue)))
        job->run(job);
    return NULL;
}

KtStatus kt_workers_start(KtWorkers *workers, uint32_t n)
{
    workers->thread = calloc(n, sizeof *workers->thread);
    workers->n = 0;
    if (!workers->thread)
        return KT_ERR_MEMORY;
    kt_run_queue_open(&workers->queue);
    while (workers->n < n) {
        if (pthread_create(&workers->thread[workers->n], NULL, work, workers) != 0) {
            kt_workers_stop(workers);
            return KT_ERR_IO;
        }
        workers->n++;
    }
    return KT_OK;
}

void kt_workers_stop(KtWorkers *workers)
{
    if (!workers->thread)
        return;
    kt_run_queue_shut(&workers->queue);
    for (uint32_t i = 0; i < workers->n; i++)
        pthread_join(workers->thread[i], NULL);
    kt_run_queue_close(&workers->queue);
    free(workers->thread);
    workers->thread = NULL;
}
