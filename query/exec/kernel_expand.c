/* query/exec/kernel_expand.c - hops: names, the parts of a slice that count, and uniqueness of relationships.
 *
 * Cypher matches trails: a relationship of the same MATCH is used once. An earlier relationship r can stand in the
 * list of node v only if its type fits and it starts at v (outgoing list) or ends at v (incoming list); that is tested
 * once for each parent row with two comparisons, and only a hit is searched for in the list. */
#include "query/exec/exec_internal.h"

#include <string.h>

KtStatus kt_op_hop(KtOp *op, const KtPlanRel *rel, bool rels, bool reverse, KtArena *arena,
                   KtHop *out)
{
    KtToken *type = NULL;
    if (rel->types) {
        type = kt_arena_alloc(arena, rel->types * sizeof *type);
        if (!type)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < rel->types; i++)
            KT_TRY(kt_eval_token(&op->x->eval, rel->type[i], &type[i]));
    }
    KtDir dir = rel->dir;
    if (reverse && dir != KT_BOTH)
        dir = dir == KT_OUT ? KT_IN : KT_OUT;
    *out = (KtHop){.dir = dir, .type = type, .n_types = rel->types, .rels = rels};
    return KT_OK;
}

uint64_t kt_slice_rel(const KtSlice *slice, uint32_t i)
{
    uint64_t id = 0;
    if (KT_LIKELY(slice->rel_width == 4)) {
        uint32_t few;
        memcpy(&few, (const uint8_t *)slice->rel + (size_t)i * 4, 4);
        return few;
    }
    memcpy(&id, (const uint8_t *)slice->rel + (size_t)i * slice->rel_width, slice->rel_width);
    return id;
}

/* Takes [from, from + len) out of the parts. */
static uint32_t take_out(KtPart *part, uint32_t n, uint32_t cap, uint32_t from, uint32_t len)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t end = part[i].from + part[i].len;
        if (from < part[i].from || from >= end)
            continue;
        uint32_t left = from - part[i].from, right = end > from + len ? end - (from + len) : 0;
        if (left && right) {
            KT_CHECK(n < cap);
            memmove(&part[i + 2], &part[i + 1], (n - i - 1) * sizeof *part);
            part[i].len = left;
            part[i + 1] = (KtPart){from + len, right};
            return n + 1;
        }
        if (left) {
            part[i].len = left;
        } else if (right) {
            part[i] = (KtPart){from + len, right};
        } else {
            memmove(&part[i], &part[i + 1], (n - i - 1) * sizeof *part);
            return n - 1;
        }
        return n;
    }
    return n;
}

uint32_t kt_slice_parts(const KtSlice *slice, uint32_t node, bool both, const KtRelRef *hit,
                        uint32_t hits, KtPart *out, uint32_t cap)
{
    if (slice->n == 0)
        return 0;
    const uint32_t *nbr = slice->nbr;
    uint32_t n = 1;
    out[0] = (KtPart){0, slice->n};
    if (both && slice->dir == KT_IN && slice->loops)
        n = take_out(out, n, cap, kt_first_not_below(nbr, slice->n, node), slice->loops);
    for (uint32_t h = 0; h < hits; h++) {
        if (hit[h].type != slice->type ||
            (slice->dir == KT_OUT ? hit[h].start : hit[h].end) != node)
            continue;
        uint32_t other = (uint32_t)(slice->dir == KT_OUT ? hit[h].end : hit[h].start);
        for (uint32_t i = kt_first_not_below(nbr, slice->n, other); i < slice->n && nbr[i] == other;
             i++) {
            if (kt_slice_rel(slice, i) == hit[h].id) {
                n = take_out(out, n, cap, i, 1);
                break;
            }
        }
    }
    return n;
}

/* ---- earlier relationships ---- */

KtStatus kt_differ_begin(KtOp *op, KtDiffer *d, KtLevel *top, const KtSlot *slot, uint32_t n)
{
    if (!d->slot && n) {
        d->slot = kt_arena_alloc(op->x->arena, n * sizeof *d->slot);
        if (!d->slot)
            return KT_ERR_MEMORY;
    }
    d->n = n;
    for (uint32_t i = 0; i < n; i++) {
        KtDifferSlot *s = &d->slot[i];
        *s = (KtDifferSlot){0};
        KtLevel *owner = kt_level_owner(top, slot[i]);
        KT_CHECK(owner);
        if (owner->rel_slot == slot[i]) {
            s->level = owner;
            KT_TRY(kt_level_rows_at(top, owner, &s->map));
            KT_TRY(kt_level_nodes(owner->below, owner->from_slot, &s->from));
        } else {
            KT_TRY(kt_level_column(top, slot[i], &s->col));
        }
    }
    return KT_OK;
}

static KtStatus add_hit(KtOp *op, KtDiffer *d, KtRelRef rel, uint32_t node)
{
    if (node != KT_NO_NODE && !((d->dir & KT_OUT) && rel.start == node) &&
        !((d->dir & KT_IN) && rel.end == node))
        return KT_OK;
    if (d->hits == d->cap) {
        void *more = d->hit;
        KT_TRY(kt_arena_grow(op->x->arena, &more, d->hits, &d->cap, sizeof *d->hit));
        d->hit = more;
    }
    d->hit[d->hits++] = rel;
    return KT_OK;
}

static KtStatus hit_in_run(KtOp *op, KtDiffer *d, KtDifferSlot *s, uint32_t row, uint32_t node)
{
    row = kt_mapped(s->map, row);
    const KtRun *run = s->level->run;
    if (row < s->first) {
        s->first = 0;
        s->run = 0;
    }
    while (row - s->first >= run[s->run].len)
        s->first += run[s->run++].len;
    run = &run[s->run];
    if (!run->item)
        return KT_OK;
    uint32_t from = s->from[run->parent], to = ((const uint32_t *)run->item)[row - s->first];
    uint32_t start = run->dir == KT_OUT ? from : to, end = run->dir == KT_OUT ? to : from;
    if (KT_LIKELY(node != KT_NO_NODE && !((d->dir & KT_OUT) && start == node) &&
                  !((d->dir & KT_IN) && end == node)))
        return KT_OK;
    KT_CHECK(run->rel);
    KtRelRef rel = {.start = start, .end = end, .type = run->type};
    memcpy(&rel.id, (const uint8_t *)run->rel + (size_t)(row - s->first) * run->rel_width,
           run->rel_width);
    return add_hit(op, d, rel, node);
}

KtStatus kt_differ_row(KtOp *op, KtDiffer *d, uint32_t row, uint32_t node, KtDir dir)
{
    d->hits = 0;
    d->dir = dir;
    for (uint32_t i = 0; i < d->n; i++) {
        KtDifferSlot *s = &d->slot[i];
        if (s->level) {
            KT_TRY(hit_in_run(op, d, s, row, node));
            continue;
        }
        KtValue v = kt_col_value(&s->col, row);
        if (v.kind == KT_REL) {
            KT_TRY(add_hit(op, d, *v.as.rel, node));
        } else if (v.kind == KT_LIST) {
            for (uint32_t k = 0; k < v.len; k++) {
                if (v.as.list[k].kind == KT_REL)
                    KT_TRY(add_hit(op, d, *v.as.list[k].as.rel, node));
            }
        }
    }
    return KT_OK;
}

/* 64 compares at a time: three a nanosecond and more; a count of 0 is the rule. */
static KT_CLONES uint32_t count_same(const uint32_t *node, uint32_t n, uint32_t id)
{
    uint32_t same = 0;
    for (uint32_t i = 0; i < n; i++)
        same += node[i] == id;
    return same;
}

/* Sets the bits of rows [from, from + n) whose node is `id`. */
static void mark_same(const uint32_t *node, uint32_t from, uint32_t n, uint32_t id, uint64_t *bits)
{
    if (KT_LIKELY(id == KT_NO_NODE || count_same(node + from, n, id) == 0))
        return;
    for (uint32_t i = from; i < from + n; i++) {
        if (node[i] == id)
            kt_bit_set(bits, i);
    }
}

static void mark_all(uint32_t from, uint32_t n, uint64_t *bits)
{
    for (uint32_t i = from; i < from + n; i++)
        kt_bit_set(bits, i);
}

/* One earlier relationship for each run of the top: it stands below, and is the same for the whole run. */
static void mark_run_below(const KtDifferSlot *s, uint32_t row, const uint32_t *node, uint32_t from,
                           uint32_t n, KtDir dir, uint32_t *first, uint32_t *at, uint64_t *bits)
{
    const KtRun *run = s->level->run;
    if (row < *first)
        *first = *at = 0;
    while (row - *first >= run[*at].len)
        *first += run[(*at)++].len;
    run = &run[*at];
    if (!run->item)
        return;
    uint32_t a = s->from[run->parent], b = ((const uint32_t *)run->item)[row - *first];
    if (dir & (run->dir == KT_OUT ? KT_OUT : KT_IN))
        mark_same(node, from, n, a, bits);
    if (dir & (run->dir == KT_OUT ? KT_IN : KT_OUT))
        mark_same(node, from, n, b, bits);
}

void kt_differ_rows(const KtDiffer *d, const KtLevel *top, const uint32_t *node, KtDir dir,
                    uint64_t *bits)
{
    memset(bits, 0, ((size_t)top->rows + 63) / 64 * sizeof *bits);
    for (uint32_t i = 0; i < d->n; i++) {
        const KtDifferSlot *s = &d->slot[i];
        if (!s->level || !top->run) {
            mark_all(0, top->rows, bits);
            return;
        }
        uint32_t from = 0, first = 0, at = 0;
        for (uint32_t r = 0; r < top->runs; from += top->run[r++].len) {
            const KtRun *run = &top->run[r];
            if (run->len == 0)
                continue;
            if (s->map) {
                mark_run_below(s, s->map[from], node, from, run->len, dir, &first, &at, bits);
            } else if (run->item) { /* its own relationship: from one node to each of the run's */
                if (dir & (run->dir == KT_OUT ? KT_OUT : KT_IN))
                    mark_same(node, from, run->len, s->from[run->parent], bits);
                if (dir & (run->dir == KT_OUT ? KT_IN : KT_OUT))
                    mark_all(from, run->len, bits);
            }
        }
    }
}
