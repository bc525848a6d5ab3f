/* query/exec/op_filter.c - keeps the rows for which every test is true: the input's level with another selection.
 *
 * A small `want` from a LIMIT goes down as it is; when nothing passes, more is asked for, and what passes beyond
 * `want` waits here. */
#include "query/exec/exec_internal.h"

typedef struct FilterOp {
    KtOp base;
    KtBatch input;
    KtLevel level;
    uint16_t *sel;        /* rows that passed */
    uint32_t n, at;       /* of sel; at: handed up */
    const uint64_t *bits; /* sel[0 .. n) as bits, or NULL */
    uint32_t ask;
    KtHeld held;
} FilterOp;

static KtStatus filter_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    FilterOp *self = (FilterOp *)op;
    KT_TRY(kt_op_sel(op, &self->sel));
    for (;;) {
        if (self->at < self->n) {
            uint32_t n = self->n - self->at < want ? self->n - self->at : want;
            kt_level_select(&self->level, self->input.top, self->sel + self->at, n);
            if (self->bits && n == self->n) {
                self->level.as_bits.sel = self->sel;
                self->level.as_bits.selected = n;
                self->level.as_bits.bits = self->bits;
            }
            self->at += n;
            out->top = &self->level;
            *step = KT_STEP_ROWS;
            return KT_OK;
        }
        KT_TRY(kt_op_raise(op, &self->held));
        if (self->ask < want)
            self->ask = want;
        KT_TRY(kt_op_next(op->child[0], self->ask, &self->input, step));
        if (*step != KT_STEP_ROWS)
            return KT_OK;
        KtArena *arena;
        KtRowFail fail = {UINT32_MAX, KT_OK};
        KT_TRY(kt_op_arena(op, &arena));
        kt_arena_reset(arena);
        kt_op_sees(op);
        self->n = self->at = 0;
        KT_TRY(kt_op_test(op, self->input.top, op->plan->as.filter.test, op->plan->as.filter.n,
                          &fail, self->sel, &self->n, &self->bits));
        KT_TRY(kt_op_split(op, &fail, self->sel, &self->n, &self->held));
        if (self->n == 0 && self->ask < KT_BATCH_ROWS)
            self->ask = self->ask * 4 < KT_BATCH_ROWS ? self->ask * 4 : KT_BATCH_ROWS;
    }
}

static KtStatus filter_rewind(KtOp *op)
{
    FilterOp *self = (FilterOp *)op;
    self->n = self->at = self->ask = 0;
    self->held.status = KT_OK;
    return KT_OK;
}

const KtOpType kt_op_FILTER = {
    .name = "Filter",
    .size = sizeof(FilterOp),
    .next = filter_next,
    .rewind = filter_rewind,
};
