/* clients/c/src/result.c - running a statement and reading its rows.
 *
 * A cursor's credit is its window; when the server parks, the next window is granted as soon as the parked batch
 * is taken up, so that the next rows are on their way while these are read. What waits here is never more
 * than about two windows. */
#include "clients/c/src/internal.h"

#include <stdlib.h>

enum { WIDEST_BYTES = KMP_MESSAGE_MOST };

static void drop_queue(kith_result *r)
{
    while (r->first) {
        KtQueued *q = r->first;
        r->first = q->next;
        free(q);
    }
    r->last = NULL;
}

void kt_result_detach(kith_result *r)
{
    if (!r->connection)
        return;
    for (kith_result **at = &r->connection->results; *at; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            break;
        }
    r->connection = NULL;
    r->next = NULL;
    drop_queue(r);
}

static void result_close(kith_result *r)
{
    kt_result_detach(r);
    free(r->batch);
    kt_arena_close(r->row_arena);
    kt_arena_close(r->arena);
    free(r->row);
    free(r);
}

static kith_result *result_new(kith_connection *c, const kith_run_options *o)
{
    kith_result *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->window_rows = o && o->window_rows ? o->window_rows : KMP_CREDIT_ROWS;
    r->window_bytes = o && o->window_bytes ? o->window_bytes : KMP_CREDIT_BYTES;
    r->may_commit = c->tx == KMP_TX_NONE && !(o && o->read_only);
    if (kt_arena_open(NULL, &r->arena) != KT_OK || kt_arena_open(NULL, &r->row_arena) != KT_OK) {
        result_close(r);
        return NULL;
    }
    return r;
}

static KtStatus lost_means(const kith_result *r)
{
    return r->may_commit ? KT_ERR_COMMIT_OUTCOME_UNKNOWN : KT_ERR_CONNECTION;
}

/* The next message of this result, from its queue or from the wire. Ownership: the caller frees. */
static KtStatus next_message(kith_result *r, KtQueued **out, KtDiag *diag)
{
    while (!r->first) {
        KmpMessage m;
        bool mine;
        KT_TRY(kt_conn_step(r->connection, 0, &m, &mine, diag));
    }
    KtQueued *q = r->first;
    r->first = q->next;
    if (!r->first)
        r->last = NULL;
    *out = q;
    return KT_OK;
}

static KtStatus send_more(kith_result *r, bool empty, KtDiag *diag)
{
    if (empty && r->window_bytes < WIDEST_BYTES) /* one row is larger than the window */
        r->window_bytes = r->window_bytes > WIDEST_BYTES / 2 ? WIDEST_BYTES : r->window_bytes * 2;
    KmpRequest more = {.type = KMP_MORE,
                       .as.more = {r->head.cursor, r->window_rows, r->window_bytes}};
    return kt_conn_send(r->connection, &more, diag);
}

static KmpMessage message_of(const KtQueued *q) { return (KmpMessage){q->header, q->payload}; }

/* Columns and summary are kept in the result's own arena, with the bytes that they point to. */
static KtStatus keep(kith_result *r, const KtQueued *q, KmpResponse *out, KtDiag *diag)
{
    KmpMessage m = message_of(q);
    char *copy = kt_arena_text(r->arena, (const char *)q->payload, q->header.length);
    if (!copy)
        return kt_diag_set(diag, KT_ERR_MEMORY, NULL, "No memory for a result.");
    m.payload = (const uint8_t *)copy;
    return kt_kmp_response_decode(&m, r->arena, diag, out);
}

static KtStatus take_head(kith_result *r, const KtQueued *q, KtDiag *diag)
{
    KmpResponse response;
    KT_TRY(keep(r, q, &response, diag));
    r->head = response.as.head;
    r->row = calloc(r->head.columns ? r->head.columns : 1, sizeof *r->row);
    return r->row ? KT_OK : kt_diag_set(diag, KT_ERR_MEMORY, NULL, "No memory for a result.");
}

static KtStatus take_ok(kith_result *r, const KtQueued *q, KtDiag *diag)
{
    KmpResponse response;
    r->ended = true;
    KT_TRY(keep(r, q, &response, diag));
    r->ok = response.as.ok;
    r->plan = kt_arena_text(r->arena, r->ok.plan.at, r->ok.plan.len);
    r->connection->tx = r->ok.tx_state;
    return r->plan ? KT_OK : kt_diag_set(diag, KT_ERR_MEMORY, NULL, "No memory for a result.");
}

static int take_error(kith_result *r, const KtQueued *q, kith_error **error)
{
    KmpMessage m = message_of(q);
    KmpResponse response;
    KtDiag diag = {0};
    r->ended = true;
    KtStatus status = kt_kmp_response_decode(&m, r->arena, &diag, &response);
    if (status != KT_OK)
        return kt_client_fail(error, status, &diag);
    r->connection->tx = response.as.error.tx_state;
    return kt_client_fail_wire(error, &response.as.error);
}

static int broken(kith_result *r, KtStatus status, const KtDiag *diag, kith_error **error)
{
    r->ended = true;
    return kt_conn_lost(r->connection, status, lost_means(r), diag, error);
}

/* Reads on until there is a row (1), HEAD when `head` is asked for (1), the end (0) or an error (-1). */
static int advance(kith_result *r, bool head, kith_error **error)
{
    KtDiag diag = {0};
    for (;;) {
        KtQueued *q;
        KtStatus status = next_message(r, &q, &diag);
        if (status != KT_OK)
            return broken(r, status, &diag, error);
        KmpMessage m = message_of(q);
        KmpResponse response;
        uint8_t type = q->header.type;
        if (type == KMP_ROWS) {
            status = kt_kmp_response_decode(&m, r->row_arena, &diag, &response);
            bool empty = status == KT_OK && response.as.rows.rows == 0;
            if (status == KT_OK && (q->header.flags & KMP_PARKED))
                status = send_more(r, empty, &diag);
            if (status == KT_OK && !empty) {
                r->batch = q;
                r->rows = response.as.rows;
                return 1;
            }
        } else if (type == KMP_HEAD) {
            status = take_head(r, q, &diag);
        } else if (type == KMP_OK) {
            status = take_ok(r, q, &diag);
        } else if (type == KMP_ERROR) {
            int code = take_error(r, q, error);
            free(q);
            return code;
        } /* NOTICE and PROGRESS: the summary has the notices */
        free(q);
        if (status != KT_OK)
            return broken(r, status, &diag, error);
        if (type == KMP_OK)
            return 0;
        if (type == KMP_HEAD && head)
            return 1;
    }
}

int kith_run(kith_connection *c, const char *text, const kith_params *params,
             const kith_run_options *o, kith_result **out, kith_error **error)
{
    KtDiag diag = {0};
    KmpRequest run = {.type = KMP_RUN};
    *out = NULL;
    if (error)
        *error = NULL;
    size_t len = strlen(text);
    if (len > KMP_MESSAGE_MOST)
        return kt_client_fail_text(error, KT_ERR_STATEMENT_TOO_LONG, "The statement has %zu bytes.",
                                   len);
    KtStatus status = kt_params_take(params, &diag, &run.as.run.params);
    if (status != KT_OK)
        return kt_client_fail(error, status, &diag);
    kith_result *r = result_new(c, o);
    if (!r)
        return kt_client_fail_text(error, KT_ERR_MEMORY, "No memory for a result.");
    run.as.run.text = (KtText){text, (uint32_t)len};
    run.as.run.credit_rows = r->window_rows;
    run.as.run.credit_bytes = r->window_bytes;
    if (o) {
        run.as.run.deadline_ms = o->deadline_ms;
        run.as.run.read_only = o->read_only;
        run.as.run.min_commit = o->min_commit;
        run.as.run.tag = o->tag ? (KtText){o->tag, (uint32_t)strlen(o->tag)} : (KtText){"", 0};
    }
    r->connection = c;
    r->next = c->results;
    c->results = r;
    bool was_open = !kith_is_lost(c);
    status = kt_conn_send(c, &run, &diag);
    r->request = run.request;
    int code =
        status == KT_OK
            ? advance(r, true, error)
            : kt_conn_lost(c, status, was_open ? lost_means(r) : KT_ERR_CONNECTION, &diag, error);
    if (code < 0) {
        result_close(r);
        return -1;
    }
    *out = r;
    return 0;
}

int kith_next(kith_result *r, kith_error **error)
{
    KtDiag diag = {0};
    if (error)
        *error = NULL;
    r->has_row = false;
    if (!r->connection && !r->ended)
        return kt_client_fail_text(error, KT_ERR_CONNECTION,
                                   "The connection of this result was closed.");
    if (r->rows.rows == 0) {
        free(r->batch);
        r->batch = NULL;
        if (r->ended)
            return 0;
        int code = advance(r, false, error);
        if (code <= 0)
            return code;
    }
    kt_arena_reset(r->row_arena);
    KtStatus status =
        r->row ? kt_kmp_rows_next(&r->rows, r->row_arena, &diag, r->row, r->head.columns)
               : kt_diag_set(&diag, KT_ERR_PROTOCOL, NULL, "Rows came before their columns.");
    if (status != KT_OK) {
        r->rows.rows = 0;
        return broken(r, status, &diag, error);
    }
    r->has_row = true;
    return 1;
}

/* Stops what still runs: CLOSE, then the answers to the RUN and to the CLOSE. */
static void stop(kith_result *r)
{
    kith_connection *c = r->connection;
    KmpRequest request = {.type = KMP_CLOSE, .as.close = {r->head.cursor}};
    KmpResponse answer;
    KtDiag diag = {0};
    kith_error *error = NULL;
    KtStatus status = kt_conn_send(c, &request, &diag);
    if (status != KT_OK)
        (void)kt_conn_lost(c, status, KT_OK, &diag, NULL);
    else
        (void)kt_conn_wait(c, request.request, KT_OK, &answer, &error);
    kith_error_free(error);
}

void kith_result_free(kith_result *r)
{
    if (!r)
        return;
    if (r->connection && !r->ended && !kith_is_lost(r->connection))
        stop(r);
    result_close(r);
}

int kith_exec(kith_connection *c, const char *text, const kith_params *params, kith_error **error)
{
    kith_result *r;
    int code;
    if (kith_run(c, text, params, NULL, &r, error) != 0)
        return -1;
    do
        code = kith_next(r, error);
    while (code > 0);
    kith_result_free(r);
    return code;
}

uint32_t kith_columns(const kith_result *r) { return r->head.columns; }

const char *kith_column_name(const kith_result *r, uint32_t column, size_t *len)
{
    if (column >= r->head.columns)
        return NULL;
    if (len)
        *len = r->head.column[column].len;
    return r->head.column[column].at;
}

const kith_value *kith_get(const kith_result *r, uint32_t column)
{
    return r->has_row && column < r->head.columns ? (const kith_value *)&r->row[column] : NULL;
}

kith_summary kith_result_summary(const kith_result *r)
{
    return (kith_summary){
        .rows = r->ok.rows,
        .commit = r->ok.commit,
        .plan_us = r->ok.plan_us,
        .run_us = r->ok.run_us,
        .peak_bytes = r->ok.peak_bytes,
        .plan = r->plan ? r->plan : "",
        .counters = (const kith_value *)&r->ok.counters,
        .notices = r->ok.notices,
    };
}

const char *kith_notice_message(const kith_result *r, uint32_t notice)
{
    if (notice >= r->ok.notices)
        return NULL;
    return kt_arena_text(r->arena, r->ok.notice[notice].message.at,
                         r->ok.notice[notice].message.len);
}
