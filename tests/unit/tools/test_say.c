/* What a terminal is told: no byte of another's text steers it. */
#include "tools/kith/say.h"

#include <criterion/criterion.h>

TestSuite(tools_say);

static void gives(const char *text, size_t len, const char *want)
{
    KtBuf out = {0};
    kt_say_put(&out, text, len);
    cr_assert(out.len == strlen(want) &&
                  memcmp(out.data ? out.data : (const uint8_t *)"", want, out.len) == 0,
              "%s: %.*s", want, (int)out.len, (const char *)out.data);
    kt_buf_close(&out);
}
#define GIVES(text, want) gives(text, sizeof(text) - 1, want)

Test(tools_say, plain_text_stays_as_it_is)
{
    GIVES("", "");
    GIVES("Ada \\ 'x' na\xc3\xafve \xe4\xbd\xa0 \xf0\x9f\x98\x80 \xc2\xa0",
          "Ada \\ 'x' na\xc3\xafve \xe4\xbd\xa0 \xf0\x9f\x98\x80 \xc2\xa0");
}

Test(tools_say, controls_are_escaped)
{
    GIVES("a\n\t\r\0\x1b[2J\x7f", "a\\n\\t\\r\\u0000\\u001b[2J\\u007f");
    GIVES("\xc2\x80\xc2\x9b"
          "31m\xc2\x9f",
          "\\u0080\\u009b31m\\u009f");
}

Test(tools_say, controls_of_direction_are_escaped)
{
    GIVES("\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9", "\\u202a\\u202e\\u2066\\u2069");
    GIVES("\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa",
          "\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa");
}

Test(tools_say, bytes_that_are_no_utf8_are_escaped)
{
    GIVES("\x9b"
          "2J\xff",
          "\\x9b2J\\xff");
    GIVES("\xe2\x80", "\\xe2\\x80");
    GIVES("\xc0\x9b\xed\xa0\x80", "\\xc0\\x9b\\xed\\xa0\\x80");
}

Test(tools_say, a_call_makes_one_line)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cr_assert(out);
    kt_say(out, "kith: %s!\n", "a\nHINT: b\x1b");
    kt_say(out, "%s", "");
    (void)fclose(out);
    cr_assert_str_eq(text, "kith: a\\nHINT: b\\u001b!\n");
    free(text);
}
