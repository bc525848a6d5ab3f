/* tests/unit/query/exec/run.h - runs statements over an in-memory database, operators driven by hand.
 *
 * A statement goes through parser, binder and planner; the test then asks the root operator itself, with or without
 * the stutter (random AGAIN, random want, forced parks). Rows come back as lines of text. */
#ifndef TESTS_QUERY_EXEC_RUN_H
#define TESTS_QUERY_EXEC_RUN_H

#include "query/exec/op.h"
#include "storage/database.h"

#include <criterion/criterion.h>

typedef struct Base {
    KtDatabase *db;
    KtView *view; /* of the writing transaction that is open, or NULL */
    KtTurn turn;
    KtDiag diag;
    uint64_t seed;
} Base;

typedef struct Answer {
    KtStatus status;
    KtDiag diag;
    char **line; /* one per row: values between " | " */
    uint32_t n, cap;
    uint64_t again, want, park; /* what the stutter did */
    uint64_t peak;              /* bytes of the budget */
    uint64_t kernels, prop_reads;
    KtWriteCounts counts;
    uint32_t hash_joins; /* of the plan */
} Answer;

Base *base_open(void);
void base_close(Base *base);
uint32_t base_random(Base *base, uint32_t below);

typedef struct RunSpec {
    uint32_t stutter;    /* seed; 0: off */
    size_t memory;       /* 0: no limit */
    uint32_t full_every; /* the sink is full after so many rows, and the query parks; 0: never */
    bool rollback;       /* a writing statement is not committed */
} RunSpec;

/* Runs one statement, in a transaction of its own. */
Answer run_with(Base *base, RunSpec spec, const char *text, ...)
    __attribute__((format(printf, 3, 4)));
#define run(base, ...) run_with(base, (RunSpec){0}, __VA_ARGS__)
void answer_free(Answer *answer);
void answer_sort(Answer *answer);

/* Runs and compares: rows in this order, NULL at the end. */
void expect_rows(Base *base, const char *text, ...) __attribute__((sentinel));
/* The same, in any order. */
void expect_bag(Base *base, const char *text, ...) __attribute__((sentinel));
void expect_error(Base *base, KtStatus status, const char *text);
/* Runs plainly and with several stutters and parks: the rows must be the same, in the same order. Returns the plain
 * answer, to be freed. */
Answer run_all_ways(Base *base, const char *text);
/* The same rows in any order. */
void expect_same(const Answer *a, const Answer *b, const char *what);

#endif
