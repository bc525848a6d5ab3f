/* server/session.c - the lane, the cursors and the transaction of one client.
 *
 * A task goes QUEUED > READY > RUNNING and over TURN, ROOM and PARKED until it is OVER; kt_session_worked is the one
 * place where work comes back, over() the one place where a task leaves. A transaction that fails or runs out of time
 * is rolled back by its closer at once, so that its turn goes on, and only its shell waits for ROLLBACK. */
#include "server/session.h"

#include "base/clock.h"
#include "server/dispatch.h"
#include "server/kmp_door.h"
#include "server/server.h"

#include <stdlib.h>

static KtServer *server_of(const KtSession *session) { return session->conn->loop->server; }

static KmpTxState tx_state(const KtSession *session)
{
    const KtTxn *txn = session->txn;
    return !txn || !txn->open ? KMP_TX_NONE : txn->failed || txn->lost ? KMP_TX_FAILED : KMP_TX_OPEN;
}

static void over(KtSession *session, KtTask *task, bool failed);

/* ---- answers ---- */

static void answer_ok(KtSession *session, const KtTask *task)
{
    if (!task->silent)
        kt_door_ok(session->conn, task->message.header.request,
                   &(KmpOk){.rows = task->rows_out, .commit = task->commit, .tx_state = tx_state(session)});
}

static void answer_error(KtSession *session, const KtTask *task, KtStatus status, const KtDiag *diag)
{
    const KtErrorFacts *facts = kt_error_facts(status);
    if (facts->error_class == KT_CLASS_SERVER)
        kt_log(&server_of(session)->log, KT_LOG_ERROR, "query %llu: %s: %s", (unsigned long long)task->query_id, facts->wire,
               diag->message);
    if (!task->silent)
        kt_door_error(session->conn, task->message.header.request, status, diag, task->query_id, tx_state(session));
}

/* Answers a task that never worked, with words of ours. */
static void refuse(KtSession *session, KtTask *task, KtStatus status, const char *words)
{
    kt_diag_clear(&task->diag);
    kt_diag_set(&task->diag, status, NULL, "%s", words);
    answer_error(session, task, status, &task->diag);
}

static const char timed_out_words[] = "the transaction was rolled back: it was idle too long, or ran past its time";

/* The words of an error that the work itself had none for. */
static const char *plain_words(KtStatus status)
{
    switch ((int)status) {
    case KT_ERR_DEADLINE:
        return "the request ran into its deadline";
    case KT_ERR_CANCELLED:
        return "the request was cancelled";
    case KT_ERR_MEMORY:
        return "memory ran out while this was worked on";
    case KT_ERR_SNAPSHOT_TOO_OLD:
        return "the snapshot that this reads was kept too long";
    case KT_ERR_WRITE_IN_READ_ONLY:
        return "this statement writes, and may only read";
    case KT_ERR_TRANSACTION_TOO_LARGE:
        return "the transaction writes too much";
    case KT_ERR_COMMIT_OUTCOME_UNKNOWN:
        return "the write to disk failed: whether the commit took place is not known";
    case KT_ERR_READ_ONLY_LATCHED:
        return "the database takes no writes since a write to disk failed";
    default:
        return kt_error_facts(status)->wire;
    }
}

/* Why a task that failed did so: the loop may know better than the work. */
static KtStatus cause(KtSession *session, KtTask *task)
{
    KtStatus status = task->status;
    KtDiag *diag = &task->diag;
    if (status == KT_ERR_CANCELLED && task->commit) { /* never retryable: the writes stand */
        kt_diag_clear(diag);
        return kt_diag_set(diag, status, NULL, "the statement is committed as %llu, but its rows did not all go out",
                           (unsigned long long)task->commit);
    }
    if (status == KT_ERR_CANCELLED) {
        const char *words = NULL;
        switch (task->ending) {
        case KT_ENDING_NONE:
        case KT_ENDING_CANCEL:
        case KT_ENDING_CLOSE:
            break;
        case KT_ENDING_DEADLINE:
            status = KT_ERR_DEADLINE;
            words = task->reached == KT_PHASE_OPEN ? "the deadline passed while this waited for its turn to write" : NULL;
            break;
        case KT_ENDING_IDLE:
            status = KT_ERR_SNAPSHOT_TOO_OLD;
            words = "the cursor was closed: nobody asked for its rows";
            break;
        case KT_ENDING_STOP:
            status = KT_ERR_UNAVAILABLE;
            words = "kithd is stopping";
            break;
        case KT_ENDING_TXN:
            status = session->txn && session->txn->lost ? session->txn->lost : KT_ERR_TRANSACTION_TIMED_OUT;
            words = status == KT_ERR_UNAVAILABLE ? "kithd is stopping" : timed_out_words;
            break;
        case KT_ENDING_FAILED:
            status = KT_ERR_TRANSACTION_FAILED;
            words = "the cursor was closed: its transaction failed";
            break;
        }
        if (status != task->status || words) {
            kt_diag_clear(diag);
            kt_diag_set(diag, status, NULL, "%s", words ? words : plain_words(status));
        }
    }
    if (status == KT_ERR_DEADLINE && task->explicit_txn && session->txn->end_ns && kt_clock_ns() >= session->txn->end_ns) {
        status = session->txn->writing ? KT_ERR_TRANSACTION_TIMED_OUT : KT_ERR_SNAPSHOT_TOO_OLD;
        kt_diag_clear(diag);
        kt_diag_set(diag, status, NULL, "%s", timed_out_words);
        session->txn->lost = status;
        session->txn->told = true;
    }
    if (!diag->message[0]) {
        kt_diag_clear(diag);
        kt_diag_set(diag, status, NULL, "%s", plain_words(status));
    }
    return status;
}

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

static void link_task(KtSession *session, KtTask *task)
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

/* ---- the transaction of BEGIN ---- */

static void txn_free(KtSession *session)
{
    KtTxn *txn = session->txn;
    KT_CHECK(!txn->view && !txn->holds_turn && txn->tasks == 0);
    session->txn = NULL;
    if (session->closer != txn->closer)
        kt_task_free(txn->closer);
    free(txn);
}

static void end_cursors(KtSession *session, KtEnding why, bool cancel)
{
    for (KtTask *task = session->tasks, *next; task; task = next) {
        next = task->next;
        if (!task->explicit_txn)
            continue;
        if (cancel)
            atomic_store(&task->cancel, true);
        kt_session_end(session, task, why);
    }
}

/* What the transaction waits for may have come: its last cursor is closed, its closer is done. */
static void txn_step(KtSession *session)
{
    KtTxn *txn = session->txn;
    if (!txn || !txn->open || txn->tasks > 0 || session->closer)
        return;
    KtTask *waiter = session->at_work && session->at_work->state == KT_TASK_CURSORS ? session->at_work : NULL;
    bool bad = txn->failed || txn->lost;
    if (waiter && !txn->over && (!bad || waiter->kind == KT_TASK_ROLLBACK)) {
        kt_session_make_ready(session, waiter);
        return;
    }
    if (bad && !txn->over && !(session->at_work && session->at_work->kind != KT_TASK_RUN && !waiter)) {
        session->closer = txn->closer;
        session->closer->txn = txn;
        link_task(session, session->closer);
        kt_session_make_ready(session, session->closer);
        return;
    }
    if (waiter && txn->over) { /* a cursor failed while COMMIT waited for it, or the time was up */
        KtStatus status = txn->lost ? txn->lost : KT_ERR_TRANSACTION_FAILED;
        txn->told = true;
        refuse(session, waiter, status, txn->lost ? timed_out_words : "a statement of the transaction failed: only ROLLBACK is answered");
        waiter->txn = NULL;
        over(session, waiter, true);
        return;
    }
    if (txn->over && (txn->forget || session->gone))
        txn_free(session);
}

/* Rolls back now. `lost`: KT_OK, or what the next request is told. */
static void txn_abort(KtSession *session, KtStatus lost, KtEnding why)
{
    KtTxn *txn = session->txn;
    if (!txn || !txn->open)
        return;
    if (session->at_work && session->at_work->txn == txn && session->at_work->kind != KT_TASK_RUN &&
        session->at_work->state != KT_TASK_CURSORS)
        return; /* COMMIT or ROLLBACK is at it */
    txn->failed = true;
    if (lost && !txn->lost)
        txn->lost = lost;
    end_cursors(session, why, true);
    txn_step(session);
}

/* ---- the lane ---- */

static void begin(KtSession *session, KtTask *task)
{
    if (session->txn) {
        refuse(session, task, KT_ERR_TRANSACTION_STATE, "a transaction is open on this connection: end it by COMMIT or ROLLBACK first");
        over(session, task, true);
        return;
    }
    static const KmpMessage none = {0};
    KtTxn *txn = calloc(1, sizeof *txn);
    KtStatus status = txn ? kt_task_new(task->server, session, KT_TASK_ROLLBACK, &none, &task->wire, &txn->closer) : KT_ERR_MEMORY;
    if (status != KT_OK) {
        free(txn);
        refuse(session, task, status, plain_words(status));
        over(session, task, true);
        return;
    }
    txn->closer->silent = true;
    session->txn = txn;
    task->txn = txn;
    kt_session_make_ready(session, task);
}

static void end_txn(KtSession *session, KtTask *task)
{
    KtTxn *txn = session->txn;
    bool rollback = task->kind == KT_TASK_ROLLBACK;
    if (!txn) {
        refuse(session, task, KT_ERR_TRANSACTION_STATE, "no transaction is open on this connection: send BEGIN first");
        over(session, task, true);
    } else if (txn->over) { /* failed, and already rolled back */
        if (rollback) {
            txn_free(session);
            answer_ok(session, task);
        } else {
            refuse(session, task, KT_ERR_TRANSACTION_FAILED, "a statement of the transaction failed: only ROLLBACK is answered");
        }
        over(session, task, !rollback);
    } else {
        task->txn = txn;
        task->state = KT_TASK_CURSORS;
        end_cursors(session, KT_ENDING_CLOSE, rollback);
        txn_step(session);
    }
}

/* The next request was not answered when the transaction ended: it is told first. */
static bool told_loss(KtSession *session, KtTask *task)
{
    KtTxn *txn = session->txn;
    if (!txn || !txn->lost || task->kind == KT_TASK_REFUSED)
        return false;
    bool first = !txn->told;
    KtStatus lost = txn->lost;
    txn->told = true;
    if (!first && (task->kind == KT_TASK_BEGIN || task->kind == KT_TASK_ROLLBACK))
        return false; /* refused as open, or answered OK */
    if (task->kind != KT_TASK_RUN)
        txn_free(session);
    refuse(session, task, lost, lost == KT_ERR_UNAVAILABLE ? "kithd is stopping" : timed_out_words);
    over(session, task, true);
    return true;
}

static void start(KtSession *session, KtTask *task)
{
    if (task->ending) { /* cancelled while it waited in the lane */
        task->status = KT_ERR_CANCELLED;
        KtStatus status = cause(session, task);
        answer_error(session, task, status, &task->diag);
        over(session, task, true);
        return;
    }
    if ((task->message.header.flags & KMP_SKIP_IF_FAILED) && session->last_failed) {
        refuse(session, task, KT_ERR_SKIPPED, "skipped: the request before this one failed or was skipped");
        over(session, task, true);
        return;
    }
    if (session->stopping) {
        refuse(session, task, KT_ERR_UNAVAILABLE, "kithd is stopping");
        over(session, task, true);
        return;
    }
    if (told_loss(session, task))
        return;
    switch (task->kind) {
    case KT_TASK_REFUSED:
        kt_session_make_ready(session, task);
        return;
    case KT_TASK_RUN:
        if (session->txn && session->txn->failed) {
            refuse(session, task, KT_ERR_TRANSACTION_FAILED, "an earlier statement of the transaction failed: only ROLLBACK is answered");
            over(session, task, true);
            return;
        }
        task->explicit_txn = session->txn != NULL;
        task->txn = session->txn ? session->txn : &task->own;
        if (session->txn)
            session->txn->tasks++;
        kt_session_make_ready(session, task);
        return;
    case KT_TASK_BEGIN:
        begin(session, task);
        return;
    case KT_TASK_COMMIT:
    case KT_TASK_ROLLBACK:
        end_txn(session, task);
        return;
    }
}

static bool lane_may_start(const KtSession *session)
{
    return session->lane && !session->at_work && !session->closer && (session->resets == 0 || session->lane->ending);
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
    task->beat_ns = kt_clock_ns();
    if (session->txn)
        session->txn->idle_since_ns = 0; /* it begins anew when this is over */
    link_task(session, task);
    start(session, task);
}

static void lane_put(KtSession *session, KtTask *task)
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
        txn_free(session);
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

static void over(KtSession *session, KtTask *task, bool failed)
{
    task->state = KT_TASK_OVER;
    unlink_task(session, task);
    leave_lane(session, task, failed);
    if (task->close_request)
        kt_door_ok(session->conn, task->close_request, &(KmpOk){.tx_state = tx_state(session)});
    KtTxn *txn = session->txn;
    if (task == session->closer) {
        session->closer = NULL;
        txn->over = true;
        txn->closer = NULL;
    } else if (task->kind == KT_TASK_BEGIN && task->txn) {
        txn->open = !failed;
        if (failed)
            txn_free(session);
        else if (session->resets || session->gone || session->stopping) {
            txn->forget = true;
            txn_abort(session, session->stopping ? KT_ERR_UNAVAILABLE : KT_OK, KT_ENDING_TXN);
        }
    } else if ((task->kind == KT_TASK_COMMIT || task->kind == KT_TASK_ROLLBACK) && task->txn) {
        txn_free(session);
    } else if (task->explicit_txn) {
        txn->tasks--;
        if (failed)
            txn_abort(session, KT_OK, KT_ENDING_FAILED);
    }
    kt_task_free(task);
    txn_step(session);
}

static void failed_work(KtSession *session, KtTask *task)
{
    if (task->status == KT_ERR_CANCELLED && task->ending == KT_ENDING_CLOSE) {
        answer_ok(session, task);
        over(session, task, false);
        return;
    }
    KtStatus status = cause(session, task);
    /* the state that this answer shows is the one after it */
    bool ends = (task->kind == KT_TASK_COMMIT || task->kind == KT_TASK_ROLLBACK) && task->txn;
    if (task->explicit_txn)
        session->txn->failed = true;
    if (ends)
        session->txn->open = false;
    answer_error(session, task, status, &task->diag);
    over(session, task, true);
}

void kt_session_worked(KtSession *session, KtTask *task, KtWork work)
{
    int64_t now = kt_clock_ns();
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
    case KT_WORK_HANDOVER:
        kt_session_make_ready(session, task);
        break;
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
    case KT_WORK_DONE:
        over(session, task, false);
        break;
    case KT_WORK_FAILED:
        failed_work(session, task);
        break;
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
            end_cursors(session, why, true);
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
    case KT_TASK_PARKED:
        kt_session_make_ready(session, task);
        break;
    case KT_TASK_QUEUED:
    case KT_TASK_READY:
    case KT_TASK_RUNNING:
    case KT_TASK_OVER:
        break;
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
        if (task != session->closer && task->state != KT_TASK_CURSORS)
            kt_session_end(session, task, KT_ENDING_STOP);
    }
    if (session->txn)
        session->txn->forget = true;
    txn_abort(session, KT_ERR_UNAVAILABLE, KT_ENDING_STOP);
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
        kt_task_free(task);
    }
    session->lane_last = &session->lane;
    session->lane_len = 0;
    session->lane_bytes = 0;
    session->resets = 0;
    kt_session_cancel(session, 0);
    if (session->txn)
        session->txn->forget = true;
    txn_abort(session, KT_OK, KT_ENDING_CANCEL);
    txn_step(session);
}

static void reset(KtSession *session, uint32_t request)
{
    if (session->resets == KT_COUNT(session->reset_request)) {
        KtDiag diag = {0};
        kt_diag_set(&diag, KT_ERR_PROTOCOL, NULL, "%zu RESETs are not answered yet", KT_COUNT(session->reset_request));
        kt_door_error(session->conn, request, KT_ERR_PROTOCOL, &diag, 0, tx_state(session));
        return;
    }
    session->reset_request[session->resets++] = request;
    kt_session_cancel(session, 0);
    if (session->txn)
        session->txn->forget = true;
    txn_abort(session, KT_OK, KT_ENDING_CANCEL);
}

bool kt_session_quiet(const KtSession *session)
{
    return !session->tasks && !session->lane && !session->closer && !session->txn && !session->resets;
}

bool kt_session_accepts(const KtSession *session)
{
    return session->lane_len < KT_LANE_MOST && session->lane_bytes < KT_LANE_BYTES;
}

/* ---- messages ---- */

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
    kt_door_error(session->conn, request, KT_ERR_PROTOCOL, &diag, 0, tx_state(session));
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
        kt_door_ok(session->conn, request, &(KmpOk){.tx_state = tx_state(session)});
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
    case KMP_MORE: case KMP_CLOSE: case KMP_CANCEL: case KMP_RESET: case KMP_PING: case KMP_BYE: return false;
    default: *out = KT_TASK_REFUSED; return true; /* HELLO again, later versions' messages, unknown ones */
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
        kt_door_error(session->conn, id, status, &diag, 0, tx_state(session));
    } else {
        switch ((int)request.type) {
        case KMP_MORE:
            more(session, id, &request.as.more);
            break;
        case KMP_CLOSE:
            close_cursor(session, id, request.as.close.cursor);
            break;
        case KMP_CANCEL:
            if (request.as.cancel.session || request.as.cancel.key.len) {
                protocol_error(session, id, "CANCEL with a session and key goes on a connection of its own, in place of HELLO");
                break;
            }
            kt_session_cancel(session, request.as.cancel.request);
            kt_door_ok(session->conn, id, &(KmpOk){.tx_state = tx_state(session)});
            break;
        case KMP_RESET:
            reset(session, id);
            break;
        case KMP_PING:
            kt_door_pong(session->conn, id);
            break;
        case KMP_BYE:
            kt_session_bye(session);
            break;
        default:
            break;
        }
    }
    kt_arena_close(arena);
}

void kt_session_bye(KtSession *session)
{
    kt_session_cancel(session, 0);
    if (session->txn)
        session->txn->forget = true;
    txn_abort(session, KT_OK, KT_ENDING_CANCEL);
    kt_conn_end(session->conn);
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
        protocol_error(session, message->header.request, "a request with this number is still being answered");
        return;
    }
    KtServer *server = server_of(session);
    KtTask *task;
    KtStatus status = kt_task_new(server, session, kind, message, &session->conn->wire, &task);
    if (status != KT_OK) {
        KtDiag diag = {0};
        kt_diag_set(&diag, status, NULL, "a request of %u bytes does not fit into the memory limit of a query", message->header.length);
        kt_door_error(session->conn, message->header.request, status, &diag, 0, tx_state(session));
        session->last_failed = true;
        return;
    }
    if (kind == KT_TASK_RUN) {
        task->cursor = ++session->last_cursor;
        task->query_id = atomic_fetch_add_explicit(&server->next_query, 1, memory_order_relaxed) + 1;
    }
    lane_put(session, task);
    kt_session_pump(session);
}

/* ---- time ---- */

static void earliest(int64_t *due, int64_t at)
{
    if (at && (*due == 0 || at < *due))
        *due = at;
}

/* When a task must be looked at, and why. */
static int64_t task_due(const KtSession *session, const KtTask *task, KtEnding *why)
{
    const KtConfig *config = &task->server->config;
    int64_t due = 0;
    *why = KT_ENDING_NONE;
    switch (task->state) {
    case KT_TASK_TURN:
        *why = KT_ENDING_DEADLINE;
        return task->ending ? 0 : task->deadline_ns;
    case KT_TASK_ROOM:
    case KT_TASK_PARKED:
        if (task->phase != KT_PHASE_STREAM) { /* its writes stand: only the client's patience ends it */
            due = task->deadline_ns;
            *why = KT_ENDING_DEADLINE;
        }
        if (!task->explicit_txn || task->state == KT_TASK_ROOM) {
            int64_t idle = task->parked_ns + config->cursor_ms * 1000000;
            if (due == 0 || idle < due) {
                due = idle;
                *why = KT_ENDING_IDLE;
            }
        }
        return due;
    case KT_TASK_QUEUED:
    case KT_TASK_CURSORS:
    case KT_TASK_READY:
    case KT_TASK_RUNNING:
    case KT_TASK_OVER:
        break;
    }
    (void)session;
    return 0;
}

static int64_t beat_due(const KtTask *task)
{
    if (task->silent || (task->state != KT_TASK_TURN && task->state != KT_TASK_READY && task->state != KT_TASK_RUNNING))
        return 0;
    return task->beat_ns + task->server->config.kmp_heartbeat_ms * 1000000;
}

static int64_t txn_due(const KtSession *session, KtStatus *lost)
{
    const KtTxn *txn = session->txn;
    if (!txn || !txn->open || txn->over || txn->failed || txn->lost)
        return 0;
    if (session->at_work && session->at_work->txn == txn && session->at_work->kind != KT_TASK_RUN)
        return 0;
    const KtConfig *config = &server_of(session)->config;
    int64_t due = txn->end_ns;
    *lost = txn->writing ? KT_ERR_TRANSACTION_TIMED_OUT : KT_ERR_SNAPSHOT_TOO_OLD;
    if (txn->idle_since_ns)
        earliest(&due, txn->idle_since_ns + (txn->writing ? config->idle_ms : config->cursor_ms) * 1000000);
    return due;
}

int64_t kt_session_due(const KtSession *session)
{
    KtStatus lost;
    KtEnding why;
    int64_t due = txn_due(session, &lost);
    for (const KtTask *task = session->tasks; task; task = task->next) {
        earliest(&due, task_due(session, task, &why));
        earliest(&due, beat_due(task));
    }
    return due;
}

void kt_session_timer(KtSession *session, int64_t now_ns)
{
    KtStatus lost;
    int64_t due = txn_due(session, &lost);
    if (due && due <= now_ns)
        txn_abort(session, lost, KT_ENDING_TXN);
    for (KtTask *task = session->tasks, *next; task; task = next) {
        next = task->next;
        KtEnding why;
        due = task_due(session, task, &why);
        if (due && due <= now_ns) {
            kt_session_end(session, task, why);
            continue;
        }
        due = beat_due(task);
        if (due && due <= now_ns) {
            task->beat_ns = now_ns;
            kt_door_progress(session->conn, task->message.header.request,
                             atomic_load_explicit(&task->rows_made, memory_order_relaxed));
        }
    }
    kt_loop_touch(session->conn->loop, session->conn);
}

void kt_session_open(KtSession *session, KtConn *conn)
{
    *session = (KtSession){.conn = conn};
    session->lane_last = &session->lane;
    session->ready_last = &session->ready;
    session->inline_left = KT_INLINE_MOST;
}
