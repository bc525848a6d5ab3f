/* query/bind/bind_expr.c - expressions: variables to slots, operators to functions, kinds from below to above.
 *
 * What must hold: the bound tree is at most BIND_DEPTH_MOST deep; an aggregate or a variable never stands where the
 * projection around it could not compute it. */
#include "query/bind/bind_internal.h"

typedef struct Made { /* every bound expression is one: the depth is the binder's own */
    KtExpr expr;
    uint32_t depth;
} Made;

enum {
    BOOL = KT_KIND_BIT(KT_BOOL),
    LIST = KT_KIND_BIT(KT_LIST),
    MAP = KT_KIND_BIT(KT_MAP),
    ENTITY = KT_KIND_BIT(KT_NODE) | KT_KIND_BIT(KT_REL),
    TEMPORAL = KT_KIND_BIT(KT_DATE) | KT_KIND_BIT(KT_LOCAL_TIME) | KT_KIND_BIT(KT_TIME) |
               KT_KIND_BIT(KT_LOCAL_DATETIME) | KT_KIND_BIT(KT_DATETIME) | KT_KIND_BIT(KT_DURATION),
    POINT = KT_KIND_BIT(KT_POINT)
};

/* ---- making ---- */

static uint32_t depth_of(const KtExpr *expr) { return ((const Made *)(const void *)expr)->depth; }

KtStatus kt_bind_make(KtBinder *b, KtExprKind kind, KtPos at, KtType type, const KtExpr *const *arg,
                      uint32_t args, KtExpr **out)
{
    Made *made = kt_arena_zero(b->arena, 1, sizeof *made);
    const KtExpr **copy = args ? kt_arena_alloc(b->arena, (size_t)args * sizeof *copy) : NULL;
    if (!made || (args && !copy))
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < args; i++) {
        copy[i] = arg[i];
        if (!arg[i])
            continue;
        if (depth_of(arg[i]) > made->depth)
            made->depth = depth_of(arg[i]);
        made->expr.may_fail |= arg[i]->may_fail;
        made->expr.per_row |= arg[i]->per_row;
    }
    if (++made->depth > BIND_DEPTH_MOST)
        return kt_diag_set(b->diag, KT_ERR_TOO_COMPLEX, &at,
                           "This expression joins more than %d operators in a row.",
                           (int)BIND_DEPTH_MOST);
    made->expr.kind = kind;
    made->expr.type = type;
    made->expr.at = at;
    made->expr.arg = copy;
    made->expr.args = args;
    *out = &made->expr;
    return KT_OK;
}

KtStatus kt_bind_const(KtBinder *b, KtValue value, KtPos at, const KtExpr **out)
{
    KtExpr *e;
    KT_TRY(kt_bind_make(b, KT_EXPR_CONST, at, kt_type_of_value(value), NULL, 0, &e));
    e->as.value = value;
    *out = e;
    return KT_OK;
}

KtStatus kt_bind_slot_expr(KtBinder *b, KtSlot slot, KtPos at, const KtExpr **out)
{
    KtExpr *e;
    KT_TRY(kt_bind_make(b, KT_EXPR_SLOT, at, kt_bind_slot_state(b, slot)->facts.type, NULL, 0, &e));
    e->as.slot = slot;
    *out = e;
    return KT_OK;
}

KtStatus kt_bind_exprs(KtBinder *b, const KtAstExprs *list, const KtExpr ***out)
{
    const KtExpr **arg = kt_arena_alloc(b->arena, ((size_t)list->n + 1) * sizeof *arg);
    if (!arg)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < list->n; i++)
        KT_TRY(kt_bind_expr(b, list->item[i], &arg[i]));
    *out = arg;
    return KT_OK;
}

/* ---- variables and parameters ---- */

static bool grouping_open(const KtBinder *b)
{
    return b->grouping && b->grouping->open && !b->in_aggregate;
}

static KtStatus variable(KtBinder *b, KtText name, KtPos at, const KtExpr **out)
{
    const KtBindVariable *v = kt_bind_scope_find(b->scope, name);
    if (!v)
        return kt_diag_set(b->diag, KT_ERR_UNDEFINED_VARIABLE, &at,
                           "Variable `%.*s` is not defined here.", KT_BIND_SHOWN(name));
    if (v->local) {
        if (v->index < b->outer_locals)
            return kt_bind_unsupported(
                b, &at, "A pattern that reads a variable of the comprehension around it is",
                "UNWIND the list first, then match the pattern.");
        KtExpr *e;
        KT_TRY(kt_bind_make(b, KT_EXPR_LOCAL, at, v->type, NULL, 0, &e));
        e->as.local = v->index;
        *out = e;
        return KT_OK;
    }
    if (grouping_open(b)) {
        const KtBoundKey *key = b->grouping->keys.item;
        bool found = false;
        b->compares += b->grouping->keys.n;
        if (b->compares > BIND_COMPARES_MOST)
            return kt_diag_set(b->diag, KT_ERR_TOO_COMPLEX, &at,
                               "This projection has too many grouping keys.");
        for (uint32_t i = 0; i < b->grouping->keys.n && !found; i++)
            found = key[i].plain && key[i].slot == v->index;
        if (!found) {
            KtStatus status = kt_diag_set(
                b->diag, KT_ERR_AMBIGUOUS_AGGREGATION_EXPRESSION, &at,
                "`%.*s` stands beside an aggregate but is not by itself an item of this projection.",
                KT_BIND_SHOWN(name));
            kt_diag_hint(
                b->diag,
                "Project `%.*s` as an item of its own, or compute the expression in a WITH before.",
                KT_BIND_SHOWN(name));
            return status;
        }
    }
    return kt_bind_slot_expr(b, v->index, at, out);
}

static KtStatus read_params(KtBinder *b)
{
    b->params_read = true;
    for (uint32_t i = 0; b->params.kind == KT_MAP && i < b->params.len; i++) {
        uint32_t number;
        bool made;
        if (kt_text_set_add(&b->param_names, b->arena, b->params.as.map[i].key, &number, &made) !=
            KT_OK)
            return kt_bind_memory(b);
    }
    return KT_OK;
}

static KtStatus parameter(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    if (!b->params_read)
        KT_TRY(read_params(b));
    if (kt_text_set_find(&b->param_names, a->as.name) == UINT32_MAX)
        return kt_diag_set(b->diag, KT_ERR_MISSING_PARAMETER, &a->at,
                           "Parameter $%.*s has no value.", KT_BIND_SHOWN(a->as.name));
    KtExpr *e;
    bool made;
    KT_TRY(kt_bind_make(b, KT_EXPR_PARAM, a->at, KT_TYPE_ANY, NULL, 0, &e));
    if (kt_text_set_add(&b->param_set, b->arena, a->as.name, &e->as.param, &made) != KT_OK)
        return kt_bind_memory(b);
    *out = e;
    return KT_OK;
}

/* ---- operators ---- */

static const KtFunction *operator_named(const char *name)
{
    const KtFunction *f = kt_function_find((KtText){name, (uint32_t)strlen(name)});
    KT_CHECK(f);
    return f;
}

KtStatus kt_bind_operator(KtBinder *b, const char *name, KtPos at, const KtExpr *const *arg,
                          uint32_t args, const KtExpr **out)
{
    return kt_bind_function(b, operator_named(name), at, arg, args, out);
}

static KtPos between(const KtExpr *first, const KtExpr *last)
{
    KtPos at = first->at;
    if (last->at.offset + last->at.length > at.offset)
        at.length = last->at.offset + last->at.length - at.offset;
    return at;
}

static const char *op_name(KtAstExprKind kind, uint8_t op)
{
    switch ((KtAstOp)op) {
    case KT_AST_OP_EQ: return "=";
    case KT_AST_OP_NE: return "<>";
    case KT_AST_OP_LT: return "<";
    case KT_AST_OP_LE: return "<=";
    case KT_AST_OP_GT: return ">";
    case KT_AST_OP_GE: return ">=";
    case KT_AST_OP_PLUS: return "+";
    case KT_AST_OP_MINUS: return "-";
    case KT_AST_OP_TIMES: return "*";
    case KT_AST_OP_DIVIDE: return "/";
    case KT_AST_OP_MODULO: return "%";
    case KT_AST_OP_NONE: break;
    }
    return kind == KT_AST_XOR ? "XOR" : "^";
}

/* a op b op c as (a op b) op c */
static KtStatus left_chain(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    const KtExpr *left, *right;
    bool truth = e->kind == KT_AST_XOR;
    KT_TRY(truth ? kt_bind_truth(b, e->as.chain.item[0], &left)
                 : kt_bind_expr(b, e->as.chain.item[0], &left));
    for (uint32_t i = 1; i < e->as.chain.n; i++) {
        KT_TRY(truth ? kt_bind_truth(b, e->as.chain.item[i], &right)
                     : kt_bind_expr(b, e->as.chain.item[i], &right));
        const KtExpr *pair[2] = {left, right};
        KT_TRY(kt_bind_operator(b, op_name(e->kind, e->as.chain.op[i]), between(left, right), pair,
                                2, &left));
    }
    *out = left;
    return KT_OK;
}

static KtStatus all_or_any(KtBinder *b, KtExprKind kind, KtPos at, const KtExpr *const *arg,
                           uint32_t n, const KtExpr **out)
{
    KtExpr *e;
    bool fails = false;
    for (uint32_t i = 0; i < n; i++) {
        KT_TRY(kt_bind_expect(b, arg[i], BOOL, kind == KT_EXPR_AND ? "AND" : "OR"));
        fails |= !kt_type_is_within(arg[i]->type, BOOL);
    }
    KT_TRY(kt_bind_make(b, kind, at, (KtType){BOOL, 0}, arg, n, &e));
    e->may_fail |= fails;
    *out = e;
    return KT_OK;
}

static KtStatus and_or(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    uint32_t n = a->as.chain.n;
    const KtExpr **arg = kt_arena_alloc(b->arena, (size_t)n * sizeof *arg);
    if (!arg)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < n; i++)
        KT_TRY(kt_bind_truth(b, a->as.chain.item[i], &arg[i]));
    return all_or_any(b, a->kind == KT_AST_AND ? KT_EXPR_AND : KT_EXPR_OR, a->at, arg, n, out);
}

/* a < b < c is a < b AND b < c */
static KtStatus compare(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    uint32_t n = a->as.chain.n;
    const KtExpr **part = kt_arena_alloc(b->arena, (size_t)n * sizeof *part);
    const KtExpr *left, *right;
    if (!part)
        return kt_bind_memory(b);
    KT_TRY(kt_bind_expr(b, a->as.chain.item[0], &left));
    for (uint32_t i = 1; i < n; i++) {
        KT_TRY(kt_bind_expr(b, a->as.chain.item[i], &right));
        const KtExpr *pair[2] = {left, right};
        KT_TRY(kt_bind_operator(b, op_name(a->kind, a->as.chain.op[i]), between(left, right), pair,
                                2, &part[i - 1]));
        left = right;
    }
    if (n == 2) {
        *out = part[0];
        return KT_OK;
    }
    return all_or_any(b, KT_EXPR_AND, a->at, part, n - 1, out);
}

static KtStatus unary(KtBinder *b, const KtAstExpr *a, const char *name, const KtExpr **out)
{
    const KtExpr *arg;
    bool truth = a->kind == KT_AST_NOT;
    KT_TRY(truth ? kt_bind_truth(b, a->as.unary, &arg) : kt_bind_expr(b, a->as.unary, &arg));
    return kt_bind_operator(b, name, a->at, &arg, 1, out);
}

static KtStatus binary(KtBinder *b, const KtAstExpr *a, const char *name, const KtExpr **out)
{
    const KtExpr *pair[2];
    KT_TRY(kt_bind_expr(b, a->as.binary.left, &pair[0]));
    KT_TRY(kt_bind_expr(b, a->as.binary.right, &pair[1]));
    return kt_bind_operator(b, name, a->at, pair, 2, out);
}

static KtStatus slice(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    const KtExpr *arg[3];
    KT_TRY(kt_bind_expr(b, a->as.slice.of, &arg[0]));
    KT_TRY(a->as.slice.from ? kt_bind_expr(b, a->as.slice.from, &arg[1])
                            : kt_bind_const(b, kt_int(0), a->at, &arg[1]));
    KT_TRY(a->as.slice.to ? kt_bind_expr(b, a->as.slice.to, &arg[2])
                          : kt_bind_const(b, kt_int(INT64_MAX), a->at, &arg[2]));
    return kt_bind_operator(b, "[..]", a->at, arg, 3, out);
}

/* ---- entities and maps ---- */

static KtStatus property(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    const KtExpr *of;
    KT_TRY(kt_bind_expr(b, a->as.property.of, &of));
    KtKinds kinds = ENTITY | MAP | TEMPORAL | POINT;
    if (!kt_type_admits(of->type, kinds)) {
        char words[160];
        KtStatus status = kt_type_is_within(of->type, KT_KIND_BIT(KT_PATH))
                              ? KT_ERR_INVALID_ARGUMENT_TYPE
                              : KT_ERR_INVALID_ARGUMENT_TYPE_VALUE;
        return kt_diag_set(
            b->diag, status, &of->at,
            "%s has no properties: expected a node, a relationship or a map before '.'.",
            kt_type_words(of->type, words));
    }
    KtExpr *e;
    KT_TRY(kt_bind_make(b, KT_EXPR_PROP, a->at, KT_TYPE_ANY, &of, 1, &e));
    KT_TRY(kt_bind_name(b, KT_NAME_KEY, a->as.property.name->text, &e->as.name));
    kt_bind_reads_entity(b, e, !kt_type_is_within(of->type, ENTITY | MAP));
    *out = e;
    return KT_OK;
}

static KtStatus labels(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    const KtExpr *of;
    KT_TRY(kt_bind_expr(b, a->as.labels.of, &of));
    KT_TRY(kt_bind_expect(b, of, ENTITY, "A test for labels"));
    bool rel = kt_type_is_within(of->type, KT_KIND_BIT(KT_REL));
    KtExpr *e;
    KT_TRY(kt_bind_make(b, KT_EXPR_HAS_LABELS, a->at, (KtType){BOOL, 0}, &of, 1, &e));
    KT_TRY(kt_bind_names(b, rel ? KT_NAME_TYPE : KT_NAME_LABEL, &a->as.labels.names,
                         &e->as.names.name, &e->as.names.n));
    kt_bind_reads_entity(b, e, !kt_type_is_within(of->type, ENTITY));
    *out = e;
    return KT_OK;
}

static KtStatus list(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    const KtExpr **arg;
    KtExpr *e;
    KtType type = {LIST, 0};
    KT_TRY(kt_bind_exprs(b, &a->as.list, &arg));
    for (uint32_t i = 0; i < a->as.list.n; i++)
        type.elements |= arg[i]->type.kinds;
    KT_TRY(kt_bind_make(b, KT_EXPR_LIST, a->at, type, arg, a->as.list.n, &e));
    *out = e;
    return KT_OK;
}

static KtStatus map(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    /* The last of several entries of one key counts. */
    KtTextSet keys = {0};
    uint32_t n = a->as.map.n;
    const KtExpr **arg = kt_arena_alloc(b->arena, ((size_t)n + 1) * sizeof *arg);
    if (!arg)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t number;
        bool made;
        if (kt_text_set_add(&keys, b->arena, a->as.map.item[i].key.text, &number, &made) != KT_OK)
            return kt_bind_memory(b);
        KT_TRY(kt_bind_expr(b, a->as.map.item[i].value, &arg[number]));
    }
    KtExpr *e;
    KT_TRY(kt_bind_make(b, KT_EXPR_MAP, a->at, (KtType){MAP, 0}, arg, keys.n, &e));
    e->as.map.key = keys.text;
    *out = e;
    return KT_OK;
}

static KtStatus map_projection(KtBinder *b, const KtAstExpr *a, const KtExpr **out)
{
    uint32_t n = a->as.projection.n, args = 1;
    KtMapItem *item = kt_arena_zero(b->arena, (size_t)n + 1, sizeof *item);
    const KtExpr **arg = kt_arena_alloc(b->arena, ((size_t)n + 1) * sizeof *arg);
    if (!item || !arg)
        return kt_bind_memory(b);
    const KtAstName *of = a->as.projection.of;
    KT_TRY(variable(b, of->text, of->at, &arg[0]));
    KT_TRY(kt_bind_expect(b, arg[0], ENTITY | MAP, "A map projection"));
    for (uint32_t i = 0; i < n; i++) {
        const KtAstProjectItem *one = &a->as.projection.item[i];
        item[i].key = one->name.text;
        switch (one->kind) {
        case KT_AST_PROJECT_ALL: item[i].star = true; break;
        case KT_AST_PROJECT_PROPERTY:
            item[i].prop = true;
            KT_TRY(kt_bind_name(b, KT_NAME_KEY, one->name.text, &item[i].name));
            break;
        case KT_AST_PROJECT_ENTRY:
        case KT_AST_PROJECT_VARIABLE:
            item[i].arg = args;
            KT_TRY(one->value ? kt_bind_expr(b, one->value, &arg[args])
                              : variable(b, one->name.text, one->name.at, &arg[args]));
            args++;
            break;
        }
    }
    KtExpr *e;
    KT_TRY(kt_bind_make(b, KT_EXPR_MAP_PROJECTION, a->at, (KtType){MAP, 0}, arg, args, &e));
    e->as.project.item = item;
    e->as.project.n = n;
    kt_bind_reads_entity(b, e, !kt_type_is_within(arg[0]->type, ENTITY | MAP));
    *out = e;
    return KT_OK;
}

/* ---- expressions that stand for what a projection has already ---- */

static const KtAstExpr *root_of(const KtAstExpr *e)
{
    while (e->kind == KT_AST_PROPERTY)
        e = e->as.property.of;
    return e;
}

/* Inside an item with aggregates: a property that is a grouping key. */
static KtStatus find_key(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    const KtAstExpr *root = root_of(e);
    if (e->kind != KT_AST_PROPERTY || root->kind != KT_AST_VARIABLE)
        return KT_OK;
    const KtBindVariable *v = kt_bind_scope_find(b->scope, root->as.name);
    if (!v || v->local)
        return KT_OK;
    const KtBoundKey *key = b->grouping->keys.item;
    const KtAstExpr *const *ast = b->grouping->key_ast.item;
    for (uint32_t i = 0; i < b->grouping->keys.n; i++) {
        bool same;
        KT_TRY(kt_bind_same(b, e, ast[i], &same));
        if (same)
            return kt_bind_slot_expr(b, key[i].slot, e->at, out);
    }
    return KT_OK;
}

/* In a sort key: an expression that is also an item. */
static KtStatus find_repeat(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    const KtAstProjection *p = b->repeats->ast;
    if (e->kind == KT_AST_LITERAL || e->kind == KT_AST_PARAMETER)
        return KT_OK;
    if (e->kind == KT_AST_VARIABLE && kt_bind_scope_find(b->scope, e->as.name))
        return KT_OK; /* the new meaning of a name goes before the old one */
    for (uint32_t i = 0; i < p->items; i++) {
        bool same;
        KT_TRY(kt_bind_same(b, e, p->item[i].value, &same));
        if (same)
            return kt_bind_slot_expr(b, b->repeats->item[b->repeats->offset + i].slot, e->at, out);
    }
    return KT_OK;
}

/* ---- all of them ---- */

static KtStatus pattern(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    if (e->as.path->shortest != KT_AST_EVERY_PATH)
        return kt_bind_shortest(b, e, out);
    KtStatus status = kt_diag_set(b->diag, KT_ERR_UNEXPECTED_SYNTAX, &e->at,
                                  "A pattern has no value here: it can only be tested.");
    kt_diag_hint(b->diag,
                 "Use it in WHERE or exists(...), or gather what it finds: [(a)-->(b) | b].");
    return status;
}

static KtStatus bind(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    switch (e->kind) {
    case KT_AST_LITERAL: return kt_bind_const(b, e->as.literal, e->at, out);
    case KT_AST_PARAMETER: return parameter(b, e, out);
    case KT_AST_VARIABLE: return variable(b, e->as.name, e->at, out);
    case KT_AST_LIST: return list(b, e, out);
    case KT_AST_MAP: return map(b, e, out);
    case KT_AST_OR:
    case KT_AST_AND: return and_or(b, e, out);
    case KT_AST_COMPARE: return compare(b, e, out);
    case KT_AST_XOR:
    case KT_AST_ADD:
    case KT_AST_MULTIPLY:
    case KT_AST_POWER: return left_chain(b, e, out);
    case KT_AST_NOT: return unary(b, e, "NOT", out);
    case KT_AST_MINUS: return unary(b, e, "unary -", out);
    case KT_AST_PLUS: return unary(b, e, "unary +", out);
    case KT_AST_IS_NULL: return unary(b, e, "IS NULL", out);
    case KT_AST_IS_NOT_NULL: return unary(b, e, "IS NOT NULL", out);
    case KT_AST_STARTS_WITH: return binary(b, e, "STARTS WITH", out);
    case KT_AST_ENDS_WITH: return binary(b, e, "ENDS WITH", out);
    case KT_AST_CONTAINS: return binary(b, e, "CONTAINS", out);
    case KT_AST_MATCHES: return binary(b, e, "=~", out);
    case KT_AST_IN: return binary(b, e, "IN", out);
    case KT_AST_INDEX: return binary(b, e, "[]", out);
    case KT_AST_SLICE: return slice(b, e, out);
    case KT_AST_PROPERTY: return property(b, e, out);
    case KT_AST_LABELS: return labels(b, e, out);
    case KT_AST_CALL: return kt_bind_call(b, e, out);
    case KT_AST_COUNT_STAR: return kt_bind_count_star(b, e, out);
    case KT_AST_CASE: return kt_bind_case(b, e, out);
    case KT_AST_LIST_COMPREHENSION:
    case KT_AST_ALL:
    case KT_AST_ANY:
    case KT_AST_NONE:
    case KT_AST_SINGLE: return kt_bind_each(b, e, out);
    case KT_AST_REDUCE: return kt_bind_reduce(b, e, out);
    case KT_AST_PATTERN_COMPREHENSION: return kt_bind_gather(b, e, out);
    case KT_AST_PATTERN: return pattern(b, e, out);
    case KT_AST_EXISTS: return kt_bind_exists(b, e, out);
    case KT_AST_MAP_PROJECTION: return map_projection(b, e, out);
    }
    return KT_ERR_INTERNAL;
}

KtStatus kt_bind_expr(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    const KtExpr *found = NULL;
    if (b->repeats && !b->in_aggregate)
        KT_TRY(find_repeat(b, e, &found));
    if (!found && grouping_open(b))
        KT_TRY(find_key(b, e, &found));
    if (found) {
        *out = found;
        return KT_OK;
    }
    return bind(b, e, out);
}

KtStatus kt_bind_truth(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    if (e->kind == KT_AST_PATTERN && e->as.path->shortest == KT_AST_EVERY_PATH)
        return kt_bind_pattern_exists(b, e, out);
    return kt_bind_expr(b, e, out);
}

KtStatus kt_bind_plain(KtBinder *b, const KtAstExpr *e, const char *who, const KtExpr **out)
{
    const char *saved = b->no_aggregates;
    b->no_aggregates = who;
    KT_TRY(kt_bind_expr(b, e, out));
    b->no_aggregates = saved;
    return KT_OK;
}

KtStatus kt_bind_where(KtBinder *b, const KtAstExpr *e, const char *who, const KtExpr **out)
{
    const char *saved = b->no_aggregates;
    b->no_aggregates = who;
    KT_TRY(kt_bind_truth(b, e, out));
    b->no_aggregates = saved;
    return kt_bind_expect(b, *out, BOOL, who);
}
