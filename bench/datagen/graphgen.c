/* bench/datagen/graphgen.c - drawing, sorting and compressing edges. */
#include "bench/datagen/graphgen.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

static uint64_t rotate(uint64_t x, unsigned k) { return (x << k) | (x >> (64 - k)); }

void kt_random_seed(KtRandom *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15ULL;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        random->s[i] = z ^ (z >> 31);
    }
}

uint64_t kt_random_next(KtRandom *random)
{
    uint64_t *s = random->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint32_t kt_random_below(KtRandom *random, uint32_t limit)
{
    KT_ASSERT(limit > 0);
    return (uint32_t)(((kt_random_next(random) >> 32) * limit) >> 32);
}

double kt_random_unit(KtRandom *random)
{
    return (double)(kt_random_next(random) >> 11) * 0x1.0p-53;
}

static uint32_t *u32_array(size_t n) { return malloc((n ? n : 1) * sizeof(uint32_t)); }

/* The permutation is the same for every seed: which nodes are hubs depends on their number alone. */
static uint32_t *permutation(uint32_t nodes)
{
    uint32_t *at = u32_array(nodes);
    if (!at)
        return NULL;
    KtRandom random;
    kt_random_seed(&random, 0x6b697468);
    for (uint32_t i = 0; i < nodes; i++)
        at[i] = i;
    for (uint32_t i = nodes; i > 1; i--) {
        uint32_t j = kt_random_below(&random, i), keep = at[i - 1];
        at[i - 1] = at[j];
        at[j] = keep;
    }
    return at;
}

static uint32_t skewed(KtRandom *random, uint32_t nodes)
{
    double u = kt_random_unit(random);
    return (uint32_t)((double)nodes * (u * u));
}

KtStatus kt_edges_draw(uint32_t nodes, uint32_t edges, uint64_t seed, KtEdges *out)
{
    KT_CHECK(nodes > 0 || edges == 0);
    KtEdges made = {
        .nodes = nodes, .edges = edges, .from = u32_array(edges), .to = u32_array(edges)};
    uint32_t *at = permutation(nodes);
    if (!made.from || !made.to || !at) {
        kt_edges_free(&made);
        free(at);
        return KT_ERR_MEMORY;
    }
    KtRandom random;
    kt_random_seed(&random, seed);
    for (uint32_t i = 0; i < edges; i++) {
        made.from[i] = at[skewed(&random, nodes)];
        made.to[i] = at[skewed(&random, nodes)];
    }
    free(at);
    *out = made;
    return KT_OK;
}

/* Stable: equal keys keep their order. `count` has nodes + 1 places. */
static void counting_sort(const uint32_t *key, const uint32_t *other, uint32_t edges,
                          uint32_t nodes, uint32_t *count, uint32_t *key_out, uint32_t *other_out)
{
    memset(count, 0, ((size_t)nodes + 1) * sizeof *count);
    for (uint32_t i = 0; i < edges; i++)
        count[key[i] + 1]++;
    for (uint32_t v = 0; v < nodes; v++)
        count[v + 1] += count[v];
    for (uint32_t i = 0; i < edges; i++) {
        uint32_t place = count[key[i]]++;
        key_out[place] = key[i];
        other_out[place] = other[i];
    }
}

KtStatus kt_edges_sort(KtEdges *edges)
{
    uint32_t m = edges->edges;
    uint32_t *from = u32_array(m), *to = u32_array(m), *count = u32_array((size_t)edges->nodes + 1);
    if (!from || !to || !count) {
        free(from);
        free(to);
        free(count);
        return KT_ERR_MEMORY;
    }
    counting_sort(edges->to, edges->from, m, edges->nodes, count, to, from);
    counting_sort(from, to, m, edges->nodes, count, edges->from, edges->to);
    free(from);
    free(to);
    free(count);
    return KT_OK;
}

void kt_edges_free(KtEdges *edges)
{
    free(edges->from);
    free(edges->to);
    *edges = (KtEdges){0};
}

int64_t kt_gen_x(uint32_t node) { return (int64_t)(kt_mix64((uint64_t)node + 1) % 100); }

static bool side_alloc(KtCsrSide *side, uint32_t nodes, uint32_t edges)
{
    side->at = calloc((size_t)nodes + 1, sizeof *side->at);
    side->nbr = u32_array(edges);
    side->rel = u32_array(edges);
    return side->at && side->nbr && side->rel;
}

/* Edges come in order of (from, to), so each row of either side comes out sorted by (neighbour, relationship). */
static void side_fill(KtCsrSide *side, uint32_t nodes, uint32_t edges, const uint32_t *own,
                      const uint32_t *other)
{
    for (uint32_t i = 0; i < edges; i++)
        side->at[own[i]]++;
    uint32_t sum = 0;
    for (uint32_t v = 0; v <= nodes; v++) {
        uint32_t degree = side->at[v];
        side->at[v] = sum;
        sum += degree;
    }
    for (uint32_t i = 0; i < edges; i++) {
        uint32_t place = side->at[own[i]]++;
        side->nbr[place] = other[i];
        side->rel[place] = i;
    }
    /* Filling moved each begin to the next row's: move them back. */
    memmove(side->at + 1, side->at, (size_t)nodes * sizeof *side->at);
    side->at[0] = 0;
}

KtStatus kt_csr_build(const KtEdges *edges, KtCsr *out)
{
    KtCsr csr = {.nodes = edges->nodes, .edges = edges->edges};
    bool room = side_alloc(&csr.out, csr.nodes, csr.edges);
    room = side_alloc(&csr.in, csr.nodes, csr.edges) && room;
    if (!room) {
        kt_csr_free(&csr);
        return KT_ERR_MEMORY;
    }
    side_fill(&csr.out, csr.nodes, csr.edges, edges->from, edges->to);
    side_fill(&csr.in, csr.nodes, csr.edges, edges->to, edges->from);
    *out = csr;
    return KT_OK;
}

void kt_csr_free(KtCsr *csr)
{
    KtCsrSide *side[2] = {&csr->out, &csr->in};
    for (int i = 0; i < 2; i++) {
        free(side[i]->at);
        free(side[i]->nbr);
        free(side[i]->rel);
    }
    *csr = (KtCsr){0};
}

void kt_gen_starts(const KtCsr *csr, uint64_t seed, uint32_t n, uint32_t *out)
{
    uint32_t able = 0;
    for (uint32_t v = 0; v < csr->nodes; v++)
        able += csr->out.at[v + 1] > csr->out.at[v];
    KT_CHECK(n <= able);
    KtRandom random;
    kt_random_seed(&random, seed);
    for (uint32_t i = 0; i < n;) {
        uint32_t v = kt_random_below(&random, csr->nodes), j = 0;
        while (j < i && out[j] != v)
            j++;
        if (j == i && csr->out.at[v + 1] > csr->out.at[v])
            out[i++] = v;
    }
}
