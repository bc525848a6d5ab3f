/* Lexemes: where they begin and end, what they say, and which text is none. */
#include "query/parse/lexer.h"
#include "query/query.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static KtArena *arena;

static void setup(void) { cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK); }

static void teardown(void) { kt_arena_close(arena); }

TestSuite(query_parse_lexer, .init = setup, .fini = teardown);

static KtLexemes lex(const char *text)
{
    KtLexemes out;
    KtDiag diag = {0};
    cr_assert_eq(kt_lex(arena, (KtText){text, (uint32_t)strlen(text)}, &diag, &out), KT_OK, "%s",
                 diag.message);
    return out;
}

static void expect_kinds(const char *text, const KtLexemeKind *kind, uint32_t n)
{
    KtLexemes out = lex(text);
    cr_assert_eq(out.n, n + 1, "%s: %u lexemes", text, out.n);
    for (uint32_t i = 0; i < n; i++)
        cr_assert_eq(out.item[i].kind, kind[i], "%s: lexeme %u is %d", text, i, out.item[i].kind);
    cr_assert_eq(out.item[n].kind, KT_LEX_END);
}

#define KINDS(text, ...)                                        \
    do {                                                        \
        const KtLexemeKind kinds_[] = {__VA_ARGS__};            \
        expect_kinds(text, kinds_, (uint32_t)KT_COUNT(kinds_)); \
    } while (0)

Test(query_parse_lexer, symbols_and_numbers_part_where_they_should)
{
    KINDS("1..3", KT_LEX_INTEGER, KT_LEX_DOTS, KT_LEX_INTEGER);
    KINDS("1.5.x", KT_LEX_FLOAT, KT_LEX_DOT, KT_LEX_NAME);
    KINDS(".5 1e9 1E-3 2.5e+7", KT_LEX_FLOAT, KT_LEX_FLOAT, KT_LEX_FLOAT, KT_LEX_FLOAT);
    KINDS("0x1F 0o17 0", KT_LEX_INTEGER, KT_LEX_INTEGER, KT_LEX_INTEGER);
    KINDS("12abc 0x 0o8 017 1e", KT_LEX_NOT_A_NUMBER, KT_LEX_NOT_A_NUMBER, KT_LEX_NOT_A_NUMBER,
          KT_LEX_NOT_A_NUMBER, KT_LEX_NOT_A_NUMBER);
    KINDS("<-[]->", KT_LEX_LT, KT_LEX_MINUS, KT_LEX_LBRACKET, KT_LEX_RBRACKET, KT_LEX_MINUS,
          KT_LEX_GT);
    KINDS("<> <= >= =~ +=", KT_LEX_NE, KT_LEX_LE, KT_LEX_GE, KT_LEX_MATCHES, KT_LEX_PLUS_EQ);
    KINDS("$a $`b c` $0", KT_LEX_PARAMETER, KT_LEX_PARAMETER, KT_LEX_PARAMETER);
    KINDS("a /* b */ c // d\n e", KT_LEX_NAME, KT_LEX_NAME, KT_LEX_NAME);
}

Test(query_parse_lexer, places_count_code_points_and_lines)
{
    KtLexemes out = lex("'\xC3\xA4\xF0\x9F\x98\x80' a\n\t b");
    cr_assert_eq(out.item[1].at.column, 6);
    cr_assert_eq(out.item[1].at.offset, 9);
    cr_assert_eq(out.item[2].at.line, 2);
    cr_assert_eq(out.item[2].at.column, 3);
}

Test(query_parse_lexer, words_are_found_in_any_case_and_never_in_backticks)
{
    KtLexemes out = lex("match MATCH mAtCh `match` matches");
    for (int i = 0; i < 3; i++)
        cr_assert_eq(out.item[i].word, KT_WORD_MATCH);
    cr_assert_eq(out.item[3].word, KT_NO_WORD);
    cr_assert_eq(out.item[4].word, KT_NO_WORD);
    for (int w = 1; w < KT_WORD_COUNT_; w++)
        cr_assert_eq(lex(kt_word_text((KtWord)w)).item[0].word, w, "%s is found",
                     kt_word_text((KtWord)w));
}

Test(query_parse_lexer, escapes_are_read)
{
    static const struct {
        const char *text, *value;
    } rows[] = {
        {"'a'", "a"},
        {"\"it's\"", "it's"},
        {"'\\n\\t\\\\\\''", "\n\t\\'"},
        {"'\\u00e4'", "\xC3\xA4"},
        {"'\\uD83D\\uDE00'", "\xF0\x9F\x98\x80"},
        {"'\\U0001F600'", "\xF0\x9F\x98\x80"},
        {"`a``b`", "a`b"},
        {"$`x``y`", "x`y"},
        {"\xC3\xA4_1", "\xC3\xA4_1"},
    };
    for (size_t i = 0; i < KT_COUNT(rows); i++) {
        KtLexemes out = lex(rows[i].text);
        KtText text;
        cr_assert_eq(out.n, 2);
        cr_assert_eq(kt_lexeme_text(arena, &out, &out.item[0], &text), KT_OK);
        cr_assert(kt_text_eq(text, (KtText){rows[i].value, (uint32_t)strlen(rows[i].value)}), "%s",
                  rows[i].text);
    }
}

Test(query_parse_lexer, a_fault_ends_the_list_with_its_reason)
{
    static const struct {
        const char *text;
        KtStatus fault;
        uint32_t column;
    } rows[] = {
        {"a 'b", KT_ERR_UNEXPECTED_SYNTAX, 3},
        {"a `b", KT_ERR_UNEXPECTED_SYNTAX, 3},
        {"a /* b", KT_ERR_UNEXPECTED_SYNTAX, 3},
        {"a # b", KT_ERR_UNEXPECTED_SYNTAX, 3},
        {"a $ b", KT_ERR_UNEXPECTED_SYNTAX, 4},
        {"'\\q'", KT_ERR_UNEXPECTED_SYNTAX, 2},
        {"'ab\\u12'", KT_ERR_INVALID_UNICODE_LITERAL, 4},
        {"'\\uDE00'", KT_ERR_INVALID_UNICODE_LITERAL, 2},
        {"'\\uD83Dx'", KT_ERR_INVALID_UNICODE_LITERAL, 2},
        {"'\\U00110000'", KT_ERR_INVALID_UNICODE_LITERAL, 2},
        {"42 \xE2\x80\x94 41", KT_ERR_INVALID_UNICODE_CHARACTER, 4},
        {"a \xFF", KT_ERR_INVALID_UNICODE_CHARACTER, 3},
        {"'\xC0\x80'", KT_ERR_INVALID_UNICODE_CHARACTER, 2},
        {"// \xED\xA0\x80", KT_ERR_INVALID_UNICODE_CHARACTER, 4},
    };
    for (size_t i = 0; i < KT_COUNT(rows); i++) {
        KtLexemes out = lex(rows[i].text);
        const KtLexeme *last = &out.item[out.n - 1];
        cr_assert_eq(last->kind, KT_LEX_BAD, "%s", rows[i].text);
        cr_assert_eq(out.fault, rows[i].fault, "%s: %s", rows[i].text, out.fault_text);
        cr_assert_eq(last->at.column, rows[i].column, "%s: column %u", rows[i].text,
                     last->at.column);
    }
}

Test(query_parse_lexer, brackets_know_their_partners)
{
    KtLexemes out = lex("(a[{b}]c)");
    cr_assert_eq(out.item[0].match, 8);
    cr_assert_eq(out.item[2].match, 6);
    cr_assert_eq(out.item[3].match, 5);
    out = lex("([)]");
    cr_assert_eq(out.item[1].match, 0, "a wrong partner is none");
}

Test(query_parse_lexer, integers_end_at_64_bits)
{
    static const struct {
        const char *text;
        bool negative, fits;
        int64_t value;
    } rows[] = {
        {"9223372036854775807", false, true, INT64_MAX},
        {"9223372036854775808", false, false, 0},
        {"9223372036854775808", true, true, INT64_MIN},
        {"9223372036854775809", true, false, 0},
        {"0x7FFFFFFFFFFFFFFF", false, true, INT64_MAX},
        {"0x8000000000000000", false, false, 0},
        {"0o777777777777777777777", false, true, INT64_MAX},
        {"99999999999999999999999", false, false, 0},
    };
    for (size_t i = 0; i < KT_COUNT(rows); i++) {
        KtLexemes out = lex(rows[i].text);
        int64_t value = 0;
        cr_assert_eq(kt_lexeme_integer(&out, &out.item[0], rows[i].negative, &value), rows[i].fits,
                     "%s", rows[i].text);
        cr_assert_eq(value, rows[i].value, "%s", rows[i].text);
    }
}

Test(query_parse_lexer, too_long_and_too_deep_are_refused)
{
    size_t len = 10 * 1024 * 1024;
    char *text = malloc(len);
    KtLexemes out;
    KtDiag diag = {0};
    memset(text, ' ', len);
    cr_assert_eq(kt_lex(arena, (KtText){text, (uint32_t)len}, &diag, &out),
                 KT_ERR_STATEMENT_TOO_LONG);
    cr_assert_eq(kt_lex(arena, (KtText){text, KT_STATEMENT_BYTES}, &diag, &out), KT_OK);
    memset(text, '(', 100000);
    kt_diag_clear(&diag);
    cr_assert_eq(kt_lex(arena, (KtText){text, 100000}, &diag, &out), KT_ERR_TOO_COMPLEX);
    cr_assert_eq(diag.at.column, KT_NESTING_MOST + 1);
    cr_assert_lt(kt_arena_used(arena), 1024 * 1024);
    free(text);
}
