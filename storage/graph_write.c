/* storage/graph_write.c - writes of a view: checked against all that it sees, then appended to its overlay.
 *
 * Each change carries the image of what it replaces, read here. A call that fails half-way leaves the changes it
 * has made: the statement is undone to its mark by the caller. */
#include "storage/graph_internal.h"

#include <stdlib.h>

static KtStatus too_large(KtView *view, KtStatus status)
{
    if (status == KT_ERR_TRANSACTION_TOO_LARGE)
        return kt_diag_set(view->diag, status, NULL, "The transaction is too large.");
    return status;
}

static KtStatus deleted(KtView *view, KtKind kind, uint64_t id)
{
    return kt_diag_set(view->diag, KT_ERR_DELETED_ENTITY_ACCESS, NULL,
                       "%s %llu does not exist, or was deleted before.",
                       kind == KT_NODE ? "Node" : "Relationship", (unsigned long long)id);
}

/* ---- values ---- */

static size_t value_bytes(KtValue value)
{
    size_t bytes = sizeof value;
    if (value.kind == KT_TEXT || value.kind == KT_BYTES)
        return bytes + value.len;
    if (value.kind == KT_LIST) {
        for (uint32_t i = 0; i < value.len; i++)
            bytes += value_bytes(value.as.list[i]);
    }
    return bytes;
}

static KtStatus own_value(KtView *view, KtToken key, KtValue value, KtValue *out)
{
    if (kt_is_null(value)) { /* a property that goes */
        *out = value;
        return KT_OK;
    }
    KtStatus status = kt_value_storable(value);
    if (status == KT_ERR_INVALID_PROPERTY_TYPE || status == KT_ERR_NOT_SUPPORTED) {
        KtText name = kt_store_name_text(view->db->store, KT_NAME_KEY, key);
        return kt_diag_set(
            view->diag, status, NULL, "Property `%.*s` cannot hold this value of type %s.",
            (int)(name.len > 200 ? 200 : name.len), name.at, kt_kind_name((KtKind)value.kind));
    }
    KT_TRY(status);
    return kt_value_copy(view->arena, value, out);
}

static int by_key(const void *a, const void *b)
{
    const KtProp *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* The properties of element `i`, in order of keys; of a key that stands twice, one. */
static KtStatus own_props(KtView *view, const KtProps *props, uint32_t i, KtChange *change,
                          size_t *bytes)
{
    uint32_t from = props && props->start ? props->start[i] : 0,
             to = props && props->start ? props->start[i + 1] : 0;
    KtProp *prop = kt_arena_alloc(view->arena, (size_t)(to - from) * sizeof *prop);
    if (!prop)
        return KT_ERR_MEMORY;
    uint32_t n = 0;
    for (uint32_t p = from; p < to; p++) {
        if (kt_is_null(props->prop[p].value))
            continue;
        prop[n].key = props->prop[p].key;
        KT_TRY(own_value(view, prop[n].key, props->prop[p].value, &prop[n].value));
        *bytes += value_bytes(prop[n].value) + sizeof(KtToken);
        n++;
    }
    if (n > 1)
        qsort(prop, n, sizeof *prop, by_key);
    uint32_t kept = 0;
    for (uint32_t p = 0; p < n; p++) {
        if (kept == 0 || prop[kept - 1].key != prop[p].key)
            prop[kept++] = prop[p];
    }
    change->prop = prop;
    change->props = kept;
    return KT_OK;
}

static int by_token(const void *a, const void *b)
{
    KtToken x = *(const KtToken *)a, y = *(const KtToken *)b;
    return (x > y) - (x < y);
}

static KtStatus own_labels(KtView *view, const KtToken *label, uint32_t n, const KtToken **out,
                           uint32_t *out_n)
{
    KtToken *own = kt_arena_alloc(view->arena, n * sizeof *own);
    if (!own)
        return KT_ERR_MEMORY;
    uint32_t kept = 0;
    if (n)
        memcpy(own, label, n * sizeof *own);
    if (n > 1)
        qsort(own, n, sizeof *own, by_token);
    for (uint32_t i = 0; i < n; i++) {
        if (kept == 0 || own[kept - 1] != own[i])
            own[kept++] = own[i];
    }
    *out = own;
    *out_n = kept;
    return KT_OK;
}

/* ---- creating ---- */

KtStatus kt_add_nodes_at(KtView *view, uint32_t n, const KtToken *label, uint32_t n_labels,
                         const KtProps *props, KtNodeId *out)
{
    KtStore *store = view->db->store;
    const KtToken *own;
    uint32_t labels;
    KT_TRY(own_labels(view, label, n_labels, &own, &labels));
    if (n > UINT32_MAX - 1 - store->next_node)
        return kt_diag_set(view->diag, KT_ERR_ID_RANGE, NULL,
                           "No more than %u nodes can be created in one database.", UINT32_MAX - 1);
    for (uint32_t i = 0; i < n; i++) {
        KtChange c = {
            .kind = KT_CHANGE_NODE_ADD, .id = store->next_node, .label = own, .labels = labels};
        size_t bytes = labels * sizeof *own;
        KT_TRY(own_props(view, props, i, &c, &bytes));
        KT_TRY(too_large(view, kt_overlay_add(&view->overlay, &c, bytes)));
        store->next_node++;
        for (uint32_t p = 0; p < c.props && kt_view_indexes(view)->n; p++) {
            for (uint32_t l = 0; l < labels; l++)
                KT_TRY(kt_index_note(view, c.id, own[l], c.prop[p].key, c.prop[p].value));
        }
        out[i] = c.id;
    }
    return KT_OK;
}

/* Both ends of each must be there; asked for in batches. */
static KtStatus check_ends(KtView *view, uint32_t n, const KtNodeId *end)
{
    enum { BATCH = 512 };
    bool *exists = kt_arena_alloc(view->scratch, BATCH);
    if (!exists)
        return KT_ERR_MEMORY;
    for (uint32_t at = 0; at < n; at += BATCH) {
        uint32_t count = n - at < BATCH ? n - at : BATCH;
        KT_TRY(kt_read_exists(view, KT_NODE, end + at, count, KT_SEE_ALL, exists));
        for (uint32_t i = 0; i < count; i++) {
            if (!exists[i])
                return deleted(view, KT_NODE, end[at + i]);
        }
    }
    return KT_OK;
}

KtStatus kt_add_rels_at(KtView *view, uint32_t n, KtToken type, const KtNodeId *start,
                        const KtNodeId *end, const KtProps *props, KtRelId *out)
{
    KtStore *store = view->db->store;
    KT_TRY(check_ends(view, n, start));
    KT_TRY(check_ends(view, n, end));
    for (uint32_t i = 0; i < n; i++) {
        KtChange c = {.kind = KT_CHANGE_REL_ADD,
                      .id = store->next_rel,
                      .token = type,
                      .start = start[i],
                      .end = end[i]};
        size_t bytes = 0;
        KT_TRY(own_props(view, props, i, &c, &bytes));
        KT_TRY(too_large(view, kt_overlay_add(&view->overlay, &c, bytes)));
        store->next_rel++;
        out[i] = c.id;
    }
    return KT_OK;
}

/* ---- changing ---- */

/* A before-image, read in scratch, must live with the overlay. */
static KtStatus keep_value(KtView *view, KtValue value, KtValue *out)
{
    return kt_value_copy(view->arena, value, out);
}

KtStatus kt_set_props_at(KtView *view, KtKind kind, KtIds ids, KtToken key, const KtColumn *values)
{
    KtAsk *ask;
    KT_TRY(kt_ask(view, ids, &ask));
    bool *exists = kt_arena_alloc(view->scratch, ask->n);
    if (!exists)
        return KT_ERR_MEMORY;
    KT_TRY(kt_read_exists(view, kind, ask->id, ask->n, KT_SEE_ALL, exists));
    for (uint32_t i = 0; i < ask->n; i++) {
        if (!exists[i])
            return deleted(view, kind, ask->id[i]);
        KtChange c = {.kind = kind == KT_NODE ? KT_CHANGE_NODE_PROP : KT_CHANGE_REL_PROP,
                      .id = ask->id[i],
                      .token = key};
        KtValue before;
        /* One at a time: an id may stand twice in a batch, and the second sees the first. */
        KT_TRY(kt_read_prop(view, kind, key, &ask->id[i], 1, KT_SEE_ALL, view->scratch, &before));
        KtValue after = kt_col_value(values, ask->row[i]);
        if (kt_is_null(after) && kt_is_null(before))
            continue;
        KT_TRY(keep_value(view, before, &c.before));
        KT_TRY(own_value(view, key, after, &c.after));
        KT_TRY(too_large(view, kt_overlay_add(&view->overlay, &c,
                                              value_bytes(c.before) + value_bytes(c.after))));
        if (kind == KT_NODE && kt_view_indexes(view)->n)
            KT_TRY(kt_index_note(view, c.id, 0, key, c.after));
    }
    return KT_OK;
}

static KtStatus note_label(KtView *view, KtNodeId node, KtToken label)
{
    const KtSchema *schema = kt_view_indexes(view);
    for (uint32_t i = 0; i < schema->n; i++) {
        if (schema->index[i].label != label)
            continue;
        KtValue value;
        KT_TRY(kt_read_prop(view, KT_NODE, schema->index[i].key, &node, 1, KT_SEE_ALL,
                            view->scratch, &value));
        KT_TRY(kt_index_note(view, node, label, schema->index[i].key, value));
    }
    return KT_OK;
}

KtStatus kt_set_labels_at(KtView *view, KtIds ids, KtToken label, bool present)
{
    KtAsk *ask;
    KT_TRY(kt_ask(view, ids, &ask));
    bool *exists = kt_arena_alloc(view->scratch, ask->n);
    if (!exists)
        return KT_ERR_MEMORY;
    KT_TRY(kt_read_exists(view, KT_NODE, ask->id, ask->n, KT_SEE_ALL, exists));
    for (uint32_t i = 0; i < ask->n; i++) {
        if (!exists[i])
            return deleted(view, KT_NODE, ask->id[i]);
        bool has;
        KT_TRY(kt_read_label(view, label, &ask->id[i], 1, KT_SEE_ALL, &has));
        if (has == present)
            continue;
        KtChange c = {.kind = present ? KT_CHANGE_LABEL_ADD : KT_CHANGE_LABEL_DEL,
                      .id = ask->id[i],
                      .token = label};
        KT_TRY(too_large(view, kt_overlay_add(&view->overlay, &c, 0)));
        if (present)
            KT_TRY(note_label(view, c.id, label));
    }
    return KT_OK;
}

/* ---- deleting ---- */

static KtStatus keep_props(KtView *view, const KtState *state, KtChange *change, size_t *bytes)
{
    KtProp *prop = kt_arena_alloc(view->arena, state->props * sizeof *prop);
    if (!prop)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < state->props; i++) {
        prop[i].key = state->prop[i].key;
        KT_TRY(keep_value(view, state->prop[i].value, &prop[i].value));
        *bytes += value_bytes(prop[i].value);
    }
    change->prop = prop;
    change->props = state->props;
    return KT_OK;
}

static KtStatus delete_rel(KtView *view, const KtRelRef *ref)
{
    KtState state;
    KT_TRY(kt_read_state(view, KT_REL, ref->id, KT_SEE_ALL, true, view->scratch, &state));
    KtChange c = {.kind = KT_CHANGE_REL_DEL,
                  .id = ref->id,
                  .token = ref->type,
                  .start = ref->start,
                  .end = ref->end};
    size_t bytes = 0;
    KT_TRY(keep_props(view, &state, &c, &bytes));
    return too_large(view, kt_overlay_add(&view->overlay, &c, bytes));
}

KtStatus kt_del_rels_at(KtView *view, KtIds ids)
{
    KtAsk *ask;
    KT_TRY(kt_ask(view, ids, &ask));
    for (uint32_t i = 0; i < ask->n; i++) {
        KtRelRef ref;
        bool found;
        KT_TRY(kt_read_rels(view, &ask->id[i], 1, KT_SEE_ALL, &ref, &found));
        if (found)
            KT_TRY(delete_rel(view, &ref));
    }
    return KT_OK;
}

static KtStatus detach_list(KtView *view, KtNodeId node, uint8_t dir, const KtNodeList *list)
{
    const uint32_t *nbr = kt_list_nbr(list);
    for (uint32_t r = 0; r < list->runs; r++) {
        const KtListRun *run = &kt_list_runs(list)[r];
        for (uint32_t i = run->first; i < run->first + run->n; i++) {
            KtRelRef ref = {.id = kt_list_rel(list, i), .type = run->type};
            ref.start = dir == KT_OUT ? node : nbr[i];
            ref.end = dir == KT_OUT ? nbr[i] : node;
            KtArenaMark scratch = kt_arena_mark(view->scratch);
            KT_TRY(delete_rel(view, &ref));
            kt_arena_rewind(view->scratch, scratch);
        }
    }
    return KT_OK;
}

static KtStatus detach(KtView *view, KtNodeId node)
{
    for (uint8_t dir = KT_OUT; dir <= KT_IN;
         dir++) { /* IN is read when the loops of OUT are gone */
        KtNodeList *list;
        KT_TRY(kt_read_lists(view, dir, &node, 1, KT_SEE_ALL, &list));
        KtStatus status = detach_list(view, node, dir, list);
        kt_fetch_drop(view->fetch, list);
        KT_TRY(status);
    }
    return KT_OK;
}

KtStatus kt_del_nodes_at(KtView *view, KtIds ids, bool detaching)
{
    KtAsk *ask;
    KT_TRY(kt_ask(view, ids, &ask));
    for (uint32_t i = 0; i < ask->n; i++) {
        KtState state;
        KtArenaMark scratch = kt_arena_mark(view->scratch);
        KT_TRY(kt_read_state(view, KT_NODE, ask->id[i], KT_SEE_ALL, true, view->scratch, &state));
        if (state.exists) {
            if (detaching)
                KT_TRY(detach(view, ask->id[i]));
            KtChange c = {.kind = KT_CHANGE_NODE_DEL, .id = ask->id[i]};
            size_t bytes = state.labels * sizeof(KtToken);
            KT_TRY(own_labels(view, state.label, state.labels, &c.label, &c.labels));
            KT_TRY(keep_props(view, &state, &c, &bytes));
            KT_TRY(too_large(view, kt_overlay_add(&view->overlay, &c, bytes)));
        }
        kt_arena_rewind(view->scratch, scratch);
    }
    return KT_OK;
}

KtStatus kt_statement_end_at(KtView *view, KtDiag *diag)
{
    for (; view->judged < view->overlay.n; view->judged++) {
        const KtChange *c = &view->overlay.change[view->judged];
        if (c->kind != KT_CHANGE_NODE_DEL)
            continue;
        KtNodeId node = c->id;
        for (uint8_t dir = KT_OUT; dir <= KT_IN; dir++) {
            uint64_t n;
            KT_TRY(kt_read_degree(view, dir, node, KT_SEE_ALL, &n));
            if (n > 0)
                return kt_diag_set(diag, KT_ERR_DELETE_CONNECTED_NODE, NULL,
                                   "Node %llu cannot be deleted: it still has relationships.",
                                   (unsigned long long)node);
        }
    }
    return KT_OK;
}
