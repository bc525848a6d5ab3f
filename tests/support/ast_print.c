/* tests/support/ast_print.c - a syntax tree as Cypher again. Recursion is bounded by the depth of the tree. */
#include "tests/support/ast_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

static void put(KtBuf *out, const char *text) { kt_buf_put(out, text, strlen(text)); }

static void query(KtBuf *out, const KtAstQuery *q);
static void expr(KtBuf *out, const KtAstExpr *e, int least);

/* ---- words ---- */

/* A name needs backticks if it is no plain word, or one that the grammar reserves; quoting more does no harm. */
static void name(KtBuf *out, KtText text)
{
    bool plain = text.len > 0 && !(text.at[0] >= '0' && text.at[0] <= '9');
    bool upper = text.len > 1;
    for (uint32_t i = 0; i < text.len && plain; i++) {
        char c = text.at[i];
        plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    }
    static const char *const reserved[] = {
        "all",      "and",    "as",    "case",   "contains", "create",   "delete", "detach",
        "distinct", "else",   "ends",  "exists", "false",    "in",       "is",     "limit",
        "match",    "merge",  "not",   "null",   "on",       "optional", "or",     "order",
        "remove",   "return", "set",   "skip",   "starts",   "then",     "true",   "union",
        "unwind",   "when",   "where", "with",   "xor"};
    for (size_t i = 0; plain && upper && i < KT_COUNT(reserved); i++)
        plain = strlen(reserved[i]) != text.len || strncasecmp(reserved[i], text.at, text.len) != 0;
    if (plain) {
        kt_buf_put(out, text.at, text.len);
        return;
    }
    put(out, "`");
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.at[i] == '`')
            put(out, "`");
        kt_buf_put(out, text.at + i, 1);
    }
    put(out, "`");
}

static void dotted(KtBuf *out, KtText text)
{
    uint32_t from = 0;
    for (uint32_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.at[i] != '.')
            continue;
        name(out, (KtText){text.at + from, i - from});
        if (i < text.len)
            put(out, ".");
        from = i + 1;
    }
}

static void quoted(KtBuf *out, KtText text)
{
    put(out, "'");
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.at[i], escaped[8];
        if (c == '\'' || c == '\\') {
            snprintf(escaped, sizeof escaped, "\\%c", c);
            put(out, escaped);
        } else if ((unsigned char)c < 0x20) {
            snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)c);
            put(out, escaped);
        } else {
            kt_buf_put(out, &c, 1);
        }
    }
    put(out, "'");
}

static void literal(KtBuf *out, KtValue v)
{
    char text[40];
    switch (v.kind) {
    case KT_NULL: put(out, "null"); return;
    case KT_BOOL: put(out, v.as.b ? "true" : "false"); return;
    case KT_INT:
        snprintf(text, sizeof text, "%" PRId64, v.as.i);
        put(out, text);
        return;
    case KT_FLOAT:
        snprintf(text, sizeof text, "%.17g", v.as.f);
        put(out, text);
        if (!strpbrk(text, ".e"))
            put(out, ".0");
        return;
    case KT_TEXT: quoted(out, (KtText){v.as.text, v.len}); return;
    default: KT_CHECK(!"a literal of another kind");
    }
}

/* ---- patterns ---- */

static void labels(KtBuf *out, KtAstNames names)
{
    for (uint32_t i = 0; i < names.n; i++) {
        put(out, ":");
        name(out, names.item[i].text);
    }
}

static void props(KtBuf *out, const KtAstExpr *e, bool first)
{
    if (!e)
        return;
    if (!first)
        put(out, " ");
    expr(out, e, 0);
}

static void node(KtBuf *out, const KtAstNode *n)
{
    put(out, "(");
    if (n->variable.text.at)
        name(out, n->variable.text);
    labels(out, n->labels);
    props(out, n->props, !n->variable.text.at && !n->labels.n);
    put(out, ")");
}

static void rel(KtBuf *out, const KtAstRel *r)
{
    put(out, r->direction == KT_AST_IN_ ? "<-" : "-");
    if (r->variable.text.at || r->types.n || r->var_length || r->props) {
        put(out, "[");
        if (r->variable.text.at)
            name(out, r->variable.text);
        for (uint32_t i = 0; i < r->types.n; i++) {
            put(out, i ? "|" : ":");
            name(out, r->types.item[i].text);
        }
        if (r->var_length) {
            char text[64];
            put(out, "*");
            bool exact = r->least_given && r->most_given && r->least == r->most;
            if (r->least_given) {
                snprintf(text, sizeof text, "%" PRIu64, r->least);
                put(out, text);
            }
            if (!exact && (r->least_given || r->most_given))
                put(out, "..");
            if (!exact && r->most_given) {
                snprintf(text, sizeof text, "%" PRIu64, r->most);
                put(out, text);
            }
        }
        props(out, r->props, !r->variable.text.at && !r->types.n && !r->var_length);
        put(out, "]");
    }
    put(out, r->direction == KT_AST_OUT ? "->" : "-");
}

static void path(KtBuf *out, const KtAstPath *p)
{
    if (p->variable.text.at) {
        name(out, p->variable.text);
        put(out, " = ");
    }
    if (p->shortest != KT_AST_EVERY_PATH)
        put(out, p->shortest == KT_AST_SHORTEST_PATH ? "shortestPath(" : "allShortestPaths(");
    node(out, &p->node[0]);
    for (uint32_t i = 0; i < p->rels; i++) {
        rel(out, &p->rel[i]);
        node(out, &p->node[i + 1]);
    }
    if (p->shortest != KT_AST_EVERY_PATH)
        put(out, ")");
}

static void paths(KtBuf *out, KtAstPaths list)
{
    for (uint32_t i = 0; i < list.n; i++) {
        if (i)
            put(out, ", ");
        path(out, &list.item[i]);
    }
}

/* ---- expressions ---- */

enum { ANY = 0, OR = 1, XOR, AND, NOT, COMPARE, PREDICATE, ADD, MULTIPLY, POWER, SIGN, ATOM };

static int level_of(const KtAstExpr *e)
{
    switch (e->kind) {
    case KT_AST_OR: return OR;
    case KT_AST_XOR: return XOR;
    case KT_AST_AND: return AND;
    case KT_AST_NOT: return NOT;
    case KT_AST_COMPARE: return COMPARE;
    case KT_AST_IS_NULL:
    case KT_AST_IS_NOT_NULL:
    case KT_AST_STARTS_WITH:
    case KT_AST_ENDS_WITH:
    case KT_AST_CONTAINS:
    case KT_AST_MATCHES:
    case KT_AST_IN: return PREDICATE;
    case KT_AST_ADD: return ADD;
    case KT_AST_MULTIPLY: return MULTIPLY;
    case KT_AST_POWER: return POWER;
    case KT_AST_MINUS:
    case KT_AST_PLUS: return SIGN;
    case KT_AST_LITERAL: {
        bool negative = (e->as.literal.kind == KT_INT && e->as.literal.as.i < 0) ||
                        (e->as.literal.kind == KT_FLOAT && __builtin_signbit(e->as.literal.as.f));
        return negative ? SIGN : ATOM;
    }
    case KT_AST_PARAMETER:
    case KT_AST_VARIABLE:
    case KT_AST_LIST:
    case KT_AST_MAP:
    case KT_AST_INDEX:
    case KT_AST_SLICE:
    case KT_AST_PROPERTY:
    case KT_AST_LABELS:
    case KT_AST_CALL:
    case KT_AST_COUNT_STAR:
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
    case KT_AST_MAP_PROJECTION: return ATOM;
    }
    return ATOM;
}

static void exprs(KtBuf *out, KtAstExprs list)
{
    for (uint32_t i = 0; i < list.n; i++) {
        if (i)
            put(out, ", ");
        expr(out, list.item[i], ANY);
    }
}

static void chain(KtBuf *out, const KtAstExpr *e, int own)
{
    static const char *const words[] = {
        [KT_AST_OP_EQ] = " = ",     [KT_AST_OP_NE] = " <> ",   [KT_AST_OP_LT] = " < ",
        [KT_AST_OP_LE] = " <= ",    [KT_AST_OP_GT] = " > ",    [KT_AST_OP_GE] = " >= ",
        [KT_AST_OP_PLUS] = " + ",   [KT_AST_OP_MINUS] = " - ", [KT_AST_OP_TIMES] = " * ",
        [KT_AST_OP_DIVIDE] = " / ", [KT_AST_OP_MODULO] = " % "};
    const char *plain = own == OR ? " OR " : own == XOR ? " XOR " : own == AND ? " AND " : " ^ ";
    for (uint32_t i = 0; i < e->as.chain.n; i++) {
        if (i)
            put(out, e->as.chain.op[i] == KT_AST_OP_NONE ? plain : words[e->as.chain.op[i]]);
        expr(out, e->as.chain.item[i], own + 1);
    }
}

static void binary(KtBuf *out, const KtAstExpr *e, const char *word)
{
    expr(out, e->as.binary.left, PREDICATE);
    put(out, word);
    expr(out, e->as.binary.right, ADD);
}

static void each(KtBuf *out, const KtAstExpr *e, const char *open, const char *close)
{
    put(out, open);
    name(out, e->as.each.variable->text);
    put(out, " IN ");
    expr(out, e->as.each.list, ANY);
    if (e->as.each.where) {
        put(out, " WHERE ");
        expr(out, e->as.each.where, ANY);
    }
    if (e->as.each.value) {
        put(out, " | ");
        expr(out, e->as.each.value, ANY);
    }
    put(out, close);
}

static void map(KtBuf *out, const KtAstExpr *e)
{
    put(out, "{");
    for (uint32_t i = 0; i < e->as.map.n; i++) {
        if (i)
            put(out, ", ");
        name(out, e->as.map.item[i].key.text);
        put(out, ": ");
        expr(out, e->as.map.item[i].value, ANY);
    }
    put(out, "}");
}

static void kase(KtBuf *out, const KtAstExpr *e)
{
    put(out, "CASE");
    if (e->as.kase.of) {
        put(out, " ");
        expr(out, e->as.kase.of, ANY);
    }
    for (uint32_t i = 0; i < e->as.kase.n; i++) {
        put(out, " WHEN ");
        expr(out, e->as.kase.item[i].when, ANY);
        put(out, " THEN ");
        expr(out, e->as.kase.item[i].then, ANY);
    }
    if (e->as.kase.other) {
        put(out, " ELSE ");
        expr(out, e->as.kase.other, ANY);
    }
    put(out, " END");
}

static void projection(KtBuf *out, const KtAstExpr *e)
{
    name(out, e->as.projection.of->text);
    put(out, " {");
    for (uint32_t i = 0; i < e->as.projection.n; i++) {
        const KtAstProjectItem *one = &e->as.projection.item[i];
        if (i)
            put(out, ", ");
        switch (one->kind) {
        case KT_AST_PROJECT_ALL: put(out, ".*"); break;
        case KT_AST_PROJECT_PROPERTY:
            put(out, ".");
            name(out, one->name.text);
            break;
        case KT_AST_PROJECT_VARIABLE: name(out, one->name.text); break;
        case KT_AST_PROJECT_ENTRY:
            name(out, one->name.text);
            put(out, ": ");
            expr(out, one->value, ANY);
            break;
        }
    }
    put(out, "}");
}

static void gather(KtBuf *out, const KtAstExpr *e)
{
    put(out, "[");
    path(out, e->as.gather.path);
    if (e->as.gather.where) {
        put(out, " WHERE ");
        expr(out, e->as.gather.where, ANY);
    }
    put(out, " | ");
    expr(out, e->as.gather.value, ANY);
    put(out, "]");
}

static void reduce(KtBuf *out, const KtAstExpr *e)
{
    put(out, "reduce(");
    name(out, e->as.reduce.total->text);
    put(out, " = ");
    expr(out, e->as.reduce.start, ANY);
    put(out, ", ");
    name(out, e->as.reduce.variable->text);
    put(out, " IN ");
    expr(out, e->as.reduce.list, ANY);
    put(out, " | ");
    expr(out, e->as.reduce.value, ANY);
    put(out, ")");
}

static void subscript(KtBuf *out, const KtAstExpr *e)
{
    bool slice = e->kind == KT_AST_SLICE;
    expr(out, slice ? e->as.slice.of : e->as.binary.left, ATOM);
    put(out, "[");
    if (!slice) {
        expr(out, e->as.binary.right, ANY);
    } else {
        if (e->as.slice.from)
            expr(out, e->as.slice.from, ANY);
        put(out, "..");
        if (e->as.slice.to)
            expr(out, e->as.slice.to, ANY);
    }
    put(out, "]");
}

static void bare(KtBuf *out, const KtAstExpr *e, int own)
{
    switch (e->kind) {
    case KT_AST_LITERAL: literal(out, e->as.literal); break;
    case KT_AST_PARAMETER:
        put(out, "$");
        name(out, e->as.name);
        break;
    case KT_AST_VARIABLE: name(out, e->as.name); break;
    case KT_AST_LIST:
        put(out, "[");
        exprs(out, e->as.list);
        put(out, "]");
        break;
    case KT_AST_MAP: map(out, e); break;
    case KT_AST_OR:
    case KT_AST_XOR:
    case KT_AST_AND:
    case KT_AST_COMPARE:
    case KT_AST_ADD:
    case KT_AST_MULTIPLY:
    case KT_AST_POWER: chain(out, e, own); break;
    case KT_AST_NOT:
        put(out, "NOT ");
        expr(out, e->as.unary, NOT);
        break;
    case KT_AST_MINUS:
    case KT_AST_PLUS: {
        put(out, e->kind == KT_AST_MINUS ? "-" : "+");
        /* -(1) must not become the literal -1 */
        bool number = e->as.unary->kind == KT_AST_LITERAL && e->kind == KT_AST_MINUS &&
                      level_of(e->as.unary) == ATOM;
        expr(out, e->as.unary, number ? ATOM + 1 : SIGN);
        break;
    }
    case KT_AST_IS_NULL:
    case KT_AST_IS_NOT_NULL:
        expr(out, e->as.unary, PREDICATE);
        put(out, e->kind == KT_AST_IS_NULL ? " IS NULL" : " IS NOT NULL");
        break;
    case KT_AST_STARTS_WITH: binary(out, e, " STARTS WITH "); break;
    case KT_AST_ENDS_WITH: binary(out, e, " ENDS WITH "); break;
    case KT_AST_CONTAINS: binary(out, e, " CONTAINS "); break;
    case KT_AST_MATCHES: binary(out, e, " =~ "); break;
    case KT_AST_IN: binary(out, e, " IN "); break;
    case KT_AST_INDEX:
    case KT_AST_SLICE: subscript(out, e); break;
    case KT_AST_PROPERTY: {
        bool number = e->as.property.of->kind == KT_AST_LITERAL;
        expr(out, e->as.property.of, number ? ATOM + 1 : ATOM);
        put(out, ".");
        name(out, e->as.property.name->text);
        break;
    }
    case KT_AST_LABELS:
        expr(out, e->as.labels.of, e->as.labels.of->kind == KT_AST_LABELS ? ATOM + 1 : ATOM);
        labels(out, e->as.labels.names);
        break;
    case KT_AST_CALL:
        dotted(out, e->as.call.name->text);
        put(out, e->as.call.distinct ? "(DISTINCT " : "(");
        exprs(out, e->as.call.args);
        put(out, ")");
        break;
    case KT_AST_COUNT_STAR: put(out, "count(*)"); break;
    case KT_AST_CASE: kase(out, e); break;
    case KT_AST_LIST_COMPREHENSION: each(out, e, "[", "]"); break;
    case KT_AST_PATTERN_COMPREHENSION: gather(out, e); break;
    case KT_AST_ALL: each(out, e, "all(", ")"); break;
    case KT_AST_ANY: each(out, e, "any(", ")"); break;
    case KT_AST_NONE: each(out, e, "none(", ")"); break;
    case KT_AST_SINGLE: each(out, e, "single(", ")"); break;
    case KT_AST_REDUCE: reduce(out, e); break;
    case KT_AST_PATTERN: path(out, e->as.path); break;
    case KT_AST_EXISTS:
        put(out, "EXISTS { ");
        query(out, e->as.exists);
        put(out, " }");
        break;
    case KT_AST_MAP_PROJECTION: projection(out, e); break;
    }
}

/* In parentheses if it binds less tightly than `least`. */
static void expr(KtBuf *out, const KtAstExpr *e, int least)
{
    int own = level_of(e);
    if (own < least)
        put(out, "(");
    bare(out, e, own);
    if (own < least)
        put(out, ")");
}

/* ---- clauses ---- */

static void where(KtBuf *out, const KtAstExpr *e)
{
    if (!e)
        return;
    put(out, " WHERE ");
    expr(out, e, ANY);
}

static void body(KtBuf *out, const KtAstProjection *p)
{
    put(out, p->distinct ? " DISTINCT " : " ");
    if (p->star)
        put(out, p->items ? "*, " : "*");
    for (uint32_t i = 0; i < p->items; i++) {
        if (i)
            put(out, ", ");
        expr(out, p->item[i].value, ANY);
        if (p->item[i].alias.text.at) {
            put(out, " AS ");
            name(out, p->item[i].alias.text);
        }
    }
    for (uint32_t i = 0; i < p->sorts; i++) {
        put(out, i ? ", " : " ORDER BY ");
        expr(out, p->sort[i].value, ANY);
        if (p->sort[i].descending)
            put(out, " DESC");
    }
    if (p->skip) {
        put(out, " SKIP ");
        expr(out, p->skip, ANY);
    }
    if (p->limit) {
        put(out, " LIMIT ");
        expr(out, p->limit, ANY);
    }
    where(out, p->where);
}

static void sets(KtBuf *out, KtAstSetItems items)
{
    for (uint32_t i = 0; i < items.n; i++) {
        const KtAstSetItem *one = &items.item[i];
        put(out, i ? ", " : " ");
        expr(out, one->target, ATOM);
        switch (one->kind) {
        case KT_AST_SET_LABELS: labels(out, one->labels); break;
        case KT_AST_SET_PROPERTY:
        case KT_AST_SET_ALL:
            if (one->value) {
                put(out, " = ");
                expr(out, one->value, ANY);
            }
            break;
        case KT_AST_SET_ADD:
            put(out, " += ");
            expr(out, one->value, ANY);
            break;
        }
    }
}

static void clause(KtBuf *out, const KtAstClause *c)
{
    switch (c->kind) {
    case KT_AST_CLAUSE_MATCH:
        put(out, c->as.match.optional ? "OPTIONAL MATCH " : "MATCH ");
        paths(out, c->as.match.paths);
        where(out, c->as.match.where);
        break;
    case KT_AST_CLAUSE_UNWIND:
        put(out, "UNWIND ");
        expr(out, c->as.unwind.list, ANY);
        put(out, " AS ");
        name(out, c->as.unwind.variable.text);
        break;
    case KT_AST_CLAUSE_WITH:
        put(out, "WITH");
        body(out, &c->as.projection);
        break;
    case KT_AST_CLAUSE_RETURN:
        put(out, "RETURN");
        body(out, &c->as.projection);
        break;
    case KT_AST_CLAUSE_CREATE:
        put(out, "CREATE ");
        paths(out, c->as.create);
        break;
    case KT_AST_CLAUSE_MERGE:
        put(out, "MERGE ");
        path(out, c->as.merge.path);
        if (c->as.merge.on_create.n) {
            put(out, " ON CREATE SET");
            sets(out, c->as.merge.on_create);
        }
        if (c->as.merge.on_match.n) {
            put(out, " ON MATCH SET");
            sets(out, c->as.merge.on_match);
        }
        break;
    case KT_AST_CLAUSE_SET:
        put(out, "SET");
        sets(out, c->as.set);
        break;
    case KT_AST_CLAUSE_REMOVE:
        put(out, "REMOVE");
        sets(out, c->as.set);
        break;
    case KT_AST_CLAUSE_DELETE:
        put(out, c->as.del.detach ? "DETACH DELETE " : "DELETE ");
        exprs(out, c->as.del.items);
        break;
    case KT_AST_CLAUSE_FOREACH:
        put(out, "FOREACH (");
        name(out, c->as.foreach.variable.text);
        put(out, " IN ");
        expr(out, c->as.foreach.list, ANY);
        put(out, " |");
        for (uint32_t i = 0; i < c->as.foreach.clauses; i++) {
            put(out, " ");
            clause(out, &c->as.foreach.clause[i]);
        }
        put(out, ")");
        break;
    case KT_AST_CLAUSE_CALL:
        put(out, "CALL ");
        dotted(out, c->as.call.name.text);
        if (c->as.call.has_args) {
            put(out, "(");
            exprs(out, c->as.call.args);
            put(out, ")");
        }
        if (c->as.call.has_yield)
            put(out, c->as.call.star ? " YIELD *" : " YIELD ");
        for (uint32_t i = 0; i < c->as.call.yields; i++) {
            if (i)
                put(out, ", ");
            name(out, c->as.call.yield[i].name.text);
            if (c->as.call.yield[i].alias.text.at) {
                put(out, " AS ");
                name(out, c->as.call.yield[i].alias.text);
            }
        }
        where(out, c->as.call.where);
        break;
    }
}

static void query(KtBuf *out, const KtAstQuery *q)
{
    for (uint32_t i = 0; i < q->parts; i++) {
        if (i)
            put(out, q->part[i].union_all ? " UNION ALL " : " UNION ");
        for (uint32_t k = 0; k < q->part[i].clauses; k++) {
            if (k)
                put(out, " ");
            clause(out, &q->part[i].clause[k]);
        }
    }
}

static void create_schema(KtBuf *out, const KtAstStatement *s)
{
    bool index = s->kind == KT_AST_CREATE_INDEX;
    put(out, index ? "CREATE INDEX " : "CREATE CONSTRAINT ");
    if (s->name.text.at) {
        name(out, s->name.text);
        put(out, " ");
    }
    put(out, s->if_not_exists ? "IF NOT EXISTS FOR (" : "FOR (");
    name(out, s->variable.text);
    put(out, ":");
    name(out, s->label.text);
    put(out, index ? ") ON (" : ") REQUIRE ");
    name(out, s->variable.text);
    put(out, ".");
    name(out, s->key.text);
    put(out, index ? ")" : " IS UNIQUE");
}

void kt_ast_print(KtBuf *out, const KtAstStatement *s)
{
    if (s->prefix != KT_AST_RUN)
        put(out, s->prefix == KT_AST_EXPLAIN ? "EXPLAIN " : "PROFILE ");
    switch (s->kind) {
    case KT_AST_QUERY: query(out, &s->query); break;
    case KT_AST_CREATE_INDEX:
    case KT_AST_CREATE_CONSTRAINT: create_schema(out, s); break;
    case KT_AST_DROP_INDEX:
    case KT_AST_DROP_CONSTRAINT:
        put(out, s->kind == KT_AST_DROP_INDEX ? "DROP INDEX " : "DROP CONSTRAINT ");
        name(out, s->name.text);
        if (s->if_exists)
            put(out, " IF EXISTS");
        break;
    case KT_AST_SHOW_INDEXES: put(out, "SHOW INDEXES"); break;
    case KT_AST_SHOW_CONSTRAINTS: put(out, "SHOW CONSTRAINTS"); break;
    }
}
