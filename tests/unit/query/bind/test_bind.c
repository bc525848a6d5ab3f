/* Statements to bound statements: every compile-time error with its place, and what the planner is given. */
#include "query/bind/bind.h"
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

TestSuite(query_bind_bind, .init = setup, .fini = teardown);

static KtStatus try_bind(KtArena *into, const char *text, const KtBound **out)
{
    static const KtMapEntry params[] = {{{"p", 1}, {0}}, {{"q", 1}, {0}}};
    const KtAstStatement *tree;
    kt_diag_clear(&diag);
    KT_TRY(kt_parse((KtText){text, (uint32_t)strlen(text)}, into, &diag, &tree));
    return kt_bind(tree, kt_map(params, 2), into, &diag, out);
}

static const KtBound *bound(const char *text)
{
    const KtBound *out = NULL;
    cr_assert_eq(try_bind(arena, text, &out), KT_OK, "%s: %u:%u %s", text, diag.at.line,
                 diag.at.column, diag.message);
    return out;
}

static const KtBoundClause *clause(const KtBound *b, uint32_t i)
{
    cr_assert_lt(i, b->query->part[0].clauses);
    return &b->query->part[0].clause[i];
}

#define IS(text_, literal) (kt_text_eq((text_), KT_TEXT_LITERAL(literal)))

Test(query_bind_bind, every_error_is_told_with_its_place)
{
    static const struct {
        const char *text;
        KtStatus status;
        uint32_t line, column;
    } rows[] = {
        /* names */
        {"RETURN a", KT_ERR_UNDEFINED_VARIABLE, 1, 8},
        {"MATCH (a)\nRETURN a.x + b.x", KT_ERR_UNDEFINED_VARIABLE, 2, 14},
        {"MATCH (a), (b) WITH a RETURN b", KT_ERR_UNDEFINED_VARIABLE, 1, 30},
        {"MATCH (n) WHERE (n)-[r]->(a) RETURN n", KT_ERR_UNDEFINED_VARIABLE, 1, 22},
        {"MATCH (a) RETURN DISTINCT a.name ORDER BY a.age", KT_ERR_UNDEFINED_VARIABLE, 1, 43},
        {"MATCH (a) RETURN a.name, count(*) ORDER BY a.age", KT_ERR_UNDEFINED_VARIABLE, 1, 44},
        {"MATCH (a) RETURN [x IN [1] | x] + x", KT_ERR_UNDEFINED_VARIABLE, 1, 35},
        {"MERGE (n) ON CREATE SET x.num = 1", KT_ERR_UNDEFINED_VARIABLE, 1, 25},
        {"CREATE (a {x: a.y})", KT_ERR_UNDEFINED_VARIABLE, 1, 15},
        {"MATCH (a) WITH a.x AS y WITH DISTINCT y RETURN a", KT_ERR_UNDEFINED_VARIABLE, 1, 48},
        {"RETURN $nope", KT_ERR_MISSING_PARAMETER, 1, 8},
        {"MATCH (a) CREATE (a)", KT_ERR_VARIABLE_ALREADY_BOUND, 1, 19},
        {"MATCH (a) MERGE (a)", KT_ERR_VARIABLE_ALREADY_BOUND, 1, 18},
        {"CREATE (n:A)-[:T]->(), (n:B)-[:T]->()", KT_ERR_VARIABLE_ALREADY_BOUND, 1, 25},
        {"MATCH ()-[r]->() CREATE ()-[r:T]->()", KT_ERR_VARIABLE_ALREADY_BOUND, 1, 29},
        {"MATCH p = (p)-[]-() RETURN p", KT_ERR_VARIABLE_ALREADY_BOUND, 1, 7},
        {"MATCH (a) UNWIND [1] AS a RETURN a", KT_ERR_VARIABLE_ALREADY_BOUND, 1, 25},
        {"MATCH (r)-[r]-() RETURN r", KT_ERR_VARIABLE_TYPE_CONFLICT, 1, 12},
        {"WITH 1 AS n MATCH (n) RETURN n", KT_ERR_VARIABLE_TYPE_CONFLICT, 1, 20},
        {"MATCH (n) WITH [n] AS ns MATCH ()-[ns*]->() RETURN ns", KT_ERR_VARIABLE_TYPE_CONFLICT, 1,
         36},
        {"MATCH (a)-[r]->()-[r]->(a) RETURN r", KT_ERR_RELATIONSHIP_UNIQUENESS_VIOLATION, 1, 20},
        {"WITH 1 AS a, 2 AS a RETURN a", KT_ERR_COLUMN_NAME_CONFLICT, 1, 19},
        {"MATCH (a) RETURN *, 1 AS a", KT_ERR_COLUMN_NAME_CONFLICT, 1, 26},
        {"MATCH (a) WITH a, count(*) RETURN a", KT_ERR_NO_EXPRESSION_ALIAS, 1, 19},
        {"MATCH () RETURN *", KT_ERR_NO_VARIABLES_IN_SCOPE, 1, 17},
        /* aggregates */
        {"MATCH (a) WHERE count(a) > 1 RETURN a", KT_ERR_INVALID_AGGREGATION, 1, 17},
        {"MATCH (a) RETURN a.x ORDER BY max(a.y)", KT_ERR_INVALID_AGGREGATION, 1, 31},
        {"MATCH (a) RETURN [x IN [1] | count(x)]", KT_ERR_INVALID_AGGREGATION, 1, 30},
        {"MATCH (a) SET a.x = count(*)", KT_ERR_INVALID_AGGREGATION, 1, 21},
        {"UNWIND count(*) AS x RETURN x", KT_ERR_INVALID_AGGREGATION, 1, 8},
        {"RETURN count(count(*))", KT_ERR_NESTED_AGGREGATION, 1, 14},
        {"RETURN count(rand())", KT_ERR_NON_CONSTANT_EXPRESSION, 1, 14},
        {"MATCH (a)--(b) RETURN a.x + count(b.x)", KT_ERR_AMBIGUOUS_AGGREGATION_EXPRESSION, 1, 23},
        {"MATCH (a)--(b) WITH a.x + b.x AS g, a.x + b.x + count(*) AS s RETURN *",
         KT_ERR_AMBIGUOUS_AGGREGATION_EXPRESSION, 1, 37},
        {"MATCH (a) RETURN size([(a)--(b) | b]) + count(*)", KT_ERR_NOT_SUPPORTED, 1, 23},
        /* kinds */
        {"RETURN 1 + true", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 8},
        {"RETURN NOT 1", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 12},
        {"RETURN true AND 'a'", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 17},
        {"RETURN 1 IN 2", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 13},
        {"MATCH (n) WHERE n RETURN n", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 17},
        {"MATCH (n) RETURN length(n)", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 25},
        {"MATCH p = ()--() RETURN p.x", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 25},
        {"WITH 1 AS n RETURN n.x", KT_ERR_INVALID_ARGUMENT_TYPE_VALUE, 1, 20},
        {"RETURN any(x IN ['a'] WHERE x % 2 = 0)", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 29},
        {"RETURN [x IN 1 | x]", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 14},
        {"MATCH () DELETE 1 + 1", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 17},
        {"MATCH (n) SET n = 1", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 19},
        {"MATCH ()-[r]->() SET r:A", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 22},
        {"MATCH ()-[r:T]-() DELETE r:T", KT_ERR_INVALID_DELETE, 1, 26},
        {"MATCH (n) RETURN n SKIP 1.5", KT_ERR_INVALID_ARGUMENT_TYPE, 1, 25},
        {"MATCH (n) RETURN n LIMIT -1", KT_ERR_NEGATIVE_INTEGER_ARGUMENT, 1, 26},
        {"MATCH (n) RETURN n LIMIT n.x", KT_ERR_NON_CONSTANT_EXPRESSION, 1, 26},
        {"RETURN 1 AS x LIMIT size([()--() | 1])", KT_ERR_NON_CONSTANT_EXPRESSION, 1, 21},
        /* functions */
        {"MATCH (a) RETURN foo(a)", KT_ERR_UNKNOWN_FUNCTION, 1, 18},
        {"RETURN size()", KT_ERR_INVALID_NUMBER_OF_ARGUMENTS, 1, 8},
        {"RETURN size(DISTINCT [1])", KT_ERR_UNEXPECTED_SYNTAX, 1, 8},
        {"RETURN date()", KT_ERR_NOT_SUPPORTED, 1, 8},
        {"CALL a.b()", KT_ERR_PROCEDURE_NOT_FOUND, 1, 6},
        /* patterns */
        {"MATCH (n) RETURN (n)-->()", KT_ERR_UNEXPECTED_SYNTAX, 1, 18},
        {"MATCH (n) SET n.x = head(nodes(head((n)-[:R]->()))).foo", KT_ERR_UNEXPECTED_SYNTAX, 1,
         37},
        {"CREATE ()-->()", KT_ERR_NO_SINGLE_RELATIONSHIP_TYPE, 1, 10},
        {"MERGE ()-[:A|B]->()", KT_ERR_NO_SINGLE_RELATIONSHIP_TYPE, 1, 9},
        {"CREATE ()-[:A]-()", KT_ERR_REQUIRES_DIRECTED_RELATIONSHIP, 1, 10},
        {"CREATE ()-[:A*2]->()", KT_ERR_CREATING_VAR_LENGTH, 1, 10},
        {"MATCH (n $p) RETURN n", KT_ERR_INVALID_PARAMETER_USE, 1, 10},
        {"MERGE (n $p) RETURN n", KT_ERR_INVALID_PARAMETER_USE, 1, 10},
        {"MATCH p = shortestPath((a)--()--(b)) RETURN p", KT_ERR_UNEXPECTED_SYNTAX, 1, 7},
        {"MATCH p = shortestPath((a)-[*3..]-(b)) RETURN p", KT_ERR_NOT_SUPPORTED, 1, 27},
        {"MATCH (a) RETURN [x IN [a] | exists((x)-->())]", KT_ERR_NOT_SUPPORTED, 1, 38},
        {"MATCH (a) RETURN DISTINCT a ORDER BY size([(a)--(b) | b])", KT_ERR_NOT_SUPPORTED, 1, 43},
        /* order of clauses */
        {"MATCH (n)", KT_ERR_INVALID_CLAUSE_COMPOSITION, 1, 1},
        {"RETURN 1 AS x MATCH (n) RETURN n", KT_ERR_INVALID_CLAUSE_COMPOSITION, 1, 15},
        {"MATCH (n) WHERE EXISTS { MATCH (n) SET n.x = 1 } RETURN n",
         KT_ERR_INVALID_CLAUSE_COMPOSITION, 1, 36},
        {"RETURN 1 AS a UNION RETURN 2 AS b", KT_ERR_DIFFERENT_COLUMNS_IN_UNION, 1, 21},
        {"RETURN 1 AS a UNION RETURN 2 AS a UNION ALL RETURN 3 AS a",
         KT_ERR_INVALID_CLAUSE_COMPOSITION, 1, 45},
        {"FOREACH (x IN [1] | CREATE (n))", KT_ERR_NOT_SUPPORTED, 1, 1},
    };
    for (size_t i = 0; i < KT_COUNT(rows); i++) {
        const KtBound *out = NULL;
        KtStatus status = try_bind(arena, rows[i].text, &out);
        cr_assert_eq(status, rows[i].status, "%s: %s %s", rows[i].text,
                     kt_error_facts(status)->name, diag.message);
        cr_assert_eq(diag.at.line, rows[i].line, "%s: line %u", rows[i].text, diag.at.line);
        cr_assert_eq(diag.at.column, rows[i].column, "%s: column %u: %s", rows[i].text,
                     diag.at.column, diag.message);
        cr_assert(diag.compile_time);
        cr_assert_null(out);
    }
}

Test(query_bind_bind, what_is_right_binds)
{
    static const char *const rows[] = {
        "MATCH (a) RETURN a.name, count(*) ORDER BY a.name, count(*) DESC, max(a.x)",
        "MATCH (a) RETURN a.x, a.x + count(*) AS s",
        "MATCH (a) RETURN a AS b, count(*) ORDER BY a.x, b.y",
        "MATCH (a) WITH a, a.x + count(*) AS s RETURN s",
        "MATCH (a) WITH DISTINCT a.x AS y ORDER BY a.x WHERE a.x > 1 RETURN y",
        "MATCH (a) WITH a.x AS y ORDER BY a.z WHERE a.w RETURN y",
        "MATCH (a) RETURN [x IN collect(a) | x.y]",
        "MATCH (a) WHERE (a)-->() AND NOT (a)<--(:L) RETURN a",
        "MATCH (a) RETURN exists((a)-->()) AS e, CASE WHEN (a)-->() THEN 1 END",
        "MATCH (a) WHERE EXISTS { (a)-->(b) WHERE b.x = a.x } RETURN a",
        "MATCH (a) WHERE EXISTS { MATCH (a)-->(b) WITH b, count(*) AS c WHERE c > 1 RETURN b } RETURN a",
        "MATCH (a) RETURN [(a)-->(b) WHERE b.x | [(b)-->(c) | c.y]]",
        "MATCH (a) RETURN count([(a)-->(b) | b])",
        "MATCH (a), (b) RETURN shortestPath((a)-[*]-(b)), allShortestPaths((a)-[*]-(b))",
        "MATCH ()-[r*]->() MATCH ()-[r*]->() RETURN r",
        "WITH null AS n MATCH (n) RETURN n",
        "WITH $p AS n MATCH (n) RETURN n",
        "CREATE (a {x: 1}), (b {y: a.x})-[:T {z: b.q}]->(c)",
        "MATCH (a {x: b.y}), (b) RETURN a",
        "CREATE (n $p) RETURN n",
        "MATCH (n) RETURN n SKIP $p LIMIT toInteger(3.0) + 1",
        "UNWIND $p AS x RETURN x.y",
        "RETURN null + true, [1, 'a'][0] % 2, head([1]) + 1",
        "RETURN reduce(s = 0, x IN [1, 2] | s + x)",
        "RETURN 1 AS a, 2 AS b UNION RETURN 4 AS b, 3 AS a",
    };
    for (size_t i = 0; i < KT_COUNT(rows); i++) {
        const KtBound *out;
        KtStatus status = try_bind(arena, rows[i], &out);
        /* a relationship's property may not read a node that its own pattern makes */
        if (strstr(rows[i], "b.q"))
            cr_assert_eq(status, KT_ERR_UNDEFINED_VARIABLE, "%s", rows[i]);
        else
            cr_assert_eq(status, KT_OK, "%s: %u:%u %s", rows[i], diag.at.line, diag.at.column,
                         diag.message);
    }
}

Test(query_bind_bind, a_variable_keeps_its_slot_under_another_name)
{
    const KtBound *b = bound("MATCH (a)-->(c) WITH a AS x, c, a.y AS z RETURN x, z");
    KtSlot a = clause(b, 0)->as.match.pattern[0].node[0].slot;
    const KtBoundItem *item = clause(b, 1)->as.project.item;
    cr_assert(item[0].plain);
    cr_assert_eq(item[0].slot, a);
    cr_assert(IS(item[0].name, "x"));
    cr_assert_not(item[2].plain);
    cr_assert_eq(clause(b, 2)->as.project.item[0].slot, a);
    cr_assert_eq(clause(b, 2)->as.project.item[1].slot, item[2].slot);
    cr_assert_eq(b->query->column[0], a);
    cr_assert(IS(b->column[0], "x"));
}

Test(query_bind_bind, columns_are_named_as_written_and_star_goes_by_name)
{
    const KtBound *b = bound("MATCH (b)-->(a) RETURN  a.x+1 , CoUnT( * )");
    cr_assert(IS(b->column[0], "a.x+1"));
    cr_assert(IS(b->column[1], "CoUnT( * )"));
    b = bound("MATCH (b)-[r]->(a) RETURN *, 1 AS _");
    cr_assert_eq(b->columns, 4);
    cr_assert(IS(b->column[0], "a") && IS(b->column[1], "b") && IS(b->column[2], "r") &&
              IS(b->column[3], "_"));
}

Test(query_bind_bind, grouping_splits_keys_from_aggregates)
{
    const KtBound *b = bound(
        "MATCH (a)-->(c) RETURN a, a.x AS x, c.y, count(DISTINCT c) + a.x * 2 AS n, sum(a.x) ORDER BY n, max(c.z)");
    const KtBoundClause *p = clause(b, 1);
    cr_assert(p->as.project.aggregates);
    cr_assert_eq(p->as.project.keys, 3);
    cr_assert(p->as.project.key[0].plain);
    cr_assert_not(p->as.project.key[1].plain);
    cr_assert_eq(p->as.project.n_aggregates, 3);
    cr_assert(p->as.project.aggregate[0].distinct);
    cr_assert_eq(p->as.project.item[1].slot, p->as.project.key[1].slot);
    cr_assert_eq(p->as.project.item[3].expr->kind, KT_EXPR_CALL);
    const KtExpr *product = p->as.project.item[3].expr->arg[1];
    cr_assert_eq(product->arg[0]->kind, KT_EXPR_SLOT);
    cr_assert_eq(product->arg[0]->as.slot, p->as.project.key[1].slot,
                 "a.x beside the aggregate is the key");
    cr_assert_eq(p->as.project.sort[0].expr->as.slot, p->as.project.item[3].slot);
    cr_assert_eq(p->as.project.sort[1].expr->as.slot, p->as.project.aggregate[2].slot);
}

Test(query_bind_bind, patterns_say_what_is_bound)
{
    const KtBound *b =
        bound("MATCH (a) MATCH (a)-[r:T|U*2..4 {k: 1}]->(b:L {x: $q}), (b)<--(:M) RETURN r");
    const KtBoundPattern *p = clause(b, 1)->as.match.pattern;
    cr_assert_eq(clause(b, 1)->as.match.patterns, 2);
    cr_assert(p[0].node[0].bound && p[0].node[0].named);
    cr_assert_not(p[0].node[1].bound);
    cr_assert(p[1].node[0].bound, "bound by the pattern before");
    cr_assert_not(p[1].node[1].named);
    cr_assert_eq(p[0].rel[0].types, 2);
    cr_assert(p[0].rel[0].var_length && p[0].rel[0].min == 2 && p[0].rel[0].max == 4);
    cr_assert_eq(p[0].rel[0].dir, KT_OUT);
    cr_assert_eq(p[1].rel[0].dir, KT_IN);
    cr_assert_eq(p[0].path, KT_NO_SLOT);
    cr_assert_eq(b->params, 1);
    cr_assert(IS(b->param[0], "q"));
    cr_assert(IS(b->name[p[0].node[1].label[0]].text, "L"));
    cr_assert_eq(b->name[p[0].rel[0].type[1]].kind, KT_NAME_TYPE);
    cr_assert_eq(b->slot[p[0].rel[0].slot].type.kinds, KT_KIND_BIT(KT_LIST));
}

Test(query_bind_bind, subqueries_hang_on_the_clause_that_reads_them)
{
    const KtBound *b = bound(
        "MATCH (a) WHERE NOT (a)-->() WITH a, [(a)--(c) WHERE c.x | c.y] AS ys WHERE EXISTS { (a)-->(d) } RETURN ys");
    const KtBoundClause *m = clause(b, 0), *w = clause(b, 1);
    cr_assert_eq(m->subqueries.n, 1);
    cr_assert_eq(m->subqueries.at[0].kind, KT_SUBQUERY_EXISTS);
    cr_assert_eq(m->as.match.where->arg[0]->as.slot, m->subqueries.at[0].slot);
    cr_assert_eq(w->subqueries.n, 1);
    cr_assert_eq(w->subqueries.at[0].kind, KT_SUBQUERY_COLLECT);
    cr_assert_eq(w->subqueries.at[0].query->part[0].clauses, 2);
    cr_assert_eq(w->as.project.where_subqueries.n, 1);
    cr_assert(w->subqueries.at[0].query->part[0].clause[0].as.match.pattern[0].node[0].bound);
}

Test(query_bind_bind, a_union_is_put_in_the_order_of_its_first_side)
{
    const KtBound *b = bound("RETURN 1 AS a, 'x' AS b UNION RETURN 'y' AS b, 2.5 AS a");
    const KtBoundQuery *q = b->query;
    cr_assert_eq(q->parts, 2);
    cr_assert_not(q->union_all);
    cr_assert_eq(q->part[1].column[0], q->part[1].clause[0].as.project.item[1].slot);
    cr_assert_neq(q->column[0], q->part[0].column[0]);
    cr_assert_eq(b->slot[q->column[0]].type.kinds, KT_KIND_BIT(KT_INT) | KT_KIND_BIT(KT_FLOAT));
}

Test(query_bind_bind, writes_and_schema_statements_say_so)
{
    cr_assert(bound("MATCH (a) SET a.x = 1")->query->writes);
    cr_assert_not(bound("MATCH (a) RETURN a")->query->writes);
    const KtBound *b = bound("CREATE CONSTRAINT c IF NOT EXISTS FOR (p:P) REQUIRE p.k IS UNIQUE");
    cr_assert_eq(b->schema, KT_SCHEMA_CREATE_UNIQUE);
    cr_assert(IS(b->schema_as.name, "c") && IS(b->schema_as.label, "P") &&
              IS(b->schema_as.key, "k") && b->schema_as.if_exists);
    b = bound("SHOW INDEXES");
    cr_assert_eq(clause(b, 0)->kind, KT_CLAUSE_SHOW);
    cr_assert_eq(clause(b, 0)->as.show.slots, b->columns);
}

Test(query_bind_bind, comparisons_chain_and_constants_fill_in)
{
    const KtBound *b = bound("RETURN 1 < $p <= 3, [1, 2][..1], CASE $p WHEN 1 THEN 2 END");
    const KtBoundItem *item = clause(b, 0)->as.project.item;
    cr_assert_eq(item[0].expr->kind, KT_EXPR_AND);
    cr_assert_eq(item[0].expr->args, 2);
    cr_assert_eq(item[1].expr->args, 3);
    cr_assert_eq(item[1].expr->arg[1]->as.value.as.i, 0);
    cr_assert_eq(item[2].expr->args, 4);
    cr_assert(item[2].expr->as.has_operand);
    cr_assert_eq(item[2].expr->arg[3]->as.value.kind, KT_NULL);
}

Test(query_bind_bind, wide_statements_bind_in_linear_time_and_deep_ones_are_refused)
{
    size_t n = 60000;
    char *text = malloc(n * 16 + 64), *at = stpcpy(text, "MATCH (a0)");
    for (size_t i = 1; i < n; i++)
        at += sprintf(at, ",(a%zu)", i);
    stpcpy(at, " RETURN *");
    const KtBound *b = bound(text);
    cr_assert_eq(b->columns, n);
    kt_arena_reset(arena);

    at = stpcpy(text, "RETURN 1");
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, "+1");
    const KtBound *out;
    cr_assert_eq(try_bind(arena, text, &out), KT_ERR_TOO_COMPLEX);
    kt_arena_reset(arena);

    at = stpcpy(text, "RETURN true");
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, " OR true");
    cr_assert_eq(bound(text)->columns, 1);
    kt_arena_reset(arena);

    at = stpcpy(text, "MATCH (n) RETURN DISTINCT n.x0");
    for (size_t i = 1; i < n / 2; i++)
        at += sprintf(at, ",n.x%zu", i);
    at = stpcpy(at, " ORDER BY n.y");
    for (size_t i = 1; i < n / 2; i++)
        at += sprintf(at, ",n.x%zu", i);
    KtStatus status = try_bind(arena, text, &out);
    cr_assert(status == KT_ERR_TOO_COMPLEX || status == KT_ERR_UNDEFINED_VARIABLE);
    free(text);
}

Test(query_bind_bind, memory_that_runs_out_is_an_error)
{
    const char *text =
        "MATCH p = (a:A {x: [1, 2, {b: $p}]})-[:T*1..3]->() WHERE a.x IN [x IN a.y WHERE x | x + 'it'] AND (a)-->() "
        "WITH a, count(*) AS c, [(a)--(d) | d.x] AS ds ORDER BY c SKIP 1 LIMIT 2 WHERE c > 1 "
        "MERGE (a)-[r:T]->(z) ON CREATE SET r.x = 1 DELETE z RETURN *";
    for (size_t limit = 0;; limit += 512) {
        KtBudget budget;
        kt_budget_init(&budget, NULL, limit + 1);
        KtArena *small;
        const KtBound *out;
        if (kt_arena_open(&budget, &small) != KT_OK)
            continue;
        KtStatus status = try_bind(small, text, &out);
        kt_arena_close(small);
        if (status == KT_OK)
            break;
        cr_assert_eq(status, KT_ERR_MEMORY, "%s", diag.message);
        cr_assert_lt(limit, 1 << 20);
    }
}

Test(query_bind_bind, a_row_that_may_take_long_is_known_from_the_statement)
{
    static const char *const shorts[] = {
        "MATCH (n) WHERE n.x < 5 RETURN n",
        "MATCH (a)-->(b) WHERE id(a) = $p RETURN b.name, b.age + 1",
        "MATCH (n) WHERE id(n) IN $p OR n.name IN ['a', 'b'] RETURN n, labels(n), properties(n)",
        "MATCH (a {name: $p})-[r:R {x: 1}]->(b:B) RETURN b.first + ' ' + b.last AS name ORDER BY name",
        "MATCH (n) WHERE n.name STARTS WITH 'a' AND $p = n.name RETURN n {.name, x: $p}",
        "UNWIND $p AS row MATCH (n {id: row.id}) SET n.x = row.x RETURN n.x, count(*)",
        "MATCH (n)-->(m) RETURN n, collect(m.name) AS names",
        "MATCH (n)-->(m) WHERE n <> m AND n.x > 1 RETURN max(m.x), count(DISTINCT m)",
        "MATCH p = (n)-[*1..3]->(m) RETURN p, length(p), nodes(p)",
        "CREATE (n {x: 1, name: $p}) RETURN n",
        "MATCH (n) RETURN CASE n.x WHEN 1 THEN 'a' ELSE n.name END",
        "CREATE INDEX i FOR (n:L) ON (n.x)",
        "RETURN 1",
    };
    static const char *const longs[] = {
        "RETURN range(1, $p)",
        "UNWIND range(1, 10) AS i RETURN i",
        "RETURN replace($p, 'a', $q)",
        "RETURN split($p, ',')",
        "MATCH (n) WHERE n.name =~ $p RETURN n",
        "MATCH (n) WHERE n.name CONTAINS $p RETURN n",
        "MATCH (n) WHERE $p IN n.list RETURN n",
        "RETURN reverse($p)",
        "MATCH (n) RETURN toUpper(n.name)",
        "RETURN [x IN $p | x]",
        "RETURN all(x IN $p WHERE x > 1)",
        "MATCH (a)-->(b) WHERE a.name = b.name RETURN a",
        "MATCH (a)-->(b) RETURN CASE a.name WHEN 1 THEN 2 WHEN b.name THEN 3 END",
        "MATCH (a)-->(b) WHERE a.name STARTS WITH b.name RETURN a",
        "MATCH (a) MATCH (b {name: a.name}) RETURN b",
        "MATCH (n) WITH collect(n.x) AS l MATCH (m) WHERE m.x IN l RETURN m",
        "MATCH (n) WITH collect(n.x) AS l RETURN l + l",
        "MATCH (n) WITH collect(n.x) AS l UNWIND l AS x RETURN DISTINCT x",
        "MATCH (n) WITH collect(n.x) AS l MATCH (m) RETURN l, max(m.x)",
        "MATCH (n) WITH collect(n.x) AS l MATCH (m) RETURN m ORDER BY l",
        "WITH $p AS a WITH a + a AS a WITH a + a AS a WITH a + a AS a WITH a + a AS a WITH a + a AS a "
        "WITH a + a AS a WITH a + a AS a RETURN a",
        "WITH $p AS a WITH [a, a] AS a WITH [a, a] AS a WITH [a, a] AS a WITH [a, a] AS a WITH [a, a] AS a "
        "WITH [a, a] AS a WITH [a, a] AS a RETURN a",
        "MATCH (n) WHERE EXISTS { MATCH (n)-->(m) WHERE m.name CONTAINS 'x' } RETURN n",
        "MATCH (n) WITH n, [(n)-->(m) | m.x] AS l WHERE 1 IN l RETURN n",
        "MATCH (n) RETURN n {.*}",
        "MATCH (n) WHERE n {.x, .*}.y = 1 RETURN n",
        "MATCH (n) RETURN n {.a, .b, .c, .d, .e, .f, .g, .h, .i, .j, .k, .l, .m, .n, .o, .p, .q} AS m",
        "RETURN 1 AS x UNION ALL RETURN size(range(1, 10)) AS x",
    };
    for (size_t i = 0; i < KT_COUNT(shorts); i++)
        cr_expect_not(kt_bound_loops(bound(shorts[i])), "%s", shorts[i]);
    for (size_t i = 0; i < KT_COUNT(longs); i++)
        cr_expect(kt_bound_loops(bound(longs[i])), "%s", longs[i]);
}
