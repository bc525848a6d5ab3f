/* tests/tck/feature.c - the Gherkin reader. */
#include "tests/tck/feature.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
    if (!p) {
        (void)fprintf(stderr, "tck: out of memory\n");
        exit(3);
    }
    return p;
}

typedef struct Lines {
    char **at;
    uint32_t n;
} Lines;

static char *trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    size_t n = strlen(s);
    while (n && isspace((unsigned char)s[n - 1]))
        s[--n] = 0;
    return s;
}

static bool starts(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

static bool read_lines(KtArena *arena, const char *path, Lines *out)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    KtBuf buf = {0};
    char block[8192];
    size_t n;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        kt_buf_put(&buf, block, n);
    (void)fclose(f);
    char *text = must(kt_arena_text(arena, (const char *)buf.data, buf.len));
    kt_buf_close(&buf);
    uint32_t count = 1;
    for (char *c = text; *c; c++)
        count += *c == '\n';
    out->at = must(kt_arena_alloc(arena, (count + 1) * sizeof *out->at));
    out->n = 0;
    for (char *c = text; c;) {
        char *end = strchr(c, '\n');
        if (end)
            *end = 0;
        out->at[out->n++] = c;
        c = end ? end + 1 : NULL;
    }
    return true;
}

/* `| a | b |` to cells. \| stands for a bar inside a cell and \\ for a backslash; other backslashes belong to the
 * values. */
static uint32_t split_row(KtArena *arena, const char *line, const char **cell, uint32_t most)
{
    uint32_t n = 0;
    const char *c = line;
    while (*c && *c != '|')
        c++;
    while (*c == '|' && n < most) {
        c++;
        char *out = must(kt_arena_alloc(arena, strlen(c) + 1));
        size_t len = 0;
        while (*c && *c != '|') {
            if (c[0] == '\\' && (c[1] == '|' || c[1] == '\\'))
                c++;
            out[len++] = *c++;
        }
        if (!*c)
            break; /* behind the last bar */
        out[len] = 0;
        cell[n++] = trim(out);
    }
    return n;
}

static void read_table(KtArena *arena, const Lines *lines, uint32_t *at, Table *out)
{
    enum { MOST_COLS = 64 };
    const char *cell[MOST_COLS];
    uint32_t from = *at, rows = 0, cols = 0;
    for (uint32_t i = from; i < lines->n; i++) {
        char *line = lines->at[i];
        while (isspace((unsigned char)*line))
            line++;
        if (*line == '#')
            continue;
        if (*line != '|')
            break;
        rows++;
        *at = i + 1;
    }
    out->rows = 0;
    out->cols = 0;
    for (uint32_t i = from; i < *at; i++) {
        char *line = lines->at[i];
        while (isspace((unsigned char)*line))
            line++;
        if (*line != '|')
            continue;
        uint32_t n = split_row(arena, line, cell, MOST_COLS);
        if (out->rows == 0) {
            cols = n;
            out->cols = n;
            out->cell = must(kt_arena_alloc(arena, ((size_t)rows * cols + 1) * sizeof *out->cell));
        }
        for (uint32_t c = 0; c < cols; c++)
            out->cell[out->rows * cols + c] = c < n ? cell[c] : "";
        out->rows++;
    }
}

static const char *read_doc(KtArena *arena, const Lines *lines, uint32_t *at)
{
    uint32_t i = *at;
    size_t indent = strspn(lines->at[i], " \t");
    KtBuf doc = {0};
    for (i++; i < lines->n; i++) {
        char *line = lines->at[i];
        size_t own = strspn(line, " \t");
        if (starts(line + own, "\"\"\""))
            break;
        kt_buf_put(&doc, line + (own < indent ? own : indent),
                   strlen(line) - (own < indent ? own : indent));
        kt_buf_u8(&doc, '\n');
    }
    *at = i + 1;
    if (doc.len)
        doc.len--;
    const char *text = must(kt_arena_text(arena, (const char *)doc.data, doc.len));
    kt_buf_close(&doc);
    return text;
}

/* Replaces each <name> by the example's cell. */
static const char *fill(KtArena *arena, const char *text, const Table *examples, uint32_t row)
{
    if (!text || !examples)
        return text;
    KtBuf out = {0};
    for (const char *c = text; *c;) {
        bool replaced = false;
        for (uint32_t k = 0; *c == '<' && k < examples->cols; k++) {
            const char *name = examples->cell[k];
            size_t n = strlen(name);
            if (strncmp(c + 1, name, n) == 0 && c[1 + n] == '>') {
                const char *value = examples->cell[row * examples->cols + k];
                kt_buf_put(&out, value, strlen(value));
                c += n + 2;
                replaced = true;
                break;
            }
        }
        if (!replaced)
            kt_buf_u8(&out, (uint8_t)*c++);
    }
    const char *copy = must(kt_arena_text(arena, (const char *)out.data, out.len));
    kt_buf_close(&out);
    return copy;
}

static void add_scenario(KtArena *arena, Scenarios *out, const Scenario *from,
                         const Table *examples, uint32_t row)
{
    if (kt_arena_grow(arena, (void **)&out->at, out->n, &out->cap, sizeof *out->at) != KT_OK)
        must(NULL);
    Scenario *s = &out->at[out->n++];
    *s = *from;
    s->step = must(kt_arena_alloc(arena, (from->steps + 1) * sizeof *s->step));
    for (uint32_t i = 0; i < from->steps; i++) {
        const Step *step = &from->step[i];
        Step *to = &s->step[i];
        *to = *step;
        to->text = fill(arena, step->text, examples, row);
        to->doc = fill(arena, step->doc, examples, row);
        uint32_t cells = step->table.rows * step->table.cols;
        if (examples && cells) {
            to->table.cell = must(kt_arena_alloc(arena, cells * sizeof *to->table.cell));
            for (uint32_t c = 0; c < cells; c++)
                to->table.cell[c] = fill(arena, step->table.cell[c], examples, row);
        }
    }
    if (examples) {
        char name[512];
        (void)snprintf(name, sizeof name, "%s (example %u)", from->name, row);
        s->name = must(kt_arena_text(arena, name, strlen(name)));
    }
}

typedef struct Reading {
    Scenario now;
    uint32_t cap;
    bool open, outline;
    Step background[16];
    uint32_t backgrounds;
    bool in_background;
} Reading;

static void add_step(KtArena *arena, Reading *r, const Step *step)
{
    if (r->in_background) {
        if (r->backgrounds < KT_COUNT(r->background))
            r->background[r->backgrounds++] = *step;
        return;
    }
    if (kt_arena_grow(arena, (void **)&r->now.step, r->now.steps, &r->cap, sizeof *step) != KT_OK)
        must(NULL);
    r->now.step[r->now.steps++] = *step;
}

static void begin_scenario(KtArena *arena, Reading *r, const char *path, const char *name,
                           uint32_t line)
{
    r->now = (Scenario){.file = path, .name = name, .line = line};
    r->cap = 0;
    r->open = true;
    r->in_background = false;
    for (uint32_t i = 0; i < r->backgrounds; i++)
        add_step(arena, r, &r->background[i]);
}

static void end_scenario(KtArena *arena, Reading *r, Scenarios *out)
{
    if (r->open && !r->outline)
        add_scenario(arena, out, &r->now, NULL, 0);
    r->open = false;
}

bool feature_read(KtArena *arena, const char *path, Scenarios *out)
{
    Lines lines;
    if (!read_lines(arena, path, &lines)) {
        (void)fprintf(stderr, "tck: cannot read %s\n", path);
        return false;
    }
    static const char *const words[] = {"Given ", "When ", "Then ", "And ", "But "};
    Reading r = {0};
    bool feature = false;
    for (uint32_t i = 0; i < lines.n;) {
        char *line = trim(lines.at[i]);
        uint32_t number = ++i;
        if (!*line || *line == '#' || *line == '@')
            continue;
        if (starts(line, "Feature:")) {
            feature = true;
        } else if (starts(line, "Background:")) {
            r.in_background = true;
        } else if (starts(line, "Scenario:") || starts(line, "Scenario Outline:")) {
            end_scenario(arena, &r, out);
            r.outline = starts(line, "Scenario Outline:");
            begin_scenario(arena, &r, path, trim(strchr(line, ':') + 1), number);
        } else if (starts(line, "Examples:")) {
            Table examples = {0};
            while (i < lines.n && trim(lines.at[i])[0] != '|')
                i++;
            read_table(arena, &lines, &i, &examples);
            for (uint32_t row = 1; row < examples.rows; row++)
                add_scenario(arena, out, &r.now, &examples, row);
        } else {
            Step step = {.line = number};
            for (size_t w = 0; w < KT_COUNT(words); w++) {
                if (starts(line, words[w]))
                    step.text = trim(line + strlen(words[w]));
            }
            if (!step.text)
                continue; /* prose below a heading */
            if (i < lines.n && starts(lines.at[i] + strspn(lines.at[i], " \t"), "\"\"\""))
                step.doc = read_doc(arena, &lines, &i);
            else if (i < lines.n && lines.at[i][strspn(lines.at[i], " \t")] == '|')
                read_table(arena, &lines, &i, &step.table);
            add_step(arena, &r, &step);
        }
    }
    end_scenario(arena, &r, out);
    if (!feature)
        (void)fprintf(stderr, "tck: %s has no Feature: line\n", path);
    return feature;
}
