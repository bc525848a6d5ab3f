/* query/bind/bind_clause.c - MATCH, UNWIND, CALL, and the projections WITH and RETURN.
 *
 * A projection with an aggregate is split: the items without one are grouping keys, the others are computed from
 * keys and aggregates alone. */
#include "query/bind/bind_internal.h"

#include <stdlib.h>

enum { INT = KT_KIND_BIT(KT_INT) };

KtStatus kt_bind_match(KtBinder *b, const KtAstClause *c, KtBoundClause *out)
{
    out->kind = KT_CLAUSE_MATCH;
    out->as.match.optional = c->as.match.optional;
    out->as.match.patterns = c->as.match.paths.n;
    KT_TRY(kt_bind_patterns(b, c->as.match.paths, KT_PATTERN_MATCH, &out->as.match.pattern));
    if (c->as.match.where)
        KT_TRY(kt_bind_where(b, c->as.match.where, "WHERE", &out->as.match.where));
    return KT_OK;
}

KtStatus kt_bind_unwind(KtBinder *b, const KtAstClause *c, KtBoundClause *out)
{
    out->kind = KT_CLAUSE_UNWIND;
    KT_TRY(kt_bind_plain(b, c->as.unwind.list, "UNWIND", &out->as.unwind.list));
    /* A value that is no list gives one row. */
    KtType type = out->as.unwind.list->type;
    bool list = kt_type_is_within(type, KT_KIND_BIT(KT_LIST));
    return kt_bind_declare(b, &c->as.unwind.variable, list ? kt_type_element(type) : KT_TYPE_ANY,
                           &out->as.unwind.slot);
}

/* There are no procedures yet; but what is wrong in the statement itself is said first. */
KtStatus kt_bind_procedure(KtBinder *b, const KtAstClause *c)
{
    const KtExpr *unused;
    for (uint32_t i = 0; i < c->as.call.args.n; i++)
        KT_TRY(kt_bind_plain(b, c->as.call.args.item[i], "the arguments of CALL", &unused));
    for (uint32_t i = 0; i < c->as.call.yields; i++) {
        const KtAstYield *yield = &c->as.call.yield[i];
        KtSlot slot;
        KT_TRY(kt_bind_declare(b, yield->alias.text.at ? &yield->alias : &yield->name, KT_TYPE_ANY,
                               &slot));
    }
    return kt_diag_set(b->diag, KT_ERR_PROCEDURE_NOT_FOUND, &c->as.call.name.at,
                       "There is no procedure `%.*s`.", KT_BIND_SHOWN(c->as.call.name.text));
}

/* ---- items ---- */

/* A projection while it is bound. */
typedef struct Draft {
    const KtAstProjection *ast;
    KtBoundItem *item;
    uint32_t items, stars; /* stars: how many of them * made, in front */
    bool with, aggregates;
    KtGrouping grouping;
    KtBindScope *before, *after;
} Draft;

static KtStatus add_key(KtBinder *b, Draft *d, const KtAstExpr *ast, const KtExpr *expr, bool plain,
                        KtSlot *slot)
{
    const KtBoundKey *keys = d->grouping.keys.item;
    for (uint32_t i = 0; plain && i < d->grouping.keys.n; i++) {
        if (++b->compares > BIND_COMPARES_MOST)
            return kt_diag_set(b->diag, KT_ERR_TOO_COMPLEX, &expr->at,
                               "This projection has too many grouping keys.");
        if (keys[i].plain && keys[i].slot == expr->as.slot) {
            *slot = expr->as.slot;
            return KT_OK;
        }
    }
    KtBoundKey key = {.expr = expr, .plain = plain};
    if (plain)
        key.slot = expr->as.slot;
    else
        KT_TRY(kt_bind_slot(b, (KtText){NULL, 0}, expr->type, &key.slot));
    KT_TRY(kt_bind_push(b, &d->grouping.keys, &key, sizeof key));
    KT_TRY(kt_bind_push(b, &d->grouping.key_ast, &ast, sizeof ast));
    *slot = key.slot;
    return KT_OK;
}

/* Where the value of an item lives: a variable keeps its slot, everything else gets one. */
static KtStatus place(KtBinder *b, Draft *d, const KtAstExpr *ast, const KtExpr *expr,
                      KtBoundItem *item)
{
    item->plain = expr->kind == KT_EXPR_SLOT && (!ast || ast->kind == KT_AST_VARIABLE);
    if (d->aggregates && !(ast && kt_bind_has_aggregate(ast))) {
        KT_TRY(add_key(b, d, ast, expr, item->plain, &item->slot));
        if (!item->plain)
            kt_bind_slot_state(b, item->slot)->facts.name = item->name;
        return kt_bind_slot_expr(b, item->slot, expr->at, &item->expr);
    }
    item->expr = expr;
    if (item->plain) {
        item->slot = expr->as.slot;
        return KT_OK;
    }
    return kt_bind_slot(b, item->name, expr->type, &item->slot);
}

static KtStatus declare_item(KtBinder *b, const Draft *d, const KtBoundItem *item, KtPos at)
{
    bool made;
    if (kt_bind_scope_add(d->after, b->arena, item->name, (KtBindVariable){.index = item->slot},
                          &made) != KT_OK)
        return kt_bind_memory(b);
    if (!made)
        return kt_diag_set(b->diag, KT_ERR_COLUMN_NAME_CONFLICT, &at,
                           "Two columns are named `%.*s`.", KT_BIND_SHOWN(item->name));
    return KT_OK;
}

/* ---- * ---- */

static int by_name(const void *x, const void *y)
{
    const KtText *a = x, *c = y;
    int order = memcmp(a->at, c->at, a->len < c->len ? a->len : c->len);
    return order ? order : a->len < c->len ? -1 : a->len > c->len;
}

/* All variables of the scope (not of those around a subquery), by name. */
static KtStatus star(KtBinder *b, Draft *d)
{
    uint32_t n = d->before->names.n;
    KtText *name = kt_arena_alloc(b->arena, ((size_t)n + 1) * sizeof *name);
    if (!name)
        return kt_bind_memory(b);
    if (n == 0 && !d->with)
        return kt_diag_set(b->diag, KT_ERR_NO_VARIABLES_IN_SCOPE, &d->ast->star_at,
                           "RETURN * needs a variable: there is none here.");
    if (n)
        memcpy(name, d->before->names.text, n * sizeof *name);
    qsort(name, n, sizeof *name, by_name);
    for (uint32_t i = 0; i < n; i++) {
        KtBoundItem *item = &d->item[i];
        const KtExpr *expr;
        item->name = name[i];
        KT_TRY(kt_bind_slot_expr(b, kt_bind_scope_find(d->before, name[i])->index, d->ast->star_at,
                                 &expr));
        KT_TRY(place(b, d, NULL, expr, item));
        KT_TRY(declare_item(b, d, item, d->ast->star_at));
    }
    d->items = d->stars = n;
    return KT_OK;
}

static KtStatus item_name(KtBinder *b, const Draft *d, const KtAstItem *ast, KtText *out)
{
    bool variable = ast->value->kind == KT_AST_VARIABLE;
    if (ast->alias.text.at) {
        *out = ast->alias.text;
    } else if (variable) {
        *out = ast->value->as.name;
    } else if (d->with) {
        return kt_diag_set(b->diag, KT_ERR_NO_EXPRESSION_ALIAS, &ast->at,
                           "An expression in WITH needs a name.");
    } else {
        *out = ast->text;
    }
    return KT_OK;
}

static KtStatus items(KtBinder *b, Draft *d)
{
    const KtAstProjection *p = d->ast;
    if (p->star)
        KT_TRY(star(b, d));
    d->items = d->stars + p->items;
    for (uint32_t i = 0; i < p->items; i++)
        KT_TRY(item_name(b, d, &p->item[i], &d->item[d->stars + i].name));
    /* Keys first: what stands beside an aggregate may be one that comes later. */
    for (int aggregates = 0; aggregates < 2; aggregates++) {
        for (uint32_t i = 0; i < p->items; i++) {
            const KtAstExpr *ast = p->item[i].value;
            const KtExpr *expr;
            if (kt_bind_has_aggregate(ast) != (aggregates == 1))
                continue;
            d->grouping.open = aggregates == 1;
            KT_TRY(kt_bind_expr(b, ast, &expr));
            d->grouping.open = false;
            KT_TRY(place(b, d, ast, expr, &d->item[d->stars + i]));
        }
    }
    for (uint32_t i = 0; i < p->items; i++) {
        KtPos at = p->item[i].alias.text.at ? p->item[i].alias.at : p->item[i].at;
        KT_TRY(declare_item(b, d, &d->item[d->stars + i], at));
    }
    return KT_OK;
}

/* ---- ORDER BY, SKIP, LIMIT, WHERE ---- */

static KtStatus sorts(KtBinder *b, Draft *d, KtBoundClause *out)
{
    const KtAstProjection *p = d->ast;
    KtBoundSort *list = kt_arena_alloc(b->arena, ((size_t)p->sorts + 1) * sizeof *list);
    if (!list)
        return kt_bind_memory(b);
    KtRepeats repeats = {p, d->item, d->stars};
    bool narrow = d->aggregates || p->distinct;
    b->scope = d->after;
    b->before = d->before;
    b->repeats = narrow ? &repeats : NULL;
    b->no_aggregates = !d->aggregates ? "ORDER BY of a projection that does not aggregate"
                       : p->distinct  ? "ORDER BY after DISTINCT, unless it is an item"
                                      : NULL;
    for (uint32_t i = 0; i < p->sorts; i++) {
        KT_TRY(kt_bind_expr(b, p->sort[i].value, &list[i].expr));
        list[i].descending = p->sort[i].descending;
    }
    b->before = NULL;
    b->repeats = NULL;
    b->no_aggregates = NULL;
    out->as.project.sort = list;
    out->as.project.sorts = p->sorts;
    return KT_OK;
}

static KtStatus count(KtBinder *b, const KtAstExpr *ast, const char *who, const KtExpr **out)
{
    if (!ast)
        return KT_OK;
    KtBindScope *scope = b->scope;
    KtBindList none = {0}, *subqueries = b->subqueries;
    b->scope = kt_bind_scope(b, NULL);
    if (!b->scope)
        return kt_bind_memory(b);
    b->subqueries = &none;
    KtStatus status = kt_bind_plain(b, ast, who, out);
    b->scope = scope;
    b->subqueries = subqueries;
    if (status == KT_ERR_UNDEFINED_VARIABLE || (status == KT_OK && none.n)) {
        if (b->diag && none.n == 0)
            kt_diag_clear(b->diag);
        return kt_diag_set(b->diag, KT_ERR_NON_CONSTANT_EXPRESSION, &ast->at,
                           "%s is one number for all rows: it cannot read variables or the graph.",
                           who);
    }
    KT_TRY(status);
    if ((*out)->kind == KT_EXPR_CONST && (*out)->as.value.kind == KT_INT &&
        (*out)->as.value.as.i < 0)
        return kt_diag_set(b->diag, KT_ERR_NEGATIVE_INTEGER_ARGUMENT, &ast->at,
                           "%s cannot be negative.", who);
    if ((*out)->type.kinds == KT_BIND_NULL)
        return kt_diag_set(b->diag, KT_ERR_INVALID_ARGUMENT_TYPE, &ast->at,
                           "%s takes Integer, not Null.", who);
    return kt_bind_expect(b, *out, INT, who);
}

static KtStatus filter(KtBinder *b, Draft *d, KtBoundClause *out)
{
    if (!d->ast->where)
        return KT_OK;
    KtBindList own = {0}, *subqueries = b->subqueries;
    KtRepeats repeats = {d->ast, d->item, d->stars};
    b->subqueries = &own;
    b->repeats = d->aggregates || d->ast->distinct ? &repeats : NULL;
    KT_TRY(kt_bind_where(b, d->ast->where, "WHERE", &out->as.project.where));
    b->repeats = NULL;
    b->subqueries = subqueries;
    out->as.project.where_subqueries = (KtSubqueries){own.item, own.n};
    return KT_OK;
}

KtStatus kt_bind_projection(KtBinder *b, const KtAstClause *c, KtBoundClause *out)
{
    const KtAstProjection *p = &c->as.projection;
    Draft d = {.ast = p, .with = c->kind == KT_AST_CLAUSE_WITH, .before = b->scope};
    for (uint32_t i = 0; i < p->items && !d.aggregates; i++)
        d.aggregates = kt_bind_has_aggregate(p->item[i].value);
    d.item = kt_arena_zero(b->arena, (size_t)p->items + (p->star ? b->scope->names.n : 0) + 1,
                           sizeof *d.item);
    d.after = kt_bind_scope(b, b->scope->parent);
    if (!d.item || !d.after)
        return kt_bind_memory(b);
    b->grouping = d.aggregates ? &d.grouping : NULL;
    KT_TRY(items(b, &d));

    /* Sort keys and WHERE also see what was there before, unless rows were merged. */
    if (!d.aggregates && !p->distinct)
        d.after->parent = d.before;
    KT_TRY(sorts(b, &d, out));
    b->grouping = NULL;
    KT_TRY(count(b, p->skip, "SKIP", &out->as.project.skip));
    KT_TRY(count(b, p->limit, "LIMIT", &out->as.project.limit));
    KT_TRY(filter(b, &d, out));
    d.after->parent = d.before->parent;

    out->kind = KT_CLAUSE_PROJECT;
    out->as.project.is_return = !d.with;
    out->as.project.distinct = p->distinct;
    out->as.project.aggregates = d.aggregates;
    out->as.project.key = d.grouping.keys.item;
    out->as.project.keys = d.grouping.keys.n;
    out->as.project.aggregate = d.grouping.aggregates.item;
    out->as.project.n_aggregates = d.grouping.aggregates.n;
    out->as.project.item = d.item;
    out->as.project.items = d.items;
    return KT_OK;
}
