/* query/expr/fn_math.c - functions of numbers. Outside a function's domain the answer is NaN, as IEEE 754 has it. */
#include "base/clock.h"
#include "query/expr/expr_internal.h"

#include "base/value_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* A function double -> double of one number. */
#define ONE_DOUBLE(name, expression)      \
    KT_FN(name)                           \
    {                                     \
        (void)call;                       \
        double a = kt_as_double(args[0]); \
        *out = kt_float(expression);      \
        return KT_OK;                     \
    }

ONE_DOUBLE(kt_fn_ceil, ceil(a))
ONE_DOUBLE(kt_fn_floor, floor(a))
ONE_DOUBLE(kt_fn_sqrt, sqrt(a))
ONE_DOUBLE(kt_fn_exp, exp(a))
ONE_DOUBLE(kt_fn_log, log(a))
ONE_DOUBLE(kt_fn_log10, log10(a))
ONE_DOUBLE(kt_fn_sin, sin(a))
ONE_DOUBLE(kt_fn_cos, cos(a))
ONE_DOUBLE(kt_fn_tan, tan(a))
ONE_DOUBLE(kt_fn_cot, 1.0 / tan(a))
ONE_DOUBLE(kt_fn_asin, asin(a))
ONE_DOUBLE(kt_fn_acos, acos(a))
ONE_DOUBLE(kt_fn_atan, atan(a))
ONE_DOUBLE(kt_fn_degrees, a *(180.0 / M_PI))
ONE_DOUBLE(kt_fn_radians, a *(M_PI / 180.0))
ONE_DOUBLE(kt_fn_haversin, (1.0 - cos(a)) / 2.0)

KT_FN(kt_fn_atan2)
{
    (void)call;
    *out = kt_float(atan2(kt_as_double(args[0]), kt_as_double(args[1])));
    return KT_OK;
}

KT_FN(kt_fn_e)
{
    (void)call, (void)args;
    *out = kt_float(M_E);
    return KT_OK;
}

KT_FN(kt_fn_pi)
{
    (void)call, (void)args;
    *out = kt_float(M_PI);
    return KT_OK;
}

KT_FN(kt_fn_abs)
{
    if (args[0].kind == KT_FLOAT) {
        *out = kt_float(fabs(args[0].as.f));
        return KT_OK;
    }
    if (args[0].as.i == INT64_MIN)
        return kt_diag_set(call->diag, KT_ERR_INTEGER_OVERFLOW, &call->at,
                           "abs(%lld) does not fit an Integer of 64 bits", (long long)args[0].as.i);
    *out = kt_int(args[0].as.i < 0 ? -args[0].as.i : args[0].as.i);
    return KT_OK;
}

KT_FN(kt_fn_sign)
{
    (void)call;
    double a = kt_as_double(args[0]);
    *out = kt_int((a > 0) - (a < 0));
    return KT_OK;
}

KT_FN(kt_fn_is_nan)
{
    (void)call;
    *out = kt_bool(args[0].kind == KT_FLOAT && isnan(args[0].as.f));
    return KT_OK;
}

/* Rounds the decimal digits that the number prints with, half away from zero: 1.005 to two places is 1.01,
 * though the double nearest to 1.005 lies below it. */
static double round_decimal(double f, uint32_t places)
{
    char text[32], whole[400];
    size_t n = kt_float_print(fabs(f), text);
    const char *e = memchr(text, 'e', n);
    if (e && e[1] == '+')
        return f; /* from 1e16 on a double has no decimals */
    /* digits around the point, as the text has them or, for tiny numbers, written out */
    int len = e ? snprintf(whole, sizeof whole, "%.360f", fabs(f))
                : snprintf(whole, sizeof whole, "%s", text);
    if (len <= 0 || (size_t)len >= sizeof whole)
        return f;
    char *point = strchr(whole, '.');
    if (!point || (size_t)len - (size_t)(point + 1 - whole) <= places)
        return f;
    size_t end = (size_t)(point - whole) + 1 + places;
    bool up = whole[end] >= '5';
    whole[end] = '\0';
    for (size_t i = end; up && i > 0; i--) {
        char *digit = &whole[i - 1];
        if (*digit == '.')
            continue;
        up = *digit == '9';
        *digit = up ? '0' : (char)(*digit + 1);
    }
    double rounded = strtod(whole, NULL);
    if (up) { /* 9.99 became 0.0: the carry left the digits */
        rounded += pow(10.0, (double)(point - whole));
    }
    return copysign(rounded, f);
}

KT_FN(kt_fn_round)
{
    double f = kt_as_double(args[0]);
    if (kt_is_null(args[1])) { /* half towards positive infinity */
        double below = floor(f);
        *out = kt_float(f - below >= 0.5 ? below + 1.0 : below);
        return KT_OK;
    }
    if (args[1].as.i < 0 || args[1].as.i > 300)
        return kt_diag_set(call->diag, KT_ERR_NUMBER_OUT_OF_RANGE, &call->at,
                           "round() takes 0 to 300 decimal places, not %lld",
                           (long long)args[1].as.i);
    *out = kt_float(isfinite(f) ? round_decimal(f, (uint32_t)args[1].as.i) : f);
    return KT_OK;
}

/* ---- chance and time ---- */

/* Source: xoshiro256**, D. Blackman and S. Vigna, 2018 */
static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static KtStatus next_random(KtCall *call, uint64_t *out)
{
    uint64_t *s = call->x->random;
    if ((s[0] | s[1] | s[2] | s[3]) == 0 &&
        getrandom(s, 4 * sizeof *s, 0) != (ssize_t)(4 * sizeof *s))
        return kt_diag_set(call->diag, KT_ERR_INTERNAL, &call->at,
                           "The system gave no random numbers");
    uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    *out = result;
    return KT_OK;
}

KT_FN(kt_fn_rand)
{
    (void)args;
    uint64_t r;
    KT_TRY(next_random(call, &r));
    *out = kt_float((double)(r >> 11) * 0x1p-53);
    return KT_OK;
}

KT_FN(kt_fn_random_uuid) /* version 4, RFC 9562 */
{
    (void)args;
    uint64_t high, low;
    KT_TRY(next_random(call, &high));
    KT_TRY(next_random(call, &low));
    high = (high & ~0xF000ULL) | 0x4000ULL;
    low = (low & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
    char text[40];
    int n = snprintf(text, sizeof text, "%08llx-%04llx-%04llx-%04llx-%012llx",
                     (unsigned long long)(high >> 32), (unsigned long long)(high >> 16 & 0xFFFF),
                     (unsigned long long)(high & 0xFFFF), (unsigned long long)(low >> 48),
                     (unsigned long long)(low & 0xFFFFFFFFFFFFULL));
    return kt_make_text(call, text, (size_t)n, out);
}

KT_FN(kt_fn_timestamp)
{
    (void)args;
    if (call->x->now_us == 0)
        call->x->now_us = kt_clock_utc_us();
    *out = kt_int(call->x->now_us / 1000);
    return KT_OK;
}
