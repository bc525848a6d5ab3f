/* query/exec/op_expand_into.c - the relationships between two nodes that are both bound: one row for each.
 *
 * The whole input batch is answered by one kt_between. Where nobody reads the relationship and no row has more than
 * one, the input's level goes up with another selection. */
#include "query/exec/exec_internal.h"

typedef struct IntoOp {
    KtOp base;
    KtBatch input;
    bool has_input;
    KtArena *hold; /* the answer */
    KtHop hop;
    KtDiffer differ;
    uint32_t n, at; /* relationships that count; handed up */
    uint32_t *row;  /* by relationship: row of input */
    KtRelRef *rel;
    bool single; /* no row has two */
    KtMade made;
    KtLevel level;
    uint16_t *sel;
} IntoOp;

static KtStatus into_open(KtOp *op)
{
    IntoOp *self = (IntoOp *)op;
    KT_TRY(kt_op_sel(op, &self->sel));
    return kt_arena_open(op->x->budget, &self->hold);
}

static bool used_before(const KtDiffer *d, uint64_t id)
{
    for (uint32_t i = 0; i < d->hits; i++) {
        if (d->hit[i].id == id)
            return true;
    }
    return false;
}

static KtStatus answer(IntoOp *self)
{
    KtOp *op = &self->base;
    KtLevel *top = self->input.top;
    const KtPlanRel *rel = &op->plan->as.expand.rel;
    const uint32_t *a, *b;
    KtPairs pairs;
    kt_arena_reset(self->hold);
    kt_op_sees(op);
    KT_TRY(kt_op_hop(op, rel, true, false, self->hold, &self->hop));
    KT_TRY(kt_level_nodes(top, op->plan->as.expand.from, &a));
    KT_TRY(kt_level_nodes(top, op->plan->as.expand.to, &b));
    if (rel->n_differs)
        KT_TRY(kt_differ_begin(op, &self->differ, top, rel->differs, rel->n_differs));
    KtIds from = {.id = a, .width = KT_NODE_WIDTH, .sel = top->sel, .n = top->selected}, to = from;
    to.id = b;
    KT_TRY(kt_between(op->x->view, &self->hop, from, to, self->hold, &pairs));
    self->row = kt_arena_alloc(self->hold, ((size_t)pairs.n + 1) * sizeof *self->row);
    self->rel = kt_arena_alloc(self->hold, ((size_t)pairs.n + 1) * sizeof *self->rel);
    if (!self->row || !self->rel)
        return KT_ERR_MEMORY;
    self->n = self->at = 0;
    self->single = true;
    for (uint32_t i = 0; i < pairs.n; i++) {
        uint32_t row = pairs.row[i];
        if (rel->n_differs) {
            if (i == 0 || pairs.row[i - 1] != row)
                KT_TRY(kt_differ_row(op, &self->differ, row, a[row], rel->dir));
            if (used_before(&self->differ, pairs.id[i]))
                continue;
        }
        self->single = self->single && (self->n == 0 || self->row[self->n - 1] != row);
        bool out = pairs.dir[i] == KT_OUT;
        self->row[self->n] = row;
        self->rel[self->n++] = (KtRelRef){.id = pairs.id[i],
                                          .start = out ? a[row] : b[row],
                                          .end = out ? b[row] : a[row],
                                          .type = pairs.type[i]};
    }
    self->has_input = true;
    return KT_OK;
}

static KtStatus hand_up(IntoOp *self, uint32_t n, KtBatch *out)
{
    KtOp *op = &self->base;
    KtSlot slot = op->plan->as.expand.rel.slot;
    const uint32_t *row = self->row + self->at;
    const KtRelRef *rel = self->rel + self->at;
    self->at += n;
    if (self->single && slot == KT_NO_SLOT) {
        for (uint32_t i = 0; i < n; i++)
            self->sel[i] = (uint16_t)row[i];
        kt_level_select(&self->level, self->input.top, self->sel, n);
        out->top = &self->level;
        return KT_OK;
    }
    KT_TRY(kt_made_begin(op, &self->made, self->input.top));
    for (uint32_t i = 0; i < n; i++)
        KT_TRY(kt_made_rows(op, &self->made, row[i], 1));
    if (slot != KT_NO_SLOT) {
        KtColumn col;
        KT_TRY(kt_col_make(op->arena, KT_COL_REL, n, false, &col));
        for (uint32_t i = 0; i < n; i++)
            ((const KtRelRef **)col.data)[i] = &rel[i];
        kt_level_set(&self->made.level, slot, col);
    }
    kt_made_end(&self->made, out);
    return KT_OK;
}

static KtStatus into_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    IntoOp *self = (IntoOp *)op;
    for (;;) {
        if (self->has_input && self->at < self->n) {
            uint32_t left = self->n - self->at;
            *step = KT_STEP_ROWS;
            return hand_up(self, left < want ? left : want, out);
        }
        KT_TRY(kt_op_next(op->child[0], want > 64 ? KT_BATCH_ROWS : want, &self->input, step));
        if (*step != KT_STEP_ROWS) {
            self->has_input = false;
            return KT_OK;
        }
        KT_TRY(answer(self));
    }
}

static KtStatus into_rewind(KtOp *op)
{
    ((IntoOp *)op)->has_input = false;
    return KT_OK;
}

static void into_close(KtOp *op) { kt_arena_close(((IntoOp *)op)->hold); }

const KtOpType kt_op_EXPAND_INTO = {
    .name = "ExpandInto",
    .size = sizeof(IntoOp),
    .open = into_open,
    .next = into_next,
    .rewind = into_rewind,
    .close = into_close,
};
