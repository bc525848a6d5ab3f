/* storage/format.h - the families of a database, the format bytes, and what is carried along undecoded.
 *
 * Every value and every operand begins with one format byte. A value that a merge cannot decode, or that met an operand
 * it cannot decode, becomes a carried value: 0xFF, then the base and the operands byte for byte. Nothing is lost,
 * merges never fail, and readers of that one key report KT_ERR_CORRUPTION. */
#ifndef KT_STORAGE_FORMAT_H
#define KT_STORAGE_FORMAT_H

#include "storage/kv/kv.h"

typedef enum KtFamilyId { /* numbers are places in kt_families, not on disk; names are */
                          KT_FAMILY_META,
                          KT_FAMILY_NODE,
                          KT_FAMILY_REL,
                          KT_FAMILY_RELMAP,
                          KT_FAMILY_ADJ,
                          KT_FAMILY_LABEL,
                          KT_FAMILY_INDEX,
                          KT_FAMILY_LOG,
                          KT_FAMILIES
} KtFamilyId;

extern const KtKvFamily kt_families[KT_FAMILIES];

enum {
    KT_FMT_RECORD = 1, /* node and rel */
    KT_FMT_VALUE = 1,  /* a value kept out of line: fmt1 kind1 bytes */
    KT_FMT_ADJ = 1,
    KT_FMT_RELMAP = 1,
    KT_FMT_LABEL = 1,
    KT_FMT_OPERAND = 0x41, /* operands of adj, relmap and label */
    KT_FMT_CARRIED = 0xFF
};

/* The frame of a merge operator over one family: decides what is carried, leaves the good case to the family. */
typedef struct KtMergeRules {
    bool (*good_operand)(KtSpan operand); /* decodes without error */
    /* The value that good operands, oldest first, make of `base` (at NULL: none). False: the base does not decode, and
     * `out` is as it was. apply(apply(b, x), y) and apply(b, x y) must be the same bytes. */
    bool (*apply)(KtSpan key, KtSpan base, const KtSpan *operand, size_t n, KtBuf *out);
    /* Several good operands to one, in one canonical form: join(join(x), y) and join(x y) must be the same bytes. */
    void (*join)(const KtSpan *operand, size_t n, KtBuf *out);
} KtMergeRules;

void kt_merge_full(const KtMergeRules *rules, KtSpan key, KtSpan base, const KtSpan *operand,
                   size_t n, KtBuf *out);
bool kt_merge_partial(const KtMergeRules *rules, const KtSpan *operand, size_t n, KtBuf *out);

static inline uint64_t kt_zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); }
static inline uint64_t kt_unzigzag(uint64_t v) { return (v >> 1) ^ (0 - (v & 1)); }
/* LEB128 into 10 bytes at most; returns the bytes written. */
static inline size_t kt_varint_put(uint8_t *to, uint64_t v)
{
    size_t n = 0;
    while (v >= 0x80) {
        to[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    to[n++] = (uint8_t)v;
    return n;
}

#endif
