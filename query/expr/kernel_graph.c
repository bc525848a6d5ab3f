/* query/expr/kernel_graph.c - id, labels and properties of a column of nodes, asked of storage in one call. */
#include "query/expr/expr_internal.h"

#include <inttypes.h>

KtStatus kt_scope_check_exist(KtScope *scope, struct KtEvalContext *x, KtPos at, KtKind kind,
                              KtIds ids)
{
    uint64_t bits[KT_IDS_MOST / 64] = {0};
    if (!kt_view_writes(x->view) || ids.n == 0)
        return KT_OK;
    KT_TRY(kt_exist(x->view, kind, ids, bits));
    uint64_t none = ids.width == 4 ? KT_NO_NODE : UINT64_MAX;
    for (uint32_t i = 0; i < ids.n; i++) {
        uint32_t row = kt_ids_row(&ids, i);
        uint64_t id = kt_ids_at(&ids, row);
        if (id == none || kt_bit(bits, row))
            continue;
        KtDiag words = {0};
        KtStatus status = kt_diag_set(&words, KT_ERR_DELETED_ENTITY_ACCESS, &at,
                                      "%s %" PRIu64 " has been deleted", kt_kind_name(kind), id);
        kt_scope_fail(scope, x, &words, row, status);
        return KT_OK;
    }
    return KT_OK;
}

static bool flat_nodes(const KtColumn *col) { return col->kind == KT_COL_NODE && !col->constant; }

static KtIds ids_of(const KtKernelCall *k, const KtColumn *col)
{
    return (KtIds){.id = col->data, .width = col->width, .sel = k->sel.at, .n = k->sel.n};
}

static bool null_id(const KtColumn *col, uint32_t row)
{
    return col->width == 8 ? ((const uint64_t *)col->data)[row] == UINT64_MAX
                           : ((const uint32_t *)col->data)[row] == KT_NO_NODE;
}

/* Ids as integers; true when one of them is null. 0.1 ns an id with 512-bit vectors, 0.6 without. */
static KT_CLONES bool widen_ids(const uint32_t *from, uint32_t n, int64_t *to)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = from[i];
        most = from[i] > most ? from[i] : most;
    }
    return most == KT_NO_NODE;
}

KT_MANY(kt_many_id)
{
    *done = flat_nodes(&args[0]) && args[0].width == 4;
    if (!*done)
        return KT_OK;
    KtColumn to;
    KT_TRY(kt_col_make(k->arena, KT_COL_INT, k->scope->rows, false, &to));
    const uint32_t *from = args[0].data;
    int64_t *id = to.data;
    uint32_t n = k->sel.n ? kt_sel_row(k->sel, k->sel.n - 1) + 1 : 0;
    if (widen_ids(from, n, id)) {
        to.nulls = kt_arena_zero(k->arena, ((size_t)k->scope->rows + 63) / 64, sizeof *to.nulls);
        if (!to.nulls)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < n; i++) {
            if (from[i] == KT_NO_NODE)
                kt_bit_set(to.nulls, i);
        }
    }
    *out = to;
    return KT_OK;
}

/* Checks that the nodes exist and makes the column; *n: the selected rows that are still to be computed. */
static KtStatus open_values(KtKernelCall *k, const KtColumn *col, KtColumn *out)
{
    KT_TRY(kt_scope_check_exist(k->scope, k->x, k->at, KT_NODE, ids_of(k, col)));
    k->sel = kt_sel_before(k->sel, k->scope->fail_row);
    return kt_col_make(k->arena, KT_COL_VALUE, k->scope->rows, false, out);
}

KT_MANY(kt_many_labels)
{
    *done = flat_nodes(&args[0]);
    if (!*done)
        return KT_OK;
    KtColumn to;
    KtLists labels;
    KT_TRY(open_values(k, &args[0], &to));
    KT_TRY(kt_node_labels(k->x->view, ids_of(k, &args[0]), k->arena, &labels));
    KtValue *value = to.data;
    for (uint32_t i = 0; i < k->sel.n; i++) {
        uint32_t row = kt_sel_row(k->sel, i);
        if (null_id(&args[0], row)) {
            value[row] = kt_null();
            continue;
        }
        uint32_t n = labels.start[row + 1] - labels.start[row];
        KtValue *items = kt_arena_alloc(k->arena, (size_t)n * sizeof *items);
        if (!items)
            return KT_ERR_MEMORY;
        for (uint32_t l = 0; l < n; l++) {
            KtText name =
                kt_name_text(k->x->view, KT_NAME_LABEL, labels.item[labels.start[row] + l]);
            items[l] = kt_text(name.at, name.len);
        }
        value[row] = kt_list(items, n);
    }
    *out = to;
    return KT_OK;
}

KT_MANY(kt_many_properties)
{
    *done = flat_nodes(&args[0]);
    if (!*done)
        return KT_OK;
    KtColumn to;
    KT_TRY(open_values(k, &args[0], &to));
    KtValue *value = to.data;
    KT_TRY(kt_records(k->x->view, KT_NODE, ids_of(k, &args[0]), k->arena, value));
    for (uint32_t i = 0; i < k->sel.n; i++) {
        uint32_t row = kt_sel_row(k->sel, i);
        if (null_id(&args[0], row))
            value[row] = kt_null();
    }
    *out = to;
    return KT_OK;
}
