/* query/plan/plan_shortest.c - shortestPath and allShortestPaths, and paths as values.
 *
 * The search takes predicates on single elements inside. A condition on the path as a whole needs the enumerating
 * form: the shortest among the paths that satisfy it. Both ends are bound by then. */
#include "query/plan/plan_internal.h"

/* ---- shortest paths ---- */

/* Copies an expression with the comprehension's local replaced by a slot. */
static KtStatus local_to_slot(Planner *p, const KtExpr *expr, uint32_t local, KtSlot slot,
                              const KtExpr **out)
{
    if (!expr) {
        *out = NULL;
        return KT_OK;
    }
    if (expr->kind == KT_EXPR_LOCAL && expr->as.local == local)
        return kt_plan_expr_slot(p, slot, out);
    KtExpr *copy = kt_arena_alloc(p->arena, sizeof *copy);
    const KtExpr **arg = kt_arena_alloc(p->arena, (expr->args + 1) * sizeof *arg);
    if (!copy || !arg)
        return KT_ERR_MEMORY;
    *copy = *expr;
    copy->arg = arg;
    for (uint32_t i = 0; i < expr->args; i++)
        KT_TRY(local_to_slot(p, expr->arg[i], local, slot, &arg[i]));
    *out = copy;
    return KT_OK;
}

/* `all(x IN nodes(p) WHERE ...)` and `none(...)`: a predicate on single elements, which the search applies itself. */
static KtStatus element_predicate(Planner *p, const KtExpr *test, const KtBoundPattern *pattern,
                                  Slots have, KtPlan *plan, const KtProgram **nodes,
                                  const KtProgram **rels, bool *taken)
{
    *taken = false;
    if (test->kind != KT_EXPR_QUANTIFIER || test->may_fail ||
        (test->as.quantify.kind != KT_ALL && test->as.quantify.kind != KT_NONE))
        return KT_OK;
    const KtExpr *list = test->arg[0];
    KtSlot rel_list = pattern->rel[0].slot;
    bool is_rel = list->kind == KT_EXPR_SLOT && list->as.slot == rel_list;
    bool is_node = false;
    if (pattern->path != KT_NO_SLOT && list->kind == KT_EXPR_CALL && list->args == 1 &&
        list->arg[0]->kind == KT_EXPR_SLOT && list->arg[0]->as.slot == pattern->path) {
        is_node = kt_plan_expr_is_call(list, "nodes");
        is_rel = is_rel || kt_plan_expr_is_call(list, "relationships");
    }
    if ((!is_node && !is_rel) || !kt_plan_expr_covered(p, test->arg[1], have))
        return KT_OK;
    KtSlot *step = is_node ? &plan->as.var.step_node : &plan->as.var.step_rel;
    if (*step == KT_NO_SLOT)
        KT_TRY(kt_planner_fresh(p, step));
    const KtExpr *inside;
    KT_TRY(local_to_slot(p, test->arg[1], test->as.quantify.local, *step, &inside));
    if (test->as.quantify.kind == KT_NONE)
        KT_TRY(kt_plan_expr_call(p, "NOT", &inside, 1, &inside));
    const KtProgram *program;
    KT_TRY(kt_planner_program(p, inside, &program));
    if (is_node)
        nodes[plan->as.var.node_filters++] = program;
    else
        rels[plan->as.var.rel_filters++] = program;
    *taken = true;
    return KT_OK;
}

KtStatus kt_plan_shortest(Planner *p, Match *m, const KtBoundPattern *pattern, Build *b)
{
    const KtBoundRel *rel = &pattern->rel[0];
    KtPlan var = {.kind = KT_PLAN_SHORTEST_PATH};
    var.as.var.from = pattern->node[0].slot;
    var.as.var.to = pattern->node[1].slot;
    var.as.var.into = true;
    var.as.var.min = rel->var_length ? rel->min : 1;
    var.as.var.max = rel->var_length ? rel->max : 1;
    var.as.var.rel = (KtPlanRel){.slot = rel->named ? rel->slot : KT_NO_SLOT,
                                 .dir = rel->dir,
                                 .type = rel->type,
                                 .types = rel->types};
    var.as.var.path = pattern->path;
    var.as.var.all = pattern->kind == KT_PATTERN_ALL_SHORTEST;
    var.as.var.step_node = var.as.var.step_rel = KT_NO_SLOT;
    KT_TRY(kt_plan_new_props(p, rel->prop, rel->props, &var.as.var.prop));
    var.as.var.props = rel->props;

    const KtProgram **nodes = kt_arena_alloc(p->arena, (m->where->n + 1) * sizeof *nodes);
    const KtProgram **rels = kt_arena_alloc(p->arena, (m->where->n + 1) * sizeof *rels);
    Slots found;
    KT_TRY(kt_planner_slots(p, &found));
    if (!nodes || !rels)
        return KT_ERR_MEMORY;
    slots_add(found, pattern->path);
    slots_add(found, rel->slot);
    bool others = false; /* a predicate on the path as a whole */
    for (uint32_t i = 0; i < m->where->n; i++) {
        Slots reads;
        KT_TRY(kt_planner_slots(p, &reads));
        kt_plan_expr_slots(m->where->at[i], reads);
        bool on_path = (pattern->path != KT_NO_SLOT && slots_has(reads, pattern->path)) ||
                       slots_has(reads, rel->slot);
        if (m->where->done[i] || !on_path)
            continue;
        bool taken;
        KT_TRY(element_predicate(p, m->where->at[i], pattern, b->have, &var, nodes, rels, &taken));
        others |= !taken;
    }
    var.as.var.node_filter = nodes;
    var.as.var.rel_filter = rels;

    if (!others) {
        KtPlan *plan;
        KT_TRY(kt_planner_over(p, b, KT_PLAN_SHORTEST_PATH, &plan));
        plan->as.var = var.as.var;
        slots_add(b->have, pattern->path);
        slots_add(b->have, var.as.var.rel.slot);
        return kt_plan_place_filters(p, m, b, false);
    }
    if (var.as.var.all)
        return kt_diag_set(
            p->diag, KT_ERR_NOT_SUPPORTED, &pattern->at,
            "allShortestPaths under a condition on the whole path is not supported: use all() or none() over its nodes or relationships");
    /* The enumerating form: the shortest among those that satisfy the condition. */
    KtSlot path = pattern->path;
    if (path == KT_NO_SLOT)
        KT_TRY(kt_planner_fresh(p, &path));
    Build inner;
    KtPlan *plan;
    KT_TRY(kt_planner_argument(p, b->have, &inner));
    KT_TRY(kt_planner_over(p, &inner, KT_PLAN_VAR_EXPAND, &plan));
    plan->as.var = var.as.var;
    plan->as.var.path = path;
    slots_add(inner.have, path);
    slots_add(inner.have, var.as.var.rel.slot);
    KT_TRY(kt_plan_place_filters(p, m, &inner, true));
    const KtExpr *value, *length;
    KT_TRY(kt_plan_expr_slot(p, path, &value));
    KT_TRY(kt_plan_expr_call(p, "length", &value, 1, &length));
    KtPlanSort *key = kt_arena_zero(p->arena, 1, sizeof *key);
    KtSlot *keep = kt_arena_alloc(p->arena, 2 * sizeof *keep);
    KtExpr *one = kt_arena_zero(p->arena, 1, sizeof *one);
    if (!key || !keep || !one)
        return KT_ERR_MEMORY;
    *one = (KtExpr){.kind = KT_EXPR_CONST, .type = KT_TYPE_ANY, .as.value = kt_int(1)};
    KT_TRY(kt_planner_program(p, length, &key->key));
    KT_TRY(kt_planner_over(p, &inner, KT_PLAN_TOP_N, &plan));
    plan->as.sort.key = key;
    plan->as.sort.keys = 1;
    keep[0] = path;
    plan->as.sort.n_keep = 1;
    if (var.as.var.rel.slot != KT_NO_SLOT)
        keep[plan->as.sort.n_keep++] = var.as.var.rel.slot;
    plan->as.sort.keep = keep;
    KT_TRY(kt_planner_program(p, one, &plan->as.sort.limit));
    KtPlan *top = inner.plan;
    KT_TRY(kt_planner_over(p, b, KT_PLAN_APPLY, &plan));
    plan->child[1] = top;
    kt_plan_slots_join(p, b->have, inner.have);
    return KT_OK;
}

/* ---- paths ---- */

KtStatus kt_plan_path(Planner *p, const KtBoundPattern *pattern, Build *b)
{
    KtSlot *node = kt_arena_alloc(p->arena, (pattern->rels + 1) * sizeof *node);
    KtSlot *rel = kt_arena_alloc(p->arena, (pattern->rels + 1) * sizeof *rel);
    bool *is_list = kt_arena_alloc(p->arena, (pattern->rels + 1) * sizeof *is_list);
    if (!node || !rel || !is_list)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i <= pattern->rels; i++)
        node[i] = pattern->node[i].slot;
    for (uint32_t i = 0; i < pattern->rels; i++) {
        rel[i] = pattern->rel[i].slot;
        is_list[i] = pattern->rel[i].var_length;
    }
    KtPlan *plan;
    KT_TRY(kt_planner_over(p, b, KT_PLAN_MAKE_PATH, &plan));
    plan->as.path.slot = pattern->path;
    plan->as.path.node = node;
    plan->as.path.rel = rel;
    plan->as.path.rel_is_list = is_list;
    plan->as.path.rels = pattern->rels;
    slots_add(b->have, pattern->path);
    return KT_OK;
}
