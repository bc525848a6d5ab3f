/* storage/meta.h - the keys and values of the meta family: what a database knows about itself.
 *
 * A key is one byte of kind, then what names the thing; every value begins with a format byte. Encoders
 * append to the buffers they are given (a failed append latches in the buffer); decoders take any bytes
 * and answer false for what they cannot read. Both import and commits write through these. */
#ifndef KT_STORAGE_META_H
#define KT_STORAGE_META_H

#include "storage/catalog.h"

enum {
    KT_STORE_FORMAT = 1, /* the newest form of a store that this build reads and writes */
    KT_META_VALUE_FORMAT = 1,
    KT_DIGEST_SIZE = 16
};

typedef enum KtMetaKind {
    KT_META_FORMAT = 'f', /* KtMetaFormat */
    KT_META_STATE = 'c',  /* KtMetaState: put by every commit */
    KT_META_STOP = 'e',   /* KtMetaStop: put by a clean stop, flushed */
    KT_META_COUNT = 'n',  /* kind1 token4: u64, entities with that label or type */
    KT_META_SPLIT = 's',  /* node8 dir1 type4: bounds of a split list */
    KT_META_LOG = 'l',    /* KtMetaLog: where the kept log begins */
    KT_META_NAME = 'k',   /* kind1 token4: the name */
    KT_META_TOKEN = 'K',  /* kind1 name: token */
    KT_META_INDEX = 'x'   /* id4: KtMetaIndex */
} KtMetaKind;

typedef struct KtMetaFormat {
    uint32_t format;
    uint8_t uuid[16];
} KtMetaFormat;

typedef struct KtMetaState {
    KtCommit commit; /* the last commit that this value belongs to */
    int64_t utc_us;  /* its time */
    uint64_t epoch;
    uint64_t log_end;               /* bytes of all change records ever written */
    uint8_t digest[KT_DIGEST_SIZE]; /* of the header of its change record; zero: none yet */
    uint64_t next_node, next_rel;   /* above every id ever used */
    uint64_t nodes, rels;
    uint64_t schema_version;
    uint32_t next_index;
} KtMetaState;

typedef struct KtMetaStop {
    KtCommit commit;
} KtMetaStop;

typedef struct KtMetaLog {
    KtCommit first;                 /* the first commit number whose change record is kept */
    uint8_t digest[KT_DIGEST_SIZE]; /* of the header of the record before it; zero: none */
} KtMetaLog;

typedef struct KtMetaIndex {
    uint32_t id;
    KtIndexState state;
    bool unique;
    KtToken label, key;
    KtText name; /* decoded: lies in the value's bytes */
} KtMetaIndex;

typedef struct
    KtMetaBound { /* the first (nbr, rel) that a segment may hold; the first segment's is (0, 0) */
    uint64_t nbr, rel;
} KtMetaBound;

void kt_meta_key(KtBuf *key, KtMetaKind kind); /* FORMAT, STATE, STOP, LOG */
void kt_meta_put_format(KtBuf *value, const KtMetaFormat *format);
bool kt_meta_get_format(const void *value, size_t len, KtMetaFormat *out);
void kt_meta_put_state(KtBuf *value, const KtMetaState *state);
bool kt_meta_get_state(const void *value, size_t len, KtMetaState *out);
void kt_meta_put_stop(KtBuf *value, const KtMetaStop *stop);
bool kt_meta_get_stop(const void *value, size_t len, KtMetaStop *out);
void kt_meta_put_log(KtBuf *value, const KtMetaLog *log);
bool kt_meta_get_log(const void *value, size_t len, KtMetaLog *out);

/* kind: KT_NAME_LABEL (nodes with it) or KT_NAME_TYPE (relationships of it). */
void kt_meta_key_count(KtBuf *key, KtNameKind kind, KtToken token);
void kt_meta_put_count(KtBuf *value, uint64_t count);
bool kt_meta_get_count_key(const void *key, size_t len, KtNameKind *kind, KtToken *token);
bool kt_meta_get_count(const void *value, size_t len, uint64_t *out);

/* Names are written in both directions. */
void kt_meta_key_name(KtBuf *key, KtNameKind kind, KtToken token);
void kt_meta_put_name(KtBuf *value, KtText name);
bool kt_meta_get_name_key(const void *key, size_t len, KtNameKind *kind, KtToken *token);
bool kt_meta_get_name(const void *value, size_t len, KtText *out); /* lies in `value` */
void kt_meta_key_token(KtBuf *key, KtNameKind kind, KtText name);
void kt_meta_put_token(KtBuf *value, KtToken token);

void kt_meta_key_index(KtBuf *key, uint32_t id);
void kt_meta_put_index(KtBuf *value, const KtMetaIndex *index);
bool kt_meta_get_index(const void *key, size_t key_len, const void *value, size_t len,
                       KtMetaIndex *out);

/* Bounds of a list that was split; at least two, ascending. */
void kt_meta_key_split(KtBuf *key, KtNodeId node, uint8_t dir, KtToken type);
void kt_meta_put_split(KtBuf *value, const KtMetaBound *bound, uint32_t n);
bool kt_meta_get_split_key(const void *key, size_t len, KtNodeId *node, uint8_t *dir,
                           KtToken *type);
/* The number of bounds, 0 for bytes that are none; bound[i] is read by the second. */
uint32_t kt_meta_split_count(const void *value, size_t len);
KtMetaBound kt_meta_split_at(const void *value, uint32_t i);

#endif
