/* Values of parameters: JSON and Cypher forms read, all else refused with a reason. */
#include "tools/kith/shell/shell.h"

#include <criterion/criterion.h>

TestSuite(tools_literal);

static bool reads(const char *text)
{
    char why[256] = "";
    kith_params *p = kith_params_new();
    bool good = kt_shell_literal(text, "x", p, why, sizeof why);
    cr_assert(good || why[0], "%s: no reason", text);
    kith_params_free(p);
    return good;
}

Test(tools_literal, all_forms_are_read)
{
    static const char *const good[] = {"1",
                                       "-7",
                                       "+3",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "1.5",
                                       "-.5",
                                       "1e9",
                                       "null",
                                       "TRUE",
                                       "false",
                                       "'a'",
                                       "\"a\"",
                                       "'\\n\\u00e4\\U0001F600'",
                                       "'\\ud83d\\ude00'",
                                       "''",
                                       "[]",
                                       "[1, 'a', [null]]",
                                       "[1,]",
                                       "{}",
                                       "{a: 1}",
                                       "{\"a b\": 1, 'c': [2], `d`: {e: null}}",
                                       " 1 "};
    for (size_t i = 0; i < KT_COUNT(good); i++)
        cr_assert(reads(good[i]), "%s", good[i]);
}

Test(tools_literal, all_else_is_refused_with_a_reason)
{
    static const char *const wrong[] = {"",
                                        " ",
                                        "Ada",
                                        "1 2",
                                        "1x",
                                        "'a",
                                        "'\\q'",
                                        "'\\u12'",
                                        "'\\ud83d'",
                                        "'\\udc00'",
                                        "[1",
                                        "[1 2]",
                                        "{a}",
                                        "{1: 2}",
                                        "{a: }",
                                        "{a: 1",
                                        "9223372036854775808",
                                        "--1",
                                        "1.2.3",
                                        "]",
                                        "}"};
    for (size_t i = 0; i < KT_COUNT(wrong); i++)
        cr_assert_not(reads(wrong[i]), "%s", wrong[i]);
}

Test(tools_literal, nesting_is_bounded)
{
    char text[1001];
    memset(text, '[', 1000);
    text[1000] = 0;
    cr_assert_not(reads(text));
}
