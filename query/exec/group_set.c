/* query/exec/group_set.c - one bitmap, or one array of stamps, that goes from group to group. */
#include "query/exec/group_set.h"

#include <stdlib.h>
#include <string.h>

enum {
    AGAIN_LEAST = 64 * 1024, /* nodes read again before jumping counts */
    STAMP_LEAST = 64 * 1024  /* nodes met before stamps are worth their memory */
};

static KtStatus grow(KtBudget *budget, void *array, uint64_t cap, uint64_t need, size_t size,
                     uint64_t *out)
{
    uint64_t more = cap ? cap : 1024;
    void *old;
    memcpy(&old, array, sizeof old);
    while (more < need)
        more *= 2;
    size_t bytes = (size_t)(more - cap) * size;
    if (budget && !kt_budget_take(budget, bytes))
        return KT_ERR_MEMORY;
    void *grown = realloc(old, more * size);
    if (!grown) {
        kt_budget_give(budget, bytes);
        return KT_ERR_MEMORY;
    }
    memcpy(array, &grown, sizeof grown);
    *out = more;
    return KT_OK;
}

static KtStatus room(KtGroupSet *set, uint64_t more)
{
    if (more <= set->cap - set->n)
        return KT_OK;
    return grow(set->budget, &set->id, set->cap, set->n + more, sizeof *set->id, &set->cap);
}

static KtStatus know_group(KtGroupSet *set, uint32_t group)
{
    if (group < set->groups)
        return KT_OK;
    if (group >= set->of_cap) {
        uint64_t cap;
        KT_TRY(
            grow(set->budget, &set->of, set->of_cap, (uint64_t)group + 1, sizeof *set->of, &cap));
        set->of_cap = cap > UINT32_MAX ? UINT32_MAX : (uint32_t)cap;
    }
    memset(set->of + set->groups, 0, (group + 1 - set->groups) * sizeof *set->of);
    set->groups = group + 1;
    return KT_OK;
}

/* ---- jumping groups ---- */

static KtStatus add_hashed(KtGroupSet *set, uint32_t group, const uint32_t *id, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t *at;
        bool made;
        KT_TRY(kt_map64_put(&set->map, (uint64_t)group << 32 | id[i], &at, &made));
        set->of[group].n += made;
    }
    return KT_OK;
}

static KtStatus move_to_map(KtGroupSet *set)
{
    set->hashed = true;
    set->map.budget = set->budget;
    for (uint32_t g = 0; g < set->groups; g++) {
        KtGroupNodes old = set->of[g];
        set->of[g].n = 0;
        for (uint64_t at = 0; at < old.n; at += 1024)
            KT_TRY(add_hashed(set, g, set->id + old.from + at,
                              old.n - at < 1024 ? (uint32_t)(old.n - at) : 1024));
    }
    kt_node_set_close(&set->now);
    kt_node_stamps_close(&set->stamps);
    set->stamped = false;
    kt_budget_give(set->budget, set->cap * sizeof *set->id);
    free(set->id);
    set->id = NULL;
    set->n = set->cap = 0;
    return KT_OK;
}

/* ---- the group at hand ---- */

/* An id is too large: the nodes of the group at hand, which stand at the end of the list, go into the bitmap. */
static KtStatus leave_stamps(KtGroupSet *set, uint64_t from)
{
    set->stamped = false;
    set->large = true;
    for (uint64_t at = from; at < set->n; at += 1024) {
        uint32_t part = set->n - at < 1024 ? (uint32_t)(set->n - at) : 1024, fresh;
        KT_TRY(kt_node_set_add_all(&set->now, set->id + at, part, set->id + at, &fresh));
    }
    return KT_OK;
}

/* Adds nodes to the group at hand, whose list began at `from`. There is room for them. */
static KtStatus put(KtGroupSet *set, uint64_t from, const uint32_t *id, uint32_t n)
{
    uint32_t fresh, done = 0;
    if (set->stamped) {
        done = kt_node_stamps_add(&set->stamps, id, n, set->id + set->n, &fresh);
        set->n += fresh;
        if (done < n)
            KT_TRY(leave_stamps(set, from));
    }
    if (done < n) {
        KT_TRY(kt_node_set_add_all(&set->now, id + done, n - done, set->id + set->n, &fresh));
        set->n += fresh;
    }
    return KT_OK;
}

/* No group is at hand. Without memory for stamps the bitmap does. */
static void empty(KtGroupSet *set)
{
    set->stamps.budget = set->budget;
    if (set->stamped)
        kt_node_stamps_empty(&set->stamps);
    else if (!set->large && set->n >= STAMP_LEAST)
        set->stamped = kt_node_stamps_open(&set->stamps) == KT_OK;
}

static KtStatus switch_group(KtGroupSet *set, uint32_t group)
{
    KT_TRY(know_group(set, group));
    if (set->group && !set->stamped) {
        const KtGroupNodes *old = &set->of[set->group - 1];
        kt_node_set_take_out(&set->now, set->id + old->from, old->n);
    }
    set->group = 0;
    set->now.budget = set->budget;
    empty(set);
    KtGroupNodes *g = &set->of[group];
    uint64_t added = set->n - set->read_again;
    set->read_again += g->n;
    if (set->read_again > AGAIN_LEAST && set->read_again > 2 * added)
        return move_to_map(set);
    KT_TRY(room(set, g->n));
    uint64_t from = set->n;
    for (uint64_t at = 0; at < g->n; at += 1024) {
        uint32_t part = g->n - at < 1024 ? (uint32_t)(g->n - at) : 1024;
        KT_TRY(put(set, from, set->id + g->from + at, part));
    }
    g->from = from;
    set->group = group + 1;
    return KT_OK;
}

KtStatus kt_group_set_add(KtGroupSet *set, uint32_t group, const uint32_t *id, uint32_t n)
{
    if (set->hashed) {
        KT_TRY(know_group(set, group));
        return add_hashed(set, group, id, n);
    }
    if (set->group != group + 1) {
        KT_TRY(switch_group(set, group));
        if (set->hashed)
            return add_hashed(set, group, id, n);
    }
    KT_TRY(room(set, n));
    KT_TRY(put(set, set->of[group].from, id, n));
    set->of[group].n = set->n - set->of[group].from;
    return KT_OK;
}

void kt_group_set_clear(KtGroupSet *set)
{
    kt_node_set_clear(&set->now);
    kt_map64_clear(&set->map);
    set->groups = set->group = 0;
    set->n = set->read_again = 0;
    set->hashed = set->stamped = set->large = false;
}

void kt_group_set_close(KtGroupSet *set)
{
    KtBudget *budget = set->budget;
    kt_node_set_close(&set->now);
    kt_node_stamps_close(&set->stamps);
    kt_map64_close(&set->map);
    kt_budget_give(budget, set->cap * sizeof *set->id + set->of_cap * sizeof *set->of);
    free(set->id);
    free(set->of);
    *set = (KtGroupSet){.budget = budget};
}
