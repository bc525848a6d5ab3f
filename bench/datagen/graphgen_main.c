/* bench/datagen/graphgen_main.c - graphgen: writes a test graph as `kith import` reads it.
 *
 * The edge file comes out sorted, the nodes file as CSV with `x` = hash(id) % 100. */
#include "bench/datagen/graphgen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
    (void)fputs(
        "usage: graphgen --nodes N --edges M [--seed S] --edges-out FILE [--nodes-out FILE]\n",
        stderr);
    return 2;
}

static bool number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || v > most)
        return false;
    *out = v;
    return true;
}

static FILE *create(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        (void)fprintf(stderr, "graphgen: cannot write %s: %s\n", path, strerror(errno));
    return file;
}

static bool finish(FILE *file, const char *path)
{
    bool ok = ferror(file) == 0;
    ok = fclose(file) == 0 && ok;
    if (!ok)
        (void)fprintf(stderr, "graphgen: writing %s failed: %s\n", path, strerror(errno));
    return ok;
}

static bool write_edges(const KtEdges *edges, const char *path)
{
    FILE *file = create(path);
    if (!file)
        return false;
    for (uint32_t i = 0; i < edges->edges; i++)
        (void)fprintf(file, "%u %u\n", edges->from[i], edges->to[i]);
    return finish(file, path);
}

static bool write_nodes(uint32_t nodes, const char *path)
{
    FILE *file = create(path);
    if (!file)
        return false;
    (void)fputs("id,x:integer\n", file);
    for (uint32_t v = 0; v < nodes; v++)
        (void)fprintf(file, "%u,%lld\n", v, (long long)kt_gen_x(v));
    return finish(file, path);
}

int main(int argc, char **argv)
{
    uint64_t nodes = 0, edge_count = 0, seed = 1;
    const char *edges_out = NULL, *nodes_out = NULL;
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!value)
            return usage();
        bool ok = true;
        if (strcmp(name, "--nodes") == 0)
            ok = number(value, UINT32_MAX - 2, &nodes);
        else if (strcmp(name, "--edges") == 0)
            ok = number(value, UINT32_MAX - 2, &edge_count);
        else if (strcmp(name, "--seed") == 0)
            ok = number(value, UINT64_MAX, &seed);
        else if (strcmp(name, "--edges-out") == 0)
            edges_out = value;
        else if (strcmp(name, "--nodes-out") == 0)
            nodes_out = value;
        else
            ok = false;
        if (!ok)
            return usage();
    }
    if (nodes == 0 || !edges_out)
        return usage();
    KtEdges edges;
    if (kt_edges_draw((uint32_t)nodes, (uint32_t)edge_count, seed, &edges) != KT_OK) {
        (void)fputs("graphgen: out of memory\n", stderr);
        return 1;
    }
    bool ok = kt_edges_sort(&edges) == KT_OK && write_edges(&edges, edges_out) &&
              (!nodes_out || write_nodes(edges.nodes, nodes_out));
    kt_edges_free(&edges);
    return ok ? 0 : 1;
}
