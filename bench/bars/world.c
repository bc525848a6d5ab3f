/* bench/bars/world.c - a drawn graph as arrays and as a database filled by import and opened again. */
#include "bench/bars/bar.h"
#include "bench/bars/beside.h"

#include "storage/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <ftw.h>
#include <unistd.h>

enum {
    SEED = 20261,
    LARGE_NODES = 1000000,
    LARGE_EDGES = 20000000,
    SMALL_NODES = 50000,
    SMALL_EDGES = 1000000
};

static bool say(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench: %s: %s\n", what, why);
    return false;
}

static size_t folder_bytes;
static int add_size(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)path;
    (void)where;
    if (type == FTW_F)
        folder_bytes += (size_t)st->st_blocks * 512;
    return 0;
}

size_t bar_resident_bytes(const char *statm)
{
    char line[256] = "";
    FILE *f = fopen(statm, "r");
    if (f) {
        if (!fgets(line, sizeof line, f))
            line[0] = 0;
        (void)fclose(f);
    }
    char *second = strchr(line, ' '); /* the first is the size, the second what is resident */
    return second ? strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

bool world_draw(bool large, KtEdges *out)
{
    return kt_edges_draw(large ? LARGE_NODES : SMALL_NODES, large ? LARGE_EDGES : SMALL_EDGES, SEED,
                         out) == KT_OK;
}

/* The drawn edges and lonely -> nobody, sorted. */
static bool draw(World *world, KtEdges *edges)
{
    if (!world_draw(world->large, edges))
        return false;
    uint32_t nodes = edges->nodes;
    world->nodes = nodes;
    world->lonely = nodes;
    /* Nobody passes the filter of one-start: the fixed cost is that of all of a statement, the second hop included. */
    while (kt_gen_x(world->lonely + 1) < BAR_FILTER)
        world->lonely++;
    uint32_t *from = realloc(edges->from, (edges->edges + 1) * sizeof *from);
    if (from)
        edges->from = from;
    uint32_t *to = realloc(edges->to, (edges->edges + 1) * sizeof *to);
    if (to)
        edges->to = to;
    if (!from || !to)
        return false;
    from[edges->edges] = world->lonely;
    to[edges->edges] = world->lonely + 1;
    edges->edges++;
    edges->nodes = world->lonely + 2;
    return kt_edges_sort(edges) == KT_OK;
}

static bool write_files(const World *world, const KtEdges *edges, const char *edge_file,
                        const char *node_file)
{
    FILE *e = fopen(edge_file, "w"), *n = fopen(node_file, "w");
    if (!e || !n)
        return say(edge_file, "cannot be written");
    for (uint32_t i = 0; i < edges->edges; i++)
        (void)fprintf(e, "%u %u\n", edges->from[i], edges->to[i]);
    (void)fprintf(n, "id,x:integer\n");
    for (uint32_t i = 0; i < edges->nodes; i++)
        (void)fprintf(n, "%u,%lld\n", i, (long long)world->x[i]);
    bool ok = fclose(e) == 0;
    ok &= fclose(n) == 0;
    return ok || say(edge_file, "cannot be written");
}

static bool import(World *world, const KtEdges *edges, const char *folder)
{
    char edge_file[4200], node_file[4200], data[4200];
    KtDiag diag;
    KtImportCounts counts;
    kt_diag_clear(&diag);
    (void)snprintf(edge_file, sizeof edge_file, "%s/edges", folder);
    (void)snprintf(node_file, sizeof node_file, "%s/nodes.csv", folder);
    (void)snprintf(data, sizeof data, "%s/data", folder);
    if (!write_files(world, edges, edge_file, node_file))
        return false;
    KtImportSpec spec = {
        .data = data, .edges = edge_file, .nodes = node_file, .label = "P", .type = "T"};
    if (kt_import(&spec, &diag, &counts) != KT_OK)
        return say("import", diag.message);
    (void)unlink(edge_file);
    (void)unlink(node_file);
    return counts.nodes == edges->nodes && counts.rels == edges->edges && counts.rejects == 0;
}

static bool open_database(World *world, const char *folder)
{
    char path[4200];
    KtDiag diag;
    kt_diag_clear(&diag);
    (void)snprintf(path, sizeof path, "%s/data/1", folder);
    folder_bytes = 0;
    (void)nftw(path, add_size, 16, FTW_PHYS);
    world->bytes_per_edge = (double)folder_bytes / world->csr.edges;
    /* Room for all lists. Little for blocks: they are read once, and what they take is not the graph cache's. */
    KtDatabaseSpec spec = {.path = path,
                           .id = 1,
                           .cache_bytes = (size_t)4 << 30,
                           .block_cache_bytes = (size_t)32 << 20};
    if (kt_database_open(&spec, &diag, &world->db) != KT_OK)
        return say(path, diag.message);
    if (kt_engine_open(world->db, NULL, &world->engine) != KT_OK)
        return false;
    KtViewSpec view = {0};
    return kt_view_open(world->db, &view, &diag, &world->view) == KT_OK;
}

/* Every list of both directions, as queries would bring them in. */
static bool warm(World *world)
{
    size_t before = bar_resident_bytes("/proc/self/statm");
    KtHop hop = {.dir = KT_BOTH, .rels = true};
    KtExpand *expand;
    KtSlice slice[64];
    uint32_t id[KT_IDS_MOST], n;
    if (kt_expand_open(world->view, &hop, world->arena, &expand) != KT_OK)
        return false;
    for (uint32_t at = 0; at < world->csr.nodes; at += KT_IDS_MOST) {
        uint32_t count = world->csr.nodes - at < KT_IDS_MOST ? world->csr.nodes - at : KT_IDS_MOST;
        for (uint32_t i = 0; i < count; i++)
            id[i] = at + i;
        if (kt_expand_feed(expand, (KtIds){.id = id, .width = KT_NODE_WIDTH, .n = count}) != KT_OK)
            return false;
        do {
            if (kt_expand_next(expand, slice, KT_COUNT(slice), &n) != KT_OK)
                return false;
        } while (n > 0);
    }
    kt_expand_close(expand);
    world->cache_growth = bar_resident_bytes("/proc/self/statm") - before;
    (void)world_ask(world, "MATCH (n) RETURN sum(n.x)",
                    kt_map(NULL, 0)); /* and the property's pages */
    return true;
}

bool world_open(World *world, bool large, const char *folder, const char *kithd)
{
    *world = (World){.large = large, .folder = folder, .kithd = kithd};
    KtEdges edges;
    beside_remove(folder);
    if (mkdir(folder, 0777) != 0)
        return say(folder, "cannot be made");
    if (kt_arena_open(NULL, &world->arena) != KT_OK || !draw(world, &edges))
        return say(folder, "out of memory");
    world->x = malloc(edges.nodes * sizeof *world->x);
    if (!world->x || kt_csr_build(&edges, &world->csr) != KT_OK)
        return say(folder, "out of memory");
    for (uint32_t i = 0; i < edges.nodes; i++)
        world->x[i] = kt_gen_x(i);
    kt_gen_starts(&world->csr, SEED + 1, BAR_STARTS, world->start);
    int64_t began = bar_cpu_ns();
    bool ok = import(world, &edges, folder);
    (void)printf("# %s: %u nodes, %u edges, imported in %.1f s of CPU\n", large ? "large" : "small",
                 edges.nodes, edges.edges, (double)(bar_cpu_ns() - began) / 1e9);
    kt_edges_free(&edges);
    ok = ok && open_database(world, folder);
    began = bar_cpu_ns();
    ok = ok && warm(world);
    (void)printf("# warm in %.1f s; %.1f bytes an edge on disk\n",
                 (double)(bar_cpu_ns() - began) / 1e9, world->bytes_per_edge);
    return ok;
}

void world_close(World *world)
{
    dirty_close(world);
    kt_view_close(world->view);
    kt_engine_close(world->engine);
    kt_database_close(world->db);
    kt_csr_free(&world->csr);
    kt_arena_close(world->arena);
    free(world->x);
}
