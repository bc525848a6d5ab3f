/* server/session_txn.c - the transaction of BEGIN.
 *
 * One that fails or runs out of time is rolled back by its closer at once, so that its turn goes on; its shell stays
 * until the client has heard of it. The closer is made with BEGIN, so that it is there when memory is not. */
#include "server/session_internal.h"

#include <stdlib.h>

void kt_txn_free(KtSession *session)
{
    KtTxn *txn = session->txn;
    KT_CHECK(!txn->view && !txn->holds_turn && txn->tasks == 0);
    session->txn = NULL;
    if (session->closer != txn->closer)
        kt_task_free(&session->conn->loop->shelf, txn->closer);
    free(txn);
}

void kt_txn_end_cursors(KtSession *session, KtEnding why, bool cancel)
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
void kt_txn_step(KtSession *session)
{
    KtTxn *txn = session->txn;
    if (!txn || !txn->open || txn->tasks > 0 || session->closer)
        return;
    KtTask *waiter =
        session->at_work && session->at_work->state == KT_TASK_CURSORS ? session->at_work : NULL;
    bool bad = txn->failed || txn->lost;
    if (waiter && !txn->over && (!bad || waiter->kind == KT_TASK_ROLLBACK)) {
        kt_session_make_ready(session, waiter);
        return;
    }
    if (bad && !txn->over &&
        !(session->at_work && session->at_work->kind != KT_TASK_RUN && !waiter)) {
        session->closer = txn->closer;
        session->closer->txn = txn;
        kt_session_link(session, session->closer);
        kt_session_make_ready(session, session->closer);
        return;
    }
    if (waiter && txn->over) { /* a cursor failed while COMMIT waited for it, or the time was up */
        KtStatus status = txn->lost ? txn->lost : KT_ERR_TRANSACTION_FAILED;
        txn->told = true;
        kt_session_refuse(session, waiter, status,
                          txn->lost
                              ? kt_txn_timed_out_words
                              : "a statement of the transaction failed: only ROLLBACK is answered");
        waiter->txn = NULL;
        kt_session_over(session, waiter, true);
        return;
    }
    if (txn->over && (txn->forget || session->gone))
        kt_txn_free(session);
}

/* Rolls back now. `lost`: KT_OK, or what the next request is told. */
void kt_txn_abort(KtSession *session, KtStatus lost, KtEnding why)
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
    kt_txn_end_cursors(session, why, true);
    kt_txn_step(session);
}

void kt_txn_begin(KtSession *session, KtTask *task)
{
    if (session->txn) {
        kt_session_refuse(
            session, task, KT_ERR_TRANSACTION_STATE,
            "a transaction is open on this connection: end it by COMMIT or ROLLBACK first");
        kt_session_over(session, task, true);
        return;
    }
    static const KmpMessage none = {0};
    KtTxn *txn = calloc(1, sizeof *txn);
    KtStatus status = txn ? kt_task_new(task->server, &session->conn->loop->shelf, session,
                                        KT_TASK_ROLLBACK, &none, &task->wire, &txn->closer)
                          : KT_ERR_MEMORY;
    if (status != KT_OK) {
        free(txn);
        kt_session_refuse(session, task, status, kt_session_plain_words(status));
        kt_session_over(session, task, true);
        return;
    }
    kt_budget_init(&txn->budget, &task->server->queries, task->server->memory.query);
    txn->closer->silent = true;
    session->txn = txn;
    task->txn = txn;
    kt_session_make_ready(session, task);
}

void kt_txn_end(KtSession *session, KtTask *task)
{
    KtTxn *txn = session->txn;
    bool rollback = task->kind == KT_TASK_ROLLBACK;
    if (!txn) {
        kt_session_refuse(session, task, KT_ERR_TRANSACTION_STATE,
                          "no transaction is open on this connection: send BEGIN first");
        kt_session_over(session, task, true);
    } else if (txn->over) { /* failed, and already rolled back */
        if (rollback) {
            kt_txn_free(session);
            kt_session_answer_ok(session, task);
        } else {
            kt_session_refuse(session, task, KT_ERR_TRANSACTION_FAILED,
                              "a statement of the transaction failed: only ROLLBACK is answered");
        }
        kt_session_over(session, task, !rollback);
    } else {
        task->txn = txn;
        task->state = KT_TASK_CURSORS;
        kt_txn_end_cursors(session, KT_ENDING_CLOSE, rollback);
        kt_txn_step(session);
    }
}

/* The next request was not answered when the transaction ended: it is told first. */
bool kt_txn_told_loss(KtSession *session, KtTask *task)
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
        kt_txn_free(session);
    kt_session_refuse(session, task, lost,
                      lost == KT_ERR_UNAVAILABLE ? "kithd is stopping" : kt_txn_timed_out_words);
    kt_session_over(session, task, true);
    return true;
}
