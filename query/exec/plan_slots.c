/* query/exec/plan_slots.c - the slots that the rows of a plan carry, for operators that must keep whole rows. */
#include "query/exec/exec_internal.h"

static void add(uint64_t *bits, KtSlot slot)
{
    if (slot != KT_NO_SLOT)
        kt_bit_set(bits, slot);
}

static void add_all(uint64_t *bits, const KtSlot *slot, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        add(bits, slot[i]);
}

static void add_new(uint64_t *bits, const KtPlanNew *item, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        add(bits, item[i].slot);
}

/* What this node adds to its child's rows; false: its rows carry only what it adds. */
static bool own_slots(const KtPlan *p, uint64_t *bits)
{
    switch (p->kind) {
    case KT_PLAN_SCAN_ALL: add(bits, p->as.scan_all.slot); return true;
    case KT_PLAN_SCAN_LABEL: add(bits, p->as.scan_label.slot); return true;
    case KT_PLAN_SEEK_ID: add(bits, p->as.seek_id.slot); return true;
    case KT_PLAN_SEEK_INDEX: add(bits, p->as.seek_index.slot); return true;
    case KT_PLAN_EXPAND:
        add(bits, p->as.expand.to);
        add(bits, p->as.expand.rel.slot);
        return true;
    case KT_PLAN_EXPAND_INTO: add(bits, p->as.expand.rel.slot); return true;
    case KT_PLAN_EXPAND_DISTINCT:
    case KT_PLAN_EXPAND_COUNT:
        add(bits, p->as.fold.to);
        add(bits, p->as.fold.count);
        return false;
    case KT_PLAN_VAR_EXPAND:
    case KT_PLAN_SHORTEST_PATH:
        if (!p->as.var.into && p->kind == KT_PLAN_VAR_EXPAND)
            add(bits, p->as.var.to);
        add(bits, p->as.var.rel.slot);
        add(bits, p->as.var.path);
        return true;
    case KT_PLAN_MAKE_PATH: add(bits, p->as.path.slot); return true;
    case KT_PLAN_PROJECT:
        for (uint32_t i = 0; i < p->as.project.n; i++)
            add(bits, p->as.project.item[i].slot);
        return true;
    case KT_PLAN_UNWIND: add(bits, p->as.unwind.slot); return true;
    case KT_PLAN_SEMI_APPLY: add(bits, p->as.semi.mark); return true;
    case KT_PLAN_COLLECT_APPLY: add(bits, p->as.collect.slot); return true;
    case KT_PLAN_OPTIONAL: add_all(bits, p->as.optional.null_slot, p->as.optional.n); return true;
    case KT_PLAN_DISTINCT: add_all(bits, p->as.distinct.key, p->as.distinct.n); return false;
    case KT_PLAN_AGGREGATE:
    case KT_PLAN_EXPAND_COUNT_DISTINCT:
        for (uint32_t i = 0; i < p->as.aggregate.keys; i++)
            add(bits, p->as.aggregate.key[i].slot);
        for (uint32_t i = 0; i < p->as.aggregate.n; i++)
            add(bits, p->as.aggregate.item[i].slot);
        return false;
    case KT_PLAN_SORT:
    case KT_PLAN_TOP_N: add_all(bits, p->as.sort.keep, p->as.sort.n_keep); return false;
    case KT_PLAN_UNION: add_all(bits, p->as.set_union.out, p->as.set_union.n); return false;
    case KT_PLAN_BARRIER: add_all(bits, p->as.barrier.keep, p->as.barrier.n_keep); return false;
    case KT_PLAN_CREATE: add_new(bits, p->as.create.item, p->as.create.n); return true;
    case KT_PLAN_MERGE:
        add_new(bits, p->as.merge.item, p->as.merge.n);
        add_all(bits, p->as.merge.matched, p->as.merge.n_matched);
        return true;
    case KT_PLAN_SHOW: add_all(bits, p->as.show.slot, p->as.show.n); return false;
    case KT_PLAN_ARGUMENT:
    case KT_PLAN_EXPAND_DEGREE:
    case KT_PLAN_FILTER:
    case KT_PLAN_APPLY:
    case KT_PLAN_PRODUCT:
    case KT_PLAN_HASH_JOIN:
    case KT_PLAN_SKIP:
    case KT_PLAN_LIMIT:
    case KT_PLAN_UNWEIGH:
    case KT_PLAN_SET:
    case KT_PLAN_DELETE:
    case KT_PLAN_RESULT:
    case KT_PLAN_KIND_COUNT: return true;
    }
    return true;
}

void kt_plan_slots(const KtPlan *plan, uint64_t *bits)
{
    if (!own_slots(plan, bits))
        return;
    if (plan->child[0])
        kt_plan_slots(plan->child[0], bits);
    bool both = plan->kind == KT_PLAN_APPLY || plan->kind == KT_PLAN_PRODUCT ||
                plan->kind == KT_PLAN_HASH_JOIN;
    if (both && plan->child[1])
        kt_plan_slots(plan->child[1], bits);
}
