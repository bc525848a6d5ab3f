/* storage/kv/kv_rocksdb_internal.h - what the two files that know RocksDB share. */
#ifndef KT_STORAGE_KV_KV_ROCKSDB_INTERNAL_H
#define KT_STORAGE_KV_KV_ROCKSDB_INTERNAL_H

#include "storage/kv/kv_internal.h"

#include <rocksdb/c.h>

/* Options of one family; `family` NULL: of the default family and of the database. On a failure NULL, and *error has
 * RocksDB's text. Ownership: rocksdb_options_destroy. */
rocksdb_options_t *kt_kv_rocksdb_options(const KtKvSpec *spec, const KtKvFamily *family,
                                         rocksdb_cache_t *cache, char **error);
/* A block cache. Ownership: rocksdb_cache_destroy. */
rocksdb_cache_t *kt_kv_rocksdb_cache(size_t bytes);
/* The folder for the info log, made if need be: spec's, else a temporary one, whose path *temporary then owns until
 * it is dropped. Errors: IO, MEMORY. Lifetime of *out: spec's or *temporary's. */
KtStatus kt_kv_rocksdb_log_dir(const KtKvSpec *spec, KtDiag *diag, char **temporary,
                               const char **out) KT_MUST_CHECK;
void kt_kv_rocksdb_log_dir_drop(char *temporary); /* removes and frees it; NULL is allowed */

#endif
