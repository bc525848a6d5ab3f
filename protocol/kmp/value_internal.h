/* protocol/kmp/value_internal.h - what value_codec.c and value_ext.c share: the state of one decoding. */
#ifndef KT_PROTOCOL_KMP_VALUE_INTERNAL_H
#define KT_PROTOCOL_KMP_VALUE_INTERNAL_H

#include "protocol/kmp/limits.h"
#include "protocol/kmp/pack.h"
#include "protocol/kmp/value_codec.h"

/* `owed` counts the elements that the lists and maps around this place still have to read, each at least one
 * byte. What is left always covers it, so that nested counts cannot promise the same bytes twice. */
typedef struct KmpDecoder {
    KtReader in;
    KtArena *arena;
    KtDiag *diag;
    uint32_t depth;
    size_t owed;
} KmpDecoder;

KtStatus kt_kmp_invalid(KtDiag *diag, const char *what) KT_MUST_CHECK;
/* One token, its count or body covered beside what is owed. */
KtStatus kt_kmp_token(KmpDecoder *d, KtPackToken *out) KT_MUST_CHECK;
KtStatus kt_kmp_decode(KmpDecoder *d, KtValue *out) KT_MUST_CHECK;
/* A text token checked as UTF-8; `what` names it in the error. */
KtStatus kt_kmp_text(KmpDecoder *d, const char *what, KtText *out) KT_MUST_CHECK;
/* A list's count, all its elements from then on owed; the reader of each element gives one back. */
KtStatus kt_kmp_list(KmpDecoder *d, const char *what, uint32_t *n) KT_MUST_CHECK;
/* The entries of a map, keys checked and distinct. */
KtStatus kt_kmp_entries(KmpDecoder *d, uint32_t n, const KtMapEntry **out) KT_MUST_CHECK;
/* Entities and the fixed layouts: the body of an extension. */
KtStatus kt_kmp_ext_decode(KmpDecoder *d, const KtPackToken *token, KtValue *out) KT_MUST_CHECK;
KtStatus kt_kmp_ext_encode(KtBuf *out, KtValue value, KtDiag *diag, uint32_t depth) KT_MUST_CHECK;
KtStatus kt_kmp_encode(KtBuf *out, KtValue value, KtDiag *diag, uint32_t depth) KT_MUST_CHECK;
KtStatus kt_kmp_encode_entries(KtBuf *out, const KtMapEntry *entry, uint32_t n, KtDiag *diag,
                               uint32_t depth) KT_MUST_CHECK;

#endif
