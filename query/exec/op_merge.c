/* query/exec/op_merge.c - MERGE: finds a pattern or makes it, row by row.
 *
 * Row 2 finds what row 1 made: the matching plan runs for one input row at a time and sees every own write. Its rows
 * die when it goes on, so what was found is copied into the batch being made: a level over the input's rows with a
 * column for each slot of the pattern. */
#include "query/exec/write.h"

typedef struct MergeOp {
    KtOp base;
    KtBatch input, one; /* one: the row that the matching plan runs for */
    KtLevel one_level;
    uint16_t one_sel;
    bool has_input, matching, found;
    uint32_t at;   /* selected row of input */
    KtBatch match; /* rows found; match_at of them are in the batch */
    bool has_match;
    uint32_t match_at;
    KtArena *work;  /* of one row */
    KtMade created; /* one row: what was made */
    KtSlot *slot;   /* of the pattern */
    uint32_t slots;
    /* the batch being made */
    KtMade made;
    bool making;
    KtValue *value; /* by slot, by row */
    uint32_t made_cap;
} MergeOp;

static void add_slot(MergeOp *self, KtSlot slot)
{
    for (uint32_t i = 0; i < self->slots; i++) {
        if (self->slot[i] == slot)
            return;
    }
    if (slot != KT_NO_SLOT)
        self->slot[self->slots++] = slot;
}

static KtStatus merge_open(KtOp *op)
{
    MergeOp *self = (MergeOp *)op;
    const KtPlan *plan = op->plan;
    self->slot =
        kt_arena_alloc(op->x->arena, ((size_t)plan->as.merge.n + plan->as.merge.n_matched + 1) *
                                         sizeof *self->slot);
    if (!self->slot)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < plan->as.merge.n; i++)
        add_slot(self, plan->as.merge.item[i].slot);
    for (uint32_t i = 0; i < plan->as.merge.n_matched; i++)
        add_slot(self, plan->as.merge.matched[i]);
    KT_TRY(kt_arena_open(op->x->budget, &self->work));
    bool before = op->x->see_all;
    op->x->see_all = true;
    KtStatus status = kt_op_open(op->x, plan->child[1], &self->one, &op->child[1]);
    op->x->see_all = before;
    return status;
}

static KtStatus begin_batch(MergeOp *self, uint32_t want)
{
    KtOp *op = &self->base;
    if (self->making)
        return KT_OK; /* AGAIN came in between */
    KT_TRY(kt_made_begin(op, &self->made, self->input.top));
    self->value = kt_arena_alloc(op->arena, ((size_t)self->slots * want + 1) * sizeof *self->value);
    if (!self->value)
        return KT_ERR_MEMORY;
    self->made_cap = want;
    self->making = true;
    return KT_OK;
}

static bool full(const MergeOp *self) { return self->made.level.rows >= self->made_cap; }

static void end_batch(MergeOp *self, KtBatch *out)
{
    for (uint32_t i = 0; i < self->slots; i++)
        kt_level_set(
            &self->made.level, self->slot[i],
            (KtColumn){.kind = KT_COL_VALUE, .data = self->value + (size_t)i * self->made_cap});
    self->making = false;
    kt_made_end(&self->made, out);
}

/* Copies one row's slots into the batch; a slot that the row lacks (nobody reads it) is null. */
static KtStatus add_row(MergeOp *self, KtLevel *level, uint32_t row)
{
    KtOp *op = &self->base;
    uint32_t at = self->made.level.rows;
    for (uint32_t i = 0; i < self->slots; i++) {
        KtValue v = kt_null();
        if (kt_level_owner(level, self->slot[i]))
            KT_TRY(kt_level_value(level, self->slot[i], row, &v));
        KT_TRY(kt_value_copy(op->arena, v, &self->value[(size_t)i * self->made_cap + at]));
    }
    return kt_made_rows(op, &self->made, kt_level_selected(self->input.top, self->at), 1);
}

/* MERGE on a property that is null could never find what it made. */
static KtStatus check_nulls(MergeOp *self)
{
    KtOp *op = &self->base;
    KtLevel *top = self->input.top;
    for (uint32_t i = 0; i < op->plan->as.merge.n; i++) {
        const KtPlanNew *item = &op->plan->as.merge.item[i];
        for (uint32_t p = 0; p < item->props; p++) {
            const KtSlot *slot;
            uint32_t n = kt_program_slots(item->prop[p].value, &slot);
            bool known = true;
            for (uint32_t s = 0; s < n; s++)
                known = known && kt_level_owner(top, slot[s]);
            KtValue v;
            if (!known)
                continue;
            KT_TRY(
                kt_write_value(op, top, kt_level_selected(top, self->at), item->prop[p].value, &v));
            if (kt_is_null(v))
                return kt_diag_set(
                    op->x->diag, KT_ERR_MERGE_READ_OWN_WRITES, &item->at,
                    "MERGE cannot find or make an element by a property that is null");
        }
    }
    return KT_OK;
}

/* Starts the matching plan for the row at hand. */
static KtStatus begin_row(MergeOp *self)
{
    KtOp *op = &self->base;
    KtArena *own = op->arena;
    op->arena = self->work;
    KtStatus status = check_nulls(self);
    op->arena = own;
    kt_arena_reset(self->work);
    KT_TRY(status);
    self->one_sel = (uint16_t)kt_level_selected(self->input.top, self->at);
    kt_level_select(&self->one_level, self->input.top, &self->one_sel, 1);
    self->one.top = &self->one_level;
    self->matching = true;
    self->found = self->has_match = false;
    return kt_op_rewind(op->child[1], &self->one);
}

static KtStatus make(MergeOp *self)
{
    KtOp *op = &self->base;
    const KtPlan *plan = op->plan;
    KT_TRY(kt_made_begin(op, &self->created, self->input.top));
    KT_TRY(kt_made_rows(op, &self->created, self->one_sel, 1));
    self->created.level.selected = 1;
    KT_TRY(kt_write_new(op, &self->created.level, plan->as.merge.item, plan->as.merge.n));
    return kt_write_set(op, &self->created.level, 0, plan->as.merge.on_create,
                        plan->as.merge.on_creates);
}

/* Nothing matched: makes the pattern. */
static KtStatus create_row(MergeOp *self)
{
    KtOp *op = &self->base;
    KtArena *own = op->arena;
    op->arena = self->work; /* op->arena holds the batch */
    KtStatus status = make(self);
    op->arena = own;
    KT_TRY(status);
    KT_TRY(add_row(self, &self->created.level, 0));
    kt_arena_reset(self->work);
    return KT_OK;
}

static KtStatus match_row(MergeOp *self, uint32_t row)
{
    KtOp *op = &self->base;
    const KtPlan *plan = op->plan;
    KtArena *own = op->arena;
    KT_TRY(add_row(self, self->match.top, row));
    op->arena = self->work;
    KtStatus status =
        kt_write_set(op, self->match.top, row, plan->as.merge.on_match, plan->as.merge.on_matches);
    op->arena = own;
    kt_arena_reset(self->work);
    return status;
}

/* Goes on with the row at hand until it is done, the batch is full, or the quantum is used. */
static KtStatus work_on(MergeOp *self, KtStep *step)
{
    KtOp *op = &self->base;
    while (self->matching && !full(self)) {
        if (self->has_match) {
            KT_TRY(match_row(self, kt_level_selected(self->match.top, self->match_at)));
            self->has_match = ++self->match_at < self->match.top->selected;
            continue;
        }
        KT_TRY(kt_op_next(op->child[1], KT_BATCH_ROWS, &self->match, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_ROWS) {
            self->found = self->has_match = true;
            self->match_at = 0;
            continue;
        }
        if (!self->found)
            KT_TRY(create_row(self));
        self->matching = false;
        self->at++;
    }
    *step = KT_STEP_ROWS;
    return KT_OK;
}

static KtStatus merge_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    MergeOp *self = (MergeOp *)op;
    for (;;) {
        if (!self->has_input) {
            KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            KT_CHECK(!self->input.top->weight); /* the planner puts Unweigh below */
            kt_op_sees(op);                     /* the clause begins */
            self->has_input = true;
            self->at = 0;
        }
        KT_TRY(begin_batch(self, want));
        while (!full(self) && (self->matching || self->at < self->input.top->selected)) {
            if (!self->matching)
                KT_TRY(begin_row(self));
            KT_TRY(work_on(self, step));
            if (*step == KT_STEP_AGAIN)
                return KT_OK;
        }
        if (self->made.level.rows > 0) {
            end_batch(self, out);
            *step = KT_STEP_ROWS;
            return KT_OK;
        }
        self->making = false;
        self->has_input = false;
    }
}

static KtStatus merge_rewind(KtOp *op)
{
    MergeOp *self = (MergeOp *)op;
    self->has_input = self->matching = self->making = false;
    return KT_OK;
}

static void merge_close(KtOp *op) { kt_arena_close(((MergeOp *)op)->work); }

const KtOpType kt_op_MERGE = {
    .name = "Merge",
    .size = sizeof(MergeOp),
    .traits = KT_OP_WRITES | KT_OP_OPENS_SECOND,
    .open = merge_open,
    .next = merge_next,
    .rewind = merge_rewind,
    .close = merge_close,
};
