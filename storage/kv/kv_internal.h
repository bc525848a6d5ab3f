/* storage/kv/kv_internal.h - what a back end of kv.h fills in. Stays inside this folder. */
#ifndef KT_STORAGE_KV_KV_INTERNAL_H
#define KT_STORAGE_KV_KV_INTERNAL_H

#include "storage/kv/kv.h"

#include <stdatomic.h>

typedef struct KtKvOps {
    void (*close)(KtKv *kv);
    KtStatus (*snapshot)(KtKv *kv, KtKvSnapshot **out);
    void (*snapshot_release)(KtKv *kv, KtKvSnapshot *snapshot);
    KtStatus (*get)(KtKv *kv, const KtKvSnapshot *at, uint32_t family, KtSpan key, KtKvValue *out);
    KtStatus (*multi_get)(KtKv *kv, const KtKvSnapshot *at, uint32_t family, uint32_t n,
                          const KtSpan *key, bool sorted, KtKvValue *out); /* NULL: n gets */
    KtStatus (*iter_open)(KtKv *kv, const KtKvSnapshot *at, uint32_t family, uint32_t flags,
                          KtKvIter **out);
    void (*iter_close)(KtKvIter *iter);
    /* Moves; they set valid, key and value of the iterator, without regard to its bound. */
    KtStatus (*iter_seek)(KtKvIter *iter, KtSpan key);        /* key.at NULL: the first */
    KtStatus (*iter_seek_before)(KtKvIter *iter, KtSpan key); /* key.at NULL: the last */
    KtStatus (*iter_next)(KtKvIter *iter);
    KtStatus (*write)(KtKv *kv, const KtKvBatch *batch, bool sync, KtDiag *diag);
    KtStatus (*flush)(KtKv *kv, KtDiag *diag);
    uint64_t (*bytes)(KtKv *kv, uint32_t family);
    KtStatus (*sst_open)(KtKv *kv, uint32_t family, const char *file, KtDiag *diag,
                         KtKvSst **out); /* NULL: none */
    KtStatus (*ingest)(KtKv *kv, uint32_t family, const char *const *file, size_t n, KtDiag *diag);
} KtKvOps;

struct KtKv {
    const KtKvOps *ops;
    const KtKvFamily *family;
    uint32_t families;
    atomic_uint snapshots, iterators; /* alive */
};

struct KtKvIter {
    KtKv *kv;
    uint32_t family, flags;
    bool valid;
    KtSpan key, value;
    uint8_t bound[KT_KV_PREFIX_MOST]; /* keys must begin with it */
    uint32_t bound_len;               /* 0: no bound */
};

/* One change of a batch, in order. */
typedef enum KtKvOp {
    KT_KV_OP_PUT = 1,
    KT_KV_OP_DELETE,
    KT_KV_OP_MERGE,
    KT_KV_OP_DELETE_RANGE
} KtKvOp;
typedef struct KtKvChange {
    KtKvOp op;
    uint32_t family;
    KtSpan key, value; /* value: also the operand, or the end of a range */
} KtKvChange;
/* *at starts as 0. False at the end. */
bool kt_kv_batch_next(const KtKvBatch *batch, size_t *at, KtKvChange *out);

/* memcmp, then length. */
int kt_kv_order(KtSpan a, KtSpan b);

KtStatus kt_kv_mem_open(const KtKvSpec *spec, KtKv **out);
KtStatus kt_kv_rocksdb_open(const KtKvSpec *spec, KtDiag *diag, KtKv **out);

/* Of kv_rocksdb.c, which alone knows the struct. */
KtStatus kt_kv_rocksdb_sst_put(KtKvSst *sst, KtSpan key, KtSpan value, KtDiag *diag);
KtStatus kt_kv_rocksdb_sst_finish(KtKvSst *sst, KtDiag *diag);

#endif
