/* base/buf.c - growing buffers and bounded reads. */
#include "base/buf.h"

#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values on disk are little-endian");

void kt_buf_close(KtBuf *buf)
{
    if (buf->data)
        kt_budget_give(buf->budget, buf->cap);
    free(buf->data);
    buf->data = NULL;
    buf->len = buf->cap = 0;
    buf->failed = false;
}

void kt_buf_clear(KtBuf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

uint8_t *kt_buf_reserve(KtBuf *buf, size_t more)
{
    if (more > buf->cap - buf->len) {
        size_t want = buf->cap ? buf->cap * 2 : 64;
        if (more > SIZE_MAX / 4 - buf->len) {
            buf->failed = true;
            return NULL;
        }
        while (want < buf->len + more)
            want *= 2;
        if (buf->budget && !kt_budget_take(buf->budget, want - buf->cap)) {
            buf->failed = true;
            return NULL;
        }
        uint8_t *grown = realloc(buf->data, want);
        if (!grown) {
            kt_budget_give(buf->budget, want - buf->cap);
            buf->failed = true;
            return NULL;
        }
        buf->data = grown;
        buf->cap = want;
    }
    return buf->data + buf->len;
}

void kt_buf_put(KtBuf *buf, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    uint8_t *at = kt_buf_reserve(buf, len);
    if (!at)
        return;
    memcpy(at, bytes, len);
    buf->len += len;
}

void kt_buf_u8(KtBuf *buf, uint8_t v) { kt_buf_put(buf, &v, 1); }

void kt_buf_le16(KtBuf *buf, uint16_t v) { kt_buf_put(buf, &v, sizeof v); }

void kt_buf_le32(KtBuf *buf, uint32_t v) { kt_buf_put(buf, &v, sizeof v); }

void kt_buf_le64(KtBuf *buf, uint64_t v) { kt_buf_put(buf, &v, sizeof v); }

void kt_buf_be16(KtBuf *buf, uint16_t v)
{
    v = __builtin_bswap16(v);
    kt_buf_put(buf, &v, sizeof v);
}

void kt_buf_be32(KtBuf *buf, uint32_t v)
{
    v = __builtin_bswap32(v);
    kt_buf_put(buf, &v, sizeof v);
}

void kt_buf_be64(KtBuf *buf, uint64_t v)
{
    v = __builtin_bswap64(v);
    kt_buf_put(buf, &v, sizeof v);
}

void kt_buf_varint(KtBuf *buf, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    while (v >= 0x80) {
        bytes[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    bytes[n++] = (uint8_t)v;
    kt_buf_put(buf, bytes, n);
}

const uint8_t *kt_read_bytes(KtReader *r, size_t len)
{
    if (r->bad || len > kt_reader_left(r)) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += len;
    return at;
}

uint8_t kt_read_u8(KtReader *r)
{
    const uint8_t *at = kt_read_bytes(r, 1);
    return at ? *at : 0;
}

uint16_t kt_read_le16(KtReader *r)
{
    const uint8_t *at = kt_read_bytes(r, sizeof(uint16_t));
    uint16_t v = 0;
    if (at)
        memcpy(&v, at, sizeof v);
    return v;
}

uint32_t kt_read_le32(KtReader *r)
{
    const uint8_t *at = kt_read_bytes(r, sizeof(uint32_t));
    uint32_t v = 0;
    if (at)
        memcpy(&v, at, sizeof v);
    return v;
}

uint64_t kt_read_le64(KtReader *r)
{
    const uint8_t *at = kt_read_bytes(r, sizeof(uint64_t));
    uint64_t v = 0;
    if (at)
        memcpy(&v, at, sizeof v);
    return v;
}

uint16_t kt_read_be16(KtReader *r)
{
    const uint8_t *at = kt_read_bytes(r, sizeof(uint16_t));
    uint16_t v = 0;
    if (at)
        memcpy(&v, at, sizeof v);
    return __builtin_bswap16(v);
}

uint32_t kt_read_be32(KtReader *r)
{
    const uint8_t *at = kt_read_bytes(r, sizeof(uint32_t));
    uint32_t v = 0;
    if (at)
        memcpy(&v, at, sizeof v);
    return __builtin_bswap32(v);
}

uint64_t kt_read_be64(KtReader *r)
{
    const uint8_t *at = kt_read_bytes(r, sizeof(uint64_t));
    uint64_t v = 0;
    if (at)
        memcpy(&v, at, sizeof v);
    return __builtin_bswap64(v);
}

uint64_t kt_read_varint(KtReader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = kt_read_u8(r);
        if (r->bad)
            return 0;
        if (shift == 63 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return v;
    }
    r->bad = true;
    return 0;
}
