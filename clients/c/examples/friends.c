/* friends.c - who are the friends of my friends? Parameters, rows, typed getters, errors.
 *
 *     friends [URI [NAME]]          cc friends.c $(pkg-config --cflags --libs kith) */
#include <kith/kith.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int complain(const char *doing, kith_error *error)
{
    kith_position at;
    fprintf(stderr, "%s: KITH-%d %s: %s\n", doing, kith_error_code(error), kith_error_name(error),
            kith_error_message(error));
    if (kith_error_position(error, &at))
        fprintf(stderr, "  at line %u, column %u\n", at.line, at.column);
    if (*kith_error_hint(error))
        fprintf(stderr, "  %s\n", kith_error_hint(error));
    kith_error_free(error);
    return 1;
}

/* Three people who know each other in a row, unless they are there. */
static int people(kith_connection *c, kith_error **error)
{
    return kith_exec(
        c,
        "MERGE (a:Person {name: 'Ada'}) MERGE (b:Person {name: 'Bob'}) MERGE (c:Person {name: 'Cleo'}) "
        "MERGE (a)-[:KNOWS]->(b) MERGE (b)-[:KNOWS]->(c)",
        NULL, error);
}

int main(int argc, char **argv)
{
    const char *name = argc > 2 ? argv[2] : "Ada";
    kith_connection *c;
    kith_result *r;
    kith_error *error = NULL;
    if (kith_connect(argc > 1 ? argv[1] : NULL, NULL, &c, &error) != 0)
        return complain("connect", error);
    if (people(c, &error) != 0) {
        kith_close(c);
        return complain("write", error);
    }
    kith_params *p = kith_params_new();
    kith_params_text(p, "name", name, strlen(name));
    const char *ask =
        "MATCH (me:Person {name: $name})-[:KNOWS]-(f)-[:KNOWS]-(fof) WHERE fof <> me "
        "RETURN fof.name AS name, count(DISTINCT f) AS mutual ORDER BY mutual DESC, name";
    int code = kith_run(c, ask, p, NULL, &r, &error);
    kith_params_free(p);
    if (code != 0) {
        kith_close(c);
        return complain("ask", error);
    }
    while ((code = kith_next(r, &error)) == 1) {
        const char *friend_name = "?";
        size_t len = 1;
        int64_t mutual = 0;
        kith_as_text(kith_get(r, 0), &friend_name, &len);
        kith_as_int(kith_get(r, 1), &mutual);
        printf("%.*s (%" PRId64 " mutual)\n", (int)len, friend_name, mutual);
    }
    kith_result_free(r);
    kith_close(c);
    return code == 0 ? 0 : complain("read", error);
}
