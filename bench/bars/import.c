/* bench/bars/import.c - `kith import` against LC_ALL=C sort of the same edge list.
 *
 * The file is the bars' graph as it is drawn, not sorted. Both are programs with the system's own choice of threads and
 * memory, run in turns on a file that is in the page cache; the import's time includes reading its database back and
 * syncing it, sort writes to /dev/null. */
#include "bench/bars/bar.h"
#include "bench/bars/beside.h"
#include "bench/bars/served.h"

#include <stdio.h>

enum { ROUNDS_SMALL = 3, ROUNDS_LARGE = 1 };

static bool write_drawn(bool large, const char *path, uint32_t *edges_out)
{
    KtEdges edges;
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    bool ok = world_draw(large, &edges);
    if (ok) {
        for (uint32_t i = 0; i < edges.edges; i++)
            (void)fprintf(file, "%u %u\n", edges.from[i], edges.to[i]);
        *edges_out = edges.edges;
        ok = ferror(file) == 0;
        kt_edges_free(&edges);
    }
    return fclose(file) == 0 && ok;
}

void beside_import(const Beside *beside)
{
    const char *size = beside->large ? "large" : "small";
    char folder[BESIDE_PATH], file[BESIDE_PATH + 64], data[BESIDE_PATH + 64];
    double import_s[ROUNDS_SMALL], sort_s[ROUNDS_SMALL];
    int rounds = beside->large ? ROUNDS_LARGE : ROUNDS_SMALL;
    uint32_t edges = 0;
    if (!beside->kith) {
        (void)printf("beside import, %s: not measured: --kith was not given\n", size);
        return;
    }
    if (!beside_folder(beside, "import", folder))
        return;
    (void)snprintf(file, sizeof file, "%s/edges.txt", folder);
    (void)snprintf(data, sizeof data, "%s/data", folder);
    const char *import[] = {beside->kith, "import", "--data", data, "--edges", file,
                            "--label",    "P",      "--type", "T",  NULL};
    const char *sort[] = {"sort", "-T", folder, file, NULL};
    bool ok = write_drawn(beside->large, file, &edges);
    for (int i = 0; ok && i < rounds; i++) {
        sort_s[i] = served_run(sort, true);
        import_s[i] = served_run(import, false);
        ok = sort_s[i] > 0 && import_s[i] > 0;
        beside_remove(data);
    }
    if (ok) {
        double by_import = edges / beside_median(import_s, rounds);
        double by_sort = edges / beside_median(sort_s, rounds);
        (void)printf("beside import, %s: %.0f edges a second, LC_ALL=C sort of the same file "
                     "%.0f lines a second, ratio of rates %.2f\n",
                     size, by_import, by_sort, by_import / by_sort);
    } else {
        (void)printf("beside import, %s: not measured: the file, the import or sort failed\n",
                     size);
    }
    beside_remove(folder);
}
