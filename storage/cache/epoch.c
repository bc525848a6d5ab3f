/* storage/cache/epoch.c - a clock, a list of readers, a list of retired memory. */
#include "storage/cache/epoch.h"

#include <pthread.h>
#include <stdlib.h>

enum { COLLECT_EVERY = 64 };

struct KtEpochReader {
    _Alignas(64) _Atomic uint64_t inside; /* the clock when it entered; 0: outside */
    KtEpochReader *next; /* readers are kept and used again: never freed before the close */
    atomic_bool taken;
};

typedef struct Retired {
    void *memory;
    size_t bytes;
    uint64_t at;
} Retired;

struct KtEpochs {
    _Atomic uint64_t clock;
    _Atomic(KtEpochReader *) readers;
    atomic_size_t waiting; /* bytes of all retired */
    pthread_mutex_t lock;  /* of all below */
    Retired *retired;      /* ascending by `at` */
    size_t n, cap;
    void (*done)(void *user, void *memory);
    void *user;
};

static void plain_free(void *user, void *memory)
{
    (void)user;
    free(memory);
}

void kt_epochs_free_with(KtEpochs *epochs, void (*done)(void *user, void *memory), void *user)
{
    epochs->done = done;
    epochs->user = user;
}

void kt_epochs_free_now(KtEpochs *epochs, void *memory) { epochs->done(epochs->user, memory); }

KtStatus kt_epochs_open(KtEpochs **out)
{
    KtEpochs *epochs = calloc(1, sizeof *epochs);
    if (!epochs)
        return KT_ERR_MEMORY;
    atomic_init(&epochs->clock, 1);
    epochs->done = plain_free;
    (void)pthread_mutex_init(&epochs->lock, NULL);
    *out = epochs;
    return KT_OK;
}

void kt_epochs_close(KtEpochs *epochs)
{
    if (!epochs)
        return;
    for (KtEpochReader *reader = epochs->readers, *next; reader; reader = next) {
        next = reader->next;
        KT_CHECK(!reader->taken);
        free(reader);
    }
    for (size_t i = 0; i < epochs->n; i++)
        kt_epochs_free_now(epochs, epochs->retired[i].memory);
    free(epochs->retired);
    (void)pthread_mutex_destroy(&epochs->lock);
    free(epochs);
}

KtStatus kt_epoch_register(KtEpochs *epochs, KtEpochReader **out)
{
    for (KtEpochReader *reader = atomic_load(&epochs->readers); reader; reader = reader->next) {
        bool free_one = false;
        if (atomic_compare_exchange_strong(&reader->taken, &free_one, true)) {
            *out = reader;
            return KT_OK;
        }
    }
    KtEpochReader *reader = aligned_alloc(64, sizeof *reader);
    if (!reader)
        return KT_ERR_MEMORY;
    atomic_init(&reader->inside, 0);
    atomic_init(&reader->taken, true);
    reader->next = atomic_load(&epochs->readers);
    while (!atomic_compare_exchange_weak(&epochs->readers, &reader->next, reader)) {
    }
    *out = reader;
    return KT_OK;
}

void kt_epoch_unregister(KtEpochs *epochs, KtEpochReader *reader)
{
    (void)epochs;
    if (!reader)
        return;
    kt_epoch_leave(reader);
    atomic_store(&reader->taken, false);
}

/* Stands between a reader's mark and its first look at a slot. Either a collector sees the mark, or the reader sees
 * what the committer had put into the slot before it collected:
 *
 *     reader                                   committer
 *     inside = clock                           slot = new        (sequentially consistent exchange)
 *     fence                                    clock++
 *     load slot (acquire)                      load inside       (sequentially consistent)
 *
 * If the load of `inside` misses the mark, it stands before the fence in the single order of sequentially consistent
 * operations, the exchange stands before that load, and a load behind the fence sees the exchange or later (C11 7.17.3,
 * paragraphs 10 and 9). A sequentially consistent store alone does not give this: the loads of slots
 * are only acquire, and such a load may pass the store (on ARM with ldapr). On x86 the fence costs what the exchange
 * cost that such a store is. ThreadSanitizer knows no fences: there both sides meet at the clock, which is as right
 * and slower. */
static void fence(KtEpochs *epochs)
{
#ifdef __SANITIZE_THREAD__
    (void)atomic_fetch_add(&epochs->clock, 0);
#else
    (void)epochs;
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

void kt_epoch_enter(KtEpochs *epochs, KtEpochReader *reader)
{
    if (atomic_load_explicit(&reader->inside, memory_order_relaxed))
        return;
    /* The clock before the mark: a mark that is too old holds back more than it must, never less. Acquire: whoever
     * reads a clock behind a block's retirement sees the slot without it. Release: a collector that reads this mark
     * has all that the reader did inside before behind it, as with the 0 of leaving. */
    uint64_t now = atomic_load_explicit(&epochs->clock, memory_order_acquire);
    atomic_store_explicit(&reader->inside, now, memory_order_release);
    fence(epochs);
}

void kt_epoch_leave(KtEpochReader *reader)
{
    atomic_store_explicit(&reader->inside, 0, memory_order_release);
}

/* The smallest clock of a reader inside, UINT64_MAX if none is. Sequentially consistent loads, as the list's head: see
 * fence(). */
static uint64_t oldest_inside(KtEpochs *epochs)
{
    uint64_t oldest = UINT64_MAX;
    for (KtEpochReader *reader = atomic_load(&epochs->readers); reader; reader = reader->next) {
        uint64_t inside = atomic_load(&reader->inside);
        if (inside && inside < oldest)
            oldest = inside;
    }
    return oldest;
}

static void collect_locked(KtEpochs *epochs)
{
    uint64_t oldest = oldest_inside(epochs);
    size_t done = 0;
    while (done < epochs->n && epochs->retired[done].at < oldest) {
        kt_epochs_free_now(epochs, epochs->retired[done].memory);
        done++;
    }
    if (done) {
        for (size_t i = 0; i < done; i++)
            atomic_fetch_sub_explicit(&epochs->waiting, epochs->retired[i].bytes,
                                      memory_order_relaxed);
        epochs->n -= done;
        for (size_t i = 0; i < epochs->n; i++)
            epochs->retired[i] = epochs->retired[i + done];
    }
}

size_t kt_epochs_waiting(const KtEpochs *epochs)
{
    return atomic_load_explicit(&epochs->waiting, memory_order_relaxed);
}

size_t kt_epochs_collect(KtEpochs *epochs)
{
    (void)pthread_mutex_lock(&epochs->lock);
    collect_locked(epochs);
    size_t left = epochs->n;
    (void)pthread_mutex_unlock(&epochs->lock);
    return left;
}

void kt_epoch_retire(KtEpochs *epochs, void *memory, size_t bytes)
{
    if (!memory)
        return;
    (void)pthread_mutex_lock(&epochs->lock);
    /* Whoever enters from here on reads a later clock and, after the caller's swap, another slot. */
    uint64_t at = atomic_fetch_add(&epochs->clock, 1);
    if (epochs->n == epochs->cap) {
        size_t cap = epochs->cap ? epochs->cap * 2 : 128;
        Retired *grown = realloc(epochs->retired, cap * sizeof *grown);
        if (!grown) { /* waiting for readers here could be waiting for oneself: better a lost block */
            (void)pthread_mutex_unlock(&epochs->lock);
            return;
        }
        epochs->retired = grown;
        epochs->cap = cap;
    }
    epochs->retired[epochs->n++] = (Retired){memory, bytes, at};
    atomic_fetch_add_explicit(&epochs->waiting, bytes, memory_order_relaxed);
    if (epochs->n % COLLECT_EVERY == 0)
        collect_locked(epochs);
    (void)pthread_mutex_unlock(&epochs->lock);
}
