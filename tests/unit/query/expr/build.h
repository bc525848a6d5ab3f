/* Bound expressions built by hand, and a frame to run them over, for tests of programs. One test at a time: the
 * fixture is the test program's own. */
#ifndef KT_TESTS_UNIT_QUERY_EXPR_BUILD_H
#define KT_TESTS_UNIT_QUERY_EXPR_BUILD_H

#include "query/expr/expr.h"
#include "tests/unit/query/expr/fake_graph.h"
#include "tests/unit/query/expr/literal.h"

enum { SLOTS = 4, ROWS_MOST = 1024 };

/* Names: 0 label A, 1 label B, 2 label C (unknown), 3 key num, 4 key name, 5 key other. */
enum { N_A, N_B, N_C, N_NUM, N_NAME, N_OTHER, NAMES };

typedef struct Fixture {
    KtFrame frame; /* first */
    KtArena *arena;
    KtColumn slot[SLOTS];
    KtView view;
    KtBoundName name[NAMES];
    KtBound bound;
    _Atomic(KtToken) token[NAMES];
    KtValue param[2];
    KtDiag diag;
    KtEvalContext x;
} Fixture;

extern Fixture f;
void build_setup(void);
void build_teardown(void);

const KtExpr *e_value(const char *literal_text);
const KtExpr *e_slot(KtSlot slot);
const KtExpr *e_local(uint32_t local);
const KtExpr *e_param(uint32_t param);
const KtExpr *e_prop(const KtExpr *of, KtNameRef name);
const KtExpr *e_labels(const KtExpr *of, uint32_t n, const KtNameRef *name);
/* n arguments follow. */
const KtExpr *e_call(const char *function, uint32_t n, ...);
const KtExpr *e_and(uint32_t n, ...);
const KtExpr *e_or(uint32_t n, ...);
const KtExpr *e_list(uint32_t n, ...);
const KtExpr *e_case(bool has_operand, uint32_t n, ...);
const KtExpr *e_comprehension(uint32_t local, const KtExpr *list, const KtExpr *where,
                              const KtExpr *map);
const KtExpr *e_quantifier(KtQuantifier kind, uint32_t local, const KtExpr *list,
                           const KtExpr *where);
const KtExpr *e_reduce(uint32_t acc, const KtExpr *first, uint32_t local, const KtExpr *list,
                       const KtExpr *body);
const KtExpr *e_map(uint32_t n, const char *const *key, const KtExpr *const *value);
const KtExpr *e_project(const KtExpr *of, const KtMapItem *item, uint32_t n, uint32_t args,
                        const KtExpr *const *arg);

/* The frame's rows, all selected. */
void set_rows(uint32_t rows);
/* A column of the elements of a list literal; VALUE unless they are all of one typed kind and `typed`. */
void set_slot(KtSlot slot, const char *list_literal, bool typed);
void set_nodes(KtSlot slot, uint32_t n, const uint32_t *id);
void set_rels(KtSlot slot, uint32_t n, const KtRelRef *rel);
KtColumn run(const KtExpr *expr);
/* "[..]" of the rows computed: the selected ones before the failing row. */
const char *run_text(const KtExpr *expr);

#endif
