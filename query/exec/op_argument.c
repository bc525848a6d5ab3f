/* query/exec/op_argument.c - the leaf: the argument batch of a correlated plan, or one row without columns.
 *
 * The rows are handed up as the outer plan's level itself, so that all its slots are there and positions in it are the
 * argument's positions. */
#include "query/exec/exec_internal.h"

typedef struct ArgumentOp {
    KtOp base;
    uint32_t at; /* selected rows handed up */
    KtMade made;
    KtLevel level;
    uint16_t *sel;
} ArgumentOp;

static KtStatus argument_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    ArgumentOp *self = (ArgumentOp *)op;
    const KtLevel *top = op->arg ? op->arg->top : NULL;
    uint32_t rows = top ? top->selected : 1;
    if (self->at == rows) {
        *step = KT_STEP_END;
        return KT_OK;
    }
    if (!top) {
        KT_TRY(kt_made_begin(op, &self->made, NULL));
        self->made.level.rows = 1;
        kt_made_end(&self->made, out);
        self->at = 1;
    } else {
        uint32_t n = rows - self->at < want ? rows - self->at : want;
        KT_TRY(kt_op_sel(op, &self->sel));
        kt_level_window(&self->level, top, self->at, n, self->sel);
        out->top = &self->level;
        self->at += n;
    }
    *step = KT_STEP_ROWS;
    return KT_OK;
}

static KtStatus argument_rewind(KtOp *op)
{
    ((ArgumentOp *)op)->at = 0;
    return KT_OK;
}

const KtOpType kt_op_ARGUMENT = {
    .name = "Argument",
    .size = sizeof(ArgumentOp),
    .next = argument_next,
    .rewind = argument_rewind,
};
