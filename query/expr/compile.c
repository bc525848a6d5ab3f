/* query/expr/compile.c - from a bound expression to a program.
 *
 * Slots and locals are numbered anew from 0, so that a scope's columns are two short arrays. A call of constants is
 * folded when it succeeds; one that fails stays, to fail when (and if) a row comes to it. */
#include "query/expr/program.h"

#include "base/key_order.h"

#include <stdlib.h>

typedef struct Compiler {
    KtArena *arena;
    KtSlot *slot;
    uint32_t slots, slot_cap;
    uint32_t *local;
    uint32_t locals, local_cap;
    bool may_fail, per_row;
} Compiler;

static KtStatus number(KtArena *arena, uint32_t **list, uint32_t *n, uint32_t *cap, uint32_t what,
                       uint32_t *out)
{
    for (uint32_t i = 0; i < *n; i++) {
        if ((*list)[i] == what) {
            *out = i;
            return KT_OK;
        }
    }
    void *grown = *list;
    KT_TRY(kt_arena_grow(arena, &grown, *n, cap, sizeof **list));
    *list = grown;
    (*list)[*n] = what;
    *out = (*n)++;
    return KT_OK;
}

static KtStatus number_local(Compiler *c, uint32_t local, uint32_t *out)
{
    return number(c->arena, &c->local, &c->locals, &c->local_cap, local, out);
}

static KtStatus make_constant(Compiler *c, KtEvalStep *step, KtValue value)
{
    step->kind = KT_EVAL_CONST;
    step->args = 0;
    step->as.constant.value = value;
    return kt_constant_column(c->arena, value, &step->as.constant.column);
}

/* ---- what can fail ---- */

static bool may_be(KtType type, KtKinds others)
{
    KtKinds kinds = type.kinds ? type.kinds : KT_ANY_KIND;
    return (kinds & others) != 0;
}

static KtKinds not(KtKinds kinds) { return KT_ANY_KIND & ~(kinds | KT_KIND_BIT(KT_NULL)); }

static bool call_may_fail(const KtExpr *e)
{
    const KtFunction *f = e->as.call.function;
    if (f->traits & KT_FN_MAY_FAIL)
        return true;
    for (uint32_t i = 0; i < e->args; i++) {
        if (may_be(e->arg[i]->type, not(kt_function_kinds(f, i))))
            return true;
    }
    return false;
}

static bool itself_may_fail(const KtExpr *e)
{
    const KtKinds boolean = KT_KIND_BIT(KT_BOOL), list = KT_KIND_BIT(KT_LIST);
    const KtKinds keyed = KT_KIND_BIT(KT_MAP) | KT_KIND_BIT(KT_NODE) | KT_KIND_BIT(KT_REL);
    if (e->meets_deleted)
        return true;
    switch (e->kind) {
    case KT_EXPR_CALL: return call_may_fail(e);
    case KT_EXPR_AND:
    case KT_EXPR_OR:
        for (uint32_t i = 0; i < e->args; i++) {
            if (may_be(e->arg[i]->type, not(boolean)))
                return true;
        }
        return false;
    case KT_EXPR_PROP:
    case KT_EXPR_MAP_PROJECTION: return may_be(e->arg[0]->type, not(keyed));
    case KT_EXPR_HAS_LABELS:
        return may_be(e->arg[0]->type, not(KT_KIND_BIT(KT_NODE) | KT_KIND_BIT(KT_REL)));
    case KT_EXPR_COMPREHENSION:
    case KT_EXPR_QUANTIFIER:
        return may_be(e->arg[0]->type, not(list)) ||
               (e->args > 1 && e->arg[1] && may_be(e->arg[1]->type, not(boolean)));
    case KT_EXPR_CASE:
        for (uint32_t i = 0; !e->as.has_operand && i + 1 < e->args; i += 2) {
            if (may_be(e->arg[i]->type, not(boolean)))
                return true;
        }
        return false;
    case KT_EXPR_REDUCE: return true; /* the accumulator's kind is not followed */
    case KT_EXPR_LIST:
    case KT_EXPR_MAP: /* nesting is bounded by the statement's */
    case KT_EXPR_CONST:
    case KT_EXPR_PARAM:
    case KT_EXPR_SLOT:
    case KT_EXPR_LOCAL: return false;
    }
    return true;
}

/* ---- folding ---- */

static bool all_constant(const KtEvalStep *step)
{
    for (uint32_t i = 0; i < step->args; i++) {
        if (!step->arg[i] || step->arg[i]->kind != KT_EVAL_CONST)
            return false;
    }
    return true;
}

static KtStatus constant_args(Compiler *c, const KtEvalStep *step, KtValue **out)
{
    KtValue *args = kt_arena_alloc(c->arena, ((size_t)step->args + 1) * sizeof *args);
    if (!args)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < step->args; i++)
        args[i] = step->arg[i]->as.constant.value;
    *out = args;
    return KT_OK;
}

static KtStatus fold(Compiler *c, KtEvalStep *step, bool *folded)
{
    *folded = false;
    if (!all_constant(step))
        return KT_OK;
    KtCall call = {.arena = c->arena, .at = step->at};
    KtValue *args, value;
    KtStatus status;
    if (step->kind == KT_EVAL_CALL) {
        const KtFunction *f = step->as.call.function;
        /* a folded range() would live as long as the plan: leave what makes much of little */
        if (!(f->traits & KT_FN_PURE) || f->one == kt_fn_range || f->one == kt_fn_replace)
            return KT_OK;
        KT_TRY(constant_args(c, step, &args));
        status = kt_function_call(f, &call, args, step->args, &value);
    } else if (step->kind == KT_EVAL_LIST) {
        KT_TRY(constant_args(c, step, &args));
        status = kt_make_list(&call, args, step->args, &value);
    } else if (step->kind == KT_EVAL_MAP) {
        KT_TRY(constant_args(c, step, &args));
        KtMapEntry *entry = kt_arena_alloc(c->arena, ((size_t)step->args + 1) * sizeof *entry);
        if (!entry)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < step->args; i++)
            entry[i] = (KtMapEntry){step->as.map.key[i], args[i]};
        status = kt_make_map(&call, entry, step->args, &value);
    } else {
        return KT_OK;
    }
    if (status == KT_ERR_MEMORY)
        return status;
    *folded = status == KT_OK;
    return *folded ? make_constant(c, step, value) : KT_OK;
}

/* ---- needs of bodies ---- */

typedef struct NeedSet {
    KtArena *arena;
    uint32_t *slot, *local;
    uint32_t slots, slot_cap, locals, local_cap;
} NeedSet;

static KtStatus collect_needs(NeedSet *set, const KtEvalStep *step)
{
    uint32_t at;
    if (!step)
        return KT_OK;
    if (step->kind == KT_EVAL_SLOT)
        KT_TRY(number(set->arena, &set->slot, &set->slots, &set->slot_cap, step->as.index, &at));
    if (step->kind == KT_EVAL_LOCAL)
        KT_TRY(number(set->arena, &set->local, &set->locals, &set->local_cap, step->as.index, &at));
    for (uint32_t i = 0; i < step->args; i++)
        KT_TRY(collect_needs(set, step->arg[i]));
    return KT_OK;
}

/* What the arguments from `first` on need. Locals that are bound inside are among them, which does no harm: their
 * columns outside are empty. */
static KtStatus body_needs(Compiler *c, KtEvalStep *step, uint32_t first)
{
    NeedSet set = {.arena = c->arena};
    for (uint32_t i = first; i < step->args; i++)
        KT_TRY(collect_needs(&set, step->arg[i]));
    step->as.each.body = (KtNeeds){set.slot, set.local, set.slots, set.locals};
    return KT_OK;
}

/* ---- steps ---- */

static KtColKind result_column(KtKinds kinds)
{
    switch (kinds & ~KT_KIND_BIT(KT_NULL)) {
    case KT_KIND_BIT(KT_BOOL): return KT_COL_BOOL;
    case KT_KIND_BIT(KT_INT): return KT_COL_INT;
    case KT_KIND_BIT(KT_FLOAT): return KT_COL_FLOAT;
    case KT_KIND_BIT(KT_TEXT): return KT_COL_TEXT;
    }
    return KT_COL_VALUE;
}

/* Of two entries with one key the later one counts, at the place of the first. */
static KtStatus distinct_keys(Compiler *c, KtEvalStep *step, KtText *key)
{
    uint32_t n = 0, *from = kt_arena_alloc(c->arena, ((size_t)step->args * 3 + 1) * sizeof *from);
    KtKeyClock clock = {0}; /* as many as a statement's text holds: well under a second */
    if (!from)
        return KT_ERR_MEMORY;
    KT_TRY(
        kt_keys_distinct((KtKeys){key, sizeof *key, step->args}, from, from + step->args, &clock));
    for (uint32_t i = 0; i < step->args; i++) {
        if (from[i] == KT_NO_KEY)
            continue;
        key[n] = key[i];
        step->arg[n++] = step->arg[from[i]];
    }
    step->args = n;
    step->as.map.key = key;
    return KT_OK;
}

static KtStatus compile(Compiler *c, const KtExpr *e, const KtEvalStep **out);

static KtStatus compile_args(Compiler *c, const KtExpr *e, KtEvalStep *step)
{
    step->args = e->args;
    step->arg = kt_arena_zero(c->arena, (size_t)e->args + 1, sizeof *step->arg);
    if (!step->arg)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < e->args; i++) {
        if (e->arg[i])
            KT_TRY(compile(c, e->arg[i], &step->arg[i]));
    }
    return KT_OK;
}

static KtStatus compile_kind(Compiler *c, const KtExpr *e, KtEvalStep *step)
{
    switch (e->kind) {
    case KT_EXPR_CONST: return make_constant(c, step, e->as.value);
    case KT_EXPR_PARAM:
        step->kind = KT_EVAL_PARAM;
        step->as.index = e->as.param;
        return KT_OK;
    case KT_EXPR_SLOT:
        step->kind = KT_EVAL_SLOT;
        return number(c->arena, &c->slot, &c->slots, &c->slot_cap, e->as.slot, &step->as.index);
    case KT_EXPR_LOCAL:
        step->kind = KT_EVAL_LOCAL;
        return number_local(c, e->as.local, &step->as.index);
    case KT_EXPR_PROP: step->kind = KT_EVAL_PROP; return KT_OK;
    case KT_EXPR_HAS_LABELS: step->kind = KT_EVAL_HAS_LABELS; return KT_OK;
    case KT_EXPR_CALL:
        KT_CHECK(e->as.call.function && (e->as.call.function->one));
        step->kind = KT_EVAL_CALL;
        step->as.call.function = e->as.call.function;
        step->as.call.result = result_column(e->as.call.function->result.kinds);
        c->per_row |= (e->as.call.function->traits & KT_FN_PER_ROW) != 0;
        if (e->as.call.function->one == kt_fn_first && e->as.call.function->max_args == KT_ARGS_ANY)
            step->kind = KT_EVAL_COALESCE;
        return KT_OK;
    case KT_EXPR_AND: step->kind = KT_EVAL_AND; return KT_OK;
    case KT_EXPR_OR: step->kind = KT_EVAL_OR; return KT_OK;
    case KT_EXPR_CASE: step->kind = KT_EVAL_CASE; return KT_OK;
    case KT_EXPR_LIST: step->kind = KT_EVAL_LIST; return KT_OK;
    case KT_EXPR_MAP: {
        step->kind = KT_EVAL_MAP;
        KtText *key = kt_arena_alloc(c->arena, ((size_t)e->args + 1) * sizeof *key);
        if (!key)
            return KT_ERR_MEMORY;
        if (e->args)
            memcpy(key, e->as.map.key, e->args * sizeof *key);
        return distinct_keys(c, step, key);
    }
    case KT_EXPR_MAP_PROJECTION: step->kind = KT_EVAL_MAP_PROJECTION; return KT_OK;
    case KT_EXPR_COMPREHENSION:
        step->kind = KT_EVAL_COMPREHENSION;
        KT_TRY(number_local(c, e->as.each.local, &step->as.each.local));
        return body_needs(c, step, 1);
    case KT_EXPR_QUANTIFIER:
        step->kind = KT_EVAL_QUANTIFIER;
        KT_TRY(number_local(c, e->as.quantify.local, &step->as.each.local));
        return body_needs(c, step, 1);
    case KT_EXPR_REDUCE:
        step->kind = KT_EVAL_REDUCE;
        KT_TRY(number_local(c, e->as.reduce.local, &step->as.each.local));
        KT_TRY(number_local(c, e->as.reduce.acc, &step->as.each.acc));
        return body_needs(c, step, 2);
    }
    KT_CHECK(!"an expression of no kind");
    return KT_ERR_INTERNAL;
}

static KtStatus compile(Compiler *c, const KtExpr *e, const KtEvalStep **out)
{
    KtEvalStep *step = kt_arena_zero(c->arena, 1, sizeof *step);
    if (!step)
        return KT_ERR_MEMORY;
    step->expr = e;
    step->at = e->at;
    KT_TRY(compile_args(c, e, step));
    KT_TRY(compile_kind(c, e, step));
    bool folded;
    KT_TRY(fold(c, step, &folded));
    if (!folded)
        c->may_fail |= itself_may_fail(e);
    *out = step;
    return KT_OK;
}

/* ---- the whole ---- */

static int order_slots(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

KtStatus kt_program_compile(KtArena *arena, const KtExpr *expr, const KtProgram **out)
{
    Compiler c = {.arena = arena};
    KtProgram *program = kt_arena_zero(arena, 1, sizeof *program);
    if (!program)
        return KT_ERR_MEMORY;
    KT_TRY(compile(&c, expr, &program->root));
    program->expr = expr;
    program->slots = c.slots;
    program->locals = c.locals;
    program->may_fail = c.may_fail;
    program->per_row = c.per_row;
    /* the numbers in the steps stay; `slot` by number, and a sorted copy for the planner behind it */
    program->slot = c.slot;
    KtSlot *sorted = kt_arena_alloc(arena, ((size_t)c.slots + 1) * sizeof *sorted);
    if (!sorted)
        return KT_ERR_MEMORY;
    if (c.slots) {
        memcpy(sorted, c.slot, c.slots * sizeof *sorted);
        qsort(sorted, c.slots, sizeof *sorted, order_slots);
    }
    program->sorted = sorted;
    *out = program;
    return KT_OK;
}

uint32_t kt_program_slots(const KtProgram *program, const KtSlot **out)
{
    *out = program->sorted;
    return program->slots;
}

bool kt_program_may_fail(const KtProgram *program) { return program->may_fail; }
bool kt_program_per_row(const KtProgram *program) { return program->per_row; }
const KtExpr *kt_program_expr(const KtProgram *program) { return program->expr; }
