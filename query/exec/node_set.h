/* query/exec/node_set.h - a set of node ids as a bitmap in pages.
 *
 * A page covers 32,768 ids (4 KB) and exists once an id of it was added. Clearing touches only the pages that were
 * used, so that a set can be emptied for each start. Cost: O(1); memory is charged to `budget`. */
#ifndef KT_QUERY_EXEC_NODE_SET_H
#define KT_QUERY_EXEC_NODE_SET_H

#include "base/arena.h"

enum { KT_SET_PAGE_SHIFT = 15, KT_SET_PAGE_WORDS = (1 << KT_SET_PAGE_SHIFT) / 64 };

typedef struct KtNodeSet { /* starts as {.budget = ...} */
    uint64_t **page;       /* by id >> KT_SET_PAGE_SHIFT; NULL: empty */
    uint64_t **kept;       /* the same, also of pages that are empty since the last clear */
    uint32_t pages;        /* length of page and kept */
    uint32_t *used;        /* pages that hold a bit since the last clear */
    uint32_t n_used, used_cap;
    uint64_t count;
    KtBudget *budget;
} KtNodeSet;

/* Makes room for the page of `id`. Errors: KT_ERR_MEMORY. */
KtStatus kt_node_set_page(KtNodeSet *set, uint32_t id) KT_MUST_CHECK;
/* Empties a set that holds id[0 .. n) and nothing else. */
void kt_node_set_take_out(KtNodeSet *set, const uint32_t *id, uint64_t n);
void kt_node_set_clear(KtNodeSet *set);
void kt_node_set_close(KtNodeSet *set);

static inline bool kt_node_set_has(const KtNodeSet *set, uint32_t id)
{
    uint32_t p = id >> KT_SET_PAGE_SHIFT;
    return p < set->pages && set->page[p] &&
           ((set->page[p][(id >> 6) & (KT_SET_PAGE_WORDS - 1)] >> (id & 63)) & 1);
}

/* *fresh: it was not there. Errors: KT_ERR_MEMORY. */
static inline KtStatus kt_node_set_add(KtNodeSet *set, uint32_t id, bool *fresh)
{
    uint32_t p = id >> KT_SET_PAGE_SHIFT;
    if (KT_UNLIKELY(p >= set->pages || !set->page[p]))
        KT_TRY(kt_node_set_page(set, id));
    uint64_t *word = &set->page[p][(id >> 6) & (KT_SET_PAGE_WORDS - 1)];
    uint64_t bit = (uint64_t)1 << (id & 63);
    *fresh = (*word & bit) == 0;
    *word |= bit;
    set->count += *fresh;
    return KT_OK;
}

/* Adds all n ids; those that were not there go to out[0 .. *fresh) in order. */
KtStatus kt_node_set_add_all(KtNodeSet *set, const uint32_t *id, uint32_t n, uint32_t *out,
                             uint32_t *fresh) KT_MUST_CHECK;

#endif
