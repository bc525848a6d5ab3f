/* base/column.c */
#include "base/column.h"

#include <string.h>

size_t kt_col_size(KtColKind kind, uint8_t width)
{
    switch (kind) {
    case KT_COL_NODE: return width;
    case KT_COL_REL: return sizeof(const KtRelRef *);
    case KT_COL_BOOL: return sizeof(uint8_t);
    case KT_COL_INT: return sizeof(int64_t);
    case KT_COL_FLOAT: return sizeof(double);
    case KT_COL_TEXT: return sizeof(KtText);
    case KT_COL_VALUE: return sizeof(KtValue);
    }
    KT_CHECK(!"a column of no kind");
    return 0;
}

KtValue kt_col_value(const KtColumn *col, uint32_t i)
{
    if (col->constant)
        i = 0;
    if (col->nulls && kt_bit(col->nulls, i))
        return kt_null();
    switch (col->kind) {
    case KT_COL_NODE: {
        uint64_t id =
            col->width == 8 ? ((const uint64_t *)col->data)[i] : ((const uint32_t *)col->data)[i];
        return id == (col->width == 8 ? UINT64_MAX : KT_NO_NODE) ? kt_null() : kt_node(id);
    }
    case KT_COL_REL: {
        const KtRelRef *rel = ((const KtRelRef *const *)col->data)[i];
        return rel ? kt_rel(rel) : kt_null();
    }
    case KT_COL_BOOL: return kt_bool(((const uint8_t *)col->data)[i] != 0);
    case KT_COL_INT: return kt_int(((const int64_t *)col->data)[i]);
    case KT_COL_FLOAT: return kt_float(((const double *)col->data)[i]);
    case KT_COL_TEXT: {
        KtText text = ((const KtText *)col->data)[i];
        return kt_text(text.at, text.len);
    }
    case KT_COL_VALUE: return ((const KtValue *)col->data)[i];
    }
    KT_CHECK(!"a column of no kind");
    return kt_null();
}

KtStatus kt_col_make(KtArena *arena, KtColKind kind, uint32_t rows, bool nulls, KtColumn *out)
{
    KtColumn col = {.kind = kind, .width = kind == KT_COL_NODE ? 4 : 0};
    col.data = kt_arena_alloc(arena, (size_t)rows * kt_col_size(kind, col.width));
    if (!col.data)
        return KT_ERR_MEMORY;
    if (nulls) {
        col.nulls = kt_arena_zero(arena, ((size_t)rows + 63) / 64, sizeof(uint64_t));
        if (!col.nulls)
            return KT_ERR_MEMORY;
    }
    *out = col;
    return KT_OK;
}

/* The one body of both forms: `narrow` is known where it is inlined, and so is the type of the rows. */
static inline __attribute__((always_inline)) KtStatus gather(KtArena *arena, const KtColumn *from,
                                                             const void *rows, bool narrow,
                                                             uint32_t n, KtColumn *out)
{
#define ROW(i) (narrow ? ((const uint16_t *)rows)[i] : ((const uint32_t *)rows)[i])
#define COPY(bytes)                                                                 \
    for (uint32_t i = 0; i < n; i++)                                                \
        memcpy(into + (size_t)i * (bytes), at + (size_t)ROW(i) * (bytes), (bytes)); \
    break
    if (from->constant) {
        *out = *from;
        return KT_OK;
    }
    KtColumn to = {.kind = from->kind, .width = from->width};
    size_t size = kt_col_size(from->kind, from->width);
    to.data = kt_arena_alloc(arena, (size_t)n * size);
    if (!to.data)
        return KT_ERR_MEMORY;
    if (from->nulls) {
        to.nulls = kt_arena_zero(arena, ((size_t)n + 63) / 64, sizeof(uint64_t));
        if (!to.nulls)
            return KT_ERR_MEMORY;
        for (uint32_t first = 0; first < n; first += 64) {
            uint64_t word = 0;
            for (uint32_t i = first; i < n && i < first + 64; i++)
                word |= (uint64_t)kt_bit(from->nulls, ROW(i)) << (i & 63);
            to.nulls[first >> 6] = word;
        }
    }
    char *restrict into = to.data;
    const char *restrict at = from->data;
    switch (size) {
    case 1: COPY(1);
    case 4: COPY(4);
    case 8: COPY(8);
    default: KT_ASSERT(size == 16); COPY(16); /* KtText, KtValue */
    }
    *out = to;
    return KT_OK;
#undef COPY
#undef ROW
}

KtStatus kt_col_gather(KtArena *arena, const KtColumn *from, const uint32_t *row, uint32_t n,
                       KtColumn *out)
{
    return gather(arena, from, row, false, n, out);
}

KtStatus kt_col_gather_16(KtArena *arena, const KtColumn *from, const uint16_t *row, uint32_t n,
                          KtColumn *out)
{
    return gather(arena, from, row, true, n, out);
}
