/* query/expr/fn_graph.c - functions of nodes, relationships and paths, and access to their properties.
 *
 * Storage answers by batch; a single value is a batch of one. In a view that writes, an entity may have been
 * deleted by a clause before: reading its labels or properties is DELETED_ENTITY_ACCESS. Its id, its type and its
 * ends stay known. */
#include "query/expr/expr_internal.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t id_of(KtValue v)
{
    return v.kind == KT_NODE ? kt_value_node_id(v) : kt_value_rel_id(v);
}

/* ---- existence and properties ---- */

KtStatus kt_entity_exists(KtCall *call, KtValue entity)
{
    if (!kt_view_writes(call->x->view))
        return KT_OK;
    uint64_t id = id_of(entity), bits = 0;
    KT_TRY(kt_exist(call->x->view, (KtKind)entity.kind, (KtIds){.id = &id, .width = 8, .n = 1},
                    &bits));
    if (bits & 1)
        return KT_OK;
    return kt_diag_set(call->diag, KT_ERR_DELETED_ENTITY_ACCESS, &call->at,
                       "%s %" PRIu64 " has been deleted", kt_kind_name((KtKind)entity.kind), id);
}

KtStatus kt_entity_properties(KtCall *call, KtValue entity, KtValue *out)
{
    if (entity.kind == KT_MAP) {
        *out = entity;
        return KT_OK;
    }
    KT_TRY(kt_entity_exists(call, entity));
    uint64_t id = id_of(entity);
    return kt_records(call->x->view, (KtKind)entity.kind, (KtIds){.id = &id, .width = 8, .n = 1},
                      call->arena, out);
}

KtStatus kt_entity_element(KtCall *call, KtValue entity, KtText key, KtValue *out)
{
    if (entity.kind == KT_MAP) {
        const KtValue *found = kt_map_get(entity, key);
        *out = found ? *found : kt_null();
        return KT_OK;
    }
    KT_TRY(kt_entity_exists(call, entity));
    KtView *view = call->x->view;
    KtToken token;
    KT_TRY(kt_name_find(view, KT_NAME_KEY, key, &token));
    if (token == 0) {
        *out = kt_null();
        return KT_OK;
    }
    uint64_t id = id_of(entity);
    KtIds ids = {.id = &id, .width = 8, .n = 1};
    KtColumn column;
    if (entity.kind == KT_NODE)
        KT_TRY(kt_node_props(view, token, ids, call->arena, &column));
    else
        KT_TRY(kt_rel_props(view, token, ids, call->arena, &column));
    *out = kt_col_value(&column, 0);
    return KT_OK;
}

KT_FN(kt_fn_properties) { return kt_entity_properties(call, args[0], out); }

KT_FN(kt_fn_keys)
{
    KtValue map;
    KT_TRY(kt_entity_properties(call, args[0], &map));
    KtValue *items = kt_arena_alloc(call->arena, (size_t)map.len * sizeof *items);
    if (!items)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < map.len; i++)
        items[i] = kt_text(map.as.map[i].key.at, map.as.map[i].key.len);
    *out = kt_list(items, map.len);
    return KT_OK;
}

/* ---- names and numbers ---- */

static KtStatus label_list(KtView *view, KtArena *arena, const KtToken *token, uint32_t n,
                           KtValue *out)
{
    KtValue *items = kt_arena_alloc(arena, (size_t)n * sizeof *items);
    if (!items)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        KtText name = kt_name_text(view, KT_NAME_LABEL, token[i]);
        items[i] = kt_text(name.at, name.len);
    }
    *out = kt_list(items, n);
    return KT_OK;
}

KT_FN(kt_fn_labels)
{
    KT_TRY(kt_entity_exists(call, args[0]));
    uint64_t id = id_of(args[0]);
    KtLists labels;
    KT_TRY(kt_node_labels(call->x->view, (KtIds){.id = &id, .width = 8, .n = 1}, call->arena,
                          &labels));
    return label_list(call->x->view, call->arena,
                      labels.item ? labels.item + labels.start[0] : NULL,
                      labels.start[1] - labels.start[0], out);
}

KT_FN(kt_fn_type)
{
    KtText name = (args[0].flags & KT_VALUE_IMAGE)
                      ? args[0].as.rel_image->type
                      : kt_name_text(call->x->view, KT_NAME_TYPE, args[0].as.rel->type);
    *out = kt_text(name.at, name.len);
    return KT_OK;
}

KT_FN(kt_fn_id)
{
    (void)call;
    *out = kt_int((int64_t)id_of(args[0]));
    return KT_OK;
}

KT_FN(kt_fn_element_id)
{
    char text[48];
    int n = snprintf(text, sizeof text, "%" PRIu32 ":%c%" PRIu64, call->x->database_id,
                     args[0].kind == KT_NODE ? 'n' : 'r', id_of(args[0]));
    return kt_make_text(call, text, (size_t)n, out);
}

/* ---- ends and paths ---- */

KT_FN(kt_fn_start_node)
{
    (void)call;
    *out = kt_node((args[0].flags & KT_VALUE_IMAGE) ? args[0].as.rel_image->start
                                                    : args[0].as.rel->start);
    return KT_OK;
}

KT_FN(kt_fn_end_node)
{
    (void)call;
    *out =
        kt_node((args[0].flags & KT_VALUE_IMAGE) ? args[0].as.rel_image->end : args[0].as.rel->end);
    return KT_OK;
}

static uint32_t rels_of(KtValue path)
{
    return (path.flags & KT_VALUE_IMAGE) ? path.as.path_image->rels : path.as.path->rels;
}

KT_FN(kt_fn_length)
{
    (void)call;
    *out = kt_int(rels_of(args[0]));
    return KT_OK;
}

KT_FN(kt_fn_nodes)
{
    uint32_t n = rels_of(args[0]) + 1;
    bool image = (args[0].flags & KT_VALUE_IMAGE) != 0;
    KtValue *items = kt_arena_alloc(call->arena, (size_t)n * sizeof *items);
    if (!items)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        items[i] = image ? (KtValue){.kind = KT_NODE,
                                     .flags = KT_VALUE_IMAGE,
                                     .as.node_image = args[0].as.path_image->node[i]}
                         : kt_node(args[0].as.path->node[i]);
    *out = kt_list(items, n);
    return KT_OK;
}

KT_FN(kt_fn_relationships)
{
    uint32_t n = rels_of(args[0]);
    bool image = (args[0].flags & KT_VALUE_IMAGE) != 0;
    KtValue *items = kt_arena_alloc(call->arena, (size_t)n * sizeof *items);
    if (!items)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        items[i] = image ? (KtValue){.kind = KT_REL,
                                     .flags = KT_VALUE_IMAGE,
                                     .as.rel_image = args[0].as.path_image->rel[i]}
                         : kt_rel(&args[0].as.path->rel[i]);
    *out = kt_list(items, n);
    return KT_OK;
}
