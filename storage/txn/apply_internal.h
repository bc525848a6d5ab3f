/* storage/txn/apply_internal.h - the state of one kt_apply, shared by its files:
 * apply_fold.c folds changes by entity, apply.c writes the folds, apply_keys.c what is keyed by lists, chunks and
 * maps. */
#ifndef KT_STORAGE_TXN_APPLY_INTERNAL_H
#define KT_STORAGE_TXN_APPLY_INTERNAL_H

#include "storage/adjacency.h"
#include "storage/txn/apply.h"

/* An array of the arena. */
#define KT_FOLD_PUSH(apply, array, n, cap, slot)                                           \
    do {                                                                                   \
        void *fold_items_ = (array);                                                       \
        KT_TRY(kt_arena_grow((apply)->arena, &fold_items_, (n), &(cap), sizeof *(array))); \
        (array) = fold_items_;                                                             \
        (slot) = &(array)[(n)++];                                                          \
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

/* ---- folds: what the store held of an entity, and what it holds after the record ---- */

typedef struct KtFoldProps {
    KtProp *prop; /* ascending by key */
    uint32_t n, cap;
} KtFoldProps;

typedef struct KtFoldLabels {
    KtToken *label; /* ascending */
    uint32_t n, cap;
} KtFoldLabels;

typedef struct KtNodeFold {
    KtNodeId id;
    bool existed, exists, dirty, fill;
    KtFoldLabels labels_before, labels;
    KtFoldProps before, after;
    KtToken *out_before; /* keys whose values stood out of line */
    uint32_t outs, outs_cap;
} KtNodeFold;

typedef struct KtRelFold {
    KtRelId id;
    bool existed, exists, had_record, dirty, added, removed;
    KtToken type;
    KtNodeId start, end;
    KtFoldProps after;
    KtToken *out_before;
    uint32_t outs, outs_cap;
} KtRelFold;

typedef struct KtFolds {
    KtApply *apply;
    KtMap64 node_at, rel_at; /* id to place */
    KtNodeFold **node;
    uint32_t nodes, nodes_cap;
    KtRelFold **rel;
    uint32_t rels, rels_cap;
    KtMetaIndex *index; /* the schema, when the record changes it */
    uint32_t indexes, indexes_cap;
    bool schema_changed;
} KtFolds;

static inline bool kt_fold_has_label(const KtFoldLabels *labels, KtToken label)
{
    for (uint32_t i = 0; i < labels->n; i++) {
        if (labels->label[i] == label)
            return true;
    }
    return false;
}

static inline KtValue kt_fold_prop(const KtFoldProps *props, KtToken key)
{
    for (uint32_t i = 0; i < props->n; i++) {
        if (props->prop[i].key == key)
            return props->prop[i].value;
    }
    return kt_null();
}

/* Takes one change into its fold; names and the schema go to the batch at once. Errors: CORRUPTION if it does not fit
 * what the store holds. */
KtStatus kt_fold_change(KtFolds *f, const KtChange *c) KT_MUST_CHECK;

/* Sort and write what was gathered. */
KtStatus kt_apply_edges(KtApply *apply) KT_MUST_CHECK;
KtStatus kt_apply_labels(KtApply *apply) KT_MUST_CHECK;
KtStatus kt_apply_relmaps(KtApply *apply) KT_MUST_CHECK;

#endif
