/* storage/cache/slots.c - pages of words, made when first touched.
 *
 * A word: bit 0 set, a block's address; else bit 1 tells EMPTY from UNKNOWN and the rest is c less the base. So a
 * fresh page of zeros is UNKNOWN(base), as the rule wants it on open. */
#include "storage/cache/slots.h"

#include <stdlib.h>

enum { PAGE_BITS = 12, PAGE_SLOTS = 1 << PAGE_BITS, PAGES = 1 << (32 - PAGE_BITS) };
/* Ids above the range have no slot: nothing can be there. */
#define INDEX_END ((uint64_t)1 << 32)
#define IS_BLOCK ((uint64_t)1)
#define IS_EMPTY ((uint64_t)2)

typedef _Atomic uint64_t Word;

struct KtSlots {
    _Atomic(Word *) *page; /* PAGES of them, NULL until touched */
    KtEpochs *epochs;
    KtCacheBytes *bytes;
    KtCommit base;
    uint64_t hand; /* of the evictor */
    _Atomic uint64_t top; /* one above the highest page made */
};

KtStatus kt_slots_open(KtEpochs *epochs, KtCacheBytes *bytes, KtCommit base, KtSlots **out)
{
    KtSlots *slots = calloc(1, sizeof *slots);
    if (!slots)
        return KT_ERR_MEMORY;
    slots->page = calloc(PAGES, sizeof *slots->page); /* untouched pages of zeros cost no memory */
    if (!slots->page) {
        free(slots);
        return KT_ERR_MEMORY;
    }
    slots->epochs = epochs;
    slots->bytes = bytes;
    slots->base = base;
    *out = slots;
    return KT_OK;
}

static KtSlotBlock *block_of(uint64_t word) { return (KtSlotBlock *)(uintptr_t)(word & ~IS_BLOCK); }

void kt_slots_close(KtSlots *slots)
{
    if (!slots)
        return;
    for (uint64_t p = 0; p < slots->top; p++) {
        Word *page = slots->page[p];
        for (uint32_t i = 0; page && i < PAGE_SLOTS; i++) {
            uint64_t word = page[i];
            if (word & IS_BLOCK)
                free(block_of(word));
        }
        free((void *)(uintptr_t)page);
    }
    free((void *)(uintptr_t)slots->page);
    free(slots);
}

static Word *word_at(const KtSlots *slots, uint64_t index)
{
    if (index >= INDEX_END)
        return NULL;
    Word *page = atomic_load_explicit(&slots->page[index >> PAGE_BITS], memory_order_acquire);
    return page ? &page[index & (PAGE_SLOTS - 1)] : NULL;
}

/* NULL only when there is no memory. */
static Word *word_made(KtSlots *slots, uint64_t index)
{
    if (index >= INDEX_END)
        return NULL;
    Word *word = word_at(slots, index);
    if (word)
        return word;
    Word *fresh = calloc(PAGE_SLOTS, sizeof *fresh);
    if (!fresh)
        return NULL;
    Word *none = NULL;
    uint64_t p = index >> PAGE_BITS;
    if (!atomic_compare_exchange_strong(&slots->page[p], &none, fresh))
        free((void *)(uintptr_t)fresh);
    else
        atomic_fetch_add_explicit(&slots->bytes->used, PAGE_SLOTS * sizeof *fresh, memory_order_relaxed);
    uint64_t top = atomic_load(&slots->top);
    while (top < p + 1 && !atomic_compare_exchange_weak(&slots->top, &top, p + 1)) {
    }
    return word_at(slots, index);
}

const void *kt_slots_address(const KtSlots *slots, uint64_t index) { return (const void *)(uintptr_t)word_at(slots, index); }

const void *kt_slots_target(const KtSlots *slots, uint64_t index)
{
    const Word *slot = word_at(slots, index);
    uint64_t word = slot ? atomic_load_explicit(slot, memory_order_relaxed) : 0;
    return (word & IS_BLOCK) ? block_of(word) : NULL;
}

KtSlotKind kt_slots_read(const KtSlots *slots, uint64_t index, KtCommit at, KtSlotBlock **block)
{
    const Word *slot = word_at(slots, index);
    if (!slot)
        return KT_SLOT_UNKNOWN;
    uint64_t word = atomic_load_explicit(slot, memory_order_acquire);
    if (word & IS_BLOCK) {
        KtSlotBlock *found = block_of(word);
        if (found->since > at)
            return KT_SLOT_UNKNOWN;
        if (!atomic_load_explicit(&found->used, memory_order_relaxed))
            atomic_store_explicit(&found->used, 1, memory_order_relaxed);
        *block = found;
        return KT_SLOT_BLOCK;
    }
    if ((word & IS_EMPTY) && slots->base + (word >> 2) <= at)
        return KT_SLOT_EMPTY;
    return KT_SLOT_UNKNOWN;
}

bool kt_slots_load(KtSlots *slots, uint64_t index, KtSlotWord *out)
{
    const Word *slot = word_made(slots, index);
    if (!slot)
        return false;
    uint64_t word = atomic_load(slot);
    if (word & (IS_BLOCK | IS_EMPTY))
        return false;
    *out = (KtSlotWord){word, slots->base + (word >> 2)};
    return true;
}

bool kt_slots_fill(KtSlots *slots, uint64_t index, KtSlotWord loaded, KtCommit published, KtSlotBlock *block)
{
    if (published < loaded.c)
        return false;
    Word *slot = word_at(slots, index);
    uint64_t word = loaded.word | IS_EMPTY;
    if (block) {
        block->since = loaded.c;
        atomic_store_explicit(&block->used, 1, memory_order_relaxed);
        word = (uint64_t)(uintptr_t)block | IS_BLOCK;
    }
    uint64_t expected = loaded.word;
    if (!slot || !atomic_compare_exchange_strong(slot, &expected, word))
        return false;
    if (block)
        atomic_fetch_add_explicit(&slots->bytes->used, block->bytes, memory_order_relaxed);
    return true;
}

static void retire(KtSlots *slots, uint64_t word)
{
    if (!(word & IS_BLOCK))
        return;
    atomic_fetch_sub_explicit(&slots->bytes->used, block_of(word)->bytes, memory_order_relaxed);
    kt_epoch_retire(slots->epochs, block_of(word));
}

void kt_slots_raise(KtSlots *slots, uint64_t index, KtCommit c)
{
    Word *slot = word_made(slots, index);
    /* The commit is durable: it can be neither failed nor forgotten here. */
    KT_CHECK(slot && c >= slots->base);
    retire(slots, atomic_exchange(slot, (c - slots->base) << 2));
}

size_t kt_slots_evict(KtSlots *slots, size_t want)
{
    size_t gone = 0;
    uint64_t top = atomic_load(&slots->top);
    /* Twice around at most: the first time may only clear `used`. */
    for (uint64_t looked = 0; gone < want && looked < 2 * top * PAGE_SLOTS; looked++) {
        if (slots->hand >= top * PAGE_SLOTS)
            slots->hand = 0;
        Word *slot = word_at(slots, slots->hand++);
        if (!slot) {
            slots->hand = (slots->hand | (PAGE_SLOTS - 1)) + 1;
            looked |= PAGE_SLOTS - 1;
            continue;
        }
        uint64_t word = atomic_load(slot);
        if (!(word & IS_BLOCK))
            continue;
        KtSlotBlock *block = block_of(word);
        /* A committer may retire it meanwhile: the evictor is inside an epoch too. */
        if (atomic_exchange_explicit(&block->used, 0, memory_order_relaxed))
            continue;
        size_t bytes = block->bytes;
        if (atomic_compare_exchange_strong(slot, &word, (block->since - slots->base) << 2)) {
            retire(slots, word);
            gone += bytes;
        }
    }
    return gone;
}
