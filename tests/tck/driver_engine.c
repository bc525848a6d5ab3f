/* tests/tck/driver_engine.c - scenarios in process: a fresh in-memory database for each. */
#include "tests/support/session.h"
#include "tests/tck/driver.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct EngineDriver {
    Driver driver; /* first */
    KtDatabase *db;
    KtEngine *engine;
} EngineDriver;

static void drop(EngineDriver *self)
{
    kt_engine_close(self->engine);
    if (self->db)
        kt_database_close(self->db);
    self->engine = NULL;
    self->db = NULL;
}

static bool engine_reset(Driver *driver)
{
    EngineDriver *self = (EngineDriver *)driver;
    KtDiag diag = {0};
    drop(self);
    KtDatabaseSpec spec = {.id = 1, .create = true};
    KtStatus status = kt_database_open(&spec, &diag, &self->db);
    if (status == KT_OK)
        status = kt_engine_open(self->db, NULL, &self->engine);
    if (status != KT_OK)
        (void)fprintf(stderr, "tck: no database in memory: %s\n", diag.message);
    return status == KT_OK;
}

static void engine_run(Driver *driver, KtArena *arena, const char *text, KtValue params, Reply *out)
{
    EngineDriver *self = (EngineDriver *)driver;
    Answer answer;
    session_run(self->engine, self->db, arena, (KtText){text, (uint32_t)strlen(text)}, params, NULL, &answer);
    *out = (Reply){.failed = answer.status != KT_OK,
                   .columns = answer.columns,
                   .column = answer.column,
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

Driver *driver_engine(void)
{
    EngineDriver *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->driver = (Driver){.reset = engine_reset, .run = engine_run, .close = engine_close};
    return &self->driver;
}
