/* protocol/kmp/value_codec.h - KtValue to and from its msgpack form (PROTOCOL.md, "Values").
 *
 * Every value is self-contained: entities carry their names in full. Decoding allocates at most about 16
 * bytes for each byte read, and charges it to the arena's budget. */
#ifndef KT_PROTOCOL_KMP_VALUE_CODEC_H
#define KT_PROTOCOL_KMP_VALUE_CODEC_H

#include "base/diag.h"
#include "base/value.h"

/* Extension types. */
enum {
    KMP_EXT_NODE = 0x01,
    KMP_EXT_REL = 0x02,
    KMP_EXT_PATH = 0x03,
    KMP_EXT_DATE = 0x05,
    KMP_EXT_LOCAL_TIME = 0x06,
    KMP_EXT_TIME = 0x07,
    KMP_EXT_LOCAL_DATETIME = 0x08,
    KMP_EXT_DATETIME = 0x09,
    KMP_EXT_DURATION = 0x0A,
    KMP_EXT_POINT = 0x0B,
    KMP_EXT_VECTOR = 0x0C,
    KMP_EXT_UUID = 0x0D,
    KMP_EXT_TIMESTAMP = -1, /* msgpack's own: read as a DateTime in UTC, never written */
};

/* Element types of a vector: KtValue.aux, and the first byte on the wire. */
enum {
    KMP_VECTOR_F32 = 1,
    KMP_VECTOR_F64 = 2,
    KMP_VECTOR_I8 = 3,
    KMP_VECTOR_I16 = 4,
    KMP_VECTOR_I32 = 5,
    KMP_VECTOR_I64 = 6
};

/* Appends `value`. Nodes, relationships and paths need their images. Errors: MEMORY; VALUE_TOO_DEEP;
 * NUMBER_OUT_OF_RANGE for a date outside 32 bits of days or a time outside 64 bits; INTERNAL for an entity
 * without image. On failure what was appended so far stays: the caller cuts `out` back. */
KtStatus kt_kmp_value_encode(KtBuf *out, KtValue value, KtDiag *diag) KT_MUST_CHECK;

/* Reads one value. Lifetime: text and bytes of *out point into the reader's bytes, the rest is in `arena`.
 * Errors: PROTOCOL for broken msgpack; INVALID_VALUE for what is no Kith value (unsigned above 64-bit integer,
 * text that is not UTF-8, a map key that is no text or stands twice, an unknown extension or a wrong layout);
 * VALUE_TOO_DEEP; MEMORY. */
KtStatus kt_kmp_value_decode(KtReader *in, KtArena *arena, KtDiag *diag,
                             KtValue *out) KT_MUST_CHECK;

#endif
