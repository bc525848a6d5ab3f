/* Every operation of the key-value store may fail, once, at any place: afterwards the database, opened again, is as
 * it was before the commit or as after it, and never between. */
#include "storage/database_internal.h"
#include "storage/digest.h"
#include "storage/format.h"
#include "tests/unit/storage/folder.h"
#include "tests/unit/storage/model.h"

static KtDatabaseSpec spec_of(const char *path)
{
    return (KtDatabaseSpec){.path = path, .create = true, .id = 1};
}

static void open_faulty(World *w, const char *path, KtKv **fault)
{
    KtKvSpec kv = {.path = path, .create = true, .family = kt_families, .families = KT_FAMILIES};
    KtKv *inner;
    OK(kt_kv_open(&kv, &w->diag, &inner));
    OK(kt_kv_fault_open(inner, fault));
    KtDatabaseSpec spec = spec_of(path);
    OK(kt_database_open_kv(*fault, &spec, &w->diag, &w->db));
}

static void digest_of(World *w, uint8_t out[KT_DIGEST_BYTES])
{
    KtView *view;
    KtViewSpec spec = {.write = false};
    OK(kt_view_open(w->db, &spec, &w->diag, &view));
    OK(kt_digest(view, out));
    kt_view_close(view);
}

/* A transaction of every kind of change, on nodes and relationships that are there. */
static KtStatus transaction(World *w, KtNodeId node, KtNodeId other, KtRelId rel)
{
    KtDiag *diag = &w->diag;
    KtViewSpec spec = {.write = true};
    KtTurn turn = {0};
    kt_diag_clear(diag);
    KtStatus status = kt_turn_wait(w->db, &turn, 0, NULL);
    KtView *view = NULL;
    KtNodeId made;
    KtRelId made_rel;
    KtCommit number;
    KtValue value = kt_int(99);
    KtColumn col = {.kind = KT_COL_VALUE, .constant = true, .data = &value};
    status = status ? status : kt_view_open(w->db, &spec, diag, &view);
    status = status ? status : kt_add_nodes(view, 1, w->label, 1, NULL, &made);
    status = status ? status : kt_add_rels(view, 1, w->type[0], &node, &made, NULL, &made_rel);
    status = status ? status : kt_set_props(view, KT_NODE, one_id(&node), w->key[0], &col);
    status = status ? status : kt_set_labels(view, one_id(&node), w->label[1], true);
    status = status ? status : kt_set_props(view, KT_REL, one_id(&rel), w->key[1], &col);
    status = status ? status : kt_del_nodes(view, one_id(&other), true);
    status = status ? status : kt_statement_end(view, diag);
    status = status ? status : kt_view_commit(view, diag, &number);
    kt_view_close(view);
    kt_turn_release(w->db, &turn);
    return status;
}

static void set_up(World *w, KtNodeId node[3], KtRelId rel[2])
{
    world_begin(w);
    world_names(w);
    KtProp prop = {w->key[0], kt_int(1)};
    uint32_t start[4] = {0, 1, 1, 1};
    KtProps props = {start, &prop};
    OK(kt_add_nodes(w->view, 3, w->label, 1, &props, node));
    KtNodeId from[2] = {node[0], node[2]}, to[2] = {node[1], node[1]};
    OK(kt_add_rels(w->view, 2, w->type[0], from, to, NULL, rel));
    (void)world_commit(w);
    KtCommit changed;
    KtIndexSpec index = {
        .label = KT_TEXT_LITERAL("L0"), .key = KT_TEXT_LITERAL("k0"), .unique = true};
    OK(kt_index_create(w->db, &index, 0, NULL, &w->diag, &changed));
}

static void sweep(KtKvFaultOn on)
{
    for (uint64_t nth = 0;; nth++) {
        Folder f = folder_make();
        World *w = calloc(1, sizeof *w);
        OK(kt_arena_open(NULL, &w->arena));
        KtKv *fault;
        KtNodeId node[3];
        KtRelId rel[2];
        uint8_t before[KT_DIGEST_BYTES], after[KT_DIGEST_BYTES], now[KT_DIGEST_BYTES];
        open_faulty(w, f.db, &fault);
        set_up(w, node, rel);
        digest_of(w, before);
        kt_kv_fault_set(fault, on, nth, false);
        KtStatus status = transaction(w, node[0], node[1], rel[1]);
        bool failed = kt_kv_fault_hits(fault, on) > 0;
        kt_kv_fault_set(fault, on, UINT64_MAX, false);
        cr_assert_eq(failed, status != KT_OK, "operation %d fault %d: %s", (int)nth, (int)on,
                     w->diag.message);
        bool latched = kt_database_latched(w->db);
        cr_assert_eq(latched, status == KT_ERR_COMMIT_OUTCOME_UNKNOWN);
        digest_of(w, now); /* reads go on */
        if (status != KT_OK)
            cr_assert_arr_eq(now, before, KT_DIGEST_BYTES, "what failed is not seen");
        if (latched)
            cr_assert_eq(transaction(w, node[0], node[1], rel[1]), KT_ERR_READ_ONLY_LATCHED);
        kt_database_close(w->db);
        KtDatabaseSpec spec = spec_of(f.db);
        kt_diag_clear(&w->diag);
        OK(kt_database_open(&spec, &w->diag, &w->db));
        digest_of(w, now);
        bool old = memcmp(now, before, sizeof now) == 0;
        if (old)
            OK(transaction(w, node[0], node[1], rel[1]));
        digest_of(w, after);
        cr_assert(memcmp(before, after, sizeof now) != 0);
        if (!old) {
            cr_assert(status == KT_OK || latched, "only an unknown outcome may be kept");
            cr_assert_eq(kt_stats(w->db).nodes, 3u);
            cr_assert_eq(kt_stats(w->db).rels, 1u);
        }
        KtCommit published = kt_database_published(w->db);
        kt_database_close(w->db);
        kt_arena_close(w->arena);
        free(w);
        folder_remove(&f);
        cr_assert_geq(published, 5u);
        if (!failed)
            return;
    }
}

Test(storage_fault, a_failed_read_leaves_the_old_state) { sweep(KT_FAULT_READ); }
Test(storage_fault, a_failed_write_leaves_the_old_state_and_latches) { sweep(KT_FAULT_WRITE); }
Test(storage_fault, a_failed_sync_leaves_old_or_new_and_latches) { sweep(KT_FAULT_SYNC); }

/* Everything that a view can be asked, until something fails. */
static KtStatus ask_all(World *w, KtView *view, uint64_t id[64])
{
    KtIds ids = {.id = id, .width = 8, .n = 64};
    KtHop hop = {.dir = KT_BOTH, .rels = true};
    KtExpand *expand = NULL;
    KtScan *scan = NULL;
    uint64_t bits[1], degree[64], found[256];
    KtPairs pairs;
    KtLists lists;
    KtColumn col;
    KtValue map[64];
    KtRelRef ref[64];
    uint32_t n = 1;
    KtStatus status = kt_expand_open(view, &hop, w->arena, &expand);
    status = status ? status : kt_expand_feed(expand, ids);
    while (status == KT_OK && n > 0) {
        KtSlice slice[4];
        status = kt_expand_next(expand, slice, 4, &n);
    }
    kt_expand_close(expand);
    for (int kind = KT_SCAN_NODES; kind <= KT_SCAN_INDEX && status == KT_OK; kind++) {
        KtScanSpec spec = {.kind = (KtScanKind)kind, .what = 1, .index = 1};
        status = kt_scan_open(view, &spec, w->arena, &scan);
        for (n = 1; status == KT_OK && n > 0;)
            status = kt_scan_next(scan, found, 100, &n);
        kt_scan_close(scan);
        scan = NULL;
    }
    status = status ? status : kt_degrees(view, &hop, ids, degree);
    status = status ? status : kt_between(view, &hop, ids, ids, w->arena, &pairs);
    status = status ? status : kt_exist(view, KT_NODE, ids, bits);
    status = status ? status : kt_have_label(view, w->label[0], ids, bits);
    status = status ? status : kt_node_labels(view, ids, w->arena, &lists);
    status = status ? status : kt_node_props(view, w->key[0], ids, w->arena, &col);
    status = status ? status : kt_rel_props(view, w->key[0], ids, w->arena, &col);
    status = status ? status : kt_records(view, KT_NODE, ids, w->arena, map);
    status = status ? status : kt_records(view, KT_REL, ids, w->arena, map);
    status = status ? status : kt_rel_ends(view, ids, ref, bits);
    KtValue keys[3] = {kt_int(1), kt_int(7), kt_text("bb", 2)};
    col = (KtColumn){.kind = KT_COL_VALUE, .data = keys};
    return status ? status : kt_seek_many(view, 1, &col, 3, w->arena, &pairs);
}

static KtStatus change_some(World *w, KtView *view, uint64_t id[64])
{
    KtValue value = kt_int(3);
    KtColumn col = {.kind = KT_COL_VALUE, .constant = true, .data = &value};
    KtNodeId made[2];
    KtRelId rel[2];
    KtIds few = {.id = id + pick(w, 60), .width = 8, .n = 4};
    KtStatus status = kt_add_nodes(view, 2, w->label, 1, NULL, made);
    status = status ? status : kt_add_rels(view, 2, w->type[0], made, made, NULL, rel);
    status = status ? status : kt_del_rels(view, few);
    status = status ? status
                    : kt_set_props(view, KT_NODE, (KtIds){.id = made, .width = 8, .n = 2},
                                   w->key[0], &col);
    status = status ? status : kt_del_nodes(view, few, true);
    return status ? status : kt_statement_end(view, &w->diag);
}

Test(storage_fault, reads_that_fail_anywhere_are_reported_and_hold_nothing)
{
    World *w = calloc(1, sizeof *w);
    w->seed = 99;
    OK(kt_arena_open(NULL, &w->arena));
    KtKv *fault;
    open_faulty(w, NULL, &fault);
    world_begin(w);
    world_names(w);
    while (w->model.nodes < 80)
        random_change(w);
    (void)world_commit(w);
    KtCommit changed;
    KtIndexSpec index = {.label = KT_TEXT_LITERAL("L0"), .key = KT_TEXT_LITERAL("k0")};
    OK(kt_index_create(w->db, &index, 0, NULL, &w->diag, &changed));
    uint64_t id[64];
    uint32_t failures = 0;
    for (uint32_t i = 0; i < 64; i++)
        id[i] = i;
    for (int round = 0; round < 600; round++) {
        OK(no_wait(w->db, &w->turn));
        KtBudget budget;
        kt_budget_init(&budget, NULL, 0);
        KtViewSpec spec = {.write = true, .budget = &budget};
        kt_diag_clear(&w->diag);
        OK(kt_view_open(w->db, &spec, &w->diag, &w->view));
        kt_kv_fault_set(fault, KT_FAULT_READ, pick(w, 80), pick(w, 2));
        KtStatus status = change_some(w, w->view, id);
        if (status != KT_OK)
            kt_undo(w->view, 0);
        KtStatus asked = ask_all(w, w->view, id);
        kt_kv_fault_set(fault, KT_FAULT_READ, UINT64_MAX, false);
        failures += status != KT_OK || asked != KT_OK;
        cr_assert(status == KT_OK || status == KT_ERR_IO || status == KT_ERR_DELETED_ENTITY_ACCESS,
                  "%s: %s", kt_error_facts(status)->name, w->diag.message);
        cr_assert(asked == KT_OK || asked == KT_ERR_IO, "%s: %s", kt_error_facts(asked)->name,
                  w->diag.message);
        kt_diag_clear(&w->diag);
        OK(ask_all(w, w->view, id));
        kt_undo(w->view, 0);
        if (round % 60 == 0)
            compare_all(w, &w->model, w->view);
        world_end(w);
        cr_assert_eq(atomic_load(&budget.used), 0u);
        kt_arena_reset(w->arena);
    }
    cr_assert_gt(failures, 100u);
    kt_database_close(w->db);
    kt_arena_close(w->arena);
    free(w);
}
