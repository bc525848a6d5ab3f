/* storage/cache/graph_cache.c - the directories of one database, and who may fill and evict them. */
#include "storage/cache/graph_cache.h"

#include "storage/cache/blocks.h"
#include "storage/graph.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    MOST_DIRECTORIES =
        4096,           /* keys, and labels, that are cached; later ones are read from records */
    ASKED_PAGES = 4096, /* counters of asked rows: a small hash of (key, page) */
    WORTH_FILLING = KT_PAGE_ROWS / 8,
    WORTH_AGAIN = 16 /* rows asked of a page that a commit took away: it was in use */
};

typedef struct Directories {
    _Atomic(KtSlots *) at[MOST_DIRECTORIES];   /* by token */
    _Atomic(KtSlots *) made[MOST_DIRECTORIES]; /* in order of making */
    KtToken token[MOST_DIRECTORIES];           /* of made[i] */
    atomic_uint n;
} Directories;

struct KtGraphCache {
    KtEpochs *epochs;
    KtBlocks *blocks;
    KtCacheBytes bytes;
    KtSlots *list[2]; /* KT_OUT, KT_IN */
    Directories column, member;
    /* Making a directory and raising exclude each other: a directory begins at the newest number that was, or is
     * being, raised, so that no commit can have passed it by. */
    pthread_mutex_t directories;
    KtCommit raised;
    _Atomic KtCommit published;
    pthread_mutex_t evicting;
    unsigned evict_turn;
    atomic_ushort asked[ASKED_PAGES];
};

static void free_block(void *user, void *memory) { kt_blocks_free(user, memory); }

KtStatus kt_graph_cache_open(size_t bytes, KtCommit recovered, KtGraphCache **out)
{
    KtGraphCache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return KT_ERR_MEMORY;
    (void)pthread_mutex_init(&cache->directories, NULL);
    (void)pthread_mutex_init(&cache->evicting, NULL);
    cache->bytes.limit = bytes;
    cache->raised = recovered;
    atomic_init(&cache->published, recovered);
    KtStatus status = kt_epochs_open(&cache->epochs);
    if (status == KT_OK)
        status = kt_blocks_open(bytes + bytes / 2, &cache->blocks);
    if (status == KT_OK)
        kt_epochs_free_with(cache->epochs, free_block, cache->blocks);
    for (int i = 0; i < 2 && status == KT_OK; i++)
        status = kt_slots_open(cache->epochs, &cache->bytes, recovered, &cache->list[i]);
    if (status != KT_OK) {
        kt_graph_cache_close(cache);
        return status;
    }
    *out = cache;
    return KT_OK;
}

void kt_graph_cache_close(KtGraphCache *cache)
{
    if (!cache)
        return;
    for (int i = 0; i < 2; i++)
        kt_slots_close(cache->list[i]);
    for (unsigned i = 0; i < cache->column.n; i++)
        kt_slots_close(cache->column.made[i]);
    for (unsigned i = 0; i < cache->member.n; i++)
        kt_slots_close(cache->member.made[i]);
    kt_epochs_close(cache->epochs);
    kt_blocks_close(cache->blocks);
    (void)pthread_mutex_destroy(&cache->directories);
    (void)pthread_mutex_destroy(&cache->evicting);
    free(cache);
}

size_t kt_graph_cache_bytes(const KtGraphCache *cache)
{
    return atomic_load_explicit(&cache->bytes.used, memory_order_relaxed);
}

/* ---- the committer ---- */

void kt_graph_cache_begin(KtGraphCache *cache, KtCommit c)
{
    (void)pthread_mutex_lock(&cache->directories);
    cache->raised = c;
    (void)pthread_mutex_unlock(&cache->directories);
}

void kt_graph_cache_raise_list(KtGraphCache *cache, uint8_t dir, uint64_t node, KtCommit c)
{
    (void)kt_slots_raise(cache->list[dir == KT_OUT ? 0 : 1], node, c);
}

static atomic_ushort *asked_of(KtGraphCache *cache, KtToken key, uint64_t page)
{
    return &cache->asked[(key * 2654435761u + page) % ASKED_PAGES];
}

/* Directories that are made meanwhile begin with c (kt_graph_cache_begin). */
static void raise_columns(KtGraphCache *cache, uint64_t page, KtCommit c)
{
    unsigned n = atomic_load_explicit(&cache->column.n, memory_order_acquire);
    for (unsigned i = 0; i < n; i++) {
        if (kt_slots_raise(cache->column.made[i], page, c))
            atomic_store_explicit(asked_of(cache, cache->column.token[i], page),
                                  WORTH_FILLING - WORTH_AGAIN, memory_order_relaxed);
    }
}

static void raise_members(KtGraphCache *cache, uint64_t page, KtCommit c)
{
    unsigned n = atomic_load_explicit(&cache->member.n, memory_order_acquire);
    for (unsigned i = 0; i < n; i++)
        (void)kt_slots_raise(cache->member.made[i], page, c);
}

void kt_graph_cache_raise_node(KtGraphCache *cache, uint64_t node, KtCommit c)
{
    raise_columns(cache, node >> KT_PAGE_BITS, c);
    raise_members(cache, node >> KT_MEMBER_BITS, c);
}

void kt_graph_cache_published(KtGraphCache *cache, KtCommit c)
{
    atomic_store_explicit(&cache->published, c, memory_order_release);
}

/* ---- readers ---- */

KtStatus kt_cache_reader_open(KtGraphCache *cache, KtCommit at, KtCacheReader *out)
{
    KtCacheReader reader = {.cache = cache, .at = at};
    KT_TRY(kt_epoch_register(cache->epochs, &reader.epoch));
    *out = reader;
    return KT_OK;
}

void kt_cache_reader_close(KtCacheReader *reader)
{
    if (reader->cache)
        kt_epoch_unregister(reader->cache->epochs, reader->epoch);
    reader->cache = NULL;
}

void kt_cache_reader_leave(KtCacheReader *reader)
{
    if (reader->cache)
        kt_epoch_leave(reader->epoch);
}

KtSlots *kt_cache_lists(KtCacheReader *reader, uint8_t dir)
{
    kt_epoch_enter(reader->cache->epochs, reader->epoch);
    return reader->cache->list[dir == KT_OUT ? 0 : 1];
}

static KtSlots *directory(KtCacheReader *reader, Directories *directories, KtToken token)
{
    KtGraphCache *cache = reader->cache;
    if (token >= MOST_DIRECTORIES)
        return NULL;
    kt_epoch_enter(cache->epochs, reader->epoch);
    KtSlots *slots = atomic_load_explicit(&directories->at[token], memory_order_acquire);
    if (slots)
        return slots;
    (void)pthread_mutex_lock(&cache->directories);
    slots = directories->at[token];
    if (!slots && kt_slots_open(cache->epochs, &cache->bytes, cache->raised, &slots) == KT_OK) {
        unsigned n = directories->n;
        atomic_store_explicit(&directories->made[n], slots, memory_order_relaxed);
        directories->token[n] = token;
        atomic_store_explicit(&directories->n, n + 1, memory_order_release);
        atomic_store_explicit(&directories->at[token], slots, memory_order_release);
    }
    (void)pthread_mutex_unlock(&cache->directories);
    return slots;
}

KtSlots *kt_cache_columns(KtCacheReader *reader, KtToken key)
{
    return directory(reader, &reader->cache->column, key);
}
KtSlots *kt_cache_members(KtCacheReader *reader, KtToken label)
{
    return directory(reader, &reader->cache->member, label);
}

/* ---- filling ---- */

bool kt_cache_fill_begin(KtCacheReader *reader, KtSlots *slots, uint64_t index, KtSlotWord *out)
{
    if (!slots || !kt_slots_load(slots, index, out))
        return false;
    /* Taken after the word was loaded. The view reads at `at`: only if that is P may what it reads go in. */
    KtCommit published = atomic_load(&reader->cache->published);
    return published == reader->at && published >= out->c;
}

/* Keeps the cache within its budget: a little at a time, the directories in turn. `some`: even within it, since what is
 * free lies in pieces that are too small. */
static void evict(KtGraphCache *cache, bool some)
{
    size_t used = kt_graph_cache_bytes(cache), limit = cache->bytes.limit;
    if ((used <= limit && !some) || pthread_mutex_trylock(&cache->evicting) != 0)
        return;
    size_t want = (used > limit ? used - limit : 0) + limit / 64;
    unsigned columns = cache->column.n, members = cache->member.n, all = 2 + columns + members;
    for (unsigned tries = 0; want > 0 && tries < all; tries++) {
        unsigned turn = cache->evict_turn % all;
        KtSlots *slots = turn < 2             ? cache->list[turn]
                         : turn < 2 + columns ? cache->column.made[turn - 2]
                                              : cache->member.made[turn - 2 - columns];
        size_t gone = kt_slots_evict(slots, want);
        want = gone < want ? want - gone : 0;
        if (want > 0)
            cache->evict_turn++;
    }
    (void)pthread_mutex_unlock(&cache->evicting);
}

bool kt_graph_cache_held_back(KtGraphCache *cache)
{
    size_t much = cache->bytes.limit / 8;
    if (kt_epochs_waiting(cache->epochs) <= much)
        return false;
    (void)kt_epochs_collect(cache->epochs);
    return kt_epochs_waiting(cache->epochs) > much;
}

/* What a reader that stays inside its epoch holds back is memory too: with much of it nothing more comes in, and
 * whoever reads keeps its lists to itself, on its own budget. */
static bool overfull(KtGraphCache *cache)
{
    size_t most = cache->bytes.limit + cache->bytes.limit / 4;
    if (kt_graph_cache_bytes(cache) + kt_epochs_waiting(cache->epochs) <= most)
        return false;
    (void)kt_epochs_collect(cache->epochs);
    return kt_graph_cache_bytes(cache) + kt_epochs_waiting(cache->epochs) > most;
}

bool kt_cache_fill_end(KtCacheReader *reader, KtSlots *slots, uint64_t index, KtSlotWord word,
                       KtSlotBlock *block)
{
    if (block && block->bytes > reader->cache->bytes.limit / 8)
        return false; /* one hub does not push out everything else */
    if (block && overfull(reader->cache))
        return false;
    if (!kt_slots_fill(slots, index, word, reader->at, block))
        return false;
    evict(reader->cache, false);
    return true;
}

KtSlotBlock *kt_cache_block_make(KtCacheReader *reader, uint32_t bytes)
{
    KtSlotBlock *block = kt_blocks_make(reader->cache->blocks, bytes);
    if (!block)
        evict(reader->cache, true);
    return block;
}
void kt_cache_block_free(KtCacheReader *reader, KtSlotBlock *block)
{
    kt_blocks_free(reader->cache->blocks, block);
}

bool kt_cache_wants_column(KtCacheReader *reader, KtToken key, uint64_t page, uint32_t rows)
{
    atomic_ushort *asked = asked_of(reader->cache, key, page);
    unsigned sum = atomic_load_explicit(asked, memory_order_relaxed) + rows;
    bool worth = sum >= WORTH_FILLING;
    atomic_store_explicit(asked, (unsigned short)(worth ? 0 : sum), memory_order_relaxed);
    return worth;
}
