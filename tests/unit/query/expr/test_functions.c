/* Functions and operators on single values, as a table of literals. */
#include "query/expr/expr_internal.h"
#include "tests/unit/query/expr/build.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(query_expr_functions, .init = build_setup, .fini = build_teardown);

typedef struct Row {
    const char *function, *args, *want; /* want: a literal, or the name of an error */
} Row;

static void expect(const Row *row)
{
    const KtFunction *fn =
        kt_function_find((KtText){row->function, (uint32_t)strlen(row->function)});
    cr_assert_not_null(fn, "%s", row->function);
    KtValue args = literal(f.arena, row->args), out = kt_null();
    KtDiag diag = {0};
    KtCall call = {.arena = f.arena, .diag = &diag, .x = &f.x};
    KtStatus status = kt_function_call(fn, &call, args.as.list, args.len, &out);
    const char *got = status == KT_OK ? printed(f.arena, out) : kt_error_facts(status)->name;
    cr_expect_str_eq(got, row->want, "%s%s is %s, not %s %s", row->function, row->args, got,
                     row->want, diag.message);
    if (status != KT_OK)
        cr_expect_eq(diag.status, status, "%s%s: an error without words", row->function, row->args);
}

#define TABLE(...)                              \
    static const Row rows[] = {__VA_ARGS__};    \
    for (size_t i = 0; i < KT_COUNT(rows); i++) \
    expect(&rows[i])

Test(query_expr_functions, arithmetic_is_exact_or_fails)
{
    TABLE({"+", "[1, 2]", "3"}, {"+", "[9223372036854775807, 1]", "INTEGER_OVERFLOW"},
          {"+", "[1, 0.5]", "1.5"}, {"+", "['a', 'b']", "'ab'"}, {"+", "['a', 1]", "'a1'"},
          {"+", "[1.5, 'a']", "'1.5a'"}, {"+", "[[1], [2, 3]]", "[1, 2, 3]"},
          {"+", "[[1], 2]", "[1, 2]"}, {"+", "[0, [1]]", "[0, 1]"}, {"+", "[[], []]", "[]"},
          {"+", "[null, 1]", "null"}, {"+", "[[1], null]", "null"},
          {"+", "[true, 1]", "INVALID_ARGUMENT_TYPE_VALUE"},
          {"+", "[{}, 1]", "INVALID_ARGUMENT_TYPE_VALUE"}, {"-", "[1, 2]", "-1"},
          {"-", "[-9223372036854775808, 1]", "INTEGER_OVERFLOW"}, {"-", "[1.5, 1]", "0.5"},
          {"-", "['a', 1]", "INVALID_ARGUMENT_TYPE_VALUE"}, {"*", "[3, 4]", "12"},
          {"*", "[4611686018427387904, 2]", "INTEGER_OVERFLOW"}, {"*", "[2, 1.5]", "3.0"},
          {"/", "[7, 2]", "3"}, {"/", "[-7, 2]", "-3"}, {"/", "[7, 2.0]", "3.5"},
          {"/", "[1, 0]", "DIVISION_BY_ZERO"}, {"/", "[1, 0.0]", "Infinity"},
          {"/", "[0.0, 0.0]", "NaN"}, {"/", "[-9223372036854775808, -1]", "INTEGER_OVERFLOW"},
          {"%", "[7, 3]", "1"}, {"%", "[-7, 3]", "-1"}, {"%", "[-9223372036854775808, -1]", "0"},
          {"%", "[7, 0]", "DIVISION_BY_ZERO"}, {"%", "[7.5, 2]", "1.5"}, {"^", "[2, 3]", "8.0"},
          {"^", "[4, 0.5]", "2.0"}, {"unary -", "[5]", "-5"},
          {"unary -", "[-9223372036854775808]", "INTEGER_OVERFLOW"}, {"unary +", "[5]", "5"});
}

Test(query_expr_functions, comparisons_know_three_answers)
{
    TABLE({"=", "[1, 1.0]", "true"}, {"=", "[1, '1']", "false"}, {"=", "[null, null]", "null"},
          {"=", "[NaN, NaN]", "false"}, {"<>", "[NaN, NaN]", "true"}, {"<>", "[1, null]", "null"},
          {"=", "[[1, null], [1, 2]]", "null"}, {"=", "[[1], [1, null]]", "false"},
          {"=", "[{a: 1}, {a: 1.0}]", "true"}, {"<", "[1, 2]", "true"}, {"<", "[1, 'a']", "null"},
          {"<", "[1, NaN]", "false"}, {">=", "[NaN, NaN]", "false"}, {"<", "['a', 'b']", "true"},
          {">", "[true, false]", "true"}, {">=", "[[1, 0], [1]]", "true"},
          {">=", "[[1, null], [1]]", "true"}, {">=", "[[1, 2], [1, null]]", "null"},
          {">=", "[[1, 2], [3, null]]", "false"}, {"<", "[{}, {}]", "null"},
          {"<=", "[2, 2.0]", "true"}, {"IN", "[1, [1, 2]]", "true"},
          {"IN", "[3, [1, null]]", "null"}, {"IN", "[null, []]", "false"},
          {"IN", "[null, [1]]", "null"}, {"IN", "[1, null]", "null"},
          {"IN", "[[1], [[1]]]", "true"}, {"IN", "[1, 2]", "INVALID_ARGUMENT_TYPE_VALUE"},
          {"NOT", "[true]", "false"}, {"NOT", "[null]", "null"},
          {"NOT", "[1]", "INVALID_ARGUMENT_TYPE_VALUE"}, {"XOR", "[true, false]", "true"},
          {"XOR", "[true, null]", "null"}, {"IS NULL", "[null]", "true"},
          {"IS NOT NULL", "[1]", "true"}, {"exists", "[null]", "false"});
}

Test(query_expr_functions, text_operators_answer_null_for_what_is_no_text)
{
    TABLE({"STARTS WITH", "['abc', 'ab']", "true"}, {"STARTS WITH", "['abc', '']", "true"},
          {"STARTS WITH", "['a', 'ab']", "false"}, {"STARTS WITH", "[1, 'a']", "null"},
          {"ENDS WITH", "['abc', 'bc']", "true"}, {"ENDS WITH", "['abc', [1]]", "null"},
          {"CONTAINS", "['abc', 'b']", "true"}, {"CONTAINS", "['abc', 'd']", "false"},
          {"CONTAINS", "['abc', null]", "null"}, {"=~", "['abc', 'a.c']", "true"},
          {"=~", "['abcd', 'a.c']", "false"}, {"=~", "['aBc', '(?i)abc']", "true"},
          {"=~", "['abc', '[']", "INVALID_ARGUMENT_VALUE"}, {"=~", "['', '']", "true"},
          {"=~", "['a', 'a|ab']", "true"}, {"=~", "['ab', 'a|ab']", "true"},
          {"=~", "[1, 'a']", "null"},
          {"=~", "['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab', '(a+)+[cd]']",
           "PATTERN_TOO_EXPENSIVE"},
          {"=~", "['x\xC3\xA9y', 'x.y']", "true"});
}

Test(query_expr_functions, elements_are_found_by_index_and_key)
{
    TABLE({"[]", "[[1, 2, 3], 0]", "1"}, {"[]", "[[1, 2, 3], -1]", "3"},
          {"[]", "[[1, 2, 3], 3]", "null"}, {"[]", "[[1, 2, 3], -4]", "null"},
          {"[]", "[{a: 1}, 'a']", "1"}, {"[]", "[{a: 1}, 'A']", "null"},
          {"[]", "[null, 1]", "null"}, {"[]", "[[1], null]", "null"},
          {"[]", "[[1], 'a']", "LIST_ELEMENT_ACCESS_BY_NON_INTEGER"},
          {"[]", "[{a: 1}, 0]", "MAP_ELEMENT_ACCESS_BY_NON_STRING"},
          {"[]", "[{a: 1}, 12.3]", "MAP_ELEMENT_ACCESS_BY_NON_STRING"},
          {"[]", "[100, 0]", "INVALID_ARGUMENT_TYPE_VALUE"}, {"[]", "[(#3), 'num']", "3"},
          {"[]", "[(#3), 'unknown']", "null"},
          {"[]", "[(#3), 1]", "MAP_ELEMENT_ACCESS_BY_NON_STRING"},
          {"[..]", "[[1, 2, 3], 0, 2]", "[1, 2]"},
          {"[..]", "[[1, 2, 3], 1, 9223372036854775807]", "[2, 3]"},
          {"[..]", "[[1, 2, 3], -3, -1]", "[1, 2]"}, {"[..]", "[[1, 2, 3], 2, 1]", "[]"},
          {"[..]", "[[1, 2, 3], -100, 100]", "[1, 2, 3]"}, {"[..]", "[[1], null, 1]", "null"});
}

Test(query_expr_functions, numbers)
{
    TABLE({"abs", "[-1]", "1"}, {"abs", "[-1.5]", "1.5"},
          {"abs", "[-9223372036854775808]", "INTEGER_OVERFLOW"},
          {"abs", "['a']", "INVALID_ARGUMENT_VALUE"}, {"ceil", "[1.2]", "2.0"},
          {"floor", "[-1.2]", "-2.0"}, {"ceil", "[3]", "3.0"}, {"round", "[1.5]", "2.0"},
          {"round", "[-1.5]", "-1.0"}, {"round", "[2.4]", "2.0"},
          {"round", "[0.49999999999999994]", "0.0"}, {"round", "[1.005, 2]", "1.01"},
          {"round", "[9.99, 1]", "10.0"}, {"round", "[-1.55, 1]", "-1.6"},
          {"round", "[1e300, 2]", "1e+300"}, {"round", "[0.00001, 3]", "0.0"},
          {"round", "[1.5, -1]", "NUMBER_OUT_OF_RANGE"}, {"sign", "[-3.5]", "-1"},
          {"sign", "[0]", "0"}, {"sqrt", "[12.96]", "3.6"}, {"sqrt", "[-1]", "NaN"},
          {"exp", "[0]", "1.0"}, {"log", "[1]", "0.0"}, {"log10", "[100]", "2.0"},
          {"e", "[]", "2.718281828459045"}, {"pi", "[]", "3.141592653589793"},
          {"sin", "[0]", "0.0"}, {"cos", "[0]", "1.0"}, {"tan", "[0]", "0.0"},
          {"cot", "[0.0]", "Infinity"}, {"asin", "[0]", "0.0"}, {"acos", "[1]", "0.0"},
          {"atan", "[0]", "0.0"}, {"atan2", "[0, 1]", "0.0"}, {"degrees", "[0]", "0.0"},
          {"radians", "[180]", "3.141592653589793"}, {"haversin", "[0]", "0.0"},
          {"isNaN", "[NaN]", "true"}, {"isNaN", "[1]", "false"}, {"timestamp", "[]", "1234"});
}

Test(query_expr_functions, conversions_give_null_for_texts_that_are_none)
{
    TABLE({"toString", "[42]", "'42'"}, {"toString", "[1.0]", "'1.0'"},
          {"toString", "[true]", "'true'"}, {"toString", "['a']", "'a'"},
          {"toString", "[null]", "null"}, {"toString", "[[]]", "INVALID_ARGUMENT_VALUE"},
          {"toString", "[(#1)]", "INVALID_ARGUMENT_VALUE"}, {"toStringOrNull", "[[]]", "null"},
          {"toInteger", "[82.9]", "82"}, {"toInteger", "['foo']", "null"},
          {"toInteger", "['']", "null"}, {"toInteger", "['2.9']", "2"},
          {"toInteger", "[1e300]", "null"}, {"toInteger", "[{}]", "INVALID_ARGUMENT_VALUE"},
          {"toInteger", "['-12']", "-12"}, {"toInteger", "[true]", "1"},
          {"toIntegerOrNull", "[{}]", "null"}, {"toFloat", "['1.5']", "1.5"},
          {"toFloat", "[3]", "3.0"}, {"toFloat", "['x']", "null"},
          {"toFloat", "[true]", "INVALID_ARGUMENT_VALUE"}, {"toFloatOrNull", "[true]", "null"},
          {"toBoolean", "['TRUE']", "true"}, {"toBoolean", "['false']", "false"},
          {"toBoolean", "[' tru ']", "null"}, {"toBoolean", "[1.0]", "INVALID_ARGUMENT_VALUE"},
          {"toBoolean", "[0]", "false"}, {"toBooleanOrNull", "[1.0]", "null"});
}

Test(query_expr_functions, texts_are_counted_in_characters)
{
    TABLE({"toUpper",
           "['stra\xC3\x9F"
           "e \xC3\xA9']",
           "'STRASSE \xC3\x89'"},
          {"toLower", "['\xC3\x89\xCE\xA9 A']", "'\xC3\xA9\xCF\x89 a'"},
          {"toUpper", "['\xD1\x8F\xC4\x81']", "'\xD0\xAF\xC4\x80'"},
          {"trim", "['  a b ']", "'a b'"}, {"lTrim", "['  a ']", "'a '"},
          {"rTrim", "['  a\xE3\x80\x80 ']", "'  a'"}, {"trim", "['   ']", "''"},
          {"replace", "['hello', 'l', 'L']", "'heLLo'"}, {"replace", "['aaa', 'aa', 'b']", "'ba'"},
          {"replace", "['abc', 'x', 'y']", "'abc'"}, {"replace", "['ab', '', '-']", "'-a-b-'"},
          {"replace", "['', '', 'x']", "'x'"}, {"replace", "['abc', 'b', '']", "'ac'"},
          {"split", "['one,two', ',']", "['one', 'two']"},
          {"split", "['a,,b', ',']", "['a', '', 'b']"}, {"split", "['', ',']", "['']"},
          {"split", "['ab', '']", "['a', 'b']"},
          {"split", "['a,b;c', [',', ';']]", "['a', 'b', 'c']"},
          {"split", "['a,', ',']", "['a', '']"}, {"split", "['a', [1]]", "INVALID_ARGUMENT_VALUE"},
          {"substring", "['0123456789', 1]", "'123456789'"},
          {"substring", "['h\xC3\xA9llo', 1, 2]", "'\xC3\xA9l'"}, {"substring", "['abc', 5]", "''"},
          {"substring", "['abc', -1]", "NUMBER_OUT_OF_RANGE"},
          {"substring", "['abc', 0, -1]", "NUMBER_OUT_OF_RANGE"},
          {"left", "['h\xC3\xA9llo', 2]", "'h\xC3\xA9'"}, {"left", "['abc', 10]", "'abc'"},
          {"right", "['h\xC3\xA9', 1]", "'\xC3\xA9'"}, {"right", "['abc', 10]", "'abc'"},
          {"right", "['abc', -1]", "NUMBER_OUT_OF_RANGE"}, {"left", "[null, 1]", "null"},
          {"reverse", "['raks\xC3\xB6']", "'\xC3\xB6skar'"}, {"size", "['h\xC3\xA9']", "2"});
}

Test(query_expr_functions, lists)
{
    TABLE({"reverse", "[[1, 2, 3]]", "[3, 2, 1]"}, {"size", "[[1, null]]", "2"},
          {"size", "[{}]", "INVALID_ARGUMENT_VALUE"}, {"isEmpty", "[[]]", "true"},
          {"isEmpty", "['a']", "false"}, {"isEmpty", "[{}]", "true"}, {"head", "[[1, 2]]", "1"},
          {"head", "[[]]", "null"}, {"last", "[[1, 2]]", "2"}, {"last", "[[]]", "null"},
          {"tail", "[[1, 2, 3]]", "[2, 3]"}, {"tail", "[[]]", "[]"},
          {"range", "[1, 3]", "[1, 2, 3]"}, {"range", "[0, 10, 5]", "[0, 5, 10]"},
          {"range", "[3, 1, -1]", "[3, 2, 1]"}, {"range", "[3, 1]", "[]"},
          {"range", "[1, 3, -1]", "[]"}, {"range", "[2, 8, 0]", "NUMBER_OUT_OF_RANGE"},
          {"range", "[-9223372036854775808, -9223372036854775808]", "[-9223372036854775808]"},
          {"range", "[-9223372036854775808, 9223372036854775807]", "LIST_TOO_LONG"},
          {"range", "[9223372036854775806, 9223372036854775807]",
           "[9223372036854775806, 9223372036854775807]"},
          {"range", "[true, 1]", "ARGUMENT_TYPE"}, {"range", "[1.5, 1]", "ARGUMENT_TYPE"},
          {"keys", "[{a: 1, b: 2}]", "['a', 'b']"}, {"properties", "[{a: 1}]", "{a: 1}"});
}

Test(query_expr_functions, the_graph)
{
    TABLE({"id", "[(#7)]", "7"}, {"elementId", "[(#7)]", "'1:n7'"},
          {"labels", "[(#6)]", "['A', 'B']"}, {"labels", "[(#1)]", "[]"},
          {"labels", "[1]", "INVALID_ARGUMENT_VALUE"}, {"keys", "[(#1)]", "['name', 'num']"},
          {"properties", "[(#1)]", "{name: 'n1', num: 1}"}, {"labels", "[null]", "null"});
    KtRelRef rel = {.id = 5, .start = 1, .end = 2, .type = 2};
    uint64_t nodes[] = {1, 2};
    KtPath path = {.rels = 1, .node = nodes, .rel = &rel};
    KtValue r = kt_rel(&rel), p = {.kind = KT_PATH, .as.path = &path}, out;
    KtCall call = {.arena = f.arena, .x = &f.x};
    cr_assert_eq(kt_function_call(kt_function_find(KT_TEXT_LITERAL("TYPE")), &call, &r, 1, &out),
                 KT_OK);
    cr_assert_str_eq(printed(f.arena, out), "'U'");
    cr_assert_eq(
        kt_function_call(kt_function_find(KT_TEXT_LITERAL("elementId")), &call, &r, 1, &out),
        KT_OK);
    cr_assert_str_eq(printed(f.arena, out), "'1:r5'");
    cr_assert_eq(
        kt_function_call(kt_function_find(KT_TEXT_LITERAL("startNode")), &call, &r, 1, &out),
        KT_OK);
    cr_assert_str_eq(printed(f.arena, out), "(#1)");
    cr_assert_eq(kt_function_call(kt_function_find(KT_TEXT_LITERAL("nodes")), &call, &p, 1, &out),
                 KT_OK);
    cr_assert_str_eq(printed(f.arena, out), "[(#1), (#2)]");
    cr_assert_eq(
        kt_function_call(kt_function_find(KT_TEXT_LITERAL("relationships")), &call, &p, 1, &out),
        KT_OK);
    cr_assert_str_eq(printed(f.arena, out), "[[#5]]");
    cr_assert_eq(kt_function_call(kt_function_find(KT_TEXT_LITERAL("length")), &call, &p, 1, &out),
                 KT_OK);
    cr_assert_eq(out.as.i, 1);
}

Test(query_expr_functions, a_deleted_node_keeps_its_id_and_nothing_else)
{
    f.view.writes = true;
    f.view.deleted_node = 3;
    TABLE({"id", "[(#3)]", "3"}, {"labels", "[(#3)]", "DELETED_ENTITY_ACCESS"},
          {"keys", "[(#3)]", "DELETED_ENTITY_ACCESS"},
          {"properties", "[(#3)]", "DELETED_ENTITY_ACCESS"},
          {"[]", "[(#3), 'num']", "DELETED_ENTITY_ACCESS"}, {"labels", "[(#2)]", "['A']"});
}

Test(query_expr_functions, chance_stays_in_its_bounds_and_differs)
{
    KtCall call = {.arena = f.arena, .x = &f.x};
    const KtFunction *rand_ = kt_function_find(KT_TEXT_LITERAL("rand"));
    double last = -1;
    for (int i = 0; i < 1000; i++) {
        KtValue out;
        cr_assert_eq(kt_function_call(rand_, &call, NULL, 0, &out), KT_OK);
        cr_assert(out.as.f >= 0 && out.as.f < 1 && out.as.f != last);
        last = out.as.f;
    }
    KtValue a, b;
    const KtFunction *uuid = kt_function_find(KT_TEXT_LITERAL("randomuuid"));
    cr_assert_eq(kt_function_call(uuid, &call, NULL, 0, &a), KT_OK);
    cr_assert_eq(kt_function_call(uuid, &call, NULL, 0, &b), KT_OK);
    cr_assert_eq(a.len, 36);
    cr_assert_eq(a.as.text[14], '4');
    cr_assert_neq(memcmp(a.as.text, b.as.text, 36), 0);
}

Test(query_expr_functions, lists_nest_only_so_deep)
{
    KtCall call = {.arena = f.arena, .diag = &f.diag, .x = &f.x};
    KtValue v = kt_int(1);
    uint32_t depth = 0;
    for (; depth < 5000; depth++) {
        KtValue *item = kt_arena_alloc(f.arena, sizeof *item);
        *item = v;
        if (kt_make_list(&call, item, 1, &v) != KT_OK)
            break;
    }
    cr_assert_eq(depth, KT_VALUE_DEPTH_MOST);
    cr_assert_eq(f.diag.status, KT_ERR_VALUE_TOO_DEEP);
}
