/* query/expr/aggregate.c - the states of aggregates, an array by group for each kind of state.
 *
 * Sums of integers are exact (an overflow is an error, and avg adds in 128 bits); deviations use Welford's update,
 * which does not cancel. A weight w means w equal rows. Source: B. P. Welford, Technometrics 4 (1962);
 * percentiles as Neo4j defines them (nearest rank, and linear interpolation). Rows of long values are many times a
 * batch's usual work: the budget's time is looked at in between. */
#include "query/expr/aggregate.h"

#include "base/hash.h"
#include "base/key.h"
#include "query/expr/expr_internal.h"

#include <math.h>
#include <stdlib.h>

typedef enum Kind {
    COUNT_ROWS,
    COUNT,
    COLLECT,
    SUM,
    AVG,
    MIN,
    MAX,
    STDEV,
    STDEVP,
    PERCENTILE_CONT,
    PERCENTILE_DISC
} Kind;

__extension__ typedef __int128 Wide;

typedef struct Sum { /* SUM, AVG */
    Wide ints;
    double floats;
    uint64_t n;
    bool any_float;
} Sum;

typedef struct Best { /* MIN, MAX */
    KtValue value;
    uint32_t cap; /* bytes behind a text's value */
    bool any;
} Best;

typedef struct Spread { /* STDEV, STDEVP */
    double mean, squares;
    uint64_t n;
} Spread;

typedef struct Items { /* COLLECT, PERCENTILE_* */
    KtValue *item;
    uint32_t n, cap;
    double percentile;
} Items;

typedef struct Seen { /* one value of one group, for DISTINCT */
    uint64_t hash;    /* 0: free */
    const uint8_t *key;
    uint32_t len;
} Seen;

struct KtAggregate {
    Kind kind;
    bool distinct;
    const char *name;
    KtPos at;
    KtArena *arena;
    KtBudget *budget;
    uint32_t groups, cap; /* states there are, and have room */
    union {
        uint64_t *count;
        Sum *sum;
        Best *best;
        Spread *spread;
        Items *items;
        void *any;
    } state;
    Seen *seen;
    size_t seen_cap, seen_len;
    KtMap64 nodes; /* DISTINCT of node ids below 2^32: group and id */
    KtBuf key;
};

static const struct {
    const char *name;
    Kind kind;
} names[] = {
    {"count", COUNT},
    {"collect", COLLECT},
    {"sum", SUM},
    {"avg", AVG},
    {"min", MIN},
    {"max", MAX},
    {"stDev", STDEV},
    {"stDevP", STDEVP},
    {"percentileCont", PERCENTILE_CONT},
    {"percentileDisc", PERCENTILE_DISC},
};

static size_t state_size(Kind kind)
{
    switch (kind) {
    case COUNT_ROWS:
    case COUNT: return sizeof(uint64_t);
    case SUM:
    case AVG: return sizeof(Sum);
    case MIN:
    case MAX: return sizeof(Best);
    case STDEV:
    case STDEVP: return sizeof(Spread);
    case COLLECT:
    case PERCENTILE_CONT:
    case PERCENTILE_DISC: return sizeof(Items);
    }
    return 0;
}

KtStatus kt_aggregate_open(const KtFunction *function, bool distinct, KtPos at, KtBudget *budget,
                           KtAggregate **out)
{
    Kind kind = COUNT_ROWS;
    if (function) {
        size_t i = 0;
        while (i < KT_COUNT(names) && strcmp(names[i].name, function->name) != 0)
            i++;
        KT_CHECK(i < KT_COUNT(names));
        kind = names[i].kind;
    }
    KtArena *arena;
    KT_TRY(kt_arena_open(budget, &arena));
    KtAggregate *a = kt_arena_zero(arena, 1, sizeof *a);
    if (!a) {
        kt_arena_close(arena);
        return KT_ERR_MEMORY;
    }
    a->kind = kind;
    a->distinct = distinct && kind != COUNT_ROWS;
    a->name = function ? function->name : "count";
    a->at = at;
    a->arena = arena;
    a->budget = budget;
    a->key.budget = budget;
    a->nodes.budget = budget;
    *out = a;
    return KT_OK;
}

void kt_aggregate_close(KtAggregate *a)
{
    if (!a)
        return;
    if (a->seen)
        kt_budget_give(a->budget, a->seen_cap * sizeof *a->seen);
    free(a->seen);
    kt_buf_close(&a->key);
    kt_map64_close(&a->nodes);
    kt_arena_close(a->arena);
}

/* Room for `groups` states, the new ones zero. */
static KtStatus grow(KtAggregate *a, uint32_t groups)
{
    if (groups <= a->groups)
        return KT_OK;
    size_t size = state_size(a->kind);
    if (groups > a->cap) {
        uint32_t cap = a->cap ? a->cap : 4;
        while (cap < groups)
            cap = cap > UINT32_MAX / 2 ? groups : cap * 2;
        void *grown = kt_arena_zero(a->arena, cap, size);
        if (!grown)
            return KT_ERR_MEMORY;
        if (a->groups)
            memcpy(grown, a->state.any, a->groups * size);
        a->state.any = grown;
        a->cap = cap;
    }
    a->groups = groups;
    return KT_OK;
}

/* ---- DISTINCT ---- */

static KtStatus seen_grow(KtAggregate *a)
{
    size_t cap = a->seen_cap ? a->seen_cap * 2 : 64, bytes = cap * sizeof(Seen);
    if (a->budget && !kt_budget_take(a->budget, bytes))
        return KT_ERR_MEMORY;
    Seen *grown = calloc(cap, sizeof *grown);
    if (!grown) {
        kt_budget_give(a->budget, bytes);
        return KT_ERR_MEMORY;
    }
    for (size_t i = 0; i < a->seen_cap; i++) {
        if (a->seen[i].hash == 0)
            continue;
        size_t at = a->seen[i].hash & (cap - 1);
        while (grown[at].hash)
            at = (at + 1) & (cap - 1);
        grown[at] = a->seen[i];
    }
    if (a->seen)
        kt_budget_give(a->budget, a->seen_cap * sizeof *a->seen);
    free(a->seen);
    a->seen = grown;
    a->seen_cap = cap;
    return KT_OK;
}

static KtStatus is_new(KtAggregate *a, uint32_t group, KtValue v, bool *out)
{
    if (v.kind == KT_NODE && kt_value_node_id(v) < UINT32_MAX) {
        uint64_t *at;
        return kt_map64_put(&a->nodes, (uint64_t)group << 32 | kt_value_node_id(v), &at, out);
    }
    if ((a->seen_len + 1) * 4 > a->seen_cap * 3)
        KT_TRY(seen_grow(a));
    kt_buf_clear(&a->key);
    kt_buf_be32(&a->key, group);
    kt_key_put(&a->key, v);
    KT_TRY(kt_buf_status(&a->key));
    uint64_t hash = kt_hash(a->key.data, a->key.len) | 1;
    size_t at = hash & (a->seen_cap - 1);
    for (; a->seen[at].hash; at = (at + 1) & (a->seen_cap - 1)) {
        const Seen *s = &a->seen[at];
        if (s->hash == hash && s->len == a->key.len && memcmp(s->key, a->key.data, s->len) == 0) {
            *out = false;
            return KT_OK;
        }
    }
    uint8_t *key = kt_arena_alloc(a->arena, a->key.len);
    if (!key)
        return KT_ERR_MEMORY;
    memcpy(key, a->key.data, a->key.len);
    a->seen[at] = (Seen){hash, key, (uint32_t)a->key.len};
    a->seen_len++;
    *out = true;
    return KT_OK;
}

/* ---- one value ---- */

static KtStatus not_number(const KtAggregate *a, KtValue v, KtDiag *diag)
{
    return kt_diag_set(diag, KT_ERR_INVALID_ARGUMENT_VALUE, &a->at, "%s() takes numbers, not %s",
                       a->name, kt_kind_name((KtKind)v.kind));
}

static KtStatus overflow(const KtAggregate *a, KtDiag *diag)
{
    return kt_diag_set(diag, KT_ERR_INTEGER_OVERFLOW, &a->at,
                       "%s() does not fit an Integer of 64 bits", a->name);
}

static KtStatus add_sum(KtAggregate *a, Sum *s, KtValue v, uint64_t weight, KtDiag *diag)
{
    if (!kt_is_number(v))
        return not_number(a, v, diag);
    if (v.kind == KT_FLOAT) {
        s->floats += v.as.f * (double)weight;
        s->any_float = true;
    } else {
        /* 2^63 times a weight below 2^63 fits 127 bits; a sum of such is checked */
        Wide product;
        if (__builtin_mul_overflow((Wide)v.as.i, (Wide)weight, &product) ||
            __builtin_add_overflow(s->ints, product, &s->ints))
            return overflow(a, diag);
    }
    s->n += weight;
    return KT_OK;
}

static KtStatus add_best(KtAggregate *a, Best *b, KtValue v)
{
    if (b->any) {
        int order = kt_value_order(v, b->value);
        if (a->kind == MIN ? order >= 0 : order <= 0)
            return KT_OK;
    }
    if (v.kind == KT_TEXT) { /* texts are copied into the same bytes while they fit */
        char *at;
        if (b->any && b->value.kind == KT_TEXT && v.len <= b->cap) {
            memcpy(&at, &b->value.as.text, sizeof at);
        } else {
            uint32_t cap = v.len > UINT32_MAX / 2 ? v.len : v.len * 2;
            at = kt_arena_alloc(a->arena, (size_t)cap + 1);
            if (!at)
                return KT_ERR_MEMORY;
            b->cap = cap;
        }
        if (v.len)
            memmove(at, v.as.text, v.len);
        v.as.text = at;
        b->value = v;
    } else {
        KT_TRY(kt_value_copy(a->arena, v, &b->value));
        b->cap = 0;
    }
    b->any = true;
    return KT_OK;
}

static KtStatus add_spread(KtAggregate *a, Spread *s, KtValue v, uint64_t weight, KtDiag *diag)
{
    if (!kt_is_number(v))
        return not_number(a, v, diag);
    double x = kt_as_double(v), w = (double)weight, from = x - s->mean;
    if (weight == 0)
        return KT_OK;
    s->n += weight;
    s->mean += from * w / (double)s->n;
    s->squares += w * from * (x - s->mean);
    return KT_OK;
}

static KtStatus add_item(KtAggregate *a, Items *list, KtValue v, uint64_t weight, KtDiag *diag)
{
    if (weight == 0)
        return KT_OK;
    if (weight > UINT32_MAX - list->n)
        return kt_diag_set(diag, KT_ERR_LIST_TOO_LONG, &a->at,
                           "%s() makes a list of more than %u elements", a->name, UINT32_MAX);
    KtValue copy;
    KT_TRY(kt_value_copy(a->arena, v, &copy));
    for (uint64_t i = 0; i < weight; i++) {
        void *grown = list->item;
        if (list->n == list->cap && list->cap == 0) { /* many groups have few */
            list->cap = 2;
            grown = kt_arena_alloc(a->arena, 2 * sizeof *list->item);
            if (!grown)
                return KT_ERR_MEMORY;
        }
        KT_TRY(kt_arena_grow(a->arena, &grown, list->n, &list->cap, sizeof *list->item));
        list->item = grown;
        list->item[list->n++] = copy;
    }
    return KT_OK;
}

static KtStatus add_percentile(KtAggregate *a, Items *list, KtValue v, KtValue p, uint64_t weight,
                               KtDiag *diag)
{
    if (!kt_is_number(v))
        return not_number(a, v, diag);
    if (!kt_is_number(p))
        return not_number(a, p, diag);
    double percentile = kt_as_double(p);
    if (!(percentile >= 0 && percentile <= 1))
        return kt_diag_set(diag, KT_ERR_NUMBER_OUT_OF_RANGE, &a->at,
                           "%s() takes a percentile from 0.0 to 1.0, not %g", a->name, percentile);
    list->percentile = percentile;
    return add_item(a, list, v, weight, diag);
}

static KtStatus add_value(KtAggregate *a, uint32_t group, KtValue v, KtValue second,
                          uint64_t weight, KtDiag *diag)
{
    switch (a->kind) {
    case COUNT_ROWS:
    case COUNT:
        if (__builtin_add_overflow(a->state.count[group], weight, &a->state.count[group]))
            return overflow(a, diag);
        return KT_OK;
    case SUM:
    case AVG: return add_sum(a, &a->state.sum[group], v, weight, diag);
    case MIN:
    case MAX: return add_best(a, &a->state.best[group], v);
    case STDEV:
    case STDEVP: return add_spread(a, &a->state.spread[group], v, weight, diag);
    case COLLECT: return add_item(a, &a->state.items[group], v, weight, diag);
    case PERCENTILE_CONT:
    case PERCENTILE_DISC: return add_percentile(a, &a->state.items[group], v, second, weight, diag);
    }
    return KT_OK;
}

/* ---- batches ---- */

static uint32_t row_of(const KtAggregateRows *rows, uint32_t i)
{
    return rows->sel ? rows->sel[i] : i;
}
static uint32_t group_of(const KtAggregateRows *rows, uint32_t row)
{
    return rows->group ? rows->group[row] : 0;
}
static uint64_t weight_of(const KtAggregateRows *rows, uint32_t row)
{
    return rows->weight ? rows->weight[row] : 1;
}

/* True for a column that holds no null anywhere. */
static bool never_null(const KtColumn *col)
{
    switch (col->kind) {
    case KT_COL_BOOL:
    case KT_COL_INT:
    case KT_COL_FLOAT:
    case KT_COL_TEXT: return !col->nulls;
    case KT_COL_NODE:
    case KT_COL_REL:
    case KT_COL_VALUE: break;
    }
    return false;
}

/* count(*), count(x) where no x is null, count(node); false: not done. */
static bool add_counts(KtAggregate *a, const KtAggregateRows *rows)
{
    const KtColumn *arg = rows->arg[0];
    bool all = a->kind == COUNT_ROWS || never_null(arg);
    bool nodes = !all && arg->kind == KT_COL_NODE && arg->width == 4 && !arg->constant;
    if ((!all && !nodes) || rows->weight)
        return false;
    if (all && !rows->group) {
        a->state.count[0] += rows->n;
        return true;
    }
    const uint32_t *id = nodes ? arg->data : NULL;
    for (uint32_t i = 0; i < rows->n; i++) {
        uint32_t row = row_of(rows, i);
        a->state.count[group_of(rows, row)] += all || id[row] != KT_NO_NODE;
    }
    return true;
}

typedef uint64_t Lanes __attribute__((vector_size(64)));

/* The sum of the rows below `n` whose bit is set. False: one of them is not within 2^52 of 0, and *sum may be wrong.
 * A byte of bits becomes the masks of eight lanes. */
static KT_CLONES bool sum_bits(const int64_t *x, const uint64_t *bits, uint32_t n, int64_t *sum)
{
    const Lanes lane = {1, 2, 4, 8, 16, 32, 64, 128};
    const uint64_t middle = (uint64_t)1 << 52;
    Lanes all = {0}, range = {0};
    uint32_t i = 0;
    for (; i + 8 <= n; i += 8) {
        Lanes v, keep = (Lanes)((lane & (bits[i >> 6] >> (i & 63))) != 0);
        memcpy(&v, x + i, sizeof v);
        v &= keep;
        all += v;
        range |= v + middle;
    }
    for (; i < n; i++) {
        uint64_t v = kt_bit(bits, i) ? (uint64_t)x[i] : 0;
        all[0] += v;
        range[0] |= v + middle;
    }
    uint64_t total = 0, most = 0;
    for (uint32_t k = 0; k < 8; k++) {
        total += all[k];
        most |= range[k];
    }
    *sum = (int64_t)total;
    return most < 2 * middle; /* at most 2^16 rows: their sum fits */
}

static Wide sum_rows(const int64_t *x, const KtAggregateRows *rows)
{
    Wide total = 0; /* 2^32 numbers of 63 bits cannot overflow it */
    if (!rows->sel) {
        int64_t high;
        uint64_t low;
        kt_sum_ints(x, rows->n, &high, &low);
        return (Wide)high * ((Wide)1 << 32) + low;
    }
    uint32_t last = rows->sel[rows->n - 1];
    int64_t sum;
    if (rows->bits && last < 8 * rows->n && sum_bits(x, rows->bits, last + 1, &sum))
        return sum;
    for (uint32_t i = 0; i < rows->n; i++)
        total += x[rows->sel[i]];
    return total;
}

/* sum and avg of a column of integers without nulls and weights; false: not done. */
static bool add_ints(KtAggregate *a, const KtAggregateRows *rows)
{
    const KtColumn *arg = rows->arg[0];
    if (arg->kind != KT_COL_INT || arg->nulls || arg->constant || rows->weight)
        return false;
    const int64_t *x = arg->data;
    Sum *sum = a->state.sum;
    if (!rows->group) {
        Wide total = sum_rows(x, rows);
        if (__builtin_add_overflow(sum->ints, total, &sum->ints))
            return false;
        sum->n += rows->n;
        return true;
    }
    for (uint32_t i = 0; i < rows->n; i++) {
        uint32_t row = row_of(rows, i);
        Sum *s = &sum[rows->group[row]];
        s->ints += x[row]; /* 2^63 additions would be needed to overflow */
        s->n++;
    }
    return true;
}

enum { WORK_UNLOOKED = 64 * 1024 }; /* steps over values between two looks at the clock */

static KtStatus look(const KtAggregate *a, KtDiag *diag)
{
    KtStatus status = kt_budget_time(a->budget);
    if (status == KT_OK)
        return KT_OK;
    return kt_diag_set(diag, status, NULL,
                       status == KT_ERR_CANCELLED ? "The query was cancelled"
                                                  : "The query ran past its deadline");
}

KtStatus kt_aggregate_add(KtAggregate *a, const KtAggregateRows *rows, KtDiag *diag)
{
    if (rows->n == 0)
        return KT_OK;
    KT_TRY(grow(a, rows->group ? rows->groups : 1));
    bool counts = a->kind == COUNT_ROWS || a->kind == COUNT,
         sums = a->kind == SUM || a->kind == AVG;
    if (!a->distinct && ((counts && add_counts(a, rows)) || (sums && add_ints(a, rows))))
        return KT_OK;
    uint64_t work = 0;
    for (uint32_t i = 0; i < rows->n; i++) {
        uint32_t row = row_of(rows, i), group = group_of(rows, row);
        uint64_t weight = weight_of(rows, row);
        KtValue v = kt_bool(true), second = kt_null();
        if (a->kind != COUNT_ROWS) {
            v = kt_col_value(rows->arg[0], row);
            if (kt_is_null(v))
                continue;
            if (v.kind == KT_LIST || v.kind == KT_MAP || v.kind == KT_TEXT || v.kind == KT_BYTES)
                work += kt_value_steps(v);
            if (KT_UNLIKELY(work > WORK_UNLOOKED)) {
                KT_TRY(look(a, diag));
                work = 0;
            }
            if (rows->arg[1])
                second = kt_col_value(rows->arg[1], row);
        }
        if (a->distinct) {
            bool fresh;
            KT_TRY(is_new(a, group, v, &fresh));
            if (!fresh)
                continue;
            weight = 1;
        }
        KT_TRY(add_value(a, group, v, second, weight, diag));
    }
    return KT_OK;
}

/* ---- results ---- */

static KtStatus sum_result(const KtAggregate *a, const Sum *s, KtDiag *diag, KtValue *out)
{
    if (a->kind == AVG) {
        *out = s->n ? kt_float(((double)s->ints + s->floats) / (double)s->n) : kt_null();
    } else if (s->any_float) {
        *out = kt_float((double)s->ints + s->floats);
    } else {
        if (s->ints > INT64_MAX || s->ints < INT64_MIN)
            return overflow(a, diag);
        *out = kt_int((int64_t)s->ints);
    }
    return KT_OK;
}

static KtValue spread_result(const KtAggregate *a, const Spread *s)
{
    uint64_t lost = a->kind == STDEV ? 1 : 0;
    return kt_float(s->n > lost ? sqrt(s->squares / (double)(s->n - lost)) : 0.0);
}

static int order_items(const void *a, const void *b)
{
    return kt_value_order(*(const KtValue *)a, *(const KtValue *)b);
}

static KtValue percentile_result(const KtAggregate *a, Items *list)
{
    if (list->n == 0)
        return kt_null();
    qsort(list->item, list->n, sizeof *list->item, order_items);
    double p = list->percentile, n = (double)list->n;
    if (a->kind == PERCENTILE_DISC) { /* the smallest value that p of all do not exceed */
        double rank = ceil(p * n);
        return list->item[rank < 1 ? 0 : (uint32_t)rank - 1];
    }
    double place = p * (n - 1);
    uint32_t below = (uint32_t)floor(place), above = (uint32_t)ceil(place);
    double low = kt_as_double(list->item[below]), high = kt_as_double(list->item[above]);
    return kt_float(below == above ? low : low + (high - low) * (place - (double)below));
}

KtStatus kt_aggregate_result(KtAggregate *a, uint32_t group, KtDiag *diag, KtValue *out)
{
    KT_TRY(grow(a, group + 1));
    switch (a->kind) {
    case COUNT_ROWS:
    case COUNT:
        if (a->state.count[group] > INT64_MAX)
            return overflow(a, diag);
        *out = kt_int((int64_t)a->state.count[group]);
        return KT_OK;
    case SUM:
    case AVG: return sum_result(a, &a->state.sum[group], diag, out);
    case MIN:
    case MAX:
        *out = a->state.best[group].any ? a->state.best[group].value : kt_null();
        return KT_OK;
    case STDEV:
    case STDEVP: *out = spread_result(a, &a->state.spread[group]); return KT_OK;
    case COLLECT: {
        KtCall call = {.arena = a->arena, .diag = diag, .at = a->at};
        return kt_make_list(&call, a->state.items[group].item, a->state.items[group].n, out);
    }
    case PERCENTILE_CONT:
    case PERCENTILE_DISC: *out = percentile_result(a, &a->state.items[group]); return KT_OK;
    }
    return KT_OK;
}
