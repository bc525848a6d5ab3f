/* protocol/kmp/value_ext.c - values in msgpack extensions: entities as one array each, the others as
 * fixed big-endian layouts that need no parsing. */
#include "base/utf8.h"
#include "protocol/kmp/value_internal.h"

enum { DAY_S = 86400, NANO = 1000000000, OFFSET_MOST = 18 * 3600 };

/* ---- encoding ---- */

static KtStatus put_node(KtBuf *out, const KtNodeImage *node, KtDiag *diag, uint32_t depth)
{
    kt_pack_array(out, 3);
    kt_pack_uint(out, node->id);
    kt_pack_array(out, node->labels);
    for (uint32_t i = 0; i < node->labels; i++)
        kt_pack_text(out, node->label[i]);
    return kt_kmp_encode_entries(out, node->prop, node->props, diag, depth);
}

static KtStatus put_rel(KtBuf *out, const KtRelImage *rel, KtDiag *diag, uint32_t depth)
{
    kt_pack_array(out, 5);
    kt_pack_uint(out, rel->id);
    kt_pack_uint(out, rel->start);
    kt_pack_uint(out, rel->end);
    kt_pack_text(out, rel->type);
    return kt_kmp_encode_entries(out, rel->prop, rel->props, diag, depth);
}

static KtStatus put_path(KtBuf *out, const KtPathImage *path, KtDiag *diag, uint32_t depth)
{
    kt_pack_array(out, 3);
    kt_pack_array(out, path->rels + 1);
    for (uint32_t i = 0; i <= path->rels; i++)
        KT_TRY(put_node(out, path->node[i], diag, depth));
    kt_pack_array(out, path->rels);
    for (uint32_t i = 0; i < path->rels; i++)
        KT_TRY(put_rel(out, path->rel[i], diag, depth));
    kt_pack_array(out, path->rels);
    for (uint32_t i = 0; i < path->rels; i++) {
        int64_t place = (int64_t)i + 1;
        kt_pack_int(out, path->rel[i]->start == path->node[i]->id ? place : -place);
    }
    return KT_OK;
}

static KtStatus too_far(KtDiag *diag, const char *what)
{
    return kt_diag_set(diag, KT_ERR_NUMBER_OUT_OF_RANGE, NULL,
                       "A %s is too far from 1970 for the protocol.", what);
}

static KtStatus epoch_seconds(const KtTemporal *t, int64_t minus, KtDiag *diag, const char *what,
                              int64_t *out)
{
    int64_t s = 0;
    if (__builtin_mul_overflow(t->days, (int64_t)DAY_S, &s) ||
        __builtin_add_overflow(s, t->seconds, &s) || __builtin_sub_overflow(s, minus, &s))
        return too_far(diag, what);
    *out = s;
    return KT_OK;
}

static KtStatus put_temporal(KtBuf *out, KtKind kind, const KtTemporal *t, KtDiag *diag)
{
    uint8_t b[28];
    int64_t s = 0;
    switch (kind) {
    case KT_DATE:
        if (t->days < INT32_MIN || t->days > INT32_MAX)
            return too_far(diag, "Date");
        kt_store_be32(b, (uint32_t)t->days);
        kt_pack_ext(out, KMP_EXT_DATE, b, 4);
        return KT_OK;
    case KT_LOCAL_TIME:
        kt_store_be64(b, (uint64_t)(t->seconds * NANO + t->nanos));
        kt_pack_ext(out, KMP_EXT_LOCAL_TIME, b, 8);
        return KT_OK;
    case KT_TIME:
        kt_store_be64(b, (uint64_t)(t->seconds * NANO + t->nanos));
        kt_store_be32(b + 8, (uint32_t)t->offset_s);
        kt_pack_ext(out, KMP_EXT_TIME, b, 12);
        return KT_OK;
    case KT_LOCAL_DATETIME:
        KT_TRY(epoch_seconds(t, 0, diag, "LocalDateTime", &s));
        kt_store_be64(b, (uint64_t)s);
        kt_store_be32(b + 8, (uint32_t)t->nanos);
        kt_pack_ext(out, KMP_EXT_LOCAL_DATETIME, b, 12);
        return KT_OK;
    case KT_DATETIME: {
        KT_TRY(epoch_seconds(t, t->offset_s, diag, "DateTime", &s));
        size_t start = out->len;
        kt_buf_be64(out, (uint64_t)s);
        kt_buf_be32(out, (uint32_t)t->nanos);
        kt_buf_be32(out, (uint32_t)t->offset_s);
        kt_buf_put(out, t->zone.at, t->zone.len);
        kt_pack_ext_around(out, start, KMP_EXT_DATETIME);
        return KT_OK;
    }
    case KT_DURATION:
        kt_store_be64(b, (uint64_t)t->months);
        kt_store_be64(b + 8, (uint64_t)t->days);
        kt_store_be64(b + 16, (uint64_t)t->seconds);
        kt_store_be32(b + 24, (uint32_t)t->nanos);
        kt_pack_ext(out, KMP_EXT_DURATION, b, 28);
        return KT_OK;
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
    case KT_KIND_COUNT: break;
    }
    return KT_ERR_INTERNAL;
}

static void put_point(KtBuf *out, const KtPoint *point)
{
    uint8_t b[28];
    kt_store_be32(b, point->srid);
    for (uint32_t i = 0; i < point->dims; i++) {
        uint64_t bits;
        memcpy(&bits, &point->at[i], sizeof bits);
        kt_store_be64(b + 4 + 8 * i, bits);
    }
    kt_pack_ext(out, KMP_EXT_POINT, b, 4 + 8 * point->dims);
}

KtStatus kt_kmp_ext_encode(KtBuf *out, KtValue value, KtDiag *diag, uint32_t depth)
{
    KtKind kind = (KtKind)value.kind;
    size_t start = out->len;
    if (kind == KT_NODE || kind == KT_REL || kind == KT_PATH) {
        if (!(value.flags & KT_VALUE_IMAGE))
            return kt_diag_set(diag, KT_ERR_INTERNAL, NULL,
                               "A %s without its names was to be sent.", kt_kind_name(kind));
        if (kind == KT_NODE) {
            KT_TRY(put_node(out, value.as.node_image, diag, depth + 2));
            kt_pack_ext_around(out, start, KMP_EXT_NODE);
        } else if (kind == KT_REL) {
            KT_TRY(put_rel(out, value.as.rel_image, diag, depth + 2));
            kt_pack_ext_around(out, start, KMP_EXT_REL);
        } else {
            KT_TRY(put_path(out, value.as.path_image, diag, depth + 2));
            kt_pack_ext_around(out, start, KMP_EXT_PATH);
        }
        return KT_OK;
    }
    if (kind == KT_POINT) {
        put_point(out, value.as.point);
        return KT_OK;
    }
    if (kind == KT_VECTOR) {
        kt_buf_u8(out, (uint8_t)value.aux);
        kt_buf_put(out, value.as.box, value.len);
        kt_pack_ext_around(out, start, KMP_EXT_VECTOR);
        return KT_OK;
    }
    if (kind == KT_UUID) {
        kt_pack_ext(out, KMP_EXT_UUID, value.as.uuid, 16);
        return KT_OK;
    }
    return put_temporal(out, kind, value.as.temporal, diag);
}

/* ---- decoding entities ---- */

static KtStatus no_memory(KmpDecoder *d)
{
    return kt_diag_set(d->diag, KT_ERR_MEMORY, NULL,
                       "No memory, or above the limit, for a received value.");
}

static KtStatus get_id(KmpDecoder *d, uint64_t *out)
{
    KtPackToken token;
    KT_TRY(kt_kmp_token(d, &token));
    if (token.kind == KT_TOKEN_INT && token.as.i >= 0)
        *out = (uint64_t)token.as.i;
    else if (token.kind == KT_TOKEN_UINT)
        *out = token.as.u;
    else
        return kt_kmp_invalid(d->diag, "An id must be a whole number of at least 0.");
    return KT_OK;
}

/* Opens an array of exactly `n`; its elements are not owed, since their readers follow at once. */
static KtStatus get_array(KmpDecoder *d, uint32_t n, const char *what)
{
    KtPackToken token;
    KT_TRY(kt_kmp_token(d, &token));
    if (token.kind != KT_TOKEN_ARRAY || token.len != n)
        return kt_diag_set(d->diag, KT_ERR_INVALID_VALUE, NULL, "A %s must be an array of %u.",
                           what, n);
    return KT_OK;
}

static KtStatus get_props(KmpDecoder *d, const KtMapEntry **prop, uint32_t *n)
{
    KtPackToken token;
    KT_TRY(kt_kmp_token(d, &token));
    if (token.kind != KT_TOKEN_MAP)
        return kt_kmp_invalid(d->diag, "Properties must be a map.");
    *n = token.len;
    d->depth++;
    KT_TRY(kt_kmp_entries(d, token.len, prop));
    d->depth--;
    return KT_OK;
}

static KtStatus get_node(KmpDecoder *d, const KtNodeImage **out)
{
    KT_TRY(get_array(d, 3, "Node"));
    KtNodeImage *node = kt_arena_zero(d->arena, 1, sizeof *node);
    if (!node)
        return no_memory(d);
    KT_TRY(get_id(d, &node->id));
    KT_TRY(kt_kmp_list(d, "Labels", &node->labels));
    KtText *label = kt_arena_alloc(d->arena, (size_t)node->labels * sizeof *label);
    if (!label)
        return no_memory(d);
    for (uint32_t i = 0; i < node->labels; i++) {
        d->owed--;
        KT_TRY(kt_kmp_text(d, "A label", &label[i]));
    }
    node->label = label;
    KT_TRY(get_props(d, &node->prop, &node->props));
    *out = node;
    return KT_OK;
}

static KtStatus get_rel(KmpDecoder *d, const KtRelImage **out)
{
    KT_TRY(get_array(d, 5, "Relationship"));
    KtRelImage *rel = kt_arena_zero(d->arena, 1, sizeof *rel);
    if (!rel)
        return no_memory(d);
    KT_TRY(get_id(d, &rel->id));
    KT_TRY(get_id(d, &rel->start));
    KT_TRY(get_id(d, &rel->end));
    KT_TRY(kt_kmp_text(d, "A relationship type", &rel->type));
    KT_TRY(get_props(d, &rel->prop, &rel->props));
    *out = rel;
    return KT_OK;
}

/* Joins the steps to what they name: step i leads from node i to node i + 1 along relationship |step|. */
static KtStatus get_steps(KmpDecoder *d, const KtNodeImage *const *node, uint32_t nodes,
                          const KtRelImage *const *rel, uint32_t rels, const KtPathImage **out)
{
    uint32_t steps;
    KT_TRY(kt_kmp_list(d, "The steps of a Path", &steps));
    if (nodes == 0 || steps != nodes - 1)
        return kt_kmp_invalid(d->diag, "A Path must have one node more than steps.");
    KtPathImage *path = kt_arena_alloc(d->arena, sizeof *path);
    const KtRelImage **along = kt_arena_alloc(d->arena, (size_t)steps * sizeof *along);
    if (!path || !along)
        return no_memory(d);
    for (uint32_t i = 0; i < steps; i++) {
        KtPackToken token;
        d->owed--;
        KT_TRY(kt_kmp_token(d, &token));
        int64_t step = token.kind == KT_TOKEN_INT ? token.as.i : 0;
        if (step == 0 || step > (int64_t)rels || step < -(int64_t)rels)
            return kt_kmp_invalid(
                d->diag,
                "A step of a Path must be the place of one of its relationships, counted from 1.");
        const KtRelImage *r = rel[(step < 0 ? -step : step) - 1];
        uint64_t from = step > 0 ? r->start : r->end, to = step > 0 ? r->end : r->start;
        if (from != node[i]->id || to != node[i + 1]->id)
            return kt_kmp_invalid(d->diag,
                                  "A step of a Path does not lead from its node to the next.");
        along[i] = r;
    }
    *path = (KtPathImage){.rels = steps, .node = node, .rel = along};
    *out = path;
    return KT_OK;
}

static KtStatus get_path(KmpDecoder *d, const KtPathImage **out)
{
    uint32_t nodes, rels;
    KT_TRY(get_array(d, 3, "Path"));
    KT_TRY(kt_kmp_list(d, "The nodes of a Path", &nodes));
    const KtNodeImage **node = kt_arena_alloc(d->arena, (size_t)nodes * sizeof *node);
    if (!node)
        return no_memory(d);
    for (uint32_t i = 0; i < nodes; i++) {
        d->owed--;
        KT_TRY(get_node(d, &node[i]));
    }
    KT_TRY(kt_kmp_list(d, "The relationships of a Path", &rels));
    const KtRelImage **rel = kt_arena_alloc(d->arena, (size_t)rels * sizeof *rel);
    if (!rel)
        return no_memory(d);
    for (uint32_t i = 0; i < rels; i++) {
        d->owed--;
        KT_TRY(get_rel(d, &rel[i]));
    }
    return get_steps(d, node, nodes, rel, rels, out);
}

/* The body is a world of its own: bytes, and nothing owed outside of it. */
static KtStatus decode_entity(KmpDecoder *outer, const KtPackToken *token, KtValue *out)
{
    KmpDecoder d = {.in = kt_reader(token->body, token->len),
                    .arena = outer->arena,
                    .diag = outer->diag,
                    .depth = outer->depth};
    KtValue value = {.flags = KT_VALUE_IMAGE};
    if (token->ext == KMP_EXT_NODE) {
        value.kind = KT_NODE;
        KT_TRY(get_node(&d, &value.as.node_image));
    } else if (token->ext == KMP_EXT_REL) {
        value.kind = KT_REL;
        KT_TRY(get_rel(&d, &value.as.rel_image));
    } else {
        value.kind = KT_PATH;
        KT_TRY(get_path(&d, &value.as.path_image));
    }
    if (kt_reader_left(&d.in) != 0)
        return kt_kmp_invalid(d.diag, "Bytes are left over behind an entity.");
    *out = value;
    return KT_OK;
}

/* ---- decoding fixed layouts ---- */

static KtStatus wrong_layout(KmpDecoder *d, const KtPackToken *token, const char *what)
{
    return kt_diag_set(d->diag, KT_ERR_INVALID_VALUE, NULL,
                       "A %s of %u bytes, or with a field out of range, came.", what, token->len);
}

static void split_seconds(int64_t s, KtTemporal *t)
{
    t->days = s / DAY_S;
    t->seconds = s % DAY_S;
    if (t->seconds < 0) {
        t->seconds += DAY_S;
        t->days--;
    }
}

static bool split_nanos_of_day(uint64_t nanos, KtTemporal *t)
{
    t->seconds = (int64_t)(nanos / NANO);
    t->nanos = (int32_t)(nanos % NANO);
    return nanos < (uint64_t)DAY_S * NANO;
}

static bool good_offset(int32_t offset) { return offset >= -OFFSET_MOST && offset <= OFFSET_MOST; }

static bool read_datetime(KtReader *in, KtTemporal *t)
{
    int64_t s = (int64_t)kt_read_be64(in);
    uint32_t nanos = kt_read_be32(in);
    t->offset_s = (int32_t)kt_read_be32(in);
    if (in->bad || nanos >= NANO || !good_offset(t->offset_s) ||
        __builtin_add_overflow(s, (int64_t)t->offset_s, &s))
        return false;
    split_seconds(s, t);
    t->nanos = (int32_t)nanos;
    uint32_t zone = (uint32_t)kt_reader_left(in);
    t->zone = (KtText){(const char *)kt_read_bytes(in, zone), zone};
    return kt_utf8_valid(t->zone.at, zone);
}

/* msgpack's timestamp: 4, 8 or 12 bytes. */
static bool read_timestamp(KtReader *in, uint32_t len, KtTemporal *t)
{
    int64_t s = 0;
    uint64_t nanos = 0;
    if (len == 4) {
        s = kt_read_be32(in);
    } else if (len == 8) {
        uint64_t both = kt_read_be64(in);
        nanos = both >> 34;
        s = (int64_t)(both & 0x3FFFFFFFFULL);
    } else {
        nanos = kt_read_be32(in);
        s = (int64_t)kt_read_be64(in);
    }
    split_seconds(s, t);
    t->nanos = (int32_t)nanos;
    return !in->bad && nanos < NANO && kt_reader_left(in) == 0;
}

static bool read_temporal(const KtPackToken *token, KtTemporal *t, KtKind *kind)
{
    KtReader in = kt_reader(token->body, token->len);
    bool good = true;
    switch (token->ext) {
    case KMP_EXT_DATE:
        *kind = KT_DATE;
        t->days = (int32_t)kt_read_be32(&in);
        break;
    case KMP_EXT_LOCAL_TIME:
        *kind = KT_LOCAL_TIME;
        good = split_nanos_of_day(kt_read_be64(&in), t);
        break;
    case KMP_EXT_TIME:
        *kind = KT_TIME;
        good = split_nanos_of_day(kt_read_be64(&in), t);
        t->offset_s = (int32_t)kt_read_be32(&in);
        good = good && good_offset(t->offset_s);
        break;
    case KMP_EXT_LOCAL_DATETIME: {
        *kind = KT_LOCAL_DATETIME;
        split_seconds((int64_t)kt_read_be64(&in), t);
        uint32_t nanos = kt_read_be32(&in);
        good = nanos < NANO;
        t->nanos = good ? (int32_t)nanos : 0;
        break;
    }
    case KMP_EXT_DATETIME:
        *kind = KT_DATETIME;
        good = read_datetime(&in, t);
        break;
    case KMP_EXT_TIMESTAMP:
        *kind = KT_DATETIME;
        good = read_timestamp(&in, token->len, t);
        break;
    default: { /* KMP_EXT_DURATION */
        *kind = KT_DURATION;
        t->months = (int64_t)kt_read_be64(&in);
        t->days = (int64_t)kt_read_be64(&in);
        t->seconds = (int64_t)kt_read_be64(&in);
        uint32_t nanos = kt_read_be32(&in);
        good = nanos < NANO;
        t->nanos = good ? (int32_t)nanos : 0;
        break;
    }
    }
    return good && !in.bad && kt_reader_left(&in) == 0;
}

static KtStatus decode_temporal(KmpDecoder *d, const KtPackToken *token, KtValue *out)
{
    KtTemporal *t = kt_arena_zero(d->arena, 1, sizeof *t);
    KtKind kind = KT_NULL;
    if (!t)
        return no_memory(d);
    t->zone.at = "";
    if (!read_temporal(token, t, &kind))
        return wrong_layout(d, token, kt_kind_name(kind));
    *out = (KtValue){.kind = (uint8_t)kind, .as.temporal = t};
    return KT_OK;
}

static KtStatus decode_point(KmpDecoder *d, const KtPackToken *token, KtValue *out)
{
    KtPoint *point = kt_arena_zero(d->arena, 1, sizeof *point);
    if (!point)
        return no_memory(d);
    KtReader in = kt_reader(token->body, token->len);
    point->srid = kt_read_be32(&in);
    point->dims = point->srid == 4326 || point->srid == 7203   ? 2
                  : point->srid == 4979 || point->srid == 9157 ? 3
                                                               : 0;
    for (uint32_t i = 0; i < point->dims; i++) {
        uint64_t bits = kt_read_be64(&in);
        memcpy(&point->at[i], &bits, sizeof bits);
    }
    if (in.bad || point->dims == 0 || kt_reader_left(&in) != 0)
        return wrong_layout(d, token, "Point");
    *out = (KtValue){.kind = KT_POINT, .as.point = point};
    return KT_OK;
}

static KtStatus decode_vector(KmpDecoder *d, const KtPackToken *token, KtValue *out)
{
    static const uint8_t width[] = {0, 4, 8, 1, 2, 4, 8};
    uint8_t element = token->len > 0 ? token->body[0] : 0;
    if (element == 0 || element >= KT_COUNT(width) || (token->len - 1) % width[element] != 0)
        return wrong_layout(d, token, "Vector");
    void *data = kt_arena_alloc(d->arena, token->len - 1); /* aligned for its elements */
    if (!data)
        return no_memory(d);
    memcpy(data, token->body + 1, token->len - 1);
    *out = (KtValue){.kind = KT_VECTOR, .aux = element, .len = token->len - 1, .as.box = data};
    return KT_OK;
}

KtStatus kt_kmp_ext_decode(KmpDecoder *d, const KtPackToken *token, KtValue *out)
{
    switch (token->ext) {
    case KMP_EXT_NODE:
    case KMP_EXT_REL:
    case KMP_EXT_PATH: return decode_entity(d, token, out);
    case KMP_EXT_TIMESTAMP:
    case KMP_EXT_DATE:
    case KMP_EXT_LOCAL_TIME:
    case KMP_EXT_TIME:
    case KMP_EXT_LOCAL_DATETIME:
    case KMP_EXT_DATETIME:
    case KMP_EXT_DURATION: return decode_temporal(d, token, out);
    case KMP_EXT_POINT: return decode_point(d, token, out);
    case KMP_EXT_VECTOR: return decode_vector(d, token, out);
    case KMP_EXT_UUID:
        if (token->len != 16)
            return wrong_layout(d, token, "UUID");
        *out = (KtValue){.kind = KT_UUID, .as.uuid = token->body};
        return KT_OK;
    default:
        return kt_diag_set(d->diag, KT_ERR_INVALID_VALUE, NULL,
                           "A value of the unknown extension type %d came.", token->ext);
    }
}
