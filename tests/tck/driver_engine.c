/* tests/tck/driver_engine.c - scenarios in process: a fresh in-memory database for each. */
#include "tests/support/session.h"
#include "tests/tck/driver.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct EngineDriver {
    Driver driver; /* first */
    EngineOptions *options;
    KtDatabase *db;
    KtEngine *engine;
    KtView *old;
    char folder[64];
} EngineDriver;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static void shut(EngineDriver *self)
{
    kt_view_close(self->old);
    self->old = NULL;
    kt_engine_close(self->engine);
    if (self->db)
        kt_database_close(self->db);
    self->engine = NULL;
    self->db = NULL;
}

static void drop(EngineDriver *self)
{
    shut(self);
    if (self->folder[0])
        (void)nftw(self->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    self->folder[0] = 0;
}

static bool open_again(EngineDriver *self)
{
    KtDiag diag = {0};
    char path[96];
    KtDatabaseSpec spec = {.id = 1, .create = true};
    if (self->folder[0]) {
        (void)snprintf(path, sizeof path, "%s/1", self->folder);
        spec.path = path;
    }
    KtStatus status = kt_database_open(&spec, &diag, &self->db);
    if (status == KT_OK)
        status = kt_engine_open(self->db, NULL, &self->engine);
    if (status != KT_OK)
        (void)fprintf(stderr, "tck: no database: %s\n", diag.message);
    return status == KT_OK;
}

static bool engine_reset(Driver *driver)
{
    EngineDriver *self = (EngineDriver *)driver;
    drop(self);
    if (self->options->rocksdb) {
        (void)snprintf(self->folder, sizeof self->folder, "/tmp/kith-tck-XXXXXX");
        if (!mkdtemp(self->folder))
            return false;
    }
    return open_again(self);
}

static void engine_run(Driver *driver, KtArena *arena, const char *text, KtValue params, Reply *out)
{
    EngineDriver *self = (EngineDriver *)driver;
    Answer answer;
    SessionLimits limits = {.quantum_ns = self->options->park ? 1 : 0,
                            .park_between = self->options->park,
                            .want = self->options->want,
                            .stutter = self->options->stutter};
    if (self->options->reopen && self->folder[0]) {
        shut(self);
        if (!open_again(self))
            abort();
    }
    if (self->options->old_view) {
        kt_view_close(self->old);
        self->old = NULL;
        KtViewSpec spec = {0};
        if (kt_view_open(self->db, &spec, NULL, &self->old) != KT_OK)
            self->old = NULL;
    }
    session_run(self->engine, self->db, arena, (KtText){text, (uint32_t)strlen(text)}, params,
                &limits, &answer);
    self->options->again += answer.summary.stuttered_again;
    self->options->wants += answer.summary.stuttered_want;
    self->options->parks += answer.summary.stuttered_park;
    if (self->options->stutter)
        self->options->stutter += 2; /* another course for each statement */
    *out = (Reply){.failed = answer.status != KT_OK,
                   .columns = answer.columns,
                   .column = answer.column,
                   .line = answer.diag.at.line,
                   .at = answer.diag.at.column,
                   .plan = answer.summary.plan.len ? answer.summary.plan.at : "",
                   .rows = {answer.value, answer.rows, answer.columns}};
    if (out->failed) {
        const KtErrorFacts *facts = kt_error_facts(answer.status);
        out->compile_time = answer.diag.compile_time;
        out->type = out->compile_time ? facts->compile_type : facts->run_type;
        out->detail = facts->detail;
        out->message = kt_arena_text(arena, answer.diag.message, strlen(answer.diag.message));
    }
}

static void engine_close(Driver *driver)
{
    drop((EngineDriver *)driver);
    free(driver);
}

Driver *driver_engine(EngineOptions *options)
{
    EngineDriver *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->options = options;
    self->driver = (Driver){.reset = engine_reset, .run = engine_run, .close = engine_close};
    return &self->driver;
}
