/* query/plan/explain.c - a plan as an indented table: one operator a line, the last one first, as data flows up.
 *
 * What an operator does is told in the words of the statement where there are any; a slot without a name prints as
 * #<number>. PROFILE adds the rows and the time that each operator saw. */
#include "query/plan/plan.h"

#include <stdarg.h>
#include <stdio.h>

static void put(KtBuf *out, const char *format, ...) KT_PRINTF(2, 3);
static void put(KtBuf *out, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0)
        kt_buf_put(out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void put_text(KtBuf *out, KtText text) { kt_buf_put(out, text.at, text.len); }

static void put_slot(KtBuf *out, const KtBound *bound, KtSlot slot)
{
    if (slot == KT_NO_SLOT)
        return;
    if (slot < bound->slots && bound->slot[slot].name.len)
        put_text(out, bound->slot[slot].name);
    else
        put(out, "#%u", slot);
}

static void put_names(KtBuf *out, const KtBound *bound, const KtNameRef *name, uint32_t n,
                      const char *between)
{
    for (uint32_t i = 0; i < n; i++) {
        put(out, "%s", i ? between : ":");
        put_text(out, bound->name[name[i]].text);
    }
}

static void put_hop(KtBuf *out, const KtBound *bound, KtSlot from, KtSlot to, const KtPlanRel *rel,
                    const char *length)
{
    put(out, " (");
    put_slot(out, bound, from);
    put(out, ")%s-[", rel->dir == KT_IN ? "<" : "");
    put_slot(out, bound, rel->slot);
    put_names(out, bound, rel->type, rel->types, "|");
    put(out, "%s]-%s(", length, rel->dir == KT_OUT ? ">" : "");
    put_slot(out, bound, to);
    put(out, ")");
    if (rel->n_differs) {
        put(out, " differs from");
        for (uint32_t i = 0; i < rel->n_differs; i++) {
            put(out, "%s ", i ? "," : "");
            put_slot(out, bound, rel->differs[i]);
        }
    }
}

static void put_slots(KtBuf *out, const KtBound *bound, const KtSlot *slot, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        put(out, i ? ", " : " ");
        put_slot(out, bound, slot[i]);
    }
}

static void put_var(KtBuf *out, const KtBound *bound, const KtPlan *plan)
{
    char length[48];
    if (plan->as.var.max == UINT32_MAX)
        (void)snprintf(length, sizeof length, "*%u..", plan->as.var.min);
    else
        (void)snprintf(length, sizeof length, "*%u..%u", plan->as.var.min, plan->as.var.max);
    put_hop(out, bound, plan->as.var.from, plan->as.var.to, &plan->as.var.rel, length);
    if (plan->as.var.ends_only)
        put(out, " distinct ends only");
    if (plan->as.var.all)
        put(out, " all shortest");
    if (plan->kind == KT_PLAN_VAR_EXPAND && plan->as.var.into)
        put(out, " into");
    if (plan->as.var.node_filters + plan->as.var.rel_filters)
        put(out, " with %u conditions inside",
            plan->as.var.node_filters + plan->as.var.rel_filters);
}

/* A key of a join: a variable or a property in the words of the statement. */
static void put_key(KtBuf *out, const KtBound *bound, const KtProgram *program)
{
    const KtExpr *expr = kt_program_expr(program);
    bool prop = expr->kind == KT_EXPR_PROP;
    const KtExpr *from = prop ? expr->arg[0] : expr;
    if (from->kind != KT_EXPR_SLOT) {
        put(out, "...");
        return;
    }
    put_slot(out, bound, from->as.slot);
    if (prop) {
        put(out, ".");
        put_text(out, bound->name[expr->as.name].text);
    }
}

static void put_details(KtBuf *out, const KtBound *bound, const KtPlan *plan)
{
    switch (plan->kind) {
    case KT_PLAN_SCAN_ALL: put_slots(out, bound, &plan->as.scan_all.slot, 1); break;
    case KT_PLAN_SCAN_LABEL:
        put_slots(out, bound, &plan->as.scan_label.slot, 1);
        put_names(out, bound, &plan->as.scan_label.label, 1, ":");
        break;
    case KT_PLAN_SEEK_ID:
        put_slots(out, bound, &plan->as.seek_id.slot, 1);
        if (plan->as.seek_id.has_label)
            put_names(out, bound, &plan->as.seek_id.label, 1, ":");
        put(out, " by %s%s", plan->as.seek_id.element_id ? "elementId" : "id",
            plan->as.seek_id.in_list ? " of a list" : "");
        break;
    case KT_PLAN_SEEK_INDEX:
        put_slots(out, bound, &plan->as.seek_index.slot, 1);
        put(out, " by index ");
        put_text(out, plan->as.seek_index.index_name);
        put(out, "%s",
            plan->as.seek_index.equal ? plan->as.seek_index.in_list ? " in a list" : " ="
                                      : " range");
        break;
    case KT_PLAN_EXPAND:
    case KT_PLAN_EXPAND_INTO:
        put_hop(out, bound, plan->as.expand.from, plan->as.expand.to, &plan->as.expand.rel, "");
        break;
    case KT_PLAN_EXPAND_DEGREE:
        put_hop(out, bound, plan->as.degree.from, KT_NO_SLOT, &plan->as.degree.rel, "");
        break;
    case KT_PLAN_EXPAND_DISTINCT:
    case KT_PLAN_EXPAND_COUNT:
        put_hop(out, bound, plan->as.fold.from, plan->as.fold.to, &plan->as.fold.rel, "");
        break;
    case KT_PLAN_VAR_EXPAND:
    case KT_PLAN_SHORTEST_PATH: put_var(out, bound, plan); break;
    case KT_PLAN_MAKE_PATH: put_slots(out, bound, &plan->as.path.slot, 1); break;
    case KT_PLAN_FILTER:
        put(out, " %u condition%s", plan->as.filter.n, plan->as.filter.n == 1 ? "" : "s");
        break;
    case KT_PLAN_PROJECT:
        for (uint32_t i = 0; i < plan->as.project.n; i++) {
            put(out, i ? ", " : " ");
            put_slot(out, bound, plan->as.project.item[i].slot);
        }
        break;
    case KT_PLAN_UNWIND: put_slots(out, bound, &plan->as.unwind.slot, 1); break;
    case KT_PLAN_OPTIONAL:
        put_slots(out, bound, plan->as.optional.null_slot, plan->as.optional.n);
        break;
    case KT_PLAN_SEMI_APPLY:
        if (plan->as.semi.mark != KT_NO_SLOT)
            put_slots(out, bound, &plan->as.semi.mark, 1);
        else if (plan->as.semi.anti)
            put(out, " where nothing matches");
        break;
    case KT_PLAN_COLLECT_APPLY: put_slots(out, bound, &plan->as.collect.slot, 1); break;
    case KT_PLAN_DISTINCT: put_slots(out, bound, plan->as.distinct.key, plan->as.distinct.n); break;
    case KT_PLAN_AGGREGATE:
    case KT_PLAN_EXPAND_COUNT_DISTINCT:
        if (plan->kind == KT_PLAN_EXPAND_COUNT_DISTINCT)
            put_hop(out, bound, plan->as.aggregate.from, plan->as.aggregate.to,
                    &plan->as.aggregate.rel, "");
        for (uint32_t i = 0; i < plan->as.aggregate.n; i++) {
            const KtPlanAggregate *item = &plan->as.aggregate.item[i];
            put(out, "%s%s(%s)", i ? ", " : " ",
                item->bound->function ? item->bound->function->name : "count",
                !item->bound->function  ? "*"
                : item->bound->distinct ? "distinct"
                                        : "");
        }
        if (plan->kind == KT_PLAN_AGGREGATE && plan->as.aggregate.list_end != KT_NO_SLOT)
            put(out, " of whole lists");
        if (plan->as.aggregate.keys) {
            put(out, " by");
            for (uint32_t i = 0; i < plan->as.aggregate.keys; i++) {
                put(out, i ? ", " : " ");
                put_slot(out, bound, plan->as.aggregate.key[i].slot);
            }
        }
        break;
    case KT_PLAN_SORT:
    case KT_PLAN_TOP_N:
        put(out, " %u key%s", plan->as.sort.keys, plan->as.sort.keys == 1 ? "" : "s");
        break;
    case KT_PLAN_HASH_JOIN:
        for (uint32_t i = 0; i < plan->as.join.n; i++) {
            put(out, i ? ", " : " ");
            put_key(out, bound, plan->as.join.left[i]);
            put(out, " = ");
            put_key(out, bound, plan->as.join.right[i]);
        }
        break;
    case KT_PLAN_DELETE: put(out, "%s", plan->as.del.detach ? " with relationships" : ""); break;
    case KT_PLAN_CREATE: put(out, " %u", plan->as.create.n); break;
    case KT_PLAN_SHOW:
        put(out, "%s", plan->as.show.constraints ? " constraints" : " indexes");
        break;
    case KT_PLAN_ARGUMENT:
    case KT_PLAN_APPLY:
    case KT_PLAN_PRODUCT:
    case KT_PLAN_SKIP:
    case KT_PLAN_LIMIT:
    case KT_PLAN_UNWEIGH:
    case KT_PLAN_UNION:
    case KT_PLAN_BARRIER:
    case KT_PLAN_SET:
    case KT_PLAN_MERGE:
    case KT_PLAN_RESULT:
    case KT_PLAN_KIND_COUNT: break;
    }
}

static const char *plan_text(KtPlanKind kind)
{
    static const char *const text[] = {
#define KT_PLAN(name, words) [KT_PLAN_##name] = (words),
#include "query/plan/plan_kinds.def"
#undef KT_PLAN
    };
    return text[kind];
}

static void print_node(const KtPlanned *planned, const KtPlan *plan, unsigned depth,
                       const uint64_t *rows_of, const int64_t *ns_of, KtBuf *out)
{
    size_t start = out->len;
    for (unsigned i = 0; i < depth && i < 40; i++)
        put(out, "  ");
    put(out, "%s", plan_text(plan->kind));
    put_details(out, planned->bound, plan);
    for (size_t width = out->len - start; width < 60; width++)
        kt_buf_u8(out, ' ');
    put(out, "  %12.0f", plan->rows);
    if (rows_of)
        put(out, "  %12llu", (unsigned long long)rows_of[plan->id]);
    if (ns_of)
        put(out, "  %10.3f", (double)ns_of[plan->id] / 1e6);
    put(out, "\n");
    if (plan->child[1])
        print_node(planned, plan->child[1], depth + 1, rows_of, ns_of, out);
    if (plan->child[0])
        print_node(planned, plan->child[0], depth, rows_of, ns_of, out);
}

void kt_plan_print(const KtPlanned *planned, const uint64_t *rows_of, const int64_t *ns_of,
                   KtBuf *out)
{
    put(out, "%-60s  %12s", "Operator", "Estimate");
    if (rows_of)
        put(out, "  %12s", "Rows");
    if (ns_of)
        put(out, "  %10s", "ms");
    put(out, "\n");
    print_node(planned, planned->root, 0, rows_of, ns_of, out);
}
