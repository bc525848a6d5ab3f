#include "tests/unit/query/expr/build.h"

#include <stdarg.h>
#include <stdio.h>

Fixture f;

static KtStatus slot_column(KtFrame *frame, KtSlot slot, KtColumn *out)
{
    (void)frame;
    *out = f.slot[slot];
    return KT_OK;
}

void build_setup(void)
{
    memset(&f, 0, sizeof f);
    KT_CHECK(kt_arena_open(NULL, &f.arena) == KT_OK);
    static const KtBoundName names[NAMES] = {
        {KT_NAME_LABEL, {"A", 1}}, {KT_NAME_LABEL, {"B", 1}},  {KT_NAME_LABEL, {"C", 1}},
        {KT_NAME_KEY, {"num", 3}}, {KT_NAME_KEY, {"name", 4}}, {KT_NAME_KEY, {"other", 5}},
    };
    memcpy(f.name, names, sizeof names);
    f.bound.name = f.name;
    f.bound.names = NAMES;
    f.view.deleted_node = UINT64_MAX;
    f.x = (KtEvalContext){.view = &f.view,
                          .bound = &f.bound,
                          .param = f.param,
                          .token = f.token,
                          .diag = &f.diag,
                          .query = f.arena,
                          .now_us = 1234567,
                          .database_id = 1};
    f.frame = (KtFrame){.column = slot_column, .arena = f.arena, .fail_row = UINT32_MAX};
}

void build_teardown(void)
{
    kt_eval_close(&f.x);
    kt_arena_close(f.arena);
}

static KtExpr *expr_new(KtExprKind kind, uint32_t args)
{
    KtExpr *e = kt_arena_zero(f.arena, 1, sizeof *e);
    KT_CHECK(e);
    e->kind = kind;
    e->type = KT_TYPE_ANY;
    e->args = args;
    e->arg = kt_arena_zero(f.arena, args + 1, sizeof *e->arg);
    return e;
}

static void take_args(KtExpr *e, va_list args)
{
    for (uint32_t i = 0; i < e->args; i++)
        e->arg[i] = va_arg(args, const KtExpr *);
}

const KtExpr *e_value(const char *text)
{
    KtExpr *e = expr_new(KT_EXPR_CONST, 0);
    e->as.value = literal(f.arena, text);
    e->type = (KtType){KT_KIND_BIT(e->as.value.kind), 0};
    return e;
}

const KtExpr *e_slot(KtSlot slot)
{
    KtExpr *e = expr_new(KT_EXPR_SLOT, 0);
    e->as.slot = slot;
    return e;
}

const KtExpr *e_local(uint32_t local)
{
    KtExpr *e = expr_new(KT_EXPR_LOCAL, 0);
    e->as.local = local;
    return e;
}

const KtExpr *e_param(uint32_t param)
{
    KtExpr *e = expr_new(KT_EXPR_PARAM, 0);
    e->as.param = param;
    return e;
}

const KtExpr *e_prop(const KtExpr *of, KtNameRef name)
{
    KtExpr *e = expr_new(KT_EXPR_PROP, 1);
    e->arg[0] = of;
    e->as.name = name;
    return e;
}

const KtExpr *e_labels(const KtExpr *of, uint32_t n, const KtNameRef *name)
{
    KtExpr *e = expr_new(KT_EXPR_HAS_LABELS, 1);
    e->arg[0] = of;
    e->as.names.name = name;
    e->as.names.n = n;
    return e;
}

const KtExpr *e_call(const char *function, uint32_t n, ...)
{
    KtExpr *e = expr_new(KT_EXPR_CALL, n);
    va_list args;
    va_start(args, n);
    take_args(e, args);
    va_end(args);
    e->as.call.function = kt_function_find((KtText){function, (uint32_t)strlen(function)});
    KT_CHECK(e->as.call.function);
    return e;
}

const KtExpr *e_and(uint32_t n, ...)
{
    KtExpr *e = expr_new(KT_EXPR_AND, n);
    va_list args;
    va_start(args, n);
    take_args(e, args);
    va_end(args);
    return e;
}

const KtExpr *e_or(uint32_t n, ...)
{
    KtExpr *e = expr_new(KT_EXPR_OR, n);
    va_list args;
    va_start(args, n);
    take_args(e, args);
    va_end(args);
    return e;
}

const KtExpr *e_list(uint32_t n, ...)
{
    KtExpr *e = expr_new(KT_EXPR_LIST, n);
    va_list args;
    va_start(args, n);
    take_args(e, args);
    va_end(args);
    return e;
}

const KtExpr *e_case(bool has_operand, uint32_t n, ...)
{
    KtExpr *e = expr_new(KT_EXPR_CASE, n);
    va_list args;
    va_start(args, n);
    take_args(e, args);
    va_end(args);
    e->as.has_operand = has_operand;
    return e;
}

const KtExpr *e_comprehension(uint32_t local, const KtExpr *list, const KtExpr *where,
                              const KtExpr *map)
{
    KtExpr *e = expr_new(KT_EXPR_COMPREHENSION, 3);
    e->arg[0] = list;
    e->arg[1] = where;
    e->arg[2] = map;
    e->as.each.local = local;
    return e;
}

const KtExpr *e_quantifier(KtQuantifier kind, uint32_t local, const KtExpr *list,
                           const KtExpr *where)
{
    KtExpr *e = expr_new(KT_EXPR_QUANTIFIER, 2);
    e->arg[0] = list;
    e->arg[1] = where;
    e->as.quantify.local = local;
    e->as.quantify.kind = kind;
    return e;
}

const KtExpr *e_reduce(uint32_t acc, const KtExpr *first, uint32_t local, const KtExpr *list,
                       const KtExpr *body)
{
    KtExpr *e = expr_new(KT_EXPR_REDUCE, 3);
    e->arg[0] = first;
    e->arg[1] = list;
    e->arg[2] = body;
    e->as.reduce.local = local;
    e->as.reduce.acc = acc;
    return e;
}

const KtExpr *e_map(uint32_t n, const char *const *key, const KtExpr *const *value)
{
    KtExpr *e = expr_new(KT_EXPR_MAP, n);
    KtText *keys = kt_arena_alloc(f.arena, (n + 1) * sizeof *keys);
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = (KtText){key[i], (uint32_t)strlen(key[i])};
        e->arg[i] = value[i];
    }
    e->as.map.key = keys;
    return e;
}

const KtExpr *e_project(const KtExpr *of, const KtMapItem *item, uint32_t n, uint32_t args,
                        const KtExpr *const *arg)
{
    KtExpr *e = expr_new(KT_EXPR_MAP_PROJECTION, args + 1);
    e->arg[0] = of;
    for (uint32_t i = 0; i < args; i++)
        e->arg[i + 1] = arg[i];
    e->as.project.item = item;
    e->as.project.n = n;
    return e;
}

void set_rows(uint32_t rows)
{
    f.frame.rows = rows;
    f.frame.selected = rows;
    f.frame.sel = NULL;
}

void set_slot(KtSlot slot, const char *text, bool typed)
{
    KtValue list = literal(f.arena, text);
    KtColumn col;
    KtColKind kind = KT_COL_VALUE;
    for (uint32_t i = 0; typed && i < list.len; i++) {
        switch (list.as.list[i].kind) {
        case KT_BOOL: kind = KT_COL_BOOL; break;
        case KT_INT: kind = KT_COL_INT; break;
        case KT_FLOAT: kind = KT_COL_FLOAT; break;
        case KT_TEXT: kind = KT_COL_TEXT; break;
        }
    }
    KT_CHECK(kt_col_make(f.arena, kind, list.len, kind != KT_COL_VALUE, &col) == KT_OK);
    for (uint32_t i = 0; i < list.len; i++) {
        KtValue v = list.as.list[i];
        if (kind == KT_COL_VALUE)
            ((KtValue *)col.data)[i] = v;
        else if (kt_is_null(v))
            kt_bit_set(col.nulls, i);
        else if (kind == KT_COL_BOOL)
            ((uint8_t *)col.data)[i] = v.as.b;
        else if (kind == KT_COL_TEXT)
            ((KtText *)col.data)[i] = (KtText){v.as.text, v.len};
        else
            ((int64_t *)col.data)[i] = v.as.i;
    }
    f.slot[slot] = col;
    set_rows(list.len);
}

void set_nodes(KtSlot slot, uint32_t n, const uint32_t *id)
{
    KT_CHECK(kt_col_make(f.arena, KT_COL_NODE, n, false, &f.slot[slot]) == KT_OK);
    memcpy(f.slot[slot].data, id, n * sizeof *id);
    set_rows(n);
}

void set_rels(KtSlot slot, uint32_t n, const KtRelRef *rel)
{
    KT_CHECK(kt_col_make(f.arena, KT_COL_REL, n, false, &f.slot[slot]) == KT_OK);
    for (uint32_t i = 0; i < n; i++)
        ((const KtRelRef **)f.slot[slot].data)[i] = rel[i].id == UINT64_MAX ? NULL : &rel[i];
    set_rows(n);
}

KtColumn run(const KtExpr *expr)
{
    const KtProgram *program;
    KtColumn out;
    KT_CHECK(kt_program_compile(f.arena, expr, &program) == KT_OK);
    KtStatus status = kt_program_run(program, &f.x, &f.frame, &out);
    if (status != KT_OK)
        fprintf(stderr, "%s: %s\n", kt_error_facts(status)->name, f.diag.message);
    KT_CHECK(status == KT_OK);
    return out;
}

const char *run_text(const KtExpr *expr)
{
    KtColumn col = run(expr);
    KtValue *items = kt_arena_alloc(f.arena, ROWS_MOST * sizeof *items);
    uint32_t n = 0, selected = f.frame.sel ? f.frame.selected : f.frame.rows;
    for (uint32_t i = 0; i < selected; i++) {
        uint32_t row = f.frame.sel ? f.frame.sel[i] : i;
        if (row < f.frame.fail_row)
            items[n++] = kt_col_value(&col, row);
    }
    return printed(f.arena, kt_list(items, n));
}
