/* query/exec/rows.c - chunks of typed columns. */
#include "query/exec/rows.h"

#include <string.h>

enum { CHUNK_SHIFT = 8, CHUNK = 1 << CHUNK_SHIFT, CHUNK_MASK = CHUNK - 1 };

typedef struct Col {
    KtSlot slot;
    KtColKind kind;
    bool typed;       /* kind is known */
    uint8_t **data;   /* by chunk */
    uint64_t **nulls; /* by chunk; an entry NULL: none */
} Col;

struct KtRows {
    KtArena *arena;
    KtArenaMark empty; /* where rows begin */
    uint32_t cols, count, chunks, chunk_cap;
    Col *col;
    uint32_t **tag; /* by chunk; NULL: no tags */
    bool tags;
};

/* Relationships are stored whole; everything else as in a column. */
static size_t stored_size(KtColKind kind)
{
    return kind == KT_COL_REL ? sizeof(KtRelRef) : kt_col_size(kind, 4);
}

KtStatus kt_rows_open(KtBudget *budget, const KtSlot *slot, uint32_t slots, bool tags, KtRows **out)
{
    KtArena *arena;
    KT_TRY(kt_arena_open(budget, &arena));
    KtRows *rows = kt_arena_zero(arena, 1, sizeof *rows);
    Col *col = kt_arena_zero(arena, (size_t)slots + 1, sizeof *col);
    if (!rows || !col) {
        kt_arena_close(arena);
        return KT_ERR_MEMORY;
    }
    rows->arena = arena;
    rows->col = col;
    rows->tags = tags;
    for (uint32_t i = 0; i < slots; i++) {
        bool twice = false;
        for (uint32_t k = 0; k < rows->cols; k++)
            twice = twice || col[k].slot == slot[i];
        if (!twice)
            col[rows->cols++].slot = slot[i];
    }
    rows->empty = kt_arena_mark(arena);
    *out = rows;
    return KT_OK;
}

void kt_rows_close(KtRows *rows)
{
    if (rows)
        kt_arena_close(rows->arena);
}

void kt_rows_clear(KtRows *rows)
{
    kt_arena_rewind(rows->arena, rows->empty);
    rows->count = rows->chunks = rows->chunk_cap = 0;
    rows->tag = NULL;
    for (uint32_t i = 0; i < rows->cols; i++)
        rows->col[i] = (Col){.slot = rows->col[i].slot};
}

uint32_t kt_rows_count(const KtRows *rows) { return rows->count; }

uint32_t kt_rows_tag(const KtRows *rows, uint32_t row)
{
    return rows->tag[row >> CHUNK_SHIFT][row & CHUNK_MASK];
}

static KtStatus grow_pointers(KtRows *rows, void *array, uint32_t cap)
{
    void **old;
    memcpy(&old, array, sizeof old);
    void **more = kt_arena_alloc(rows->arena, (size_t)cap * sizeof *more);
    if (!more)
        return KT_ERR_MEMORY;
    if (rows->chunks)
        memcpy(more, old, (size_t)rows->chunks * sizeof *more);
    memcpy(array, &more, sizeof more);
    return KT_OK;
}

static KtStatus add_chunk(KtRows *rows)
{
    if (rows->chunks == rows->chunk_cap) {
        uint32_t cap = rows->chunk_cap ? rows->chunk_cap * 2 : 4;
        for (uint32_t c = 0; c < rows->cols; c++) {
            KT_TRY(grow_pointers(rows, &rows->col[c].data, cap));
            KT_TRY(grow_pointers(rows, &rows->col[c].nulls, cap));
        }
        if (rows->tags)
            KT_TRY(grow_pointers(rows, &rows->tag, cap));
        rows->chunk_cap = cap;
    }
    for (uint32_t c = 0; c < rows->cols; c++) {
        Col *col = &rows->col[c];
        col->nulls[rows->chunks] = NULL;
        col->data[rows->chunks] = NULL;
        if (!col->typed)
            continue;
        col->data[rows->chunks] = kt_arena_alloc(rows->arena, CHUNK * stored_size(col->kind));
        if (!col->data[rows->chunks])
            return KT_ERR_MEMORY;
    }
    if (rows->tags) {
        rows->tag[rows->chunks] = kt_arena_alloc(rows->arena, CHUNK * sizeof(uint32_t));
        if (!rows->tag[rows->chunks])
            return KT_ERR_MEMORY;
    }
    rows->chunks++;
    return KT_OK;
}

static KtValue stored_value(const Col *col, uint32_t row)
{
    uint32_t chunk = row >> CHUNK_SHIFT, at = row & CHUNK_MASK;
    if (col->kind == KT_COL_REL) {
        const KtRelRef *rel = (const KtRelRef *)(const void *)col->data[chunk] + at;
        return rel->id == UINT64_MAX ? kt_null() : kt_rel(rel);
    }
    KtColumn part = {
        .kind = col->kind, .width = 4, .data = col->data[chunk], .nulls = col->nulls[chunk]};
    return kt_col_value(&part, at);
}

KtValue kt_rows_value(const KtRows *rows, uint32_t column, uint32_t row)
{
    return stored_value(&rows->col[column], row);
}

/* Gives the column its kind; one that had another becomes a column of values. */
static KtStatus settle_kind(KtRows *rows, Col *col, KtColKind kind)
{
    if (col->typed && (col->kind == kind || col->kind == KT_COL_VALUE))
        return KT_OK;
    if (!col->typed) {
        col->typed = true;
        col->kind = kind;
        for (uint32_t i = 0; i < rows->chunks; i++) {
            col->data[i] = kt_arena_alloc(rows->arena, CHUNK * stored_size(kind));
            if (!col->data[i])
                return KT_ERR_MEMORY;
        }
        return KT_OK;
    }
    for (uint32_t i = 0; i < rows->chunks; i++) {
        KtValue *value = kt_arena_alloc(rows->arena, CHUNK * sizeof *value);
        if (!value)
            return KT_ERR_MEMORY;
        uint32_t n = rows->count - i * CHUNK;
        if (i * CHUNK >= rows->count)
            n = 0;
        for (uint32_t k = 0; k < n && k < CHUNK; k++)
            value[k] = stored_value(col, i * CHUNK + k);
        /* The old chunk stays in the arena: relationships are still pointed to. */
        col->data[i] = (uint8_t *)value;
        col->nulls[i] = NULL;
    }
    col->kind = KT_COL_VALUE;
    return KT_OK;
}

static KtStatus set_null(KtRows *rows, Col *col, uint32_t to)
{
    uint32_t chunk = to >> CHUNK_SHIFT;
    if (!col->nulls[chunk]) {
        col->nulls[chunk] = kt_arena_zero(rows->arena, CHUNK / 64, sizeof(uint64_t));
        if (!col->nulls[chunk])
            return KT_ERR_MEMORY;
    }
    kt_bit_set(col->nulls[chunk], to & CHUNK_MASK);
    return KT_OK;
}

static KtStatus put_one(KtRows *rows, Col *col, const KtColumn *from, uint32_t row, uint32_t to)
{
    uint8_t *chunk = col->data[to >> CHUNK_SHIFT];
    uint32_t at = to & CHUNK_MASK;
    bool null = from->nulls && kt_bit(from->nulls, row);
    switch (col->kind) {
    case KT_COL_NODE:
        ((uint32_t *)(void *)chunk)[at] = null ? KT_NO_NODE : ((const uint32_t *)from->data)[row];
        return KT_OK;
    case KT_COL_REL: {
        const KtRelRef *rel = null ? NULL : ((const KtRelRef *const *)from->data)[row];
        ((KtRelRef *)(void *)chunk)[at] = rel ? *rel : (KtRelRef){.id = UINT64_MAX};
        return KT_OK;
    }
    case KT_COL_BOOL: chunk[at] = ((const uint8_t *)from->data)[row]; break;
    case KT_COL_INT: ((int64_t *)(void *)chunk)[at] = ((const int64_t *)from->data)[row]; break;
    case KT_COL_FLOAT: ((double *)(void *)chunk)[at] = ((const double *)from->data)[row]; break;
    case KT_COL_TEXT: {
        KtText text = null ? (KtText){"", 0} : ((const KtText *)from->data)[row];
        char *copy = kt_arena_text(rows->arena, text.at, text.len);
        if (!copy)
            return KT_ERR_MEMORY;
        ((KtText *)(void *)chunk)[at] = (KtText){copy, text.len};
        break;
    }
    case KT_COL_VALUE:
        return kt_value_copy(rows->arena, kt_col_value(from, row), &((KtValue *)(void *)chunk)[at]);
    }
    return null ? set_null(rows, col, to) : KT_OK;
}

/* The kinds that mass makes: plain words without nulls, copied in one loop. */
static bool put_plain(Col *col, const KtColumn *from, const uint16_t *row, uint32_t n, uint32_t to)
{
    if (from->nulls || from->constant || from->kind != col->kind)
        return false;
    size_t size = kt_col_size(col->kind, 4);
    if (col->kind != KT_COL_NODE && col->kind != KT_COL_INT && col->kind != KT_COL_FLOAT)
        return false;
    for (uint32_t i = 0; i < n;) {
        uint32_t at = (to + i) & CHUNK_MASK, part = CHUNK - at < n - i ? CHUNK - at : n - i;
        uint8_t *chunk = col->data[(to + i) >> CHUNK_SHIFT] + at * size;
        if (!row) {
            memcpy(chunk, (const uint8_t *)from->data + i * size, part * size);
        } else if (size == 4) {
            for (uint32_t k = 0; k < part; k++)
                ((uint32_t *)(void *)chunk)[k] = ((const uint32_t *)from->data)[row[i + k]];
        } else {
            for (uint32_t k = 0; k < part; k++)
                ((uint64_t *)(void *)chunk)[k] = ((const uint64_t *)from->data)[row[i + k]];
        }
        i += part;
    }
    return true;
}

KtStatus kt_rows_put(KtRows *rows, KtLevel *level, const uint16_t *row, uint32_t n,
                     const uint16_t *tag)
{
    if (n >= UINT32_MAX - 1 - rows->count)
        return KT_ERR_MEMORY;
    uint32_t to = rows->count;
    while ((uint64_t)rows->chunks * CHUNK < (uint64_t)to + n)
        KT_TRY(add_chunk(rows));
    for (uint32_t c = 0; c < rows->cols; c++) {
        Col *col = &rows->col[c];
        KtColumn from;
        KT_TRY(kt_level_column(level, col->slot, &from));
        if (n > 0)
            KT_TRY(settle_kind(rows, col, from.kind));
        if (put_plain(col, &from, row, n, to))
            continue;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t at = from.constant ? 0 : row ? row[i] : i;
            if (from.kind == col->kind || col->kind == KT_COL_VALUE)
                KT_TRY(put_one(rows, col, &from, at, to + i));
        }
    }
    if (rows->tags) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t at = row ? row[i] : i;
            rows->tag[(to + i) >> CHUNK_SHIFT][(to + i) & CHUNK_MASK] = tag ? tag[at] : at;
        }
    }
    rows->count = to + n;
    return KT_OK;
}

static KtStatus get_column(const Col *col, const uint32_t *row, uint32_t n, KtArena *arena,
                           KtColumn *out)
{
    KtColumn to;
    KT_TRY(kt_col_make(arena, col->kind, n, false, &to));
    switch (col->kind) {
    case KT_COL_NODE:
        for (uint32_t i = 0; i < n; i++)
            ((uint32_t *)to.data)[i] = ((const uint32_t *)(const void *)
                                            col->data[row[i] >> CHUNK_SHIFT])[row[i] & CHUNK_MASK];
        break;
    case KT_COL_REL:
        for (uint32_t i = 0; i < n; i++) {
            const KtRelRef *rel = (const KtRelRef *)(const void *)col->data[row[i] >> CHUNK_SHIFT] +
                                  (row[i] & CHUNK_MASK);
            ((const KtRelRef **)to.data)[i] = rel->id == UINT64_MAX ? NULL : rel;
        }
        break;
    case KT_COL_BOOL:
        for (uint32_t i = 0; i < n; i++)
            ((uint8_t *)to.data)[i] = col->data[row[i] >> CHUNK_SHIFT][row[i] & CHUNK_MASK];
        break;
    case KT_COL_INT:
    case KT_COL_FLOAT:
        for (uint32_t i = 0; i < n; i++)
            ((uint64_t *)to.data)[i] = ((const uint64_t *)(const void *)
                                            col->data[row[i] >> CHUNK_SHIFT])[row[i] & CHUNK_MASK];
        break;
    case KT_COL_TEXT:
        for (uint32_t i = 0; i < n; i++)
            ((KtText *)to.data)[i] = ((const KtText *)(const void *)
                                          col->data[row[i] >> CHUNK_SHIFT])[row[i] & CHUNK_MASK];
        break;
    case KT_COL_VALUE:
        for (uint32_t i = 0; i < n; i++)
            ((KtValue *)to.data)[i] = ((const KtValue *)(const void *)
                                           col->data[row[i] >> CHUNK_SHIFT])[row[i] & CHUNK_MASK];
        break;
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t *nulls = col->nulls[row[i] >> CHUNK_SHIFT];
        if (!nulls || !kt_bit(nulls, row[i] & CHUNK_MASK))
            continue;
        if (!to.nulls) {
            to.nulls = kt_arena_zero(arena, ((size_t)n + 63) / 64, sizeof(uint64_t));
            if (!to.nulls)
                return KT_ERR_MEMORY;
        }
        kt_bit_set(to.nulls, i);
    }
    *out = to;
    return KT_OK;
}

KtStatus kt_rows_get(const KtRows *rows, const uint32_t *row, uint32_t n, KtLevel *level)
{
    for (uint32_t c = 0; c < rows->cols; c++) {
        KtColumn out;
        KT_TRY(get_column(&rows->col[c], row, n, level->cols->scratch, &out));
        kt_level_set(level, rows->col[c].slot, out);
    }
    return KT_OK;
}
