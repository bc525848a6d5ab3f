/* bench/bars/dirty.c - three bars again, 2 % of the nodes having changed by commits since the cache was filled, while
 * an older view stays open.
 *
 * Every 50th node gets one more relationship and another x. The newest view is held against the changed graph, the
 * older one (world->view) against the graph as it was; both answers must be right. The bar is the newest view's
 * time to the clean one's, each as a ratio to the loop of its own rounds, so that a machine that slows down in
 * between does not count. */
#include "bench/bars/bar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY = 50, COMMITS = 10, SIDES = 3 };

static const struct {
    const char *name;
    BarSide engine, loop;
    int rounds;
} sides[SIDES] = {
    {"storage-2hop", bar_storage_engine, bar_storage_loop, 9},
    {"one-start", bar_start_engine, bar_start_loop, 5},
    {"sum-2hop", bar_sum_engine, bar_sum_loop, 5},
};

struct Dirty {
    World now; /* the changed graph and the newest view */
    double clean[SIDES];
    uint32_t order[BAR_STARTS];
};

static void must(KtStatus status, const KtDiag *diag, const char *what)
{
    if (status == KT_OK)
        return;
    (void)fprintf(stderr, "bench: %s: %s\n", what,
                  diag->message[0] ? diag->message : kt_error_facts(status)->wire);
    exit(1);
}

static void *room(size_t n, size_t size)
{
    void *at = calloc(n ? n : 1, size);
    if (!at) {
        (void)fprintf(stderr, "bench: out of memory\n");
        exit(1);
    }
    return at;
}

static KtText text(const char *name) { return (KtText){name, (uint32_t)strlen(name)}; }

/* One commit: nodes [from, to) in steps of EVERY. */
static void commit_part(World *world, uint32_t from, uint32_t to)
{
    uint32_t most = (to - from) / EVERY + 1, n = 0;
    KtNodeId *start = room(most, sizeof *start), *end = room(most, sizeof *end),
             *id = room(most, sizeof *id);
    int64_t *x = room(most, sizeof *x);
    for (uint32_t node = from; node < to; node += EVERY) {
        start[n] = node;
        end[n] = world->lonely + 1;
        x[n++] = (world->x[node] + 1) % 100;
    }
    KtDiag diag;
    KtView *view;
    KtCommit number;
    KtToken type, key;
    kt_diag_clear(&diag);
    must(kt_view_open(world->db, &(KtViewSpec){.write = true}, &diag, &view), &diag,
         "a writing view");
    must(kt_name_find(view, KT_NAME_TYPE, text("T"), &type), &diag, "T");
    must(kt_name_find(view, KT_NAME_KEY, text("x"), &key), &diag, "x");
    must(kt_add_rels(view, n, type, start, end, NULL, id), &diag, "new relationships");
    for (uint32_t i = 0; i < n; i += KT_IDS_MOST) {
        KtColumn values = {.kind = KT_COL_INT, .data = x + i};
        KtIds ids = {.id = start + i, .width = 8, .n = n - i < KT_IDS_MOST ? n - i : KT_IDS_MOST};
        must(kt_set_props(view, KT_NODE, ids, key, &values), &diag, "new values");
    }
    must(kt_view_commit(view, &diag, &number), &diag, "commit");
    kt_view_close(view);
    free(start);
    free(end);
    free(id);
    free(x);
}

/* The graph with the changes, for the loops. */
static void change_loops(const World *world, World *now)
{
    uint32_t more = (world->nodes + EVERY - 1) / EVERY, n = 0;
    KtEdges edges = {.nodes = world->csr.nodes, .edges = world->csr.edges + more};
    edges.from = room(edges.edges, sizeof *edges.from);
    edges.to = room(edges.edges, sizeof *edges.to);
    for (uint32_t a = 0; a < world->csr.nodes; a++) {
        for (uint32_t i = world->csr.out.at[a]; i < world->csr.out.at[a + 1]; i++) {
            edges.from[n] = a;
            edges.to[n++] = world->csr.out.nbr[i];
        }
    }
    now->x = room(world->csr.nodes, sizeof *now->x);
    memcpy(now->x, world->x, world->csr.nodes * sizeof *now->x);
    for (uint32_t node = 0; node < world->nodes; node += EVERY) {
        edges.from[n] = node;
        edges.to[n++] = world->lonely + 1;
        now->x[node] = (world->x[node] + 1) % 100;
    }
    KtDiag diag = {0};
    must(kt_edges_sort(&edges), &diag, "sort");
    must(kt_csr_build(&edges, &now->csr), &diag, "arrays");
    kt_edges_free(&edges);
}

static double time_ratio(World *world, struct Dirty *d, int side)
{
    BarTimes t =
        bar_measure(world, sides[side].engine, sides[side].loop, d->order, sides[side].rounds);
    return t.equal ? t.engine_ns / t.loop_ns : -1;
}

static void open_dirty(World *world)
{
    struct Dirty *d = room(1, sizeof *d);
    KtDiag diag;
    kt_diag_clear(&diag);
    for (uint32_t i = 0; i < BAR_STARTS; i++)
        d->order[i] = i;
    for (int side = 0; side < SIDES; side++)
        d->clean[side] = time_ratio(world, d, side);
    uint32_t part = (world->nodes / EVERY + COMMITS) / COMMITS * EVERY;
    for (uint32_t from = 0; from < world->nodes; from += part)
        commit_part(world, from, from + part < world->nodes ? from + part : world->nodes);
    d->now = *world;
    d->now.dirty = NULL;
    change_loops(world, &d->now);
    must(kt_view_open(world->db, &(KtViewSpec){0}, &diag, &d->now.view), &diag, "the newest view");
    world->dirty = d;
}

static double dirty(World *world, int side)
{
    if (!world->dirty)
        open_dirty(world);
    struct Dirty *d = world->dirty;
    double newest = time_ratio(&d->now, d, side);
    BarTimes old = bar_measure(world, sides[side].engine, sides[side].loop, d->order, 1);
    if (newest < 0 || d->clean[side] < 0 || !old.equal)
        return -1;
    (void)printf("# %s: clean %.2f, newest view %.2f, older view %.2f of the loop\n",
                 sides[side].name, d->clean[side], newest, old.engine_ns / old.loop_ns);
    return newest / d->clean[side];
}

double bar_storage_2hop_dirty(World *world) { return dirty(world, 0); }
double bar_one_start_dirty(World *world) { return dirty(world, 1); }
double bar_sum_2hop_dirty(World *world) { return dirty(world, 2); }

void dirty_close(World *world)
{
    if (!world->dirty)
        return;
    kt_view_close(world->dirty->now.view);
    kt_csr_free(&world->dirty->now.csr);
    free(world->dirty->now.x);
    free(world->dirty);
    world->dirty = NULL;
}
