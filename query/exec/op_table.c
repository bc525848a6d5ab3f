/* query/exec/op_table.c - the operator of each plan kind. */
#include "query/exec/op.h"

#define KT_PLAN(name, text) extern const KtOpType kt_op_##name;
#include "query/plan/plan_kinds.def"
#undef KT_PLAN

static const KtOpType *const TABLE[] = {
#define KT_PLAN(name, text) [KT_PLAN_##name] = &kt_op_##name,
#include "query/plan/plan_kinds.def"
#undef KT_PLAN
};

const KtOpType *kt_op_type(KtPlanKind kind)
{
    KT_CHECK((size_t)kind < KT_COUNT(TABLE) && TABLE[kind]);
    return TABLE[kind];
}
