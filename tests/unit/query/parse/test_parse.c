/* Statements to trees and back: what is printed parses to the same print; what is wrong is told with its place. */
#include "tests/support/ast_print.h"
#include "query/parse/parse.h"
#include "query/query.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static KtArena *arena;
static KtDiag diag;

static void setup(void)
{
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    diag = (KtDiag){0};
}

static void teardown(void) { kt_arena_close(arena); }

TestSuite(query_parse_parse, .init = setup, .fini = teardown);

static KtStatus parse(const char *text, size_t len, const KtAstStatement **out)
{
    kt_diag_clear(&diag);
    return kt_parse((KtText){text, (uint32_t)len}, arena, &diag, out);
}

/* The print of the tree of `text`, closed with a NUL. The caller closes it. */
static KtBuf printed(const char *text, size_t len)
{
    const KtAstStatement *tree;
    KtBuf out = {0};
    cr_assert_eq(parse(text, len, &tree), KT_OK, "%.*s: %u:%u %s", (int)(len > 300 ? 300 : len),
                 text, diag.at.line, diag.at.column, diag.message);
    kt_ast_print(&out, tree);
    kt_buf_u8(&out, 0);
    cr_assert_not(out.failed);
    return out;
}

static void prints(const char *text, const char *expected)
{
    KtBuf once = printed(text, strlen(text));
    cr_assert_str_eq((const char *)once.data, expected);
    KtBuf twice = printed((const char *)once.data, once.len - 1);
    cr_assert_str_eq((const char *)twice.data, expected, "the print of a print is itself");
    kt_buf_close(&twice);
    kt_buf_close(&once);
}

static void expression(const char *text, const char *expected)
{
    char from[512], to[512];
    snprintf(from, sizeof from, "RETURN %s", text);
    snprintf(to, sizeof to, "RETURN %s", expected);
    prints(from, to);
}

Test(query_parse_parse, operators_bind_as_opencypher_has_them)
{
    expression("a or b xor c and not d", "a OR b XOR c AND NOT d");
    expression("(a OR b) AND c", "(a OR b) AND c");
    expression("NOT a = b", "NOT a = b");
    expression("(NOT a) = b", "(NOT a) = b");
    expression("a = (b = c)", "a = (b = c)");
    expression("(a = b) = c", "(a = b) = c");
    expression("1 < a <= 3", "1 < a <= 3");
    expression("a = b IN [c]", "a = b IN [c]");
    expression("(a = b) IN [c]", "(a = b) IN [c]");
    expression("a + b STARTS WITH c", "a + b STARTS WITH c");
    expression("a - (b - c)", "a - (b - c)");
    expression("(a - b) - c", "(a - b) - c");
    expression("a * b + c % d", "a * b + c % d");
    expression("(a + b) * c", "(a + b) * c");
    expression("-a ^ 2", "-a ^ 2");
    expression("-(a ^ 2)", "-(a ^ 2)");
    expression("2 ^ 3 ^ 2", "2 ^ 3 ^ 2");
    expression("a IS NOT NULL IS NULL", "a IS NOT NULL IS NULL");
    expression("a.b.c[1][2..3].d:L", "a.b.c[1][2..3].d:L");
    expression("(a + b).c", "(a + b).c");
    expression("a CONTAINS b ENDS WITH c =~ d", "a CONTAINS b ENDS WITH c =~ d");
}

Test(query_parse_parse, literals_keep_their_values)
{
    expression("-9223372036854775808", "-9223372036854775808");
    expression("[0x1F, 0o17, -0x8000000000000000]", "[31, 15, -9223372036854775808]");
    expression("[.5, 1e3, 1.0, -0.0]", "[0.5, 1000.0, 1.0, -0.0]");
    expression("'it\\'s \\u00e4\\n'", "'it\\'s \xC3\xA4\\u000a'");
    expression("[TRUE, False, NULL, $p, $0, $`a b`]", "[true, false, null, $p, $`0`, $`a b`]");
    expression("{a: 1, `b c`: {}, `return`: []}", "{a: 1, `b c`: {}, `return`: []}");
    expression("2 - -1", "2 - -1");
    expression("-(1)", "-(1)");
    expression("--1", "--1");
}

Test(query_parse_parse, compound_expressions_parse)
{
    expression("CASE x WHEN 1 THEN 'a' ELSE 'b' END", "CASE x WHEN 1 THEN 'a' ELSE 'b' END");
    expression("case when a then b when c then d end", "CASE WHEN a THEN b WHEN c THEN d END");
    expression("[x IN xs WHERE x > 1 | x * 2]", "[x IN xs WHERE x > 1 | x * 2]");
    expression("[x IN xs]", "[x IN xs]");
    expression("[(x IN xs)]", "[x IN xs]");
    expression("[(a)-[:R]->(b) WHERE b.x | b.y]", "[(a)-[:R]->(b) WHERE b.x | b.y]");
    expression("[p = (a)-->() | p]", "[p = (a)-->() | p]");
    expression("all(x IN xs WHERE x) AND none(x in xs WHERE x)",
               "all(x IN xs WHERE x) AND none(x IN xs WHERE x)");
    expression("reduce(s = 0, x IN xs | s + x)", "reduce(s = 0, x IN xs | s + x)");
    expression("count(*) + count(DISTINCT a) + a.b.f(1, 2)",
               "count(*) + count(DISTINCT a) + a.b.f(1, 2)");
    expression("n {.a, .*, b: 1, c}", "n {.a, .*, b: 1, c}");
    expression("exists((a)-->(b))", "`exists`((a)-->(b))");
    expression("EXISTS { MATCH (a)-->(b) WHERE a.x RETURN b }",
               "EXISTS { MATCH (a)-->(b) WHERE a.x RETURN b }");
    expression("EXISTS { (a)-->(b) WHERE b.x }", "EXISTS { MATCH (a)-->(b) WHERE b.x }");
    expression("shortestPath((a)-[*..15]-(b))", "shortestPath((a)-[*..15]-(b))");
    expression("(n:A:B)", "n:A:B");
    expression("(a) - (b)", "a - b");
    expression("(a)--(b)", "(a)--(b)");
    expression("(a) < -[1][0]", "a < -[1][0]");
    expression("count + end + start", "count + end + start");
}

Test(query_parse_parse, clauses_parse)
{
    static const char *const rows[] = {
        "MATCH (a)-[r:KNOWS|LIKES*1..3 {since: 1}]->(b:Person {name: $n})<--()--(c) WHERE a.x RETURN *",
        "OPTIONAL MATCH p = allShortestPaths((a)-[:T*]-(b)), (c)-[*]-(d)-[*2]-(e)-[*0..]-(f) RETURN p AS q",
        "WITH DISTINCT a, b.c AS d ORDER BY a DESC, d SKIP 1 LIMIT $n WHERE d RETURN DISTINCT *, d AS x",
        "UNWIND [1, 2] AS x RETURN x UNION ALL RETURN 2 AS x",
        "RETURN 1 AS x UNION RETURN 2 AS x",
        "CREATE (a:A {x: 1})-[:T]->(b), (c) SET a.x = 1, a += {y: 2}, b = a, c:L:M REMOVE a.x, c:L",
        "MERGE p = (a)-[:T]->(b) ON CREATE SET a.x = 1, b.y = 2 ON MATCH SET a.z = 3",
        "MATCH (a) DETACH DELETE a, b.c",
        "FOREACH (x IN xs | CREATE (a) SET a.x = x FOREACH (y IN x | DELETE y))",
        "CALL a.b.c(1, 2) YIELD d AS e, f WHERE e RETURN e",
        "CALL a.b",
        "CALL a.b() YIELD *",
        "EXPLAIN RETURN 1 AS x",
        "PROFILE MATCH (n $props) RETURN n",
        "CREATE INDEX i IF NOT EXISTS FOR (p:Person) ON (p.name)",
        "CREATE INDEX FOR (p:Person) ON (p.name)",
        "CREATE CONSTRAINT c FOR (p:Person) REQUIRE p.id IS UNIQUE",
        "CREATE CONSTRAINT IF NOT EXISTS FOR (p:Person) REQUIRE p.id IS UNIQUE",
        "DROP INDEX i",
        "DROP CONSTRAINT c IF EXISTS",
        "SHOW INDEXES",
        "SHOW CONSTRAINTS",
    };
    for (size_t i = 0; i < KT_COUNT(rows); i++)
        prints(rows[i], rows[i]);
    prints("match (a)<-[:T]->(b) return a;", "MATCH (a)-[:T]-(b) RETURN a");
    prints("MATCH (a)-[:A|:B]->() RETURN a UNION DISTINCT RETURN 1 AS a",
           "MATCH (a)-[:A|B]->() RETURN a UNION RETURN 1 AS a");
}

Test(query_parse_parse, columns_keep_the_words_of_the_statement)
{
    const KtAstStatement *tree;
    const char *text = "RETURN  ( 1+2 ) , cOuNt( * ) AS n";
    cr_assert_eq(parse(text, strlen(text), &tree), KT_OK);
    const KtAstProjection *p = &tree->query.part[0].clause[0].as.projection;
    cr_assert(kt_text_eq(p->item[0].text, KT_TEXT_LITERAL("( 1+2 )")));
    cr_assert(kt_text_eq(p->item[1].text, KT_TEXT_LITERAL("cOuNt( * )")));
}

Test(query_parse_parse, errors_name_place_and_expectation)
{
    static const struct {
        const char *text;
        KtStatus status;
        uint32_t line, column;
        const char *words; /* part of the message */
    } rows[] = {
        {"", KT_ERR_UNEXPECTED_SYNTAX, 1, 1, "ends too early: expected a statement"},
        {"FOO", KT_ERR_UNEXPECTED_SYNTAX, 1, 1, "Unexpected 'FOO': expected a statement"},
        {"MATCH (a RETURN a", KT_ERR_UNEXPECTED_SYNTAX, 1, 10,
         "expected ':', '{', a parameter or ')'"},
        {"MATCH (a)-[r RETURN a", KT_ERR_UNEXPECTED_SYNTAX, 1, 14, "expected"},
        {"MATCH (a)->(b) RETURN a", KT_ERR_UNEXPECTED_SYNTAX, 1, 11, "expected '-' or '['"},
        {"MATCH a RETURN a", KT_ERR_UNEXPECTED_SYNTAX, 1, 9,
         "expected '=' after the name of a path"},
        {"MATCH (a)\nRETURN a.", KT_ERR_UNEXPECTED_SYNTAX, 2, 10,
         "expected a property key after '.'"},
        {"RETURN 1 +", KT_ERR_UNEXPECTED_SYNTAX, 1, 11, "expected an expression"},
        {"RETURN a b", KT_ERR_UNEXPECTED_SYNTAX, 1, 10,
         "Unexpected 'b': expected an operator, a clause"},
        {"RETURN 1; RETURN 2", KT_ERR_UNEXPECTED_SYNTAX, 1, 11, "one statement at a time"},
        {"RETURN [1, ]", KT_ERR_UNEXPECTED_SYNTAX, 1, 12, "expected an expression"},
        {"RETURN {a 1}", KT_ERR_UNEXPECTED_SYNTAX, 1, 11, "expected ':' after the key"},
        {"RETURN {1: 1}", KT_ERR_UNEXPECTED_SYNTAX, 1, 9, "expected a key or '}'"},
        {"RETURN all(x IN xs)", KT_ERR_UNEXPECTED_SYNTAX, 1, 19, "WHERE"},
        {"RETURN CASE WHEN 1 END", KT_ERR_UNEXPECTED_SYNTAX, 1, 20, "THEN"},
        {"RETURN x IS 1", KT_ERR_UNEXPECTED_SYNTAX, 1, 13, "NULL or NOT NULL"},
        {"RETURN `` AS x", KT_ERR_UNEXPECTED_SYNTAX, 1, 8, ""},
        {"RETURN 'a", KT_ERR_UNEXPECTED_SYNTAX, 1, 8, "no closing quote"},
        {"RETURN 1 = \xE2\x80\x94", KT_ERR_INVALID_UNICODE_CHARACTER, 1, 12, "U+2014"},
        {"RETURN '\\uH'", KT_ERR_INVALID_UNICODE_LITERAL, 1, 9, "hexadecimal"},
        {"RETURN 12abc", KT_ERR_INVALID_NUMBER_LITERAL, 1, 8, "'12abc' is no number"},
        {"RETURN 017", KT_ERR_INVALID_NUMBER_LITERAL, 1, 8, "0o17"},
        {"RETURN 9223372036854775808", KT_ERR_INTEGER_OVERFLOW, 1, 8, "64 bits"},
        {"RETURN -9223372036854775809", KT_ERR_INTEGER_OVERFLOW, 1, 9, "64 bits"},
        {"RETURN 1e999", KT_ERR_FLOATING_POINT_OVERFLOW, 1, 8, "greatest float"},
        {"CALL a.b() YIELD * RETURN x", KT_ERR_UNEXPECTED_SYNTAX, 1, 18, "stands alone"},
        {"FOREACH (x IN [1] | RETURN x)", KT_ERR_UNEXPECTED_SYNTAX, 1, 21, "expected CREATE"},
        {"SET a.b", KT_ERR_UNEXPECTED_SYNTAX, 1, 8, "expected '='"},
        {"REMOVE a", KT_ERR_UNEXPECTED_SYNTAX, 1, 9, "'.key' or ':Label'"},
        {"MERGE (a) ON SET a.b = 1", KT_ERR_UNEXPECTED_SYNTAX, 1, 14, "CREATE or MATCH after ON"},
        {"CREATE INDEX FOR (p:A) ON (q.x)", KT_ERR_UNDEFINED_VARIABLE, 1, 28, "`q`"},
        {"CREATE INDEX ON :A(x)", KT_ERR_UNEXPECTED_SYNTAX, 1, 14, "FOR"},
        {"DROP INDEX", KT_ERR_UNEXPECTED_SYNTAX, 1, 11, "the name of what to drop"},
        /* what Kith knows and does not do */
        {"MATCH (a:A|B) RETURN a", KT_ERR_NOT_SUPPORTED, 1, 11, "Label expressions"},
        {"MATCH (a WHERE a.x) RETURN a", KT_ERR_NOT_SUPPORTED, 1, 10, "WHERE inside a pattern"},
        {"CALL { RETURN 1 AS x } RETURN x", KT_ERR_NOT_SUPPORTED, 1, 6, "subquery"},
        {"LOAD CSV FROM 'x' AS row RETURN row", KT_ERR_NOT_SUPPORTED, 1, 1, "LOAD CSV"},
        {"RETURN COUNT { MATCH (a) RETURN a }", KT_ERR_NOT_SUPPORTED, 1, 8, "COUNT"},
        {"CREATE TEXT INDEX i FOR (p:A) ON (p.x)", KT_ERR_NOT_SUPPORTED, 1, 8, "range indexes"},
        {"CREATE INDEX i FOR (p:A) ON (p.x, p.y)", KT_ERR_NOT_SUPPORTED, 1, 33,
         "several properties"},
        {"CREATE INDEX i FOR ()-[r:T]-() ON (r.x)", KT_ERR_NOT_SUPPORTED, 1, 20, "relationships"},
        {"CREATE CONSTRAINT c FOR (p:A) REQUIRE p.x IS NOT NULL", KT_ERR_NOT_SUPPORTED, 1, 46,
         "IS UNIQUE"},
        {"EXPLAIN SHOW INDEXES", KT_ERR_NOT_SUPPORTED, 1, 9, "schema statement"},
    };
    for (size_t i = 0; i < KT_COUNT(rows); i++) {
        const KtAstStatement *tree = NULL;
        KtStatus status = parse(rows[i].text, strlen(rows[i].text), &tree);
        cr_assert_eq(status, rows[i].status, "%s: %s", rows[i].text, diag.message);
        cr_assert_eq(diag.at.line, rows[i].line, "%s: line %u", rows[i].text, diag.at.line);
        cr_assert_eq(diag.at.column, rows[i].column, "%s: column %u: %s", rows[i].text,
                     diag.at.column, diag.message);
        cr_assert_not_null(strstr(diag.message, rows[i].words), "%s: %s", rows[i].text,
                           diag.message);
        cr_assert(diag.compile_time);
        cr_assert_null(tree);
    }
}

/* `n` times `open`, then `middle`, then `n` times `close`, behind `begin`. */
static char *nested(const char *begin, const char *open, size_t n, const char *middle,
                    const char *close)
{
    char *text = malloc(strlen(begin) + n * (strlen(open) + strlen(close)) + strlen(middle) + 1);
    char *at = stpcpy(text, begin);
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, open);
    at = stpcpy(at, middle);
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, close);
    return text;
}

Test(query_parse_parse, nesting_ends_with_an_error_and_never_with_the_stack)
{
    static const char *const rows[][3] = {
        {"(", "1", ")"},
        {"[", "1", "]"},
        {"{a:", "1", "}"},
        {"NOT ", "true", ""},
        {"-", "a", ""},
        {"- (", "a", ")"},
        {"a + (", "a", ")"},
        {"a OR b XOR c AND d = e IN f + g * h ^ (", "a", ")"},
        {"CASE WHEN ", "a", " THEN 1 END"},
        {"f(", "a", ")"},
        {"[x IN ", "a", "]"},
        {"[(a)-->(b) | ", "a", "]"},
        {"[(a {x: ", "1", "})-->() | 1]"},
        {"(a {x: ", "1", "})-->()"},
        {"all(x IN ", "a", " WHERE x)"},
        {"reduce(a = ", "a", ", x IN a | x)"},
        {"EXISTS { MATCH (a) WHERE ", "a", " }"},
        {"a[", "1", "]"},
        {"n {x: ", "1", "}"},
        {"", "a", ".b"},
        {"", "a", "[1]"},
        {"", "a", " IS NULL"},
        {"", "a", " IN b"},
        {"", "a", " =~ b"},
    };
    static const size_t counts[] = {1500, 100000, 300000};
    for (size_t i = 0; i < KT_COUNT(rows); i++) {
        for (size_t k = 0; k < KT_COUNT(counts); k++) {
            char *text = nested("RETURN ", rows[i][0], counts[k], rows[i][1], rows[i][2]);
            size_t len = strlen(text);
            const KtAstStatement *tree;
            KtStatus expected =
                len > KT_STATEMENT_BYTES ? KT_ERR_STATEMENT_TOO_LONG : KT_ERR_TOO_COMPLEX;
            cr_assert_eq(parse(text, len, &tree), expected, "%s x %zu: %s", rows[i][0], counts[k],
                         diag.message);
            free(text);
            kt_arena_reset(arena);
        }
    }
    char *foreach = nested("", "FOREACH (x IN y | ", 5000, "SET a.b = 1", ")");
    const KtAstStatement *tree;
    cr_assert_eq(parse(foreach, strlen(foreach), &tree), KT_ERR_TOO_COMPLEX);
    free(foreach);
}

Test(query_parse_parse, a_thousand_levels_are_allowed)
{
    static const char *const rows[][3] = {
        {"(", "1", ")"},
        {"NOT ", "true", ""},
        {"", "a", ".b"},
        {"a + (", "a", ")"},
        {"a OR b XOR c AND d = e IN f + g * h ^ (", "1", ")"},
    };
    static const size_t counts[] = {KT_NESTING_MOST, KT_NESTING_MOST - 1, KT_NESTING_MOST - 1,
                                    KT_NESTING_MOST - 2, 120};
    for (size_t i = 0; i < KT_COUNT(rows); i++) {
        char *text = nested("RETURN ", rows[i][0], counts[i], rows[i][1], rows[i][2]);
        KtBuf out = printed(text, strlen(text));
        kt_buf_close(&out);
        free(text);
    }
}

Test(query_parse_parse, long_chains_cost_no_depth)
{
    static const char *const links[] = {" OR a", " AND a", " XOR a", " + a",
                                        " * a",  " ^ a",   " < a",   ", a"};
    for (size_t i = 0; i < KT_COUNT(links); i++) {
        char *text = nested("RETURN a", links[i], 100000, "", "");
        KtBuf out = printed(text, strlen(text));
        cr_assert_eq(out.len, strlen(text) + 1);
        kt_buf_close(&out);
        free(text);
        kt_arena_reset(arena);
    }
}

Test(query_parse_parse, memory_that_runs_out_is_an_error)
{
    const char *text =
        "MATCH p = (a:A {x: [1, 2, {b: $c}]})-[:T*1..3]->() WHERE a.x IN [x IN a.y WHERE x | x + 'it\\'s'] "
        "RETURN CASE a.x WHEN 1 THEN a.b.c(1) END AS y, a {.x, y: 1} ORDER BY y SKIP 1 LIMIT 2";
    for (size_t limit = 0;; limit += 256) {
        KtBudget budget;
        kt_budget_init(&budget, NULL, limit + 1);
        KtArena *small;
        const KtAstStatement *tree;
        if (kt_arena_open(&budget, &small) != KT_OK)
            continue;
        kt_diag_clear(&diag);
        KtStatus status = kt_parse((KtText){text, (uint32_t)strlen(text)}, small, &diag, &tree);
        kt_arena_close(small);
        if (status == KT_OK)
            break;
        cr_assert_eq(status, KT_ERR_MEMORY);
        cr_assert_lt(limit, 1 << 20);
    }
}
