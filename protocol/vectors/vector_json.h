/* protocol/vectors/vector_json.h - values and messages as the JSON of vectors.jsonl; for the maker of the
 * vectors and for tests. README.md of this folder describes the form. */
#ifndef KT_PROTOCOL_VECTORS_VECTOR_JSON_H
#define KT_PROTOCOL_VECTORS_VECTOR_JSON_H

#include "protocol/kmp/request.h"
#include "protocol/kmp/response.h"

void kt_vector_value(KtBuf *out, KtValue value);
/* {"type": ..., "flags": ..., "request": ..., "body": ...}, read from the payload by the table of messages.def. */
KtStatus kt_vector_message(KtBuf *out, const KmpMessage *message, KtArena *arena,
                           KtDiag *diag) KT_MUST_CHECK;
void kt_vector_hex(KtBuf *out, const void *bytes, size_t len);

#endif
