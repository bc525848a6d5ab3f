/* storage/import_text.c - reading lines and CSV records, writing rejects. */
#include "storage/import_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

struct KtTextFile {
    gzFile file;
    char *path;
    char *data;
    size_t at, end; /* unread bytes are data[at, end) */
    bool begun, eof;
    uint64_t line; /* lines handed out */
};

KtStatus kt_text_open(const char *path, KtDiag *diag, KtTextFile **out)
{
    KtTextFile *file = calloc(1, sizeof *file);
    if (!file)
        return KT_ERR_MEMORY;
    file->path = strdup(path);
    file->data = malloc(KT_IMPORT_LINE_MOST);
    if (!file->path || !file->data) {
        kt_text_close(file);
        return KT_ERR_MEMORY;
    }
    errno = 0;
    file->file = gzopen(path, "rb");
    if (!file->file) {
        KtStatus status = errno == ENOENT ? KT_ERR_NOT_FOUND : errno ? KT_ERR_IO : KT_ERR_MEMORY;
        kt_diag_set(diag, status, NULL, "The file %s cannot be read: %s.", path,
                    strerror(errno ? errno : ENOMEM));
        kt_text_close(file);
        return status;
    }
    gzbuffer(file->file, 256 * 1024);
    *out = file;
    return KT_OK;
}

void kt_text_close(KtTextFile *file)
{
    if (!file)
        return;
    if (file->file)
        gzclose_r(file->file);
    free(file->path);
    free(file->data);
    free(file);
}

/* Moves what is unread to the front and reads on. */
static KtStatus fill(KtTextFile *file, KtDiag *diag)
{
    memmove(file->data, file->data + file->at, file->end - file->at);
    file->end -= file->at;
    file->at = 0;
    size_t room = KT_IMPORT_LINE_MOST - file->end;
    unsigned some = room < 1024 * 1024 ? (unsigned)room : 1024 * 1024;
    int got = gzread(file->file, file->data + file->end, some);
    int error = Z_OK;
    const char *words = gzerror(file->file, &error);
    if (got < 0 || (error != Z_OK && error != Z_STREAM_END))
        return kt_diag_set(diag, KT_ERR_IO, NULL, "The file %s cannot be read to its end: %s.",
                           file->path,
                           error == Z_ERRNO       ? strerror(errno)
                           : error == Z_BUF_ERROR ? "it is cut short"
                                                  : words);
    file->end += (size_t)got;
    file->eof = got == 0;
    if (!file->begun && file->end >= 3 && memcmp(file->data, "\xEF\xBB\xBF", 3) == 0)
        file->at = 3; /* a byte order mark, as some programs begin UTF-8 with */
    file->begun = true;
    return KT_OK;
}

/* Hands out data[at, at + len) and goes behind it and its line end (`skip` bytes). */
static void hand_out(KtTextFile *file, size_t len, size_t skip, uint64_t lines, KtTextLine *out)
{
    out->number = file->line + 1;
    out->text = (KtText){file->data + file->at, (uint32_t)len};
    if (len > 0 && file->data[file->at + len - 1] == '\r')
        out->text.len--;
    file->at += len + skip;
    file->line += lines;
}

/* The rest of a line that did not fit. The part handed out stays in place, so this reads into the room behind it. */
static KtStatus skip_line(KtTextFile *file, KtDiag *diag)
{
    for (;;) {
        char *at = file->data + file->at, *stop = memchr(at, '\n', file->end - file->at);
        if (stop) {
            file->at += (size_t)(stop - at) + 1;
            return KT_OK;
        }
        file->at = file->end;
        if (file->eof)
            return KT_OK;
        KT_TRY(fill(file, diag));
    }
}

enum { SHOWN = 1000 }; /* bytes of a line that is too long which go to the rejects */

static KtStatus too_long(KtTextFile *file, KtDiag *diag, KtTextLine *out)
{
    /* The beginning is kept where reading on does not reach: behind the buffer's use there is none, so copy. */
    static const char reason[] = "the line is too long";
    char begin[SHOWN];
    memcpy(begin, file->data + file->at, SHOWN);
    uint64_t number = file->line + 1;
    KT_TRY(skip_line(file, diag));
    file->line++;
    if (file->at < SHOWN) { /* make room in front of what is unread */
        if (file->end + SHOWN > KT_IMPORT_LINE_MOST)
            return kt_diag_set(diag, KT_ERR_INTERNAL, NULL, "A line of %s does not fit.",
                               file->path);
        memmove(file->data + file->at + SHOWN, file->data + file->at, file->end - file->at);
        file->at += SHOWN;
        file->end += SHOWN;
    }
    memcpy(file->data, begin, SHOWN);
    *out = (KtTextLine){.text = {file->data, SHOWN}, .number = number, .problem = reason};
    return KT_OK;
}

KtStatus kt_text_line(KtTextFile *file, KtDiag *diag, KtTextLine *out, bool *end)
{
    size_t looked = 0;
    *out = (KtTextLine){.problem = NULL};
    *end = false;
    for (;;) {
        const char *from = file->data + file->at;
        const char *stop = memchr(from + looked, '\n', file->end - file->at - looked);
        if (stop) {
            hand_out(file, (size_t)(stop - from), 1, 1, out);
            return KT_OK;
        }
        looked = file->end - file->at;
        if (file->eof) {
            *end = looked == 0;
            if (looked)
                hand_out(file, looked, 0, 1, out);
            return KT_OK;
        }
        if (looked >= KT_IMPORT_LINE_MOST - SHOWN)
            return too_long(file, diag, out);
        KT_TRY(fill(file, diag));
    }
}

/* ---- CSV ---- */

typedef enum CsvState { FIELD_START, IN_FIELD, IN_QUOTES, QUOTE_IN_QUOTES } CsvState;

static CsvState csv_step(CsvState state, char c)
{
    switch (state) {
    case FIELD_START:
    case IN_FIELD:
        return c == ',' ? FIELD_START : c == '"' && state == FIELD_START ? IN_QUOTES : IN_FIELD;
    case IN_QUOTES: return c == '"' ? QUOTE_IN_QUOTES : IN_QUOTES;
    case QUOTE_IN_QUOTES: return c == '"' ? IN_QUOTES : c == ',' ? FIELD_START : IN_FIELD;
    }
    return IN_FIELD;
}

KtStatus kt_text_record(KtTextFile *file, KtDiag *diag, KtTextLine *out, bool *end)
{
    size_t looked = 0;
    uint64_t lines = 1;
    CsvState state = FIELD_START;
    *out = (KtTextLine){.problem = NULL};
    *end = false;
    for (;;) {
        const char *from = file->data + file->at;
        for (size_t have = file->end - file->at; looked < have; looked++) {
            char c = from[looked];
            if (c == '\n' && state != IN_QUOTES) {
                hand_out(file, looked, 1, lines, out);
                return KT_OK;
            }
            lines += c == '\n';
            state = csv_step(state, c);
        }
        bool full = looked >= KT_IMPORT_LINE_MOST - SHOWN;
        if (file->eof && looked == 0) {
            *end = true;
            return KT_OK;
        }
        if ((file->eof || full) && state == IN_QUOTES) {
            /* The quote swallowed what follows: give up one line only. */
            KT_TRY(kt_text_line(file, diag, out, end));
            out->problem = "a quote is not closed";
            return KT_OK;
        }
        if (full)
            return too_long(file, diag, out);
        if (file->eof) {
            hand_out(file, looked, 0, lines, out);
            return KT_OK;
        }
        KT_TRY(fill(file, diag));
    }
}

/* The text of a quoted field, its doubled quotes made single; *at goes behind its closing quote. */
static const char *quoted_field(const char **at, const char *stop, KtArena *arena, KtText *out)
{
    const char *from = ++*at;
    uint32_t doubled = 0;
    for (;; ++*at) {
        if (*at == stop)
            return "a quote is not closed";
        if (**at != '"')
            continue;
        if (*at + 1 == stop || (*at)[1] != '"')
            break;
        doubled++;
        ++*at;
    }
    uint32_t len = (uint32_t)(*at - from);
    ++*at;
    *out = (KtText){from, len};
    if (!doubled)
        return NULL;
    char *text = kt_arena_alloc(arena, len);
    if (!text)
        return "there is not enough memory for it";
    uint32_t n = 0;
    for (uint32_t i = 0; i < len; i++) {
        text[n++] = from[i];
        if (from[i] == '"')
            i++;
    }
    *out = (KtText){text, n};
    return NULL;
}

const char *kt_csv_fields(KtText record, KtArena *arena, KtCsvField *out, uint32_t cap, uint32_t *n)
{
    const char *at = record.at, *stop = record.at + record.len;
    *n = 0;
    for (;;) {
        KtCsvField field = {.quoted = at < stop && *at == '"'};
        if (field.quoted) {
            const char *problem = quoted_field(&at, stop, arena, &field.text);
            if (problem)
                return problem;
            if (at < stop && *at != ',')
                return "there is text behind a closing quote";
        } else {
            const char *from = at;
            while (at < stop && *at != ',') {
                if (*at == '"')
                    return "there is a quote inside a field without quotes";
                at++;
            }
            field.text = (KtText){from, (uint32_t)(at - from)};
        }
        if (*n < cap)
            out[*n] = field;
        ++*n;
        if (at == stop || *n > cap)
            return NULL;
        at++;
    }
}

/* ---- rejects ---- */

KtStatus kt_rejects_open(KtRejects *rejects, const char *path, KtDiag *diag)
{
    size_t len = strlen(path) + sizeof ".rejects";
    *rejects = (KtRejects){.path = malloc(len)};
    if (!rejects->path)
        return KT_ERR_MEMORY;
    snprintf(rejects->path, len, "%s.rejects", path);
    if (unlink(rejects->path) != 0 && errno != ENOENT) {
        kt_diag_set(diag, KT_ERR_IO, NULL, "The old %s cannot be removed: %s.", rejects->path,
                    strerror(errno));
        free(rejects->path);
        *rejects = (KtRejects){0};
        return KT_ERR_IO;
    }
    return KT_OK;
}

KtStatus kt_rejects_put(KtRejects *rejects, const KtTextLine *line, const char *reason,
                        KtDiag *diag)
{
    if (!rejects->file) {
        rejects->file = fopen(rejects->path, "we");
        if (!rejects->file)
            return kt_diag_set(diag, KT_ERR_IO, NULL, "%s cannot be written: %s.", rejects->path,
                               strerror(errno));
    }
    rejects->n++;
    FILE *file = rejects->file;
    fprintf(file, "%llu\t%s\t", (unsigned long long)line->number, reason);
    for (uint32_t i = 0; i < line->text.len; i++) { /* a record over several lines stays on one */
        if (line->text.at[i] == '\n')
            fputs("\\n", file);
        else
            putc(line->text.at[i], file);
    }
    putc('\n', file);
    return KT_OK;
}

KtStatus kt_rejects_close(KtRejects *rejects, KtDiag *diag)
{
    KtStatus status = KT_OK;
    FILE *file = rejects->file;
    if (file) {
        bool failed = ferror(file) != 0;
        if (fclose(file) != 0 || failed)
            status = kt_diag_set(diag, KT_ERR_IO, NULL, "%s could not be written whole: %s.",
                                 rejects->path, strerror(errno));
    }
    free(rejects->path);
    rejects->path = NULL;
    rejects->file = NULL;
    return status;
}
