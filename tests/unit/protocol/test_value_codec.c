/* What the vectors cannot say: depth, memory, and bytes that are cut or random. */
#include "protocol/kmp/limits.h"
#include "protocol/kmp/value_codec.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(protocol_value_codec);

static KtStatus decode(const void *bytes, size_t len, size_t memory, size_t *peak)
{
    KtBudget budget;
    KtArena *arena;
    KtValue value;
    KtDiag diag = {0};
    KtReader in = kt_reader(bytes, len);
    kt_budget_init(&budget, NULL, memory);
    cr_assert_eq(kt_arena_open(&budget, &arena), KT_OK);
    KtStatus status = kt_kmp_value_decode(&in, arena, &diag, &value);
    cr_assert(status == KT_OK || diag.message[0]);
    kt_arena_close(arena);
    if (peak)
        *peak = atomic_load(&budget.peak);
    cr_assert_eq(atomic_load(&budget.used), 0);
    return status;
}

static uint8_t *nested(size_t depth, uint8_t head)
{
    uint8_t *bytes = malloc(depth + 1);
    memset(bytes, head, depth);
    bytes[depth] = 0xC0;
    return bytes;
}

Test(protocol_value_codec, nesting_is_bounded)
{
    uint8_t *bytes = nested(100000, 0x91);
    cr_assert_eq(decode(bytes + 100000 - KMP_DEPTH_MOST, KMP_DEPTH_MOST + 1, 0, NULL), KT_OK);
    cr_assert_eq(decode(bytes + 100000 - KMP_DEPTH_MOST - 1, KMP_DEPTH_MOST + 2, 0, NULL),
                 KT_ERR_VALUE_TOO_DEEP);
    cr_assert_eq(decode(bytes, 100001, 0, NULL), KT_ERR_VALUE_TOO_DEEP);
    free(bytes);
}

Test(protocol_value_codec, encoding_bounds_nesting_too)
{
    static KtValue values[KMP_DEPTH_MOST + 3];
    values[0] = kt_null();
    for (int i = 1; i < KMP_DEPTH_MOST + 3; i++)
        values[i] = kt_list(&values[i - 1], 1);
    KtBuf out = {0};
    cr_assert_eq(kt_kmp_value_encode(&out, values[KMP_DEPTH_MOST], NULL), KT_OK);
    cr_assert_eq(kt_kmp_value_encode(&out, values[KMP_DEPTH_MOST + 2], NULL),
                 KT_ERR_VALUE_TOO_DEEP);
    kt_buf_close(&out);
}

Test(protocol_value_codec, a_bomb_of_counts_allocates_little)
{
    size_t peak;
    cr_assert_eq(decode("\xDD\x7F\xFF\xFF\xFF", 5, 0, &peak), KT_ERR_PROTOCOL);
    cr_assert_leq(peak, 1024);
    /* a thousand lists, each announcing as many elements as bytes are left */
    size_t len = 64 * 1024;
    uint8_t *bytes = calloc(1, len);
    for (size_t i = 0; i + 5 <= 5000; i += 5) {
        uint32_t n = (uint32_t)(len - i - 5);
        bytes[i] = 0xDD;
        kt_store_be32(bytes + i + 1, n);
    }
    cr_assert_eq(decode(bytes, len, 0, &peak), KT_ERR_PROTOCOL);
    cr_assert_leq(peak, 20 * len, "%zu", peak);
    free(bytes);
}

Test(protocol_value_codec, memory_stays_in_proportion_to_the_bytes)
{
    size_t len = 1 << 20, peak;
    uint8_t *bytes = malloc(len);
    memset(bytes, 0xC0, len);
    bytes[0] = 0xDD;
    kt_store_be32(bytes + 1, (uint32_t)len - 5);
    cr_assert_eq(decode(bytes, len, 0, &peak), KT_OK);
    cr_assert_leq(peak, 17 * len, "%zu", peak);
    cr_assert_eq(decode(bytes, len, 8 * len, &peak), KT_ERR_MEMORY, "the budget holds");
    free(bytes);
}

Test(protocol_value_codec, a_key_twice_is_found_in_large_maps)
{
    KtBuf out = {0};
    enum { N = 3000 };
    kt_buf_u8(&out, 0xDE);
    kt_buf_be16(&out, N);
    for (uint32_t i = 0; i < N; i++) {
        kt_buf_u8(&out, 0xA4);
        kt_buf_be32(&out, 0x41414141u + (i * 7919u % N) / 60 * 256 + (i * 7919u % N) % 60);
        kt_buf_u8(&out, 0x01);
    }
    cr_assert_eq(decode(out.data, out.len, 0, NULL), KT_OK);
    memcpy(out.data + 3 + 6 * 2999 + 1, out.data + 3 + 6 * 5 + 1, 4);
    cr_assert_eq(decode(out.data, out.len, 0, NULL), KT_ERR_INVALID_VALUE);
    kt_buf_close(&out);
}

Test(protocol_value_codec, no_prefix_of_a_value_is_a_value)
{
    static const KtText labels[] = {{"A", 1}, {"B", 1}};
    KtValue items[] = {kt_int(70000), kt_text("hello", 5), kt_float(1.5)};
    KtMapEntry entries[] = {{{"k", 1}, kt_list(items, 3)}};
    KtNodeImage node = {.id = 300, .label = labels, .labels = 2, .prop = entries, .props = 1};
    KtValue list[] = {{.kind = KT_NODE, .flags = KT_VALUE_IMAGE, .as.node_image = &node},
                      kt_map(entries, 1)};
    KtBuf out = {0};
    cr_assert_eq(kt_kmp_value_encode(&out, kt_list(list, 2), NULL), KT_OK);
    for (size_t len = 0; len < out.len; len++) {
        uint8_t *exact = malloc(len ? len : 1); /* so that a read past the end is seen */
        memcpy(exact, out.data, len);
        cr_assert_neq(decode(exact, len, 0, NULL), KT_OK, "%zu of %zu bytes", len, out.len);
        free(exact);
    }
    kt_buf_close(&out);
}

Test(protocol_value_codec, what_random_bytes_decode_to_can_be_encoded)
{
    uint64_t state = 42;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[40];
        for (size_t i = 0; i < sizeof bytes; i++) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            bytes[i] = (uint8_t)(state >> 56);
        }
        KtArena *arena;
        KtValue value;
        KtReader in = kt_reader(bytes, sizeof bytes);
        cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
        if (kt_kmp_value_decode(&in, arena, NULL, &value) == KT_OK) {
            KtBuf out = {0};
            KtStatus status = kt_kmp_value_encode(&out, value, NULL);
            cr_assert(status == KT_OK || status == KT_ERR_NUMBER_OUT_OF_RANGE);
            kt_buf_close(&out);
        }
        kt_arena_close(arena);
    }
}

Test(protocol_value_codec, a_date_beyond_32_bits_of_days_is_refused)
{
    KtTemporal t = {.days = 3000000000LL, .zone = {"", 0}};
    KtBuf out = {0};
    cr_assert_eq(kt_kmp_value_encode(&out, (KtValue){.kind = KT_DATE, .as.temporal = &t}, NULL),
                 KT_ERR_NUMBER_OUT_OF_RANGE);
    kt_buf_close(&out);
}

Test(protocol_value_codec, an_entity_without_its_names_is_never_sent)
{
    KtBuf out = {0};
    cr_assert_eq(kt_kmp_value_encode(&out, kt_node(7), NULL), KT_ERR_INTERNAL);
    kt_buf_close(&out);
}

Test(protocol_value_codec, whatever_memory_is_missing_nothing_is_left_behind)
{
    static const KtText labels[] = {{"A", 1}, {"B", 1}};
    static KtValue items[3000];
    static KtMapEntry entries[40];
    static char key[40][4];
    for (int i = 0; i < 3000; i++)
        items[i] = kt_int(i);
    for (int i = 0; i < 40; i++) {
        int n = snprintf(key[i], sizeof key[i], "k%d", i);
        entries[i] = (KtMapEntry){{key[i], (uint32_t)n}, kt_list(items, 300)};
    }
    KtNodeImage node = {.id = 1, .label = labels, .labels = 2, .prop = entries, .props = 40};
    KtValue both[] = {{.kind = KT_NODE, .flags = KT_VALUE_IMAGE, .as.node_image = &node},
                      kt_list(items, 3000)};
    KtBuf out = {0};
    cr_assert_eq(kt_kmp_value_encode(&out, kt_list(both, 2), NULL), KT_OK);
    KtStatus status = KT_ERR_MEMORY;
    for (size_t memory = 1; status != KT_OK; memory += 1000) {
        status = decode(out.data, out.len, memory, NULL); /* also looks that all is given back */
        cr_assert(status == KT_OK || status == KT_ERR_MEMORY);
        cr_assert_lt(memory, 10000000);
    }
    status = KT_ERR_MEMORY;
    for (size_t memory = 1; status != KT_OK; memory += 1000) {
        KtBudget budget;
        kt_budget_init(&budget, NULL, memory);
        KtBuf again = {.budget = &budget};
        status = kt_kmp_value_encode(&again, kt_list(both, 2), NULL);
        cr_assert(status == KT_OK || status == KT_ERR_MEMORY);
        kt_buf_close(&again);
        cr_assert_eq(atomic_load(&budget.used), 0);
    }
    kt_buf_close(&out);
}
