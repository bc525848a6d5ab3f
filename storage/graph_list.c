/* storage/graph_list.c - adjacency at a mark: lists merged with the overlay, the expand cursor, degrees, pairs. */
#include "storage/graph_list.h"

#include <stdlib.h>

/* ---- one list: snapshot and overlay ---- */

typedef struct Edge {
    KtToken type;
    uint32_t nbr;
    KtRelId rel;
    uint32_t order; /* among changes: the later one of a relationship wins */
    bool add;
} Edge;

static int edge_order(const Edge *x, const Edge *y)
{
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->nbr != y->nbr)
        return x->nbr < y->nbr ? -1 : 1;
    return (x->rel > y->rel) - (x->rel < y->rel);
}

static int by_edge(const void *a, const void *b)
{
    const Edge *x = a, *y = b;
    int order = edge_order(x, y);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* The changes of a list below a mark, sorted, one for each relationship. */
static KtStatus own_edges(KtView *view, uint8_t dir, uint32_t first, Edge **out, uint32_t *out_n)
{
    const KtOverlay *o = &view->overlay;
    uint32_t n = 0, kept = 0;
    for (uint32_t at = first; at; at = kt_chain_older(o, at))
        n++;
    Edge *edge = kt_arena_alloc(view->scratch, n * sizeof *edge);
    if (!edge)
        return KT_ERR_MEMORY;
    uint32_t i = n;
    for (uint32_t at = first; at; at = kt_chain_older(o, at)) {
        const KtChange *c = kt_chain_change(o, at);
        i--;
        edge[i] = (Edge){.type = c->token,
                         .nbr = (uint32_t)(dir == KT_OUT ? c->end : c->start),
                         .rel = c->id,
                         .order = i,
                         .add = c->kind == KT_CHANGE_REL_ADD};
    }
    if (n > 1)
        qsort(edge, n, sizeof *edge, by_edge);
    for (i = 0; i < n; i++) {
        if (i + 1 < n && edge_order(&edge[i], &edge[i + 1]) == 0)
            continue;
        edge[kept++] = edge[i];
    }
    *out = edge;
    *out_n = kept;
    return KT_OK;
}

typedef struct Building {
    KtListRun *run;
    uint32_t *nbr;
    uint64_t *rel;
    uint32_t n, runs, runs_cap;
    KtNodeId node;
} Building;

static KtStatus build_add(KtArena *arena, Building *b, KtToken type, uint32_t nbr, KtRelId rel)
{
    if (b->runs == 0 || b->run[b->runs - 1].type != type) {
        void *items = b->run;
        KT_TRY(kt_arena_grow(arena, &items, b->runs, &b->runs_cap, sizeof *b->run));
        b->run = items;
        b->run[b->runs++] = (KtListRun){.type = type, .first = b->n};
    }
    b->run[b->runs - 1].n++;
    b->run[b->runs - 1].loops += nbr == b->node ? 1u : 0u;
    b->nbr[b->n] = nbr;
    b->rel[b->n++] = rel;
    return KT_OK;
}

static KtStatus merge_edges(KtView *view, Building *b, const KtNodeList *base, const Edge *own,
                            uint32_t n_own)
{
    uint32_t at = 0;
    for (uint32_t r = 0; r < base->runs; r++) {
        const KtListRun *run = &kt_list_runs(base)[r];
        for (uint32_t i = run->first; i < run->first + run->n; i++) {
            Edge old = {
                .type = run->type, .nbr = kt_list_nbr(base)[i], .rel = kt_list_rel(base, i)};
            int order = -1;
            for (; at < n_own && (order = edge_order(&own[at], &old)) < 0; at++) {
                if (own[at].add)
                    KT_TRY(build_add(view->scratch, b, own[at].type, own[at].nbr, own[at].rel));
            }
            if (at < n_own && order == 0) { /* taken away: an id is never added again */
                at++;
                continue;
            }
            KT_TRY(build_add(view->scratch, b, old.type, old.nbr, old.rel));
        }
    }
    for (; at < n_own; at++) {
        if (own[at].add)
            KT_TRY(build_add(view->scratch, b, own[at].type, own[at].nbr, own[at].rel));
    }
    return KT_OK;
}

static KtStatus merge_list(KtView *view, uint8_t dir, KtNodeId node, uint32_t first,
                           const KtNodeList *base, KtNodeList **out)
{
    Edge *own;
    uint32_t n_own;
    KT_TRY(own_edges(view, dir, first, &own, &n_own));
    Building b = {.node = node,
                  .nbr = kt_arena_alloc(view->scratch, ((size_t)base->n + n_own) * sizeof *b.nbr),
                  .rel = kt_arena_alloc(view->scratch, ((size_t)base->n + n_own) * sizeof *b.rel)};
    if (!b.nbr || !b.rel)
        return KT_ERR_MEMORY;
    KT_TRY(merge_edges(view, &b, base, own, n_own));
    void *block;
    KT_TRY(kt_fetch_make(view->fetch, kt_list_bytes(b.n, b.runs, true), &block));
    KtNodeList *list = block;
    KtListRun *run = (KtListRun *)(void *)(list + 1);
    uint32_t *nbr = (uint32_t *)(void *)(run + b.runs);
    uint64_t *rel = (uint64_t *)(void *)(nbr + b.n + (b.n & 1u));
    memcpy(rel, b.rel, b.n * sizeof *rel);
    memcpy(nbr, b.nbr, b.n * sizeof *nbr);
    if (b.runs)
        memcpy(run, b.run, b.runs * sizeof *run);
    list->n = b.n;
    list->runs = b.runs & INT32_MAX;
    list->wide = 1;
    *out = list;
    return KT_OK;
}

KtStatus kt_read_lists(KtView *view, uint8_t dir, const KtNodeId *node, uint32_t n, KtMark mark,
                       KtNodeList **out)
{
    KT_TRY(kt_fetch_lists(view->fetch, dir, node, n, out));
    if (view->overlay.n == 0)
        return KT_OK;
    KtStatus status = KT_OK;
    KtArenaMark scratch = kt_arena_mark(view->scratch);
    for (uint32_t i = 0; i < n && status == KT_OK; i++) {
        uint32_t first =
            kt_chain_first(&view->overlay, KT_CHAIN_LIST, kt_chain_list(node[i], dir), mark);
        if (!first)
            continue;
        KtNodeList *merged;
        status = merge_list(view, dir, node[i], first, out[i], &merged);
        if (status == KT_OK) {
            kt_fetch_drop(view->fetch, out[i]);
            out[i] = merged;
        }
        kt_arena_rewind(view->scratch, scratch);
    }
    if (status != KT_OK) {
        for (uint32_t i = 0; i < n; i++)
            kt_fetch_drop(view->fetch, out[i]);
    }
    return status;
}

/* ---- expand ---- */

KtView *kt_expand_view(KtExpand *expand) { return expand->view; }

KtStatus kt_expand_open_at(KtView *view, const KtHop *hop, KtArena *arena, KtExpand **out)
{
    KtExpand *e = kt_arena_alloc(arena, sizeof *e);
    KtToken *type = kt_arena_alloc(arena, hop->n_types * sizeof *type);
    if (!e || !type)
        return KT_ERR_MEMORY;
    if (hop->n_types)
        memcpy(type, hop->type, hop->n_types * sizeof *type);
    memset(e, 0, sizeof *e);
    e->view = view;
    e->hop = *hop;
    e->hop.type = type;
    e->mark = kt_view_mark(view);
    e->arena = arena;
    *out = e;
    return KT_OK;
}

void kt_expand_park(KtExpand *expand)
{
    for (uint32_t i = 0; i < expand->held; i++) {
        kt_fetch_drop(expand->view->fetch, expand->out[i]);
        kt_fetch_drop(expand->view->fetch, expand->in[i]);
        expand->out[i] = expand->in[i] = NULL;
    }
    expand->held = 0;
}

void kt_expand_close(KtExpand *expand)
{
    if (expand)
        kt_expand_park(expand);
}

static uint8_t first_dir(const KtExpand *e) { return e->hop.dir == KT_IN ? KT_IN : KT_OUT; }

/* Most cursors are fed few nodes: there is room for more when more come. One more than fed is written to. */
static KtStatus room(KtExpand *e, uint32_t n)
{
    if (n < e->cap)
        return KT_OK;
    uint32_t cap = e->cap ? e->cap : 32;
    while (cap <= n)
        cap *= 2;
    e->node = kt_arena_alloc(e->arena, cap * sizeof *e->node);
    e->row = kt_arena_alloc(e->arena, cap * sizeof *e->row);
    e->cap = e->node && e->row ? cap : 0;
    return e->cap ? KT_OK : KT_ERR_MEMORY;
}

KtStatus kt_expand_feed_at(KtExpand *e, KtIds from)
{
    kt_expand_park(e);
    KT_CHECK(from.n <= KT_IDS_MOST);
    KT_TRY(room(e, from.n));
    uint64_t none = from.width == 4 ? UINT32_MAX : UINT64_MAX;
    e->n = 0;
    for (uint32_t i = 0; i < from.n; i++) {
        uint32_t row = kt_ids_row(&from, i);
        uint64_t id = kt_ids_at(&from, row);
        e->node[e->n] = id;
        e->row[e->n] = (uint16_t)row;
        e->n += id != none;
    }
    e->at = 0;
    e->held_from = e->held = 0;
    e->dir = first_dir(e);
    e->run = e->offset = 0;
    return KT_OK;
}

static KtStatus hold_lists(KtExpand *e)
{
    kt_expand_park(e);
    uint32_t n = e->n - e->at < KT_HOLD_MOST ? e->n - e->at : KT_HOLD_MOST;
    if (!e->out) {
        KtNodeList **lists = kt_arena_zero(e->arena, 2 * (size_t)KT_HOLD_MOST, sizeof *lists);
        if (!lists)
            return KT_ERR_MEMORY;
        e->out = lists;
        e->in = lists + KT_HOLD_MOST;
    }
    if (e->hop.dir & KT_OUT)
        KT_TRY(kt_read_lists(e->view, KT_OUT, e->node + e->at, n, e->mark, e->out));
    if (e->hop.dir & KT_IN) {
        KtStatus status = kt_read_lists(e->view, KT_IN, e->node + e->at, n, e->mark, e->in);
        if (status != KT_OK) {
            for (uint32_t i = 0; i < n; i++) {
                kt_fetch_drop(e->view->fetch, e->out[i]);
                e->out[i] = e->in[i] = NULL;
            }
            return status;
        }
    }
    e->held_from = e->at;
    e->held = n;
    return KT_OK;
}

/* Goes on to the next direction or node. */
static void step(KtExpand *e)
{
    e->run = e->offset = 0;
    if (e->dir == KT_OUT && (e->hop.dir & KT_IN)) {
        e->dir = KT_IN;
        return;
    }
    e->dir = first_dir(e);
    e->at++;
}

KtStatus kt_expand_next_at(KtExpand *e, KtSlice *out, uint32_t cap, uint32_t *n)
{
    uint32_t made = 0;
    bool plain = e->view->overlay.n == 0 && e->hop.dir != KT_BOTH;
    while (made < cap && e->at < e->n) {
        bool held = e->at >= e->held_from && e->at < e->held_from + e->held;
        if (plain && !held) {
            made += kt_expand_cached(e, out + made, cap - made);
            if (made == cap || e->at >= e->n)
                break;
        }
        if (!held) {
            if (made > 0)
                break; /* slices handed out stay until the next call */
            KT_TRY(hold_lists(e));
        }
        const KtNodeList *list = (e->dir == KT_OUT ? e->out : e->in)[e->at - e->held_from];
        if (e->run >= list->runs) {
            step(e);
            continue;
        }
        const KtListRun *run = &kt_list_runs(list)[e->run];
        if (e->offset >= run->n || !kt_hop_takes(&e->hop, run->type)) {
            e->run++;
            e->offset = 0;
            continue;
        }
        kt_expand_slice(e, list, run, &out[made]);
        e->offset += out[made++].n;
    }
    *n = made;
    return KT_OK;
}

/* ---- degrees: the snapshot's, and what own changes add and take ---- */

static int64_t own_count(const KtView *view, const KtHop *hop, uint8_t dir, KtNodeId node,
                         KtMark mark, bool without_loops)
{
    const KtOverlay *o = &view->overlay;
    int64_t n = 0;
    uint32_t at = o->n ? kt_chain_first(o, KT_CHAIN_LIST, kt_chain_list(node, dir), mark) : 0;
    for (; at; at = kt_chain_older(o, at)) {
        const KtChange *c = kt_chain_change(o, at);
        if (kt_hop_takes(hop, c->token) && !(without_loops && c->start == c->end))
            n += c->kind == KT_CHANGE_REL_ADD ? 1 : -1;
    }
    return n;
}

KtStatus kt_read_degree(KtView *view, uint8_t dir, KtNodeId node, KtMark mark, uint64_t *out)
{
    static const KtHop all = {.dir = KT_BOTH};
    KtNodeList *list;
    KT_TRY(kt_fetch_lists(view->fetch, dir, &node, 1, &list));
    *out = list->n + (uint64_t)own_count(view, &all, dir, node, mark, false);
    kt_fetch_drop(view->fetch, list);
    return KT_OK;
}

KtStatus kt_degrees_at(KtView *view, const KtHop *hop, KtIds ids, uint64_t *out)
{
    KtAsk *ask;
    KtMark mark = kt_view_mark(view);
    KT_TRY(kt_ask(view, ids, &ask));
    for (uint32_t i = 0; i < ids.n; i++)
        out[kt_ids_row(&ids, i)] = 0;
    KtNodeList **list = kt_arena_alloc(view->scratch, KT_HOLD_MOST * sizeof *list);
    if (!list)
        return KT_ERR_MEMORY;
    for (uint8_t dir = KT_OUT; dir <= KT_IN; dir++) {
        if (!(hop->dir & dir))
            continue;
        bool without_loops = dir == KT_IN && hop->dir == KT_BOTH;
        uint32_t done =
            view->overlay.n == 0 ? kt_degrees_cached(view, hop, dir, without_loops, ask, out) : 0;
        for (uint32_t at = done; at < ask->n; at += KT_HOLD_MOST) {
            uint32_t n = ask->n - at < KT_HOLD_MOST ? ask->n - at : KT_HOLD_MOST;
            KT_TRY(kt_fetch_lists(view->fetch, dir, ask->id + at, n, list));
            for (uint32_t i = 0; i < n; i++) {
                out[ask->row[at + i]] +=
                    kt_list_count(hop, list[i], without_loops) +
                    (uint64_t)own_count(view, hop, dir, ask->id[at + i], mark, without_loops);
                kt_fetch_drop(view->fetch, list[i]);
            }
        }
    }
    return KT_OK;
}

/* ---- pairs ---- */

typedef struct Pairs {
    uint32_t n, cap_row, cap_id, cap_type, cap_dir;
    uint32_t *row;
    uint64_t *id;
    KtToken *type;
    uint8_t *dir;
} Pairs;

static KtStatus pair_add(KtArena *arena, Pairs *p, uint32_t row, uint64_t id, KtToken type,
                         uint8_t dir)
{
    void *rows = p->row, *ids = p->id, *types = p->type, *dirs = p->dir;
    KT_TRY(kt_arena_grow(arena, &rows, p->n, &p->cap_row, sizeof *p->row));
    KT_TRY(kt_arena_grow(arena, &ids, p->n, &p->cap_id, sizeof *p->id));
    KT_TRY(kt_arena_grow(arena, &types, p->n, &p->cap_type, sizeof *p->type));
    KT_TRY(kt_arena_grow(arena, &dirs, p->n, &p->cap_dir, sizeof *p->dir));
    p->row = rows;
    p->id = ids;
    p->type = types;
    p->dir = dirs;
    p->row[p->n] = row;
    p->id[p->n] = id;
    p->type[p->n] = type;
    p->dir[p->n++] = dir;
    return KT_OK;
}

static uint32_t lower_bound(const uint32_t *nbr, uint32_t n, uint32_t key)
{
    uint32_t low = 0;
    while (n > 1) { /* without a branch on what is read: half of them would be guessed wrong */
        uint32_t half = n / 2;
        low = nbr[low + half - 1] < key ? low + half : low;
        n -= half;
    }
    return n == 1 && nbr[low] < key ? low + 1 : low;
}

/* The relationships from `start` to `end` (dir as seen from the row's first node): of the list of one of them in the
 * snapshot those that own changes leave, then own ones. No list is merged: a hub that is written to is asked often. */
static KtStatus pairs_of(KtView *view, const KtHop *hop, const KtNodeList *list, uint32_t nbr,
                         KtNodeId start, KtNodeId end, uint32_t row, uint8_t dir, KtMark mark,
                         KtArena *arena, Pairs *p)
{
    const KtOverlay *o = &view->overlay;
    const uint32_t *all = kt_list_nbr(list);
    for (uint32_t r = 0; r < list->runs; r++) {
        const KtListRun *run = &kt_list_runs(list)[r];
        if (!kt_hop_takes(hop, run->type))
            continue;
        uint32_t last = run->first + run->n;
        for (uint32_t i = run->first + lower_bound(all + run->first, run->n, nbr);
             i < last && all[i] == nbr; i++) {
            KtRelId rel = kt_list_rel(list, i);
            if (o->n == 0 || kt_overlay_exists(o, KT_REL, rel, mark) != KT_SAYS_NO)
                KT_TRY(pair_add(arena, p, row, rel, run->type, dir));
        }
    }
    uint32_t at = o->n ? kt_chain_first(o, KT_CHAIN_PAIR, kt_chain_pair(start, end), mark) : 0;
    for (; at; at = kt_chain_older(o, at)) {
        const KtChange *c = kt_chain_change(o, at);
        if (c->kind == KT_CHANGE_REL_ADD && c->start == start && c->end == end &&
            kt_hop_takes(hop, c->token) && kt_overlay_exists(o, KT_REL, c->id, mark) == KT_SAYS_YES)
            KT_TRY(pair_add(arena, p, row, c->id, c->token, dir));
    }
    return KT_OK;
}

/* Some rows of a join: pairs of nodes, and the lists of that side whose node changes less from row to row. When a
 * pattern closes a circle, one side stays the same for a whole list of the other. */
typedef struct Between {
    uint32_t n, owners;
    bool swapped;    /* the lists are those of `b` */
    KtNodeId *owner; /* whose lists: each run of equal nodes once */
    uint32_t *of;    /* by row: place in owner */
    uint32_t *other; /* by row: the node to be found there */
    uint32_t *row, *x, *y;
    KtNodeList **out, **in;
} Between;

static KtStatus between_make(KtView *view, Between *w)
{
    *w = (Between){0};
    w->owner = kt_arena_alloc(view->scratch, KT_HOLD_MOST * sizeof *w->owner);
    w->of = kt_arena_alloc(view->scratch, KT_HOLD_MOST * sizeof *w->of);
    w->row = kt_arena_alloc(view->scratch, KT_HOLD_MOST * sizeof *w->row);
    w->x = kt_arena_alloc(view->scratch, KT_HOLD_MOST * sizeof *w->x);
    w->y = kt_arena_alloc(view->scratch, KT_HOLD_MOST * sizeof *w->y);
    w->out = kt_arena_alloc(view->scratch, KT_HOLD_MOST * sizeof(KtNodeList *));
    w->in = kt_arena_alloc(view->scratch, KT_HOLD_MOST * sizeof(KtNodeList *));
    return w->owner && w->of && w->row && w->x && w->y && w->out && w->in ? KT_OK : KT_ERR_MEMORY;
}

/* Takes rows from `*at` on; a row with a missing node has no pairs. */
static void between_take(Between *w, const KtIds *a, const KtIds *b, uint32_t *at)
{
    uint32_t changes_x = 0, changes_y = 0;
    w->n = w->owners = 0;
    for (; *at < a->n && w->n < KT_HOLD_MOST; (*at)++) {
        uint32_t r = kt_ids_row(a, *at), n = w->n;
        uint64_t x = kt_ids_at(a, r), y = kt_ids_at(b, r);
        if (x >= UINT32_MAX || y >= UINT32_MAX) /* none, or beyond every id */
            continue;
        w->x[n] = (uint32_t)x;
        w->y[n] = (uint32_t)y;
        w->row[n] = r;
        changes_x += n == 0 || w->x[n - 1] != w->x[n];
        changes_y += n == 0 || w->y[n - 1] != w->y[n];
        w->n++;
    }
    w->swapped = changes_y < changes_x;
    w->other = w->swapped ? w->x : w->y;
    const uint32_t *own = w->swapped ? w->y : w->x;
    for (uint32_t i = 0; i < w->n; i++) {
        if (i == 0 || own[i] != own[i - 1])
            w->owner[w->owners++] = own[i];
        w->of[i] = w->owners - 1;
    }
}

static KtStatus between_answer(KtView *view, const Between *w, const KtHop *hop, bool out, bool in,
                               KtMark mark, KtArena *arena, Pairs *p)
{
    for (uint32_t i = 0; i < w->n; i++) {
        const KtNodeList *from = out ? (w->swapped ? w->in : w->out)[w->of[i]] : NULL;
        const KtNodeList *to = in ? (w->swapped ? w->out : w->in)[w->of[i]] : NULL;
        KtNodeId x = w->x[i], y = w->y[i];
        if (out)
            KT_TRY(pairs_of(view, hop, from, w->other[i], x, y, w->row[i], KT_OUT, mark, arena, p));
        if (in && !(out && x == y))
            KT_TRY(pairs_of(view, hop, to, w->other[i], y, x, w->row[i], KT_IN, mark, arena, p));
    }
    return KT_OK;
}

KtStatus kt_between_at(KtView *view, const KtHop *hop, KtIds a, KtIds b, KtArena *arena,
                       KtPairs *out)
{
    KT_CHECK(a.n == b.n);
    Pairs p = {0};
    Between w;
    KtMark mark = kt_view_mark(view);
    bool outs = (hop->dir & KT_OUT) != 0, ins = (hop->dir & KT_IN) != 0;
    KT_TRY(between_make(view, &w));
    for (uint32_t at = 0; at < a.n;) {
        between_take(&w, &a, &b, &at);
        bool need_out = w.swapped ? ins : outs, need_in = w.swapped ? outs : ins;
        if (need_out)
            KT_TRY(kt_fetch_lists(view->fetch, KT_OUT, w.owner, w.owners, w.out));
        KtStatus status =
            need_in ? kt_fetch_lists(view->fetch, KT_IN, w.owner, w.owners, w.in) : KT_OK;
        bool has_in = need_in && status == KT_OK;
        if (status == KT_OK)
            status = between_answer(view, &w, hop, outs, ins, mark, arena, &p);
        for (uint32_t i = 0; i < w.owners; i++) {
            kt_fetch_drop(view->fetch, need_out ? w.out[i] : NULL);
            kt_fetch_drop(view->fetch, has_in ? w.in[i] : NULL);
        }
        KT_TRY(status);
    }
    *out = (KtPairs){.n = p.n, .row = p.row, .id = p.id, .type = p.type, .dir = p.dir};
    return KT_OK;
}
