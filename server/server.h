/* server/server.h - kithd as one object: database, engine, loops, workers.
 *
 * Order of use: kt_server_start, kt_server_run (until SIGTERM or SIGINT), kt_server_stop. */
#ifndef KT_SERVER_SERVER_H
#define KT_SERVER_SERVER_H

#include "query/query.h"
#include "server/config.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/loop.h"
#include "server/memory.h"
#include "server/worker.h"

#define KITH_SERVER_NAME "Kith/0.1.0"
#define KITH_DATABASE "kith"

typedef struct KtServer {
    /* constant once started */
    KtConfig config; /* the caller's texts */
    KtMemoryPlan memory;
    KtLog log;
    KtDatabase *db;
    KtEngine *engine;
    KtLoop *loop;
    uint32_t loops;
    /* any thread */
    KtWorkers workers;
    KtWorkers schema; /* one thread: schema statements wait for their turn by blocking */
    KtBudget queries; /* parent of every statement's budget */
    atomic_ullong next_session, next_query;
    atomic_uint connections;
    atomic_bool stopping; /* no writer that gets its turn now begins */
    atomic_uint loops_told;
    /* only the first loop's thread */
    KtListener listener[2];
    uint32_t listeners, next_loop;
    struct event *retry_event;
    /* the thread of signals.c */
    int signal_fd, watch_end; /* watch_end: an eventfd that ends it */
    pthread_t watch;
    bool watched;    /* there is one */
    KtPost stop;     /* to the first loop, once */
    int stop_signal; /* written before the post */
} KtServer;

/* Opens the doors first (a taken port is found before the store is touched), then the database, then starts threads;
 * prints where it listens. Errors: CONFIG, USAGE, ADDRESS_IN_USE and those of kt_database_open; nothing is left
 * behind. */
KtStatus kt_server_start(KtServer *server, const KtConfig *config, KtDiag *diag) KT_MUST_CHECK;
void kt_server_run(KtServer *server);
void kt_server_stop(KtServer *server);
/* Begins the stop: from the first loop's thread. */
void kt_server_going_away(KtServer *server);

#endif
