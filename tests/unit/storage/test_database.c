/* A database over time: closed and opened again, its log replayed, its writes failing, its files cut. */
#include "storage/database_internal.h"
#include "storage/digest.h"
#include "storage/format.h"
#include "storage/adjacency.h"
#include "tests/unit/storage/folder.h"
#include "tests/unit/storage/model.h"

static void open_db(World *w, const char *path)
{
    KtDatabaseSpec spec = {.path = path, .create = true, .id = 1};
    OK(kt_database_open(&spec, &w->diag, &w->db));
}

static World *make_world(uint64_t seed)
{
    World *w = calloc(1, sizeof *w);
    w->seed = seed * 7919 + 1;
    OK(kt_arena_open(NULL, &w->arena));
    return w;
}

static World *open_world(const char *path, uint64_t seed)
{
    World *w = make_world(seed);
    open_db(w, path);
    world_begin(w);
    world_names(w);
    world_end(w);
    return w;
}

static void free_world(World *w)
{
    kt_arena_close(w->arena);
    free(w);
}

static void close_world(World *w)
{
    kt_database_close(w->db);
    free_world(w);
}

static KtView *open_read(World *w)
{
    KtView *view;
    KtViewSpec spec = {.write = false};
    OK(kt_view_open(w->db, &spec, &w->diag, &view));
    return view;
}

typedef struct Digest {
    uint8_t at[KT_DIGEST_BYTES];
} Digest;

static Digest digest_of(World *w)
{
    Digest d;
    KtView *view = open_read(w);
    OK(kt_digest(view, d.at));
    kt_view_close(view);
    return d;
}

static bool same(Digest a, Digest b) { return memcmp(a.at, b.at, sizeof a.at) == 0; }

static void random_commit(World *w, int changes)
{
    world_begin(w);
    for (int i = 0; i < changes; i++)
        random_change(w);
    (void)world_commit(w);
}

Test(storage_database, what_was_committed_is_there_after_opening_again)
{
    Folder f = folder_make();
    World *w = open_world(f.db, 5);
    Digest last = {{0}};
    for (int round = 0; round < 4; round++) {
        KtCommit number = kt_database_published(w->db);
        for (int c = 0; c < 3; c++)
            random_commit(w, 30);
        cr_assert_eq(kt_database_published(w->db), number + 3);
        Digest before = digest_of(w);
        cr_assert(!same(before, last));
        KtStats stats = kt_stats(w->db);
        kt_database_close(w->db);
        open_db(w, f.db);
        KtView *view = open_read(w);
        compare_all(w, &w->model, view);
        kt_view_close(view);
        last = digest_of(w);
        cr_assert(same(before, last));
        cr_assert_eq(kt_stats(w->db).nodes, stats.nodes);
        cr_assert_eq(kt_stats(w->db).rels, stats.rels);
    }
    close_world(w);
    folder_remove(&f);
}

Test(storage_database, a_name_keeps_its_token_and_ids_are_not_used_again)
{
    Folder f = folder_make();
    World *w = open_world(f.db, 6);
    KtNodeId first[3], later;
    world_begin(w);
    OK(kt_add_nodes(w->view, 3, w->label, 1, NULL, first));
    (void)world_commit(w);
    world_begin(w);
    OK(kt_del_nodes(w->view, one_id(&first[2]), false));
    (void)world_commit(w);
    kt_database_close(w->db);
    open_db(w, f.db);
    KtToken token[MODEL_LABELS];
    memcpy(token, w->label, sizeof token);
    world_begin(w);
    world_names(w);
    cr_assert_arr_eq(token, w->label, sizeof token);
    OK(kt_add_nodes(w->view, 1, NULL, 0, NULL, &later));
    cr_assert_gt(later, first[2], "the id of a deleted node is not given out again");
    world_end(w);
    close_world(w);
    folder_remove(&f);
}

/* ---- the log ---- */

static uint32_t replay(KtDatabase *from, World *to)
{
    KtKvIter *iter;
    World *w = to;
    uint32_t n = 0;
    OK(kt_kv_iter_open(from->store->kv, NULL, KT_FAMILY_LOG, KT_KV_TOTAL_ORDER, &iter));
    OK(kt_kv_iter_seek(iter, kt_span(NULL, 0)));
    for (; kt_kv_iter_valid(iter); n++) {
        OK(kt_sequence_record(to->db, kt_kv_iter_value(iter), &to->diag));
        OK(kt_kv_iter_next(iter));
    }
    kt_kv_iter_close(iter);
    return n;
}

Test(storage_database, the_log_applied_to_an_empty_store_gives_the_same_graph)
{
    World *w = open_world(NULL, 9), *copy = make_world(1);
    open_db(copy, NULL);
    KtCommit changed;
    KtIndexSpec index = {.label = KT_TEXT_LITERAL("L0"), .key = KT_TEXT_LITERAL("k0")};
    for (int c = 0; c < 8; c++) {
        random_commit(w, 40);
        if (c == 3) {
            OK(kt_index_create(w->db, &index, 0, NULL, &w->diag, &changed));
            cr_assert(changed);
        }
    }
    cr_assert_geq(replay(w->db, copy), 10u);
    cr_assert(same(digest_of(w), digest_of(copy)));
    cr_assert_eq(kt_database_published(w->db), kt_database_published(copy->db));
    cr_assert_arr_eq(w->db->store->state.digest, copy->db->store->state.digest, KT_DIGEST_SIZE);
    close_world(w);
    close_world(copy);
}

Test(storage_database, the_log_is_trimmed_and_the_chain_goes_on)
{
    Folder f = folder_make();
    World *w = make_world(3);
    KtDatabaseSpec spec = {.path = f.db, .create = true, .log_keep_bytes = 3000};
    OK(kt_database_open(&spec, &w->diag, &w->db));
    world_begin(w);
    world_names(w);
    world_end(w);
    for (int c = 0; c < 20; c++) {
        w->db->store->trimmed_ns = 0;
        random_commit(w, 10);
    }
    KtCommit first = w->db->store->log.first;
    cr_assert_gt(first, 1u);
    cr_assert_lt(first, kt_database_published(w->db) + 1);
    KtKvIter *iter;
    OK(kt_kv_iter_open(w->db->store->kv, NULL, KT_FAMILY_LOG, KT_KV_TOTAL_ORDER, &iter));
    OK(kt_kv_iter_seek(iter, kt_span(NULL, 0)));
    uint8_t chain[KT_DIGEST_SIZE];
    memcpy(chain, w->db->store->log.digest, sizeof chain);
    KtCommit next = first;
    for (; kt_kv_iter_valid(iter); next++) {
        KtRecordHeader header;
        uint8_t digest[KT_DIGEST_SIZE];
        OK(kt_record_header_get(kt_kv_iter_value(iter), &header, digest));
        cr_assert_eq(header.first, next);
        cr_assert_arr_eq(header.previous, chain, sizeof chain);
        memcpy(chain, digest, sizeof chain);
        OK(kt_kv_iter_next(iter));
    }
    kt_kv_iter_close(iter);
    cr_assert_eq(next, kt_database_published(w->db) + 1);
    kt_database_close(w->db);
    OK(kt_database_open(&spec, &w->diag, &w->db));
    cr_assert_eq(w->db->store->log.first, first);
    close_world(w);
    folder_remove(&f);
}

/* ---- a record of two members ---- */

static void put_changes(KtBuf *payload, const KtChange *change, uint32_t n)
{
    kt_buf_varint(payload, n);
    for (uint32_t i = 0; i < n; i++)
        cr_assert_eq(kt_change_put(payload, &change[i]), KT_OK);
}

static void apply_members(World *w, const KtBuf *payload, uint32_t members)
{
    const KtMetaState *state = &w->db->store->state;
    KtRecordHeader header = {.epoch = state->epoch,
                             .first = state->commit + 1,
                             .last = state->commit + members,
                             .utc_us = state->utc_us,
                             .log_at = state->log_end};
    memcpy(header.previous, state->digest, KT_DIGEST_SIZE);
    KtBuf record = {0};
    uint8_t digest[KT_DIGEST_SIZE];
    OK(kt_change_record_put(&record, &header, kt_span(payload->data, payload->len), digest));
    OK(kt_sequence_record(w->db, kt_span(record.data, record.len), &w->diag));
    kt_buf_close(&record);
}

Test(storage_database, two_members_of_a_record_change_two_properties_of_one_node)
{
    World *w = open_world(NULL, 1);
    KtNodeId node;
    world_begin(w);
    OK(kt_add_nodes(w->view, 1, w->label, 1, NULL, &node));
    (void)world_commit(w);
    KtChange one = {
        .kind = KT_CHANGE_NODE_PROP, .id = node, .token = w->key[0], .after = kt_int(1)};
    KtChange two = {
        .kind = KT_CHANGE_NODE_PROP, .id = node, .token = w->key[1], .after = kt_text("two", 3)};
    KtBuf payload = {0};
    put_changes(&payload, &one, 1);
    put_changes(&payload, &two, 1);
    apply_members(w, &payload, 2);
    kt_buf_close(&payload);
    cr_assert_eq(kt_database_published(w->db), 3u);
    KtView *view = open_read(w);
    KtColumn col;
    OK(kt_node_props(view, w->key[0], one_id(&node), w->arena, &col));
    cr_assert_eq(kt_col_value(&col, 0).as.i, 1);
    OK(kt_node_props(view, w->key[1], one_id(&node), w->arena, &col));
    cr_assert_eq(kt_col_value(&col, 0).len, 3u);
    kt_view_close(view);
    close_world(w);
}

Test(storage_database, what_one_member_creates_and_the_next_deletes_leaves_nothing)
{
    World *w = open_world(NULL, 1);
    KtNodeId node;
    world_begin(w);
    OK(kt_add_nodes(w->view, 1, w->label, 1, NULL, &node));
    (void)world_commit(w);
    Digest before = digest_of(w);
    KtProp prop = {w->key[0], kt_int(7)};
    KtChange create[2] = {{.kind = KT_CHANGE_NODE_ADD,
                           .id = node + 1,
                           .labels = 1,
                           .label = w->label,
                           .props = 1,
                           .prop = &prop},
                          {.kind = KT_CHANGE_REL_ADD,
                           .id = 0,
                           .token = w->type[0],
                           .start = node,
                           .end = node + 1,
                           .props = 1,
                           .prop = &prop}};
    KtChange removal[2] = {{.kind = KT_CHANGE_REL_DEL,
                            .id = 0,
                            .token = w->type[0],
                            .start = node,
                            .end = node + 1,
                            .props = 1,
                            .prop = &prop},
                           {.kind = KT_CHANGE_NODE_DEL,
                            .id = node + 1,
                            .labels = 1,
                            .label = w->label,
                            .props = 1,
                            .prop = &prop}};
    KtBuf payload = {0};
    put_changes(&payload, create, 2);
    put_changes(&payload, removal, 2);
    apply_members(w, &payload, 2);
    kt_buf_close(&payload);
    cr_assert(same(before, digest_of(w)));
    cr_assert_eq(kt_stats(w->db).nodes, 1u);
    cr_assert_eq(kt_stats(w->db).rels, 0u);
    cr_assert_eq(kt_stats_label(w->db, w->label[0]), 1u);
    world_begin(w);
    KtNodeId next;
    OK(kt_add_nodes(w->view, 1, NULL, 0, NULL, &next));
    cr_assert_eq(next, node + 2, "its id stays used");
    world_end(w);
    close_world(w);
}

Test(storage_database, a_record_that_does_not_follow_or_is_changed_is_refused)
{
    World *w = open_world(NULL, 4), *copy = make_world(1);
    open_db(copy, NULL);
    random_commit(w, 20);
    random_commit(w, 20);
    KtKvIter *iter;
    OK(kt_kv_iter_open(w->db->store->kv, NULL, KT_FAMILY_LOG, KT_KV_TOTAL_ORDER, &iter));
    OK(kt_kv_iter_seek_before(iter, kt_span(NULL, 0)));
    KtSpan last = kt_kv_iter_value(iter);
    cr_assert_eq(kt_sequence_record(copy->db, last, &copy->diag), KT_ERR_CORRUPTION);
    OK(kt_kv_iter_seek(iter, kt_span(NULL, 0)));
    KtSpan first = kt_kv_iter_value(iter);
    uint8_t *broken = malloc(first.len);
    for (size_t i = 0; i < first.len; i++) {
        memcpy(broken, first.at, first.len);
        broken[i] ^= 0x20;
        if (i >= 1 && i < 9)
            continue; /* the epoch may be any */
        kt_diag_clear(&copy->diag);
        KtStatus status = kt_sequence_record(copy->db, kt_span(broken, first.len), &copy->diag);
        bool header_only =
            i >= 25 && i < 41; /* time and place in the log: judged by the next header */
        cr_assert(header_only || status != KT_OK, "byte %zu was changed and taken", i);
        if (status == KT_OK)
            break;
    }
    free(broken);
    kt_kv_iter_close(iter);
    close_world(w);
    close_world(copy);
}

Test(storage_database, an_edge_lost_from_one_list_changes_the_digest)
{
    World *w = open_world(NULL, 1);
    KtNodeId node[2];
    KtRelId rel;
    world_begin(w);
    OK(kt_add_nodes(w->view, 2, w->label, 1, NULL, node));
    OK(kt_add_rels(w->view, 1, w->type[0], &node[0], &node[1], NULL, &rel));
    (void)world_commit(w);
    Digest whole = digest_of(w);
    KtKvBatch batch = {0};
    KtBuf operand = {0};
    KtKey key = kt_key_adj(node[1], KT_IN, w->type[0]);
    kt_adj_change(&operand, KT_ADJ_REMOVE, node[0], rel);
    kt_kv_merge(&batch, KT_FAMILY_ADJ, kt_key_span(&key), kt_span(operand.data, operand.len));
    OK(kt_kv_write(w->db->store->kv, &batch, true, &w->diag));
    kt_kv_batch_close(&batch);
    kt_buf_close(&operand);
    KtPublished *published;
    OK(kt_published_make(w->db, 1, &published));
    kt_graph_cache_raise_list(w->db->cache, KT_IN, node[1],
                              1); /* no commit did it: the cache must be told */
    kt_publish(w->db, published);
    cr_assert(!same(whole, digest_of(w)));
    close_world(w);
}

/* ---- long lists ---- */

Test(storage_database, a_hub_is_split_and_stays_right)
{
    enum { SPOKES = 3000 };
    Folder f = folder_make();
    World *w = open_world(f.db, 8);
    static KtNodeId node[SPOKES];
    static KtRelId rel[SPOKES];
    static bool gone[SPOKES];
    memset(gone, 0, sizeof gone);
    world_begin(w);
    OK(kt_add_nodes(w->view, SPOKES, w->label, 1, NULL, node));
    (void)world_commit(w);
    for (int at = 0; at < SPOKES;) {
        world_begin(w);
        int n = at == 0 ? 1500 : (int)(1 + pick(w, 120));
        for (; n > 0 && at < SPOKES; n--, at++) {
            KtNodeId other = pick(w, 10) ? node[pick(w, SPOKES)] : node[0]; /* self-loops too */
            OK(kt_add_rels(w->view, 1, w->type[0], &node[0], &other, NULL, &rel[at]));
        }
        (void)world_commit(w);
    }
    for (int round = 0; round < 5; round++) {
        world_begin(w);
        for (int i = 0; i < 300; i++) {
            uint32_t r = pick(w, SPOKES);
            OK(kt_del_rels(w->view, one_id(&rel[r])));
            gone[r] = true;
        }
        (void)world_commit(w);
    }
    cr_assert_gt(w->db->store->splits, 0u);
    uint64_t want = 0;
    for (int i = 0; i < SPOKES; i++)
        want += !gone[i];
    Digest before = digest_of(w);
    kt_database_close(w->db);
    open_db(w, f.db);
    cr_assert_gt(w->db->store->splits, 0u);
    cr_assert(same(before, digest_of(w)));
    KtView *view = open_read(w);
    uint64_t degree;
    KtHop hop = {.dir = KT_OUT};
    OK(kt_degrees(view, &hop, one_id(&node[0]), &degree));
    cr_assert_eq(degree, want);
    /* slices of the hub ascend by (nbr, rel) across segments */
    KtExpand *expand;
    KtSlice slice[2];
    uint32_t n;
    uint64_t last_nbr = 0, last_rel = 0, seen = 0;
    hop.rels = true;
    OK(kt_expand_open(view, &hop, w->arena, &expand));
    OK(kt_expand_feed(expand, one_id(&node[0])));
    for (;;) {
        OK(kt_expand_next(expand, slice, 2, &n));
        if (n == 0)
            break;
        for (uint32_t s = 0; s < n; s++) {
            cr_assert_leq(slice[s].n, (uint32_t)KT_SLICE_MOST);
            for (uint32_t i = 0; i < slice[s].n; i++) {
                uint64_t nbr = ((const uint32_t *)slice[s].nbr)[i];
                uint64_t id = slice[s].rel_width == 4 ? ((const uint32_t *)slice[s].rel)[i]
                                                      : ((const uint64_t *)slice[s].rel)[i];
                cr_assert(seen == 0 || nbr > last_nbr || (nbr == last_nbr && id > last_rel));
                last_nbr = nbr;
                last_rel = id;
                seen++;
            }
        }
    }
    cr_assert_eq(seen, want);
    kt_expand_close(expand);
    kt_view_close(view);
    /* and the log, applied elsewhere, gives the same */
    World *copy = make_world(1);
    open_db(copy, NULL);
    (void)replay(w->db, copy);
    cr_assert(same(before, digest_of(copy)));
    close_world(copy);
    close_world(w);
    folder_remove(&f);
}

/* ---- refusals ---- */

static void put_meta(const char *path, KtMetaKind kind, const KtBuf *value)
{
    KtDiag diag = {.status = KT_OK};
    KtKvSpec spec = {.path = path, .family = kt_families, .families = KT_FAMILIES};
    KtKv *kv;
    cr_assert_eq(kt_kv_open(&spec, &diag, &kv), KT_OK);
    KtKvBatch batch = {0};
    uint8_t key = (uint8_t)kind;
    kt_kv_put(&batch, KT_FAMILY_META, kt_span(&key, 1), kt_span(value->data, value->len));
    cr_assert_eq(kt_kv_write(kv, &batch, true, &diag), KT_OK);
    kt_kv_batch_close(&batch);
    kt_kv_close(kv);
}

Test(storage_database, fewer_commits_than_at_the_last_stop_are_refused_and_both_named)
{
    Folder f = folder_make();
    World *w = open_world(f.db, 2);
    random_commit(w, 5);
    random_commit(w, 5);
    kt_database_close(w->db);
    KtBuf value = {0};
    kt_meta_put_stop(&value, &(KtMetaStop){.commit = 7});
    put_meta(f.db, KT_META_STOP, &value);
    KtDatabaseSpec spec = {.path = f.db};
    cr_assert_eq(kt_database_open(&spec, &w->diag, &w->db), KT_ERR_DURABILITY_GAP);
    cr_assert(strstr(w->diag.message, "commit 7") && strstr(w->diag.message, "commit 2"), "%s",
              w->diag.message);
    kt_buf_close(&value);
    free_world(w);
    folder_remove(&f);
}

Test(storage_database, a_newer_format_is_refused_by_name)
{
    Folder f = folder_make();
    World *w = open_world(f.db, 2);
    kt_database_close(w->db);
    KtBuf value = {0};
    kt_meta_put_format(&value, &(KtMetaFormat){.format = 9});
    put_meta(f.db, KT_META_FORMAT, &value);
    KtDatabaseSpec spec = {.path = f.db};
    cr_assert_eq(kt_database_open(&spec, &w->diag, &w->db), KT_ERR_STORE_FORMAT);
    cr_assert(strstr(w->diag.message, "format 9"), "%s", w->diag.message);
    kt_buf_close(&value);
    free_world(w);
    folder_remove(&f);
}

Test(storage_database, a_bookmark_above_the_published_number_is_a_gap)
{
    World *w = open_world(NULL, 2);
    KtView *view;
    KtViewSpec spec = {.at_least = 1};
    cr_assert_eq(kt_view_open(w->db, &spec, &w->diag, &view), KT_ERR_DURABILITY_GAP);
    close_world(w);
}

Test(storage_database, two_databases_in_one_process_do_not_meet)
{
    Folder f = folder_make();
    World *a = open_world(f.db, 11), *b = open_world(NULL, 12);
    for (int c = 0; c < 3; c++) {
        random_commit(a, 30);
        random_commit(b, 30);
    }
    KtView *va = open_read(a), *vb = open_read(b);
    compare_all(a, &a->model, va);
    compare_all(b, &b->model, vb);
    kt_view_close(va);
    kt_view_close(vb);
    close_world(a);
    close_world(b);
    folder_remove(&f);
}

Test(storage_database, a_transaction_over_the_limit_is_refused)
{
    World *w = open_world(NULL, 2);
    static KtNodeId node[1000];
    world_begin(w);
    KtStatus status = KT_OK;
    for (int i = 0; i < 300 && status == KT_OK; i++)
        status = kt_add_nodes(w->view, 1000, NULL, 0, NULL, node);
    cr_assert_eq(status, KT_ERR_TRANSACTION_TOO_LARGE);
    world_end(w);
    close_world(w);
}

Test(storage_database, a_value_that_no_property_holds_is_refused)
{
    World *w = open_world(NULL, 2);
    KtNodeId node;
    KtValue inner = kt_int(1), list = kt_list(&inner, 1), nested = kt_list(&list, 1);
    KtProp prop = {w->key[0], nested};
    uint32_t start[2] = {0, 1};
    KtProps props = {start, &prop};
    world_begin(w);
    cr_assert_eq(kt_add_nodes(w->view, 1, NULL, 0, &props, &node), KT_ERR_INVALID_PROPERTY_TYPE);
    prop.value = kt_map(NULL, 0);
    cr_assert_eq(kt_add_nodes(w->view, 1, NULL, 0, &props, &node), KT_ERR_INVALID_PROPERTY_TYPE);
    prop.value = list;
    OK(kt_add_nodes(w->view, 1, NULL, 0, &props, &node));
    world_end(w);
    close_world(w);
}

Test(storage_database, a_connected_node_is_not_deleted_without_its_relationships)
{
    World *w = open_world(NULL, 2);
    KtNodeId node[2];
    KtRelId rel;
    world_begin(w);
    OK(kt_add_nodes(w->view, 2, NULL, 0, NULL, node));
    OK(kt_add_rels(w->view, 1, w->type[0], &node[0], &node[1], NULL, &rel));
    KtMark mark = kt_mark(w->view);
    OK(kt_del_nodes(w->view, one_id(&node[1]), false));
    cr_assert_eq(kt_statement_end(w->view, &w->diag), KT_ERR_DELETE_CONNECTED_NODE);
    kt_diag_clear(&w->diag);
    kt_undo(w->view, mark);
    OK(kt_del_nodes(w->view, one_id(&node[1]), false));
    OK(kt_del_rels(w->view, one_id(&rel)));
    OK(kt_statement_end(w->view, &w->diag));
    cr_assert_eq(kt_add_rels(w->view, 1, w->type[0], &node[0], &node[1], NULL, &rel),
                 KT_ERR_DELETED_ENTITY_ACCESS);
    world_end(w);
    close_world(w);
}
