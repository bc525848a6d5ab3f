/* storage/label.h - which nodes have a label: the values and operands of the family label.
 *
 *   value    fmt1 n2 | n <= 256 ? u16[n] ascending : 512-byte bitmap
 *   operand  fmt1 {u16: low 12 bits the id in the chunk, bit 15 remove}+
 *
 * A chunk holds 4,096 ids (key.h: kt_key_label). Label 0 is every node. The last operand of an id wins. */
#ifndef KT_STORAGE_LABEL_H
#define KT_STORAGE_LABEL_H

#include "storage/format.h"
#include "storage/key.h"

enum { KT_LABEL_CHUNK = 4096, KT_LABEL_SPARSE = 256 };

/* Of KT_MEMBER_BITS of cache/graph_cache.h: a page there is a chunk here. */
typedef struct KtLabelChunk {
    uint64_t bits[KT_LABEL_CHUNK / 64];
} KtLabelChunk;

KtStatus kt_label_encode(KtBuf *out, const KtLabelChunk *chunk) KT_MUST_CHECK;
KtStatus kt_label_decode(KtSpan value, KtLabelChunk *out) KT_MUST_CHECK; /* Errors: CORRUPTION */
/* Writes the members of a chunk's bits, ascending, as first + place; returns how many (at most 4,096). */
uint32_t kt_label_ids32(const uint64_t *bits, KtNodeId first, uint32_t *out);
uint32_t kt_label_count(const KtLabelChunk *chunk);

/* Appends one change to an operand; writes the format byte if `operand` is empty. All of one operand: the same
 * chunk. */
void kt_label_change(KtBuf *operand, KtNodeId id, bool member);

extern const KtKvMerge kt_label_merge;

#endif
