/* server/task_rows.c - rows into frames, never beyond the credit, and rows held until a commit. */
#include "server/task_internal.h"

enum {
    BATCH_BYTES = 32 * 1024, /* a ROWS message is closed when it has grown to this */
    BATCH_HEAD = 3           /* bytes of an empty one */
};

KtStatus kt_task_batch_close(KtTask *task, uint8_t flags)
{
    if (!task->batch.out)
        return KT_OK;
    size_t bytes = task->batch.rows ? kt_kmp_batch_bytes(&task->batch) : 0;
    KmpBatch batch = task->batch;
    task->batch = (KmpBatch){0};
    task->used_bytes += bytes;
    KtStatus status = kt_kmp_batch_close(&batch, &task->wire, flags, task->message.header.request);
    return status == KT_OK ? KT_OK
                           : kt_diag_set(&task->diag, status, NULL,
                                         "rows of %zu bytes do not fit into a message", bytes);
}

/* Does the row that was just appended fit the credit? */
static bool row_is_covered(const KtTask *task)
{
    return task->used_rows < atomic_load_explicit(&task->credit_rows, memory_order_relaxed) &&
           task->used_bytes + kt_kmp_batch_bytes(&task->batch) <=
               atomic_load_explicit(&task->credit_bytes, memory_order_relaxed);
}

/* The row at the end of the batch goes out, or into `carry`. */
static KtStatus row_appended(KtTask *task, size_t before, bool *full)
{
    if (!row_is_covered(task)) {
        size_t bytes = kt_kmp_batch_bytes(&task->batch) - before;
        kt_buf_clear(&task->carry);
        kt_buf_put(&task->carry, task->out.data + task->out.len - bytes, bytes);
        KT_TRY(kt_buf_status(&task->carry));
        kt_kmp_batch_drop_row(&task->batch, before);
        task->hungry = true;
        *full = true;
        return KT_OK;
    }
    task->used_rows++;
    task->rows_out++;
    if (kt_kmp_batch_bytes(&task->batch) >= BATCH_BYTES || task->batch.rows >= KMP_ROWS_IN_BATCH)
        KT_TRY(kt_task_batch_close(task, 0));
    *full = task->out.len >= task->room;
    return KT_OK;
}

KtStatus kt_task_row_bytes(KtTask *task, const uint8_t *bytes, size_t len, bool *full)
{
    if (!task->batch.out)
        kt_kmp_batch_open(&task->batch, &task->out);
    size_t before = kt_kmp_batch_bytes(&task->batch);
    kt_buf_put(&task->out, bytes, len);
    task->batch.rows++;
    KT_TRY(kt_buf_status(&task->out));
    return row_appended(task, before, full);
}

/* Sends the carried row if its credit has come. *full: it has not. */
KtStatus kt_task_carry_out(KtTask *task, bool *full)
{
    *full = false;
    if (task->carry.len == 0)
        return KT_OK;
    KtBuf row = task->carry;
    task->carry = (KtBuf){.budget = &task->budget};
    task->hungry = false;
    KtStatus status = kt_task_row_bytes(task, row.data, row.len, full);
    if (!task->hungry)
        *full = false;
    kt_buf_close(&row);
    return status;
}

static KtStatus hold_row(KtTask *task, const KtValue *value, uint32_t n)
{
    size_t start = task->held.len;
    kt_buf_le32(&task->held, 0);
    KmpBatch one;
    kt_kmp_batch_open(&one, &task->held);
    size_t empty = kt_kmp_batch_bytes(&one);
    size_t from = task->held.len;
    KtDiag diag = {0};
    KtStatus status = kt_kmp_batch_row(&one, value, n, &diag);
    if (status == KT_OK)
        status = kt_buf_status(&task->held);
    if (status == KT_ERR_MEMORY)
        return kt_diag_set(
            &task->diag, status, NULL,
            "the rows of a writing statement are kept until its commit, and memory ran out for these");
    if (status != KT_OK)
        return kt_diag_set(&task->diag, status, NULL, "%s", diag.message);
    size_t bytes = kt_kmp_batch_bytes(&one) - empty;
    uint8_t len[4] = {(uint8_t)bytes, (uint8_t)(bytes >> 8), (uint8_t)(bytes >> 16),
                      (uint8_t)(bytes >> 24)};
    memmove(task->held.data + start + 4, task->held.data + from, bytes);
    memcpy(task->held.data + start, len, sizeof len);
    task->held.len = start + 4 + bytes;
    return KT_OK;
}

KtStatus kt_task_sink_row(KtSink *sink, const KtValue *value, uint32_t n, bool *full)
{
    KtTask *task = (KtTask *)((char *)sink - offsetof(KtTask, sink));
    atomic_fetch_add_explicit(&task->rows_made, 1, memory_order_relaxed);
    *full = false;
    if (atomic_load_explicit(&task->discard, memory_order_relaxed))
        return KT_OK;
    if (kt_task_holds_rows(task))
        return hold_row(task, value, n);
    KT_CHECK(task->carry.len == 0);
    if (!task->batch.out)
        kt_kmp_batch_open(&task->batch, &task->out);
    size_t before = kt_kmp_batch_bytes(&task->batch);
    KT_TRY(kt_kmp_batch_row(&task->batch, value, n, &task->diag));
    KT_TRY(kt_buf_status(&task->out));
    return row_appended(task, before, full);
}

static void grant(atomic_ullong *credit, uint64_t more)
{
    const uint64_t most = (uint64_t)1 << 62; /* neither side can use up so much: sums never wrap */
    if (atomic_load(credit) < most)
        atomic_fetch_add(credit, more < most ? more : most);
}

void kt_task_grant(KtTask *task, uint64_t rows, uint64_t bytes)
{
    grant(&task->credit_rows, rows);
    grant(&task->credit_bytes, bytes);
}

bool kt_task_may_send(const KtTask *task)
{
    /* A batch of one row: its bytes, and the head of the batch. */
    return task->used_rows < atomic_load(&task->credit_rows) &&
           task->used_bytes + task->carry.len + BATCH_HEAD <= atomic_load(&task->credit_bytes);
}
