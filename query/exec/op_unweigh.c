/* query/exec/op_unweigh.c - turns weights back into rows: a row of weight w is handed up w times. */
#include "query/exec/exec_internal.h"

typedef struct UnweighOp {
    KtOp base;
    KtBatch input;
    bool has_input;
    uint32_t at;   /* selected row of input */
    uint64_t done; /* of its weight */
    KtMade made;
} UnweighOp;

static KtStatus unweigh_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    UnweighOp *self = (UnweighOp *)op;
    for (;;) {
        if (!self->has_input) {
            KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            if (!self->input.top->weight) {
                *out = self->input;
                return KT_OK;
            }
            self->has_input = true;
            self->at = 0;
            self->done = 0;
        }
        const KtLevel *top = self->input.top;
        KT_TRY(kt_made_begin(op, &self->made, self->input.top));
        while (self->made.level.rows < want && self->at < top->selected) {
            uint32_t row = kt_level_selected(top, self->at);
            uint64_t left = top->weight[row] - self->done, room = want - self->made.level.rows;
            uint32_t n = (uint32_t)(left < room ? left : room);
            if (n > 0)
                KT_TRY(kt_made_rows(op, &self->made, row, n));
            self->done += n;
            if (n == left) {
                self->at++;
                self->done = 0;
            }
        }
        if (self->at == top->selected)
            self->has_input = false;
        if (self->made.level.rows > 0) {
            kt_made_end(&self->made, out);
            *step = KT_STEP_ROWS;
            return KT_OK;
        }
    }
}

static KtStatus unweigh_rewind(KtOp *op)
{
    ((UnweighOp *)op)->has_input = false;
    return KT_OK;
}

const KtOpType kt_op_UNWEIGH = {
    .name = "Unweigh",
    .size = sizeof(UnweighOp),
    .next = unweigh_next,
    .rewind = unweigh_rewind,
};
