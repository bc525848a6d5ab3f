/* server/log.c - writes log lines. Control bytes of what a client sent never reach the terminal. */
#include "server/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_words[] = {"error", "warn", "info"};

bool kt_log_level(const char *word, KtLogLevel *out)
{
    for (unsigned i = 0; i < KT_COUNT(level_words); i++) {
        if (strcmp(word, level_words[i]) == 0) {
            *out = (KtLogLevel)i;
            return true;
        }
    }
    return false;
}

void kt_log(const KtLog *log, KtLogLevel level, const char *format, ...)
{
    if (level > log->most)
        return;
    int64_t now = kt_clock_utc_us();
    time_t seconds = (time_t)(now / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char line[1024];
    size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
    n += (size_t)snprintf(line + n, sizeof line - n, ".%03dZ %s ", (int)(now / 1000 % 1000),
                          level_words[level]);
    size_t words = n;
    va_list args;
    va_start(args, format);
    int more = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    if (more > 0)
        n += (size_t)more < sizeof line - n - 1 ? (size_t)more : sizeof line - n - 2;
    for (size_t i = words; i < n; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
            line[i] = ' ';
    line[n++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written; /* nowhere left to say so */
}
