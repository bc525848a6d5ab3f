/* base/key.c - values as bytes in Cypher's order.
 *
 * Every value's key delimits itself: no key is the beginning of another one, so keys may follow each
 * other. The forms, after the byte of the class (base/value_internal.h):
 *   number    BE64 ordered double, BE16 0x8000 + residual (an integer is its nearest double plus at most 512)
 *   text      bytes with 00 as 00 FF, then 00 00
 *   list      the elements' keys, then 00, which is below every class
 *   map       BE32 count, the keys as texts in order, then the values in that order
 *   node, rel BE64 id; path: BE64 node, (01, BE64 rel, BE64 node) for each step, 00
 * Source for the ordered form of doubles: sign-magnitude to two's order, as in FoundationDB tuples. */
#include "base/key.h"

#include "base/hash.h"
#include "base/value_internal.h"

#include <math.h>

enum { KT_INDEX_TEXT_MOST = 200 };

static uint64_t ordered_bits(double f)
{
    uint64_t bits;
    if (isnan(f)) /* in a point; a number of its own has its own class */
        return UINT64_MAX;
    if (f == 0)
        f = 0; /* -0.0 */
    memcpy(&bits, &f, 8);
    return bits >> 63 ? ~bits : bits | 0x8000000000000000ULL;
}

static void put_number(KtBuf *out, KtValue v)
{
    double nearest = v.kind == KT_INT ? (double)v.as.i : v.as.f;
    int residual = 0;
    bool exact = v.kind != KT_INT || (v.as.i <= (1LL << 53) && v.as.i >= -(1LL << 53));
    if (!exact)
        residual = (int)((KtWide)v.as.i - (KtWide)nearest);
    uint8_t *at = kt_buf_reserve(out, 11);
    if (!at)
        return;
    uint16_t rest = (uint16_t)(0x8000 + residual);
    at[0] = KT_RANK_NUMBER;
    kt_store_be64(at + 1, ordered_bits(nearest));
    at[9] = (uint8_t)(rest >> 8);
    at[10] = (uint8_t)rest;
    out->len += 11;
}

/* Escapes without an end. */
static void put_escaped(KtBuf *out, const char *text, size_t len)
{
    while (len > 0) {
        const char *zero = memchr(text, 0, len);
        size_t plain = zero ? (size_t)(zero - text) + 1 : len;
        kt_buf_put(out, text, plain);
        if (zero)
            kt_buf_u8(out, 0xFF);
        text += plain;
        len -= plain;
    }
}

static void put_text(KtBuf *out, const char *text, size_t len)
{
    put_escaped(out, text, len);
    kt_buf_be16(out, 0);
}

static void put_wide(KtBuf *out, KtWide v)
{
    kt_buf_be64(out, (uint64_t)(v >> 64) ^ 0x8000000000000000ULL);
    kt_buf_be64(out, (uint64_t)v);
}

static void put_map(KtBuf *out, KtValue map)
{
    KtMapWalk walk;
    const KtMapEntry *entry;
    kt_buf_be32(out, map.len);
    kt_map_walk_open(&walk, map);
    while ((entry = kt_map_walk_next(&walk)))
        put_text(out, entry->key.at, entry->key.len);
    kt_map_walk_rewind(&walk);
    while ((entry = kt_map_walk_next(&walk)))
        kt_key_put(out, entry->value);
    kt_map_walk_close(&walk);
}

static void put_temporal(KtBuf *out, KtValue v)
{
    KtWide part[KT_TEMPORAL_PARTS];
    kt_temporal_parts(v, part);
    for (int i = 0; i < KT_TEMPORAL_PARTS; i++)
        put_wide(out, part[i]);
    if (v.kind == KT_DATETIME)
        put_text(out, v.as.temporal->zone.at, v.as.temporal->zone.len);
}

void kt_key_put(KtBuf *out, KtValue v)
{
    uint8_t rank = kt_value_rank(v);
    if (rank == KT_RANK_NUMBER) {
        put_number(out, v);
        return;
    }
    kt_buf_u8(out, rank);
    switch ((KtKind)v.kind) {
    case KT_NULL:
    case KT_INT:
    case KT_FLOAT: /* NaN */
    case KT_KIND_COUNT: break;
    case KT_BOOL: kt_buf_u8(out, v.as.b ? 1 : 0); break;
    case KT_TEXT:
    case KT_BYTES: put_text(out, v.as.text, v.len); break;
    case KT_LIST:
        for (uint32_t i = 0; i < v.len; i++)
            kt_key_put(out, v.as.list[i]);
        kt_buf_u8(out, KT_RANK_END);
        break;
    case KT_MAP: put_map(out, v); break;
    case KT_NODE: kt_buf_be64(out, kt_value_node_id(v)); break;
    case KT_REL: kt_buf_be64(out, kt_value_rel_id(v)); break;
    case KT_PATH:
        kt_buf_be64(out, kt_path_node(v, 0));
        for (uint32_t i = 0; i < kt_path_rels(v); i++) {
            kt_buf_u8(out, 1);
            kt_buf_be64(out, kt_path_rel(v, i));
            kt_buf_be64(out, kt_path_node(v, i + 1));
        }
        kt_buf_u8(out, 0);
        break;
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION: put_temporal(out, v); break;
    case KT_POINT:
        kt_buf_be32(out, v.as.point->srid);
        kt_buf_be32(out, v.as.point->dims);
        for (uint32_t i = 0; i < v.as.point->dims && i < 3; i++)
            kt_buf_be64(out, ordered_bits(v.as.point->at[i]));
        break;
    case KT_VECTOR:
        kt_buf_be16(out, v.aux);
        put_text(out, v.as.box, v.len);
        break;
    case KT_UUID: kt_buf_put(out, v.as.uuid, 16); break;
    }
}

void kt_key_put_descending(KtBuf *out, KtValue v)
{
    size_t from = out->len;
    kt_key_put(out, v);
    for (size_t i = from; i < out->len; i++)
        out->data[i] = (uint8_t)~out->data[i];
}

bool kt_key_put_index(KtBuf *out, KtValue v)
{
    if (v.kind == KT_TEXT && v.len > KT_INDEX_TEXT_MOST) {
        uint8_t digest[16];
        kt_hash128(v.as.text, v.len, digest);
        kt_buf_u8(out, KT_RANK_TEXT);
        put_escaped(out, v.as.text, KT_INDEX_TEXT_MOST);
        kt_buf_be16(out, 1);
        kt_buf_put(out, digest, sizeof digest);
        return true;
    }
    if (v.kind != KT_BOOL && v.kind != KT_INT && v.kind != KT_FLOAT && v.kind != KT_TEXT)
        return false;
    kt_key_put(out, v);
    return true;
}

bool kt_key_never_equal(KtValue v)
{
    if (v.kind == KT_NULL)
        return true;
    if (v.kind == KT_FLOAT)
        return isnan(v.as.f);
    if (v.kind == KT_LIST) {
        for (uint32_t i = 0; i < v.len; i++) {
            if (kt_key_never_equal(v.as.list[i]))
                return true;
        }
    }
    if (v.kind == KT_MAP) {
        for (uint32_t i = 0; i < v.len; i++) {
            if (kt_key_never_equal(v.as.map[i].value))
                return true;
        }
    }
    return false;
}
