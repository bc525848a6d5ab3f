/* query/exec/op_union.c - the rows of child[0], then those of child[1], under common slots.
 *
 * A row keeps its level; the common slots are further names for its columns. Under an argument all rows are taken
 * first and handed up by argument row, so that operators above find them in that order. */
#include "query/exec/exec_internal.h"
#include "query/exec/rows.h"

typedef struct UnionOp {
    KtOp base;
    uint32_t side;
    /* Under an argument: */
    KtRows *rows;
    KtArena *hold;
    bool full;
    uint32_t *order, at; /* rows by argument row */
    KtMade made;
} UnionOp;

static KtStatus union_open(KtOp *op)
{
    UnionOp *self = (UnionOp *)op;
    if (!op->arg)
        return KT_OK;
    KT_TRY(kt_arena_open(op->x->budget, &self->hold));
    return kt_rows_open(op->x->budget, op->plan->as.set_union.out, op->plan->as.set_union.n, true,
                        &self->rows);
}

/* The next batch of either side, with the common slots on its top level. */
static KtStatus pull(UnionOp *self, uint32_t want, KtBatch *out, KtStep *step)
{
    KtOp *op = &self->base;
    for (;;) {
        KT_TRY(kt_op_next(op->child[self->side], want, out, step));
        if (*step != KT_STEP_END || self->side == 1)
            break;
        self->side = 1;
    }
    if (*step != KT_STEP_ROWS)
        return KT_OK;
    const KtSlot *from =
        self->side == 0 ? op->plan->as.set_union.left : op->plan->as.set_union.right;
    for (uint32_t i = 0; i < op->plan->as.set_union.n; i++) {
        KtColumn col;
        if (from[i] == op->plan->as.set_union.out[i])
            continue;
        KT_TRY(kt_level_column(out->top, from[i], &col));
        kt_level_set(out->top, op->plan->as.set_union.out[i], col);
    }
    return KT_OK;
}

/* A counting sort by argument row: stable, so left comes before right. */
static KtStatus put_in_order(UnionOp *self)
{
    uint32_t n = kt_rows_count(self->rows), first[KT_BATCH_ROWS + 1] = {0};
    self->order = kt_arena_alloc(self->hold, ((size_t)n + 1) * sizeof *self->order);
    if (!self->order)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        first[kt_rows_tag(self->rows, i) + 1]++;
    for (uint32_t r = 1; r <= KT_BATCH_ROWS; r++)
        first[r] += first[r - 1];
    for (uint32_t i = 0; i < n; i++)
        self->order[first[kt_rows_tag(self->rows, i)]++] = i;
    return KT_OK;
}

static KtStatus union_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    UnionOp *self = (UnionOp *)op;
    if (!op->arg)
        return pull(self, want, out, step);
    while (!self->full) {
        KtBatch input;
        KT_TRY(pull(self, KT_BATCH_ROWS, &input, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_END) {
            KT_TRY(put_in_order(self));
            self->full = true;
            break;
        }
        const uint16_t *arg;
        KT_CHECK(!input.top->weight); /* the planner puts Unweigh below */
        KT_TRY(kt_op_arg_rows(op, input.top, &arg));
        KT_TRY(kt_rows_put(self->rows, input.top, input.top->sel, input.top->selected, arg));
    }
    uint32_t left = kt_rows_count(self->rows) - self->at, n = left < want ? left : want;
    if (n == 0) {
        *step = KT_STEP_END;
        return KT_OK;
    }
    *step = KT_STEP_ROWS;
    self->at += n;
    return kt_op_emit(op, &self->made, self->rows, self->order + self->at - n, n, out);
}

static KtStatus union_rewind(KtOp *op)
{
    UnionOp *self = (UnionOp *)op;
    self->side = self->at = 0;
    self->full = false;
    if (self->rows) {
        kt_rows_clear(self->rows);
        kt_arena_reset(self->hold);
    }
    return KT_OK;
}

static void union_close(KtOp *op)
{
    UnionOp *self = (UnionOp *)op;
    kt_rows_close(self->rows);
    kt_arena_close(self->hold);
}

const KtOpType kt_op_UNION = {
    .name = "Union",
    .size = sizeof(UnionOp),
    .open = union_open,
    .next = union_next,
    .rewind = union_rewind,
    .close = union_close,
};
