/* UTF-8: what is well-formed, and walking over it. */
#include "base/utf8.h"

#include <criterion/criterion.h>

#define VALID(s) cr_assert(kt_utf8_valid(s, sizeof(s) - 1), "%s", #s)
#define INVALID(s) cr_assert_not(kt_utf8_valid(s, sizeof(s) - 1), "%s", #s)

Test(base_utf8, well_formed_sequences_pass_and_no_others)
{
    VALID("");
    VALID("plain ascii, longer than eight bytes");
    VALID("\0 inside");
    VALID(
        "\xC2\x80 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF \xF0\x90\x80\x80 \xF4\x8F\xBF\xBF");
    INVALID("\x80");
    INVALID("\xC0\x80");
    INVALID("\xC1\xBF");
    INVALID("\xE0\x9F\xBF");
    INVALID("\xED\xA0\x80");
    INVALID("\xF0\x8F\xBF\xBF");
    INVALID("\xF4\x90\x80\x80");
    INVALID("\xF5\x80\x80\x80");
    INVALID("\xFF");
    INVALID("eight bytes\xC3");
    INVALID("\xE2\x82");
    INVALID("\xF0\x9F\x98");
    INVALID("\xC3(");
}

Test(base_utf8, every_code_point_is_encoded_valid_and_decoded_the_same)
{
    for (uint32_t code = 0; code <= 0x10FFFF; code += code < 0x1000 ? 1 : 61) {
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        char at[4];
        uint32_t n = kt_utf8_encode(code, at);
        cr_assert(kt_utf8_valid(at, n));
        cr_assert_eq(kt_utf8_step(at[0]), n);
        cr_assert_eq(kt_utf8_decode(at), code);
        cr_assert_eq(kt_utf8_count((KtText){at, n}), 1);
    }
}

Test(base_utf8, characters_are_counted_and_found)
{
    KtText text = KT_TEXT_LITERAL("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80 and a plain tail");
    cr_assert_eq(kt_utf8_count(text), 4 + 17);
    cr_assert_eq(kt_utf8_offset(text, 0), 0);
    cr_assert_eq(kt_utf8_offset(text, 2), 3);
    cr_assert_eq(kt_utf8_offset(text, 4), 10);
    cr_assert_eq(kt_utf8_offset(text, 1000), text.len);
    cr_assert_eq(kt_utf8_count((KtText){NULL, 0}), 0);
}
