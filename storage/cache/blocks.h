/* storage/cache/blocks.h - memory for the lists of the graph cache: close together, on huge pages.
 *
 * A traversal jumps from list to list; with 4 KB pages most jumps miss the TLB, and a page walk costs more than the
 * list (2 hops over 1 M edges: 1.6 of the plain loop's time with malloc, 1.2 with this). Blocks are cut from chunks of
 * 64 MB of address space, advised to be huge; what is given back is kept by size, and larger pieces are cut up before
 * more is touched. When much lies idle in pieces too small for what is asked, neighbours are joined; beyond `most`
 * bytes no chunk is added, and whoever asks goes without. Nothing goes back to the system before the close.
 * Threads: any; a lock, for fillers and for whoever frees. Readers never come here. */
#ifndef KT_STORAGE_CACHE_BLOCKS_H
#define KT_STORAGE_CACHE_BLOCKS_H

#include "storage/cache/slots.h"

typedef struct KtBlocks KtBlocks;

/* `most`: bytes that may be touched, a chunk more at most; 0: no limit. */
KtStatus kt_blocks_open(size_t most, KtBlocks **out) KT_MUST_CHECK;
void kt_blocks_close(
    KtBlocks *blocks); /* all that was cut from chunks ends here; NULL is allowed */
/* A block whose head is set (bytes, home); NULL: no memory. */
KtSlotBlock *kt_blocks_make(KtBlocks *blocks, uint32_t bytes);
size_t kt_blocks_touched(KtBlocks *blocks); /* bytes of chunks that have been cut */
/* Gives back any block of the cache, also one of malloc's (home 0). */
void kt_blocks_free(KtBlocks *blocks, KtSlotBlock *block);

#endif
