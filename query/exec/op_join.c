/* query/exec/op_join.c - Product and HashJoin: the rows of child[1] are kept and joined to each row of child[0].
 *
 * The first probe batch is asked for before the build side: writes of earlier clauses stand below the probe, and
 * nothing is built when there is nothing to probe with. Build rows hang in chains by key; a Product is a join with no
 * key. Under an argument its row leads the key. Rows with a key that equals nothing (null, NaN, a list or map with
 * either inside) are dropped on both sides; the bytes of other keys are the same exactly when `=` is true of them.
 *
 * What must hold: where the probe's rows may fail, all of them are asked for even if nothing can join with them: the
 * error is one that a Product under a Filter would have met. */
#include "query/exec/exec_internal.h"
#include "query/exec/key_table.h"
#include "query/exec/rows.h"

#include "base/key.h"

typedef struct JoinOp {
    KtOp base;
    KtBatch probe;
    bool has_probe, built;
    KtRows *rows;
    KtKeyTable *table;
    KtArena *hold;                /* chains */
    uint32_t *next, *head, *tail; /* by build row; by key */
    uint32_t next_cap, head_cap, tail_cap;
    const KtProgram *const *build_key, *const *probe_key;
    uint32_t keys;             /* 0: a Product */
    KtColumn *key, *built_key; /* of the probe's rows; of the batch that is being built in */
    uint64_t work;             /* steps over keys since the last tick */
    KtHeld held;
    uint32_t good, at,
        row; /* probe: rows before a failing one, the one at hand; build row that is next */
    bool in_row;
    KtMade made;
    uint16_t *pick;
} JoinOp;

static KtStatus open_store(JoinOp *self)
{
    KtOp *op = &self->base;
    uint32_t slots = op->x->slots, n = 0;
    uint64_t *bits = kt_arena_zero(op->x->arena, (slots + 63) / 64 + 1, sizeof *bits);
    KtSlot *slot = kt_arena_alloc(op->x->arena, ((size_t)slots + 1) * sizeof *slot);
    if (!bits || !slot)
        return KT_ERR_MEMORY;
    kt_plan_slots(op->plan->child[1], bits);
    for (uint32_t i = 0; i < slots; i++) {
        if (kt_bit(bits, i))
            slot[n++] = i;
    }
    return kt_rows_open(op->x->budget, slot, n, op->arg != NULL, &self->rows);
}

enum { WORK_UNLOOKED = 64 * 1024 };

static KtStatus join_open(KtOp *op)
{
    JoinOp *self = (JoinOp *)op;
    if (op->plan->kind == KT_PLAN_HASH_JOIN) {
        self->keys = op->plan->as.join.n;
        self->probe_key = op->plan->as.join.left;
        self->build_key = op->plan->as.join.right;
    }
    self->key = kt_arena_zero(op->x->arena, 2 * (size_t)self->keys + 1, sizeof *self->key);
    if (!self->key)
        return KT_ERR_MEMORY;
    self->built_key = self->key + self->keys;
    KT_TRY(kt_arena_open(op->x->budget, &self->hold));
    KT_TRY(kt_op_sel(op, &self->pick));
    KT_TRY(kt_key_table_open(op->x->budget, &self->table));
    return open_store(self);
}

/* Begins the key of a row in the table; *can false: it equals nothing. */
static KtStatus put_key(JoinOp *self, const KtColumn *key, const uint16_t *arg, uint32_t row,
                        bool *can)
{
    *can = true;
    kt_key_table_begin(self->table);
    if (self->base.arg)
        kt_key_table_number(self->table, kt_mapped(arg, row));
    for (uint32_t i = 0; i < self->keys && *can; i++) {
        KtValue v = kt_col_value(&key[i], row);
        self->work += kt_value_steps(v); /* lists and texts may be long */
        *can = !kt_key_never_equal(v);
        if (*can)
            kt_key_table_put(self->table, v);
    }
    if (self->work < WORK_UNLOOKED)
        return KT_OK;
    bool again; /* a batch is finished all the same */
    self->work = 0;
    return kt_tick(self->base.x, WORK_UNLOOKED, &again);
}

static KtStatus room(JoinOp *self, uint32_t **array, uint32_t n, uint32_t *cap)
{
    void *at = *array;
    KT_TRY(kt_arena_grow(self->hold, &at, n, cap, sizeof **array));
    *array = at;
    return KT_OK;
}

static KtStatus chain(JoinOp *self, uint32_t key, bool fresh, uint32_t row)
{
    KT_TRY(room(self, &self->next, row, &self->next_cap));
    self->next[row] = UINT32_MAX;
    if (fresh) {
        KT_TRY(room(self, &self->head, key, &self->head_cap));
        KT_TRY(room(self, &self->tail, key, &self->tail_cap));
        self->head[key] = row;
    } else {
        self->next[self->tail[key]] = row;
    }
    self->tail[key] = row;
    return KT_OK;
}

static KtStatus add_build(JoinOp *self, KtLevel *top)
{
    KtOp *op = &self->base;
    const uint16_t *arg = NULL;
    KtArena *arena;
    KT_CHECK(!top->weight); /* the planner puts Unweigh below */
    KT_TRY(kt_op_arena(op, &arena));
    kt_arena_reset(arena);
    if (op->arg)
        KT_TRY(kt_op_arg_rows(op, top, &arg));
    if (self->keys)
        kt_op_sees(op);
    for (uint32_t i = 0; i < self->keys; i++)
        KT_TRY(kt_op_eval(op, top, self->build_key[i], NULL, &self->built_key[i]));
    uint32_t n = 0, first = kt_rows_count(self->rows);
    for (uint32_t i = 0; i < top->selected; i++) {
        uint32_t row = kt_level_selected(top, i), number;
        bool fresh, can;
        KT_TRY(put_key(self, self->built_key, arg, row, &can));
        if (!can)
            continue;
        KT_TRY(kt_key_table_end(self->table, &number, &fresh));
        KT_TRY(chain(self, number, fresh, first + n));
        self->pick[n++] = (uint16_t)row;
    }
    return kt_rows_put(self->rows, top, self->pick, n, arg);
}

static KtStatus build(JoinOp *self, KtStep *step)
{
    KtOp *op = &self->base;
    while (!self->built) {
        KtBatch input;
        KT_TRY(kt_op_next(op->child[1], KT_BATCH_ROWS, &input, step));
        if (*step == KT_STEP_AGAIN)
            return KT_OK;
        if (*step == KT_STEP_END)
            self->built = true;
        else
            KT_TRY(add_build(self, input.top));
    }
    return KT_OK;
}

static KtStatus begin_probe(JoinOp *self)
{
    KtOp *op = &self->base;
    KtLevel *top = self->probe.top;
    KtRowFail fail = {UINT32_MAX, KT_OK};
    self->good = top->selected;
    self->at = 0;
    self->in_row = false;
    if (!self->keys)
        return KT_OK;
    KtArena *own = op->arena;
    op->arena = top->cols->scratch; /* keys live as long as the probe's rows */
    kt_op_sees(op);
    KtStatus status = KT_OK;
    for (uint32_t i = 0; i < self->keys && status == KT_OK; i++)
        status = kt_op_eval(op, top, self->probe_key[i], &fail, &self->key[i]);
    op->arena = own;
    KT_TRY(status);
    return kt_op_split(op, &fail, top->sel, &self->good, &self->held);
}

/* Looks up the probe row at hand; *found false: nothing joins. */
static KtStatus begin_row(JoinOp *self, const uint16_t *arg, bool *found)
{
    uint32_t row = kt_level_selected(self->probe.top, self->at), number = UINT32_MAX;
    bool can;
    KT_TRY(put_key(self, self->key, arg, row, &can));
    if (can)
        KT_TRY(kt_key_table_find(self->table, &number));
    *found = number != UINT32_MAX;
    if (*found)
        self->row = self->head[number];
    return KT_OK;
}

static KtStatus fill(JoinOp *self, uint32_t want, uint32_t *pick, uint32_t *rows)
{
    KtOp *op = &self->base;
    const uint16_t *arg = NULL;
    bool again;
    uint32_t n = 0;
    if (op->arg)
        KT_TRY(kt_op_arg_rows(op, self->probe.top, &arg));
    while (n < want && self->at < self->good) {
        if (!self->in_row) {
            KT_TRY(begin_row(self, arg, &self->in_row));
            if (!self->in_row) {
                self->at++;
                continue;
            }
        }
        uint32_t parent = kt_level_selected(self->probe.top, self->at), len = 0;
        for (; n < want && self->row != UINT32_MAX; len++, n++) {
            pick[n] = self->row;
            self->row = self->next[self->row];
        }
        if (len)
            KT_TRY(kt_made_rows(op, &self->made, parent, len));
        if (self->row == UINT32_MAX) {
            self->in_row = false;
            self->at++;
        }
    }
    *rows = n;
    return kt_tick(op->x, self->good, &again);
}

static KtStatus hand_up(JoinOp *self, const uint32_t *pick, uint32_t n, KtBatch *out)
{
    KtLevel *level = &self->made.level;
    const KtLevel *probe = self->probe.top;
    if (probe->weight) {
        uint64_t *weight = kt_arena_alloc(self->base.arena, n * sizeof *weight);
        if (!weight)
            return KT_ERR_MEMORY;
        uint32_t at = 0;
        for (uint32_t r = 0; r < level->runs; r++) {
            for (uint32_t k = 0; k < level->run[r].len; k++)
                weight[at++] = probe->weight[level->run[r].parent];
        }
        level->weight = weight;
    }
    kt_made_end(&self->made, out);
    return kt_rows_get(self->rows, pick, n, level);
}

static KtStatus join_next(KtOp *op, uint32_t want, KtBatch *out, KtStep *step)
{
    JoinOp *self = (JoinOp *)op;
    for (;;) {
        if (!self->has_probe) {
            KT_TRY(kt_op_next(op->child[0], want, &self->probe, step));
            if (*step != KT_STEP_ROWS)
                return KT_OK;
            self->has_probe = true;
            KT_TRY(begin_probe(self));
        }
        if (!self->built) {
            KT_TRY(build(self, step));
            if (!self->built)
                return KT_OK; /* AGAIN */
        }
        if (kt_rows_count(self->rows) == 0 && !(self->keys && op->plan->as.join.probe_may_fail)) {
            *step = KT_STEP_END;
            return KT_OK;
        }
        uint32_t pick[KT_BATCH_ROWS], n;
        KT_TRY(kt_made_begin(op, &self->made, self->probe.top));
        KT_TRY(fill(self, want, pick, &n));
        if (n > 0) {
            *step = KT_STEP_ROWS;
            return hand_up(self, pick, n, out);
        }
        self->has_probe = false;
        KT_TRY(kt_op_raise(op, &self->held));
    }
}

static KtStatus join_rewind(KtOp *op)
{
    JoinOp *self = (JoinOp *)op;
    self->has_probe = self->built = false;
    self->held.status = KT_OK;
    kt_rows_clear(self->rows);
    kt_key_table_clear(self->table);
    kt_arena_reset(self->hold);
    self->next = self->head = self->tail = NULL;
    self->next_cap = self->head_cap = self->tail_cap = 0;
    return KT_OK;
}

static void join_close(KtOp *op)
{
    JoinOp *self = (JoinOp *)op;
    kt_rows_close(self->rows);
    kt_key_table_close(self->table);
    kt_arena_close(self->hold);
}

const KtOpType kt_op_PRODUCT = {
    .name = "Product",
    .size = sizeof(JoinOp),
    .open = join_open,
    .next = join_next,
    .rewind = join_rewind,
    .close = join_close,
};

const KtOpType kt_op_HASH_JOIN = {
    .name = "HashJoin",
    .size = sizeof(JoinOp),
    .open = join_open,
    .next = join_next,
    .rewind = join_rewind,
    .close = join_close,
};
