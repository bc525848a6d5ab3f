/* base/key_order.h - the keys of maps in order, so that many keys are found or made distinct in n log n.
 *
 * Keys stand anywhere at equal distances: an array of texts, or the entries of a map. Nothing here owns memory. A sort
 * of many keys takes long, so it asks a clock of the caller's in between; a small one never does. */
#ifndef KT_BASE_KEY_ORDER_H
#define KT_BASE_KEY_ORDER_H

#include "base/value.h"

typedef struct KtKeys {
    const KtText *first;
    size_t stride; /* bytes from one key to the next */
    uint32_t n;
} KtKeys;

/* Asked after each KT_KEY_WORK steps; what it returns other than KT_OK ends the work. look NULL: never. */
typedef struct KtKeyClock {
    KtStatus (*look)(void *user);
    void *user;
    uint64_t work; /* steps since it was asked; the caller may add its own */
} KtKeyClock;

enum { KT_KEY_WORK = 64 * 1024 };
#define KT_NO_KEY UINT32_MAX

static inline KtKeys kt_map_keys(const KtMapEntry *entry, uint32_t n)
{
    return (KtKeys){entry ? &entry->key : NULL, sizeof *entry, n};
}

/* Adds steps and asks, if it is time. */
KtStatus kt_key_clock(KtKeyClock *clock, uint64_t steps) KT_MUST_CHECK;

/* order[0 .. n): the numbers of the keys, sorted by the bytes of the keys, equal ones by number. spare: room for n.
 * Cost: n log n, n where they are in order already. Errors: the clock's. */
KtStatus kt_keys_sort(KtKeys keys, uint32_t *order, uint32_t *spare,
                      KtKeyClock *clock) KT_MUST_CHECK;
/* The first key equal to `key`, by the order of kt_keys_sort, or KT_NO_KEY. Cost: log n. */
uint32_t kt_keys_find(KtKeys keys, const uint32_t *order, KtText key);
/* Of entries with one key the last counts, at the place of the first: from[i] is the entry whose value belongs at i,
 * KT_NO_KEY when i goes. from: room for n; spare: for 2 n. Errors: the clock's. */
KtStatus kt_keys_distinct(KtKeys keys, uint32_t *from, uint32_t *spare,
                          KtKeyClock *clock) KT_MUST_CHECK;

#endif
