/* query/plan/rule_sums.c - sums over a last hop that need no row for each end.
 *
 * sum(a.x + b.x + c.x) over (a)-->(b)-->(c) is, for each b, (a.x + b.x) times the length of its list plus the sum of
 * c.x over the list. An Aggregate over an Expand whose every aggregate is count(*), count(end) or such a sum is
 * marked: its operator adds lists as they lie where all values are integers, and row by row where they are not. What
 * must hold: + is taken apart only here, and only for integers that are far from overflow does the order of
 * additions not matter, which the operator sees to. */
#include "query/plan/plan_internal.h"

enum { RESTS_MOST = 8 };

static bool reads_slot(const KtExpr *expr, KtSlot slot)
{
    if (!expr || slot == KT_NO_SLOT)
        return false;
    if (expr->kind == KT_EXPR_SLOT && expr->as.slot == slot)
        return true;
    for (uint32_t i = 0; i < expr->args; i++) {
        if (reads_slot(expr->arg[i], slot))
            return true;
    }
    return false;
}

static bool is_slot(const KtExpr *expr, KtSlot slot)
{
    return expr->kind == KT_EXPR_SLOT && expr->as.slot == slot;
}

/* The addend is end.key or id(end). */
static bool end_part(const KtExpr *expr, KtSlot end, KtPlanListSum *out)
{
    if (expr->kind == KT_EXPR_PROP && is_slot(expr->arg[0], end)) {
        out->key = expr->as.name;
        return true;
    }
    out->id = kt_plan_expr_is_call(expr, "id") && is_slot(expr->arg[0], end);
    return out->id;
}

/* From the top of a sum down the side that reads the end; the other sides stay whole, so that what fails in one fails
 * as it would row by row. *out NULL: it cannot be taken apart. */
static KtStatus take_apart(Planner *p, const KtExpr *expr, KtSlot end, KtSlot rel,
                           const KtPlanListSum **out)
{
    KtPlanListSum sum = {0};
    const KtProgram **rest = kt_arena_alloc(p->arena, RESTS_MOST * sizeof *rest);
    *out = NULL;
    if (!rest)
        return KT_ERR_MEMORY;
    if (reads_slot(expr, rel))
        return KT_OK;
    while (!end_part(expr, end, &sum)) {
        if (!kt_plan_expr_is_call(expr, "+") || expr->args != 2 || sum.rests == RESTS_MOST)
            return KT_OK;
        bool left = reads_slot(expr->arg[0], end);
        if (left == reads_slot(expr->arg[1], end))
            return KT_OK;
        KT_TRY(kt_planner_program(p, expr->arg[left ? 1 : 0], &rest[sum.rests]));
        if (kt_program_per_row(rest[sum.rests++]))
            return KT_OK;
        expr = expr->arg[left ? 0 : 1];
    }
    KtPlanListSum *made = kt_arena_alloc(p->arena, sizeof *made);
    if (!made)
        return KT_ERR_MEMORY;
    *made = sum;
    made->rest = rest;
    *out = made;
    return KT_OK;
}

static KtStatus take_item(Planner *p, KtPlanAggregate *item, KtSlot end, KtSlot rel, bool *ok)
{
    const KtBoundAggregate *bound = item->bound;
    *ok = !bound->function;
    if (*ok || bound->distinct || bound->args != 1)
        return KT_OK;
    if (strcmp(bound->function->name, "count") == 0) { /* an end is never null */
        *ok = is_slot(bound->arg[0], end);
        return KT_OK;
    }
    if (strcmp(bound->function->name, "sum") != 0)
        return KT_OK;
    KT_TRY(take_apart(p, bound->arg[0], end, rel, &item->list_sum));
    *ok = item->list_sum != NULL;
    return KT_OK;
}

KtStatus kt_rule_sums(Planner *p, KtPlan *plan)
{
    const KtPlan *hop = plan->child[0];
    if (plan->kind != KT_PLAN_AGGREGATE || hop->kind != KT_PLAN_EXPAND)
        return KT_OK;
    KtSlot end = hop->as.expand.to, rel = hop->as.expand.rel.slot;
    for (uint32_t i = 0; i < plan->as.aggregate.keys; i++) {
        const KtProgram *key = plan->as.aggregate.key[i].program;
        const KtExpr *expr = key ? kt_program_expr(key) : NULL;
        if (!expr || kt_program_per_row(key) || reads_slot(expr, end) || reads_slot(expr, rel))
            return KT_OK;
    }
    uint32_t n = plan->as.aggregate.n;
    KtPlanAggregate *item = kt_arena_alloc(p->arena, (n + 1) * sizeof *item);
    if (!item)
        return KT_ERR_MEMORY;
    bool sums = false;
    for (uint32_t i = 0; i < n; i++) {
        bool ok;
        item[i] = plan->as.aggregate.item[i];
        KT_TRY(take_item(p, &item[i], end, rel, &ok));
        if (!ok)
            return KT_OK;
        sums = sums || item[i].list_sum;
    }
    if (!sums)
        return KT_OK;
    plan->as.aggregate.item = item;
    plan->as.aggregate.list_end = end;
    return KT_OK;
}
