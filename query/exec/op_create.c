/* query/exec/op_create.c - CREATE: makes nodes and relationships for a whole batch at once; same rows, more columns. */
#include "query/exec/write.h"

typedef struct CreateOp {
    KtOp base;
    KtBatch input;
} CreateOp;

static KtStatus create_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    CreateOp *self = (CreateOp *)op;
    KtArena *arena;
    KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
    if (*step != KT_STEP_ROWS)
        return KT_OK;
    KT_CHECK(!self->input.top->weight); /* the planner puts Unweigh below */
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    kt_op_sees(op); /* the clause begins: reads of it see nothing that it makes */
    KT_TRY(kt_write_new(op, self->input.top, op->plan->as.create.item, op->plan->as.create.n));
    *out = self->input;
    return KT_OK;
}

const KtOpType kt_op_CREATE = {
    .name = "Create",
    .size = sizeof(CreateOp),
    .traits = KT_OP_WRITES,
    .next = create_next,
};
