/* server/session_internal.h - what the files of a session share. */
#ifndef KT_SERVER_SESSION_INTERNAL_H
#define KT_SERVER_SESSION_INTERNAL_H

#include "server/conn.h"
#include "server/kmp_door.h"
#include "server/server.h"

static inline KtServer *kt_session_server(const KtSession *session)
{
    return session->conn->loop->server;
}

/* ---- session.c ---- */

/* Puts a new task at the end of the lane. */
void kt_session_lane_put(KtSession *session, KtTask *task);
void kt_session_link(KtSession *session, KtTask *task);
/* The task is answered: it leaves the session, and what waited for it goes on. Frees it. */
void kt_session_over(KtSession *session, KtTask *task, bool failed);

/* ---- session_answer.c ---- */

extern const char kt_txn_timed_out_words[];
KmpTxState kt_session_tx_state(const KtSession *session);
void kt_session_answer_ok(KtSession *session, const KtTask *task);
void kt_session_answer_error(KtSession *session, const KtTask *task, KtStatus status,
                             const KtDiag *diag);
/* Answers a task that never worked, with words of ours. */
void kt_session_refuse(KtSession *session, KtTask *task, KtStatus status, const char *words);
/* The words of an error that the work itself had none for. */
const char *kt_session_plain_words(KtStatus status);
/* Why a task that failed did so: the loop may know better than the work. Fills in task->diag. */
KtStatus kt_session_cause(KtSession *session, KtTask *task);

/* ---- session_txn.c: the transaction of BEGIN ---- */

void kt_txn_begin(KtSession *session, KtTask *task);
/* COMMIT or ROLLBACK has its place in the lane. */
void kt_txn_end(KtSession *session, KtTask *task);
/* The transaction ended unasked and `task` is the next request: it is answered with that, and over. */
bool kt_txn_told_loss(KtSession *session, KtTask *task);
void kt_txn_end_cursors(KtSession *session, KtEnding why, bool cancel);
/* What the transaction waits for may have come: its last cursor is closed, its closer is done. */
void kt_txn_step(KtSession *session);
/* Rolls back now. `lost`: KT_OK, or what the next request is told. */
void kt_txn_abort(KtSession *session, KtStatus lost, KtEnding why);
void kt_txn_free(KtSession *session);

#endif
