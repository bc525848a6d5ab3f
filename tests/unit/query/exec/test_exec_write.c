/* Writes: what is made, set, merged and deleted, row by row, and what a statement's later clauses see of it. */
#include "tests/unit/query/exec/run.h"

#include <stdio.h>

static void must(Base *base, const char *text)
{
    Answer a = run(base, "%s", text);
    cr_assert_eq(a.status, KT_OK, "%s: %s", text, a.diag.message);
    answer_free(&a);
}

Test(query_exec_write, create_makes_nodes_and_relationships_with_their_properties)
{
    Base *base = base_open();
    expect_rows(base,
                "CREATE (a:A:B {x: 1, y: null})-[r:R {z: 'q'}]->(b {l: [1, 2]}) RETURN a, r, b",
                "(:A:B {x: 1}) | [:R {z: 'q'}] | ({l: [1, 2]})", NULL);
    expect_rows(base, "MATCH p = (a:A)-->(b) RETURN p",
                "<(:A:B {x: 1})-[:R {z: 'q'}]->({l: [1, 2]})>", NULL);
    expect_rows(base, "UNWIND range(1, 3000) AS i CREATE (n:Many {i: i}) RETURN count(n), sum(n.i)",
                "3000 | 4501500", NULL);
    expect_rows(base, "MATCH (n:Many) RETURN count(*), max(n.i)", "3000 | 3000", NULL);
    expect_error(base, KT_ERR_INVALID_ARGUMENT_VALUE,
                 "OPTIONAL MATCH (a:Nobody) CREATE (a)-[:R]->(b)");
    base_close(base);
}

Test(query_exec_write, writes_below_limit_zero_are_all_done)
{
    Base *base = base_open();
    expect_rows(base, "UNWIND range(1, 2000) AS i CREATE (n:N {i: i}) RETURN n LIMIT 0", NULL);
    expect_rows(base, "MATCH (n:N) RETURN count(*)", "2000", NULL);
    expect_rows(base, "MATCH (n:N) SET n.done = true RETURN 1 AS one SKIP 1999", "1", NULL);
    expect_rows(base, "MATCH (n:N) WHERE n.done RETURN count(*)", "2000", NULL);
    base_close(base);
}

Test(query_exec_write, a_reading_clause_does_not_see_what_its_own_statement_writes_later)
{
    Base *base = base_open();
    must(base, "UNWIND range(1, 1500) AS i CREATE (:N)");
    must(base, "MATCH (n:N) CREATE (:N)");
    expect_rows(base, "MATCH (n:N) RETURN count(*)", "3000", NULL);
    expect_rows(base, "CREATE (:X) WITH 1 AS one MATCH (x:X) RETURN count(*)", "1", NULL);
    expect_rows(base, "MATCH (x:X) CREATE (x)-[:L]->(x) WITH x MATCH (x)--(y) RETURN count(*)", "1",
                NULL);
    base_close(base);
}

Test(query_exec_write, set_is_row_by_row)
{
    Base *base = base_open();
    must(base, "CREATE (:C {x: 0})");
    expect_rows(base, "MATCH (n:C) UNWIND range(1, 100) AS i SET n.x = n.x + 1 RETURN max(n.x)",
                "100", NULL);
    expect_rows(base, "MATCH (n:C) UNWIND range(1, 10) AS i SET n.x = i RETURN DISTINCT n.x", "10",
                NULL);
    expect_rows(base, "MATCH (n:C) WITH n, n.x AS old SET n.x = 5 RETURN old, n.x", "10 | 5", NULL);
    expect_rows(base, "MATCH (n:C) SET n.a = 1, n.b = n.a + 1 RETURN n", "(:C {a: 1, b: 2, x: 5})",
                NULL);
    expect_rows(base, "MATCH (n:C) SET n = {k: 'v', w: null} RETURN n", "(:C {k: 'v'})", NULL);
    expect_rows(base, "MATCH (n:C) SET n += {k: null, m: 1} RETURN n", "(:C {m: 1})", NULL);
    expect_rows(base, "MATCH (n:C) CREATE (m:D {q: 7}) SET n = m RETURN n", "(:C {q: 7})", NULL);
    expect_rows(base, "MATCH (n:C) SET n:E:F REMOVE n:C RETURN n", "(:E:F {q: 7})", NULL);
    expect_rows(base, "MATCH (n:E) REMOVE n.q RETURN n", "(:E:F)", NULL);
    expect_rows(base, "OPTIONAL MATCH (n:Nobody) SET n.x = 1, n:L RETURN n", "null", NULL);
    expect_rows(base,
                "MATCH (a:E), (b:D) CREATE (a)-[r:R]->(b) SET r.w = 1 SET r += {v: 2} RETURN r",
                "[:R {v: 2, w: 1}]", NULL);
    expect_error(base, KT_ERR_INVALID_PROPERTY_TYPE, "MATCH (n:E) SET n.x = {a: 1}");
    base_close(base);
}

Test(query_exec_write, merge_finds_what_rows_before_made)
{
    Base *base = base_open();
    expect_rows(
        base,
        "UNWIND [1, 2, 1, 1, 3, 2] AS i MERGE (n:M {i: i}) ON CREATE SET n.made = 1 ON MATCH SET n.seen = coalesce(n.seen, 0) + 1 RETURN i, n.i",
        "1 | 1", "2 | 2", "1 | 1", "1 | 1", "3 | 3", "2 | 2", NULL);
    expect_bag(base, "MATCH (n:M) RETURN n", "(:M {i: 1, made: 1, seen: 2})",
               "(:M {i: 2, made: 1, seen: 1})", "(:M {i: 3, made: 1})", NULL);
    expect_rows(
        base,
        "MATCH (a:M {i: 1}), (b:M {i: 2}) MERGE (a)-[r:R]->(b) MERGE (a)-[s:R]-(b) RETURN r = s",
        "true", NULL);
    expect_rows(base,
                "MATCH (a:M {i: 1}) MERGE p = (a)-[:NEW {q: 1}]->(:Z {z: 1}) RETURN length(p)", "1",
                NULL);
    expect_rows(base, "MERGE (n:M) RETURN count(*)", "3", NULL);
    expect_rows(
        base,
        "UNWIND range(1, 2500) AS i MERGE (n:Big {i: i % 7}) RETURN count(*), count(DISTINCT n)",
        "2500 | 7", NULL);
    expect_error(base, KT_ERR_MERGE_READ_OWN_WRITES, "UNWIND [1, null] AS i MERGE (n:M {i: i})");
    base_close(base);
}

Test(query_exec_write, delete_takes_nodes_relationships_paths_and_nulls)
{
    Base *base = base_open();
    must(base, "CREATE (a:A)-[:R]->(b:B)-[:R]->(c:C), (d:D)-[:S]->(d)");
    expect_error(base, KT_ERR_DELETE_CONNECTED_NODE, "MATCH (a:A) DELETE a");
    expect_rows(base, "MATCH (n) RETURN count(*)", "4", NULL);
    must(base, "OPTIONAL MATCH (x:Nobody) DELETE x");
    must(base, "MATCH (a:A)-[r]->(b) DELETE a, r");
    expect_rows(base, "MATCH (n) RETURN count(*)", "3", NULL);
    must(base, "MATCH p = (:B)-->() DELETE p");
    expect_rows(base, "MATCH (n) RETURN count(*)", "1", NULL);
    expect_rows(base, "MATCH (d:D) DETACH DELETE d RETURN count(*)", "1", NULL);
    expect_rows(base, "MATCH (n) RETURN count(*)", "0", NULL);
    expect_error(base, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE, "UNWIND [{a: 1}] AS m DELETE m.a");
    base_close(base);
}

/* Every allocation that the budget can refuse is refused once: the statement fails with MEMORY or works, and no byte
 * stays taken (run_with checks). */
Test(query_exec_write, running_out_of_memory_anywhere_leaves_nothing_behind)
{
    static const char *const text[] = {
        "MATCH (a:N)-[r]-(b)-[*1..2]-(c) WITH a, collect(DISTINCT c.i) AS l, count(*) AS n RETURN a.i, l, n ORDER BY n DESC, a.i",
        "MATCH (a:N), (b:N) WHERE a.i = b.i + 1 OPTIONAL MATCH (b)-->(c) RETURN DISTINCT a, b, c",
        "MATCH (a:N {i: 0}), (b:N {i: 9}) MATCH p = allShortestPaths((a)-[*]-(b)) RETURN p",
        "UNWIND range(1, 50) AS i MERGE (n:M {i: i % 9}) SET n.x = i CREATE (n)-[:R]->(:K {i: i}) RETURN count(*)",
    };
    Base *base = base_open();
    must(base, "UNWIND range(0, 9) AS i CREATE (:N {i: i})");
    must(base, "MATCH (a:N), (b:N) WHERE b.i = a.i + 1 OR b.i = a.i + 3 CREATE (a)-[:R]->(b)");
    for (size_t i = 0; i < KT_COUNT(text); i++) {
        Answer whole = run_with(base, (RunSpec){.rollback = true}, "%s", text[i]);
        cr_assert_eq(whole.status, KT_OK, "%s: %s", text[i], whole.diag.message);
        uint32_t failed = 0;
        for (size_t limit = 20000; limit < whole.peak + 40000; limit += 1 + whole.peak / 150) {
            Answer a = run_with(base, (RunSpec){.memory = limit, .rollback = true}, "%s", text[i]);
            cr_assert(a.status == KT_OK || a.status == KT_ERR_MEMORY, "%s with %zu bytes: %s",
                      text[i], limit, a.diag.message);
            failed += a.status != KT_OK;
            if (a.status == KT_OK)
                cr_assert_eq(a.n, whole.n);
            answer_free(&a);
        }
        cr_assert_gt(failed, 5);
        answer_free(&whole);
    }
    base_close(base);
}
