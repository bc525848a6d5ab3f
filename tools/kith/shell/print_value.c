/* tools/kith/shell/print_value.c - one value as bare text, as JSON, and its width on a terminal. */
#include "tools/kith/shell/shell.h"

#include "base/utf8.h"
#include "base/value_text.h"

#include <inttypes.h>
#include <math.h>
#include <wchar.h>

size_t kt_shell_width(const char *text, size_t len)
{
    size_t width = 0;
    for (size_t i = 0; i < len; i += kt_utf8_step(text[i])) {
        int w = wcwidth((wchar_t)kt_utf8_decode(text + i));
        width += w > 0 ? (size_t)w : 0;
    }
    return width;
}

static void put_literal(KtBuf *out, const kith_value *value)
{
    size_t len = kith_print(value, NULL, 0);
    char *room = (char *)kt_buf_reserve(out, len + 1);
    if (!room)
        return;
    (void)kith_print(value, room, len + 1);
    out->len += len;
}

void kt_shell_text(KtBuf *out, const kith_value *value)
{
    const char *text;
    size_t len;
    if (kith_as_text(value, &text, &len))
        kt_buf_put(out, text, len);
    else
        put_literal(out, value);
}

/* ---- JSON ---- */

static void put(KtBuf *out, const char *text) { kt_buf_put(out, text, strlen(text)); }

static void put_string(KtBuf *out, const char *text, size_t len)
{
    kt_buf_u8(out, '"');
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        char escape[8];
        if (c == '"' || c == '\\') {
            kt_buf_u8(out, '\\');
            kt_buf_u8(out, c);
        } else if (c == '\n') {
            put(out, "\\n");
        } else if (c < 0x20 || c == 0x7F) {
            (void)snprintf(escape, sizeof escape, "\\u%04x", c);
            put(out, escape);
        } else {
            kt_buf_u8(out, c);
        }
    }
    kt_buf_u8(out, '"');
}

static void put_number(KtBuf *out, const char *name, uint64_t n)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%s%" PRIu64, name, n);
    put(out, text);
}

static void put_float(KtBuf *out, double f)
{
    char text[32];
    size_t len = kt_float_print(f, text);
    if (isfinite(f))
        kt_buf_put(out, text, len);
    else
        put_string(out, text, len); /* JSON has no NaN and no infinity */
}

static void put_map(KtBuf *out, const kith_value *value)
{
    put(out, "{");
    for (uint32_t i = 0; i < kith_count(value); i++) {
        size_t len;
        const char *key = kith_key(value, i, &len);
        put(out, i ? "," : "");
        put_string(out, key, len);
        put(out, ":");
        kt_shell_json(out, kith_item(value, i));
    }
    put(out, "}");
}

static void put_node(KtBuf *out, const kith_value *node)
{
    uint64_t id = 0;
    (void)kith_id(node, &id);
    put_number(out, "{\"id\":", id);
    put(out, ",\"labels\":[");
    for (uint32_t i = 0; i < kith_labels(node); i++) {
        size_t len;
        const char *label = kith_label(node, i, &len);
        put(out, i ? "," : "");
        put_string(out, label, len);
    }
    put(out, "],\"properties\":");
    put_map(out, node);
    put(out, "}");
}

static void put_rel(KtBuf *out, const kith_value *rel)
{
    uint64_t id = 0, start = 0, end = 0;
    size_t len;
    const char *type = kith_rel_type(rel, &len);
    (void)kith_id(rel, &id);
    (void)kith_rel_ends(rel, &start, &end);
    put_number(out, "{\"id\":", id);
    put(out, ",\"type\":");
    put_string(out, type, len);
    put_number(out, ",\"start\":", start);
    put_number(out, ",\"end\":", end);
    put(out, ",\"properties\":");
    put_map(out, rel);
    put(out, "}");
}

static void put_path(KtBuf *out, const kith_value *path)
{
    kith_slot slot;
    put(out, "{\"nodes\":[");
    for (uint32_t i = 0; i <= kith_count(path); i++) {
        put(out, i ? "," : "");
        put_node(out, kith_path_node(path, i, &slot));
    }
    put(out, "],\"relationships\":[");
    for (uint32_t i = 0; i < kith_count(path); i++) {
        put(out, i ? "," : "");
        put_rel(out, kith_path_rel(path, i, &slot));
    }
    put(out, "]}");
}

static void put_hex(KtBuf *out, const kith_value *value)
{
    static const char digit[] = "0123456789abcdef";
    const void *bytes;
    size_t len;
    (void)kith_as_bytes(value, &bytes, &len);
    kt_buf_u8(out, '"');
    for (size_t i = 0; i < len; i++) {
        kt_buf_u8(out, (uint8_t)digit[((const uint8_t *)bytes)[i] >> 4]);
        kt_buf_u8(out, (uint8_t)digit[((const uint8_t *)bytes)[i] & 15]);
    }
    kt_buf_u8(out, '"');
}

static void put_quoted_literal(KtBuf *out, const kith_value *value)
{
    KtBuf text = {0};
    put_literal(&text, value);
    put_string(out, (const char *)text.data, text.len);
    kt_buf_close(&text);
}

void kt_shell_json(KtBuf *out, const kith_value *value)
{
    bool b = false;
    int64_t i = 0;
    double f = 0;
    const char *text = "";
    size_t len = 0;
    char number[32];
    switch (kith_kind_of(value)) {
    case KITH_NULL: put(out, "null"); return;
    case KITH_BOOL:
        (void)kith_as_bool(value, &b);
        put(out, b ? "true" : "false");
        return;
    case KITH_INT:
        (void)kith_as_int(value, &i);
        (void)snprintf(number, sizeof number, "%" PRId64, i);
        put(out, number);
        return;
    case KITH_FLOAT:
        (void)kith_as_float(value, &f);
        put_float(out, f);
        return;
    case KITH_TEXT:
        (void)kith_as_text(value, &text, &len);
        put_string(out, text, len);
        return;
    case KITH_BYTES: put_hex(out, value); return;
    case KITH_LIST:
        put(out, "[");
        for (uint32_t k = 0; k < kith_count(value); k++) {
            put(out, k ? "," : "");
            kt_shell_json(out, kith_item(value, k));
        }
        put(out, "]");
        return;
    case KITH_MAP: put_map(out, value); return;
    case KITH_NODE: put_node(out, value); return;
    case KITH_REL: put_rel(out, value); return;
    case KITH_PATH: put_path(out, value); return;
    case KITH_DATE:
    case KITH_LOCAL_TIME:
    case KITH_TIME:
    case KITH_LOCAL_DATETIME:
    case KITH_DATETIME:
    case KITH_DURATION:
    case KITH_POINT:
    case KITH_VECTOR:
    case KITH_UUID: put_quoted_literal(out, value); return;
    }
}
