/* storage/index_key.h - keys of the family index: index4, the values in order (base/key.h), node8; the value is empty.
 *
 * All entries of one value have one prefix, whole keys never are prefixes of others. A string over 200 bytes stands as
 * prefix and digest: equal keys mean equal values but for a digest collision, so readers check the record. */
#ifndef KT_STORAGE_INDEX_KEY_H
#define KT_STORAGE_INDEX_KEY_H

#include "base/key.h"
#include "storage/key.h"

/* Appends index4 and the value: the prefix of all its entries. Returns false, with `out` as it was, for a value that
 * an index does not hold (null, lists, maps and the like). */
bool kt_index_key_prefix(KtBuf *out, uint32_t index, KtValue value);
/* The same with the node behind it: the key of one entry. */
bool kt_index_key(KtBuf *out, uint32_t index, KtValue value, KtNodeId node);
/* The node of an entry. False: no such key. */
bool kt_index_key_parse(KtSpan key, uint32_t *index, KtNodeId *node);

#endif
