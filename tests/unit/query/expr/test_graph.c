/* Properties, labels and projections of columns of nodes and relationships. */
#include "tests/unit/query/expr/build.h"

#include <criterion/criterion.h>

TestSuite(query_expr_graph, .init = build_setup, .fini = build_teardown);

static const uint32_t ids[] = {1, 2, KT_NO_NODE, 3};
static const KtRelRef rels[] = {
    {.id = 5, .start = 1, .end = 2, .type = 1}, {.id = UINT64_MAX}, {.id = 6, .type = 2}};

Test(query_expr_graph, a_column_of_nodes_is_one_question)
{
    set_nodes(0, 4, ids);
    cr_assert_str_eq(run_text(e_prop(e_slot(0), N_NUM)), "[1, 2, null, 3]");
    cr_assert_eq(f.view.asked, 1);
    cr_assert_str_eq(run_text(e_prop(e_slot(0), N_NAME)), "['n1', null, null, 'n3']");
    cr_assert_str_eq(run_text(e_prop(e_slot(0), N_OTHER)), "[null, null, null, null]");
    cr_assert_str_eq(run_text(e_call("id", 1, e_slot(0))), "[1, 2, null, 3]");
    cr_assert_str_eq(run_text(e_call("labels", 1, e_slot(0))), "[[], ['A'], null, ['B']]");
    cr_assert_str_eq(run_text(e_call("properties", 1, e_slot(0))),
                     "[{name: 'n1', num: 1}, {num: 2}, null, {name: 'n3', num: 3}]");
    cr_assert_str_eq(run_text(e_call("IS NULL", 1, e_slot(0))), "[false, false, true, false]");
    cr_assert_str_eq(run_text(e_call(">", 2, e_prop(e_slot(0), N_NUM), e_value("1"))),
                     "[false, true, null, true]");
    cr_assert_str_eq(run_text(e_call("=", 2, e_slot(0), e_slot(0))), "[true, true, null, true]");
}

Test(query_expr_graph, relationships_have_properties_types_and_ends)
{
    set_rels(0, 3, rels);
    cr_assert_str_eq(run_text(e_prop(e_slot(0), N_NUM)), "[105, null, 106]");
    cr_assert_str_eq(run_text(e_call("type", 1, e_slot(0))), "['T', null, 'U']");
    cr_assert_str_eq(run_text(e_call("endNode", 1, e_slot(0))), "[(#2), null, (#0)]");
    cr_assert_str_eq(run_text(e_call("id", 1, e_slot(0))), "[5, null, 6]");
}

Test(query_expr_graph, mixed_values_are_split_by_kind)
{
    set_slot(0, "[(#1), {num: 'm'}, null, {}, (#2)]", false);
    cr_assert_str_eq(run_text(e_prop(e_slot(0), N_NUM)), "[1, 'm', null, null, 2]");
    set_slot(0, "[(#1), 5, (#2)]", false);
    cr_assert_str_eq(run_text(e_prop(e_slot(0), N_NUM)), "[1]");
    cr_assert_eq(f.frame.fail_row, 1);
    cr_assert_eq(f.frame.fail, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE);
}

Test(query_expr_graph, a_constant_subject_is_asked_once)
{
    set_rows(3);
    f.param[0] = literal(f.arena, "{num: 7}");
    cr_assert_str_eq(run_text(e_prop(e_param(0), N_NUM)), "[7, 7, 7]");
    f.param[0] = kt_int(1);
    (void)run(e_prop(e_param(0), N_NUM));
    cr_assert_eq(f.frame.fail_row, 0);
}

Test(query_expr_graph, labels_are_all_or_nothing)
{
    static const KtNameRef a[] = {N_A}, ab[] = {N_A, N_B}, c[] = {N_A, N_C};
    static const uint32_t some[] = {6, 2, KT_NO_NODE, 3};
    set_nodes(0, 4, some);
    cr_assert_str_eq(run_text(e_labels(e_slot(0), 1, a)), "[true, true, null, false]");
    cr_assert_str_eq(run_text(e_labels(e_slot(0), 2, ab)), "[true, false, null, false]");
    cr_assert_str_eq(run_text(e_labels(e_slot(0), 2, c)), "[false, false, null, false]",
                     "no such label");
    set_slot(0, "[(#6), null, (#1)]", false);
    cr_assert_str_eq(run_text(e_labels(e_slot(0), 1, a)), "[true, null, false]");
}

Test(query_expr_graph, a_projection_makes_maps)
{
    set_nodes(0, 4, ids);
    static const KtMapItem star[] = {{.star = true}, {.key = {"num", 3}, .arg = 1}};
    static const KtMapItem some[] = {{.key = {"name", 4}, .prop = true, .name = N_NAME},
                                     {.key = {"x", 1}, .arg = 1}};
    const KtExpr *arg[] = {e_value("0")};
    cr_assert_str_eq(run_text(e_project(e_slot(0), star, 2, 1, arg)),
                     "[{name: 'n1', num: 0}, {num: 0}, null, {name: 'n3', num: 0}]");
    cr_assert_str_eq(run_text(e_project(e_slot(0), some, 2, 1, arg)),
                     "[{name: 'n1', x: 0}, {name: null, x: 0}, null, {name: 'n3', x: 0}]");
}

Test(query_expr_graph, a_deleted_node_fails_its_row)
{
    f.view.writes = true;
    f.view.deleted_node = 2;
    set_nodes(0, 4, ids);
    cr_assert_str_eq(run_text(e_call("id", 1, e_slot(0))), "[1, 2, null, 3]");
    cr_assert_str_eq(run_text(e_prop(e_slot(0), N_NUM)), "[1]");
    cr_assert_eq(f.frame.fail_row, 1);
    cr_assert_eq(f.frame.fail, KT_ERR_DELETED_ENTITY_ACCESS);
    f.frame.fail_row = UINT32_MAX;
    cr_assert_str_eq(run_text(e_call("labels", 1, e_slot(0))), "[[]]");
    cr_assert_eq(f.frame.fail_row, 1);
}

Test(query_expr_graph, properties_of_elements_are_asked_in_batches)
{
    set_slot(0, "[[(#1), (#2)], [(#3), null]]", false);
    cr_assert_str_eq(run_text(e_comprehension(0, e_slot(0), NULL, e_prop(e_local(0), N_NUM))),
                     "[[1, 2], [3, null]]");
    cr_assert_eq(f.view.asked, 1);
}

Test(query_expr_graph, a_column_has_all_rows_though_few_were_asked_for)
{
    static uint32_t many[500];
    static const uint16_t sel[] = {0, 3};
    for (uint32_t i = 0; i < 500; i++)
        many[i] = i % 100;
    set_nodes(0, 500, many);
    f.frame.sel = sel;
    f.frame.selected = 2;
    KtColumn out = run(e_prop(e_slot(0), N_NUM));
    memset(out.data, 0, 500 * sizeof(int64_t));
    memset(out.nulls, 0, 8 * sizeof(uint64_t));
    cr_assert_str_eq(run_text(e_call("+", 2, e_prop(e_slot(0), N_NUM), e_prop(e_slot(0), N_NUM))),
                     "[0, 6]");
    const KtProgram *program;
    uint64_t bits[8];
    cr_assert_eq(kt_program_compile(f.arena, e_call(">", 2, e_prop(e_slot(0), N_NUM), e_value("1")),
                                    &program),
                 KT_OK);
    cr_assert_eq(kt_program_test(program, &f.x, &f.frame, bits), KT_OK);
    cr_assert_eq(bits[0], 8);
}
