/* storage/meta.c - encoders and decoders of the meta family. */
#include "storage/meta.h"

void kt_meta_key(KtBuf *key, KtMetaKind kind) { kt_buf_u8(key, (uint8_t)kind); }

static KtReader value_reader(const void *value, size_t len)
{
    KtReader r = kt_reader(value, len);
    if (kt_read_u8(&r) != KT_META_VALUE_FORMAT)
        r.bad = true;
    return r;
}

static bool at_end(const KtReader *r) { return !r->bad && kt_reader_left(r) == 0; }

static void read_digest(KtReader *r, uint8_t out[KT_DIGEST_SIZE])
{
    const uint8_t *at = kt_read_bytes(r, KT_DIGEST_SIZE);
    if (at)
        memcpy(out, at, KT_DIGEST_SIZE);
}

/* The store's format stands first and its form never changes, so that every later build can name it. */
void kt_meta_put_format(KtBuf *value, const KtMetaFormat *format)
{
    kt_buf_u8(value, KT_META_VALUE_FORMAT);
    kt_buf_le32(value, format->format);
    kt_buf_put(value, format->uuid, sizeof format->uuid);
}

bool kt_meta_get_format(const void *value, size_t len, KtMetaFormat *out)
{
    KtReader r = value_reader(value, len);
    KtMetaFormat format = {.format = kt_read_le32(&r)};
    const uint8_t *uuid = kt_read_bytes(&r, sizeof format.uuid);
    if (!uuid)
        return false;
    memcpy(format.uuid, uuid, sizeof format.uuid);
    *out = format;
    return true;
}

void kt_meta_put_state(KtBuf *value, const KtMetaState *state)
{
    kt_buf_u8(value, KT_META_VALUE_FORMAT);
    kt_buf_le64(value, state->commit);
    kt_buf_le64(value, (uint64_t)state->utc_us);
    kt_buf_le64(value, state->epoch);
    kt_buf_le64(value, state->log_end);
    kt_buf_put(value, state->digest, KT_DIGEST_SIZE);
    kt_buf_le64(value, state->next_node);
    kt_buf_le64(value, state->next_rel);
    kt_buf_le64(value, state->nodes);
    kt_buf_le64(value, state->rels);
    kt_buf_le64(value, state->schema_version);
    kt_buf_le32(value, state->next_index);
}

bool kt_meta_get_state(const void *value, size_t len, KtMetaState *out)
{
    KtReader r = value_reader(value, len);
    KtMetaState state = {.commit = kt_read_le64(&r)};
    state.utc_us = (int64_t)kt_read_le64(&r);
    state.epoch = kt_read_le64(&r);
    state.log_end = kt_read_le64(&r);
    read_digest(&r, state.digest);
    state.next_node = kt_read_le64(&r);
    state.next_rel = kt_read_le64(&r);
    state.nodes = kt_read_le64(&r);
    state.rels = kt_read_le64(&r);
    state.schema_version = kt_read_le64(&r);
    state.next_index = kt_read_le32(&r);
    if (!at_end(&r))
        return false;
    *out = state;
    return true;
}

void kt_meta_put_stop(KtBuf *value, const KtMetaStop *stop)
{
    kt_buf_u8(value, KT_META_VALUE_FORMAT);
    kt_buf_le64(value, stop->commit);
}

bool kt_meta_get_stop(const void *value, size_t len, KtMetaStop *out)
{
    KtReader r = value_reader(value, len);
    KtMetaStop stop = {.commit = kt_read_le64(&r)};
    if (!at_end(&r))
        return false;
    *out = stop;
    return true;
}

void kt_meta_put_log(KtBuf *value, const KtMetaLog *log)
{
    kt_buf_u8(value, KT_META_VALUE_FORMAT);
    kt_buf_le64(value, log->first);
    kt_buf_put(value, log->digest, KT_DIGEST_SIZE);
}

bool kt_meta_get_log(const void *value, size_t len, KtMetaLog *out)
{
    KtReader r = value_reader(value, len);
    KtMetaLog log = {.first = kt_read_le64(&r)};
    read_digest(&r, log.digest);
    if (!at_end(&r))
        return false;
    *out = log;
    return true;
}

/* ---- counts and names: kind1, then token4 or the name ---- */

static bool get_kind_token(const void *key, size_t len, KtMetaKind meta, KtNameKind *kind,
                           KtToken *token)
{
    KtReader r = kt_reader(key, len);
    uint8_t first = kt_read_u8(&r), second = kt_read_u8(&r);
    uint32_t number = kt_read_be32(&r);
    if (!at_end(&r) || first != (uint8_t)meta || second < KT_NAME_LABEL || second > KT_NAME_KEY)
        return false;
    *kind = (KtNameKind)second;
    *token = number;
    return true;
}

static void put_kind_token(KtBuf *key, KtMetaKind meta, KtNameKind kind, KtToken token)
{
    kt_buf_u8(key, (uint8_t)meta);
    kt_buf_u8(key, (uint8_t)kind);
    kt_buf_be32(key, token);
}

void kt_meta_key_count(KtBuf *key, KtNameKind kind, KtToken token)
{
    put_kind_token(key, KT_META_COUNT, kind, token);
}

void kt_meta_put_count(KtBuf *value, uint64_t count)
{
    kt_buf_u8(value, KT_META_VALUE_FORMAT);
    kt_buf_le64(value, count);
}

bool kt_meta_get_count_key(const void *key, size_t len, KtNameKind *kind, KtToken *token)
{
    return get_kind_token(key, len, KT_META_COUNT, kind, token);
}

bool kt_meta_get_count(const void *value, size_t len, uint64_t *out)
{
    KtReader r = value_reader(value, len);
    uint64_t count = kt_read_le64(&r);
    if (!at_end(&r))
        return false;
    *out = count;
    return true;
}

void kt_meta_key_name(KtBuf *key, KtNameKind kind, KtToken token)
{
    put_kind_token(key, KT_META_NAME, kind, token);
}

void kt_meta_put_name(KtBuf *value, KtText name)
{
    kt_buf_u8(value, KT_META_VALUE_FORMAT);
    kt_buf_put(value, name.at, name.len);
}

bool kt_meta_get_name_key(const void *key, size_t len, KtNameKind *kind, KtToken *token)
{
    return get_kind_token(key, len, KT_META_NAME, kind, token);
}

bool kt_meta_get_name(const void *value, size_t len, KtText *out)
{
    KtReader r = value_reader(value, len);
    if (r.bad)
        return false;
    *out = (KtText){(const char *)r.at, (uint32_t)kt_reader_left(&r)};
    return true;
}

void kt_meta_key_token(KtBuf *key, KtNameKind kind, KtText name)
{
    kt_buf_u8(key, KT_META_TOKEN);
    kt_buf_u8(key, (uint8_t)kind);
    kt_buf_put(key, name.at, name.len);
}

void kt_meta_put_token(KtBuf *value, KtToken token)
{
    kt_buf_u8(value, KT_META_VALUE_FORMAT);
    kt_buf_le32(value, token);
}

/* ---- indexes ---- */

void kt_meta_key_index(KtBuf *key, uint32_t id)
{
    kt_buf_u8(key, KT_META_INDEX);
    kt_buf_be32(key, id);
}

void kt_meta_put_index(KtBuf *value, const KtMetaIndex *index)
{
    kt_buf_u8(value, KT_META_VALUE_FORMAT);
    kt_buf_u8(value, (uint8_t)index->state);
    kt_buf_u8(value, index->unique ? 1 : 0);
    kt_buf_le32(value, index->label);
    kt_buf_le32(value, index->key);
    kt_buf_put(value, index->name.at, index->name.len);
}

bool kt_meta_get_index(const void *key, size_t key_len, const void *value, size_t len,
                       KtMetaIndex *out)
{
    KtReader k = kt_reader(key, key_len);
    if (kt_read_u8(&k) != KT_META_INDEX)
        return false;
    KtMetaIndex index = {.id = kt_read_be32(&k)};
    KtReader r = value_reader(value, len);
    uint8_t state = kt_read_u8(&r), unique = kt_read_u8(&r);
    index.label = kt_read_le32(&r);
    index.key = kt_read_le32(&r);
    if (!at_end(&k) || r.bad || unique > 1 ||
        (state != KT_INDEX_BUILDING && state != KT_INDEX_ONLINE))
        return false;
    index.state = (KtIndexState)state;
    index.unique = unique != 0;
    index.name = (KtText){(const char *)r.at, (uint32_t)kt_reader_left(&r)};
    *out = index;
    return true;
}

/* ---- split lists ---- */

enum { BOUND_SIZE = 16 };

void kt_meta_key_split(KtBuf *key, KtNodeId node, uint8_t dir, KtToken type)
{
    kt_buf_u8(key, KT_META_SPLIT);
    kt_buf_be64(key, node);
    kt_buf_u8(key, dir);
    kt_buf_be32(key, type);
}

void kt_meta_put_split(KtBuf *value, const KtMetaBound *bound, uint32_t n)
{
    kt_buf_u8(value, KT_META_VALUE_FORMAT);
    for (uint32_t i = 0; i < n; i++) {
        kt_buf_le64(value, bound[i].nbr);
        kt_buf_le64(value, bound[i].rel);
    }
}

bool kt_meta_get_split_key(const void *key, size_t len, KtNodeId *node, uint8_t *dir, KtToken *type)
{
    KtReader r = kt_reader(key, len);
    if (kt_read_u8(&r) != KT_META_SPLIT)
        return false;
    uint64_t id = kt_read_be64(&r);
    uint8_t direction = kt_read_u8(&r);
    uint32_t token = kt_read_be32(&r);
    if (!at_end(&r) || (direction != KT_OUT && direction != KT_IN))
        return false;
    *node = id;
    *dir = direction;
    *type = token;
    return true;
}

uint32_t kt_meta_split_count(const void *value, size_t len)
{
    KtReader r = value_reader(value, len);
    size_t left = kt_reader_left(&r);
    if (r.bad || left % BOUND_SIZE != 0 || left / BOUND_SIZE > UINT32_MAX)
        return 0;
    return (uint32_t)(left / BOUND_SIZE);
}

KtMetaBound kt_meta_split_at(const void *value, uint32_t i)
{
    KtReader r = kt_reader((const uint8_t *)value + 1 + (size_t)i * BOUND_SIZE, BOUND_SIZE);
    KtMetaBound bound = {.nbr = kt_read_le64(&r)};
    bound.rel = kt_read_le64(&r);
    return bound;
}
