/* tests/support/session.c */
#include "tests/support/session.h"

#include <string.h>

typedef struct Collect {
    KtSink sink; /* first */
    KtArena *arena;
    KtValue *value;
    uint32_t n, cap, rows;
} Collect;

static KtStatus collect_row(KtSink *sink, const KtValue *value, uint32_t n, bool *full)
{
    Collect *self = (Collect *)sink;
    (void)full;
    for (uint32_t i = 0; i < n; i++) {
        KT_TRY(kt_arena_grow(self->arena, (void **)&self->value, self->n, &self->cap,
                             sizeof *self->value));
        KT_TRY(kt_value_copy(self->arena, value[i], &self->value[self->n]));
        self->n++;
    }
    self->rows++;
    return KT_OK;
}

static KtStatus run_steps(KtQuery *query, const SessionLimits *limits)
{
    for (;;) {
        KtQueryStep step;
        KT_TRY(kt_query_step(query, limits->quantum_ns, &step));
        if (step == KT_QUERY_DONE)
            return KT_OK;
        if (limits->park_between)
            kt_query_park(query);
    }
}

static KtStatus run_query(KtEngine *engine, KtStatement *statement, KtView *view, KtValue params,
                          Collect *collect, const SessionLimits *limits, KtArena *arena,
                          Answer *out)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, limits->memory);
    KtQuerySpec spec = {.view = view,
                        .params = params,
                        .sink = &collect->sink,
                        .budget = &budget,
                        .want = limits->want,
                        .stutter = limits->stutter};
    KtQuery *query;
    KT_TRY(kt_query_start(engine, statement, &spec, &out->diag, &query));
    KtStatus status = run_steps(query, limits);
    if (status == KT_OK) {
        kt_query_summary(query, &out->summary);
        KtText plan = out->summary.plan;
        out->summary.plan = (KtText){kt_arena_text(arena, plan.at, plan.len), plan.len};
    }
    kt_query_close(query);
    return status;
}

static KtStatus run(KtEngine *engine, KtDatabase *db, KtArena *arena, KtStatement *statement,
                    KtValue params, const SessionLimits *limits, Answer *out)
{
    const KtStatementFacts *facts = kt_statement_facts(statement);
    Collect collect = {.sink = {.row = collect_row}, .arena = arena};
    bool write = facts->kind == KT_STATEMENT_WRITE;
    KtTurn turn = {0};
    KtView *view = NULL;
    KtStatus status = KT_OK;
    if (write)
        KT_TRY(kt_turn_wait(db, &turn, 0, NULL));
    if (facts->kind != KT_STATEMENT_SCHEMA) {
        KtViewSpec spec = {.write = write};
        status = kt_view_open(db, &spec, &out->diag, &view);
    }
    if (status == KT_OK)
        status = run_query(engine, statement, view, params, &collect, limits, arena, out);
    if (status == KT_OK && write)
        status = kt_view_commit(view, &out->diag, &out->commit);
    kt_view_close(view);
    if (write)
        kt_turn_release(db, &turn);
    KT_TRY(status);
    out->columns = facts->columns;
    KtText *column = kt_arena_alloc(arena, (facts->columns + 1) * sizeof *column);
    if (!column)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < facts->columns; i++)
        column[i] = (KtText){kt_arena_text(arena, facts->column[i].at, facts->column[i].len),
                             facts->column[i].len};
    out->column = column;
    out->rows = facts->columns ? collect.rows : 0;
    out->value = collect.value;
    return KT_OK;
}

void session_run(KtEngine *engine, KtDatabase *db, KtArena *arena, KtText text, KtValue params,
                 const SessionLimits *limits, Answer *out)
{
    static const SessionLimits none;
    memset(out, 0, sizeof *out);
    KtStatement *statement;
    out->status = kt_query_parse(engine, text, params, &out->diag, &statement);
    if (out->status != KT_OK) {
        out->diag.compile_time = true;
        return;
    }
    out->status = run(engine, db, arena, statement, params, limits ? limits : &none, out);
    kt_statement_release(statement);
}
