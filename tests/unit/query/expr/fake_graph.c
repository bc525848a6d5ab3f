#include "tests/unit/query/expr/fake_graph.h"

#include <stdio.h>

enum { KNOWN = 100 };

static bool is_there(const KtView *view, uint64_t id)
{
    return id < KNOWN && id != view->deleted_node;
}

static KtStatus enter(KtView *view) { return view->cancelled ? KT_ERR_CANCELLED : KT_OK; }

bool kt_view_writes(const KtView *view) { return view->writes; }

KtStatus kt_exist(KtView *view, KtKind kind, KtIds ids, uint64_t *bits)
{
    for (uint32_t i = 0; i < ids.n; i++) {
        uint32_t row = kt_ids_row(&ids, i);
        uint64_t id = kt_ids_at(&ids, row);
        if (kind == KT_NODE ? is_there(view, id) : id < KNOWN)
            kt_bit_set(bits, row);
        else
            kt_bit_clear(bits, row);
    }
    return enter(view);
}

KtStatus kt_name_find(KtView *view, KtNameKind kind, KtText name, KtToken *out)
{
    static const char *const names[4][2] = {{"", ""}, {"A", "B"}, {"T", "U"}, {"num", "name"}};
    *out = 0;
    for (uint32_t i = 0; i < 2; i++) {
        if (name.len == strlen(names[kind][i]) && memcmp(name.at, names[kind][i], name.len) == 0)
            *out = i + 1;
    }
    return enter(view);
}

KtText kt_name_text(KtView *view, KtNameKind kind, KtToken token)
{
    (void)view;
    if (kind == KT_NAME_LABEL)
        return token == 1 ? KT_TEXT_LITERAL("A") : KT_TEXT_LITERAL("B");
    if (kind == KT_NAME_TYPE)
        return token == 1 ? KT_TEXT_LITERAL("T") : KT_TEXT_LITERAL("U");
    return token == 1 ? KT_TEXT_LITERAL("num") : KT_TEXT_LITERAL("name");
}

static bool has_label(uint64_t id, KtToken label) { return label == 1 ? id % 2 == 0 : id % 3 == 0; }

KtStatus kt_have_label(KtView *view, KtToken label, KtIds ids, uint64_t *bits)
{
    view->asked++;
    for (uint32_t i = 0; i < ids.n; i++) {
        uint32_t row = kt_ids_row(&ids, i);
        uint64_t id = kt_ids_at(&ids, row);
        if (is_there(view, id) && has_label(id, label))
            kt_bit_set(bits, row);
        else
            kt_bit_clear(bits, row);
    }
    return enter(view);
}

static uint32_t rows_of(KtIds ids) { return ids.n ? kt_ids_row(&ids, ids.n - 1) + 1 : 0; }

KtStatus kt_node_labels(KtView *view, KtIds ids, KtArena *arena, KtLists *out)
{
    view->asked++;
    uint32_t rows = rows_of(ids), n = 0;
    uint32_t *start = kt_arena_zero(arena, rows + 1, sizeof *start);
    KtToken *item = kt_arena_alloc(arena, (size_t)rows * 2 * sizeof *item);
    uint32_t next = 0;
    for (uint32_t row = 0; row < rows; row++) {
        start[row] = n;
        if (next < ids.n && kt_ids_row(&ids, next) == row) {
            uint64_t id = kt_ids_at(&ids, row);
            for (KtToken label = 1; label <= 2 && is_there(view, id); label++) {
                if (has_label(id, label))
                    item[n++] = label;
            }
            next++;
        }
    }
    start[rows] = n;
    *out = (KtLists){start, item};
    return enter(view);
}

static KtValue name_of(KtArena *arena, uint64_t id)
{
    char text[32];
    int n = snprintf(text, sizeof text, "n%llu", (unsigned long long)id);
    return kt_text(kt_arena_text(arena, text, (size_t)n), (size_t)n);
}

/* "num" comes as a typed column, "name" as values, so that both forms are met. */
KtStatus kt_node_props(KtView *view, KtToken key, KtIds ids, KtArena *arena, KtColumn *out)
{
    view->asked++;
    uint32_t rows = rows_of(ids);
    KT_TRY(kt_col_make(arena, key == 1 ? KT_COL_INT : KT_COL_VALUE, rows, key == 1, out));
    for (uint32_t i = 0; i < ids.n; i++) {
        uint32_t row = kt_ids_row(&ids, i);
        uint64_t id = kt_ids_at(&ids, row);
        if (key != 1)
            ((KtValue *)out->data)[row] =
                is_there(view, id) && id % 2 ? name_of(arena, id) : kt_null();
        else if (is_there(view, id))
            ((int64_t *)out->data)[row] = (int64_t)id;
        else
            kt_bit_set(out->nulls, row);
    }
    return enter(view);
}

KtStatus kt_rel_props(KtView *view, KtToken key, KtIds ids, KtArena *arena, KtColumn *out)
{
    view->asked++;
    KT_TRY(kt_col_make(arena, KT_COL_VALUE, rows_of(ids), false, out));
    for (uint32_t i = 0; i < ids.n; i++) {
        uint32_t row = kt_ids_row(&ids, i);
        uint64_t id = kt_ids_at(&ids, row);
        ((KtValue *)out->data)[row] =
            key == 1 && id < KNOWN ? kt_int(100 + (int64_t)id) : kt_null();
    }
    return enter(view);
}

KtStatus kt_records(KtView *view, KtKind kind, KtIds ids, KtArena *arena, KtValue *out)
{
    view->asked++;
    for (uint32_t i = 0; i < ids.n; i++) {
        uint32_t row = kt_ids_row(&ids, i), n = 0;
        uint64_t id = kt_ids_at(&ids, row);
        KtMapEntry *entry = kt_arena_alloc(arena, 2 * sizeof *entry);
        bool node = kind == KT_NODE;
        if (node && is_there(view, id) && id % 2)
            entry[n++] = (KtMapEntry){KT_TEXT_LITERAL("name"), name_of(arena, id)};
        if (node ? is_there(view, id) : id < KNOWN)
            entry[n++] =
                (KtMapEntry){KT_TEXT_LITERAL("num"), kt_int((int64_t)id + (node ? 0 : 100))};
        out[row] = kt_map(entry, n);
    }
    return enter(view);
}
