/* tests/tck/tck.c - runs openCypher TCK feature files against Kith.
 *
 *   tck [--over-wire URI] [--back-end rocksdb] [--park] [--old-view] [--reopen] [--want N]
 *       [--stutter SEED] [--only TEXT] [--json FILE] [--verbose]
 *       --features DIR...
 *
 * A scenario passes when its result, its side effects and its error (type, phase, detail) are as written. Side
 * effects are seen by a full read of the graph before and after, never by counters. Nothing is skipped: what the
 * runner does not understand fails. Failures are sorted by what they mean:
 *   wrong rows                 rows were expected, none failed, and rows, order or side effects differ: a wrong answer
 *   rows in place of an error  an error was expected and rows came
 * Our own features (tests/spec) use two more steps: `the plan should show: TEXT` (of EXPLAIN of the query) and `the
 * error should stand at LINE:COLUMN`.
 * Exit: 0 when nothing is wrong of these two kinds within --most-wrong 0 and --most-missing-errors N, 1 otherwise. */
#include "tests/tck/driver.h"
#include "tests/tck/feature.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef enum Verdict { PASSED, WRONG_ROWS, ROWS_FOR_ERROR, FAILED } Verdict;

typedef struct Strings {
    char **at;
    size_t n, cap;
} Strings;

typedef struct Run {
    Driver *driver;
    KtArena *arena; /* of one scenario */
    const Scenario *scenario;
    KtValue params;
    Reply reply;
    bool ran;
    const char *query;
    Strings before;
    const char *graphs; /* folder of the named graphs */
    char why[1024];
} Run;

/* ---- the graph as a sorted list of facts ---- */

static void strings_free(Strings *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->at[i]);
    free(s->at);
    *s = (Strings){0};
}

static void strings_add(Strings *s, char *text)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 64;
        char **grown = realloc(s->at, s->cap * sizeof *grown);
        if (!grown)
            abort();
        s->at = grown;
    }
    s->at[s->n++] = text;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_value(KtBuf *out, KtValue v)
{
    char text[64];
    switch ((KtKind)v.kind) {
    case KT_BOOL: kt_buf_put(out, v.as.b ? "true" : "false", v.as.b ? 4 : 5); return;
    case KT_INT:
        kt_buf_put(out, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)v.as.i));
        return;
    case KT_FLOAT: kt_buf_put(out, text, (size_t)snprintf(text, sizeof text, "%a", v.as.f)); return;
    case KT_TEXT:
        kt_buf_u8(out, '\'');
        kt_buf_put(out, v.as.text, v.len);
        return;
    case KT_LIST:
        for (uint32_t i = 0; i < v.len; i++) {
            kt_buf_u8(out, ',');
            print_value(out, v.as.list[i]);
        }
        return;
    default: kt_buf_put(out, "?", 1); return;
    }
}

static void add_props(Strings *out, char kind, uint64_t id, const KtMapEntry *prop, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        KtBuf text = {0};
        char head[64];
        kt_buf_put(&text, head,
                   (size_t)snprintf(head, sizeof head, "p%c%llu.", kind, (unsigned long long)id));
        kt_buf_put(&text, prop[i].key.at, prop[i].key.len);
        kt_buf_u8(&text, '=');
        print_value(&text, prop[i].value);
        kt_buf_u8(&text, 0);
        strings_add(out, (char *)text.data);
    }
}

static bool graph_facts(Run *run, Strings *out)
{
    Reply nodes, rels;
    *out = (Strings){0};
    run->driver->run(run->driver, run->arena, "MATCH (n) RETURN n", kt_map(NULL, 0), &nodes);
    run->driver->run(run->driver, run->arena, "MATCH ()-[r]->() RETURN r", kt_map(NULL, 0), &rels);
    if (nodes.failed || rels.failed) {
        (void)snprintf(run->why, sizeof run->why, "the graph cannot be read: %s",
                       nodes.failed ? nodes.message : rels.message);
        return false;
    }
    Strings labels = {0};
    for (uint32_t i = 0; i < nodes.rows.rows; i++) {
        const KtNodeImage *n = nodes.rows.value[i].as.node_image;
        char *text;
        if (asprintf(&text, "n%llu", (unsigned long long)n->id) < 0)
            abort();
        strings_add(out, text);
        add_props(out, 'n', n->id, n->prop, n->props);
        for (uint32_t k = 0; k < n->labels; k++) {
            if (asprintf(&text, "l%.*s", (int)n->label[k].len, n->label[k].at) < 0)
                abort();
            strings_add(&labels, text);
        }
    }
    for (uint32_t i = 0; i < rels.rows.rows; i++) {
        const KtRelImage *r = rels.rows.value[i].as.rel_image;
        char *text;
        if (asprintf(&text, "r%llu", (unsigned long long)r->id) < 0)
            abort();
        strings_add(out, text);
        add_props(out, 'r', r->id, r->prop, r->props);
    }
    if (labels.n)
        qsort(labels.at, labels.n, sizeof *labels.at, by_text);
    for (size_t i = 0; i < labels.n; i++) {
        if (i == 0 || strcmp(labels.at[i], labels.at[i - 1]) != 0) {
            char *copy = strdup(labels.at[i]);
            if (!copy)
                abort();
            strings_add(out, copy);
        }
    }
    strings_free(&labels);
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_text);
    return true;
}

static const char *const counter_name[] = {"+nodes",         "-nodes",      "+relationships",
                                           "-relationships", "+properties", "-properties",
                                           "+labels",        "-labels"};

static void diff(const Strings *before, const Strings *after, long count[8])
{
    memset(count, 0, 8 * sizeof *count);
    size_t i = 0, k = 0;
    while (i < before->n || k < after->n) {
        int c = i == before->n ? 1 : k == after->n ? -1 : strcmp(before->at[i], after->at[k]);
        if (c == 0) {
            i++;
            k++;
            continue;
        }
        char kind = c < 0 ? before->at[i][0] : after->at[k][0];
        int at = kind == 'n' ? 0 : kind == 'r' ? 2 : kind == 'p' ? 4 : 6;
        count[at + (c < 0 ? 1 : 0)]++;
        if (c < 0)
            i++;
        else
            k++;
    }
}

/* ---- steps ---- */

static bool starts(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

static bool set_up(Run *run, const char *text)
{
    Reply reply;
    run->driver->run(run->driver, run->arena, text, kt_map(NULL, 0), &reply);
    if (reply.failed)
        (void)snprintf(run->why, sizeof run->why, "set-up failed: %s", reply.message);
    return !reply.failed;
}

static bool load_graph(Run *run, const char *step)
{
    char name[128], path[4096];
    if (sscanf(step, "the %127s graph", name) != 1)
        return false;
    (void)snprintf(path, sizeof path, "%s/%s/%s.cypher", run->graphs, name, name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        (void)snprintf(run->why, sizeof run->why, "cannot read %.900s", path);
        return false;
    }
    KtBuf text = {0};
    char block[8192];
    size_t n;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        kt_buf_put(&text, block, n);
    (void)fclose(f);
    const char *copy = kt_arena_text(run->arena, (const char *)text.data, text.len);
    kt_buf_close(&text);
    return copy && set_up(run, copy);
}

static bool read_params(Run *run, const Table *table)
{
    KtMapEntry *entry = kt_arena_alloc(run->arena, (table->rows + 1) * sizeof *entry);
    for (uint32_t i = 0; i < table->rows; i++) {
        const char *name = table->cell[i * table->cols];
        entry[i].key = (KtText){name, (uint32_t)strlen(name)};
        if (!expect_parse(run->arena, table->cell[i * table->cols + 1], &entry[i].value)) {
            (void)snprintf(run->why, sizeof run->why, "cannot read the parameter %s", name);
            return false;
        }
    }
    run->params = kt_map(entry, table->rows);
    return true;
}

static Verdict check_rows(Run *run, const Step *step)
{
    const Table *t = &step->table;
    if (run->reply.failed) {
        (void)snprintf(run->why, sizeof run->why, "%s %s (%s): %s",
                       run->reply.compile_time ? "compile time" : "runtime", run->reply.type,
                       run->reply.detail, run->reply.message);
        return FAILED;
    }
    if (t->cols != run->reply.columns) {
        (void)snprintf(run->why, sizeof run->why, "%u columns, expected %u", run->reply.columns,
                       t->cols);
        return WRONG_ROWS;
    }
    for (uint32_t c = 0; c < t->cols; c++) {
        KtText want = {t->cell[c], (uint32_t)strlen(t->cell[c])};
        if (!kt_text_eq(want, run->reply.column[c])) {
            (void)snprintf(run->why, sizeof run->why, "column %u is `%.*s`, expected `%s`", c + 1,
                           (int)run->reply.column[c].len, run->reply.column[c].at, t->cell[c]);
            return WRONG_ROWS;
        }
    }
    uint32_t cells = (t->rows - 1) * t->cols;
    KtValue *want = kt_arena_alloc(run->arena, (cells + 1) * sizeof *want);
    for (uint32_t i = 0; i < cells; i++) {
        if (!expect_parse(run->arena, t->cell[t->cols + i], &want[i])) {
            (void)snprintf(run->why, sizeof run->why, "cannot read the expected value %s",
                           t->cell[t->cols + i]);
            return FAILED;
        }
    }
    Rows rows = {want, t->rows - 1, t->cols};
    bool ordered = strstr(step->text, "in order") != NULL;
    bool bag = strstr(step->text, "ignoring element order") != NULL;
    if (expect_rows(&rows, &run->reply.rows, ordered, bag))
        return PASSED;
    (void)snprintf(run->why, sizeof run->why, "%u rows do not match the %u expected",
                   run->reply.rows.rows, rows.rows);
    return WRONG_ROWS;
}

static Verdict check_effects(Run *run, const Table *table)
{
    Strings after;
    long count[8], want[8] = {0};
    if (!graph_facts(run, &after))
        return FAILED;
    diff(&run->before, &after, count);
    strings_free(&after);
    for (uint32_t i = 0; i < table->rows; i++) {
        for (size_t k = 0; k < KT_COUNT(counter_name); k++) {
            if (strcmp(table->cell[i * table->cols], counter_name[k]) == 0)
                want[k] = strtol(table->cell[i * table->cols + 1], NULL, 10);
        }
    }
    for (size_t k = 0; k < KT_COUNT(counter_name); k++) {
        if (want[k] != count[k]) {
            (void)snprintf(run->why, sizeof run->why, "side effect %s is %ld, expected %ld",
                           counter_name[k], count[k], want[k]);
            return WRONG_ROWS;
        }
    }
    return PASSED;
}

static Verdict check_error(Run *run, const Step *step)
{
    char type[64], detail[64] = "";
    char article[8];
    if (sscanf(step->text, "%7s %63s should be raised at", article, type) != 2)
        return FAILED;
    bool compile = strstr(step->text, "at compile time") != NULL,
         any = strstr(step->text, "at any time") != NULL;
    const char *colon = strchr(step->text, ':');
    if (colon)
        (void)snprintf(detail, sizeof detail, "%s", colon + 1 + strspn(colon + 1, " "));
    if (!run->reply.failed) {
        (void)snprintf(run->why, sizeof run->why, "%u rows in place of %s %s", run->reply.rows.rows,
                       type, detail);
        return ROWS_FOR_ERROR;
    }
    bool right = strcmp(type, run->reply.type) == 0 &&
                 (any || compile == run->reply.compile_time) &&
                 (strcmp(detail, "*") == 0 || strcmp(detail, run->reply.detail) == 0);
    if (!right)
        (void)snprintf(run->why, sizeof run->why, "%s %s (%s) in place of %s: %s",
                       run->reply.compile_time ? "compile time" : "runtime", run->reply.type,
                       run->reply.detail, step->text, run->reply.message);
    return right ? PASSED : FAILED;
}

static Verdict check_plan(Run *run, const char *text)
{
    Reply reply;
    char *explain;
    text += strspn(text, " ");
    if (asprintf(&explain, "EXPLAIN %s", run->query) < 0)
        abort();
    run->driver->run(run->driver, run->arena, explain, run->params, &reply);
    free(explain);
    if (!reply.failed && strstr(reply.plan, text))
        return PASSED;
    (void)snprintf(run->why, sizeof run->why, "no %s in the plan:\n%s", text,
                   reply.failed ? reply.message : reply.plan);
    return FAILED;
}

static Verdict check_place(Run *run, const char *text)
{
    unsigned line, column;
    if (run->reply.failed && sscanf(text, "%u:%u", &line, &column) == 2 &&
        line == run->reply.line && column == run->reply.at)
        return PASSED;
    (void)snprintf(run->why, sizeof run->why, "the error stands at %u:%u, expected %s",
                   run->reply.line, run->reply.at, text);
    return FAILED;
}

static Verdict run_step(Run *run, const Step *step)
{
    const char *t = step->text;
    if (strcmp(t, "any graph") == 0 || strcmp(t, "an empty graph") == 0)
        return PASSED; /* every scenario begins with one */
    if (starts(t, "having executed"))
        return set_up(run, step->doc) ? PASSED : FAILED;
    if (starts(t, "parameters are"))
        return read_params(run, &step->table) ? PASSED : FAILED;
    if (starts(t, "there exists a procedure"))
        return PASSED; /* Kith runs no procedures: the CALL itself is then judged */
    if (starts(t, "executing query") || starts(t, "executing control query")) {
        if (!run->ran && !graph_facts(run, &run->before))
            return FAILED;
        run->ran = true;
        run->query = step->doc;
        run->driver->run(run->driver, run->arena, step->doc, run->params, &run->reply);
        return PASSED;
    }
    if (starts(t, "the plan should show:"))
        return check_plan(run, t + strlen("the plan should show:"));
    if (starts(t, "the error should stand at "))
        return check_place(run, t + strlen("the error should stand at "));
    if (starts(t, "the result should be empty")) {
        if (run->reply.failed || run->reply.rows.rows == 0) {
            if (run->reply.failed)
                (void)snprintf(run->why, sizeof run->why, "%s: %s", run->reply.type,
                               run->reply.message);
            return run->reply.failed ? FAILED : PASSED;
        }
        (void)snprintf(run->why, sizeof run->why, "%u rows, expected none", run->reply.rows.rows);
        return WRONG_ROWS;
    }
    if (starts(t, "the result should be"))
        return check_rows(run, step);
    if (starts(t, "no side effects"))
        return check_effects(run, &(Table){0});
    if (starts(t, "the side effects should be"))
        return check_effects(run, &step->table);
    if (strstr(t, "should be raised at"))
        return check_error(run, step);
    if (starts(t, "the ") && strstr(t, " graph"))
        return load_graph(run, t) ? PASSED : FAILED;
    (void)snprintf(run->why, sizeof run->why, "a step that is not understood: %s", t);
    return FAILED;
}

static Verdict run_scenario(Run *run)
{
    run->ran = false;
    run->params = kt_map(NULL, 0);
    run->why[0] = 0;
    if (!run->driver->reset(run->driver))
        return FAILED;
    Verdict verdict = PASSED;
    for (uint32_t i = 0; verdict == PASSED && i < run->scenario->steps; i++)
        verdict = run_step(run, &run->scenario->step[i]);
    if (verdict == PASSED && !run->ran) {
        (void)snprintf(run->why, sizeof run->why, "the scenario runs no query");
        verdict = FAILED;
    }
    strings_free(&run->before);
    return verdict;
}

/* ---- finding files and reporting ---- */

static bool add_folder(KtArena *arena, const char *path, Scenarios *out)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        (void)fprintf(stderr, "tck: there is no %s\n", path);
        return false;
    }
    if (!S_ISDIR(st.st_mode))
        return feature_read(arena, kt_arena_text(arena, path, strlen(path)), out);
    struct dirent **entry;
    int n = scandir(path, &entry, NULL, alphasort);
    bool ok = n >= 0;
    for (int i = 0; i < n; i++) {
        const char *name = entry[i]->d_name;
        size_t len = strlen(name);
        char full[4096];
        (void)snprintf(full, sizeof full, "%s/%s", path, name);
        bool is_dir = stat(full, &st) == 0 && S_ISDIR(st.st_mode);
        if (name[0] != '.' && (is_dir || (len > 8 && strcmp(name + len - 8, ".feature") == 0)))
            ok &= add_folder(arena, full, out);
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
    return ok;
}

static void json_text(FILE *f, const char *text)
{
    (void)fputc('"', f);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            (void)fprintf(f, "\\%c", c);
        else if (c < 0x20)
            (void)fprintf(f, "\\u%04x", c);
        else
            (void)fputc(c, f);
    }
    (void)fputc('"', f);
}

static void json_row(FILE *f, const Scenario *s, Verdict verdict, const char *why, bool first)
{
    static const char *const word[] = {"passed", "wrong rows", "rows in place of an error",
                                       "failed"};
    (void)fprintf(f, "%s{\"file\": ", first ? "[\n" : ",\n");
    json_text(f, s->file);
    (void)fprintf(f, ", \"line\": %u, \"name\": ", s->line);
    json_text(f, s->name);
    (void)fprintf(f, ", \"verdict\": \"%s\", \"why\": ", word[verdict]);
    json_text(f, why);
    (void)fprintf(f, "}");
}

typedef struct Options {
    const char *uri, *only, *json, *graphs;
    bool verbose;
    EngineOptions engine;
    long least, most_missing;
    const char *folder[64];
    uint32_t folders;
} Options;

static int usage(const char *what)
{
    (void)fprintf(
        stderr,
        "tck: %s\nusage: tck [--over-wire URI] [--only TEXT] [--json FILE] [--verbose] [--graphs DIR] "
        "[--least-passed N] [--most-missing-errors N] --features DIR...\n",
        what);
    return 2;
}

static int read_options(int argc, char **argv, Options *out)
{
    *out = (Options){.most_missing = -1};
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i];
        if (strcmp(flag, "--verbose") == 0) {
            out->verbose = true;
            continue;
        }
        if (strcmp(flag, "--park") == 0) {
            out->engine.park = true;
            continue;
        }
        if (strcmp(flag, "--reopen") == 0) {
            out->engine.reopen = true;
            continue;
        }
        if (strcmp(flag, "--old-view") == 0) {
            out->engine.old_view = true;
            continue;
        }
        if (i + 1 == argc)
            return usage(flag[0] == '-' ? "an option lacks its value"
                                        : "features are given by --features DIR");
        const char *value = argv[++i];
        if (strcmp(flag, "--over-wire") == 0)
            out->uri = value;
        else if (strcmp(flag, "--back-end") == 0 && strcmp(value, "rocksdb") == 0)
            out->engine.rocksdb = true;
        else if (strcmp(flag, "--want") == 0)
            out->engine.want = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(flag, "--stutter") == 0)
            out->engine.stutter = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(flag, "--only") == 0)
            out->only = value;
        else if (strcmp(flag, "--json") == 0)
            out->json = value;
        else if (strcmp(flag, "--graphs") == 0)
            out->graphs = value;
        else if (strcmp(flag, "--least-passed") == 0)
            out->least = strtol(value, NULL, 10);
        else if (strcmp(flag, "--most-missing-errors") == 0)
            out->most_missing = strtol(value, NULL, 10);
        else if (strcmp(flag, "--features") == 0 && out->folders < KT_COUNT(out->folder))
            out->folder[out->folders++] = value;
        else
            return usage("an option that it does not know");
    }
    return out->folders ? 0 : usage("--features DIR is missing");
}

int main(int argc, char **argv)
{
    Options options;
    int bad = read_options(argc, argv, &options);
    if (bad)
        return bad;
    KtArena *files, *arena;
    if (kt_arena_open(NULL, &files) != KT_OK || kt_arena_open(NULL, &arena) != KT_OK)
        return 3;
    Scenarios all = {0};
    for (uint32_t i = 0; i < options.folders; i++) {
        if (!add_folder(files, options.folder[i], &all))
            return 2;
    }
    Run run = {.driver = options.uri ? driver_wire(options.uri) : driver_engine(&options.engine),
               .arena = arena,
               .graphs = options.graphs ? options.graphs : "graphs"};
    if (!run.driver)
        return 3;
    FILE *json = options.json ? fopen(options.json, "w") : NULL;
    if (options.json && !json) {
        (void)fprintf(stderr, "tck: cannot write %s\n", options.json);
        return 2;
    }
    long count[4] = {0};
    for (uint32_t i = 0; i < all.n; i++) {
        const Scenario *s = run.scenario = &all.at[i];
        if (options.only && !strstr(s->name, options.only) && !strstr(s->file, options.only))
            continue;
        Verdict verdict = run_scenario(&run);
        if (json)
            json_row(json, s, verdict, run.why, count[0] + count[1] + count[2] + count[3] == 0);
        count[verdict]++;
        static const char *const word[] = {"ok", "WRONG", "ROWS FOR ERROR", "failed"};
        if (verdict == WRONG_ROWS || (options.verbose && verdict != PASSED))
            (void)printf("%s %s:%u %s: %s\n", word[verdict], s->file, s->line, s->name, run.why);
        (void)fflush(stdout);
        kt_arena_reset(arena);
    }
    if (json) {
        (void)fputs(count[0] + count[1] + count[2] + count[3] ? "\n]\n" : "[]\n", json);
        (void)fclose(json);
    }
    run.driver->close(run.driver);
    kt_arena_close(arena);
    kt_arena_close(files);
    bool stuttered = options.engine.stutter == 0;
    if (!stuttered) {
        (void)printf("stutter: %llu again, %llu want, %llu parks\n",
                     (unsigned long long)options.engine.again,
                     (unsigned long long)options.engine.wants,
                     (unsigned long long)options.engine.parks);
        stuttered = options.engine.again && options.engine.wants && options.engine.parks;
    }
    (void)printf(
        "wrong rows: %ld\nrows in place of an error: %ld\n%ld passed, %ld failed, 0 skipped\n",
        count[WRONG_ROWS], count[ROWS_FOR_ERROR], count[PASSED],
        count[WRONG_ROWS] + count[ROWS_FOR_ERROR] + count[FAILED]);
    bool right = stuttered && count[WRONG_ROWS] == 0 && count[PASSED] >= options.least &&
                 count[PASSED] > 0 &&
                 (options.most_missing < 0 || count[ROWS_FOR_ERROR] <= options.most_missing);
    return right ? 0 : 1;
}
