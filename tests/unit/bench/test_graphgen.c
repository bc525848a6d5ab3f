/* tests/unit/bench/test_graphgen.c - are the test graphs what they say they are? */
#include "bench/datagen/graphgen.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 1000, EDGES = 20000 };

static KtEdges drawn(uint64_t seed)
{
    KtEdges edges;
    cr_assert_eq(kt_edges_draw(NODES, EDGES, seed, &edges), KT_OK);
    return edges;
}

Test(bench_graphgen, same_seed_same_edges_other_seed_others)
{
    KtEdges one = drawn(7), two = drawn(7), other = drawn(8);
    cr_assert_arr_eq(one.from, two.from, EDGES * sizeof(uint32_t));
    cr_assert_arr_eq(one.to, two.to, EDGES * sizeof(uint32_t));
    cr_assert_arr_neq(one.from, other.from, EDGES * sizeof(uint32_t));
    kt_edges_free(&one);
    kt_edges_free(&two);
    kt_edges_free(&other);
}

Test(bench_graphgen, ends_are_skewed_as_the_square_of_a_uniform_draw)
{
    KtEdges edges = drawn(7);
    uint32_t degree[NODES] = {0};
    for (uint32_t i = 0; i < EDGES; i++) {
        cr_assert_lt(edges.from[i], NODES);
        cr_assert_lt(edges.to[i], NODES);
        degree[edges.from[i]]++;
    }
    uint32_t most = 0;
    for (uint32_t v = 0; v < NODES; v++)
        most = degree[v] > most ? degree[v] : most;
    /* The first node takes sqrt(1 / NODES) of all draws: 632 of 20,000. */
    cr_assert(most > 500 && most < 770, "largest out-degree %u", most);
    kt_edges_free(&edges);
}

Test(bench_graphgen, sorting_orders_by_from_then_to_and_keeps_the_edges)
{
    KtEdges edges = drawn(7);
    uint64_t before = 0, after = 0;
    for (uint32_t i = 0; i < EDGES; i++)
        before += (uint64_t)edges.from[i] * 1000003 ^ edges.to[i];
    cr_assert_eq(kt_edges_sort(&edges), KT_OK);
    for (uint32_t i = 0; i < EDGES; i++) {
        after += (uint64_t)edges.from[i] * 1000003 ^ edges.to[i];
        if (i > 0) {
            cr_assert_leq(edges.from[i - 1], edges.from[i]);
            cr_assert(edges.from[i - 1] < edges.from[i] || edges.to[i - 1] <= edges.to[i]);
        }
    }
    cr_assert_eq(before, after);
    kt_edges_free(&edges);
}

Test(bench_graphgen, both_sides_of_the_rows_hold_every_relationship_once)
{
    KtEdges edges = drawn(7);
    KtCsr csr;
    cr_assert_eq(kt_edges_sort(&edges), KT_OK);
    cr_assert_eq(kt_csr_build(&edges, &csr), KT_OK);
    const KtCsrSide *side[2] = {&csr.out, &csr.in};
    for (int d = 0; d < 2; d++) {
        cr_assert_eq(side[d]->at[0], 0);
        cr_assert_eq(side[d]->at[NODES], EDGES);
        for (uint32_t v = 0; v < NODES; v++) {
            for (uint32_t j = side[d]->at[v]; j < side[d]->at[v + 1]; j++) {
                uint32_t r = side[d]->rel[j];
                cr_assert_eq(d == 0 ? edges.from[r] : edges.to[r], v);
                cr_assert_eq(d == 0 ? edges.to[r] : edges.from[r], side[d]->nbr[j]);
                if (j > side[d]->at[v])
                    cr_assert_lt(side[d]->rel[j - 1], r);
            }
        }
    }
    kt_csr_free(&csr);
    kt_edges_free(&edges);
}

Test(bench_graphgen, starts_have_a_way_out_and_are_all_different)
{
    KtEdges edges;
    KtCsr csr;
    cr_assert_eq(kt_edges_draw(NODES, 300, 3, &edges), KT_OK);
    cr_assert_eq(kt_edges_sort(&edges), KT_OK);
    cr_assert_eq(kt_csr_build(&edges, &csr), KT_OK);
    uint32_t start[150];
    kt_gen_starts(&csr, 5, 150, start);
    for (int i = 0; i < 150; i++) {
        cr_assert_gt(csr.out.at[start[i] + 1], csr.out.at[start[i]]);
        for (int j = 0; j < i; j++)
            cr_assert_neq(start[i], start[j]);
    }
    kt_csr_free(&csr);
    kt_edges_free(&edges);
}

Test(bench_graphgen, an_empty_graph_is_one_too)
{
    KtEdges edges;
    KtCsr csr;
    cr_assert_eq(kt_edges_draw(0, 0, 1, &edges), KT_OK);
    cr_assert_eq(kt_edges_sort(&edges), KT_OK);
    cr_assert_eq(kt_csr_build(&edges, &csr), KT_OK);
    cr_assert_eq(csr.out.at[0], 0);
    kt_csr_free(&csr);
    kt_edges_free(&edges);
}
