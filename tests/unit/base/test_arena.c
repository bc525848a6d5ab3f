/* The arena and the budget it is charged to. */
#include "base/arena.h"

#include <criterion/criterion.h>
#include <string.h>

Test(base_arena, every_block_is_aligned_to_sixteen)
{
    KtArena *arena;
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    for (size_t size = 1; size < 3000; size += 37)
        cr_assert_eq((uintptr_t)kt_arena_alloc(arena, size) % 16, 0);
    kt_arena_close(arena);
}

Test(base_arena, the_budget_stops_it_and_gets_everything_back)
{
    KtBudget parent, budget;
    kt_budget_init(&parent, NULL, 0);
    kt_budget_init(&budget, &parent, 64 * 1024);
    KtArena *arena;
    cr_assert_eq(kt_arena_open(&budget, &arena), KT_OK);
    size_t got = 0;
    while (kt_arena_alloc(arena, 1000))
        got++;
    cr_assert_gt(got, 30);
    cr_assert_leq(atomic_load(&budget.used), 64 * 1024);
    cr_assert_eq(atomic_load(&budget.used), atomic_load(&parent.used));
    kt_arena_close(arena);
    cr_assert_eq(atomic_load(&budget.used), 0);
    cr_assert_eq(atomic_load(&parent.used), 0);
    cr_assert_gt(atomic_load(&parent.peak), 0);
}

Test(base_arena, a_refused_take_leaves_every_level_as_it_was)
{
    KtBudget parent, budget;
    kt_budget_init(&parent, NULL, 100);
    kt_budget_init(&budget, &parent, 0);
    cr_assert(kt_budget_take(&budget, 60));
    cr_assert_not(kt_budget_take(&budget, 60));
    cr_assert_eq(atomic_load(&budget.used), 60);
    cr_assert_eq(atomic_load(&parent.used), 60);
    cr_assert_not(kt_budget_take(&budget, SIZE_MAX - 10), "a sum that wraps is no room");
    kt_budget_give(&budget, 60);
    cr_assert_eq(atomic_load(&parent.used), 0);
}

Test(base_arena, rewind_frees_only_what_came_after_the_mark)
{
    KtArena *arena;
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    char *keep = kt_arena_text(arena, "kept", 4);
    KtArenaMark mark = kt_arena_mark(arena);
    size_t used = kt_arena_used(arena);
    for (int i = 0; i < 100; i++)
        memset(kt_arena_alloc(arena, 5000), 0xEE, 5000);
    kt_arena_rewind(arena, mark);
    cr_assert_eq(kt_arena_used(arena), used);
    cr_assert_str_eq(keep, "kept");
    kt_arena_reset(arena);
    cr_assert_eq(kt_arena_used(arena), 0);
    kt_arena_close(arena);
    kt_arena_close(NULL);
}

Test(base_arena, zero_refuses_a_product_that_overflows)
{
    KtArena *arena;
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    cr_assert_null(kt_arena_zero(arena, SIZE_MAX / 2, 3));
    cr_assert_null(kt_arena_alloc(arena, SIZE_MAX - 4));
    uint8_t *zero = kt_arena_zero(arena, 1000, 3);
    for (int i = 0; i < 3000; i++)
        cr_assert_eq(zero[i], 0);
    kt_arena_close(arena);
}

Test(base_arena, grow_keeps_the_elements)
{
    KtArena *arena;
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    int *items = NULL;
    uint32_t cap = 0;
    for (uint32_t n = 0; n < 1000; n++) {
        void *at = items;
        cr_assert_eq(kt_arena_grow(arena, &at, n, &cap, sizeof *items), KT_OK);
        items = at;
        items[n] = (int)n;
    }
    for (int n = 0; n < 1000; n++)
        cr_assert_eq(items[n], n);
    kt_arena_close(arena);
}

Test(base_arena, a_budget_knows_which_limit_refused)
{
    KtBudget all, one;
    kt_budget_init(&all, NULL, 100);
    kt_budget_init(&one, &all, 80);
    cr_assert_null(atomic_load(&one.refused));
    cr_assert_not(kt_budget_take(&one, 81));
    cr_assert_eq(atomic_load(&one.refused), &one);
    cr_assert(kt_budget_take(&all, 50));
    cr_assert_not(kt_budget_take(&one, 60));
    cr_assert_eq(atomic_load(&one.refused), &all);
    cr_assert_eq(atomic_load(&one.used), 0);
    kt_budget_give(&all, 50);
}

Test(base_arena, a_budget_of_a_query_knows_when_it_is_over)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, 0);
    cr_assert_eq(kt_budget_time(NULL), KT_OK);
    cr_assert_eq(kt_budget_time(&budget), KT_OK);
    budget.deadline_ns = 1;
    cr_assert_eq(kt_budget_time(&budget), KT_ERR_DEADLINE);
    atomic_bool cancel;
    atomic_init(&cancel, true);
    budget.cancel = &cancel;
    cr_assert_eq(kt_budget_time(&budget), KT_ERR_CANCELLED);
}
