/* storage/kv/kv_rocksdb_options.c - how the store on disk is tuned: options of the database and its families, their
 * merge operators, block caches, the folder of the info log.
 *
 * What binds it (tried on librocksdb 7.8.3): WAL recovery mode 0, since 1 refuses an ordinary torn tail; no WAL
 * recycling and no pipelined write; options_from_string before every setter, since it resets what was set; the C API
 * checks nothing of a merge's answer, so a merge always answers. */
#include "storage/kv/kv_rocksdb_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { XXH3 = 4, BITS_PER_KEY = 10, MOST_SUCCESSIVE_MERGES = 64, MOST_ON_STACK = 64 };

/* ---- merge operators ---- */

static void merge_destroyed(void *state) { (void)state; /* the operator is a const table */ }

static const char *merge_name(void *state)
{
    const KtKvMerge *merge = state;
    return merge->name;
}

static void merge_free(void *state, const char *value, size_t len)
{
    (void)state, (void)len;
    union {
        const char *from;
        void *to;
    } cast = {.from = value};
    free(cast.to);
}

static KtSpan *spans_of(const char *const *at, const size_t *len, int n, KtSpan few[MOST_ON_STACK])
{
    KtSpan *spans = n <= MOST_ON_STACK ? few : malloc((size_t)n * sizeof *spans);
    KT_CHECK(spans); /* a merge cannot fail */
    spans[0] = kt_span(NULL, 0);
    for (int i = 0; i < n; i++)
        spans[i] = kt_span(at[i], len[i]);
    return spans;
}

static char *handed_over(KtBuf *out, unsigned char *success, size_t *len)
{
    KT_CHECK(!out->failed);
    *success = 1;
    *len = out->len;
    return out->data ? (char *)out->data : calloc(1, 1);
}

static char *merge_full(void *state, const char *key, size_t key_len, const char *base,
                        size_t base_len, const char *const *operand, const size_t *operand_len,
                        int n, unsigned char *success, size_t *len)
{
    const KtKvMerge *merge = state;
    KtSpan few[MOST_ON_STACK], *spans = spans_of(operand, operand_len, n, few);
    KtBuf out = {0};
    merge->full(kt_span(key, key_len), base ? kt_span(base, base_len) : kt_span(NULL, 0), spans,
                (size_t)n, &out);
    if (spans != few)
        free(spans);
    return handed_over(&out, success, len);
}

static char *merge_partial(void *state, const char *key, size_t key_len, const char *const *operand,
                           const size_t *operand_len, int n, unsigned char *success, size_t *len)
{
    const KtKvMerge *merge = state;
    KtSpan few[MOST_ON_STACK], *spans = spans_of(operand, operand_len, n, few);
    KtBuf out = {0};
    bool joined = merge->partial(kt_span(key, key_len), spans, (size_t)n, &out);
    if (spans != few)
        free(spans);
    if (joined)
        return handed_over(&out, success, len);
    kt_buf_close(&out);
    *success = 0;
    *len = 0;
    return calloc(1, 1); /* freed unread */
}

/* ---- options ---- */

rocksdb_options_t *kt_kv_rocksdb_options(const KtKvSpec *spec, const KtKvFamily *family,
                                         rocksdb_cache_t *cache, char **error)
{
    rocksdb_options_t *fresh = rocksdb_options_create(), *o = rocksdb_options_create();
    rocksdb_get_options_from_string(fresh, "track_and_verify_wals_in_manifest=true", o, error);
    rocksdb_options_destroy(fresh);
    if (*error) {
        rocksdb_options_destroy(o);
        return NULL;
    }
    size_t memtable = spec->memtable_bytes ? spec->memtable_bytes : (size_t)64 << 20;
    /* of the database */
    rocksdb_options_set_create_if_missing(o, spec->create);
    rocksdb_options_set_create_missing_column_families(o, 1);
    rocksdb_options_set_paranoid_checks(o, 1);
    rocksdb_options_set_wal_recovery_mode(o, rocksdb_tolerate_corrupted_tail_records_recovery);
    rocksdb_options_set_recycle_log_file_num(o, 0);
    rocksdb_options_set_enable_pipelined_write(o, 0);
    rocksdb_options_set_max_total_wal_size(o, (uint64_t)16 << 20);
    rocksdb_options_set_db_write_buffer_size(o, memtable);
    rocksdb_options_set_max_background_jobs(o, 2);
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_stats_persist_period_sec(o, 0);
    rocksdb_options_set_info_log_level(o, 2); /* warnings */
    rocksdb_options_set_max_log_file_size(o, (size_t)1 << 20);
    rocksdb_options_set_keep_log_file_num(o, 2);
    /* of a family */
    rocksdb_options_set_write_buffer_size(o, memtable);
    rocksdb_options_set_arena_block_size(o, (size_t)64 << 10);
    rocksdb_options_set_compression(o, rocksdb_lz4_compression);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
    rocksdb_options_set_max_successive_merges(o, MOST_SUCCESSIVE_MERGES);
    if (spec->bulk)
        rocksdb_options_set_disable_auto_compactions(o, 1);
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_size(table, (size_t)16 << 10);
    rocksdb_block_based_options_set_checksum(table, XXH3);
    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_block_based_options_set_data_block_index_type(
        table, rocksdb_block_based_table_data_block_index_type_binary_search_and_hash);
    rocksdb_block_based_options_set_filter_policy(
        table, rocksdb_filterpolicy_create_bloom_full(BITS_PER_KEY));
    rocksdb_block_based_options_set_whole_key_filtering(table, 1);
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    rocksdb_options_set_block_based_table_factory(o, table);
    rocksdb_block_based_options_destroy(table);
    if (family && family->prefix)
        rocksdb_options_set_prefix_extractor(
            o, rocksdb_slicetransform_create_fixed_prefix(family->prefix));
    if (family && family->merge) {
        union {
            const KtKvMerge *from;
            void *to;
        } cast = {.from = family->merge};
        rocksdb_options_set_merge_operator(
            o, rocksdb_mergeoperator_create(cast.to, merge_destroyed, merge_full, merge_partial,
                                            merge_free, merge_name));
    }
    return o;
}

/* The filter of a large table is one block of megabytes. In a shard that it does not fit, it is read again from the
 * file for every lookup: shards are few and large. */
rocksdb_cache_t *kt_kv_rocksdb_cache(size_t bytes)
{
    enum { SHARD_LEAST = 64 << 20, SHARD_BITS_MOST = 4 };
    int bits = 0;
    while (bits < SHARD_BITS_MOST && bytes >> (bits + 1) >= SHARD_LEAST)
        bits++;
    rocksdb_lru_cache_options_t *options = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(options, bytes);
    rocksdb_lru_cache_options_set_num_shard_bits(options, bits);
    rocksdb_cache_t *cache = rocksdb_cache_create_lru_opts(options);
    rocksdb_lru_cache_options_destroy(options);
    return cache;
}

/* ---- the info log's folder ---- */

KtStatus kt_kv_rocksdb_log_dir(const KtKvSpec *spec, KtDiag *diag, char **temporary,
                               const char **out)
{
    if (spec->log_dir) {
        if (mkdir(spec->log_dir, 0700) != 0 && errno != EEXIST)
            return kt_diag_set(diag, KT_ERR_IO, NULL, "The log folder %s cannot be made: %s.",
                               spec->log_dir, strerror(errno));
        *out = spec->log_dir;
        return KT_OK;
    }
    const char *tmp = getenv("TMPDIR");
    if (!tmp || !*tmp)
        tmp = "/tmp";
    size_t len = strlen(tmp) + sizeof "/kith-log-XXXXXX";
    *temporary = malloc(len);
    if (!*temporary)
        return KT_ERR_MEMORY;
    snprintf(*temporary, len, "%s/kith-log-XXXXXX", tmp);
    if (!mkdtemp(*temporary)) {
        kt_diag_set(diag, KT_ERR_IO, NULL, "A folder for RocksDB's log cannot be made in %s: %s.",
                    tmp, strerror(errno));
        free(*temporary);
        *temporary = NULL;
        return KT_ERR_IO;
    }
    *out = *temporary;
    return KT_OK;
}

void kt_kv_rocksdb_log_dir_drop(char *temporary)
{
    if (!temporary)
        return;
    DIR *dir = opendir(temporary);
    if (dir) {
        const struct dirent *entry;
        while ((entry = readdir(dir)))
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                unlinkat(dirfd(dir), entry->d_name, 0);
        closedir(dir);
    }
    rmdir(temporary);
    free(temporary);
}
