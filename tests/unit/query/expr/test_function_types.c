/* The table of functions as the binder sees it. */
#include "query/expr/function.h"

#include <criterion/criterion.h>

#define B(kind) KT_KIND_BIT(KT_##kind)

static const KtFunction *find(const char *name)
{
    const KtFunction *fn = kt_function_find((KtText){name, (uint32_t)strlen(name)});
    cr_assert_not_null(fn, "%s", name);
    return fn;
}

static KtType type_of(const char *name, KtType a, KtType b)
{
    KtType args[2] = {a, b};
    return kt_function_type(find(name), args, 2);
}

Test(query_expr_function_types, names_are_found_in_any_case)
{
    cr_assert_eq(find("TOUPPER"), find("toUpper"));
    cr_assert_null(kt_function_find(KT_TEXT_LITERAL("toUppe")));
    cr_assert_null(kt_function_find(KT_TEXT_LITERAL("")));
    cr_assert_str_eq(kt_function_suggest(KT_TEXT_LITERAL("toUppr")), "toUpper");
    cr_assert_str_eq(kt_function_suggest(KT_TEXT_LITERAL("cuont")), "count");
    cr_assert_null(kt_function_suggest(KT_TEXT_LITERAL("somethingelse")));
}

Test(query_expr_function_types, what_is_known_but_not_run_says_so)
{
    cr_assert(find("date")->traits & KT_FN_NOT_SUPPORTED);
    cr_assert(find("duration.between")->traits & KT_FN_NOT_SUPPORTED);
    cr_assert(find("point")->traits & KT_FN_NOT_SUPPORTED);
    cr_assert(find("count")->traits & KT_FN_AGGREGATE);
    cr_assert(find("STARTS WITH")->traits & KT_FN_OPERATOR);
    cr_assert_not(find("size")->traits & KT_FN_OPERATOR);
}

Test(query_expr_function_types, addition_has_the_type_of_its_parts)
{
    KtType i = {B(INT), 0}, d = {B(FLOAT), 0}, t = {B(TEXT), 0}, b = {B(BOOL), 0},
           any = {KT_ANY_KIND, 0};
    KtType ints = {B(LIST), B(INT)}, null = {B(NULL), 0};
    cr_assert_eq(type_of("+", i, i).kinds, B(INT));
    cr_assert_eq(type_of("+", i, d).kinds, B(FLOAT));
    cr_assert_eq(type_of("+", t, i).kinds, B(TEXT));
    cr_assert_eq(type_of("+", b, i).kinds, 0, "true + 1 cannot be");
    cr_assert_eq(type_of("+", null, i).kinds, B(NULL));
    cr_assert(type_of("+", any, any).kinds & B(LIST));
    KtType list = type_of("+", ints, t);
    cr_assert_eq(list.kinds, B(LIST));
    cr_assert_eq(list.elements, B(INT) | B(TEXT));
}

Test(query_expr_function_types, wrong_kinds_are_seen_before_anything_runs)
{
    KtType t = {B(TEXT), 0}, node = {B(NODE), 0}, path = {B(PATH), 0}, null = {B(NULL), 0},
           mixed = {B(TEXT) | B(INT), 0};
    cr_assert_not(kt_function_accepts(find("%"), 0, t));
    cr_assert(kt_function_accepts(find("%"), 0, mixed), "it may be a number");
    cr_assert(kt_function_accepts(find("%"), 0, null));
    cr_assert_not(kt_function_accepts(find("labels"), 0, path));
    cr_assert_not(kt_function_accepts(find("length"), 0, node));
    cr_assert_not(kt_function_accepts(find("IN"), 1, t));
    cr_assert(kt_function_accepts(find("IN"), 0, t));
    cr_assert(kt_function_accepts(find("range"), 0, t), "range judges kinds at run time");
    cr_assert_eq(find("[]")->wrong_kind_compile, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE);
    cr_assert_eq(find("IN")->wrong_kind_compile, KT_ERR_INVALID_ARGUMENT_TYPE);
    cr_assert(kt_function_accepts(find("coalesce"), 17, t));
}

Test(query_expr_function_types, elements_and_alternatives_are_followed)
{
    KtType ints = {B(LIST), B(INT)}, i = {B(INT), 0}, t = {B(TEXT), 0};
    cr_assert_eq(type_of("[]", ints, i).kinds, B(INT));
    cr_assert_eq(type_of("coalesce", i, t).kinds, B(INT) | B(TEXT));
    cr_assert_eq(kt_function_type(find("collect"), &i, 1).elements, B(INT));
    cr_assert_eq(kt_function_type(find("tail"), &ints, 1).elements, B(INT));
    cr_assert_eq(kt_function_type(find("pi"), NULL, 0).kinds, B(FLOAT));
}

Test(query_expr_function_types, kinds_print_as_words)
{
    char out[64];
    kt_kinds_print(B(INT) | B(FLOAT) | B(TEXT), out, sizeof out);
    cr_assert_str_eq(out, "Integer, Float or String");
    kt_kinds_print(B(LIST), out, sizeof out);
    cr_assert_str_eq(out, "List");
}
