/* storage/key.h - the keys of node, rel, relmap, adj, label, index and log. Big-endian, so that memcmp is their order.
 *
 *   node   node8 [key4]            rel    rel8 [key4]            relmap (rel >> 8)8
 *   adj    node8 dir1 type4 [nbr8 rel8]                          label  label4 (id >> 12)8
 *   index  index4 value... node8 (storage/index_key.h)           log    last_commit8
 *
 * Keys of meta are storage/meta.h's. A parser answers false for bytes that are no such key. */
#ifndef KT_STORAGE_KEY_H
#define KT_STORAGE_KEY_H

#include "base/value.h"
#include "storage/kv/kv.h"

enum {
    KT_RELMAP_BITS = 8, /* 256 relationships in a record */
    KT_LABEL_BITS = 12, /* 4,096 ids in a chunk */
    KT_ADJ_PREFIX = 9,  /* node and direction */
    KT_ADJ_LIST = 13,   /* and type: the key of a list that is not split */
    KT_ADJ_SEGMENT_KEY = 29
};

/* A key on the stack. */
typedef struct KtKey {
    uint8_t at[31];
    uint8_t len;
} KtKey;

static inline KtSpan kt_key_span(const KtKey *key) { return kt_span(key->at, key->len); }

static inline KtKey kt_key_u64(uint64_t v)
{
    KtKey k = {.len = 8};
    kt_store_be64(k.at, v);
    return k;
}
static inline KtKey kt_key_node(KtNodeId node) { return kt_key_u64(node); }
static inline KtKey kt_key_rel(KtRelId rel) { return kt_key_u64(rel); }
static inline KtKey kt_key_log(KtCommit last) { return kt_key_u64(last); }
static inline KtKey kt_key_relmap(KtRelId rel) { return kt_key_u64(rel >> KT_RELMAP_BITS); }
/* A value of node or relationship `id` that is kept out of line. */
static inline KtKey kt_key_value(uint64_t id, KtToken key)
{
    KtKey k = kt_key_u64(id);
    kt_store_be32(k.at + 8, key);
    k.len = 12;
    return k;
}
static inline KtKey kt_key_adj_prefix(KtNodeId node, uint8_t dir)
{
    KtKey k = kt_key_u64(node);
    k.at[8] = dir;
    k.len = KT_ADJ_PREFIX;
    return k;
}
static inline KtKey kt_key_adj(KtNodeId node, uint8_t dir, KtToken type)
{
    KtKey k = kt_key_adj_prefix(node, dir);
    kt_store_be32(k.at + 9, type);
    k.len = KT_ADJ_LIST;
    return k;
}
/* A segment of a split list, by the smallest pair it may hold; that of the first segment is (0, 0). */
static inline KtKey kt_key_adj_segment(KtNodeId node, uint8_t dir, KtToken type, uint64_t nbr,
                                       KtRelId rel)
{
    KtKey k = kt_key_adj(node, dir, type);
    kt_store_be64(k.at + 13, nbr);
    kt_store_be64(k.at + 21, rel);
    k.len = KT_ADJ_SEGMENT_KEY;
    return k;
}
static inline KtKey kt_key_label_prefix(KtToken label)
{
    KtKey k = {.len = 4};
    kt_store_be32(k.at, label);
    return k;
}
/* The chunk of `label` that node `id` is in. Label 0 is every node. */
static inline KtKey kt_key_label(KtToken label, KtNodeId id)
{
    KtKey k = kt_key_label_prefix(label);
    kt_store_be64(k.at + 4, id >> KT_LABEL_BITS);
    k.len = 12;
    return k;
}
static inline KtKey kt_key_index_prefix(uint32_t index)
{
    KtKey k = {.len = 4};
    kt_store_be32(k.at, index);
    return k;
}

typedef struct KtAdjKey {
    KtNodeId node;
    KtToken type;
    uint8_t dir;
    bool segment; /* nbr and rel are there */
    uint64_t nbr;
    KtRelId rel;
} KtAdjKey;

bool kt_key_parse_u64(KtSpan key, uint64_t *out); /* rel, node, relmap, log: exactly 8 bytes */
bool kt_key_parse_entity(KtSpan key, uint64_t *id, bool *out_of_line,
                         KtToken *prop); /* node and rel families */
bool kt_key_parse_adj(KtSpan key, KtAdjKey *out);
bool kt_key_parse_label(KtSpan key, KtToken *label, KtNodeId *first); /* first id of the chunk */

#endif
