/* base/hash.c - XXH3 and the small map. */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL 1 /* the state of a streamed hash stands on the stack */
#include <xxhash.h>

uint64_t kt_hash(const void *data, size_t len) { return XXH3_64bits(data, len); }

uint64_t kt_hash_two(const void *a, size_t a_len, const void *b, size_t b_len)
{
    XXH3_state_t state;
    XXH3_INITSTATE(&state);
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, a, a_len);
    XXH3_64bits_update(&state, b, b_len);
    return XXH3_64bits_digest(&state);
}

void kt_hash128(const void *data, size_t len, uint8_t out[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, len));
    memcpy(out, canonical.digest, 16);
}

static uint64_t *slot_of(const KtMap64 *map, uint64_t key)
{
    size_t mask = map->cap - 1;
    for (size_t i = kt_mix64(key) & mask;; i = (i + 1) & mask) {
        uint64_t *slot = map->slot + 2 * i;
        if (slot[0] == 0 || slot[0] == key + 1)
            return slot;
    }
}

uint64_t *kt_map64_get(const KtMap64 *map, uint64_t key)
{
    if (map->len == 0)
        return NULL;
    uint64_t *slot = slot_of(map, key);
    return slot[0] ? slot + 1 : NULL;
}

static KtStatus map_grow(KtMap64 *map)
{
    size_t cap = map->cap ? map->cap * 2 : 16;
    size_t bytes = cap * 2 * sizeof(uint64_t);
    if (map->budget && !kt_budget_take(map->budget, bytes))
        return KT_ERR_MEMORY;
    uint64_t *fresh = calloc(cap * 2, sizeof(uint64_t));
    if (!fresh) {
        kt_budget_give(map->budget, bytes);
        return KT_ERR_MEMORY;
    }
    KtMap64 grown = {.slot = fresh, .cap = cap, .len = map->len, .budget = map->budget};
    for (size_t i = 0; i < map->cap; i++) {
        const uint64_t *from = map->slot + 2 * i;
        if (from[0])
            memcpy(slot_of(&grown, from[0] - 1), from, 2 * sizeof(uint64_t));
    }
    if (map->slot)
        kt_budget_give(map->budget, map->cap * 2 * sizeof(uint64_t));
    free(map->slot);
    *map = grown;
    return KT_OK;
}

KtStatus kt_map64_put(KtMap64 *map, uint64_t key, uint64_t **out, bool *made)
{
    KT_CHECK(key != UINT64_MAX);
    if ((map->len + 1) * 4 > map->cap * 3)
        KT_TRY(map_grow(map));
    uint64_t *slot = slot_of(map, key);
    bool fresh = slot[0] == 0;
    if (fresh) {
        slot[0] = key + 1;
        slot[1] = 0;
        map->len++;
    }
    if (made)
        *made = fresh;
    *out = slot + 1;
    return KT_OK;
}

void kt_map64_clear(KtMap64 *map)
{
    if (map->slot)
        memset(map->slot, 0, map->cap * 2 * sizeof(uint64_t));
    map->len = 0;
}

void kt_map64_close(KtMap64 *map)
{
    if (map->slot)
        kt_budget_give(map->budget, map->cap * 2 * sizeof(uint64_t));
    free(map->slot);
    *map = (KtMap64){.budget = map->budget};
}
