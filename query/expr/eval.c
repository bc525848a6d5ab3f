/* query/expr/eval.c - running a program: one column per step, under the rows that still matter.
 *
 * A failing row cuts the selection of everything computed later to the rows before it; with the narrowing of
 * eval_lazy.c the first failing row is that of a row-at-a-time evaluator. */
#include "query/expr/program.h"

/* ---- selections and failures ---- */

KtSel kt_sel_before(KtSel sel, uint32_t row)
{
    if (!sel.at)
        return (KtSel){NULL, sel.n < row ? sel.n : row};
    if (sel.n == 0 || sel.at[sel.n - 1] < row)
        return sel;
    uint32_t low = 0, high = sel.n; /* the first selected row at or behind `row` */
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (sel.at[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return (KtSel){sel.at, low};
}

void kt_scope_fail(KtScope *scope, struct KtEvalContext *x, const KtDiag *words, uint32_t row,
                   KtStatus status)
{
    if (row >= scope->fail_row)
        return;
    scope->fail_row = row;
    scope->fail = status;
    if (words && x && x->diag)
        *x->diag = *words;
}

KtStatus kt_run_fail(KtRunState *run, KtScope *scope, uint32_t row, KtStatus status)
{
    if (kt_status_is_fatal(status)) {
        if (run->words.status != KT_OK && run->x->diag)
            *run->x->diag = run->words;
        return status;
    }
    kt_scope_fail(scope, run->x, &run->words, row, status);
    kt_diag_clear(&run->words);
    return KT_OK;
}

/* ---- columns ---- */

KtColumn kt_null_column(void)
{
    static const KtValue null = {.kind = KT_NULL};
    return (KtColumn){.kind = KT_COL_VALUE, .constant = true, .data = (void *)(uintptr_t)&null};
}

KtStatus kt_value_column(KtArena *arena, uint32_t rows, KtColumn *out, KtValue **values)
{
    KT_TRY(kt_col_make(arena, KT_COL_VALUE, rows, false, out));
    *values = out->data;
    return KT_OK;
}

KtStatus kt_constant_column(KtArena *arena, KtValue value, KtColumn *out)
{
    KtColumn col = {.kind = KT_COL_VALUE, .constant = true};
    KtValue *copy = kt_arena_alloc(arena, sizeof *copy + sizeof(KtText));
    if (!copy)
        return KT_ERR_MEMORY;
    *copy = value;
    col.data = copy;
    if (value.kind == KT_INT || value.kind == KT_FLOAT) {
        col.kind = value.kind == KT_INT ? KT_COL_INT : KT_COL_FLOAT;
        col.data = &copy->as;
    } else if (value.kind == KT_BOOL) {
        uint8_t *byte = (uint8_t *)(copy + 1);
        *byte = value.as.b ? 1 : 0;
        col.kind = KT_COL_BOOL;
        col.data = byte;
    } else if (value.kind == KT_TEXT) {
        KtText *text = (KtText *)(copy + 1);
        *text = kt_text_of(value);
        col.kind = KT_COL_TEXT;
        col.data = text;
    }
    *out = col;
    return KT_OK;
}

KtTruth kt_column_truth(const KtColumn *col, uint32_t row, bool *bad)
{
    if (col->kind == KT_COL_BOOL) {
        uint32_t i = col->constant ? 0 : row;
        if (col->nulls && kt_bit(col->nulls, i))
            return KT_UNKNOWN;
        return ((const uint8_t *)col->data)[i] ? KT_TRUE : KT_FALSE;
    }
    KtValue v = kt_col_value(col, row);
    if (v.kind == KT_BOOL)
        return v.as.b ? KT_TRUE : KT_FALSE;
    *bad |= v.kind != KT_NULL;
    return KT_UNKNOWN;
}

KtStatus kt_run_not_boolean(KtRunState *run, KtScope *scope, uint32_t row, const KtColumn *col,
                            KtPos at)
{
    KtStatus status = kt_diag_set(&run->words, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE, &at,
                                  "A Boolean is needed here, not %s",
                                  kt_kind_name((KtKind)kt_col_value(col, row).kind));
    return kt_run_fail(run, scope, row, status);
}

static KtSel still(const KtScope *scope, KtSel sel) { return kt_sel_before(sel, scope->fail_row); }

/* ---- calls ---- */

/* Where the results of a row-by-row call go. */
typedef struct Writer {
    KtColumn col;
    uint32_t rows;
    KtArena *arena;
} Writer;

static KtStatus write_value(Writer *w, uint32_t row, KtValue v)
{
    if (w->col.kind == KT_COL_VALUE) {
        ((KtValue *)w->col.data)[row] = v;
        return KT_OK;
    }
    if (kt_is_null(v)) {
        if (!w->col.nulls)
            w->col.nulls = kt_arena_zero(w->arena, ((size_t)w->rows + 63) / 64, sizeof(uint64_t));
        if (!w->col.nulls)
            return KT_ERR_MEMORY;
        kt_bit_set(w->col.nulls, row);
        return KT_OK;
    }
    switch (w->col.kind) {
    case KT_COL_BOOL: ((uint8_t *)w->col.data)[row] = v.as.b ? 1 : 0; break;
    case KT_COL_INT: ((int64_t *)w->col.data)[row] = v.as.i; break;
    case KT_COL_FLOAT: ((double *)w->col.data)[row] = v.as.f; break;
    case KT_COL_TEXT: ((KtText *)w->col.data)[row] = kt_text_of(v); break;
    case KT_COL_VALUE:
    case KT_COL_NODE:
    case KT_COL_REL: break;
    }
    return KT_OK;
}

enum { WORK_UNLOOKED = 256 * 1024 };

/* What every row's call shares. */
typedef struct RowCalls {
    const KtFunction *function;
    KtCall call;
    KtKinds wanted[4]; /* by argument, null among them; the last one for all further */
} RowCalls;

static RowCalls row_calls(KtRunState *run, const KtEvalStep *step)
{
    const KtFunction *f = step->as.call.function;
    RowCalls c = {.function = f};
    c.call = (KtCall){.arena = run->arena, .diag = &run->words, .x = run->x, .at = step->at};
    for (uint32_t i = 0; i < KT_COUNT(c.wanted); i++)
        c.wanted[i] = f->traits & KT_FN_OWN_KINDS ? KT_ANY_KIND
                                                  : kt_function_kinds(f, i) | KT_KIND_BIT(KT_NULL);
    return c;
}

/* kt_function_call in the common case, when all is as it should be; else that itself. */
static inline KtStatus call_row(RowCalls *c, const KtValue *value, uint32_t n, KtValue *out)
{
    bool null = false, right = true;
    for (uint32_t a = 0; a < n; a++) {
        null |= value[a].kind == KT_NULL;
        right &= (KT_KIND_BIT(value[a].kind) & c->wanted[a < 3 ? a : 3]) != 0;
    }
    if (KT_UNLIKELY(!right || null))
        return kt_function_call(c->function, &c->call, value, n, out);
    return c->function->one(&c->call, value, out);
}

static KtStatus call_rows(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                          const KtColumn *args, KtColumn *out)
{
    Writer w = {.rows = scope->rows, .arena = run->arena};
    KT_TRY(kt_col_make(run->arena, step->as.call.result, scope->rows, false, &w.col));
    KtValue few[4] = {kt_null(), kt_null(), kt_null(), kt_null()},
            *value = few; /* absent ones are null */
    if (step->args > KT_COUNT(few)) {
        value = kt_arena_alloc(run->arena, step->args * sizeof *value);
        if (!value)
            return KT_ERR_MEMORY;
    }
    RowCalls calls = row_calls(run, step);
    uint64_t work = 0; /* bytes and elements gone through since the last look at the clock */
    for (uint32_t i = 0; i < sel.n; i++) {
        uint32_t row = kt_sel_row(sel, i);
        KtValue result;
        for (uint32_t a = 0; a < step->args; a++) {
            value[a] = kt_col_value(&args[a], row);
            work += value[a].len;
        }
        KtStatus status = call_row(&calls, value, step->args, &result);
        if (KT_UNLIKELY(status != KT_OK)) {
            KT_TRY(kt_run_fail(run, scope, row, status));
            break;
        }
        KT_TRY(write_value(&w, row, result));
        if (KT_UNLIKELY(work > WORK_UNLOOKED)) {
            KT_TRY(kt_eval_tick(run->x));
            work = 0;
        }
    }
    *out = w.col;
    return KT_OK;
}

/* One answer stands for all rows when every argument does. */
static KtStatus call_once(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                          const KtColumn *args, KtColumn *out)
{
    KtScope one = {.rows = 1, .fail_row = UINT32_MAX};
    KtColumn result;
    KT_TRY(call_rows(run, step, &one, (KtSel){NULL, 1}, args, &result));
    if (one.fail_row != UINT32_MAX) {
        kt_scope_fail(scope, run->x, NULL, kt_sel_row(sel, 0), one.fail);
        *out = kt_null_column();
        return KT_OK;
    }
    result.constant = true;
    *out = result;
    return KT_OK;
}

static KtStatus step_args(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                          KtColumn **out)
{
    KtColumn *args = kt_arena_alloc(run->arena, ((size_t)step->args + 1) * sizeof *args);
    if (!args)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < step->args; i++)
        KT_TRY(kt_step_run(run, step->arg[i], scope, sel, &args[i]));
    *out = args;
    return KT_OK;
}

static bool all_constant(const KtColumn *args, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!args[i].constant)
            return false;
    }
    return true;
}

static KtStatus step_call(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                          KtColumn *out)
{
    const KtFunction *f = step->as.call.function;
    KtColumn *args;
    KT_TRY(step_args(run, step, scope, sel, &args));
    sel = still(scope, sel);
    if (sel.n == 0) {
        *out = kt_null_column();
        return KT_OK;
    }
    if (!(f->traits & KT_FN_PER_ROW) && all_constant(args, step->args))
        return call_once(run, step, scope, sel, args, out);
    run->x->kernels++;
    if (f->many) {
        KtKernelCall k = {.function = f,
                          .x = run->x,
                          .arena = run->arena,
                          .scope = scope,
                          .sel = sel,
                          .at = step->at};
        bool done = false;
        KT_TRY(f->many(&k, args, out, &done));
        if (done)
            return KT_OK;
    }
    return call_rows(run, step, scope, sel, args, out);
}

/* ---- lists and maps ---- */

static KtStatus step_collection(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                                KtColumn *out)
{
    KtColumn *args, to;
    KtValue *value;
    bool map = step->kind == KT_EVAL_MAP;
    uint32_t n = step->args;
    KT_TRY(step_args(run, step, scope, sel, &args));
    sel = still(scope, sel);
    KT_TRY(kt_value_column(run->arena, scope->rows, &to, &value));
    KtCall call = {.arena = run->arena, .diag = &run->words, .x = run->x, .at = step->at};
    uint64_t work = 0; /* a list that is put into another may be walked to be weighed */
    for (uint32_t i = 0; i < sel.n; i++) {
        uint32_t row = kt_sel_row(sel, i);
        KtStatus status;
        void *space =
            kt_arena_alloc(run->arena, (size_t)n * (map ? sizeof(KtMapEntry) : sizeof(KtValue)));
        if (!space)
            return KT_ERR_MEMORY;
        if (map) {
            KtMapEntry *entry = space;
            for (uint32_t a = 0; a < n; a++)
                entry[a] = (KtMapEntry){step->as.map.key[a], kt_col_value(&args[a], row)};
            status = kt_make_map(&call, entry, n, &value[row]);
        } else {
            KtValue *item = space;
            for (uint32_t a = 0; a < n; a++)
                item[a] = kt_col_value(&args[a], row);
            status = kt_make_list(&call, item, n, &value[row]);
        }
        if (status != KT_OK) {
            KT_TRY(kt_run_fail(run, scope, row, status));
            break;
        }
        work += kt_value_steps(value[row]);
        if (KT_UNLIKELY(work > WORK_UNLOOKED)) {
            KT_TRY(kt_eval_tick(run->x));
            work = 0;
        }
    }
    *out = to;
    return KT_OK;
}

/* ---- one step ---- */

KtStatus kt_scope_slot(KtRunState *run, KtScope *scope, uint32_t index, KtColumn *out)
{
    KtColumn *col = &scope->slot[index];
    if (scope->frame && !col->data)
        KT_TRY(scope->frame->column(scope->frame, run->program->slot[index], col));
    *out = *col;
    return KT_OK;
}

KtStatus kt_step_run(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                     KtColumn *out)
{
    sel = still(scope, sel);
    if (sel.n == 0) {
        *out = kt_null_column();
        return KT_OK;
    }
    if (scope->frame && (step->kind == KT_EVAL_PROP || step->kind == KT_EVAL_CALL)) {
        bool done;
        KT_TRY(kt_step_lower(run, step, scope, sel, out, &done));
        if (done)
            return KT_OK;
    }
    switch (step->kind) {
    case KT_EVAL_CONST: *out = step->as.constant.column; return KT_OK;
    case KT_EVAL_PARAM: return kt_constant_column(run->arena, run->x->param[step->as.index], out);
    case KT_EVAL_SLOT: return kt_scope_slot(run, scope, step->as.index, out);
    case KT_EVAL_LOCAL: *out = scope->local[step->as.index]; return KT_OK;
    case KT_EVAL_PROP: return kt_step_prop(run, step, scope, sel, out);
    case KT_EVAL_HAS_LABELS: return kt_step_has_labels(run, step, scope, sel, out);
    case KT_EVAL_CALL: return step_call(run, step, scope, sel, out);
    case KT_EVAL_AND: return kt_step_junction(run, step, scope, sel, KT_FALSE, out);
    case KT_EVAL_OR: return kt_step_junction(run, step, scope, sel, KT_TRUE, out);
    case KT_EVAL_CASE: return kt_step_case(run, step, scope, sel, out);
    case KT_EVAL_COALESCE: return kt_step_coalesce(run, step, scope, sel, out);
    case KT_EVAL_LIST:
    case KT_EVAL_MAP: return step_collection(run, step, scope, sel, out);
    case KT_EVAL_MAP_PROJECTION: return kt_step_map_projection(run, step, scope, sel, out);
    case KT_EVAL_COMPREHENSION: return kt_step_comprehension(run, step, scope, sel, out);
    case KT_EVAL_QUANTIFIER: return kt_step_quantifier(run, step, scope, sel, out);
    case KT_EVAL_REDUCE: return kt_step_reduce(run, step, scope, sel, out);
    }
    KT_CHECK(!"a step of no kind");
    return KT_ERR_INTERNAL;
}

/* ---- programs ---- */

static KtStatus run_frame(const KtProgram *program, KtEvalContext *x, KtFrame *frame,
                          KtScope *scope, KtColumn *out)
{
    KtRunState run; /* its words have room for 768 bytes, which are not cleared for each batch */
    run.program = program;
    run.x = x;
    run.arena = frame->arena;
    run.frame = frame;
    run.outer = scope;
    kt_diag_clear(&run.words);
    KT_CHECK(frame->rows <= KT_IDS_MOST); /* what storage answers at once */
    KtSel sel = kt_sel_before((KtSel){frame->sel, frame->sel ? frame->selected : frame->rows},
                              frame->fail_row);
    *scope = (KtScope){
        .rows = frame->rows, .fail_row = frame->fail_row, .fail = frame->fail, .frame = frame};
    if (sel.n == 0) {
        *out = kt_null_column();
        return KT_OK;
    }
    scope->slot =
        kt_arena_zero(run.arena, (size_t)program->slots + program->locals + 1, sizeof *scope->slot);
    if (!scope->slot)
        return KT_ERR_MEMORY;
    scope->local = scope->slot + program->slots;
    for (uint32_t i = 0; i < program->locals; i++)
        scope->local[i] = kt_null_column();
    KT_TRY(kt_step_run(&run, program->root, scope, sel, out));
    frame->fail_row = scope->fail_row;
    frame->fail = scope->fail;
    return KT_OK;
}

KtStatus kt_program_run(const KtProgram *program, KtEvalContext *x, KtFrame *frame, KtColumn *out)
{
    KtScope scope;
    return run_frame(program, x, frame, &scope, out);
}

/* Eight bytes of 0 or 1 become eight bits by one multiplication. */
static inline uint64_t eight_bits(const uint8_t *byte)
{
    uint64_t eight;
    memcpy(&eight, byte, sizeof eight);
    return ((eight & 0x0101010101010101ULL) * 0x0102040810204080ULL) >> 56;
}

/* Bits of a column of booleans. */
static void boolean_bits(const KtColumn *col, KtSel sel, uint32_t rows, uint64_t *bits)
{
    const uint8_t *byte = col->data;
    if (sel.at) {
        for (uint32_t i = 0; i < sel.n; i++) {
            uint32_t row = sel.at[i];
            bits[row >> 6] |= (uint64_t)(byte[row] != 0) << (row & 63);
        }
    } else {
        uint32_t i = 0;
        for (; i + 64 <= sel.n; i += 64) {
            uint64_t word = 0;
            for (uint32_t k = 0; k < 8; k++)
                word |= eight_bits(byte + i + 8 * k) << (8 * k);
            bits[i >> 6] = word;
        }
        for (; i + 8 <= sel.n; i += 8)
            bits[i >> 6] |= eight_bits(byte + i) << (i & 63);
        for (; i < sel.n; i++)
            bits[i >> 6] |= (uint64_t)(byte[i] != 0) << (i & 63);
    }
    for (uint32_t w = 0; col->nulls && w < (rows + 63) / 64; w++)
        bits[w] &= ~col->nulls[w];
}

static KtStatus value_bits(const KtProgram *program, KtEvalContext *x, KtFrame *frame,
                           const KtColumn *col, KtSel sel, KtScope *scope, uint64_t *bits)
{
    for (uint32_t i = 0; i < sel.n; i++) {
        uint32_t row = kt_sel_row(sel, i);
        bool bad = false;
        KtTruth t = kt_column_truth(col, row, &bad);
        if (KT_UNLIKELY(bad)) {
            KtRunState run = {.program = program, .x = x, .arena = frame->arena};
            KT_TRY(kt_run_not_boolean(&run, scope, row, col, program->root->at));
            frame->fail_row = scope->fail_row;
            frame->fail = scope->fail;
            break;
        }
        if (t == KT_TRUE)
            kt_bit_set(bits, row);
    }
    return KT_OK;
}

KtStatus kt_program_test(const KtProgram *program, KtEvalContext *x, KtFrame *frame, uint64_t *bits)
{
    KtScope scope;
    KtColumn col;
    memset(bits, 0, ((size_t)frame->rows + 63) / 64 * sizeof *bits);
    KT_TRY(run_frame(program, x, frame, &scope, &col));
    KtSel sel = kt_sel_before((KtSel){frame->sel, frame->sel ? frame->selected : frame->rows},
                              frame->fail_row);
    if (col.kind != KT_COL_BOOL || col.constant)
        return value_bits(program, x, frame, &col, sel, &scope, bits);
    boolean_bits(&col, sel, frame->rows, bits);
    return KT_OK;
}

static KtStatus no_column(KtFrame *frame, KtSlot slot, KtColumn *out)
{
    (void)frame, (void)slot, (void)out;
    KT_CHECK(!"a row-free expression reads a slot");
    return KT_ERR_INTERNAL;
}

KtStatus kt_program_value(const KtProgram *program, KtEvalContext *x, KtArena *arena, KtValue *out)
{
    KtFrame frame = {
        .rows = 1, .selected = 1, .column = no_column, .arena = arena, .fail_row = UINT32_MAX};
    KtColumn col;
    KT_TRY(kt_program_run(program, x, &frame, &col));
    if (kt_frame_failed(&frame))
        return frame.fail;
    *out = kt_col_value(&col, 0);
    return KT_OK;
}

void kt_eval_close(KtEvalContext *x)
{
    kt_pattern_cache_close(x->regex_cache);
    x->regex_cache = NULL;
}

KtStatus kt_eval_token(KtEvalContext *x, KtNameRef name, KtToken *out)
{
    *out = atomic_load_explicit(&x->token[name], memory_order_relaxed);
    if (*out == 0) {
        const KtBoundName *bound = &x->bound->name[name];
        KT_TRY(kt_name_find(x->view, bound->kind, bound->text, out));
        atomic_store_explicit(&x->token[name], *out, memory_order_relaxed);
    }
    return KT_OK;
}
