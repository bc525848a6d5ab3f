/* query/exec/write.c - making elements, setting properties and labels. */
#include "query/exec/write.h"

#include <string.h>

KtStatus kt_write_kind(KtOp *op, const KtPos *at, const char *what, KtValue is)
{
    return kt_diag_set(op->x->diag, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE, at, "%s, not %s", what,
                       kt_kind_name((KtKind)is.kind));
}

KtStatus kt_write_token(KtOp *op, KtNameRef name, KtToken *out)
{
    KtEvalContext *eval = &op->x->eval;
    KT_TRY(kt_eval_token(eval, name, out));
    if (*out != 0)
        return KT_OK;
    const KtBoundName *bound = &op->x->bound->name[name];
    KT_TRY(kt_name_make(op->x->view, bound->kind, bound->text, out));
    atomic_store_explicit(&eval->token[name], *out, memory_order_relaxed);
    return KT_OK;
}

KtStatus kt_write_value(KtOp *op, KtLevel *level, uint32_t row, const KtProgram *program,
                        KtValue *out)
{
    uint16_t sel = (uint16_t)row;
    KtLevelFrame lf;
    KtColumn col;
    kt_level_frame(&lf, level, op->arena);
    lf.frame.sel = &sel;
    lf.frame.selected = 1;
    kt_see(op->x->view, KT_SEE_ALL);
    KT_TRY(kt_program_run(program, &op->x->eval, &lf.frame, &col));
    if (kt_frame_failed(&lf.frame))
        return lf.frame.fail;
    *out = kt_col_value(&col, row);
    return KT_OK;
}

/* ---- new elements ---- */

typedef struct Props { /* of a batch of elements, as graph.h wants them */
    KtArena *arena;
    uint32_t *start;
    KtProp *prop;
    uint32_t n, cap;
} Props;

static KtStatus add_prop(Props *p, KtToken key, KtValue value)
{
    void *at = p->prop;
    if (kt_is_null(value))
        return KT_OK;
    KT_TRY(kt_arena_grow(p->arena, &at, p->n, &p->cap, sizeof *p->prop));
    p->prop = at;
    p->prop[p->n++] = (KtProp){key, value};
    return KT_OK;
}

/* The entries of a map as properties; null is none. */
static KtStatus add_map(KtOp *op, Props *p, const KtPlanNew *item, KtValue map)
{
    if (kt_is_null(map))
        return KT_OK;
    if (map.kind != KT_MAP)
        return kt_write_kind(op, &item->at, "Properties come as a Map", map);
    for (uint32_t i = 0; i < map.len; i++) {
        KtToken key;
        if (kt_is_null(map.as.map[i].value))
            continue;
        KT_TRY(kt_name_make(op->x->view, KT_NAME_KEY, map.as.map[i].key, &key));
        KT_TRY(add_prop(p, key, map.as.map[i].value));
    }
    return KT_OK;
}

/* Properties of the item for the selected rows of the level. */
static KtStatus read_props(KtOp *op, KtLevel *level, const KtPlanNew *item, Props *p)
{
    KtArena *arena = op->arena;
    uint32_t rows = level->selected;
    *p = (Props){.arena = arena,
                 .start = kt_arena_alloc(arena, ((size_t)rows + 1) * sizeof *p->start)};
    KtColumn *col = kt_arena_alloc(arena, ((size_t)item->props + 1) * sizeof *col), map = {0};
    KtToken *key = kt_arena_zero(arena, (size_t)item->props + 1, sizeof *key);
    if (!p->start || !col || !key)
        return KT_ERR_MEMORY;
    kt_see(op->x->view, KT_SEE_ALL);
    for (uint32_t i = 0; i < item->props; i++)
        KT_TRY(kt_op_eval(op, level, item->prop[i].value, NULL, &col[i]));
    if (item->prop_map)
        KT_TRY(kt_op_eval(op, level, item->prop_map, NULL, &map));
    for (uint32_t r = 0; r < rows; r++) {
        uint32_t row = kt_level_selected(level, r);
        p->start[r] = p->n;
        for (uint32_t i = 0; i < item->props; i++) {
            KtValue v = kt_col_value(&col[i], row);
            if (kt_is_null(v))
                continue;
            if (key[i] == 0)
                KT_TRY(kt_write_token(op, item->prop[i].key, &key[i]));
            KT_TRY(add_prop(p, key[i], v));
        }
        if (item->prop_map)
            KT_TRY(add_map(op, p, item, kt_col_value(&map, row)));
    }
    p->start[rows] = p->n;
    return KT_OK;
}

static KtStatus new_nodes(KtOp *op, KtLevel *level, const KtPlanNew *item)
{
    KtArena *keep = level->cols->scratch;
    uint32_t n = level->selected;
    Props props;
    KT_TRY(read_props(op, level, item, &props));
    KtToken *label = kt_arena_alloc(op->arena, ((size_t)item->labels + 1) * sizeof *label);
    KtNodeId *id = kt_arena_alloc(op->arena, ((size_t)n + 1) * sizeof *id);
    uint32_t *node = kt_arena_alloc(keep, ((size_t)level->rows + 1) * sizeof *node);
    if (!label || !id || !node)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < item->labels; i++)
        KT_TRY(kt_write_token(op, item->label[i], &label[i]));
    KtProps given = {.start = props.start, .prop = props.prop};
    KT_TRY(kt_add_nodes(op->x->view, n, label, item->labels, props.n ? &given : NULL, id));
    memset(node, 0xFF, ((size_t)level->rows + 1) * sizeof *node);
    for (uint32_t i = 0; i < n; i++)
        node[kt_level_selected(level, i)] = (uint32_t)id[i];
    if (item->slot != KT_NO_SLOT)
        kt_level_set(level, item->slot, (KtColumn){.kind = KT_COL_NODE, .width = 4, .data = node});
    return KT_OK;
}

/* The node ids of one end, dense by selected row. */
static KtStatus ends(KtOp *op, KtLevel *level, const KtPlanNew *item, KtSlot slot,
                     const char *which, KtNodeId **out)
{
    const uint32_t *node;
    KtNodeId *id = kt_arena_alloc(op->arena, ((size_t)level->selected + 1) * sizeof *id);
    if (!id)
        return KT_ERR_MEMORY;
    KT_TRY(kt_level_nodes(level, slot, &node));
    for (uint32_t i = 0; i < level->selected; i++) {
        id[i] = node[kt_level_selected(level, i)];
        if (id[i] == KT_NO_NODE)
            return kt_diag_set(op->x->diag, KT_ERR_INVALID_ARGUMENT_VALUE, &item->at,
                               "The relationship has no %s node: it is null", which);
    }
    *out = id;
    return KT_OK;
}

static KtStatus new_rels(KtOp *op, KtLevel *level, const KtPlanNew *item)
{
    KtArena *keep = level->cols->scratch;
    uint32_t n = level->selected;
    Props props;
    KtToken type;
    KtNodeId *start, *end;
    KT_TRY(ends(op, level, item, item->start, "start", &start));
    KT_TRY(ends(op, level, item, item->end, "end", &end));
    KT_TRY(read_props(op, level, item, &props));
    KT_TRY(kt_write_token(op, item->label[0], &type));
    KtRelId *id = kt_arena_alloc(op->arena, ((size_t)n + 1) * sizeof *id);
    KtRelRef *ref = kt_arena_alloc(keep, ((size_t)n + 1) * sizeof *ref);
    const KtRelRef **at = kt_arena_zero(keep, (size_t)level->rows + 1, sizeof *at);
    if (!id || !ref || !at)
        return KT_ERR_MEMORY;
    KtProps given = {.start = props.start, .prop = props.prop};
    KT_TRY(kt_add_rels(op->x->view, n, type, start, end, props.n ? &given : NULL, id));
    for (uint32_t i = 0; i < n; i++) {
        ref[i] = (KtRelRef){.id = id[i], .start = start[i], .end = end[i], .type = type};
        at[kt_level_selected(level, i)] = &ref[i];
    }
    if (item->slot != KT_NO_SLOT)
        kt_level_set(level, item->slot, (KtColumn){.kind = KT_COL_REL, .data = at});
    return KT_OK;
}

KtStatus kt_write_new(KtOp *op, KtLevel *level, const KtPlanNew *item, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!item[i].is_rel)
            KT_TRY(new_nodes(op, level, &item[i]));
    }
    for (uint32_t i = 0; i < n; i++) {
        if (item[i].is_rel)
            KT_TRY(new_rels(op, level, &item[i]));
    }
    return KT_OK;
}

/* ---- one row's sets ---- */

typedef struct Target {
    KtKind kind;
    uint64_t id;
    KtIds ids;
} Target;

/* *some false: the target is null and nothing happens. */
static KtStatus target_of(KtOp *op, KtValue v, const KtPos *at, Target *out, bool *some)
{
    *some = !kt_is_null(v);
    if (!*some)
        return KT_OK;
    if (v.kind != KT_NODE && v.kind != KT_REL)
        return kt_write_kind(op, at, "Only a Node or a Relationship has properties to set", v);
    out->kind = (KtKind)v.kind;
    out->id = v.kind == KT_NODE ? kt_value_node_id(v) : kt_value_rel_id(v);
    out->ids = (KtIds){.id = &out->id, .width = 8, .n = 1};
    return KT_OK;
}

static KtStatus set_one(KtOp *op, const Target *t, KtToken key, KtValue value)
{
    KtColumn col = {.kind = KT_COL_VALUE, .data = &value};
    return kt_set_props(op->x->view, t->kind, t->ids, key, &col);
}

static KtStatus record_of(KtOp *op, KtKind kind, KtIds ids, KtValue *out)
{
    *out = kt_null();
    kt_see(op->x->view, KT_SEE_ALL);
    return kt_records(op->x->view, kind, ids, op->arena, out);
}

/* The map that a value stands for: itself, or an entity's properties. */
static KtStatus map_of(KtOp *op, KtValue v, const KtPos *at, KtValue *out)
{
    *out = v;
    if (v.kind == KT_MAP)
        return KT_OK;
    if (v.kind != KT_NODE && v.kind != KT_REL)
        return kt_write_kind(op, at, "Properties come from a Map, a Node or a Relationship", v);
    uint64_t id = v.kind == KT_NODE ? kt_value_node_id(v) : kt_value_rel_id(v);
    KT_TRY(record_of(op, (KtKind)v.kind, (KtIds){.id = &id, .width = 8, .n = 1}, out));
    if (out->kind != KT_MAP)
        *out = kt_map(NULL, 0);
    return KT_OK;
}

static KtStatus set_map(KtOp *op, const Target *t, const KtBoundSet *bound, KtValue value)
{
    KtValue map, now;
    if (kt_is_null(value) && bound->kind == KT_SET_MERGE)
        return KT_OK;
    KT_TRY(map_of(op, value, &bound->at, &map));
    if (bound->kind == KT_SET_REPLACE) {
        KT_TRY(record_of(op, t->kind, t->ids, &now));
        for (uint32_t i = 0; now.kind == KT_MAP && i < now.len; i++) {
            KtToken key;
            const KtValue *stays = kt_map_get(map, now.as.map[i].key);
            if (stays && !kt_is_null(*stays))
                continue;
            KT_TRY(kt_name_make(op->x->view, KT_NAME_KEY, now.as.map[i].key, &key));
            KT_TRY(set_one(op, t, key, kt_null()));
        }
    }
    for (uint32_t i = 0; i < map.len; i++) {
        KtToken key;
        if (kt_is_null(map.as.map[i].value)) { /* what is not there needs no name */
            KT_TRY(kt_name_find(op->x->view, KT_NAME_KEY, map.as.map[i].key, &key));
            if (key == 0 || bound->kind == KT_SET_REPLACE)
                continue;
        } else {
            KT_TRY(kt_name_make(op->x->view, KT_NAME_KEY, map.as.map[i].key, &key));
        }
        KT_TRY(set_one(op, t, key, map.as.map[i].value));
    }
    return KT_OK;
}

static KtStatus set_labels(KtOp *op, const Target *t, const KtBoundSet *bound, bool present)
{
    if (t->kind != KT_NODE)
        return kt_write_kind(op, &bound->at, "Only a Node has labels", (KtValue){.kind = KT_REL});
    for (uint32_t i = 0; i < bound->labels; i++) {
        KtToken label;
        if (present)
            KT_TRY(kt_write_token(op, bound->label[i], &label));
        else
            KT_TRY(kt_eval_token(&op->x->eval, bound->label[i], &label));
        if (label != 0)
            KT_TRY(kt_set_labels(op->x->view, t->ids, label, present));
    }
    return KT_OK;
}

static KtStatus set_item(KtOp *op, KtLevel *level, uint32_t row, const KtPlanSet *item)
{
    const KtBoundSet *bound = item->bound;
    KtValue v, value = kt_null();
    Target t;
    KtToken key;
    bool some;
    KT_TRY(kt_write_value(op, level, row, item->target, &v));
    KT_TRY(target_of(op, v, &bound->at, &t, &some));
    t.ids.id = &t.id;
    if (!some)
        return KT_OK;
    if (item->value)
        KT_TRY(kt_write_value(op, level, row, item->value, &value));
    switch (bound->kind) {
    case KT_SET_PROP:
        if (kt_is_null(value)) {
            KT_TRY(kt_eval_token(&op->x->eval, bound->key, &key));
            return key ? set_one(op, &t, key, value) : KT_OK;
        }
        KT_TRY(kt_write_token(op, bound->key, &key));
        return set_one(op, &t, key, value);
    case KT_REMOVE_PROP:
        KT_TRY(kt_eval_token(&op->x->eval, bound->key, &key));
        return key ? set_one(op, &t, key, kt_null()) : KT_OK;
    case KT_SET_REPLACE:
    case KT_SET_MERGE: return set_map(op, &t, bound, value);
    case KT_SET_LABELS: return set_labels(op, &t, bound, true);
    case KT_REMOVE_LABELS: return set_labels(op, &t, bound, false);
    }
    return KT_OK;
}

KtStatus kt_write_set(KtOp *op, KtLevel *level, uint32_t row, const KtPlanSet *item, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        KT_TRY(set_item(op, level, row, &item[i]));
    return KT_OK;
}
