/* server/server.c - starts and stops the parts of kithd, in an order that leaves nothing half done.
 *
 * Start: doors (a taken port is the commonest mistake, found before the store is touched), store, engine, workers,
 * loops. Stop: doors shut, sessions told, loops end when their last connection is gone, then workers, engine, store. */
#include "server/server.h"

#include "server/accept.h"
#include "server/signals.h"
#include "storage/database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the data folder ---- */

static KtStatus folder_problem(const char *dir, const char *what, int error, KtDiag *diag)
{
    if (error == EACCES || error == EPERM || error == EROFS)
        return kt_diag_set(
            diag, KT_ERR_CONFIG, NULL,
            "%s the data directory %s: %s; give kithd's user the right to write there, or choose another with --data",
            what, dir, strerror(error));
    return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                       "%s the data directory %s: %s; choose another with --data", what, dir,
                       strerror(error));
}

/* DIR, made if its parent is there, and the path of the first database in it. */
static KtStatus data_folder(const char *dir, KtDiag *diag, char path[4096])
{
    if (strlen(dir) > 4000)
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                           "the path of the data directory is longer than 4000 bytes");
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return folder_problem(dir, "cannot make", errno, diag);
    struct stat facts;
    if (stat(dir, &facts) < 0)
        return folder_problem(dir, "cannot look at", errno, diag);
    if (!S_ISDIR(facts.st_mode))
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                           "%s is a file and no data directory: choose another with --data", dir);
    if (access(dir, R_OK | W_OK | X_OK) < 0)
        return folder_problem(dir, "cannot write to", errno, diag);
    snprintf(path, 4096, "%s/CURRENT", dir);
    if (stat(path, &facts) == 0)
        return kt_diag_set(
            diag, KT_ERR_CONFIG, NULL,
            "%s is a database itself and no data directory: give the folder above it, or another, with --data",
            dir);
    snprintf(path, 4096, "%s/1", dir);
    if (stat(path, &facts) == 0 &&
        (!S_ISDIR(facts.st_mode) || access(path, R_OK | W_OK | X_OK) < 0))
        return folder_problem(path, "cannot write to", S_ISDIR(facts.st_mode) ? errno : ENOTDIR,
                              diag);
    return KT_OK;
}

static KtStatus open_database(KtServer *server, KtDiag *diag)
{
    const KtConfig *config = &server->config;
    char path[4096] = "";
    if (config->ephemeral && *config->data)
        return kt_diag_set(
            diag, KT_ERR_USAGE, NULL,
            "--ephemeral keeps nothing and --data keeps everything: give one of them");
    if (!config->ephemeral && !*config->data)
        return kt_diag_set(
            diag, KT_ERR_USAGE, NULL,
            "kithd needs a place for its data: give --data DIR, or --ephemeral to keep nothing");
    if (!config->ephemeral)
        KT_TRY(data_folder(config->data, diag, path));
    KtDatabaseSpec spec = {
        .path = config->ephemeral ? NULL : path,
        .log_dir = *config->log_store_dir ? config->log_store_dir : NULL,
        .id = 1,
        .create = true,
        .cache_bytes = server->memory.graph_cache,
        .block_cache_bytes = server->memory.block_cache,
        .memtable_bytes = server->memory.memtables,
        .log_keep_s = (uint64_t)(config->log_keep_ms + 999) / 1000,
        .log_keep_bytes = config->log_keep_bytes,
    };
    KtStatus status = kt_database_open(&spec, diag, &server->db);
    if (status ==
        KT_ERR_STORE_LOCKED) { /* said again with the folder that the user named, and the way out */
        kt_diag_clear(diag);
        kt_diag_set(diag, status, NULL, "the data directory %s is open in another process.",
                    config->data);
        kt_diag_hint(diag, "Stop that one, or choose another with --data.");
    } else if (status != KT_OK && diag->status != KT_OK && *path && !strstr(diag->message, path)) {
        KtDiag inner = *diag; /* said again with the path */
        kt_diag_clear(diag);
        kt_diag_set(diag, status, NULL, "the database in %s cannot be opened: %s", path,
                    inner.message);
        if (*inner.hint)
            kt_diag_hint(diag, "%s", inner.hint);
    } else if (status != KT_OK && diag->status == KT_OK) {
        kt_diag_set(diag, status, NULL, "cannot open the database in %s",
                    config->ephemeral ? "memory" : path);
    }
    return status;
}

/* ---- start ---- */

static KtStatus open_doors(KtServer *server, KtDiag *diag)
{
    const KtConfig *config = &server->config;
    if (*config->kmp_listen) {
        KT_TRY(kt_listen_tcp(config->kmp_listen, diag, &server->listener[server->listeners]));
        server->listeners++;
    }
    if (*config->kmp_socket) {
        KT_TRY(kt_listen_unix(config->kmp_socket, diag, &server->listener[server->listeners]));
        server->listeners++;
    }
    if (server->listeners == 0)
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                           "every door is off: set --kmp-listen or --kmp-socket");
    return KT_OK;
}

static KtStatus start(KtServer *server, KtDiag *diag)
{
    KtConfig *config = &server->config;
    if (!kt_log_level(config->log_level, &server->log.most))
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL, "log level is error, warn or info, not '%s'",
                           config->log_level);
    KT_TRY(kt_memory_plan(config, kt_memory_machine(), diag, &server->memory));
    kt_budget_init(&server->queries, NULL, server->memory.queries);
    KT_TRY(kt_signals_open(server));
    KT_TRY(open_doors(server, diag));
    KT_TRY(open_database(server, diag));
    KT_TRY(kt_engine_open(server->db, &(KtEngineSpec){0}, &server->engine));
    uint32_t cores = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    KT_TRY(kt_workers_start(&server->workers, config->workers ? config->workers
                                              : cores         ? cores
                                                              : 1));
    KT_TRY(kt_workers_start(&server->schema, 1));
    server->loop = calloc(config->loops, sizeof *server->loop);
    if (!server->loop)
        return KT_ERR_MEMORY;
    for (; server->loops < config->loops; server->loops++)
        KT_TRY(kt_loop_open(&server->loop[server->loops], server, server->loops));
    KT_TRY(kt_signals_start(server));
    return kt_accept_start(server);
}

static void close_all(KtServer *server)
{
    kt_accept_stop(server);
    for (uint32_t i = 0; i < server->loops; i++)
        kt_loop_close(&server->loop[i]);
    free(server->loop);
    kt_workers_stop(&server->workers);
    kt_workers_stop(&server->schema);
    if (server->engine)
        kt_engine_close(server->engine);
    if (server->db)
        kt_database_close(server->db);
}

KtStatus kt_server_start(KtServer *server, const KtConfig *config, KtDiag *diag)
{
    *server = (KtServer){.config = *config, .signal_fd = -1, .watch_end = -1};
    KtStatus status = start(server, diag);
    if (status != KT_OK) {
        if (diag->status == KT_OK)
            kt_diag_set(diag, status, NULL, "kithd could not start: %s",
                        status == KT_ERR_MEMORY ? "out of memory" : strerror(errno));
        kt_signals_close(server);
        close_all(server);
    }
    return status;
}

static void *run_loop(void *arg)
{
    kt_loop_run(arg);
    return NULL;
}

void kt_server_run(KtServer *server)
{
    for (uint32_t i = 1; i < server->loops; i++)
        KT_CHECK(pthread_create(&server->loop[i].thread, NULL, run_loop, &server->loop[i]) == 0);
    for (uint32_t i = 0; i < server->listeners; i++)
        printf("kithd: listening on %s\n", server->listener[i].name);
    fflush(stdout);
    kt_loop_run(&server->loop[0]);
    for (uint32_t i = 1; i < server->loops; i++)
        pthread_join(server->loop[i].thread, NULL);
}

void kt_server_going_away(KtServer *server)
{
    if (server->loop[0].stopping)
        return;
    kt_accept_stop(server);
    atomic_store(&server->stopping, true);
    for (uint32_t i = 1; i < server->loops; i++)
        kt_post_box_put(&server->loop[i].box, &server->loop[i].stop);
    kt_loop_stop(&server->loop[0]);
}

void kt_server_stop(KtServer *server)
{
    close_all(server); /* watched too: a worker or the store may not come back */
    kt_signals_close(server);
    kt_log(&server->log, KT_LOG_INFO, "stopped");
}
