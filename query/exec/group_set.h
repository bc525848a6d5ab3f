/* query/exec/group_set.h - how many different nodes each group has met.
 *
 * The nodes of the group at hand stand in a bitmap, or as stamps once there have been many and none has a large id; those
 * of every group also in a list, from which the set is made again when rows come back to a group. That is for rows
 * that come group by group; where they jump too much, all of it moves into one hash map. Groups are numbered by the
 * caller. Memory is charged to `budget`. */
#ifndef KT_QUERY_EXEC_GROUP_SET_H
#define KT_QUERY_EXEC_GROUP_SET_H

#include "base/hash.h"
#include "query/exec/node_set.h"
#include "query/exec/node_stamps.h"

typedef struct KtGroupNodes {
    uint64_t from; /* place in KtGroupSet.id */
    uint64_t n;
} KtGroupNodes;

typedef struct KtGroupSet { /* starts as {.budget = ...}, or by kt_group_set_clear */
    KtBudget *budget;
    KtNodeSet now; /* nodes of `group`, or */
    KtNodeStamps stamps;
    bool stamped;     /* these; */
    bool large;       /* an id was too large for them */
    uint32_t group;   /* number + 1; 0: none is at hand */
    KtGroupNodes *of; /* by group */
    uint32_t groups, of_cap;
    uint32_t *id; /* of all groups; a group's nodes are consecutive */
    uint64_t n, cap;
    uint64_t read_again; /* nodes put back into bitmaps */
    bool hashed;
    KtMap64 map; /* group and node */
} KtGroupSet;

/* Adds nodes to a group. Errors: KT_ERR_MEMORY. */
KtStatus kt_group_set_add(KtGroupSet *set, uint32_t group, const uint32_t *id,
                          uint32_t n) KT_MUST_CHECK;
void kt_group_set_clear(KtGroupSet *set);
void kt_group_set_close(KtGroupSet *set);

/* The number of different nodes of a group. */
static inline uint64_t kt_group_set_count(const KtGroupSet *set, uint32_t group)
{
    return group < set->groups ? set->of[group].n : 0;
}

#endif
