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
} Piece;

typedef struct Chunk {
    struct Chunk *next;
    void *mapped;
    size_t bytes;
} Chunk;

struct KtBlocks {
    pthread_mutex_t lock;
    Chunk *chunks;
    char *at, *end;            /* of the newest chunk: not yet cut */
    Piece *piece[SIZES];       /* by size / STEP */
    uint64_t some[SIZES / 64]; /* bit: piece[i] is not NULL */
};

KtStatus kt_blocks_open(KtBlocks **out)
{
    KtBlocks *b = calloc(1, sizeof *b);
    if (!b)
        return KT_ERR_MEMORY;
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
    b->some[size / 64] |= (uint64_t)1 << (size % 64);
}

static void *take_piece(KtBlocks *b, size_t size)
{
    Piece *piece = b->piece[size];
    b->piece[size] = piece->next;
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

static bool add_chunk(KtBlocks *b)
{
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
    b->at = (char *)mapped + (HUGE_BYTES - (uintptr_t)mapped % HUGE_BYTES) % HUGE_BYTES;
    b->end = b->at + CHUNK_BYTES;
    (void)madvise(b->at, CHUNK_BYTES, MADV_HUGEPAGE); /* refused: small pages, and slower */
    return true;
}

static void *cut(KtBlocks *b, size_t size)
{
    if (b->piece[size])
        return take_piece(b, size);
    if ((size_t)(b->end - b->at) < size * STEP) {
        size_t larger = next_size(b, size);
        if (larger < SIZES) {
            char *piece = take_piece(b, larger);
            keep_piece(b, piece + size * STEP, larger - size);
            return piece;
        }
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
