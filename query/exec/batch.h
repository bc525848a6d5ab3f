/* query/exec/batch.h - what operators hand up: at most KT_BATCH_ROWS rows, as a chain of levels.
 *
 * A level holds the rows that one operator made from the rows below it, as a list of runs: run i says "row
 * `parent` of the level below gave these `len` consecutive rows". Runs ascend by parent. A slot's column belongs to
 * the level whose operator made it and is computed once; what lies in runs (ids of an expand, items of a list) is
 * flattened into a column only when somebody asks.
 *
 * An operator that keeps the rows (Filter, Project, Limit) hands up a shallow copy of its input's top level
 * with another selection or weight: both share one KtCols, so a column computed by one is there for all.
 *
 * Lifetime: a batch lives until the next call of the operator that produced it; levels below belong to
 * operators further down and live at least as long. Whoever keeps rows longer copies them into a KtRows. */
#ifndef KT_QUERY_EXEC_BATCH_H
#define KT_QUERY_EXEC_BATCH_H

#include "base/column.h"
#include "query/expr/expr.h"

enum { KT_BATCH_ROWS = 1024 };

typedef struct KtRun {
    uint32_t parent, len;
    const void *item; /* `len` elements of `kind` (the level's item slot); NULL: all null */
    const void
        *rel; /* of an Expand: relationship ids of `rel_width` bytes; NULL where not asked for */
    KtColKind kind; /* of item: NODE (u32 ids), VALUE, INT, FLOAT, TEXT, BOOL */
    bool ascends;   /* of NODE: ids ascend strictly, as a scan's do */
    uint8_t rel_width;
    uint8_t
        dir; /* of an Expand: KT_OUT when rel starts at the parent's node, KT_IN when it ends there */
    KtToken type; /* of an Expand */
} KtRun;

/* The columns of a level's rows, by slot. It is the identity of a level: shallow copies share it. */
enum { KT_COLS_MAPS = 6, KT_COLS_PROPS = 4 };
typedef struct KtCols {
    KtColumn *col;  /* by slot; valid where `have` is set */
    uint64_t *have; /* bits by slot: own columns, and those flattened or gathered from below */
    uint64_t *own;  /* bits by slot: made at this level */
    uint32_t slots;
    KtArena *
        scratch; /* columns computed for this level; reset by its operator when it makes new rows */
    /* property columns made so far, in scratch, for all rows; none in a query that writes */
    uint32_t props;
    struct {
        KtSlot slot;
        KtNameRef key;
        KtColumn col;
    } prop[KT_COLS_PROPS];
    bool keeps_props;
    uint32_t maps; /* row maps made so far: row -> row of the level with those columns */
    struct {
        const struct KtCols *to;
        const uint16_t *row;
    } map[KT_COLS_MAPS];
} KtCols;

typedef struct KtLevel KtLevel;
struct KtLevel {
    KtLevel *below; /* NULL: the rows stand alone */
    uint32_t rows, runs;
    const KtRun *run;           /* NULL with below NULL: rows without runs, only columns */
    KtSlot item_slot, rel_slot; /* what runs' item and rel are; KT_NO_SLOT: nothing */
    KtSlot
        from_slot; /* of an Expand: slot of the node each run starts from (level below or deeper) */
    const uint16_t *sel; /* ascending rows; NULL: every row */
    uint32_t selected;
    const uint64_t *weight; /* by row; NULL: 1 each. Set by a degree fold */
    struct { /* a selection as bits by row, good while it is still the level's: kt_level_bits */
        const uint16_t *sel;
        uint32_t selected;
        const uint64_t *bits;
    } as_bits;
    KtCols *cols;
};

typedef struct KtBatch {
    KtLevel *top; /* NULL: no rows */
} KtBatch;

/* The deepest level of the chain that has any of `slot`; the top itself if none is asked for. */
KtLevel *kt_batch_level_of(const KtBatch *batch, const KtSlot *slot, uint32_t n);
/* The column of `slot` over the rows of `level`: its own, flattened from its runs, or gathered from below.
 * Cached in the level. A slot that no level has is a broken plan (KT_CHECK). */
KtStatus kt_level_column(KtLevel *level, KtSlot slot, KtColumn *out) KT_MUST_CHECK;
/* Puts a computed column on a level. */
void kt_level_set(KtLevel *level, KtSlot slot, KtColumn column);
/* The level of the chain that has `slot`, or NULL. */
KtLevel *kt_level_owner(KtLevel *level, KtSlot slot);
/* out[row] = row of below_level that stands under it, for all rows; NULL: below_level is the level itself (or a
 * copy of it). Cached. below_level must be in the chain. */
KtStatus kt_level_rows_at(KtLevel *level, const KtLevel *below_level,
                          const uint16_t **out) KT_MUST_CHECK;
/* The frame of a level, for the evaluator: selection and columns of it and of all below. */
typedef struct KtLevelFrame {
    KtFrame frame; /* first */
    KtLevel *level;
} KtLevelFrame;
void kt_level_frame(KtLevelFrame *out, KtLevel *level, KtArena *arena);
/* One value, for row-serial code. */
KtStatus kt_level_value(KtLevel *level, KtSlot slot, uint32_t row, KtValue *out) KT_MUST_CHECK;

/* out[row] = node id of `slot` for all rows of the level; KT_NO_NODE for null. A value that is neither node nor
 * null is INVALID_ARGUMENT_TYPE_VALUE. */
KtStatus kt_level_nodes(KtLevel *level, KtSlot slot, const uint32_t **out) KT_MUST_CHECK;

/* kernel_repeat.c: each run's element of `from`, len times; `out` has room for KT_REPEAT_SLACK more. */
enum { KT_REPEAT_SLACK = 8 };
void kt_repeat_8(const KtRun *run, uint32_t runs, const uint64_t *from, uint64_t *out);

static inline uint32_t kt_level_selected(const KtLevel *level, uint32_t i)
{
    return level->sel ? level->sel[i] : i;
}
/* The selection as bits, none beyond the rows; NULL: not known as such. */
static inline const uint64_t *kt_level_bits(const KtLevel *level)
{
    return level->sel && level->sel == level->as_bits.sel &&
                   level->selected == level->as_bits.selected
               ? level->as_bits.bits
               : NULL;
}
static inline uint64_t kt_level_weight(const KtLevel *level, uint32_t row)
{
    return level->weight ? level->weight[row] : 1;
}

#endif
