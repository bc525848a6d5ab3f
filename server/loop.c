/* server/loop.c - the event loop of one thread. */
#include "server/loop.h"

#include "base/clock.h"
#include "server/conn.h"
#include "server/kmp_door.h"
#include "server/server.h"

#include <event2/event.h>
#include <stdlib.h>

void kt_loop_touch(KtLoop *loop, KtConn *conn)
{
    if (conn->dirty)
        return;
    conn->dirty = true;
    conn->session.inline_left = KT_INLINE_MOST;
    conn->dirty_next = loop->dirty;
    loop->dirty = conn;
}

/* Sessions that are gone leave an empty slot in the map: made anew when most are. */
static void sweep_sessions(KtLoop *loop)
{
    if (loop->gone < 1024 || loop->gone < loop->by_session.len / 2)
        return;
    KtMap64 fresh = {0};
    for (KtConn *conn = loop->conns; conn; conn = conn->next) {
        uint64_t *slot;
        if (!conn->session.open)
            continue;
        if (kt_map64_put(&fresh, conn->session.id, &slot, NULL) != KT_OK) {
            kt_map64_close(&fresh);
            return;
        }
        *slot = (uint64_t)(uintptr_t)conn;
    }
    kt_map64_close(&loop->by_session);
    loop->by_session = fresh;
    loop->gone = 0;
}

void kt_loop_settle(KtLoop *loop)
{
    while (loop->dirty) {
        KtConn *conn = loop->dirty;
        loop->dirty = conn->dirty_next;
        kt_conn_settle(
            conn); /* unmarks it at its end, since what it does to itself needs no second look */
    }
    sweep_sessions(loop);
    if (loop->stopping && !loop->conns)
        event_base_loopbreak(loop->base);
}

static void take_posts(KtLoop *loop)
{
    KtPost *post = kt_post_box_take(&loop->box);
    while (post) {
        KtPost *next = post->next;
        post->arrived(post);
        post = next;
    }
}

static void on_box(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    take_posts(arg);
    kt_loop_settle(arg);
}

static void stop_arrived(KtPost *post)
{
    kt_loop_stop((KtLoop *)((char *)post - offsetof(KtLoop, stop)));
}

static void stop_txns_arrived(KtPost *post)
{
    KtLoop *loop = (KtLoop *)((char *)post - offsetof(KtLoop, stop_txns));
    for (KtConn *conn = loop->conns; conn; conn = conn->next)
        kt_session_stop_txn(&conn->session);
}

void kt_loop_stop(KtLoop *loop)
{
    if (loop->stopping)
        return;
    loop->stopping = true;
    loop->stop_by_ns = kt_clock_ns() + loop->server->config.stop_grace_ms * 1000000;
    for (KtConn *conn = loop->conns; conn; conn = conn->next) {
        kt_door_going_away(conn, loop->server->config.stop_grace_ms);
        if (conn->stage < KT_CONN_OPEN)
            kt_conn_end(conn);
        kt_session_stop(&conn->session);
        kt_loop_touch(loop, conn);
    }
    KtServer *server = loop->server;
    if (atomic_fetch_add(&server->loops_told, 1) + 1 == server->loops)
        for (uint32_t i = 0; i < server->loops; i++)
            kt_post_box_put(&server->loop[i].box, &server->loop[i].stop_txns);
}

KtStatus kt_loop_open(KtLoop *loop, KtServer *server, uint32_t index)
{
    *loop = (KtLoop){.server = server, .index = index};
    KT_TRY(kt_post_box_open(&loop->box));
    loop->scratch = malloc(KT_LOOP_SCRATCH);
    struct event_config *config = event_config_new();
    if (config) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        loop->base = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (loop->base)
        loop->box_event = event_new(loop->base, loop->box.wake, EV_READ | EV_PERSIST, on_box, loop);
    loop->stop.arrived = stop_arrived;
    loop->stop_txns.arrived = stop_txns_arrived;
    if (!loop->scratch || !loop->box_event || event_add(loop->box_event, NULL) < 0) {
        kt_loop_close(loop);
        return KT_ERR_MEMORY;
    }
    return KT_OK;
}

void kt_loop_run(KtLoop *loop) { event_base_dispatch(loop->base); }

void kt_loop_close(KtLoop *loop)
{
    KT_CHECK(!loop->conns);
    take_posts(loop); /* a CANCEL for a session that is gone */
    if (loop->box_event)
        event_free(loop->box_event);
    if (loop->base)
        event_base_free(loop->base);
    kt_task_shelf_clear(&loop->shelf);
    kt_map64_close(&loop->by_session);
    kt_post_box_close(&loop->box);
    free(loop->scratch);
    *loop = (KtLoop){0};
}
