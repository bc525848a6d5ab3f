/* transfer.c - moves 10 from one account to another in a transaction that is run again when it may succeed then.
 *
 *     transfer [URI]                cc transfer.c $(pkg-config --cflags --libs kith) */
#include <kith/kith.h>

#include <inttypes.h>
#include <stdio.h>

/* One number out of one row. */
static int ask_int(kith_connection *c, const char *text, int64_t *out, kith_error **error)
{
    kith_result *r;
    if (kith_run(c, text, NULL, NULL, &r, error) != 0)
        return -1;
    int code = kith_next(r, error);
    if (code == 1 && !kith_as_int(kith_get(r, 0), out))
        code = -1;
    kith_result_free(r);
    return code == 1 ? 0 : -1;
}

/* Runs in a transaction, perhaps more than once: so it changes nothing outside the database. */
static int transfer(kith_connection *c, void *context, kith_error **error)
{
    int64_t balance, *moved = context;
    *moved = 0;
    if (ask_int(c, "MATCH (a:Account {name: 'a'}) RETURN a.balance", &balance, error) != 0)
        return KITH_FAILED;
    if (balance < 10)
        return KITH_ROLLBACK;
    if (kith_exec(c,
                  "MATCH (a:Account {name: 'a'}), (b:Account {name: 'b'}) "
                  "SET a.balance = a.balance - 10, b.balance = b.balance + 10",
                  NULL, error) != 0)
        return KITH_FAILED;
    *moved = 10;
    return KITH_COMMIT;
}

int main(int argc, char **argv)
{
    kith_connection *c = NULL;
    kith_error *error = NULL;
    int64_t moved = 0, sum = 0;
    int code = kith_connect(argc > 1 ? argv[1] : NULL, NULL, &c, &error);
    if (code == 0)
        code = kith_exec(c,
                         "MERGE (a:Account {name: 'a'}) ON CREATE SET a.balance = 100 "
                         "MERGE (b:Account {name: 'b'}) ON CREATE SET b.balance = 0",
                         NULL, &error);
    if (code == 0)
        code = kith_transact(c, NULL, transfer, &moved, &error);
    if (code == 0)
        code = ask_int(c, "MATCH (x:Account) RETURN sum(x.balance)", &sum, &error);
    if (code == 0)
        printf("moved %" PRId64 ", the sum is %" PRId64 "\n", moved, sum);
    else
        fprintf(stderr, "KITH-%d %s: %s\n", kith_error_code(error), kith_error_name(error),
                kith_error_message(error));
    kith_error_free(error);
    kith_close(c);
    return code == 0 ? 0 : 1;
}
