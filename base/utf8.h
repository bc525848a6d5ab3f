/* base/utf8.h - UTF-8 checked and walked. Source: Unicode 15, table 3-7 (well-formed byte sequences). */
#ifndef KT_BASE_UTF8_H
#define KT_BASE_UTF8_H

#include "base/value.h"

/* True when the bytes are well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool kt_utf8_valid(const void *bytes, size_t len);
/* Characters (code points) of well-formed text. */
size_t kt_utf8_count(KtText text);
/* Bytes of the character that starts with `lead`, in well-formed text. */
static inline uint32_t kt_utf8_step(char lead)
{
    uint8_t b = (uint8_t)lead;
    return b < 0x80 ? 1u : b < 0xE0 ? 2u : b < 0xF0 ? 3u : 4u;
}
/* Byte offset of character `n` of well-formed text, or its length when it has fewer. Cost: linear. */
size_t kt_utf8_offset(KtText text, size_t n);
/* The code point at `at` of well-formed text. */
uint32_t kt_utf8_decode(const char *at);
/* Writes a code point (no surrogate) and returns its bytes, 1 to 4. */
uint32_t kt_utf8_encode(uint32_t code, char out[4]);

#endif
