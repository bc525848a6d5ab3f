/* query/parse/parse_expr.c - expressions, by precedence climbing.
 *
 * openCypher's order, from the loosest: OR, XOR, AND, NOT, comparison, predicate (IN, STARTS WITH, IS NULL...),
 * + -, * / %, ^, sign, and what follows an atom. Operators of one level make one flat chain, so that a million
 * ANDs cost no stack. What is left to nest is counted twice: `nesting` bounds the recursion here, the depth of
 * each node bounds all later walks. */
#include "query/parse/parse_internal.h"

typedef enum Level {
    LEVEL_NONE,
    LEVEL_OR,
    LEVEL_XOR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARE,
    LEVEL_PREDICATE,
    LEVEL_ADD,
    LEVEL_MULTIPLY,
    LEVEL_POWER,
    LEVEL_SIGN,
} Level;

static KtStatus level(KtParser *p, Level least, const KtAstExpr **out);

/* A node around all that was made since the enclosing level() began. */
static KtStatus make(KtParser *p, KtAstExprKind kind, uint32_t first, KtAstExpr **out)
{
    if (p->deepest >= KT_NESTING_MOST)
        return kt_diag_set(p->diag, KT_ERR_TOO_COMPLEX, &kt_parse_peek(p, 0)->at,
                           "The expression is nested deeper than %d here.", (int)KT_NESTING_MOST);
    KtAstExpr *e = kt_arena_zero(p->arena, 1, sizeof *e);
    if (!e)
        return kt_parse_memory(p);
    e->kind = kind;
    e->depth = ++p->deepest;
    e->at = kt_parse_span(p, first);
    *out = e;
    return KT_OK;
}

static KtStatus keep_name(KtParser *p, KtAstName name, const KtAstName **out)
{
    KtAstName *kept = kt_arena_alloc(p->arena, sizeof *kept);
    if (!kept)
        return kt_parse_memory(p);
    *kept = name;
    *out = kept;
    return KT_OK;
}

/* ---- atoms ---- */

static KtStatus literal(KtParser *p, KtValue value, const KtAstExpr **out)
{
    KtAstExpr *e;
    p->at++;
    KT_TRY(make(p, KT_AST_LITERAL, p->at - 1, &e));
    e->as.literal = value;
    *out = e;
    return KT_OK;
}

/* `first`: the lexeme where the literal begins, a sign or the number itself. */
static KtStatus number(KtParser *p, uint32_t first, bool negative, const KtAstExpr **out)
{
    const KtLexeme *lexeme = kt_parse_peek(p, 0);
    KtValue value;
    if (lexeme->kind == KT_LEX_INTEGER) {
        int64_t i;
        if (!kt_lexeme_integer(&p->lexemes, lexeme, negative, &i)) {
            return kt_diag_set(p->diag, KT_ERR_INTEGER_OVERFLOW, &lexeme->at,
                               "This integer does not fit in 64 bits: integers go from -9223372036854775808 to "
                               "9223372036854775807.");
        }
        value = kt_int(i);
    } else {
        double d;
        bool finite;
        if (kt_lexeme_float(p->scratch, &p->lexemes, lexeme, &d, &finite) != KT_OK)
            return kt_parse_memory(p);
        if (!finite)
            return kt_diag_set(p->diag, KT_ERR_FLOATING_POINT_OVERFLOW, &lexeme->at,
                               "This number is beyond the greatest float, 1.7976931348623157e308.");
        value = kt_float(negative ? -d : d);
    }
    KtAstExpr *e;
    p->at++;
    KT_TRY(make(p, KT_AST_LITERAL, first, &e));
    e->as.literal = value;
    *out = e;
    return KT_OK;
}

static KtStatus text(KtParser *p, const KtAstExpr **out)
{
    KtText t;
    if (kt_lexeme_text(p->arena, &p->lexemes, kt_parse_peek(p, 0), &t) != KT_OK)
        return kt_parse_memory(p);
    return literal(p, kt_text(t.at, t.len), out);
}

static KtStatus named(KtParser *p, KtAstExprKind kind, const KtAstExpr **out)
{
    KtText name;
    if (kt_lexeme_text(p->arena, &p->lexemes, kt_parse_peek(p, 0), &name) != KT_OK)
        return kt_parse_memory(p);
    KtAstExpr *e;
    p->at++;
    KT_TRY(make(p, kind, p->at - 1, &e));
    e->as.name = name;
    *out = e;
    return KT_OK;
}

static KtStatus map(KtParser *p, const KtAstExpr **out)
{
    uint32_t first = p->at++;
    KtGrowing list = {0};
    KT_TRY(kt_parse_enter(p));
    if (!kt_parse_is(p, KT_LEX_RBRACE)) {
        do {
            KtAstMapEntry entry;
            KT_TRY(kt_parse_key(p, list.n ? "a key" : "a key or '}'", &entry.key));
            KT_TRY(kt_parse_expect(p, KT_LEX_COLON, "':' after the key"));
            KT_TRY(kt_parse_expr(p, &entry.value));
            KT_TRY(kt_parse_push(p, &list, &entry, sizeof entry));
        } while (kt_parse_take(p, KT_LEX_COMMA));
    }
    KT_TRY(kt_parse_expect(p, KT_LEX_RBRACE, "an operator, ',' or '}'"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(make(p, KT_AST_MAP, first, &e));
    e->as.map.n = list.n;
    *out = e;
    return kt_parse_finish(p, &list, sizeof(KtAstMapEntry), &e->as.map.item);
}

/* The tail `IN list WHERE where | value` of a comprehension or quantifier, and its closing bracket. */
static KtStatus each(KtParser *p, KtAstExprKind kind, uint32_t first, KtLexemeKind close, const KtAstExpr **out)
{
    const KtAstName *variable;
    const KtAstExpr *list, *where = NULL, *value = NULL;
    KtAstName name;
    KT_TRY(kt_parse_enter(p));
    KT_TRY(kt_parse_variable(p, "a variable", &name));
    KT_TRY(keep_name(p, name, &variable));
    KT_TRY(kt_parse_expect_word(p, KT_WORD_IN, "IN"));
    KT_TRY(kt_parse_expr(p, &list));
    bool quantifier = kind != KT_AST_LIST_COMPREHENSION;
    if (kt_parse_take_word(p, KT_WORD_WHERE))
        KT_TRY(kt_parse_expr(p, &where));
    else if (quantifier)
        return kt_parse_unexpected(p, "an operator or WHERE");
    if (!quantifier && kt_parse_take(p, KT_LEX_BAR))
        KT_TRY(kt_parse_expr(p, &value));
    KT_TRY(kt_parse_expect(p, close,
                           quantifier ? "an operator or ')'"
                           : value    ? "an operator or ']'"
                           : where    ? "an operator, '|' or ']'"
                                      : "an operator, WHERE, '|' or ']'"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(make(p, kind, first, &e));
    e->as.each.variable = variable;
    e->as.each.list = list;
    e->as.each.where = where;
    e->as.each.value = value;
    *out = e;
    return KT_OK;
}

/* Does a pattern comprehension begin behind this '['? Then its path is followed by WHERE or '|'. */
static bool at_gather(const KtParser *p)
{
    uint32_t from = p->at + 1;
    if (kt_parse_peek(p, 1)->kind == KT_LEX_NAME && kt_parse_peek(p, 2)->kind == KT_LEX_EQ)
        from += 2;
    if (from >= p->lexemes.n || p->lexemes.item[from].kind != KT_LEX_LPAREN)
        return false;
    uint32_t behind = kt_parse_scan_path(p, from);
    return behind && behind < p->lexemes.n &&
           (p->lexemes.item[behind].kind == KT_LEX_BAR || p->lexemes.item[behind].word == KT_WORD_WHERE);
}

static KtStatus gather(KtParser *p, const KtAstExpr **out)
{
    uint32_t first = p->at++;
    const KtAstPath *path;
    const KtAstExpr *where = NULL, *value;
    KT_TRY(kt_parse_enter(p));
    KT_TRY(kt_parse_path(p, &path));
    if (kt_parse_take_word(p, KT_WORD_WHERE))
        KT_TRY(kt_parse_expr(p, &where));
    KT_TRY(kt_parse_expect(p, KT_LEX_BAR, "an operator or '|'"));
    KT_TRY(kt_parse_expr(p, &value));
    KT_TRY(kt_parse_expect(p, KT_LEX_RBRACKET, "an operator or ']'"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(make(p, KT_AST_PATTERN_COMPREHENSION, first, &e));
    e->as.gather.path = path;
    e->as.gather.where = where;
    e->as.gather.value = value;
    *out = e;
    return KT_OK;
}

static KtStatus list(KtParser *p, const KtAstExpr **out)
{
    uint32_t first = p->at;
    if (kt_parse_is_variable(p, 1) && kt_parse_peek(p, 2)->word == KT_WORD_IN) {
        p->at++;
        return each(p, KT_AST_LIST_COMPREHENSION, first, KT_LEX_RBRACKET, out);
    }
    if (at_gather(p))
        return gather(p, out);
    p->at++;
    KtAstExprs items = {0};
    KT_TRY(kt_parse_enter(p));
    if (!kt_parse_is(p, KT_LEX_RBRACKET))
        KT_TRY(kt_parse_exprs(p, &items));
    KT_TRY(kt_parse_expect(p, KT_LEX_RBRACKET, "an operator, ',' or ']'"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(make(p, KT_AST_LIST, first, &e));
    e->as.list = items;
    *out = e;
    return KT_OK;
}

static KtStatus path(KtParser *p, bool shortest, const KtAstExpr **out)
{
    uint32_t first = p->at;
    KtAstPath *pattern = kt_arena_alloc(p->arena, sizeof *pattern);
    if (!pattern)
        return kt_parse_memory(p);
    KT_TRY(shortest ? kt_parse_shortest(p, pattern) : kt_parse_bare_path(p, pattern));
    KtAstExpr *e;
    KT_TRY(make(p, KT_AST_PATTERN, first, &e));
    e->as.path = pattern;
    *out = e;
    return KT_OK;
}

static KtStatus parentheses(KtParser *p, const KtAstExpr **out)
{
    if (kt_parse_scan_path(p, p->at))
        return path(p, false, out);
    p->at++;
    KT_TRY(kt_parse_enter(p));
    KT_TRY(kt_parse_expr(p, out));
    KT_TRY(kt_parse_expect(p, KT_LEX_RPAREN, "an operator or ')'"));
    kt_parse_leave(p);
    return KT_OK;
}

static KtStatus kase(KtParser *p, const KtAstExpr **out)
{
    uint32_t first = p->at++;
    const KtAstExpr *of = NULL, *other = NULL;
    KtGrowing branches = {0};
    KT_TRY(kt_parse_enter(p));
    if (!kt_parse_is_word(p, KT_WORD_WHEN))
        KT_TRY(kt_parse_expr(p, &of));
    while (kt_parse_take_word(p, KT_WORD_WHEN)) {
        KtAstWhen branch;
        KT_TRY(kt_parse_expr(p, &branch.when));
        KT_TRY(kt_parse_expect_word(p, KT_WORD_THEN, "an operator or THEN"));
        KT_TRY(kt_parse_expr(p, &branch.then));
        KT_TRY(kt_parse_push(p, &branches, &branch, sizeof branch));
    }
    if (branches.n == 0)
        return kt_parse_unexpected(p, "an operator or WHEN");
    if (kt_parse_take_word(p, KT_WORD_ELSE))
        KT_TRY(kt_parse_expr(p, &other));
    KT_TRY(kt_parse_expect_word(p, KT_WORD_END, other ? "an operator or END" : "an operator, WHEN, ELSE or END"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(make(p, KT_AST_CASE, first, &e));
    e->as.kase.of = of;
    e->as.kase.other = other;
    e->as.kase.n = branches.n;
    *out = e;
    return kt_parse_finish(p, &branches, sizeof(KtAstWhen), &e->as.kase.item);
}

static KtStatus reduce(KtParser *p, const KtAstExpr **out)
{
    uint32_t first = p->at;
    p->at += 2;
    KtAstName total, variable;
    const KtAstExpr *start, *over, *value;
    KT_TRY(kt_parse_enter(p));
    KT_TRY(kt_parse_variable(p, "a variable", &total));
    KT_TRY(kt_parse_expect(p, KT_LEX_EQ, "'=' and the first value"));
    KT_TRY(kt_parse_expr(p, &start));
    KT_TRY(kt_parse_expect(p, KT_LEX_COMMA, "an operator or ','"));
    KT_TRY(kt_parse_variable(p, "a variable", &variable));
    KT_TRY(kt_parse_expect_word(p, KT_WORD_IN, "IN"));
    KT_TRY(kt_parse_expr(p, &over));
    KT_TRY(kt_parse_expect(p, KT_LEX_BAR, "an operator or '|'"));
    KT_TRY(kt_parse_expr(p, &value));
    KT_TRY(kt_parse_expect(p, KT_LEX_RPAREN, "an operator or ')'"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(make(p, KT_AST_REDUCE, first, &e));
    KT_TRY(keep_name(p, total, &e->as.reduce.total));
    KT_TRY(keep_name(p, variable, &e->as.reduce.variable));
    e->as.reduce.start = start;
    e->as.reduce.list = over;
    e->as.reduce.value = value;
    *out = e;
    return KT_OK;
}

/* EXISTS { MATCH ... } and its short form EXISTS { (a)-->(b) WHERE ... } */
static KtStatus exists(KtParser *p, const KtAstExpr **out)
{
    uint32_t first = p->at++;
    KT_TRY(kt_parse_expect(p, KT_LEX_LBRACE, "'{'"));
    KT_TRY(kt_parse_enter(p));
    KtAstQuery *query = kt_arena_zero(p->arena, 1, sizeof *query);
    if (!query)
        return kt_parse_memory(p);
    if (kt_parse_at_clause(p)) {
        KT_TRY(kt_parse_query(p, query));
    } else {
        uint32_t begin = p->at;
        KtAstPart *part = kt_arena_zero(p->arena, 1, sizeof *part);
        KtAstClause *clause = kt_arena_zero(p->arena, 1, sizeof *clause);
        if (!part || !clause)
            return kt_parse_memory(p);
        clause->kind = KT_AST_CLAUSE_MATCH;
        KT_TRY(kt_parse_paths(p, &clause->as.match.paths));
        if (kt_parse_take_word(p, KT_WORD_WHERE))
            KT_TRY(kt_parse_expr(p, &clause->as.match.where));
        clause->at = part->at = query->at = kt_parse_span(p, begin);
        part->clauses = 1;
        part->clause = clause;
        query->parts = 1;
        query->part = part;
    }
    KT_TRY(kt_parse_expect(p, KT_LEX_RBRACE, "a clause or '}'"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(make(p, KT_AST_EXISTS, first, &e));
    e->as.exists = query;
    *out = e;
    return KT_OK;
}

/* Index of the '(' if a function's name begins here, else 0. */
static uint32_t at_call(const KtParser *p)
{
    uint32_t i = 0;
    while (kt_parse_peek(p, i + 1)->kind == KT_LEX_DOT && kt_parse_peek(p, i + 2)->kind == KT_LEX_NAME)
        i += 2;
    return kt_parse_peek(p, i + 1)->kind == KT_LEX_LPAREN ? p->at + i + 1 : 0;
}

static KtStatus call(KtParser *p, const KtAstExpr **out)
{
    uint32_t first = p->at;
    KtAstExpr *e;
    if (kt_parse_is_word(p, KT_WORD_COUNT) && kt_parse_peek(p, 1)->kind == KT_LEX_LPAREN &&
        kt_parse_peek(p, 2)->kind == KT_LEX_STAR && kt_parse_peek(p, 3)->kind == KT_LEX_RPAREN) {
        p->at += 4;
        KT_TRY(make(p, KT_AST_COUNT_STAR, first, &e));
        *out = e;
        return KT_OK;
    }
    KtAstName name;
    KtAstExprs args = {0};
    KT_TRY(kt_parse_dotted(p, "a function", &name));
    KT_TRY(kt_parse_expect(p, KT_LEX_LPAREN, "'('"));
    KT_TRY(kt_parse_enter(p));
    bool distinct = kt_parse_take_word(p, KT_WORD_DISTINCT);
    if (distinct || !kt_parse_is(p, KT_LEX_RPAREN))
        KT_TRY(kt_parse_exprs(p, &args));
    KT_TRY(kt_parse_expect(p, KT_LEX_RPAREN, "an operator, ',' or ')'"));
    kt_parse_leave(p);
    KT_TRY(make(p, KT_AST_CALL, first, &e));
    KT_TRY(keep_name(p, name, &e->as.call.name));
    e->as.call.distinct = distinct;
    e->as.call.args = args;
    *out = e;
    return KT_OK;
}

/* name { .key, .*, key: value, other } */
static KtStatus projection(KtParser *p, const KtAstExpr **out)
{
    uint32_t first = p->at;
    KtAstName of;
    KtGrowing items = {0};
    KT_TRY(kt_parse_variable(p, "a variable", &of));
    KT_TRY(kt_parse_expect(p, KT_LEX_LBRACE, "'{'"));
    KT_TRY(kt_parse_enter(p));
    if (!kt_parse_is(p, KT_LEX_RBRACE)) {
        do {
            KtAstProjectItem one = {0};
            if (kt_parse_take(p, KT_LEX_DOT)) {
                one.kind = KT_AST_PROJECT_ALL;
                if (!kt_parse_take(p, KT_LEX_STAR)) {
                    one.kind = KT_AST_PROJECT_PROPERTY;
                    KT_TRY(kt_parse_name(p, "a property key or '*'", &one.name));
                }
            } else {
                KT_TRY(kt_parse_name(p, "'.key', '.*', 'key: value' or a variable", &one.name));
                one.kind = KT_AST_PROJECT_VARIABLE;
                if (kt_parse_take(p, KT_LEX_COLON)) {
                    one.kind = KT_AST_PROJECT_ENTRY;
                    KT_TRY(kt_parse_expr(p, &one.value));
                }
            }
            KT_TRY(kt_parse_push(p, &items, &one, sizeof one));
        } while (kt_parse_take(p, KT_LEX_COMMA));
    }
    KT_TRY(kt_parse_expect(p, KT_LEX_RBRACE, "an operator, ',' or '}'"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(make(p, KT_AST_MAP_PROJECTION, first, &e));
    KT_TRY(keep_name(p, of, &e->as.projection.of));
    e->as.projection.n = items.n;
    *out = e;
    return kt_parse_finish(p, &items, sizeof(KtAstProjectItem), &e->as.projection.item);
}

static KtStatus word(KtParser *p, const KtAstExpr **out)
{
    KtWord w = (KtWord)kt_parse_peek(p, 0)->word;
    uint8_t next = kt_parse_peek(p, 1)->kind;
    bool over_variable = next == KT_LEX_LPAREN && kt_parse_is_variable(p, 2) && kt_parse_peek(p, 3)->word == KT_WORD_IN;
    KtAstExprKind quantifier = w == KT_WORD_ALL      ? KT_AST_ALL
                               : w == KT_WORD_ANY    ? KT_AST_ANY
                               : w == KT_WORD_NONE   ? KT_AST_NONE
                               : w == KT_WORD_SINGLE ? KT_AST_SINGLE
                                                     : KT_AST_LITERAL;
    if (quantifier != KT_AST_LITERAL && over_variable) {
        uint32_t first = p->at;
        p->at += 2;
        return each(p, quantifier, first, KT_LEX_RPAREN, out);
    }
    if (w == KT_WORD_REDUCE && next == KT_LEX_LPAREN && kt_parse_peek(p, 3)->kind == KT_LEX_EQ)
        return reduce(p, out);
    if ((w == KT_WORD_SHORTEST_PATH || w == KT_WORD_ALL_SHORTEST_PATHS) && next == KT_LEX_LPAREN)
        return path(p, true, out);
    if (w == KT_WORD_EXISTS && next == KT_LEX_LBRACE)
        return exists(p, out);
    if ((w == KT_WORD_COUNT || w == KT_WORD_COLLECT) && next == KT_LEX_LBRACE &&
        (kt_parse_peek(p, 2)->word == KT_WORD_MATCH || kt_parse_peek(p, 2)->kind == KT_LEX_LPAREN))
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at, "A COUNT or COLLECT subquery is",
                                    "Use a pattern comprehension, or WITH and an aggregate.");
    if (w == KT_WORD_CASE)
        return kase(p, out);
    if (at_call(p))
        return call(p, out);
    if (w == KT_WORD_TRUE || w == KT_WORD_FALSE)
        return literal(p, kt_bool(w == KT_WORD_TRUE), out);
    if (w == KT_WORD_NULL)
        return literal(p, kt_null(), out);
    if (kt_word_reserved(w))
        return kt_parse_unexpected(p, "an expression");
    if (kt_parse_peek(p, 0)->at.length == 2 && p->text.at[kt_parse_peek(p, 0)->at.offset] == '`')
        return kt_diag_set(p->diag, KT_ERR_UNEXPECTED_SYNTAX, &kt_parse_peek(p, 0)->at,
                           "A name in backticks cannot be empty here.");
    return next == KT_LEX_LBRACE ? projection(p, out) : named(p, KT_AST_VARIABLE, out);
}

static KtStatus atom(KtParser *p, const KtAstExpr **out)
{
    switch (kt_parse_peek(p, 0)->kind) {
    case KT_LEX_INTEGER:
    case KT_LEX_FLOAT: return number(p, p->at, false, out);
    case KT_LEX_TEXT: return text(p, out);
    case KT_LEX_PARAMETER: return named(p, KT_AST_PARAMETER, out);
    case KT_LEX_LBRACKET: return list(p, out);
    case KT_LEX_LBRACE: return map(p, out);
    case KT_LEX_LPAREN: return parentheses(p, out);
    case KT_LEX_NAME: return word(p, out);
    case KT_LEX_NOT_A_NUMBER: {
        const KtLexeme *lexeme = kt_parse_peek(p, 0);
        KtText said = {p->text.at + lexeme->at.offset, lexeme->at.length > 40 ? 40 : lexeme->at.length};
        return kt_diag_set(p->diag, KT_ERR_INVALID_NUMBER_LITERAL, &lexeme->at,
                           "'%.*s' is no number: expected digits as in 12, 0x1F, 0o17 or 1.5e3.", (int)said.len, said.at);
    }
    default: return kt_parse_unexpected(p, "an expression");
    }
}

/* ---- what follows an atom ---- */

static KtStatus subscript(KtParser *p, uint32_t first, const KtAstExpr *of, const KtAstExpr **out)
{
    const KtAstExpr *from = NULL, *to = NULL;
    p->at++;
    KT_TRY(kt_parse_enter(p));
    if (!kt_parse_is(p, KT_LEX_DOTS))
        KT_TRY(kt_parse_expr(p, &from));
    bool slice = kt_parse_take(p, KT_LEX_DOTS);
    if (slice && !kt_parse_is(p, KT_LEX_RBRACKET))
        KT_TRY(kt_parse_expr(p, &to));
    KT_TRY(kt_parse_expect(p, KT_LEX_RBRACKET, slice ? "an operator or ']'" : "an operator, '..' or ']'"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(make(p, slice ? KT_AST_SLICE : KT_AST_INDEX, first, &e));
    if (slice) {
        e->as.slice.of = of;
        e->as.slice.from = from;
        e->as.slice.to = to;
    } else {
        e->as.binary.left = of;
        e->as.binary.right = from;
    }
    *out = e;
    return KT_OK;
}

static KtStatus postfix(KtParser *p, const KtAstExpr **out)
{
    uint32_t first = p->at;
    const KtAstExpr *left;
    KT_TRY(atom(p, &left));
    for (;;) {
        KtAstExpr *e;
        if (kt_parse_take(p, KT_LEX_DOT)) {
            KtAstName name;
            KT_TRY(kt_parse_name(p, "a property key after '.'", &name));
            KT_TRY(make(p, KT_AST_PROPERTY, first, &e));
            e->as.property.of = left;
            KT_TRY(keep_name(p, name, &e->as.property.name));
            left = e;
        } else if (kt_parse_is(p, KT_LEX_LBRACKET)) {
            KT_TRY(subscript(p, first, left, &left));
        } else if (kt_parse_is(p, KT_LEX_COLON)) {
            KtAstNames names;
            KT_TRY(kt_parse_labels(p, &names));
            KT_TRY(make(p, KT_AST_LABELS, first, &e));
            e->as.labels.of = left;
            e->as.labels.names = names;
            left = e;
        } else {
            *out = left;
            return KT_OK;
        }
    }
}

/* ---- operators ---- */

static KtStatus unary(KtParser *p, KtAstExprKind kind, uint32_t first, const KtAstExpr *of, const KtAstExpr **out)
{
    KtAstExpr *e;
    KT_TRY(make(p, kind, first, &e));
    e->as.unary = of;
    *out = e;
    return KT_OK;
}

/* A number that stands alone takes its minus in, so that -9223372036854775808 can be said. */
static bool at_negative_literal(const KtParser *p)
{
    uint8_t number_kind = kt_parse_peek(p, 1)->kind, behind = kt_parse_peek(p, 2)->kind;
    return (number_kind == KT_LEX_INTEGER || number_kind == KT_LEX_FLOAT) && behind != KT_LEX_DOT &&
           behind != KT_LEX_LBRACKET && behind != KT_LEX_COLON;
}

static KtStatus prefix(KtParser *p, Level least, const KtAstExpr **out)
{
    uint32_t first = p->at;
    const KtAstExpr *of;
    bool minus = kt_parse_is(p, KT_LEX_MINUS), plus = kt_parse_is(p, KT_LEX_PLUS);
    if (minus && at_negative_literal(p)) {
        p->at++;
        return number(p, first, true, out);
    }
    if (minus || plus) {
        p->at++;
        KT_TRY(kt_parse_enter(p));
        KT_TRY(level(p, LEVEL_SIGN, &of));
        kt_parse_leave(p);
        return unary(p, minus ? KT_AST_MINUS : KT_AST_PLUS, first, of, out);
    }
    if (kt_parse_is_word(p, KT_WORD_NOT) && least <= LEVEL_NOT) {
        p->at++;
        KT_TRY(kt_parse_enter(p));
        KT_TRY(level(p, LEVEL_NOT, &of));
        kt_parse_leave(p);
        return unary(p, KT_AST_NOT, first, of, out);
    }
    return postfix(p, out);
}

/* The level of the operator that comes next, and which one of its level it is. */
static Level operator_level(const KtParser *p, KtAstOp *op)
{
    const KtLexeme *lexeme = kt_parse_peek(p, 0);
    *op = KT_AST_OP_NONE;
    switch (lexeme->kind) {
    case KT_LEX_EQ: *op = KT_AST_OP_EQ; return LEVEL_COMPARE;
    case KT_LEX_NE: *op = KT_AST_OP_NE; return LEVEL_COMPARE;
    case KT_LEX_LT: *op = KT_AST_OP_LT; return LEVEL_COMPARE;
    case KT_LEX_LE: *op = KT_AST_OP_LE; return LEVEL_COMPARE;
    case KT_LEX_GT: *op = KT_AST_OP_GT; return LEVEL_COMPARE;
    case KT_LEX_GE: *op = KT_AST_OP_GE; return LEVEL_COMPARE;
    case KT_LEX_PLUS: *op = KT_AST_OP_PLUS; return LEVEL_ADD;
    case KT_LEX_MINUS: *op = KT_AST_OP_MINUS; return LEVEL_ADD;
    case KT_LEX_STAR: *op = KT_AST_OP_TIMES; return LEVEL_MULTIPLY;
    case KT_LEX_SLASH: *op = KT_AST_OP_DIVIDE; return LEVEL_MULTIPLY;
    case KT_LEX_PERCENT: *op = KT_AST_OP_MODULO; return LEVEL_MULTIPLY;
    case KT_LEX_CARET: return LEVEL_POWER;
    case KT_LEX_MATCHES: return LEVEL_PREDICATE;
    case KT_LEX_NAME: break;
    default: return LEVEL_NONE;
    }
    switch (lexeme->word) {
    case KT_WORD_OR: return LEVEL_OR;
    case KT_WORD_XOR: return LEVEL_XOR;
    case KT_WORD_AND: return LEVEL_AND;
    case KT_WORD_IN:
    case KT_WORD_IS:
    case KT_WORD_STARTS:
    case KT_WORD_ENDS:
    case KT_WORD_CONTAINS: return LEVEL_PREDICATE;
    default: return LEVEL_NONE;
    }
}

static KtAstExprKind chain_kind(Level of)
{
    switch (of) {
    case LEVEL_OR: return KT_AST_OR;
    case LEVEL_XOR: return KT_AST_XOR;
    case LEVEL_AND: return KT_AST_AND;
    case LEVEL_COMPARE: return KT_AST_COMPARE;
    case LEVEL_ADD: return KT_AST_ADD;
    case LEVEL_MULTIPLY: return KT_AST_MULTIPLY;
    case LEVEL_POWER: return KT_AST_POWER;
    case LEVEL_NONE:
    case LEVEL_NOT:
    case LEVEL_PREDICATE:
    case LEVEL_SIGN: break;
    }
    KT_CHECK(!"a level with chains");
    return KT_AST_OR;
}

/* All operators of level `of` that follow `left`, as one node. */
static KtStatus chain(KtParser *p, Level of, uint32_t first, const KtAstExpr *left, const KtAstExpr **out)
{
    KtGrowing items = {0}, ops = {0};
    uint8_t op = KT_AST_OP_NONE;
    KT_TRY(kt_parse_push(p, &items, &left, sizeof left));
    KT_TRY(kt_parse_push(p, &ops, &op, sizeof op));
    KtAstOp which;
    while (operator_level(p, &which) == of) {
        const KtAstExpr *right;
        p->at++;
        KT_TRY(level(p, (Level)(of + 1), &right));
        op = (uint8_t)which;
        KT_TRY(kt_parse_push(p, &items, &right, sizeof right));
        KT_TRY(kt_parse_push(p, &ops, &op, sizeof op));
    }
    KtAstExpr *e;
    KT_TRY(make(p, chain_kind(of), first, &e));
    e->as.chain.n = items.n;
    *out = e;
    KT_TRY(kt_parse_finish(p, &items, sizeof left, &e->as.chain.item));
    return kt_parse_finish(p, &ops, sizeof op, &e->as.chain.op);
}

static KtStatus predicate(KtParser *p, uint32_t first, const KtAstExpr *left, const KtAstExpr **out)
{
    KtAstExprKind kind;
    KtWord w = (KtWord)kt_parse_peek(p, 0)->word;
    p->at++;
    if (w == KT_WORD_IS) {
        kind = kt_parse_take_word(p, KT_WORD_NOT) ? KT_AST_IS_NOT_NULL : KT_AST_IS_NULL;
        KT_TRY(kt_parse_expect_word(p, KT_WORD_NULL, kind == KT_AST_IS_NULL ? "NULL or NOT NULL after IS" : "NULL after IS NOT"));
        return unary(p, kind, first, left, out);
    }
    if (w == KT_WORD_IN)
        kind = KT_AST_IN;
    else if (w == KT_WORD_CONTAINS)
        kind = KT_AST_CONTAINS;
    else if (w != KT_WORD_STARTS && w != KT_WORD_ENDS)
        kind = KT_AST_MATCHES;
    else {
        kind = w == KT_WORD_STARTS ? KT_AST_STARTS_WITH : KT_AST_ENDS_WITH;
        KT_TRY(kt_parse_expect_word(p, KT_WORD_WITH, "WITH"));
    }
    const KtAstExpr *right;
    KT_TRY(level(p, LEVEL_ADD, &right));
    KtAstExpr *e;
    KT_TRY(make(p, kind, first, &e));
    e->as.binary.left = left;
    e->as.binary.right = right;
    *out = e;
    return KT_OK;
}

/* An expression of operators that bind at least as tightly as `least`. */
static KtStatus level(KtParser *p, Level least, const KtAstExpr **out)
{
    uint32_t first = p->at, outside = p->deepest;
    p->deepest = 0;
    const KtAstExpr *left;
    KT_TRY(prefix(p, least, &left));
    KtAstOp op;
    Level next;
    while ((next = operator_level(p, &op)) != LEVEL_NONE && next >= least) {
        if (next == LEVEL_PREDICATE)
            KT_TRY(predicate(p, first, left, &left));
        else
            KT_TRY(chain(p, next, first, left, &left));
    }
    if (p->deepest < outside)
        p->deepest = outside;
    *out = left;
    return KT_OK;
}

/* ---- doors ---- */

KtStatus kt_parse_expr(KtParser *p, const KtAstExpr **out)
{
    return level(p, LEVEL_OR, out);
}

KtStatus kt_parse_exprs(KtParser *p, KtAstExprs *out)
{
    KtGrowing items = {0};
    do {
        const KtAstExpr *one;
        KT_TRY(kt_parse_expr(p, &one));
        KT_TRY(kt_parse_push(p, &items, &one, sizeof one));
    } while (kt_parse_take(p, KT_LEX_COMMA));
    out->n = items.n;
    return kt_parse_finish(p, &items, sizeof(const KtAstExpr *), &out->item);
}

/* Depth counts anew inside, and what is outside keeps the greater of the two. */
static KtStatus apart(KtParser *p, KtStatus (*parse)(KtParser *, const KtAstExpr **), const KtAstExpr **out)
{
    uint32_t outside = p->deepest;
    p->deepest = 0;
    KT_TRY(parse(p, out));
    if (p->deepest < outside)
        p->deepest = outside;
    return KT_OK;
}

KtStatus kt_parse_target(KtParser *p, const KtAstExpr **out)
{
    return apart(p, postfix, out);
}

KtStatus kt_parse_props(KtParser *p, const KtAstExpr **out)
{
    *out = NULL;
    bool any = kt_parse_is(p, KT_LEX_LBRACE) || kt_parse_is(p, KT_LEX_PARAMETER);
    return any ? apart(p, atom, out) : KT_OK;
}
