/* query/exec/node_map.h - 64-bit numbers by node id, in pages: counters, group numbers, distances.
 *
 * A page covers 512 ids (4 KB) and starts as zeros; 0 means "not there". Clearing touches only the pages that were
 * used. Cost: O(1); memory is charged to `budget`. */
#ifndef KT_QUERY_EXEC_NODE_MAP_H
#define KT_QUERY_EXEC_NODE_MAP_H

#include "base/arena.h"

enum { KT_MAP_PAGE_SHIFT = 9, KT_MAP_PAGE = 1 << KT_MAP_PAGE_SHIFT };

typedef struct KtNodeMap { /* starts as {.budget = ...} */
    uint64_t **page;       /* by id >> KT_MAP_PAGE_SHIFT; NULL: zeros */
    uint32_t pages;
    uint32_t *used;  /* pages that may hold something since the last clear */
    uint8_t *in_use; /* by page */
    uint32_t n_used, used_cap;
    KtBudget *budget;
} KtNodeMap;

KtStatus kt_node_map_page(KtNodeMap *map, uint32_t id) KT_MUST_CHECK;
void kt_node_map_clear(KtNodeMap *map);
void kt_node_map_close(KtNodeMap *map);

static inline uint64_t kt_node_map_get(const KtNodeMap *map, uint32_t id)
{
    uint32_t p = id >> KT_MAP_PAGE_SHIFT;
    return p < map->pages && map->page[p] ? map->page[p][id & (KT_MAP_PAGE - 1)] : 0;
}

/* The place of `id`'s number. Lifetime: until kt_node_map_close. Errors: KT_ERR_MEMORY. */
static inline KtStatus kt_node_map_at(KtNodeMap *map, uint32_t id, uint64_t **out)
{
    uint32_t p = id >> KT_MAP_PAGE_SHIFT;
    if (KT_UNLIKELY(p >= map->pages || !map->in_use[p]))
        KT_TRY(kt_node_map_page(map, id));
    *out = &map->page[p][id & (KT_MAP_PAGE - 1)];
    return KT_OK;
}

#endif
