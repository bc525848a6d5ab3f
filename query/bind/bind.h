/* query/bind/bind.h - from syntax tree to bound statement. */
#ifndef KT_QUERY_BIND_BIND_H
#define KT_QUERY_BIND_BIND_H

#include "query/ast/ast.h"
#include "query/bind/bound.h"

/* Binds a parsed statement. `params`: a MAP value whose keys are the parameters that exist (values are not
 * looked at). Everything is made in `arena` and points into the statement's text, which must live as long.
 * Errors: all compile-time errors, with a place, diag->compile_time set. */
KtStatus kt_bind(const KtAstStatement *statement, KtValue params, KtArena *arena, KtDiag *diag,
                 const KtBound **out) KT_MUST_CHECK;

/* May one row of it take long, for an expression that no quantum cuts short? False is a promise as long as the
 * parameters are short (tens of kilobytes). Cost: once over the statement. */
bool kt_bound_loops(const KtBound *bound);

#endif
