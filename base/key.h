/* base/key.h - the one key encoder: sort, group, distinct and index keys.
 *
 * Bytes whose memcmp is Cypher's orderability and whose equality is equivalence: null = null,
 * NaN = NaN, 1 = 1.0, nested values too. Each value begins with one byte of class; texts are
 * escaped (00 becomes 00 FF, end 00 00), so that concatenated keys keep the order.
 * Numbers: BE64 of the nearest double in ordered form, then BE16 of 0x8000 + exact residual. */
#ifndef KT_BASE_KEY_H
#define KT_BASE_KEY_H

#include "base/value.h"

void kt_key_put(KtBuf *out, KtValue value);
/* The same with all bits inverted: sorts in descending order. */
void kt_key_put_descending(KtBuf *out, KtValue value);
/* Index form: as kt_key_put for booleans, numbers and strings up to 200 bytes; longer strings are the
 * first 200 bytes, 00 01 and XXH3-128 of the whole: equal only if equal (to be re-checked on the
 * record), order holds among prefixes only. Returns false for what an index does not hold. */
bool kt_key_put_index(KtBuf *out, KtValue value);
/* True when a join or index lookup with this value can match nothing: null, NaN, or a list or map with either
 * inside. */
bool kt_key_never_equal(KtValue value);

#endif
