/* tools/kith/shell/literal.c - values of parameters, written as JSON or as in Cypher. */
#include "tools/kith/shell/shell.h"

#include "base/utf8.h"
#include "base/value_text.h"

#include <ctype.h>
#include <stdlib.h>

enum { DEEP = 60 };

typedef struct Reading {
    const char *at;
    kith_params *params;
    KtBuf text; /* the string being read */
    const char *why;
    int depth;
} Reading;

static bool wrong(Reading *r, const char *why)
{
    if (!r->why)
        r->why = why;
    return false;
}

static void skip_blank(Reading *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

static bool hex_digits(Reading *r, int n, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < n; i++) {
        char c = *r->at;
        if (!isxdigit((unsigned char)c))
            return wrong(r, "\\u needs four hexadecimal digits, \\U eight");
        v = v * 16 + (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        r->at++;
    }
    *out = v;
    return true;
}

static bool escape(Reading *r)
{
    static const char from[] = "nrtbf\\/'\"`", to[] = "\n\r\t\b\f\\/'\"`";
    char c = *r->at;
    const char *found = c ? strchr(from, c) : NULL;
    if (found) {
        r->at++;
        kt_buf_u8(&r->text, (uint8_t)to[found - from]);
        return true;
    }
    if (c != 'u' && c != 'U')
        return wrong(r, "an unknown escape in a string");
    uint32_t code, low;
    r->at++;
    if (!hex_digits(r, c == 'u' ? 4 : 8, &code))
        return false;
    if (code >= 0xD800 && code <= 0xDBFF && r->at[0] == '\\' &&
        r->at[1] == 'u') { /* a pair, as JSON has it */
        r->at += 2;
        if (!hex_digits(r, 4, &low))
            return false;
        if (low < 0xDC00 || low > 0xDFFF)
            return wrong(r, "half of a surrogate pair in a string");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return wrong(r, "an escape that is no character");
    char utf8[4];
    kt_buf_put(&r->text, utf8, kt_utf8_encode(code, utf8));
    return true;
}

/* A string or quoted name into r->text, NUL-terminated. */
static bool quoted(Reading *r)
{
    char quote = *r->at++;
    kt_buf_clear(&r->text);
    while (*r->at && *r->at != quote) {
        if (*r->at == '\\' && quote != '`') {
            r->at++;
            if (!escape(r))
                return false;
        } else {
            kt_buf_u8(&r->text, (uint8_t)*r->at++);
        }
    }
    if (*r->at != quote)
        return wrong(r, "a string without its end");
    r->at++;
    kt_buf_u8(&r->text, 0);
    return !r->text.failed || wrong(r, "no memory");
}

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool key(Reading *r, char **out)
{
    if (*r->at == '"' || *r->at == '\'' || *r->at == '`') {
        if (!quoted(r))
            return false;
        *out = strdup((const char *)r->text.data);
    } else {
        const char *from = r->at;
        while (word_char(*r->at))
            r->at++;
        if (r->at == from || isdigit((unsigned char)*from))
            return wrong(r, "a map wants {key: value, ...}");
        *out = strndup(from, (size_t)(r->at - from));
    }
    return *out || wrong(r, "no memory");
}

static bool value(Reading *r, const char *name);

static bool list(Reading *r, const char *name)
{
    kith_params_list_begin(r->params, name);
    r->at++;
    skip_blank(r);
    while (*r->at != ']') {
        if (!value(r, NULL))
            return false;
        if (*r->at == ',')
            r->at++;
        else if (*r->at != ']')
            return wrong(r, "a list wants [value, ...]");
        skip_blank(r);
    }
    r->at++;
    kith_params_end(r->params);
    return true;
}

static bool map(Reading *r, const char *name)
{
    kith_params_map_begin(r->params, name);
    r->at++;
    skip_blank(r);
    while (*r->at != '}') {
        char *of = NULL;
        bool good = key(r, &of);
        skip_blank(r);
        if (good && *r->at != ':')
            good = wrong(r, "a map wants {key: value, ...}");
        if (good) {
            r->at++;
            good = value(r, of);
        }
        free(of);
        if (!good)
            return false;
        if (*r->at == ',')
            r->at++;
        else if (*r->at != '}')
            return wrong(r, "a map wants {key: value, ...}");
        skip_blank(r);
    }
    r->at++;
    kith_params_end(r->params);
    return true;
}

static bool number(Reading *r, const char *name)
{
    const char *from = r->at;
    bool real = false;
    for (; *r->at && strchr("+-0123456789.eE", *r->at); r->at++)
        real = real || strchr(".eE", *r->at);
    KtText text = {from, (uint32_t)(r->at - from)};
    int64_t i;
    double f;
    if (!real && kt_int_parse(text, &i))
        kith_params_int(r->params, name, i);
    else if (real && kt_float_parse(text, &f))
        kith_params_float(r->params, name, f);
    else
        return wrong(r, real ? "no number" : "no integer of 64 bits");
    return true;
}

static bool word(Reading *r, const char *name)
{
    const char *from = r->at;
    while (word_char(*r->at))
        r->at++;
    size_t len = (size_t)(r->at - from);
    if (len == 4 && strncasecmp(from, "null", 4) == 0)
        kith_params_null(r->params, name);
    else if (len == 4 && strncasecmp(from, "true", 4) == 0)
        kith_params_bool(r->params, name, true);
    else if (len == 5 && strncasecmp(from, "false", 5) == 0)
        kith_params_bool(r->params, name, false);
    else {
        r->at = from;
        return wrong(r, len ? "text is written in quotes: 'Ada'"
                            : "a value is null, true, 1, 1.5, 'text', [1, 2] or {k: 1}");
    }
    return true;
}

static bool value(Reading *r, const char *name)
{
    bool good;
    skip_blank(r);
    if (++r->depth > DEEP)
        return wrong(r, "lists and maps nested too deep");
    if (*r->at == '[') {
        good = list(r, name);
    } else if (*r->at == '{') {
        good = map(r, name);
    } else if (*r->at == '"' || *r->at == '\'') {
        good = quoted(r);
        if (good)
            kith_params_text(r->params, name, (const char *)r->text.data, r->text.len - 1);
    } else if (*r->at == '-' || *r->at == '+' || *r->at == '.' || isdigit((unsigned char)*r->at)) {
        good = number(r, name);
    } else {
        good = word(r, name);
    }
    r->depth--;
    skip_blank(r);
    return good;
}

bool kt_shell_literal(const char *literal, const char *name, kith_params *params, char *why,
                      size_t why_size)
{
    Reading r = {.at = literal, .params = params};
    bool good = value(&r, name);
    if (good && *r.at)
        good = wrong(&r, "more than one value");
    if (!good)
        (void)snprintf(why, why_size, "%s, at character %zu of %s", r.why,
                       (size_t)(r.at - literal) + 1, literal);
    kt_buf_close(&r.text);
    return good;
}
