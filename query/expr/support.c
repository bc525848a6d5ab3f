/* query/expr/support.c - lists, maps and texts that functions make, and the small facts about errors. */
#include "query/expr/expr_internal.h"

bool kt_status_is_fatal(KtStatus status)
{
    return kt_error_facts(status)->error_class != KT_CLASS_CLIENT || status == KT_ERR_CANCELLED;
}

KtStatus kt_eval_tick(struct KtEvalContext *x)
{
    uint64_t bits = 0;
    uint32_t none = 0;
    if (!x || !x->view)
        return KT_OK;
    /* every call of the view passes its check of deadline, cancel and budget */
    return kt_exist(x->view, KT_NODE, (KtIds){.id = &none, .width = 4, .n = 0}, &bits);
}

static uint32_t depth_of(KtValue v)
{
    return v.kind == KT_LIST || v.kind == KT_MAP ? (v.aux ? v.aux : 1u) : 0u;
}

static KtStatus too_deep(KtCall *call)
{
    return kt_diag_set(call->diag, KT_ERR_VALUE_TOO_DEEP, &call->at,
                       "Lists and maps nest at most %d deep", KT_VALUE_DEPTH_MOST);
}

KtStatus kt_make_list(KtCall *call, const KtValue *items, uint32_t n, KtValue *out)
{
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t depth = depth_of(items[i]);
        if (depth > deepest)
            deepest = depth;
    }
    if (deepest >= KT_VALUE_DEPTH_MOST)
        return too_deep(call);
    KtValue list = kt_list(items, n);
    list.aux = (uint16_t)(deepest + 1);
    *out = list;
    return KT_OK;
}

KtStatus kt_make_map(KtCall *call, const KtMapEntry *entries, uint32_t n, KtValue *out)
{
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t depth = depth_of(entries[i].value);
        if (depth > deepest)
            deepest = depth;
    }
    if (deepest >= KT_VALUE_DEPTH_MOST)
        return too_deep(call);
    KtValue map = kt_map(entries, n);
    map.aux = (uint16_t)(deepest + 1);
    *out = map;
    return KT_OK;
}

KtStatus kt_make_text(KtCall *call, const char *at, size_t len, KtValue *out)
{
    if (len > UINT32_MAX)
        return KT_ERR_MEMORY;
    char *copy = kt_arena_text(call->arena, at, len);
    if (!copy)
        return KT_ERR_MEMORY;
    *out = kt_text(copy, len);
    return KT_OK;
}
