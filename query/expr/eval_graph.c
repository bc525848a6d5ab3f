/* query/expr/eval_graph.c - properties, label tests and map projections over columns of entities.
 *
 * A column of nodes or of relationships is one question to storage. A column of mixed values is split into
 * the rows that hold nodes, those that hold relationships, and the rest, and asks twice. A row of a projection may
 * have any number of entries: they are made distinct in n log n, and the clock is looked at on the way. */
#include "query/expr/program.h"

#include "base/key_order.h"

/* The rows of a column by what they hold. Ids are by row, 8 bytes each. */
typedef struct Split {
    KtIds node, rel;
    uint16_t *other; /* rows that are neither, nulls and maps among them */
    uint32_t others;
} Split;

static KtStatus split_values(KtArena *arena, const KtColumn *col, uint32_t rows, KtSel sel,
                             Split *out)
{
    uint64_t *id = kt_arena_alloc(arena, (size_t)rows * sizeof *id);
    uint16_t *list = kt_arena_alloc(arena, (size_t)sel.n * 3 * sizeof *list);
    if (!id || !list)
        return KT_ERR_MEMORY;
    uint16_t *node = list, *rel = list + sel.n, *other = list + 2 * (size_t)sel.n;
    uint32_t nodes = 0, rels = 0, others = 0;
    for (uint32_t i = 0; i < sel.n; i++) {
        uint32_t row = kt_sel_row(sel, i);
        KtValue v = kt_col_value(col, row);
        if (v.kind == KT_NODE) {
            id[row] = kt_value_node_id(v);
            node[nodes++] = (uint16_t)row;
        } else if (v.kind == KT_REL) {
            id[row] = kt_value_rel_id(v);
            rel[rels++] = (uint16_t)row;
        } else {
            other[others++] = (uint16_t)row;
        }
    }
    *out = (Split){.node = {.id = id, .width = 8, .sel = node, .n = nodes},
                   .rel = {.id = id, .width = 8, .sel = rel, .n = rels},
                   .other = other,
                   .others = others};
    return KT_OK;
}

static KtSel sel_of(KtIds ids) { return (KtSel){ids.sel, ids.n}; }

static KtIds cut(KtIds ids, const KtScope *scope)
{
    KtSel sel = kt_sel_before(sel_of(ids), scope->fail_row);
    ids.n = sel.n;
    return ids;
}

static KtStatus wrong_subject(KtRunState *run, KtScope *scope, uint32_t row, KtValue v, KtPos at,
                              const char *what)
{
    KtStatus status = kt_diag_set(&run->words, KT_ERR_INVALID_ARGUMENT_TYPE_VALUE, &at,
                                  "%s, not %s", what, kt_kind_name((KtKind)v.kind));
    return kt_run_fail(run, scope, row, status);
}

/* Runs a step on a constant subject once: one row in a scope of its own, and its answer for all. */
typedef KtStatus (*SubjectFn)(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                              const KtColumn *subject, KtNameRef name, KtColumn *out);

static KtStatus on_subject(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                           const KtColumn *subject, KtNameRef name, SubjectFn fn, KtColumn *out)
{
    sel = kt_sel_before(sel, scope->fail_row);
    if (sel.n == 0) {
        *out = kt_null_column();
        return KT_OK;
    }
    if (!subject->constant)
        return fn(run, step, scope, sel, subject, name, out);
    KtColumn single = *subject;
    single.constant = false;
    KtScope one = {.rows = 1, .fail_row = UINT32_MAX};
    KT_TRY(fn(run, step, &one, (KtSel){NULL, 1}, &single, name, out));
    if (one.fail_row != UINT32_MAX) {
        kt_scope_fail(scope, run->x, NULL, kt_sel_row(sel, 0), one.fail);
        *out = kt_null_column();
    }
    out->constant = true;
    return KT_OK;
}

/* ---- properties ---- */

/* Storage answers up to the last row it was asked about; a column here has all rows of its scope. */
static KtStatus pad(KtArena *arena, uint32_t have, uint32_t rows, KtColumn *col)
{
    if (have >= rows || col->constant)
        return KT_OK;
    KtColumn to;
    KT_TRY(kt_col_make(arena, col->kind, rows, col->nulls != NULL, &to));
    memcpy(to.data, col->data, have * kt_col_size(col->kind, col->width));
    if (col->nulls)
        memcpy(to.nulls, col->nulls, ((size_t)have + 63) / 64 * sizeof *to.nulls);
    *col = to;
    return KT_OK;
}

static KtStatus props_of(KtRunState *run, KtScope *scope, KtKind kind, KtIds ids, KtNameRef name,
                         KtPos at, KtColumn *out)
{
    KtToken token;
    KT_TRY(kt_scope_check_exist(scope, run->x, at, kind, ids));
    ids = cut(ids, scope);
    KT_TRY(kt_eval_token(run->x, name, &token));
    if (token == 0 || ids.n == 0) {
        *out = kt_null_column();
        return KT_OK;
    }
    run->x->prop_reads++;
    if (kind == KT_NODE)
        KT_TRY(kt_node_props(run->x->view, token, ids, run->arena, out));
    else
        KT_TRY(kt_rel_props(run->x->view, token, ids, run->arena, out));
    return pad(run->arena, kt_ids_row(&ids, ids.n - 1) + 1, scope->rows, out);
}

static void take(const KtColumn *from, KtIds ids, KtValue *to)
{
    for (uint32_t i = 0; i < ids.n; i++) {
        uint32_t row = kt_ids_row(&ids, i);
        to[row] = kt_col_value(from, row);
    }
}

static KtStatus prop_of_values(KtRunState *run, KtScope *scope, KtSel sel, const KtColumn *subject,
                               KtNameRef name, KtPos at, KtColumn *out)
{
    Split split;
    KtColumn to, part;
    KtValue *value;
    KT_TRY(split_values(run->arena, subject, scope->rows, sel, &split));
    KT_TRY(kt_value_column(run->arena, scope->rows, &to, &value));
    KtText key = run->x->bound->name[name].text;
    for (uint32_t i = 0; i < split.others; i++) {
        uint32_t row = split.other[i];
        KtValue v = kt_col_value(subject, row);
        if (v.kind != KT_NULL && v.kind != KT_MAP) {
            KT_TRY(wrong_subject(run, scope, row, v, at,
                                 "Only a Map, Node or Relationship has properties"));
            break;
        }
        const KtValue *found = v.kind == KT_MAP ? kt_map_get(v, key) : NULL;
        value[row] = found ? *found : kt_null();
    }
    KtIds ids = cut(split.node, scope);
    if (ids.n) {
        KT_TRY(props_of(run, scope, KT_NODE, ids, name, at, &part));
        take(&part, cut(ids, scope), value);
    }
    ids = cut(split.rel, scope);
    if (ids.n) {
        KT_TRY(props_of(run, scope, KT_REL, ids, name, at, &part));
        take(&part, cut(ids, scope), value);
    }
    *out = to;
    return KT_OK;
}

static KtStatus rel_ids(KtArena *arena, const KtColumn *col, uint32_t rows, KtSel sel, KtIds *out)
{
    uint64_t *id = kt_arena_alloc(arena, (size_t)rows * sizeof *id);
    if (!id)
        return KT_ERR_MEMORY;
    const KtRelRef *const *rel = col->data;
    for (uint32_t i = 0; i < sel.n; i++) {
        uint32_t row = kt_sel_row(sel, i);
        id[row] = rel[row] ? rel[row]->id : UINT64_MAX;
    }
    *out = (KtIds){.id = id, .width = 8, .sel = sel.at, .n = sel.n};
    return KT_OK;
}

static KtStatus prop(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                     const KtColumn *subject, KtNameRef name, KtColumn *out)
{
    if (subject->kind == KT_COL_NODE) {
        KtIds ids = {.id = subject->data,
                     .width = subject->width,
                     .ascends = subject->ascends,
                     .sel = sel.at,
                     .n = sel.n};
        return props_of(run, scope, KT_NODE, ids, name, step->at, out);
    }
    if (subject->kind == KT_COL_REL) {
        KtIds ids;
        KT_TRY(rel_ids(run->arena, subject, scope->rows, sel, &ids));
        return props_of(run, scope, KT_REL, ids, name, step->at, out);
    }
    return prop_of_values(run, scope, sel, subject, name, step->at, out);
}

KtStatus kt_step_prop(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                      KtColumn *out)
{
    KtColumn subject;
    KtFrame *frame = scope->frame;
    const KtExpr *of = step->arg[0]->expr;
    KtNameRef name = step->expr->as.name;
    bool variable = frame && frame->kept && of->kind == KT_EXPR_SLOT;
    if (variable && frame->kept(frame, of->as.slot, name, out))
        return KT_OK;
    KT_TRY(kt_step_run(run, step->arg[0], scope, sel, &subject));
    KtArena *keep = variable && !sel.at && sel.n == scope->rows && subject.kind == KT_COL_NODE &&
                            !subject.constant
                        ? frame->keep(frame)
                        : NULL;
    if (!keep)
        return on_subject(run, step, scope, sel, &subject, name, prop, out);
    KtArena *own = run->arena;
    run->arena = keep;
    KtStatus status = on_subject(run, step, scope, sel, &subject, name, prop, out);
    run->arena = own;
    if (status == KT_OK && scope->fail_row == UINT32_MAX)
        frame->keep_as(frame, of->as.slot, name, out);
    return status;
}

/* ---- labels ---- */

/* Clears the byte of each node that lacks one of the labels. */
static KtStatus test_labels(KtRunState *run, const KtExpr *expr, KtIds ids, uint8_t *yes)
{
    uint64_t bits[KT_IDS_MOST / 64];
    for (uint32_t l = 0; l < expr->as.names.n; l++) {
        KtToken label;
        KT_TRY(kt_eval_token(run->x, expr->as.names.name[l], &label));
        if (label)
            KT_TRY(kt_have_label(run->x->view, label, ids, bits));
        for (uint32_t i = 0; i < ids.n; i++) {
            uint32_t row = kt_ids_row(&ids, i);
            if (!label || !kt_bit(bits, row))
                yes[row] = 0;
        }
    }
    return KT_OK;
}

/* A relationship has one type, so all names must be that. */
static bool has_types(KtRunState *run, const KtExpr *expr, KtValue rel)
{
    KtText type = (rel.flags & KT_VALUE_IMAGE)
                      ? rel.as.rel_image->type
                      : kt_name_text(run->x->view, KT_NAME_TYPE, rel.as.rel->type);
    for (uint32_t i = 0; i < expr->as.names.n; i++) {
        if (!kt_text_eq(run->x->bound->name[expr->as.names.name[i]].text, type))
            return false;
    }
    return true;
}

static KtStatus set_null(KtArena *arena, KtColumn *col, uint32_t rows, uint32_t row)
{
    if (!col->nulls)
        col->nulls = kt_arena_zero(arena, ((size_t)rows + 63) / 64, sizeof *col->nulls);
    if (!col->nulls)
        return KT_ERR_MEMORY;
    kt_bit_set(col->nulls, row);
    return KT_OK;
}

static KtStatus labels_of_nodes(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtIds ids,
                                KtColumn *to)
{
    KT_TRY(kt_scope_check_exist(scope, run->x, step->at, KT_NODE, ids));
    ids = cut(ids, scope);
    return ids.n ? test_labels(run, step->expr, ids, to->data) : KT_OK;
}

static KtStatus has_labels(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                           const KtColumn *subject, KtNameRef name, KtColumn *out)
{
    (void)name;
    KtColumn to;
    KT_TRY(kt_col_make(run->arena, KT_COL_BOOL, scope->rows, false, &to));
    memset(to.data, 1, scope->rows);
    if (subject->kind == KT_COL_NODE) {
        KtIds ids = {.id = subject->data, .width = subject->width, .sel = sel.at, .n = sel.n};
        uint64_t none = ids.width == 4 ? KT_NO_NODE : UINT64_MAX;
        KT_TRY(labels_of_nodes(run, step, scope, ids, &to));
        for (uint32_t i = 0; i < sel.n; i++) {
            uint32_t row = kt_sel_row(sel, i);
            if (kt_ids_at(&ids, row) == none)
                KT_TRY(set_null(run->arena, &to, scope->rows, row));
        }
        *out = to;
        return KT_OK;
    }
    Split split;
    KT_TRY(split_values(run->arena, subject, scope->rows, sel, &split));
    for (uint32_t i = 0; i < split.rel.n; i++) {
        uint32_t row = split.rel.sel[i];
        ((uint8_t *)to.data)[row] = has_types(run, step->expr, kt_col_value(subject, row));
    }
    for (uint32_t i = 0; i < split.others; i++) {
        uint32_t row = split.other[i];
        KtValue v = kt_col_value(subject, row);
        if (v.kind != KT_NULL) {
            KT_TRY(wrong_subject(run, scope, row, v, step->at,
                                 "Only a Node or Relationship has labels"));
            break;
        }
        KT_TRY(set_null(run->arena, &to, scope->rows, row));
    }
    KtIds nodes = cut(split.node, scope);
    if (nodes.n)
        KT_TRY(labels_of_nodes(run, step, scope, nodes, &to));
    *out = to;
    return KT_OK;
}

KtStatus kt_step_has_labels(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                            KtColumn *out)
{
    KtColumn subject;
    KT_TRY(kt_step_run(run, step->arg[0], scope, sel, &subject));
    return on_subject(run, step, scope, sel, &subject, 0, has_labels, out);
}

/* ---- map projection ---- */

/* All properties of the subject, as a MAP by row. */
static KtStatus records(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                        const KtColumn *subject, KtNameRef name, KtColumn *out)
{
    (void)name;
    Split split;
    KtColumn to;
    KtValue *value;
    KT_TRY(split_values(run->arena, subject, scope->rows, sel, &split));
    KT_TRY(kt_value_column(run->arena, scope->rows, &to, &value));
    for (uint32_t i = 0; i < split.others; i++) {
        uint32_t row = split.other[i];
        value[row] = kt_col_value(subject, row);
        if (value[row].kind != KT_NULL && value[row].kind != KT_MAP) {
            KT_TRY(wrong_subject(run, scope, row, value[row], step->at,
                                 "Only a Map, Node or Relationship has properties"));
            break;
        }
    }
    KtIds part[2] = {split.node, split.rel};
    for (int p = 0; p < 2; p++) {
        KtKind kind = p == 0 ? KT_NODE : KT_REL;
        KtIds ids = cut(part[p], scope);
        KT_TRY(kt_scope_check_exist(scope, run->x, step->at, kind, ids));
        ids = cut(ids, scope);
        if (ids.n)
            KT_TRY(kt_records(run->x->view, kind, ids, run->arena, value));
    }
    *out = to;
    return KT_OK;
}

/* Space that the rows of one projection share, and what is the same for all of them. */
typedef struct Projection {
    KtRunState *run;
    const KtEvalStep *step;
    const KtColumn *item;
    bool stars;     /* else all rows have the same keys: `from` is made once */
    uint32_t *from; /* of the entries of a row, and two times that many behind it */
    uint32_t cap;
    KtKeyClock clock;
} Projection;

static KtStatus look(void *user) { return kt_eval_tick(user); }

/* All entries of a row, those of one key too. */
static KtStatus all_entries(Projection *p, uint32_t row, KtMapEntry **out, uint32_t *n)
{
    uint32_t items = p->step->expr->as.project.n;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < items; i++)
        sum += p->step->expr->as.project.item[i].star ? kt_col_value(&p->item[i], row).len : 1;
    KtMapEntry *entry =
        sum < UINT32_MAX / 3 ? kt_arena_alloc(p->run->arena, (size_t)sum * sizeof *entry) : NULL;
    if (!entry)
        return KT_ERR_MEMORY;
    *out = entry;
    *n = (uint32_t)sum;
    for (uint32_t i = 0; i < items; i++) {
        const KtMapItem *what = &p->step->expr->as.project.item[i];
        KtValue v = kt_col_value(&p->item[i], row);
        if (!what->star) {
            *entry++ = (KtMapEntry){what->key, v};
        } else if (v.len) {
            memcpy(entry, v.as.map, v.len * sizeof *entry);
            entry += v.len;
        }
    }
    return kt_key_clock(&p->clock, sum);
}

static KtStatus project_row(Projection *p, uint32_t row, KtValue *out)
{
    KtMapEntry *entry;
    uint32_t all, n = 0;
    KT_TRY(all_entries(p, row, &entry, &all));
    bool same = p->from && !p->stars;
    if (!p->from || all > p->cap) {
        p->cap = all > p->cap * 2 ? all : p->cap * 2;
        p->from = kt_arena_alloc(p->run->arena, ((size_t)p->cap * 3 + 1) * sizeof *p->from);
        if (!p->from)
            return KT_ERR_MEMORY;
    }
    if (!same)
        KT_TRY(kt_keys_distinct(kt_map_keys(entry, all), p->from, p->from + all, &p->clock));
    for (uint32_t i = 0; i < all; i++) { /* an entry's value comes from there or further on */
        if (p->from[i] != KT_NO_KEY)
            entry[n++] = (KtMapEntry){entry[i].key, entry[p->from[i]].value};
    }
    KtCall call = {
        .arena = p->run->arena, .diag = &p->run->words, .x = p->run->x, .at = p->step->at};
    KT_TRY(kt_make_map(&call, entry, n, out));
    return kt_key_clock(&p->clock, kt_value_steps(*out));
}

KtStatus kt_step_map_projection(KtRunState *run, const KtEvalStep *step, KtScope *scope, KtSel sel,
                                KtColumn *out)
{
    uint32_t n = step->expr->as.project.n;
    KtColumn subject, to, *item = kt_arena_alloc(run->arena, ((size_t)n + 1) * sizeof *item);
    KtValue *value;
    if (!item)
        return KT_ERR_MEMORY;
    KT_TRY(kt_step_run(run, step->arg[0], scope, sel, &subject));
    if (n == 0) /* n {}: still says that n has properties */
        KT_TRY(on_subject(run, step, scope, sel, &subject, 0, records, &item[0]));
    Projection project = {
        .run = run, .step = step, .item = item, .clock = {.look = look, .user = run->x}};
    for (uint32_t i = 0; i < n; i++) {
        const KtMapItem *what = &step->expr->as.project.item[i];
        project.stars |= what->star;
        if (what->star)
            KT_TRY(on_subject(run, step, scope, sel, &subject, 0, records, &item[i]));
        else if (what->prop)
            KT_TRY(on_subject(run, step, scope, sel, &subject, what->name, prop, &item[i]));
        else
            KT_TRY(kt_step_run(run, step->arg[what->arg], scope, sel, &item[i]));
    }
    sel = kt_sel_before(sel, scope->fail_row);
    KT_TRY(kt_value_column(run->arena, scope->rows, &to, &value));
    for (uint32_t i = 0; i < sel.n; i++) {
        uint32_t row = kt_sel_row(sel, i);
        value[row] = kt_null();
        if (kt_is_null(kt_col_value(&subject, row)))
            continue;
        KtStatus status = project_row(&project, row, &value[row]);
        if (status != KT_OK) {
            KT_TRY(kt_run_fail(run, scope, row, status));
            break;
        }
    }
    *out = to;
    return KT_OK;
}
