/* query/exec/op_distinct.c - keeps the first row of each key: streams, the input's level with another selection.
 *
 * One column of nodes goes through a bitmap; everything else through a table of encoded keys (base/key.h), where
 * equality of bytes is Cypher's equivalence. Under an argument the argument row leads the key. Weights end here. */
#include "query/exec/exec_internal.h"
#include "query/exec/key_table.h"
#include "query/exec/node_set.h"

typedef struct DistinctOp {
    KtOp base;
    KtBatch input;
    KtNodeSet nodes;
    bool null_seen, by_node; /* by_node: all keys so far were one column of nodes */
    bool began;
    KtKeyTable *table;
    KtLevel level;
    uint16_t *sel;
} DistinctOp;

static KtStatus distinct_open(KtOp *op)
{
    DistinctOp *self = (DistinctOp *)op;
    self->nodes.budget = op->x->budget;
    KT_TRY(kt_op_sel(op, &self->sel));
    return kt_key_table_open(op->x->budget, &self->table);
}

/* A column of nodes came first and something else now: the nodes seen go into the table. */
static KtStatus leave_nodes(DistinctOp *self)
{
    self->by_node = false;
    for (uint32_t i = 0; i < self->nodes.n_used; i++) {
        uint32_t p = self->nodes.used[i];
        for (uint32_t w = 0; w < KT_SET_PAGE_WORDS; w++) {
            for (uint64_t bits = self->nodes.page[p][w]; bits; bits &= bits - 1) {
                KtValue node = kt_node(((uint64_t)p << KT_SET_PAGE_SHIFT) + w * 64u +
                                       (uint32_t)__builtin_ctzll(bits));
                KT_TRY(kt_key_table_add(self->table, node));
            }
        }
    }
    if (self->null_seen)
        KT_TRY(kt_key_table_add(self->table, kt_null()));
    kt_node_set_clear(&self->nodes);
    return KT_OK;
}

static KtStatus keep_new_nodes(DistinctOp *self, const KtColumn *col, uint32_t *kept)
{
    const KtLevel *top = self->input.top;
    const uint32_t *id = col->data;
    uint32_t n = 0;
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i), node = id[row];
        bool fresh = !self->null_seen;
        if (node == KT_NO_NODE)
            self->null_seen = true;
        else
            KT_TRY(kt_node_set_add(&self->nodes, node, &fresh));
        self->sel[n] = (uint16_t)row;
        n += fresh;
    }
    *kept = n;
    return KT_OK;
}

enum { WORK_UNLOOKED = 64 * 1024 };

static KtStatus keep_new_keys(DistinctOp *self, const KtColumn *col, uint32_t cols, uint32_t *kept)
{
    KtOp *op = &self->base;
    const KtLevel *top = self->input.top;
    const uint16_t *arg = NULL;
    if (op->arg)
        KT_TRY(kt_op_arg_rows(op, self->input.top, &arg));
    uint32_t n = 0;
    uint64_t work = 0;
    bool again; /* a batch is finished all the same */
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i), group;
        bool fresh;
        for (uint32_t c = 0; c < cols; c++)
            work += kt_value_steps(kt_col_value(&col[c], row)); /* lists and texts may be long */
        if (work >= WORK_UNLOOKED) {
            KT_TRY(kt_tick(op->x, WORK_UNLOOKED, &again));
            work = 0;
        }
        kt_key_table_begin(self->table);
        if (op->arg)
            kt_key_table_number(self->table, kt_mapped(arg, row));
        for (uint32_t c = 0; c < cols; c++)
            kt_key_table_put(self->table, kt_col_value(&col[c], row));
        KT_TRY(kt_key_table_end(self->table, &group, &fresh));
        self->sel[n] = (uint16_t)row;
        n += fresh;
    }
    *kept = n;
    return KT_OK;
}

static KtStatus keep_new(DistinctOp *self, uint32_t *kept)
{
    KtOp *op = &self->base;
    uint32_t keys = op->plan->as.distinct.n;
    KtArena *arena;
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    KtColumn *col = kt_arena_alloc(arena, ((size_t)keys + 1) * sizeof *col);
    if (!col)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < keys; i++)
        KT_TRY(kt_level_column(self->input.top, op->plan->as.distinct.key[i], &col[i]));
    bool node = keys == 1 && !op->arg && col[0].kind == KT_COL_NODE && !col[0].constant;
    if (!self->began)
        self->by_node = node;
    self->began = true;
    if (self->by_node && !node)
        KT_TRY(leave_nodes(self));
    return self->by_node ? keep_new_nodes(self, &col[0], kept)
                         : keep_new_keys(self, col, keys, kept);
}

static KtStatus distinct_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    DistinctOp *self = (DistinctOp *)op;
    for (;;) {
        KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
        if (*step != KT_STEP_ROWS)
            return KT_OK;
        uint32_t n = 0;
        KT_TRY(keep_new(self, &n));
        if (n > 0) {
            kt_level_select(&self->level, self->input.top, self->sel, n);
            self->level.weight = NULL;
            out->top = &self->level;
            return KT_OK;
        }
    }
}

static KtStatus distinct_rewind(KtOp *op)
{
    DistinctOp *self = (DistinctOp *)op;
    kt_node_set_clear(&self->nodes);
    kt_key_table_clear(self->table);
    self->null_seen = self->began = self->by_node = false;
    return KT_OK;
}

static void distinct_close(KtOp *op)
{
    DistinctOp *self = (DistinctOp *)op;
    kt_node_set_close(&self->nodes);
    kt_key_table_close(self->table);
}

const KtOpType kt_op_DISTINCT = {
    .name = "Distinct",
    .size = sizeof(DistinctOp),
    .open = distinct_open,
    .next = distinct_next,
    .rewind = distinct_rewind,
    .close = distinct_close,
};
