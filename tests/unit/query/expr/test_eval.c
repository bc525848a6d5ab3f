/* Programs over frames: kernels agree with single values, parts are lazy, the first failing row is found. */
#include "query/expr/expr_internal.h"
#include "tests/unit/query/expr/build.h"

#include <criterion/criterion.h>

TestSuite(query_expr_eval, .init = build_setup, .fini = build_teardown);

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static KtValue random_of(uint64_t *dice, KtColKind kind)
{
    static const int64_t ints[] = {0, 1, -1, 2, INT64_MAX, INT64_MIN, 1LL << 53, (1LL << 53) + 1};
    static const double floats[] = {0.0, -1.5, 1.0, 0x1p53, 1e300};
    static const char *const texts[] = {"", "a", "ab", "b"};
    switch (kind) {
    case KT_COL_BOOL: return kt_bool(next(dice) % 2);
    case KT_COL_INT: return kt_int(ints[next(dice) % KT_COUNT(ints)] / (next(dice) % 3 ? 1 : 3));
    case KT_COL_FLOAT: return kt_float(floats[next(dice) % KT_COUNT(floats)]);
    case KT_COL_TEXT: {
        const char *t = texts[next(dice) % KT_COUNT(texts)];
        return kt_text(t, strlen(t));
    }
    case KT_COL_VALUE:
    case KT_COL_NODE:
    case KT_COL_REL: break;
    }
    KtColKind any =
        (KtColKind[]){KT_COL_BOOL, KT_COL_INT, KT_COL_FLOAT, KT_COL_TEXT}[next(dice) % 4];
    return random_of(dice, any);
}

static void random_slot(uint64_t *dice, KtSlot slot, KtColKind kind, uint32_t rows, bool nulls,
                        bool constant)
{
    KtColumn col;
    uint32_t n = constant ? 1 : rows;
    cr_assert_eq(kt_col_make(f.arena, kind, n, nulls && kind != KT_COL_VALUE, &col), KT_OK);
    for (uint32_t i = 0; i < n; i++) {
        KtValue v = random_of(dice, kind);
        bool null = nulls && next(dice) % 4 == 0;
        switch (kind) {
        case KT_COL_BOOL: ((uint8_t *)col.data)[i] = v.as.b; break;
        case KT_COL_INT: ((int64_t *)col.data)[i] = v.as.i; break;
        case KT_COL_FLOAT: ((double *)col.data)[i] = v.as.f; break;
        case KT_COL_TEXT: ((KtText *)col.data)[i] = kt_text_of(v); break;
        default: ((KtValue *)col.data)[i] = null ? kt_null() : v; break;
        }
        if (null && col.nulls)
            kt_bit_set(col.nulls, i);
    }
    col.constant = constant;
    f.slot[slot] = col;
}

static bool same(KtValue a, KtValue b)
{
    return a.kind == b.kind && (a.kind == KT_NULL || kt_value_equivalent(a, b));
}

Test(query_expr_eval, columns_give_what_single_values_give_and_fail_at_the_same_row)
{
    static const char *const operators[] = {"+", "-",  "*", "/",  "%",   "=",          "<>",
                                            "<", "<=", ">", ">=", "XOR", "STARTS WITH"};
    static const KtColKind kinds[] = {KT_COL_BOOL, KT_COL_INT, KT_COL_FLOAT, KT_COL_TEXT,
                                      KT_COL_VALUE};
    enum { ROWS = 150 };
    uint64_t dice = 11;
    uint32_t failures = 0;
    for (int round = 0; round < 4000; round++) {
        KtArenaMark mark = kt_arena_mark(f.arena);
        const char *name = operators[next(&dice) % KT_COUNT(operators)];
        const KtExpr *e = e_call(name, 2, e_slot(0), e_slot(1));
        const KtFunction *fn = e->as.call.function;
        for (KtSlot s = 0; s < 2; s++)
            random_slot(&dice, s, kinds[next(&dice) % KT_COUNT(kinds)], ROWS, next(&dice) % 2,
                        next(&dice) % 4 == 0);
        set_rows(ROWS);
        uint16_t sel[ROWS];
        uint32_t n = 0;
        if (next(&dice) % 2) {
            uint64_t every = 1 + next(&dice) % 20;
            for (uint16_t i = 0; i < ROWS; i++) {
                if (next(&dice) % every == 0)
                    sel[n++] = i;
            }
            f.frame.sel = sel;
            f.frame.selected = n;
        }
        f.frame.fail_row = UINT32_MAX;
        kt_diag_clear(&f.diag);
        KtColumn out = run(e);
        for (uint32_t i = 0; i < f.frame.selected; i++) {
            uint32_t row = f.frame.sel ? f.frame.sel[i] : i;
            KtValue args[2] = {kt_col_value(&f.slot[0], row), kt_col_value(&f.slot[1], row)}, want;
            KtCall call = {.arena = f.arena, .x = &f.x};
            KtStatus status = kt_function_call(fn, &call, args, 2, &want);
            if (status != KT_OK) {
                cr_assert_eq(f.frame.fail_row, row, "%s fails at row %u, not %u", name, row,
                             f.frame.fail_row);
                cr_assert_eq(f.frame.fail, status);
                cr_assert_eq(f.diag.status, status);
                failures++;
                break;
            }
            cr_assert(row < f.frame.fail_row, "%s: row %u failed", name, f.frame.fail_row);
            cr_assert(same(kt_col_value(&out, row), want), "%s at row %u: %s %s %s is %s not %s",
                      name, row, printed(f.arena, args[0]), name, printed(f.arena, args[1]),
                      printed(f.arena, kt_col_value(&out, row)), printed(f.arena, want));
        }
        kt_arena_rewind(f.arena, mark);
    }
    cr_assert_gt(failures, 300, "errors were met");
}

Test(query_expr_eval, a_long_list_is_searched_as_a_short_one)
{
    static const char *const lists[] = {
        "[1, 2.0, 'a', true, 9007199254740993, NaN, (#1), [1], {a: 1}]",
        "[1, 2.0, 'a', true, 9007199254740993, NaN, (#1), [1], {a: 1}, null]",
        "[1, 1, 1, 1.0, 1, 1, 1, 1, 1]",
        "[[null], [null], [null], [null], [null], [null], [null], [null], 1]"};
    set_slot(
        0,
        "[1, 1.0, 2, 'a', 'b', true, false, null, NaN, 9007199254740992.0, 9007199254740993, (#1), (#2), [1], [2], {a: 1}, {}]",
        false);
    for (size_t i = 0; i < KT_COUNT(lists); i++) {
        KtColumn out = run(e_call("IN", 2, e_slot(0), e_value(lists[i])));
        for (uint32_t row = 0; row < f.frame.rows; row++) {
            KtValue pair[2] = {kt_col_value(&f.slot[0], row), literal(f.arena, lists[i])}, want;
            KtCall call = {.arena = f.arena, .x = &f.x};
            cr_assert_eq(kt_fn_in(&call, pair, &want), KT_OK);
            cr_assert(same(kt_col_value(&out, row), want), "%s IN %s", printed(f.arena, pair[0]),
                      lists[i]);
        }
    }
}

Test(query_expr_eval, a_cancelled_query_leaves_the_search_of_a_long_list)
{
    enum { ELEMENTS = 70000 };
    KtValue *item = kt_arena_alloc(f.arena, ELEMENTS * sizeof *item);
    KtColumn list;
    for (int64_t i = 0; i < ELEMENTS; i++)
        item[i] = kt_int(i);
    cr_assert_eq(kt_col_make(f.arena, KT_COL_VALUE, 1, false, &list), KT_OK);
    ((KtValue *)list.data)[0] = kt_list(item, ELEMENTS);
    list.constant = true;
    static const char *const looked_for[] = {"[[1], [2], [3], [4], [5]]", "[1, 2, 3, 4, 5]"};
    for (size_t i = 0; i < KT_COUNT(looked_for); i++) {
        set_slot(0, looked_for[i], false);
        f.slot[1] = list;
        const KtProgram *program;
        KtColumn out;
        cr_assert_eq(kt_program_compile(f.arena, e_call("IN", 2, e_slot(0), e_slot(1)), &program),
                     KT_OK);
        f.view.cancelled = false;
        cr_assert_eq(kt_program_run(program, &f.x, &f.frame, &out), KT_OK);
        cr_assert_eq(kt_col_value(&out, 0).as.b, i == 1);
        f.view.cancelled = true;
        cr_assert_eq(kt_program_run(program, &f.x, &f.frame, &out), KT_ERR_CANCELLED, "%s",
                     looked_for[i]);
    }
}

Test(query_expr_eval, and_or_know_three_truths)
{
    set_slot(0, "[true, true, true, false, false, false, null, null, null]", true);
    set_slot(1, "[true, false, null, true, false, null, true, false, null]", false);
    cr_assert_str_eq(run_text(e_and(2, e_slot(0), e_slot(1))),
                     "[true, false, null, false, false, false, null, false, null]");
    cr_assert_str_eq(run_text(e_or(2, e_slot(0), e_slot(1))),
                     "[true, true, true, true, false, null, true, null, null]");
    cr_assert_str_eq(run_text(e_call("NOT", 1, e_slot(0))),
                     "[false, false, false, true, true, true, null, null, null]");
}

Test(query_expr_eval, a_part_that_is_not_needed_cannot_fail)
{
    set_slot(0, "[0, 1, 2, 0]", true);
    const KtExpr *quotient = e_call("/", 2, e_value("6"), e_slot(0));
    const KtExpr *guarded =
        e_and(2, e_call("<>", 2, e_slot(0), e_value("0")), e_call(">", 2, quotient, e_value("4")));
    cr_assert_str_eq(run_text(guarded), "[false, true, false, false]");
    cr_assert_not(kt_frame_failed(&f.frame));
    const KtExpr *either =
        e_or(2, e_call("=", 2, e_slot(0), e_value("0")), e_call(">", 2, quotient, e_value("4")));
    cr_assert_str_eq(run_text(either), "[true, true, false, true]");
    const KtExpr *chosen =
        e_case(false, 3, e_call("=", 2, e_slot(0), e_value("0")), e_value("-1"), quotient);
    cr_assert_str_eq(run_text(chosen), "[-1, 6, 3, -1]");
    set_slot(1, "[9, null, null, 9]", true);
    cr_assert_str_eq(run_text(e_call("coalesce", 2, e_slot(1), quotient)), "[9, 6, 3, 9]");
    cr_assert_not(kt_frame_failed(&f.frame));
}

Test(query_expr_eval, the_first_failing_row_in_row_order_is_the_one)
{
    set_slot(0, "[1, 2, 0, 4, 0]", true);
    set_slot(1, "[1, 'x', 3, 4, 5]", false);
    /* the left part fails at row 2, the right one at row 1 */
    const KtExpr *sum = e_call("+", 2, e_call("/", 2, e_value("8"), e_slot(0)),
                               e_call("-", 2, e_slot(1), e_value("1")));
    cr_assert_str_eq(run_text(sum), "[8]");
    cr_assert_eq(f.frame.fail_row, 1);
    cr_assert_eq(f.frame.fail, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE);
    cr_assert_eq(f.diag.status, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE,
                 "the words are those of that row");
    /* another program on the same frame looks only at what is left */
    cr_assert_str_eq(run_text(e_call("/", 2, e_value("8"), e_slot(0))), "[8]");
    cr_assert_eq(f.frame.fail_row, 1);
}

Test(query_expr_eval, a_constant_call_fails_at_the_first_selected_row)
{
    set_rows(10);
    static const uint16_t sel[] = {4, 7};
    f.frame.sel = sel;
    f.frame.selected = 2;
    (void)run(e_call("range", 3, e_value("2"), e_value("8"), e_value("0")));
    cr_assert_eq(f.frame.fail_row, 4);
    cr_assert_eq(f.frame.fail, KT_ERR_NUMBER_OUT_OF_RANGE);
}

Test(query_expr_eval, case_takes_the_first_that_holds)
{
    set_slot(0, "[1, 2, 3, null]", true);
    cr_assert_str_eq(run_text(e_case(true, 6, e_slot(0), e_value("1"), e_value("'one'"),
                                     e_value("2.0"), e_value("'two'"), e_value("'more'"))),
                     "['one', 'two', 'more', 'more']");
    cr_assert_str_eq(run_text(e_case(false, 3, e_call(">", 2, e_slot(0), e_value("1")), e_slot(0),
                                     e_value("null"))),
                     "[null, 2, 3, null]");
    (void)run(e_case(false, 3, e_slot(0), e_value("1"), e_value("2")));
    cr_assert_eq(f.frame.fail_row, 0, "a condition is a boolean");
}

Test(query_expr_eval, lists_maps_and_parameters)
{
    set_slot(0, "[1, 2]", true);
    f.param[0] = literal(f.arena, "{a: [10, 20]}");
    cr_assert_str_eq(run_text(e_list(3, e_slot(0), e_value("'x'"), e_value("null"))),
                     "[[1, 'x', null], [2, 'x', null]]");
    const char *const keys[] = {"a", "b", "a"};
    const KtExpr *const values[] = {e_value("0"), e_slot(0), e_slot(0)};
    cr_assert_str_eq(run_text(e_map(3, keys, values)), "[{a: 1, b: 1}, {a: 2, b: 2}]",
                     "the later entry counts");
    cr_assert_str_eq(run_text(e_call("[]", 2, e_call("[]", 2, e_param(0), e_value("'a'")),
                                     e_call("-", 2, e_slot(0), e_value("1")))),
                     "[10, 20]");
}

Test(query_expr_eval, constants_are_folded_unless_that_fails)
{
    const KtProgram *program;
    KtValue v;
    const KtSlot *slots;
    cr_assert_eq(
        kt_program_compile(f.arena,
                           e_call("+", 2, e_value("1"), e_call("*", 2, e_value("2"), e_value("3"))),
                           &program),
        KT_OK);
    cr_assert_not(kt_program_may_fail(program), "what was folded cannot fail any more");
    cr_assert_eq(kt_program_value(program, &f.x, f.arena, &v), KT_OK);
    cr_assert_eq(v.as.i, 7);
    cr_assert_eq(kt_program_slots(program, &slots), 0);
    cr_assert_eq(kt_program_compile(f.arena, e_call("/", 2, e_value("1"), e_value("0")), &program),
                 KT_OK);
    cr_assert(kt_program_may_fail(program));
    cr_assert_eq(kt_program_value(program, &f.x, f.arena, &v), KT_ERR_DIVISION_BY_ZERO);
    cr_assert_eq(f.diag.status, KT_ERR_DIVISION_BY_ZERO);
    cr_assert_eq(kt_program_compile(f.arena, e_call("rand", 0), &program), KT_OK);
    cr_assert(kt_program_per_row(program));
}

Test(query_expr_eval, slots_are_named_in_order)
{
    const KtProgram *program;
    const KtSlot *slots;
    cr_assert_eq(kt_program_compile(f.arena, e_list(4, e_slot(3), e_slot(1), e_slot(3), e_slot(2)),
                                    &program),
                 KT_OK);
    cr_assert_eq(kt_program_slots(program, &slots), 3);
    cr_assert(slots[0] == 1 && slots[1] == 2 && slots[2] == 3);
    cr_assert_not(kt_program_may_fail(program));
    set_slot(1, "[1]", true);
    set_slot(2, "[2]", true);
    set_slot(3, "[3]", true);
    cr_assert_str_eq(run_text(e_list(4, e_slot(3), e_slot(1), e_slot(3), e_slot(2))),
                     "[[3, 1, 3, 2]]");
}

Test(query_expr_eval, a_predicate_sets_bits_for_true_only)
{
    set_slot(0, "[true, false, null, true]", true);
    const KtProgram *program;
    uint64_t bits[1] = {UINT64_MAX};
    cr_assert_eq(kt_program_compile(f.arena, e_slot(0), &program), KT_OK);
    cr_assert_eq(kt_program_test(program, &f.x, &f.frame, bits), KT_OK);
    cr_assert_eq(bits[0], 0x9);
    set_slot(0, "[true, null, 5, true]", false);
    cr_assert_eq(kt_program_test(program, &f.x, &f.frame, bits), KT_OK);
    cr_assert_eq(f.frame.fail_row, 2);
    cr_assert_eq(f.frame.fail, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE);
    cr_assert_eq(bits[0] & 3, 1);
}

Test(query_expr_eval, chance_differs_by_row)
{
    set_rows(100);
    KtColumn out = run(e_call("rand", 0));
    cr_assert_not(out.constant);
    cr_assert_neq(kt_col_value(&out, 0).as.f, kt_col_value(&out, 1).as.f);
}

Test(query_expr_eval, an_empty_selection_computes_nothing)
{
    set_slot(0, "[0, 0]", true);
    static const uint16_t none[1];
    f.frame.sel = none;
    f.frame.selected = 0;
    (void)run(e_call("/", 2, e_value("1"), e_slot(0)));
    cr_assert_not(kt_frame_failed(&f.frame));
}

Test(query_expr_eval, deep_expressions_compile_and_run)
{
    set_slot(0, "[1]", true);
    const KtExpr *e = e_slot(0);
    for (int i = 0; i < 1000; i++)
        e = e_call("+", 2, e, e_slot(0));
    cr_assert_str_eq(run_text(e), "[1001]");
}
