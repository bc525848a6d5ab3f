/* query/bind/bind_query.c - statements, queries and UNION; and the binder's common steps.
 *
 * What must hold: every compile-time error of a statement is found here, so that nothing is read or written on
 * behalf of one that is wrong. */
#include "query/bind/bind_internal.h"

/* ---- common steps ---- */

KtStatus kt_bind_memory(KtBinder *b)
{
    return kt_diag_set(b->diag, KT_ERR_MEMORY, NULL, "No memory left to prepare the statement.");
}

KtStatus kt_bind_push(KtBinder *b, KtBindList *list, const void *item, size_t size)
{
    if (kt_arena_grow(b->arena, &list->item, list->n, &list->cap, size) != KT_OK)
        return kt_bind_memory(b);
    memcpy((char *)list->item + (size_t)list->n * size, item, size);
    list->n++;
    return KT_OK;
}

KtStatus kt_bind_unsupported(KtBinder *b, const KtPos *at, const char *what, const char *way_out)
{
    KtStatus status = kt_diag_set(b->diag, KT_ERR_NOT_SUPPORTED, at, "%s not supported.", what);
    kt_diag_hint(b->diag, "%s", way_out);
    return status;
}

KtStatus kt_bind_name(KtBinder *b, KtNameKind kind, KtText text, KtNameRef *out)
{
    uint32_t number;
    bool made;
    if (kt_text_set_add(&b->name_set[kind], b->arena, text, &number, &made) != KT_OK)
        return kt_bind_memory(b);
    if (made) {
        KtNameRef ref = b->names.n;
        KtBoundName name = {kind, text};
        KT_TRY(kt_bind_push(b, &b->names, &name, sizeof name));
        KT_TRY(kt_bind_push(b, &b->name_ref[kind], &ref, sizeof ref));
    }
    *out = ((const KtNameRef *)b->name_ref[kind].item)[number];
    return KT_OK;
}

KtStatus kt_bind_names(KtBinder *b, KtNameKind kind, const KtAstNames *names, const KtNameRef **out,
                       uint32_t *n)
{
    KtNameRef *ref = kt_arena_alloc(b->arena, ((size_t)names->n + 1) * sizeof *ref);
    if (!ref)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < names->n; i++)
        KT_TRY(kt_bind_name(b, kind, names->item[i].text, &ref[i]));
    *out = ref;
    *n = names->n;
    return KT_OK;
}

KtStatus kt_bind_slot(KtBinder *b, KtText name, KtType type, KtSlot *out)
{
    KtSlotState state = {.facts = {name, type}};
    KT_TRY(kt_bind_push(b, &b->slots, &state, sizeof state));
    *out = b->slots.n - 1;
    return KT_OK;
}

KtStatus kt_bind_declare(KtBinder *b, const KtAstName *name, KtType type, KtSlot *out)
{
    bool made;
    if (kt_text_set_find(&b->scope->names, name->text) != UINT32_MAX)
        return kt_diag_set(b->diag, KT_ERR_VARIABLE_ALREADY_BOUND, &name->at,
                           "Variable `%.*s` is already bound.", KT_BIND_SHOWN(name->text));
    KT_TRY(kt_bind_slot(b, name->text, type, out));
    if (kt_bind_scope_add(b->scope, b->arena, name->text, (KtBindVariable){.index = *out}, &made) !=
        KT_OK)
        return kt_bind_memory(b);
    return KT_OK;
}

KtBindScope *kt_bind_scope(KtBinder *b, const KtBindScope *parent)
{
    KtBindScope *scope = kt_arena_zero(b->arena, 1, sizeof *scope);
    if (scope)
        scope->parent = parent;
    return scope;
}

/* ---- order of clauses ---- */

static const char *clause_word(KtAstClauseKind kind)
{
    switch (kind) {
    case KT_AST_CLAUSE_MATCH: return "MATCH";
    case KT_AST_CLAUSE_UNWIND: return "UNWIND";
    case KT_AST_CLAUSE_WITH: return "WITH";
    case KT_AST_CLAUSE_RETURN: return "RETURN";
    case KT_AST_CLAUSE_CREATE: return "CREATE";
    case KT_AST_CLAUSE_MERGE: return "MERGE";
    case KT_AST_CLAUSE_SET: return "SET";
    case KT_AST_CLAUSE_REMOVE: return "REMOVE";
    case KT_AST_CLAUSE_DELETE: return "DELETE";
    case KT_AST_CLAUSE_FOREACH: return "FOREACH";
    case KT_AST_CLAUSE_CALL: return "CALL";
    }
    return "";
}

static bool clause_writes(KtAstClauseKind kind)
{
    switch (kind) {
    case KT_AST_CLAUSE_CREATE:
    case KT_AST_CLAUSE_MERGE:
    case KT_AST_CLAUSE_SET:
    case KT_AST_CLAUSE_REMOVE:
    case KT_AST_CLAUSE_DELETE:
    case KT_AST_CLAUSE_FOREACH: return true;
    case KT_AST_CLAUSE_MATCH:
    case KT_AST_CLAUSE_UNWIND:
    case KT_AST_CLAUSE_WITH:
    case KT_AST_CLAUSE_RETURN:
    case KT_AST_CLAUSE_CALL: return false;
    }
    return false;
}

static KtStatus check_order(KtBinder *b, const KtAstPart *part, bool inside)
{
    for (uint32_t i = 0; i < part->clauses; i++) {
        const KtAstClause *c = &part->clause[i];
        bool last = i + 1 == part->clauses;
        if (inside && clause_writes(c->kind))
            return kt_diag_set(b->diag, KT_ERR_INVALID_CLAUSE_COMPOSITION, &c->at,
                               "%s cannot stand inside of an expression: a subquery only reads.",
                               clause_word(c->kind));
        if (c->kind == KT_AST_CLAUSE_RETURN && !last)
            return kt_diag_set(b->diag, KT_ERR_INVALID_CLAUSE_COMPOSITION, &part->clause[i + 1].at,
                               "%s cannot follow RETURN: expected UNION or the end of the query.",
                               clause_word(part->clause[i + 1].kind));
        bool ends = c->kind == KT_AST_CLAUSE_RETURN || clause_writes(c->kind) ||
                    c->kind == KT_AST_CLAUSE_CALL || inside;
        if (last && !ends)
            return kt_diag_set(
                b->diag, KT_ERR_INVALID_CLAUSE_COMPOSITION, &c->at,
                "A query cannot end with %s: expected RETURN or a clause that writes after it.",
                clause_word(c->kind));
    }
    return KT_OK;
}

/* ---- queries ---- */

static KtStatus clause(KtBinder *b, const KtAstClause *c, KtBoundClause *out)
{
    KtBindList subqueries = {0};
    KtStatus status = KT_OK;
    *out = (KtBoundClause){.at = c->at};
    b->subqueries = &subqueries;
    switch (c->kind) {
    case KT_AST_CLAUSE_MATCH: status = kt_bind_match(b, c, out); break;
    case KT_AST_CLAUSE_UNWIND: status = kt_bind_unwind(b, c, out); break;
    case KT_AST_CLAUSE_WITH:
    case KT_AST_CLAUSE_RETURN: status = kt_bind_projection(b, c, out); break;
    case KT_AST_CLAUSE_CREATE: status = kt_bind_create(b, c, out); break;
    case KT_AST_CLAUSE_MERGE: status = kt_bind_merge(b, c, out); break;
    case KT_AST_CLAUSE_SET:
    case KT_AST_CLAUSE_REMOVE: status = kt_bind_set(b, c, out); break;
    case KT_AST_CLAUSE_DELETE: status = kt_bind_delete(b, c, out); break;
    case KT_AST_CLAUSE_FOREACH:
        return kt_bind_unsupported(b, &c->at, "FOREACH is",
                                   "UNWIND the list and write in the clauses after it.");
    case KT_AST_CLAUSE_CALL: return kt_bind_procedure(b, c);
    }
    KT_TRY(status);
    out->subqueries = (KtSubqueries){subqueries.item, subqueries.n};
    return KT_OK;
}

static KtStatus part(KtBinder *b, const KtAstPart *p, bool inside, KtBoundPart *out,
                     const KtBoundClause **returns)
{
    *returns = NULL;
    KT_TRY(check_order(b, p, inside));
    KtBoundClause *list = kt_arena_zero(b->arena, p->clauses, sizeof *list);
    if (!list)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < p->clauses; i++) {
        KT_TRY(clause(b, &p->clause[i], &list[i]));
        out->writes |= clause_writes(p->clause[i].kind);
        if (p->clause[i].kind == KT_AST_CLAUSE_RETURN)
            *returns = &list[i];
    }
    out->clause = list;
    out->clauses = p->clauses;
    if (*returns) {
        uint32_t n = (*returns)->as.project.items;
        KtSlot *column = kt_arena_alloc(b->arena, ((size_t)n + 1) * sizeof *column);
        if (!column)
            return kt_bind_memory(b);
        for (uint32_t i = 0; i < n; i++)
            column[i] = (*returns)->as.project.item[i].slot;
        out->column = column;
        out->columns = n;
    }
    return KT_OK;
}

static KtStatus different_columns(KtBinder *b, const KtAstPart *p)
{
    const KtAstClause *last = &p->clause[p->clauses - 1];
    return kt_diag_set(b->diag, KT_ERR_DIFFERENT_COLUMNS_IN_UNION, &last->at,
                       "All sides of a UNION must return columns of the same names.");
}

/* Puts the columns of one side into the order that the first side has them in. */
static KtStatus arrange(KtBinder *b, const KtAstPart *p, const KtBoundClause *first,
                        const KtBoundClause *own, KtBoundPart *out)
{
    if (!first != !own)
        return different_columns(b, p);
    if (!first)
        return KT_OK;
    if (first->as.project.items != own->as.project.items)
        return different_columns(b, p);
    KtTextSet names = {0};
    KtSlot *column = kt_arena_alloc(b->arena, ((size_t)out->columns + 1) * sizeof *column);
    if (!column)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < own->as.project.items; i++) {
        uint32_t number;
        bool made;
        if (kt_text_set_add(&names, b->arena, own->as.project.item[i].name, &number, &made) !=
            KT_OK)
            return kt_bind_memory(b);
    }
    for (uint32_t i = 0; i < first->as.project.items; i++) {
        uint32_t number = kt_text_set_find(&names, first->as.project.item[i].name);
        if (number == UINT32_MAX)
            return different_columns(b, p);
        column[i] = out->column[number];
    }
    out->column = column;
    return KT_OK;
}

/* Fresh slots for the columns of a UNION: each may be what any side makes of it. */
static KtStatus union_columns(KtBinder *b, const KtBoundPart *parts, uint32_t n,
                              const KtBoundClause *first, KtBoundQuery *out)
{
    KtSlot *column = kt_arena_alloc(b->arena, ((size_t)out->columns + 1) * sizeof *column);
    if (!column)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < out->columns; i++) {
        KtType type = kt_bind_slot_state(b, parts[0].column[i])->facts.type;
        for (uint32_t k = 1; k < n; k++)
            type = kt_type_join(type, kt_bind_slot_state(b, parts[k].column[i])->facts.type);
        KT_TRY(kt_bind_slot(b, first->as.project.item[i].name, type, &column[i]));
    }
    out->column = column;
    return KT_OK;
}

KtStatus kt_bind_query(KtBinder *b, const KtAstQuery *q, bool inside, const KtBoundQuery **out)
{
    KtBoundQuery *made = kt_arena_zero(b->arena, 1, sizeof *made);
    KtBoundPart *parts = kt_arena_zero(b->arena, q->parts, sizeof *parts);
    if (!made || !parts)
        return kt_bind_memory(b);
    const KtBindScope *outer = b->scope;
    const KtBoundClause *first = NULL;
    for (uint32_t i = 0; i < q->parts; i++) {
        const KtBoundClause *own = NULL;
        if (i > 1 && q->part[i].union_all != q->part[1].union_all)
            return kt_diag_set(b->diag, KT_ERR_INVALID_CLAUSE_COMPOSITION, &q->part[i].at,
                               "UNION and UNION ALL cannot be mixed in one query.");
        b->scope = kt_bind_scope(b, outer);
        if (!b->scope)
            return kt_bind_memory(b);
        KT_TRY(part(b, &q->part[i], inside, &parts[i], &own));
        if (i == 0)
            first = own;
        else
            KT_TRY(arrange(b, &q->part[i], first, own, &parts[i]));
        made->writes |= parts[i].writes;
    }
    made->part = parts;
    made->parts = q->parts;
    made->union_all = q->parts > 1 && q->part[1].union_all;
    made->column = parts[0].column;
    made->columns = parts[0].columns;
    if (q->parts > 1 && first)
        KT_TRY(union_columns(b, parts, q->parts, first, made));
    *out = made;
    return KT_OK;
}

/* ---- statements ---- */

/* The columns of SHOW, which query/exec/op_show.c fills: named as Neo4j has them. */
static KtStatus show(KtBinder *b, const KtAstStatement *s, KtBound *out)
{
    static const char *const indexes[] = {
        "name", "state", "type", "entityType", "labelsOrTypes", "properties", "owningConstraint"};
    static const char *const constraints[] = {"name", "type", "entityType", "labelsOrTypes",
                                              "properties"};
    bool constraint = s->kind == KT_AST_SHOW_CONSTRAINTS;
    const char *const *words = constraint ? constraints : indexes;
    uint32_t n = constraint ? (uint32_t)KT_COUNT(constraints) : (uint32_t)KT_COUNT(indexes);
    KtText *name = kt_arena_alloc(b->arena, n * sizeof *name);
    KtSlot *slot = kt_arena_alloc(b->arena, n * sizeof *slot);
    KtBoundClause *c = kt_arena_zero(b->arena, 1, sizeof *c);
    KtBoundPart *p = kt_arena_zero(b->arena, 1, sizeof *p);
    KtBoundQuery *q = kt_arena_zero(b->arena, 1, sizeof *q);
    if (!name || !slot || !c || !p || !q)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t lists = constraint ? 3 : 4; /* this one and the next */
        KtKinds text = KT_KIND_BIT(KT_TEXT);
        name[i] = (KtText){words[i], (uint32_t)strlen(words[i])};
        KtType type =
            i == lists || i == lists + 1 ? (KtType){KT_KIND_BIT(KT_LIST), text} : (KtType){text, 0};
        KT_TRY(kt_bind_slot(b, name[i], type, &slot[i]));
    }
    c->kind = KT_CLAUSE_SHOW;
    c->as.show.constraints = constraint;
    c->as.show.slot = slot;
    c->as.show.slots = n;
    p->clause = c;
    p->clauses = 1;
    p->column = q->column = slot;
    p->columns = q->columns = n;
    q->part = p;
    q->parts = 1;
    out->query = q;
    out->column = name;
    out->columns = n;
    return KT_OK;
}

static KtStatus column_names(KtBinder *b, KtBound *out)
{
    const KtBoundPart *p = &out->query->part[0];
    out->columns = out->query->columns;
    KtText *name = kt_arena_alloc(b->arena, ((size_t)out->columns + 1) * sizeof *name);
    if (!name)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < out->columns; i++)
        name[i] = p->clause[p->clauses - 1].as.project.item[i].name;
    out->column = name;
    return KT_OK;
}

static KtStatus statement(KtBinder *b, const KtAstStatement *s, KtBound *out)
{
    out->explain = s->prefix == KT_AST_EXPLAIN;
    out->profile = s->prefix == KT_AST_PROFILE;
    static const KtBoundPart no_part;
    static const KtBoundQuery nothing = {.part = &no_part, .parts = 1};
    out->query = &nothing;
    switch (s->kind) {
    case KT_AST_QUERY:
        KT_TRY(kt_bind_query(b, &s->query, false, &out->query));
        return column_names(b, out);
    case KT_AST_SHOW_INDEXES:
    case KT_AST_SHOW_CONSTRAINTS: return show(b, s, out);
    case KT_AST_CREATE_INDEX: out->schema = KT_SCHEMA_CREATE_INDEX; break;
    case KT_AST_CREATE_CONSTRAINT: out->schema = KT_SCHEMA_CREATE_UNIQUE; break;
    case KT_AST_DROP_INDEX: out->schema = KT_SCHEMA_DROP_INDEX; break;
    case KT_AST_DROP_CONSTRAINT: out->schema = KT_SCHEMA_DROP_CONSTRAINT; break;
    }
    out->schema_as.name = s->name.text;
    out->schema_as.label = s->label.text;
    out->schema_as.key = s->key.text;
    out->schema_as.if_exists = s->if_exists || s->if_not_exists;
    return KT_OK;
}

KtStatus kt_bind(const KtAstStatement *s, KtValue params, KtArena *arena, KtDiag *diag,
                 const KtBound **out)
{
    KtBinder b = {.arena = arena, .diag = diag, .text = s->text, .params = params};
    KtBound *made = kt_arena_zero(arena, 1, sizeof *made);
    KtStatus status = made ? statement(&b, s, made) : kt_bind_memory(&b);
    KtSlotFacts *slot = NULL;
    if (status == KT_OK) {
        slot = kt_arena_alloc(arena, ((size_t)b.slots.n + 1) * sizeof *slot);
        status = slot ? KT_OK : kt_bind_memory(&b);
    }
    if (status != KT_OK) {
        if (diag)
            diag->compile_time = true;
        return status;
    }
    for (uint32_t i = 0; i < b.slots.n; i++)
        slot[i] = kt_bind_slot_state(&b, i)->facts;
    made->slot = slot;
    made->slots = b.slots.n;
    made->name = b.names.item;
    made->names = b.names.n;
    made->param = b.param_set.text;
    made->params = b.param_set.n;
    made->locals = b.locals;
    *out = made;
    return KT_OK;
}
