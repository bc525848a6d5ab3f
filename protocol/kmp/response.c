/* protocol/kmp/response.c - the server's messages. Keys are written in ascending order; 0 and empty are left out. */
#include "protocol/kmp/response.h"

#include "protocol/kmp/fields.h"
#include "protocol/kmp/value_codec.h"

/* ---- encoding ---- */

static void put_welcome(KmpMap *map, const KmpWelcome *w)
{
    kt_kmp_map_text(map, KMP_KEY_DATABASE, w->database);
    kt_kmp_map_uint(map, KMP_KEY_SESSION, w->session);
    kt_kmp_map_bin(map, KMP_KEY_CANCEL_KEY, w->cancel_key.at, w->cancel_key.len);
    kt_kmp_map_text(map, KMP_KEY_SERVER, w->server);
    kt_kmp_map_uint(map, KMP_KEY_FRAME_MOST, w->frame_most);
    kt_kmp_map_uint(map, KMP_KEY_MESSAGE_MOST, w->message_most);
    kt_kmp_map_texts(map, KMP_KEY_MECHANISMS, w->mechanism, w->mechanisms);
    kt_kmp_map_uint_if(map, KMP_KEY_COMMIT_NO, w->commit);
    kt_kmp_map_uint_if(map, KMP_KEY_HEARTBEAT_S, w->heartbeat_s);
}

static void put_notice(KmpMap *map, const KmpNotice *n)
{
    kt_kmp_map_text(map, KMP_KEY_NAME, n->name);
    kt_kmp_map_text(map, KMP_KEY_MESSAGE, n->message);
    kt_kmp_map_text_if(map, KMP_KEY_HINT, n->hint);
    kt_kmp_map_position_if(map, &n->at);
}

static KtStatus put_ok(KmpMap *map, const KmpOk *ok, KtDiag *diag)
{
    kt_kmp_map_uint_if(map, KMP_KEY_COMMIT_NO, ok->commit);
    kt_kmp_map_uint_if(map, KMP_KEY_ROW_COUNT, ok->rows);
    if (ok->counters.kind == KT_MAP && ok->counters.len > 0) {
        kt_kmp_map_key(map, KMP_KEY_COUNTERS);
        KT_TRY(kt_kmp_value_encode(map->out, ok->counters, diag));
    }
    kt_kmp_map_text_if(map, KMP_KEY_PLAN, ok->plan);
    if (ok->notices > 0) {
        kt_kmp_map_key(map, KMP_KEY_NOTICES);
        kt_pack_array(map->out, ok->notices);
        for (uint32_t i = 0; i < ok->notices; i++) {
            KmpMap inner = kt_kmp_map_open(map->out);
            put_notice(&inner, &ok->notice[i]);
            kt_kmp_map_close(&inner);
        }
    }
    kt_kmp_map_uint_if(map, KMP_KEY_TX_STATE, ok->tx_state);
    kt_kmp_map_uint_if(map, KMP_KEY_PLAN_US, ok->plan_us);
    kt_kmp_map_uint_if(map, KMP_KEY_RUN_US, ok->run_us);
    kt_kmp_map_uint_if(map, KMP_KEY_PEAK_BYTES, ok->peak_bytes);
    return KT_OK;
}

static void put_error(KmpMap *map, const KmpError *e, int causes)
{
    kt_kmp_map_uint_if(map, KMP_KEY_TX_STATE, e->tx_state);
    kt_kmp_map_uint(map, KMP_KEY_CODE, e->code);
    kt_kmp_map_text(map, KMP_KEY_NAME, e->name);
    kt_kmp_map_text_if(map, KMP_KEY_GQLSTATUS, e->gqlstatus);
    kt_kmp_map_uint(map, KMP_KEY_CLASS, e->error_class);
    if (e->retryable)
        kt_kmp_map_bool(map, KMP_KEY_RETRYABLE, true);
    kt_kmp_map_uint_if(map, KMP_KEY_RETRY_AFTER_MS, e->retry_after_ms);
    kt_kmp_map_text(map, KMP_KEY_MESSAGE, e->message);
    kt_kmp_map_text_if(map, KMP_KEY_DETAIL, e->detail);
    kt_kmp_map_text_if(map, KMP_KEY_HINT, e->hint);
    kt_kmp_map_position_if(map, &e->at);
    kt_kmp_map_uint_if(map, KMP_KEY_QUERY, e->query);
    if (e->cause && causes > 0) {
        kt_kmp_map_key(map, KMP_KEY_CAUSE);
        KmpMap inner = kt_kmp_map_open(map->out);
        put_error(&inner, e->cause, causes - 1);
        kt_kmp_map_close(&inner);
    }
}

static void put_head(KmpMap *map, const KmpHead *head)
{
    kt_kmp_map_uint(map, KMP_KEY_CURSOR, head->cursor);
    kt_kmp_map_uint_if(map, KMP_KEY_QUERY, head->query);
    kt_kmp_map_texts(map, KMP_KEY_COLUMNS, head->column, head->columns);
    if (head->types) {
        kt_kmp_map_key(map, KMP_KEY_TYPES);
        kt_pack_array(map->out, head->columns);
        for (uint32_t i = 0; i < head->columns; i++)
            kt_pack_uint(map->out, head->types[i]);
    }
}

static KtStatus put_body(KmpMap *map, const KmpResponse *r, KtDiag *diag)
{
    if (r->type == KMP_WELCOME) {
        put_welcome(map, &r->as.welcome);
    } else if (r->type == KMP_OK) {
        return put_ok(map, &r->as.ok, diag);
    } else if (r->type == KMP_ERROR) {
        put_error(map, &r->as.error, KMP_CAUSES);
    } else if (r->type == KMP_HEAD) {
        put_head(map, &r->as.head);
    } else if (r->type == KMP_NOTICE) {
        put_notice(map, &r->as.notice);
    } else if (r->type == KMP_PROGRESS) {
        kt_kmp_map_uint_if(map, KMP_KEY_ROWS_SEEN, r->as.progress.rows_seen);
        kt_kmp_map_text_if(map, KMP_KEY_OPERATOR, r->as.progress.op);
        kt_kmp_map_uint_if(map, KMP_KEY_ESTIMATE, r->as.progress.estimate);
    } else if (r->type == KMP_EVENT) {
        kt_kmp_map_text_if(map, KMP_KEY_MESSAGE, r->as.event.message);
        kt_kmp_map_text(map, KMP_KEY_KIND, r->as.event.kind);
        kt_kmp_map_uint_if(map, KMP_KEY_GRACE_MS, r->as.event.grace_ms);
    }
    return KT_OK;
}

KtStatus kt_kmp_response_encode(KtBuf *out, const KmpWire *wire, const KmpResponse *response,
                                KtDiag *diag)
{
    KmpType type = response->type;
    uint8_t last = type == KMP_WELCOME || type == KMP_OK || type == KMP_ERROR || type == KMP_PONG
                       ? KMP_LAST
                       : 0;
    size_t at = kt_kmp_frame_open(out);
    KmpMap map = kt_kmp_map_open(out);
    KtStatus status = put_body(&map, response, diag);
    kt_kmp_map_close(&map);
    if (status != KT_OK) {
        out->len = at;
        return status;
    }
    return kt_kmp_frame_close(out, at, wire, type, response->flags | last, response->request);
}

KmpError kt_kmp_error_of(KtStatus status, const KtDiag *diag)
{
    const KtErrorFacts *facts = kt_error_facts(status);
    bool told = diag && diag->status == status;
    const char *message = told && diag->message[0] ? diag->message : facts->wire;
    const char *hint = told && diag->hint[0] ? diag->hint : facts->hint;
    return (KmpError){
        .code = facts->number,
        .name = {facts->wire, (uint32_t)strlen(facts->wire)},
        .gqlstatus = {facts->gqlstatus, (uint32_t)strlen(facts->gqlstatus)},
        .error_class = facts->error_class,
        .retryable = facts->retryable,
        .message = {message, (uint32_t)strlen(message)},
        .detail = {facts->detail, (uint32_t)strlen(facts->detail)},
        .hint = {hint, (uint32_t)strlen(hint)},
        .at = told ? diag->at : (KtPos){0},
    };
}

/* ---- rows ---- */

enum {
    BATCH_HEAD = 3
}; /* the array header, always in its 16-bit form so that it can be filled in late */

void kt_kmp_batch_open(KmpBatch *batch, KtBuf *out)
{
    static const uint8_t head[BATCH_HEAD] = {0xDC, 0, 0};
    *batch = (KmpBatch){.out = out, .at = kt_kmp_frame_open(out)};
    kt_buf_put(out, head, sizeof head);
}

KtStatus kt_kmp_batch_row(KmpBatch *batch, const KtValue *value, uint32_t n, KtDiag *diag)
{
    KT_CHECK(batch->rows < KMP_ROWS_IN_BATCH);
    size_t before = batch->out->len;
    kt_pack_array(batch->out, n);
    for (uint32_t i = 0; i < n; i++) {
        KtStatus status = kt_kmp_value_encode(batch->out, value[i], diag);
        if (status != KT_OK) {
            batch->out->len = before;
            return status;
        }
    }
    if (batch->out->failed)
        return kt_diag_set(diag, KT_ERR_MEMORY, NULL, "No memory to encode a row.");
    batch->rows++;
    return KT_OK;
}

size_t kt_kmp_batch_bytes(const KmpBatch *batch)
{
    return batch->out->len - batch->at - KMP_HEADER;
}

void kt_kmp_batch_drop_row(KmpBatch *batch, size_t bytes)
{
    KT_CHECK(batch->rows > 0 && bytes >= BATCH_HEAD);
    batch->rows--;
    batch->out->len = batch->at + KMP_HEADER + bytes;
}

KtStatus kt_kmp_batch_close(KmpBatch *batch, const KmpWire *wire, uint8_t flags, uint32_t request)
{
    if (!batch->out->failed) {
        uint8_t *count = batch->out->data + batch->at + KMP_HEADER + 1;
        count[0] = (uint8_t)(batch->rows >> 8);
        count[1] = (uint8_t)batch->rows;
    }
    return kt_kmp_frame_close(batch->out, batch->at, wire, KMP_ROWS, flags, request);
}

KtStatus kt_kmp_rows_next(KmpRows *rows, KtArena *arena, KtDiag *diag, KtValue *value,
                          uint32_t columns)
{
    KtPackToken token;
    KT_CHECK(rows->rows > 0);
    KT_TRY(kt_unpack_token(&rows->in, diag, &token));
    if (token.kind != KT_TOKEN_ARRAY || token.len != columns)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "ROWS: a row is no array of %u values.",
                           columns);
    for (uint32_t i = 0; i < columns; i++)
        KT_TRY(kt_kmp_value_decode(&rows->in, arena, diag, &value[i]));
    rows->rows--;
    if (rows->rows == 0 && kt_reader_left(&rows->in) != 0)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           "ROWS: bytes are left over behind the last row.");
    return KT_OK;
}

/* ---- decoding ---- */

static KmpTxState tx_state(const KmpBody *body)
{
    uint64_t n = body->slot[KMP_KEY_TX_STATE].number;
    return n == KMP_TX_OPEN ? KMP_TX_OPEN : n == KMP_TX_FAILED ? KMP_TX_FAILED : KMP_TX_NONE;
}

static KtStatus get_notice(const KmpBody *body, KtDiag *diag, KmpNotice *out)
{
    KmpNotice n = {.name = body->slot[KMP_KEY_NAME].text,
                   .message = body->slot[KMP_KEY_MESSAGE].text,
                   .hint = body->slot[KMP_KEY_HINT].text};
    KT_TRY(kt_kmp_position(&body->slot[KMP_KEY_POSITION], diag, &n.at));
    *out = n;
    return KT_OK;
}

static KtStatus get_notices(const KmpSlot *slot, KtArena *arena, KtDiag *diag, KmpOk *ok)
{
    if (!slot->seen)
        return KT_OK;
    KtReader in = kt_reader(slot->text.at, slot->text.len);
    KtPackToken token;
    KT_TRY(kt_unpack_token(&in, diag, &token));
    if (token.kind != KT_TOKEN_ARRAY)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "OK: notices must be a list.");
    KmpNotice *notice = NULL;
    uint32_t cap = 0;
    for (uint32_t i = 0; i < token.len; i++) {
        KmpBody body;
        KT_TRY(kt_arena_grow(arena, (void **)&notice, i, &cap, sizeof *notice));
        KT_TRY(kt_kmp_body_decode(KMP_NOTICE, &in, arena, diag, &body));
        KT_TRY(get_notice(&body, diag, &notice[i]));
    }
    ok->notices = token.len;
    ok->notice = notice;
    return KT_OK;
}

static KtStatus get_error(const KmpBody *body, KtArena *arena, KtDiag *diag, int causes,
                          KmpError *out)
{
    uint64_t class = body->slot[KMP_KEY_CLASS].number;
    KmpError e = {
        .code = body->slot[KMP_KEY_CODE].number,
        .name = body->slot[KMP_KEY_NAME].text,
        .gqlstatus = body->slot[KMP_KEY_GQLSTATUS].text,
        .error_class = class <= KT_CLASS_SECURITY ? (KtErrorClass) class : KT_CLASS_SERVER,
        .retryable = body->slot[KMP_KEY_RETRYABLE].number != 0,
        .retry_after_ms = body->slot[KMP_KEY_RETRY_AFTER_MS].number,
        .message = body->slot[KMP_KEY_MESSAGE].text,
        .detail = body->slot[KMP_KEY_DETAIL].text,
        .hint = body->slot[KMP_KEY_HINT].text,
        .query = body->slot[KMP_KEY_QUERY].number,
        .tx_state = tx_state(body),
    };
    KT_TRY(kt_kmp_position(&body->slot[KMP_KEY_POSITION], diag, &e.at));
    const KmpSlot *cause = &body->slot[KMP_KEY_CAUSE];
    if (cause->seen && causes > 0) {
        KmpBody *inner = kt_arena_alloc(arena, sizeof *inner);
        KmpError *error = kt_arena_alloc(arena, sizeof *error);
        if (!inner || !error)
            return kt_diag_set(diag, KT_ERR_MEMORY, NULL, "No memory for an error.");
        KtReader in = kt_reader(cause->text.at, cause->text.len);
        KT_TRY(kt_kmp_body_decode(KMP_ERROR, &in, arena, diag, inner));
        KT_TRY(get_error(inner, arena, diag, causes - 1, error));
        e.cause = error;
    }
    *out = e;
    return KT_OK;
}

static KtStatus get_welcome(const KmpBody *body, KtDiag *diag, KmpWelcome *out)
{
    const KmpSlot *key = &body->slot[KMP_KEY_CANCEL_KEY],
                  *mechanisms = &body->slot[KMP_KEY_MECHANISMS];
    if (key->text.len != KMP_CANCEL_KEY)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           "WELCOME: the cancel key must have %d bytes.", KMP_CANCEL_KEY);
    *out = (KmpWelcome){
        .server = body->slot[KMP_KEY_SERVER].text,
        .database = body->slot[KMP_KEY_DATABASE].text,
        .session = body->slot[KMP_KEY_SESSION].number,
        .cancel_key = key->text,
        .frame_most = body->slot[KMP_KEY_FRAME_MOST].number,
        .message_most = body->slot[KMP_KEY_MESSAGE_MOST].number,
        .mechanisms = mechanisms->n,
        .mechanism = mechanisms->texts,
        .commit = body->slot[KMP_KEY_COMMIT_NO].number,
        .heartbeat_s = body->slot[KMP_KEY_HEARTBEAT_S].number,
    };
    return KT_OK;
}

static KtStatus get_ok(const KmpBody *body, KtArena *arena, KtDiag *diag, KmpOk *out)
{
    const KmpSlot *counters = &body->slot[KMP_KEY_COUNTERS];
    *out = (KmpOk){
        .rows = body->slot[KMP_KEY_ROW_COUNT].number,
        .counters = counters->seen ? counters->map : kt_map(NULL, 0),
        .commit = body->slot[KMP_KEY_COMMIT_NO].number,
        .plan_us = body->slot[KMP_KEY_PLAN_US].number,
        .run_us = body->slot[KMP_KEY_RUN_US].number,
        .peak_bytes = body->slot[KMP_KEY_PEAK_BYTES].number,
        .plan = body->slot[KMP_KEY_PLAN].text,
        .tx_state = tx_state(body),
    };
    return get_notices(&body->slot[KMP_KEY_NOTICES], arena, diag, out);
}

static KtStatus get_head(const KmpBody *body, KtDiag *diag, KmpHead *out)
{
    const KmpSlot *columns = &body->slot[KMP_KEY_COLUMNS], *types = &body->slot[KMP_KEY_TYPES];
    if (types->seen && types->n != columns->n)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "HEAD: %u columns and %u types.",
                           columns->n, types->n);
    *out = (KmpHead){.cursor = body->slot[KMP_KEY_CURSOR].number,
                     .query = body->slot[KMP_KEY_QUERY].number,
                     .columns = columns->n,
                     .column = columns->texts,
                     .types = types->seen ? types->numbers : NULL};
    return KT_OK;
}

static KtStatus get_rows(const KmpMessage *message, KtDiag *diag, KmpRows *out)
{
    KtPackToken token;
    KmpRows rows = {.in = kt_reader(message->payload, message->header.length)};
    KT_TRY(kt_unpack_token(&rows.in, diag, &token));
    if (token.kind != KT_TOKEN_ARRAY || (token.len == 0 && kt_reader_left(&rows.in) != 0))
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           "ROWS: the payload must be one array of rows.");
    rows.rows = token.len;
    *out = rows;
    return KT_OK;
}

KtStatus kt_kmp_response_decode(const KmpMessage *message, KtArena *arena, KtDiag *diag,
                                KmpResponse *out)
{
    const KmpHeader *header = &message->header;
    int since = 0;
    const char *name = kt_kmp_type_name(header->type, &since);
    if (!name || since == 0 || !(header->type & 0x80))
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           "0x%02X is no message that a server of KMP %d sends.", header->type,
                           KMP_MAJOR);
    KmpResponse r = {.type = (KmpType)header->type,
                     .flags = header->flags & (KMP_LAST | KMP_PARKED),
                     .request = header->request};
    KmpBody body;
    if (r.type == KMP_ROWS) {
        KT_TRY(get_rows(message, diag, &r.as.rows));
        *out = r;
        return KT_OK;
    }
    KT_TRY(kt_kmp_payload_decode(r.type, message->payload, header->length, arena, diag, &body));
    if (r.type == KMP_WELCOME)
        KT_TRY(get_welcome(&body, diag, &r.as.welcome));
    else if (r.type == KMP_OK)
        KT_TRY(get_ok(&body, arena, diag, &r.as.ok));
    else if (r.type == KMP_ERROR)
        KT_TRY(get_error(&body, arena, diag, KMP_CAUSES, &r.as.error));
    else if (r.type == KMP_HEAD)
        KT_TRY(get_head(&body, diag, &r.as.head));
    else if (r.type == KMP_NOTICE)
        KT_TRY(get_notice(&body, diag, &r.as.notice));
    else if (r.type == KMP_PROGRESS)
        r.as.progress =
            (KmpProgress){body.slot[KMP_KEY_ROWS_SEEN].number, body.slot[KMP_KEY_ESTIMATE].number,
                          body.slot[KMP_KEY_OPERATOR].text};
    else if (r.type == KMP_EVENT)
        r.as.event = (KmpEvent){body.slot[KMP_KEY_KIND].text, body.slot[KMP_KEY_MESSAGE].text,
                                body.slot[KMP_KEY_GRACE_MS].number};
    *out = r;
    return KT_OK;
}
