/* tests/fuzz/replay_main.c - runs a fuzz target without libFuzzer: on files and folders, on the hex of
 * vectors.jsonl and small changes of it (--vectors FILE), and on N random inputs (--random N [--seed S]). */
#include "tests/fuzz/fuzz_target.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Replay {
    uint64_t state;
    unsigned long runs;
} Replay;

static uint32_t draw(Replay *r)
{
    r->state = r->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(r->state >> 33);
}

/* The input in a block of its own size, so that a sanitizer sees a read past its end. */
static void run(Replay *r, const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        exit(2);
    if (size)
        memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    r->runs++;
}

static void run_changed(Replay *r, uint8_t *data, size_t size)
{
    run(r, data, size);
    for (int i = 0; i < 64 && size > 0; i++) {
        size_t at = draw(r) % size;
        uint8_t was = data[at];
        data[at] = (uint8_t)draw(r);
        run(r, data, i % 4 == 0 ? draw(r) % (size + 1) : size);
        data[at] = was;
    }
}

static int run_path(Replay *r, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        perror(path);
        return 2;
    }
    if (S_ISDIR(st.st_mode)) {
        DIR *dir = opendir(path);
        int code = dir ? 0 : 2;
        for (struct dirent *e; dir && code == 0 && (e = readdir(dir)) != NULL;) {
            char inner[4096];
            if (e->d_name[0] == '.')
                continue;
            (void)snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
            code = run_path(r, inner);
        }
        if (dir)
            (void)closedir(dir);
        return code;
    }
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc((size_t)st.st_size + 1);
    if (!file || !bytes) {
        perror(path);
        return 2;
    }
    size_t size = fread(bytes, 1, (size_t)st.st_size, file);
    (void)fclose(file);
    run_changed(r, bytes, size);
    free(bytes);
    return 0;
}

static int run_vectors(Replay *r, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    if (!file) {
        perror(path);
        return 2;
    }
    while (getline(&line, &cap, file) > 0) {
        char *hex = strstr(line, "\"hex\":\"");
        if (!hex)
            continue;
        hex += strlen("\"hex\":\"");
        size_t size = strcspn(hex, "\"") / 2;
        uint8_t *bytes = malloc(size + 1);
        for (size_t i = 0; bytes && i < size; i++) {
            char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
            bytes[i] = (uint8_t)strtoul(two, NULL, 16);
        }
        if (bytes)
            run_changed(r, bytes, size);
        free(bytes);
    }
    free(line);
    (void)fclose(file);
    return 0;
}

static void run_random(Replay *r, unsigned long n)
{
    uint8_t bytes[256];
    for (unsigned long i = 0; i < n; i++) {
        size_t size = draw(r) % sizeof bytes;
        for (size_t j = 0; j < size; j++)
            bytes[j] = (uint8_t)draw(r);
        if (i % 2 && size >= 16) { /* a likely header */
            static const uint8_t types[] = {0x01, 0x10, 0x13, 0x15, 0x20, 0x81,
                                            0x83, 0x84, 0x90, 0x91, 0x95, 0xB0};
            memset(bytes, 0, 3);
            bytes[3] = (uint8_t)(size - 16);
            bytes[4] = types[draw(r) % sizeof types];
            memset(bytes + 5, 0, 11);
        }
        run(r, bytes, size);
    }
}

int main(int argc, char **argv)
{
    Replay r = {.state = 1};
    int code = 0;
    for (int i = 1; i < argc && code == 0; i++) {
        if (strcmp(argv[i], "--random") == 0 && i + 1 < argc)
            run_random(&r, strtoul(argv[++i], NULL, 10));
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            r.state = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--vectors") == 0 && i + 1 < argc)
            code = run_vectors(&r, argv[++i]);
        else
            code = run_path(&r, argv[i]);
    }
    printf("%lu inputs\n", r.runs);
    return code ? code : r.runs == 0;
}
