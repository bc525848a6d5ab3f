/* base/arena.c - blocks in a chain, the newest first. */
#include "base/arena.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* Pooled blocks lie one behind the other: were they a multiple of 4 KiB long, the beginnings of all would fall into
 * the same sets of the first-level cache, and those are what a short query touches. */
enum {
    FIRST_BLOCK = 4 * 1024 - 64,
    POOL_BLOCK = 16 * 1024 + 1600,
    LARGEST_BLOCK = 1024 * 1024,
    ALIGN = 16
};

typedef struct Block {
    struct Block *older;
    size_t cap; /* bytes behind this header */
    size_t used;
    size_t pad; /* keeps data at 16 */
} Block;

struct KtArena {
    Block *top;
    KtBudget *budget;
    /* the largest that was given back since: whoever goes over a loop rewinds and needs it again */
    Block *spare;
    size_t in_older; /* used bytes of all blocks but the top */
    KtArena *next;   /* in a pool */
};

void kt_budget_init(KtBudget *budget, KtBudget *parent, size_t limit)
{
    budget->parent = parent;
    budget->limit = limit;
    atomic_init(&budget->used, 0);
    atomic_init(&budget->peak, 0);
    budget->pool = NULL;
    atomic_init(&budget->refused, NULL);
    budget->deadline_ns = 0;
    budget->cancel = NULL;
}

KtStatus kt_budget_time(const KtBudget *budget)
{
    if (budget && budget->cancel && atomic_load_explicit(budget->cancel, memory_order_relaxed))
        return KT_ERR_CANCELLED;
    if (budget && budget->deadline_ns && kt_clock_ns() >= budget->deadline_ns)
        return KT_ERR_DEADLINE;
    return KT_OK;
}

/* The budget that counts. */
static KtBudget *counting(KtBudget *budget)
{
    while (budget && budget->pool)
        budget = budget->parent;
    return budget;
}

bool kt_budget_take(KtBudget *budget, size_t size)
{
    budget = counting(budget);
    for (KtBudget *b = budget; b; b = b->parent) {
        size_t now = atomic_fetch_add_explicit(&b->used, size, memory_order_relaxed) + size;
        if (b->limit != 0 && (now > b->limit || now < size)) {
            for (KtBudget *undo = budget;; undo = undo->parent) {
                atomic_fetch_sub_explicit(&undo->used, size, memory_order_relaxed);
                if (undo == b) {
                    atomic_store_explicit(&budget->refused, b, memory_order_relaxed);
                    return false;
                }
            }
        }
        size_t peak = atomic_load_explicit(&b->peak, memory_order_relaxed);
        while (now > peak &&
               !atomic_compare_exchange_weak_explicit(&b->peak, &peak, now, memory_order_relaxed,
                                                      memory_order_relaxed)) {
        }
    }
    return true;
}

void kt_budget_give(KtBudget *budget, size_t size)
{
    for (budget = counting(budget); budget; budget = budget->parent)
        atomic_fetch_sub_explicit(&budget->used, size, memory_order_relaxed);
}

static Block *block_new(KtArena *arena, size_t cap)
{
    if (arena->budget && !kt_budget_take(arena->budget, cap + sizeof(Block)))
        return NULL;
    KtArenaPool *pool = arena->budget ? arena->budget->pool : NULL;
    Block *block = pool && cap == POOL_BLOCK ? pool->first : NULL;
    if (block) {
        pool->first = block->older;
        pool->n--;
    } else {
        block = malloc(cap + sizeof(Block));
    }
    if (!block) {
        kt_budget_give(arena->budget, cap + sizeof(Block));
        return NULL;
    }
    block->cap = cap;
    block->used = 0;
    block->older = NULL;
    return block;
}

static void block_free(KtArena *arena, Block *block)
{
    kt_budget_give(arena->budget, block->cap + sizeof(Block));
    KtArenaPool *pool = arena->budget ? arena->budget->pool : NULL;
    if (pool && block->cap == POOL_BLOCK) {
        block->older = pool->first;
        pool->first = block;
        pool->n++;
    } else {
        free(block);
    }
}

void kt_arena_pool_trim(KtArenaPool *pool, uint32_t keep)
{
    while (pool->n > keep) {
        Block *block = pool->first;
        pool->first = block->older;
        pool->n--;
        free(block);
    }
    while (pool->heads > keep) {
        KtArena *arena = pool->head;
        pool->head = arena->next;
        pool->heads--;
        free(arena);
    }
}

static void give_back(KtArena *arena, Block *block)
{
    if (block->cap <= LARGEST_BLOCK && (!arena->spare || block->cap > arena->spare->cap)) {
        Block *smaller = arena->spare;
        arena->spare = block;
        block = smaller;
    }
    if (block)
        block_free(arena, block);
}

static Block *next_block(KtArena *arena, size_t size)
{
    Block *spare = arena->spare;
    arena->spare = NULL;
    if (spare && spare->cap >= size) {
        spare->used = 0;
        return spare;
    }
    size_t cap = arena->top                             ? arena->top->cap * 2
                 : arena->budget && arena->budget->pool ? POOL_BLOCK
                                                        : FIRST_BLOCK;
    if (cap > LARGEST_BLOCK)
        cap = LARGEST_BLOCK;
    if (cap < size)
        cap = size;
    if (spare)
        block_free(arena, spare);
    Block *block = block_new(arena, cap);
    return block || cap == size
               ? block
               : block_new(arena, size); /* near the limit: what is asked for may still fit */
}

KtStatus kt_arena_open(KtBudget *budget, KtArena **out)
{
    KtArenaPool *pool = budget ? budget->pool : NULL;
    KtArena *arena = pool ? pool->head : NULL;
    if (arena) {
        pool->head = arena->next;
        pool->heads--;
    } else {
        arena = malloc(sizeof *arena);
    }
    if (!arena)
        return KT_ERR_MEMORY;
    *arena = (KtArena){.budget = budget};
    *out = arena;
    return KT_OK;
}

void *kt_arena_alloc(KtArena *arena, size_t size)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    Block *top = arena->top;
    if (KT_UNLIKELY(!top || size > top->cap - top->used)) {
        Block *block = next_block(arena, size);
        if (!block)
            return NULL;
        if (top)
            arena->in_older += top->used;
        block->older = top;
        arena->top = top = block;
    }
    void *at = (char *)(top + 1) + top->used;
    top->used += size;
    return at;
}

void *kt_arena_zero(KtArena *arena, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    void *at = kt_arena_alloc(arena, bytes);
    if (at)
        memset(at, 0, bytes);
    return at;
}

char *kt_arena_text(KtArena *arena, const char *bytes, size_t len)
{
    char *at = kt_arena_alloc(arena, len + 1);
    if (!at)
        return NULL;
    if (len)
        memcpy(at, bytes, len);
    at[len] = 0;
    return at;
}

KtStatus kt_arena_grow(KtArena *arena, void **items, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return KT_OK;
    if (*cap > UINT32_MAX / 2)
        return KT_ERR_MEMORY;
    uint32_t more = *cap ? *cap * 2 : 8;
    void *grown = kt_arena_alloc(arena, (size_t)more * size);
    if (!grown)
        return KT_ERR_MEMORY;
    if (n)
        memcpy(grown, *items, (size_t)n * size);
    *items = grown;
    *cap = more;
    return KT_OK;
}

KtArenaMark kt_arena_mark(const KtArena *arena)
{
    return (KtArenaMark){arena->top, arena->top ? arena->top->used : 0};
}

void kt_arena_rewind(KtArena *arena, KtArenaMark mark)
{
    while (arena->top && arena->top != mark.block) {
        Block *block = arena->top;
        if (!mark.block && !block->older) { /* back to the very start: keep the first block */
            block->used = 0;
            arena->in_older = 0;
            return;
        }
        arena->top = block->older;
        if (arena->top)
            arena->in_older -= arena->top->used;
        give_back(arena, block);
    }
    KT_CHECK(arena->top == mark.block);
    if (arena->top)
        arena->top->used = mark.used;
}

void kt_arena_reset(KtArena *arena) { kt_arena_rewind(arena, (KtArenaMark){NULL, 0}); }

void kt_arena_close(KtArena *arena)
{
    if (!arena)
        return;
    while (arena->top) {
        Block *block = arena->top;
        arena->top = block->older;
        block_free(arena, block);
    }
    if (arena->spare)
        block_free(arena, arena->spare);
    KtArenaPool *pool = arena->budget ? arena->budget->pool : NULL;
    if (pool) {
        arena->next = pool->head;
        pool->head = arena;
        pool->heads++;
    } else {
        free(arena);
    }
}

size_t kt_arena_used(const KtArena *arena)
{
    return arena->in_older + (arena->top ? arena->top->used : 0);
}
