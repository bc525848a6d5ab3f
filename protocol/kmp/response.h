/* protocol/kmp/response.h - what the server sends: encoded and decoded. */
#ifndef KT_PROTOCOL_KMP_RESPONSE_H
#define KT_PROTOCOL_KMP_RESPONSE_H

#include "base/value.h"
#include "protocol/kmp/frame.h"

/* State of the connection's transaction after an answer. */
typedef enum KmpTxState { KMP_TX_NONE = 0, KMP_TX_OPEN = 1, KMP_TX_FAILED = 2 } KmpTxState;

typedef struct KmpWelcome {
    KtText server;   /* "Kith/0.1.0" */
    KtText database; /* name of the database that was taken */
    uint64_t session;
    KtText cancel_key; /* KMP_CANCEL_KEY bytes */
    uint64_t frame_most, message_most;
    uint32_t mechanisms;
    const KtText *mechanism;
    uint64_t commit;      /* newest published */
    uint64_t heartbeat_s; /* 0: none */
} KmpWelcome;

typedef struct KmpNotice {
    KtText name, message, hint;
    KtPos at; /* line 0: no place */
} KmpNotice;

typedef struct KmpOk {
    uint64_t rows; /* rows that went out */
    /* MAP of text to Integer, only what is not 0: nodes_created, rels_created, props_set ... */
    KtValue counters;
    uint64_t commit; /* number of the commit that this request made; 0: none */
    uint64_t plan_us, run_us, peak_bytes;
    KtText plan; /* EXPLAIN and PROFILE: an indented text table */
    uint32_t notices;
    const KmpNotice *notice;
    KmpTxState tx_state;
} KmpOk;

typedef struct KmpError KmpError;
struct KmpError {
    uint64_t code; /* 1042 of KITH-1042 */
    KtText name;   /* "NotSupported" */
    KtText gqlstatus;
    KtErrorClass error_class;
    bool retryable;
    uint64_t retry_after_ms;
    KtText message, detail, hint;
    KtPos at;       /* line 0: no place */
    uint64_t query; /* 0: none */
    KmpTxState tx_state;
    const KmpError *cause; /* NULL: none; at most KMP_CAUSES */
};

typedef struct KmpHead {
    uint64_t cursor, query;
    uint32_t columns;
    const KtText *column;
    const uint64_t *types; /* a set of kinds (KtKinds) for each column, or NULL */
} KmpHead;

typedef struct KmpProgress {
    uint64_t rows_seen, estimate;
    KtText op;
} KmpProgress;

typedef struct KmpEvent {
    KtText kind; /* "going-away" */
    KtText message;
    uint64_t grace_ms;
} KmpEvent;

/* ROWS as bytes: rows are read one at a time, so that a batch costs the memory of one row. */
typedef struct KmpRows {
    uint32_t rows; /* left to read */
    KtReader in;
} KmpRows;

typedef struct KmpResponse {
    KmpType type;  /* WELCOME OK ERROR PONG HEAD ROWS NOTICE PROGRESS EVENT */
    uint8_t flags; /* KMP_LAST, KMP_PARKED */
    uint32_t request;
    union {
        KmpWelcome welcome;
        KmpOk ok;
        KmpError error;
        KmpHead head;
        KmpRows rows; /* decode only */
        KmpNotice notice;
        KmpProgress progress;
        KmpEvent event;
    } as;
} KmpResponse;

/* Appends the whole message, header included; KMP_LAST is set for WELCOME, OK, ERROR and PONG whatever flags
 * say. Not for ROWS. Errors: MEMORY, FRAME_TOO_LARGE, those of the value codec; `out` is then as before. */
KtStatus kt_kmp_response_encode(KtBuf *out, const KmpWire *wire, const KmpResponse *response,
                                KtDiag *diag) KT_MUST_CHECK;

/* Lifetime of what *out points to: the payload and `arena`. Errors: PROTOCOL, those of the value codec. */
KtStatus kt_kmp_response_decode(const KmpMessage *message, KtArena *arena, KtDiag *diag,
                                KmpResponse *out) KT_MUST_CHECK;

/* The error that stands in `status` and `diag` (NULL: the facts only). Lifetime: diag's. */
KmpError kt_kmp_error_of(KtStatus status, const KtDiag *diag);

/* ---- rows, as they are made ---- */

/* A ROWS message under way at the end of `out`. */
typedef struct KmpBatch {
    KtBuf *out;
    size_t at;     /* of the frame */
    uint32_t rows; /* at most KMP_ROWS_IN_BATCH */
} KmpBatch;

void kt_kmp_batch_open(KmpBatch *batch, KtBuf *out);
/* Appends one row; a failed row is cut off again. Errors: those of the value codec. */
KtStatus kt_kmp_batch_row(KmpBatch *batch, const KtValue *value, uint32_t n,
                          KtDiag *diag) KT_MUST_CHECK;
/* Payload bytes so far: what counts against the credit. An empty batch has 3 and counts nothing. */
size_t kt_kmp_batch_bytes(const KmpBatch *batch);
/* Takes the last row off again: `bytes` is kt_kmp_batch_bytes from before it. */
void kt_kmp_batch_drop_row(KmpBatch *batch, size_t bytes);
/* Fills in the frame; flags: KMP_PARKED or 0. Errors: as kt_kmp_frame_close. */
KtStatus kt_kmp_batch_close(KmpBatch *batch, const KmpWire *wire, uint8_t flags,
                            uint32_t request) KT_MUST_CHECK;

/* Reads the next row of a ROWS message into `value`, which has room for `columns`. Call while rows->rows > 0.
 * Errors: PROTOCOL also for a row of another width. */
KtStatus kt_kmp_rows_next(KmpRows *rows, KtArena *arena, KtDiag *diag, KtValue *value,
                          uint32_t columns) KT_MUST_CHECK;

#endif
