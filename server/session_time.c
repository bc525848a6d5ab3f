/* server/session_time.c - deadlines, idle limits and signs of life: when to look, and what to do then. */
#include "server/session_internal.h"

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
    case KT_TASK_TURN: *why = KT_ENDING_DEADLINE; return task->ending ? 0 : task->deadline_ns;
    case KT_TASK_ROOM:
    case KT_TASK_PARKED:
        if (task->phase !=
            KT_PHASE_STREAM) { /* its writes stand: only the client's patience ends it */
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
    case KT_TASK_OVER: break;
    }
    (void)session;
    return 0;
}

static int64_t beat_due(const KtTask *task)
{
    if (task->silent || (task->state != KT_TASK_TURN && task->state != KT_TASK_READY &&
                         task->state != KT_TASK_RUNNING))
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
    const KtConfig *config = &kt_session_server(session)->config;
    int64_t due = txn->end_ns;
    *lost = txn->writing ? KT_ERR_TRANSACTION_TIMED_OUT : KT_ERR_SNAPSHOT_TOO_OLD;
    if (txn->idle_since_ns)
        earliest(&due, txn->idle_since_ns +
                           (txn->writing ? config->idle_ms : config->cursor_ms) * 1000000);
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
        kt_txn_abort(session, lost, KT_ENDING_TXN);
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
