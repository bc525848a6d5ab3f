/* query/expr/kernel_compare.c - comparisons over columns, to a column of booleans.
 *
 * Numbers of one kind are compared in dense loops; node ids and texts by themselves; all else value by value.
 * An integer against a float goes value by value too: only there is it exact. */
#include "query/expr/expr_internal.h"

#include "base/value_cmp.h"

typedef enum Op { EQUAL, UNEQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL } Op;

#define LOOP(sign)                       \
    if (cb) {                            \
        for (uint32_t i = 0; i < n; i++) \
            out[i] = a[i] sign b[0];     \
    } else if (ca) {                     \
        for (uint32_t i = 0; i < n; i++) \
            out[i] = a[0] sign b[i];     \
    } else {                             \
        for (uint32_t i = 0; i < n; i++) \
            out[i] = a[i] sign b[i];     \
    }                                    \
    break

#define COMPARE(name, type)                                                                       \
    static KT_CLONES void name(Op op, const type *a, bool ca, const type *b, bool cb, uint32_t n, \
                               uint8_t *out)                                                      \
    {                                                                                             \
        switch (op) {                                                                             \
        case EQUAL: LOOP(==);                                                                     \
        case UNEQUAL: LOOP(!=);                                                                   \
        case LESS: LOOP(<);                                                                       \
        case LESS_EQUAL: LOOP(<=);                                                                \
        case GREATER: LOOP(>);                                                                    \
        case GREATER_EQUAL: LOOP(>=);                                                             \
        }                                                                                         \
    }

COMPARE(compare_ints, int64_t)
COMPARE(compare_floats, double)
COMPARE(compare_bytes, uint8_t)

/* An order (negative, 0, positive) as the answer of the operator. */
static bool answers(Op op, int order)
{
    switch (op) {
    case EQUAL: return order == 0;
    case UNEQUAL: return order != 0;
    case LESS: return order < 0;
    case LESS_EQUAL: return order <= 0;
    case GREATER: return order > 0;
    case GREATER_EQUAL: return order >= 0;
    }
    return false;
}

static int text_order(KtText a, KtText b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.at, b.at, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static void texts(const KtKernelCall *k, Op op, const KtColumn *args, const uint64_t *nulls,
                  uint8_t *out)
{
    const KtText *a = args[0].data, *b = args[1].data;
    bool ca = args[0].constant, cb = args[1].constant;
    for (uint32_t i = 0; i < k->sel.n; i++) {
        uint32_t row = kt_sel_row(k->sel, i);
        if (nulls && kt_bit(nulls, row))
            continue;
        KtText x = a[ca ? 0 : row], y = b[cb ? 0 : row];
        if (op == EQUAL || op == UNEQUAL)
            out[row] = kt_text_eq(x, y) == (op == EQUAL);
        else
            out[row] = answers(op, text_order(x, y));
    }
}

/* Pairs of one simple kind need no judgement about what can be compared. */
static bool simple_pair(Op op, KtValue a, KtValue b, uint8_t *out)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind == KT_INT) {
        *out = answers(op, (a.as.i > b.as.i) - (a.as.i < b.as.i));
        return true;
    }
    if (a.kind != KT_TEXT)
        return false;
    if (op == EQUAL || op == UNEQUAL)
        *out = kt_text_eq(kt_text_of(a), kt_text_of(b)) == (op == EQUAL);
    else
        *out = answers(op, text_order(kt_text_of(a), kt_text_of(b)));
    return true;
}

/* Value by value: null bits are made as needed. */
static KtStatus values(const KtKernelCall *k, Op op, const KtColumn *args, KtColumn *out)
{
    uint8_t *to = out->data;
    uint64_t *nulls = NULL;
    for (uint32_t i = 0; i < k->sel.n; i++) {
        uint32_t row = kt_sel_row(k->sel, i);
        KtValue a = kt_col_value(&args[0], row), b = kt_col_value(&args[1], row);
        bool known;
        if (simple_pair(op, a, b, &to[row]))
            continue;
        if (op == EQUAL || op == UNEQUAL) {
            KtTruth equal = kt_value_equal(a, b);
            known = equal != KT_UNKNOWN;
            to[row] = (equal == KT_TRUE) == (op == EQUAL);
        } else {
            int order;
            known = kt_value_compare(a, b, &order);
            to[row] = known && order <= 1 && answers(op, order);
        }
        if (known)
            continue;
        if (!nulls) {
            nulls = kt_arena_zero(k->arena, ((size_t)k->scope->rows + 63) / 64, sizeof *nulls);
            if (!nulls)
                return KT_ERR_MEMORY;
        }
        to[row] = 0;
        kt_bit_set(nulls, row);
    }
    out->nulls = nulls;
    return KT_OK;
}

/* A loop over everything pays only if much is selected. */
static bool dense(const KtKernelCall *k)
{
    return k->sel.n > 0 && (!k->sel.at || k->sel.n >= (k->sel.at[k->sel.n - 1] + 1u) / 8);
}

static KtStatus compare(KtKernelCall *k, Op op, const KtColumn *args, KtColumn *out, bool *done)
{
    *done = true;
    KtColumn to;
    uint32_t rows = k->scope->rows;
    bool all_null = false, same = args[0].kind == args[1].kind;
    KtColKind kind = args[0].kind;
    KT_TRY(kt_col_make(k->arena, KT_COL_BOOL, rows, false, &to));
    bool loop =
        same && (kind == KT_COL_INT || kind == KT_COL_FLOAT || kind == KT_COL_BOOL) && dense(k);
    if (loop || (same && kind == KT_COL_TEXT)) {
        KT_TRY(kt_merge_nulls(k->arena, args, 2, rows, &to.nulls, &all_null));
        if (all_null)
            return kt_constant_column(k->arena, kt_null(), out);
    }
    bool ca = args[0].constant, cb = args[1].constant;
    uint32_t n = k->sel.n ? kt_sel_row(k->sel, k->sel.n - 1) + 1 : 0;
    if (loop && kind == KT_COL_INT)
        compare_ints(op, args[0].data, ca, args[1].data, cb, n, to.data);
    else if (loop && kind == KT_COL_FLOAT)
        compare_floats(op, args[0].data, ca, args[1].data, cb, n, to.data);
    else if (loop)
        compare_bytes(op, args[0].data, ca, args[1].data, cb, n, to.data);
    else if (same && kind == KT_COL_TEXT)
        texts(k, op, args, to.nulls, to.data);
    else
        KT_TRY(values(k, op, args, &to));
    *out = to;
    return KT_OK;
}

KT_MANY(kt_many_equal) { return compare(k, EQUAL, args, out, done); }
KT_MANY(kt_many_unequal) { return compare(k, UNEQUAL, args, out, done); }
KT_MANY(kt_many_less) { return compare(k, LESS, args, out, done); }
KT_MANY(kt_many_less_equal) { return compare(k, LESS_EQUAL, args, out, done); }
KT_MANY(kt_many_greater) { return compare(k, GREATER, args, out, done); }
KT_MANY(kt_many_greater_equal) { return compare(k, GREATER_EQUAL, args, out, done); }
