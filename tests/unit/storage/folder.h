/* tests/unit/storage/folder.h - a folder of its own for a test, gone at its end. */
#ifndef KT_TESTS_STORAGE_FOLDER_H
#define KT_TESTS_STORAGE_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct Folder {
    char path[64], db[80];
} Folder;

static inline Folder folder_make(void)
{
    Folder f = {.path = "/tmp/kith-test-XXXXXX"};
    if (!mkdtemp(f.path))
        abort();
    (void)snprintf(f.db, sizeof f.db, "%s/1", f.path);
    return f;
}

static inline int folder_unlink(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void folder_remove(Folder *f)
{
    (void)nftw(f->path, folder_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
