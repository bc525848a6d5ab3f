/* storage/constraint.c - uniqueness: judged when a node gains a value, and again at commit.
 *
 * Both times against all that the view sees: since its holder has the turn, that is all there is. */
#include "storage/graph_internal.h"

#include "base/value_text.h"
#include "storage/index_key.h"

static int shown(KtText text) { return (int)(text.len > 100 ? 100 : text.len); }

static KtStatus doubled(KtView *view, const KtIndexFacts *index, KtNodeId node, KtNodeId other,
                        KtValue value)
{
    KtBuf text = {0};
    kt_value_print(&text, value);
    KtStatus status = kt_diag_set(
        view->diag, KT_ERR_CONSTRAINT, NULL,
        "Constraint `%.*s`: nodes %llu and %llu with label `%.*s` would both have property `%.*s` = %.*s.",
        shown(index->name), index->name.at, (unsigned long long)other, (unsigned long long)node,
        shown(index->label_name), index->label_name.at, shown(index->key_name), index->key_name.at,
        (int)(text.len > 60 ? 60 : text.len), text.data ? (const char *)text.data : "");
    kt_buf_close(&text);
    return status;
}

KtStatus kt_unique_check(KtView *view, const KtIndexFacts *index, KtNodeId node, KtValue value)
{
    KtFound found = {0};
    KT_TRY(kt_index_seek(view, index, value, KT_SEE_ALL, view->scratch, &found));
    for (uint32_t i = 0; i < found.n; i++) {
        if (found.node[i] != node)
            return doubled(view, index, node, found.node[i], value);
    }
    return KT_OK;
}

static KtStatus note_one(KtView *view, const KtIndexFacts *index, KtNodeId node, KtToken label,
                         KtValue value)
{
    KtBuf key = {.budget = view->budget};
    KtStatus status = KT_OK;
    if (kt_index_key_prefix(&key, index->id, value)) {
        status = kt_buf_status(&key);
        if (status == KT_OK)
            status = kt_overlay_add_point(&view->overlay, index->id, kt_span(key.data, key.len));
    }
    kt_buf_close(&key);
    if (status != KT_OK || !index->unique)
        return status;
    bool has = label == index->label;
    if (!has)
        KT_TRY(kt_read_label(view, index->label, &node, 1, KT_SEE_ALL, &has));
    return has ? kt_unique_check(view, index, node, value) : KT_OK;
}

KtStatus kt_index_note(KtView *view, KtNodeId node, KtToken label, KtToken key, KtValue value)
{
    if (kt_is_null(value))
        return KT_OK;
    const KtSchema *schema = kt_view_indexes(view);
    for (uint32_t i = 0; i < schema->n; i++) {
        const KtIndexFacts *index = &schema->index[i];
        if (index->key != key || (label != 0 && index->label != label))
            continue;
        KtArenaMark scratch = kt_arena_mark(view->scratch);
        KT_TRY(note_one(view, index, node, label, value));
        kt_arena_rewind(view->scratch, scratch);
    }
    return KT_OK;
}

static KtStatus check_index(KtView *view, const KtIndexFacts *index)
{
    const KtOverlay *o = &view->overlay;
    for (uint32_t at = kt_chain_first(o, KT_CHAIN_INDEX, index->id, KT_SEE_ALL); at;
         at = kt_chain_older(o, at)) {
        KtNodeId node = kt_chain_change(o, at)->id;
        KtArenaMark scratch = kt_arena_mark(view->scratch);
        bool has;
        KT_TRY(kt_read_label(view, index->label, &node, 1, KT_SEE_ALL, &has));
        if (has) {
            KtValue value;
            KT_TRY(kt_read_prop(view, KT_NODE, index->key, &node, 1, KT_SEE_ALL, view->scratch,
                                &value));
            KT_TRY(kt_unique_check(view, index, node, value));
        }
        kt_arena_rewind(view->scratch, scratch);
    }
    return KT_OK;
}

KtStatus kt_unique_check_all(KtView *view, KtDiag *diag)
{
    view->diag = diag;
    const KtSchema *schema = kt_view_indexes(view);
    for (uint32_t i = 0; i < schema->n; i++) {
        if (schema->index[i].unique)
            KT_TRY(check_index(view, &schema->index[i]));
    }
    return KT_OK;
}
