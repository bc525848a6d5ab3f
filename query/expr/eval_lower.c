/* query/expr/eval_lower.c - parts of a program that read only slots of a lower level are computed there and lifted.
 *
 * In sum(a.x + b.x + c.x) over (a)-->(b)-->(c), a.x is read once for each a, a.x + b.x added once for each b, and only
 * c.x and one addition are done for each path. What must hold: only rows under the selection are computed, so that a
 * row of the lower level that no row of the query has raises no error; the first failing row there fails the first row
 * over it, which is the first failing row here, since runs ascend. */
#include "query/expr/program.h"

#include "query/expr/function.h"

enum { SLOTS_MOST = 4 };

/* The slots that a part reads; false: too many, or it holds something that is not moved. */
static bool reads(const KtProgram *program, const KtEvalStep *step, KtSlot *slot, uint32_t *n)
{
    switch (step->kind) {
    case KT_EVAL_CONST:
    case KT_EVAL_PARAM: return true;
    case KT_EVAL_SLOT: {
        KtSlot s = program->slot[step->as.index];
        for (uint32_t i = 0; i < *n; i++) {
            if (slot[i] == s)
                return true;
        }
        if (*n == SLOTS_MOST)
            return false;
        slot[(*n)++] = s;
        return true;
    }
    case KT_EVAL_CALL:
        if (!(step->as.call.function->traits & KT_FN_PURE) ||
            (step->as.call.function->traits & KT_FN_PER_ROW))
            return false;
        break;
    case KT_EVAL_PROP: break;
    case KT_EVAL_LOCAL:
    case KT_EVAL_HAS_LABELS:
    case KT_EVAL_AND:
    case KT_EVAL_OR:
    case KT_EVAL_CASE:
    case KT_EVAL_COALESCE:
    case KT_EVAL_LIST:
    case KT_EVAL_MAP:
    case KT_EVAL_MAP_PROJECTION:
    case KT_EVAL_COMPREHENSION:
    case KT_EVAL_QUANTIFIER:
    case KT_EVAL_REDUCE: return false;
    }
    for (uint32_t i = 0; i < step->args; i++) {
        if (step->arg[i] && !reads(program, step->arg[i], slot, n))
            return false;
    }
    return true;
}

KtStatus kt_step_lower(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                       KtColumn *out, bool *done)
{
    const KtProgram *p = run->program;
    KtFrame *frame = scope->frame, *lower = NULL;
    KtSlot slot[SLOTS_MOST];
    uint32_t n = 0;
    *done = false;
    /* A program of one slot runs where that is known already. */
    if (!frame->lower || p->slots < 2 || !reads(p, step, slot, &n) || n == 0)
        return KT_OK;
    KT_TRY(frame->lower(frame, slot, n, sel.at, sel.n, &lower));
    if (!lower)
        return KT_OK;
    KtScope below = {.rows = lower->rows, .fail_row = UINT32_MAX, .frame = lower};
    KtColumn col;
    below.slot = kt_arena_zero(run->arena, (size_t)p->slots + p->locals + 1, sizeof *below.slot);
    if (!below.slot)
        return KT_ERR_MEMORY;
    below.local = below.slot + p->slots;
    KT_TRY(kt_step_run(run, step, &below, (KtSel){lower->sel, lower->selected}, &col));
    if (below.fail_row != UINT32_MAX) {
        uint32_t row;
        KT_TRY(frame->over(frame, lower, below.fail_row, sel.at, sel.n, &row));
        kt_scope_fail(scope, run->x, NULL, row, below.fail);
    }
    *done = true;
    if (!col.constant)
        return frame->lift(frame, lower, &col, out);
    *out = col;
    return KT_OK;
}
