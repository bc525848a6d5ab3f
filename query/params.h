/* query/params.h - the values that were sent, in the order of a statement's parameters. */
#ifndef KT_QUERY_PARAMS_H
#define KT_QUERY_PARAMS_H

#include "query/bind/bound.h"

/* Finds each parameter of `bound` in `sent` (a MAP, or anything else: nothing was sent). out[0 .. params): their values;
 * NULL: it is only asked whether all are there. *missing: the first that is not, bound->params when none is.
 * Cost: n log n; of few parameters, a walk over `sent` each. Errors: KT_ERR_MEMORY. */
KtStatus kt_params_find(const KtBound *bound, KtValue sent, KtValue *out,
                        uint32_t *missing) KT_MUST_CHECK;

#endif
