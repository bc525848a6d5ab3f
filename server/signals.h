/* server/signals.h - SIGTERM and SIGINT arrive as an event of the first loop; no handler runs anywhere. */
#ifndef KT_SERVER_SIGNALS_H
#define KT_SERVER_SIGNALS_H

#include "server/server.h"

/* Blocks both in this thread and those it will start, and ignores SIGPIPE. Before any thread is started. Errors: IO. */
KtStatus kt_signals_open(KtServer *server) KT_MUST_CHECK;
KtStatus kt_signals_start(KtServer *server) KT_MUST_CHECK; /* Errors: MEMORY */
void kt_signals_close(KtServer *server);

#endif
