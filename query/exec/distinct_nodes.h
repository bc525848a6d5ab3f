/* query/exec/distinct_nodes.h - count(DISTINCT node) for many groups: a bitmap for the group at hand, lists for all.
 *
 * Rows mostly come group by group, so one bitmap tells what is new; a group that is left keeps its nodes as a list, from
 * which the bitmap is made again when the group comes back. Where groups come back too often, *worth of
 * kt_distinct_nodes_add turns false and the caller goes on in another way, taking over the lists. */
#ifndef KT_QUERY_EXEC_DISTINCT_NODES_H
#define KT_QUERY_EXEC_DISTINCT_NODES_H

#include "query/exec/node_set.h"

typedef struct KtNodeList {
    uint32_t *node;
    uint32_t n, cap;
} KtNodeList;

typedef struct KtDistinctNodes { /* starts as {.budget = ..., .live = UINT32_MAX} */
    KtBudget *budget;
    KtArena *arena;
    KtNodeSet set;         /* of the live group */
    uint32_t live;
    KtNodeList *list;      /* by group */
    uint32_t groups, groups_cap;
    uint64_t rows, reloaded;
} KtDistinctNodes;

/* Adds n nodes to one group; ids that are no node are passed over. */
KtStatus kt_distinct_nodes_add(KtDistinctNodes *d, uint32_t group, const uint32_t *node, uint32_t n, bool *worth) KT_MUST_CHECK;
uint32_t kt_distinct_nodes_count(const KtDistinctNodes *d, uint32_t group);
void kt_distinct_nodes_close(KtDistinctNodes *d);

#endif
