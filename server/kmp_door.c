/* server/kmp_door.c - what a connection says before it has a session, and how answers become frames. */
#include "server/kmp_door.h"

#include "base/clock.h"
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>

static KtServer *server_of(const KtConn *conn) { return conn->loop->server; }

/* ---- answers ---- */

static void respond(KtConn *conn, uint32_t request, KmpResponse *response)
{
    KtBuf out = {0};
    response->request = request;
    KtStatus status = kt_kmp_response_encode(&out, &conn->wire, response, NULL);
    if (status == KT_OK)
        kt_conn_send(conn, out.data, out.len);
    kt_buf_close(&out);
    if (status != KT_OK)
        kt_conn_lost(conn); /* an answer that cannot be given must not be waited for */
}

void kt_door_ok(KtConn *conn, uint32_t request, const KmpOk *ok)
{
    respond(conn, request, &(KmpResponse){.type = KMP_OK, .as.ok = *ok});
}

void kt_door_error(KtConn *conn, uint32_t request, KtStatus status, const KtDiag *diag,
                   uint64_t query, KmpTxState state)
{
    KmpError error = kt_kmp_error_of(status, diag);
    error.query = query;
    error.tx_state = state;
    respond(conn, request, &(KmpResponse){.type = KMP_ERROR, .as.error = error});
}

void kt_door_pong(KtConn *conn, uint32_t request)
{
    respond(conn, request, &(KmpResponse){.type = KMP_PONG});
}

void kt_door_progress(KtConn *conn, uint32_t request, uint64_t rows_seen)
{
    respond(conn, request,
            &(KmpResponse){.type = KMP_PROGRESS, .as.progress = {.rows_seen = rows_seen}});
}

void kt_door_going_away(KtConn *conn, int64_t grace_ms)
{
    if (conn->stage == KT_CONN_OPEN)
        respond(conn, 0,
                &(KmpResponse){.type = KMP_EVENT,
                               .as.event = {.kind = KT_TEXT_LITERAL("going-away"),
                                            .message = KT_TEXT_LITERAL("kithd is stopping"),
                                            .grace_ms = (uint64_t)grace_ms}});
}

void kt_door_refuse(KtConn *conn, KtStatus status, const KtDiag *diag)
{
    kt_door_error(conn, 0, status, diag, 0, KMP_TX_NONE);
    kt_conn_end(conn);
}

/* ---- the first bytes ---- */

/* Another protocol knocks: one line that a person can read, and the end. */
static void foreign(KtConn *conn, const uint8_t *data, size_t len)
{
    static const struct {
        const char *start;
        size_t len;
        const char *name;
    } known[] = {
        {"GET ", 4, "HTTP"}, {"POST", 4, "HTTP"},    {"HEAD", 4, "HTTP"},
        {"PUT ", 4, "HTTP"}, {"OPTI", 4, "HTTP"},    {"DELE", 4, "HTTP"},
        {"PRI ", 4, "HTTP"}, {"\x16\x03", 2, "TLS"}, {"\x60\x60\xB0\x17", 4, "Bolt"},
    };
    const char *name = NULL;
    for (size_t i = 0; i < KT_COUNT(known) && !name; i++)
        if (len >= known[i].len && memcmp(data, known[i].start, known[i].len) == 0)
            name = known[i].name;
    char line[160];
    int n =
        snprintf(line, sizeof line,
                 "This is kithd, a Kith database server: this port speaks KMP 1 and not %s.\r\n",
                 name ? name : "what was sent");
    kt_conn_send(conn, line, (size_t)n);
    kt_conn_end(conn);
}

/* Returns the bytes that are done with; 0: more are needed, or the connection ends. */
static size_t take_preamble(KtConn *conn, const uint8_t *data, size_t len)
{
    KtServer *server = server_of(conn);
    if (!kt_kmp_preamble_possible(data, len)) {
        foreign(conn, data, len);
        return 0;
    }
    if (len < KMP_PREAMBLE)
        return 0;
    KtDiag diag = {0};
    KmpPreamble client, answer;
    uint8_t bytes[KMP_PREAMBLE];
    KtStatus status = kt_kmp_preamble_decode(data, &diag, &client);
    if (status != KT_OK) {
        kt_door_refuse(conn, status, &diag);
        return 0;
    }
    status = kt_kmp_preamble_agree(&client, KMP_CAP_CHECKS, (uint32_t)server->config.kmp_max_frame,
                                   &diag, &answer);
    kt_kmp_preamble_encode(&answer, bytes);
    kt_conn_send(conn, bytes, sizeof bytes);
    if (status != KT_OK) {
        kt_conn_end(conn);
        return 0;
    }
    conn->wire.checks = conn->inbox.checks = (answer.capabilities & KMP_CAP_CHECKS) != 0;
    conn->wire.frame_most = client.frame_most < server->config.kmp_max_frame
                                ? client.frame_most
                                : (uint32_t)server->config.kmp_max_frame;
    conn->stage = KT_CONN_LOGIN;
    return KMP_PREAMBLE;
}

/* ---- login ---- */

static void hello(KtConn *conn, const KmpMessage *message, const KmpHello *ask)
{
    KtServer *server = server_of(conn);
    KtDiag diag = {0};
    KtText kith = KT_TEXT_LITERAL(KITH_DATABASE);
    if (ask->database.len && !kt_text_eq(ask->database, kith)) {
        kt_diag_set(&diag, KT_ERR_DATABASE_NOT_FOUND, NULL,
                    "there is no database '%.*s' here, only '" KITH_DATABASE "'",
                    (int)(ask->database.len < 100 ? ask->database.len : 100), ask->database.at);
        kt_door_error(conn, message->header.request, KT_ERR_DATABASE_NOT_FOUND, &diag, 0,
                      KMP_TX_NONE);
        return;
    }
    uint64_t *slot;
    KtSession *session = &conn->session;
    if (kt_map64_put(&conn->loop->by_session, session->id, &slot, NULL) != KT_OK) {
        kt_door_refuse(conn, KT_ERR_MEMORY, NULL);
        return;
    }
    *slot = (uint64_t)(uintptr_t)conn;
    session->open = true;
    static const KtText mechanism = {"none", 4};
    KmpWelcome welcome = {
        .server = KT_TEXT_LITERAL(KITH_SERVER_NAME),
        .database = kith,
        .session = session->id,
        .cancel_key = {(const char *)session->key, KMP_CANCEL_KEY},
        .frame_most = server->config.kmp_max_frame,
        .message_most = KMP_MESSAGE_MOST,
        .mechanisms = 1,
        .mechanism = &mechanism,
        .commit = kt_database_published(server->db),
        .heartbeat_s = (uint64_t)(server->config.kmp_heartbeat_ms + 999) / 1000,
    };
    respond(conn, message->header.request,
            &(KmpResponse){.type = KMP_WELCOME, .as.welcome = welcome});
    if (conn->stage == KT_CONN_LOGIN) {
        conn->stage = KT_CONN_OPEN;
        conn->inbox.frame_most = (uint32_t)server->config.kmp_max_frame;
        conn->inbox.message_most = KMP_MESSAGE_MOST;
        conn->inbox.joined.budget = &server->queries; /* messages under way are memory too */
    }
}

/* CANCEL on a connection of its own: told to the loop that has the session. */
typedef struct CancelPost {
    KtPost post;
    KtLoop *loop;
    uint64_t session, request;
    uint8_t key[KMP_CANCEL_KEY];
} CancelPost;

static void cancel_arrived(KtPost *post)
{
    CancelPost *ask = (CancelPost *)post;
    uint64_t *slot =
        ask->session == UINT64_MAX ? NULL : kt_map64_get(&ask->loop->by_session, ask->session);
    if (slot && *slot) {
        KtConn *conn = (KtConn *)(uintptr_t)*slot;
        unsigned char differ = 0;
        for (size_t i = 0; i < KMP_CANCEL_KEY; i++)
            differ |= (unsigned char)(ask->key[i] ^ conn->session.key[i]);
        if (differ == 0)
            kt_session_cancel(&conn->session, ask->request);
    }
    free(ask);
}

static void cancel_by_key(KtConn *conn, const KmpMessage *message, const KmpCancel *ask)
{
    KtServer *server = server_of(conn);
    KtDiag diag = {0};
    CancelPost *post = ask->key.len == KMP_CANCEL_KEY ? malloc(sizeof *post) : NULL;
    if (!post) {
        kt_diag_set(&diag, KT_ERR_PROTOCOL, NULL,
                    "CANCEL before HELLO needs the session and its key of %d bytes",
                    KMP_CANCEL_KEY);
        kt_door_error(conn, message->header.request, KT_ERR_PROTOCOL, &diag, 0, KMP_TX_NONE);
        kt_conn_end(conn);
        return;
    }
    *post = (CancelPost){.post.arrived = cancel_arrived,
                         .loop = &server->loop[ask->session % server->loops],
                         .session = ask->session,
                         .request = ask->request};
    memcpy(post->key, ask->key.at, KMP_CANCEL_KEY);
    kt_post_box_put(&post->loop->box, &post->post);
    kt_door_ok(conn, message->header.request, &(KmpOk){0});
    kt_conn_end(conn);
}

static void before_welcome(KtConn *conn, const KmpMessage *message)
{
    KtDiag diag = {0};
    KtArena *arena;
    KmpRequest request;
    if (kt_arena_open(NULL, &arena) != KT_OK) {
        kt_conn_lost(conn);
        return;
    }
    KtStatus status = kt_kmp_request_decode(message, arena, &diag, &request);
    if (status != KT_OK) {
        kt_door_error(conn, message->header.request, status, &diag, 0, KMP_TX_NONE);
    } else if (request.type == KMP_HELLO) {
        hello(conn, message, &request.as.hello);
    } else if (request.type == KMP_CANCEL) {
        cancel_by_key(conn, message, &request.as.cancel);
    } else if (request.type == KMP_PING) {
        kt_door_pong(conn, message->header.request);
    } else if (request.type == KMP_BYE) {
        kt_conn_end(conn);
    } else {
        kt_diag_set(&diag, KT_ERR_PROTOCOL, NULL, "%s came before HELLO: say HELLO first",
                    kt_kmp_type_name(message->header.type, NULL));
        kt_door_error(conn, message->header.request, KT_ERR_PROTOCOL, &diag, 0, KMP_TX_NONE);
    }
    kt_arena_close(arena);
}

/* ---- bytes to messages ---- */

size_t kt_door_feed(KtConn *conn, const uint8_t *data, size_t len)
{
    size_t done = 0;
    if (conn->stage == KT_CONN_PREAMBLE && len) {
        done = take_preamble(conn, data, len);
        if (done == 0)
            return conn->stage == KT_CONN_PREAMBLE ? 0 : len;
    }
    while (conn->stage == KT_CONN_LOGIN || conn->stage == KT_CONN_OPEN) {
        if (!kt_session_accepts(&conn->session) || kt_conn_waiting(conn) > KT_CONN_DEAF)
            return done;
        KtDiag diag = {0};
        KmpMessage message;
        size_t used = 0, need = 0;
        bool got = false;
        KtStatus status = kt_kmp_inbox_next(&conn->inbox, data + done, len - done, &diag, &used,
                                            &need, &message, &got);
        if (status != KT_OK) {
            kt_door_refuse(conn, status, &diag);
            return len;
        }
        done += used;
        if (!got)
            return done;
        if (conn->stage == KT_CONN_OPEN)
            kt_session_message(&conn->session, &message);
        else
            before_welcome(conn, &message);
    }
    return len; /* it ends: what else came is dropped */
}
