/* Expressions from their text: parsed, bound, compiled and run. The rows follow openCypher's own scenarios. */
#include "query/bind/bind.h"
#include "query/parse/parse.h"
#include "tests/unit/query/expr/build.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(query_expr_text, .init = build_setup, .fini = build_teardown);

typedef struct Row {
    const char *expr, *want; /* want: a value, or "compile NAME" or "run NAME" of an error */
} Row;

static KtStatus bind_text(const char *expr, const KtExpr **out)
{
    size_t cap = strlen(expr) + 16;
    char *text = kt_arena_alloc(f.arena, cap);
    int n = snprintf(text, cap, "RETURN %s AS x", expr);
    const KtAstStatement *ast;
    const KtBound *bound;
    KtValue params = literal(
        f.arena, "{param: 1, list: ['Apa'], map: {name: 'Apa'}, number: 100, nothing: null}");
    KT_TRY(kt_parse((KtText){text, (uint32_t)n}, f.arena, &f.diag, &ast));
    KT_TRY(kt_bind(ast, params, f.arena, &f.diag, &bound));
    KtValue *param = kt_arena_zero(f.arena, bound->params + 1, sizeof *param);
    for (uint32_t i = 0; i < bound->params; i++)
        param[i] = *kt_map_get(params, bound->param[i]);
    f.x.bound = bound;
    f.x.token = kt_arena_zero(f.arena, bound->names + 1, sizeof *f.x.token);
    f.x.param = param;
    const KtBoundPart *part = &bound->query->part[0];
    *out = part->clause[part->clauses - 1].as.project.item[0].expr;
    return KT_OK;
}

static const char *error(const char *when, KtStatus status)
{
    char text[80];
    int n = snprintf(text, sizeof text, "%s %s", when, kt_error_facts(status)->name);
    return kt_arena_text(f.arena, text, (size_t)n);
}

static const char *value_of(const char *text)
{
    const KtExpr *expr;
    const KtProgram *program;
    KtValue value;
    kt_diag_clear(&f.diag);
    KtStatus status = bind_text(text, &expr);
    if (status != KT_OK)
        return error("compile", status);
    cr_assert_eq(kt_program_compile(f.arena, expr, &program), KT_OK);
    status = kt_program_value(program, &f.x, f.arena, &value);
    return status == KT_OK ? printed(f.arena, value) : error("run", status);
}

#define TABLE(...)                                                                      \
    static const Row rows[] = {__VA_ARGS__};                                            \
    for (size_t i = 0; i < KT_COUNT(rows); i++) {                                       \
        const char *got = value_of(rows[i].expr);                                       \
        cr_expect_str_eq(got, rows[i].want, "%s is %s, not %s (%s)", rows[i].expr, got, \
                         rows[i].want, f.diag.message);                                 \
    }

Test(query_expr_text, operators_bind_by_their_precedence)
{
    TABLE({"12 / 4 * 3 - 2 * 4", "1"}, {"12 / 4 * (3 - 2 * 4)", "-15"}, {"2 ^ 3 ^ 2", "64.0"},
          {"-2 ^ 2", "4.0"}, {"NOT true OR true", "true"}, {"NOT (true OR true)", "false"},
          {"true OR true XOR true", "true"}, {"(true OR true) XOR true", "false"},
          {"1 < 2 < 3", "true"}, {"1 < 3 < 2", "false"}, {"3 < 1 < 1 / 0", "false"},
          {"[1] + 2 IN [3] + 4", "false"}, {"1 + 2 IN [3]", "true"},
          {"'a' + 'b' STARTS WITH 'a'", "true"}, {"1 IS NULL", "false"},
          {"null IS NULL = true", "true"}, {"[1, 2][0] + 1", "2"}, {"-[1, 2][1]", "-2"},
          {"4 <> 4.0", "false"}, {"-9223372036854775808", "-9223372036854775808"}, {"0x10", "16"},
          {"0o17", "15"}, {"1e3", "1000.0"}, {".5", "0.5"}, {"- -1", "1"});
}

Test(query_expr_text, logic_has_three_values)
{
    TABLE({"true AND null", "null"}, {"false AND null", "false"}, {"true OR null", "true"},
          {"null XOR true", "null"}, {"NOT null", "null"},
          {"123 AND true", "compile INVALID_ARGUMENT_TYPE"},
          {"NOT 0", "compile INVALID_ARGUMENT_TYPE"},
          {"'a' XOR true", "compile INVALID_ARGUMENT_TYPE"},
          {"$number AND true", "run INVALID_ARGUMENT_TYPE_VALUE"},
          {"[] OR true", "compile INVALID_ARGUMENT_TYPE"}, {"false AND 1 / 0 > 1", "false"},
          {"true OR 1 / 0 > 1", "true"});
}

Test(query_expr_text, lists_are_indexed_sliced_and_searched)
{
    TABLE({"[1, 2, 3][1..]", "[2, 3]"}, {"[1, 2, 3][..2]", "[1, 2]"},
          {"[1, 2, 3][0..-1]", "[1, 2]"}, {"[1, 2, 3][null..2]", "null"},
          {"[1, 2, 3][..null]", "null"}, {"[[1, 2], [3]][0][1]", "2"}, {"[1, 2, 3][5]", "null"},
          {"3 IN [[1, 2, 3]][0]", "true"}, {"[1, 2] IN [1, [1, '2']]", "false"},
          {"[1, 2] IN [1, [1, null]]", "null"}, {"null IN []", "false"},
          {"[] IN [1, 2, null]", "null"}, {"1 IN 'a'", "compile INVALID_ARGUMENT_TYPE"},
          {"$number[0]", "run INVALID_ARGUMENT_TYPE_VALUE"}, {"$list[$param - 1]", "'Apa'"},
          {"$map[0]", "run MAP_ELEMENT_ACCESS_BY_NON_STRING"}, {"$map['name']", "'Apa'"},
          {"$list['a']", "run LIST_ELEMENT_ACCESS_BY_NON_INTEGER"},
          {"[1, 10, 100] + [4, 5]", "[1, 10, 100, 4, 5]"},
          {"[false, true] + false", "[false, true, false]"}, {"$nothing[0]", "null"},
          {"size($list)", "1"});
}

Test(query_expr_text, maps_have_entries)
{
    TABLE({"{a: 1}.a", "1"}, {"{a: 1}.b", "null"}, {"{a: {b: [1, 2]}}.a.b[1]", "2"},
          {"$map.name", "'Apa'"}, {"$nothing.x", "null"}, {"{a: 1, b: 'x'}['b']", "'x'"},
          {"keys({name: 'Alice', age: 38})", "['name', 'age']"}, {"{}", "{}"},
          {"$number.x", "run INVALID_ARGUMENT_TYPE_VALUE"},
          {"'a'.x", "compile INVALID_ARGUMENT_TYPE_VALUE"}, {"properties({a: 1})", "{a: 1}"},
          {"properties('Cypher')", "compile INVALID_ARGUMENT_TYPE"});
}

Test(query_expr_text, conditions_choose)
{
    TABLE({"CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE 'c' END", "'b'"},
          {"CASE WHEN false THEN 1 END", "null"}, {"CASE WHEN null THEN 1 ELSE 2 END", "2"},
          {"CASE null WHEN null THEN 1 ELSE 2 END", "2"},
          {"CASE 1 WHEN 1.0 THEN 'same' END", "'same'"}, {"coalesce(null, 2, 1 / 0)", "2"},
          {"coalesce(null)", "null"});
}

Test(query_expr_text, bodies_run_for_each_element)
{
    TABLE({"[x IN [1, 2, 3] WHERE x > 1 | x * 10]", "[20, 30]"}, {"[x IN [1, 2]]", "[1, 2]"},
          {"[x IN null | x]", "null"}, {"all(x IN [1, 2] WHERE x > 0)", "true"},
          {"any(x IN [1, null] WHERE x = 2)", "null"}, {"none(x IN [] WHERE x > 0)", "true"},
          {"single(x IN [1, 2, 3] WHERE x = 2)", "true"},
          {"none(x IN ['Clara'] WHERE x % 2 = 0)", "compile INVALID_ARGUMENT_TYPE"},
          {"reduce(a = 0, x IN [1, 2, 3] | a + x)", "6"},
          {"[x IN [[1], [2]] | [y IN x | y + 1]]", "[[2], [3]]"},
          {"[x IN [1, '', []] | toString(x)]", "run INVALID_ARGUMENT_VALUE"},
          {"[x IN [2, 2.9, '1.7'] | toInteger(x)]", "[2, 2, 1]"},
          {"size([x IN range(1, 3000) WHERE x % 2 = 0])", "1500"});
}

Test(query_expr_text, calls_are_judged_before_they_run)
{
    TABLE(
        {"toUpper('a')", "'A'"}, {"TOUPPER('a')", "'A'"}, {"nosuch(1)", "compile UNKNOWN_FUNCTION"},
        {"substring('a')", "compile INVALID_NUMBER_OF_ARGUMENTS"},
        {"date()", "compile NOT_SUPPORTED"}, {"range(2, 8, 0)", "run NUMBER_OUT_OF_RANGE"},
        {"range(true, 1, 1)", "run ARGUMENT_TYPE"}, {"1 / 0", "run DIVISION_BY_ZERO"},
        {"9223372036854775807 + 1", "run INTEGER_OVERFLOW"},
        {"true + 1", "compile INVALID_ARGUMENT_TYPE"}, {"exists({a: 1}.a)", "true"},
        {"'abc' =~ 'A.C'", "false"}, {"toString(1.0)", "'1.0'"}, {"sqrt(12.96)", "3.6"},
        {"reverse('raksO')", "'Oskar'"}, {"labels(null)", "null"}, {"toInteger(1 - $param)", "0"});
}
