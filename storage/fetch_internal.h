/* storage/fetch_internal.h - the inside of a KtFetch, for fetch.c and fetch_pages.c. */
#ifndef KT_STORAGE_FETCH_INTERNAL_H
#define KT_STORAGE_FETCH_INTERNAL_H

#include "storage/fetch.h"

typedef enum Kept { KEPT_OUT, KEPT_IN, KEPT_NODE, KEPT_REL, KEPT_RELMAP, KEPT_KINDS } Kept;

struct KtFetch {
    KtKv *kv;
    const KtKvSnapshot *at;
    KtBudget *budget;
    KtDiag *const *diag;
    KtCacheReader shared;
    KtKvIter *adj, *index;
    KtMap64 kept[KEPT_KINDS]; /* id to block */
    size_t bytes;
    KtBuf scratch;
    KtListRun *run;
    uint32_t run_cap;
};

#endif
