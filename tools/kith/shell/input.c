/* tools/kith/shell/input.c - lines from a terminal by libedit, with a history in ~/.kith_history. */
#include "tools/kith/shell/shell.h"

#include "base/utf8.h"

#include <errno.h>
#include <histedit.h>
#include <stdlib.h>
#include <unistd.h>

enum { HISTORY_ENTRIES = 1000 };

struct KtInput {
    EditLine *edit;
    History *history;
    const char *prompt;
    char *line;
    char file[4096]; /* "": no home */
    bool interrupted;
};

static KtInput *input_of(EditLine *edit)
{
    void *data = NULL;
    (void)el_get(edit, EL_CLIENTDATA, &data);
    return data;
}

static char *prompt_of(EditLine *edit)
{
    union { /* libedit wants char *, and does not write to it */
        const char *from;
        char *to;
    } prompt = {.from = input_of(edit)->prompt};
    return prompt.to;
}

/* One character from the terminal; a Ctrl-C ends the line, which libedit's own reader would not let it. */
static int read_char(EditLine *edit, wchar_t *out)
{
    KtInput *input = input_of(edit);
    char bytes[4];
    size_t have = 0, want = 1;
    while (have < want) {
        if (!kt_interrupt_wait(STDIN_FILENO)) {
            input->interrupted = true;
            return -1;
        }
        ssize_t n = read(STDIN_FILENO, bytes + have, 1);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return n < 0 ? -1 : 0;
        if (have++ == 0)
            want = kt_utf8_step(bytes[0]);
    }
    if (!kt_utf8_valid(bytes, have)) {
        *out = L'?';
        return 1;
    }
    *out = (wchar_t)kt_utf8_decode(bytes);
    return 1;
}

KtInput *kt_input_open(void)
{
    HistEvent event;
    KtInput *input = calloc(1, sizeof *input);
    if (!input)
        return NULL;
    input->prompt = "";
    input->edit = el_init("kith", stdin, stdout, stderr);
    input->history = history_init();
    if (!input->edit || !input->history) {
        kt_input_close(input);
        return NULL;
    }
    (void)el_set(input->edit, EL_CLIENTDATA, input);
    (void)el_set(input->edit, EL_PROMPT, prompt_of);
    (void)el_set(input->edit, EL_EDITOR, "emacs");
    (void)el_set(input->edit, EL_SIGNAL, 0);
    (void)el_wset(input->edit, EL_GETCFN, read_char);
    (void)history(input->history, &event, H_SETSIZE, HISTORY_ENTRIES);
    (void)history(input->history, &event, H_SETUNIQUE, 1);
    (void)el_set(input->edit, EL_HIST, history, input->history);
    (void)el_set(input->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    (void)el_source(input->edit, NULL);
    const char *home = getenv("HOME");
    if (home && *home) {
        int n = snprintf(input->file, sizeof input->file, "%s/.kith_history", home);
        if (n < 0 || (size_t)n >= sizeof input->file)
            input->file[0] = 0;
        else
            (void)history(input->history, &event, H_LOAD, input->file);
    }
    return input;
}

const char *kt_input_line(KtInput *input, const char *prompt, bool *interrupted)
{
    int len = 0;
    input->prompt = prompt;
    input->interrupted = false;
    (void)kt_interrupt_taken();
    (void)el_set(input->edit, EL_PREP_TERM,
                 1); /* before the prompt shows, so that no key falls between */
    const char *line = el_gets(input->edit, &len);
    *interrupted = input->interrupted;
    free(input->line);
    input->line = NULL;
    if (input->interrupted) {
        (void)fputs("^C\n", stdout);
        (void)fflush(stdout);
        el_reset(input->edit);
        return NULL;
    }
    if (!line || len <= 0)
        return NULL;
    input->line = strndup(line, (size_t)len);
    if (input->line)
        input->line[strcspn(input->line, "\n")] = 0;
    return input->line;
}

void kt_input_remember(KtInput *input, const char *text, size_t len)
{
    HistEvent event;
    char *entry = strndup(text, len);
    if (!entry)
        return;
    if (!kt_shell_has_line_comment(entry, len)) /* one line is easier to edit again */
        for (char *at = entry; *at; at++)
            *at = *at == '\n' ? ' ' : *at;
    (void)history(input->history, &event, H_ENTER, entry);
    free(entry);
    if (input->file[0])
        (void)history(input->history, &event, H_SAVE, input->file);
}

void kt_input_close(KtInput *input)
{
    if (!input)
        return;
    if (input->history)
        history_end(input->history);
    if (input->edit)
        el_end(input->edit);
    free(input->line);
    free(input);
}
