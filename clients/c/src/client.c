/* clients/c/src/client.c - connections: opening, requests and their answers, cancelling. */
#include "clients/c/src/internal.h"

#include <stdio.h>
#include <stdlib.h>

const char *kith_version(void) { return KITH_VERSION; }

/* ---- requests and answers ---- */

KtStatus kt_conn_send(kith_connection *c, KmpRequest *request, KtDiag *diag)
{
    KtBuf out = {0};
    if (c->link.fd < 0)
        return kt_diag_set(diag, KT_ERR_CONNECTION, NULL,
                           "The connection is closed; connect again.");
    c->next_request = c->next_request == UINT32_MAX ? 1 : c->next_request + 1;
    request->request = c->next_request;
    KtStatus status = kt_kmp_request_encode(&out, &c->link.wire, request, diag);
    if (status == KT_OK)
        status = kt_link_send(&c->link, &out, diag);
    kt_buf_close(&out);
    return status;
}

static bool is_of_link(KtStatus status)
{
    return status == KT_ERR_CONNECTION || status == KT_ERR_PROTOCOL ||
           status == KT_ERR_FRAME_TOO_LARGE;
}

int kt_conn_lost(kith_connection *c, KtStatus status, KtStatus lost, const KtDiag *diag,
                 kith_error **error)
{
    if (!is_of_link(status))
        return kt_client_fail(error, status, diag);
    kt_link_close(&c->link);
    c->tx = KMP_TX_NONE;
    if (lost == KT_ERR_COMMIT_OUTCOME_UNKNOWN)
        return kt_client_fail_text(
            error, lost,
            "The connection was lost before the answer, so whether it was committed is not known: %s",
            diag->message);
    return kt_client_fail(error, status, diag);
}

static kith_result *result_of(kith_connection *c, uint32_t request)
{
    for (kith_result *r = c->results; r; r = r->next)
        if (r->request == request && !r->ended)
            return r;
    return NULL;
}

static KtStatus enqueue(kith_result *r, const KmpMessage *m, KtDiag *diag)
{
    KtQueued *q = malloc(sizeof *q + m->header.length);
    if (!q)
        return kt_diag_set(diag, KT_ERR_MEMORY, NULL, "No memory for a message of the server.");
    q->next = NULL;
    q->header = m->header;
    if (m->header.length)
        memcpy(q->payload, m->payload, m->header.length);
    if (r->last)
        r->last->next = q;
    else
        r->first = q;
    r->last = q;
    return KT_OK;
}

KtStatus kt_conn_step(kith_connection *c, uint32_t request, KmpMessage *out, bool *mine,
                      KtDiag *diag)
{
    KmpMessage m;
    *mine = false;
    if (c->link.fd < 0)
        return kt_diag_set(diag, KT_ERR_CONNECTION, NULL,
                           "The connection is closed; connect again.");
    KT_TRY(kt_link_receive(&c->link, &m, diag));
    if (m.header.request == 0 && m.header.type == KMP_ERROR) { /* said before the server closes */
        KmpResponse r;
        KT_TRY(kt_kmp_response_decode(&m, c->scratch, diag, &r));
        return kt_diag_set(diag, KT_ERR_CONNECTION, NULL, "The server closes the connection: %.*s",
                           (int)r.as.error.message.len, r.as.error.message.at);
    }
    if (request && m.header.request == request) {
        *out = m;
        *mine = true;
        return KT_OK;
    }
    kith_result *r = result_of(c, m.header.request);
    return r ? enqueue(r, &m, diag) : KT_OK; /* events, and what a closed cursor still sent */
}

int kt_conn_wait(kith_connection *c, uint32_t request, KtStatus lost, KmpResponse *out,
                 kith_error **error)
{
    KtDiag diag = {0};
    for (;;) {
        KmpMessage m;
        bool mine;
        kt_arena_reset(c->scratch);
        KtStatus status = kt_conn_step(c, request, &m, &mine, &diag);
        if (status == KT_OK && mine)
            status = kt_kmp_response_decode(&m, c->scratch, &diag, out);
        if (status != KT_OK)
            return kt_conn_lost(c, status, lost, &diag, error);
        if (!mine || !(m.header.flags & KMP_LAST))
            continue;
        if (out->type == KMP_ERROR) {
            c->tx = out->as.error.tx_state;
            return kt_client_fail_wire(error, &out->as.error);
        }
        if (out->type == KMP_OK)
            c->tx = out->as.ok.tx_state;
        return 0;
    }
}

static int ask(kith_connection *c, KmpRequest *request, KtStatus lost, KmpResponse *out,
               kith_error **error)
{
    KtDiag diag = {0};
    KtStatus status = kt_conn_send(c, request, &diag);
    if (status != KT_OK)
        return kt_conn_lost(c, status, lost, &diag, error);
    return kt_conn_wait(c, request->request, lost, out, error);
}

/* ---- opening ---- */

static void keep(char *to, size_t size, KtText from)
{
    (void)snprintf(to, size, "%.*s", (int)from.len, from.at);
}

static KtText text_of(const char *s) { return (KtText){s, (uint32_t)strlen(s)}; }

static int open_link(kith_connection *c, kith_error **error)
{
    KtDiag diag = {0};
    KmpResponse answer;
    KtStatus status = kt_link_open(&c->link, &c->uri, &c->options, &diag);
    if (status != KT_OK)
        return kt_client_fail(error, status, &diag);
    KmpRequest hello = {.type = KMP_HELLO,
                        .as.hello = {text_of(c->agent), text_of("none"), text_of(c->uri.database)}};
    c->next_request = 0;
    c->tx = KMP_TX_NONE;
    if (ask(c, &hello, KT_OK, &answer, error) != 0) {
        kt_link_close(&c->link);
        return -1;
    }
    if (answer.type != KMP_WELCOME) {
        kt_link_close(&c->link);
        return kt_client_fail_text(error, KT_ERR_PROTOCOL,
                                   "The server answered HELLO with something else than WELCOME.");
    }
    const KmpWelcome *w = &answer.as.welcome;
    keep(c->server, sizeof c->server, w->server);
    keep(c->database, sizeof c->database, w->database);
    c->session = w->session;
    memcpy(c->cancel_key, w->cancel_key.at, KMP_CANCEL_KEY);
    if (w->frame_most >= KMP_FRAME_HELLO && w->frame_most < c->link.wire.frame_most)
        c->link.wire.frame_most = (uint32_t)w->frame_most;
    return 0;
}

int kith_connect(const char *uri, const kith_options *options, kith_connection **out,
                 kith_error **error)
{
    KtDiag diag = {0};
    *out = NULL;
    if (error)
        *error = NULL;
    if (!uri)
        uri = getenv("KITH_URL");
    if (!uri || !*uri)
        uri = "kith://127.0.0.1:5484/kith";
    kith_connection *c = calloc(1, sizeof *c);
    if (!c)
        return kt_client_fail_text(error, KT_ERR_MEMORY, "No memory for a connection.");
    c->link.fd = -1;
    KtStatus status = kt_uri_parse(uri, &diag, &c->uri);
    if (status == KT_OK)
        status = kt_arena_open(NULL, &c->scratch);
    if (status != KT_OK) {
        free(c);
        return kt_client_fail(error, status, &diag);
    }
    if (options)
        c->options = *options;
    (void)snprintf(c->agent, sizeof c->agent, "%s",
                   c->options.agent ? c->options.agent : "libkith/" KITH_VERSION);
    c->options.agent = c->agent;
    if (open_link(c, error) != 0) {
        kith_close(c);
        return -1;
    }
    *out = c;
    return 0;
}

static void detach_all(kith_connection *c)
{
    while (c->results)
        kt_result_detach(c->results);
}

void kith_close(kith_connection *c)
{
    if (!c)
        return;
    if (c->link.fd >= 0) {
        KmpRequest bye = {.type = KMP_BYE};
        KtDiag diag = {0};
        if (kt_conn_send(c, &bye, &diag) != KT_OK) {
            /* the server sees the close all the same */
        }
    }
    detach_all(c);
    kt_link_close(&c->link);
    kt_arena_close(c->scratch);
    free(c);
}

int kith_reconnect(kith_connection *c, kith_error **error)
{
    if (error)
        *error = NULL;
    detach_all(c);
    kt_link_close(&c->link);
    return open_link(c, error);
}

bool kith_is_lost(const kith_connection *c) { return c->link.fd < 0; }
const char *kith_server(const kith_connection *c) { return c->server; }
const char *kith_database(const kith_connection *c) { return c->database; }
bool kith_in_transaction(const kith_connection *c) { return c->tx != KMP_TX_NONE; }

int kith_ping(kith_connection *c, kith_error **error)
{
    KmpRequest ping = {.type = KMP_PING};
    KmpResponse answer;
    if (error)
        *error = NULL;
    return ask(c, &ping, KT_OK, &answer, error);
}

/* Touches only what is constant while connected: the address, the options, session and key. */
int kith_cancel(kith_connection *c, kith_error **error)
{
    KtDiag diag = {0};
    kith_connection other = {.uri = c->uri, .options = c->options};
    KmpResponse answer;
    if (error)
        *error = NULL;
    other.link.fd = -1;
    if (other.options.answer_timeout_ms == 0)
        other.options.answer_timeout_ms = 10000;
    KtStatus status = kt_arena_open(NULL, &other.scratch);
    if (status == KT_OK)
        status = kt_link_open(&other.link, &other.uri, &other.options, &diag);
    int code = status == KT_OK ? 0 : kt_client_fail(error, status, &diag);
    if (code == 0) {
        KmpRequest cancel = {.type = KMP_CANCEL,
                             .as.cancel = {.session = c->session,
                                           .key = {(const char *)c->cancel_key, KMP_CANCEL_KEY}}};
        code = ask(&other, &cancel, KT_OK, &answer, error);
    }
    kt_link_close(&other.link);
    kt_arena_close(other.scratch);
    return code;
}

/* ---- transactions ---- */

int kith_begin(kith_connection *c, const kith_begin_options *options, kith_error **error)
{
    KmpRequest begin = {.type = KMP_BEGIN};
    KmpResponse answer;
    if (error)
        *error = NULL;
    if (options)
        begin.as.begin = (KmpBegin){options->read_only, options->deadline_ms, options->min_commit};
    return ask(c, &begin, KT_OK, &answer, error);
}

int kith_commit(kith_connection *c, uint64_t *commit, kith_error **error)
{
    KmpRequest request = {.type = KMP_COMMIT};
    KmpResponse answer;
    if (error)
        *error = NULL;
    if (ask(c, &request, KT_ERR_COMMIT_OUTCOME_UNKNOWN, &answer, error) != 0)
        return -1;
    if (commit)
        *commit = answer.type == KMP_OK ? answer.as.ok.commit : 0;
    return 0;
}

int kith_rollback(kith_connection *c, kith_error **error)
{
    KmpRequest request = {.type = KMP_ROLLBACK};
    KmpResponse answer;
    if (error)
        *error = NULL;
    return ask(c, &request, KT_OK, &answer, error);
}
