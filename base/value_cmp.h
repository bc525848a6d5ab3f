/* base/value_cmp.h - the three comparisons of openCypher.
 *
 * Equality (=) is ternary: null makes unknown, also inside lists and maps. Equivalence (DISTINCT,
 * grouping) is total: null is null, NaN is NaN, 1 is 1.0. Orderability (ORDER BY) is total across
 * kinds: maps, nodes, relationships, lists, paths, (temporal kinds), strings, booleans, numbers,
 * NaN, null, ascending. Source: openCypher 9, CIP2016-06-14 comparability. */
#ifndef KT_BASE_VALUE_CMP_H
#define KT_BASE_VALUE_CMP_H

#include "base/value.h"

typedef enum KtTruth { KT_FALSE = 0, KT_TRUE = 1, KT_UNKNOWN = 2 } KtTruth;

KtTruth kt_value_equal(KtValue a, KtValue b);
bool kt_value_equivalent(KtValue a, KtValue b);
/* Orderability: negative, 0 or positive; 0 exactly when equivalent. */
int kt_value_order(KtValue a, KtValue b);
/* <, comparability: *out = -1, 0, 1 for comparable values (numbers among numbers, strings among
 * strings, booleans, lists element-wise); UNKNOWN kinds or null give false. NaN compares false with
 * everything: returns true with *out = 2. */
bool kt_value_compare(KtValue a, KtValue b, int *out);
uint64_t kt_value_hash(KtValue v); /* equal for equivalent values */

#endif
