/* storage/store.c - opening a store, and what is held of it in memory. */
#include "storage/store.h"

#include "storage/format.h"
#include "storage/txn/change_record.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

enum { NAMES_MOST = 1 << 24 }; /* of one kind */

/* ---- names ---- */

static uint32_t *name_slot(const KtNames *names, KtText name)
{
    uint32_t mask = names->slots - 1;
    for (uint32_t i = (uint32_t)kt_hash(name.at, name.len) & mask;; i = (i + 1) & mask) {
        uint32_t token = names->slot[i];
        if (token == 0 || kt_text_eq(names->text[token - 1], name))
            return &names->slot[i];
    }
}

static KtStatus names_room(KtNames *names)
{
    if (names->n == names->cap) {
        uint32_t cap = names->cap ? names->cap * 2 : 16;
        KtText *text = realloc(names->text, cap * sizeof *text);
        if (!text)
            return KT_ERR_MEMORY;
        names->text = text;
        names->cap = cap;
    }
    if ((names->n + 1) * 2 > names->slots) {
        KtNames grown = *names;
        grown.slots = names->slots ? names->slots * 2 : 32;
        grown.slot = calloc(grown.slots, sizeof *grown.slot);
        if (!grown.slot)
            return KT_ERR_MEMORY;
        for (uint32_t t = 1; t <= names->n; t++)
            *name_slot(&grown, names->text[t - 1]) = t;
        free(names->slot);
        *names = grown;
    }
    return KT_OK;
}

static KtStatus names_add(KtStore *store, KtNameKind kind, KtText name, KtToken *out)
{
    KtNames *names = &store->name[kind];
    KT_TRY(names_room(names));
    char *text = kt_arena_text(store->texts, name.at, name.len);
    if (!text)
        return KT_ERR_MEMORY;
    names->text[names->n++] = (KtText){text, name.len};
    *name_slot(names, name) = names->n;
    *out = names->n;
    return KT_OK;
}

KtToken kt_store_name_find(KtStore *store, KtNameKind kind, KtText name)
{
    (void)pthread_rwlock_rdlock(&store->lock);
    const KtNames *names = &store->name[kind];
    KtToken token = names->slots ? *name_slot(names, name) : 0;
    (void)pthread_rwlock_unlock(&store->lock);
    return token;
}

KtStatus kt_store_name_make(KtStore *store, KtNameKind kind, KtText name, KtToken *out)
{
    (void)pthread_rwlock_wrlock(&store->lock);
    const KtNames *names = &store->name[kind];
    KtStatus status = KT_OK;
    KtToken token = names->slots ? *name_slot(names, name) : 0;
    if (token == 0 && names->n >= NAMES_MOST)
        status = KT_ERR_LIST_TOO_LONG;
    else if (token == 0)
        status = names_add(store, kind, name, &token);
    (void)pthread_rwlock_unlock(&store->lock);
    if (status == KT_OK)
        *out = token;
    return status;
}

KtText kt_store_name_text(KtStore *store, KtNameKind kind, KtToken token)
{
    (void)pthread_rwlock_rdlock(&store->lock);
    const KtNames *names = &store->name[kind];
    KtText text = token >= 1 && token <= names->n ? names->text[token - 1] : (KtText){"", 0};
    (void)pthread_rwlock_unlock(&store->lock);
    return text;
}

uint32_t kt_store_names(KtStore *store, KtNameKind kind)
{
    (void)pthread_rwlock_rdlock(&store->lock);
    uint32_t n = store->name[kind].n;
    (void)pthread_rwlock_unlock(&store->lock);
    return n;
}

/* ---- counts ---- */

uint64_t kt_store_count(KtStore *store, KtNameKind kind, KtToken token)
{
    KT_CHECK(kind == KT_NAME_LABEL || kind == KT_NAME_TYPE);
    (void)pthread_rwlock_rdlock(&store->lock);
    const KtCounts *counts = &store->count[kind];
    uint64_t n = token < counts->cap ? counts->at[token] : 0;
    (void)pthread_rwlock_unlock(&store->lock);
    return n;
}

KtStatus kt_store_count_reserve(KtStore *store, KtNameKind kind, KtToken token)
{
    KtCounts *counts = &store->count[kind];
    if (token < counts->cap)
        return KT_OK;
    uint32_t cap = counts->cap ? counts->cap : 16;
    while (cap <= token)
        cap *= 2;
    uint64_t *at = calloc(cap, sizeof *at);
    if (!at)
        return KT_ERR_MEMORY;
    (void)pthread_rwlock_wrlock(&store->lock);
    if (counts->cap)
        memcpy(at, counts->at, counts->cap * sizeof *at);
    free(counts->at);
    counts->at = at;
    counts->cap = cap;
    (void)pthread_rwlock_unlock(&store->lock);
    return KT_OK;
}

/* ---- schema ---- */

static int by_name(const void *a, const void *b)
{
    const KtIndexFacts *x = a, *y = b;
    uint32_t least = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = least ? memcmp(x->name.at, y->name.at, least) : 0;
    return order ? order : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

KtStatus kt_schema_make(KtStore *store, uint64_t version, const KtMetaIndex *index, uint32_t n,
                        KtSchemaPicture **out)
{
    KtSchemaPicture *made = malloc(sizeof *made + n * sizeof made->index[0]);
    if (!made)
        return KT_ERR_MEMORY;
    atomic_init(&made->refs, 1);
    made->schema = (KtSchema){.version = version, .n = n, .index = made->index};
    for (uint32_t i = 0; i < n; i++) {
        made->index[i] = (KtIndexFacts){
            .id = index[i].id,
            .state = index[i].state,
            .unique = index[i].unique,
            .label = index[i].label,
            .key = index[i].key,
            .name = index[i].name,
            .label_name = kt_store_name_text(store, KT_NAME_LABEL, index[i].label),
            .key_name = kt_store_name_text(store, KT_NAME_KEY, index[i].key),
        };
    }
    if (n > 1)
        qsort(made->index, n, sizeof made->index[0], by_name);
    *out = made;
    return KT_OK;
}

KtSchemaPicture *kt_schema_hold(KtSchemaPicture *schema)
{
    atomic_fetch_add_explicit(&schema->refs, 1, memory_order_relaxed);
    return schema;
}

void kt_schema_drop(KtSchemaPicture *schema)
{
    if (schema && atomic_fetch_sub_explicit(&schema->refs, 1, memory_order_acq_rel) == 1)
        free(schema);
}

const KtIndexFacts *kt_schema_index(const KtSchema *schema, uint32_t id)
{
    for (uint32_t i = 0; i < schema->n; i++) {
        if (schema->index[i].id == id)
            return &schema->index[i];
    }
    return NULL;
}

/* ---- split lists ---- */

static uint64_t split_hash(KtNodeId node, uint8_t dir, KtToken type)
{
    return kt_mix64(node * 2 + (dir == KT_IN ? 1u : 0u) + ((uint64_t)type << 40)) >> 1;
}

static KtSplit *split_find(const KtStore *store, KtNodeId node, uint8_t dir, KtToken type)
{
    const uint64_t *head = kt_map64_get(&store->split_at, split_hash(node, dir, type));
    for (uint32_t at = head ? (uint32_t)*head : 0; at; at = store->split[at - 1].older) {
        KtSplit *split = &store->split[at - 1];
        if (split->node == node && split->dir == dir && split->type == type)
            return split;
    }
    return NULL;
}

const KtSplit *kt_store_split(const KtStore *store, KtNodeId node, uint8_t dir, KtToken type)
{
    const KtSplit *split = split_find(store, node, dir, type);
    return split && split->n > 1 ? split
                                 : NULL; /* one bound: room was made, the list is still whole */
}

KtStatus kt_store_split_reserve(KtStore *store, uint32_t more)
{
    if (store->splits_cap - store->splits >= more)
        return KT_OK;
    uint32_t cap = store->splits_cap ? store->splits_cap : 16;
    while (cap - store->splits < more)
        cap *= 2;
    KtSplit *grown = realloc(store->split, cap * sizeof *grown);
    if (!grown)
        return KT_ERR_MEMORY;
    store->split = grown;
    store->splits_cap = cap;
    return KT_OK;
}

KtStatus kt_store_split_set(KtStore *store, KtNodeId node, uint8_t dir, KtToken type,
                            KtMetaBound *bound, uint32_t n)
{
    KtSplit *split = split_find(store, node, dir, type);
    if (!split) {
        KT_TRY(kt_store_split_reserve(store, 1));
        uint64_t *head;
        KT_TRY(kt_map64_put(&store->split_at, split_hash(node, dir, type), &head, NULL));
        split = &store->split[store->splits++];
        *split = (KtSplit){.node = node, .type = type, .dir = dir, .older = (uint32_t)*head};
        *head = store->splits;
    }
    free(split->bound);
    split->bound = bound;
    split->n = n;
    return KT_OK;
}

/* ---- open: meta ---- */

typedef struct Loading {
    KtStore *store;
    KtDiag *diag;
    KtMetaIndex *index;
    uint32_t indexes, indexes_cap;
    KtArena *scratch;
    KtMetaStop stop;
    bool has_state, has_log, has_stop;
} Loading;

static KtStatus damaged(Loading *l, const char *what)
{
    return kt_diag_set(l->diag, KT_ERR_CORRUPTION, NULL,
                       "The database's own records are damaged: %s cannot be read.", what);
}

static KtStatus load_name(Loading *l, KtSpan key, KtSpan value)
{
    KtNameKind kind;
    KtToken token, made = 0;
    KtText text;
    if (!kt_meta_get_name_key(key.at, key.len, &kind, &token) ||
        !kt_meta_get_name(value.at, value.len, &text))
        return damaged(l, "a name");
    KtNames *names = &l->store->name[kind];
    if (token != names->n + 1) /* keys ascend, tokens are dense */
        return damaged(l, "the list of names");
    KT_TRY(names_add(l->store, kind, text, &made));
    names->durable = names->n;
    return KT_OK;
}

static KtStatus load_count(Loading *l, KtSpan key, KtSpan value)
{
    KtNameKind kind;
    KtToken token;
    uint64_t count;
    if (!kt_meta_get_count_key(key.at, key.len, &kind, &token) || kind == KT_NAME_KEY ||
        !kt_meta_get_count(value.at, value.len, &count) || token > NAMES_MOST)
        return damaged(l, "a counter");
    KT_TRY(kt_store_count_reserve(l->store, kind, token));
    l->store->count[kind].at[token] = count;
    return KT_OK;
}

static KtStatus load_split(Loading *l, KtSpan key, KtSpan value)
{
    KtNodeId node;
    uint8_t dir;
    KtToken type;
    uint32_t n = kt_meta_split_count(value.at, value.len);
    if (!kt_meta_get_split_key(key.at, key.len, &node, &dir, &type) || n < 2)
        return damaged(l, "the bounds of a long list");
    KtMetaBound *bound = malloc(n * sizeof *bound);
    if (!bound)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        bound[i] = kt_meta_split_at(value.at, i);
    KtStatus status = kt_store_split_set(l->store, node, dir, type, bound, n);
    if (status != KT_OK)
        free(bound);
    return status;
}

static KtStatus load_index(Loading *l, KtSpan key, KtSpan value)
{
    KtMetaIndex index;
    if (!kt_meta_get_index(key.at, key.len, value.at, value.len, &index))
        return damaged(l, "an index");
    char *text = kt_arena_text(l->store->texts, index.name.at, index.name.len);
    if (!text)
        return KT_ERR_MEMORY;
    index.name.at = text;
    void *items = l->index;
    KT_TRY(kt_arena_grow(l->scratch, &items, l->indexes, &l->indexes_cap, sizeof index));
    l->index = items;
    l->index[l->indexes++] = index;
    return KT_OK;
}

static KtStatus load_one(Loading *l, KtSpan key, KtSpan value)
{
    KtStore *store = l->store;
    switch (key.len ? (KtMetaKind)key.at[0] : (KtMetaKind)0) {
    case KT_META_FORMAT: return KT_OK; /* read first, on its own */
    case KT_META_STATE:
        l->has_state = kt_meta_get_state(value.at, value.len, &store->state);
        return l->has_state ? KT_OK : damaged(l, "the commit state");
    case KT_META_STOP:
        l->has_stop = kt_meta_get_stop(value.at, value.len, &l->stop);
        return l->has_stop ? KT_OK : damaged(l, "the record of the last stop");
    case KT_META_LOG:
        l->has_log = kt_meta_get_log(value.at, value.len, &store->log);
        return l->has_log ? KT_OK : damaged(l, "the beginning of the log");
    case KT_META_NAME: return load_name(l, key, value);
    case KT_META_TOKEN: return KT_OK; /* the same names, the other way round */
    case KT_META_COUNT: return load_count(l, key, value);
    case KT_META_SPLIT: return load_split(l, key, value);
    case KT_META_INDEX: return load_index(l, key, value);
    }
    return damaged(l, "a record of unknown kind");
}

static KtStatus load_meta(Loading *l)
{
    KtKvIter *iter;
    KT_TRY(kt_kv_iter_open(l->store->kv, NULL, KT_FAMILY_META, KT_KV_TOTAL_ORDER, &iter));
    KtStatus status = kt_kv_iter_seek(iter, kt_span(NULL, 0));
    while (status == KT_OK && kt_kv_iter_valid(iter)) {
        status = load_one(l, kt_kv_iter_key(iter), kt_kv_iter_value(iter));
        if (status == KT_OK)
            status = kt_kv_iter_next(iter);
    }
    kt_kv_iter_close(iter);
    return status;
}

/* The number of the newest commit that can be shown: that of the last change record, or, where none is
 * kept, the one before the log begins. */
static KtStatus found_commit(KtStore *store, KtCommit *out)
{
    KtKvIter *iter;
    KT_TRY(kt_kv_iter_open(store->kv, NULL, KT_FAMILY_LOG, KT_KV_TOTAL_ORDER, &iter));
    KtStatus status = kt_kv_iter_seek_before(iter, kt_span(NULL, 0));
    KtCommit found = store->log.first ? store->log.first - 1 : 0;
    if (status == KT_OK && kt_kv_iter_valid(iter)) {
        KtSpan key = kt_kv_iter_key(iter);
        if (key.len == 8)
            found = kt_load_be64(key.at);
    }
    kt_kv_iter_close(iter);
    if (status == KT_OK)
        *out = found;
    return status;
}

/* Two ways to lose commits silently: a log file cut short (the last stop saw more than is found), and a state
 * that is behind or ahead of the log. */
static KtStatus check_found(Loading *l)
{
    KtCommit found;
    KT_TRY(found_commit(l->store, &found));
    KtCommit most = found > l->store->state.commit ? found : l->store->state.commit;
    if (l->has_stop && l->stop.commit > most)
        most = l->stop.commit;
    KtCommit least = found < l->store->state.commit ? found : l->store->state.commit;
    if (least < most) {
        return kt_diag_set(
            l->diag, KT_ERR_DURABILITY_GAP, NULL,
            "Commits are missing: this database once held commit %llu, found is commit %llu.",
            (unsigned long long)most, (unsigned long long)least);
    }
    return KT_OK;
}

static KtStatus write_fresh(KtStore *store, KtDiag *diag)
{
    store->format.format = KT_STORE_FORMAT;
    if (getrandom(store->format.uuid, sizeof store->format.uuid, 0) !=
        (ssize_t)sizeof store->format.uuid)
        return kt_diag_set(diag, KT_ERR_IO, NULL, "The system gives no random bytes (errno %d).",
                           errno);
    store->state = (KtMetaState){.epoch = 1, .next_index = 1};
    store->log = (KtMetaLog){.first = 1};
    KtBuf key = {0}, value = {0};
    KtKvBatch batch = {0};
    kt_meta_key(&key, KT_META_FORMAT);
    kt_meta_put_format(&value, &store->format);
    kt_kv_put(&batch, KT_FAMILY_META, kt_span(key.data, key.len), kt_span(value.data, value.len));
    kt_buf_clear(&key);
    kt_buf_clear(&value);
    kt_meta_key(&key, KT_META_STATE);
    kt_meta_put_state(&value, &store->state);
    kt_kv_put(&batch, KT_FAMILY_META, kt_span(key.data, key.len), kt_span(value.data, value.len));
    kt_buf_clear(&key);
    kt_buf_clear(&value);
    kt_meta_key(&key, KT_META_LOG);
    kt_meta_put_log(&value, &store->log);
    kt_kv_put(&batch, KT_FAMILY_META, kt_span(key.data, key.len), kt_span(value.data, value.len));
    KtStatus status =
        key.failed || value.failed ? KT_ERR_MEMORY : kt_kv_write(store->kv, &batch, true, diag);
    kt_kv_batch_close(&batch);
    kt_buf_close(&key);
    kt_buf_close(&value);
    return status;
}

static KtStatus read_format(KtStore *store, KtDiag *diag, bool *found)
{
    uint8_t key = KT_META_FORMAT;
    KtKvValue value = {0};
    KT_TRY(kt_kv_get(store->kv, NULL, KT_FAMILY_META, kt_span(&key, 1), &value));
    KtStatus status = KT_OK;
    *found = value.bytes.at != NULL;
    if (*found && !kt_meta_get_format(value.bytes.at, value.bytes.len, &store->format))
        status = kt_diag_set(diag, KT_ERR_STORE_FORMAT, NULL,
                             "The store holds no Kith database of a known form.");
    kt_kv_release(&value);
    if (status != KT_OK || !*found)
        return status;
    if (store->format.format > KT_STORE_FORMAT) {
        status = kt_diag_set(
            diag, KT_ERR_STORE_FORMAT, NULL,
            "The database has store format %u; this version of Kith reads formats up to %d.",
            store->format.format, KT_STORE_FORMAT);
        kt_diag_hint(diag, "Use a newer version of Kith.");
        return status;
    }
    if (store->format.format < 1)
        return kt_diag_set(diag, KT_ERR_STORE_FORMAT, NULL,
                           "The database has store format %u, which never existed.",
                           store->format.format);
    return KT_OK;
}

static KtStatus is_empty(KtStore *store, bool *empty)
{
    KtKvIter *iter;
    KT_TRY(kt_kv_iter_open(store->kv, NULL, KT_FAMILY_META, KT_KV_TOTAL_ORDER, &iter));
    KtStatus status = kt_kv_iter_seek(iter, kt_span(NULL, 0));
    *empty = status == KT_OK && !kt_kv_iter_valid(iter);
    kt_kv_iter_close(iter);
    return status;
}

static KtStatus load(KtStore *store, bool create, KtDiag *diag)
{
    bool found = false, empty = false;
    KT_TRY(read_format(store, diag, &found));
    if (!found) {
        KT_TRY(is_empty(store, &empty));
        if (!empty || !create)
            return kt_diag_set(diag, KT_ERR_STORE_FORMAT, NULL,
                               "The store there is another program's, and no Kith database.");
        KT_TRY(write_fresh(store, diag));
        return kt_schema_make(store, 0, NULL, 0, &store->schema);
    }
    Loading l = {.store = store, .diag = diag};
    KT_TRY(kt_arena_open(NULL, &l.scratch));
    KtStatus status = load_meta(&l);
    if (status == KT_OK && (!l.has_state || !l.has_log))
        status = damaged(&l, "the commit state");
    if (status == KT_OK)
        status = check_found(&l);
    if (status == KT_OK)
        status =
            kt_schema_make(store, store->state.schema_version, l.index, l.indexes, &store->schema);
    kt_arena_close(l.scratch);
    store->next_node = store->state.next_node;
    store->next_rel = store->state.next_rel;
    return status;
}

KtStatus kt_store_open(KtKv *kv, bool create, KtDiag *diag, KtStore **out)
{
    KtStore *store = calloc(1, sizeof *store);
    if (!store) {
        kt_kv_close(kv);
        return KT_ERR_MEMORY;
    }
    store->kv = kv;
    (void)pthread_rwlock_init(&store->lock, NULL);
    KtStatus status = kt_arena_open(NULL, &store->texts);
    if (status == KT_OK)
        status = load(store, create, diag);
    if (status != KT_OK) {
        kt_store_close(store, false);
        return kt_diag_set(diag, status, NULL, "The database could not be read at open.");
    }
    *out = store;
    return KT_OK;
}

/* The number must outlive a write-ahead log that is cut short: so it is flushed to a sorted file. A stop that
 * fails to be recorded is a stop that is not clean; the next open finds what it finds. */
static void record_stop(KtStore *store)
{
    KtBuf key = {0}, value = {0};
    KtKvBatch batch = {0};
    KtMetaStop stop = {.commit = store->state.commit};
    kt_meta_key(&key, KT_META_STOP);
    kt_meta_put_stop(&value, &stop);
    if (!key.failed && !value.failed) {
        kt_kv_put(&batch, KT_FAMILY_META, kt_span(key.data, key.len),
                  kt_span(value.data, value.len));
        KtStatus status = kt_kv_write(store->kv, &batch, true, NULL);
        if (status == KT_OK)
            status = kt_kv_flush(store->kv, NULL);
        (void)status;
    }
    kt_kv_batch_close(&batch);
    kt_buf_close(&key);
    kt_buf_close(&value);
}

void kt_store_close(KtStore *store, bool clean)
{
    if (!store)
        return;
    if (clean)
        record_stop(store);
    for (int kind = KT_NAME_LABEL; kind <= KT_NAME_KEY; kind++) {
        free(store->name[kind].text);
        free(store->name[kind].slot);
    }
    free(store->count[KT_NAME_LABEL].at);
    free(store->count[KT_NAME_TYPE].at);
    for (uint32_t i = 0; i < store->splits; i++)
        free(store->split[i].bound);
    free(store->split);
    kt_map64_close(&store->split_at);
    kt_schema_drop(store->schema);
    kt_arena_close(store->texts);
    (void)pthread_rwlock_destroy(&store->lock);
    kt_kv_close(store->kv);
    free(store);
}
