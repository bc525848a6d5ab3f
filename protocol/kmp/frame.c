/* protocol/kmp/frame.c - preamble and frames. All numbers on the wire are big-endian. */
#include "protocol/kmp/frame.h"

#include "base/hash.h"

static const uint8_t magic[4] = {'K', 'M', 'P', '\n'};

const char *kt_kmp_type_name(uint8_t type, int *since)
{
    switch (type) {
#define KMP_MESSAGE(name, code, from) \
    case (code):                      \
        if (since)                    \
            *since = (from);          \
        return #name;
#include "protocol/kmp/messages.def"
    default: return NULL;
    }
}

enum { JOINED_KEPT = 1024 * 1024 }; /* bytes that stay for the next message of several frames */

void kt_kmp_preamble_encode(const KmpPreamble *preamble, uint8_t out[KMP_PREAMBLE])
{
    memcpy(out, magic, 4);
    out[4] = preamble->low;
    out[5] = preamble->high;
    out[6] = out[7] = 0;
    kt_store_be32(out + 8, preamble->capabilities);
    kt_store_be32(out + 12, preamble->frame_most);
}

bool kt_kmp_preamble_possible(const uint8_t *bytes, size_t len)
{
    return memcmp(bytes, magic, len < 4 ? len : 4) == 0;
}

KtStatus kt_kmp_preamble_decode(const uint8_t bytes[KMP_PREAMBLE], KtDiag *diag, KmpPreamble *out)
{
    if (!kt_kmp_preamble_possible(bytes, KMP_PREAMBLE))
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           "The peer does not speak KMP: its first bytes are not \"KMP\".");
    KmpPreamble p = {bytes[4], bytes[5], kt_load_be32(bytes + 8), kt_load_be32(bytes + 12)};
    if (bytes[6] || bytes[7])
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "Bytes 6 and 7 of a preamble must be 0.");
    if (p.low > p.high)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           "The preamble's lowest version %u is above its highest %u.", p.low,
                           p.high);
    if (p.frame_most < KMP_FRAME_HELLO)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           "The preamble accepts frames of %u bytes; the least is %d.",
                           p.frame_most, KMP_FRAME_HELLO);
    *out = p;
    return KT_OK;
}

KtStatus kt_kmp_preamble_agree(const KmpPreamble *client, uint32_t capabilities,
                               uint32_t frame_most, KtDiag *diag, KmpPreamble *answer)
{
    bool fits = client->low <= KMP_MAJOR && KMP_MAJOR <= client->high;
    uint8_t major = fits ? KMP_MAJOR : 0;
    *answer = (KmpPreamble){major, major, client->capabilities & capabilities, frame_most};
    if (!fits)
        return kt_diag_set(diag, KT_ERR_NOT_SUPPORTED, NULL,
                           "The client speaks KMP %u to %u, this server speaks only %d.",
                           client->low, client->high, KMP_MAJOR);
    return KT_OK;
}

void kt_kmp_header_encode(const KmpHeader *header, uint8_t out[KMP_HEADER])
{
    kt_store_be32(out, header->length);
    out[4] = header->type;
    out[5] = header->flags;
    out[6] = (uint8_t)(header->stream >> 8);
    out[7] = (uint8_t)header->stream;
    kt_store_be32(out + 8, header->request);
    kt_store_be32(out + 12, header->check);
}

KmpHeader kt_kmp_header_decode(const uint8_t in[KMP_HEADER])
{
    return (KmpHeader){
        .length = kt_load_be32(in),
        .type = in[4],
        .flags = in[5],
        .stream = (uint16_t)(in[6] << 8 | in[7]),
        .request = kt_load_be32(in + 8),
        .check = kt_load_be32(in + 12),
    };
}

uint32_t kt_kmp_check(const KmpHeader *header, const uint8_t *payload)
{
    uint8_t bytes[KMP_HEADER];
    kt_kmp_header_encode(header, bytes);
    return (uint32_t)kt_hash_two(bytes, 12, payload, header->length);
}

size_t kt_kmp_frame_open(KtBuf *out)
{
    static const uint8_t blank[KMP_HEADER];
    size_t at = out->len;
    kt_buf_put(out, blank, sizeof blank);
    return at;
}

KtStatus kt_kmp_frame_close(KtBuf *out, size_t at, const KmpWire *wire, KmpType type, uint8_t flags,
                            uint32_t request)
{
    if (out->failed) {
        out->len = at;
        return KT_ERR_MEMORY;
    }
    size_t total = out->len - at - KMP_HEADER;
    if (total > KMP_MESSAGE_MOST) {
        out->len = at;
        return KT_ERR_FRAME_TOO_LARGE;
    }
    size_t most = wire->frame_most;
    size_t frames = total <= most ? 1 : (total + most - 1) / most;
    if (frames > 1) { /* make room for the further headers, from the back */
        if (!kt_buf_reserve(out, (frames - 1) * KMP_HEADER)) {
            out->len = at;
            return KT_ERR_MEMORY;
        }
        out->len += (frames - 1) * KMP_HEADER;
        for (size_t i = frames - 1; i > 0; i--) {
            size_t from = i * most, len = i == frames - 1 ? total - from : most;
            uint8_t *payload = out->data + at + KMP_HEADER;
            memmove(payload + from + i * KMP_HEADER, payload + from, len);
        }
    }
    uint8_t late = flags & (KMP_LAST | KMP_PARKED);
    for (size_t i = 0; i < frames; i++) {
        bool last = i == frames - 1;
        uint8_t *frame = out->data + at + i * (most + KMP_HEADER);
        KmpHeader header = {
            .length = (uint32_t)(last ? total - i * most : most),
            .type = (uint8_t)type,
            .flags = (uint8_t)(last ? flags : (uint8_t)(flags & ~late) | KMP_MORE_FRAMES),
            .request = request,
        };
        if (wire->checks) {
            header.flags |= KMP_CHECKED;
            header.check = kt_kmp_check(&header, frame + KMP_HEADER);
        }
        kt_kmp_header_encode(&header, frame);
    }
    return KT_OK;
}

static KtStatus check_header(const KmpInbox *inbox, const KmpHeader *header, KtDiag *diag)
{
    if (header->length > inbox->frame_most)
        return kt_diag_set(diag, KT_ERR_FRAME_TOO_LARGE, NULL,
                           "A frame of %u bytes came; at most %u are accepted here.",
                           header->length, inbox->frame_most);
    if (header->flags & (KMP_ZSTD | KMP_LZ4))
        return kt_diag_set(diag, KT_ERR_NOT_SUPPORTED, NULL,
                           "A compressed frame came, but no compression was agreed.");
    if (((header->flags & KMP_CHECKED) != 0) != inbox->checks ||
        (!inbox->checks && header->check != 0))
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           inbox->checks
                               ? "A frame without its check came, though checks were agreed."
                               : "A frame with a check came, but checks were not agreed.");
    if (inbox->joining) {
        if (header->type != inbox->first.type || header->request != inbox->first.request ||
            header->stream != inbox->first.stream)
            return kt_diag_set(
                diag, KT_ERR_PROTOCOL, NULL,
                "A frame of request %u came in the middle of a message of request %u.",
                header->request, inbox->first.request);
        if (header->length > inbox->message_most - inbox->joined.len)
            return kt_diag_set(diag, KT_ERR_FRAME_TOO_LARGE, NULL,
                               "A message of more than %zu bytes came.", inbox->message_most);
    }
    if ((header->flags & KMP_MORE_FRAMES) && header->length == 0)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "An empty frame that says more follows.");
    return KT_OK;
}

KtStatus kt_kmp_inbox_next(KmpInbox *inbox, const uint8_t *data, size_t len, KtDiag *diag,
                           size_t *used, size_t *need, KmpMessage *out, bool *got)
{
    size_t at = 0;
    *used = 0;
    *need = KMP_HEADER;
    *got = false;
    while (len - at >= KMP_HEADER) {
        KmpHeader header = kt_kmp_header_decode(data + at);
        const uint8_t *payload = data + at + KMP_HEADER;
        KT_TRY(check_header(inbox, &header, diag));
        if (len - at - KMP_HEADER < header.length) {
            *need = KMP_HEADER + (size_t)header.length;
            return KT_OK;
        }
        if (inbox->checks && kt_kmp_check(&header, payload) != header.check)
            return kt_diag_set(
                diag, KT_ERR_PROTOCOL, NULL,
                "The check of a frame of request %u is wrong: its bytes changed on the way.",
                header.request);
        at += KMP_HEADER + header.length;
        *used = at;
        bool more = (header.flags & KMP_MORE_FRAMES) != 0;
        if (!inbox->joining && !more) {
            *out = (KmpMessage){header, payload};
            *got = true;
            return KT_OK;
        }
        if (!inbox->joining) {
            if (inbox->joined.cap > JOINED_KEPT)
                kt_buf_close(&inbox->joined);
            kt_buf_clear(&inbox->joined);
            inbox->first = header;
            inbox->joining = true;
        }
        kt_buf_put(&inbox->joined, payload, header.length);
        if (inbox->joined.failed)
            return kt_diag_set(diag, KT_ERR_MEMORY, NULL,
                               "No memory for a message of several frames.");
        if (!more) {
            inbox->joining = false;
            header.length = (uint32_t)inbox->joined.len;
            header.flags = (uint8_t)(header.flags | (inbox->first.flags & KMP_SKIP_IF_FAILED));
            *out = (KmpMessage){header, inbox->joined.data};
            *got = true;
            return KT_OK;
        }
    }
    return KT_OK;
}

void kt_kmp_inbox_close(KmpInbox *inbox)
{
    kt_buf_close(&inbox->joined);
    inbox->joining = false;
}
