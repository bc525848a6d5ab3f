/* tests/e2e/client_checks.c - libkith against kithd over the engine of words (tests/support/fake_engine.c), which
 * says exactly what a statement costs and when it fails. client_checks URI PID-OF-THE-SERVER; the last check kills
 * it. */
#include <kith/kith.h>

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *uri;
static int checks, failed;

#define CHECK(cond)                                                 \
    do {                                                            \
        checks++;                                                   \
        if (!(cond)) {                                              \
            failed++;                                               \
            printf("WRONG %s:%d: %s\n", __func__, __LINE__, #cond); \
        }                                                           \
    } while (0)

/* Also frees the error. */
static bool is(kith_error *error, const char *name)
{
    bool same = strcmp(kith_error_name(error), name) == 0;
    if (!same)
        printf("  the error is %s: %s\n", kith_error_name(error), kith_error_message(error));
    kith_error_free(error);
    return same;
}

static kith_connection *opened(const kith_options *options)
{
    kith_connection *c = NULL;
    kith_error *error = NULL;
    if (kith_connect(uri, options, &c, &error) != 0) {
        printf("WRONG connect: %s\n", kith_error_message(error));
        exit(1);
    }
    return c;
}

static int64_t count(kith_connection *c)
{
    kith_result *r;
    int64_t n = -1;
    if (kith_run(c, "COUNT", NULL, NULL, &r, NULL) != 0)
        return -1;
    if (kith_next(r, NULL) == 1)
        (void)kith_as_int(kith_get(r, 0), &n);
    kith_result_free(r);
    return n;
}

static void an_answer_has_columns_rows_and_a_summary(void)
{
    kith_connection *c = opened(NULL);
    kith_result *r;
    kith_error *error = NULL;
    int64_t n = 0;
    CHECK(kith_run(c, "RETURN 7", NULL, NULL, &r, &error) == 0);
    CHECK(kith_columns(r) >= 1 && kith_get(r, 0) == NULL && kith_get(r, 99) == NULL);
    CHECK(kith_next(r, &error) == 1 && kith_as_int(kith_get(r, 0), &n) && n == 7);
    bool b;
    CHECK(!kith_as_bool(kith_get(r, 0), &b));
    CHECK(kith_next(r, &error) == 0 && kith_next(r, &error) == 0);
    CHECK(kith_result_summary(r).rows == 1 && error == NULL);
    kith_result_free(r);
    CHECK(kith_ping(c, &error) == 0);
    CHECK(*kith_server(c) && strcmp(kith_database(c), "kith") == 0);
    kith_close(c);
}

static void all_rows_come_through_a_small_window(const kith_options *options)
{
    kith_connection *c = opened(options);
    kith_result *r;
    kith_error *error = NULL;
    int64_t n, want = 0;
    int code;
    kith_run_options run = {.window_rows = 7, .window_bytes = 200};
    CHECK(kith_run(c, "ROWS 5000 20", NULL, &run, &r, &error) == 0);
    while ((code = kith_next(r, &error)) == 1) {
        if (!kith_as_int(kith_get(r, 0), &n) || (n != want && n != want + 1))
            break;
        want++;
    }
    CHECK(code == 0 && want == 5000);
    kith_result_free(r);
    run.window_bytes = 100; /* a row larger than the window: the window grows */
    CHECK(kith_run(c, "ROWS 3 5000", NULL, &run, &r, &error) == 0);
    for (want = 0; (code = kith_next(r, &error)) == 1; want++) {
    }
    CHECK(code == 0 && want == 3);
    kith_result_free(r);
    kith_close(c);
}

static void several_results_are_open_at_once(void)
{
    kith_connection *c = opened(NULL);
    kith_result *r[3];
    kith_error *error = NULL;
    kith_run_options run = {.window_rows = 10};
    int seen[3] = {0};
    for (int i = 0; i < 3; i++)
        CHECK(kith_run(c, "ROWS 500", NULL, &run, &r[i], &error) == 0);
    for (int round = 0; round < 500; round++)
        for (int i = 2; i >= 0; i--)
            seen[i] += kith_next(r[i], &error) == 1;
    CHECK(seen[0] == 500 && seen[1] == 500 && seen[2] == 500);
    for (int i = 0; i < 3; i++) {
        CHECK(kith_next(r[i], &error) == 0);
        kith_result_free(r[i]);
    }
    CHECK(kith_run(c, "ROWS 100000", NULL, &run, &r[0], &error) == 0 &&
          kith_next(r[0], &error) == 1);
    kith_result_free(r[0]); /* closed early */
    CHECK(count(c) >= 0);
    kith_close(c);
}

static void errors_say_what_and_where(void)
{
    kith_connection *c = opened(NULL);
    kith_result *r;
    kith_error *error = NULL;
    kith_position at;
    CHECK(kith_run(c, "NONSENSE", NULL, NULL, &r, &error) == -1 && r == NULL);
    CHECK(kith_error_code(error) == 1000 && kith_error_position(error, &at) && at.line == 1 &&
          at.column == 1);
    CHECK(!kith_error_retryable(error) && kith_error_get_class(error) == KITH_CLASS_CLIENT &&
          *kith_error_message(error));
    CHECK(is(error, "UnexpectedSyntax"));
    int code, rows = 0;
    CHECK(kith_run(c, "FAIL 3", NULL, NULL, &r, &error) == 0);
    while ((code = kith_next(r, &error)) == 1)
        rows++;
    CHECK(code == -1 && rows == 3 && is(error, "DivisionByZero"));
    kith_result_free(r);
    CHECK(kith_run(c, "WRITE 1", NULL, &(kith_run_options){.read_only = true}, &r, &error) == -1);
    CHECK(is(error, "WriteInReadOnly"));
    CHECK(count(c) >= 0);
    kith_close(c);
}

static void parameters_that_are_wrong_never_leave(void)
{
    kith_connection *c = opened(NULL);
    kith_result *r;
    kith_error *error = NULL;
    kith_params *p = kith_params_new();
    kith_params_text(p, "x", "\xC3\x28", 2);
    CHECK(kith_run(c, "RETURN 1", p, NULL, &r, &error) == -1 && is(error, "InvalidValue"));
    kith_params_clear(p);
    kith_params_int(p, "x", 1);
    kith_params_int(p, "x", 2);
    CHECK(kith_run(c, "RETURN 1", p, NULL, &r, &error) == -1 && is(error, "Usage"));
    kith_params_clear(p);
    kith_params_list_begin(p, "x");
    CHECK(kith_run(c, "RETURN 1", p, NULL, &r, &error) == -1 && is(error, "Usage"));
    kith_params_clear(p);
    kith_params_map_begin(p, "m");
    kith_params_list_begin(p, "l");
    kith_params_float(p, NULL, 1.5);
    kith_params_bytes(p, NULL, "\0\1", 2);
    kith_params_null(p, NULL);
    kith_params_bool(p, NULL, true);
    kith_params_end(p);
    kith_params_end(p);
    CHECK(kith_run(c, "RETURN 1", p, NULL, &r, &error) == 0);
    kith_result_free(r);
    kith_params_free(p);
    kith_close(c);
}

static void transactions_commit_and_roll_back(void)
{
    kith_connection *c = opened(NULL);
    kith_error *error = NULL;
    uint64_t commit = 0;
    int64_t before = count(c);
    CHECK(kith_begin(c, NULL, &error) == 0 && kith_in_transaction(c));
    CHECK(kith_exec(c, "WRITE 2", NULL, &error) == 0 && count(c) == before + 1);
    CHECK(kith_rollback(c, &error) == 0 && !kith_in_transaction(c) && count(c) == before);
    CHECK(kith_begin(c, NULL, &error) == 0 && kith_exec(c, "WRITE 2", NULL, &error) == 0);
    CHECK(kith_commit(c, &commit, &error) == 0 && commit > 0 && count(c) == before + 1);
    CHECK(kith_commit(c, NULL, &error) == -1 && is(error, "TransactionState"));
    kith_close(c);
}

typedef struct Work {
    int runs, kill_at, fail_with_code;
    bool give_up;
} Work;

/* Fails by an error of the server that may be repeated (a deadline), until the run that is to succeed. */
static int work(kith_connection *c, void *context, kith_error **error)
{
    Work *w = context;
    kith_result *r;
    w->runs++;
    if (w->give_up)
        return kith_exec(c, "WRITE 1", NULL, error) == 0 ? KITH_ROLLBACK : KITH_FAILED;
    if (w->runs < w->kill_at) {
        if (kith_run(c, "SLEEP 2000", NULL, &(kith_run_options){.deadline_ms = 30}, &r, error) != 0)
            return KITH_FAILED;
        int code = kith_next(r, error);
        kith_result_free(r);
        return code < 0 ? KITH_FAILED : KITH_COMMIT;
    }
    return kith_exec(c, w->fail_with_code ? "FAIL 1" : "WRITE 1", NULL, error) == 0 ? KITH_COMMIT
                                                                                    : KITH_FAILED;
}

static void only_what_may_succeed_is_run_again(void)
{
    kith_connection *c = opened(NULL);
    kith_error *error = NULL;
    int64_t before = count(c);
    Work third = {.kill_at = 3};
    CHECK(kith_transact(c, NULL, work, &third, &error) == 0 && third.runs == 3 &&
          count(c) == before + 1);
    Work never = {.fail_with_code = 1};
    CHECK(kith_transact(c, NULL, work, &never, &error) == -1 && never.runs == 1 &&
          is(error, "DivisionByZero"));
    CHECK(!kith_in_transaction(c) && count(c) == before + 1);
    Work undone = {.give_up = true};
    CHECK(kith_transact(c, NULL, work, &undone, &error) == 0 && undone.runs == 1 &&
          count(c) == before + 1);
    Work always = {.kill_at = 1000};
    kith_transact_options twice = {.attempts = 2};
    CHECK(kith_transact(c, &twice, work, &always, &error) == -1 && always.runs == 2 &&
          is(error, "Deadline"));
    kith_close(c);
}

static void *cancel_soon(void *connection)
{
    kith_error *error = NULL;
    struct timespec pause = {0, 200000000};
    (void)nanosleep(&pause, NULL);
    bool good = kith_cancel(connection, &error) == 0;
    kith_error_free(error);
    return good ? connection : NULL;
}

static void another_thread_can_cancel(void)
{
    kith_connection *c = opened(NULL);
    kith_result *r = NULL;
    kith_error *error = NULL;
    pthread_t thread;
    void *good;
    CHECK(pthread_create(&thread, NULL, cancel_soon, c) == 0);
    int code = kith_run(c, "SPIN", NULL, NULL, &r, &error);
    if (code == 0)
        code = kith_next(r, &error);
    CHECK(code == -1 && is(error, "Cancelled"));
    kith_result_free(r);
    (void)pthread_join(thread, &good);
    CHECK(good == c && count(c) >= 0);
    kith_close(c);
}

static void silence_can_be_bounded(void)
{
    kith_connection *c = opened(&(kith_options){.answer_timeout_ms = 150});
    kith_result *r = NULL;
    kith_error *error = NULL;
    int code = kith_run(c, "SLEEP 3000", NULL, &(kith_run_options){.read_only = true}, &r, &error);
    if (code == 0)
        code = kith_next(r, &error);
    CHECK(code == -1 && is(error, "Connection") && kith_is_lost(c));
    kith_result_free(r);
    CHECK(count(c) == -1);
    CHECK(kith_reconnect(c, &error) == 0 && count(c) >= 0);
    kith_close(c);
}

static void an_unknown_outcome_is_never_repeated(void)
{
    kith_connection *c = opened(NULL);
    kith_result *r = NULL;
    kith_error *error = NULL;
    int code = kith_run(c, "UNKNOWN", NULL, NULL, &r, &error);
    if (code == 0)
        code = kith_next(r, &error);
    CHECK(code == -1 && kith_error_code(error) == KITH_CODE_COMMIT_OUTCOME_UNKNOWN &&
          !kith_error_retryable(error));
    kith_error_free(error);
    kith_result_free(r);
    kith_close(c);
}

static void a_lost_connection_says_what_is_not_known(pid_t server)
{
    kith_connection *reader = opened(NULL), *writer = opened(NULL);
    kith_result *r = NULL, *w = NULL;
    kith_error *error = NULL;
    kith_run_options window = {.window_rows = 1, .read_only = true};
    CHECK(kith_run(reader, "ROWS 100", NULL, &window, &r, &error) == 0);
    window.read_only = false;
    CHECK(kith_run(writer, "ROWS 100", NULL, &window, &w, &error) == 0);
    (void)kill(server, SIGKILL);
    int code;
    do
        code = kith_next(r, &error);
    while (code == 1);
    CHECK(code == -1 && kith_error_retryable(error) && is(error, "Connection"));
    do
        code = kith_next(w, &error);
    while (code == 1);
    CHECK(code == -1 && !kith_error_retryable(error) && is(error, "CommitOutcomeUnknown"));
    kith_close(reader); /* before its result */
    kith_result_free(r);
    kith_result_free(w);
    kith_close(writer);
    CHECK(kith_connect(uri, NULL, &reader, &error) == -1 && reader == NULL &&
          is(error, "Connection"));
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    uri = argv[1];
    an_answer_has_columns_rows_and_a_summary();
    all_rows_come_through_a_small_window(NULL);
    all_rows_come_through_a_small_window(&(kith_options){.checks = true, .agent = "checks"});
    several_results_are_open_at_once();
    errors_say_what_and_where();
    parameters_that_are_wrong_never_leave();
    transactions_commit_and_roll_back();
    only_what_may_succeed_is_run_again();
    another_thread_can_cancel();
    silence_can_be_bounded();
    an_unknown_outcome_is_never_repeated();
    a_lost_connection_says_what_is_not_known((pid_t)atoi(argv[2]));
    printf("%d checks, %d failed\n", checks, failed);
    return failed || checks < 60;
}
