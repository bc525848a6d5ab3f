/* storage/cache/blocks.c - chunks, and free pieces by size in steps of 16 bytes. */
#include "storage/cache/blocks.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { STEP = 16, SIZES = 4096, HOME_MALLOC = 0, HOME_CHUNK = 1 };
#define CHUNK_BYTES ((size_t)64 << 20)
#define HUGE_BYTES ((size_t)2 << 20)

/* AddressSanitizer watches malloc's blocks one by one: a use after free is seen. */
#if defined(__SANITIZE_ADDRESS__)
#define MALLOC_ONLY true
#else
#define MALLOC_ONLY false
#endif

typedef struct Piece {
    struct Piece *next;
    size_t size; /* in steps; only while neighbours are joined */
} Piece;
_Static_assert(sizeof(Piece) <= STEP, "a piece of one step has room for it");

typedef struct Chunk {
    struct Chunk *next;
    void *mapped;
    size_t bytes;
} Chunk;

struct KtBlocks {
    pthread_mutex_t lock;
    Chunk *chunks;
    char *at, *end;            /* of the newest chunk: not yet cut */
    size_t most, chunk_bytes;  /* limit, and what there is */
    size_t idle, joined_idle;  /* bytes in pieces, now and after neighbours were last joined */
    Piece *piece[SIZES];       /* by size / STEP */
    uint64_t some[SIZES / 64]; /* bit: piece[i] is not NULL */
};

KtStatus kt_blocks_open(size_t most, KtBlocks **out)
{
    KtBlocks *b = calloc(1, sizeof *b);
    if (!b)
        return KT_ERR_MEMORY;
    b->most = most;
    (void)pthread_mutex_init(&b->lock, NULL);
    *out = b;
    return KT_OK;
}

void kt_blocks_close(KtBlocks *b)
{
    if (!b)
        return;
    for (Chunk *chunk = b->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        (void)munmap(chunk->mapped, chunk->bytes);
        free(chunk);
    }
    (void)pthread_mutex_destroy(&b->lock);
    free(b);
}

static void keep_piece(KtBlocks *b, void *memory, size_t size)
{
    Piece *piece = memory;
    piece->next = b->piece[size];
    b->piece[size] = piece;
    b->idle += size * STEP;
    b->some[size / 64] |= (uint64_t)1 << (size % 64);
}

static void *take_piece(KtBlocks *b, size_t size)
{
    Piece *piece = b->piece[size];
    b->piece[size] = piece->next;
    b->idle -= size * STEP;
    if (!piece->next)
        b->some[size / 64] &= ~((uint64_t)1 << (size % 64));
    return piece;
}

/* The smallest size from `size` up that has a piece; SIZES: none. */
static size_t next_size(const KtBlocks *b, size_t size)
{
    uint64_t bits = b->some[size / 64] & (UINT64_MAX << (size % 64));
    for (size_t w = size / 64;;) {
        if (bits)
            return w * 64 + (size_t)__builtin_ctzll(bits);
        if (++w == SIZES / 64)
            return SIZES;
        bits = b->some[w];
    }
}

/* ---- joining neighbours ---- */

static int by_address(const void *a, const void *b)
{
    const Piece *const *x = a, *const *y = b;
    return ((uintptr_t)*x > (uintptr_t)*y) - ((uintptr_t)*x < (uintptr_t)*y);
}

static void keep_run(KtBlocks *b, char *at, size_t size)
{
    while (size > 0) {
        size_t part = size < SIZES - 1 ? size : SIZES - 1;
        keep_piece(b, at, part);
        at += part * STEP;
        size -= part;
    }
}

/* Pieces side by side become one. Without memory for the list of them they stay as they are. */
static void join(KtBlocks *b)
{
    size_t n = 0, at = 0;
    for (size_t size = 1; size < SIZES; size++) {
        for (const Piece *piece = b->piece[size]; piece; piece = piece->next)
            n++;
    }
    Piece **all = malloc((n + 1) * sizeof *all);
    if (!all)
        return;
    for (size_t size = 1; size < SIZES; size++) {
        while (b->piece[size]) {
            all[at] = take_piece(b, size);
            all[at++]->size = size;
        }
    }
    qsort((void *)all, n, sizeof *all, by_address);
    for (size_t i = 0; i < n;) {
        char *run = (char *)all[i];
        size_t size = 0;
        while (i < n && (char *)all[i] == run + size * STEP)
            size += all[i++]->size;
        keep_run(b, run, size);
    }
    free((void *)all);
    b->joined_idle = b->idle;
}

/* Joining goes over all pieces: only where a quarter of all is idle, and more than after the last time. */
static bool worth_joining(const KtBlocks *b)
{
    return b->idle > b->chunk_bytes / 4 && b->idle > b->joined_idle + b->chunk_bytes / 16;
}

static bool add_chunk(KtBlocks *b)
{
    if (b->most != 0 && b->chunk_bytes >= b->most)
        return false;
    Chunk *chunk = malloc(sizeof *chunk);
    size_t bytes = CHUNK_BYTES + HUGE_BYTES;
    void *mapped = chunk ? mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                         : MAP_FAILED;
    if (mapped == MAP_FAILED) {
        free(chunk);
        return false;
    }
    *chunk = (Chunk){b->chunks, mapped, bytes};
    b->chunks = chunk;
    b->chunk_bytes += CHUNK_BYTES;
    b->at = (char *)mapped + (HUGE_BYTES - (uintptr_t)mapped % HUGE_BYTES) % HUGE_BYTES;
    b->end = b->at + CHUNK_BYTES;
    (void)madvise(b->at, CHUNK_BYTES, MADV_HUGEPAGE); /* refused: small pages, and slower */
    return true;
}

/* Out of a larger piece; NULL: there is none. */
static void *cut_piece(KtBlocks *b, size_t size)
{
    size_t larger = next_size(b, size);
    if (larger == SIZES)
        return NULL;
    char *piece = take_piece(b, larger);
    if (larger > size)
        keep_piece(b, piece + size * STEP, larger - size);
    return piece;
}

static void *cut(KtBlocks *b, size_t size)
{
    if (b->piece[size])
        return take_piece(b, size);
    if ((size_t)(b->end - b->at) < size * STEP) {
        void *piece = cut_piece(b, size);
        if (!piece && worth_joining(b)) {
            join(b);
            piece = cut_piece(b, size);
        }
        if (piece)
            return piece;
        if (b->end > b->at)
            keep_piece(b, b->at, (size_t)(b->end - b->at) / STEP);
        b->at = b->end;
        if (!add_chunk(b))
            return NULL;
    }
    void *piece = b->at;
    b->at += size * STEP;
    return piece;
}

size_t kt_blocks_touched(KtBlocks *b)
{
    (void)pthread_mutex_lock(&b->lock);
    size_t bytes = b->chunk_bytes - (size_t)(b->end - b->at);
    (void)pthread_mutex_unlock(&b->lock);
    return bytes;
}

KtSlotBlock *kt_blocks_make(KtBlocks *b, uint32_t bytes)
{
    size_t size = ((size_t)bytes + STEP - 1) / STEP;
    KtSlotBlock *block = NULL;
    bool chunk = !MALLOC_ONLY && size < SIZES;
    if (chunk) {
        (void)pthread_mutex_lock(&b->lock);
        block = cut(b, size);
        (void)pthread_mutex_unlock(&b->lock);
    } else {
        block = malloc(bytes);
    }
    if (block) {
        block->bytes = bytes;
        block->home = chunk ? HOME_CHUNK : HOME_MALLOC;
    }
    return block;
}

void kt_blocks_free(KtBlocks *b, KtSlotBlock *block)
{
    if (!block || block->home == HOME_MALLOC) {
        free(block);
        return;
    }
    size_t size = ((size_t)block->bytes + STEP - 1) / STEP;
    (void)pthread_mutex_lock(&b->lock);
    keep_piece(b, block, size);
    (void)pthread_mutex_unlock(&b->lock);
}
