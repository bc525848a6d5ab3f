/* Operators over rows: scans, filters, projections, limits, sorts, groups, unions, joins, optional, subqueries. */
#include "tests/unit/query/exec/run.h"

static void make(Base *base, const char *text)
{
    Answer a = run(base, "%s", text);
    cr_assert_eq(a.status, KT_OK, "%s: %s", text, a.diag.message);
    answer_free(&a);
}

/* Ten people 0..9 of two labels, each knowing the next two; a thing that nobody knows. */
static Base *people(void)
{
    Base *base = base_open();
    make(
        base,
        "UNWIND range(0, 9) AS i CREATE (:Person {i: i, odd: i % 2 = 1, name: 'p' + toString(i)})");
    make(
        base,
        "MATCH (a:Person), (b:Person) WHERE b.i = a.i + 1 OR b.i = a.i + 2 CREATE (a)-[:KNOWS {w: a.i * 10 + b.i}]->(b)");
    make(base, "CREATE (:Thing {i: 100})");
    return base;
}

Test(query_exec_rows, a_constant_is_one_row)
{
    Base *base = base_open();
    expect_rows(base, "RETURN 1 AS a, 'x' AS b", "1 | 'x'", NULL);
    expect_rows(base, "UNWIND [1, null, 'a', [2]] AS x RETURN x", "1", "null", "'a'", "[2]", NULL);
    expect_rows(base, "UNWIND [] AS x RETURN x", NULL);
    expect_rows(base, "UNWIND null AS x RETURN x", NULL);
    expect_rows(base, "UNWIND range(1, 3) AS x UNWIND range(1, x) AS y RETURN x, y", "1 | 1",
                "2 | 1", "2 | 2", "3 | 1", "3 | 2", "3 | 3", NULL);
    base_close(base);
}

Test(query_exec_rows, a_scan_runs_its_kernels_over_whole_batches)
{
    enum { ROWS = 10240 };
    Base *base = base_open();
    make(base, "UNWIND range(1, 10240) AS i CREATE (:P {x: i % 100})");
    Answer a = run(base, "MATCH (n:P) WHERE n.x < 50 RETURN sum(n.x)");
    cr_assert_str_eq(a.line[0], "125770"); /* 102 times 0..49, and 0..40 at the end */
    cr_assert(a.kernels > 0 && a.kernels <= ROWS / 512, "%lu kernel calls",
              (unsigned long)a.kernels);
    cr_assert(a.prop_reads > 0 && a.prop_reads <= ROWS / 1024, "%lu reads of a property column",
              (unsigned long)a.prop_reads);
    answer_free(&a);
    base_close(base);
}

Test(query_exec_rows, scans_and_filters_find_what_is_there)
{
    Base *base = people();
    expect_rows(base, "MATCH (n) RETURN count(*)", "11", NULL);
    expect_rows(base, "MATCH (n:Person) RETURN count(*)", "10", NULL);
    expect_rows(base, "MATCH (n:Nobody) RETURN n", NULL);
    expect_bag(base, "MATCH (n:Person) WHERE n.i > 6 RETURN n.i", "7", "8", "9", NULL);
    expect_bag(base, "MATCH (n:Thing) RETURN n", "(:Thing {i: 100})", NULL);
    expect_bag(
        base, "MATCH (a)-[r]->(b) WHERE a.i = 8 RETURN a, r, b",
        "(:Person {i: 8, name: 'p8', odd: false}) | [:KNOWS {w: 89}] | (:Person {i: 9, name: 'p9', odd: true})",
        NULL);
    base_close(base);
}

Test(query_exec_rows, limits_and_skips_cut_exactly)
{
    Base *base = people();
    expect_rows(base, "UNWIND range(1, 5000) AS x RETURN x SKIP 4990 LIMIT 3", "4991", "4992",
                "4993", NULL);
    expect_rows(base, "UNWIND range(1, 10) AS x RETURN x LIMIT 0", NULL);
    expect_rows(base, "UNWIND range(1, 10) AS x WITH x LIMIT 3 RETURN sum(x)", "6", NULL);
    expect_error(base, KT_ERR_NEGATIVE_INTEGER_ARGUMENT, "RETURN 1 SKIP -1");
    base_close(base);
}

Test(query_exec_rows, an_error_behind_the_limit_does_not_show)
{
    Base *base = base_open();
    expect_rows(base, "UNWIND [1, 2, 0] AS x WITH 10 / x AS y RETURN y LIMIT 2", "10", "5", NULL);
    expect_error(base, KT_ERR_DIVISION_BY_ZERO,
                 "UNWIND [1, 2, 0] AS x WITH 10 / x AS y RETURN y LIMIT 3");
    expect_error(base, KT_ERR_DIVISION_BY_ZERO,
                 "UNWIND [1, 2, 0, 4] AS x WITH x WHERE 10 / x > 0 RETURN x");
    base_close(base);
}

Test(query_exec_rows, sorts_are_stable_and_total)
{
    Base *base = base_open();
    expect_rows(base, "UNWIND [3, 1, null, 'a', 2.5, true] AS x RETURN x ORDER BY x", "'a'", "true",
                "1", "2.5", "3", "null", NULL);
    expect_rows(base, "UNWIND [3, 1, 2] AS x RETURN x ORDER BY x DESC", "3", "2", "1", NULL);
    expect_rows(
        base,
        "UNWIND range(1, 3000) AS x WITH x, x % 3 AS g RETURN g, x ORDER BY g SKIP 999 LIMIT 3",
        "0 | 3000", "1 | 1", "1 | 4", NULL);
    expect_rows(base,
                "UNWIND range(1, 9000) AS x RETURN x % 100 AS m, x ORDER BY m DESC, x LIMIT 2",
                "99 | 99", "99 | 199", NULL);
    base_close(base);
}

Test(query_exec_rows, groups_are_by_equivalence)
{
    Base *base = people();
    expect_bag(base, "UNWIND [1, 1.0, null, null, 'a'] AS x RETURN x, count(*)", "1 | 2",
               "null | 2", "'a' | 1", NULL);
    expect_rows(base, "MATCH (n:Nobody) RETURN count(n), sum(n.x), collect(n.x)", "0 | 0 | []",
                NULL);
    expect_rows(base, "MATCH (n:Nobody) RETURN n.x, count(n)", NULL);
    expect_bag(base, "MATCH (n:Person) RETURN n.odd, count(*), min(n.i), max(n.i)",
               "false | 5 | 0 | 8", "true | 5 | 1 | 9", NULL);
    expect_bag(base, "MATCH (a:Person)-->(b) WITH b, count(a) AS c WHERE c < 2 RETURN b.i, c",
               "1 | 1", NULL);
    expect_bag(base, "MATCH (a:Person)-->(b) WHERE a.i > 6 RETURN a.i, collect(b.i)", "7 | [8, 9]",
               "8 | [9]", NULL);
    expect_rows(base, "MATCH (a:Person)-->(b)-->(c) RETURN count(*)", "28", NULL);
    expect_rows(base, "MATCH (a:Person)--(b) RETURN count(*), count(DISTINCT b)", "34 | 10", NULL);
    base_close(base);
}

Test(query_exec_rows, distinct_nodes_are_counted_by_group_however_groups_come)
{
    Base *base = people();
    static const char *const pair[][2] = {
        {"MATCH (a:Person)--(b) RETURN b.i % 3 AS g, count(DISTINCT a)",
         "MATCH (a:Person)--(b) WITH DISTINCT b.i % 3 AS g, a RETURN g, count(a)"},
        {"UNWIND range(0, 3000) AS i OPTIONAL MATCH (n:Person {i: i}) RETURN i % 2 AS g, count(DISTINCT n)",
         "MATCH (n:Person) RETURN n.i % 2 AS g, count(*)"},
        {"MATCH (n:Person) UNWIND [n, n.i, null, n] AS v RETURN n.odd, count(DISTINCT v)",
         "MATCH (n:Person) RETURN n.odd, 2 * count(*)"},
        {"MATCH (a:Person), (b:Person), (c:Person) RETURN b.i, count(DISTINCT c)",
         "MATCH (b:Person) RETURN b.i, 10"},
        {"UNWIND range(1, 12000) AS i MATCH (a:Person), (b:Person) WHERE a.i < 2 RETURN a.i, count(DISTINCT b), count(*)",
         "MATCH (a:Person) WHERE a.i < 2 RETURN a.i, 10, 120000"},
    };
    for (size_t i = 0; i < KT_COUNT(pair); i++) {
        Answer is = i < 4 ? run_all_ways(base, pair[i][0]) : run(base, "%s", pair[i][0]),
               want = run(base, "%s", pair[i][1]);
        expect_same(&is, &want, pair[i][0]);
        answer_free(&is);
        answer_free(&want);
    }
    base_close(base);
}

Test(query_exec_rows, groups_by_node_may_be_many)
{
    Base *base = base_open();
    make(base, "UNWIND range(0, 6999) AS i CREATE (:G {i: i})");
    expect_rows(
        base,
        "MATCH (n:G) UNWIND [1, 2, 3] AS x WITH n, sum(x) AS s, count(*) AS c RETURN count(*), sum(s), min(c), max(c), sum(n.i)",
        "7000 | 42000 | 3 | 3 | 24496500", NULL);
    expect_rows(base,
                "MATCH (n:G) WITH n, n.i % 10 AS m RETURN m, n.i AS i ORDER BY m DESC, i LIMIT 3",
                "9 | 9", "9 | 19", "9 | 29", NULL);
    base_close(base);
}

Test(query_exec_rows, distinct_and_union_drop_what_is_equivalent)
{
    Base *base = people();
    expect_bag(base, "UNWIND [1, 1.0, 2, null, null] AS x RETURN DISTINCT x", "1", "2", "null",
               NULL);
    expect_rows(base, "RETURN 1 AS x UNION RETURN 1 AS x UNION RETURN 2 AS x", "1", "2", NULL);
    expect_rows(base, "RETURN 1 AS x UNION ALL RETURN 1 AS x", "1", "1", NULL);
    expect_bag(base, "MATCH (a:Person)--(b) WHERE a.i = 5 RETURN DISTINCT b.i", "3", "4", "6", "7",
               NULL);
    expect_bag(base, "MATCH (a:Person {i: 5})--(b)--(c) RETURN DISTINCT c.i", "1", "2", "3", "4",
               "6", "7", "8", "9", NULL);
    base_close(base);
}

Test(query_exec_rows, products_and_joins_pair_rows)
{
    Base *base = people();
    expect_rows(base, "MATCH (a:Person), (b:Person) RETURN count(*)", "100", NULL);
    expect_bag(base, "MATCH (a:Person), (b:Person) WHERE a.i + 7 = b.i RETURN a.i, b.i", "0 | 7",
               "1 | 8", "2 | 9", NULL);
    expect_rows(base, "MATCH (a:Nobody), (b:Person) RETURN a, b", NULL);
    base_close(base);
}

Test(query_exec_rows, optional_keeps_rows_without_a_match)
{
    Base *base = people();
    expect_rows(
        base,
        "UNWIND [8, 9, 100, 7] AS i OPTIONAL MATCH (a {i: i})-->(b) RETURN i, b.i ORDER BY i, b.i",
        "7 | 8", "7 | 9", "8 | 9", "9 | null", "100 | null", NULL);
    expect_rows(base, "OPTIONAL MATCH (n:Nobody) RETURN n", "null", NULL);
    expect_rows(base, "OPTIONAL MATCH (n:Nobody) OPTIONAL MATCH (n)-->(m) RETURN n, m",
                "null | null", NULL);
    expect_rows(base, "MATCH (n:Thing) OPTIONAL MATCH (n)-[r]->(m) RETURN r, m, n.i",
                "null | null | 100", NULL);
    base_close(base);
}

Test(query_exec_rows, subqueries_tell_their_rows)
{
    Base *base = people();
    expect_bag(base, "MATCH (a:Person) WHERE NOT exists((a)-->()) RETURN a.i", "9", NULL);
    expect_bag(base, "MATCH (a:Person) WHERE (a)-->({i: 5}) RETURN a.i", "3", "4", NULL);
    expect_bag(base, "MATCH (a:Person) WHERE a.i > 7 RETURN a.i, exists((a)-->())", "8 | true",
               "9 | false", NULL);
    expect_bag(base, "MATCH (a:Person) WHERE a.i > 6 RETURN a.i, [(a)-->(b) | b.i]", "7 | [8, 9]",
               "8 | [9]", "9 | []", NULL);
    base_close(base);
}

Test(query_exec_rows, many_shapes_are_the_same_under_stutter_and_parks)
{
    static const char *const text[] = {
        "MATCH (a:Person)-[r]->(b)-[s]->(c) RETURN a.i, r, b.name, s, c",
        "MATCH (a:Person)--(b) RETURN a, b",
        "MATCH (a:Person) WHERE a.odd RETURN a.i ORDER BY a.i DESC",
        "MATCH (a:Person) OPTIONAL MATCH (a)-->(b) WHERE b.odd RETURN a.i, b.i",
        "MATCH (a:Person) OPTIONAL MATCH (a)-[r]-(b) OPTIONAL MATCH (b)-->(c) RETURN a.i, b, r, c.i",
        "MATCH (a:Person)-->(b) WITH b, count(*) AS n, collect(a.i) AS l RETURN b, n, l",
        "MATCH (a:Person) RETURN a.i, [(a)--(b) WHERE b.i > a.i | b.name]",
        "MATCH (a:Person) WHERE exists((a)-->()-->({i: 9})) RETURN a",
        "MATCH (a:Person), (b:Person) WHERE a.i < b.i RETURN a.i, b.i SKIP 3 LIMIT 30",
        "MATCH (a:Person), (b:Person) WHERE a.name = b.name RETURN a.i, b.i",
        "MATCH (a:Person)-->(b)<--(a2) RETURN DISTINCT a.i, a2.i",
        "MATCH p = (a:Person {i: 3})-->()-->(b) RETURN p, length(p)",
        "MATCH (a:Person)-->(b) RETURN a.i, b.i UNION MATCH (a)--(b) RETURN a.i, b.i",
        "UNWIND range(1, 3000) AS x WITH x % 7 AS m, x WHERE x % 2 = 0 RETURN m, count(*), sum(x), avg(x)",
        "UNWIND range(1, 2500) AS x RETURN x ORDER BY -x SKIP 7 LIMIT 2000",
        "MATCH (a:Person)-->(b) RETURN count(*)",
        "MATCH (a:Person)-->(b)--(c) RETURN count(*)",
        "MATCH (a:Person)-->(b)-->(c) RETURN c, count(*)",
        "MATCH (a:Person)--(b)--(c) RETURN DISTINCT c",
        "MATCH (a:Person)-[:KNOWS*1..3]->(b) RETURN a.i, b.i",
        "MATCH (a:Person {i: 2})-[r:KNOWS*0..2]-(b) RETURN r, b.i",
        "MATCH (a:Person {i: 0}), (b:Person {i: 9}) MATCH p = shortestPath((a)-[*]->(b)) RETURN p",
        "MATCH (a:Person {i: 0}), (b:Person {i: 8}) MATCH p = allShortestPaths((a)-[*]-(b)) RETURN p",
        "MATCH (n:Person) WITH n, n.i AS old SET n.i = old + 100 RETURN old, n.i",
        "MATCH (n:Person) CREATE (n)-[:R {z: n.i}]->(m:New {of: n.i}) RETURN n.i, m",
        "UNWIND [1, 1, 2, 50] AS i MERGE (p:Person {i: i}) ON CREATE SET p.made = true ON MATCH SET p.hits = coalesce(p.hits, 0) + 1 RETURN p",
        "MATCH (n:Person {i: 4}) DETACH DELETE n RETURN 1 AS one",
    };
    Base *base = people();
    uint64_t again = 0, park = 0, want = 0;
    for (size_t i = 0; i < KT_COUNT(text); i++) {
        Answer a = run_all_ways(base, text[i]);
        cr_assert_eq(a.status, KT_OK, "%s: %s: %s", text[i], kt_error_facts(a.status)->name,
                     a.diag.message);
        cr_assert_gt(a.n, 0, "%s: no rows", text[i]);
        answer_free(&a);
        a = run_with(base, (RunSpec){.stutter = 5, .rollback = true}, "%s", text[i]);
        again += a.again;
        park += a.park;
        want += a.want;
        answer_free(&a);
    }
    cr_log_info("stutter: %lu AGAIN, %lu cuts of want, %lu parks", again, want, park);
    cr_assert(again > 50 && want > 50 && park > 20, "the stutter did its work");
    base_close(base);
}

Test(query_exec_rows, memory_limits_end_a_query_with_the_operators_name)
{
    Base *base = base_open();
    static const char *const text[] = {
        "UNWIND range(1, 200000) AS x RETURN x ORDER BY -x",
        "UNWIND range(1, 200000) AS x RETURN DISTINCT x",
        "UNWIND range(1, 200000) AS x RETURN x, count(*)",
        "UNWIND range(1, 200000) AS x WITH x ORDER BY x RETURN collect(x)",
    };
    for (size_t i = 0; i < KT_COUNT(text); i++) {
        Answer a = run_with(base, (RunSpec){.memory = 4 * 1024 * 1024}, "%s", text[i]);
        cr_assert_eq(a.status, KT_ERR_MEMORY, "%s: %s", text[i], a.status ? a.diag.message : "OK");
        cr_assert(a.diag.message[0], "%s", text[i]);
        answer_free(&a);
    }
    base_close(base);
}

Test(query_exec_rows, integers_and_nodes_group_the_same_whatever_comes_between_them)
{
    Base *base = base_open();
    Answer a = run(
        base, "%s",
        "UNWIND range(0, 3999) AS i CREATE (:I {i: i, x: CASE WHEN i % 5 = 4 THEN null ELSE i % 5 - 2 END})");
    cr_assert_eq(a.status, KT_OK);
    answer_free(&a);
    expect_bag(base, "MATCH (n:I) RETURN n.x AS x, count(*)", "-2 | 800", "-1 | 800", "0 | 800",
               "1 | 800", "null | 800", NULL);
    expect_bag(
        base,
        "MATCH (n:I) RETURN CASE WHEN n.i < 2000 THEN n.x ELSE toFloat(n.x) END AS x, count(*)",
        "-2 | 800", "-1 | 800", "0 | 800", "1 | 800", "null | 800", NULL);
    expect_bag(base, "MATCH (n:I) WITH n.i % 1500 - 1 AS k, count(*) AS c RETURN c, count(*)",
               "3 | 1000", "2 | 500", NULL);
    expect_bag(base, "MATCH (n:I) WHERE n.i < 3 OPTIONAL MATCH (n)-->(m) RETURN m, count(*)",
               "null | 3", NULL);
    a = run(base, "%s", "MATCH (a:I), (b:I) WHERE b.i = a.i + 1 CREATE (a)-[:N]->(b)");
    cr_assert_eq(a.status, KT_OK);
    answer_free(&a);
    expect_bag(
        base,
        "MATCH (n:I) OPTIONAL MATCH (n)-[:N]->(m) WHERE n.i % 2 = 0 WITH m, count(*) AS c RETURN m IS NULL, c, count(*)",
        "true | 2000 | 1", "false | 1 | 2000", NULL);
    a = run_all_ways(base, "MATCH (n:I) RETURN n.x AS x, count(*), sum(n.i) ORDER BY x");
    answer_free(&a);
    base_close(base);
}
