/* bench/bars/commits.c - synced commits a second, by 1 and by 16 writers, against raw RocksDB.
 *
 * Kith's side is in process: each writer waits for the turn, runs a cached statement that sets one property of its own
 * node, and commits. RocksDB's side is the C API with a batch of one put, sync = 1, from as many threads. Its put is as
 * large as makes the write-ahead log grow by as many bytes as a commit of Kith does, which is counted at the files of
 * both. Slices of both sides alternate in one process, in two folders of one disk; the medians are printed. */
#include "bench/bars/beside.h"

#include "base/clock.h"
#include "query/query.h"
#include "storage/database.h"

#include <dirent.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { WRITERS = 16, ROUNDS = 3, SLICE_NS = 400000000, COUNTED = 200, KEY = 8 };

typedef struct Commits {
    KtDatabase *db;
    KtEngine *engine;
    rocksdb_t *raw;
    rocksdb_writeoptions_t *synced;
    char kith_path[BESIDE_PATH + 64], raw_path[BESIDE_PATH + 64];
    size_t value_bytes;     /* of a raw put */
    int64_t last[WRITERS];  /* what each writer's node holds */
    uint64_t next[WRITERS]; /* key of its next raw put */
} Commits;

typedef struct Writer {
    Commits *commits;
    bool (*write)(struct Writer *writer);
    uint32_t number;
    uint64_t most, done; /* most 0: until the end */
    int64_t end_ns;
    pthread_barrier_t *begin;
    rocksdb_writebatch_t *batch;
    char *value;
    KtDiag diag;
    bool failed;
} Writer;

/* ---- one commit ---- */

typedef struct LastInt {
    KtSink sink; /* first */
    int64_t value;
} LastInt;

static KtStatus keep_int(KtSink *sink, const KtValue *value, uint32_t n, bool *full)
{
    (void)full;
    if (n > 0 && value[0].kind == KT_INT)
        ((LastInt *)sink)->value = value[0].as.i;
    return KT_OK;
}

static KtStatus run(const Commits *commits, KtStatement *statement, KtView *view, KtValue params,
                    KtDiag *diag, int64_t *last)
{
    LastInt kept = {{keep_int}, -1};
    KtQuerySpec spec = {.view = view, .params = params, .sink = &kept.sink};
    KtQuery *query;
    KtQueryStep step = KT_QUERY_AGAIN;
    KT_TRY(kt_query_start(commits->engine, statement, &spec, diag, &query));
    KtStatus status = KT_OK;
    while (status == KT_OK && step != KT_QUERY_DONE)
        status = kt_query_step(query, 0, &step);
    kt_query_close(query);
    if (last)
        *last = kept.value;
    return status;
}

static KtStatus write_statement(const Commits *commits, const char *text, KtValue params,
                                KtDiag *diag)
{
    KtStatement *statement;
    KtTurn turn = {0};
    KtView *view = NULL;
    KtCommit number;
    KT_TRY(kt_query_parse(commits->engine, (KtText){text, (uint32_t)strlen(text)}, params, diag,
                          &statement));
    KtStatus status = kt_turn_wait(commits->db, &turn, 0, NULL);
    if (status == KT_OK) {
        status = kt_view_open(commits->db, &(KtViewSpec){.write = true}, diag, &view);
        if (status == KT_OK)
            status = run(commits, statement, view, params, diag, NULL);
        if (status == KT_OK)
            status = kt_view_commit(view, diag, &number);
        kt_view_close(view);
        kt_turn_release(commits->db, &turn);
    }
    kt_statement_release(statement);
    return status;
}

static bool write_kith(Writer *writer)
{
    KtMapEntry entry[] = {{{"s", 1}, kt_int(writer->number)},
                          {{"v", 1}, kt_int(writer->commits->last[writer->number] + 1)}};
    if (write_statement(writer->commits, "MATCH (n:P) WHERE id(n) = $s SET n.x = $v",
                        kt_map(entry, 2), &writer->diag) != KT_OK)
        return false;
    writer->commits->last[writer->number]++;
    return true;
}

static bool write_raw(Writer *writer)
{
    Commits *commits = writer->commits;
    uint64_t key = commits->next[writer->number]++ * WRITERS + writer->number;
    char *error = NULL;
    rocksdb_writebatch_clear(writer->batch);
    rocksdb_writebatch_put(writer->batch, (const char *)&key, sizeof key, writer->value,
                           commits->value_bytes);
    rocksdb_write(commits->raw, commits->synced, writer->batch, &error);
    if (!error)
        return true;
    kt_diag_set(&writer->diag, KT_ERR_IO, NULL, "%s", error);
    rocksdb_free(error);
    return false;
}

/* All that was acknowledged is what the newest view reads. */
static bool all_there(const Commits *commits)
{
    KtStatement *statement;
    KtView *view = NULL;
    KtDiag diag;
    int64_t sum = -1, right = 0;
    kt_diag_clear(&diag);
    for (uint32_t i = 0; i < WRITERS; i++)
        right += commits->last[i];
    if (kt_query_parse(commits->engine, KT_TEXT_LITERAL("MATCH (n:P) RETURN sum(n.x)"),
                       kt_map(NULL, 0), &diag, &statement) != KT_OK)
        return false;
    KtStatus status = kt_view_open(commits->db, &(KtViewSpec){0}, &diag, &view);
    if (status == KT_OK)
        status = run(commits, statement, view, kt_map(NULL, 0), &diag, &sum);
    kt_view_close(view);
    kt_statement_release(statement);
    return status == KT_OK && sum == right;
}

/* ---- many ---- */

static void *write_on(void *user)
{
    Writer *writer = user;
    (void)pthread_barrier_wait(writer->begin);
    while (!writer->failed &&
           (writer->most ? writer->done < writer->most : kt_clock_ns() < writer->end_ns)) {
        writer->failed = !writer->write(writer);
        writer->done += !writer->failed;
    }
    return NULL;
}

/* Commits a second of n writers, each until `most` or (0) for a slice of time; negative: one failed, and said so. */
static double slice(Commits *commits, bool (*write)(Writer *), uint32_t n, uint64_t most)
{
    static Writer writer[WRITERS];
    pthread_t thread[WRITERS];
    pthread_barrier_t begin;
    uint64_t done = 0;
    bool ok = true;
    (void)pthread_barrier_init(&begin, NULL, n);
    int64_t began = kt_clock_ns();
    for (uint32_t i = 0; i < n; i++) {
        writer[i] = (Writer){.commits = commits,
                             .write = write,
                             .number = i,
                             .most = most,
                             .end_ns = began + SLICE_NS,
                             .begin = &begin,
                             .batch = rocksdb_writebatch_create(),
                             .value = calloc(1, commits->value_bytes + 1)};
        if (!writer[i].value || pthread_create(&thread[i], NULL, write_on, &writer[i]) != 0) {
            (void)fprintf(stderr, "bench: commits: no more threads or memory\n");
            exit(1);
        }
    }
    for (uint32_t i = 0; i < n; i++)
        (void)pthread_join(thread[i], NULL);
    double seconds = (double)(kt_clock_ns() - began) / 1e9;
    for (uint32_t i = 0; i < n; i++) {
        if (writer[i].failed && ok)
            (void)printf("beside commits: not measured: %s\n", writer[i].diag.message);
        ok = ok && !writer[i].failed;
        done += writer[i].done;
        rocksdb_writebatch_destroy(writer[i].batch);
        free(writer[i].value);
    }
    (void)pthread_barrier_destroy(&begin);
    return ok ? (double)done / seconds : -1;
}

/* ---- bytes ---- */

/* Of all write-ahead logs in a folder. */
static double wal_bytes(const char *path)
{
    DIR *folder = opendir(path);
    double bytes = 0;
    const struct dirent *entry;
    struct stat facts;
    while (folder && (entry = readdir(folder))) {
        size_t len = strlen(entry->d_name);
        if (len > 4 && strcmp(entry->d_name + len - 4, ".log") == 0 &&
            fstatat(dirfd(folder), entry->d_name, &facts, 0) == 0)
            bytes += (double)facts.st_size;
    }
    if (folder)
        (void)closedir(folder);
    return bytes;
}

/* Bytes that one commit adds to the log; negative: a commit failed. */
static double bytes_each(Commits *commits, bool (*write)(Writer *), const char *path)
{
    double before = wal_bytes(path);
    if (slice(commits, write, 1, COUNTED) < 0)
        return -1;
    return (wal_bytes(path) - before) / COUNTED;
}

/* ---- open, measure, close ---- */

static bool open_both(const Beside *beside, Commits *commits, char *folder)
{
    if (!beside_folder(beside, "commits", folder))
        return false;
    (void)snprintf(commits->kith_path, sizeof commits->kith_path, "%s/kith", folder);
    (void)snprintf(commits->raw_path, sizeof commits->raw_path, "%s/raw", folder);
    KtDiag diag;
    kt_diag_clear(&diag);
    KtDatabaseSpec spec = {.path = commits->kith_path, .id = 1, .create = true};
    KtStatus status = kt_database_open(&spec, &diag, &commits->db);
    if (status == KT_OK)
        status = kt_engine_open(commits->db, NULL, &commits->engine);
    KtMapEntry entry = {{"n", 1}, kt_int(WRITERS)};
    if (status == KT_OK)
        status = write_statement(commits, "UNWIND range(1, $n) AS i CREATE (:P {x: 0})",
                                 kt_map(&entry, 1), &diag);
    char *error = NULL;
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    commits->raw = rocksdb_open(options, commits->raw_path, &error);
    rocksdb_options_destroy(options);
    commits->synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(commits->synced, 1);
    if (status != KT_OK || error)
        (void)printf("beside commits: not measured: %s\n", error ? error : diag.message);
    if (error)
        rocksdb_free(error);
    return status == KT_OK && commits->raw;
}

static void close_both(Commits *commits)
{
    kt_engine_close(commits->engine);
    if (commits->db)
        kt_database_close(commits->db);
    if (commits->raw)
        rocksdb_close(commits->raw);
    if (commits->synced)
        rocksdb_writeoptions_destroy(commits->synced);
}

/* Makes a raw commit as large as one of Kith's. */
static bool weigh(Commits *commits, double *kith, double *raw)
{
    *kith = bytes_each(commits, write_kith, commits->kith_path);
    *raw = *kith < 0 ? -1 : bytes_each(commits, write_raw, commits->raw_path); /* empty values */
    if (*raw < 0)
        return false;
    commits->value_bytes = *kith > *raw ? (size_t)(*kith - *raw) : 0;
    *raw = bytes_each(commits, write_raw, commits->raw_path);
    return *raw >= 0;
}

static bool measure(Commits *commits, uint32_t writers, double bytes_kith, double bytes_raw)
{
    double kith[ROUNDS], raw[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        kith[i] = slice(commits, write_kith, writers, 0);
        raw[i] = kith[i] < 0 ? -1 : slice(commits, write_raw, writers, 0);
        if (raw[i] < 0)
            return false;
    }
    if (!all_there(commits)) {
        (void)printf("beside commits: not measured: the nodes do not hold what was committed\n");
        return false;
    }
    double k = beside_median(kith, ROUNDS), r = beside_median(raw, ROUNDS);
    (void)printf("beside commits, %u writer%s: %.0f a second (%.0f bytes of log each), raw RocksDB "
                 "%.0f a second (%.0f bytes), ratio of rates %.2f\n",
                 writers, writers == 1 ? "" : "s", k, bytes_kith, r, bytes_raw, k / r);
    return true;
}

void beside_commits(const Beside *beside)
{
    Commits *commits = calloc(1, sizeof *commits);
    char folder[BESIDE_PATH];
    double kith, raw;
    if (!commits)
        return;
    if (open_both(beside, commits, folder) && weigh(commits, &kith, &raw) &&
        measure(commits, 1, kith, raw))
        (void)measure(commits, WRITERS, kith, raw);
    close_both(commits);
    beside_remove(folder);
    free(commits);
}
