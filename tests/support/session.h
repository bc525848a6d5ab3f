/* tests/support/session.h - statements run to their end in one call, in process, for tests and benches.
 *
 * Auto-commit: a read gets a view of its own, a write waits for the turn, runs, and commits before its rows
 * count. Threads: one session, one thread; several sessions may share an engine. */
#ifndef KT_TESTS_SUPPORT_SESSION_H
#define KT_TESTS_SUPPORT_SESSION_H

#include "query/query.h"
#include "storage/database.h"

typedef struct Answer {
    KtStatus status;
    KtDiag diag; /* of a failure */
    uint32_t columns, rows;
    const KtText *column;
    const KtValue *value;   /* row by row; in the arena given to session_run */
    KtQuerySummary summary; /* its plan text is copied to the arena */
    KtCommit commit;
} Answer;

typedef struct SessionLimits {
    size_t memory;          /* bytes; 0: none */
    int64_t quantum_ns;     /* 0: run through */
    bool park_between;      /* park after each step that is not the last */
    uint32_t want, stutter; /* as KtQuerySpec */
} SessionLimits;

/* Always fills *out; out->status tells. */
void session_run(KtEngine *engine, KtDatabase *db, KtArena *arena, KtText text, KtValue params,
                 const SessionLimits *limits, Answer *out);

#endif
