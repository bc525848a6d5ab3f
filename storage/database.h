/* storage/database.h - one open database, and the turns of its writers.
 *
 * Everything hangs off a KtDatabase: no process globals, several may be open at once. */
#ifndef KT_STORAGE_DATABASE_H
#define KT_STORAGE_DATABASE_H

#include "storage/graph.h"

typedef struct KtDatabaseSpec {
    const char *path;    /* folder of this one database (data/1); NULL: in memory, gone at close */
    const char *log_dir; /* RocksDB's own info log, off the data volume; NULL: a temporary folder */
    uint32_t id;         /* database id, 1 for the first */
    bool create;         /* make it if it is not there */
    size_t cache_bytes;  /* graph cache; 0: 64 MiB */
    size_t block_cache_bytes; /* 0: 32 MiB */
    size_t memtable_bytes;    /* 0: 64 MiB */
    uint64_t log_keep_s;      /* change records are kept this long; 0: 3600 */
    uint64_t log_keep_bytes;  /* and at most this many bytes; 0: 256 MiB */
} KtDatabaseSpec;

/* Errors: STORE_LOCKED, STORE_FORMAT (wrong or newer, named), CORRUPTION, DURABILITY_GAP (fewer commits than at
 * the last clean stop; names both), IO. Ownership: the caller closes *out. */
KtStatus kt_database_open(const KtDatabaseSpec *spec, KtDiag *diag, KtDatabase **out) KT_MUST_CHECK;
/* Ends after all views are closed: KT_CHECKs that none is open. Records the clean stop. */
void kt_database_close(KtDatabase *db);
uint32_t kt_database_id(const KtDatabase *db);
KtCommit kt_database_published(const KtDatabase *db);
/* Much memory of the cache waits for views to leave their epochs: a query that goes on parks at its pauses, or the
 * cache takes nothing more in. Threads: any. Cost: one load while it is false. */
bool kt_database_wants_parks(KtDatabase *db);
bool kt_database_latched(const KtDatabase *db); /* a failed write closed it for writing */

/* A writer's place in the queue. Waiting holds no thread, view or epoch. The caller owns the memory, which
 * must stay until granted-and-released or withdrawn. */
typedef struct KtTurn {
    struct KtTurn *next, *prev;
    int state; /* 0 idle, 1 waiting, 2 held: written by the queue under its lock */
    void (*granted)(
        struct KtTurn
            *turn); /* called once, from the thread that released or asked, outside the lock */
    void *user;
} KtTurn;

/* Asks for the turn; may call turn->granted before it returns. */
void kt_turn_ask(KtDatabase *db, KtTurn *turn);
/* Takes a waiting entry out. False: it is not waiting (it was granted, `granted` has been or is being called). */
bool kt_turn_withdraw(KtDatabase *db, KtTurn *turn);
/* Hands the turn on. */
void kt_turn_release(KtDatabase *db, KtTurn *turn);
/* For callers with a thread to block: tests, tools, DDL. A cancel that was set before the turn came is always seen.
 * Errors: DEADLINE, CANCELLED. */
KtStatus kt_turn_wait(KtDatabase *db, KtTurn *turn, int64_t deadline_ns,
                      const atomic_bool *cancel) KT_MUST_CHECK;

#endif
