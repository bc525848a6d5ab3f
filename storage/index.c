/* storage/index.c - reading an index at a mark: points. Ranges are index_scan.c's.
 *
 * The snapshot's entries are right for every node that the view has not touched; a touched node is judged by its
 * state. Nodes that gained an entry in the view are found through the overlay's POINT and INDEX chains, which may
 * name too many: they are judged too. Strings over 200 bytes are equal only if their records say so.
 * An index holds booleans, numbers and strings; a key of another kind is answered by walking the label. */
#include "storage/graph_internal.h"

#include "base/value_cmp.h"
#include "storage/index_key.h"

#include <stdlib.h>

enum { NODE_BYTES = 8 };

KtStatus kt_index_value(KtView *view, const KtIndexFacts *index, KtNodeId node, KtMark mark,
                        KtArena *arena, KtValue *out)
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

static KtStatus add_if_equal(KtView *view, const KtIndexFacts *index, KtNodeId node, KtValue value,
                             KtMark mark, KtArena *arena, KtFound *out)
{
    KtValue current;
    KtArenaMark scratch =
        kt_arena_mark(view->scratch); /* `arena` may be the same: nothing of it comes between */
    KT_TRY(kt_index_value(view, index, node, mark, view->scratch, &current));
    bool equal = kt_value_equal(current, value) == KT_TRUE;
    kt_arena_rewind(view->scratch, scratch);
    return equal ? found_add(arena, out, node) : KT_OK;
}

static KtStatus seek_snapshot(KtView *view, const KtIndexFacts *index, KtValue value, KtSpan prefix,
                              KtMark mark, KtArena *arena, KtFound *out)
{
    KtKvIter *iter;
    KT_TRY(kt_fetch_index_iter(view->fetch, &iter));
    KtKey all =
        kt_key_index_prefix(index->id); /* a value may be longer than a prefix of the door */
    KT_TRY(kt_kv_iter_prefix(iter, kt_key_span(&all), prefix));
    while (kt_kv_iter_valid(iter)) {
        KtSpan key = kt_kv_iter_key(iter);
        if (key.len < prefix.len || memcmp(key.at, prefix.at, prefix.len) != 0)
            break;
        if (key.len == prefix.len + NODE_BYTES) {
            KtNodeId node = kt_load_be64(key.at + prefix.len);
            if (kt_index_is_long(value) || kt_index_touched(view, node, mark))
                KT_TRY(add_if_equal(view, index, node, value, mark, arena, out));
            else
                KT_TRY(found_add(arena, out, node));
        }
        KT_TRY(kt_kv_iter_next(iter));
    }
    return KT_OK;
}

static KtStatus seek_own(KtView *view, const KtIndexFacts *index, KtValue value, KtSpan prefix,
                         KtMark mark, KtArena *arena, KtFound *out)
{
    const KtOverlay *o = &view->overlay;
    uint32_t at = o->n ? kt_chain_first(o, KT_CHAIN_POINT, kt_chain_point(prefix), mark) : 0;
    for (; at; at = kt_chain_older(o, at))
        KT_TRY(add_if_equal(view, index, kt_chain_change(o, at)->id, value, mark, arena, out));
    return KT_OK;
}

/* Every node of the label, one by one. */
static KtStatus seek_slowly(KtView *view, const KtIndexFacts *index, KtValue value, KtMark mark,
                            KtArena *arena, KtFound *out)
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

KtStatus kt_index_seek(KtView *view, const KtIndexFacts *index, KtValue value, KtMark mark,
                       KtArena *arena, KtFound *out)
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
        status = kt_value_storable(value) == KT_OK
                     ? seek_slowly(view, index, value, mark, arena, out)
                     : KT_OK;
    }
    kt_buf_close(&prefix);
    return status;
}

KtStatus kt_seek_many_at(KtView *view, uint32_t index, const KtColumn *keys, uint32_t n,
                         KtArena *arena, KtPairs *out)
{
    const KtIndexFacts *facts = kt_schema_index(kt_view_indexes(view), index);
    if (!facts)
        return kt_diag_set(view->diag, KT_ERR_NOT_FOUND, NULL, "There is no index with number %u.",
                           index);
    uint32_t *row = NULL, row_cap = 0, id_cap = 0, count = 0;
    uint64_t *id = NULL;
    KtFound found = {0};
    for (uint32_t r = 0; r < n; r++) {
        found.n = 0;
        KT_TRY(
            kt_index_seek(view, facts, kt_col_value(keys, r), kt_view_mark(view), arena, &found));
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
