/* protocol/kmp/request.h - what a client sends: encoded and decoded. */
#ifndef KT_PROTOCOL_KMP_REQUEST_H
#define KT_PROTOCOL_KMP_REQUEST_H

#include "base/value.h"
#include "protocol/kmp/frame.h"

typedef struct KmpHello {
    KtText agent;     /* program and version, for the server's log and list of sessions */
    KtText mechanism; /* "none" until login exists */
    KtText database;  /* empty: the first database, "kith" */
} KmpHello;

typedef struct KmpRun {
    KtText text;
    KtValue params;        /* MAP; null when there are none (decoded: an empty MAP) */
    uint64_t credit_rows;  /* what may be on the wire before the first MORE */
    uint64_t credit_bytes; /* payload bytes of ROWS messages */
    uint64_t deadline_ms;  /* from arrival, waits included; 0: the server's own limit */
    bool read_only;        /* outside a transaction: refuse a statement that writes */
    uint64_t min_commit;   /* 0: any */
    KtText tag;            /* shown with the query by the server */
} KmpRun;

typedef struct KmpMore {
    uint64_t cursor, credit_rows, credit_bytes; /* credit is added to what is left */
} KmpMore;

typedef struct KmpClose {
    uint64_t cursor;
} KmpClose;

/* On the connection itself: `request` names one RUN (0: all that run or wait). On a second connection:
 * session and key of WELCOME besides. */
typedef struct KmpCancel {
    uint64_t request, session;
    KtText key; /* KMP_CANCEL_KEY bytes, or empty */
} KmpCancel;

typedef struct KmpBegin {
    bool read_only;
    uint64_t deadline_ms, min_commit; /* 0: none */
} KmpBegin;

typedef struct KmpRequest {
    /* HELLO RUN MORE CLOSE CANCEL BEGIN, or without a body COMMIT ROLLBACK RESET PING BYE */
    KmpType type;
    uint8_t flags; /* KMP_SKIP_IF_FAILED or 0 */
    uint32_t request;
    union {
        KmpHello hello;
        KmpRun run;
        KmpMore more;
        KmpClose close;
        KmpCancel cancel;
        KmpBegin begin;
    } as;
} KmpRequest;

/* Appends the whole message, header included. Errors: MEMORY, FRAME_TOO_LARGE, those of the value codec;
 * `out` is then as before. */
KtStatus kt_kmp_request_encode(KtBuf *out, const KmpWire *wire, const KmpRequest *request,
                               KtDiag *diag) KT_MUST_CHECK;

/* Lifetime of what *out points to: that of the message's payload, and `arena`.
 * Errors leave the connection usable; answer them with ERROR to message->header.request: PROTOCOL;
 * NOT_SUPPORTED for a stream other than 0, messages of later versions and an idempotency key;
 * AUTH_UNSUPPORTED for AUTH and any mechanism but "none"; those of the value codec. */
KtStatus kt_kmp_request_decode(const KmpMessage *message, KtArena *arena, KtDiag *diag,
                               KmpRequest *out) KT_MUST_CHECK;

#endif
