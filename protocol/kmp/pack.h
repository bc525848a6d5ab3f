/* protocol/kmp/pack.h - msgpack, one token at a time.
 *
 * Writing goes through msgpack-c's packer into a KtBuf, which latches its failures. Reading is ours,
 * since the bytes are a stranger's: a token's body and an announced count are checked against the
 * bytes left before the caller sees them, and nothing is allocated here. */
#ifndef KT_PROTOCOL_KMP_PACK_H
#define KT_PROTOCOL_KMP_PACK_H

#include "base/diag.h"
#include "base/value.h"

/* ---- writing ---- */

void kt_pack_nil(KtBuf *out);
void kt_pack_bool(KtBuf *out, bool b);
void kt_pack_int(KtBuf *out, int64_t i); /* the shortest form */
void kt_pack_uint(KtBuf *out, uint64_t u);
void kt_pack_float(KtBuf *out, double f);
void kt_pack_text(KtBuf *out, KtText text);
void kt_pack_bin(KtBuf *out, const void *bytes, uint32_t len);
void kt_pack_array(KtBuf *out, uint32_t n);
void kt_pack_map(KtBuf *out, uint32_t n);
void kt_pack_ext(KtBuf *out, int8_t type, const void *bytes, uint32_t len);
/* Makes the bytes written since `start` (out->len then) the body of an extension. */
void kt_pack_ext_around(KtBuf *out, size_t start, int8_t type);

/* ---- reading ---- */

typedef enum KtTokenKind {
    KT_TOKEN_NIL,
    KT_TOKEN_BOOL,
    KT_TOKEN_INT,  /* fits int64 */
    KT_TOKEN_UINT, /* above int64 */
    KT_TOKEN_FLOAT,
    KT_TOKEN_TEXT, /* not yet checked as UTF-8 */
    KT_TOKEN_BIN,
    KT_TOKEN_ARRAY,
    KT_TOKEN_MAP,
    KT_TOKEN_EXT
} KtTokenKind;

typedef struct KtPackToken {
    KtTokenKind kind;
    int8_t ext;          /* EXT: its type */
    uint32_t len;        /* bytes of TEXT, BIN, EXT; elements of ARRAY; entries of MAP */
    const uint8_t *body; /* TEXT, BIN, EXT: in the reader's bytes */
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f;
    } as;
} KtPackToken;

/* Reads one token. Errors: PROTOCOL when the bytes end early, a count exceeds the bytes left (an element
 * takes at least one), or the byte 0xC1 stands there. */
KtStatus kt_unpack_token(KtReader *in, KtDiag *diag, KtPackToken *out) KT_MUST_CHECK;
/* Passes over one whole value of any shape; its text is not looked at. Cost: linear, no recursion. */
KtStatus kt_unpack_skip(KtReader *in, KtDiag *diag) KT_MUST_CHECK;

#endif
