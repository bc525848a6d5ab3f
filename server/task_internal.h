/* server/task_internal.h - what the files of a task share. Threads: the one that works on the task. */
#ifndef KT_SERVER_TASK_INTERNAL_H
#define KT_SERVER_TASK_INTERNAL_H

#include "server/task.h"

enum { KT_SHELF_MESSAGE = 8 * 1024 }; /* a task is kept only if its request was at most so long */

/* A statement of its own that writes: its rows wait for its commit. */
static inline bool kt_task_holds_rows(const KtTask *task)
{
    return !task->explicit_txn && task->statement_kind == KT_STATEMENT_WRITE;
}

/* The sink of a query: into the batch under way, into `carry` when the credit is used up, or into `held`. */
KtStatus kt_task_sink_row(KtSink *sink, const KtValue *value, uint32_t n, bool *full);
/* One row as bytes. *full: no further one is wanted now; task->hungry tells whether for credit. */
KtStatus kt_task_row_bytes(KtTask *task, const uint8_t *bytes, size_t len,
                           bool *full) KT_MUST_CHECK;
/* Adds to the words of an error of memory, or makes them: which limit was hit, and the setting that it is. */
void kt_task_name_memory_limit(KtTask *task);
/* Sends the carried row if its credit has come. *full: it has not. */
KtStatus kt_task_carry_out(KtTask *task, bool *full) KT_MUST_CHECK;
/* Ends the ROWS message under way, if there is one. */
KtStatus kt_task_batch_close(KtTask *task, uint8_t flags) KT_MUST_CHECK;

#endif
