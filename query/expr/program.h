/* query/expr/program.h - a compiled expression: a const tree of steps, private to query/expr.
 *
 * Each step makes one column for the selected rows of a scope. The steps of a body (of a comprehension, quantifier
 * or reduce) run in a scope of their own, whose rows are list elements; `body` says which columns of the scope
 * around it they need, so that those are gathered once for each batch of elements. */
#ifndef KT_QUERY_EXPR_PROGRAM_H
#define KT_QUERY_EXPR_PROGRAM_H

#include "query/expr/expr_internal.h"

typedef enum KtEvalKind {
    KT_EVAL_CONST,
    KT_EVAL_PARAM,
    KT_EVAL_SLOT,
    KT_EVAL_LOCAL,
    KT_EVAL_PROP,
    KT_EVAL_HAS_LABELS,
    KT_EVAL_CALL,
    KT_EVAL_AND,
    KT_EVAL_OR,
    KT_EVAL_CASE,
    KT_EVAL_COALESCE,
    KT_EVAL_LIST,
    KT_EVAL_MAP,
    KT_EVAL_MAP_PROJECTION,
    KT_EVAL_COMPREHENSION,
    KT_EVAL_QUANTIFIER,
    KT_EVAL_REDUCE
} KtEvalKind;

typedef struct KtNeeds { /* numbers of slots and locals in this program */
    const uint32_t *slot, *local;
    uint32_t slots, locals;
} KtNeeds;

typedef struct KtEvalStep KtEvalStep;
struct KtEvalStep {
    KtEvalKind kind;
    const KtExpr *expr;
    KtPos at;
    uint32_t args;
    const KtEvalStep **arg; /* NULL entries where the expression has none */
    union {
        struct {
            KtValue value;
            KtColumn column;
        } constant;
        uint32_t index; /* PARAM, SLOT, LOCAL: its number in the program */
        struct {
            const KtFunction *function;
            KtColKind result;
        } call; /* result: kind of column it makes row by row */
        struct {
            const KtText *key;
        } map;
        struct {
            uint32_t local, acc;
            KtNeeds body;
        } each;
    } as;
};

struct KtProgram {
    const KtEvalStep *root;
    const KtExpr *expr;
    const KtSlot *slot;   /* by number in the program */
    const KtSlot *sorted; /* the same, ascending */
    uint32_t slots;
    uint32_t locals;
    bool may_fail, per_row;
};

/* One run. */
typedef struct KtRunState {
    const KtProgram *program;
    KtEvalContext *x;
    KtArena *arena;
    KtDiag words;   /* of the error being raised */
    KtFrame *frame; /* whose rows `outer` has; NULL: none */
    const KtScope *outer;
} KtRunState;

KtStatus kt_step_run(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                     KtColumn *out) KT_MUST_CHECK;
/* The column of a slot, by its number in the program. */
KtStatus kt_scope_slot(KtRunState *run, KtScope *scope, uint32_t index,
                       KtColumn *out) KT_MUST_CHECK;
/* eval_lower.c: the step over the rows of a lower level, if all that it reads is known there. */
KtStatus kt_step_lower(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                       KtColumn *out, bool *done) KT_MUST_CHECK;
/* eval_lazy.c; ends: KT_FALSE for AND, KT_TRUE for OR */
KtStatus kt_step_junction(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                          KtTruth ends, KtColumn *out) KT_MUST_CHECK;
KtStatus kt_step_case(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                      KtColumn *out) KT_MUST_CHECK;
KtStatus kt_step_coalesce(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                          KtColumn *out) KT_MUST_CHECK;
/* eval_each.c */
KtStatus kt_step_comprehension(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                               KtColumn *out) KT_MUST_CHECK;
KtStatus kt_step_quantifier(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                            KtColumn *out) KT_MUST_CHECK;
KtStatus kt_step_reduce(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                        KtColumn *out) KT_MUST_CHECK;
/* eval_graph.c */
KtStatus kt_step_prop(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                      KtColumn *out) KT_MUST_CHECK;
KtStatus kt_step_has_labels(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                            KtColumn *out) KT_MUST_CHECK;
KtStatus kt_step_map_projection(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                                KtColumn *out) KT_MUST_CHECK;

/* Raises a row's error: a fatal status is returned, another one is noted and KT_OK returned. The words stand in
 * run->words, which is cleared. */
KtStatus kt_run_fail(KtRunState *run, KtScope *scope, uint32_t row, KtStatus status) KT_MUST_CHECK;
/* Fails the row because its element of `col` is no boolean. */
KtStatus kt_run_not_boolean(KtRunState *run, KtScope *scope, uint32_t row, const KtColumn *col,
                            KtPos at) KT_MUST_CHECK;
/* A VALUE column of `rows` elements, not cleared; *values is its data. */
KtStatus kt_value_column(KtArena *arena, uint32_t rows, KtColumn *out,
                         KtValue **values) KT_MUST_CHECK;
KtColumn kt_null_column(void);
/* Truth of one element: KT_UNKNOWN for null; *bad if it is no boolean. */
KtTruth kt_column_truth(const KtColumn *column, uint32_t row, bool *bad);

#endif
