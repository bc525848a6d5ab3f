/* tests/unit/query/exec/run.c */
#include "tests/unit/query/exec/run.h"

#include "base/value_text.h"
#include "query/bind/bind.h"
#include "query/parse/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

Base *base_open(void)
{
    Base *base = calloc(1, sizeof *base);
    KtDatabaseSpec spec = {.create = true, .id = 1};
    base->seed = 12345;
    cr_assert_eq(kt_database_open(&spec, &base->diag, &base->db), KT_OK, "%s", base->diag.message);
    return base;
}

void base_close(Base *base)
{
    kt_database_close(base->db);
    free(base);
}

uint32_t base_random(Base *base, uint32_t below)
{
    base->seed = base->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(base->seed >> 33) % below;
}

typedef struct TextSink {
    KtSink sink;
    Answer *answer;
    uint32_t full_every;
} TextSink;

static KtStatus take_row(KtSink *sink, const KtValue *value, uint32_t n, bool *full)
{
    TextSink *self = (TextSink *)sink;
    Answer *a = self->answer;
    KtBuf out = {0};
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            kt_buf_put(&out, " | ", 3);
        kt_value_print(&out, value[i]);
    }
    kt_buf_u8(&out, 0);
    if (a->n == a->cap) {
        a->cap = a->cap ? a->cap * 2 : 64;
        a->line = realloc(a->line, a->cap * sizeof *a->line);
    }
    a->line[a->n++] = strdup((const char *)out.data);
    kt_buf_close(&out);
    *full = self->full_every && a->n % self->full_every == 0;
    return KT_OK;
}

typedef struct Running {
    KtArena *arena;
    KtBudget budget;
    KtView *view;
    const KtBound *bound;
    const KtPlanned *planned;
    KtExec x;
    TextSink sink;
    KtOp *root;
} Running;

static uint32_t count_kind(const KtPlan *plan, KtPlanKind kind)
{
    return !plan ? 0
                 : (plan->kind == kind) + count_kind(plan->child[0], kind) +
                       count_kind(plan->child[1], kind);
}

static KtStatus start(Running *r, Base *base, RunSpec spec, const char *text, Answer *a)
{
    const KtAstStatement *tree;
    KT_TRY(kt_parse((KtText){text, (uint32_t)strlen(text)}, r->arena, &a->diag, &tree));
    KT_TRY(kt_bind(tree, kt_map(NULL, 0), r->arena, &a->diag, &r->bound));
    KtViewSpec view = {.write = r->bound->query->writes, .budget = &r->budget};
    if (view.write)
        KT_TRY(kt_turn_wait(base->db, &base->turn, 0, NULL));
    KT_TRY(kt_view_open(base->db, &view, &a->diag, &r->view));
    KT_TRY(kt_plan(r->bound, r->view, r->arena, &a->diag, &r->planned));
    a->hash_joins = count_kind(r->planned->root, KT_PLAN_HASH_JOIN);
    KtExec *x = &r->x;
    *x = (KtExec){.view = r->view,
                  .bound = r->bound,
                  .arena = r->arena,
                  .budget = &r->budget,
                  .diag = &a->diag,
                  .slots = r->planned->slots,
                  .sink = &r->sink.sink,
                  .stutter = spec.stutter};
    x->eval = (KtEvalContext){.view = r->view,
                              .bound = r->bound,
                              .diag = &a->diag,
                              .query = r->arena,
                              .database_id = 1,
                              .random = {1, 2, 3, 4}};
    x->eval.token = kt_arena_zero(r->arena, r->bound->names + 1, sizeof *x->eval.token);
    x->clause_mark = kt_arena_alloc(r->arena, (r->planned->clauses + 1) * sizeof *x->clause_mark);
    memset(x->clause_mark, 0xFF, (r->planned->clauses + 1) * sizeof *x->clause_mark);
    r->sink = (TextSink){.sink = {.row = take_row}, .answer = a, .full_every = spec.full_every};
    return kt_op_open(x, r->planned->root, NULL, &r->root);
}

static KtStatus drive(Running *r, Answer *a)
{
    for (;;) {
        KtBatch batch;
        KtStep step;
        KT_TRY(kt_op_next(r->root, KT_BATCH_ROWS, &batch, &step));
        if (step == KT_STEP_END)
            break;
        if (r->x.sink_full) {
            r->x.sink_full = false;
            KT_TRY(kt_op_park(r->root));
            kt_view_park(r->view);
        }
    }
    return kt_view_writes(r->view) ? kt_statement_end(r->view, &a->diag) : KT_OK;
}

Answer run_with(Base *base, RunSpec spec, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    cr_assert(vasprintf(&text, format, args) >= 0);
    va_end(args);
    Answer a = {0};
    Running r = {0};
    kt_budget_init(&r.budget, NULL, spec.memory);
    a.status = kt_arena_open(&r.budget, &r.arena);
    if (a.status == KT_OK)
        a.status = start(&r, base, spec, text, &a);
    if (a.status == KT_OK)
        a.status = drive(&r, &a);
    a.again = r.x.stuttered.again;
    a.want = r.x.stuttered.want;
    a.park = r.x.stuttered.park;
    a.kernels = r.x.eval.kernels;
    a.prop_reads = r.x.eval.prop_reads;
    bool writes = r.view && kt_view_writes(r.view);
    if (writes)
        a.counts = kt_view_counts(r.view, 0);
    kt_op_close(r.root);
    if (r.view)
        kt_eval_close(&r.x.eval);
    KtCommit number;
    if (writes && a.status == KT_OK && !spec.rollback)
        a.status = kt_view_commit(r.view, &a.diag, &number);
    kt_view_close(r.view);
    if (writes)
        kt_turn_release(base->db, &base->turn);
    kt_arena_close(r.arena);
    a.peak = atomic_load(&r.budget.peak);
    cr_assert_eq(atomic_load(&r.budget.used), 0, "%s: %zu bytes of the budget were not given back",
                 text, atomic_load(&r.budget.used));
    free(text);
    return a;
}

void answer_free(Answer *a)
{
    for (uint32_t i = 0; i < a->n; i++)
        free(a->line[i]);
    free(a->line);
    *a = (Answer){0};
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void answer_sort(Answer *a)
{
    if (a->n)
        qsort(a->line, a->n, sizeof *a->line, by_text);
}

static void compare(const Answer *a, char **want, uint32_t n, const char *text)
{
    cr_assert_eq(a->status, KT_OK, "%s: %s: %s", text, kt_error_facts(a->status)->name,
                 a->diag.message);
    for (uint32_t i = 0; i < a->n && i < n; i++)
        cr_assert_str_eq(a->line[i], want[i], "%s: row %u is %s, not %s", text, i, a->line[i],
                         want[i]);
    cr_assert_eq(a->n, n, "%s: %u rows, not %u; next: %s", text, a->n, n,
                 a->n > n   ? a->line[n]
                 : a->n < n ? want[a->n]
                            : "");
}

static void expect_list(Base *base, const char *text, va_list args, bool bag)
{
    char *want[256];
    uint32_t n = 0;
    for (char *w; (w = va_arg(args, char *)) != NULL;)
        want[n++] = w;
    Answer a = run(base, "%s", text);
    if (bag) {
        answer_sort(&a);
        qsort(want, n, sizeof *want, by_text);
    }
    compare(&a, want, n, text);
    answer_free(&a);
}

void expect_rows(Base *base, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    expect_list(base, text, args, false);
    va_end(args);
}

void expect_bag(Base *base, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    expect_list(base, text, args, true);
    va_end(args);
}

void expect_error(Base *base, KtStatus status, const char *text)
{
    Answer a = run(base, "%s", text);
    cr_assert_eq(a.status, status, "%s: %s, not %s", text,
                 a.status ? kt_error_facts(a.status)->name : "OK", kt_error_facts(status)->name);
    cr_assert(a.diag.message[0], "%s: the error has no words", text);
    answer_free(&a);
}

Answer run_all_ways(Base *base, const char *text)
{
    Answer plain = run_with(base, (RunSpec){.rollback = true}, "%s", text);
    for (uint32_t way = 1; way <= 4; way++) {
        RunSpec spec = {.stutter = way == 4 ? 0 : 977 * way,
                        .full_every = way == 1 ? 0 : 1 + way,
                        .rollback = true};
        Answer a = run_with(base, spec, "%s", text);
        cr_assert_eq(a.status, plain.status, "%s (way %u): %s: %s", text, way,
                     kt_error_facts(a.status)->name, a.diag.message);
        if (a.status == KT_OK)
            compare(&a, plain.line, plain.n, text);
        answer_free(&a);
    }
    return plain;
}

void expect_same(const Answer *a, const Answer *b, const char *what)
{
    Answer x = *a, y = *b;
    cr_assert_eq(a->status, KT_OK, "%s: %s", what, a->diag.message);
    answer_sort(&x);
    answer_sort(&y);
    compare(&x, y.line, y.n, what);
}
