/* query/exec/op_var_expand.c - patterns of variable length: all trails of min to max steps from each row's node.
 *
 * Depth-first, with an explicit stack here, so that it stops after any row and goes on later: memory is bounded by one
 * trail and the lists along it. No relationship comes twice in a trail.
 * Where only distinct ends matter (ends_only, min 0 or 1) it is a breadth-first search with one visited set per row:
 * a node's shortest walk is a trail. The exception is the start itself under min 1: it is reached again only by a
 * cycle, which in an undirected pattern must not go back over the relationship it came by. So each node remembers
 * the first relationship of its branch: an edge between two branches closes a cycle through the start. */
#include "query/exec/node_map.h"
#include "query/exec/node_set.h"
#include "query/exec/walk.h"

#include "base/hash.h"

#include <stdlib.h>

enum { LINEAR = 24 }; /* trails up to here are searched one by one */

typedef struct Frame {       /* the list of the trail's last node */
    uint32_t begin, at, end; /* in steps */
    bool more;
} Frame;

typedef struct VarOp {
    KtOp base;
    KtBatch input;
    bool has_input, in_row;
    uint32_t pos, row;         /* selected row of input, and the row */
    const uint32_t *from, *to; /* by row; to: of an `into` */
    uint32_t target;
    KtWalk walk;
    KtWalkSteps steps;
    /* depth first */
    Frame *frame;
    uint32_t *node; /* of the trail: node[0] is the start */
    KtRelRef *rel;
    uint32_t depth, cap; /* steps of the trail; frames in use: depth + 1 (or 0: none) */
    bool stack;          /* frames are in use */
    KtMap64 used;        /* relationships of the trail beyond LINEAR: 1 */
    bool emit_start;
    /* breadth first */
    KtNodeSet visited;
    KtNodeMap root, dist; /* of undirected min 1: branch (relationship + 1) and distance */
    uint32_t *queue;
    uint32_t queue_n, queue_cap, head, level_end, emit, hops, fed;
    bool feeding;
    uint32_t cycle; /* length of the shortest cycle through the start; UINT32_MAX: none known */
    bool start_out; /* the start was handed up */
    /* the batch being made */
    KtMade made;
    uint32_t *end;
    KtValue *list, *path;
    uint32_t made_cap;
} VarOp;

static KtStatus var_open(KtOp *op)
{
    VarOp *self = (VarOp *)op;
    const KtPlan *plan = op->plan;
    bool cycles = plan->as.var.rel.dir == KT_BOTH && plan->as.var.min > 0;
    KT_CHECK(!plan->as.var.ends_only || plan->as.var.min <= 1);
    self->steps.budget = self->used.budget = self->visited.budget = self->root.budget =
        self->dist.budget = op->x->budget;
    KT_TRY(kt_walk_open(op, &self->walk, !plan->as.var.ends_only || cycles));
    self->walk.search_rels = self->walk.search_rels || cycles;
    return KT_OK;
}

static KtStatus grow_trail(VarOp *self)
{
    if (self->depth + 1 < self->cap)
        return KT_OK;
    uint32_t cap = self->cap ? self->cap * 2 : 16;
    size_t each = sizeof *self->frame + sizeof *self->node + sizeof *self->rel;
    if (self->base.x->budget && !kt_budget_take(self->base.x->budget, (cap - self->cap) * each))
        return KT_ERR_MEMORY;
    Frame *frame = realloc(self->frame, cap * sizeof *frame);
    if (frame)
        self->frame = frame;
    uint32_t *node = frame ? realloc(self->node, (cap + 1) * sizeof *node) : NULL;
    if (node)
        self->node = node;
    KtRelRef *rel = node ? realloc(self->rel, cap * sizeof *rel) : NULL;
    if (!rel) {
        kt_budget_give(self->base.x->budget, (cap - self->cap) * each);
        return KT_ERR_MEMORY;
    }
    self->rel = rel;
    self->cap = cap;
    return KT_OK;
}

/* ---- the batch being made ---- */

static KtStatus begin_batch(VarOp *self, uint32_t want)
{
    KtOp *op = &self->base;
    const KtPlan *plan = op->plan;
    KT_TRY(kt_made_begin(op, &self->made, self->input.top));
    self->made_cap = want;
    self->end = kt_arena_alloc(op->arena, want * sizeof *self->end);
    self->list = self->path = NULL;
    if (plan->as.var.rel.slot != KT_NO_SLOT)
        self->list = kt_arena_alloc(op->arena, want * sizeof *self->list);
    if (plan->as.var.path != KT_NO_SLOT)
        self->path = kt_arena_alloc(op->arena, want * sizeof *self->path);
    if (!self->end || (plan->as.var.rel.slot != KT_NO_SLOT && !self->list) ||
        (plan->as.var.path != KT_NO_SLOT && !self->path))
        return KT_ERR_MEMORY;
    return KT_OK;
}

static KtStatus emit(VarOp *self, uint32_t node)
{
    KtOp *op = &self->base;
    uint32_t at = self->made.level.rows;
    self->end[at] = node;
    if (self->list)
        KT_TRY(kt_walk_list(op->arena, self->rel, self->depth, &self->list[at]));
    if (self->path)
        KT_TRY(kt_walk_path(op->arena, self->node, self->rel, self->depth, &self->path[at]));
    return kt_made_rows(op, &self->made, self->row, 1);
}

static void end_batch(VarOp *self, KtBatch *out)
{
    const KtPlan *plan = self->base.plan;
    KtLevel *level = &self->made.level;
    if (!plan->as.var.into)
        kt_level_set(level, plan->as.var.to,
                     (KtColumn){.kind = KT_COL_NODE, .width = 4, .data = self->end});
    if (self->list)
        kt_level_set(level, plan->as.var.rel.slot,
                     (KtColumn){.kind = KT_COL_VALUE, .data = self->list});
    if (self->path)
        kt_level_set(level, plan->as.var.path,
                     (KtColumn){.kind = KT_COL_VALUE, .data = self->path});
    kt_made_end(&self->made, out);
}

static bool full(const VarOp *self) { return self->made.level.rows >= self->made_cap; }

static bool wanted_end(const VarOp *self, uint32_t node)
{
    return !self->base.plan->as.var.into || node == self->target;
}

/* ---- depth first ---- */

static KtStatus push_frame(VarOp *self)
{
    KT_TRY(grow_trail(self));
    KT_TRY(kt_walk_feed(&self->walk, false, self->depth, &self->node[self->depth], 1));
    uint32_t begin = self->steps.n;
    self->frame[self->depth] = (Frame){.begin = begin, .at = begin, .end = begin, .more = true};
    return KT_OK;
}

static KtStatus in_trail(VarOp *self, uint64_t rel, bool *yes)
{
    uint32_t few = self->depth < LINEAR ? self->depth : LINEAR;
    *yes = false;
    for (uint32_t i = 0; i < few; i++)
        *yes = *yes || self->rel[i].id == rel;
    if (!*yes && self->depth > LINEAR) {
        const uint64_t *at = kt_map64_get(&self->used, rel);
        *yes = at && *at;
    }
    return KT_OK;
}

static KtStatus mark(VarOp *self, uint32_t place, uint64_t on)
{
    uint64_t *at;
    if (place < LINEAR)
        return KT_OK;
    KT_TRY(kt_map64_put(&self->used, self->rel[place].id, &at, NULL));
    *at = on;
    return KT_OK;
}

static KtStatus pop_step(VarOp *self)
{
    self->depth--;
    return mark(self, self->depth, 0);
}

static KtStatus start_trails(VarOp *self, uint32_t start)
{
    self->depth = 0;
    self->steps.n = 0;
    KT_TRY(grow_trail(self));
    self->node[0] = start;
    self->emit_start = self->base.plan->as.var.min == 0 && wanted_end(self, start);
    self->stack = self->base.plan->as.var.max > 0;
    return self->stack ? push_frame(self) : KT_OK;
}

/* Takes the next step of the top frame; *done: the frame is used up. */
static KtStatus take_step(VarOp *self, bool *done)
{
    const KtPlan *plan = self->base.plan;
    Frame *f = &self->frame[self->depth];
    *done = false;
    if (f->at == f->end) {
        *done = !f->more;
        if (!f->more)
            return KT_OK;
        self->steps.n = f->begin;
        KT_TRY(kt_walk_next(&self->walk, false, self->depth, &self->steps, &f->more));
        f->at = f->begin;
        f->end = self->steps.n;
        return KT_OK;
    }
    KtWalkStep step = self->steps.at[f->at++];
    bool used;
    KT_TRY(in_trail(self, step.rel, &used));
    if (used)
        return KT_OK;
    self->rel[self->depth] = kt_walk_ref(&step, self->node[self->depth]);
    KT_TRY(mark(self, self->depth, 1));
    self->node[++self->depth] = step.nbr;
    if (self->depth >= plan->as.var.min && wanted_end(self, step.nbr))
        KT_TRY(emit(self, step.nbr));
    return self->depth < plan->as.var.max ? push_frame(self) : pop_step(self);
}

/* Goes on until the batch is full, the row is used up, or the quantum is. */
static KtStatus walk_trails(VarOp *self, bool *again)
{
    uint32_t work = 0;
    if (self->emit_start) {
        self->emit_start = false;
        uint32_t depth = self->depth;
        self->depth = 0;
        KT_TRY(emit(self, self->node[0]));
        self->depth = depth;
    }
    while (self->stack && !full(self)) {
        bool done;
        KT_TRY(take_step(self, &done));
        if (done) {
            self->steps.n = self->frame[self->depth].begin;
            if (self->depth == 0)
                self->stack = false;
            else
                KT_TRY(pop_step(self));
        }
        if (++work % 1024 == 0) {
            KT_TRY(kt_tick(self->base.x, 1024, again));
            if (*again)
                return KT_OK;
        }
    }
    self->in_row = self->stack;
    return KT_OK;
}

/* ---- breadth first ---- */

static KtStatus enqueue(VarOp *self, uint32_t node)
{
    if (self->queue_n == self->queue_cap) {
        uint32_t cap = self->queue_cap ? self->queue_cap * 2 : 256;
        size_t bytes = (size_t)(cap - self->queue_cap) * sizeof *self->queue;
        if (cap == 0 || (self->base.x->budget && !kt_budget_take(self->base.x->budget, bytes)))
            return KT_ERR_MEMORY;
        uint32_t *queue = realloc(self->queue, (size_t)cap * sizeof *queue);
        if (!queue) {
            kt_budget_give(self->base.x->budget, bytes);
            return KT_ERR_MEMORY;
        }
        self->queue = queue;
        self->queue_cap = cap;
    }
    self->queue[self->queue_n++] = node;
    return KT_OK;
}

static bool tracks_cycles(const VarOp *self)
{
    const KtPlan *plan = self->base.plan;
    return plan->as.var.min > 0 && plan->as.var.rel.dir == KT_BOTH;
}

static KtStatus start_search(VarOp *self, uint32_t start)
{
    bool fresh;
    kt_node_set_clear(&self->visited);
    if (tracks_cycles(self)) {
        kt_node_map_clear(&self->root);
        kt_node_map_clear(&self->dist);
    }
    self->queue_n = self->head = self->hops = self->emit = 0;
    self->steps.n = 0;
    self->cycle = UINT32_MAX;
    self->feeding = false;
    KT_TRY(kt_node_set_add(&self->visited, start, &fresh));
    KT_TRY(enqueue(self, start));
    self->level_end = 1;
    self->start_out = self->base.plan->as.var.min == 0;
    if (!self->start_out)
        self->emit = 1; /* the start comes only by a cycle */
    return KT_OK;
}

static void close_cycle(VarOp *self, uint64_t length)
{
    if (length <= self->base.plan->as.var.max && length < self->cycle)
        self->cycle = (uint32_t)length;
}

/* One step of an undirected search that must know cycles through the start. */
static KtStatus visit_branch(VarOp *self, const KtWalkStep *step, uint32_t node)
{
    uint32_t start = self->queue[0];
    uint64_t branch = node == start ? step->rel + 1 : kt_node_map_get(&self->root, node), *at;
    if (step->nbr == start) {
        if (node == start || branch != step->rel + 1)
            close_cycle(self, (uint64_t)self->hops + 1);
        return KT_OK;
    }
    bool fresh;
    KT_TRY(kt_node_set_add(&self->visited, step->nbr, &fresh));
    if (!fresh) {
        if (kt_node_map_get(&self->root, step->nbr) != branch)
            close_cycle(self, (uint64_t)self->hops + 1 + kt_node_map_get(&self->dist, step->nbr));
        return KT_OK;
    }
    KT_TRY(kt_node_map_at(&self->root, step->nbr, &at));
    *at = branch;
    KT_TRY(kt_node_map_at(&self->dist, step->nbr, &at));
    *at = self->hops + 1;
    return enqueue(self, step->nbr);
}

static KtStatus visit(VarOp *self)
{
    bool branches = tracks_cycles(self);
    for (uint32_t i = 0; i < self->steps.n; i++) {
        const KtWalkStep *step = &self->steps.at[i];
        bool fresh;
        if (branches) {
            KT_TRY(visit_branch(self, step, self->queue[self->head + step->from]));
            continue;
        }
        if (step->nbr == self->queue[0])
            close_cycle(self, 1); /* directed: the walk back to the start is a trail */
        KT_TRY(kt_node_set_add(&self->visited, step->nbr, &fresh));
        if (fresh)
            KT_TRY(enqueue(self, step->nbr));
    }
    self->steps.n = 0;
    return KT_OK;
}

/* Expands a part of the level at hand; *done: there is nothing more to expand. */
static KtStatus search_on(VarOp *self, bool *done)
{
    *done = false;
    if (!self->feeding) {
        if (self->head == self->level_end) {
            self->hops++;
            self->level_end = self->queue_n;
        }
        if (self->head == self->level_end || self->hops >= self->base.plan->as.var.max) {
            *done = true;
            return KT_OK;
        }
        uint32_t left = self->level_end - self->head;
        self->fed = left < KT_BATCH_ROWS ? left : KT_BATCH_ROWS;
        /* The queue may move while it grows: the walk looks at a copy. */
        uint32_t *node = self->walk.feed_nodes;
        for (uint32_t i = 0; i < self->fed; i++)
            node[i] = self->queue[self->head + i];
        KT_TRY(kt_walk_feed(&self->walk, false, KT_WALK_SEARCH, node, self->fed));
        self->feeding = true;
    }
    bool have;
    KT_TRY(kt_walk_next(&self->walk, false, KT_WALK_SEARCH, &self->steps, &have));
    KT_TRY(visit(self));
    if (!have) {
        self->feeding = false;
        self->head += self->fed;
    }
    return KT_OK;
}

static KtStatus walk_ends(VarOp *self, bool *again)
{
    self->depth = 0;
    for (;;) {
        if (!self->start_out && self->cycle != UINT32_MAX && !full(self)) {
            self->start_out = true;
            if (wanted_end(self, self->queue[0]))
                KT_TRY(emit(self, self->queue[0]));
        }
        for (; self->emit < self->queue_n && !full(self); self->emit++) {
            if (wanted_end(self, self->queue[self->emit]))
                KT_TRY(emit(self, self->queue[self->emit]));
        }
        if (full(self))
            return KT_OK;
        bool done;
        KT_TRY(search_on(self, &done));
        if (done && self->emit == self->queue_n && (self->start_out || self->cycle == UINT32_MAX)) {
            self->in_row = false;
            return KT_OK;
        }
        KT_TRY(kt_tick(self->base.x, 1024, again));
        if (*again)
            return KT_OK;
    }
}

/* ---- both ---- */

/* Finds the next row that has walks; false: the input is used up. */
static KtStatus next_row(VarOp *self, bool *have)
{
    const KtPlan *plan = self->base.plan;
    for (; self->pos < self->input.top->selected;) {
        self->row = kt_level_selected(self->input.top, self->pos++);
        uint32_t start = self->from[self->row];
        self->target = plan->as.var.into ? self->to[self->row] : KT_NO_NODE;
        if (start == KT_NO_NODE || (plan->as.var.into && self->target == KT_NO_NODE) ||
            plan->as.var.min > plan->as.var.max)
            continue;
        bool may;
        KT_TRY(kt_walk_row(&self->walk, self->row, start, &may));
        if (!may)
            continue;
        KT_TRY(plan->as.var.ends_only ? start_search(self, start) : start_trails(self, start));
        self->in_row = true;
        *have = true;
        return KT_OK;
    }
    *have = false;
    return KT_OK;
}

static KtStatus begin_input(VarOp *self)
{
    const KtPlan *plan = self->base.plan;
    KtLevel *top = self->input.top;
    KT_TRY(kt_level_nodes(top, plan->as.var.from, &self->from));
    if (plan->as.var.into)
        KT_TRY(kt_level_nodes(top, plan->as.var.to, &self->to));
    KT_TRY(kt_walk_begin(&self->walk, top));
    self->has_input = true;
    self->pos = 0;
    return KT_OK;
}

static KtStatus var_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    VarOp *self = (VarOp *)op;
    for (;;) {
        if (!self->has_input) {
            KT_TRY(kt_op_next(op->child[0], want > 64 ? KT_BATCH_ROWS : want, &self->input, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            KT_TRY(begin_input(self));
        }
        KT_TRY(begin_batch(self, want));
        bool again = false, have = true;
        while (!again && !full(self)) {
            if (!self->in_row)
                KT_TRY(next_row(self, &have));
            if (!have)
                break;
            KT_TRY(op->plan->as.var.ends_only ? walk_ends(self, &again)
                                              : walk_trails(self, &again));
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

static KtStatus var_rewind(KtOp *op)
{
    VarOp *self = (VarOp *)op;
    kt_walk_stop(&self->walk);
    kt_map64_clear(&self->used);
    self->has_input = self->in_row = self->stack = self->feeding = false;
    return KT_OK;
}

static KtStatus var_park(KtOp *op)
{
    kt_walk_park(&((VarOp *)op)->walk);
    return KT_OK;
}

static void var_close(KtOp *op)
{
    VarOp *self = (VarOp *)op;
    KtBudget *budget = op->x->budget;
    kt_walk_close(&self->walk);
    kt_walk_steps_close(&self->steps);
    kt_map64_close(&self->used);
    kt_node_set_close(&self->visited);
    kt_node_map_close(&self->root);
    kt_node_map_close(&self->dist);
    kt_budget_give(budget,
                   self->cap * (sizeof *self->frame + sizeof *self->node + sizeof *self->rel) +
                       (size_t)self->queue_cap * sizeof *self->queue);
    free(self->frame);
    free(self->node);
    free(self->rel);
    free(self->queue);
}

const KtOpType kt_op_VAR_EXPAND = {
    .name = "VarExpand",
    .size = sizeof(VarOp),
    .open = var_open,
    .next = var_next,
    .rewind = var_rewind,
    .park = var_park,
    .close = var_close,
};
