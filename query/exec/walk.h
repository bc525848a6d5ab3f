/* query/exec/walk.h - steps of walks of many hops: the lists of nodes, cut to what a walk may use.
 *
 * A walk reads lists through cursors, by direction and depth: the slices of a depth stay where they are while deeper
 * lists are read. Steps are copied, so a walk holds no slice between calls and may park anywhere. A step is left out
 * if it is the second sight of a self-loop, one of the relationships that the pattern must differ from, or
 * fails the pattern's properties or element predicates. Order of use: open; begin for each input batch; row for each
 * of its rows; any number of feed and next; rewind, park, close. */
#ifndef KT_QUERY_EXEC_WALK_H
#define KT_QUERY_EXEC_WALK_H

#include "query/exec/exec_internal.h"

enum {
    KT_WALK_DEPTHS = 32
}; /* cursors of each direction; deeper lists are read whole through the last */
/* A depth of its own: lists of many nodes, whose relationship ids are read only if steps are tested by them. */
#define KT_WALK_SEARCH UINT32_MAX

typedef struct KtWalkStep {
    uint64_t rel;
    uint32_t nbr, type;
    uint32_t from; /* index in the feed */
    uint8_t dir;   /* KT_OUT or KT_IN, seen from the node that it starts at */
} KtWalkStep;

typedef struct KtWalkCursor {
    KtExpand *at;
    const uint32_t *node; /* of the feed; a feed of one is kept here */
    uint32_t one;
    bool fed; /* the feed is not used up */
} KtWalkCursor;

typedef struct KtWalk {
    KtOp *op;
    bool rels, tests; /* relationship ids are read; steps are tested by programs */
    bool search_rels; /* ids are read in KT_WALK_SEARCH too; may be set after opening */
    KtArena *cursors, *searches, *work; /* searches: cursors of KT_WALK_SEARCH */
    KtHop hop[2];                       /* forward, backward */
    KtWalkCursor cursor[2][KT_WALK_DEPTHS], search[2];
    bool named;
    KtLevel *top; /* the input */
    uint32_t row;
    KtDiffer differ;
    KtColumn *want; /* values of the pattern's properties, by row of the input */
    KtToken *key;
    KtMade step; /* steps as rows over the input's row, for the programs */
    uint16_t *sel;
    uint32_t *feed_nodes; /* room for a feed of KT_BATCH_ROWS nodes */
} KtWalk;

/* Steps in one growing array. */
typedef struct KtWalkSteps {
    KtWalkStep *at;
    uint32_t n, cap;
    KtBudget *budget;
} KtWalkSteps;
void kt_walk_steps_close(KtWalkSteps *steps);

KtStatus kt_walk_open(KtOp *op, KtWalk *walk, bool rels) KT_MUST_CHECK;
KtStatus kt_walk_begin(KtWalk *walk, KtLevel *top) KT_MUST_CHECK;
/* *may false: the row has no walk at all (its start fails a predicate on nodes). */
KtStatus kt_walk_row(KtWalk *walk, uint32_t row, uint32_t start, bool *may) KT_MUST_CHECK;
/* Begins to read the lists of n nodes (at most KT_BATCH_ROWS), through the cursor of a depth. More than
 * one must stay where they are. */
KtStatus kt_walk_feed(KtWalk *walk, bool back, uint32_t depth, const uint32_t *node,
                      uint32_t n) KT_MUST_CHECK;
/* Appends more steps; *have false: the feed is used up. May append none and have more. */
KtStatus kt_walk_next(KtWalk *walk, bool back, uint32_t depth, KtWalkSteps *out,
                      bool *have) KT_MUST_CHECK;
void kt_walk_stop(KtWalk *walk);        /* what was fed is forgotten */
void kt_walk_stop_search(KtWalk *walk); /* the same of KT_WALK_SEARCH alone */
void kt_walk_park(KtWalk *walk);
void kt_walk_close(KtWalk *walk);

static inline KtRelRef kt_walk_ref(const KtWalkStep *s, uint32_t node)
{
    return (KtRelRef){.id = s->rel,
                      .start = s->dir == KT_OUT ? node : s->nbr,
                      .end = s->dir == KT_OUT ? s->nbr : node,
                      .type = s->type};
}

/* A list of relationships and a Path as values in `arena`, from a walk of n steps; node has n + 1. */
KtStatus kt_walk_list(KtArena *arena, const KtRelRef *rel, uint32_t n, KtValue *out) KT_MUST_CHECK;
KtStatus kt_walk_path(KtArena *arena, const uint32_t *node, const KtRelRef *rel, uint32_t n,
                      KtValue *out) KT_MUST_CHECK;

#endif
