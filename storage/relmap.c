/* storage/relmap.c - records of 256 relationships: encode, decode, look one up, merge. */
#include "storage/relmap.h"

enum { OP_ADD = 1, OP_REMOVE = 2 };

KtStatus kt_relmap_encode(KtBuf *out, const KtRelmap *map)
{
    kt_buf_u8(out, KT_FMT_RELMAP);
    kt_buf_put(out, map->present, sizeof map->present);
    uint32_t run = 0, type = 0;
    for (uint32_t slot = 0; slot < KT_RELMAP_SLOTS; slot++) {
        if (!kt_relmap_has(map, slot))
            continue;
        if (run > 0 && map->type[slot] != type) {
            kt_buf_varint(out, type);
            kt_buf_varint(out, run);
            run = 0;
        }
        type = map->type[slot];
        run++;
    }
    if (run > 0) {
        kt_buf_varint(out, type);
        kt_buf_varint(out, run);
    }
    for (int pass = 0; pass < 2; pass++) {
        const uint64_t *ends = pass == 0 ? map->start : map->end;
        uint64_t last = 0;
        for (uint32_t slot = 0; slot < KT_RELMAP_SLOTS; slot++) {
            if (!kt_relmap_has(map, slot))
                continue;
            kt_buf_varint(out, kt_zigzag((int64_t)(ends[slot] - last)));
            last = ends[slot];
        }
    }
    return kt_buf_status(out);
}

/* Reads presence; returns how many there are, or UINT32_MAX. */
static uint32_t read_presence(KtReader *r, uint64_t present[4])
{
    if (kt_read_u8(r) != KT_FMT_RELMAP)
        return UINT32_MAX;
    uint32_t n = 0;
    for (int i = 0; i < 4; i++) {
        present[i] = kt_read_le64(r);
        n += (uint32_t)__builtin_popcountll(present[i]);
    }
    return r->bad ? UINT32_MAX : n;
}

/* One run of types; false if it is none, or longer than `left`. */
static bool read_run(KtReader *r, uint32_t left, KtToken *type, uint32_t *run)
{
    uint64_t t = kt_read_varint(r), n = kt_read_varint(r);
    if (r->bad || t > UINT32_MAX || n == 0 || n > left)
        return false;
    *type = (KtToken)t;
    *run = (uint32_t)n;
    return true;
}

KtStatus kt_relmap_decode(KtSpan value, KtRelmap *out)
{
    KtReader r = kt_reader(value.at, value.len);
    uint32_t n = read_presence(&r, out->present);
    if (n == UINT32_MAX)
        return KT_ERR_CORRUPTION;
    uint8_t slots[KT_RELMAP_SLOTS];
    uint32_t at = 0;
    for (uint32_t slot = 0; slot < KT_RELMAP_SLOTS; slot++)
        if (kt_relmap_has(out, slot))
            slots[at++] = (uint8_t)slot;
    for (uint32_t i = 0; i < n;) {
        KtToken type;
        uint32_t run;
        if (!read_run(&r, n - i, &type, &run))
            return KT_ERR_CORRUPTION;
        while (run-- > 0)
            out->type[slots[i++]] = type;
    }
    for (int pass = 0; pass < 2; pass++) {
        uint64_t *ends = pass == 0 ? out->start : out->end, last = 0;
        for (uint32_t i = 0; i < n; i++) {
            last += kt_unzigzag(kt_read_varint(&r));
            ends[slots[i]] = last;
        }
    }
    return r.bad || kt_reader_left(&r) ? KT_ERR_CORRUPTION : KT_OK;
}

KtStatus kt_relmap_find(KtSpan value, KtRelId rel, KtRelRef *out, bool *found)
{
    KtReader r = kt_reader(value.at, value.len);
    KtRelmap head; /* only its presence is filled */
    uint32_t n = read_presence(&r, head.present), slot = (uint32_t)(rel & (KT_RELMAP_SLOTS - 1));
    if (n == UINT32_MAX)
        return KT_ERR_CORRUPTION;
    if (!kt_relmap_has(&head, slot)) {
        *found = false;
        return KT_OK;
    }
    uint32_t rank = (uint32_t)__builtin_popcountll(head.present[slot >> 6] &
                                                   (((uint64_t)1 << (slot & 63)) - 1));
    for (uint32_t i = 0; i < slot >> 6; i++)
        rank += (uint32_t)__builtin_popcountll(head.present[i]);
    KtRelRef ref = {.id = rel};
    for (uint32_t i = 0; i < n;) {
        KtToken type;
        uint32_t run;
        if (!read_run(&r, n - i, &type, &run))
            return KT_ERR_CORRUPTION;
        if (rank >= i && rank < i + run)
            ref.type = type;
        i += run;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t delta = kt_unzigzag(kt_read_varint(&r));
        if (i <= rank)
            ref.start += delta;
    }
    for (uint32_t i = 0; i <= rank; i++)
        ref.end += kt_unzigzag(kt_read_varint(&r));
    if (r.bad)
        return KT_ERR_CORRUPTION;
    *out = ref;
    *found = true;
    return KT_OK;
}

/* ---- operands ---- */

static void begin(KtBuf *operand, KtRelId rel, uint8_t op)
{
    if (operand->len == 0)
        kt_buf_u8(operand, KT_FMT_OPERAND);
    kt_buf_u8(operand, (uint8_t)(rel & (KT_RELMAP_SLOTS - 1)));
    kt_buf_u8(operand, op);
}

void kt_relmap_add(KtBuf *operand, KtRelId rel, KtToken type, KtNodeId start, KtNodeId end)
{
    begin(operand, rel, OP_ADD);
    kt_buf_varint(operand, type);
    kt_buf_varint(operand, start);
    kt_buf_varint(operand, end);
}

void kt_relmap_remove(KtBuf *operand, KtRelId rel) { begin(operand, rel, OP_REMOVE); }

typedef struct Change {
    uint8_t slot, op;
    KtToken type;
    uint64_t start, end;
} Change;

static bool next_change(KtReader *r, Change *out)
{
    if (kt_reader_left(r) == 0)
        return false;
    *out = (Change){.slot = kt_read_u8(r), .op = kt_read_u8(r)};
    if (out->op == OP_ADD) {
        uint64_t type = kt_read_varint(r);
        if (type > UINT32_MAX)
            r->bad = true;
        out->type = (KtToken)type;
        out->start = kt_read_varint(r);
        out->end = kt_read_varint(r);
    } else if (out->op != OP_REMOVE) {
        r->bad = true;
    }
    return !r->bad;
}

static bool good_operand(KtSpan operand)
{
    KtReader r = kt_reader(operand.at, operand.len);
    if (kt_read_u8(&r) != KT_FMT_OPERAND)
        return false;
    Change change;
    while (next_change(&r, &change))
        ;
    return !r.bad;
}

static void join(const KtSpan *operand, size_t n, KtBuf *out)
{
    Change last[KT_RELMAP_SLOTS];
    bool changed[KT_RELMAP_SLOTS] = {false};
    for (size_t i = 0; i < n; i++) {
        KtReader r = kt_reader(operand[i].at + 1, operand[i].len - 1);
        Change change;
        while (next_change(&r, &change)) {
            last[change.slot] = change;
            changed[change.slot] = true;
        }
    }
    KtBuf joined = {0};
    kt_buf_u8(&joined, KT_FMT_OPERAND);
    for (uint32_t slot = 0; slot < KT_RELMAP_SLOTS; slot++) {
        if (!changed[slot])
            continue;
        if (last[slot].op == OP_ADD)
            kt_relmap_add(&joined, slot, last[slot].type, last[slot].start, last[slot].end);
        else
            kt_relmap_remove(&joined, slot);
    }
    kt_buf_put(out, joined.data, joined.len);
    out->failed |= joined.failed;
    kt_buf_close(&joined);
}

static bool apply(KtSpan key, KtSpan base, const KtSpan *operand, size_t n, KtBuf *out)
{
    (void)key;
    KtRelmap map = {.present = {0}};
    if (base.at && kt_relmap_decode(base, &map) != KT_OK)
        return false;
    for (size_t i = 0; i < n; i++) {
        KtReader r = kt_reader(operand[i].at + 1, operand[i].len - 1);
        Change change;
        while (next_change(&r, &change)) {
            uint64_t bit = (uint64_t)1 << (change.slot & 63);
            if (change.op == OP_ADD) {
                map.present[change.slot >> 6] |= bit;
                map.type[change.slot] = change.type;
                map.start[change.slot] = change.start;
                map.end[change.slot] = change.end;
            } else {
                map.present[change.slot >> 6] &= ~bit;
            }
        }
    }
    if (kt_relmap_encode(out, &map) != KT_OK)
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

const KtKvMerge kt_relmap_merge = {.name = "kith.relmap.1", .full = full, .partial = partial};
