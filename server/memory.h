/* server/memory.h - how much memory this process may use, and who gets how much of it. */
#ifndef KT_SERVER_MEMORY_H
#define KT_SERVER_MEMORY_H

#include "server/config.h"

/* Bytes. Shares of one total: graph cache 45 %, queries 25 %, block cache 12 %, memtables 8 %; the rest is slack. */
typedef struct KtMemoryPlan {
    uint64_t total, graph_cache, queries, query, block_cache, memtables;
} KtMemoryPlan;

/* The physical memory of the machine, or the least limit of this process's cgroup and those above it. */
uint64_t kt_memory_machine(void);
/* What each part may take, by the settings: a part that is set explicitly keeps its figure. Errors: CONFIG when one
 * statement may take more than all of them. */
KtStatus kt_memory_plan(const KtConfig *config, uint64_t machine, KtDiag *diag,
                        KtMemoryPlan *out) KT_MUST_CHECK;

#endif
