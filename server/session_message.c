/* server/session_message.c - messages: those of the lane get a task, the others act at once. */
#include "server/session_internal.h"

#include "base/clock.h"

static void reset(KtSession *session, uint32_t request)
{
    if (session->resets == KT_COUNT(session->reset_request)) {
        KtDiag diag = {0};
        kt_diag_set(&diag, KT_ERR_PROTOCOL, NULL, "%zu RESETs are not answered yet",
                    KT_COUNT(session->reset_request));
        kt_door_error(session->conn, request, KT_ERR_PROTOCOL, &diag, 0,
                      kt_session_tx_state(session));
        return;
    }
    session->reset_request[session->resets++] = request;
    kt_session_cancel(session, 0);
    if (session->txn)
        session->txn->forget = true;
    kt_txn_abort(session, KT_OK, KT_ENDING_CANCEL);
}

static KtTask *find_cursor(KtSession *session, uint64_t cursor)
{
    for (KtTask *task = session->tasks; task; task = task->next)
        if (task->kind == KT_TASK_RUN && task->cursor == cursor)
            return task;
    for (KtTask *task = session->lane; task; task = task->lane_next)
        if (task->kind == KT_TASK_RUN && task->cursor == cursor)
            return task;
    return NULL;
}

static bool in_flight(const KtSession *session, uint32_t request)
{
    for (const KtTask *task = session->tasks; task; task = task->next)
        if (!task->silent && task->message.header.request == request)
            return true;
    for (const KtTask *task = session->lane; task; task = task->lane_next)
        if (task->message.header.request == request)
            return true;
    return false;
}

static void protocol_error(KtSession *session, uint32_t request, const char *words)
{
    KtDiag diag = {0};
    kt_diag_set(&diag, KT_ERR_PROTOCOL, NULL, "%s", words);
    kt_door_error(session->conn, request, KT_ERR_PROTOCOL, &diag, 0, kt_session_tx_state(session));
}

static void more(KtSession *session, uint32_t request, const KmpMore *ask)
{
    KtTask *task = find_cursor(session, ask->cursor);
    if (!task) {
        if (ask->cursor == 0 || ask->cursor > session->last_cursor)
            protocol_error(session, request, "MORE names a cursor that this connection never had");
        return;
    }
    kt_task_grant(task, ask->credit_rows, ask->credit_bytes);
    if (task->state != KT_TASK_PARKED)
        return;
    task->parked_ns = kt_clock_ns();
    /* Also when the row in hand is still too large: PARKED is said again, since the client waits for it. */
    kt_session_make_ready(session, task);
}

static void close_cursor(KtSession *session, uint32_t request, uint64_t cursor)
{
    KtTask *task = find_cursor(session, cursor);
    if (!task && (cursor == 0 || cursor > session->last_cursor)) {
        protocol_error(session, request, "CLOSE names a cursor that this connection never had");
    } else if (!task || task->close_request) {
        kt_door_ok(session->conn, request, &(KmpOk){.tx_state = kt_session_tx_state(session)});
    } else {
        task->close_request = request;
        kt_session_end(session, task, KT_ENDING_CLOSE);
    }
}

static bool lane_kind(uint8_t type, KtTaskKind *out)
{
    switch (type) {
    case KMP_RUN: *out = KT_TASK_RUN; return true;
    case KMP_BEGIN: *out = KT_TASK_BEGIN; return true;
    case KMP_COMMIT: *out = KT_TASK_COMMIT; return true;
    case KMP_ROLLBACK: *out = KT_TASK_ROLLBACK; return true;
    case KMP_MORE:
    case KMP_CLOSE:
    case KMP_CANCEL:
    case KMP_RESET:
    case KMP_PING:
    case KMP_BYE: return false;
    default:
        *out = KT_TASK_REFUSED;
        return true; /* HELLO again, later versions' messages, unknown ones */
    }
}

static void at_once(KtSession *session, const KmpMessage *message)
{
    KtDiag diag = {0};
    KtArena *arena;
    KmpRequest request;
    KtStatus status = kt_arena_open(NULL, &arena);
    if (status != KT_OK) {
        kt_conn_lost(session->conn);
        return;
    }
    status = kt_kmp_request_decode(message, arena, &diag, &request);
    uint32_t id = message->header.request;
    if (status != KT_OK) {
        kt_door_error(session->conn, id, status, &diag, 0, kt_session_tx_state(session));
    } else {
        switch ((int)request.type) {
        case KMP_MORE: more(session, id, &request.as.more); break;
        case KMP_CLOSE: close_cursor(session, id, request.as.close.cursor); break;
        case KMP_CANCEL:
            if (request.as.cancel.session || request.as.cancel.key.len) {
                protocol_error(
                    session, id,
                    "CANCEL with a session and key goes on a connection of its own, in place of HELLO");
                break;
            }
            kt_session_cancel(session, request.as.cancel.request);
            kt_door_ok(session->conn, id, &(KmpOk){.tx_state = kt_session_tx_state(session)});
            break;
        case KMP_RESET: reset(session, id); break;
        case KMP_PING: kt_door_pong(session->conn, id); break;
        case KMP_BYE: kt_conn_end(session->conn); break;
        default: break;
        }
    }
    kt_arena_close(arena);
}

void kt_session_leave(KtSession *session)
{
    kt_session_cancel(session, 0);
    if (session->txn)
        session->txn->forget = true;
    kt_txn_abort(session, KT_OK, KT_ENDING_CANCEL);
}

void kt_session_message(KtSession *session, const KmpMessage *message)
{
    KtTaskKind kind;
    kt_loop_touch(session->conn->loop, session->conn);
    if (message->header.request == 0) {
        protocol_error(session, 0, "a request has a number that is not 0");
        return;
    }
    if (!lane_kind(message->header.type, &kind)) {
        at_once(session, message);
        return;
    }
    if (in_flight(session, message->header.request)) {
        protocol_error(session, message->header.request,
                       "a request with this number is still being answered");
        return;
    }
    KtServer *server = kt_session_server(session);
    KtTask *task;
    KtStatus status = kt_task_new(server, &session->conn->loop->shelf, session, kind, message,
                                  &session->conn->wire, &task);
    if (status != KT_OK) {
        KtDiag diag = {0};
        bool alone = message->header.length >= server->memory.query;
        kt_diag_set(
            &diag, status, NULL,
            "a request of %u bytes does not fit into the limit of %llu bytes of %s (setting memory %s)",
            message->header.length,
            (unsigned long long)(alone ? server->memory.query : server->memory.queries),
            alone ? "one statement" : "all statements together", alone ? "query" : "queries");
        kt_door_error(session->conn, message->header.request, status, &diag, 0,
                      kt_session_tx_state(session));
        session->last_failed = true;
        return;
    }
    if (kind == KT_TASK_RUN) {
        task->cursor = ++session->last_cursor;
        task->query_id =
            atomic_fetch_add_explicit(&server->next_query, 1, memory_order_relaxed) + 1;
    }
    kt_session_lane_put(session, task);
    kt_session_pump(session);
}
