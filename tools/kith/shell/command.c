/* tools/kith/shell/command.c - what begins with a colon: a table of commands of the shell itself. */
#include "tools/kith/shell/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

typedef struct Command {
    const char *name;
    int (*run)(KtShell *shell, const char *rest, size_t len);
    const char *usage, *what;
} Command;

static int help(KtShell *shell, const char *rest, size_t len);

static int quit(KtShell *shell, const char *rest, size_t len)
{
    (void)rest;
    (void)len;
    shell->quit = true;
    return KT_SHELL_OK;
}

static size_t word_len(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && !isspace((unsigned char)text[n]))
        n++;
    return n;
}

static void skip_blank(const char **text, size_t *len)
{
    while (*len > 0 && isspace((unsigned char)**text)) {
        (*text)++;
        (*len)--;
    }
}

static bool good_name(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && (unsigned char)name[i] < 0x80)
            return false;
    return len > 0;
}

bool kt_shell_set_param(KtShell *shell, const char *name, size_t name_len, const char *literal,
                        size_t literal_len)
{
    char why[512];
    char *key = strndup(name, name_len), *value = strndup(literal, literal_len);
    kith_params *scratch = kith_params_new();
    bool good = key && value && scratch;
    if (!good) {
        kt_say(stderr, "kith: no memory\n");
    } else if (!good_name(key, name_len)) {
        kt_say(stderr, "kith: \"%s\" is no name of a parameter: letters, digits and _\n", key);
        good = false;
    } else if (!kt_shell_literal(value, key, scratch, why, sizeof why)) {
        kt_say(stderr, "kith: parameter %s: %s\n", key, why);
        good = false;
    }
    kith_params_free(scratch);
    size_t at = 0;
    while (good && at < shell->params && strcmp(shell->param[at].name, key) != 0)
        at++;
    if (good && at == shell->params) {
        KtShellParam *grown = realloc(shell->param, (shell->params + 1) * sizeof *grown);
        good = grown != NULL;
        if (good) {
            shell->param = grown;
            shell->param[shell->params++] = (KtShellParam){0};
        }
    }
    if (!good) {
        free(key);
        free(value);
        return false;
    }
    free(shell->param[at].name);
    free(shell->param[at].literal);
    shell->param[at] = (KtShellParam){key, value};
    return true;
}

static int param(KtShell *shell, const char *rest, size_t len)
{
    size_t name = word_len(rest, len);
    const char *value = rest + name;
    size_t value_len = len - name;
    skip_blank(&value, &value_len);
    if (value_len >= 2 && value[0] == '=' && value[1] == '>') { /* as other shells write it */
        value += 2;
        value_len -= 2;
        skip_blank(&value, &value_len);
    }
    if (value_len > 0)
        return kt_shell_set_param(shell, rest, name, value, value_len) ? KT_SHELL_OK
                                                                       : KT_SHELL_FAILED;
    bool any = false;
    for (size_t i = 0; i < shell->params; i++) {
        if (name && (strlen(shell->param[i].name) != name ||
                     strncmp(shell->param[i].name, rest, name) != 0))
            continue;
        kt_say(shell->out, "%s = %s\n", shell->param[i].name, shell->param[i].literal);
        any = true;
    }
    if (name && !any) {
        kt_say(stderr, "kith: no parameter %.*s; set it by :param NAME VALUE\n", (int)name, rest);
        return KT_SHELL_FAILED;
    }
    return KT_SHELL_OK;
}

bool kt_shell_set_format(KtShell *shell, const char *name)
{
    static const char *const names[] = {"table", "csv", "jsonl"};
    for (size_t i = 0; i < KT_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) {
            shell->format = (KtShellFormat)i;
            return true;
        }
    kt_say(stderr, "kith: no format \"%s\": table, csv or jsonl\n", name);
    return false;
}

static int format(KtShell *shell, const char *rest, size_t len)
{
    char name[32];
    if (len == 0) {
        static const char *const names[] = {"table", "csv", "jsonl"};
        kt_say(shell->out, "%s\n", names[shell->format]);
        return KT_SHELL_OK;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)(len < 31 ? len : 31), rest);
    return kt_shell_set_format(shell, name) ? KT_SHELL_OK : KT_SHELL_FAILED;
}

static int after(KtShell *shell, int code, kith_error *error)
{
    if (code == 0)
        return KT_SHELL_OK;
    kt_shell_complain(shell, error, NULL, 0);
    return kith_is_lost(shell->connection) ? KT_SHELL_NO_CONNECTION : KT_SHELL_FAILED;
}

static int begin(KtShell *shell, const char *rest, size_t len)
{
    kith_error *error = NULL;
    kith_begin_options options = {.read_only = len == 4 && strncasecmp(rest, "read", 4) == 0};
    if (len > 0 && !options.read_only) {
        kt_say(stderr, "kith: :begin, or :begin read\n");
        return KT_SHELL_FAILED;
    }
    kt_interrupt_begin(shell->connection);
    int code = kith_begin(shell->connection, &options, &error);
    kt_interrupt_end();
    return after(shell, code, error);
}

static int commit(KtShell *shell, const char *rest, size_t len)
{
    kith_error *error = NULL;
    uint64_t number = 0;
    (void)rest;
    (void)len;
    int code = kith_commit(shell->connection, &number, &error);
    if (code == 0 && number && shell->format == KT_SHELL_TABLE)
        kt_say(shell->out, "(commit %llu)\n", (unsigned long long)number);
    return after(shell, code, error);
}

static int rollback(KtShell *shell, const char *rest, size_t len)
{
    kith_error *error = NULL;
    (void)rest;
    (void)len;
    return after(shell, kith_rollback(shell->connection, &error), error);
}

static const Command commands[] = {
    {"help", help, ":help", "this page"},
    {"quit", quit, ":quit", "leave (also Ctrl-D)"},
    {"param", param, ":param [NAME [VALUE]]", "show or set parameters: :param name 'Ada'"},
    {"format", format, ":format [table|csv|jsonl]", "how results are shown"},
    {"begin", begin, ":begin [read]", "open a transaction"},
    {"commit", commit, ":commit", "make it durable"},
    {"rollback", rollback, ":rollback", "undo it"},
};

static int help(KtShell *shell, const char *rest, size_t len)
{
    (void)rest;
    (void)len;
    (void)fputs("A statement ends with ; and may span lines. Ctrl-C cancels a query.\n",
                shell->out);
    for (size_t i = 0; i < KT_COUNT(commands); i++)
        kt_say(shell->out, "  %-28s %s\n", commands[i].usage, commands[i].what);
    return KT_SHELL_OK;
}

int kt_shell_command(KtShell *shell, const char *line, size_t len)
{
    line++; /* the colon */
    len--;
    while (len > 0 && (line[len - 1] == ';' || isspace((unsigned char)line[len - 1])))
        len--;
    size_t name = word_len(line, len);
    const char *rest = line + name;
    size_t rest_len = len - name;
    skip_blank(&rest, &rest_len);
    for (size_t i = 0; i < KT_COUNT(commands); i++)
        if (strlen(commands[i].name) == name && strncmp(commands[i].name, line, name) == 0)
            return commands[i].run(shell, rest, rest_len);
    kt_say(stderr, "kith: no command :%.*s; :help lists them\n", (int)name, line);
    return KT_SHELL_FAILED;
}
