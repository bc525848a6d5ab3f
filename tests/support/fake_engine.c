/* tests/support/fake_engine.c - an engine and a database for tests of the server: query.h and database.h, without a
 * graph.
 *
 * Statements are words: what they cost and when they fail is exact, so that credit, turns and deadlines can be counted.
 *   RETURN n          one row: n
 *   ROWS n [bytes]    n rows: number, text of so many bytes
 *   SLEEP ms          runs so long, in slices, then one row
 *   SPIN              runs until it is ended
 *   WRITE n [bytes]   adds one to the counter, gives n rows; COMMIT makes it seen
 *   WSLEEP ms         a writing SLEEP that adds one
 *   UNKNOWN           a write whose commit fails: COMMIT_OUTCOME_UNKNOWN, and the database is latched
 *   COUNT             one row: the counter, as the transaction sees it
 *   FAIL n            n rows, then a division by zero
 *   EAT               takes memory until it is refused
 *   SCHEMA ms         a schema statement
 *   PARKS ms          a SLEEP whose row says how often it was parked, over a database that wants it (1) or not (0)
 *   HOLD ms [1]       keeps its thread so long and looks at nothing: the loop's, or (1) a worker's
 * Anything else is a syntax error at its first byte. Turns and views are as storage/database.h says. */
#include "base/clock.h"
#include "query/query.h"
#include "storage/database.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct KtDatabase {
    pthread_mutex_t lock;
    KtTurn *holder, *first, **last;
    KtCommit published;
    int64_t counter;
    int views;
    bool latched;
    atomic_bool wants_parks;
};

struct KtView {
    KtDatabase *db;
    KtCommit number;
    int64_t counter, added;
    bool write, poisoned;
    int64_t deadline_ns;
    const atomic_bool *cancel;
};

/* ---- database ---- */

KtStatus kt_database_open(const KtDatabaseSpec *spec, KtDiag *diag, KtDatabase **out)
{
    (void)spec;
    (void)diag;
    KtDatabase *db = calloc(1, sizeof *db);
    if (!db)
        return KT_ERR_MEMORY;
    pthread_mutex_init(&db->lock, NULL);
    db->last = &db->first;
    *out = db;
    return KT_OK;
}

void kt_database_close(KtDatabase *db)
{
    KT_CHECK(db->views == 0 && !db->holder && !db->first);
    pthread_mutex_destroy(&db->lock);
    free(db);
}

KtCommit kt_database_published(const KtDatabase *db)
{
    KtDatabase *own = (KtDatabase *)(uintptr_t)db;
    pthread_mutex_lock(&own->lock);
    KtCommit n = own->published;
    pthread_mutex_unlock(&own->lock);
    return n;
}

bool kt_database_wants_parks(KtDatabase *db) { return atomic_load(&db->wants_parks); }

void kt_turn_ask(KtDatabase *db, KtTurn *turn)
{
    pthread_mutex_lock(&db->lock);
    bool now = !db->holder;
    if (now) {
        db->holder = turn;
        turn->state = 2;
    } else {
        turn->state = 1;
        turn->next = NULL;
        turn->prev = NULL;
        *db->last = turn;
        db->last = &turn->next;
    }
    pthread_mutex_unlock(&db->lock);
    if (now)
        turn->granted(turn);
}

bool kt_turn_withdraw(KtDatabase *db, KtTurn *turn)
{
    bool found = false;
    pthread_mutex_lock(&db->lock);
    for (KtTurn **at = &db->first; *at; at = &(*at)->next) {
        if (*at == turn) {
            *at = turn->next;
            if (db->last == &turn->next)
                db->last = at;
            turn->state = 0;
            found = true;
            break;
        }
    }
    pthread_mutex_unlock(&db->lock);
    return found;
}

void kt_turn_release(KtDatabase *db, KtTurn *turn)
{
    pthread_mutex_lock(&db->lock);
    KT_CHECK(db->holder == turn);
    turn->state = 0;
    KtTurn *next = db->first;
    if (next) {
        db->first = next->next;
        if (!db->first)
            db->last = &db->first;
        next->state = 2;
    }
    db->holder = next;
    pthread_mutex_unlock(&db->lock);
    if (next)
        next->granted(next);
}

/* ---- views ---- */

KtStatus kt_view_open(KtDatabase *db, const KtViewSpec *spec, KtDiag *diag, KtView **out)
{
    KtView *view = calloc(1, sizeof *view);
    if (!view)
        return KT_ERR_MEMORY;
    pthread_mutex_lock(&db->lock);
    KtStatus status = spec->write && db->latched ? KT_ERR_READ_ONLY_LATCHED : KT_OK;
    *view = (KtView){.db = db,
                     .number = db->published,
                     .counter = db->counter,
                     .write = spec->write,
                     .deadline_ns = spec->deadline_ns,
                     .cancel = spec->cancel};
    if (status == KT_OK)
        db->views++;
    pthread_mutex_unlock(&db->lock);
    if (status != KT_OK) {
        free(view);
        return kt_diag_set(diag, status, NULL, "the database takes no writes");
    }
    *out = view;
    return KT_OK;
}

KtCommit kt_view_number(const KtView *view) { return view->number; }
void kt_view_park(KtView *view) { (void)view; }

void kt_view_set_limits(KtView *view, int64_t deadline_ns, const atomic_bool *cancel)
{
    view->deadline_ns = deadline_ns;
    view->cancel = cancel;
}

void kt_view_close(KtView *view)
{
    if (!view)
        return;
    pthread_mutex_lock(&view->db->lock);
    view->db->views--;
    pthread_mutex_unlock(&view->db->lock);
    free(view);
}

KtStatus kt_view_commit(KtView *view, KtDiag *diag, KtCommit *out)
{
    KtDatabase *db = view->db;
    KtStatus status = KT_OK;
    pthread_mutex_lock(&db->lock);
    if (view->poisoned) {
        db->latched = true;
        status = KT_ERR_COMMIT_OUTCOME_UNKNOWN;
    } else if (view->added) {
        db->counter += view->added;
        db->published++;
    }
    *out = view->added ? db->published : view->number;
    pthread_mutex_unlock(&db->lock);
    return status == KT_OK ? KT_OK : kt_diag_set(diag, status, NULL, "the sync failed");
}

/* ---- statements ---- */

typedef enum Word {
    RETURN,
    ROWS,
    SLEEP,
    SPIN,
    WRITE,
    WSLEEP,
    UNKNOWN,
    COUNT,
    FAIL,
    EAT,
    SCHEMA,
    PARKS,
    HOLD,
    WORDS
} Word;
static const char *const words[WORDS] = {"RETURN", "ROWS",    "SLEEP", "SPIN", "WRITE",
                                         "WSLEEP", "UNKNOWN", "COUNT", "FAIL", "EAT",
                                         "SCHEMA", "PARKS",   "HOLD"};

struct KtEngine {
    KtDatabase *db;
};

struct KtStatement {
    Word word;
    long long a, b;
    KtStatementFacts facts;
};

struct KtQuery {
    KtStatement *statement;
    KtQuerySpec spec;
    KtDiag *diag;
    long long row;
    int64_t started_ns;
    char *text;
    size_t eaten;
    int64_t parks;
};

KtStatus kt_engine_open(KtDatabase *db, const KtEngineSpec *spec, KtEngine **out)
{
    (void)spec;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return KT_ERR_MEMORY;
    (*out)->db = db;
    return KT_OK;
}

void kt_engine_close(KtEngine *engine) { free(engine); }

KtStatus kt_query_parse(KtEngine *engine, KtText text, KtValue params, KtDiag *diag,
                        KtStatement **out)
{
    (void)engine;
    (void)params;
    static const KtText columns[] = {{"n", 1}, {"text", 4}};
    char copy[128], word[16] = "";
    snprintf(copy, sizeof copy, "%.*s", (int)text.len, text.at);
    KtStatement *s = calloc(1, sizeof *s);
    if (!s)
        return KT_ERR_MEMORY;
    int n = sscanf(copy, "%15s %lld %lld", word, &s->a, &s->b);
    while (s->word < WORDS && strcmp(words[s->word], word) != 0)
        s->word++;
    if (n < 1 || s->word == WORDS) {
        free(s);
        return kt_diag_set(diag, KT_ERR_UNEXPECTED_SYNTAX,
                           &(KtPos){.offset = 0, .length = 1, .line = 1, .column = 1},
                           "'%s' is no statement", word);
    }
    bool two = s->word == ROWS || s->word == WRITE || s->word == FAIL;
    s->facts = (KtStatementFacts){.columns = s->word == SCHEMA ? 0
                                             : two             ? 2
                                                               : 1,
                                  .column = columns};
    s->facts.kind = s->word == SCHEMA ? KT_STATEMENT_SCHEMA
                    : s->word == WRITE || s->word == WSLEEP || s->word == UNKNOWN
                        ? KT_STATEMENT_WRITE
                        : KT_STATEMENT_READ;
    s->facts.loops = s->word == HOLD && s->b == 1;
    *out = s;
    return KT_OK;
}

const KtStatementFacts *kt_statement_facts(const KtStatement *statement)
{
    return &statement->facts;
}
void kt_statement_release(KtStatement *statement) { free(statement); }

KtStatus kt_query_start(KtEngine *engine, KtStatement *statement, const KtQuerySpec *spec,
                        KtDiag *diag, KtQuery **out)
{
    KT_CHECK((spec->view == NULL) == (statement->facts.kind == KT_STATEMENT_SCHEMA));
    KtQuery *q = calloc(1, sizeof *q);
    if (!q)
        return KT_ERR_MEMORY;
    *q =
        (KtQuery){.statement = statement, .spec = *spec, .diag = diag, .started_ns = kt_clock_ns()};
    q->text = calloc(1, (size_t)statement->b + 1);
    if (q->text)
        memset(q->text, 'x', (size_t)statement->b);
    if (spec->view && spec->view->write && statement->facts.kind == KT_STATEMENT_WRITE)
        spec->view->added++;
    if (statement->word == PARKS)
        atomic_store(&engine->db->wants_parks, statement->b != 0);
    if (statement->word == UNKNOWN)
        spec->view->poisoned = true;
    *out = q;
    return q->text ? KT_OK : KT_ERR_MEMORY;
}

static KtStatus one(KtQuery *q, int64_t n, bool *full)
{
    KtValue row[2] = {kt_int(n), kt_text(q->text, (size_t)q->statement->b)};
    q->row++;
    return q->spec.sink->row(q->spec.sink, row, q->statement->facts.columns, full);
}

static KtStatus check(const KtQuery *q)
{
    if (q->spec.cancel && atomic_load(q->spec.cancel))
        return KT_ERR_CANCELLED;
    if (q->spec.deadline_ns && kt_clock_ns() >= q->spec.deadline_ns)
        return KT_ERR_DEADLINE;
    return KT_OK;
}

static KtStatus sleep_step(KtQuery *q, int64_t until_ns, KtQueryStep *step, bool *done)
{
    int64_t end = q->started_ns + q->statement->a * 1000000;
    *done = false;
    while (kt_clock_ns() < end || q->statement->word == SPIN) {
        KT_TRY(check(q));
        if (kt_clock_ns() >= until_ns) {
            *step = KT_QUERY_AGAIN;
            return KT_OK;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    *done = true;
    return KT_OK;
}

KtStatus kt_query_step(KtQuery *q, int64_t quantum_ns, KtQueryStep *step)
{
    const KtStatement *s = q->statement;
    int64_t until = quantum_ns ? kt_clock_ns() + quantum_ns : INT64_MAX;
    bool full = false, done = false;
    *step = KT_QUERY_DONE;
    KT_TRY(check(q));
    switch (s->word) {
    case RETURN: return q->row ? KT_OK : one(q, s->a, &full);
    case COUNT: return q->row ? KT_OK : one(q, q->spec.view->counter + q->spec.view->added, &full);
    case SLEEP:
    case SPIN:
    case WSLEEP:
    case SCHEMA:
        KT_TRY(sleep_step(q, until, step, &done));
        return !done || q->row || s->word == SCHEMA ? KT_OK : one(q, 1, &full);
    case HOLD:
        nanosleep(&(struct timespec){.tv_sec = s->a / 1000, .tv_nsec = s->a % 1000 * 1000000},
                  NULL);
        return KT_OK;
    case PARKS:
        KT_TRY(sleep_step(q, until, step, &done));
        return !done || q->row ? KT_OK : one(q, q->parks, &full);
    case EAT:
        while (kt_budget_take(q->spec.budget, 65536))
            q->eaten += 65536;
        return KT_ERR_MEMORY;
    case ROWS:
    case WRITE:
    case FAIL:
        while (q->row < s->a) {
            KT_TRY(one(q, q->row, &full));
            if (full && q->row < s->a) {
                *step = KT_QUERY_BLOCKED;
                return KT_OK;
            }
            if ((q->row & 63) == 0 && kt_clock_ns() >= until) {
                *step = KT_QUERY_AGAIN;
                return check(q);
            }
        }
        return s->word == FAIL ? kt_diag_set(q->diag, KT_ERR_DIVISION_BY_ZERO, NULL, "/ by zero")
                               : KT_OK;
    case UNKNOWN:
    case WORDS: break;
    }
    return KT_OK;
}

void kt_query_park(KtQuery *query) { query->parks++; }

void kt_query_summary(const KtQuery *q, KtQuerySummary *out)
{
    *out = (KtQuerySummary){.rows = (uint64_t)q->row, .run_ns = kt_clock_ns() - q->started_ns};
    out->counts.nodes_created = q->statement->facts.kind == KT_STATEMENT_WRITE;
}

void kt_query_close(KtQuery *q)
{
    if (!q)
        return;
    if (q->eaten)
        kt_budget_give(q->spec.budget, q->eaten);
    free(q->text);
    free(q);
}
