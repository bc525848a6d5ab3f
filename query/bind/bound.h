/* query/bind/bound.h - what the binder makes of a syntax tree: names resolved to slots, kinds known,
 * every compile-time error found.
 *
 * A bound statement is const after binding, lives in one arena, and is shared by plans of any schema
 * version. It names labels, types and keys by text (a table of names, resolved to tokens when a query is
 * opened) and holds no parameter value.
 *
 * Slots: each variable, named or not, of a pattern, projection or UNWIND has a number of its own in the whole
 * statement. `WITH a` and `WITH a AS b` keep a's slot when the item is nothing but a variable. */
#ifndef KT_QUERY_BIND_BOUND_H
#define KT_QUERY_BIND_BOUND_H

#include "base/diag.h"
#include "base/value.h"
#include "query/expr/function.h" /* KtFunction, KtType */
#include "storage/graph.h"       /* KtDir, KtNameKind */

typedef uint32_t KtSlot;
#define KT_NO_SLOT UINT32_MAX

#define KT_TYPE_ANY ((KtType){KT_ANY_KIND, KT_ANY_KIND})

struct KtBoundSubquery;
typedef struct KtExpr KtExpr;
typedef uint32_t KtNameRef; /* index into KtBound.name */

typedef enum KtExprKind {
    KT_EXPR_CONST, /* as.value */
    KT_EXPR_PARAM, /* as.param: index into KtBound.param */
    KT_EXPR_SLOT,  /* as.slot: a variable, an aggregate's result, or a subquery's result */
    KT_EXPR_LOCAL, /* as.local: variable of an enclosing comprehension, quantifier or reduce, numbered from
                            0 over the whole statement */
    KT_EXPR_PROP, /* arg[0] . as.name; arg[0] may be a node, relationship, map (or null) */
    KT_EXPR_HAS_LABELS, /* arg[0] : names.name[0..n): a node with all labels; a relationship whose type it is */
    KT_EXPR_CALL, /* as.call.function over arg: operators too ("+", "=", "IN", "[]", "[..]", "NOT", ...) */
    KT_EXPR_AND, /* n-ary, lazy by row from left to right */
    KT_EXPR_OR,
    KT_EXPR_CASE, /* searched form: arg = when, then, when, then, ..., else (always there, maybe null
                            const). The simple form is bound as equalities on a shared operand: as.has_operand:
                            arg[0] is the operand, compared by = with each when */
    KT_EXPR_LIST,           /* [arg...] */
    KT_EXPR_MAP,            /* {as.map.key[i]: arg[i]} */
    KT_EXPR_MAP_PROJECTION, /* arg[0] {.k, .*, name: expr}: as.project */
    KT_EXPR_COMPREHENSION, /* [local IN arg[0] WHERE arg[1] | arg[2]]; arg[1], arg[2] may be NULL */
    KT_EXPR_QUANTIFIER,    /* as.quantify: kind(local IN arg[0] WHERE arg[1]) */
    KT_EXPR_REDUCE         /* reduce(acc = arg[0], local IN arg[1] | arg[2]) */
} KtExprKind;

typedef enum KtQuantifier { KT_ALL, KT_ANY, KT_NONE, KT_SINGLE } KtQuantifier;

typedef struct KtMapItem {
    KtText key;
    bool star; /* .*: all properties */
    bool prop; /* .key: property `name` of the subject; else arg[arg] */
    KtNameRef name;
    uint32_t arg;
} KtMapItem;

struct KtExpr {
    KtExprKind kind;
    KtType type;
    KtPos at;
    uint32_t args;
    const KtExpr **arg;
    bool may_fail; /* some row of legal input can raise an error */
    bool
        meets_deleted; /* reads an entity where a clause before deletes: may fail for one that is there no more,
                           whatever its type */
    bool per_row; /* rand(), randomUUID(): not to be folded, moved or computed twice */
    union {
        KtValue value;
        uint32_t param;
        KtSlot slot;
        uint32_t local;
        KtNameRef name; /* PROP */
        struct {
            const KtNameRef *name;
            uint32_t n;
        } names; /* HAS_LABELS */
        struct {
            const KtFunction *function;
        } call;
        bool has_operand; /* CASE */
        struct {
            const KtText *key;
        } map;
        struct {
            const KtMapItem *item;
            uint32_t n;
        } project;
        struct {
            uint32_t local;
        } each; /* COMPREHENSION */
        struct {
            uint32_t local;
            KtQuantifier kind;
        } quantify;
        struct {
            uint32_t local, acc;
        } reduce;
    } as;
};

/* ---- patterns ---- */

typedef struct KtBoundProp {
    KtNameRef key;
    const KtExpr *value;
} KtBoundProp;

typedef struct KtBoundNode {
    KtSlot slot;
    KtPos at;
    bool named,
        bound; /* bound: it has a value before this clause (or earlier in this clause's patterns) */
    bool meets_deleted; /* bound, and a clause before deletes: its labels and properties may fail */
    const KtNameRef *label;
    uint32_t labels;
    const KtBoundProp *prop;
    uint32_t props;
    const KtExpr *prop_map; /* `(n $map)`: the properties as one expression, else NULL */
} KtBoundNode;

typedef struct KtBoundRel {
    KtSlot slot; /* a relationship; with var_length a list of relationships */
    KtPos at;
    bool named, bound, meets_deleted;
    KtDir dir;             /* read from left to right: KT_OUT is -->, KT_IN <--, KT_BOTH -- */
    const KtNameRef *type; /* any of these; none: every type */
    uint32_t types;
    bool var_length;
    uint32_t min, max; /* max UINT32_MAX: no upper bound */
    const KtBoundProp *prop;
    uint32_t props;
    const KtExpr *prop_map;
} KtBoundRel;

typedef enum KtPatternKind {
    KT_PATTERN_PLAIN,
    KT_PATTERN_SHORTEST,
    KT_PATTERN_ALL_SHORTEST
} KtPatternKind;

typedef struct KtBoundPattern {
    KtPatternKind kind;
    KtSlot path; /* `p = ...`, else KT_NO_SLOT */
    KtPos at;
    uint32_t rels; /* nodes: rels + 1; node[i] -rel[i]- node[i + 1] */
    const KtBoundNode *node;
    const KtBoundRel *rel;
} KtBoundPattern;

/* ---- subqueries inside expressions ---- */

typedef enum KtSubqueryKind {
    KT_SUBQUERY_EXISTS, /* EXISTS { ... }, exists((a)-->()), a pattern as a predicate: slot is a boolean */
    KT_SUBQUERY_COLLECT /* [(a)-->(b) WHERE ... | expr]: slot is a list, in the order found */
} KtSubqueryKind;

/* The planner computes `slot` for each row before the expression that reads it. Correlated on the slots of the
 * scope it stands in. (One that reads a local of a comprehension is NOT_SUPPORTED.) */
typedef struct KtBoundSubquery {
    KtSubqueryKind kind;
    KtSlot slot;
    const struct KtBoundQuery
        *query; /* EXISTS: any reading query. COLLECT: MATCH and one RETURN item */
} KtBoundSubquery;

/* ---- clauses ---- */

typedef struct KtSubqueries {
    const KtBoundSubquery *at;
    uint32_t n;
} KtSubqueries;

typedef struct KtBoundItem {
    KtText name;        /* column or variable name */
    KtSlot slot;        /* receives the value; for a plain variable that variable's own slot */
    const KtExpr *expr; /* in an aggregating projection: over key slots and aggregate slots only */
    bool plain;         /* nothing but a variable */
} KtBoundItem;

typedef struct KtBoundKey { /* grouping key of an aggregating projection */
    KtSlot slot;
    const KtExpr *expr; /* over the scope before */
    bool plain;
} KtBoundKey;

typedef struct KtBoundAggregate {
    KtSlot slot;
    const KtFunction *function; /* NULL: count(*) */
    bool distinct;
    uint32_t args;
    const KtExpr **arg; /* over the scope before */
    KtType type;
    KtPos at;
} KtBoundAggregate;

typedef struct KtBoundSort {
    const KtExpr
        *expr; /* over the new scope and, without DISTINCT or aggregates, the scope before too */
    bool descending;
} KtBoundSort;

typedef enum KtSetKind {
    KT_SET_PROP,
    KT_SET_REPLACE,
    KT_SET_MERGE,
    KT_SET_LABELS,
    KT_REMOVE_PROP,
    KT_REMOVE_LABELS
} KtSetKind;

typedef struct KtBoundSet {
    KtSetKind kind;
    const KtExpr *target; /* node or relationship, may be null: then nothing happens */
    KtPos at;
    KtNameRef key;       /* *_PROP */
    const KtExpr *value; /* SET_PROP, SET_REPLACE (=), SET_MERGE (+=) */
    const KtNameRef *label;
    uint32_t labels;
} KtBoundSet;

typedef enum KtClauseKind {
    KT_CLAUSE_MATCH,
    KT_CLAUSE_UNWIND,
    KT_CLAUSE_PROJECT, /* WITH and RETURN */
    KT_CLAUSE_CREATE,
    KT_CLAUSE_MERGE,
    KT_CLAUSE_SET, /* SET and REMOVE */
    KT_CLAUSE_DELETE,
    KT_CLAUSE_SHOW /* SHOW INDEXES, SHOW CONSTRAINTS: makes its columns' slots */
} KtClauseKind;

typedef struct KtBoundClause {
    KtClauseKind kind;
    KtPos at;
    /* of its expressions; MATCH: of its WHERE; PROJECT: of its items and sort keys */
    KtSubqueries subqueries;
    union {
        struct {
            bool optional;
            const KtBoundPattern *pattern;
            uint32_t patterns;
            const KtExpr
                *where; /* may be NULL. Patterns' own labels and properties are not in it */
        } match;
        struct {
            const KtExpr *list;
            KtSlot slot;
        } unwind;
        struct {
            bool is_return, distinct, aggregates;
            const KtBoundKey *key; /* aggregates: distinct keys of the non-aggregating items */
            uint32_t keys;
            const KtBoundAggregate *aggregate;
            uint32_t n_aggregates;
            const KtBoundItem *item; /* in order of writing; * expanded */
            uint32_t items;
            const KtBoundSort *sort;
            uint32_t sorts;
            const KtExpr *skip, *limit; /* row-free; NULL if none */
            const KtExpr *where; /* WITH ... WHERE, over the new scope (and before, as sort) */
            KtSubqueries where_subqueries;
        } project;
        struct {
            const KtBoundPattern
                *pattern; /* nodes and relationships that are `bound` are not created */
            uint32_t patterns;
        } create;
        struct {
            KtBoundPattern pattern;
            const KtBoundSet *on_create, *on_match;
            uint32_t on_creates, on_matches;
        } merge;
        struct {
            const KtBoundSet *item;
            uint32_t items;
        } set;
        struct {
            bool detach;
            const KtExpr **target; /* nodes, relationships, paths, null */
            uint32_t targets;
        } del;
        struct {
            bool constraints;
            const KtSlot *slot; /* one for each column, in the order of KtBound.column */
            uint32_t slots;
        } show;
    } as;
} KtBoundClause;

typedef struct KtBoundPart { /* one side of a UNION */
    const KtBoundClause *clause;
    uint32_t clauses;
    const KtSlot *column; /* the RETURN's columns by position; none: the part returns nothing */
    uint32_t columns;
    bool writes;
} KtBoundPart;

typedef struct KtBoundQuery {
    const KtBoundPart *part;
    uint32_t parts;
    bool union_all;       /* else rows are made distinct (UNION) */
    const KtSlot *column; /* slots of the result: part[0]'s own, or fresh ones for a UNION */
    uint32_t columns;
    bool writes;
} KtBoundQuery;

typedef enum KtSchemaKind {
    KT_SCHEMA_NONE,
    KT_SCHEMA_CREATE_INDEX,
    KT_SCHEMA_CREATE_UNIQUE,
    KT_SCHEMA_DROP_INDEX,
    KT_SCHEMA_DROP_CONSTRAINT
} KtSchemaKind;

typedef struct KtBoundName {
    KtNameKind kind;
    KtText text;
} KtBoundName;

typedef struct KtSlotFacts {
    KtText name; /* empty for unnamed */
    KtType type;
} KtSlotFacts;

typedef struct KtBound {
    bool explain, profile;
    KtSchemaKind schema; /* not NONE: a schema statement, `query` is empty */
    struct {
        KtText name, label, key;
        bool if_exists; /* IF EXISTS / IF NOT EXISTS */
    } schema_as;
    const KtBoundQuery *query;
    const KtText *column; /* names of the result's columns */
    uint32_t columns;
    const KtBoundName *name;
    uint32_t names;
    const KtText *param;
    uint32_t params;
    const KtSlotFacts *slot;
    uint32_t slots;
    uint32_t locals;
} KtBound;

#endif
