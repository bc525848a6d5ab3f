/* query/exec/exec_internal.h - what the operators share among themselves: making levels, evaluating over a batch,
 * uniqueness of relationships, and the walk over adjacency lists.
 *
 * A KtMade is one operator's output level, made again for each batch: its columns live in op->arena, which
 * kt_made_begin resets. Run arrays and column headers are kept for the whole query and never cleared. */
#ifndef KT_QUERY_EXEC_INTERNAL_H
#define KT_QUERY_EXEC_INTERNAL_H

#include "query/exec/op.h"

/* ---- levels ---- */

typedef struct KtMade {
    KtLevel level;
    KtCols cols;
    KtRun *run;
    uint32_t run_cap;
} KtMade;

/* Begins a new level over `below` (NULL: rows stand alone): no rows, no columns. Resets op->arena. */
KtStatus kt_made_begin(KtOp *op, KtMade *made, KtLevel *below) KT_MUST_CHECK;
/* Room for one more run, already counted; the caller fills it and adds to level.rows. */
KtStatus kt_made_run(KtOp *op, KtMade *made, KtRun **out) KT_MUST_CHECK;
/* Every row selected; hands the level up. */
void kt_made_end(KtMade *made, KtBatch *out);
/* A run of `len` rows without items, grown if the last run has the same parent. */
KtStatus kt_made_rows(KtOp *op, KtMade *made, uint32_t parent, uint32_t len) KT_MUST_CHECK;

/* Rows row[0 .. n) of a store as a new level: over the argument's rows by the store's tags (which must ascend), or
 * alone. */
struct KtRows;
KtStatus kt_op_emit(KtOp *op, KtMade *made, const struct KtRows *rows, const uint32_t *row,
                    uint32_t n, KtBatch *out) KT_MUST_CHECK;

/* The operator's own arena, opened when first used. */
KtStatus kt_op_arena(KtOp *op, KtArena **out) KT_MUST_CHECK;
/* A selection buffer of KT_BATCH_ROWS entries, made when first used. */
KtStatus kt_op_sel(KtOp *op, uint16_t **sel) KT_MUST_CHECK;
/* copy = the level with this selection. */
void kt_level_select(KtLevel *copy, const KtLevel *from, const uint16_t *sel, uint32_t selected);
/* The selected rows from position `from` on, `n` of them, as a selection in `buffer`. */
void kt_level_window(KtLevel *copy, const KtLevel *level, uint32_t from, uint32_t n,
                     uint16_t *buffer);

/* The argument rows that the rows of `level` belong to; *out NULL: row i belongs to argument row i. */
KtStatus kt_op_arg_rows(KtOp *op, KtLevel *level, const uint16_t **out) KT_MUST_CHECK;
static inline uint32_t kt_mapped(const uint16_t *map, uint32_t row) { return map ? map[row] : row; }

/* A failure without words gets some: the operator that ran out of memory is named. */
KtStatus kt_op_no_memory(KtOp *op) KT_MUST_CHECK;

/* ---- evaluating over a batch ---- */

typedef struct KtRowFail {
    uint32_t row; /* of the batch's top level; UINT32_MAX: none */
    KtStatus status;
} KtRowFail;

/* The column of a program over the rows of `top` (only selected rows are right), computed at the deepest level that
 * it reads. Row errors go to *fail, the first row wins. `fail` NULL: a row error is returned. Memory: op->arena. */
KtStatus kt_op_eval(KtOp *op, KtLevel *top, const KtProgram *program, KtRowFail *fail,
                    KtColumn *out) KT_MUST_CHECK;
/* The same, put on the top level as `slot`; it lives as long as the level's other columns. */
KtStatus kt_op_project(KtOp *op, KtLevel *top, const KtProgram *program, KtSlot slot,
                       KtRowFail *fail) KT_MUST_CHECK;
/* sel[0 .. *selected) = selected rows of `top` for which all tests are true (may be in place of top's sel). *bits:
 * the same as bits by row, in op->arena, or NULL where that would be work; `bits` NULL: not asked for. */
KtStatus kt_op_test(KtOp *op, KtLevel *top, const KtProgram *const *test, uint32_t n,
                    KtRowFail *fail, uint16_t *sel, uint32_t *selected,
                    const uint64_t **bits) KT_MUST_CHECK;
/* Cuts a selection to the rows before fail->row; notes the failure for the next call. *selected == 0: the status
 * is returned at once. */
KtStatus kt_op_cut(KtOp *op, const KtRowFail *fail, const uint16_t *sel,
                   uint32_t *selected) KT_MUST_CHECK;

/* The same for operators that make several batches of one input: the failure is held, with its words, until the
 * rows before it are out; then kt_op_raise. */
typedef struct KtHeld {
    KtStatus status; /* KT_OK: nothing is held */
    KtDiag *diag;
} KtHeld;
KtStatus kt_op_split(KtOp *op, const KtRowFail *fail, const uint16_t *sel, uint32_t *selected,
                     KtHeld *held) KT_MUST_CHECK;
/* The held failure, its words back in x->diag; KT_OK if nothing is held. */
KtStatus kt_op_raise(KtOp *op, KtHeld *held) KT_MUST_CHECK;

/* Sets a bit (in `bits`, by slot) for each slot that rows of this plan carry, without its argument's. */
void kt_plan_slots(const KtPlan *plan, uint64_t *bits);

/* The count of a LIMIT or SKIP. Errors: INVALID_ARGUMENT_TYPE, NEGATIVE_INTEGER_ARGUMENT. */
KtStatus kt_op_count(KtOp *op, const KtProgram *program, const char *clause,
                     uint64_t *out) KT_MUST_CHECK;

/* ---- uniqueness of relationships ---- */

/* The earlier relationships of a MATCH that a hop must differ from, over one batch of rows. */
typedef struct KtDifferSlot {
    KtLevel *level;       /* of runs; NULL: col is used */
    const uint16_t *map;  /* batch row -> row of level; NULL: the same */
    const uint32_t *from; /* by row below level: node that the run starts from */
    uint32_t run, first;  /* run that was looked at last, and its first row */
    KtColumn col;
} KtDifferSlot;
typedef struct KtDiffer {
    uint32_t n;
    KtDir dir;
    KtDifferSlot *slot;
    KtRelRef *hit; /* of kt_differ_row */
    uint32_t hits, cap;
} KtDiffer;

KtStatus kt_differ_begin(KtOp *op, KtDiffer *d, KtLevel *top, const KtSlot *slot,
                         uint32_t n) KT_MUST_CHECK;
/* d->hit[0 .. d->hits): earlier relationships of row `row` that can stand in a list of `node` seen from which they
 * go `dir` (KT_NO_NODE: all of them). */
KtStatus kt_differ_row(KtOp *op, KtDiffer *d, uint32_t row, uint32_t node, KtDir dir) KT_MUST_CHECK;
/* `rel` is one of those hits. */
static inline bool kt_differ_hits(const KtDiffer *d, uint64_t rel)
{
    for (uint32_t i = 0; i < d->hits; i++) {
        if (d->hit[i].id == rel)
            return true;
    }
    return false;
}
/* Bits of the rows of `top` for which that can be any at all, by whole runs; `node`: by row. The others have none. */
void kt_differ_rows(const KtDiffer *d, const KtLevel *top, const uint32_t *node, KtDir dir,
                    uint64_t *bits);

/* ---- lookups that answer a whole input batch at once (op_seek.c) ---- */

typedef struct KtSeekPart {
    KtBatch input;
    bool has_input;
    KtArena *hold; /* the answer below */
    KtHeld held;
    uint32_t n, at, cap; /* (input row, id) pairs, rows ascending; at: handed up */
    uint32_t *row;
    uint64_t *id;
    KtMade made;
} KtSeekPart;
KtStatus kt_seek_next(KtOp *op, KtSeekPart *seek, uint32_t want, KtBatch *out,
                      KtStep *step) KT_MUST_CHECK;
void kt_seek_rewind(KtSeekPart *seek);
void kt_seek_close(KtSeekPart *seek);

/* ---- hops (kernel_expand.c) ---- */

/* The hop of a plan relationship, names resolved. A type that the database does not know stays as token 0. */
KtStatus kt_op_hop(KtOp *op, const KtPlanRel *rel, bool rels, bool reverse, KtArena *arena,
                   KtHop *out) KT_MUST_CHECK;

/* The parts of a slice that count: without the loops of a BOTH hop's incoming part and without `hit`.
 * Calls nothing, allocates nothing: at most `cap` parts, in order. Returns their number. */
typedef struct KtPart {
    uint32_t from, len;
} KtPart;
uint32_t kt_slice_parts(const KtSlice *slice, uint32_t node, bool both, const KtRelRef *hit,
                        uint32_t hits, KtPart *out, uint32_t cap);
/* How many parts kt_slice_parts can need. */
static inline uint32_t kt_slice_parts_most(uint32_t hits) { return hits + 2; }
uint64_t kt_slice_rel(const KtSlice *slice, uint32_t i);

/* The slices of one hop from the rows of a batch, cut to the parts that count. */
typedef struct KtFeed {
    KtOp *op;
    const KtPlanRel *rel;
    KtSlot from_slot;
    bool rels; /* relationship ids are wanted */
    KtExpand *cursor;
    KtArena *cursor_arena, *kept; /* kept: slices copied for a park */
    bool slices_kept, open_feed;  /* open_feed: the cursor's feed is not used up */
    KtDiffer differ;
    uint64_t *hit; /* by row of the batch: an earlier relationship may be in its list; NULL: none */
    const uint32_t *from; /* by row of the batch */
    KtSlice *slice;
    uint32_t slice_cap;
    uint32_t n, at;                         /* slices of the last call, and the one at hand */
    KtPart *part;                           /* parts of slice[at] */
    uint32_t parts, part_at, part_cap, row; /* row: whose hits stand in differ */
} KtFeed;

enum { KT_FEED_FIRST = 32, KT_FEED_SLICES = 256 };
KtStatus kt_feed_open(KtOp *op, KtFeed *feed, const KtPlanRel *rel, KtSlot from,
                      bool rels) KT_MUST_CHECK;
/* Goes on with the selected rows of `top`; the rows before must be used up. */
KtStatus kt_feed_begin(KtFeed *feed, KtLevel *top) KT_MUST_CHECK;
/* Makes a part ready, out of the slices at hand; *have false: none is left, kt_feed_more is next. */
KtStatus kt_feed_ready(KtFeed *feed, bool *have) KT_MUST_CHECK;
/* The next slices, at most `cap`: those before are dead. *have false: the batch is used up. */
KtStatus kt_feed_more(KtFeed *feed, uint32_t cap, bool *have) KT_MUST_CHECK;
static inline const KtSlice *kt_feed_slice(const KtFeed *feed) { return &feed->slice[feed->at]; }
/* Takes up to `most` entries of the part at hand: entries [*from, *from + result) of the slice. */
uint32_t kt_feed_take(KtFeed *feed, uint32_t most, uint32_t *from);
KtStatus kt_feed_park(KtFeed *feed) KT_MUST_CHECK;
void kt_feed_rewind(KtFeed *feed);
void kt_feed_close(KtFeed *feed);

/* ---- an Expand's lists, for who needs no rows of them (op_expand.c) ---- */

typedef struct KtExpandLists {
    KtLevel *input; /* the rows that they hang from */
    bool begins;    /* the first call for this input */
    bool used_up;   /* all lists of this input have been given; the next call takes new input */
    uint32_t n;
    const KtIdList *list;
    const uint16_t *row; /* by list, ascending */
} KtExpandLists;
/* In place of kt_op_next: the next lists, at most those of KT_FEED_SLICES slices. They live until the next call of the
 * Expand. ROWS may come with n == 0. To be asked only where kt_expand_between is true. */
KtStatus kt_expand_lists(KtOp *expand, KtExpandLists *out, KtStep *step) KT_MUST_CHECK;
/* What kt_expand_lists gave last is given again, to kt_op_next or kt_expand_lists. */
void kt_expand_put_back(KtOp *expand);
/* kt_op_next has used up the slices that it began. */
KtStatus kt_expand_between(KtOp *expand, bool *out) KT_MUST_CHECK;

#endif
