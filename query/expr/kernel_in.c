/* query/expr/kernel_in.c - x IN list, for a column of x and one list: a table of the list's scalars.
 *
 * For a scalar x, equality with an element is either true or false unless the element is null, so a hash of the
 * scalars and the fact "there is a null" answer everything. Other kinds of x go through the list, and so does the table
 * when it is made: the clock is looked at by the steps of that. */
#include "query/expr/expr_internal.h"

#include <math.h>

enum {
    SHORT_LIST = 8,
    FEW_ROWS = 4,
    WORK_UNLOOKED = 64 * 1024 /* steps over values between two looks at the clock */
};

typedef struct Table {
    const KtValue **slot;
    uint32_t mask;
    bool any_null;
} Table;

static bool scalar(KtValue v)
{
    return v.kind == KT_INT || v.kind == KT_FLOAT || v.kind == KT_TEXT || v.kind == KT_BOOL ||
           v.kind == KT_NODE || v.kind == KT_REL;
}

static KtStatus table_of(KtArena *arena, KtValue list, Table *out)
{
    uint32_t cap = 16;
    while (cap / 2 < list.len)
        cap *= 2;
    *out = (Table){.slot = kt_arena_zero(arena, cap, sizeof *out->slot), .mask = cap - 1};
    if (!out->slot)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < list.len; i++) {
        const KtValue *v = &list.as.list[i];
        out->any_null |= v->kind == KT_NULL;
        bool nan = v->kind == KT_FLOAT && isnan(v->as.f); /* equal to nothing */
        if (!scalar(*v) || nan)
            continue;
        uint32_t at = (uint32_t)kt_value_hash(*v) & out->mask;
        while (out->slot[at] && !kt_value_equivalent(*out->slot[at], *v))
            at = (at + 1) & out->mask;
        out->slot[at] = v;
    }
    return KT_OK;
}

static bool found(const Table *table, KtValue x)
{
    if (x.kind == KT_FLOAT && isnan(x.as.f))
        return false;
    uint32_t at = (uint32_t)kt_value_hash(x) & table->mask;
    while (table->slot[at]) {
        if (kt_value_equivalent(*table->slot[at], x))
            return true;
        at = (at + 1) & table->mask;
    }
    return false;
}

KT_MANY(kt_many_in)
{
    *done = false;
    if (!args[1].constant)
        return KT_OK;
    KtValue list = kt_col_value(&args[1], 0);
    if (list.kind != KT_LIST || list.len < SHORT_LIST || list.len > UINT32_MAX / 4 ||
        k->sel.n < FEW_ROWS)
        return KT_OK;
    Table table = {0};
    KtColumn to;
    KT_TRY(kt_col_make(k->arena, KT_COL_BOOL, k->scope->rows, true, &to));
    KtCall call = {.arena = k->arena, .x = k->x, .at = k->at};
    uint8_t *byte = to.data;
    uint64_t walk = kt_value_steps(list), work = 0;
    for (uint32_t i = 0; i < k->sel.n; i++) {
        uint32_t row = kt_sel_row(k->sel, i);
        KtValue pair[2] = {kt_col_value(&args[0], row), list}, answer = kt_null();
        bool plain = scalar(pair[0]);
        work += !plain || !table.slot ? walk : kt_value_steps(pair[0]);
        if (plain && !table.slot)
            KT_TRY(table_of(k->arena, list, &table));
        if (!plain) {
            KT_TRY(kt_fn_in(&call, pair, &answer));
        } else if (found(&table, pair[0])) {
            answer = kt_bool(true);
        } else if (!table.any_null) {
            answer = kt_bool(false);
        }
        if (work > WORK_UNLOOKED) {
            KT_TRY(kt_eval_tick(k->x));
            work = 0;
        }
        byte[row] = answer.kind == KT_BOOL && answer.as.b;
        if (kt_is_null(answer))
            kt_bit_set(to.nulls, row);
    }
    *done = true;
    *out = to;
    return KT_OK;
}
