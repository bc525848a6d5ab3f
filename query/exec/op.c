/* query/exec/op.c - the operator core: opening and closing trees, the sticky end, the pending error, ticks.
 *
 * What must hold: after END every call answers END until a rewind; after a failure every call fails with it; an
 * operator that is asked while the quantum is used up answers AGAIN before it does anything, so that all
 * operators above it see AGAIN exactly where they see it from a child. */
#include "query/exec/op.h"

#include "base/clock.h"

#include <string.h>

#if !defined(NDEBUG) && !defined(KT_STUTTER)
#define KT_STUTTER 1
#endif

enum { CLOCK_EVERY = 16 * 1024 }; /* units of work between two looks at the clock */

/* ---- opening and closing ---- */

static KtStatus open_children(KtOp *op, const KtPlan *plan, KtBatch *arg)
{
    if (plan->child[0])
        KT_TRY(kt_op_open(op->x, plan->child[0], arg, &op->child[0]));
    if (plan->child[1] && !(op->type->traits & KT_OP_OPENS_SECOND))
        KT_TRY(kt_op_open(op->x, plan->child[1], arg, &op->child[1]));
    return KT_OK;
}

KtStatus kt_op_open(KtExec *x, const KtPlan *plan, KtBatch *arg, KtOp **out)
{
    const KtOpType *type = kt_op_type(plan->kind);
    KtOp *op = kt_arena_zero(x->arena, 1, type->size);
    if (!op)
        return kt_diag_set(x->diag, KT_ERR_MEMORY, NULL, "Not enough memory to open %s",
                           type->name);
    op->type = type;
    op->plan = plan;
    op->x = x;
    op->arg = arg;
    op->see_all = x->see_all;
    KtStatus status = open_children(op, plan, arg);
    if (status == KT_OK) {
        op->opened = true;
        status = type->open ? type->open(op) : KT_OK;
    }
    if (status != KT_OK) {
        kt_op_close(op);
        return status;
    }
    *out = op;
    return KT_OK;
}

void kt_op_close(KtOp *op)
{
    if (!op)
        return;
    if (op->opened && op->type->close)
        op->type->close(op);
    op->opened = false;
    kt_op_close(op->child[0]);
    kt_op_close(op->child[1]);
    op->child[0] = op->child[1] = NULL;
    kt_arena_close(op->arena);
    op->arena = NULL;
}

KtStatus kt_op_rewind(KtOp *op, KtBatch *arg)
{
    op->arg = arg;
    op->ended = false;
    op->pending = KT_OK;
    op->whole = NULL;
    if (op->child[0])
        KT_TRY(kt_op_rewind(op->child[0], arg));
    if (op->child[1] && !(op->type->traits & KT_OP_OPENS_SECOND))
        KT_TRY(kt_op_rewind(op->child[1], arg));
    return op->type->rewind ? op->type->rewind(op) : KT_OK;
}

KtStatus kt_op_park(KtOp *op)
{
    op->facts.parks++;
    if (op->child[0])
        KT_TRY(kt_op_park(op->child[0]));
    if (op->child[1])
        KT_TRY(kt_op_park(op->child[1]));
    return op->type->park ? op->type->park(op) : KT_OK;
}

/* ---- what reads see ---- */

void kt_op_sees(KtOp *op)
{
    KtExec *x = op->x;
    if (op->see_all || !x->clause_mark) {
        kt_see(x->view, KT_SEE_ALL);
        return;
    }
    KtMark *mark = &x->clause_mark[op->plan->clause];
    if (*mark == UINT64_MAX) {
        *mark = kt_mark(x->view);
        /* Clauses before one that writes have begun, even those that no row has reached yet (in a subquery). */
        for (uint32_t k = 0; (op->type->traits & KT_OP_WRITES) && k < op->plan->clause; k++) {
            if (x->clause_mark[k] == UINT64_MAX)
                x->clause_mark[k] = *mark;
        }
    }
    kt_see(x->view, *mark);
}

/* ---- ticks ---- */

static bool quantum_spent(const KtExec *x)
{
    return x->spent_quantum_ns != 0 && x->spent_quantum_ns == x->quantum_end_ns;
}

static KtStatus cancelled(KtExec *x)
{
    if (x->cancel && atomic_load_explicit(x->cancel, memory_order_relaxed))
        return kt_diag_set(x->diag, KT_ERR_CANCELLED, NULL, "The query was cancelled");
    return KT_OK;
}

KtStatus kt_tick(KtExec *x, uint32_t work, bool *again)
{
    uint64_t before = x->ticks / CLOCK_EVERY;
    x->ticks += (uint64_t)work + 1;
    if (x->ticks / CLOCK_EVERY != before) {
        KT_TRY(cancelled(x));
        if (x->deadline_ns != 0 || x->quantum_end_ns != 0) {
            int64_t now = kt_clock_ns();
            if (x->deadline_ns != 0 && now >= x->deadline_ns)
                return kt_diag_set(x->diag, KT_ERR_DEADLINE, NULL,
                                   "The query ran past its deadline");
            if (x->quantum_end_ns != 0 && now >= x->quantum_end_ns)
                x->spent_quantum_ns = x->quantum_end_ns;
        }
    }
    *again = quantum_spent(x);
    return KT_OK;
}

/* ---- the stutter ---- */

#ifdef KT_STUTTER
static uint32_t stutter_roll(KtExec *x)
{
    x->stutter = x->stutter * 1664525u + 1013904223u;
    if (x->stutter == 0)
        x->stutter = 1;
    return x->stutter >> 8;
}

/* At the root no batch is in use, so the whole tree may park. Returns true for AGAIN. */
static KtStatus stutter(KtOp *op, uint32_t *want, bool *again)
{
    KtExec *x = op->x;
    if (x->depth == 0 && stutter_roll(x) % 8 == 0) {
        x->stuttered.park++;
        KT_TRY(kt_op_park(op));
        kt_view_park(x->view);
    }
    if (stutter_roll(x) % 6 == 0) {
        x->stuttered.again++;
        *again = true;
        return KT_OK;
    }
    if (stutter_roll(x) % 3 == 0) {
        x->stuttered.want++;
        *want = 1 + stutter_roll(x) % (*want < 7 ? *want : 7);
    }
    return KT_OK;
}
#endif

/* ---- next ---- */

static KtStatus fail_now(KtOp *op)
{
    if (op->pending_diag && op->x->diag && op->x->diag->status == KT_OK)
        *op->x->diag = *op->pending_diag;
    return op->pending;
}

void kt_op_fail_later(KtOp *op, KtStatus status)
{
    KtDiag *diag = op->x->diag;
    if (op->pending != KT_OK)
        return;
    op->pending = status;
    op->pending_diag = NULL;
    if (!diag || diag->status == KT_OK)
        return;
    op->pending_diag = kt_arena_alloc(op->x->arena, sizeof *diag);
    if (op->pending_diag) {
        *op->pending_diag = *diag;
        kt_diag_clear(diag);
    }
}

static KtStatus out_of_memory(KtOp *op)
{
    return kt_diag_set(op->x->diag, KT_ERR_MEMORY, NULL, "%s ran out of the query's memory",
                       op->type->name);
}

/* The next part of a batch that is larger than `want`. */
static KtStatus part_of(KtOp *op, uint32_t want, KtBatch *out)
{
    if (!op->window_sel) {
        op->window_sel = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof *op->window_sel);
        if (!op->window_sel)
            return KT_ERR_MEMORY;
    }
    const KtLevel *whole = op->whole;
    uint32_t left = whole->selected - op->given, n = left < want ? left : want;
    for (uint32_t i = 0; i < n; i++)
        op->window_sel[i] = (uint16_t)kt_level_selected(whole, op->given + i);
    op->window = *whole;
    op->window.sel = op->window_sel;
    op->window.selected = n;
    op->given += n;
    if (op->given == whole->selected)
        op->whole = NULL;
    out->top = &op->window;
    return KT_OK;
}

static KtStatus step_of(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    KtExec *x = op->x;
    bool again = false;
    KT_TRY(kt_tick(x, 0, &again));
#ifdef KT_STUTTER
    if (x->stutter != 0 && !again)
        KT_TRY(stutter(op, &want, &again));
#endif
    if (again) {
        *step = KT_STEP_AGAIN;
        return KT_OK;
    }
    if (op->whole) {
        *step = KT_STEP_ROWS;
        return part_of(op, want, out);
    }
    x->depth++;
    KtStatus status = op->type->next(op, want, out, step);
    x->depth--;
    if (status == KT_OK && *step == KT_STEP_END && op->pending != KT_OK)
        status = fail_now(op);
    if (status == KT_OK && *step == KT_STEP_ROWS) {
        KT_ASSERT(out->top && out->top->selected > 0);
        if (out->top->selected > want) {
            op->whole = out->top;
            op->given = 0;
            KT_TRY(part_of(op, want, out));
        }
        status = kt_tick(x, out->top->selected, &again);
    }
    return status;
}

KtStatus kt_op_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    KT_ASSERT(want >= 1 && want <= KT_BATCH_ROWS);
    if (op->pending != KT_OK && !op->whole)
        return fail_now(op);
    if (op->ended) {
        *step = KT_STEP_END;
        return KT_OK;
    }
    int64_t began = op->x->profile ? kt_clock_ns() : 0;
    KtStep got = KT_STEP_END;
    KtStatus status = step_of(op, want, out, &got);
    if (op->x->profile)
        op->facts.ns += kt_clock_ns() - began;
    if (KT_UNLIKELY(status != KT_OK)) {
        if (status == KT_ERR_MEMORY)
            status = out_of_memory(op); /* the innermost operator names itself first */
        op->pending = status;
        op->pending_diag = NULL;
        op->whole = NULL;
        return status;
    }
    switch (got) {
    case KT_STEP_ROWS:
        op->facts.batches++;
        op->facts.rows += out->top->selected;
        break;
    case KT_STEP_AGAIN: op->facts.again++; break;
    case KT_STEP_END: op->ended = true; break;
    }
    *step = got;
    return KT_OK;
}
