/* storage/index_build.c - creating, filling and dropping indexes and unique constraints.
 *
 * Creating is a commit of its own that puts the index BUILDING: from there on every commit keeps its entries
 * and enforces it. It is then filled by commits of FILL_NODES nodes, which take turns like any writer, and put
 * ONLINE by a last one. A crash between two of them leaves BUILDING, which the next open goes on with. Two nodes
 * with one value end the fill of a constraint: it is dropped again, and both are named. */
#include "storage/graph_internal.h"

#include "base/hash.h"
#include "base/value_cmp.h"
#include "storage/index_key.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILL_NODES = 1000, NAME_MOST = 32 };

typedef struct Ddl {
    KtDatabase *db;
    int64_t deadline_ns;
    const atomic_bool *cancel;
    KtDiag *diag;
    KtCommit *made; /* the last commit of this statement */
} Ddl;

/* Runs `step` in a writing view with the turn held. */
typedef KtStatus (*Step)(const Ddl *ddl, KtView *view, void *user);

static KtStatus in_turn(const Ddl *ddl, Step step, void *user)
{
    KtTurn turn = {0};
    KtStatus status = kt_turn_wait(ddl->db, &turn, ddl->deadline_ns, ddl->cancel);
    if (status != KT_OK)
        return kt_diag_set(ddl->diag, status, NULL, "The schema change did not get its turn.");
    KtViewSpec spec = {.deadline_ns = ddl->deadline_ns, .cancel = ddl->cancel, .write = true};
    KtView *view;
    status = kt_view_open(ddl->db, &spec, ddl->diag, &view);
    if (status == KT_OK) {
        status = step(ddl, view, user);
        kt_view_close(view);
    }
    kt_turn_release(ddl->db, &turn);
    return status;
}

static KtChange index_change(KtChangeKind kind, const KtIndexFacts *index, KtIndexState state)
{
    return (KtChange){.kind = kind,
                      .sub = (uint8_t)state,
                      .unique = index->unique,
                      .token = index->label,
                      .key = index->key,
                      .id = index->id,
                      .text = index->name};
}

static KtStatus sequence_one(const Ddl *ddl, const KtChange *change)
{
    return kt_sequence(ddl->db, change, 1, ddl->diag, ddl->made);
}

/* ---- filling ---- */

typedef struct Fill {
    uint32_t index;
    KtNodeId from; /* nodes below it are done */
    bool done;
} Fill;

typedef struct Filled {
    KtNodeId node;
    KtValue value;
    KtBuf key;
} Filled;

static int by_key(const void *a, const void *b)
{
    const Filled *x = a, *y = b;
    size_t least = x->key.len < y->key.len ? x->key.len : y->key.len;
    int order = least ? memcmp(x->key.data, y->key.data, least) : 0;
    if (order)
        return order;
    if (x->key.len != y->key.len)
        return x->key.len < y->key.len ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

static KtStatus drop_doubled(const Ddl *ddl, const KtIndexFacts *index)
{
    KtDiag words = {.status = KT_OK}; /* the double is what the user is told of */
    Ddl quiet = *ddl;
    quiet.diag = &words;
    KtChange drop = index_change(KT_CHANGE_INDEX_DROP, index, index->state);
    KtStatus status = sequence_one(&quiet, &drop);
    return status == KT_OK ? KT_ERR_CONSTRAINT : status;
}

static KtStatus say_doubled(const Ddl *ddl, const KtIndexFacts *index, KtNodeId a, KtNodeId b)
{
    return kt_diag_set(
        ddl->diag, KT_ERR_CONSTRAINT, NULL,
        "Constraint `%.*s` cannot be created: nodes %llu and %llu have the same value.",
        (int)(index->name.len > 200 ? 200 : index->name.len), index->name.at, (unsigned long long)a,
        (unsigned long long)b);
}

static KtStatus check_filled(const Ddl *ddl, KtView *view, const KtIndexFacts *index,
                             const Filled *filled, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const Filled *x = &filled[i];
        KtFound found = {0};
        KT_TRY(kt_index_seek(view, index, x->value, KT_SEE_ALL, view->scratch, &found));
        for (uint32_t f = 0; f < found.n; f++) {
            if (found.node[f] != x->node)
                return say_doubled(ddl, index, found.node[f], x->node);
        }
        for (uint32_t j = i; j > 0 && filled[j - 1].key.len == x->key.len &&
                             memcmp(filled[j - 1].key.data, x->key.data, x->key.len) == 0;
             j--) {
            if (kt_value_equal(filled[j - 1].value, x->value) == KT_TRUE)
                return say_doubled(ddl, index, filled[j - 1].node, x->node);
        }
    }
    return KT_OK;
}

static KtStatus commit_filled(const Ddl *ddl, KtView *view, const KtIndexFacts *index,
                              Filled *filled, uint32_t n)
{
    if (n > 1)
        qsort(filled, n, sizeof *filled, by_key);
    if (index->unique)
        KT_TRY(check_filled(ddl, view, index, filled, n));
    KtChange *change = kt_arena_alloc(view->arena, n * sizeof *change);
    if (!change)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        change[i] =
            (KtChange){.kind = KT_CHANGE_INDEX_FILL, .id = filled[i].node, .token = index->id};
    return n ? kt_sequence(ddl->db, change, n, ddl->diag, ddl->made) : KT_OK;
}

/* A value that has no entry (a list) may be double all the same: its equals are looked for one by one. */
static KtStatus check_without_entry(const Ddl *ddl, KtView *view, const KtIndexFacts *index,
                                    const Filled *x)
{
    KtFound found = {0};
    KT_TRY(kt_index_seek(view, index, x->value, KT_SEE_ALL, view->arena, &found));
    for (uint32_t f = 0; f < found.n; f++) {
        if (found.node[f] != x->node)
            return say_doubled(ddl, index, found.node[f], x->node);
    }
    return KT_OK;
}

/* The next nodes of the label that have an entry. */
static KtStatus gather(const Ddl *ddl, KtView *view, const KtIndexFacts *index, Fill *fill,
                       Filled *filled, uint32_t *n)
{
    uint32_t id[FILL_NODES], got = 0;
    KtScanSpec spec = {.kind = KT_SCAN_LABEL, .what = index->label};
    KtScan *scan;
    KT_TRY(kt_scan_open_at(view, &spec, view->arena, &scan));
    kt_scan_skip_to(scan, fill->from);
    KtStatus status = kt_scan_next_at(scan, id, FILL_NODES, &got);
    kt_scan_close(scan);
    KT_TRY(status);
    fill->done = got == 0;
    for (uint32_t i = 0; i < got; i++) {
        Filled *next = &filled[*n];
        *next = (Filled){.node = id[i]};
        KT_TRY(kt_read_prop(view, KT_NODE, index->key, &next->node, 1, KT_SEE_ALL, view->arena,
                            &next->value));
        if (kt_is_null(next->value))
            continue;
        if (kt_index_key_prefix(&next->key, index->id, next->value)) {
            (*n)++;
            continue;
        }
        kt_buf_close(&next->key);
        if (index->unique)
            KT_TRY(check_without_entry(ddl, view, index, next));
    }
    if (got > 0)
        fill->from = (KtNodeId)id[got - 1] + 1;
    return KT_OK;
}

static KtStatus fill_step(const Ddl *ddl, KtView *view, void *user)
{
    Fill *fill = user;
    const KtIndexFacts *index = kt_schema_index(kt_view_indexes(view), fill->index);
    if (!index)
        return kt_diag_set(ddl->diag, KT_ERR_NOT_FOUND, NULL,
                           "The index was dropped while it was being filled.");
    if (index->state == KT_INDEX_ONLINE) {
        fill->done = true;
        return KT_OK;
    }
    Filled *filled = kt_arena_alloc(view->arena, FILL_NODES * sizeof *filled);
    if (!filled)
        return KT_ERR_MEMORY;
    uint32_t n = 0;
    KtStatus status = gather(ddl, view, index, fill, filled, &n);
    if (status == KT_OK && !fill->done)
        status = commit_filled(ddl, view, index, filled, n);
    if (status == KT_ERR_CONSTRAINT)
        status = drop_doubled(ddl, index);
    for (uint32_t i = 0; i < n; i++)
        kt_buf_close(&filled[i].key);
    if (status == KT_OK && fill->done) {
        KtChange online = index_change(KT_CHANGE_INDEX_PUT, index, KT_INDEX_ONLINE);
        status = sequence_one(ddl, &online);
    }
    return status;
}

static KtStatus fill_index(const Ddl *ddl, uint32_t index)
{
    Fill fill = {.index = index};
    while (!fill.done)
        KT_TRY(in_turn(ddl, fill_step, &fill));
    return KT_OK;
}

KtStatus kt_index_finish_all(KtDatabase *db, KtDiag *diag)
{
    KtPublished *now = kt_published_hold(db);
    KtStatus status = KT_OK;
    for (uint32_t i = 0; i < now->schema->schema.n && status == KT_OK; i++) {
        const KtIndexFacts *index = &now->schema->schema.index[i];
        if (index->state != KT_INDEX_BUILDING)
            continue;
        KtDiag words = {.status = KT_OK};
        KtCommit made;
        Ddl ddl = {.db = db, .diag = &words, .made = &made};
        status = fill_index(&ddl, index->id);
        if (status == KT_ERR_CONSTRAINT)
            status =
                KT_OK; /* it could not become true: it is gone, as its creation would have said */
        if (status != KT_OK)
            status = kt_diag_set(diag, status, NULL, "%s", words.message);
    }
    kt_published_drop(db, now);
    return status;
}

/* ---- creating ---- */

typedef struct Create {
    const KtIndexSpec *spec;
    uint32_t index; /* to be filled */
    bool fill;
} Create;

static KtText name_of(const KtIndexSpec *spec, char made[NAME_MOST])
{
    if (spec->name.len > 0)
        return spec->name;
    uint64_t hash =
        kt_hash(spec->label.at, spec->label.len) * 31 + kt_hash(spec->key.at, spec->key.len);
    int n = snprintf(made, NAME_MOST, "%s_%08x", spec->unique ? "constraint" : "index",
                     (unsigned)(hash >> 32));
    return (KtText){made, (uint32_t)n};
}

static bool same_meaning(const KtIndexFacts *index, const KtIndexSpec *spec)
{
    return kt_text_eq(index->label_name, spec->label) && kt_text_eq(index->key_name, spec->key);
}

/* The index or constraint that stands in the way, or NULL. */
static const KtIndexFacts *find_rival(const KtSchema *schema, const KtIndexSpec *spec, KtText name)
{
    for (uint32_t i = 0; i < schema->n; i++) {
        if (kt_text_eq(schema->index[i].name, name) || same_meaning(&schema->index[i], spec))
            return &schema->index[i];
    }
    return NULL;
}

static KtStatus create_step(const Ddl *ddl, KtView *view, void *user)
{
    Create *create = user;
    const KtIndexSpec *spec = create->spec;
    char made[NAME_MOST];
    KtText name = name_of(spec, made);
    const KtIndexFacts *rival = find_rival(kt_view_indexes(view), spec, name);
    if (rival && spec->if_not_exists &&
        (rival->unique == spec->unique || kt_text_eq(rival->name, name))) {
        create->index = rival->id;
        create->fill = rival->state == KT_INDEX_BUILDING;
        return KT_OK;
    }
    if (rival)
        return kt_diag_set(
            ddl->diag, KT_ERR_ALREADY_EXISTS, NULL, "There is already %s `%.*s` on (:%.*s {%.*s}).",
            rival->unique ? "a constraint" : "an index",
            (int)(rival->name.len > 100 ? 100 : rival->name.len), rival->name.at,
            (int)(rival->label_name.len > 100 ? 100 : rival->label_name.len), rival->label_name.at,
            (int)(rival->key_name.len > 100 ? 100 : rival->key_name.len), rival->key_name.at);
    KtStore *store = ddl->db->store;
    KtIndexFacts index = {.id = store->state.next_index, .unique = spec->unique, .name = name};
    KT_TRY(kt_store_name_make(store, KT_NAME_LABEL, spec->label, &index.label));
    KT_TRY(kt_store_name_make(store, KT_NAME_KEY, spec->key, &index.key));
    KtChange put = index_change(KT_CHANGE_INDEX_PUT, &index, KT_INDEX_BUILDING);
    KT_TRY(sequence_one(ddl, &put));
    create->index = index.id;
    create->fill = true;
    return KT_OK;
}

KtStatus kt_index_create(KtDatabase *db, const KtIndexSpec *spec, int64_t deadline_ns,
                         const atomic_bool *cancel, KtDiag *diag, KtCommit *made)
{
    KtCommit last = 0;
    Ddl ddl = {.db = db, .deadline_ns = deadline_ns, .cancel = cancel, .diag = diag, .made = &last};
    Create create = {.spec = spec};
    KT_TRY(in_turn(&ddl, create_step, &create));
    if (create.fill)
        KT_TRY(fill_index(&ddl, create.index));
    *made = last;
    return KT_OK;
}

/* ---- dropping ---- */

typedef struct Drop {
    KtText name;
    bool constraint, if_exists;
} Drop;

static KtStatus drop_step(const Ddl *ddl, KtView *view, void *user)
{
    Drop *drop = user;
    const KtSchema *schema = kt_view_indexes(view);
    for (uint32_t i = 0; i < schema->n; i++) {
        const KtIndexFacts *index = &schema->index[i];
        if (index->unique != drop->constraint || !kt_text_eq(index->name, drop->name))
            continue;
        KtChange change = index_change(KT_CHANGE_INDEX_DROP, index, index->state);
        KT_TRY(sequence_one(ddl, &change));
        return KT_OK;
    }
    if (drop->if_exists)
        return KT_OK;
    return kt_diag_set(ddl->diag, KT_ERR_NOT_FOUND, NULL, "There is no %s `%.*s`.",
                       drop->constraint ? "constraint" : "index",
                       (int)(drop->name.len > 200 ? 200 : drop->name.len), drop->name.at);
}

KtStatus kt_index_drop(KtDatabase *db, KtText name, bool constraint, bool if_exists,
                       int64_t deadline_ns, const atomic_bool *cancel, KtDiag *diag, KtCommit *made)
{
    KtCommit last = 0;
    Ddl ddl = {.db = db, .deadline_ns = deadline_ns, .cancel = cancel, .diag = diag, .made = &last};
    Drop drop = {.name = name, .constraint = constraint, .if_exists = if_exists};
    KT_TRY(in_turn(&ddl, drop_step, &drop));
    *made = last;
    return KT_OK;
}
