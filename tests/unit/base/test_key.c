/* Keys: bytes in Cypher's order. */
#include "base/key.h"

#include "base/value_cmp.h"
#include "tests/unit/base/values.h"

#include <criterion/criterion.h>

static int sign(int c) { return (c > 0) - (c < 0); }

static int bytes_order(const KtBuf *a, const KtBuf *b)
{
    size_t n = a->len < b->len ? a->len : b->len;
    int c = memcmp(a->data, b->data, n);
    return c ? sign(c) : (a->len > b->len) - (a->len < b->len);
}

Test(base_key, bytes_order_as_the_values_do)
{
    enum { MANY = 1500 };
    KtArena *arena;
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    Dice dice = {7};
    static KtValue v[MANY];
    static KtBuf up[MANY], down[MANY];
    for (int i = 0; i < MANY; i++) {
        v[i] = i % 3 ? random_value(&dice, arena, 3) : random_number(&dice);
        kt_key_put(&up[i], v[i]);
        kt_key_put_descending(&down[i], v[i]);
    }
    for (int i = 0; i < MANY; i++) {
        for (int k = 0; k < MANY; k++) {
            int c = sign(kt_value_order(v[i], v[k]));
            cr_assert_eq(bytes_order(&up[i], &up[k]), c, "values %d %d", i, k);
            cr_assert_eq(bytes_order(&down[i], &down[k]), -c, "values %d %d", i, k);
        }
    }
    for (int i = 0; i < MANY; i++) {
        kt_buf_close(&up[i]);
        kt_buf_close(&down[i]);
    }
    kt_arena_close(arena);
}

Test(base_key, no_key_begins_another_so_rows_of_keys_keep_the_order)
{
    KtArena *arena;
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    Dice dice = {99};
    for (int round = 0; round < 20000; round++) {
        KtValue a[2] = {random_value(&dice, arena, 1), random_value(&dice, arena, 1)};
        KtValue b[2] = {random_value(&dice, arena, 1), random_value(&dice, arena, 1)};
        KtBuf ka = {0}, kb = {0};
        bool down = round % 2;
        for (int i = 0; i < 2; i++) {
            (down && i == 0 ? kt_key_put_descending : kt_key_put)(&ka, a[i]);
            (down && i == 0 ? kt_key_put_descending : kt_key_put)(&kb, b[i]);
        }
        int first = sign(kt_value_order(a[0], b[0])), second = sign(kt_value_order(a[1], b[1]));
        cr_assert_eq(bytes_order(&ka, &kb), first ? (down ? -first : first) : second);
        kt_buf_close(&ka);
        kt_buf_close(&kb);
    }
    kt_arena_close(arena);
}

Test(base_key, an_index_tells_long_texts_apart)
{
    static char a[300], b[300], c[300];
    memset(a, 'x', 300);
    memset(b, 'x', 300);
    memset(c, 'x', 300);
    b[299] = 'y';
    c[100] = 'y';
    KtBuf ka = {0}, kb = {0}, kc = {0}, again = {0}, edge = {0}, plain = {0};
    cr_assert(kt_key_put_index(&ka, kt_text(a, 300)));
    cr_assert(kt_key_put_index(&again, kt_text(a, 300)));
    cr_assert(kt_key_put_index(&kb, kt_text(b, 300)));
    cr_assert(kt_key_put_index(&kc, kt_text(c, 300)));
    cr_assert(kt_key_put_index(&edge, kt_text(a, 200)));
    kt_key_put(&plain, kt_text(a, 200));
    cr_assert_eq(bytes_order(&ka, &again), 0);
    cr_assert_neq(bytes_order(&ka, &kb), 0);
    cr_assert_eq(bytes_order(&ka, &kc), -1, "order holds where the prefixes differ");
    cr_assert_eq(bytes_order(&edge, &plain), 0, "200 bytes are not long");
    cr_assert_eq(bytes_order(&edge, &ka), -1, "what begins another comes first");
    cr_assert_eq(ka.len, 1 + 200 + 2 + 16);
    kt_buf_close(&ka);
    kt_buf_close(&kb);
    kt_buf_close(&kc);
    kt_buf_close(&again);
    kt_buf_close(&edge);
    kt_buf_close(&plain);
}

Test(base_key, an_index_holds_booleans_numbers_and_texts_only)
{
    KtBuf key = {0};
    KtValue one = kt_int(1);
    cr_assert_not(kt_key_put_index(&key, kt_null()));
    cr_assert_not(kt_key_put_index(&key, kt_list(&one, 1)));
    cr_assert_not(kt_key_put_index(&key, kt_node(1)));
    cr_assert_eq(key.len, 0);
    cr_assert(kt_key_put_index(&key, kt_bool(true)));
    cr_assert(kt_key_put_index(&key, kt_int(1)));
    cr_assert(kt_key_put_index(&key, kt_float(1.5)));
    kt_buf_close(&key);
}

Test(base_key, null_and_nan_match_nothing_wherever_they_hide)
{
    KtValue with_null[] = {kt_int(1), kt_null()};
    KtMapEntry with_nan = {KT_TEXT_LITERAL("a"), kt_float((double)NAN)};
    cr_assert(kt_key_never_equal(kt_null()));
    cr_assert(kt_key_never_equal(kt_float((double)NAN)));
    cr_assert(kt_key_never_equal(kt_list(with_null, 2)));
    cr_assert(kt_key_never_equal(kt_map(&with_nan, 1)));
    cr_assert_not(kt_key_never_equal(kt_list(with_null, 1)));
    cr_assert_not(kt_key_never_equal(kt_float(1)));
}
