/* Values for the property tests: hand-picked numbers, texts with zeros, and random nested ones. */
#ifndef KT_TESTS_UNIT_BASE_VALUES_H
#define KT_TESTS_UNIT_BASE_VALUES_H

#include "base/value.h"

#include <math.h>

typedef struct Dice {
    uint64_t state;
} Dice;

static inline uint64_t roll(Dice *dice)
{
    dice->state += 0x9e3779b97f4a7c15ULL;
    uint64_t z = dice->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static inline KtValue random_number(Dice *dice)
{
    static const int64_t ints[] = {0,
                                   1,
                                   -1,
                                   2,
                                   INT64_MAX,
                                   INT64_MIN,
                                   INT64_MAX - 1,
                                   INT64_MIN + 1,
                                   INT64_MAX - 511,
                                   INT64_MAX - 512,
                                   INT64_MAX - 513,
                                   (1LL << 53) - 1,
                                   1LL << 53,
                                   (1LL << 53) + 1,
                                   (1LL << 53) + 2,
                                   (1LL << 53) + 3,
                                   -(1LL << 53) - 1,
                                   -(1LL << 53),
                                   (1LL << 60) + 127,
                                   (1LL << 60) + 128,
                                   (1LL << 60) + 129,
                                   (1LL << 62) + 255,
                                   (1LL << 62) + 257};
    static const double floats[] = {
        0.0,    -0.0,    1.0,    -1.0,   0.5,   0x1p53, 0x1p53 + 2, -0x1p53,
        0x1p63, -0x1p63, 0x1p60, 0x1p62, 1e300, -1e300, 5e-324,     9223372036854774784.0};
    switch (roll(dice) % 6) {
    case 0: return kt_int(ints[roll(dice) % KT_COUNT(ints)]);
    case 1: return kt_float(floats[roll(dice) % KT_COUNT(floats)]);
    case 2: return kt_int((int64_t)roll(dice) >> (roll(dice) % 64));
    case 3: return kt_float((double)((int64_t)roll(dice) >> (roll(dice) % 64)));
    case 4:
        return kt_float(roll(dice) % 4 == 0 ? (double)NAN
                        : roll(dice) % 2    ? (double)INFINITY
                                            : -(double)INFINITY);
    default: return kt_int((int64_t)(roll(dice) % 5) - 2);
    }
}

static inline KtText random_text(Dice *dice, KtArena *arena)
{
    static const char alphabet[] = {0, 1, 'a', 'b', '\xff', '\xfe'};
    size_t len = roll(dice) % 5;
    char *at = kt_arena_alloc(arena, len + 1);
    for (size_t i = 0; i < len; i++)
        at[i] = alphabet[roll(dice) % sizeof alphabet];
    return (KtText){at, (uint32_t)len};
}

static inline KtValue random_value(Dice *dice, KtArena *arena, int depth)
{
    switch (roll(dice) % (depth > 0 ? 12 : 9)) {
    case 0: return kt_null();
    case 1: return kt_bool(roll(dice) % 2);
    case 2:
    case 3:
    case 4: return random_number(dice);
    case 5:
    case 6: {
        KtText text = random_text(dice, arena);
        return kt_text(text.at, text.len);
    }
    case 7: return kt_node(roll(dice) % 3);
    case 8: {
        KtRelRef *rel = kt_arena_zero(arena, 3, sizeof *rel);
        uint64_t *node = kt_arena_alloc(arena, 4 * sizeof *node);
        for (int i = 0; i < 3; i++)
            rel[i].id = roll(dice) % 3;
        for (int i = 0; i < 4; i++)
            node[i] = roll(dice) % 2;
        if (roll(dice) % 2)
            return kt_rel(rel);
        KtPath *path = kt_arena_alloc(arena, sizeof *path);
        *path = (KtPath){.rels = (uint32_t)(roll(dice) % 4), .node = node, .rel = rel};
        return (KtValue){.kind = KT_PATH, .as.path = path};
    }
    case 9:
    case 10: {
        uint32_t n = (uint32_t)(roll(dice) % 4);
        KtValue *items = kt_arena_alloc(arena, n * sizeof *items);
        for (uint32_t i = 0; i < n; i++)
            items[i] = random_value(dice, arena, depth - 1);
        return kt_list(items, n);
    }
    default: {
        static const char *const keys[] = {"a", "b", "aa", "c"};
        uint32_t n = (uint32_t)(roll(dice) % 3), first = (uint32_t)(roll(dice) % 4);
        KtMapEntry *entries = kt_arena_alloc(arena, n * sizeof *entries);
        for (uint32_t i = 0; i < n; i++) {
            const char *key = keys[(first + 3 * i) % 4];
            entries[i] =
                (KtMapEntry){{key, (uint32_t)strlen(key)}, random_value(dice, arena, depth - 1)};
        }
        return kt_map(entries, n);
    }
    }
}

#endif
