/* query/exec/op_aggregate.c - grouping: consumes all, one row per group.
 *
 * Each batch gets a column of group numbers, computed at the deepest level that a key reads, and every aggregate
 * adds the whole batch by it. A single key of nodes is numbered by node id; everything else
 * through encoded keys (base/key.h). Under an argument its row leads the key. An aggregation without keys has one
 * group per argument row (or one in all) even if nothing came in. Weights count as that many rows. */
#include "query/exec/distinct_nodes.h"
#include "query/exec/exec_internal.h"
#include "query/exec/key_table.h"
#include "query/exec/node_map.h"
#include "query/exec/rows.h"
#include "query/expr/aggregate.h"

#include "base/hash.h"

#include <string.h>
#include <strings.h>

enum { FEW_NODES = 4096 };

typedef struct AggregateOp {
    KtOp base;
    KtSlot *key;           /* slots */
    KtRows *rows;          /* keys of the groups; tag: argument row */
    KtKeyTable *table;
    KtMap64 few;           /* node -> group + 1, while groups are few: a page for each of them would cost more */
    KtNodeMap nodes;       /* the same once they are many */
    bool many;
    uint32_t null_group;   /* of the null node; UINT32_MAX: none yet */
    bool by_node, began, full;
    uint32_t groups;
    KtAggregate **aggregate;
    KtDistinctNodes **nodes_of; /* by aggregate: a count(DISTINCT node) that has met nothing but nodes, or NULL */
    KtDistinctNodes **nodes_kept; /* their memory */
    uint32_t *number;      /* group by row of the level that keys are read at */
    uint32_t *group;       /* group by row of the top */
    uint16_t *fresh;       /* rows that began a group */
    uint32_t *arg_group;   /* without keys: group by argument row */
    uint32_t at;
    KtMade made;
} AggregateOp;

static uint32_t aggregates(const KtOp *op) { return op->plan->as.aggregate.n; }

static void close_aggregates(AggregateOp *self)
{
    for (uint32_t i = 0; self->aggregate && i < aggregates(&self->base); i++) {
        kt_aggregate_close(self->aggregate[i]);
        self->aggregate[i] = NULL;
        if (self->nodes_of && self->nodes_of[i])
            kt_distinct_nodes_close(self->nodes_of[i]);
    }
}

static bool counts_distinct(const KtBoundAggregate *bound)
{
    return bound->distinct && bound->function && bound->args == 1 && strcasecmp(bound->function->name, "count") == 0;
}

static KtStatus open_aggregates(AggregateOp *self)
{
    KtOp *op = &self->base;
    close_aggregates(self);
    for (uint32_t i = 0; i < aggregates(op); i++) {
        const KtBoundAggregate *bound = op->plan->as.aggregate.item[i].bound;
        KT_TRY(kt_aggregate_open(bound->function, bound->distinct, bound->at, op->x->budget, &self->aggregate[i]));
        self->nodes_of[i] = NULL;
        if (!counts_distinct(bound))
            continue;
        if (!self->nodes_kept[i]) {
            self->nodes_kept[i] = kt_arena_alloc(op->x->arena, sizeof **self->nodes_of);
            if (!self->nodes_kept[i])
                return KT_ERR_MEMORY;
        }
        *self->nodes_kept[i] = (KtDistinctNodes){.budget = op->x->budget, .live = UINT32_MAX};
        self->nodes_of[i] = self->nodes_kept[i];
    }
    self->groups = self->at = 0;
    self->null_group = UINT32_MAX;
    self->by_node = self->began = self->full = false;
    return KT_OK;
}

static KtStatus aggregate_open(KtOp *op)
{
    AggregateOp *self = (AggregateOp *)op;
    KtArena *arena = op->x->arena;
    uint32_t keys = op->plan->as.aggregate.keys;
    self->nodes.budget = self->few.budget = op->x->budget;
    self->key = kt_arena_alloc(arena, ((size_t)keys + 1) * sizeof *self->key);
    self->aggregate = kt_arena_zero(arena, (size_t)aggregates(op) + 1, sizeof *self->aggregate);
    self->nodes_of = kt_arena_zero(arena, (size_t)aggregates(op) + 1, sizeof *self->nodes_of);
    self->nodes_kept = kt_arena_zero(arena, (size_t)aggregates(op) + 1, sizeof *self->nodes_kept);
    if (!self->key || !self->aggregate || !self->nodes_of || !self->nodes_kept)
        return KT_ERR_MEMORY;
    if (keys || op->arg) {
        self->number = kt_arena_alloc(arena, KT_BATCH_ROWS * sizeof *self->number);
        self->group = kt_arena_alloc(arena, KT_BATCH_ROWS * sizeof *self->group);
        if (!self->number || !self->group)
            return KT_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < keys; i++)
        self->key[i] = op->plan->as.aggregate.key[i].slot;
    if (keys) {
        KT_TRY(kt_op_sel(op, &self->fresh));
        KT_TRY(kt_rows_open(op->x->budget, self->key, keys, op->arg != NULL, &self->rows));
        KT_TRY(kt_key_table_open(op->x->budget, &self->table));
    }
    return open_aggregates(self);
}

static KtStatus aggregate_rewind(KtOp *op)
{
    AggregateOp *self = (AggregateOp *)op;
    if (self->rows) {
        kt_rows_clear(self->rows);
        kt_key_table_clear(self->table);
        kt_node_map_clear(&self->nodes);
        kt_map64_clear(&self->few);
        self->many = false;
    }
    return open_aggregates(self);
}

static void aggregate_close(KtOp *op)
{
    AggregateOp *self = (AggregateOp *)op;
    close_aggregates(self);
    kt_rows_close(self->rows);
    kt_key_table_close(self->table);
    kt_node_map_close(&self->nodes);
    kt_map64_close(&self->few);
}

/* ---- group numbers ---- */

/* A key column of nodes came first and another kind now: the groups so far go into the table, same numbers. */
static KtStatus leave_nodes(AggregateOp *self)
{
    self->by_node = false;
    for (uint32_t g = 0; g < self->groups; g++)
        KT_TRY(kt_key_table_add(self->table, kt_rows_value(self->rows, 0, g)));
    kt_node_map_clear(&self->nodes);
    kt_map64_clear(&self->few);
    return KT_OK;
}

/* The place of a node's group + 1. */
static KtStatus node_group(AggregateOp *self, uint32_t node, uint64_t **out)
{
    if (KT_LIKELY(self->many))
        return kt_node_map_at(&self->nodes, node, out);
    if (self->few.len < FEW_NODES)
        return kt_map64_put(&self->few, node, out, NULL);
    for (size_t i = 0; i < self->few.cap; i++) {
        const uint64_t *slot = self->few.slot + 2 * i;
        if (slot[0] == 0)
            continue;
        uint64_t *at;
        KT_TRY(kt_node_map_at(&self->nodes, (uint32_t)(slot[0] - 1), &at));
        *at = slot[1];
    }
    kt_map64_clear(&self->few);
    self->many = true;
    return kt_node_map_at(&self->nodes, node, out);
}

static KtStatus number_nodes(AggregateOp *self, const KtColumn *col, const uint16_t *sel, uint32_t n, uint32_t *fresh)
{
    const uint32_t *id = col->data;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = sel ? sel[i] : i;
        uint64_t null = self->null_group == UINT32_MAX ? 0 : (uint64_t)self->null_group + 1, *at = &null;
        if (id[row] != KT_NO_NODE)
            KT_TRY(node_group(self, id[row], &at));
        if (*at == 0) {
            *at = ++self->groups;
            self->fresh[(*fresh)++] = (uint16_t)row;
            if (id[row] == KT_NO_NODE)
                self->null_group = self->groups - 1;
        }
        self->number[row] = (uint32_t)(*at - 1);
    }
    return KT_OK;
}

static KtStatus number_keys(AggregateOp *self, const KtColumn *col, const uint16_t *arg, const uint16_t *sel, uint32_t n,
                            uint32_t *fresh)
{
    uint32_t keys = self->base.plan->as.aggregate.keys;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = sel ? sel[i] : i;
        bool is_new;
        kt_key_table_begin(self->table);
        if (self->base.arg)
            kt_key_table_number(self->table, kt_mapped(arg, row));
        for (uint32_t k = 0; k < keys; k++)
            kt_key_table_put(self->table, kt_col_value(&col[k], row));
        KT_TRY(kt_key_table_end(self->table, &self->number[row], &is_new));
        if (is_new) {
            self->fresh[(*fresh)++] = (uint16_t)row;
            self->groups++;
        }
    }
    return KT_OK;
}

/* Rows of `level` under the selected rows of `top`. */
static KtStatus rows_at(KtArena *arena, const KtLevel *top, const uint16_t *map, const uint16_t **sel, uint32_t *n)
{
    *sel = top->sel;
    *n = top->selected;
    if (!map)
        return KT_OK;
    uint16_t *used = kt_arena_alloc(arena, ((size_t)top->selected + 1) * sizeof *used);
    if (!used)
        return KT_ERR_MEMORY;
    uint32_t k = 0;
    for (uint32_t i = 0; i < top->selected; i++) {
        uint16_t row = map[kt_level_selected(top, i)];
        if (k == 0 || used[k - 1] != row)
            used[k++] = row;
    }
    *sel = used;
    *n = k;
    return KT_OK;
}

/* Makes the key columns reachable: a plain variable is, anything else is computed. */
static KtStatus compute_keys(AggregateOp *self, KtLevel *top)
{
    KtOp *op = &self->base;
    for (uint32_t i = 0; i < op->plan->as.aggregate.keys; i++) {
        const KtPlanProject *key = &op->plan->as.aggregate.key[i];
        const KtExpr *expr = key->program ? kt_program_expr(key->program) : NULL;
        if (!expr || (expr->kind == KT_EXPR_SLOT && expr->as.slot == key->slot))
            continue;
        KtRowFail fail = {UINT32_MAX, KT_OK};
        KT_TRY(kt_op_project(op, top, key->program, key->slot, &fail));
        if (fail.row != UINT32_MAX)
            return fail.status;
    }
    return KT_OK;
}

static KtStatus number_rows(AggregateOp *self, KtArena *arena, KtLevel *top)
{
    KtOp *op = &self->base;
    uint32_t keys = op->plan->as.aggregate.keys, n, fresh = 0;
    KtBatch batch = {top};
    KtLevel *level = kt_batch_level_of(&batch, self->key, keys);
    const uint16_t *map, *sel, *arg = NULL;
    KtColumn *col = kt_arena_alloc(arena, (size_t)keys * sizeof *col);
    if (!col)
        return KT_ERR_MEMORY;
    if (op->arg) { /* a key may be the argument's own: then the rows of the top tell the argument rows */
        level = top;
        KT_TRY(kt_op_arg_rows(op, level, &arg));
    }
    KT_TRY(kt_level_rows_at(top, level, &map));
    for (uint32_t k = 0; k < keys; k++)
        KT_TRY(kt_level_column(level, self->key[k], &col[k]));
    KT_TRY(rows_at(arena, top, map, &sel, &n));
    bool node = keys == 1 && !op->arg && col[0].kind == KT_COL_NODE && !col[0].constant;
    if (!self->began)
        self->by_node = node;
    self->began = true;
    if (self->by_node && !node)
        KT_TRY(leave_nodes(self));
    if (self->by_node)
        KT_TRY(number_nodes(self, col, sel, n, &fresh));
    else
        KT_TRY(number_keys(self, col, arg, sel, n, &fresh));
    KT_TRY(kt_rows_put(self->rows, level, self->fresh, fresh, arg));
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i);
        self->group[row] = self->number[kt_mapped(map, row)];
    }
    return KT_OK;
}

/* Without keys a group is an argument row. */
static KtStatus number_arg_rows(AggregateOp *self, KtLevel *top)
{
    const uint16_t *arg;
    KT_TRY(kt_op_arg_rows(&self->base, top, &arg));
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i);
        self->group[row] = self->arg_group[kt_mapped(arg, row)];
    }
    return KT_OK;
}

/* ---- consuming ---- */

/* The lists of a count(DISTINCT node) go to the aggregate, which goes on with them. */
static KtStatus leave_distinct_nodes(AggregateOp *self, uint32_t i)
{
    KtDistinctNodes *d = self->nodes_of[i];
    uint32_t group[KT_BATCH_ROWS];
    self->nodes_of[i] = NULL;
    KtStatus status = KT_OK;
    for (uint32_t g = 0; g < d->groups && status == KT_OK; g++) {
        for (uint32_t k = 0; k < KT_BATCH_ROWS; k++)
            group[k] = g;
        for (uint32_t at = 0; at < d->list[g].n && status == KT_OK; at += KT_BATCH_ROWS) {
            uint32_t left = d->list[g].n - at;
            KtColumn col = {.kind = KT_COL_NODE, .width = 4, .data = d->list[g].node + at};
            KtAggregateRows rows = {.n = left < KT_BATCH_ROWS ? left : KT_BATCH_ROWS, .group = group,
                                    .groups = self->groups, .arg = {&col, NULL}};
            status = kt_aggregate_add(self->aggregate[i], &rows, self->base.x->diag);
        }
    }
    kt_distinct_nodes_close(d);
    return status;
}

/* Adds a batch of nodes, group after group. *done false: the aggregate has to. */
static KtStatus add_distinct_nodes(AggregateOp *self, uint32_t i, const KtAggregateRows *rows, bool *done)
{
    const KtColumn *col = rows->arg[0];
    *done = false;
    if (!self->nodes_of[i])
        return KT_OK;
    if (col->kind != KT_COL_NODE || col->width != 4 || col->constant)
        return leave_distinct_nodes(self, i);
    const uint32_t *id = col->data;
    bool worth = true;
    for (uint32_t from = 0; from < rows->n;) {
        uint32_t node[KT_BATCH_ROWS], n = 0, group = 0;
        if (rows->group)
            group = rows->group[rows->sel ? rows->sel[from] : from];
        for (; from < rows->n; from++) {
            uint32_t row = rows->sel ? rows->sel[from] : from;
            if (rows->group && rows->group[row] != group)
                break;
            node[n++] = id[row];
        }
        KT_TRY(kt_distinct_nodes_add(self->nodes_of[i], group, node, n, &worth));
    }
    *done = true;
    return worth ? KT_OK : leave_distinct_nodes(self, i);
}

static KtStatus add_batch(AggregateOp *self, KtLevel *top)
{
    KtOp *op = &self->base;
    KtArena *arena;
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    kt_op_sees(op);
    bool keyed = op->plan->as.aggregate.keys > 0;
    if (keyed) {
        KT_TRY(compute_keys(self, top));
        KT_TRY(number_rows(self, arena, top));
    } else if (op->arg) {
        KT_TRY(number_arg_rows(self, top));
    }
    KtAggregateRows rows = {.sel = top->sel, .n = top->selected, .group = keyed || op->arg ? self->group : NULL,
                            .groups = self->groups, .weight = top->weight};
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
        bool done = false;
        if (self->nodes_of[i])
            KT_TRY(add_distinct_nodes(self, i, &rows, &done));
        if (!done)
            KT_TRY(kt_aggregate_add(self->aggregate[i], &rows, op->x->diag));
    }
    return KT_OK;
}

/* The groups that are there before any row. */
static KtStatus begin_groups(AggregateOp *self)
{
    KtOp *op = &self->base;
    self->groups = 1;
    if (!op->arg)
        return KT_OK;
    self->groups = op->arg->top->selected;
    if (!self->arg_group)
        self->arg_group = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof *self->arg_group);
    if (!self->arg_group)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < self->groups; i++)
        self->arg_group[kt_level_selected(op->arg->top, i)] = i;
    return KT_OK;
}

static KtStatus consume(AggregateOp *self, KtStep *step)
{
    KtOp *op = &self->base;
    bool keyed = op->plan->as.aggregate.keys > 0;
    if (!keyed && self->groups == 0)
        KT_TRY(begin_groups(self));
    while (!self->full) {
        KtBatch input;
        KT_TRY(kt_op_next(op->child[0], KT_BATCH_ROWS, &input, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_END)
            self->full = true;
        else
            KT_TRY(add_batch(self, input.top));
    }
    return KT_OK;
}

/* ---- handing up ---- */

/* A column of results; integers and floats as such, so that kernels above run on them. */
static KtStatus result_column(AggregateOp *self, uint32_t i, uint32_t first, uint32_t n, KtColumn *out)
{
    KtOp *op = &self->base;
    KtColumn col;
    KT_TRY(kt_col_make(op->arena, KT_COL_VALUE, n, false, &col));
    KtValue *value = col.data;
    uint32_t ints = 0, floats = 0;
    for (uint32_t g = 0; g < n; g++) {
        if (self->nodes_of[i])
            value[g] = kt_int(kt_distinct_nodes_count(self->nodes_of[i], first + g));
        else
            KT_TRY(kt_aggregate_result(self->aggregate[i], first + g, op->x->diag, &value[g]));
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

static KtStatus hand_up(AggregateOp *self, uint32_t n, KtBatch *out)
{
    KtOp *op = &self->base;
    KtLevel *level = &self->made.level;
    bool keyed = op->plan->as.aggregate.keys > 0;
    KT_TRY(kt_made_begin(op, &self->made, op->arg ? op->arg->top : NULL));
    uint32_t group[KT_BATCH_ROWS];
    for (uint32_t i = 0; i < n; i++) {
        group[i] = self->at + i;
        if (op->arg) {
            uint32_t parent = keyed ? kt_rows_tag(self->rows, group[i]) : kt_level_selected(op->arg->top, group[i]);
            KT_TRY(kt_made_rows(op, &self->made, parent, 1));
        }
    }
    level->rows = n;
    if (keyed)
        KT_TRY(kt_rows_get(self->rows, group, n, level));
    for (uint32_t i = 0; i < aggregates(op); i++) {
        KtColumn col;
        KT_TRY(result_column(self, i, self->at, n, &col));
        kt_level_set(level, op->plan->as.aggregate.item[i].slot, col);
    }
    self->at += n;
    kt_made_end(&self->made, out);
    return KT_OK;
}

static KtStatus aggregate_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    AggregateOp *self = (AggregateOp *)op;
    KT_TRY(consume(self, step));
    if (!self->full)
        return KT_OK; /* AGAIN */
    uint32_t left = self->groups - self->at, n = left < want ? left : want;
    if (n == 0) {
        *step = KT_STEP_END;
        return KT_OK;
    }
    *step = KT_STEP_ROWS;
    return hand_up(self, n, out);
}

const KtOpType kt_op_AGGREGATE = {
    .name = "Aggregate",
    .size = sizeof(AggregateOp),
    .traits = KT_OP_BY_ARG | KT_OP_WEIGHTS | KT_OP_BARRIER,
    .open = aggregate_open,
    .next = aggregate_next,
    .rewind = aggregate_rewind,
    .close = aggregate_close,
};
