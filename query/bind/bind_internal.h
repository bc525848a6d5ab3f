/* query/bind/bind_internal.h - the binder's state and what its files share.
 *
 * Each clause is bound against the scope that the one before it left. Expressions are bound against b->scope;
 * what stands around them (an aggregating projection, an aggregate's argument, a clause that may not aggregate)
 * is in the b->... context fields, which whoever changes them puts back. */
#ifndef KT_QUERY_BIND_BIND_INTERNAL_H
#define KT_QUERY_BIND_BIND_INTERNAL_H

#include "query/ast/ast.h"
#include "query/bind/bind.h"
#include "query/bind/scope.h"

enum {
    BIND_DEPTH_MOST =
        2000, /* of a bound expression; a comparison chain is two deep for one of the tree */
    BIND_COMPARES_MOST =
        10000000 /* steps of comparing expressions with each other in one statement */
};

/* A list that grows in the arena. */
typedef struct KtBindList {
    void *item;
    uint32_t n, cap;
} KtBindList;

/* An aggregating projection while its items are bound. */
typedef struct KtGrouping {
    KtBindList keys;       /* KtBoundKey */
    KtBindList key_ast;    /* const KtAstExpr *, of each key */
    KtBindList aggregates; /* KtBoundAggregate */
    bool open;             /* items with aggregates are being bound: variables must be keys */
} KtGrouping;

/* The items of a projection that its sort keys and WHERE may repeat. */
typedef struct KtRepeats {
    const KtAstProjection *ast;
    const KtBoundItem *item; /* of ast->item[i], at the same index + offset */
    uint32_t offset;
} KtRepeats;

typedef struct KtSlotState {
    KtSlotFacts facts;
    uint32_t rel_of; /* number of the MATCH that used it as a relationship last; 0: none */
} KtSlotState;

typedef struct KtBinder {
    KtArena *arena;
    KtDiag *diag;
    KtText text; /* of the statement */
    KtValue params;
    KtTextSet param_names; /* of params, filled at first use */
    bool params_read;

    KtBindList slots;       /* KtSlotState */
    KtBindList names;       /* KtBoundName */
    KtTextSet name_set[4];  /* by KtNameKind */
    KtBindList name_ref[4]; /* KtNameRef, by number in name_set */
    KtTextSet param_set;
    uint32_t locals, matches;
    bool deleted; /* a clause before deletes: what a variable names may be there no more */
    uint64_t compares;

    /* Context */
    KtBindScope *scope;
    KtBindList *subqueries;    /* KtBoundSubquery; of the clause being bound */
    const char *no_aggregates; /* where aggregates are not allowed: "WHERE"...; NULL: they are */
    KtGrouping *grouping; /* of the projection being bound, NULL outside of one that aggregates */
    bool in_aggregate;
    const KtRepeats *repeats; /* sort keys and WHERE of an aggregating or distinct projection */
    KtBindScope
        *before; /* sort keys: what the scope was before the projection, which subqueries and
                                  arguments of aggregates see, since they are computed before it */
    uint32_t outer_locals; /* locals below this number belong outside of the subquery being bound */
} KtBinder;

/* ---- common steps: bind_query.c ---- */

KtStatus kt_bind_memory(KtBinder *b) KT_MUST_CHECK;
KtStatus kt_bind_push(KtBinder *b, KtBindList *list, const void *item, size_t size) KT_MUST_CHECK;
KtStatus kt_bind_unsupported(KtBinder *b, const KtPos *at, const char *what,
                             const char *way_out) KT_MUST_CHECK;
KtStatus kt_bind_name(KtBinder *b, KtNameKind kind, KtText text, KtNameRef *out) KT_MUST_CHECK;
KtStatus kt_bind_names(KtBinder *b, KtNameKind kind, const KtAstNames *names, const KtNameRef **out,
                       uint32_t *n) KT_MUST_CHECK;
KtStatus kt_bind_slot(KtBinder *b, KtText name, KtType type, KtSlot *out) KT_MUST_CHECK;
static inline KtSlotState *kt_bind_slot_state(KtBinder *b, KtSlot slot)
{
    return (KtSlotState *)b->slots.item + slot;
}
/* Declares a new slot variable in the scope. Errors: VARIABLE_ALREADY_BOUND if the scope itself has it. */
KtStatus kt_bind_declare(KtBinder *b, const KtAstName *name, KtType type,
                         KtSlot *out) KT_MUST_CHECK;
KtBindScope *kt_bind_scope(KtBinder *b, const KtBindScope *parent); /* NULL: no memory */
/* "%.*s" of a name in a message, cut to a sane length. */
#define KT_BIND_SHOWN(text_) (int)((text_).len > 100 ? 100 : (text_).len), (text_).at

/* ---- types.c ---- */

#define KT_BIND_NULL KT_KIND_BIT(KT_NULL)
KtType kt_type_of_value(KtValue value);
/* What is either of the two. */
KtType kt_type_join(KtType a, KtType b);
/* The type of an element of a list of this type. */
KtType kt_type_element(KtType list);
/* Can it be one of these kinds (or null)? */
static inline bool kt_type_admits(KtType type, KtKinds kinds)
{
    KtKinds known = type.kinds & ~(KtKinds)KT_BIND_NULL;
    return known == 0 || (known & kinds) != 0;
}
static inline bool kt_type_is_within(KtType type, KtKinds kinds)
{
    return type.kinds != 0 && (type.kinds & ~(kinds | KT_BIND_NULL)) == 0;
}
/* "Integer or Float" into `out`; "any" if it is not known. */
const char *kt_type_words(KtType type, char out[160]);
/* An error unless the expression admits one of `kinds`. */
KtStatus kt_bind_expect(KtBinder *b, const KtExpr *expr, KtKinds kinds,
                        const char *who) KT_MUST_CHECK;

/* ---- expressions: bind_expr.c, bind_each.c, bind_call.c ---- */

/* A new expression over args; depth and the flags of the arguments are taken over. Errors: TOO_COMPLEX, MEMORY. */
KtStatus kt_bind_make(KtBinder *b, KtExprKind kind, KtPos at, KtType type, const KtExpr *const *arg,
                      uint32_t args, KtExpr **out) KT_MUST_CHECK;
/* `e` reads what an entity has; fails: it may also fail for another reason. */
static inline void kt_bind_reads_entity(const KtBinder *b, KtExpr *e, bool fails)
{
    e->meets_deleted = b->deleted;
    e->may_fail |= fails || b->deleted;
}
KtStatus kt_bind_slot_expr(KtBinder *b, KtSlot slot, KtPos at, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_const(KtBinder *b, KtValue value, KtPos at, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_expr(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;
/* The same where only a truth value counts: a pattern stands for its existence. */
KtStatus kt_bind_truth(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;
/* A WHERE or the like: `who` names it in messages. Aggregates are refused. */
KtStatus kt_bind_where(KtBinder *b, const KtAstExpr *e, const char *who,
                       const KtExpr **out) KT_MUST_CHECK;
/* An expression of a clause that may not aggregate. */
KtStatus kt_bind_plain(KtBinder *b, const KtAstExpr *e, const char *who,
                       const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_exprs(KtBinder *b, const KtAstExprs *list, const KtExpr ***out) KT_MUST_CHECK;
KtStatus kt_bind_function(KtBinder *b, const KtFunction *function, KtPos at,
                          const KtExpr *const *arg, uint32_t args,
                          const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_operator(KtBinder *b, const char *name, KtPos at, const KtExpr *const *arg,
                          uint32_t args, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_call(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_case(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_each(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_reduce(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_count_star(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;
/* Does an aggregate stand in it (not counting subqueries)? */
bool kt_bind_has_aggregate(const KtAstExpr *e);
/* Is it the same expression, whatever the blanks? Errors: TOO_COMPLEX when the statement's allowance is used up. */
KtStatus kt_bind_same(KtBinder *b, const KtAstExpr *x, const KtAstExpr *y, bool *out) KT_MUST_CHECK;

/* ---- subqueries: bind_pattern.c ---- */

KtStatus kt_bind_pattern_exists(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_exists(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_gather(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_bind_shortest(KtBinder *b, const KtAstExpr *e, const KtExpr **out) KT_MUST_CHECK;

typedef enum KtPatternUse {
    KT_PATTERN_MATCH,
    KT_PATTERN_CREATE,
    KT_PATTERN_MERGE,
    KT_PATTERN_PREDICATE
} KtPatternUse;
KtStatus kt_bind_patterns(KtBinder *b, KtAstPaths paths, KtPatternUse use,
                          const KtBoundPattern **out) KT_MUST_CHECK;

/* ---- clauses ---- */

KtStatus kt_bind_match(KtBinder *b, const KtAstClause *c, KtBoundClause *out) KT_MUST_CHECK;
KtStatus kt_bind_unwind(KtBinder *b, const KtAstClause *c, KtBoundClause *out) KT_MUST_CHECK;
KtStatus kt_bind_projection(KtBinder *b, const KtAstClause *c, KtBoundClause *out) KT_MUST_CHECK;
KtStatus kt_bind_create(KtBinder *b, const KtAstClause *c, KtBoundClause *out) KT_MUST_CHECK;
KtStatus kt_bind_merge(KtBinder *b, const KtAstClause *c, KtBoundClause *out) KT_MUST_CHECK;
KtStatus kt_bind_set(KtBinder *b, const KtAstClause *c, KtBoundClause *out) KT_MUST_CHECK;
KtStatus kt_bind_delete(KtBinder *b, const KtAstClause *c, KtBoundClause *out) KT_MUST_CHECK;
KtStatus kt_bind_procedure(KtBinder *b, const KtAstClause *c) KT_MUST_CHECK;

/* A query inside of an expression may only read and need not return anything. */
KtStatus kt_bind_query(KtBinder *b, const KtAstQuery *q, bool inside,
                       const KtBoundQuery **out) KT_MUST_CHECK;

#endif
