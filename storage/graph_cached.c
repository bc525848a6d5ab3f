/* storage/graph_cached.c - slices and degrees straight out of the graph cache, with the memory accesses of many nodes
 * in flight at once.
 *
 * A list is three dependent loads away (word, head, neighbours). For node i of a feed the word of node i + FAR is
 * prefetched, that of i + MIDDLE is loaded and its block prefetched, and the lines behind the head of i + NEAR. A
 * word that was loaded early is as good as one loaded late: what it points to stays until the view leaves its epoch,
 * and `since` is looked at when it is used. */
#include "storage/graph_list.h"

enum { FAR = 24, MIDDLE = 14, NEAR = 4, RING = 16 };
_Static_assert(MIDDLE < RING && (RING & (RING - 1)) == 0, "words ahead fit into the ring");

typedef struct Ahead {
    const KtSlots *slots;
    const uint64_t *node;
    uint32_t n;
    uint64_t word[RING];
} Ahead;

static inline uint64_t load_word(const Ahead *a, uint32_t i)
{
    const KtSlotAtom *slot = kt_slots_at(a->slots, a->node[i]);
    return KT_LIKELY(slot != NULL) ? atomic_load_explicit(slot, memory_order_acquire) : 0;
}

static inline void begin_block(Ahead *a, uint32_t i)
{
    uint64_t word = a->word[i % RING] = load_word(a, i);
    __builtin_prefetch((const void *)(uintptr_t)(word & ~KT_SLOT_IS_BLOCK));
}

/* Before node `at` is taken. */
static void ahead_begin(Ahead *a, uint32_t at)
{
    uint32_t left = a->n - at;
    for (uint32_t i = 0; i < left && i < FAR; i++)
        kt_slots_prefetch_word(a->slots, a->node[at + i]);
    for (uint32_t i = 0; i < left && i < MIDDLE; i++)
        begin_block(a, at + i);
}

/* The lines of neighbours behind the head, which has come by now; a stream prefetcher takes over in long lists. It is
 * looked at for its length only: whether the view may read it is judged later. */
static inline void begin_lines(const Ahead *a, uint32_t i)
{
    enum { MOST = 6 };
    uint64_t word = a->word[i % RING];
    if (KT_UNLIKELY(!(word & KT_SLOT_IS_BLOCK)))
        return;
    const KtSharedList *next = (const KtSharedList *)(uintptr_t)(word & ~KT_SLOT_IS_BLOCK);
    const char *line = (const char *)next + 64,
               *end = (const char *)(kt_list_nbr(&next->list) + next->list.n);
    if (end > line + MOST * 64)
        end = line + MOST * 64;
    for (; line < end; line += 64)
        __builtin_prefetch(line);
}

static inline uint64_t ahead_take(Ahead *a, uint32_t i, bool lines)
{
    if (KT_LIKELY(i + FAR < a->n))
        kt_slots_prefetch_word(a->slots, a->node[i + FAR]);
    uint64_t now = a->word[i % RING];
    if (KT_LIKELY(i + MIDDLE < a->n))
        begin_block(a, i + MIDDLE);
    if (lines && i + NEAR < a->n)
        begin_lines(a, i + NEAR);
    return now;
}

/* Self-loops in part of a run: neighbours ascend, so they stand together. */
static uint32_t loops_in(const KtNodeList *list, const KtListRun *run, uint32_t from, uint32_t n,
                         KtNodeId node)
{
    if (run->loops == 0 || n == run->n)
        return run->loops;
    const uint32_t *nbr = kt_list_nbr(list) + from;
    uint32_t first = kt_first_not_below(nbr, n, (uint32_t)node), end = first;
    while (end < n && nbr[end] == node)
        end++;
    return end - first;
}

void kt_expand_slice(const KtExpand *e, const KtNodeList *list, const KtListRun *run, KtSlice *out)
{
    uint32_t from = run->first + e->offset, width = kt_list_rel_width(list);
    uint32_t len = run->n - e->offset < KT_SLICE_MOST ? run->n - e->offset : KT_SLICE_MOST;
    *out = (KtSlice){.row = e->row[e->at],
                     .n = len,
                     .loops = loops_in(list, run, from, len, e->node[e->at]),
                     .type = run->type,
                     .dir = e->dir,
                     .width = KT_NODE_WIDTH,
                     .rel_width = (uint8_t)width,
                     .nbr = kt_list_nbr(list) + from,
                     .rel = e->hop.rels ? (const char *)kt_list_rels(list) + (size_t)from * width
                                        : NULL};
}

/* A list of several runs or slices. False: `out` is full before its end. */
static bool take_long(KtExpand *e, const KtNodeList *list, KtSlice *out, uint32_t cap,
                      uint32_t *made)
{
    for (; *made < cap && e->run < list->runs; e->run++, e->offset = 0) {
        const KtListRun *run = &kt_list_runs(list)[e->run];
        if (!kt_hop_takes(&e->hop, run->type))
            continue;
        while (*made < cap && e->offset < run->n) {
            kt_expand_slice(e, list, run, &out[*made]);
            e->offset += out[(*made)++].n;
        }
        if (e->offset < run->n)
            break;
    }
    if (e->run < list->runs)
        return false;
    e->run = e->offset = 0;
    return true;
}

uint32_t kt_expand_cached(KtExpand *e, KtSlice *out, uint32_t cap)
{
    KtCommit at;
    Ahead ahead = {
        .slots = kt_fetch_slots(e->view->fetch, e->dir, &at), .node = e->node, .n = e->n};
    uint32_t made = 0, i = e->at;
    bool rels = e->hop.rels;
    ahead_begin(&ahead, i);
    for (; made < cap && i < e->n; i++) {
        KtSlotBlock *block;
        KtSlotKind kind = kt_slots_judge(ahead.slots, ahead_take(&ahead, i, true), at, &block);
        if (KT_UNLIKELY(kind != KT_SLOT_BLOCK)) {
            if (kind == KT_SLOT_UNKNOWN)
                break;
            continue;
        }
        const KtNodeList *list = &((const KtSharedList *)block)->list;
        const KtListRun *run = kt_list_runs(list);
        if (KT_LIKELY(list->runs == 1 && list->n <= KT_SLICE_MOST &&
                      e->offset == 0)) { /* one slice: no further state */
            const uint32_t *nbr = (const uint32_t *)(const void *)(run + 1);
            if (!kt_hop_takes(&e->hop, run->type))
                continue;
            out[made++] = (KtSlice){.row = e->row[i],
                                    .n = list->n,
                                    .loops = run->loops,
                                    .type = run->type,
                                    .dir = e->dir,
                                    .width = KT_NODE_WIDTH,
                                    .rel_width = (uint8_t)kt_list_rel_width(list),
                                    .nbr = nbr,
                                    .rel = rels ? kt_list_rels(list) : NULL};
            continue;
        }
        e->at = i;
        if (!take_long(e, list, out, cap, &made))
            break;
    }
    e->at = i;
    return made;
}

/* ---- degrees ---- */

uint64_t kt_list_count(const KtHop *hop, const KtNodeList *list, bool without_loops)
{
    uint64_t n = 0;
    const KtListRun *run = kt_list_runs(list);
    for (uint32_t r = 0; r < list->runs; r++) {
        if (kt_hop_takes(hop, run[r].type))
            n += run[r].n - (without_loops ? run[r].loops : 0);
    }
    return n;
}

uint32_t kt_degrees_cached(KtView *view, const KtHop *hop, uint8_t dir, bool without_loops,
                           const KtAsk *ask, uint64_t *out)
{
    KtCommit at;
    Ahead ahead = {.slots = kt_fetch_slots(view->fetch, dir, &at), .node = ask->id, .n = ask->n};
    bool all = hop->n_types == 0 && !without_loops;
    uint32_t i = 0;
    ahead_begin(&ahead, 0);
    for (; i < ask->n; i++) {
        KtSlotBlock *block;
        KtSlotKind kind = kt_slots_judge(ahead.slots, ahead_take(&ahead, i, false), at, &block);
        if (KT_UNLIKELY(kind != KT_SLOT_BLOCK)) {
            if (kind == KT_SLOT_UNKNOWN)
                break;
            continue;
        }
        const KtNodeList *list = &((const KtSharedList *)block)->list;
        out[ask->row[i]] += all ? list->n : kt_list_count(hop, list, without_loops);
    }
    return i;
}
