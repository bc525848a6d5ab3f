/* query/expr/expr_internal.h - what the files of query/expr share: the functions' prototypes, kernels over
 * columns, lists and errors.
 *
 * A kernel sees the selected rows only as far as no row has failed: rows from the first failing one on are
 * never looked at again. */
#ifndef KT_QUERY_EXPR_INTERNAL_H
#define KT_QUERY_EXPR_INTERNAL_H

#include "base/value_cmp.h"
#include "query/expr/expr.h"
#include "query/expr/function.h"

/* Selected rows, ascending; at NULL: rows 0 .. n-1. */
typedef struct KtSel {
    const uint16_t *at;
    uint32_t n;
} KtSel;

static inline uint32_t kt_sel_row(KtSel sel, uint32_t i) { return sel.at ? sel.at[i] : i; }
/* The selection without the rows from `row` on. */
KtSel kt_sel_before(KtSel sel, uint32_t row);

/* ---- one run of a program over one set of rows ---- */

/* The rows that steps compute over: the frame's, or the elements of the lists inside a comprehension. */
typedef struct KtScope {
    uint32_t rows;
    KtColumn *slot;    /* by the program's own number of a slot: kt_scope_slot */
    KtColumn *local;   /* by the program's own number of a local */
    uint32_t fail_row; /* UINT32_MAX: none */
    KtStatus fail;
    struct KtFrame *
        frame; /* of the program's own rows: slots are asked for when they are needed; NULL: of elements */
} KtScope;

/* A kernel's view of its call. */
struct KtKernelCall {
    const KtFunction *function;
    struct KtEvalContext *x; /* NULL while folding */
    KtArena *arena;
    KtScope *scope;
    KtSel sel;
    KtPos at;
};

/* Notes that `row` failed with `status`, if no earlier row has. words NULL: they stand in x->diag already. */
void kt_scope_fail(KtScope *scope, struct KtEvalContext *x, const KtDiag *words, uint32_t row,
                   KtStatus status);
/* True for what ends the query, not just a row. */
bool kt_status_is_fatal(KtStatus status);
/* Union of the arguments' null bits over `rows`; *all: some argument is a constant null. For typed columns. */
KtStatus kt_merge_nulls(KtArena *arena, const KtColumn *args, uint32_t n, uint32_t rows,
                        uint64_t **out, bool *all) KT_MUST_CHECK;
/* A constant column of one value; typed where the kind has a column type. */
KtStatus kt_constant_column(KtArena *arena, KtValue value, KtColumn *out) KT_MUST_CHECK;
/* Fails on cancel, deadline or budget; call it every thousand elements of work that reads no graph. */
KtStatus kt_eval_tick(struct KtEvalContext *x) KT_MUST_CHECK;

/* In a view that writes: fails the first selected row whose entity is there no more. */
KtStatus kt_scope_check_exist(KtScope *scope, struct KtEvalContext *x, KtPos at, KtKind kind,
                              KtIds ids) KT_MUST_CHECK;

/* The sum of n integers is high * 2^32 + low, exactly. */
void kt_sum_ints(const int64_t *x, uint32_t n, int64_t *high, uint64_t *low);

/* ---- errors, lists, texts ---- */

/* Deepest nesting of lists and maps that expressions build. A LIST or MAP made here carries its depth in
 * `aux`; one from elsewhere has 0 there and counts as its own depth bound says: at most KT_NESTING_MOST. */
enum { KT_VALUE_DEPTH_MOST = 1000 };
/* A LIST over items that live in call->arena. Errors: VALUE_TOO_DEEP. */
KtStatus kt_make_list(KtCall *call, const KtValue *items, uint32_t n, KtValue *out) KT_MUST_CHECK;
KtStatus kt_make_map(KtCall *call, const KtMapEntry *entries, uint32_t n,
                     KtValue *out) KT_MUST_CHECK;
/* A copy of `text` in the arena, as a value. */
KtStatus kt_make_text(KtCall *call, const char *at, size_t len, KtValue *out) KT_MUST_CHECK;

static inline KtText kt_text_of(KtValue v) { return (KtText){v.as.text, v.len}; }
static inline bool kt_is_number(KtValue v) { return v.kind == KT_INT || v.kind == KT_FLOAT; }
static inline double kt_as_double(KtValue v) { return v.kind == KT_INT ? (double)v.as.i : v.as.f; }
static inline KtValue kt_truth_value(KtTruth t)
{
    return t == KT_UNKNOWN ? kt_null() : kt_bool(t == KT_TRUE);
}

/* The one value by key of a NODE, REL or MAP value (dynamic key). */
KtStatus kt_entity_element(KtCall *call, KtValue entity, KtText key, KtValue *out) KT_MUST_CHECK;
/* DELETED_ENTITY_ACCESS unless the entity exists in the view. */
KtStatus kt_entity_exists(KtCall *call, KtValue entity) KT_MUST_CHECK;
/* All properties of a NODE or REL as a MAP; a MAP as it is. */
KtStatus kt_entity_properties(KtCall *call, KtValue entity, KtValue *out) KT_MUST_CHECK;

/* `text` =~ `pattern`, the whole text. Patterns are kept compiled in x->regex_cache. */
KtStatus kt_pattern_match(KtCall *call, KtText text, KtText pattern, bool *out) KT_MUST_CHECK;
void kt_pattern_cache_close(void *cache);

/* ---- the functions ---- */

#define KT_FN(name) KtStatus name(KtCall *call, const KtValue *args, KtValue *out)
#define KT_MANY(name) \
    KtStatus name(KtKernelCall *k, const KtColumn *args, KtColumn *out, bool *done)

KT_FN(kt_fn_add);
KT_FN(kt_fn_subtract);
KT_FN(kt_fn_multiply);
KT_FN(kt_fn_divide);
KT_FN(kt_fn_modulo);
KT_FN(kt_fn_power);
KT_FN(kt_fn_negate);
KT_FN(kt_fn_first);
KT_FN(kt_fn_equal);
KT_FN(kt_fn_unequal);
KT_FN(kt_fn_less);
KT_FN(kt_fn_less_equal);
KT_FN(kt_fn_greater);
KT_FN(kt_fn_greater_equal);
KT_FN(kt_fn_in);
KT_FN(kt_fn_starts_with);
KT_FN(kt_fn_ends_with);
KT_FN(kt_fn_contains);
KT_FN(kt_fn_matches);
KT_FN(kt_fn_not);
KT_FN(kt_fn_xor);
KT_FN(kt_fn_is_null);
KT_FN(kt_fn_is_not_null);
KT_FN(kt_fn_element);
KT_FN(kt_fn_slice);
KT_FN(kt_fn_abs);
KT_FN(kt_fn_ceil);
KT_FN(kt_fn_floor);
KT_FN(kt_fn_round);
KT_FN(kt_fn_sign);
KT_FN(kt_fn_sqrt);
KT_FN(kt_fn_exp);
KT_FN(kt_fn_log);
KT_FN(kt_fn_log10);
KT_FN(kt_fn_e);
KT_FN(kt_fn_pi);
KT_FN(kt_fn_sin);
KT_FN(kt_fn_cos);
KT_FN(kt_fn_tan);
KT_FN(kt_fn_cot);
KT_FN(kt_fn_asin);
KT_FN(kt_fn_acos);
KT_FN(kt_fn_atan);
KT_FN(kt_fn_atan2);
KT_FN(kt_fn_degrees);
KT_FN(kt_fn_radians);
KT_FN(kt_fn_haversin);
KT_FN(kt_fn_is_nan);
KT_FN(kt_fn_rand);
KT_FN(kt_fn_random_uuid);
KT_FN(kt_fn_timestamp);
KT_FN(kt_fn_to_string);
KT_FN(kt_fn_to_integer);
KT_FN(kt_fn_to_float);
KT_FN(kt_fn_to_boolean);
KT_FN(kt_fn_to_upper);
KT_FN(kt_fn_to_lower);
KT_FN(kt_fn_trim);
KT_FN(kt_fn_ltrim);
KT_FN(kt_fn_rtrim);
KT_FN(kt_fn_replace);
KT_FN(kt_fn_split);
KT_FN(kt_fn_substring);
KT_FN(kt_fn_left);
KT_FN(kt_fn_right);
KT_FN(kt_fn_reverse);
KT_FN(kt_fn_size);
KT_FN(kt_fn_is_empty);
KT_FN(kt_fn_range);
KT_FN(kt_fn_head);
KT_FN(kt_fn_last);
KT_FN(kt_fn_tail);
KT_FN(kt_fn_id);
KT_FN(kt_fn_element_id);
KT_FN(kt_fn_labels);
KT_FN(kt_fn_type);
KT_FN(kt_fn_keys);
KT_FN(kt_fn_properties);
KT_FN(kt_fn_start_node);
KT_FN(kt_fn_end_node);
KT_FN(kt_fn_nodes);
KT_FN(kt_fn_relationships);
KT_FN(kt_fn_length);

KT_MANY(kt_many_add);
KT_MANY(kt_many_subtract);
KT_MANY(kt_many_multiply);
KT_MANY(kt_many_divide);
KT_MANY(kt_many_modulo);
KT_MANY(kt_many_equal);
KT_MANY(kt_many_unequal);
KT_MANY(kt_many_less);
KT_MANY(kt_many_less_equal);
KT_MANY(kt_many_greater);
KT_MANY(kt_many_greater_equal);
KT_MANY(kt_many_not);
KT_MANY(kt_many_in);
KT_MANY(kt_many_is_null);
KT_MANY(kt_many_is_not_null);
KT_MANY(kt_many_id);
KT_MANY(kt_many_labels);
KT_MANY(kt_many_properties);

#endif
