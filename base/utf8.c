/* base/utf8.c - validation by ranges of the second byte; counting by lead bytes, eight at a time. */
#include "base/utf8.h"

static bool tail(uint8_t b) { return (b & 0xC0) == 0x80; }

bool kt_utf8_valid(const void *bytes, size_t len)
{
    const uint8_t *at = bytes, *end = at + len;
    while (at < end) {
        if (end - at >= 8) {
            uint64_t eight;
            memcpy(&eight, at, 8);
            if ((eight & 0x8080808080808080ULL) == 0) {
                at += 8;
                continue;
            }
        }
        uint8_t lead = *at;
        size_t left = (size_t)(end - at);
        if (lead < 0x80) {
            at += 1;
        } else if (lead >= 0xC2 && lead <= 0xDF) {
            if (left < 2 || !tail(at[1]))
                return false;
            at += 2;
        } else if (lead >= 0xE0 && lead <= 0xEF) {
            uint8_t low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
            if (left < 3 || at[1] < low || at[1] > high || !tail(at[2]))
                return false;
            at += 3;
        } else if (lead >= 0xF0 && lead <= 0xF4) {
            uint8_t low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
            if (left < 4 || at[1] < low || at[1] > high || !tail(at[2]) || !tail(at[3]))
                return false;
            at += 4;
        } else {
            return false;
        }
    }
    return true;
}

size_t kt_utf8_count(KtText text)
{
    size_t tails = 0, i = 0;
    for (; i + 8 <= text.len; i += 8) {
        uint64_t eight;
        memcpy(&eight, text.at + i, 8);
        /* a tail byte has bit 7 set and bit 6 clear */
        uint64_t is_tail = (eight >> 7) & (~eight >> 6) & 0x0101010101010101ULL;
        tails += (size_t)__builtin_popcountll(is_tail);
    }
    for (; i < text.len; i++)
        tails += tail((uint8_t)text.at[i]);
    return text.len - tails;
}

size_t kt_utf8_offset(KtText text, size_t n)
{
    size_t at = 0;
    while (n > 0 && at < text.len) {
        at += kt_utf8_step(text.at[at]);
        n--;
    }
    return at < text.len ? at : text.len;
}

uint32_t kt_utf8_decode(const char *at)
{
    const uint8_t *b = (const uint8_t *)at;
    switch (kt_utf8_step(*at)) {
    case 1: return b[0];
    case 2: return (uint32_t)(b[0] & 0x1F) << 6 | (b[1] & 0x3Fu);
    case 3: return (uint32_t)(b[0] & 0x0F) << 12 | (uint32_t)(b[1] & 0x3F) << 6 | (b[2] & 0x3Fu);
    default:
        return (uint32_t)(b[0] & 0x07) << 18 | (uint32_t)(b[1] & 0x3F) << 12 |
               (uint32_t)(b[2] & 0x3F) << 6 | (b[3] & 0x3Fu);
    }
}

uint32_t kt_utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}
