/* clients/c/src/transact.c - a transaction that is run again while its error is retryable. */
#include "clients/c/src/internal.h"

#include "base/clock.h"
#include "base/hash.h"

#include <errno.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 10, LONGEST_PAUSE_MS = 2000 };

static void pause_ms(uint64_t ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

/* Doubles with each attempt, half of it by chance, so that two that collided do not meet again. */
static uint64_t pause_before(uint32_t attempt, const kith_error *e)
{
    uint64_t most = (uint64_t)FIRST_PAUSE_MS << (attempt < 8 ? attempt : 8);
    if (most > LONGEST_PAUSE_MS)
        most = LONGEST_PAUSE_MS;
    uint64_t ms = most / 2 + kt_mix64((uint64_t)kt_clock_ns()) % (most / 2 + 1);
    uint64_t asked = kith_error_retry_after_ms(e);
    return asked > ms ? asked : ms;
}

static int once(kith_connection *c, const kith_begin_options *begin,
                int (*work)(kith_connection *, void *, kith_error **), void *context,
                kith_error **error)
{
    if (kith_is_lost(c) && kith_reconnect(c, error) != 0)
        return -1;
    if (kith_begin(c, begin, error) != 0)
        return -1;
    int wish = work(c, context, error);
    if (wish == KITH_COMMIT)
        return kith_commit(c, NULL, error);
    kith_error *late = NULL;
    int code = !kith_is_lost(c) && kith_in_transaction(c) ? kith_rollback(c, &late) : 0;
    if (wish == KITH_ROLLBACK && code != 0) {
        *error = late;
        return -1;
    }
    kith_error_free(late); /* the first error is the cause */
    if (wish != KITH_ROLLBACK && !*error)
        return kt_client_fail_text(error, KT_ERR_USAGE,
                                   "The work of a transaction failed without an error.");
    return wish == KITH_ROLLBACK ? 0 : -1;
}

int kith_transact(kith_connection *c, const kith_transact_options *options,
                  int (*work)(kith_connection *connection, void *context, kith_error **error),
                  void *context, kith_error **error)
{
    uint32_t attempts = options && options->attempts ? options->attempts : 5;
    uint64_t budget_ms = options && options->budget_ms ? options->budget_ms : 30000;
    int64_t end =
        kt_clock_ns() + (int64_t)(budget_ms < 1000000000 ? budget_ms : 1000000000) * 1000000;
    kith_error *e = NULL;
    if (error)
        *error = NULL;
    for (uint32_t attempt = 0;; attempt++) {
        if (once(c, options ? &options->begin : NULL, work, context, &e) == 0) {
            kith_error_free(e);
            return 0;
        }
        uint64_t ms = pause_before(attempt, e);
        if (!kt_client_retryable(e) || attempt + 1 >= attempts ||
            kt_clock_ns() + (int64_t)ms * 1000000 > end)
            break;
        kith_error_free(e);
        e = NULL;
        pause_ms(ms);
    }
    if (error)
        *error = e;
    else
        kith_error_free(e);
    return -1;
}
