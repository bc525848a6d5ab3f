/* query/exec/batch.c - columns of levels: own, flattened from runs, gathered from below; row maps between levels.
 *
 * What must hold: a level is known by its KtCols, since operators that keep the rows hand up copies of the level;
 * everything computed here lives in the scratch arena of the level that it describes. */
#include "query/exec/batch.h"

#include <string.h>

static bool own(const KtLevel *level, KtSlot slot)
{
    return level->item_slot == slot || level->rel_slot == slot || kt_bit(level->cols->own, slot);
}

KtLevel *kt_level_owner(KtLevel *level, KtSlot slot)
{
    while (level && !own(level, slot))
        level = level->below;
    return level;
}

KtLevel *kt_batch_level_of(const KtBatch *batch, const KtSlot *slot, uint32_t n)
{
    if (n == 0)
        return batch->top;
    for (KtLevel *level = batch->top; level; level = level->below) {
        for (uint32_t i = 0; i < n; i++) {
            if (own(level, slot[i]))
                return level;
        }
    }
    KT_CHECK(!"a plan reads a slot that no level has");
    return batch->top;
}

void kt_level_set(KtLevel *level, KtSlot slot, KtColumn column)
{
    KT_ASSERT(slot < level->cols->slots);
    level->cols->col[slot] = column;
    kt_bit_set(level->cols->have, slot);
    kt_bit_set(level->cols->own, slot);
}

/* ---- row maps ---- */

static KtStatus parent_map(KtLevel *level, const uint16_t **out)
{
    uint16_t *map = kt_arena_alloc(level->cols->scratch, ((size_t)level->rows + 1) * sizeof *map),
             *at = map;
    if (!map)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < level->runs; i++) {
        uint16_t parent = (uint16_t)level->run[i].parent;
        uint32_t len = level->run[i].len;
        for (uint32_t k = 0; k < len; k++)
            at[k] = parent;
        at += len;
    }
    KT_ASSERT(at == map + level->rows);
    *out = map;
    return KT_OK;
}

static void keep_map(KtCols *cols, const KtCols *to, const uint16_t *map)
{
    if (cols->maps == KT_COLS_MAPS)
        return; /* made again when asked again: chains this deep are rare */
    cols->map[cols->maps].to = to;
    cols->map[cols->maps++].row = map;
}

static const uint16_t *kept_map(const KtCols *cols, const KtCols *to)
{
    for (uint32_t i = 0; i < cols->maps; i++) {
        if (cols->map[i].to == to)
            return cols->map[i].row;
    }
    return NULL;
}

KtStatus kt_level_rows_at(KtLevel *level, const KtLevel *below_level, const uint16_t **out)
{
    const KtCols *to = below_level->cols;
    if (level->cols == to) {
        *out = NULL;
        return KT_OK;
    }
    const uint16_t *map = kept_map(level->cols, to);
    if (map) {
        *out = map;
        return KT_OK;
    }
    KT_CHECK(level->below);
    const uint16_t *one = kept_map(level->cols, level->below->cols);
    if (!one) {
        KT_TRY(parent_map(level, &one));
        keep_map(level->cols, level->below->cols, one);
    }
    if (level->below->cols == to) {
        *out = one;
        return KT_OK;
    }
    const uint16_t *rest;
    KT_TRY(kt_level_rows_at(level->below, below_level, &rest));
    uint16_t *both = kt_arena_alloc(level->cols->scratch, ((size_t)level->rows + 1) * sizeof *both);
    if (!both)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < level->rows; i++)
        both[i] = rest[one[i]];
    keep_map(level->cols, to, both);
    *out = both;
    return KT_OK;
}

/* ---- columns ---- */

/* A column of level->below over the rows of `level`: each run repeats one element, so nothing is looked up. */
static KtStatus repeat(KtArena *arena, const KtLevel *level, const KtColumn *from, KtColumn *out)
{
    KtColumn to = {.kind = from->kind, .width = from->width};
    size_t size = kt_col_size(from->kind, from->width);
    char *at = to.data = kt_arena_alloc(arena, ((size_t)level->rows + KT_REPEAT_SLACK) * size);
    if (!at)
        return KT_ERR_MEMORY;
    const char *item = from->data;
    if (size == 8)
        kt_repeat_8(level->run, level->runs, from->data, to.data);
    for (uint32_t i = 0; i < level->runs && size != 8; i++) {
        uint32_t parent = level->run[i].parent, len = level->run[i].len;
        if (size == 4) {
            uint32_t value = ((const uint32_t *)(const void *)item)[parent];
            for (uint32_t k = 0; k < len; k++)
                ((uint32_t *)(void *)at)[k] = value;
        } else if (size == 1) {
            memset(at, item[parent], len);
        } else {
            for (uint32_t k = 0; k < len; k++)
                memcpy(at + k * size, item + parent * size, size);
        }
        at += len * size;
    }
    if (from->nulls) {
        to.nulls = kt_arena_zero(arena, ((size_t)level->rows + 63) / 64, sizeof(uint64_t));
        if (!to.nulls)
            return KT_ERR_MEMORY;
        uint32_t row = 0;
        for (uint32_t i = 0; i < level->runs; row += level->run[i++].len) {
            for (uint32_t k = 0; kt_bit(from->nulls, level->run[i].parent) && k < level->run[i].len;
                 k++)
                kt_bit_set(to.nulls, row + k);
        }
    }
    *out = to;
    return KT_OK;
}

static KtStatus flatten_nulls(KtLevel *level, KtColumn *out)
{
    KtValue *null = kt_arena_alloc(level->cols->scratch, sizeof *null);
    if (!null)
        return KT_ERR_MEMORY;
    *null = kt_null();
    *out = (KtColumn){.kind = KT_COL_VALUE, .constant = true, .data = null};
    return KT_OK;
}

static KtStatus flatten_items(KtLevel *level, KtColumn *out)
{
    bool any = false, missing = false, mixed = false;
    KtColKind kind = KT_COL_VALUE;
    for (uint32_t i = 0; i < level->runs; i++) {
        if (!level->run[i].item)
            missing = true;
        else if (!any) {
            kind = level->run[i].kind;
            any = true;
        } else if (level->run[i].kind != kind)
            mixed = true;
    }
    if (!any)
        return flatten_nulls(level, out);
    /* One run is a column as it lies, but not a slice of storage's: that goes when the view parks, and who holds
     * the column would not know. */
    if (level->runs == 1 && level->from_slot == KT_NO_SLOT) {
        *out = (KtColumn){
            .kind = kind, .width = kind == KT_COL_NODE ? 4 : 0, .ascends = level->run[0].ascends};
        memcpy(&out->data, &level->run[0].item, sizeof out->data);
        return KT_OK;
    }
    if (mixed || (missing && kind != KT_COL_NODE && kind != KT_COL_REL))
        kind = KT_COL_VALUE;
    KtColumn to;
    KT_TRY(kt_col_make(level->cols->scratch, kind, level->rows, false, &to));
    size_t size = kt_col_size(kind, to.width);
    char *at = to.data;
    for (uint32_t i = 0; i < level->runs; i++) {
        const KtRun *run = &level->run[i];
        size_t bytes = (size_t)run->len * size;
        if (!run->item) {
            memset(at, kind == KT_COL_NODE ? 0xFF : 0, bytes); /* NULL and KT_NULL are zero bytes */
        } else if (run->kind == kind) {
            memcpy(at, run->item, bytes);
        } else {
            KtColumn part = {.kind = run->kind, .width = run->kind == KT_COL_NODE ? 4 : 0};
            memcpy(&part.data, &run->item, sizeof part.data);
            for (uint32_t k = 0; k < run->len; k++)
                ((KtValue *)(void *)at)[k] = kt_col_value(&part, k);
        }
        at += bytes;
    }
    *out = to;
    return KT_OK;
}

/* Relationships of an expand: id from the run, ends from its two nodes. */
static KtStatus flatten_rels(KtLevel *level, KtColumn *out)
{
    const uint32_t *from;
    KT_TRY(kt_level_nodes(level->below, level->from_slot, &from));
    KtRelRef *ref = kt_arena_alloc(level->cols->scratch, (size_t)level->rows * sizeof *ref);
    KtColumn to;
    KT_TRY(kt_col_make(level->cols->scratch, KT_COL_REL, level->rows, false, &to));
    if (!ref)
        return KT_ERR_MEMORY;
    const KtRelRef **at = to.data;
    uint32_t row = 0;
    for (uint32_t i = 0; i < level->runs; i++) {
        const KtRun *run = &level->run[i];
        if (!run->item) {
            for (uint32_t k = 0; k < run->len; k++)
                at[row++] = NULL;
            continue;
        }
        KT_CHECK(run->rel);
        uint64_t node = from[run->parent];
        const uint32_t *nbr = run->item;
        const uint8_t *id = run->rel;
        for (uint32_t k = 0; k < run->len; k++, row++) {
            KtRelRef *r = &ref[row];
            r->id = 0;
            memcpy(&r->id, id + (size_t)k * run->rel_width, run->rel_width);
            r->start = run->dir == KT_OUT ? node : nbr[k];
            r->end = run->dir == KT_OUT ? nbr[k] : node;
            r->type = run->type;
            at[row] = r;
        }
    }
    *out = to;
    return KT_OK;
}

KtStatus kt_level_column(KtLevel *level, KtSlot slot, KtColumn *out)
{
    KtCols *cols = level->cols;
    KT_ASSERT(slot < cols->slots);
    if (kt_bit(cols->have, slot)) {
        *out = cols->col[slot];
        return KT_OK;
    }
    KtColumn col;
    if (level->item_slot == slot) {
        KT_TRY(flatten_items(level, &col));
    } else if (level->rel_slot == slot) {
        KT_TRY(flatten_rels(level, &col));
    } else {
        KtLevel *owner = kt_level_owner(level->below, slot);
        KT_CHECK(owner);
        KT_TRY(kt_level_column(owner, slot, &col));
        if (!col.constant && level->below->cols == owner->cols && level->run) {
            KT_TRY(repeat(cols->scratch, level, &col, &col));
        } else if (!col.constant) {
            const uint16_t *map;
            KT_TRY(kt_level_rows_at(level, owner, &map));
            KT_TRY(kt_col_gather_16(cols->scratch, &col, map, level->rows, &col));
        }
    }
    cols->col[slot] = col;
    kt_bit_set(cols->have, slot);
    *out = col;
    return KT_OK;
}

KtStatus kt_level_nodes(KtLevel *level, KtSlot slot, const uint32_t **out)
{
    KtColumn col;
    KT_TRY(kt_level_column(level, slot, &col));
    if (col.kind == KT_COL_NODE && col.width == 4 && !col.constant) {
        *out = col.data;
        return KT_OK;
    }
    uint32_t *id = kt_arena_alloc(level->cols->scratch, ((size_t)level->rows + 1) * sizeof *id);
    if (!id)
        return KT_ERR_MEMORY;
    /* Values of rows that are not selected are undefined: only selected ones are looked at. */
    for (uint32_t i = 0; i < level->rows; i++)
        id[i] = KT_NO_NODE;
    for (uint32_t i = 0; i < level->selected; i++) {
        uint32_t row = kt_level_selected(level, i);
        KtValue v = kt_col_value(&col, row);
        if (v.kind == KT_NODE)
            id[row] = (uint32_t)kt_value_node_id(v);
        else if (v.kind != KT_NULL)
            return KT_ERR_INVALID_ARGUMENT_TYPE_VALUE;
    }
    *out = id;
    return KT_OK;
}

KtStatus kt_level_value(KtLevel *level, KtSlot slot, uint32_t row, KtValue *out)
{
    KtColumn col;
    KT_TRY(kt_level_column(level, slot, &col));
    *out = kt_col_value(&col, row);
    return KT_OK;
}

static KtStatus frame_column(KtFrame *frame, KtSlot slot, KtColumn *out)
{
    KtLevelFrame *self = (KtLevelFrame *)frame; /* frame is its first member */
    return kt_level_column(self->level, slot, out);
}

static bool stands_on(const KtLevel *level, const KtLevel *lower)
{
    return level->below && level->below->cols == lower->cols && level->run;
}

/* Rows of the lower level under sel[0 .. n), ascending. */
static KtStatus rows_under(KtArena *arena, KtLevel *level, const KtLevel *lower,
                           const uint16_t *sel, uint32_t n, KtFrame *out)
{
    uint16_t *used =
        kt_arena_alloc(arena, ((size_t)(n < lower->rows ? n : lower->rows) + 1) * sizeof *used);
    uint32_t k = 0;
    if (!used)
        return KT_ERR_MEMORY;
    if (!sel && n == level->rows && stands_on(level, lower)) {
        for (uint32_t i = 0; i < level->runs; i++) {
            uint16_t row = (uint16_t)level->run[i].parent;
            if (level->run[i].len && (k == 0 || used[k - 1] != row))
                used[k++] = row;
        }
    } else {
        const uint16_t *map;
        KT_TRY(kt_level_rows_at(level, lower, &map));
        for (uint32_t i = 0; i < n; i++) {
            uint16_t row = map[sel ? sel[i] : i];
            if (k == 0 || used[k - 1] != row)
                used[k++] = row;
        }
    }
    out->sel = k == lower->rows ? NULL : used;
    out->selected = k;
    return KT_OK;
}

static KtStatus frame_lower(KtFrame *frame, const KtSlot *slot, uint32_t slots, const uint16_t *sel,
                            uint32_t selected, KtFrame **out)
{
    KtLevel *level = ((KtLevelFrame *)frame)->level;
    KtBatch batch = {level};
    KtLevel *lower = kt_batch_level_of(&batch, slot, slots);
    *out = NULL;
    if (lower->cols == level->cols)
        return KT_OK;
    KtLevelFrame *lf = kt_arena_alloc(frame->arena, sizeof *lf);
    if (!lf)
        return KT_ERR_MEMORY;
    kt_level_frame(lf, lower, frame->arena);
    *out = &lf->frame;
    return rows_under(frame->arena, level, lower, sel, selected, &lf->frame);
}

static KtStatus frame_lift(KtFrame *frame, KtFrame *lower, const KtColumn *col, KtColumn *out)
{
    KtLevel *level = ((KtLevelFrame *)frame)->level, *from = ((KtLevelFrame *)lower)->level;
    KtColumn plain = *col;
    bool null = false; /* of those in use: a column without nulls is the faster one */
    for (uint32_t i = 0; plain.nulls && !null && i < lower->selected; i++)
        null = kt_bit(plain.nulls, lower->sel ? lower->sel[i] : i);
    if (!null)
        plain.nulls = NULL;
    if (stands_on(level, from))
        return repeat(frame->arena, level, &plain, out);
    const uint16_t *map;
    KT_TRY(kt_level_rows_at(level, from, &map));
    return kt_col_gather_16(frame->arena, &plain, map, level->rows, out);
}

static KtStatus frame_over(KtFrame *frame, KtFrame *lower, uint32_t row, const uint16_t *sel,
                           uint32_t selected, uint32_t *out)
{
    const uint16_t *map;
    KT_TRY(kt_level_rows_at(((KtLevelFrame *)frame)->level, ((KtLevelFrame *)lower)->level, &map));
    *out = UINT32_MAX;
    for (uint32_t i = 0; i < selected; i++) {
        uint32_t at = sel ? sel[i] : i;
        if (map[at] >= row) {
            *out = at;
            return KT_OK;
        }
    }
    KT_CHECK(!"a row that was computed stands under none of the selection");
    return KT_ERR_INTERNAL;
}

static bool frame_kept(KtFrame *frame, KtSlot slot, KtNameRef key, KtColumn *out)
{
    const KtCols *cols = ((KtLevelFrame *)frame)->level->cols;
    for (uint32_t i = 0; i < cols->props; i++) {
        if (cols->prop[i].slot == slot && cols->prop[i].key == key) {
            *out = cols->prop[i].col;
            return true;
        }
    }
    return false;
}

static KtArena *frame_keep(KtFrame *frame)
{
    const KtCols *cols = ((KtLevelFrame *)frame)->level->cols;
    return cols->keeps_props && cols->props < KT_COLS_PROPS ? cols->scratch : NULL;
}

static void frame_keep_as(KtFrame *frame, KtSlot slot, KtNameRef key, const KtColumn *col)
{
    KtCols *cols = ((KtLevelFrame *)frame)->level->cols;
    cols->prop[cols->props].slot = slot;
    cols->prop[cols->props].key = key;
    cols->prop[cols->props++].col = *col;
}

void kt_level_frame(KtLevelFrame *out, KtLevel *level, KtArena *arena)
{
    out->level = level;
    out->frame = (KtFrame){
        .rows = level->rows,
        .sel = level->sel,
        .selected = level->selected,
        .column = frame_column,
        .lower = frame_lower,
        .lift = frame_lift,
        .kept = frame_kept,
        .keep = frame_keep,
        .keep_as = frame_keep_as,
        .over = frame_over,
        .arena = arena,
        .fail_row = UINT32_MAX,
        .fail = KT_OK,
    };
}
