/* query/bind/scope.c - sets of texts by open addressing, and scopes on top of them. */
#include "query/bind/scope.h"

#include "base/hash.h"

static uint32_t *bucket_of(const KtTextSet *set, KtText text)
{
    uint32_t mask = set->buckets - 1;
    for (uint32_t i = (uint32_t)kt_hash(text.at, text.len) & mask;; i = (i + 1) & mask) {
        uint32_t found = set->bucket[i];
        if (!found || kt_text_eq(set->text[found - 1], text))
            return &set->bucket[i];
    }
}

uint32_t kt_text_set_find(const KtTextSet *set, KtText text)
{
    return set->n ? *bucket_of(set, text) - 1 : UINT32_MAX; /* a free bucket is 0 */
}

static KtStatus rehash(KtTextSet *set, KtArena *arena)
{
    uint32_t more = set->buckets ? set->buckets * 2 : 16;
    uint32_t *fresh = kt_arena_zero(arena, more, sizeof *fresh);
    if (!fresh)
        return KT_ERR_MEMORY;
    set->bucket = fresh;
    set->buckets = more;
    for (uint32_t i = 0; i < set->n; i++)
        *bucket_of(set, set->text[i]) = i + 1;
    return KT_OK;
}

KtStatus kt_text_set_add(KtTextSet *set, KtArena *arena, KtText text, uint32_t *out, bool *made)
{
    if (set->n * 2 >= set->buckets)
        KT_TRY(rehash(set, arena));
    uint32_t *bucket = bucket_of(set, text);
    *made = *bucket == 0;
    if (*made) {
        void *items = set->text;
        KT_TRY(kt_arena_grow(arena, &items, set->n, &set->cap, sizeof *set->text));
        set->text = items;
        set->text[set->n++] = text;
        *bucket = set->n;
    }
    *out = *bucket - 1;
    return KT_OK;
}

const KtBindVariable *kt_bind_scope_find(const KtBindScope *scope, KtText name)
{
    for (; scope; scope = scope->parent) {
        uint32_t found = kt_text_set_find(&scope->names, name);
        if (found != UINT32_MAX)
            return &scope->var[found];
    }
    return NULL;
}

KtStatus kt_bind_scope_add(KtBindScope *scope, KtArena *arena, KtText name, KtBindVariable variable,
                           bool *made)
{
    uint32_t number;
    KT_TRY(kt_text_set_add(&scope->names, arena, name, &number, made));
    if (*made) {
        void *items = scope->var;
        KT_TRY(kt_arena_grow(arena, &items, number, &scope->cap, sizeof *scope->var));
        scope->var = items;
        scope->var[number] = variable;
    }
    return KT_OK;
}
