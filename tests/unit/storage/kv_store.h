/* tests/unit/storage/kv_store.h - small stores of the key-value door in a temporary folder, of every back end, and what
 * tests write to them and expect of them. Static inline: included by the tests, whose suites have make_folder and
 * clear_folder as .init and .fini. */
#ifndef KT_TESTS_STORAGE_KV_STORE_H
#define KT_TESTS_STORAGE_KV_STORE_H

#include "storage/kv/kv.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A merge that shows order: values and operands are joined with commas; "!" operands are kept apart. */
static inline void joined(KtSpan key, KtSpan base, const KtSpan *op, size_t n, KtBuf *out)
{
    (void)key;
    if (base.at)
        kt_buf_put(out, base.at, base.len);
    for (size_t i = 0; i < n; i++) {
        if (base.at || i > 0)
            kt_buf_u8(out, ',');
        kt_buf_put(out, op[i].at, op[i].len);
    }
}
static inline bool joined_partial(KtSpan key, const KtSpan *op, size_t n, KtBuf *out)
{
    for (size_t i = 0; i < n; i++)
        if (op[i].len && op[i].at[0] == '!')
            return false;
    joined(key, kt_span(NULL, 0), op, n, out);
    return true;
}
static const KtKvMerge join_merge = {"test.join", joined, joined_partial};
static const KtKvFamily families[] = {
    {"plain", NULL, 0}, {"joined", &join_merge, 0}, {"prefixed", &join_merge, 2}};
enum { PLAIN, JOINED, PREFIXED };

static char folder[64];

static inline void clear_folder(void)
{
    char command[128];
    if (folder[0]) {
        snprintf(command, sizeof command, "rm -rf %s", folder);
        cr_assert_eq(system(command), 0);
    }
}
static inline void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/kith-test-kv-XXXXXX");
    cr_assert(mkdtemp(folder));
}
static inline KtStatus open_at(const char *path, bool create, KtDiag *diag, KtKv **out)
{
    KtKvSpec spec = {
        .path = path, .create = create, .family = families, .families = KT_COUNT(families)};
    return kt_kv_open(&spec, diag, out);
}

enum { BACK_ENDS = 4 };
static inline KtKv *open_kind(int kind)
{
    char path[128];
    KtKv *kv, *wrapped;
    KtDiag diag = {0};
    snprintf(path, sizeof path, "%s/%d", folder, kind);
    cr_assert_eq(open_at(kind & 1 ? path : NULL, true, &diag, &kv), KT_OK, "%s", diag.message);
    if (kind < 2)
        return kv;
    cr_assert_eq(kt_kv_fault_open(kv, &wrapped), KT_OK);
    return wrapped;
}
#define EACH(kv)                                    \
    for (int kind_ = 0; kind_ < BACK_ENDS; kind_++) \
        for (KtKv *kv = open_kind(kind_); kv; kt_kv_close(kv), kv = NULL)

static inline KtSpan s(const char *text) { return kt_span(text, strlen(text)); }

static inline void write_now(KtKv *kv, KtKvBatch *batch)
{
    KtDiag diag = {0};
    cr_assert_eq(kt_kv_write(kv, batch, true, &diag), KT_OK, "%s", diag.message);
    kt_kv_batch_clear(batch);
}
static inline void put(KtKv *kv, uint32_t family, const char *key, const char *value)
{
    KtKvBatch batch = {0};
    kt_kv_put(&batch, family, s(key), s(value));
    write_now(kv, &batch);
    kt_kv_batch_close(&batch);
}
static inline void merge(KtKv *kv, uint32_t family, const char *key, const char *value)
{
    KtKvBatch batch = {0};
    kt_kv_merge(&batch, family, s(key), s(value));
    write_now(kv, &batch);
    kt_kv_batch_close(&batch);
}
static inline void expect(KtKv *kv, const KtKvSnapshot *at, uint32_t family, const char *key,
                          const char *want)
{
    KtKvValue value = {0};
    cr_assert_eq(kt_kv_get(kv, at, family, s(key), &value), KT_OK);
    if (!want)
        cr_assert_null(value.bytes.at, "%s is there", key);
    else
        cr_assert(value.bytes.at && value.bytes.len == strlen(want) &&
                      memcmp(value.bytes.at, want, value.bytes.len) == 0,
                  "%s is %.*s, not %s", key, (int)value.bytes.len,
                  value.bytes.at ? (const char *)value.bytes.at : "", want);
    kt_kv_release(&value);
}
/* All keys of an iterator as one text: "k=v k=v". */
static inline void expect_rest(KtKvIter *iter, const char *want)
{
    KtBuf got = {0};
    while (kt_kv_iter_valid(iter)) {
        KtSpan key = kt_kv_iter_key(iter), value = kt_kv_iter_value(iter);
        if (got.len)
            kt_buf_u8(&got, ' ');
        kt_buf_put(&got, key.at, key.len);
        kt_buf_u8(&got, '=');
        kt_buf_put(&got, value.at, value.len);
        cr_assert_eq(kt_kv_iter_next(iter), KT_OK);
    }
    cr_assert(got.len == strlen(want) && (got.len == 0 || memcmp(got.data, want, got.len) == 0),
              "got %.*s, want %s", (int)got.len, got.data ? (const char *)got.data : "", want);
    kt_buf_close(&got);
}

#endif
