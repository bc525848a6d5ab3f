/* base/diag.h - the words of one error: what, where in the statement, what to do.
 *
 * Whoever knows the cause writes here and returns the status; the first error stays (a later
 * kt_diag_set is ignored until kt_diag_clear). All text is copied: nothing to free. */
#ifndef KT_BASE_DIAG_H
#define KT_BASE_DIAG_H

#include "base/status.h"

#include <stddef.h>

/* A place in a statement. Line and column count from 1, the column in characters (code points);
 * offset and length in bytes. line 0: no place. */
typedef struct KtPos {
    uint32_t offset, length, line, column;
} KtPos;

enum { KT_DIAG_TEXT = 512 };

typedef struct KtDiag {
    KtStatus status;
    bool compile_time; /* raised before anything was read or written */
    KtPos at;
    char message[KT_DIAG_TEXT];  /* one sentence, UTF-8, cut at a character */
    char hint[KT_DIAG_TEXT / 2]; /* empty: the hint of errors.def */
} KtDiag;

void kt_diag_clear(KtDiag *diag);

/* Fills `diag` (NULL: only the status counts) and returns `status`, so that a caller writes
 * `return kt_diag_set(diag, KT_ERR_X, at, "...")`. `at` may be NULL. */
KtStatus kt_diag_set(KtDiag *diag, KtStatus status, const KtPos *at, const char *format, ...)
    KT_PRINTF(4, 5);

/* Sets the hint of the error that stands in `diag`. */
void kt_diag_hint(KtDiag *diag, const char *format, ...) KT_PRINTF(2, 3);

#endif
