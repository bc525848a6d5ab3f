/* clients/c/src/value.c - typed getters over values; a kith_value is a KtValue that users cannot see into. */
#include "clients/c/src/internal.h"

#include "base/value_text.h"

_Static_assert((int)KITH_UUID == (int)KT_UUID && (int)KITH_PATH == (int)KT_PATH,
               "kinds have one numbering");
_Static_assert(sizeof(kith_slot) == sizeof(KtValue), "a slot holds a value");

static const KtValue *in(const kith_value *v) { return (const KtValue *)v; }
static const kith_value *out_of(const KtValue *v) { return (const kith_value *)v; }
static bool is(const kith_value *v, KtKind kind) { return v && in(v)->kind == kind; }

kith_kind kith_kind_of(const kith_value *v) { return v ? (kith_kind)in(v)->kind : KITH_NULL; }
const char *kith_kind_name(kith_kind kind) { return kt_kind_name((KtKind)kind); }

bool kith_as_bool(const kith_value *v, bool *out)
{
    if (!is(v, KT_BOOL))
        return false;
    *out = in(v)->as.b;
    return true;
}

bool kith_as_int(const kith_value *v, int64_t *out)
{
    if (!is(v, KT_INT))
        return false;
    *out = in(v)->as.i;
    return true;
}

bool kith_as_float(const kith_value *v, double *out)
{
    if (is(v, KT_INT))
        *out = (double)in(v)->as.i;
    else if (is(v, KT_FLOAT))
        *out = in(v)->as.f;
    else
        return false;
    return true;
}

bool kith_as_text(const kith_value *v, const char **out, size_t *len)
{
    if (!is(v, KT_TEXT))
        return false;
    *out = in(v)->as.text;
    *len = in(v)->len;
    return true;
}

bool kith_as_bytes(const kith_value *v, const void **out, size_t *len)
{
    if (!is(v, KT_BYTES))
        return false;
    *out = in(v)->as.text;
    *len = in(v)->len;
    return true;
}

/* The entries of a map, or the properties of an entity. */
static const KtMapEntry *entries(const kith_value *v, uint32_t *n)
{
    *n = 0;
    if (is(v, KT_MAP)) {
        *n = in(v)->len;
        return in(v)->as.map;
    }
    if (is(v, KT_NODE)) {
        *n = in(v)->as.node_image->props;
        return in(v)->as.node_image->prop;
    }
    if (is(v, KT_REL)) {
        *n = in(v)->as.rel_image->props;
        return in(v)->as.rel_image->prop;
    }
    return NULL;
}

uint32_t kith_count(const kith_value *v)
{
    uint32_t n;
    if (is(v, KT_LIST))
        return in(v)->len;
    if (is(v, KT_PATH))
        return in(v)->as.path_image->rels;
    (void)entries(v, &n);
    return n;
}

const kith_value *kith_item(const kith_value *v, uint32_t i)
{
    uint32_t n;
    if (is(v, KT_LIST))
        return i < in(v)->len ? out_of(&in(v)->as.list[i]) : NULL;
    const KtMapEntry *entry = entries(v, &n);
    return i < n ? out_of(&entry[i].value) : NULL;
}

const char *kith_key(const kith_value *v, uint32_t i, size_t *len)
{
    uint32_t n;
    const KtMapEntry *entry = entries(v, &n);
    if (i >= n)
        return NULL;
    if (len)
        *len = entry[i].key.len;
    return entry[i].key.at;
}

const kith_value *kith_find(const kith_value *v, const char *key)
{
    uint32_t n;
    const KtMapEntry *entry = entries(v, &n);
    KtText want = {key, (uint32_t)strlen(key)};
    for (uint32_t i = 0; i < n; i++)
        if (kt_text_eq(entry[i].key, want))
            return out_of(&entry[i].value);
    return NULL;
}

bool kith_id(const kith_value *v, uint64_t *out)
{
    if (is(v, KT_NODE))
        *out = in(v)->as.node_image->id;
    else if (is(v, KT_REL))
        *out = in(v)->as.rel_image->id;
    else
        return false;
    return true;
}

uint32_t kith_labels(const kith_value *v)
{
    return is(v, KT_NODE) ? in(v)->as.node_image->labels : 0;
}

const char *kith_label(const kith_value *v, uint32_t i, size_t *len)
{
    if (i >= kith_labels(v))
        return NULL;
    if (len)
        *len = in(v)->as.node_image->label[i].len;
    return in(v)->as.node_image->label[i].at;
}

bool kith_rel_ends(const kith_value *v, uint64_t *start, uint64_t *end)
{
    if (!is(v, KT_REL))
        return false;
    *start = in(v)->as.rel_image->start;
    *end = in(v)->as.rel_image->end;
    return true;
}

const char *kith_rel_type(const kith_value *v, size_t *len)
{
    if (!is(v, KT_REL))
        return NULL;
    if (len)
        *len = in(v)->as.rel_image->type.len;
    return in(v)->as.rel_image->type.at;
}

static const kith_value *put(kith_slot *into, KtValue value)
{
    memcpy(into, &value, sizeof value);
    return (const kith_value *)into;
}

const kith_value *kith_path_node(const kith_value *v, uint32_t i, kith_slot *into)
{
    if (!is(v, KT_PATH) || i > in(v)->as.path_image->rels)
        return NULL;
    return put(into, (KtValue){.kind = KT_NODE,
                               .flags = KT_VALUE_IMAGE,
                               .as.node_image = in(v)->as.path_image->node[i]});
}

const kith_value *kith_path_rel(const kith_value *v, uint32_t i, kith_slot *into)
{
    if (!is(v, KT_PATH) || i >= in(v)->as.path_image->rels)
        return NULL;
    return put(into, (KtValue){.kind = KT_REL,
                               .flags = KT_VALUE_IMAGE,
                               .as.rel_image = in(v)->as.path_image->rel[i]});
}

bool kith_as_temporal(const kith_value *v, kith_temporal *out)
{
    if (!v || in(v)->kind < KT_DATE || in(v)->kind > KT_DURATION)
        return false;
    const KtTemporal *t = in(v)->as.temporal;
    *out = (kith_temporal){t->months,   t->days,    t->seconds, t->nanos,
                           t->offset_s, t->zone.at, t->zone.len};
    return true;
}

bool kith_as_point(const kith_value *v, uint32_t *srid, uint32_t *dims, double at[3])
{
    if (!is(v, KT_POINT))
        return false;
    const KtPoint *p = in(v)->as.point;
    *srid = p->srid;
    *dims = p->dims;
    memcpy(at, p->at, sizeof p->at);
    return true;
}

bool kith_as_uuid(const kith_value *v, uint8_t out[16])
{
    if (!is(v, KT_UUID))
        return false;
    memcpy(out, in(v)->as.uuid, 16);
    return true;
}

bool kith_as_vector(const kith_value *v, int *element, const void **data, size_t *bytes)
{
    if (!is(v, KT_VECTOR))
        return false;
    *element = in(v)->aux;
    *data = in(v)->as.box;
    *bytes = in(v)->len;
    return true;
}

size_t kith_print(const kith_value *v, char *out, size_t size)
{
    KtBuf text = {0};
    kt_value_print(&text, v ? *in(v) : kt_null());
    size_t len = text.failed ? 0 : text.len;
    if (size > 0) {
        size_t n = len < size - 1 ? len : size - 1;
        if (n)
            memcpy(out, text.data, n);
        out[n] = 0;
    }
    kt_buf_close(&text);
    return len;
}
