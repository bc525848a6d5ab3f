/* base/value_cmp.c - equality, equivalence, orderability and comparability, and the hash that fits them.
 *
 * Numbers are compared exactly: an integer and a float as real numbers, never through a rounded double.
 * Lists and maps recurse; whoever builds values bounds their nesting (about 1,000), and a level here costs
 * a few hundred bytes of stack. */
#include "base/value_cmp.h"

#include "base/hash.h"
#include "base/value_internal.h"

#include <math.h>
#include <stdlib.h>

uint8_t kt_value_rank(KtValue v)
{
    switch ((KtKind)v.kind) {
    case KT_NULL: return KT_RANK_NULL;
    case KT_BOOL: return KT_RANK_BOOL;
    case KT_INT: return KT_RANK_NUMBER;
    case KT_FLOAT: return isnan(v.as.f) ? KT_RANK_NAN : KT_RANK_NUMBER;
    case KT_TEXT: return KT_RANK_TEXT;
    case KT_BYTES: return KT_RANK_BYTES;
    case KT_LIST: return KT_RANK_LIST;
    case KT_MAP: return KT_RANK_MAP;
    case KT_NODE: return KT_RANK_NODE;
    case KT_REL: return KT_RANK_REL;
    case KT_PATH: return KT_RANK_PATH;
    case KT_DATE: return KT_RANK_DATE;
    case KT_LOCAL_TIME: return KT_RANK_LOCAL_TIME;
    case KT_TIME: return KT_RANK_TIME;
    case KT_LOCAL_DATETIME: return KT_RANK_LOCAL_DATETIME;
    case KT_DATETIME: return KT_RANK_DATETIME;
    case KT_DURATION: return KT_RANK_DURATION;
    case KT_POINT: return KT_RANK_POINT;
    case KT_VECTOR: return KT_RANK_VECTOR;
    case KT_UUID: return KT_RANK_UUID;
    case KT_KIND_COUNT: break;
    }
    KT_CHECK(!"a value of no kind");
    return KT_RANK_NULL;
}

/* ---- numbers ---- */

static int order_u64(uint64_t a, uint64_t b) { return (a > b) - (a < b); }
static int order_i64(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int order_int_float(int64_t i, double f) /* f is not NaN */
{
    if (f >= 0x1p63)
        return -1;
    if (f < -0x1p63)
        return 1;
    int64_t whole = (int64_t)f;
    if (i != whole)
        return i < whole ? -1 : 1;
    double rest = f - (double)whole; /* exact: whole came from f */
    return (rest < 0) - (rest > 0);
}

static int order_numbers(KtValue a, KtValue b) /* neither is NaN */
{
    if (a.kind == KT_INT)
        return b.kind == KT_INT ? order_i64(a.as.i, b.as.i) : order_int_float(a.as.i, b.as.f);
    if (b.kind == KT_INT)
        return -order_int_float(b.as.i, a.as.f);
    return (a.as.f > b.as.f) - (a.as.f < b.as.f);
}

static bool is_number(KtValue v) { return v.kind == KT_INT || v.kind == KT_FLOAT; }
static bool is_nan(KtValue v) { return v.kind == KT_FLOAT && isnan(v.as.f); }

/* ---- temporal values ---- */

void kt_temporal_parts(KtValue v, KtWide part[KT_TEMPORAL_PARTS])
{
    const KtTemporal *t = v.as.temporal;
    memset(part, 0, KT_TEMPORAL_PARTS * sizeof *part);
    switch ((KtKind)v.kind) {
    case KT_DATE: part[0] = t->days; break;
    case KT_LOCAL_TIME:
        part[0] = t->seconds;
        part[1] = t->nanos;
        break;
    case KT_TIME: /* by the instant, then by the offset */
        part[0] = (KtWide)t->seconds - t->offset_s;
        part[1] = t->nanos;
        part[2] = t->offset_s;
        break;
    case KT_LOCAL_DATETIME:
        part[0] = (KtWide)t->days * 86400 + t->seconds;
        part[1] = t->nanos;
        break;
    case KT_DATETIME:
        part[0] = (KtWide)t->days * 86400 + t->seconds - t->offset_s;
        part[1] = t->nanos;
        part[2] = t->offset_s;
        break;
    case KT_DURATION: /* by its average length (a month is 30.436875 days), then by its parts */
        part[0] = (KtWide)t->months * 2629746 + (KtWide)t->days * 86400 + t->seconds;
        part[1] = t->nanos;
        part[2] = t->months;
        part[3] = t->days;
        break;
    case KT_NULL:
    case KT_BOOL:
    case KT_INT:
    case KT_FLOAT:
    case KT_TEXT:
    case KT_BYTES:
    case KT_LIST:
    case KT_MAP:
    case KT_NODE:
    case KT_REL:
    case KT_PATH:
    case KT_POINT:
    case KT_VECTOR:
    case KT_UUID:
    case KT_KIND_COUNT: KT_CHECK(!"no temporal value");
    }
}

static int order_temporal(KtValue a, KtValue b) /* of one kind */
{
    KtWide pa[KT_TEMPORAL_PARTS], pb[KT_TEMPORAL_PARTS];
    kt_temporal_parts(a, pa);
    kt_temporal_parts(b, pb);
    for (int i = 0; i < KT_TEMPORAL_PARTS; i++) {
        if (pa[i] != pb[i])
            return pa[i] < pb[i] ? -1 : 1;
    }
    if (a.kind != KT_DATETIME)
        return 0;
    KtText za = a.as.temporal->zone, zb = b.as.temporal->zone;
    return kt_bytes_order(za.at, za.len, zb.at, zb.len);
}

/* ---- maps in the order of their keys ---- */

static int order_keys(KtText a, KtText b) { return kt_bytes_order(a.at, a.len, b.at, b.len); }

static int order_positions(const void *a, const void *b, void *entries)
{
    const KtMapEntry *entry = entries;
    return order_keys(entry[*(const uint32_t *)a].key, entry[*(const uint32_t *)b].key);
}

void kt_map_walk_open(KtMapWalk *walk, KtValue map)
{
    walk->map = map;
    walk->next = 0;
    walk->last = NULL;
    walk->order = walk->small;
    walk->sorted = true;
    for (uint32_t i = 1; i < map.len && walk->sorted; i++)
        walk->sorted = order_keys(map.as.map[i - 1].key, map.as.map[i].key) < 0;
    if (walk->sorted)
        return;
    if (map.len > KT_COUNT(walk->small))
        walk->order = malloc(map.len * sizeof *walk->order);
    if (!walk->order)
        return;
    for (uint32_t i = 0; i < map.len; i++)
        walk->order[i] = i;
    void *entries = (void *)(uintptr_t)map.as.map;
    qsort_r(walk->order, map.len, sizeof *walk->order, order_positions, entries);
}

const KtMapEntry *kt_map_walk_next(KtMapWalk *walk)
{
    if (walk->next == walk->map.len)
        return NULL;
    uint32_t i = walk->next++;
    const KtMapEntry *entry = walk->map.as.map;
    if (walk->sorted)
        return &entry[i];
    if (walk->order)
        return &entry[walk->order[i]];
    const KtMapEntry *best = NULL; /* no memory: the smallest key above the last one */
    for (uint32_t k = 0; k < walk->map.len; k++) {
        if (walk->last && order_keys(entry[k].key, walk->last->key) <= 0)
            continue;
        if (!best || order_keys(entry[k].key, best->key) < 0)
            best = &entry[k];
    }
    walk->last = best;
    return best;
}

void kt_map_walk_rewind(KtMapWalk *walk)
{
    walk->next = 0;
    walk->last = NULL;
}

void kt_map_walk_close(KtMapWalk *walk)
{
    if (walk->order != walk->small)
        free(walk->order);
}

/* By the number of entries, then all keys, then the values in the order of the keys. */
static int order_maps(KtValue a, KtValue b)
{
    if (a.len != b.len)
        return order_u64(a.len, b.len);
    KtMapWalk wa, wb;
    kt_map_walk_open(&wa, a);
    kt_map_walk_open(&wb, b);
    int c = 0;
    for (uint32_t i = 0; i < a.len && c == 0; i++)
        c = order_keys(kt_map_walk_next(&wa)->key, kt_map_walk_next(&wb)->key);
    kt_map_walk_rewind(&wa);
    kt_map_walk_rewind(&wb);
    for (uint32_t i = 0; i < a.len && c == 0; i++)
        c = kt_value_order(kt_map_walk_next(&wa)->value, kt_map_walk_next(&wb)->value);
    kt_map_walk_close(&wa);
    kt_map_walk_close(&wb);
    return c;
}

static KtTruth equal_maps(KtValue a, KtValue b)
{
    if (a.len != b.len)
        return KT_FALSE;
    KtMapWalk wa, wb;
    kt_map_walk_open(&wa, a);
    kt_map_walk_open(&wb, b);
    KtTruth all = KT_TRUE;
    bool unknown = false; /* false wins over it */
    for (uint32_t i = 0; i < a.len && all != KT_FALSE; i++) {
        const KtMapEntry *ea = kt_map_walk_next(&wa), *eb = kt_map_walk_next(&wb);
        KtTruth one =
            kt_text_eq(ea->key, eb->key) ? kt_value_equal(ea->value, eb->value) : KT_FALSE;
        if (one == KT_FALSE)
            all = KT_FALSE;
        unknown |= one == KT_UNKNOWN;
    }
    kt_map_walk_close(&wa);
    kt_map_walk_close(&wb);
    return all == KT_TRUE && unknown ? KT_UNKNOWN : all;
}

/* ---- paths, points ---- */

static int order_paths(KtValue a, KtValue b)
{
    uint32_t na = kt_path_rels(a), nb = kt_path_rels(b);
    int c = order_u64(kt_path_node(a, 0), kt_path_node(b, 0));
    for (uint32_t i = 0; c == 0 && i < na && i < nb; i++) {
        c = order_u64(kt_path_rel(a, i), kt_path_rel(b, i));
        if (c == 0)
            c = order_u64(kt_path_node(a, i + 1), kt_path_node(b, i + 1));
    }
    return c ? c : order_u64(na, nb);
}

static int order_points(const KtPoint *a, const KtPoint *b)
{
    int c = order_u64(a->srid, b->srid);
    if (c == 0)
        c = order_u64(a->dims, b->dims);
    for (uint32_t i = 0; c == 0 && i < a->dims && i < 3; i++)
        c = kt_value_order(kt_float(a->at[i]), kt_float(b->at[i]));
    return c;
}

static int order_vectors(KtValue a, KtValue b)
{
    int c = order_u64(a.aux, b.aux);
    return c ? c : kt_bytes_order(a.as.box, a.len, b.as.box, b.len);
}

/* ---- the public four ---- */

KtTruth kt_value_equal(KtValue a, KtValue b)
{
    if (a.kind == KT_NULL || b.kind == KT_NULL)
        return KT_UNKNOWN;
    if (is_number(a) && is_number(b))
        return !is_nan(a) && !is_nan(b) && order_numbers(a, b) == 0 ? KT_TRUE : KT_FALSE;
    if (a.kind != b.kind)
        return KT_FALSE;
    switch ((KtKind)a.kind) {
    case KT_LIST: {
        if (a.len != b.len)
            return KT_FALSE;
        KtTruth all = KT_TRUE;
        for (uint32_t i = 0; i < a.len; i++) {
            KtTruth one = kt_value_equal(a.as.list[i], b.as.list[i]);
            if (one == KT_FALSE)
                return KT_FALSE;
            if (one == KT_UNKNOWN)
                all = KT_UNKNOWN;
        }
        return all;
    }
    case KT_MAP: return equal_maps(a, b);
    case KT_NULL:
    case KT_BOOL:
    case KT_INT:
    case KT_FLOAT:
    case KT_TEXT:
    case KT_BYTES:
    case KT_NODE:
    case KT_REL:
    case KT_PATH:
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION:
    case KT_POINT:
    case KT_VECTOR:
    case KT_UUID:
    case KT_KIND_COUNT: break;
    }
    return kt_value_order(a, b) == 0 ? KT_TRUE : KT_FALSE;
}

bool kt_value_equivalent(KtValue a, KtValue b) { return kt_value_order(a, b) == 0; }

int kt_value_order(KtValue a, KtValue b)
{
    uint8_t ra = kt_value_rank(a), rb = kt_value_rank(b);
    if (ra != rb)
        return ra < rb ? -1 : 1;
    if (ra == KT_RANK_NAN)
        return 0;
    switch ((KtKind)a.kind) {
    case KT_NULL:
    case KT_KIND_COUNT: return 0;
    case KT_BOOL: return (int)a.as.b - (int)b.as.b;
    case KT_INT:
    case KT_FLOAT: return order_numbers(a, b);
    case KT_TEXT:
    case KT_BYTES: return kt_bytes_order(a.as.text, a.len, b.as.text, b.len);
    case KT_LIST:
        for (uint32_t i = 0; i < a.len && i < b.len; i++) {
            int c = kt_value_order(a.as.list[i], b.as.list[i]);
            if (c)
                return c;
        }
        return order_u64(a.len, b.len);
    case KT_MAP: return order_maps(a, b);
    case KT_NODE: return order_u64(kt_value_node_id(a), kt_value_node_id(b));
    case KT_REL: return order_u64(kt_value_rel_id(a), kt_value_rel_id(b));
    case KT_PATH: return order_paths(a, b);
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION: return order_temporal(a, b);
    case KT_POINT: return order_points(a.as.point, b.as.point);
    case KT_VECTOR: return order_vectors(a, b);
    case KT_UUID: return memcmp(a.as.uuid, b.as.uuid, 16);
    }
    return 0;
}

bool kt_value_compare(KtValue a, KtValue b, int *out)
{
    if (is_number(a) && is_number(b)) {
        *out = is_nan(a) || is_nan(b) ? 2 : order_numbers(a, b);
        return true;
    }
    if (a.kind != b.kind)
        return false;
    int c;
    switch ((KtKind)a.kind) {
    case KT_BOOL:
    case KT_TEXT:
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
        c = kt_value_order(a, b);
        *out = (c > 0) - (c < 0);
        return true;
    case KT_LIST: /* the first elements that differ decide, if they can be compared */
        for (uint32_t i = 0; i < a.len && i < b.len; i++) {
            KtValue x = a.as.list[i], y = b.as.list[i];
            if (kt_value_equal(x, y) == KT_TRUE)
                continue;
            if (!kt_value_compare(x, y, &c))
                return false;
            if (c != 0) {
                *out = c;
                return true;
            }
        }
        *out = order_u64(a.len, b.len);
        return true;
    case KT_NULL:
    case KT_INT:
    case KT_FLOAT:
    case KT_BYTES:
    case KT_MAP:
    case KT_NODE:
    case KT_REL:
    case KT_PATH:
    case KT_DURATION:
    case KT_POINT:
    case KT_VECTOR:
    case KT_UUID:
    case KT_KIND_COUNT: break;
    }
    return false;
}

/* ---- hash ---- */

static uint64_t hash_number(KtValue v)
{
    if (v.kind == KT_FLOAT) {
        double f = v.as.f;
        if (!(f >= -0x1p63 && f < 0x1p63 && f == (double)(int64_t)f)) {
            uint64_t bits;
            memcpy(&bits, &f, 8);
            return kt_mix64(bits ^ 0x5bd1e9955bd1e995ULL);
        }
        v = kt_int((int64_t)f);
    }
    return kt_mix64((uint64_t)v.as.i + 0x9e3779b97f4a7c15ULL);
}

static uint64_t fold(uint64_t seed, uint64_t h)
{
    return kt_mix64(seed ^ (h + 0x9e3779b97f4a7c15ULL + (seed << 6)));
}

uint64_t kt_value_hash(KtValue v)
{
    uint8_t rank = kt_value_rank(v);
    uint64_t h = rank;
    switch ((KtKind)v.kind) {
    case KT_NULL:
    case KT_KIND_COUNT: return kt_mix64(h);
    case KT_BOOL: return kt_mix64(h + 1 + (v.as.b ? 1 : 0));
    case KT_INT:
    case KT_FLOAT: return rank == KT_RANK_NAN ? kt_mix64(h) : hash_number(v);
    case KT_TEXT:
    case KT_BYTES: return fold(h, kt_hash(v.as.text, v.len));
    case KT_LIST:
        for (uint32_t i = 0; i < v.len; i++)
            h = fold(h, kt_value_hash(v.as.list[i]));
        return h;
    case KT_MAP: { /* a sum, so that the order of the entries does not matter */
        uint64_t sum = 0;
        for (uint32_t i = 0; i < v.len; i++) {
            const KtMapEntry *e = &v.as.map[i];
            sum += fold(kt_hash(e->key.at, e->key.len), kt_value_hash(e->value));
        }
        return fold(h, sum);
    }
    case KT_NODE: return fold(h, kt_value_node_id(v));
    case KT_REL: return fold(h, kt_value_rel_id(v));
    case KT_PATH: {
        uint32_t n = kt_path_rels(v);
        h = fold(h, kt_path_node(v, 0));
        for (uint32_t i = 0; i < n; i++)
            h = fold(fold(h, kt_path_rel(v, i)), kt_path_node(v, i + 1));
        return h;
    }
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION: {
        KtWide part[KT_TEMPORAL_PARTS];
        kt_temporal_parts(v, part);
        for (int i = 0; i < KT_TEMPORAL_PARTS; i++)
            h = fold(h, (uint64_t)part[i]);
        return h;
    }
    case KT_POINT:
        h = fold(h, v.as.point->srid);
        for (uint32_t i = 0; i < v.as.point->dims && i < 3; i++)
            h = fold(h, kt_value_hash(kt_float(v.as.point->at[i])));
        return h;
    case KT_VECTOR: return fold(h + v.aux, kt_hash(v.as.box, v.len));
    case KT_UUID: return fold(h, kt_hash(v.as.uuid, 16));
    }
    return h;
}
