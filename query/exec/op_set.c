/* query/exec/op_set.c - SET and REMOVE: row by row, each row seeing what the rows before it set.
 *
 * Whole columns are set at once where that cannot be told from row by row: every item is of one variable, and no value
 * reads the graph. */
#include "query/exec/write.h"

typedef struct SetOp {
    KtOp base;
    KtBatch input;
    bool by_column;
} SetOp;

static bool reads_graph(const KtExpr *e)
{
    if (!e)
        return false;
    switch (e->kind) {
    case KT_EXPR_PROP:
    case KT_EXPR_HAS_LABELS:
    case KT_EXPR_MAP_PROJECTION: return true;
    case KT_EXPR_CALL:
        /* A function that may look into an entity it is handed, such as "[]" or properties(). */
        if (e->as.call.function->traits & KT_FN_READS_GRAPH)
            return true;
        break;
    case KT_EXPR_CONST:
    case KT_EXPR_PARAM:
    case KT_EXPR_SLOT:
    case KT_EXPR_LOCAL:
    case KT_EXPR_AND:
    case KT_EXPR_OR:
    case KT_EXPR_CASE:
    case KT_EXPR_LIST:
    case KT_EXPR_MAP:
    case KT_EXPR_COMPREHENSION:
    case KT_EXPR_QUANTIFIER:
    case KT_EXPR_REDUCE: break;
    }
    for (uint32_t i = 0; i < e->args; i++) {
        if (reads_graph(e->arg[i]))
            return true;
    }
    return false;
}

static bool column_wise(const KtPlan *plan)
{
    KtSlot slot = KT_NO_SLOT;
    for (uint32_t i = 0; i < plan->as.set.n; i++) {
        const KtBoundSet *bound = plan->as.set.item[i].bound;
        if (bound->kind == KT_SET_REPLACE || bound->kind == KT_SET_MERGE ||
            bound->target->kind != KT_EXPR_SLOT)
            return false;
        if (slot != KT_NO_SLOT && slot != bound->target->as.slot)
            return false;
        slot = bound->target->as.slot;
        if (bound->value && reads_graph(bound->value))
            return false;
    }
    return slot != KT_NO_SLOT;
}

static KtStatus set_open(KtOp *op)
{
    ((SetOp *)op)->by_column = column_wise(op->plan);
    return KT_OK;
}

/* The ids of the rows whose target is not null. */
static KtStatus targets(KtOp *op, KtLevel *top, const KtPlanSet *item, KtKind *kind, KtIds *out)
{
    KtColumn col;
    uint64_t *id = kt_arena_alloc(op->arena, ((size_t)top->rows + 1) * sizeof *id);
    uint16_t *sel = kt_arena_alloc(op->arena, ((size_t)top->rows + 1) * sizeof *sel);
    if (!id || !sel)
        return KT_ERR_MEMORY;
    KT_TRY(kt_level_column(top, item->bound->target->as.slot, &col));
    uint32_t n = 0;
    *kind = KT_NULL;
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i);
        KtValue v = kt_col_value(&col, row);
        if (kt_is_null(v))
            continue;
        bool fits = v.kind == KT_NODE || v.kind == KT_REL;
        if (!fits || (*kind != KT_NULL && *kind != (KtKind)v.kind))
            return kt_write_kind(op, &item->bound->at,
                                 "Only a Node or a Relationship has properties to set", v);
        *kind = (KtKind)v.kind;
        id[row] = v.kind == KT_NODE ? kt_value_node_id(v) : kt_value_rel_id(v);
        sel[n++] = (uint16_t)row;
    }
    *out = (KtIds){.id = id, .width = 8, .sel = sel, .n = n};
    return KT_OK;
}

static KtStatus null_column(KtOp *op, uint32_t rows, KtColumn *out)
{
    out->kind = KT_COL_VALUE;
    out->data = kt_arena_zero(op->arena, (size_t)rows + 1, sizeof(KtValue)); /* KT_NULL is 0 */
    return out->data ? KT_OK : KT_ERR_MEMORY;
}

/* A constant is spread: storage takes values by row. */
static KtStatus spread(KtOp *op, uint32_t rows, KtColumn *col)
{
    if (!col->constant)
        return KT_OK;
    KtValue v = kt_col_value(col, 0);
    KT_TRY(kt_col_make(op->arena, KT_COL_VALUE, rows, false, col));
    for (uint32_t i = 0; i < rows; i++)
        ((KtValue *)col->data)[i] = v;
    return KT_OK;
}

static KtStatus set_column(KtOp *op, KtLevel *top, const KtPlanSet *item)
{
    const KtBoundSet *bound = item->bound;
    KtColumn value = {0};
    KtIds ids;
    KtKind kind;
    KtToken token = 0;
    bool remove = bound->kind == KT_REMOVE_PROP;
    KT_TRY(targets(op, top, item, &kind, &ids));
    if (ids.n == 0)
        return KT_OK;
    if (bound->kind == KT_SET_LABELS || bound->kind == KT_REMOVE_LABELS) {
        if (kind != KT_NODE)
            return kt_write_kind(op, &bound->at, "Only a Node has labels",
                                 (KtValue){.kind = KT_REL});
        bool present = bound->kind == KT_SET_LABELS;
        for (uint32_t i = 0; i < bound->labels; i++) {
            if (present)
                KT_TRY(kt_write_token(op, bound->label[i], &token));
            else
                KT_TRY(kt_eval_token(&op->x->eval, bound->label[i], &token));
            if (token)
                KT_TRY(kt_set_labels(op->x->view, ids, token, present));
        }
        return KT_OK;
    }
    if (remove)
        KT_TRY(kt_eval_token(&op->x->eval, bound->key, &token));
    else
        KT_TRY(kt_write_token(op, bound->key, &token));
    if (token == 0)
        return KT_OK;
    if (remove) {
        KT_TRY(null_column(op, top->rows, &value));
    } else {
        kt_see(op->x->view, KT_SEE_ALL);
        KT_TRY(kt_op_eval(op, top, item->value, NULL, &value));
        KT_TRY(spread(op, top->rows, &value));
    }
    return kt_set_props(op->x->view, kind, ids, token, &value);
}

static KtStatus set_rows(SetOp *self)
{
    KtOp *op = &self->base;
    KtLevel *top = self->input.top;
    const KtPlanSet *item = op->plan->as.set.item;
    uint32_t n = op->plan->as.set.n;
    if (self->by_column) {
        for (uint32_t i = 0; i < n; i++)
            KT_TRY(set_column(op, top, &item[i]));
        return KT_OK;
    }
    for (uint32_t i = 0; i < top->selected; i++) {
        bool again;
        KtArenaMark mark = kt_arena_mark(op->arena);
        KT_TRY(kt_write_set(op, top, kt_level_selected(top, i), item, n));
        kt_arena_rewind(op->arena, mark);
        KT_TRY(kt_tick(op->x, n, &again));
    }
    return KT_OK;
}

static KtStatus set_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    SetOp *self = (SetOp *)op;
    KtArena *arena;
    KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
    if (*step != KT_STEP_ROWS)
        return KT_OK;
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    kt_op_sees(op); /* the clause begins */
    KT_TRY(set_rows(self));
    *out = self->input;
    return KT_OK;
}

const KtOpType kt_op_SET = {
    .name = "Set",
    .size = sizeof(SetOp),
    .traits = KT_OP_WRITES,
    .open = set_open,
    .next = set_next,
};
