/* relmap records and label chunks: round trips, one-id lookup, damaged bytes. */
#include "storage/label.h"
#include "storage/relmap.h"

#include "tests/unit/storage/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void make_map(uint64_t *seed, uint32_t one_in, KtRelmap *map)
{
    memset(map, 0, sizeof *map);
    KtToken type = 1;
    for (uint32_t slot = 0; slot < KT_RELMAP_SLOTS; slot++) {
        if (random_below(seed, one_in) != 0)
            continue;
        if (random_below(seed, 20) == 0)
            type = 1 + random_below(seed, 5);
        map->present[slot >> 6] |= (uint64_t)1 << (slot & 63);
        map->type[slot] = type;
        map->start[slot] = random_below(seed, 1000000);
        map->end[slot] = random_next(seed) >> random_below(seed, 64);
    }
}

Test(storage_relmap, every_id_leads_to_its_type_and_ends)
{
    uint64_t seed = 21;
    uint32_t densities[] = {1, 2, 10, 300};
    for (int round = 0; round < 100; round++) {
        KtRelmap map, back;
        make_map(&seed, densities[round % 4], &map);
        KtBuf out = {0};
        cr_assert_eq(kt_relmap_encode(&out, &map), KT_OK);
        KtSpan value = kt_span(out.data, out.len);
        cr_assert_eq(kt_relmap_decode(value, &back), KT_OK);
        cr_assert_eq(memcmp(map.present, back.present, sizeof map.present), 0);
        for (uint32_t slot = 0; slot < KT_RELMAP_SLOTS; slot++) {
            KtRelRef ref;
            bool found = false;
            cr_assert_eq(kt_relmap_find(value, 512 + slot, &ref, &found), KT_OK);
            cr_assert_eq(found, kt_relmap_has(&map, slot));
            if (found)
                cr_assert(ref.id == 512 + slot && ref.type == map.type[slot] &&
                          ref.start == map.start[slot] && ref.end == map.end[slot] &&
                          back.end[slot] == map.end[slot]);
        }
        kt_buf_close(&out);
    }
}

Test(storage_relmap, a_run_of_sorted_relationships_takes_about_four_bytes_each)
{
    uint64_t seed = 22;
    KtRelmap map;
    memset(&map, 0, sizeof map);
    memset(map.present, 0xFF, sizeof map.present);
    uint64_t start = 500000, end = 0;
    for (uint32_t i = 0; i < KT_RELMAP_SLOTS; i++) {
        if (i % 20 == 0)
            start++, end = 0;
        end += 1 + random_below(&seed, 100000);
        map.type[i] = 1, map.start[i] = start, map.end[i] = end;
    }
    KtBuf out = {0};
    cr_assert_eq(kt_relmap_encode(&out, &map), KT_OK);
    cr_assert_lt(out.len, 256 * 4 + 100);
    kt_buf_close(&out);
}

Test(storage_relmap, the_last_change_of_an_id_wins)
{
    KtBuf op = {0}, out = {0};
    kt_relmap_add(&op, 256 + 5, 1, 10, 11);
    kt_relmap_add(&op, 256 + 6, 2, 12, 13);
    kt_relmap_remove(&op, 256 + 6);
    kt_relmap_add(&op, 256 + 5, 3, 14, 15);
    KtSpan span = kt_span(op.data, op.len);
    kt_relmap_merge.full(kt_span("", 0), kt_span(NULL, 0), &span, 1, &out);
    KtRelRef ref;
    bool found;
    cr_assert_eq(kt_relmap_find(kt_span(out.data, out.len), 256 + 5, &ref, &found), KT_OK);
    cr_assert(found && ref.type == 3 && ref.start == 14 && ref.end == 15);
    cr_assert_eq(kt_relmap_find(kt_span(out.data, out.len), 256 + 6, &ref, &found), KT_OK);
    cr_assert_not(found);
    kt_buf_close(&op), kt_buf_close(&out);
}

Test(storage_relmap, decoders_survive_random_and_damaged_bytes)
{
    uint64_t seed = 23;
    for (int round = 0; round < 5000; round++) {
        KtRelmap map, back;
        KtBuf out = {0};
        make_map(&seed, 30, &map);
        cr_assert_eq(kt_relmap_encode(&out, &map), KT_OK);
        size_t len = round & 1 ? out.len : random_below(&seed, (uint32_t)out.len);
        uint8_t *exact = malloc(len ? len : 1);
        memcpy(exact, out.data, len);
        for (uint32_t i = random_below(&seed, 5); i > 0 && len; i--)
            exact[random_below(&seed, (uint32_t)len)] = (uint8_t)random_next(&seed);
        KtRelRef ref;
        bool found = false;
        KtStatus whole = kt_relmap_decode(kt_span(exact, len), &back);
        for (uint32_t slot = 0; slot < KT_RELMAP_SLOTS; slot += 7) {
            KtStatus one = kt_relmap_find(kt_span(exact, len), slot, &ref, &found);
            cr_assert(whole != KT_OK || (one == KT_OK && found == kt_relmap_has(&back, slot)));
        }
        free(exact);
        kt_buf_close(&out);
    }
}

Test(storage_label, chunks_come_back_as_they_were_and_give_their_ids_in_order)
{
    uint64_t seed = 31;
    uint32_t sizes[] = {0, 1, 255, 256, 257, 2000, 4096};
    for (size_t k = 0; k < KT_COUNT(sizes); k++) {
        KtLabelChunk chunk = {{0}}, back;
        while (kt_label_count(&chunk) < sizes[k]) {
            uint32_t place = random_below(&seed, KT_LABEL_CHUNK);
            chunk.bits[place >> 6] |= (uint64_t)1 << (place & 63);
        }
        KtBuf out = {0};
        cr_assert_eq(kt_label_encode(&out, &chunk), KT_OK);
        cr_assert_eq(kt_label_decode(kt_span(out.data, out.len), &back), KT_OK);
        cr_assert_eq(memcmp(&chunk, &back, sizeof chunk), 0);
        uint32_t ids[KT_LABEL_CHUNK];
        cr_assert_eq(kt_label_ids32(back.bits, 8192, ids), sizes[k]);
        for (uint32_t i = 0; i < sizes[k]; i++) {
            cr_assert(i == 0 || ids[i] > ids[i - 1]);
            uint32_t place = ids[i] - 8192;
            cr_assert((chunk.bits[place >> 6] >> (place & 63)) & 1);
        }
        kt_buf_close(&out);
    }
}

Test(storage_label, the_last_change_of_an_id_wins)
{
    KtBuf op = {0}, out = {0};
    kt_label_change(&op, 4096 + 3, true);
    kt_label_change(&op, 4096 + 4, true);
    kt_label_change(&op, 4096 + 3, false);
    KtSpan span = kt_span(op.data, op.len);
    kt_label_merge.full(kt_span("", 0), kt_span(NULL, 0), &span, 1, &out);
    KtLabelChunk chunk;
    uint32_t ids[KT_LABEL_CHUNK];
    cr_assert_eq(kt_label_decode(kt_span(out.data, out.len), &chunk), KT_OK);
    cr_assert(kt_label_ids32(chunk.bits, 4096, ids) == 1 && ids[0] == 4096 + 4);
    kt_buf_close(&op), kt_buf_close(&out);
}

Test(storage_label, decoders_survive_random_bytes)
{
    uint64_t seed = 33;
    uint8_t bytes[600];
    KtLabelChunk chunk;
    for (int round = 0; round < 20000; round++) {
        size_t len = random_bytes(&seed, bytes, sizeof bytes);
        if (len > 3 && (round & 1)) {
            uint16_t n = (uint16_t)random_below(&seed, 300);
            bytes[0] = KT_FMT_LABEL;
            memcpy(bytes + 1, &n, 2);
            len = 3 + (size_t)n * 2 <= sizeof bytes ? 3 + (size_t)n * 2 : 515;
        }
        if (kt_label_decode(kt_span(bytes, len), &chunk) == KT_OK)
            cr_assert_leq(kt_label_count(&chunk), KT_LABEL_CHUNK);
    }
}
