/* bench/bars/served.h - kithd and other programs as children of a measurement. */
#ifndef KT_BENCH_BARS_SERVED_H
#define KT_BENCH_BARS_SERVED_H

#include "clients/c/include/kith/kith.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct Served {
    pid_t pid;
    char uri[128];
} Served;

/* Keeps the calling thread, and what it starts, to one core; where there is only one, all share it. */
void served_keep_to_core(int core);
/* Starts kithd on a port of its choice and returns when it listens; `core` -1: any. False: it did not come up, and
 * nothing is left running. */
bool served_start(const char *kithd, const char *data, int core, Served *out);
void served_stop(Served *served); /* again, or after a failed start: nothing */
/* `RETURN 1` answers 1. */
bool served_ask_one(kith_connection *connection);
/* The one integer that `text` answers, -1 for any failure. */
int64_t served_ask_int(kith_connection *connection, const char *text);

/* Runs a program to its end with its standard output thrown away; argv ends in NULL, its first is the path (searched in
 * PATH). Seconds of wall clock, negative unless it exits 0. `c_locale`: with LC_ALL=C. */
double served_run(const char *const *argv, bool c_locale);

#endif
