/* storage/graph.h - all that a query may ask of a database, a batch at a time.
 *
 * A view is a published snapshot plus, if it writes, its own changes. Every call passes the view's one
 * entry check (deadline, budget, cancel, write flag). Slices and ids live until the next call on the same
 * cursor, kt_view_park or kt_view_close; over a park hold ids, never pointers.
 * Threads: one view, one thread at a time.
 * Errors: every call may end with CANCELLED, DEADLINE, MEMORY, CORRUPTION, IO, SNAPSHOT_TOO_OLD. */
#ifndef KT_STORAGE_GRAPH_H
#define KT_STORAGE_GRAPH_H

#include "base/column.h"
#include "base/diag.h"

typedef struct KtDatabase KtDatabase; /* storage/database.h */
typedef struct KtView KtView;
typedef struct KtExpand KtExpand;
typedef struct KtScan KtScan;

enum {
    KT_IDS_MOST = 2048,   /* rows of one KtIds */
    KT_SLICE_MOST = 1024, /* entries of one KtSlice */
    KT_NODE_WIDTH = 4     /* bytes of a node id in columns and slices */
};

/* A batch of ids. Bits and outputs are indexed by row, not by position in sel. An id that is the
 * largest of its width is null: it exists nowhere and has nothing. */
typedef struct KtIds {
    const void *id;
    uint8_t width;       /* 4 or 8 bytes */
    bool ascends;        /* without sel: strictly; false: not known */
    const uint16_t *sel; /* NULL: rows 0..n-1, else n ascending rows */
    uint32_t n;
} KtIds;

static inline uint32_t kt_ids_row(const KtIds *ids, uint32_t i)
{
    return ids->sel ? ids->sel[i] : i;
}
static inline uint64_t kt_ids_at(const KtIds *ids, uint32_t row)
{
    return ids->width == 4 ? ((const uint32_t *)ids->id)[row] : ((const uint64_t *)ids->id)[row];
}

/* ---- views ---- */

typedef struct KtViewSpec {
    KtCommit at_least;   /* bookmark: above the published number is DURABILITY_GAP */
    int64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
    bool write;          /* false: writes are WRITE_IN_READ_ONLY. true: the caller holds the turn */
    KtBudget *budget;    /* NULL: not limited */
    const atomic_bool *cancel; /* NULL: none; set from any thread */
} KtViewSpec;

KtStatus kt_view_open(KtDatabase *db, const KtViewSpec *spec, KtDiag *diag,
                      KtView **out) KT_MUST_CHECK;
KtDatabase *kt_view_database(const KtView *view);
KtCommit kt_view_number(const KtView *view); /* the commit it sees */
bool kt_view_writes(const KtView *view);
/* Each statement of a transaction has its own deadline and cancel. */
void kt_view_set_limits(KtView *view, int64_t deadline_ns, const atomic_bool *cancel);
void kt_view_park(KtView *view);  /* gives up pins, iterators and the epoch, keeps the snapshot */
void kt_view_close(KtView *view); /* what was not committed is gone. NULL is allowed */
/* One synced write of all changes. After it the view only closes. Nothing to write: *out is
 * the number it sees. Errors: CONSTRAINT, TRANSACTION_TOO_LARGE, COMMIT_OUTCOME_UNKNOWN (the write or
 * sync failed: the database is latched read-only), READ_ONLY_LATCHED. */
KtStatus kt_view_commit(KtView *view, KtDiag *diag, KtCommit *out) KT_MUST_CHECK;

typedef uint64_t KtMark; /* a place in the view's own writes */
#define KT_SEE_ALL UINT64_MAX
KtMark kt_mark(const KtView *view);
/* Reads opened from here on see own writes below `mark` (KT_SEE_ALL: all). A cursor keeps the mark in
 * force when it was opened, over parks too. */
void kt_see(KtView *view, KtMark mark);
/* Takes back every write from `mark` on. */
void kt_undo(KtView *view, KtMark mark);
/* Counts of own writes since `mark`, for summaries: what was asked for, not what it came to. */
typedef struct KtWriteCounts {
    uint64_t nodes_created, nodes_deleted, rels_created, rels_deleted, props_set, labels_added,
        labels_removed;
    /* of a schema statement, which has no view to count: filled in by who runs it */
    uint64_t indexes_added, indexes_removed, constraints_added, constraints_removed;
} KtWriteCounts;
KtWriteCounts kt_view_counts(const KtView *view, KtMark since);

/* ---- names ---- */

typedef enum KtNameKind { KT_NAME_LABEL = 1, KT_NAME_TYPE = 2, KT_NAME_KEY = 3 } KtNameKind;
/* The token of a name, 0 if the database has no such name. */
KtStatus kt_name_find(KtView *view, KtNameKind kind, KtText name, KtToken *out) KT_MUST_CHECK;
/* The same, made if need be; the name is durable with the next commit. */
KtStatus kt_name_make(KtView *view, KtNameKind kind, KtText name, KtToken *out) KT_MUST_CHECK;
/* The text of a token. Lifetime: the database's. */
KtText kt_name_text(KtView *view, KtNameKind kind, KtToken token);

/* ---- adjacency ---- */

typedef enum KtDir { KT_OUT = 1, KT_IN = 2, KT_BOTH = 3 } KtDir;

typedef struct KtHop {
    KtDir dir;
    const KtToken *type;
    uint32_t n_types; /* 0: all. Token 0 in the list matches nothing */
    bool rels;        /* relationship ids are wanted */
} KtHop;

/* Part of one node's list of one type and direction, sorted by (nbr, rel). */
typedef struct KtSlice {
    uint32_t row, n,
        loops; /* loops: self-loops inside (entries with nbr == the node). In a BOTH hop the KT_IN
                               part of them must be skipped by the caller: a loop counts once */
    KtToken type;
    uint8_t dir;           /* KT_OUT or KT_IN */
    uint8_t width;         /* bytes of a nbr */
    uint8_t rel_width;     /* bytes of a rel */
    const void *nbr, *rel; /* rel NULL unless asked for */
} KtSlice;

KtStatus kt_expand_open(KtView *view, const KtHop *hop, KtArena *arena,
                        KtExpand **out) KT_MUST_CHECK;
/* Gives the next nodes to expand; ids are copied. Only when the feed before is used up. */
KtStatus kt_expand_feed(KtExpand *expand, KtIds from) KT_MUST_CHECK;
/* At most `cap` slices, rows ascending; n = 0: the feed is used up. */
KtStatus kt_expand_next(KtExpand *expand, KtSlice *out, uint32_t cap, uint32_t *n) KT_MUST_CHECK;
/* Slices stay valid over kt_view_park only if re-fetched: drops what is held; the next call to
 * kt_expand_next goes on after the last slice handed out. */
void kt_expand_park(KtExpand *expand);
void kt_expand_close(KtExpand *expand); /* NULL is allowed */
/* out[row]: number of relationships; BOTH counts a loop once. */
KtStatus kt_degrees(KtView *view, const KtHop *hop, KtIds ids, uint64_t *out) KT_MUST_CHECK;

/* Answers of a join: (row, id) pairs, rows ascending. */
typedef struct KtPairs {
    uint32_t n;
    const uint32_t *row;
    const uint64_t *id;  /* between: relationship ids; seek: node ids */
    const KtToken *type; /* between only */
    const uint8_t *dir;  /* between only: KT_OUT when it starts at a */
} KtPairs;
/* The relationships between a[row] and b[row], for each row that both select (same sel). A self-loop once. */
KtStatus kt_between(KtView *view, const KtHop *hop, KtIds a, KtIds b, KtArena *arena,
                    KtPairs *out) KT_MUST_CHECK;

/* ---- nodes and relationships ---- */

KtStatus kt_exist(KtView *view, KtKind kind, KtIds ids,
                  uint64_t *bits) KT_MUST_CHECK; /* KT_NODE or KT_REL */
/* Sets the bit of each row whose node has the label; clears the others it was asked about. */
KtStatus kt_have_label(KtView *view, KtToken label, KtIds ids, uint64_t *bits) KT_MUST_CHECK;

typedef struct
    KtLists { /* list of row r: item[start[r]] .. item[start[r + 1] - 1]; start has rows + 1 entries */
    const uint32_t *start;
    const KtToken *item;
} KtLists;
KtStatus kt_node_labels(KtView *view, KtIds ids, KtArena *arena, KtLists *out) KT_MUST_CHECK;
/* One property of many nodes or relationships. A node that does not exist in this view gives null. */
KtStatus kt_node_props(KtView *view, KtToken key, KtIds ids, KtArena *arena,
                       KtColumn *out) KT_MUST_CHECK;
KtStatus kt_rel_props(KtView *view, KtToken key, KtIds ids, KtArena *arena,
                      KtColumn *out) KT_MUST_CHECK;
/* Ascending node ids in place, as a slice has them. */
typedef struct KtIdList {
    const uint32_t *id;
    uint32_t n; /* at most KT_SLICE_MOST */
} KtIdList;
#define KT_SUM_VALUE_MOST ((int64_t)1 << 52)
/* sum[i] = the sum of one property over list[i], without making a column of it. *done is true only if every value is
 * an integer between -KT_SUM_VALUE_MOST and KT_SUM_VALUE_MOST and stands in the graph cache; otherwise `sum` is
 * undefined and kt_node_props is to be asked. */
KtStatus kt_node_prop_sums(KtView *view, KtToken key, const KtIdList *list, uint32_t n,
                           int64_t *sum, bool *done) KT_MUST_CHECK;
/* All properties: out[row] is a MAP value, entries sorted by key text. */
KtStatus kt_records(KtView *view, KtKind kind, KtIds ids, KtArena *arena,
                    KtValue *out) KT_MUST_CHECK;
/* Type and ends by relationship id; ids that do not exist clear their bit of `found`. Arrays by row. */
KtStatus kt_rel_ends(KtView *view, KtIds rels, KtRelRef *out, uint64_t *found) KT_MUST_CHECK;

/* ---- scans and indexes ---- */

typedef enum KtScanKind {
    KT_SCAN_NODES,
    KT_SCAN_LABEL,
    KT_SCAN_RELS,
    KT_SCAN_TYPE,
    KT_SCAN_INDEX
} KtScanKind;

typedef struct KtRange { /* of one index's single property; NULL bound: open on that side */
    const KtValue *low, *high;
    bool low_inclusive, high_inclusive;
} KtRange;

typedef struct KtScanSpec {
    KtScanKind kind;
    KtToken what;         /* label or type; 0 matches nothing */
    uint32_t index;       /* KT_SCAN_INDEX: its id */
    const KtRange *range; /* KT_SCAN_INDEX; NULL: all entries */
} KtScanSpec;

KtStatus kt_scan_open(KtView *view, const KtScanSpec *spec, KtArena *arena,
                      KtScan **out) KT_MUST_CHECK;
/* At most `cap` ids: u32 node ids (KT_NODE_WIDTH), or u64 relationship ids for RELS and TYPE. n = 0: the end.
 * Ascending by id, but KT_SCAN_INDEX by value and id. */
KtStatus kt_scan_next(KtScan *scan, void *ids, uint32_t cap, uint32_t *n) KT_MUST_CHECK;
void kt_scan_park(KtScan *scan);
void kt_scan_close(KtScan *scan); /* NULL is allowed */
/* The nodes whose indexed property equals keys[row]. */
KtStatus kt_seek_many(KtView *view, uint32_t index, const KtColumn *keys, uint32_t n,
                      KtArena *arena, KtPairs *out) KT_MUST_CHECK;

/* ---- writes: only in a view opened with `write` ---- */

typedef struct KtProp {
    KtToken key;
    KtValue value;
} KtProp;
/* Properties of element i: prop[start[i]] .. prop[start[i + 1] - 1]. NULL: none. A null value is left out. */
typedef struct KtProps {
    const uint32_t *start;
    const KtProp *prop;
} KtProps;

/* Errors of all writes: INVALID_PROPERTY_TYPE, CONSTRAINT (names the constraint and the other node),
 * TRANSACTION_TOO_LARGE, ID_RANGE; words in the view's diag given at open. */
KtStatus kt_add_nodes(KtView *view, uint32_t n, const KtToken *label, uint32_t n_labels,
                      const KtProps *props, KtNodeId *out) KT_MUST_CHECK;
KtStatus kt_add_rels(KtView *view, uint32_t n, KtToken type, const KtNodeId *start,
                     const KtNodeId *end, const KtProps *props, KtRelId *out) KT_MUST_CHECK;
/* values: by row of ids; a null removes the property. */
KtStatus kt_set_props(KtView *view, KtKind kind, KtIds ids, KtToken key,
                      const KtColumn *values) KT_MUST_CHECK;
KtStatus kt_set_labels(KtView *view, KtIds ids, KtToken label, bool present) KT_MUST_CHECK;
KtStatus kt_del_rels(KtView *view, KtIds ids) KT_MUST_CHECK; /* deleting twice is no error */
KtStatus kt_del_nodes(KtView *view, KtIds ids, bool detach) KT_MUST_CHECK;
/* To be called at the end of each statement: a deleted node that still has relationships is
 * DELETE_CONNECTED_NODE; the first offender is named. */
KtStatus kt_statement_end(KtView *view, KtDiag *diag) KT_MUST_CHECK;

#endif
