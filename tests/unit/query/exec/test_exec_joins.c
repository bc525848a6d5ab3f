/* tests/unit/query/exec/test_exec_joins.c - HashJoin against Product and Filter, over random rows.
 *
 * The filter form is the same statement with `WITH *` before its WHERE: there the condition belongs to another clause
 * and stays a Filter. */
#include "tests/unit/query/exec/run.h"

#include <stdio.h>

static const char *const value[] = {
    "null",
    "0",
    "-0.0",
    "1",
    "1.0",
    "2",
    "9007199254740992",
    "9007199254740993",
    "9007199254740992.0",
    "9223372036854775807",
    "9223372036854775808.0",
    "0.0 / 0.0",
    "1.0 / 0.0",
    "''",
    "'1'",
    "'a'",
    "true",
    "false",
    "[]",
    "[1, 2]",
    "[1.0, 2.0]",
    "[0.0 / 0.0]",
    "['a']",
};

static void make(Base *base, const char *text)
{
    Answer a = run(base, "%s", text);
    cr_assert_eq(a.status, KT_OK, "%s: %s", text, a.diag.message);
    answer_free(&a);
}

static const char *any_value(Base *base) { return value[base_random(base, KT_COUNT(value))]; }

/* `n` nodes of a label with two random values each, and a relationship between some. */
static void fill(Base *base, const char *label, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        Answer a = run(base, "CREATE (:%s {i: %u, x: %s, y: %s, z: %u})", label, i, any_value(base),
                       any_value(base), base_random(base, 4));
        cr_assert_eq(a.status, KT_OK, "%s", a.diag.message);
        answer_free(&a);
        if (i % 2) {
            a = run(base, "MATCH (a:%s {i: %u}), (b {i: %u}) CREATE (a)-[:K {n: %u}]->(b)", label,
                    i, base_random(base, i), i);
            answer_free(&a);
        }
    }
}

/* The parts of a statement before its condition, the condition, and what is returned. */
static const struct {
    const char *match, *where, *back;
} shape[] = {
    {"MATCH (a:L), (b:R)", "a.x = b.x", "a.i, b.i"},
    {"MATCH (a:L), (b:R)", "b.y = a.x", "a.i, b.i, a.x, b.y"},
    {"MATCH (a:L) MATCH (b:R)", "a.x = b.x", "a.i, b.i"},
    {"MATCH (a:L), (b:R)", "a.x = b.x AND b.y = a.y", "a.i, b.i"},
    {"MATCH (a:L), (b:R)", "a.x = b.x AND a.z = b.z AND a.i <> b.i", "a.i, b.i"},
    {"MATCH (a:L), (b:R)", "[a.x] = [b.x]", "a.i, b.i"},
    {"MATCH (a:L), (b:R)", "[a.x, a.z] = [b.x, b.z]", "a.i, b.i"},
    {"MATCH (a:L), (b:R)", "{k: a.x, l: [a.z]} = {l: [b.z], k: b.y}", "a.i, b.i"},
    {"MATCH (a:L), (b:R)", "[a.x, null] = [b.x, null]", "a.i, b.i"},
    {"MATCH (a:L), (b:L)", "a = b", "a.i, b.i"},
    {"MATCH (a:L), (b:L)", "[a, a.x] = [b, b.x]", "a.i, b.i"},
    {"MATCH (a), (b)", "labels(a) = labels(b) AND a.x = b.y", "a.i, b.i"},
    {"MATCH (a:L), (b:R), (c:L)", "a.x = b.x AND b.y = c.y", "a.i, b.i, c.i"},
    {"MATCH (a:L), (b:R), (c:L)", "a.z = c.z AND b.y = c.y AND a.i = b.i", "a.i, b.i, c.i"},
    {"MATCH (a:L)-[r]->(c), (b:R)-[s]->(d)", "c.x = d.x", "a.i, b.i, c.i, d.i, r.n, s.n"},
    {"MATCH (a)-[r]->(c), (b)-[s]->(d)", "c.z = d.z", "a.i, b.i, r.n, s.n"},
    {"MATCH (a)-[r]->(c) MATCH (b)-[s]->(d)", "c.z = d.z", "a.i, b.i, r.n, s.n"},
    {"MATCH (a)-[r]-(c)--(e), (b)-[s]-(d)", "e.x = d.x", "a.i, b.i, r.n, s.n"},
    {"MATCH p = (a:L)-->(c), q = (b:R)-->(d)", "c.x = d.y", "p, q"},
    {"UNWIND [1, 1.0, null, 'a', [1, 2], [1, null], {k: 1}, 0.0 / 0.0, 2, true, 1] AS v MATCH (b:R)",
     "b.x = v", "v, b.i"},
    {"MATCH (a:L) OPTIONAL MATCH (a)-->(c) WITH a, c MATCH (b:R)", "c.x = b.y", "a.i, c.i, b.i"},
    {"MATCH (a:L) WITH a.x AS x, count(*) AS n MATCH (b:R)", "b.x = x", "x, n, b.i"},
    {"MATCH (a:L), (b:R)-[*1..2]->(c)", "a.x = c.x", "a.i, b.i, c.i"},
};

static void compare_shapes(Base *base, uint32_t *rows)
{
    for (size_t i = 0; i < KT_COUNT(shape); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s WHERE %s RETURN %s", shape[i].match, shape[i].where,
                       shape[i].back);
        Answer filtered = run(base, "%s WITH * WHERE %s RETURN %s", shape[i].match, shape[i].where,
                              shape[i].back);
        cr_assert_eq(filtered.status, KT_OK, "%s: %s", text, filtered.diag.message);
        cr_assert_eq(filtered.hash_joins, 0, "%s: the other form is no filter", text);
        Answer joined = run(base, "%s", text);
        cr_assert_gt(joined.hash_joins, 0, "%s: no join", text);
        answer_sort(&filtered);
        answer_sort(&joined);
        expect_same(&filtered, &joined, text);
        *rows += joined.n;
        answer_free(&filtered);
        answer_free(&joined);
        joined = run_all_ways(base, text);
        answer_free(&joined);
    }
}

Test(query_exec_joins, a_join_gives_the_rows_of_a_product_under_a_filter)
{
    static const uint32_t size[][2] = {{14, 17}, {40, 3}, {2, 30}, {25, 0}, {0, 4}, {33, 35}};
    uint32_t rows = 0;
    for (size_t i = 0; i < KT_COUNT(size); i++) {
        Base *base = base_open();
        base->seed += i * 7919;
        fill(base, "L", size[i][0]);
        fill(base, "R", size[i][1]);
        compare_shapes(base, &rows);
        base_close(base);
    }
    cr_assert_gt(rows, 3000, "only %u rows were compared", rows);
}

Test(query_exec_joins, sides_longer_than_a_batch_and_chains_longer_than_a_batch)
{
    Base *base = base_open();
    make(base, "UNWIND range(0, 2999) AS i CREATE (:L {i: i, x: i % 1500, one: 1})");
    make(base, "UNWIND range(0, 3999) AS i CREATE (:R {i: i, x: i, one: i % 2})");
    Answer a = run_all_ways(
        base, "MATCH (a:L), (b:R) WHERE a.x = b.x RETURN count(*), sum(a.i), sum(b.i)");
    cr_assert_eq(a.hash_joins, 1);
    cr_assert_str_eq(a.line[0], "3000 | 4498500 | 2248500");
    answer_free(&a);
    a = run(base, "%s",
            "MATCH (a:L), (b:R) WHERE a.one = b.one AND a.x < 3 RETURN count(*), sum(b.i)");
    cr_assert_eq(a.hash_joins, 1);
    cr_assert_str_eq(a.line[0], "12000 | 24000000");
    answer_free(&a);
    base_close(base);
}

Test(query_exec_joins, the_built_side_is_charged_to_the_budget)
{
    Base *base = base_open();
    make(base, "UNWIND range(0, 19999) AS i CREATE (:L {i: i}), (:R {i: i})");
    const char *text = "MATCH (a:L), (b:R) WHERE a.i = b.i RETURN count(*)";
    Answer a = run(base, "%s", text);
    cr_assert_eq(a.status, KT_OK);
    cr_assert_str_eq(a.line[0], "20000");
    cr_assert_gt(a.peak, 20000 * 16);
    answer_free(&a);
    a = run_with(base, (RunSpec){.memory = 512 * 1024}, "%s", text);
    cr_assert_eq(a.status, KT_ERR_MEMORY);
    cr_assert(a.diag.message[0]);
    answer_free(&a);
    base_close(base);
}

/* Rows that came out and how it ended must be those of the filter form. */
static void expect_same_end(Base *base, const char *match, const char *where, const char *back,
                            bool joins)
{
    Answer filtered = run(base, "%s WITH * WHERE %s RETURN %s", match, where, back);
    Answer joined = run(base, "%s WHERE %s RETURN %s", match, where, back);
    cr_assert_eq(filtered.hash_joins, 0);
    cr_assert_eq(joined.hash_joins > 0, joins, "%s WHERE %s", match, where);
    cr_assert_eq(joined.status, filtered.status, "%s WHERE %s RETURN %s: %s, not %s", match, where,
                 back, kt_error_facts(joined.status)->name, kt_error_facts(filtered.status)->name);
    cr_assert_eq(joined.n, filtered.n, "%s WHERE %s: %u rows, not %u", match, where, joined.n,
                 filtered.n);
    answer_free(&filtered);
    answer_free(&joined);
}

Test(query_exec_joins, errors_are_those_of_the_filter_form)
{
    Base *base = base_open();
    make(base, "UNWIND range(0, 99) AS i CREATE (:L {i: i, x: i}), (:R {i: i, x: i})");
    static const char *const failing = "UNWIND range(0, 2000) AS i WITH 10 / (1500 - i) AS v";
    static const char *const back[] = {"count(*)", "b.i", "b.i LIMIT 1", "b.i LIMIT 1000000"};
    for (size_t i = 0; i < KT_COUNT(back); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s MATCH (b:R)", failing);
        expect_same_end(base, text, "b.x = v", back[i], true);
        expect_same_end(base, text, "b.x = v AND b.i = 5", back[i], true);
        expect_same_end(base, text, "b.none = v", back[i], true);
        (void)snprintf(text, sizeof text, "%s MATCH (b:R {x: -5})", failing);
        expect_same_end(base, text, "b.x = v", back[i], true);
        expect_same_end(base, "MATCH (a:L), (b:R)", "a.x = 10 / b.x", back[i], false);
        expect_same_end(base, "MATCH (a:L), (b:R)", "a.x = b.x AND 10 / (a.x - 98) < b.i", back[i],
                        true);
    }
    base_close(base);
}

Test(query_exec_joins, a_row_that_can_name_the_other_by_id_does)
{
    Base *base = base_open();
    make(base, "UNWIND range(0, 99) AS i CREATE (:L {i: i}), (:R {i: i}), (:R {i: -i})");
    const char *text = "MATCH (a:L), (b:R) WHERE a.i = b.i RETURN count(*)";
    Answer a = run(base, "%s", text);
    cr_assert_eq(a.hash_joins, 1);
    cr_assert_str_eq(a.line[0], "101");
    answer_free(&a);
    a = run(base, "%s", "MATCH (a:L), (b:R) WHERE id(b) = a.i RETURN count(*)");
    cr_assert_eq(a.hash_joins, 0);
    answer_free(&a);
    base_close(base);
}
