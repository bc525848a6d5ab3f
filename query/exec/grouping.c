/* query/exec/grouping.c - numbers of groups, computed at the deepest level that a key reads. */
#include "query/exec/grouping.h"

#include "base/hash.h"

enum { WORK_UNLOOKED = 64 * 1024 }; /* steps over keys between two ticks */

KtStatus kt_grouping_open(KtOp *op, KtGrouping *g)
{
    KtArena *arena = op->x->arena;
    uint32_t keys = op->plan->as.aggregate.keys;
    g->op = op;
    g->null_group = UINT32_MAX;
    g->nodes.budget = g->ints.budget = op->x->budget;
    g->key = kt_arena_alloc(arena, ((size_t)keys + 1) * sizeof *g->key);
    if (!g->key)
        return KT_ERR_MEMORY;
    if (keys || op->arg) {
        g->number = kt_arena_alloc(arena, KT_BATCH_ROWS * sizeof *g->number);
        g->group = kt_arena_alloc(arena, KT_BATCH_ROWS * sizeof *g->group);
        if (!g->number || !g->group)
            return KT_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < keys; i++)
        g->key[i] = op->plan->as.aggregate.key[i].slot;
    if (keys == 0)
        return KT_OK;
    KT_TRY(kt_op_sel(op, &g->fresh));
    KT_TRY(kt_rows_open(op->x->budget, g->key, keys, op->arg != NULL, &g->rows));
    return kt_key_table_open(op->x->budget, &g->table);
}

void kt_grouping_clear(KtGrouping *g)
{
    if (g->rows) {
        kt_rows_clear(g->rows);
        kt_key_table_clear(g->table);
        kt_node_index_clear(&g->nodes);
        kt_map64_clear(&g->ints);
    }
    g->groups = 0;
    g->null_group = UINT32_MAX;
    g->minus_one = 0;
    g->by_node = g->by_int = g->began = false;
}

void kt_grouping_close(KtGrouping *g)
{
    if (!g->op)
        return;
    kt_rows_close(g->rows);
    kt_key_table_close(g->table);
    kt_pool_give(g->op->x->pool, &g->nodes);
    kt_map64_close(&g->ints);
}

/* A key column of nodes or integers came first and another kind now: the groups so far go into the table, same
 * numbers. */
static KtStatus leave_direct(KtGrouping *g)
{
    g->by_node = g->by_int = false;
    for (uint32_t i = 0; i < g->groups; i++)
        KT_TRY(kt_key_table_add(g->table, kt_rows_value(g->rows, 0, i)));
    kt_node_index_clear(&g->nodes);
    kt_map64_clear(&g->ints);
    return KT_OK;
}

static KtStatus number_nodes(KtGrouping *g, KtArena *arena, const KtColumn *col,
                             const uint16_t *sel, uint32_t n, uint32_t *fresh)
{
    const uint32_t *id = col->data;
    uint32_t *node = kt_arena_alloc(arena, 2 * (size_t)n * sizeof *node), *number = node + n,
             nodes = 0, at = 0;
    if (!node)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        node[nodes] = id[sel ? sel[i] : i];
        nodes += node[nodes] != KT_NO_NODE;
    }
    if (g->nodes.cap == 0)
        kt_pool_take(g->op->x->pool, g->op->x->budget, &g->nodes);
    KT_TRY(kt_node_index_put(&g->nodes, node, nodes, number));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = sel ? sel[i] : i, group;
        if (id[row] == KT_NO_NODE) {
            if (g->null_group == UINT32_MAX)
                g->null_group = g->groups;
            group = g->null_group;
        } else {
            group = number[at++];
            group += group >= g->null_group;
        }
        g->number[row] = group;
        if (group == g->groups) { /* groups come in the order of their numbers */
            g->groups++;
            g->fresh[(*fresh)++] = (uint16_t)row;
        }
    }
    return KT_OK;
}

static KtStatus number_ints(KtGrouping *g, const KtColumn *col, const uint16_t *sel, uint32_t n,
                            uint32_t *fresh)
{
    const uint64_t *x = col->data;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = sel ? sel[i] : i;
        uint64_t null = g->null_group == UINT32_MAX ? 0 : (uint64_t)g->null_group + 1, *at = &null;
        bool is_null = col->nulls && kt_bit(col->nulls, row), made;
        if (!is_null && x[row] == UINT64_MAX)
            at = &g->minus_one;
        else if (!is_null)
            KT_TRY(kt_map64_put(&g->ints, x[row], &at, &made));
        if (*at == 0) {
            *at = ++g->groups;
            g->fresh[(*fresh)++] = (uint16_t)row;
            if (is_null)
                g->null_group = g->groups - 1;
        }
        g->number[row] = (uint32_t)(*at - 1);
    }
    return KT_OK;
}

static KtStatus number_keys(KtGrouping *g, const KtColumn *col, const uint16_t *arg,
                            const uint16_t *sel, uint32_t n, uint32_t *fresh)
{
    KtOp *op = g->op;
    uint32_t keys = op->plan->as.aggregate.keys;
    uint64_t work = 0;
    bool again; /* a batch is finished all the same */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = sel ? sel[i] : i;
        bool is_new;
        kt_key_table_begin(g->table);
        if (op->arg)
            kt_key_table_number(g->table, kt_mapped(arg, row));
        for (uint32_t k = 0; k < keys; k++) {
            KtValue v = kt_col_value(&col[k], row);
            work += kt_value_steps(v); /* lists and texts may be long */
            kt_key_table_put(g->table, v);
        }
        if (work >= WORK_UNLOOKED) {
            KT_TRY(kt_tick(op->x, WORK_UNLOOKED, &again));
            work = 0;
        }
        KT_TRY(kt_key_table_end(g->table, &g->number[row], &is_new));
        if (is_new) {
            g->fresh[(*fresh)++] = (uint16_t)row;
            g->groups++;
        }
    }
    return KT_OK;
}

/* Rows of `level` under the selected rows of `top`. */
static KtStatus rows_at(KtArena *arena, const KtLevel *top, const uint16_t *map,
                        const uint16_t **sel, uint32_t *n)
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
static KtStatus compute_keys(KtGrouping *g, KtLevel *top)
{
    KtOp *op = g->op;
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

static KtStatus number_rows(KtGrouping *g, KtArena *arena, KtLevel *top)
{
    KtOp *op = g->op;
    uint32_t keys = op->plan->as.aggregate.keys, n, fresh = 0;
    KtBatch batch = {top};
    KtLevel *level = kt_batch_level_of(&batch, g->key, keys);
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
        KT_TRY(kt_level_column(level, g->key[k], &col[k]));
    KT_TRY(rows_at(arena, top, map, &sel, &n));
    bool direct = keys == 1 && !op->arg && !col[0].constant;
    bool node = direct && col[0].kind == KT_COL_NODE, integer = direct && col[0].kind == KT_COL_INT;
    if (!g->began) {
        g->by_node = node;
        g->by_int = integer;
    }
    g->began = true;
    if ((g->by_node && !node) || (g->by_int && !integer))
        KT_TRY(leave_direct(g));
    if (g->by_node)
        KT_TRY(number_nodes(g, arena, col, sel, n, &fresh));
    else if (g->by_int)
        KT_TRY(number_ints(g, col, sel, n, &fresh));
    else
        KT_TRY(number_keys(g, col, arg, sel, n, &fresh));
    KT_TRY(kt_rows_put(g->rows, level, g->fresh, fresh, arg));
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i);
        g->group[row] = g->number[kt_mapped(map, row)];
    }
    return KT_OK;
}

/* Without keys a group is an argument row. */
static KtStatus number_arg_rows(KtGrouping *g, KtLevel *top)
{
    const uint16_t *arg;
    KT_TRY(kt_op_arg_rows(g->op, top, &arg));
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i);
        g->group[row] = g->arg_group[kt_mapped(arg, row)];
    }
    return KT_OK;
}

KtStatus kt_grouping_begin(KtGrouping *g)
{
    KtOp *op = g->op;
    g->groups = 1;
    if (!op->arg)
        return KT_OK;
    g->groups = op->arg->top->selected;
    if (!g->arg_group)
        g->arg_group = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof *g->arg_group);
    if (!g->arg_group)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < g->groups; i++)
        g->arg_group[kt_level_selected(op->arg->top, i)] = i;
    return KT_OK;
}

KtStatus kt_grouping_batch(KtGrouping *g, KtLevel *top)
{
    KtOp *op = g->op;
    if (op->plan->as.aggregate.keys > 0) {
        KT_TRY(compute_keys(g, top));
        return number_rows(g, op->arena, top);
    }
    return op->arg ? number_arg_rows(g, top) : KT_OK;
}
