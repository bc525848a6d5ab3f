/* query/query.c - one running query: opens the operators, steps them, and takes its writes back if it fails. */
#include "query/query.h"

#include "base/clock.h"
#include "query/exec/op.h"
#include "query/params.h"
#include "query/statement.h"
#include "storage/catalog.h"
#include "storage/database.h"

#include <stdlib.h>

struct KtQuery {
    KtStatement *statement;
    KtPlanRef *plan;
    KtEngine *engine;
    KtArenaPool pool;
    KtBudget budget; /* hands on to spec.budget; has the pool */
    KtArena *arena;
    KtQuerySpec spec;
    KtDiag *diag;
    KtExec exec;
    KtOp *root;
    KtMark begin;
    bool failed, done;
    KtBuf plan_text;
    KtQuerySummary summary;
};

static KtStatus bind_params(KtQuery *q, const KtBound *bound)
{
    KtValue *param = kt_arena_alloc(q->arena, (bound->params + 1) * sizeof *param);
    if (!param)
        return KT_ERR_MEMORY;
    uint32_t missing;
    KT_TRY(kt_params_find(bound, q->spec.params, param, &missing));
    if (missing < bound->params)
        return kt_diag_set(q->diag, KT_ERR_MISSING_PARAMETER, NULL,
                           "The statement needs a value for $%.*s", (int)bound->param[missing].len,
                           bound->param[missing].at);
    q->exec.eval.param = param;
    return KT_OK;
}

static KtStatus exec_open(KtQuery *q)
{
    const KtPlanned *planned = kt_plan_ref(q->plan);
    const KtBound *bound = planned->bound;
    KtExec *x = &q->exec;
    *x = (KtExec){.view = q->spec.view,
                  .bound = bound,
                  .arena = q->arena,
                  .budget = &q->budget,
                  .diag = q->diag,
                  .deadline_ns = q->spec.deadline_ns,
                  .cancel = q->spec.cancel,
                  .sink = q->spec.sink,
                  .pool = kt_engine_pool(q->engine),
                  .slots = planned->slots,
                  .stutter = q->spec.stutter,
                  .profile = kt_statement_facts(q->statement)->explain == KT_PROFILE};
    x->eval = (KtEvalContext){.view = q->spec.view,
                              .bound = bound,
                              .diag = q->diag,
                              .query = q->arena,
                              .database_id = kt_database_id(kt_view_database(q->spec.view))};
    x->eval.token = kt_statement_tokens(q->statement);
    x->clause_mark = kt_arena_alloc(q->arena, (planned->clauses + 1) * sizeof *x->clause_mark);
    if (!x->clause_mark)
        return KT_ERR_MEMORY;
    memset(x->clause_mark, 0xFF, (planned->clauses + 1) * sizeof *x->clause_mark);
    KT_TRY(bind_params(q, bound));
    kt_view_set_limits(q->spec.view, q->spec.deadline_ns, q->spec.cancel);
    q->begin = kt_mark(q->spec.view);
    return kt_op_open(x, planned->root, NULL, &q->root);
}

KtStatus kt_query_start(KtEngine *engine, KtStatement *statement, const KtQuerySpec *spec,
                        KtDiag *diag, KtQuery **out)
{
#ifdef NDEBUG
    KT_CHECK(spec->stutter == 0);
#endif
    KT_CHECK(spec->want <= KT_BATCH_ROWS);
    KtQuery *q = calloc(1, sizeof *q);
    if (!q)
        return KT_ERR_MEMORY;
    q->spec = *spec;
    q->engine = engine;
    q->diag = diag;
    q->statement = statement;
    kt_statement_share(statement);
    kt_budget_init(&q->budget, spec->budget, 0);
    q->budget.pool = &q->pool;
    q->budget.deadline_ns = spec->deadline_ns;
    q->budget.cancel = spec->cancel;
    kt_engine_lend(engine, &q->pool);
    KtStatus status = kt_arena_open(&q->budget, &q->arena);
    const KtStatementFacts *facts = kt_statement_facts(statement);
    if (status == KT_OK && facts->kind != KT_STATEMENT_SCHEMA &&
        kt_statement_bound(statement)->query) {
        status = kt_statement_plan(statement, spec->view, diag, &q->plan, &q->summary.plan_ns);
        if (status == KT_OK && facts->explain != KT_EXPLAIN)
            status = exec_open(q);
    }
    if (status != KT_OK) {
        kt_query_close(q);
        return status;
    }
    *out = q;
    return KT_OK;
}

/* ---- schema statements ---- */

static KtStatus run_schema(KtQuery *q)
{
    const KtBound *bound = kt_statement_bound(q->statement);
    KtDatabase *db = kt_engine_database(q->engine);
    KtWriteCounts *counts = &q->summary.counts;
    KtCommit made;
    uint64_t *count;
    bool create =
        bound->schema == KT_SCHEMA_CREATE_INDEX || bound->schema == KT_SCHEMA_CREATE_UNIQUE;
    if (create) {
        KtIndexSpec spec = {.name = bound->schema_as.name,
                            .label = bound->schema_as.label,
                            .key = bound->schema_as.key,
                            .unique = bound->schema == KT_SCHEMA_CREATE_UNIQUE,
                            .if_not_exists = bound->schema_as.if_exists};
        KT_TRY(kt_index_create(db, &spec, q->spec.deadline_ns, q->spec.cancel, q->diag, &made));
        count = spec.unique ? &counts->constraints_added : &counts->indexes_added;
    } else {
        bool constraint = bound->schema == KT_SCHEMA_DROP_CONSTRAINT;
        KT_TRY(kt_index_drop(db, bound->schema_as.name, constraint, bound->schema_as.if_exists,
                             q->spec.deadline_ns, q->spec.cancel, q->diag, &made));
        count = constraint ? &counts->constraints_removed : &counts->indexes_removed;
    }
    *count = made ? 1 : 0;
    q->summary.commit = made;
    return KT_OK;
}

/* ---- running ---- */

static void collect_facts(const KtOp *op, uint64_t *rows, int64_t *ns)
{
    if (!op)
        return;
    rows[op->plan->id] += op->facts.rows;
    ns[op->plan->id] += op->facts.ns;
    collect_facts(op->child[0], rows, ns);
    collect_facts(op->child[1], rows, ns);
}

static KtStatus write_plan(KtQuery *q)
{
    const KtStatementFacts *facts = kt_statement_facts(q->statement);
    if (facts->explain == KT_RUN || !q->plan)
        return KT_OK;
    const KtPlanned *planned = kt_plan_ref(q->plan);
    uint64_t *rows = NULL;
    int64_t *ns = NULL;
    if (q->root) {
        rows = kt_arena_zero(q->arena, planned->nodes, sizeof *rows);
        ns = kt_arena_zero(q->arena, planned->nodes, sizeof *ns);
        if (!rows || !ns)
            return KT_ERR_MEMORY;
        collect_facts(q->root, rows, ns);
    }
    kt_plan_print(planned, rows, ns, &q->plan_text);
    return kt_buf_status(&q->plan_text);
}

static KtStatus finish(KtQuery *q)
{
    if (q->root && kt_view_writes(q->spec.view)) {
        kt_see(q->spec.view, KT_SEE_ALL);
        KT_TRY(kt_statement_end(q->spec.view, q->diag));
        q->summary.counts = kt_view_counts(q->spec.view, q->begin);
    }
    q->summary.rows = q->exec.result_rows;
    q->summary.stuttered_again = q->exec.stuttered.again;
    q->summary.stuttered_want = q->exec.stuttered.want;
    q->summary.stuttered_park = q->exec.stuttered.park;
    KT_TRY(write_plan(q));
    q->done = true;
    return KT_OK;
}

static KtStatus step(KtQuery *q, int64_t began, int64_t quantum_ns, KtQueryStep *out)
{
    if (q->done) {
        *out = KT_QUERY_DONE;
        return KT_OK;
    }
    if (!q->root) {
        if (kt_statement_facts(q->statement)->kind == KT_STATEMENT_SCHEMA)
            KT_TRY(run_schema(q));
        KT_TRY(finish(q));
        *out = KT_QUERY_DONE;
        return KT_OK;
    }
    KtExec *x = &q->exec;
    x->quantum_end_ns = quantum_ns ? began + quantum_ns : 0;
    x->sink_full = false;
    for (;;) {
        KtBatch batch;
        KtStep what;
        KT_TRY(kt_op_next(q->root, q->spec.want ? q->spec.want : KT_BATCH_ROWS, &batch, &what));
        if (what == KT_STEP_END) {
            KT_TRY(finish(q));
            *out = KT_QUERY_DONE;
            return KT_OK;
        }
        if (x->sink_full) {
            *out = KT_QUERY_BLOCKED;
            return KT_OK;
        }
        if (what == KT_STEP_AGAIN && x->quantum_end_ns && kt_clock_ns() >= x->quantum_end_ns) {
            *out = KT_QUERY_AGAIN;
            return KT_OK;
        }
    }
}

KtStatus kt_query_step(KtQuery *q, int64_t quantum_ns, KtQueryStep *out)
{
    if (q->failed)
        return KT_ERR_TRANSACTION_FAILED;
    int64_t began = kt_clock_ns();
    KtStatus status = step(q, began, quantum_ns, out);
    q->summary.run_ns += kt_clock_ns() - began;
    if (status != KT_OK) {
        q->failed = true;
        (void)kt_diag_set(q->diag, status, NULL, "%s", kt_error_facts(status)->wire);
        if (q->root && kt_view_writes(q->spec.view))
            kt_undo(q->spec.view, q->begin);
    }
    return status;
}

void kt_query_park(KtQuery *q)
{
    if (!q->root || q->failed || q->done)
        return;
    if (kt_op_park(q->root) != KT_OK)
        q->root->pending = KT_ERR_MEMORY;
    kt_view_park(q->spec.view);
}

void kt_query_summary(const KtQuery *q, KtQuerySummary *out)
{
    *out = q->summary;
    if (q->spec.budget)
        out->peak_bytes = atomic_load_explicit(&q->spec.budget->peak, memory_order_relaxed);
    out->plan = (KtText){(const char *)q->plan_text.data, (uint32_t)q->plan_text.len};
}

void kt_query_close(KtQuery *q)
{
    if (!q)
        return;
    kt_op_close(q->root);
    if (q->exec.view)
        kt_eval_close(&q->exec.eval);
    kt_plan_release(q->plan);
    kt_statement_release(q->statement);
    kt_buf_close(&q->plan_text);
    kt_arena_close(q->arena);
    kt_engine_take_back(q->engine, &q->pool);
    free(q);
}
