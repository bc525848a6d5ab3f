/* query/plan/rule_sums.c - sums over a last hop that need no row for each end.
 *
 * sum(a.x + b.x + c.x) over (a)-->(b)-->(c) is, for each b, (a.x + b.x) times the length of its list plus the sum of
 * c.x over the list. An Aggregate over an Expand whose every aggregate is count(*), count(end) or such a sum is
 * marked: its operator adds lists as they lie where all values are integers, and row by row where they are not. What
 * must hold: + is taken apart only here, and only for integers does the order of additions not matter, which the
 * operator sees to. */
#include "query/plan/plan_internal.h"

enum { ADDENDS_MOST = 8 };

typedef struct Addends {
    const KtExpr *at[ADDENDS_MOST];
    uint32_t n;
} Addends;

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

static bool split(const KtExpr *expr, Addends *into)
{
    if (kt_plan_expr_is_call(expr, "+") && expr->args == 2)
        return split(expr->arg[0], into) && split(expr->arg[1], into);
    if (into->n == ADDENDS_MOST)
        return false;
    into->at[into->n++] = expr;
    return true;
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

/* *out NULL: it cannot be taken apart. */
static KtStatus take_apart(Planner *p, const KtExpr *expr, KtSlot end, KtSlot rel,
                           const KtPlanListSum **out)
{
    Addends addends = {.n = 0};
    KtPlanListSum sum = {0};
    const KtExpr *rest = NULL;
    uint32_t ends = 0;
    *out = NULL;
    if (!split(expr, &addends))
        return KT_OK;
    for (uint32_t i = 0; i < addends.n; i++) {
        const KtExpr *one = addends.at[i];
        if (reads_slot(one, rel))
            return KT_OK;
        if (reads_slot(one, end)) {
            ends++;
            if (!end_part(one, end, &sum))
                return KT_OK;
        } else if (!rest) {
            rest = one;
        } else {
            KT_TRY(kt_plan_expr_call(p, "+", (const KtExpr *const[]){rest, one}, 2, &rest));
        }
    }
    if (ends != 1)
        return KT_OK;
    if (rest) {
        KT_TRY(kt_planner_program(p, rest, &sum.rest));
        if (kt_program_per_row(sum.rest))
            return KT_OK;
    }
    KtPlanListSum *made = kt_arena_alloc(p->arena, sizeof *made);
    if (!made)
        return KT_ERR_MEMORY;
    *made = sum;
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
