/* query/parse/parse_internal.h - the parser's state and the few steps that its five files share.
 *
 * A parse_x function begins at the first lexeme of an x and ends behind its last. On failure the diag is
 * written and the state is of no further use. */
#ifndef KT_QUERY_PARSE_PARSE_INTERNAL_H
#define KT_QUERY_PARSE_PARSE_INTERNAL_H

#include "query/ast/ast.h"
#include "query/parse/lexer.h"
#include "query/parse/parse.h"
#include "query/query.h"

typedef struct KtParser {
    KtArena *arena;   /* the tree */
    KtArena *scratch; /* lexemes and growing lists; freed after the parse */
    KtDiag *diag;
    KtLexemes lexemes;
    KtText text;
    uint32_t at;      /* index of the next lexeme */
    uint32_t nesting; /* constructs that are open */
    uint32_t deepest; /* depth of the deepest expression made inside the one being parsed */
} KtParser;

/* A list that grows in scratch and ends as an exact array in the arena. */
typedef struct KtGrowing {
    void *item;
    uint32_t n, cap;
} KtGrowing;

/* Appends a copy of `size` bytes. */
KtStatus kt_parse_push(KtParser *p, KtGrowing *list, const void *item, size_t size) KT_MUST_CHECK;
/* `out` is the address of a pointer of any type: it gets the finished array, or NULL if that is empty. */
KtStatus kt_parse_finish(KtParser *p, const KtGrowing *list, size_t size, void *out) KT_MUST_CHECK;

static inline const KtLexeme *kt_parse_peek(const KtParser *p, uint32_t ahead)
{
    uint32_t last = p->lexemes.n - 1;
    return &p->lexemes.item[ahead > last - p->at ? last : p->at + ahead];
}
static inline bool kt_parse_is(const KtParser *p, KtLexemeKind kind)
{
    return p->lexemes.item[p->at].kind == kind;
}
static inline bool kt_parse_is_word(const KtParser *p, KtWord word)
{
    return p->lexemes.item[p->at].word == word;
}
/* Takes the next lexeme if it is such. END and BAD are never taken. */
bool kt_parse_take(KtParser *p, KtLexemeKind kind);
bool kt_parse_take_word(KtParser *p, KtWord word);

/* Fails at the next lexeme: "Unexpected 'x': expected <expected>", or the lexer's own fault there. */
KtStatus kt_parse_unexpected(KtParser *p, const char *expected) KT_MUST_CHECK;
KtStatus kt_parse_expect(KtParser *p, KtLexemeKind kind, const char *expected) KT_MUST_CHECK;
KtStatus kt_parse_expect_word(KtParser *p, KtWord word, const char *expected) KT_MUST_CHECK;
KtStatus kt_parse_unsupported(KtParser *p, const KtPos *at, const char *what,
                              const char *way_out) KT_MUST_CHECK;
KtStatus kt_parse_memory(KtParser *p) KT_MUST_CHECK;

/* From the lexeme `first` to the one before the next. */
KtPos kt_parse_span(const KtParser *p, uint32_t first);
KtText kt_parse_slice(const KtParser *p, uint32_t first);

/* A construct that holds others begins: TOO_COMPLEX if it is one too many. */
KtStatus kt_parse_enter(KtParser *p) KT_MUST_CHECK;
static inline void kt_parse_leave(KtParser *p) { p->nesting--; }

/* Can the next lexeme name a variable? */
bool kt_parse_is_variable(const KtParser *p, uint32_t ahead);
KtStatus kt_parse_variable(KtParser *p, const char *expected, KtAstName *out) KT_MUST_CHECK;
/* A label, type, property key...: reserved words too. Not empty. */
KtStatus kt_parse_name(KtParser *p, const char *expected, KtAstName *out) KT_MUST_CHECK;
/* The key of a map, which may also be empty (in backticks). */
KtStatus kt_parse_key(KtParser *p, const char *expected, KtAstName *out) KT_MUST_CHECK;
/* a.b.c */
KtStatus kt_parse_dotted(KtParser *p, const char *expected, KtAstName *out) KT_MUST_CHECK;

/* parse_atom.c */
/* A node around all that was made since the enclosing level of operators began. */
KtStatus kt_parse_make(KtParser *p, KtAstExprKind kind, uint32_t first,
                       KtAstExpr **out) KT_MUST_CHECK;
KtStatus kt_parse_keep_name(KtParser *p, KtAstName name, const KtAstName **out) KT_MUST_CHECK;
KtStatus kt_parse_atom(KtParser *p, const KtAstExpr **out) KT_MUST_CHECK;
/* `first`: the lexeme where the literal begins, a sign or the number itself. */
KtStatus kt_parse_number(KtParser *p, uint32_t first, bool negative,
                         const KtAstExpr **out) KT_MUST_CHECK;

/* parse_expr.c */
KtStatus kt_parse_expr(KtParser *p, const KtAstExpr **out) KT_MUST_CHECK;
KtStatus kt_parse_exprs(KtParser *p, KtAstExprs *out) KT_MUST_CHECK; /* one or more, with commas */
/* An atom with what follows it (.key, [i], :Label) and no operators: what SET and REMOVE may name. */
KtStatus kt_parse_target(KtParser *p, const KtAstExpr **out) KT_MUST_CHECK;
/* The map or parameter of a pattern; *out is NULL if there is none. */
KtStatus kt_parse_props(KtParser *p, const KtAstExpr **out) KT_MUST_CHECK;

/* parse_pattern.c */
KtStatus kt_parse_paths(KtParser *p, KtAstPaths *out) KT_MUST_CHECK; /* one or more, with commas */
/* [name =] path or shortestPath(path) */
KtStatus kt_parse_path(KtParser *p, const KtAstPath **out) KT_MUST_CHECK;
KtStatus kt_parse_shortest(KtParser *p, KtAstPath *out) KT_MUST_CHECK;
KtStatus kt_parse_bare_path(KtParser *p, KtAstPath *out) KT_MUST_CHECK;
/* :A:B; the next lexeme is ':'. `reads` says what may not follow: "label" or "relationship type". */
KtStatus kt_parse_labels(KtParser *p, KtAstNames *out) KT_MUST_CHECK;
/* Index of the lexeme behind the path with at least one relationship that begins at index `from`; 0 if none begins. */
uint32_t kt_parse_scan_path(const KtParser *p, uint32_t from);

/* parse_clause.c */
bool kt_parse_at_clause(const KtParser *p);
KtStatus kt_parse_clause(KtParser *p, KtAstClause *out) KT_MUST_CHECK;

/* parse_query.c */
KtStatus kt_parse_query(KtParser *p, KtAstQuery *out) KT_MUST_CHECK;

#endif
