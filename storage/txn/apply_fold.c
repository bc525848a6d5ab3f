/* storage/txn/apply_fold.c - folding a record by entity: from the state before, through its changes, to the state
 * after.
 *
 * For each node and relationship that a record names there is one fold. The state before is read once, from the store
 * as of the previous record; what a record adds is not read at all. */
#include "storage/txn/apply_internal.h"

#include "storage/format.h"
#include "storage/record.h"

/* ---- small sets ---- */

static KtStatus props_set(KtArena *arena, KtFoldProps *props, KtToken key, KtValue value)
{
    uint32_t at = 0;
    while (at < props->n && props->prop[at].key < key)
        at++;
    bool there = at < props->n && props->prop[at].key == key;
    if (kt_is_null(value)) {
        if (there) {
            memmove(&props->prop[at], &props->prop[at + 1],
                    (props->n - at - 1) * sizeof props->prop[0]);
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

static KtStatus props_copy(KtArena *arena, const KtProp *from, uint32_t n, KtFoldProps *out)
{
    KtProp *prop = kt_arena_alloc(arena, (size_t)n * sizeof *prop);
    if (!prop)
        return KT_ERR_MEMORY;
    if (n)
        memcpy(prop, from, (size_t)n * sizeof *prop);
    *out = (KtFoldProps){prop, n, n};
    return KT_OK;
}

static KtStatus labels_copy(KtArena *arena, const KtToken *from, uint32_t n, KtFoldLabels *out)
{
    KtToken *label = kt_arena_alloc(arena, (size_t)n * sizeof *label);
    if (!label)
        return KT_ERR_MEMORY;
    if (n)
        memcpy(label, from, (size_t)n * sizeof *label);
    *out = (KtFoldLabels){label, n, n};
    return KT_OK;
}

static KtStatus labels_set(KtArena *arena, KtFoldLabels *labels, KtToken label, bool member)
{
    uint32_t at = 0;
    while (at < labels->n && labels->label[at] < label)
        at++;
    bool there = at < labels->n && labels->label[at] == label;
    if (there == member)
        return KT_OK;
    if (!member) {
        memmove(&labels->label[at], &labels->label[at + 1],
                (labels->n - at - 1) * sizeof labels->label[0]);
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

static KtStatus read_out_of_line(KtApply *apply, uint32_t family, uint64_t id, KtToken key,
                                 KtValue *out)
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

static KtStatus decode_props(KtApply *apply, uint32_t family, uint64_t id, const KtRecord *record,
                             KtFoldProps *out, KtToken **outs, uint32_t *n_outs, uint32_t *outs_cap)
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
    *out = (KtFoldProps){prop, record->props, record->props};
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

static KtStatus load_node(KtApply *apply, KtNodeFold *fold)
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
    fold->labels_before = (KtFoldLabels){label, record.labels, record.labels};
    KT_TRY(decode_props(apply, KT_FAMILY_NODE, fold->id, &record, &fold->before, &fold->out_before,
                        &fold->outs, &fold->outs_cap));
    KT_TRY(labels_copy(apply->arena, label, record.labels, &fold->labels));
    return props_copy(apply->arena, fold->before.prop, fold->before.n, &fold->after);
}

static KtStatus load_rel_props(KtApply *apply, KtRelFold *fold)
{
    KtSpan bytes;
    KT_TRY(read_record(apply, KT_FAMILY_REL, fold->id, &bytes));
    if (!bytes.at)
        return KT_OK;
    KtRecord record;
    KT_TRY(kt_record_open(bytes, &record));
    fold->had_record = true;
    return decode_props(apply, KT_FAMILY_REL, fold->id, &record, &fold->after, &fold->out_before,
                        &fold->outs, &fold->outs_cap);
}

/* `fresh`: the change itself says that it was not there. */
static KtStatus node_fold(KtFolds *f, KtNodeId id, bool fresh, KtNodeFold **out)
{
    uint64_t *place;
    bool made;
    KT_TRY(kt_map64_put(&f->node_at, id, &place, &made));
    if (!made) {
        *out = f->node[*place];
        return KT_OK;
    }
    KtNodeFold *fold = kt_arena_zero(f->apply->arena, 1, sizeof *fold);
    if (!fold)
        return KT_ERR_MEMORY;
    fold->id = id;
    *place = f->nodes;
    KtNodeFold **slot;
    KT_FOLD_PUSH(f->apply, f->node, f->nodes, f->nodes_cap, slot);
    *slot = fold;
    if (!fresh)
        KT_TRY(load_node(f->apply, fold));
    *out = fold;
    return KT_OK;
}

static KtStatus rel_fold(KtFolds *f, KtRelId id, bool fresh, KtRelFold **out)
{
    uint64_t *place;
    bool made;
    KT_TRY(kt_map64_put(&f->rel_at, id, &place, &made));
    if (!made) {
        *out = f->rel[*place];
        return KT_OK;
    }
    KtRelFold *fold = kt_arena_zero(f->apply->arena, 1, sizeof *fold);
    if (!fold)
        return KT_ERR_MEMORY;
    fold->id = id;
    *place = f->rels;
    KtRelFold **slot;
    KT_FOLD_PUSH(f->apply, f->rel, f->rels, f->rels_cap, slot);
    *slot = fold;
    if (!fresh) {
        fold->existed = fold->exists =
            true; /* the change says so: only live relationships change */
        KT_TRY(load_rel_props(f->apply, fold));
    }
    *out = fold;
    return KT_OK;
}

/* ---- folding ---- */

static KtStatus fold_name(KtFolds *f, const KtChange *c)
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
    kt_kv_put(apply->batch, KT_FAMILY_META, kt_span(key.data, key.len),
              kt_span(apply->value.data, apply->value.len));
    bool failed = key.failed || apply->value.failed;
    kt_buf_clear(&key);
    kt_buf_clear(&apply->value);
    kt_meta_key_token(&key, (KtNameKind)c->sub, c->text);
    kt_meta_put_token(&apply->value, token);
    kt_kv_put(apply->batch, KT_FAMILY_META, kt_span(key.data, key.len),
              kt_span(apply->value.data, apply->value.len));
    failed = failed || key.failed || apply->value.failed;
    kt_buf_close(&key);
    return failed ? KT_ERR_MEMORY : KT_OK;
}

/* The schema as an array that may be changed, made at the first change. */
static KtStatus open_schema(KtFolds *f)
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

static KtStatus fold_index(KtFolds *f, const KtChange *c)
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
        KtKey from = kt_key_index_prefix((uint32_t)c->id),
              to = kt_key_index_prefix((uint32_t)c->id + 1);
        kt_kv_delete_range(apply->batch, KT_FAMILY_INDEX, kt_key_span(&from), kt_key_span(&to));
        if (at < f->indexes)
            f->index[at] = f->index[--f->indexes];
    } else if (status == KT_OK) {
        char *text = kt_arena_text(apply->store->texts, c->text.at, c->text.len);
        KtMetaIndex index = {(uint32_t)c->id, (KtIndexState)c->sub, c->unique, c->token,
                             c->key,          {text, c->text.len}};
        status = text ? KT_OK : KT_ERR_MEMORY;
        if (status == KT_OK) {
            if (at < f->indexes) {
                f->index[at] = index;
            } else {
                KtMetaIndex *slot = NULL;
                void *items = f->index;
                status =
                    kt_arena_grow(apply->arena, &items, f->indexes, &f->indexes_cap, sizeof index);
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

static KtStatus fold_node_change(KtFolds *f, const KtChange *c)
{
    KtArena *arena = f->apply->arena;
    KtMetaState *state = &f->apply->applied->state;
    KtNodeFold *fold;
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

static KtStatus fold_rel_change(KtFolds *f, const KtChange *c)
{
    KtArena *arena = f->apply->arena;
    KtMetaState *state = &f->apply->applied->state;
    KtRelFold *fold;
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

KtStatus kt_fold_change(KtFolds *f, const KtChange *c)
{
    switch (c->kind) {
    case KT_CHANGE_NAME: return fold_name(f, c);
    case KT_CHANGE_NODE_ADD:
    case KT_CHANGE_NODE_DEL:
    case KT_CHANGE_NODE_PROP:
    case KT_CHANGE_LABEL_ADD:
    case KT_CHANGE_LABEL_DEL: return fold_node_change(f, c);
    case KT_CHANGE_REL_ADD:
    case KT_CHANGE_REL_DEL:
    case KT_CHANGE_REL_PROP: return fold_rel_change(f, c);
    case KT_CHANGE_INDEX_PUT:
    case KT_CHANGE_INDEX_DROP: return fold_index(f, c);
    case KT_CHANGE_INDEX_FILL: {
        KtNodeFold *fold;
        KT_TRY(node_fold(f, c->id, false, &fold));
        fold->fill = true;
        return KT_OK;
    }
    }
    return KT_ERR_CORRUPTION;
}
