/* storage/graph_internal.h - the inside of a view, and reads at a mark, for storage/graph*.c, index*.c and txn/view.c.
 *
 * graph.c holds every call of graph.h: each passes kt_view_enter and then calls one function of here. What is
 * below the entry check takes the mark it reads at; scratch memory is the view's, rewound by graph.c. */
#ifndef KT_STORAGE_GRAPH_INTERNAL_H
#define KT_STORAGE_GRAPH_INTERNAL_H

#include "storage/database_internal.h"
#include "storage/fetch.h"
#include "storage/format.h"
#include "storage/record.h"
#include "storage/txn/overlay.h"

struct KtView {
    KtDatabase *db;
    KtPublished *at;
    KtFetch *fetch;
    KtArena *arena;   /* own changes; closed with the view */
    KtArena *scratch; /* of one call */
    KtOverlay overlay;
    bool write, done;
    KtMark see;
    KtMark judged;                             /* deletes before it have passed kt_statement_end */
    int64_t deadline_ns, opened_ns, parked_ns; /* parked_ns 0: in use */
    const atomic_bool *cancel;
    KtBudget *budget;
    KtDiag *diag;
};

/* The one entry check of every call: deadline, cancel, age, write flag. */
KtStatus kt_view_enter(KtView *view, bool write) KT_MUST_CHECK;
static inline KtMark kt_view_mark(const KtView *view)
{
    return view->see < view->overlay.n ? view->see : view->overlay.n;
}
static inline const KtSchema *kt_view_indexes(const KtView *view)
{
    return &view->at->schema->schema;
}

/* ---- batches of ids: those that are not null, with their rows ---- */

typedef struct KtAsk {
    uint32_t n, rows; /* rows: one above the last row asked for */
    uint64_t id[KT_IDS_MOST];
    uint16_t row[KT_IDS_MOST];
} KtAsk;

KtStatus kt_ask(KtView *view, KtIds ids, KtAsk **out) KT_MUST_CHECK; /* in scratch */

/* ---- reads at a mark: graph_read.c ---- */

typedef struct KtState { /* of one node or relationship; arrays are in the arena it was read into */
    bool exists;
    uint32_t labels, props;
    KtToken *label; /* ascending */
    KtProp *prop;   /* ascending by key */
} KtState;

KtStatus kt_read_exists(KtView *view, KtKind kind, const uint64_t *id, uint32_t n, KtMark mark,
                        bool *out) KT_MUST_CHECK;
KtStatus kt_read_label(KtView *view, KtToken label, const uint64_t *id, uint32_t n, KtMark mark,
                       bool *out) KT_MUST_CHECK;
KtStatus kt_read_prop(KtView *view, KtKind kind, KtToken key, const uint64_t *id, uint32_t n,
                      KtMark mark, KtArena *arena, KtValue *out) KT_MUST_CHECK;
/* Without `props` only labels are right. */
KtStatus kt_read_state(KtView *view, KtKind kind, uint64_t id, KtMark mark, bool props,
                       KtArena *arena, KtState *out) KT_MUST_CHECK;
/* Reads the records of a batch at once, for calls that then go one by one. */
KtStatus kt_read_warm(KtView *view, KtKind kind, const KtAsk *ask) KT_MUST_CHECK;
KtStatus kt_read_rels(KtView *view, const KtRelId *rel, uint32_t n, KtMark mark, KtRelRef *out,
                      bool *found) KT_MUST_CHECK;

/* ---- lists at a mark: graph_list.c ---- */

/* out[i] is held: kt_fetch_drop. On an error nothing is. */
KtStatus kt_read_lists(KtView *view, uint8_t dir, const KtNodeId *node, uint32_t n, KtMark mark,
                       KtNodeList **out) KT_MUST_CHECK;
static inline uint64_t kt_list_rel(const KtNodeList *list, uint32_t i)
{
    const void *rel = kt_list_rels(list);
    return list->wide ? ((const uint64_t *)rel)[i] : ((const uint32_t *)rel)[i];
}
/* All of one direction, loops included. */
KtStatus kt_read_degree(KtView *view, uint8_t dir, KtNodeId node, KtMark mark,
                        uint64_t *out) KT_MUST_CHECK;
static inline bool kt_hop_takes(const KtHop *hop, KtToken type)
{
    for (uint32_t i = 0; i < hop->n_types; i++) {
        if (hop->type[i] == type)
            return true;
    }
    return hop->n_types == 0;
}

KtStatus kt_expand_open_at(KtView *view, const KtHop *hop, KtArena *arena,
                           KtExpand **out) KT_MUST_CHECK;
KtStatus kt_expand_feed_at(KtExpand *expand, KtIds from) KT_MUST_CHECK;
KtStatus kt_expand_next_at(KtExpand *expand, KtSlice *out, uint32_t cap, uint32_t *n) KT_MUST_CHECK;
KtView *kt_expand_view(KtExpand *expand);
KtStatus kt_degrees_at(KtView *view, const KtHop *hop, KtIds ids, uint64_t *out) KT_MUST_CHECK;
KtStatus kt_between_at(KtView *view, const KtHop *hop, KtIds a, KtIds b, KtArena *arena,
                       KtPairs *out) KT_MUST_CHECK;

/* ---- scans: graph_scan.c; index.c, index_scan.c ---- */

KtStatus kt_scan_open_at(KtView *view, const KtScanSpec *spec, KtArena *arena,
                         KtScan **out) KT_MUST_CHECK;
KtStatus kt_scan_next_at(KtScan *scan, void *ids, uint32_t cap, uint32_t *n) KT_MUST_CHECK;
KtView *kt_scan_view(KtScan *scan);
/* Before the first kt_scan_next_at: leaves out ids below `from`. */
void kt_scan_skip_to(KtScan *scan, uint64_t from);

typedef struct KtIndexScan KtIndexScan;
enum {
    KT_INDEX_LONG = 200
}; /* bytes of a string that stand in its key; over them: those, and a digest */
KtStatus kt_index_scan_open(KtView *view, const KtIndexFacts *index, const KtRange *range,
                            KtMark mark, KtArena *arena, KtIndexScan **out) KT_MUST_CHECK;
KtStatus kt_index_scan_next(KtIndexScan *scan, uint32_t *ids, uint32_t cap,
                            uint32_t *n) KT_MUST_CHECK;
void kt_index_scan_park(KtIndexScan *scan);
void kt_index_scan_close(KtIndexScan *scan);

/* The value that `node` has for the index; null: it has no entry. */
KtStatus kt_index_value(KtView *view, const KtIndexFacts *index, KtNodeId node, KtMark mark,
                        KtArena *arena, KtValue *out) KT_MUST_CHECK;
static inline bool kt_index_is_long(KtValue v)
{
    return v.kind == KT_TEXT && v.len > KT_INDEX_LONG;
}
static inline bool kt_index_touched(const KtView *view, KtNodeId node, KtMark mark)
{
    return view->overlay.n && kt_chain_first(&view->overlay, KT_CHAIN_NODE, node, mark) != 0;
}

/* Nodes that have index->label and whose index->key equals `value`, ascending: appended to *out (in `arena`). */
typedef struct KtFound {
    KtNodeId *node;
    uint32_t n, cap;
} KtFound;
KtStatus kt_index_seek(KtView *view, const KtIndexFacts *index, KtValue value, KtMark mark,
                       KtArena *arena, KtFound *out) KT_MUST_CHECK;
KtStatus kt_seek_many_at(KtView *view, uint32_t index, const KtColumn *keys, uint32_t n,
                         KtArena *arena, KtPairs *out) KT_MUST_CHECK;

/* ---- uniqueness: constraint.c ---- */

/* Would `node` with this value double another node's? Errors: CONSTRAINT, with both named. */
KtStatus kt_unique_check(KtView *view, const KtIndexFacts *index, KtNodeId node,
                         KtValue value) KT_MUST_CHECK;
/* Tells the overlay and checks uniqueness: the newest change gave `node` these. `label` 0: any label that it has. */
KtStatus kt_index_note(KtView *view, KtNodeId node, KtToken label, KtToken key,
                       KtValue value) KT_MUST_CHECK;
/* All unique constraints, over all that the view changed. */
KtStatus kt_unique_check_all(KtView *view, KtDiag *diag) KT_MUST_CHECK;

/* ---- writes: graph_write.c ---- */

KtStatus kt_add_nodes_at(KtView *view, uint32_t n, const KtToken *label, uint32_t n_labels,
                         const KtProps *props, KtNodeId *out) KT_MUST_CHECK;
KtStatus kt_add_rels_at(KtView *view, uint32_t n, KtToken type, const KtNodeId *start,
                        const KtNodeId *end, const KtProps *props, KtRelId *out) KT_MUST_CHECK;
KtStatus kt_set_props_at(KtView *view, KtKind kind, KtIds ids, KtToken key,
                         const KtColumn *values) KT_MUST_CHECK;
KtStatus kt_set_labels_at(KtView *view, KtIds ids, KtToken label, bool present) KT_MUST_CHECK;
KtStatus kt_del_rels_at(KtView *view, KtIds ids) KT_MUST_CHECK;
KtStatus kt_del_nodes_at(KtView *view, KtIds ids, bool detach) KT_MUST_CHECK;
KtStatus kt_statement_end_at(KtView *view, KtDiag *diag) KT_MUST_CHECK;

#endif
