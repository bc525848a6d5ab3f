/* query/bind/bind_write.c - CREATE, MERGE, SET, REMOVE and DELETE. */
#include "query/bind/bind_internal.h"

enum {
    NODE = KT_KIND_BIT(KT_NODE),
    REL = KT_KIND_BIT(KT_REL),
    MAP = KT_KIND_BIT(KT_MAP),
    PATH = KT_KIND_BIT(KT_PATH)
};

KtStatus kt_bind_create(KtBinder *b, const KtAstClause *c, KtBoundClause *out)
{
    out->kind = KT_CLAUSE_CREATE;
    out->as.create.patterns = c->as.create.n;
    return kt_bind_patterns(b, c->as.create, KT_PATTERN_CREATE, &out->as.create.pattern);
}

static KtStatus set_item(KtBinder *b, const KtAstSetItem *a, bool removes, KtBoundSet *out)
{
    const char *who = removes ? "REMOVE" : "SET";
    out->at = a->at;
    const KtAstExpr *target =
        a->kind == KT_AST_SET_PROPERTY ? a->target->as.property.of : a->target;
    KT_TRY(kt_bind_plain(b, target, who, &out->target));
    KT_TRY(kt_bind_expect(b, out->target, a->kind == KT_AST_SET_LABELS ? NODE : NODE | REL, who));
    switch (a->kind) {
    case KT_AST_SET_PROPERTY:
        out->kind = removes ? KT_REMOVE_PROP : KT_SET_PROP;
        KT_TRY(kt_bind_name(b, KT_NAME_KEY, a->target->as.property.name->text, &out->key));
        return removes ? KT_OK : kt_bind_plain(b, a->value, who, &out->value);
    case KT_AST_SET_ALL:
    case KT_AST_SET_ADD:
        out->kind = a->kind == KT_AST_SET_ALL ? KT_SET_REPLACE : KT_SET_MERGE;
        KT_TRY(kt_bind_plain(b, a->value, who, &out->value));
        return kt_bind_expect(b, out->value, MAP | NODE | REL,
                              a->kind == KT_AST_SET_ALL ? "SET =" : "SET +=");
    case KT_AST_SET_LABELS:
        out->kind = removes ? KT_REMOVE_LABELS : KT_SET_LABELS;
        return kt_bind_names(b, KT_NAME_LABEL, &a->labels, &out->label, &out->labels);
    }
    return KT_ERR_INTERNAL;
}

static KtStatus set_items(KtBinder *b, const KtAstSetItems *a, bool removes, const KtBoundSet **out,
                          uint32_t *n)
{
    KtBoundSet *list = kt_arena_zero(b->arena, (size_t)a->n + 1, sizeof *list);
    if (!list)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < a->n; i++)
        KT_TRY(set_item(b, &a->item[i], removes, &list[i]));
    *out = list;
    *n = a->n;
    return KT_OK;
}

KtStatus kt_bind_merge(KtBinder *b, const KtAstClause *c, KtBoundClause *out)
{
    const KtBoundPattern *pattern;
    out->kind = KT_CLAUSE_MERGE;
    KT_TRY(kt_bind_patterns(b, (KtAstPaths){1, c->as.merge.path}, KT_PATTERN_MERGE, &pattern));
    out->as.merge.pattern = *pattern;
    KT_TRY(set_items(b, &c->as.merge.on_create, false, &out->as.merge.on_create,
                     &out->as.merge.on_creates));
    return set_items(b, &c->as.merge.on_match, false, &out->as.merge.on_match,
                     &out->as.merge.on_matches);
}

KtStatus kt_bind_set(KtBinder *b, const KtAstClause *c, KtBoundClause *out)
{
    out->kind = KT_CLAUSE_SET;
    return set_items(b, &c->as.set, c->kind == KT_AST_CLAUSE_REMOVE, &out->as.set.item,
                     &out->as.set.items);
}

KtStatus kt_bind_delete(KtBinder *b, const KtAstClause *c, KtBoundClause *out)
{
    uint32_t n = c->as.del.items.n;
    const KtExpr **target = kt_arena_alloc(b->arena, (size_t)n * sizeof *target);
    if (!target)
        return kt_bind_memory(b);
    for (uint32_t i = 0; i < n; i++) {
        const KtAstExpr *ast = c->as.del.items.item[i];
        if (ast->kind == KT_AST_LABELS) {
            KtStatus status =
                kt_diag_set(b->diag, KT_ERR_INVALID_DELETE, &ast->at,
                            "DELETE takes a node, a relationship or a path, not a label or type.");
            kt_diag_hint(b->diag,
                         "REMOVE takes a label away; a type belongs to its relationship for good.");
            return status;
        }
        KT_TRY(kt_bind_plain(b, ast, "DELETE", &target[i]));
        KT_TRY(kt_bind_expect(b, target[i], NODE | REL | PATH, "DELETE"));
    }
    out->kind = KT_CLAUSE_DELETE;
    out->as.del.detach = c->as.del.detach;
    out->as.del.target = target;
    out->as.del.targets = n;
    b->deleted = true;
    return KT_OK;
}
