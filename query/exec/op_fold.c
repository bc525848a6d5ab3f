/* query/exec/op_fold.c - folds of a last hop: ExpandDegree, ExpandDistinct, ExpandCount.
 *
 * What the rows of a hop would be told apart by is not asked for above, so they are not made: a count is a degree, a
 * DISTINCT end is a bit, a count per end is a counter. What must hold: a fold counts trails, so earlier
 * relationships of the same MATCH that stand in a node's list are taken off (the degree less the hits; the parts of
 * feed.c). Under an argument, ends are told apart for each argument row; rows come in that order. */
#include "query/exec/exec_internal.h"
#include "query/exec/node_index.h"
#include "query/exec/node_set.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- ExpandDegree ---- */

typedef struct DegreeOp {
    KtOp base;
    KtBatch input;
    KtDiffer differ;
    KtLevel level;
    uint16_t *sel;
    uint64_t *degree; /* by row; becomes the weight */
} DegreeOp;

static KtStatus degree_open(KtOp *op)
{
    DegreeOp *self = (DegreeOp *)op;
    self->degree = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof *self->degree);
    return self->degree ? kt_op_sel(op, &self->sel) : KT_ERR_MEMORY;
}

static bool type_fits(const KtHop *hop, KtToken type)
{
    if (hop->n_types == 0)
        return true;
    for (uint32_t i = 0; i < hop->n_types; i++) {
        if (hop->type[i] == type)
            return true;
    }
    return false;
}

static KtStatus hits_of(DegreeOp *self, const KtHop *hop, uint32_t row, uint32_t node,
                        uint64_t *hits)
{
    KT_TRY(kt_differ_row(&self->base, &self->differ, row, node, hop->dir));
    *hits = 0;
    for (uint32_t i = 0; i < self->differ.hits; i++)
        *hits += type_fits(hop, self->differ.hit[i].type);
    return KT_OK;
}

static KtStatus weigh(DegreeOp *self, uint32_t *kept)
{
    KtOp *op = &self->base;
    KtLevel *top = self->input.top;
    const KtPlanRel *rel = &op->plan->as.degree.rel;
    const uint32_t *from;
    KtArena *arena;
    KtHop hop;
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    kt_op_sees(op);
    KT_TRY(kt_op_hop(op, rel, false, false, arena, &hop));
    KT_TRY(kt_level_nodes(top, op->plan->as.degree.from, &from));
    uint64_t hit[(KT_BATCH_ROWS + 63) / 64] = {0};
    if (rel->n_differs) {
        KT_TRY(kt_differ_begin(op, &self->differ, top, rel->differs, rel->n_differs));
        kt_differ_rows(&self->differ, top, from, hop.dir, hit);
    }
    KtIds ids = {.id = from, .width = KT_NODE_WIDTH, .sel = top->sel, .n = top->selected};
    KT_TRY(kt_degrees(op->x->view, &hop, ids, self->degree));
    uint32_t n = 0;
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i);
        uint64_t degree = from[row] == KT_NO_NODE ? 0 : self->degree[row], hits = 0;
        if (KT_UNLIKELY(kt_bit(hit, row)) && degree)
            KT_TRY(hits_of(self, &hop, row, from[row], &hits));
        KT_CHECK(hits <= degree);
        if (__builtin_mul_overflow(degree - hits, kt_level_weight(top, row), &self->degree[row]) ||
            self->degree[row] > INT64_MAX)
            return kt_diag_set(op->x->diag, KT_ERR_ARITHMETIC_OVERFLOW, NULL,
                               "The number of paths from one row is larger than an Integer");
        self->sel[n] = (uint16_t)row;
        n += self->degree[row] != 0;
    }
    *kept = n;
    return KT_OK;
}

static KtStatus degree_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    DegreeOp *self = (DegreeOp *)op;
    for (;;) {
        KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
        if (*step != KT_STEP_ROWS)
            return KT_OK;
        uint32_t n = 0;
        KT_TRY(weigh(self, &n));
        if (n > 0) {
            kt_level_select(&self->level, self->input.top, self->sel, n);
            self->level.weight = self->degree;
            out->top = &self->level;
            return KT_OK;
        }
    }
}

const KtOpType kt_op_EXPAND_DEGREE = {
    .name = "ExpandDegree",
    .size = sizeof(DegreeOp),
    .open = degree_open,
    .next = degree_next,
};

/* ---- the input of both other folds ---- */

typedef struct Fold {
    KtOp base;
    KtBatch input;
    bool has_input;
    KtFeed feed;
    const uint16_t *arg_rows;
    uint32_t arg; /* argument row at hand; UINT32_MAX: none yet */
    KtMade made;
    KtNodeSet set; /* ExpandDistinct */
    uint32_t
        *id; /* ExpandDistinct: of the batch being made; ExpandCount: numbers of the part at hand */
    uint32_t rows;
    KtNodeIndex ends;            /* ExpandCount: the ends in order of arrival */
    uint64_t *count;             /* by number of the end */
    uint32_t count_cap, counted; /* ends that have a counter */
    bool done;                   /* all input has come */
    bool emitting;               /* the counters are being handed up */
    uint32_t entry;
} Fold;

static KtStatus fold_open(KtOp *op)
{
    Fold *self = (Fold *)op;
    self->set.budget = self->ends.budget = op->x->budget;
    self->arg = UINT32_MAX;
    self->id = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof *self->id);
    if (!self->id)
        return KT_ERR_MEMORY;
    return kt_feed_open(op, &self->feed, &op->plan->as.fold.rel, op->plan->as.fold.from, false);
}

/* Makes the next part of a slice ready. *step ROWS: it is; END, AGAIN as ever. */
static KtStatus next_part(Fold *self, KtStep *step)
{
    KtOp *op = &self->base;
    for (;;) {
        if (!self->has_input) {
            KT_TRY(kt_op_next(op->child[0], KT_BATCH_ROWS, &self->input, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            KT_TRY(kt_feed_begin(&self->feed, self->input.top));
            if (op->arg)
                KT_TRY(kt_op_arg_rows(op, self->input.top, &self->arg_rows));
            self->has_input = true;
        }
        bool have, again;
        KT_TRY(kt_feed_ready(&self->feed, &have));
        if (have) {
            *step = KT_STEP_ROWS;
            return KT_OK;
        }
        KT_TRY(kt_feed_more(&self->feed, KT_FEED_SLICES, &self->has_input));
        KT_TRY(kt_tick(op->x, self->feed.n * 8, &again));
        if (again) {
            *step = KT_STEP_AGAIN;
            return KT_OK;
        }
    }
}

/* The argument row of the part at hand. */
static uint32_t part_arg(const Fold *self)
{
    return self->base.arg ? kt_mapped(self->arg_rows, kt_feed_slice(&self->feed)->row) : 0;
}

static KtStatus fold_rewind(KtOp *op)
{
    Fold *self = (Fold *)op;
    kt_feed_rewind(&self->feed);
    kt_node_set_clear(&self->set);
    kt_node_index_clear(&self->ends);
    self->counted = self->entry = 0;
    self->has_input = self->done = self->emitting = false;
    self->arg = UINT32_MAX;
    self->rows = 0;
    return KT_OK;
}

static KtStatus fold_park(KtOp *op) { return kt_feed_park(&((Fold *)op)->feed); }

static void fold_close(KtOp *op)
{
    Fold *self = (Fold *)op;
    kt_feed_close(&self->feed);
    kt_node_set_close(&self->set);
    kt_pool_give(op->x->pool, &self->ends);
    kt_budget_give(op->x->budget, self->count_cap * sizeof *self->count);
    free(self->count);
}

/* n rows of ends (and counts) as a level of their own, over the argument row at hand. */
static KtStatus hand_up(Fold *self, uint32_t *id, int64_t *count, uint32_t n, KtBatch *out)
{
    KtOp *op = &self->base;
    KT_TRY(kt_made_begin(op, &self->made, op->arg ? op->arg->top : NULL));
    if (op->arg)
        KT_TRY(kt_made_rows(op, &self->made, self->arg, n));
    self->made.level.rows = n;
    kt_level_set(&self->made.level, op->plan->as.fold.to,
                 (KtColumn){.kind = KT_COL_NODE, .width = 4, .data = id});
    if (count)
        kt_level_set(&self->made.level, op->plan->as.fold.count,
                     (KtColumn){.kind = KT_COL_INT, .data = count});
    kt_made_end(&self->made, out);
    return KT_OK;
}

/* ---- ExpandDistinct: streams the ends that are new ---- */

static KtStatus distinct_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    Fold *self = (Fold *)op;
    while (self->rows < want && !self->done) {
        KT_TRY(next_part(self, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_END) {
            self->done = true;
            break;
        }
        uint32_t arg = part_arg(self);
        if (arg != self->arg) {
            if (self->rows > 0)
                break; /* ends of the argument row before go up first */
            kt_node_set_clear(&self->set);
            self->arg = arg;
        }
        const uint32_t *nbr = kt_feed_slice(&self->feed)->nbr;
        uint32_t from, fresh, n = kt_feed_take(&self->feed, want - self->rows, &from);
        KT_TRY(kt_node_set_add_all(&self->set, nbr + from, n, self->id + self->rows, &fresh));
        self->rows += fresh;
    }
    *step = self->rows ? KT_STEP_ROWS : KT_STEP_END;
    if (self->rows == 0)
        return KT_OK;
    uint32_t n = self->rows;
    self->rows = 0;
    return hand_up(self, self->id, NULL, n, out);
}

const KtOpType kt_op_EXPAND_DISTINCT = {
    .name = "ExpandDistinct",
    .size = sizeof(Fold),
    .open = fold_open,
    .next = distinct_next,
    .rewind = fold_rewind,
    .park = fold_park,
    .close = fold_close,
};

/* ---- ExpandCount ---- */

/* A counter for every end that has a number. */
static KtStatus grow_counts(Fold *self)
{
    KtBudget *budget = self->base.x->budget;
    if (self->ends.n > self->count_cap) {
        uint32_t cap = self->ends.cap; /* as many as there is room for ends */
        size_t bytes = (cap - self->count_cap) * sizeof *self->count;
        if (budget && !kt_budget_take(budget, bytes))
            return KT_ERR_MEMORY;
        uint64_t *count = realloc(self->count, cap * sizeof *count);
        if (!count) {
            kt_budget_give(budget, bytes);
            return KT_ERR_MEMORY;
        }
        self->count = count;
        self->count_cap = cap;
    }
    memset(self->count + self->counted, 0, (self->ends.n - self->counted) * sizeof *self->count);
    self->counted = self->ends.n;
    return KT_OK;
}

static KtStatus count_part(Fold *self)
{
    const KtSlice *s = kt_feed_slice(&self->feed);
    uint64_t weight = kt_level_weight(self->input.top, s->row);
    uint32_t from, n = kt_feed_take(&self->feed, KT_BATCH_ROWS, &from);
    if (self->ends.cap == 0)
        kt_pool_take(self->base.x->pool, self->base.x->budget, &self->ends);
    KT_TRY(kt_node_index_put(&self->ends, (const uint32_t *)s->nbr + from, n, self->id));
    if (self->ends.n > self->counted)
        KT_TRY(grow_counts(self));
    uint64_t *count = self->count;
    if (weight == 1) { /* 2^63 relationships would be needed to overflow */
        for (uint32_t i = 0; i < n; i++)
            count[self->id[i]]++;
        return KT_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t *at = &count[self->id[i]];
        if (__builtin_add_overflow(*at, weight, at) || *at > INT64_MAX)
            return kt_diag_set(self->base.x->diag, KT_ERR_ARITHMETIC_OVERFLOW, NULL,
                               "The number of paths to node %" PRIu32 " is larger than an Integer",
                               self->ends.id[self->id[i]]);
    }
    return KT_OK;
}

/* Counts until the argument row changes or all input has come; then the counters go up. */
static KtStatus count_input(Fold *self, KtStep *step)
{
    while (!self->emitting) {
        KT_TRY(next_part(self, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_END) {
            self->done = self->emitting = true;
            break;
        }
        uint32_t arg = part_arg(self);
        if (self->arg != UINT32_MAX && arg != self->arg) {
            self->emitting = true;
            break;
        }
        self->arg = arg;
        KT_TRY(count_part(self));
    }
    *step = KT_STEP_ROWS;
    return KT_OK;
}

static KtStatus count_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    Fold *self = (Fold *)op;
    for (;;) {
        KT_TRY(count_input(self, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        uint32_t left = self->ends.n - self->entry, n = left < want ? left : want, at = self->entry;
        self->entry += n;
        if (n > 0)
            return hand_up(self, self->ends.id + at, (int64_t *)self->count + at, n, out);
        if (self->done) {
            *step = KT_STEP_END;
            return KT_OK;
        }
        kt_node_index_clear(&self->ends);
        self->counted = self->entry = 0;
        self->arg = UINT32_MAX;
        self->emitting = false;
    }
}

const KtOpType kt_op_EXPAND_COUNT = {
    .name = "ExpandCount",
    .size = sizeof(Fold),
    .open = fold_open,
    .next = count_next,
    .rewind = fold_rewind,
    .park = fold_park,
    .close = fold_close,
};
