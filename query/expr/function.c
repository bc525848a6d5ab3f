/* query/expr/function.c - the table of functions: found by name, typed for the binder, called with checks. */
#include "query/expr/function.h"

#include "base/value_cmp.h"
#include "query/expr/expr_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

/* ---- types of results ---- */

#define BIT(kind) KT_KIND_BIT(kind)
enum {
    ANY = KT_ANY_KIND,
    BOO = BIT(KT_BOOL),
    INT = BIT(KT_INT),
    FLT = BIT(KT_FLOAT),
    NUM = BIT(KT_INT) | BIT(KT_FLOAT),
    TXT = BIT(KT_TEXT),
    LST = BIT(KT_LIST),
    MAP = BIT(KT_MAP),
    NOD = BIT(KT_NODE),
    REL = BIT(KT_REL),
    PTH = BIT(KT_PATH),
    SCALAR = BOO | NUM | TXT,
    BOX = LST | MAP | NOD | REL, /* what [] looks into */
    KEY = INT | TXT,             /* and by what */
    NUL = BIT(KT_NULL)
};

static KtKinds possible(KtKinds kinds) { return kinds == 0 ? ANY : kinds; }

static KtType infer_first(const KtType *args, uint32_t n)
{
    (void)n;
    return args[0];
}

static KtType infer_arithmetic(const KtType *args, uint32_t n)
{
    (void)n;
    KtKinds a = possible(args[0].kinds) & NUM, b = possible(args[1].kinds) & NUM, out = 0;
    if ((a & INT) && (b & INT))
        out |= INT;
    if (((a & FLT) && b) || ((b & FLT) && a))
        out |= FLT;
    return (KtType){out, 0};
}

static KtType infer_add(const KtType *args, uint32_t n)
{
    KtKinds a = possible(args[0].kinds), b = possible(args[1].kinds), elements = 0;
    KtKinds out = infer_arithmetic(args, n).kinds;
    if (((a & TXT) && (b & SCALAR)) || ((b & TXT) && (a & SCALAR)))
        out |= TXT;
    if ((a | b) & LST) {
        out |= LST;
        elements = a == LST ? args[0].elements : a;
        KtKinds more = b == LST ? args[1].elements : b;
        elements = elements && more ? elements | more : 0;
        if (elements & LST) /* [[1]] + [2] or [2] + x: which is meant cannot be told */
            elements = 0;
    }
    return (KtType){out, elements};
}

static KtType infer_element(const KtType *args, uint32_t n)
{
    (void)n;
    return possible(args[0].kinds) == LST && args[0].elements ? (KtType){args[0].elements, 0}
                                                              : (KtType){ANY, 0};
}

static KtType infer_any_of(const KtType *args, uint32_t n)
{
    KtType out = args[0];
    for (uint32_t i = 1; i < n; i++) {
        out.kinds = out.kinds && args[i].kinds ? out.kinds | args[i].kinds : 0;
        /* elements are known only if they are for every list */
        bool list = possible(args[i].kinds) & LST;
        if (list)
            out.elements = out.elements && args[i].elements ? out.elements | args[i].elements : 0;
    }
    if (out.kinds == 0)
        out.kinds = ANY;
    return out;
}

static KtType infer_collect(const KtType *args, uint32_t n)
{
    (void)n;
    return (KtType){LST, args[0].kinds};
}

/* ---- the table ---- */

enum {
    OP = KT_FN_OPERATOR,
    PURE = KT_FN_PURE,
    FAILS = KT_FN_MAY_FAIL,
    STRICT = KT_FN_NULL_IN_NULL_OUT,
    PER_ROW = KT_FN_PER_ROW,
    READS = KT_FN_READS_GRAPH,
    AT_RUN = KT_FN_KINDS_AT_RUN,
    OWN = KT_FN_OWN_KINDS,
    AGG = KT_FN_AGGREGATE,
    LATER_ON = KT_FN_NOT_SUPPORTED,
    LOOPS = KT_FN_LOOPS
};

#define T(kinds)            \
    {                       \
        (KtKinds)(kinds), 0 \
    }
#define A1(a) \
    {         \
        T(a)  \
    }
#define A2(a, b)   \
    {              \
        T(a), T(b) \
    }
#define A3(a, b, c)      \
    {                    \
        T(a), T(b), T(c) \
    }
#define LST_OF(elements) (LST), (elements)
/* A result is one argument or, by LST_OF, two: RESULT takes the first two of what it is given. */
#define RESULT_OF(kinds, elements, ...)       \
    {                                         \
        (KtKinds)(kinds), (KtKinds)(elements) \
    }
#define RESULT(...) RESULT_OF(__VA_ARGS__, 0, 0)

static const KtFunction functions[] = {
#define KT_FUNCTION(name, min, max, args, result, traits, wrong, one, many, infer)          \
    {name,                                                                                  \
     min,                                                                                   \
     max,                                                                                   \
     args,                                                                                  \
     RESULT(result),                                                                        \
     traits,                                                                                \
     (traits)&KT_FN_OPERATOR && (args_are_boxed(name)) ? KT_ERR_INVALID_ARGUMENT_TYPE_VALUE \
                                                       : KT_ERR_INVALID_ARGUMENT_TYPE,      \
     KT_ERR_##wrong,                                                                        \
     one,                                                                                   \
     many,                                                                                  \
     infer},
/* An element by index is a TypeError even where the compiler sees it. */
#define args_are_boxed(name) ((name)[0] == '[' && (name)[1] == ']')
#include "query/expr/functions.def"
#undef KT_FUNCTION
};

static bool same_name(const char *name, KtText text)
{
    return strlen(name) == text.len && strncasecmp(name, text.at, text.len) == 0;
}

const KtFunction *kt_function_find(KtText name)
{
    for (size_t i = 0; i < KT_COUNT(functions); i++) {
        if (same_name(functions[i].name, name))
            return &functions[i];
    }
    return NULL;
}

/* Edits from one short name to another, in any case: a letter more, less or other, or two swapped. */
static uint32_t distance(const char *a, KtText b)
{
    enum { MOST = 32 };
    uint32_t d[MOST + 1][MOST + 1], n = (uint32_t)strlen(a);
    if (n > MOST || b.len > MOST)
        return UINT32_MAX;
    for (uint32_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (uint32_t k = 0; k <= b.len; k++)
        d[0][k] = k;
    for (uint32_t i = 1; i <= n; i++) {
        for (uint32_t k = 1; k <= b.len; k++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b.at[k - 1]);
            uint32_t best = d[i - 1][k - 1] + (x == y ? 0 : 1);
            if (d[i - 1][k] + 1 < best)
                best = d[i - 1][k] + 1;
            if (d[i][k - 1] + 1 < best)
                best = d[i][k - 1] + 1;
            bool swapped = i > 1 && k > 1 && x == tolower((unsigned char)b.at[k - 2]) &&
                           y == tolower((unsigned char)a[i - 2]);
            if (swapped && d[i - 2][k - 2] + 1 < best)
                best = d[i - 2][k - 2] + 1;
            d[i][k] = best;
        }
    }
    return d[n][b.len];
}

const char *kt_function_suggest(KtText name)
{
    const char *best = NULL;
    uint32_t nearest = name.len < 5 ? 2 : 3; /* below this */
    for (size_t i = 0; i < KT_COUNT(functions); i++) {
        if (functions[i].traits & (KT_FN_OPERATOR | KT_FN_NOT_SUPPORTED))
            continue;
        uint32_t d = distance(functions[i].name, name);
        if (d < nearest) {
            nearest = d;
            best = functions[i].name;
        }
    }
    return best;
}

/* ---- types ---- */

static KtType declared(const KtFunction *f, uint32_t i)
{
    uint32_t last = (uint32_t)KT_COUNT(f->arg) - 1;
    while (last > 0 && f->arg[last].kinds == 0)
        last--;
    return f->arg[i < last ? i : last];
}

KtKinds kt_function_kinds(const KtFunction *f, uint32_t i) { return declared(f, i).kinds; }

KtType kt_function_type(const KtFunction *f, const KtType *args, uint32_t n)
{
    if (f->traits & KT_FN_NULL_IN_NULL_OUT) {
        for (uint32_t i = 0; i < n; i++) {
            if (args[i].kinds == NUL)
                return (KtType){NUL, 0};
        }
    }
    return f->infer && n > 0 ? f->infer(args, n) : f->result;
}

bool kt_function_accepts(const KtFunction *f, uint32_t i, KtType arg)
{
    KtKinds kinds = arg.kinds & ~(KtKinds)NUL;
    if (kinds == 0 || (f->traits & KT_FN_KINDS_AT_RUN))
        return true; /* null, or not known */
    return (kinds & declared(f, i).kinds) != 0;
}

void kt_kinds_print(KtKinds kinds, char *out, size_t cap)
{
    size_t at = 0;
    kinds &= ~(KtKinds)NUL;
    if (cap)
        out[0] = '\0';
    for (uint32_t k = 0; k < KT_KIND_COUNT; k++) {
        if (!(kinds & BIT(k)))
            continue;
        bool first = at == 0, last = (kinds >> k) == 1;
        int n = snprintf(out + at, cap - at, "%s%s",
                         first  ? ""
                         : last ? " or "
                                : ", ",
                         kt_kind_name((KtKind)k));
        if (n < 0 || (size_t)n >= cap - at)
            return;
        at += (size_t)n;
    }
}

/* ---- calls ---- */

static KtStatus wrong_kind(const KtFunction *f, KtCall *call, uint32_t i, KtValue arg)
{
    char wanted[160];
    kt_kinds_print(declared(f, i).kinds, wanted, sizeof wanted);
    bool operator=(f->traits &KT_FN_OPERATOR) != 0;
    return kt_diag_set(call->diag, f->wrong_kind_run, &call->at,
                       "%s%s takes %s as argument %u, not %s", f->name, operator? "" : "()", wanted,
                       i + 1, kt_kind_name((KtKind)arg.kind));
}

KtStatus kt_function_call(const KtFunction *f, KtCall *call, const KtValue *args, uint32_t n,
                          KtValue *out)
{
    KT_ASSERT(n >= f->min_args && (n <= f->max_args || f->max_args == KT_ARGS_ANY) && f->one);
    if (f->traits & KT_FN_NULL_IN_NULL_OUT) {
        for (uint32_t i = 0; i < n; i++) {
            if (kt_is_null(args[i])) {
                *out = kt_null();
                return KT_OK;
            }
        }
    }
    if (!(f->traits & KT_FN_OWN_KINDS)) {
        for (uint32_t i = 0; i < n; i++) {
            if (!(KT_KIND_BIT(args[i].kind) & (declared(f, i).kinds | NUL)))
                return wrong_kind(f, call, i, args[i]);
        }
    }
    /* Optional arguments that are not there are nulls to `one`. */
    if (n < f->max_args && f->max_args <= 4) {
        KtValue padded[4] = {kt_null(), kt_null(), kt_null(), kt_null()};
        for (uint32_t i = 0; i < n; i++)
            padded[i] = args[i];
        return f->one(call, padded, out);
    }
    return f->one(call, args, out);
}
