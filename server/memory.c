/* server/memory.c - one budget from the machine or its cgroup, cut into shares. */
#include "server/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file that holds one number; "max" and anything else that is none give UINT64_MAX. */
static uint64_t read_limit(const char *path)
{
    FILE *in = fopen(path, "re");
    if (!in)
        return UINT64_MAX;
    char line[64] = "", *end = line;
    bool read = fgets(line, sizeof line, in) != NULL;
    fclose(in);
    unsigned long long v =
        strtoull(line, &end, 10); /* out of range: the largest, no limit either */
    return read && end != line ? (uint64_t)v : UINT64_MAX;
}

/* The least memory.max on the way from this process's group (version 2) up to the root. */
static uint64_t cgroup_limit(void)
{
    uint64_t least =
        read_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes"); /* version 1, in a container */
    FILE *in = fopen("/proc/self/cgroup", "re");
    if (!in)
        return least;
    char line[1024], path[1200];
    while (fgets(line, sizeof line, in)) {
        if (strncmp(line, "0::", 3) != 0)
            continue;
        line[strcspn(line, "\n")] = 0;
        char *group = line + 3;
        for (;;) {
            snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max",
                     strcmp(group, "/") == 0 ? "" : group);
            uint64_t v = read_limit(path);
            if (v < least)
                least = v;
            char *slash = strrchr(group, '/');
            if (!slash || (slash == group && group[1] == 0))
                break;
            slash[slash == group] = 0;
        }
    }
    fclose(in);
    return least;
}

uint64_t kt_memory_machine(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t machine = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : (uint64_t)1 << 30;
    uint64_t group = cgroup_limit();
    return group < machine ? group : machine;
}

static uint64_t share(uint64_t set, uint64_t total, unsigned percent)
{
    return set ? set : total / 100 * percent;
}

KtStatus kt_memory_plan(const KtConfig *config, uint64_t machine, KtDiag *diag, KtMemoryPlan *out)
{
    KtMemoryPlan plan = {0};
    plan.total = config->memory_total ? config->memory_total : machine;
    plan.graph_cache = share(config->memory_graph, plan.total, 45);
    plan.queries = share(config->memory_queries, plan.total, 25);
    plan.block_cache = share(config->memory_blocks, plan.total, 12);
    plan.memtables = share(config->memory_memtables, plan.total, 8);
    plan.query = config->memory_query ? config->memory_query : plan.queries / 8;
    if (plan.query > plan.queries)
        return kt_diag_set(
            diag, KT_ERR_CONFIG, NULL,
            "memory query (%llu bytes) is more than memory queries (%llu bytes), which all statements share",
            (unsigned long long)plan.query, (unsigned long long)plan.queries);
    *out = plan;
    return KT_OK;
}
