/* XXH3 behind our names, and the map of 64-bit keys. */
#include "base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

Test(base_hash, the_128_bit_digest_is_the_published_one)
{
    /* XXH3-128 of the empty text, canonical form, from the xxHash project's own vectors */
    static const uint8_t want[16] = {0x99, 0xaa, 0x06, 0xd3, 0x01, 0x47, 0x98, 0xd8,
                                     0x60, 0x01, 0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f};
    uint8_t got[16];
    kt_hash128("", 0, got);
    cr_assert_eq(memcmp(got, want, 16), 0);
    cr_assert_eq(kt_hash("", 0), 0x2d06800538d394c2ULL);
}

Test(base_hash, the_map_finds_all_it_was_given)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, 0);
    KtMap64 map = {.budget = &budget};
    cr_assert_null(kt_map64_get(&map, 5));
    for (uint64_t k = 0; k < 5000; k++) {
        uint64_t *at;
        bool made;
        cr_assert_eq(kt_map64_put(&map, k * k * 977, &at, &made), KT_OK);
        cr_assert(made);
        cr_assert_eq(*at, 0);
        *at = k;
    }
    for (uint64_t k = 0; k < 5000; k++) {
        uint64_t *at = kt_map64_get(&map, k * k * 977);
        cr_assert_not_null(at);
        cr_assert_eq(*at, k);
    }
    cr_assert_null(kt_map64_get(&map, 978));
    bool made;
    uint64_t *at;
    cr_assert_eq(kt_map64_put(&map, 0, &at, &made), KT_OK);
    cr_assert_not(made);
    kt_map64_clear(&map);
    cr_assert_null(kt_map64_get(&map, 977));
    kt_map64_close(&map);
    cr_assert_eq(atomic_load(&budget.used), 0);
}
