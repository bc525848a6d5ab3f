/* Equality, equivalence, orderability, comparability and hash. */
#include "base/value_cmp.h"

#include "tests/unit/base/values.h"

#include <criterion/criterion.h>
#include <stdio.h>

static KtValue text(const char *s) { return kt_text(s, strlen(s)); }

static int sign(int c) { return (c > 0) - (c < 0); }

Test(base_value_cmp, kinds_stand_in_the_order_of_opencypher)
{
    KtMapEntry entry = {KT_TEXT_LITERAL("a"), text("map")};
    KtValue item = text("list");
    KtRelRef rel = {.id = 1};
    uint64_t node[2] = {1, 2};
    KtPath path = {.rels = 1, .node = node, .rel = &rel};
    KtValue inorder[] = {kt_map(&entry, 1),
                         kt_node(1),
                         kt_rel(&rel),
                         kt_list(&item, 1),
                         (KtValue){.kind = KT_PATH, .as.path = &path},
                         text("text"),
                         kt_bool(false),
                         kt_float(1.5),
                         kt_float((double)NAN),
                         kt_null()};
    for (size_t i = 0; i < KT_COUNT(inorder); i++) {
        for (size_t k = 0; k < KT_COUNT(inorder); k++)
            cr_assert_eq(sign(kt_value_order(inorder[i], inorder[k])), (i > k) - (i < k), "%zu %zu",
                         i, k);
    }
}

Test(base_value_cmp, integers_and_floats_compare_as_real_numbers)
{
    int64_t big = (1LL << 53) + 1;
    cr_assert_eq(kt_value_equal(kt_int(big), kt_float(0x1p53)), KT_FALSE);
    cr_assert_gt(kt_value_order(kt_int(big), kt_float(0x1p53)), 0);
    cr_assert_eq(kt_value_equal(kt_int(1), kt_float(1.0)), KT_TRUE);
    cr_assert_lt(kt_value_order(kt_int(INT64_MAX), kt_float(0x1p63)), 0);
    cr_assert_eq(kt_value_order(kt_int(INT64_MIN), kt_float(-0x1p63)), 0);
    cr_assert_eq(kt_value_order(kt_float(-0.0), kt_int(0)), 0);
    cr_assert_gt(kt_value_order(kt_float(-1.5), kt_int(-2)), 0);
    cr_assert_lt(kt_value_order(kt_float(-1.5), kt_int(-1)), 0);
}

Test(base_value_cmp, equality_is_ternary_inside_lists_and_maps)
{
    KtValue one_null[] = {kt_int(1), kt_null()}, one_two[] = {kt_int(1), kt_int(2)},
            two_null[] = {kt_int(2), kt_null()};
    cr_assert_eq(kt_value_equal(kt_null(), kt_null()), KT_UNKNOWN);
    cr_assert_eq(kt_value_equal(kt_list(one_null, 2), kt_list(one_two, 2)), KT_UNKNOWN);
    cr_assert_eq(kt_value_equal(kt_list(two_null, 2), kt_list(one_two, 2)), KT_FALSE);
    cr_assert_eq(kt_value_equal(kt_list(one_null, 2), kt_list(one_null, 1)), KT_FALSE);
    KtMapEntry a[] = {{KT_TEXT_LITERAL("k"), kt_null()}, {KT_TEXT_LITERAL("l"), kt_int(1)}};
    KtMapEntry b[] = {{KT_TEXT_LITERAL("l"), kt_int(1)}, {KT_TEXT_LITERAL("k"), kt_null()}};
    KtMapEntry c[] = {{KT_TEXT_LITERAL("l"), kt_int(2)}, {KT_TEXT_LITERAL("k"), kt_null()}};
    cr_assert_eq(kt_value_equal(kt_map(a, 2), kt_map(b, 2)), KT_UNKNOWN);
    cr_assert_eq(kt_value_equal(kt_map(a, 2), kt_map(c, 2)), KT_FALSE);
    cr_assert_eq(kt_value_equal(kt_map(a, 1), kt_map(b, 1)), KT_FALSE, "other keys");
    cr_assert(kt_value_equivalent(kt_map(a, 2), kt_map(b, 2)));
    cr_assert_eq(kt_value_hash(kt_map(a, 2)), kt_value_hash(kt_map(b, 2)));
    cr_assert_eq(kt_value_equal(text("1"), kt_int(1)), KT_FALSE);
    cr_assert_eq(kt_value_equal(kt_float((double)NAN), kt_float((double)NAN)), KT_FALSE);
    cr_assert(kt_value_equivalent(kt_float((double)NAN), kt_float(-(double)NAN)));
}

Test(base_value_cmp, less_than_is_unknown_across_kinds_and_false_for_nan)
{
    int c = 7;
    cr_assert(kt_value_compare(kt_int(1), kt_float(1.5), &c));
    cr_assert_eq(c, -1);
    cr_assert(kt_value_compare(kt_int(1), kt_float((double)NAN), &c));
    cr_assert_eq(c, 2);
    cr_assert_not(kt_value_compare(kt_int(1), text("a"), &c));
    cr_assert_not(kt_value_compare(kt_null(), kt_null(), &c));
    cr_assert_not(kt_value_compare(kt_node(1), kt_node(1), &c));
    KtValue one_two[] = {kt_int(1), kt_int(2)}, one_null[] = {kt_int(1), kt_null()},
            three_null[] = {kt_int(3), kt_null()};
    cr_assert(kt_value_compare(kt_list(one_two, 1), kt_list(one_two, 2), &c));
    cr_assert_eq(c, -1);
    cr_assert_not(kt_value_compare(kt_list(one_two, 2), kt_list(one_null, 2), &c));
    cr_assert(kt_value_compare(kt_list(one_two, 2), kt_list(three_null, 2), &c));
    cr_assert_eq(c, -1);
    cr_assert(kt_value_compare(kt_bool(false), kt_bool(true), &c));
    cr_assert_eq(c, -1);
}

Test(base_value_cmp, the_order_is_total_and_the_hash_fits_it)
{
    enum { MANY = 300 };
    KtArena *arena;
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    Dice dice = {42};
    static KtValue v[MANY];
    for (int i = 0; i < MANY; i++)
        v[i] = random_value(&dice, arena, 3);
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(kt_value_order(v[i], v[i]), 0);
        for (int k = 0; k < MANY; k++) {
            int c = sign(kt_value_order(v[i], v[k]));
            cr_assert_eq(c, -sign(kt_value_order(v[k], v[i])));
            cr_assert_eq(kt_value_equivalent(v[i], v[k]), c == 0);
            if (c == 0)
                cr_assert_eq(kt_value_hash(v[i]), kt_value_hash(v[k]));
            if (kt_value_equal(v[i], v[k]) == KT_TRUE)
                cr_assert_eq(c, 0);
            int less;
            if (v[i].kind != KT_LIST && kt_value_compare(v[i], v[k], &less) && less != 2)
                cr_assert_eq(less, c);
            for (int m = 0; m < MANY; m += 7) {
                if (c <= 0 && kt_value_order(v[k], v[m]) <= 0)
                    cr_assert_leq(kt_value_order(v[i], v[m]), 0, "not transitive");
            }
        }
    }
    kt_arena_close(arena);
}

Test(base_value_cmp, long_unsorted_maps_compare_by_key)
{
    enum { MANY = 100 };
    static char name[MANY][16];
    static KtMapEntry up[MANY], down[MANY];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name[i], sizeof name[i], "k%d", i);
        up[i] = (KtMapEntry){{name[i], (uint32_t)strlen(name[i])}, kt_int(i)};
        down[MANY - 1 - i] = up[i];
    }
    cr_assert_eq(kt_value_equal(kt_map(up, MANY), kt_map(down, MANY)), KT_TRUE);
    down[3].value = kt_int(-1);
    cr_assert_eq(kt_value_equal(kt_map(up, MANY), kt_map(down, MANY)), KT_FALSE);
}

Test(base_value_cmp, a_thousand_levels_deep_is_no_trouble)
{
    static KtValue a[1001], b[1001];
    a[0] = kt_int(1);
    b[0] = kt_float(1.0);
    for (int i = 1; i <= 1000; i++) {
        a[i] = kt_list(&a[i - 1], 1);
        b[i] = kt_list(&b[i - 1], 1);
    }
    cr_assert_eq(kt_value_equal(a[1000], b[1000]), KT_TRUE);
    cr_assert_eq(kt_value_hash(a[1000]), kt_value_hash(b[1000]));
    cr_assert_neq(kt_value_order(a[1000], b[999]), 0);
}
