/* storage/kv/kv_rocksdb.c - the store on disk: open, read, write, build from sorted files. How it is tuned stands in
 * kv_rocksdb_options.c; no third file includes RocksDB.
 *
 * What binds it (tried on librocksdb 7.8.3): unsorted keys with sorted_input abort, as does closing with a family
 * handle alive; a failed write to the info log aborts, so that log lives off the data volume. */
#include "storage/kv/kv_rocksdb_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FAMILIES = 32 };

typedef struct RocksKv {
    KtKv base;
    rocksdb_t *db;
    rocksdb_cache_t *cache;
    rocksdb_options_t
        *options[MOST_FAMILIES +
                 1]; /* by family; the last is the default family's and the database's */
    rocksdb_column_family_handle_t *handle[MOST_FAMILIES + 1];
    rocksdb_readoptions_t *newest;
    rocksdb_writeoptions_t *synced, *unsynced;
    rocksdb_writebatch_t *batch; /* only under kt_kv_write */
    char *temporary_log_dir;
} RocksKv;

struct KtKvSnapshot {
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *read;
};

typedef struct RocksIter {
    KtKvIter base;
    rocksdb_iterator_t *it;
} RocksIter;

struct KtKvSst {
    rocksdb_sstfilewriter_t *writer;
    rocksdb_envoptions_t *env;
};

/* ---- errors ---- */

static KtStatus status_of(const char *error)
{
    if (strstr(error, "lock hold by current process") ||
        (strstr(error, "While lock file") && strstr(error, strerror(EAGAIN))))
        return KT_ERR_STORE_LOCKED;
    if (strncmp(error, "Corruption", 10) == 0)
        return KT_ERR_CORRUPTION;
    if (strstr(error, "Column families not opened") || strstr(error, "merge operator") ||
        strstr(error, "does not match existing comparator"))
        return KT_ERR_STORE_FORMAT;
    return KT_ERR_IO;
}

/* Takes RocksDB's text, if there is one, and turns it into a status with words. */
static KtStatus failed(char *error, KtDiag *diag, const char *what)
{
    if (!error)
        return KT_OK;
    KtStatus status = status_of(error);
    kt_diag_set(diag, status, NULL, "%s: %s.", what, error);
    rocksdb_free(error);
    return status;
}

/* The same where nobody listens to words. */
static KtStatus read_failed(char *error)
{
    if (!error)
        return KT_OK;
    KtStatus status = status_of(error);
    rocksdb_free(error);
    return status;
}

/* ---- open and close ---- */

static void rocks_close(KtKv *base)
{
    RocksKv *kv = (RocksKv *)base;
    uint32_t families = base->families + 1;
    for (uint32_t i = 0; i < families; i++)
        if (kv->handle[i])
            rocksdb_column_family_handle_destroy(kv->handle[i]);
    if (kv->db)
        rocksdb_close(kv->db);
    for (uint32_t i = 0; i < families; i++)
        if (kv->options[i])
            rocksdb_options_destroy(kv->options[i]);
    if (kv->newest)
        rocksdb_readoptions_destroy(kv->newest);
    if (kv->synced)
        rocksdb_writeoptions_destroy(kv->synced);
    if (kv->unsynced)
        rocksdb_writeoptions_destroy(kv->unsynced);
    if (kv->batch)
        rocksdb_writebatch_destroy(kv->batch);
    if (kv->cache)
        rocksdb_cache_destroy(kv->cache);
    kt_kv_rocksdb_log_dir_drop(kv->temporary_log_dir);
    free(kv);
}

/* A folder without CURRENT holds no store; saying so beats RocksDB's "does not exist (create_if_missing is false)". */
static KtStatus check_there(const KtKvSpec *spec, KtDiag *diag)
{
    char file[4096];
    if (spec->create || (snprintf(file, sizeof file, "%s/CURRENT", spec->path) < (int)sizeof file &&
                         access(file, F_OK) == 0))
        return KT_OK;
    if (errno == EACCES)
        return kt_diag_set(diag, KT_ERR_IO, NULL, "%s cannot be read: %s.", spec->path,
                           strerror(EACCES));
    return kt_diag_set(diag, KT_ERR_NOT_FOUND, NULL, "There is no database in %s.", spec->path);
}

/* Is `name` a file that a creation which was cut short may leave? A log counts only while nothing stands in it. */
static bool left_by_creation(int folder, const char *name)
{
    static const char *const begin[] = {"MANIFEST-", "OPTIONS-", "LOG",
                                        "LOCK",      "IDENTITY", "CURRENT"};
    for (size_t i = 0; i < KT_COUNT(begin); i++)
        if (strncmp(name, begin[i], strlen(begin[i])) == 0)
            return true;
    size_t digits = strspn(name, "0123456789");
    struct stat facts;
    return digits > 0 && (strcmp(name + digits, ".dbtmp") == 0 ||
                          (strcmp(name + digits, ".log") == 0 &&
                           fstatat(folder, name, &facts, 0) == 0 && facts.st_size == 0));
}

static bool has_family(const KtKvSpec *spec, const char *name)
{
    char *error = NULL;
    size_t n = 0;
    rocksdb_options_t *options = rocksdb_options_create();
    char **names = rocksdb_list_column_families(options, spec->path, &n, &error);
    rocksdb_options_destroy(options);
    bool found = error != NULL; /* opening says it with its own words */
    for (size_t i = 0; i < n && !error; i++)
        found = found || strcmp(names[i], name) == 0;
    if (names) /* also after an error: an empty list */
        rocksdb_list_column_families_destroy(names, error ? 0 : n);
    if (error)
        rocksdb_free(error);
    return found;
}

/* A store is made only where nothing is: RocksDB would make one beside strangers' files, in another program's store,
 * or over the tables of a store that has lost its CURRENT. */
static KtStatus check_free(const KtKvSpec *spec, KtDiag *diag)
{
    char file[4096];
    DIR *folder = spec->create && !spec->bulk ? opendir(spec->path) : NULL;
    if (!folder)
        return KT_OK;
    bool current = snprintf(file, sizeof file, "%s/CURRENT", spec->path) < (int)sizeof file &&
                   access(file, F_OK) == 0;
    KtStatus status = KT_OK;
    const struct dirent *entry;
    if (!current || !has_family(spec, spec->family[0].name)) {
        while (status == KT_OK && (entry = readdir(folder))) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                left_by_creation(dirfd(folder), entry->d_name))
                continue;
            status = kt_diag_set(diag, KT_ERR_STORE_FORMAT, NULL,
                                 "The folder %s holds other files (%s) and no Kith database.",
                                 spec->path, entry->d_name);
            kt_diag_hint(
                diag, "Choose another folder; if a database was here, restore it from a backup.");
        }
    }
    closedir(folder);
    return status;
}

static KtStatus open_words(const KtKvSpec *spec, char *error, KtDiag *diag)
{
    KtStatus status = status_of(error);
    if (status == KT_ERR_STORE_LOCKED)
        kt_diag_set(diag, status, NULL, "The database in %s is open in another process.",
                    spec->path);
    else if (status == KT_ERR_STORE_FORMAT)
        kt_diag_set(diag, status, NULL, "The database in %s is not of this version's format: %s.",
                    spec->path, error);
    else
        kt_diag_set(diag, status, NULL, "The database in %s cannot be opened: %s.", spec->path,
                    error);
    if (status == KT_ERR_IO)
        kt_diag_hint(
            diag,
            "Look at the disk and at the rights of the files; what is lost comes back from a backup only.");
    rocksdb_free(error);
    return status;
}

static KtStatus open_db(RocksKv *kv, const KtKvSpec *spec, KtDiag *diag)
{
    KT_TRY(check_there(spec, diag));
    KT_TRY(check_free(spec, diag));
    const char *log_dir = NULL;
    KT_TRY(kt_kv_rocksdb_log_dir(spec, diag, &kv->temporary_log_dir, &log_dir));
    kv->cache =
        kt_kv_rocksdb_cache(spec->block_cache_bytes ? spec->block_cache_bytes : (size_t)32 << 20);
    uint32_t n = spec->families;
    const char *name[MOST_FAMILIES + 1];
    char *error = NULL;
    for (uint32_t i = 0; i <= n; i++) {
        name[i] = i < n ? spec->family[i].name : "default";
        kv->options[i] =
            kt_kv_rocksdb_options(spec, i < n ? &spec->family[i] : NULL, kv->cache, &error);
        KT_TRY(failed(error, diag, "RocksDB refused its options"));
        rocksdb_options_set_db_log_dir(kv->options[i], log_dir);
    }
    const rocksdb_options_t *by_family[MOST_FAMILIES + 1];
    for (uint32_t i = 0; i <= n; i++)
        by_family[i] = kv->options[i];
    kv->db = rocksdb_open_column_families(kv->options[n], spec->path, (int)n + 1, name, by_family,
                                          kv->handle, &error);
    if (error)
        return open_words(spec, error, diag);
    kv->newest = rocksdb_readoptions_create();
    kv->synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(kv->synced, 1);
    kv->unsynced = rocksdb_writeoptions_create();
    kv->batch = rocksdb_writebatch_create();
    return KT_OK;
}

/* ---- reads ---- */

static KtStatus rocks_snapshot(KtKv *base, KtKvSnapshot **out)
{
    RocksKv *kv = (RocksKv *)base;
    KtKvSnapshot *snapshot = malloc(sizeof *snapshot);
    if (!snapshot)
        return KT_ERR_MEMORY;
    snapshot->snapshot = rocksdb_create_snapshot(kv->db);
    snapshot->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(snapshot->read, snapshot->snapshot);
    *out = snapshot;
    return KT_OK;
}

static void rocks_snapshot_release(KtKv *base, KtKvSnapshot *snapshot)
{
    RocksKv *kv = (RocksKv *)base;
    rocksdb_readoptions_destroy(snapshot->read);
    rocksdb_release_snapshot(kv->db, snapshot->snapshot);
    free(snapshot);
}

static void unpin(void *pin) { rocksdb_pinnableslice_destroy(pin); }

static KtKvValue pinned(rocksdb_pinnableslice_t *slice)
{
    if (!slice)
        return (KtKvValue){0};
    size_t len = 0;
    const char *at = rocksdb_pinnableslice_value(slice, &len);
    return (KtKvValue){kt_span(at ? at : "", len), slice, unpin};
}

static KtStatus rocks_get(KtKv *base, const KtKvSnapshot *at, uint32_t family, KtSpan key,
                          KtKvValue *out)
{
    RocksKv *kv = (RocksKv *)base;
    char *error = NULL;
    rocksdb_pinnableslice_t *slice =
        rocksdb_get_pinned_cf(kv->db, at ? at->read : kv->newest, kv->handle[family],
                              (const char *)key.at, key.len, &error);
    KT_TRY(read_failed(error));
    *out = pinned(slice);
    return KT_OK;
}

enum { MULTI = 256 }; /* keys of one call */

static KtStatus multi_get_some(RocksKv *kv, const KtKvSnapshot *at, uint32_t family, uint32_t n,
                               const KtSpan *key, bool sorted, KtKvValue *out)
{
    const char *key_at[MULTI];
    size_t key_len[MULTI];
    rocksdb_pinnableslice_t *slice[MULTI];
    char *error[MULTI];
    for (uint32_t i = 0; i < n; i++) {
        key_at[i] = (const char *)key[i].at;
        key_len[i] = key[i].len;
        slice[i] = NULL;
        error[i] = NULL;
    }
    rocksdb_batched_multi_get_cf(kv->db, at ? at->read : kv->newest, kv->handle[family], n, key_at,
                                 key_len, slice, error, sorted);
    KtStatus status = KT_OK;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = pinned(slice[i]);
        KtStatus one = read_failed(error[i]);
        if (status == KT_OK)
            status = one;
    }
    if (status != KT_OK)
        for (uint32_t i = 0; i < n; i++)
            kt_kv_release(&out[i]);
    return status;
}

static KtStatus rocks_multi_get(KtKv *base, const KtKvSnapshot *at, uint32_t family, uint32_t n,
                                const KtSpan *key, bool sorted, KtKvValue *out)
{
    for (uint32_t done = 0; done < n; done += MULTI) {
        uint32_t some = n - done < MULTI ? n - done : MULTI;
        KtStatus status =
            multi_get_some((RocksKv *)base, at, family, some, key + done, sorted, out + done);
        if (status != KT_OK) {
            for (uint32_t i = 0; i < done; i++)
                kt_kv_release(&out[i]);
            return status;
        }
    }
    return KT_OK;
}

/* ---- iterators ---- */

static KtStatus rocks_iter_open(KtKv *base, const KtKvSnapshot *at, uint32_t family, uint32_t flags,
                                KtKvIter **out)
{
    RocksKv *kv = (RocksKv *)base;
    RocksIter *iter = calloc(1, sizeof *iter);
    if (!iter)
        return KT_ERR_MEMORY;
    rocksdb_readoptions_t *read = rocksdb_readoptions_create();
    if (at)
        rocksdb_readoptions_set_snapshot(read, at->snapshot);
    if (base->family[family].prefix) {
        if (flags & KT_KV_TOTAL_ORDER)
            rocksdb_readoptions_set_total_order_seek(read, 1);
        else
            rocksdb_readoptions_set_prefix_same_as_start(read, 1);
    }
    if (flags & KT_KV_NO_CACHE) {
        rocksdb_readoptions_set_fill_cache(read, 0);
        rocksdb_readoptions_set_readahead_size(read, (size_t)1 << 20);
    }
    iter->it = rocksdb_create_iterator_cf(kv->db, read, kv->handle[family]);
    rocksdb_readoptions_destroy(read); /* the iterator has its own copy */
    *out = &iter->base;
    return KT_OK;
}

static void rocks_iter_close(KtKvIter *base)
{
    RocksIter *iter = (RocksIter *)base;
    rocksdb_iter_destroy(iter->it);
    free(iter);
}

static KtStatus stand(RocksIter *iter)
{
    iter->base.valid = rocksdb_iter_valid(iter->it);
    if (!iter->base.valid) {
        char *error = NULL;
        rocksdb_iter_get_error(iter->it, &error);
        return read_failed(error);
    }
    size_t len;
    const char *at = rocksdb_iter_key(iter->it, &len);
    iter->base.key = kt_span(at, len);
    at = rocksdb_iter_value(iter->it, &len);
    iter->base.value = kt_span(at ? at : "", len);
    return KT_OK;
}

static KtStatus rocks_iter_seek(KtKvIter *base, KtSpan key)
{
    RocksIter *iter = (RocksIter *)base;
    if (key.at)
        rocksdb_iter_seek(iter->it, (const char *)key.at, key.len);
    else
        rocksdb_iter_seek_to_first(iter->it);
    return stand(iter);
}

static KtStatus rocks_iter_seek_before(KtKvIter *base, KtSpan key)
{
    RocksIter *iter = (RocksIter *)base;
    if (!key.at) {
        rocksdb_iter_seek_to_last(iter->it);
        return stand(iter);
    }
    rocksdb_iter_seek_for_prev(iter->it, (const char *)key.at, key.len);
    KT_TRY(stand(iter));
    if (base->valid && kt_kv_order(base->key, key) == 0) {
        rocksdb_iter_prev(iter->it);
        return stand(iter);
    }
    return KT_OK;
}

static KtStatus rocks_iter_next(KtKvIter *base)
{
    RocksIter *iter = (RocksIter *)base;
    rocksdb_iter_next(iter->it);
    return stand(iter);
}

/* ---- writes ---- */

static KtStatus rocks_write(KtKv *base, const KtKvBatch *batch, bool sync, KtDiag *diag)
{
    RocksKv *kv = (RocksKv *)base;
    rocksdb_writebatch_clear(kv->batch);
    size_t at = 0;
    KtKvChange c;
    while (kt_kv_batch_next(batch, &at, &c)) {
        rocksdb_column_family_handle_t *handle = kv->handle[c.family];
        const char *key = (const char *)c.key.at, *value = (const char *)c.value.at;
        switch (c.op) {
        case KT_KV_OP_PUT:
            rocksdb_writebatch_put_cf(kv->batch, handle, key, c.key.len, value, c.value.len);
            break;
        case KT_KV_OP_DELETE:
            rocksdb_writebatch_delete_cf(kv->batch, handle, key, c.key.len);
            break;
        case KT_KV_OP_MERGE:
            rocksdb_writebatch_merge_cf(kv->batch, handle, key, c.key.len, value, c.value.len);
            break;
        case KT_KV_OP_DELETE_RANGE:
            /* RocksDB takes an empty range for an error. */
            if (kt_kv_order(c.key, c.value) < 0)
                rocksdb_writebatch_delete_range_cf(kv->batch, handle, key, c.key.len, value,
                                                   c.value.len);
            break;
        }
    }
    char *error = NULL;
    rocksdb_write(kv->db, sync ? kv->synced : kv->unsynced, kv->batch, &error);
    if (batch->ops.len > (size_t)1 << 20) { /* do not keep the memory of a large one */
        rocksdb_writebatch_destroy(kv->batch);
        kv->batch = rocksdb_writebatch_create();
    }
    return failed(error, diag, "A write to disk failed");
}

static KtStatus rocks_flush(KtKv *base, KtDiag *diag)
{
    RocksKv *kv = (RocksKv *)base;
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    rocksdb_flushoptions_set_wait(options, 1);
    KtStatus status = KT_OK;
    for (uint32_t i = 0; i <= base->families && status == KT_OK; i++) {
        char *error = NULL;
        rocksdb_flush_cf(kv->db, options, kv->handle[i], &error);
        status = failed(error, diag, "A flush to disk failed");
    }
    rocksdb_flushoptions_destroy(options);
    return status;
}

static uint64_t rocks_bytes(KtKv *base, uint32_t family)
{
    RocksKv *kv = (RocksKv *)base;
    uint64_t bytes = 0;
    if (rocksdb_property_int_cf(kv->db, kv->handle[family], "rocksdb.live-sst-files-size",
                                &bytes) != 0)
        return 0;
    return bytes;
}

/* ---- sorted files ---- */

static KtStatus rocks_sst_open(KtKv *base, uint32_t family, const char *file, KtDiag *diag,
                               KtKvSst **out)
{
    RocksKv *kv = (RocksKv *)base;
    KtKvSst *sst = malloc(sizeof *sst);
    if (!sst)
        return KT_ERR_MEMORY;
    sst->env = rocksdb_envoptions_create();
    sst->writer = rocksdb_sstfilewriter_create(sst->env, kv->options[family]);
    char *error = NULL;
    rocksdb_sstfilewriter_open(sst->writer, file, &error);
    KtStatus status = failed(error, diag, "A sorted file cannot be made");
    if (status != KT_OK) {
        kt_kv_sst_close(sst);
        return status;
    }
    *out = sst;
    return KT_OK;
}

KtStatus kt_kv_rocksdb_sst_put(KtKvSst *sst, KtSpan key, KtSpan value, KtDiag *diag)
{
    char *error = NULL;
    rocksdb_sstfilewriter_put(sst->writer, (const char *)key.at, key.len,
                              value.at ? (const char *)value.at : "", value.len, &error);
    return failed(error, diag, "A sorted file cannot be written");
}

KtStatus kt_kv_rocksdb_sst_finish(KtKvSst *sst, KtDiag *diag)
{
    char *error = NULL;
    rocksdb_sstfilewriter_finish(sst->writer, &error);
    return failed(error, diag, "A sorted file cannot be finished");
}

uint64_t kt_kv_sst_bytes(KtKvSst *sst)
{
    uint64_t bytes = 0;
    rocksdb_sstfilewriter_file_size(sst->writer, &bytes);
    return bytes;
}

void kt_kv_sst_close(KtKvSst *sst)
{
    if (!sst)
        return;
    rocksdb_sstfilewriter_destroy(sst->writer);
    rocksdb_envoptions_destroy(sst->env);
    free(sst);
}

static KtStatus rocks_ingest(KtKv *base, uint32_t family, const char *const *file, size_t n,
                             KtDiag *diag)
{
    RocksKv *kv = (RocksKv *)base;
    rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();
    rocksdb_ingestexternalfileoptions_set_move_files(options, 1);
    char *error = NULL;
    rocksdb_ingest_external_file_cf(kv->db, kv->handle[family], file, n, options, &error);
    rocksdb_ingestexternalfileoptions_destroy(options);
    return failed(error, diag, "Sorted files cannot be taken in");
}

static const KtKvOps rocks_ops = {
    .close = rocks_close,
    .snapshot = rocks_snapshot,
    .snapshot_release = rocks_snapshot_release,
    .get = rocks_get,
    .multi_get = rocks_multi_get,
    .iter_open = rocks_iter_open,
    .iter_close = rocks_iter_close,
    .iter_seek = rocks_iter_seek,
    .iter_seek_before = rocks_iter_seek_before,
    .iter_next = rocks_iter_next,
    .write = rocks_write,
    .flush = rocks_flush,
    .bytes = rocks_bytes,
    .sst_open = rocks_sst_open,
    .ingest = rocks_ingest,
};

KtStatus kt_kv_rocksdb_open(const KtKvSpec *spec, KtDiag *diag, KtKv **out)
{
    KT_CHECK(spec->families <= MOST_FAMILIES);
    RocksKv *kv = calloc(1, sizeof *kv);
    if (!kv)
        return KT_ERR_MEMORY;
    kv->base = (KtKv){.ops = &rocks_ops, .family = spec->family, .families = spec->families};
    KtStatus status = open_db(kv, spec, diag);
    if (status != KT_OK) {
        rocks_close(&kv->base);
        return status;
    }
    *out = &kv->base;
    return KT_OK;
}
