/* query/plan/plan_match.c - one MATCH: starts, hops in a good order, filters as early as they may stand.
 *
 * Greedy: while a hop has an end that the rows carry, take the cheapest; else begin at the cheapest node. Each hop
 * names the relationships of the same MATCH that it must differ from: trails, not walks. */
#include "query/plan/plan_internal.h"

#include <math.h>

double kt_plan_est_degree(const Planner *p, KtDir dir, const KtNameRef *type, uint32_t types)
{
    double nodes = (double)(p->stats.nodes ? p->stats.nodes : 1);
    double rels = 0;
    if (types == 0)
        rels = (double)p->stats.rels;
    for (uint32_t i = 0; i < types; i++) {
        KtToken token = 0;
        if (kt_name_find(p->view, KT_NAME_TYPE, p->bound->name[type[i]].text, &token) == KT_OK &&
            token)
            rels += (double)kt_stats_type(p->db, token);
    }
    return (dir == KT_BOTH ? 2 : 1) * rels / nodes;
}

static bool same_name(const Planner *p, KtNameRef a, KtNameRef b)
{
    return a == b || kt_text_eq(p->bound->name[a].text, p->bound->name[b].text);
}

bool kt_plan_may_coincide(const Planner *p, const KtBoundRel *a, const KtBoundRel *b)
{
    if (a->types == 0 || b->types == 0)
        return true;
    for (uint32_t i = 0; i < a->types; i++) {
        for (uint32_t k = 0; k < b->types; k++) {
            if (same_name(p, a->type[i], b->type[k]))
                return true;
        }
    }
    return false;
}

/* ---- filters ---- */

KtStatus kt_plan_place_filters(Planner *p, Match *m, Build *b, bool all)
{
    Conjuncts *where = m->where;
    const KtExpr **now = kt_arena_alloc(p->arena, (where->n + 1) * sizeof *now);
    if (!now)
        return KT_ERR_MEMORY;
    uint32_t n = 0;
    for (uint32_t i = 0; i < where->n; i++) {
        const KtExpr *test = where->at[i];
        if (where->done[i] || !kt_plan_expr_covered(p, test, b->have))
            continue;
        if (!all && (test->may_fail || test->per_row))
            continue;
        now[n++] = test;
        where->done[i] = true;
    }
    return kt_plan_filter(p, now, n, b);
}

/* A conjunct that is nothing but "there is such a pattern" becomes SemiApply, or the anti form; the other subqueries
 * are computed into their slots. */
static KtStatus place_subqueries(Planner *p, Match *m, Build *b)
{
    KtBoundSubquery *others = kt_arena_alloc(p->arena, (m->subqueries->n + 1) * sizeof *others);
    KtSubqueries left = {.at = others};
    if (!others)
        return KT_ERR_MEMORY;
    for (uint32_t s = 0; s < m->subqueries->n; s++) {
        const KtBoundSubquery *sub = &m->subqueries->at[s];
        others[left.n++] = *sub; /* taken back below */
        if (sub->kind != KT_SUBQUERY_EXISTS || slots_has(b->have, sub->slot))
            continue;
        uint32_t readers = 0, at = 0;
        for (uint32_t i = 0; i < m->where->n; i++) {
            Slots reads;
            KT_TRY(kt_planner_slots(p, &reads));
            kt_plan_expr_slots(m->where->at[i], reads);
            if (slots_has(reads, sub->slot)) {
                readers++;
                at = i;
            }
        }
        if (readers != 1)
            continue;
        const KtExpr *test = m->where->at[at];
        bool anti = kt_plan_expr_is_call(test, "NOT");
        const KtExpr *inside = anti ? test->arg[0] : test;
        if (inside->kind != KT_EXPR_SLOT)
            continue;
        Build inner;
        KT_TRY(kt_planner_argument(p, b->have, &inner));
        KT_TRY(kt_plan_query(p, sub->query, &inner));
        KtPlan *plan;
        KT_TRY(kt_planner_over(p, b, KT_PLAN_SEMI_APPLY, &plan));
        plan->child[1] = inner.plan;
        plan->as.semi.anti = anti;
        plan->as.semi.mark = KT_NO_SLOT;
        m->where->done[at] = true;
        b->rows *= 0.5;
        left.n--;
    }
    return kt_plan_subqueries(p, &left, b);
}

/* ---- hops ---- */

/* Those of the rows of `have`: a hop on the other side of a join is told apart above it. */
static KtStatus hop_differs(Planner *p, const Match *m, const Hop *hop, Slots have, KtPlanRel *out)
{
    KtSlot *differs = kt_arena_alloc(p->arena, (m->hops + 1) * sizeof *differs);
    if (!differs)
        return KT_ERR_MEMORY;
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->hops; i++) {
        const Hop *other = &m->hop[i];
        if (other != hop && other->done && slots_has(have, other->rel->slot) &&
            kt_plan_may_coincide(p, hop->rel, other->rel))
            differs[n++] = other->rel->slot;
    }
    out->differs = differs;
    out->n_differs = n;
    return KT_OK;
}

static KtDir flip(KtDir dir) { return dir == KT_OUT ? KT_IN : dir == KT_IN ? KT_OUT : KT_BOTH; }

KtStatus kt_plan_new_props(Planner *p, const KtBoundProp *prop, uint32_t n,
                           const KtPlanNewProp **out)
{
    KtPlanNewProp *list = kt_arena_alloc(p->arena, (n + 1) * sizeof *list);
    if (!list)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        list[i].key = prop[i].key;
        KT_TRY(kt_planner_program(p, prop[i].value, &list[i].value));
    }
    *out = list;
    return KT_OK;
}

static double var_fanout(double degree, uint32_t min, uint32_t max)
{
    double hops = fmin(max, 5);
    (void)min;
    return fmin(pow(fmax(degree, 1.01), hops), 1e12);
}

static KtStatus plan_hop(Planner *p, Match *m, Hop *hop, Build *b)
{
    const KtBoundRel *rel = hop->rel;
    bool from_left = slots_has(b->have, hop->left);
    KtSlot from = from_left ? hop->left : hop->right, to = from_left ? hop->right : hop->left;
    bool into = slots_has(b->have, to);
    bool known = slots_has(b->have, rel->slot); /* the relationship is bound: find it and compare */
    KtSlot slot = rel->slot;
    if (known)
        KT_TRY(kt_planner_fresh(p, &slot));
    KtPlanRel planned = {.slot = hop->wanted || known ? slot : KT_NO_SLOT,
                         .dir = from_left ? rel->dir : flip(rel->dir),
                         .type = rel->type,
                         .types = rel->types};
    KT_TRY(hop_differs(p, m, hop, b->have, &planned));
    double degree = kt_plan_est_degree(p, rel->dir, rel->type, rel->types);
    KtPlan *plan;
    if (rel->var_length) {
        b->rows *= into ? 1 : var_fanout(degree, rel->min, rel->max);
        KT_TRY(kt_planner_over(p, b, KT_PLAN_VAR_EXPAND, &plan));
        plan->as.var.from = from;
        plan->as.var.to = to;
        plan->as.var.into = into;
        plan->as.var.min = rel->min;
        plan->as.var.max = rel->max;
        plan->as.var.rel = planned;
        plan->as.var.path = KT_NO_SLOT;
        plan->as.var.step_node = plan->as.var.step_rel = KT_NO_SLOT;
        KT_TRY(kt_plan_new_props(p, rel->prop, rel->props, &plan->as.var.prop));
        plan->as.var.props = rel->props;
        /* A list of relationships reads from left to right: walk from the left, or not at all. */
        if (!from_left && planned.slot != KT_NO_SLOT) {
            const KtExpr *list, *turned;
            KtSlot backwards;
            KT_TRY(kt_planner_fresh(p, &backwards));
            plan->as.var.rel.slot = backwards;
            slots_add(b->have, backwards);
            KT_TRY(kt_plan_expr_slot(p, backwards, &list));
            KT_TRY(kt_plan_expr_call(p, "reverse", &list, 1, &turned));
            KtPlanProject *item = kt_arena_alloc(p->arena, sizeof *item);
            if (!item)
                return KT_ERR_MEMORY;
            item->slot = planned.slot;
            KT_TRY(kt_planner_program(p, turned, &item->program));
            slots_add(b->have, to);
            KT_TRY(kt_planner_over(p, b, KT_PLAN_PROJECT, &plan));
            plan->as.project.item = item;
            plan->as.project.n = 1;
        }
    } else {
        b->rows *=
            into ? fmin(1, degree / fmax(1, (double)p->stats.nodes)) + 0.1 : fmax(degree, 0.1);
        KT_TRY(kt_planner_over(p, b, into ? KT_PLAN_EXPAND_INTO : KT_PLAN_EXPAND, &plan));
        plan->as.expand.from = from;
        plan->as.expand.to = to;
        plan->as.expand.rel = planned;
    }
    slots_add(b->have, to);
    slots_add(b->have, planned.slot);
    hop->done = true;
    if (known) {
        const KtExpr *pair[2], *equal;
        KT_TRY(kt_plan_expr_slot(p, slot, &pair[0]));
        KT_TRY(kt_plan_expr_slot(p, rel->slot, &pair[1]));
        KT_TRY(kt_plan_expr_call(p, "=", pair, 2, &equal));
        KT_TRY(kt_plan_filter(p, &equal, 1, b));
    }
    return KT_OK;
}

/* The relationship is bound and neither end is: the ends come from it. */
static KtStatus plan_ends_of(Planner *p, const Hop *hop, Build *b)
{
    const KtExpr *rel, *start, *end, *node;
    KtPlan *plan;
    KT_TRY(kt_plan_expr_slot(p, hop->rel->slot, &rel));
    KT_TRY(kt_plan_expr_call(p, "startNode", &rel, 1, &start));
    KT_TRY(kt_plan_expr_call(p, "endNode", &rel, 1, &end));
    if (hop->rel->dir == KT_BOTH) { /* either end may be the left one; a self-loop only once */
        KtExpr *list = kt_arena_zero(p->arena, 1, sizeof *list),
               *once = kt_arena_zero(p->arena, 1, sizeof *once);
        KtExpr *pick = kt_arena_zero(p->arena, 1, sizeof *pick);
        const KtExpr **ends = kt_arena_alloc(p->arena, 2 * sizeof *ends);
        const KtExpr **cases = kt_arena_alloc(p->arena, 3 * sizeof *cases);
        const KtExpr *pair[2] = {start, end}, *same;
        if (!list || !once || !pick || !ends || !cases)
            return KT_ERR_MEMORY;
        KT_TRY(kt_plan_expr_call(p, "=", pair, 2, &same));
        ends[0] = start;
        ends[1] = end;
        *list = (KtExpr){.kind = KT_EXPR_LIST, .type = KT_TYPE_ANY, .args = 2, .arg = ends};
        *once = (KtExpr){.kind = KT_EXPR_LIST, .type = KT_TYPE_ANY, .args = 1, .arg = ends};
        cases[0] = same;
        cases[1] = once;
        cases[2] = list;
        *pick = (KtExpr){.kind = KT_EXPR_CASE, .type = KT_TYPE_ANY, .args = 3, .arg = cases};
        KT_TRY(kt_planner_over(p, b, KT_PLAN_UNWIND, &plan));
        plan->as.unwind.slot = hop->left;
        KT_TRY(kt_planner_program(p, pick, &plan->as.unwind.list));
    } else {
        node = hop->rel->dir == KT_OUT ? start : end;
        KtPlanProject *item = kt_arena_alloc(p->arena, sizeof *item);
        if (!item)
            return KT_ERR_MEMORY;
        item->slot = hop->left;
        KT_TRY(kt_planner_program(p, node, &item->program));
        KT_TRY(kt_planner_over(p, b, KT_PLAN_PROJECT, &plan));
        plan->as.project.item = item;
        plan->as.project.n = 1;
    }
    slots_add(b->have, hop->left);
    return KT_OK;
}

/* ---- the whole MATCH ---- */

/* A test that the planner has just made. */
static void may_fail_if(const KtExpr *test, bool fails)
{
    ((KtExpr *)(uintptr_t)test)->may_fail = fails;
}

static KtStatus add_node(Planner *p, Match *m, const KtBoundNode *node)
{
    if (node->labels) {
        const KtExpr *test;
        KT_TRY(kt_plan_expr_labels(p, node->slot, node->label, node->labels, &test));
        may_fail_if(test, node->meets_deleted);
        KT_TRY(kt_plan_conjuncts_add(p, m->where, test));
    }
    for (uint32_t i = 0; i < node->props; i++) {
        const KtExpr *pair[2], *equal;
        KT_TRY(kt_plan_expr_prop(p, node->slot, node->prop[i].key, &pair[0]));
        pair[1] = node->prop[i].value;
        KT_TRY(kt_plan_expr_call(p, "=", pair, 2, &equal));
        may_fail_if(equal, node->prop[i].value->may_fail || node->meets_deleted);
        KT_TRY(kt_plan_conjuncts_add(p, m->where, equal));
    }
    for (uint32_t i = 0; i < m->nodes; i++) {
        if (m->node[i]->slot == node->slot) {
            if (node->labels > m->node[i]->labels)
                m->node[i] = node;
            return KT_OK;
        }
    }
    m->node[m->nodes++] = node;
    return KT_OK;
}

static KtStatus add_pattern(Planner *p, Match *m, const KtBoundPattern *pattern)
{
    for (uint32_t i = 0; i <= pattern->rels; i++)
        KT_TRY(add_node(p, m, &pattern->node[i]));
    if (pattern->kind != KT_PATTERN_PLAIN)
        return KT_OK;
    for (uint32_t i = 0; i < pattern->rels; i++) {
        const KtBoundRel *rel = &pattern->rel[i];
        if (!rel->var_length) {
            for (uint32_t k = 0; k < rel->props; k++) {
                const KtExpr *pair[2], *equal;
                KT_TRY(kt_plan_expr_prop(p, rel->slot, rel->prop[k].key, &pair[0]));
                pair[1] = rel->prop[k].value;
                KT_TRY(kt_plan_expr_call(p, "=", pair, 2, &equal));
                may_fail_if(equal, rel->prop[k].value->may_fail || rel->meets_deleted);
                KT_TRY(kt_plan_conjuncts_add(p, m->where, equal));
            }
        }
        m->hop[m->hops++] =
            (Hop){.rel = rel,
                  .left = pattern->node[i].slot,
                  .right = pattern->node[i + 1].slot,
                  .wanted = rel->named || pattern->path != KT_NO_SLOT || rel->props > 0};
    }
    return KT_OK;
}

/* The next hop with an end at hand: one with both ends first, else the one that grows the rows least. */
static Hop *next_hop(Planner *p, Match *m, const Build *b)
{
    Hop *best = NULL;
    double least = INFINITY;
    for (uint32_t i = 0; i < m->hops; i++) {
        Hop *hop = &m->hop[i];
        bool left = slots_has(b->have, hop->left), right = slots_has(b->have, hop->right);
        if (hop->done || (!left && !right))
            continue;
        double cost = kt_plan_est_degree(p, hop->rel->dir, hop->rel->type, hop->rel->types);
        if (hop->rel->var_length)
            cost = 1000 + var_fanout(cost, hop->rel->min, hop->rel->max);
        if (left && right)
            cost = hop->rel->var_length ? 500 : -1;
        if (cost < least) {
            least = cost;
            best = hop;
        }
    }
    return best;
}

static bool within(const Match *m, KtSlot slot) { return !m->within || slots_has(m->within, slot); }

KtStatus kt_plan_next_start(Planner *p, const Match *m, Slots have, Start *start,
                            const KtBoundNode **node)
{
    *node = NULL;
    *start = (Start){.rows = INFINITY};
    for (uint32_t i = 0; i < m->nodes; i++) {
        const KtBoundNode *at = m->node[i];
        if (slots_has(have, at->slot) || !within(m, at->slot))
            continue;
        Start found;
        KT_TRY(kt_plan_best_start(p, at->slot, at->label, at->labels, m->where, have, &found));
        if (found.rows < start->rows) {
            *start = found;
            *node = at;
        }
    }
    return KT_OK;
}

/* Begins a connected piece: at a bound relationship, a relationship found by id, or the cheapest node. */
static KtStatus begin_piece(Planner *p, Match *m, Build *b, bool *more)
{
    for (uint32_t i = 0; i < m->hops; i++) {
        Hop *hop = &m->hop[i];
        if (!hop->done && !hop->rel->var_length && slots_has(b->have, hop->rel->slot))
            return plan_ends_of(p, hop, b);
    }
    const KtBoundNode *node;
    Start best;
    KT_TRY(kt_plan_next_start(p, m, b->have, &best, &node));
    if (!node) {
        *more = false;
        return KT_OK;
    }
    for (uint32_t i = 0; best.rows > 1 && i < m->hops; i++) {
        Hop *hop = &m->hop[i];
        Start seek;
        if (hop->done || hop->rel->var_length || !within(m, hop->left) ||
            !kt_plan_find_id_seek(p, hop->rel->slot, m->where, b->have, &seek))
            continue;
        KtPlan *plan;
        KT_TRY(kt_planner_over(p, b, KT_PLAN_SEEK_ID, &plan));
        plan->as.seek_id.slot = hop->rel->slot;
        plan->as.seek_id.rel = true;
        plan->as.seek_id.element_id = seek.element_id;
        plan->as.seek_id.in_list = seek.in_list;
        slots_add(b->have, hop->rel->slot);
        m->where->done[seek.conjunct] = true;
        return kt_planner_program(p, seek.key, &plan->as.seek_id.id);
    }
    if (best.conjunct != UINT32_MAX)
        m->where->done[best.conjunct] = true;
    for (uint32_t i = 0; best.kind == KT_PLAN_SCAN_LABEL && i < m->where->n; i++) {
        const KtExpr *test = m->where->at[i]; /* the scan itself answers (n:L) */
        if (test->kind == KT_EXPR_HAS_LABELS && test->as.names.n == 1 &&
            test->as.names.name[0] == best.label && test->arg[0]->kind == KT_EXPR_SLOT &&
            test->arg[0]->as.slot == node->slot)
            m->where->done[i] = true;
    }
    return kt_plan_start(p, node->slot, &best, b);
}

KtStatus kt_plan_pieces(Planner *p, Match *m, Build *b)
{
    KT_TRY(kt_plan_place_filters(p, m, b, false));
    for (bool more = true; more;) {
        Hop *hop = next_hop(p, m, b);
        bool joined = false;
        Slots all = m->within, begin = all;
        if (!hop && !all)
            KT_TRY(kt_plan_join(p, m, b, &joined, &begin));
        m->within = begin;
        if (hop)
            KT_TRY(plan_hop(p, m, hop, b));
        else if (!joined)
            KT_TRY(begin_piece(p, m, b, &more));
        m->within = all;
        KT_TRY(kt_plan_place_filters(p, m, b, false));
    }
    return KT_OK;
}

KtStatus kt_plan_patterns(Planner *p, const KtBoundPattern *pattern, uint32_t patterns,
                          Conjuncts *where, const KtSubqueries *subqueries, Build *b)
{
    uint32_t most_nodes = 1, most_hops = 1;
    for (uint32_t i = 0; i < patterns; i++) {
        most_nodes += pattern[i].rels + 1;
        most_hops += pattern[i].rels;
    }
    Match m = {.hop = kt_arena_zero(p->arena, most_hops, sizeof(Hop)),
               .node = kt_arena_zero(p->arena, most_nodes, sizeof(const KtBoundNode *)),
               .where = where,
               .subqueries = subqueries};
    if (!m.hop || !m.node)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < patterns; i++)
        KT_TRY(add_pattern(p, &m, &pattern[i]));
    if (m.hops > 1) { /* hops that may be the same relationship must be told apart */
        for (uint32_t i = 0; i < m.hops; i++)
            m.hop[i].wanted = true;
    }
    Slots reads;
    KT_TRY(kt_planner_slots(p, &reads));
    for (uint32_t i = 0; i < where->n; i++)
        kt_plan_expr_slots(where->at[i], reads);
    for (uint32_t i = 0; i < m.hops; i++)
        m.hop[i].wanted |= slots_has(reads, m.hop[i].rel->slot);

    KT_TRY(kt_plan_pieces(p, &m, b));
    for (uint32_t i = 0; i < patterns; i++) {
        if (pattern[i].kind != KT_PATTERN_PLAIN)
            KT_TRY(kt_plan_shortest(p, &m, &pattern[i], b));
        else if (pattern[i].path != KT_NO_SLOT)
            KT_TRY(kt_plan_path(p, &pattern[i], b));
    }
    KT_TRY(kt_plan_place_filters(p, &m, b, false));
    KT_TRY(place_subqueries(p, &m, b));
    KT_TRY(kt_plan_place_filters(p, &m, b, true));
    for (uint32_t i = 0; i < where->n; i++)
        KT_CHECK(where->done[i]);
    return KT_OK;
}

KtStatus kt_plan_match(Planner *p, const KtBoundClause *clause, Build *b)
{
    Conjuncts where = {0};
    KT_TRY(kt_plan_conjuncts_add(p, &where, clause->as.match.where));
    if (!clause->as.match.optional)
        return kt_plan_patterns(p, clause->as.match.pattern, clause->as.match.patterns, &where,
                                &clause->subqueries, b);
    Build inner;
    KT_TRY(kt_planner_argument(p, b->have, &inner));
    KT_TRY(kt_plan_patterns(p, clause->as.match.pattern, clause->as.match.patterns, &where,
                            &clause->subqueries, &inner));
    uint32_t n = 0;
    KtSlot *slot = kt_arena_alloc(p->arena, (size_t)p->slots * sizeof *slot);
    if (!slot)
        return KT_ERR_MEMORY;
    for (KtSlot s = 0; s < p->slots; s++) {
        if (slots_has(inner.have, s) && !slots_has(b->have, s))
            slot[n++] = s;
    }
    KtPlan *plan;
    b->rows *= fmax(1, inner.rows);
    KT_TRY(kt_planner_over(p, b, KT_PLAN_OPTIONAL, &plan));
    plan->child[1] = inner.plan;
    plan->as.optional.null_slot = slot;
    plan->as.optional.n = n;
    kt_plan_slots_join(p, b->have, inner.have);
    return KT_OK;
}
