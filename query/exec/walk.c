/* query/exec/walk.c - cursors by depth, and the tests of steps. */
#include "query/exec/walk.h"

#include "base/value_cmp.h"

#include <stdlib.h>
#include <string.h>

enum { SLICES = 32 };

void kt_walk_steps_close(KtWalkSteps *steps)
{
    kt_budget_give(steps->budget, steps->cap * sizeof *steps->at);
    free(steps->at);
    *steps = (KtWalkSteps){.budget = steps->budget};
}

static KtStatus steps_room(KtWalkSteps *steps, uint32_t more)
{
    if (more <= steps->cap - steps->n)
        return KT_OK;
    uint64_t cap = steps->cap ? steps->cap : 256;
    while (cap < (uint64_t)steps->n + more)
        cap *= 2;
    if (cap > UINT32_MAX)
        return KT_ERR_MEMORY;
    size_t bytes = (size_t)(cap - steps->cap) * sizeof *steps->at;
    if (steps->budget && !kt_budget_take(steps->budget, bytes))
        return KT_ERR_MEMORY;
    KtWalkStep *at = realloc(steps->at, cap * sizeof *at);
    if (!at) {
        kt_budget_give(steps->budget, bytes);
        return KT_ERR_MEMORY;
    }
    steps->at = at;
    steps->cap = (uint32_t)cap;
    return KT_OK;
}

/* ---- opening ---- */

KtStatus kt_walk_open(KtOp *op, KtWalk *walk, bool rels)
{
    const KtPlan *plan = op->plan;
    *walk = (KtWalk){.op = op};
    walk->tests = plan->as.var.node_filters || plan->as.var.rel_filters || plan->as.var.props;
    walk->rels =
        rels || plan->as.var.rel_filters || plan->as.var.props || plan->as.var.rel.n_differs;
    walk->search_rels = walk->tests || plan->as.var.rel.n_differs;
    KT_TRY(kt_arena_open(op->x->budget, &walk->cursors));
    KT_TRY(kt_arena_open(op->x->budget, &walk->searches));
    KT_TRY(kt_arena_open(op->x->budget, &walk->work));
    walk->feed_nodes = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof *walk->feed_nodes);
    return walk->feed_nodes ? kt_op_sel(op, &walk->sel) : KT_ERR_MEMORY;
}

/* Names are resolved when the first rows have come, as cursors are opened. */
static KtStatus resolve(KtWalk *walk)
{
    KtOp *op = walk->op;
    uint32_t props = op->plan->as.var.props;
    KT_TRY(kt_op_hop(op, &op->plan->as.var.rel, walk->rels, false, walk->cursors, &walk->hop[0]));
    KT_TRY(kt_op_hop(op, &op->plan->as.var.rel, walk->rels, true, walk->cursors, &walk->hop[1]));
    walk->key = kt_arena_alloc(walk->cursors, ((size_t)props + 1) * sizeof *walk->key);
    walk->want = kt_arena_alloc(walk->cursors, ((size_t)props + 1) * sizeof *walk->want);
    if (!walk->key || !walk->want)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < props; i++)
        KT_TRY(kt_eval_token(&op->x->eval, op->plan->as.var.prop[i].key, &walk->key[i]));
    walk->named = true;
    return KT_OK;
}

KtStatus kt_walk_begin(KtWalk *walk, KtLevel *top)
{
    KtOp *op = walk->op;
    const KtPlanRel *rel = &op->plan->as.var.rel;
    kt_op_sees(op);
    if (!walk->named)
        KT_TRY(resolve(walk));
    walk->top = top;
    if (rel->n_differs)
        KT_TRY(kt_differ_begin(op, &walk->differ, top, rel->differs, rel->n_differs));
    KtArena *own = op->arena;
    op->arena = top->cols->scratch; /* the wanted values live as long as the input's rows */
    KtStatus status = KT_OK;
    for (uint32_t i = 0; i < op->plan->as.var.props && status == KT_OK; i++)
        status = kt_op_eval(op, top, op->plan->as.var.prop[i].value, NULL, &walk->want[i]);
    op->arena = own;
    return status;
}

/* ---- tests ---- */

/* Steps[0 .. n) as a level of rows over the input's row. */
static KtStatus step_level(KtWalk *walk, const uint32_t *node, const KtWalkStep *step, uint32_t n)
{
    const KtPlan *plan = walk->op->plan;
    KtColumn col;
    KT_TRY(kt_made_begin(walk->op, &walk->step, walk->top));
    KT_TRY(kt_made_rows(walk->op, &walk->step, walk->row, n));
    walk->step.level.selected = n;
    if (plan->as.var.step_node != KT_NO_SLOT) {
        KT_TRY(kt_col_make(walk->work, KT_COL_NODE, n, false, &col));
        for (uint32_t i = 0; i < n; i++)
            ((uint32_t *)col.data)[i] = step[i].nbr;
        kt_level_set(&walk->step.level, plan->as.var.step_node, col);
    }
    if (plan->as.var.step_rel != KT_NO_SLOT) {
        KT_TRY(kt_col_make(walk->work, KT_COL_REL, n, false, &col));
        KtRelRef *ref = kt_arena_alloc(walk->work, n * sizeof *ref);
        if (!ref)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < n; i++) {
            ref[i] = node ? kt_walk_ref(&step[i], node[step[i].from]) : (KtRelRef){0};
            ((const KtRelRef **)col.data)[i] = &ref[i];
        }
        kt_level_set(&walk->step.level, plan->as.var.step_rel, col);
    }
    return KT_OK;
}

/* Keeps the selected rows of the step level for which the programs are true. */
static KtStatus run_tests(KtWalk *walk, const KtProgram *const *test, uint32_t tests)
{
    KtRowFail fail = {UINT32_MAX, KT_OK};
    KtLevel *level = &walk->step.level;
    uint32_t n;
    if (tests == 0 || level->selected == 0)
        return KT_OK;
    KT_TRY(kt_op_test(walk->op, level, test, tests, &fail, walk->sel, &n, NULL));
    if (fail.row != UINT32_MAX)
        return fail.status;
    level->sel = walk->sel;
    level->selected = n;
    return KT_OK;
}

/* Keeps the selected rows whose relationship has the pattern's properties. */
static KtStatus test_props(KtWalk *walk, const KtWalkStep *step, uint32_t n)
{
    KtLevel *level = &walk->step.level;
    uint64_t *id = kt_arena_alloc(walk->work, n * sizeof *id);
    if (!id)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        id[i] = step[i].rel;
    for (uint32_t p = 0; p < walk->op->plan->as.var.props && level->selected; p++) {
        KtColumn have;
        KtValue want = kt_col_value(&walk->want[p], walk->row);
        KtIds ids = {.id = id, .width = 8, .sel = level->sel, .n = level->selected};
        KT_TRY(kt_rel_props(walk->op->x->view, walk->key[p], ids, walk->work, &have));
        uint32_t k = 0;
        for (uint32_t i = 0; i < level->selected; i++) {
            uint32_t row = kt_level_selected(level, i);
            walk->sel[k] = (uint16_t)row;
            k += kt_value_equal(kt_col_value(&have, row), want) == KT_TRUE;
        }
        level->sel = walk->sel;
        level->selected = k;
    }
    return KT_OK;
}

/* Tests steps[0 .. n), n at most KT_BATCH_ROWS, and moves those that pass to the front. */
static KtStatus test_steps(KtWalk *walk, const uint32_t *node, KtWalkStep *step, uint32_t n,
                           uint32_t *kept)
{
    const KtPlan *plan = walk->op->plan;
    KtArena *own = walk->op->arena;
    walk->op->arena =
        walk->work; /* the operator's own holds rows that were handed up or are being made */
    kt_op_sees(walk->op);
    KtStatus status = step_level(walk, node, step, n);
    if (status == KT_OK)
        status = run_tests(walk, plan->as.var.node_filter, plan->as.var.node_filters);
    if (status == KT_OK && node)
        status = run_tests(walk, plan->as.var.rel_filter, plan->as.var.rel_filters);
    if (status == KT_OK && node && plan->as.var.props)
        status = test_props(walk, step, n);
    walk->op->arena = own;
    KT_TRY(status);
    const KtLevel *level = &walk->step.level;
    for (uint32_t i = 0; i < level->selected; i++)
        step[i] = step[kt_level_selected(level, i)];
    *kept = level->selected;
    return KT_OK;
}

KtStatus kt_walk_row(KtWalk *walk, uint32_t row, uint32_t start, bool *may)
{
    walk->row = row;
    walk->differ.hits = 0;
    if (walk->differ.n)
        KT_TRY(kt_differ_row(walk->op, &walk->differ, row, KT_NO_NODE, KT_BOTH));
    *may = true;
    if (walk->op->plan->as.var.node_filters == 0)
        return KT_OK;
    KtWalkStep self = {.nbr = start};
    uint32_t kept;
    KT_TRY(test_steps(walk, NULL, &self, 1, &kept));
    *may = kept == 1;
    return KT_OK;
}

/* ---- reading ---- */

static KtWalkCursor *cursor_of(KtWalk *walk, bool back, uint32_t depth)
{
    if (depth == KT_WALK_SEARCH)
        return &walk->search[back];
    return &walk->cursor[back][depth < KT_WALK_DEPTHS ? depth : KT_WALK_DEPTHS - 1];
}

/* A feed that was left in the middle: mostly little is left of it. */
static KtStatus finish_feed(KtWalkCursor *c)
{
    for (uint32_t i = 0; c->fed && i < 4; i++) {
        KtSlice slice[SLICES];
        uint32_t n;
        KT_TRY(kt_expand_next(c->at, slice, SLICES, &n));
        c->fed = n > 0;
    }
    if (c->fed) {
        kt_expand_close(c->at);
        *c = (KtWalkCursor){0};
    }
    return KT_OK;
}

KtStatus kt_walk_feed(KtWalk *walk, bool back, uint32_t depth, const uint32_t *node, uint32_t n)
{
    KtWalkCursor *c = cursor_of(walk, back, depth);
    kt_op_sees(walk->op);
    KT_TRY(finish_feed(c));
    if (!c->at) {
        bool search = depth == KT_WALK_SEARCH;
        KtHop hop = walk->hop[back];
        hop.rels = search ? walk->search_rels : walk->rels;
        KT_TRY(kt_expand_open(walk->op->x->view, &hop, search ? walk->searches : walk->cursors,
                              &c->at));
    }
    KtIds ids = {.id = node, .width = KT_NODE_WIDTH, .n = n};
    KT_TRY(kt_expand_feed(c->at, ids));
    c->one = node[0];
    c->node = n == 1 ? &c->one : node;
    c->fed = true;
    return KT_OK;
}

static void copy_slice(const KtWalk *walk, const KtSlice *s, uint32_t node, bool both,
                       KtWalkSteps *out)
{
    const uint32_t *nbr = s->nbr;
    bool skip_loops = both && s->dir == KT_IN && s->loops;
    if (!s->rel && !skip_loops) {
        KtWalkStep *to = out->at + out->n;
        for (uint32_t i = 0; i < s->n; i++)
            to[i] = (KtWalkStep){.nbr = nbr[i], .type = s->type, .from = s->row, .dir = s->dir};
        out->n += s->n;
        return;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (skip_loops && nbr[i] == node)
            continue;
        uint64_t rel = s->rel ? kt_slice_rel(s, i) : 0;
        if (walk->differ.hits && kt_differ_hits(&walk->differ, rel))
            continue;
        out->at[out->n++] =
            (KtWalkStep){.rel = rel, .nbr = nbr[i], .type = s->type, .from = s->row, .dir = s->dir};
    }
}

KtStatus kt_walk_next(KtWalk *walk, bool back, uint32_t depth, KtWalkSteps *out, bool *have)
{
    KtWalkCursor *c = cursor_of(walk, back, depth);
    KtSlice slice[SLICES];
    uint32_t n, first = out->n;
    kt_op_sees(walk->op);
    do {
        KT_TRY(kt_expand_next(c->at, slice, SLICES, &n));
        for (uint32_t i = 0; i < n; i++) {
            KT_ASSERT(slice[i].width == KT_NODE_WIDTH);
            KT_TRY(steps_room(out, slice[i].n));
            copy_slice(walk, &slice[i], c->node[slice[i].row], walk->hop[0].dir == KT_BOTH, out);
        }
    } while (n > 0 && depth != KT_WALK_SEARCH &&
             depth + 1 >= KT_WALK_DEPTHS); /* a shared cursor must not be left in the middle */
    c->fed = n > 0;
    *have = c->fed;
    if (!walk->tests)
        return KT_OK;
    uint32_t to = first, end = out->n;
    for (uint32_t at = first; at < end; at += KT_BATCH_ROWS) {
        uint32_t part = end - at < KT_BATCH_ROWS ? end - at : KT_BATCH_ROWS, kept;
        KT_TRY(test_steps(walk, c->node, out->at + at, part, &kept));
        memmove(out->at + to, out->at + at, kept * sizeof *out->at);
        to += kept;
    }
    out->n = to;
    return KT_OK;
}

void kt_walk_stop_search(KtWalk *walk)
{
    for (uint32_t d = 0; d < 2; d++) {
        kt_expand_close(walk->search[d].at);
        walk->search[d] = (KtWalkCursor){0};
    }
    kt_arena_reset(walk->searches);
}

void kt_walk_stop(KtWalk *walk)
{
    kt_walk_stop_search(walk);
    for (uint32_t d = 0; d < 2; d++) {
        for (uint32_t i = 0; i < KT_WALK_DEPTHS; i++) {
            KtWalkCursor *c = &walk->cursor[d][i];
            if (c->fed || walk->op->see_all) {
                kt_expand_close(c->at);
                *c = (KtWalkCursor){0};
            }
        }
    }
}

void kt_walk_park(KtWalk *walk)
{
    for (uint32_t d = 0; d < 2; d++) {
        if (walk->search[d].at)
            kt_expand_park(walk->search[d].at);
        for (uint32_t i = 0; i < KT_WALK_DEPTHS; i++) {
            if (walk->cursor[d][i].at)
                kt_expand_park(walk->cursor[d][i].at);
        }
    }
}

void kt_walk_close(KtWalk *walk)
{
    for (uint32_t d = 0; d < 2; d++) {
        kt_expand_close(walk->search[d].at);
        for (uint32_t i = 0; i < KT_WALK_DEPTHS; i++)
            kt_expand_close(walk->cursor[d][i].at);
    }
    kt_arena_close(walk->cursors);
    kt_arena_close(walk->searches);
    kt_arena_close(walk->work);
}

/* ---- values ---- */

KtStatus kt_walk_list(KtArena *arena, const KtRelRef *rel, uint32_t n, KtValue *out)
{
    KtRelRef *ref = kt_arena_alloc(arena, (size_t)n * sizeof *ref);
    KtValue *item = kt_arena_alloc(arena, (size_t)n * sizeof *item);
    if (!ref || !item)
        return KT_ERR_MEMORY;
    if (n)
        memcpy(ref, rel, (size_t)n * sizeof *ref);
    for (uint32_t i = 0; i < n; i++)
        item[i] = kt_rel(&ref[i]);
    *out = kt_list(item, n);
    return KT_OK;
}

KtStatus kt_walk_path(KtArena *arena, const uint32_t *node, const KtRelRef *rel, uint32_t n,
                      KtValue *out)
{
    KtPath *path = kt_arena_alloc(arena, sizeof *path);
    uint64_t *nodes = kt_arena_alloc(arena, ((size_t)n + 1) * sizeof *nodes);
    KtRelRef *ref = kt_arena_alloc(arena, (size_t)n * sizeof *ref);
    if (!path || !nodes || !ref)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i <= n; i++)
        nodes[i] = node[i];
    if (n)
        memcpy(ref, rel, (size_t)n * sizeof *ref);
    *path = (KtPath){.rels = n, .node = nodes, .rel = ref};
    *out = (KtValue){.kind = KT_PATH, .as.path = path};
    return KT_OK;
}
