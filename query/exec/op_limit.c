/* query/exec/op_limit.c - SKIP and LIMIT: the input's level with its selection cut, weights split.
 *
 * Under an argument each argument row has a count of its own. LIMIT passes `want` down and never asks for a row
 * that it cannot use, with one exception: where the plan below writes, it is asked at least once, since LIMIT 0 hides
 * rows but not writes (the Barrier below does them all when first asked). */
#include "query/exec/exec_internal.h"

typedef struct CutOp {
    KtOp base;
    KtBatch input;
    uint64_t count;    /* of the clause */
    uint64_t left;     /* without an argument */
    uint64_t *left_by; /* by argument row */
    uint32_t left_cap;
    bool asked, writes_below;
    KtLevel level;
    uint16_t *sel;
    uint64_t *weight;
} CutOp;

static bool writes(const KtPlan *plan)
{
    if (!plan)
        return false;
    return (kt_op_type(plan->kind)->traits & KT_OP_WRITES) || writes(plan->child[0]) ||
           writes(plan->child[1]);
}

KtStatus kt_op_count(KtOp *op, const KtProgram *program, const char *clause, uint64_t *out)
{
    KtValue v; /* row-free: it reads nothing of the graph, and its clause has not begun */
    KT_TRY(kt_program_value(program, &op->x->eval, op->x->arena, &v));
    const KtExpr *expr = kt_program_expr(program);
    const KtPos *at = expr ? &expr->at : NULL;
    if (v.kind != KT_INT)
        return kt_diag_set(op->x->diag, KT_ERR_INVALID_ARGUMENT_TYPE, at,
                           "%s takes an Integer, not %s", clause, kt_kind_name((KtKind)v.kind));
    if (v.as.i < 0)
        return kt_diag_set(op->x->diag, KT_ERR_NEGATIVE_INTEGER_ARGUMENT, at,
                           "%s takes an Integer that is not negative", clause);
    *out = (uint64_t)v.as.i;
    return KT_OK;
}

static KtStatus begin(CutOp *self)
{
    KtOp *op = &self->base;
    self->left = self->count;
    self->asked = false;
    if (!op->arg || !op->arg->top)
        return KT_OK;
    uint32_t rows = op->arg->top->rows;
    if (rows > self->left_cap) {
        self->left_by = kt_arena_alloc(op->x->arena, KT_BATCH_ROWS * sizeof *self->left_by);
        if (!self->left_by)
            return KT_ERR_MEMORY;
        self->left_cap = KT_BATCH_ROWS;
    }
    for (uint32_t i = 0; i < rows; i++)
        self->left_by[i] = self->count;
    return KT_OK;
}

static KtStatus cut_open(KtOp *op)
{
    CutOp *self = (CutOp *)op;
    self->writes_below = writes(op->plan->child[0]);
    KT_TRY(kt_op_count(op, op->plan->as.limit.count,
                       op->plan->kind == KT_PLAN_LIMIT ? "LIMIT" : "SKIP", &self->count));
    return begin(self);
}

static KtStatus cut_rewind(KtOp *op) { return begin((CutOp *)op); }

/* Keeps `weight` for `row`: only copied when it differs from the input's. */
static KtStatus set_weight(CutOp *self, const KtLevel *top, uint32_t row, uint64_t weight)
{
    if (!self->weight) {
        self->weight = kt_arena_alloc(self->base.x->arena, KT_BATCH_ROWS * sizeof *self->weight);
        if (!self->weight)
            return KT_ERR_MEMORY;
    }
    if (self->level.weight != self->weight) {
        for (uint32_t i = 0; i < top->rows; i++)
            self->weight[i] = kt_level_weight(top, i);
        self->level.weight = self->weight;
    }
    self->weight[row] = weight;
    return KT_OK;
}

/* LIMIT keeps the first `left` rows, SKIP what comes after them. Returns rows kept in self->level. */
static KtStatus cut(CutOp *self, uint32_t *kept)
{
    KtOp *op = &self->base;
    const KtLevel *top = self->input.top;
    const uint16_t *arg = NULL;
    bool by_arg = op->arg != NULL, limit = op->plan->kind == KT_PLAN_LIMIT;
    if (by_arg)
        KT_TRY(kt_op_arg_rows(op, self->input.top, &arg));
    KT_TRY(kt_op_sel(op, &self->sel));
    self->level = *top;
    uint32_t n = 0;
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i);
        uint64_t *left = by_arg ? &self->left_by[kt_mapped(arg, row)] : &self->left;
        uint64_t weight = kt_level_weight(top, row), used = weight < *left ? weight : *left;
        *left -= used;
        uint64_t stays = limit ? used : weight - used;
        if (stays == 0)
            continue;
        if (stays != weight)
            KT_TRY(set_weight(self, top, row, stays));
        self->sel[n++] = (uint16_t)row;
    }
    self->level.sel = self->sel;
    self->level.selected = n;
    *kept = n;
    return KT_OK;
}

/* True when no row can pass any more. */
static bool used_up(const CutOp *self)
{
    const KtBatch *arg = self->base.arg;
    if (!arg)
        return self->left == 0;
    for (uint32_t i = 0; i < arg->top->selected; i++) {
        if (self->left_by[kt_level_selected(arg->top, i)] != 0)
            return false;
    }
    return true;
}

static KtStatus limit_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    CutOp *self = (CutOp *)op;
    for (;;) {
        if (used_up(self) && (self->asked || !self->writes_below)) {
            *step = KT_STEP_END;
            return KT_OK;
        }
        uint64_t most = op->arg ? want : self->left;
        uint32_t ask = most < want ? (uint32_t)most : want;
        KT_TRY(kt_op_next(op->child[0], ask ? ask : 1, &self->input, step));
        if (*step != KT_STEP_AGAIN)
            self->asked = true;
        if (*step != KT_STEP_ROWS)
            return KT_OK;
        uint32_t kept;
        KT_TRY(cut(self, &kept));
        if (kept > 0) {
            out->top = &self->level;
            return KT_OK;
        }
    }
}

static KtStatus skip_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    CutOp *self = (CutOp *)op;
    for (;;) {
        KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
        if (*step != KT_STEP_ROWS)
            return KT_OK;
        if (!op->arg && self->left == 0) {
            *out = self->input;
            return KT_OK;
        }
        uint32_t kept;
        KT_TRY(cut(self, &kept));
        if (kept > 0) {
            out->top = &self->level;
            return KT_OK;
        }
    }
}

const KtOpType kt_op_LIMIT = {
    .name = "Limit",
    .size = sizeof(CutOp),
    .open = cut_open,
    .next = limit_next,
    .rewind = cut_rewind,
};

const KtOpType kt_op_SKIP = {
    .name = "Skip",
    .size = sizeof(CutOp),
    .open = cut_open,
    .next = skip_next,
    .rewind = cut_rewind,
};
