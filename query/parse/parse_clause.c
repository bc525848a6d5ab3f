/* query/parse/parse_clause.c - one function for each clause. The order of clauses is the binder's matter. */
#include "query/parse/parse_internal.h"

static KtStatus where(KtParser *p, const KtAstExpr **out)
{
    *out = NULL;
    return kt_parse_take_word(p, KT_WORD_WHERE) ? kt_parse_expr(p, out) : KT_OK;
}

static KtStatus match(KtParser *p, KtAstClause *out)
{
    out->kind = KT_AST_CLAUSE_MATCH;
    out->as.match.optional = kt_parse_take_word(p, KT_WORD_OPTIONAL);
    KT_TRY(kt_parse_expect_word(p, KT_WORD_MATCH, "MATCH after OPTIONAL"));
    KT_TRY(kt_parse_paths(p, &out->as.match.paths));
    return where(p, &out->as.match.where);
}

static KtStatus unwind(KtParser *p, KtAstClause *out)
{
    out->kind = KT_AST_CLAUSE_UNWIND;
    p->at++;
    KT_TRY(kt_parse_expr(p, &out->as.unwind.list));
    KT_TRY(kt_parse_expect_word(p, KT_WORD_AS, "an operator or AS"));
    return kt_parse_variable(p, "a variable after AS", &out->as.unwind.variable);
}

/* ---- WITH and RETURN ---- */

static KtStatus item(KtParser *p, KtAstItem *out)
{
    uint32_t first = p->at;
    *out = (KtAstItem){0};
    KT_TRY(kt_parse_expr(p, &out->value));
    out->text = kt_parse_slice(p, first);
    out->at = kt_parse_span(p, first);
    if (kt_parse_take_word(p, KT_WORD_AS))
        KT_TRY(kt_parse_variable(p, "a name after AS", &out->alias));
    return KT_OK;
}

static KtStatus sort(KtParser *p, KtAstSortItem *out)
{
    KT_TRY(kt_parse_expr(p, &out->value));
    out->descending =
        kt_parse_take_word(p, KT_WORD_DESC) || kt_parse_take_word(p, KT_WORD_DESCENDING);
    if (!out->descending && !kt_parse_take_word(p, KT_WORD_ASC))
        kt_parse_take_word(p, KT_WORD_ASCENDING);
    return KT_OK;
}

static KtStatus projection(KtParser *p, KtAstClause *out, bool with)
{
    out->kind = with ? KT_AST_CLAUSE_WITH : KT_AST_CLAUSE_RETURN;
    KtAstProjection *to = &out->as.projection;
    p->at++;
    to->distinct = kt_parse_take_word(p, KT_WORD_DISTINCT);
    KtGrowing items = {0}, sorts = {0};
    uint32_t first = p->at;
    bool more = true;
    if (kt_parse_take(p, KT_LEX_STAR)) {
        to->star = true;
        to->star_at = kt_parse_span(p, first);
        more = kt_parse_take(p, KT_LEX_COMMA);
    }
    if (more) {
        do {
            KtAstItem one;
            KT_TRY(item(p, &one));
            KT_TRY(kt_parse_push(p, &items, &one, sizeof one));
        } while (kt_parse_take(p, KT_LEX_COMMA));
    }
    if (kt_parse_take_word(p, KT_WORD_ORDER)) {
        KT_TRY(kt_parse_expect_word(p, KT_WORD_BY, "BY after ORDER"));
        do {
            KtAstSortItem one;
            KT_TRY(sort(p, &one));
            KT_TRY(kt_parse_push(p, &sorts, &one, sizeof one));
        } while (kt_parse_take(p, KT_LEX_COMMA));
    }
    if (kt_parse_take_word(p, KT_WORD_SKIP))
        KT_TRY(kt_parse_expr(p, &to->skip));
    if (kt_parse_take_word(p, KT_WORD_LIMIT))
        KT_TRY(kt_parse_expr(p, &to->limit));
    if (with)
        KT_TRY(where(p, &to->where));
    to->items = items.n;
    to->sorts = sorts.n;
    KT_TRY(kt_parse_finish(p, &items, sizeof(KtAstItem), &to->item));
    return kt_parse_finish(p, &sorts, sizeof(KtAstSortItem), &to->sort);
}

/* ---- writes ---- */

static KtStatus set_item(KtParser *p, bool removes, KtAstSetItem *out)
{
    uint32_t first = p->at;
    *out = (KtAstSetItem){0};
    const KtAstExpr *target;
    KT_TRY(kt_parse_target(p, &target));
    if (target->kind == KT_AST_LABELS) {
        out->kind = KT_AST_SET_LABELS;
        out->target = target->as.labels.of;
        out->labels = target->as.labels.names;
    } else if (target->kind == KT_AST_PROPERTY) {
        out->kind = KT_AST_SET_PROPERTY;
        out->target = target;
        if (!removes) {
            KT_TRY(kt_parse_expect(p, KT_LEX_EQ, "'='"));
            KT_TRY(kt_parse_expr(p, &out->value));
        }
    } else if (!removes && target->kind == KT_AST_VARIABLE) {
        out->target = target;
        out->kind = kt_parse_take(p, KT_LEX_PLUS_EQ) ? KT_AST_SET_ADD : KT_AST_SET_ALL;
        if (out->kind == KT_AST_SET_ALL)
            KT_TRY(kt_parse_expect(p, KT_LEX_EQ, "'=', '+=', '.' or ':'"));
        KT_TRY(kt_parse_expr(p, &out->value));
    } else {
        return kt_parse_unexpected(p, removes ? "'.key' or ':Label' of what to remove"
                                              : "'.key', ':Label', '=' or '+='");
    }
    out->at = kt_parse_span(p, first);
    return KT_OK;
}

static KtStatus set_items(KtParser *p, bool removes, KtGrowing *list)
{
    do {
        KtAstSetItem one;
        KT_TRY(set_item(p, removes, &one));
        KT_TRY(kt_parse_push(p, list, &one, sizeof one));
    } while (kt_parse_take(p, KT_LEX_COMMA));
    return KT_OK;
}

static KtStatus set(KtParser *p, KtAstClause *out, bool removes)
{
    out->kind = removes ? KT_AST_CLAUSE_REMOVE : KT_AST_CLAUSE_SET;
    p->at++;
    KtGrowing list = {0};
    KT_TRY(set_items(p, removes, &list));
    out->as.set.n = list.n;
    return kt_parse_finish(p, &list, sizeof(KtAstSetItem), &out->as.set.item);
}

static KtStatus merge(KtParser *p, KtAstClause *out)
{
    out->kind = KT_AST_CLAUSE_MERGE;
    p->at++;
    KT_TRY(kt_parse_path(p, &out->as.merge.path));
    KtGrowing created = {0}, matched = {0};
    while (kt_parse_take_word(p, KT_WORD_ON)) {
        bool create = kt_parse_take_word(p, KT_WORD_CREATE);
        if (!create)
            KT_TRY(kt_parse_expect_word(p, KT_WORD_MATCH, "CREATE or MATCH after ON"));
        KT_TRY(kt_parse_expect_word(p, KT_WORD_SET, "SET"));
        KT_TRY(set_items(p, false, create ? &created : &matched));
    }
    out->as.merge.on_create.n = created.n;
    out->as.merge.on_match.n = matched.n;
    KT_TRY(kt_parse_finish(p, &created, sizeof(KtAstSetItem), &out->as.merge.on_create.item));
    return kt_parse_finish(p, &matched, sizeof(KtAstSetItem), &out->as.merge.on_match.item);
}

static KtStatus create(KtParser *p, KtAstClause *out)
{
    out->kind = KT_AST_CLAUSE_CREATE;
    p->at++;
    return kt_parse_paths(p, &out->as.create);
}

static KtStatus del(KtParser *p, KtAstClause *out)
{
    out->kind = KT_AST_CLAUSE_DELETE;
    out->as.del.detach = kt_parse_take_word(p, KT_WORD_DETACH);
    KT_TRY(kt_parse_expect_word(p, KT_WORD_DELETE, "DELETE after DETACH"));
    return kt_parse_exprs(p, &out->as.del.items);
}

static KtStatus foreach (KtParser *p, KtAstClause * out)
{
    out->kind = KT_AST_CLAUSE_FOREACH;
    p->at++;
    KT_TRY(kt_parse_expect(p, KT_LEX_LPAREN, "'(' after FOREACH"));
    KT_TRY(kt_parse_enter(p));
    KT_TRY(kt_parse_variable(p, "a variable", &out->as.foreach.variable));
    KT_TRY(kt_parse_expect_word(p, KT_WORD_IN, "IN"));
    KT_TRY(kt_parse_expr(p, &out->as.foreach.list));
    KT_TRY(kt_parse_expect(p, KT_LEX_BAR, "an operator or '|'"));
    KtGrowing list = {0};
    do {
        const char *expected = "CREATE, MERGE, SET, REMOVE, DELETE or FOREACH";
        KtWord word = (KtWord)kt_parse_peek(p, 0)->word;
        if (word == KT_WORD_MATCH || word == KT_WORD_OPTIONAL || word == KT_WORD_WITH ||
            word == KT_WORD_RETURN || word == KT_WORD_UNWIND || word == KT_WORD_CALL ||
            !kt_parse_at_clause(p))
            return kt_parse_unexpected(p, expected);
        KtAstClause clause;
        KT_TRY(kt_parse_clause(p, &clause));
        KT_TRY(kt_parse_push(p, &list, &clause, sizeof clause));
    } while (!kt_parse_is(p, KT_LEX_RPAREN) && kt_parse_at_clause(p));
    KT_TRY(kt_parse_expect(p, KT_LEX_RPAREN, "an updating clause or ')'"));
    kt_parse_leave(p);
    out->as.foreach.clauses = list.n;
    return kt_parse_finish(p, &list, sizeof(KtAstClause), &out->as.foreach.clause);
}

/* ---- CALL ---- */

static KtStatus yields(KtParser *p, KtAstClause *out)
{
    if (kt_parse_take(p, KT_LEX_STAR)) {
        out->as.call.star = true;
        return KT_OK;
    }
    KtGrowing list = {0};
    do {
        KtAstYield one = {0};
        KT_TRY(kt_parse_variable(p, "the name of a result of the procedure", &one.name));
        if (kt_parse_take_word(p, KT_WORD_AS))
            KT_TRY(kt_parse_variable(p, "a variable after AS", &one.alias));
        KT_TRY(kt_parse_push(p, &list, &one, sizeof one));
    } while (kt_parse_take(p, KT_LEX_COMMA));
    out->as.call.yields = list.n;
    KT_TRY(kt_parse_finish(p, &list, sizeof(KtAstYield), &out->as.call.yield));
    return where(p, &out->as.call.where);
}

static KtStatus call(KtParser *p, KtAstClause *out)
{
    out->kind = KT_AST_CLAUSE_CALL;
    p->at++;
    if (kt_parse_is(p, KT_LEX_LBRACE))
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at, "CALL with a subquery is",
                                    "Use WITH, a comprehension or EXISTS { ... }.");
    KT_TRY(kt_parse_dotted(p, "the name of a procedure", &out->as.call.name));
    if (kt_parse_take(p, KT_LEX_LPAREN)) {
        out->as.call.has_args = true;
        KT_TRY(kt_parse_enter(p));
        if (!kt_parse_is(p, KT_LEX_RPAREN))
            KT_TRY(kt_parse_exprs(p, &out->as.call.args));
        KT_TRY(kt_parse_expect(p, KT_LEX_RPAREN, "',' or ')'"));
        kt_parse_leave(p);
    }
    if (kt_parse_take_word(p, KT_WORD_YIELD)) {
        out->as.call.has_yield = true;
        return yields(p, out);
    }
    return KT_OK;
}

/* ---- which ---- */

bool kt_parse_at_clause(const KtParser *p)
{
    switch (kt_parse_peek(p, 0)->word) {
    case KT_WORD_MATCH:
    case KT_WORD_OPTIONAL:
    case KT_WORD_UNWIND:
    case KT_WORD_WITH:
    case KT_WORD_RETURN:
    case KT_WORD_CREATE:
    case KT_WORD_MERGE:
    case KT_WORD_SET:
    case KT_WORD_REMOVE:
    case KT_WORD_DELETE:
    case KT_WORD_DETACH:
    case KT_WORD_FOREACH:
    case KT_WORD_CALL:
    case KT_WORD_LOAD:
    case KT_WORD_USE: return true;
    default: /* of some seventy words these fifteen begin a clause */ return false;
    }
}

KtStatus kt_parse_clause(KtParser *p, KtAstClause *out)
{
    uint32_t first = p->at;
    *out = (KtAstClause){0};
    KtStatus status;
    switch (kt_parse_peek(p, 0)->word) {
    case KT_WORD_MATCH:
    case KT_WORD_OPTIONAL: status = match(p, out); break;
    case KT_WORD_UNWIND: status = unwind(p, out); break;
    case KT_WORD_WITH: status = projection(p, out, true); break;
    case KT_WORD_RETURN: status = projection(p, out, false); break;
    case KT_WORD_CREATE: status = create(p, out); break;
    case KT_WORD_MERGE: status = merge(p, out); break;
    case KT_WORD_SET: status = set(p, out, false); break;
    case KT_WORD_REMOVE: status = set(p, out, true); break;
    case KT_WORD_DELETE:
    case KT_WORD_DETACH: status = del(p, out); break;
    case KT_WORD_FOREACH: status = foreach (p, out); break;
    case KT_WORD_CALL: status = call(p, out); break;
    case KT_WORD_LOAD:
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at, "LOAD CSV is",
                                    "Use `kith import`, or UNWIND over a parameter.");
    case KT_WORD_USE:
        return kt_parse_unsupported(p, &kt_parse_peek(p, 0)->at, "USE is",
                                    "Name the database in the address.");
    default:
        return kt_parse_unexpected(p,
                                   "a clause such as MATCH, CREATE, MERGE, UNWIND, WITH or RETURN");
    }
    KT_TRY(status);
    out->at = kt_parse_span(p, first);
    return KT_OK;
}
