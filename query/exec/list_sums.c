/* query/exec/list_sums.c - sums over the lists of a last hop: the rest once for each row before the hop, and the ends'
 * part added where the list lies.
 *
 * What must hold: the outcome, errors included, is that of adding row by row. Parts of ends are below 2^52 and each
 * rest below 2^58, eight at most, so that no addition of a row could have overflowed in whatever order; totals are
 * kept apart and added in 128 bits. */
#include "query/exec/list_sums.h"

#include <string.h>

#define REST_MOST ((int64_t)1 << 58)
enum { FEW_ROWS = 64 };

static KT_CLONES void sum_ids(const KtIdList *list, uint32_t n, int64_t *sum)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *id = list[i].id;
        uint64_t all = 0;
        for (uint32_t k = 0; k < list[i].n; k++)
            all += id[k];
        sum[i] = (int64_t)all;
    }
}

KtStatus kt_list_sums_open(KtOp *op, KtListSums *sums)
{
    KtArena *arena = op->x->arena;
    uint32_t n = op->plan->as.aggregate.n;
    *sums = (KtListSums){.item = op->plan->as.aggregate.item, .n = n};
    sums->rest = kt_arena_zero(arena, n, sizeof *sums->rest);
    sums->part = kt_arena_zero(arena, n, sizeof *sums->part);
    return sums->rest && sums->part ? KT_OK : KT_ERR_MEMORY;
}

/* Most statements have few rows before their last hop. */
static KtStatus rows_room(KtOp *op, KtListSums *sums, uint32_t rows)
{
    KtArena *arena = op->x->arena;
    if (rows <= sums->cap)
        return KT_OK;
    uint32_t cap = rows <= FEW_ROWS ? FEW_ROWS : KT_BATCH_ROWS;
    sums->weight = kt_arena_alloc(arena, cap * sizeof *sums->weight);
    sums->sel = kt_arena_alloc(arena, cap * sizeof *sums->sel);
    if (!sums->weight || !sums->sel)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < sums->n; i++) {
        const KtPlanListSum *plan = sums->item[i].list_sum;
        if (plan && !(sums->part[i] = kt_arena_alloc(arena, cap * sizeof **sums->part)))
            return KT_ERR_MEMORY;
        if (plan && plan->rests &&
            !(sums->rest[i] = kt_arena_alloc(arena, cap * sizeof **sums->rest)))
            return KT_ERR_MEMORY;
    }
    sums->cap = cap;
    return KT_OK;
}

/* A rest that fails for a row leaves the batch to the rows: one without ends fails nobody. */
static KtStatus read_rest(KtOp *op, KtLevel *input, const KtProgram *program, bool first,
                          int64_t *rest, bool *whole)
{
    KtColumn col;
    KtRowFail fail = {UINT32_MAX, KT_OK};
    KT_TRY(kt_op_eval(op, input, program, &fail, &col));
    if (fail.row != UINT32_MAX) {
        if (op->x->diag)
            kt_diag_clear(op->x->diag);
        *whole = false;
        return KT_OK;
    }
    if (col.kind == KT_COL_INT && !col.nulls && !col.constant && !input->sel) {
        uint64_t bits = 0;
        const int64_t *x = col.data;
        for (uint32_t i = 0; i < input->rows; i++)
            bits |= (uint64_t)x[i] ^ (uint64_t)(x[i] >> 63);
        *whole = bits < (uint64_t)REST_MOST;
        for (uint32_t i = 0; i < input->rows && *whole; i++)
            rest[i] = first ? x[i] : rest[i] + x[i];
        return KT_OK;
    }
    for (uint32_t i = 0; i < input->selected && *whole; i++) {
        uint32_t row = kt_level_selected(input, i);
        KtValue v = kt_col_value(&col, row);
        *whole = v.kind == KT_INT && v.as.i < REST_MOST && v.as.i > -REST_MOST;
        if (*whole)
            rest[row] = first ? v.as.i : rest[row] + v.as.i;
    }
    return KT_OK;
}

KtStatus kt_list_sums_begin(KtOp *op, KtListSums *sums, KtLevel *input)
{
    KT_ASSERT(!sums->any);
    KT_TRY(rows_room(op, sums, input->rows));
    sums->input = input;
    sums->clean = false;
    sums->whole = !input->weight;
    for (uint32_t i = 0; i < sums->n && sums->whole; i++) {
        const KtPlanListSum *plan = sums->item[i].list_sum;
        for (uint32_t k = 0; plan && k < plan->rests && sums->whole; k++)
            KT_TRY(read_rest(op, input, plan->rest[k], k == 0, sums->rest[i], &sums->whole));
    }
    return KT_OK;
}

static KtStatus sum_lists(KtOp *op, const KtPlanListSum *plan, const KtExpandLists *lists,
                          int64_t *sum, bool *done)
{
    KtToken key;
    if (plan->id) {
        sum_ids(lists->list, lists->n, sum);
        return KT_OK;
    }
    KT_TRY(kt_eval_token(&op->x->eval, plan->key, &key));
    return kt_node_prop_sums(op->x->view, key, lists->list, lists->n, sum, done);
}

/* Sums wrap here; false if one did. */
static bool add_parts(const KtExpandLists *lists, const int64_t *sum, int64_t *part)
{
    bool fits = true;
    for (uint32_t k = 0; k < lists->n; k++) {
        int64_t *to = &part[lists->row[k]];
        fits = !__builtin_add_overflow(*to, sum[k], to) && fits;
    }
    return fits;
}

static void clear(KtListSums *sums)
{
    size_t bytes = sums->input->rows * sizeof(uint64_t);
    memset(sums->weight, 0, bytes);
    for (uint32_t i = 0; i < sums->n; i++) {
        if (sums->part[i])
            memset(sums->part[i], 0, bytes);
    }
    sums->clean = true;
}

static void take_back(const KtExpandLists *lists, const int64_t *sum, int64_t *part)
{
    for (uint32_t k = 0; k < lists->n; k++)
        (void)__builtin_sub_overflow(part[lists->row[k]], sum[k], &part[lists->row[k]]);
}

KtStatus kt_list_sums_add(KtOp *op, KtListSums *sums, const KtExpandLists *lists, bool *done)
{
    uint32_t need = lists->n * sums->n;
    *done = sums->whole;
    if (!*done || lists->n == 0)
        return KT_OK;
    if (need > sums->sum_cap) {
        sums->sum = kt_arena_alloc(op->x->arena, 2 * (size_t)need * sizeof *sums->sum);
        if (!sums->sum)
            return KT_ERR_MEMORY;
        sums->sum_cap = 2 * need;
    }
    for (uint32_t i = 0; i < sums->n && *done; i++) {
        if (sums->part[i])
            KT_TRY(sum_lists(op, sums->item[i].list_sum, lists, sums->sum + i * lists->n, done));
    }
    if (!*done)
        return KT_OK;
    if (!sums->clean)
        clear(sums);
    for (uint32_t i = 0; i < sums->n; i++) {
        if (sums->part[i] && !add_parts(lists, sums->sum + i * lists->n, sums->part[i]))
            *done = false;
    }
    if (!*done) { /* a total that does not fit: as if nothing had been added */
        for (uint32_t i = 0; i < sums->n; i++) {
            if (sums->part[i])
                take_back(lists, sums->sum + i * lists->n, sums->part[i]);
        }
        return KT_OK;
    }
    for (uint32_t k = 0; k < lists->n; k++)
        sums->weight[lists->row[k]] += lists->list[k].n;
    sums->any = true;
    return KT_OK;
}

KtLevel *kt_list_sums_take(KtListSums *sums)
{
    if (!sums->any)
        return NULL;
    const KtLevel *input = sums->input;
    uint32_t n = 0;
    for (uint32_t i = 0; i < input->selected; i++) {
        uint32_t row = kt_level_selected(input, i);
        sums->sel[n] = (uint16_t)row;
        n += sums->weight[row] != 0;
    }
    kt_level_select(&sums->level, input, sums->sel, n);
    sums->any = sums->clean = false;
    return &sums->level;
}

void kt_list_sums_rewind(KtListSums *sums) { sums->any = sums->clean = false; }
