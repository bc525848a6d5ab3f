/* query/parse/lexer.c - statement text to lexemes, in two runs: the first counts, the second fills.
 *
 * What must hold: every byte of the statement belongs to exactly one lexeme, blank or comment; a place is
 * counted in code points; text that is not UTF-8 is refused here, so nobody behind needs to check. */
#include "query/parse/lexer.h"

#include "query/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { CODE_POINT_BAD = 0x110000, WORD_BYTES = 17 };

typedef struct Lexer {
    const char *start, *at, *end;
    uint32_t line, column;
    KtStatus fault;
    char fault_text[128];
} Lexer;

static const char *const word_texts[] = {
    "",
#define KT_KEYWORD(name, text, reserved) text,
#include "query/parse/keywords.def"
#undef KT_KEYWORD
};

static const bool word_reserved[] = {
    false,
#define KT_KEYWORD(name, text, reserved) reserved,
#include "query/parse/keywords.def"
#undef KT_KEYWORD
};

const char *kt_word_text(KtWord word) { return word_texts[word]; }

bool kt_word_reserved(KtWord word) { return word_reserved[word]; }

/* ---- characters ---- */

/* Decodes the code point at `at`; CODE_POINT_BAD with *len 1 if it is not UTF-8. */
static uint32_t decode(const char *at, const char *end, unsigned *len)
{
    const unsigned char *s = (const unsigned char *)at;
    size_t left = (size_t)(end - at);
    *len = 1;
    if (s[0] < 0x80)
        return s[0];
    unsigned n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || n > left)
        return CODE_POINT_BAD;
    uint32_t c = s[0] & (0xFFu >> (n + 1));
    for (unsigned i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return CODE_POINT_BAD;
        c = c << 6 | (s[i] & 0x3Fu);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return CODE_POINT_BAD;
    *len = n;
    return c;
}

static bool is_blank(uint32_t c)
{
    return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
           c == 0xA0 || c == 0x1680 || c == 0x180E || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

static bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }

/* Beyond ASCII every character that is no punctuation, symbol or private use counts as a letter. */
static bool is_name_start(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    static const uint32_t not_letters[][2] = {
        {0x80, 0xA9},     {0xAB, 0xB4},       {0xB6, 0xB9},        {0xBB, 0xBF},
        {0xD7, 0xD7},     {0xF7, 0xF7},       {0x300, 0x36F},      {0x1680, 0x1680},
        {0x180E, 0x180E}, {0x2000, 0x203E},   {0x2041, 0x2053},    {0x2055, 0x2070},
        {0x207A, 0x207E}, {0x208A, 0x208E},   {0x20A0, 0x20FF},    {0x2190, 0x2BFF},
        {0x2E00, 0x2E7F}, {0x3000, 0x3004},   {0x3008, 0x3020},    {0x3030, 0x3030},
        {0xE000, 0xF8FF}, {0xFD3E, 0xFD3F},   {0xFE00, 0xFE2F},    {0xFE30, 0xFE32},
        {0xFE35, 0xFE4C}, {0xFE50, 0xFE6F},   {0xFEFF, 0xFEFF},    {0xFF01, 0xFF0F},
        {0xFF1A, 0xFF20}, {0xFF3B, 0xFF3E},   {0xFF40, 0xFF40},    {0xFF5B, 0xFF65},
        {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF}, {0xE0000, 0x10FFFF},
    };
    for (size_t i = 0; i < KT_COUNT(not_letters); i++)
        if (c >= not_letters[i][0] && c <= not_letters[i][1])
            return false;
    return true;
}

static bool is_name_part(uint32_t c)
{
    return is_name_start(c) || is_digit(c) || c == 0xB7 || (c >= 0x300 && c <= 0x36F);
}

static uint32_t peek(const Lexer *lx, unsigned *len)
{
    *len = 0;
    return lx->at < lx->end ? decode(lx->at, lx->end, len) : 0;
}

static char byte_at(const Lexer *lx, size_t ahead)
{
    return (size_t)(lx->end - lx->at) > ahead ? lx->at[ahead] : 0;
}

/* Moves over one code point. */
static void step(Lexer *lx, uint32_t c, unsigned len)
{
    lx->at += len;
    if (c == '\n') {
        lx->line++;
        lx->column = 1;
    } else {
        lx->column++;
    }
}

static void step_ascii(Lexer *lx, unsigned n)
{
    lx->at += n;
    lx->column += n;
}

static KtLexemeKind bad(Lexer *lx, KtStatus status, const char *text)
{
    lx->fault = status;
    snprintf(lx->fault_text, sizeof lx->fault_text, "%s", text);
    return KT_LEX_BAD;
}

static KtLexemeKind bad_encoding(Lexer *lx)
{
    return bad(lx, KT_ERR_INVALID_UNICODE_CHARACTER, "The statement is not valid UTF-8 here.");
}

/* Skips blanks and comments. False: a fault. */
static bool skip_blanks(Lexer *lx)
{
    for (;;) {
        unsigned len;
        uint32_t c = peek(lx, &len);
        if (len == 0)
            return true;
        if (is_blank(c)) {
            step(lx, c, len);
            continue;
        }
        if (c == '/' && byte_at(lx, 1) == '/') {
            while (lx->at < lx->end && *lx->at != '\n') {
                c = peek(lx, &len);
                if (c == CODE_POINT_BAD)
                    return bad_encoding(lx) == KT_LEX_END;
                step(lx, c, len);
            }
            continue;
        }
        if (c == '/' && byte_at(lx, 1) == '*') {
            Lexer open = *lx;
            step_ascii(lx, 2);
            while (lx->at < lx->end && !(*lx->at == '*' && byte_at(lx, 1) == '/')) {
                c = peek(lx, &len);
                if (c == CODE_POINT_BAD)
                    return bad_encoding(lx) == KT_LEX_END;
                step(lx, c, len);
            }
            if (lx->at == lx->end) {
                *lx = open;
                bad(lx, KT_ERR_UNEXPECTED_SYNTAX, "This comment has no closing */.");
                return false;
            }
            step_ascii(lx, 2);
            continue;
        }
        return true;
    }
}

/* ---- lexemes ---- */

static void run_name(Lexer *lx)
{
    for (;;) {
        unsigned len;
        uint32_t c = peek(lx, &len);
        if (len == 0 || c == CODE_POINT_BAD || !is_name_part(c))
            return;
        step(lx, c, len);
    }
}

static KtWord find_word(const char *at, size_t len)
{
    if (len >= WORD_BYTES)
        return KT_NO_WORD;
    char text[WORD_BYTES];
    memcpy(text, at, len);
    text[len] = 0;
    size_t low = 1, high = KT_COUNT(word_texts);
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcasecmp(text, word_texts[mid]);
        if (order == 0)
            return (KtWord)mid;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return KT_NO_WORD;
}

/* A name in backticks; two of them stand for one. */
static KtLexemeKind quoted_name(Lexer *lx, KtLexemeKind kind)
{
    Lexer open = *lx;
    step_ascii(lx, 1);
    for (;;) {
        unsigned len;
        uint32_t c = peek(lx, &len);
        if (len == 0) {
            *lx = open;
            return bad(lx, KT_ERR_UNEXPECTED_SYNTAX, "This name has no closing backtick.");
        }
        if (c == CODE_POINT_BAD)
            return bad_encoding(lx);
        if (c == '`') {
            if (byte_at(lx, 1) != '`')
                break;
            step_ascii(lx, 1);
        }
        step(lx, c, len);
    }
    step_ascii(lx, 1);
    return kind;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The value of `n` hexadecimal digits at `at`, or -1. */
static int64_t hex_digits(const char *at, const char *end, unsigned n)
{
    int64_t value = 0;
    if ((size_t)(end - at) < n)
        return -1;
    for (unsigned i = 0; i < n; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Reads one \u or \U escape at `at` (on the backslash), a surrogate pair as one: its length, 0 if it is none. */
static unsigned unicode_escape(const char *at, const char *end, uint32_t *out)
{
    unsigned digits = at[1] == 'u' ? 4 : 8;
    int64_t c = hex_digits(at + 2, end, digits);
    if (c < 0 || c > 0x10FFFF || (c >= 0xDC00 && c <= 0xDFFF))
        return 0;
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (end - at < 12 || at[6] != '\\' || at[7] != 'u')
            return 0;
        int64_t low = hex_digits(at + 8, end, 4);
        if (low < 0xDC00 || low > 0xDFFF)
            return 0;
        *out = (uint32_t)(0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
        return 12;
    }
    *out = (uint32_t)c;
    return 2 + digits;
}

static KtLexemeKind string(Lexer *lx)
{
    Lexer open = *lx;
    char quote = *lx->at;
    step_ascii(lx, 1);
    for (;;) {
        unsigned len;
        uint32_t c = peek(lx, &len);
        if (len == 0) {
            *lx = open;
            return bad(lx, KT_ERR_UNEXPECTED_SYNTAX, "This string has no closing quote.");
        }
        if (c == CODE_POINT_BAD)
            return bad_encoding(lx);
        if (c == '\\') {
            char e = byte_at(lx, 1);
            if (e == 'u' || e == 'U') {
                uint32_t unused;
                unsigned escape = unicode_escape(lx->at, lx->end, &unused);
                if (!escape)
                    return bad(
                        lx, KT_ERR_INVALID_UNICODE_LITERAL,
                        "\\u takes four hexadecimal digits, \\U eight, that name a character.");
                step_ascii(lx, escape);
                continue;
            }
            if (e == 0 || !strchr("\\'\"`bfnrt", e))
                return bad(
                    lx, KT_ERR_UNEXPECTED_SYNTAX,
                    "Unknown escape: expected one of \\\\ \\' \\\" \\b \\f \\n \\r \\t \\uXXXX.");
            step_ascii(lx, 2);
            continue;
        }
        step(lx, c, len);
        if (c == (unsigned char)quote)
            return KT_LEX_TEXT;
    }
}

static void run_digits(Lexer *lx)
{
    while (is_digit((unsigned char)byte_at(lx, 0)))
        step_ascii(lx, 1);
}

/* At a digit, or at a point before one. Letters that follow make it no number at all. */
static KtLexemeKind number(Lexer *lx)
{
    const char *first = lx->at;
    KtLexemeKind kind = KT_LEX_INTEGER;
    bool good = true;
    if (first[0] == '0' && (byte_at(lx, 1) == 'x' || byte_at(lx, 1) == 'X')) {
        step_ascii(lx, 2);
        good = hex_digit(byte_at(lx, 0)) >= 0;
        while (hex_digit(byte_at(lx, 0)) >= 0)
            step_ascii(lx, 1);
    } else if (first[0] == '0' && (byte_at(lx, 1) == 'o' || byte_at(lx, 1) == 'O')) {
        step_ascii(lx, 2);
        const char *digits = lx->at;
        while (byte_at(lx, 0) >= '0' && byte_at(lx, 0) <= '7')
            step_ascii(lx, 1);
        good = lx->at > digits && !is_digit((unsigned char)byte_at(lx, 0));
    } else {
        run_digits(lx);
        bool leading_zero = first[0] == '0' && lx->at > first + 1;
        if (byte_at(lx, 0) == '.' && is_digit((unsigned char)byte_at(lx, 1))) {
            kind = KT_LEX_FLOAT;
            step_ascii(lx, 1);
            run_digits(lx);
        }
        char sign = byte_at(lx, 1);
        if ((byte_at(lx, 0) | 0x20) == 'e' &&
            (is_digit((unsigned char)sign) ||
             ((sign == '+' || sign == '-') && is_digit((unsigned char)byte_at(lx, 2))))) {
            kind = KT_LEX_FLOAT;
            step_ascii(lx, 2);
            run_digits(lx);
        }
        good = kind == KT_LEX_FLOAT ||
               !leading_zero; /* 017 was octal once: refused rather than guessed */
    }
    const char *before = lx->at;
    run_name(lx);
    return good && lx->at == before ? kind : KT_LEX_NOT_A_NUMBER;
}

static KtLexemeKind symbol(Lexer *lx, uint32_t c)
{
    char next = byte_at(lx, 1);
    KtLexemeKind kind, pair = KT_LEX_END;
    switch (c) {
    case '(': kind = KT_LEX_LPAREN; break;
    case ')': kind = KT_LEX_RPAREN; break;
    case '[': kind = KT_LEX_LBRACKET; break;
    case ']': kind = KT_LEX_RBRACKET; break;
    case '{': kind = KT_LEX_LBRACE; break;
    case '}': kind = KT_LEX_RBRACE; break;
    case ',': kind = KT_LEX_COMMA; break;
    case ':': kind = KT_LEX_COLON; break;
    case ';': kind = KT_LEX_SEMICOLON; break;
    case '|': kind = KT_LEX_BAR; break;
    case '&': kind = KT_LEX_AMPERSAND; break;
    case '!': kind = KT_LEX_BANG; break;
    case '-': kind = KT_LEX_MINUS; break;
    case '*': kind = KT_LEX_STAR; break;
    case '/': kind = KT_LEX_SLASH; break;
    case '%': kind = KT_LEX_PERCENT; break;
    case '^': kind = KT_LEX_CARET; break;
    case '.':
        kind = KT_LEX_DOT;
        pair = next == '.' ? KT_LEX_DOTS : KT_LEX_END;
        break;
    case '=':
        kind = KT_LEX_EQ;
        pair = next == '~' ? KT_LEX_MATCHES : KT_LEX_END;
        break;
    case '+':
        kind = KT_LEX_PLUS;
        pair = next == '=' ? KT_LEX_PLUS_EQ : KT_LEX_END;
        break;
    case '<':
        kind = KT_LEX_LT;
        pair = next == '=' ? KT_LEX_LE : next == '>' ? KT_LEX_NE : KT_LEX_END;
        break;
    case '>':
        kind = KT_LEX_GT;
        pair = next == '=' ? KT_LEX_GE : KT_LEX_END;
        break;
    default:
        if (c == CODE_POINT_BAD)
            return bad_encoding(lx);
        if (c >= 0x80) {
            char text[128];
            snprintf(text, sizeof text, "U+%04X can be no part of a statement outside of quotes.",
                     (unsigned)c);
            return bad(lx, KT_ERR_INVALID_UNICODE_CHARACTER, text);
        }
        char text[128];
        if (c < 0x20 || c == 0x7F)
            snprintf(text, sizeof text,
                     "The control character U+%04X can be no part of a statement.", (unsigned)c);
        else
            snprintf(text, sizeof text,
                     "Unexpected '%c': it has no meaning in Cypher outside of quotes.", (int)c);
        return bad(lx, KT_ERR_UNEXPECTED_SYNTAX, text);
    }
    step_ascii(lx, pair == KT_LEX_END ? 1 : 2);
    return pair == KT_LEX_END ? kind : pair;
}

/* Reads the next lexeme; END and BAD end the list. */
static KtLexeme next(Lexer *lx)
{
    bool clean = skip_blanks(lx);
    KtLexeme out = {
        .at = {.offset = (uint32_t)(lx->at - lx->start), .line = lx->line, .column = lx->column}};
    const char *first = lx->at;
    if (!clean) {
        out.kind = KT_LEX_BAD;
        return out;
    }
    unsigned len;
    uint32_t c = peek(lx, &len);
    KtLexemeKind kind;
    if (len == 0) {
        kind = KT_LEX_END;
    } else if (c != CODE_POINT_BAD && is_name_start(c)) {
        run_name(lx);
        kind = KT_LEX_NAME;
        out.word = (uint8_t)find_word(first, (size_t)(lx->at - first));
    } else if (is_digit(c) || (c == '.' && is_digit((unsigned char)byte_at(lx, 1)))) {
        kind = number(lx);
    } else if (c == '\'' || c == '"') {
        kind = string(lx);
    } else if (c == '`') {
        kind = quoted_name(lx, KT_LEX_NAME);
    } else if (c == '$') {
        step_ascii(lx, 1);
        const char *name = lx->at;
        if (byte_at(lx, 0) == '`') {
            kind = quoted_name(lx, KT_LEX_PARAMETER);
        } else {
            run_name(lx);
            kind = lx->at > name ? KT_LEX_PARAMETER
                                 : bad(lx, KT_ERR_UNEXPECTED_SYNTAX,
                                       "Expected the name of a parameter after '$'.");
        }
    } else {
        kind = symbol(lx, c);
    }
    out.kind = (uint8_t)kind;
    if (kind == KT_LEX_BAD) { /* the place of the fault, which may lie inside a literal */
        out.at.offset = (uint32_t)(lx->at - lx->start);
        out.at.line = lx->line;
        out.at.column = lx->column;
        out.at.length = lx->at < lx->end ? 1 : 0;
        return out;
    }
    out.at.length = (uint32_t)(lx->at - first);
    return out;
}

/* ---- the whole statement ---- */

static bool closes(uint8_t open, uint8_t close)
{
    return (open == KT_LEX_LPAREN && close == KT_LEX_RPAREN) ||
           (open == KT_LEX_LBRACKET && close == KT_LEX_RBRACKET) ||
           (open == KT_LEX_LBRACE && close == KT_LEX_RBRACE);
}

KtStatus kt_lex(KtArena *arena, KtText text, KtDiag *diag, KtLexemes *out)
{
    if (text.len > KT_STATEMENT_BYTES)
        return kt_diag_set(diag, KT_ERR_STATEMENT_TOO_LONG, NULL,
                           "The statement has %u bytes; at most %d are allowed.", text.len,
                           (int)KT_STATEMENT_BYTES);
    const char *start = text.len ? text.at : "";
    Lexer count = {.start = start, .at = start, .end = start + text.len, .line = 1, .column = 1};
    Lexer lx = count;
    uint32_t n = 0, deep = 0;
    for (;;) {
        KtLexeme lexeme = next(&count);
        n++;
        if (lexeme.kind == KT_LEX_LPAREN || lexeme.kind == KT_LEX_LBRACKET ||
            lexeme.kind == KT_LEX_LBRACE) {
            if (++deep > KT_NESTING_MOST)
                return kt_diag_set(diag, KT_ERR_TOO_COMPLEX, &lexeme.at,
                                   "Brackets are nested deeper than %d here.",
                                   (int)KT_NESTING_MOST);
        } else if (deep > 0 && (lexeme.kind == KT_LEX_RPAREN || lexeme.kind == KT_LEX_RBRACKET ||
                                lexeme.kind == KT_LEX_RBRACE)) {
            deep--;
        }
        if (lexeme.kind == KT_LEX_END || lexeme.kind == KT_LEX_BAD)
            break;
    }
    KtLexeme *item = kt_arena_alloc(arena, (size_t)n * sizeof *item);
    if (!item)
        return kt_diag_set(diag, KT_ERR_MEMORY, NULL, "No memory to read a statement of %u bytes.",
                           text.len);
    uint32_t open[KT_NESTING_MOST];
    deep = 0;
    for (uint32_t i = 0; i < n; i++) {
        item[i] = next(&lx);
        uint8_t kind = item[i].kind;
        if (kind == KT_LEX_LPAREN || kind == KT_LEX_LBRACKET || kind == KT_LEX_LBRACE) {
            open[deep++] = i;
        } else if (deep > 0 &&
                   (kind == KT_LEX_RPAREN || kind == KT_LEX_RBRACKET || kind == KT_LEX_RBRACE)) {
            deep--;
            if (closes(item[open[deep]].kind, kind))
                item[open[deep]].match = i;
        }
    }
    out->text = (KtText){start, text.len};
    out->n = n;
    out->item = item;
    out->fault = lx.fault;
    memcpy(out->fault_text, lx.fault_text, sizeof out->fault_text);
    return KT_OK;
}

/* ---- what a lexeme says ---- */

static size_t encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    static const unsigned char lead[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[n] | c);
    return n;
}

KtStatus kt_lexeme_text(KtArena *arena, const KtLexemes *lexemes, const KtLexeme *lexeme,
                        KtText *out)
{
    const char *at = lexemes->text.at + lexeme->at.offset, *end = at + lexeme->at.length;
    if (lexeme->kind == KT_LEX_PARAMETER)
        at++;
    char quote = 0;
    if (lexeme->kind == KT_LEX_TEXT || (at < end && *at == '`')) {
        quote = *at++;
        end--;
    }
    size_t len = (size_t)(end - at);
    char special = quote == '`' ? '`' : '\\';
    if (!quote || len == 0 || !memchr(at, special, len)) {
        *out = (KtText){at, (uint32_t)len};
        return KT_OK;
    }
    char *copy =
        kt_arena_alloc(arena, len); /* an escape is never shorter than what it stands for */
    if (!copy)
        return KT_ERR_MEMORY;
    size_t n = 0;
    while (at < end) {
        if (*at != special) {
            copy[n++] = *at++;
        } else if (quote == '`') {
            copy[n++] = '`';
            at += 2;
        } else if (at[1] == 'u' || at[1] == 'U') {
            uint32_t c = 0;
            at += unicode_escape(at, end, &c);
            n += encode(c, copy + n);
        } else {
            static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
            const char *found = strchr(from, at[1]);
            copy[n++] = found ? to[found - from] : at[1];
            at += 2;
        }
    }
    *out = (KtText){copy, (uint32_t)n};
    return KT_OK;
}

bool kt_lexeme_integer(const KtLexemes *lexemes, const KtLexeme *lexeme, bool negative,
                       int64_t *out)
{
    const char *at = lexemes->text.at + lexeme->at.offset, *end = at + lexeme->at.length;
    uint64_t base = 10, value = 0, most = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (end - at > 2 && at[0] == '0' && hex_digit(at[1]) < 0) {
        base = (at[1] | 0x20) == 'x' ? 16 : 8;
        at += 2;
    }
    for (; at < end; at++) {
        uint64_t digit = (uint64_t)hex_digit(*at);
        if (value > (most - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

KtStatus kt_lexeme_float(KtArena *arena, const KtLexemes *lexemes, const KtLexeme *lexeme,
                         double *out, bool *finite)
{
    char *text = kt_arena_text(arena, lexemes->text.at + lexeme->at.offset, lexeme->at.length);
    if (!text)
        return KT_ERR_MEMORY;
    *out = strtod(text, NULL);
    *finite = __builtin_isfinite(*out);
    return KT_OK;
}
