/* Merges of adj, relmap and label: any bytes succeed, and grouping never matters. */
#include "storage/adjacency.h"
#include "storage/label.h"
#include "storage/relmap.h"

#include "tests/unit/storage/random.h"

#include <criterion/criterion.h>

enum { OPS = 6 };

static const KtKvMerge *const kinds[] = {&kt_adj_merge, &kt_relmap_merge, &kt_label_merge};

/* A real operand with a few changes over a small domain, so that changes meet. */
static void real_operand(uint64_t *seed, int kind, KtBuf *out)
{
    uint32_t changes = 1 + random_below(seed, 5);
    for (uint32_t i = 0; i < changes; i++) {
        uint64_t a = random_below(seed, 6), b = random_below(seed, 4);
        if (random_below(seed, 50) == 0)
            a |= random_next(seed) << 20;
        bool add = random_below(seed, 3) > 0;
        if (kind == 0)
            kt_adj_change(out, add ? KT_ADJ_ADD : KT_ADJ_REMOVE, a, b);
        else if (kind == 1 && add)
            kt_relmap_add(out, a, (KtToken)b + 1, b, a);
        else if (kind == 1)
            kt_relmap_remove(out, a);
        else
            kt_label_change(out, a * 300, add);
    }
}

static void any_operand(uint64_t *seed, int kind, uint32_t bad_of_8, KtBuf *out)
{
    kt_buf_clear(out);
    uint8_t bytes[40];
    uint32_t pick = random_below(seed, 16);
    if (pick >= 2 * bad_of_8) {
        real_operand(seed, kind, out);
    } else if (pick & 1) {
        real_operand(seed, kind, out);
        out->len = random_below(seed, (uint32_t)out->len + 1); /* cut off */
    } else {
        kt_buf_put(out, bytes, random_bytes(seed, bytes, sizeof bytes));
        if (out->len && random_below(seed, 2))
            out->data[0] = random_below(seed, 2) ? KT_FMT_OPERAND : KT_FMT_CARRIED;
    }
    kt_buf_reserve(out, 1); /* never NULL */
}

static void any_base(uint64_t *seed, int kind, bool bad, KtBuf *out)
{
    kt_buf_clear(out);
    KtBuf op = {0};
    real_operand(seed, kind, &op);
    KtSpan span = kt_span(op.data, op.len);
    kinds[kind]->full(kt_span("\0\0\0\0\0\0\0\3\1\0\0\0\1", 13), kt_span(NULL, 0), &span, 1, out);
    if (bad && random_below(seed, 2)) {
        out->len = random_below(seed, (uint32_t)out->len + 1);
    } else if (bad) {
        uint8_t bytes[64];
        kt_buf_clear(out);
        kt_buf_put(out, bytes, random_bytes(seed, bytes, sizeof bytes));
        if (out->len && random_below(seed, 2))
            out->data[0] = random_below(seed, 2) ? 1 : KT_FMT_CARRIED;
    }
    kt_buf_reserve(out, 1);
    kt_buf_close(&op);
}

static KtSpan span_of(const KtBuf *buf) { return kt_span(buf->data, buf->len); }

static void same(const KtBuf *a, const KtBuf *b, int kind, int round, unsigned cuts,
                 const char *what)
{
    cr_assert(a->len == b->len && memcmp(a->data, b->data, a->len) == 0,
              "%s differs: kind %d round %d cuts %x (%zu, %zu bytes)", what, kind, round, cuts,
              a->len, b->len);
}

/* All ways to cut the operands into groups; each group through partial, then all through full. */
static void every_grouping(KtSpan key, KtSpan base, const KtSpan *ops, int kind, int round)
{
    KtBuf whole = {0};
    kinds[kind]->full(key, base, ops, OPS, &whole);
    cr_assert(whole.len > 0 && !whole.failed);
    for (unsigned cuts = 0; cuts < 1u << (OPS - 1); cuts++) {
        KtBuf joined[OPS] = {{0}};
        KtSpan grouped[OPS];
        int n = 0;
        for (int from = 0; from < OPS;) {
            int to = from + 1;
            while (to < OPS && !(cuts & 1u << (to - 1)))
                to++;
            if (to - from > 1 &&
                kinds[kind]->partial(key, ops + from, (size_t)(to - from), &joined[n])) {
                grouped[n] = span_of(&joined[n]);
                n++;
            } else {
                for (int i = from; i < to; i++)
                    grouped[n++] = ops[i];
            }
            from = to;
        }
        KtBuf got = {0}, half = {0}, two = {0};
        kinds[kind]->full(key, base, grouped, (size_t)n, &got);
        same(&whole, &got, kind, round, cuts, "partial then full");
        /* and in two full merges, cut at the first cut */
        int cut = 1 + (int)(cuts % (OPS - 1));
        kinds[kind]->full(key, base, ops, (size_t)cut, &half);
        kinds[kind]->full(key, span_of(&half), ops + cut, (size_t)(OPS - cut), &two);
        same(&whole, &two, kind, round, cuts, "full then full");
        for (int i = 0; i < OPS; i++)
            kt_buf_close(&joined[i]);
        kt_buf_close(&got);
        kt_buf_close(&half);
        kt_buf_close(&two);
    }
    kt_buf_close(&whole);
}

static void groupings(uint32_t bad_of_8, int rounds, uint64_t seed)
{
    KtBuf op[OPS] = {{0}}, base = {0};
    for (int kind = 0; kind < 3; kind++) {
        for (int round = 0; round < rounds; round++) {
            uint8_t key[16];
            size_t key_len = bad_of_8 ? random_bytes(&seed, key, sizeof key) : 13;
            if (!bad_of_8)
                memcpy(key, "\0\0\0\0\0\0\0\3\1\0\0\0\1", 13);
            KtSpan ops[OPS];
            for (int i = 0; i < OPS; i++) {
                any_operand(&seed, kind, bad_of_8, &op[i]);
                ops[i] = span_of(&op[i]);
            }
            uint32_t pick = random_below(&seed, 3);
            if (pick > 0)
                any_base(&seed, kind, bad_of_8 && pick == 2, &base);
            every_grouping(kt_span(key, key_len), pick ? span_of(&base) : kt_span(NULL, 0), ops,
                           kind, round);
        }
    }
    for (int i = 0; i < OPS; i++)
        kt_buf_close(&op[i]);
    kt_buf_close(&base);
}

Test(storage_merge, grouping_of_good_operands_never_matters) { groupings(0, 150, 1); }
Test(storage_merge, grouping_never_matters_with_undecodable_bytes_among_them)
{
    groupings(3, 300, 2);
}

Test(storage_merge, any_bytes_succeed_and_are_reported_as_corruption_by_readers)
{
    uint64_t seed = 3;
    for (int kind = 0; kind < 3; kind++) {
        for (int round = 0; round < 3000; round++) {
            uint8_t key[32], base[64], op[3][64];
            KtSpan ops[3];
            for (int i = 0; i < 3; i++)
                ops[i] = kt_span(op[i], random_bytes(&seed, op[i], sizeof op[i]));
            size_t key_len = random_bytes(&seed, key, sizeof key),
                   base_len = random_bytes(&seed, base, sizeof base);
            KtBuf out = {0};
            kinds[kind]->full(kt_span(key, key_len), kt_span(base, base_len), ops, 3, &out);
            cr_assert(out.len > 0 && !out.failed);
            KtAdjHead head;
            KtRelmap map;
            KtLabelChunk chunk;
            KtStatus read = kind == 0   ? kt_adj_open(span_of(&out), &head)
                            : kind == 1 ? kt_relmap_decode(span_of(&out), &map)
                                        : kt_label_decode(span_of(&out), &chunk);
            cr_assert(out.data[0] != KT_FMT_CARRIED || read == KT_ERR_CORRUPTION);
            kt_buf_close(&out);
        }
    }
}

Test(storage_merge, what_is_carried_along_is_kept_byte_for_byte)
{
    KtBuf good = {0}, out = {0};
    kt_adj_change(&good, KT_ADJ_ADD, 5, 7);
    KtSpan ops[2] = {kt_span("\x41\x09what is this", 14), kt_span(good.data, good.len)};
    kt_adj_merge.full(kt_span("", 0), kt_span("odd base", 8), ops, 2, &out);
    cr_assert_eq(out.data[0], KT_FMT_CARRIED);
    cr_assert(memmem(out.data, out.len, "odd base", 8));
    cr_assert(memmem(out.data, out.len, ops[0].at, ops[0].len));
    cr_assert(memmem(out.data, out.len, good.data, good.len));
    kt_buf_close(&good);
    kt_buf_close(&out);
}
