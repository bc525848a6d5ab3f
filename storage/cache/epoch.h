/* storage/cache/epoch.h - when memory that readers may still look at can be freed.
 *
 * A reader registers once (a view does, when it opens), enters before it looks into shared memory and leaves
 * before it may stand still for long; what was retired after it entered stays until it has left. Entering and
 * leaving are one store each. Retiring takes a lock: committers and the evictor do it, readers never.
 * Source: K. Fraser, Practical lock-freedom, 2004, section 5.2.3 (epoch-based reclamation). */
#ifndef KT_STORAGE_CACHE_EPOCH_H
#define KT_STORAGE_CACHE_EPOCH_H

#include "base/arena.h"

typedef struct KtEpochs KtEpochs;
typedef struct KtEpochReader KtEpochReader;

KtStatus kt_epochs_open(KtEpochs **out) KT_MUST_CHECK;
/* KT_CHECKs that no reader is registered; frees all that was retired. NULL is allowed. */
void kt_epochs_close(KtEpochs *epochs);

/* What is retired is freed by `done` instead of free(). Before anything is retired. */
void kt_epochs_free_with(KtEpochs *epochs, void (*done)(void *user, void *memory), void *user);
void kt_epochs_free_now(KtEpochs *epochs,
                        void *memory); /* the same way, when no reader can be inside */

/* Threads: any. The reader itself belongs to one thread at a time. */
KtStatus kt_epoch_register(KtEpochs *epochs, KtEpochReader **out) KT_MUST_CHECK;
void kt_epoch_unregister(KtEpochs *epochs,
                         KtEpochReader *reader);              /* leaves first; NULL is allowed */
void kt_epoch_enter(KtEpochs *epochs, KtEpochReader *reader); /* when already inside: nothing */
void kt_epoch_leave(KtEpochReader *reader);

/* Frees `memory` of `bytes` once no reader that is inside now can see it. Without memory for its note the block is
 * lost, never freed too early. */
void kt_epoch_retire(KtEpochs *epochs, void *memory, size_t bytes);
/* Bytes that are retired and not freed yet: what readers that stay inside hold back. */
size_t kt_epochs_waiting(const KtEpochs *epochs);
/* Frees what can be freed now; returns how many blocks still wait. Retiring does this by itself now and then. */
size_t kt_epochs_collect(KtEpochs *epochs);

#endif
