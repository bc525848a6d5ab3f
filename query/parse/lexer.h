/* query/parse/lexer.h - statement text to lexemes. Nothing else in Kith looks at statement text. */
#ifndef KT_QUERY_PARSE_LEXER_H
#define KT_QUERY_PARSE_LEXER_H

#include "base/value.h"
#include "query/parse/token.h"

typedef struct KtLexemes {
    KtText text;
    uint32_t n; /* at least 1: the last one is END or BAD */
    const KtLexeme *item;
    KtStatus fault; /* of the BAD lexeme, with its sentence */
    char fault_text[128];
} KtLexemes;

/* Splits `text` into lexemes that lie in `arena`; the text itself is not copied and must live as long.
 * A character or literal that is none ends the list with a BAD lexeme: the parser reports it when it gets
 * there, so that the first error in the text is the one that is told.
 * Errors: STATEMENT_TOO_LONG, TOO_COMPLEX (brackets nested deeper than KT_NESTING_MOST), MEMORY.
 * Cost: linear; 24 bytes a lexeme. */
KtStatus kt_lex(KtArena *arena, KtText text, KtDiag *diag, KtLexemes *out) KT_MUST_CHECK;

/* The name of a NAME or PARAMETER (without $ and backticks) or the contents of a TEXT (without quotes and
 * escapes). Points into the statement where nothing had to change, else into `arena`. Errors: MEMORY. */
KtStatus kt_lexeme_text(KtArena *arena, const KtLexemes *lexemes, const KtLexeme *lexeme,
                        KtText *out) KT_MUST_CHECK;

/* The value of an INTEGER, negated if `negative`. False when it does not fit in 64 bits. */
bool kt_lexeme_integer(const KtLexemes *lexemes, const KtLexeme *lexeme, bool negative,
                       int64_t *out);
/* The value of a FLOAT. Errors: MEMORY. *finite is false when it is beyond the greatest double. */
KtStatus kt_lexeme_float(KtArena *arena, const KtLexemes *lexemes, const KtLexeme *lexeme,
                         double *out, bool *finite) KT_MUST_CHECK;

const char *kt_word_text(KtWord word);
bool kt_word_reserved(KtWord word);

#endif
