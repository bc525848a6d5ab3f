/* Sets and numbers by node against plain arrays. */
#include "query/exec/group_set.h"
#include "query/exec/node_index.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { IDS = 200000, MOST = 64 };

static uint32_t roll(uint64_t *state, uint32_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % below);
}

/* Adds random nodes; a group stays at hand for up to `stay` batches. */
static void check_groups(KtGroupSet *set, uint64_t seed, uint32_t groups, uint32_t stay,
                         uint32_t batches, uint32_t ids)
{
    uint8_t *has = calloc(groups, ids);
    uint32_t *count = calloc(groups, sizeof *count), group = 0, left = 0;
    for (uint32_t b = 0; b < batches; b++) {
        uint32_t id[MOST], n = roll(&seed, MOST);
        if (left-- == 0) {
            group = roll(&seed, groups);
            left = roll(&seed, stay);
        }
        for (uint32_t i = 0; i < n; i++) {
            id[i] = roll(&seed, roll(&seed, 2) ? 100 : ids);
            count[group] += !has[(size_t)group * ids + id[i]];
            has[(size_t)group * ids + id[i]] = 1;
        }
        cr_assert_eq(kt_group_set_add(set, group, id, n), KT_OK);
        cr_assert_eq(kt_group_set_count(set, group), count[group]);
    }
    for (uint32_t g = 0; g < groups; g++)
        cr_assert_eq(kt_group_set_count(set, g), count[g], "group %u", g);
    free(has);
    free(count);
}

/* A group comes back with an id that is too large for stamps, after and before others that it had. */
static void check_more(KtGroupSet *set, uint32_t groups)
{
    for (uint32_t g = 0; g < groups; g++) {
        uint64_t before = kt_group_set_count(set, g);
        uint32_t id[4] = {KT_STAMPS_IDS + 7, IDS + g, KT_STAMPS_IDS + 7, IDS + g};
        cr_assert_eq(kt_group_set_add(set, g, id, 4), KT_OK);
        cr_assert_eq(kt_group_set_add(set, g, id, 4), KT_OK);
        cr_assert_eq(kt_group_set_count(set, g), before + 2);
    }
}

Test(query_exec_sets, groups_count_different_nodes_in_any_order)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, 0);
    KtGroupSet set = {.budget = &budget};
    check_groups(&set, 1, 1, 1, 2000, IDS);
    kt_group_set_clear(&set);
    check_groups(&set, 2, 10, 1000, 4000, IDS);
    cr_assert_not(set.hashed);
    kt_group_set_clear(&set);
    check_groups(&set, 3, 40, 1, 8000, IDS); /* jumps with every batch */
    cr_assert(set.hashed);
    kt_group_set_clear(&set);
    check_groups(&set, 4, 5, 10, 1000, IDS);
    kt_group_set_clear(&set);
    check_groups(&set, 5, 20, 1500, 12000, IDS); /* so many that stamps take over from the bitmap */
    cr_assert(set.stamped);
    check_more(&set, 20);
    kt_group_set_clear(&set);
    check_groups(&set, 6, 20, 1500, 12000, 2 * KT_STAMPS_IDS); /* ids that are too large for them */
    cr_assert(set.large && !set.stamped && !set.hashed);
    kt_group_set_close(&set);
    cr_assert_eq(atomic_load(&budget.used), 0);
}

Test(query_exec_sets, numbers_are_in_order_of_arrival_and_gone_when_cleared)
{
    KtBudget budget;
    KtPool *pool;
    uint32_t *want = calloc(IDS, sizeof *want);
    uint64_t seed = 7;
    kt_budget_init(&budget, NULL, 0);
    cr_assert_eq(kt_pool_open(&pool), KT_OK);
    for (uint32_t turn = 0; turn < 6; turn++) {
        KtNodeIndex index;
        uint32_t next = 0;
        kt_pool_take(pool, &budget, &index);
        cr_assert_eq(index.n, 0);
        cr_assert(turn == 0 || index.pages > 0); /* the kept one */
        memset(want, 0, IDS * sizeof *want);
        for (uint32_t b = 0; b < 200 * (turn + 1); b++) {
            uint32_t id[MOST], number[MOST], n = roll(&seed, MOST);
            for (uint32_t i = 0; i < n; i++)
                id[i] = roll(&seed, IDS);
            cr_assert_eq(kt_node_index_put(&index, id, n, number), KT_OK);
            for (uint32_t i = 0; i < n; i++) {
                if (want[id[i]] == 0)
                    want[id[i]] = ++next;
                cr_assert_eq(number[i], want[id[i]] - 1);
                cr_assert_eq(index.id[number[i]], id[i]);
            }
        }
        cr_assert_eq(index.n, next);
        for (uint32_t id = 0; id < IDS; id++)
            cr_assert_eq(kt_node_index_find(&index, id), want[id] - 1);
        cr_assert_eq(kt_node_index_find(&index, UINT32_MAX - 1), UINT32_MAX);
        kt_pool_give(pool, &index);
        cr_assert_eq(atomic_load(&budget.used), 0);
    }
    kt_pool_close(pool);
    free(want);
}

Test(query_exec_sets, a_budget_refuses_a_kept_index_that_is_too_large_for_it)
{
    KtBudget budget;
    KtPool *pool;
    KtNodeIndex index;
    uint32_t id[2] = {5, 1000000};
    kt_budget_init(&budget, NULL, 6000);
    cr_assert_eq(kt_pool_open(&pool), KT_OK);
    kt_pool_take(pool, NULL, &index);
    cr_assert_eq(kt_node_index_put(&index, id, 2, NULL), KT_OK);
    kt_pool_give(pool, &index);
    kt_pool_take(pool, &budget, &index);
    cr_assert_eq(index.pages, 0);
    cr_assert_eq(kt_node_index_put(&index, id, 2, NULL), KT_ERR_MEMORY);
    kt_node_index_close(&index);
    cr_assert_eq(atomic_load(&budget.used), 0);
    kt_pool_close(pool);
}
