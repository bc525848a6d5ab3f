/* storage/txn/sequencer.c - from changes to a published commit, one at a time.
 *
 * Number, record, apply, one synced write that holds both, install, publish, return: in that order. Nothing is
 * installed or published before the write has returned, and a write that failed is never repeated: its
 * outcome is unknown until the database is opened again, so the database closes itself for writing. */
#include "storage/database_internal.h"

#include "base/clock.h"
#include "storage/format.h"

#define TRIM_EVERY_NS ((int64_t)60 * 1000 * 1000 * 1000)

typedef struct Commit {
    KtDatabase *db;
    KtDiag *diag;
    KtArena *arena;
    KtKvBatch batch;
    KtBuf payload, record_bytes;
    KtChangeRecord record;
    KtApplied *applied;
    KtMetaLog log;
    bool trimmed;
} Commit;

static bool is_latched(KtDatabase *db)
{
    return atomic_load_explicit(&db->latched, memory_order_acquire);
}

static KtStatus refuse_latched(KtDiag *diag)
{
    return kt_diag_set(diag, KT_ERR_READ_ONLY_LATCHED, NULL,
                       "The database is closed for writing since a write to its disk failed.");
}

/* ---- the record of new changes ---- */

/* Names that were made since the last commit stand first: later changes speak of their tokens. */
static void add_names(Commit *c, KtChange *change, uint32_t *n, const uint32_t *known)
{
    KtStore *store = c->db->store;
    for (int kind = KT_NAME_LABEL; kind <= KT_NAME_KEY; kind++) {
        for (KtToken token = store->name[kind].durable + 1; token <= known[kind]; token++) {
            change[(*n)++] = (KtChange){.kind = KT_CHANGE_NAME,
                                        .sub = (uint8_t)kind,
                                        .token = token,
                                        .text = kt_store_name_text(store, (KtNameKind)kind, token)};
        }
    }
}

static KtStatus make_record(Commit *c, const KtChange *change, uint32_t n)
{
    KtStore *store = c->db->store;
    uint32_t known[4] = {0};
    size_t names = 0;
    for (int kind = KT_NAME_LABEL; kind <= KT_NAME_KEY; kind++) {
        known[kind] = kt_store_names(store, (KtNameKind)kind);
        names += known[kind] - store->name[kind].durable;
    }
    KtChange *all = kt_arena_alloc(c->arena, (names + n) * sizeof *all);
    if (!all)
        return KT_ERR_MEMORY;
    uint32_t total = 0;
    add_names(c, all, &total, known);
    memcpy(all + total, change, n * sizeof *all);
    total += n;
    kt_buf_varint(&c->payload, total);
    for (uint32_t i = 0; i < total; i++)
        KT_TRY(kt_change_put(&c->payload, &all[i]));
    KT_TRY(kt_buf_status(&c->payload));
    int64_t now = kt_clock_utc_us();
    c->record =
        (KtChangeRecord){.header = {.epoch = store->state.epoch,
                                    .first = store->state.commit + 1,
                                    .last = store->state.commit + 1,
                                    .utc_us = now > store->state.utc_us ? now : store->state.utc_us,
                                    .log_at = store->state.log_end},
                         .n = total,
                         .change = all};
    memcpy(c->record.header.previous, store->state.digest, KT_DIGEST_SIZE);
    return kt_change_record_put(&c->record_bytes, &c->record.header,
                                kt_span(c->payload.data, c->payload.len), c->record.digest);
}

/* ---- trimming the log ---- */

/* Walks the records that are no longer kept; cost: those records, once a minute. */
static KtStatus find_first_kept(Commit *c, KtKvIter *iter, KtCommit *dropped)
{
    const KtRecordHeader *now = &c->record.header;
    int64_t oldest_us = now->utc_us - (int64_t)(c->db->log_keep_s * 1000000);
    uint64_t end = now->log_at + KT_RECORD_HEADER + now->payload_len;
    KT_TRY(kt_kv_iter_seek(iter, kt_span(NULL, 0)));
    while (kt_kv_iter_valid(iter)) {
        KtRecordHeader header;
        uint8_t digest[KT_DIGEST_SIZE];
        KT_TRY(kt_record_header_get(kt_kv_iter_value(iter), &header, digest));
        if (header.utc_us >= oldest_us && end - header.log_at <= c->db->log_keep_bytes)
            return KT_OK;
        *dropped = header.last;
        c->log.first = header.last + 1;
        memcpy(c->log.digest, digest, KT_DIGEST_SIZE);
        KT_TRY(kt_kv_iter_next(iter));
    }
    return KT_OK;
}

static KtStatus trim_log(Commit *c)
{
    KtStore *store = c->db->store;
    int64_t now = kt_clock_ns();
    if (now - store->trimmed_ns < TRIM_EVERY_NS)
        return KT_OK;
    store->trimmed_ns = now;
    KtKvIter *iter;
    KtCommit dropped = 0;
    KT_TRY(
        kt_kv_iter_open(store->kv, NULL, KT_FAMILY_LOG, KT_KV_TOTAL_ORDER | KT_KV_NO_CACHE, &iter));
    c->log = store->log;
    KtStatus status = find_first_kept(c, iter, &dropped);
    kt_kv_iter_close(iter);
    if (status != KT_OK || dropped == 0)
        return status;
    KtKey from = kt_key_log(0), to = kt_key_log(dropped + 1);
    kt_kv_delete_range(&c->batch, KT_FAMILY_LOG, kt_key_span(&from), kt_key_span(&to));
    KtBuf key = {0}, value = {0};
    kt_meta_key(&key, KT_META_LOG);
    kt_meta_put_log(&value, &c->log);
    kt_kv_put(&c->batch, KT_FAMILY_META, kt_span(key.data, key.len),
              kt_span(value.data, value.len));
    status = key.failed || value.failed ? KT_ERR_MEMORY : KT_OK;
    kt_buf_close(&key);
    kt_buf_close(&value);
    c->trimmed = true;
    return status;
}

/* ---- write and publish ---- */

static KtStatus latch(Commit *c, const char *what)
{
    atomic_store_explicit(&c->db->latched, true, memory_order_release);
    return kt_diag_set(
        c->diag, KT_ERR_COMMIT_OUTCOME_UNKNOWN, NULL,
        "%s failed while commit %llu was written: whether it is kept shows when the database is opened again.",
        what, (unsigned long long)c->record.header.last);
}

/* After the sync, before publish: nothing older than this commit may be taken for newer. */
static void raise_cache(const Commit *c)
{
    KtGraphCache *cache = c->db->cache;
    KtCommit number = c->record.header.last;
    kt_graph_cache_begin(cache, number);
    for (uint32_t i = 0; i < c->applied->edges; i++) {
        const KtEdgeChange *edge = &c->applied->edge[i];
        if (i == 0 || edge->node != edge[-1].node || edge->dir != edge[-1].dir)
            kt_graph_cache_raise_list(cache, edge->dir, edge->node, number);
    }
    for (uint32_t i = 0; i < c->applied->nodes; i++)
        kt_graph_cache_raise_node(cache, c->applied->node[i], number);
}

static KtStatus write_and_publish(Commit *c)
{
    KtDatabase *db = c->db;
    KtStore *store = db->store;
    KtKey key = kt_key_log(c->record.header.last);
    kt_kv_put(&c->batch, KT_FAMILY_LOG, kt_key_span(&key),
              kt_span(c->record_bytes.data, c->record_bytes.len));
    if (c->batch.ops.failed)
        return KT_ERR_MEMORY;
    KT_TRY(kt_apply_reserve(store, c->applied));
    KtDiag words = {.status = KT_OK};
    KtStatus status = kt_kv_write(store->kv, &c->batch, true, &words);
    if (status == KT_ERR_MEMORY) /* certainly not applied */
        return status;
    if (status != KT_OK)
        return latch(c, "The disk");
    kt_apply_install(store, c->applied);
    raise_cache(c);
    if (c->trimmed)
        store->log = c->log;
    KtPublished *published;
    if (kt_published_make(db, c->record.header.last, &published) != KT_OK)
        return latch(c, "The snapshot");
    kt_publish(db, published);
    kt_graph_cache_published(db->cache, c->record.header.last);
    return KT_OK;
}

static KtStatus apply_and_write(Commit *c)
{
    KT_TRY(kt_apply(c->db->store, &c->record, c->arena, &c->batch, &c->applied));
    KT_TRY(trim_log(c));
    return write_and_publish(c);
}

static void close_commit(Commit *c)
{
    kt_apply_drop(c->applied);
    kt_kv_batch_close(&c->batch);
    kt_buf_close(&c->payload);
    kt_buf_close(&c->record_bytes);
    kt_arena_close(c->arena);
}

KtStatus kt_sequence(KtDatabase *db, const KtChange *change, uint32_t n, KtDiag *diag,
                     KtCommit *out)
{
    if (is_latched(db))
        return refuse_latched(diag);
    Commit c = {.db = db, .diag = diag};
    KT_TRY(kt_arena_open(NULL, &c.arena));
    KtStatus status = make_record(&c, change, n);
    if (status == KT_OK)
        status = apply_and_write(&c);
    if (status == KT_OK)
        *out = c.record.header.last;
    close_commit(&c);
    return status;
}

KtStatus kt_sequence_record(KtDatabase *db, KtSpan record, KtDiag *diag)
{
    if (is_latched(db))
        return refuse_latched(diag);
    Commit c = {.db = db, .diag = diag};
    KT_TRY(kt_arena_open(NULL, &c.arena));
    KtStatus status = kt_change_record_get(record, c.arena, &c.record);
    if (status == KT_OK) {
        const KtMetaState *state = &db->store->state;
        if (c.record.header.first != state->commit + 1 ||
            memcmp(c.record.header.previous, state->digest, KT_DIGEST_SIZE) != 0) {
            status = kt_diag_set(
                diag, KT_ERR_CORRUPTION, NULL,
                "The change record of commits %llu to %llu does not follow commit %llu.",
                (unsigned long long)c.record.header.first, (unsigned long long)c.record.header.last,
                (unsigned long long)state->commit);
        }
    }
    if (status == KT_OK) {
        kt_buf_put(&c.record_bytes, record.at, record.len);
        status = kt_buf_status(&c.record_bytes);
    }
    if (status == KT_OK)
        status = apply_and_write(&c);
    close_commit(&c);
    return status;
}
