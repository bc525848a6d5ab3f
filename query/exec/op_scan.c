/* query/exec/op_scan.c - ScanAll, ScanLabel and SeekIndex by a range: for each input row, runs of node ids.
 *
 * The ids of one scan are read straight into the batch's id array. A scan is opened again for each input row; what
 * must hold is that it never reads more ids than `want` has room for, so that LIMIT 1 over a scan reads one id. */
#include "query/exec/exec_internal.h"

typedef struct ScanOp {
    KtOp base;
    KtBatch input;
    uint32_t at; /* selected row of input that is scanned for */
    bool has_input;
    KtScan *scan; /* NULL: the next row's is not open yet */
    KtArena *scan_arena;
    KtColumn low, high; /* of a range, over the input's rows */
    uint32_t good;      /* selected rows of input before a failing one */
    KtHeld held;        /* that row's failure */
    KtMade made;
    uint32_t *id;
    KtSeekPart seek; /* SeekIndex by equality */
} ScanOp;

static KtStatus scan_spec(ScanOp *self, KtScanSpec *spec, KtRange *range, KtValue *bound,
                          bool *empty)
{
    KtOp *op = &self->base;
    const KtPlan *plan = op->plan;
    *empty = false;
    if (plan->kind == KT_PLAN_SCAN_ALL) {
        *spec = (KtScanSpec){.kind = KT_SCAN_NODES};
        return KT_OK;
    }
    if (plan->kind == KT_PLAN_SCAN_LABEL) {
        *spec = (KtScanSpec){.kind = KT_SCAN_LABEL};
        KT_TRY(kt_eval_token(&op->x->eval, plan->as.scan_label.label, &spec->what));
        *empty = spec->what == 0;
        return KT_OK;
    }
    *spec = (KtScanSpec){.kind = KT_SCAN_INDEX, .index = plan->as.seek_index.index, .range = range};
    *range = (KtRange){.low_inclusive = plan->as.seek_index.low_inclusive,
                       .high_inclusive = plan->as.seek_index.high_inclusive};
    uint32_t row = kt_level_selected(self->input.top, self->at);
    if (plan->as.seek_index.low) {
        bound[0] = kt_col_value(&self->low, row);
        range->low = &bound[0];
        *empty = *empty || kt_is_null(bound[0]);
    }
    if (plan->as.seek_index.high) {
        bound[1] = kt_col_value(&self->high, row);
        range->high = &bound[1];
        *empty = *empty || kt_is_null(bound[1]);
    }
    return KT_OK;
}

/* Opens the scan of the row at hand; *empty: it has nothing. */
static KtStatus open_scan(ScanOp *self, bool *empty)
{
    KtOp *op = &self->base;
    KtScanSpec spec;
    KtRange range;
    KtValue bound[2];
    kt_op_sees(op);
    KT_TRY(scan_spec(self, &spec, &range, bound, empty));
    if (*empty)
        return KT_OK;
    if (!self->scan_arena)
        KT_TRY(kt_arena_open(op->x->budget, &self->scan_arena));
    else
        kt_arena_reset(self->scan_arena);
    return kt_scan_open(op->x->view, &spec, self->scan_arena, &self->scan);
}

static KtStatus begin_input(ScanOp *self)
{
    KtOp *op = &self->base;
    KtRowFail fail = {UINT32_MAX, KT_OK};
    self->at = 0;
    self->good = self->input.top->selected;
    if (op->plan->kind == KT_PLAN_SEEK_INDEX) {
        /* The bounds live as long as the input: in its own scratch, since ours goes with each batch. */
        KtArena *own = op->arena;
        op->arena = self->input.top->cols->scratch;
        kt_op_sees(op);
        KtStatus status = KT_OK;
        if (op->plan->as.seek_index.low)
            status =
                kt_op_eval(op, self->input.top, op->plan->as.seek_index.low, &fail, &self->low);
        if (status == KT_OK && op->plan->as.seek_index.high)
            status =
                kt_op_eval(op, self->input.top, op->plan->as.seek_index.high, &fail, &self->high);
        op->arena = own;
        KT_TRY(status);
        KT_TRY(kt_op_split(op, &fail, self->input.top->sel, &self->good, &self->held));
    }
    self->has_input = true;
    return KT_OK;
}

static KtStatus close_scan(ScanOp *self)
{
    kt_scan_close(self->scan);
    self->scan = NULL;
    return KT_OK;
}

/* Reads from the scans of the input's rows until `want` ids stand in the batch or the input is used up. */
static KtStatus fill(ScanOp *self, uint32_t want)
{
    KtLevel *level = &self->made.level;
    while (level->rows < want && self->at < self->good) {
        bool empty = false;
        if (!self->scan)
            KT_TRY(open_scan(self, &empty));
        uint32_t n = 0;
        if (!empty)
            KT_TRY(kt_scan_next(self->scan, self->id + level->rows, want - level->rows, &n));
        if (n == 0) {
            KT_TRY(close_scan(self));
            self->at++;
            bool again; /* many rows, each with an empty scan */
            KT_TRY(kt_tick(self->base.x, 16, &again));
            continue;
        }
        KtRun *run;
        KT_TRY(kt_made_run(&self->base, &self->made, &run));
        *run = (KtRun){.parent = kt_level_selected(self->input.top, self->at),
                       .len = n,
                       .item = self->id + level->rows,
                       .kind = KT_COL_NODE,
                       .ascends = self->base.plan->kind != KT_PLAN_SEEK_INDEX};
        level->rows += n;
    }
    return KT_OK;
}

static KtSlot slot_of(const KtPlan *plan)
{
    if (plan->kind == KT_PLAN_SCAN_ALL)
        return plan->as.scan_all.slot;
    return plan->kind == KT_PLAN_SCAN_LABEL ? plan->as.scan_label.slot : plan->as.seek_index.slot;
}

static KtStatus scan_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    ScanOp *self = (ScanOp *)op;
    if (!self->id) {
        self->id = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof *self->id);
        if (!self->id)
            return KT_ERR_MEMORY;
    }
    for (;;) {
        if (!self->has_input) {
            KT_TRY(kt_op_next(op->child[0], want > 64 ? KT_BATCH_ROWS : want, &self->input, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            KT_TRY(begin_input(self));
        }
        KT_TRY(kt_made_begin(op, &self->made, self->input.top));
        self->made.level.item_slot = slot_of(op->plan);
        KT_TRY(fill(self, want));
        if (self->made.level.rows > 0) {
            kt_made_end(&self->made, out);
            *step = KT_STEP_ROWS;
            return KT_OK;
        }
        self->has_input = false;
        KT_TRY(kt_op_raise(op, &self->held));
    }
}

static KtStatus scan_rewind(KtOp *op)
{
    ScanOp *self = (ScanOp *)op;
    self->has_input = false;
    return close_scan(self);
}

static KtStatus scan_park(KtOp *op)
{
    ScanOp *self = (ScanOp *)op;
    if (self->scan)
        kt_scan_park(self->scan);
    return KT_OK;
}

static void scan_close(KtOp *op)
{
    ScanOp *self = (ScanOp *)op;
    kt_scan_close(self->scan);
    kt_arena_close(self->scan_arena);
}

const KtOpType kt_op_SCAN_ALL = {
    .name = "ScanAll",
    .size = sizeof(ScanOp),
    .next = scan_next,
    .rewind = scan_rewind,
    .park = scan_park,
    .close = scan_close,
};

const KtOpType kt_op_SCAN_LABEL = {
    .name = "ScanLabel",
    .size = sizeof(ScanOp),
    .next = scan_next,
    .rewind = scan_rewind,
    .park = scan_park,
    .close = scan_close,
};

/* ---- SeekIndex: a range is a scan, equality is the batched lookup of op_seek.c ---- */

static KtStatus seek_index_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    if (op->plan->as.seek_index.equal)
        return kt_seek_next(op, &((ScanOp *)op)->seek, want, out, step);
    return scan_next(op, want, out, step);
}

static KtStatus seek_index_rewind(KtOp *op)
{
    kt_seek_rewind(&((ScanOp *)op)->seek);
    return scan_rewind(op);
}

static void seek_index_close(KtOp *op)
{
    kt_seek_close(&((ScanOp *)op)->seek);
    scan_close(op);
}

const KtOpType kt_op_SEEK_INDEX = {
    .name = "SeekIndex",
    .size = sizeof(ScanOp),
    .next = seek_index_next,
    .rewind = seek_index_rewind,
    .park = scan_park,
    .close = seek_index_close,
};
