/* query/params.c - parameters looked up by name: one after the other while they are few, else in a sorted order. */
#include "query/params.h"

#include "base/key_order.h"

#include <stdlib.h>

/* Below these a walk for each parameter is cheaper than a sort. */
enum { FEW_PARAMS = 16, FEW_PAIRS = 4096 };

static KtStatus take_sorted(const KtBound *bound, KtValue sent, KtValue *out, uint32_t *missing)
{
    KtKeys keys = kt_map_keys(sent.as.map, sent.len);
    KtKeyClock clock = {0};
    uint32_t i = 0, *order = calloc((size_t)sent.len * 2, sizeof *order);
    if (!order)
        return KT_ERR_MEMORY;
    KtStatus status = kt_keys_sort(keys, order, order + sent.len, &clock);
    for (; status == KT_OK && i < bound->params; i++) {
        uint32_t at = kt_keys_find(keys, order, bound->param[i]);
        if (at == KT_NO_KEY)
            break;
        if (out)
            out[i] = sent.as.map[at].value;
    }
    free(order);
    *missing = i;
    return status;
}

KtStatus kt_params_find(const KtBound *bound, KtValue sent, KtValue *out, uint32_t *missing)
{
    uint32_t n = sent.kind == KT_MAP ? sent.len : 0, i = 0;
    if (bound->params > FEW_PARAMS && (uint64_t)bound->params * n > FEW_PAIRS)
        return take_sorted(bound, sent, out, missing);
    for (; n && i < bound->params; i++) {
        const KtValue *value = kt_map_get(sent, bound->param[i]);
        if (!value)
            break;
        if (out)
            out[i] = *value;
    }
    *missing = i;
    return KT_OK;
}
