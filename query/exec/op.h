/* query/exec/op.h - the contract of a physical operator. The plan is const and shared, state is in KtOp.
 *
 * The core (op.c) does for every operator: allocates its state from the query arena, keeps the end sticky, holds a
 * pending error back until the rows before it are out, sees cancellation, counts rows for PROFILE, and closes in any
 * state. In the stutter build (KT_STUTTER) it puts random AGAIN, random want and forced parks between all
 * operators: results must not change. */
#ifndef KT_QUERY_EXEC_OP_H
#define KT_QUERY_EXEC_OP_H

#include "query/exec/batch.h"
#include "query/exec/sink.h"
#include "query/plan/plan.h"

typedef enum KtStep { KT_STEP_ROWS, KT_STEP_END, KT_STEP_AGAIN } KtStep;
enum {
    KT_OP_WRITES = 1,
    KT_OP_OPENS_SECOND =
        2 /* opens, rewinds and feeds child[1] itself; the core only parks and closes it */
};

typedef struct KtOp KtOp;
typedef struct KtExec KtExec;

typedef struct KtOpType {
    const char *name;
    size_t size;
    uint32_t traits;
    KtStatus (*open)(
        KtOp *op); /* once, children first; evaluates row-free expressions such as LIMIT's */
    /* At most `want` rows (1 .. KT_BATCH_ROWS); of a batch that was begun in a call with a larger `want`, up to that
     * many: the core hands them up in parts. ROWS: at least one selected row. AGAIN: the quantum is used, all
     * state is in the op. A failing row: hand up the rows before it, fail at the next call (kt_op_fail_later). */
    KtStatus (*next)(KtOp *op, uint32_t want, KtBatch *out, KtStep *step);
    KtStatus (*rewind)(
        KtOp *op); /* a new argument batch waits in op->arg; children have been rewound */
    /* Leaving the epoch: drop slices and pins, remember (node, offset). NULL: nothing held but the children's. */
    KtStatus (*park)(KtOp *op);
    void (*close)(KtOp *op); /* NULL: only arena memory */
} KtOpType;

typedef struct KtOpFacts {
    uint64_t rows, batches, again, parks;
    int64_t ns;
} KtOpFacts;

struct KtOp {
    const KtOpType *type;
    const KtPlan *plan;
    KtExec *x;
    KtOp *child[2];
    KtBatch *arg;         /* rows that a correlated plan runs for; NULL at the top */
    KtArena *arena;       /* this operator's rows: reset by it when it makes new ones */
    bool see_all;         /* reads see every own write: below a Merge */
    KtStatus pending;     /* fails the next call */
    KtDiag *pending_diag; /* its words */
    bool ended, opened;
    /* a batch larger than `want` (it began when more was wanted): handed up in windows */
    KtLevel *whole;
    KtLevel window;
    uint16_t *window_sel;
    uint32_t given; /* selected rows of `whole` handed up */
    KtOpFacts facts;
};

/* One running query. */
struct KtExec {
    KtView *view;
    const KtBound *bound;
    KtEvalContext eval;
    KtArena *arena;   /* the query's */
    KtBudget *budget; /* may be NULL */
    KtDiag *diag;
    int64_t deadline_ns;
    const atomic_bool *cancel;
    int64_t quantum_end_ns; /* 0: no quantum */
    uint64_t ticks;
    bool profile;
    KtMark *clause_mark; /* by clause number: UINT64_MAX until one of its operators first reads */
    uint32_t slots;      /* KtPlanned.slots */
    struct KtPool *pool; /* kept from query to query (node_index.h); may be NULL */
    KtSink *sink;        /* of Result; NULL: rows are counted and dropped */
    bool sink_full; /* Result's answer was AGAIN because the sink is full; cleared by the caller */
    bool see_all;   /* operators opened now read every own write (Merge sets it) */
    uint64_t result_rows;     /* rows handed to the sink */
    int64_t spent_quantum_ns; /* the quantum_end_ns that has passed: of kt_tick's own */
    uint32_t depth;           /* of nested kt_op_next calls */
    struct {
        uint64_t again, want, park;
    } stuttered;      /* what the stutter did */
    uint32_t stutter; /* seed of the stutter build; 0: off */
};

/* Opens the operator tree of `plan`. Ownership: arena; the caller calls kt_op_close. On failure what was opened
 * has been closed. */
KtStatus kt_op_open(KtExec *x, const KtPlan *plan, KtBatch *arg, KtOp **out) KT_MUST_CHECK;
KtStatus kt_op_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step) KT_MUST_CHECK;
KtStatus kt_op_rewind(KtOp *op, KtBatch *arg) KT_MUST_CHECK; /* the whole subtree */
KtStatus kt_op_park(KtOp *op) KT_MUST_CHECK;                 /* the whole subtree */
void kt_op_close(KtOp *op); /* the whole subtree; NULL is allowed */
/* Notes that the next call fails with `status` and the words that stand in x->diag now (which is cleared, so that
 * an error that a LIMIT hides leaves no words behind). */
void kt_op_fail_later(KtOp *op, KtStatus status);
/* Sets what graph reads of this operator see: its clause's mark, which is taken here if the clause has not read
 * yet. To be called after input has come and before opening a cursor, reading, or running a program: the writes of
 * earlier clauses are done by then (a Barrier stands above them). */
void kt_op_sees(KtOp *op);

/* To be called at least every 64 K edges, rows or bytes. Fails on cancel or deadline; *again: the quantum is used. */
KtStatus kt_tick(KtExec *x, uint32_t work, bool *again) KT_MUST_CHECK;

/* The operator of each plan kind (op_table.c). */
const KtOpType *kt_op_type(KtPlanKind kind);

#endif
