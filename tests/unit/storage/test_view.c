/* Limits of a view: memory, deadline, cancel; what it counts of its own writes. */
#include "base/clock.h"
#include "storage/digest.h"
#include "tests/unit/storage/model.h"

static World *open_world(uint64_t seed)
{
    World *w = world_open(NULL, seed);
    world_begin(w);
    for (int i = 0; i < 300; i++)
        random_change(w);
    (void)world_commit(w);
    return w;
}

static KtStatus write_some(World *w, KtView *view)
{
    uint8_t digest[KT_DIGEST_BYTES];
    KtStatus status = kt_digest(view, digest);
    for (uint32_t i = 0; i < 200 && status == KT_OK; i++) {
        KtNodeId node;
        KtRelId rel;
        KtProp prop = {w->key[0], kt_text("some text that takes room", 25)};
        uint32_t start[2] = {0, 1};
        KtProps props = {start, &prop};
        status = kt_add_nodes(view, 1, w->label, 2, &props, &node);
        if (status == KT_OK)
            status = kt_add_rels(view, 1, w->type[0], &node, &node, &props, &rel);
    }
    return status == KT_OK ? kt_digest(view, digest) : status;
}

Test(storage_view, a_memory_limit_ends_the_query_and_nothing_else)
{
    World *w = open_world(3);
    bool reached = false, passed = false;
    for (size_t limit = 1000; !passed; limit += 3000 + limit / 40) {
        KtBudget budget;
        kt_budget_init(&budget, NULL, limit);
        OK(no_wait(w->db, &w->turn));
        KtViewSpec spec = {.write = true, .budget = &budget};
        KtView *view = NULL;
        kt_diag_clear(&w->diag);
        KtStatus status = kt_view_open(w->db, &spec, &w->diag, &view);
        if (status == KT_OK)
            status = write_some(w, view);
        cr_assert(status == KT_OK || status == KT_ERR_MEMORY, "%s", kt_error_facts(status)->name);
        reached = reached || status == KT_ERR_MEMORY;
        passed = status == KT_OK;
        kt_view_close(view);
        kt_turn_release(w->db, &w->turn);
        cr_assert_eq(atomic_load(&budget.used), 0u, "all is given back");
    }
    cr_assert(reached);
    world_close(w);
}

Test(storage_view, deadline_and_cancel_end_every_call)
{
    World *w = open_world(4);
    atomic_bool cancel = false;
    KtViewSpec spec = {
        .write = false, .cancel = &cancel, .deadline_ns = kt_clock_ns() + 3600000000000};
    KtView *view;
    KtToken token;
    OK(kt_view_open(w->db, &spec, &w->diag, &view));
    OK(kt_name_find(view, KT_NAME_LABEL, KT_TEXT_LITERAL("L0"), &token));
    atomic_store(&cancel, true);
    cr_assert_eq(kt_name_find(view, KT_NAME_LABEL, KT_TEXT_LITERAL("L0"), &token),
                 KT_ERR_CANCELLED);
    kt_diag_clear(&w->diag);
    kt_view_set_limits(view, kt_clock_ns() - 1, NULL);
    cr_assert_eq(kt_name_find(view, KT_NAME_LABEL, KT_TEXT_LITERAL("L0"), &token), KT_ERR_DEADLINE);
    kt_diag_clear(&w->diag);
    kt_view_set_limits(view, 0, NULL);
    OK(kt_name_find(view, KT_NAME_LABEL, KT_TEXT_LITERAL("none"), &token));
    cr_assert_eq(token, 0u);
    kt_view_close(view);
    world_close(w);
}

Test(storage_view, own_writes_are_counted_from_a_mark)
{
    World *w = open_world(5);
    world_begin(w);
    KtNodeId node[2];
    KtRelId rel;
    OK(kt_add_nodes(w->view, 2, w->label, 1, NULL, node));
    KtMark mark = kt_mark(w->view);
    OK(kt_add_rels(w->view, 1, w->type[0], &node[0], &node[1], NULL, &rel));
    KtValue one = kt_int(1);
    KtColumn col = {.kind = KT_COL_VALUE, .constant = true, .data = &one};
    OK(kt_set_props(w->view, KT_NODE, (KtIds){.id = node, .width = 8, .n = 2}, w->key[0], &col));
    OK(kt_del_nodes(w->view, one_id(&node[0]), true));
    OK(kt_del_nodes(w->view, one_id(&node[0]), true));
    KtWriteCounts all = kt_view_counts(w->view, 0), since = kt_view_counts(w->view, mark);
    cr_assert_eq(all.nodes_created, 2u);
    cr_assert_eq(all.labels_added, 2u);
    cr_assert_eq(since.nodes_created, 0u);
    cr_assert_eq(since.rels_created, 1u);
    cr_assert_eq(since.props_set, 2u);
    cr_assert_eq(since.rels_deleted, 1u);
    cr_assert_eq(since.nodes_deleted, 1u);
    world_end(w);
    world_close(w);
}

Test(storage_view, a_null_id_has_nothing)
{
    World *w = open_world(6);
    KtView *view;
    KtViewSpec spec = {.write = false};
    OK(kt_view_open(w->db, &spec, &w->diag, &view));
    uint32_t id[3] = {KT_NO_NODE, 0, KT_NO_NODE};
    uint16_t sel[2] = {0, 2};
    KtIds ids = {.id = id, .width = 4, .sel = sel, .n = 2};
    uint64_t bits = ~(uint64_t)0;
    OK(kt_exist(view, KT_NODE, ids, &bits));
    cr_assert_eq(bits & 7u, 2u, "only the rows asked for are cleared");
    KtColumn col;
    OK(kt_node_props(view, w->key[0], ids, w->arena, &col));
    cr_assert(kt_is_null(kt_col_value(&col, 0)) && kt_is_null(kt_col_value(&col, 2)));
    KtValue map[3];
    OK(kt_records(view, KT_NODE, ids, w->arena, map));
    cr_assert_eq(map[2].len, 0u);
    KtLists labels;
    OK(kt_node_labels(view, ids, w->arena, &labels));
    cr_assert_eq(labels.start[3], 0u);
    kt_view_close(view);
    world_close(w);
}

/* A transaction may hold 64 MiB of values: those that were taken back do not count. */
Test(storage_view, what_is_undone_does_not_use_up_the_room_of_a_transaction)
{
    enum { TEXT = 1 << 20, TIMES = 40, KEPT = 1000 }; /* two a time: 80 MiB */
    World *w = open_world(6);
    world_begin(w);
    char *text = malloc(TEXT);
    memset(text, 'x', TEXT);
    KtNodeId kept, node;
    KtProp small = {w->key[1], kt_text(text, KEPT)}, big = {w->key[0], kt_text(text, TEXT)};
    uint32_t start[2] = {0, 1};
    OK(kt_add_nodes(w->view, 1, w->label, 1, &(KtProps){start, &small}, &kept));
    for (int i = 0; i < TIMES; i++) {
        KtMark mark = kt_mark(w->view);
        OK(kt_add_nodes(w->view, 1, w->label, 1, &(KtProps){start, &big}, &node));
        OK(kt_add_nodes(w->view, 1, w->label, 1, &(KtProps){start, &big}, &node));
        kt_undo(w->view, mark);
        cr_assert_eq(kt_mark(w->view), mark);
    }
    KtColumn col;
    OK(kt_node_props(w->view, w->key[1], (KtIds){.id = &kept, .width = 8, .n = 1}, w->arena, &col));
    KtValue value = kt_col_value(&col, 0);
    cr_assert(value.kind == KT_TEXT && value.len == KEPT && memcmp(value.as.text, text, KEPT) == 0,
              "what came before the mark stays");
    (void)world_commit(w);
    free(text);
    world_close(w);
}
