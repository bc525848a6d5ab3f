/* query/exec/node_map.c - pages of numbers. */
#include "query/exec/node_map.h"

#include <stdlib.h>
#include <string.h>

static KtStatus grow(KtNodeMap *map, uint32_t need)
{
    uint32_t pages = map->pages ? map->pages : 8;
    while (pages < need)
        pages *= 2;
    size_t more = (size_t)(pages - map->pages) * (sizeof *map->page + sizeof *map->in_use);
    if (map->budget && !kt_budget_take(map->budget, more))
        return KT_ERR_MEMORY;
    uint64_t **page = realloc(map->page, pages * sizeof *page);
    if (page)
        map->page = page;
    uint8_t *in_use = page ? realloc(map->in_use, pages) : NULL;
    if (!in_use) {
        kt_budget_give(map->budget, more);
        return KT_ERR_MEMORY;
    }
    map->in_use = in_use;
    memset(page + map->pages, 0, (pages - map->pages) * sizeof *page);
    memset(in_use + map->pages, 0, pages - map->pages);
    map->pages = pages;
    return KT_OK;
}

KtStatus kt_node_map_page(KtNodeMap *map, uint32_t id)
{
    uint32_t p = id >> KT_MAP_PAGE_SHIFT;
    if (p >= map->pages)
        KT_TRY(grow(map, p + 1));
    if (map->n_used == map->used_cap) {
        uint32_t cap = map->used_cap ? map->used_cap * 2 : 16;
        if (map->budget && !kt_budget_take(map->budget, (cap - map->used_cap) * sizeof *map->used))
            return KT_ERR_MEMORY;
        uint32_t *used = realloc(map->used, cap * sizeof *used);
        if (!used) {
            kt_budget_give(map->budget, (cap - map->used_cap) * sizeof *map->used);
            return KT_ERR_MEMORY;
        }
        map->used = used;
        map->used_cap = cap;
    }
    if (!map->page[p]) {
        size_t bytes = KT_MAP_PAGE * sizeof(uint64_t);
        if (map->budget && !kt_budget_take(map->budget, bytes))
            return KT_ERR_MEMORY;
        map->page[p] = calloc(1, bytes);
        if (!map->page[p]) {
            kt_budget_give(map->budget, bytes);
            return KT_ERR_MEMORY;
        }
    }
    if (!map->in_use[p]) {
        map->in_use[p] = 1;
        map->used[map->n_used++] = p;
    }
    return KT_OK;
}

void kt_node_map_clear(KtNodeMap *map)
{
    for (uint32_t i = 0; i < map->n_used; i++) {
        memset(map->page[map->used[i]], 0, KT_MAP_PAGE * sizeof(uint64_t));
        map->in_use[map->used[i]] = 0;
    }
    map->n_used = 0;
}

void kt_node_map_close(KtNodeMap *map)
{
    size_t bytes = (size_t)map->pages * (sizeof *map->page + sizeof *map->in_use) +
                   map->used_cap * sizeof *map->used;
    for (uint32_t p = 0; p < map->pages; p++) {
        if (map->page[p])
            bytes += KT_MAP_PAGE * sizeof(uint64_t);
        free(map->page[p]);
    }
    kt_budget_give(map->budget, bytes);
    free(map->page);
    free(map->used);
    free(map->in_use);
    *map = (KtNodeMap){.budget = map->budget};
}
