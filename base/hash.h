/* base/hash.h - XXH3 behind our names, and a hash map for a few thousand entries.
 *
 * KtMap64 maps u64 to u64 with open addressing; it starts as {0}. Not for hot loops over millions
 * of node ids (query/exec/node_set.h and node_map.h are). */
#ifndef KT_BASE_HASH_H
#define KT_BASE_HASH_H

#include "base/arena.h"

uint64_t kt_hash(const void *data, size_t len); /* XXH3-64 */
/* XXH3-64 over the bytes of `a` followed by those of `b`. */
uint64_t kt_hash_two(const void *a, size_t a_len, const void *b, size_t b_len);
void kt_hash128(const void *data, size_t len, uint8_t out[16]); /* XXH3-128, canonical bytes */
static inline uint64_t kt_mix64(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    return x ^ (x >> 32);
}

typedef struct KtMap64 {
    uint64_t *slot; /* pairs key + 1, value; key + 1 == 0 is free */
    size_t cap, len;
    KtBudget *budget;
} KtMap64;

/* Address of the value of `key`, or NULL. Lifetime: until the next put. Key UINT64_MAX is not allowed. */
uint64_t *kt_map64_get(const KtMap64 *map, uint64_t key);
/* The same, made with value 0 if it is not there. Errors: KT_ERR_MEMORY. */
KtStatus kt_map64_put(KtMap64 *map, uint64_t key, uint64_t **out, bool *made) KT_MUST_CHECK;
void kt_map64_clear(KtMap64 *map);
void kt_map64_close(KtMap64 *map);

#endif
