/* storage/database_internal.h - the inside of a KtDatabase, for storage/ alone.
 *
 * Three parts with a lock each: the published snapshot, the queue of turns, the store's own (storage/store.h). What
 * only the holder of the turn touches has none. */
#ifndef KT_STORAGE_DATABASE_INTERNAL_H
#define KT_STORAGE_DATABASE_INTERNAL_H

#include "storage/cache/graph_cache.h"
#include "storage/catalog.h"
#include "storage/database.h"
#include "storage/key.h"
#include "storage/store.h"
#include "storage/txn/apply.h"

/* A commit that can be read: shared by all views that were opened on it. */
typedef struct KtPublished {
    atomic_uint refs;
    KtCommit number;
    KtKvSnapshot *snapshot;
    KtSchemaPicture *schema;
} KtPublished;

struct KtDatabase {
    KtStore *store;
    KtGraphCache *cache;
    uint32_t id;
    uint64_t log_keep_s, log_keep_bytes;
    atomic_bool latched;
    atomic_uint views; /* open ones */

    pthread_mutex_t publish_lock;
    KtPublished *published; /* the newest; holds one reference */

    pthread_mutex_t turn_lock;
    KtTurn *turn_first, *turn_last; /* waiting, in order of arrival */
    KtTurn *turn_held;
};

/* Ownership: one reference to *out. */
KtStatus kt_published_make(KtDatabase *db, KtCommit number, KtPublished **out) KT_MUST_CHECK;
KtPublished *kt_published_hold(KtDatabase *db);                 /* the newest */
void kt_published_drop(KtDatabase *db, KtPublished *published); /* NULL is allowed */
/* Makes it the newest; takes over the caller's reference. */
void kt_publish(KtDatabase *db, KtPublished *published);

/* kt_database_open over a store that is open already (its ownership goes over, also on failure): tests with faults. */
KtStatus kt_database_open_kv(KtKv *kv, const KtDatabaseSpec *spec, KtDiag *diag,
                             KtDatabase **out) KT_MUST_CHECK;

/* ---- the sequencer: storage/txn/sequencer.c. The caller holds the turn ---- */

/* Commits `n` changes as one member: record, apply, one synced write, publish. Errors: as kt_view_commit. */
KtStatus kt_sequence(KtDatabase *db, const KtChange *change, uint32_t n, KtDiag *diag,
                     KtCommit *out) KT_MUST_CHECK;
/* Applies a change record as it stands, in place of a commit: restoring, following. Its first number must be the next.
 * Errors: CORRUPTION if it does not follow the chain, else as above. */
KtStatus kt_sequence_record(KtDatabase *db, KtSpan record, KtDiag *diag) KT_MUST_CHECK;

/* ---- indexes: storage/index_build.c ---- */

/* Fills indexes that are BUILDING: found at open. */
KtStatus kt_index_finish_all(KtDatabase *db, KtDiag *diag) KT_MUST_CHECK;

/* Turns of the database's own. */
void kt_turns_init(KtDatabase *db);

#endif
