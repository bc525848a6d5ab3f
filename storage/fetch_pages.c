/* storage/fetch_pages.c - property columns and label members from the graph cache, filled from the store.
 *
 * A column is worth filling when an eighth of its rows was asked for; a page of members at the first miss. A view that
 * does not read the newest commit fills nothing: it goes to the records. */
#include "storage/fetch_internal.h"

#include "storage/key.h"
#include "storage/label.h"
#include "storage/record.h"

#include <stdlib.h>

/* ---- columns ---- */

static KtColKind kind_of(uint8_t kind)
{
    switch (kind) {
    case KT_INT: return KT_COL_INT;
    case KT_FLOAT: return KT_COL_FLOAT;
    case KT_BOOL: return KT_COL_BOOL;
    default: return KT_COL_VALUE;
    }
}

typedef struct Filling {
    int64_t value[KT_PAGE_ROWS];
    uint64_t null[KT_PAGE_ROWS / 64];
    KtColKind kind;
    uint32_t n; /* values that are not null */
    bool mixed;
} Filling;

static KtStatus fill_row(Filling *to, KtSpan bytes, KtToken key, uint32_t row, KtArena *arena)
{
    KtRecord record;
    KtRecordValue found;
    bool there;
    KT_TRY(kt_record_open(bytes, &record));
    KT_TRY(kt_record_find(&record, key, &found, &there));
    if (!there)
        return KT_OK;
    KtColKind kind = found.out_of_line ? KT_COL_VALUE : kind_of(found.kind);
    if (kind == KT_COL_VALUE || (to->n > 0 && kind != to->kind)) {
        to->mixed = true;
        return KT_OK;
    }
    KtValue value;
    KT_TRY(kt_value_decode(found.kind, found.bytes, arena, &value));
    to->kind = kind;
    to->n++;
    kt_bit_clear(to->null, row);
    if (kind == KT_COL_FLOAT)
        memcpy(&to->value[row], &value.as.f, sizeof value.as.f);
    else
        to->value[row] = value.as.i;
    return KT_OK;
}

static KtStatus read_column(KtFetch *f, KtToken key, uint64_t page, Filling *to)
{
    KtArena *arena;
    KtKvIter *iter;
    memset(to->null, 0xFF, sizeof to->null);
    to->n = 0;
    to->mixed = false;
    KT_TRY(kt_arena_open(f->budget, &arena));
    KtStatus status = kt_kv_iter_open(f->kv, f->at, KT_FAMILY_NODE, 0, &iter);
    if (status != KT_OK) {
        kt_arena_close(arena);
        return status;
    }
    KtKey from = kt_key_u64(page << KT_PAGE_BITS);
    status = kt_kv_iter_seek(iter, kt_key_span(&from));
    while (status == KT_OK && !to->mixed && kt_kv_iter_valid(iter)) {
        uint64_t id;
        KtSpan at = kt_kv_iter_key(iter);
        if (at.len >= 8 && kt_load_be64(at.at) >> KT_PAGE_BITS != page)
            break;
        if (kt_key_parse_u64(at, &id)) /* longer keys are values that stand out of line */
            status = fill_row(to, kt_kv_iter_value(iter), key, (uint32_t)(id & (KT_PAGE_ROWS - 1)), arena);
        if (status == KT_OK)
            status = kt_kv_iter_next(iter);
    }
    kt_kv_iter_close(iter);
    kt_arena_close(arena);
    return status;
}

static KtStatus fill_column(KtFetch *f, KtSlots *slots, KtToken key, uint64_t page)
{
    KtSlotWord word;
    if (!kt_cache_fill_begin(&f->shared, slots, page, &word))
        return KT_OK;
    Filling *filling = malloc(sizeof *filling);
    if (!filling)
        return KT_ERR_MEMORY;
    KtStatus status = read_column(f, key, page, filling);
    if (status != KT_OK) {
        free(filling);
        return status;
    }
    size_t values = filling->mixed ? 0 : sizeof filling->value;
    KtColumnPage *block = filling->n || filling->mixed ? malloc(sizeof *block + values) : NULL;
    if (block) {
        block->head.bytes = (uint32_t)(sizeof *block + values);
        block->kind = filling->mixed ? KT_COL_VALUE : filling->kind;
        block->nulls = filling->n < KT_PAGE_ROWS;
        memcpy(block->null, filling->null, sizeof block->null);
        memcpy(block->value, filling->value, values);
    }
    if ((block || (!filling->n && !filling->mixed)) &&
        kt_cache_fill_end(&f->shared, slots, page, word, block ? &block->head : NULL))
        block = NULL;
    free(block);
    free(filling);
    return KT_OK;
}

/* Copies the rows that lie in pages; false at the first that does not. */
static bool gather(KtFetch *f, KtSlots *slots, const KtIds *ids, KtColumn *out, uint64_t *nulls, bool *any_null, bool *typed,
                   uint32_t *stopped)
{
    uint64_t page = UINT64_MAX;
    const KtColumnPage *block = NULL;
    uint64_t none = ids->width == 4 ? UINT32_MAX : UINT64_MAX;
    for (uint32_t i = *stopped; i < ids->n; i++) {
        uint32_t row = kt_ids_row(ids, i);
        uint64_t id = kt_ids_at(ids, row);
        if (id >> KT_PAGE_BITS != page) {
            page = id >> KT_PAGE_BITS;
            KtSlotBlock *found = NULL;
            KtSlotKind kind = id == none ? KT_SLOT_EMPTY : kt_slots_read(slots, page, f->shared.at, &found);
            if (kind == KT_SLOT_UNKNOWN) {
                *stopped = i;
                return false;
            }
            block = (const KtColumnPage *)found;
            if (block && (block->kind == KT_COL_VALUE || (*typed && block->kind != out->kind))) {
                *stopped = UINT32_MAX;
                return false;
            }
            if (block) {
                out->kind = block->kind;
                *typed = true;
            }
        }
        uint32_t at = (uint32_t)(id & (KT_PAGE_ROWS - 1));
        if (!block || (block->nulls && kt_bit(block->null, at))) {
            kt_bit_set(nulls, row);
            *any_null = true;
            continue;
        }
        if (block->kind == KT_COL_BOOL)
            ((uint8_t *)out->data)[row] = (uint8_t)block->value[at];
        else
            ((int64_t *)out->data)[row] = block->value[at];
    }
    return true;
}

KtStatus kt_fetch_column(KtFetch *f, KtToken key, KtIds ids, KtArena *arena, KtColumn *out, bool *done)
{
    *done = false;
    KtSlots *slots = key ? kt_cache_columns(&f->shared, key) : NULL;
    if (!slots || ids.n == 0)
        return KT_OK;
    uint32_t rows = kt_ids_row(&ids, ids.n - 1) + 1, stopped = 0;
    KtColumn col = {.kind = KT_COL_INT};
    uint64_t nulls[KT_IDS_MOST / 64] = {0};
    bool any_null = false, typed = false;
    col.data = kt_arena_alloc(arena, rows * sizeof(int64_t));
    if (!col.data)
        return KT_ERR_MEMORY;
    while (!gather(f, slots, &ids, &col, nulls, &any_null, &typed, &stopped)) {
        if (stopped == UINT32_MAX)
            return KT_OK;
        uint64_t page = kt_ids_at(&ids, kt_ids_row(&ids, stopped)) >> KT_PAGE_BITS;
        KtSlotBlock *found;
        /* The whole batch is counted once for the page at which it stopped: pages are few when batches are dense. */
        if (page >= (uint64_t)1 << (32 - KT_PAGE_BITS) || !kt_cache_wants_column(&f->shared, key, page, ids.n - stopped))
            return KT_OK;
        KT_TRY(fill_column(f, slots, key, page));
        if (kt_slots_read(slots, page, f->shared.at, &found) == KT_SLOT_UNKNOWN)
            return KT_OK;
    }
    if (any_null || ids.sel) {
        uint64_t *copy = kt_arena_zero(arena, (rows + 63) / 64, sizeof *copy);
        if (!copy)
            return KT_ERR_MEMORY;
        memcpy(copy, nulls, (rows + 63) / 64 * sizeof *copy);
        col.nulls = copy;
    }
    *out = col;
    *done = true;
    return KT_OK;
}

/* ---- members ---- */

static KtStatus fill_members(KtFetch *f, KtSlots *slots, KtToken label, uint64_t page, bool *filled)
{
    KtSlotWord word;
    *filled = false;
    if (!kt_cache_fill_begin(&f->shared, slots, page, &word))
        return KT_OK;
    KtKey key = kt_key_label(label, page << KT_MEMBER_BITS);
    KtKvValue value;
    KT_TRY(kt_kv_get(f->kv, f->at, KT_FAMILY_LABEL, kt_key_span(&key), &value));
    KtLabelChunk chunk = {{0}};
    KtStatus status = value.bytes.at ? kt_label_decode(value.bytes, &chunk) : KT_OK;
    kt_kv_release(&value);
    if (status != KT_OK)
        return status == KT_ERR_CORRUPTION ? kt_diag_set(*f->diag, status, NULL, "A list of nodes is damaged on disk.") : status;
    KtMemberPage *block = kt_label_count(&chunk) ? malloc(sizeof *block) : NULL;
    if (block) {
        block->head.bytes = sizeof *block;
        memcpy(block->bits, chunk.bits, sizeof block->bits);
    } else if (kt_label_count(&chunk)) {
        return KT_ERR_MEMORY;
    }
    *filled = kt_cache_fill_end(&f->shared, slots, page, word, block ? &block->head : NULL);
    if (!*filled)
        free(block);
    return KT_OK;
}

KtStatus kt_fetch_members(KtFetch *f, KtToken label, const uint64_t *node, uint32_t n, bool *out, uint64_t *left)
{
    KtSlots *slots = kt_cache_members(&f->shared, label);
    for (uint32_t i = 0; slots && i < n; i++) {
        KtSlotBlock *block = NULL;
        uint64_t page = node[i] >> KT_MEMBER_BITS;
        KtSlotKind kind = kt_slots_read(slots, page, f->shared.at, &block);
        if (kind == KT_SLOT_UNKNOWN && node[i] < KT_NO_NODE) {
            bool filled;
            KT_TRY(fill_members(f, slots, label, page, &filled));
            kind = kt_slots_read(slots, page, f->shared.at, &block);
        }
        if (kind == KT_SLOT_UNKNOWN)
            continue;
        out[i] = kind == KT_SLOT_BLOCK &&
                 kt_bit(((const KtMemberPage *)block)->bits, (uint32_t)(node[i] & ((1 << KT_MEMBER_BITS) - 1)));
        kt_bit_clear(left, i);
    }
    return KT_OK;
}
