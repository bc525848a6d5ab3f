/* server/log.h - one line on standard error: UTC time, level, words. Only where an error ends.
 *
 * Threads: any; a line is one write. */
#ifndef KT_SERVER_LOG_H
#define KT_SERVER_LOG_H

#include "base/check.h"

#include <stdbool.h>

typedef enum KtLogLevel { KT_LOG_ERROR, KT_LOG_WARN, KT_LOG_INFO } KtLogLevel;

typedef struct KtLog {
    KtLogLevel most; /* lines above this level are dropped; set before threads start */
} KtLog;

/* False: `word` is no level. */
bool kt_log_level(const char *word, KtLogLevel *out) KT_MUST_CHECK;
void kt_log(const KtLog *log, KtLogLevel level, const char *format, ...) KT_PRINTF(3, 4);

#endif
