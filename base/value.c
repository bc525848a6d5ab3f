/* base/value.c - small helpers over values, and the deep copy. */
#include "base/value.h"

const KtValue *kt_map_get(KtValue map, KtText key)
{
    for (uint32_t i = 0; i < map.len; i++) {
        if (kt_text_eq(map.as.map[i].key, key))
            return &map.as.map[i].value;
    }
    return NULL;
}

uint64_t kt_value_rel_id(KtValue rel)
{
    return (rel.flags & KT_VALUE_IMAGE) ? rel.as.rel_image->id : rel.as.rel->id;
}

uint64_t kt_value_node_id(KtValue node)
{
    return (node.flags & KT_VALUE_IMAGE) ? node.as.node_image->id : node.as.id;
}

const char *kt_kind_name(KtKind kind)
{
    switch (kind) {
    case KT_NULL: return "Null";
    case KT_BOOL: return "Boolean";
    case KT_INT: return "Integer";
    case KT_FLOAT: return "Float";
    case KT_TEXT: return "String";
    case KT_BYTES: return "Bytes";
    case KT_LIST: return "List";
    case KT_MAP: return "Map";
    case KT_NODE: return "Node";
    case KT_REL: return "Relationship";
    case KT_PATH: return "Path";
    case KT_DATE: return "Date";
    case KT_LOCAL_TIME: return "LocalTime";
    case KT_TIME: return "Time";
    case KT_LOCAL_DATETIME: return "LocalDateTime";
    case KT_DATETIME: return "DateTime";
    case KT_DURATION: return "Duration";
    case KT_POINT: return "Point";
    case KT_VECTOR: return "Vector";
    case KT_UUID: return "UUID";
    case KT_KIND_COUNT: break;
    }
    return "Unknown";
}

static KtStatus copy_text(KtArena *arena, KtText from, KtText *out)
{
    char *at = kt_arena_text(arena, from.at, from.len);
    if (!at)
        return KT_ERR_MEMORY;
    *out = (KtText){at, from.len};
    return KT_OK;
}

static KtStatus copy_entries(KtArena *arena, const KtMapEntry *from, uint32_t n,
                             const KtMapEntry **out)
{
    KtMapEntry *entries = kt_arena_alloc(arena, (size_t)n * sizeof *entries);
    if (!entries)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        KT_TRY(copy_text(arena, from[i].key, &entries[i].key));
        KT_TRY(kt_value_copy(arena, from[i].value, &entries[i].value));
    }
    *out = entries;
    return KT_OK;
}

static KtStatus copy_node(KtArena *arena, const KtNodeImage *from, const KtNodeImage **out)
{
    KtNodeImage *image = kt_arena_alloc(arena, sizeof *image);
    KtText *label = kt_arena_alloc(arena, (size_t)from->labels * sizeof *label);
    if (!image || !label)
        return KT_ERR_MEMORY;
    *image = *from;
    image->label = label;
    for (uint32_t i = 0; i < from->labels; i++)
        KT_TRY(copy_text(arena, from->label[i], &label[i]));
    KT_TRY(copy_entries(arena, from->prop, from->props, &image->prop));
    *out = image;
    return KT_OK;
}

static KtStatus copy_rel(KtArena *arena, const KtRelImage *from, const KtRelImage **out)
{
    KtRelImage *image = kt_arena_alloc(arena, sizeof *image);
    if (!image)
        return KT_ERR_MEMORY;
    *image = *from;
    KT_TRY(copy_text(arena, from->type, &image->type));
    KT_TRY(copy_entries(arena, from->prop, from->props, &image->prop));
    *out = image;
    return KT_OK;
}

static KtStatus copy_path(KtArena *arena, const KtPath *from, const KtPath **out)
{
    KtPath *path = kt_arena_alloc(arena, sizeof *path);
    uint64_t *node = kt_arena_alloc(arena, ((size_t)from->rels + 1) * sizeof *node);
    KtRelRef *rel = kt_arena_alloc(arena, (size_t)from->rels * sizeof *rel);
    if (!path || !node || !rel)
        return KT_ERR_MEMORY;
    memcpy(node, from->node, ((size_t)from->rels + 1) * sizeof *node);
    if (from->rels)
        memcpy(rel, from->rel, (size_t)from->rels * sizeof *rel);
    *path = (KtPath){.rels = from->rels, .node = node, .rel = rel};
    *out = path;
    return KT_OK;
}

static KtStatus copy_path_image(KtArena *arena, const KtPathImage *from, const KtPathImage **out)
{
    KtPathImage *path = kt_arena_alloc(arena, sizeof *path);
    const KtNodeImage **node = kt_arena_alloc(arena, ((size_t)from->rels + 1) * sizeof *node);
    const KtRelImage **rel = kt_arena_alloc(arena, (size_t)from->rels * sizeof *rel);
    if (!path || !node || !rel)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i <= from->rels; i++)
        KT_TRY(copy_node(arena, from->node[i], &node[i]));
    for (uint32_t i = 0; i < from->rels; i++)
        KT_TRY(copy_rel(arena, from->rel[i], &rel[i]));
    *path = (KtPathImage){.rels = from->rels, .node = node, .rel = rel};
    *out = path;
    return KT_OK;
}

static KtStatus copy_bytes(KtArena *arena, const void *from, size_t size, const void **out)
{
    void *at = kt_arena_alloc(arena, size);
    if (!at)
        return KT_ERR_MEMORY;
    memcpy(at, from, size);
    *out = at;
    return KT_OK;
}

KtStatus kt_value_copy(KtArena *arena, KtValue from, KtValue *out)
{
    KtValue to = from;
    bool image = (from.flags & KT_VALUE_IMAGE) != 0;
    switch ((KtKind)from.kind) {
    case KT_NULL:
    case KT_BOOL:
    case KT_INT:
    case KT_FLOAT:
    case KT_KIND_COUNT: break;
    case KT_TEXT:
    case KT_BYTES: {
        KtText text;
        KT_TRY(copy_text(arena, (KtText){from.as.text, from.len}, &text));
        to.as.text = text.at;
        break;
    }
    case KT_LIST: {
        KtValue *items = kt_arena_alloc(arena, (size_t)from.len * sizeof *items);
        if (!items)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < from.len; i++)
            KT_TRY(kt_value_copy(arena, from.as.list[i], &items[i]));
        to.as.list = items;
        break;
    }
    case KT_MAP: KT_TRY(copy_entries(arena, from.as.map, from.len, &to.as.map)); break;
    case KT_NODE:
        if (image)
            KT_TRY(copy_node(arena, from.as.node_image, &to.as.node_image));
        break;
    case KT_REL:
        if (image)
            KT_TRY(copy_rel(arena, from.as.rel_image, &to.as.rel_image));
        else
            KT_TRY(copy_bytes(arena, from.as.rel, sizeof(KtRelRef), &to.as.box));
        break;
    case KT_PATH:
        if (image)
            KT_TRY(copy_path_image(arena, from.as.path_image, &to.as.path_image));
        else
            KT_TRY(copy_path(arena, from.as.path, &to.as.path));
        break;
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION: {
        KtTemporal *t = kt_arena_alloc(arena, sizeof *t);
        if (!t)
            return KT_ERR_MEMORY;
        *t = *from.as.temporal;
        KT_TRY(copy_text(arena, from.as.temporal->zone, &t->zone));
        to.as.temporal = t;
        break;
    }
    case KT_POINT: KT_TRY(copy_bytes(arena, from.as.point, sizeof(KtPoint), &to.as.box)); break;
    case KT_UUID: KT_TRY(copy_bytes(arena, from.as.uuid, 16, &to.as.box)); break;
    case KT_VECTOR: /* element type in aux, little-endian data of `len` bytes */
        KT_TRY(copy_bytes(arena, from.as.box, from.len, &to.as.box));
        break;
    }
    *out = to;
    return KT_OK;
}
