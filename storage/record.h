/* storage/record.h - the record of a node or relationship: labels and properties.
 *
 *   fmt1 flags1 nl2 np2 | label4[nl] ascending | {key4 kind1 end3}[np] ascending by key | payload
 *
 * `end` is where the value ends in the payload, so one property is found by binary search and read without the
 * others. A value whose encoding is over KT_RECORD_INLINE bytes stands under its own key (kt_key_value) as
 * fmt1 kind1 bytes; its entry has KT_RECORD_OUT set in kind and no payload.
 *
 * Values: BOOL 1 byte; INT 0 to 8 bytes, sign-extended; FLOAT 8; TEXT and BYTES as they are; LIST elemkind1 varint n,
 * then BOOL 1 byte, INT zigzag varint, FLOAT 8, TEXT and BYTES varint length and bytes each. */
#ifndef KT_STORAGE_RECORD_H
#define KT_STORAGE_RECORD_H

#include "storage/format.h"
#include "storage/graph.h"

enum {
    KT_RECORD_INLINE = 2048, /* bytes of a value inside the record */
    KT_RECORD_OUT = 0x80     /* flag in an entry's kind: out of line */
};

/* ---- values ---- */

/* Appends the value's bytes without kind. null is not a stored value (KT_CHECK). Errors: INVALID_PROPERTY_TYPE (maps,
 * entities, nested and mixed lists, null in a list), NOT_SUPPORTED (temporal, point, vector, uuid), MEMORY. On an
 * error `out` is as it was. */
KtStatus kt_value_encode(KtBuf *out, KtValue value) KT_MUST_CHECK;
/* Only the judgement of kt_value_encode: may this value be a property? */
KtStatus kt_value_storable(KtValue value) KT_MUST_CHECK;
/* Reads them back. Lifetime: TEXT and BYTES (in lists too) point into `bytes`; list elements are in `arena`.
 * Errors: CORRUPTION, MEMORY. */
KtStatus kt_value_decode(uint8_t kind, KtSpan bytes, KtArena *arena, KtValue *out) KT_MUST_CHECK;
/* The whole value of an out-of-line key, with format and kind. */
KtStatus kt_value_encode_out(KtBuf *out, KtValue value) KT_MUST_CHECK;
KtStatus kt_value_decode_out(KtSpan bytes, KtArena *arena, KtValue *out) KT_MUST_CHECK;

/* ---- records ---- */

/* Told of each value that does not fit inside: to be put under kt_key_value(id, key). Bytes live for the call. */
typedef struct KtRecordSpill {
    KtStatus (*put)(void *user, KtToken key, KtSpan bytes);
    void *user;
} KtRecordSpill;

/* Appends a record. `label` ascending without doubles; `prop` ascending by key without doubles, no nulls (KT_CHECK).
 * Errors: as kt_value_encode; LIST_TOO_LONG over 65,535 labels or properties or 16 MiB of payload. */
KtStatus kt_record_encode(KtBuf *out, const KtToken *label, uint32_t labels, const KtProp *prop,
                          uint32_t props, const KtRecordSpill *spill) KT_MUST_CHECK;

/* A record read in place. Lifetime: that of its bytes. */
typedef struct KtRecord {
    uint32_t labels, props;
    const uint8_t *label, *entry, *payload;
    uint32_t payload_len;
} KtRecord;

typedef struct KtRecordValue {
    uint8_t kind;     /* a KtKind, without KT_RECORD_OUT */
    bool out_of_line; /* bytes stand under kt_key_value */
    KtToken key;
    KtSpan bytes;
} KtRecordValue;

/* Checks the sizes of the head only. Errors: CORRUPTION. */
KtStatus kt_record_open(KtSpan bytes, KtRecord *out) KT_MUST_CHECK;
/* All that can be checked without a schema: order, ends, kinds, values. Errors: CORRUPTION, MEMORY. */
KtStatus kt_record_verify(KtSpan bytes) KT_MUST_CHECK;
static inline KtToken kt_record_label(const KtRecord *record, uint32_t i)
{
    uint32_t v;
    memcpy(&v, record->label + (size_t)i * 4, 4);
    return v;
}
bool kt_record_has_label(const KtRecord *record, KtToken label);
/* The i-th property in order of keys. Errors: CORRUPTION. */
KtStatus kt_record_at(const KtRecord *record, uint32_t i, KtRecordValue *out) KT_MUST_CHECK;
/* *found is false if there is no such property. Cost: O(log props). Errors: CORRUPTION. */
KtStatus kt_record_find(const KtRecord *record, KtToken key, KtRecordValue *out,
                        bool *found) KT_MUST_CHECK;

#endif
