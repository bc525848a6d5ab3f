/* query/expr/expr.h - expressions as programs of steps over the columns of one frame of rows.
 *
 * A program is compiled once from a bound expression, is const and shared. A run computes one column for all
 * selected rows of a frame, step by step, each step a kernel over columns; later parts of AND, OR and CASE run
 * under the rows still open.
 * Errors of rows: the first failing row in row order is noted in the frame; the rows before it are right, rows
 * from it on are undefined. A later run on the same frame computes only rows before it, so that several
 * programs agree on one first failing row. */
#ifndef KT_QUERY_EXPR_EXPR_H
#define KT_QUERY_EXPR_EXPR_H

#include "base/column.h"
#include "query/bind/bound.h"

typedef struct KtProgram KtProgram;

/* Compiles for ever: everything in `arena`. Constant parts that cannot fail are folded. */
KtStatus kt_program_compile(KtArena *arena, const KtExpr *expr,
                            const KtProgram **out) KT_MUST_CHECK;
/* The slots it reads, ascending; so that the caller finds the deepest level. */
uint32_t kt_program_slots(const KtProgram *program, const KtSlot **out);
/* Fails on some legal input (an entity that a clause before deleted is one), or must run once per row: rules do not
 * move it. */
bool kt_program_may_fail(const KtProgram *program);
bool kt_program_per_row(const KtProgram *program);
/* For plans that look inside: the expression it was made of. */
const KtExpr *kt_program_expr(const KtProgram *program);

/* What a running query gives all its expressions. One per query; not thread-safe. */
typedef struct KtEvalContext {
    KtView *view;
    const KtBound *bound;
    const KtValue *param; /* by index of KtBound.param */
    /* By index of KtBound.name; 0: not known yet, asked again by kt_eval_token. Shared by all queries of a statement: a
     * name that has a token keeps it. */
    _Atomic(KtToken) *token;
    KtDiag *diag;         /* words of the error that a frame noted */
    KtArena *query;       /* lives as long as the query: constants, compiled patterns */
    uint64_t random[4];   /* state of rand(): seeded at its first use, while all is 0 */
    int64_t now_us;       /* UTC, when it was first asked for; 0: it has not been */
    uint32_t database_id; /* for elementId */
    void *regex_cache;    /* of expr's own; closed by kt_eval_close */
    /* functions run over a batch, property columns read: for tests of batching */
    uint64_t kernels, prop_reads;
} KtEvalContext;

void kt_eval_close(KtEvalContext *x);
/* The token of a name in this view, 0 if there is none. */
KtStatus kt_eval_token(KtEvalContext *x, KtNameRef name, KtToken *out) KT_MUST_CHECK;

/* About the steps of a walk over `v`: up to twice as many. Cost: O(1) for a list or map that an expression made and
 * for anything that is neither, else a walk. */
uint64_t kt_value_steps(KtValue v);

typedef struct KtFrame KtFrame;
struct KtFrame {
    uint32_t rows;
    const uint16_t *sel; /* ascending rows; NULL: all */
    uint32_t selected;
    /* Gives the column of `slot` over this frame's rows (flat or constant). */
    KtStatus (*column)(KtFrame *frame, KtSlot slot, KtColumn *out);
    /* A frame of the rows of a lower level that stand under sel[0 .. selected) here, when `slot` is all known there;
     * *out NULL: it is not. NULL: there are no levels. */
    KtStatus (*lower)(KtFrame *frame, const KtSlot *slot, uint32_t slots, const uint16_t *sel,
                      uint32_t selected, KtFrame **out);
    /* Property columns kept with the rows, so that a filter and what stands over it read them once. kept: *out, if it
     * is there; keep: where one of all rows is to be made, NULL if none can be kept; then keep_as. NULL: none is
     * kept. */
    bool (*kept)(KtFrame *frame, KtSlot slot, KtNameRef key, KtColumn *out);
    KtArena *(*keep)(KtFrame *frame);
    void (*keep_as)(KtFrame *frame, KtSlot slot, KtNameRef key, const KtColumn *col);
    KtStatus (*lift)(KtFrame *frame, KtFrame *lower, const KtColumn *col,
                     KtColumn *out); /* a column of it over these rows */
    /* The first row of the selection that stands over `row` of the lower frame. */
    KtStatus (*over)(KtFrame *frame, KtFrame *lower, uint32_t row, const uint16_t *sel,
                     uint32_t selected, uint32_t *out);
    KtArena *arena;    /* results and temporary columns; the caller resets it */
    uint32_t fail_row; /* UINT32_MAX: no row has failed */
    KtStatus fail;
};

static inline bool kt_frame_failed(const KtFrame *frame) { return frame->fail_row != UINT32_MAX; }

/* Computes the program over the selected rows; out has `rows` elements (or is constant), undefined outside the
 * selection. Returns a failure only for what ends the query (MEMORY, CANCELLED, IO...); errors of rows stand in
 * the frame. */
KtStatus kt_program_run(const KtProgram *program, KtEvalContext *x, KtFrame *frame,
                        KtColumn *out) KT_MUST_CHECK;
/* The same for a predicate: bit r of `bits` (rows bits, cleared first) is set where the value is true.
 * A value that is neither boolean nor null fails the row (INVALID_ARGUMENT_TYPE_VALUE). */
KtStatus kt_program_test(const KtProgram *program, KtEvalContext *x, KtFrame *frame,
                         uint64_t *bits) KT_MUST_CHECK;
/* A row-free expression (LIMIT, SKIP, id seek of a parameter): one value. Row errors are returned. */
KtStatus kt_program_value(const KtProgram *program, KtEvalContext *x, KtArena *arena,
                          KtValue *out) KT_MUST_CHECK;

#endif
