/* query/exec/grouping.h - the groups of an aggregation, numbered from 0 in order of arrival.
 *
 * A single key of nodes is numbered by node id (node_index.h), one of integers by a map; everything else through
 * encoded keys (base/key.h). Under an argument its row leads the key. Without keys there is one group for each
 * argument row, or one in all, even if nothing came in.
 *
 * Order of use: open, then for each round begin, any number of batches, and clear before the next. */
#ifndef KT_QUERY_EXEC_GROUPING_H
#define KT_QUERY_EXEC_GROUPING_H

#include "base/hash.h"
#include "query/exec/exec_internal.h"
#include "query/exec/key_table.h"
#include "query/exec/node_index.h"
#include "query/exec/rows.h"

typedef struct KtGrouping {
    KtOp *op;
    KtSlot *key;  /* slots */
    KtRows *rows; /* keys of the groups; tag: argument row */
    KtKeyTable *table;
    KtNodeIndex
        nodes; /* of a single key: their numbers are the groups, but for one of null in between */
    KtMap64 ints;        /* the same of a single key of integers: number -> group + 1 */
    uint64_t minus_one;  /* group + 1 of the one number that the map cannot hold */
    uint32_t null_group; /* of null; UINT32_MAX: none yet */
    bool by_node, by_int, began;
    uint32_t groups;
    uint32_t *number;    /* group by row of the level that keys are read at */
    uint32_t *group;     /* group by row of the top; NULL: all are group 0 */
    uint16_t *fresh;     /* rows that began a group */
    uint32_t *arg_group; /* without keys: group by argument row */
} KtGrouping;

KtStatus kt_grouping_open(KtOp *op, KtGrouping *grouping) KT_MUST_CHECK;
void kt_grouping_clear(KtGrouping *grouping);
void kt_grouping_close(KtGrouping *grouping);
/* Without keys: the groups that are there before any row. */
KtStatus kt_grouping_begin(KtGrouping *grouping) KT_MUST_CHECK;
/* Sets group[row] for the selected rows of `top`. Memory: op->arena. */
KtStatus kt_grouping_batch(KtGrouping *grouping, KtLevel *top) KT_MUST_CHECK;

#endif
