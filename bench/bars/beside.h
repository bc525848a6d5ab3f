/* bench/bars/beside.h - figures that are printed beside the bars: measured, never judged.
 *
 * Each prints lines `beside NAME ...`. What cannot be measured here says so and why; nothing of it fails a run. None
 * needs a world: each makes what it needs below `folder`. Times are by the wall clock, since disks and other processes
 * take part; the median of a few rounds. */
#ifndef KT_BENCH_BARS_BESIDE_H
#define KT_BENCH_BARS_BESIDE_H

#include <stdbool.h>

typedef struct Beside {
    const char *folder;       /* exists */
    const char *kithd, *kith; /* programs; kith NULL: what needs it is not measured */
    bool large;               /* of import: which of the two graphs */
} Beside;

/* Process start of kithd to its first answer, on an empty store and on the Slashdot graph of KITH_SHARED. */
void beside_start(const Beside *beside);
/* `kith import` of a bar's graph against LC_ALL=C sort of the same file. */
void beside_import(const Beside *beside);
/* Synced commits by 1 and 16 writers against raw RocksDB writes of as many bytes. */
void beside_commits(const Beside *beside);

/* The middle of n values, which are sorted by it. */
double beside_median(double *value, int n);
/* An empty folder `name` below the bench's; false: it cannot be made, which has been said. `path` has room for
 * BESIDE_PATH. */
enum { BESIDE_PATH = 4300 };
bool beside_folder(const Beside *beside, const char *name, char *path);
void beside_remove(const char *path); /* with all that is in it */

#endif
