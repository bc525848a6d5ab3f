/* query/exec/op_semi_apply.c - SemiApply and CollectApply: what an inner plan found, told to its outer rows.
 *
 * SemiApply keeps the outer rows for which the inner plan has a row (anti: has none), or marks them with a boolean. It
 * stops as soon as every row is decided, and when a whole inner batch told nothing new it starts the inner plan
 * again for the undecided rows only, so that one start with a million matches does not hold up the rest.
 * CollectApply makes one list per outer row. */
#include "query/exec/exec_internal.h"

#include <string.h>

/* ---- SemiApply ---- */

typedef struct SemiOp {
    KtOp base;
    KtBatch outer, narrow; /* narrow: the outer rows that the inner plan runs for now */
    KtLevel narrow_level;
    bool running, unordered;
    uint64_t *hit; /* bits by outer row */
    uint32_t undecided;
    KtLevel level;
    uint16_t *sel, *narrow_sel;
} SemiOp;

static bool has_union(const KtPlan *plan)
{
    return plan &&
           (plan->kind == KT_PLAN_UNION || has_union(plan->child[0]) || has_union(plan->child[1]));
}

static KtStatus semi_open(KtOp *op)
{
    SemiOp *self = (SemiOp *)op;
    self->unordered = has_union(op->plan->child[1]);
    self->hit = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS / 8);
    if (!self->hit)
        return KT_ERR_MEMORY;
    KT_TRY(kt_op_sel(op, &self->sel));
    KT_TRY(kt_op_sel(op, &self->narrow_sel));
    return kt_op_open(op->x, op->plan->child[1], &self->narrow, &op->child[1]);
}

/* Notes what an inner batch says. Returns the rows newly decided; *last: the outer row it ended at. */
static KtStatus note_hits(SemiOp *self, KtLevel *inner, uint32_t *news, uint32_t *last)
{
    const uint16_t *arg;
    KT_TRY(kt_level_rows_at(inner, self->outer.top, &arg));
    *news = 0;
    for (uint32_t i = 0; i < inner->selected; i++) {
        uint32_t row = kt_mapped(arg, kt_level_selected(inner, i));
        *news += !kt_bit(self->hit, row);
        kt_bit_set(self->hit, row);
        *last = row;
    }
    return KT_OK;
}

/* Runs the inner plan on for the rows that may still be decided. */
static KtStatus narrow(SemiOp *self, uint32_t last)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < self->outer.top->selected; i++) {
        uint32_t row = kt_level_selected(self->outer.top, i);
        if (!kt_bit(self->hit, row) && (self->unordered || row > last))
            self->narrow_sel[n++] = (uint16_t)row;
    }
    self->undecided = n;
    if (n == 0)
        return KT_OK;
    kt_level_select(&self->narrow_level, self->outer.top, self->narrow_sel, n);
    self->narrow.top = &self->narrow_level;
    return kt_op_rewind(self->base.child[1], &self->narrow);
}

static KtStatus decide(SemiOp *self, KtStep *step)
{
    KtOp *op = &self->base;
    while (self->undecided > 0) {
        KtBatch inner;
        KT_TRY(kt_op_next(op->child[1], KT_BATCH_ROWS, &inner, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_END)
            break;
        uint32_t news, last = 0;
        KT_TRY(note_hits(self, inner.top, &news, &last));
        self->undecided -= news < self->undecided ? news : self->undecided;
        if (news == 0 && self->undecided > 0)
            KT_TRY(narrow(self, last));
    }
    *step = KT_STEP_ROWS;
    return KT_OK;
}

static KtStatus set_mark(SemiOp *self)
{
    KtLevel *top = self->outer.top;
    KtColumn col;
    KT_TRY(kt_col_make(top->cols->scratch, KT_COL_BOOL, top->rows, false, &col));
    for (uint32_t i = 0; i < top->rows; i++)
        ((uint8_t *)col.data)[i] = kt_bit(self->hit, i) != self->base.plan->as.semi.anti;
    kt_level_set(top, self->base.plan->as.semi.mark, col);
    return KT_OK;
}

static KtStatus semi_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    SemiOp *self = (SemiOp *)op;
    bool anti = op->plan->as.semi.anti;
    for (;;) {
        if (!self->running) {
            KT_TRY(kt_op_next(op->child[0], want, &self->outer, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            memset(self->hit, 0, KT_BATCH_ROWS / 8);
            self->narrow = self->outer;
            self->undecided = self->outer.top->selected;
            KT_TRY(kt_op_rewind(op->child[1], &self->narrow));
            self->running = true;
        }
        KT_TRY(decide(self, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        self->running = false;
        if (op->plan->as.semi.mark != KT_NO_SLOT) {
            *out = self->outer;
            return set_mark(self);
        }
        uint32_t n = 0;
        for (uint32_t i = 0; i < self->outer.top->selected; i++) {
            uint32_t row = kt_level_selected(self->outer.top, i);
            self->sel[n] = (uint16_t)row;
            n += kt_bit(self->hit, row) != anti;
        }
        if (n > 0) {
            kt_level_select(&self->level, self->outer.top, self->sel, n);
            out->top = &self->level;
            return KT_OK;
        }
    }
}

static KtStatus semi_rewind(KtOp *op)
{
    ((SemiOp *)op)->running = false;
    return KT_OK;
}

const KtOpType kt_op_SEMI_APPLY = {
    .name = "SemiApply",
    .size = sizeof(SemiOp),
    .traits = KT_OP_OPENS_SECOND,
    .open = semi_open,
    .next = semi_next,
    .rewind = semi_rewind,
};

/* ---- CollectApply ---- */

typedef struct CollectOp {
    KtOp base;
    KtBatch outer;
    bool running;
    KtArena *hold; /* of this outer batch: what was found, in order */
    uint32_t n, cap, row_cap;
    KtValue *value;
    uint32_t *row; /* outer row of value[i] */
    KtRowFail fail;
    KtLevel level;
    uint16_t *sel;
} CollectOp;

static KtStatus collect_open(KtOp *op)
{
    CollectOp *self = (CollectOp *)op;
    KT_TRY(kt_arena_open(op->x->budget, &self->hold));
    return kt_op_open(op->x, op->plan->child[1], &self->outer, &op->child[1]);
}

static KtStatus keep_values(CollectOp *self, KtLevel *inner)
{
    KtOp *op = &self->base;
    KtArena *arena, *to = self->outer.top->cols->scratch; /* lists live as long as the outer rows */
    const uint16_t *arg;
    KtColumn col;
    KtRowFail fail = {UINT32_MAX, KT_OK};
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    KT_TRY(kt_level_rows_at(inner, self->outer.top, &arg));
    kt_op_sees(op);
    KT_TRY(kt_op_eval(op, inner, op->plan->as.collect.item, &fail, &col));
    for (uint32_t i = 0; i < inner->selected; i++) {
        uint32_t row = kt_level_selected(inner, i);
        if (row >= fail.row)
            break;
        for (uint64_t w = kt_level_weight(inner, row); w > 0; w--) {
            void *value = self->value, *rows = self->row;
            KT_TRY(kt_arena_grow(self->hold, &value, self->n, &self->cap, sizeof *self->value));
            KT_TRY(kt_arena_grow(self->hold, &rows, self->n, &self->row_cap, sizeof *self->row));
            self->value = value;
            self->row = rows;
            KT_TRY(kt_value_copy(to, kt_col_value(&col, row), &self->value[self->n]));
            self->row[self->n++] = kt_mapped(arg, row);
        }
    }
    if (fail.row != UINT32_MAX)
        self->fail = (KtRowFail){kt_mapped(arg, fail.row), fail.status};
    return KT_OK;
}

/* One list per outer row, each in the order found. */
static KtStatus set_lists(CollectOp *self)
{
    KtLevel *top = self->outer.top;
    KtArena *to = top->cols->scratch;
    KtColumn col;
    KT_TRY(kt_col_make(to, KT_COL_VALUE, top->rows, false, &col));
    uint32_t *count = kt_arena_zero(self->hold, (size_t)top->rows + 1, sizeof *count);
    KtValue *all = kt_arena_alloc(to, ((size_t)self->n + 1) * sizeof *all), *list = col.data;
    if (!count || !all)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < self->n; i++)
        count[self->row[i]]++;
    KtValue *next = all;
    for (uint32_t r = 0; r < top->rows; r++) {
        list[r] = kt_list(next, 0);
        next += count[r];
    }
    for (uint32_t i = 0; i < self->n; i++) {
        KtValue *l = &list[self->row[i]];
        all[(size_t)(l->as.list - all) + l->len++] = self->value[i];
    }
    kt_level_set(top, self->base.plan->as.collect.slot, col);
    return KT_OK;
}

static KtStatus collect_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    CollectOp *self = (CollectOp *)op;
    if (!self->running) {
        KT_TRY(kt_op_next(op->child[0], want, &self->outer, step));
        if (*step != KT_STEP_ROWS)
            return KT_OK;
        kt_arena_reset(self->hold);
        self->n = self->cap = self->row_cap = 0;
        self->value = NULL;
        self->row = NULL;
        self->fail = (KtRowFail){UINT32_MAX, KT_OK};
        KT_TRY(kt_op_rewind(op->child[1], &self->outer));
        self->running = true;
    }
    while (self->fail.row == UINT32_MAX) {
        KtBatch inner;
        KT_TRY(kt_op_next(op->child[1], KT_BATCH_ROWS, &inner, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_END)
            break;
        KT_TRY(keep_values(self, inner.top));
    }
    self->running = false;
    KT_TRY(set_lists(self));
    kt_level_window(&self->level, self->outer.top, 0, self->outer.top->selected, NULL);
    if (self->fail.row != UINT32_MAX) {
        uint32_t n = self->level.selected;
        KT_TRY(kt_op_sel(op, &self->sel));
        for (uint32_t i = 0; i < n; i++)
            self->sel[i] = (uint16_t)kt_level_selected(self->outer.top, i);
        KT_TRY(kt_op_cut(op, &self->fail, self->sel, &n));
        kt_level_select(&self->level, self->outer.top, self->sel, n);
    }
    out->top = &self->level;
    *step = KT_STEP_ROWS;
    return KT_OK;
}

static KtStatus collect_rewind(KtOp *op)
{
    ((CollectOp *)op)->running = false;
    return KT_OK;
}

static void collect_close(KtOp *op) { kt_arena_close(((CollectOp *)op)->hold); }

const KtOpType kt_op_COLLECT_APPLY = {
    .name = "CollectApply",
    .size = sizeof(CollectOp),
    .traits = KT_OP_OPENS_SECOND,
    .open = collect_open,
    .next = collect_next,
    .rewind = collect_rewind,
    .close = collect_close,
};
