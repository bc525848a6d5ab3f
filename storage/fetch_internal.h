/* storage/fetch_internal.h - the inside of a KtFetch, for fetch.c and fetch_pages.c. */
#ifndef KT_STORAGE_FETCH_INTERNAL_H
#define KT_STORAGE_FETCH_INTERNAL_H

#include "storage/fetch.h"

typedef enum Kept { KEPT_OUT, KEPT_IN, KEPT_NODE, KEPT_REL, KEPT_RELMAP, KEPT_KINDS } Kept;

/* Column pages of one key that this view has found: good until it leaves the epoch. */
typedef struct KtFoundPages {
    KtToken key;
    KtColKind kind;            /* of all found */
    uint32_t n;                /* entries of `page` */
    const KtColumnPage **page; /* by page number; NULL: not found yet */
    const void *
        *dense; /* the values of those without nulls whose width is this one; NULL: others */
    const void **value; /* the values of all whose width is this one, nulls or not */
    uint8_t width;
    uint32_t flat; /* ids below it are in `value` and not null */
} KtFoundPages;

enum { KT_FOUND_KEYS = 4 };

struct KtFetch {
    KtKv *kv;
    const KtKvSnapshot *at;
    KtBudget *budget;
    KtDiag *const *diag;
    KtCacheReader shared;
    KtFoundPages found[KT_FOUND_KEYS]; /* most lately used keys; key 0: free */
    uint32_t found_next;
    KtKvIter *adj, *index;
    KtMap64 kept[KEPT_KINDS]; /* id to block */
    size_t bytes;
    KtBuf scratch;
    KtListRun *run;
    uint32_t run_cap;
};

/* kernel_gather.c: out[i] = value of id[i] for i in [from, n), while its page is in `dense`; where it stopped. */
uint32_t kt_gather_pages(const void *const *dense, uint32_t pages, uint8_t width,
                         const uint32_t *id, uint32_t from, uint32_t n, int64_t *out);

/* The same for ids that are all below `flat`: nothing is tested. */
void kt_gather_flat(const void *const *value, uint8_t width, const uint32_t *id, uint32_t n,
                    int64_t *out);
uint32_t kt_gather_most(const uint32_t *id, uint32_t n);
/* The same for the ids from `first` on. */
void kt_gather_run(const void *const *value, uint8_t width, uint32_t first, uint32_t n,
                   int64_t *out);

/* *sum += the values of id[from .. n) while their pages are in `dense`; where it stopped. *most: bits of all of them, a
 * negative one's inverted. */
uint32_t kt_sum_pages(const void *const *dense, uint32_t pages, uint8_t width, const uint32_t *id,
                      uint32_t from, uint32_t n, int64_t *sum, uint64_t *most);
/* The sum for ids that are all below `flat`. */
int64_t kt_sum_flat(const void *const *value, uint8_t width, const uint32_t *id, uint32_t n,
                    uint64_t *most);

void kt_fetch_forget_pages(KtFetch *fetch);

#endif
