/* Packed adjacency lists: round trips, cuts, decoders on garbage, the set meaning of operands. */
#include "storage/adjacency.h"

#include "tests/unit/storage/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* n ascending pairs; `step` bounds the gaps, small `width` makes parallel edges. */
static KtAdjPair *make_list(uint64_t *seed, uint32_t n, uint32_t step)
{
    KtAdjPair *pair = malloc(((size_t)n + 1) * sizeof *pair);
    KtAdjPair now = {random_below(seed, 3), random_below(seed, 1000)};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t gap = random_below(seed, step);
        if (gap == 0) {
            now.rel += 1 + random_below(seed, 9);
        } else {
            now.nbr += gap;
            now.rel = random_below(seed, 1u << 30);
        }
        pair[i] = now;
    }
    return pair;
}

static void check_round_trip(const KtAdjPair *pair, uint32_t n, KtNodeId node)
{
    KtBuf out = {0}, again = {0};
    cr_assert_eq(kt_adj_encode(&out, node, pair, n), KT_OK);
    KtAdjHead head;
    cr_assert_eq(kt_adj_open(kt_span(out.data, out.len), &head), KT_OK);
    cr_assert_eq(head.n, n);
    KtAdjPair *back = malloc((n + 1) * sizeof *back);
    uint32_t *nbr = malloc((n + 1) * 4), *rel = malloc((n + 1) * 4), loops = 0;
    cr_assert_eq(kt_adj_pairs(&head, back), KT_OK);
    for (uint32_t i = 0; i < n; i++) {
        loops += pair[i].nbr == node;
        nbr[i] = (uint32_t)pair[i].nbr;
        rel[i] = (uint32_t)pair[i].rel;
        cr_assert_eq(kt_adj_order(pair[i], back[i]), 0);
    }
    cr_assert_eq(head.loops, loops);
    cr_assert_eq(kt_adj_encode32(&again, node, nbr, rel, n), KT_OK);
    cr_assert(again.len == out.len && memcmp(again.data, out.data, out.len) == 0);
    free(back), free(nbr), free(rel);
    kt_buf_close(&out);
    kt_buf_close(&again);
}

Test(storage_adjacency, lists_come_back_as_they_were)
{
    uint64_t seed = 7;
    for (uint32_t round = 0; round < 60; round++) {
        uint32_t n = round < 20 ? round : random_below(&seed, 5000);
        uint32_t steps[] = {1, 2, 3, 50, 300, 100000};
        KtAdjPair *pair = make_list(&seed, n, steps[round % 6]);
        check_round_trip(pair, n, n ? pair[n / 2].nbr : 0);
        free(pair);
    }
}

Test(storage_adjacency, more_than_a_segment_of_parallel_edges_is_cut_into_segments_that_hold_all)
{
    uint64_t seed = 8;
    uint32_t n = 3000;
    KtAdjPair *pair = make_list(&seed, n, 1); /* one neighbour */
    cr_assert_eq(pair[0].nbr, pair[n - 1].nbr);
    check_round_trip(pair, n, 0);
    free(pair);
    uint32_t sizes[] = {0, 1, 1023, 1024, 1025, 2048, 2049, 3000, 1000000, UINT32_MAX};
    for (size_t i = 0; i < KT_COUNT(sizes); i++) {
        uint32_t parts = kt_adj_segments(sizes[i]), sum = 0;
        for (uint32_t k = 0; k < parts && (parts < 5000 || k < 5000); k++) {
            uint32_t part = kt_adj_cut(sizes[i], k + 1) - kt_adj_cut(sizes[i], k);
            cr_assert(part <= KT_ADJ_SEGMENT && (parts == 1 || part >= KT_ADJ_SEGMENT / 2));
            sum += part;
        }
        cr_assert(parts > 5000 || sum == sizes[i]);
        cr_assert_eq(kt_adj_cut(sizes[i], parts), sizes[i]);
    }
}

static void apply_one(KtBuf *value, KtSpan op)
{
    KtBuf out = {0};
    kt_adj_merge.full(kt_span("\0\0\0\0\0\0\0\1\1\0\0\0\1", 13), kt_span(value->data, value->len),
                      &op, 1, &out);
    kt_buf_close(value);
    *value = out;
}

Test(storage_adjacency, adding_twice_is_adding_once_and_the_last_change_of_a_pair_wins)
{
    KtBuf once = {0}, twice = {0}, value = {0};
    kt_adj_change(&once, KT_ADJ_ADD, 1, 9);
    apply_one(&value, kt_span(once.data, once.len));
    KtAdjHead head;
    cr_assert_eq(kt_adj_open(kt_span(value.data, value.len), &head), KT_OK);
    cr_assert(head.n == 1 && head.loops == 1, "a pair with the node itself is a loop");
    apply_one(&value, kt_span(once.data, once.len));
    cr_assert_eq(kt_adj_open(kt_span(value.data, value.len), &head), KT_OK);
    cr_assert_eq(head.n, 1);
    kt_adj_change(&twice, KT_ADJ_REMOVE, 1, 9);
    kt_adj_change(&twice, KT_ADJ_ADD, 2, 9);
    kt_adj_change(&twice, KT_ADJ_REMOVE, 3, 9); /* of what is not there: nothing */
    kt_adj_change(&twice, KT_ADJ_ADD, 3, 8);
    kt_adj_change(&twice, KT_ADJ_REMOVE, 3, 8);
    apply_one(&value, kt_span(twice.data, twice.len));
    KtAdjPair pair[4];
    cr_assert_eq(kt_adj_open(kt_span(value.data, value.len), &head), KT_OK);
    cr_assert_eq(head.n, 1);
    cr_assert_eq(kt_adj_pairs(&head, pair), KT_OK);
    cr_assert(pair[0].nbr == 2 && pair[0].rel == 9);
    kt_buf_close(&once), kt_buf_close(&twice), kt_buf_close(&value);
}

/* Against a plain model: bitmap of 8 neighbours x 8 relationships. */
Test(storage_adjacency, merging_equals_a_plain_set)
{
    uint64_t seed = 11;
    for (int round = 0; round < 200; round++) {
        bool model[8][8] = {{false}};
        KtBuf value = {0};
        for (int step = 0; step < 20; step++) {
            KtBuf op = {0};
            for (uint32_t i = 0, n = 1 + random_below(&seed, 60); i < n; i++) {
                uint32_t a = random_below(&seed, 8), b = random_below(&seed, 8);
                bool add = random_below(&seed, 2);
                model[a][b] = add;
                kt_adj_change(&op, add ? KT_ADJ_ADD : KT_ADJ_REMOVE, a, b);
            }
            apply_one(&value, kt_span(op.data, op.len));
            kt_buf_close(&op);
            KtAdjHead head;
            KtAdjPair pair[64];
            uint32_t n = 0;
            cr_assert_eq(kt_adj_open(kt_span(value.data, value.len), &head), KT_OK);
            cr_assert(head.n <= 64 && kt_adj_pairs(&head, pair) == KT_OK);
            for (uint32_t a = 0; a < 8; a++)
                for (uint32_t b = 0; b < 8; b++)
                    if (model[a][b]) {
                        cr_assert(n < head.n && pair[n].nbr == a && pair[n].rel == b);
                        n++;
                    }
            cr_assert_eq(n, head.n);
        }
        kt_buf_close(&value);
    }
}

Test(storage_adjacency, decoders_survive_random_and_damaged_bytes)
{
    uint64_t seed = 12;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[200];
        size_t len = random_bytes(&seed, bytes, sizeof bytes);
        if (round & 1) { /* a real list with a few bytes changed */
            KtAdjPair *pair = make_list(&seed, 12, 40);
            KtBuf out = {0};
            cr_assert_eq(kt_adj_encode(&out, 1, pair, random_below(&seed, 12)), KT_OK);
            len = out.len;
            memcpy(bytes, out.data, len);
            for (uint32_t i = random_below(&seed, 3); i > 0; i--)
                bytes[random_below(&seed, (uint32_t)len)] = (uint8_t)random_next(&seed);
            free(pair);
            kt_buf_close(&out);
        } else if (len > 13) {
            bytes[0] = KT_FMT_ADJ;
            memset(bytes + 2, 0, 3);
            memset(bytes + 6, 0, 3);
            memset(bytes + 10, 0, 3);
        }
        uint8_t *exact = malloc(len + 1); /* so that ASan sees the end */
        memcpy(exact, bytes, len);
        exact = realloc(exact, len ? len : 1);
        KtAdjHead head;
        if (kt_adj_open(kt_span(exact, len), &head) == KT_OK) {
            cr_assert(head.n <= len);
            KtAdjPair *pair = malloc((head.n + 1) * sizeof *pair);
            KtStatus status = kt_adj_pairs(&head, pair);
            cr_assert(status == KT_OK || status == KT_ERR_CORRUPTION);
            for (uint32_t i = 1; status == KT_OK && i < head.n; i++)
                cr_assert(kt_adj_order(pair[i - 1], pair[i]) < 0);
            free(pair);
        }
        free(exact);
    }
}

Test(storage_adjacency, ids_of_more_than_32_bits_come_back)
{
    KtAdjPair pair[2] = {{1, (uint64_t)1 << 40}, {(uint64_t)1 << 33, 2}};
    KtBuf out = {0};
    KtAdjHead head;
    KtAdjPair back[2];
    cr_assert_eq(kt_adj_encode(&out, 1, pair, 2), KT_OK);
    cr_assert_eq(kt_adj_open(kt_span(out.data, out.len), &head), KT_OK);
    cr_assert_eq(kt_adj_pairs(&head, back), KT_OK);
    cr_assert(back[0].rel == pair[0].rel && back[1].nbr == pair[1].nbr);
    kt_buf_close(&out);
}

Test(storage_adjacency, keys_sort_as_their_parts_and_parse_back)
{
    KtKey a = kt_key_adj(7, 1, 3), b = kt_key_adj_segment(7, 1, 3, 0, 0),
          c = kt_key_adj_segment(7, 1, 3, 5, 1), d = kt_key_adj(7, 1, 4), e = kt_key_adj(7, 2, 1),
          f = kt_key_adj(8, 1, 1);
    KtKey all[] = {a, b, c, d, e, f};
    for (size_t i = 1; i < KT_COUNT(all); i++) {
        uint8_t least = all[i - 1].len < all[i].len ? all[i - 1].len : all[i].len;
        int order = memcmp(all[i - 1].at, all[i].at, least);
        cr_assert(order < 0 || (order == 0 && all[i - 1].len < all[i].len), "place %zu", i);
    }
    KtAdjKey key;
    cr_assert(kt_key_parse_adj(kt_key_span(&c), &key));
    cr_assert(key.node == 7 && key.dir == 1 && key.type == 3 && key.segment && key.nbr == 5 &&
              key.rel == 1);
    cr_assert(kt_key_parse_adj(kt_key_span(&a), &key) && !key.segment);
    cr_assert(!kt_key_parse_adj(kt_span(c.at, 20), &key));
}
