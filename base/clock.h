/* base/clock.h - time. Deadlines are CLOCK_MONOTONIC nanoseconds; wall time only leaves in records. */
#ifndef KT_BASE_CLOCK_H
#define KT_BASE_CLOCK_H

#include <stdint.h>

int64_t kt_clock_ns(void);      /* CLOCK_MONOTONIC */
int64_t kt_clock_utc_us(void);  /* CLOCK_REALTIME, microseconds since 1970 */

#endif
