/* base/value_internal.h - what the comparisons and the key encoder must agree on: the order of the classes
 * of values, and the fields by which paths, temporal values and maps are ordered. */
#ifndef KT_BASE_VALUE_INTERNAL_H
#define KT_BASE_VALUE_INTERNAL_H

#include "base/value.h"

/* Rank of a kind in orderability; also the first byte of its key. 0 ends a list, so ranks begin at 2.
 * Index keys on disk hold BOOL, NUMBER and TEXT: never change these. */
enum {
    KT_RANK_END = 0x00,
    KT_RANK_MAP = 0x08,
    KT_RANK_NODE = 0x10,
    KT_RANK_REL = 0x18,
    KT_RANK_LIST = 0x20,
    KT_RANK_PATH = 0x28,
    KT_RANK_POINT = 0x30,
    KT_RANK_DATETIME = 0x38,
    KT_RANK_LOCAL_DATETIME = 0x40,
    KT_RANK_DATE = 0x48,
    KT_RANK_TIME = 0x50,
    KT_RANK_LOCAL_TIME = 0x58,
    KT_RANK_DURATION = 0x60,
    KT_RANK_VECTOR = 0x68,
    KT_RANK_UUID = 0x70,
    KT_RANK_BYTES = 0x78,
    KT_RANK_TEXT = 0x80,
    KT_RANK_BOOL = 0x88,
    KT_RANK_NUMBER = 0x90,
    KT_RANK_NAN = 0x98,
    KT_RANK_NULL = 0xA0
};

uint8_t kt_value_rank(KtValue v);

static inline uint32_t kt_path_rels(KtValue path)
{
    return (path.flags & KT_VALUE_IMAGE) ? path.as.path_image->rels : path.as.path->rels;
}
static inline uint64_t kt_path_node(KtValue path, uint32_t i)
{
    return (path.flags & KT_VALUE_IMAGE) ? path.as.path_image->node[i]->id : path.as.path->node[i];
}
static inline uint64_t kt_path_rel(KtValue path, uint32_t i)
{
    return (path.flags & KT_VALUE_IMAGE) ? path.as.path_image->rel[i]->id : path.as.path->rel[i].id;
}

__extension__ typedef __int128 KtWide;

/* A temporal value as numbers whose lexicographic order is its order; equal when all are equal and,
 * for a DATETIME, the zones' names are. */
enum { KT_TEMPORAL_PARTS = 4 };
void kt_temporal_parts(KtValue v, KtWide part[KT_TEMPORAL_PARTS]);

/* A walk over a map's entries in ascending order of their keys: open, then next until NULL, then close.
 * Needs memory only for long maps that are not sorted yet, and goes on slowly without it. */
typedef struct KtMapWalk {
    KtValue map;
    uint32_t next;
    bool sorted;            /* the entries stand in order */
    const KtMapEntry *last; /* without memory: the entry before */
    uint32_t *order;        /* small, or from malloc */
    uint32_t small[16];
} KtMapWalk;
void kt_map_walk_open(KtMapWalk *walk, KtValue map);
const KtMapEntry *kt_map_walk_next(KtMapWalk *walk);
void kt_map_walk_rewind(KtMapWalk *walk);
void kt_map_walk_close(KtMapWalk *walk);

/* memcmp order, the shorter first when one begins the other. */
static inline int kt_bytes_order(const void *a, size_t na, const void *b, size_t nb)
{
    size_t n = na < nb ? na : nb;
    int c = n ? memcmp(a, b, n) : 0;
    return c ? c : (na > nb) - (na < nb);
}

#endif
