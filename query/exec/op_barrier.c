/* query/exec/op_barrier.c - Barrier: takes all rows before it hands up the first, as they came.
 *
 * It stands above each writing clause, so that whatever is above (another reading clause, LIMIT 0, an error) finds all
 * writes done. */
#include "query/exec/exec_internal.h"
#include "query/exec/rows.h"

typedef struct BarrierOp {
    KtOp base;
    KtRows *rows;
    bool full; /* all rows have come */
    uint32_t at;
    uint16_t *tag;
    KtMade made;
} BarrierOp;

static KtStatus barrier_open(KtOp *op)
{
    BarrierOp *self = (BarrierOp *)op;
    self->tag = kt_arena_zero(op->x->arena, KT_BATCH_ROWS, sizeof *self->tag);
    if (!self->tag)
        return KT_ERR_MEMORY;
    return kt_rows_open(op->x->budget, op->plan->as.barrier.keep, op->plan->as.barrier.n_keep,
                        op->arg != NULL, &self->rows);
}

static KtStatus barrier_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    BarrierOp *self = (BarrierOp *)op;
    while (!self->full) {
        KtBatch input;
        KT_TRY(kt_op_next(op->child[0], KT_BATCH_ROWS, &input, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_END) {
            self->full = true;
            break;
        }
        const uint16_t *arg = self->tag;
        KT_CHECK(!input.top->weight); /* the planner puts Unweigh below */
        if (op->arg)
            KT_TRY(kt_op_arg_rows(op, input.top, &arg));
        KT_TRY(kt_rows_put(self->rows, input.top, input.top->sel, input.top->selected, arg));
    }
    uint32_t left = kt_rows_count(self->rows) - self->at, n = left < want ? left : want,
             row[KT_BATCH_ROWS];
    if (n == 0) {
        *step = KT_STEP_END;
        return KT_OK;
    }
    for (uint32_t i = 0; i < n; i++)
        row[i] = self->at++;
    *step = KT_STEP_ROWS;
    return kt_op_emit(op, &self->made, self->rows, row, n, out);
}

static KtStatus barrier_rewind(KtOp *op)
{
    BarrierOp *self = (BarrierOp *)op;
    kt_rows_clear(self->rows);
    self->full = false;
    self->at = 0;
    return KT_OK;
}

static void barrier_close(KtOp *op) { kt_rows_close(((BarrierOp *)op)->rows); }

const KtOpType kt_op_BARRIER = {
    .name = "Barrier",
    .size = sizeof(BarrierOp),
    .open = barrier_open,
    .next = barrier_next,
    .rewind = barrier_rewind,
    .close = barrier_close,
};
