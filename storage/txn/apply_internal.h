/* storage/txn/apply_internal.h - the state of one kt_apply, shared by its files:
 * apply.c folds changes by entity, apply_keys.c writes what is keyed by lists, chunks and maps. */
#ifndef KT_STORAGE_TXN_APPLY_INTERNAL_H
#define KT_STORAGE_TXN_APPLY_INTERNAL_H

#include "storage/adjacency.h"
#include "storage/txn/apply.h"

/* An array of the arena. */
#define KT_FOLD_PUSH(apply, array, n, cap, slot)                                                       \
    do {                                                                                               \
        void *fold_items_ = (array);                                                                   \
        KT_TRY(kt_arena_grow((apply)->arena, &fold_items_, (n), &(cap), sizeof *(array)));             \
        (array) = fold_items_;                                                                         \
        (slot) = &(array)[(n)++];                                                                      \
    } while (0)

typedef struct KtLabelChange {
    KtToken label;
    KtNodeId node;
    bool member;
} KtLabelChange;

typedef struct KtRelmapChange {
    KtRelId rel;
    bool add;
    KtToken type;
    KtNodeId start, end;
} KtRelmapChange;

typedef struct KtApply {
    KtStore *store;
    const KtChangeRecord *record;
    KtArena *arena;
    KtKvBatch *batch;
    KtApplied *applied;
    const KtSchema *schema; /* after this record */
    KtBuf value;            /* scratch for one value */

    KtEdgeChange *edge;
    uint32_t edges, edges_cap;
    KtLabelChange *label;
    uint32_t labels, labels_cap;
    KtRelmapChange *relmap;
    uint32_t relmaps, relmaps_cap;
    KtMap64 count[3]; /* token to a signed change */
} KtApply;

/* Sort and write what was gathered. */
KtStatus kt_apply_edges(KtApply *apply) KT_MUST_CHECK;
KtStatus kt_apply_labels(KtApply *apply) KT_MUST_CHECK;
KtStatus kt_apply_relmaps(KtApply *apply) KT_MUST_CHECK;

#endif
