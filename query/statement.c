/* query/statement.c - the statement cache: text in, bound statement and plan out.
 *
 * Keyed by the whole text. Whether the parameters it names were sent is checked at each hit; their values are
 * never looked at. Least recently used statements go when the cache is over its size. */
#include "query/statement.h"

#include "base/clock.h"

#include "base/hash.h"
#include "query/bind/bind.h"
#include "query/exec/node_index.h"
#include "query/params.h"
#include "query/parse/parse.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    BUCKETS = 1024,
    DEFAULT_BYTES = 16 * 1024 * 1024,
    STATEMENT_MEMORY = 96 * 1024 * 1024,  /* tree and bound form of one statement */
    STATEMENTS_MEMORY = 384 * 1024 * 1024 /* of all that are alive */
};

struct KtPlanRef {
    atomic_uint refs;
    KtArena *arena;
    const KtPlanned *planned;
    KtStats made_for;
};

struct KtStatement {
    atomic_uint refs;
    KtBudget budget;
    KtArena *arena;
    KtText text;
    uint64_t hash;
    const KtBound *bound;
    _Atomic(KtToken) *token; /* by name of bound */
    KtStatementFacts facts;
    pthread_mutex_t lock; /* of `plan` */
    KtPlanRef *plan;      /* for the newest schema version asked for; NULL before the first run */
    /* Only under the engine's lock: */
    struct KtStatement *next_in_bucket, *newer, *older;
    bool cached;
};

/* As many queries run at once, as a rule, and as few blocks make one. */
enum { KEPT_POOLS = 8, KEPT_BLOCKS = 24 };

struct KtEngine {
    KtDatabase *db;
    size_t limit;
    KtBudget statements; /* all that are alive, in the cache or out of it */
    KtPool *pool;
    pthread_mutex_t lock; /* of all below */
    KtStatement *bucket[BUCKETS];
    KtStatement *newest, *oldest;
    size_t bytes;
    KtArenaPool blocks[KEPT_POOLS]; /* of queries that were closed, each as it was */
    uint32_t pools;
};

void kt_engine_lend(KtEngine *engine, KtArenaPool *pool)
{
    (void)pthread_mutex_lock(&engine->lock);
    if (engine->pools > 0)
        *pool = engine->blocks[--engine->pools];
    (void)pthread_mutex_unlock(&engine->lock);
}

void kt_engine_take_back(KtEngine *engine, KtArenaPool *pool)
{
    kt_arena_pool_trim(pool, KEPT_BLOCKS);
    (void)pthread_mutex_lock(&engine->lock);
    if (engine->pools < KEPT_POOLS) {
        engine->blocks[engine->pools++] = *pool;
        *pool = (KtArenaPool){0};
    }
    (void)pthread_mutex_unlock(&engine->lock);
    kt_arena_pool_trim(pool, 0);
}

KtStatus kt_engine_open(KtDatabase *db, const KtEngineSpec *spec, KtEngine **out)
{
    KtEngine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return KT_ERR_MEMORY;
    KtStatus status = kt_pool_open(&engine->pool);
    if (status != KT_OK) {
        free(engine);
        return status;
    }
    engine->db = db;
    kt_budget_init(&engine->statements, NULL, STATEMENTS_MEMORY);
    engine->limit = spec && spec->plan_cache_bytes ? spec->plan_cache_bytes : DEFAULT_BYTES;
    (void)pthread_mutex_init(&engine->lock, NULL);
    *out = engine;
    return KT_OK;
}

KtDatabase *kt_engine_database(const KtEngine *engine) { return engine->db; }
KtPool *kt_engine_pool(const KtEngine *engine) { return engine->pool; }

void kt_plan_release(KtPlanRef *ref)
{
    if (!ref || atomic_fetch_sub(&ref->refs, 1) != 1)
        return;
    kt_arena_close(ref->arena);
    free(ref);
}

const KtPlanned *kt_plan_ref(const KtPlanRef *ref) { return ref->planned; }

void kt_statement_share(KtStatement *statement) { atomic_fetch_add(&statement->refs, 1); }

void kt_statement_release(KtStatement *statement)
{
    if (!statement || atomic_fetch_sub(&statement->refs, 1) != 1)
        return;
    kt_plan_release(statement->plan);
    (void)pthread_mutex_destroy(&statement->lock);
    kt_arena_close(statement->arena);
    free(statement);
}

/* ---- the cache, under the engine's lock ---- */

static void list_remove(KtEngine *engine, KtStatement *s)
{
    if (s->newer)
        s->newer->older = s->older;
    else
        engine->newest = s->older;
    if (s->older)
        s->older->newer = s->newer;
    else
        engine->oldest = s->newer;
    s->newer = s->older = NULL;
}

static void list_first(KtEngine *engine, KtStatement *s)
{
    s->older = engine->newest;
    if (engine->newest)
        engine->newest->newer = s;
    engine->newest = s;
    if (!engine->oldest)
        engine->oldest = s;
}

static void cache_remove(KtEngine *engine, KtStatement *s)
{
    KtStatement **at = &engine->bucket[s->hash % BUCKETS];
    while (*at != s)
        at = &(*at)->next_in_bucket;
    *at = s->next_in_bucket;
    list_remove(engine, s);
    engine->bytes -= kt_arena_used(s->arena);
    s->cached = false;
    kt_statement_release(s);
}

static KtStatement *cache_find(KtEngine *engine, uint64_t hash, KtText text)
{
    for (KtStatement *s = engine->bucket[hash % BUCKETS]; s; s = s->next_in_bucket) {
        if (s->hash == hash && kt_text_eq(s->text, text))
            return s;
    }
    return NULL;
}

/* Puts `s` in, unless another thread was faster: then that one is given back, shared. */
static KtStatement *cache_put(KtEngine *engine, KtStatement *s)
{
    (void)pthread_mutex_lock(&engine->lock);
    KtStatement *there = cache_find(engine, s->hash, s->text);
    if (there) {
        kt_statement_share(there);
        (void)pthread_mutex_unlock(&engine->lock);
        kt_statement_release(s);
        return there;
    }
    size_t bytes = kt_arena_used(s->arena);
    if (bytes <= engine->limit / 4) {
        while (engine->oldest && engine->bytes + bytes > engine->limit)
            cache_remove(engine, engine->oldest);
        s->next_in_bucket = engine->bucket[s->hash % BUCKETS];
        engine->bucket[s->hash % BUCKETS] = s;
        list_first(engine, s);
        engine->bytes += bytes;
        s->cached = true;
        kt_statement_share(s);
    }
    (void)pthread_mutex_unlock(&engine->lock);
    return s;
}

void kt_engine_close(KtEngine *engine)
{
    if (!engine)
        return;
    while (engine->oldest)
        cache_remove(engine, engine->oldest);
    kt_pool_close(engine->pool);
    for (uint32_t i = 0; i < engine->pools; i++)
        kt_arena_pool_trim(&engine->blocks[i], 0);
    (void)pthread_mutex_destroy(&engine->lock);
    free(engine);
}

/* ---- making statements ---- */

static KtStatementFacts facts_of(const KtBound *bound)
{
    KtStatementFacts facts = {.explain = bound->explain   ? KT_EXPLAIN
                                         : bound->profile ? KT_PROFILE
                                                          : KT_RUN,
                              .columns = bound->columns,
                              .column = bound->column};
    facts.loops = kt_bound_loops(bound);
    if (bound->explain)
        facts.kind = KT_STATEMENT_READ;
    else if (bound->schema != KT_SCHEMA_NONE)
        facts.kind = KT_STATEMENT_SCHEMA;
    else
        facts.kind = bound->query->writes ? KT_STATEMENT_WRITE : KT_STATEMENT_READ;
    if (bound->explain)
        facts.columns = 0;
    return facts;
}

static KtStatus statement_fill(KtStatement *s, KtText text, KtValue params, KtDiag *diag)
{
    const KtAstStatement *tree;
    char *copy = kt_arena_text(s->arena, text.at, text.len);
    if (!copy)
        return KT_ERR_MEMORY;
    s->text = (KtText){copy, text.len};
    KT_TRY(kt_parse(s->text, s->arena, diag, &tree));
    KT_TRY(kt_bind(tree, params, s->arena, diag, &s->bound));
    s->facts = facts_of(s->bound);
    s->token = kt_arena_zero(s->arena, (size_t)s->bound->names + 1, sizeof *s->token);
    return s->token ? KT_OK : KT_ERR_MEMORY;
}

static KtStatus statement_make(KtEngine *engine, KtText text, uint64_t hash, KtValue params,
                               KtDiag *diag, KtStatement **out)
{
    KtStatement *s = calloc(1, sizeof *s);
    if (!s)
        return KT_ERR_MEMORY;
    atomic_init(&s->refs, 1);
    (void)pthread_mutex_init(&s->lock, NULL);
    s->hash = hash;
    kt_budget_init(&s->budget, &engine->statements, STATEMENT_MEMORY);
    KtStatus status = kt_arena_open(&s->budget, &s->arena);
    if (status == KT_OK)
        status = statement_fill(s, text, params, diag);
    if (status != KT_OK) {
        if (diag && diag->status == KT_OK)
            (void)kt_diag_set(
                diag, status, NULL,
                status == KT_ERR_MEMORY
                    ? "Preparing the statement needs more memory than is left for statements: pass data as parameters"
                    : "The statement could not be prepared");
        if (diag)
            diag->compile_time = true;
        kt_statement_release(s);
        return status;
    }
    *out = s;
    return KT_OK;
}

KtStatus kt_query_parse(KtEngine *engine, KtText text, KtValue params, KtDiag *diag,
                        KtStatement **out)
{
    if (text.len > KT_STATEMENT_BYTES) {
        if (diag)
            diag->compile_time = true;
        return kt_diag_set(diag, KT_ERR_STATEMENT_TOO_LONG, NULL,
                           "The statement has %u bytes; at most %u are allowed", text.len,
                           KT_STATEMENT_BYTES);
    }
    uint64_t hash = kt_hash(text.at, text.len);
    (void)pthread_mutex_lock(&engine->lock);
    KtStatement *s = cache_find(engine, hash, text);
    if (s) {
        kt_statement_share(s);
        list_remove(engine, s);
        list_first(engine, s);
    }
    (void)pthread_mutex_unlock(&engine->lock);
    if (s) {
        uint32_t missing;
        KtStatus status = kt_params_find(s->bound, params, NULL, &missing);
        if (status == KT_OK && missing == s->bound->params) {
            *out = s;
            return KT_OK;
        }
        if (status != KT_OK) {
            kt_statement_release(s);
            return status;
        }
    }
    kt_statement_release(s); /* a parameter is missing: binding again says which, and where */
    KT_TRY(statement_make(engine, text, hash, params, diag, &s));
    *out = cache_put(engine, s);
    return KT_OK;
}

const KtStatementFacts *kt_statement_facts(const KtStatement *statement)
{
    return &statement->facts;
}
const KtBound *kt_statement_bound(const KtStatement *statement) { return statement->bound; }
_Atomic(KtToken) *kt_statement_tokens(KtStatement *statement) { return statement->token; }

/* ---- plans ---- */

/* A plan made for a tenth of today's data may begin at the wrong end. */
static bool grown(uint64_t then, uint64_t now)
{
    return now > 4 * then + 64 || then > 4 * now + 64;
}

static KtStatus plan_make(KtStatement *s, KtView *view, KtDiag *diag, KtPlanRef **out)
{
    KtPlanRef *ref = calloc(1, sizeof *ref);
    if (!ref)
        return KT_ERR_MEMORY;
    atomic_init(&ref->refs, 1);
    ref->made_for = kt_stats(kt_view_database(view));
    KtStatus status = kt_arena_open(NULL, &ref->arena);
    if (status == KT_OK)
        status = kt_plan(s->bound, view, ref->arena, diag, &ref->planned);
    if (status != KT_OK) {
        kt_plan_release(ref);
        return status;
    }
    *out = ref;
    return KT_OK;
}

KtStatus kt_statement_plan(KtStatement *s, KtView *view, KtDiag *diag, KtPlanRef **out,
                           int64_t *plan_ns)
{
    *plan_ns = 0;
    uint64_t version = kt_view_schema(view)->version;
    KtStats now = kt_stats(kt_view_database(view));
    (void)pthread_mutex_lock(&s->lock);
    KtPlanRef *ref = s->plan;
    if (ref && ref->planned->schema_version == version && !grown(ref->made_for.nodes, now.nodes) &&
        !grown(ref->made_for.rels, now.rels)) {
        atomic_fetch_add(&ref->refs, 1);
        (void)pthread_mutex_unlock(&s->lock);
        *out = ref;
        return KT_OK;
    }
    int64_t began = kt_clock_ns();
    KtStatus status = plan_make(s, view, diag, &ref);
    *plan_ns = kt_clock_ns() - began;
    if (status == KT_OK) {
        /* A view of an older schema does not push out the newer plan. */
        if (!s->plan || s->plan->planned->schema_version <= version) {
            kt_plan_release(s->plan);
            s->plan = ref;
            atomic_fetch_add(&ref->refs, 1);
        }
        *out = ref;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return status;
}
