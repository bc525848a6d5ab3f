/* query/exec/op_eval.c - making levels, and running programs over a batch at the deepest level they read.
 *
 * A program that reads only slots of a lower level is computed there, under the rows in use, and gathered: once per
 * row of that level and not once per row of the top. What must hold: a row of a lower level that stands under no
 * selected row of the top raises no error, since no row of the query has it; and a program that must run once per
 * row (rand) runs at the top. */
#include "query/exec/exec_internal.h"
#include "query/exec/rows.h"

#include <string.h>

/* ---- levels ---- */

KtStatus kt_op_arena(KtOp *op, KtArena **out)
{
    if (!op->arena)
        KT_TRY(kt_arena_open(op->x->budget, &op->arena));
    *out = op->arena;
    return KT_OK;
}

KtStatus kt_op_no_memory(KtOp *op)
{
    return kt_diag_set(op->x->diag, KT_ERR_MEMORY, NULL, "%s ran out of the query's memory",
                       op->type->name);
}

KtStatus kt_made_begin(KtOp *op, KtMade *made, KtLevel *below)
{
    KtArena *arena;
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    uint32_t slots = op->x->slots, words = (slots + 63) / 64;
    if (!made->cols.col) {
        made->cols.col = kt_arena_alloc(op->x->arena, ((size_t)slots + 1) * sizeof *made->cols.col);
        made->cols.have = kt_arena_alloc(op->x->arena, 2 * ((size_t)words + 1) * sizeof(uint64_t));
        if (!made->cols.col || !made->cols.have)
            return KT_ERR_MEMORY;
        made->cols.own = made->cols.have + words;
        made->cols.slots = slots;
    }
    memset(made->cols.have, 0, 2 * (size_t)words * sizeof(uint64_t));
    made->cols.maps = made->cols.props = 0;
    made->cols.keeps_props = !kt_view_writes(op->x->view);
    made->cols.scratch = arena;
    made->level = (KtLevel){.below = below,
                            .item_slot = KT_NO_SLOT,
                            .rel_slot = KT_NO_SLOT,
                            .from_slot = KT_NO_SLOT,
                            .run = made->run,
                            .cols = &made->cols};
    return KT_OK;
}

KtStatus kt_made_run(KtOp *op, KtMade *made, KtRun **out)
{
    if (made->level.runs == made->run_cap) {
        uint32_t cap = made->run_cap ? made->run_cap * 2 : 64;
        KtRun *run = kt_arena_alloc(op->x->arena, (size_t)cap * sizeof *run);
        if (!run)
            return KT_ERR_MEMORY;
        if (made->level.runs)
            memcpy(run, made->run, (size_t)made->level.runs * sizeof *run);
        made->run = run;
        made->run_cap = cap;
        made->level.run = run;
    }
    *out = &made->run[made->level.runs++];
    return KT_OK;
}

KtStatus kt_made_rows(KtOp *op, KtMade *made, uint32_t parent, uint32_t len)
{
    KtLevel *level = &made->level;
    if (level->runs && made->run[level->runs - 1].parent == parent) {
        made->run[level->runs - 1].len += len;
    } else {
        KtRun *run;
        KT_TRY(kt_made_run(op, made, &run));
        *run = (KtRun){.parent = parent, .len = len};
    }
    level->rows += len;
    return KT_OK;
}

void kt_made_end(KtMade *made, KtBatch *out)
{
    made->level.selected = made->level.rows;
    out->top = &made->level;
}

KtStatus kt_op_emit(KtOp *op, KtMade *made, const KtRows *rows, const uint32_t *row, uint32_t n,
                    KtBatch *out)
{
    KT_TRY(kt_made_begin(op, made, op->arg ? op->arg->top : NULL));
    if (op->arg) {
        for (uint32_t i = 0; i < n; i++)
            KT_TRY(kt_made_rows(op, made, kt_rows_tag(rows, row[i]), 1));
    }
    made->level.rows = n;
    kt_made_end(made, out);
    return kt_rows_get(rows, row, n, &made->level);
}

KtStatus kt_op_sel(KtOp *op, uint16_t **sel)
{
    if (*sel)
        return KT_OK;
    *sel = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof **sel);
    return *sel ? KT_OK : KT_ERR_MEMORY;
}

void kt_level_select(KtLevel *copy, const KtLevel *from, const uint16_t *sel, uint32_t selected)
{
    *copy = *from;
    copy->sel = sel;
    copy->selected = selected;
}

void kt_level_window(KtLevel *copy, const KtLevel *level, uint32_t from, uint32_t n,
                     uint16_t *buffer)
{
    if (from == 0 && n == level->selected) {
        *copy = *level;
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        buffer[i] = (uint16_t)kt_level_selected(level, from + i);
    kt_level_select(copy, level, buffer, n);
}

KtStatus kt_op_arg_rows(KtOp *op, KtLevel *level, const uint16_t **out)
{
    KT_CHECK(op->arg && op->arg->top);
    return kt_level_rows_at(level, op->arg->top, out);
}

/* ---- programs ---- */

/* Rows of a lower level that stand under the rows sel[0 .. n) of the top, ascending. */
static KtStatus rows_in_use(KtArena *arena, const uint16_t *map, const uint16_t *sel, uint32_t n,
                            const uint16_t **out, uint32_t *out_n)
{
    uint16_t *used = kt_arena_alloc(arena, ((size_t)n + 1) * sizeof *used);
    if (!used)
        return KT_ERR_MEMORY;
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t row = map[sel ? sel[i] : i];
        if (k == 0 || used[k - 1] != row)
            used[k++] = row;
    }
    *out = used;
    *out_n = k;
    return KT_OK;
}

/* First row of sel[0..n) that stands over `row` of the level below. */
static uint32_t first_over(const uint16_t *map, const uint16_t *sel, uint32_t n, uint32_t row)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t r = sel ? sel[i] : i;
        if (map[r] >= row)
            return r;
    }
    return UINT32_MAX;
}

static void note(KtRowFail *fail, uint32_t row, KtStatus status)
{
    if (row < fail->row)
        *fail = (KtRowFail){row, status};
}

/* Selected rows before the failing one. */
static uint32_t before(const uint16_t *sel, uint32_t n, uint32_t row)
{
    while (n > 0 && (sel ? sel[n - 1] : n - 1) >= row)
        n--;
    return n;
}

static KtLevel *level_for(KtLevel *top, const KtProgram *program)
{
    const KtSlot *slot;
    uint32_t n = kt_program_slots(program, &slot);
    KtBatch batch = {top};
    return kt_program_per_row(program) ? top : kt_batch_level_of(&batch, slot, n);
}

KtStatus kt_op_eval(KtOp *op, KtLevel *top, const KtProgram *program, KtRowFail *fail,
                    KtColumn *out)
{
    KtArena *arena;
    KT_TRY(kt_op_arena(op, &arena));
    KtRowFail none = {UINT32_MAX, KT_OK};
    KtRowFail *to = fail ? fail : &none;
    uint32_t n = before(top->sel, top->selected, to->row);
    KtLevel *level = level_for(top, program);
    KtLevelFrame lf;
    KtColumn col;
    if (level->cols == top->cols) {
        kt_level_frame(&lf, top, arena);
        lf.frame.selected = n;
        if (!lf.frame.sel && n < top->rows) { /* a prefix of all rows */
            uint16_t *all = kt_arena_alloc(arena, ((size_t)n + 1) * sizeof *all);
            if (!all)
                return KT_ERR_MEMORY;
            for (uint32_t i = 0; i < n; i++)
                all[i] = (uint16_t)i;
            lf.frame.sel = all;
        }
        KT_TRY(kt_program_run(program, &op->x->eval, &lf.frame, &col));
        if (kt_frame_failed(&lf.frame))
            note(to, lf.frame.fail_row, lf.frame.fail);
    } else {
        const uint16_t *map;
        KT_TRY(kt_level_rows_at(top, level, &map));
        kt_level_frame(&lf, level, arena);
        KT_TRY(rows_in_use(arena, map, top->sel, n, &lf.frame.sel, &lf.frame.selected));
        KT_TRY(kt_program_run(program, &op->x->eval, &lf.frame, &col));
        if (kt_frame_failed(&lf.frame))
            note(to, first_over(map, top->sel, n, lf.frame.fail_row), lf.frame.fail);
        if (!col.constant) {
            uint32_t *row = kt_arena_alloc(arena, ((size_t)top->rows + 1) * sizeof *row);
            if (!row)
                return KT_ERR_MEMORY;
            for (uint32_t i = 0; i < top->rows; i++)
                row[i] = map[i];
            KT_TRY(kt_col_gather(arena, &col, row, top->rows, &col));
        }
    }
    if (!fail && none.row != UINT32_MAX)
        return none.status;
    *out = col;
    return KT_OK;
}

KtStatus kt_op_project(KtOp *op, KtLevel *top, const KtProgram *program, KtSlot slot,
                       KtRowFail *fail)
{
    KtColumn col;
    KtArena *own = op->arena;
    op->arena = top->cols->scratch; /* the column lives as long as the level's other columns */
    KtStatus status = kt_op_eval(op, top, program, fail, &col);
    op->arena = own;
    KT_TRY(status);
    kt_level_set(top, slot, col);
    return KT_OK;
}

/* The places of the bits that are set in a byte, one a byte from the lowest on. */
#define BIT(b, i) (((b) >> (i)) & 1)
#define BELOW(b, i)                                                          \
    (BIT(b, 0) * ((i) > 0) + BIT(b, 1) * ((i) > 1) + BIT(b, 2) * ((i) > 2) + \
     BIT(b, 3) * ((i) > 3) + BIT(b, 4) * ((i) > 4) + BIT(b, 5) * ((i) > 5) + \
     BIT(b, 6) * ((i) > 6))
#define PLACE(b, i) (BIT(b, i) ? (uint64_t)(i) << (8 * BELOW(b, i)) : 0)
#define PLACES(b)                                                                        \
    (PLACE(b, 1) | PLACE(b, 2) | PLACE(b, 3) | PLACE(b, 4) | PLACE(b, 5) | PLACE(b, 6) | \
     PLACE(b, 7))
#define PLACES_4(b) PLACES(b), PLACES((b) + 1), PLACES((b) + 2), PLACES((b) + 3)
#define PLACES_16(b) PLACES_4(b), PLACES_4((b) + 4), PLACES_4((b) + 8), PLACES_4((b) + 12)
#define PLACES_64(b) PLACES_16(b), PLACES_16((b) + 16), PLACES_16((b) + 32), PLACES_16((b) + 48)

typedef uint8_t Bytes8 __attribute__((vector_size(8)));
typedef uint16_t Rows8 __attribute__((vector_size(16)));

/* The numbers of the bits below n, ascending; `out` has room for n. Eight at a time. */
static KT_CLONES uint32_t places(const uint64_t *bits, uint32_t n, uint16_t *out)
{
    static const uint64_t place[256] = {PLACES_64(0), PLACES_64(64), PLACES_64(128),
                                        PLACES_64(192)};
    uint32_t k = 0, i = 0;
    for (; i + 64 <= n; i += 64) {
        uint64_t word = bits[i >> 6];
        for (uint32_t j = 0; j < 64; j += 8, word >>= 8) {
            Bytes8 at;
            memcpy(&at, &place[word & 255], sizeof at);
            Rows8 rows = __builtin_convertvector(at, Rows8) + (uint16_t)(i + j);
            memcpy(out + k, &rows,
                   sizeof rows); /* k <= i + j: what is written too much is within n */
            k += (uint32_t)__builtin_popcountll(word & 255);
        }
    }
    for (; i < n; i++) {
        out[k] = (uint16_t)i;
        k += kt_bit(bits, i);
    }
    return k;
}

static uint32_t keep_true(const uint16_t *sel, uint32_t n, const uint64_t *bits,
                          const uint16_t *map, uint16_t *out)
{
    uint32_t k = 0;
    if (!map && sel) {
        for (uint32_t i = 0; i < n; i++) {
            uint16_t row = sel[i];
            out[k] = row;
            k += kt_bit(bits, row);
        }
    } else if (!map) {
        k = places(bits, n, out);
    } else {
        for (uint32_t i = 0; i < n; i++) {
            uint16_t row = sel ? sel[i] : (uint16_t)i;
            out[k] = row;
            k += kt_bit(bits, map[row]);
        }
    }
    return k;
}

KtStatus kt_op_test(KtOp *op, KtLevel *top, const KtProgram *const *test, uint32_t n_tests,
                    KtRowFail *fail, uint16_t *sel, uint32_t *selected, const uint64_t **all)
{
    if (all)
        *all = NULL;
    KtArena *arena;
    KT_TRY(kt_op_arena(op, &arena));
    const uint16_t *now = top->sel;
    uint32_t n = top->selected;
    if (n_tests == 0) {
        for (uint32_t i = 0; i < n; i++)
            sel[i] = (uint16_t)(now ? now[i] : i);
    }
    for (uint32_t t = 0; t < n_tests && n > 0; t++) {
        KtLevel *level = level_for(top, test[t]);
        KtLevelFrame lf;
        const uint16_t *map = NULL;
        if (level->cols == top->cols) {
            kt_level_frame(&lf, top, arena);
            lf.frame.sel = now;
            lf.frame.selected = n;
        } else {
            KT_TRY(kt_level_rows_at(top, level, &map));
            kt_level_frame(&lf, level, arena);
            KT_TRY(rows_in_use(arena, map, now, n, &lf.frame.sel, &lf.frame.selected));
        }
        uint64_t few[KT_BATCH_ROWS / 64], *bits = few;
        bool whole = all && n_tests == 1 && !map && !now;
        if (whole) {
            bits = kt_arena_alloc(arena, sizeof few);
            if (!bits)
                return KT_ERR_MEMORY;
        }
        KT_TRY(kt_program_test(test[t], &op->x->eval, &lf.frame, bits));
        if (kt_frame_failed(&lf.frame)) {
            uint32_t row = map ? first_over(map, now, n, lf.frame.fail_row) : lf.frame.fail_row;
            note(fail, row, lf.frame.fail);
            n = before(now, n, fail->row);
            whole = false;
        }
        if (whole)
            *all = bits;
        n = keep_true(now, n, bits, map, sel);
        now = sel;
    }
    *selected = n;
    return KT_OK;
}

KtStatus kt_op_cut(KtOp *op, const KtRowFail *fail, const uint16_t *sel, uint32_t *selected)
{
    if (fail->row == UINT32_MAX)
        return KT_OK;
    *selected = before(sel, *selected, fail->row);
    if (*selected == 0)
        return fail->status;
    kt_op_fail_later(op, fail->status);
    return KT_OK;
}

KtStatus kt_op_split(KtOp *op, const KtRowFail *fail, const uint16_t *sel, uint32_t *selected,
                     KtHeld *held)
{
    held->status = KT_OK;
    if (fail->row == UINT32_MAX)
        return KT_OK;
    *selected = before(sel, *selected, fail->row);
    held->status = fail->status;
    KtDiag *diag = op->x->diag;
    if (!diag || diag->status == KT_OK) {
        held->diag = NULL;
        return KT_OK;
    }
    held->diag = kt_arena_alloc(op->x->arena, sizeof *diag);
    if (!held->diag)
        return KT_ERR_MEMORY;
    *held->diag = *diag;
    kt_diag_clear(diag);
    return KT_OK;
}

KtStatus kt_op_raise(KtOp *op, KtHeld *held)
{
    KtStatus status = held->status;
    if (status != KT_OK && held->diag && op->x->diag && op->x->diag->status == KT_OK)
        *op->x->diag = *held->diag;
    held->status = KT_OK;
    return status;
}
