/* server/conn.c - reads and writes a socket, and keeps both sides of it bounded. */
#include "server/conn.h"

#include "base/clock.h"
#include "server/kmp_door.h"
#include "server/server.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FLUSH_MS = 10000, LINGER_MS = 500, TCP_TIMEOUT_MS = 30000, KEEP_BYTES = 256 * 1024 };

static KtServer *server_of(const KtConn *conn) { return conn->loop->server; }

/* ---- out ---- */

size_t kt_conn_waiting(const KtConn *conn) { return conn->out.len - conn->out_at; }

size_t kt_conn_room(const KtConn *conn)
{
    size_t waiting = kt_conn_waiting(conn);
    return waiting < KT_CONN_HIGH ? KT_CONN_HIGH - waiting : 0;
}

void kt_conn_send(KtConn *conn, const void *bytes, size_t len)
{
    if (conn->stage >= KT_CONN_LINGER)
        return;
    if (conn->out_at > 0 && conn->out_at >= conn->out.len / 2) {
        conn->out.len -= conn->out_at;
        memmove(conn->out.data, conn->out.data + conn->out_at, conn->out.len);
        conn->out_at = 0;
    }
    kt_buf_put(&conn->out, bytes, len);
    if (conn->out.failed)
        kt_conn_lost(conn); /* part of an answer is worse than none */
    kt_loop_touch(conn->loop, conn);
}

static void flush(KtConn *conn)
{
    while (conn->stage < KT_CONN_LINGER && conn->out_at < conn->out.len) {
        ssize_t n = send(conn->fd, conn->out.data + conn->out_at, conn->out.len - conn->out_at,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (!conn->writing)
                conn->writing = event_add(&conn->write_event, NULL) == 0;
            return;
        }
        if (n < 0) {
            kt_conn_lost(conn);
            return;
        }
        conn->out_at += (size_t)n;
    }
    if (conn->out_at == conn->out.len) {
        conn->out_at = 0;
        if (conn->out.cap > KEEP_BYTES)
            kt_buf_close(&conn->out);
        else
            kt_buf_clear(&conn->out);
        if (conn->writing) {
            event_del(&conn->write_event);
            conn->writing = false;
        }
    }
}

static void on_write(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    KtConn *conn = arg;
    conn->writing = false;
    kt_loop_touch(conn->loop, conn);
    kt_loop_settle(conn->loop);
}

/* ---- in ---- */

/* Takes what `in` holds as far as it goes. */
static void feed_kept(KtConn *conn)
{
    size_t done = kt_door_feed(conn, conn->in.data, conn->in.len);
    conn->in.len -= done;
    if (conn->in.len)
        memmove(conn->in.data, conn->in.data + done, conn->in.len);
    else if (conn->in.cap > KEEP_BYTES)
        kt_buf_close(&conn->in);
}

static void feed_fresh(KtConn *conn, const uint8_t *data, size_t len)
{
    if (conn->in.len == 0) {
        size_t done = kt_door_feed(conn, data, len);
        kt_buf_put(&conn->in, data + done, len - done);
    } else {
        kt_buf_put(&conn->in, data, len);
        if (!conn->in.failed)
            feed_kept(conn);
    }
    if (conn->in.failed)
        kt_conn_lost(conn);
}

static bool may_read(const KtConn *conn)
{
    if (conn->stage == KT_CONN_LINGER)
        return true;
    return conn->stage <= KT_CONN_OPEN && kt_conn_waiting(conn) <= KT_CONN_DEAF &&
           kt_session_accepts(&conn->session);
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    KtConn *conn = arg;
    KtLoop *loop = conn->loop;
    kt_loop_touch(loop, conn);
    ssize_t n = recv(fd, loop->scratch, KT_LOOP_SCRATCH, MSG_DONTWAIT);
    if (n > 0 && conn->stage <= KT_CONN_OPEN)
        feed_fresh(conn, loop->scratch, (size_t)n);
    else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        kt_conn_lost(conn);
    kt_loop_settle(loop);
}

/* ---- time ---- */

static int64_t due(const KtConn *conn)
{
    int64_t at = kt_session_due(&conn->session);
    int64_t own = 0;
    if (conn->stage == KT_CONN_PREAMBLE || conn->stage == KT_CONN_LOGIN)
        own = conn->opened_ns + server_of(conn)->config.kmp_login_ms * 1000000;
    else if (conn->stage == KT_CONN_LINGER || conn->stage == KT_CONN_FLUSH)
        own = conn->linger_ns;
    if (conn->loop->stopping && conn->stage < KT_CONN_LOST &&
        (own == 0 || conn->loop->stop_by_ns < own))
        own = conn->loop->stop_by_ns;
    return at == 0 || (own && own < at) ? own : at;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    KtConn *conn = arg;
    KtLoop *loop = conn->loop;
    int64_t now = kt_clock_ns();
    conn->timer_ns = 0;
    kt_loop_touch(loop, conn);
    if ((conn->stage == KT_CONN_LINGER || conn->stage == KT_CONN_FLUSH) && now >= conn->linger_ns)
        kt_conn_lost(conn);
    else if (loop->stopping && now >= loop->stop_by_ns)
        kt_conn_lost(conn);
    else if (conn->stage <= KT_CONN_LOGIN &&
             now >= conn->opened_ns + server_of(conn)->config.kmp_login_ms * 1000000) {
        KtDiag diag = {0};
        kt_diag_set(&diag, KT_ERR_CONNECTION, NULL, "no HELLO came within %lld ms",
                    (long long)server_of(conn)->config.kmp_login_ms);
        if (conn->stage == KT_CONN_PREAMBLE)
            kt_conn_end(conn);
        else
            kt_door_refuse(conn, KT_ERR_CONNECTION, &diag);
    }
    kt_session_timer(&conn->session, now);
    kt_loop_settle(loop);
}

/* An event that fires too early only looks again: so the timer is moved forward, seldom back. */
static void set_timer(KtConn *conn)
{
    int64_t at = due(conn);
    if (at == 0 || (conn->timer_ns && conn->timer_ns <= at))
        return;
    int64_t wait = at - kt_clock_ns();
    if (wait < 0)
        wait = 0;
    wait += 1000000; /* libevent counts in milliseconds: never before the time */
    struct timeval tv = {.tv_sec = wait / 1000000000, .tv_usec = wait / 1000 % 1000000};
    event_add(&conn->timer, &tv);
    conn->timer_ns = at;
}

/* ---- life ---- */

KtStatus kt_conn_new(KtLoop *loop, int fd)
{
    KtServer *server = loop->server;
    KtConn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        close(fd);
        return KT_ERR_MEMORY;
    }
    conn->loop = loop;
    conn->fd = fd;
    conn->opened_ns = kt_clock_ns();
    conn->inbox = (KmpInbox){.frame_most = KMP_FRAME_HELLO, .message_most = KMP_FRAME_HELLO};
    conn->wire.frame_most = KMP_FRAME_HELLO;
    kt_session_open(&conn->session, conn);
    /* The number says which loop has the session; the key says that it is asked for by its owner. */
    uint64_t count = atomic_fetch_add(&server->next_session, 1) + 1;
    conn->session.id = count * server->loops + loop->index;
    ssize_t n = getrandom(conn->session.key, sizeof conn->session.key, 0);
    KT_CHECK(n == (ssize_t)sizeof conn->session.key);
    int on = 1, wait = TCP_TIMEOUT_MS;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
               sizeof on); /* no harm on a Unix socket: it only fails */
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    event_assign(&conn->read_event, loop->base, fd, EV_READ | EV_PERSIST, on_read, conn);
    event_assign(&conn->write_event, loop->base, fd, EV_WRITE, on_write, conn);
    event_assign(&conn->timer, loop->base, -1, 0, on_timer, conn);
    conn->next = loop->conns;
    if (conn->next)
        conn->next->prev = conn;
    loop->conns = conn;
    unsigned before = atomic_fetch_add(&server->connections, 1);
    if (before >= server->config.kmp_max_connections) {
        KtDiag diag = {0};
        kt_diag_set(&diag, KT_ERR_UNAVAILABLE, NULL,
                    "kithd has its most connections already (%u, setting kmp max_connections)",
                    server->config.kmp_max_connections);
        uint8_t bytes[KMP_PREAMBLE];
        kt_kmp_preamble_encode(
            &(KmpPreamble){.low = KMP_MAJOR, .high = KMP_MAJOR, .frame_most = KMP_FRAME_HELLO},
            bytes);
        kt_conn_send(conn, bytes, sizeof bytes);
        kt_door_refuse(conn, KT_ERR_UNAVAILABLE, &diag);
    }
    kt_loop_touch(loop, conn);
    return KT_OK;
}

static void conn_free(KtConn *conn)
{
    KtLoop *loop = conn->loop;
    if (conn->session.open) {
        uint64_t *slot = kt_map64_get(&loop->by_session, conn->session.id);
        if (slot)
            *slot = 0;
        loop->gone++;
    }
    event_del(&conn->read_event);
    event_del(&conn->write_event);
    event_del(&conn->timer);
    close(conn->fd);
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        loop->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    atomic_fetch_sub(&server_of(conn)->connections, 1);
    kt_kmp_inbox_close(&conn->inbox);
    kt_buf_close(&conn->in);
    kt_buf_close(&conn->out);
    free(conn);
}

void kt_conn_end(KtConn *conn)
{
    if (conn->stage < KT_CONN_FLUSH) {
        conn->stage = KT_CONN_FLUSH;
        conn->linger_ns = kt_clock_ns() + (int64_t)FLUSH_MS * 1000000;
        kt_session_leave(&conn->session);
    }
    kt_loop_touch(conn->loop, conn);
}

void kt_conn_lost(KtConn *conn)
{
    if (conn->stage == KT_CONN_LOST)
        return;
    conn->stage = KT_CONN_LOST;
    conn->out.len = conn->out_at = 0;
    kt_session_gone(&conn->session);
    kt_loop_touch(conn->loop, conn);
}

/* All is answered and out: shut our side and wait a little for the other, since closing with bytes unread would reset
 * the connection and with it answers that the client has not read yet. */
static void linger(KtConn *conn)
{
    conn->stage = KT_CONN_LINGER;
    shutdown(conn->fd, SHUT_WR);
    conn->linger_ns = kt_clock_ns() + (int64_t)LINGER_MS * 1000000;
}

void kt_conn_settle(KtConn *conn)
{
    for (;;) {
        kt_session_pump(&conn->session);
        flush(conn);
        bool again = false;
        if (conn->session.room &&
            (kt_conn_waiting(conn) <= KT_CONN_LOW || conn->stage == KT_CONN_LOST)) {
            kt_session_drained(&conn->session);
            again = true;
        }
        if (conn->in.len && !conn->reading && may_read(conn) && conn->stage <= KT_CONN_OPEN) {
            size_t before = conn->in.len;
            feed_kept(conn);
            again = again || conn->in.len != before;
        }
        if (!again && !(conn->session.ready && !conn->session.running))
            break;
    }
    if (conn->session.stopping && conn->stage == KT_CONN_OPEN && kt_session_quiet(&conn->session))
        kt_conn_end(conn);
    if (conn->stage == KT_CONN_FLUSH && kt_session_quiet(&conn->session) &&
        kt_conn_waiting(conn) == 0)
        linger(conn);
    if (conn->stage == KT_CONN_LOST && kt_session_quiet(&conn->session)) {
        conn_free(conn);
        return;
    }
    bool read = may_read(conn);
    if (read != conn->reading) {
        if (read ? event_add(&conn->read_event, NULL) == 0 : event_del(&conn->read_event) == 0)
            conn->reading = read;
    }
    set_timer(conn);
    conn->dirty = false;
}
