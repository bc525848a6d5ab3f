/* storage/txn/apply_keys.c - adjacency lists, label chunks and relationship maps of one record.
 *
 * All three are merge operands: one for each key, of all the changes under it. A list is read only when a
 * look at its length is due, and cut into segments if it has grown too long; that is the one place where a
 * list is put. A look is due when an id divides by LOOK_EVERY or as many edges come at once, so a list grows by
 * about that much between two looks, whoever applies the record. */
#include "storage/txn/apply_internal.h"

#include "storage/label.h"
#include "storage/relmap.h"

#include <stdlib.h>

enum { LOOK_EVERY = 64 };

static int by_label(const void *a, const void *b)
{
    const KtLabelChange *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

KtStatus kt_apply_labels(KtApply *apply)
{
    if (apply->labels > 1)
        qsort(apply->label, apply->labels, sizeof apply->label[0], by_label);
    for (uint32_t i = 0; i < apply->labels;) {
        KtKey key = kt_key_label(apply->label[i].label, apply->label[i].node);
        kt_buf_clear(&apply->value);
        uint32_t j = i;
        for (; j < apply->labels && apply->label[j].label == apply->label[i].label &&
               apply->label[j].node >> KT_LABEL_BITS == apply->label[i].node >> KT_LABEL_BITS;
             j++)
            kt_label_change(&apply->value, apply->label[j].node, apply->label[j].member);
        KT_TRY(kt_buf_status(&apply->value));
        kt_kv_merge(apply->batch, KT_FAMILY_LABEL, kt_key_span(&key),
                    kt_span(apply->value.data, apply->value.len));
        i = j;
    }
    return KT_OK;
}

static int by_rel(const void *a, const void *b)
{
    const KtRelmapChange *x = a, *y = b;
    return (x->rel > y->rel) - (x->rel < y->rel);
}

KtStatus kt_apply_relmaps(KtApply *apply)
{
    if (apply->relmaps > 1)
        qsort(apply->relmap, apply->relmaps, sizeof apply->relmap[0], by_rel);
    for (uint32_t i = 0; i < apply->relmaps;) {
        KtKey key = kt_key_relmap(apply->relmap[i].rel);
        kt_buf_clear(&apply->value);
        uint32_t j = i;
        for (; j < apply->relmaps &&
               apply->relmap[j].rel >> KT_RELMAP_BITS == apply->relmap[i].rel >> KT_RELMAP_BITS;
             j++) {
            const KtRelmapChange *c = &apply->relmap[j];
            if (c->add)
                kt_relmap_add(&apply->value, c->rel, c->type, c->start, c->end);
            else
                kt_relmap_remove(&apply->value, c->rel);
        }
        KT_TRY(kt_buf_status(&apply->value));
        kt_kv_merge(apply->batch, KT_FAMILY_RELMAP, kt_key_span(&key),
                    kt_span(apply->value.data, apply->value.len));
        i = j;
    }
    return KT_OK;
}

/* ---- adjacency ---- */

static int by_list(const void *a, const void *b)
{
    const KtEdgeChange *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    if (x->dir != y->dir)
        return x->dir < y->dir ? -1 : 1;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return kt_adj_order((KtAdjPair){x->nbr, x->rel}, (KtAdjPair){y->nbr, y->rel});
}

static bool look_is_due(const KtEdgeChange *edge, uint32_t n)
{
    uint32_t adds = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!edge[i].add)
            continue;
        adds++;
        if (edge[i].rel % LOOK_EVERY == 0)
            return true;
    }
    return adds >= LOOK_EVERY;
}

static KtStatus merge_edges(KtApply *apply, const KtKey *key, const KtEdgeChange *edge, uint32_t n)
{
    kt_buf_clear(&apply->value);
    for (uint32_t i = 0; i < n; i++)
        kt_adj_change(&apply->value, edge[i].add ? KT_ADJ_ADD : KT_ADJ_REMOVE, edge[i].nbr,
                      edge[i].rel);
    KT_TRY(kt_buf_status(&apply->value));
    kt_kv_merge(apply->batch, KT_FAMILY_ADJ, kt_key_span(key),
                kt_span(apply->value.data, apply->value.len));
    return KT_OK;
}

/* The pairs of `value` (bytes.at NULL: none) after n changes, in the arena. */
static KtStatus changed_pairs(KtApply *apply, KtSpan value, const KtEdgeChange *edge, uint32_t n,
                              KtAdjPair **out, uint32_t *out_n)
{
    KtAdjHead head = {0};
    if (value.at)
        KT_TRY(kt_adj_open(value, &head));
    KtAdjPair *old = kt_arena_alloc(apply->arena, (size_t)head.n * sizeof *old);
    KtAdjPair *made = kt_arena_alloc(apply->arena, ((size_t)head.n + n) * sizeof *made);
    if (!old || !made)
        return KT_ERR_MEMORY;
    if (head.n)
        KT_TRY(kt_adj_pairs(&head, old));
    uint32_t at = 0, count = 0;
    for (uint32_t i = 0; i < n; i++) {
        KtAdjPair pair = {edge[i].nbr, edge[i].rel};
        while (at < head.n && kt_adj_order(old[at], pair) < 0)
            made[count++] = old[at++];
        if (at < head.n && kt_adj_order(old[at], pair) == 0)
            at++;
        if (edge[i].add)
            made[count++] = pair;
    }
    while (at < head.n)
        made[count++] = old[at++];
    *out = made;
    *out_n = count;
    return KT_OK;
}

/* The bounds of one list while its segments change. */
typedef struct Bounds {
    KtMetaBound *bound;
    uint32_t n, cap;
    bool changed;
} Bounds;

static KtStatus add_bound(KtApply *apply, Bounds *b, KtMetaBound bound)
{
    KtMetaBound *slot;
    KT_FOLD_PUSH(apply, b->bound, b->n, b->cap, slot);
    *slot = bound;
    return KT_OK;
}

static KtStatus put_segment(KtApply *apply, const KtKey *key, KtNodeId node, const KtAdjPair *pair,
                            uint32_t n)
{
    kt_buf_clear(&apply->value);
    KT_TRY(kt_adj_encode(&apply->value, node, pair, n));
    kt_kv_put(apply->batch, KT_FAMILY_ADJ, kt_key_span(key),
              kt_span(apply->value.data, apply->value.len));
    return KT_OK;
}

/* One key of a list: the whole of it, or the segment that begins at `low`. Appends the bounds of what it became. */
static KtStatus apply_segment(KtApply *apply, const KtEdgeChange *edge, uint32_t n, bool whole,
                              KtMetaBound low, Bounds *b)
{
    KtNodeId node = edge[0].node;
    uint8_t dir = edge[0].dir;
    KtToken type = edge[0].type;
    KtKey key =
        whole ? kt_key_adj(node, dir, type) : kt_key_adj_segment(node, dir, type, low.nbr, low.rel);
    KT_TRY(add_bound(apply, b, low));
    if (!look_is_due(edge, n))
        return merge_edges(apply, &key, edge, n);
    KtKvValue value;
    KT_TRY(kt_kv_get(apply->store->kv, NULL, KT_FAMILY_ADJ, kt_key_span(&key), &value));
    KtAdjHead head = {0};
    KtStatus status = value.bytes.at ? kt_adj_open(value.bytes, &head) : KT_OK;
    KtArenaMark mark = kt_arena_mark(apply->arena);
    KtAdjPair *pair = NULL;
    uint32_t count = 0;
    bool cut = status == KT_OK && (uint64_t)head.n + n > KT_ADJ_SEGMENT;
    if (cut)
        status = changed_pairs(apply, value.bytes, edge, n, &pair, &count);
    kt_kv_release(&value);
    if (status != KT_OK)
        return status;
    if (!cut || count <= KT_ADJ_SEGMENT) {
        kt_arena_rewind(apply->arena, mark);
        return merge_edges(apply, &key, edge, n);
    }
    uint32_t segments = kt_adj_segments(count);
    if (whole)
        kt_kv_delete(apply->batch, KT_FAMILY_ADJ, kt_key_span(&key));
    for (uint32_t i = 0; i < segments; i++) {
        uint32_t from = kt_adj_cut(count, i), to = kt_adj_cut(count, i + 1);
        KtMetaBound bound = i == 0 ? low : (KtMetaBound){pair[from].nbr, pair[from].rel};
        if (i > 0)
            KT_TRY(add_bound(apply, b, bound));
        KtKey segment = kt_key_adj_segment(node, dir, type, bound.nbr, bound.rel);
        KT_TRY(put_segment(apply, &segment, node, pair + from, to - from));
    }
    b->changed = true;
    return KT_OK;
}

static KtStatus record_split(KtApply *apply, const KtEdgeChange *edge, const Bounds *b)
{
    KtSplitChange *split = kt_arena_zero(apply->arena, 1, sizeof *split);
    if (!split)
        return KT_ERR_MEMORY;
    *split = (KtSplitChange){.node = edge->node, .type = edge->type, .dir = edge->dir, .n = b->n};
    split->bound = malloc(b->n * sizeof *split->bound);
    if (!split->bound)
        return KT_ERR_MEMORY;
    memcpy(split->bound, b->bound, b->n * sizeof *split->bound);
    split->next = apply->applied->split;
    apply->applied->split = split;
    apply->applied->splits++;
    KtBuf key = {0};
    kt_meta_key_split(&key, edge->node, edge->dir, edge->type);
    kt_buf_clear(&apply->value);
    kt_meta_put_split(&apply->value, b->bound, b->n);
    KtStatus status = key.failed || apply->value.failed ? KT_ERR_MEMORY : KT_OK;
    if (status == KT_OK)
        kt_kv_put(apply->batch, KT_FAMILY_META, kt_span(key.data, key.len),
                  kt_span(apply->value.data, apply->value.len));
    kt_buf_close(&key);
    return status;
}

static bool below(const KtEdgeChange *edge, KtMetaBound bound)
{
    return kt_adj_order((KtAdjPair){edge->nbr, edge->rel}, (KtAdjPair){bound.nbr, bound.rel}) < 0;
}

static KtStatus apply_list(KtApply *apply, const KtEdgeChange *edge, uint32_t n)
{
    const KtSplit *split = kt_store_split(apply->store, edge->node, edge->dir, edge->type);
    Bounds bounds = {0};
    if (!split) {
        KT_TRY(apply_segment(apply, edge, n, true, (KtMetaBound){0, 0}, &bounds));
        return bounds.changed ? record_split(apply, edge, &bounds) : KT_OK;
    }
    uint32_t at = 0;
    for (uint32_t s = 0; s < split->n; s++) {
        uint32_t end = at;
        while (end < n && (s + 1 == split->n || below(&edge[end], split->bound[s + 1])))
            end++;
        if (end == at)
            KT_TRY(add_bound(apply, &bounds, split->bound[s]));
        else
            KT_TRY(apply_segment(apply, edge + at, end - at, false, split->bound[s], &bounds));
        at = end;
    }
    return bounds.changed ? record_split(apply, edge, &bounds) : KT_OK;
}

KtStatus kt_apply_edges(KtApply *apply)
{
    if (apply->edges > 1)
        qsort(apply->edge, apply->edges, sizeof apply->edge[0], by_list);
    for (uint32_t i = 0; i < apply->edges;) {
        const KtEdgeChange *first = &apply->edge[i];
        uint32_t j = i;
        while (j < apply->edges && apply->edge[j].node == first->node &&
               apply->edge[j].dir == first->dir && apply->edge[j].type == first->type)
            j++;
        KT_TRY(apply_list(apply, first, j - i));
        i = j;
    }
    return KT_OK;
}
