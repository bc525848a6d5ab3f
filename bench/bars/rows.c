/* bench/bars/rows.c - the bars, one after the other: what the engine is asked, and the loop it is held against. */
#include "bench/bars/bar.h"
#include "bench/bars/beside.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double ratio(BarTimes t) { return t.equal ? t.engine_ns / t.loop_ns : -1; }

/* The times behind a ratio, of one round. */
static void print_times(const char *name, BarTimes t)
{
    if (t.equal)
        (void)printf("# %s: engine %.1f us, loop %.1f us\n", name, t.engine_ns / 1e3,
                     t.loop_ns / 1e3);
}

static void must(KtStatus status)
{
    if (status == KT_OK)
        return;
    (void)fprintf(stderr, "bench: %s\n", kt_error_facts(status)->wire);
    exit(1);
}

/* ---- storage-2hop: slices consumed, starts in chunks, the second hop fed by the first hop's slices ---- */

#define NO_LOOP UINT64_MAX

typedef struct Chunk {
    KtExpand *expand;
    uint32_t id[KT_IDS_MOST];
    /* the self-loop that led here, for trails; NO_LOOP: another relationship did */
    KtRelId via[KT_IDS_MOST];
    uint32_t n;
    uint64_t sum;
} Chunk;

static uint64_t slice_rel(const KtSlice *s, uint32_t i)
{
    return s->rel_width == 4 ? ((const uint32_t *)s->rel)[i] : ((const uint64_t *)s->rel)[i];
}

/* Compiled as the loops are. */
static KT_CLONES uint64_t consume(const Chunk *c, const KtSlice *slice, uint32_t n)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++) {
        const KtSlice *s = &slice[i];
        const uint32_t *nbr = s->nbr;
        uint64_t sum = 0;
        for (uint32_t k = 0; k < s->n; k++)
            sum += nbr[k];
        /* only a self-loop can stand in its own end's list */
        if (s->loops && c->via[s->row] != NO_LOOP) {
            for (uint32_t k = 0; k < s->n; k++) {
                if (nbr[k] == c->id[s->row] && slice_rel(s, k) == c->via[s->row])
                    sum -= nbr[k];
            }
        }
        all += sum;
    }
    return all;
}

static void second_hop(Chunk *c)
{
    KtSlice slice[128];
    uint32_t n;
    must(kt_expand_feed(c->expand, (KtIds){.id = c->id, .width = KT_NODE_WIDTH, .n = c->n}));
    do {
        must(kt_expand_next(c->expand, slice, KT_COUNT(slice), &n));
        c->sum += consume(c, slice, n);
    } while (n > 0);
    c->n = 0;
}

uint64_t bar_storage_engine(World *world, void *user)
{
    (void)user;
    static Chunk second; /* large for a stack */
    second.n = 0;
    second.sum = 0;
    KtHop hop = {.dir = KT_OUT, .rels = true};
    KtExpand *first;
    KtArenaMark mark = kt_arena_mark(world->arena); /* a query's arena is reused too */
    must(kt_expand_open(world->view, &hop, world->arena, &first));
    must(kt_expand_open(world->view, &hop, world->arena, &second.expand));
    must(kt_expand_feed(first,
                        (KtIds){.id = world->start, .width = KT_NODE_WIDTH, .n = BAR_STARTS}));
    KtSlice slice[64];
    uint32_t n;
    for (;;) {
        must(kt_expand_next(first, slice, KT_COUNT(slice), &n));
        if (n == 0)
            break;
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t *nbr = slice[i].nbr;
            for (uint32_t k = 0; k < slice[i].n; k++) {
                second.id[second.n] = nbr[k];
                second.via[second.n] =
                    nbr[k] == world->start[slice[i].row] ? slice_rel(&slice[i], k) : NO_LOOP;
                if (++second.n == KT_IDS_MOST)
                    second_hop(&second);
            }
        }
    }
    second_hop(&second);
    kt_expand_close(first);
    kt_expand_close(second.expand);
    kt_arena_rewind(world->arena, mark);
    return second.sum;
}

uint64_t bar_storage_loop(World *world, void *user)
{
    (void)user;
    return kt_loop_2hop(&world->csr, world->start, BAR_STARTS);
}

double bar_storage_2hop(World *world)
{
    BarTimes t = bar_measure(world, bar_storage_engine, bar_storage_loop, NULL, 21);
    print_times("storage-2hop", t);
    return ratio(t);
}

/* ---- one-start ---- */

#define ONE_START "MATCH (a:P)-[r]->(b)-[q]->(c) WHERE id(a) = $s AND b.x >= 50 RETURN sum(id(c))"

uint64_t bar_start_engine(World *world, void *user)
{
    const uint32_t *order = user;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < BAR_STARTS; i++) {
        KtMapEntry entry;
        sum += (uint64_t)world_ask(world, ONE_START,
                                   world_param(&entry, "s", kt_int(world->start[order[i]])));
    }
    return sum;
}

uint64_t bar_start_loop(World *world, void *user)
{
    const uint32_t *order = user;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < BAR_STARTS; i++)
        sum += kt_loop_2hop_filter(&world->csr, world->x, BAR_FILTER, &world->start[order[i]], 1);
    return sum;
}

static double fixed_ns(World *world, const char *text)
{
    enum { TIMES = 2000 };
    KtMapEntry entry;
    KtValue params = world_param(&entry, "s", kt_int(world->lonely));
    (void)world_ask(world, text, params);
    int64_t t0 = bar_cpu_ns();
    for (int i = 0; i < TIMES; i++)
        (void)world_ask(world, text, params);
    return (double)(bar_cpu_ns() - t0) / TIMES;
}

static void shuffle(uint32_t *order, uint64_t seed)
{
    KtRandom random;
    kt_random_seed(&random, seed);
    for (uint32_t i = 0; i < BAR_STARTS; i++)
        order[i] = i;
    for (uint32_t i = BAR_STARTS; i > 1; i--) {
        uint32_t k = kt_random_below(&random, i);
        uint32_t swap = order[i - 1];
        order[i - 1] = order[k];
        order[k] = swap;
    }
}

double bar_one_start(World *world)
{
    double engine = 0, loop = 0, fixed[5];
    uint32_t order[BAR_STARTS];
    for (uint64_t pass = 0; pass < 5; pass++) {
        shuffle(order, 77 + pass);
        BarTimes t = bar_measure(world, bar_start_engine, bar_start_loop, order, 1);
        if (!t.equal)
            return -1;
        engine += t.engine_ns;
        loop += t.loop_ns;
        fixed[pass] = fixed_ns(world, ONE_START);
    }
    double f = beside_median(fixed, 5);
    (void)printf("# one-start: engine %.2f us, loop %.2f us, fixed cost %.2f us a statement\n",
                 engine / 5e3 / BAR_STARTS, loop / 5e3 / BAR_STARTS, f / 1e3);
    return (engine / 5 - f * BAR_STARTS) / (loop / 5);
}

double bar_start_fixed(World *world)
{
    double fixed[5];
    for (int i = 0; i < 5; i++)
        fixed[i] = fixed_ns(world, ONE_START);
    double f = beside_median(fixed, 5), echo = bar_echo_ns(world);
    (void)printf("# one-start-fixed: %.2f us a statement, echo p50 %.1f us\n", f / 1e3, echo / 1e3);
    return echo > 0 ? f / echo : -1;
}

/* ---- many starts in one statement ---- */

static uint64_t ask_starts(World *world, const char *text)
{
    KtMapEntry entry;
    return (uint64_t)world_ask(world, text, world_param(&entry, "starts", world_starts(world)));
}

uint64_t bar_sum_engine(World *world, void *user)
{
    (void)user;
    return ask_starts(world, "UNWIND $starts AS s MATCH (a:P)-[r]->(b)-[q]->(c) WHERE id(a) = s "
                             "RETURN sum(a.x + b.x + c.x)");
}

uint64_t bar_sum_loop(World *world, void *user)
{
    (void)user;
    return (uint64_t)kt_loop_2hop_sum(&world->csr, world->x, world->start, BAR_STARTS);
}

double bar_sum_2hop(World *world)
{
    BarTimes t = bar_measure(world, bar_sum_engine, bar_sum_loop, NULL, 15);
    print_times("sum-2hop", t);
    return ratio(t);
}

static uint64_t count_engine(World *world, void *user)
{
    (void)user;
    return ask_starts(
        world, "UNWIND $starts AS s MATCH (a:P)-->()-->()-->() WHERE id(a) = s RETURN count(*)");
}

static uint64_t count_loop(World *world, void *user)
{
    uint64_t *ends = user;
    return kt_loop_3hop_count(&world->csr, world->start, BAR_STARTS, ends);
}

double bar_count_3hop(World *world)
{
    uint64_t ends;
    return ratio(bar_measure(world, count_engine, count_loop, &ends, 9));
}

/* ---- distinct ---- */

typedef struct Distinct {
    uint32_t *stamp, turn;
    bool again[BAR_STARTS]; /* a start that was drawn before: grouping makes one row of both */
    uint64_t out[BAR_STARTS];
    uint64_t digest;
} Distinct;

static void distinct_row(void *user, const KtValue *value)
{
    Distinct *d = user;
    d->digest += kt_mix64((uint64_t)value[0].as.i * 1000003 + (uint64_t)value[1].as.i);
}

static uint64_t distinct_engine(World *world, void *user)
{
    Distinct *d = user;
    KtMapEntry entry;
    d->digest = 0;
    world_rows(
        world,
        "UNWIND $starts AS s MATCH (a:P)-->()-->(c) WHERE id(a) = s RETURN s, count(DISTINCT c)",
        world_param(&entry, "starts", world_starts(world)), distinct_row, d);
    return d->digest;
}

static uint64_t distinct_loop(World *world, void *user)
{
    Distinct *d = user;
    kt_loop_distinct(&world->csr, world->start, BAR_STARTS, d->stamp, &d->turn, d->out);
    uint64_t digest = 0;
    for (uint32_t i = 0; i < BAR_STARTS; i++) {
        if (d->out[i] && !d->again[i]) /* a start with no second hop gives no row */
            digest += kt_mix64((uint64_t)world->start[i] * 1000003 + d->out[i]);
    }
    return digest;
}

double bar_distinct(World *world)
{
    Distinct *d = calloc(1, sizeof *d);
    d->stamp = calloc(world->csr.nodes, sizeof *d->stamp);
    for (uint32_t i = 0; i < BAR_STARTS; i++) {
        for (uint32_t k = 0; k < i && !d->again[i]; k++)
            d->again[i] = world->start[k] == world->start[i];
    }
    BarTimes times = bar_measure(world, distinct_engine, distinct_loop, d, 21);
    free(d->stamp);
    free(d);
    print_times("distinct", times);
    return ratio(times);
}

/* ---- top10 ---- */

#define TOP10 \
    "MATCH (a:P)-->()-->(c) WHERE id(a) = $s WITH c, count(*) AS n ORDER BY n DESC, id(c) LIMIT 10 RETURN id(c), n"

typedef struct Top {
    uint32_t *counter, *touched;
    uint64_t digest;
} Top;

static void top_row(void *user, const KtValue *value)
{
    Top *t = user;
    t->digest = kt_mix64(t->digest + (uint64_t)value[0].as.i * 31 + (uint64_t)value[1].as.i);
}

static uint64_t top_engine(World *world, void *user)
{
    Top *t = user;
    uint64_t digest = 0;
    for (uint32_t i = 0; i < BAR_STARTS; i++) {
        KtMapEntry entry;
        t->digest = 0;
        world_rows(world, TOP10, world_param(&entry, "s", kt_int(world->start[i])), top_row, t);
        digest += t->digest;
    }
    return digest;
}

static uint64_t top_loop(World *world, void *user)
{
    Top *t = user;
    uint64_t digest = 0;
    for (uint32_t i = 0; i < BAR_STARTS; i++) {
        KtLoopTop top;
        kt_loop_top(&world->csr, world->start[i], t->counter, t->touched, &top);
        uint64_t one = 0;
        for (uint32_t k = 0; k < top.n; k++)
            one = kt_mix64(one + (uint64_t)top.node[k] * 31 + top.count[k]);
        digest += one;
    }
    return digest;
}

double bar_top10(World *world)
{
    Top t = {calloc(world->csr.nodes, sizeof(uint32_t)), calloc(world->csr.nodes, sizeof(uint32_t)),
             0};
    BarTimes times = bar_measure(world, top_engine, top_loop, &t, 3);
    free(t.counter);
    free(t.touched);
    if (!times.equal)
        return -1;
    double fixed = fixed_ns(world, TOP10);
    print_times("top10", times);
    (void)printf("# top10: fixed cost %.2f us a statement\n", fixed / 1e3);
    return (times.engine_ns - fixed * BAR_STARTS) / times.loop_ns;
}

/* ---- shortest ---- */

#define SHORTEST \
    "MATCH (a:P), (b:P) WHERE id(a) = $a AND id(b) = $b MATCH p = shortestPath((a)-[*..15]-(b)) RETURN length(p)"

static uint64_t shortest_engine(World *world, void *user)
{
    (void)user;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < BAR_PAIRS; i++) {
        KtMapEntry entry[2] = {{{"a", 1}, kt_int(world->start[i])},
                               {{"b", 1}, kt_int(world->start[BAR_STARTS - 1 - i])}};
        if (world->start[i] != world->start[BAR_STARTS - 1 - i])
            sum += (uint64_t)world_ask(world, SHORTEST, kt_map(entry, 2)) * (i + 1);
    }
    return sum;
}

static uint64_t shortest_loop(World *world, void *user)
{
    KtLoopSearch *search = user;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < BAR_PAIRS; i++) {
        if (world->start[i] != world->start[BAR_STARTS - 1 - i])
            sum += (uint64_t)(int64_t)kt_loop_shortest(&world->csr, search, world->start[i],
                                                       world->start[BAR_STARTS - 1 - i], 15) *
                   (i + 1);
    }
    return sum;
}

double bar_shortest(World *world)
{
    KtLoopSearch search;
    must(kt_loop_search_open(&world->csr, &search));
    BarTimes times = bar_measure(world, shortest_engine, shortest_loop, &search, 5);
    kt_loop_search_close(&search);
    print_times("shortest", times);
    return ratio(times);
}

/* ---- scan ---- */

static uint64_t scan_engine(World *world, void *user)
{
    (void)user;
    return (uint64_t)world_ask(world, "MATCH (n:P) WHERE n.x < 50 RETURN sum(n.x)",
                               kt_map(NULL, 0));
}

static uint64_t scan_loop(World *world, void *user)
{
    (void)user;
    return (uint64_t)kt_loop_scan(world->x, world->csr.nodes, 50);
}

double bar_scan(World *world)
{
    BarTimes t = bar_measure(world, scan_engine, scan_loop, NULL, 21);
    print_times("scan", t);
    return ratio(t);
}

double bar_disk(World *world) { return world->bytes_per_edge / 22; }

double bar_cache(World *world)
{
    return (double)world->cache_growth / (1.5 * 2 * 8 * world->csr.edges);
}
