/* query/exec/op_sort.c - Sort and TopN: consume all, hand up in order of encoded keys.
 *
 * Keys are bytes (base/key.h) whose memcmp is Cypher's order, the argument row first; the sort is a merge sort over
 * (first 8 bytes, row) and stable. TopN has a heap of the best skip + limit keys so far, the worst on top: a row that
 * is not before the worst is not kept. Of the rows that were kept and pushed out, it is rid when they are too many. */
#include "query/exec/exec_internal.h"
#include "query/exec/rows.h"

#include "base/key.h"

#include <string.h>

typedef struct Entry {
    uint64_t prefix; /* first bytes of the key, big-endian as a number */
    uint32_t row;
} Entry;

typedef struct SortOp {
    KtOp base;
    KtRows *rows;
    KtBuf keys;
    KtArena *hold;       /* key ends and entries */
    size_t *end;
    uint32_t end_cap;
    uint64_t skip, limit; /* of TopN */
    bool top_n;
    Entry *heap;         /* TopN: the best so far, the worst first; NULL: not used */
    uint32_t heap_n, heap_cap;
    bool sorted;
    Entry *order;
    uint32_t n, at;      /* of order, once sorted */
    uint32_t arg;        /* TopN by argument: the row at hand, and how many of it were seen */
    uint64_t seen;
    KtMade made;
    uint16_t *pick;
} SortOp;

static KtStatus open_store(SortOp *self)
{
    KtOp *op = &self->base;
    self->n = self->at = 0;
    self->sorted = false;
    self->arg = UINT32_MAX;
    self->end = NULL;
    self->end_cap = 0;
    kt_buf_clear(&self->keys);
    self->heap = NULL;
    self->heap_n = self->heap_cap = 0;
    kt_rows_close(self->rows);
    self->rows = NULL;
    if (self->hold)
        kt_arena_reset(self->hold);
    else
        KT_TRY(kt_arena_open(op->x->budget, &self->hold));
    return kt_rows_open(op->x->budget, op->plan->as.sort.keep, op->plan->as.sort.n_keep, true, &self->rows);
}

static KtStatus sort_open(KtOp *op)
{
    SortOp *self = (SortOp *)op;
    self->keys.budget = op->x->budget;
    self->top_n = op->plan->kind == KT_PLAN_TOP_N;
    self->limit = UINT64_MAX;
    if (op->plan->as.sort.skip)
        KT_TRY(kt_op_count(op, op->plan->as.sort.skip, "SKIP", &self->skip));
    if (op->plan->as.sort.limit)
        KT_TRY(kt_op_count(op, op->plan->as.sort.limit, "LIMIT", &self->limit));
    KT_TRY(kt_op_sel(op, &self->pick));
    return open_store(self);
}

static uint64_t most_rows(const SortOp *self)
{
    return self->limit > UINT64_MAX - self->skip ? UINT64_MAX : self->limit + self->skip;
}

static const uint8_t *key_of(const SortOp *self, uint32_t row, size_t *len)
{
    size_t from = row ? self->end[row - 1] : 0;
    *len = self->end[row] - from;
    return self->keys.data + from;
}

static int compare_bytes(const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
    size_t least = n < m ? n : m;
    int c = least ? memcmp(a, b, least) : 0;
    return c ? c : (n > m) - (n < m);
}

static bool not_after(const SortOp *self, const Entry *a, const Entry *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
    size_t n, m;
    const uint8_t *x = key_of(self, a->row, &n), *y = key_of(self, b->row, &m);
    return compare_bytes(x, n, y, m) <= 0;
}

static uint64_t prefix_of(const uint8_t *key, size_t len)
{
    uint8_t first[8] = {0};
    if (len >= 8)
        return kt_load_be64(key);
    if (len)
        memcpy(first, key, len);
    return kt_load_be64(first);
}

static Entry entry_of(const SortOp *self, uint32_t row)
{
    size_t len;
    const uint8_t *key = key_of(self, row, &len);
    return (Entry){prefix_of(key, len), row};
}

/* ---- the heap of TopN ---- */

static bool uses_heap(const SortOp *self)
{
    uint64_t most = most_rows(self);
    return self->top_n && !self->base.arg && most > 0 && most < UINT32_MAX / 4;
}

/* Is the key that ends the buffer before the worst of the best? An equal one came later, so it is not. */
static bool before_worst(const SortOp *self, size_t from)
{
    const uint8_t *key = self->keys.data + from;
    size_t len = self->keys.len - from, worst_len;
    uint64_t prefix = prefix_of(key, len);
    if (prefix != self->heap[0].prefix)
        return prefix < self->heap[0].prefix;
    const uint8_t *worst = key_of(self, self->heap[0].row, &worst_len);
    return compare_bytes(key, len, worst, worst_len) < 0;
}

/* Later of two: of equal keys the row that came later. */
static bool later(const SortOp *self, const Entry *a, const Entry *b)
{
    bool first = not_after(self, a, b);
    if (first && a->prefix == b->prefix && not_after(self, b, a))
        return a->row > b->row;
    return !first;
}

static void swap_entries(Entry *a, Entry *b)
{
    Entry e = *a;
    *a = *b;
    *b = e;
}

/* Puts an entry in; beyond `most` the worst falls out. */
static KtStatus heap_add(SortOp *self, Entry entry, uint32_t most)
{
    Entry *heap = self->heap;
    if (self->heap_n < most) {
        void *at = heap;
        KT_TRY(kt_arena_grow(self->hold, &at, self->heap_n, &self->heap_cap, sizeof *heap));
        self->heap = heap = at;
        uint32_t i = self->heap_n++;
        heap[i] = entry;
        for (; i > 0 && later(self, &heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2)
            swap_entries(&heap[i], &heap[(i - 1) / 2]);
        return KT_OK;
    }
    heap[0] = entry;
    for (uint32_t i = 0;;) {
        uint32_t left = 2 * i + 1, worst = i;
        if (left < most && later(self, &heap[left], &heap[worst]))
            worst = left;
        if (left + 1 < most && later(self, &heap[left + 1], &heap[worst]))
            worst = left + 1;
        if (worst == i)
            return KT_OK;
        swap_entries(&heap[i], &heap[worst]);
        i = worst;
    }
}

/* Bottom-up merges between two arrays; the result is in *out. */
static KtStatus merge_sort(SortOp *self, Entry *a, Entry *b, uint32_t n, Entry **out)
{
    bool again;
    for (uint64_t width = 1; width < n; width *= 2) {
        for (uint64_t from = 0; from < n; from += 2 * width) {
            uint64_t mid = from + width < n ? from + width : n, end = from + 2 * width < n ? from + 2 * width : n;
            uint64_t i = from, k = mid;
            for (uint64_t to = from; to < end; to++) {
                if (i < mid && (k >= end || not_after(self, &a[i], &a[k])))
                    b[to] = a[i++];
                else
                    b[to] = a[k++];
            }
            KT_TRY(kt_tick(self->base.x, (uint32_t)(end - from), &again));
        }
        Entry *swap = a;
        a = b;
        b = swap;
    }
    *out = a;
    return KT_OK;
}

static KtStatus sort_rows(SortOp *self)
{
    uint32_t n = kt_rows_count(self->rows);
    Entry *a = kt_arena_alloc(self->hold, ((size_t)n + 1) * sizeof *a), *b = kt_arena_alloc(self->hold, ((size_t)n + 1) * sizeof *b);
    if (!a || !b)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        a[i] = entry_of(self, i);
    self->n = n;
    return merge_sort(self, a, b, n, &self->order);
}

/* ---- consuming ---- */

static KtStatus add_end(SortOp *self, uint32_t row)
{
    void *end = self->end;
    KT_TRY(kt_arena_grow(self->hold, &end, row, &self->end_cap, sizeof *self->end));
    self->end = end;
    self->end[row] = self->keys.len;
    return KT_OK;
}

static KtStatus consume(SortOp *self, KtLevel *top)
{
    KtOp *op = &self->base;
    uint32_t keys = op->plan->as.sort.keys;
    KtArena *arena;
    const uint16_t *arg = NULL;
    KT_CHECK(!top->weight); /* the planner puts Unweigh below */
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    if (op->arg)
        KT_TRY(kt_op_arg_rows(op, top, &arg));
    KtColumn *col = kt_arena_alloc(arena, ((size_t)keys + 1) * sizeof *col);
    if (!col)
        return KT_ERR_MEMORY;
    kt_op_sees(op);
    for (uint32_t i = 0; i < keys; i++)
        KT_TRY(kt_op_eval(op, top, op->plan->as.sort.key[i].key, NULL, &col[i]));
    uint32_t n = 0, first = kt_rows_count(self->rows);
    uint64_t most = most_rows(self);
    bool heaped = uses_heap(self);
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i);
        size_t from = self->keys.len;
        if (op->arg)
            kt_buf_be32(&self->keys, kt_mapped(arg, row));
        for (uint32_t k = 0; k < keys; k++) {
            if (op->plan->as.sort.key[k].descending)
                kt_key_put_descending(&self->keys, kt_col_value(&col[k], row));
            else
                kt_key_put(&self->keys, kt_col_value(&col[k], row));
        }
        KT_TRY(kt_buf_status(&self->keys));
        if (heaped && self->heap_n == most && !before_worst(self, from)) {
            self->keys.len = from;
            continue;
        }
        KT_TRY(add_end(self, first + n));
        if (heaped)
            KT_TRY(heap_add(self, entry_of(self, first + n), (uint32_t)most));
        self->pick[n++] = (uint16_t)row;
    }
    uint16_t *tag = NULL;
    if (!op->arg) { /* not read, but every row has one */
        tag = kt_arena_zero(arena, (size_t)top->rows + 1, sizeof *tag);
        if (!tag)
            return KT_ERR_MEMORY;
    }
    return kt_rows_put(self->rows, top, self->pick, n, op->arg ? arg : tag);
}

/* Keeps the best rows only. */
static KtStatus keep_best(SortOp *self, uint32_t most)
{
    KtOp *op = &self->base;
    KT_TRY(sort_rows(self));
    KtRows *rows = self->rows;
    Entry *order = self->order;
    KtArena *hold = self->hold;
    KtBuf keys = self->keys;
    size_t *end = self->end;
    self->rows = NULL;
    self->hold = NULL;
    self->keys = (KtBuf){.budget = op->x->budget};
    KtStatus status = open_store(self);
    for (uint32_t from = 0; status == KT_OK && from < most; from += KT_BATCH_ROWS) {
        uint32_t n = most - from < KT_BATCH_ROWS ? most - from : KT_BATCH_ROWS, row[KT_BATCH_ROWS];
        status = kt_made_begin(op, &self->made, NULL);
        for (uint32_t i = 0; status == KT_OK && i < n; i++) {
            uint32_t r = row[i] = order[from + i].row;
            size_t at = r ? end[r - 1] : 0;
            kt_buf_put(&self->keys, keys.data + at, end[r] - at);
            status = kt_buf_status(&self->keys);
            if (status == KT_OK)
                status = add_end(self, from + i);
            if (status == KT_OK)
                status = heap_add(self, entry_of(self, from + i), most);
        }
        self->made.level.rows = self->made.level.selected = n;
        if (status == KT_OK)
            status = kt_rows_get(rows, row, n, &self->made.level);
        if (status == KT_OK)
            status = kt_rows_put(self->rows, &self->made.level, NULL, n, NULL);
    }
    kt_rows_close(rows);
    kt_arena_close(hold);
    kt_buf_close(&keys);
    return status;
}

/* ---- handing up ---- */

static KtStatus hand_up(SortOp *self, uint32_t want, KtBatch *out, KtStep *step)
{
    KtOp *op = &self->base;
    uint32_t row[KT_BATCH_ROWS], n = 0;
    while (n < want && self->at < self->n) {
        uint32_t r = self->order[self->at++].row, arg = op->arg ? kt_rows_tag(self->rows, r) : 0;
        if (arg != self->arg) {
            self->arg = arg;
            self->seen = 0;
        }
        uint64_t place = self->seen++;
        if (place < self->skip)
            continue;
        if (place - self->skip >= self->limit) {
            if (!op->arg)
                self->at = self->n;
            continue;
        }
        row[n++] = r;
    }
    if (n == 0) {
        *step = KT_STEP_END;
        return KT_OK;
    }
    *step = KT_STEP_ROWS;
    return kt_op_emit(op, &self->made, self->rows, row, n, out);
}

static KtStatus sort_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    SortOp *self = (SortOp *)op;
    uint64_t most = most_rows(self);
    while (!self->sorted) {
        KtBatch input;
        KT_TRY(kt_op_next(op->child[0], KT_BATCH_ROWS, &input, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_END) {
            KT_TRY(sort_rows(self));
            self->sorted = true;
            break;
        }
        KT_TRY(consume(self, input.top));
        uint32_t have = kt_rows_count(self->rows);
        if (uses_heap(self) && have > 2 * most + KT_BATCH_ROWS)
            KT_TRY(keep_best(self, (uint32_t)most));
    }
    return hand_up(self, want, out, step);
}

static KtStatus sort_rewind(KtOp *op) { return open_store((SortOp *)op); }

static void sort_close(KtOp *op)
{
    SortOp *self = (SortOp *)op;
    kt_rows_close(self->rows);
    kt_arena_close(self->hold);
    kt_buf_close(&self->keys);
}

const KtOpType kt_op_SORT = {
    .name = "Sort",
    .size = sizeof(SortOp),
    .traits = KT_OP_BY_ARG | KT_OP_BARRIER,
    .open = sort_open,
    .next = sort_next,
    .rewind = sort_rewind,
    .close = sort_close,
};

const KtOpType kt_op_TOP_N = {
    .name = "TopN",
    .size = sizeof(SortOp),
    .traits = KT_OP_BY_ARG | KT_OP_BARRIER,
    .open = sort_open,
    .next = sort_next,
    .rewind = sort_rewind,
    .close = sort_close,
};
