/* storage/label.c - chunks of label members: encode, decode, iterate, merge. */
#include "storage/label.h"

enum { WORDS = KT_LABEL_CHUNK / 64, PLACE = KT_LABEL_CHUNK - 1, REMOVE = 0x8000 };

uint32_t kt_label_count(const KtLabelChunk *chunk)
{
    uint32_t n = 0;
    for (int i = 0; i < WORDS; i++)
        n += (uint32_t)__builtin_popcountll(chunk->bits[i]);
    return n;
}

static KT_CLONES void count_up(uint32_t first, uint32_t n, uint32_t *out)
{
    for (uint32_t k = 0; k < n; k++)
        out[k] = first + k;
}

uint32_t kt_label_ids32(const uint64_t *bits, KtNodeId first, uint32_t *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        uint64_t word = bits[i];
        uint32_t id = (uint32_t)first + i * 64, full = 0;
        while (i + full < WORDS && bits[i + full] == UINT64_MAX)
            full++;
        if (full > 0) { /* most words are full where a label is of most nodes */
            count_up(id, full * 64, out + n);
            n += full * 64;
            i += full - 1;
            continue;
        }
        for (; word; word &= word - 1)
            out[n++] = id + (uint32_t)__builtin_ctzll(word);
    }
    return n;
}

KtStatus kt_label_encode(KtBuf *out, const KtLabelChunk *chunk)
{
    uint32_t n = kt_label_count(chunk);
    kt_buf_u8(out, KT_FMT_LABEL);
    kt_buf_le16(out, (uint16_t)n);
    if (n > KT_LABEL_SPARSE) {
        kt_buf_put(out, chunk->bits, sizeof chunk->bits);
    } else {
        for (uint32_t i = 0; i < WORDS; i++)
            for (uint64_t word = chunk->bits[i]; word; word &= word - 1)
                kt_buf_le16(out, (uint16_t)(i * 64 + (uint32_t)__builtin_ctzll(word)));
    }
    return kt_buf_status(out);
}

KtStatus kt_label_decode(KtSpan value, KtLabelChunk *out)
{
    KtReader r = kt_reader(value.at, value.len);
    if (kt_read_u8(&r) != KT_FMT_LABEL)
        return KT_ERR_CORRUPTION;
    uint32_t n = kt_read_le16(&r);
    if (r.bad || n > KT_LABEL_CHUNK)
        return KT_ERR_CORRUPTION;
    if (n > KT_LABEL_SPARSE) {
        const uint8_t *bits = kt_read_bytes(&r, sizeof out->bits);
        if (!bits || kt_reader_left(&r))
            return KT_ERR_CORRUPTION;
        memcpy(out->bits, bits, sizeof out->bits);
        return kt_label_count(out) == n ? KT_OK : KT_ERR_CORRUPTION;
    }
    if (kt_reader_left(&r) != (size_t)n * 2)
        return KT_ERR_CORRUPTION;
    memset(out, 0, sizeof *out);
    uint32_t least = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = kt_read_le16(&r);
        if (place < least || place >= KT_LABEL_CHUNK)
            return KT_ERR_CORRUPTION;
        out->bits[place >> 6] |= (uint64_t)1 << (place & 63);
        least = place + 1;
    }
    return KT_OK;
}

/* ---- operands ---- */

void kt_label_change(KtBuf *operand, KtNodeId id, bool member)
{
    if (operand->len == 0)
        kt_buf_u8(operand, KT_FMT_OPERAND);
    kt_buf_le16(operand, (uint16_t)((id & PLACE) | (member ? 0 : REMOVE)));
}

static bool good_operand(KtSpan operand)
{
    KtReader r = kt_reader(operand.at, operand.len);
    if (kt_read_u8(&r) != KT_FMT_OPERAND || kt_reader_left(&r) % 2)
        return false;
    while (kt_reader_left(&r))
        if (kt_read_le16(&r) & ~(PLACE | REMOVE))
            return false;
    return true;
}

/* The last word on each place: in `set` or in `clear`. */
static void collect(const KtSpan *operand, size_t n, KtLabelChunk *set, KtLabelChunk *clear)
{
    memset(set, 0, sizeof *set);
    memset(clear, 0, sizeof *clear);
    for (size_t i = 0; i < n; i++) {
        KtReader r = kt_reader(operand[i].at + 1, operand[i].len - 1);
        while (kt_reader_left(&r)) {
            uint32_t change = kt_read_le16(&r), place = change & PLACE;
            uint64_t bit = (uint64_t)1 << (place & 63);
            KtLabelChunk *to = change & REMOVE ? clear : set, *from = change & REMOVE ? set : clear;
            to->bits[place >> 6] |= bit;
            from->bits[place >> 6] &= ~bit;
        }
    }
}

static void join(const KtSpan *operand, size_t n, KtBuf *out)
{
    KtLabelChunk set, clear;
    collect(operand, n, &set, &clear);
    kt_buf_u8(out, KT_FMT_OPERAND);
    for (uint32_t place = 0; place < KT_LABEL_CHUNK; place++) {
        uint64_t bit = (uint64_t)1 << (place & 63);
        if (set.bits[place >> 6] & bit)
            kt_buf_le16(out, (uint16_t)place);
        else if (clear.bits[place >> 6] & bit)
            kt_buf_le16(out, (uint16_t)(place | REMOVE));
    }
}

static bool apply(KtSpan key, KtSpan base, const KtSpan *operand, size_t n, KtBuf *out)
{
    (void)key;
    KtLabelChunk chunk = {{0}}, set, clear;
    if (base.at && kt_label_decode(base, &chunk) != KT_OK)
        return false;
    collect(operand, n, &set, &clear);
    for (int i = 0; i < WORDS; i++)
        chunk.bits[i] = (chunk.bits[i] | set.bits[i]) & ~clear.bits[i];
    if (kt_label_encode(out, &chunk) != KT_OK)
        out->failed = true;
    return true;
}

static const KtMergeRules rules = {.good_operand = good_operand, .apply = apply, .join = join};

static void full(KtSpan key, KtSpan base, const KtSpan *operand, size_t n, KtBuf *out)
{
    kt_merge_full(&rules, key, base, operand, n, out);
}

static bool partial(KtSpan key, const KtSpan *operand, size_t n, KtBuf *out)
{
    (void)key;
    return kt_merge_partial(&rules, operand, n, out);
}

const KtKvMerge kt_label_merge = {.name = "kith.label.1", .full = full, .partial = partial};
