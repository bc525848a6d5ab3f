/* base/clock.h - time. Deadlines are CLOCK_MONOTONIC nanoseconds; wall time only leaves in records. */
#ifndef KT_BASE_CLOCK_H
#define KT_BASE_CLOCK_H

#include <stdint.h>

int64_t kt_clock_ns(void); /* CLOCK_MONOTONIC */
int64_t kt_clock_coarse_ns(
    void); /* the same clock at its last tick: up to KT_CLOCK_TICK_NS behind, at a fourth of the cost */
enum { KT_CLOCK_TICK_NS = 20000000 };
int64_t kt_clock_utc_us(void); /* CLOCK_REALTIME, microseconds since 1970 */

#endif
