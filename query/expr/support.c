/* query/expr/support.c - lists, maps and texts that functions make, and the small facts about errors. */
#include "query/expr/expr_internal.h"

bool kt_status_is_fatal(KtStatus status)
{
    return kt_error_facts(status)->error_class != KT_CLASS_CLIENT || status == KT_ERR_CANCELLED;
}

KtStatus kt_eval_tick(struct KtEvalContext *x)
{
    uint64_t bits = 0;
    uint32_t none = 0;
    if (!x || !x->view)
        return KT_OK;
    /* every call of the view passes its check of deadline, cancel and budget */
    return kt_exist(x->view, KT_NODE, (KtIds){.id = &none, .width = 4, .n = 0}, &bits);
}

/* Lists and maps share what they hold, so a few doublings make a value whose walk never ends ([s, s] of [s, s] ...):
 * what counts is not its memory but the steps of a walk over it. `aux` of a list or map made here holds its depth
 * (DEPTH_BITS) and above that 1 + log2, rounded up, of its steps; 0 is not known (a parameter, a stored list). */
enum { DEPTH_BITS = 10, DEPTH_MASK = (1 << DEPTH_BITS) - 1, TEXT_STEP = 256 };
#define STEPS_MOST ((uint64_t)1 << 26)

static bool holds(KtValue v) { return v.kind == KT_LIST || v.kind == KT_MAP; }

static uint32_t depth_of(KtValue v)
{
    return holds(v) ? ((v.aux & DEPTH_MASK) ? v.aux & DEPTH_MASK : 1u) : 0u;
}

/* Steps of a walk, counted up to one above STEPS_MOST. The depth is bounded by what made the value. */
static uint64_t count_steps(KtValue v, uint64_t sum)
{
    if (!holds(v))
        return sum + 1 + (v.kind == KT_TEXT || v.kind == KT_BYTES ? v.len / TEXT_STEP : 0);
    for (uint32_t i = 0; i < v.len && sum <= STEPS_MOST; i++)
        sum = count_steps(v.kind == KT_LIST ? v.as.list[i] : v.as.map[i].value, sum);
    return sum;
}

uint64_t kt_value_steps(KtValue v)
{
    unsigned known = holds(v) ? v.aux >> DEPTH_BITS : 0;
    return known ? (uint64_t)1 << (known - 1) : count_steps(v, 0);
}

typedef struct Weight {
    uint32_t deepest;
    uint64_t steps, inside; /* of all items; of those that are lists or maps */
} Weight;

static void weigh(Weight *w, KtValue item, uint64_t steps)
{
    uint32_t depth = depth_of(item);
    w->deepest = depth > w->deepest ? depth : w->deepest;
    w->steps += steps;
    w->inside += holds(item) ? steps : 0;
}

/* The item at `i` of a list's items or a map's entries. */
static KtValue item_at(const KtValue *items, const KtMapEntry *entries, uint32_t i)
{
    return items ? items[i] : entries[i].value;
}

static KtStatus weigh_all(KtCall *call, const KtValue *items, const KtMapEntry *entries, uint32_t n,
                          uint16_t *aux)
{
    Weight w = {0};
    for (uint32_t i = 0; i < n; i++) {
        KtValue item = item_at(items, entries, i);
        weigh(&w, item, kt_value_steps(item));
    }
    if (w.inside > STEPS_MOST) { /* rounding up may have made it so: count */
        w = (Weight){0};
        for (uint32_t i = 0; i < n && w.inside <= STEPS_MOST; i++) {
            KtValue item = item_at(items, entries, i);
            weigh(&w, item, count_steps(item, 0));
        }
    }
    if (w.inside > STEPS_MOST)
        return kt_diag_set(
            call->diag, KT_ERR_LIST_TOO_LONG, &call->at,
            "Lists and maps hold at most 67,108,864 values in all, shared ones counted each time");
    if (w.deepest >= KT_VALUE_DEPTH_MOST)
        return kt_diag_set(call->diag, KT_ERR_VALUE_TOO_DEEP, &call->at,
                           "Lists and maps nest at most %d deep", KT_VALUE_DEPTH_MOST);
    unsigned log = w.steps > 1 ? 64u - (unsigned)__builtin_clzll(w.steps - 1) : 0;
    *aux = (uint16_t)((w.deepest + 1) | (log + 1) << DEPTH_BITS);
    return KT_OK;
}

KtStatus kt_make_list(KtCall *call, const KtValue *items, uint32_t n, KtValue *out)
{
    static const KtValue none;
    KtValue list = kt_list(items, n);
    KT_TRY(weigh_all(call, items ? items : &none, NULL, n, &list.aux));
    *out = list;
    return KT_OK;
}

KtStatus kt_make_map(KtCall *call, const KtMapEntry *entries, uint32_t n, KtValue *out)
{
    KtValue map = kt_map(entries, n);
    KT_TRY(weigh_all(call, NULL, entries, n, &map.aux));
    *out = map;
    return KT_OK;
}

KtStatus kt_make_text(KtCall *call, const char *at, size_t len, KtValue *out)
{
    if (len > UINT32_MAX)
        return KT_ERR_MEMORY;
    char *copy = kt_arena_text(call->arena, at, len);
    if (!copy)
        return KT_ERR_MEMORY;
    *out = kt_text(copy, len);
    return KT_OK;
}
