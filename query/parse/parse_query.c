/* query/parse/parse_query.c - statements, queries and UNION, schema statements; and the parser's common steps. */
#include "query/parse/parse_internal.h"

#include <stdio.h>

/* ---- common steps ---- */

KtStatus kt_parse_memory(KtParser *p)
{
    return kt_diag_set(p->diag, KT_ERR_MEMORY, NULL, "No memory left to parse the statement.");
}

KtStatus kt_parse_push(KtParser *p, KtGrowing *list, const void *item, size_t size)
{
    if (kt_arena_grow(p->scratch, &list->item, list->n, &list->cap, size) != KT_OK)
        return kt_parse_memory(p);
    memcpy((char *)list->item + (size_t)list->n * size, item, size);
    list->n++;
    return KT_OK;
}

KtStatus kt_parse_finish(KtParser *p, const KtGrowing *list, size_t size, void *out)
{
    void *array = NULL;
    if (list->n) {
        array = kt_arena_alloc(p->arena, (size_t)list->n * size);
        if (!array)
            return kt_parse_memory(p);
        memcpy(array, list->item, (size_t)list->n * size);
    }
    memcpy(out, &array, sizeof array);
    return KT_OK;
}

bool kt_parse_take(KtParser *p, KtLexemeKind kind)
{
    if (!kt_parse_is(p, kind))
        return false;
    p->at++;
    return true;
}

bool kt_parse_take_word(KtParser *p, KtWord word)
{
    if (!kt_parse_is_word(p, word))
        return false;
    p->at++;
    return true;
}

KtStatus kt_parse_unexpected(KtParser *p, const char *expected)
{
    const KtLexeme *lexeme = kt_parse_peek(p, 0);
    if (lexeme->kind == KT_LEX_BAD)
        return kt_diag_set(p->diag, p->lexemes.fault, &lexeme->at, "%s", p->lexemes.fault_text);
    if (lexeme->kind == KT_LEX_END)
        return kt_diag_set(p->diag, KT_ERR_UNEXPECTED_SYNTAX, &lexeme->at,
                           "The statement ends too early: expected %s.", expected);
    uint32_t len = lexeme->at.length, most = 60;
    if (len > most) /* cut at a character */
        for (len = most;
             len > 0 && ((unsigned char)p->text.at[lexeme->at.offset + len] & 0xC0) == 0x80;)
            len--;
    return kt_diag_set(
        p->diag, KT_ERR_UNEXPECTED_SYNTAX, &lexeme->at, "Unexpected '%.*s%s': expected %s.",
        (int)len, p->text.at + lexeme->at.offset, len < lexeme->at.length ? "..." : "", expected);
}

KtStatus kt_parse_expect(KtParser *p, KtLexemeKind kind, const char *expected)
{
    return kt_parse_take(p, kind) ? KT_OK : kt_parse_unexpected(p, expected);
}

KtStatus kt_parse_expect_word(KtParser *p, KtWord word, const char *expected)
{
    return kt_parse_take_word(p, word) ? KT_OK : kt_parse_unexpected(p, expected);
}

KtStatus kt_parse_unsupported(KtParser *p, const KtPos *at, const char *what, const char *way_out)
{
    KtStatus status = kt_diag_set(p->diag, KT_ERR_NOT_SUPPORTED, at, "%s not supported.", what);
    kt_diag_hint(p->diag, "%s", way_out);
    return status;
}

KtPos kt_parse_span(const KtParser *p, uint32_t first)
{
    KtPos at = p->lexemes.item[first].at;
    if (p->at > first) {
        const KtPos *last = &p->lexemes.item[p->at - 1].at;
        at.length = last->offset + last->length - at.offset;
    }
    return at;
}

KtText kt_parse_slice(const KtParser *p, uint32_t first)
{
    KtPos at = kt_parse_span(p, first);
    return (KtText){p->text.at + at.offset, at.length};
}

KtStatus kt_parse_enter(KtParser *p)
{
    if (++p->nesting <= KT_NESTING_MOST)
        return KT_OK;
    return kt_diag_set(p->diag, KT_ERR_TOO_COMPLEX, &kt_parse_peek(p, 0)->at,
                       "The statement is nested deeper than %d here.", (int)KT_NESTING_MOST);
}

bool kt_parse_is_variable(const KtParser *p, uint32_t ahead)
{
    const KtLexeme *lexeme = kt_parse_peek(p, ahead);
    return lexeme->kind == KT_LEX_NAME && !kt_word_reserved((KtWord)lexeme->word);
}

static KtStatus take_name(KtParser *p, KtAstName *out)
{
    const KtLexeme *lexeme = kt_parse_peek(p, 0);
    if (kt_lexeme_text(p->arena, &p->lexemes, lexeme, &out->text) != KT_OK)
        return kt_parse_memory(p);
    out->at = lexeme->at;
    p->at++;
    return KT_OK;
}

static KtStatus not_empty(KtParser *p, const KtAstName *name)
{
    if (name->text.len)
        return KT_OK;
    return kt_diag_set(p->diag, KT_ERR_UNEXPECTED_SYNTAX, &name->at,
                       "A name in backticks cannot be empty here.");
}

KtStatus kt_parse_variable(KtParser *p, const char *expected, KtAstName *out)
{
    if (!kt_parse_is_variable(p, 0))
        return kt_parse_unexpected(p, expected);
    KT_TRY(take_name(p, out));
    return not_empty(p, out);
}

KtStatus kt_parse_name(KtParser *p, const char *expected, KtAstName *out)
{
    KT_TRY(kt_parse_key(p, expected, out));
    return not_empty(p, out);
}

KtStatus kt_parse_key(KtParser *p, const char *expected, KtAstName *out)
{
    return kt_parse_is(p, KT_LEX_NAME) ? take_name(p, out) : kt_parse_unexpected(p, expected);
}

KtStatus kt_parse_dotted(KtParser *p, const char *expected, KtAstName *out)
{
    uint32_t first = p->at;
    KT_TRY(kt_parse_name(p, expected, out));
    if (!kt_parse_is(p, KT_LEX_DOT))
        return KT_OK;
    char *joined = kt_arena_text(p->arena, out->text.at, out->text.len);
    uint32_t len = out->text.len, cap = len;
    if (!joined)
        return kt_parse_memory(p);
    while (kt_parse_take(p, KT_LEX_DOT)) {
        KtAstName part;
        KT_TRY(kt_parse_name(p, "a name after '.'", &part));
        uint32_t need = len + 1 + part.text.len;
        if (need > cap) {
            cap = need * 2;
            char *grown = kt_arena_alloc(p->arena, cap);
            if (!grown)
                return kt_parse_memory(p);
            memcpy(grown, joined, len);
            joined = grown;
        }
        joined[len] = '.';
        memcpy(joined + len + 1, part.text.at, part.text.len);
        len = need;
    }
    out->text = (KtText){joined, len};
    out->at = kt_parse_span(p, first);
    return KT_OK;
}

/* ---- queries ---- */

static KtStatus part(KtParser *p, KtAstPart *out)
{
    uint32_t first = p->at;
    KtGrowing list = {0};
    do {
        KtAstClause clause;
        KT_TRY(kt_parse_clause(p, &clause));
        bool all_yields = clause.kind == KT_AST_CLAUSE_CALL && clause.as.call.star;
        if (all_yields && (list.n || kt_parse_at_clause(p)))
            return kt_diag_set(
                p->diag, KT_ERR_UNEXPECTED_SYNTAX, &p->lexemes.item[p->at - 1].at,
                "YIELD * is for a CALL that stands alone: expected the names of its results.");
        KT_TRY(kt_parse_push(p, &list, &clause, sizeof clause));
    } while (kt_parse_at_clause(p));
    out->clauses = list.n;
    out->at = kt_parse_span(p, first);
    return kt_parse_finish(p, &list, sizeof(KtAstClause), &out->clause);
}

KtStatus kt_parse_query(KtParser *p, KtAstQuery *out)
{
    uint32_t first = p->at;
    KtGrowing list = {0};
    bool more, all = false;
    do {
        KtAstPart one = {.union_all = all};
        KT_TRY(part(p, &one));
        KT_TRY(kt_parse_push(p, &list, &one, sizeof one));
        more = kt_parse_take_word(p, KT_WORD_UNION);
        all = more && kt_parse_take_word(p, KT_WORD_ALL);
        if (more && !all)
            kt_parse_take_word(p, KT_WORD_DISTINCT);
    } while (more);
    out->parts = list.n;
    out->at = kt_parse_span(p, first);
    return kt_parse_finish(p, &list, sizeof(KtAstPart), &out->part);
}

/* ---- schema ---- */

static KtStatus if_exists(KtParser *p, bool negated, bool *out)
{
    *out = kt_parse_take_word(p, KT_WORD_IF);
    if (!*out)
        return KT_OK;
    if (negated)
        KT_TRY(kt_parse_expect_word(p, KT_WORD_NOT, "NOT EXISTS after IF"));
    return kt_parse_expect_word(p, KT_WORD_EXISTS, "EXISTS");
}

/* (v:Label) */
static KtStatus schema_node(KtParser *p, KtAstStatement *out)
{
    KT_TRY(kt_parse_expect_word(p, KT_WORD_FOR,
                                out->name.text.at ? "IF NOT EXISTS or FOR"
                                                  : "a name, IF NOT EXISTS or FOR"));
    const KtPos *at = &kt_parse_peek(p, 0)->at;
    KT_TRY(kt_parse_expect(p, KT_LEX_LPAREN, "'(' and a node such as (p:Person)"));
    if (kt_parse_is(p, KT_LEX_RPAREN))
        return kt_parse_unsupported(p, at, "Indexes and constraints on relationships are",
                                    "Name a node, as in (p:Person).");
    KT_TRY(kt_parse_variable(p, "a variable", &out->variable));
    KT_TRY(kt_parse_expect(p, KT_LEX_COLON, "':' and a label"));
    KT_TRY(kt_parse_name(p, "a label", &out->label));
    KT_TRY(kt_parse_expect(p, KT_LEX_RPAREN, "')': an index or constraint has one label"));
    return KT_OK;
}

/* v.key, which must name the variable of the node */
static KtStatus schema_key(KtParser *p, KtAstStatement *out)
{
    KtAstName variable;
    KT_TRY(kt_parse_variable(p, "a property such as p.name", &variable));
    if (!kt_text_eq(variable.text, out->variable.text))
        return kt_diag_set(p->diag, KT_ERR_UNDEFINED_VARIABLE, &variable.at,
                           "Variable `%.*s` is not defined here.",
                           (int)(variable.text.len > 100 ? 100 : variable.text.len),
                           variable.text.at);
    KT_TRY(kt_parse_expect(p, KT_LEX_DOT, "'.' and a property key"));
    KT_TRY(kt_parse_name(p, "a property key", &out->key));
    if (kt_parse_is(p, KT_LEX_COMMA))
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at,
                                    "Indexes and constraints on several properties are",
                                    "Name one property.");
    return KT_OK;
}

static KtStatus no_options(KtParser *p)
{
    if (kt_parse_is_word(p, KT_WORD_OPTIONS))
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at, "OPTIONS is", "Leave it out.");
    return KT_OK;
}

static KtStatus create_schema(KtParser *p, KtAstStatement *out)
{
    p->at++;
    KtWord kind = (KtWord)kt_parse_peek(p, 0)->word;
    if (kind != KT_WORD_INDEX && kind != KT_WORD_CONSTRAINT && kind != KT_WORD_RANGE)
        return kt_parse_unsupported(
            p, &kt_parse_peek(p, 0)->at, "Indexes other than range indexes are",
            "CREATE INDEX name FOR (p:Person) ON (p.name) makes a range index.");
    kt_parse_take_word(p, KT_WORD_RANGE);
    bool index = kt_parse_take_word(p, KT_WORD_INDEX);
    if (!index)
        KT_TRY(kt_parse_expect_word(p, KT_WORD_CONSTRAINT, "INDEX"));
    out->kind = index ? KT_AST_CREATE_INDEX : KT_AST_CREATE_CONSTRAINT;
    KtWord next = (KtWord)kt_parse_peek(p, 0)->word, behind = (KtWord)kt_parse_peek(p, 1)->word;
    bool nameless = (next == KT_WORD_IF && behind == KT_WORD_NOT) ||
                    (next == KT_WORD_FOR && kt_parse_peek(p, 1)->kind == KT_LEX_LPAREN);
    if (!nameless && kt_parse_is_variable(p, 0))
        KT_TRY(kt_parse_variable(p, "a name", &out->name));
    KT_TRY(if_exists(p, true, &out->if_not_exists));
    KT_TRY(schema_node(p, out));
    if (index) {
        KT_TRY(kt_parse_expect_word(p, KT_WORD_ON, "ON"));
        KT_TRY(kt_parse_expect(p, KT_LEX_LPAREN, "'('"));
        KT_TRY(schema_key(p, out));
        KT_TRY(kt_parse_expect(p, KT_LEX_RPAREN, "')'"));
        return no_options(p);
    }
    KT_TRY(kt_parse_expect_word(p, KT_WORD_REQUIRE, "REQUIRE"));
    bool bracket = kt_parse_take(p, KT_LEX_LPAREN);
    KT_TRY(schema_key(p, out));
    if (bracket)
        KT_TRY(kt_parse_expect(p, KT_LEX_RPAREN, "')'"));
    KT_TRY(kt_parse_expect_word(p, KT_WORD_IS, "IS UNIQUE"));
    if (!kt_parse_take_word(p, KT_WORD_UNIQUE))
        return kt_parse_unsupported(
            p, &kt_parse_peek(p, 0)->at, "Constraints other than IS UNIQUE are",
            "CREATE CONSTRAINT name FOR (p:Person) REQUIRE p.id IS UNIQUE.");
    return no_options(p);
}

static KtStatus drop_schema(KtParser *p, KtAstStatement *out)
{
    p->at++;
    bool index = kt_parse_take_word(p, KT_WORD_INDEX);
    if (!index)
        KT_TRY(kt_parse_expect_word(p, KT_WORD_CONSTRAINT, "INDEX or CONSTRAINT after DROP"));
    out->kind = index ? KT_AST_DROP_INDEX : KT_AST_DROP_CONSTRAINT;
    KT_TRY(kt_parse_variable(p, "the name of what to drop", &out->name));
    return if_exists(p, false, &out->if_exists);
}

static KtStatus show_schema(KtParser *p, KtAstStatement *out)
{
    p->at++;
    bool index = kt_parse_take_word(p, KT_WORD_INDEXES) || kt_parse_take_word(p, KT_WORD_INDEX);
    if (!index && !kt_parse_take_word(p, KT_WORD_CONSTRAINTS))
        KT_TRY(kt_parse_expect_word(p, KT_WORD_CONSTRAINT, "INDEXES or CONSTRAINTS after SHOW"));
    out->kind = index ? KT_AST_SHOW_INDEXES : KT_AST_SHOW_CONSTRAINTS;
    if (kt_parse_is_word(p, KT_WORD_YIELD) || kt_parse_is_word(p, KT_WORD_WHERE))
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at, "YIELD and WHERE after SHOW are",
                                    "Leave them out.");
    return KT_OK;
}

/* ---- statements ---- */

static bool makes_schema(KtWord word)
{
    return word == KT_WORD_INDEX || word == KT_WORD_CONSTRAINT || word == KT_WORD_RANGE ||
           word == KT_WORD_TEXT || word == KT_WORD_POINT || word == KT_WORD_LOOKUP ||
           word == KT_WORD_FULLTEXT || word == KT_WORD_VECTOR;
}

static KtStatus statement(KtParser *p, KtAstStatement *out)
{
    if (kt_parse_take_word(p, KT_WORD_EXPLAIN))
        out->prefix = KT_AST_EXPLAIN;
    else if (kt_parse_take_word(p, KT_WORD_PROFILE))
        out->prefix = KT_AST_PROFILE;
    bool plain = out->prefix == KT_AST_RUN;
    KtPos begin = kt_parse_peek(p, 0)->at;
    KtWord word = (KtWord)kt_parse_peek(p, 0)->word;
    const char *expected = "the end of the statement";
    if (word == KT_WORD_CREATE && makes_schema((KtWord)kt_parse_peek(p, 1)->word)) {
        KT_TRY(create_schema(p, out));
    } else if (word == KT_WORD_DROP) {
        KT_TRY(drop_schema(p, out));
        expected = out->if_exists ? expected : "IF EXISTS or the end of the statement";
    } else if (word == KT_WORD_SHOW) {
        KT_TRY(show_schema(p, out));
    } else if (kt_parse_at_clause(p)) {
        KT_TRY(kt_parse_query(p, &out->query));
        expected = "an operator, a clause, UNION or the end of the statement";
    } else {
        return kt_parse_unexpected(p, "a statement: MATCH, CREATE, MERGE, UNWIND, WITH, RETURN...");
    }
    if (out->kind != KT_AST_QUERY && !plain)
        return kt_parse_unsupported(p, &begin, "EXPLAIN and PROFILE of a schema statement are",
                                    "Run it without them.");
    if (kt_parse_take(p, KT_LEX_SEMICOLON))
        expected = "the end: one statement at a time";
    return kt_parse_expect(p, KT_LEX_END, expected);
}

KtStatus kt_parse(KtText text, KtArena *arena, KtDiag *diag, const KtAstStatement **out)
{
    KtParser p = {.arena = arena, .diag = diag, .text = text};
    KtAstStatement *made = kt_arena_zero(arena, 1, sizeof *made);
    KtStatus status = KT_OK;
    if (!made || kt_arena_open(NULL, &p.scratch) != KT_OK)
        status = kt_parse_memory(&p);
    if (status == KT_OK)
        status = kt_lex(p.scratch, text, diag, &p.lexemes);
    if (status == KT_OK)
        status = statement(&p, made);
    kt_arena_close(p.scratch);
    if (status != KT_OK) {
        if (diag)
            diag->compile_time = true;
        return status;
    }
    made->text = text;
    *out = made;
    return KT_OK;
}
