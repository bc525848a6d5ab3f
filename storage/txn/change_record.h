/* storage/txn/change_record.h - what a group of commits did, in terms of entities.
 *
 *   header   fmt1 epoch8 first8 last8 utc_us8 log_at8 payload_len4 payload_digest16 previous_header_digest16
 *   payload  for each member, first..last: varint changes, then the changes
 *
 * The chain runs over headers, so that a payload may be erased and the chain still holds. A change names
 * entities, tokens and values, never keys; it carries the images of what it changes, before and after, so
 * that a record means the same wherever it is applied. log_at counts the bytes of all records before it.
 * The same struct is an entry of a view's overlay (storage/txn/overlay.h). */
#ifndef KT_STORAGE_TXN_CHANGE_RECORD_H
#define KT_STORAGE_TXN_CHANGE_RECORD_H

#include "storage/kv/kv.h"
#include "storage/meta.h"

typedef enum KtChangeKind {                         /* stored: never change a number */
                            KT_CHANGE_NAME = 1,     /* name kind in `sub`, token, text */
                            KT_CHANGE_NODE_ADD = 2, /* id, labels, properties */
                            KT_CHANGE_NODE_DEL = 3, /* id; labels and properties it had */
                            KT_CHANGE_REL_ADD = 4,  /* id, token (type), start, end, properties */
                            KT_CHANGE_REL_DEL = 5,  /* the same; properties it had */
                            KT_CHANGE_NODE_PROP =
                                6, /* id, token (key), before, after; null: not there */
                            KT_CHANGE_REL_PROP = 7,
                            KT_CHANGE_LABEL_ADD = 8, /* id, token (label) */
                            KT_CHANGE_LABEL_DEL = 9,
                            KT_CHANGE_INDEX_PUT =
                                10, /* id, state in `sub`, unique, token (label), key, text: made or changed */
                            KT_CHANGE_INDEX_DROP = 11, /* id and the same, as it was */
                            KT_CHANGE_INDEX_FILL =
                                12 /* id (node), token (index): its entry is to be there if it has one */
} KtChangeKind;

typedef struct KtChange {
    KtChangeKind kind;
    uint8_t sub;
    bool unique;
    KtToken token, key;
    uint64_t id, start, end;
    uint32_t labels, props;
    const KtToken *label; /* ascending, no doubles */
    const KtProp *prop;   /* ascending by key, no doubles, no nulls */
    KtValue before, after;
    KtText text;
} KtChange;

enum { KT_RECORD_FORMAT = 1, KT_RECORD_HEADER = 1 + 5 * 8 + 4 + 2 * KT_DIGEST_SIZE };

typedef struct KtRecordHeader {
    uint64_t epoch;
    KtCommit first, last;
    int64_t utc_us; /* never falls from one record to the next */
    uint64_t log_at;
    uint32_t payload_len;
    uint8_t payload_digest[KT_DIGEST_SIZE];
    uint8_t previous[KT_DIGEST_SIZE]; /* digest of the header before; zero for the first */
} KtRecordHeader;

/* A record read into memory. Lifetime: texts lie in the bytes it was read from, arrays in the arena. */
typedef struct KtChangeRecord {
    KtRecordHeader header;
    uint8_t digest[KT_DIGEST_SIZE]; /* of the header */
    uint32_t n;
    const KtChange *change; /* of all members, in order */
} KtChangeRecord;

/* Appends one change to a payload. Errors: MEMORY, and those of kt_value_encode. */
KtStatus kt_change_put(KtBuf *payload, const KtChange *change) KT_MUST_CHECK;

/* Completes a record: header->payload_len and payload_digest are filled in, the bytes appended to `out`, the
 * digest of the header given. */
KtStatus kt_change_record_put(KtBuf *out, KtRecordHeader *header, KtSpan payload,
                              uint8_t digest[KT_DIGEST_SIZE]) KT_MUST_CHECK;

/* Reads the header alone. Errors: CORRUPTION; STORE_FORMAT for a newer form. */
KtStatus kt_record_header_get(KtSpan bytes, KtRecordHeader *out,
                              uint8_t digest[KT_DIGEST_SIZE]) KT_MUST_CHECK;
/* Reads and checks a whole record. Errors: CORRUPTION, STORE_FORMAT, MEMORY. */
KtStatus kt_change_record_get(KtSpan bytes, KtArena *arena, KtChangeRecord *out) KT_MUST_CHECK;

#endif
