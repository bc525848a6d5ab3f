/* protocol/kmp/frame.h - preamble, frame headers, and messages cut into frames and joined again.
 *
 * Pure functions over bytes: whoever owns the socket hands bytes in and carries bytes out. Lengths are
 * checked against limits before anything is allocated for them. */
#ifndef KT_PROTOCOL_KMP_FRAME_H
#define KT_PROTOCOL_KMP_FRAME_H

#include "base/buf.h"
#include "base/diag.h"
#include "protocol/kmp/limits.h"

typedef enum KmpType {
#define KMP_MESSAGE(name, code, since) KMP_##name = (code),
#include "protocol/kmp/messages.def"
} KmpType;

/* The name of a message type, e.g. "RUN"; NULL for a code that no message has. *since: 1, or 0 for a code
 * that is kept and refused. `since` may be NULL. */
const char *kt_kmp_type_name(uint8_t type, int *since);

/* ---- preamble ---- */

typedef struct KmpPreamble {
    uint8_t low, high; /* majors; from the server both are the chosen one, 0 when none fits */
    uint32_t capabilities;
    uint32_t frame_most; /* largest payload that the sender accepts */
} KmpPreamble;

void kt_kmp_preamble_encode(const KmpPreamble *preamble, uint8_t out[KMP_PREAMBLE]);
/* False when these first `len` bytes (any number) cannot begin a preamble: a foreign protocol. */
bool kt_kmp_preamble_possible(const uint8_t *bytes, size_t len) KT_MUST_CHECK;
/* Errors: PROTOCOL for foreign bytes, lowest above highest, or a frame limit below KMP_FRAME_HELLO. */
KtStatus kt_kmp_preamble_decode(const uint8_t bytes[KMP_PREAMBLE], KtDiag *diag,
                                KmpPreamble *out) KT_MUST_CHECK;
/* The server's answer: chosen major (0: none in common), capabilities of both, its own frame limit.
 * *answer is filled in any case and is to be sent. Errors: NOT_SUPPORTED without a common major; then close. */
KtStatus kt_kmp_preamble_agree(const KmpPreamble *client, uint32_t capabilities,
                               uint32_t frame_most, KtDiag *diag,
                               KmpPreamble *answer) KT_MUST_CHECK;

/* ---- headers ---- */

typedef struct KmpHeader {
    uint32_t length; /* payload bytes */
    uint8_t type, flags;
    uint16_t stream;
    uint32_t request;
    uint32_t check;
} KmpHeader;

void kt_kmp_header_encode(const KmpHeader *header, uint8_t out[KMP_HEADER]);
KmpHeader kt_kmp_header_decode(const uint8_t in[KMP_HEADER]);
/* Low 32 bits of XXH3-64 over the header's first 12 bytes and the payload. */
uint32_t kt_kmp_check(const KmpHeader *header, const uint8_t *payload);

/* ---- outgoing ---- */

typedef struct KmpWire {
    uint32_t frame_most; /* largest payload the peer accepts: longer messages are cut */
    bool checks;         /* capability CHECKS was agreed */
} KmpWire;

/* Opens a frame at the end of `out`; the payload is appended by the caller. Returns the place to hand to
 * kt_kmp_frame_close (valid even when `out` has failed). */
size_t kt_kmp_frame_open(KtBuf *out);
/* Fills in the header and check of the message whose payload stands between `at` and the end, cutting it
 * into several frames when it is longer than wire->frame_most. `flags` without KMP_MORE_FRAMES and
 * KMP_CHECKED; KMP_LAST and KMP_PARKED go on the last frame. Errors: MEMORY; FRAME_TOO_LARGE above
 * KMP_MESSAGE_MOST, with `out` cut back to `at`. */
KtStatus kt_kmp_frame_close(KtBuf *out, size_t at, const KmpWire *wire, KmpType type, uint8_t flags,
                            uint32_t request) KT_MUST_CHECK;

/* ---- incoming ---- */

typedef struct KmpMessage {
    KmpHeader header; /* of the last frame; length is that of the whole payload */
    const uint8_t *payload;
} KmpMessage;

/* One direction of a connection. Set the first three fields, start the rest as {0}; close with
 * kt_kmp_inbox_close. frame_most may be raised after WELCOME. */
typedef struct KmpInbox {
    uint32_t frame_most;
    size_t message_most;
    bool checks;
    bool joining; /* a message of several frames is under way in `joined` */
    KmpHeader first;
    KtBuf joined; /* set joined.budget to charge it */
} KmpInbox;

/* Looks for one whole message at the start of `data`.
 * *used: bytes of `data` that are done with; *need: when no message came, the bytes from the (new) start that
 * the next frame needs in all. *got: a message is in *out. Lifetime of the payload: that of `data`, and until
 * the next call. Errors (the connection is to be closed, the stream of frames is lost): FRAME_TOO_LARGE,
 * PROTOCOL, MEMORY. */
KtStatus kt_kmp_inbox_next(KmpInbox *inbox, const uint8_t *data, size_t len, KtDiag *diag,
                           size_t *used, size_t *need, KmpMessage *out, bool *got) KT_MUST_CHECK;
void kt_kmp_inbox_close(KmpInbox *inbox);

#endif
