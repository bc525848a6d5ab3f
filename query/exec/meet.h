/* query/exec/meet.h - one shortest path between two nodes, by searches from both that meet.
 *
 * Both searches share one index of nodes (node_index.h): its ids in order of arrival are the frontiers, one block a
 * level, and a node's number carries the side that reached it. A node that is reached remembers only from where; the
 * relationships of the one path are looked up at its end. The search stops at the first edge between the sides: levels
 * are whole before it, so no path is shorter.
 * Order of use: open; for each pair begin, step until *done, path if it was found; park, rewind and close at any
 * time. */
#ifndef KT_QUERY_EXEC_MEET_H
#define KT_QUERY_EXEC_MEET_H

#include "query/exec/exec_internal.h"
#include "query/exec/node_index.h"

typedef struct KtMeet {
    KtOp *op;
    KtArena *arena; /* cursors, names; the path at hand stands in `path` */
    KtArena *path;
    KtHop hop[2]; /* forward, backward */
    bool named;
    KtExpand *cursor[2];    /* the same one where the hop goes both ways */
    bool fed[2];            /* its feed is not used up */
    const KtDiffer *differ; /* relationships that no step may use */
    KtNodeIndex seen;
    uint32_t *from; /* by number: the number that it was reached from */
    uint32_t from_cap;
    uint32_t block[2][2]; /* by side: its last level, numbers [0] .. [1] */
    uint32_t depth, most; /* steps made by both sides, and allowed */
    uint32_t side, head,
        part; /* level being expanded; its next part begins at `head`; nodes of the part at hand */
    uint32_t part_from;
    bool expanding;
    bool found;
    uint32_t end[2]; /* found: numbers of the edge's ends, by side */
} KtMeet;

KtStatus kt_meet_open(KtOp *op, KtMeet *meet) KT_MUST_CHECK;
/* Begins with two different nodes; `most` steps at most. `differ` lives as long as the search. */
KtStatus kt_meet_begin(KtMeet *meet, uint32_t start, uint32_t end, uint32_t most,
                       const KtDiffer *differ) KT_MUST_CHECK;
/* One part of the search; *work: edges that were looked at. *done: meet->found tells how it ended. */
KtStatus kt_meet_step(KtMeet *meet, bool *done, uint32_t *work) KT_MUST_CHECK;
/* The path that was found: node[0 .. *n], rel[0 .. *n), in the order of the pattern. Lifetime: until the next begin. */
KtStatus kt_meet_path(KtMeet *meet, uint32_t **node, KtRelRef **rel, uint32_t *n) KT_MUST_CHECK;
void kt_meet_rewind(KtMeet *meet);
void kt_meet_park(KtMeet *meet);
void kt_meet_close(KtMeet *meet);

#endif
