/* storage/format.c - the table of families, and merges that carry along what they cannot decode.
 *
 * A carried value is 0xFF, has_base1, [varint length, base], {varint length, operand}*. It is canonical: good
 * operands before the first bad one are applied to the base, and good neighbours behind it are joined to one. So the
 * bytes do not depend on how RocksDB groups its calls. */
#include "storage/format.h"

#include "storage/adjacency.h"
#include "storage/label.h"
#include "storage/relmap.h"

#include <stdlib.h>

const KtKvFamily kt_families[KT_FAMILIES] = {
    [KT_FAMILY_META] = {.name = "meta"},
    [KT_FAMILY_NODE] = {.name = "node"},
    [KT_FAMILY_REL] = {.name = "rel"},
    [KT_FAMILY_RELMAP] = {.name = "relmap", .merge = &kt_relmap_merge},
    [KT_FAMILY_ADJ] = {.name = "adj", .merge = &kt_adj_merge, .prefix = KT_ADJ_PREFIX},
    [KT_FAMILY_LABEL] = {.name = "label", .merge = &kt_label_merge},
    [KT_FAMILY_INDEX] = {.name = "index"},
    [KT_FAMILY_LOG] = {.name = "log"},
};

static void put_piece(KtBuf *out, KtSpan piece)
{
    kt_buf_varint(out, piece.len);
    kt_buf_put(out, piece.at, piece.len);
}

/* Reads one piece; false at the end or at bytes that are none (then r->bad). */
static bool next_piece(KtReader *r, KtSpan *out)
{
    if (r->bad || kt_reader_left(r) == 0)
        return false;
    uint64_t len = kt_read_varint(r);
    if (r->bad || len > kt_reader_left(r)) {
        r->bad = true;
        return false;
    }
    *out = kt_span(r->at, (size_t)len);
    r->at += len;
    return true;
}

/* Reads the head of a carried value; false if the bytes are none. */
static bool carried_open(KtSpan value, KtReader *r, bool *has_base, KtSpan *base)
{
    *r = kt_reader(value.at, value.len);
    if (kt_read_u8(r) != KT_FMT_CARRIED)
        return false;
    uint8_t flag = kt_read_u8(r);
    if (r->bad || flag > 1)
        return false;
    *has_base = flag == 1;
    if (*has_base && !next_piece(r, base))
        return false;
    /* The whole must be well-formed: walk it once. */
    KtReader walk = *r;
    KtSpan piece;
    size_t pieces = 0;
    while (next_piece(&walk, &piece))
        pieces++;
    return !walk.bad && (pieces > 0 || *has_base);
}

/* Appends operands: bad ones as they are, runs of good ones joined. */
static void put_operands(const KtMergeRules *rules, const KtSpan *operand, size_t n, KtBuf *out)
{
    KtBuf joined = {0};
    for (size_t i = 0; i < n;) {
        size_t good = i;
        while (good < n && rules->good_operand(operand[good]))
            good++;
        if (good > i) {
            kt_buf_clear(&joined);
            rules->join(operand + i, good - i, &joined);
            out->failed |= joined.failed;
            put_piece(out, kt_span(joined.data, joined.len));
            i = good;
        } else {
            put_piece(out, operand[i]);
            i++;
        }
    }
    kt_buf_close(&joined);
}

/* Adds operands to a carried value: its own come first, since a good last one joins with the first new ones. */
static void carry_on(const KtMergeRules *rules, KtReader old, bool has_base, KtSpan base,
                     const KtSpan *operand, size_t n, KtBuf *out)
{
    size_t count = 0;
    KtSpan piece;
    for (KtReader walk = old; next_piece(&walk, &piece);)
        count++;
    KtSpan *all = malloc((count + n + 1) * sizeof *all);
    KT_CHECK(all);
    size_t at = 0;
    while (next_piece(&old, &piece))
        all[at++] = piece;
    for (size_t i = 0; i < n; i++)
        all[at++] = operand[i];
    kt_buf_u8(out, KT_FMT_CARRIED);
    kt_buf_u8(out, has_base);
    if (has_base)
        put_piece(out, base);
    put_operands(rules, all, at, out);
    free(all);
}

void kt_merge_full(const KtMergeRules *rules, KtSpan key, KtSpan base, const KtSpan *operand,
                   size_t n, KtBuf *out)
{
    KtReader old;
    bool has_base = false;
    KtSpan old_base = {0};
    if (base.at && carried_open(base, &old, &has_base, &old_base)) {
        carry_on(rules, old, has_base, old_base, operand, n, out);
        return;
    }
    size_t good = 0;
    while (good < n && rules->good_operand(operand[good]))
        good++;
    KtReader none = kt_reader("", 0);
    if (good == n) {
        if (!rules->apply(key, base, operand, n, out))
            carry_on(rules, none, true, base, operand, n, out);
        return;
    }
    /* A bad operand: what comes before it still goes into the base. */
    KtBuf applied = {0};
    if (good > 0 && rules->apply(key, base, operand, good, &applied)) {
        out->failed |= applied.failed;
        carry_on(rules, none, true, kt_span(applied.data, applied.len), operand + good, n - good,
                 out);
    } else {
        carry_on(rules, none, base.at != NULL, base, operand, n, out);
    }
    kt_buf_close(&applied);
}

bool kt_merge_partial(const KtMergeRules *rules, const KtSpan *operand, size_t n, KtBuf *out)
{
    for (size_t i = 0; i < n; i++)
        if (!rules->good_operand(operand[i]))
            return false;
    rules->join(operand, n, out);
    return true;
}
