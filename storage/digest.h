/* storage/digest.h - one number for all that a view holds: equal for equal graphs, whatever wrote them.
 *
 * The sum of XXH3-128 of each node (id, labels, properties), each relationship (type, ends, properties; its id is
 * left out, since import and commits number them differently), each entry of each adjacency list in either
 * direction, each member of a label, each index and each entry of it, with names in full. So a store whose parts
 * disagree (an edge in one list and not in the other) never has the digest of a whole one.
 * Read through graph.h. Cost: the whole graph. */
#ifndef KT_STORAGE_DIGEST_H
#define KT_STORAGE_DIGEST_H

#include "storage/catalog.h"

enum { KT_DIGEST_BYTES = 16 };

KtStatus kt_digest(KtView *view, uint8_t out[KT_DIGEST_BYTES]) KT_MUST_CHECK;

#endif
