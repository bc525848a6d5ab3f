/* query/ast/ast.h - the syntax tree of one statement: what was written, not yet what it means.
 *
 * Made by query/parse, read by query/bind and ast_print.c. All nodes lie in one arena and are const
 * after the parse. Long chains are flat: `a AND b AND c`, `a + b - c` and `a < b < c` are one node with
 * three operands. So the tree is at most KT_NESTING_MOST deep, and whoever walks it may recurse.
 * Names are without backticks, strings without escapes. Nothing here was checked beyond the grammar. */
#ifndef KT_QUERY_AST_AST_H
#define KT_QUERY_AST_AST_H

#include "base/diag.h"
#include "base/value.h"

typedef struct KtAstExpr KtAstExpr;
typedef struct KtAstPath KtAstPath;
typedef struct KtAstClause KtAstClause;
typedef struct KtAstQuery KtAstQuery;

/* A name and its place. Absent: text.at is NULL. */
typedef struct KtAstName {
    KtText text;
    KtPos at;
} KtAstName;

typedef struct KtAstNames {
    uint32_t n;
    const KtAstName *item;
} KtAstNames;

/* ---- expressions ---- */

typedef enum KtAstExprKind {
    KT_AST_LITERAL,   /* literal: NULL, BOOL, INT, FLOAT or TEXT */
    KT_AST_PARAMETER, /* name */
    KT_AST_VARIABLE,  /* name */
    KT_AST_LIST,      /* list: the elements */
    KT_AST_MAP,       /* map */
    /* Chains of at least two operands, left-associative; in chain. */
    KT_AST_OR,
    KT_AST_XOR,
    KT_AST_AND,
    KT_AST_COMPARE,  /* each neighbouring pair compared, all joined by AND */
    KT_AST_ADD,      /* + and - */
    KT_AST_MULTIPLY, /* * / % */
    KT_AST_POWER,
    KT_AST_NOT,         /* unary */
    KT_AST_MINUS,       /* unary; a minus before a number literal is folded into it */
    KT_AST_PLUS,        /* unary */
    KT_AST_IS_NULL,     /* unary */
    KT_AST_IS_NOT_NULL, /* unary */
    KT_AST_STARTS_WITH, /* binary, as the next four */
    KT_AST_ENDS_WITH,
    KT_AST_CONTAINS,
    KT_AST_MATCHES, /* =~ */
    KT_AST_IN,
    KT_AST_INDEX,    /* binary: left[right] */
    KT_AST_SLICE,    /* slice */
    KT_AST_PROPERTY, /* property: of.name */
    KT_AST_LABELS,   /* labels: of:A:B, all of them */
    KT_AST_CALL,     /* call: a function */
    KT_AST_COUNT_STAR,
    KT_AST_CASE,                  /* kase */
    KT_AST_LIST_COMPREHENSION,    /* each */
    KT_AST_PATTERN_COMPREHENSION, /* gather */
    KT_AST_ALL,                   /* each: list and where; as the next three */
    KT_AST_ANY,
    KT_AST_NONE,
    KT_AST_SINGLE,
    KT_AST_REDUCE,  /* reduce */
    KT_AST_PATTERN, /* path: a pattern used as a predicate, or shortestPath(...) as a value */
    KT_AST_EXISTS,  /* exists: EXISTS { ... } */
    KT_AST_MAP_PROJECTION, /* projection */
} KtAstExprKind;

/* The operator before an operand of a chain. OR, XOR, AND and POWER need none. */
typedef enum KtAstOp {
    KT_AST_OP_NONE,
    KT_AST_OP_EQ,
    KT_AST_OP_NE,
    KT_AST_OP_LT,
    KT_AST_OP_LE,
    KT_AST_OP_GT,
    KT_AST_OP_GE,
    KT_AST_OP_PLUS,
    KT_AST_OP_MINUS,
    KT_AST_OP_TIMES,
    KT_AST_OP_DIVIDE,
    KT_AST_OP_MODULO,
} KtAstOp;

typedef struct KtAstExprs {
    uint32_t n;
    const KtAstExpr *const *item;
} KtAstExprs;

typedef struct KtAstMapEntry {
    KtAstName key;
    const KtAstExpr *value;
} KtAstMapEntry;

typedef struct KtAstWhen {
    const KtAstExpr *when, *then;
} KtAstWhen;

typedef enum KtAstProjectKind {
    KT_AST_PROJECT_PROPERTY, /* .name */
    KT_AST_PROJECT_ALL,      /* .* */
    KT_AST_PROJECT_ENTRY,    /* name: value */
    KT_AST_PROJECT_VARIABLE  /* name, as name: name */
} KtAstProjectKind;

typedef struct KtAstProjectItem {
    KtAstProjectKind kind;
    KtAstName name;
    const KtAstExpr *value;
} KtAstProjectItem;

struct KtAstExpr {
    KtAstExprKind kind;
    uint32_t depth; /* 1 for a leaf */
    KtPos at;       /* the whole expression, without parentheses around it; CALL: the whole call */
    union {
        KtValue literal;
        KtText name;
        KtAstExprs list;
        struct {
            uint32_t n;
            const KtAstMapEntry *item;
        } map;
        struct {
            uint32_t n;
            const KtAstExpr *const *item;
            const uint8_t
                *op; /* KtAstOp; op[0] is NONE, op[i] stands between item[i - 1] and item[i] */
        } chain;
        const KtAstExpr *unary;
        struct {
            const KtAstExpr *left, *right;
        } binary;
        struct {
            const KtAstExpr *of, *from, *to; /* from, to: NULL if left out */
        } slice;
        struct {
            const KtAstExpr *of;
            const KtAstName *name;
        } property;
        struct {
            const KtAstExpr *of;
            KtAstNames names;
        } labels;
        struct {
            const KtAstName *name; /* with its namespace: "a.b.f", as written */
            bool distinct;
            KtAstExprs args;
        } call;
        struct {
            const KtAstExpr *of; /* NULL: the searched form */
            uint32_t n;
            const KtAstWhen *item;
            const KtAstExpr *other; /* NULL: no ELSE */
        } kase;
        struct {
            const KtAstName *variable;
            const KtAstExpr *list, *where, *value; /* where, value: NULL if left out */
        } each;
        struct {
            const KtAstPath *path;
            const KtAstExpr *where, *value; /* where: NULL if left out */
        } gather;
        struct {
            const KtAstName *total, *variable;
            const KtAstExpr *start, *list, *value;
        } reduce;
        const KtAstPath *path;
        /* A query, which may end without RETURN; the short form EXISTS { pattern WHERE w } is a query of one MATCH. */
        const KtAstQuery *exists;
        struct {
            const KtAstName *of; /* a variable */
            uint32_t n;
            const KtAstProjectItem *item;
        } projection;
    } as;
};

/* ---- patterns ---- */

typedef struct KtAstNode {
    KtPos at;
    KtAstName variable; /* absent: anonymous */
    KtAstNames labels;
    const KtAstExpr *props; /* NULL, MAP or PARAMETER */
} KtAstNode;

typedef enum KtAstDirection { KT_AST_OUT, KT_AST_IN_, KT_AST_BOTH } KtAstDirection;

#define KT_AST_NO_MOST UINT64_MAX

typedef struct KtAstRel {
    KtPos at;
    KtAstName variable;
    KtAstNames types; /* any of them; none: every type */
    KtAstDirection direction;
    bool var_length;
    uint64_t least, most; /* var_length: 1 and KT_AST_NO_MOST where left out */
    bool least_given, most_given;
    const KtAstExpr *props; /* NULL, MAP or PARAMETER */
} KtAstRel;

typedef enum KtAstShortest {
    KT_AST_EVERY_PATH,
    KT_AST_SHORTEST_PATH,
    KT_AST_ALL_SHORTEST_PATHS
} KtAstShortest;

struct KtAstPath {
    KtPos at;
    KtAstName variable;
    KtAstShortest shortest;
    uint32_t rels; /* nodes: rels + 1 */
    const KtAstNode *node;
    const KtAstRel *rel;
};

typedef struct KtAstPaths {
    uint32_t n;
    const KtAstPath *item;
} KtAstPaths;

/* ---- clauses ---- */

typedef struct KtAstItem {
    const KtAstExpr *value;
    KtAstName alias; /* absent: no AS */
    /* the expression as it stands in the statement: the column's name without an alias */
    KtText text;
    KtPos at; /* place of that text */
} KtAstItem;

typedef struct KtAstSortItem {
    const KtAstExpr *value;
    bool descending;
} KtAstSortItem;

/* The body of WITH and RETURN. */
typedef struct KtAstProjection {
    bool distinct, star;
    KtPos star_at;
    uint32_t items, sorts;
    const KtAstItem *item;
    const KtAstSortItem *sort;
    const KtAstExpr *skip, *limit; /* NULL if left out */
    const KtAstExpr *where;        /* WITH only */
} KtAstProjection;

typedef enum KtAstSetKind {
    KT_AST_SET_PROPERTY, /* target is PROPERTY; value is absent in REMOVE */
    KT_AST_SET_ALL,      /* target = value: replaces all properties */
    KT_AST_SET_ADD,      /* target += value */
    KT_AST_SET_LABELS
} KtAstSetKind;

/* One item of SET or REMOVE (REMOVE knows PROPERTY and LABELS). */
typedef struct KtAstSetItem {
    KtAstSetKind kind;
    KtPos at;
    const KtAstExpr *target; /* the entity: any expression before ':'; a VARIABLE for = and += */
    const KtAstExpr *value;
    KtAstNames labels;
} KtAstSetItem;

typedef struct KtAstSetItems {
    uint32_t n;
    const KtAstSetItem *item;
} KtAstSetItems;

typedef struct KtAstYield {
    KtAstName name, alias; /* alias: absent if there is no AS */
} KtAstYield;

typedef enum KtAstClauseKind {
    KT_AST_CLAUSE_MATCH,
    KT_AST_CLAUSE_UNWIND,
    KT_AST_CLAUSE_WITH,
    KT_AST_CLAUSE_RETURN,
    KT_AST_CLAUSE_CREATE,
    KT_AST_CLAUSE_MERGE,
    KT_AST_CLAUSE_SET,
    KT_AST_CLAUSE_REMOVE,
    KT_AST_CLAUSE_DELETE,
    KT_AST_CLAUSE_FOREACH,
    KT_AST_CLAUSE_CALL,
} KtAstClauseKind;

struct KtAstClause {
    KtAstClauseKind kind;
    KtPos at; /* its first word; length: the whole clause */
    union {
        struct {
            bool optional;
            KtAstPaths paths;
            const KtAstExpr *where;
        } match;
        struct {
            const KtAstExpr *list;
            KtAstName variable;
        } unwind;
        KtAstProjection projection; /* WITH, RETURN */
        KtAstPaths create;
        struct {
            const KtAstPath *path;
            KtAstSetItems on_create, on_match; /* the items of all actions of a kind, in order */
        } merge;
        KtAstSetItems set; /* SET, REMOVE */
        struct {
            bool detach;
            KtAstExprs items;
        } del;
        struct {
            KtAstName variable;
            const KtAstExpr *list;
            uint32_t clauses; /* updating clauses only */
            const KtAstClause *clause;
        } foreach;
        struct {
            KtAstName name; /* with its namespace */
            bool has_args;  /* false: CALL name, arguments from parameters */
            KtAstExprs args;
            bool has_yield, star;
            uint32_t yields;
            const KtAstYield *yield;
            const KtAstExpr *where;
        } call;
    } as;
};

/* ---- statements ---- */

/* Clauses between two UNIONs. */
typedef struct KtAstPart {
    KtPos at;
    uint32_t clauses; /* at least 1 */
    const KtAstClause *clause;
    bool union_all; /* how it joins the part before it; false for the first */
} KtAstPart;

struct KtAstQuery {
    KtPos at;
    uint32_t parts; /* at least 1 */
    const KtAstPart *part;
};

typedef enum KtAstStatementKind {
    KT_AST_QUERY,
    KT_AST_CREATE_INDEX,
    KT_AST_CREATE_CONSTRAINT, /* ... REQUIRE v.key IS UNIQUE */
    KT_AST_DROP_INDEX,
    KT_AST_DROP_CONSTRAINT,
    KT_AST_SHOW_INDEXES,
    KT_AST_SHOW_CONSTRAINTS,
} KtAstStatementKind;

typedef enum KtAstPrefix { KT_AST_RUN, KT_AST_EXPLAIN, KT_AST_PROFILE } KtAstPrefix;

typedef struct KtAstStatement {
    KtAstStatementKind kind;
    KtAstPrefix prefix;
    KtText text; /* the whole statement; KtPos.offset counts in it */
    KtAstQuery query;
    /* Schema statements. name: absent in CREATE means one is made up. */
    KtAstName name, variable, label, key;
    bool if_not_exists, if_exists;
} KtAstStatement;

#endif
