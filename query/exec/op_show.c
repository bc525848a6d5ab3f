/* query/exec/op_show.c - SHOW INDEXES and SHOW CONSTRAINTS: one row per entry of the schema that the view sees.
 *
 * Columns, as the binder names them: indexes: name, state, type, label, property, unique; constraints: name, type,
 * label, property. */
#include "query/exec/exec_internal.h"
#include "storage/catalog.h"

typedef struct ShowOp {
    KtOp base;
    uint32_t at;
    KtMade made;
} ShowOp;

static KtValue text_value(KtText text) { return kt_text(text.at, text.len); }

static KtValue index_column(const KtIndexFacts *f, uint32_t column)
{
    switch (column) {
    case 0: return text_value(f->name);
    case 1: return text_value(f->state == KT_INDEX_ONLINE ? KT_TEXT_LITERAL("ONLINE") : KT_TEXT_LITERAL("BUILDING"));
    case 2: return text_value(KT_TEXT_LITERAL("RANGE"));
    case 3: return text_value(f->label_name);
    case 4: return text_value(f->key_name);
    default: return kt_bool(f->unique);
    }
}

static KtValue constraint_column(const KtIndexFacts *f, uint32_t column)
{
    switch (column) {
    case 0: return text_value(f->name);
    case 1: return text_value(KT_TEXT_LITERAL("UNIQUENESS"));
    case 2: return text_value(f->label_name);
    default: return text_value(f->key_name);
    }
}

static KtStatus show_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    ShowOp *self = (ShowOp *)op;
    const KtSchema *schema = kt_view_schema(op->x->view);
    const KtPlan *plan = op->plan;
    const KtIndexFacts *row[KT_BATCH_ROWS];
    uint32_t n = 0;
    for (; n < want && self->at < schema->n; self->at++) {
        if (schema->index[self->at].unique || !plan->as.show.constraints)
            row[n++] = &schema->index[self->at];
    }
    *step = n ? KT_STEP_ROWS : KT_STEP_END;
    if (n == 0)
        return KT_OK;
    KT_TRY(kt_made_begin(op, &self->made, NULL));
    self->made.level.rows = n;
    for (uint32_t c = 0; c < plan->as.show.n; c++) {
        KtColumn col;
        KT_TRY(kt_col_make(op->arena, KT_COL_VALUE, n, false, &col));
        for (uint32_t i = 0; i < n; i++)
            ((KtValue *)col.data)[i] = plan->as.show.constraints ? constraint_column(row[i], c) : index_column(row[i], c);
        kt_level_set(&self->made.level, plan->as.show.slot[c], col);
    }
    kt_made_end(&self->made, out);
    return KT_OK;
}

static KtStatus show_rewind(KtOp *op)
{
    ((ShowOp *)op)->at = 0;
    return KT_OK;
}

const KtOpType kt_op_SHOW = {
    .name = "Show",
    .size = sizeof(ShowOp),
    .traits = KT_OP_KEEPS_ORDER,
    .next = show_next,
    .rewind = show_rewind,
};
