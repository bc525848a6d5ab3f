/* query/exec/op_delete.c - DELETE and DETACH DELETE: nodes, relationships, paths; null deletes nothing.
 *
 * A batch's relationships go before its nodes. A node that still has relationships at the end of the statement is an
 * error there (kt_statement_end), so the order of rows does not matter. */
#include "query/exec/write.h"

typedef struct DeleteOp {
    KtOp base;
    KtBatch input;
} DeleteOp;

typedef struct Ids {
    uint64_t *at;
    uint32_t n, cap;
} Ids;

static KtStatus add(KtOp *op, Ids *ids, uint64_t id)
{
    void *at = ids->at;
    KT_TRY(kt_arena_grow(op->arena, &at, ids->n, &ids->cap, sizeof *ids->at));
    ids->at = at;
    ids->at[ids->n++] = id;
    return KT_OK;
}

static KtStatus add_value(KtOp *op, const KtPos *at, KtValue v, Ids *nodes, Ids *rels)
{
    if (kt_is_null(v))
        return KT_OK;
    if (v.kind == KT_NODE)
        return add(op, nodes, kt_value_node_id(v));
    if (v.kind == KT_REL)
        return add(op, rels, kt_value_rel_id(v));
    if (v.kind != KT_PATH)
        return kt_write_kind(op, at, "Only Nodes, Relationships and Paths can be deleted", v);
    for (uint32_t i = 0; i <= v.as.path->rels; i++)
        KT_TRY(add(op, nodes, v.as.path->node[i]));
    for (uint32_t i = 0; i < v.as.path->rels; i++)
        KT_TRY(add(op, rels, v.as.path->rel[i].id));
    return KT_OK;
}

static KtStatus delete_all(KtOp *op, const Ids *nodes, const Ids *rels)
{
    KtView *view = op->x->view;
    bool again;
    for (uint32_t from = 0; from < rels->n; from += KT_BATCH_ROWS) {
        uint32_t n = rels->n - from < KT_BATCH_ROWS ? rels->n - from : KT_BATCH_ROWS;
        KT_TRY(kt_del_rels(view, (KtIds){.id = rels->at + from, .width = 8, .n = n}));
        KT_TRY(kt_tick(op->x, n, &again));
    }
    for (uint32_t from = 0; from < nodes->n; from += KT_BATCH_ROWS) {
        uint32_t n = nodes->n - from < KT_BATCH_ROWS ? nodes->n - from : KT_BATCH_ROWS;
        KT_TRY(kt_del_nodes(view, (KtIds){.id = nodes->at + from, .width = 8, .n = n},
                            op->plan->as.del.detach));
        KT_TRY(kt_tick(op->x, n, &again));
    }
    return KT_OK;
}

static KtStatus delete_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    DeleteOp *self = (DeleteOp *)op;
    const KtPlan *plan = op->plan;
    KtArena *arena;
    Ids nodes = {0}, rels = {0};
    KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
    if (*step != KT_STEP_ROWS)
        return KT_OK;
    KtLevel *top = self->input.top;
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    kt_op_sees(op);
    for (uint32_t t = 0; t < plan->as.del.n; t++) {
        KtColumn col;
        const KtExpr *expr = kt_program_expr(plan->as.del.target[t]);
        KT_TRY(kt_op_eval(op, top, plan->as.del.target[t], NULL, &col));
        for (uint32_t i = 0; i < top->selected; i++)
            KT_TRY(add_value(op, expr ? &expr->at : NULL,
                             kt_col_value(&col, kt_level_selected(top, i)), &nodes, &rels));
    }
    KT_TRY(delete_all(op, &nodes, &rels));
    *out = self->input;
    return KT_OK;
}

const KtOpType kt_op_DELETE = {
    .name = "Delete",
    .size = sizeof(DeleteOp),
    .traits = KT_OP_WRITES,
    .next = delete_next,
};
