/* bench/loops.h - the plain C loops that Kith's speed is measured against.
 *
 * Each answers one question over a u32 CSR with u32 relationship ids, columns as plain arrays. They count trails,
 * as Cypher does: no relationship twice in one match. As the engine does, a loop tests for that once per run: an
 * earlier relationship can stand in b's out-list only if it starts at b, so all other runs are read unchecked.
 * Each equals brute force on 50 nodes (tests/unit/bench). Nothing here allocates: scratch is the caller's. */
#ifndef KT_BENCH_LOOPS_H
#define KT_BENCH_LOOPS_H

#include "bench/datagen/graphgen.h"

/* MATCH (a)-[r]->(b)-[q]->(c): sum of c's number over the trails of all starts (modulo 2^64). */
uint64_t kt_loop_2hop(const KtCsr *g, const uint32_t *start, uint32_t starts);
/* The same WHERE b.x >= least. */
uint64_t kt_loop_2hop_filter(const KtCsr *g, const int64_t *x, int64_t least, const uint32_t *start,
                             uint32_t starts);
/* The same without WHERE: sum(a.x + b.x + c.x). */
int64_t kt_loop_2hop_sum(const KtCsr *g, const int64_t *x, const uint32_t *start, uint32_t starts);

/* MATCH (a)-->(b)-->(c)-->(d): how many trails; each one is touched, and *ends is the sum of d (modulo 2^64). */
uint64_t kt_loop_3hop_count(const KtCsr *g, const uint32_t *start, uint32_t starts, uint64_t *ends);

/* MATCH (a)-->(b)-->(c): count(DISTINCT c) for each start into out[starts].
 * `stamp`: one u32 a node, cleared before the first call; `*turn` 0 then, kept between calls. */
void kt_loop_distinct(const KtCsr *g, const uint32_t *start, uint32_t starts, uint32_t *stamp,
                      uint32_t *turn, uint64_t *out);

enum { KT_LOOP_TOP = 10 };
typedef struct KtLoopTop {
    uint32_t n, node[KT_LOOP_TOP];
    uint32_t count[KT_LOOP_TOP];
} KtLoopTop;
/* The ten c with the most trails from `start`; of equal counts the smaller number first.
 * `counter`: one u32 a node, zero before and after; `touched`: room for one u32 a node. */
void kt_loop_top(const KtCsr *g, uint32_t start, uint32_t *counter, uint32_t *touched,
                 KtLoopTop *out);

/* Scratch of kt_loop_shortest: two stamps and four frontiers, of one u32 a node each. Ownership: close frees. */
typedef struct KtLoopSearch {
    uint32_t *seen[2], *frontier[2], *next[2];
    uint32_t turn;
} KtLoopSearch;
KtStatus kt_loop_search_open(const KtCsr *g, KtLoopSearch *out) KT_MUST_CHECK;
void kt_loop_search_close(KtLoopSearch *search);
/* shortestPath((a)-[*..most]-(b)), a <> b: its length by a search from both ends, or -1. */
int32_t kt_loop_shortest(const KtCsr *g, KtLoopSearch *search, uint32_t a, uint32_t b,
                         int32_t most);

/* MATCH (n) WHERE n.x < below RETURN sum(n.x) */
int64_t kt_loop_scan(const int64_t *x, uint32_t n, int64_t below);

#endif
