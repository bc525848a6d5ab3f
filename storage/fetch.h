/* storage/fetch.h - the one place where a view's snapshot is read: lists, records and relationship maps, a
 * batch at a time.
 *
 * What was decoded is kept for the view, up to a limit, so that a query that comes back to a node does not
 * read it twice; a batch's misses are read in order of their keys. Blocks are immutable and counted: whoever
 * gets one holds it until kt_fetch_drop, whatever the cache forgets meanwhile. The unit of adjacency is (node,
 * direction), with all types.
 * Threads: one view, one thread. Errors of all: IO, CORRUPTION (words in the diag), MEMORY. */
#ifndef KT_STORAGE_FETCH_H
#define KT_STORAGE_FETCH_H

#include "base/hash.h"
#include "storage/cache/graph_cache.h"
#include "storage/graph.h"
#include "storage/kv/kv.h"
#include "storage/relmap.h"

/* The head of every block; 8 bytes of alignment follow. */
typedef struct KtBlock {
    uint32_t refs;
    /* bytes charged, all included; 0: shared, of the graph cache, held by the view's epoch */
    uint32_t size;
} KtBlock;

typedef struct KtListRun { /* the part of one type */
    KtToken type;
    uint32_t first, n, loops;
} KtListRun;

/* One direction of one node, sorted by (type, nbr, rel). Runs, neighbours and relationship ids stand behind it in this
 * order, so that the head of a short list is one cache line and there are no pointers to follow. */
typedef struct KtNodeList {
    KtBlock block;
    uint32_t n, runs : 31, wide : 1; /* wide: relationship ids of 8 bytes, else 4 */
} KtNodeList;

static inline const KtListRun *kt_list_runs(const KtNodeList *list)
{
    return (const KtListRun *)(const void *)(list + 1);
}
static inline const uint32_t *kt_list_nbr(const KtNodeList *list)
{
    return (const uint32_t *)(const void *)(kt_list_runs(list) + list->runs);
}
static inline const void *kt_list_rels(const KtNodeList *list)
{
    /* 8-byte ids are aligned; what comes before an odd number of neighbours is. */
    return kt_list_nbr(list) + list->n + (list->wide ? list->n & 1u : 0u);
}
static inline uint32_t kt_list_rel_width(const KtNodeList *list) { return list->wide ? 8 : 4; }
static inline size_t kt_list_bytes(uint32_t n, uint32_t runs, bool wide)
{
    return sizeof(KtNodeList) + (size_t)runs * sizeof(KtListRun) + (size_t)n * (wide ? 12 : 8) +
           (wide ? (n & 1u) * 4u : 0u);
}

/* A list of the graph cache: the slot's head, then a list as any other. */
typedef struct KtSharedList {
    KtSlotBlock head;
    KtNodeList list;
} KtSharedList;

typedef struct KtRecordBlock {
    KtBlock block;
    bool found;
    KtSpan bytes; /* the record */
} KtRecordBlock;

typedef struct KtRelmapBlock {
    KtBlock block;
    KtRelmap map;
} KtRelmapBlock;

typedef struct KtFetch KtFetch;

/* `number`: the commit that `at` shows. `diag` may change over a view's life: it is read through the pointer. */
KtStatus kt_fetch_open(KtKv *kv, const KtKvSnapshot *at, KtGraphCache *cache, KtCommit number,
                       KtBudget *budget, KtDiag *const *diag, KtFetch **out) KT_MUST_CHECK;
void kt_fetch_park(KtFetch *fetch); /* iterators and all that is kept */
void kt_fetch_close(
    KtFetch *fetch); /* KT_CHECKs nothing: held blocks must have been dropped before */

/* For whoever looks into the graph cache by itself before it asks kt_fetch_lists: the slots of a direction, whose
 * blocks are KtSharedList, and the commit to read at. What is found may be looked at until kt_fetch_park. */
KtSlots *kt_fetch_slots(KtFetch *fetch, uint8_t dir, KtCommit *at);
/* out[i]: the list of node[i], held. On an error nothing is held. */
KtStatus kt_fetch_lists(KtFetch *fetch, uint8_t dir, const KtNodeId *node, uint32_t n,
                        KtNodeList **out) KT_MUST_CHECK;
/* One property of many nodes from columns of the graph cache, if they hold all of them: *done tells. Rows and nulls as
 * kt_node_props. Columns that are asked for often are filled. */
KtStatus kt_fetch_column(KtFetch *fetch, KtToken key, KtIds ids, KtArena *arena, KtColumn *out,
                         bool *done) KT_MUST_CHECK;
/* kt_node_prop_sums from columns of the graph cache, if they hold all of them: *done tells. */
KtStatus kt_fetch_sums(KtFetch *fetch, KtToken key, const KtIdList *list, uint32_t n, int64_t *sum,
                       bool *done) KT_MUST_CHECK;
/* The members of one page of 4,096 ids, if the graph cache knows: bits, or NULL where there are none. Valid until
 * kt_fetch_park. */
void kt_fetch_member_page(KtFetch *fetch, KtToken label, uint64_t page, const uint64_t **bits,
                          bool *known);
/* Puts a page that was read from the store at the view's snapshot into the graph cache, if it takes it. Errors:
 * MEMORY. */
struct KtLabelChunk;
KtStatus kt_fetch_keep_members(KtFetch *fetch, KtToken label, uint64_t page,
                               const struct KtLabelChunk *chunk) KT_MUST_CHECK;
/* Sets or clears the bit of each row by whether the node has the label, if the graph cache knows of all: *done
 * tells. */
void kt_fetch_members_known(KtFetch *fetch, KtToken label, const KtIds *ids, uint64_t *bits,
                            bool *done);
/* out[i]: whether node[i] has the label, and its bit in `left` cleared, where the graph cache knows or can be told. */
KtStatus kt_fetch_members(KtFetch *fetch, KtToken label, const uint64_t *node, uint32_t n,
                          bool *out, uint64_t *left) KT_MUST_CHECK;
/* out[i]: the record of node or relationship id[i], held. A relationship without properties has none. */
KtStatus kt_fetch_records(KtFetch *fetch, KtKind kind, const uint64_t *id, uint32_t n,
                          KtRecordBlock **out) KT_MUST_CHECK;
/* out[i]: the map that relationship rel[i] is in, held. */
KtStatus kt_fetch_relmaps(KtFetch *fetch, const KtRelId *rel, uint32_t n,
                          KtRelmapBlock **out) KT_MUST_CHECK;
/* A property value that stands out of line. Lifetime: the arena's. */
KtStatus kt_fetch_value(KtFetch *fetch, KtKind kind, uint64_t id, KtToken key, KtArena *arena,
                        KtValue *out) KT_MUST_CHECK;

/* An iterator over the index family, kept until the next park. Lifetime: its moves end at the next caller's. */
KtStatus kt_fetch_index_iter(KtFetch *fetch, KtKvIter **out) KT_MUST_CHECK;

/* A block of the caller's own making, to be filled and then held like the others. */
KtStatus kt_fetch_make(KtFetch *fetch, size_t size, void **out) KT_MUST_CHECK;
/* Gives back a block of any of these kinds; NULL is allowed. */
void kt_fetch_drop(KtFetch *fetch, void *block);

#endif
