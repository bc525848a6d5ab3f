/* query/exec/write.h - what Create, Set and Merge share: making elements, and setting one row's properties and labels.
 *
 * Writes read with every own write in sight (a SET sees what the row before it set). Errors are those of graph.h's
 * writes; a failing row fails the statement, whose writes are then taken back as a whole. */
#ifndef KT_QUERY_EXEC_WRITE_H
#define KT_QUERY_EXEC_WRITE_H

#include "query/exec/exec_internal.h"

/* Makes the items for every selected row of `level`: nodes first, then relationships, and sets their slots as
 * columns of it. Temporary memory from op->arena. Errors: INVALID_ARGUMENT_VALUE for an end that is null. */
KtStatus kt_write_new(KtOp *op, KtLevel *level, const KtPlanNew *item, uint32_t n) KT_MUST_CHECK;
/* Applies the items to one row of `level`, in order. Temporary memory from op->arena. */
KtStatus kt_write_set(KtOp *op, KtLevel *level, uint32_t row, const KtPlanSet *item,
                      uint32_t n) KT_MUST_CHECK;
/* One program over one row. Errors of the row are returned. */
KtStatus kt_write_value(KtOp *op, KtLevel *level, uint32_t row, const KtProgram *program,
                        KtValue *out) KT_MUST_CHECK;
/* The token of a name of the statement, made if need be. */
KtStatus kt_write_token(KtOp *op, KtNameRef name, KtToken *out) KT_MUST_CHECK;
/* Fails with a sentence: what was expected where. */
KtStatus kt_write_kind(KtOp *op, const KtPos *at, const char *what, KtValue is) KT_MUST_CHECK;

#endif
