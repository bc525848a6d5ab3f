/* tests/unit/bench/test_loops.c - every reference loop against brute force on 50 nodes.
 *
 * Brute force walks the plain list of edges and knows one rule only: no relationship twice. The graphs have
 * self-loops and parallel edges, since that is where a walk is not a trail. */
#include "bench/loops.h"

#include <criterion/criterion.h>
#include <string.h>

enum { NODES = 50, EDGES = 160, GRAPHS = 20 };

static KtEdges edges;
static KtCsr graph;
static int64_t x[NODES];
static uint32_t every[NODES];

static void make(uint64_t seed)
{
    cr_assert_eq(kt_edges_draw(NODES, EDGES, seed, &edges), KT_OK);
    /* Two certain self-loops on one node and a certain parallel pair. */
    edges.from[0] = edges.to[0] = edges.from[1] = edges.to[1] = 11;
    edges.from[2] = edges.from[3] = 12;
    edges.to[2] = edges.to[3] = 11;
    cr_assert_eq(kt_edges_sort(&edges), KT_OK);
    cr_assert_eq(kt_csr_build(&edges, &graph), KT_OK);
    for (uint32_t v = 0; v < NODES; v++) {
        x[v] = kt_gen_x(v);
        every[v] = v;
    }
}

static void drop(void)
{
    kt_csr_free(&graph);
    kt_edges_free(&edges);
}

/* Calls visit(a, b, c, ...) for each trail of two relationships from a. */
#define EACH_TRAIL_2(a, r, q)                    \
    for (uint32_t r = 0; r < EDGES; r++)         \
        if (edges.from[r] == (a))                \
            for (uint32_t q = 0; q < EDGES; q++) \
                if (q != r && edges.from[q] == edges.to[r])

Test(bench_loops, two_hops_sum_the_ends_of_all_trails)
{
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        make(seed);
        for (uint32_t a = 0; a < NODES; a++) {
            uint64_t want = 0, want_filtered = 0;
            int64_t want_sum = 0;
            EACH_TRAIL_2(a, r, q)
            {
                want += edges.to[q];
                want_filtered += x[edges.to[r]] >= 50 ? edges.to[q] : 0;
                want_sum += x[a] + x[edges.to[r]] + x[edges.to[q]];
            }
            cr_assert_eq(kt_loop_2hop(&graph, &a, 1), want);
            cr_assert_eq(kt_loop_2hop_filter(&graph, x, 50, &a, 1), want_filtered);
            cr_assert_eq(kt_loop_2hop_sum(&graph, x, &a, 1), want_sum);
        }
        drop();
    }
}

Test(bench_loops, many_starts_are_the_sum_of_single_ones)
{
    make(3);
    uint64_t sum = 0, filtered = 0, count = 0, ends = 0, all_ends, one_ends;
    int64_t added = 0;
    for (uint32_t a = 0; a < NODES; a++) {
        sum += kt_loop_2hop(&graph, &a, 1);
        filtered += kt_loop_2hop_filter(&graph, x, 50, &a, 1);
        added += kt_loop_2hop_sum(&graph, x, &a, 1);
        count += kt_loop_3hop_count(&graph, &a, 1, &one_ends);
        ends += one_ends;
    }
    cr_assert_eq(kt_loop_2hop(&graph, every, NODES), sum);
    cr_assert_eq(kt_loop_2hop_filter(&graph, x, 50, every, NODES), filtered);
    cr_assert_eq(kt_loop_2hop_sum(&graph, x, every, NODES), added);
    cr_assert_eq(kt_loop_3hop_count(&graph, every, NODES, &all_ends), count);
    cr_assert_eq(all_ends, ends);
    drop();
}

Test(bench_loops, three_hops_count_trails_and_not_walks)
{
    bool differs = false;
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        make(seed);
        for (uint32_t a = 0; a < NODES; a++) {
            uint64_t want = 0, want_ends = 0, walks = 0, ends;
            for (uint32_t r = 0; r < EDGES; r++)
                for (uint32_t q = 0; edges.from[r] == a && q < EDGES; q++)
                    for (uint32_t p = 0; edges.from[q] == edges.to[r] && p < EDGES; p++)
                        if (edges.from[p] == edges.to[q]) {
                            walks++;
                            if (r != q && r != p && q != p) {
                                want++;
                                want_ends += edges.to[p];
                            }
                        }
            cr_assert_eq(kt_loop_3hop_count(&graph, &a, 1, &ends), want);
            cr_assert_eq(ends, want_ends);
            differs = differs || walks != want;
        }
        drop();
    }
    cr_assert(differs, "no graph told trails from walks: the test is blind");
}

Test(bench_loops, distinct_ends_are_counted_once_for_each_start)
{
    uint32_t stamp[NODES] = {0}, turn = 0;
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        make(seed);
        uint64_t got[NODES];
        kt_loop_distinct(&graph, every, NODES, stamp, &turn, got);
        for (uint32_t a = 0; a < NODES; a++) {
            bool seen[NODES] = {false};
            uint64_t want = 0;
            EACH_TRAIL_2(a, r, q)
            {
                want += !seen[edges.to[q]];
                seen[edges.to[q]] = true;
            }
            cr_assert_eq(got[a], want);
        }
        drop();
    }
}

Test(bench_loops, top_ten_is_by_count_then_number_and_leaves_the_counters_zero)
{
    uint32_t counter[NODES] = {0}, touched[NODES], zero[NODES] = {0};
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        make(seed);
        for (uint32_t a = 0; a < NODES; a++) {
            uint32_t want[NODES] = {0};
            EACH_TRAIL_2(a, r, q) want[edges.to[q]]++;
            KtLoopTop top;
            kt_loop_top(&graph, a, counter, touched, &top);
            for (uint32_t place = 0; place < KT_LOOP_TOP; place++) {
                uint32_t best = NODES;
                for (uint32_t v = 0; v < NODES; v++)
                    if (want[v] > 0 && (best == NODES || want[v] > want[best]))
                        best = v;
                if (best == NODES) {
                    cr_assert_eq(top.n, place);
                    break;
                }
                cr_assert_lt(place, top.n);
                cr_assert_eq(top.node[place], best);
                cr_assert_eq(top.count[place], want[best]);
                want[best] = 0;
            }
            cr_assert_arr_eq(counter, zero, sizeof zero);
        }
        drop();
    }
}

Test(bench_loops, shortest_is_the_distance_in_both_directions)
{
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        make(seed);
        int32_t far[NODES][NODES];
        for (int i = 0; i < NODES; i++)
            for (int j = 0; j < NODES; j++)
                far[i][j] = i == j ? 0 : 1000;
        for (int r = 0; r < EDGES; r++)
            if (edges.from[r] != edges.to[r])
                far[edges.from[r]][edges.to[r]] = far[edges.to[r]][edges.from[r]] = 1;
        for (int k = 0; k < NODES; k++)
            for (int i = 0; i < NODES; i++)
                for (int j = 0; j < NODES; j++)
                    if (far[i][k] + far[k][j] < far[i][j])
                        far[i][j] = far[i][k] + far[k][j];
        KtLoopSearch search;
        cr_assert_eq(kt_loop_search_open(&graph, &search), KT_OK);
        for (int32_t most = 1; most <= 15; most += 7)
            for (uint32_t a = 0; a < NODES; a++)
                for (uint32_t b = 0; b < NODES; b++)
                    if (a != b)
                        cr_assert_eq(kt_loop_shortest(&graph, &search, a, b, most),
                                     far[a][b] <= most ? far[a][b] : -1);
        kt_loop_search_close(&search);
        drop();
    }
}

Test(bench_loops, scan_adds_what_is_below)
{
    int64_t want = 0, column[1000];
    for (uint32_t v = 0; v < 1000; v++) {
        column[v] = kt_gen_x(v);
        want += column[v] < 50 ? column[v] : 0;
    }
    cr_assert_eq(kt_loop_scan(column, 1000, 50), want);
    cr_assert_eq(kt_loop_scan(column, 0, 50), 0);
}
