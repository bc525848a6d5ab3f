/* Comprehensions, quantifiers and reduce. */
#include "query/expr/expr_internal.h"
#include "tests/unit/query/expr/build.h"

#include <criterion/criterion.h>

TestSuite(query_expr_each, .init = build_setup, .fini = build_teardown);

static const KtExpr *odd(uint32_t local)
{
    return e_call("=", 2, e_call("%", 2, e_local(local), e_value("2")), e_value("1"));
}

Test(query_expr_each, a_comprehension_filters_and_maps_by_row)
{
    set_slot(0, "[[1, 2, 3], [], null, [4, 5]]", false);
    set_slot(1, "[10, 20, 30, 40]", true);
    cr_assert_str_eq(
        run_text(e_comprehension(0, e_slot(0), odd(0), e_call("*", 2, e_local(0), e_slot(1)))),
        "[[10, 30], [], null, [200]]");
    cr_assert_str_eq(run_text(e_comprehension(0, e_slot(0), odd(0), NULL)),
                     "[[1, 3], [], null, [5]]");
    cr_assert_str_eq(run_text(e_comprehension(0, e_slot(0), NULL, e_value("1"))),
                     "[[1, 1, 1], [], null, [1, 1]]");
    cr_assert_str_eq(run_text(e_comprehension(0, e_value("[1, 2]"), NULL,
                                              e_call("+", 2, e_local(0), e_slot(1)))),
                     "[[11, 12], [21, 22], [31, 32], [41, 42]]");
}

Test(query_expr_each, bodies_nest_and_see_the_variables_around)
{
    set_slot(0, "[[1, 2], [3]]", false);
    const KtExpr *inner =
        e_comprehension(1, e_value("[10, 20]"), NULL, e_call("+", 2, e_local(0), e_local(1)));
    cr_assert_str_eq(run_text(e_comprehension(0, e_slot(0), NULL, inner)),
                     "[[[11, 21], [12, 22]], [[13, 23]]]");
    const KtExpr *sum =
        e_reduce(2, e_value("0"), 1, e_slot(0),
                 e_call("+", 2, e_local(2), e_call("*", 2, e_local(1), e_local(0))));
    cr_assert_str_eq(run_text(e_comprehension(0, e_slot(0), NULL, sum)), "[[3, 6], [9]]");
}

Test(query_expr_each, long_lists_go_in_batches)
{
    set_rows(3);
    const KtExpr *range = e_call("range", 2, e_value("1"), e_value("5000"));
    const KtExpr *squares =
        e_comprehension(0, range, odd(0), e_call("*", 2, e_local(0), e_local(0)));
    cr_assert_str_eq(run_text(e_call("size", 1, squares)), "[2500, 2500, 2500]");
    cr_assert_str_eq(run_text(e_call("last", 1, squares)), "[24990001, 24990001, 24990001]");
    cr_assert_str_eq(
        run_text(e_reduce(1, e_value("0"), 0, range, e_call("+", 2, e_local(1), e_local(0)))),
        "[12502500, 12502500, 12502500]");
}

Test(query_expr_each, what_is_known_decides_a_quantifier)
{
    set_slot(0, "[[], [1], [2], [1, 2], [1, null], [2, null], [1, 1], [1, 1, null], null]", false);
    cr_assert_str_eq(run_text(e_quantifier(KT_ALL, 0, e_slot(0), odd(0))),
                     "[true, true, false, false, null, false, true, null, null]");
    cr_assert_str_eq(run_text(e_quantifier(KT_ANY, 0, e_slot(0), odd(0))),
                     "[false, true, false, true, true, null, true, true, null]");
    cr_assert_str_eq(run_text(e_quantifier(KT_NONE, 0, e_slot(0), odd(0))),
                     "[true, false, true, false, false, null, false, false, null]");
    cr_assert_str_eq(run_text(e_quantifier(KT_SINGLE, 0, e_slot(0), odd(0))),
                     "[false, true, false, true, null, null, false, false, null]");
}

Test(query_expr_each, reduce_goes_from_left_to_right)
{
    set_slot(0, "[['a', 'b', 'c'], [], null, ['d']]", false);
    cr_assert_str_eq(
        run_text(e_reduce(1, e_value("'>'"), 0, e_slot(0), e_call("+", 2, e_local(1), e_local(0)))),
        "['>abc', '>', null, '>d']");
}

Test(query_expr_each, an_element_that_fails_fails_its_row)
{
    set_slot(0, "[[1, 2], [4, 0, 0], [0]]", false);
    const KtExpr *quotient = e_call("/", 2, e_value("8"), e_local(0));
    cr_assert_str_eq(run_text(e_comprehension(0, e_slot(0), NULL, quotient)), "[[8, 4]]");
    cr_assert_eq(f.frame.fail_row, 1);
    cr_assert_eq(f.frame.fail, KT_ERR_DIVISION_BY_ZERO);
    f.frame.fail_row = UINT32_MAX;
    (void)run(e_quantifier(KT_ANY, 0, e_slot(0), quotient));
    cr_assert_eq(f.frame.fail_row, 0, "a predicate is a boolean");
    f.frame.fail_row = UINT32_MAX;
    cr_assert_str_eq(
        run_text(e_reduce(1, e_value("0"), 0, e_slot(0), e_call("+", 2, e_local(1), quotient))),
        "[12]");
    cr_assert_eq(f.frame.fail_row, 1);
    f.frame.fail_row = UINT32_MAX;
    set_slot(0, "[[1], 5]", false);
    cr_assert_str_eq(run_text(e_comprehension(0, e_slot(0), NULL, NULL)), "[[1]]");
    cr_assert_eq(f.frame.fail, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE);
}

Test(query_expr_each, reduce_does_not_keep_every_round_in_memory)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, 24 * 1024 * 1024);
    KtArena *small;
    cr_assert_eq(kt_arena_open(&budget, &small), KT_OK);
    set_rows(1);
    f.frame.arena = small;
    const KtExpr *range = e_call("range", 2, e_value("1"), e_value("200000"));
    KtColumn out = run(
        e_reduce(1, e_value("''"), 0, range,
                 e_call("right", 2, e_call("+", 2, e_local(1), e_call("toString", 1, e_local(0))),
                        e_value("8"))));
    cr_assert_str_eq(printed(f.arena, kt_col_value(&out, 0)), "'99200000'");
    f.frame.arena = f.arena;
    kt_arena_close(small);
}

Test(query_expr_each, values_that_nest_too_deep_are_refused)
{
    set_rows(1);
    const KtExpr *range = e_call("range", 2, e_value("1"), e_value("2000"));
    (void)run(e_reduce(1, e_value("[]"), 0, range, e_list(1, e_local(1))));
    cr_assert_eq(f.frame.fail, KT_ERR_VALUE_TOO_DEEP);
}

Test(query_expr_each, a_cancelled_query_leaves_the_loop)
{
    f.view.cancelled = true;
    set_rows(1);
    const KtProgram *program;
    KtColumn out;
    cr_assert_eq(kt_program_compile(
                     f.arena, e_quantifier(KT_ALL, 0, e_value("[1]"), e_value("true")), &program),
                 KT_OK);
    cr_assert_eq(kt_program_run(program, &f.x, &f.frame, &out), KT_ERR_CANCELLED);
}

Test(query_expr_each, running_out_of_memory_anywhere_is_an_error_and_no_more)
{
    static const uint32_t ids[] = {1, 2, 3, 4};
    set_slot(0, "[[1, 2, 3], [4, 5], [6], []]", false);
    set_nodes(1, 4, ids);
    const KtExpr *squares =
        e_comprehension(0, e_slot(0), odd(0), e_call("*", 2, e_local(0), e_prop(e_slot(1), N_NUM)));
    const KtExpr *text = e_reduce(1, e_value("''"), 2, squares,
                                  e_call("+", 2, e_local(1), e_call("toString", 1, e_local(2))));
    const KtExpr *e =
        e_list(3, text,
               e_and(2, e_call("=", 2, e_prop(e_slot(1), N_NUM), e_value("1")),
                     e_call("IS NULL", 1, e_prop(e_slot(1), N_NAME))),
               e_case(false, 3, e_call("<", 2, e_prop(e_slot(1), N_NUM), e_value("3")), squares,
                      e_call("labels", 1, e_slot(1))));
    const KtProgram *program;
    cr_assert_eq(kt_program_compile(f.arena, e, &program), KT_OK);
    const char *want = run_text(e);
    KtStatus status = KT_ERR_MEMORY;
    uint32_t failed = 0;
    for (size_t limit = 16 * 1024; status != KT_OK; limit += 4 * 1024, failed++) {
        KtBudget budget;
        KtArena *small;
        KtColumn out;
        cr_assert_lt(limit, 16 * 1024 * 1024);
        kt_budget_init(&budget, NULL, limit);
        cr_assert_eq(kt_arena_open(&budget, &small), KT_OK);
        f.frame.arena = small;
        f.frame.fail_row = UINT32_MAX;
        status = kt_program_run(program, &f.x, &f.frame, &out);
        cr_assert(status == KT_OK || status == KT_ERR_MEMORY);
        cr_assert_not(kt_frame_failed(&f.frame));
        if (status == KT_OK) {
            KtValue rows[4];
            for (uint32_t i = 0; i < 4; i++)
                rows[i] = kt_col_value(&out, i);
            cr_assert_str_eq(printed(f.arena, kt_list(rows, 4)), want);
        }
        f.frame.arena = f.arena;
        kt_arena_close(small);
        cr_assert_eq(atomic_load(&budget.used), 0);
    }
    cr_assert_gt(failed, 5);
}
