/* tests/support/plain_test.h - Test, TestSuite and cr_assert* in one process, for ThreadSanitizer builds.
 *
 * Criterion aborts under TSan, so there the same test files build against this header (it stands in for
 * <criterion/criterion.h> by the folder tests/support/plain). What must hold: a test file that builds here
 * means the same under Criterion; an unknown macro is a compile error, never a test that passes unseen.
 * A failed assertion leaves the test by longjmp when it is the test's own thread that failed; in any other
 * thread the process ends, since nothing can unwind that one. Tests with .signal or .exit_code run in a child.
 * Shared pieces are weak, so that several files of one program may include this. */
#ifndef KT_TESTS_SUPPORT_PLAIN_TEST_H
#define KT_TESTS_SUPPORT_PLAIN_TEST_H

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct KtPlainOptions {
    int unused; /* so that an empty list of options is an initializer too */
    void (*init)(void);
    void (*fini)(void);
    int signal;    /* expected end by this signal */
    int exit_code; /* expected exit status */
    bool disabled;
    double timeout; /* ctest's own limit stands in for it */
    const char *description;
} KtPlainOptions;

typedef struct KtPlainTest {
    struct KtPlainTest *next;
    const char *suite, *name;
    void (*run)(void); /* NULL: a suite's entry, only its options count */
    KtPlainOptions options;
} KtPlainTest;

typedef struct KtPlainState {
    KtPlainTest *first, *last;
    jmp_buf leave;
    pthread_t thread;
    bool failed, skipped;
} KtPlainState;

__attribute__((weak)) KtPlainState kt_plain_state;

void kt_plain_add(KtPlainTest *test);
void kt_plain_leave(void);
bool kt_plain_check(bool fatal, bool holds, const char *file, int line, const char *what,
                    const char *fmt, ...);
int main(int argc, char **argv);

__attribute__((weak)) void kt_plain_add(KtPlainTest *test)
{
    if (kt_plain_state.last)
        kt_plain_state.last->next = test;
    else
        kt_plain_state.first = test;
    kt_plain_state.last = test;
}

__attribute__((weak)) void kt_plain_leave(void)
{
    if (!pthread_equal(pthread_self(), kt_plain_state.thread)) {
        fflush(stdout);
        _exit(99);
    }
    longjmp(kt_plain_state.leave, 1);
}

__attribute__((weak)) bool kt_plain_check(bool fatal, bool holds, const char *file, int line,
                                          const char *what, const char *fmt, ...)
{
    if (holds)
        return true;
    va_list args;
    va_start(args, fmt);
    printf("%s:%d: assertion failed: %s", file, line, what);
    if (fmt[0]) {
        printf(": ");
        vprintf(fmt, args);
    }
    printf("\n");
    va_end(args);
    kt_plain_state.failed = true;
    if (fatal)
        kt_plain_leave();
    return false;
}

#define Test(suite_, name_, ...)                                             \
    static void suite_##_##name_##_body(void);                               \
    __attribute__((constructor)) static void suite_##_##name_##_add(void)    \
    {                                                                        \
        static KtPlainTest test = {.suite = #suite_,                         \
                                   .name = #name_,                           \
                                   .run = suite_##_##name_##_body,           \
                                   .options = {.unused = 0, ##__VA_ARGS__}}; \
        kt_plain_add(&test);                                                 \
    }                                                                        \
    static void suite_##_##name_##_body(void)

#define TestSuite(suite_, ...)                                                                  \
    __attribute__((constructor)) static void suite_##_suite_add(void)                           \
    {                                                                                           \
        static KtPlainTest suite = {.suite = #suite_, .options = {.unused = 0, ##__VA_ARGS__}}; \
        kt_plain_add(&suite);                                                                   \
    }                                                                                           \
    extern int kt_plain_end_of_##suite_

#define KT_PLAIN_CHECK_(fatal, holds, what, ...) \
    kt_plain_check(fatal, (holds), __FILE__, __LINE__, what, "" __VA_ARGS__)
#define KT_PLAIN_STR_(a, b, op, fatal, ...) \
    KT_PLAIN_CHECK_(fatal, strcmp((a), (b)) op 0, #a " " #op " " #b, ##__VA_ARGS__)

#define cr_assert(cond, ...) ((void)KT_PLAIN_CHECK_(true, !!(cond), #cond, ##__VA_ARGS__))
#define cr_expect(cond, ...) KT_PLAIN_CHECK_(false, !!(cond), #cond, ##__VA_ARGS__)
#define cr_assert_not(cond, ...) cr_assert(!(cond), ##__VA_ARGS__)
#define cr_expect_not(cond, ...) cr_expect(!(cond), ##__VA_ARGS__)
#define cr_assert_eq(a, b, ...) cr_assert((a) == (b), ##__VA_ARGS__)
#define cr_assert_neq(a, b, ...) cr_assert((a) != (b), ##__VA_ARGS__)
#define cr_assert_lt(a, b, ...) cr_assert((a) < (b), ##__VA_ARGS__)
#define cr_assert_leq(a, b, ...) cr_assert((a) <= (b), ##__VA_ARGS__)
#define cr_assert_gt(a, b, ...) cr_assert((a) > (b), ##__VA_ARGS__)
#define cr_assert_geq(a, b, ...) cr_assert((a) >= (b), ##__VA_ARGS__)
#define cr_expect_eq(a, b, ...) cr_expect((a) == (b), ##__VA_ARGS__)
#define cr_expect_neq(a, b, ...) cr_expect((a) != (b), ##__VA_ARGS__)
#define cr_expect_lt(a, b, ...) cr_expect((a) < (b), ##__VA_ARGS__)
#define cr_expect_leq(a, b, ...) cr_expect((a) <= (b), ##__VA_ARGS__)
#define cr_expect_gt(a, b, ...) cr_expect((a) > (b), ##__VA_ARGS__)
#define cr_expect_geq(a, b, ...) cr_expect((a) >= (b), ##__VA_ARGS__)
#define cr_assert_null(p, ...) cr_assert((p) == NULL, ##__VA_ARGS__)
#define cr_assert_not_null(p, ...) cr_assert((p) != NULL, ##__VA_ARGS__)
#define cr_expect_null(p, ...) cr_expect((p) == NULL, ##__VA_ARGS__)
#define cr_expect_not_null(p, ...) cr_expect((p) != NULL, ##__VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) ((void)KT_PLAIN_STR_(a, b, ==, true, ##__VA_ARGS__))
#define cr_assert_str_neq(a, b, ...) ((void)KT_PLAIN_STR_(a, b, !=, true, ##__VA_ARGS__))
#define cr_assert_str_lt(a, b, ...) ((void)KT_PLAIN_STR_(a, b, <, true, ##__VA_ARGS__))
#define cr_assert_str_gt(a, b, ...) ((void)KT_PLAIN_STR_(a, b, >, true, ##__VA_ARGS__))
#define cr_expect_str_eq(a, b, ...) KT_PLAIN_STR_(a, b, ==, false, ##__VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) KT_PLAIN_STR_(a, b, !=, false, ##__VA_ARGS__)
#define cr_assert_str_empty(a, ...) cr_assert((a)[0] == '\0', ##__VA_ARGS__)
#define cr_assert_str_not_empty(a, ...) cr_assert((a)[0] != '\0', ##__VA_ARGS__)
#define cr_assert_arr_eq(a, b, bytes, ...) cr_assert(memcmp((a), (b), (bytes)) == 0, ##__VA_ARGS__)
#define cr_assert_arr_neq(a, b, bytes, ...) cr_assert(memcmp((a), (b), (bytes)) != 0, ##__VA_ARGS__)
#define cr_expect_arr_eq(a, b, bytes, ...) cr_expect(memcmp((a), (b), (bytes)) == 0, ##__VA_ARGS__)
#define cr_expect_arr_neq(a, b, bytes, ...) cr_expect(memcmp((a), (b), (bytes)) != 0, ##__VA_ARGS__)
#define cr_assert_float_eq(a, b, eps, ...) cr_assert(fabs((a) - (b)) <= (eps), ##__VA_ARGS__)
#define cr_assert_float_neq(a, b, eps, ...) cr_assert(fabs((a) - (b)) > (eps), ##__VA_ARGS__)
#define cr_expect_float_eq(a, b, eps, ...) cr_expect(fabs((a) - (b)) <= (eps), ##__VA_ARGS__)
#define cr_fail(...) ((void)KT_PLAIN_CHECK_(false, false, "cr_fail", ##__VA_ARGS__))
#define cr_assert_fail(...) ((void)KT_PLAIN_CHECK_(true, false, "cr_assert_fail", ##__VA_ARGS__))
#define cr_fatal(...) cr_assert_fail(__VA_ARGS__)
#define cr_log_info(...) ((void)printf(__VA_ARGS__), (void)printf("\n"))
#define cr_log_warn(...) cr_log_info(__VA_ARGS__)
#define cr_log_error(...) cr_log_info(__VA_ARGS__)
#define cr_skip_test(...) (kt_plain_state.skipped = true, kt_plain_leave())
#define cr_skip(...) cr_skip_test()

static inline const KtPlainOptions *kt_plain_suite(const KtPlainTest *test)
{
    static const KtPlainOptions none;
    for (const KtPlainTest *t = kt_plain_state.first; t; t = t->next)
        if (!t->run && strcmp(t->suite, test->suite) == 0)
            return &t->options;
    return &none;
}

static inline void kt_plain_guard(void (*step)(void))
{
    if (step && setjmp(kt_plain_state.leave) == 0)
        step();
}

/* True when every assertion held. The suite's init comes before the test's, its fini after. */
static inline bool kt_plain_here(const KtPlainTest *test)
{
    const KtPlainOptions *suite = kt_plain_suite(test);
    kt_plain_state.failed = kt_plain_state.skipped = false;
    kt_plain_state.thread = pthread_self();
    kt_plain_guard(suite->init);
    if (!kt_plain_state.failed)
        kt_plain_guard(test->options.init);
    if (!kt_plain_state.failed)
        kt_plain_guard(test->run);
    kt_plain_guard(test->options.fini);
    kt_plain_guard(suite->fini);
    return !kt_plain_state.failed;
}

static inline bool kt_plain_in_child(const KtPlainTest *test)
{
    int want_signal = test->options.signal ? test->options.signal : kt_plain_suite(test)->signal;
    int want_code =
        test->options.exit_code ? test->options.exit_code : kt_plain_suite(test)->exit_code;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        bool ok = kt_plain_here(test);
        fflush(NULL);
        _exit(ok ? 0 : 98);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        return false;
    if (want_signal)
        return WIFSIGNALED(status) && WTERMSIG(status) == want_signal;
    return WIFEXITED(status) && WEXITSTATUS(status) == want_code;
}

/* One argument is understood: --only SUITE/NAME or a part of it. The last line is Criterion's own. */
__attribute__((weak)) int main(int argc, char **argv)
{
    const char *only = argc > 2 && strcmp(argv[1], "--only") == 0 ? argv[2] : "";
    unsigned tested = 0, failing = 0, skipped = 0;
    for (const KtPlainTest *t = kt_plain_state.first; t; t = t->next) {
        if (!t->run)
            continue;
        char full[512];
        (void)snprintf(full, sizeof full, "%s/%s", t->suite, t->name);
        if (!strstr(full, only))
            continue;
        const KtPlainOptions *suite = kt_plain_suite(t);
        if (t->options.disabled || suite->disabled) {
            skipped++;
            continue;
        }
        bool child = t->options.signal || t->options.exit_code || suite->signal || suite->exit_code;
        bool ok = child ? kt_plain_in_child(t) : kt_plain_here(t);
        tested++;
        failing += !ok;
        printf("[%s] %s\n", ok ? "PASS" : "FAIL", full);
        fflush(stdout);
    }
    printf("[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: 0 | Skipped: %u\n",
           tested, tested - failing, failing, skipped);
    return failing > 0;
}

#endif
