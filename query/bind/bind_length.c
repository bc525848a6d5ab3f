/* query/bind/bind_length.c - may one row of a statement take long? Judged from the statement alone, before it runs.
 *
 * A quantum ends between batches of rows, never within an expression, so a thread that serves many must not begin a
 * statement with an expression whose work has no bound. What is long is known from where a value comes from: one that
 * was sent with the statement (a literal, a parameter) is short, since that thread takes only short messages; a stored
 * one may be long; one that the statement makes, by concatenation or collect, may be anything. A length is counted in
 * values sent, so that it adds up along expressions, WITH and UNWIND.
 *
 * An expression may take long when it loops (comprehension, quantifier, reduce), calls a function that goes through
 * all of one text or makes a list of any length (KT_FN_LOOPS), compares two values that are both long, searches a
 * long list, projects all properties (n {.*}) or many, or has more than LONG_LENGTH of arguments. Plain comparisons
 * with what was sent, arithmetic, property access and labels never do. Sorting, grouping and DISTINCT count as long
 * only over values that were made. */
#include "query/bind/bind.h"

#include <stdlib.h>
#include <string.h>

enum {
    SENT = 1,         /* a text, list or map in the message */
    STORED = 16,      /* a property */
    LONG_LENGTH = 64, /* above this a value, or all arguments together, are long */
    ANY_LENGTH = 255,
    ENTRIES_MOST = 16,  /* of a map projection, above this it is long */
    EXPRS_MOST = 100000 /* expressions looked at; a statement of more is not short anyway */
};

typedef struct Lengths {
    uint8_t *slot; /* by slot; 0 for numbers, nodes and all else of a fixed size */
    uint32_t exprs;
    bool loops;
} Lengths;

static void query_lengths(Lengths *l, const KtBoundQuery *query);

static uint8_t add(uint8_t a, uint8_t b)
{
    return (uint8_t)(a + b > ANY_LENGTH ? ANY_LENGTH : a + b);
}
static uint8_t most(uint8_t a, uint8_t b) { return a > b ? a : b; }
static uint8_t least(uint8_t a, uint8_t b) { return a < b ? a : b; }

/* Values of these kinds have no length that could grow. */
static bool fixed_size(KtType type)
{
    const KtKinds grows = KT_KIND_BIT(KT_TEXT) | KT_KIND_BIT(KT_LIST) | KT_KIND_BIT(KT_MAP) |
                          KT_KIND_BIT(KT_BYTES) | KT_KIND_BIT(KT_PATH) | KT_KIND_BIT(KT_VECTOR);
    return type.kinds != 0 && (type.kinds & grows) == 0;
}

/* ---- expressions ---- */

static bool is(const KtFunction *f, const char *name) { return strcmp(f->name, name) == 0; }

/* Its cost is that of the shorter side. */
static bool compares(const KtFunction *f)
{
    return is(f, "=") || is(f, "<>") || is(f, "<") || is(f, "<=") || is(f, ">") || is(f, ">=") ||
           is(f, "STARTS WITH") || is(f, "ENDS WITH");
}

static void call(Lengths *l, const KtExpr *e, const uint8_t *arg, uint8_t sum)
{
    const KtFunction *f = e->as.call.function;
    if (f->traits & KT_FN_LOOPS)
        l->loops = true;
    else if (compares(f))
        l->loops |= least(arg[0], arg[1]) >= STORED;
    else if (is(f, "IN"))
        l->loops |= arg[1] >= STORED;
    else
        l->loops |= sum > LONG_LENGTH;
}

/* A node may have any number of properties, which are merged with the entries one by one. */
static bool projects_many(const KtExpr *e)
{
    bool stars = false;
    for (uint32_t i = 0; i < e->as.project.n && !stars; i++)
        stars = e->as.project.item[i].star;
    return stars || e->as.project.n > ENTRIES_MOST;
}

/* The length of the value of `e`, which it looks into on the way. */
static uint8_t length_of(Lengths *l, const KtExpr *e)
{
    if (!e || l->loops)
        return 0;
    if (++l->exprs > EXPRS_MOST) {
        l->loops = true;
        return ANY_LENGTH;
    }
    uint8_t first[2] = {0, 0}, sum = 0, longest = 0, when = 0;
    for (uint32_t i = 0; i < e->args; i++) {
        uint8_t n = length_of(l, e->arg[i]);
        if (i < 2)
            first[i] = n;
        sum = add(sum, n);
        longest = most(longest, n);
        if (i % 2 == 1 && i + 1 < e->args) /* of a CASE with an operand */
            when = most(when, n);
    }
    uint8_t out = sum;
    switch (e->kind) {
    case KT_EXPR_CONST:
    case KT_EXPR_PARAM: out = SENT; break;
    case KT_EXPR_SLOT: out = l->slot[e->as.slot]; break;
    case KT_EXPR_PROP: /* of a node, or of a map that has its own length */
        out = fixed_size(e->arg[0]->type) ? STORED : sum;
        break;
    case KT_EXPR_CALL:
        call(l, e, first, sum);
        if (e->as.call.function->traits & KT_FN_READS_GRAPH)
            out = most(sum, STORED);
        break;
    case KT_EXPR_CASE:
        l->loops |= e->as.has_operand && least(first[0], when) >= STORED;
        out = longest;
        break;
    case KT_EXPR_MAP_PROJECTION:
        l->loops |= projects_many(e);
        out = add(sum, STORED);
        break;
    case KT_EXPR_LIST:
    case KT_EXPR_MAP: l->loops |= sum > LONG_LENGTH; break;
    case KT_EXPR_HAS_LABELS:
    case KT_EXPR_AND:
    case KT_EXPR_OR: break;
    case KT_EXPR_LOCAL:
    case KT_EXPR_COMPREHENSION:
    case KT_EXPR_QUANTIFIER:
    case KT_EXPR_REDUCE: l->loops = true; break;
    }
    return fixed_size(e->type) ? 0 : out;
}

/* Sorted by, grouped by, made distinct: compared with its like in every row. */
static void kept(Lengths *l, uint8_t length) { l->loops |= length > LONG_LENGTH; }

/* Compared with what is stored. */
static void compared(Lengths *l, const KtExpr *e) { l->loops |= length_of(l, e) >= STORED; }

/* ---- clauses ---- */

static void props(Lengths *l, const KtBoundProp *prop, uint32_t n, const KtExpr *map)
{
    for (uint32_t i = 0; i < n; i++)
        compared(l, prop[i].value);
    compared(l, map);
}

static void pattern_lengths(Lengths *l, const KtBoundPattern *pattern)
{
    for (uint32_t i = 0; i <= pattern->rels; i++)
        props(l, pattern->node[i].prop, pattern->node[i].props, pattern->node[i].prop_map);
    for (uint32_t i = 0; i < pattern->rels; i++) {
        const KtBoundRel *rel = &pattern->rel[i];
        props(l, rel->prop, rel->props, rel->prop_map);
        if (rel->var_length)
            l->slot[rel->slot] = STORED;
    }
    if (pattern->path != KT_NO_SLOT)
        l->slot[pattern->path] = STORED;
}

static void set_lengths(Lengths *l, const KtBoundSet *set, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        (void)length_of(l, set[i].target);
        (void)length_of(l, set[i].value);
    }
}

static void subquery_lengths(Lengths *l, const KtSubqueries *subqueries)
{
    for (uint32_t i = 0; i < subqueries->n; i++) {
        const KtBoundSubquery *s = &subqueries->at[i];
        query_lengths(l, s->query);
        l->slot[s->slot] = s->kind == KT_SUBQUERY_COLLECT ? ANY_LENGTH : 0;
    }
}

static void aggregate_length(Lengths *l, const KtBoundAggregate *a)
{
    uint8_t longest = 0;
    for (uint32_t i = 0; i < a->args; i++)
        longest = most(longest, length_of(l, a->arg[i]));
    kept(l, longest);
    bool collect = a->function && is(a->function, "collect");
    l->slot[a->slot] = collect ? ANY_LENGTH : longest;
}

static void project_lengths(Lengths *l, const KtBoundClause *clause)
{
    for (uint32_t i = 0; i < clause->as.project.keys; i++) {
        const KtBoundKey *key = &clause->as.project.key[i];
        uint8_t n = length_of(l, key->expr);
        kept(l, n);
        l->slot[key->slot] = n;
    }
    for (uint32_t i = 0; i < clause->as.project.n_aggregates; i++)
        aggregate_length(l, &clause->as.project.aggregate[i]);
    for (uint32_t i = 0; i < clause->as.project.items; i++) {
        const KtBoundItem *item = &clause->as.project.item[i];
        uint8_t n = length_of(l, item->expr);
        if (clause->as.project.distinct)
            kept(l, n);
        l->slot[item->slot] = n;
    }
    for (uint32_t i = 0; i < clause->as.project.sorts; i++)
        kept(l, length_of(l, clause->as.project.sort[i].expr));
    (void)length_of(l, clause->as.project.skip);
    (void)length_of(l, clause->as.project.limit);
    subquery_lengths(l, &clause->as.project.where_subqueries);
    (void)length_of(l, clause->as.project.where);
}

static void clause_lengths(Lengths *l, const KtBoundClause *clause)
{
    subquery_lengths(l, &clause->subqueries);
    switch (clause->kind) {
    case KT_CLAUSE_MATCH:
        for (uint32_t i = 0; i < clause->as.match.patterns; i++)
            pattern_lengths(l, &clause->as.match.pattern[i]);
        (void)length_of(l, clause->as.match.where);
        break;
    case KT_CLAUSE_UNWIND:
        l->slot[clause->as.unwind.slot] = length_of(l, clause->as.unwind.list);
        break;
    case KT_CLAUSE_PROJECT: project_lengths(l, clause); break;
    case KT_CLAUSE_CREATE:
        for (uint32_t i = 0; i < clause->as.create.patterns; i++)
            pattern_lengths(l, &clause->as.create.pattern[i]);
        break;
    case KT_CLAUSE_MERGE:
        pattern_lengths(l, &clause->as.merge.pattern);
        set_lengths(l, clause->as.merge.on_create, clause->as.merge.on_creates);
        set_lengths(l, clause->as.merge.on_match, clause->as.merge.on_matches);
        break;
    case KT_CLAUSE_SET: set_lengths(l, clause->as.set.item, clause->as.set.items); break;
    case KT_CLAUSE_DELETE:
        for (uint32_t i = 0; i < clause->as.del.targets; i++)
            (void)length_of(l, clause->as.del.target[i]);
        break;
    case KT_CLAUSE_SHOW:
        for (uint32_t i = 0; i < clause->as.show.slots; i++)
            l->slot[clause->as.show.slot[i]] = STORED;
        break;
    }
}

static void query_lengths(Lengths *l, const KtBoundQuery *query)
{
    for (uint32_t p = 0; p < query->parts && !l->loops; p++) {
        const KtBoundPart *part = &query->part[p];
        for (uint32_t i = 0; i < part->clauses && !l->loops; i++)
            clause_lengths(l, &part->clause[i]);
        for (uint32_t i = 0; i < part->columns && query->parts > 1 && !query->union_all; i++)
            kept(l, l->slot[part->column[i]]);
    }
}

bool kt_bound_loops(const KtBound *bound)
{
    if (bound->locals > 0)
        return true;
    if (!bound->query || bound->schema != KT_SCHEMA_NONE)
        return false;
    Lengths l = {.slot = calloc((size_t)bound->slots + 1, 1)};
    if (!l.slot)
        return true;
    query_lengths(&l, bound->query);
    free(l.slot);
    return l.loops;
}
