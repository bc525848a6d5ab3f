/* base/value.h - a Cypher value, 16 bytes, and the things it points to.
 *
 * Values are immutable and do not own: text, lists, maps and boxes live in an arena or in storage's
 * memory, whoever hands up a value says for how long. Kind KT_NULL is Cypher's null. */
#ifndef KT_BASE_VALUE_H
#define KT_BASE_VALUE_H

#include "base/arena.h"
#include "base/buf.h"

typedef uint64_t KtNodeId, KtRelId, KtCommit;
typedef uint32_t KtToken; /* number of a label, relationship type or property key; 0 is no name */

/* The order is not Cypher's orderability (base/value_cmp.h has that). Numbers are stored: never change. */
typedef enum KtKind {
    KT_NULL = 0,
    KT_BOOL = 1,
    KT_INT = 2,
    KT_FLOAT = 3,
    KT_TEXT = 4, /* UTF-8, checked where it entered */
    KT_BYTES = 5,
    KT_LIST = 6,
    KT_MAP = 7,
    KT_NODE = 8,
    KT_REL = 9,
    KT_PATH = 10,
    KT_DATE = 11,
    KT_LOCAL_TIME = 12,
    KT_TIME = 13,
    KT_LOCAL_DATETIME = 14,
    KT_DATETIME = 15,
    KT_DURATION = 16,
    KT_POINT = 17,
    KT_VECTOR = 18,
    KT_UUID = 19,
    KT_KIND_COUNT
} KtKind;

/* A set of kinds: bit k stands for kind k. */
typedef uint32_t KtKinds;
#define KT_KIND_BIT(kind) ((KtKinds)1u << (kind))
#define KT_ANY_KIND ((KtKinds)((1u << KT_KIND_COUNT) - 1u))

enum { KT_VALUE_IMAGE = 1 }; /* flags: a node, relationship or path with its image in `box` */

typedef struct KtValue {
    uint8_t kind, flags;
    uint16_t aux;
    uint32_t len; /* bytes of TEXT and BYTES; elements of LIST and entries of MAP */
    union {
        bool b;
        int64_t i;
        double f;
        uint64_t id;                  /* KT_NODE without KT_VALUE_IMAGE */
        const char *text;             /* TEXT, BYTES; not NUL-terminated */
        const struct KtValue *list;   /* LIST: `len` elements */
        const struct KtMapEntry *map; /* MAP: `len` entries, in order of writing, keys distinct */
        const struct KtRelRef *rel;   /* KT_REL without KT_VALUE_IMAGE */
        const struct KtPath *path;    /* KT_PATH without KT_VALUE_IMAGE */
        const struct KtNodeImage *node_image;
        const struct KtRelImage *rel_image;
        const struct KtPathImage *path_image;
        const struct KtTemporal *temporal;
        const struct KtPoint *point;
        const uint8_t *uuid; /* 16 bytes */
        const void *box;
    } as;
} KtValue;

_Static_assert(sizeof(KtValue) == 16, "values are copied by the million");

typedef struct KtText {
    const char *at;
    uint32_t len;
} KtText;

typedef struct KtMapEntry {
    KtText key;
    KtValue value;
} KtMapEntry;

typedef struct KtRelRef {
    uint64_t id, start, end;
    uint32_t type;
} KtRelRef;

/* A path by references: node[0], rel[0], node[1] ... ; a step goes along its relationship when
 * rel[i].start == node[i] (a self-loop always does). */
typedef struct KtPath {
    uint32_t rels; /* nodes: rels + 1 */
    const uint64_t *node;
    const KtRelRef *rel;
} KtPath;

/* What leaves the engine: names and properties in full. */
typedef struct KtNodeImage {
    uint64_t id;
    const KtText *label;
    uint32_t labels;
    uint32_t props; /* sorted by key */
    const KtMapEntry *prop;
} KtNodeImage;

typedef struct KtRelImage {
    uint64_t id, start, end;
    KtText type;
    uint32_t props;
    const KtMapEntry *prop;
} KtRelImage;

typedef struct KtPathImage {
    uint32_t rels;
    const KtNodeImage *const *node; /* rels + 1 */
    const KtRelImage *const *rel;
} KtPathImage;

/* All temporal kinds; fields that a kind lacks are 0. */
typedef struct KtTemporal {
    int64_t days;     /* DATE, LOCAL_DATETIME, DATETIME: days since 1970-01-01; DURATION: days */
    int64_t months;   /* DURATION */
    int64_t seconds;  /* of the day, local; DURATION: seconds, any */
    int32_t nanos;    /* 0 to 999,999,999 */
    int32_t offset_s; /* TIME, DATETIME: seconds east of UTC */
    KtText zone;      /* DATETIME: IANA name, or empty */
} KtTemporal;

typedef struct KtPoint {
    uint32_t srid; /* 4326, 4979, 7203, 9157 */
    uint32_t dims; /* 2 or 3 */
    double at[3];
} KtPoint;

static inline KtValue kt_null(void) { return (KtValue){.kind = KT_NULL}; }
static inline KtValue kt_bool(bool b) { return (KtValue){.kind = KT_BOOL, .as.i = b ? 1 : 0}; }
static inline KtValue kt_int(int64_t i) { return (KtValue){.kind = KT_INT, .as.i = i}; }
static inline KtValue kt_float(double f) { return (KtValue){.kind = KT_FLOAT, .as.f = f}; }
static inline KtValue kt_text(const char *at, size_t len)
{
    return (KtValue){.kind = KT_TEXT, .len = (uint32_t)len, .as.text = at};
}
static inline KtValue kt_node(uint64_t id) { return (KtValue){.kind = KT_NODE, .as.id = id}; }
static inline KtValue kt_rel(const KtRelRef *rel)
{
    return (KtValue){.kind = KT_REL, .as.rel = rel};
}
static inline KtValue kt_list(const KtValue *items, uint32_t n)
{
    return (KtValue){.kind = KT_LIST, .len = n, .as.list = items};
}
static inline KtValue kt_map(const KtMapEntry *entries, uint32_t n)
{
    return (KtValue){.kind = KT_MAP, .len = n, .as.map = entries};
}
static inline bool kt_is_null(KtValue v) { return v.kind == KT_NULL; }
static inline bool kt_text_eq(KtText a, KtText b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
#define KT_TEXT_LITERAL(s) ((KtText){(s), sizeof(s) - 1})

/* The value of `key` in a MAP value, or NULL. Cost: linear in the entries. */
const KtValue *kt_map_get(KtValue map, KtText key);
uint64_t kt_value_rel_id(KtValue rel);   /* id of a REL in either form */
uint64_t kt_value_node_id(KtValue node); /* id of a NODE in either form */
const char *kt_kind_name(KtKind kind);   /* "Integer", "Node"...: the words of error messages */

/* Copies a value with all that it points to. Errors: KT_ERR_MEMORY. Nesting is bounded by what made it. */
KtStatus kt_value_copy(KtArena *arena, KtValue from, KtValue *out) KT_MUST_CHECK;

#endif
