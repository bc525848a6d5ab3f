/* query/exec/feed.c - one hop from the rows of a batch: the cursor, its slices, and the parts of them that count.
 *
 * What must hold: slices live until the next kt_feed_more; over a park those that were not used up are copied, since
 * the cursor goes on after the last slice that it gave. */
#include "query/exec/exec_internal.h"

#include <string.h>

KtStatus kt_feed_open(KtOp *op, KtFeed *feed, const KtPlanRel *rel, KtSlot from, bool rels)
{
    *feed = (KtFeed){.op = op,
                     .rel = rel,
                     .from_slot = from,
                     .rels = rels || rel->n_differs > 0,
                     .row = UINT32_MAX};
    feed->slice_cap = KT_FEED_FIRST;
    feed->slice = kt_arena_alloc(op->x->arena, KT_FEED_FIRST * sizeof *feed->slice);
    return feed->slice ? KT_OK : KT_ERR_MEMORY;
}

/* The cursor is opened when the first rows have come: names and marks are known then. */
static KtStatus open_cursor(KtFeed *feed)
{
    KtOp *op = feed->op;
    if (feed->cursor)
        return KT_OK;
    if (!feed->cursor_arena)
        KT_TRY(kt_arena_open(op->x->budget, &feed->cursor_arena));
    else
        kt_arena_reset(feed->cursor_arena);
    KtHop hop;
    KT_TRY(kt_op_hop(op, feed->rel, feed->rels, false, feed->cursor_arena, &hop));
    return kt_expand_open(op->x->view, &hop, feed->cursor_arena, &feed->cursor);
}

KtStatus kt_feed_begin(KtFeed *feed, KtLevel *top)
{
    KtOp *op = feed->op;
    kt_op_sees(op);
    KT_TRY(kt_level_nodes(top, feed->from_slot, &feed->from));
    if (feed->rel->n_differs) {
        KT_TRY(kt_differ_begin(op, &feed->differ, top, feed->rel->differs, feed->rel->n_differs));
        if (!feed->hit)
            feed->hit = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS / 8);
        if (!feed->hit)
            return KT_ERR_MEMORY;
        kt_differ_rows(&feed->differ, top, feed->from, feed->rel->dir, feed->hit);
    }
    KT_TRY(open_cursor(feed));
    KtIds ids = {.id = feed->from, .width = KT_NODE_WIDTH, .sel = top->sel, .n = top->selected};
    KT_TRY(kt_expand_feed(feed->cursor, ids));
    feed->open_feed = true;
    feed->n = feed->at = feed->parts = feed->part_at = 0;
    feed->row = UINT32_MAX;
    return KT_OK;
}

/* The parts of slice[at] that count. */
static KtStatus begin_slice(KtFeed *feed)
{
    const KtSlice *s = &feed->slice[feed->at];
    KT_ASSERT(s->width == KT_NODE_WIDTH);
    uint32_t node = feed->from[s->row];
    if (feed->hit && !kt_bit(feed->hit, s->row)) {
        feed->differ.hits = 0;
        feed->row = UINT32_MAX;
    } else if (feed->differ.n && feed->row != s->row) {
        KT_TRY(kt_differ_row(feed->op, &feed->differ, s->row, node, feed->rel->dir));
        feed->row = s->row;
    }
    uint32_t most = kt_slice_parts_most(feed->differ.hits);
    if (most > feed->part_cap) {
        feed->part = kt_arena_alloc(feed->op->x->arena, 2 * (size_t)most * sizeof *feed->part);
        if (!feed->part)
            return KT_ERR_MEMORY;
        feed->part_cap = 2 * most;
    }
    feed->parts = kt_slice_parts(s, node, feed->rel->dir == KT_BOTH, feed->differ.hit,
                                 feed->differ.hits, feed->part, feed->part_cap);
    feed->part_at = 0;
    return KT_OK;
}

KtStatus kt_feed_ready(KtFeed *feed, bool *have)
{
    while (feed->part_at == feed->parts) {
        if (feed->parts > 0) { /* the slice at hand is used up */
            feed->at++;
            feed->parts = feed->part_at = 0;
        }
        if (feed->at == feed->n) {
            *have = false;
            return KT_OK;
        }
        KT_TRY(begin_slice(feed));
        if (feed->parts == 0)
            feed->at++;
    }
    *have = true;
    return KT_OK;
}

KtStatus kt_feed_more(KtFeed *feed, uint32_t cap, bool *have)
{
    kt_op_sees(feed->op);
    if (feed->n == feed->slice_cap &&
        feed->slice_cap < KT_FEED_SLICES) { /* the last call filled it */
        KtSlice *more = kt_arena_alloc(feed->op->x->arena, KT_FEED_SLICES * sizeof *more);
        if (!more)
            return KT_ERR_MEMORY;
        feed->slice = more;
        feed->slice_cap = KT_FEED_SLICES;
    }
    KT_TRY(kt_expand_next(feed->cursor, feed->slice, cap < feed->slice_cap ? cap : feed->slice_cap,
                          &feed->n));
    feed->slices_kept = false;
    feed->at = feed->parts = feed->part_at = 0;
    *have = feed->open_feed = feed->n > 0;
    return KT_OK;
}

uint32_t kt_feed_take(KtFeed *feed, uint32_t most, uint32_t *from)
{
    KtPart *part = &feed->part[feed->part_at];
    uint32_t len = most < part->len ? most : part->len;
    *from = part->from;
    part->from += len;
    part->len -= len;
    if (part->len == 0)
        feed->part_at++;
    return len;
}

static KtStatus keep_slices(KtFeed *feed)
{
    if (feed->at == feed->n || feed->slices_kept)
        return KT_OK;
    feed->slices_kept = true;
    if (!feed->kept)
        KT_TRY(kt_arena_open(feed->op->x->budget, &feed->kept));
    kt_arena_reset(feed->kept);
    for (uint32_t i = feed->at; i < feed->n; i++) {
        KtSlice *s = &feed->slice[i];
        void *nbr = kt_arena_alloc(feed->kept, (size_t)s->n * s->width), *rel = NULL;
        if (!nbr)
            return KT_ERR_MEMORY;
        memcpy(nbr, s->nbr, (size_t)s->n * s->width);
        if (s->rel) {
            rel = kt_arena_alloc(feed->kept, (size_t)s->n * s->rel_width);
            if (!rel)
                return KT_ERR_MEMORY;
            memcpy(rel, s->rel, (size_t)s->n * s->rel_width);
        }
        s->nbr = nbr;
        s->rel = rel;
    }
    return KT_OK;
}

KtStatus kt_feed_park(KtFeed *feed)
{
    if (!feed->cursor)
        return KT_OK;
    KT_TRY(keep_slices(feed));
    kt_expand_park(feed->cursor);
    return KT_OK;
}

void kt_feed_rewind(KtFeed *feed)
{
    /* A feed that is not used up takes no other; below a Merge what was made since must be seen. */
    if (feed->open_feed || feed->op->see_all) {
        kt_expand_close(feed->cursor);
        feed->cursor = NULL;
    }
    feed->open_feed = false;
    feed->n = feed->at = feed->parts = feed->part_at = 0;
}

void kt_feed_close(KtFeed *feed)
{
    kt_expand_close(feed->cursor);
    feed->cursor = NULL;
    kt_arena_close(feed->cursor_arena);
    kt_arena_close(feed->kept);
}
