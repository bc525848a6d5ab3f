/* Indexes and unique constraints: seeks and ranges equal a walk over the label, in the store and in own changes;
 * uniqueness holds; building, dropping, going on after a stop. */
#include "base/value_cmp.h"
#include "storage/database_internal.h"
#include "storage/digest.h"
#include "tests/unit/storage/folder.h"
#include "tests/unit/storage/model.h"

#include <math.h>

static KtStatus create(World *w, const char *name, const char *label, const char *key, bool unique,
                       KtCommit *changed)
{
    KtIndexSpec spec = {.name = {name, (uint32_t)strlen(name)},
                        .label = {label, (uint32_t)strlen(label)},
                        .key = {key, (uint32_t)strlen(key)},
                        .unique = unique};
    kt_diag_clear(&w->diag);
    return kt_index_create(w->db, &spec, 0, NULL, &w->diag, changed);
}

/* ---- against the model ---- */

static void compare_seek(World *w, const Model *m, KtView *view, uint32_t index, int label, int key)
{
    enum { SEEKS = 24 };
    KtValue value[SEEKS];
    int64_t plain[SEEKS];
    for (int i = 0; i < SEEKS; i++) {
        plain[i] = random_value(w);
        if (i % 3 == 0 && m->nodes)
            plain[i] = m->node[pick(w, m->nodes)].prop[key];
        value[i] = model_value(w, plain[i]);
        if (i % 5 == 1 && plain[i] > 0)
            value[i] = kt_float((double)plain[i]); /* 1.0 finds 1 */
    }
    KtColumn col = {.kind = KT_COL_VALUE, .data = value};
    KtPairs pairs;
    OK(kt_seek_many(view, index, &col, SEEKS, w->arena, &pairs));
    uint32_t at = 0;
    for (uint32_t i = 0; i < SEEKS; i++) {
        uint32_t want = 0, got = 0;
        for (uint32_t n = 0; n < m->nodes && plain[i]; n++)
            want +=
                m->node[n].exists && m->node[n].label[label] && m->node[n].prop[key] == plain[i];
        for (; at < pairs.n && pairs.row[at] == i; at++, got++) {
            uint32_t n = 0;
            while (n < m->nodes && m->node[n].id != pairs.id[at])
                n++;
            cr_assert(n < m->nodes && m->node[n].exists && m->node[n].label[label] &&
                      m->node[n].prop[key] == plain[i]);
        }
        cr_assert_eq(got, want, "seek of %lld: %u of %u", (long long)plain[i], got, want);
    }
    cr_assert_eq(at, pairs.n);
}

static uint32_t count_in(World *w, const Model *m, int label, int key, const KtRange *range)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->nodes; i++) {
        if (!m->node[i].exists || !m->node[i].label[label] || !m->node[i].prop[key])
            continue;
        KtValue v = model_value(w, m->node[i].prop[key]);
        int order;
        if (range->low &&
            (!kt_value_compare(v, *range->low, &order) || order < (range->low_inclusive ? 0 : 1)))
            continue;
        if (range->high && (!kt_value_compare(v, *range->high, &order) ||
                            order > (range->high_inclusive ? 0 : -1)))
            continue;
        n++;
    }
    return n;
}

static void compare_range(World *w, const Model *m, KtView *view, uint32_t index, int label,
                          int key)
{
    for (int round = 0; round < 8; round++) {
        KtValue low = model_value(w, random_value(w)), high = model_value(w, random_value(w));
        KtRange range = {.low = kt_is_null(low) ? NULL : &low,
                         .high = kt_is_null(high) ? NULL : &high,
                         .low_inclusive = pick(w, 2),
                         .high_inclusive = pick(w, 2)};
        KtScanSpec spec = {.kind = KT_SCAN_INDEX, .index = index, .range = &range};
        KtScan *scan;
        uint32_t got = 0;
        KtValue last = kt_null();
        OK(kt_scan_open(view, &spec, w->arena, &scan));
        for (;;) {
            uint32_t id[5], n;
            OK(kt_scan_next(scan, id, 5, &n));
            if (n == 0)
                break;
            KtColumn col;
            OK(kt_node_props(view, w->key[key], (KtIds){.id = id, .width = 4, .n = n}, w->arena,
                             &col));
            for (uint32_t i = 0; i < n; i++) {
                KtValue v = kt_col_value(&col, i);
                cr_assert(kt_is_null(last) || kt_value_order(last, v) <= 0, "by value");
                last = v;
            }
            got += n;
            if (pick(w, 3) == 0) {
                kt_scan_park(scan);
                kt_view_park(view);
            }
        }
        kt_scan_close(scan);
        uint32_t want = count_in(w, m, label, key, &range);
        cr_assert_eq(got, want, "range: %u of %u", got, want);
    }
}

Test(storage_index, seeks_and_ranges_equal_a_walk_in_the_store_and_in_own_changes)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        World *w = world_open(NULL, seed);
        KtCommit changed;
        OK(create(w, "first", "L0", "k0", false, &changed));
        for (int commit = 0; commit < 5; commit++) {
            world_begin(w);
            KtMark mark = 0;
            Model *at_mark = malloc(sizeof *at_mark), *before = malloc(sizeof *before);
            *at_mark = *before = w->model;
            for (int i = 0; i < 60; i++) {
                if (pick(w, 10) == 0) {
                    mark = kt_mark(w->view);
                    *at_mark = w->model;
                }
                random_change(w);
                if (pick(w, 15) == 0) {
                    kt_undo(w->view, mark);
                    w->model = *at_mark;
                }
            }
            for (int v = 0; v < 3; v++) {
                const Model *m = v == 0 ? &w->model : v == 1 ? at_mark : before;
                kt_see(w->view, v == 0 ? KT_SEE_ALL : v == 1 ? mark : 0);
                compare_seek(w, m, w->view, 1, 0, 0);
                compare_range(w, m, w->view, 1, 0, 0);
                if (commit > 2)
                    compare_seek(w, m, w->view, 2, 1, 1);
            }
            kt_see(w->view, KT_SEE_ALL);
            (void)world_commit(w);
            if (commit == 2)
                OK(create(w, "", "L1", "k1", false, &changed));
            kt_arena_reset(w->arena);
            free(at_mark);
            free(before);
        }
        world_close(w);
    }
}

/* ---- uniqueness ---- */

static KtStatus add_person(World *w, int64_t id, KtNodeId *out)
{
    KtProp prop = {w->key[0], kt_int(id)};
    uint32_t start[2] = {0, 1};
    KtProps props = {start, &prop};
    kt_diag_clear(&w->diag);
    return kt_add_nodes(w->view, 1, w->label, 1, &props, out);
}

static KtStatus set_key(World *w, KtNodeId node, KtValue value)
{
    KtColumn col = {.kind = KT_COL_VALUE, .constant = true, .data = &value};
    kt_diag_clear(&w->diag);
    return kt_set_props(w->view, KT_NODE, one_id(&node), w->key[0], &col);
}

Test(storage_index, no_value_of_a_unique_constraint_is_double)
{
    World *w = world_open(NULL, 1);
    KtCommit changed;
    KtNodeId a, b, c;
    OK(create(w, "u", "L0", "k0", true, &changed));
    world_begin(w);
    OK(add_person(w, 1, &a));
    cr_assert_eq(add_person(w, 1, &b), KT_ERR_CONSTRAINT, "against own changes");
    world_end(w);
    world_begin(w);
    OK(add_person(w, 1, &a));
    OK(add_person(w, 2, &b));
    (void)world_commit(w);
    world_begin(w);
    KtMark mark = kt_mark(w->view);
    cr_assert_eq(add_person(w, 2, &c), KT_ERR_CONSTRAINT, "against the store");
    cr_assert(strstr(w->diag.message, "`u`") && strstr(w->diag.message, "L0"), "%s",
              w->diag.message);
    kt_undo(w->view, mark);
    cr_assert_eq(set_key(w, a, kt_float(2.0)), KT_ERR_CONSTRAINT, "1 and 1.0 are one value");
    kt_undo(w->view, mark);
    OK(set_key(w, b, kt_int(3)));
    OK(set_key(w, a, kt_int(2)));
    OK(set_key(w, b, kt_int(1)));
    KtNodeId without;
    OK(kt_add_nodes(w->view, 1, NULL, 0, NULL, &without));
    OK(set_key(w, without, kt_int(1)));
    mark = kt_mark(w->view);
    kt_diag_clear(&w->diag);
    cr_assert_eq(kt_set_labels(w->view, one_id(&without), w->label[0], true), KT_ERR_CONSTRAINT,
                 "a label may double it too");
    kt_undo(w->view, mark);
    OK(kt_del_nodes(w->view, one_id(&b), false));
    OK(kt_set_labels(w->view, one_id(&without), w->label[0], true));
    kt_diag_clear(&w->diag);
    (void)world_commit(w);
    world_close(w);
}

Test(storage_index, a_commit_checks_again_what_the_writes_did_not_undo)
{
    World *w = world_open(NULL, 1);
    KtCommit changed;
    KtNodeId a, b;
    OK(create(w, "u", "L0", "k0", true, &changed));
    world_begin(w);
    OK(add_person(w, 1, &a));
    cr_assert_eq(add_person(w, 1, &b), KT_ERR_CONSTRAINT);
    KtCommit number;
    kt_diag_clear(&w->diag);
    cr_assert_eq(kt_view_commit(w->view, &w->diag, &number), KT_ERR_CONSTRAINT,
                 "the failed statement was not undone");
    world_end(w);
    cr_assert_eq(kt_stats(w->db).nodes, 0u);
    world_close(w);
}

Test(storage_index, a_double_found_by_the_fill_removes_the_constraint_and_names_both)
{
    World *w = world_open(NULL, 1);
    KtCommit changed;
    static KtNodeId node[2500];
    world_begin(w);
    for (int i = 0; i < 2500; i++)
        OK(add_person(w, i == 2400 ? 17 : i, &node[i]));
    (void)world_commit(w);
    cr_assert_eq(create(w, "u", "L0", "k0", true, &changed), KT_ERR_CONSTRAINT);
    char both[2][16];
    (void)snprintf(both[0], sizeof both[0], "%d", (int)node[17]);
    (void)snprintf(both[1], sizeof both[1], "%d", (int)node[2400]);
    cr_assert(strstr(w->diag.message, both[0]) && strstr(w->diag.message, both[1]), "%s",
              w->diag.message);
    cr_assert_eq(w->db->store->schema->schema.n, 0u);
    OK(create(w, "i", "L0", "k0", false, &changed));
    cr_assert(changed);
    KtView *view;
    KtViewSpec spec = {.write = false};
    OK(kt_view_open(w->db, &spec, &w->diag, &view));
    cr_assert_eq(kt_view_schema(view)->n, 1u);
    cr_assert_eq(kt_view_schema(view)->index[0].state, KT_INDEX_ONLINE);
    KtValue seventeen = kt_int(17);
    KtColumn col = {.kind = KT_COL_VALUE, .data = &seventeen};
    KtPairs pairs;
    OK(kt_seek_many(view, kt_view_schema(view)->index[0].id, &col, 1, w->arena, &pairs));
    cr_assert_eq(pairs.n, 2u);
    kt_view_close(view);
    world_close(w);
}

Test(storage_index, lists_are_unique_too)
{
    World *w = world_open(NULL, 1);
    KtCommit changed;
    KtNodeId a, b;
    KtValue items[2] = {kt_int(1), kt_int(2)}, list = kt_list(items, 2);
    world_begin(w);
    OK(add_person(w, 1, &a));
    OK(add_person(w, 2, &b));
    OK(set_key(w, a, list));
    OK(set_key(w, b, list));
    (void)world_commit(w);
    cr_assert_eq(create(w, "u", "L0", "k0", true, &changed), KT_ERR_CONSTRAINT);
    cr_assert_eq(w->db->store->schema->schema.n, 0u);
    kt_diag_clear(&w->diag);
    world_begin(w);
    OK(set_key(w, b, kt_int(1)));
    (void)world_commit(w);
    OK(create(w, "u", "L0", "k0", true, &changed));
    world_begin(w);
    cr_assert_eq(set_key(w, b, list), KT_ERR_CONSTRAINT);
    world_end(w);
    world_close(w);
}

Test(storage_index, creating_twice_and_dropping_say_what_they_found)
{
    World *w = world_open(NULL, 1);
    KtCommit changed;
    OK(create(w, "i", "L0", "k0", false, &changed));
    cr_assert_eq(create(w, "i", "L1", "k1", false, &changed), KT_ERR_ALREADY_EXISTS);
    cr_assert_eq(create(w, "j", "L0", "k0", false, &changed), KT_ERR_ALREADY_EXISTS);
    KtIndexSpec again = {.name = KT_TEXT_LITERAL("j"),
                         .label = KT_TEXT_LITERAL("L0"),
                         .key = KT_TEXT_LITERAL("k0"),
                         .if_not_exists = true};
    kt_diag_clear(&w->diag);
    OK(kt_index_create(w->db, &again, 0, NULL, &w->diag, &changed));
    cr_assert(!changed);
    cr_assert_eq(
        kt_index_drop(w->db, KT_TEXT_LITERAL("i"), true, false, 0, NULL, &w->diag, &changed),
        KT_ERR_NOT_FOUND);
    kt_diag_clear(&w->diag);
    OK(kt_index_drop(w->db, KT_TEXT_LITERAL("x"), false, true, 0, NULL, &w->diag, &changed));
    cr_assert(!changed);
    OK(kt_index_drop(w->db, KT_TEXT_LITERAL("i"), false, false, 0, NULL, &w->diag, &changed));
    cr_assert(changed);
    cr_assert_eq(w->db->store->schema->schema.n, 0u);
    world_close(w);
}

Test(storage_index, an_index_found_building_is_filled_on_at_open)
{
    Folder f = folder_make();
    World *w = world_open(f.db, 1), *other = world_open(NULL, 1);
    KtCommit changed;
    KtNodeId node;
    for (int copy = 0; copy < 2; copy++) {
        World *x = copy ? other : w;
        world_begin(x);
        KtStatus status = KT_OK;
        World *keep = w;
        w = x;
        for (int i = 0; i < 1500 && status == KT_OK; i++)
            status = add_person(x, i, &node);
        OK(status);
        (void)world_commit(x);
        w = keep;
    }
    OK(create(other, "u", "L0", "k0", true, &changed));
    /* the commit that begins a build, and then a stop */
    KtChange put = {.kind = KT_CHANGE_INDEX_PUT,
                    .sub = KT_INDEX_BUILDING,
                    .unique = true,
                    .token = w->label[0],
                    .key = w->key[0],
                    .id = 1,
                    .text = KT_TEXT_LITERAL("u")};
    KtCommit number;
    world_begin(w);
    OK(kt_sequence(w->db, &put, 1, &w->diag, &number));
    world_end(w);
    kt_database_close(w->db);
    KtDatabaseSpec spec = {.path = f.db};
    OK(kt_database_open(&spec, &w->diag, &w->db));
    cr_assert_eq(w->db->store->schema->schema.index[0].state, KT_INDEX_ONLINE);
    uint8_t digest[2][KT_DIGEST_BYTES];
    for (int copy = 0; copy < 2; copy++) {
        KtView *view;
        KtViewSpec read = {.write = false};
        OK(kt_view_open(copy ? other->db : w->db, &read, &w->diag, &view));
        OK(kt_digest(view, digest[copy]));
        kt_view_close(view);
    }
    cr_assert_arr_eq(digest[0], digest[1], KT_DIGEST_BYTES);
    world_close(w);
    world_close(other);
    folder_remove(&f);
}

Test(storage_index, keys_that_an_index_does_not_hold_are_found_all_the_same)
{
    World *w = world_open(NULL, 1);
    KtCommit changed;
    KtNodeId node;
    OK(create(w, "i", "L0", "k0", false, &changed));
    world_begin(w);
    OK(add_person(w, 1, &node));
    KtValue items[2] = {kt_int(1), kt_int(2)}, list = kt_list(items, 2);
    OK(set_key(w, node, list));
    (void)world_commit(w);
    KtView *view;
    KtViewSpec spec = {.write = false};
    OK(kt_view_open(w->db, &spec, &w->diag, &view));
    KtValue keys[4] = {list, kt_int(1), kt_null(), kt_float(NAN)};
    KtColumn col = {.kind = KT_COL_VALUE, .data = keys};
    KtPairs pairs;
    OK(kt_seek_many(view, 1, &col, 4, w->arena, &pairs));
    cr_assert_eq(pairs.n, 1u);
    cr_assert_eq(pairs.row[0], 0u);
    kt_view_close(view);
    world_close(w);
}
