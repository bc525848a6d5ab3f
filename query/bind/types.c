/* query/bind/types.c - types as sets of kinds: what a value may be, as far as the statement says.
 *
 * What must hold: an error only where no possible kind but null would do. Parameters and properties may be
 * anything. */
#include "query/bind/bind_internal.h"

#include <stdio.h>

KtType kt_type_of_value(KtValue value)
{
    KtType type = {KT_KIND_BIT(value.kind), 0};
    if (value.kind == KT_LIST)
        for (uint32_t i = 0; i < value.len; i++)
            type.elements |= KT_KIND_BIT(value.as.list[i].kind);
    return type;
}

KtType kt_type_join(KtType a, KtType b)
{
    KtType out = {a.kinds && b.kinds ? a.kinds | b.kinds : 0, 0};
    KtKinds list = KT_KIND_BIT(KT_LIST);
    bool a_list = kt_type_admits(a, list) && !kt_type_is_within(a, KT_BIND_NULL);
    bool b_list = kt_type_admits(b, list) && !kt_type_is_within(b, KT_BIND_NULL);
    if (a_list && b_list)
        out.elements = a.elements && b.elements ? a.elements | b.elements : 0;
    else
        out.elements = a_list ? a.elements : b.elements;
    return out;
}

KtType kt_type_element(KtType list)
{
    bool known = kt_type_is_within(list, KT_KIND_BIT(KT_LIST)) && list.elements;
    return known ? (KtType){list.elements, 0} : KT_TYPE_ANY;
}

const char *kt_type_words(KtType type, char out[160])
{
    KtKinds known = type.kinds & ~(KtKinds)KT_BIND_NULL;
    if (known == 0 || known == (KT_ANY_KIND & ~(KtKinds)KT_BIND_NULL))
        snprintf(out, 160, "%s", type.kinds == KT_BIND_NULL ? "Null" : "any value");
    else
        kt_kinds_print(known, out, 160);
    return out;
}

KtStatus kt_bind_expect(KtBinder *b, const KtExpr *expr, KtKinds kinds, const char *who)
{
    if (kt_type_admits(expr->type, kinds))
        return KT_OK;
    char wanted[160], found[160];
    return kt_diag_set(b->diag, KT_ERR_INVALID_ARGUMENT_TYPE, &expr->at, "%s takes %s, not %s.",
                       who, kt_type_words((KtType){kinds, 0}, wanted),
                       kt_type_words(expr->type, found));
}
