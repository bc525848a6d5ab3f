/* query/expr/aggregate.h - count, collect, sum, avg, min, max, deviations and percentiles, for many groups at once.
 *
 * One KtAggregate holds one aggregating expression's state of all groups, numbered from 0 by the caller. Order of
 * use: open, add for each batch, result for each group, close. Nulls are skipped (all but count(*)). DISTINCT
 * takes each value of a group once, by equivalence. Values added are copied; results live until close.
 * Not thread-safe. */
#ifndef KT_QUERY_EXPR_AGGREGATE_H
#define KT_QUERY_EXPR_AGGREGATE_H

#include "query/expr/expr.h"

typedef struct KtAggregate KtAggregate;

/* `function`: one of trait KT_FN_AGGREGATE, or NULL for count(*). Errors: KT_ERR_MEMORY. */
KtStatus kt_aggregate_open(const KtFunction *function, bool distinct, KtPos at, KtBudget *budget,
                           KtAggregate **out) KT_MUST_CHECK;

/* Rows to add: sel[0..n) of the columns (NULL: rows 0..n-1). */
typedef struct KtAggregateRows {
    const uint16_t *sel;
    uint32_t n;
    const uint64_t *bits;   /* the same rows as bits by row, or NULL */
    const uint32_t *group;  /* by row; NULL: all in group 0 */
    uint32_t groups;        /* numbers in `group` are below this; grows from call to call */
    const uint64_t *weight; /* by row: how many equal rows it stands for; NULL: 1 each */
    const KtColumn *arg[2]; /* NULL where there is none */
} KtAggregateRows;

/* Errors: INVALID_ARGUMENT_VALUE (a kind that the aggregate does not take), INTEGER_OVERFLOW (sum),
 * NUMBER_OUT_OF_RANGE (percentile), MEMORY, CANCELLED and DEADLINE (of the budget); words in `diag`. After one, only
 * close. */
KtStatus kt_aggregate_add(KtAggregate *aggregate, const KtAggregateRows *rows,
                          KtDiag *diag) KT_MUST_CHECK;
/* The value of a group; one that no row was added to has the value of no rows. To be asked once for each. */
KtStatus kt_aggregate_result(KtAggregate *aggregate, uint32_t group, KtDiag *diag,
                             KtValue *out) KT_MUST_CHECK;
void kt_aggregate_close(KtAggregate *aggregate); /* NULL is allowed */

#endif
