/* query/parse/parse_atom.c - what expressions are made of: literals, lists, maps, calls, comprehensions, CASE.
 *
 * A word is judged by what follows it, a bracket by the shape of what it holds; both look ahead a bounded way or
 * along brackets that the lexer has paired, so that nothing is parsed twice. */
#include "query/parse/parse_internal.h"

KtStatus kt_parse_make(KtParser *p, KtAstExprKind kind, uint32_t first, KtAstExpr **out)
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

KtStatus kt_parse_keep_name(KtParser *p, KtAstName name, const KtAstName **out)
{
    KtAstName *kept = kt_arena_alloc(p->arena, sizeof *kept);
    if (!kept)
        return kt_parse_memory(p);
    *kept = name;
    *out = kept;
    return KT_OK;
}

static KtStatus literal(KtParser *p, KtValue value, const KtAstExpr **out)
{
    KtAstExpr *e;
    p->at++;
    KT_TRY(kt_parse_make(p, KT_AST_LITERAL, p->at - 1, &e));
    e->as.literal = value;
    *out = e;
    return KT_OK;
}

KtStatus kt_parse_number(KtParser *p, uint32_t first, bool negative, const KtAstExpr **out)
{
    const KtLexeme *lexeme = kt_parse_peek(p, 0);
    KtValue value;
    if (lexeme->kind == KT_LEX_INTEGER) {
        int64_t i;
        if (!kt_lexeme_integer(&p->lexemes, lexeme, negative, &i)) {
            return kt_diag_set(
                p->diag, KT_ERR_INTEGER_OVERFLOW, &lexeme->at,
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
    KT_TRY(kt_parse_make(p, KT_AST_LITERAL, first, &e));
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
    KT_TRY(kt_parse_make(p, kind, p->at - 1, &e));
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
    KT_TRY(kt_parse_make(p, KT_AST_MAP, first, &e));
    e->as.map.n = list.n;
    *out = e;
    return kt_parse_finish(p, &list, sizeof(KtAstMapEntry), &e->as.map.item);
}

/* The tail `IN list WHERE where | value` of a comprehension or quantifier, and its closing bracket. */
static KtStatus each(KtParser *p, KtAstExprKind kind, uint32_t first, KtLexemeKind close,
                     const KtAstExpr **out)
{
    const KtAstName *variable;
    const KtAstExpr *list, *where = NULL, *value = NULL;
    KtAstName name;
    KT_TRY(kt_parse_enter(p));
    KT_TRY(kt_parse_variable(p, "a variable", &name));
    KT_TRY(kt_parse_keep_name(p, name, &variable));
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
    KT_TRY(kt_parse_make(p, kind, first, &e));
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
           (p->lexemes.item[behind].kind == KT_LEX_BAR ||
            p->lexemes.item[behind].word == KT_WORD_WHERE);
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
    KT_TRY(kt_parse_make(p, KT_AST_PATTERN_COMPREHENSION, first, &e));
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
    KT_TRY(kt_parse_make(p, KT_AST_LIST, first, &e));
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
    KT_TRY(kt_parse_make(p, KT_AST_PATTERN, first, &e));
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
    KT_TRY(kt_parse_expect_word(p, KT_WORD_END,
                                other ? "an operator or END" : "an operator, WHEN, ELSE or END"));
    kt_parse_leave(p);
    KtAstExpr *e;
    KT_TRY(kt_parse_make(p, KT_AST_CASE, first, &e));
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
    KT_TRY(kt_parse_make(p, KT_AST_REDUCE, first, &e));
    KT_TRY(kt_parse_keep_name(p, total, &e->as.reduce.total));
    KT_TRY(kt_parse_keep_name(p, variable, &e->as.reduce.variable));
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
    KT_TRY(kt_parse_make(p, KT_AST_EXISTS, first, &e));
    e->as.exists = query;
    *out = e;
    return KT_OK;
}

/* Index of the '(' if a function's name begins here, else 0. */
static uint32_t at_call(const KtParser *p)
{
    uint32_t i = 0;
    while (kt_parse_peek(p, i + 1)->kind == KT_LEX_DOT &&
           kt_parse_peek(p, i + 2)->kind == KT_LEX_NAME)
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
        KT_TRY(kt_parse_make(p, KT_AST_COUNT_STAR, first, &e));
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
    KT_TRY(kt_parse_make(p, KT_AST_CALL, first, &e));
    KT_TRY(kt_parse_keep_name(p, name, &e->as.call.name));
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
    KT_TRY(kt_parse_make(p, KT_AST_MAP_PROJECTION, first, &e));
    KT_TRY(kt_parse_keep_name(p, of, &e->as.projection.of));
    e->as.projection.n = items.n;
    *out = e;
    return kt_parse_finish(p, &items, sizeof(KtAstProjectItem), &e->as.projection.item);
}

static KtStatus word(KtParser *p, const KtAstExpr **out)
{
    KtWord w = (KtWord)kt_parse_peek(p, 0)->word;
    uint8_t next = kt_parse_peek(p, 1)->kind;
    bool over_variable = next == KT_LEX_LPAREN && kt_parse_is_variable(p, 2) &&
                         kt_parse_peek(p, 3)->word == KT_WORD_IN;
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

KtStatus kt_parse_atom(KtParser *p, const KtAstExpr **out)
{
    switch (kt_parse_peek(p, 0)->kind) {
    case KT_LEX_INTEGER:
    case KT_LEX_FLOAT: return kt_parse_number(p, p->at, false, out);
    case KT_LEX_TEXT: return text(p, out);
    case KT_LEX_PARAMETER: return named(p, KT_AST_PARAMETER, out);
    case KT_LEX_LBRACKET: return list(p, out);
    case KT_LEX_LBRACE: return map(p, out);
    case KT_LEX_LPAREN: return parentheses(p, out);
    case KT_LEX_NAME: return word(p, out);
    case KT_LEX_NOT_A_NUMBER: {
        const KtLexeme *lexeme = kt_parse_peek(p, 0);
        KtText said = {p->text.at + lexeme->at.offset,
                       lexeme->at.length > 40 ? 40 : lexeme->at.length};
        return kt_diag_set(p->diag, KT_ERR_INVALID_NUMBER_LITERAL, &lexeme->at,
                           "'%.*s' is no number: expected digits as in 12, 0x1F, 0o17 or 1.5e3.",
                           (int)said.len, said.at);
    }
    default: return kt_parse_unexpected(p, "an expression");
    }
}
