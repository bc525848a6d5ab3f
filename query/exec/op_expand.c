/* query/exec/op_expand.c - one hop from each row: runs of slices, ids are never copied.
 *
 * For each selected row of the input the storage gives slices (several per node: types, directions, 1,024 entries at
 * most); what counts of a slice (feed.c), or what `want` leaves of it, becomes a run. What must hold: all runs of one
 * batch come from one kt_feed_more, since slices live until the next; over a park the runs handed up are copied.
 * Who needs no row for each end takes the lists as they lie (kt_expand_lists). */
#include "base/clock.h"
#include "query/exec/exec_internal.h"

#include <string.h>

typedef struct ExpandOp {
    KtOp base;
    KtBatch input;
    bool has_input; /* input is being expanded */
    bool runs_kept; /* the last batch's runs were copied for a park */
    KtFeed feed;
    KtMade made;
    /* kt_expand_lists */
    KtIdList *list;
    uint16_t *list_row;
    uint32_t list_cap;
    bool lists_began;    /* lists of this input have been given */
    uint64_t lists_ends; /* in the last ones */
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

static KtStatus take_input(ExpandOp *self)
{
    KT_TRY(kt_feed_begin(&self->feed, self->input.top));
    self->has_input = true;
    self->lists_began = false;
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
            KT_TRY(take_input(self));
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

/* ---- lists ---- */

static KtStatus lists_room(ExpandOp *self, uint32_t n, uint32_t more)
{
    if (n + more <= self->list_cap)
        return KT_OK;
    KtArena *arena = self->base.x->arena;
    uint32_t cap = 2 * (n + more);
    KtIdList *list = kt_arena_alloc(arena, cap * sizeof *list);
    uint16_t *row = kt_arena_alloc(arena, cap * sizeof *row);
    if (!list || !row)
        return KT_ERR_MEMORY;
    if (n) {
        memcpy(list, self->list, n * sizeof *list);
        memcpy(row, self->list_row, n * sizeof *row);
    }
    self->list = list;
    self->list_row = row;
    self->list_cap = cap;
    return KT_OK;
}

/* Slices that count as a whole, up to the first that does not; how many. */
static uint32_t whole_slices(const KtFeed *feed, KtIdList *list, uint16_t *row, uint64_t *ends)
{
    const KtSlice *s = feed->slice + feed->at, *end = feed->slice + feed->n;
    const uint64_t *hit = feed->hit;
    bool both = feed->rel->dir == KT_BOTH;
    uint32_t n = 0;
    uint64_t all = 0;
    for (; s < end && !(both && s->loops) && !(hit && kt_bit(hit, s->row)) && s->n > 0; s++) {
        list[n] = (KtIdList){s->nbr, s->n};
        row[n++] = (uint16_t)s->row;
        all += s->n;
    }
    *ends += all;
    return n;
}

/* All that counts of the slices at hand. */
static KtStatus gather_lists(ExpandOp *self, uint32_t *lists, uint64_t *ends)
{
    KtFeed *feed = &self->feed;
    uint32_t n = 0;
    *ends = 0;
    for (;;) {
        KT_TRY(lists_room(self, n, feed->n - feed->at + 1));
        if (feed->parts == 0) {
            uint32_t whole = whole_slices(feed, self->list + n, self->list_row + n, ends);
            feed->at += whole;
            n += whole;
        }
        bool have;
        KT_TRY(kt_feed_ready(feed, &have));
        if (!have)
            break;
        const KtSlice *s = kt_feed_slice(feed);
        uint32_t from, len = kt_feed_take(feed, UINT32_MAX, &from);
        self->list[n] = (KtIdList){(const uint32_t *)s->nbr + from, len};
        self->list_row[n++] = (uint16_t)s->row;
        *ends += len;
    }
    *lists = n;
    return KT_OK;
}

static KtStatus next_lists(ExpandOp *self, KtExpandLists *out, KtStep *step)
{
    KtOp *op = &self->base;
    bool again;
    uint64_t ends = 0;
    KT_TRY(kt_tick(op->x, 0, &again));
    *step = KT_STEP_AGAIN;
    if (again)
        return KT_OK;
    if (!self->has_input) {
        KT_TRY(kt_op_next(op->child[0], KT_BATCH_ROWS, &self->input, step));
        if (*step != KT_STEP_ROWS)
            return KT_OK;
        KT_TRY(take_input(self));
    }
    *out = (KtExpandLists){.input = self->input.top, .begins = !self->lists_began};
    self->lists_began = true;
    if (self->feed.at == self->feed.n)
        KT_TRY(kt_feed_more(&self->feed, KT_FEED_SLICES, &self->has_input));
    out->used_up = !self->has_input;
    if (self->has_input)
        KT_TRY(gather_lists(self, &out->n, &ends));
    out->list = self->list;
    out->row = self->list_row;
    self->lists_ends = ends;
    op->facts.rows += ends;
    op->facts.batches++;
    *step = KT_STEP_ROWS;
    return kt_tick(op->x, ends > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)ends, &again);
}

KtStatus kt_expand_lists(KtOp *op, KtExpandLists *out, KtStep *step)
{
    KT_CHECK(op->plan->kind == KT_PLAN_EXPAND);
    if (op->ended || op->pending != KT_OK) { /* the core answers */
        KtBatch none;
        return kt_op_next(op, KT_BATCH_ROWS, &none, step);
    }
    int64_t began = op->x->profile ? kt_clock_ns() : 0;
    KtStatus status = next_lists((ExpandOp *)op, out, step);
    if (op->x->profile)
        op->facts.ns += kt_clock_ns() - began;
    if (status == KT_ERR_MEMORY)
        status = kt_op_no_memory(op);
    op->pending = status;
    op->pending_diag = NULL;
    op->ended = status == KT_OK && *step == KT_STEP_END;
    op->facts.again += status == KT_OK && *step == KT_STEP_AGAIN;
    return status;
}

void kt_expand_put_back(KtOp *op)
{
    ExpandOp *self = (ExpandOp *)op;
    KtFeed *feed = &self->feed;
    op->facts.rows -= self->lists_ends;
    self->lists_ends = 0;
    feed->at = feed->parts = feed->part_at = 0;
}

KtStatus kt_expand_between(KtOp *op, bool *out)
{
    bool have = false;
    if (((ExpandOp *)op)->has_input)
        KT_TRY(kt_feed_ready(&((ExpandOp *)op)->feed, &have));
    *out = !have;
    return KT_OK;
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
    .open = expand_open,
    .next = expand_next,
    .rewind = expand_rewind,
    .park = expand_park,
    .close = expand_close,
};
