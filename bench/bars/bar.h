/* bench/bars/bar.h - measuring the engine against a plain loop: one process, alternating, answers equal first.
 *
 * A bar is a ratio. Both sides are timed by the thread's CPU clock in alternating rounds; the ratio is that of the
 * medians. A bar whose answers differ is an error, never a figure. */
#ifndef KT_BENCH_BARS_BAR_H
#define KT_BENCH_BARS_BAR_H

#include "bench/datagen/graphgen.h"
#include "bench/loops.h"
#include "query/query.h"
#include "storage/database.h"

enum { BAR_STARTS = 1000, BAR_PAIRS = 200, BAR_FILTER = 50 /* of one-start: b.x >= it */ };

typedef struct World {
    bool large;
    uint32_t nodes; /* of the drawn graph; a few more make the cheapest query: lonely -> nobody */
    uint32_t lonely;
    KtCsr csr; /* over all nodes, those few included */
    int64_t *x;
    uint32_t start[BAR_STARTS];
    KtDatabase *db;
    KtEngine *engine;
    KtView *view;   /* the newest, warm */
    KtArena *arena; /* of one measurement */
    double bytes_per_edge;
    const char *folder, *kithd;
    struct Dirty *dirty; /* dirty.c's own: made by the first dirty bar, which must come last */
    size_t cache_growth; /* bytes of resident memory that warming cost */
} World;

/* The edges of the large or the small graph, as drawn. Ownership: kt_edges_free. False: no memory. */
bool world_draw(bool large, KtEdges *out);
/* Draws, imports and opens a world in `folder`, which is made. Words on stderr when it fails. */
bool world_open(World *world, bool large, const char *folder, const char *kithd);
void world_close(World *world);

/* Runs a statement with $s or $starts; its single integer answer. Ends the process on an error: a bench has no use for
 * half an answer. */
int64_t world_ask(World *world, const char *text, KtValue params);
/* The same, calling `row` for each row. */
void world_rows(World *world, const char *text, KtValue params,
                void (*row)(void *user, const KtValue *value), void *user);
KtValue world_param(KtMapEntry *entry, const char *name, KtValue value);
/* All starts as a list value, in the world's arena. */
KtValue world_starts(World *world);

typedef uint64_t (*BarSide)(World *world, void *user); /* one whole pass; returns its answer */
typedef struct BarTimes {
    double engine_ns, loop_ns; /* medians of one pass */
    bool equal;
} BarTimes;
BarTimes bar_measure(World *world, BarSide engine, BarSide loop, void *user, int rounds);
int64_t bar_cpu_ns(void);
/* Resident memory as a /proc/<pid>/statm tells it; 0: it cannot be read. */
size_t bar_resident_bytes(const char *statm);

/* Sides that the dirty bars measure again; `user` of start: an order of the starts. */
uint64_t bar_storage_engine(World *world, void *user);
uint64_t bar_storage_loop(World *world, void *user);
uint64_t bar_start_engine(World *world, void *user);
uint64_t bar_start_loop(World *world, void *user);
uint64_t bar_sum_engine(World *world, void *user);
uint64_t bar_sum_loop(World *world, void *user);

typedef struct Bar {
    const char *name;
    double limit_large, limit_small; /* 0: no such row */
    /* The ratio, negative when the answers differ or something did not run. */
    double (*run)(World *world);
} Bar;

double bar_storage_2hop(World *world);
double bar_one_start(World *world);
double bar_start_fixed(World *world); /* a statement's fixed cost / the loopback echo */
double bar_sum_2hop(World *world);
double bar_count_3hop(World *world);
double bar_distinct(World *world);
double bar_top10(World *world);
double bar_shortest(World *world);
double bar_scan(World *world);
double bar_storage_2hop_dirty(World *world);
double bar_one_start_dirty(World *world);
double bar_sum_2hop_dirty(World *world);
double bar_disk(World *world);
double bar_cache(World *world);
double bar_wire(World *world);
/* The echo's p50 in that bar; below 0: it could not be had. */
double bar_echo_ns(World *world);
double bar_idle(World *world);
void dirty_close(World *world);

#endif
