/* bench/bars/measure.c - asking in process, and timing two sides in turns. */
#include "bench/bars/bar.h"
#include "bench/bars/beside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t bar_cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

typedef struct RowSink {
    KtSink sink; /* first */
    void (*row)(void *user, const KtValue *value);
    void *user;
} RowSink;

static KtStatus hand_row(KtSink *sink, const KtValue *value, uint32_t n, bool *full)
{
    RowSink *self = (RowSink *)sink;
    (void)n;
    (void)full;
    self->row(self->user, value);
    return KT_OK;
}

static void must(KtStatus status, const KtDiag *diag, const char *text)
{
    if (status == KT_OK)
        return;
    (void)fprintf(stderr, "bench: %s: %s\n", text,
                  diag->message[0] ? diag->message : kt_error_facts(status)->wire);
    exit(1);
}

void world_rows(World *world, const char *text, KtValue params,
                void (*row)(void *user, const KtValue *value), void *user)
{
    KtDiag diag;
    kt_diag_clear(&diag);
    RowSink sink = {{hand_row}, row, user};
    KtStatement *statement;
    KtQuery *query;
    KtQueryStep step;
    must(kt_query_parse(world->engine, (KtText){text, (uint32_t)strlen(text)}, params, &diag,
                        &statement),
         &diag, text);
    KtQuerySpec spec = {.view = world->view, .params = params, .sink = &sink.sink};
    must(kt_query_start(world->engine, statement, &spec, &diag, &query), &diag, text);
    do {
        must(kt_query_step(query, 0, &step), &diag, text);
    } while (step != KT_QUERY_DONE);
    kt_query_close(query);
    kt_statement_release(statement);
}

static void keep_int(void *user, const KtValue *value)
{
    *(int64_t *)user = value[0].kind == KT_INT ? value[0].as.i : -1;
}

int64_t world_ask(World *world, const char *text, KtValue params)
{
    int64_t answer = -1;
    world_rows(world, text, params, keep_int, &answer);
    return answer;
}

KtValue world_param(KtMapEntry *entry, const char *name, KtValue value)
{
    *entry = (KtMapEntry){{name, (uint32_t)strlen(name)}, value};
    return kt_map(entry, 1);
}

KtValue world_starts(World *world)
{
    KtValue *item = kt_arena_alloc(world->arena, BAR_STARTS * sizeof *item);
    if (!item)
        exit(1);
    for (uint32_t i = 0; i < BAR_STARTS; i++)
        item[i] = kt_int(world->start[i]);
    return kt_list(item, BAR_STARTS);
}

BarTimes bar_measure(World *world, BarSide engine, BarSide loop, void *user, int rounds)
{
    enum { MOST = 31 };
    double e[MOST], l[MOST];
    if (rounds > MOST)
        rounds = MOST;
    BarTimes out = {.equal = engine(world, user) == loop(world, user)};
    for (int i = 0; out.equal && i < rounds; i++) {
        kt_arena_reset(world->arena);
        int64_t t0 = bar_cpu_ns();
        uint64_t a = engine(world, user);
        int64_t t1 = bar_cpu_ns();
        uint64_t b = loop(world, user);
        int64_t t2 = bar_cpu_ns();
        e[i] = (double)(t1 - t0);
        l[i] = (double)(t2 - t1);
        out.equal = a == b;
    }
    if (!out.equal)
        return out;
    out.engine_ns = beside_median(e, rounds);
    out.loop_ns = beside_median(l, rounds);
    return out;
}
