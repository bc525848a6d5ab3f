/* Keys sorted, found and made distinct, against plain loops. */
#include "base/key_order.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 3000 };

typedef struct Keys {
    char text[MOST][16];
    KtMapEntry entry[MOST];
    uint32_t order[MOST], spare[2 * MOST], from[MOST];
} Keys;

/* n keys of which about n / `alike` differ; value i is i. */
static Keys *make(uint32_t n, uint32_t alike, bool ascending)
{
    Keys *k = calloc(1, sizeof *k);
    uint32_t seed = n + alike;
    cr_assert(k);
    for (uint32_t i = 0; i < n; i++) {
        seed = seed * 1103515245u + 12345u;
        uint32_t number = ascending ? i / alike : (seed >> 8) % (n / alike + 1);
        int len = snprintf(k->text[i], sizeof k->text[i], ascending ? "k%06u" : "k%u", number);
        k->entry[i] = (KtMapEntry){{k->text[i], (uint32_t)len}, kt_int(i)};
    }
    return k;
}

static uint32_t first_of(const Keys *k, uint32_t n, KtText key)
{
    for (uint32_t i = 0; i < n; i++)
        if (kt_text_eq(k->entry[i].key, key))
            return i;
    return KT_NO_KEY;
}

Test(base_key_order, a_sorted_key_is_found_at_its_first_place)
{
    for (uint32_t n = 0; n <= 400; n = n < 20 ? n + 1 : n * 2) {
        for (uint32_t alike = 1; alike <= 4; alike += 3) {
            Keys *k = make(n, alike, n % 3 == 0);
            KtKeyClock clock = {0};
            KtKeys keys = kt_map_keys(k->entry, n);
            cr_assert_eq(kt_keys_sort(keys, k->order, k->spare, &clock), KT_OK);
            for (uint32_t i = 0; i < n; i++)
                cr_assert_eq(kt_keys_find(keys, k->order, k->entry[i].key),
                             first_of(k, n, k->entry[i].key));
            cr_assert_eq(kt_keys_find(keys, k->order, KT_TEXT_LITERAL("k")), KT_NO_KEY);
            cr_assert_eq(kt_keys_find(keys, k->order, KT_TEXT_LITERAL("zz")), KT_NO_KEY);
            cr_assert_eq(kt_keys_find(keys, k->order, KT_TEXT_LITERAL("")), KT_NO_KEY);
            free(k);
        }
    }
}

Test(base_key_order, the_last_of_a_key_counts_at_the_place_of_the_first)
{
    for (uint32_t n = 0; n <= 1000; n = n < 20 ? n + 1 : n * 2) {
        for (uint32_t alike = 1; alike <= 5; alike += 2) {
            Keys *k = make(n, alike, n % 2 == 0);
            KtKeyClock clock = {0};
            cr_assert_eq(kt_keys_distinct(kt_map_keys(k->entry, n), k->from, k->spare, &clock),
                         KT_OK);
            for (uint32_t i = 0; i < n; i++) {
                uint32_t last = i;
                for (uint32_t j = i; j < n; j++)
                    if (kt_text_eq(k->entry[i].key, k->entry[j].key))
                        last = j;
                bool first = first_of(k, n, k->entry[i].key) == i;
                cr_assert_eq(k->from[i], first ? last : KT_NO_KEY);
            }
            free(k);
        }
    }
}

static KtStatus count(void *user)
{
    (*(uint32_t *)user)++;
    return KT_OK;
}

static KtStatus late(void *user)
{
    (void)user;
    return KT_ERR_DEADLINE;
}

Test(base_key_order, three_thousand_keys_take_n_log_n_steps)
{
    Keys *k = make(MOST, 1, false);
    uint32_t asked = 0;
    KtKeyClock clock = {.look = count, .user = &asked};
    cr_assert_eq(kt_keys_distinct(kt_map_keys(k->entry, MOST), k->from, k->spare, &clock), KT_OK);
    cr_assert_leq(asked * (uint64_t)KT_KEY_WORK + clock.work, 2 * 12 * MOST + 3 * MOST);
    free(k);
}

Test(base_key_order, a_long_sort_ends_when_the_clock_says_so)
{
    Keys *k = make(MOST, 1, false);
    KtKeyClock clock = {.look = late, .work = KT_KEY_WORK};
    cr_assert_eq(kt_keys_distinct(kt_map_keys(k->entry, MOST), k->from, k->spare, &clock),
                 KT_ERR_DEADLINE);
    free(k);
}
