/* storage/store.h - one database's key-value store and what is held of it in memory: marks, names, counts,
 * schema, split lists.
 *
 * All of it is "as of the last commit that was installed". Only the holder of the turn changes it, after its
 * write is on disk (kt_store_install) or, for names, at first need; `lock` guards what readers look at
 * meanwhile (names, counts). Schemas are immutable pictures, counted. */
#ifndef KT_STORAGE_STORE_H
#define KT_STORAGE_STORE_H

#include "base/hash.h"
#include "storage/kv/kv.h"
#include "storage/meta.h"

#include <pthread.h>

/* Names of one kind; tokens are dense from 1. Those above `durable` go into the next commit's record. */
typedef struct KtNames {
    KtText *text; /* text[token - 1] */
    uint32_t n, cap, durable;
    uint32_t *slot; /* open addressing: tokens, 0 is free */
    uint32_t slots;
} KtNames;

typedef struct KtSchemaPicture {
    atomic_uint refs;
    KtSchema schema;
    KtIndexFacts index[];
} KtSchemaPicture;

/* The bounds of one split list. */
typedef struct KtSplit {
    KtNodeId node;
    KtToken type;
    uint8_t dir;
    uint32_t n;
    KtMetaBound *bound; /* ascending; bound[0] is (0, 0) */
    uint32_t older;     /* the next of the same hash: place + 1 */
} KtSplit;

typedef struct KtCounts {
    uint64_t *at; /* by token */
    uint32_t cap;
} KtCounts;

typedef struct KtStore {
    KtKv *kv;
    KtMetaFormat format;
    KtMetaState state;
    KtMetaLog log;
    KtSchemaPicture *schema;
    KtSplit *split;
    uint32_t splits, splits_cap;
    KtMap64 split_at;             /* hash of the list: place + 1 */
    uint64_t next_node, next_rel; /* above every id given out, durable or not; the turn's */
    int64_t trimmed_ns;           /* when the log was last trimmed */
    pthread_rwlock_t lock;        /* names, count, state.nodes, state.rels, texts */
    KtNames name[4];              /* by KtNameKind */
    KtCounts count[3];            /* LABEL, TYPE */
    KtArena *texts;               /* of names and indexes; never freed before the store */
} KtStore;

/* Takes the kv (closed by kt_store_close, also when this fails). Reads meta; an empty store gets format and uuid,
 * written and synced, if `create`. Errors: STORE_FORMAT, DURABILITY_GAP, CORRUPTION, IO, MEMORY. */
KtStatus kt_store_open(KtKv *kv, bool create, KtDiag *diag, KtStore **out) KT_MUST_CHECK;
/* `clean`: records the clean stop first. */
void kt_store_close(KtStore *store, bool clean);

/* ---- names ---- */

KtToken kt_store_name_find(KtStore *store, KtNameKind kind, KtText name);
KtStatus kt_store_name_make(KtStore *store, KtNameKind kind, KtText name,
                            KtToken *out) KT_MUST_CHECK;
KtText kt_store_name_text(KtStore *store, KtNameKind kind,
                          KtToken token);                 /* empty if there is none */
uint32_t kt_store_names(KtStore *store, KtNameKind kind); /* tokens are 1..n */

/* ---- counts ---- */

uint64_t kt_store_count(KtStore *store, KtNameKind kind, KtToken token);

/* ---- schema ---- */

/* Ownership: one reference. `index` is sorted here; names of it must live as long as the store. */
KtStatus kt_schema_make(KtStore *store, uint64_t version, const KtMetaIndex *index, uint32_t n,
                        KtSchemaPicture **out) KT_MUST_CHECK;
KtSchemaPicture *kt_schema_hold(KtSchemaPicture *schema);
void kt_schema_drop(KtSchemaPicture *schema); /* NULL is allowed */
const KtIndexFacts *kt_schema_index(const KtSchema *schema,
                                    uint32_t id); /* NULL if there is none */

/* ---- split lists ---- */

/* NULL: the list has one key. Lifetime: until the next install. */
const KtSplit *kt_store_split(const KtStore *store, KtNodeId node, uint8_t dir, KtToken type);
/* Room for one more list, so that kt_store_split_set cannot fail. */
KtStatus kt_store_split_reserve(KtStore *store, uint32_t more) KT_MUST_CHECK;
/* Takes over `bound` (malloc). */
KtStatus kt_store_split_set(KtStore *store, KtNodeId node, uint8_t dir, KtToken type,
                            KtMetaBound *bound, uint32_t n) KT_MUST_CHECK;

/* Room for counts up to `token`, so that setting one cannot fail. */
KtStatus kt_store_count_reserve(KtStore *store, KtNameKind kind, KtToken token) KT_MUST_CHECK;

#endif
