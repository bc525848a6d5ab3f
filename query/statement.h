/* query/statement.h - parsed and bound statements with their plans, shared and cached by text.
 *
 * A statement is const once made; its plan for the newest schema version is kept with it and made anew when the
 * schema or the size of the database has changed much. Threads: any. */
#ifndef KT_QUERY_STATEMENT_H
#define KT_QUERY_STATEMENT_H

#include "query/plan/plan.h"
#include "query/query.h"

typedef struct KtPlanRef KtPlanRef; /* a shared plan with its arena */

const KtBound *kt_statement_bound(const KtStatement *statement);
/* Tokens of its names, for KtEvalContext. */
_Atomic(KtToken) *kt_statement_tokens(KtStatement *statement);
void kt_statement_share(KtStatement *statement);
/* The plan for the view's schema version, and what making it took, 0 if it was there. Ownership: the caller gives it
 * back by kt_plan_release. */
KtStatus kt_statement_plan(KtStatement *statement, KtView *view, KtDiag *diag, KtPlanRef **out,
                           int64_t *plan_ns) KT_MUST_CHECK;
const KtPlanned *kt_plan_ref(const KtPlanRef *ref);
void kt_plan_release(KtPlanRef *ref);
KtDatabase *kt_engine_database(const KtEngine *engine);
struct KtPool *kt_engine_pool(const KtEngine *engine);
/* Arena blocks for a query, and back when it is closed. */
void kt_engine_lend(KtEngine *engine, KtArenaPool *pool);
void kt_engine_take_back(KtEngine *engine, KtArenaPool *pool);

#endif
