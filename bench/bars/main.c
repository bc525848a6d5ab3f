/* bench/bars/main.c - the speed bars: `bench --folder DIR --kithd PROGRAM [--kith PROGRAM] [--bars] [--small | --large]
 * [--slack F] [--only NAME,..] [--times N]`.
 *
 * First the lines `beside NAME ...`: figures that are printed beside the bars and fail nothing (beside.h).
 * Prints a line `bar NAME ratio R limit L ok` (or OVER) for each bar and exits 1 if one is over. With --slack F a
 * bar may be F times its limit, and one that is over is measured twice more: three times over fails. --times N
 * measures each bar N times over, for a profiler. */
#include "bench/bars/bar.h"
#include "bench/bars/beside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Bar bars[] = {
    {"storage-2hop", 0.95, 1.2, bar_storage_2hop},
    {"one-start", 1.4, 1.8, bar_one_start},
    {"one-start-fixed", 0.25, 0.25, bar_start_fixed},
    {"sum-2hop", 1.4, 1.5, bar_sum_2hop},
    {"count-3hop", 0.4, 0.5, bar_count_3hop},
    {"distinct", 1.3, 2, bar_distinct},
    {"top10", 2, 2.2, bar_top10},
    {"shortest", 5, 5, bar_shortest},
    {"scan", 3.5, 0, bar_scan},
    {"disk", 1, 0, bar_disk},
    {"cache", 1, 0, bar_cache},
    {"wire", 1.6, 1.6, bar_wire},
    {"idle", 1, 1, bar_idle},
    /* last: they change the graph */
    {"storage-2hop-dirty", 1.3, 1.3, bar_storage_2hop_dirty},
    {"one-start-dirty", 1.3, 1.3, bar_one_start_dirty},
    {"sum-2hop-dirty", 1.3, 1.3, bar_sum_2hop_dirty},
};

static const struct {
    const char *name;
    void (*print)(const Beside *beside);
    bool by_size; /* once for each graph that was asked for; else once */
} besides[] = {
    {"start", beside_start, false},
    {"commits", beside_commits, false},
    {"import", beside_import, true},
};

typedef struct Options {
    const char *folder, *only, *kithd, *kith;
    bool small, large; /* only that graph */
    double slack;
    long times;
} Options;

static bool run_bar(World *world, const Bar *bar, double slack)
{
    double limit = world->large ? bar->limit_large : bar->limit_small;
    char name[64];
    (void)snprintf(name, sizeof name, "%s%s", bar->name, world->large ? "" : "-small");
    int tries = slack > 1 ? 3 : 1;
    for (int i = 0; i < tries; i++) {
        kt_arena_reset(world->arena);
        double r = bar->run(world);
        if (r < 0) {
            (void)printf("bar %s FAILED: answers differ, or what is measured did not run\n", name);
            return false;
        }
        bool ok = r <= limit * slack;
        (void)printf("bar %s ratio %.3f limit %.2f %s\n", name, r, limit,
                     r <= limit ? "ok"
                     : ok       ? "ok (slack)"
                                : "OVER");
        (void)fflush(stdout);
        if (ok)
            return true;
    }
    return false;
}

/* The name is one of those in the list, which is separated by commas. */
static bool in_list(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = strstr(list, name); at; at = strstr(at + 1, name)) {
        if ((at == list || at[-1] == ',') && (at[len] == 0 || at[len] == ','))
            return true;
    }
    return false;
}

static bool wanted(const Options *options, const char *name)
{
    return !options->only || in_list(options->only, name);
}

/* What stands beside the bars, while this process is still small: it starts others. */
static void run_besides(const Options *options)
{
    Beside beside = {options->folder, options->kithd, options->kith, false};
    for (size_t i = 0; i < KT_COUNT(besides); i++) {
        if (!wanted(options, besides[i].name))
            continue;
        for (int large = 0; large < (besides[i].by_size ? 2 : 1); large++) {
            beside.large = large;
            if (!besides[i].by_size || !(large ? options->small : options->large))
                besides[i].print(&beside);
            (void)fflush(stdout);
        }
    }
}

static bool any_bar(const Options *options, bool large)
{
    for (size_t i = 0; i < KT_COUNT(bars); i++) {
        if ((large ? bars[i].limit_large : bars[i].limit_small) > 0 &&
            wanted(options, bars[i].name))
            return true;
    }
    return false;
}

static bool run_world(const Options *options, bool large)
{
    World world;
    char folder[4096];
    if (!any_bar(options, large))
        return true;
    (void)snprintf(folder, sizeof folder, "%s/%s", options->folder, large ? "large" : "small");
    if (!world_open(&world, large, folder, options->kithd))
        return false;
    (void)fflush(stdout);
    bool ok = true;
    for (size_t i = 0; i < KT_COUNT(bars); i++) {
        double limit = large ? bars[i].limit_large : bars[i].limit_small;
        if (limit > 0 && wanted(options, bars[i].name)) {
            for (long t = 0; t < options->times; t++)
                ok &= run_bar(&world, &bars[i], options->slack);
        }
    }
    world_close(&world);
    return ok;
}

int main(int argc, char **argv)
{
    Options options = {.slack = 1, .times = 1};
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--bars") == 0)
            continue;
        else if (strcmp(argv[i], "--small") == 0)
            options.small = true;
        else if (strcmp(argv[i], "--large") == 0)
            options.large = true;
        else if (strcmp(argv[i], "--slack") == 0 && more)
            options.slack = strtod(argv[++i], NULL);
        else if (strcmp(argv[i], "--only") == 0 && more)
            options.only = argv[++i];
        else if (strcmp(argv[i], "--times") == 0 && more)
            options.times = strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--kithd") == 0 && more)
            options.kithd = argv[++i];
        else if (strcmp(argv[i], "--kith") == 0 && more)
            options.kith = argv[++i];
        else if (strcmp(argv[i], "--folder") == 0 && more)
            options.folder = argv[++i];
        else {
            (void)fprintf(
                stderr,
                "bench: I do not know %s\nusage: bench --folder DIR --kithd PROGRAM [--kith PROGRAM] [--bars] [--small | --large] [--slack F] [--only NAME,..] [--times N]\n",
                argv[i]);
            return 2;
        }
    }
    if (!options.folder || !options.kithd || options.slack < 1) {
        (void)fprintf(
            stderr,
            "bench: --folder DIR and --kithd PROGRAM are needed, and --slack is at least 1\n");
        return 2;
    }
    run_besides(&options);
    bool ok = options.large || run_world(&options, false);
    if (!options.small)
        ok &= run_world(&options, true);
    return ok ? 0 : 1;
}
