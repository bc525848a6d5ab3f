/* bench/datagen/graphgen.h - seeded test graphs: skewed multigraphs with self-loops and parallel edges.
 *
 * Nodes are 0..nodes-1. Both ends of an edge are floor(nodes * u^2), u uniform in [0, 1), sent through one
 * permutation of the nodes, so that a few nodes are hubs and no id tells which. The same (nodes, edges, seed)
 * gives the same edges on every machine: only integer arithmetic and one multiplication of doubles are used. */
#ifndef KT_BENCH_DATAGEN_GRAPHGEN_H
#define KT_BENCH_DATAGEN_GRAPHGEN_H

#include "base/status.h"

#include <stdio.h>

/* xoshiro256**, seeded by splitmix64. */
typedef struct KtRandom {
    uint64_t s[4];
} KtRandom;

void kt_random_seed(KtRandom *random, uint64_t seed);
uint64_t kt_random_next(KtRandom *random);
uint32_t kt_random_below(KtRandom *random, uint32_t limit); /* uniform in [0, limit), limit > 0 */
double kt_random_unit(KtRandom *random);                    /* uniform in [0, 1) */

typedef struct KtEdges {
    uint32_t nodes, edges;
    uint32_t *from, *to; /* by relationship id, when sorted */
} KtEdges;

/* Draws `edges` edges. Ownership: the caller frees by kt_edges_free. Errors: KT_ERR_MEMORY. */
KtStatus kt_edges_draw(uint32_t nodes, uint32_t edges, uint64_t seed, KtEdges *out) KT_MUST_CHECK;
/* Sorts by (from, to): position i is then relationship id i, as import numbers them (one type).
 * Errors: KT_ERR_MEMORY, with nothing changed. Cost: two counting sorts. */
KtStatus kt_edges_sort(KtEdges *edges) KT_MUST_CHECK;
void kt_edges_free(KtEdges *edges);

/* The integer property x of every node: hash(id) % 100. */
int64_t kt_gen_x(uint32_t node);

/* One side of a graph in compressed rows: the neighbours of a are nbr[at[a]] .. nbr[at[a + 1] - 1], ascending by
 * (neighbour, relationship); rel has the relationship of each. */
typedef struct KtCsrSide {
    uint32_t *at, *nbr, *rel;
} KtCsrSide;

typedef struct KtCsr {
    uint32_t nodes, edges;
    KtCsrSide out, in;
} KtCsr;

/* Both sides of `edges`, which must be sorted. Ownership: kt_csr_free. Errors: KT_ERR_MEMORY. */
KtStatus kt_csr_build(const KtEdges *edges, KtCsr *out) KT_MUST_CHECK;
void kt_csr_free(KtCsr *csr);

/* `n` different starts drawn uniformly among the nodes with out-degree > 0, of which there must be as many.
 * Different, since a statement that groups by start gives one row for two equal ones. Cost: O(n^2). */
void kt_gen_starts(const KtCsr *csr, uint64_t seed, uint32_t n, uint32_t *out);

#endif
