/* storage/index.c - reading an index at a mark: points and ranges.
 *
 * The snapshot's entries are right for every node that the view has not touched; a touched node is judged by its
 * state. Nodes that gained an entry in the view are found through the overlay's POINT and INDEX chains, which may
 * name too many: they are judged too. Strings over 200 bytes are equal only if their records say so.
 * An index holds booleans, numbers and strings; a key of another kind is answered by walking the label. */
#include "storage/graph_internal.h"

#include "base/value_cmp.h"
#include "storage/index_key.h"

#include <stdlib.h>

enum { LONG_TEXT = 200, NODE_BYTES = 8 };

static bool is_long(KtValue v) { return v.kind == KT_TEXT && v.len > LONG_TEXT; }

static bool touched(const KtView *view, KtNodeId node, KtMark mark)
{
    return view->overlay.n && kt_chain_first(&view->overlay, KT_CHAIN_NODE, node, mark) != 0;
}

/* The value that `node` has for the index; null: it has no entry. */
static KtStatus current_value(KtView *view, const KtIndexFacts *index, KtNodeId node, KtMark mark, KtArena *arena,
                              KtValue *out)
{
    bool has;
    KT_TRY(kt_read_label(view, index->label, &node, 1, mark, &has));
    *out = kt_null();
    return has ? kt_read_prop(view, KT_NODE, index->key, &node, 1, mark, arena, out) : KT_OK;
}

/* ---- points ---- */

static KtStatus found_add(KtArena *arena, KtFound *found, KtNodeId node)
{
    uint32_t at = found->n;
    while (at > 0 && found->node[at - 1] > node)
        at--;
    if (at > 0 && found->node[at - 1] == node)
        return KT_OK;
    void *items = found->node;
    KT_TRY(kt_arena_grow(arena, &items, found->n, &found->cap, sizeof *found->node));
    found->node = items;
    memmove(&found->node[at + 1], &found->node[at], (found->n - at) * sizeof *found->node);
    found->node[at] = node;
    found->n++;
    return KT_OK;
}

static KtStatus add_if_equal(KtView *view, const KtIndexFacts *index, KtNodeId node, KtValue value, KtMark mark,
                             KtArena *arena, KtFound *out)
{
    KtValue current;
    KtArenaMark scratch = kt_arena_mark(view->scratch); /* `arena` may be the same: nothing of it comes between */
    KT_TRY(current_value(view, index, node, mark, view->scratch, &current));
    bool equal = kt_value_equal(current, value) == KT_TRUE;
    kt_arena_rewind(view->scratch, scratch);
    return equal ? found_add(arena, out, node) : KT_OK;
}

static KtStatus seek_snapshot(KtView *view, const KtIndexFacts *index, KtValue value, KtSpan prefix, KtMark mark,
                              KtArena *arena, KtFound *out)
{
    KtKvIter *iter;
    KT_TRY(kt_fetch_index_iter(view->fetch, &iter));
    KtKey all = kt_key_index_prefix(index->id); /* a value may be longer than a prefix of the door */
    KT_TRY(kt_kv_iter_prefix(iter, kt_key_span(&all), prefix));
    while (kt_kv_iter_valid(iter)) {
        KtSpan key = kt_kv_iter_key(iter);
        if (key.len < prefix.len || memcmp(key.at, prefix.at, prefix.len) != 0)
            break;
        if (key.len == prefix.len + NODE_BYTES) {
            KtNodeId node = kt_load_be64(key.at + prefix.len);
            if (is_long(value) || touched(view, node, mark))
                KT_TRY(add_if_equal(view, index, node, value, mark, arena, out));
            else
                KT_TRY(found_add(arena, out, node));
        }
        KT_TRY(kt_kv_iter_next(iter));
    }
    return KT_OK;
}

static KtStatus seek_own(KtView *view, const KtIndexFacts *index, KtValue value, KtSpan prefix, KtMark mark,
                         KtArena *arena, KtFound *out)
{
    const KtOverlay *o = &view->overlay;
    uint32_t at = o->n ? kt_chain_first(o, KT_CHAIN_POINT, kt_chain_point(prefix), mark) : 0;
    for (; at; at = kt_chain_older(o, at))
        KT_TRY(add_if_equal(view, index, kt_chain_change(o, at)->id, value, mark, arena, out));
    return KT_OK;
}

/* Every node of the label, one by one. */
static KtStatus seek_slowly(KtView *view, const KtIndexFacts *index, KtValue value, KtMark mark, KtArena *arena, KtFound *out)
{
    KtScanSpec spec = {.kind = KT_SCAN_LABEL, .what = index->label};
    KtScan *scan;
    uint32_t id[64], n = 0;
    KtMark see = view->see;
    view->see = mark;
    KtStatus status = kt_scan_open_at(view, &spec, view->scratch, &scan);
    view->see = see;
    KT_TRY(status);
    do {
        status = kt_scan_next_at(scan, id, KT_COUNT(id), &n);
        for (uint32_t i = 0; i < n && status == KT_OK; i++)
            status = add_if_equal(view, index, id[i], value, mark, arena, out);
    } while (n > 0 && status == KT_OK);
    kt_scan_close(scan);
    return status;
}

KtStatus kt_index_seek(KtView *view, const KtIndexFacts *index, KtValue value, KtMark mark, KtArena *arena, KtFound *out)
{
    if (kt_key_never_equal(value))
        return KT_OK;
    KtBuf prefix = {.budget = view->budget};
    KtStatus status;
    if (kt_index_key_prefix(&prefix, index->id, value)) {
        KtSpan span = kt_span(prefix.data, prefix.len);
        status = kt_buf_status(&prefix);
        if (status == KT_OK)
            status = seek_snapshot(view, index, value, span, mark, arena, out);
        if (status == KT_OK)
            status = seek_own(view, index, value, span, mark, arena, out);
    } else {
        status = kt_value_storable(value) == KT_OK ? seek_slowly(view, index, value, mark, arena, out) : KT_OK;
    }
    kt_buf_close(&prefix);
    return status;
}

KtStatus kt_seek_many_at(KtView *view, uint32_t index, const KtColumn *keys, uint32_t n, KtArena *arena, KtPairs *out)
{
    const KtIndexFacts *facts = kt_schema_index(kt_view_indexes(view), index);
    if (!facts)
        return kt_diag_set(view->diag, KT_ERR_NOT_FOUND, NULL, "There is no index with number %u.", index);
    uint32_t *row = NULL, row_cap = 0, id_cap = 0, count = 0;
    uint64_t *id = NULL;
    KtFound found = {0};
    for (uint32_t r = 0; r < n; r++) {
        found.n = 0;
        KT_TRY(kt_index_seek(view, facts, kt_col_value(keys, r), kt_view_mark(view), arena, &found));
        for (uint32_t i = 0; i < found.n; i++) {
            void *rows = row, *ids = id;
            KT_TRY(kt_arena_grow(arena, &rows, count, &row_cap, sizeof *row));
            KT_TRY(kt_arena_grow(arena, &ids, count, &id_cap, sizeof *id));
            row = rows;
            id = ids;
            row[count] = r;
            id[count++] = found.node[i];
        }
    }
    *out = (KtPairs){.n = count, .row = row, .id = id};
    return KT_OK;
}

/* ---- ranges ---- */

typedef struct Entry { /* of the overlay */
    KtSpan key;
    KtNodeId node;
} Entry;

struct KtIndexScan {
    KtView *view;
    const KtIndexFacts *index;
    KtMark mark;
    KtArena *arena;
    bool empty, check;   /* check: a bound is a long string, so that values decide and not keys */
    bool has_low, has_high, low_inclusive, high_inclusive;
    KtValue low, high;
    uint8_t *from, *to;  /* of keys: from <= key < to; `from` moves along */
    uint32_t from_len, to_len, from_cap;
    KtKvIter *iter;
    bool ended;
    Entry *own;
    uint32_t owns, own_at;
    KtScan *slow;        /* a bound that an index does not hold: the label, one by one */
};

static bool in_range(const KtIndexScan *s, KtValue value)
{
    int order;
    if (s->has_low && (!kt_value_compare(value, s->low, &order) || order == 2 || order < (s->low_inclusive ? 0 : 1)))
        return false;
    return !s->has_high ||
           (kt_value_compare(value, s->high, &order) && order != 2 && order <= (s->high_inclusive ? 0 : -1));
}

/* A bound as a key. `above`: behind all entries of the value. */
static void put_bound(KtBuf *out, uint32_t index, KtValue value, bool above)
{
    if (is_long(value)) { /* the prefix alone, closed by a byte above what follows it */
        KtValue head = kt_text(value.as.text, LONG_TEXT);
        (void)kt_index_key_prefix(out, index, head);
        out->len -= out->failed ? 0 : 2; /* its end, 00 00 */
        if (above)
            kt_buf_be16(out, 2);
        return;
    }
    (void)kt_index_key_prefix(out, index, value);
    if (above)
        kt_buf_be64(out, UINT64_MAX);
}

static KtStatus keep_key(KtArena *arena, const KtBuf *key, uint8_t **out, uint32_t *len)
{
    KT_TRY(kt_buf_status(key));
    char *copy = kt_arena_text(arena, (const char *)key->data, key->len);
    if (!copy)
        return KT_ERR_MEMORY;
    *out = (uint8_t *)copy;
    *len = (uint32_t)key->len;
    return KT_OK;
}

/* The byte of a value's class, as its key begins. */
static uint8_t class_of(KtValue value)
{
    KtBuf key = {0};
    uint8_t class_byte = 0;
    if (kt_key_put_index(&key, value) && !key.failed)
        class_byte = key.data[0];
    kt_buf_close(&key);
    return class_byte;
}

static KtStatus set_bounds(KtIndexScan *s)
{
    KtBuf key = {0};
    uint8_t low_class = s->has_low ? class_of(s->low) : 0, high_class = s->has_high ? class_of(s->high) : 0;
    if (s->has_low && s->has_high && low_class != high_class)
        s->empty = true;
    uint8_t only = s->has_low ? low_class : high_class; /* a comparison knows one class */
    if (s->has_low) {
        put_bound(&key, s->index->id, s->low, !s->low_inclusive && !is_long(s->low));
    } else {
        kt_buf_be32(&key, s->index->id);
        if (s->has_high)
            kt_buf_u8(&key, only);
    }
    KtStatus status = keep_key(s->arena, &key, &s->from, &s->from_len);
    kt_buf_clear(&key);
    if (s->has_high) {
        put_bound(&key, s->index->id, s->high, s->high_inclusive || is_long(s->high));
    } else if (s->has_low) {
        kt_buf_be32(&key, s->index->id);
        kt_buf_u8(&key, (uint8_t)(only + 1));
    } else {
        kt_buf_be32(&key, s->index->id + 1);
    }
    if (status == KT_OK)
        status = keep_key(s->arena, &key, &s->to, &s->to_len);
    kt_buf_close(&key);
    return status;
}

static int key_order(KtSpan a, KtSpan b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.at, b.at, least) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_key(const void *a, const void *b) { return key_order(((const Entry *)a)->key, ((const Entry *)b)->key); }

/* Is this entry right for the node as the view sees it? */
static KtStatus entry_holds(KtIndexScan *s, KtNodeId node, KtSpan key, bool *out)
{
    KtView *view = s->view;
    KtValue value;
    KtArenaMark scratch = kt_arena_mark(view->scratch);
    KT_TRY(current_value(view, s->index, node, s->mark, view->scratch, &value));
    KtBuf now = {0};
    *out = !kt_is_null(value) && kt_index_key(&now, s->index->id, value, node) && now.len == key.len &&
           memcmp(now.data, key.at, key.len) == 0;
    KtStatus status = kt_buf_status(&now);
    kt_buf_close(&now);
    *out = *out && (!s->check || in_range(s, value));
    kt_arena_rewind(view->scratch, scratch);
    return status;
}

static KtStatus add_own(KtIndexScan *s, KtNodeId node, KtMap64 *seen, uint32_t *cap)
{
    KtView *view = s->view;
    uint64_t *slot;
    bool made;
    KT_TRY(kt_map64_put(seen, node, &slot, &made));
    if (!made)
        return KT_OK;
    KtValue value;
    KT_TRY(current_value(view, s->index, node, s->mark, view->scratch, &value));
    KtBuf key = {0};
    if (kt_is_null(value) || !kt_index_key(&key, s->index->id, value, node)) {
        kt_buf_close(&key);
        return KT_OK;
    }
    KtSpan span = kt_span(key.data, key.len);
    KtKvValue there = {0};
    KtStatus status = kt_buf_status(&key);
    bool inside = status == KT_OK && key_order(span, kt_span(s->from, s->from_len)) >= 0 &&
                  key_order(span, kt_span(s->to, s->to_len)) < 0;
    inside = inside && (!s->check || in_range(s, value));
    if (inside && status == KT_OK) /* if the snapshot has it, it comes from there */
        status = kt_kv_get(view->db->store->kv, view->at->snapshot, KT_FAMILY_INDEX, span, &there);
    inside = inside && status == KT_OK && !there.bytes.at;
    kt_kv_release(&there);
    if (inside) {
        Entry entry = {.node = node};
        uint8_t *copy;
        uint32_t len;
        void *items = s->own;
        status = keep_key(s->arena, &key, &copy, &len);
        if (status == KT_OK)
            status = kt_arena_grow(s->arena, &items, s->owns, cap, sizeof entry);
        if (status == KT_OK) {
            s->own = items;
            entry.key = kt_span(copy, len);
            s->own[s->owns++] = entry;
        }
    }
    kt_buf_close(&key);
    return status;
}

static KtStatus gather_own(KtIndexScan *s)
{
    const KtOverlay *o = &s->view->overlay;
    if (o->n == 0)
        return KT_OK;
    KtMap64 seen = {.budget = s->view->budget};
    KtStatus status = KT_OK;
    uint32_t cap = 0;
    for (uint32_t at = kt_chain_first(o, KT_CHAIN_INDEX, s->index->id, s->mark); at && status == KT_OK;
         at = kt_chain_older(o, at))
        status = add_own(s, kt_chain_change(o, at)->id, &seen, &cap);
    kt_map64_close(&seen);
    if (s->owns > 1)
        qsort(s->own, s->owns, sizeof *s->own, by_key);
    return status;
}

static KtStatus copy_range(KtIndexScan *s, const KtRange *range, bool *slow)
{
    s->has_low = range && range->low;
    s->has_high = range && range->high;
    *slow = false;
    if (s->has_low) {
        KT_TRY(kt_value_copy(s->arena, *range->low, &s->low));
        s->low_inclusive = range->low_inclusive;
        s->empty = s->empty || kt_key_never_equal(s->low);
        s->check = s->check || is_long(s->low);
        *slow = *slow || class_of(s->low) == 0;
    }
    if (s->has_high) {
        KT_TRY(kt_value_copy(s->arena, *range->high, &s->high));
        s->high_inclusive = range->high_inclusive;
        s->empty = s->empty || kt_key_never_equal(s->high);
        s->check = s->check || is_long(s->high);
        *slow = *slow || class_of(s->high) == 0;
    }
    return KT_OK;
}

KtStatus kt_index_scan_open(KtView *view, const KtIndexFacts *index, const KtRange *range, KtMark mark, KtArena *arena,
                            KtIndexScan **out)
{
    KtIndexScan *s = kt_arena_zero(arena, 1, sizeof *s);
    if (!s)
        return KT_ERR_MEMORY;
    s->view = view;
    s->index = index;
    s->mark = mark;
    s->arena = arena;
    bool slow;
    KT_TRY(copy_range(s, range, &slow));
    if (!s->empty && slow) {
        KtScanSpec spec = {.kind = KT_SCAN_LABEL, .what = index->label};
        KT_TRY(kt_scan_open_at(view, &spec, arena, &s->slow));
    } else if (!s->empty) {
        KT_TRY(set_bounds(s));
        if (!s->empty)
            KT_TRY(gather_own(s));
    }
    *out = s;
    return KT_OK;
}

void kt_index_scan_park(KtIndexScan *s)
{
    kt_kv_iter_close(s->iter);
    s->iter = NULL;
    if (s->slow)
        kt_scan_park(s->slow);
}

void kt_index_scan_close(KtIndexScan *s) { kt_index_scan_park(s); }

/* Remembers that everything up to `key` is done. */
static KtStatus move_from(KtIndexScan *s, KtSpan key)
{
    if (key.len + 1 > s->from_cap) {
        uint32_t cap = (uint32_t)(key.len + 1) * 2;
        s->from = kt_arena_alloc(s->arena, cap);
        if (!s->from) {
            s->from_cap = 0;
            return KT_ERR_MEMORY;
        }
        s->from_cap = cap;
    }
    memcpy(s->from, key.at, key.len);
    s->from[key.len] = 0;
    s->from_len = (uint32_t)key.len + 1;
    return KT_OK;
}

/* The snapshot's next entry; *there is false behind the last. */
static KtStatus peek(KtIndexScan *s, KtSpan *key, bool *there)
{
    *there = false;
    if (s->ended)
        return KT_OK;
    if (!s->iter) {
        KT_TRY(kt_kv_iter_open(s->view->db->store->kv, s->view->at->snapshot, KT_FAMILY_INDEX, KT_KV_TOTAL_ORDER, &s->iter));
        KtKey prefix = kt_key_index_prefix(s->index->id);
        KT_TRY(kt_kv_iter_prefix(s->iter, kt_key_span(&prefix), kt_span(s->from, s->from_len)));
    }
    if (!kt_kv_iter_valid(s->iter) || key_order(kt_kv_iter_key(s->iter), kt_span(s->to, s->to_len)) >= 0) {
        s->ended = true;
        return KT_OK;
    }
    *key = kt_kv_iter_key(s->iter);
    *there = true;
    return KT_OK;
}

static KtStatus next_slow(KtIndexScan *s, uint32_t *ids, uint32_t cap, uint32_t *n)
{
    uint32_t made = 0, got = 1;
    while (made == 0 && got > 0) {
        KT_TRY(kt_scan_next_at(s->slow, ids, cap, &got));
        for (uint32_t i = 0; i < got; i++) {
            KtNodeId node = ids[i];
            KtValue value;
            KtArenaMark scratch = kt_arena_mark(s->view->scratch);
            KT_TRY(kt_read_prop(s->view, KT_NODE, s->index->key, &node, 1, s->mark, s->view->scratch, &value));
            bool inside = !kt_is_null(value) && in_range(s, value);
            kt_arena_rewind(s->view->scratch, scratch);
            if (inside)
                ids[made++] = (uint32_t)node;
        }
    }
    *n = made;
    return KT_OK;
}

KtStatus kt_index_scan_next(KtIndexScan *s, uint32_t *ids, uint32_t cap, uint32_t *n)
{
    *n = 0;
    if (s->empty)
        return KT_OK;
    if (s->slow)
        return next_slow(s, ids, cap, n);
    uint32_t made = 0;
    while (made < cap) {
        KtSpan key;
        bool there;
        KT_TRY(peek(s, &key, &there));
        if (s->own_at < s->owns && (!there || key_order(s->own[s->own_at].key, key) < 0)) {
            ids[made++] = (uint32_t)s->own[s->own_at++].node;
            continue;
        }
        if (!there)
            break;
        uint32_t index;
        KtNodeId node;
        if (!kt_index_key_parse(key, &index, &node))
            return kt_diag_set(s->view->diag, KT_ERR_CORRUPTION, NULL, "An entry of an index is damaged on disk.");
        bool holds = true;
        if (s->check || touched(s->view, node, s->mark))
            KT_TRY(entry_holds(s, node, key, &holds));
        if (holds)
            ids[made++] = (uint32_t)node;
        KT_TRY(move_from(s, key));
        KT_TRY(kt_kv_iter_next(s->iter));
    }
    *n = made;
    return KT_OK;
}
