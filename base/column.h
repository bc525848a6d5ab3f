/* base/column.h - a column of values, typed where the kind is one.
 *
 * Storage fills columns, expressions compute over them, the key encoder reads them. A column does not
 * own: data lives in the arena or in the graph cache, whoever hands it up says for how long. */
#ifndef KT_BASE_COLUMN_H
#define KT_BASE_COLUMN_H

#include "base/value.h"

typedef enum KtColKind {
    KT_COL_NODE,  /* ids of `width` bytes (4 now); the largest id of the width is null */
    KT_COL_REL,   /* KtRelRef const *: NULL is null */
    KT_COL_BOOL,  /* u8 */
    KT_COL_INT,   /* i64 */
    KT_COL_FLOAT, /* double */
    KT_COL_TEXT,  /* KtText */
    KT_COL_VALUE  /* KtValue, any kinds, null among them */
} KtColKind;

#define KT_NO_NODE UINT32_MAX

typedef struct KtColumn {
    KtColKind kind;
    uint8_t width; /* bytes of a NODE id */
    bool constant; /* one element stands for all rows */
    bool ascends;  /* NODE: ids ascend strictly; false: not known */
    void *data;
    uint64_t
        *nulls; /* bit set: null; NULL if none is (NODE, REL and VALUE carry null in the data) */
} KtColumn;

/* The first place in ascending ids that is not below `id`; n if all are. */
static inline uint32_t kt_first_not_below(const uint32_t *ids, uint32_t n, uint32_t id)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (ids[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static inline bool kt_bit(const uint64_t *bits, uint32_t i)
{
    return (bits[i >> 6] >> (i & 63)) & 1;
}
static inline void kt_bit_set(uint64_t *bits, uint32_t i)
{
    bits[i >> 6] |= (uint64_t)1 << (i & 63);
}
static inline void kt_bit_clear(uint64_t *bits, uint32_t i)
{
    bits[i >> 6] &= ~((uint64_t)1 << (i & 63));
}

/* Bytes of one element. */
size_t kt_col_size(KtColKind kind, uint8_t width);
/* The value of row `i`. */
KtValue kt_col_value(const KtColumn *col, uint32_t i);
/* Room for `rows` elements (and null bits if `nulls`, all clear). Errors: KT_ERR_MEMORY. */
KtStatus kt_col_make(KtArena *arena, KtColKind kind, uint32_t rows, bool nulls,
                     KtColumn *out) KT_MUST_CHECK;
/* Copies rows row[0..n) of `from` into a new flat column; a constant one stays as it is. Errors: KT_ERR_MEMORY. */
KtStatus kt_col_gather(KtArena *arena, const KtColumn *from, const uint32_t *row, uint32_t n,
                       KtColumn *out) KT_MUST_CHECK;
KtStatus kt_col_gather_16(KtArena *arena, const KtColumn *from, const uint16_t *row, uint32_t n,
                          KtColumn *out) KT_MUST_CHECK;

#endif
