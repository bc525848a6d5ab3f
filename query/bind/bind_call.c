/* query/bind/bind_call.c - functions and aggregates: found, counted, typed; and what two expressions have in common. */
#include "query/bind/bind_internal.h"

#include <strings.h>

/* ---- functions ---- */

static KtStatus wrong_kind(KtBinder *b, const KtFunction *f, KtPos at, uint32_t i,
                           const KtExpr *arg)
{
    char wanted[160], found[160];
    bool sign = (f->traits & KT_FN_OPERATOR) != 0;
    uint32_t last = (uint32_t)KT_COUNT(f->arg) - 1;
    while (last > 0 && f->arg[last].kinds == 0)
        last--;
    if (i == UINT32_MAX)
        return kt_diag_set(b->diag, f->wrong_kind_compile, &at,
                           "%s cannot be applied to values of these kinds.", f->name);
    return kt_diag_set(b->diag, f->wrong_kind_compile, &arg->at, "%s%s takes %s, not %s.", f->name,
                       sign ? "" : "()", kt_type_words(f->arg[i < last ? i : last], wanted),
                       kt_type_words(arg->type, found));
}

/* The types of the arguments, checked; *fails: some value of them may be refused at run time. */
static KtStatus check_types(KtBinder *b, const KtFunction *f, KtPos at, const KtExpr *const *arg,
                            uint32_t n, KtType *out, bool *fails)
{
    KtType few[8], *types = few;
    if (n > KT_COUNT(few)) {
        types = kt_arena_alloc(b->arena, (size_t)n * sizeof *types);
        if (!types)
            return kt_bind_memory(b);
    }
    uint32_t last = (uint32_t)KT_COUNT(f->arg) - 1;
    while (last > 0 && f->arg[last].kinds == 0)
        last--;
    *fails = (f->traits & KT_FN_MAY_FAIL) != 0;
    for (uint32_t i = 0; i < n; i++) {
        types[i] = arg[i]->type;
        if (!kt_function_accepts(f, i, types[i]))
            return wrong_kind(b, f, at, i, arg[i]);
        *fails |= !kt_type_is_within(types[i], f->arg[i < last ? i : last].kinds);
    }
    *out = kt_function_type(f, types, n);
    return out->kinds ? KT_OK : wrong_kind(b, f, at, UINT32_MAX, NULL);
}

KtStatus kt_bind_function(KtBinder *b, const KtFunction *f, KtPos at, const KtExpr *const *arg,
                          uint32_t args, const KtExpr **out)
{
    KtType type;
    KtExpr *e;
    bool fails;
    KT_TRY(check_types(b, f, at, arg, args, &type, &fails));
    KT_TRY(kt_bind_make(b, KT_EXPR_CALL, at, type, arg, args, &e));
    e->as.call.function = f;
    if (f->traits & KT_FN_READS_GRAPH)
        kt_bind_reads_entity(b, e, fails);
    e->may_fail |= fails;
    e->per_row |= (f->traits & KT_FN_PER_ROW) != 0;
    *out = e;
    return KT_OK;
}

static KtStatus check_count(KtBinder *b, const KtFunction *f, const KtAstExpr *a)
{
    uint32_t n = a->as.call.args.n, least = f->min_args, most = f->max_args;
    if (n >= least && (n <= most || most == KT_ARGS_ANY))
        return KT_OK;
    if (most == KT_ARGS_ANY)
        return kt_diag_set(b->diag, KT_ERR_INVALID_NUMBER_OF_ARGUMENTS, &a->at,
                           "%s() takes at least %u argument%s, not %u.", f->name, least,
                           least == 1 ? "" : "s", n);
    if (least == most)
        return kt_diag_set(b->diag, KT_ERR_INVALID_NUMBER_OF_ARGUMENTS, &a->at,
                           "%s() takes %u argument%s, not %u.", f->name, least,
                           least == 1 ? "" : "s", n);
    return kt_diag_set(b->diag, KT_ERR_INVALID_NUMBER_OF_ARGUMENTS, &a->at,
                       "%s() takes %u to %u arguments, not %u.", f->name, least, most, n);
}

/* ---- aggregates ---- */

static KtStatus check_aggregate(KtBinder *b, const char *name, KtPos at)
{
    if (b->in_aggregate)
        return kt_diag_set(b->diag, KT_ERR_NESTED_AGGREGATION, &at,
                           "%s() cannot stand inside another aggregate.", name);
    if (b->no_aggregates || !b->grouping)
        return kt_diag_set(b->diag, KT_ERR_INVALID_AGGREGATION, &at, "%s() cannot aggregate in %s.",
                           name, b->no_aggregates ? b->no_aggregates : "this place");
    return KT_OK;
}

static KtStatus add_aggregate(KtBinder *b, KtBoundAggregate *made, const KtExpr **out)
{
    KT_TRY(kt_bind_slot(b, (KtText){NULL, 0}, made->type, &made->slot));
    KT_TRY(kt_bind_push(b, &b->grouping->aggregates, made, sizeof *made));
    return kt_bind_slot_expr(b, made->slot, made->at, out);
}

static KtStatus aggregate(KtBinder *b, const KtFunction *f, const KtAstExpr *a, const KtExpr **out)
{
    KT_TRY(check_aggregate(b, f->name, a->at));
    KtBindScope *scope = b->scope;
    if (b->before)
        b->scope = b->before;
    b->in_aggregate = true;
    KtBoundAggregate made = {
        .function = f, .distinct = a->as.call.distinct, .args = a->as.call.args.n, .at = a->at};
    KT_TRY(kt_bind_exprs(b, &a->as.call.args, &made.arg));
    b->in_aggregate = false;
    b->scope = scope;
    for (uint32_t i = 0; i < made.args; i++)
        if (made.arg[i]->per_row)
            return kt_diag_set(b->diag, KT_ERR_NON_CONSTANT_EXPRESSION, &made.arg[i]->at,
                               "An aggregate cannot take a value that is drawn anew each time.");
    bool fails;
    KT_TRY(check_types(b, f, a->at, made.arg, made.args, &made.type, &fails));
    return add_aggregate(b, &made, out);
}

KtStatus kt_bind_count_star(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    KT_TRY(check_aggregate(b, "count", a->at));
    KtBoundAggregate made = {.type = {KT_KIND_BIT(KT_INT), 0}, .at = a->at};
    return add_aggregate(b, &made, out);
}

/* ---- calls ---- */

KtStatus kt_bind_call(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    const KtAstName *name = a->as.call.name;
    const KtFunction *f = kt_function_find(name->text);
    if (!f || (f->traits & KT_FN_OPERATOR)) {
        const char *near = kt_function_suggest(name->text);
        KtStatus status = kt_diag_set(b->diag, KT_ERR_UNKNOWN_FUNCTION, &name->at,
                                      "There is no function `%.*s`.", KT_BIND_SHOWN(name->text));
        if (near)
            kt_diag_hint(b->diag, "Did you mean %s()?", near);
        return status;
    }
    if (f->traits & KT_FN_NOT_SUPPORTED) {
        KtStatus status = kt_diag_set(b->diag, KT_ERR_NOT_SUPPORTED, &name->at,
                                      "%s() is not supported.", f->name);
        kt_diag_hint(
            b->diag,
            "Keep points in time as integers or as ISO 8601 strings, and places as numbers.");
        return status;
    }
    KT_TRY(check_count(b, f, a));
    if (f->traits & KT_FN_AGGREGATE)
        return aggregate(b, f, a, out);
    if (a->as.call.distinct)
        return kt_diag_set(b->diag, KT_ERR_UNEXPECTED_SYNTAX, &a->at,
                           "DISTINCT is for aggregates: %s() is none.", f->name);
    const KtAstExpr *first = a->as.call.args.n ? a->as.call.args.item[0] : NULL;
    bool pattern =
        first && first->kind == KT_AST_PATTERN && first->as.path->shortest == KT_AST_EVERY_PATH;
    if (pattern && strcasecmp(f->name, "exists") == 0)
        return kt_bind_truth(b, first, out);
    const KtExpr **arg;
    KT_TRY(kt_bind_exprs(b, &a->as.call.args, &arg));
    return kt_bind_function(b, f, a->at, arg, a->as.call.args.n, out);
}

/* ---- looking into trees ---- */

static bool any_aggregate(const KtAstExprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (kt_bind_has_aggregate(list->item[i]))
            return true;
    return false;
}

static bool maybe_aggregate(const KtAstExpr *e) { return e && kt_bind_has_aggregate(e); }

bool kt_bind_has_aggregate(const KtAstExpr *e)
{
    switch (e->kind) {
    case KT_AST_LITERAL:
    case KT_AST_PARAMETER:
    case KT_AST_VARIABLE:
    case KT_AST_PATTERN:
    case KT_AST_EXISTS:
    case KT_AST_PATTERN_COMPREHENSION: return false;
    case KT_AST_COUNT_STAR: return true;
    case KT_AST_LIST: return any_aggregate(&e->as.list);
    case KT_AST_MAP:
        for (uint32_t i = 0; i < e->as.map.n; i++)
            if (kt_bind_has_aggregate(e->as.map.item[i].value))
                return true;
        return false;
    case KT_AST_OR:
    case KT_AST_XOR:
    case KT_AST_AND:
    case KT_AST_COMPARE:
    case KT_AST_ADD:
    case KT_AST_MULTIPLY:
    case KT_AST_POWER: return any_aggregate(&(KtAstExprs){e->as.chain.n, e->as.chain.item});
    case KT_AST_NOT:
    case KT_AST_MINUS:
    case KT_AST_PLUS:
    case KT_AST_IS_NULL:
    case KT_AST_IS_NOT_NULL: return kt_bind_has_aggregate(e->as.unary);
    case KT_AST_STARTS_WITH:
    case KT_AST_ENDS_WITH:
    case KT_AST_CONTAINS:
    case KT_AST_MATCHES:
    case KT_AST_IN:
    case KT_AST_INDEX:
        return kt_bind_has_aggregate(e->as.binary.left) ||
               kt_bind_has_aggregate(e->as.binary.right);
    case KT_AST_SLICE:
        return kt_bind_has_aggregate(e->as.slice.of) || maybe_aggregate(e->as.slice.from) ||
               maybe_aggregate(e->as.slice.to);
    case KT_AST_PROPERTY: return kt_bind_has_aggregate(e->as.property.of);
    case KT_AST_LABELS: return kt_bind_has_aggregate(e->as.labels.of);
    case KT_AST_CALL: {
        const KtFunction *f = kt_function_find(e->as.call.name->text);
        return (f && (f->traits & KT_FN_AGGREGATE)) || any_aggregate(&e->as.call.args);
    }
    case KT_AST_CASE:
        for (uint32_t i = 0; i < e->as.kase.n; i++)
            if (kt_bind_has_aggregate(e->as.kase.item[i].when) ||
                kt_bind_has_aggregate(e->as.kase.item[i].then))
                return true;
        return maybe_aggregate(e->as.kase.of) || maybe_aggregate(e->as.kase.other);
    case KT_AST_LIST_COMPREHENSION:
    case KT_AST_ALL:
    case KT_AST_ANY:
    case KT_AST_NONE:
    case KT_AST_SINGLE:
        return kt_bind_has_aggregate(e->as.each.list) || maybe_aggregate(e->as.each.where) ||
               maybe_aggregate(e->as.each.value);
    case KT_AST_REDUCE:
        return kt_bind_has_aggregate(e->as.reduce.start) ||
               kt_bind_has_aggregate(e->as.reduce.list) ||
               kt_bind_has_aggregate(e->as.reduce.value);
    case KT_AST_MAP_PROJECTION:
        for (uint32_t i = 0; i < e->as.projection.n; i++)
            if (maybe_aggregate(e->as.projection.item[i].value))
                return true;
        return false;
    }
    return false;
}

/* ---- the same expression twice ---- */

static bool same_text(const KtBinder *b, const KtAstExpr *x, const KtAstExpr *y)
{
    return x->at.length == y->at.length &&
           memcmp(b->text.at + x->at.offset, b->text.at + y->at.offset, x->at.length) == 0;
}

static bool same_literal(KtValue x, KtValue y)
{
    if (x.kind != y.kind)
        return false;
    if (x.kind == KT_TEXT)
        return x.len == y.len && memcmp(x.as.text, y.as.text, x.len) == 0;
    return x.kind == KT_NULL || memcmp(&x.as.i, &y.as.i, sizeof x.as.i) == 0;
}

static KtStatus same_all(KtBinder *b, const KtAstExpr *const *x, const KtAstExpr *const *y,
                         uint32_t n, bool *out)
{
    *out = true;
    for (uint32_t i = 0; i < n && *out; i++) {
        if (!x[i] || !y[i])
            *out = x[i] == y[i];
        else
            KT_TRY(kt_bind_same(b, x[i], y[i], out));
    }
    return KT_OK;
}

KtStatus kt_bind_same(KtBinder *b, const KtAstExpr *x, const KtAstExpr *y, bool *out)
{
    *out = false;
    if (++b->compares > BIND_COMPARES_MOST)
        return kt_diag_set(
            b->diag, KT_ERR_TOO_COMPLEX, &x->at,
            "This projection has too many items and sort keys to compare with each other.");
    if (x->kind != y->kind || x->depth != y->depth)
        return KT_OK;
    switch (x->kind) {
    case KT_AST_LITERAL: *out = same_literal(x->as.literal, y->as.literal); return KT_OK;
    case KT_AST_PARAMETER:
    case KT_AST_VARIABLE: *out = kt_text_eq(x->as.name, y->as.name); return KT_OK;
    case KT_AST_COUNT_STAR: *out = true; return KT_OK;
    case KT_AST_LIST:
        return x->as.list.n == y->as.list.n
                   ? same_all(b, x->as.list.item, y->as.list.item, x->as.list.n, out)
                   : KT_OK;
    case KT_AST_OR:
    case KT_AST_XOR:
    case KT_AST_AND:
    case KT_AST_COMPARE:
    case KT_AST_ADD:
    case KT_AST_MULTIPLY:
    case KT_AST_POWER:
        if (x->as.chain.n != y->as.chain.n ||
            memcmp(x->as.chain.op, y->as.chain.op, x->as.chain.n) != 0)
            return KT_OK;
        return same_all(b, x->as.chain.item, y->as.chain.item, x->as.chain.n, out);
    case KT_AST_NOT:
    case KT_AST_MINUS:
    case KT_AST_PLUS:
    case KT_AST_IS_NULL:
    case KT_AST_IS_NOT_NULL: return kt_bind_same(b, x->as.unary, y->as.unary, out);
    case KT_AST_STARTS_WITH:
    case KT_AST_ENDS_WITH:
    case KT_AST_CONTAINS:
    case KT_AST_MATCHES:
    case KT_AST_IN:
    case KT_AST_INDEX:
        return same_all(b, (const KtAstExpr *[]){x->as.binary.left, x->as.binary.right},
                        (const KtAstExpr *[]){y->as.binary.left, y->as.binary.right}, 2, out);
    case KT_AST_SLICE:
        return same_all(b, (const KtAstExpr *[]){x->as.slice.of, x->as.slice.from, x->as.slice.to},
                        (const KtAstExpr *[]){y->as.slice.of, y->as.slice.from, y->as.slice.to}, 3,
                        out);
    case KT_AST_PROPERTY:
        return kt_text_eq(x->as.property.name->text, y->as.property.name->text)
                   ? kt_bind_same(b, x->as.property.of, y->as.property.of, out)
                   : KT_OK;
    case KT_AST_CALL: {
        const KtText xn = x->as.call.name->text, yn = y->as.call.name->text;
        bool same = xn.len == yn.len && strncasecmp(xn.at, yn.at, xn.len) == 0;
        if (!same || x->as.call.distinct != y->as.call.distinct ||
            x->as.call.args.n != y->as.call.args.n)
            return KT_OK;
        return same_all(b, x->as.call.args.item, y->as.call.args.item, x->as.call.args.n, out);
    }
    case KT_AST_MAP:
    case KT_AST_LABELS:
    case KT_AST_CASE:
    case KT_AST_LIST_COMPREHENSION:
    case KT_AST_PATTERN_COMPREHENSION:
    case KT_AST_ALL:
    case KT_AST_ANY:
    case KT_AST_NONE:
    case KT_AST_SINGLE:
    case KT_AST_REDUCE:
    case KT_AST_PATTERN:
    case KT_AST_EXISTS:
    case KT_AST_MAP_PROJECTION:
        *out = same_text(b, x, y);
        return KT_OK; /* rarely repeated: letter by letter */
    }
    return KT_OK;
}
