/* storage/catalog.h - schema and statistics: what the binder and planner may know of a database.
 *
 * A KtSchema is an immutable picture of one schema version. */
#ifndef KT_STORAGE_CATALOG_H
#define KT_STORAGE_CATALOG_H

#include "storage/graph.h"

typedef enum KtIndexState { KT_INDEX_BUILDING = 1, KT_INDEX_ONLINE = 2 } KtIndexState;

typedef struct KtIndexFacts {
    uint32_t id;
    KtIndexState state;
    bool unique; /* a unique constraint, which owns its index */
    KtToken label, key;
    KtText name, label_name, key_name;
} KtIndexFacts;

typedef struct KtSchema {
    uint64_t version; /* grows with each change */
    uint32_t n;
    const KtIndexFacts *index; /* sorted by name */
} KtSchema;

/* The schema that this view sees. Lifetime: the view's. */
const KtSchema *kt_view_schema(const KtView *view);

typedef struct KtIndexSpec {
    KtText name; /* empty: one is made up ("index_" or "constraint_" and 8 hex digits of a hash) */
    KtText label, key;
    bool unique;
    bool if_not_exists;
} KtIndexSpec;

/* Commits of their own; they take turns like any writer and return when the index is ONLINE. The caller must
 * not hold the turn. Errors: ALREADY_EXISTS, CONSTRAINT (a duplicate found while filling: names both nodes;
 * nothing of the constraint remains), NOT_FOUND, DEADLINE, CANCELLED. *made: the last commit it made, 0 if
 * there was nothing to do. */
KtStatus kt_index_create(KtDatabase *db, const KtIndexSpec *spec, int64_t deadline_ns,
                         const atomic_bool *cancel, KtDiag *diag, KtCommit *made) KT_MUST_CHECK;
KtStatus kt_index_drop(KtDatabase *db, KtText name, bool constraint, bool if_exists,
                       int64_t deadline_ns, const atomic_bool *cancel, KtDiag *diag,
                       KtCommit *made) KT_MUST_CHECK;

/* Statistics for planning: read from memory, newest published, not part of any view. */
typedef struct KtStats {
    uint64_t nodes, rels;
} KtStats;
KtStats kt_stats(KtDatabase *db);
uint64_t kt_stats_label(KtDatabase *db, KtToken label); /* nodes with it */
uint64_t kt_stats_type(KtDatabase *db, KtToken type);   /* relationships of it */

#endif
