/* The store on disk: what it keeps over a reopening, a crash and damage, how it is tuned, and how it is built from
 * sorted files. */
#include "storage/format.h"
#include "storage/label.h"
#include "tests/unit/storage/kv_store.h"

#include <sys/wait.h>

TestSuite(storage_kv_disk, .init = make_folder, .fini = clear_folder);

Test(storage_kv_disk, what_was_synced_is_there_after_reopening)
{
    KtKv *kv = open_kind(1);
    put(kv, PLAIN, "a", "1");
    merge(kv, PREFIXED, "pp1", "x");
    kt_kv_close(kv);
    char path[128];
    snprintf(path, sizeof path, "%s/1", folder);
    cr_assert_eq(open_at(path, false, NULL, &kv), KT_OK);
    merge(kv, PREFIXED, "pp1", "y");
    expect(kv, NULL, PLAIN, "a", "1");
    expect(kv, NULL, PREFIXED, "pp1", "x,y");
    kt_kv_close(kv);
}

Test(storage_kv_disk, a_missing_store_a_held_one_and_a_damaged_one_have_their_own_errors)
{
    char path[128], command[300];
    KtDiag diag = {0};
    KtKv *kv, *other;
    snprintf(path, sizeof path, "%s/none", folder);
    cr_assert_eq(open_at(path, false, &diag, &kv), KT_ERR_NOT_FOUND);
    cr_assert(strstr(diag.message, path));
    cr_assert_neq(access(path, F_OK), 0);
    kv = open_kind(1);
    snprintf(path, sizeof path, "%s/1", folder);
    kt_diag_clear(&diag);
    cr_assert_eq(open_at(path, false, &diag, &other), KT_ERR_STORE_LOCKED, "%s", diag.message);
    cr_assert(strstr(diag.message, path));
    pid_t child = fork();
    if (child == 0) {
        KtKv *third = NULL;
        _exit(open_at(path, false, NULL, &third) == KT_ERR_STORE_LOCKED ? 0 : 1);
    }
    int how = 0;
    cr_assert_eq(waitpid(child, &how, 0), child);
    cr_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    for (int i = 0; i < 100; i++)
        put(kv, PLAIN, "a", "1");
    cr_assert_eq(kt_kv_flush(kv, NULL), KT_OK);
    kt_kv_close(kv);
    snprintf(
        command, sizeof command,
        "for f in %s/*.sst; do printf 'XXXXXXXX' | dd of=$f bs=1 seek=4 conv=notrunc 2>/dev/null; done",
        path);
    cr_assert_eq(system(command), 0);
    if (open_at(path, false, NULL, &kv) == KT_OK) {
        KtKvValue value;
        cr_assert_eq(kt_kv_get(kv, NULL, PLAIN, s("a"), &value), KT_ERR_CORRUPTION);
        kt_kv_close(kv);
    }
    kt_diag_clear(&diag);
    snprintf(command, sizeof command, "echo nonsense > %s/CURRENT", path);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(open_at(path, false, &diag, &kv), KT_ERR_CORRUPTION, "%s", diag.message);
}

Test(storage_kv_disk, a_torn_tail_of_the_log_is_an_ordinary_crash)
{
    char path[128], command[400];
    KtKv *kv = open_kind(1);
    for (int i = 0; i < 10; i++)
        put(kv, PLAIN, (char[]){'k', (char)('0' + i), 0}, "v");
    /* What a crash leaves: the files of the moment, the last write torn. */
    snprintf(path, sizeof path, "%s/torn", folder);
    snprintf(command, sizeof command,
             "cp -r %s/1 %s && f=$(ls -S %s/*.log | head -1) && truncate -s -3 $f", folder, path,
             path);
    cr_assert_eq(system(command), 0);
    kt_kv_close(kv);
    KtDiag diag = {0};
    cr_assert_eq(open_at(path, false, &diag, &kv), KT_OK, "%s", diag.message);
    expect(kv, NULL, PLAIN, "k8", "v");
    expect(kv, NULL, PLAIN, "k9", NULL);
    kt_kv_close(kv);
}

Test(storage_kv_disk, settings_that_durability_rests_on_are_in_force)
{
    KtKv *kv = open_kind(1);
    put(kv, PREFIXED, "abc", "1");
    cr_assert_eq(kt_kv_flush(kv, NULL), KT_OK);
    char command[600];
    /* RocksDB writes what it runs with beside the data. */
    const char *lines[] = {"wal_recovery_mode=kTolerateCorruptedTailRecords",
                           "recycle_log_file_num=0",
                           "enable_pipelined_write=false",
                           "max_total_wal_size=16777216",
                           "paranoid_checks=true",
                           "track_and_verify_wals_in_manifest=true",
                           "db_write_buffer_size=67108864",
                           "checksum=kXXH3",
                           "compression=kLZ4Compression",
                           "data_block_index_type=kDataBlockBinaryAndHash",
                           "max_successive_merges=64",
                           "prefix_extractor=rocksdb.FixedPrefix.2",
                           "block_size=16384",
                           "whole_key_filtering=true",
                           "merge_operator={id=test.join;}\\|merge_operator=test.join"};
    for (size_t i = 0; i < KT_COUNT(lines); i++) {
        snprintf(command, sizeof command, "grep -q -- '%s' %s/1/OPTIONS-*", lines[i], folder);
        cr_assert_eq(system(command), 0, "%s is not in force", lines[i]);
    }
    snprintf(command, sizeof command, "test -z \"$(ls %s/1 | grep LOG)\"", folder);
    cr_assert_eq(system(command), 0, "the info log is on the data volume");
    kt_kv_close(kv);
}

Test(storage_kv_disk, sorted_files_become_a_store_that_is_read_like_any_other)
{
    char path[128];
    KtDiag diag = {0};
    KtKv *kv = open_kind(1);
    KtKvSst *sst;
    snprintf(path, sizeof path, "%s/one.sst", folder);
    cr_assert_eq(kt_kv_sst_open(kv, PREFIXED, path, &diag, &sst), KT_OK, "%s", diag.message);
    for (uint32_t i = 0; i < 10000; i++) {
        uint8_t key[8];
        kt_store_be64(key, i);
        cr_assert_eq(kt_kv_sst_put(sst, kt_span(key, 8), kt_span(&i, 4), &diag), KT_OK);
    }
    cr_assert_eq(kt_kv_sst_finish(sst, &diag), KT_OK);
    cr_assert_gt(kt_kv_sst_bytes(sst), 10000);
    kt_kv_sst_close(sst);
    const char *file = path;
    cr_assert_eq(kt_kv_ingest(kv, PREFIXED, &file, 1, &diag), KT_OK, "%s", diag.message);
    uint8_t key[8];
    kt_store_be64(key, 7777);
    KtKvValue value;
    cr_assert_eq(kt_kv_get(kv, NULL, PREFIXED, kt_span(key, 8), &value), KT_OK);
    uint32_t want = 7777;
    cr_assert(value.bytes.len == 4 && memcmp(value.bytes.at, &want, 4) == 0);
    kt_kv_release(&value);
    KtKvIter *it;
    uint32_t n = 0;
    cr_assert_eq(kt_kv_iter_open(kv, NULL, PREFIXED, KT_KV_TOTAL_ORDER, &it), KT_OK);
    cr_assert_eq(kt_kv_iter_seek(it, kt_span(NULL, 0)), KT_OK);
    for (; kt_kv_iter_valid(it); n++)
        cr_assert_eq(kt_kv_iter_next(it), KT_OK);
    cr_assert_eq(n, 10000);
    kt_kv_iter_close(it);
    kt_kv_close(kv);
    kv = open_kind(0);
    cr_assert_eq(kt_kv_sst_open(kv, PLAIN, path, NULL, &sst), KT_ERR_NOT_SUPPORTED);
    kt_kv_close(kv);
}
