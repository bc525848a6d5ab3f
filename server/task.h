/* server/task.h - one request of the lane being answered: RUN with its cursor, BEGIN, COMMIT, ROLLBACK.
 *
 * A task belongs to its loop's thread, which decides; the work itself (kt_task_work) is done in slices by one thread at
 * a time, the loop's or a worker's, and what only the work touches is handed over with the task by the queues. So
 * nothing here needs a lock. Frames are made by the work and carried out by the loop. */
#ifndef KT_SERVER_TASK_H
#define KT_SERVER_TASK_H

#include "protocol/kmp/request.h"
#include "protocol/kmp/response.h"
#include "query/query.h"
#include "server/queue.h"
#include "storage/database.h"

typedef struct KtSession KtSession;
typedef struct KtServer KtServer;
typedef struct KtTask KtTask;

/* A transaction: of its own for each statement outside BEGIN, or the session's. */
typedef struct KtTxn {
    /* constant once open */
    bool writing;
    int64_t begun_ns; /* its turn, or its view's opening */
    int64_t end_ns;   /* CLOCK_MONOTONIC: it is over then; 0: not limited */
    /* only the thread that works on a task of it */
    KtView *view;
    bool holds_turn;
    KtTurn turn;
    KtBudget budget; /* of BEGIN's: what it has written, and its reads between statements */
    KtDiag diag;     /* of BEGIN's: words of storage, whose view outlives each statement */
    /* only the loop's thread; a transaction of BEGIN */
    uint32_t tasks;        /* statements and cursors in it that are not over */
    bool open;             /* BEGIN was answered OK */
    bool failed;           /* only ROLLBACK is answered */
    bool told;             /* a request was told that it is lost */
    bool over;             /* the view is closed and the turn is handed on */
    bool forget;           /* nobody will send ROLLBACK */
    KtStatus lost;         /* KT_OK, or why it ended without being asked */
    int64_t idle_since_ns; /* 0: something runs */
    struct KtTask *
        closer; /* rolls it back unasked; made with BEGIN, so that it is there when memory is not */
} KtTxn;

typedef enum KtTaskKind {
    KT_TASK_RUN,
    KT_TASK_BEGIN,
    KT_TASK_COMMIT,
    KT_TASK_ROLLBACK,
    KT_TASK_REFUSED /* a message that only gets an error, in its place in the lane */
} KtTaskKind;

typedef enum KtTaskState {
    KT_TASK_QUEUED,  /* in the lane, behind others */
    KT_TASK_CURSORS, /* COMMIT and ROLLBACK: until the transaction's cursors are closed */
    KT_TASK_READY,   /* may work */
    KT_TASK_RUNNING, /* with a worker */
    KT_TASK_TURN,    /* in the queue of writers */
    KT_TASK_ROOM,    /* until the socket has taken what is there */
    KT_TASK_PARKED,  /* out of credit, until MORE */
    KT_TASK_OVER
} KtTaskState;

typedef enum KtPhase {
    KT_PHASE_PARSE,
    KT_PHASE_OPEN,
    KT_PHASE_STEP,
    KT_PHASE_COMMIT,
    KT_PHASE_STREAM,
    KT_PHASE_END
} KtPhase;

/* Why the loop ended a task before its time. */
typedef enum KtEnding {
    KT_ENDING_NONE,
    KT_ENDING_CANCEL,
    KT_ENDING_CLOSE, /* the client closed the cursor: answered OK */
    KT_ENDING_DEADLINE,
    KT_ENDING_IDLE,  /* nobody asked for rows */
    KT_ENDING_STOP,  /* kithd stops */
    KT_ENDING_TXN,   /* its transaction timed out */
    KT_ENDING_FAILED /* its transaction failed */
} KtEnding;

struct KtTask {
    /* constant from arrival */
    KtServer *server;
    KtSession *session;
    KtTaskKind kind;
    KmpMessage message; /* payload in `arena` */
    KmpWire wire;
    uint64_t query_id; /* of the server, for its log */
    uint64_t cursor;   /* of the session, counted from 1 */
    int64_t arrived_ns;
    int64_t limit_ns; /* how long a statement may take by the settings */
    bool silent;      /* nobody waits for the answer */

    /* only the loop's thread */
    KtTaskState state;
    KtEnding ending;
    bool fresh;                 /* has not worked yet */
    int64_t parked_ns, beat_ns; /* since when it waits for the client; last sign of life to it */
    uint32_t close_request;     /* of the CLOSE to answer when it is over; 0: none */
    KtTask *lane_next, *ready_next, *prev, *next, *room_next;

    /* only the thread that works on it */
    KtTxn *txn; /* &own, or the session's */
    KtTxn own;
    bool explicit_txn;
    KtPhase phase, reached; /* reached: before it failed */
    KtBudget budget;
    KtArena *arena;
    KmpRequest request;
    int64_t deadline_ns;
    KtStatement *statement;
    KtStatementKind statement_kind; /* stable once the task has parked or asked for its turn */
    KtQuery *query;
    KtSink sink;
    KtBuf out;      /* whole frames for the loop to carry out */
    size_t room;    /* `out` may grow to this */
    KmpBatch batch; /* the ROWS under way at the end of `out`; batch.out NULL: none */
    KtBuf carry;    /* one row that its credit did not cover, as bytes */
    KtBuf held;     /* rows of a writing statement until its commit: u32 length and bytes, each */
    size_t held_at;
    uint32_t columns;
    uint64_t used_rows, used_bytes; /* of the credit; bytes of batches that are closed */
    bool hungry;                    /* stopped for credit */
    bool said_parked;               /* and the client knows */
    bool made;                      /* the query has made its last row */
    uint64_t rows_out;
    KtCommit commit;
    KtQuerySummary summary;
    KtStatus status;
    KtDiag diag;

    /* any thread */
    atomic_bool cancel;                      /* end soon */
    atomic_bool discard;                     /* rows are no longer wanted, the writes are */
    atomic_ullong credit_rows, credit_bytes; /* granted in all */
    atomic_ullong rows_made;

    /* handing over */
    KtJob job;
    KtPost done, granted;
    int result; /* KtWork, with `done` */
};

typedef enum KtWork {
    KT_WORK_AGAIN,    /* the quantum is used up */
    KT_WORK_HANDOVER, /* the next part is for another thread */
    KT_WORK_TURN,     /* waits for its turn to write */
    KT_WORK_ROOM,     /* `out` is full */
    KT_WORK_CREDIT,   /* credit is used up */
    KT_WORK_DONE,     /* answered: OK stands at the end of `out`; nothing is held any more */
    KT_WORK_FAILED    /* task->status and task->diag; nothing is held any more */
} KtWork;

/* Tasks that are over, kept with their first memory for the next request: a short one then allocates nothing.
 * One for each loop; only its thread. */
typedef struct KtTaskShelf {
    KtTask *first;
    uint32_t n;
} KtTaskShelf;

/* Ownership: the caller frees by kt_task_free once nothing is held. Errors: MEMORY. `message` is copied. */
KtStatus kt_task_new(KtServer *server, KtTaskShelf *shelf, KtSession *session, KtTaskKind kind,
                     const KmpMessage *message, const KmpWire *wire, KtTask **out) KT_MUST_CHECK;
void kt_task_free(KtTaskShelf *shelf, KtTask *task); /* NULL is allowed */
void kt_task_shelf_clear(KtTaskShelf *shelf);
typedef enum KtPlace {
    KT_ON_LOOP,   /* nothing may take long: no commit, no schema statement */
    KT_ON_WORKER, /* nothing may wait: a schema statement takes its turn by blocking */
    KT_ON_SCHEMA  /* the one thread for those */
} KtPlace;

/* Works for about `quantum_ns`.
 * On DONE and FAILED the query, its view and its turn have been given up; the transaction of a BEGIN stays. */
KtWork kt_task_work(KtTask *task, KtPlace place, int64_t quantum_ns) KT_MUST_CHECK;
/* Where the next slice must be worked, if not on the loop's thread. Only while nobody works on the task. */
KtPlace kt_task_place(const KtTask *task);
/* Adds credit. Threads: any. */
void kt_task_grant(KtTask *task, uint64_t rows, uint64_t bytes);
/* Has the client granted anything that is not used? Only while nobody works on the task. */
bool kt_task_may_send(const KtTask *task);

#endif
