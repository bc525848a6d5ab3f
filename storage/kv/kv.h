/* storage/kv/kv.h - the one door to an ordered key-value store: RocksDB on disk, or memory.
 *
 * A store is a fixed list of families, each an ordered map from bytes to bytes with its own merge operator.
 * Order of use: kt_kv_open; snapshots, reads, iterators, batches; all of them given back; kt_kv_close (checked).
 *
 * What holds for every back end: a batch is applied whole or not at all; a snapshot never changes; a read without
 * a snapshot sees the newest write that returned; a synced write that returned KT_OK is on disk (RocksDB).
 * Threads: any number of readers, one kt_kv_write at a time. A batch, value or iterator belongs to one thread.
 * Errors of all reads: KT_ERR_IO, KT_ERR_CORRUPTION, KT_ERR_MEMORY. */
#ifndef KT_STORAGE_KV_KV_H
#define KT_STORAGE_KV_KV_H

#include "base/buf.h"
#include "base/diag.h"

typedef struct KtKv KtKv;
typedef struct KtKvSnapshot KtKvSnapshot;
typedef struct KtKvIter KtKvIter;
typedef struct KtKvSst KtKvSst;

/* Bytes that someone else owns. at NULL: nothing there (an empty value has at != NULL). */
typedef struct KtSpan {
    const uint8_t *at;
    size_t len;
} KtSpan;

static inline KtSpan kt_span(const void *at, size_t len)
{
    return (KtSpan){(const uint8_t *)at, len};
}

/* ---- merge ---- */

/* How the operands of one family combine. Neither function can fail: what it cannot decode it must carry along,
 * since one rejected operand would fail the flush, then every write, then the next open. */
typedef struct KtKvMerge {
    const char *name; /* stored with the data: never change */
    /* Appends to `out` the value that `operand[0..n)`, oldest first, make of `base` (at NULL: none). */
    void (*full)(KtSpan key, KtSpan base, const KtSpan *operand, size_t n, KtBuf *out);
    /* Appends one operand that does what all of them do, oldest first; or returns false: keep them as they are. */
    bool (*partial)(KtSpan key, const KtSpan *operand, size_t n, KtBuf *out);
} KtKvMerge;

typedef struct KtKvFamily {
    const char *name;
    const KtKvMerge *merge; /* NULL: kt_kv_merge is not allowed */
    /* bytes of the prefix that has a bloom filter; 0: none. Iterators see KT_KV_TOTAL_ORDER */
    uint8_t prefix;
} KtKvFamily;

/* ---- open and close ---- */

typedef struct KtKvSpec {
    const char *path; /* folder; NULL: in memory, gone at close */
    /* folder of RocksDB's own info log; never on the data volume. NULL: a temporary one */
    const char *log_dir;
    bool create;              /* make it if it is not there; false: KT_ERR_NOT_FOUND */
    bool bulk;                /* being built by kt_kv_ingest: no background compactions */
    const KtKvFamily *family; /* kept: must outlive the store */
    uint32_t families;
    size_t block_cache_bytes; /* of its own cache; 0: 32 MiB */
    size_t memtable_bytes;    /* db_write_buffer_size; 0: 64 MiB */
} KtKvSpec;

/* Errors: STORE_LOCKED (another process, or this one, has it open), NOT_FOUND, CORRUPTION, IO; words in `diag`.
 * Ownership: the caller closes *out. */
KtStatus kt_kv_open(const KtKvSpec *spec, KtDiag *diag, KtKv **out) KT_MUST_CHECK;
/* KT_CHECKs that no snapshot or iterator is left. NULL is allowed. */
void kt_kv_close(KtKv *kv);

/* ---- reads ---- */

/* at NULL in the reads below: the newest. */
KtStatus kt_kv_snapshot(KtKv *kv, KtKvSnapshot **out) KT_MUST_CHECK;
void kt_kv_snapshot_release(KtKv *kv, KtKvSnapshot *snapshot); /* NULL is allowed */

/* A value held in place. Lifetime: until kt_kv_release; not found: bytes.at is NULL. {0} may be released. */
typedef struct KtKvValue {
    KtSpan bytes;
    void *pin;
    void (*unpin)(void *pin);
} KtKvValue;
static inline void kt_kv_release(KtKvValue *value)
{
    if (value->unpin)
        value->unpin(value->pin);
    *value = (KtKvValue){0};
}

KtStatus kt_kv_get(KtKv *kv, const KtKvSnapshot *at, uint32_t family, KtSpan key,
                   KtKvValue *out) KT_MUST_CHECK;
/* n reads in one call; faster when the keys are sorted, which `sorted` promises. On an error no value is held. */
KtStatus kt_kv_multi_get(KtKv *kv, const KtKvSnapshot *at, uint32_t family, uint32_t n,
                         const KtSpan *key, bool sorted, KtKvValue *out) KT_MUST_CHECK;

enum {
    KT_KV_TOTAL_ORDER =
        1, /* needed to leave a prefix in a family that has one; costs the prefix's bloom filter */
    KT_KV_NO_CACHE = 2 /* a whole scan: does not fill the block cache */
};
enum { KT_KV_PREFIX_MOST = 64 }; /* bytes of a prefix given to kt_kv_iter_prefix */

KtStatus kt_kv_iter_open(KtKv *kv, const KtKvSnapshot *at, uint32_t family, uint32_t flags,
                         KtKvIter **out) KT_MUST_CHECK;
void kt_kv_iter_close(KtKvIter *iter); /* NULL is allowed */
/* Goes to the first key that begins with `prefix`; the iterator ends behind the last such key. `from` (at NULL: the
 * prefix itself) begins with `prefix` and is where to start. In a family with a prefix and without KT_KV_TOTAL_ORDER,
 * `prefix` must be at least that long. */
KtStatus kt_kv_iter_prefix(KtKvIter *iter, KtSpan prefix, KtSpan from) KT_MUST_CHECK;
/* Goes to the first key >= `key` (at NULL: the first of all), no bound. Total order in families with a prefix. */
KtStatus kt_kv_iter_seek(KtKvIter *iter, KtSpan key) KT_MUST_CHECK;
/* Goes to the last key < `key` (at NULL: the last of all), no bound. Total order in families with a prefix. */
KtStatus kt_kv_iter_seek_before(KtKvIter *iter, KtSpan key) KT_MUST_CHECK;
KtStatus kt_kv_iter_next(KtKvIter *iter) KT_MUST_CHECK; /* only while valid */
bool kt_kv_iter_valid(const KtKvIter *iter);
/* Lifetime of both: until the next move or close. Only while valid. */
KtSpan kt_kv_iter_key(const KtKvIter *iter);
KtSpan kt_kv_iter_value(const KtKvIter *iter);

/* ---- writes ---- */

/* Changes in order, to be applied at once. Starts as {0}; the same for every back end. An append that runs out of
 * memory latches, and kt_kv_write answers KT_ERR_MEMORY. */
typedef struct KtKvBatch {
    KtBuf ops;
    uint32_t count;
} KtKvBatch;
void kt_kv_put(KtKvBatch *batch, uint32_t family, KtSpan key, KtSpan value);
void kt_kv_delete(KtKvBatch *batch, uint32_t family, KtSpan key);
void kt_kv_merge(KtKvBatch *batch, uint32_t family, KtSpan key, KtSpan operand);
/* Removes the keys k with from <= k < to. */
void kt_kv_delete_range(KtKvBatch *batch, uint32_t family, KtSpan from, KtSpan to);
void kt_kv_batch_clear(KtKvBatch *batch); /* keeps the memory */
void kt_kv_batch_close(KtKvBatch *batch);

/* Applies the batch whole; with `sync` returns once it is on disk. A failure means that the outcome is unknown: the
 * caller must not write again (the sequencer latches). Errors: IO, CORRUPTION, MEMORY (certainly not
 * applied). */
KtStatus kt_kv_write(KtKv *kv, const KtKvBatch *batch, bool sync, KtDiag *diag) KT_MUST_CHECK;
/* Moves what is in memory tables to sorted files. Nothing to do in memory. */
KtStatus kt_kv_flush(KtKv *kv, KtDiag *diag) KT_MUST_CHECK;
/* Bytes of a family's live sorted files (in memory: of its keys and values). */
uint64_t kt_kv_bytes(KtKv *kv, uint32_t family);

/* ---- building a store from sorted files (RocksDB only; in memory: KT_ERR_NOT_SUPPORTED) ---- */

/* Keys must ascend strictly. The file can be ingested into a store opened with the same families. */
KtStatus kt_kv_sst_open(KtKv *kv, uint32_t family, const char *file, KtDiag *diag,
                        KtKvSst **out) KT_MUST_CHECK;
KtStatus kt_kv_sst_put(KtKvSst *sst, KtSpan key, KtSpan value, KtDiag *diag) KT_MUST_CHECK;
KtStatus kt_kv_sst_finish(KtKvSst *sst, KtDiag *diag) KT_MUST_CHECK;
uint64_t kt_kv_sst_bytes(KtKvSst *sst);
void kt_kv_sst_close(KtKvSst *sst); /* NULL is allowed */
/* Moves files into an otherwise unused family: ingested values would hide merge operands that are pending. */
KtStatus kt_kv_ingest(KtKv *kv, uint32_t family, const char *const *file, size_t n,
                      KtDiag *diag) KT_MUST_CHECK;

/* ---- faults, for tests ---- */

typedef enum KtKvFaultOn {
    KT_FAULT_READ,  /* get, multi_get, snapshot, iterator open and moves */
    KT_FAULT_WRITE, /* fails before anything is applied */
    KT_FAULT_SYNC   /* a synced write is applied, then reported as failed */
} KtKvFaultOn;

/* Wraps `inner` (whose ownership it takes): kt_kv_close of *out closes both. */
KtStatus kt_kv_fault_open(KtKv *inner, KtKv **out) KT_MUST_CHECK;
/* The nth operation of that kind from now on (0: the next) fails with KT_ERR_IO; with `sticky` every later one too.
 * n = UINT64_MAX: none. */
void kt_kv_fault_set(KtKv *fault, KtKvFaultOn on, uint64_t nth, bool sticky);
uint64_t kt_kv_fault_hits(const KtKv *fault,
                          KtKvFaultOn on); /* operations that failed by a fault so far */

#endif
