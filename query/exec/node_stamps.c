/* query/exec/node_stamps.c - one number for each id. */
#include "query/exec/node_stamps.h"

#include <stdlib.h>
#include <string.h>

KtStatus kt_node_stamps_open(KtNodeStamps *s)
{
    size_t bytes = KT_STAMPS_IDS * sizeof *s->met;
    if (!s->met) {
        if (s->budget && !kt_budget_take(s->budget, bytes))
            return KT_ERR_MEMORY;
        s->met = calloc(1, bytes);
        if (!s->met) {
            kt_budget_give(s->budget, bytes);
            return KT_ERR_MEMORY;
        }
        s->turn = 0;
    }
    kt_node_stamps_empty(s);
    return KT_OK;
}

void kt_node_stamps_empty(KtNodeStamps *s)
{
    if (++s->turn != 0)
        return;
    memset(s->met, 0, KT_STAMPS_IDS * sizeof *s->met);
    s->turn = 1;
}

void kt_node_stamps_close(KtNodeStamps *s)
{
    if (s->met)
        kt_budget_give(s->budget, KT_STAMPS_IDS * sizeof *s->met);
    free(s->met);
    s->met = NULL;
}

KT_CLONES uint32_t kt_node_stamps_add(KtNodeStamps *s, const uint32_t *id, uint32_t n,
                                      uint32_t *out, uint32_t *fresh)
{
    uint32_t *met = s->met, turn = s->turn, k = 0, i = 0;
    for (; i < n; i++) {
        uint32_t it = id[i];
        if (KT_UNLIKELY(it >= KT_STAMPS_IDS))
            break;
        out[k] = it;
        k += met[it] != turn;
        met[it] = turn;
    }
    *fresh = k;
    return i;
}
