/* storage/txn/apply.h - from a change record to keys: the only code that knows both.
 *
 * Committing, restoring, replaying an archive and following a log all call kt_apply. It may read the store as of
 * the previous record; it folds all that a record does to one entity before it writes a key, so members of a
 * group may change parts of the same record. Nothing in memory changes until kt_apply_install. */
#ifndef KT_STORAGE_TXN_APPLY_H
#define KT_STORAGE_TXN_APPLY_H

#include "storage/store.h"
#include "storage/txn/change_record.h"

typedef struct KtCountDelta {
    KtNameKind kind;
    KtToken token;
    uint64_t count; /* the new absolute value */
} KtCountDelta;

typedef struct KtSplitChange {
    KtNodeId node;
    KtToken type;
    uint8_t dir;
    uint32_t n;
    KtMetaBound *bound; /* malloc; NULL once installed */
    struct KtSplitChange *next;
} KtSplitChange;

/* An edge that the record adds or removes in sum, as both of its lists see it; for caches of lists. */
typedef struct KtEdgeChange {
    KtNodeId node;
    uint8_t dir;
    bool add;
    KtToken type;
    uint64_t nbr, rel;
} KtEdgeChange;

/* What becomes true in memory once the batch is on disk. Lives in the arena given to kt_apply. */
typedef struct KtApplied {
    KtMetaState state;
    uint32_t names[4]; /* durable after this record, by kind */
    KtCountDelta *count;
    uint32_t counts;
    KtSplitChange *split;
    uint32_t splits;
    KtSchemaPicture *schema;  /* NULL: as before */
    const KtEdgeChange *edge; /* sorted by node, dir, type, nbr, rel */
    uint32_t edges;
    const KtNodeId *node; /* nodes whose record changed, ascending */
    uint32_t nodes;
} KtApplied;

/* Appends the keys of `record` to `batch`. All memory but what install takes is in `arena`. On an error the batch is
 * to be thrown away and kt_apply_drop called. Errors: CORRUPTION (the record does not fit the store), MEMORY, IO. */
KtStatus kt_apply(KtStore *store, const KtChangeRecord *record, KtArena *arena, KtKvBatch *batch,
                  KtApplied **out) KT_MUST_CHECK;
/* Room for what install will do; called before the write, so that install cannot fail. */
KtStatus kt_apply_reserve(KtStore *store, const KtApplied *applied) KT_MUST_CHECK;
/* After the write returned. */
void kt_apply_install(KtStore *store, KtApplied *applied);
/* Gives back what was not installed. NULL is allowed. */
void kt_apply_drop(KtApplied *applied);

#endif
