/* query/expr/function.h - what a function or operator of Cypher is, to the binder and to the evaluator.
 *
 * Operators are functions whose name is their sign: "+" "-" "*" "/" "%" "^" "unary -" "unary +" "=" "<>" "<" "<="
 * ">" ">=" "IN" "STARTS WITH" "ENDS WITH" "CONTAINS" "=~" "NOT" "XOR" "IS NULL" "IS NOT NULL", "[]" (an element
 * by index or key) and "[..]" (list, from, to: a missing `from` is bound as the constant 0, a missing `to` as
 * the constant INT64_MAX, since a null bound makes null).
 * AND, OR, CASE and property access are kinds of expressions of their own. "coalesce" is lazy in the evaluator.
 * Aggregates are here for their names and types (KT_FN_AGGREGATE); query/expr/aggregate.h computes them.
 *
 * All tables are const: finding a function allocates nothing and needs no lock. */
#ifndef KT_QUERY_EXPR_FUNCTION_H
#define KT_QUERY_EXPR_FUNCTION_H

#include "base/column.h"
#include "base/diag.h"

/* What a value may be: the kinds it may have (KT_NULL is always allowed and need not be among them) and,
 * if LIST is among them, the kinds of the list's elements. 0 in either: not known, any. */
typedef struct KtType {
    KtKinds kinds, elements;
} KtType;

enum {
    KT_FN_PURE = 1,             /* same arguments, same answer: may be folded and computed once */
    KT_FN_MAY_FAIL = 2,         /* may raise an error for arguments of the right kinds */
    KT_FN_NULL_IN_NULL_OUT = 4, /* a null argument makes null: `one` never sees a null */
    KT_FN_PER_ROW = 8,          /* rand: a new answer for each row, never folded */
    KT_FN_READS_GRAPH = 16,     /* reads the graph for some arguments */
    KT_FN_KINDS_AT_RUN =
        32,                /* a wrong kind is a run-time error even where the compiler can see it */
    KT_FN_OWN_KINDS = 64,  /* `one` judges kinds at run time itself: `arg` is for the binder */
    KT_FN_AGGREGATE = 128, /* `one` is NULL; DISTINCT is allowed */
    KT_FN_OPERATOR = 256,  /* no name that a call may use: the binder must not find it for f(x) */
    KT_FN_NOT_SUPPORTED =
        512, /* a known name that Kith does not run: NOT_SUPPORTED at compile time */
    KT_FN_LOOPS =
        1024 /* goes through all of a text however long, or makes a value much longer than its arguments */
};

/* What one call may use. */
typedef struct KtCall {
    KtArena *arena;          /* results live here */
    KtDiag *diag;            /* may be NULL */
    struct KtEvalContext *x; /* query/expr/expr.h; NULL while constants are folded */
    KtPos at;                /* the call's place in the statement */
} KtCall;

typedef struct KtFunction KtFunction;
typedef struct KtKernelCall KtKernelCall; /* query/expr/expr_internal.h */
/* Computes a whole column. *done false: not for columns of these kinds, go row by row. */
typedef KtStatus (*KtKernel)(KtKernelCall *k, const KtColumn *args, KtColumn *out, bool *done);

struct KtFunction {
    const char *name;
    uint8_t min_args, max_args; /* max_args KT_ARGS_ANY: no limit */
    KtType arg[4];              /* the last one stands for all further arguments */
    KtType result;
    uint32_t traits;
    /* what a wrong kind is to the binder: INVALID_ARGUMENT_TYPE or ..._TYPE_VALUE */
    KtStatus wrong_kind_compile;
    KtStatus wrong_kind_run; /* and while running */
    /* One row. Arity, kinds and (if NULL_IN_NULL_OUT) nulls have been checked: kt_function_call does that. */
    KtStatus (*one)(KtCall *call, const KtValue *args, KtValue *out);
    KtKernel many; /* NULL: row by row */
    KtType (*infer)(const KtType *args,
                    uint32_t n); /* where it says more than `result`; NULL: `result` */
};

enum { KT_ARGS_ANY = 255 };

/* The function or operator called `name` (functions in any case), or NULL. Names with a namespace have their
 * dots: "duration.between". */
const KtFunction *kt_function_find(KtText name);
/* Nearest known function name to a misspelt one, for the hint of UNKNOWN_FUNCTION; NULL if none is near. */
const char *kt_function_suggest(KtText name);

/* The result's type for these argument types. kinds 0: no combination of these kinds is accepted (such as
 * 1 + true), a compile-time error of status wrong_kind_compile. */
KtType kt_function_type(const KtFunction *function, const KtType *args, uint32_t n);
/* True when argument `i` may have a kind that the function takes (null always is): false is a compile-time
 * error of status wrong_kind_compile. Always true for KINDS_AT_RUN. */
bool kt_function_accepts(const KtFunction *function, uint32_t i, KtType arg);
/* The kinds that argument `i` may have. */
KtKinds kt_function_kinds(const KtFunction *function, uint32_t i);
/* "Integer, Float or String": for error messages. Writes at most `cap` bytes with the closing NUL. */
void kt_kinds_print(KtKinds kinds, char *out, size_t cap);

/* Calls with full checks: kinds, nulls, then `one`. Errors: the function's own, with words in call->diag. */
KtStatus kt_function_call(const KtFunction *function, KtCall *call, const KtValue *args, uint32_t n,
                          KtValue *out) KT_MUST_CHECK;

#endif
