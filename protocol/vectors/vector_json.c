/* protocol/vectors/vector_json.c - one canonical JSON text for each value, compact, keys in a fixed order. */
#include "protocol/vectors/vector_json.h"

#include "protocol/kmp/fields.h"
#include "protocol/kmp/value_codec.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

KT_PRINTF(2, 3) static void put(KtBuf *out, const char *format, ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    KT_CHECK(n >= 0 && (size_t)n < sizeof text);
    kt_buf_put(out, text, (size_t)n);
}

void kt_vector_hex(KtBuf *out, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        put(out, "%02X", at[i]);
}

static void put_text(KtBuf *out, KtText text)
{
    kt_buf_u8(out, '"');
    for (uint32_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.at[i];
        if (c == '"' || c == '\\')
            put(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            put(out, "\\u%04x", c);
        else
            kt_buf_u8(out, c);
    }
    kt_buf_u8(out, '"');
}

static void put_float(KtBuf *out, double f)
{
    if (isnan(f) || isinf(f)) {
        put(out, "{\"float\":\"%s\"}", isnan(f) ? "NaN" : f > 0 ? "Infinity" : "-Infinity");
        return;
    }
    char text[40];
    (void)snprintf(text, sizeof text, "%.17g", f);
    put(out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void put_entries(KtBuf *out, const KtMapEntry *entry, uint32_t n)
{
    put(out, "{");
    for (uint32_t i = 0; i < n; i++) {
        put(out, i ? "," : "");
        put_text(out, entry[i].key);
        put(out, ":");
        kt_vector_value(out, entry[i].value);
    }
    put(out, "}");
}

static void put_node(KtBuf *out, const KtNodeImage *node)
{
    put(out, "{\"id\":%" PRIu64 ",\"labels\":[", node->id);
    for (uint32_t i = 0; i < node->labels; i++) {
        put(out, i ? "," : "");
        put_text(out, node->label[i]);
    }
    put(out, "],\"props\":");
    put_entries(out, node->prop, node->props);
    put(out, "}");
}

static void put_rel(KtBuf *out, const KtRelImage *rel)
{
    put(out, "{\"id\":%" PRIu64 ",\"start\":%" PRIu64 ",\"end\":%" PRIu64 ",\"type\":", rel->id,
        rel->start, rel->end);
    put_text(out, rel->type);
    put(out, ",\"props\":");
    put_entries(out, rel->prop, rel->props);
    put(out, "}");
}

static void put_path(KtBuf *out, const KtPathImage *path)
{
    put(out, "{\"path\":{\"nodes\":[");
    for (uint32_t i = 0; i <= path->rels; i++) {
        put(out, i ? "," : "");
        put_node(out, path->node[i]);
    }
    put(out, "],\"rels\":[");
    for (uint32_t i = 0; i < path->rels; i++) {
        put(out, i ? "," : "");
        put_rel(out, path->rel[i]);
    }
    put(out, "],\"steps\":[");
    for (uint32_t i = 0; i < path->rels; i++)
        put(out, "%s%s%u", i ? "," : "", path->rel[i]->start == path->node[i]->id ? "" : "-",
            i + 1);
    put(out, "]}}");
}

static void put_seconds(KtBuf *out, const KtTemporal *t)
{
    put(out, "\"seconds\":%" PRId64 ",\"nanos\":%" PRId32,
        t->days * 86400 + t->seconds - t->offset_s, t->nanos);
}

static void put_temporal(KtBuf *out, KtKind kind, const KtTemporal *t)
{
    int64_t nanos = t->seconds * 1000000000 + t->nanos;
    if (kind == KT_DATE) {
        put(out, "{\"date\":{\"days\":%" PRId64 "}}", t->days);
    } else if (kind == KT_LOCAL_TIME) {
        put(out, "{\"local_time\":{\"nanos\":%" PRId64 "}}", nanos);
    } else if (kind == KT_TIME) {
        put(out, "{\"time\":{\"nanos\":%" PRId64 ",\"offset_s\":%" PRId32 "}}", nanos, t->offset_s);
    } else if (kind == KT_LOCAL_DATETIME) {
        put(out, "{\"local_datetime\":{");
        put_seconds(out, t);
        put(out, "}}");
    } else if (kind == KT_DATETIME) {
        put(out, "{\"datetime\":{");
        put_seconds(out, t);
        put(out, ",\"offset_s\":%" PRId32 ",\"zone\":", t->offset_s);
        put_text(out, t->zone);
        put(out, "}}");
    } else {
        put(out, "{\"duration\":{\"months\":%" PRId64 ",\"days\":%" PRId64 ",", t->months, t->days);
        put(out, "\"seconds\":%" PRId64 ",\"nanos\":%" PRId32 "}}", t->seconds, t->nanos);
    }
}

static void put_hex(KtBuf *out, const char *name, const void *bytes, size_t len)
{
    put(out, "{\"%s\":\"", name);
    kt_vector_hex(out, bytes, len);
    put(out, "\"}");
}

void kt_vector_value(KtBuf *out, KtValue value)
{
    switch ((KtKind)value.kind) {
    case KT_NULL: put(out, "null"); return;
    case KT_BOOL: put(out, value.as.b ? "true" : "false"); return;
    case KT_INT: put(out, "%" PRId64, value.as.i); return;
    case KT_FLOAT: put_float(out, value.as.f); return;
    case KT_TEXT: put_text(out, (KtText){value.as.text, value.len}); return;
    case KT_BYTES: put_hex(out, "bytes", value.as.text, value.len); return;
    case KT_LIST:
        put(out, "[");
        for (uint32_t i = 0; i < value.len; i++) {
            put(out, i ? "," : "");
            kt_vector_value(out, value.as.list[i]);
        }
        put(out, "]");
        return;
    case KT_MAP:
        put(out, "{\"map\":");
        put_entries(out, value.as.map, value.len);
        put(out, "}");
        return;
    case KT_NODE:
        put(out, "{\"node\":");
        put_node(out, value.as.node_image);
        put(out, "}");
        return;
    case KT_REL:
        put(out, "{\"rel\":");
        put_rel(out, value.as.rel_image);
        put(out, "}");
        return;
    case KT_PATH: put_path(out, value.as.path_image); return;
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION: put_temporal(out, (KtKind)value.kind, value.as.temporal); return;
    case KT_POINT:
        put(out, "{\"point\":{\"srid\":%" PRIu32 ",\"at\":[", value.as.point->srid);
        for (uint32_t i = 0; i < value.as.point->dims; i++) {
            put(out, i ? "," : "");
            put_float(out, value.as.point->at[i]);
        }
        put(out, "]}}");
        return;
    case KT_VECTOR:
        put(out, "{\"vector\":{\"element\":%u,\"data\":\"", value.aux);
        kt_vector_hex(out, value.as.box, value.len);
        put(out, "\"}}");
        return;
    case KT_UUID: put_hex(out, "uuid", value.as.uuid, 16); return;
    case KT_KIND_COUNT: return;
    }
}

static KtStatus put_body(KtBuf *out, KmpType message, const KmpBody *body, KtArena *arena,
                         KtDiag *diag);

static KtStatus put_raw(KtBuf *out, KmpKey key, const KmpSlot *slot, KtArena *arena, KtDiag *diag)
{
    KtReader in = kt_reader(slot->text.at, slot->text.len);
    KmpBody *inner = kt_arena_alloc(arena, sizeof *inner);
    KT_CHECK(inner);
    if (key == KMP_KEY_POSITION) {
        KtPos at;
        KT_TRY(kt_kmp_position(slot, diag, &at));
        put(out, "{\"offset\":%u,\"line\":%u,\"column\":%u,\"length\":%u}", at.offset, at.line,
            at.column, at.length);
        return KT_OK;
    }
    if (key == KMP_KEY_CAUSE) {
        KT_TRY(kt_kmp_body_decode(KMP_ERROR, &in, arena, diag, inner));
        return put_body(out, KMP_ERROR, inner, arena, diag);
    }
    KtPackToken token; /* notices */
    KT_TRY(kt_unpack_token(&in, diag, &token));
    put(out, "[");
    for (uint32_t i = 0; i < token.len; i++) {
        put(out, i ? "," : "");
        KT_TRY(kt_kmp_body_decode(KMP_NOTICE, &in, arena, diag, inner));
        KT_TRY(put_body(out, KMP_NOTICE, inner, arena, diag));
    }
    put(out, "]");
    return KT_OK;
}

static KtStatus put_slot(KtBuf *out, const KmpField *field, const KmpSlot *slot, KtArena *arena,
                         KtDiag *diag)
{
    switch (field->form) {
    case KMP_UINT: put(out, "%" PRIu64, slot->number); return KT_OK;
    case KMP_BOOL: put(out, slot->number ? "true" : "false"); return KT_OK;
    case KMP_TEXT_: put_text(out, slot->text); return KT_OK;
    case KMP_BIN: put_hex(out, "bytes", slot->text.at, slot->text.len); return KT_OK;
    case KMP_MAP: kt_vector_value(out, slot->map); return KT_OK;
    case KMP_RAW: return put_raw(out, (KmpKey)field->key, slot, arena, diag);
    case KMP_TEXTS:
    case KMP_UINTS:
        put(out, "[");
        for (uint32_t i = 0; i < slot->n; i++) {
            put(out, i ? "," : "");
            if (field->form == KMP_TEXTS)
                put_text(out, slot->texts[i]);
            else
                put(out, "%" PRIu64, slot->numbers[i]);
        }
        put(out, "]");
        return KT_OK;
    }
    return KT_ERR_INTERNAL;
}

static KtStatus put_body(KtBuf *out, KmpType message, const KmpBody *body, KtArena *arena,
                         KtDiag *diag)
{
    bool first = true;
    put(out, "{");
    for (uint32_t key = 0; key < KMP_KEY_COUNT; key++) {
        const KmpField *field = kt_kmp_field(message, key);
        if (!field || !body->slot[key].seen)
            continue;
        put(out, "%s\"%s\":", first ? "" : ",", kt_kmp_key_name((KmpKey)key));
        first = false;
        KT_TRY(put_slot(out, field, &body->slot[key], arena, diag));
    }
    put(out, "}");
    return KT_OK;
}

static KtStatus put_rows(KtBuf *out, const KmpMessage *message, KtArena *arena, KtDiag *diag)
{
    KtReader in = kt_reader(message->payload, message->header.length);
    KtValue rows;
    KT_TRY(kt_kmp_value_decode(&in, arena, diag, &rows));
    kt_vector_value(out, rows);
    return KT_OK;
}

KtStatus kt_vector_message(KtBuf *out, const KmpMessage *message, KtArena *arena, KtDiag *diag)
{
    KmpType type = (KmpType)message->header.type;
    put(out, "{\"type\":\"%s\",\"flags\":%u,\"request\":%" PRIu32 ",\"body\":",
        kt_kmp_type_name((uint8_t)type, NULL), message->header.flags, message->header.request);
    if (type == KMP_ROWS) {
        KT_TRY(put_rows(out, message, arena, diag));
    } else {
        KmpBody *body = kt_arena_alloc(arena, sizeof *body);
        KT_CHECK(body);
        KT_TRY(kt_kmp_payload_decode(type, message->payload, message->header.length, arena, diag,
                                     body));
        KT_TRY(put_body(out, type, body, arena, diag));
    }
    put(out, "}");
    return KT_OK;
}
