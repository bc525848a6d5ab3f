/* storage/import_graph.c - from text files to sorted arrays.
 *
 * Numbers get provisional ids as they are first seen; when all are known, ids are handed out by rank, and two counting
 * sorts put the edges in order: no comparison sort over edges. */
#include "storage/import_graph.h"

#include "base/utf8.h"
#include "base/value_text.h"
#include "storage/import_numbers.h"
#include "storage/import_text.h"
#include "storage/record.h"

#include <stdlib.h>

enum { MOST_COLUMNS = 1000, TELL_EVERY = 1 << 18 };

/* ---- reading ---- */

typedef struct Reading {
    const KtImportSpec *spec;
    KtDiag *diag;
    KtImportGraph *graph;
    KtImportNumbers numbers;
    const KtImportRecord **record; /* by provisional id */
    uint32_t record_cap;
    uint32_t edge_cap;
    KtArena *scratch;
} Reading;

static void tell(const Reading *r, const char *phase, uint64_t done)
{
    if (r->spec->progress)
        r->spec->progress(r->spec->user, phase, done, 0);
}

static KtStatus add_key(KtImportGraph *graph, KtText name, KtToken *out)
{
    for (uint32_t i = 0; i < graph->keys; i++) {
        if (kt_text_eq(graph->key[i], name)) {
            *out = i + 1;
            return KT_OK;
        }
    }
    char *text = kt_arena_text(graph->arena, name.at, name.len);
    if (!text)
        return KT_ERR_MEMORY;
    graph->key[graph->keys++] = (KtText){text, name.len};
    *out = graph->keys;
    return KT_OK;
}

/* ---- the nodes file ---- */

typedef struct Column {
    KtToken key;
    KtKind kind;
} Column;

typedef struct Heading {
    Column column[MOST_COLUMNS];
    uint32_t n;
} Heading;

static KtStatus bad_heading(const Reading *r, const char *before, KtText what, const char *after)
{
    KtStatus status = kt_diag_set(r->diag, KT_ERR_INVALID_VALUE, NULL,
                                  "The heading of %s is not understood: %s%.*s%s.", r->spec->nodes,
                                  before, (int)(what.len > 60 ? 60 : what.len), what.at, after);
    kt_diag_hint(r->diag,
                 "Write it as id,name:type,... with the types integer, float, boolean and string.");
    return status;
}

static bool kind_of(KtText type, KtKind *out)
{
    static const struct {
        const char *name;
        KtKind kind;
    } kinds[] = {
        {"integer", KT_INT}, {"float", KT_FLOAT}, {"boolean", KT_BOOL}, {"string", KT_TEXT}};
    for (size_t i = 0; i < KT_COUNT(kinds); i++) {
        if (kt_text_eq(type, (KtText){kinds[i].name, (uint32_t)strlen(kinds[i].name)})) {
            *out = kinds[i].kind;
            return true;
        }
    }
    return false;
}

static KtStatus heading_column(Reading *r, KtText text, Heading *heading)
{
    const char *colon = memrchr(text.at, ':', text.len);
    KtText name = {text.at, colon ? (uint32_t)(colon - text.at) : text.len};
    KtText type =
        colon ? (KtText){colon + 1, (uint32_t)(text.at + text.len - colon - 1)} : (KtText){"", 0};
    Column column = {.kind = KT_INT};
    if (heading->n == 0) {
        if (!kt_text_eq(name, KT_TEXT_LITERAL("id")) ||
            (colon && !kt_text_eq(type, KT_TEXT_LITERAL("integer"))))
            return bad_heading(r, "its first column is \"", text, "\", not id");
    } else if (name.len == 0 || !colon) {
        return bad_heading(r, "\"", text, "\" is not name:type");
    } else if (!kind_of(type, &column.kind)) {
        return bad_heading(r, "there is no type \"", type, "\"");
    } else if (!kt_utf8_valid(name.at, name.len)) {
        return bad_heading(r, "the name \"", name, "\" is no UTF-8");
    }
    KT_TRY(add_key(r->graph, name, &column.key));
    if (column.key != heading->n + 1)
        return bad_heading(r, "the column \"", name, "\" stands there twice");
    heading->column[heading->n++] = column;
    return KT_OK;
}

static KtStatus read_heading(Reading *r, KtTextFile *file, Heading *heading)
{
    KtTextLine line;
    bool end;
    KT_TRY(kt_text_record(file, r->diag, &line, &end));
    if (end)
        return bad_heading(r, "the file is empty", (KtText){"", 0}, "");
    if (line.text.len >= 3 && memcmp(line.text.at, "\xEF\xBB\xBF", 3) == 0)
        line.text = (KtText){line.text.at + 3, line.text.len - 3};
    KtCsvField field[MOST_COLUMNS];
    uint32_t n = 0;
    const char *problem =
        line.problem ? line.problem : kt_csv_fields(line.text, r->scratch, field, MOST_COLUMNS, &n);
    if (problem)
        return bad_heading(r, problem, (KtText){"", 0}, "");
    if (n > MOST_COLUMNS)
        return bad_heading(r, "it has more than 1,000 columns", (KtText){"", 0}, "");
    for (uint32_t i = 0; i < n; i++)
        KT_TRY(heading_column(r, field[i].text, heading));
    return KT_OK;
}

/* The value of a field, or a reason. */
static const char *field_value(KtKind kind, KtText text, KtValue *out)
{
    if (kind == KT_INT) {
        int64_t i;
        if (!kt_int_parse(text, &i))
            return "a field is no integer of 64 bits";
        *out = kt_int(i);
    } else if (kind == KT_FLOAT) {
        double f;
        if (!kt_float_parse(text, &f))
            return "a field is no float";
        *out = kt_float(f);
    } else if (kind == KT_BOOL) {
        bool yes = kt_text_eq(text, KT_TEXT_LITERAL("true"));
        if (!yes && !kt_text_eq(text, KT_TEXT_LITERAL("false")))
            return "a field is neither true nor false";
        *out = kt_bool(yes);
    } else {
        if (!kt_utf8_valid(text.at, text.len))
            return "a field is no UTF-8";
        *out = kt_text(text.at, text.len);
    }
    return NULL;
}

typedef struct SpillTo {
    KtArena *arena;
    KtImportSpill **end;
} SpillTo;

static KtStatus keep_spill(void *user, KtToken key, KtSpan bytes)
{
    SpillTo *to = user;
    KtImportSpill *spill = kt_arena_alloc(to->arena, sizeof *spill);
    uint8_t *copy = kt_arena_alloc(to->arena, bytes.len);
    if (!spill || !copy)
        return KT_ERR_MEMORY;
    memcpy(copy, bytes.at, bytes.len);
    *spill = (KtImportSpill){.key = key, .bytes = kt_span(copy, bytes.len)};
    *to->end = spill;
    to->end = &spill->next;
    return KT_OK;
}

static KtStatus keep_record(Reading *r, const KtProp *prop, uint32_t props, KtBuf *buf)
{
    KtImportGraph *graph = r->graph;
    if (r->numbers.n > r->record_cap) {
        const KtImportRecord **grown = realloc(r->record, (size_t)r->numbers.cap * sizeof *grown);
        if (!grown)
            return KT_ERR_MEMORY;
        r->record = grown;
        r->record_cap = r->numbers.cap;
    }
    KtImportRecord *record = kt_arena_zero(graph->arena, 1, sizeof *record);
    if (!record)
        return KT_ERR_MEMORY;
    SpillTo to = {graph->arena, &record->spill};
    KtRecordSpill spill = {keep_spill, &to};
    KtToken label = KT_IMPORT_LABEL;
    kt_buf_clear(buf);
    KT_TRY(kt_record_encode(buf, &label, 1, prop, props, &spill));
    uint8_t *copy = kt_arena_alloc(graph->arena, buf->len);
    if (!copy)
        return KT_ERR_MEMORY;
    memcpy(copy, buf->data, buf->len);
    record->bytes = kt_span(copy, buf->len);
    r->record[r->numbers.n - 1] = record;
    return KT_OK;
}

/* One row: a node, or a reason. */
static KtStatus read_node(Reading *r, const Heading *heading, const KtTextLine *line, KtBuf *buf,
                          const char **reason)
{
    KtCsvField field[MOST_COLUMNS];
    KtProp prop[MOST_COLUMNS];
    uint32_t n = 0, props = 0, id;
    kt_arena_reset(r->scratch);
    *reason = line->problem ? line->problem
                            : kt_csv_fields(line->text, r->scratch, field, heading->n, &n);
    if (*reason)
        return KT_OK;
    if (n != heading->n) {
        *reason = n < heading->n ? "there are fewer fields than in the heading"
                                 : "there are more fields than in the heading";
        return KT_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0 && field[i].text.len == 0 && !field[i].quoted)
            continue;
        prop[props].key = heading->column[i].key;
        *reason = field_value(heading->column[i].kind, field[i].text, &prop[props].value);
        if (*reason)
            return KT_OK;
        props++;
    }
    int64_t number = prop[0].value.as.i;
    if (kt_import_number_find(&r->numbers, number, &id)) {
        *reason = "a node with this id came before";
        return KT_OK;
    }
    KT_TRY(kt_import_number_add(&r->numbers, number, r->diag, &id));
    return keep_record(r, prop, props, buf);
}

static KtStatus read_node_rows(Reading *r, KtTextFile *file, KtRejects *rejects, Heading *heading,
                               KtBuf *buf)
{
    KT_TRY(read_heading(r, file, heading));
    for (;;) {
        KtTextLine line;
        bool end;
        const char *reason = NULL;
        KT_TRY(kt_text_record(file, r->diag, &line, &end));
        if (end)
            return KT_OK;
        if (line.text.len == 0 && !line.problem)
            continue;
        KT_TRY(read_node(r, heading, &line, buf, &reason));
        if (reason)
            KT_TRY(kt_rejects_put(rejects, &line, reason, r->diag));
        if (line.number % TELL_EVERY == 0)
            tell(r, "reading nodes", line.number);
    }
}

static KtStatus close_rejects(Reading *r, KtRejects *rejects, KtStatus status)
{
    r->graph->rejects += rejects->n;
    KtStatus closed = kt_rejects_close(rejects, r->diag);
    return status != KT_OK ? status : closed;
}

static KtStatus read_nodes(Reading *r)
{
    KtTextFile *file;
    KtRejects rejects;
    KtBuf buf = {0};
    KT_TRY(kt_text_open(r->spec->nodes, r->diag, &file));
    KtStatus status = kt_rejects_open(&rejects, r->spec->nodes, r->diag);
    Heading *heading = calloc(1, sizeof *heading);
    if (status == KT_OK)
        status = heading ? read_node_rows(r, file, &rejects, heading, &buf) : KT_ERR_MEMORY;
    free(heading);
    kt_buf_close(&buf);
    kt_text_close(file);
    return close_rejects(r, &rejects, status);
}

/* ---- the edges file ---- */

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

static bool next_word(KtText *rest, KtText *out)
{
    while (rest->len && blank(rest->at[0])) {
        rest->at++;
        rest->len--;
    }
    *out = (KtText){rest->at, 0};
    while (rest->len && !blank(rest->at[0])) {
        rest->at++;
        rest->len--;
        out->len++;
    }
    return out->len > 0;
}

static KtStatus edge_room(Reading *r)
{
    KtImportGraph *graph = r->graph;
    if (graph->edges < r->edge_cap)
        return KT_OK;
    if (graph->edges >= KT_IMPORT_EDGES_MOST) {
        kt_diag_set(r->diag, KT_ERR_LIST_TOO_LONG, NULL,
                    "%s has more than %u edges, the most that one import takes.", r->spec->edges,
                    KT_IMPORT_EDGES_MOST);
        kt_diag_hint(r->diag, "Import a part of it, and add the rest by queries.");
        return KT_ERR_LIST_TOO_LONG;
    }
    uint32_t cap = r->edge_cap ? r->edge_cap * 2 : 1 << 16;
    if (cap > KT_IMPORT_EDGES_MOST)
        cap = KT_IMPORT_EDGES_MOST;
    uint32_t *start = realloc(graph->start, (size_t)cap * sizeof *start);
    if (start)
        graph->start = start;
    uint32_t *end = realloc(graph->end, (size_t)cap * sizeof *end);
    if (end)
        graph->end = end;
    uint64_t *weight =
        r->spec->weight ? realloc(graph->weight, (size_t)cap * sizeof *weight) : NULL;
    if (weight)
        graph->weight = weight;
    if (!start || !end || (r->spec->weight && !weight))
        return KT_ERR_MEMORY;
    r->edge_cap = cap;
    return KT_OK;
}

/* The first weight that is no integer makes floats of all before it. */
static const char *read_weight(KtImportGraph *graph, KtText word, uint64_t *out)
{
    int64_t i;
    double f;
    if (!graph->weight_float && kt_int_parse(word, &i)) {
        *out = (uint64_t)i;
        return NULL;
    }
    if (!kt_float_parse(word, &f))
        return "the third column is no number";
    if (!graph->weight_float) {
        for (uint32_t k = 0; k < graph->edges; k++) {
            double old = (double)(int64_t)graph->weight[k];
            memcpy(&graph->weight[k], &old, sizeof old);
        }
        graph->weight_float = true;
    }
    memcpy(out, &f, sizeof f);
    return NULL;
}

static KtStatus read_edge(Reading *r, KtText text, const char **reason)
{
    KtImportGraph *graph = r->graph;
    bool weighted = r->spec->weight != NULL;
    KtText word[3], more, rest = text;
    uint32_t words = 0, end[2];
    int64_t number[2];
    while (words < (weighted ? 3u : 2u) && next_word(&rest, &word[words]))
        words++;
    if (words < 2) {
        *reason = "there are fewer than two columns";
        return KT_OK;
    }
    if (weighted && words < 3) {
        *reason = "there is no third column";
        return KT_OK;
    }
    if (next_word(&rest, &more)) {
        *reason = weighted ? "there are more than three columns"
                           : "there is a third column, and --weight does not name it";
        return KT_OK;
    }
    for (int i = 0; i < 2; i++) {
        if (!kt_int_parse(word[i], &number[i])) {
            *reason = i ? "the second column is no integer of 64 bits"
                        : "the first column is no integer of 64 bits";
            return KT_OK;
        }
    }
    for (int i = 0; i < 2; i++) {
        if (r->spec->nodes && !kt_import_number_find(&r->numbers, number[i], &end[i])) {
            *reason =
                i ? "the nodes file lacks the second node" : "the nodes file lacks the first node";
            return KT_OK;
        }
    }
    KT_TRY(edge_room(r));
    if (weighted) {
        *reason = read_weight(graph, word[2], &graph->weight[graph->edges]);
        if (*reason)
            return KT_OK;
    }
    for (int i = 0; i < 2; i++)
        if (!r->spec->nodes && !kt_import_number_find(&r->numbers, number[i], &end[i]))
            KT_TRY(kt_import_number_add(&r->numbers, number[i], r->diag, &end[i]));
    graph->start[graph->edges] = end[0];
    graph->end[graph->edges] = end[1];
    graph->edges++;
    return KT_OK;
}

static KtStatus read_edge_lines(Reading *r, KtTextFile *file, KtRejects *rejects)
{
    for (;;) {
        KtTextLine line;
        bool end;
        KT_TRY(kt_text_line(file, r->diag, &line, &end));
        if (end)
            return KT_OK;
        uint32_t first = 0;
        while (first < line.text.len && blank(line.text.at[first]))
            first++;
        const char *reason = line.problem;
        if (!reason) {
            if (first == line.text.len || line.text.at[first] == '#' || line.text.at[first] == '%')
                continue;
            KT_TRY(read_edge(r, line.text, &reason));
        }
        if (reason)
            KT_TRY(kt_rejects_put(rejects, &line, reason, r->diag));
        if (line.number % TELL_EVERY == 0)
            tell(r, "reading edges", line.number);
    }
}

static KtStatus read_edges(Reading *r)
{
    KtTextFile *file;
    KtRejects rejects;
    KT_TRY(kt_text_open(r->spec->edges, r->diag, &file));
    KtStatus status = kt_rejects_open(&rejects, r->spec->edges, r->diag);
    if (status == KT_OK)
        status = read_edge_lines(r, file, &rejects);
    kt_text_close(file);
    return close_rejects(r, &rejects, status);
}

/* ---- ranks and order ---- */

typedef struct Ranked {
    int64_t number;
    uint32_t id;
} Ranked;

static int by_number(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* Final ids in ascending order of the numbers. */
static KtStatus rank_nodes(Reading *r)
{
    KtImportGraph *graph = r->graph;
    uint32_t n = r->numbers.n;
    Ranked *ranked = malloc(((size_t)n + 1) * sizeof *ranked);
    uint32_t *rank = malloc(((size_t)n + 1) * sizeof *rank);
    graph->number = malloc(((size_t)n + 1) * sizeof *graph->number);
    if (r->spec->nodes)
        graph->record = malloc(((size_t)n + 1) * sizeof *graph->record);
    KtStatus status = ranked && rank && graph->number && (!r->spec->nodes || graph->record)
                          ? KT_OK
                          : KT_ERR_MEMORY;
    if (status == KT_OK) {
        for (uint32_t i = 0; i < n; i++)
            ranked[i] = (Ranked){r->numbers.number[i], i};
        qsort(ranked, n, sizeof *ranked, by_number);
        for (uint32_t i = 0; i < n; i++) {
            graph->number[i] = ranked[i].number;
            rank[ranked[i].id] = i;
            if (graph->record)
                graph->record[i] = r->record[ranked[i].id];
        }
        for (uint32_t i = 0; i < graph->edges; i++) {
            graph->start[i] = rank[graph->start[i]];
            graph->end[i] = rank[graph->end[i]];
        }
        graph->nodes = n;
    }
    free(ranked);
    free(rank);
    return status;
}

/* Stable counting sort: out[] lists from[] (NULL: 0, 1, 2...) in order of key[from[i]]. at[0..nodes] becomes where each
 * key's run begins. */
static void sort_by(const uint32_t *key, const uint32_t *from, uint32_t n, uint32_t nodes,
                    uint32_t *at, uint32_t *out)
{
    memset(at, 0, ((size_t)nodes + 1) * sizeof *at);
    for (uint32_t i = 0; i < n; i++)
        at[key[i] + 1]++;
    for (uint32_t i = 0; i < nodes; i++)
        at[i + 1] += at[i];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t edge = from ? from[i] : i;
        out[at[key[edge]]++] = edge;
    }
    memmove(at + 1, at,
            (size_t)nodes *
                sizeof *at); /* each place went to its run's end: the next one's beginning */
    at[0] = 0;
}

/* `array` in the order `order`, into new memory. */
static bool reorder32(uint32_t **array, const uint32_t *order, uint32_t n)
{
    uint32_t *made = malloc(((size_t)n + 1) * sizeof *made);
    if (!made)
        return false;
    for (uint32_t i = 0; i < n; i++)
        made[i] = (*array)[order[i]];
    free(*array);
    *array = made;
    return true;
}

static bool reorder64(uint64_t **array, const uint32_t *order, uint32_t n)
{
    uint64_t *made = malloc(((size_t)n + 1) * sizeof *made);
    if (!made)
        return false;
    for (uint32_t i = 0; i < n; i++)
        made[i] = (*array)[order[i]];
    free(*array);
    *array = made;
    return true;
}

static KtStatus order_edges(KtImportGraph *graph)
{
    uint32_t n = graph->edges;
    graph->out_at = malloc(((size_t)graph->nodes + 2) * sizeof *graph->out_at);
    graph->in_at = malloc(((size_t)graph->nodes + 2) * sizeof *graph->in_at);
    uint32_t *by_end = malloc(((size_t)n + 1) * sizeof *by_end),
             *order = malloc(((size_t)n + 1) * sizeof *order);
    bool whole = graph->out_at && graph->in_at && by_end && order;
    if (whole) {
        sort_by(graph->end, NULL, n, graph->nodes, graph->in_at, by_end);
        sort_by(graph->start, by_end, n, graph->nodes, graph->out_at, order);
    }
    free(by_end);
    whole = whole && reorder32(&graph->start, order, n) && reorder32(&graph->end, order, n);
    if (graph->weight)
        whole = whole && reorder64(&graph->weight, order, n);
    free(order);
    graph->in_rel = whole ? malloc(((size_t)n + 1) * sizeof *graph->in_rel) : NULL;
    if (!graph->in_rel)
        return KT_ERR_MEMORY;
    sort_by(graph->end, NULL, n, graph->nodes, graph->in_at, graph->in_rel);
    return KT_OK;
}

static KtStatus read_all(Reading *r)
{
    KtImportGraph *graph = r->graph;
    KtToken id;
    graph->key = calloc(MOST_COLUMNS + 2, sizeof *graph->key);
    if (!graph->key)
        return KT_ERR_MEMORY;
    KT_TRY(kt_arena_open(NULL, &graph->arena));
    KT_TRY(kt_arena_open(NULL, &r->scratch));
    KT_TRY(add_key(graph, KT_TEXT_LITERAL("id"), &id));
    if (r->spec->nodes)
        KT_TRY(read_nodes(r));
    if (r->spec->weight)
        KT_TRY(add_key(graph, (KtText){r->spec->weight, (uint32_t)strlen(r->spec->weight)},
                       &graph->weight_key));
    KT_TRY(read_edges(r));
    tell(r, "sorting", graph->edges);
    KT_TRY(rank_nodes(r));
    return order_edges(graph);
}

KtStatus kt_import_read(const KtImportSpec *spec, KtDiag *diag, KtImportGraph *out)
{
    *out = (KtImportGraph){0};
    Reading r = {.spec = spec, .diag = diag, .graph = out};
    KtStatus status = read_all(&r);
    kt_import_numbers_close(&r.numbers);
    free(r.record);
    kt_arena_close(r.scratch);
    return status;
}

void kt_import_graph_close(KtImportGraph *graph)
{
    free(graph->number);
    free(graph->record);
    free(graph->start);
    free(graph->end);
    free(graph->out_at);
    free(graph->in_at);
    free(graph->in_rel);
    free(graph->weight);
    free(graph->key);
    kt_arena_close(graph->arena);
    *graph = (KtImportGraph){0};
}
