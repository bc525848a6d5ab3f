/* query/bind/scope.h - names and what they stand for, while a statement is bound.
 *
 * Everything lies in the binder's arena; a lookup costs one hash, so that a statement with 100,000 names binds in
 * linear time. */
#ifndef KT_QUERY_BIND_SCOPE_H
#define KT_QUERY_BIND_SCOPE_H

#include "query/bind/bound.h"

/* Distinct texts, numbered from 0 in the order in which they came. Starts as {0}. */
typedef struct KtTextSet {
    KtText *text;
    uint32_t n, cap;
    uint32_t *bucket; /* index + 1; 0 is free */
    uint32_t buckets;
} KtTextSet;

/* UINT32_MAX: not there. */
uint32_t kt_text_set_find(const KtTextSet *set, KtText text);
/* The number of `text`, new or old. Errors: MEMORY. */
KtStatus kt_text_set_add(KtTextSet *set, KtArena *arena, KtText text, uint32_t *out,
                         bool *made) KT_MUST_CHECK;

typedef struct KtBindVariable {
    bool local; /* of a comprehension, quantifier or reduce; else a slot */
    uint32_t index;
    KtType type; /* of a local; a slot's stands with the slot */
} KtBindVariable;

/* One scope; what it does not know, its parent may. */
typedef struct KtBindScope {
    const struct KtBindScope *parent;
    KtTextSet names;
    KtBindVariable *var; /* by number of names */
    uint32_t cap;
} KtBindScope;

/* NULL: nobody knows the name. */
const KtBindVariable *kt_bind_scope_find(const KtBindScope *scope, KtText name);
/* *made is false if the scope itself (not a parent) has the name already; it then stays what it is. */
KtStatus kt_bind_scope_add(KtBindScope *scope, KtArena *arena, KtText name, KtBindVariable variable,
                           bool *made) KT_MUST_CHECK;

#endif
