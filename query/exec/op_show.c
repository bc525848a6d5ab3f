/* query/exec/op_show.c - SHOW INDEXES and SHOW CONSTRAINTS: one row per entry of the schema that the view sees.
 *
 * Columns, as the binder names them (query/bind/bind_query.c): indexes: name, state, type, entityType, labelsOrTypes,
 * properties, owningConstraint; constraints: name, type, entityType, labelsOrTypes, properties. */
#include "query/exec/exec_internal.h"
#include "storage/catalog.h"

typedef struct ShowOp {
    KtOp base;
    uint32_t at;
    KtMade made;
} ShowOp;

static KtValue text_value(KtText text) { return kt_text(text.at, text.len); }

/* A list of one name, as these columns have it. */
static KtStatus list_value(KtArena *arena, KtText text, KtValue *out)
{
    KtValue *item = kt_arena_alloc(arena, sizeof *item);
    if (!item)
        return KT_ERR_MEMORY;
    *item = text_value(text);
    *out = kt_list(item, 1);
    return KT_OK;
}

static KtStatus index_column(KtArena *arena, const KtIndexFacts *f, uint32_t column, KtValue *out)
{
    switch (column) {
    case 0: *out = text_value(f->name); break;
    case 1:
        *out = text_value(f->state == KT_INDEX_ONLINE ? KT_TEXT_LITERAL("ONLINE")
                                                      : KT_TEXT_LITERAL("BUILDING"));
        break;
    case 2: *out = text_value(KT_TEXT_LITERAL("RANGE")); break;
    case 3: *out = text_value(KT_TEXT_LITERAL("NODE")); break;
    case 4: return list_value(arena, f->label_name, out);
    case 5: return list_value(arena, f->key_name, out);
    default: *out = f->unique ? text_value(f->name) : kt_null(); break;
    }
    return KT_OK;
}

static KtStatus constraint_column(KtArena *arena, const KtIndexFacts *f, uint32_t column,
                                  KtValue *out)
{
    switch (column) {
    case 0: *out = text_value(f->name); break;
    case 1: *out = text_value(KT_TEXT_LITERAL("UNIQUENESS")); break;
    case 2: *out = text_value(KT_TEXT_LITERAL("NODE")); break;
    case 3: return list_value(arena, f->label_name, out);
    default: return list_value(arena, f->key_name, out);
    }
    return KT_OK;
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
        for (uint32_t i = 0; i < n; i++) {
            KtValue *value = &((KtValue *)col.data)[i];
            KT_TRY(plan->as.show.constraints ? constraint_column(op->arena, row[i], c, value)
                                             : index_column(op->arena, row[i], c, value));
        }
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
    .next = show_next,
    .rewind = show_rewind,
};
