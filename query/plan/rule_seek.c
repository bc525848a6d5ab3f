/* query/plan/rule_seek.c - SeekId with a label: one question to the store instead of two, and an operator less.
 *
 * A node that has the label exists. What must hold: the filter's other tests stay in their order. */
#include "query/plan/plan_internal.h"

static bool asks_label(const KtProgram *test, KtSlot node, KtNameRef *label)
{
    const KtExpr *expr = kt_program_expr(test);
    if (expr->kind != KT_EXPR_HAS_LABELS || expr->as.names.n != 1 ||
        expr->arg[0]->kind != KT_EXPR_SLOT || expr->arg[0]->as.slot != node)
        return false;
    *label = expr->as.names.name[0];
    return true;
}

static void take_label(KtPlan *filter, KtPlan *seek)
{
    uint32_t n = filter->as.filter.n;
    /* the tree is the planner's own until it is handed out */
    const KtProgram **test = (const KtProgram **)(uintptr_t)filter->as.filter.test;
    if (n == 0 || !asks_label(test[0], seek->as.seek_id.slot, &seek->as.seek_id.label))
        return;
    seek->as.seek_id.has_label = true;
    if (n == 1) {
        double rows = filter->rows;
        *filter = *seek;
        filter->rows = rows;
        return;
    }
    for (uint32_t i = 1; i < n; i++)
        test[i - 1] = test[i];
    filter->as.filter.n = n - 1;
}

void kt_rule_seek(KtPlan *root)
{
    for (; root; root = (KtPlan *)(uintptr_t)root->child[0]) {
        KtPlan *below = (KtPlan *)(uintptr_t)root->child[0];
        if (root->kind == KT_PLAN_FILTER && below->kind == KT_PLAN_SEEK_ID &&
            !below->as.seek_id.rel && !below->as.seek_id.has_label)
            take_label(root, below);
        if (root->child[1])
            kt_rule_seek((KtPlan *)(uintptr_t)root->child[1]);
    }
}
