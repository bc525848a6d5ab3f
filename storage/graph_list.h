/* storage/graph_list.h - the inside of an expand cursor, for graph_list.c and graph_cached.c. */
#ifndef KT_STORAGE_GRAPH_LIST_H
#define KT_STORAGE_GRAPH_LIST_H

#include "storage/graph_internal.h"

enum { KT_HOLD_MOST = 256 }; /* nodes whose lists a cursor holds at once */

struct KtExpand {
    KtView *view;
    KtHop hop;
    KtMark mark;
    KtArena *arena;  /* of the cursor: what it needs for its largest feed */
    uint32_t n, cap; /* nodes of this feed, and room for */
    KtNodeId *node;
    uint16_t *row;
    uint32_t held_from, held; /* nodes [held_from, held_from + held) have their lists here */
    /* the next slice: */
    uint32_t at; /* node of the feed */
    uint8_t dir;
    uint32_t run, offset;
    KtNodeList **out, **in; /* KT_HOLD_MOST each; NULL: nothing was held yet */
};

/* The slice at the cursor's place: of `run` in the list of its node. */
void kt_expand_slice(const KtExpand *e, const KtNodeList *list, const KtListRun *run, KtSlice *out);
/* Relationships of the types that the hop takes. */
uint64_t kt_list_count(const KtHop *hop, const KtNodeList *list, bool without_loops);

/* Straight out of the graph cache, for views without changes of their own: graph_cached.c. Both stop at the first node
 * that the cache does not have. */

/* One direction: the next slices; how many. */
uint32_t kt_expand_cached(KtExpand *e, KtSlice *out, uint32_t cap);
/* Adds to out[row]; how many of `ask` are done. */
uint32_t kt_degrees_cached(KtView *view, const KtHop *hop, uint8_t dir, bool without_loops,
                           const KtAsk *ask, uint64_t *out);

#endif
