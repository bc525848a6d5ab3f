/* tests/unit/server/test_memory.c - one budget cut into shares. */
#include "server/memory.h"

#include <criterion/criterion.h>

TestSuite(server_memory);

Test(server_memory, shares_leave_slack_and_follow_the_total)
{
    KtConfig config;
    KtMemoryPlan plan;
    cr_assert_eq(kt_config_open(&config), KT_OK);
    cr_assert_eq(kt_memory_plan(&config, 1000 * 1000, NULL, &plan), KT_OK);
    cr_assert_eq(plan.graph_cache, 450 * 1000);
    cr_assert_eq(plan.queries, 250 * 1000);
    cr_assert_eq(plan.block_cache, 120 * 1000);
    cr_assert_eq(plan.memtables, 80 * 1000);
    cr_assert_eq(plan.query, 31250);
    config.memory_total = 100 * 1000;
    config.memory_graph = 5;
    cr_assert_eq(kt_memory_plan(&config, 1000 * 1000, NULL, &plan), KT_OK);
    cr_assert_eq(plan.total, 100 * 1000);
    cr_assert_eq(plan.graph_cache, 5);
    cr_assert_eq(plan.queries, 25 * 1000);
    kt_config_close(&config);
}

Test(server_memory, one_statement_cannot_have_more_than_all)
{
    KtConfig config;
    KtMemoryPlan plan;
    KtDiag diag = {0};
    cr_assert_eq(kt_config_open(&config), KT_OK);
    config.memory_query = 1000;
    config.memory_queries = 999;
    cr_assert_eq(kt_memory_plan(&config, 1000 * 1000, &diag, &plan), KT_ERR_CONFIG);
    kt_config_close(&config);
}

Test(server_memory, the_machine_has_some) { cr_assert_gt(kt_memory_machine(), 16u << 20); }
