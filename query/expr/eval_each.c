/* query/expr/eval_each.c - bodies that run for each element of a list: comprehensions, quantifiers, reduce.
 *
 * The elements of all selected rows' lists are taken in order, up to a thousand at a time, as the rows of an inner
 * scope; an element that fails fails the row it came from. reduce goes by position instead: its k-th round takes
 * the k-th element of every list that has one, since each round needs the result of the one before. */
#include "query/expr/program.h"

enum { ELEMENTS = 1024, COMPACT_BYTES = 1024 * 1024 };

/* Lists of the selected rows, and how far they have been taken. */
typedef struct Elements {
    const KtColumn *lists;
    KtSel sel;
    uint32_t at, offset; /* the selected row and the element to go on with */
    /* the batch taken last */
    uint32_t n;
    uint32_t parent[ELEMENTS]; /* row that element i came from */
} Elements;

/* Takes the next elements into `value`; n = 0: none is left. Null lists have none. */
static void take_elements(Elements *e, KtValue *value)
{
    e->n = 0;
    while (e->at < e->sel.n && e->n < ELEMENTS) {
        uint32_t row = kt_sel_row(e->sel, e->at);
        KtValue list = kt_col_value(e->lists, row);
        while (list.kind == KT_LIST && e->offset < list.len && e->n < ELEMENTS) {
            e->parent[e->n] = row;
            value[e->n++] = list.as.list[e->offset++];
        }
        if (list.kind == KT_LIST && e->offset < list.len)
            return;
        e->at++;
        e->offset = 0;
    }
}

/* The lists' column; fails the first row that holds something else. */
static KtStatus list_column(KtRunState *run, const KtEvalStep *of, KtScope *scope, KtSel *sel,
                            KtColumn *out)
{
    KT_TRY(kt_step_run(run, of, scope, *sel, out));
    *sel = kt_sel_before(*sel, scope->fail_row);
    for (uint32_t i = 0; i < sel->n; i++) {
        uint32_t row = kt_sel_row(*sel, i);
        KtValue v = kt_col_value(out, row);
        if (v.kind == KT_LIST || v.kind == KT_NULL)
            continue;
        KtStatus status =
            kt_diag_set(&run->words, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE, &of->at,
                        "A List is needed here, not %s", kt_kind_name((KtKind)v.kind));
        KT_TRY(kt_run_fail(run, scope, row, status));
        break;
    }
    *sel = kt_sel_before(*sel, scope->fail_row);
    return KT_OK;
}

/* An inner scope of n rows, with what the body needs gathered from the rows around. */
static KtStatus open_scope(KtRunState *run, const KtEvalStep *step, KtScope *outer,
                           const uint32_t *parent, uint32_t n, KtScope *out)
{
    const KtProgram *p = run->program;
    const KtNeeds *body = &step->as.each.body;
    *out = (KtScope){.rows = n, .fail_row = UINT32_MAX};
    out->slot = kt_arena_alloc(run->arena, ((size_t)p->slots + p->locals + 1) * sizeof *out->slot);
    if (!out->slot)
        return KT_ERR_MEMORY;
    out->local = out->slot + p->slots;
    for (uint32_t i = 0; i < p->slots + p->locals; i++)
        out->slot[i] = kt_null_column();
    for (uint32_t i = 0; i < body->slots; i++) {
        KtColumn col;
        KT_TRY(kt_scope_slot(run, outer, body->slot[i], &col));
        KT_TRY(kt_col_gather(run->arena, &col, parent, n, &out->slot[body->slot[i]]));
    }
    for (uint32_t i = 0; i < body->locals; i++)
        KT_TRY(kt_col_gather(run->arena, &outer->local[body->local[i]], parent, n,
                             &out->local[body->local[i]]));
    return KT_OK;
}

static void hand_up(KtRunState *run, KtScope *outer, const KtScope *inner, const uint32_t *parent)
{
    if (inner->fail_row != UINT32_MAX)
        kt_scope_fail(outer, run->x, NULL, parent[inner->fail_row], inner->fail);
}

/* Truth of the predicate for each element; NULL predicate: all true. Stops before the first failing one. */
static KtStatus test_elements(KtRunState *run, const KtEvalStep *test, KtScope *inner,
                              uint8_t *truth)
{
    KtColumn col;
    if (!test) {
        memset(truth, KT_TRUE, inner->rows);
        return KT_OK;
    }
    KT_TRY(kt_step_run(run, test, inner, (KtSel){NULL, inner->rows}, &col));
    for (uint32_t i = 0; i < inner->rows && i < inner->fail_row; i++) {
        bool bad = false;
        truth[i] = (uint8_t)kt_column_truth(&col, i, &bad);
        if (KT_UNLIKELY(bad))
            return kt_run_not_boolean(run, inner, i, &col, test->at);
    }
    return KT_OK;
}

/* The next batch of elements as a scope; false in *any: there is none, or the rest has failed. */
static KtStatus next_scope(KtRunState *run, const KtEvalStep *step, KtScope *scope, Elements *e,
                           KtScope *inner, bool *any)
{
    KtColumn element;
    KtValue *value;
    *any = false;
    if (scope->fail_row != UINT32_MAX)
        e->sel = kt_sel_before(e->sel, scope->fail_row);
    if (e->at >= e->sel.n)
        return KT_OK;
    KT_TRY(kt_eval_tick(run->x));
    KT_TRY(kt_value_column(run->arena, ELEMENTS, &element, &value));
    take_elements(e, value);
    if (e->n == 0)
        return KT_OK;
    KT_TRY(open_scope(run, step, scope, e->parent, e->n, inner));
    inner->local[step->as.each.local] = element;
    *any = true;
    return KT_OK;
}

/* ---- list comprehension ---- */

typedef struct Collected {
    KtValue *item;
    uint32_t n, cap;
} Collected;

static KtStatus collect(KtArena *arena, Collected *to, KtValue v)
{
    void *grown = to->item;
    KT_TRY(kt_arena_grow(arena, &grown, to->n, &to->cap, sizeof *to->item));
    to->item = grown;
    to->item[to->n++] = v;
    return KT_OK;
}

KtStatus kt_step_comprehension(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                               KtColumn *out)
{
    const KtEvalStep *where = step->args > 1 ? step->arg[1] : NULL,
                     *map = step->args > 2 ? step->arg[2] : NULL;
    KtColumn lists, to, mapped;
    KtValue *value;
    KT_TRY(list_column(run, step->arg[0], scope, &sel, &lists));
    KT_TRY(kt_value_column(run->arena, scope->rows, &to, &value));
    uint32_t *count = kt_arena_zero(run->arena, scope->rows, sizeof *count);
    Elements *e = kt_arena_zero(run->arena, 1, sizeof *e);
    uint8_t *truth = kt_arena_alloc(run->arena, ELEMENTS);
    uint16_t *keep = kt_arena_alloc(run->arena, ELEMENTS * sizeof *keep);
    if (!count || !e || !truth || !keep)
        return KT_ERR_MEMORY;
    *e = (Elements){.lists = &lists, .sel = sel};
    Collected all = {0};
    for (;;) {
        KtScope inner;
        bool any;
        KT_TRY(next_scope(run, step, scope, e, &inner, &any));
        if (!any)
            break;
        KT_TRY(test_elements(run, where, &inner, truth));
        uint32_t kept = 0;
        for (uint32_t i = 0; i < inner.rows && i < inner.fail_row; i++) {
            if (truth[i] == KT_TRUE)
                keep[kept++] = (uint16_t)i;
        }
        KtSel chosen = {keep, kept};
        mapped = inner.local[step->as.each.local];
        if (map && kept)
            KT_TRY(kt_step_run(run, map, &inner, chosen, &mapped));
        chosen = kt_sel_before(chosen, inner.fail_row);
        for (uint32_t i = 0; i < chosen.n; i++) {
            uint32_t row = chosen.at[i];
            KT_TRY(collect(run->arena, &all, kt_col_value(&mapped, row)));
            count[e->parent[row]]++;
        }
        hand_up(run, scope, &inner, e->parent);
    }
    sel = kt_sel_before(sel, scope->fail_row);
    KtCall call = {.arena = run->arena, .diag = &run->words, .x = run->x, .at = step->at};
    const KtValue *at = all.item;
    for (uint32_t i = 0; i < sel.n; i++) {
        uint32_t row = kt_sel_row(sel, i);
        value[row] = kt_null();
        if (kt_is_null(kt_col_value(&lists, row)))
            continue;
        KtStatus status = kt_make_list(&call, at, count[row], &value[row]);
        if (status != KT_OK) {
            KT_TRY(kt_run_fail(run, scope, row, status));
            break;
        }
        at = count[row] ? at + count[row] : at;
    }
    *out = to;
    return KT_OK;
}

/* ---- quantifiers ---- */

typedef struct Tally {
    uint32_t yes, no, unknown;
} Tally;

/* What is known of the elements decides before what is not. */
static KtTruth verdict(KtQuantifier kind, Tally t)
{
    switch (kind) {
    case KT_ALL: return t.no ? KT_FALSE : t.unknown ? KT_UNKNOWN : KT_TRUE;
    case KT_ANY: return t.yes ? KT_TRUE : t.unknown ? KT_UNKNOWN : KT_FALSE;
    case KT_NONE: return t.yes ? KT_FALSE : t.unknown ? KT_UNKNOWN : KT_TRUE;
    case KT_SINGLE:
        return t.yes > 1 ? KT_FALSE : t.unknown ? KT_UNKNOWN : t.yes == 1 ? KT_TRUE : KT_FALSE;
    }
    return KT_UNKNOWN;
}

KtStatus kt_step_quantifier(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                            KtColumn *out)
{
    const KtEvalStep *where = step->args > 1 ? step->arg[1] : NULL;
    KtColumn lists, to;
    KtValue *value;
    KT_TRY(list_column(run, step->arg[0], scope, &sel, &lists));
    KT_TRY(kt_value_column(run->arena, scope->rows, &to, &value));
    Tally *tally = kt_arena_zero(run->arena, scope->rows, sizeof *tally);
    Elements *e = kt_arena_zero(run->arena, 1, sizeof *e);
    uint8_t *truth = kt_arena_alloc(run->arena, ELEMENTS);
    if (!tally || !e || !truth)
        return KT_ERR_MEMORY;
    *e = (Elements){.lists = &lists, .sel = sel};
    KtArenaMark mark = kt_arena_mark(run->arena); /* nothing of a batch is kept */
    for (;;) {
        KtScope inner;
        bool any;
        kt_arena_rewind(run->arena, mark);
        KT_TRY(next_scope(run, step, scope, e, &inner, &any));
        if (!any)
            break;
        KT_TRY(test_elements(run, where, &inner, truth));
        for (uint32_t i = 0; i < inner.rows && i < inner.fail_row; i++) {
            Tally *t = &tally[e->parent[i]];
            t->yes += truth[i] == KT_TRUE;
            t->no += truth[i] == KT_FALSE;
            t->unknown += truth[i] == KT_UNKNOWN;
        }
        hand_up(run, scope, &inner, e->parent);
    }
    sel = kt_sel_before(sel, scope->fail_row);
    for (uint32_t i = 0; i < sel.n; i++) {
        uint32_t row = kt_sel_row(sel, i);
        bool null = kt_is_null(kt_col_value(&lists, row));
        value[row] =
            null ? kt_null() : kt_truth_value(verdict(step->expr->as.quantify.kind, tally[row]));
    }
    *out = to;
    return KT_OK;
}

/* ---- reduce ---- */

/* Rounds leave their temporary columns in the arena. When those have grown large, the accumulators are copied
 * aside, the arena rewound and the accumulators brought back. */
static KtStatus compact(KtRunState *run, KtArenaMark mark, KtSel sel, KtValue *acc, size_t *limit)
{
    KtArena *aside;
    KT_TRY(kt_arena_open(NULL, &aside));
    KtStatus status = KT_OK;
    for (uint32_t i = 0; i < sel.n && status == KT_OK; i++) {
        uint32_t row = kt_sel_row(sel, i);
        status = kt_value_copy(aside, acc[row], &acc[row]);
    }
    if (status == KT_OK)
        kt_arena_rewind(run->arena, mark);
    size_t before = kt_arena_used(run->arena);
    for (uint32_t i = 0; i < sel.n && status == KT_OK; i++) {
        uint32_t row = kt_sel_row(sel, i);
        status = kt_value_copy(run->arena, acc[row], &acc[row]);
    }
    size_t kept = kt_arena_used(run->arena) - before;
    *limit = kt_arena_used(run->arena) + (kept > COMPACT_BYTES ? kept : COMPACT_BYTES);
    kt_arena_close(aside);
    return status;
}

/* One round: the k-th element of each list in `now`. */
static KtStatus reduce_round(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel now,
                             const KtColumn *lists, uint32_t k, KtValue *acc)
{
    KtColumn element, before, after;
    KtValue *item, *from;
    KtScope inner;
    uint32_t *parent = kt_arena_alloc(run->arena, (size_t)now.n * sizeof *parent);
    if (!parent)
        return KT_ERR_MEMORY;
    KT_TRY(kt_value_column(run->arena, now.n, &element, &item));
    KT_TRY(kt_value_column(run->arena, now.n, &before, &from));
    for (uint32_t i = 0; i < now.n; i++) {
        parent[i] = kt_sel_row(now, i);
        item[i] = kt_col_value(lists, parent[i]).as.list[k];
        from[i] = acc[parent[i]];
    }
    KT_TRY(open_scope(run, step, scope, parent, now.n, &inner));
    inner.local[step->as.each.local] = element;
    inner.local[step->as.each.acc] = before;
    KT_TRY(kt_step_run(run, step->arg[2], &inner, (KtSel){NULL, now.n}, &after));
    for (uint32_t i = 0; i < now.n && i < inner.fail_row; i++)
        acc[parent[i]] = kt_col_value(&after, i);
    hand_up(run, scope, &inner, parent);
    return KT_OK;
}

KtStatus kt_step_reduce(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                        KtColumn *out)
{
    KtColumn first, lists, to;
    KtValue *acc;
    KT_TRY(kt_step_run(run, step->arg[0], scope, sel, &first));
    KT_TRY(list_column(run, step->arg[1], scope, &sel, &lists));
    KT_TRY(kt_value_column(run->arena, scope->rows, &to, &acc));
    uint16_t *open = kt_arena_alloc(run->arena, (size_t)sel.n * sizeof *open);
    if (!open)
        return KT_ERR_MEMORY;
    KtSel now = {open, 0};
    for (uint32_t i = 0; i < sel.n; i++) {
        uint32_t row = kt_sel_row(sel, i);
        bool null = kt_is_null(kt_col_value(&lists, row));
        acc[row] = null ? kt_null() : kt_col_value(&first, row);
        if (!null)
            open[now.n++] = (uint16_t)row;
    }
    KtArenaMark mark = kt_arena_mark(run->arena);
    size_t limit = kt_arena_used(run->arena) + COMPACT_BYTES;
    for (uint32_t k = 0;; k++) {
        now = kt_sel_before(now, scope->fail_row);
        uint32_t left = 0;
        for (uint32_t i = 0; i < now.n; i++) {
            if (kt_col_value(&lists, open[i]).len > k)
                open[left++] = open[i];
        }
        now.n = left;
        if (left == 0)
            break;
        KT_TRY(reduce_round(run, step, scope, now, &lists, k, acc));
        if (k % 256 == 255)
            KT_TRY(kt_eval_tick(run->x));
        if (kt_arena_used(run->arena) > limit)
            KT_TRY(compact(run, mark, kt_sel_before(sel, scope->fail_row), acc, &limit));
    }
    *out = to;
    return KT_OK;
}
