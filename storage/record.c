/* storage/record.c - records of nodes and relationships, and the bytes of property values. */
#include "storage/record.h"

enum { HEAD = 6, ENTRY = 8, MOST_PAYLOAD = (1 << 24) - 1 };

/* ---- values ---- */

static KtStatus storable_scalar(KtKind kind)
{
    switch (kind) {
    case KT_BOOL:
    case KT_INT:
    case KT_FLOAT:
    case KT_TEXT:
    case KT_BYTES: return KT_OK;
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION:
    case KT_POINT:
    case KT_VECTOR:
    case KT_UUID: return KT_ERR_NOT_SUPPORTED;
    case KT_NULL:
    case KT_LIST:
    case KT_MAP:
    case KT_NODE:
    case KT_REL:
    case KT_PATH:
    case KT_KIND_COUNT: return KT_ERR_INVALID_PROPERTY_TYPE;
    }
    return KT_ERR_INVALID_PROPERTY_TYPE;
}

KtStatus kt_value_storable(KtValue value)
{
    KT_CHECK(value.kind != KT_NULL);
    if (value.kind != KT_LIST)
        return storable_scalar((KtKind)value.kind);
    for (uint32_t i = 0; i < value.len; i++) {
        KT_TRY(storable_scalar((KtKind)value.as.list[i].kind));
        if (value.as.list[i].kind != value.as.list[0].kind)
            return KT_ERR_INVALID_PROPERTY_TYPE;
    }
    return KT_OK;
}

/* Bytes that an integer needs when the highest one carries the sign; none for 0. */
static uint32_t int_bytes(int64_t i)
{
    if (i == 0)
        return 0;
    uint64_t magnitude = i < 0 ? ~(uint64_t)i : (uint64_t)i;
    uint32_t bits = magnitude ? 65 - (uint32_t)__builtin_clzll(magnitude) : 1;
    return (bits + 7) / 8;
}

static void put_list(KtBuf *out, KtValue list)
{
    kt_buf_u8(out, list.len ? list.as.list[0].kind : KT_NULL);
    kt_buf_varint(out, list.len);
    for (uint32_t i = 0; i < list.len; i++) {
        KtValue item = list.as.list[i];
        if (item.kind == KT_BOOL) {
            kt_buf_u8(out, item.as.b);
        } else if (item.kind == KT_INT) {
            kt_buf_varint(out, kt_zigzag(item.as.i));
        } else if (item.kind == KT_FLOAT) {
            kt_buf_put(out, &item.as.f, 8);
        } else {
            kt_buf_varint(out, item.len);
            kt_buf_put(out, item.as.text, item.len);
        }
    }
}

KtStatus kt_value_encode(KtBuf *out, KtValue value)
{
    KT_TRY(kt_value_storable(value));
    size_t before = out->len;
    if (value.kind == KT_BOOL)
        kt_buf_u8(out, value.as.b);
    else if (value.kind == KT_INT)
        kt_buf_put(out, &value.as.i, int_bytes(value.as.i));
    else if (value.kind == KT_FLOAT)
        kt_buf_put(out, &value.as.f, 8);
    else if (value.kind == KT_LIST)
        put_list(out, value);
    else
        kt_buf_put(out, value.as.text, value.len);
    if (out->failed) {
        out->len = before;
        return KT_ERR_MEMORY;
    }
    return KT_OK;
}

static KtStatus get_list(KtSpan bytes, KtArena *arena, KtValue *out)
{
    KtReader r = kt_reader(bytes.at, bytes.len);
    uint8_t kind = kt_read_u8(&r);
    uint64_t n = kt_read_varint(&r);
    size_t least = kind == KT_FLOAT ? 8 : 1; /* bytes of the smallest element */
    if (r.bad || n > kt_reader_left(&r) / least)
        return KT_ERR_CORRUPTION;
    if (n == 0) {
        *out = kt_list(NULL, 0);
        return kind != KT_NULL || kt_reader_left(&r) ? KT_ERR_CORRUPTION : KT_OK;
    }
    if (kind == KT_NULL || kind >= KT_KIND_COUNT || storable_scalar((KtKind)kind) != KT_OK)
        return KT_ERR_CORRUPTION;
    KtValue *item = kt_arena_alloc(arena, (size_t)n * sizeof *item);
    if (!item)
        return KT_ERR_MEMORY;
    for (uint64_t i = 0; i < n && !r.bad; i++) {
        if (kind == KT_BOOL) {
            uint8_t b = kt_read_u8(&r);
            if (b > 1)
                r.bad = true;
            item[i] = kt_bool(b == 1);
        } else if (kind == KT_INT) {
            item[i] = kt_int((int64_t)kt_unzigzag(kt_read_varint(&r)));
        } else if (kind == KT_FLOAT) {
            uint64_t word = kt_read_le64(&r);
            double f;
            memcpy(&f, &word, 8);
            item[i] = kt_float(f);
        } else {
            uint64_t len = kt_read_varint(&r);
            const uint8_t *text = len > kt_reader_left(&r) ? NULL : kt_read_bytes(&r, (size_t)len);
            if (!text)
                r.bad = true;
            item[i] = (KtValue){.kind = kind, .len = (uint32_t)len, .as.text = (const char *)text};
        }
    }
    if (r.bad || kt_reader_left(&r))
        return KT_ERR_CORRUPTION;
    *out = kt_list(item, (uint32_t)n);
    return KT_OK;
}

KtStatus kt_value_decode(uint8_t kind, KtSpan bytes, KtArena *arena, KtValue *out)
{
    if (bytes.len > UINT32_MAX)
        return KT_ERR_CORRUPTION;
    switch (kind) {
    case KT_BOOL:
        if (bytes.len != 1 || bytes.at[0] > 1)
            return KT_ERR_CORRUPTION;
        *out = kt_bool(bytes.at[0]);
        return KT_OK;
    case KT_INT: {
        if (bytes.len > 8)
            return KT_ERR_CORRUPTION;
        int64_t i = bytes.len > 0 && (bytes.at[bytes.len - 1] & 0x80) ? -1 : 0;
        if (bytes.len > 0)
            memcpy(&i, bytes.at, bytes.len);
        *out = kt_int(i);
        return KT_OK;
    }
    case KT_FLOAT: {
        double f;
        if (bytes.len != 8)
            return KT_ERR_CORRUPTION;
        memcpy(&f, bytes.at, 8);
        *out = kt_float(f);
        return KT_OK;
    }
    case KT_TEXT:
    case KT_BYTES:
        *out =
            (KtValue){.kind = kind, .len = (uint32_t)bytes.len, .as.text = (const char *)bytes.at};
        return KT_OK;
    case KT_LIST: return get_list(bytes, arena, out);
    default: /* a number from disk, not one of our enums */ return KT_ERR_CORRUPTION;
    }
}

KtStatus kt_value_encode_out(KtBuf *out, KtValue value)
{
    size_t before = out->len;
    kt_buf_u8(out, KT_FMT_VALUE);
    kt_buf_u8(out, value.kind);
    KtStatus status = kt_value_encode(out, value);
    if (status != KT_OK)
        out->len = before;
    return status;
}

KtStatus kt_value_decode_out(KtSpan bytes, KtArena *arena, KtValue *out)
{
    if (bytes.len < 2 || bytes.at[0] != KT_FMT_VALUE)
        return KT_ERR_CORRUPTION;
    return kt_value_decode(bytes.at[1], kt_span(bytes.at + 2, bytes.len - 2), arena, out);
}

/* ---- records ---- */

static void put_entry(uint8_t *entry, KtToken key, uint8_t kind, size_t end)
{
    memcpy(entry, &key, 4);
    entry[4] = kind;
    entry[5] = (uint8_t)end;
    entry[6] = (uint8_t)(end >> 8);
    entry[7] = (uint8_t)(end >> 16);
}

/* Appends the values and fills the entries at `entries` (an offset: the buffer moves). */
static KtStatus put_props(KtBuf *out, size_t entries, const KtProp *prop, uint32_t props,
                          const KtRecordSpill *spill)
{
    size_t payload = out->len;
    for (uint32_t i = 0; i < props; i++) {
        KT_CHECK(i == 0 || prop[i - 1].key < prop[i].key);
        size_t at = out->len;
        uint8_t kind = prop[i].value.kind;
        KT_TRY(kt_value_encode(out, prop[i].value));
        if (out->len - at > KT_RECORD_INLINE) {
            out->len = at;
            KT_CHECK(spill);
            KtBuf big = {0};
            KtStatus status = kt_value_encode_out(&big, prop[i].value);
            if (status == KT_OK)
                status = spill->put(spill->user, prop[i].key, kt_span(big.data, big.len));
            kt_buf_close(&big);
            KT_TRY(status);
            kind |= KT_RECORD_OUT;
        }
        if (out->len - payload > MOST_PAYLOAD)
            return KT_ERR_LIST_TOO_LONG;
        put_entry(out->data + entries + (size_t)i * ENTRY, prop[i].key, kind, out->len - payload);
    }
    return KT_OK;
}

KtStatus kt_record_encode(KtBuf *out, const KtToken *label, uint32_t labels, const KtProp *prop,
                          uint32_t props, const KtRecordSpill *spill)
{
    if (labels > UINT16_MAX || props > UINT16_MAX)
        return KT_ERR_LIST_TOO_LONG;
    size_t before = out->len;
    kt_buf_u8(out, KT_FMT_RECORD);
    kt_buf_u8(out, 0);
    kt_buf_le16(out, (uint16_t)labels);
    kt_buf_le16(out, (uint16_t)props);
    for (uint32_t i = 0; i < labels; i++) {
        KT_CHECK(i == 0 || label[i - 1] < label[i]);
        kt_buf_le32(out, label[i]);
    }
    size_t entries = out->len;
    KtStatus status = KT_ERR_MEMORY;
    if (kt_buf_reserve(out, (size_t)props * ENTRY + 1) && !out->failed) {
        out->len += (size_t)props * ENTRY;
        status = put_props(out, entries, prop, props, spill);
    }
    if (status != KT_OK)
        out->len = before;
    return status;
}

KtStatus kt_record_open(KtSpan bytes, KtRecord *out)
{
    if (bytes.len < HEAD || bytes.at[0] != KT_FMT_RECORD || bytes.at[1] != 0)
        return KT_ERR_CORRUPTION;
    uint16_t labels, props;
    memcpy(&labels, bytes.at + 2, 2);
    memcpy(&props, bytes.at + 4, 2);
    size_t fixed = HEAD + (size_t)labels * 4 + (size_t)props * ENTRY;
    if (bytes.len < fixed || bytes.len - fixed > MOST_PAYLOAD)
        return KT_ERR_CORRUPTION;
    *out = (KtRecord){
        .labels = labels,
        .props = props,
        .label = bytes.at + HEAD,
        .entry = bytes.at + HEAD + (size_t)labels * 4,
        .payload = bytes.at + fixed,
        .payload_len = (uint32_t)(bytes.len - fixed),
    };
    return KT_OK;
}

bool kt_record_has_label(const KtRecord *record, KtToken label)
{
    /* Nodes have a few labels: a walk beats a search. */
    for (uint32_t i = 0; i < record->labels; i++)
        if (kt_record_label(record, i) == label)
            return true;
    return false;
}

static KtToken entry_key(const KtRecord *record, uint32_t i)
{
    KtToken key;
    memcpy(&key, record->entry + (size_t)i * ENTRY, 4);
    return key;
}

static uint32_t entry_end(const KtRecord *record, uint32_t i)
{
    const uint8_t *entry = record->entry + (size_t)i * ENTRY;
    return (uint32_t)entry[5] | (uint32_t)entry[6] << 8 | (uint32_t)entry[7] << 16;
}

KtStatus kt_record_at(const KtRecord *record, uint32_t i, KtRecordValue *out)
{
    uint32_t start = i ? entry_end(record, i - 1) : 0, end = entry_end(record, i);
    uint8_t kind = record->entry[(size_t)i * ENTRY + 4];
    bool away = kind & KT_RECORD_OUT;
    if (start > end || end > record->payload_len || (away && start != end))
        return KT_ERR_CORRUPTION;
    *out = (KtRecordValue){
        .kind = kind & (uint8_t)~KT_RECORD_OUT,
        .out_of_line = away,
        .key = entry_key(record, i),
        .bytes = kt_span(record->payload + start, end - start),
    };
    return KT_OK;
}

KtStatus kt_record_find(const KtRecord *record, KtToken key, KtRecordValue *out, bool *found)
{
    uint32_t low = 0, high = record->props;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (entry_key(record, middle) < key)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == record->props || entry_key(record, low) != key) {
        *found = false;
        return KT_OK;
    }
    KT_TRY(kt_record_at(record, low, out));
    *found = true;
    return KT_OK;
}

static KtStatus verify_props(const KtRecord *record, KtArena *arena)
{
    for (uint32_t i = 0; i < record->props; i++) {
        KtRecordValue at;
        KtValue value;
        KT_TRY(kt_record_at(record, i, &at));
        if (i > 0 && entry_key(record, i - 1) >= at.key)
            return KT_ERR_CORRUPTION;
        if (at.out_of_line)
            continue;
        if (at.bytes.len > KT_RECORD_INLINE)
            return KT_ERR_CORRUPTION;
        KT_TRY(kt_value_decode(at.kind, at.bytes, arena, &value));
    }
    uint32_t end = record->props ? entry_end(record, record->props - 1) : 0;
    return end == record->payload_len ? KT_OK : KT_ERR_CORRUPTION;
}

KtStatus kt_record_verify(KtSpan bytes)
{
    KtRecord record;
    KT_TRY(kt_record_open(bytes, &record));
    for (uint32_t i = 1; i < record.labels; i++)
        if (kt_record_label(&record, i - 1) >= kt_record_label(&record, i))
            return KT_ERR_CORRUPTION;
    KtArena *arena;
    KT_TRY(kt_arena_open(NULL, &arena));
    KtStatus status = verify_props(&record, arena);
    kt_arena_close(arena);
    return status;
}
