/* server/accept.h - takes connections from the listeners and shares them among the loops. */
#ifndef KT_SERVER_ACCEPT_H
#define KT_SERVER_ACCEPT_H

#include "server/server.h"

/* Both on the first loop's thread, or before it runs. Errors: MEMORY. */
KtStatus kt_accept_start(KtServer *server) KT_MUST_CHECK;
void kt_accept_stop(KtServer *server);

#endif
