/* tests/fuzz/fuzz_statements.c - anything as a statement: it is refused with words and a place, or it parses, prints,
 * parses again to the same print, binds or is refused there, and runs on a small graph in memory until it is done,
 * fails with words, or meets its deadline or budget. Nothing is ever committed, so each input finds the same graph.
 *
 * In an input that begins with a byte from 1 to 8 each further byte picks a word of Cypher, so that blind mutation gets
 * past the lexer; any other input is text as it stands. */
#include "base/value_text.h"
#include "tests/support/ast_print.h"
#include "query/bind/bind.h"
#include "query/parse/parse.h"
#include "query/query.h"
#include "storage/database.h"
#include "tests/fuzz/fuzz_target.h"

#include <time.h>

enum { MEMORY = 32 * 1024 * 1024, DEADLINE_NS = 200 * 1000 * 1000 };

static const char *const words[] = {
    "MATCH",
    "OPTIONAL MATCH",
    "WHERE",
    "WITH",
    "RETURN",
    "DISTINCT",
    "ORDER BY",
    "SKIP",
    "LIMIT",
    "UNWIND",
    "AS",
    "CREATE",
    "MERGE",
    "ON CREATE SET",
    "ON MATCH SET",
    "SET",
    "REMOVE",
    "DELETE",
    "DETACH DELETE",
    "UNION",
    "UNION ALL",
    "CALL",
    "YIELD",
    "FOREACH",
    "EXPLAIN",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AND",
    "OR",
    "XOR",
    "NOT",
    "IN",
    "IS NULL",
    "IS NOT NULL",
    "STARTS WITH",
    "ENDS WITH",
    "CONTAINS",
    "=~",
    "all(",
    "any(",
    "reduce(",
    "EXISTS {",
    "exists(",
    "count(*)",
    "count(",
    "collect(",
    "sum(",
    "size(",
    "head(",
    "shortestPath(",
    "allShortestPaths(",
    "a",
    "b",
    "c",
    "x",
    "r",
    "p",
    "(a)",
    "(b)",
    "()",
    "(a:A)",
    "-->",
    "<--",
    "--",
    "-[r]->",
    "-[:T]->",
    "-[*1..3]-",
    "<-[r:T|U]-",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ".",
    "..",
    ":",
    "|",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "+=",
    "1",
    "-1",
    "0x1F",
    "2.5",
    "1e9",
    "'t'",
    "\"u\"",
    "true",
    "false",
    "null",
    "$p",
    "$q",
    "`a b`",
    "k",
    ".k",
    "{k: 1}",
    "[1, 2]",
    "DESC",
    ";",
    "CREATE INDEX",
    "FOR (p:L) ON (p.k)",
    "DROP INDEX",
    "SHOW INDEXES",
    "IF NOT EXISTS",
    "[x IN",
    "x |",
    "(a)-[r]->(b)",
    "RETURN *",
    "WITH *",
    "labels(",
    "nodes(",
    "rand()",
};

/* The statement that the words of the input make. */
static void compose(const uint8_t *data, size_t size, KtBuf *out)
{
    for (size_t i = 0; i < size; i++) {
        const char *word = words[data[i] % KT_COUNT(words)];
        kt_buf_put(out, word, strlen(word));
        kt_buf_u8(out, ' ');
    }
}

static void check_error(const KtDiag *diag, KtStatus status)
{
    KT_CHECK(status != KT_ERR_INTERNAL);
    KT_CHECK(diag->status == status && diag->compile_time && diag->message[0]);
}

static void check_print(const KtAstStatement *tree, KtArena *arena)
{
    KtBuf once = {0}, twice = {0};
    KtDiag diag = {0};
    const KtAstStatement *again;
    kt_ast_print(&once, tree);
    KT_CHECK(!once.failed);
    KtStatus status =
        kt_parse((KtText){(const char *)once.data, (uint32_t)once.len}, arena, &diag, &again);
    if (status == KT_OK) {
        kt_ast_print(&twice, again);
        KT_CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    } else {
        /* only parentheses that the text did without may be one too many */
        KT_CHECK(status == KT_ERR_TOO_COMPLEX || status == KT_ERR_STATEMENT_TOO_LONG);
    }
    kt_buf_close(&once);
    kt_buf_close(&twice);
}

/* ---- running ---- */

static const KtMapEntry params[] = {
    {{"p", 1}, {.kind = KT_INT, .as.i = 3}},
    {{"q", 1}, {.kind = KT_TEXT, .len = 1, .as.text = "t"}},
};
static const char graph[] =
    "CREATE (a:A {x: 1, k: 'a'}), (b:B {x: 2.5}), (c:A:L {y: [1, 2]}), (d {k: 't'}), (a)-[:T {k: 1}]->(b), (b)-[:T]->(c), "
    "(c)-[:U]->(a), (a)-[:U]->(a), (a)-[:T]->(b), (c)-[:T]->(d)";

static KtDatabase *db;
static KtEngine *engine;

static KtStatus take_row(KtSink *sink, const KtValue *value, uint32_t n, bool *full)
{
    (void)sink;
    (void)full;
    KtBuf text = {0};
    for (uint32_t i = 0; i < n; i++)
        kt_value_print(&text, value[i]);
    kt_buf_close(&text);
    return KT_OK;
}

static KtStatus run_in(KtStatement *statement, KtView *view, int64_t deadline_ns, KtDiag *diag)
{
    KtBudget budget;
    KtSink sink = {take_row};
    kt_budget_init(&budget, NULL, MEMORY);
    KtQuerySpec spec = {.view = view,
                        .params = kt_map(params, 2),
                        .sink = &sink,
                        .budget = &budget,
                        .deadline_ns = deadline_ns};
    KtQuery *query;
    KT_TRY(kt_query_start(engine, statement, &spec, diag, &query));
    KtQueryStep step = KT_QUERY_AGAIN;
    KtStatus status = KT_OK;
    while (status == KT_OK && step != KT_QUERY_DONE)
        status = kt_query_step(query, 1000 * 1000, &step);
    kt_query_close(query);
    KT_CHECK(atomic_load(&budget.used) == 0);
    return status;
}

static KtStatus run(KtStatement *statement, bool commit, KtDiag *diag)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t deadline_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + DEADLINE_NS;
    bool write = kt_statement_facts(statement)->kind == KT_STATEMENT_WRITE;
    KtTurn turn = {0};
    KtView *view = NULL;
    KtCommit number;
    KtViewSpec spec = {.write = write, .deadline_ns = deadline_ns};
    if (write)
        KT_CHECK(kt_turn_wait(db, &turn, 0, NULL) == KT_OK);
    KtStatus status = kt_view_open(db, &spec, diag, &view);
    if (status == KT_OK)
        status = run_in(statement, view, deadline_ns, diag);
    if (status == KT_OK && commit)
        status = kt_view_commit(view, diag, &number);
    kt_view_close(view);
    if (write)
        kt_turn_release(db, &turn);
    return status;
}

static KtStatus prepare_and_run(KtText text, bool commit, KtDiag *diag)
{
    KtStatement *statement;
    KT_TRY(kt_query_parse(engine, text, kt_map(params, 2), diag, &statement));
    KtStatus status = KT_OK;
    if (kt_statement_facts(statement)->kind != KT_STATEMENT_SCHEMA)
        status = run(statement, commit, diag);
    kt_statement_release(statement);
    return status;
}

static void open_graph(void)
{
    KtDiag diag = {0};
    KtDatabaseSpec spec = {.id = 1, .create = true};
    KT_CHECK(kt_database_open(&spec, &diag, &db) == KT_OK);
    KT_CHECK(kt_engine_open(db, NULL, &engine) == KT_OK);
    KT_CHECK(prepare_and_run((KtText){graph, sizeof graph - 1}, true, &diag) == KT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    KtArena *arena;
    KtBuf composed = {0};
    KtDiag diag = {0};
    const KtAstStatement *tree;
    const KtBound *bound;
    if (size == 0)
        return 0;
    if (!db)
        open_graph();
    KT_CHECK(kt_arena_open(NULL, &arena) == KT_OK);
    KtText text = {(const char *)data, (uint32_t)size};
    if (data[0] >= 1 && data[0] <= 8) {
        compose(data + 1, size - 1, &composed);
        text = (KtText){(const char *)composed.data, (uint32_t)composed.len};
    }
    KtStatus status = kt_parse(text, arena, &diag, &tree);
    if (status == KT_OK) {
        check_print(tree, arena);
        status = kt_bind(tree, kt_map(params, 2), arena, &diag, &bound);
    }
    if (status != KT_OK) {
        check_error(&diag, status);
    } else {
        status = prepare_and_run(text, false, &diag);
        KT_CHECK(status != KT_ERR_INTERNAL && status != KT_ERR_CORRUPTION);
    }
    kt_buf_close(&composed);
    kt_arena_close(arena);
    return 0;
}
