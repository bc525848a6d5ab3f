/* query/plan/plan_query.c - the planner's frame: clauses in order, projections, unions, subqueries.
 *
 * What must hold: an operator reads only slots that the rows below it carry (Build.have); no expression that may
 * fail moves below a filter, join, DISTINCT or LIMIT that stood before it; above the last operator of a writing clause
 * stands a Barrier, so that what follows sees all its writes and LIMIT cannot cut them. */
#include "query/plan/plan_internal.h"

KtStatus kt_planner_slots(Planner *p, Slots *out)
{
    *out = kt_arena_zero(p->arena, p->words, sizeof(uint64_t));
    return *out ? KT_OK : KT_ERR_MEMORY;
}

KtStatus kt_planner_fresh(Planner *p, KtSlot *out)
{
    if (p->slots >= p->words * 64)
        return kt_diag_set(p->diag, KT_ERR_TOO_COMPLEX, NULL,
                           "The statement has too many patterns to plan");
    *out = p->slots++;
    return KT_OK;
}

void kt_plan_slots_join(const Planner *p, Slots into, Slots more)
{
    for (uint32_t i = 0; i < p->words; i++)
        into[i] |= more[i];
}

KtStatus kt_planner_over(Planner *p, Build *b, KtPlanKind kind, KtPlan **out)
{
    /* Operators call each other as deep as the plan is: the depth must fit a thread's stack. */
    if (++p->nodes > PLANNER_NODES_MOST)
        return kt_diag_set(p->diag, KT_ERR_TOO_COMPLEX, NULL,
                           "The statement needs more than %d operators: split it",
                           PLANNER_NODES_MOST);
    KtPlan *plan = kt_arena_zero(p->arena, 1, sizeof *plan);
    if (!plan)
        return KT_ERR_MEMORY;
    plan->kind = kind;
    plan->child[0] = b->plan;
    plan->clause = p->clause;
    plan->rows = b->rows;
    b->plan = plan;
    *out = plan;
    return KT_OK;
}

KtStatus kt_planner_program(Planner *p, const KtExpr *expr, const KtProgram **out)
{
    return kt_program_compile(p->arena, expr, out);
}

KtStatus kt_planner_argument(Planner *p, Slots have, Build *out)
{
    Build b = {.rows = 1, .correlated = have != NULL};
    KT_TRY(kt_planner_slots(p, &b.have));
    if (have)
        kt_plan_slots_join(p, b.have, have);
    KtPlan *plan;
    KT_TRY(kt_planner_over(p, &b, KT_PLAN_ARGUMENT, &plan));
    *out = b;
    return KT_OK;
}

KtStatus kt_plan_filter(Planner *p, const KtExpr *const *test, uint32_t n, Build *b)
{
    if (n == 0)
        return KT_OK;
    const KtProgram **program = kt_arena_alloc(p->arena, n * sizeof *program);
    if (!program)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        KT_TRY(kt_planner_program(p, test[i], &program[i]));
        b->rows *= 0.3;
    }
    KtPlan *plan;
    KT_TRY(kt_planner_over(p, b, KT_PLAN_FILTER, &plan));
    plan->as.filter.test = program;
    plan->as.filter.n = n;
    return KT_OK;
}

/* ---- subqueries ---- */

/* The one item of a COLLECT query's RETURN, which is planned as the list's element. */
static const KtBoundClause *last_clause(const KtBoundQuery *query)
{
    const KtBoundPart *part = &query->part[0];
    return &part->clause[part->clauses - 1];
}

static KtStatus plan_subquery(Planner *p, const KtBoundSubquery *sub, Build *b)
{
    Build inner;
    KT_TRY(kt_planner_argument(p, b->have, &inner));
    const KtProgram *item = NULL;
    if (sub->kind == KT_SUBQUERY_COLLECT) {
        const KtBoundPart *part = &sub->query->part[0];
        const KtBoundClause *ret = last_clause(sub->query);
        KT_CHECK(ret->kind == KT_CLAUSE_PROJECT && ret->as.project.items == 1);
        for (uint32_t i = 0; i + 1 < part->clauses; i++)
            KT_TRY(kt_plan_match(p, &part->clause[i], &inner));
        KT_TRY(kt_plan_subqueries(p, &ret->subqueries, &inner));
        KT_TRY(kt_planner_program(p, ret->as.project.item[0].expr, &item));
    } else {
        KT_TRY(kt_plan_query(p, sub->query, &inner));
    }
    KtPlan *plan;
    KT_TRY(kt_planner_over(
        p, b, sub->kind == KT_SUBQUERY_COLLECT ? KT_PLAN_COLLECT_APPLY : KT_PLAN_SEMI_APPLY,
        &plan));
    plan->child[1] = inner.plan;
    if (sub->kind == KT_SUBQUERY_COLLECT) {
        plan->as.collect.item = item;
        plan->as.collect.slot = sub->slot;
    } else {
        plan->as.semi.mark = sub->slot;
    }
    slots_add(b->have, sub->slot);
    return KT_OK;
}

KtStatus kt_plan_subqueries(Planner *p, const KtSubqueries *subqueries, Build *b)
{
    for (uint32_t i = 0; i < subqueries->n; i++) {
        if (!slots_has(b->have, subqueries->at[i].slot))
            KT_TRY(plan_subquery(p, &subqueries->at[i], b));
    }
    return KT_OK;
}

/* ---- which slots are read later: what barriers and sorts keep ---- */

static void pattern_reads(const KtBoundPattern *pattern, Slots into)
{
    for (uint32_t i = 0; i <= pattern->rels; i++) {
        const KtBoundNode *node = &pattern->node[i];
        slots_add(into, node->slot);
        for (uint32_t k = 0; k < node->props; k++)
            kt_plan_expr_slots(node->prop[k].value, into);
        kt_plan_expr_slots(node->prop_map, into);
        if (i == pattern->rels)
            break;
        const KtBoundRel *rel = &pattern->rel[i];
        slots_add(into, rel->slot);
        for (uint32_t k = 0; k < rel->props; k++)
            kt_plan_expr_slots(rel->prop[k].value, into);
        kt_plan_expr_slots(rel->prop_map, into);
    }
}

static void clause_reads(const KtBoundClause *clause, Slots into);

static void query_reads(const KtBoundQuery *query, Slots into)
{
    for (uint32_t i = 0; i < query->parts; i++) {
        for (uint32_t k = 0; k < query->part[i].clauses; k++)
            clause_reads(&query->part[i].clause[k], into);
        for (uint32_t k = 0; k < query->part[i].columns; k++)
            slots_add(into, query->part[i].column[k]);
    }
}

static void subqueries_read(const KtSubqueries *subqueries, Slots into)
{
    for (uint32_t i = 0; i < subqueries->n; i++)
        query_reads(subqueries->at[i].query, into);
}

static void sets_read(const KtBoundSet *item, uint32_t n, Slots into)
{
    for (uint32_t i = 0; i < n; i++) {
        kt_plan_expr_slots(item[i].target, into);
        kt_plan_expr_slots(item[i].value, into);
    }
}

static void clause_reads(const KtBoundClause *clause, Slots into)
{
    subqueries_read(&clause->subqueries, into);
    switch (clause->kind) {
    case KT_CLAUSE_MATCH:
        for (uint32_t i = 0; i < clause->as.match.patterns; i++)
            pattern_reads(&clause->as.match.pattern[i], into);
        kt_plan_expr_slots(clause->as.match.where, into);
        break;
    case KT_CLAUSE_UNWIND: kt_plan_expr_slots(clause->as.unwind.list, into); break;
    case KT_CLAUSE_PROJECT:
        for (uint32_t i = 0; i < clause->as.project.items; i++) {
            kt_plan_expr_slots(clause->as.project.item[i].expr, into);
            if (clause->as.project.item[i].plain)
                slots_add(into, clause->as.project.item[i].slot);
        }
        for (uint32_t i = 0; i < clause->as.project.keys; i++)
            kt_plan_expr_slots(clause->as.project.key[i].expr, into);
        for (uint32_t i = 0; i < clause->as.project.n_aggregates; i++) {
            const KtBoundAggregate *aggregate = &clause->as.project.aggregate[i];
            for (uint32_t k = 0; k < aggregate->args; k++)
                kt_plan_expr_slots(aggregate->arg[k], into);
        }
        for (uint32_t i = 0; i < clause->as.project.sorts; i++)
            kt_plan_expr_slots(clause->as.project.sort[i].expr, into);
        kt_plan_expr_slots(clause->as.project.where, into);
        subqueries_read(&clause->as.project.where_subqueries, into);
        break;
    case KT_CLAUSE_CREATE:
        for (uint32_t i = 0; i < clause->as.create.patterns; i++)
            pattern_reads(&clause->as.create.pattern[i], into);
        break;
    case KT_CLAUSE_MERGE:
        pattern_reads(&clause->as.merge.pattern, into);
        sets_read(clause->as.merge.on_create, clause->as.merge.on_creates, into);
        sets_read(clause->as.merge.on_match, clause->as.merge.on_matches, into);
        break;
    case KT_CLAUSE_SET: sets_read(clause->as.set.item, clause->as.set.items, into); break;
    case KT_CLAUSE_DELETE:
        for (uint32_t i = 0; i < clause->as.del.targets; i++)
            kt_plan_expr_slots(clause->as.del.target[i], into);
        break;
    case KT_CLAUSE_SHOW: break;
    }
}

/* The slots of `have` that are in `wanted`, as a list. */
static KtStatus slot_list(Planner *p, Slots have, Slots wanted, const KtSlot **out, uint32_t *n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->words; i++)
        count += (uint32_t)__builtin_popcountll(have[i] & wanted[i]);
    KtSlot *list = kt_arena_alloc(p->arena, (count + 1) * sizeof *list);
    if (!list)
        return KT_ERR_MEMORY;
    uint32_t k = 0;
    for (KtSlot s = 0; s < p->slots; s++) {
        if (kt_bit(have, s) && kt_bit(wanted, s))
            list[k++] = s;
    }
    *out = list;
    *n = k;
    return KT_OK;
}

/* ---- projections ---- */

static KtStatus plan_sort(Planner *p, const KtBoundClause *clause, Build *b)
{
    uint32_t n = clause->as.project.sorts;
    const KtExpr *skip = clause->as.project.skip, *limit = clause->as.project.limit;
    KtPlan *plan;
    if (n > 0) {
        KtPlanSort *key = kt_arena_alloc(p->arena, n * sizeof *key);
        Slots wanted;
        KT_TRY(kt_planner_slots(p, &wanted));
        if (!key)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < n; i++) {
            KT_TRY(kt_planner_program(p, clause->as.project.sort[i].expr, &key[i].key));
            key[i].descending = clause->as.project.sort[i].descending;
        }
        for (uint32_t i = 0; i < clause->as.project.items; i++)
            slots_add(wanted, clause->as.project.item[i].slot);
        kt_plan_expr_slots(clause->as.project.where, wanted);
        subqueries_read(&clause->as.project.where_subqueries, wanted);
        KT_TRY(kt_planner_over(p, b, limit ? KT_PLAN_TOP_N : KT_PLAN_SORT, &plan));
        plan->as.sort.key = key;
        plan->as.sort.keys = n;
        KT_TRY(slot_list(p, b->have, wanted, &plan->as.sort.keep, &plan->as.sort.n_keep));
        if (limit) {
            KT_TRY(kt_planner_program(p, limit, &plan->as.sort.limit));
            if (skip)
                KT_TRY(kt_planner_program(p, skip, &plan->as.sort.skip));
            return KT_OK;
        }
    }
    if (skip) {
        KT_TRY(kt_planner_over(p, b, KT_PLAN_SKIP, &plan));
        KT_TRY(kt_planner_program(p, skip, &plan->as.limit.count));
    }
    if (limit) {
        KT_TRY(kt_planner_over(p, b, KT_PLAN_LIMIT, &plan));
        KT_TRY(kt_planner_program(p, limit, &plan->as.limit.count));
    }
    return KT_OK;
}

static KtStatus plan_aggregate(Planner *p, const KtBoundClause *clause, Build *b)
{
    uint32_t keys = clause->as.project.keys, n = clause->as.project.n_aggregates;
    KtPlanProject *key = kt_arena_zero(p->arena, keys + 1, sizeof *key);
    KtPlanAggregate *item = kt_arena_zero(p->arena, n + 1, sizeof *item);
    if (!key || !item)
        return KT_ERR_MEMORY;
    Slots have;
    KT_TRY(kt_planner_slots(p, &have));
    for (uint32_t i = 0; i < keys; i++) {
        key[i].slot = clause->as.project.key[i].slot;
        KT_TRY(kt_planner_program(p, clause->as.project.key[i].expr, &key[i].program));
        slots_add(have, key[i].slot);
    }
    for (uint32_t i = 0; i < n; i++) {
        const KtBoundAggregate *bound = &clause->as.project.aggregate[i];
        item[i].slot = bound->slot;
        item[i].bound = bound;
        KT_CHECK(bound->args <= 2);
        for (uint32_t k = 0; k < bound->args; k++)
            KT_TRY(kt_planner_program(p, bound->arg[k], &item[i].arg[k]));
        slots_add(have, bound->slot);
    }
    KtPlan *plan;
    KT_TRY(kt_planner_over(p, b, KT_PLAN_AGGREGATE, &plan));
    plan->as.aggregate.key = key;
    plan->as.aggregate.keys = keys;
    plan->as.aggregate.item = item;
    plan->as.aggregate.n = n;
    plan->as.aggregate.list_end = KT_NO_SLOT;
    if (keys == 0)
        b->rows = 1;
    else
        b->rows = b->rows > 10 ? b->rows / 2 : b->rows;
    if (b->correlated) /* the argument's slots stay reachable under Apply */
        kt_plan_slots_join(p, have, b->have);
    b->have = have;
    return KT_OK;
}

static KtStatus plan_items(Planner *p, const KtBoundClause *clause, Build *b)
{
    uint32_t items = clause->as.project.items, n = 0;
    KtPlanProject *item = kt_arena_zero(p->arena, items + 1, sizeof *item);
    if (!item)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < items; i++) {
        const KtBoundItem *bound = &clause->as.project.item[i];
        bool same = bound->plain ||
                    (bound->expr->kind == KT_EXPR_SLOT && bound->expr->as.slot == bound->slot);
        if (same && slots_has(b->have, bound->slot))
            continue;
        item[n].slot = bound->slot;
        KT_TRY(kt_planner_program(p, bound->expr, &item[n].program));
        n++;
    }
    if (n == 0)
        return KT_OK;
    KtPlan *plan;
    KT_TRY(kt_planner_over(p, b, KT_PLAN_PROJECT, &plan));
    plan->as.project.item = item;
    plan->as.project.n = n;
    for (uint32_t i = 0; i < n; i++)
        slots_add(b->have, item[i].slot);
    return KT_OK;
}

static KtStatus plan_project(Planner *p, const KtBoundClause *clause, Build *b)
{
    KT_TRY(kt_plan_subqueries(p, &clause->subqueries, b));
    if (clause->as.project.aggregates)
        KT_TRY(plan_aggregate(p, clause, b));
    KT_TRY(plan_items(p, clause, b));
    if (clause->as.project.distinct) {
        Slots wanted;
        KT_TRY(kt_planner_slots(p, &wanted));
        for (uint32_t i = 0; i < clause->as.project.items; i++)
            slots_add(wanted, clause->as.project.item[i].slot);
        KtPlan *plan;
        KT_TRY(kt_planner_over(p, b, KT_PLAN_DISTINCT, &plan));
        KT_TRY(slot_list(p, b->have, wanted, &plan->as.distinct.key, &plan->as.distinct.n));
        if (!b->correlated)
            b->have = wanted;
    }
    KT_TRY(plan_sort(p, clause, b));
    if (clause->as.project.where) {
        KT_TRY(kt_plan_subqueries(p, &clause->as.project.where_subqueries, b));
        Conjuncts where = {0};
        KT_TRY(kt_plan_conjuncts_add(p, &where, clause->as.project.where));
        KT_TRY(kt_plan_filter(p, where.at, where.n, b));
    }
    return KT_OK;
}

/* ---- clauses in order ---- */

static bool clause_writes(const KtBoundClause *clause)
{
    return clause->kind == KT_CLAUSE_CREATE || clause->kind == KT_CLAUSE_MERGE ||
           clause->kind == KT_CLAUSE_SET || clause->kind == KT_CLAUSE_DELETE;
}

static KtStatus plan_clause(Planner *p, const KtBoundClause *clause, Build *b)
{
    KtPlan *plan;
    switch (clause->kind) {
    case KT_CLAUSE_MATCH: return kt_plan_match(p, clause, b);
    case KT_CLAUSE_UNWIND:
        KT_TRY(kt_plan_subqueries(p, &clause->subqueries, b));
        KT_TRY(kt_planner_over(p, b, KT_PLAN_UNWIND, &plan));
        plan->as.unwind.slot = clause->as.unwind.slot;
        slots_add(b->have, clause->as.unwind.slot);
        b->rows *= 10;
        return kt_planner_program(p, clause->as.unwind.list, &plan->as.unwind.list);
    case KT_CLAUSE_PROJECT: return plan_project(p, clause, b);
    case KT_CLAUSE_CREATE:
        KT_TRY(kt_plan_subqueries(p, &clause->subqueries, b));
        return kt_plan_create(p, clause, b);
    case KT_CLAUSE_MERGE:
        KT_TRY(kt_plan_subqueries(p, &clause->subqueries, b));
        return kt_plan_merge(p, clause, b);
    case KT_CLAUSE_SET:
        KT_TRY(kt_plan_subqueries(p, &clause->subqueries, b));
        return kt_plan_set(p, clause, b);
    case KT_CLAUSE_DELETE:
        KT_TRY(kt_plan_subqueries(p, &clause->subqueries, b));
        return kt_plan_delete(p, clause, b);
    case KT_CLAUSE_SHOW:
        b->plan = NULL;
        KT_TRY(kt_planner_over(p, b, KT_PLAN_SHOW, &plan));
        plan->as.show.constraints = clause->as.show.constraints;
        plan->as.show.slot = clause->as.show.slot;
        plan->as.show.n = clause->as.show.slots;
        for (uint32_t i = 0; i < clause->as.show.slots; i++)
            slots_add(b->have, clause->as.show.slot[i]);
        return KT_OK;
    }
    return KT_ERR_INTERNAL;
}

static KtStatus plan_part(Planner *p, const KtBoundPart *part, Build *b)
{
    for (uint32_t i = 0; i < part->clauses; i++) {
        const KtBoundClause *clause = &part->clause[i];
        KT_TRY(plan_clause(p, clause, b));
        if (clause_writes(clause)) {
            /* What follows must see all of this clause's writes, and no LIMIT may cut them. */
            Slots wanted;
            KT_TRY(kt_planner_slots(p, &wanted));
            for (uint32_t k = i + 1; k < part->clauses; k++)
                clause_reads(&part->clause[k], wanted);
            for (uint32_t k = 0; k < part->columns; k++)
                slots_add(wanted, part->column[k]);
            KtPlan *plan;
            KT_TRY(kt_planner_over(p, b, KT_PLAN_BARRIER, &plan));
            KT_TRY(slot_list(p, b->have, wanted, &plan->as.barrier.keep, &plan->as.barrier.n_keep));
        }
        p->clause++;
    }
    return KT_OK;
}

KtStatus kt_plan_query(Planner *p, const KtBoundQuery *query, Build *b)
{
    if (query->parts == 1)
        return plan_part(p, &query->part[0], b);
    Slots outer;
    KT_TRY(kt_planner_slots(p, &outer));
    kt_plan_slots_join(p, outer, b->have);
    Build sum = {0};
    const KtSlot *left = NULL;
    for (uint32_t i = 0; i < query->parts; i++) {
        Build side;
        KT_TRY(kt_planner_argument(p, b->correlated ? outer : NULL, &side));
        KT_TRY(plan_part(p, &query->part[i], &side));
        if (i == 0) {
            sum = side;
            left = query->part[0].column;
            continue;
        }
        KtPlan *plan;
        KtPlan *right = side.plan;
        sum.rows += side.rows;
        KT_TRY(kt_planner_over(p, &sum, KT_PLAN_UNION, &plan));
        plan->child[1] = right;
        plan->as.set_union.left = left;
        plan->as.set_union.right = query->part[i].column;
        plan->as.set_union.out = query->column;
        plan->as.set_union.n = query->columns;
        left = query->column;
    }
    for (uint32_t i = 0; i < query->columns; i++)
        slots_add(sum.have, query->column[i]);
    if (!query->union_all) {
        KtPlan *plan;
        KT_TRY(kt_planner_over(p, &sum, KT_PLAN_DISTINCT, &plan));
        plan->as.distinct.key = query->column;
        plan->as.distinct.n = query->columns;
    }
    *b = sum;
    return KT_OK;
}

static uint32_t number_plan(KtPlan *plan, uint32_t next)
{
    plan->id = next++;
    for (int i = 0; i < 2; i++) {
        /* the tree is ours until it is handed out */
        KtPlan *child = (KtPlan *)(uintptr_t)plan->child[i];
        if (child)
            next = number_plan(child, next);
    }
    return next;
}

KtStatus kt_plan(const KtBound *bound, KtView *view, KtArena *arena, KtDiag *diag,
                 const KtPlanned **out)
{
    Planner p = {.arena = arena,
                 .diag = diag,
                 .bound = bound,
                 .view = view,
                 .db = kt_view_database(view),
                 .schema = kt_view_schema(view),
                 .slots = bound->slots,
                 .words = (bound->slots + PLANNER_OWN_SLOTS + 63) / 64};
    p.stats = kt_stats(p.db);
    Build b;
    KT_TRY(kt_planner_argument(&p, NULL, &b));
    KT_TRY(kt_plan_query(&p, bound->query, &b));
    KtPlan *result;
    KT_TRY(kt_planner_over(&p, &b, KT_PLAN_RESULT, &result));
    result->as.result.column = bound->query->column;
    result->as.result.n = bound->query->columns;
    KT_TRY(kt_rule_fold(&p, result));
    kt_rule_seek(result);
    KtPlanned *planned = kt_arena_zero(arena, 1, sizeof *planned);
    if (!planned)
        return KT_ERR_MEMORY;
    planned->root = result;
    planned->bound = bound;
    planned->schema_version = p.schema->version;
    planned->nodes = number_plan(result, 0);
    planned->clauses = p.clause + 1;
    planned->slots = p.slots;
    *out = planned;
    return KT_OK;
}
