/* storage/kv/kv_mem.c - the store in memory: a skip list of keys for each family, a chain of versions for each key.
 *
 * A write takes one number for its whole batch, adds versions under the write lock, and publishes the number last; a
 * reader looks for the newest version not above its number. Operands are merged when they are written. A version is
 * counted, so that a value outlives the lock. What no snapshot can see is freed: keys that were changed wait in a queue
 * until every snapshot is at least as new as the change. */
#include "storage/kv/kv_internal.h"

#include <pthread.h>
#include <stdlib.h>

enum { MOST_HEIGHT = 16 };

typedef struct Version {
    struct Version *older;
    uint64_t number;
    atomic_uint holders; /* the chain, and each value handed out */
    bool deleted;
    size_t len;
    uint8_t bytes[];
} Version;

typedef struct Node {
    Version *newest; /* NULL: made by a write that failed */
    uint64_t queued; /* number of the change that it waits for in the queue; 0: not in it */
    uint32_t key_len;
    uint32_t height;
    struct Node *next[]; /* then the key */
} Node;

typedef struct Family {
    Node *head; /* no key */
    uint64_t bytes;
} Family;

typedef struct Waiting { /* a key that may have something to free */
    uint32_t family;
    uint64_t number;
    Node *node;
} Waiting;

typedef struct MemKv {
    KtKv base;
    pthread_rwlock_t lock; /* guards all below */
    Family *family;
    uint64_t published;
    uint64_t unlinked; /* nodes freed so far: an iterator's node is good while this stands */
    uint64_t random;
    KtKvSnapshot *snapshots; /* alive, in no order */
    Waiting *waiting;        /* ring */
    size_t waiting_at, waiting_n, waiting_cap;
    KtBuf merged;
} MemKv;

struct KtKvSnapshot {
    uint64_t number;
    KtKvSnapshot *prev, *next;
};

typedef struct MemIter {
    KtKvIter base;
    KtKvSnapshot own; /* when opened without a snapshot: keeps what it sees */
    bool owns;
    uint64_t number;
    Node *node;        /* of the key it stands on */
    uint64_t unlinked; /* as of `node` */
    Version *held;     /* of the value it stands on */
    KtBuf key;
} MemIter;

static uint8_t *node_key(const Node *node)
{
    union {
        const struct Node *const *from;
        uint8_t *to;
    } cast = {.from = (const struct Node *const *)(node->next + node->height)};
    return cast.to;
}

static KtSpan node_span(const Node *node) { return kt_span(node_key(node), node->key_len); }

static void let_go(Version *version)
{
    if (atomic_fetch_sub_explicit(&version->holders, 1, memory_order_acq_rel) == 1)
        free(version);
}

static void unpin(void *pin) { let_go(pin); }

static Version *visible(const Node *node, uint64_t number)
{
    Version *v = node->newest;
    while (v && v->number > number)
        v = v->older;
    return v && !v->deleted ? v : NULL;
}

/* ---- the skip list; the caller holds the lock ---- */

/* The first node with key >= `key`; fills before[] with the last nodes below it if it is not NULL. */
static Node *find(const Family *family, KtSpan key, Node **before)
{
    Node *at = family->head;
    for (uint32_t level = MOST_HEIGHT; level-- > 0;) {
        while (at->next[level] && kt_kv_order(node_span(at->next[level]), key) < 0)
            at = at->next[level];
        if (before)
            before[level] = at;
    }
    return at->next[0];
}

/* The last node with key < `key` (at NULL: the last), or the head. */
static Node *find_before(const Family *family, KtSpan key)
{
    Node *at = family->head;
    for (uint32_t level = MOST_HEIGHT; level-- > 0;)
        while (at->next[level] && (!key.at || kt_kv_order(node_span(at->next[level]), key) < 0))
            at = at->next[level];
    return at;
}

static Node *make_node(KtSpan key, uint32_t height)
{
    Node *node = malloc(sizeof *node + height * sizeof node->next[0] + key.len);
    if (!node)
        return NULL;
    *node = (Node){.key_len = (uint32_t)key.len, .height = height};
    memset(node->next, 0, height * sizeof node->next[0]);
    if (key.len)
        memcpy(node_key(node), key.at, key.len);
    return node;
}

static Node *find_or_make(MemKv *kv, Family *family, KtSpan key)
{
    Node *before[MOST_HEIGHT];
    Node *at = find(family, key, before);
    if (at && kt_kv_order(node_span(at), key) == 0)
        return at;
    kv->random ^= kv->random << 13;
    kv->random ^= kv->random >> 7;
    kv->random ^= kv->random << 17;
    uint32_t height =
        1 + (uint32_t)__builtin_ctzll(kv->random | (uint64_t)1 << (2 * MOST_HEIGHT - 2)) / 2;
    Node *node = make_node(key, height);
    if (!node)
        return NULL;
    for (uint32_t level = 0; level < height; level++) {
        node->next[level] = before[level]->next[level];
        before[level]->next[level] = node;
    }
    return node;
}

static void unlink_node(MemKv *kv, Family *family, Node *node)
{
    Node *before[MOST_HEIGHT];
    find(family, node_span(node), before);
    for (uint32_t level = 0; level < node->height; level++) {
        KT_CHECK(before[level]->next[level] == node);
        before[level]->next[level] = node->next[level];
    }
    kv->unlinked++;
    free(node);
}

/* ---- freeing what nobody sees ---- */

static uint64_t oldest_seen(const MemKv *kv)
{
    uint64_t oldest = kv->published;
    for (const KtKvSnapshot *s = kv->snapshots; s; s = s->next)
        if (s->number < oldest)
            oldest = s->number;
    return oldest;
}

static void free_version(Family *family, const Node *node, Version *version)
{
    if (!version->deleted)
        family->bytes -= node->key_len + version->len;
    let_go(version);
}

/* Keeps of `node` what a snapshot from `oldest` on can see. */
static void trim(MemKv *kv, Family *family, Node *node, uint64_t oldest)
{
    Version *keep = node->newest;
    while (keep && keep->number > oldest)
        keep = keep->older;
    if (keep) {
        Version *gone = keep->older;
        keep->older = NULL;
        while (gone) {
            Version *older = gone->older;
            free_version(family, node, gone);
            gone = older;
        }
    }
    if (!node->newest || (keep == node->newest && keep->deleted)) {
        if (keep)
            free_version(family, node, keep);
        unlink_node(kv, family, node);
    }
}

static void clean(MemKv *kv)
{
    uint64_t oldest = oldest_seen(kv);
    while (kv->waiting_n > 0 && kv->waiting[kv->waiting_at].number <= oldest) {
        Waiting w = kv->waiting[kv->waiting_at];
        kv->waiting_at = (kv->waiting_at + 1) % kv->waiting_cap;
        kv->waiting_n--;
        if (w.node->queued == w.number) {
            w.node->queued = 0;
            trim(kv, &kv->family[w.family], w.node, oldest);
        }
    }
}

/* Room for one more waiting key, made before a change so that queueing cannot fail. */
static bool make_room(MemKv *kv)
{
    if (kv->waiting_n < kv->waiting_cap)
        return true;
    size_t cap = kv->waiting_cap ? kv->waiting_cap * 2 : 64;
    Waiting *grown = malloc(cap * sizeof *grown);
    if (!grown)
        return false;
    for (size_t i = 0; i < kv->waiting_n; i++)
        grown[i] = kv->waiting[(kv->waiting_at + i) % kv->waiting_cap];
    free(kv->waiting);
    kv->waiting = grown;
    kv->waiting_at = 0;
    kv->waiting_cap = cap;
    return true;
}

/* A node waits once, under the number of its newest change; older entries of it are then skipped. They stay safe: a
 * node is unlinked only from its own newest entry, which stands behind all older ones. */
static void queue(MemKv *kv, uint32_t family, Node *node, uint64_t number)
{
    if (node->queued == number)
        return;
    node->queued = number;
    kv->waiting[(kv->waiting_at + kv->waiting_n++) % kv->waiting_cap] =
        (Waiting){family, number, node};
}

/* ---- writes ---- */

static KtStatus add_version(MemKv *kv, uint32_t id, Node *node, uint64_t number, bool deleted,
                            KtSpan bytes)
{
    Family *family = &kv->family[id];
    Version *version = malloc(sizeof *version + bytes.len);
    if (!version || !make_room(kv)) {
        free(version);
        return KT_ERR_MEMORY;
    }
    version->number = number;
    atomic_init(&version->holders, 1);
    version->deleted = deleted;
    version->len = bytes.len;
    if (bytes.len)
        memcpy(version->bytes, bytes.at, bytes.len);
    Version *same = node->newest && node->newest->number == number ? node->newest : NULL;
    version->older = same ? same->older : node->newest;
    node->newest = version;
    if (!deleted)
        family->bytes += node->key_len + bytes.len;
    if (same)
        free_version(family, node, same); /* an earlier change of this batch */
    queue(kv, id, node, number);
    return KT_OK;
}

static KtStatus apply_change(MemKv *kv, const KtKvChange *change, uint64_t number)
{
    Family *family = &kv->family[change->family];
    if (change->op == KT_KV_OP_DELETE_RANGE) {
        for (Node *node = find(family, change->key, NULL);
             node && kt_kv_order(node_span(node), change->value) < 0; node = node->next[0])
            if (visible(node, number))
                KT_TRY(add_version(kv, change->family, node, number, true, kt_span(NULL, 0)));
        return KT_OK;
    }
    if (change->op == KT_KV_OP_DELETE) {
        Node *node = find(family, change->key, NULL);
        if (!node || kt_kv_order(node_span(node), change->key) != 0 || !visible(node, number))
            return KT_OK;
        return add_version(kv, change->family, node, number, true, kt_span(NULL, 0));
    }
    Node *node = find_or_make(kv, family, change->key);
    if (!node)
        return KT_ERR_MEMORY;
    if (change->op == KT_KV_OP_PUT)
        return add_version(kv, change->family, node, number, false, change->value);
    const Version *old = visible(node, number);
    kt_buf_clear(&kv->merged);
    kv->base.family[change->family].merge->full(
        change->key, old ? kt_span(old->bytes, old->len) : kt_span(NULL, 0), &change->value, 1,
        &kv->merged);
    if (kv->merged.failed)
        return KT_ERR_MEMORY;
    return add_version(kv, change->family, node, number, false,
                       kt_span(kv->merged.data, kv->merged.len));
}

/* Takes the versions of `number` off again. Nodes that are left empty go when their turn in the queue comes. */
static void take_back(MemKv *kv, uint64_t number)
{
    for (size_t i = kv->waiting_n; i-- > 0;) {
        Waiting *w = &kv->waiting[(kv->waiting_at + i) % kv->waiting_cap];
        if (w->number != number)
            break;
        Version *version = w->node->newest;
        if (version && version->number == number) {
            w->node->newest = version->older;
            free_version(&kv->family[w->family], w->node, version);
        }
    }
}

static KtStatus mem_write(KtKv *base, const KtKvBatch *batch, bool sync, KtDiag *diag)
{
    (void)sync;
    MemKv *kv = (MemKv *)base;
    pthread_rwlock_wrlock(&kv->lock);
    uint64_t number = kv->published + 1;
    KtStatus status = KT_OK;
    size_t at = 0;
    KtKvChange change;
    while (status == KT_OK && kt_kv_batch_next(batch, &at, &change))
        status = apply_change(kv, &change, number);
    if (status != KT_OK)
        take_back(kv, number);
    /* Also after a failure: the queue holds this number. */
    kv->published = number;
    clean(kv);
    pthread_rwlock_unlock(&kv->lock);
    if (status != KT_OK)
        return kt_diag_set(diag, status, NULL, "There is not enough memory for this write.");
    return KT_OK;
}

static KtStatus mem_flush(KtKv *base, KtDiag *diag)
{
    (void)base, (void)diag;
    return KT_OK;
}

static uint64_t mem_bytes(KtKv *base, uint32_t family)
{
    MemKv *kv = (MemKv *)base;
    pthread_rwlock_rdlock(&kv->lock);
    uint64_t bytes = kv->family[family].bytes;
    pthread_rwlock_unlock(&kv->lock);
    return bytes;
}

/* ---- snapshots and reads ---- */

static void link_snapshot(MemKv *kv, KtKvSnapshot *snapshot)
{
    snapshot->number = kv->published;
    snapshot->prev = NULL;
    snapshot->next = kv->snapshots;
    if (snapshot->next)
        snapshot->next->prev = snapshot;
    kv->snapshots = snapshot;
}

static void unlink_snapshot(MemKv *kv, KtKvSnapshot *snapshot)
{
    if (snapshot->prev)
        snapshot->prev->next = snapshot->next;
    else
        kv->snapshots = snapshot->next;
    if (snapshot->next)
        snapshot->next->prev = snapshot->prev;
    clean(kv);
}

static KtStatus mem_snapshot(KtKv *base, KtKvSnapshot **out)
{
    MemKv *kv = (MemKv *)base;
    KtKvSnapshot *snapshot = malloc(sizeof *snapshot);
    if (!snapshot)
        return KT_ERR_MEMORY;
    pthread_rwlock_wrlock(&kv->lock);
    link_snapshot(kv, snapshot);
    pthread_rwlock_unlock(&kv->lock);
    *out = snapshot;
    return KT_OK;
}

static void mem_snapshot_release(KtKv *base, KtKvSnapshot *snapshot)
{
    MemKv *kv = (MemKv *)base;
    pthread_rwlock_wrlock(&kv->lock);
    unlink_snapshot(kv, snapshot);
    pthread_rwlock_unlock(&kv->lock);
    free(snapshot);
}

static KtStatus mem_get(KtKv *base, const KtKvSnapshot *at, uint32_t family, KtSpan key,
                        KtKvValue *out)
{
    MemKv *kv = (MemKv *)base;
    KtKvValue value = {0};
    pthread_rwlock_rdlock(&kv->lock);
    const Node *node = find(&kv->family[family], key, NULL);
    if (node && kt_kv_order(node_span(node), key) == 0) {
        Version *version = visible(node, at ? at->number : kv->published);
        if (version) {
            atomic_fetch_add_explicit(&version->holders, 1, memory_order_relaxed);
            value = (KtKvValue){kt_span(version->bytes, version->len), version, unpin};
        }
    }
    pthread_rwlock_unlock(&kv->lock);
    *out = value;
    return KT_OK;
}

/* ---- iterators ---- */

static KtStatus mem_iter_open(KtKv *base, const KtKvSnapshot *at, uint32_t family, uint32_t flags,
                              KtKvIter **out)
{
    (void)family, (void)flags;
    MemKv *kv = (MemKv *)base;
    MemIter *iter = calloc(1, sizeof *iter);
    if (!iter)
        return KT_ERR_MEMORY;
    if (at) {
        iter->number = at->number;
    } else {
        pthread_rwlock_wrlock(&kv->lock);
        link_snapshot(kv, &iter->own);
        pthread_rwlock_unlock(&kv->lock);
        iter->owns = true;
        iter->number = iter->own.number;
    }
    *out = &iter->base;
    return KT_OK;
}

static void mem_iter_close(KtKvIter *base)
{
    MemIter *iter = (MemIter *)base;
    MemKv *kv = (MemKv *)base->kv;
    if (iter->held)
        let_go(iter->held);
    if (iter->owns) {
        pthread_rwlock_wrlock(&kv->lock);
        unlink_snapshot(kv, &iter->own);
        pthread_rwlock_unlock(&kv->lock);
    }
    kt_buf_close(&iter->key);
    free(iter);
}

/* Stands on `node` (NULL: nowhere), whose version is `version`. The caller holds the lock. */
static KtStatus stand(MemIter *iter, const MemKv *kv, Node *node, Version *version)
{
    if (iter->held)
        let_go(iter->held);
    iter->held = NULL;
    iter->base.valid = false;
    if (!node)
        return KT_OK;
    kt_buf_clear(&iter->key);
    if (!kt_buf_reserve(&iter->key, node->key_len + 1))
        return KT_ERR_MEMORY;
    kt_buf_put(&iter->key, node_key(node), node->key_len);
    atomic_fetch_add_explicit(&version->holders, 1, memory_order_relaxed);
    iter->held = version;
    iter->node = node;
    iter->unlinked = kv->unlinked;
    iter->base.key = kt_span(iter->key.data, iter->key.len);
    iter->base.value = kt_span(version->bytes, version->len);
    iter->base.valid = true;
    return KT_OK;
}

/* From `node` on, the first that is visible. */
static KtStatus stand_from(MemIter *iter, const MemKv *kv, Node *node)
{
    Version *version = NULL;
    while (node && !(version = visible(node, iter->number)))
        node = node->next[0];
    return stand(iter, kv, node, version);
}

static KtStatus mem_iter_seek(KtKvIter *base, KtSpan key)
{
    MemIter *iter = (MemIter *)base;
    MemKv *kv = (MemKv *)base->kv;
    const Family *family = &kv->family[base->family];
    pthread_rwlock_rdlock(&kv->lock);
    KtStatus status =
        stand_from(iter, kv, key.at ? find(family, key, NULL) : family->head->next[0]);
    pthread_rwlock_unlock(&kv->lock);
    return status;
}

static KtStatus mem_iter_seek_before(KtKvIter *base, KtSpan key)
{
    MemIter *iter = (MemIter *)base;
    MemKv *kv = (MemKv *)base->kv;
    const Family *family = &kv->family[base->family];
    pthread_rwlock_rdlock(&kv->lock);
    Node *node = find_before(family, key);
    Version *version = NULL;
    while (node != family->head && !(version = visible(node, iter->number)))
        node = find_before(family, node_span(node));
    KtStatus status = stand(iter, kv, node == family->head ? NULL : node, version);
    pthread_rwlock_unlock(&kv->lock);
    return status;
}

static KtStatus mem_iter_next(KtKvIter *base)
{
    MemIter *iter = (MemIter *)base;
    MemKv *kv = (MemKv *)base->kv;
    const Family *family = &kv->family[base->family];
    pthread_rwlock_rdlock(&kv->lock);
    Node *node;
    if (iter->unlinked == kv->unlinked) {
        node = iter->node->next[0];
    } else {
        KtSpan key = kt_span(iter->key.data, iter->key.len);
        node = find(family, key, NULL);
        if (node && kt_kv_order(node_span(node), key) == 0)
            node = node->next[0];
    }
    KtStatus status = stand_from(iter, kv, node);
    pthread_rwlock_unlock(&kv->lock);
    return status;
}

/* ---- open and close ---- */

static void mem_close(KtKv *base)
{
    MemKv *kv = (MemKv *)base;
    for (uint32_t i = 0; i < base->families && kv->family; i++) {
        Node *node = kv->family[i].head;
        while (node) {
            Node *next = node->next[0];
            while (node->newest) {
                Version *older = node->newest->older;
                let_go(node->newest);
                node->newest = older;
            }
            free(node);
            node = next;
        }
    }
    free(kv->family);
    free(kv->waiting);
    kt_buf_close(&kv->merged);
    pthread_rwlock_destroy(&kv->lock);
    free(kv);
}

static const KtKvOps mem_ops = {
    .close = mem_close,
    .snapshot = mem_snapshot,
    .snapshot_release = mem_snapshot_release,
    .get = mem_get,
    .iter_open = mem_iter_open,
    .iter_close = mem_iter_close,
    .iter_seek = mem_iter_seek,
    .iter_seek_before = mem_iter_seek_before,
    .iter_next = mem_iter_next,
    .write = mem_write,
    .flush = mem_flush,
    .bytes = mem_bytes,
};

KtStatus kt_kv_mem_open(const KtKvSpec *spec, KtKv **out)
{
    MemKv *kv = calloc(1, sizeof *kv);
    if (!kv)
        return KT_ERR_MEMORY;
    kv->base = (KtKv){.ops = &mem_ops, .family = spec->family, .families = spec->families};
    kv->random = 0x9E3779B97F4A7C15ULL;
    pthread_rwlock_init(&kv->lock, NULL);
    kv->family = calloc(spec->families ? spec->families : 1, sizeof *kv->family);
    bool whole = kv->family != NULL;
    for (uint32_t i = 0; i < spec->families && whole; i++)
        whole = (kv->family[i].head = make_node(kt_span(NULL, 0), MOST_HEIGHT)) != NULL;
    if (!whole) {
        mem_close(&kv->base);
        return KT_ERR_MEMORY;
    }
    *out = &kv->base;
    return KT_OK;
}
