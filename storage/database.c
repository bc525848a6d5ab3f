/* storage/database.c - opening and closing a database, and publishing its commits. */
#include "storage/database_internal.h"

#include "storage/format.h"

#include <stdlib.h>

enum { KEEP_S = 3600, KEEP_BYTES = 256 * 1024 * 1024, CACHE_BYTES = 64 * 1024 * 1024 };

/* ---- what is published ---- */

KtStatus kt_published_make(KtDatabase *db, KtCommit number, KtPublished **out)
{
    KtPublished *published = calloc(1, sizeof *published);
    if (!published)
        return KT_ERR_MEMORY;
    KtStatus status = kt_kv_snapshot(db->store->kv, &published->snapshot);
    if (status != KT_OK) {
        free(published);
        return status;
    }
    atomic_init(&published->refs, 1);
    published->number = number;
    published->schema = kt_schema_hold(db->store->schema);
    *out = published;
    return KT_OK;
}

KtPublished *kt_published_hold(KtDatabase *db)
{
    (void)pthread_mutex_lock(&db->publish_lock);
    KtPublished *published = db->published;
    atomic_fetch_add_explicit(&published->refs, 1, memory_order_relaxed);
    (void)pthread_mutex_unlock(&db->publish_lock);
    return published;
}

void kt_published_drop(KtDatabase *db, KtPublished *published)
{
    if (!published || atomic_fetch_sub_explicit(&published->refs, 1, memory_order_acq_rel) > 1)
        return;
    kt_kv_snapshot_release(db->store->kv, published->snapshot);
    kt_schema_drop(published->schema);
    free(published);
}

void kt_publish(KtDatabase *db, KtPublished *published)
{
    (void)pthread_mutex_lock(&db->publish_lock);
    KtPublished *old = db->published;
    db->published = published;
    (void)pthread_mutex_unlock(&db->publish_lock);
    kt_published_drop(db, old);
}

KtCommit kt_database_published(const KtDatabase *db)
{
    KtDatabase *d = (KtDatabase *)(uintptr_t)db; /* only its lock is touched */
    (void)pthread_mutex_lock(&d->publish_lock);
    KtCommit number = d->published->number;
    (void)pthread_mutex_unlock(&d->publish_lock);
    return number;
}

/* ---- open and close ---- */

static KtStatus open_kv(const KtDatabaseSpec *spec, KtDiag *diag, KtKv **out)
{
    KtKvSpec kv = {.path = spec->path,
                   .log_dir = spec->log_dir,
                   .create = spec->create || !spec->path,
                   .family = kt_families,
                   .families = KT_FAMILIES,
                   .block_cache_bytes = spec->block_cache_bytes,
                   .memtable_bytes = spec->memtable_bytes};
    return kt_kv_open(&kv, diag, out);
}

static void free_database(KtDatabase *db, bool clean)
{
    kt_published_drop(db, db->published);
    kt_store_close(db->store, clean);
    kt_graph_cache_close(db->cache);
    (void)pthread_mutex_destroy(&db->publish_lock);
    (void)pthread_mutex_destroy(&db->turn_lock);
    free(db);
}

KtStatus kt_database_open_kv(KtKv *kv, const KtDatabaseSpec *spec, KtDiag *diag, KtDatabase **out)
{
    KtDatabase *db = calloc(1, sizeof *db);
    if (!db) {
        kt_kv_close(kv);
        return KT_ERR_MEMORY;
    }
    db->id = spec->id ? spec->id : 1;
    db->log_keep_s = spec->log_keep_s ? spec->log_keep_s : KEEP_S;
    db->log_keep_bytes = spec->log_keep_bytes ? spec->log_keep_bytes : KEEP_BYTES;
    (void)pthread_mutex_init(&db->publish_lock, NULL);
    kt_turns_init(db);
    KtStatus status = kt_store_open(kv, spec->create || !spec->path, diag, &db->store);
    if (status == KT_OK)
        status = kt_graph_cache_open(spec->cache_bytes ? spec->cache_bytes : CACHE_BYTES,
                                     db->store->state.commit, &db->cache);
    if (status == KT_OK)
        status = kt_published_make(db, db->store->state.commit, &db->published);
    if (status == KT_OK)
        status = kt_index_finish_all(db, diag);
    if (status != KT_OK) {
        free_database(db, false);
        return status;
    }
    *out = db;
    return KT_OK;
}

KtStatus kt_database_open(const KtDatabaseSpec *spec, KtDiag *diag, KtDatabase **out)
{
    KtKv *kv;
    KT_TRY(open_kv(spec, diag, &kv));
    return kt_database_open_kv(kv, spec, diag, out);
}

void kt_database_close(KtDatabase *db)
{
    if (!db)
        return;
    KT_CHECK(atomic_load_explicit(&db->views, memory_order_acquire) == 0);
    KT_CHECK(!db->turn_held && !db->turn_first);
    free_database(db, !kt_database_latched(db));
}

uint32_t kt_database_id(const KtDatabase *db) { return db->id; }
bool kt_database_wants_parks(KtDatabase *db) { return kt_graph_cache_held_back(db->cache); }
bool kt_database_latched(const KtDatabase *db)
{
    return atomic_load_explicit(&db->latched, memory_order_acquire);
}
