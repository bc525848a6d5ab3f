/* storage/graph.c - every call of graph.h that reads or writes the graph, and nothing else.
 *
 * Each passes the view's one entry check and gives its scratch memory back. This is the place where a writing
 * view will record what it reads. */
#include "storage/graph_internal.h"

#include "base/key_order.h"

/* Runs `call` behind the entry check, with scratch rewound afterwards. */
#define ENTER_AND(view, write, call)                           \
    do {                                                       \
        KT_TRY(kt_view_enter((view), (write)));                \
        KtArenaMark scratch_ = kt_arena_mark((view)->scratch); \
        KtStatus status_ = (call);                             \
        kt_arena_rewind((view)->scratch, scratch_);            \
        return status_;                                        \
    } while (0)

/* ---- names ---- */

KtStatus kt_name_find(KtView *view, KtNameKind kind, KtText name, KtToken *out)
{
    KT_TRY(kt_view_enter(view, false));
    *out = kt_store_name_find(view->db->store, kind, name);
    return KT_OK;
}

static KtStatus name_make(KtView *view, KtNameKind kind, KtText name, KtToken *out)
{
    KtStatus status = kt_store_name_make(view->db->store, kind, name, out);
    if (status == KT_ERR_LIST_TOO_LONG)
        return kt_diag_set(view->diag, status, NULL,
                           "The database has too many different names of one kind.");
    return status;
}

KtStatus kt_name_make(KtView *view, KtNameKind kind, KtText name, KtToken *out)
{
    ENTER_AND(view, true, name_make(view, kind, name, out));
}

KtText kt_name_text(KtView *view, KtNameKind kind, KtToken token)
{
    return kt_store_name_text(view->db->store, kind, token);
}

/* ---- adjacency ---- */

KtStatus kt_expand_open(KtView *view, const KtHop *hop, KtArena *arena, KtExpand **out)
{
    ENTER_AND(view, false, kt_expand_open_at(view, hop, arena, out));
}

KtStatus kt_expand_feed(KtExpand *expand, KtIds from)
{
    ENTER_AND(kt_expand_view(expand), false, kt_expand_feed_at(expand, from));
}

KtStatus kt_expand_next(KtExpand *expand, KtSlice *out, uint32_t cap, uint32_t *n)
{
    ENTER_AND(kt_expand_view(expand), false, kt_expand_next_at(expand, out, cap, n));
}

KtStatus kt_degrees(KtView *view, const KtHop *hop, KtIds ids, uint64_t *out)
{
    ENTER_AND(view, false, kt_degrees_at(view, hop, ids, out));
}

KtStatus kt_between(KtView *view, const KtHop *hop, KtIds a, KtIds b, KtArena *arena, KtPairs *out)
{
    ENTER_AND(view, false, kt_between_at(view, hop, a, b, arena, out));
}

/* ---- nodes and relationships ---- */

static void clear_rows(KtIds ids, uint64_t *bits)
{
    for (uint32_t i = 0; i < ids.n; i++)
        kt_bit_clear(bits, kt_ids_row(&ids, i));
}

static KtStatus exist(KtView *view, KtKind kind, KtIds ids, uint64_t *bits)
{
    bool done = false;
    if (kind == KT_NODE && view->overlay.n == 0)
        kt_fetch_members_known(view->fetch, 0, &ids, bits, &done); /* label 0 is every node */
    if (done)
        return KT_OK;
    KtAsk *ask;
    KT_TRY(kt_ask(view, ids, &ask));
    bool *yes = kt_arena_alloc(view->scratch, ask->n);
    if (!yes)
        return KT_ERR_MEMORY;
    KT_TRY(kt_read_exists(view, kind, ask->id, ask->n, kt_view_mark(view), yes));
    clear_rows(ids, bits);
    for (uint32_t i = 0; i < ask->n; i++) {
        if (yes[i])
            kt_bit_set(bits, ask->row[i]);
    }
    return KT_OK;
}

KtStatus kt_exist(KtView *view, KtKind kind, KtIds ids, uint64_t *bits)
{
    ENTER_AND(view, false, exist(view, kind, ids, bits));
}

static KtStatus have_label(KtView *view, KtToken label, KtIds ids, uint64_t *bits)
{
    bool done = false;
    if (label != 0 && view->overlay.n == 0)
        kt_fetch_members_known(view->fetch, label, &ids, bits, &done);
    if (done)
        return KT_OK;
    KtAsk *ask;
    KT_TRY(kt_ask(view, ids, &ask));
    bool *yes = kt_arena_alloc(view->scratch, ask->n);
    if (!yes)
        return KT_ERR_MEMORY;
    KT_TRY(kt_read_label(view, label, ask->id, ask->n, kt_view_mark(view), yes));
    clear_rows(ids, bits);
    for (uint32_t i = 0; i < ask->n; i++) {
        if (yes[i])
            kt_bit_set(bits, ask->row[i]);
    }
    return KT_OK;
}

KtStatus kt_have_label(KtView *view, KtToken label, KtIds ids, uint64_t *bits)
{
    ENTER_AND(view, false, have_label(view, label, ids, bits));
}

static KtStatus node_labels(KtView *view, KtIds ids, KtArena *arena, KtLists *out)
{
    KtAsk *ask;
    KT_TRY(kt_ask(view, ids, &ask));
    uint32_t *start = kt_arena_alloc(arena, ((size_t)ask->rows + 1) * sizeof *start);
    if (!start)
        return KT_ERR_MEMORY;
    KtToken *item = NULL;
    uint32_t n = 0, cap = 0, row = 0;
    KT_TRY(kt_read_warm(view, KT_NODE, ask));
    for (uint32_t i = 0; i < ask->n; i++) {
        KtState state;
        KT_TRY(kt_read_state(view, KT_NODE, ask->id[i], kt_view_mark(view), false, view->scratch,
                             &state));
        while (row <= ask->row[i])
            start[row++] = n;
        for (uint32_t l = 0; l < state.labels; l++) {
            void *items = item;
            KT_TRY(kt_arena_grow(arena, &items, n, &cap, sizeof *item));
            item = items;
            item[n++] = state.label[l];
        }
    }
    while (row <= ask->rows)
        start[row++] = n;
    *out = (KtLists){.start = start, .item = item};
    return KT_OK;
}

KtStatus kt_node_labels(KtView *view, KtIds ids, KtArena *arena, KtLists *out)
{
    ENTER_AND(view, false, node_labels(view, ids, arena, out));
}

/* The column that values of these kinds (a set) go into. */
static KtColKind column_of(KtKinds kinds)
{
    kinds &= ~KT_KIND_BIT(KT_NULL);
    if (kinds == KT_KIND_BIT(KT_INT))
        return KT_COL_INT;
    if (kinds == KT_KIND_BIT(KT_FLOAT))
        return KT_COL_FLOAT;
    if (kinds == KT_KIND_BIT(KT_BOOL))
        return KT_COL_BOOL;
    if (kinds == KT_KIND_BIT(KT_TEXT))
        return KT_COL_TEXT;
    return KT_COL_VALUE;
}

static void column_set(KtColumn *col, uint32_t row, KtValue value)
{
    if (col->kind == KT_COL_VALUE) {
        ((KtValue *)col->data)[row] = value;
        return;
    }
    if (kt_is_null(value)) {
        kt_bit_set(col->nulls, row);
        return;
    }
    if (col->kind == KT_COL_INT)
        ((int64_t *)col->data)[row] = value.as.i;
    else if (col->kind == KT_COL_FLOAT)
        ((double *)col->data)[row] = value.as.f;
    else if (col->kind == KT_COL_BOOL)
        ((uint8_t *)col->data)[row] = value.as.i != 0;
    else
        ((KtText *)col->data)[row] = (KtText){value.as.text, value.len};
}

/* Rows that were not asked for are null. */
static KtStatus props(KtView *view, KtKind kind, KtToken key, KtIds ids, KtArena *arena,
                      KtColumn *out)
{
    if (kind == KT_NODE && view->overlay.n == 0) {
        bool done;
        KT_TRY(kt_fetch_column(view->fetch, key, ids, arena, out, &done));
        if (done)
            return KT_OK;
    }
    KtAsk *ask;
    KT_TRY(kt_ask(view, ids, &ask));
    KtValue *value = kt_arena_alloc(view->scratch, ask->n * sizeof *value);
    if (!value)
        return KT_ERR_MEMORY;
    KT_TRY(kt_read_prop(view, kind, key, ask->id, ask->n, kt_view_mark(view), arena, value));
    KtKinds kinds = 0;
    bool nulls = ask->n < ask->rows;
    for (uint32_t i = 0; i < ask->n; i++) {
        kinds |= KT_KIND_BIT(value[i].kind);
        nulls = nulls || kt_is_null(value[i]);
    }
    KtColumn col;
    KtColKind col_kind = column_of(kinds);
    KT_TRY(kt_col_make(arena, col_kind, ask->rows, nulls && col_kind != KT_COL_VALUE, &col));
    if (ask->rows)
        memset(col.data, 0, ask->rows * kt_col_size(col.kind, col.width)); /* kind 0 is null */
    if (col.nulls) {
        for (uint32_t i = 0; i < ask->rows; i++)
            kt_bit_set(col.nulls, i);
    }
    for (uint32_t i = 0; i < ask->n; i++) {
        if (col.nulls && !kt_is_null(value[i]))
            kt_bit_clear(col.nulls, ask->row[i]);
        column_set(&col, ask->row[i], value[i]);
    }
    *out = col;
    return KT_OK;
}

KtStatus kt_node_props(KtView *view, KtToken key, KtIds ids, KtArena *arena, KtColumn *out)
{
    ENTER_AND(view, false, props(view, KT_NODE, key, ids, arena, out));
}

static KtStatus prop_sums(KtView *view, KtToken key, const KtIdList *list, uint32_t n, int64_t *sum,
                          bool *done)
{
    *done = false;
    return view->overlay.n ? KT_OK : kt_fetch_sums(view->fetch, key, list, n, sum, done);
}

KtStatus kt_node_prop_sums(KtView *view, KtToken key, const KtIdList *list, uint32_t n,
                           int64_t *sum, bool *done)
{
    ENTER_AND(view, false, prop_sums(view, key, list, n, sum, done));
}

KtStatus kt_rel_props(KtView *view, KtToken key, KtIds ids, KtArena *arena, KtColumn *out)
{
    ENTER_AND(view, false, props(view, KT_REL, key, ids, arena, out));
}

static KtStatus look(void *view) { return kt_view_enter(view, false); }

static KtStatus one_record(KtView *view, KtKind kind, uint64_t id, KtArena *arena,
                           KtKeyClock *clock, KtValue *out)
{
    KtState state;
    KT_TRY(kt_read_state(view, kind, id, kt_view_mark(view), true, arena, &state));
    uint32_t n = state.props;
    KtMapEntry *entry = kt_arena_alloc(arena, n * sizeof *entry);
    KtText *key = kt_arena_alloc(view->scratch, n * sizeof *key);
    uint32_t *order = kt_arena_alloc(view->scratch, 2 * (size_t)n * sizeof *order);
    if (!entry || !key || !order)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        key[i] = kt_store_name_text(view->db->store, KT_NAME_KEY, state.prop[i].key);
    KT_TRY(kt_keys_sort((KtKeys){key, sizeof *key, n}, order, order + n, clock));
    for (uint32_t i = 0; i < n; i++)
        entry[i] = (KtMapEntry){key[order[i]], state.prop[order[i]].value};
    *out = kt_map(entry, n);
    return kt_key_clock(clock, n);
}

static KtStatus records(KtView *view, KtKind kind, KtIds ids, KtArena *arena, KtValue *out)
{
    KtAsk *ask;
    KT_TRY(kt_ask(view, ids, &ask));
    for (uint32_t i = 0; i < ids.n; i++)
        out[kt_ids_row(&ids, i)] = kt_map(NULL, 0);
    KtKeyClock clock = {.look = look, .user = view};
    KT_TRY(kt_read_warm(view, kind, ask));
    for (uint32_t i = 0; i < ask->n; i++)
        KT_TRY(one_record(view, kind, ask->id[i], arena, &clock, &out[ask->row[i]]));
    return KT_OK;
}

KtStatus kt_records(KtView *view, KtKind kind, KtIds ids, KtArena *arena, KtValue *out)
{
    ENTER_AND(view, false, records(view, kind, ids, arena, out));
}

static KtStatus rel_ends(KtView *view, KtIds rels, KtRelRef *out, uint64_t *found)
{
    KtAsk *ask;
    KT_TRY(kt_ask(view, rels, &ask));
    KtRelRef *ref = kt_arena_alloc(view->scratch, ask->n * sizeof *ref);
    bool *yes = kt_arena_alloc(view->scratch, ask->n);
    if (!ref || !yes)
        return KT_ERR_MEMORY;
    KT_TRY(kt_read_rels(view, ask->id, ask->n, kt_view_mark(view), ref, yes));
    clear_rows(rels, found);
    for (uint32_t i = 0; i < ask->n; i++) {
        if (!yes[i])
            continue;
        kt_bit_set(found, ask->row[i]);
        out[ask->row[i]] = ref[i];
    }
    return KT_OK;
}

KtStatus kt_rel_ends(KtView *view, KtIds rels, KtRelRef *out, uint64_t *found)
{
    ENTER_AND(view, false, rel_ends(view, rels, out, found));
}

/* ---- scans and indexes ---- */

KtStatus kt_scan_open(KtView *view, const KtScanSpec *spec, KtArena *arena, KtScan **out)
{
    ENTER_AND(view, false, kt_scan_open_at(view, spec, arena, out));
}

KtStatus kt_scan_next(KtScan *scan, void *ids, uint32_t cap, uint32_t *n)
{
    ENTER_AND(kt_scan_view(scan), false, kt_scan_next_at(scan, ids, cap, n));
}

KtStatus kt_seek_many(KtView *view, uint32_t index, const KtColumn *keys, uint32_t n,
                      KtArena *arena, KtPairs *out)
{
    ENTER_AND(view, false, kt_seek_many_at(view, index, keys, n, arena, out));
}

/* ---- writes ---- */

KtStatus kt_add_nodes(KtView *view, uint32_t n, const KtToken *label, uint32_t n_labels,
                      const KtProps *node_props, KtNodeId *out)
{
    ENTER_AND(view, true, kt_add_nodes_at(view, n, label, n_labels, node_props, out));
}

KtStatus kt_add_rels(KtView *view, uint32_t n, KtToken type, const KtNodeId *start,
                     const KtNodeId *end, const KtProps *rel_props, KtRelId *out)
{
    ENTER_AND(view, true, kt_add_rels_at(view, n, type, start, end, rel_props, out));
}

KtStatus kt_set_props(KtView *view, KtKind kind, KtIds ids, KtToken key, const KtColumn *values)
{
    ENTER_AND(view, true, kt_set_props_at(view, kind, ids, key, values));
}

KtStatus kt_set_labels(KtView *view, KtIds ids, KtToken label, bool present)
{
    ENTER_AND(view, true, kt_set_labels_at(view, ids, label, present));
}

KtStatus kt_del_rels(KtView *view, KtIds ids) { ENTER_AND(view, true, kt_del_rels_at(view, ids)); }

KtStatus kt_del_nodes(KtView *view, KtIds ids, bool detach)
{
    ENTER_AND(view, true, kt_del_nodes_at(view, ids, detach));
}

KtStatus kt_statement_end(KtView *view, KtDiag *diag)
{
    ENTER_AND(view, false, kt_statement_end_at(view, diag));
}
