/* query/expr/function.h - what a function or operator of Cypher is, to the binder and to the evaluator.
 *
 * Operators are functions whose name is their sign: "+" "-" "*" "/" "%" "^" "unary -" "unary +" "=" "<>" "<" "<="
 * ">" ">=" "IN" "STARTS WITH" "ENDS WITH" "CONTAINS" "=~" "NOT" "XOR" "IS NULL" "IS NOT NULL" "[]" (a value
 * by index or key) "[..]" (a slice: list, from or null, to or null) and "." (a property: entity or map, key).
 * AND, OR, CASE and coalesce's later arguments are lazy: the evaluator has them ("coalesce" is here too, for
 * its types). Aggregates stand in query/expr/aggregate.h.
 *
 * All tables are const: finding a function allocates nothing and needs no lock. */
#ifndef KT_QUERY_EXPR_FUNCTION_H
#define KT_QUERY_EXPR_FUNCTION_H

#include "base/diag.h"
#include "base/value.h"
#include "storage/graph.h"

/* What a value may be: the kinds it may have (KT_NULL is always allowed and need not be among them) and,
 * if LIST is among them, the kinds of the list's elements (0: not known, any). */
typedef struct KtType {
    KtKinds kinds, elements;
} KtType;

enum {
    KT_FN_PURE = 1,             /* same arguments, same answer: may be folded and computed once */
    KT_FN_MAY_FAIL = 2,         /* may raise an error for arguments of the right kinds */
    KT_FN_NULL_IN_NULL_OUT = 4, /* a null argument makes null: `one` never sees a null */
    KT_FN_PER_ROW = 8,          /* rand: a new answer for each row, never folded */
    KT_FN_READS_GRAPH = 16,     /* needs KtCall.view for some arguments */
    KT_FN_KINDS_AT_RUN = 32,    /* a wrong kind is a run-time error even where the compiler can see it */
    KT_FN_LAZY = 64,            /* the evaluator computes later arguments only when needed; `one` is still right */
    KT_FN_NOT_SUPPORTED = 128   /* a known name that Kith does not run: NOT_SUPPORTED at compile time */
};

/* What one call may use. */
typedef struct KtCall {
    KtArena *arena;      /* results live here */
    KtDiag *diag;        /* may be NULL */
    KtView *view;        /* NULL while folding constants: functions that read the graph are not folded */
    KtPos at;            /* the call's place in the statement */
    int64_t now_us;      /* the statement's time, for timestamp() */
    uint64_t *random;    /* state of the statement's generator; seeded by whoever began it */
    void *patterns;      /* compiled regular expressions of this evaluator, or NULL: see kt_pattern_match */
} KtCall;

typedef struct KtFunction KtFunction;
struct KtFunction {
    const char *name;
    uint8_t min_args, max_args; /* max KT_ARGS_ANY: no limit; the last entry of `arg` stands for all further ones */
    KtType arg[4];
    KtType result;
    uint32_t traits;
    KtStatus wrong_kind_compile; /* what a wrong kind is to the binder: INVALID_ARGUMENT_TYPE or ..._TYPE_VALUE */
    KtStatus wrong_kind_run;     /* and while running */
    /* One row. Arity, kinds and (if NULL_IN_NULL_OUT) nulls have been checked: kt_function_call does that. */
    KtStatus (*one)(KtCall *call, const KtValue *args, KtValue *out);
    /* The result's type from the arguments', where it says more than `result`; NULL: `result`. */
    KtType (*infer)(const KtType *args, uint32_t n);
};

enum { KT_ARGS_ANY = 255 };

/* The function or operator called `name` (in any case), or NULL. */
const KtFunction *kt_function_find(KtText name);
/* Nearest known name to a misspelt one, for the hint of UNKNOWN_FUNCTION; NULL if none is near. */
const char *kt_function_suggest(KtText name);

/* The result's type for these argument types. */
KtType kt_function_type(const KtFunction *function, const KtType *args, uint32_t n);
/* True when argument `i` may have a kind that the function takes (null always is): false is a compile-time
 * error, unless the function is KINDS_AT_RUN. */
bool kt_function_accepts(const KtFunction *function, uint32_t i, KtType arg);

/* Calls with full checks: kinds, nulls, then `one`. Errors: the function's own, with words in call->diag. */
KtStatus kt_function_call(const KtFunction *function, KtCall *call, const KtValue *args, uint32_t n, KtValue *out)
    KT_MUST_CHECK;

#endif
