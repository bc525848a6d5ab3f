/* storage/import.c - the families of a new database from a sorted graph, checked and put in its place.
 *
 * Each family is written in order of its keys as sorted files under <data>/<id>.importing/files, which the new store
 * takes over by link. meta, which is small, is an ordinary synced write at the end: an import that did not come so
 * far has no format and is no database. Then all is read back and counted, closed, and the folder renamed. */
#include "storage/import.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "storage/adjacency.h"
#include "storage/import_graph.h"
#include "storage/index_key.h"
#include "storage/label.h"
#include "storage/meta.h"
#include "storage/record.h"
#include "storage/relmap.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MOST = 1024, TELL_EVERY = 1 << 16, INDEX = 1, COMMIT = 1 };
#define FILE_BYTES ((uint64_t)256 << 20)

typedef struct Import {
    const KtImportSpec *spec;
    KtDiag *diag;
    KtImportGraph graph;
    char *target, *building, *files; /* folders */
    int data_fd;                     /* of the data folder, locked */
    bool made_data;
    KtKv *kv;
    KtKvBatch meta;
    KtBuf key, value;
    /* the family being written */
    uint32_t family;
    KtKvSst *sst;
    char *file[FILES_MOST];
    uint32_t n_files;
    const char *phase;
    uint64_t done;
} Import;

static void tell(Import *im, const char *phase, uint64_t done, uint64_t of)
{
    if (im->spec->progress)
        im->spec->progress(im->spec->user, phase, done, of);
}

/* ---- sorted files ---- */

static void begin_family(Import *im, KtFamilyId family, const char *phase)
{
    im->family = family;
    im->phase = phase;
    im->done = 0;
    tell(im, phase, 0, 0);
}

static KtStatus finish_file(Import *im)
{
    if (!im->sst)
        return KT_OK;
    KtStatus status = kt_kv_sst_finish(im->sst, im->diag);
    kt_kv_sst_close(im->sst);
    im->sst = NULL;
    return status;
}

static KtStatus put(Import *im, KtSpan key, KtSpan value)
{
    if (im->sst && im->done % 1024 == 0 && kt_kv_sst_bytes(im->sst) > FILE_BYTES)
        KT_TRY(finish_file(im));
    if (!im->sst) {
        if (im->n_files == FILES_MOST)
            return kt_diag_set(im->diag, KT_ERR_LIST_TOO_LONG, NULL,
                               "The import is too large for one database folder.");
        char *name;
        if (asprintf(&name, "%s/%u-%u.sst", im->files, im->family, im->n_files) < 0)
            return KT_ERR_MEMORY;
        im->file[im->n_files++] = name;
        KT_TRY(kt_kv_sst_open(im->kv, im->family, name, im->diag, &im->sst));
    }
    KT_TRY(kt_kv_sst_put(im->sst, key, value, im->diag));
    if (++im->done % TELL_EVERY == 0)
        tell(im, im->phase, im->done, 0);
    return KT_OK;
}

static void forget_files(Import *im)
{
    for (uint32_t i = 0; i < im->n_files; i++)
        free(im->file[i]);
    im->n_files = 0;
}

static KtStatus end_family(Import *im)
{
    KT_TRY(finish_file(im));
    KtStatus status =
        kt_kv_ingest(im->kv, im->family, (const char *const *)im->file, im->n_files, im->diag);
    forget_files(im);
    return status;
}

static KtSpan span_of(const KtBuf *buf) { return kt_span(buf->data, buf->len); }

/* ---- the families ---- */

static KtStatus write_node(Import *im, uint32_t node)
{
    const KtImportGraph *g = &im->graph;
    KtKey key = kt_key_node(node);
    if (!g->record) {
        KtToken label = KT_IMPORT_LABEL;
        KtProp id = {KT_IMPORT_ID, kt_int(g->number[node])};
        kt_buf_clear(&im->value);
        KT_TRY(kt_record_encode(&im->value, &label, 1, &id, 1, NULL));
        return put(im, kt_key_span(&key), span_of(&im->value));
    }
    KT_TRY(put(im, kt_key_span(&key), g->record[node]->bytes));
    for (const KtImportSpill *spill = g->record[node]->spill; spill; spill = spill->next) {
        key = kt_key_value(node, spill->key);
        KT_TRY(put(im, kt_key_span(&key), spill->bytes));
    }
    return KT_OK;
}

static KtStatus write_nodes(Import *im)
{
    begin_family(im, KT_FAMILY_NODE, "writing nodes");
    for (uint32_t node = 0; node < im->graph.nodes; node++)
        KT_TRY(write_node(im, node));
    return end_family(im);
}

static KtStatus write_weights(Import *im)
{
    const KtImportGraph *g = &im->graph;
    if (!g->weight)
        return KT_OK;
    begin_family(im, KT_FAMILY_REL, "writing weights");
    for (uint32_t rel = 0; rel < g->edges; rel++) {
        KtProp weight = {g->weight_key, kt_int((int64_t)g->weight[rel])};
        if (g->weight_float) {
            double f;
            memcpy(&f, &g->weight[rel], sizeof f);
            weight.value = kt_float(f);
        }
        KtKey key = kt_key_rel(rel);
        kt_buf_clear(&im->value);
        KT_TRY(kt_record_encode(&im->value, NULL, 0, &weight, 1, NULL));
        KT_TRY(put(im, kt_key_span(&key), span_of(&im->value)));
    }
    return end_family(im);
}

static KtStatus write_relmaps(Import *im)
{
    const KtImportGraph *g = &im->graph;
    begin_family(im, KT_FAMILY_RELMAP, "writing relationships");
    for (uint64_t first = 0; first < g->edges; first += KT_RELMAP_SLOTS) {
        KtRelmap map = {.present = {0}};
        for (uint32_t slot = 0; slot < KT_RELMAP_SLOTS && first + slot < g->edges; slot++) {
            map.present[slot >> 6] |= (uint64_t)1 << (slot & 63);
            map.type[slot] = KT_IMPORT_TYPE;
            map.start[slot] = g->start[first + slot];
            map.end[slot] = g->end[first + slot];
        }
        KtKey key = kt_key_relmap(first);
        kt_buf_clear(&im->value);
        KT_TRY(kt_relmap_encode(&im->value, &map));
        KT_TRY(put(im, kt_key_span(&key), span_of(&im->value)));
    }
    return end_family(im);
}

/* Pairs [from, to) of one list, gathered. */
static void gather(const KtImportGraph *g, uint8_t dir, uint32_t from, uint32_t to, uint32_t *nbr,
                   uint32_t *rel)
{
    for (uint32_t i = from; i < to; i++) {
        uint32_t id = dir == KT_OUT ? i : g->in_rel[i];
        rel[i - from] = id;
        nbr[i - from] = dir == KT_OUT ? g->end[id] : g->start[id];
    }
}

static KtStatus put_bounds(Import *im, uint32_t node, uint8_t dir, const KtMetaBound *bound,
                           uint32_t n)
{
    kt_buf_clear(&im->key);
    kt_buf_clear(&im->value);
    kt_meta_key_split(&im->key, node, dir, KT_IMPORT_TYPE);
    kt_meta_put_split(&im->value, bound, n);
    if (im->key.failed || im->value.failed)
        return KT_ERR_MEMORY;
    kt_kv_put(&im->meta, KT_FAMILY_META, span_of(&im->key), span_of(&im->value));
    return KT_OK;
}

/* Segments of a list of over KT_ADJ_SEGMENT pairs that begins at `at`, and their bounds. */
static KtStatus write_split(Import *im, uint32_t node, uint8_t dir, uint32_t at, uint32_t n)
{
    uint32_t segments = kt_adj_segments(n), nbr[KT_ADJ_SEGMENT], rel[KT_ADJ_SEGMENT];
    KtMetaBound *bound = calloc(segments, sizeof *bound);
    KtStatus status = bound ? KT_OK : KT_ERR_MEMORY;
    for (uint32_t i = 0; i < segments && status == KT_OK; i++) {
        uint32_t from = kt_adj_cut(n, i), to = kt_adj_cut(n, i + 1);
        gather(&im->graph, dir, at + from, at + to, nbr, rel);
        if (i > 0)
            bound[i] = (KtMetaBound){nbr[0], rel[0]};
        KtKey key = kt_key_adj_segment(node, dir, KT_IMPORT_TYPE, bound[i].nbr, bound[i].rel);
        kt_buf_clear(&im->value);
        status = kt_adj_encode32(&im->value, node, nbr, rel, to - from);
        if (status == KT_OK)
            status = put(im, kt_key_span(&key), span_of(&im->value));
    }
    if (status == KT_OK)
        status = put_bounds(im, node, dir, bound, segments);
    free(bound);
    return status;
}

static KtStatus write_list(Import *im, uint32_t node, uint8_t dir)
{
    const uint32_t *at = (dir == KT_OUT ? im->graph.out_at : im->graph.in_at) + node;
    uint32_t n = at[1] - at[0], nbr[KT_ADJ_SEGMENT], rel[KT_ADJ_SEGMENT];
    if (n == 0)
        return KT_OK;
    if (n > KT_ADJ_SEGMENT)
        return write_split(im, node, dir, at[0], n);
    gather(&im->graph, dir, at[0], at[1], nbr, rel);
    KtKey key = kt_key_adj(node, dir, KT_IMPORT_TYPE);
    kt_buf_clear(&im->value);
    KT_TRY(kt_adj_encode32(&im->value, node, nbr, rel, n));
    return put(im, kt_key_span(&key), span_of(&im->value));
}

static KtStatus write_lists(Import *im)
{
    begin_family(im, KT_FAMILY_ADJ, "writing lists");
    for (uint32_t node = 0; node < im->graph.nodes; node++) {
        KT_TRY(write_list(im, node, KT_OUT));
        KT_TRY(write_list(im, node, KT_IN));
    }
    return end_family(im);
}

/* Node ids are dense, so both labels (every node, and the one it has) have the same chunks. */
static KtStatus write_labels(Import *im)
{
    begin_family(im, KT_FAMILY_LABEL, "writing labels");
    for (KtToken label = 0; label <= KT_IMPORT_LABEL; label++) {
        for (uint64_t first = 0; first < im->graph.nodes; first += KT_LABEL_CHUNK) {
            KtLabelChunk chunk = {{0}};
            for (uint32_t i = 0; i < KT_LABEL_CHUNK && first + i < im->graph.nodes; i++)
                chunk.bits[i >> 6] |= (uint64_t)1 << (i & 63);
            KtKey key = kt_key_label(label, first);
            kt_buf_clear(&im->value);
            KT_TRY(kt_label_encode(&im->value, &chunk));
            KT_TRY(put(im, kt_key_span(&key), span_of(&im->value)));
        }
    }
    return end_family(im);
}

static KtStatus write_index(Import *im)
{
    begin_family(im, KT_FAMILY_INDEX, "writing the index");
    for (uint32_t node = 0; node < im->graph.nodes; node++) {
        kt_buf_clear(&im->key);
        KT_CHECK(kt_index_key(&im->key, INDEX, kt_int(im->graph.number[node]), node));
        KT_TRY(kt_buf_status(&im->key));
        KT_TRY(put(im, span_of(&im->key), kt_span("", 0)));
    }
    return end_family(im);
}

/* ---- meta ---- */

/* Moves what stands in key and value into the batch. */
static KtStatus meta_put(Import *im)
{
    if (im->key.failed || im->value.failed)
        return KT_ERR_MEMORY;
    kt_kv_put(&im->meta, KT_FAMILY_META, span_of(&im->key), span_of(&im->value));
    kt_buf_clear(&im->key);
    kt_buf_clear(&im->value);
    return KT_OK;
}

static KtStatus meta_name(Import *im, KtNameKind kind, KtToken token, KtText name)
{
    kt_meta_key_name(&im->key, kind, token);
    kt_meta_put_name(&im->value, name);
    KT_TRY(meta_put(im));
    kt_meta_key_token(&im->key, kind, name);
    kt_meta_put_token(&im->value, token);
    return meta_put(im);
}

static KtStatus meta_count(Import *im, KtNameKind kind, KtToken token, uint64_t count)
{
    kt_meta_key_count(&im->key, kind, token);
    kt_meta_put_count(&im->value, count);
    return meta_put(im);
}

static KtText text_of(const char *name) { return (KtText){name, (uint32_t)strlen(name)}; }

/* The name is the one that a constraint without a name gets (storage/index_build.c). */
static KtStatus meta_schema(Import *im)
{
    char name[32];
    uint64_t hash = kt_hash(im->spec->label, strlen(im->spec->label)) * 31 + kt_hash("id", 2);
    snprintf(name, sizeof name, "constraint_%08x", (unsigned)(hash >> 32));
    KtMetaIndex index = {.id = INDEX,
                         .state = KT_INDEX_ONLINE,
                         .unique = true,
                         .label = KT_IMPORT_LABEL,
                         .key = KT_IMPORT_ID,
                         .name = text_of(name)};
    kt_meta_key_index(&im->key, INDEX);
    kt_meta_put_index(&im->value, &index);
    return meta_put(im);
}

/* The import counts as commit 1, of which no change record is kept. */
static KtStatus write_meta(Import *im)
{
    const KtImportGraph *g = &im->graph;
    KtMetaFormat format = {.format = KT_STORE_FORMAT};
    KtMetaState state = {.commit = COMMIT,
                         .utc_us = kt_clock_utc_us(),
                         .epoch = 1,
                         .next_node = g->nodes,
                         .next_rel = g->edges,
                         .nodes = g->nodes,
                         .rels = g->edges,
                         .schema_version = 1,
                         .next_index = INDEX + 1};
    KtMetaLog log = {.first = COMMIT + 1};
    KtMetaStop stop = {.commit = COMMIT};
    if (getrandom(format.uuid, sizeof format.uuid, 0) != (ssize_t)sizeof format.uuid)
        return kt_diag_set(im->diag, KT_ERR_IO, NULL, "The system gives no random bytes: %s.",
                           strerror(errno));
    kt_buf_clear(&im->key);
    kt_buf_clear(&im->value);
    kt_meta_key(&im->key, KT_META_FORMAT);
    kt_meta_put_format(&im->value, &format);
    KT_TRY(meta_put(im));
    kt_meta_key(&im->key, KT_META_STATE);
    kt_meta_put_state(&im->value, &state);
    KT_TRY(meta_put(im));
    kt_meta_key(&im->key, KT_META_LOG);
    kt_meta_put_log(&im->value, &log);
    KT_TRY(meta_put(im));
    kt_meta_key(&im->key, KT_META_STOP);
    kt_meta_put_stop(&im->value, &stop);
    KT_TRY(meta_put(im));
    KT_TRY(meta_name(im, KT_NAME_LABEL, KT_IMPORT_LABEL, text_of(im->spec->label)));
    KT_TRY(meta_name(im, KT_NAME_TYPE, KT_IMPORT_TYPE, text_of(im->spec->type)));
    for (uint32_t i = 0; i < g->keys; i++)
        KT_TRY(meta_name(im, KT_NAME_KEY, i + 1, g->key[i]));
    KT_TRY(meta_count(im, KT_NAME_LABEL, KT_IMPORT_LABEL, g->nodes));
    KT_TRY(meta_count(im, KT_NAME_TYPE, KT_IMPORT_TYPE, g->edges));
    KT_TRY(meta_schema(im));
    KT_TRY(kt_kv_write(im->kv, &im->meta, true, im->diag));
    return kt_kv_flush(im->kv, im->diag);
}

/* ---- the check ---- */

typedef struct Seen {
    uint64_t nodes, lists[3], loops[3], rels, weights, labels[2], entries;
} Seen;

static KtStatus see_list(KtSpan key, KtSpan value, Seen *seen)
{
    KtAdjKey at;
    KtAdjHead head;
    KtAdjPair pair[KT_ADJ_SEGMENT];
    if (!kt_key_parse_adj(key, &at))
        return KT_ERR_CORRUPTION;
    KT_TRY(kt_adj_open(value, &head));
    if (head.n == 0 || head.n > KT_ADJ_SEGMENT)
        return KT_ERR_CORRUPTION;
    KT_TRY(kt_adj_pairs(&head, pair));
    if (at.segment && kt_adj_order(pair[0], (KtAdjPair){at.nbr, at.rel}) < 0)
        return KT_ERR_CORRUPTION;
    seen->lists[at.dir] += head.n;
    seen->loops[at.dir] += head.loops;
    return KT_OK;
}

static KtStatus see(KtFamilyId family, KtSpan key, KtSpan value, Seen *seen)
{
    uint64_t id;
    bool away;
    KtToken token;
    KtRelmap map;
    KtLabelChunk chunk;
    switch (family) {
    case KT_FAMILY_NODE:
    case KT_FAMILY_REL:
        if (!kt_key_parse_entity(key, &id, &away, &token))
            return KT_ERR_CORRUPTION;
        if (away)
            return KT_OK;
        if (family == KT_FAMILY_NODE)
            seen->nodes++;
        else
            seen->weights++;
        return kt_record_verify(value);
    case KT_FAMILY_RELMAP:
        KT_TRY(kt_relmap_decode(value, &map));
        for (int i = 0; i < 4; i++)
            seen->rels += (uint64_t)__builtin_popcountll(map.present[i]);
        return KT_OK;
    case KT_FAMILY_ADJ: return see_list(key, value, seen);
    case KT_FAMILY_LABEL:
        if (!kt_key_parse_label(key, &token, &id) || token > KT_IMPORT_LABEL)
            return KT_ERR_CORRUPTION;
        KT_TRY(kt_label_decode(value, &chunk));
        seen->labels[token] += kt_label_count(&chunk);
        return KT_OK;
    case KT_FAMILY_INDEX: seen->entries++; return KT_OK;
    case KT_FAMILY_META:
    case KT_FAMILY_LOG:
    case KT_FAMILIES: return KT_OK;
    }
    return KT_OK;
}

static KtStatus see_family(Import *im, KtFamilyId family, Seen *seen)
{
    KtKvIter *iter;
    uint64_t done = 0;
    KT_TRY(kt_kv_iter_open(im->kv, NULL, family, KT_KV_TOTAL_ORDER | KT_KV_NO_CACHE, &iter));
    KtStatus status = kt_kv_iter_seek(iter, kt_span(NULL, 0));
    while (status == KT_OK && kt_kv_iter_valid(iter)) {
        status = see(family, kt_kv_iter_key(iter), kt_kv_iter_value(iter), seen);
        if (++done % TELL_EVERY == 0)
            tell(im, "checking", done, 0);
        if (status == KT_OK)
            status = kt_kv_iter_next(iter);
    }
    kt_kv_iter_close(iter);
    return status;
}

/* Reads back all that was written, checksums included, and counts it. */
static KtStatus check(Import *im)
{
    const KtImportGraph *g = &im->graph;
    Seen seen = {0};
    KtStatus status = KT_OK;
    tell(im, "checking", 0, 0);
    for (int family = KT_FAMILY_NODE; family < KT_FAMILY_LOG && status == KT_OK; family++)
        status = see_family(im, (KtFamilyId)family, &seen);
    bool whole = seen.nodes == g->nodes && seen.entries == g->nodes && seen.labels[0] == g->nodes &&
                 seen.labels[1] == g->nodes && seen.rels == g->edges &&
                 seen.lists[KT_OUT] == g->edges && seen.lists[KT_IN] == g->edges &&
                 seen.loops[KT_OUT] == seen.loops[KT_IN] &&
                 seen.weights == (g->weight ? g->edges : 0);
    if (status == KT_OK && !whole)
        status = KT_ERR_CORRUPTION;
    if (status == KT_ERR_CORRUPTION || status == KT_ERR_IO)
        return kt_diag_set(im->diag, status, NULL,
                           "What was written to %s is not what is read back.", im->building);
    return status;
}

/* ---- folders ---- */

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static KtStatus io_error(Import *im, const char *what, const char *path)
{
    return kt_diag_set(im->diag, KT_ERR_IO, NULL, "%s cannot be %s: %s.", path, what,
                       strerror(errno));
}

static KtStatus remove_building(Import *im)
{
    if (nftw(im->building, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return io_error(im, "removed", im->building);
    return KT_OK;
}

static KtStatus open_folders(Import *im)
{
    const KtImportSpec *spec = im->spec;
    uint32_t id = spec->id ? spec->id : 1;
    struct stat st;
    if (asprintf(&im->target, "%s/%u", spec->data, id) < 0 ||
        asprintf(&im->building, "%s/%u.importing", spec->data, id) < 0 ||
        asprintf(&im->files, "%s/%u.importing/files", spec->data, id) < 0)
        return KT_ERR_MEMORY;
    im->made_data = mkdir(spec->data, 0700) == 0;
    if (!im->made_data && errno != EEXIST)
        return io_error(im, "made", spec->data);
    im->data_fd = open(spec->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (im->data_fd < 0)
        return io_error(im, "opened", spec->data);
    if (flock(im->data_fd, LOCK_EX | LOCK_NB) != 0)
        return kt_diag_set(im->diag, KT_ERR_STORE_LOCKED, NULL,
                           "Another import into %s is running.", spec->data);
    if (lstat(im->target, &st) == 0) {
        kt_diag_set(im->diag, KT_ERR_ALREADY_EXISTS, NULL, "There is already a database in %s.",
                    im->target);
        kt_diag_hint(im->diag, "Import into another --data folder, or remove that database first.");
        return KT_ERR_ALREADY_EXISTS;
    }
    return remove_building(im);
}

static KtStatus open_store(Import *im)
{
    if (mkdir(im->building, 0700) != 0)
        return io_error(im, "made", im->building);
    KtKvSpec kv = {.path = im->building,
                   .log_dir = im->spec->log_dir,
                   .create = true,
                   .bulk = true,
                   .family = kt_families,
                   .families = KT_FAMILIES};
    KT_TRY(kt_kv_open(&kv, im->diag, &im->kv)); /* a store is made only in an empty folder */
    return mkdir(im->files, 0700) == 0 ? KT_OK : io_error(im, "made", im->files);
}

/* The one step that makes the database appear. */
static KtStatus put_in_place(Import *im)
{
    kt_kv_close(im->kv);
    im->kv = NULL;
    if (rmdir(im->files) != 0)
        return io_error(im, "removed", im->files);
    int fd = open(im->building, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return io_error(im, "opened", im->building);
    int synced = fsync(fd);
    close(fd);
    if (synced != 0)
        return io_error(im, "synced", im->building);
    if (rename(im->building, im->target) != 0)
        return io_error(im, "made", im->target);
    if (fsync(im->data_fd) != 0)
        return io_error(im, "synced", im->spec->data);
    return KT_OK;
}

/* ---- all of it ---- */

static KtStatus check_name(Import *im, const char *what, const char *name)
{
    if (name && *name && strlen(name) <= 0xFFFF && kt_utf8_valid(name, strlen(name)))
        return KT_OK;
    return kt_diag_set(im->diag, KT_ERR_INVALID_VALUE, NULL,
                       "The %s must be a name in UTF-8 that is not empty.", what);
}

static KtStatus build(Import *im)
{
    KT_TRY(open_store(im));
    KT_TRY(write_nodes(im));
    KT_TRY(write_weights(im));
    KT_TRY(write_relmaps(im));
    KT_TRY(write_lists(im));
    KT_TRY(write_labels(im));
    KT_TRY(write_index(im));
    KT_TRY(write_meta(im));
    KT_TRY(check(im));
    return put_in_place(im);
}

static KtStatus run(Import *im)
{
    const KtImportSpec *spec = im->spec;
    KT_TRY(check_name(im, "label", spec->label));
    KT_TRY(check_name(im, "type", spec->type));
    if (spec->weight)
        KT_TRY(check_name(im, "weight", spec->weight));
    KT_TRY(open_folders(im));
    KtStatus status = kt_import_read(spec, im->diag, &im->graph);
    return status != KT_OK ? status : build(im);
}

/* Takes away what a failed import has begun. Whatever goes wrong here, the first error is the one to tell. */
static void undo(Import *im)
{
    kt_kv_sst_close(im->sst);
    kt_kv_close(im->kv);
    if (im->kv)
        (void)nftw(im->building, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (im->made_data)
        (void)rmdir(im->spec->data);
}

KtStatus kt_import(const KtImportSpec *spec, KtDiag *diag, KtImportCounts *out)
{
    Import *im = calloc(1, sizeof *im);
    if (!im)
        return KT_ERR_MEMORY;
    im->spec = spec;
    im->diag = diag;
    im->data_fd = -1;
    KtStatus status = run(im);
    if (status != KT_OK)
        undo(im);
    if (status == KT_OK)
        *out = (KtImportCounts){im->graph.nodes, im->graph.edges, im->graph.rejects};
    if (status == KT_ERR_MEMORY)
        kt_diag_set(diag, status, NULL, "There is not enough memory for this import.");
    if (im->data_fd >= 0)
        close(im->data_fd);
    forget_files(im);
    kt_import_graph_close(&im->graph);
    kt_kv_batch_close(&im->meta);
    kt_buf_close(&im->key);
    kt_buf_close(&im->value);
    free(im->target);
    free(im->building);
    free(im->files);
    free(im);
    return status;
}
