/* storage/kv/kv_fault.c - a store that fails when a test says so: the nth read, write or sync, once or from then on. */
#include "storage/kv/kv_internal.h"

#include <stdlib.h>

enum { KINDS = 3 };

typedef struct Fault {
    atomic_uint_fast64_t seen, hits, fail_at; /* fail_at counts in `seen`; UINT64_MAX: never */
    atomic_bool sticky;
} Fault;

typedef struct FaultKv {
    KtKv base;
    KtKv *inner;
    Fault fault[KINDS];
} FaultKv;

typedef struct FaultIter {
    KtKvIter base;
    KtKvIter *inner;
} FaultIter;

/* Counts one operation; true: it must fail. */
static bool strikes(KtKv *base, KtKvFaultOn on)
{
    Fault *fault = &((FaultKv *)base)->fault[on];
    uint64_t place = atomic_fetch_add(&fault->seen, 1), fail_at = atomic_load(&fault->fail_at);
    if (place != fail_at && !(place > fail_at && atomic_load(&fault->sticky)))
        return false;
    atomic_fetch_add(&fault->hits, 1);
    return true;
}

static KtKv *inner(KtKv *base) { return ((FaultKv *)base)->inner; }

void kt_kv_fault_set(KtKv *base, KtKvFaultOn on, uint64_t nth, bool sticky)
{
    Fault *fault = &((FaultKv *)base)->fault[on];
    uint64_t seen = atomic_load(&fault->seen);
    atomic_store(&fault->sticky, sticky);
    atomic_store(&fault->fail_at, nth >= UINT64_MAX - seen ? UINT64_MAX : seen + nth);
}

uint64_t kt_kv_fault_hits(const KtKv *base, KtKvFaultOn on)
{
    return atomic_load(&((const FaultKv *)base)->fault[on].hits);
}

static void fault_close(KtKv *base)
{
    kt_kv_close(inner(base));
    free(base);
}

static KtStatus fault_snapshot(KtKv *base, KtKvSnapshot **out)
{
    return strikes(base, KT_FAULT_READ) ? KT_ERR_IO : kt_kv_snapshot(inner(base), out);
}

static void fault_snapshot_release(KtKv *base, KtKvSnapshot *snapshot)
{
    kt_kv_snapshot_release(inner(base), snapshot);
}

static KtStatus fault_get(KtKv *base, const KtKvSnapshot *at, uint32_t family, KtSpan key,
                          KtKvValue *out)
{
    return strikes(base, KT_FAULT_READ) ? KT_ERR_IO : kt_kv_get(inner(base), at, family, key, out);
}

static KtStatus fault_multi_get(KtKv *base, const KtKvSnapshot *at, uint32_t family, uint32_t n,
                                const KtSpan *key, bool sorted, KtKvValue *out)
{
    return strikes(base, KT_FAULT_READ)
               ? KT_ERR_IO
               : kt_kv_multi_get(inner(base), at, family, n, key, sorted, out);
}

static KtStatus fault_iter_open(KtKv *base, const KtKvSnapshot *at, uint32_t family, uint32_t flags,
                                KtKvIter **out)
{
    if (strikes(base, KT_FAULT_READ))
        return KT_ERR_IO;
    FaultIter *iter = calloc(1, sizeof *iter);
    if (!iter)
        return KT_ERR_MEMORY;
    KtStatus status = kt_kv_iter_open(inner(base), at, family, flags, &iter->inner);
    if (status != KT_OK) {
        free(iter);
        return status;
    }
    *out = &iter->base;
    return KT_OK;
}

static void fault_iter_close(KtKvIter *base)
{
    FaultIter *iter = (FaultIter *)base;
    kt_kv_iter_close(iter->inner);
    free(iter);
}

/* One move of the inner back end; the bound is kept outside, by kv.c. */
static KtStatus move(KtKvIter *base, KtStatus (*step)(KtKvIter *, KtSpan), KtSpan key)
{
    FaultIter *iter = (FaultIter *)base;
    if (strikes(base->kv, KT_FAULT_READ))
        return KT_ERR_IO;
    KT_TRY(step(iter->inner, key));
    base->valid = iter->inner->valid;
    base->key = iter->inner->key;
    base->value = iter->inner->value;
    return KT_OK;
}

static KtStatus step_next(KtKvIter *in, KtSpan none)
{
    (void)none;
    return in->kv->ops->iter_next(in);
}

static KtStatus fault_iter_seek(KtKvIter *base, KtSpan key)
{
    return move(base, ((FaultIter *)base)->inner->kv->ops->iter_seek, key);
}

static KtStatus fault_iter_seek_before(KtKvIter *base, KtSpan key)
{
    return move(base, ((FaultIter *)base)->inner->kv->ops->iter_seek_before, key);
}

static KtStatus fault_iter_next(KtKvIter *base) { return move(base, step_next, kt_span(NULL, 0)); }

static KtStatus fault_write(KtKv *base, const KtKvBatch *batch, bool sync, KtDiag *diag)
{
    if (strikes(base, KT_FAULT_WRITE))
        return kt_diag_set(diag, KT_ERR_IO, NULL, "A test made this write fail.");
    KT_TRY(kt_kv_write(inner(base), batch, sync, diag));
    if (sync && strikes(base, KT_FAULT_SYNC))
        return kt_diag_set(diag, KT_ERR_IO, NULL, "A test made this sync fail.");
    return KT_OK;
}

static KtStatus fault_flush(KtKv *base, KtDiag *diag) { return kt_kv_flush(inner(base), diag); }

static uint64_t fault_bytes(KtKv *base, uint32_t family)
{
    return kt_kv_bytes(inner(base), family);
}

static KtStatus fault_sst_open(KtKv *base, uint32_t family, const char *file, KtDiag *diag,
                               KtKvSst **out)
{
    return kt_kv_sst_open(inner(base), family, file, diag, out);
}

static KtStatus fault_ingest(KtKv *base, uint32_t family, const char *const *file, size_t n,
                             KtDiag *diag)
{
    return kt_kv_ingest(inner(base), family, file, n, diag);
}

static const KtKvOps fault_ops = {
    .close = fault_close,
    .snapshot = fault_snapshot,
    .snapshot_release = fault_snapshot_release,
    .get = fault_get,
    .multi_get = fault_multi_get,
    .iter_open = fault_iter_open,
    .iter_close = fault_iter_close,
    .iter_seek = fault_iter_seek,
    .iter_seek_before = fault_iter_seek_before,
    .iter_next = fault_iter_next,
    .write = fault_write,
    .flush = fault_flush,
    .bytes = fault_bytes,
    .sst_open = fault_sst_open,
    .ingest = fault_ingest,
};

KtStatus kt_kv_fault_open(KtKv *store, KtKv **out)
{
    FaultKv *kv = calloc(1, sizeof *kv);
    if (!kv)
        return KT_ERR_MEMORY;
    kv->base = (KtKv){.ops = &fault_ops, .family = store->family, .families = store->families};
    kv->inner = store;
    for (int i = 0; i < KINDS; i++)
        atomic_init(&kv->fault[i].fail_at, UINT64_MAX);
    *out = &kv->base;
    return KT_OK;
}
