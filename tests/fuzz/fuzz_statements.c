/* tests/fuzz/fuzz_statements.c - anything as a statement: it is refused with words and a place, or it parses, prints,
 * parses again to the same print, and binds or is refused there.
 *
 * In an input that begins with a byte from 1 to 8 each further byte picks a word of Cypher, so that blind mutation gets
 * past the lexer; any other input is text as it stands. */
#include "query/ast/ast_print.h"
#include "query/bind/bind.h"
#include "query/parse/parse.h"
#include "tests/fuzz/fuzz_target.h"

static const char *const words[] = {
    "MATCH", "OPTIONAL MATCH", "WHERE", "WITH", "RETURN", "DISTINCT", "ORDER BY", "SKIP", "LIMIT", "UNWIND", "AS", "CREATE",
    "MERGE", "ON CREATE SET", "ON MATCH SET", "SET", "REMOVE", "DELETE", "DETACH DELETE", "UNION", "UNION ALL", "CALL",
    "YIELD", "FOREACH", "EXPLAIN", "CASE", "WHEN", "THEN", "ELSE", "END", "AND", "OR", "XOR", "NOT", "IN", "IS NULL",
    "IS NOT NULL", "STARTS WITH", "ENDS WITH", "CONTAINS", "=~", "all(", "any(", "reduce(", "EXISTS {", "exists(", "count(*)",
    "count(", "collect(", "sum(", "size(", "head(", "shortestPath(", "allShortestPaths(", "a", "b", "c", "x", "r", "p",
    "(a)", "(b)", "()", "(a:A)", "-->", "<--", "--", "-[r]->", "-[:T]->", "-[*1..3]-", "<-[r:T|U]-", "(", ")", "[", "]", "{",
    "}", ",", ".", "..", ":", "|", "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "^", "+=", "1", "-1", "0x1F",
    "2.5", "1e9", "'t'", "\"u\"", "true", "false", "null", "$p", "$q", "`a b`", "k", ".k", "{k: 1}", "[1, 2]", "DESC", ";",
    "CREATE INDEX", "FOR (p:L) ON (p.k)", "DROP INDEX", "SHOW INDEXES", "IF NOT EXISTS", "[x IN", "x |", "(a)-[r]->(b)",
    "RETURN *", "WITH *", "labels(", "nodes(", "rand()",
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
    KtStatus status = kt_parse((KtText){(const char *)once.data, (uint32_t)once.len}, arena, &diag, &again);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const KtMapEntry params[] = {{{"p", 1}, {0}}, {{"q", 1}, {0}}};
    KtArena *arena;
    KtBuf composed = {0};
    KtDiag diag = {0};
    const KtAstStatement *tree;
    const KtBound *bound;
    if (size == 0)
        return 0;
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
    if (status != KT_OK)
        check_error(&diag, status);
    kt_buf_close(&composed);
    kt_arena_close(arena);
    return 0;
}
