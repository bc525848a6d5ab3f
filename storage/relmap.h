/* storage/relmap.h - from a relationship's id to its type and ends: the values and operands of the family relmap.
 *
 *   value    fmt1 presence32 | {varint type, varint run}... | zigzag start deltas | zigzag end deltas
 *   operand  fmt1 {slot1 op1 [varint type varint start varint end]}+      (removal: slot and op only)
 *
 * A record holds the 256 relationships whose id >> 8 is its key; slot is the low byte. The last operand of a slot
 * wins. */
#ifndef KT_STORAGE_RELMAP_H
#define KT_STORAGE_RELMAP_H

#include "storage/format.h"
#include "storage/key.h"

enum { KT_RELMAP_SLOTS = 256 };

typedef struct KtRelmap {
    uint64_t present[4];
    KtToken type[KT_RELMAP_SLOTS]; /* only present slots are filled */
    uint64_t start[KT_RELMAP_SLOTS], end[KT_RELMAP_SLOTS];
} KtRelmap;

static inline bool kt_relmap_has(const KtRelmap *map, uint32_t slot)
{
    return (map->present[slot >> 6] >> (slot & 63)) & 1;
}

KtStatus kt_relmap_encode(KtBuf *out, const KtRelmap *map) KT_MUST_CHECK;
KtStatus kt_relmap_decode(KtSpan value, KtRelmap *out) KT_MUST_CHECK; /* Errors: CORRUPTION */
/* Type and ends of relationship `rel` out of the value of its record. *found is false if it is not there. Errors:
 * CORRUPTION. */
KtStatus kt_relmap_find(KtSpan value, KtRelId rel, KtRelRef *out, bool *found) KT_MUST_CHECK;

/* Append one change to an operand; write the format byte if `operand` is empty. All of one operand: the same rel >>
 * 8. */
void kt_relmap_add(KtBuf *operand, KtRelId rel, KtToken type, KtNodeId start, KtNodeId end);
void kt_relmap_remove(KtBuf *operand, KtRelId rel);

extern const KtKvMerge kt_relmap_merge;

#endif
