/* query/exec/op_expand.c - one hop from each row: runs of slices, ids are never copied.
 *
 * For each selected row of the input the storage gives slices (several per node: types, directions, 1,024 entries at
 * most); a slice, or what `want` leaves of it, becomes a run. What must hold: all runs of one batch come from one
 * call of kt_expand_next, since slices live until the next; over a park the runs that were handed up are copied. */
#include "query/exec/exec_internal.h"

#include <string.h>

enum { SLICES = 256 };

typedef struct ExpandOp {
    KtOp base;
    KtBatch input;
    bool has_input;      /* input is being expanded */
    bool both, runs_kept, slices_kept;
    KtExpand *cursor;
    KtArena *cursor_arena, *kept; /* kept: slices copied for a park */
    KtMade made;
    KtDiffer differ;
    const uint32_t *from; /* by row of input */
    KtSlice *slice;
    uint32_t n, at;      /* slices of the last call, and the one that is next */
    KtPart *part;        /* parts of slice[at] that are still to be handed up */
    uint32_t parts, part_at, part_cap, row; /* row: whose hits stand in differ */
} ExpandOp;

static KtStatus expand_open(KtOp *op)
{
    ExpandOp *self = (ExpandOp *)op;
    self->both = op->plan->as.expand.rel.dir == KT_BOTH;
    self->slice = kt_arena_alloc(op->x->arena, SLICES * sizeof *self->slice);
    return self->slice ? KT_OK : KT_ERR_MEMORY;
}

static KtStatus open_cursor(ExpandOp *self)
{
    KtOp *op = &self->base;
    const KtPlanRel *rel = &op->plan->as.expand.rel;
    if (self->cursor)
        return KT_OK;
    if (!self->cursor_arena)
        KT_TRY(kt_arena_open(op->x->budget, &self->cursor_arena));
    else
        kt_arena_reset(self->cursor_arena);
    KtHop hop;
    KT_TRY(kt_op_hop(op, rel, rel->slot != KT_NO_SLOT || rel->n_differs > 0, false, &hop));
    kt_op_sees(op);
    return kt_expand_open(op->x->view, &hop, self->cursor_arena, &self->cursor);
}

static void drop_cursor(ExpandOp *self)
{
    kt_expand_close(self->cursor);
    self->cursor = NULL;
}

static KtStatus begin_input(ExpandOp *self)
{
    KtOp *op = &self->base;
    KtLevel *top = self->input.top;
    const KtPlanRel *rel = &op->plan->as.expand.rel;
    KT_TRY(kt_level_nodes(top, op->plan->as.expand.from, &self->from));
    if (rel->n_differs)
        KT_TRY(kt_differ_begin(op, &self->differ, top, rel->differs, rel->n_differs));
    KT_TRY(open_cursor(self));
    KtIds ids = {.id = self->from, .width = KT_NODE_WIDTH, .sel = top->sel, .n = top->selected};
    KT_TRY(kt_expand_feed(self->cursor, ids));
    self->has_input = true;
    self->n = self->at = self->parts = self->part_at = 0;
    self->row = UINT32_MAX;
    return KT_OK;
}

/* The parts of slice[at] that count. */
static KtStatus begin_slice(ExpandOp *self)
{
    KtOp *op = &self->base;
    const KtSlice *s = &self->slice[self->at];
    KT_CHECK(s->width == KT_NODE_WIDTH);
    uint32_t node = self->from[s->row];
    if (self->differ.n && self->row != s->row) {
        KT_TRY(kt_differ_row(op, &self->differ, s->row, node, op->plan->as.expand.rel.dir));
        self->row = s->row;
    }
    uint32_t most = kt_slice_parts_most(self->differ.hits);
    if (most > self->part_cap) {
        self->part = kt_arena_alloc(op->x->arena, 2 * (size_t)most * sizeof *self->part);
        if (!self->part)
            return KT_ERR_MEMORY;
        self->part_cap = 2 * most;
    }
    self->parts = kt_slice_parts(s, node, self->both, self->differ.hit, self->differ.hits, self->part, self->part_cap);
    self->part_at = 0;
    return KT_OK;
}

/* Makes a run of what is next of slice[at]. */
static KtStatus add_run(ExpandOp *self, uint32_t want)
{
    const KtSlice *s = &self->slice[self->at];
    KtPart *part = &self->part[self->part_at];
    uint32_t len = want < part->len ? want : part->len;
    KtRun *run;
    KT_TRY(kt_made_run(&self->base, &self->made, &run));
    *run = (KtRun){
        .parent = s->row,
        .len = len,
        .item = (const uint32_t *)s->nbr + part->from,
        .rel = s->rel ? (const uint8_t *)s->rel + (size_t)part->from * s->rel_width : NULL,
        .kind = KT_COL_NODE,
        .rel_width = s->rel_width,
        .dir = s->dir,
        .type = s->type,
    };
    self->made.level.rows += len;
    part->from += len;
    part->len -= len;
    if (part->len == 0)
        self->part_at++;
    return KT_OK;
}

/* Runs from the slices at hand, up to `want` rows. */
static KtStatus fill(ExpandOp *self, uint32_t want)
{
    while (self->made.level.rows < want) {
        if (self->part_at < self->parts) {
            KT_TRY(add_run(self, want - self->made.level.rows));
            if (self->part_at == self->parts)
                self->at++;
            continue;
        }
        if (self->at == self->n)
            return KT_OK;
        KT_TRY(begin_slice(self));
        if (self->parts == 0)
            self->at++;
    }
    return KT_OK;
}

static KtStatus expand_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    ExpandOp *self = (ExpandOp *)op;
    for (;;) {
        if (!self->has_input) {
            KT_TRY(kt_op_next(op->child[0], want > 64 ? KT_BATCH_ROWS : want, &self->input, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            KT_TRY(begin_input(self));
        }
        if (self->at == self->n && self->part_at == self->parts) {
            kt_op_sees(op);
            KT_TRY(kt_expand_next(self->cursor, self->slice, want < SLICES ? want : SLICES, &self->n));
            self->slices_kept = false;
            self->at = self->parts = self->part_at = 0;
            if (self->n == 0) {
                self->has_input = false;
                continue;
            }
        }
        KT_TRY(kt_made_begin(op, &self->made, self->input.top));
        self->runs_kept = false;
        self->made.level.item_slot = op->plan->as.expand.to;
        self->made.level.rel_slot = op->plan->as.expand.rel.slot;
        self->made.level.from_slot = op->plan->as.expand.from;
        KT_TRY(fill(self, want));
        if (self->made.level.rows > 0) {
            kt_made_end(&self->made, out);
            *step = KT_STEP_ROWS;
            return KT_OK;
        }
    }
}

/* Copies what the last batch's runs point to, so that operators above may go on with it. */
static KtStatus keep_runs(ExpandOp *self)
{
    KtMade *made = &self->made;
    if (made->level.rows == 0 || self->runs_kept)
        return KT_OK;
    self->runs_kept = true;
    KtArena *arena = self->base.arena;
    uint32_t *id = kt_arena_alloc(arena, (size_t)made->level.rows * sizeof *id);
    if (!id)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < made->level.runs; i++) {
        KtRun *run = &made->run[i];
        memcpy(id, run->item, (size_t)run->len * sizeof *id);
        run->item = id;
        id += run->len;
        if (run->rel) {
            void *rel = kt_arena_alloc(arena, (size_t)run->len * run->rel_width);
            if (!rel)
                return KT_ERR_MEMORY;
            memcpy(rel, run->rel, (size_t)run->len * run->rel_width);
            run->rel = rel;
        }
    }
    KtSlot slot = made->level.item_slot;
    if (made->level.runs == 1 && slot != KT_NO_SLOT && kt_bit(made->cols.have, slot))
        memcpy(&made->cols.col[slot].data, &made->run[0].item, sizeof(void *)); /* the column lay in the slice */
    return KT_OK;
}

/* The slices at hand that were not used up are copied too: the cursor goes on after the last one it gave. */
static KtStatus keep_slices(ExpandOp *self)
{
    if (self->at == self->n || self->slices_kept)
        return KT_OK;
    self->slices_kept = true;
    if (!self->kept)
        KT_TRY(kt_arena_open(self->base.x->budget, &self->kept));
    KtArena *arena = self->kept;
    kt_arena_reset(arena);
    for (uint32_t i = self->at; i < self->n; i++) {
        KtSlice *s = &self->slice[i];
        void *nbr = kt_arena_alloc(arena, (size_t)s->n * s->width), *rel = NULL;
        if (!nbr)
            return KT_ERR_MEMORY;
        memcpy(nbr, s->nbr, (size_t)s->n * s->width);
        if (s->rel) {
            rel = kt_arena_alloc(arena, (size_t)s->n * s->rel_width);
            if (!rel)
                return KT_ERR_MEMORY;
            memcpy(rel, s->rel, (size_t)s->n * s->rel_width);
        }
        s->nbr = nbr;
        s->rel = rel;
    }
    return KT_OK;
}

static KtStatus expand_park(KtOp *op)
{
    ExpandOp *self = (ExpandOp *)op;
    if (!self->cursor)
        return KT_OK;
    KT_TRY(keep_runs(self));
    KT_TRY(keep_slices(self));
    kt_expand_park(self->cursor);
    return KT_OK;
}

static KtStatus expand_rewind(KtOp *op)
{
    ExpandOp *self = (ExpandOp *)op;
    if (self->has_input || op->see_all)
        drop_cursor(self); /* a feed that is not used up takes no other; a Merge must see what it made */
    self->has_input = false;
    self->n = self->at = self->parts = self->part_at = 0;
    self->made.level.rows = 0;
    return KT_OK;
}

static void expand_close(KtOp *op)
{
    ExpandOp *self = (ExpandOp *)op;
    drop_cursor(self);
    kt_arena_close(self->cursor_arena);
    kt_arena_close(self->kept);
}

const KtOpType kt_op_EXPAND = {
    .name = "Expand",
    .size = sizeof(ExpandOp),
    .traits = KT_OP_KEEPS_ORDER,
    .open = expand_open,
    .next = expand_next,
    .rewind = expand_rewind,
    .park = expand_park,
    .close = expand_close,
};
