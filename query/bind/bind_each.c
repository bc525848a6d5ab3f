/* query/bind/bind_each.c - CASE, and the expressions that have variables of their own: comprehensions, quantifiers
 * and reduce.
 *
 * Such a variable is a local, numbered over the whole statement; it hides what has its name outside. */
#include "query/bind/bind_internal.h"

enum { BOOL = KT_KIND_BIT(KT_BOOL), LIST = KT_KIND_BIT(KT_LIST) };

/* ---- CASE ---- */

KtStatus kt_bind_case(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    uint32_t n = a->as.kase.n, args = 0;
    const KtExpr **arg = kt_arena_alloc(b->arena, ((size_t)n * 2 + 2) * sizeof *arg);
    if (!arg)
        return kt_bind_memory(b);
    bool operand = a->as.kase.of != NULL, fails = false;
    if (operand)
        KT_TRY(kt_bind_expr(b, a->as.kase.of, &arg[args++]));
    KtType type = {KT_BIND_NULL, 0};
    for (uint32_t i = 0; i < n; i++) {
        const KtAstWhen *branch = &a->as.kase.item[i];
        KT_TRY(operand ? kt_bind_expr(b, branch->when, &arg[args])
                       : kt_bind_truth(b, branch->when, &arg[args]));
        if (!operand) {
            KT_TRY(kt_bind_expect(b, arg[args], BOOL, "WHEN"));
            fails |= !kt_type_is_within(arg[args]->type, BOOL);
        }
        args++;
        KT_TRY(kt_bind_expr(b, branch->then, &arg[args]));
        type = i ? kt_type_join(type, arg[args]->type) : arg[args]->type;
        args++;
    }
    KT_TRY(a->as.kase.other ? kt_bind_expr(b, a->as.kase.other, &arg[args])
                            : kt_bind_const(b, kt_null(), a->at, &arg[args]));
    type = kt_type_join(type, arg[args]->type);
    args++;
    KtExpr *e;
    KT_TRY(kt_bind_make(b, KT_EXPR_CASE, a->at, type, arg, args, &e));
    e->as.has_operand = operand;
    e->may_fail |= fails;
    *out = e;
    return KT_OK;
}

/* ---- variables of their own ---- */

typedef struct Inside { /* what to put back when a comprehension ends */
    KtBindScope *scope;
    const char *no_aggregates;
    const KtRepeats *repeats;
} Inside;

static KtStatus go_inside(KtBinder *b, Inside *saved)
{
    *saved = (Inside){b->scope, b->no_aggregates, b->repeats};
    KtBindScope *scope = kt_bind_scope(b, b->scope);
    if (!scope)
        return kt_bind_memory(b);
    b->scope = scope;
    if (!b->in_aggregate) /* inside of one they are nested, wherever they stand */
        b->no_aggregates = "a comprehension, quantifier or reduce";
    b->repeats = NULL;
    return KT_OK;
}

static void go_outside(KtBinder *b, const Inside *saved)
{
    b->scope = saved->scope;
    b->no_aggregates = saved->no_aggregates;
    b->repeats = saved->repeats;
}

static KtStatus local(KtBinder *b, const KtAstName *name, KtType type, uint32_t *out)
{
    bool made;
    *out = b->locals++;
    if (kt_bind_scope_add(b->scope, b->arena, name->text, (KtBindVariable){true, *out, type},
                          &made) != KT_OK)
        return kt_bind_memory(b);
    if (!made)
        return kt_diag_set(b->diag, KT_ERR_VARIABLE_ALREADY_BOUND, &name->at,
                           "Variable `%.*s` is already bound.", KT_BIND_SHOWN(name->text));
    return KT_OK;
}

KtStatus kt_bind_each(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    static const struct {
        const char *name;
        KtQuantifier kind;
    } quantifier[] = {
        {"all()", KT_ALL}, {"any()", KT_ANY}, {"none()", KT_NONE}, {"single()", KT_SINGLE}};
    bool comprehension = a->kind == KT_AST_LIST_COMPREHENSION;
    uint32_t which = comprehension ? 0 : (uint32_t)(a->kind - KT_AST_ALL), number;
    const char *who = comprehension ? "A list comprehension" : quantifier[which].name;
    const KtExpr *arg[3] = {NULL, NULL, NULL};
    KT_TRY(kt_bind_expr(b, a->as.each.list, &arg[0]));
    KT_TRY(kt_bind_expect(b, arg[0], LIST, who));
    KtType element = kt_type_element(arg[0]->type);
    bool fails = !kt_type_is_within(arg[0]->type, LIST);
    Inside saved;
    KT_TRY(go_inside(b, &saved));
    KT_TRY(local(b, a->as.each.variable, element, &number));
    if (a->as.each.where) {
        KT_TRY(kt_bind_truth(b, a->as.each.where, &arg[1]));
        KT_TRY(kt_bind_expect(b, arg[1], BOOL, "WHERE"));
        fails |= !kt_type_is_within(arg[1]->type, BOOL);
    }
    if (a->as.each.value) {
        KT_TRY(kt_bind_expr(b, a->as.each.value, &arg[2]));
        element = arg[2]->type;
    }
    go_outside(b, &saved);
    KtExpr *e;
    KtType type = comprehension ? (KtType){LIST, element.kinds} : (KtType){BOOL, 0};
    KT_TRY(kt_bind_make(b, comprehension ? KT_EXPR_COMPREHENSION : KT_EXPR_QUANTIFIER, a->at, type,
                        arg, comprehension ? 3 : 2, &e));
    if (comprehension) {
        e->as.each.local = number;
    } else {
        e->as.quantify.local = number;
        e->as.quantify.kind = quantifier[which].kind;
    }
    e->may_fail |= fails;
    *out = e;
    return KT_OK;
}

KtStatus kt_bind_reduce(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    const KtExpr *arg[3];
    uint32_t total, number;
    KT_TRY(kt_bind_expr(b, a->as.reduce.start, &arg[0]));
    KT_TRY(kt_bind_expr(b, a->as.reduce.list, &arg[1]));
    KT_TRY(kt_bind_expect(b, arg[1], LIST, "reduce()"));
    Inside saved;
    KT_TRY(go_inside(b, &saved));
    /* what the total becomes is known only when the body is: any value */
    KT_TRY(local(b, a->as.reduce.total, KT_TYPE_ANY, &total));
    KT_TRY(local(b, a->as.reduce.variable, kt_type_element(arg[1]->type), &number));
    KT_TRY(kt_bind_expr(b, a->as.reduce.value, &arg[2]));
    go_outside(b, &saved);
    KtExpr *e;
    KT_TRY(kt_bind_make(b, KT_EXPR_REDUCE, a->at, kt_type_join(arg[0]->type, arg[2]->type), arg, 3,
                        &e));
    e->as.reduce.acc = total;
    e->as.reduce.local = number;
    e->may_fail |= !kt_type_is_within(arg[1]->type, LIST);
    *out = e;
    return KT_OK;
}
