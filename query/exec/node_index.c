/* query/exec/node_index.c - pages of numbers, and the pool of kept ones. */
#include "query/exec/node_index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_IDS = 1024,
    PART = 256,               /* ids between two looks at the room */
    AHEAD = 16,               /* ids that are fetched ahead */
    FAR_PAGES = 128,          /* from half a megabyte on, fetching ahead pays */
    POOL_MOST = 4,            /* kept indexes, */
    POOL_BYTES = 16 * 1024 * 1024 /* each of at most so many bytes */
};

/* ---- memory ---- */

static KtStatus resize(KtNodeIndex *index, void *array, uint64_t from, uint64_t to, size_t size)
{
    void *old;
    memcpy(&old, array, sizeof old);
    size_t bytes = (size_t)(to - from) * size;
    if (index->budget && !kt_budget_take(index->budget, bytes))
        return KT_ERR_MEMORY;
    void *grown = realloc(old, to * size);
    if (!grown) {
        kt_budget_give(index->budget, bytes);
        return KT_ERR_MEMORY;
    }
    memcpy(array, &grown, sizeof grown);
    return KT_OK;
}

KtStatus kt_node_index_room(KtNodeIndex *index, uint32_t more)
{
    if (more <= index->cap - index->n)
        return KT_OK;
    uint64_t cap = index->cap ? (uint64_t)index->cap * 2 : FIRST_IDS;
    while (cap < (uint64_t)index->n + more)
        cap *= 2;
    if (cap > UINT32_MAX)
        return KT_ERR_MEMORY;
    KT_TRY(resize(index, &index->id, index->cap, cap, sizeof *index->id));
    index->cap = (uint32_t)cap;
    return KT_OK;
}

KtStatus kt_node_index_page(KtNodeIndex *index, uint32_t id)
{
    uint32_t p = id >> KT_INDEX_PAGE_SHIFT;
    if (p >= index->pages) {
        uint32_t pages = index->pages ? index->pages : 64;
        while (pages <= p)
            pages *= 2;
        KT_TRY(resize(index, &index->page, index->pages, pages, sizeof *index->page));
        memset(index->page + index->pages, 0, (pages - index->pages) * sizeof *index->page);
        index->pages = pages;
    }
    if (index->page[p])
        return KT_OK;
    size_t bytes = KT_INDEX_PAGE * sizeof(uint32_t);
    if (index->budget && !kt_budget_take(index->budget, bytes))
        return KT_ERR_MEMORY;
    index->page[p] = calloc(1, bytes);
    if (!index->page[p]) {
        kt_budget_give(index->budget, bytes);
        return KT_ERR_MEMORY;
    }
    index->made++;
    return KT_OK;
}

size_t kt_node_index_bytes(const KtNodeIndex *index)
{
    return index->cap * sizeof *index->id + index->pages * sizeof *index->page +
           (size_t)index->made * KT_INDEX_PAGE * sizeof(uint32_t);
}

void kt_node_index_clear(KtNodeIndex *index)
{
    for (uint32_t i = 0; i < index->n; i++)
        index->page[index->id[i] >> KT_INDEX_PAGE_SHIFT][index->id[i] & (KT_INDEX_PAGE - 1)] = 0;
    index->n = 0;
}

void kt_node_index_close(KtNodeIndex *index)
{
    kt_budget_give(index->budget, kt_node_index_bytes(index));
    for (uint32_t p = 0; p < index->pages; p++)
        free(index->page[p]);
    free(index->page);
    free(index->id);
    *index = (KtNodeIndex){.budget = index->budget};
}

/* ---- numbering ---- */

static void fetch(const KtNodeIndex *index, uint32_t id)
{
    if (kt_node_index_has_page(index, id))
        __builtin_prefetch(&index->page[id >> KT_INDEX_PAGE_SHIFT][id & (KT_INDEX_PAGE - 1)], 1);
}

/* At most PART ids, for which there is room in index->id. No branch hangs on whether a node is new. */
static KT_CLONES KtStatus put_part(KtNodeIndex *index, const uint32_t *id, uint32_t n, uint32_t *number)
{
    bool far = index->made >= FAR_PAGES;
    uint32_t **page = index->page, pages = index->pages, *all = index->id, next = index->n;
    for (uint32_t i = 0; far && i < n && i < AHEAD; i++)
        fetch(index, id[i]);
    for (uint32_t i = 0; i < n; i++) {
        if (far && i + AHEAD < n)
            fetch(index, id[i + AHEAD]);
        uint32_t it = id[i], p = it >> KT_INDEX_PAGE_SHIFT;
        if (KT_UNLIKELY(p >= pages || !page[p])) {
            index->n = next;
            KT_TRY(kt_node_index_page(index, it));
            page = index->page;
            pages = index->pages;
        }
        uint32_t *at = &page[p][it & (KT_INDEX_PAGE - 1)], was = *at;
        all[next] = it;
        next += was == 0;
        was = was ? was : next;
        *at = was;
        number[i] = was - 1;
    }
    index->n = next;
    return KT_OK;
}

KtStatus kt_node_index_put(KtNodeIndex *index, const uint32_t *id, uint32_t n, uint32_t *number)
{
    uint32_t unread[PART];
    for (uint32_t from = 0; from < n; from += PART) {
        uint32_t part = n - from < PART ? n - from : PART;
        KT_TRY(kt_node_index_room(index, part));
        KT_TRY(put_part(index, id + from, part, number ? number + from : unread));
    }
    return KT_OK;
}

/* ---- the pool ---- */

struct KtPool {
    pthread_mutex_t lock;
    uint32_t n;
    KtNodeIndex kept[POOL_MOST];
};

KtStatus kt_pool_open(KtPool **out)
{
    KtPool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return KT_ERR_MEMORY;
    if (pthread_mutex_init(&pool->lock, NULL) != 0) {
        free(pool);
        return KT_ERR_MEMORY;
    }
    *out = pool;
    return KT_OK;
}

void kt_pool_close(KtPool *pool)
{
    if (!pool)
        return;
    for (uint32_t i = 0; i < pool->n; i++)
        kt_node_index_close(&pool->kept[i]);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void kt_pool_take(KtPool *pool, KtBudget *budget, KtNodeIndex *out)
{
    *out = (KtNodeIndex){.budget = budget};
    if (!pool)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    if (pool->n > 0 && (!budget || kt_budget_take(budget, kt_node_index_bytes(&pool->kept[pool->n - 1])))) {
        *out = pool->kept[--pool->n];
        out->budget = budget;
    }
    (void)pthread_mutex_unlock(&pool->lock);
}

void kt_pool_give(KtPool *pool, KtNodeIndex *index)
{
    size_t bytes = kt_node_index_bytes(index);
    if (!pool || bytes == 0 || bytes > POOL_BYTES) {
        kt_node_index_close(index);
        return;
    }
    kt_node_index_clear(index);
    (void)pthread_mutex_lock(&pool->lock);
    if (pool->n < POOL_MOST) {
        kt_budget_give(index->budget, bytes);
        pool->kept[pool->n] = *index;
        pool->kept[pool->n++].budget = NULL;
        *index = (KtNodeIndex){.budget = index->budget};
    }
    (void)pthread_mutex_unlock(&pool->lock);
    kt_node_index_close(index);
}
