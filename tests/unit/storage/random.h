/* tests/unit/storage/random.h - seeded randomness for storage tests: the same run every time. */
#ifndef KT_TESTS_STORAGE_RANDOM_H
#define KT_TESTS_STORAGE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}
static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(random_next(state) % n);
}
static inline size_t random_bytes(uint64_t *state, uint8_t *out, uint32_t most)
{
    uint32_t n = random_below(state, most + 1);
    for (uint32_t i = 0; i < n; i++)
        out[i] = (uint8_t)random_next(state);
    return n;
}

#endif
