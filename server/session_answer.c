/* server/session_answer.c - what a client is told: the result, or the error and why. */
#include "server/session_internal.h"

#include "base/clock.h"

KmpTxState kt_session_tx_state(const KtSession *session)
{
    const KtTxn *txn = session->txn;
    return !txn || !txn->open         ? KMP_TX_NONE
           : txn->failed || txn->lost ? KMP_TX_FAILED
                                      : KMP_TX_OPEN;
}

void kt_session_answer_ok(KtSession *session, const KtTask *task)
{
    if (!task->silent)
        kt_door_ok(session->conn, task->message.header.request,
                   &(KmpOk){.rows = task->rows_out,
                            .commit = task->commit,
                            .tx_state = kt_session_tx_state(session)});
}

void kt_session_answer_error(KtSession *session, const KtTask *task, KtStatus status,
                             const KtDiag *diag)
{
    const KtErrorFacts *facts = kt_error_facts(status);
    if (facts->error_class == KT_CLASS_SERVER)
        kt_log(&kt_session_server(session)->log, KT_LOG_ERROR, "query %llu: %s: %s",
               (unsigned long long)task->query_id, facts->wire, diag->message);
    if (!task->silent)
        kt_door_error(session->conn, task->message.header.request, status, diag, task->query_id,
                      kt_session_tx_state(session));
}

/* Answers a task that never worked, with words of ours. */
void kt_session_refuse(KtSession *session, KtTask *task, KtStatus status, const char *words)
{
    kt_diag_clear(&task->diag);
    kt_diag_set(&task->diag, status, NULL, "%s", words);
    kt_session_answer_error(session, task, status, &task->diag);
}

const char kt_txn_timed_out_words[] =
    "the transaction was rolled back: it was idle too long, or ran past its time";

/* The words of an error that the work itself had none for. */
const char *kt_session_plain_words(KtStatus status)
{
    switch ((int)status) {
    case KT_ERR_DEADLINE: return "the request ran into its deadline";
    case KT_ERR_CANCELLED: return "the request was cancelled";
    case KT_ERR_MEMORY: return "memory ran out while this was worked on";
    case KT_ERR_SNAPSHOT_TOO_OLD: return "the snapshot that this reads was kept too long";
    case KT_ERR_WRITE_IN_READ_ONLY: return "this statement writes, and may only read";
    case KT_ERR_TRANSACTION_TOO_LARGE: return "the transaction writes too much";
    case KT_ERR_COMMIT_OUTCOME_UNKNOWN:
        return "the write to disk failed: whether the commit took place is not known";
    case KT_ERR_READ_ONLY_LATCHED:
        return "the database takes no writes since a write to disk failed";
    default: return kt_error_facts(status)->wire;
    }
}

/* Why a task that failed did so: the loop may know better than the work. */
KtStatus kt_session_cause(KtSession *session, KtTask *task)
{
    KtStatus status = task->status;
    KtDiag *diag = &task->diag;
    if (status == KT_ERR_CANCELLED && task->commit) { /* never retryable: the writes stand */
        kt_diag_clear(diag);
        return kt_diag_set(diag, status, NULL,
                           "the statement is committed as %llu, but its rows did not all go out",
                           (unsigned long long)task->commit);
    }
    if (status == KT_ERR_CANCELLED) {
        const char *words = NULL;
        switch (task->ending) {
        case KT_ENDING_NONE:
        case KT_ENDING_CANCEL:
        case KT_ENDING_CLOSE: break;
        case KT_ENDING_DEADLINE:
            status = KT_ERR_DEADLINE;
            words = task->reached == KT_PHASE_OPEN
                        ? "the deadline passed while this waited for its turn to write"
                        : NULL;
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
            status = session->txn && session->txn->lost ? session->txn->lost
                                                        : KT_ERR_TRANSACTION_TIMED_OUT;
            words = status == KT_ERR_UNAVAILABLE ? "kithd is stopping" : kt_txn_timed_out_words;
            break;
        case KT_ENDING_FAILED:
            status = KT_ERR_TRANSACTION_FAILED;
            words = "the cursor was closed: its transaction failed";
            break;
        }
        if (status != task->status || words) {
            kt_diag_clear(diag);
            kt_diag_set(diag, status, NULL, "%s", words ? words : kt_session_plain_words(status));
        }
    }
    if (status == KT_ERR_DEADLINE && task->explicit_txn && session->txn->end_ns &&
        kt_clock_ns() >= session->txn->end_ns) {
        status = session->txn->writing ? KT_ERR_TRANSACTION_TIMED_OUT : KT_ERR_SNAPSHOT_TOO_OLD;
        kt_diag_clear(diag);
        kt_diag_set(diag, status, NULL, "%s", kt_txn_timed_out_words);
        session->txn->lost = status;
        session->txn->told = true;
    }
    if (!diag->message[0] || strcmp(diag->message, kt_error_facts(status)->wire) == 0) {
        kt_diag_clear(diag);
        kt_diag_set(diag, status, NULL, "%s", kt_session_plain_words(status));
    }
    return status;
}
