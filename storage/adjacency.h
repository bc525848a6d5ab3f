/* storage/adjacency.h - packed adjacency lists: the values and operands of the family adj.
 *
 *   value    fmt1 n4 loops4 rel_off4 | varint nbr deltas | zigzag varint rel deltas     (rel_off counts from byte 13)
 *   operand  fmt1 {op1 varint nbr varint rel}+
 *
 * A list is a set of pairs (neighbour, relationship), ascending. Operands are changes of that set: the last one of a
 * pair wins, adding twice is adding once. `loops` counts pairs whose neighbour is the node of the key.
 * A split list stands in segments of about KT_ADJ_SEGMENT pairs, each with the smallest pair it may hold in its key;
 * the first one's is (0, 0), so every pair has exactly one segment: that of the last bound <= it. */
#ifndef KT_STORAGE_ADJACENCY_H
#define KT_STORAGE_ADJACENCY_H

#include "storage/format.h"
#include "storage/key.h"

enum { KT_ADJ_SEGMENT = 1024 };

typedef struct KtAdjPair {
    uint64_t nbr;
    KtRelId rel;
} KtAdjPair;

static inline int kt_adj_order(KtAdjPair a, KtAdjPair b)
{
    if (a.nbr != b.nbr)
        return a.nbr < b.nbr ? -1 : 1;
    return a.rel < b.rel ? -1 : a.rel > b.rel;
}

/* ---- values ---- */

/* A value read in place. */
typedef struct KtAdjHead {
    uint32_t n, loops;
    const uint8_t *nbr, *rel, *end; /* nbr deltas are [nbr, rel), rel deltas [rel, end) */
} KtAdjHead;

/* Checks the head against the length, so that n may be allocated: n <= bytes. Errors: CORRUPTION. */
KtStatus kt_adj_open(KtSpan value, KtAdjHead *out) KT_MUST_CHECK;
/* Decodes all of it into pair[0..n). Errors: CORRUPTION, also where pairs do not ascend. */
KtStatus kt_adj_pairs(const KtAdjHead *head, KtAdjPair *pair) KT_MUST_CHECK;

/* Appends the value of pair[0..n), strictly ascending (KT_ASSERT), for the list of `node`. */
KtStatus kt_adj_encode(KtBuf *out, KtNodeId node, const KtAdjPair *pair, uint32_t n) KT_MUST_CHECK;
/* The same from two arrays; for import. */
KtStatus kt_adj_encode32(KtBuf *out, KtNodeId node, const uint32_t *nbr, const uint32_t *rel,
                         uint32_t n) KT_MUST_CHECK;

/* How a list of n pairs is cut: the number of segments, 1 while n <= KT_ADJ_SEGMENT; segment i is
 * [kt_adj_cut(n, i), kt_adj_cut(n, i + 1)). No segment is over KT_ADJ_SEGMENT. */
uint32_t kt_adj_segments(uint32_t n);
uint32_t kt_adj_cut(uint32_t n, uint32_t i);

/* ---- operands ---- */

typedef enum KtAdjOp { KT_ADJ_ADD = 1, KT_ADJ_REMOVE = 2 } KtAdjOp;
/* Appends one change to an operand; writes the format byte if `operand` is empty. */
void kt_adj_change(KtBuf *operand, KtAdjOp op, uint64_t nbr, KtRelId rel);

extern const KtKvMerge kt_adj_merge;

#endif
