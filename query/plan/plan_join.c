/* query/plan/plan_join.c - two parts of a pattern that share no variable, and an equality between them: HashJoin in
 * place of a Product under a Filter.
 *
 * A piece that nothing planned so far reaches is planned as a side of its own, with the hops and conjuncts that lie
 * within it, and joined to the rows so far by every equality of which one side reads only these rows and the other
 * only the piece. Where each row can find its own by an equality that an index or an id answers, that is preferred.
 *
 * What must hold: rows and errors are those of the filter form. So a key never may fail, nor may anything in the new
 * side, where only conjuncts that cannot are placed. The rows so far become the built side, if that is the smaller
 * one, only where they come from reading alone and cannot fail: writes stand below the probe, and an error must
 * not come before rows that stood before it. Relationships of the same MATCH on both sides are told apart
 * above the join. */
#include "query/plan/plan_internal.h"

#include <math.h>

enum {
    PIECES_MOST = 32
}; /* looked at before one is taken: statements of a thousand pieces plan in time */

/* All that is known of a piece before it is planned. */
typedef struct Piece {
    bool seeks;           /* each of the rows so far finds its own by an index or an id */
    bool joins;           /* there are keys, and it can be planned by itself */
    double cost;          /* in rows looked at */
    Slots slots;          /* its nodes and relationships */
    const KtExpr **apart; /* tests that a relationship is not one of the rows so far */
    uint32_t n_apart;
    const KtProgram **left, **right; /* keys: of the rows so far, and of the piece */
    uint32_t *conjunct;              /* that the keys come from */
    uint32_t keys;
} Piece;

static bool reads_nothing(const Planner *p, const KtExpr *expr, Slots none)
{
    return kt_plan_expr_covered(p, expr, none);
}

/* The slots that hang together with a node, by hops that are not planned yet. */
static void spread(const Match *m, KtSlot from, Slots into)
{
    slots_add(into, from);
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < m->hops; i++) {
            const Hop *hop = &m->hop[i];
            bool left = slots_has(into, hop->left), right = slots_has(into, hop->right);
            if (hop->done || (!left && !right))
                continue;
            more |= !left || !right || !slots_has(into, hop->rel->slot);
            slots_add(into, hop->left);
            slots_add(into, hop->right);
            slots_add(into, hop->rel->slot);
        }
    }
}

/* The test that two relationships are not the same one. */
static KtStatus add_apart(Planner *p, Piece *piece, KtSlot a, KtSlot b)
{
    const KtExpr *pair[2];
    KT_TRY(kt_plan_expr_slot(p, a, &pair[0]));
    KT_TRY(kt_plan_expr_slot(p, b, &pair[1]));
    return kt_plan_expr_call(p, "<>", pair, 2, &piece->apart[piece->n_apart++]);
}

/* Whether the hops of the piece can be planned without the rows so far; collects what must be told apart above. */
static KtStatus hops_fit(Planner *p, const Match *m, Slots have, Slots none, Piece *piece,
                         bool *fit)
{
    *fit = false;
    piece->apart = kt_arena_alloc(p->arena, ((size_t)m->hops * m->hops + 1) * sizeof *piece->apart);
    if (!piece->apart)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < m->hops; i++) {
        const Hop *hop = &m->hop[i];
        const KtBoundRel *rel = hop->rel;
        Start seek;
        if (hop->done || !slots_has(piece->slots, hop->left))
            continue;
        if (slots_has(have, rel->slot))
            return KT_OK; /* it is a relationship that the rows carry */
        for (uint32_t k = 0; rel->var_length && k < rel->props; k++) {
            if (!reads_nothing(p, rel->prop[k].value, none))
                return KT_OK;
        }
        if (!rel->var_length && kt_plan_find_id_seek(p, rel->slot, m->where, have, &seek) &&
            !reads_nothing(p, seek.key, none))
            return KT_OK; /* it is found by what the rows carry */
        for (uint32_t k = 0; k < m->hops; k++) {
            const Hop *other = &m->hop[k];
            if (!other->done || !kt_plan_may_coincide(p, rel, other->rel))
                continue;
            if (rel->var_length || other->rel->var_length)
                return KT_OK; /* would need a look into lists */
            KT_TRY(add_apart(p, piece, rel->slot, other->rel->slot));
        }
    }
    *fit = true;
    return KT_OK;
}

/* WHERE has an equality left that may join. */
static bool any_equality(const Conjuncts *where)
{
    for (uint32_t i = 0; i < where->n; i++) {
        if (!where->done[i] && !where->at[i]->may_fail && kt_plan_expr_is_call(where->at[i], "="))
            return true;
    }
    return false;
}

static bool cannot_fail(const KtProgram *program)
{
    return !program || (!kt_program_may_fail(program) && !kt_program_per_row(program));
}

/* Takes `left` = `right` as keys if the one reads only the rows so far and the other only the piece. */
static KtStatus take_key(Planner *p, const KtExpr *left, const KtExpr *right, Slots have,
                         Piece *piece, bool *taken)
{
    const KtProgram **l = &piece->left[piece->keys], **r = &piece->right[piece->keys];
    *taken = false;
    if (!kt_plan_expr_covered(p, left, have) || !kt_plan_expr_covered(p, right, piece->slots))
        return KT_OK;
    KT_TRY(kt_planner_program(p, left, l));
    KT_TRY(kt_planner_program(p, right, r));
    *taken = cannot_fail(*l) && cannot_fail(*r);
    return KT_OK;
}

/* The equalities between the rows so far and the piece: those of WHERE that cannot fail. */
static KtStatus find_keys(Planner *p, const Conjuncts *where, Slots have, Piece *piece)
{
    size_t most = (size_t)where->n + 1;
    piece->left = kt_arena_alloc(p->arena, most * sizeof *piece->left);
    piece->right = kt_arena_alloc(p->arena, most * sizeof *piece->right);
    piece->conjunct = kt_arena_alloc(p->arena, most * sizeof *piece->conjunct);
    if (!piece->left || !piece->right || !piece->conjunct)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < where->n; i++) {
        const KtExpr *test = where->at[i];
        bool taken;
        if (where->done[i] || test->may_fail || test->per_row || test->args != 2 ||
            !kt_plan_expr_is_call(test, "=") || kt_plan_expr_covered(p, test, piece->slots))
            continue; /* one of the piece alone is its filter */
        KT_TRY(take_key(p, test->arg[0], test->arg[1], have, piece, &taken));
        if (!taken)
            KT_TRY(take_key(p, test->arg[1], test->arg[0], have, piece, &taken));
        if (taken)
            piece->conjunct[piece->keys++] = i;
    }
    return KT_OK;
}

/* The plan only reads the graph, as this or earlier MATCHes ask, and no row of it can fail. *many: there may be more
 * rows than the estimate says. */
static bool reads_only(const KtPlan *plan, bool *many)
{
    for (; plan; plan = plan->child[0]) {
        switch (plan->kind) {
        case KT_PLAN_ARGUMENT: break;
        case KT_PLAN_SCAN_ALL:
        case KT_PLAN_SCAN_LABEL:
        case KT_PLAN_EXPAND: *many = true; break;
        case KT_PLAN_EXPAND_INTO: break;
        case KT_PLAN_SEEK_ID:
            *many |= plan->as.seek_id.in_list;
            if (!cannot_fail(plan->as.seek_id.id))
                return false;
            break;
        case KT_PLAN_SEEK_INDEX:
            *many = true;
            if (!cannot_fail(plan->as.seek_index.equal) || !cannot_fail(plan->as.seek_index.low) ||
                !cannot_fail(plan->as.seek_index.high))
                return false;
            break;
        case KT_PLAN_FILTER:
            for (uint32_t i = 0; i < plan->as.filter.n; i++) {
                if (!cannot_fail(plan->as.filter.test[i]))
                    return false;
            }
            break;
        case KT_PLAN_PROJECT:
            for (uint32_t i = 0; i < plan->as.project.n; i++) {
                if (!cannot_fail(plan->as.project.item[i].program))
                    return false;
            }
            break;
        case KT_PLAN_PRODUCT:
        case KT_PLAN_HASH_JOIN:
            if (!reads_only(plan->child[1], many))
                return false;
            break;
        case KT_PLAN_EXPAND_DEGREE:
        case KT_PLAN_EXPAND_DISTINCT:
        case KT_PLAN_EXPAND_COUNT:
        case KT_PLAN_EXPAND_COUNT_DISTINCT:
        case KT_PLAN_VAR_EXPAND:
        case KT_PLAN_SHORTEST_PATH:
        case KT_PLAN_MAKE_PATH:
        case KT_PLAN_UNWIND:
        case KT_PLAN_APPLY:
        case KT_PLAN_OPTIONAL:
        case KT_PLAN_SEMI_APPLY:
        case KT_PLAN_COLLECT_APPLY:
        case KT_PLAN_DISTINCT:
        case KT_PLAN_AGGREGATE:
        case KT_PLAN_SORT:
        case KT_PLAN_TOP_N:
        case KT_PLAN_SKIP:
        case KT_PLAN_LIMIT:
        case KT_PLAN_UNWEIGH:
        case KT_PLAN_UNION:
        case KT_PLAN_BARRIER:
        case KT_PLAN_CREATE:
        case KT_PLAN_SET:
        case KT_PLAN_DELETE:
        case KT_PLAN_MERGE:
        case KT_PLAN_RESULT:
        case KT_PLAN_SHOW:
        case KT_PLAN_KIND_COUNT: return false;
        }
    }
    return true;
}

static KtStatus join(Planner *p, const Piece *piece, bool may_turn, Build *side, Build *b)
{
    bool turn = may_turn && b->rows < side->rows; /* the smaller one is built */
    KtPlan *built = turn ? b->plan : side->plan, *plan;
    if (turn)
        b->plan = side->plan;
    b->rows = fmax(b->rows, side->rows) * pow(0.3, piece->keys - 1);
    KT_TRY(kt_planner_over(p, b, KT_PLAN_HASH_JOIN, &plan));
    plan->child[1] = built;
    plan->as.join.left = turn ? piece->right : piece->left;
    plan->as.join.right = turn ? piece->left : piece->right;
    plan->as.join.n = piece->keys;
    plan->as.join.probe_may_fail = !may_turn;
    kt_plan_slots_join(p, b->have, side->have);
    return kt_plan_filter(p, piece->apart, piece->n_apart, b);
}

/* What the piece around a node is to the rows so far. */
static KtStatus look_at(Planner *p, Match *m, const Build *b, Slots none, KtSlot node, Piece *out)
{
    Piece piece = {0};
    Start start;
    const KtBoundNode *first;
    bool fit;
    KT_TRY(kt_planner_slots(p, &piece.slots));
    spread(m, node, piece.slots);
    m->within = piece.slots;
    KtStatus status = kt_plan_next_start(p, m, b->have, &start, &first);
    m->within = NULL;
    KT_TRY(status);
    piece.seeks = start.key && !reads_nothing(p, start.key, none);
    piece.cost = piece.seeks ? b->rows * start.rows : b->rows + start.rows;
    if (!piece.seeks) {
        KT_TRY(find_keys(p, m->where, b->have, &piece));
        if (piece.keys > 0)
            KT_TRY(hops_fit(p, m, b->have, none, &piece, &fit));
        piece.joins = piece.keys > 0 && fit;
    }
    *out = piece;
    return KT_OK;
}

/* The cheapest piece that hangs together with the rows so far by a seek or by keys; *found false: none does, or one is
 * a row at most, by which others may be found. */
static KtStatus choose(Planner *p, Match *m, const Build *b, Piece *best, bool *found)
{
    Slots none, seen;
    Start start;
    const KtBoundNode *node;
    *found = false;
    KT_TRY(kt_planner_slots(p, &none));
    KT_TRY(kt_planner_slots(p, &seen));
    KT_TRY(kt_plan_next_start(p, m, b->have, &start, &node));
    bool single = node && start.rows <= 1;
    for (uint32_t i = 0, looked = 0; i < m->nodes && looked < PIECES_MOST; i++) {
        KtSlot slot = m->node[i]->slot;
        if (slots_has(b->have, slot) || slots_has(seen, slot))
            continue;
        Piece piece;
        KtArenaMark mark = kt_arena_mark(p->arena);
        looked++;
        KT_TRY(look_at(p, m, b, none, slot, &piece));
        kt_plan_slots_join(p, seen, piece.slots);
        if ((!piece.seeks && !piece.joins) || (*found && piece.cost >= best->cost) ||
            (single && !slots_has(piece.slots, node->slot))) {
            kt_arena_rewind(p->arena, mark);
            continue;
        }
        *best = piece;
        *found = true;
    }
    return KT_OK;
}

KtStatus kt_plan_join(Planner *p, Match *m, Build *b, bool *joined, Slots *begin)
{
    *joined = false;
    *begin = NULL;
    if (b->correlated || !any_equality(m->where))
        return KT_OK;
    bool found, many = b->rows > 1, may_turn = reads_only(b->plan, &many);
    if (!many)
        return KT_OK; /* a single row: the piece's own rows under a filter */
    for (uint32_t i = 0; i < m->hops; i++) {
        if (!m->hop[i].done && slots_has(b->have, m->hop[i].rel->slot))
            return KT_OK; /* begins at a relationship that is known */
    }
    Piece piece;
    KT_TRY(choose(p, m, b, &piece, &found));
    if (!found)
        return KT_OK;
    if (piece.seeks) {
        *begin = piece.slots;
        return KT_OK;
    }
    for (uint32_t i = 0; i < piece.keys; i++)
        m->where->done[piece.conjunct[i]] = true;
    Build side;
    KT_TRY(kt_planner_argument(p, NULL, &side));
    m->within = piece.slots;
    KT_TRY(kt_plan_pieces(p, m, &side));
    m->within = NULL;
    *joined = true;
    return join(p, &piece, may_turn, &side, b);
}
