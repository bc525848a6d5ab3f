/* tools/kith/shell/print.c - results as a table, as CSV (RFC 4180) and as a JSON object a line.
 *
 * CSV and JSON go out row by row. A table holds the first rows back to learn its widths; later rows
 * keep them, so that a million rows need no more memory than a thousand. */
#include "tools/kith/shell/shell.h"

#include "base/utf8.h"

#include <stdlib.h>

enum { MEASURED_ROWS = 1000, MEASURED_BYTES = 1 << 20 };

typedef struct Cell {
    size_t at, len; /* in `held` */
    bool right;     /* numbers stand at the right */
} Cell;

struct KtPrinter {
    KtShellFormat format;
    FILE *out;
    uint32_t columns;
    uint64_t rows;
    KtBuf line;
    char **name; /* of each column */
    size_t *name_len;
    /* table */
    KtBuf held;
    KtBuf cells; /* Cell for each held value */
    size_t *width;
    bool measured;
};

static void flush(KtPrinter *p)
{
    (void)fwrite(p->line.data ? p->line.data : (const uint8_t *)"", 1, p->line.len, p->out);
    kt_buf_clear(&p->line);
}

/* ---- CSV ---- */

static void csv_field(KtBuf *out, const char *text, size_t len)
{
    bool quote = false;
    for (size_t i = 0; i < len && !quote; i++)
        quote = text[i] == '"' || text[i] == ',' || text[i] == '\n' || text[i] == '\r';
    if (!quote) {
        kt_buf_put(out, text, len);
        return;
    }
    kt_buf_u8(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            kt_buf_u8(out, '"');
        kt_buf_u8(out, (uint8_t)text[i]);
    }
    kt_buf_u8(out, '"');
}

static void csv_head(KtPrinter *p)
{
    for (uint32_t i = 0; i < p->columns; i++) {
        if (i)
            kt_buf_u8(&p->line, ',');
        csv_field(&p->line, p->name[i], p->name_len[i]);
    }
    kt_buf_put(&p->line, "\r\n", 2);
    flush(p);
}

/* Null is an empty field, an empty string "". */
static void csv_row(KtPrinter *p, const kith_result *r)
{
    KtBuf text = {0};
    for (uint32_t i = 0; i < p->columns; i++) {
        const kith_value *v = kith_get(r, i);
        if (i)
            kt_buf_u8(&p->line, ',');
        if (kith_kind_of(v) == KITH_NULL)
            continue;
        kt_buf_clear(&text);
        kt_shell_text(&text, v);
        if (text.len == 0)
            kt_buf_put(&p->line, "\"\"", 2);
        else
            csv_field(&p->line, (const char *)text.data, text.len);
    }
    kt_buf_close(&text);
    kt_buf_put(&p->line, "\r\n", 2);
    flush(p);
}

/* ---- JSON lines ---- */

static void json_name(KtBuf *out, const char *text, size_t len)
{
    kt_buf_u8(out, '"');
    for (size_t i = 0; i < len; i++) {
        char escape[8];
        if (text[i] == '"' || text[i] == '\\')
            kt_buf_u8(out, '\\');
        if ((uint8_t)text[i] < 0x20) {
            int n = snprintf(escape, sizeof escape, "\\u%04x", (unsigned)text[i]);
            kt_buf_put(out, escape, (size_t)n);
        } else {
            kt_buf_u8(out, (uint8_t)text[i]);
        }
    }
    kt_buf_u8(out, '"');
}

static void json_row(KtPrinter *p, const kith_result *r)
{
    kt_buf_u8(&p->line, '{');
    for (uint32_t i = 0; i < p->columns; i++) {
        if (i)
            kt_buf_u8(&p->line, ',');
        json_name(&p->line, p->name[i], p->name_len[i]);
        kt_buf_u8(&p->line, ':');
        kt_shell_json(&p->line, kith_get(r, i));
    }
    kt_buf_put(&p->line, "}\n", 2);
    flush(p);
}

/* ---- table ---- */

static void pad(KtBuf *out, size_t n, char c)
{
    while (n-- > 0)
        kt_buf_u8(out, (uint8_t)c);
}

static void put_cell(KtPrinter *p, uint32_t column, const char *text, size_t len, bool right)
{
    size_t have = kt_shell_width(text, len), want = p->width[column];
    size_t more = have < want ? want - have : 0;
    bool last = column + 1 == p->columns;
    kt_buf_put(&p->line, column ? " | " : " ", column ? 3 : 1);
    if (right)
        pad(&p->line, more, ' ');
    kt_buf_put(&p->line, text, len);
    if (!right && !last)
        pad(&p->line, more, ' ');
    if (last)
        kt_buf_u8(&p->line, '\n');
}

/* Control characters would break the lines of a table, or steer the terminal. */
static void table_text(KtBuf *out, const kith_value *v)
{
    KtBuf text = {0};
    kt_shell_text(&text, v);
    kt_say_put(out, (const char *)text.data, text.len);
    out->failed = out->failed || text.failed;
    kt_buf_close(&text);
}

static bool is_number(const kith_value *v)
{
    return kith_kind_of(v) == KITH_INT || kith_kind_of(v) == KITH_FLOAT;
}

static void table_head(KtPrinter *p)
{
    for (uint32_t i = 0; i < p->columns; i++)
        put_cell(p, i, p->name[i], p->name_len[i], false);
    for (uint32_t i = 0; i < p->columns; i++) {
        if (i)
            kt_buf_u8(&p->line, '+');
        pad(&p->line, p->width[i] + 2, '-');
    }
    kt_buf_u8(&p->line, '\n');
    flush(p);
}

static void table_release(KtPrinter *p)
{
    const Cell *cell = (const Cell *)(const void *)p->cells.data;
    size_t n = p->cells.len / sizeof(Cell);
    p->measured = true;
    for (size_t i = 0; i < n; i++) {
        size_t width = kt_shell_width((const char *)p->held.data + cell[i].at, cell[i].len);
        if (width > p->width[i % p->columns])
            p->width[i % p->columns] = width;
    }
    table_head(p);
    for (size_t i = 0; i < n; i++) {
        put_cell(p, (uint32_t)(i % p->columns), (const char *)p->held.data + cell[i].at,
                 cell[i].len, cell[i].right);
        if (i % p->columns == p->columns - 1)
            flush(p);
    }
    kt_buf_close(&p->held);
    kt_buf_close(&p->cells);
}

static void table_row(KtPrinter *p, const kith_result *r)
{
    for (uint32_t i = 0; i < p->columns; i++) {
        const kith_value *v = kith_get(r, i);
        Cell cell = {.at = p->held.len, .right = is_number(v)};
        table_text(&p->held, v);
        cell.len = p->held.len - cell.at;
        if (p->measured)
            put_cell(p, i, (const char *)p->held.data + cell.at, cell.len, cell.right);
        else
            kt_buf_put(&p->cells, &cell, sizeof cell);
    }
    if (p->measured) {
        kt_buf_clear(&p->held);
        flush(p);
    } else if (p->rows + 1 >= MEASURED_ROWS || p->held.len >= MEASURED_BYTES) {
        table_release(p);
    }
}

/* ---- all three ---- */

static void printer_free(KtPrinter *p)
{
    for (uint32_t i = 0; p->name && i < p->columns; i++)
        free(p->name[i]);
    free(p->name);
    free(p->name_len);
    free(p->width);
    kt_buf_close(&p->line);
    kt_buf_close(&p->held);
    kt_buf_close(&p->cells);
    free(p);
}

/* A name of a column, of name_len bytes: as it is for a program, escaped for a person. */
static bool take_name(KtPrinter *p, uint32_t column, const char *name)
{
    KtBuf text = {0};
    if (p->format == KT_SHELL_TABLE)
        kt_say_put(&text, name, p->name_len[column]);
    else
        kt_buf_put(&text, name, p->name_len[column]);
    kt_buf_u8(&text, 0);
    if (text.failed) {
        kt_buf_close(&text);
        return false;
    }
    p->name[column] = (char *)text.data;
    p->name_len[column] = text.len - 1;
    return true;
}

KtPrinter *kt_printer_open(KtShellFormat format, FILE *out, const kith_result *result)
{
    KtPrinter *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->format = format;
    p->out = out;
    p->columns = kith_columns(result);
    size_t n = p->columns ? p->columns : 1;
    p->name = calloc(n, sizeof *p->name);
    p->name_len = calloc(n, sizeof *p->name_len);
    p->width = calloc(n, sizeof *p->width);
    bool good = p->name && p->name_len && p->width;
    for (uint32_t i = 0; good && i < p->columns; i++) {
        const char *name = kith_column_name(result, i, &p->name_len[i]);
        good = take_name(p, i, name);
        if (good)
            p->width[i] = kt_shell_width(p->name[i], p->name_len[i]);
    }
    if (!good) {
        printer_free(p);
        return NULL;
    }
    if (format == KT_SHELL_CSV && p->columns > 0)
        csv_head(p);
    return p;
}

bool kt_printer_row(KtPrinter *p, const kith_result *r)
{
    if (p->format == KT_SHELL_CSV)
        csv_row(p, r);
    else if (p->format == KT_SHELL_JSONL)
        json_row(p, r);
    else
        table_row(p, r);
    p->rows++;
    return !p->line.failed && !p->held.failed && !p->cells.failed;
}

bool kt_printer_close(KtPrinter *p, uint64_t *rows)
{
    if (p->format == KT_SHELL_TABLE && p->columns > 0 && !p->measured)
        table_release(p);
    bool good = !p->line.failed;
    *rows = p->rows;
    printer_free(p);
    return good;
}
