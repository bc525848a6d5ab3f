/* query/exec/op_shortest.c - shortestPath and allShortestPaths between two bound nodes.
 *
 * Two breadth-first searches, the smaller frontier first, each with a map of distances; element predicates are applied
 * to every step, so the path found is the shortest among those that satisfy them. When the searches meet at
 * forward depth f and backward depth b the distance is f + b, and every node at (f, b) lies on a shortest path:
 * paths are listed from there, back to the start along falling forward distances and on to the end along falling
 * backward distances, so the listing has no dead ends.
 * One path without predicates does not need that much: it is searched by meet.c, which keeps no distances.
 * From a node to itself: the path of no steps if min is 0; else the shortest cycle, found by trails of growing length
 * that are cut where the way back is longer than what is left. */
#include "query/exec/meet.h"
#include "query/exec/node_map.h"
#include "query/exec/walk.h"

#include <stdlib.h>
#include <string.h>

typedef struct Frontier {
    uint32_t *node;
    uint32_t n, cap;
} Frontier;

typedef struct Frame {
    uint32_t begin, at, end;
    bool more;
} Frame;

typedef enum Phase { IDLE, SEARCH, MEET, LIST, BACK, CYCLE, ONE } Phase;

typedef struct ShortestOp {
    KtOp base;
    KtBatch input;
    bool has_input;
    uint32_t pos, row, start, end_node;
    const uint32_t *from, *to;
    KtWalk walk;
    KtWalkSteps steps;
    Phase phase;
    bool plain; /* one path, no predicates */
    KtMeet one;
    /* search */
    KtNodeMap dist[2]; /* forward, backward: distance + 1 */
    Frontier now[2], next;
    uint32_t depth[2];        /* levels finished */
    uint32_t side, head, fed; /* level being expanded */
    bool feeding, expanding, met;
    /* listing */
    Frontier meet;
    uint32_t meet_at, length, at; /* steps of a path; steps taken */
    Frame *frame;
    uint32_t *node; /* node[i]: where step i starts; 2 * cap */
    KtRelRef *rel;  /* in the order walked */
    uint32_t frame_cap;
    bool one_found;
    KtMade made;
    KtValue *list, *path;
    uint32_t made_cap;
} ShortestOp;

static KtStatus shortest_open(KtOp *op)
{
    ShortestOp *self = (ShortestOp *)op;
    self->steps.budget = self->dist[0].budget = self->dist[1].budget = op->x->budget;
    if (op->plan->as.var.min > 1)
        return kt_diag_set(
            op->x->diag, KT_ERR_NOT_SUPPORTED, NULL,
            "A shortest path with a least length above 1 is not supported: match the path with that length and order by length");
    self->plain = !op->plan->as.var.all && !op->plan->as.var.node_filters &&
                  !op->plan->as.var.rel_filters && !op->plan->as.var.props;
    if (self->plain)
        KT_TRY(kt_meet_open(op, &self->one));
    return kt_walk_open(op, &self->walk, true);
}

static KtStatus grow(ShortestOp *self, void **items, uint32_t *cap, uint32_t need, size_t size)
{
    KtBudget *budget = self->base.x->budget;
    if (need <= *cap)
        return KT_OK;
    uint64_t more = *cap ? *cap : 64;
    while (more < need)
        more *= 2;
    if (more > UINT32_MAX || (budget && !kt_budget_take(budget, (more - *cap) * size)))
        return KT_ERR_MEMORY;
    void *grown = realloc(*items, more * size);
    if (!grown) {
        kt_budget_give(budget, (more - *cap) * size);
        return KT_ERR_MEMORY;
    }
    *items = grown;
    *cap = (uint32_t)more;
    return KT_OK;
}

static KtStatus push(ShortestOp *self, Frontier *f, uint32_t node)
{
    void *at = f->node;
    KT_TRY(grow(self, &at, &f->cap, f->n + 1, sizeof *f->node));
    f->node = at;
    f->node[f->n++] = node;
    return KT_OK;
}

static KtStatus set_dist(KtNodeMap *map, uint32_t node, uint64_t dist, bool *fresh)
{
    uint64_t *at;
    KT_TRY(kt_node_map_at(map, node, &at));
    *fresh = *at == 0;
    if (*fresh)
        *at = dist + 1;
    return KT_OK;
}

static uint32_t max_length(const ShortestOp *self) { return self->base.plan->as.var.max; }

/* ---- search ---- */

static KtStatus begin_search(ShortestOp *self)
{
    bool fresh;
    kt_node_map_clear(&self->dist[0]);
    kt_node_map_clear(&self->dist[1]);
    self->now[0].n = self->now[1].n = self->next.n = 0;
    self->depth[0] = self->depth[1] = 0;
    self->expanding = self->feeding = self->met = false;
    KT_TRY(push(self, &self->now[0], self->start));
    KT_TRY(push(self, &self->now[1], self->end_node));
    KT_TRY(set_dist(&self->dist[0], self->start, 0, &fresh));
    return set_dist(&self->dist[1], self->end_node, 0, &fresh);
}

static bool stops_early(const ShortestOp *self)
{
    return self->phase == SEARCH && !self->base.plan->as.var.all;
}

/* Feeds the next part of the level being expanded, or takes more of its steps; *done: the level is expanded. */
static KtStatus expand_level(ShortestOp *self, uint32_t side, bool *done)
{
    Frontier *now = &self->now[side];
    *done = false;
    if (!self->feeding) {
        if (self->head == now->n) {
            *done = true;
            return KT_OK;
        }
        uint32_t left = now->n - self->head;
        self->fed = left < KT_BATCH_ROWS ? left : KT_BATCH_ROWS;
        KT_TRY(kt_walk_feed(&self->walk, side == 1, KT_WALK_SEARCH, now->node + self->head,
                            self->fed));
        self->feeding = true;
    }
    bool have;
    self->steps.n = 0;
    KT_TRY(kt_walk_next(&self->walk, side == 1, KT_WALK_SEARCH, &self->steps, &have));
    for (uint32_t i = 0; i < self->steps.n; i++) {
        uint32_t nbr = self->steps.at[i].nbr;
        bool fresh;
        KT_TRY(set_dist(&self->dist[side], nbr, (uint64_t)self->depth[side] + 1, &fresh));
        if (!fresh)
            continue;
        KT_TRY(push(self, &self->next, nbr));
        self->met = self->met || kt_node_map_get(&self->dist[1 - side], nbr) != 0;
        if (self->met && stops_early(self)) { /* one path is enough, and no shorter one is left */
            self->steps.n = 0;
            self->feeding = false;
            kt_walk_stop_search(&self->walk);
            *done = true;
            return KT_OK;
        }
    }
    self->steps.n = 0;
    if (!have) {
        self->feeding = false;
        self->head += self->fed;
    }
    return KT_OK;
}

static void swap_frontiers(Frontier *a, Frontier *b)
{
    Frontier f = *a;
    *a = *b;
    *b = f;
}

/* One part of the two searches. Ends in MEET, or IDLE when there is no path. */
static KtStatus search(ShortestOp *self)
{
    if (!self->expanding) {
        uint64_t length = (uint64_t)self->depth[0] + self->depth[1];
        if (length >= max_length(self) || self->now[0].n == 0 || self->now[1].n == 0) {
            self->phase = IDLE;
            return KT_OK;
        }
        self->side = self->now[0].n <= self->now[1].n ? 0 : 1;
        self->head = 0;
        self->next.n = 0;
        self->expanding = true;
    }
    bool done;
    KT_TRY(expand_level(self, self->side, &done));
    if (!done)
        return KT_OK;
    self->expanding = false;
    self->depth[self->side]++;
    swap_frontiers(&self->now[self->side], &self->next);
    if (self->met)
        self->phase = MEET;
    return KT_OK;
}

/* The nodes that lie in the middle of shortest paths. */
static KtStatus meet(ShortestOp *self)
{
    const Frontier *last = &self->now[self->side];
    self->meet.n = self->meet_at = 0;
    for (uint32_t i = 0; i < last->n; i++) {
        if (kt_node_map_get(&self->dist[1 - self->side], last->node[i]) ==
            (uint64_t)self->depth[1 - self->side] + 1)
            KT_TRY(push(self, &self->meet, last->node[i]));
    }
    self->length = self->depth[0] + self->depth[1];
    self->one_found = false;
    self->at = UINT32_MAX;
    self->phase = LIST;
    return KT_OK;
}

/* ---- the batch being made ---- */

static KtStatus begin_batch(ShortestOp *self, uint32_t want)
{
    KtOp *op = &self->base;
    KT_TRY(kt_made_begin(op, &self->made, self->input.top));
    self->made_cap = want;
    self->list = kt_arena_alloc(op->arena, want * sizeof *self->list);
    self->path = kt_arena_alloc(op->arena, want * sizeof *self->path);
    return self->list && self->path ? KT_OK : KT_ERR_MEMORY;
}

static bool full(const ShortestOp *self) { return self->made.level.rows >= self->made_cap; }

static KtStatus emit(ShortestOp *self, const uint32_t *node, const KtRelRef *rel, uint32_t n)
{
    KtOp *op = &self->base;
    uint32_t at = self->made.level.rows;
    if (op->plan->as.var.rel.slot != KT_NO_SLOT)
        KT_TRY(kt_walk_list(op->arena, rel, n, &self->list[at]));
    if (op->plan->as.var.path != KT_NO_SLOT)
        KT_TRY(kt_walk_path(op->arena, node, rel, n, &self->path[at]));
    return kt_made_rows(op, &self->made, self->row, 1);
}

static void end_batch(ShortestOp *self, KtBatch *out)
{
    const KtPlan *plan = self->base.plan;
    if (plan->as.var.rel.slot != KT_NO_SLOT)
        kt_level_set(&self->made.level, plan->as.var.rel.slot,
                     (KtColumn){.kind = KT_COL_VALUE, .data = self->list});
    if (plan->as.var.path != KT_NO_SLOT)
        kt_level_set(&self->made.level, plan->as.var.path,
                     (KtColumn){.kind = KT_COL_VALUE, .data = self->path});
    kt_made_end(&self->made, out);
}

/* ---- listing ---- */

static KtStatus room(ShortestOp *self, uint32_t steps)
{
    KtBudget *budget = self->base.x->budget;
    uint64_t cap = self->frame_cap ? self->frame_cap : 16;
    while (cap < (uint64_t)steps + 2)
        cap *= 2;
    size_t bytes = (size_t)(cap - self->frame_cap) *
                   (sizeof *self->frame + sizeof *self->node + sizeof *self->rel);
    if (cap == self->frame_cap)
        return KT_OK;
    if (cap > UINT32_MAX || (budget && !kt_budget_take(budget, bytes)))
        return KT_ERR_MEMORY;
    Frame *frame = realloc(self->frame, cap * sizeof *frame);
    if (frame)
        self->frame = frame;
    uint32_t *node = frame ? realloc(self->node, cap * sizeof *node) : NULL;
    if (node)
        self->node = node;
    KtRelRef *rel = node ? realloc(self->rel, cap * sizeof *rel) : NULL;
    if (!rel) {
        kt_budget_give(budget, bytes);
        return KT_ERR_MEMORY;
    }
    self->rel = rel;
    self->frame_cap = (uint32_t)cap;
    return KT_OK;
}

/* Direction of step i: back to the start first, then on to the end. A cycle goes forward only. */
static bool goes_back(const ShortestOp *self, uint32_t i)
{
    return self->phase == LIST && i < self->depth[0];
}

static KtStatus push_frame(ShortestOp *self)
{
    uint32_t begin = self->steps.n;
    KT_TRY(
        kt_walk_feed(&self->walk, goes_back(self, self->at), self->at, &self->node[self->at], 1));
    self->frame[self->at] = (Frame){.begin = begin, .at = begin, .end = begin, .more = true};
    return KT_OK;
}

/* May the listing take this step? */
static bool step_fits(const ShortestOp *self, const KtWalkStep *step)
{
    uint32_t left = self->length - self->at - 1; /* steps after this one */
    if (self->phase == CYCLE) {
        for (uint32_t i = 0; i < self->at; i++) {
            if (self->rel[i].id == step->rel)
                return false;
        }
        uint64_t home = kt_node_map_get(&self->dist[1], step->nbr);
        return home != 0 && home - 1 <= left && (left > 0 || step->nbr == self->start);
    }
    if (self->at < self->depth[0])
        return kt_node_map_get(&self->dist[0], step->nbr) ==
               (uint64_t)(self->depth[0] - self->at - 1) + 1;
    return kt_node_map_get(&self->dist[1], step->nbr) == (uint64_t)left + 1;
}

/* A whole path stands in rel and node, in the order walked. */
static KtStatus emit_path(ShortestOp *self)
{
    uint32_t n = self->length, back = self->phase == CYCLE ? 0 : self->depth[0];
    KtRelRef *rel = kt_arena_alloc(self->base.arena, ((size_t)n + 1) * sizeof *rel);
    uint32_t *node = kt_arena_alloc(self->base.arena, ((size_t)n + 1) * sizeof *node);
    if (!rel || !node)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        rel[i < back ? back - 1 - i : i] = self->rel[i];
    node[0] = self->start;
    for (uint32_t i = 0; i < n; i++)
        node[i + 1] = (uint32_t)(rel[i].start == node[i] ? rel[i].end : rel[i].start);
    self->one_found = true;
    return emit(self, node, rel, n);
}

/* Takes one step of the listing; *done: all paths from this middle (or of this length) are out. */
static KtStatus list_on(ShortestOp *self, bool *done)
{
    Frame *f = &self->frame[self->at];
    *done = false;
    if (f->at == f->end) {
        if (f->more) {
            self->steps.n = f->begin;
            KT_TRY(kt_walk_next(&self->walk, goes_back(self, self->at), self->at, &self->steps,
                                &f->more));
            f->at = f->begin;
            f->end = self->steps.n;
            return KT_OK;
        }
        self->steps.n = f->begin;
        *done = self->at == 0;
        if (!*done)
            self->at--;
        return KT_OK;
    }
    const KtWalkStep *step = &self->steps.at[f->at++];
    if (!step_fits(self, step))
        return KT_OK;
    self->rel[self->at] = kt_walk_ref(step, self->node[self->at]);
    bool last = self->at + 1 == self->length;
    if (last)
        return emit_path(self);
    self->at++;
    /* Having come back to the start, the listing goes on from the middle. */
    bool turn = self->phase == LIST && self->at == self->depth[0];
    self->node[self->at] = turn ? self->meet.node[self->meet_at] : step->nbr;
    return push_frame(self);
}

static bool enough(const ShortestOp *self)
{
    return self->one_found && !self->base.plan->as.var.all;
}

static KtStatus begin_listing(ShortestOp *self, uint32_t node)
{
    self->at = 0;
    self->steps.n = 0;
    KT_TRY(room(self, self->length));
    self->node[0] = node;
    return push_frame(self);
}

static KtStatus list_paths(ShortestOp *self)
{
    if (self->at == UINT32_MAX) {
        if (self->meet_at == self->meet.n || enough(self)) {
            self->phase = IDLE;
            return KT_OK;
        }
        return begin_listing(self, self->meet.node[self->meet_at]);
    }
    bool done;
    KT_TRY(list_on(self, &done));
    if (done || enough(self)) {
        self->at = UINT32_MAX;
        self->meet_at++;
    }
    return KT_OK;
}

/* ---- cycles ---- */

/* Distances back to the start, of all nodes that can come back. */
static KtStatus way_back(ShortestOp *self)
{
    bool done;
    if (!self->expanding) {
        self->head = 0;
        self->next.n = 0;
        self->expanding = true;
    }
    KT_TRY(expand_level(self, 1, &done));
    if (!done)
        return KT_OK;
    self->expanding = false;
    swap_frontiers(&self->now[1], &self->next);
    if (self->now[1].n > 0 && ++self->depth[1] < max_length(self))
        return KT_OK;
    self->phase = CYCLE;
    self->length = 1;
    self->at = UINT32_MAX;
    self->one_found = false;
    return KT_OK;
}

static KtStatus list_cycles(ShortestOp *self)
{
    /* No shortest cycle is longer than twice the way back and one. */
    uint64_t most = 2 * (uint64_t)self->depth[1] + 1;
    if (self->at == UINT32_MAX) {
        if (self->one_found || self->length > max_length(self) || self->length > most) {
            self->phase = IDLE;
            return KT_OK;
        }
        return begin_listing(self, self->start);
    }
    bool done;
    KT_TRY(list_on(self, &done));
    if (enough(self)) {
        self->phase = IDLE;
    } else if (done) {
        self->at = UINT32_MAX;
        self->length++;
    }
    return KT_OK;
}

/* ---- rows ---- */

static KtStatus begin_row(ShortestOp *self)
{
    const KtPlan *plan = self->base.plan;
    self->row = kt_level_selected(self->input.top, self->pos++);
    self->start = self->from[self->row];
    self->end_node = self->to[self->row];
    if (self->start == KT_NO_NODE || self->end_node == KT_NO_NODE)
        return KT_OK;
    bool may;
    KT_TRY(kt_walk_row(&self->walk, self->row, self->end_node, &may));
    if (may && self->start != self->end_node)
        KT_TRY(kt_walk_row(&self->walk, self->row, self->start, &may));
    if (!may)
        return KT_OK;
    if (self->start == self->end_node && plan->as.var.min == 0)
        return emit(self, &self->start, NULL, 0);
    if (max_length(self) == 0)
        return KT_OK;
    if (self->plain && self->start != self->end_node) {
        self->phase = ONE;
        return kt_meet_begin(&self->one, self->start, self->end_node, max_length(self),
                             &self->walk.differ);
    }
    self->phase = self->start == self->end_node ? BACK : SEARCH;
    return begin_search(self);
}

static KtStatus search_one(ShortestOp *self, uint32_t *edges)
{
    bool done;
    KT_TRY(kt_meet_step(&self->one, &done, edges));
    if (!done)
        return KT_OK;
    self->phase = IDLE;
    if (!self->one.found)
        return KT_OK;
    uint32_t *node, n;
    KtRelRef *rel;
    KT_TRY(kt_meet_path(&self->one, &node, &rel, &n));
    return emit(self, node, rel, n);
}

static KtStatus work(ShortestOp *self, uint32_t *edges)
{
    *edges = self->phase == SEARCH || self->phase == BACK ? 1024 : 8;
    switch (self->phase) {
    case ONE: return search_one(self, edges);
    case IDLE: return begin_row(self);
    case SEARCH: return search(self);
    case MEET: return meet(self);
    case LIST: return list_paths(self);
    case BACK: return way_back(self);
    case CYCLE: return list_cycles(self);
    }
    return KT_OK;
}

static KtStatus shortest_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    ShortestOp *self = (ShortestOp *)op;
    for (;;) {
        if (!self->has_input) {
            KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            KT_TRY(kt_level_nodes(self->input.top, op->plan->as.var.from, &self->from));
            KT_TRY(kt_level_nodes(self->input.top, op->plan->as.var.to, &self->to));
            KT_TRY(kt_walk_begin(&self->walk, self->input.top));
            self->has_input = true;
            self->pos = 0;
        }
        KT_TRY(begin_batch(self, want));
        bool again = false;
        while (!again && !full(self) &&
               (self->phase != IDLE || self->pos < self->input.top->selected)) {
            uint32_t edges;
            KT_TRY(work(self, &edges));
            KT_TRY(kt_tick(op->x, edges, &again));
        }
        if (self->made.level.rows > 0) {
            end_batch(self, out);
            *step = KT_STEP_ROWS;
            return KT_OK;
        }
        if (again) {
            *step = KT_STEP_AGAIN;
            return KT_OK;
        }
        self->has_input = false;
    }
}

static KtStatus shortest_rewind(KtOp *op)
{
    ShortestOp *self = (ShortestOp *)op;
    kt_walk_stop(&self->walk);
    if (self->plain)
        kt_meet_rewind(&self->one);
    self->has_input = false;
    self->phase = IDLE;
    return KT_OK;
}

static KtStatus shortest_park(KtOp *op)
{
    ShortestOp *self = (ShortestOp *)op;
    kt_walk_park(&self->walk);
    if (self->plain)
        kt_meet_park(&self->one);
    return KT_OK;
}

static void shortest_close(KtOp *op)
{
    ShortestOp *self = (ShortestOp *)op;
    Frontier *f[] = {&self->now[0], &self->now[1], &self->next, &self->meet};
    kt_walk_close(&self->walk);
    kt_meet_close(&self->one);
    kt_walk_steps_close(&self->steps);
    kt_node_map_close(&self->dist[0]);
    kt_node_map_close(&self->dist[1]);
    for (uint32_t i = 0; i < KT_COUNT(f); i++) {
        kt_budget_give(op->x->budget, f[i]->cap * sizeof *f[i]->node);
        free(f[i]->node);
    }
    kt_budget_give(op->x->budget, self->frame_cap * (sizeof *self->frame + sizeof *self->node +
                                                     sizeof *self->rel));
    free(self->frame);
    free(self->node);
    free(self->rel);
}

const KtOpType kt_op_SHORTEST_PATH = {
    .name = "ShortestPath",
    .size = sizeof(ShortestOp),
    .open = shortest_open,
    .next = shortest_next,
    .rewind = shortest_rewind,
    .park = shortest_park,
    .close = shortest_close,
};
