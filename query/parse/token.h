/* query/parse/token.h - the lexemes of Cypher: what the lexer hands to the parser.
 *
 * A word is always a NAME; `word` says which keyword it spells (never so in backticks), and the parser
 * decides by place whether it is one. Symbols are single characters but for the six that no other
 * reading has, so that the arrows of patterns need no lexemes of their own. */
#ifndef KT_QUERY_PARSE_TOKEN_H
#define KT_QUERY_PARSE_TOKEN_H

#include "base/diag.h"

#include <stdint.h>

typedef enum KtWord {
    KT_NO_WORD = 0,
#define KT_KEYWORD(name, text, reserved) KT_WORD_##name,
#include "query/parse/keywords.def"
#undef KT_KEYWORD
    KT_WORD_COUNT_
} KtWord;

typedef enum KtLexemeKind {
    KT_LEX_END,
    KT_LEX_BAD,          /* the lexer could go no further: KtLexemes.fault says why */
    KT_LEX_NAME,         /* a word or a name in backticks */
    KT_LEX_INTEGER,      /* well-formed, not yet converted: 12, 0x1f, 0o17 */
    KT_LEX_FLOAT,        /* 1.5, .5, 1e9 */
    KT_LEX_NOT_A_NUMBER, /* begins with a digit and is no number: 12abc, 0x */
    KT_LEX_TEXT,         /* in quotes, escapes already checked */
    KT_LEX_PARAMETER,    /* $name, $`name`, $0 */
    KT_LEX_LPAREN,
    KT_LEX_RPAREN,
    KT_LEX_LBRACKET,
    KT_LEX_RBRACKET,
    KT_LEX_LBRACE,
    KT_LEX_RBRACE,
    KT_LEX_COMMA,
    KT_LEX_DOT,
    KT_LEX_DOTS, /* .. */
    KT_LEX_COLON,
    KT_LEX_SEMICOLON,
    KT_LEX_BAR,
    KT_LEX_AMPERSAND,
    KT_LEX_BANG,
    KT_LEX_EQ,
    KT_LEX_NE, /* <> */
    KT_LEX_LT,
    KT_LEX_LE,
    KT_LEX_GT,
    KT_LEX_GE,
    KT_LEX_MATCHES, /* =~ */
    KT_LEX_PLUS,
    KT_LEX_PLUS_EQ, /* += */
    KT_LEX_MINUS,
    KT_LEX_STAR,
    KT_LEX_SLASH,
    KT_LEX_PERCENT,
    KT_LEX_CARET,
} KtLexemeKind;

typedef struct KtLexeme {
    KtPos at;
    uint8_t kind; /* KtLexemeKind */
    uint8_t word; /* KtWord */
    uint16_t pad;
    uint32_t match; /* of an opening bracket: index of its closing one, 0 if there is none */
} KtLexeme;

_Static_assert(sizeof(KtLexeme) == 24, "a statement of 1 MiB has a million of them");

#endif
