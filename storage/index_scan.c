/* storage/index_scan.c - a range of an index at a mark, by value and node.
 *
 * The snapshot's entries and those that the view's own changes make are merged by key. An entry of a node that the view
 * has touched is judged by the node's state. Strings over KT_INDEX_LONG bytes with one beginning have keys in no order:
 * they are gathered and sorted by their records; and where a bound is such a string, values decide and not keys.
 * A bound of a kind that an index does not hold is answered by walking the label, by id. */
#include "storage/graph_internal.h"

#include "base/value_cmp.h"
#include "storage/index_key.h"

#include <stdlib.h>

typedef struct Entry { /* of the overlay */
    KtSpan key;
    KtNodeId node;
} Entry;

typedef struct Held { /* of strings with one beginning */
    KtValue value;
    KtNodeId node;
} Held;

struct KtIndexScan {
    KtView *view;
    const KtIndexFacts *index;
    KtMark mark;
    KtArena *arena;
    bool empty, check; /* check: a bound is a long string, so that values decide and not keys */
    bool has_low, has_high, low_inclusive, high_inclusive;
    KtValue low, high;
    uint8_t *from, *to; /* of keys: from <= key < to; `from` moves along */
    uint32_t from_len, to_len, from_cap;
    KtKvIter *iter;
    bool ended;
    Entry *own;
    uint32_t owns, own_at;
    Held *held; /* in order of value, to be handed out before anything else */
    uint32_t helds, held_at, held_cap;
    KtScan *slow; /* a bound that an index does not hold: the label, one by one */
};

static bool in_range(const KtIndexScan *s, KtValue value)
{
    int order;
    if (s->has_low && (!kt_value_compare(value, s->low, &order) || order == 2 ||
                       order < (s->low_inclusive ? 0 : 1)))
        return false;
    return !s->has_high || (kt_value_compare(value, s->high, &order) && order != 2 &&
                            order <= (s->high_inclusive ? 0 : -1));
}

/* A bound as a key. `above`: behind all entries of the value. */
static void put_bound(KtBuf *out, uint32_t index, KtValue value, bool above)
{
    if (kt_index_is_long(value)) { /* the prefix alone, closed by a byte above what follows it */
        KtValue head = kt_text(value.as.text, KT_INDEX_LONG);
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
    uint8_t low_class = s->has_low ? class_of(s->low) : 0,
            high_class = s->has_high ? class_of(s->high) : 0;
    if (s->has_low && s->has_high && low_class != high_class)
        s->empty = true;
    uint8_t only = s->has_low ? low_class : high_class; /* a comparison knows one class */
    if (s->has_low) {
        put_bound(&key, s->index->id, s->low, !s->low_inclusive && !kt_index_is_long(s->low));
    } else {
        kt_buf_be32(&key, s->index->id);
        if (s->has_high)
            kt_buf_u8(&key, only);
    }
    KtStatus status = keep_key(s->arena, &key, &s->from, &s->from_len);
    kt_buf_clear(&key);
    if (s->has_high) {
        put_bound(&key, s->index->id, s->high, s->high_inclusive || kt_index_is_long(s->high));
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

static int by_key(const void *a, const void *b)
{
    return key_order(((const Entry *)a)->key, ((const Entry *)b)->key);
}

/* Is this entry right for the node as the view sees it? */
static KtStatus entry_holds(KtIndexScan *s, KtNodeId node, KtSpan key, bool *out)
{
    KtView *view = s->view;
    KtValue value;
    KtArenaMark scratch = kt_arena_mark(view->scratch);
    KT_TRY(kt_index_value(view, s->index, node, s->mark, view->scratch, &value));
    KtBuf now = {0};
    *out = !kt_is_null(value) && kt_index_key(&now, s->index->id, value, node) &&
           now.len == key.len && memcmp(now.data, key.at, key.len) == 0;
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
    KT_TRY(kt_index_value(view, s->index, node, s->mark, view->scratch, &value));
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
    for (uint32_t at = kt_chain_first(o, KT_CHAIN_INDEX, s->index->id, s->mark);
         at && status == KT_OK; at = kt_chain_older(o, at))
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
        s->check = s->check || kt_index_is_long(s->low);
        *slow = *slow || class_of(s->low) == 0;
    }
    if (s->has_high) {
        KT_TRY(kt_value_copy(s->arena, *range->high, &s->high));
        s->high_inclusive = range->high_inclusive;
        s->empty = s->empty || kt_key_never_equal(s->high);
        s->check = s->check || kt_index_is_long(s->high);
        *slow = *slow || class_of(s->high) == 0;
    }
    return KT_OK;
}

KtStatus kt_index_scan_open(KtView *view, const KtIndexFacts *index, const KtRange *range,
                            KtMark mark, KtArena *arena, KtIndexScan **out)
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
        KT_TRY(kt_kv_iter_open(s->view->db->store->kv, s->view->at->snapshot, KT_FAMILY_INDEX,
                               KT_KV_TOTAL_ORDER, &s->iter));
        KtKey prefix = kt_key_index_prefix(s->index->id);
        KT_TRY(kt_kv_iter_prefix(s->iter, kt_key_span(&prefix), kt_span(s->from, s->from_len)));
    }
    if (!kt_kv_iter_valid(s->iter) ||
        key_order(kt_kv_iter_key(s->iter), kt_span(s->to, s->to_len)) >= 0) {
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
            KT_TRY(kt_read_prop(s->view, KT_NODE, s->index->key, &node, 1, s->mark,
                                s->view->scratch, &value));
            bool inside = !kt_is_null(value) && in_range(s, value);
            kt_arena_rewind(s->view->scratch, scratch);
            if (inside)
                ids[made++] = (uint32_t)node;
        }
    }
    *n = made;
    return KT_OK;
}

/* ---- long strings: their keys are in order among beginnings only ---- */

enum { LONG_TAIL = 2 + 16 + 8 }; /* 00 01, digest, node */

/* The bytes of a key before the mark of a long string, or 0. In no other key do 00 01 stand at that place. */
static size_t long_prefix(KtSpan key)
{
    if (key.len < 4 + 1 + KT_INDEX_LONG + LONG_TAIL)
        return 0;
    size_t at = key.len - LONG_TAIL;
    return key.at[at] == 0 && key.at[at + 1] == 1 ? at : 0;
}

static bool has_prefix(KtSpan key, KtSpan prefix)
{
    return long_prefix(key) == prefix.len && memcmp(key.at, prefix.at, prefix.len) == 0;
}

static int by_held(const void *a, const void *b)
{
    const Held *x = a, *y = b;
    int order = kt_value_order(x->value, y->value);
    return order ? order : (x->node > y->node) - (x->node < y->node);
}

static KtStatus hold(KtIndexScan *s, KtNodeId node)
{
    void *items = s->held;
    KT_TRY(kt_arena_grow(s->arena, &items, s->helds, &s->held_cap, sizeof *s->held));
    s->held = items;
    s->held[s->helds] = (Held){.node = node};
    KT_TRY(kt_index_value(s->view, s->index, node, s->mark, s->arena, &s->held[s->helds].value));
    s->helds++;
    return KT_OK;
}

/* The snapshot's entry at hand: is it to be handed out? Moves behind it. */
static KtStatus take(KtIndexScan *s, KtSpan key, KtNodeId *node, bool *holds)
{
    uint32_t index;
    if (!kt_index_key_parse(key, &index, node))
        return kt_diag_set(s->view->diag, KT_ERR_CORRUPTION, NULL,
                           "An entry of an index is damaged on disk.");
    *holds = true;
    if (s->check || kt_index_touched(s->view, *node, s->mark))
        KT_TRY(entry_holds(s, *node, key, holds));
    KT_TRY(move_from(s, key));
    return kt_kv_iter_next(s->iter);
}

/* All entries, own ones too, of the strings that begin like `first`. */
static KtStatus hold_alike(KtIndexScan *s, KtSpan first)
{
    char *copy = kt_arena_text(s->arena, (const char *)first.at, long_prefix(first));
    if (!copy)
        return KT_ERR_MEMORY;
    KtSpan prefix = kt_span(copy, long_prefix(first));
    s->helds = s->held_at = 0;
    for (;;) {
        KtSpan key;
        bool there, holds;
        KtNodeId node;
        KT_TRY(peek(s, &key, &there));
        if (!there || !has_prefix(key, prefix))
            break;
        KT_TRY(take(s, key, &node, &holds));
        if (holds)
            KT_TRY(hold(s, node));
    }
    for (; s->own_at < s->owns && has_prefix(s->own[s->own_at].key, prefix); s->own_at++)
        KT_TRY(hold(s, s->own[s->own_at].node));
    if (s->helds > 1)
        qsort(s->held, s->helds, sizeof *s->held, by_held);
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
        if (s->held_at < s->helds) {
            ids[made++] = (uint32_t)s->held[s->held_at++].node;
            continue;
        }
        KtSpan key = {0};
        bool there, holds;
        KT_TRY(peek(s, &key, &there));
        bool own = s->own_at < s->owns && (!there || key_order(s->own[s->own_at].key, key) < 0);
        if (!own && !there)
            break;
        if (long_prefix(own ? s->own[s->own_at].key : key)) {
            KT_TRY(hold_alike(s, own ? s->own[s->own_at].key : key));
            continue;
        }
        if (own) {
            ids[made++] = (uint32_t)s->own[s->own_at++].node;
            continue;
        }
        KtNodeId node;
        KT_TRY(take(s, key, &node, &holds));
        if (holds)
            ids[made++] = (uint32_t)node;
    }
    *n = made;
    return KT_OK;
}
