/* storage/cache/slots.c - filling, raising and evicting; the readers are in the header. */
#include "storage/cache/slots.h"

#include <stdlib.h>

enum { PAGE_SLOTS = KT_SLOT_PAGE, PAGES = 1 << (32 - KT_SLOT_PAGE_BITS) };
#define IS_BLOCK KT_SLOT_IS_BLOCK
#define IS_EMPTY KT_SLOT_IS_EMPTY
typedef KtSlotAtom Word;

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
                kt_epochs_free_now(slots->epochs, block_of(word));
        }
        free((void *)(uintptr_t)page);
    }
    free((void *)(uintptr_t)slots->page);
    free(slots);
}

/* NULL only when there is no memory. */
static Word *word_made(KtSlots *slots, uint64_t index)
{
    if (index > UINT32_MAX)
        return NULL;
    Word *word = kt_slots_at(slots, index);
    if (word)
        return word;
    Word *fresh = calloc(PAGE_SLOTS, sizeof *fresh);
    if (!fresh)
        return NULL;
    Word *none = NULL;
    uint64_t p = index >> KT_SLOT_PAGE_BITS;
    if (!atomic_compare_exchange_strong(&slots->page[p], &none, fresh))
        free((void *)(uintptr_t)fresh);
    else
        atomic_fetch_add_explicit(&slots->bytes->used, PAGE_SLOTS * sizeof *fresh,
                                  memory_order_relaxed);
    uint64_t top = atomic_load(&slots->top);
    while (top < p + 1 && !atomic_compare_exchange_weak(&slots->top, &top, p + 1)) {
    }
    return kt_slots_at(slots, index);
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

bool kt_slots_fill(KtSlots *slots, uint64_t index, KtSlotWord loaded, KtCommit published,
                   KtSlotBlock *block)
{
    if (published < loaded.c)
        return false;
    Word *slot = kt_slots_at(slots, index);
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
    kt_epoch_retire(slots->epochs, block_of(word), block_of(word)->bytes);
}

bool kt_slots_raise(KtSlots *slots, uint64_t index, KtCommit c)
{
    Word *slot = word_made(slots, index);
    /* The commit is durable: it can be neither failed nor forgotten here. */
    KT_CHECK(slot && c >= slots->base);
    uint64_t before = atomic_exchange(slot, (c - slots->base) << 2);
    retire(slots, before);
    return (before & IS_BLOCK) != 0;
}

size_t kt_slots_evict(KtSlots *slots, size_t want)
{
    size_t gone = 0;
    uint64_t top = atomic_load(&slots->top);
    /* Twice around at most: the first time may only clear `used`. */
    for (uint64_t looked = 0; gone < want && looked < 2 * top * PAGE_SLOTS; looked++) {
        if (slots->hand >= top * PAGE_SLOTS)
            slots->hand = 0;
        Word *slot = kt_slots_at(slots, slots->hand++);
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
