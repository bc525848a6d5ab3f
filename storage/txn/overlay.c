/* storage/txn/overlay.c - the log of a view's own changes and its chains. */
#include "storage/txn/overlay.h"

#include <stdlib.h>

void kt_overlay_init(KtOverlay *overlay, KtArena *arena, KtBudget *budget)
{
    *overlay = (KtOverlay){.arena = arena, .budget = budget};
    for (int i = 0; i < KT_CHAINS; i++)
        overlay->chain[i].budget = budget;
}

void kt_overlay_close(KtOverlay *overlay)
{
    kt_budget_give(overlay->budget, overlay->cap * sizeof(KtChange) +
                                        overlay->held_cap * sizeof(size_t) +
                                        overlay->links_cap * sizeof(KtLink));
    free(overlay->change);
    free(overlay->held);
    free(overlay->link);
    for (int i = 0; i < KT_CHAINS; i++)
        kt_map64_close(&overlay->chain[i]);
    *overlay = (KtOverlay){0};
}

static KtStatus grow(KtBudget *budget, void **items, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return KT_OK;
    uint32_t want = *cap ? *cap * 2 : 16;
    size_t more = (want - *cap) * size;
    if (budget && !kt_budget_take(budget, more))
        return KT_ERR_MEMORY;
    void *grown = realloc(*items, want * size);
    if (!grown) {
        kt_budget_give(budget, more);
        return KT_ERR_MEMORY;
    }
    *items = grown;
    *cap = want;
    return KT_OK;
}

static KtStatus link_add(KtOverlay *o, KtChainKind chain, uint64_t key, uint32_t change)
{
    void *items = o->link;
    KT_TRY(grow(o->budget, &items, o->links, &o->links_cap, sizeof(KtLink)));
    o->link = items;
    uint64_t *head;
    KT_TRY(kt_map64_put(&o->chain[chain], key, &head, NULL));
    o->link[o->links++] =
        (KtLink){.key = key, .change = change, .older = (uint32_t)*head, .chain = chain};
    *head = o->links;
    return KT_OK;
}

static KtStatus link_change(KtOverlay *o, uint32_t at)
{
    const KtChange *c = &o->change[at];
    switch (c->kind) {
    case KT_CHANGE_NODE_ADD:
    case KT_CHANGE_NODE_DEL:
        KT_TRY(link_add(o, KT_CHAIN_NODE, c->id, at));
        KT_TRY(link_add(o, KT_CHAIN_LABEL, 0, at));
        for (uint32_t i = 0; i < c->labels; i++)
            KT_TRY(link_add(o, KT_CHAIN_LABEL, c->label[i], at));
        return KT_OK;
    case KT_CHANGE_REL_ADD:
    case KT_CHANGE_REL_DEL:
        KT_TRY(link_add(o, KT_CHAIN_REL, c->id, at));
        KT_TRY(link_add(o, KT_CHAIN_LIST, kt_chain_list(c->start, KT_OUT), at));
        KT_TRY(link_add(o, KT_CHAIN_LIST, kt_chain_list(c->end, KT_IN), at));
        KT_TRY(link_add(o, KT_CHAIN_PAIR, kt_chain_pair(c->start, c->end), at));
        KT_TRY(link_add(o, KT_CHAIN_TYPE, 0, at));
        return link_add(o, KT_CHAIN_TYPE, c->token, at);
    case KT_CHANGE_NODE_PROP: return link_add(o, KT_CHAIN_NODE, c->id, at);
    case KT_CHANGE_REL_PROP: return link_add(o, KT_CHAIN_REL, c->id, at);
    case KT_CHANGE_LABEL_ADD:
    case KT_CHANGE_LABEL_DEL:
        KT_TRY(link_add(o, KT_CHAIN_NODE, c->id, at));
        return link_add(o, KT_CHAIN_LABEL, c->token, at);
    case KT_CHANGE_NAME:
    case KT_CHANGE_INDEX_PUT:
    case KT_CHANGE_INDEX_DROP:
    case KT_CHANGE_INDEX_FILL: return KT_OK; /* nothing that a query reads */
    }
    return KT_OK;
}

/* Takes the links of all changes from `mark` on out of their chains. */
static void unlink_from(KtOverlay *overlay, KtMark mark)
{
    while (overlay->links > 0 && overlay->link[overlay->links - 1].change >= mark) {
        const KtLink *link = &overlay->link[--overlay->links];
        uint64_t *head = kt_map64_get(&overlay->chain[link->chain], link->key);
        KT_CHECK(head && *head == overlay->links + 1);
        *head = link->older;
    }
}

KtStatus kt_overlay_add(KtOverlay *overlay, const KtChange *change, size_t bytes)
{
    if (overlay->n >= KT_OVERLAY_MOST_CHANGES || bytes > KT_OVERLAY_MOST_BYTES - overlay->bytes)
        return KT_ERR_TRANSACTION_TOO_LARGE;
    void *items = overlay->change;
    KT_TRY(grow(overlay->budget, &items, overlay->n, &overlay->cap, sizeof(KtChange)));
    overlay->change = items;
    items = overlay->held;
    KT_TRY(grow(overlay->budget, &items, overlay->n, &overlay->held_cap, sizeof(size_t)));
    overlay->held = items;
    overlay->change[overlay->n] = *change;
    KtStatus status = link_change(overlay, overlay->n);
    if (status != KT_OK) {
        unlink_from(overlay, overlay->n);
        return status;
    }
    overlay->bytes += bytes;
    overlay->held[overlay->n++] = overlay->bytes;
    return KT_OK;
}

KtStatus kt_overlay_add_point(KtOverlay *overlay, uint32_t index, KtSpan key)
{
    KT_CHECK(overlay->n > 0);
    KT_TRY(link_add(overlay, KT_CHAIN_POINT, kt_chain_point(key), overlay->n - 1));
    return link_add(overlay, KT_CHAIN_INDEX, index, overlay->n - 1);
}

void kt_overlay_undo(KtOverlay *overlay, KtMark mark)
{
    if (mark > overlay->n) /* the rest of a longer log, which was cut before */
        mark = overlay->n;
    unlink_from(overlay, mark);
    overlay->n = (uint32_t)mark;
    overlay->bytes = mark > 0 ? overlay->held[mark - 1] : 0;
}

uint32_t kt_chain_first(const KtOverlay *overlay, KtChainKind chain, uint64_t key, KtMark mark)
{
    const uint64_t *head = kt_map64_get(&overlay->chain[chain], key);
    uint32_t at = head ? (uint32_t)*head : 0;
    while (at && overlay->link[at - 1].change >= mark)
        at = overlay->link[at - 1].older;
    return at;
}

/* ---- what the log says about one entity ---- */

static bool holds_label(const KtChange *c, KtToken label)
{
    for (uint32_t i = 0; i < c->labels; i++) {
        if (c->label[i] == label)
            return true;
    }
    return false;
}

static KtValue prop_of(const KtChange *c, KtToken key)
{
    for (uint32_t i = 0; i < c->props; i++) {
        if (c->prop[i].key == key)
            return c->prop[i].value;
    }
    return kt_null();
}

KtSays kt_overlay_exists(const KtOverlay *overlay, KtKind kind, uint64_t id, KtMark mark)
{
    uint32_t at = kt_chain_first(overlay, kind == KT_NODE ? KT_CHAIN_NODE : KT_CHAIN_REL, id, mark);
    for (; at; at = kt_chain_older(overlay, at)) {
        KtChangeKind what = kt_chain_change(overlay, at)->kind;
        if (what == KT_CHANGE_NODE_ADD || what == KT_CHANGE_REL_ADD)
            return KT_SAYS_YES;
        if (what == KT_CHANGE_NODE_DEL || what == KT_CHANGE_REL_DEL)
            return KT_SAYS_NO;
    }
    return KT_SAYS_NOTHING;
}

KtSays kt_overlay_label(const KtOverlay *overlay, KtNodeId node, KtToken label, KtMark mark)
{
    for (uint32_t at = kt_chain_first(overlay, KT_CHAIN_NODE, node, mark); at;
         at = kt_chain_older(overlay, at)) {
        const KtChange *c = kt_chain_change(overlay, at);
        if (c->kind == KT_CHANGE_NODE_ADD)
            return holds_label(c, label) ? KT_SAYS_YES : KT_SAYS_NO;
        if (c->kind == KT_CHANGE_NODE_DEL)
            return KT_SAYS_NO;
        if (c->token == label && c->kind == KT_CHANGE_LABEL_ADD)
            return KT_SAYS_YES;
        if (c->token == label && c->kind == KT_CHANGE_LABEL_DEL)
            return KT_SAYS_NO;
    }
    return KT_SAYS_NOTHING;
}

bool kt_overlay_prop(const KtOverlay *overlay, KtKind kind, uint64_t id, KtToken key, KtMark mark,
                     KtValue *out)
{
    bool node = kind == KT_NODE;
    uint32_t at = kt_chain_first(overlay, node ? KT_CHAIN_NODE : KT_CHAIN_REL, id, mark);
    for (; at; at = kt_chain_older(overlay, at)) {
        const KtChange *c = kt_chain_change(overlay, at);
        switch (c->kind) {
        case KT_CHANGE_NODE_ADD:
        case KT_CHANGE_REL_ADD: *out = prop_of(c, key); return true;
        case KT_CHANGE_NODE_DEL:
        case KT_CHANGE_REL_DEL: *out = kt_null(); return true;
        case KT_CHANGE_NODE_PROP:
        case KT_CHANGE_REL_PROP:
            if (c->token == key) {
                *out = c->after;
                return true;
            }
            break;
        case KT_CHANGE_NAME:
        case KT_CHANGE_LABEL_ADD:
        case KT_CHANGE_LABEL_DEL:
        case KT_CHANGE_INDEX_PUT:
        case KT_CHANGE_INDEX_DROP:
        case KT_CHANGE_INDEX_FILL: break;
        }
    }
    return false;
}

bool kt_overlay_rel(const KtOverlay *overlay, KtRelId rel, KtMark mark, KtRelRef *out)
{
    for (uint32_t at = kt_chain_first(overlay, KT_CHAIN_REL, rel, mark); at;
         at = kt_chain_older(overlay, at)) {
        const KtChange *c = kt_chain_change(overlay, at);
        if (c->kind == KT_CHANGE_REL_DEL)
            return false;
        if (c->kind == KT_CHANGE_REL_ADD) {
            *out = (KtRelRef){.id = rel, .start = c->start, .end = c->end, .type = c->token};
            return true;
        }
    }
    return false;
}

KtWriteCounts kt_overlay_counts(const KtOverlay *overlay, KtMark since)
{
    KtWriteCounts counts = {0};
    for (uint64_t i = since; i < overlay->n; i++) {
        const KtChange *c = &overlay->change[i];
        switch (c->kind) {
        case KT_CHANGE_NODE_ADD:
            counts.nodes_created++;
            counts.labels_added += c->labels;
            counts.props_set += c->props;
            break;
        case KT_CHANGE_NODE_DEL: counts.nodes_deleted++; break;
        case KT_CHANGE_REL_ADD:
            counts.rels_created++;
            counts.props_set += c->props;
            break;
        case KT_CHANGE_REL_DEL: counts.rels_deleted++; break;
        case KT_CHANGE_NODE_PROP:
        case KT_CHANGE_REL_PROP: counts.props_set++; break;
        case KT_CHANGE_LABEL_ADD: counts.labels_added++; break;
        case KT_CHANGE_LABEL_DEL: counts.labels_removed++; break;
        case KT_CHANGE_NAME:
        case KT_CHANGE_INDEX_PUT:
        case KT_CHANGE_INDEX_DROP:
        case KT_CHANGE_INDEX_FILL: break;
        }
    }
    return counts;
}
