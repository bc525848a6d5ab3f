/* query/parse/parse_pattern.c - nodes, relationships and the paths that they make.
 *
 * `(a)-[r]-(b)` and the arithmetic `(a) - [r] - (b)` look alike: kt_parse_scan_path decides, by shape alone and
 * in time linear in the path, since the lexer has already paired the brackets. */
#include "query/parse/parse_internal.h"

KtStatus kt_parse_labels(KtParser *p, KtAstNames *out)
{
    KtGrowing list = {0};
    while (kt_parse_take(p, KT_LEX_COLON)) {
        KtAstName name;
        KT_TRY(kt_parse_name(p, "a label", &name));
        KT_TRY(kt_parse_push(p, &list, &name, sizeof name));
    }
    out->n = list.n;
    return kt_parse_finish(p, &list, sizeof(KtAstName), &out->item);
}

static KtStatus node(KtParser *p, KtAstNode *out)
{
    uint32_t first = p->at;
    *out = (KtAstNode){0};
    KT_TRY(kt_parse_expect(p, KT_LEX_LPAREN, "'(', the beginning of a node"));
    KT_TRY(kt_parse_enter(p));
    if (kt_parse_is_variable(p, 0))
        KT_TRY(kt_parse_variable(p, "a variable", &out->variable));
    if (kt_parse_is(p, KT_LEX_COLON))
        KT_TRY(kt_parse_labels(p, &out->labels));
    if (kt_parse_is(p, KT_LEX_BAR) || kt_parse_is(p, KT_LEX_AMPERSAND) ||
        kt_parse_is(p, KT_LEX_BANG))
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at,
                                    "Label expressions with | & and ! are",
                                    "Write :A:B for both labels, and WHERE n:A OR n:B for either.");
    KT_TRY(kt_parse_props(p, &out->props));
    if (kt_parse_is_word(p, KT_WORD_WHERE))
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at, "WHERE inside a pattern is",
                                    "Put the condition into the WHERE of the clause.");
    KT_TRY(kt_parse_expect(p, KT_LEX_RPAREN,
                           out->props              ? "')'"
                           : out->labels.n         ? "':', '{', a parameter or ')'"
                           : out->variable.text.at ? "':', '{', a parameter or ')'"
                                                   : "a variable, ':', '{', a parameter or ')'"));
    kt_parse_leave(p);
    out->at = kt_parse_span(p, first);
    return KT_OK;
}

/* A bound of a variable length. */
static KtStatus bound(KtParser *p, uint64_t *out, bool *given)
{
    if (!kt_parse_is(p, KT_LEX_INTEGER))
        return KT_OK;
    int64_t value;
    if (!kt_lexeme_integer(&p->lexemes, kt_parse_peek(p, 0), false, &value))
        return kt_diag_set(p->diag, KT_ERR_INTEGER_OVERFLOW, &kt_parse_peek(p, 0)->at,
                           "This length does not fit in 64 bits.");
    *out = (uint64_t)value;
    *given = true;
    p->at++;
    return KT_OK;
}

static KtStatus length(KtParser *p, KtAstRel *out)
{
    out->var_length = true;
    out->least = 1;
    out->most = KT_AST_NO_MOST;
    KT_TRY(bound(p, &out->least, &out->least_given));
    if (kt_parse_take(p, KT_LEX_DOTS)) {
        KT_TRY(bound(p, &out->most, &out->most_given));
    } else if (out->least_given) {
        out->most = out->least;
        out->most_given = true;
    }
    return KT_OK;
}

static KtStatus types(KtParser *p, KtAstNames *out)
{
    KtGrowing list = {0};
    KtAstName name;
    KT_TRY(kt_parse_expect(p, KT_LEX_COLON, "':'"));
    KT_TRY(kt_parse_name(p, "a relationship type", &name));
    KT_TRY(kt_parse_push(p, &list, &name, sizeof name));
    while (kt_parse_take(p, KT_LEX_BAR)) {
        kt_parse_take(p, KT_LEX_COLON);
        KT_TRY(kt_parse_name(p, "a relationship type", &name));
        KT_TRY(kt_parse_push(p, &list, &name, sizeof name));
    }
    out->n = list.n;
    return kt_parse_finish(p, &list, sizeof name, &out->item);
}

static KtStatus rel_body(KtParser *p, KtAstRel *out)
{
    KT_TRY(kt_parse_enter(p));
    p->at++;
    if (kt_parse_is_variable(p, 0))
        KT_TRY(kt_parse_variable(p, "a variable", &out->variable));
    if (kt_parse_is(p, KT_LEX_COLON))
        KT_TRY(types(p, &out->types));
    if (kt_parse_is(p, KT_LEX_AMPERSAND) || kt_parse_is(p, KT_LEX_BANG))
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at,
                                    "Type expressions with & and ! are",
                                    "Write :A|B for either type, and test type(r) in WHERE.");
    bool starred = kt_parse_take(p, KT_LEX_STAR);
    if (starred)
        KT_TRY(length(p, out));
    KT_TRY(kt_parse_props(p, &out->props));
    if (kt_parse_is_word(p, KT_WORD_WHERE))
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at, "WHERE inside a pattern is",
                                    "Put the condition into the WHERE of the clause.");
    KT_TRY(kt_parse_expect(p, KT_LEX_RBRACKET,
                           out->props     ? "']'"
                           : starred      ? "a length as in *1..3, '{' or ']'"
                           : out->types.n ? "'|', '*', '{', a parameter or ']'"
                                          : "a variable, ':', '*', '{', a parameter or ']'"));
    kt_parse_leave(p);
    return KT_OK;
}

/* -[..]->, <-[..]-, -[..]-, -->, <--, --, <--> */
static KtStatus rel(KtParser *p, KtAstRel *out)
{
    uint32_t first = p->at;
    *out = (KtAstRel){0};
    bool left = kt_parse_take(p, KT_LEX_LT);
    KT_TRY(kt_parse_expect(p, KT_LEX_MINUS, "'-'"));
    if (kt_parse_is(p, KT_LEX_LBRACKET))
        KT_TRY(rel_body(p, out));
    KT_TRY(kt_parse_expect(p, KT_LEX_MINUS, "'-' or '['"));
    bool right = kt_parse_take(p, KT_LEX_GT);
    out->direction = left == right ? KT_AST_BOTH : left ? KT_AST_IN_ : KT_AST_OUT;
    out->at = kt_parse_span(p, first);
    return KT_OK;
}

KtStatus kt_parse_bare_path(KtParser *p, KtAstPath *out)
{
    uint32_t first = p->at;
    *out = (KtAstPath){0};
    KtGrowing nodes = {0}, rels = {0};
    KtAstNode n;
    KT_TRY(node(p, &n));
    KT_TRY(kt_parse_push(p, &nodes, &n, sizeof n));
    while (kt_parse_is(p, KT_LEX_MINUS) || kt_parse_is(p, KT_LEX_LT)) {
        KtAstRel r;
        KT_TRY(rel(p, &r));
        KT_TRY(kt_parse_push(p, &rels, &r, sizeof r));
        KT_TRY(node(p, &n));
        KT_TRY(kt_parse_push(p, &nodes, &n, sizeof n));
    }
    KT_TRY(kt_parse_finish(p, &nodes, sizeof n, &out->node));
    KT_TRY(kt_parse_finish(p, &rels, sizeof(KtAstRel), &out->rel));
    out->rels = rels.n;
    out->at = kt_parse_span(p, first);
    return KT_OK;
}

KtStatus kt_parse_shortest(KtParser *p, KtAstPath *out)
{
    uint32_t first = p->at;
    KtAstShortest shortest = kt_parse_is_word(p, KT_WORD_SHORTEST_PATH) ? KT_AST_SHORTEST_PATH
                                                                        : KT_AST_ALL_SHORTEST_PATHS;
    p->at++;
    KT_TRY(kt_parse_expect(p, KT_LEX_LPAREN, "'('"));
    KT_TRY(kt_parse_enter(p));
    KT_TRY(kt_parse_bare_path(p, out));
    KT_TRY(kt_parse_expect(p, KT_LEX_RPAREN, "')', the end of the path"));
    kt_parse_leave(p);
    out->shortest = shortest;
    out->at = kt_parse_span(p, first);
    return KT_OK;
}

static bool at_shortest(const KtParser *p)
{
    return (kt_parse_is_word(p, KT_WORD_SHORTEST_PATH) ||
            kt_parse_is_word(p, KT_WORD_ALL_SHORTEST_PATHS)) &&
           kt_parse_peek(p, 1)->kind == KT_LEX_LPAREN;
}

static KtStatus path_into(KtParser *p, KtAstPath *out)
{
    uint32_t first = p->at;
    KtAstName name = {0};
    if (kt_parse_is_variable(p, 0) && !at_shortest(p)) {
        KT_TRY(kt_parse_variable(p, "a variable", &name));
        KT_TRY(kt_parse_expect(p, KT_LEX_EQ, "'=' after the name of a path"));
    }
    if (at_shortest(p))
        KT_TRY(kt_parse_shortest(p, out));
    else if (kt_parse_is(p, KT_LEX_LPAREN))
        KT_TRY(kt_parse_bare_path(p, out));
    else
        return kt_parse_unexpected(p, "a pattern such as (a)-[:KNOWS]->(b)");
    out->variable = name;
    out->at = kt_parse_span(p, first);
    return KT_OK;
}

KtStatus kt_parse_path(KtParser *p, const KtAstPath **out)
{
    KtAstPath *path = kt_arena_alloc(p->arena, sizeof *path);
    if (!path)
        return kt_parse_memory(p);
    KT_TRY(path_into(p, path));
    *out = path;
    return KT_OK;
}

KtStatus kt_parse_paths(KtParser *p, KtAstPaths *out)
{
    KtGrowing list = {0};
    do {
        KtAstPath path;
        KT_TRY(path_into(p, &path));
        KT_TRY(kt_parse_push(p, &list, &path, sizeof path));
    } while (kt_parse_take(p, KT_LEX_COMMA));
    out->n = list.n;
    return kt_parse_finish(p, &list, sizeof(KtAstPath), &out->item);
}

/* ---- shape ---- */

static uint8_t kind_at(const KtParser *p, uint32_t i)
{
    return i < p->lexemes.n ? p->lexemes.item[i].kind : (uint8_t)KT_LEX_END;
}

/* Behind the node that begins at `i`, or 0. */
static uint32_t scan_node(const KtParser *p, uint32_t i)
{
    if (kind_at(p, i) != KT_LEX_LPAREN)
        return 0;
    uint32_t end = p->lexemes.item[i].match;
    if (!end)
        return 0;
    i++;
    if (kind_at(p, i) == KT_LEX_NAME && !kt_word_reserved((KtWord)p->lexemes.item[i].word))
        i++;
    while (kind_at(p, i) == KT_LEX_COLON && kind_at(p, i + 1) == KT_LEX_NAME)
        i += 2;
    if (kind_at(p, i) == KT_LEX_LBRACE && p->lexemes.item[i].match)
        i = p->lexemes.item[i].match + 1;
    else if (kind_at(p, i) == KT_LEX_PARAMETER)
        i++;
    /* what else stands in there is an error that the pattern's parser explains better */
    bool label_expression = kind_at(p, i) == KT_LEX_BAR || kind_at(p, i) == KT_LEX_AMPERSAND;
    return i == end || label_expression ? end + 1 : 0;
}

/* Behind the relationship that begins at `i`, or 0. */
static uint32_t scan_rel(const KtParser *p, uint32_t i)
{
    if (kind_at(p, i) == KT_LEX_LT)
        i++;
    if (kind_at(p, i) != KT_LEX_MINUS)
        return 0;
    i++;
    if (kind_at(p, i) == KT_LEX_LBRACKET) {
        if (!p->lexemes.item[i].match)
            return 0;
        i = p->lexemes.item[i].match + 1;
    }
    if (kind_at(p, i) != KT_LEX_MINUS)
        return 0;
    i++;
    if (kind_at(p, i) == KT_LEX_GT)
        i++;
    return i;
}

uint32_t kt_parse_scan_path(const KtParser *p, uint32_t from)
{
    uint32_t behind = 0, i = scan_node(p, from);
    while (i) {
        uint32_t r = scan_rel(p, i);
        i = r ? scan_node(p, r) : 0;
        if (i)
            behind = i;
    }
    return behind;
}
