/* query/plan/rule_fold.c - hops whose ends nobody looks at one by one.
 *
 * count(*) over a last hop is a sum of degrees: Expand becomes ExpandDegree, which multiplies weights. Counting by the
 * end of a last hop needs a counter for each end: Aggregate and Expand become ExpandCount. Counting different ends by
 * what is known before the hop needs a set for each group: they become ExpandCountDistinct. Distinct over a hop is
 * ExpandDistinct. Where only distinct ends matter, a variable-length hop need not walk every trail: `*0..k` and
 * `*1..k` become a search with one visited set.
 * Cypher matches trails: ExpandDegree subtracts what repeats a relationship, and the visited-set form is taken only
 * for a hop that differs from no other. */
#include "query/plan/plan_internal.h"

static KtPlan *child_of(const KtPlan *plan, int i)
{
    /* the tree is the planner's own until it is handed out */
    return (KtPlan *)(uintptr_t)plan->child[i];
}

static void program_slots(const KtProgram *program, Slots into)
{
    if (!program)
        return;
    const KtSlot *slot;
    uint32_t n = kt_program_slots(program, &slot);
    for (uint32_t i = 0; i < n; i++)
        slots_add(into, slot[i]);
}

/* The slots that an aggregation reads. */
static void aggregate_reads(const KtPlan *plan, Slots into)
{
    for (uint32_t i = 0; i < plan->as.aggregate.keys; i++)
        program_slots(plan->as.aggregate.key[i].program, into);
    for (uint32_t i = 0; i < plan->as.aggregate.n; i++) {
        program_slots(plan->as.aggregate.item[i].arg[0], into);
        program_slots(plan->as.aggregate.item[i].arg[1], into);
    }
}

/* All of its aggregates are count(*): rows matter only by number. */
static bool counts_rows(const KtPlan *plan)
{
    for (uint32_t i = 0; i < plan->as.aggregate.n; i++) {
        if (plan->as.aggregate.item[i].bound->function)
            return false;
    }
    return plan->as.aggregate.n > 0;
}

static bool all_distinct(const KtPlan *plan)
{
    for (uint32_t i = 0; i < plan->as.aggregate.n; i++) {
        if (!plan->as.aggregate.item[i].bound->distinct)
            return false;
    }
    return true;
}

/* From `plan` down through Filters and Projects to a variable-length hop, collecting what they read. */
static KtPlan *var_below(const KtPlan *plan, Slots reads)
{
    KtPlan *below = child_of(plan, 0);
    while (below && (below->kind == KT_PLAN_FILTER || below->kind == KT_PLAN_PROJECT)) {
        if (below->kind == KT_PLAN_FILTER) {
            for (uint32_t i = 0; i < below->as.filter.n; i++) {
                if (kt_program_per_row(below->as.filter.test[i]))
                    return NULL;
                program_slots(below->as.filter.test[i], reads);
            }
        } else {
            for (uint32_t i = 0; i < below->as.project.n; i++) {
                if (kt_program_per_row(below->as.project.item[i].program))
                    return NULL;
                program_slots(below->as.project.item[i].program, reads);
            }
        }
        below = child_of(below, 0);
    }
    return below && below->kind == KT_PLAN_VAR_EXPAND ? below : NULL;
}

static void fold_var(KtPlan *var, Slots reads)
{
    bool list_read = var->as.var.rel.slot != KT_NO_SLOT && slots_has(reads, var->as.var.rel.slot);
    if (list_read || var->as.var.min > 1 || var->as.var.rel.n_differs > 0 ||
        var->as.var.path != KT_NO_SLOT || var->as.var.into)
        return;
    var->as.var.ends_only = true;
    var->as.var.rel.slot = KT_NO_SLOT;
}

/* The program is the plain variable. */
static bool reads_only(const KtProgram *program, KtSlot slot)
{
    const KtExpr *expr = program ? kt_program_expr(program) : NULL;
    return expr && expr->kind == KT_EXPR_SLOT && expr->as.slot == slot;
}

/* A hop whose relationship the aggregation does not look at. */
static bool plain_hop(const KtPlan *hop, Slots reads)
{
    return hop->kind == KT_PLAN_EXPAND &&
           (hop->as.expand.rel.slot == KT_NO_SLOT || !slots_has(reads, hop->as.expand.rel.slot));
}

/* The aggregation is count(*) or count(end) by the end of the hop. An end is never null. */
static bool counts_ends(const KtPlan *plan, const KtPlan *hop)
{
    KtSlot end = hop->as.expand.to;
    if (plan->as.aggregate.keys != 1 || plan->as.aggregate.n != 1 ||
        !reads_only(plan->as.aggregate.key[0].program, end))
        return false;
    const KtPlanAggregate *item = &plan->as.aggregate.item[0];
    const KtFunction *function = item->bound->function;
    return !function || (!item->bound->distinct && strcmp(function->name, "count") == 0 &&
                         reads_only(item->arg[0], end));
}

/* `plan` and the hop below it become one operator, which gives `to` and, where asked for, its count. */
static void become_fold(KtPlan *plan, const KtPlan *hop, KtPlanKind kind, KtSlot to, KtSlot count)
{
    plan->kind = kind;
    plan->child[0] = hop->child[0];
    plan->clause = hop->clause; /* its reads are the hop's */
    memset(&plan->as, 0, sizeof plan->as);
    plan->as.fold.from = hop->as.expand.from;
    plan->as.fold.to = to;
    plan->as.fold.count = count;
    plan->as.fold.rel = hop->as.expand.rel;
    plan->as.fold.rel.slot = KT_NO_SLOT;
}

static void fold_count(KtPlan *plan, const KtPlan *hop)
{
    become_fold(plan, hop, KT_PLAN_EXPAND_COUNT, plan->as.aggregate.key[0].slot,
                plan->as.aggregate.item[0].slot);
}

/* The aggregation is count(DISTINCT end), by what can be computed before the hop: once for each row below, also where
 * it has no ends, and only once where it has many. */
static bool counts_distinct_ends(const KtPlan *plan, const KtPlan *hop)
{
    KtSlot end = hop->as.expand.to;
    for (uint32_t i = 0; i < plan->as.aggregate.keys; i++) {
        const KtProgram *key = plan->as.aggregate.key[i].program;
        const KtSlot *slot;
        uint32_t n = key ? kt_program_slots(key, &slot) : 0;
        if (!key || kt_program_may_fail(key) || kt_program_per_row(key))
            return false;
        for (uint32_t k = 0; k < n; k++) {
            if (slot[k] == end)
                return false;
        }
    }
    if (plan->as.aggregate.n != 1)
        return false;
    const KtPlanAggregate *item = &plan->as.aggregate.item[0];
    return item->bound->function && item->bound->distinct &&
           strcmp(item->bound->function->name, "count") == 0 && reads_only(item->arg[0], end);
}

static void fold_count_distinct(KtPlan *plan, const KtPlan *hop)
{
    plan->kind = KT_PLAN_EXPAND_COUNT_DISTINCT;
    plan->child[0] = hop->child[0];
    plan->clause = hop->clause; /* its reads are the hop's */
    plan->as.aggregate.from = hop->as.expand.from;
    plan->as.aggregate.to = hop->as.expand.to;
    plan->as.aggregate.rel = hop->as.expand.rel;
    plan->as.aggregate.rel.slot = KT_NO_SLOT;
}

/* The hop below a Filter that looks at nothing but its ends, cannot fail and gives the same for every row of an end:
 * what tells ends apart below it may as well stand above. NULL: there is none. */
static KtPlan *hop_below_filter(const KtPlan *plan)
{
    const KtPlan *filter = plan->child[0];
    if (filter->kind != KT_PLAN_FILTER || filter->child[0]->kind != KT_PLAN_EXPAND)
        return NULL;
    KtPlan *hop = child_of(filter, 0);
    for (uint32_t i = 0; i < filter->as.filter.n; i++) {
        const KtProgram *test = filter->as.filter.test[i];
        const KtSlot *slot;
        uint32_t n = kt_program_slots(test, &slot);
        if (n != 1 || slot[0] != hop->as.expand.to || kt_program_per_row(test))
            return NULL;
        const KtExpr *expr = kt_program_expr(test);
        bool labels = expr->kind == KT_EXPR_HAS_LABELS &&
                      expr->arg[0]->kind == KT_EXPR_SLOT; /* of a node just found: cannot fail */
        if (!labels && kt_program_may_fail(test))
            return NULL;
    }
    return hop;
}

/* Filter changes places with what stands over it, which is returned. */
static KtPlan *swap_with_filter(KtPlan *plan)
{
    KtPlan *below = child_of(plan, 0), *hop = child_of(below, 0);
    KtPlan keep = *plan;
    *plan = *below;
    *below = keep;
    plan->child[0] = below;
    below->child[0] = hop;
    return below;
}

/* DISTINCT of the ends of a hop alone, under their own name or another. */
static bool fold_distinct(KtPlan *plan)
{
    const KtPlan *hop = child_of(plan, 0);
    if (plan->as.distinct.n != 1)
        return false;
    const KtPlan *filtered = hop_below_filter(plan);
    if (filtered && filtered->as.expand.to == plan->as.distinct.key[0]) {
        plan = swap_with_filter(plan);
        hop = filtered;
    }
    KtSlot to = plan->as.distinct.key[0], end = to;
    if (hop->kind == KT_PLAN_PROJECT && hop->as.project.n == 1 &&
        hop->as.project.item[0].slot == to) {
        const KtExpr *expr = kt_program_expr(hop->as.project.item[0].program);
        if (expr->kind != KT_EXPR_SLOT)
            return false;
        end = expr->as.slot;
        hop = hop->child[0];
    }
    if (hop->kind != KT_PLAN_EXPAND || hop->as.expand.to != end)
        return false;
    become_fold(plan, hop, KT_PLAN_EXPAND_DISTINCT, to, KT_NO_SLOT);
    return true;
}

static KtStatus fold_at(Planner *p, KtPlan *plan)
{
    Slots reads;
    if (plan->kind == KT_PLAN_AGGREGATE) {
        KT_TRY(kt_planner_slots(p, &reads));
        aggregate_reads(plan, reads);
        KtPlan *hop = hop_below_filter(plan);
        if (hop && plain_hop(hop, reads) && counts_ends(plan, hop) &&
            plan->as.aggregate.key[0].slot == hop->as.expand.to) {
            fold_count(swap_with_filter(plan), hop);
            return KT_OK;
        }
        hop = child_of(plan, 0);
        if (plain_hop(hop, reads) && counts_ends(plan, hop)) {
            fold_count(plan, hop);
            return KT_OK;
        }
        if (plain_hop(hop, reads) && counts_distinct_ends(plan, hop)) {
            fold_count_distinct(plan, hop);
            return KT_OK;
        }
        if (counts_rows(plan) && plain_hop(hop, reads) && !slots_has(reads, hop->as.expand.to)) {
            KtSlot from = hop->as.expand.from;
            KtPlanRel rel = hop->as.expand.rel;
            rel.slot = KT_NO_SLOT;
            hop->kind = KT_PLAN_EXPAND_DEGREE;
            memset(&hop->as, 0, sizeof hop->as);
            hop->as.degree.from = from;
            hop->as.degree.rel = rel;
        }
        KT_TRY(kt_rule_sums(p, plan));
        if (all_distinct(plan)) {
            KtPlan *var = var_below(plan, reads);
            if (var)
                fold_var(var, reads);
        }
    } else if (plan->kind == KT_PLAN_DISTINCT && !fold_distinct(plan)) {
        KT_TRY(kt_planner_slots(p, &reads));
        for (uint32_t i = 0; i < plan->as.distinct.n; i++)
            slots_add(reads, plan->as.distinct.key[i]);
        KtPlan *var = var_below(plan, reads);
        if (var)
            fold_var(var, reads);
    }
    return KT_OK;
}

KtStatus kt_rule_fold(Planner *p, KtPlan *root)
{
    if (!root)
        return KT_OK;
    KT_TRY(fold_at(p, root));
    KT_TRY(kt_rule_fold(p, child_of(root, 0)));
    return kt_rule_fold(p, child_of(root, 1));
}
