/* bench/bars/beside.c - what the figures beside the bars share. */
#include "bench/bars/beside.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double beside_median(double *value, int n)
{
    qsort(value, (size_t)n, sizeof *value, by_value);
    return value[n / 2];
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

void beside_remove(const char *path) { (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

bool beside_folder(const Beside *beside, const char *name, char *path)
{
    (void)snprintf(path, BESIDE_PATH, "%s/beside-%s", beside->folder, name);
    beside_remove(path);
    if (mkdir(path, 0777) == 0)
        return true;
    (void)printf("beside %s: not measured: %s cannot be made\n", name, path);
    return false;
}
