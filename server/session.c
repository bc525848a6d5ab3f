/* server/session.c - the lane of one client, and the life of its tasks.
 *
 * A task goes QUEUED > READY > RUNNING and over TURN, ROOM and PARKED until it is OVER; kt_session_worked is the one
 * place where work comes back, kt_session_over the one place where a task leaves. */
#include "server/session_internal.h"

#include "base/clock.h"
#include "server/dispatch.h"

#include <stdio.h>

/* ---- lists ---- */

void kt_session_make_ready(KtSession *session, KtTask *task)
{
    task->state = KT_TASK_READY;
    task->ready_next = NULL;
    *session->ready_last = task;
    session->ready_last = &task->ready_next;
    kt_loop_touch(session->conn->loop, session->conn);
}

static void room_unlink(KtSession *session, KtTask *task)
{
    for (KtTask **at = &session->room; *at; at = &(*at)->room_next) {
        if (*at == task) {
            *at = task->room_next;
            return;
        }
    }
}

void kt_session_link(KtSession *session, KtTask *task)
{
    task->prev = NULL;
    task->next = session->tasks;
    if (task->next)
        task->next->prev = task;
    session->tasks = task;
}

static void unlink_task(KtSession *session, KtTask *task)
{
    if (task->prev)
        task->prev->next = task->next;
    else
        session->tasks = task->next;
    if (task->next)
        task->next->prev = task->prev;
}

static void leave_lane(KtSession *session, KtTask *task, bool failed)
{
    if (session->at_work != task)
        return;
    session->at_work = NULL;
    session->last_failed = failed;
}

/* ---- the lane ---- */

/* `task` is the one that holds the lane: every other RUN has given it up, so it has parked and its cursor is open.
 * Each keeps what its query holds, so there are only so many. */
static bool has_cursor_room(KtSession *session, KtTask *task)
{
    int64_t most = kt_session_server(session)->config.cursors, open = 0;
    for (const KtTask *other = session->tasks; other; other = other->next)
        open += other != task && other->kind == KT_TASK_RUN;
    if (open < most)
        return true;
    char words[160];
    (void)snprintf(words, sizeof words,
                   "%lld cursors of this connection are open, and limits cursors allows %lld",
                   (long long)open, (long long)most);
    if (session->txn && session->txn->open)
        session->txn->failed = true; /* as after any RUN that failed, and so it is told */
    kt_session_refuse(session, task, KT_ERR_TOO_MANY_CURSORS, words);
    return false;
}

static void start(KtSession *session, KtTask *task)
{
    if (task->ending) { /* cancelled while it waited in the lane */
        task->status = KT_ERR_CANCELLED;
        KtStatus status = kt_session_cause(session, task);
        kt_session_answer_error(session, task, status, &task->diag);
        kt_session_over(session, task, true);
        return;
    }
    if ((task->message.header.flags & KMP_SKIP_IF_FAILED) && session->last_failed) {
        kt_session_refuse(session, task, KT_ERR_SKIPPED,
                          "skipped: the request before this one failed or was skipped");
        kt_session_over(session, task, true);
        return;
    }
    if (session->stopping) {
        kt_session_refuse(session, task, KT_ERR_UNAVAILABLE, "kithd is stopping");
        kt_session_over(session, task, true);
        return;
    }
    if (kt_txn_told_loss(session, task))
        return;
    switch (task->kind) {
    case KT_TASK_REFUSED: kt_session_make_ready(session, task); return;
    case KT_TASK_RUN:
        if (session->txn && session->txn->failed) {
            kt_session_refuse(
                session, task, KT_ERR_TRANSACTION_FAILED,
                "an earlier statement of the transaction failed: only ROLLBACK is answered");
            kt_session_over(session, task, true);
            return;
        }
        task->explicit_txn = session->txn != NULL;
        task->txn = session->txn ? session->txn : &task->own;
        if (session->txn)
            session->txn->tasks++;
        if (has_cursor_room(session, task))
            kt_session_make_ready(session, task);
        else
            kt_session_over(session, task, true);
        return;
    case KT_TASK_BEGIN: kt_txn_begin(session, task); return;
    case KT_TASK_COMMIT:
    case KT_TASK_ROLLBACK: kt_txn_end(session, task); return;
    }
}

static bool lane_may_start(const KtSession *session)
{
    return session->lane && !session->at_work && !session->closer &&
           (session->resets == 0 || session->lane->ending);
}

static void lane_start(KtSession *session)
{
    KtTask *task = session->lane;
    session->lane = task->lane_next;
    if (!session->lane)
        session->lane_last = &session->lane;
    session->lane_len--;
    session->lane_bytes -= task->message.header.length;
    session->at_work = task;
    task->beat_ns = task->arrived_ns;
    if (session->txn)
        session->txn->idle_since_ns = 0; /* it begins anew when this is over */
    kt_session_link(session, task);
    start(session, task);
}

void kt_session_lane_put(KtSession *session, KtTask *task)
{
    task->state = KT_TASK_QUEUED;
    task->lane_next = NULL;
    *session->lane_last = task;
    session->lane_last = &task->lane_next;
    session->lane_len++;
    session->lane_bytes += task->message.header.length;
}

static void answer_resets(KtSession *session)
{
    if (session->tasks || session->closer || (session->lane && session->lane->ending))
        return;
    if (session->txn && session->txn->over)
        kt_txn_free(session);
    if (session->txn)
        return;
    for (uint32_t i = 0; i < session->resets; i++)
        kt_door_ok(session->conn, session->reset_request[i], &(KmpOk){.tx_state = KMP_TX_NONE});
    session->resets = 0;
    session->last_failed = false;
}

void kt_session_pump(KtSession *session)
{
    for (;;) {
        if (lane_may_start(session))
            lane_start(session);
        else if (session->ready && !session->running)
            kt_dispatch(session);
        else if (session->resets && !session->tasks && !(session->lane && session->lane->ending) &&
                 (!session->txn || session->txn->over))
            answer_resets(session);
        else
            break;
    }
    KtTxn *txn = session->txn;
    if (txn && txn->open) {
        bool busy = session->at_work || session->running || session->ready || session->lane;
        txn->idle_since_ns = busy ? 0 : txn->idle_since_ns ? txn->idle_since_ns : kt_clock_ns();
    }
}

/* ---- work that comes back ---- */

void kt_session_over(KtSession *session, KtTask *task, bool failed)
{
    task->state = KT_TASK_OVER;
    unlink_task(session, task);
    leave_lane(session, task, failed);
    if (task->close_request)
        kt_door_ok(session->conn, task->close_request,
                   &(KmpOk){.tx_state = kt_session_tx_state(session)});
    KtTxn *txn = session->txn;
    if (task == session->closer) {
        session->closer = NULL;
        txn->over = true;
        txn->closer = NULL;
    } else if (task->kind == KT_TASK_BEGIN && task->txn) {
        txn->open = !failed;
        if (failed)
            kt_txn_free(session);
        else if (session->resets || session->gone || session->stopping) {
            txn->forget = true;
            kt_txn_abort(session, session->stopping ? KT_ERR_UNAVAILABLE : KT_OK, KT_ENDING_TXN);
        }
    } else if ((task->kind == KT_TASK_COMMIT || task->kind == KT_TASK_ROLLBACK) && task->txn) {
        kt_txn_free(session);
    } else if (task->explicit_txn) {
        txn->tasks--;
        if (failed)
            kt_txn_abort(session, KT_OK, KT_ENDING_FAILED);
    }
    kt_task_free(&session->conn->loop->shelf, task);
    kt_txn_step(session);
}

static void failed_work(KtSession *session, KtTask *task)
{
    if (task->status == KT_ERR_CANCELLED && task->ending == KT_ENDING_CLOSE) {
        kt_session_answer_ok(session, task);
        kt_session_over(session, task, false);
        return;
    }
    KtStatus status = kt_session_cause(session, task);
    /* the state that this answer shows is the one after it */
    bool ends = (task->kind == KT_TASK_COMMIT || task->kind == KT_TASK_ROLLBACK) && task->txn;
    if (task->explicit_txn)
        session->txn->failed = true;
    if (ends)
        session->txn->open = false;
    kt_session_answer_error(session, task, status, &task->diag);
    kt_session_over(session, task, true);
}

void kt_session_worked(KtSession *session, KtTask *task, KtWork work)
{
    bool ends = work == KT_WORK_DONE || work == KT_WORK_FAILED;
    int64_t now = ends ? 0 : kt_clock_ns(); /* a short request never asks for the time here */
    if (session->txn)
        session->txn->idle_since_ns = 0;
    if (task->out.len) {
        kt_conn_send(session->conn, task->out.data, task->out.len);
        kt_buf_clear(&task->out);
        task->beat_ns = now;
    }
    bool ending = task->ending != KT_ENDING_NONE;
    switch (work) {
    case KT_WORK_AGAIN:
    case KT_WORK_HANDOVER: kt_session_make_ready(session, task); break;
    case KT_WORK_TURN:
        if (ending && task->ending != KT_ENDING_CLOSE) {
            kt_session_make_ready(session, task);
        } else {
            task->state = KT_TASK_TURN;
            kt_dispatch_turn(session, task);
        }
        break;
    case KT_WORK_ROOM:
        if (ending) {
            kt_session_make_ready(session, task);
            break;
        }
        task->state = KT_TASK_ROOM;
        task->parked_ns = now;
        task->room_next = session->room;
        session->room = task;
        break;
    case KT_WORK_CREDIT:
        if (ending || kt_task_may_send(task)) {
            kt_session_make_ready(session, task);
            break;
        }
        task->state = KT_TASK_PARKED;
        task->parked_ns = now;
        leave_lane(session, task, false);
        break;
    case KT_WORK_DONE: kt_session_over(session, task, false); break;
    case KT_WORK_FAILED: failed_work(session, task); break;
    }
    kt_loop_touch(session->conn->loop, session->conn);
}

/* ---- ending ---- */

void kt_session_end(KtSession *session, KtTask *task, KtEnding why)
{
    bool first = task->ending == KT_ENDING_NONE;
    if (first || task->ending == KT_ENDING_CLOSE)
        task->ending = why;
    if (why == KT_ENDING_CLOSE)
        atomic_store(&task->discard, true);
    else
        atomic_store(&task->cancel, true);
    switch (task->state) {
    case KT_TASK_CURSORS:
        if (why != KT_ENDING_CLOSE)
            kt_txn_end_cursors(session, why, true);
        break;
    case KT_TASK_TURN:
        /* False: the turn is on its way here and the task goes on when it comes. */
        if (why != KT_ENDING_CLOSE && kt_turn_withdraw(task->server->db, &task->txn->turn))
            kt_session_make_ready(session, task);
        break;
    case KT_TASK_ROOM:
        room_unlink(session, task);
        kt_session_make_ready(session, task);
        break;
    case KT_TASK_PARKED: kt_session_make_ready(session, task); break;
    case KT_TASK_QUEUED:
    case KT_TASK_READY:
    case KT_TASK_RUNNING:
    case KT_TASK_OVER: break;
    }
}

void kt_session_cancel(KtSession *session, uint64_t request)
{
    for (KtTask *task = session->tasks, *next; task; task = next) {
        next = task->next;
        if (task != session->closer && (request == 0 || task->message.header.request == request))
            kt_session_end(session, task, KT_ENDING_CANCEL);
    }
    for (KtTask *task = session->lane; task; task = task->lane_next)
        if (request == 0 || task->message.header.request == request)
            task->ending = KT_ENDING_CANCEL;
    kt_loop_touch(session->conn->loop, session->conn);
}

void kt_session_drained(KtSession *session)
{
    KtTask *task = session->room;
    session->room = NULL;
    while (task) {
        KtTask *next = task->room_next;
        kt_session_make_ready(session, task);
        task = next;
    }
}

void kt_session_stop(KtSession *session)
{
    if (session->stopping)
        return;
    session->stopping = true;
    for (KtTask *task = session->tasks, *next; task; task = next) {
        next = task->next;
        if (!task->explicit_txn && task != session->closer && task->state != KT_TASK_CURSORS)
            kt_session_end(session, task, KT_ENDING_STOP);
    }
    kt_loop_touch(session->conn->loop, session->conn);
}

void kt_session_stop_txn(KtSession *session)
{
    if (session->txn)
        session->txn->forget = true;
    kt_txn_abort(session, KT_ERR_UNAVAILABLE, KT_ENDING_STOP);
    kt_loop_touch(session->conn->loop, session->conn);
}

void kt_session_gone(KtSession *session)
{
    if (session->gone)
        return;
    session->gone = true;
    while (session->lane) {
        KtTask *task = session->lane;
        session->lane = task->lane_next;
        kt_task_free(&session->conn->loop->shelf, task);
    }
    session->lane_last = &session->lane;
    session->lane_len = 0;
    session->lane_bytes = 0;
    session->resets = 0;
    kt_session_cancel(session, 0);
    if (session->txn)
        session->txn->forget = true;
    kt_txn_abort(session, KT_OK, KT_ENDING_CANCEL);
    kt_txn_step(session);
}

bool kt_session_quiet(const KtSession *session)
{
    return !session->tasks && !session->lane && !session->closer && !session->txn &&
           !session->resets;
}

bool kt_session_accepts(const KtSession *session)
{
    return session->lane_len < KT_LANE_MOST && session->lane_bytes < KT_LANE_BYTES;
}

void kt_session_open(KtSession *session, KtConn *conn)
{
    *session = (KtSession){.conn = conn};
    session->lane_last = &session->lane;
    session->ready_last = &session->ready;
    session->inline_left = KT_INLINE_MOST;
}
