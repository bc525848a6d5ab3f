/* Values as text, and numbers read back. */
#include "base/value_text.h"

#include "tests/unit/base/values.h"

#include <criterion/criterion.h>

static void expect_float(double f, const char *want)
{
    char got[32];
    size_t n = kt_float_print(f, got);
    cr_assert_eq(n, strlen(want), "%s is not %s", got, want);
    cr_assert_str_eq(got, want);
}

static void expect(KtValue v, const char *want)
{
    KtBuf buf = {0};
    kt_value_print(&buf, v);
    kt_buf_u8(&buf, 0);
    cr_assert_str_eq((const char *)buf.data, want);
    kt_buf_close(&buf);
}

Test(base_value_text, floats_print_the_shortest_digits_that_come_back)
{
    expect_float(1.0, "1.0");
    expect_float(-0.0, "-0.0");
    expect_float(0.1, "0.1");
    expect_float(0.1 + 0.2, "0.30000000000000004");
    expect_float(1e15, "1000000000000000.0");
    expect_float(1e16, "1e+16");
    expect_float(1.5e300, "1.5e+300");
    expect_float(0.0001, "0.0001");
    expect_float(0.00012345, "0.00012345");
    expect_float(0.00001, "1e-05");
    expect_float(5e-324, "5e-324");
    expect_float(1.7976931348623157e308, "1.7976931348623157e+308");
    expect_float(123.456, "123.456");
    expect_float(9007199254740993.0, "9007199254740992.0");
    expect_float((double)NAN, "NaN");
    expect_float(-(double)INFINITY, "-Infinity");
}

Test(base_value_text, random_floats_come_back_bit_for_bit)
{
    Dice dice = {3};
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = roll(&dice);
        double f, back;
        memcpy(&f, &bits, 8);
        if (isnan(f) || isinf(f))
            continue;
        char text[32];
        size_t n = kt_float_print(f, text);
        cr_assert_lt(n, 32);
        cr_assert(kt_float_parse((KtText){text, (uint32_t)n}, &back), "%s", text);
        cr_assert_eq(memcmp(&f, &back, 8), 0, "%s", text);
    }
}

Test(base_value_text, integers_are_read_whole_or_not_at_all)
{
    int64_t i = 0;
    cr_assert(kt_int_parse(KT_TEXT_LITERAL("9223372036854775807"), &i));
    cr_assert_eq(i, INT64_MAX);
    cr_assert(kt_int_parse(KT_TEXT_LITERAL("-9223372036854775808"), &i));
    cr_assert_eq(i, INT64_MIN);
    cr_assert(kt_int_parse(KT_TEXT_LITERAL("+12"), &i));
    cr_assert_eq(i, 12);
    cr_assert_not(kt_int_parse(KT_TEXT_LITERAL("9223372036854775808"), &i));
    cr_assert_not(kt_int_parse(KT_TEXT_LITERAL("-9223372036854775809"), &i));
    cr_assert_not(kt_int_parse(KT_TEXT_LITERAL(""), &i));
    cr_assert_not(kt_int_parse(KT_TEXT_LITERAL("-"), &i));
    cr_assert_not(kt_int_parse(KT_TEXT_LITERAL("12 "), &i));
    cr_assert_not(kt_int_parse(KT_TEXT_LITERAL("1.0"), &i));
    cr_assert_eq(i, 12, "untouched on failure");
}

Test(base_value_text, floats_are_read_whole_or_not_at_all)
{
    double f = 0;
    cr_assert(kt_float_parse(KT_TEXT_LITERAL("5."), &f));
    cr_assert_eq(f, 5.0);
    cr_assert(kt_float_parse(KT_TEXT_LITERAL("-.5e1"), &f));
    cr_assert_eq(f, -5.0);
    cr_assert(kt_float_parse(KT_TEXT_LITERAL("-Infinity"), &f));
    cr_assert(isinf(f) && f < 0);
    const KtText bad[] = {KT_TEXT_LITERAL(""),    KT_TEXT_LITERAL("."),    KT_TEXT_LITERAL("1e"),
                          KT_TEXT_LITERAL("1e+"), KT_TEXT_LITERAL("0x10"), KT_TEXT_LITERAL("1e400"),
                          KT_TEXT_LITERAL(" 1"),  KT_TEXT_LITERAL("1.0 "), KT_TEXT_LITERAL("nan"),
                          KT_TEXT_LITERAL("1..2")};
    for (size_t i = 0; i < KT_COUNT(bad); i++)
        cr_assert_not(kt_float_parse(bad[i], &f), "%.*s", (int)bad[i].len, bad[i].at);
}

Test(base_value_text, values_print_as_literals)
{
    KtValue items[] = {kt_int(1), kt_float(2), kt_text("it's\n", 5), kt_null(), kt_bool(true)};
    expect(kt_list(items, 5), "[1, 2.0, 'it\\'s\\n', null, true]");
    expect(kt_list(items, 0), "[]");
    KtMapEntry entries[] = {{KT_TEXT_LITERAL("k"), kt_int(1)},
                            {KT_TEXT_LITERAL("two words"), kt_list(items, 1)}};
    expect(kt_map(entries, 2), "{k: 1, `two words`: [1]}");
    expect(kt_node(7), "(#7)");
    KtText labels[] = {KT_TEXT_LITERAL("A"), KT_TEXT_LITERAL("B")};
    KtNodeImage a = {.id = 1, .label = labels, .labels = 2, .props = 1, .prop = entries},
                b = {.id = 2};
    expect((KtValue){.kind = KT_NODE, .flags = KT_VALUE_IMAGE, .as.node_image = &a},
           "(:A:B {k: 1})");
    KtRelImage rel = {.id = 5, .start = 2, .end = 1, .type = KT_TEXT_LITERAL("T")};
    expect((KtValue){.kind = KT_REL, .flags = KT_VALUE_IMAGE, .as.rel_image = &rel}, "[:T]");
    const KtNodeImage *nodes[] = {&a, &b};
    const KtRelImage *rels[] = {&rel};
    KtPathImage path = {.rels = 1, .node = nodes, .rel = rels};
    expect((KtValue){.kind = KT_PATH, .flags = KT_VALUE_IMAGE, .as.path_image = &path},
           "<(:A:B {k: 1})<-[:T]-()>");
}

Test(base_value_text, temporal_values_print_in_iso_form)
{
    KtTemporal t = {.days = 5397,
                    .seconds = 45296,
                    .nanos = 789000000,
                    .offset_s = 5400,
                    .zone = KT_TEXT_LITERAL("Z/Q")};
    expect((KtValue){.kind = KT_DATE, .as.temporal = &t}, "'1984-10-11'");
    expect((KtValue){.kind = KT_LOCAL_TIME, .as.temporal = &t}, "'12:34:56.789'");
    expect((KtValue){.kind = KT_DATETIME, .as.temporal = &t},
           "'1984-10-11T12:34:56.789+01:30[Z/Q]'");
    KtTemporal before = {.days = -719529};
    expect((KtValue){.kind = KT_DATE, .as.temporal = &before}, "'-0001-12-31'");
    KtTemporal d = {.months = 14, .days = 3, .seconds = -1, .nanos = 250000000};
    expect((KtValue){.kind = KT_DURATION, .as.temporal = &d}, "'P1Y2M3DT-0.75S'");
    KtTemporal zero = {0};
    expect((KtValue){.kind = KT_DURATION, .as.temporal = &zero}, "'PT0S'");
}
