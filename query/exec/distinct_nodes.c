/* query/exec/distinct_nodes.c - one bitmap, many lists. */
#include "query/exec/distinct_nodes.h"

#include "base/column.h"

#include <string.h>

enum { RELOADS_FREE = 1 << 20 }; /* ids put back into the bitmap before it is asked whether that is worth it */

static KtStatus group_room(KtDistinctNodes *d, uint32_t group)
{
    if (!d->arena)
        KT_TRY(kt_arena_open(d->budget, &d->arena));
    if (group >= d->groups_cap) {
        uint32_t cap = d->groups_cap ? d->groups_cap : 16;
        while (cap <= group)
            cap *= 2;
        KtNodeList *list = kt_arena_alloc(d->arena, (size_t)cap * sizeof *list);
        if (!list)
            return KT_ERR_MEMORY;
        if (d->groups)
            memcpy(list, d->list, d->groups * sizeof *list);
        d->list = list;
        d->groups_cap = cap;
    }
    for (; d->groups <= group; d->groups++)
        d->list[d->groups] = (KtNodeList){0};
    return KT_OK;
}

/* Makes `group` the one whose nodes stand in the bitmap. */
static KtStatus make_live(KtDistinctNodes *d, uint32_t group)
{
    d->set.budget = d->budget;
    kt_node_set_clear(&d->set);
    d->live = UINT32_MAX;
    KT_TRY(group_room(d, group));
    const KtNodeList *l = &d->list[group];
    for (uint32_t i = 0; i < l->n; i++) {
        bool fresh;
        KT_TRY(kt_node_set_add(&d->set, l->node[i], &fresh));
    }
    d->reloaded += l->n;
    d->live = group;
    return KT_OK;
}

static KtStatus list_room(KtDistinctNodes *d, KtNodeList *l, uint32_t more)
{
    if (more <= l->cap - l->n)
        return KT_OK;
    uint64_t cap = l->cap ? (uint64_t)l->cap * 2 : 16;
    while (cap < (uint64_t)l->n + more)
        cap *= 2;
    if (cap > UINT32_MAX)
        return KT_ERR_MEMORY;
    uint32_t *node = kt_arena_alloc(d->arena, cap * sizeof *node);
    if (!node)
        return KT_ERR_MEMORY;
    if (l->n)
        memcpy(node, l->node, l->n * sizeof *node);
    l->node = node;
    l->cap = (uint32_t)cap;
    return KT_OK;
}

KtStatus kt_distinct_nodes_add(KtDistinctNodes *d, uint32_t group, const uint32_t *node, uint32_t n, bool *worth)
{
    if (group != d->live)
        KT_TRY(make_live(d, group));
    d->rows += n;
    KtNodeList *l = &d->list[group];
    KT_TRY(list_room(d, l, n));
    for (uint32_t i = 0; i < n; i++) {
        bool fresh;
        if (node[i] == KT_NO_NODE)
            continue;
        KT_TRY(kt_node_set_add(&d->set, node[i], &fresh));
        l->node[l->n] = node[i];
        l->n += fresh;
    }
    *worth = d->reloaded < RELOADS_FREE + 4 * d->rows;
    return KT_OK;
}

uint32_t kt_distinct_nodes_count(const KtDistinctNodes *d, uint32_t group)
{
    return group < d->groups ? d->list[group].n : 0;
}

void kt_distinct_nodes_close(KtDistinctNodes *d)
{
    kt_node_set_close(&d->set);
    kt_arena_close(d->arena);
    *d = (KtDistinctNodes){.budget = d->budget, .live = UINT32_MAX};
}
