/* query/exec/op_expand.c - one hop from each row: runs of slices, ids are never copied.
 *
 * For each selected row of the input the storage gives slices (several per node: types, directions, 1,024 entries at
 * most); what counts of a slice (feed.c), or what `want` leaves of it, becomes a run. What must hold: all runs of one
 * batch come from one kt_feed_more, since slices live until the next; over a park the runs handed up are copied. */
#include "query/exec/exec_internal.h"

#include <string.h>

typedef struct ExpandOp {
    KtOp base;
    KtBatch input;
    bool has_input; /* input is being expanded */
    bool runs_kept; /* the last batch's runs were copied for a park */
    KtFeed feed;
    KtMade made;
} ExpandOp;

static KtStatus expand_open(KtOp *op)
{
    const KtPlanRel *rel = &op->plan->as.expand.rel;
    return kt_feed_open(op, &((ExpandOp *)op)->feed, rel, op->plan->as.expand.from,
                        rel->slot != KT_NO_SLOT);
}

/* Runs from the slices at hand, up to `want` rows. */
static KtStatus fill(ExpandOp *self, uint32_t want)
{
    KtLevel *level = &self->made.level;
    for (;;) {
        bool have;
        KT_TRY(kt_feed_ready(&self->feed, &have));
        if (!have || level->rows == want)
            return KT_OK;
        const KtSlice *s = kt_feed_slice(&self->feed);
        uint32_t from, len = kt_feed_take(&self->feed, want - level->rows, &from);
        KtRun *run;
        KT_TRY(kt_made_run(&self->base, &self->made, &run));
        *run = (KtRun){
            .parent = s->row,
            .len = len,
            .item = (const uint32_t *)s->nbr + from,
            .rel = s->rel ? (const uint8_t *)s->rel + (size_t)from * s->rel_width : NULL,
            .kind = KT_COL_NODE,
            .rel_width = s->rel_width,
            .dir = s->dir,
            .type = s->type,
        };
        level->rows += len;
    }
}

static KtStatus expand_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    ExpandOp *self = (ExpandOp *)op;
    for (;;) {
        if (!self->has_input) {
            KT_TRY(kt_op_next(op->child[0], want > 64 ? KT_BATCH_ROWS : want, &self->input, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            KT_TRY(kt_feed_begin(&self->feed, self->input.top));
            self->has_input = true;
        }
        bool have;
        KT_TRY(kt_feed_ready(&self->feed, &have));
        if (!have) {
            KT_TRY(kt_feed_more(&self->feed, want, &self->has_input));
            continue;
        }
        KT_TRY(kt_made_begin(op, &self->made, self->input.top));
        self->runs_kept = false;
        self->made.level.item_slot = op->plan->as.expand.to;
        self->made.level.rel_slot = op->plan->as.expand.rel.slot;
        self->made.level.from_slot = op->plan->as.expand.from;
        KT_TRY(fill(self, want));
        kt_made_end(&self->made, out);
        *step = KT_STEP_ROWS;
        return KT_OK;
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
    return KT_OK;
}

static KtStatus expand_park(KtOp *op)
{
    ExpandOp *self = (ExpandOp *)op;
    KT_TRY(keep_runs(self));
    return kt_feed_park(&self->feed);
}

static KtStatus expand_rewind(KtOp *op)
{
    ExpandOp *self = (ExpandOp *)op;
    kt_feed_rewind(&self->feed);
    self->has_input = false;
    self->made.level.rows = 0;
    return KT_OK;
}

static void expand_close(KtOp *op) { kt_feed_close(&((ExpandOp *)op)->feed); }

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
