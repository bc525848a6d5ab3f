/* storage/txn/change_record.c - the bytes of a change record. */
#include "storage/txn/change_record.h"

#include "base/hash.h"
#include "storage/record.h"

/* ---- writing ---- */

/* kind1, varint length, bytes as in a record; a null is its kind alone. */
static KtStatus put_value(KtBuf *out, KtValue value)
{
    kt_buf_u8(out, value.kind);
    if (kt_is_null(value))
        return kt_buf_status(out);
    KtBuf bytes = {.budget = out->budget};
    KtStatus status = kt_value_encode(&bytes, value);
    if (status == KT_OK) {
        kt_buf_varint(out, bytes.len);
        kt_buf_put(out, bytes.data, bytes.len);
        status = kt_buf_status(out);
    }
    kt_buf_close(&bytes);
    return status;
}

static void put_text(KtBuf *out, KtText text)
{
    kt_buf_varint(out, text.len);
    kt_buf_put(out, text.at, text.len);
}

static void put_labels(KtBuf *out, const KtChange *change)
{
    kt_buf_varint(out, change->labels);
    for (uint32_t i = 0; i < change->labels; i++)
        kt_buf_varint(out, change->label[i]);
}

static KtStatus put_props(KtBuf *out, const KtChange *change)
{
    kt_buf_varint(out, change->props);
    for (uint32_t i = 0; i < change->props; i++) {
        kt_buf_varint(out, change->prop[i].key);
        KT_TRY(put_value(out, change->prop[i].value));
    }
    return kt_buf_status(out);
}

KtStatus kt_change_put(KtBuf *payload, const KtChange *change)
{
    kt_buf_u8(payload, (uint8_t)change->kind);
    switch (change->kind) {
    case KT_CHANGE_NAME:
        kt_buf_u8(payload, change->sub);
        kt_buf_varint(payload, change->token);
        put_text(payload, change->text);
        break;
    case KT_CHANGE_NODE_ADD:
    case KT_CHANGE_NODE_DEL:
        kt_buf_varint(payload, change->id);
        put_labels(payload, change);
        KT_TRY(put_props(payload, change));
        break;
    case KT_CHANGE_REL_ADD:
    case KT_CHANGE_REL_DEL:
        kt_buf_varint(payload, change->id);
        kt_buf_varint(payload, change->token);
        kt_buf_varint(payload, change->start);
        kt_buf_varint(payload, change->end);
        KT_TRY(put_props(payload, change));
        break;
    case KT_CHANGE_NODE_PROP:
    case KT_CHANGE_REL_PROP:
        kt_buf_varint(payload, change->id);
        kt_buf_varint(payload, change->token);
        KT_TRY(put_value(payload, change->before));
        KT_TRY(put_value(payload, change->after));
        break;
    case KT_CHANGE_LABEL_ADD:
    case KT_CHANGE_LABEL_DEL:
    case KT_CHANGE_INDEX_FILL:
        kt_buf_varint(payload, change->id);
        kt_buf_varint(payload, change->token);
        break;
    case KT_CHANGE_INDEX_PUT:
    case KT_CHANGE_INDEX_DROP:
        kt_buf_varint(payload, change->id);
        kt_buf_u8(payload, change->sub);
        kt_buf_u8(payload, change->unique ? 1 : 0);
        kt_buf_varint(payload, change->token);
        kt_buf_varint(payload, change->key);
        put_text(payload, change->text);
        break;
    }
    return kt_buf_status(payload);
}

KtStatus kt_change_record_put(KtBuf *out, KtRecordHeader *header, KtSpan payload,
                              uint8_t digest[KT_DIGEST_SIZE])
{
    if (payload.len > UINT32_MAX)
        return KT_ERR_TRANSACTION_TOO_LARGE;
    header->payload_len = (uint32_t)payload.len;
    kt_hash128(payload.at, payload.len, header->payload_digest);
    size_t start = out->len;
    kt_buf_u8(out, KT_RECORD_FORMAT);
    kt_buf_le64(out, header->epoch);
    kt_buf_le64(out, header->first);
    kt_buf_le64(out, header->last);
    kt_buf_le64(out, (uint64_t)header->utc_us);
    kt_buf_le64(out, header->log_at);
    kt_buf_le32(out, header->payload_len);
    kt_buf_put(out, header->payload_digest, KT_DIGEST_SIZE);
    kt_buf_put(out, header->previous, KT_DIGEST_SIZE);
    KT_TRY(kt_buf_status(out));
    KT_CHECK(out->len - start == KT_RECORD_HEADER);
    kt_hash128(out->data + start, KT_RECORD_HEADER, digest);
    kt_buf_put(out, payload.at, payload.len);
    return kt_buf_status(out);
}

/* ---- reading ---- */

KtStatus kt_record_header_get(KtSpan bytes, KtRecordHeader *out, uint8_t digest[KT_DIGEST_SIZE])
{
    KtReader r = kt_reader(bytes.at, bytes.len);
    uint8_t format = kt_read_u8(&r);
    if (r.bad)
        return KT_ERR_CORRUPTION;
    if (format != KT_RECORD_FORMAT)
        return format > KT_RECORD_FORMAT ? KT_ERR_STORE_FORMAT : KT_ERR_CORRUPTION;
    KtRecordHeader header = {.epoch = kt_read_le64(&r)};
    header.first = kt_read_le64(&r);
    header.last = kt_read_le64(&r);
    header.utc_us = (int64_t)kt_read_le64(&r);
    header.log_at = kt_read_le64(&r);
    header.payload_len = kt_read_le32(&r);
    const uint8_t *payload = kt_read_bytes(&r, KT_DIGEST_SIZE);
    const uint8_t *previous = kt_read_bytes(&r, KT_DIGEST_SIZE);
    if (r.bad || header.last < header.first)
        return KT_ERR_CORRUPTION;
    memcpy(header.payload_digest, payload, KT_DIGEST_SIZE);
    memcpy(header.previous, previous, KT_DIGEST_SIZE);
    kt_hash128(bytes.at, KT_RECORD_HEADER, digest);
    *out = header;
    return KT_OK;
}

static uint32_t get_u32(KtReader *r)
{
    uint64_t v = kt_read_varint(r);
    if (v > UINT32_MAX)
        r->bad = true;
    return (uint32_t)v;
}

/* A count of things of at least one byte each: bounded by what is left before anything is allocated. */
static uint32_t get_count(KtReader *r)
{
    uint32_t n = get_u32(r);
    if (n > kt_reader_left(r))
        r->bad = true;
    return r->bad ? 0 : n;
}

static KtText get_text(KtReader *r)
{
    uint32_t len = get_count(r);
    const uint8_t *at = kt_read_bytes(r, len);
    return at ? (KtText){(const char *)at, len} : (KtText){NULL, 0};
}

static KtStatus get_value(KtReader *r, KtArena *arena, KtValue *out)
{
    uint8_t kind = kt_read_u8(r);
    if (r->bad)
        return KT_ERR_CORRUPTION;
    if (kind == KT_NULL) {
        *out = kt_null();
        return KT_OK;
    }
    KtText bytes = get_text(r);
    if (r->bad)
        return KT_ERR_CORRUPTION;
    return kt_value_decode(kind, kt_span(bytes.at, bytes.len), arena, out);
}

static KtStatus get_labels(KtReader *r, KtArena *arena, KtChange *change)
{
    uint32_t n = get_count(r);
    KtToken *label = kt_arena_alloc(arena, (size_t)n * sizeof *label);
    if (!label)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        label[i] = get_u32(r);
        if (i > 0 && label[i] <= label[i - 1])
            r->bad = true;
    }
    change->labels = n;
    change->label = label;
    return r->bad ? KT_ERR_CORRUPTION : KT_OK;
}

static KtStatus get_props(KtReader *r, KtArena *arena, KtChange *change)
{
    uint32_t n = get_count(r);
    KtProp *prop = kt_arena_alloc(arena, (size_t)n * sizeof *prop);
    if (!prop)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        prop[i].key = get_u32(r);
        KT_TRY(get_value(r, arena, &prop[i].value));
        if (kt_is_null(prop[i].value) || (i > 0 && prop[i].key <= prop[i - 1].key))
            return KT_ERR_CORRUPTION;
    }
    change->props = n;
    change->prop = prop;
    return r->bad ? KT_ERR_CORRUPTION : KT_OK;
}

static KtStatus get_change(KtReader *r, KtArena *arena, KtChange *out)
{
    uint8_t kind = kt_read_u8(r);
    if (r->bad || kind < KT_CHANGE_NAME || kind > KT_CHANGE_INDEX_FILL)
        return KT_ERR_CORRUPTION;
    KtChange change = {.kind = (KtChangeKind)kind, .before = kt_null(), .after = kt_null()};
    switch (change.kind) {
    case KT_CHANGE_NAME:
        change.sub = kt_read_u8(r);
        change.token = get_u32(r);
        change.text = get_text(r);
        if (change.sub < KT_NAME_LABEL || change.sub > KT_NAME_KEY)
            r->bad = true;
        break;
    case KT_CHANGE_NODE_ADD:
    case KT_CHANGE_NODE_DEL:
        change.id = kt_read_varint(r);
        KT_TRY(get_labels(r, arena, &change));
        KT_TRY(get_props(r, arena, &change));
        break;
    case KT_CHANGE_REL_ADD:
    case KT_CHANGE_REL_DEL:
        change.id = kt_read_varint(r);
        change.token = get_u32(r);
        change.start = kt_read_varint(r);
        change.end = kt_read_varint(r);
        KT_TRY(get_props(r, arena, &change));
        break;
    case KT_CHANGE_NODE_PROP:
    case KT_CHANGE_REL_PROP:
        change.id = kt_read_varint(r);
        change.token = get_u32(r);
        KT_TRY(get_value(r, arena, &change.before));
        KT_TRY(get_value(r, arena, &change.after));
        break;
    case KT_CHANGE_LABEL_ADD:
    case KT_CHANGE_LABEL_DEL:
    case KT_CHANGE_INDEX_FILL:
        change.id = kt_read_varint(r);
        change.token = get_u32(r);
        break;
    case KT_CHANGE_INDEX_PUT:
    case KT_CHANGE_INDEX_DROP:
        change.id = get_u32(r);
        change.sub = kt_read_u8(r);
        change.unique = kt_read_u8(r) != 0;
        change.token = get_u32(r);
        change.key = get_u32(r);
        change.text = get_text(r);
        if (change.sub != KT_INDEX_BUILDING && change.sub != KT_INDEX_ONLINE)
            r->bad = true;
        break;
    }
    if (r->bad)
        return KT_ERR_CORRUPTION;
    *out = change;
    return KT_OK;
}

KtStatus kt_change_record_get(KtSpan bytes, KtArena *arena, KtChangeRecord *out)
{
    KtChangeRecord record = {.n = 0};
    KT_TRY(kt_record_header_get(bytes, &record.header, record.digest));
    if (bytes.len - KT_RECORD_HEADER != record.header.payload_len)
        return KT_ERR_CORRUPTION;
    uint8_t digest[KT_DIGEST_SIZE];
    kt_hash128(bytes.at + KT_RECORD_HEADER, record.header.payload_len, digest);
    if (memcmp(digest, record.header.payload_digest, KT_DIGEST_SIZE) != 0)
        return KT_ERR_CORRUPTION;
    KtReader r = kt_reader(bytes.at + KT_RECORD_HEADER, record.header.payload_len);
    KtChange *change = NULL;
    uint32_t cap = 0;
    for (KtCommit member = record.header.first;; member++) {
        uint32_t n = get_count(&r);
        if (r.bad)
            return KT_ERR_CORRUPTION;
        for (uint32_t i = 0; i < n; i++) {
            void *items = change;
            KT_TRY(kt_arena_grow(arena, &items, record.n, &cap, sizeof *change));
            change = items;
            KT_TRY(get_change(&r, arena, &change[record.n]));
            record.n++;
        }
        if (member == record.header.last)
            break;
    }
    if (r.bad || kt_reader_left(&r) != 0)
        return KT_ERR_CORRUPTION;
    record.change = change;
    *out = record;
    return KT_OK;
}
