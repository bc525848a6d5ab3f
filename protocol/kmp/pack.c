/* protocol/kmp/pack.c - msgpack-c packs; the bounded reader unpacks. Source: msgpack specification, 2017. */
#include "protocol/kmp/pack.h"

#include <msgpack/pack.h>

static int write_to_buf(void *data, const char *bytes, size_t len)
{
    KtBuf *out = data;
    kt_buf_put(out, bytes, len);
    return out->failed ? -1 : 0;
}

/* A failed append is latched in the buffer and seen by kt_buf_status, so the packer's own result is dropped. */
#define PACK(out, call, ...)                            \
    do {                                                \
        msgpack_packer pk_;                             \
        msgpack_packer_init(&pk_, (out), write_to_buf); \
        (void)call(&pk_ __VA_OPT__(, ) __VA_ARGS__);    \
    } while (0)

void kt_pack_nil(KtBuf *out) { kt_buf_u8(out, 0xC0); }

void kt_pack_bool(KtBuf *out, bool b) { kt_buf_u8(out, b ? 0xC3 : 0xC2); }

void kt_pack_int(KtBuf *out, int64_t i)
{
    if (i >= -32 && i <= 127)
        kt_buf_u8(out, (uint8_t)i);
    else
        PACK(out, msgpack_pack_int64, i);
}

void kt_pack_uint(KtBuf *out, uint64_t u)
{
    if (u <= 127)
        kt_buf_u8(out, (uint8_t)u);
    else
        PACK(out, msgpack_pack_uint64, u);
}

void kt_pack_float(KtBuf *out, double f) { PACK(out, msgpack_pack_double, f); }

void kt_pack_text(KtBuf *out, KtText text)
{
    PACK(out, msgpack_pack_str, text.len);
    kt_buf_put(out, text.at, text.len);
}

void kt_pack_bin(KtBuf *out, const void *bytes, uint32_t len)
{
    PACK(out, msgpack_pack_bin, len);
    kt_buf_put(out, bytes, len);
}

void kt_pack_array(KtBuf *out, uint32_t n) { PACK(out, msgpack_pack_array, n); }

void kt_pack_map(KtBuf *out, uint32_t n) { PACK(out, msgpack_pack_map, n); }

void kt_pack_ext(KtBuf *out, int8_t type, const void *bytes, uint32_t len)
{
    PACK(out, msgpack_pack_ext, len, type);
    kt_buf_put(out, bytes, len);
}

void kt_pack_ext_around(KtBuf *out, size_t start, int8_t type)
{
    if (out->failed)
        return;
    size_t len = out->len - start, end = out->len;
    if (len > UINT32_MAX) {
        out->failed = true;
        return;
    }
    PACK(out, msgpack_pack_ext, len, type); /* at the end for now: its length is what we need */
    if (out->failed)
        return;
    uint8_t head[8];
    size_t head_len = out->len - end;
    KT_CHECK(head_len <= sizeof head);
    memcpy(head, out->data + end, head_len);
    memmove(out->data + start + head_len, out->data + start, len);
    memcpy(out->data + start, head, head_len);
}

static KtStatus ends_early(KtDiag *diag)
{
    return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                       "A msgpack value ends before its announced length.");
}

static KtStatus body(KtReader *in, KtDiag *diag, KtTokenKind kind, uint32_t len, KtPackToken *out)
{
    out->kind = kind;
    out->len = len;
    out->body = kt_read_bytes(in, len);
    return in->bad ? ends_early(diag) : KT_OK;
}

static KtStatus count(KtReader *in, KtDiag *diag, KtTokenKind kind, uint32_t n, KtPackToken *out)
{
    size_t least = kind == KT_TOKEN_MAP ? 2 * (size_t)n : n;
    out->kind = kind;
    out->len = n;
    return in->bad || least > kt_reader_left(in) ? ends_early(diag) : KT_OK;
}

static KtStatus ext(KtReader *in, KtDiag *diag, uint32_t len, KtPackToken *out)
{
    out->ext = (int8_t)kt_read_u8(in);
    return body(in, diag, KT_TOKEN_EXT, len, out);
}

static KtStatus integer(KtReader *in, KtDiag *diag, int64_t i, KtPackToken *out)
{
    out->kind = KT_TOKEN_INT;
    out->as.i = i;
    return in->bad ? ends_early(diag) : KT_OK;
}

static KtStatus real(KtReader *in, KtDiag *diag, bool wide, KtPackToken *out)
{
    out->kind = KT_TOKEN_FLOAT;
    if (wide) {
        uint64_t bits = kt_read_be64(in);
        memcpy(&out->as.f, &bits, sizeof bits);
    } else {
        uint32_t bits = kt_read_be32(in);
        float f;
        memcpy(&f, &bits, sizeof bits);
        out->as.f = (double)f;
    }
    return in->bad ? ends_early(diag) : KT_OK;
}

KtStatus kt_unpack_token(KtReader *in, KtDiag *diag, KtPackToken *out)
{
    *out = (KtPackToken){0};
    uint8_t lead = kt_read_u8(in);
    if (in->bad)
        return ends_early(diag);
    if (lead <= 0x7F)
        return integer(in, diag, lead, out);
    if (lead >= 0xE0)
        return integer(in, diag, (int8_t)lead, out);
    if (lead <= 0x8F)
        return count(in, diag, KT_TOKEN_MAP, lead & 0x0Fu, out);
    if (lead <= 0x9F)
        return count(in, diag, KT_TOKEN_ARRAY, lead & 0x0Fu, out);
    if (lead <= 0xBF)
        return body(in, diag, KT_TOKEN_TEXT, lead & 0x1Fu, out);
    switch (lead) {
    case 0xC0: out->kind = KT_TOKEN_NIL; return KT_OK;
    case 0xC2:
    case 0xC3:
        out->kind = KT_TOKEN_BOOL;
        out->as.b = lead == 0xC3;
        return KT_OK;
    case 0xC4: return body(in, diag, KT_TOKEN_BIN, kt_read_u8(in), out);
    case 0xC5: return body(in, diag, KT_TOKEN_BIN, kt_read_be16(in), out);
    case 0xC6: return body(in, diag, KT_TOKEN_BIN, kt_read_be32(in), out);
    case 0xC7: return ext(in, diag, kt_read_u8(in), out);
    case 0xC8: return ext(in, diag, kt_read_be16(in), out);
    case 0xC9: return ext(in, diag, kt_read_be32(in), out);
    case 0xCA: return real(in, diag, false, out);
    case 0xCB: return real(in, diag, true, out);
    case 0xCC: return integer(in, diag, kt_read_u8(in), out);
    case 0xCD: return integer(in, diag, kt_read_be16(in), out);
    case 0xCE: return integer(in, diag, kt_read_be32(in), out);
    case 0xCF: {
        uint64_t u = kt_read_be64(in);
        if (u <= INT64_MAX)
            return integer(in, diag, (int64_t)u, out);
        out->kind = KT_TOKEN_UINT;
        out->as.u = u;
        return KT_OK;
    }
    case 0xD0: return integer(in, diag, (int8_t)kt_read_u8(in), out);
    case 0xD1: return integer(in, diag, (int16_t)kt_read_be16(in), out);
    case 0xD2: return integer(in, diag, (int32_t)kt_read_be32(in), out);
    case 0xD3: return integer(in, diag, (int64_t)kt_read_be64(in), out);
    case 0xD4: return ext(in, diag, 1, out);
    case 0xD5: return ext(in, diag, 2, out);
    case 0xD6: return ext(in, diag, 4, out);
    case 0xD7: return ext(in, diag, 8, out);
    case 0xD8: return ext(in, diag, 16, out);
    case 0xD9: return body(in, diag, KT_TOKEN_TEXT, kt_read_u8(in), out);
    case 0xDA: return body(in, diag, KT_TOKEN_TEXT, kt_read_be16(in), out);
    case 0xDB: return body(in, diag, KT_TOKEN_TEXT, kt_read_be32(in), out);
    case 0xDC: return count(in, diag, KT_TOKEN_ARRAY, kt_read_be16(in), out);
    case 0xDD: return count(in, diag, KT_TOKEN_ARRAY, kt_read_be32(in), out);
    case 0xDE: return count(in, diag, KT_TOKEN_MAP, kt_read_be16(in), out);
    case 0xDF: return count(in, diag, KT_TOKEN_MAP, kt_read_be32(in), out);
    default: /* 0xC1 */
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           "The byte 0xC1 stands where a msgpack value begins.");
    }
}

KtStatus kt_unpack_skip(KtReader *in, KtDiag *diag)
{
    size_t todo = 1;
    while (todo > 0) {
        KtPackToken token;
        KT_TRY(kt_unpack_token(in, diag, &token));
        todo--;
        if (token.kind == KT_TOKEN_ARRAY)
            todo += token.len;
        else if (token.kind == KT_TOKEN_MAP)
            todo += 2 * (size_t)token.len;
        if (todo > kt_reader_left(in))
            return ends_early(diag);
    }
    return KT_OK;
}
