/* clients/c/src/internal.h - what the files of libkith share. Nothing here is seen by users. */
#ifndef KITH_CLIENTS_C_SRC_INTERNAL_H
#define KITH_CLIENTS_C_SRC_INTERNAL_H

#include "base/value.h"
#include <kith/kith.h>
#include "protocol/kmp/request.h"
#include "protocol/kmp/response.h"

#include <sys/socket.h>

/* ---- errors ---- */

/* Makes the error of `status` with the words of `diag` (NULL: the facts) in *error; returns -1. NULL error: nothing
 * is made. */
int kt_client_fail(kith_error **error, KtStatus status, const KtDiag *diag);
int kt_client_fail_text(kith_error **error, KtStatus status, const char *format, ...)
    KT_PRINTF(3, 4);
/* The same from an ERROR of the server. */
int kt_client_fail_wire(kith_error **error, const KmpError *wire);
bool kt_client_retryable(const kith_error *error);

/* ---- addresses ---- */

typedef struct KtUri {
    bool local;     /* a Unix socket at `host` */
    char host[256]; /* name, address or path */
    char port[6];
    char database[256]; /* "": the server's first */
} KtUri;

/* Errors: USAGE for what is no URI of ours, NOT_SUPPORTED for a user, a password or tls. */
KtStatus kt_uri_parse(const char *text, KtDiag *diag, KtUri *out) KT_MUST_CHECK;

/* ---- sockets ---- */

/* One socket with its buffers; non-blocking inside, blocking to the caller. */
typedef struct KtLink {
    int fd; /* -1: closed */
    KmpInbox inbox;
    KmpWire wire;
    KtBuf in;
    size_t in_at; /* bytes of `in` that are done with */
    uint64_t answer_timeout_ms;
} KtLink;

/* Connects and exchanges preambles. Errors: CONNECTION, PROTOCOL, NOT_SUPPORTED; the link is then closed. */
KtStatus kt_link_open(KtLink *link, const KtUri *uri, const kith_options *options,
                      KtDiag *diag) KT_MUST_CHECK;
void kt_link_close(KtLink *link);
/* Sends all of `out`, reading what comes meanwhile, so that neither side waits for the other. Errors: CONNECTION,
 * MEMORY. */
KtStatus kt_link_send(KtLink *link, const KtBuf *out, KtDiag *diag) KT_MUST_CHECK;
/* The next whole message. Lifetime of its payload: until the next call on the link. Errors: CONNECTION,
 * PROTOCOL, FRAME_TOO_LARGE, MEMORY. */
KtStatus kt_link_receive(KtLink *link, KmpMessage *out, KtDiag *diag) KT_MUST_CHECK;

/* ---- connections and results ---- */

struct kith_connection {
    KtUri uri;
    kith_options options;
    char agent[128];
    KtLink link;
    uint32_t next_request;
    KmpTxState tx;
    kith_result *results; /* open ones */
    KtArena *scratch;     /* the answer under way */
    char server[64], database[256];
    /* for kith_cancel from other threads: constant while connected */
    uint64_t session;
    uint8_t cancel_key[KMP_CANCEL_KEY];
};

/* Messages that came for a result while another was waited for; bounded by its credit. */
typedef struct KtQueued {
    struct KtQueued *next;
    KmpHeader header;
    uint8_t payload[];
} KtQueued;

struct kith_result {
    kith_connection *connection; /* NULL: closed, or the result has ended */
    kith_result *next;
    uint32_t request;
    KmpHead head;
    uint64_t window_rows, window_bytes;
    KtQueued *first, *last;
    KtQueued *batch; /* the ROWS being read */
    KmpRows rows;
    KtArena *row_arena; /* the present row */
    KtArena *arena;     /* head and summary */
    KtValue *row;
    bool has_row, ended, may_commit;
    KmpOk ok;
    char *plan;
};

/* Sends one request under a new number. */
KtStatus kt_conn_send(kith_connection *c, KmpRequest *request, KtDiag *diag) KT_MUST_CHECK;
/* Waits for the last message to `request` and decodes it into *out (an OK, PONG or WELCOME); what belongs to results
 * goes to their queues. An ERROR is turned into *error and -1, a failure of the connection too. `lost`: status to
 * report when the connection is lost. */
int kt_conn_wait(kith_connection *c, uint32_t request, KtStatus lost, KmpResponse *out,
                 kith_error **error);
/* Reads one message and hands it to the result it belongs to. *mine: it answers `request` (0: none) and stands in
 * *out. */
KtStatus kt_conn_step(kith_connection *c, uint32_t request, KmpMessage *out, bool *mine,
                      KtDiag *diag) KT_MUST_CHECK;
/* The connection is lost: closes the socket and reports. */
int kt_conn_lost(kith_connection *c, KtStatus status, KtStatus lost, const KtDiag *diag,
                 kith_error **error);
void kt_result_detach(kith_result *r);
/* The parameters as a map, or the failure that was kept. NULL: an empty map. */
KtStatus kt_params_take(const kith_params *params, KtDiag *diag, KtValue *out) KT_MUST_CHECK;

#endif
