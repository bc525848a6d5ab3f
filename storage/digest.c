/* storage/digest.c - the logical digest of a view. */
#include "storage/digest.h"

#include "base/hash.h"
#include "storage/record.h"

enum { BATCH = 512, SLICES = 64 };

typedef struct Sum {
    KtView *view;
    KtArena *arena;
    KtBuf entity;
    uint64_t high, low;
} Sum;

static KtStatus add_entity(Sum *s)
{
    KT_TRY(kt_buf_status(&s->entity));
    uint8_t hash[16];
    kt_hash128(s->entity.data, s->entity.len, hash);
    uint64_t low = kt_load_be64(hash + 8);
    s->low += low;
    s->high += kt_load_be64(hash) + (s->low < low ? 1 : 0);
    kt_buf_clear(&s->entity);
    return KT_OK;
}

static void put_text(Sum *s, KtText text)
{
    kt_buf_varint(&s->entity, text.len);
    kt_buf_put(&s->entity, text.at, text.len);
}

static void put_name(Sum *s, KtNameKind kind, KtToken token)
{
    put_text(s, kt_name_text(s->view, kind, token));
}

static KtStatus put_props(Sum *s, KtValue map)
{
    kt_buf_varint(&s->entity, map.len);
    for (uint32_t i = 0; i < map.len; i++) {
        put_text(s, map.as.map[i].key);
        kt_buf_u8(&s->entity, map.as.map[i].value.kind);
        size_t length_at = s->entity.len;
        kt_buf_le32(&s->entity, 0);
        KT_TRY(kt_value_encode(&s->entity, map.as.map[i].value));
        KT_TRY(kt_buf_status(&s->entity));
        uint32_t len = (uint32_t)(s->entity.len - length_at - 4);
        memcpy(s->entity.data + length_at, &len, 4);
    }
    return KT_OK;
}

/* ---- nodes and their labels ---- */

static bool text_below(KtText a, KtText b)
{
    uint32_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.at, b.at, least) : 0;
    return order ? order < 0 : a.len < b.len;
}

/* Labels by name: tokens differ from store to store. */
static KtStatus put_labels(Sum *s, const KtToken *label, uint32_t n)
{
    KtText *name = kt_arena_alloc(s->arena, n * sizeof *name);
    if (!name)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        KtText next = kt_name_text(s->view, KT_NAME_LABEL, label[i]);
        uint32_t at = i;
        for (; at > 0 && text_below(next, name[at - 1]); at--)
            name[at] = name[at - 1];
        name[at] = next;
    }
    kt_buf_varint(&s->entity, n);
    for (uint32_t i = 0; i < n; i++)
        put_text(s, name[i]);
    return KT_OK;
}

static KtStatus add_lists(Sum *s, KtIds ids, KtDir dir)
{
    KtHop hop = {.dir = dir};
    KtExpand *expand;
    KT_TRY(kt_expand_open(s->view, &hop, s->arena, &expand));
    KtStatus status = kt_expand_feed(expand, ids);
    uint32_t n = 1;
    while (status == KT_OK && n > 0) {
        KtSlice slice[SLICES];
        status = kt_expand_next(expand, slice, SLICES, &n);
        for (uint32_t i = 0; i < n && status == KT_OK; i++) {
            for (uint32_t e = 0; e < slice[i].n && status == KT_OK; e++) {
                kt_buf_u8(&s->entity, dir == KT_OUT ? 'O' : 'I');
                kt_buf_le64(&s->entity, kt_ids_at(&ids, slice[i].row));
                put_name(s, KT_NAME_TYPE, slice[i].type);
                kt_buf_le64(&s->entity, ((const uint32_t *)slice[i].nbr)[e]);
                status = add_entity(s);
            }
        }
    }
    kt_expand_close(expand);
    return status;
}

static KtStatus add_nodes(Sum *s, const uint32_t *id, uint32_t n)
{
    KtIds ids = {.id = id, .width = 4, .n = n};
    KtLists labels;
    KtValue *map = kt_arena_alloc(s->arena, n * sizeof *map);
    if (!map)
        return KT_ERR_MEMORY;
    KT_TRY(kt_node_labels(s->view, ids, s->arena, &labels));
    KT_TRY(kt_records(s->view, KT_NODE, ids, s->arena, map));
    for (uint32_t i = 0; i < n; i++) {
        kt_buf_u8(&s->entity, 'N');
        kt_buf_le64(&s->entity, id[i]);
        KT_TRY(put_labels(s, labels.item + labels.start[i], labels.start[i + 1] - labels.start[i]));
        KT_TRY(put_props(s, map[i]));
        KT_TRY(add_entity(s));
    }
    KT_TRY(add_lists(s, ids, KT_OUT));
    return add_lists(s, ids, KT_IN);
}

static KtStatus add_member(Sum *s, char what, KtText name, const uint32_t *id, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        kt_buf_u8(&s->entity, (uint8_t)what);
        put_text(s, name);
        kt_buf_le64(&s->entity, id[i]);
        KT_TRY(add_entity(s));
    }
    return KT_OK;
}

/* ---- relationships ---- */

static KtStatus add_rels(Sum *s, const uint64_t *id, uint32_t n)
{
    KtIds ids = {.id = id, .width = 8, .n = n};
    uint64_t found[BATCH / 64];
    KtValue *map = kt_arena_alloc(s->arena, n * sizeof *map);
    KtRelRef *ref = kt_arena_alloc(s->arena, n * sizeof *ref);
    if (!map || !ref)
        return KT_ERR_MEMORY;
    KT_TRY(kt_rel_ends(s->view, ids, ref, found));
    KT_TRY(kt_records(s->view, KT_REL, ids, s->arena, map));
    for (uint32_t i = 0; i < n; i++) {
        kt_buf_u8(&s->entity, 'R');
        put_name(s, KT_NAME_TYPE, ref[i].type);
        kt_buf_le64(&s->entity, ref[i].start);
        kt_buf_le64(&s->entity, ref[i].end);
        KT_TRY(put_props(s, map[i]));
        KT_TRY(add_entity(s));
    }
    return KT_OK;
}

/* ---- walks ---- */

static KtStatus walk(Sum *s, const KtScanSpec *spec, KtText name)
{
    KtArena *of_scan;
    KT_TRY(kt_arena_open(NULL, &of_scan));
    KtScan *scan = NULL;
    uint32_t n = 1;
    KtStatus status = kt_scan_open(s->view, spec, of_scan, &scan);
    while (status == KT_OK && n > 0) {
        uint64_t rel[BATCH];
        uint32_t node[BATCH];
        bool rels = spec->kind == KT_SCAN_RELS;
        status = kt_scan_next(scan, rels ? (void *)rel : (void *)node, BATCH, &n);
        if (status != KT_OK || n == 0)
            break;
        if (rels)
            status = add_rels(s, rel, n);
        else if (spec->kind == KT_SCAN_NODES)
            status = add_nodes(s, node, n);
        else
            status = add_member(s, spec->kind == KT_SCAN_LABEL ? 'L' : 'E', name, node, n);
        kt_arena_reset(s->arena);
    }
    kt_scan_close(scan);
    kt_arena_close(of_scan);
    return status;
}

static KtStatus add_index(Sum *s, const KtIndexFacts *index)
{
    kt_buf_u8(&s->entity, 'X');
    put_text(s, index->name);
    put_text(s, index->label_name);
    put_text(s, index->key_name);
    kt_buf_u8(&s->entity, index->unique ? 1 : 0);
    kt_buf_u8(&s->entity, (uint8_t)index->state);
    KT_TRY(add_entity(s));
    KtScanSpec spec = {.kind = KT_SCAN_INDEX, .index = index->id};
    return walk(s, &spec, index->name);
}

static KtStatus add_all(Sum *s)
{
    KtScanSpec nodes = {.kind = KT_SCAN_NODES}, rels = {.kind = KT_SCAN_RELS};
    KT_TRY(walk(s, &nodes, (KtText){"", 0}));
    KT_TRY(walk(s, &rels, (KtText){"", 0}));
    for (KtToken label = 1;; label++) {
        KtText name = kt_name_text(s->view, KT_NAME_LABEL, label);
        if (name.len == 0) /* names are not empty, tokens are dense */
            break;
        KtScanSpec spec = {.kind = KT_SCAN_LABEL, .what = label};
        KT_TRY(walk(s, &spec, name));
    }
    const KtSchema *schema = kt_view_schema(s->view);
    for (uint32_t i = 0; i < schema->n; i++)
        KT_TRY(add_index(s, &schema->index[i]));
    return KT_OK;
}

KtStatus kt_digest(KtView *view, uint8_t out[KT_DIGEST_BYTES])
{
    Sum sum = {.view = view};
    KT_TRY(kt_arena_open(NULL, &sum.arena));
    KtStatus status = add_all(&sum);
    kt_buf_close(&sum.entity);
    kt_arena_close(sum.arena);
    if (status != KT_OK)
        return status;
    kt_store_be64(out, sum.high);
    kt_store_be64(out + 8, sum.low);
    return KT_OK;
}
