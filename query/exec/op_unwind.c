/* query/exec/op_unwind.c - UNWIND: one row for each element of a list, for each row of its input.
 *
 * A list is a run over its elements, so nothing is copied. Null and the empty list give no row; a value that is no list
 * gives one row, as openCypher has it. */
#include "query/exec/exec_internal.h"

typedef struct UnwindOp {
    KtOp base;
    KtBatch input;
    bool has_input;
    KtColumn list;     /* over the input's rows, in the input's scratch */
    uint32_t at, good; /* selected rows of input: next, and those before a failing one */
    uint32_t offset;   /* of the list at hand */
    KtHeld held;
    KtMade made;
} UnwindOp;

static KtStatus begin_input(UnwindOp *self)
{
    KtOp *op = &self->base;
    KtRowFail fail = {UINT32_MAX, KT_OK};
    KtLevel *top = self->input.top;
    KtArena *own = op->arena;
    op->arena = top->cols->scratch; /* the lists live as long as the input's rows */
    kt_op_sees(op);
    KtStatus status = kt_op_eval(op, top, op->plan->as.unwind.list, &fail, &self->list);
    op->arena = own;
    KT_TRY(status);
    self->good = top->selected;
    KT_TRY(kt_op_split(op, &fail, top->sel, &self->good, &self->held));
    self->at = self->offset = 0;
    self->has_input = true;
    return KT_OK;
}

/* The elements of a row's value. A single value is put in memory of this batch. */
static KtStatus elements(UnwindOp *self, uint32_t row, const KtValue **item, uint32_t *n)
{
    KtValue v = kt_col_value(&self->list, row);
    *n = 0;
    *item = NULL;
    if (v.kind == KT_LIST) {
        *item = v.as.list;
        *n = v.len;
    } else if (v.kind != KT_NULL) {
        KtValue *one = kt_arena_alloc(self->base.arena, sizeof *one);
        if (!one)
            return KT_ERR_MEMORY;
        *one = v;
        *item = one;
        *n = 1;
    }
    return KT_OK;
}

static KtStatus unwind_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    UnwindOp *self = (UnwindOp *)op;
    for (;;) {
        if (!self->has_input) {
            KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            KT_TRY(begin_input(self));
        }
        KT_TRY(kt_made_begin(op, &self->made, self->input.top));
        KtLevel *level = &self->made.level;
        level->item_slot = op->plan->as.unwind.slot;
        while (level->rows < want && self->at < self->good) {
            uint32_t row = kt_level_selected(self->input.top, self->at), n;
            const KtValue *item;
            KT_TRY(elements(self, row, &item, &n));
            if (self->offset >= n) {
                self->at++;
                self->offset = 0;
                continue;
            }
            uint32_t len = n - self->offset, room = want - level->rows;
            if (len > room)
                len = room;
            KtRun *run;
            KT_TRY(kt_made_run(op, &self->made, &run));
            *run = (KtRun){
                .parent = row, .len = len, .item = item + self->offset, .kind = KT_COL_VALUE};
            level->rows += len;
            self->offset += len;
        }
        if (level->rows > 0) {
            kt_made_end(&self->made, out);
            *step = KT_STEP_ROWS;
            return KT_OK;
        }
        self->has_input = false;
        KT_TRY(kt_op_raise(op, &self->held));
    }
}

static KtStatus unwind_rewind(KtOp *op)
{
    UnwindOp *self = (UnwindOp *)op;
    self->has_input = false;
    self->held.status = KT_OK;
    return KT_OK;
}

const KtOpType kt_op_UNWIND = {
    .name = "Unwind",
    .size = sizeof(UnwindOp),
    .next = unwind_next,
    .rewind = unwind_rewind,
};
