/* tools/kith/shell/shell.c - the command line of the shell, and its loops over a terminal, a script and -c. */
#include "tools/kith/shell/shell.h"

#include "tools/kith/commands.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "usage: kith [URI] [-c TEXT]... [-f FILE]... [-P NAME=VALUE]... [--format table|csv|jsonl]\n"
    "\n"
    "Asks a Kith server. Without -c and -f it reads statements from the terminal, or from a pipe; each ends with ;\n"
    "  URI              kith://host:port/database or kith+unix:///path (else KITH_URL, else kith://127.0.0.1:5484/kith)\n"
    "  -c TEXT          run TEXT and leave\n"
    "  -f FILE          run FILE (- for standard input) and leave\n"
    "  -P NAME=VALUE    parameter $NAME; VALUE as in JSON or Cypher: 1, 1.5, true, null, 'text', [1, 2], {k: 1}\n"
    "  --format FORMAT  table (for people), csv (RFC 4180), jsonl (an object a line)\n"
    "  -h, --help       this page\n"
    "\n"
    "Exit codes: 0 done; 1 wrong usage, a missing file, or a failed statement of -c; 2 no connection, or it was lost;\n"
    "3 a failed statement in a script, which ends there.\n";

/* ---- texts ---- */

/* Runs all of `text`; stops at the first failure. `failed`: the exit code of a failed statement. */
static int run_text(KtShell *shell, const char *text, size_t len, int failed)
{
    int code = KT_SHELL_OK;
    while (len > 0 && code == KT_SHELL_OK && !shell->quit) {
        size_t from, piece, next;
        KtShellPiece kind = kt_shell_split(text, len, &from, &piece, &next);
        if (kind == KT_PIECE_COMMAND)
            code = kt_shell_command(shell, text + from, piece);
        else if (kind != KT_PIECE_BLANK)
            code = kt_shell_run(shell, text + from, piece);
        text += next;
        len -= next;
    }
    return code == KT_SHELL_FAILED ? failed : code;
}

/* Reads a script as it comes, so that a pipe is answered statement by statement. */
static int run_stream(KtShell *shell, FILE *file, const char *name)
{
    KtBuf text = {0};
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = 1;
    int code = KT_SHELL_OK;
    while (code == KT_SHELL_OK && !shell->quit && (n = getline(&line, &cap, file)) > 0) {
        size_t from, piece, next;
        kt_buf_put(&text, line, (size_t)n);
        if (text.failed) {
            kt_say(stderr, "kith: no memory for the script\n");
            code = KT_SHELL_FAILED;
            break;
        }
        if (!memchr(line, ';', (size_t)n) && line[0] != ':')
            continue;
        while (code == KT_SHELL_OK && !shell->quit && text.len > 0) {
            const char *at = (const char *)text.data;
            KtShellPiece kind = kt_shell_split(at, text.len, &from, &piece, &next);
            if (kind == KT_PIECE_PART || kind == KT_PIECE_BLANK)
                break;
            code = kind == KT_PIECE_COMMAND ? kt_shell_command(shell, at + from, piece)
                                            : kt_shell_run(shell, at + from, piece);
            memmove(text.data, text.data + next, text.len - next);
            text.len -= next;
        }
    }
    if (n < 0 && ferror(file)) { /* also a Ctrl-C while nothing runs */
        kt_say(stderr, "kith: %s cannot be read on: %s\n", name, strerror(errno));
        code = KT_SHELL_FAILED;
    }
    if (code == KT_SHELL_OK && !shell->quit && text.len > 0)
        code = run_text(shell, (const char *)text.data, text.len, KT_SHELL_FAILED);
    kt_buf_close(&text);
    free(line);
    return code == KT_SHELL_FAILED ? KT_SHELL_SCRIPT_FAILED : code;
}

static int run_file(KtShell *shell, const char *name)
{
    if (strcmp(name, "-") == 0)
        return run_stream(shell, stdin, "standard input");
    FILE *file = fopen(name, "re");
    if (!file) {
        kt_say(stderr, "kith: %s cannot be read: %s\n", name, strerror(errno));
        return KT_SHELL_FAILED;
    }
    int code = run_stream(shell, file, name);
    (void)fclose(file);
    return code;
}

/* ---- terminal ---- */

/* Runs the whole pieces at the start of `text` and keeps the rest. */
static void run_whole_pieces(KtShell *shell, KtInput *input, KtBuf *text)
{
    while (text->len > 0 && !shell->quit) {
        size_t from, piece, next;
        const char *at = (const char *)text->data;
        KtShellPiece kind = kt_shell_split(at, text->len, &from, &piece, &next);
        if (kind == KT_PIECE_PART)
            return;
        if (kind == KT_PIECE_BLANK) {
            kt_buf_clear(text);
            return;
        }
        size_t end = kind == KT_PIECE_STATEMENT ? next : from + piece;
        kt_input_remember(input, at + from, end - from);
        if (kind == KT_PIECE_COMMAND)
            (void)kt_shell_command(shell, at + from, piece);
        else
            (void)kt_shell_run(shell, at + from, piece);
        memmove(text->data, text->data + next, text->len - next);
        text->len -= next;
    }
}

static int run_terminal(KtShell *shell)
{
    KtBuf text = {0};
    bool interrupted;
    KtInput *input = kt_input_open();
    if (!input) {
        kt_say(stderr, "kith: this terminal cannot be used\n");
        return KT_SHELL_FAILED;
    }
    kt_say(shell->out, "%s, database %s. :help tells what can be said; statements end with ;\n",
           kith_server(shell->connection), kith_database(shell->connection));
    while (!shell->quit) {
        const char *prompt = text.len                                 ? "....> "
                             : kith_in_transaction(shell->connection) ? "kith*> "
                                                                      : "kith> ";
        (void)fflush(shell->out);
        const char *line = kt_input_line(input, prompt, &interrupted);
        if (interrupted) {
            kt_buf_clear(&text);
            continue;
        }
        if (!line) {
            (void)fputc('\n', shell->out);
            break;
        }
        kt_buf_put(&text, line, strlen(line));
        kt_buf_u8(&text, '\n');
        run_whole_pieces(shell, input, &text);
    }
    kt_input_close(input);
    kt_buf_close(&text);
    return KT_SHELL_OK;
}

/* ---- command line ---- */

typedef struct Arguments {
    int texts;
    struct {
        bool file;
        const char *text;
    } run[64];
} Arguments;

static int wrong(const char *what, const char *which)
{
    kt_say(stderr, "kith: %s%s; kith --help shows the usage\n", what, which);
    return KT_SHELL_FAILED;
}

static bool take_param(KtShell *shell, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals)
        return kt_shell_set_param(shell, text, (size_t)(equals - text), equals + 1,
                                  strlen(equals + 1));
    (void)wrong("-P wants NAME=VALUE, not ", text);
    return false;
}

/* The value of an option: behind it, or joined as --format=csv or -ctext. */
static const char *option_value(const char *arg, const char *name, int *i, int argc, char **argv,
                                bool *is)
{
    size_t len = strlen(name);
    *is = strncmp(arg, name, len) == 0 &&
          (arg[len] == 0 || (name[1] == '-' ? arg[len] == '=' : true));
    if (!*is)
        return NULL;
    if (arg[len])
        return arg + len + (name[1] == '-');
    return *i + 1 < argc ? argv[++*i] : NULL;
}

static int take_arguments(KtShell *shell, int argc, char **argv, Arguments *a, bool *done)
{
    static const char *const names[] = {"-c", "-f", "-P", "--format"};
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i], *value = NULL;
        size_t which = 0;
        bool is = false;
        if (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0) {
            (void)fputs(usage, stdout);
            *done = true;
            return KT_SHELL_OK;
        }
        for (; which < KT_COUNT(names) && !is; which++)
            value = option_value(arg, names[which], &i, argc, argv, &is);
        if (!is && arg[0] == '-')
            return wrong("no option ", arg);
        if (!is && shell->uri)
            return wrong("one address is enough: ", arg);
        if (!is) {
            shell->uri = arg;
            continue;
        }
        if (!value)
            return wrong("a value is missing behind ", arg);
        which--;
        if (which <= 1) {
            if (a->texts == (int)KT_COUNT(a->run))
                return wrong("too many of -c and -f", "");
            a->run[a->texts].file = which == 1;
            a->run[a->texts++].text = value;
        } else if (which == 2 ? !take_param(shell, value) : !kt_shell_set_format(shell, value)) {
            return KT_SHELL_FAILED;
        }
    }
    return KT_SHELL_OK;
}

/* Widths and input need to know characters; a system without a UTF-8 locale set still has C.UTF-8. */
static void set_locale(void)
{
    (void)setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
}

static int run_all(KtShell *shell, const Arguments *a)
{
    int code = kt_shell_connect(shell);
    kt_interrupt_init();
    for (int i = 0; i < a->texts && code == KT_SHELL_OK && !shell->quit; i++)
        code = a->run[i].file
                   ? run_file(shell, a->run[i].text)
                   : run_text(shell, a->run[i].text, strlen(a->run[i].text), KT_SHELL_FAILED);
    if (a->texts == 0 && code == KT_SHELL_OK)
        code =
            shell->interactive ? run_terminal(shell) : run_stream(shell, stdin, "standard input");
    return code;
}

int kt_cmd_shell(int argc, char **argv)
{
    KtShell shell = {.out = stdout};
    Arguments arguments = {0};
    bool done = false;
    set_locale();
    int code = take_arguments(&shell, argc, argv, &arguments, &done);
    if (code == KT_SHELL_OK && !done) {
        shell.interactive = arguments.texts == 0 && isatty(STDIN_FILENO);
        code = run_all(&shell, &arguments);
    }
    kith_close(shell.connection);
    for (size_t i = 0; i < shell.params; i++) {
        free(shell.param[i].name);
        free(shell.param[i].literal);
    }
    free(shell.param);
    if (fflush(stdout) != 0 && code == KT_SHELL_OK) {
        kt_say(stderr, "kith: the output cannot be written: %s\n", strerror(errno));
        code = KT_SHELL_FAILED;
    }
    return code;
}
