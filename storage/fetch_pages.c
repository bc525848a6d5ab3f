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
    memset(to, 0, sizeof *to);
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
            status = fill_row(to, kt_kv_iter_value(iter), key, (uint32_t)(id & (KT_PAGE_ROWS - 1)),
                              arena);
        if (status == KT_OK)
            status = kt_kv_iter_next(iter);
    }
    kt_kv_iter_close(iter);
    kt_arena_close(arena);
    return status;
}

/* The least bytes that hold every value: a page of small numbers is read from a cache one eighth as large. */
static uint8_t width_of(const Filling *from)
{
    bool byte = from->kind != KT_COL_FLOAT, half = byte;
    for (uint32_t i = 0; i < KT_PAGE_ROWS; i++) {
        byte = byte && from->value[i] >= 0 && from->value[i] <= UINT8_MAX;
        half = half && from->value[i] >= INT32_MIN && from->value[i] <= INT32_MAX;
    }
    return byte ? 1 : half ? 4 : 8;
}

/* *out NULL: no row has a value. */
static KtStatus page_of(const Filling *from, KtColumnPage **out)
{
    *out = NULL;
    if (from->n == 0 && !from->mixed)
        return KT_OK;
    uint8_t width = from->mixed ? 0 : width_of(from);
    size_t bytes = sizeof(KtColumnPage) + (size_t)width * KT_PAGE_ROWS;
    KtColumnPage *page = malloc(bytes);
    if (!page)
        return KT_ERR_MEMORY;
    page->head = (KtSlotBlock){.bytes = (uint32_t)bytes};
    page->kind = from->mixed ? KT_COL_VALUE : from->kind;
    page->width = width;
    page->nulls = from->n < KT_PAGE_ROWS;
    memcpy(page->null, from->null, sizeof page->null);
    void *value = page->value;
    for (uint32_t i = 0; i < KT_PAGE_ROWS && width == 1; i++)
        ((uint8_t *)value)[i] = (uint8_t)from->value[i];
    for (uint32_t i = 0; i < KT_PAGE_ROWS && width == 4; i++)
        ((int32_t *)value)[i] = (int32_t)from->value[i];
    if (width == 8)
        memcpy(value, from->value, sizeof from->value);
    *out = page;
    return KT_OK;
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
    KtColumnPage *block;
    status = page_of(filling, &block);
    if (status == KT_OK &&
        kt_cache_fill_end(&f->shared, slots, page, word, block ? &block->head : NULL))
        block = NULL;
    free(block);
    free(filling);
    return status;
}

/* ---- gathering ---- */

/* All null: what an EMPTY slot stands for. */
static const KtColumnPage empty_page = {.kind = KT_COL_VALUE, .nulls = true};

void kt_fetch_forget_pages(KtFetch *f)
{
    for (uint32_t i = 0; i < KT_FOUND_KEYS; i++) {
        free((void *)f->found[i].page);
        free((void *)f->found[i].dense);
        free((void *)f->found[i].value);
        f->found[i] = (KtFoundPages){0};
    }
}

static KtFoundPages *found_of(KtFetch *f, KtToken key)
{
    for (uint32_t i = 0; i < KT_FOUND_KEYS; i++) {
        if (f->found[i].key == key)
            return &f->found[i];
    }
    KtFoundPages *found = &f->found[f->found_next++ % KT_FOUND_KEYS];
    free((void *)found->page);
    free((void *)found->dense);
    free((void *)found->value);
    *found = (KtFoundPages){.key = key, .kind = KT_COL_VALUE};
    return found;
}

static KtStatus found_room(KtFoundPages *found, uint64_t page)
{
    if (page < found->n)
        return KT_OK;
    uint32_t n = found->n ? found->n : 64;
    while (n <= page)
        n *= 2;
    const KtColumnPage **grown = realloc((void *)found->page, n * sizeof *grown);
    if (!grown)
        return KT_ERR_MEMORY;
    memset((void *)(grown + found->n), 0, (n - found->n) * sizeof *grown);
    found->page = grown;
    const void **dense = realloc((void *)found->dense, n * sizeof *dense);
    if (!dense)
        return KT_ERR_MEMORY;
    memset((void *)(dense + found->n), 0, (n - found->n) * sizeof *dense);
    found->dense = dense;
    const void **value = realloc((void *)found->value, n * sizeof *value);
    if (!value)
        return KT_ERR_MEMORY;
    memset((void *)(value + found->n), 0, (n - found->n) * sizeof *value);
    found->value = value;
    found->n = n;
    return KT_OK;
}

/* Nulls at the end of a page are ids above the last node, as a rule. */
static void grow_flat(KtFoundPages *found)
{
    for (;;) {
        uint32_t number = found->flat >> KT_PAGE_BITS, row = found->flat & (KT_PAGE_ROWS - 1);
        if (number >= found->n || !found->value[number])
            return;
        const KtColumnPage *page = found->page[number];
        while (row < KT_PAGE_ROWS && !(page->nulls && kt_bit(page->null, row)))
            row++;
        found->flat = (number << KT_PAGE_BITS) + row;
        if (row < KT_PAGE_ROWS)
            return;
    }
}

/* Brings one page into `found`. *ok is false when rows of it must come from the records. `rows`: how many of this batch
 * may lie in it, by which it is judged worth filling. */
static KtStatus find_page(KtFetch *f, KtFoundPages *found, uint64_t page, uint32_t rows, bool *ok)
{
    KtSlots *slots = kt_cache_columns(&f->shared, found->key);
    *ok = false;
    if (!slots || page >= (uint64_t)1 << (32 - KT_PAGE_BITS))
        return KT_OK;
    KtSlotBlock *block = NULL;
    KtSlotKind kind = kt_slots_read(slots, page, f->shared.at, &block);
    if (kind == KT_SLOT_UNKNOWN && kt_cache_wants_column(&f->shared, found->key, page, rows)) {
        KT_TRY(fill_column(f, slots, found->key, page));
        kind = kt_slots_read(slots, page, f->shared.at, &block);
    }
    if (kind == KT_SLOT_UNKNOWN)
        return KT_OK;
    const KtColumnPage *got = kind == KT_SLOT_EMPTY ? &empty_page : (const KtColumnPage *)block;
    if (got != &empty_page) {
        if (got->kind == KT_COL_VALUE || (found->kind != KT_COL_VALUE && found->kind != got->kind))
            return KT_OK;
        found->kind = got->kind;
    }
    KT_TRY(found_room(found, page));
    found->page[page] = got;
    if (found->width == 0)
        found->width = got->width;
    if (got->width == found->width && got->width) {
        found->value[page] = got->value;
        found->dense[page] = got->nulls ? NULL : (const void *)got->value;
        grow_flat(found);
    }
    *ok = true;
    return KT_OK;
}

/* Every page that the batch touches, or *ok = false. */
static KtStatus find_pages(KtFetch *f, KtFoundPages *found, const KtIds *ids, bool *ok)
{
    uint64_t none = ids->width == 4 ? UINT32_MAX : UINT64_MAX;
    *ok = true;
    for (uint32_t i = 0; i < ids->n; i++) {
        uint64_t id = kt_ids_at(ids, kt_ids_row(ids, i)), page = id >> KT_PAGE_BITS;
        if (KT_LIKELY(page < found->n && found->page[page]))
            continue;
        if (id == none)
            continue;
        KT_TRY(find_page(f, found, page, ids->n - i, ok));
        if (!*ok)
            return KT_OK;
    }
    return KT_OK;
}

static bool gather_row(const KtFoundPages *found, uint64_t id, bool none, int64_t *out)
{
    if (none)
        return false;
    const KtColumnPage *page = found->page[id >> KT_PAGE_BITS];
    uint32_t at = (uint32_t)(id & (KT_PAGE_ROWS - 1));
    if (page == &empty_page || (page->nulls && kt_bit(page->null, at)))
        return false;
    *out = kt_page_value(page, at);
    return true;
}

/* Tries the common case, finding pages as it goes: 4-byte ids, every row, no value null, all pages of one width. */
static KtStatus try_dense(KtFetch *f, KtFoundPages *found, const KtIds *ids, int64_t *out,
                          bool *done)
{
    const uint32_t *id = ids->id;
    uint32_t n = ids->n;
    uint32_t at = 0;
    *done = true;
    if (ids->ascends && id[n - 1] < found->flat && id[n - 1] - id[0] == n - 1) {
        kt_gather_run(found->value, found->width, id[0], n, out);
        return KT_OK;
    }
    *done = found->flat > 0 && kt_gather_most(id, n) < found->flat;
    if (*done) {
        kt_gather_flat(found->value, found->width, id, n, out);
        return KT_OK;
    }
    for (;;) {
        at = kt_gather_pages(found->dense, found->n, found->width, id, at, n, out);
        if (at == n) {
            *done = true;
            return KT_OK;
        }
        uint32_t number = id[at] >> KT_PAGE_BITS;
        bool ok = false;
        if (id[at] == KT_NO_NODE)
            return KT_OK;
        if (number < found->n && found->page[number]) { /* a page with nulls, or of another width */
            if (!gather_row(found, id[at], false, &out[at]))
                return KT_OK;
            at++;
            continue;
        }
        KT_TRY(find_page(f, found, number, n - at, &ok));
        if (!ok)
            return KT_OK;
    }
}

/* Some rows of a batch, all of them below `flat`. Rows that are not selected stay as they are. */
static bool few_flat(const KtFoundPages *found, const KtIds *ids, int64_t *out)
{
    const uint32_t *id = ids->id;
    for (uint32_t i = 0; i < ids->n; i++) {
        uint32_t row = ids->sel[i];
        if (id[row] >= found->flat)
            return false;
        kt_gather_flat(found->value, found->width, &id[row], 1, &out[row]);
    }
    return true;
}

KtStatus kt_fetch_column(KtFetch *f, KtToken key, KtIds ids, KtArena *arena, KtColumn *out,
                         bool *done)
{
    *done = false;
    if (key == 0 || ids.n == 0)
        return KT_OK;
    KtFoundPages *found = found_of(f, key);
    bool ok;
    uint32_t rows = kt_ids_row(&ids, ids.n - 1) + 1;
    KtColumn col = {0};
    int64_t *value = col.data = kt_arena_alloc(arena, rows * sizeof *value);
    if (!value)
        return KT_ERR_MEMORY;
    if (ids.width == 4 && !ids.sel && found->kind != KT_COL_BOOL) {
        KT_TRY(try_dense(f, found, &ids, value, done));
        col.kind = found->kind;
        if (*done && (col.kind == KT_COL_INT || col.kind == KT_COL_FLOAT)) {
            *out = col;
            return KT_OK;
        }
        *done = false;
    }
    if (ids.width == 4 && ids.sel && found->kind != KT_COL_VALUE && found->kind != KT_COL_BOOL &&
        few_flat(found, &ids, value)) {
        col.kind = found->kind;
        *out = col;
        *done = true;
        return KT_OK;
    }
    KT_TRY(find_pages(f, found, &ids, &ok));
    if (!ok)
        return KT_OK;
    col.kind = found->kind == KT_COL_VALUE ? KT_COL_INT : found->kind;
    uint64_t none = ids.width == 4 ? UINT32_MAX : UINT64_MAX;
    col.nulls = kt_arena_alloc(arena, (rows + 63) / 64 * sizeof *col.nulls);
    if (!col.nulls)
        return KT_ERR_MEMORY;
    memset(col.nulls, 0xFF,
           (rows + 63) / 64 * sizeof *col.nulls); /* rows that were not asked for are null */
    for (uint32_t i = 0; i < ids.n; i++) {
        uint32_t row = kt_ids_row(&ids, i);
        uint64_t id = kt_ids_at(&ids, row);
        int64_t v;
        if (!gather_row(found, id, id == none, &v))
            continue;
        kt_bit_clear(col.nulls, row);
        if (col.kind == KT_COL_BOOL)
            ((uint8_t *)col.data)[row] = v != 0;
        else
            value[row] = v;
    }
    *out = col;
    *done = true;
    return KT_OK;
}

/* ---- sums ---- */

static KtStatus sum_list(KtFetch *f, KtFoundPages *found, const KtIdList *list, int64_t *sum,
                         uint64_t *most, bool *done)
{
    const uint32_t *id = list->id;
    uint32_t at = 0, n = list->n;
    *sum = 0;
    *done = true;
    if (n > 0 && id[n - 1] < found->flat) {
        *sum = kt_sum_flat(found->value, found->width, id, n, most);
        return KT_OK;
    }
    while (*done) {
        at = kt_sum_pages(found->dense, found->n, found->width, id, at, n, sum, most);
        if (at == n)
            return KT_OK;
        uint32_t number = id[at] >> KT_PAGE_BITS;
        int64_t value;
        *done = false;
        if (id[at] == KT_NO_NODE)
            return KT_OK;
        if (number >= found->n || !found->page[number]) {
            KT_TRY(find_page(f, found, number, n - at, done));
        } else if (gather_row(found, id[at], false, &value)) { /* nulls, or another width */
            *sum = (int64_t)((uint64_t)*sum + (uint64_t)value);
            *most |= (uint64_t)value ^ (uint64_t)(value >> 63);
            *done = true;
            at++;
        }
    }
    return KT_OK;
}

KtStatus kt_fetch_sums(KtFetch *f, KtToken key, const KtIdList *list, uint32_t n, int64_t *sum,
                       bool *done)
{
    uint64_t most = 0;
    *done = false;
    if (key == 0 || n == 0)
        return KT_OK;
    KtFoundPages *found = found_of(f, key);
    *done = true;
    for (uint32_t i = 0; i < n && *done; i++) {
        KT_CHECK(list[i].n <= KT_SLICE_MOST); /* sums of such cannot overflow */
        KT_TRY(sum_list(f, found, &list[i], &sum[i], &most, done));
        *done = *done && (found->kind == KT_COL_INT || list[i].n == 0);
    }
    *done = *done && most < (uint64_t)KT_SUM_VALUE_MOST;
    return KT_OK;
}

/* ---- members ---- */

_Static_assert((int)KT_MEMBER_BITS == (int)KT_LABEL_BITS,
               "a page of members is a chunk of the store");

void kt_fetch_member_page(KtFetch *f, KtToken label, uint64_t page, const uint64_t **bits,
                          bool *known)
{
    KtSlots *slots = kt_cache_members(&f->shared, label);
    KtSlotBlock *block = NULL;
    KtSlotKind kind = slots ? kt_slots_read(slots, page, f->shared.at, &block) : KT_SLOT_UNKNOWN;
    *known = kind != KT_SLOT_UNKNOWN;
    *bits = kind == KT_SLOT_BLOCK ? ((const KtMemberPage *)block)->bits : NULL;
}

static KtStatus keep_members(KtFetch *f, KtSlots *slots, uint64_t page, KtSlotWord word,
                             const KtLabelChunk *chunk, bool *kept)
{
    bool any = kt_label_count(chunk) > 0;
    KtMemberPage *block = any ? malloc(sizeof *block) : NULL;
    if (any && !block)
        return KT_ERR_MEMORY;
    if (block) {
        block->head = (KtSlotBlock){.bytes = sizeof *block};
        memcpy(block->bits, chunk->bits, sizeof block->bits);
    }
    *kept = kt_cache_fill_end(&f->shared, slots, page, word, block ? &block->head : NULL);
    if (!*kept)
        free(block);
    return KT_OK;
}

KtStatus kt_fetch_keep_members(KtFetch *f, KtToken label, uint64_t page, const KtLabelChunk *chunk)
{
    KtSlots *slots = kt_cache_members(&f->shared, label);
    KtSlotWord word;
    bool kept;
    return kt_cache_fill_begin(&f->shared, slots, page, &word)
               ? keep_members(f, slots, page, word, chunk, &kept)
               : KT_OK;
}

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
        return status == KT_ERR_CORRUPTION
                   ? kt_diag_set(*f->diag, status, NULL, "A list of nodes is damaged on disk.")
                   : status;
    return keep_members(f, slots, page, word, &chunk, filled);
}

void kt_fetch_members_known(KtFetch *f, KtToken label, const KtIds *ids, uint64_t *bits, bool *done)
{
    KtSlots *slots = kt_cache_members(&f->shared, label);
    uint64_t none = ids->width == 4 ? UINT32_MAX : UINT64_MAX;
    *done = slots != NULL;
    for (uint32_t i = 0; *done && i < ids->n; i++) {
        uint32_t row = kt_ids_row(ids, i);
        uint64_t id = kt_ids_at(ids, row);
        KtSlotBlock *block = NULL;
        KtSlotKind kind = id == none
                              ? KT_SLOT_EMPTY
                              : kt_slots_read(slots, id >> KT_MEMBER_BITS, f->shared.at, &block);
        *done = kind != KT_SLOT_UNKNOWN;
        if (kind == KT_SLOT_BLOCK && kt_bit(((const KtMemberPage *)block)->bits,
                                            (uint32_t)(id & ((1 << KT_MEMBER_BITS) - 1))))
            kt_bit_set(bits, row);
        else
            kt_bit_clear(bits, row);
    }
}

KtStatus kt_fetch_members(KtFetch *f, KtToken label, const uint64_t *node, uint32_t n, bool *out,
                          uint64_t *left)
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
        out[i] = kind == KT_SLOT_BLOCK && kt_bit(((const KtMemberPage *)block)->bits,
                                                 (uint32_t)(node[i] & ((1 << KT_MEMBER_BITS) - 1)));
        kt_bit_clear(left, i);
    }
    return KT_OK;
}
