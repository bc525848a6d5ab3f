/* base/key_order.c - a merge sort of key numbers: stable, and cheap where the keys are in order already. */
#include "base/key_order.h"

enum { FEW = 16 }; /* as many are compared each with each */

typedef struct Sort {
    KtKeys keys;
    uint32_t *order, *spare;
    KtKeyClock *clock;
} Sort;

static KtText key_at(KtKeys keys, uint32_t i)
{
    const char *at = (const char *)keys.first + (size_t)i * keys.stride;
    return *(const KtText *)(const void *)at;
}

static int compare(KtText a, KtText b)
{
    uint32_t len = a.len < b.len ? a.len : b.len;
    int c = len ? memcmp(a.at, b.at, len) : 0;
    return c ? c : a.len < b.len ? -1 : a.len > b.len;
}

KtStatus kt_key_clock(KtKeyClock *clock, uint64_t steps)
{
    clock->work += steps;
    if (clock->work <= KT_KEY_WORK)
        return KT_OK;
    clock->work = 0;
    return clock->look ? clock->look(clock->user) : KT_OK;
}

static int compare_at(const Sort *s, uint32_t a, uint32_t b)
{
    KtText x = key_at(s->keys, a), y = key_at(s->keys, b);
    s->clock->work += 1 + (x.len < y.len ? x.len : y.len) / 64; /* long keys may begin alike */
    return compare(x, y);
}

static KtStatus sort_part(Sort *s, uint32_t from, uint32_t to)
{
    if (to - from < 2)
        return KT_OK;
    uint32_t middle = from + (to - from) / 2;
    KT_TRY(sort_part(s, from, middle));
    KT_TRY(sort_part(s, middle, to));
    KT_TRY(kt_key_clock(s->clock, 1));
    if (compare_at(s, s->order[middle - 1], s->order[middle]) <= 0)
        return KT_OK;
    uint32_t left = middle - from, i = 0, at = from, right = middle;
    memcpy(s->spare, s->order + from, left * sizeof *s->spare);
    while (i < left) {
        bool take_right = right < to && compare_at(s, s->order[right], s->spare[i]) < 0;
        s->order[at++] = take_right ? s->order[right++] : s->spare[i++];
        KT_TRY(kt_key_clock(s->clock, 1));
    }
    return KT_OK;
}

KtStatus kt_keys_sort(KtKeys keys, uint32_t *order, uint32_t *spare, KtKeyClock *clock)
{
    for (uint32_t i = 0; i < keys.n; i++)
        order[i] = i;
    Sort sort = {keys, order, spare, clock};
    return sort_part(&sort, 0, keys.n);
}

uint32_t kt_keys_find(KtKeys keys, const uint32_t *order, KtText key)
{
    uint32_t low = 0, high = keys.n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(key_at(keys, order[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < keys.n && kt_text_eq(key_at(keys, order[low]), key) ? order[low] : KT_NO_KEY;
}

static void few_distinct(KtKeys keys, uint32_t *from)
{
    for (uint32_t i = 0; i < keys.n; i++) {
        from[i] = i;
        for (uint32_t k = 0; k < i; k++) {
            if (from[k] != KT_NO_KEY && kt_text_eq(key_at(keys, k), key_at(keys, i))) {
                from[k] = i;
                from[i] = KT_NO_KEY;
                break;
            }
        }
    }
}

KtStatus kt_keys_distinct(KtKeys keys, uint32_t *from, uint32_t *spare, KtKeyClock *clock)
{
    if (keys.n <= FEW) {
        few_distinct(keys, from);
        return KT_OK;
    }
    uint32_t *order = spare;
    KT_TRY(kt_keys_sort(keys, order, spare + keys.n, clock));
    for (uint32_t begin = 0, end; begin < keys.n; begin = end) {
        KtText key = key_at(keys, order[begin]);
        for (end = begin + 1; end < keys.n && kt_text_eq(key_at(keys, order[end]), key); end++)
            from[order[end]] = KT_NO_KEY;
        from[order[begin]] = order[end - 1];
        KT_TRY(kt_key_clock(clock, end - begin));
    }
    return KT_OK;
}
