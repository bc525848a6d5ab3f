/* server/signals.h - SIGTERM and SIGINT arrive as a post of the first loop; no handler runs anywhere.
 *
 * A thread of its own waits for them. It is also the watch over the stop: if that has not ended within the grace and
 * KT_STOP_SPARE_MS more, since a thread does not come back from what it does, the process leaves anyway, with one
 * sentence and KT_STOP_GAVE_UP as its exit code. A store on disk is whole then as after a crash. */
#ifndef KT_SERVER_SIGNALS_H
#define KT_SERVER_SIGNALS_H

#include "server/server.h"

enum { KT_STOP_SPARE_MS = 5000, KT_STOP_GAVE_UP = 3 };

/* Blocks both in this thread and those it will start, and ignores SIGPIPE. Before any thread is started. Errors: IO. */
KtStatus kt_signals_open(KtServer *server) KT_MUST_CHECK;
/* From here a signal stops the server. Errors: IO, MEMORY. */
KtStatus kt_signals_start(KtServer *server) KT_MUST_CHECK;
/* Ends the watch: before the loops are closed if no signal came, else last of all. */
void kt_signals_close(KtServer *server);

#endif
