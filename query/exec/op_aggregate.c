/* query/exec/op_aggregate.c - grouping: consumes all, one row per group.
 *
 * Each batch gets a column of group numbers (grouping.h), and every aggregate adds the whole batch by it. The nodes of
 * count(DISTINCT x) go into sets by group (group_set.h). Weights count as that many rows.
 *
 * Sums over the lists of an Expand are added list by list where they can be (list_sums.h).
 *
 * ExpandCountDistinct is count(DISTINCT end) of a last hop: keys are numbered for the rows before the hop, and the
 * ends go from the lists into the sets of the groups (group_set.h). A key none of whose rows had an end is no group. */
#include "query/exec/exec_internal.h"
#include "query/exec/group_set.h"
#include "query/exec/grouping.h"
#include "query/exec/list_sums.h"
#include "query/expr/aggregate.h"

#include <string.h>
#include <strings.h>

/* Batches whose lists could not be added whole, then it is tried no more. */
enum { LIST_MISSES_MOST = 16 };

typedef struct AggregateOp {
    KtOp base;
    KtGrouping grouping;
    bool full;
    KtAggregate **aggregate;
    /* by aggregate: the nodes of a count(DISTINCT x), all else is the aggregate's; or NULL */
    KtGroupSet **nodes_of;
    uint32_t at;
    KtListSums lists; /* of an Expand's, where the plan says so */
    uint32_t list_misses;
    KtMade made;
    /* ExpandCountDistinct */
    bool hop, has_input;
    KtBatch input;
    KtFeed feed; /* the ends go to nodes_of[0] */
} AggregateOp;

static uint32_t aggregates(const KtOp *op) { return op->plan->as.aggregate.n; }

static void close_aggregates(AggregateOp *self)
{
    for (uint32_t i = 0; self->aggregate && i < aggregates(&self->base); i++) {
        kt_aggregate_close(self->aggregate[i]);
        self->aggregate[i] = NULL;
    }
    for (uint32_t i = 0; self->nodes_of && i < aggregates(&self->base); i++) {
        if (self->nodes_of[i])
            kt_group_set_close(self->nodes_of[i]);
    }
}

static bool counts_distinct(const KtBoundAggregate *bound)
{
    return bound->distinct && bound->function && bound->args == 1 &&
           strcasecmp(bound->function->name, "count") == 0;
}

static KtStatus open_aggregates(AggregateOp *self)
{
    KtOp *op = &self->base;
    close_aggregates(self);
    for (uint32_t i = 0; i < aggregates(op); i++) {
        const KtBoundAggregate *bound = op->plan->as.aggregate.item[i].bound;
        if (!self->hop)
            KT_TRY(kt_aggregate_open(bound->function, bound->distinct, bound->at, op->x->budget,
                                     &self->aggregate[i]));
        if (!counts_distinct(bound) || self->nodes_of[i])
            continue;
        self->nodes_of[i] = kt_arena_zero(op->x->arena, 1, sizeof **self->nodes_of);
        if (!self->nodes_of[i])
            return KT_ERR_MEMORY;
        self->nodes_of[i]->budget = op->x->budget;
    }
    self->at = 0;
    self->full = self->has_input = false;
    return KT_OK;
}

static KtStatus aggregate_open(KtOp *op)
{
    AggregateOp *self = (AggregateOp *)op;
    KtArena *arena = op->x->arena;
    self->hop = op->plan->kind == KT_PLAN_EXPAND_COUNT_DISTINCT;
    if (self->hop)
        KT_TRY(kt_feed_open(op, &self->feed, &op->plan->as.aggregate.rel,
                            op->plan->as.aggregate.from, false));
    self->aggregate = kt_arena_zero(arena, (size_t)aggregates(op) + 1, sizeof *self->aggregate);
    self->nodes_of = kt_arena_zero(arena, (size_t)aggregates(op) + 1, sizeof *self->nodes_of);
    if (!self->aggregate || !self->nodes_of)
        return KT_ERR_MEMORY;
    KT_TRY(kt_grouping_open(op, &self->grouping));
    if (op->plan->as.aggregate.list_end != KT_NO_SLOT)
        KT_TRY(kt_list_sums_open(op, &self->lists));
    return open_aggregates(self);
}

static KtStatus aggregate_rewind(KtOp *op)
{
    AggregateOp *self = (AggregateOp *)op;
    kt_grouping_clear(&self->grouping);
    if (self->hop)
        kt_feed_rewind(&self->feed);
    kt_list_sums_rewind(&self->lists);
    return open_aggregates(self);
}

static void aggregate_close(KtOp *op)
{
    AggregateOp *self = (AggregateOp *)op;
    close_aggregates(self);
    kt_grouping_close(&self->grouping);
    if (self->hop)
        kt_feed_close(&self->feed);
}

static KtStatus aggregate_park(KtOp *op)
{
    AggregateOp *self = (AggregateOp *)op;
    return self->hop ? kt_feed_park(&self->feed) : KT_OK;
}

/* ---- consuming ---- */

/* Adds the nodes of a column to their groups, run by run of one group. */
static KtStatus add_nodes(KtGroupSet *set, const uint32_t *id, const KtAggregateRows *rows)
{
    uint32_t node[KT_BATCH_ROWS];
    for (uint32_t from = 0; from < rows->n;) {
        uint32_t n = 0, group = rows->group ? rows->group[rows->sel ? rows->sel[from] : from] : 0;
        for (; from < rows->n; from++) {
            uint32_t row = rows->sel ? rows->sel[from] : from;
            if (rows->group && rows->group[row] != group)
                break;
            node[n] = id[row];
            n += id[row] != KT_NO_NODE;
        }
        KT_TRY(kt_group_set_add(set, group, node, n));
    }
    return KT_OK;
}

/* Adds a batch to a count(DISTINCT x): nodes to the sets, anything else to the aggregate. */
static KtStatus add_distinct(AggregateOp *self, KtArena *arena, uint32_t i, KtAggregateRows *rows)
{
    const KtColumn *col = rows->arg[0];
    KtGroupSet *set = self->nodes_of[i];
    if (col->kind == KT_COL_NODE && col->width == 4 && !col->constant)
        return add_nodes(set, col->data, rows);
    KtAggregateRows rest = *rows;
    if (col->kind == KT_COL_NODE || col->kind == KT_COL_VALUE) {
        uint16_t *sel = kt_arena_alloc(arena, ((size_t)rows->n + 1) * sizeof *sel);
        if (!sel)
            return KT_ERR_MEMORY;
        rest.sel = sel;
        rest.n = 0;
        for (uint32_t k = 0; k < rows->n; k++) {
            uint32_t row = rows->sel ? rows->sel[k] : k;
            KtValue v = kt_col_value(col, row);
            uint32_t id = v.kind == KT_NODE ? (uint32_t)kt_value_node_id(v) : KT_NO_NODE;
            if (v.kind == KT_NODE)
                KT_TRY(kt_group_set_add(set, rows->group ? rows->group[row] : 0, &id, 1));
            else
                sel[rest.n++] = (uint16_t)row;
        }
    }
    return kt_aggregate_add(self->aggregate[i], &rest, self->base.x->diag);
}

static KtStatus begin_batch(AggregateOp *self)
{
    KtArena *arena;
    KT_TRY(kt_op_arena(&self->base, &arena));
    kt_arena_reset(arena);
    kt_op_sees(&self->base);
    return KT_OK;
}

/* What the lists so far came to. */
static KtStatus flush_lists(AggregateOp *self)
{
    KtOp *op = &self->base;
    KtListSums *sums = &self->lists;
    KtLevel *level = kt_list_sums_take(sums);
    int64_t one = 1;
    if (!level)
        return KT_OK;
    KT_TRY(begin_batch(self));
    KT_TRY(kt_grouping_batch(&self->grouping, level));
    KtColumn col = {.kind = KT_COL_INT},
             ones = {.kind = KT_COL_INT, .constant = true, .data = &one};
    KtAggregateRows rows = {.sel = level->sel,
                            .n = level->selected,
                            .group = self->grouping.group,
                            .groups = self->grouping.groups};
    for (uint32_t i = 0; i < aggregates(op); i++) {
        if (sums->part[i]) {
            rows.weight = NULL;
            rows.arg[0] = &col;
            col.data = sums->part[i];
            KT_TRY(kt_aggregate_add(self->aggregate[i], &rows, op->x->diag));
            if (!sums->rest[i])
                continue;
            col.data = sums->rest[i];
        } else {
            rows.arg[0] = &ones;
        }
        rows.weight = sums->weight;
        KT_TRY(kt_aggregate_add(self->aggregate[i], &rows, op->x->diag));
    }
    return KT_OK;
}

/* The next lists of the Expand below, added whole where they can be. *by_rows: the next batch comes by kt_op_next. */
static KtStatus add_lists(AggregateOp *self, KtStep *step, bool *by_rows)
{
    KtOp *op = &self->base;
    KtExpandLists lists;
    bool done;
    *by_rows = true;
    if (self->list_misses >= LIST_MISSES_MOST)
        return KT_OK;
    KT_TRY(kt_expand_between(op->child[0], &done));
    if (!done)
        return KT_OK;
    *by_rows = false;
    KT_TRY(kt_expand_lists(op->child[0], &lists, step));
    if (*step != KT_STEP_ROWS)
        return KT_OK;
    if (lists.begins) {
        KT_TRY(begin_batch(self));
        KT_TRY(kt_list_sums_begin(op, &self->lists, lists.input));
    }
    KT_TRY(kt_list_sums_add(op, &self->lists, &lists, &done));
    if (!done) {
        kt_expand_put_back(op->child[0]);
        self->list_misses++;
        *by_rows = true;
    }
    return !done || lists.used_up ? flush_lists(self) : KT_OK;
}

static KtStatus add_batch(AggregateOp *self, KtLevel *top)
{
    KtOp *op = &self->base;
    KT_TRY(begin_batch(self));
    KT_TRY(kt_grouping_batch(&self->grouping, top));
    KtArena *arena = op->arena;
    KtAggregateRows rows = {.sel = top->sel,
                            .n = top->selected,
                            .bits = kt_level_bits(top),
                            .group = self->grouping.group,
                            .groups = self->grouping.groups,
                            .weight = top->weight};
    for (uint32_t i = 0; i < aggregates(op); i++) {
        const KtPlanAggregate *item = &op->plan->as.aggregate.item[i];
        KtColumn arg[2];
        rows.arg[0] = rows.arg[1] = NULL;
        for (uint32_t k = 0; k < 2; k++) {
            if (!item->arg[k])
                continue;
            KT_TRY(kt_op_eval(op, top, item->arg[k], NULL, &arg[k]));
            rows.arg[k] = &arg[k];
        }
        op->x->eval.kernels++;
        if (self->nodes_of[i])
            KT_TRY(add_distinct(self, arena, i, &rows));
        else
            KT_TRY(kt_aggregate_add(self->aggregate[i], &rows, op->x->diag));
    }
    return KT_OK;
}

/* The next ends of the hop into their groups' sets. */
static KtStatus add_ends(AggregateOp *self, KtStep *step)
{
    KtOp *op = &self->base;
    bool have, again, grouped = op->plan->as.aggregate.keys > 0 || op->arg;
    *step = KT_STEP_ROWS;
    if (!self->has_input) {
        KT_TRY(kt_op_next(op->child[0], KT_BATCH_ROWS, &self->input, step));
        if (*step != KT_STEP_ROWS)
            return KT_OK;
        KT_TRY(begin_batch(self));
        KT_TRY(kt_grouping_batch(&self->grouping, self->input.top));
        KT_TRY(kt_feed_begin(&self->feed, self->input.top));
        self->has_input = true;
    }
    for (;;) {
        KT_TRY(kt_feed_ready(&self->feed, &have));
        if (!have)
            break;
        const KtSlice *s = kt_feed_slice(&self->feed);
        uint32_t from, n = kt_feed_take(&self->feed, UINT32_MAX, &from);
        KT_TRY(kt_group_set_add(self->nodes_of[0], grouped ? self->grouping.group[s->row] : 0,
                                (const uint32_t *)s->nbr + from, n));
    }
    KT_TRY(kt_feed_more(&self->feed, KT_FEED_SLICES, &self->has_input));
    KT_TRY(kt_tick(op->x, self->feed.n * 8, &again));
    if (again)
        *step = KT_STEP_AGAIN;
    return KT_OK;
}

static KtStatus consume(AggregateOp *self, KtStep *step)
{
    KtOp *op = &self->base;
    bool keyed = op->plan->as.aggregate.keys > 0;
    if (!keyed && self->grouping.groups == 0)
        KT_TRY(kt_grouping_begin(&self->grouping));
    while (!self->full) {
        KtBatch input = {0};
        bool by_rows = !self->hop;
        if (self->hop)
            KT_TRY(add_ends(self, step));
        else if (op->plan->as.aggregate.list_end != KT_NO_SLOT)
            KT_TRY(add_lists(self, step, &by_rows));
        if (by_rows)
            KT_TRY(kt_op_next(op->child[0], KT_BATCH_ROWS, &input, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_END)
            self->full = true;
        else if (by_rows)
            KT_TRY(add_batch(self, input.top));
    }
    return KT_OK;
}

/* ---- handing up ---- */

/* A column of results; integers and floats as such, so that kernels above run on them. */
static KtStatus result_column(AggregateOp *self, uint32_t i, const uint32_t *group, uint32_t n,
                              KtColumn *out)
{
    KtOp *op = &self->base;
    KtColumn col;
    if (self->hop) {
        KT_TRY(kt_col_make(op->arena, KT_COL_INT, n, false, out));
        for (uint32_t g = 0; g < n; g++)
            ((int64_t *)out->data)[g] = (int64_t)kt_group_set_count(self->nodes_of[0], group[g]);
        return KT_OK;
    }
    KT_TRY(kt_col_make(op->arena, KT_COL_VALUE, n, false, &col));
    KtValue *value = col.data;
    uint32_t ints = 0, floats = 0;
    for (uint32_t g = 0; g < n; g++) {
        KT_TRY(kt_aggregate_result(self->aggregate[i], group[g], op->x->diag, &value[g]));
        if (self->nodes_of[i])
            value[g].as.i += (int64_t)kt_group_set_count(self->nodes_of[i], group[g]);
        ints += value[g].kind == KT_INT;
        floats += value[g].kind == KT_FLOAT;
    }
    if (ints == n || floats == n) {
        KtColumn typed;
        KT_TRY(kt_col_make(op->arena, ints == n ? KT_COL_INT : KT_COL_FLOAT, n, false, &typed));
        for (uint32_t g = 0; g < n; g++)
            ((int64_t *)typed.data)[g] = value[g].as.i; /* the same 8 bytes for a double */
        col = typed;
    }
    *out = col;
    return KT_OK;
}

static KtStatus hand_up(AggregateOp *self, const uint32_t *group, uint32_t n, KtBatch *out)
{
    KtOp *op = &self->base;
    KtLevel *level = &self->made.level;
    bool keyed = op->plan->as.aggregate.keys > 0;
    KT_TRY(kt_made_begin(op, &self->made, op->arg ? op->arg->top : NULL));
    for (uint32_t i = 0; i < n && op->arg; i++) {
        uint32_t parent = keyed ? kt_rows_tag(self->grouping.rows, group[i])
                                : kt_level_selected(op->arg->top, group[i]);
        KT_TRY(kt_made_rows(op, &self->made, parent, 1));
    }
    level->rows = n;
    if (keyed)
        KT_TRY(kt_rows_get(self->grouping.rows, group, n, level));
    for (uint32_t i = 0; i < aggregates(op); i++) {
        KtColumn col;
        KT_TRY(result_column(self, i, group, n, &col));
        kt_level_set(level, op->plan->as.aggregate.item[i].slot, col);
    }
    kt_made_end(&self->made, out);
    return KT_OK;
}

static KtStatus aggregate_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    AggregateOp *self = (AggregateOp *)op;
    KT_TRY(consume(self, step));
    if (!self->full)
        return KT_OK; /* AGAIN */
    uint32_t group[KT_BATCH_ROWS], n = 0;
    bool sparse = self->hop && op->plan->as.aggregate.keys > 0; /* a key without ends is no group */
    for (; n < want && self->at < self->grouping.groups; self->at++) {
        if (!sparse || kt_group_set_count(self->nodes_of[0], self->at) > 0)
            group[n++] = self->at;
    }
    if (n == 0) {
        *step = KT_STEP_END;
        return KT_OK;
    }
    *step = KT_STEP_ROWS;
    return hand_up(self, group, n, out);
}

const KtOpType kt_op_AGGREGATE = {
    .name = "Aggregate",
    .size = sizeof(AggregateOp),
    .open = aggregate_open,
    .next = aggregate_next,
    .rewind = aggregate_rewind,
    .close = aggregate_close,
};

const KtOpType kt_op_EXPAND_COUNT_DISTINCT = {
    .name = "ExpandCountDistinct",
    .size = sizeof(AggregateOp),
    .open = aggregate_open,
    .next = aggregate_next,
    .rewind = aggregate_rewind,
    .park = aggregate_park,
    .close = aggregate_close,
};
