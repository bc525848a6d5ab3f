/* storage/txn/apply.c - folding a record by entity: from the state before, through its changes, to the state after.
 *
 * For each node and relationship that a record names there is one fold: what the store held, and what it holds
 * after the last change. Records are put from folds; label chunks, index entries, lists and maps get the
 * difference of the two states, so an entity that came and went within the record leaves nothing. */
#include "storage/txn/apply_internal.h"

#include "storage/format.h"
#include "storage/index_key.h"
#include "storage/record.h"

#include <stdlib.h>

typedef struct Props {
    KtProp *prop; /* ascending by key */
    uint32_t n, cap;
} Props;

typedef struct Labels {
    KtToken *label; /* ascending */
    uint32_t n, cap;
} Labels;

typedef struct NodeFold {
    KtNodeId id;
    bool existed, exists, dirty, fill;
    Labels labels_before, labels;
    Props before, after;
    KtToken *out_before; /* keys whose values stood out of line */
    uint32_t outs, outs_cap;
} NodeFold;

typedef struct RelFold {
    KtRelId id;
    bool existed, exists, had_record, dirty, added, removed;
    KtToken type;
    KtNodeId start, end;
    Props after;
    KtToken *out_before;
    uint32_t outs, outs_cap;
} RelFold;

typedef struct Folds {
    KtApply *apply;
    KtMap64 node_at, rel_at; /* id to place */
    NodeFold **node;
    uint32_t nodes, nodes_cap;
    RelFold **rel;
    uint32_t rels, rels_cap;
    KtMetaIndex *index; /* the schema, when the record changes it */
    uint32_t indexes, indexes_cap;
    bool schema_changed;
} Folds;

/* ---- small sets ---- */

static KtStatus props_set(KtArena *arena, Props *props, KtToken key, KtValue value)
{
    uint32_t at = 0;
    while (at < props->n && props->prop[at].key < key)
        at++;
    bool there = at < props->n && props->prop[at].key == key;
    if (kt_is_null(value)) {
        if (there) {
            memmove(&props->prop[at], &props->prop[at + 1], (props->n - at - 1) * sizeof props->prop[0]);
            props->n--;
        }
        return KT_OK;
    }
    if (!there) {
        void *items = props->prop;
        KT_TRY(kt_arena_grow(arena, &items, props->n, &props->cap, sizeof props->prop[0]));
        props->prop = items;
        memmove(&props->prop[at + 1], &props->prop[at], (props->n - at) * sizeof props->prop[0]);
        props->n++;
    }
    props->prop[at] = (KtProp){key, value};
    return KT_OK;
}

static KtValue props_get(const Props *props, KtToken key)
{
    for (uint32_t i = 0; i < props->n; i++) {
        if (props->prop[i].key == key)
            return props->prop[i].value;
    }
    return kt_null();
}

static KtStatus props_copy(KtArena *arena, const KtProp *from, uint32_t n, Props *out)
{
    KtProp *prop = kt_arena_alloc(arena, (size_t)n * sizeof *prop);
    if (!prop)
        return KT_ERR_MEMORY;
    if (n)
        memcpy(prop, from, (size_t)n * sizeof *prop);
    *out = (Props){prop, n, n};
    return KT_OK;
}

static KtStatus labels_copy(KtArena *arena, const KtToken *from, uint32_t n, Labels *out)
{
    KtToken *label = kt_arena_alloc(arena, (size_t)n * sizeof *label);
    if (!label)
        return KT_ERR_MEMORY;
    if (n)
        memcpy(label, from, (size_t)n * sizeof *label);
    *out = (Labels){label, n, n};
    return KT_OK;
}

static bool labels_have(const Labels *labels, KtToken label)
{
    for (uint32_t i = 0; i < labels->n; i++) {
        if (labels->label[i] == label)
            return true;
    }
    return false;
}

static KtStatus labels_set(KtArena *arena, Labels *labels, KtToken label, bool member)
{
    uint32_t at = 0;
    while (at < labels->n && labels->label[at] < label)
        at++;
    bool there = at < labels->n && labels->label[at] == label;
    if (there == member)
        return KT_OK;
    if (!member) {
        memmove(&labels->label[at], &labels->label[at + 1], (labels->n - at - 1) * sizeof labels->label[0]);
        labels->n--;
        return KT_OK;
    }
    void *items = labels->label;
    KT_TRY(kt_arena_grow(arena, &items, labels->n, &labels->cap, sizeof labels->label[0]));
    labels->label = items;
    memmove(&labels->label[at + 1], &labels->label[at], (labels->n - at) * sizeof labels->label[0]);
    labels->label[at] = label;
    labels->n++;
    return KT_OK;
}

/* ---- reading the state before ---- */

static KtStatus read_out_of_line(KtApply *apply, uint32_t family, uint64_t id, KtToken key, KtValue *out)
{
    KtKey k = kt_key_value(id, key);
    KtKvValue value;
    KT_TRY(kt_kv_get(apply->store->kv, NULL, family, kt_key_span(&k), &value));
    KtStatus status = KT_ERR_CORRUPTION;
    if (value.bytes.at) {
        void *copy = kt_arena_alloc(apply->arena, value.bytes.len);
        status = KT_ERR_MEMORY;
        if (copy) {
            memcpy(copy, value.bytes.at, value.bytes.len);
            status = kt_value_decode_out(kt_span(copy, value.bytes.len), apply->arena, out);
        }
    }
    kt_kv_release(&value);
    return status;
}

static KtStatus decode_props(KtApply *apply, uint32_t family, uint64_t id, const KtRecord *record, Props *out,
                             KtToken **outs, uint32_t *n_outs, uint32_t *outs_cap)
{
    KtProp *prop = kt_arena_alloc(apply->arena, (size_t)record->props * sizeof *prop);
    if (!prop)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < record->props; i++) {
        KtRecordValue value;
        KT_TRY(kt_record_at(record, i, &value));
        prop[i].key = value.key;
        if (!value.out_of_line) {
            KT_TRY(kt_value_decode(value.kind, value.bytes, apply->arena, &prop[i].value));
            continue;
        }
        KT_TRY(read_out_of_line(apply, family, id, value.key, &prop[i].value));
        KtToken *slot;
        KT_FOLD_PUSH(apply, *outs, *n_outs, *outs_cap, slot);
        *slot = value.key;
    }
    *out = (Props){prop, record->props, record->props};
    return KT_OK;
}

/* A copy of a record's bytes in the arena, since values point into them. out->at NULL: there is none. */
static KtStatus read_record(KtApply *apply, uint32_t family, uint64_t id, KtSpan *out)
{
    KtKey key = kt_key_u64(id);
    KtKvValue value;
    KT_TRY(kt_kv_get(apply->store->kv, NULL, family, kt_key_span(&key), &value));
    KtStatus status = KT_OK;
    *out = kt_span(NULL, 0);
    if (value.bytes.at) {
        void *copy = kt_arena_alloc(apply->arena, value.bytes.len + 1);
        if (copy) {
            memcpy(copy, value.bytes.at, value.bytes.len);
            *out = kt_span(copy, value.bytes.len);
        } else {
            status = KT_ERR_MEMORY;
        }
    }
    kt_kv_release(&value);
    return status;
}

static KtStatus load_node(KtApply *apply, NodeFold *fold)
{
    KtSpan bytes;
    KT_TRY(read_record(apply, KT_FAMILY_NODE, fold->id, &bytes));
    if (!bytes.at)
        return KT_OK;
    KtRecord record;
    KT_TRY(kt_record_open(bytes, &record));
    fold->existed = fold->exists = true;
    KtToken *label = kt_arena_alloc(apply->arena, (size_t)record.labels * sizeof *label);
    if (!label)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < record.labels; i++)
        label[i] = kt_record_label(&record, i);
    fold->labels_before = (Labels){label, record.labels, record.labels};
    KT_TRY(decode_props(apply, KT_FAMILY_NODE, fold->id, &record, &fold->before, &fold->out_before, &fold->outs,
                        &fold->outs_cap));
    KT_TRY(labels_copy(apply->arena, label, record.labels, &fold->labels));
    return props_copy(apply->arena, fold->before.prop, fold->before.n, &fold->after);
}

static KtStatus load_rel_props(KtApply *apply, RelFold *fold)
{
    KtSpan bytes;
    KT_TRY(read_record(apply, KT_FAMILY_REL, fold->id, &bytes));
    if (!bytes.at)
        return KT_OK;
    KtRecord record;
    KT_TRY(kt_record_open(bytes, &record));
    fold->had_record = true;
    return decode_props(apply, KT_FAMILY_REL, fold->id, &record, &fold->after, &fold->out_before, &fold->outs,
                        &fold->outs_cap);
}

/* `fresh`: the change itself says that it was not there. */
static KtStatus node_fold(Folds *f, KtNodeId id, bool fresh, NodeFold **out)
{
    uint64_t *place;
    bool made;
    KT_TRY(kt_map64_put(&f->node_at, id, &place, &made));
    if (!made) {
        *out = f->node[*place];
        return KT_OK;
    }
    NodeFold *fold = kt_arena_zero(f->apply->arena, 1, sizeof *fold);
    if (!fold)
        return KT_ERR_MEMORY;
    fold->id = id;
    *place = f->nodes;
    NodeFold **slot;
    KT_FOLD_PUSH(f->apply, f->node, f->nodes, f->nodes_cap, slot);
    *slot = fold;
    if (!fresh)
        KT_TRY(load_node(f->apply, fold));
    *out = fold;
    return KT_OK;
}

static KtStatus rel_fold(Folds *f, KtRelId id, bool fresh, RelFold **out)
{
    uint64_t *place;
    bool made;
    KT_TRY(kt_map64_put(&f->rel_at, id, &place, &made));
    if (!made) {
        *out = f->rel[*place];
        return KT_OK;
    }
    RelFold *fold = kt_arena_zero(f->apply->arena, 1, sizeof *fold);
    if (!fold)
        return KT_ERR_MEMORY;
    fold->id = id;
    *place = f->rels;
    RelFold **slot;
    KT_FOLD_PUSH(f->apply, f->rel, f->rels, f->rels_cap, slot);
    *slot = fold;
    if (!fresh) {
        fold->existed = fold->exists = true; /* the change says so: only live relationships change */
        KT_TRY(load_rel_props(f->apply, fold));
    }
    *out = fold;
    return KT_OK;
}

/* ---- folding ---- */

static KtStatus fold_name(Folds *f, const KtChange *c)
{
    KtApply *apply = f->apply;
    uint32_t *durable = &apply->applied->names[c->sub];
    KtNames *names = &apply->store->name[c->sub];
    if (c->token <= *durable)
        return kt_text_eq(names->text[c->token - 1], c->text) ? KT_OK : KT_ERR_CORRUPTION;
    KtToken token = 0;
    if (c->token != *durable + 1)
        return KT_ERR_CORRUPTION;
    KT_TRY(kt_store_name_make(apply->store, (KtNameKind)c->sub, c->text, &token));
    if (token != c->token)
        return KT_ERR_CORRUPTION;
    *durable = token;
    KtBuf key = {0};
    kt_buf_clear(&apply->value);
    kt_meta_key_name(&key, (KtNameKind)c->sub, token);
    kt_meta_put_name(&apply->value, c->text);
    kt_kv_put(apply->batch, KT_FAMILY_META, kt_span(key.data, key.len), kt_span(apply->value.data, apply->value.len));
    bool failed = key.failed || apply->value.failed;
    kt_buf_clear(&key);
    kt_buf_clear(&apply->value);
    kt_meta_key_token(&key, (KtNameKind)c->sub, c->text);
    kt_meta_put_token(&apply->value, token);
    kt_kv_put(apply->batch, KT_FAMILY_META, kt_span(key.data, key.len), kt_span(apply->value.data, apply->value.len));
    failed = failed || key.failed || apply->value.failed;
    kt_buf_close(&key);
    return failed ? KT_ERR_MEMORY : KT_OK;
}

/* The schema as an array that may be changed, made at the first change. */
static KtStatus open_schema(Folds *f)
{
    if (f->schema_changed)
        return KT_OK;
    f->schema_changed = true;
    const KtSchema *schema = &f->apply->store->schema->schema;
    for (uint32_t i = 0; i < schema->n; i++) {
        const KtIndexFacts *x = &schema->index[i];
        KtMetaIndex *slot;
        KT_FOLD_PUSH(f->apply, f->index, f->indexes, f->indexes_cap, slot);
        *slot = (KtMetaIndex){x->id, x->state, x->unique, x->label, x->key, x->name};
    }
    return KT_OK;
}

static KtStatus fold_index(Folds *f, const KtChange *c)
{
    KtApply *apply = f->apply;
    KT_TRY(open_schema(f));
    uint32_t at = 0;
    while (at < f->indexes && f->index[at].id != c->id)
        at++;
    KtBuf key = {0};
    kt_meta_key_index(&key, (uint32_t)c->id);
    KtStatus status = kt_buf_status(&key);
    if (status == KT_OK && c->kind == KT_CHANGE_INDEX_DROP) {
        kt_kv_delete(apply->batch, KT_FAMILY_META, kt_span(key.data, key.len));
        KtKey from = kt_key_index_prefix((uint32_t)c->id), to = kt_key_index_prefix((uint32_t)c->id + 1);
        kt_kv_delete_range(apply->batch, KT_FAMILY_INDEX, kt_key_span(&from), kt_key_span(&to));
        if (at < f->indexes)
            f->index[at] = f->index[--f->indexes];
    } else if (status == KT_OK) {
        char *text = kt_arena_text(apply->store->texts, c->text.at, c->text.len);
        KtMetaIndex index = {(uint32_t)c->id, (KtIndexState)c->sub, c->unique, c->token, c->key, {text, c->text.len}};
        status = text ? KT_OK : KT_ERR_MEMORY;
        if (status == KT_OK) {
            if (at < f->indexes) {
                f->index[at] = index;
            } else {
                KtMetaIndex *slot = NULL;
                void *items = f->index;
                status = kt_arena_grow(apply->arena, &items, f->indexes, &f->indexes_cap, sizeof index);
                f->index = items;
                if (status == KT_OK) {
                    slot = &f->index[f->indexes++];
                    *slot = index;
                }
            }
            kt_buf_clear(&apply->value);
            kt_meta_put_index(&apply->value, &index);
            if (status == KT_OK)
                status = kt_buf_status(&apply->value);
            kt_kv_put(apply->batch, KT_FAMILY_META, kt_span(key.data, key.len),
                      kt_span(apply->value.data, apply->value.len));
            if (c->id >= apply->applied->state.next_index)
                apply->applied->state.next_index = (uint32_t)c->id + 1;
        }
    }
    kt_buf_close(&key);
    return status;
}

static KtStatus fold_node_change(Folds *f, const KtChange *c)
{
    KtArena *arena = f->apply->arena;
    KtMetaState *state = &f->apply->applied->state;
    NodeFold *fold;
    KT_TRY(node_fold(f, c->id, c->kind == KT_CHANGE_NODE_ADD, &fold));
    fold->dirty = true;
    if (c->kind == KT_CHANGE_NODE_ADD) {
        if (fold->exists)
            return KT_ERR_CORRUPTION;
        fold->exists = true;
        if (c->id >= state->next_node)
            state->next_node = c->id + 1;
        KT_TRY(labels_copy(arena, c->label, c->labels, &fold->labels));
        return props_copy(arena, c->prop, c->props, &fold->after);
    }
    if (!fold->exists)
        return KT_ERR_CORRUPTION;
    if (c->kind == KT_CHANGE_NODE_DEL) {
        fold->exists = false;
        fold->labels.n = 0;
        fold->after.n = 0;
        return KT_OK;
    }
    if (c->kind == KT_CHANGE_NODE_PROP)
        return props_set(arena, &fold->after, c->token, c->after);
    return labels_set(arena, &fold->labels, c->token, c->kind == KT_CHANGE_LABEL_ADD);
}

static KtStatus fold_rel_change(Folds *f, const KtChange *c)
{
    KtArena *arena = f->apply->arena;
    KtMetaState *state = &f->apply->applied->state;
    RelFold *fold;
    KT_TRY(rel_fold(f, c->id, c->kind == KT_CHANGE_REL_ADD, &fold));
    if (c->kind == KT_CHANGE_REL_ADD) {
        if (fold->exists)
            return KT_ERR_CORRUPTION;
        fold->exists = fold->added = true;
        fold->dirty = c->props > 0;
        if (c->id >= state->next_rel)
            state->next_rel = c->id + 1;
        fold->type = c->token;
        fold->start = c->start;
        fold->end = c->end;
        return props_copy(arena, c->prop, c->props, &fold->after);
    }
    if (!fold->exists)
        return KT_ERR_CORRUPTION;
    fold->dirty = true;
    if (c->kind == KT_CHANGE_REL_DEL) {
        fold->exists = false;
        fold->removed = true;
        fold->type = c->token;
        fold->start = c->start;
        fold->end = c->end;
        fold->after.n = 0;
        return KT_OK;
    }
    return props_set(arena, &fold->after, c->token, c->after);
}

static KtStatus fold_change(Folds *f, const KtChange *c)
{
    switch (c->kind) {
    case KT_CHANGE_NAME:
        return fold_name(f, c);
    case KT_CHANGE_NODE_ADD:
    case KT_CHANGE_NODE_DEL:
    case KT_CHANGE_NODE_PROP:
    case KT_CHANGE_LABEL_ADD:
    case KT_CHANGE_LABEL_DEL:
        return fold_node_change(f, c);
    case KT_CHANGE_REL_ADD:
    case KT_CHANGE_REL_DEL:
    case KT_CHANGE_REL_PROP:
        return fold_rel_change(f, c);
    case KT_CHANGE_INDEX_PUT:
    case KT_CHANGE_INDEX_DROP:
        return fold_index(f, c);
    case KT_CHANGE_INDEX_FILL: {
        NodeFold *fold;
        KT_TRY(node_fold(f, c->id, false, &fold));
        fold->fill = true;
        return KT_OK;
    }
    }
    return KT_ERR_CORRUPTION;
}

/* ---- writing ---- */

typedef struct Spill {
    KtApply *apply;
    uint32_t family;
    uint64_t id;
    KtToken *kept; /* keys that stand out of line now */
    uint32_t n, cap;
} Spill;

static KtStatus spill_put(void *user, KtToken key, KtSpan bytes)
{
    Spill *spill = user;
    KtKey k = kt_key_value(spill->id, key);
    kt_kv_put(spill->apply->batch, spill->family, kt_key_span(&k), bytes);
    KtToken *slot;
    KT_FOLD_PUSH(spill->apply, spill->kept, spill->n, spill->cap, slot);
    *slot = key;
    return KT_OK;
}

/* Puts or deletes one record and its values out of line. */
static KtStatus write_record(KtApply *apply, uint32_t family, uint64_t id, bool put, const Labels *labels,
                             const Props *props, const KtToken *outs, uint32_t n_outs)
{
    KtKey key = kt_key_u64(id);
    Spill spill = {.apply = apply, .family = family, .id = id};
    if (put) {
        kt_buf_clear(&apply->value);
        KtRecordSpill to = {spill_put, &spill};
        KT_TRY(kt_record_encode(&apply->value, labels->label, labels->n, props->prop, props->n, &to));
        kt_kv_put(apply->batch, family, kt_key_span(&key), kt_span(apply->value.data, apply->value.len));
    } else {
        kt_kv_delete(apply->batch, family, kt_key_span(&key));
    }
    for (uint32_t i = 0; i < n_outs; i++) {
        bool kept = false;
        for (uint32_t j = 0; j < spill.n && !kept; j++)
            kept = spill.kept[j] == outs[i];
        if (!kept) {
            KtKey old = kt_key_value(id, outs[i]);
            kt_kv_delete(apply->batch, family, kt_key_span(&old));
        }
    }
    return KT_OK;
}

static KtStatus count_add(KtApply *apply, KtNameKind kind, KtToken token, int64_t by)
{
    uint64_t *delta;
    KT_TRY(kt_map64_put(&apply->count[kind], token, &delta, NULL));
    *delta += (uint64_t)by;
    return KT_OK;
}

static KtStatus label_diff(KtApply *apply, KtNodeId node, KtToken label, bool member)
{
    KtLabelChange *slot;
    KT_FOLD_PUSH(apply, apply->label, apply->labels, apply->labels_cap, slot);
    *slot = (KtLabelChange){label, node, member};
    return label ? count_add(apply, KT_NAME_LABEL, label, member ? 1 : -1) : KT_OK;
}

/* The entry of one index in a state. Returns false if it has none. */
static bool entry_key(KtBuf *out, const KtIndexFacts *index, const Labels *labels, const Props *props, KtNodeId node)
{
    kt_buf_clear(out);
    if (!labels_have(labels, index->label))
        return false;
    KtValue value = props_get(props, index->key);
    return !kt_is_null(value) && kt_index_key(out, index->id, value, node);
}

static KtStatus index_diff(KtApply *apply, const NodeFold *fold)
{
    KtBuf old = {0}, now = {0};
    KtStatus status = KT_OK;
    for (uint32_t i = 0; i < apply->schema->n && status == KT_OK; i++) {
        const KtIndexFacts *index = &apply->schema->index[i];
        bool had = fold->existed && entry_key(&old, index, &fold->labels_before, &fold->before, fold->id);
        bool has = fold->exists && entry_key(&now, index, &fold->labels, &fold->after, fold->id);
        if (old.failed || now.failed) {
            status = KT_ERR_MEMORY;
            break;
        }
        bool same = had && has && old.len == now.len && memcmp(old.data, now.data, old.len) == 0;
        if (had && !same)
            kt_kv_delete(apply->batch, KT_FAMILY_INDEX, kt_span(old.data, old.len));
        if (has && (!same || fold->fill))
            kt_kv_put(apply->batch, KT_FAMILY_INDEX, kt_span(now.data, now.len), kt_span("", 0));
    }
    kt_buf_close(&old);
    kt_buf_close(&now);
    return status;
}

static KtStatus write_node(KtApply *apply, const NodeFold *fold)
{
    KtMetaState *state = &apply->applied->state;
    if (!fold->existed && !fold->exists)
        return KT_OK;
    if (fold->dirty)
        KT_TRY(write_record(apply, KT_FAMILY_NODE, fold->id, fold->exists, &fold->labels, &fold->after, fold->out_before,
                            fold->outs));
    if (fold->existed != fold->exists) {
        state->nodes = fold->exists ? state->nodes + 1 : state->nodes - 1;
        KT_TRY(label_diff(apply, fold->id, 0, fold->exists));
    }
    for (uint32_t i = 0; i < fold->labels_before.n; i++) {
        if (!labels_have(&fold->labels, fold->labels_before.label[i]))
            KT_TRY(label_diff(apply, fold->id, fold->labels_before.label[i], false));
    }
    for (uint32_t i = 0; i < fold->labels.n; i++) {
        if (!labels_have(&fold->labels_before, fold->labels.label[i]))
            KT_TRY(label_diff(apply, fold->id, fold->labels.label[i], true));
    }
    return index_diff(apply, fold);
}

static KtStatus edge_diff(KtApply *apply, const RelFold *fold, uint8_t dir, bool add)
{
    KtEdgeChange *slot;
    KT_FOLD_PUSH(apply, apply->edge, apply->edges, apply->edges_cap, slot);
    *slot = (KtEdgeChange){.node = dir == KT_OUT ? fold->start : fold->end,
                           .dir = dir,
                           .add = add,
                           .type = fold->type,
                           .nbr = dir == KT_OUT ? fold->end : fold->start,
                           .rel = fold->id};
    return KT_OK;
}

static KtStatus write_rel(KtApply *apply, const RelFold *fold)
{
    KtMetaState *state = &apply->applied->state;
    static const Labels no_labels = {0};
    if (!fold->existed && !fold->exists)
        return KT_OK;
    bool put = fold->exists && fold->after.n > 0;
    if (fold->dirty && (put || fold->had_record))
        KT_TRY(write_record(apply, KT_FAMILY_REL, fold->id, put, &no_labels, &fold->after, fold->out_before, fold->outs));
    if (fold->existed == fold->exists)
        return KT_OK;
    bool add = fold->exists;
    state->rels = add ? state->rels + 1 : state->rels - 1;
    KT_TRY(count_add(apply, KT_NAME_TYPE, fold->type, add ? 1 : -1));
    KtRelmapChange *slot;
    KT_FOLD_PUSH(apply, apply->relmap, apply->relmaps, apply->relmaps_cap, slot);
    *slot = (KtRelmapChange){fold->id, add, fold->type, fold->start, fold->end};
    KT_TRY(edge_diff(apply, fold, KT_OUT, add));
    return edge_diff(apply, fold, KT_IN, add);
}

static KtStatus write_counts(KtApply *apply)
{
    KtApplied *applied = apply->applied;
    uint32_t cap = 0;
    for (int kind = KT_NAME_LABEL; kind <= KT_NAME_TYPE; kind++) {
        const KtMap64 *map = &apply->count[kind];
        for (size_t i = 0; i < map->cap; i++) {
            if (map->slot[2 * i] == 0 || map->slot[2 * i + 1] == 0)
                continue;
            KtToken token = (KtToken)(map->slot[2 * i] - 1);
            KtCountDelta *slot;
            KT_FOLD_PUSH(apply, applied->count, applied->counts, cap, slot);
            *slot = (KtCountDelta){(KtNameKind)kind, token,
                                   kt_store_count(apply->store, (KtNameKind)kind, token) + map->slot[2 * i + 1]};
            KtBuf key = {0};
            kt_meta_key_count(&key, (KtNameKind)kind, token);
            kt_buf_clear(&apply->value);
            kt_meta_put_count(&apply->value, slot->count);
            bool failed = key.failed || apply->value.failed;
            kt_kv_put(apply->batch, KT_FAMILY_META, kt_span(key.data, key.len),
                      kt_span(apply->value.data, apply->value.len));
            kt_buf_close(&key);
            if (failed)
                return KT_ERR_MEMORY;
        }
    }
    return KT_OK;
}

static KtStatus write_state(KtApply *apply)
{
    const KtChangeRecord *record = apply->record;
    KtMetaState *state = &apply->applied->state;
    state->commit = record->header.last;
    state->utc_us = record->header.utc_us;
    state->epoch = record->header.epoch;
    state->log_end = record->header.log_at + KT_RECORD_HEADER + record->header.payload_len;
    memcpy(state->digest, record->digest, KT_DIGEST_SIZE);
    KtBuf key = {0};
    kt_meta_key(&key, KT_META_STATE);
    kt_buf_clear(&apply->value);
    kt_meta_put_state(&apply->value, state);
    KtStatus status = key.failed || apply->value.failed ? KT_ERR_MEMORY : KT_OK;
    if (status == KT_OK)
        kt_kv_put(apply->batch, KT_FAMILY_META, kt_span(key.data, key.len), kt_span(apply->value.data, apply->value.len));
    kt_buf_close(&key);
    return status;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static KtStatus changed_nodes(KtApply *apply, const Folds *f)
{
    KtNodeId *node = kt_arena_alloc(apply->arena, (size_t)f->nodes * sizeof *node);
    if (!node)
        return KT_ERR_MEMORY;
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->nodes; i++) {
        if (f->node[i]->dirty)
            node[n++] = f->node[i]->id;
    }
    if (n > 1)
        qsort(node, n, sizeof *node, by_id);
    apply->applied->node = node;
    apply->applied->nodes = n;
    return KT_OK;
}

static KtStatus run(KtApply *apply, Folds *f)
{
    KtStore *store = apply->store;
    for (uint32_t i = 0; i < apply->record->n; i++)
        KT_TRY(fold_change(f, &apply->record->change[i]));
    apply->schema = &store->schema->schema;
    if (f->schema_changed) {
        apply->applied->state.schema_version++;
        KT_TRY(kt_schema_make(store, apply->applied->state.schema_version, f->index, f->indexes, &apply->applied->schema));
        apply->schema = &apply->applied->schema->schema;
    }
    for (uint32_t i = 0; i < f->nodes; i++)
        KT_TRY(write_node(apply, f->node[i]));
    for (uint32_t i = 0; i < f->rels; i++)
        KT_TRY(write_rel(apply, f->rel[i]));
    KT_TRY(kt_apply_edges(apply));
    KT_TRY(kt_apply_labels(apply));
    KT_TRY(kt_apply_relmaps(apply));
    KT_TRY(write_counts(apply));
    KT_TRY(write_state(apply));
    apply->applied->edge = apply->edge;
    apply->applied->edges = apply->edges;
    return changed_nodes(apply, f);
}

KtStatus kt_apply(KtStore *store, const KtChangeRecord *record, KtArena *arena, KtKvBatch *batch, KtApplied **out)
{
    KtApplied *applied = kt_arena_zero(arena, 1, sizeof *applied);
    if (!applied)
        return KT_ERR_MEMORY;
    applied->state = store->state;
    for (int kind = KT_NAME_LABEL; kind <= KT_NAME_KEY; kind++)
        applied->names[kind] = store->name[kind].durable;
    KtApply apply = {.store = store, .record = record, .arena = arena, .batch = batch, .applied = applied};
    Folds folds = {.apply = &apply};
    KtStatus status = record->header.first == store->state.commit + 1 ? run(&apply, &folds) : KT_ERR_CORRUPTION;
    kt_map64_close(&folds.node_at);
    kt_map64_close(&folds.rel_at);
    kt_map64_close(&apply.count[KT_NAME_LABEL]);
    kt_map64_close(&apply.count[KT_NAME_TYPE]);
    kt_buf_close(&apply.value);
    if (status != KT_OK) {
        kt_apply_drop(applied);
        return status;
    }
    *out = applied;
    return KT_OK;
}

KtStatus kt_apply_reserve(KtStore *store, const KtApplied *applied)
{
    for (uint32_t i = 0; i < applied->counts; i++)
        KT_TRY(kt_store_count_reserve(store, applied->count[i].kind, applied->count[i].token));
    for (const KtSplitChange *s = applied->split; s; s = s->next) {
        if (kt_store_split(store, s->node, s->dir, s->type))
            continue;
        /* An entry for it now, so that install only swaps bounds. One bound means "not split". */
        KtMetaBound *whole = calloc(1, sizeof *whole);
        if (!whole)
            return KT_ERR_MEMORY;
        KtStatus status = kt_store_split_set(store, s->node, s->dir, s->type, whole, 1);
        if (status != KT_OK) {
            free(whole);
            return status;
        }
    }
    return KT_OK;
}

void kt_apply_install(KtStore *store, KtApplied *applied)
{
    for (KtSplitChange *s = applied->split; s; s = s->next) {
        KtStatus status = kt_store_split_set(store, s->node, s->dir, s->type, s->bound, s->n);
        KT_CHECK(status == KT_OK);
        s->bound = NULL;
    }
    (void)pthread_rwlock_wrlock(&store->lock);
    store->state = applied->state;
    for (uint32_t i = 0; i < applied->counts; i++)
        store->count[applied->count[i].kind].at[applied->count[i].token] = applied->count[i].count;
    for (int kind = KT_NAME_LABEL; kind <= KT_NAME_KEY; kind++)
        store->name[kind].durable = applied->names[kind];
    (void)pthread_rwlock_unlock(&store->lock);
    if (applied->schema) {
        kt_schema_drop(store->schema);
        store->schema = applied->schema;
        applied->schema = NULL;
    }
    if (store->next_node < store->state.next_node)
        store->next_node = store->state.next_node;
    if (store->next_rel < store->state.next_rel)
        store->next_rel = store->state.next_rel;
}

void kt_apply_drop(KtApplied *applied)
{
    if (!applied)
        return;
    for (KtSplitChange *s = applied->split; s; s = s->next) {
        free(s->bound);
        s->bound = NULL;
    }
    kt_schema_drop(applied->schema);
    applied->schema = NULL;
}
