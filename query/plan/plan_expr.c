/* query/plan/plan_expr.c - looking into bound expressions, and making small ones. */
#include "query/plan/plan_internal.h"

#include <strings.h>

void kt_plan_expr_slots(const KtExpr *expr, Slots into)
{
    if (!expr)
        return;
    if (expr->kind == KT_EXPR_SLOT)
        slots_add(into, expr->as.slot);
    for (uint32_t i = 0; i < expr->args; i++)
        kt_plan_expr_slots(expr->arg[i], into);
}

bool kt_plan_expr_covered(const Planner *p, const KtExpr *expr, Slots have)
{
    (void)p;
    if (!expr)
        return true;
    if (expr->kind == KT_EXPR_SLOT && !slots_has(have, expr->as.slot))
        return false;
    for (uint32_t i = 0; i < expr->args; i++) {
        if (!kt_plan_expr_covered(p, expr->arg[i], have))
            return false;
    }
    return true;
}

KtStatus kt_plan_conjuncts_add(Planner *p, Conjuncts *list, const KtExpr *expr)
{
    if (!expr)
        return KT_OK;
    if (expr->kind == KT_EXPR_AND) {
        for (uint32_t i = 0; i < expr->args; i++)
            KT_TRY(kt_plan_conjuncts_add(p, list, expr->arg[i]));
        return KT_OK;
    }
    KT_TRY(kt_arena_grow(p->arena, (void **)&list->at, list->n, &list->cap, sizeof *list->at));
    KT_TRY(kt_arena_grow(p->arena, (void **)&list->done, list->n, &list->done_cap,
                         sizeof *list->done));
    list->at[list->n] = expr;
    list->done[list->n] = false;
    list->n++;
    return KT_OK;
}

static KtStatus expr_new(Planner *p, KtExprKind kind, uint32_t args, KtExpr **out)
{
    KtExpr *expr = kt_arena_zero(p->arena, 1, sizeof *expr);
    const KtExpr **arg = kt_arena_zero(p->arena, args ? args : 1, sizeof *arg);
    if (!expr || !arg)
        return KT_ERR_MEMORY;
    expr->kind = kind;
    expr->type = KT_TYPE_ANY;
    expr->args = args;
    expr->arg = arg;
    *out = expr;
    return KT_OK;
}

KtStatus kt_plan_expr_slot(Planner *p, KtSlot slot, const KtExpr **out)
{
    KtExpr *expr;
    KT_TRY(expr_new(p, KT_EXPR_SLOT, 0, &expr));
    expr->as.slot = slot;
    if (slot < p->bound->slots)
        expr->type = p->bound->slot[slot].type;
    *out = expr;
    return KT_OK;
}

KtStatus kt_plan_expr_call(Planner *p, const char *function, const KtExpr *const *arg, uint32_t n,
                           const KtExpr **out)
{
    KtExpr *expr;
    KT_TRY(expr_new(p, KT_EXPR_CALL, n, &expr));
    expr->as.call.function = kt_function_find((KtText){function, (uint32_t)strlen(function)});
    KT_CHECK(expr->as.call.function);
    for (uint32_t i = 0; i < n; i++)
        expr->arg[i] = arg[i];
    *out = expr;
    return KT_OK;
}

KtStatus kt_plan_expr_prop(Planner *p, KtSlot subject, KtNameRef key, const KtExpr **out)
{
    KtExpr *expr;
    KT_TRY(expr_new(p, KT_EXPR_PROP, 1, &expr));
    KT_TRY(kt_plan_expr_slot(p, subject, &expr->arg[0]));
    expr->as.name = key;
    *out = expr;
    return KT_OK;
}

KtStatus kt_plan_expr_labels(Planner *p, KtSlot node, const KtNameRef *label, uint32_t n,
                             const KtExpr **out)
{
    KtExpr *expr;
    KT_TRY(expr_new(p, KT_EXPR_HAS_LABELS, 1, &expr));
    KT_TRY(kt_plan_expr_slot(p, node, &expr->arg[0]));
    expr->type = (KtType){KT_KIND_BIT(KT_BOOL), 0};
    expr->as.names.name = label;
    expr->as.names.n = n;
    *out = expr;
    return KT_OK;
}

bool kt_plan_expr_is_call(const KtExpr *expr, const char *function)
{
    if (!expr || expr->kind != KT_EXPR_CALL)
        return false;
    /* Asked of every conjunct for every node: the first letter, whatever its case, answers most. */
    const char *name = expr->as.call.function->name;
    return ((name[0] ^ function[0]) & ~0x20) == 0 && strcasecmp(name, function) == 0;
}
