/* protocol/kmp/request.c - the client's messages. Keys are written in ascending order; 0 and empty are left
 * out, but for credit, whose absence means the default. */
#include "protocol/kmp/request.h"

#include "protocol/kmp/fields.h"
#include "protocol/kmp/value_codec.h"

static KtStatus put_run(KmpMap *map, const KmpRun *run, KtDiag *diag)
{
    kt_kmp_map_text(map, KMP_KEY_TEXT, run->text);
    if (run->params.kind == KT_MAP && run->params.len > 0) {
        kt_kmp_map_key(map, KMP_KEY_PARAMS);
        KT_TRY(kt_kmp_value_encode(map->out, run->params, diag));
    }
    kt_kmp_map_uint(map, KMP_KEY_CREDIT_ROWS, run->credit_rows);
    kt_kmp_map_uint(map, KMP_KEY_CREDIT_BYTES, run->credit_bytes);
    kt_kmp_map_uint_if(map, KMP_KEY_DEADLINE_MS, run->deadline_ms);
    if (run->read_only)
        kt_kmp_map_bool(map, KMP_KEY_READ_ONLY, true);
    kt_kmp_map_uint_if(map, KMP_KEY_MIN_COMMIT, run->min_commit);
    kt_kmp_map_text_if(map, KMP_KEY_TAG, run->tag);
    return KT_OK;
}

static void put_cancel(KmpMap *map, const KmpCancel *cancel)
{
    kt_kmp_map_uint_if(map, KMP_KEY_REQUEST, cancel->request);
    kt_kmp_map_uint_if(map, KMP_KEY_SESSION, cancel->session);
    if (cancel->key.len)
        kt_kmp_map_bin(map, KMP_KEY_CANCEL_KEY, cancel->key.at, cancel->key.len);
}

static KtStatus put_body(KmpMap *map, const KmpRequest *request, KtDiag *diag)
{
    if (request->type == KMP_HELLO) {
        kt_kmp_map_text(map, KMP_KEY_AGENT, request->as.hello.agent);
        kt_kmp_map_text(map, KMP_KEY_MECHANISM, request->as.hello.mechanism);
        kt_kmp_map_text_if(map, KMP_KEY_DATABASE, request->as.hello.database);
    } else if (request->type == KMP_RUN) {
        return put_run(map, &request->as.run, diag);
    } else if (request->type == KMP_MORE) {
        kt_kmp_map_uint(map, KMP_KEY_CREDIT_ROWS, request->as.more.credit_rows);
        kt_kmp_map_uint(map, KMP_KEY_CREDIT_BYTES, request->as.more.credit_bytes);
        kt_kmp_map_uint(map, KMP_KEY_CURSOR, request->as.more.cursor);
    } else if (request->type == KMP_CLOSE) {
        kt_kmp_map_uint(map, KMP_KEY_CURSOR, request->as.close.cursor);
    } else if (request->type == KMP_CANCEL) {
        put_cancel(map, &request->as.cancel);
    } else if (request->type == KMP_BEGIN) {
        kt_kmp_map_uint_if(map, KMP_KEY_DEADLINE_MS, request->as.begin.deadline_ms);
        if (request->as.begin.read_only)
            kt_kmp_map_bool(map, KMP_KEY_READ_ONLY, true);
        kt_kmp_map_uint_if(map, KMP_KEY_MIN_COMMIT, request->as.begin.min_commit);
    }
    return KT_OK;
}

KtStatus kt_kmp_request_encode(KtBuf *out, const KmpWire *wire, const KmpRequest *request,
                               KtDiag *diag)
{
    size_t at = kt_kmp_frame_open(out);
    KmpMap map = kt_kmp_map_open(out);
    KtStatus status = put_body(&map, request, diag);
    kt_kmp_map_close(&map);
    if (status != KT_OK) {
        out->len = at;
        return status;
    }
    status = kt_kmp_frame_close(out, at, wire, request->type, request->flags, request->request);
    if (status == KT_ERR_FRAME_TOO_LARGE)
        return kt_diag_set(diag, status, NULL, "The request is above %d bytes; send less in one.",
                           KMP_MESSAGE_MOST);
    return status == KT_OK ? KT_OK
                           : kt_diag_set(diag, status, NULL, "No memory to encode a request.");
}

static KtStatus refuse_type(const KmpMessage *message, KtDiag *diag)
{
    int since = 0;
    const char *name = kt_kmp_type_name(message->header.type, &since);
    if (!name)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "0x%02X is no message of KMP %d.",
                           message->header.type, KMP_MAJOR);
    if (message->header.type & 0x80)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "%s is a message of the server.", name);
    if (since == 0) {
        if (message->header.type == KMP_AUTH)
            return kt_diag_set(diag, KT_ERR_AUTH_UNSUPPORTED, NULL,
                               "AUTH: this server has no login yet; HELLO takes \"none\".");
        return kt_diag_set(diag, KT_ERR_NOT_SUPPORTED, NULL, "%s is not supported yet.", name);
    }
    return KT_OK;
}

static uint64_t number_or(const KmpSlot *slot, uint64_t absent)
{
    return slot->seen ? slot->number : absent;
}

static KtStatus get_run(const KmpBody *body, KtDiag *diag, KmpRun *run)
{
    if (body->slot[KMP_KEY_IDEMPOTENCY].seen)
        return kt_diag_set(diag, KT_ERR_NOT_SUPPORTED, NULL,
                           "RUN: an idempotency key is not supported yet.");
    const KmpSlot *params = &body->slot[KMP_KEY_PARAMS];
    *run = (KmpRun){
        .text = body->slot[KMP_KEY_TEXT].text,
        .params = params->seen ? params->map : kt_map(NULL, 0),
        .credit_rows = number_or(&body->slot[KMP_KEY_CREDIT_ROWS], KMP_CREDIT_ROWS),
        .credit_bytes = number_or(&body->slot[KMP_KEY_CREDIT_BYTES], KMP_CREDIT_BYTES),
        .deadline_ms = body->slot[KMP_KEY_DEADLINE_MS].number,
        .read_only = body->slot[KMP_KEY_READ_ONLY].number != 0,
        .min_commit = body->slot[KMP_KEY_MIN_COMMIT].number,
        .tag = body->slot[KMP_KEY_TAG].text,
    };
    return KT_OK;
}

static KtStatus get_hello(const KmpBody *body, KtDiag *diag, KmpHello *hello)
{
    *hello = (KmpHello){body->slot[KMP_KEY_AGENT].text, body->slot[KMP_KEY_MECHANISM].text,
                        body->slot[KMP_KEY_DATABASE].text};
    if (!kt_text_eq(hello->mechanism, KT_TEXT_LITERAL("none")))
        return kt_diag_set(diag, KT_ERR_AUTH_UNSUPPORTED, NULL,
                           "HELLO: this server has no login yet; the only mechanism is \"none\".");
    return KT_OK;
}

static KtStatus get_cancel(const KmpBody *body, KtDiag *diag, KmpCancel *cancel)
{
    const KmpSlot *session = &body->slot[KMP_KEY_SESSION], *key = &body->slot[KMP_KEY_CANCEL_KEY];
    if (session->seen != key->seen || (key->seen && key->text.len != KMP_CANCEL_KEY))
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           "CANCEL: session and a key of %d bytes go together.", KMP_CANCEL_KEY);
    *cancel = (KmpCancel){body->slot[KMP_KEY_REQUEST].number, session->number, key->text};
    return KT_OK;
}

KtStatus kt_kmp_request_decode(const KmpMessage *message, KtArena *arena, KtDiag *diag,
                               KmpRequest *out)
{
    const KmpHeader *header = &message->header;
    KT_TRY(refuse_type(message, diag));
    if (header->stream != 0)
        return kt_diag_set(diag, KT_ERR_NOT_SUPPORTED, NULL,
                           "Stream %u: only stream 0 is supported.", header->stream);
    if (header->flags & (KMP_LAST | KMP_PARKED | 128))
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "A request with the flags 0x%02X came.",
                           header->flags);
    KmpBody body;
    KT_TRY(kt_kmp_payload_decode((KmpType)header->type, message->payload, header->length, arena,
                                 diag, &body));
    KmpRequest request = {.type = (KmpType)header->type,
                          .flags = header->flags & KMP_SKIP_IF_FAILED,
                          .request = header->request};
    if (request.type == KMP_HELLO)
        KT_TRY(get_hello(&body, diag, &request.as.hello));
    else if (request.type == KMP_RUN)
        KT_TRY(get_run(&body, diag, &request.as.run));
    else if (request.type == KMP_MORE)
        request.as.more = (KmpMore){body.slot[KMP_KEY_CURSOR].number,
                                    number_or(&body.slot[KMP_KEY_CREDIT_ROWS], KMP_CREDIT_ROWS),
                                    number_or(&body.slot[KMP_KEY_CREDIT_BYTES], KMP_CREDIT_BYTES)};
    else if (request.type == KMP_CLOSE)
        request.as.close = (KmpClose){body.slot[KMP_KEY_CURSOR].number};
    else if (request.type == KMP_CANCEL)
        KT_TRY(get_cancel(&body, diag, &request.as.cancel));
    else if (request.type == KMP_BEGIN)
        request.as.begin =
            (KmpBegin){body.slot[KMP_KEY_READ_ONLY].number != 0,
                       body.slot[KMP_KEY_DEADLINE_MS].number, body.slot[KMP_KEY_MIN_COMMIT].number};
    *out = request;
    return KT_OK;
}
