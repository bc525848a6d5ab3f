/* query/exec/op_project.c - computes expressions, once per row, when their clause runs: more columns, same rows.
 *
 * An expression is computed at the deepest level that it reads (op_eval.c). */
#include "query/exec/exec_internal.h"

typedef struct ProjectOp {
    KtOp base;
    KtBatch input;
    KtLevel level;
} ProjectOp;

static KtStatus project_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    ProjectOp *self = (ProjectOp *)op;
    KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
    if (*step != KT_STEP_ROWS)
        return KT_OK;
    KtRowFail fail = {UINT32_MAX, KT_OK};
    KtArena *arena;
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    kt_op_sees(op);
    for (uint32_t i = 0; i < op->plan->as.project.n; i++) {
        const KtPlanProject *item = &op->plan->as.project.item[i];
        KT_TRY(kt_op_project(op, self->input.top, item->program, item->slot, &fail));
    }
    self->level = *self->input.top;
    KT_TRY(kt_op_cut(op, &fail, self->level.sel, &self->level.selected));
    if (!self->level.sel && self->level.selected < self->level.rows) {
        uint16_t *sel = kt_arena_alloc(arena, self->level.selected * sizeof *sel);
        if (!sel)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < self->level.selected; i++)
            sel[i] = (uint16_t)i;
        self->level.sel = sel;
    }
    out->top = &self->level;
    return KT_OK;
}

const KtOpType kt_op_PROJECT = {
    .name = "Project",
    .size = sizeof(ProjectOp),
    .next = project_next,
};
