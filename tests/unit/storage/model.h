/* tests/unit/storage/model.h - a plain model of a small graph, random changes to it and to a view at once, and
 * the comparison of all that graph.h can say of a view with the model. Static inline: included by the tests. */
#ifndef KT_TESTS_STORAGE_MODEL_H
#define KT_TESTS_STORAGE_MODEL_H

#include "storage/catalog.h"
#include "storage/database.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { MODEL_NODES = 96, MODEL_RELS = 400, MODEL_LABELS = 3, MODEL_TYPES = 3, MODEL_KEYS = 3 };

typedef struct ModelNode {
    bool exists;
    uint64_t id;
    bool label[MODEL_LABELS];
    int64_t prop[MODEL_KEYS]; /* 0: none; negative: a text of that many bytes */
} ModelNode;

typedef struct ModelRel {
    bool exists;
    uint64_t id;
    uint32_t type, start, end; /* places in the model */
    int64_t prop;
} ModelRel;

typedef struct Model {
    uint32_t nodes, rels;
    ModelNode node[MODEL_NODES];
    ModelRel rel[MODEL_RELS];
} Model;

typedef struct World {
    KtDatabase *db;
    KtView *view;
    KtTurn turn;
    KtDiag diag;
    KtArena *arena;
    KtToken label[MODEL_LABELS], type[MODEL_TYPES], key[MODEL_KEYS];
    uint64_t seed;
    Model model;
} World;

static inline uint32_t pick(World *w, uint32_t below)
{
    w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((w->seed >> 33) % below);
}

#define OK(call)                                                                                   \
    do {                                                                                           \
        KtStatus ok_ = (call);                                                                     \
        cr_assert_eq(ok_, KT_OK, "%s: %s: %s", #call, kt_error_facts(ok_)->name, w->diag.message); \
    } while (0)

static inline KtStatus no_wait(KtDatabase *db, KtTurn *turn)
{
    return kt_turn_wait(db, turn, 0, NULL);
}

static inline void world_begin(World *w)
{
    OK(no_wait(w->db, &w->turn));
    KtViewSpec spec = {.write = true};
    OK(kt_view_open(w->db, &spec, &w->diag, &w->view));
}

static inline void world_names(World *w)
{
    char name[16];
    for (int i = 0; i < MODEL_LABELS; i++) {
        int n = snprintf(name, sizeof name, "L%d", i);
        OK(kt_name_make(w->view, KT_NAME_LABEL, (KtText){name, (uint32_t)n}, &w->label[i]));
    }
    for (int i = 0; i < MODEL_TYPES; i++) {
        int n = snprintf(name, sizeof name, "T%d", i);
        OK(kt_name_make(w->view, KT_NAME_TYPE, (KtText){name, (uint32_t)n}, &w->type[i]));
    }
    for (int i = 0; i < MODEL_KEYS; i++) {
        int n = snprintf(name, sizeof name, "k%d", i);
        OK(kt_name_make(w->view, KT_NAME_KEY, (KtText){name, (uint32_t)n}, &w->key[i]));
    }
}

static inline void world_end(World *w)
{
    kt_view_close(w->view);
    w->view = NULL;
    kt_turn_release(w->db, &w->turn);
}

static inline KtCommit world_commit(World *w)
{
    KtCommit number = 0;
    OK(kt_view_commit(w->view, &w->diag, &number));
    world_end(w);
    return number;
}

/* A database at `path` (NULL: in memory) that has the names and nothing else. */
static inline World *world_open(const char *path, uint64_t seed)
{
    World *w = calloc(1, sizeof *w);
    w->seed = seed * 7919 + 1;
    OK(kt_arena_open(NULL, &w->arena));
    KtDatabaseSpec spec = {.path = path, .create = true, .id = 1};
    OK(kt_database_open(&spec, &w->diag, &w->db));
    world_begin(w);
    world_names(w);
    world_end(w);
    return w;
}

static inline void world_close(World *w)
{
    kt_database_close(w->db);
    kt_arena_close(w->arena);
    free(w);
}

/* ---- values ---- */

static inline KtValue model_value(World *w, int64_t v)
{
    if (v == 0)
        return kt_null();
    if (v > 0)
        return kt_int(v);
    uint32_t len = (uint32_t)-v;
    char *text = kt_arena_alloc(w->arena, len);
    memset(text, 'a' + (char)(len % 26), len);
    return kt_text(text, len);
}

static inline bool model_is(KtValue value, int64_t v)
{
    if (v == 0)
        return kt_is_null(value);
    if (v > 0)
        return value.kind == KT_INT && value.as.i == v;
    uint32_t len = (uint32_t)-v;
    if (value.kind != KT_TEXT || value.len != len)
        return false;
    for (uint32_t i = 0; i < len; i++) {
        if (value.as.text[i] != 'a' + (char)(len % 26))
            return false;
    }
    return true;
}

static inline int64_t random_value(World *w)
{
    switch (pick(w, 8)) {
    case 0: return 0;
    case 1: return -(int64_t)(1 + pick(w, 20));
    case 2: /* about the size that stands out of line; some begin alike */
        return -(int64_t)(pick(w, 2) ? 2030 + 26 * pick(w, 3) : 2030 + pick(w, 40));
    default: return 1 + pick(w, 50);
    }
}

/* ---- one random change, to both ---- */

static inline int32_t random_node(World *w)
{
    for (int i = 0; i < 40 && w->model.nodes; i++) {
        uint32_t n = pick(w, w->model.nodes);
        if (w->model.node[n].exists)
            return (int32_t)n;
    }
    return -1;
}

static inline int32_t random_rel(World *w)
{
    for (int i = 0; i < 40 && w->model.rels; i++) {
        uint32_t r = pick(w, w->model.rels);
        if (w->model.rel[r].exists)
            return (int32_t)r;
    }
    return -1;
}

static inline KtIds one_id(uint64_t *id) { return (KtIds){.id = id, .width = 8, .n = 1}; }

static inline void change_add_node(World *w)
{
    Model *m = &w->model;
    if (m->nodes == MODEL_NODES)
        return;
    ModelNode *node = &m->node[m->nodes];
    KtToken label[MODEL_LABELS];
    uint32_t labels = 0, props = 0, start[2] = {0, 0};
    KtProp prop[MODEL_KEYS];
    *node = (ModelNode){.exists = true};
    for (int i = MODEL_LABELS - 1; i >= 0; i--) {
        node->label[i] = pick(w, 2);
        if (node->label[i])
            label[labels++] = w->label[i];
    }
    for (int i = MODEL_KEYS - 1; i >= 0; i--) {
        node->prop[i] = pick(w, 2) ? random_value(w) : 0;
        prop[props++] = (KtProp){w->key[i], model_value(w, node->prop[i])};
    }
    start[1] = props;
    KtProps all = {start, prop};
    OK(kt_add_nodes(w->view, 1, label, labels, &all, &node->id));
    m->nodes++;
}

static inline void change_add_rel(World *w)
{
    Model *m = &w->model;
    int32_t a = random_node(w), b = pick(w, 6) ? random_node(w) : a;
    if (m->rels == MODEL_RELS || a < 0 || b < 0)
        return;
    if (pick(w, 3) == 0)
        a = m->node[0].exists ? 0 : a; /* a hub, parallel edges */
    ModelRel *rel = &m->rel[m->rels];
    *rel = (ModelRel){
        .exists = true, .type = pick(w, MODEL_TYPES), .start = (uint32_t)a, .end = (uint32_t)b};
    rel->prop = pick(w, 3) ? 0 : random_value(w);
    uint32_t start[2] = {0, 1};
    KtProp prop = {w->key[0], model_value(w, rel->prop)};
    KtProps all = {start, &prop};
    OK(kt_add_rels(w->view, 1, w->type[rel->type], &m->node[a].id, &m->node[b].id, &all, &rel->id));
    m->rels++;
}

static inline void change_set_prop(World *w)
{
    Model *m = &w->model;
    int64_t v = random_value(w);
    KtValue value = model_value(w, v);
    KtColumn col = {.kind = KT_COL_VALUE, .constant = true, .data = &value};
    if (pick(w, 3) == 0) {
        int32_t r = random_rel(w);
        if (r < 0)
            return;
        OK(kt_set_props(w->view, KT_REL, one_id(&m->rel[r].id), w->key[0], &col));
        m->rel[r].prop = v;
        return;
    }
    int32_t n = random_node(w);
    uint32_t k = pick(w, MODEL_KEYS);
    if (n < 0)
        return;
    OK(kt_set_props(w->view, KT_NODE, one_id(&m->node[n].id), w->key[k], &col));
    m->node[n].prop[k] = v;
}

static inline void change_label(World *w)
{
    int32_t n = random_node(w);
    uint32_t l = pick(w, MODEL_LABELS);
    bool on = pick(w, 2);
    if (n < 0)
        return;
    OK(kt_set_labels(w->view, one_id(&w->model.node[n].id), w->label[l], on));
    w->model.node[n].label[l] = on;
}

static inline void change_delete(World *w)
{
    Model *m = &w->model;
    if (pick(w, 3)) {
        int32_t r = random_rel(w);
        if (r < 0)
            return;
        OK(kt_del_rels(w->view, one_id(&m->rel[r].id)));
        m->rel[r].exists = false;
        return;
    }
    int32_t n = random_node(w);
    if (n < 0)
        return;
    OK(kt_del_nodes(w->view, one_id(&m->node[n].id), true));
    m->node[n].exists = false;
    for (uint32_t r = 0; r < m->rels; r++) {
        if (m->rel[r].start == (uint32_t)n || m->rel[r].end == (uint32_t)n)
            m->rel[r].exists = false;
    }
}

static inline void random_change(World *w)
{
    switch (pick(w, 12)) {
    case 0:
    case 1:
    case 2: change_add_node(w); break;
    case 3:
    case 4:
    case 5:
    case 6: change_add_rel(w); break;
    case 7:
    case 8: change_set_prop(w); break;
    case 9:
    case 10: change_label(w); break;
    default: change_delete(w); break;
    }
}

/* ---- comparison ---- */

static inline void compare_scan(World *w, const Model *m, KtView *view, KtScanSpec spec,
                                int32_t label, int32_t type)
{
    KtScan *scan;
    bool rels = spec.kind == KT_SCAN_RELS || spec.kind == KT_SCAN_TYPE;
    OK(kt_scan_open(view, &spec, w->arena, &scan));
    uint64_t last = 0;
    uint32_t seen = 0, want = 0;
    for (;;) {
        uint64_t id64[7];
        uint32_t id32[7], n;
        OK(kt_scan_next(scan, rels ? (void *)id64 : (void *)id32, 7, &n));
        if (n == 0)
            break;
        for (uint32_t i = 0; i < n; i++) {
            uint64_t id = rels ? id64[i] : id32[i];
            cr_assert(seen == 0 || id > last, "a scan ascends");
            last = id;
            seen++;
            bool found = false;
            for (uint32_t k = 0; k < (rels ? m->rels : m->nodes) && !found; k++) {
                if (rels)
                    found = m->rel[k].exists && m->rel[k].id == id &&
                            (type < 0 || m->rel[k].type == (uint32_t)type);
                else
                    found = m->node[k].exists && m->node[k].id == id &&
                            (label < 0 || m->node[k].label[label]);
            }
            cr_assert(found, "a scan gives only what is there");
        }
        if (pick(w, 4) == 0) {
            kt_scan_park(scan);
            kt_view_park(view);
        }
    }
    kt_scan_close(scan);
    for (uint32_t k = 0; k < (rels ? m->rels : m->nodes); k++) {
        if (rels)
            want += m->rel[k].exists && (type < 0 || m->rel[k].type == (uint32_t)type);
        else
            want += m->node[k].exists && (label < 0 || m->node[k].label[label]);
    }
    cr_assert_eq(seen, want, "a scan gives all (%u of %u)", seen, want);
}

static inline bool model_takes(const ModelRel *r, int type, int dir, uint32_t n, bool both, int at)
{
    (void)both;
    if (!r->exists || (type >= 0 && r->type != (uint32_t)type))
        return false;
    return (dir == KT_OUT ? r->start : r->end) == n && at == dir;
}

static inline void compare_expand(World *w, const Model *m, KtView *view, KtDir dir, int type)
{
    KtHop hop = {.dir = dir, .rels = true};
    KtToken token = type >= 0 ? w->type[type] : 0;
    if (type >= 0) {
        hop.type = &token;
        hop.n_types = 1;
    }
    KtExpand *expand;
    OK(kt_expand_open(view, &hop, w->arena, &expand));
    uint32_t id[MODEL_NODES + 1];
    for (uint32_t i = 0; i < m->nodes; i++)
        id[i] = (uint32_t)m->node[i].id;
    id[m->nodes] = KT_NO_NODE;
    OK(kt_expand_feed(expand, (KtIds){.id = id, .width = 4, .n = m->nodes + 1}));
    static bool hit[MODEL_RELS][2];
    memset(hit, 0, sizeof hit);
    uint32_t last_row = 0;
    uint64_t counted[MODEL_NODES + 1];
    memset(counted, 0, sizeof counted);
    for (;;) {
        KtSlice slice[5];
        uint32_t n;
        OK(kt_expand_next(expand, slice, 1 + pick(w, 5), &n));
        if (n == 0)
            break;
        for (uint32_t s = 0; s < n; s++) {
            cr_assert(slice[s].row >= last_row, "rows ascend");
            last_row = slice[s].row;
            uint32_t loops = 0;
            for (uint32_t i = 0; i < slice[s].n; i++) {
                uint32_t nbr = ((const uint32_t *)slice[s].nbr)[i];
                uint64_t rel = slice[s].rel_width == 4 ? ((const uint32_t *)slice[s].rel)[i]
                                                       : ((const uint64_t *)slice[s].rel)[i];
                uint32_t r = 0;
                while (r < m->rels && !(m->rel[r].exists && m->rel[r].id == rel))
                    r++;
                cr_assert_lt(r, m->rels, "an edge that is there");
                uint32_t from = slice[s].dir == KT_OUT ? m->rel[r].start : m->rel[r].end;
                uint32_t to = slice[s].dir == KT_OUT ? m->rel[r].end : m->rel[r].start;
                cr_assert_eq(from, slice[s].row);
                cr_assert_eq(m->node[to].id, nbr);
                cr_assert_eq(w->type[m->rel[r].type], slice[s].type);
                bool loop = from == to;
                loops += loop;
                cr_assert(!hit[r][slice[s].dir - 1], "an edge comes once in a direction");
                hit[r][slice[s].dir - 1] = true;
                if (!(dir == KT_BOTH && slice[s].dir == KT_IN && loop))
                    counted[slice[s].row]++;
            }
            cr_assert_eq(loops, slice[s].loops);
        }
        if (pick(w, 4) == 0) {
            kt_expand_park(expand);
            kt_view_park(view);
        }
    }
    kt_expand_close(expand);
    uint64_t degree[MODEL_NODES + 1];
    OK(kt_degrees(view, &hop, (KtIds){.id = id, .width = 4, .n = m->nodes + 1}, degree));
    for (uint32_t i = 0; i <= m->nodes; i++)
        cr_assert_eq(degree[i], counted[i], "degree equals the edges given");
    for (uint32_t r = 0; r < m->rels; r++) {
        bool wanted = m->rel[r].exists && (type < 0 || m->rel[r].type == (uint32_t)type);
        cr_assert_eq(hit[r][0], wanted && (dir & KT_OUT));
        cr_assert_eq(hit[r][1], wanted && (dir & KT_IN));
    }
}

static inline void compare_between(World *w, const Model *m, KtView *view)
{
    enum { PAIRS = 20 };
    uint32_t a[PAIRS], b[PAIRS];
    if (m->nodes == 0)
        return;
    uint32_t same = pick(w, 3),
             one = pick(w, m->nodes); /* also with one side the same in all rows */
    for (int i = 0; i < PAIRS; i++) {
        a[i] = same == 1 ? one : pick(w, m->nodes);
        b[i] = same == 2 ? one : pick(w, 4) ? pick(w, m->nodes) : a[i];
    }
    uint32_t ida[PAIRS], idb[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        ida[i] = (uint32_t)m->node[a[i]].id;
        idb[i] = (uint32_t)m->node[b[i]].id;
    }
    for (int dir = KT_OUT; dir <= KT_BOTH; dir++) {
        KtHop hop = {.dir = (KtDir)dir};
        KtPairs pairs;
        OK(kt_between(view, &hop, (KtIds){.id = ida, .width = 4, .n = PAIRS},
                      (KtIds){.id = idb, .width = 4, .n = PAIRS}, w->arena, &pairs));
        uint32_t want = 0;
        for (int i = 0; i < PAIRS; i++) {
            for (uint32_t r = 0; r < m->rels; r++) {
                if (!m->rel[r].exists)
                    continue;
                bool out = (dir & KT_OUT) && m->rel[r].start == a[i] && m->rel[r].end == b[i];
                bool in = (dir & KT_IN) && m->rel[r].start == b[i] && m->rel[r].end == a[i];
                want += out || in;
            }
        }
        cr_assert_eq(pairs.n, want, "between: %u of %u", pairs.n, want);
        for (uint32_t i = 0; i < pairs.n; i++) {
            uint32_t row = pairs.row[i], r = 0;
            cr_assert(i == 0 || pairs.row[i - 1] <= row);
            while (r < m->rels && !(m->rel[r].exists && m->rel[r].id == pairs.id[i]))
                r++;
            cr_assert_lt(r, m->rels, "between gives only what exists");
            bool out = pairs.dir[i] == KT_OUT;
            cr_assert_eq(m->rel[r].start, out ? a[row] : b[row]);
            cr_assert_eq(m->rel[r].end, out ? b[row] : a[row]);
        }
    }
}

static inline void compare_entities(World *w, const Model *m, KtView *view)
{
    uint64_t id[MODEL_RELS], bits[(MODEL_RELS + 63) / 64];
    for (uint32_t i = 0; i < m->nodes; i++)
        id[i] = m->node[i].id;
    KtIds ids = {.id = id, .width = 8, .n = m->nodes};
    OK(kt_exist(view, KT_NODE, ids, bits));
    for (uint32_t i = 0; i < m->nodes; i++)
        cr_assert_eq(kt_bit(bits, i), m->node[i].exists);
    for (int l = 0; l < MODEL_LABELS; l++) {
        OK(kt_have_label(view, w->label[l], ids, bits));
        for (uint32_t i = 0; i < m->nodes; i++)
            cr_assert_eq(kt_bit(bits, i), m->node[i].exists && m->node[i].label[l]);
    }
    KtLists lists;
    OK(kt_node_labels(view, ids, w->arena, &lists));
    for (uint32_t i = 0; i < m->nodes; i++) {
        uint32_t want = 0;
        for (int l = 0; l < MODEL_LABELS; l++)
            want += m->node[i].exists && m->node[i].label[l];
        cr_assert_eq(lists.start[i + 1] - lists.start[i], want);
    }
    KtValue map[MODEL_RELS];
    OK(kt_records(view, KT_NODE, ids, w->arena, map));
    for (int k = 0; k < MODEL_KEYS; k++) {
        KtColumn col;
        OK(kt_node_props(view, w->key[k], ids, w->arena, &col));
        for (uint32_t i = 0; i < m->nodes; i++) {
            int64_t want = m->node[i].exists ? m->node[i].prop[k] : 0;
            cr_assert(model_is(kt_col_value(&col, i), want), "node %u key %d is %lld", i, k,
                      (long long)want);
            const KtValue *in_map = kt_map_get(map[i], kt_name_text(view, KT_NAME_KEY, w->key[k]));
            cr_assert(model_is(in_map ? *in_map : kt_null(), want));
        }
    }
    for (uint32_t i = 0; i < m->rels; i++)
        id[i] = m->rel[i].id;
    ids.n = m->rels;
    KtRelRef ref[MODEL_RELS];
    OK(kt_rel_ends(view, ids, ref, bits));
    KtColumn col;
    OK(kt_rel_props(view, w->key[0], ids, w->arena, &col));
    for (uint32_t i = 0; i < m->rels; i++) {
        const ModelRel *r = &m->rel[i];
        cr_assert_eq(kt_bit(bits, i), r->exists);
        cr_assert(model_is(kt_col_value(&col, i), r->exists ? r->prop : 0),
                  "the property of a relationship");
        if (r->exists) {
            cr_assert_eq(ref[i].start, m->node[r->start].id);
            cr_assert_eq(ref[i].end, m->node[r->end].id);
            cr_assert_eq(ref[i].type, w->type[r->type]);
        }
    }
}

static inline void compare_all(World *w, const Model *m, KtView *view)
{
    compare_scan(w, m, view, (KtScanSpec){.kind = KT_SCAN_NODES}, -1, -1);
    compare_scan(w, m, view, (KtScanSpec){.kind = KT_SCAN_RELS}, -1, -1);
    for (int i = 0; i < MODEL_LABELS; i++)
        compare_scan(w, m, view, (KtScanSpec){.kind = KT_SCAN_LABEL, .what = w->label[i]}, i, -1);
    for (int i = 0; i < MODEL_TYPES; i++)
        compare_scan(w, m, view, (KtScanSpec){.kind = KT_SCAN_TYPE, .what = w->type[i]}, -1, i);
    for (int dir = KT_OUT; dir <= KT_BOTH; dir++) {
        for (int type = -1; type < MODEL_TYPES; type++)
            compare_expand(w, m, view, (KtDir)dir, type);
    }
    compare_between(w, m, view);
    compare_entities(w, m, view);
    kt_arena_reset(w->arena);
}

#endif
