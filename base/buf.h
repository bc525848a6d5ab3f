/* base/buf.h - a byte buffer that grows, and a bounded reader.
 *
 * A KtBuf starts as {0} and is closed with kt_buf_close. A failed append leaves it as it was and
 * latches `failed`, so that a long encoder may check once at its end. */
#ifndef KT_BASE_BUF_H
#define KT_BASE_BUF_H

#include "base/arena.h"

#include <string.h>

typedef struct KtBuf {
    uint8_t *data;
    size_t len, cap;
    KtBudget *budget; /* NULL: not charged */
    bool failed;      /* an append ran out of memory */
} KtBuf;

void kt_buf_close(KtBuf *buf);
void kt_buf_clear(KtBuf *buf); /* keeps the memory */
/* Room for `more` bytes behind the end, or NULL (and `failed`). Does not change len. */
uint8_t *kt_buf_reserve(KtBuf *buf, size_t more);
void kt_buf_put(KtBuf *buf, const void *bytes, size_t len);
void kt_buf_u8(KtBuf *buf, uint8_t v);
void kt_buf_le16(KtBuf *buf, uint16_t v);
void kt_buf_le32(KtBuf *buf, uint32_t v);
void kt_buf_le64(KtBuf *buf, uint64_t v);
void kt_buf_be16(KtBuf *buf, uint16_t v);
void kt_buf_be32(KtBuf *buf, uint32_t v);
void kt_buf_be64(KtBuf *buf, uint64_t v);
void kt_buf_varint(KtBuf *buf, uint64_t v); /* LEB128 */
static inline KtStatus kt_buf_status(const KtBuf *buf)
{
    return buf->failed ? KT_ERR_MEMORY : KT_OK;
}

/* Reads from bytes that may be anything. A read past the end gives 0 or NULL and latches `bad`. */
typedef struct KtReader {
    const uint8_t *at, *end;
    bool bad;
} KtReader;

static inline KtReader kt_reader(const void *data, size_t len)
{
    return (KtReader){(const uint8_t *)data, (const uint8_t *)data + len, false};
}
static inline size_t kt_reader_left(const KtReader *r) { return (size_t)(r->end - r->at); }
const uint8_t *kt_read_bytes(KtReader *r, size_t len);
uint8_t kt_read_u8(KtReader *r);
uint16_t kt_read_le16(KtReader *r);
uint32_t kt_read_le32(KtReader *r);
uint64_t kt_read_le64(KtReader *r);
uint16_t kt_read_be16(KtReader *r);
uint32_t kt_read_be32(KtReader *r);
uint64_t kt_read_be64(KtReader *r);
uint64_t kt_read_varint(KtReader *r);

static inline void kt_store_be64(void *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, 8);
}
static inline void kt_store_be32(void *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}
static inline uint64_t kt_load_be64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}
static inline uint32_t kt_load_be32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

#endif
