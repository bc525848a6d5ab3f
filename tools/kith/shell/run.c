/* tools/kith/shell/run.c - one statement: sent, its rows printed, its error shown where it is. */
#include "tools/kith/shell/shell.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdlib.h>

int kt_shell_connect(KtShell *shell)
{
    kith_error *error = NULL;
    kith_options options = {.agent = "kith shell"};
    int code = shell->connection ? kith_reconnect(shell->connection, &error)
                                 : kith_connect(shell->uri, &options, &shell->connection, &error);
    if (code == 0)
        return KT_SHELL_OK;
    int result = kith_error_code(error) == 1721 || kith_error_code(error) == 1042
                     ? KT_SHELL_FAILED
                     : KT_SHELL_NO_CONNECTION;
    kt_shell_complain(shell, error, NULL, 0);
    return result;
}

enum {
    MOST_BEFORE = 120,
    MOST_BEHIND = 80
}; /* bytes shown of a long line, before and behind the place */

/* The line of `text` that holds `offset`, cut about it when it is long, and a caret under the place. */
static void show_place(const kith_position *at, const char *text, size_t len)
{
    size_t offset = at->offset < len ? at->offset : len, begin = offset, end = offset;
    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    while (end < len && text[end] != '\n')
        end++;
    bool cut_front = offset - begin > MOST_BEFORE, cut_back = end - offset > MOST_BEHIND;
    begin = cut_front ? offset - MOST_BEFORE : begin;
    end = cut_back ? offset + MOST_BEHIND : end;
    while (begin < offset && ((unsigned char)text[begin] & 0xC0) == 0x80)
        begin++;
    while (end > offset && end < len && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    KtBuf line = {0}, before = {0},
          under = {0}; /* as they are shown, so that the caret meets its place */
    size_t marked = at->length < end - offset ? at->length : end - offset;
    kt_say_put(&line, text + begin, end - begin);
    kt_say_put(&before, text + begin, offset - begin);
    kt_say_put(&under, text + offset, marked);
    int head = fprintf(stderr, "LINE %u: %s", at->line, cut_front ? "..." : "");
    (void)fprintf(stderr, "%.*s%s\n%*s", (int)line.len, line.data ? (const char *)line.data : "",
                  cut_back ? "..." : "",
                  head + (int)kt_shell_width((const char *)before.data, before.len), "");
    size_t carets = kt_shell_width((const char *)under.data, under.len);
    for (size_t i = 0; i < (carets ? carets : 1); i++)
        (void)fputc('^', stderr);
    (void)fputc('\n', stderr);
    kt_buf_close(&line);
    kt_buf_close(&before);
    kt_buf_close(&under);
}

void kt_shell_complain(const KtShell *shell, kith_error *error, const char *text, size_t len)
{
    kith_position at;
    (void)fflush(shell->out);
    kt_say(stderr, "KITH-%d %s: %s\n", kith_error_code(error), kith_error_name(error),
           kith_error_message(error));
    if (text && kith_error_position(error, &at))
        show_place(&at, text, len);
    if (*kith_error_hint(error))
        kt_say(stderr, "HINT: %s\n", kith_error_hint(error));
    for (const kith_error *cause = kith_error_cause(error); cause; cause = kith_error_cause(cause))
        kt_say(stderr, "CAUSE: KITH-%d %s: %s\n", kith_error_code(cause), kith_error_name(cause),
               kith_error_message(cause));
    kith_error_free(error);
}

static kith_params *params_of(const KtShell *shell)
{
    char why[512];
    kith_params *params = kith_params_new();
    for (size_t i = 0; i < shell->params; i++)
        (void)kt_shell_literal(shell->param[i].literal, shell->param[i].name, params, why,
                               sizeof why); /* checked when set */
    return params;
}

/* "2 rows, 3 nodes created" and the like; the time only for a person. */
static void show_end(const KtShell *shell, const kith_result *r, uint64_t rows, int64_t ns)
{
    kith_summary s = kith_result_summary(r);
    for (uint32_t i = 0; i < s.notices; i++)
        kt_say(stderr, "NOTICE: %s\n", kith_notice_message(r, i));
    if (shell->format != KT_SHELL_TABLE)
        return;
    for (const char *at = s.plan; *at;) {
        size_t len = strcspn(at, "\n");
        kt_say(shell->out, "%.*s\n", (int)len, at);
        at += len + (at[len] == '\n');
    }
    const char *between = "";
    (void)fputc('(', shell->out);
    if (kith_columns(r) > 0) {
        (void)fprintf(shell->out, "%" PRIu64 " row%s", rows, rows == 1 ? "" : "s");
        between = ", ";
    }
    for (uint32_t i = 0; i < kith_count(s.counters); i++) {
        size_t len;
        int64_t n = 0;
        const char *name = kith_key(s.counters, i, &len);
        (void)kith_as_int(kith_item(s.counters, i), &n);
        (void)fprintf(shell->out, "%s%" PRId64 " ", between, n);
        for (size_t k = 0; k < len; k++)
            kt_say(shell->out, "%c", name[k] == '_' ? ' ' : name[k]);
        between = ", ";
    }
    if (!*between)
        (void)fputs("done", shell->out);
    if (shell->interactive)
        (void)fprintf(shell->out, ", %.1f ms", (double)ns / 1e6);
    (void)fputs(")\n", shell->out);
}

static int read_rows(KtShell *shell, kith_result *r, int64_t begin, kith_error **error)
{
    uint64_t rows = 0;
    int code = 0;
    KtPrinter *printer = kt_printer_open(shell->format, shell->out, r);
    bool memory = printer != NULL;
    while (memory && (code = kith_next(r, error)) == 1)
        memory = kt_printer_row(printer, r);
    if (printer && !kt_printer_close(printer, &rows))
        memory = false;
    if (!memory) {
        (void)fprintf(stderr, "kith: no memory to print the result\n");
        return -1;
    }
    if (code == 0)
        show_end(shell, r, rows, kt_clock_ns() - begin);
    return code;
}

int kt_shell_run(KtShell *shell, const char *text, size_t len)
{
    kith_error *error = NULL;
    kith_result *r = NULL;
    if (kith_is_lost(shell->connection)) {
        int code = kt_shell_connect(shell);
        if (code != KT_SHELL_OK)
            return code;
    }
    char *statement = strndup(text, len);
    kith_params *params = params_of(shell);
    if (!statement || strlen(statement) != len || !kt_utf8_valid(statement, len)) {
        (void)fprintf(
            stderr, "kith: %s\n",
            !statement ? "no memory"
            : strlen(statement) != len
                ? "a statement may not hold a NUL byte"
                : "a statement is text in UTF-8, and this one is not; convert the file first");
        kith_params_free(params);
        free(statement);
        return KT_SHELL_FAILED;
    }
    int64_t begin = kt_clock_ns();
    kt_interrupt_begin(shell->connection);
    int code = kith_run(shell->connection, statement, params, NULL, &r, &error);
    if (code == 0)
        code = read_rows(shell, r, begin, &error);
    kith_result_free(r);
    kt_interrupt_end();
    kith_params_free(params);
    (void)fflush(shell->out);
    if (code < 0 && error)
        kt_shell_complain(shell, error, statement, len);
    free(statement);
    if (code == 0)
        return KT_SHELL_OK;
    return kith_is_lost(shell->connection) ? KT_SHELL_NO_CONNECTION : KT_SHELL_FAILED;
}
