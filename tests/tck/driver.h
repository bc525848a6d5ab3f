/* tests/tck/driver.h - what the runner asks of a Kith: an empty graph, and answers. */
#ifndef KT_TESTS_TCK_DRIVER_H
#define KT_TESTS_TCK_DRIVER_H

#include "tests/tck/expect.h"

typedef struct Reply {
    bool failed;
    bool compile_time;
    const char *type, *detail, *message; /* of a failure: openCypher's words */
    uint32_t line, at;                   /* place of the failure; 0: none */
    uint32_t columns;
    const KtText *column;
    Rows rows;
    const char *plan; /* of EXPLAIN and PROFILE, else "" */
} Reply;

typedef struct Driver Driver;
struct Driver {
    bool (*reset)(Driver *driver); /* an empty graph; false: cannot, said on stderr */
    void (*run)(Driver *driver, KtArena *arena, const char *text, KtValue params, Reply *out);
    void (*close)(Driver *driver);
};

typedef struct EngineOptions {
    bool rocksdb;  /* a database in a temporary folder, not in memory */
    bool park;     /* steps of the smallest quantum, parked between */
    bool old_view; /* keep a view of the state before each statement open */
    bool
        reopen; /* with rocksdb: close and open before each statement, so that every cache is cold */
    uint32_t want, stutter;       /* as KtQuerySpec */
    uint64_t again, wants, parks; /* filled in: what the stutter did, by all drivers made with it */
} EngineOptions;
Driver *driver_engine(EngineOptions *options); /* in process */
Driver *driver_wire(
    const char *uri); /* through the C client; NULL: cannot connect, said on stderr */

#endif
