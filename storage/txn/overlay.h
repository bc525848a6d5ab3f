/* storage/txn/overlay.h - the changes of one writing view: an append-only log, indexed by what it touches.
 *
 * A mark is a length of the log: reading up to a mark sees the changes before it, undoing to a mark cuts the
 * log there. Every index is a chain of links, newest first, so that the first link below the mark which says
 * something about an entity is decisive and a cut only pops links. Nothing here reads the store: answers are
 * "set by the overlay" or "as in the snapshot".
 * Cost: O(1) for each append; a lookup walks the changes of that one entity. */
#ifndef KT_STORAGE_TXN_OVERLAY_H
#define KT_STORAGE_TXN_OVERLAY_H

#include "base/hash.h"
#include "storage/txn/change_record.h"

enum { KT_OVERLAY_MOST_CHANGES = 262144, KT_OVERLAY_MOST_BYTES = 64 * 1024 * 1024 };

typedef enum KtChainKind {
    KT_CHAIN_NODE,  /* key: node id. All changes of a node but its relationships */
    KT_CHAIN_REL,   /* key: relationship id. All changes of it */
    KT_CHAIN_LIST,  /* key: kt_chain_list(node, dir). REL_ADD, REL_DEL */
    KT_CHAIN_PAIR,  /* key: kt_chain_pair(start, end); others may share it. REL_ADD, REL_DEL */
    KT_CHAIN_LABEL, /* key: label; 0: every node. Changes of membership */
    KT_CHAIN_TYPE,  /* key: type; 0: every relationship. REL_ADD, REL_DEL */
    KT_CHAIN_POINT, /* key: kt_chain_point(index key). Changes that may give a node that index entry */
    KT_CHAIN_INDEX, /* key: index id. The same, all values */
    KT_CHAINS
} KtChainKind;

static inline uint64_t kt_chain_list(KtNodeId node, uint8_t dir)
{
    return node << 1 | (dir == KT_IN ? 1u : 0u);
}
static inline uint64_t kt_chain_pair(KtNodeId start, KtNodeId end)
{
    return kt_mix64(start << 32 ^ end) >> 1;
}
static inline uint64_t kt_chain_point(KtSpan key) { return kt_hash(key.at, key.len) >> 1; }

typedef struct KtLink {
    uint64_t key;
    uint32_t change, older; /* older: link number + 1, 0 at the end */
    KtChainKind chain;
} KtLink;

typedef struct KtOverlay {
    KtArena
        *arena; /* values and texts of changes. An undo leaves them: open results may hold them */
    KtBudget *budget;
    KtChange *change;
    uint32_t n, cap;
    size_t *held; /* for each change, `bytes` up to and with it */
    uint32_t held_cap;
    KtLink *link;
    uint32_t links, links_cap;
    size_t bytes;             /* of values and lists held */
    KtMap64 chain[KT_CHAINS]; /* newest link + 1 */
} KtOverlay;

void kt_overlay_init(KtOverlay *overlay, KtArena *arena, KtBudget *budget);
void kt_overlay_close(KtOverlay *overlay);

/* Appends a change; what it points to must live as long as the overlay. All chains but POINT and INDEX follow
 * from it; `bytes` is what it holds beside itself. Errors: TRANSACTION_TOO_LARGE, MEMORY: nothing is changed. */
KtStatus kt_overlay_add(KtOverlay *overlay, const KtChange *change, size_t bytes) KT_MUST_CHECK;
/* Says that the newest change may give its node the entry `key` (index prefix form) of `index`. On an error the
 * change must be undone by the caller. */
KtStatus kt_overlay_add_point(KtOverlay *overlay, uint32_t index, KtSpan key) KT_MUST_CHECK;
/* Forgets the changes from `mark` on, and their share of `bytes`. */
void kt_overlay_undo(KtOverlay *overlay, KtMark mark);

/* Walks a chain below `mark`, newest first:
 * for (uint32_t at = kt_chain_first(o, chain, key, mark); at; at = kt_chain_older(o, at)) kt_chain_change(o, at) */
uint32_t kt_chain_first(const KtOverlay *overlay, KtChainKind chain, uint64_t key, KtMark mark);
static inline uint32_t kt_chain_older(const KtOverlay *overlay, uint32_t at)
{
    return overlay->link[at - 1].older;
}
static inline const KtChange *kt_chain_change(const KtOverlay *overlay, uint32_t at)
{
    return &overlay->change[overlay->link[at - 1].change];
}

typedef enum KtSays { KT_SAYS_NOTHING, KT_SAYS_NO, KT_SAYS_YES } KtSays;
KtSays kt_overlay_exists(const KtOverlay *overlay, KtKind kind, uint64_t id, KtMark mark);
KtSays kt_overlay_label(const KtOverlay *overlay, KtNodeId node, KtToken label, KtMark mark);
/* True if the overlay sets the property: *out is its value (null: not there). */
bool kt_overlay_prop(const KtOverlay *overlay, KtKind kind, uint64_t id, KtToken key, KtMark mark,
                     KtValue *out);
/* True if the overlay says that the relationship exists: *out its ends. */
bool kt_overlay_rel(const KtOverlay *overlay, KtRelId rel, KtMark mark, KtRelRef *out);

KtWriteCounts kt_overlay_counts(const KtOverlay *overlay, KtMark since);

#endif
