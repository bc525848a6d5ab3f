/* query/expr/fn_operator.c - operators on single values: arithmetic, comparison, logic, texts, elements.
 *
 * Integers overflow as an error, never by wrapping; with a float on either side the arithmetic is that of
 * IEEE 754. A comparison that has no answer is null. */
#include "query/expr/expr_internal.h"

#include "base/value_cmp.h"
#include "base/value_text.h"

#include <math.h>
#include <stdio.h>

/* ---- arithmetic ---- */

static KtStatus overflow(KtCall *call, KtValue a, const char *sign, KtValue b)
{
    return kt_diag_set(call->diag, KT_ERR_INTEGER_OVERFLOW, &call->at,
                       "%lld %s %lld does not fit an Integer of 64 bits", (long long)a.as.i, sign,
                       (long long)b.as.i);
}

static bool both_int(const KtValue *args)
{
    return args[0].kind == KT_INT && args[1].kind == KT_INT;
}

/* Text of a scalar that is added to a text. */
static KtText scalar_text(KtValue v, char space[32])
{
    switch ((KtKind)v.kind) {
    case KT_TEXT: return kt_text_of(v);
    case KT_BOOL: return v.as.b ? KT_TEXT_LITERAL("true") : KT_TEXT_LITERAL("false");
    case KT_FLOAT: return (KtText){space, (uint32_t)kt_float_print(v.as.f, space)};
    case KT_INT: return (KtText){space, (uint32_t)snprintf(space, 32, "%lld", (long long)v.as.i)};
    case KT_NULL:
    case KT_BYTES:
    case KT_LIST:
    case KT_MAP:
    case KT_NODE:
    case KT_REL:
    case KT_PATH:
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION:
    case KT_POINT:
    case KT_VECTOR:
    case KT_UUID:
    case KT_KIND_COUNT: break;
    }
    return (KtText){NULL, 0};
}

static bool is_scalar(KtValue v)
{
    return kt_is_number(v) || v.kind == KT_TEXT || v.kind == KT_BOOL;
}

static KtStatus add_texts(KtCall *call, const KtValue *args, KtValue *out)
{
    char space[2][32];
    KtText a = scalar_text(args[0], space[0]), b = scalar_text(args[1], space[1]);
    size_t len = (size_t)a.len + b.len;
    char *at = len <= UINT32_MAX ? kt_arena_alloc(call->arena, len + 1) : NULL;
    if (!at)
        return KT_ERR_MEMORY;
    if (a.len)
        memcpy(at, a.at, a.len);
    if (b.len)
        memcpy(at + a.len, b.at, b.len);
    *out = kt_text(at, len);
    return KT_OK;
}

static KtStatus add_lists(KtCall *call, const KtValue *args, KtValue *out)
{
    const KtValue *part[2];
    uint32_t n[2];
    for (int i = 0; i < 2; i++) {
        bool list = args[i].kind == KT_LIST;
        part[i] = list ? args[i].as.list : &args[i];
        n[i] = list ? args[i].len : 1;
    }
    if (n[0] > UINT32_MAX - n[1])
        return KT_ERR_MEMORY;
    KtValue *items = kt_arena_alloc(call->arena, ((size_t)n[0] + n[1]) * sizeof *items);
    if (!items)
        return KT_ERR_MEMORY;
    if (n[0])
        memcpy(items, part[0], n[0] * sizeof *items);
    if (n[1])
        memcpy(items + n[0], part[1], n[1] * sizeof *items);
    return kt_make_list(call, items, n[0] + n[1], out);
}

KT_FN(kt_fn_add)
{
    if (both_int(args)) {
        int64_t sum;
        if (__builtin_add_overflow(args[0].as.i, args[1].as.i, &sum))
            return overflow(call, args[0], "+", args[1]);
        *out = kt_int(sum);
        return KT_OK;
    }
    if (kt_is_number(args[0]) && kt_is_number(args[1])) {
        *out = kt_float(kt_as_double(args[0]) + kt_as_double(args[1]));
        return KT_OK;
    }
    if (args[0].kind == KT_LIST || args[1].kind == KT_LIST)
        return add_lists(call, args, out);
    bool text = args[0].kind == KT_TEXT || args[1].kind == KT_TEXT;
    if (text && is_scalar(args[0]) && is_scalar(args[1]))
        return add_texts(call, args, out);
    return kt_diag_set(call->diag, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE, &call->at,
                       "%s and %s cannot be added", kt_kind_name((KtKind)args[0].kind),
                       kt_kind_name((KtKind)args[1].kind));
}

KT_FN(kt_fn_subtract)
{
    if (both_int(args)) {
        int64_t difference;
        if (__builtin_sub_overflow(args[0].as.i, args[1].as.i, &difference))
            return overflow(call, args[0], "-", args[1]);
        *out = kt_int(difference);
    } else {
        *out = kt_float(kt_as_double(args[0]) - kt_as_double(args[1]));
    }
    return KT_OK;
}

KT_FN(kt_fn_multiply)
{
    if (both_int(args)) {
        int64_t product;
        if (__builtin_mul_overflow(args[0].as.i, args[1].as.i, &product))
            return overflow(call, args[0], "*", args[1]);
        *out = kt_int(product);
    } else {
        *out = kt_float(kt_as_double(args[0]) * kt_as_double(args[1]));
    }
    return KT_OK;
}

static KtStatus divisor(KtCall *call, const KtValue *args, const char *sign)
{
    if (args[1].as.i == 0)
        return kt_diag_set(call->diag, KT_ERR_DIVISION_BY_ZERO, &call->at,
                           "%lld %s 0: an Integer by zero", (long long)args[0].as.i, sign);
    return KT_OK;
}

KT_FN(kt_fn_divide)
{
    if (both_int(args)) {
        KT_TRY(divisor(call, args, "/"));
        if (args[0].as.i == INT64_MIN && args[1].as.i == -1)
            return overflow(call, args[0], "/", args[1]);
        *out = kt_int(args[0].as.i / args[1].as.i);
    } else {
        *out = kt_float(kt_as_double(args[0]) / kt_as_double(args[1]));
    }
    return KT_OK;
}

KT_FN(kt_fn_modulo)
{
    if (both_int(args)) {
        KT_TRY(divisor(call, args, "%"));
        *out = kt_int(args[1].as.i == -1 ? 0 : args[0].as.i % args[1].as.i);
    } else {
        *out = kt_float(fmod(kt_as_double(args[0]), kt_as_double(args[1])));
    }
    return KT_OK;
}

KT_FN(kt_fn_power)
{
    (void)call;
    *out = kt_float(pow(kt_as_double(args[0]), kt_as_double(args[1])));
    return KT_OK;
}

KT_FN(kt_fn_negate)
{
    if (args[0].kind == KT_FLOAT) {
        *out = kt_float(-args[0].as.f);
        return KT_OK;
    }
    if (args[0].as.i == INT64_MIN)
        return overflow(call, kt_int(0), "-", args[0]);
    *out = kt_int(-args[0].as.i);
    return KT_OK;
}

KT_FN(kt_fn_first)
{
    (void)call;
    *out = args[0];
    return KT_OK;
}

/* ---- comparison ---- */

KT_FN(kt_fn_equal)
{
    (void)call;
    *out = kt_truth_value(kt_value_equal(args[0], args[1]));
    return KT_OK;
}

KT_FN(kt_fn_unequal)
{
    (void)call;
    KtTruth equal = kt_value_equal(args[0], args[1]);
    *out = equal == KT_UNKNOWN ? kt_null() : kt_bool(equal == KT_FALSE);
    return KT_OK;
}

/* Bits of the orders that make it true: 1 for less, 2 for equal, 4 for greater. NaN (2) is none of them. */
static KtStatus compare(const KtValue *args, unsigned wanted, KtValue *out)
{
    int order;
    if (!kt_value_compare(args[0], args[1], &order))
        *out = kt_null();
    else
        *out = kt_bool(order <= 1 && (wanted >> (order + 1) & 1u));
    return KT_OK;
}

KT_FN(kt_fn_less)
{
    (void)call;
    return compare(args, 1, out);
}
KT_FN(kt_fn_less_equal)
{
    (void)call;
    return compare(args, 3, out);
}
KT_FN(kt_fn_greater)
{
    (void)call;
    return compare(args, 4, out);
}
KT_FN(kt_fn_greater_equal)
{
    (void)call;
    return compare(args, 6, out);
}

KT_FN(kt_fn_in)
{
    (void)call;
    if (kt_is_null(args[1])) {
        *out = kt_null();
        return KT_OK;
    }
    KtTruth found = KT_FALSE;
    for (uint32_t i = 0; i < args[1].len && found != KT_TRUE; i++) {
        KtTruth one = kt_value_equal(args[0], args[1].as.list[i]);
        if (one != KT_FALSE)
            found = one;
    }
    *out = kt_truth_value(found);
    return KT_OK;
}

KT_FN(kt_fn_is_null)
{
    (void)call;
    *out = kt_bool(kt_is_null(args[0]));
    return KT_OK;
}

KT_FN(kt_fn_is_not_null)
{
    (void)call;
    *out = kt_bool(!kt_is_null(args[0]));
    return KT_OK;
}

/* ---- logic ---- */

KT_FN(kt_fn_not)
{
    (void)call;
    *out = kt_bool(!args[0].as.b);
    return KT_OK;
}

KT_FN(kt_fn_xor)
{
    (void)call;
    *out = kt_bool(args[0].as.b != args[1].as.b);
    return KT_OK;
}

/* ---- texts: what is no text has no answer ---- */

static bool texts(const KtValue *args, KtValue *out)
{
    if (args[0].kind == KT_TEXT && args[1].kind == KT_TEXT)
        return true;
    *out = kt_null();
    return false;
}

KT_FN(kt_fn_starts_with)
{
    (void)call;
    if (texts(args, out)) {
        uint32_t n = args[1].len;
        *out = kt_bool(n <= args[0].len &&
                       (n == 0 || memcmp(args[0].as.text, args[1].as.text, n) == 0));
    }
    return KT_OK;
}

KT_FN(kt_fn_ends_with)
{
    (void)call;
    if (texts(args, out)) {
        uint32_t n = args[1].len;
        *out = kt_bool(n <= args[0].len && (n == 0 || memcmp(args[0].as.text + args[0].len - n,
                                                             args[1].as.text, n) == 0));
    }
    return KT_OK;
}

KT_FN(kt_fn_contains)
{
    (void)call;
    if (texts(args, out)) {
        uint32_t n = args[1].len;
        *out = kt_bool(n == 0 || (n <= args[0].len &&
                                  memmem(args[0].as.text, args[0].len, args[1].as.text, n)));
    }
    return KT_OK;
}

KT_FN(kt_fn_matches)
{
    if (texts(args, out)) {
        bool yes;
        KT_TRY(kt_pattern_match(call, kt_text_of(args[0]), kt_text_of(args[1]), &yes));
        *out = kt_bool(yes);
    }
    return KT_OK;
}

/* ---- elements ---- */

KT_FN(kt_fn_element)
{
    KtValue from = args[0], by = args[1];
    if (from.kind == KT_LIST) {
        if (by.kind != KT_INT)
            return kt_diag_set(call->diag, KT_ERR_LIST_ELEMENT_ACCESS_BY_NON_INTEGER, &call->at,
                               "An element of a List is named by an Integer, not %s",
                               kt_kind_name((KtKind)by.kind));
        int64_t i = by.as.i < 0 ? by.as.i + (int64_t)from.len : by.as.i;
        *out = i >= 0 && i < (int64_t)from.len ? from.as.list[i] : kt_null();
        return KT_OK;
    }
    if (from.kind != KT_MAP && from.kind != KT_NODE && from.kind != KT_REL)
        return kt_diag_set(call->diag, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE, &call->at,
                           "[] looks into a List, Map, Node or Relationship, not %s",
                           kt_kind_name((KtKind)from.kind));
    if (by.kind != KT_TEXT)
        return kt_diag_set(call->diag, KT_ERR_MAP_ELEMENT_ACCESS_BY_NON_STRING, &call->at,
                           "An entry of a %s is named by a String, not %s",
                           kt_kind_name((KtKind)from.kind), kt_kind_name((KtKind)by.kind));
    return kt_entity_element(call, from, kt_text_of(by), out);
}

/* A bound of a slice as a position: negative ones count from the end, all are cut to the list. */
static uint32_t bound(int64_t at, uint32_t n)
{
    if (at < 0)
        at += (int64_t)n;
    return at < 0 ? 0 : at > (int64_t)n ? n : (uint32_t)at;
}

KT_FN(kt_fn_slice)
{
    (void)call;
    uint32_t from = bound(args[1].as.i, args[0].len), to = bound(args[2].as.i, args[0].len);
    KtValue list = kt_list(args[0].as.list + from, to > from ? to - from : 0);
    list.aux = args[0].aux;
    *out = list;
    return KT_OK;
}
