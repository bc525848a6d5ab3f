/* query/exec/list_sums.h - an Expand's lists added whole: sum(rest + end.key) without a row for each end.
 *
 * Order of use: begin for a batch of the Expand's input, add for its lists, take when they are used up or the rows
 * before it must be out. Nothing here outlives a batch of the input but the room. */
#ifndef KT_QUERY_EXEC_LIST_SUMS_H
#define KT_QUERY_EXEC_LIST_SUMS_H

#include "query/exec/exec_internal.h"

typedef struct KtListSums {
    const KtPlanAggregate *item;
    uint32_t n;       /* aggregates */
    KtLevel *input;   /* NULL: none begun */
    bool whole;       /* its lists can be added: no rest is in the way */
    bool any;         /* something was added since the last take */
    bool clean;       /* weight and part are zero for the rows of the input */
    uint32_t cap;     /* rows that there is room for below */
    uint64_t *weight; /* by row of the input: ends so far */
    int64_t **rest;   /* by aggregate, by row; NULL where it has none */
    int64_t **part;   /* by aggregate, by row: what the ends add; NULL where it counts */
    int64_t *sum;     /* by list */
    uint32_t sum_cap;
    uint16_t *sel;
    KtLevel level; /* of kt_list_sums_take */
} KtListSums;

KtStatus kt_list_sums_open(KtOp *op, KtListSums *sums) KT_MUST_CHECK;
/* A new batch of input: what is known of its rows before the hop. Memory: op->arena. */
KtStatus kt_list_sums_begin(KtOp *op, KtListSums *sums, KtLevel *input) KT_MUST_CHECK;
/* *done false: some value is no small integer, or not in memory; nothing was added. */
KtStatus kt_list_sums_add(KtOp *op, KtListSums *sums, const KtExpandLists *lists,
                          bool *done) KT_MUST_CHECK;
/* The input's rows that have ends since the last take, as a level: weight, rest and part are theirs until the next
 * call. NULL: none. */
KtLevel *kt_list_sums_take(KtListSums *sums);
void kt_list_sums_rewind(KtListSums *sums);

#endif
