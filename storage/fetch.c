/* storage/fetch.c - batch reads of a snapshot and the blocks a view keeps of them. */
#include "storage/fetch_internal.h"

#include "storage/adjacency.h"
#include "storage/format.h"
#include "storage/record.h"

#include <stdlib.h>

enum {
    KEEP_BYTES = 32 * 1024 * 1024, /* of decoded blocks in one view; over it all are forgotten */
    GET_MOST = 128                 /* keys of one kt_kv_multi_get */
};

KtStatus kt_fetch_open(KtKv *kv, const KtKvSnapshot *at, KtGraphCache *cache, KtCommit number,
                       KtBudget *budget, KtDiag *const *diag, KtFetch **out)
{
    KtFetch *f = calloc(1, sizeof *f);
    if (!f)
        return KT_ERR_MEMORY;
    f->kv = kv;
    f->at = at;
    f->budget = budget;
    f->diag = diag;
    for (int i = 0; i < KEPT_KINDS; i++)
        f->kept[i].budget = budget;
    KtStatus status = kt_cache_reader_open(cache, number, &f->shared);
    if (status != KT_OK) {
        free(f);
        return status;
    }
    *out = f;
    return KT_OK;
}

/* Shared blocks are not counted: the view's epoch holds them. */
static void hold(void *block)
{
    KtBlock *b = block;
    if (b->size)
        b->refs++;
}

void kt_fetch_drop(KtFetch *fetch, void *block)
{
    KtBlock *b = block;
    if (!b || b->size == 0 || --b->refs > 0)
        return;
    kt_budget_give(fetch->budget, b->size);
    free(b);
}

static void forget_all(KtFetch *f)
{
    for (int i = 0; i < KEPT_KINDS; i++) {
        KtMap64 *map = &f->kept[i];
        for (size_t s = 0; s < map->cap && map->len; s++) {
            if (map->slot[2 * s])
                kt_fetch_drop(
                    f, (void *)(uintptr_t)map->slot[2 * s + 1]); /* NOLINT: a map of pointers */
        }
        kt_map64_clear(map);
    }
    f->bytes = 0;
}

void kt_fetch_park(KtFetch *fetch)
{
    forget_all(fetch);
    kt_kv_iter_close(fetch->adj);
    kt_kv_iter_close(fetch->index);
    fetch->adj = fetch->index = NULL;
    kt_fetch_forget_pages(fetch);
    kt_cache_reader_leave(&fetch->shared);
}

void kt_fetch_close(KtFetch *fetch)
{
    if (!fetch)
        return;
    kt_fetch_park(fetch);
    kt_cache_reader_close(&fetch->shared);
    for (int i = 0; i < KEPT_KINDS; i++)
        kt_map64_close(&fetch->kept[i]);
    kt_buf_close(&fetch->scratch);
    free(fetch->run);
    free(fetch);
}

KtStatus kt_fetch_make(KtFetch *fetch, size_t size, void **out)
{
    if (size > UINT32_MAX)
        return KT_ERR_MEMORY;
    if (fetch->budget && !kt_budget_take(fetch->budget, size)) {
        forget_all(fetch); /* what is only kept may go before a query fails */
        if (!kt_budget_take(fetch->budget, size))
            return KT_ERR_MEMORY;
    }
    KtBlock *block = malloc(size);
    if (!block) {
        kt_budget_give(fetch->budget, size);
        return KT_ERR_MEMORY;
    }
    *block = (KtBlock){.refs = 1, .size = (uint32_t)size};
    *out = block;
    return KT_OK;
}

static KtStatus damaged(KtFetch *f, const char *what, uint64_t id)
{
    return kt_diag_set(*f->diag, KT_ERR_CORRUPTION, NULL, "The %s of %llu is damaged on disk.",
                       what, (unsigned long long)id);
}

/* ---- a batch: hits at once, misses in order of id ---- */

typedef struct Want {
    uint64_t id;
    uint32_t row;
} Want;

static int by_id(const void *a, const void *b)
{
    const Want *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Reads the blocks of distinct ids, ascending. */
typedef KtStatus (*ReadBlocks)(KtFetch *f, Kept kind, const uint64_t *id, uint32_t n, void **out);

static KtStatus keep(KtFetch *f, Kept kind, uint64_t id, void *block)
{
    if (((KtBlock *)block)->size == 0)
        return KT_OK; /* the shared cache has it */
    uint64_t *slot;
    bool made;
    KT_TRY(kt_map64_put(&f->kept[kind], id, &slot, &made));
    if (!made)
        return KT_OK;
    *slot = (uint64_t)(uintptr_t)block;
    ((KtBlock *)block)->refs++;
    f->bytes += ((KtBlock *)block)->size;
    return KT_OK;
}

static KtStatus read_misses(KtFetch *f, Kept kind, Want *want, uint32_t misses, ReadBlocks read,
                            void **out)
{
    uint64_t id[GET_MOST];
    void *block[GET_MOST];
    if (misses > 1)
        qsort(want, misses, sizeof *want, by_id);
    for (uint32_t i = 0; i < misses;) {
        uint32_t n = 0, end = i;
        while (end < misses && (n < GET_MOST || want[end].id == id[n - 1])) {
            if (n == 0 || want[end].id != id[n - 1])
                id[n++] = want[end].id;
            end++;
        }
        KT_TRY(read(f, kind, id, n, block));
        uint32_t at = 0;
        for (uint32_t w = i; w < end; w++) {
            if (id[at] != want[w].id)
                at++;
            out[want[w].row] = block[at];
            hold(block[at]);
        }
        KtStatus status = KT_OK;
        for (uint32_t b = 0; b < n; b++) {
            if (status == KT_OK)
                status = keep(f, kind, id[b], block[b]);
            kt_fetch_drop(f, block[b]); /* out and the map hold it */
        }
        KT_TRY(status);
        i = end;
    }
    return KT_OK;
}

static KtStatus fetch(KtFetch *f, Kept kind, const uint64_t *id, uint32_t n, uint32_t shift,
                      ReadBlocks read, void **out)
{
    if (f->bytes > KEEP_BYTES)
        forget_all(f);
    Want small[GET_MOST];
    Want *want = n <= GET_MOST ? small : malloc(n * sizeof *want);
    if (!want)
        return KT_ERR_MEMORY;
    uint32_t misses = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t key = id[i] >> shift;
        const uint64_t *slot = kt_map64_get(&f->kept[kind], key);
        out[i] = slot ? (void *)(uintptr_t)*slot : NULL; /* NOLINT: a map of pointers */
        if (out[i])
            hold(out[i]);
        else
            want[misses++] = (Want){key, i};
    }
    KtStatus status = misses ? read_misses(f, kind, want, misses, read, out) : KT_OK;
    if (want != small)
        free(want);
    if (status != KT_OK) {
        for (uint32_t i = 0; i < n; i++)
            kt_fetch_drop(f, out[i]);
    }
    return status;
}

/* ---- adjacency ---- */

typedef struct Gather { /* one list while its segments come in */
    uint32_t n, runs;
    bool wide;
} Gather;

static KtStatus gather_segment(KtFetch *f, Gather *g, const KtAdjKey *key, KtSpan value)
{
    KtAdjHead head;
    KT_TRY(kt_adj_open(value, &head));
    if (head.n == 0)
        return KT_OK;
    uint8_t *room = kt_buf_reserve(&f->scratch, (size_t)head.n * sizeof(KtAdjPair));
    if (!room)
        return KT_ERR_MEMORY;
    KtAdjPair *pair = (KtAdjPair *)(void *)room; /* malloc'd, and whole pairs before it */
    KT_TRY(kt_adj_pairs(&head, pair));
    f->scratch.len += (size_t)head.n * sizeof *pair;
    for (uint32_t i = 0; i < head.n; i++)
        g->wide = g->wide || pair[i].rel > UINT32_MAX;
    KtListRun *last = g->runs ? &f->run[g->runs - 1] : NULL;
    if (last && last->type == key->type) {
        last->n += head.n;
        last->loops += head.loops;
    } else {
        if (g->runs == f->run_cap) {
            uint32_t cap = f->run_cap ? f->run_cap * 2 : 16;
            KtListRun *grown = realloc(f->run, cap * sizeof *grown);
            if (!grown)
                return KT_ERR_MEMORY;
            f->run = grown;
            f->run_cap = cap;
        }
        f->run[g->runs++] =
            (KtListRun){.type = key->type, .first = g->n, .n = head.n, .loops = head.loops};
    }
    g->n += head.n;
    return KT_OK;
}

_Static_assert(sizeof(KtSlotBlock) % 8 == 0, "the list behind it is aligned");

static size_t list_bytes(const Gather *g) { return kt_list_bytes(g->n, g->runs, g->wide); }

static void lay_out(KtFetch *f, const Gather *g, KtNodeList *list)
{
    list->n = g->n;
    list->runs = g->runs & INT32_MAX;
    list->wide = g->wide;
    KtListRun *run = (KtListRun *)(void *)(list + 1);
    uint32_t *nbr = (uint32_t *)(void *)(run + g->runs);
    void *rel = nbr + g->n + (g->wide ? g->n & 1u : 0u);
    if (g->runs)
        memcpy(run, f->run, g->runs * sizeof *run);
    const KtAdjPair *pair = (const KtAdjPair *)(const void *)f->scratch.data;
    for (uint32_t i = 0; i < g->n; i++) {
        nbr[i] = (uint32_t)pair[i].nbr;
        if (g->wide)
            ((uint64_t *)rel)[i] = pair[i].rel;
        else
            ((uint32_t *)rel)[i] = (uint32_t)pair[i].rel;
    }
}

static KtStatus make_list(KtFetch *f, const Gather *g, KtNodeList **out)
{
    void *block;
    KT_TRY(kt_fetch_make(f, list_bytes(g), &block));
    lay_out(f, g, block);
    *out = block;
    return KT_OK;
}

static KtNodeList empty_list; /* shared: size 0, no runs */

/* Gives the list to the graph cache. False: it did not take it. */
static bool share_list(KtFetch *f, const Gather *g, KtSlots *slots, uint64_t node, KtSlotWord word,
                       KtNodeList **out)
{
    if (g->n == 0) {
        *out = &empty_list;
        return kt_cache_fill_end(&f->shared, slots, node, word, NULL);
    }
    size_t bytes = offsetof(KtSharedList, list) + list_bytes(g);
    if (bytes > UINT32_MAX)
        return false;
    KtSharedList *shared = (KtSharedList *)(void *)kt_cache_block_make(&f->shared, (uint32_t)bytes);
    if (!shared)
        return false;
    shared->list.block = (KtBlock){0};
    lay_out(f, g, &shared->list);
    if (!kt_cache_fill_end(&f->shared, slots, node, word, &shared->head)) {
        kt_cache_block_free(&f->shared, &shared->head);
        return false;
    }
    *out = &shared->list;
    return true;
}

static KtStatus read_list(KtFetch *f, uint8_t dir, KtNodeId node, KtNodeList **out)
{
    KtKey prefix = kt_key_adj_prefix(node, dir);
    Gather g = {0};
    KtSlots *slots = kt_cache_lists(&f->shared, dir);
    KtSlotWord word;
    bool fill = kt_cache_fill_begin(&f->shared, slots, node, &word);
    kt_buf_clear(&f->scratch);
    KT_TRY(kt_kv_iter_prefix(f->adj, kt_key_span(&prefix), kt_span(NULL, 0)));
    while (kt_kv_iter_valid(f->adj)) {
        KtAdjKey key;
        if (!kt_key_parse_adj(kt_kv_iter_key(f->adj), &key))
            return damaged(f, "adjacency of node", node);
        KtStatus status = gather_segment(f, &g, &key, kt_kv_iter_value(f->adj));
        if (status == KT_ERR_CORRUPTION)
            return damaged(f, "adjacency of node", node);
        KT_TRY(status);
        KT_TRY(kt_kv_iter_next(f->adj));
    }
    if (fill && share_list(f, &g, slots, node, word, out))
        return KT_OK;
    return make_list(f, &g, out);
}

static KtStatus read_lists(KtFetch *f, Kept kind, const uint64_t *id, uint32_t n, void **out)
{
    if (!f->adj)
        KT_TRY(kt_kv_iter_open(f->kv, f->at, KT_FAMILY_ADJ, 0, &f->adj));
    for (uint32_t i = 0; i < n; i++) {
        KtNodeList *list = NULL;
        KtStatus status = read_list(f, kind == KEPT_OUT ? KT_OUT : KT_IN, id[i], &list);
        if (status != KT_OK) {
            while (i > 0)
                kt_fetch_drop(f, out[--i]);
            return status;
        }
        out[i] = list;
    }
    return KT_OK;
}

KtSlots *kt_fetch_slots(KtFetch *f, uint8_t dir, KtCommit *at)
{
    *at = f->shared.at;
    return kt_cache_lists(&f->shared, dir);
}

KtStatus kt_fetch_lists(KtFetch *f, uint8_t dir, const KtNodeId *node, uint32_t n, KtNodeList **out)
{
    KtSlots *slots = kt_cache_lists(&f->shared, dir);
    uint32_t misses = 0;
    /* In stages, so that the cache misses of a batch overlap: words, heads, lists. */
    for (uint32_t i = 0; i < n; i++)
        kt_slots_prefetch_word(slots, node[i]);
    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(kt_slots_target(slots, node[i]));
    for (uint32_t i = 0; i < n; i++) {
        KtSlotBlock *block;
        KtSlotKind kind = kt_slots_read(slots, node[i], f->shared.at, &block);
        if (kind == KT_SLOT_BLOCK) {
            out[i] = &((KtSharedList *)block)->list;
            __builtin_prefetch((const char *)block + 64);
            __builtin_prefetch((const char *)block + 128);
        } else {
            out[i] = kind == KT_SLOT_EMPTY ? &empty_list : NULL;
            misses += kind == KT_SLOT_UNKNOWN;
        }
    }
    if (misses == 0)
        return KT_OK;
    uint64_t *id = malloc(misses * sizeof *id);
    uint32_t *at = malloc(misses * sizeof *at);
    void **list = malloc(misses * sizeof *list);
    KtStatus status = id && at && list ? KT_OK : KT_ERR_MEMORY;
    uint32_t k = 0;
    for (uint32_t i = 0; i < n && status == KT_OK; i++) {
        if (!out[i]) {
            id[k] = node[i];
            at[k++] = i;
        }
    }
    if (status == KT_OK)
        status = fetch(f, dir == KT_OUT ? KEPT_OUT : KEPT_IN, id, k, 0, read_lists, list);
    for (uint32_t i = 0; i < k && status == KT_OK; i++)
        out[at[i]] = list[i];
    free(id);
    free(at);
    free((void *)list);
    return status;
}

/* ---- records and maps ---- */

/* kt_kv_multi_get of up to GET_MOST distinct ids, each value made a block by `make`. */
typedef KtStatus (*MakeBlock)(KtFetch *f, Kept kind, uint64_t id, KtSpan bytes, void **out);

static KtStatus get_blocks(KtFetch *f, Kept kind, uint32_t family, const uint64_t *id, uint32_t n,
                           MakeBlock make, void **out)
{
    KtKey key[GET_MOST];
    KtSpan span[GET_MOST];
    KtKvValue value[GET_MOST];
    if (n == 0)
        return KT_OK;
    for (uint32_t i = 0; i < n; i++) {
        key[i] = kt_key_u64(id[i]);
        span[i] = kt_key_span(&key[i]);
    }
    KT_TRY(kt_kv_multi_get(f->kv, f->at, family, n, span, true, value));
    KtStatus status = KT_OK;
    uint32_t made = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (status == KT_OK)
            status = make(f, kind, id[i], value[i].bytes, &out[i]);
        if (status == KT_OK)
            made++;
        kt_kv_release(&value[i]);
    }
    if (status != KT_OK) {
        while (made > 0)
            kt_fetch_drop(f, out[--made]);
    }
    return status;
}

static KtStatus make_record(KtFetch *f, Kept kind, uint64_t id, KtSpan bytes, void **out)
{
    (void)kind;
    (void)id;
    void *block;
    KT_TRY(kt_fetch_make(f, sizeof(KtRecordBlock) + bytes.len, &block));
    KtRecordBlock *record = block;
    record->found = bytes.at != NULL;
    uint8_t *copy = (uint8_t *)(record + 1);
    if (bytes.len)
        memcpy(copy, bytes.at, bytes.len);
    record->bytes = kt_span(copy, bytes.len);
    *out = record;
    return KT_OK;
}

static KtStatus read_records(KtFetch *f, Kept kind, const uint64_t *id, uint32_t n, void **out)
{
    return get_blocks(f, kind, kind == KEPT_NODE ? KT_FAMILY_NODE : KT_FAMILY_REL, id, n,
                      make_record, out);
}

KtStatus kt_fetch_records(KtFetch *f, KtKind kind, const uint64_t *id, uint32_t n,
                          KtRecordBlock **out)
{
    return fetch(f, kind == KT_NODE ? KEPT_NODE : KEPT_REL, id, n, 0, read_records, (void **)out);
}

static KtStatus make_relmap(KtFetch *f, Kept kind, uint64_t id, KtSpan bytes, void **out)
{
    (void)kind;
    void *block;
    KT_TRY(kt_fetch_make(f, sizeof(KtRelmapBlock), &block));
    KtRelmapBlock *made = block;
    memset(made->map.present, 0, sizeof made->map.present);
    KtStatus status = bytes.at ? kt_relmap_decode(bytes, &made->map) : KT_OK;
    if (status != KT_OK) {
        kt_fetch_drop(f, made);
        return status == KT_ERR_CORRUPTION
                   ? damaged(f, "map of relationships from", id << KT_RELMAP_BITS)
                   : status;
    }
    *out = made;
    return KT_OK;
}

static KtStatus read_relmaps(KtFetch *f, Kept kind, const uint64_t *id, uint32_t n, void **out)
{
    return get_blocks(f, kind, KT_FAMILY_RELMAP, id, n, make_relmap, out);
}

KtStatus kt_fetch_relmaps(KtFetch *f, const KtRelId *rel, uint32_t n, KtRelmapBlock **out)
{
    return fetch(f, KEPT_RELMAP, rel, n, KT_RELMAP_BITS, read_relmaps, (void **)out);
}

KtStatus kt_fetch_value(KtFetch *f, KtKind kind, uint64_t id, KtToken key, KtArena *arena,
                        KtValue *out)
{
    KtKey k = kt_key_value(id, key);
    KtKvValue value;
    KT_TRY(kt_kv_get(f->kv, f->at, kind == KT_NODE ? KT_FAMILY_NODE : KT_FAMILY_REL,
                     kt_key_span(&k), &value));
    KtStatus status = KT_ERR_CORRUPTION;
    if (value.bytes.at) {
        char *copy = kt_arena_text(arena, (const char *)value.bytes.at, value.bytes.len);
        status =
            copy ? kt_value_decode_out(kt_span(copy, value.bytes.len), arena, out) : KT_ERR_MEMORY;
    }
    kt_kv_release(&value);
    return status == KT_ERR_CORRUPTION ? damaged(f, "long property value", id) : status;
}

KtStatus kt_fetch_index_iter(KtFetch *f, KtKvIter **out)
{
    if (!f->index)
        KT_TRY(kt_kv_iter_open(f->kv, f->at, KT_FAMILY_INDEX, KT_KV_TOTAL_ORDER, &f->index));
    *out = f->index;
    return KT_OK;
}
