/* query/expr/fn_scalar.c - conversions between scalar kinds. A text that is none gives null; a kind that cannot
 * be converted is an error of the caller's checks, or null in the OrNull forms, which take any kind. */
#include "query/expr/expr_internal.h"

#include "base/value_text.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

KT_FN(kt_fn_to_string)
{
    char text[32];
    KtValue v = args[0];
    if (v.kind == KT_TEXT)
        *out = v;
    else if (v.kind == KT_BOOL)
        *out = v.as.b ? kt_text("true", 4) : kt_text("false", 5);
    else if (v.kind == KT_INT)
        return kt_make_text(call, text,
                            (size_t)snprintf(text, sizeof text, "%lld", (long long)v.as.i), out);
    else if (v.kind == KT_FLOAT)
        return kt_make_text(call, text, kt_float_print(v.as.f, text), out);
    else
        *out = kt_null();
    return KT_OK;
}

/* Towards zero; null outside the 64 bits. */
static KtValue whole(double f)
{
    return f >= -0x1p63 && f < 0x1p63 ? kt_int((int64_t)f) : kt_null();
}

KT_FN(kt_fn_to_integer)
{
    (void)call;
    KtValue v = args[0];
    int64_t i;
    double f;
    *out = kt_null();
    if (v.kind == KT_INT)
        *out = v;
    else if (v.kind == KT_BOOL)
        *out = kt_int(v.as.b ? 1 : 0);
    else if (v.kind == KT_FLOAT)
        *out = whole(v.as.f);
    else if (v.kind == KT_TEXT && kt_int_parse(kt_text_of(v), &i))
        *out = kt_int(i);
    else if (v.kind == KT_TEXT && kt_float_parse(kt_text_of(v), &f))
        *out = whole(f);
    return KT_OK;
}

KT_FN(kt_fn_to_float)
{
    (void)call;
    KtValue v = args[0];
    double f;
    *out = kt_null();
    if (kt_is_number(v))
        *out = kt_float(kt_as_double(v));
    else if (v.kind == KT_TEXT && kt_float_parse(kt_text_of(v), &f))
        *out = kt_float(f);
    return KT_OK;
}

static bool word(KtValue v, const char *want)
{
    return v.len == strlen(want) && strncasecmp(v.as.text, want, v.len) == 0;
}

KT_FN(kt_fn_to_boolean)
{
    (void)call;
    KtValue v = args[0];
    *out = kt_null();
    if (v.kind == KT_BOOL)
        *out = v;
    else if (v.kind == KT_INT)
        *out = kt_bool(v.as.i != 0);
    else if (v.kind == KT_TEXT && word(v, "true"))
        *out = kt_bool(true);
    else if (v.kind == KT_TEXT && word(v, "false"))
        *out = kt_bool(false);
    return KT_OK;
}
