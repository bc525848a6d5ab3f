/* Sets and maps of nodes, tables of keys: against plain arrays, and clean after clear. */
#include "query/exec/key_table.h"
#include "query/exec/node_map.h"
#include "query/exec/node_set.h"

#include "base/value_cmp.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint64_t state = 99;
static uint32_t roll(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

Test(query_exec_stores, a_set_knows_what_was_added_since_it_was_cleared)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, 0);
    KtNodeSet set = {.budget = &budget};
    for (int round = 0; round < 4; round++) {
        uint8_t *there = calloc(1, 300000);
        uint64_t count = 0;
        for (int i = 0; i < 3000; i++) {
            uint32_t id[8], out[8], fresh, want = 0;
            for (int k = 0; k < 8; k++)
                id[k] = roll(round % 2 ? 300000 : 500);
            cr_assert_eq(kt_node_set_add_all(&set, id, 8, out, &fresh), KT_OK);
            for (int k = 0; k < 8; k++) {
                if (!there[id[k]]) {
                    cr_assert_eq(out[want], id[k]);
                    want++;
                }
                there[id[k]] = 1;
            }
            cr_assert_eq(fresh, want);
            count += want;
        }
        cr_assert_eq(set.count, count);
        for (uint32_t id = 0; id < 300000; id++)
            cr_assert_eq(kt_node_set_has(&set, id), there[id]);
        kt_node_set_clear(&set);
        cr_assert(!kt_node_set_has(&set, 0) && set.count == 0);
        free(there);
    }
    cr_assert(!kt_node_set_has(&set, UINT32_MAX - 1));
    kt_node_set_close(&set);
    cr_assert_eq(atomic_load(&budget.used), 0);
}

Test(query_exec_stores, a_map_counts_by_node)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, 0);
    KtNodeMap map = {.budget = &budget};
    uint64_t *want = calloc(100000, sizeof *want), *at;
    for (int round = 0; round < 2; round++) {
        memset(want, 0, 100000 * sizeof *want);
        for (int i = 0; i < 20000; i++) {
            uint32_t id = roll(100000);
            cr_assert_eq(kt_node_map_at(&map, id, &at), KT_OK);
            ++*at;
            want[id]++;
        }
        for (uint32_t id = 0; id < 100000; id++)
            cr_assert_eq(kt_node_map_get(&map, id), want[id]);
        kt_node_map_clear(&map);
    }
    free(want);
    kt_node_map_close(&map);
    cr_assert_eq(atomic_load(&budget.used), 0);
}

Test(query_exec_stores, a_key_table_numbers_equivalence_classes)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, 0);
    KtKeyTable *table;
    cr_assert_eq(kt_key_table_open(&budget, &table), KT_OK);
    KtValue seen[400];
    for (int round = 0; round < 2; round++) {
        uint32_t n = 0;
        for (int i = 0; i < 5000; i++) {
            KtValue v = kt_null();
            switch (roll(4)) {
            case 0: v = kt_int(roll(90)); break;
            case 1: v = kt_float(roll(90)); break;
            case 2: v = kt_text("abcdefghij", roll(11)); break;
            default: break;
            }
            uint32_t number, want = 0, found;
            bool fresh;
            while (want < n && !kt_value_equivalent(seen[want], v))
                want++;
            kt_key_table_begin(table);
            kt_key_table_put(table, v);
            cr_assert_eq(kt_key_table_find(table, &found), KT_OK);
            cr_assert_eq(found, want == n ? UINT32_MAX : want);
            cr_assert_eq(kt_key_table_end(table, &number, &fresh), KT_OK);
            cr_assert_eq(number, want);
            cr_assert_eq(fresh, want == n);
            if (want == n)
                seen[n++] = v;
        }
        cr_assert_eq(kt_key_table_count(table), n);
        kt_key_table_clear(table);
        cr_assert_eq(kt_key_table_count(table), 0);
    }
    kt_key_table_close(table);
    cr_assert_eq(atomic_load(&budget.used), 0);
}

Test(query_exec_stores, a_store_that_may_not_grow_says_so)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, 9000);
    KtNodeSet set = {.budget = &budget};
    KtNodeMap map = {.budget = &budget};
    bool fresh;
    uint64_t *at;
    KtStatus status = KT_OK;
    for (uint32_t id = 0; status == KT_OK && id < 10000000; id += 40000)
        status = kt_node_set_add(&set, id, &fresh);
    cr_assert_eq(status, KT_ERR_MEMORY);
    kt_node_set_close(&set);
    status = KT_OK;
    for (uint32_t id = 0; status == KT_OK && id < 10000000; id += 4000)
        status = kt_node_map_at(&map, id, &at);
    cr_assert_eq(status, KT_ERR_MEMORY);
    kt_node_map_close(&map);
    cr_assert_eq(atomic_load(&budget.used), 0);
}
