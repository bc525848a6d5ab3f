/* query/expr/kernel_bool.c - NOT and the tests for null over columns, and the null bits of several columns. */
#include "query/expr/expr_internal.h"

KtStatus kt_merge_nulls(KtArena *arena, const KtColumn *args, uint32_t n, uint32_t rows,
                        uint64_t **out, bool *all)
{
    uint64_t *bits = NULL;
    bool own = false;
    *all = false;
    for (uint32_t i = 0; i < n; i++) {
        if (!args[i].nulls)
            continue;
        if (args[i].constant) {
            *all |= kt_bit(args[i].nulls, 0);
            continue;
        }
        if (!bits) { /* columns do not change: one argument's bits can be shared */
            bits = args[i].nulls;
            continue;
        }
        size_t words = ((size_t)rows + 63) / 64;
        if (!own) {
            uint64_t *copy = kt_arena_alloc(arena, words * sizeof *copy);
            if (!copy)
                return KT_ERR_MEMORY;
            memcpy(copy, bits, words * sizeof *copy);
            bits = copy;
            own = true;
        }
        for (size_t w = 0; w < words; w++)
            bits[w] |= args[i].nulls[w];
    }
    *out = bits;
    return KT_OK;
}

KT_MANY(kt_many_not)
{
    *done = args[0].kind == KT_COL_BOOL && !args[0].constant;
    if (!*done)
        return KT_OK;
    KtColumn to;
    uint32_t n = k->sel.n ? kt_sel_row(k->sel, k->sel.n - 1) + 1 : 0;
    KT_TRY(kt_col_make(k->arena, KT_COL_BOOL, k->scope->rows, false, &to));
    const uint8_t *from = args[0].data;
    uint8_t *bytes = to.data;
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = from[i] == 0;
    to.nulls = args[0].nulls;
    *out = to;
    return KT_OK;
}

static bool is_null(const KtColumn *col, uint32_t row)
{
    switch (col->kind) {
    case KT_COL_NODE:
        return col->width == 8 ? ((const uint64_t *)col->data)[row] == UINT64_MAX
                               : ((const uint32_t *)col->data)[row] == KT_NO_NODE;
    case KT_COL_REL: return ((const KtRelRef *const *)col->data)[row] == NULL;
    case KT_COL_VALUE: return ((const KtValue *)col->data)[row].kind == KT_NULL;
    case KT_COL_BOOL:
    case KT_COL_INT:
    case KT_COL_FLOAT:
    case KT_COL_TEXT: return col->nulls && kt_bit(col->nulls, row);
    }
    return false;
}

static KtStatus null_test(KtKernelCall *k, const KtColumn *col, bool wanted, KtColumn *out,
                          bool *done)
{
    *done = !col->constant;
    if (!*done)
        return KT_OK;
    KtColumn to;
    KT_TRY(kt_col_make(k->arena, KT_COL_BOOL, k->scope->rows, false, &to));
    uint8_t *bytes = to.data;
    for (uint32_t i = 0; i < k->sel.n; i++) {
        uint32_t row = kt_sel_row(k->sel, i);
        bytes[row] = is_null(col, row) == wanted;
    }
    *out = to;
    return KT_OK;
}

KT_MANY(kt_many_is_null) { return null_test(k, &args[0], true, out, done); }
KT_MANY(kt_many_is_not_null) { return null_test(k, &args[0], false, out, done); }
