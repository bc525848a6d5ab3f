/* storage/cache/slots.h - one directory of the graph cache: a word for each index, and the rule that keeps it honest.
 *
 * A word is UNKNOWN(c), EMPTY(c) or a block whose `since` is c, the last commit known to touch what the index stands
 * for. The rule:
 *   - After its sync and before it is published, commit C raises every index it touches to UNKNOWN(C), also where
 *     nothing was cached.
 *   - A reader at S takes a block or EMPTY with since <= S, else reads the store at S and keeps that to itself.
 *   - A filler loads the word, THEN takes the published number P, gives up unless P >= the word's c, reads the store at
 *     P, and swaps the word it loaded for a block with since = c (or EMPTY(c)) by compare-and-swap.
 *   - Eviction writes UNKNOWN(since of the block), never less.
 *   - On open every index is UNKNOWN(number recovered).
 * tests/unit/storage/test_cache_rule.c enumerates the interleavings, and shows that simpler wordings read wrong.
 *
 * Readers take no lock. Blocks stay readable while the reader is inside its epoch (storage/cache/epoch.h). */
#ifndef KT_STORAGE_CACHE_SLOTS_H
#define KT_STORAGE_CACHE_SLOTS_H

#include "base/value.h"
#include "storage/cache/epoch.h"

/* The head of every block. Who fills a slot gives it away; it is freed as the epochs free (kt_epochs_free_with). */
typedef struct KtSlotBlock {
    KtCommit since;    /* set by kt_slots_fill */
    uint32_t bytes;    /* charged to the cache, the head included */
    atomic_uchar used; /* since the evictor's hand passed */
    uint8_t home;      /* 0: malloc's; else of storage/cache/blocks.h */
} KtSlotBlock;

typedef enum KtSlotKind { KT_SLOT_UNKNOWN, KT_SLOT_EMPTY, KT_SLOT_BLOCK } KtSlotKind;

typedef struct KtSlotWord { /* as loaded; handed back to kt_slots_fill */
    uint64_t word;
    KtCommit c; /* of UNKNOWN, EMPTY, or the block's since */
} KtSlotWord;

typedef struct KtCacheBytes { /* shared by all directories of one cache */
    atomic_size_t used;
    size_t limit;
} KtCacheBytes;

/* Pages of words, made when first touched. A word: bit 0 set, a block's address; else bit 1 tells EMPTY from UNKNOWN
 * and the rest is c less the base. So a fresh page of zeros is UNKNOWN(base), as the rule wants it on open.
 * The struct stands here for the readers below, which hot loops inline; nobody else looks inside. */
enum { KT_SLOT_PAGE_BITS = 12, KT_SLOT_PAGE = 1 << KT_SLOT_PAGE_BITS };
#define KT_SLOT_IS_BLOCK ((uint64_t)1)
#define KT_SLOT_IS_EMPTY ((uint64_t)2)
typedef _Atomic uint64_t KtSlotAtom;

typedef struct KtSlots {
    _Atomic(KtSlotAtom *) *page; /* NULL until touched */
    KtEpochs *epochs;
    KtCacheBytes *bytes;
    KtCommit base;
    uint64_t hand;        /* of the evictor */
    _Atomic uint64_t top; /* one above the highest page made */
} KtSlots;

static inline KtSlotAtom *kt_slots_at(const KtSlots *slots, uint64_t index)
{
    if (index > UINT32_MAX) /* above the range nothing can be */
        return NULL;
    KtSlotAtom *page =
        atomic_load_explicit(&slots->page[index >> KT_SLOT_PAGE_BITS], memory_order_acquire);
    return page ? &page[index & (KT_SLOT_PAGE - 1)] : NULL;
}

/* `base`: the commit number recovered. Indexes go up to 2^32 - 1. */
KtStatus kt_slots_open(KtEpochs *epochs, KtCacheBytes *bytes, KtCommit base,
                       KtSlots **out) KT_MUST_CHECK;
void kt_slots_close(KtSlots *slots); /* frees every block; no reader is inside. NULL is allowed */

/* What a reader at `at` may take of a word that it loaded (acquire) since it entered its epoch: UNKNOWN when the word
 * holds nothing that old. A word of 0 is UNKNOWN. */
static inline KtSlotKind kt_slots_judge(const KtSlots *slots, uint64_t word, KtCommit at,
                                        KtSlotBlock **block)
{
    if (KT_LIKELY(word & KT_SLOT_IS_BLOCK)) {
        KtSlotBlock *found = (KtSlotBlock *)(uintptr_t)(word & ~KT_SLOT_IS_BLOCK);
        if (KT_UNLIKELY(found->since > at))
            return KT_SLOT_UNKNOWN;
        if (!atomic_load_explicit(&found->used, memory_order_relaxed))
            atomic_store_explicit(&found->used, 1, memory_order_relaxed);
        *block = found;
        return KT_SLOT_BLOCK;
    }
    return (word & KT_SLOT_IS_EMPTY) && slots->base + (word >> 2) <= at ? KT_SLOT_EMPTY
                                                                        : KT_SLOT_UNKNOWN;
}

/* The same of the word that stands there now. The caller is inside its epoch. */
static inline KtSlotKind kt_slots_read(const KtSlots *slots, uint64_t index, KtCommit at,
                                       KtSlotBlock **block)
{
    const KtSlotAtom *slot = kt_slots_at(slots, index);
    return kt_slots_judge(
        slots, KT_LIKELY(slot != NULL) ? atomic_load_explicit(slot, memory_order_acquire) : 0, at,
        block);
}

/* Prefetching in stages: the word, and then the block that stands there (not to be read: it may be too new). */
static inline void kt_slots_prefetch_word(const KtSlots *slots, uint64_t index)
{
    __builtin_prefetch((const void *)(uintptr_t)kt_slots_at(slots, index));
}
static inline const void *kt_slots_target(const KtSlots *slots, uint64_t index)
{
    const KtSlotAtom *slot = kt_slots_at(slots, index);
    uint64_t word = slot ? atomic_load_explicit(slot, memory_order_relaxed) : 0;
    return (word & KT_SLOT_IS_BLOCK) ? (const void *)(uintptr_t)(word & ~KT_SLOT_IS_BLOCK) : NULL;
}

/* First half of a fill: the word as it is now. False: there is nothing to fill (a block or EMPTY stands there). */
bool kt_slots_load(KtSlots *slots, uint64_t index, KtSlotWord *out);
/* Second half. `published`: the number taken after kt_slots_load, at which the store was read. block NULL: EMPTY.
 * True: the slot took the block. False: it did not, and the block is still the caller's. */
bool kt_slots_fill(KtSlots *slots, uint64_t index, KtSlotWord loaded, KtCommit published,
                   KtSlotBlock *block);
/* Commit C touched it. Only the committer calls this. True: a block stood there. */
bool kt_slots_raise(KtSlots *slots, uint64_t index, KtCommit c);
/* Drops up to `want` bytes of blocks not used since the hand last passed; returns how many went. One caller at a
 * time. */
size_t kt_slots_evict(KtSlots *slots, size_t want);

#endif
