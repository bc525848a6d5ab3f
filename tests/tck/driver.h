/* tests/tck/driver.h - what the runner asks of a Kith: an empty graph, and answers. */
#ifndef KT_TESTS_TCK_DRIVER_H
#define KT_TESTS_TCK_DRIVER_H

#include "tests/tck/expect.h"

typedef struct Reply {
    bool failed;
    bool compile_time;
    const char *type, *detail, *message; /* of a failure: openCypher's words */
    uint32_t columns;
    const KtText *column;
    Rows rows;
} Reply;

typedef struct Driver Driver;
struct Driver {
    bool (*reset)(Driver *driver); /* an empty graph; false: cannot, said on stderr */
    void (*run)(Driver *driver, KtArena *arena, const char *text, KtValue params, Reply *out);
    void (*close)(Driver *driver);
};

Driver *driver_engine(void);               /* in process, memory back end */
Driver *driver_wire(const char *uri);      /* through the C client; NULL: cannot connect, said on stderr */

#endif
