/* A view of an in-memory database against a plain model: own changes, marks, undo, commits. */
#include "tests/unit/storage/model.h"

Test(storage_graph, a_first_node_and_edge_are_there_after_commit)
{
    World *w = world_open(NULL, 1);
    world_begin(w);
    KtNodeId node[2];
    KtRelId rel;
    OK(kt_add_nodes(w->view, 2, w->label, 1, NULL, node));
    OK(kt_add_rels(w->view, 1, w->type[0], &node[0], &node[1], NULL, &rel));
    cr_assert_eq(kt_stats(w->db).nodes, 0, "nothing is counted before the commit");
    cr_assert_eq(world_commit(w), 1);
    cr_assert_eq(kt_stats(w->db).nodes, 2);
    cr_assert_eq(kt_stats(w->db).rels, 1);
    cr_assert_eq(kt_stats_label(w->db, w->label[0]), 2);
    cr_assert_eq(kt_stats_type(w->db, w->type[0]), 1);
    KtView *view;
    KtViewSpec spec = {.write = false};
    OK(kt_view_open(w->db, &spec, &w->diag, &view));
    KtHop hop = {.dir = KT_OUT};
    uint64_t degree[2];
    OK(kt_degrees(view, &hop, (KtIds){.id = node, .width = 8, .n = 2}, degree));
    cr_assert_eq(degree[0], 1);
    cr_assert_eq(degree[1], 0);
    cr_assert_eq(kt_add_nodes(view, 1, NULL, 0, NULL, node), KT_ERR_WRITE_IN_READ_ONLY);
    kt_view_close(view);
    world_close(w);
}

Test(storage_graph, a_view_equals_a_model_through_marks_undo_and_commits)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        World *w = world_open(NULL, seed);
        for (int commit = 0; commit < 6; commit++) {
            world_begin(w);
            Model *before = malloc(sizeof *before), *at_mark = malloc(sizeof *at_mark);
            *before = w->model;
            KtMark mark = 0;
            *at_mark = w->model;
            for (int i = 0; i < 60; i++) {
                if (pick(w, 10) == 0) {
                    mark = kt_mark(w->view);
                    *at_mark = w->model;
                }
                random_change(w);
                if (pick(w, 12) == 0) {
                    kt_undo(w->view, mark);
                    w->model = *at_mark;
                }
            }
            compare_all(w, &w->model, w->view);
            kt_see(w->view, mark);
            compare_all(w, at_mark, w->view);
            kt_see(w->view, 0);
            compare_all(w, before, w->view);
            kt_see(w->view, KT_SEE_ALL);
            if (pick(w, 4) == 0) {
                world_end(w); /* rolled back */
                w->model = *before;
            } else {
                (void)world_commit(w);
            }
            KtView *view;
            KtViewSpec spec = {.write = false};
            OK(kt_view_open(w->db, &spec, &w->diag, &view));
            compare_all(w, &w->model, view);
            kt_view_close(view);
            free(before);
            free(at_mark);
        }
        world_close(w);
    }
}

Test(storage_graph, an_older_view_does_not_move)
{
    World *w = world_open(NULL, 77);
    world_begin(w);
    for (int i = 0; i < 120; i++)
        random_change(w);
    (void)world_commit(w);
    Model *old = malloc(sizeof *old);
    *old = w->model;
    KtView *view;
    KtViewSpec spec = {.write = false};
    OK(kt_view_open(w->db, &spec, &w->diag, &view));
    for (int c = 0; c < 3; c++) {
        world_begin(w);
        for (int i = 0; i < 40; i++)
            random_change(w);
        (void)world_commit(w);
        compare_all(w, old, view);
    }
    kt_view_close(view);
    free(old);
    world_close(w);
}

/* Reads the lists of nodes from[0 .. n) through the cache, and stays inside its epoch. */
static void read_lists(World *w, KtView *view, const KtNodeId *from, uint32_t n)
{
    KtHop hop = {.dir = KT_OUT};
    KtExpand *expand;
    KtSlice slice[64];
    uint32_t got;
    OK(kt_expand_open(view, &hop, w->arena, &expand));
    OK(kt_expand_feed(expand, (KtIds){.id = from, .width = 8, .n = n}));
    do {
        OK(kt_expand_next(expand, slice, 64, &got));
    } while (got > 0);
    kt_expand_close(expand);
}

Test(storage_graph, a_reader_that_stays_inside_makes_the_database_want_parks)
{
    enum { HUBS = 300, RELS = 1000 };
    World *w = calloc(1, sizeof *w);
    OK(kt_arena_open(NULL, &w->arena));
    KtDatabaseSpec spec = {.create = true, .id = 1, .cache_bytes = 1024 * 1024};
    OK(kt_database_open(&spec, &w->diag, &w->db));
    world_begin(w);
    world_names(w);
    world_end(w);
    KtNodeId node[HUBS], from[RELS];
    KtRelId rel[RELS];
    world_begin(w);
    OK(kt_add_nodes(w->view, HUBS, NULL, 0, NULL, node));
    OK(kt_view_commit(w->view, &w->diag, &(KtCommit){0}));
    world_end(w);
    for (uint32_t i = 0; i < HUBS; i++) {
        KtNodeId to[RELS];
        for (uint32_t k = 0; k < RELS; k++) {
            from[k] = node[i];
            to[k] = node[k % HUBS];
        }
        if (i % 50 == 0)
            world_begin(w);
        OK(kt_add_rels(w->view, RELS, w->type[0], from, to, NULL, rel));
        if (i % 50 == 49) {
            OK(kt_view_commit(w->view, &w->diag, &(KtCommit){0}));
            world_end(w);
        }
    }
    KtView *stays, *reads;
    KtViewSpec read = {.write = false};
    OK(kt_view_open(w->db, &read, &w->diag, &stays));
    OK(kt_view_open(w->db, &read, &w->diag, &reads));
    cr_assert_not(kt_database_wants_parks(w->db));
    read_lists(w, stays, node, 1);
    read_lists(w, reads, node, HUBS);
    kt_view_park(reads);
    cr_assert(kt_database_wants_parks(w->db), "what was evicted waits for the other view");
    kt_view_park(stays);
    cr_assert_not(kt_database_wants_parks(w->db), "and is freed once that has parked");
    kt_view_close(stays);
    kt_view_close(reads);
    world_close(w);
}
