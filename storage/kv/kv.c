/* storage/kv/kv.c - what all back ends share: dispatch, batches, the bound of an iterator, the checks of misuse. */
#include "storage/kv/kv_internal.h"

int kt_kv_order(KtSpan a, KtSpan b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.at, b.at, shorter) : 0;
    return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

KtStatus kt_kv_open(const KtKvSpec *spec, KtDiag *diag, KtKv **out)
{
    KtKv *kv = NULL;
    KtStatus status = spec->path ? kt_kv_rocksdb_open(spec, diag, &kv) : kt_kv_mem_open(spec, &kv);
    if (status == KT_ERR_MEMORY)
        return kt_diag_set(diag, status, NULL, "There is not enough memory to open the store.");
    KT_TRY(status);
    *out = kv;
    return KT_OK;
}

void kt_kv_close(KtKv *kv)
{
    if (!kv)
        return;
    /* RocksDB would abort later and say less. */
    KT_CHECK(atomic_load(&kv->snapshots) == 0);
    KT_CHECK(atomic_load(&kv->iterators) == 0);
    kv->ops->close(kv);
}

/* ---- reads ---- */

KtStatus kt_kv_snapshot(KtKv *kv, KtKvSnapshot **out)
{
    KT_TRY(kv->ops->snapshot(kv, out));
    atomic_fetch_add(&kv->snapshots, 1);
    return KT_OK;
}

void kt_kv_snapshot_release(KtKv *kv, KtKvSnapshot *snapshot)
{
    if (!snapshot)
        return;
    kv->ops->snapshot_release(kv, snapshot);
    atomic_fetch_sub(&kv->snapshots, 1);
}

KtStatus kt_kv_get(KtKv *kv, const KtKvSnapshot *at, uint32_t family, KtSpan key, KtKvValue *out)
{
    KT_ASSERT(family < kv->families);
    return kv->ops->get(kv, at, family, key, out);
}

KtStatus kt_kv_multi_get(KtKv *kv, const KtKvSnapshot *at, uint32_t family, uint32_t n,
                         const KtSpan *key, bool sorted, KtKvValue *out)
{
    KT_ASSERT(family < kv->families);
    if (n == 0)
        return KT_OK;
    if (kv->ops->multi_get) {
        /* RocksDB aborts over a broken promise; n comparisons are nothing beside n reads. */
        for (uint32_t i = 1; i < n && sorted; i++)
            sorted = kt_kv_order(key[i - 1], key[i]) < 0;
        return kv->ops->multi_get(kv, at, family, n, key, sorted, out);
    }
    for (uint32_t i = 0; i < n; i++) {
        KtStatus status = kv->ops->get(kv, at, family, key[i], &out[i]);
        if (status != KT_OK) {
            while (i-- > 0)
                kt_kv_release(&out[i]);
            return status;
        }
    }
    return KT_OK;
}

/* ---- iterators ---- */

KtStatus kt_kv_iter_open(KtKv *kv, const KtKvSnapshot *at, uint32_t family, uint32_t flags,
                         KtKvIter **out)
{
    KT_ASSERT(family < kv->families);
    KtKvIter *iter = NULL;
    KT_TRY(kv->ops->iter_open(kv, at, family, flags, &iter));
    iter->kv = kv;
    iter->family = family;
    iter->flags = flags;
    iter->valid = false;
    iter->bound_len = 0;
    atomic_fetch_add(&kv->iterators, 1);
    *out = iter;
    return KT_OK;
}

void kt_kv_iter_close(KtKvIter *iter)
{
    if (!iter)
        return;
    KtKv *kv = iter->kv;
    kv->ops->iter_close(iter);
    atomic_fetch_sub(&kv->iterators, 1);
}

static void hold_bound(KtKvIter *iter)
{
    if (iter->valid && iter->bound_len > 0 &&
        (iter->key.len < iter->bound_len ||
         memcmp(iter->key.at, iter->bound, iter->bound_len) != 0))
        iter->valid = false;
}

/* A move that failed leaves the iterator nowhere. */
static KtStatus moved(KtKvIter *iter, KtStatus status)
{
    if (status != KT_OK)
        iter->valid = false;
    else
        hold_bound(iter);
    return status;
}

KtStatus kt_kv_iter_prefix(KtKvIter *iter, KtSpan prefix, KtSpan from)
{
    const KtKvFamily *family = &iter->kv->family[iter->family];
    KT_CHECK(prefix.len > 0 && prefix.len <= KT_KV_PREFIX_MOST);
    KT_CHECK(family->prefix == 0 || (iter->flags & KT_KV_TOTAL_ORDER) ||
             prefix.len >= family->prefix);
    memcpy(iter->bound, prefix.at, prefix.len);
    iter->bound_len = (uint32_t)prefix.len;
    return moved(iter, iter->kv->ops->iter_seek(iter, from.at ? from : prefix));
}

static void check_total(const KtKvIter *iter)
{
    KT_CHECK(iter->kv->family[iter->family].prefix == 0 || (iter->flags & KT_KV_TOTAL_ORDER));
}

KtStatus kt_kv_iter_seek(KtKvIter *iter, KtSpan key)
{
    check_total(iter);
    iter->bound_len = 0;
    return moved(iter, iter->kv->ops->iter_seek(iter, key));
}

KtStatus kt_kv_iter_seek_before(KtKvIter *iter, KtSpan key)
{
    check_total(iter);
    iter->bound_len = 0;
    return moved(iter, iter->kv->ops->iter_seek_before(iter, key));
}

KtStatus kt_kv_iter_next(KtKvIter *iter)
{
    KT_CHECK(iter->valid);
    return moved(iter, iter->kv->ops->iter_next(iter));
}

bool kt_kv_iter_valid(const KtKvIter *iter) { return iter->valid; }

KtSpan kt_kv_iter_key(const KtKvIter *iter)
{
    KT_ASSERT(iter->valid);
    return iter->key;
}

KtSpan kt_kv_iter_value(const KtKvIter *iter)
{
    KT_ASSERT(iter->valid);
    return iter->value;
}

/* ---- batches: op1 family1 key_len4 value_len4 key value ---- */

static void append(KtKvBatch *batch, KtKvOp op, uint32_t family, KtSpan key, KtSpan value)
{
    KT_CHECK(family < 256 && key.len <= UINT32_MAX && value.len <= UINT32_MAX);
    uint8_t *at = kt_buf_reserve(&batch->ops, 10 + key.len + value.len);
    if (!at)
        return;
    uint32_t key_len = (uint32_t)key.len, value_len = (uint32_t)value.len;
    at[0] = (uint8_t)op;
    at[1] = (uint8_t)family;
    memcpy(at + 2, &key_len, 4);
    memcpy(at + 6, &value_len, 4);
    if (key.len)
        memcpy(at + 10, key.at, key.len);
    if (value.len)
        memcpy(at + 10 + key.len, value.at, value.len);
    batch->ops.len += 10 + key.len + value.len;
    batch->count++;
}

void kt_kv_put(KtKvBatch *batch, uint32_t family, KtSpan key, KtSpan value)
{
    append(batch, KT_KV_OP_PUT, family, key, value);
}

void kt_kv_delete(KtKvBatch *batch, uint32_t family, KtSpan key)
{
    append(batch, KT_KV_OP_DELETE, family, key, kt_span(NULL, 0));
}

void kt_kv_merge(KtKvBatch *batch, uint32_t family, KtSpan key, KtSpan operand)
{
    append(batch, KT_KV_OP_MERGE, family, key, operand);
}

void kt_kv_delete_range(KtKvBatch *batch, uint32_t family, KtSpan from, KtSpan to)
{
    append(batch, KT_KV_OP_DELETE_RANGE, family, from, to);
}

void kt_kv_batch_clear(KtKvBatch *batch)
{
    kt_buf_clear(&batch->ops);
    batch->count = 0;
}

void kt_kv_batch_close(KtKvBatch *batch)
{
    kt_buf_close(&batch->ops);
    batch->count = 0;
}

bool kt_kv_batch_next(const KtKvBatch *batch, size_t *at, KtKvChange *out)
{
    if (*at == batch->ops.len)
        return false;
    const uint8_t *p = batch->ops.data + *at;
    uint32_t key_len, value_len;
    memcpy(&key_len, p + 2, 4);
    memcpy(&value_len, p + 6, 4);
    *out = (KtKvChange){
        .op = (KtKvOp)p[0],
        .family = p[1],
        .key = kt_span(p + 10, key_len),
        .value = kt_span(p + 10 + key_len, value_len),
    };
    *at += 10 + (size_t)key_len + value_len;
    return true;
}

KtStatus kt_kv_write(KtKv *kv, const KtKvBatch *batch, bool sync, KtDiag *diag)
{
    if (batch->ops.failed)
        return kt_diag_set(diag, KT_ERR_MEMORY, NULL, "There is not enough memory for this write.");
    size_t at = 0;
    KtKvChange change;
    while (kt_kv_batch_next(batch, &at, &change)) {
        KT_CHECK(change.family < kv->families);
        KT_CHECK(change.op != KT_KV_OP_MERGE || kv->family[change.family].merge);
    }
    return kv->ops->write(kv, batch, sync, diag);
}

KtStatus kt_kv_flush(KtKv *kv, KtDiag *diag) { return kv->ops->flush(kv, diag); }

uint64_t kt_kv_bytes(KtKv *kv, uint32_t family)
{
    KT_ASSERT(family < kv->families);
    return kv->ops->bytes(kv, family);
}

/* ---- sorted files ---- */

KtStatus kt_kv_sst_open(KtKv *kv, uint32_t family, const char *file, KtDiag *diag, KtKvSst **out)
{
    if (!kv->ops->sst_open)
        return kt_diag_set(diag, KT_ERR_NOT_SUPPORTED, NULL,
                           "A store in memory has no sorted files.");
    return kv->ops->sst_open(kv, family, file, diag, out);
}

KtStatus kt_kv_sst_put(KtKvSst *sst, KtSpan key, KtSpan value, KtDiag *diag)
{
    return kt_kv_rocksdb_sst_put(sst, key, value, diag);
}

KtStatus kt_kv_sst_finish(KtKvSst *sst, KtDiag *diag)
{
    return kt_kv_rocksdb_sst_finish(sst, diag);
}

KtStatus kt_kv_ingest(KtKv *kv, uint32_t family, const char *const *file, size_t n, KtDiag *diag)
{
    if (!kv->ops->ingest)
        return kt_diag_set(diag, KT_ERR_NOT_SUPPORTED, NULL,
                           "A store in memory has no sorted files.");
    return n == 0 ? KT_OK : kv->ops->ingest(kv, family, file, n, diag);
}
