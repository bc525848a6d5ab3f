/* query/exec/op_path.c - MakePath: a Path value from bound nodes and relationships; null if any piece is null. */
#include "query/exec/exec_internal.h"

typedef struct PathOp {
    KtOp base;
    KtBatch input;
} PathOp;

/* Pieces of one row's path. */
typedef struct Pieces {
    const KtColumn *node, *rel; /* by place in the pattern */
    uint32_t row;
} Pieces;

/* Number of relationships, UINT32_MAX: a piece is null. */
static uint32_t count_rels(const KtPlan *plan, const Pieces *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i <= plan->as.path.rels; i++) {
        if (kt_col_value(&p->node[i], p->row).kind != KT_NODE)
            return UINT32_MAX;
    }
    for (uint32_t i = 0; i < plan->as.path.rels; i++) {
        KtValue v = kt_col_value(&p->rel[i], p->row);
        if (v.kind == KT_LIST)
            n += v.len;
        else if (v.kind == KT_REL)
            n++;
        else
            return UINT32_MAX;
    }
    return n;
}

static KtStatus make_path(const KtPlan *plan, KtArena *arena, const Pieces *p, KtValue *out)
{
    uint32_t rels = count_rels(plan, p), n = 0;
    if (rels == UINT32_MAX) {
        *out = kt_null();
        return KT_OK;
    }
    KtPath *path = kt_arena_alloc(arena, sizeof *path);
    uint64_t *node = kt_arena_alloc(arena, ((size_t)rels + 1) * sizeof *node);
    KtRelRef *rel = kt_arena_alloc(arena, ((size_t)rels + 1) * sizeof *rel);
    if (!path || !node || !rel)
        return KT_ERR_MEMORY;
    node[0] = kt_value_node_id(kt_col_value(&p->node[0], p->row));
    for (uint32_t i = 0; i < plan->as.path.rels; i++) {
        KtValue v = kt_col_value(&p->rel[i], p->row);
        const KtValue *item = v.kind == KT_LIST ? v.as.list : &v;
        uint32_t items = v.kind == KT_LIST ? v.len : 1;
        for (uint32_t k = 0; k < items; k++) {
            KT_CHECK(item[k].kind == KT_REL);
            rel[n] = *item[k].as.rel;
            node[n + 1] = rel[n].start == node[n] ? rel[n].end : rel[n].start;
            n++;
        }
    }
    *path = (KtPath){.rels = n, .node = node, .rel = rel};
    *out = (KtValue){.kind = KT_PATH, .as.path = path};
    return KT_OK;
}

static KtStatus path_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    PathOp *self = (PathOp *)op;
    const KtPlan *plan = op->plan;
    uint32_t rels = plan->as.path.rels;
    KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
    if (*step != KT_STEP_ROWS)
        return KT_OK;
    KtLevel *top = self->input.top;
    KtArena *arena, *to = top->cols->scratch;
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    KtColumn *col = kt_arena_alloc(arena, (2 * (size_t)rels + 1) * sizeof *col), path;
    if (!col)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i <= rels; i++)
        KT_TRY(kt_level_column(top, plan->as.path.node[i], &col[i]));
    for (uint32_t i = 0; i < rels; i++)
        KT_TRY(kt_level_column(top, plan->as.path.rel[i], &col[rels + 1 + i]));
    KT_TRY(kt_col_make(to, KT_COL_VALUE, top->rows, false, &path));
    for (uint32_t i = 0; i < top->selected; i++) {
        Pieces p = {.node = col, .rel = col + rels + 1, .row = kt_level_selected(top, i)};
        KT_TRY(make_path(plan, to, &p, &((KtValue *)path.data)[p.row]));
    }
    kt_level_set(top, plan->as.path.slot, path);
    *out = self->input;
    return KT_OK;
}

const KtOpType kt_op_MAKE_PATH = {
    .name = "MakePath",
    .size = sizeof(PathOp),
    .next = path_next,
};
