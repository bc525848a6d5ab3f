/* query/plan/plan_internal.h - what the planner's files share.
 *
 * The planner walks a bound query clause by clause and grows one plan, `Build.plan`. `Build.have` says which slots the
 * plan's rows carry. Everything is made in one arena; a failed allocation ends planning. */
#ifndef KT_QUERY_PLAN_PLAN_INTERNAL_H
#define KT_QUERY_PLAN_PLAN_INTERNAL_H

#include "query/plan/plan.h"

typedef struct Planner {
    KtArena *arena;
    KtDiag *diag;
    const KtBound *bound;
    KtView *view;
    KtDatabase *db;
    const KtSchema *schema;
    KtStats stats;
    uint32_t nodes;  /* made so far */
    uint32_t clause; /* number of the clause being planned */
    uint32_t slots;  /* next fresh slot */
    uint32_t words;  /* words of a slot set, with room for the planner's own */
} Planner;

typedef uint64_t *Slots; /* a set of slots, Planner.words words */

/* A plan under construction and what its rows carry. */
typedef struct Build {
    KtPlan *plan;
    Slots have;
    double rows;
    bool correlated; /* its leaf is the argument of an Apply */
} Build;

enum {
    PLANNER_OWN_SLOTS = 256,  /* most slots that the planner may add */
    PLANNER_NODES_MOST = 4000 /* most operators of one plan */
};

KtStatus kt_planner_slots(Planner *p, Slots *out) KT_MUST_CHECK; /* an empty set */
KtStatus kt_planner_fresh(Planner *p, KtSlot *out) KT_MUST_CHECK;
static inline bool slots_has(Slots s, KtSlot slot) { return kt_bit(s, slot); }
static inline void slots_add(Slots s, KtSlot slot)
{
    if (slot != KT_NO_SLOT)
        kt_bit_set(s, slot);
}
void kt_plan_slots_join(const Planner *p, Slots into, Slots more);

/* Puts a new node of `kind` over b->plan (which may be NULL for leaves) and returns it to be filled in. */
KtStatus kt_planner_over(Planner *p, Build *b, KtPlanKind kind, KtPlan **out) KT_MUST_CHECK;
KtStatus kt_planner_program(Planner *p, const KtExpr *expr, const KtProgram **out) KT_MUST_CHECK;
/* A build whose leaf is an Argument that carries `have`. */
KtStatus kt_planner_argument(Planner *p, Slots have, Build *out) KT_MUST_CHECK;

/* ---- expressions (plan_expr.c) ---- */
/* Adds the slots that `expr` reads. */
void kt_plan_expr_slots(const KtExpr *expr, Slots into);
bool kt_plan_expr_covered(const Planner *p, const KtExpr *expr, Slots have);
/* The conjuncts of `expr`, flattened, appended to a list. */
typedef struct Conjuncts {
    const KtExpr **at;
    bool *done;
    uint32_t n, cap, done_cap;
} Conjuncts;
KtStatus kt_plan_conjuncts_add(Planner *p, Conjuncts *list, const KtExpr *expr) KT_MUST_CHECK;
KtStatus kt_plan_expr_slot(Planner *p, KtSlot slot, const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_plan_expr_call(Planner *p, const char *function, const KtExpr *const *arg, uint32_t n,
                           const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_plan_expr_prop(Planner *p, KtSlot subject, KtNameRef key,
                           const KtExpr **out) KT_MUST_CHECK;
KtStatus kt_plan_expr_labels(Planner *p, KtSlot node, const KtNameRef *label, uint32_t n,
                             const KtExpr **out) KT_MUST_CHECK;
/* `expr` is a call of the named function. */
bool kt_plan_expr_is_call(const KtExpr *expr, const char *function);

/* ---- clauses ---- */
KtStatus kt_plan_query(Planner *p, const KtBoundQuery *query, Build *b) KT_MUST_CHECK;
KtStatus kt_plan_match(Planner *p, const KtBoundClause *clause, Build *b) KT_MUST_CHECK;
/* Matches patterns under conjuncts over b: MATCH, OPTIONAL MATCH's inside, MERGE's search. */
KtStatus kt_plan_patterns(Planner *p, const KtBoundPattern *pattern, uint32_t patterns,
                          Conjuncts *where, const KtSubqueries *subqueries, Build *b) KT_MUST_CHECK;
KtStatus kt_plan_create(Planner *p, const KtBoundClause *clause, Build *b) KT_MUST_CHECK;
KtStatus kt_plan_merge(Planner *p, const KtBoundClause *clause, Build *b) KT_MUST_CHECK;
KtStatus kt_plan_set(Planner *p, const KtBoundClause *clause, Build *b) KT_MUST_CHECK;
KtStatus kt_plan_delete(Planner *p, const KtBoundClause *clause, Build *b) KT_MUST_CHECK;
KtStatus kt_plan_path(Planner *p, const KtBoundPattern *pattern, Build *b) KT_MUST_CHECK;
/* Computes the subqueries' slots over b. */
KtStatus kt_plan_subqueries(Planner *p, const KtSubqueries *subqueries, Build *b) KT_MUST_CHECK;
KtStatus kt_plan_filter(Planner *p, const KtExpr *const *test, uint32_t n, Build *b) KT_MUST_CHECK;

/* ---- starts (rule_use_index.c): the cheapest way to get at a node ---- */
typedef struct Start {
    KtPlanKind kind;
    double rows;
    KtNameRef label;
    const KtIndexFacts *index;
    const KtExpr *key, *low, *high;
    bool in_list, element_id, low_inclusive, high_inclusive;
    uint32_t conjunct; /* the one that it answers in full, UINT32_MAX if none */
} Start;
KtStatus kt_plan_best_start(Planner *p, KtSlot node, const KtNameRef *label, uint32_t labels,
                            const Conjuncts *where, Slots have, Start *out) KT_MUST_CHECK;
/* An `id(slot) = e`, `id(slot) IN e` or elementId form among the conjuncts whose e is covered by `have`. */
bool kt_plan_find_id_seek(Planner *p, KtSlot slot, const Conjuncts *where, Slots have, Start *out);
KtStatus kt_plan_start(Planner *p, KtSlot node, const Start *start, Build *b) KT_MUST_CHECK;

/* ---- one MATCH (plan_match.c, plan_join.c, plan_shortest.c) ---- */
typedef struct Hop {
    const KtBoundRel *rel;
    KtSlot left, right;
    bool done;
    bool wanted; /* its slot is read: by name, a path, or another hop's `differs` */
} Hop;

typedef struct Match {
    Hop *hop;
    uint32_t hops;
    const KtBoundNode **node; /* one for each slot; labels may stand at several places */
    uint32_t nodes;
    Conjuncts *where;
    const KtSubqueries *subqueries;
    Slots within; /* only what lies among these is planned; NULL: everything */
} Match;

/* Whether two relationships of these types can be the same one. */
bool kt_plan_may_coincide(const Planner *p, const KtBoundRel *a, const KtBoundRel *b);
/* Places every conjunct that the rows carry. Those that may fail wait for `all`, so that they see only rows which
 * passed everything else, in order of writing. */
KtStatus kt_plan_place_filters(Planner *p, Match *m, Build *b, bool all) KT_MUST_CHECK;
/* The properties that a relationship must have, as programs. */
KtStatus kt_plan_new_props(Planner *p, const KtBoundProp *prop, uint32_t n,
                           const KtPlanNewProp **out) KT_MUST_CHECK;
/* A shortest-path pattern over b, which has both ends, with the conjuncts that go inside (plan_shortest.c). */
KtStatus kt_plan_shortest(Planner *p, Match *m, const KtBoundPattern *pattern,
                          Build *b) KT_MUST_CHECK;
/* The cheapest node to begin at among those that the rows do not carry; *node NULL: none is left. */
KtStatus kt_plan_next_start(Planner *p, const Match *m, Slots have, Start *start,
                            const KtBoundNode **node) KT_MUST_CHECK;
/* Plans all nodes and hops within m->within over b, and places the conjuncts that can stand there. */
KtStatus kt_plan_pieces(Planner *p, Match *m, Build *b) KT_MUST_CHECK;
/* Plans a piece by itself and joins it to the rows of b by the equalities that WHERE has between them. *joined false:
 * there are none, or there is a better way; *begin: then the piece to begin at, NULL for the one that is the
 * cheapest. */
KtStatus kt_plan_join(Planner *p, Match *m, Build *b, bool *joined, Slots *begin) KT_MUST_CHECK;

/* ---- rules over the finished plan ---- */
KtStatus kt_rule_fold(Planner *p, KtPlan *root) KT_MUST_CHECK;
/* rule_seek.c: a label that is asked for right above a SeekId becomes part of it. */
void kt_rule_seek(KtPlan *root);
/* rule_sums.c: takes the sums of an Aggregate over an Expand apart, if all can be. */
KtStatus kt_rule_sums(Planner *p, KtPlan *aggregate) KT_MUST_CHECK;

double kt_plan_est_degree(const Planner *p, KtDir dir, const KtNameRef *type, uint32_t types);

#endif
