/* base/diag.c - filling in the words of an error. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void kt_diag_clear(KtDiag *diag)
{
    diag->status = KT_OK;
    diag->compile_time = false;
    diag->at = (KtPos){0};
    diag->message[0] = 0;
    diag->hint[0] = 0;
}

/* vsnprintf may cut inside a character: drop the broken tail. */
static void format_cut(char *out, size_t cap, const char *format, va_list args)
{
    int n = vsnprintf(out, cap, format, args);
    if (n < 0) {
        out[0] = 0;
        return;
    }
    if ((size_t)n < cap)
        return;
    size_t end = cap - 1;
    size_t start = end;
    while (start > 0 && ((unsigned char)out[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)out[start - 1] >= 0xC0)
        out[start - 1] = 0;
}

KtStatus kt_diag_set(KtDiag *diag, KtStatus status, const KtPos *at, const char *format, ...)
{
    if (!diag || diag->status != KT_OK)
        return status;
    diag->status = status;
    diag->at = at ? *at : (KtPos){0};
    va_list args;
    va_start(args, format);
    format_cut(diag->message, sizeof diag->message, format, args);
    va_end(args);
    return status;
}

void kt_diag_hint(KtDiag *diag, const char *format, ...)
{
    if (!diag)
        return;
    va_list args;
    va_start(args, format);
    format_cut(diag->hint, sizeof diag->hint, format, args);
    va_end(args);
}
