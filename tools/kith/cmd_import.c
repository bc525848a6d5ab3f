/* tools/kith/cmd_import.c - the command line of an import, its progress and its counts. */
#include "tools/kith/cmd_import.h"

#include "base/clock.h"
#include "storage/import.h"
#include "tools/kith/say.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: kith import --data DIR --edges FILE --label L --type T [--weight NAME] [--nodes FILE]\n"
    "\n"
    "Builds the database DIR/1 out of an edge list: two whole numbers a line, # and % begin comments, .gz is\n"
    "recognised. Each number becomes a node (:L {id: number}) with a unique constraint.\n"
    "  --weight NAME  the third column, as property NAME of the relationships\n"
    "  --nodes FILE   CSV with the heading id,name:type,... (integer, float, boolean, string)\n"
    "Lines that are not taken go to FILE.rejects; the exit code is then 1.\n";

typedef struct Option {
    const char *name;
    const char **value;
} Option;

enum { RUN, HELP, WRONG };

/* Reads the flags into `spec`. */
static int read_flags(int argc, char **argv, KtImportSpec *spec)
{
    Option option[] = {{"--data", &spec->data},     {"--edges", &spec->edges},
                       {"--label", &spec->label},   {"--type", &spec->type},
                       {"--weight", &spec->weight}, {"--nodes", &spec->nodes}};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return HELP;
        const char *equals = strchr(argv[i], '=');
        size_t len = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        Option *found = NULL;
        for (size_t k = 0; k < KT_COUNT(option); k++)
            if (strlen(option[k].name) == len && strncmp(option[k].name, argv[i], len) == 0)
                found = &option[k];
        if (!found) {
            kt_say(stderr, "kith import: there is no option %s; see kith import --help.\n",
                   argv[i]);
            return WRONG;
        }
        if (*found->value) {
            kt_say(stderr, "kith import: %s is given twice.\n", found->name);
            return WRONG;
        }
        const char *value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : "";
        if (!*value) {
            kt_say(stderr, "kith import: %s needs a value.\n", found->name);
            return WRONG;
        }
        *found->value = value;
    }
    for (size_t k = 0; k < 4; k++) {
        if (!*option[k].value) {
            kt_say(stderr, "kith import: %s is missing; see kith import --help.\n", option[k].name);
            return WRONG;
        }
    }
    return RUN;
}

typedef struct Progress {
    int64_t last_ns;
    bool terminal, shown;
} Progress;

/* On a terminal one line that changes; elsewhere a line every few seconds. */
static void show(void *user, const char *phase, uint64_t done, uint64_t of)
{
    (void)of;
    Progress *progress = user;
    int64_t now = kt_clock_ns(), pause = progress->terminal ? 100 * 1000000LL : 5000 * 1000000LL;
    if (now - progress->last_ns < pause)
        return;
    progress->last_ns = now;
    progress->shown = true;
    fprintf(stderr, progress->terminal ? "\r\033[K%s: %llu" : "%s: %llu\n", phase,
            (unsigned long long)done);
    fflush(stderr);
}

int kt_cmd_import(int argc, char **argv)
{
    KtImportSpec spec = {0};
    int what = read_flags(argc, argv, &spec);
    if (what == HELP)
        fputs(usage, stdout);
    if (what != RUN)
        return what == HELP ? 0 : 2;
    Progress progress = {.last_ns = kt_clock_ns(), .terminal = isatty(STDERR_FILENO) == 1};
    spec.progress = show;
    spec.user = &progress;
    KtDiag diag;
    KtImportCounts counts;
    kt_diag_clear(&diag);
    int64_t begin = kt_clock_ns();
    KtStatus status = kt_import(&spec, &diag, &counts);
    double seconds = (double)(kt_clock_ns() - begin) / 1e9;
    if (progress.terminal && progress.shown)
        fputs("\r\033[K", stderr);
    if (status != KT_OK) {
        const char *hint = diag.hint[0] ? diag.hint : kt_error_facts(status)->hint;
        kt_say(stderr, "kith import: %s%s%s\n", diag.message, *hint ? " " : "", hint);
        return status == KT_ERR_INVALID_VALUE ? 2 : 3;
    }
    printf("%llu nodes, %llu relationships, %llu rejected, %.1f s\n",
           (unsigned long long)counts.nodes, (unsigned long long)counts.rels,
           (unsigned long long)counts.rejects, seconds);
    if (counts.rejects == 0)
        return 0;
    kt_say(stderr,
           "kith import: rejected lines: %llu; they and the reasons stand in %s.rejects%s%s%s.\n",
           (unsigned long long)counts.rejects, spec.edges, spec.nodes ? " and " : "",
           spec.nodes ? spec.nodes : "", spec.nodes ? ".rejects" : "");
    return 1;
}
