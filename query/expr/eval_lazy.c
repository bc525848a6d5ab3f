/* query/expr/eval_lazy.c - AND, OR, CASE, coalesce: later parts run only for the rows that are still open.
 *
 * Each part is computed for exactly the rows for which a row-at-a-time evaluator would come to it, so a part that a
 * row does not need cannot fail it. */
#include "query/expr/program.h"

static KtSel still(const KtScope *scope, KtSel sel) { return kt_sel_before(sel, scope->fail_row); }

/* ---- AND, OR ---- */

typedef struct Junction {
    /* AND ends a row at false, OR at true; a null stays open, a later part may still decide */
    KtTruth ends;
    uint8_t *truth; /* by row */
    uint16_t *open; /* rows that are not decided */
    bool unknown;   /* some row has been null */
} Junction;

/* Judges a part that is a column of booleans; returns how many of `now` stay open. */
static uint32_t judge_booleans(Junction *j, const KtColumn *part, KtSel now)
{
    const uint8_t *byte = part->data;
    const uint64_t *nulls = part->nulls;
    uint8_t ends = (uint8_t)j->ends;
    uint32_t left = 0;
    for (uint32_t i = 0; i < now.n; i++) {
        uint32_t row = kt_sel_row(now, i), at = part->constant ? 0 : row;
        j->open[left] = (uint16_t)row; /* never ahead of i: `now` may be `open` itself */
        if (KT_UNLIKELY(nulls && kt_bit(nulls, at))) {
            j->truth[row] = KT_UNKNOWN;
            j->unknown = true;
            left++;
            continue;
        }
        bool ended = (byte[at] != 0) == ends;
        j->truth[row] = ended ? ends : j->truth[row];
        left += !ended;
    }
    return left;
}

static KtStatus judge_values(KtRunState *run, const KtEvalStep *step, KtScope *scope, Junction *j,
                             const KtColumn *part, KtSel now, uint32_t *left)
{
    *left = 0;
    for (uint32_t i = 0; i < now.n; i++) {
        uint32_t row = kt_sel_row(now, i);
        bool bad = false;
        KtTruth t = kt_column_truth(part, row, &bad);
        if (KT_UNLIKELY(bad))
            return kt_run_not_boolean(run, scope, row, part, step->at);
        if (t == j->ends) {
            j->truth[row] = (uint8_t)t;
            continue;
        }
        if (t == KT_UNKNOWN) {
            j->truth[row] = KT_UNKNOWN;
            j->unknown = true;
        }
        j->open[(*left)++] = (uint16_t)row;
    }
    return KT_OK;
}

KtStatus kt_step_junction(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                          KtTruth ends, KtColumn *out)
{
    KtColumn to, part;
    KT_TRY(kt_col_make(run->arena, KT_COL_BOOL, scope->rows, false, &to));
    Junction j = {.ends = ends, .truth = to.data};
    j.open = kt_arena_alloc(run->arena, ((size_t)sel.n + 1) * sizeof *j.open);
    if (!j.open)
        return KT_ERR_MEMORY;
    memset(j.truth, ends == KT_FALSE ? KT_TRUE : KT_FALSE, scope->rows);
    KtSel now = sel;
    for (uint32_t a = 0; a < step->args && now.n > 0; a++) {
        KT_TRY(kt_step_run(run, step->arg[a], scope, now, &part));
        now = still(scope, now);
        uint32_t left = 0;
        if (part.kind == KT_COL_BOOL)
            left = judge_booleans(&j, &part, now);
        else
            KT_TRY(judge_values(run, step->arg[a], scope, &j, &part, now, &left));
        now = (KtSel){j.open, left};
    }
    if (j.unknown) {
        to.nulls = kt_arena_zero(run->arena, ((size_t)scope->rows + 63) / 64, sizeof *to.nulls);
        if (!to.nulls)
            return KT_ERR_MEMORY;
        sel = still(scope, sel);
        for (uint32_t i = 0; i < sel.n; i++) {
            uint32_t row = kt_sel_row(sel, i);
            if (j.truth[row] != KT_UNKNOWN)
                continue;
            j.truth[row] = 0;
            kt_bit_set(to.nulls, row);
        }
    }
    *out = to;
    return KT_OK;
}

/* ---- CASE, coalesce ---- */

static void scatter(const KtColumn *from, KtSel sel, KtValue *to)
{
    for (uint32_t i = 0; i < sel.n; i++) {
        uint32_t row = kt_sel_row(sel, i);
        to[row] = kt_col_value(from, row);
    }
}

/* Computes `part` for the rows of `sel` into `to`. */
static KtStatus step_into(KtRunState *run, const KtEvalStep *part, KtScope *scope, KtSel sel,
                          KtValue *to)
{
    KtColumn col;
    if (sel.n == 0)
        return KT_OK;
    KT_TRY(kt_step_run(run, part, scope, sel, &col));
    scatter(&col, still(scope, sel), to);
    return KT_OK;
}

KtStatus kt_step_case(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                      KtColumn *out)
{
    KtColumn to, operand = {0}, when;
    KtValue *value;
    bool simple = step->expr->as.has_operand;
    KT_TRY(kt_value_column(run->arena, scope->rows, &to, &value));
    if (simple)
        KT_TRY(kt_step_run(run, step->arg[0], scope, sel, &operand));
    uint16_t *open = kt_arena_alloc(run->arena, (size_t)sel.n * sizeof *open);
    uint16_t *take = kt_arena_alloc(run->arena, (size_t)sel.n * sizeof *take);
    if (!open || !take)
        return KT_ERR_MEMORY;
    KtSel now = sel;
    uint32_t a = simple ? 1 : 0;
    for (; a + 1 < step->args && now.n > 0; a += 2) {
        now = still(scope, now);
        KT_TRY(kt_step_run(run, step->arg[a], scope, now, &when));
        now = still(scope, now);
        uint32_t left = 0, taken = 0;
        for (uint32_t i = 0; i < now.n; i++) {
            uint32_t row = kt_sel_row(now, i);
            bool bad = false;
            KtTruth t = simple
                            ? kt_value_equal(kt_col_value(&operand, row), kt_col_value(&when, row))
                            : kt_column_truth(&when, row, &bad);
            if (KT_UNLIKELY(bad)) {
                KT_TRY(kt_run_not_boolean(run, scope, row, &when, step->arg[a]->at));
                break;
            }
            if (t == KT_TRUE)
                take[taken++] = (uint16_t)row;
            else
                open[left++] = (uint16_t)row;
        }
        now = (KtSel){open, left};
        KT_TRY(step_into(run, step->arg[a + 1], scope, (KtSel){take, taken}, value));
    }
    now = still(scope, now);
    if (a < step->args && step->arg[a]) {
        KT_TRY(step_into(run, step->arg[a], scope, now, value));
    } else {
        for (uint32_t i = 0; i < now.n; i++)
            value[kt_sel_row(now, i)] = kt_null();
    }
    *out = to;
    return KT_OK;
}

KtStatus kt_step_coalesce(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                          KtColumn *out)
{
    KtColumn to;
    KtValue *value;
    KT_TRY(kt_value_column(run->arena, scope->rows, &to, &value));
    uint16_t *open = kt_arena_alloc(run->arena, (size_t)sel.n * sizeof *open);
    if (!open)
        return KT_ERR_MEMORY;
    KtSel now = sel;
    for (uint32_t a = 0; a < step->args && now.n > 0; a++) {
        KT_TRY(step_into(run, step->arg[a], scope, now, value));
        now = still(scope, now);
        uint32_t left = 0;
        for (uint32_t i = 0; i < now.n; i++) {
            uint32_t row = kt_sel_row(now, i);
            if (kt_is_null(value[row]))
                open[left++] = (uint16_t)row;
        }
        now = (KtSel){open, left};
    }
    *out = to;
    return KT_OK;
}
