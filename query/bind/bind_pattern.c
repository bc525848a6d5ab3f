/* query/bind/bind_pattern.c - patterns: what each name in them is, and subqueries that patterns make in expressions.
 *
 * In MATCH all names of the clause are declared first, so that properties may speak of each other. In CREATE and
 * MERGE a pattern's properties are bound before its names: they see what was there before the clause, and what
 * the patterns before made. */
#include "query/bind/bind_internal.h"

enum {
    NODE = KT_KIND_BIT(KT_NODE),
    REL = KT_KIND_BIT(KT_REL),
    LIST = KT_KIND_BIT(KT_LIST),
    PATH = KT_KIND_BIT(KT_PATH)
};

/* A pattern being bound: the arrays are still ours to change. */
typedef struct Draft {
    const KtAstPath *ast;
    KtBoundPattern *out;
    KtBoundNode *node;
    KtBoundRel *rel;
} Draft;

static KtStatus conflict(KtBinder *b, const KtAstName *name, KtType is, const char *wanted)
{
    char words[160];
    return kt_diag_set(b->diag, KT_ERR_VARIABLE_TYPE_CONFLICT, &name->at,
                       "Variable `%.*s` is %s and cannot be %s here.", KT_BIND_SHOWN(name->text),
                       kt_type_words(is, words), wanted);
}

static KtStatus already_bound(KtBinder *b, const KtAstName *name, const char *what)
{
    return kt_diag_set(b->diag, KT_ERR_VARIABLE_ALREADY_BOUND, &name->at,
                       "Variable `%.*s` is already bound%s.", KT_BIND_SHOWN(name->text), what);
}

static KtStatus undefined(KtBinder *b, const KtAstName *name)
{
    return kt_diag_set(
        b->diag, KT_ERR_UNDEFINED_VARIABLE, &name->at,
        "Variable `%.*s` is not defined: a pattern in an expression makes no new ones.",
        KT_BIND_SHOWN(name->text));
}

/* The slot that a name of a pattern stands for, if it stands for any. */
static KtStatus known(KtBinder *b, const KtAstName *name, bool *found, KtSlot *slot)
{
    const KtBindVariable *v = kt_bind_scope_find(b->scope, name->text);
    *found = v != NULL;
    if (v && v->local)
        return kt_bind_unsupported(
            b, &name->at, "A pattern that reads a variable of the comprehension around it is",
            "UNWIND the list first, then match the pattern.");
    if (v)
        *slot = v->index;
    return KT_OK;
}

/* ---- names ---- */

static KtStatus declare_node(KtBinder *b, const Draft *d, uint32_t i, KtPatternUse use)
{
    const KtAstNode *ast = &d->ast->node[i];
    KtBoundNode *out = &d->node[i];
    out->at = ast->at;
    out->named = ast->variable.text.at != NULL;
    if (!out->named)
        return kt_bind_slot(b, (KtText){NULL, 0}, (KtType){NODE, 0}, &out->slot);
    KT_TRY(known(b, &ast->variable, &out->bound, &out->slot));
    out->meets_deleted = out->bound && b->deleted;
    if (!out->bound) {
        if (use == KT_PATTERN_PREDICATE)
            return undefined(b, &ast->variable);
        return kt_bind_declare(b, &ast->variable, (KtType){NODE, 0}, &out->slot);
    }
    KtType type = kt_bind_slot_state(b, out->slot)->facts.type;
    if (!kt_type_admits(type, NODE))
        return conflict(b, &ast->variable, type, "a node");
    bool makes = use == KT_PATTERN_CREATE || use == KT_PATTERN_MERGE;
    if (makes && (d->ast->rels == 0 || ast->labels.n || ast->props))
        return already_bound(b, &ast->variable,
                             ": a bound node can only be an end of a new relationship");
    return KT_OK;
}

static KtStatus declare_rel(KtBinder *b, const Draft *d, uint32_t i, KtPatternUse use)
{
    const KtAstRel *ast = &d->ast->rel[i];
    KtBoundRel *out = &d->rel[i];
    KtType type = ast->var_length ? (KtType){LIST, REL} : (KtType){REL, 0};
    out->at = ast->at;
    out->named = ast->variable.text.at != NULL;
    if (!out->named)
        return kt_bind_slot(b, (KtText){NULL, 0}, type, &out->slot);
    KT_TRY(known(b, &ast->variable, &out->bound, &out->slot));
    out->meets_deleted = out->bound && b->deleted;
    if (!out->bound) {
        if (use == KT_PATTERN_PREDICATE)
            return undefined(b, &ast->variable);
        KT_TRY(kt_bind_declare(b, &ast->variable, type, &out->slot));
    } else {
        KtType is = kt_bind_slot_state(b, out->slot)->facts.type;
        if (!kt_type_admits(is, type.kinds) || (ast->var_length && kt_type_is_within(is, LIST) &&
                                                !kt_type_admits(kt_type_element(is), REL)))
            return conflict(b, &ast->variable, is,
                            ast->var_length ? "a list of relationships" : "a relationship");
        if (use == KT_PATTERN_CREATE || use == KT_PATTERN_MERGE)
            return already_bound(b, &ast->variable, ": a relationship can be made only once");
        if (kt_bind_slot_state(b, out->slot)->rel_of == b->matches)
            return kt_diag_set(
                b->diag, KT_ERR_RELATIONSHIP_UNIQUENESS_VIOLATION, &ast->variable.at,
                "Relationship `%.*s` stands twice in one MATCH, where all relationships differ.",
                KT_BIND_SHOWN(ast->variable.text));
    }
    kt_bind_slot_state(b, out->slot)->rel_of = b->matches;
    return KT_OK;
}

static KtStatus check_made(KtBinder *b, const KtAstRel *ast, KtPatternUse use)
{
    const char *clause = use == KT_PATTERN_CREATE ? "CREATE" : "MERGE";
    if (ast->var_length)
        return kt_diag_set(b->diag, KT_ERR_CREATING_VAR_LENGTH, &ast->at,
                           "%s needs a single relationship, not a length.", clause);
    if (ast->types.n != 1)
        return kt_diag_set(b->diag, KT_ERR_NO_SINGLE_RELATIONSHIP_TYPE, &ast->at,
                           "%s needs exactly one relationship type, as in -[:KNOWS]->.", clause);
    if (use == KT_PATTERN_CREATE && ast->direction == KT_AST_BOTH)
        return kt_diag_set(b->diag, KT_ERR_REQUIRES_DIRECTED_RELATIONSHIP, &ast->at,
                           "CREATE needs a direction: --> or <--.");
    return KT_OK;
}

static KtStatus check_shortest(KtBinder *b, const KtAstPath *p, KtPatternUse use)
{
    if (use == KT_PATTERN_CREATE || use == KT_PATTERN_MERGE)
        return kt_diag_set(b->diag, KT_ERR_UNEXPECTED_SYNTAX, &p->at,
                           "A shortest path can be found, not created: expected a plain pattern.");
    if (p->rels != 1)
        return kt_diag_set(
            b->diag, KT_ERR_UNEXPECTED_SYNTAX, &p->at,
            "A shortest path has one relationship pattern: expected (a)-[*..15]-(b).");
    if (p->rel[0].var_length && p->rel[0].least > 1)
        return kt_bind_unsupported(b, &p->rel[0].at,
                                   "A shortest path with a least length above 1 is",
                                   "Use *0.. or *1.. and test length(p) on longer ones.");
    return KT_OK;
}

static KtStatus declare(KtBinder *b, const Draft *d, KtPatternUse use)
{
    static const KtDir dirs[] = {
        [KT_AST_OUT] = KT_OUT, [KT_AST_IN_] = KT_IN, [KT_AST_BOTH] = KT_BOTH};
    const KtAstPath *p = d->ast;
    if (p->shortest != KT_AST_EVERY_PATH)
        KT_TRY(check_shortest(b, p, use));
    for (uint32_t i = 0; i <= p->rels; i++) {
        KT_TRY(declare_node(b, d, i, use));
        KT_TRY(kt_bind_names(b, KT_NAME_LABEL, &p->node[i].labels, &d->node[i].label,
                             &d->node[i].labels));
        if (i == p->rels)
            break;
        const KtAstRel *ast = &p->rel[i];
        KtBoundRel *out = &d->rel[i];
        KT_TRY(declare_rel(b, d, i, use));
        if (use == KT_PATTERN_CREATE || use == KT_PATTERN_MERGE)
            KT_TRY(check_made(b, ast, use));
        out->dir = dirs[ast->direction];
        out->var_length = ast->var_length;
        out->min =
            ast->var_length ? (uint32_t)(ast->least < UINT32_MAX ? ast->least : UINT32_MAX) : 1;
        out->max =
            ast->var_length ? (uint32_t)(ast->most < UINT32_MAX ? ast->most : UINT32_MAX) : 1;
        KT_TRY(kt_bind_names(b, KT_NAME_TYPE, &ast->types, &out->type, &out->types));
    }
    KtBoundPattern *out = d->out;
    out->kind = p->shortest == KT_AST_EVERY_PATH      ? KT_PATTERN_PLAIN
                : p->shortest == KT_AST_SHORTEST_PATH ? KT_PATTERN_SHORTEST
                                                      : KT_PATTERN_ALL_SHORTEST;
    out->path = KT_NO_SLOT;
    out->at = p->at;
    out->rels = p->rels;
    out->node = d->node;
    out->rel = d->rel;
    if (!p->variable.text.at)
        return KT_OK;
    if (kt_bind_scope_find(b->scope, p->variable.text))
        return already_bound(b, &p->variable, "");
    return kt_bind_declare(b, &p->variable, (KtType){PATH, 0}, &out->path);
}

/* ---- properties ---- */

static KtStatus props(KtBinder *b, const KtAstExpr *ast, KtPatternUse use, const KtBoundProp **out,
                      uint32_t *n, const KtExpr **whole)
{
    if (!ast)
        return KT_OK;
    if (ast->kind == KT_AST_PARAMETER) {
        if (use != KT_PATTERN_CREATE) {
            KtStatus status = kt_diag_set(b->diag, KT_ERR_INVALID_PARAMETER_USE, &ast->at,
                                          "A parameter cannot stand for all properties in %s.",
                                          use == KT_PATTERN_MERGE ? "MERGE" : "MATCH");
            kt_diag_hint(b->diag, "Name the properties, as in {name: $p.name}.");
            return status;
        }
        return kt_bind_plain(b, ast, "a pattern", whole);
    }
    KtBoundProp *list = kt_arena_alloc(b->arena, ((size_t)ast->as.map.n + 1) * sizeof *list);
    KtTextSet keys = {0};
    if (!list)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < ast->as.map.n; i++) {
        const KtAstMapEntry *entry = &ast->as.map.item[i];
        uint32_t number;
        bool made;
        if (entry->key.text.len == 0)
            return kt_diag_set(b->diag, KT_ERR_UNEXPECTED_SYNTAX, &entry->key.at,
                               "The key of a property cannot be empty.");
        if (kt_text_set_add(&keys, b->arena, entry->key.text, &number, &made) != KT_OK)
            return kt_bind_memory(b);
        KT_TRY(kt_bind_name(b, KT_NAME_KEY, entry->key.text, &list[number].key));
        KT_TRY(kt_bind_plain(b, entry->value, "a pattern",
                             &list[number].value)); /* the last one of a key counts */
    }
    *out = list;
    *n = keys.n;
    return KT_OK;
}

static KtStatus all_props(KtBinder *b, const Draft *d, KtPatternUse use)
{
    for (uint32_t i = 0; i <= d->ast->rels; i++) {
        KtBoundNode *node = &d->node[i];
        KT_TRY(props(b, d->ast->node[i].props, use, &node->prop, &node->props, &node->prop_map));
        if (i == d->ast->rels)
            break;
        KtBoundRel *rel = &d->rel[i];
        KT_TRY(props(b, d->ast->rel[i].props, use, &rel->prop, &rel->props, &rel->prop_map));
    }
    return KT_OK;
}

KtStatus kt_bind_patterns(KtBinder *b, KtAstPaths paths, KtPatternUse use,
                          const KtBoundPattern **out)
{
    Draft *draft = kt_arena_alloc(b->arena, (size_t)paths.n * sizeof *draft);
    KtBoundPattern *made = kt_arena_zero(b->arena, paths.n, sizeof *made);
    if (!draft || !made)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < paths.n; i++) {
        const KtAstPath *p = &paths.item[i];
        draft[i] =
            (Draft){p, &made[i], kt_arena_zero(b->arena, (size_t)p->rels + 1, sizeof(KtBoundNode)),
                    kt_arena_zero(b->arena, (size_t)p->rels + 1, sizeof(KtBoundRel))};
        if (!draft[i].node || !draft[i].rel)
            return kt_bind_memory(b);
    }
    bool makes = use == KT_PATTERN_CREATE || use == KT_PATTERN_MERGE;
    b->matches++;
    for (uint32_t i = 0; i < paths.n; i++) {
        if (makes)
            KT_TRY(all_props(b, &draft[i], use));
        KT_TRY(declare(b, &draft[i], use));
    }
    for (uint32_t i = 0; i < paths.n && !makes; i++)
        KT_TRY(all_props(b, &draft[i], use));
    *out = made;
    return KT_OK;
}

/* ---- subqueries in expressions ---- */

typedef struct Frame { /* the binder's context outside of a subquery */
    KtBindScope *scope;
    KtBindList *subqueries;
    const char *no_aggregates;
    KtGrouping *grouping;
    bool in_aggregate;
    const KtRepeats *repeats;
    KtBindScope *before;
    uint32_t outer_locals;
} Frame;

static KtStatus enter(KtBinder *b, KtPos at, Frame *saved)
{
    *saved = (Frame){b->scope,        b->subqueries, b->no_aggregates, b->grouping,
                     b->in_aggregate, b->repeats,    b->before,        b->outer_locals};
    bool beside = b->grouping && b->grouping->open && !b->in_aggregate;
    if (beside || (b->repeats && b->before && !b->in_aggregate))
        return kt_bind_unsupported(
            b, &at, beside ? "A pattern beside an aggregate is" : "A pattern in this ORDER BY is",
            "Compute it in a WITH before, and use its name here.");
    b->scope = kt_bind_scope(b, b->before && !b->in_aggregate ? b->before : b->scope);
    if (!b->scope)
        return kt_bind_memory(b);
    b->no_aggregates = NULL;
    b->grouping = NULL;
    b->in_aggregate = false;
    b->repeats = NULL;
    b->before = NULL;
    b->outer_locals = b->locals;
    return KT_OK;
}

static void leave(KtBinder *b, const Frame *saved)
{
    b->scope = saved->scope;
    b->subqueries = saved->subqueries;
    b->no_aggregates = saved->no_aggregates;
    b->grouping = saved->grouping;
    b->in_aggregate = saved->in_aggregate;
    b->repeats = saved->repeats;
    b->before = saved->before;
    b->outer_locals = saved->outer_locals;
}

/* Hands the finished query to the clause around it: its result is a slot. */
static KtStatus add(KtBinder *b, KtSubqueryKind kind, const KtBoundQuery *query, KtType type,
                    KtPos at, const KtExpr **out)
{
    KtBoundSubquery made = {kind, KT_NO_SLOT, query};
    KT_TRY(kt_bind_slot(b, (KtText){NULL, 0}, type, &made.slot));
    KT_TRY(kt_bind_push(b, b->subqueries, &made, sizeof made));
    return kt_bind_slot_expr(b, made.slot, at, out);
}

/* A query of one MATCH of `path` and, if there is a value, a RETURN of it. With `value` NULL and a path slot in the
 * pattern, the path is returned. */
static KtStatus of_path(KtBinder *b, const KtAstPath *path, const KtAstExpr *where,
                        const KtAstExpr *value, KtPatternUse use, bool returns, KtPos at,
                        const KtBoundQuery **out, KtType *type)
{
    KtBoundClause *c = kt_arena_zero(b->arena, 2, sizeof *c);
    KtBoundPart *part = kt_arena_zero(b->arena, 1, sizeof *part);
    KtBoundQuery *query = kt_arena_zero(b->arena, 1, sizeof *query);
    KtBoundItem *item = kt_arena_zero(b->arena, 1, sizeof *item);
    if (!c || !part || !query || !item)
        return kt_bind_memory(b);
    KtBindList list[2] = {{0}, {0}};
    b->subqueries = &list[0];
    c[0].kind = KT_CLAUSE_MATCH;
    c[0].at = at;
    KT_TRY(kt_bind_patterns(b, (KtAstPaths){1, path}, use, &c[0].as.match.pattern));
    c[0].as.match.patterns = 1;
    if (where)
        KT_TRY(kt_bind_where(b, where, "WHERE", &c[0].as.match.where));
    c[0].subqueries = (KtSubqueries){list[0].item, list[0].n};
    if (returns) {
        b->subqueries = &list[1];
        c[1].kind = KT_CLAUSE_PROJECT;
        c[1].at = at;
        c[1].as.project.is_return = true;
        KtSlot found = c[0].as.match.pattern[0].path;
        KT_TRY(value ? kt_bind_plain(b, value, "a pattern comprehension", &item->expr)
                     : kt_bind_slot_expr(b, found, at, &item->expr));
        *type = item->expr->type;
        KT_TRY(kt_bind_slot(b, (KtText){NULL, 0}, *type, &item->slot));
        c[1].as.project.item = item;
        c[1].as.project.items = 1;
        c[1].subqueries = (KtSubqueries){list[1].item, list[1].n};
        part->column = query->column = &item->slot;
        part->columns = query->columns = 1;
    }
    part->clause = c;
    part->clauses = returns ? 2 : 1;
    query->part = part;
    query->parts = 1;
    *out = query;
    return KT_OK;
}

KtStatus kt_bind_pattern_exists(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    Frame saved;
    const KtBoundQuery *query;
    KtType unused;
    KT_TRY(enter(b, e->at, &saved));
    KT_TRY(of_path(b, e->as.path, NULL, NULL, KT_PATTERN_PREDICATE, false, e->at, &query, &unused));
    leave(b, &saved);
    return add(b, KT_SUBQUERY_EXISTS, query, (KtType){KT_KIND_BIT(KT_BOOL), 0}, e->at, out);
}

KtStatus kt_bind_exists(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    Frame saved;
    const KtBoundQuery *query;
    KT_TRY(enter(b, e->at, &saved));
    KT_TRY(kt_bind_query(b, e->as.exists, true, &query));
    leave(b, &saved);
    return add(b, KT_SUBQUERY_EXISTS, query, (KtType){KT_KIND_BIT(KT_BOOL), 0}, e->at, out);
}

KtStatus kt_bind_gather(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    Frame saved;
    const KtBoundQuery *query;
    KtType type;
    KT_TRY(enter(b, e->at, &saved));
    KT_TRY(of_path(b, e->as.gather.path, e->as.gather.where, e->as.gather.value, KT_PATTERN_MATCH,
                   true, e->at, &query, &type));
    leave(b, &saved);
    return add(b, KT_SUBQUERY_COLLECT, query, (KtType){LIST, type.kinds}, e->at, out);
}

/* shortestPath(...) as a value: the first of the paths that a MATCH of it gathers; allShortestPaths: all of them. */
KtStatus kt_bind_shortest(KtBinder *b, const KtAstExpr *e, const KtExpr **out)
{
    Frame saved;
    const KtBoundQuery *query;
    const KtExpr *all;
    KtType type;
    KtAstPath *path = kt_arena_alloc(b->arena, sizeof *path);
    if (!path)
        return kt_bind_memory(b);
    *path = *e->as.path;
    /* A name that no statement can write. */
    path->variable = (KtAstName){{"", 0}, e->at};
    KT_TRY(enter(b, e->at, &saved));
    KT_TRY(of_path(b, path, NULL, NULL, KT_PATTERN_PREDICATE, true, e->at, &query, &type));
    leave(b, &saved);
    KT_TRY(add(b, KT_SUBQUERY_COLLECT, query, (KtType){LIST, type.kinds}, e->at, &all));
    if (e->as.path->shortest == KT_AST_ALL_SHORTEST_PATHS) {
        *out = all;
        return KT_OK;
    }
    return kt_bind_operator(b, "head", e->at, &all, 1, out);
}
