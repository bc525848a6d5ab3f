/* base/value_text.c - values as Cypher literals, and numbers read and written exactly.
 *
 * Floats: the fewest digits that read back as the same double (15 to 17 suffice for normal ones), laid out
 * as plain decimals from 1e-4 up to 1e16 and with an exponent of at least two digits outside. */
#include "base/value_text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void put_str(KtBuf *out, const char *s) { kt_buf_put(out, s, strlen(s)); }

static void put_i64(KtBuf *out, int64_t i)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRId64, i);
    kt_buf_put(out, text, (size_t)n);
}

/* ---- numbers ---- */

/* Shortest digits of |f| > 0 into `digit`, returns their count; the value is 0.ddd x 10^(*exp10 + 1). */
static int shortest_digits(double f, char digit[20], int *exp10)
{
    char text[40];
    int first = f < 0x1p-1022 ? 1 : 15;
    for (int p = first; p <= 17; p++) {
        (void)snprintf(text, sizeof text, "%.*e", p - 1, f);
        if (p == 17 || strtod(text, NULL) == f)
            break;
    }
    int n = 0;
    const char *at = text;
    for (; *at && *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9')
            digit[n++] = *at;
    }
    *exp10 = (int)strtol(at + 1, NULL, 10);
    while (n > 1 && digit[n - 1] == '0')
        n--;
    return n;
}

size_t kt_float_print(double f, char out[32])
{
    if (isnan(f))
        return (size_t)snprintf(out, 32, "NaN");
    if (isinf(f))
        return (size_t)snprintf(out, 32, "%s", f > 0 ? "Infinity" : "-Infinity");
    char *at = out;
    if (signbit(f))
        *at++ = '-';
    if (f == 0)
        return (size_t)(at - out) + (size_t)snprintf(at, 8, "0.0");
    char digit[20];
    int exp10, n = shortest_digits(fabs(f), digit, &exp10);
    if (exp10 < -4 || exp10 >= 16) {
        *at++ = digit[0];
        if (n > 1) {
            *at++ = '.';
            memcpy(at, digit + 1, (size_t)n - 1);
            at += n - 1;
        }
        return (size_t)(at - out) +
               (size_t)snprintf(at, 8, "e%c%02d", exp10 < 0 ? '-' : '+', abs(exp10) % 1000);
    }
    if (exp10 < 0) {
        memcpy(at, "0.0000", 6);
        at += 1 - exp10;
        memcpy(at, digit, (size_t)n);
        at += n;
    } else {
        for (int i = 0; i <= exp10; i++)
            *at++ = i < n ? digit[i] : '0';
        *at++ = '.';
        if (n > exp10 + 1) {
            memcpy(at, digit + exp10 + 1, (size_t)(n - exp10 - 1));
            at += n - exp10 - 1;
        } else {
            *at++ = '0';
        }
    }
    *at = '\0';
    return (size_t)(at - out);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool kt_int_parse(KtText text, int64_t *out)
{
    uint32_t i = 0;
    bool minus = false;
    if (i < text.len && (text.at[i] == '+' || text.at[i] == '-'))
        minus = text.at[i++] == '-';
    if (i == text.len)
        return false;
    int64_t v = 0; /* kept negative, where there is one number more */
    for (; i < text.len; i++) {
        if (!is_digit(text.at[i]) || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, (int64_t)(text.at[i] - '0'), &v))
            return false;
    }
    if (!minus && __builtin_sub_overflow((int64_t)0, v, &v))
        return false;
    *out = v;
    return true;
}

bool kt_float_parse(KtText text, double *out)
{
    uint32_t i = 0, digits = 0;
    if (i < text.len && (text.at[i] == '+' || text.at[i] == '-'))
        i++;
    KtText rest = {text.at + i, text.len - i};
    if (kt_text_eq(rest, KT_TEXT_LITERAL("NaN"))) {
        *out = (double)NAN;
        return true;
    }
    if (kt_text_eq(rest, KT_TEXT_LITERAL("Infinity"))) {
        *out = text.at[0] == '-' ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    while (i < text.len && is_digit(text.at[i]))
        i++, digits++;
    if (i < text.len && text.at[i] == '.') {
        i++;
        while (i < text.len && is_digit(text.at[i]))
            i++, digits++;
    }
    if (digits == 0)
        return false;
    if (i < text.len && (text.at[i] == 'e' || text.at[i] == 'E')) {
        i++;
        if (i < text.len && (text.at[i] == '+' || text.at[i] == '-'))
            i++;
        uint32_t from = i;
        while (i < text.len && is_digit(text.at[i]))
            i++;
        if (i == from)
            return false;
    }
    if (i != text.len)
        return false;
    char small[64], *copy = text.len < sizeof small ? small : malloc((size_t)text.len + 1);
    if (!copy)
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    double v = strtod(copy, NULL);
    if (copy != small)
        free(copy);
    if (isinf(v))
        return false;
    *out = v;
    return true;
}

/* ---- texts and names ---- */

static void print_text(KtBuf *out, const char *at, uint32_t len)
{
    kt_buf_u8(out, '\'');
    for (uint32_t i = 0; i < len; i++) {
        char c = at[i];
        switch (c) {
        case '\'': put_str(out, "\\'"); break;
        case '\\': put_str(out, "\\\\"); break;
        case '\n': put_str(out, "\\n"); break;
        case '\r': put_str(out, "\\r"); break;
        case '\t': put_str(out, "\\t"); break;
        case '\b': put_str(out, "\\b"); break;
        case '\f': put_str(out, "\\f"); break;
        default:
            if ((uint8_t)c < 0x20 || c == 0x7F) {
                char code[8];
                kt_buf_put(out, code,
                           (size_t)snprintf(code, sizeof code, "\\u%04x", (unsigned)(uint8_t)c));
            } else {
                kt_buf_u8(out, (uint8_t)c);
            }
        }
    }
    kt_buf_u8(out, '\'');
}

static bool plain_name(KtText name)
{
    for (uint32_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (uint8_t)c >= 0x80;
        if (!letter && (i == 0 || !is_digit(c)))
            return false;
    }
    return name.len > 0;
}

static void print_name(KtBuf *out, KtText name)
{
    if (plain_name(name)) {
        kt_buf_put(out, name.at, name.len);
        return;
    }
    kt_buf_u8(out, '`');
    for (uint32_t i = 0; i < name.len; i++) {
        if (name.at[i] == '`')
            kt_buf_u8(out, '`');
        kt_buf_u8(out, (uint8_t)name.at[i]);
    }
    kt_buf_u8(out, '`');
}

static void print_entries(KtBuf *out, const KtMapEntry *entry, uint32_t n)
{
    kt_buf_u8(out, '{');
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            put_str(out, ", ");
        print_name(out, entry[i].key);
        put_str(out, ": ");
        kt_value_print(out, entry[i].value);
    }
    kt_buf_u8(out, '}');
}

/* ---- graph ---- */

static void print_id(KtBuf *out, char open, uint64_t id, char close)
{
    char text[32];
    kt_buf_put(out, text, (size_t)snprintf(text, sizeof text, "%c#%" PRIu64 "%c", open, id, close));
}

static void print_node(KtBuf *out, const KtNodeImage *node)
{
    kt_buf_u8(out, '(');
    for (uint32_t i = 0; i < node->labels; i++) {
        kt_buf_u8(out, ':');
        print_name(out, node->label[i]);
    }
    if (node->props) {
        if (node->labels)
            kt_buf_u8(out, ' ');
        print_entries(out, node->prop, node->props);
    }
    kt_buf_u8(out, ')');
}

static void print_rel(KtBuf *out, const KtRelImage *rel)
{
    put_str(out, "[:");
    print_name(out, rel->type);
    if (rel->props) {
        kt_buf_u8(out, ' ');
        print_entries(out, rel->prop, rel->props);
    }
    kt_buf_u8(out, ']');
}

static void print_path(KtBuf *out, KtValue v)
{
    bool image = (v.flags & KT_VALUE_IMAGE) != 0;
    uint32_t rels = image ? v.as.path_image->rels : v.as.path->rels;
    kt_buf_u8(out, '<');
    for (uint32_t i = 0; i <= rels; i++) {
        uint64_t here = image ? v.as.path_image->node[i]->id : v.as.path->node[i];
        if (image)
            print_node(out, v.as.path_image->node[i]);
        else
            print_id(out, '(', here, ')');
        if (i == rels)
            break;
        bool forward = (image ? v.as.path_image->rel[i]->start : v.as.path->rel[i].start) == here;
        put_str(out, forward ? "-" : "<-");
        if (image)
            print_rel(out, v.as.path_image->rel[i]);
        else
            print_id(out, '[', v.as.path->rel[i].id, ']');
        put_str(out, forward ? "->" : "-");
    }
    kt_buf_u8(out, '>');
}

/* ---- temporal values, in ISO 8601 ---- */

static void put_date(KtBuf *out, int64_t days)
{
    /* Source: H. Hinnant, civil_from_days */
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
    char text[48];
    const char *sign = year < 0 ? "-" : year > 9999 ? "+" : "";
    int n = snprintf(text, sizeof text, "%s%04" PRId64 "-%02d-%02d", sign, year < 0 ? -year : year,
                     (int)month, (int)day);
    kt_buf_put(out, text, (size_t)n);
}

static void put_nanos(KtBuf *out, int32_t nanos)
{
    if (nanos == 0)
        return;
    char text[16];
    int n = snprintf(text, sizeof text, ".%09d", (int)nanos);
    while (text[n - 1] == '0')
        n--;
    kt_buf_put(out, text, (size_t)n);
}

static void put_clock(KtBuf *out, const KtTemporal *t)
{
    char text[32];
    int s = (int)(t->seconds % 86400);
    int n = snprintf(text, sizeof text, "%02d:%02d", s / 3600, s / 60 % 60);
    kt_buf_put(out, text, (size_t)n);
    if (s % 60 != 0 || t->nanos != 0) {
        n = snprintf(text, sizeof text, ":%02d", s % 60);
        kt_buf_put(out, text, (size_t)n);
        put_nanos(out, t->nanos);
    }
}

static void put_offset(KtBuf *out, int32_t offset)
{
    if (offset == 0) {
        kt_buf_u8(out, 'Z');
        return;
    }
    char text[32];
    int s = abs(offset) % 86400;
    int n =
        snprintf(text, sizeof text, "%c%02d:%02d", offset < 0 ? '-' : '+', s / 3600, s / 60 % 60);
    kt_buf_put(out, text, (size_t)n);
    if (s % 60) {
        n = snprintf(text, sizeof text, ":%02d", s % 60);
        kt_buf_put(out, text, (size_t)n);
    }
}

static void put_part(KtBuf *out, int64_t amount, char unit)
{
    if (amount == 0)
        return;
    put_i64(out, amount);
    kt_buf_u8(out, (uint8_t)unit);
}

static void put_duration(KtBuf *out, const KtTemporal *t)
{
    kt_buf_u8(out, 'P');
    put_part(out, t->months / 12, 'Y');
    put_part(out, t->months % 12, 'M');
    put_part(out, t->days, 'D');
    if (t->seconds == 0 && t->nanos == 0) {
        if (t->months == 0 && t->days == 0)
            put_str(out, "T0S");
        return;
    }
    kt_buf_u8(out, 'T');
    int64_t s = t->seconds;
    int32_t nanos = t->nanos;
    bool minus = s < 0 && nanos > 0; /* -1 s + 0.25 s is written -0.75 */
    if (minus) {
        s += 1;
        nanos = 1000000000 - nanos;
    }
    put_part(out, s / 3600, 'H');
    put_part(out, s / 60 % 60, 'M');
    if (s % 60 != 0 || nanos != 0) {
        if (minus && s % 60 == 0)
            kt_buf_u8(out, '-');
        put_i64(out, s % 60);
        put_nanos(out, nanos);
        kt_buf_u8(out, 'S');
    }
}

static void print_temporal(KtBuf *out, KtValue v)
{
    const KtTemporal *t = v.as.temporal;
    bool date = v.kind == KT_DATE || v.kind == KT_LOCAL_DATETIME || v.kind == KT_DATETIME;
    kt_buf_u8(out, '\'');
    if (v.kind == KT_DURATION) {
        put_duration(out, t);
    } else {
        if (date)
            put_date(out, t->days);
        if (date && v.kind != KT_DATE)
            kt_buf_u8(out, 'T');
        if (v.kind != KT_DATE)
            put_clock(out, t);
        if (v.kind == KT_TIME || v.kind == KT_DATETIME)
            put_offset(out, t->offset_s);
        if (v.kind == KT_DATETIME && t->zone.len) {
            kt_buf_u8(out, '[');
            kt_buf_put(out, t->zone.at, t->zone.len);
            kt_buf_u8(out, ']');
        }
    }
    kt_buf_u8(out, '\'');
}

/* ---- the rest ---- */

static void put_hex(KtBuf *out, const void *bytes, uint32_t len)
{
    static const char digit[] = "0123456789abcdef";
    for (uint32_t i = 0; i < len; i++) {
        uint8_t b = ((const uint8_t *)bytes)[i];
        kt_buf_u8(out, (uint8_t)digit[b >> 4]);
        kt_buf_u8(out, (uint8_t)digit[b & 15]);
    }
}

static void print_float(KtBuf *out, double f)
{
    char text[32];
    kt_buf_put(out, text, kt_float_print(f, text));
}

static void print_point(KtBuf *out, const KtPoint *p)
{
    static const char *const axis[3] = {"x", "y", "z"};
    put_str(out, "point({srid: ");
    put_i64(out, p->srid);
    for (uint32_t i = 0; i < p->dims && i < 3; i++) {
        put_str(out, ", ");
        put_str(out, axis[i]);
        put_str(out, ": ");
        print_float(out, p->at[i]);
    }
    put_str(out, "})");
}

void kt_value_print(KtBuf *out, KtValue v)
{
    bool image = (v.flags & KT_VALUE_IMAGE) != 0;
    switch ((KtKind)v.kind) {
    case KT_NULL:
    case KT_KIND_COUNT: put_str(out, "null"); break;
    case KT_BOOL: put_str(out, v.as.b ? "true" : "false"); break;
    case KT_INT: put_i64(out, v.as.i); break;
    case KT_FLOAT: print_float(out, v.as.f); break;
    case KT_TEXT: print_text(out, v.as.text, v.len); break;
    case KT_BYTES:
        put_str(out, "bytes('");
        put_hex(out, v.as.text, v.len);
        put_str(out, "')");
        break;
    case KT_LIST:
        kt_buf_u8(out, '[');
        for (uint32_t i = 0; i < v.len; i++) {
            if (i)
                put_str(out, ", ");
            kt_value_print(out, v.as.list[i]);
        }
        kt_buf_u8(out, ']');
        break;
    case KT_MAP: print_entries(out, v.as.map, v.len); break;
    case KT_NODE:
        if (image)
            print_node(out, v.as.node_image);
        else
            print_id(out, '(', v.as.id, ')');
        break;
    case KT_REL:
        if (image)
            print_rel(out, v.as.rel_image);
        else
            print_id(out, '[', v.as.rel->id, ']');
        break;
    case KT_PATH: print_path(out, v); break;
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION: print_temporal(out, v); break;
    case KT_POINT: print_point(out, v.as.point); break;
    case KT_VECTOR:
        put_str(out, "vector('");
        put_hex(out, v.as.box, v.len);
        put_str(out, "')");
        break;
    case KT_UUID:
        put_str(out, "uuid('");
        put_hex(out, v.as.uuid, 16);
        put_str(out, "')");
        break;
    }
}
