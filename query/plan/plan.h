/* query/plan/plan.h - the physical plan: a const tree, shared by all queries of the same statement and schema version.
 *
 * It holds no parameter value and no token: names are KtNameRef, resolved when a query opens it. Rows flow from
 * child[0] up. In Apply and its kin child[0] is the outer plan and child[1] the inner one, whose leaf is an
 * Argument. Every node names the clause it came from, by which its reads see own writes.
 *
 * The only leaves are Argument (at the top, without an argument batch: one row without columns) and Show. Scans and
 * seeks have child[0] too: their ids are runs over its rows (a scan is made again for each row: the planner uses
 * Product where that is more than a few), and a seek's program may read its slots. */
#ifndef KT_QUERY_PLAN_PLAN_H
#define KT_QUERY_PLAN_PLAN_H

#include "query/expr/expr.h"
#include "storage/catalog.h"

typedef enum KtPlanKind {
#define KT_PLAN(name, text) KT_PLAN_##name,
#include "query/plan/plan_kinds.def"
#undef KT_PLAN
    KT_PLAN_KIND_COUNT
} KtPlanKind;

typedef struct KtPlan KtPlan;

typedef struct KtPlanRel { /* the relationship of one hop */
    KtSlot slot;           /* KT_NO_SLOT: nobody reads it */
    KtDir dir;             /* seen from `from` */
    const KtNameRef *type;
    uint32_t types; /* 0: all */
    /* Relationships (or lists of them) of the same MATCH that it must differ from, already bound below. */
    const KtSlot *differs;
    uint32_t n_differs;
} KtPlanRel;

typedef struct KtPlanSort {
    const KtProgram *key;
    bool descending;
} KtPlanSort;

typedef struct KtPlanProject {
    KtSlot slot;
    const KtProgram *program;
} KtPlanProject;

/* The argument of a sum over a last hop, taken apart: what is known before the hop, and what the end adds. */
typedef struct KtPlanListSum {
    const KtProgram *const *rest; /* what else is added, as it stands in the statement */
    uint32_t rests;
    bool id; /* the end's id, else its property `key` */
    KtNameRef key;
} KtPlanListSum;

typedef struct KtPlanAggregate {
    KtSlot slot;
    const KtBoundAggregate *bound;
    const KtProgram *arg[2];       /* NULL where it has none */
    const KtPlanListSum *list_sum; /* of an Aggregate with list_end; NULL: it counts rows */
} KtPlanAggregate;

/* A node or relationship to be made, with its properties. */
typedef struct KtPlanNewProp {
    KtNameRef key;
    const KtProgram *value;
} KtPlanNewProp;
typedef struct KtPlanNew {
    bool is_rel;
    KtSlot slot;
    const KtNameRef *label; /* labels, or the one type */
    uint32_t labels;
    KtSlot start, end; /* relationship */
    const KtPlanNewProp *prop;
    uint32_t props;
    const KtProgram *prop_map; /* `(n $map)`, or NULL */
    KtPos at;
} KtPlanNew;

typedef struct KtPlanSet {
    const KtBoundSet *bound;
    const KtProgram *target, *value; /* value NULL where the item has none */
} KtPlanSet;

struct KtPlan {
    KtPlanKind kind;
    const KtPlan *child[2];
    /* number of the clause, from 0 in order of writing; its reads see what clauses before wrote */
    uint32_t clause;
    uint32_t id; /* place in the plan, for EXPLAIN and PROFILE; 0 .. n-1 */
    double rows; /* estimate */
    union {
        struct {
            KtSlot slot;
        } scan_all; /* ScanAll */
        struct {
            KtSlot slot;
            KtNameRef label;
        } scan_label; /* ScanLabel */
        struct {
            KtSlot slot;
            const KtProgram *id;
            bool rel, element_id; /* elementId text */
            bool in_list;         /* id is a list of ids */
            /* of a node: only with this label, which saves asking whether it exists */
            bool has_label;
            KtNameRef label;
        } seek_id; /* SeekId; rel: makes a relationship slot */
        struct {
            KtSlot slot;
            uint32_t index;
            KtNameRef label;             /* that the index is on */
            const KtProgram *equal;      /* equality, or */
            bool in_list;                /* equal is a list: any of its elements */
            const KtProgram *low, *high; /* a range, each may be NULL */
            bool low_inclusive, high_inclusive;
            KtText index_name;
        } seek_index; /* SeekIndex */
        struct {
            KtSlot from, to;
            KtPlanRel rel;
        } expand; /* Expand; ExpandInto: `to` is bound below */
        struct {
            KtSlot from;
            KtPlanRel rel;
        } degree; /* ExpandDegree: weight *= degree - hits */
        struct {
            KtSlot from, to, count; /* count: KT_NO_SLOT for ExpandDistinct */
            KtPlanRel rel;
        } fold; /* ExpandDistinct, ExpandCount */
        struct {
            KtSlot from, to;
            bool into;      /* `to` is bound below */
            bool ends_only; /* visited-set form: only distinct ends matter; min 0 or 1 */
            uint32_t min, max;
            KtPlanRel rel;             /* rel.slot: the list of relationships */
            KtSlot path;               /* piece of a path as a Path value, or KT_NO_SLOT */
            const KtPlanNewProp *prop; /* every relationship must equal these */
            uint32_t props;
            /* Predicates on single elements, evaluated inside; step_rel/step_node: the slots they read it by. */
            const KtProgram *const *node_filter;
            const KtProgram *const *rel_filter;
            uint32_t node_filters, rel_filters;
            KtSlot step_node, step_rel;
            bool all; /* ShortestPath: allShortestPaths */
        } var;        /* VarExpand, ShortestPath (both ends bound) */
        struct {
            const KtProgram *const *test;
            uint32_t n;
        } filter; /* Filter: AND of all */
        struct {
            const KtPlanProject *item;
            uint32_t n;
        } project; /* Project */
        struct {
            const KtProgram *list;
            KtSlot slot;
        } unwind; /* Unwind */
        struct {
            const KtSlot *null_slot;
            uint32_t n;
        } optional; /* Optional: slots that are null where nothing matched */
        struct {
            bool anti;
            KtSlot mark;
        } semi; /* SemiApply: keeps rows (anti: without); mark: adds a boolean instead */
        struct {
            const KtProgram *item;
            KtSlot slot;
        } collect; /* CollectApply: list of the inner rows' item per outer row */
        struct {
            const KtProgram *const *left;  /* keys of child[0], which probes */
            const KtProgram *const *right; /* of child[1], which is built */
            uint32_t n;                    /* of each: all must be equal */
            bool probe_may_fail; /* then all rows of child[0] are asked for, joined or not */
        } join;                  /* HashJoin; Product has none */
        struct {
            const KtSlot *key;
            uint32_t n;
        } distinct; /* Distinct; new level of these slots */
        struct {
            const KtPlanProject *key;
            uint32_t keys; /* computed below the grouping */
            const KtPlanAggregate *item;
            uint32_t n;
            /* end of the Expand below whose lists can be summed whole, or KT_NO_SLOT */
            KtSlot list_end;
            KtSlot from, to;
            KtPlanRel rel; /* ExpandCountDistinct: the hop whose ends are counted */
        } aggregate;       /* Aggregate, ExpandCountDistinct */
        struct {
            const KtPlanSort *key;
            uint32_t keys;
            const KtSlot *keep;
            uint32_t n_keep;               /* slots that are read above */
            const KtProgram *skip, *limit; /* TopN: limit is set; row-free */
        } sort;                            /* Sort, TopN */
        struct {
            const KtProgram *count;
        } limit; /* Skip, Limit */
        struct {
            const KtSlot *left, *right, *out;
            uint32_t n;
        } set_union; /* Union: concatenates child[0] and child[1] */
        struct {
            const KtSlot *keep;
            uint32_t n_keep;
        } barrier; /* Barrier */
        struct {
            const KtPlanNew *item;
            uint32_t n;
        } create; /* Create */
        struct {
            const KtPlanSet *item;
            uint32_t n;
        } set; /* Set (and REMOVE) */
        struct {
            const KtProgram *const *target;
            uint32_t n;
            bool detach;
        } del;   /* Delete */
        struct { /* Merge: child[1] is the matching plan */
            const KtPlanNew *item;
            uint32_t n; /* made when nothing matched */
            const KtPlanSet *on_create, *on_match;
            uint32_t on_creates, on_matches;
            const KtSlot *matched;
            uint32_t n_matched; /* slots that child[1] gives */
        } merge;
        struct {
            KtSlot slot;
            const KtSlot *node;
            const KtSlot *rel;
            uint32_t rels;
            const bool *rel_is_list;
        } path; /* MakePath: a Path value from bound pieces */
        struct {
            const KtSlot *column;
            uint32_t n;
        } result; /* Result: hands rows to the sink */
        struct {
            bool constraints;
            const KtSlot *slot;
            uint32_t n;
        } show; /* Show */
    } as;
};

typedef struct KtPlanned {
    const KtPlan *root;
    const KtBound *bound;
    uint64_t schema_version;
    uint32_t nodes; /* plan nodes: ids 0 .. nodes - 1 */
    uint32_t clauses;
    uint32_t slots; /* bound->slots and those the planner added */
} KtPlanned;

/* Plans a bound statement for one schema version. Everything in `arena`. `db` for statistics. */
KtStatus kt_plan(const KtBound *bound, KtView *view, KtArena *arena, KtDiag *diag,
                 const KtPlanned **out) KT_MUST_CHECK;

/* The plan as an indented text table. `rows_of`: rows seen by plan id (PROFILE), or NULL; ns_of the same. */
void kt_plan_print(const KtPlanned *plan, const uint64_t *rows_of, const int64_t *ns_of,
                   KtBuf *out);

#endif
