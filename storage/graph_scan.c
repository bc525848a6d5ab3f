/* storage/graph_scan.c - all nodes, nodes of a label, all relationships, relationships of a type: chunks of the
 * snapshot in order of id, merged with what the overlay says of the same ids.
 *
 * A scan resumes by key: after a park it seeks behind the last chunk it has used up. */
#include "storage/graph_internal.h"

#include "storage/label.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_MOST = KT_LABEL_CHUNK,
    CHECK_EVERY = 64 /* empty chunks between two looks at the deadline */
};

typedef struct Own { /* what the overlay says of one id */
    uint64_t id;
    uint32_t order;
    bool present;
} Own;

struct KtScan {
    KtView *view;
    KtScanSpec spec;
    KtMark mark;
    KtKvIter *iter;
    uint64_t chunk; /* the next chunk to read: its number */
    uint64_t least; /* ids below it are left out */
    bool ended;     /* no more chunks */
    void *id;       /* of the chunk at hand: u64 of relationships, u32 of nodes */
    uint32_t n, at;
    Own *own;
    uint32_t owns, own_at;
    KtRelmap *map;      /* room to decode one */
    KtIndexScan *index; /* KT_SCAN_INDEX: all is in there */
};

KtView *kt_scan_view(KtScan *scan) { return scan->view; }

static bool of_rels(const KtScan *s)
{
    return s->spec.kind == KT_SCAN_RELS || s->spec.kind == KT_SCAN_TYPE;
}

static size_t id_size(const KtScan *s) { return of_rels(s) ? 8 : KT_NODE_WIDTH; }

static uint64_t id_at(const KtScan *s, uint32_t i)
{
    return of_rels(s) ? ((const uint64_t *)s->id)[i] : ((const uint32_t *)s->id)[i];
}

static int by_own(const void *a, const void *b)
{
    const Own *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static KtStatus gather_own(KtScan *s, KtArena *arena)
{
    const KtOverlay *o = &s->view->overlay;
    if (o->n == 0)
        return KT_OK;
    KtChainKind chain = of_rels(s) ? KT_CHAIN_TYPE : KT_CHAIN_LABEL;
    bool all = s->spec.kind == KT_SCAN_NODES || s->spec.kind == KT_SCAN_RELS;
    uint32_t first = kt_chain_first(o, chain, all ? 0 : s->spec.what, s->mark), n = 0;
    for (uint32_t at = first; at; at = kt_chain_older(o, at))
        n++;
    Own *own = kt_arena_alloc(arena, n * sizeof *own);
    if (!own)
        return KT_ERR_MEMORY;
    uint32_t order = n;
    for (uint32_t at = first; at; at = kt_chain_older(o, at)) {
        const KtChange *c = kt_chain_change(o, at);
        order--;
        bool present = c->kind == KT_CHANGE_NODE_ADD || c->kind == KT_CHANGE_REL_ADD ||
                       c->kind == KT_CHANGE_LABEL_ADD;
        own[order] = (Own){c->id, order, present};
    }
    if (n > 1)
        qsort(own, n, sizeof *own, by_own);
    for (uint32_t i = 0; i < n; i++) {
        if (i + 1 < n && own[i].id == own[i + 1].id)
            continue;
        own[s->owns++] = own[i];
    }
    s->own = own;
    return KT_OK;
}

KtStatus kt_scan_open_at(KtView *view, const KtScanSpec *spec, KtArena *arena, KtScan **out)
{
    KtScan *s = kt_arena_zero(arena, 1, sizeof *s);
    if (!s)
        return KT_ERR_MEMORY;
    s->view = view;
    s->spec = *spec;
    s->mark = kt_view_mark(view);
    if (spec->kind == KT_SCAN_INDEX) {
        const KtIndexFacts *index = kt_schema_index(kt_view_indexes(view), spec->index);
        if (!index)
            return kt_diag_set(view->diag, KT_ERR_NOT_FOUND, NULL,
                               "There is no index with number %u.", spec->index);
        KT_TRY(kt_index_scan_open(view, index, spec->range, s->mark, arena, &s->index));
        *out = s;
        return KT_OK;
    }
    s->id = kt_arena_alloc(arena, CHUNK_MOST * id_size(s));
    s->map = of_rels(s) ? kt_arena_alloc(arena, sizeof *s->map) : NULL;
    if (!s->id || (of_rels(s) && !s->map))
        return KT_ERR_MEMORY;
    s->ended = (spec->kind == KT_SCAN_LABEL || spec->kind == KT_SCAN_TYPE) && spec->what == 0;
    if (!s->ended)
        KT_TRY(gather_own(s, arena));
    *out = s;
    return KT_OK;
}

void kt_scan_park(KtScan *scan)
{
    if (scan->index)
        kt_index_scan_park(scan->index);
    kt_kv_iter_close(scan->iter);
    scan->iter = NULL;
}

void kt_scan_close(KtScan *scan)
{
    if (!scan)
        return;
    kt_scan_park(scan);
    if (scan->index)
        kt_index_scan_close(scan->index);
}

void kt_scan_skip_to(KtScan *scan, uint64_t from)
{
    scan->least = from;
    scan->chunk = from >> (of_rels(scan) ? KT_RELMAP_BITS : KT_LABEL_BITS);
    while (scan->own_at < scan->owns && scan->own[scan->own_at].id < from)
        scan->own_at++;
}

/* ---- chunks ---- */

/* The iterator at the first chunk from s->chunk on. One that stands before it goes a step, and seeks only if that was
 * not enough: between chunks of the graph cache there may be many. */
static KtStatus seek_chunk(KtScan *s)
{
    KtToken label = s->spec.kind == KT_SCAN_NODES ? 0 : s->spec.what;
    KtKey from = of_rels(s) ? kt_key_u64(s->chunk) : kt_key_label(label, s->chunk << KT_LABEL_BITS);
    if (s->iter && kt_kv_iter_valid(s->iter)) {
        KT_TRY(kt_kv_iter_next(s->iter));
        KtSpan now = kt_kv_iter_valid(s->iter) ? kt_kv_iter_key(s->iter) : kt_span(NULL, 0);
        if (now.len < from.len || memcmp(now.at, from.at, from.len) >= 0)
            return KT_OK; /* the end, and a damaged key, are for the caller */
    }
    if (!s->iter) {
        KtKv *kv = s->view->db->store->kv;
        uint32_t family = of_rels(s) ? KT_FAMILY_RELMAP : KT_FAMILY_LABEL;
        KT_TRY(kt_kv_iter_open(kv, s->view->at->snapshot, family, KT_KV_TOTAL_ORDER, &s->iter));
    }
    if (of_rels(s))
        return kt_kv_iter_seek(s->iter, kt_key_span(&from));
    KtKey prefix = kt_key_label_prefix(label);
    return kt_kv_iter_prefix(s->iter, kt_key_span(&prefix), kt_key_span(&from));
}

static KtStatus damaged(KtScan *s, const char *what)
{
    return kt_diag_set(s->view->diag, KT_ERR_CORRUPTION, NULL, "A list of %s is damaged on disk.",
                       what);
}

static KtStatus load_rels(KtScan *s, KtSpan key, KtSpan value)
{
    KtRelmap *map = s->map;
    uint64_t number;
    if (!kt_key_parse_u64(key, &number) || kt_relmap_decode(value, map) != KT_OK)
        return damaged(s, "relationships");
    s->chunk = number + 1;
    uint64_t *id = s->id;
    for (uint32_t slot = 0; slot < KT_RELMAP_SLOTS; slot++) {
        if (kt_relmap_has(map, slot) &&
            (s->spec.kind == KT_SCAN_RELS || map->type[slot] == s->spec.what))
            id[s->n++] = number << KT_RELMAP_BITS | slot;
    }
    return KT_OK;
}

static KtStatus load_nodes(KtScan *s, KtSpan key, KtSpan value)
{
    KtToken label;
    KtNodeId first;
    KtLabelChunk chunk;
    if (!kt_key_parse_label(key, &label, &first) || kt_label_decode(value, &chunk) != KT_OK)
        return damaged(s, "nodes");
    s->chunk = (first >> KT_LABEL_BITS) + 1;
    s->n = kt_label_ids32(chunk.bits, first, s->id);
    return kt_fetch_keep_members(s->view->fetch, label, first >> KT_LABEL_BITS, &chunk);
}

/* The next chunk of nodes out of the graph cache. False: it does not know. */
static bool load_known(KtScan *s)
{
    const uint64_t *bits;
    bool known = false;
    if (of_rels(s))
        return false;
    kt_fetch_member_page(s->view->fetch, s->spec.kind == KT_SCAN_NODES ? 0 : s->spec.what, s->chunk,
                         &bits, &known);
    if (!known)
        return false;
    s->n = bits ? kt_label_ids32(bits, s->chunk << KT_LABEL_BITS, s->id) : 0;
    s->chunk++;
    return true;
}

/* The next chunk with ids in it, or the end. */
static KtStatus load_chunk(KtScan *s)
{
    s->n = s->at = 0;
    for (uint32_t read = 1; s->n == 0; read++) {
        if (read % CHECK_EVERY == 0)
            KT_TRY(kt_view_enter(s->view, false));
        if (!load_known(s)) {
            KT_TRY(seek_chunk(s));
            if (!kt_kv_iter_valid(s->iter)) {
                s->ended = true;
                kt_kv_iter_close(s->iter);
                s->iter = NULL;
                return KT_OK;
            }
            KtSpan key = kt_kv_iter_key(s->iter), value = kt_kv_iter_value(s->iter);
            KT_TRY(of_rels(s) ? load_rels(s, key, value) : load_nodes(s, key, value));
        }
        while (s->at < s->n && id_at(s, s->at) < s->least)
            s->at++;
        if (s->at == s->n)
            s->n = s->at = 0;
    }
    return KT_OK;
}

static void put_id(const KtScan *s, void *ids, uint32_t at, uint64_t id)
{
    if (of_rels(s))
        ((uint64_t *)ids)[at] = id;
    else
        ((uint32_t *)ids)[at] = (uint32_t)id;
}

KtStatus kt_scan_next_at(KtScan *s, void *ids, uint32_t cap, uint32_t *n)
{
    if (s->index)
        return kt_index_scan_next(s->index, ids, cap, n);
    uint32_t made = 0;
    while (made < cap) {
        if (s->at == s->n && !s->ended)
            KT_TRY(load_chunk(s));
        bool left = s->at < s->n, right = s->own_at < s->owns;
        if (!left && !right)
            break;
        if (!right) { /* the view changed nothing behind here: a part of the chunk as it is */
            uint32_t part = s->n - s->at < cap - made ? s->n - s->at : cap - made;
            size_t size = id_size(s);
            memcpy((char *)ids + made * size, (const char *)s->id + s->at * size, part * size);
            made += part;
            s->at += part;
            continue;
        }
        if (right && (!left || s->own[s->own_at].id <= id_at(s, s->at))) {
            const Own *own = &s->own[s->own_at++];
            if (left && id_at(s, s->at) == own->id)
                s->at++;
            if (own->present)
                put_id(s, ids, made++, own->id);
            continue;
        }
        put_id(s, ids, made++, id_at(s, s->at++));
    }
    *n = made;
    return KT_OK;
}
