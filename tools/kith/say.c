/* tools/kith/say.c - escapes for a terminal. */
#include "tools/kith/say.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdlib.h>

static bool steers(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

static void put_escape(KtBuf *out, uint32_t code)
{
    char text[12];
    const char *brief = code == '\n' ? "\\n" : code == '\t' ? "\\t" : code == '\r' ? "\\r" : NULL;
    int n = brief ? snprintf(text, sizeof text, "%s", brief)
                  : snprintf(text, sizeof text, "\\u%04x", (unsigned)code);
    kt_buf_put(out, text, (size_t)n);
}

void kt_say_put(KtBuf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t step = kt_utf8_step(text[i]);
        if (step > len - i || !kt_utf8_valid(text + i, step)) {
            char byte[8];
            int n = snprintf(byte, sizeof byte, "\\x%02x", (unsigned)(uint8_t)text[i]);
            kt_buf_put(out, byte, (size_t)n);
            i++;
            continue;
        }
        uint32_t code = kt_utf8_decode(text + i);
        if (steers(code))
            put_escape(out, code);
        else
            kt_buf_put(out, text + i, step);
        i += step;
    }
}

void kt_say(FILE *out, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    KtBuf safe = {0};
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        (void)fputs("kith: no memory\n", out);
        return;
    }
    bool line = n > 0 && text[n - 1] == '\n';
    kt_say_put(&safe, text, (size_t)n - line);
    free(text);
    if (safe.len)
        (void)fwrite(safe.data, 1, safe.len, out);
    if (line)
        (void)fputc('\n', out);
    kt_buf_close(&safe);
}
