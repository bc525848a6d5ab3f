/* query/query.h - from statement text to rows: parse, run in steps, cancel.
 *
 * Order of use: kt_query_parse; for a statement that writes, get the turn (storage/database.h); open a view;
 * kt_query_start, kt_query_step until DONE, kt_query_finish, then commit the view (auto-commit) and
 * kt_query_close. An engine belongs to one database and may be used from many threads; one KtQuery from one
 * thread at a time. Nothing here knows sockets. */
#ifndef KT_QUERY_QUERY_H
#define KT_QUERY_QUERY_H

#include "query/exec/sink.h"
#include "storage/graph.h"

typedef struct KtEngine KtEngine;
typedef struct KtStatement KtStatement;
typedef struct KtQuery KtQuery;

typedef struct KtEngineSpec {
    size_t plan_cache_bytes; /* 0: 16 MiB */
} KtEngineSpec;

KtStatus kt_engine_open(KtDatabase *db, const KtEngineSpec *spec, KtEngine **out) KT_MUST_CHECK;
void kt_engine_close(KtEngine *engine);

enum { KT_STATEMENT_BYTES = 1024 * 1024, KT_NESTING_MOST = 1000 };

typedef enum KtStatementKind {
    KT_STATEMENT_READ,
    KT_STATEMENT_WRITE,
    KT_STATEMENT_SCHEMA /* CREATE / DROP INDEX or CONSTRAINT: runs outside any transaction, no view */
} KtStatementKind;
typedef enum KtExplain { KT_RUN, KT_EXPLAIN, KT_PROFILE } KtExplain;

typedef struct KtStatementFacts {
    KtStatementKind kind;
    KtExplain explain; /* EXPLAIN never runs: kind is READ */
    bool loops;        /* one row may take long, which no quantum cuts short (bind/bind_length.c) */
    uint32_t columns;
    const KtText *column;
} KtStatementFacts;

/* Lexes, parses and binds. `params`: a MAP value; its names decide which parameters exist, its values
 * are not looked at. Compile-time errors are found here, with a place. Cached by text and names.
 * Ownership: shared; the caller gives it back by kt_statement_release. */
KtStatus kt_query_parse(KtEngine *engine, KtText text, KtValue params, KtDiag *diag,
                        KtStatement **out) KT_MUST_CHECK;
const KtStatementFacts *kt_statement_facts(const KtStatement *statement);
void kt_statement_release(KtStatement *statement);

typedef struct KtQuerySpec {
    KtView *view;   /* the statement's view; NULL for KT_STATEMENT_SCHEMA */
    KtValue params; /* MAP; must live until kt_query_close */
    KtSink *sink;
    KtBudget *budget;    /* the query's memory limit; NULL: none */
    int64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
    const atomic_bool *cancel;
    uint32_t want; /* rows asked of the plan at a time; 0: a whole batch */
    uint32_t
        stutter; /* seed of random AGAIN, want and parks between operators; 0: none. Only where NDEBUG is not
                                 defined: elsewhere KT_CHECKed to be 0 */
} KtQuerySpec;

/* Plans for the view's schema version (or takes the cached plan) and opens the operators. */
KtStatus kt_query_start(KtEngine *engine, KtStatement *statement, const KtQuerySpec *spec,
                        KtDiag *diag, KtQuery **out) KT_MUST_CHECK;

typedef enum KtQueryStep {
    KT_QUERY_DONE,   /* all rows are out, all writes are in the view */
    KT_QUERY_AGAIN,  /* the quantum is used up: call again, from any thread */
    KT_QUERY_BLOCKED /* the sink is full: park if it may take long, call again when it has room */
} KtQueryStep;

/* Works for about `quantum_ns` (0: until done or blocked). On failure the statement's own writes have been
 * undone in the view and the query only closes. */
KtStatus kt_query_step(KtQuery *query, int64_t quantum_ns, KtQueryStep *step) KT_MUST_CHECK;
/* Leaves the epoch: no pins are held until the next step. */
void kt_query_park(KtQuery *query);

typedef struct KtQuerySummary {
    KtWriteCounts counts;
    KtCommit commit; /* of a schema statement: the last commit it made; else 0, the view commits */
    uint64_t rows;
    int64_t plan_ns, run_ns;
    size_t peak_bytes;
    uint64_t stuttered_again, stuttered_want, stuttered_park;
    /* EXPLAIN and PROFILE: the plan as an indented text table, else empty. Lifetime: the query's */
    KtText plan;
} KtQuerySummary;
void kt_query_summary(const KtQuery *query, KtQuerySummary *out);
void kt_query_close(KtQuery *query); /* in any state; NULL is allowed */

#endif
