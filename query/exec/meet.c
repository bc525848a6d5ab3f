/* query/exec/meet.c - the searches, level by level, and the one path. */
#include "query/exec/meet.h"

#include <stdlib.h>
#include <string.h>

#define SIDE_BIT 0x80000000u

enum { PART = 32, SLICES = 64 }; /* nodes fed at once: a search often ends early */

KtStatus kt_meet_open(KtOp *op, KtMeet *meet)
{
    *meet = (KtMeet){.op = op, .seen = {.budget = op->x->budget}};
    KT_TRY(kt_arena_open(op->x->budget, &meet->path));
    return kt_arena_open(op->x->budget, &meet->arena);
}

/* Names are resolved and cursors opened when the first rows have come. */
static KtStatus open_cursors(KtMeet *meet)
{
    KtOp *op = meet->op;
    const KtPlanRel *rel = &op->plan->as.var.rel;
    if (meet->cursor[0])
        return KT_OK;
    if (!meet->named) {
        KT_TRY(kt_op_hop(op, rel, true, false, meet->arena, &meet->hop[0]));
        KT_TRY(kt_op_hop(op, rel, true, true, meet->arena, &meet->hop[1]));
        meet->named = true;
    }
    KT_TRY(kt_expand_open(op->x->view, &meet->hop[0], meet->arena, &meet->cursor[0]));
    if (rel->dir == KT_BOTH)
        meet->cursor[1] = meet->cursor[0];
    else
        KT_TRY(kt_expand_open(op->x->view, &meet->hop[1], meet->arena, &meet->cursor[1]));
    return KT_OK;
}

/* Which of the two states of cursors belongs to a side. */
static uint32_t state_of(const KtMeet *meet, uint32_t side)
{
    return meet->cursor[0] == meet->cursor[1] ? 0 : side;
}

static KtStatus feed(KtMeet *meet, uint32_t side, const uint32_t *id, uint32_t n)
{
    bool *fed = &meet->fed[state_of(meet, side)];
    while (*fed) { /* what is left of the part in which the last search ended */
        KtSlice slice[SLICES];
        uint32_t left;
        KT_TRY(kt_expand_next(meet->cursor[side], slice, SLICES, &left));
        *fed = left > 0;
    }
    KT_TRY(kt_expand_feed(meet->cursor[side], (KtIds){.id = id, .width = KT_NODE_WIDTH, .n = n}));
    *fed = true;
    return KT_OK;
}

/* Room for `more` nodes. */
static KtStatus room(KtMeet *meet, uint32_t more)
{
    KT_TRY(kt_node_index_room(&meet->seen, more));
    if (meet->seen.cap <= meet->from_cap)
        return KT_OK;
    if (meet->seen.cap >= SIDE_BIT)
        return KT_ERR_MEMORY;
    KtBudget *budget = meet->op->x->budget;
    size_t bytes = (size_t)(meet->seen.cap - meet->from_cap) * sizeof *meet->from;
    if (budget && !kt_budget_take(budget, bytes))
        return KT_ERR_MEMORY;
    uint32_t *grown = realloc(meet->from, meet->seen.cap * sizeof *grown);
    if (!grown) {
        kt_budget_give(budget, bytes);
        return KT_ERR_MEMORY;
    }
    meet->from = grown;
    meet->from_cap = meet->seen.cap;
    return KT_OK;
}

/* The place of a node's number, of which 0 is none. */
static inline uint32_t *place_of(const KtNodeIndex *seen, uint32_t id)
{
    return &seen->page[id >> KT_INDEX_PAGE_SHIFT][id & (KT_INDEX_PAGE - 1)];
}

static KtStatus put_first(KtMeet *meet, uint32_t side, uint32_t id)
{
    KtNodeIndex *seen = &meet->seen;
    KT_TRY(kt_node_index_page(seen, id));
    meet->block[side][0] = seen->n;
    seen->id[seen->n] = id;
    meet->from[seen->n] = UINT32_MAX;
    *place_of(seen, id) = ++seen->n | (side ? SIDE_BIT : 0);
    meet->block[side][1] = seen->n;
    return KT_OK;
}

KtStatus kt_meet_begin(KtMeet *meet, uint32_t start, uint32_t end, uint32_t most,
                       const KtDiffer *differ)
{
    KT_CHECK(start != end);
    kt_op_sees(meet->op);
    KT_TRY(open_cursors(meet));
    if (meet->seen.cap == 0)
        kt_pool_take(meet->op->x->pool, meet->op->x->budget, &meet->seen);
    kt_node_index_clear(&meet->seen);
    meet->differ = differ;
    meet->depth = 0;
    meet->most = most;
    meet->expanding = meet->found = false;
    KT_TRY(room(meet, 2));
    KT_TRY(put_first(meet, 0, start));
    return put_first(meet, 1, end);
}

/* Reaches the neighbours in a slice from node number `from`. */
static KtStatus reach(KtMeet *meet, const KtSlice *s, uint32_t from)
{
    KtNodeIndex *seen = &meet->seen;
    const uint32_t *nbr = s->nbr;
    uint32_t side = meet->side, bit = side ? SIDE_BIT : 0;
    KT_ASSERT(s->width == KT_NODE_WIDTH);
    KT_TRY(room(meet, s->n));
    uint32_t *all = seen->id, *reached_from = meet->from, next = seen->n;
    for (uint32_t i = 0; i < s->n; i++) {
        if (KT_UNLIKELY(!kt_node_index_has_page(seen, nbr[i]))) {
            seen->n = next;
            KT_TRY(kt_node_index_page(seen, nbr[i]));
        }
        uint32_t *at = place_of(seen, nbr[i]), was = *at;
        if (was != 0 && ((was ^ bit) & SIDE_BIT) == 0)
            continue;
        if (meet->differ->hits && kt_differ_hits(meet->differ, kt_slice_rel(s, i)))
            continue;
        if (was != 0) {
            meet->end[side] = from;
            meet->end[1 - side] = (was & ~SIDE_BIT) - 1;
            meet->found = true;
            break;
        }
        all[next] = nbr[i];
        reached_from[next] = from;
        *at = ++next | bit;
    }
    seen->n = next;
    return KT_OK;
}

/* Begins the next level; false: there is none. */
static bool next_level(KtMeet *meet)
{
    uint32_t n[2] = {meet->block[0][1] - meet->block[0][0], meet->block[1][1] - meet->block[1][0]};
    if (n[0] == 0 || n[1] == 0 || meet->depth == meet->most)
        return false;
    meet->side = n[1] < n[0];
    meet->head = meet->block[meet->side][0];
    meet->block[meet->side][0] = meet->seen.n; /* where the new level begins */
    meet->expanding = true;
    meet->part = 0;
    return true;
}

KtStatus kt_meet_step(KtMeet *meet, bool *done, uint32_t *work)
{
    *done = false;
    *work = 1;
    kt_op_sees(meet->op);
    if (!meet->expanding && !next_level(meet)) {
        *done = true;
        return KT_OK;
    }
    uint32_t side = meet->side, end = meet->block[side][1];
    if (meet->part == 0) {
        if (meet->head == end) {
            meet->block[side][1] = meet->seen.n;
            meet->depth++;
            meet->expanding = false;
            return KT_OK;
        }
        meet->part = end - meet->head < PART ? end - meet->head : PART;
        meet->part_from = meet->head;
        meet->head += meet->part;
        KT_TRY(feed(meet, side, meet->seen.id + meet->part_from, meet->part));
    }
    KtSlice slice[SLICES];
    uint32_t n;
    KT_TRY(kt_expand_next(meet->cursor[side], slice, SLICES, &n));
    for (uint32_t i = 0; i < n && !meet->found; i++) {
        *work += slice[i].n;
        KT_TRY(reach(meet, &slice[i], meet->part_from + slice[i].row));
    }
    if (n == 0) {
        meet->fed[state_of(meet, side)] = false;
        meet->part = 0;
    }
    *done = meet->found;
    return KT_OK;
}

/* ---- the path ---- */

/* The first relationship in a slice that leads to `to` and may be used. */
static bool find_rel(const KtMeet *meet, const KtSlice *s, uint32_t to, uint64_t *out)
{
    const uint32_t *nbr = s->nbr;
    for (uint32_t i = kt_first_not_below(nbr, s->n, to); i < s->n && nbr[i] == to; i++) {
        *out = kt_slice_rel(s, i);
        if (!meet->differ->hits || !kt_differ_hits(meet->differ, *out))
            return true;
    }
    return false;
}

static KtStatus find_rels(KtMeet *meet, const uint32_t *node, KtRelRef *rel, uint32_t n)
{
    uint32_t slices, found = 0;
    KtSlice slice[SLICES];
    kt_op_sees(meet->op);
    KT_TRY(feed(meet, 0, node, n));
    for (;;) {
        KT_TRY(kt_expand_next(meet->cursor[0], slice, SLICES, &slices));
        if (slices == 0)
            break;
        for (uint32_t i = 0; i < slices; i++) {
            uint32_t row = slice[i].row, a = node[row], b = node[row + 1];
            uint64_t id;
            if (rel[row].type != 0 || !find_rel(meet, &slice[i], b, &id))
                continue;
            bool out = slice[i].dir == KT_OUT;
            rel[row] = (KtRelRef){
                .id = id, .start = out ? a : b, .end = out ? b : a, .type = slice[i].type};
            found++;
        }
    }
    meet->fed[0] = false;
    return found == n ? KT_OK : KT_ERR_INTERNAL;
}

KtStatus kt_meet_path(KtMeet *meet, uint32_t **node, KtRelRef **rel, uint32_t *n)
{
    KT_CHECK(meet->found);
    uint32_t before = 0, after = 0;
    for (uint32_t at = meet->end[0]; meet->from[at] != UINT32_MAX; at = meet->from[at])
        before++;
    for (uint32_t at = meet->end[1]; meet->from[at] != UINT32_MAX; at = meet->from[at])
        after++;
    *n = before + 1 + after;
    kt_arena_reset(meet->path);
    *node = kt_arena_alloc(meet->path, ((size_t)*n + 1) * sizeof **node);
    *rel = kt_arena_zero(meet->path, *n, sizeof **rel);
    if (!*node || !*rel)
        return KT_ERR_MEMORY;
    uint32_t at = meet->end[0];
    for (uint32_t i = before + 1; i-- > 0; at = meet->from[at])
        (*node)[i] = meet->seen.id[at];
    at = meet->end[1];
    for (uint32_t i = before + 1; i <= *n; i++, at = meet->from[at])
        (*node)[i] = meet->seen.id[at];
    for (uint32_t i = 0; i < *n; i += KT_IDS_MOST) {
        uint32_t part = *n - i < KT_IDS_MOST ? *n - i : KT_IDS_MOST;
        KT_TRY(find_rels(meet, *node + i, *rel + i, part));
    }
    return KT_OK;
}

/* ---- the end ---- */

static void close_cursors(KtMeet *meet)
{
    kt_expand_close(meet->cursor[0]);
    if (meet->cursor[1] != meet->cursor[0])
        kt_expand_close(meet->cursor[1]);
    meet->cursor[0] = meet->cursor[1] = NULL;
    meet->fed[0] = meet->fed[1] = false;
}

void kt_meet_rewind(KtMeet *meet)
{
    if (!meet->op->see_all)
        return;
    /* below a Merge, what was made since must be seen: cursors are opened again */
    close_cursors(meet);
    meet->named = false;
    kt_arena_reset(meet->arena);
}

void kt_meet_park(KtMeet *meet)
{
    if (meet->cursor[0])
        kt_expand_park(meet->cursor[0]);
    if (meet->cursor[1] && meet->cursor[1] != meet->cursor[0])
        kt_expand_park(meet->cursor[1]);
}

void kt_meet_close(KtMeet *meet)
{
    if (!meet->op)
        return;
    close_cursors(meet);
    kt_pool_give(meet->op->x->pool, &meet->seen);
    kt_budget_give(meet->op->x->budget, meet->from_cap * sizeof *meet->from);
    free(meet->from);
    kt_arena_close(meet->arena);
    kt_arena_close(meet->path);
}
