/* query/exec/op_seek.c - SeekId, and SeekIndex by equality: one batched lookup for a whole input batch.
 *
 * The answer is a list of (input row, id) pairs that may be longer than a batch; it is kept and handed up in parts. In
 * the list forms (`id(n) IN [...]`) an id comes once per input row however often the list names it. */
#include "query/exec/exec_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct SeekOp {
    KtOp base;
    KtSeekPart seek;
} SeekOp;

static KtStatus add_pair(KtSeekPart *s, uint32_t row, uint64_t id)
{
    if (s->n == s->cap) {
        uint32_t cap = s->cap;
        void *rows = s->row, *ids = s->id;
        KT_TRY(kt_arena_grow(s->hold, &rows, s->n, &cap, sizeof *s->row));
        cap = s->cap;
        KT_TRY(kt_arena_grow(s->hold, &ids, s->n, &cap, sizeof *s->id));
        s->row = rows;
        s->id = ids;
        s->cap = cap;
    }
    s->row[s->n] = row;
    s->id[s->n++] = id;
    return KT_OK;
}

static int by_id(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Sorts the pairs from `first` on (all of one row) and drops what is there twice. */
static void make_unique(KtSeekPart *s, uint32_t first)
{
    uint32_t n = s->n - first;
    if (n < 2)
        return;
    qsort(s->id + first, n, sizeof *s->id, by_id);
    uint32_t k = first + 1;
    for (uint32_t i = first + 1; i < s->n; i++) {
        if (s->id[i] != s->id[k - 1])
            s->id[k++] = s->id[i];
    }
    s->n = k;
}

/* ---- SeekId ---- */

/* Reads an elementId: "<database>:n<id>" or "<database>:r<id>"; one of another database names nothing here. */
static bool element_id(KtText text, uint32_t database, bool rel, uint64_t *out)
{
    char want[24];
    int n = snprintf(want, sizeof want, "%" PRIu32 ":%c", database, rel ? 'r' : 'n');
    uint32_t head = (uint32_t)n;
    if (text.len <= head || text.len > head + 19 || memcmp(text.at, want, head) != 0)
        return false;
    uint64_t id = 0;
    for (uint32_t i = head; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        id = id * 10 + (uint64_t)(text.at[i] - '0');
    }
    if (text.at[head] == '0' && text.len > head + 1)
        return false; /* not as elementId() writes it */
    *out = id;
    return true;
}

/* The id that a value names, false if it names none. */
static bool id_of(KtOp *op, KtValue v, uint64_t *out)
{
    const KtPlan *plan = op->plan;
    if (!plan->as.seek_id.element_id) {
        if (v.kind == KT_FLOAT && v.as.f >= 0 && v.as.f < 9007199254740992.0 &&
            (double)(int64_t)v.as.f == v.as.f)
            v = kt_int((int64_t)v.as.f); /* id(n) = 1.0 is true of 1 */
        if (v.kind != KT_INT || v.as.i < 0)
            return false;
        *out = (uint64_t)v.as.i;
        return true;
    }
    return v.kind == KT_TEXT && element_id((KtText){v.as.text, v.len}, op->x->eval.database_id,
                                           plan->as.seek_id.rel, out);
}

static KtStatus ids_of_row(KtOp *op, KtSeekPart *s, uint32_t row, KtValue v)
{
    uint64_t id, limit = op->plan->as.seek_id.rel ? UINT64_MAX : KT_NO_NODE;
    if (!op->plan->as.seek_id.in_list)
        return id_of(op, v, &id) && id < limit ? add_pair(s, row, id) : KT_OK;
    if (v.kind != KT_LIST)
        return KT_OK;
    uint32_t first = s->n;
    for (uint32_t i = 0; i < v.len; i++) {
        if (id_of(op, v.as.list[i], &id) && id < limit)
            KT_TRY(add_pair(s, row, id));
    }
    make_unique(s, first);
    return KT_OK;
}

/* Drops ids that do not exist, or have not the label. */
static KtStatus drop_missing(KtOp *op, KtSeekPart *s)
{
    const KtPlan *plan = op->plan;
    KtToken label = 0;
    if (plan->as.seek_id.has_label) {
        KT_TRY(kt_eval_token(&op->x->eval, plan->as.seek_id.label, &label));
        if (label == 0)
            s->n = 0;
    }
    uint32_t k = 0;
    for (uint32_t from = 0; from < s->n; from += KT_BATCH_ROWS) {
        uint32_t n = s->n - from < KT_BATCH_ROWS ? s->n - from : KT_BATCH_ROWS;
        uint64_t bits[KT_BATCH_ROWS / 64] = {0};
        KtIds ids = {.id = s->id + from, .width = 8, .n = n};
        if (label)
            KT_TRY(kt_have_label(op->x->view, label, ids, bits));
        else
            KT_TRY(kt_exist(op->x->view, plan->as.seek_id.rel ? KT_REL : KT_NODE, ids, bits));
        for (uint32_t i = 0; i < n; i++) {
            if (!kt_bit(bits, i))
                continue;
            s->row[k] = s->row[from + i];
            s->id[k++] = s->id[from + i];
        }
    }
    s->n = k;
    return KT_OK;
}

/* ---- SeekIndex ---- */

/* Looks up keys[0 .. n), of input rows row[i]. */
static KtStatus look_up(KtOp *op, KtSeekPart *s, const KtColumn *keys, const uint32_t *row,
                        uint32_t n)
{
    KtPairs pairs;
    KT_TRY(kt_seek_many(op->x->view, op->plan->as.seek_index.index, keys, n, s->hold, &pairs));
    for (uint32_t i = 0; i < pairs.n; i++)
        KT_TRY(add_pair(s, row[pairs.row[i]], pairs.id[i]));
    return KT_OK;
}

static KtStatus look_up_list(KtOp *op, KtSeekPart *s, uint32_t row, KtValue v)
{
    if (v.kind != KT_LIST)
        return KT_OK;
    uint32_t first = s->n;
    for (uint32_t from = 0; from < v.len; from += KT_BATCH_ROWS) {
        uint32_t n = v.len - from < KT_BATCH_ROWS ? v.len - from : KT_BATCH_ROWS;
        uint32_t *rows = kt_arena_alloc(s->hold, n * sizeof *rows);
        KtColumn keys;
        KT_TRY(kt_col_make(s->hold, KT_COL_VALUE, n, false, &keys));
        if (!rows)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < n; i++) {
            rows[i] = row;
            ((KtValue *)keys.data)[i] = v.as.list[from + i];
        }
        KT_TRY(look_up(op, s, &keys, rows, n));
    }
    make_unique(s, first);
    return KT_OK;
}

/* ---- both ---- */

/* There is a node that the key would be compared with: of the label, where one is asked for. */
static KtStatus any_candidate(KtOp *op, KtArena *arena, bool *any)
{
    const KtPlan *plan = op->plan;
    bool by_index = plan->kind == KT_PLAN_SEEK_INDEX;
    KtScanSpec spec = {.kind = KT_SCAN_NODES};
    if (!by_index && plan->as.seek_id.rel) {
        spec.kind = KT_SCAN_RELS;
    } else if (by_index || plan->as.seek_id.has_label) {
        spec.kind = KT_SCAN_LABEL;
        KT_TRY(kt_eval_token(&op->x->eval,
                             by_index ? plan->as.seek_index.label : plan->as.seek_id.label,
                             &spec.what));
    }
    KtScan *scan;
    uint64_t id; /* room for one of either width */
    uint32_t n = 0;
    KT_TRY(kt_scan_open(op->x->view, &spec, arena, &scan));
    KtStatus status = kt_scan_next(scan, &id, 1, &n);
    kt_scan_close(scan);
    *any = n > 0;
    return status;
}

static KtStatus answer(KtOp *op, KtSeekPart *s)
{
    const KtPlan *plan = op->plan;
    bool by_index = plan->kind == KT_PLAN_SEEK_INDEX;
    bool in_list = by_index ? plan->as.seek_index.in_list : plan->as.seek_id.in_list;
    KtLevel *top = s->input.top;
    KtRowFail fail = {UINT32_MAX, KT_OK};
    KtColumn key;
    if (!s->hold)
        KT_TRY(kt_arena_open(op->x->budget, &s->hold));
    KtArena *arena;
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena); /* what was handed up is dead */
    kt_arena_reset(s->hold);
    s->n = s->at = s->cap = 0;
    s->row = NULL;
    s->id = NULL;
    kt_op_sees(op);
    KT_TRY(kt_op_eval(op, top, by_index ? plan->as.seek_index.equal : plan->as.seek_id.id, &fail,
                      &key));
    uint32_t good = top->selected;
    if (fail.row != UINT32_MAX) {
        bool any;
        KT_TRY(any_candidate(op, arena, &any));
        if (!any) { /* nothing would have been compared: no rows, and no error */
            kt_diag_clear(op->x->diag);
            return KT_OK;
        }
    }
    KT_TRY(kt_op_split(op, &fail, top->sel, &good, &s->held));
    if (by_index && !in_list) {
        uint32_t *row = kt_arena_alloc(s->hold, ((size_t)good + 1) * sizeof *row);
        if (!row)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < good; i++)
            row[i] = kt_level_selected(top, i);
        KtColumn keys;
        if (key.constant) {
            KT_TRY(kt_col_make(s->hold, KT_COL_VALUE, good, false, &keys));
            for (uint32_t i = 0; i < good; i++)
                ((KtValue *)keys.data)[i] = kt_col_value(&key, 0);
        } else {
            KT_TRY(kt_col_gather(s->hold, &key, row, good, &keys));
        }
        return look_up(op, s, &keys, row, good);
    }
    for (uint32_t i = 0; i < good; i++) {
        uint32_t row = kt_level_selected(top, i);
        KtValue v = kt_col_value(&key, row);
        KT_TRY(by_index ? look_up_list(op, s, row, v) : ids_of_row(op, s, row, v));
    }
    return by_index ? KT_OK : drop_missing(op, s);
}

/* Relationships come as references, read for the ids that are handed up. */
static KtStatus set_rels(KtOp *op, KtSeekPart *s, uint32_t n)
{
    KtArena *arena = op->arena;
    KtColumn col;
    KT_TRY(kt_col_make(arena, KT_COL_REL, n, false, &col));
    KtRelRef *ref = kt_arena_alloc(arena, n * sizeof *ref);
    if (!ref)
        return KT_ERR_MEMORY;
    uint64_t found[KT_BATCH_ROWS / 64] = {0};
    KtIds ids = {.id = s->id + s->at, .width = 8, .n = n};
    kt_op_sees(op);
    KT_TRY(kt_rel_ends(op->x->view, ids, ref, found));
    for (uint32_t i = 0; i < n; i++)
        ((const KtRelRef **)col.data)[i] = kt_bit(found, i) ? &ref[i] : NULL;
    kt_level_set(&s->made.level, op->plan->as.seek_id.slot, col);
    return KT_OK;
}

static KtStatus hand_up(KtOp *op, KtSeekPart *s, uint32_t want, KtBatch *out)
{
    uint32_t n = s->n - s->at < want ? s->n - s->at : want;
    bool rels = op->plan->kind == KT_PLAN_SEEK_ID && op->plan->as.seek_id.rel;
    KT_TRY(kt_made_begin(op, &s->made, s->input.top));
    uint32_t *id = kt_arena_alloc(op->arena, n * sizeof *id);
    if (!id)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i;
        while (end < n && s->row[s->at + end] == s->row[s->at + i]) {
            id[end] = (uint32_t)s->id[s->at + end];
            end++;
        }
        KtRun *run;
        KT_TRY(kt_made_run(op, &s->made, &run));
        *run = (KtRun){.parent = s->row[s->at + i],
                       .len = end - i,
                       .item = rels ? NULL : id + i,
                       .kind = KT_COL_NODE};
        i = end;
    }
    s->made.level.rows = n;
    if (rels)
        KT_TRY(set_rels(op, s, n));
    else
        s->made.level.item_slot = op->plan->kind == KT_PLAN_SEEK_ID ? op->plan->as.seek_id.slot
                                                                    : op->plan->as.seek_index.slot;
    s->at += n;
    kt_made_end(&s->made, out);
    return KT_OK;
}

KtStatus kt_seek_next(KtOp *op, KtSeekPart *s, uint32_t want, KtBatch *out, KtStep *step)
{
    for (;;) {
        if (s->has_input && s->at < s->n) {
            KT_TRY(hand_up(op, s, want, out));
            *step = KT_STEP_ROWS;
            return KT_OK;
        }
        if (s->has_input) {
            s->has_input = false;
            KT_TRY(kt_op_raise(op, &s->held));
        }
        KT_TRY(kt_op_next(op->child[0], KT_BATCH_ROWS, &s->input, step));
        if (*step != KT_STEP_ROWS)
            return KT_OK;
        KT_TRY(answer(op, s));
        s->has_input = true;
    }
}

void kt_seek_rewind(KtSeekPart *s)
{
    s->has_input = false;
    s->held.status = KT_OK;
}

void kt_seek_close(KtSeekPart *s) { kt_arena_close(s->hold); }

static KtStatus seek_id_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    return kt_seek_next(op, &((SeekOp *)op)->seek, want, out, step);
}

static KtStatus seek_id_rewind(KtOp *op)
{
    kt_seek_rewind(&((SeekOp *)op)->seek);
    return KT_OK;
}

static void seek_id_close(KtOp *op) { kt_seek_close(&((SeekOp *)op)->seek); }

const KtOpType kt_op_SEEK_ID = {
    .name = "SeekId",
    .size = sizeof(SeekOp),
    .next = seek_id_next,
    .rewind = seek_id_rewind,
    .close = seek_id_close,
};
