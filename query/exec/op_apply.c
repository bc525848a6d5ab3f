/* query/exec/op_apply.c - Apply and Optional: an inner plan runs for all rows of an outer batch at once.
 *
 * The inner plan's Argument hands up the outer batch's top level, so inner batches carry the outer levels already, and
 * inner operators keep the order of argument rows. Apply only passes batches up. Optional merges: an outer row
 * without a match gets one row whose inner slots are null, in its place. */
#include "query/exec/exec_internal.h"

#include <string.h>

/* ---- Apply ---- */

typedef struct ApplyOp {
    KtOp base;
    KtBatch outer;
    bool running; /* the inner plan is at work on outer */
} ApplyOp;

static KtStatus apply_open(KtOp *op)
{
    ApplyOp *self = (ApplyOp *)op;
    return kt_op_open(op->x, op->plan->child[1], &self->outer, &op->child[1]);
}

static KtStatus apply_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    ApplyOp *self = (ApplyOp *)op;
    for (;;) {
        if (!self->running) {
            KT_TRY(kt_op_next(op->child[0], want, &self->outer, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            KT_TRY(kt_op_rewind(op->child[1], &self->outer));
            self->running = true;
        }
        KT_TRY(kt_op_next(op->child[1], want, out, step));
        if (*step != KT_STEP_END)
            return KT_OK;
        self->running = false;
    }
}

static KtStatus apply_rewind(KtOp *op)
{
    ((ApplyOp *)op)->running = false;
    return KT_OK;
}

const KtOpType kt_op_APPLY = {
    .name = "Apply",
    .size = sizeof(ApplyOp),
    .traits = KT_OP_OPENS_SECOND,
    .open = apply_open,
    .next = apply_next,
    .rewind = apply_rewind,
};

/* ---- Optional ---- */

typedef struct OptionalOp {
    KtOp base;
    KtBatch outer, inner;
    bool running, inner_done;
    const uint16_t *arg; /* inner row -> outer row; NULL: the same */
    uint32_t at, n;      /* selected rows of inner: next, all */
    uint32_t next;       /* selected row of outer: the first that is not known to be matched */
    uint16_t *parent;    /* of the batch being made */
    uint32_t *from;      /* row of inner, UINT32_MAX: the null row */
    KtMade made;
    KtLevel window;
    uint16_t *sel;
} OptionalOp;

static KtStatus optional_open(KtOp *op)
{
    OptionalOp *self = (OptionalOp *)op;
    self->parent = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof *self->parent);
    self->from = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof *self->from);
    if (!self->parent || !self->from)
        return KT_ERR_MEMORY;
    return kt_op_open(op->x, op->plan->child[1], &self->outer, &op->child[1]);
}

/* Merges what the inner batch still has with the outer rows that nothing matched, up to `want` rows. */
static uint32_t merge(OptionalOp *self, uint32_t want, uint32_t *nulls)
{
    const KtLevel *outer = self->outer.top, *inner = self->inner.top;
    uint32_t rows = 0;
    *nulls = 0;
    while (rows < want) {
        uint32_t outer_row =
            self->next < outer->selected ? kt_level_selected(outer, self->next) : UINT32_MAX;
        if (self->at < self->n) {
            uint32_t row = kt_level_selected(inner, self->at), of = kt_mapped(self->arg, row);
            if (outer_row >= of) {
                self->next += outer_row == of;
                self->at++;
                self->parent[rows] = (uint16_t)of;
                self->from[rows++] = row;
                continue;
            }
        } else if (!self->inner_done) {
            break; /* the next inner batch decides */
        }
        if (outer_row == UINT32_MAX)
            break;
        self->next++;
        self->parent[rows] = (uint16_t)outer_row;
        self->from[rows++] = UINT32_MAX;
        (*nulls)++;
    }
    return rows;
}

/* The column of an inner slot over the merged rows. */
static KtStatus merged_column(OptionalOp *self, KtSlot slot, uint32_t rows, uint32_t nulls,
                              KtColumn *out)
{
    KtArena *arena = self->base.arena;
    if (nulls == rows) {
        KtValue *null = kt_arena_alloc(arena, sizeof *null);
        if (!null)
            return KT_ERR_MEMORY;
        *null = kt_null();
        *out = (KtColumn){.kind = KT_COL_VALUE, .constant = true, .data = null};
        return KT_OK;
    }
    KtColumn from, to;
    KT_TRY(kt_level_column(self->inner.top, slot, &from));
    bool bits = from.kind != KT_COL_NODE && from.kind != KT_COL_REL && from.kind != KT_COL_VALUE;
    KT_TRY(kt_col_make(arena, from.kind, rows, bits, &to));
    size_t size = kt_col_size(from.kind, to.width);
    for (uint32_t i = 0; i < rows; i++) {
        char *at = (char *)to.data + i * size;
        if (self->from[i] == UINT32_MAX) {
            memset(at, from.kind == KT_COL_NODE ? 0xFF : 0, size);
            if (bits)
                kt_bit_set(to.nulls, i);
            continue;
        }
        uint32_t row = from.constant ? 0 : self->from[i];
        memcpy(at, (const char *)from.data + row * size, size);
        if (bits && from.nulls && kt_bit(from.nulls, row))
            kt_bit_set(to.nulls, i);
    }
    *out = to;
    return KT_OK;
}

static KtStatus hand_up(OptionalOp *self, uint32_t rows, uint32_t nulls, KtBatch *out)
{
    KtOp *op = &self->base;
    if (nulls == 0) { /* every row matched: the inner batch as it is */
        KT_TRY(kt_op_sel(op, &self->sel));
        kt_level_window(&self->window, self->inner.top, self->at - rows, rows, self->sel);
        out->top = &self->window;
        return KT_OK;
    }
    KT_TRY(kt_made_begin(op, &self->made, self->outer.top));
    for (uint32_t i = 0; i < rows; i++)
        KT_TRY(kt_made_rows(op, &self->made, self->parent[i], 1));
    for (uint32_t i = 0; i < op->plan->as.optional.n; i++) {
        KtColumn col;
        KtSlot slot = op->plan->as.optional.null_slot[i];
        KT_TRY(merged_column(self, slot, rows, nulls, &col));
        kt_level_set(&self->made.level, slot, col);
    }
    /* The weight of a null row is its outer row's. */
    const KtLevel *inner = nulls < rows ? self->inner.top : NULL;
    if ((inner && inner->weight) || self->outer.top->weight) {
        uint64_t *weight = kt_arena_alloc(op->arena, rows * sizeof *weight);
        if (!weight)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < rows; i++)
            weight[i] = self->from[i] == UINT32_MAX
                            ? kt_level_weight(self->outer.top, self->parent[i])
                            : kt_level_weight(inner, self->from[i]);
        self->made.level.weight = weight;
    }
    kt_made_end(&self->made, out);
    return KT_OK;
}

static KtStatus optional_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    OptionalOp *self = (OptionalOp *)op;
    for (;;) {
        if (!self->running) {
            KT_TRY(kt_op_next(op->child[0], want, &self->outer, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            KT_TRY(kt_op_rewind(op->child[1], &self->outer));
            self->running = true;
            self->inner_done = false;
            self->at = self->n = self->next = 0;
        }
        if (self->at == self->n && !self->inner_done) {
            KtStep inner;
            KT_TRY(kt_op_next(op->child[1], want, &self->inner, &inner));
            if (inner == KT_STEP_AGAIN) {
                *step = inner;
                return KT_OK;
            }
            self->inner_done = inner == KT_STEP_END;
            self->at = 0;
            self->n = self->inner_done ? 0 : self->inner.top->selected;
            if (!self->inner_done)
                KT_TRY(kt_level_rows_at(self->inner.top, self->outer.top, &self->arg));
        }
        uint32_t nulls, rows = merge(self, want, &nulls);
        if (rows > 0) {
            *step = KT_STEP_ROWS;
            return hand_up(self, rows, nulls, out);
        }
        if (self->inner_done)
            self->running = false;
    }
}

static KtStatus optional_rewind(KtOp *op)
{
    ((OptionalOp *)op)->running = false;
    return KT_OK;
}

const KtOpType kt_op_OPTIONAL = {
    .name = "Optional",
    .size = sizeof(OptionalOp),
    .traits = KT_OP_OPENS_SECOND,
    .open = optional_open,
    .next = optional_next,
    .rewind = optional_rewind,
};
