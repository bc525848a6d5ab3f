/* query/expr/fn_list.c - functions of lists, and of what has a size. Parts of a list share its memory. */
#include "query/expr/expr_internal.h"

#include "base/utf8.h"

static KtValue part(KtValue list, uint32_t from, uint32_t n)
{
    KtValue out = kt_list(list.as.list + from, n);
    out.aux = list.aux;
    return out;
}

KT_FN(kt_fn_size)
{
    (void)call;
    *out = kt_int(args[0].kind == KT_TEXT ? (int64_t)kt_utf8_count(kt_text_of(args[0]))
                                          : (int64_t)args[0].len);
    return KT_OK;
}

KT_FN(kt_fn_is_empty)
{
    (void)call;
    *out = kt_bool(args[0].len == 0);
    return KT_OK;
}

KT_FN(kt_fn_head)
{
    (void)call;
    *out = args[0].len ? args[0].as.list[0] : kt_null();
    return KT_OK;
}

KT_FN(kt_fn_last)
{
    (void)call;
    *out = args[0].len ? args[0].as.list[args[0].len - 1] : kt_null();
    return KT_OK;
}

KT_FN(kt_fn_tail)
{
    (void)call;
    *out = args[0].len ? part(args[0], 1, args[0].len - 1) : args[0];
    return KT_OK;
}

static KtStatus reverse_text(KtCall *call, KtText text, KtValue *out)
{
    char *at = kt_arena_alloc(call->arena, (size_t)text.len + 1);
    if (!at)
        return KT_ERR_MEMORY;
    char *end = at + text.len;
    for (uint32_t i = 0; i < text.len;) {
        uint32_t n = kt_utf8_step(text.at[i]);
        if (n > text.len - i)
            n = text.len - i;
        end -= n;
        memcpy(end, text.at + i, n);
        i += n;
    }
    *out = kt_text(at, text.len);
    return KT_OK;
}

KT_FN(kt_fn_reverse)
{
    if (args[0].kind == KT_TEXT)
        return reverse_text(call, kt_text_of(args[0]), out);
    uint32_t n = args[0].len;
    KtValue *items = kt_arena_alloc(call->arena, (size_t)n * sizeof *items);
    if (!items)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        items[i] = args[0].as.list[n - 1 - i];
    KtValue list = kt_list(items, n);
    list.aux = args[0].aux;
    *out = list;
    return KT_OK;
}

KT_FN(kt_fn_range)
{
    int64_t from = args[0].as.i, to = args[1].as.i, step = kt_is_null(args[2]) ? 1 : args[2].as.i;
    if (step == 0)
        return kt_diag_set(call->diag, KT_ERR_NUMBER_OUT_OF_RANGE, &call->at,
                           "The step of range() is zero");
    uint64_t n = 0;
    if (step > 0 && from <= to)
        n = ((uint64_t)to - (uint64_t)from) / (uint64_t)step;
    else if (step < 0 && from >= to)
        n = ((uint64_t)from - (uint64_t)to) / (0 - (uint64_t)step);
    else {
        *out = kt_list(NULL, 0);
        return KT_OK;
    }
    if (n >= UINT32_MAX)
        return kt_diag_set(call->diag, KT_ERR_LIST_TOO_LONG, &call->at,
                           "This range() has more than %u elements", UINT32_MAX);
    KtValue *items = kt_arena_alloc(call->arena, (size_t)(n + 1) * sizeof *items);
    if (!items)
        return KT_ERR_MEMORY;
    uint64_t at = (uint64_t)from;
    for (uint64_t i = 0; i <= n; i++, at += (uint64_t)step)
        items[i] = kt_int((int64_t)at);
    *out = kt_list(items, (uint32_t)n + 1);
    return KT_OK;
}
