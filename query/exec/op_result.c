/* query/exec/op_result.c - Result: rows go to the sink, nodes, relationships and paths as images.
 *
 * A batch's entities are found first, nested ones too, each once; their properties and labels are read in a few calls
 * for the whole batch; then rows go out one by one. When the sink is full the answer is AGAIN with x->sink_full, and
 * the next call goes on with the next row. What must hold: all that is still to be handed over lives here, since the
 * query may park in between. A deleted entity has no labels and no properties. */
#include "query/exec/exec_internal.h"

#include "base/hash.h"

#include <string.h>

typedef struct ResultOp {
    KtOp base;
    KtBatch input;
    bool has_input;
    uint32_t at;         /* selected row of input */
    KtValue *value;      /* rows by columns */
    KtMap64 nodes, rels; /* id -> index + 1 */
    KtArena *hold;       /* ids and images of the batch */
    uint64_t *node_id;
    KtRelRef *rel_ref;
    uint32_t n_nodes, n_rels, node_cap, rel_cap;
    KtNodeImage *node_image;
    KtRelImage *rel_image;
} ResultOp;

static KtStatus result_open(KtOp *op)
{
    ResultOp *self = (ResultOp *)op;
    self->nodes.budget = self->rels.budget = op->x->budget;
    return kt_arena_open(op->x->budget, &self->hold);
}

/* ---- finding entities ---- */

static KtStatus note_node(ResultOp *self, uint64_t id)
{
    uint64_t *at;
    bool made;
    KT_TRY(kt_map64_put(&self->nodes, id, &at, &made));
    if (!made)
        return KT_OK;
    void *ids = self->node_id;
    KT_TRY(kt_arena_grow(self->hold, &ids, self->n_nodes, &self->node_cap, sizeof *self->node_id));
    self->node_id = ids;
    self->node_id[self->n_nodes++] = id;
    *at = self->n_nodes;
    return KT_OK;
}

static KtStatus note_rel(ResultOp *self, const KtRelRef *rel)
{
    uint64_t *at;
    bool made;
    KT_TRY(kt_map64_put(&self->rels, rel->id, &at, &made));
    if (!made)
        return KT_OK;
    void *refs = self->rel_ref;
    KT_TRY(kt_arena_grow(self->hold, &refs, self->n_rels, &self->rel_cap, sizeof *self->rel_ref));
    self->rel_ref = refs;
    self->rel_ref[self->n_rels++] = *rel;
    *at = self->n_rels;
    return KT_OK;
}

/* Notes every entity inside a value. Nesting is bounded by what made the value. */
static KtStatus note_value(ResultOp *self, KtValue v)
{
    if (v.flags & KT_VALUE_IMAGE)
        return KT_OK;
    if (v.kind == KT_NODE)
        return note_node(self, v.as.id);
    if (v.kind == KT_REL)
        return note_rel(self, v.as.rel);
    if (v.kind == KT_LIST) {
        for (uint32_t i = 0; i < v.len; i++)
            KT_TRY(note_value(self, v.as.list[i]));
    } else if (v.kind == KT_MAP) {
        for (uint32_t i = 0; i < v.len; i++)
            KT_TRY(note_value(self, v.as.map[i].value));
    } else if (v.kind == KT_PATH) {
        for (uint32_t i = 0; i <= v.as.path->rels; i++)
            KT_TRY(note_node(self, v.as.path->node[i]));
        for (uint32_t i = 0; i < v.as.path->rels; i++)
            KT_TRY(note_rel(self, &v.as.path->rel[i]));
    }
    return KT_OK;
}

/* ---- reading them ---- */

static void set_props(KtValue record, uint32_t *props, const KtMapEntry **prop)
{
    bool map = record.kind == KT_MAP;
    *props = map ? record.len : 0;
    *prop = map ? record.as.map : NULL;
}

static KtStatus read_nodes(ResultOp *self)
{
    KtView *view = self->base.x->view;
    KtArena *arena = self->hold;
    self->node_image =
        kt_arena_alloc(arena, ((size_t)self->n_nodes + 1) * sizeof *self->node_image);
    if (!self->node_image)
        return KT_ERR_MEMORY;
    for (uint32_t from = 0; from < self->n_nodes; from += KT_BATCH_ROWS) {
        uint32_t n = self->n_nodes - from < KT_BATCH_ROWS ? self->n_nodes - from : KT_BATCH_ROWS;
        KtValue *record = kt_arena_zero(arena, n, sizeof *record);
        KtIds ids = {.id = self->node_id + from, .width = 8, .n = n};
        KtLists labels;
        if (!record)
            return KT_ERR_MEMORY;
        KT_TRY(kt_records(view, KT_NODE, ids, arena, record));
        KT_TRY(kt_node_labels(view, ids, arena, &labels));
        for (uint32_t i = 0; i < n; i++) {
            KtNodeImage *image = &self->node_image[from + i];
            uint32_t many = labels.start[i + 1] - labels.start[i];
            KtText *label = kt_arena_alloc(arena, many * sizeof *label);
            if (!label)
                return KT_ERR_MEMORY;
            for (uint32_t k = 0; k < many; k++)
                label[k] = kt_name_text(view, KT_NAME_LABEL, labels.item[labels.start[i] + k]);
            *image = (KtNodeImage){.id = self->node_id[from + i], .label = label, .labels = many};
            set_props(record[i], &image->props, &image->prop);
        }
    }
    return KT_OK;
}

static KtStatus read_rels(ResultOp *self)
{
    KtView *view = self->base.x->view;
    KtArena *arena = self->hold;
    self->rel_image = kt_arena_alloc(arena, ((size_t)self->n_rels + 1) * sizeof *self->rel_image);
    uint64_t *id = kt_arena_alloc(arena, ((size_t)self->n_rels + 1) * sizeof *id);
    if (!self->rel_image || !id)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i < self->n_rels; i++)
        id[i] = self->rel_ref[i].id;
    for (uint32_t from = 0; from < self->n_rels; from += KT_BATCH_ROWS) {
        uint32_t n = self->n_rels - from < KT_BATCH_ROWS ? self->n_rels - from : KT_BATCH_ROWS;
        KtValue *record = kt_arena_zero(arena, n, sizeof *record);
        KtIds ids = {.id = id + from, .width = 8, .n = n};
        if (!record)
            return KT_ERR_MEMORY;
        KT_TRY(kt_records(view, KT_REL, ids, arena, record));
        for (uint32_t i = 0; i < n; i++) {
            KtRelImage *image = &self->rel_image[from + i];
            const KtRelRef *rel = &self->rel_ref[from + i];
            *image = (KtRelImage){.id = rel->id,
                                  .start = rel->start,
                                  .end = rel->end,
                                  .type = kt_name_text(view, KT_NAME_TYPE, rel->type)};
            set_props(record[i], &image->props, &image->prop);
        }
    }
    return KT_OK;
}

/* ---- putting them in ---- */

static const KtNodeImage *node_image(const ResultOp *self, uint64_t id)
{
    return &self->node_image[*kt_map64_get(&self->nodes, id) - 1];
}

static const KtRelImage *rel_image(const ResultOp *self, uint64_t id)
{
    return &self->rel_image[*kt_map64_get(&self->rels, id) - 1];
}

static KtStatus path_image(ResultOp *self, const KtPath *path, const KtPathImage **out)
{
    KtArena *arena = self->hold;
    KtPathImage *image = kt_arena_alloc(arena, sizeof *image);
    const KtNodeImage **node = kt_arena_alloc(arena, ((size_t)path->rels + 1) * sizeof *node);
    const KtRelImage **rel = kt_arena_alloc(arena, (size_t)path->rels * sizeof *rel);
    if (!image || !node || !rel)
        return KT_ERR_MEMORY;
    for (uint32_t i = 0; i <= path->rels; i++)
        node[i] = node_image(self, path->node[i]);
    for (uint32_t i = 0; i < path->rels; i++)
        rel[i] = rel_image(self, path->rel[i].id);
    *image = (KtPathImage){.rels = path->rels, .node = node, .rel = rel};
    *out = image;
    return KT_OK;
}

/* The value with images in it, made anew where it holds an entity; everything else is copied to stay. */
static KtStatus put_images(ResultOp *self, KtValue v, KtValue *out)
{
    KtArena *arena = self->hold;
    *out = v;
    if (v.flags & KT_VALUE_IMAGE)
        return kt_value_copy(arena, v, out);
    switch ((KtKind)v.kind) {
    case KT_NODE:
        *out = (KtValue){
            .kind = KT_NODE, .flags = KT_VALUE_IMAGE, .as.node_image = node_image(self, v.as.id)};
        return KT_OK;
    case KT_REL:
        *out = (KtValue){
            .kind = KT_REL, .flags = KT_VALUE_IMAGE, .as.rel_image = rel_image(self, v.as.rel->id)};
        return KT_OK;
    case KT_PATH:
        *out = (KtValue){.kind = KT_PATH, .flags = KT_VALUE_IMAGE};
        return path_image(self, v.as.path, &out->as.path_image);
    case KT_LIST: {
        KtValue *item = kt_arena_alloc(arena, (size_t)v.len * sizeof *item);
        if (!item)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < v.len; i++)
            KT_TRY(put_images(self, v.as.list[i], &item[i]));
        out->as.list = item;
        return KT_OK;
    }
    case KT_MAP: {
        KtMapEntry *entry = kt_arena_alloc(arena, (size_t)v.len * sizeof *entry);
        if (!entry)
            return KT_ERR_MEMORY;
        for (uint32_t i = 0; i < v.len; i++) {
            char *key = kt_arena_text(arena, v.as.map[i].key.at, v.as.map[i].key.len);
            if (!key)
                return KT_ERR_MEMORY;
            entry[i].key = (KtText){key, v.as.map[i].key.len};
            KT_TRY(put_images(self, v.as.map[i].value, &entry[i].value));
        }
        out->as.map = entry;
        return KT_OK;
    }
    case KT_NULL:
    case KT_BOOL:
    case KT_INT:
    case KT_FLOAT:
    case KT_KIND_COUNT: return KT_OK;
    case KT_TEXT:
    case KT_BYTES:
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION:
    case KT_POINT:
    case KT_VECTOR:
    case KT_UUID: return kt_value_copy(arena, v, out);
    }
    return KT_OK;
}

static bool plain(const KtColumn *col)
{
    return col->kind == KT_COL_BOOL || col->kind == KT_COL_INT || col->kind == KT_COL_FLOAT;
}

static KtStatus materialise(ResultOp *self)
{
    KtOp *op = &self->base;
    KtLevel *top = self->input.top;
    uint32_t columns = op->plan->as.result.n;
    kt_arena_reset(self->hold);
    kt_map64_clear(&self->nodes);
    kt_map64_clear(&self->rels);
    self->n_nodes = self->n_rels = self->node_cap = self->rel_cap = 0;
    self->node_id = NULL;
    self->rel_ref = NULL;
    self->value = kt_arena_alloc(self->hold, (size_t)top->selected * columns * sizeof *self->value);
    KtColumn *col = kt_arena_alloc(self->hold, ((size_t)columns + 1) * sizeof *col);
    if (!self->value || !col)
        return KT_ERR_MEMORY;
    /* A statement that writes has done so when its rows are read: on the second side of a UNION too. */
    if (op->x->bound->query && op->x->bound->query->writes)
        kt_see(op->x->view, KT_SEE_ALL);
    else
        kt_op_sees(op);
    for (uint32_t c = 0; c < columns; c++) {
        KT_TRY(kt_level_column(top, op->plan->as.result.column[c], &col[c]));
        if (plain(&col[c]) || col[c].kind == KT_COL_TEXT)
            continue;
        for (uint32_t i = 0; i < top->selected; i++)
            KT_TRY(note_value(self, kt_col_value(&col[c], kt_level_selected(top, i))));
    }
    if (self->n_nodes)
        KT_TRY(read_nodes(self));
    if (self->n_rels)
        KT_TRY(read_rels(self));
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i);
        for (uint32_t c = 0; c < columns; c++) {
            KtValue *to = &self->value[(size_t)i * columns + c];
            KtValue v = kt_col_value(&col[c], row);
            if (plain(&col[c]))
                *to = v;
            else
                KT_TRY(put_images(self, v, to));
        }
    }
    return KT_OK;
}

/* Hands rows over until the sink is full or the batch is out. */
static KtStatus hand_over(ResultOp *self)
{
    KtExec *x = self->base.x;
    uint32_t columns = self->base.plan->as.result.n;
    const KtLevel *top = self->input.top;
    while (self->at < top->selected) {
        bool is_full = false;
        if (x->sink)
            KT_TRY(
                x->sink->row(x->sink, self->value + (size_t)self->at * columns, columns, &is_full));
        self->at++;
        x->result_rows++;
        if (is_full) {
            x->sink_full = true;
            return KT_OK;
        }
    }
    return KT_OK;
}

static KtStatus result_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    ResultOp *self = (ResultOp *)op;
    if (!self->has_input) {
        KT_TRY(kt_op_next(op->child[0], want, &self->input, step));
        if (*step != KT_STEP_ROWS)
            return KT_OK;
        KT_CHECK(!self->input.top->weight); /* the planner puts Unweigh below */
        *out = self->input;
        if (op->plan->as.result.n == 0)
            return KT_OK; /* a statement without RETURN: its rows are nobody's */
        KT_TRY(materialise(self));
        self->has_input = true;
        self->at = 0;
    }
    KT_TRY(hand_over(self));
    *out = self->input;
    *step = KT_STEP_ROWS;
    if (self->at == self->input.top->selected)
        self->has_input = false;
    if (op->x->sink_full)
        *step = KT_STEP_AGAIN;
    return KT_OK;
}

static KtStatus result_rewind(KtOp *op)
{
    ((ResultOp *)op)->has_input = false;
    return KT_OK;
}

static void result_close(KtOp *op)
{
    ResultOp *self = (ResultOp *)op;
    kt_map64_close(&self->nodes);
    kt_map64_close(&self->rels);
    kt_arena_close(self->hold);
}

const KtOpType kt_op_RESULT = {
    .name = "Result",
    .size = sizeof(ResultOp),
    .open = result_open,
    .next = result_next,
    .rewind = result_rewind,
    .close = result_close,
};
