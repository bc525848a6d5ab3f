/* query/exec/node_index.h - nodes numbered from 0 in order of arrival.
 *
 * Numbers stand in pages by node id: 1,024 ids in 4 KB, made when an id of it first comes. Clearing takes back one
 * number after the other, so an index that is kept costs a small statement no more than what it meets; KtPool keeps
 * some from query to query. Cost: O(1) a node; memory is charged to `budget`. */
#ifndef KT_QUERY_EXEC_NODE_INDEX_H
#define KT_QUERY_EXEC_NODE_INDEX_H

#include "base/arena.h"

enum { KT_INDEX_PAGE_SHIFT = 10, KT_INDEX_PAGE = 1 << KT_INDEX_PAGE_SHIFT };

typedef struct KtNodeIndex { /* starts as {.budget = ...} */
    uint32_t n;              /* nodes that have a number */
    uint32_t *id;            /* by number */
    uint32_t cap;            /* of id */
    uint32_t **page;         /* by id >> KT_INDEX_PAGE_SHIFT: number + 1; 0: none */
    uint32_t pages, made;    /* length of page; those that are there */
    KtBudget *budget;
} KtNodeIndex;

/* number[i] = the number of id[i], made if it is new; number NULL: not asked for. Errors: KT_ERR_MEMORY. */
KtStatus kt_node_index_put(KtNodeIndex *index, const uint32_t *id, uint32_t n, uint32_t *number) KT_MUST_CHECK;
/* Room for `more` new ids; the page of `id`. Errors: KT_ERR_MEMORY. */
KtStatus kt_node_index_room(KtNodeIndex *index, uint32_t more) KT_MUST_CHECK;
KtStatus kt_node_index_page(KtNodeIndex *index, uint32_t id) KT_MUST_CHECK;
void kt_node_index_clear(KtNodeIndex *index); /* keeps its memory */
void kt_node_index_close(KtNodeIndex *index);
size_t kt_node_index_bytes(const KtNodeIndex *index);

static inline bool kt_node_index_has_page(const KtNodeIndex *index, uint32_t id)
{
    uint32_t p = id >> KT_INDEX_PAGE_SHIFT;
    return p < index->pages && index->page[p];
}

/* The number of a node, UINT32_MAX if it has none. */
static inline uint32_t kt_node_index_find(const KtNodeIndex *index, uint32_t id)
{
    if (!kt_node_index_has_page(index, id))
        return UINT32_MAX;
    return index->page[id >> KT_INDEX_PAGE_SHIFT][id & (KT_INDEX_PAGE - 1)] - 1;
}

/* ---- a few that are kept from query to query ---- */

typedef struct KtPool KtPool;

KtStatus kt_pool_open(KtPool **out) KT_MUST_CHECK;
void kt_pool_close(KtPool *pool); /* NULL is allowed; nothing may be out */
/* An empty index charged to `budget`: a kept one, or one without memory. `pool` may be NULL. Threads: any. */
void kt_pool_take(KtPool *pool, KtBudget *budget, KtNodeIndex *out);
/* Clears it and keeps it, or closes it. */
void kt_pool_give(KtPool *pool, KtNodeIndex *index);

#endif
