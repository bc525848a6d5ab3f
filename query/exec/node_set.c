/* query/exec/node_set.c - pages of bits. */
#include "query/exec/node_set.h"

#include <stdlib.h>
#include <string.h>

static KtStatus grow(KtNodeSet *set, uint32_t need)
{
    uint32_t pages = set->pages ? set->pages : 8;
    while (pages < need)
        pages *= 2;
    size_t more = (size_t)(pages - set->pages) * (sizeof *set->page + sizeof *set->in_use);
    if (set->budget && !kt_budget_take(set->budget, more))
        return KT_ERR_MEMORY;
    uint64_t **page = realloc(set->page, pages * sizeof *page);
    if (page)
        set->page = page;
    uint8_t *in_use = page ? realloc(set->in_use, pages) : NULL;
    if (!in_use) {
        kt_budget_give(set->budget, more);
        return KT_ERR_MEMORY;
    }
    set->in_use = in_use;
    memset(page + set->pages, 0, (pages - set->pages) * sizeof *page);
    memset(in_use + set->pages, 0, pages - set->pages);
    set->pages = pages;
    return KT_OK;
}

KtStatus kt_node_set_page(KtNodeSet *set, uint32_t id)
{
    uint32_t p = id >> KT_SET_PAGE_SHIFT;
    if (p >= set->pages)
        KT_TRY(grow(set, p + 1));
    if (set->n_used == set->used_cap) {
        uint32_t cap = set->used_cap ? set->used_cap * 2 : 16;
        if (set->budget && !kt_budget_take(set->budget, (cap - set->used_cap) * sizeof *set->used))
            return KT_ERR_MEMORY;
        uint32_t *used = realloc(set->used, cap * sizeof *used);
        if (!used) {
            kt_budget_give(set->budget, (cap - set->used_cap) * sizeof *set->used);
            return KT_ERR_MEMORY;
        }
        set->used = used;
        set->used_cap = cap;
    }
    if (!set->page[p]) {
        size_t bytes = KT_SET_PAGE_WORDS * sizeof(uint64_t);
        if (set->budget && !kt_budget_take(set->budget, bytes))
            return KT_ERR_MEMORY;
        set->page[p] = calloc(1, bytes);
        if (!set->page[p]) {
            kt_budget_give(set->budget, bytes);
            return KT_ERR_MEMORY;
        }
    }
    if (!set->in_use[p]) {
        set->in_use[p] = 1;
        set->used[set->n_used++] = p;
    }
    return KT_OK;
}

void kt_node_set_clear(KtNodeSet *set)
{
    for (uint32_t i = 0; i < set->n_used; i++) {
        memset(set->page[set->used[i]], 0, KT_SET_PAGE_WORDS * sizeof(uint64_t));
        set->in_use[set->used[i]] = 0;
    }
    set->n_used = 0;
    set->count = 0;
}

void kt_node_set_take_out(KtNodeSet *set, const uint32_t *id, uint64_t n)
{
    if (n > (uint64_t)set->n_used * 96) { /* a page is cleared in the time of about so many single words */
        kt_node_set_clear(set);
        return;
    }
    for (uint64_t i = 0; i < n; i++)
        set->page[id[i] >> KT_SET_PAGE_SHIFT][(id[i] >> 6) & (KT_SET_PAGE_WORDS - 1)] = 0;
    set->count = 0;
}

void kt_node_set_close(KtNodeSet *set)
{
    size_t bytes = (size_t)set->pages * (sizeof *set->page + sizeof *set->in_use) + set->used_cap * sizeof *set->used;
    for (uint32_t p = 0; p < set->pages; p++) {
        if (set->page[p])
            bytes += KT_SET_PAGE_WORDS * sizeof(uint64_t);
        free(set->page[p]);
    }
    kt_budget_give(set->budget, bytes);
    free(set->page);
    free(set->used);
    free(set->in_use);
    *set = (KtNodeSet){.budget = set->budget};
}

KtStatus kt_node_set_add_all(KtNodeSet *set, const uint32_t *id, uint32_t n, uint32_t *out, uint32_t *fresh)
{
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t p = id[i] >> KT_SET_PAGE_SHIFT;
        if (KT_UNLIKELY(p >= set->pages || !set->in_use[p]))
            KT_TRY(kt_node_set_page(set, id[i]));
        uint64_t *word = &set->page[p][(id[i] >> 6) & (KT_SET_PAGE_WORDS - 1)];
        uint64_t bit = (uint64_t)1 << (id[i] & 63);
        out[k] = id[i];
        k += (*word & bit) == 0;
        *word |= bit;
    }
    set->count += k;
    *fresh = k;
    return KT_OK;
}
