/* query/exec/node_set.c - pages of bits. */
#include "query/exec/node_set.h"

#include <stdlib.h>
#include <string.h>

static KtStatus grow(KtNodeSet *set, uint32_t need)
{
    uint32_t pages = set->pages ? set->pages : 8;
    while (pages < need)
        pages *= 2;
    size_t more = (size_t)(pages - set->pages) * 2 * sizeof *set->page;
    if (set->budget && !kt_budget_take(set->budget, more))
        return KT_ERR_MEMORY;
    uint64_t **page = realloc(set->page, pages * sizeof *page);
    if (page)
        set->page = page;
    uint64_t **kept = page ? realloc(set->kept, pages * sizeof *kept) : NULL;
    if (!kept) {
        kt_budget_give(set->budget, more);
        return KT_ERR_MEMORY;
    }
    set->kept = kept;
    memset(page + set->pages, 0, (pages - set->pages) * sizeof *page);
    memset(kept + set->pages, 0, (pages - set->pages) * sizeof *kept);
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
    if (!set->kept[p]) {
        size_t bytes = KT_SET_PAGE_WORDS * sizeof(uint64_t);
        if (set->budget && !kt_budget_take(set->budget, bytes))
            return KT_ERR_MEMORY;
        set->kept[p] = calloc(1, bytes);
        if (!set->kept[p]) {
            kt_budget_give(set->budget, bytes);
            return KT_ERR_MEMORY;
        }
    }
    if (!set->page[p]) {
        set->page[p] = set->kept[p];
        set->used[set->n_used++] = p;
    }
    return KT_OK;
}

void kt_node_set_clear(KtNodeSet *set)
{
    for (uint32_t i = 0; i < set->n_used; i++) {
        memset(set->page[set->used[i]], 0, KT_SET_PAGE_WORDS * sizeof(uint64_t));
        set->page[set->used[i]] = NULL;
    }
    set->n_used = 0;
    set->count = 0;
}

void kt_node_set_take_out(KtNodeSet *set, const uint32_t *id, uint64_t n)
{
    if (n > (uint64_t)set->n_used *
                96) { /* a page is cleared in the time of about so many single words */
        kt_node_set_clear(set);
        return;
    }
    for (uint64_t i = 0; i < n; i++)
        set->page[id[i] >> KT_SET_PAGE_SHIFT][(id[i] >> 6) & (KT_SET_PAGE_WORDS - 1)] = 0;
    set->count = 0;
}

void kt_node_set_close(KtNodeSet *set)
{
    size_t bytes = (size_t)set->pages * 2 * sizeof *set->page + set->used_cap * sizeof *set->used;
    for (uint32_t p = 0; p < set->pages; p++) {
        if (set->kept[p])
            bytes += KT_SET_PAGE_WORDS * sizeof(uint64_t);
        free(set->kept[p]);
    }
    kt_budget_give(set->budget, bytes);
    free(set->page);
    free(set->kept);
    free(set->used);
    *set = (KtNodeSet){.budget = set->budget};
}

KT_CLONES KtStatus kt_node_set_add_all(KtNodeSet *set, const uint32_t *id, uint32_t n,
                                       uint32_t *out, uint32_t *fresh)
{
    uint64_t **page = set->page;
    uint32_t pages = set->pages, k = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t it = id[i], p = it >> KT_SET_PAGE_SHIFT;
        if (KT_UNLIKELY(p >= pages || !page[p])) {
            KT_TRY(kt_node_set_page(set, it));
            page = set->page;
            pages = set->pages;
        }
        uint64_t *word = &page[p][(it >> 6) & (KT_SET_PAGE_WORDS - 1)], was = *word;
        out[k] = it;
        k += !((was >> (it & 63)) & 1);
        *word = was | (uint64_t)1 << (it & 63);
    }
    set->count += k;
    *fresh = k;
    return KT_OK;
}
