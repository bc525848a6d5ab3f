/* storage/txn/apply.c - writing the folds of a record, and installing what it means in memory.
 *
 * Records are put from folds; label chunks, index entries, lists and maps get the difference of the states before
 * and after, so an entity that came and went within the record leaves nothing. */
#include "storage/txn/apply_internal.h"

#include "storage/format.h"
#include "storage/index_key.h"
#include "storage/record.h"

#include <stdlib.h>

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
static KtStatus write_record(KtApply *apply, uint32_t family, uint64_t id, bool put,
                             const KtFoldLabels *labels, const KtFoldProps *props,
                             const KtToken *outs, uint32_t n_outs)
{
    KtKey key = kt_key_u64(id);
    Spill spill = {.apply = apply, .family = family, .id = id};
    if (put) {
        kt_buf_clear(&apply->value);
        KtRecordSpill to = {spill_put, &spill};
        KT_TRY(
            kt_record_encode(&apply->value, labels->label, labels->n, props->prop, props->n, &to));
        kt_kv_put(apply->batch, family, kt_key_span(&key),
                  kt_span(apply->value.data, apply->value.len));
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
static bool entry_key(KtBuf *out, const KtIndexFacts *index, const KtFoldLabels *labels,
                      const KtFoldProps *props, KtNodeId node)
{
    kt_buf_clear(out);
    if (!kt_fold_has_label(labels, index->label))
        return false;
    KtValue value = kt_fold_prop(props, index->key);
    return !kt_is_null(value) && kt_index_key(out, index->id, value, node);
}

static KtStatus index_diff(KtApply *apply, const KtNodeFold *fold)
{
    KtBuf old = {0}, now = {0};
    KtStatus status = KT_OK;
    for (uint32_t i = 0; i < apply->schema->n && status == KT_OK; i++) {
        const KtIndexFacts *index = &apply->schema->index[i];
        bool had =
            fold->existed && entry_key(&old, index, &fold->labels_before, &fold->before, fold->id);
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

static KtStatus write_node(KtApply *apply, const KtNodeFold *fold)
{
    KtMetaState *state = &apply->applied->state;
    if (!fold->existed && !fold->exists)
        return KT_OK;
    if (fold->dirty)
        KT_TRY(write_record(apply, KT_FAMILY_NODE, fold->id, fold->exists, &fold->labels,
                            &fold->after, fold->out_before, fold->outs));
    if (fold->existed != fold->exists) {
        state->nodes = fold->exists ? state->nodes + 1 : state->nodes - 1;
        KT_TRY(label_diff(apply, fold->id, 0, fold->exists));
    }
    for (uint32_t i = 0; i < fold->labels_before.n; i++) {
        if (!kt_fold_has_label(&fold->labels, fold->labels_before.label[i]))
            KT_TRY(label_diff(apply, fold->id, fold->labels_before.label[i], false));
    }
    for (uint32_t i = 0; i < fold->labels.n; i++) {
        if (!kt_fold_has_label(&fold->labels_before, fold->labels.label[i]))
            KT_TRY(label_diff(apply, fold->id, fold->labels.label[i], true));
    }
    return index_diff(apply, fold);
}

static KtStatus edge_diff(KtApply *apply, const KtRelFold *fold, uint8_t dir, bool add)
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

static KtStatus write_rel(KtApply *apply, const KtRelFold *fold)
{
    KtMetaState *state = &apply->applied->state;
    static const KtFoldLabels no_labels = {0};
    if (!fold->existed && !fold->exists)
        return KT_OK;
    bool put = fold->exists && fold->after.n > 0;
    if (fold->dirty && (put || fold->had_record))
        KT_TRY(write_record(apply, KT_FAMILY_REL, fold->id, put, &no_labels, &fold->after,
                            fold->out_before, fold->outs));
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
                                   kt_store_count(apply->store, (KtNameKind)kind, token) +
                                       map->slot[2 * i + 1]};
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
        kt_kv_put(apply->batch, KT_FAMILY_META, kt_span(key.data, key.len),
                  kt_span(apply->value.data, apply->value.len));
    kt_buf_close(&key);
    return status;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static KtStatus changed_nodes(KtApply *apply, const KtFolds *f)
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

static KtStatus run(KtApply *apply, KtFolds *f)
{
    KtStore *store = apply->store;
    for (uint32_t i = 0; i < apply->record->n; i++)
        KT_TRY(kt_fold_change(f, &apply->record->change[i]));
    apply->schema = &store->schema->schema;
    if (f->schema_changed) {
        apply->applied->state.schema_version++;
        KT_TRY(kt_schema_make(store, apply->applied->state.schema_version, f->index, f->indexes,
                              &apply->applied->schema));
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

KtStatus kt_apply(KtStore *store, const KtChangeRecord *record, KtArena *arena, KtKvBatch *batch,
                  KtApplied **out)
{
    KtApplied *applied = kt_arena_zero(arena, 1, sizeof *applied);
    if (!applied)
        return KT_ERR_MEMORY;
    applied->state = store->state;
    for (int kind = KT_NAME_LABEL; kind <= KT_NAME_KEY; kind++)
        applied->names[kind] = store->name[kind].durable;
    KtApply apply = {
        .store = store, .record = record, .arena = arena, .batch = batch, .applied = applied};
    KtFolds folds = {.apply = &apply};
    KtStatus status =
        record->header.first == store->state.commit + 1 ? run(&apply, &folds) : KT_ERR_CORRUPTION;
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
