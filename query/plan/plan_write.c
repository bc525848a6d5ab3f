/* query/plan/plan_write.c - CREATE, MERGE, SET, REMOVE and DELETE. */
#include "query/plan/plan_internal.h"

static KtStatus new_prop(Planner *p, const KtBoundProp *prop, uint32_t n, const KtExpr *map,
                         KtPlanNew *out)
{
    KtPlanNewProp *list = kt_arena_alloc(p->arena, (n + 1) * sizeof *list);
    if (!list)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        list[i].key = prop[i].key;
        KT_TRY(kt_planner_program(p, prop[i].value, &list[i].value));
    }
    out->prop = list;
    out->props = n;
    if (map)
        KT_TRY(kt_planner_program(p, map, &out->prop_map));
    return KT_OK;
}

/* Appends what a pattern makes: its unbound nodes first, then its relationships. */
static KtStatus new_items(Planner *p, const KtBoundPattern *pattern, Slots have, KtPlanNew *item,
                          uint32_t *n)
{
    for (uint32_t i = 0; i <= pattern->rels; i++) {
        const KtBoundNode *node = &pattern->node[i];
        if (slots_has(have, node->slot))
            continue;
        item[*n] = (KtPlanNew){.slot = node->slot,
                               .label = node->label,
                               .labels = node->labels,
                               .start = KT_NO_SLOT,
                               .end = KT_NO_SLOT,
                               .at = node->at};
        KT_TRY(new_prop(p, node->prop, node->props, node->prop_map, &item[*n]));
        (*n)++;
        slots_add(have, node->slot);
    }
    for (uint32_t i = 0; i < pattern->rels; i++) {
        const KtBoundRel *rel = &pattern->rel[i];
        bool back = rel->dir == KT_IN;
        item[*n] = (KtPlanNew){.is_rel = true,
                               .slot = rel->slot,
                               .label = rel->type,
                               .labels = rel->types,
                               .start = pattern->node[back ? i + 1 : i].slot,
                               .end = pattern->node[back ? i : i + 1].slot,
                               .at = rel->at};
        KT_TRY(new_prop(p, rel->prop, rel->props, rel->prop_map, &item[*n]));
        (*n)++;
        slots_add(have, rel->slot);
    }
    return KT_OK;
}

KtStatus kt_plan_create(Planner *p, const KtBoundClause *clause, Build *b)
{
    uint32_t most = 0, n = 0;
    for (uint32_t i = 0; i < clause->as.create.patterns; i++)
        most += 2 * clause->as.create.pattern[i].rels + 1;
    KtPlanNew *item = kt_arena_zero(p->arena, most + 1, sizeof *item);
    if (!item)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < clause->as.create.patterns; i++)
        KT_TRY(new_items(p, &clause->as.create.pattern[i], b->have, item, &n));
    KtPlan *plan;
    KT_TRY(kt_planner_over(p, b, KT_PLAN_CREATE, &plan));
    plan->as.create.item = item;
    plan->as.create.n = n;
    for (uint32_t i = 0; i < clause->as.create.patterns; i++) {
        if (clause->as.create.pattern[i].path != KT_NO_SLOT)
            KT_TRY(kt_plan_path(p, &clause->as.create.pattern[i], b));
    }
    return KT_OK;
}

static KtStatus set_items(Planner *p, const KtBoundSet *bound, uint32_t n, const KtPlanSet **out)
{
    KtPlanSet *item = kt_arena_zero(p->arena, n + 1, sizeof *item);
    if (!item)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        item[i].bound = &bound[i];
        KT_TRY(kt_planner_program(p, bound[i].target, &item[i].target));
        if (bound[i].value)
            KT_TRY(kt_planner_program(p, bound[i].value, &item[i].value));
    }
    *out = item;
    return KT_OK;
}

KtStatus kt_plan_merge(Planner *p, const KtBoundClause *clause, Build *b)
{
    const KtBoundPattern *pattern = &clause->as.merge.pattern;
    Build inner;
    Conjuncts where = {0};
    KtSubqueries none = {0};
    KT_TRY(kt_planner_argument(p, b->have, &inner));
    /* The path is made once, above, for what was found and what was made alike. */
    KtBoundPattern search = *pattern;
    search.path = KT_NO_SLOT;
    KtBoundRel *rel = kt_arena_alloc(p->arena, (pattern->rels + 1) * sizeof *rel);
    if (!rel)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < pattern->rels; i++) {
        rel[i] = pattern->rel[i];
        rel[i].named |= pattern->path != KT_NO_SLOT;
    }
    search.rel = rel;
    KT_TRY(kt_plan_patterns(p, &search, 1, &where, &none, &inner));

    KtPlanNew *item = kt_arena_zero(p->arena, 2 * pattern->rels + 2, sizeof *item);
    KtSlot *matched = kt_arena_alloc(p->arena, (2 * pattern->rels + 2) * sizeof *matched);
    Slots have;
    KT_TRY(kt_planner_slots(p, &have));
    if (!item || !matched)
        return KT_ERR_MEMORY;
    kt_plan_slots_join(p, have, b->have);
    KtPlan *plan;
    KT_TRY(kt_planner_over(p, b, KT_PLAN_MERGE, &plan));
    plan->child[1] = inner.plan;
    KT_TRY(new_items(p, pattern, have, item, &plan->as.merge.n));
    plan->as.merge.item = item;
    for (uint32_t i = 0; i < plan->as.merge.n; i++) {
        if (slots_has(inner.have, item[i].slot))
            matched[plan->as.merge.n_matched++] = item[i].slot;
    }
    plan->as.merge.matched = matched;
    plan->as.merge.on_creates = clause->as.merge.on_creates;
    plan->as.merge.on_matches = clause->as.merge.on_matches;
    KT_TRY(set_items(p, clause->as.merge.on_create, clause->as.merge.on_creates,
                     &plan->as.merge.on_create));
    KT_TRY(set_items(p, clause->as.merge.on_match, clause->as.merge.on_matches,
                     &plan->as.merge.on_match));
    b->have = have;
    if (pattern->path != KT_NO_SLOT)
        KT_TRY(kt_plan_path(p, pattern, b));
    return KT_OK;
}

KtStatus kt_plan_set(Planner *p, const KtBoundClause *clause, Build *b)
{
    KtPlan *plan;
    KT_TRY(kt_planner_over(p, b, KT_PLAN_SET, &plan));
    plan->as.set.n = clause->as.set.items;
    return set_items(p, clause->as.set.item, clause->as.set.items, &plan->as.set.item);
}

KtStatus kt_plan_delete(Planner *p, const KtBoundClause *clause, Build *b)
{
    const KtProgram **target =
        kt_arena_alloc(p->arena, (clause->as.del.targets + 1) * sizeof *target);
    if (!target)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < clause->as.del.targets; i++)
        KT_TRY(kt_planner_program(p, clause->as.del.target[i], &target[i]));
    KtPlan *plan;
    KT_TRY(kt_planner_over(p, b, KT_PLAN_DELETE, &plan));
    plan->as.del.target = target;
    plan->as.del.n = clause->as.del.targets;
    plan->as.del.detach = clause->as.del.detach;
    return KT_OK;
}
