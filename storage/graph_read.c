/* storage/graph_read.c - existence, labels, properties and ends at a mark: the overlay first, the snapshot for
 * what it does not say, a batch at a time. */
#include "storage/graph_internal.h"

#include <stdlib.h>

KtStatus kt_ask(KtView *view, KtIds ids, KtAsk **out)
{
    KT_CHECK(ids.n <= KT_IDS_MOST);
    KtAsk *ask = kt_arena_alloc(view->scratch, sizeof *ask);
    if (!ask)
        return KT_ERR_MEMORY;
    ask->n = 0;
    ask->rows = ids.n ? kt_ids_row(&ids, ids.n - 1) + 1 : 0;
    uint64_t none = ids.width == 4 ? UINT32_MAX : UINT64_MAX;
    for (uint32_t i = 0; i < ids.n; i++) {
        uint32_t row = kt_ids_row(&ids, i);
        uint64_t id = kt_ids_at(&ids, row);
        if (id == none)
            continue;
        ask->id[ask->n] = id;
        ask->row[ask->n++] = (uint16_t)row;
    }
    *out = ask;
    return KT_OK;
}

static KtStatus damaged(KtView *view, KtKind kind, uint64_t id)
{
    return kt_diag_set(view->diag, KT_ERR_CORRUPTION, NULL,
                       "The record of %s %llu is damaged on disk.",
                       kind == KT_NODE ? "node" : "relationship", (unsigned long long)id);
}

static void drop_all(KtView *view, KtRecordBlock **block, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        kt_fetch_drop(view->fetch, block[i]);
}

/* The ids that the overlay says nothing about, and their places. */
typedef struct Rest {
    uint32_t n;
    uint64_t *id;
    uint32_t *at;
    KtRecordBlock **block;
} Rest;

static KtStatus rest_open(KtView *view, uint32_t n, Rest *out)
{
    Rest rest = {.id = kt_arena_alloc(view->scratch, n * sizeof *rest.id),
                 .at = kt_arena_alloc(view->scratch, n * sizeof *rest.at),
                 .block = kt_arena_alloc(view->scratch, n * sizeof *rest.block)};
    if (!rest.id || !rest.at || !rest.block)
        return KT_ERR_MEMORY;
    *out = rest;
    return KT_OK;
}

static void rest_add(Rest *rest, uint64_t id, uint32_t at)
{
    rest->id[rest->n] = id;
    rest->at[rest->n++] = at;
}

/* ---- existence and labels ---- */

/* Answers what the graph cache knows; the others stay in `rest`. */
static KtStatus members_first(KtView *view, KtToken label, Rest *rest, bool *out)
{
    bool *yes = kt_arena_alloc(view->scratch, rest->n);
    uint64_t *left = kt_arena_alloc(view->scratch, (rest->n / 64 + 1) * sizeof *left);
    if (!yes || !left)
        return KT_ERR_MEMORY;
    memset(left, 0xFF, (rest->n / 64 + 1) * sizeof *left);
    KT_TRY(kt_fetch_members(view->fetch, label, rest->id, rest->n, yes, left));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rest->n; i++) {
        if (kt_bit(left, i)) {
            rest->id[kept] = rest->id[i];
            rest->at[kept++] = rest->at[i];
        } else {
            out[rest->at[i]] = yes[i];
        }
    }
    rest->n = kept;
    return KT_OK;
}

KtStatus kt_read_exists(KtView *view, KtKind kind, const uint64_t *id, uint32_t n, KtMark mark,
                        bool *out)
{
    if (kind == KT_REL) {
        KtRelRef *ref = kt_arena_alloc(view->scratch, n * sizeof *ref);
        return ref ? kt_read_rels(view, id, n, mark, ref, out) : KT_ERR_MEMORY;
    }
    Rest rest;
    KT_TRY(rest_open(view, n, &rest));
    for (uint32_t i = 0; i < n; i++) {
        KtSays says = view->overlay.n ? kt_overlay_exists(&view->overlay, kind, id[i], mark)
                                      : KT_SAYS_NOTHING;
        out[i] = says == KT_SAYS_YES;
        if (says == KT_SAYS_NOTHING)
            rest_add(&rest, id[i], i);
    }
    KT_TRY(members_first(view, 0, &rest, out)); /* label 0 is every node */
    KT_TRY(kt_fetch_records(view->fetch, kind, rest.id, rest.n, rest.block));
    for (uint32_t i = 0; i < rest.n; i++)
        out[rest.at[i]] = rest.block[i]->found;
    drop_all(view, rest.block, rest.n);
    return KT_OK;
}

KtStatus kt_read_label(KtView *view, KtToken label, const uint64_t *id, uint32_t n, KtMark mark,
                       bool *out)
{
    Rest rest;
    KT_TRY(rest_open(view, n, &rest));
    for (uint32_t i = 0; i < n; i++) {
        KtSays says = view->overlay.n ? kt_overlay_label(&view->overlay, id[i], label, mark)
                                      : KT_SAYS_NOTHING;
        out[i] = says == KT_SAYS_YES;
        if (says == KT_SAYS_NOTHING && label != 0)
            rest_add(&rest, id[i], i);
    }
    KT_TRY(members_first(view, label, &rest, out));
    KT_TRY(kt_fetch_records(view->fetch, KT_NODE, rest.id, rest.n, rest.block));
    KtStatus status = KT_OK;
    for (uint32_t i = 0; i < rest.n && status == KT_OK; i++) {
        KtRecord record;
        if (!rest.block[i]->found)
            continue;
        status = kt_record_open(rest.block[i]->bytes, &record);
        if (status == KT_OK)
            out[rest.at[i]] = kt_record_has_label(&record, label);
        else
            status = damaged(view, KT_NODE, rest.id[i]);
    }
    drop_all(view, rest.block, rest.n);
    return status;
}

/* ---- properties ---- */

/* A value out of a block, copied so that it outlives it. */
static KtStatus decode_value(KtView *view, KtKind kind, uint64_t id, const KtRecordValue *value,
                             KtArena *arena, KtValue *out)
{
    if (value->out_of_line)
        return kt_fetch_value(view->fetch, kind, id, value->key, arena, out);
    if (value->kind != KT_TEXT && value->kind != KT_BYTES && value->kind != KT_LIST)
        return kt_value_decode(value->kind, value->bytes, arena, out);
    char *copy = kt_arena_text(arena, (const char *)value->bytes.at, value->bytes.len);
    return copy ? kt_value_decode(value->kind, kt_span(copy, value->bytes.len), arena, out)
                : KT_ERR_MEMORY;
}

static KtStatus find_prop(KtView *view, KtKind kind, uint64_t id, KtSpan bytes, KtToken key,
                          KtArena *arena, KtValue *out)
{
    KtRecord record;
    KtRecordValue value;
    bool found = false;
    KtStatus status = kt_record_open(bytes, &record);
    if (status == KT_OK)
        status = kt_record_find(&record, key, &value, &found);
    if (status == KT_OK && found)
        status = decode_value(view, kind, id, &value, arena, out);
    return status == KT_ERR_CORRUPTION ? damaged(view, kind, id) : status;
}

KtStatus kt_read_prop(KtView *view, KtKind kind, KtToken key, const uint64_t *id, uint32_t n,
                      KtMark mark, KtArena *arena, KtValue *out)
{
    Rest rest;
    KT_TRY(rest_open(view, n, &rest));
    for (uint32_t i = 0; i < n; i++) {
        out[i] = kt_null();
        if (key == 0 ||
            (view->overlay.n && kt_overlay_prop(&view->overlay, kind, id[i], key, mark, &out[i])))
            continue;
        rest_add(&rest, id[i], i);
    }
    KT_TRY(kt_fetch_records(view->fetch, kind, rest.id, rest.n, rest.block));
    KtStatus status = KT_OK;
    for (uint32_t i = 0; i < rest.n && status == KT_OK; i++) {
        if (rest.block[i]->found)
            status = find_prop(view, kind, rest.id[i], rest.block[i]->bytes, key, arena,
                               &out[rest.at[i]]);
    }
    drop_all(view, rest.block, rest.n);
    return status;
}

KtStatus kt_read_warm(KtView *view, KtKind kind, const KtAsk *ask)
{
    KtRecordBlock **block = kt_arena_alloc(view->scratch, ask->n * sizeof *block);
    if (!block)
        return KT_ERR_MEMORY;
    KT_TRY(kt_fetch_records(view->fetch, kind, ask->id, ask->n, block));
    drop_all(view, block, ask->n);
    return KT_OK;
}

/* ---- a whole node or relationship ---- */

static KtStatus state_of_record(KtView *view, KtKind kind, uint64_t id, KtSpan bytes, bool props,
                                KtArena *arena, uint32_t room, KtState *out)
{
    KtRecord record;
    KT_TRY(kt_record_open(bytes, &record));
    if (!props)
        record.props = 0;
    out->exists = true;
    out->labels = record.labels;
    out->props = record.props;
    out->label = kt_arena_alloc(arena, ((size_t)record.labels + room) * sizeof *out->label);
    out->prop = kt_arena_alloc(arena, ((size_t)record.props + room) * sizeof *out->prop);
    if (!out->label || !out->prop)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < record.labels; i++)
        out->label[i] = kt_record_label(&record, i);
    for (uint32_t i = 0; i < record.props; i++) {
        KtRecordValue value;
        KT_TRY(kt_record_at(&record, i, &value));
        out->prop[i].key = value.key;
        KT_TRY(decode_value(view, kind, id, &value, arena, &out->prop[i].value));
    }
    return KT_OK;
}

static KtStatus state_of_add(const KtChange *c, KtArena *arena, uint32_t room, KtState *out)
{
    out->exists = true;
    out->labels = c->labels;
    out->props = c->props;
    out->label = kt_arena_alloc(arena, ((size_t)c->labels + room) * sizeof *out->label);
    out->prop = kt_arena_alloc(arena, ((size_t)c->props + room) * sizeof *out->prop);
    if (!out->label || !out->prop)
        return KT_ERR_MEMORY;
    if (c->labels)
        memcpy(out->label, c->label, c->labels * sizeof *out->label);
    if (c->props)
        memcpy(out->prop, c->prop, c->props * sizeof *out->prop);
    return KT_OK;
}

/* Room was made for one more of each for every change. */
static void state_change(KtState *state, const KtChange *c)
{
    if (c->kind == KT_CHANGE_LABEL_ADD || c->kind == KT_CHANGE_LABEL_DEL) {
        uint32_t at = 0;
        while (at < state->labels && state->label[at] < c->token)
            at++;
        bool there = at < state->labels && state->label[at] == c->token;
        if (c->kind == KT_CHANGE_LABEL_ADD && !there) {
            memmove(&state->label[at + 1], &state->label[at],
                    (state->labels - at) * sizeof *state->label);
            state->label[at] = c->token;
            state->labels++;
        } else if (c->kind == KT_CHANGE_LABEL_DEL && there) {
            memmove(&state->label[at], &state->label[at + 1],
                    (state->labels - at - 1) * sizeof *state->label);
            state->labels--;
        }
        return;
    }
    uint32_t at = 0;
    while (at < state->props && state->prop[at].key < c->token)
        at++;
    bool there = at < state->props && state->prop[at].key == c->token;
    if (kt_is_null(c->after)) {
        if (there) {
            memmove(&state->prop[at], &state->prop[at + 1],
                    (state->props - at - 1) * sizeof *state->prop);
            state->props--;
        }
        return;
    }
    if (!there) {
        memmove(&state->prop[at + 1], &state->prop[at], (state->props - at) * sizeof *state->prop);
        state->props++;
    }
    state->prop[at] = (KtProp){c->token, c->after};
}

KtStatus kt_read_state(KtView *view, KtKind kind, uint64_t id, KtMark mark, bool props,
                       KtArena *arena, KtState *out)
{
    KtState state = {.exists = false};
    KtChainKind chain = kind == KT_NODE ? KT_CHAIN_NODE : KT_CHAIN_REL;
    uint32_t first = view->overlay.n ? kt_chain_first(&view->overlay, chain, id, mark) : 0;
    uint32_t n = 0;
    const KtChange *base = NULL;
    for (uint32_t at = first; at && !base; at = kt_chain_older(&view->overlay, at)) {
        const KtChange *c = kt_chain_change(&view->overlay, at);
        if (c->kind == KT_CHANGE_NODE_DEL || c->kind == KT_CHANGE_REL_DEL) {
            *out = state;
            return KT_OK;
        }
        if (c->kind == KT_CHANGE_NODE_ADD || c->kind == KT_CHANGE_REL_ADD)
            base = c;
        else
            n++;
    }
    const KtChange **later = kt_arena_alloc(view->scratch, n * sizeof *later);
    if (!later)
        return KT_ERR_MEMORY;
    uint32_t i = n;
    for (uint32_t at = first; i > 0; at = kt_chain_older(&view->overlay, at))
        later[--i] = kt_chain_change(&view->overlay, at);
    if (base) {
        KT_TRY(state_of_add(base, arena, n, &state));
    } else {
        KtRecordBlock *block;
        KT_TRY(kt_fetch_records(view->fetch, kind, &id, 1, &block));
        KtStatus status = KT_OK;
        if (block->found) {
            status = state_of_record(view, kind, id, block->bytes, props, arena, n, &state);
        } else if (kind == KT_REL) {
            KtRelRef ref; /* without properties it has no record */
            status = kt_read_rels(view, &id, 1, mark, &ref, &state.exists);
        }
        kt_fetch_drop(view->fetch, block);
        if (status != KT_OK)
            return status == KT_ERR_CORRUPTION ? damaged(view, kind, id) : status;
    }
    if (n > 0 && !state.prop) {
        state.label = kt_arena_alloc(arena, n * sizeof *state.label);
        state.prop = kt_arena_alloc(arena, n * sizeof *state.prop);
        if (!state.label || !state.prop)
            return KT_ERR_MEMORY;
    }
    for (i = 0; i < n; i++)
        state_change(&state, later[i]);
    *out = state;
    return KT_OK;
}

/* ---- relationships ---- */

KtStatus kt_read_rels(KtView *view, const KtRelId *rel, uint32_t n, KtMark mark, KtRelRef *out,
                      bool *found)
{
    uint64_t *id = kt_arena_alloc(view->scratch, n * sizeof *id);
    uint32_t *at = kt_arena_alloc(view->scratch, n * sizeof *at);
    KtRelmapBlock **block = kt_arena_alloc(view->scratch, n * sizeof *block);
    if (!id || !at || !block)
        return KT_ERR_MEMORY;
    uint32_t rest = 0;
    for (uint32_t i = 0; i < n; i++) {
        KtSays says = view->overlay.n ? kt_overlay_exists(&view->overlay, KT_REL, rel[i], mark)
                                      : KT_SAYS_NOTHING;
        found[i] = says == KT_SAYS_YES && kt_overlay_rel(&view->overlay, rel[i], mark, &out[i]);
        if (says == KT_SAYS_NOTHING) {
            id[rest] = rel[i];
            at[rest++] = i;
        }
    }
    KT_TRY(kt_fetch_relmaps(view->fetch, id, rest, block));
    for (uint32_t i = 0; i < rest; i++) {
        const KtRelmap *map = &block[i]->map;
        uint32_t slot = (uint32_t)(id[i] & (KT_RELMAP_SLOTS - 1));
        if (kt_relmap_has(map, slot)) {
            found[at[i]] = true;
            out[at[i]] = (KtRelRef){.id = id[i],
                                    .start = map->start[slot],
                                    .end = map->end[slot],
                                    .type = map->type[slot]};
        }
        kt_fetch_drop(view->fetch, block[i]);
    }
    return KT_OK;
}
