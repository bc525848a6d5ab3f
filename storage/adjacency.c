/* storage/adjacency.c - packed adjacency lists: decode into arrays, encode, merge.
 *
 * Decoding is on the path of every cache miss, and checks as it goes that pairs ascend. Merging keeps the pairs in a
 * plain array; a list has about a thousand. */
#include "storage/adjacency.h"

#include <stdlib.h>

enum { HEAD = 13 };

/* The next varint, or NULL at the end or past 64 bits. */
static inline const uint8_t *varint(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    if (KT_UNLIKELY(at == end))
        return NULL;
    uint64_t v = *at++;
    if (v < 0x80) {
        *out = v;
        return at;
    }
    v &= 0x7F;
    for (unsigned shift = 7; at < end && shift < 64; shift += 7) {
        uint64_t byte = *at++;
        if (shift == 63 && byte > 1)
            return NULL;
        v |= (byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = v;
            return at;
        }
    }
    return NULL;
}

KtStatus kt_adj_open(KtSpan value, KtAdjHead *out)
{
    if (value.len < HEAD || value.at[0] != KT_FMT_ADJ)
        return KT_ERR_CORRUPTION;
    uint32_t n, loops, rel_off;
    memcpy(&n, value.at + 1, 4);
    memcpy(&loops, value.at + 5, 4);
    memcpy(&rel_off, value.at + 9, 4);
    size_t body = value.len - HEAD;
    if (rel_off > body || n > rel_off || n > body - rel_off || loops > n || (n == 0 && body != 0))
        return KT_ERR_CORRUPTION;
    *out = (KtAdjHead){n, loops, value.at + HEAD, value.at + HEAD + rel_off, value.at + value.len};
    return KT_OK;
}

KtStatus kt_adj_pairs(const KtAdjHead *head, KtAdjPair *pair)
{
    const uint8_t *nbr = head->nbr, *rel = head->rel;
    KtAdjPair now = {0, 0};
    for (uint32_t i = 0; i < head->n; i++) {
        uint64_t nbr_delta = 0, rel_delta = 0;
        nbr = varint(nbr, head->rel, &nbr_delta);
        rel = varint(rel, head->end, &rel_delta);
        if (!nbr || !rel || now.nbr + nbr_delta < now.nbr)
            return KT_ERR_CORRUPTION;
        now.nbr += nbr_delta;
        now.rel += kt_unzigzag(rel_delta);
        if (i > 0 && kt_adj_order(pair[i - 1], now) >= 0)
            return KT_ERR_CORRUPTION;
        pair[i] = now;
    }
    return nbr == head->rel && rel == head->end ? KT_OK : KT_ERR_CORRUPTION;
}

/* ---- encoding ---- */

/* Writes the head in front of what was appended from `start` on. */
static void put_head(KtBuf *out, size_t start, uint32_t n, uint32_t loops, size_t rel_at)
{
    if (out->failed)
        return;
    uint8_t *head = out->data + start;
    uint32_t rel_off = (uint32_t)(rel_at - start - HEAD);
    head[0] = KT_FMT_ADJ;
    memcpy(head + 1, &n, 4);
    memcpy(head + 5, &loops, 4);
    memcpy(head + 9, &rel_off, 4);
}

/* A list cannot be so long that its bytes leave rel_off: ten bytes a neighbour. */
static KtStatus check_length(uint32_t n)
{
    return n > UINT32_MAX / 10 ? KT_ERR_LIST_TOO_LONG : KT_OK;
}

KtStatus kt_adj_encode(KtBuf *out, KtNodeId node, const KtAdjPair *pair, uint32_t n)
{
    KT_TRY(check_length(n));
    size_t start = out->len;
    uint8_t *at = kt_buf_reserve(out, HEAD + (size_t)n * 20);
    if (!at)
        return KT_ERR_MEMORY;
    at += HEAD;
    uint32_t loops = 0;
    uint64_t last = 0;
    for (uint32_t i = 0; i < n; i++) {
        KT_ASSERT(i == 0 || kt_adj_order(pair[i - 1], pair[i]) < 0);
        loops += pair[i].nbr == node;
        at += kt_varint_put(at, pair[i].nbr - last);
        last = pair[i].nbr;
    }
    size_t rel_at = (size_t)(at - out->data);
    last = 0;
    for (uint32_t i = 0; i < n; i++) {
        at += kt_varint_put(at, kt_zigzag((int64_t)(pair[i].rel - last)));
        last = pair[i].rel;
    }
    out->len = (size_t)(at - out->data);
    put_head(out, start, n, loops, rel_at);
    return KT_OK;
}

KtStatus kt_adj_encode32(KtBuf *out, KtNodeId node, const uint32_t *nbr, const uint32_t *rel,
                         uint32_t n)
{
    KT_TRY(check_length(n));
    size_t start = out->len;
    uint8_t *at = kt_buf_reserve(out, HEAD + (size_t)n * 10);
    if (!at)
        return KT_ERR_MEMORY;
    at += HEAD;
    uint32_t loops = 0, last = 0;
    for (uint32_t i = 0; i < n; i++) {
        KT_ASSERT(i == 0 || nbr[i - 1] < nbr[i] || (nbr[i - 1] == nbr[i] && rel[i - 1] < rel[i]));
        loops += nbr[i] == node;
        at += kt_varint_put(at, nbr[i] - last);
        last = nbr[i];
    }
    size_t rel_at = (size_t)(at - out->data);
    last = 0;
    for (uint32_t i = 0; i < n; i++) {
        at += kt_varint_put(at, kt_zigzag((int64_t)rel[i] - (int64_t)last));
        last = rel[i];
    }
    out->len = (size_t)(at - out->data);
    put_head(out, start, n, loops, rel_at);
    return KT_OK;
}

uint32_t kt_adj_segments(uint32_t n)
{
    return n <= KT_ADJ_SEGMENT ? 1 : (n - 1) / KT_ADJ_SEGMENT + 1;
}

uint32_t kt_adj_cut(uint32_t n, uint32_t i)
{
    return (uint32_t)((uint64_t)n * i / kt_adj_segments(n));
}

/* ---- operands ---- */

void kt_adj_change(KtBuf *operand, KtAdjOp op, uint64_t nbr, KtRelId rel)
{
    if (operand->len == 0)
        kt_buf_u8(operand, KT_FMT_OPERAND);
    kt_buf_u8(operand, (uint8_t)op);
    kt_buf_varint(operand, nbr);
    kt_buf_varint(operand, rel);
}

/* One change with its place in time. */
typedef struct Change {
    KtAdjPair pair;
    uint32_t turn;
    uint8_t op;
} Change;

typedef struct Changes {
    Change *at;
    uint32_t n, cap;
    Change few[32];
} Changes;

static bool next_change(KtReader *r, uint8_t *op, KtAdjPair *pair)
{
    if (kt_reader_left(r) == 0)
        return false;
    *op = kt_read_u8(r);
    pair->nbr = kt_read_varint(r);
    pair->rel = kt_read_varint(r);
    if (*op != KT_ADJ_ADD && *op != KT_ADJ_REMOVE)
        r->bad = true;
    return !r->bad;
}

static bool good_operand(KtSpan operand)
{
    KtReader r = kt_reader(operand.at, operand.len);
    if (kt_read_u8(&r) != KT_FMT_OPERAND)
        return false;
    uint8_t op;
    KtAdjPair pair;
    while (next_change(&r, &op, &pair))
        ;
    return !r.bad;
}

static int by_pair_and_turn(const void *a, const void *b)
{
    const Change *x = a, *y = b;
    int order = kt_adj_order(x->pair, y->pair);
    return order ? order : x->turn < y->turn ? -1 : x->turn > y->turn;
}

/* All changes of good operands, ascending by pair, the last of each pair only. */
static void collect(Changes *changes, const KtSpan *operand, size_t n)
{
    changes->at = changes->few;
    changes->n = 0;
    changes->cap = KT_COUNT(changes->few);
    bool sorted = true;
    for (size_t i = 0; i < n; i++) {
        KtReader r = kt_reader(operand[i].at + 1, operand[i].len - 1);
        Change next = {.turn = changes->n};
        while (next_change(&r, &next.op, &next.pair)) {
            if (changes->n == changes->cap) {
                changes->cap *= 2;
                Change *grown = changes->at == changes->few
                                    ? malloc(changes->cap * sizeof *grown)
                                    : realloc(changes->at, changes->cap * sizeof *grown);
                KT_CHECK(grown); /* a merge cannot fail */
                if (changes->at == changes->few)
                    memcpy(grown, changes->few, sizeof changes->few);
                changes->at = grown;
            }
            if (changes->n > 0 && kt_adj_order(changes->at[changes->n - 1].pair, next.pair) >= 0)
                sorted = false;
            changes->at[changes->n++] = next;
            next.turn = changes->n;
        }
    }
    if (sorted)
        return;
    qsort(changes->at, changes->n, sizeof *changes->at, by_pair_and_turn);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < changes->n; i++) {
        if (i + 1 < changes->n && kt_adj_order(changes->at[i].pair, changes->at[i + 1].pair) == 0)
            continue;
        changes->at[kept++] = changes->at[i];
    }
    changes->n = kept;
}

static void drop(Changes *changes)
{
    if (changes->at != changes->few)
        free(changes->at);
}

static void join(const KtSpan *operand, size_t n, KtBuf *out)
{
    Changes changes;
    collect(&changes, operand, n);
    kt_buf_u8(out, KT_FMT_OPERAND);
    for (uint32_t i = 0; i < changes.n; i++) {
        kt_buf_u8(out, changes.at[i].op);
        kt_buf_varint(out, changes.at[i].pair.nbr);
        kt_buf_varint(out, changes.at[i].pair.rel);
    }
    drop(&changes);
}

static bool apply(KtSpan key, KtSpan base, const KtSpan *operand, size_t n, KtBuf *out)
{
    KtAdjHead head = {0};
    KtAdjPair *old = NULL;
    if (base.at) {
        if (kt_adj_open(base, &head) != KT_OK)
            return false;
        old = malloc(((size_t)head.n + 1) * sizeof *old);
        KT_CHECK(old);
        if (kt_adj_pairs(&head, old) != KT_OK) {
            free(old);
            return false;
        }
    }
    Changes changes;
    collect(&changes, operand, n);
    KtAdjPair *merged = malloc(((size_t)head.n + changes.n + 1) * sizeof *merged);
    KT_CHECK(merged);
    uint32_t count = 0, i = 0, k = 0;
    while (i < head.n || k < changes.n) {
        int order = i == head.n      ? 1
                    : k == changes.n ? -1
                                     : kt_adj_order(old[i], changes.at[k].pair);
        if (order < 0) {
            merged[count++] = old[i++];
            continue;
        }
        if (order == 0)
            i++;
        if (changes.at[k].op == KT_ADJ_ADD)
            merged[count++] = changes.at[k].pair;
        k++;
    }
    KtNodeId node = key.len >= 8 ? kt_load_be64(key.at) : UINT64_MAX;
    if (kt_adj_encode(out, node, merged, count) != KT_OK)
        out->failed = true;
    free(merged);
    free(old);
    drop(&changes);
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

const KtKvMerge kt_adj_merge = {.name = "kith.adj.1", .full = full, .partial = partial};
