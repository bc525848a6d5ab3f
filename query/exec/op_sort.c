/* query/exec/op_sort.c - Sort and TopN: consume all, hand up in order of encoded keys.
 *
 * Keys are bytes (base/key.h) whose memcmp is Cypher's order, the argument row first; the sort is a merge sort over
 * (first 8 bytes, row) and stable. TopN never keeps more than twice skip + limit rows: when it has that many, it
 * keeps the best, and from then on looks only at rows below the worst of them. Where its first keys are integers it
 * also keeps a heap of the best numbers, by which most rows are refused before anything of them is encoded. */
#include "query/exec/exec_internal.h"
#include "query/exec/rows.h"

#include "base/key.h"

#include <string.h>

typedef struct Entry {
    uint64_t prefix; /* first bytes of the key, big-endian as a number */
    uint32_t row;
} Entry;

enum { HEAP_KEYS = 4, HEAP_ROWS = 1024 };

/* The integer keys of the best rows so far, the worst of them at the root. Descending keys are stored inverted. */
typedef struct Heap {
    int64_t *key; /* `keys` for each row; one row more, for the one at hand */
    uint32_t n, keys;
} Heap;

typedef struct SortOp {
    KtOp base;
    KtRows *rows;
    KtBuf keys;
    KtArena *hold; /* key ends and entries */
    size_t *end;
    uint32_t end_cap;
    uint64_t skip, limit; /* of TopN */
    bool top_n;
    Heap heap;
    KtBuf worst; /* TopN: rows whose key is not below it are of no use; empty: none yet */
    bool sorted;
    Entry *order;
    uint32_t n, at; /* of order, once sorted */
    uint32_t arg;   /* TopN by argument: the row at hand, and how many of it were seen */
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
    kt_buf_clear(&self->worst);
    kt_rows_close(self->rows);
    self->rows = NULL;
    if (self->hold)
        kt_arena_reset(self->hold);
    else
        KT_TRY(kt_arena_open(op->x->budget, &self->hold));
    return kt_rows_open(op->x->budget, op->plan->as.sort.keep, op->plan->as.sort.n_keep, true,
                        &self->rows);
}

static KtStatus sort_open(KtOp *op)
{
    SortOp *self = (SortOp *)op;
    self->keys.budget = self->worst.budget = op->x->budget;
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

/* Bottom-up merges between two arrays; the result is in *out. */
static KtStatus merge_sort(SortOp *self, Entry *a, Entry *b, uint32_t n, Entry **out)
{
    bool again;
    for (uint64_t width = 1; width < n; width *= 2) {
        for (uint64_t from = 0; from < n; from += 2 * width) {
            uint64_t mid = from + width < n ? from + width : n,
                     end = from + 2 * width < n ? from + 2 * width : n;
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
    Entry *a = kt_arena_alloc(self->hold, ((size_t)n + 1) * sizeof *a),
          *b = kt_arena_alloc(self->hold, ((size_t)n + 1) * sizeof *b);
    if (!a || !b)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        size_t len;
        const uint8_t *key = key_of(self, i, &len);
        uint8_t first[8] = {0};
        if (len)
            memcpy(first, key, len < 8 ? len : 8);
        a[i] = (Entry){kt_load_be64(first), i};
    }
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

/* ---- refusing rows of TopN by their integer keys ---- */

static int compare_ints(const int64_t *a, const int64_t *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

static void swap_ints(int64_t *a, int64_t *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        int64_t keep = a[i];
        a[i] = b[i];
        b[i] = keep;
    }
}

static void sift_up(Heap *heap)
{
    uint32_t k = heap->keys;
    for (uint32_t at = heap->n - 1; at > 0;) {
        uint32_t above = (at - 1) / 2;
        if (compare_ints(&heap->key[at * k], &heap->key[above * k], k) <= 0)
            return;
        swap_ints(&heap->key[at * k], &heap->key[above * k], k);
        at = above;
    }
}

static void sift_down(Heap *heap)
{
    uint32_t k = heap->keys;
    for (uint32_t at = 0, below; (below = 2 * at + 1) < heap->n; at = below) {
        if (below + 1 < heap->n &&
            compare_ints(&heap->key[(below + 1) * k], &heap->key[below * k], k) > 0)
            below++;
        if (compare_ints(&heap->key[at * k], &heap->key[below * k], k) >= 0)
            return;
        swap_ints(&heap->key[at * k], &heap->key[below * k], k);
    }
}

/* Can the heap speak about rows with these key columns? */
static KtStatus heap_fits(SortOp *self, const KtColumn *col, bool *fits)
{
    const KtOp *op = &self->base;
    uint64_t most = most_rows(self);
    uint32_t ints = 0, keys = op->plan->as.sort.keys;
    *fits = false;
    if (!self->top_n || op->arg || most == 0 || most > HEAP_ROWS)
        return KT_OK;
    while (ints < keys && ints < HEAP_KEYS && col[ints].kind == KT_COL_INT && !col[ints].nulls &&
           !col[ints].constant)
        ints++;
    if (!self->heap.key && ints > 0) {
        self->heap.keys = ints;
        self->heap.key = kt_arena_alloc(op->x->arena, (most + 1) * ints * sizeof *self->heap.key);
        if (!self->heap.key)
            return KT_ERR_MEMORY;
    }
    *fits = ints > 0 && ints >= self->heap.keys;
    return KT_OK;
}

/* How the row stands to the root: above 0, it is not among the best. */
static int order_to_root(const SortOp *self, const KtColumn *col, uint32_t row)
{
    const Heap *heap = &self->heap;
    const KtPlanSort *sort = self->base.plan->as.sort.key;
    for (uint32_t i = 0; i < heap->keys; i++) {
        int64_t x = ((const int64_t *)col[i].data)[row];
        x = sort[i].descending ? ~x : x;
        if (x != heap->key[i])
            return x < heap->key[i] ? -1 : 1;
    }
    return 0;
}

static void heap_put(SortOp *self, const KtColumn *col, uint32_t row, bool full)
{
    Heap *heap = &self->heap;
    int64_t *key = full ? heap->key : &heap->key[heap->n * heap->keys];
    for (uint32_t i = 0; i < heap->keys; i++) {
        int64_t x = ((const int64_t *)col[i].data)[row];
        key[i] = self->base.plan->as.sort.key[i].descending ? ~x : x;
    }
    if (full) {
        sift_down(heap);
    } else {
        heap->n++;
        sift_up(heap);
    }
}

/* self->pick[0 .. result): the selected rows that the heap does not refuse. */
static uint32_t pick_by_heap(SortOp *self, const KtLevel *top, const KtColumn *col)
{
    Heap *heap = &self->heap;
    bool exact = heap->keys == self->base.plan->as.sort.keys;
    uint32_t n = 0, kept = 0, i = 0, most = (uint32_t)most_rows(self);
    for (; i < top->selected && heap->n < most; i++) {
        uint32_t row = kt_level_selected(top, i);
        heap_put(self, col, row, false);
        self->pick[n++] = (uint16_t)row;
    }
    const int64_t *first = col[0].data;
    int64_t flip = self->base.plan->as.sort.key[0].descending ? -1 : 0, root = heap->key[0];
    for (; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i);
        if ((first[row] ^ flip) > root)
            continue;
        int order = order_to_root(self, col, row);
        if (order > 0 || (order == 0 && exact)) /* of equal rows the first counts */
            continue;
        self->pick[n++] = (uint16_t)row;
        if (order < 0)
            heap_put(self, col, row, true);
        root = heap->key[0];
    }
    for (i = 0; i < n; i++) { /* better rows may have come behind them */
        uint16_t row = self->pick[i];
        self->pick[kept] = row;
        kept += heap->n < most || order_to_root(self, col, row) <= 0;
    }
    return kept;
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
    bool heap;
    KT_TRY(heap_fits(self, col, &heap));
    uint32_t rows = heap ? pick_by_heap(self, top, col) : top->selected;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t row = heap ? self->pick[i] : kt_level_selected(top, i);
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
        if (self->worst.len && compare_bytes(self->keys.data + from, self->keys.len - from,
                                             self->worst.data, self->worst.len) >= 0) {
            self->keys.len = from;
            continue;
        }
        KT_TRY(add_end(self, first + n));
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
            if (status == KT_OK && from + i + 1 == most)
                kt_buf_put(&self->worst, keys.data + at, end[r] - at);
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
        if (self->top_n && !op->arg && most > 0 && most < UINT32_MAX / 4 &&
            have > 2 * most + KT_BATCH_ROWS)
            KT_TRY(keep_best(self, (uint32_t)most));
    }
    return hand_up(self, want, out, step);
}

static KtStatus sort_rewind(KtOp *op)
{
    ((SortOp *)op)->heap.n = 0;
    return open_store((SortOp *)op);
}

static void sort_close(KtOp *op)
{
    SortOp *self = (SortOp *)op;
    kt_rows_close(self->rows);
    kt_arena_close(self->hold);
    kt_buf_close(&self->keys);
    kt_buf_close(&self->worst);
}

const KtOpType kt_op_SORT = {
    .name = "Sort",
    .size = sizeof(SortOp),
    .open = sort_open,
    .next = sort_next,
    .rewind = sort_rewind,
    .close = sort_close,
};

const KtOpType kt_op_TOP_N = {
    .name = "TopN",
    .size = sizeof(SortOp),
    .open = sort_open,
    .next = sort_next,
    .rewind = sort_rewind,
    .close = sort_close,
};
