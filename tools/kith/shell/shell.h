/* tools/kith/shell/shell.h - the shell's state and its parts.
 *
 * shell.c reads the command line and drives; split.c cuts text into statements; input.c is the terminal; run.c runs one
 * statement and shows errors; command.c has :help and its kin; print_*.c the three formats; literal.c values of
 * parameters. */
#ifndef KT_TOOLS_KITH_SHELL_SHELL_H
#define KT_TOOLS_KITH_SHELL_SHELL_H

#include "base/buf.h"
#include "tools/kith/say.h"

#include <kith/kith.h>

#include <stdbool.h>
#include <stdio.h>

typedef enum KtShellFormat { KT_SHELL_TABLE, KT_SHELL_CSV, KT_SHELL_JSONL } KtShellFormat;

enum {
    KT_SHELL_OK = 0,
    KT_SHELL_FAILED = 1,
    KT_SHELL_NO_CONNECTION = 2,
    KT_SHELL_SCRIPT_FAILED = 3
};

typedef struct KtShellParam {
    char *name, *literal; /* the value as it was written */
} KtShellParam;

typedef struct KtShell {
    kith_connection *connection;
    const char *uri; /* NULL: KITH_URL or the default */
    KtShellFormat format;
    KtShellParam *param;
    size_t params;
    bool interactive;
    bool quit;
    FILE *out;
} KtShell;

/* ---- split.c ---- */

/* What stands at the start of `text`: */
typedef enum KtShellPiece {
    KT_PIECE_BLANK,     /* only white space and comments: nothing to run */
    KT_PIECE_COMMAND,   /* a line that begins with `:` */
    KT_PIECE_STATEMENT, /* a statement and its `;` */
    KT_PIECE_PART       /* a statement that is not ended yet */
} KtShellPiece;

/* *from and *len: the statement or command without white space around it and without `;` (of a PART what there is);
 * *next: where the rest of the text begins. Strings, comments and backticks are seen through. */
KtShellPiece kt_shell_split(const char *text, size_t len, size_t *from, size_t *piece_len,
                            size_t *next);
/* True when `text` has a // comment outside of strings: then its lines cannot be joined. */
bool kt_shell_has_line_comment(const char *text, size_t len);

/* ---- literal.c ---- */

/* Adds the value of a literal (null, true, 1, 1.5, 'a', "a", [..], {k: v}) to `params` under `name`. Returns false
 * with a sentence in `why` when it is none. */
bool kt_shell_literal(const char *literal, const char *name, kith_params *params, char *why,
                      size_t why_size);

/* ---- run.c ---- */

/* Runs one statement with the shell's parameters and prints what comes. Returns a KT_SHELL_ code; errors have been
 * printed. */
int kt_shell_run(KtShell *shell, const char *text, size_t len);
/* Prints an error, with the statement's line and a caret if it has a place. Frees `error`. */
void kt_shell_complain(const KtShell *shell, kith_error *error, const char *text, size_t len);
/* Connects, or connects again. */
int kt_shell_connect(KtShell *shell);

/* ---- command.c ---- */

int kt_shell_command(KtShell *shell, const char *line, size_t len);
/* Sets a parameter; the literal is checked. Returns false after a complaint. */
bool kt_shell_set_param(KtShell *shell, const char *name, size_t name_len, const char *literal,
                        size_t literal_len);
bool kt_shell_set_format(KtShell *shell, const char *name);

/* ---- printing: head, then rows, then the end ---- */

typedef struct KtPrinter KtPrinter;
/* NULL: no memory. */
KtPrinter *kt_printer_open(KtShellFormat format, FILE *out, const kith_result *result);
bool kt_printer_row(KtPrinter *printer, const kith_result *result); /* false: no memory */
bool kt_printer_close(KtPrinter *printer, uint64_t *rows);          /* prints what is held back */

/* One value: bare text, else a literal (table, csv); JSON. */
void kt_shell_text(KtBuf *out, const kith_value *value);
void kt_shell_json(KtBuf *out, const kith_value *value);
/* Columns that well-formed UTF-8 takes on a terminal. */
size_t kt_shell_width(const char *text, size_t len);

/* ---- input.c ---- */

typedef struct KtInput KtInput;
KtInput *kt_input_open(void); /* NULL: no terminal */
/* A line without its end, valid until the next call. NULL at the end of input, or with *interrupted at Ctrl-C. */
const char *kt_input_line(KtInput *input, const char *prompt, bool *interrupted);
void kt_input_remember(KtInput *input, const char *text, size_t len); /* one entry of the history */
void kt_input_close(KtInput *input);

/* ---- interrupt.c ---- */

/* Ctrl-C from now on cancels the query that runs, and else only wakes the terminal. */
void kt_interrupt_init(void);
/* Between these two a Ctrl-C cancels on `connection`. */
void kt_interrupt_begin(kith_connection *connection);
void kt_interrupt_end(void);
/* True once for each Ctrl-C. */
bool kt_interrupt_taken(void);
/* Waits until `fd` can be read (true) or Ctrl-C is pressed (false, and taken). */
bool kt_interrupt_wait(int fd);

#endif
