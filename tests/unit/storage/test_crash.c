/* A writer is killed at any moment: every commit that it told of is there afterwards, and only whole ones. */
#include "storage/database_internal.h"
#include "storage/digest.h"
#include "storage/format.h"
#include "tests/unit/storage/folder.h"
#include "tests/unit/storage/model.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { EACH = 3 }; /* nodes and loops of one commit */

/* Under TSan a child of a process that has had threads may start none: one cycle, before RocksDB is opened here. */
#ifdef __SANITIZE_THREAD__
enum { CYCLES = 1 };
#else
enum { CYCLES = 8 };
#endif

static KtDatabase *open_db(const char *path)
{
    KtDatabaseSpec spec = {.path = path, .create = true};
    KtDiag diag = {.status = KT_OK};
    KtDatabase *db;
    cr_assert_eq(kt_database_open(&spec, &diag, &db), KT_OK, "%s", diag.message);
    return db;
}

/* Commits until it is killed; tells each number after its commit has returned. */
static void write_on(const char *path, int tell)
{
    KtDatabaseSpec spec = {.path = path, .create = true};
    KtDiag diag = {.status = KT_OK};
    KtDatabase *db;
    if (kt_database_open(&spec, &diag, &db) != KT_OK)
        _exit(2);
    for (;;) {
        KtViewSpec writing = {.write = true};
        KtView *view;
        KtToken label, type, key;
        KtNodeId node[EACH];
        KtRelId rel[EACH];
        KtCommit number;
        KtTurn turn = {0};
        KtStatus status = kt_turn_wait(db, &turn, 0, NULL);
        status = status ? status : kt_view_open(db, &writing, &diag, &view);
        status = status ? status : kt_name_make(view, KT_NAME_LABEL, KT_TEXT_LITERAL("L"), &label);
        status = status ? status : kt_name_make(view, KT_NAME_TYPE, KT_TEXT_LITERAL("T"), &type);
        status = status ? status : kt_name_make(view, KT_NAME_KEY, KT_TEXT_LITERAL("n"), &key);
        KtProp prop[EACH];
        uint32_t start[EACH + 1];
        for (uint32_t i = 0; i <= EACH; i++)
            start[i] = i;
        for (uint32_t i = 0; i < EACH && status == KT_OK; i++)
            prop[i] = (KtProp){key, kt_int((int64_t)kt_view_number(view) + 1)};
        KtProps props = {start, prop};
        status = status ? status : kt_add_nodes(view, EACH, &label, 1, &props, node);
        status = status ? status : kt_add_rels(view, EACH, type, node, node, &props, rel);
        status = status ? status : kt_view_commit(view, &diag, &number);
        if (status != KT_OK || write(tell, &number, sizeof number) != sizeof number)
            _exit(3);
        kt_view_close(view);
        kt_turn_release(db, &turn);
    }
}

/* Every second time it waits for the first commit before it counts: on a busy machine the others may die while they
 * open the store, which is to be tried too. */
static KtCommit kill_one(const char *path, uint32_t after_ms, bool after_first)
{
    int pipe_ends[2];
    cr_assert_eq(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)close(pipe_ends[0]);
        write_on(path, pipe_ends[1]);
    }
    (void)close(pipe_ends[1]);
    KtCommit told = 0, number;
    if (after_first && read(pipe_ends[0], &number, sizeof number) == sizeof number)
        told = number;
    struct timespec t = {.tv_sec = after_ms / 1000, .tv_nsec = (long)(after_ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
    (void)kill(child, SIGKILL);
    int status;
    (void)waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status), "it ended by itself: %d", status);
    while (read(pipe_ends[0], &number, sizeof number) == sizeof number)
        told = number;
    (void)close(pipe_ends[0]);
    return told;
}

/* The log from its first record, applied to an empty store, must be what the folder holds. */
static void compare_with_log(KtDatabase *db)
{
    KtDatabase *copy;
    KtDatabaseSpec spec = {.create = true};
    KtDiag diag = {.status = KT_OK};
    KtKvIter *iter;
    cr_assert_eq(kt_database_open(&spec, &diag, &copy), KT_OK);
    cr_assert_eq(kt_kv_iter_open(db->store->kv, NULL, KT_FAMILY_LOG, KT_KV_TOTAL_ORDER, &iter),
                 KT_OK);
    cr_assert_eq(kt_kv_iter_seek(iter, kt_span(NULL, 0)), KT_OK);
    while (kt_kv_iter_valid(iter)) {
        cr_assert_eq(kt_sequence_record(copy, kt_kv_iter_value(iter), &diag), KT_OK, "%s",
                     diag.message);
        cr_assert_eq(kt_kv_iter_next(iter), KT_OK);
    }
    kt_kv_iter_close(iter);
    uint8_t digest[2][KT_DIGEST_BYTES];
    for (int i = 0; i < 2; i++) {
        KtView *view;
        KtViewSpec read_only = {.write = false};
        cr_assert_eq(kt_view_open(i ? copy : db, &read_only, &diag, &view), KT_OK);
        cr_assert_eq(kt_digest(view, digest[i]), KT_OK);
        kt_view_close(view);
    }
    cr_assert_arr_eq(digest[0], digest[1], KT_DIGEST_BYTES);
    kt_database_close(copy);
}

Test(storage_crash, no_commit_that_was_told_of_is_lost_and_none_is_half)
{
    Folder f = folder_make();
    KtCommit last = 0;
    for (uint32_t cycle = 0; cycle < CYCLES; cycle++) {
        KtCommit told = kill_one(f.db, 80 + cycle * 37 % 110, cycle % 2 == 1);
        last = told > last ? told : last;
        KtDatabase *db = open_db(f.db);
        KtCommit found = kt_database_published(db);
        cr_assert_geq(found, last, "told of %llu, found %llu", (unsigned long long)last,
                      (unsigned long long)found);
        cr_assert_eq(kt_stats(db).nodes, found * EACH);
        cr_assert_eq(kt_stats(db).rels, found * EACH);
        compare_with_log(db);
        last = found;
        kt_database_close(db);
    }
    cr_assert(CYCLES == 1 || last > 0);
    folder_remove(&f);
}
