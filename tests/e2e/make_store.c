/* tests/e2e/make_store.c - stores that kithd must refuse: make_store newer|strange|other DIR.
 *
 * newer: a Kith database whose format number is one above this build's; strange: one whose format value is not
 * readable; other: a RocksDB store of another program, with a key in its default family. */
#include "storage/format.h"
#include "storage/meta.h"

#include <rocksdb/c.h>
#include <stdio.h>

static int put_format(const char *path, const KtBuf *value)
{
    KtKvSpec spec = {.path = path, .create = true, .family = kt_families, .families = KT_FAMILIES};
    KtDiag diag = {0};
    KtKv *kv;
    KtKvBatch batch = {0};
    uint8_t key = KT_META_FORMAT;
    KtStatus status = kt_kv_open(&spec, &diag, &kv);
    if (status == KT_OK) {
        kt_kv_put(&batch, KT_FAMILY_META, kt_span(&key, 1), kt_span(value->data, value->len));
        status = kt_kv_write(kv, &batch, true, &diag);
        kt_kv_batch_close(&batch);
        kt_kv_close(kv);
    }
    if (status != KT_OK)
        fprintf(stderr, "make_store: %s\n", diag.message);
    return status == KT_OK ? 0 : 1;
}

static int other(const char *path)
{
    char *error = NULL;
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_t *db = rocksdb_open(options, path, &error);
    if (!error) {
        rocksdb_writeoptions_t *write = rocksdb_writeoptions_create();
        rocksdb_put(db, write, "key", 3, "value", 5, &error);
        rocksdb_writeoptions_destroy(write);
        rocksdb_close(db);
    }
    rocksdb_options_destroy(options);
    if (error)
        fprintf(stderr, "make_store: %s\n", error);
    return error ? 1 : 0;
}

int main(int argc, char **argv)
{
    const char *kind = argc == 3 ? argv[1] : "";
    if (strcmp(kind, "other") == 0)
        return other(argv[2]);
    KtBuf value = {0};
    if (strcmp(kind, "newer") == 0) {
        KtMetaFormat format = {.format = KT_STORE_FORMAT + 1};
        kt_meta_put_format(&value, &format);
    } else if (strcmp(kind, "strange") == 0) {
        kt_buf_put(&value, "\xEE?", 2);
    } else {
        fprintf(stderr, "usage: make_store newer|strange|other DIR\n");
        return 2;
    }
    int code = put_format(argv[2], &value);
    kt_buf_close(&value);
    return code;
}
