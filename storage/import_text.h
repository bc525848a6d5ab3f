/* storage/import_text.h - lines and CSV records of text files, plain or gzip, and the file of rejects.
 *
 * A record's bytes live until the next one is asked for. Lines over KT_IMPORT_LINE_MOST bytes are handed out cut, with
 * `problem` set, so that one bad line never ends a file. */
#ifndef KT_STORAGE_IMPORT_TEXT_H
#define KT_STORAGE_IMPORT_TEXT_H

#include "base/diag.h"
#include "base/value.h"

enum { KT_IMPORT_LINE_MOST = 4 * 1024 * 1024 };

typedef struct KtTextFile KtTextFile;

typedef struct KtTextLine {
    KtText text;         /* without line end */
    uint64_t number;     /* from 1; of its first line */
    const char *problem; /* NULL: none */
} KtTextLine;

/* Errors: NOT_FOUND, IO, MEMORY. Ownership: the caller closes *out. */
KtStatus kt_text_open(const char *path, KtDiag *diag, KtTextFile **out) KT_MUST_CHECK;
void kt_text_close(KtTextFile *file); /* NULL is allowed */
/* *end is true behind the last line. Errors: IO (also a damaged gzip file). */
KtStatus kt_text_line(KtTextFile *file, KtDiag *diag, KtTextLine *out, bool *end) KT_MUST_CHECK;
/* The same by CSV records: line ends inside quoted fields belong to the record. */
KtStatus kt_text_record(KtTextFile *file, KtDiag *diag, KtTextLine *out, bool *end) KT_MUST_CHECK;

/* One field of a CSV record. */
typedef struct KtCsvField {
    KtText text;
    bool quoted;
} KtCsvField;
/* Takes the fields of `record` apart; texts with doubled quotes are in `arena`. Returns a reason, or NULL. More than
 * `cap` fields: *n is cap + 1. */
const char *kt_csv_fields(KtText record, KtArena *arena, KtCsvField *out, uint32_t cap,
                          uint32_t *n);

/* Lines that were not taken: written to <path>.rejects, which is made at the first of them. */
typedef struct KtRejects {
    char *path; /* of the rejects file */
    void *file;
    uint64_t n;
} KtRejects;
/* Removes what an earlier run left. Errors: MEMORY, IO. */
KtStatus kt_rejects_open(KtRejects *rejects, const char *path, KtDiag *diag) KT_MUST_CHECK;
KtStatus kt_rejects_put(KtRejects *rejects, const KtTextLine *line, const char *reason,
                        KtDiag *diag) KT_MUST_CHECK;
/* Errors: IO, when not all could be written. {0} is allowed. */
KtStatus kt_rejects_close(KtRejects *rejects, KtDiag *diag) KT_MUST_CHECK;

#endif
