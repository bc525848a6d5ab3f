/* storage/cache/graph_cache.h - decoded, immutable pieces of the newest graph, shared by all views.
 *
 * Four kinds of pieces, each with directories of slots (storage/cache/slots.h has the rule):
 *   lists    one for each (node, direction), all types          index: node
 *   columns  one property of 1,024 consecutive nodes            a directory for each key; index: node >> 10
 *   members  which of 4,096 consecutive nodes have a label      a directory for each label; index: node >> 12
 * What is not here, or too new for a view, is read from the store by whoever needs it (storage/fetch.c), who may then
 * put it here. The one committer raises what a commit touches after its sync and before it is published. */
#ifndef KT_STORAGE_CACHE_GRAPH_CACHE_H
#define KT_STORAGE_CACHE_GRAPH_CACHE_H

#include "base/column.h"
#include "storage/cache/slots.h"

enum { KT_PAGE_BITS = 10, KT_PAGE_ROWS = 1 << KT_PAGE_BITS, KT_MEMBER_BITS = 12 };

typedef struct KtGraphCache KtGraphCache;

/* Values of one key for KT_PAGE_ROWS nodes. kind VALUE: they are no column (texts, lists, mixed kinds); ask the
 * records. */
typedef struct KtColumnPage {
    KtSlotBlock head;
    KtColKind kind; /* INT, FLOAT, BOOL or VALUE */
    bool nulls;     /* some value is null */
    /* of a value: 1 (all are 0 .. 255), 4 (all fit i32) or 8 (i64, or double bits) */
    uint8_t width;
    uint64_t null[KT_PAGE_ROWS / 64];
    uint64_t value
        []; /* KT_PAGE_ROWS values of `width` bytes, none for VALUE; those that are null are 0 */
} KtColumnPage;

static inline int64_t kt_page_value(const KtColumnPage *page, uint32_t at)
{
    const void *value = page->value;
    switch (page->width) {
    case 1: return ((const uint8_t *)value)[at];
    case 4: return ((const int32_t *)value)[at];
    default: return ((const int64_t *)value)[at];
    }
}

typedef struct KtMemberPage {
    KtSlotBlock head;
    uint64_t bits[(1 << KT_MEMBER_BITS) / 64];
} KtMemberPage;

/* `recovered`: the commit number at open. `bytes`: the budget; what is over it is evicted by whoever fills. */
KtStatus kt_graph_cache_open(size_t bytes, KtCommit recovered, KtGraphCache **out) KT_MUST_CHECK;
void kt_graph_cache_close(KtGraphCache *cache); /* no reader is open; NULL is allowed */

/* ---- the committer ---- */

/* Between sync and publish, for each list, node record and member that commit `c` touches. */
void kt_graph_cache_raise_list(KtGraphCache *cache, uint8_t dir, uint64_t node, KtCommit c);
void kt_graph_cache_raise_node(KtGraphCache *cache, uint64_t node, KtCommit c);
/* Before the first raise of commit c: directories made from here on begin with c. */
void kt_graph_cache_begin(KtGraphCache *cache, KtCommit c);
/* After publish. */
void kt_graph_cache_published(KtGraphCache *cache, KtCommit c);

/* ---- a view ---- */

typedef struct KtCacheReader {
    KtGraphCache *cache;
    KtEpochReader *epoch;
    KtCommit at;
} KtCacheReader;

KtStatus kt_cache_reader_open(KtGraphCache *cache, KtCommit at, KtCacheReader *out) KT_MUST_CHECK;
void kt_cache_reader_close(KtCacheReader *reader);
/* Blocks found before are no longer to be looked at. */
void kt_cache_reader_leave(KtCacheReader *reader);

/* The directory of lists of a direction; of a key's columns and a label's members, made if need be (NULL: no memory).
 * All calls enter the epoch. */
KtSlots *kt_cache_lists(KtCacheReader *reader, uint8_t dir);
KtSlots *kt_cache_columns(KtCacheReader *reader, KtToken key);
KtSlots *kt_cache_members(KtCacheReader *reader, KtToken label);

/* A fill: begin loads the word and says whether a fill can succeed (the view reads the newest published commit);
 * then read the store, build a block, and end. end takes the block over when it returns true. */
bool kt_cache_fill_begin(KtCacheReader *reader, KtSlots *slots, uint64_t index, KtSlotWord *out);
bool kt_cache_fill_end(KtCacheReader *reader, KtSlots *slots, uint64_t index, KtSlotWord word,
                       KtSlotBlock *block);

/* Memory for a list, near the others: its head is set. NULL: no memory. Given back only if no slot took it. */
KtSlotBlock *kt_cache_block_make(KtCacheReader *reader, uint32_t bytes);
void kt_cache_block_free(KtCacheReader *reader, KtSlotBlock *block);

/* Notes that rows of a column page were asked for; true when it is worth filling. */
bool kt_cache_wants_column(KtCacheReader *reader, KtToken key, uint64_t page, uint32_t rows);

size_t kt_graph_cache_bytes(const KtGraphCache *cache);
/* Readers that stay inside their epoch hold back much: half of what makes fills stop. Frees first what can be freed. */
bool kt_graph_cache_held_back(KtGraphCache *cache);

#endif
