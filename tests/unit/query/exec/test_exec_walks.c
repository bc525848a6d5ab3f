/* Hops, walks, folds and shortest paths against brute force, on random multigraphs with self-loops and parallels. */
#include "tests/unit/query/exec/run.h"

#include <stdio.h>
#include <stdlib.h>

enum { NODES_MOST = 12, EDGES_MOST = 40, HOPS_MOST = 3 };

/* How many random graphs a test walks: `few`, or what KITH_GRAPHS says (the long dose is 200). */
static uint32_t graphs(uint32_t few)
{
    const char *n = getenv("KITH_GRAPHS");
    return n ? (uint32_t)strtoul(n, NULL, 10) : few;
}

typedef struct World {
    Base *base;
    uint32_t nodes, edges;
    struct {
        uint32_t from, to, type;
    } edge[EDGES_MOST];
} World;

static void must(Base *base, const char *text)
{
    Answer a = run(base, "%s", text);
    cr_assert_eq(a.status, KT_OK, "%s: %s", text, a.diag.message);
    answer_free(&a);
}

static World *world_open(uint32_t seed, uint32_t nodes, uint32_t edges)
{
    World *w = calloc(1, sizeof *w);
    char text[4096];
    w->base = base_open();
    w->base->seed = seed * 7919u + 3;
    w->nodes = nodes;
    w->edges = edges;
    snprintf(text, sizeof text, "UNWIND range(0, %u) AS i CREATE (:N {i: i})", nodes - 1);
    must(w->base, text);
    for (uint32_t type = 0; type < 2; type++) {
        int at = snprintf(text, sizeof text, "UNWIND [[-1, -1, -1]");
        for (uint32_t e = 0; e < edges; e++) {
            if (type == 0) {
                w->edge[e].from = base_random(w->base, nodes);
                w->edge[e].to =
                    base_random(w->base, 6) == 0 ? w->edge[e].from : base_random(w->base, nodes);
                w->edge[e].type = base_random(w->base, 3) == 0;
                if (e > 0 && base_random(w->base, 5) == 0) { /* a parallel, sometimes backwards */
                    bool back = base_random(w->base, 2);
                    w->edge[e].from = back ? w->edge[e - 1].to : w->edge[e - 1].from;
                    w->edge[e].to = back ? w->edge[e - 1].from : w->edge[e - 1].to;
                }
            }
            if (w->edge[e].type == type)
                at += snprintf(text + at, sizeof text - (size_t)at, ", [%u, %u, %u]",
                               w->edge[e].from, w->edge[e].to, e);
        }
        snprintf(text + at, sizeof text - (size_t)at,
                 "] AS e MATCH (a:N {i: e[0]}), (b:N {i: e[1]}) CREATE (a)-[:T%u {w: e[2]}]->(b)",
                 type);
        must(w->base, text);
    }
    return w;
}

static void world_close(World *w)
{
    base_close(w->base);
    free(w);
}

static void add_line(Answer *a, const char *line)
{
    if (a->n == a->cap) {
        a->cap = a->cap ? a->cap * 2 : 64;
        a->line = realloc(a->line, a->cap * sizeof *a->line);
    }
    a->line[a->n++] = strdup(line);
}

typedef struct Hop {
    uint32_t dir, type; /* dir as KtDir; type 2: any */
} Hop;

/* Next node of `edge` from `node`, or UINT32_MAX. A self-loop goes one way. */
static uint32_t follow(const World *w, Hop hop, uint32_t edge, uint32_t node, bool *second)
{
    *second = false;
    if (hop.type < 2 && w->edge[edge].type != hop.type)
        return UINT32_MAX;
    if ((hop.dir & KT_OUT) && w->edge[edge].from == node)
        return w->edge[edge].to;
    if ((hop.dir & KT_IN) && w->edge[edge].to == node)
        return w->edge[edge].from;
    return UINT32_MAX;
}

typedef struct Trail {
    uint32_t node[64], edge[64], n;
} Trail;

static bool used(const Trail *t, uint32_t edge)
{
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->edge[i] == edge)
            return true;
    }
    return false;
}

typedef void TrailFn(void *user, const Trail *t);

static void trails(const World *w, const Hop *hop, uint32_t hops, Trail *t, TrailFn *fn, void *user)
{
    if (t->n == hops) {
        fn(user, t);
        return;
    }
    for (uint32_t e = 0; e < w->edges; e++) {
        bool second;
        uint32_t to = follow(w, hop[t->n], e, t->node[t->n], &second);
        if (to == UINT32_MAX || used(t, e))
            continue;
        t->edge[t->n] = e;
        t->node[++t->n] = to;
        trails(w, hop, hops, t, fn, user);
        t->n--;
    }
}

static void all_trails(const World *w, const Hop *hop, uint32_t hops, TrailFn *fn, void *user)
{
    for (uint32_t start = 0; start < w->nodes; start++) {
        Trail t = {.node = {start}};
        trails(w, hop, hops, &t, fn, user);
    }
}

static void pattern(char *out, size_t cap, const Hop *hop, uint32_t hops, bool named)
{
    int at = snprintf(out, cap, "(n0:N)");
    for (uint32_t i = 0; i < hops; i++) {
        char rel[32] = "", type[8] = "";
        if (hop[i].type < 2)
            snprintf(type, sizeof type, ":T%u", hop[i].type);
        if (named)
            snprintf(rel, sizeof rel, "r%u", i);
        at += snprintf(out + at, cap - (size_t)at, "%s-[%s%s]-%s(n%u)",
                       hop[i].dir == KT_IN ? "<" : "", rel, type, hop[i].dir == KT_OUT ? ">" : "",
                       i + 1);
    }
}

static void full_line(void *user, const Trail *t)
{
    char line[256];
    int at = snprintf(line, sizeof line, "%u", t->node[0]);
    for (uint32_t i = 0; i < t->n; i++)
        at +=
            snprintf(line + at, sizeof line - (size_t)at, " | %u | %u", t->edge[i], t->node[i + 1]);
    add_line(user, line);
}

static void count_one(void *user, const Trail *t)
{
    (void)t;
    ++*(uint32_t *)user;
}

typedef struct Ends {
    uint32_t count[NODES_MOST][NODES_MOST]; /* by start, by end */
} Ends;

static void count_ends(void *user, const Trail *t)
{
    ((Ends *)user)->count[t->node[0]][t->node[t->n]]++;
}

static void random_hops(World *w, Hop *hop, uint32_t hops)
{
    for (uint32_t i = 0; i < hops; i++)
        hop[i] = (Hop){1 + base_random(w->base, 3),
                       base_random(w->base, 4) < 2 ? base_random(w->base, 2) : 2};
}

Test(query_exec_walks, hops_are_trails)
{
    for (uint32_t seed = 1; seed < 1 + graphs(6); seed++) {
        World *w = world_open(seed, 6, 13);
        for (uint32_t round = 0; round < 8; round++) {
            Hop hop[HOPS_MOST];
            uint32_t hops = 1 + round % 3;
            char match[512], text[1024];
            random_hops(w, hop, hops);
            pattern(match, sizeof match, hop, hops, true);
            int at = snprintf(text, sizeof text, "MATCH %s RETURN n0.i", match);
            for (uint32_t i = 0; i < hops; i++)
                at += snprintf(text + at, sizeof text - (size_t)at, ", r%u.w, n%u.i", i, i + 1);
            Answer want = {0}, is = run_all_ways(w->base, text);
            all_trails(w, hop, hops, full_line, &want);
            expect_same(&is, &want, text);
            answer_free(&want);
            answer_free(&is);
        }
        world_close(w);
    }
}

/* Different ends by start, by a number that jumps from row to row, and inside a correlated query. */
static void expect_folds_by_start(World *w, const Ends *by, const char *match, uint32_t hops)
{
    char text[1024], line[64];
    Answer want[4] = {0};
    for (uint32_t odd = 0; odd < 2; odd++) {
        uint32_t together = 0;
        for (uint32_t end = 0; end < w->nodes; end++) {
            bool any = false;
            for (uint32_t start = odd; start < w->nodes; start += 2)
                any = any || by->count[start][end];
            together += any;
        }
        snprintf(line, sizeof line, "%u | %u", odd, together);
        if (together)
            add_line(&want[1], line);
    }
    for (uint32_t start = 0; start < w->nodes; start++) {
        uint32_t ends = 0;
        bool twice = false;
        for (uint32_t end = 0; end < w->nodes; end++) {
            ends += by->count[start][end] > 0;
            twice = twice || by->count[start][end] > 1;
        }
        snprintf(line, sizeof line, "%u | %u", start, ends);
        if (ends)
            add_line(&want[0], line);
        snprintf(line, sizeof line, "%u", start);
        if (twice)
            add_line(&want[2], line);
        if (ends > 2)
            add_line(&want[3], line);
    }
    for (uint32_t i = 0; i < 4; i++) {
        if (i == 0)
            snprintf(text, sizeof text,
                     "MATCH %s WITH n0 AS a, count(DISTINCT n%u) AS c RETURN a.i, c", match, hops);
        else if (i == 1)
            snprintf(
                text, sizeof text,
                "MATCH (n0:N) WITH n0, CASE WHEN n0.i IN [1, 3, 5, 7, 9, 11] THEN 1 ELSE 0 END AS odd "
                "MATCH %s RETURN odd, count(DISTINCT n%u)",
                match, hops);
        else if (i == 2)
            snprintf(
                text, sizeof text,
                "MATCH (n0:N) WHERE EXISTS { MATCH %s WITH n%u AS e, count(*) AS c WHERE c > 1 RETURN e } "
                "RETURN n0.i",
                match, hops);
        else
            snprintf(
                text, sizeof text,
                "MATCH (n0:N) WHERE EXISTS { MATCH %s WITH count(DISTINCT n%u) AS c WHERE c > 2 RETURN c } "
                "RETURN n0.i",
                match, hops);
        Answer is = run_all_ways(w->base, text);
        expect_same(&is, &want[i], text);
        answer_free(&is);
        answer_free(&want[i]);
    }
}

Test(query_exec_walks, folds_count_trails)
{
    for (uint32_t seed = 11; seed < 11 + graphs(6); seed++) {
        World *w = world_open(seed, 7, 16);
        for (uint32_t round = 0; round < 8; round++) {
            Hop hop[HOPS_MOST];
            uint32_t hops = 1 + round % 3, count = 0, ends = 0;
            char match[512], text[1024], line[64];
            Ends *by = calloc(1, sizeof *by);
            random_hops(w, hop, hops);
            pattern(match, sizeof match, hop, hops, false);
            all_trails(w, hop, hops, count_one, &count);
            all_trails(w, hop, hops, count_ends, by);

            snprintf(text, sizeof text, "MATCH %s RETURN count(*)", match);
            Answer is = run_all_ways(w->base, text), want = {0};
            snprintf(line, sizeof line, "%u", count);
            add_line(&want, line);
            expect_same(&is, &want, text);
            answer_free(&is);
            answer_free(&want);

            Answer distinct = {0};
            for (uint32_t end = 0; end < w->nodes; end++) {
                uint32_t n = 0;
                for (uint32_t start = 0; start < w->nodes; start++)
                    n += by->count[start][end];
                if (n == 0)
                    continue;
                ends++;
                snprintf(line, sizeof line, "%u | %u", end, n);
                add_line(&want, line);
                snprintf(line, sizeof line, "%u", end);
                add_line(&distinct, line);
            }
            snprintf(text, sizeof text, "MATCH %s WITH n%u AS e, count(*) AS c RETURN e.i, c",
                     match, hops);
            is = run_all_ways(w->base, text);
            expect_same(&is, &want, text);
            answer_free(&is);
            answer_free(&want);

            snprintf(text, sizeof text, "MATCH %s WITH DISTINCT n%u AS e RETURN e.i", match, hops);
            is = run_all_ways(w->base, text);
            expect_same(&is, &distinct, text);
            answer_free(&is);
            answer_free(&distinct);

            Answer some = {0}, few = {0};
            for (uint32_t end = 3; end < w->nodes; end++) {
                uint32_t n = 0;
                for (uint32_t start = 0; start < w->nodes; start++)
                    n += by->count[start][end];
                snprintf(line, sizeof line, "%u | %u", end, n);
                if (n)
                    add_line(&some, line);
                snprintf(line, sizeof line, "%u", end);
                if (n)
                    add_line(&few, line);
            }
            snprintf(text, sizeof text,
                     "MATCH %s WHERE n%u.i > 2 AND n%u:N WITH n%u, count(*) AS c RETURN n%u.i, c",
                     match, hops, hops, hops, hops);
            is = run_all_ways(w->base, text);
            expect_same(&is, &some, text);
            answer_free(&is);
            answer_free(&some);
            snprintf(text, sizeof text, "MATCH %s WHERE n%u.i > 2 WITH DISTINCT n%u RETURN n%u.i",
                     match, hops, hops, hops);
            is = run_all_ways(w->base, text);
            expect_same(&is, &few, text);
            answer_free(&is);
            answer_free(&few);

            snprintf(text, sizeof text, "MATCH %s RETURN count(DISTINCT n%u)", match, hops);
            snprintf(line, sizeof line, "%u", ends);
            add_line(&want, line);
            is = run_all_ways(w->base, text);
            expect_same(&is, &want, text);
            answer_free(&is);
            answer_free(&want);

            for (uint32_t start = 0; start < w->nodes; start++) {
                uint32_t n = 0;
                for (uint32_t end = 0; end < w->nodes; end++)
                    n += by->count[start][end];
                if (n) {
                    snprintf(line, sizeof line, "%u | %u", start, n);
                    add_line(&want, line);
                }
            }
            snprintf(text, sizeof text, "MATCH %s RETURN n0.i, count(*)", match);
            is = run_all_ways(w->base, text);
            expect_same(&is, &want, text);
            answer_free(&is);
            answer_free(&want);
            expect_folds_by_start(w, by, match, hops);
            free(by);
        }
        world_close(w);
    }
}

typedef struct Sums { /* by start */
    int64_t rows[NODES_MOST], ends[NODES_MOST], both[NODES_MOST], twice[NODES_MOST];
} Sums;

/* Twice the property f of node i: missing, an integer, a number and a half. */
static int64_t twice_f(uint32_t i) { return i % 3 == 0 ? 0 : 2 * (int64_t)i + (i % 3 == 2); }

static void add_sums(void *user, const Trail *t)
{
    Sums *s = user;
    uint32_t start = t->node[0], end = t->node[t->n], before = t->node[t->n - 1];
    s->rows[start]++;
    s->ends[start] += end;
    s->both[start] += start + before + end + 1;
    s->twice[start] += twice_f(end);
}

Test(query_exec_walks, sums_over_lists_are_those_of_trails)
{
    for (uint32_t seed = 31; seed < 31 + graphs(6); seed++) {
        World *w = world_open(seed, 7, 16);
        must(w->base, "MATCH (n:N) WHERE n.i % 3 > 0 "
                      "SET n.f = CASE n.i % 3 WHEN 1 THEN n.i ELSE n.i + 0.5 END");
        for (uint32_t round = 0; round < 8; round++) {
            Hop hop[HOPS_MOST];
            uint32_t hops = 1 + round % 3;
            char match[512], text[1024], line[256];
            Sums *sums = calloc(1, sizeof *sums), all = {0};
            random_hops(w, hop, hops);
            pattern(match, sizeof match, hop, hops, false);
            all_trails(w, hop, hops, add_sums, sums);
            Answer want = {0}, total = {0}, mixed = {0};
            for (uint32_t i = 0; i < w->nodes; i++) {
                all.rows[0] += sums->rows[i];
                all.ends[0] += sums->ends[i];
                all.both[0] += sums->both[i];
                if (sums->rows[i] == 0)
                    continue;
                snprintf(line, sizeof line, "%u | %ld | %ld | %ld | %ld", i, (long)sums->rows[i],
                         (long)sums->ends[i], (long)sums->both[i], (long)sums->rows[i]);
                add_line(&want, line);
                snprintf(line, sizeof line, "%u | %ld", i, (long)sums->twice[i]);
                add_line(&mixed, line);
            }
            snprintf(text, sizeof text,
                     "MATCH %s RETURN n0.i, count(*), sum(n%u.i), sum(n0.i + n%u.i + n%u.i + 1), "
                     "count(n%u)",
                     match, hops, hops - 1, hops, hops);
            Answer is = run_all_ways(w->base, text);
            expect_same(&is, &want, text);
            answer_free(&is);
            snprintf(line, sizeof line, "%ld | %ld | %ld", (long)all.rows[0], (long)all.ends[0],
                     (long)all.both[0]);
            add_line(&total, line);
            snprintf(text, sizeof text,
                     "MATCH %s RETURN count(*), sum(id(n%u)), sum(n%u.i + n%u.i + 1 + n0.i)", match,
                     hops, hops, hops - 1);
            is = run_all_ways(w->base, text);
            expect_same(&is, &total, text);
            answer_free(&is);
            snprintf(text, sizeof text, "MATCH %s RETURN n0.i, toInteger(2 * sum(n%u.f))", match,
                     hops);
            is = run_all_ways(w->base, text);
            expect_same(&is, &mixed, text);
            answer_free(&is);
            answer_free(&want);
            answer_free(&total);
            answer_free(&mixed);
            free(sums);
        }
        world_close(w);
    }
}

static void closed_line(void *user, const Trail *t)
{
    if (t->node[0] == t->node[t->n])
        full_line(user, t);
}

Test(query_exec_walks, a_hop_into_a_bound_node_finds_every_relationship)
{
    for (uint32_t seed = 21; seed < 21 + graphs(8); seed++) {
        World *w = world_open(seed, 5, 14);
        Hop hop[3];
        random_hops(w, hop, 3);
        for (uint32_t hops = 1; hops <= 3; hops++) {
            char match[512], text[1024];
            pattern(match, sizeof match, hop, hops, true);
            size_t len = strlen(match); /* the last node is the first */
            snprintf(match + len - 3, 4, "n0)");
            int at = snprintf(text, sizeof text, "MATCH %s RETURN n0.i", match);
            for (uint32_t i = 0; i < hops; i++)
                at += snprintf(text + at, sizeof text - (size_t)at, ", r%u.w, n%u.i AS e%u", i,
                               i + 1 == hops ? 0 : i + 1, i);
            Answer is = run_all_ways(w->base, text), want = {0};
            all_trails(w, hop, hops, closed_line, &want);
            expect_same(&is, &want, text);
            answer_free(&is);
            answer_free(&want);
        }
        world_close(w);
    }
}

/* ---- variable length ---- */

static void var_line(void *user, const Trail *t)
{
    char line[512];
    int at = snprintf(line, sizeof line, "%u | [", t->node[0]);
    for (uint32_t i = 0; i < t->n; i++)
        at += snprintf(line + at, sizeof line - (size_t)at, "%s%u", i ? ", " : "", t->edge[i]);
    snprintf(line + at, sizeof line - (size_t)at, "] | %u", t->node[t->n]);
    add_line(user, line);
}

static const char *arrow(uint32_t dir, bool left)
{
    return left ? dir == KT_IN ? "<" : "" : dir == KT_OUT ? ">" : "";
}

Test(query_exec_walks, walks_of_variable_length_are_all_trails)
{
    static const uint32_t range[][2] = {{0, 0}, {0, 2}, {1, 1}, {1, 3}, {2, 3}, {0, 3}, {3, 4}};
    for (uint32_t seed = 31; seed < 31 + graphs(4); seed++) {
        World *w = world_open(seed, 6, 9);
        for (size_t r = 0; r < KT_COUNT(range); r++) {
            Hop hop[8], one;
            random_hops(w, &one, 1);
            for (uint32_t i = 0; i < 8; i++)
                hop[i] = one;
            char text[512], type[8] = "";
            if (one.type < 2)
                snprintf(type, sizeof type, ":T%u", one.type);
            Answer want = {0};
            for (uint32_t n = range[r][0]; n <= range[r][1]; n++)
                all_trails(w, hop, n, var_line, &want);
            snprintf(text, sizeof text,
                     "MATCH (a:N)%s-[r%s*%u..%u]-%s(b) RETURN a.i, [x IN r | x.w], b.i",
                     arrow(one.dir, true), type, range[r][0], range[r][1], arrow(one.dir, false));
            Answer is = run_all_ways(w->base, text);
            expect_same(&is, &want, text);
            answer_free(&is);
            snprintf(
                text, sizeof text,
                "MATCH (a:N), (b:N) WITH a, b MATCH (a)%s-[r%s*%u..%u]-%s(b) RETURN a.i, [x IN r | x.w], b.i",
                arrow(one.dir, true), type, range[r][0], range[r][1], arrow(one.dir, false));
            is = run_all_ways(w->base, text);
            expect_same(&is, &want, text);
            answer_free(&is);
            answer_free(&want);
        }
        world_close(w);
    }
}

Test(query_exec_walks, distinct_ends_of_walks_are_those_of_trails)
{
    static const uint32_t range[][2] = {{0, 1}, {0, 2}, {0, 5}, {1, 1},
                                        {1, 2}, {1, 3}, {1, 4}, {1, 6}};
    for (uint32_t seed = 41; seed < 41 + graphs(12); seed++) {
        World *w = world_open(seed, 6, seed % 2 ? 6 : 9);
        for (size_t r = 0; r < KT_COUNT(range); r++) {
            Hop hop[8], one;
            random_hops(w, &one, 1);
            for (uint32_t i = 0; i < 8; i++)
                hop[i] = one;
            char text[512], type[8] = "", line[64];
            if (one.type < 2)
                snprintf(type, sizeof type, ":T%u", one.type);
            Ends *by = calloc(1, sizeof *by);
            for (uint32_t n = range[r][0]; n <= range[r][1]; n++)
                all_trails(w, hop, n, count_ends, by);
            for (uint32_t start = 0; start < w->nodes; start++) {
                Answer want = {0};
                for (uint32_t end = 0; end < w->nodes; end++) {
                    snprintf(line, sizeof line, "%u", end);
                    if (by->count[start][end])
                        add_line(&want, line);
                }
                snprintf(text, sizeof text,
                         "MATCH (a:N {i: %u})%s-[%s*%u..%u]-%s(b) WITH DISTINCT b RETURN b.i",
                         start, arrow(one.dir, true), type, range[r][0], range[r][1],
                         arrow(one.dir, false));
                Answer is =
                    run_with(w->base, (RunSpec){.stutter = start % 2 ? seed : 0}, "%s", text);
                expect_same(&is, &want, text);
                answer_free(&is);
                answer_free(&want);
            }
            free(by);
        }
        world_close(w);
    }
}

Test(query_exec_walks, a_walk_does_not_use_what_the_pattern_used_before)
{
    for (uint32_t seed = 61; seed < 61 + graphs(4); seed++) {
        World *w = world_open(seed, 5, 8);
        Hop both[4] = {{3, 2}, {3, 2}, {3, 2}, {3, 2}};
        Answer want = {0};
        for (uint32_t n = 2; n <= 3; n++)
            all_trails(w, both, n, var_line, &want);
        static const char *const text[] = {
            "MATCH (a:N)-[r]-(b)-[s*1..2]-(c) RETURN a.i, [r.w] + [x IN s | x.w], c.i",
            "MATCH (a:N)-[s*1..2]-(b)-[r]-(c) RETURN a.i, [x IN s | x.w] + [r.w], c.i",
        };
        for (size_t i = 0; i < KT_COUNT(text); i++) {
            Answer is = run_all_ways(w->base, text[i]);
            expect_same(&is, &want, text[i]);
            answer_free(&is);
        }
        answer_free(&want);
        world_close(w);
    }
}

Test(query_exec_walks, a_long_chain_is_walked_to_its_end)
{
    Base *base = base_open();
    must(base, "UNWIND range(0, 300) AS i CREATE (:C {i: i})");
    must(base,
         "UNWIND range(0, 299) AS i MATCH (a:C {i: i}), (b:C {i: i + 1}) CREATE (a)-[:N]->(b)");
    expect_rows(base, "MATCH (a:C {i: 0})-[r*]->(b) RETURN count(*), max(b.i), max(size(r))",
                "300 | 300 | 300", NULL);
    expect_rows(base, "MATCH (a:C {i: 0})-[*300]->(b) RETURN b.i", "300", NULL);
    expect_rows(
        base,
        "MATCH (a:C {i: 0}), (b:C {i: 300}) MATCH p = shortestPath((a)-[*]->(b)) RETURN length(p)",
        "300", NULL);
    must(base,
         "UNWIND range(0, 299) AS i MATCH (a:C {i: i}), (b:C {i: i + 1}) CREATE (b)-[:N]->(a)");
    expect_rows(base, "MATCH (a:C {i: 0})-[r*60]->(b) RETURN count(*) > 0", "true", NULL);
    base_close(base);
}

/* ---- shortest paths ---- */

static void shortest(const World *w, Hop one, uint32_t start, uint32_t end, uint32_t min,
                     uint32_t max, Answer *want)
{
    Hop hop[8];
    for (uint32_t i = 0; i < 8; i++)
        hop[i] = one;
    for (uint32_t n = min; n <= max && want->n == 0; n++) {
        Answer all = {0};
        Trail t = {.node = {start}};
        char tail[16];
        trails(w, hop, n, &t, var_line, &all);
        int len = snprintf(tail, sizeof tail, "| %u", end);
        for (uint32_t i = 0; i < all.n; i++) {
            size_t have = strlen(all.line[i]);
            if (strcmp(all.line[i] + have - (size_t)len, tail) == 0)
                add_line(want, all.line[i]);
        }
        answer_free(&all);
    }
}

Test(query_exec_walks, shortest_paths_are_shortest_and_all)
{
    for (uint32_t seed = 71; seed < 71 + graphs(8); seed++) {
        World *w = world_open(seed, 7, seed % 2 ? 8 : 12);
        for (uint32_t round = 0; round < 4; round++) {
            Hop one;
            random_hops(w, &one, 1);
            char type[8] = "", text[512];
            uint32_t min = round % 2, max = 1 + base_random(w->base, 4);
            if (one.type < 2)
                snprintf(type, sizeof type, ":T%u", one.type);
            for (uint32_t start = 0; start < w->nodes; start++) {
                for (uint32_t end = 0; end < w->nodes; end++) {
                    Answer want = {0};
                    shortest(w, one, start, end, min, max, &want);
                    snprintf(
                        text, sizeof text,
                        "MATCH (a:N {i: %u}), (b:N {i: %u}) MATCH p = allShortestPaths((a)%s-[r%s*%u..%u]-%s(b)) "
                        "RETURN a.i, [x IN relationships(p) | x.w], b.i",
                        start, end, arrow(one.dir, true), type, min, max, arrow(one.dir, false));
                    Answer is = run_with(
                        w->base, (RunSpec){.stutter = (start + end) % 2 ? seed : 0}, "%s", text);
                    expect_same(&is, &want, text);
                    answer_free(&is);
                    snprintf(
                        text, sizeof text,
                        "MATCH (a:N {i: %u}), (b:N {i: %u}) MATCH p = shortestPath((a)%s-[r%s*%u..%u]-%s(b)) "
                        "RETURN a.i, [x IN r | x.w], b.i",
                        start, end, arrow(one.dir, true), type, min, max, arrow(one.dir, false));
                    is = run_with(w->base, (RunSpec){.stutter = start % 2 ? seed + end : 0}, "%s",
                                  text);
                    cr_assert_eq(is.status, KT_OK, "%s: %s", text, is.diag.message);
                    cr_assert_eq(is.n, want.n > 0, "%s: %u rows", text, is.n);
                    bool found = want.n == 0;
                    for (uint32_t i = 0; i < want.n; i++)
                        found = found || strcmp(want.line[i], is.line[0]) == 0;
                    cr_assert(found, "%s: %s is no shortest path", text, is.n ? is.line[0] : "");
                    answer_free(&is);
                    answer_free(&want);
                }
            }
        }
        world_close(w);
    }
}

Test(query_exec_walks, one_shortest_path_is_as_long_as_all_beside_an_earlier_relationship)
{
    static const char *const arrows[][2] = {{"-", "->"}, {"<-", "-"}, {"-", "-"}};
    for (uint32_t seed = 81; seed < 81 + graphs(12); seed++) {
        World *w = world_open(seed, 7, 9 + seed % 4);
        for (size_t i = 0; i < KT_COUNT(arrows); i++) {
            char text[2][512];
            for (int all = 0; all < 2; all++)
                snprintf(
                    text[all], sizeof text[all],
                    "MATCH (a:N)-[r]->(b:N), p = %s((a)%s[*..4]%s(b)) WHERE a <> b RETURN DISTINCT a.i, r.w, b.i, length(p)",
                    all ? "allShortestPaths" : "shortestPath", arrows[i][0], arrows[i][1]);
            Answer one = run_all_ways(w->base, text[0]), all = run_all_ways(w->base, text[1]);
            expect_same(&one, &all, text[0]);
            answer_free(&one);
            answer_free(&all);
        }
        world_close(w);
    }
}

Test(query_exec_walks, predicates_on_elements_decide_which_path_is_shortest)
{
    Base *base = base_open();
    must(
        base,
        "CREATE (a:P {n: 'a', ok: true})-[:R {ok: true}]->(x:P {n: 'x', ok: false})-[:R {ok: true}]->(b:P {n: 'b', ok: true}), "
        "(a)-[:R {ok: true}]->(y:P {n: 'y', ok: true})-[:R {ok: true}]->(z:P {n: 'z', ok: true})-[:R {ok: true}]->(b), "
        "(a)-[:R {ok: false}]->(b)");
    expect_rows(
        base,
        "MATCH (a:P {n: 'a'}), (b:P {n: 'b'}) MATCH p = shortestPath((a)-[*]->(b)) RETURN length(p)",
        "1", NULL);
    expect_rows(
        base,
        "MATCH (a:P {n: 'a'}), (b:P {n: 'b'}) MATCH p = shortestPath((a)-[*]->(b)) WHERE all(r IN relationships(p) WHERE r.ok) RETURN length(p)",
        "2", NULL);
    expect_rows(
        base,
        "MATCH (a:P {n: 'a'}), (b:P {n: 'b'}) MATCH p = shortestPath((a)-[*]->(b)) WHERE all(r IN relationships(p) WHERE r.ok) AND all(n IN nodes(p) WHERE n.ok) RETURN [n IN nodes(p) | n.n]",
        "['a', 'y', 'z', 'b']", NULL);
    expect_rows(
        base,
        "MATCH (a:P {n: 'a'}), (b:P {n: 'b'}) MATCH p = shortestPath((a)-[*]->(b)) WHERE length(p) > 1 RETURN length(p)",
        "2", NULL);
    expect_rows(base, "MATCH (a:P {n: 'a'})-[r:R*1..3 {ok: true}]->(b) RETURN count(*)", "5", NULL);
    expect_rows(
        base, "MATCH (a:P {n: 'b'}), (b:P {n: 'a'}) MATCH p = shortestPath((a)-[*]->(b)) RETURN p",
        NULL);
    base_close(base);
}
