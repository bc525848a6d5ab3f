/* query/plan/rule_use_index.c - how to get at a node: by id, by index, by label, or among all.
 *
 * An equality of id(x) or elementId(x) is a seek; an equality, membership or range on an indexed property of a labelled
 * node uses the index if it is ONLINE in the view. A start that answers a conjunct only in part (an index holds long
 * strings as prefix and hash) leaves the conjunct in place, as a filter.
 *
 * A key that may fail (r.id of an unwound r) is computed for each row that comes in, which the filter form would do
 * only where there is a node to compare with: the operator raises its error only if there is one (op_seek.c). Bounds
 * of ranges that may fail stay filters. */
#include "query/plan/plan_internal.h"

#include <math.h>

/* The two sides of a comparison with `slot`'s side first; false if neither side is what `match` wants. */
typedef bool (*SideTest)(const KtExpr *expr, KtSlot slot, KtNameRef *key);

static bool is_slot(const KtExpr *expr, KtSlot slot)
{
    return expr->kind == KT_EXPR_SLOT && expr->as.slot == slot;
}

static bool is_id_of(const KtExpr *expr, KtSlot slot, KtNameRef *key)
{
    (void)key;
    return kt_plan_expr_is_call(expr, "id") && expr->args == 1 && is_slot(expr->arg[0], slot);
}

static bool is_element_id_of(const KtExpr *expr, KtSlot slot, KtNameRef *key)
{
    (void)key;
    return kt_plan_expr_is_call(expr, "elementId") && expr->args == 1 &&
           is_slot(expr->arg[0], slot);
}

static bool is_prop_of(const KtExpr *expr, KtSlot slot, KtNameRef *key)
{
    if (expr->kind != KT_EXPR_PROP || !is_slot(expr->arg[0], slot))
        return false;
    *key = expr->as.name;
    return true;
}

/* `side OP other`, or `other OP side` when the operator turns around; other is covered and not per-row. Only the other
 * side of an equality may fail. */
static bool compare_with(const Planner *p, const KtExpr *test, const char *op, SideTest side,
                         KtSlot slot, Slots have, KtNameRef *key, const KtExpr **other,
                         bool *turned)
{
    if (!kt_plan_expr_is_call(test, op) || test->args != 2)
        return false;
    for (int i = 0; i < 2; i++) {
        const KtExpr *a = test->arg[i], *b = test->arg[1 - i];
        if (side(a, slot, key) && kt_plan_expr_covered(p, b, have) && !b->per_row &&
            (!b->may_fail || op[0] == '=')) {
            *other = b;
            *turned = i == 1;
            return true;
        }
    }
    return false;
}

static bool member_of(const Planner *p, const KtExpr *test, SideTest side, KtSlot slot, Slots have,
                      KtNameRef *key, const KtExpr **list)
{
    if (!kt_plan_expr_is_call(test, "IN") || test->args != 2 || !side(test->arg[0], slot, key))
        return false;
    const KtExpr *other = test->arg[1];
    if (!kt_plan_expr_covered(p, other, have) || other->per_row)
        return false;
    *list = other;
    return true;
}

bool kt_plan_find_id_seek(Planner *p, KtSlot slot, const Conjuncts *where, Slots have, Start *out)
{
    for (uint32_t i = 0; i < where->n; i++) {
        if (where->done[i])
            continue;
        const KtExpr *test = where->at[i];
        KtNameRef key;
        const KtExpr *other;
        bool turned;
        Start found = {.kind = KT_PLAN_SEEK_ID, .rows = 1, .conjunct = i};
        if (compare_with(p, test, "=", is_id_of, slot, have, &key, &other, &turned)) {
            found.key = other;
        } else if (compare_with(p, test, "=", is_element_id_of, slot, have, &key, &other,
                                &turned)) {
            found.key = other;
            found.element_id = true;
        } else if (member_of(p, test, is_id_of, slot, have, &key, &other)) {
            found.key = other;
            found.in_list = true;
            found.rows = 10;
        } else if (member_of(p, test, is_element_id_of, slot, have, &key, &other)) {
            found.key = other;
            found.in_list = found.element_id = true;
            found.rows = 10;
        } else {
            continue;
        }
        *out = found;
        return true;
    }
    return false;
}

static const KtIndexFacts *index_on(const Planner *p, KtNameRef label, KtNameRef key)
{
    for (uint32_t i = 0; i < p->schema->n; i++) {
        const KtIndexFacts *index = &p->schema->index[i];
        if (index->state == KT_INDEX_ONLINE &&
            kt_text_eq(index->label_name, p->bound->name[label].text) &&
            kt_text_eq(index->key_name, p->bound->name[key].text))
            return index;
    }
    return NULL;
}

static void consider(Start *best, const Start *found)
{
    if (found->rows < best->rows)
        *best = *found;
}

static KtStatus index_starts(Planner *p, KtSlot node, KtNameRef label, double label_rows,
                             const Conjuncts *where, Slots have, Start *best)
{
    for (uint32_t i = 0; i < where->n; i++) {
        if (where->done[i])
            continue;
        const KtExpr *test = where->at[i];
        KtNameRef key = 0;
        const KtExpr *other;
        bool turned;
        Start found = {.kind = KT_PLAN_SEEK_INDEX, .label = label, .conjunct = UINT32_MAX};
        if (compare_with(p, test, "=", is_prop_of, node, have, &key, &other, &turned)) {
            found.index = index_on(p, label, key);
            found.key = other;
            found.rows = found.index && found.index->unique ? 1 : 1 + label_rows / 100;
        } else if (member_of(p, test, is_prop_of, node, have, &key, &other)) {
            found.index = index_on(p, label, key);
            found.key = other;
            found.in_list = true;
            found.rows = found.index && found.index->unique ? 10 : 10 + label_rows / 10;
        } else {
            static const struct {
                const char *op;
                bool low, inclusive;
            } range[] = {
                {"<", false, false}, {"<=", false, true}, {">", true, false}, {">=", true, true}};
            for (size_t k = 0; k < KT_COUNT(range); k++) {
                if (!compare_with(p, test, range[k].op, is_prop_of, node, have, &key, &other,
                                  &turned))
                    continue;
                found.index = index_on(p, label, key);
                if (range[k].low != turned) {
                    found.low = other;
                    found.low_inclusive = range[k].inclusive;
                } else {
                    found.high = other;
                    found.high_inclusive = range[k].inclusive;
                }
                found.rows = 1 + label_rows / 3;
            }
        }
        if (found.index)
            consider(best, &found);
    }
    return KT_OK;
}

KtStatus kt_plan_best_start(Planner *p, KtSlot node, const KtNameRef *label, uint32_t labels,
                            const Conjuncts *where, Slots have, Start *out)
{
    Start best = {.kind = KT_PLAN_SCAN_ALL,
                  .rows = 2 + (double)p->stats.nodes,
                  .conjunct = UINT32_MAX},
          seek;
    if (kt_plan_find_id_seek(p, node, where, have, &seek))
        consider(&best, &seek);
    for (uint32_t i = 0; i < labels; i++) {
        KtToken token = 0;
        KT_TRY(kt_name_find(p->view, KT_NAME_LABEL, p->bound->name[label[i]].text, &token));
        double rows = token ? (double)kt_stats_label(p->db, token) : 0;
        Start scan = {.kind = KT_PLAN_SCAN_LABEL,
                      .rows = 1.5 + rows,
                      .label = label[i],
                      .conjunct = UINT32_MAX};
        consider(&best, &scan);
        KT_TRY(index_starts(p, node, label[i], rows, where, have, &best));
    }
    *out = best;
    return KT_OK;
}

KtStatus kt_plan_start(Planner *p, KtSlot node, const Start *start, Build *b)
{
    KtPlan *plan;
    bool seek = start->kind == KT_PLAN_SEEK_ID || start->kind == KT_PLAN_SEEK_INDEX;
    if (!seek && !b->correlated && b->rows > 8) {
        /* Scanning again for each of many rows: scan once and combine. */
        Build side;
        KT_TRY(kt_planner_argument(p, NULL, &side));
        KT_TRY(kt_plan_start(p, node, start, &side));
        KtPlan *right = side.plan;
        b->rows *= side.rows;
        KT_TRY(kt_planner_over(p, b, KT_PLAN_PRODUCT, &plan));
        plan->child[1] = right;
        slots_add(b->have, node);
        return KT_OK;
    }
    b->rows *= fmax(1, start->rows);
    KT_TRY(kt_planner_over(p, b, start->kind, &plan));
    switch (start->kind) {
    case KT_PLAN_SEEK_ID:
        plan->as.seek_id.slot = node;
        plan->as.seek_id.in_list = start->in_list;
        plan->as.seek_id.element_id = start->element_id;
        KT_TRY(kt_planner_program(p, start->key, &plan->as.seek_id.id));
        break;
    case KT_PLAN_SEEK_INDEX:
        plan->as.seek_index.slot = node;
        plan->as.seek_index.index = start->index->id;
        plan->as.seek_index.label = start->label;
        plan->as.seek_index.in_list = start->in_list;
        plan->as.seek_index.low_inclusive = start->low_inclusive;
        plan->as.seek_index.high_inclusive = start->high_inclusive;
        if (start->key)
            KT_TRY(kt_planner_program(p, start->key, &plan->as.seek_index.equal));
        if (start->low)
            KT_TRY(kt_planner_program(p, start->low, &plan->as.seek_index.low));
        if (start->high)
            KT_TRY(kt_planner_program(p, start->high, &plan->as.seek_index.high));
        char *name = kt_arena_text(p->arena, start->index->name.at, start->index->name.len);
        if (!name)
            return KT_ERR_MEMORY;
        plan->as.seek_index.index_name = (KtText){name, start->index->name.len};
        break;
    case KT_PLAN_SCAN_LABEL:
        plan->as.scan_label.slot = node;
        plan->as.scan_label.label = start->label;
        break;
    default: plan->as.scan_all.slot = node; break;
    }
    slots_add(b->have, node);
    return KT_OK;
}
