/* base/arena.h - memory that is freed all at once, and the budget it is charged to.
 *
 * Order of use: kt_arena_open, any number of kt_arena_alloc, kt_arena_reset or kt_arena_close.
 * Not thread-safe: one arena belongs to one query or connection. A KtBudget may be shared by
 * threads. */
#ifndef KT_BASE_ARENA_H
#define KT_BASE_ARENA_H

#include "base/status.h"

#include <stdatomic.h>
#include <stddef.h>

/* Blocks that closed arenas leave to those opened later: a query opens a dozen and closes them within microseconds.
 * All zero is an empty one. Threads: one at a time. */
typedef struct KtArenaPool {
    void *first;
    uint32_t n;
    void *head; /* the arenas themselves, which are small */
    uint32_t heads;
} KtArenaPool;
/* Frees what it has over `keep` blocks, and arenas. */
void kt_arena_pool_trim(KtArenaPool *pool, uint32_t keep);

/* A limit in bytes that arenas and buffers are charged to; `parent` may be NULL. */
typedef struct KtBudget {
    struct KtBudget *parent;
    size_t limit; /* 0: no limit */
    atomic_size_t used, peak;
    /* of arenas charged here; a budget that has one counts nothing itself, its parent does */
    KtArenaPool *pool;
    _Atomic(struct KtBudget *)
        refused; /* who said no last, this one or one above: of the budget that was asked; NULL: nobody */
    /* Of a query's: what it may use of time. For work that is given the budget and nothing else of the query. */
    int64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
    const atomic_bool *cancel;
} KtBudget;

void kt_budget_init(KtBudget *budget, KtBudget *parent, size_t limit);
/* Takes `size` bytes here and in every parent, or in none and returns false. */
bool kt_budget_take(KtBudget *budget, size_t size) KT_MUST_CHECK;
void kt_budget_give(KtBudget *budget, size_t size);
/* OK, KT_ERR_CANCELLED or KT_ERR_DEADLINE; a NULL budget and one without either never end. Cost: a look at the
 * clock. */
KtStatus kt_budget_time(const KtBudget *budget) KT_MUST_CHECK;

typedef struct KtArena KtArena; /* opaque: the struct is in arena.c */

/* A place in an arena to go back to. */
typedef struct KtArenaMark {
    void *block;
    size_t used;
} KtArenaMark;

/* Opens an empty arena charged to `budget` (NULL: to nothing).
 * Ownership: the caller closes *out. Errors: KT_ERR_MEMORY, with *out untouched. */
KtStatus kt_arena_open(KtBudget *budget, KtArena **out) KT_MUST_CHECK;

/* Returns `size` bytes, not cleared, aligned to 16, or NULL when the budget or the machine has no more.
 * Lifetime: until kt_arena_reset, kt_arena_rewind past it or kt_arena_close. Cost: O(1). */
void *kt_arena_alloc(KtArena *arena, size_t size) KT_MUST_CHECK;
/* The same, cleared; `n` elements of `size` bytes, NULL also when the product overflows. */
void *kt_arena_zero(KtArena *arena, size_t n, size_t size) KT_MUST_CHECK;
/* Copies `len` bytes and a closing NUL. */
char *kt_arena_text(KtArena *arena, const char *bytes, size_t len) KT_MUST_CHECK;
/* Grows an array from the arena: `*items` (capacity *cap) gets room for at least n + 1 elements.
 * The old block stays in the arena. */
KtStatus kt_arena_grow(KtArena *arena, void **items, uint32_t n, uint32_t *cap,
                       size_t size) KT_MUST_CHECK;

KtArenaMark kt_arena_mark(const KtArena *arena);
/* Frees all that came after `mark`. */
void kt_arena_rewind(KtArena *arena, KtArenaMark mark);
/* Frees all, keeps the newest block of at most 64 KiB for reuse. */
void kt_arena_reset(KtArena *arena);
void kt_arena_close(KtArena *arena); /* NULL is allowed */
size_t kt_arena_used(const KtArena *arena);

#endif
