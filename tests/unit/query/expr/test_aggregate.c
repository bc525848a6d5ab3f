/* Aggregates: nulls, groups, weights, DISTINCT, and the errors. */
#include "query/expr/aggregate.h"

#include "tests/unit/query/expr/build.h"

#include <criterion/criterion.h>

TestSuite(query_expr_aggregate, .init = build_setup, .fini = build_teardown);

static KtAggregate *open(const char *name, bool distinct)
{
    KtAggregate *a;
    const KtFunction *fn = name ? kt_function_find((KtText){name, (uint32_t)strlen(name)}) : NULL;
    cr_assert_eq(kt_aggregate_open(fn, distinct, (KtPos){0}, NULL, &a), KT_OK);
    return a;
}

/* The aggregate of the slot-0 literal, in one group. */
static const char *one(const char *name, bool distinct, const char *values, bool typed)
{
    KtAggregate *a = open(name, distinct);
    set_slot(0, values, typed);
    KtAggregateRows rows = {.n = f.frame.rows, .arg = {&f.slot[0]}};
    KtColumn p;
    if (name && strncmp(name, "percentile", 10) == 0) {
        p = f.slot[1];
        rows.arg[1] = &p;
    }
    KtStatus status = kt_aggregate_add(a, &rows, &f.diag);
    KtValue out;
    if (status == KT_OK)
        status = kt_aggregate_result(a, 0, &f.diag, &out);
    const char *text = status == KT_OK ? printed(f.arena, out) : kt_error_facts(status)->name;
    kt_aggregate_close(a);
    return text;
}

Test(query_expr_aggregate, nulls_are_skipped_but_by_count_star)
{
    for (int typed = 0; typed < 2; typed++) {
        cr_assert_str_eq(one(NULL, false, "[1, null, 2]", typed), "3");
        cr_assert_str_eq(one("count", false, "[1, null, 2]", typed), "2");
        cr_assert_str_eq(one("sum", false, "[1, null, 2]", typed), "3");
        cr_assert_str_eq(one("avg", false, "[1, null, 2]", typed), "1.5");
        cr_assert_str_eq(one("collect", false, "[1, null, 2]", typed), "[1, 2]");
        cr_assert_str_eq(one("min", false, "[2, null, 1]", typed), "1");
        cr_assert_str_eq(one("max", false, "[1, null, 2]", typed), "2");
    }
}

Test(query_expr_aggregate, nothing_has_its_own_answers)
{
    cr_assert_str_eq(one(NULL, false, "[]", false), "0");
    cr_assert_str_eq(one("count", false, "[null]", false), "0");
    cr_assert_str_eq(one("sum", false, "[null]", false), "0");
    cr_assert_str_eq(one("avg", false, "[null]", false), "null");
    cr_assert_str_eq(one("collect", false, "[null]", false), "[]");
    cr_assert_str_eq(one("min", false, "[null]", false), "null");
    cr_assert_str_eq(one("stDev", false, "[null]", false), "0.0");
    cr_assert_str_eq(one("stDev", false, "[5]", false), "0.0");
}

Test(query_expr_aggregate, min_and_max_follow_the_order_of_all_kinds)
{
    cr_assert_str_eq(one("max", false, "[1, 'a', null, [1, 2], 0.2, 'b']", false), "1");
    cr_assert_str_eq(one("min", false, "[1, 'a', null, [1, 2], 0.2, 'b']", false), "[1, 2]");
    cr_assert_str_eq(one("max", false, "['a', 'b', 'B', 'abc', 'abc1']", true), "'b'");
    cr_assert_str_eq(one("min", false, "['b', 'longer text than before', 'a', 'B']", true), "'B'");
    cr_assert_str_eq(one("max", false, "[[1], [2], [2, 1]]", false), "[2, 1]");
}

Test(query_expr_aggregate, sums_are_exact_or_fail)
{
    cr_assert_str_eq(one("sum", false, "[9223372036854775807, 1, -1]", true),
                     "9223372036854775807");
    cr_assert_str_eq(one("sum", false, "[9223372036854775807, 1]", true), "INTEGER_OVERFLOW");
    cr_assert_str_eq(one("sum", false, "[9223372036854775807, 1]", false), "INTEGER_OVERFLOW");
    cr_assert_str_eq(one("sum", false, "[1, 0.5]", false), "1.5");
    kt_diag_clear(&f.diag);
    cr_assert_str_eq(one("sum", false, "['a']", false), "INVALID_ARGUMENT_VALUE");
    cr_assert_str_eq(one("avg", false, "[9223372036854775807, 9223372036854775807]", true),
                     "9.223372036854776e+18");
}

Test(query_expr_aggregate, distinct_takes_equivalent_values_once)
{
    cr_assert_str_eq(one("count", true, "[1, 1.0, 2, null, 'a', 'a', [1], [1.0]]", false), "4");
    cr_assert_str_eq(one("collect", true, "[2, 1, 2, 1]", true), "[2, 1]");
    cr_assert_str_eq(one("sum", true, "[2, 1, 2, 1]", true), "3");
    cr_assert_str_eq(one("count", true, "[NaN, NaN]", false), "1");
}

Test(query_expr_aggregate, deviations_do_not_cancel)
{
    cr_assert_str_eq(one("stDevP", false, "[2, 4, 4, 4, 5, 5, 7, 9]", true), "2.0");
    cr_assert_str_eq(one("stDev", false, "[1000000000.5, 1000000001.5]", true),
                     "0.7071067811865476");
}

Test(query_expr_aggregate, percentiles_interpolate_or_choose)
{
    const char *values = "[30.0, 10.0, 20.0]";
    set_slot(1, "[0.0, 0.0, 0.0]", true);
    cr_assert_str_eq(one("percentileDisc", false, values, true), "10.0");
    set_slot(1, "[0.5, 0.5, 0.5]", true);
    cr_assert_str_eq(one("percentileDisc", false, values, true), "20.0");
    cr_assert_str_eq(one("percentileCont", false, "[1, 2, 3]", true), "2.0");
    cr_assert_str_eq(one("percentileCont", false, "[1, 2]", true), "1.5");
    cr_assert_str_eq(one("percentileDisc", false, "[1, 2]", true), "1");
    set_slot(1, "[1, 1, 1]", true);
    cr_assert_str_eq(one("percentileCont", false, values, true), "30.0");
    set_slot(1, "[1.1, 1.1, 1.1]", true);
    cr_assert_str_eq(one("percentileDisc", false, values, true), "NUMBER_OUT_OF_RANGE");
    set_slot(1, "[-1, -1, -1]", true);
    cr_assert_str_eq(one("percentileCont", false, values, true), "NUMBER_OUT_OF_RANGE");
}

Test(query_expr_aggregate, groups_weights_and_selections_are_kept_apart)
{
    static const char *const names[] = {NULL, "count", "sum", "collect", "avg"};
    static const char *const want[][2] = {
        {"4", "3"}, {"4", "3"}, {"7", "60"}, {"[1, 2, 2, 2]", "[20, 20, 20]"}, {"1.75", "20.0"}};
    for (size_t i = 0; i < KT_COUNT(names); i++) {
        KtAggregate *a = open(names[i], false);
        set_slot(0, "[1, 99, 2, 20]", true);
        static const uint16_t sel[] = {0, 2, 3};
        static const uint32_t group[] = {0, 7, 0, 1};
        static const uint64_t weight[] = {1, 1, 3, 3};
        KtAggregateRows rows = {
            .sel = sel, .n = 3, .group = group, .groups = 2, .weight = weight, .arg = {&f.slot[0]}};
        cr_assert_eq(kt_aggregate_add(a, &rows, &f.diag), KT_OK);
        for (uint32_t g = 0; g < 2; g++) {
            KtValue out;
            cr_assert_eq(kt_aggregate_result(a, g, &f.diag, &out), KT_OK);
            cr_assert_str_eq(printed(f.arena, out), want[i][g]);
        }
        kt_aggregate_close(a);
    }
}

Test(query_expr_aggregate, many_groups_and_batches_grow_without_mixing)
{
    KtAggregate *sum = open("sum", false), *all = open("collect", false),
                *distinct = open("count", true);
    KtColumn col;
    cr_assert_eq(kt_col_make(f.arena, KT_COL_INT, 1000, false, &col), KT_OK);
    uint32_t *group = kt_arena_alloc(f.arena, 1000 * sizeof *group);
    for (uint32_t batch = 0; batch < 10; batch++) {
        for (uint32_t i = 0; i < 1000; i++) {
            ((int64_t *)col.data)[i] = i % 10;
            group[i] = (batch * 1000 + i) / 100;
        }
        KtAggregateRows rows = {.n = 1000, .group = group, .groups = 100, .arg = {&col}};
        cr_assert_eq(kt_aggregate_add(sum, &rows, &f.diag), KT_OK);
        cr_assert_eq(kt_aggregate_add(all, &rows, &f.diag), KT_OK);
        cr_assert_eq(kt_aggregate_add(distinct, &rows, &f.diag), KT_OK);
    }
    for (uint32_t g = 0; g < 100; g++) {
        KtValue out;
        cr_assert_eq(kt_aggregate_result(sum, g, NULL, &out), KT_OK);
        cr_assert_eq(out.as.i, 450);
        cr_assert_eq(kt_aggregate_result(all, g, NULL, &out), KT_OK);
        cr_assert_eq(out.len, 100);
        cr_assert_eq(kt_aggregate_result(distinct, g, NULL, &out), KT_OK);
        cr_assert_eq(out.as.i, 10);
    }
    kt_aggregate_close(sum);
    kt_aggregate_close(all);
    kt_aggregate_close(distinct);
    kt_aggregate_close(NULL);
}

Test(query_expr_aggregate, nodes_are_counted_by_group_once_or_each_time)
{
    static const uint32_t ids[] = {1, 2, 1, KT_NO_NODE, 2, 2};
    static const uint32_t group[] = {0, 0, 0, 1, 1, 1};
    set_nodes(0, 6, ids);
    for (int distinct = 0; distinct < 2; distinct++) {
        KtAggregate *a = open("count", distinct);
        KtAggregateRows rows = {.n = 6, .group = group, .groups = 2, .arg = {&f.slot[0]}};
        cr_assert_eq(kt_aggregate_add(a, &rows, &f.diag), KT_OK);
        KtValue out;
        cr_assert_eq(kt_aggregate_result(a, 0, NULL, &out), KT_OK);
        cr_assert_eq(out.as.i, distinct ? 2 : 3);
        cr_assert_eq(kt_aggregate_result(a, 1, NULL, &out), KT_OK);
        cr_assert_eq(out.as.i, distinct ? 1 : 2);
        kt_aggregate_close(a);
    }
}

/* A batch of rows that all hold one long list, which a comparison goes through to its end. */
Test(query_expr_aggregate, long_values_end_within_a_batch_when_the_query_is_over)
{
    enum { ELEMENTS = 8000, LONG_ROWS = 100 };
    static const char *const text[] = {"min", "max", "count", "collect"};
    KtValue *item = kt_arena_alloc(f.arena, ELEMENTS * sizeof *item);
    for (int64_t i = 0; i < ELEMENTS; i++)
        item[i] = kt_int(i);
    KtColumn col;
    cr_assert_eq(kt_col_make(f.arena, KT_COL_VALUE, LONG_ROWS, false, &col), KT_OK);
    for (uint32_t i = 0; i < LONG_ROWS; i++)
        ((KtValue *)col.data)[i] = kt_list(item, ELEMENTS);
    atomic_bool cancel;
    atomic_init(&cancel, true);
    for (int late = 0; late < 2; late++) {
        for (size_t i = 0; i < KT_COUNT(text); i++) {
            KtBudget budget;
            kt_budget_init(&budget, NULL, 0);
            budget.cancel = late ? NULL : &cancel;
            budget.deadline_ns = late ? 1 : 0;
            KtAggregate *a;
            const KtFunction *fn = kt_function_find((KtText){text[i], (uint32_t)strlen(text[i])});
            cr_assert_eq(kt_aggregate_open(fn, i >= 2, (KtPos){0}, &budget, &a), KT_OK);
            KtAggregateRows rows = {.n = LONG_ROWS, .arg = {&col}};
            kt_diag_clear(&f.diag);
            cr_assert_eq(kt_aggregate_add(a, &rows, &f.diag),
                         late ? KT_ERR_DEADLINE : KT_ERR_CANCELLED, "%s", text[i]);
            cr_assert_neq(f.diag.message[0], '\0');
            kt_aggregate_close(a);
        }
    }
}

Test(query_expr_aggregate, a_budget_that_runs_out_is_an_error_and_given_back)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, 256 * 1024);
    KtAggregate *a;
    cr_assert_eq(kt_aggregate_open(kt_function_find(KT_TEXT_LITERAL("collect")), true, (KtPos){0},
                                   &budget, &a),
                 KT_OK);
    KtColumn col;
    cr_assert_eq(kt_col_make(f.arena, KT_COL_INT, 1000, false, &col), KT_OK);
    KtStatus status = KT_OK;
    for (int64_t batch = 0; batch < 1000 && status == KT_OK; batch++) {
        for (uint32_t i = 0; i < 1000; i++)
            ((int64_t *)col.data)[i] = batch * 1000 + i;
        KtAggregateRows rows = {.n = 1000, .arg = {&col}};
        status = kt_aggregate_add(a, &rows, NULL);
    }
    cr_assert_eq(status, KT_ERR_MEMORY);
    kt_aggregate_close(a);
    cr_assert_eq(atomic_load(&budget.used), 0);
}
