/* tests/tck/expect.c - reading and comparing expected values. */
#include "tests/tck/expect.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct In {
    KtArena *arena;
    const char *at;
    bool bad;
} In;

static void skip(In *in)
{
    while (isspace((unsigned char)*in->at))
        in->at++;
}

static bool take(In *in, const char *text)
{
    skip(in);
    size_t n = strlen(text);
    if (strncmp(in->at, text, n) != 0)
        return false;
    in->at += n;
    return true;
}

static void need(In *in, const char *text)
{
    if (!take(in, text))
        in->bad = true;
}

static KtText word(In *in)
{
    skip(in);
    const char *from = in->at;
    if (*from == '`') {
        const char *end = strchr(from + 1, '`');
        if (!end) {
            in->bad = true;
            return (KtText){from, 0};
        }
        in->at = end + 1;
        return (KtText){from + 1, (uint32_t)(end - from - 1)};
    }
    while (isalnum((unsigned char)*in->at) || *in->at == '_' || (unsigned char)*in->at >= 0x80)
        in->at++;
    if (in->at == from)
        in->bad = true;
    return (KtText){from, (uint32_t)(in->at - from)};
}

static KtValue value(In *in);

static KtValue string(In *in)
{
    KtBuf out = {0};
    in->at++;
    while (*in->at && *in->at != '\'') {
        char c = *in->at++;
        if (c == '\\' && *in->at) {
            char e = *in->at++;
            c = (char)(e == 'n' ? '\n' : e == 't' ? '\t' : e == 'r' ? '\r' : e);
        }
        kt_buf_u8(&out, (uint8_t)c);
    }
    if (*in->at != '\'')
        in->bad = true;
    else
        in->at++;
    char *copy = kt_arena_text(in->arena, (const char *)out.data, out.len);
    KtValue v = copy ? kt_text(copy, out.len) : kt_null();
    kt_buf_close(&out);
    return v;
}

static KtValue number(In *in)
{
    const char *from = in->at;
    char *end;
    if (take(in, "-Inf"))
        return kt_float(-INFINITY);
    bool real = false;
    const char *c = from + (*from == '-' || *from == '+');
    while (isdigit((unsigned char)*c) || *c == '.' || *c == 'e' || *c == 'E' ||
           ((*c == '-' || *c == '+') && (c[-1] == 'e' || c[-1] == 'E'))) {
        real |= !isdigit((unsigned char)*c);
        c++;
    }
    if (c == from) {
        in->bad = true;
        return kt_null();
    }
    KtValue v = real ? kt_float(strtod(from, &end)) : kt_int(strtoll(from, &end, 10));
    in->at = c;
    return v;
}

static KtValue map(In *in)
{
    KtMapEntry *entry = NULL;
    uint32_t n = 0, cap = 0;
    need(in, "{");
    if (!take(in, "}")) {
        do {
            KtMapEntry e;
            e.key = word(in);
            need(in, ":");
            e.value = value(in);
            if (in->bad || kt_arena_grow(in->arena, (void **)&entry, n, &cap, sizeof e) != KT_OK) {
                in->bad = true;
                return kt_null();
            }
            entry[n++] = e;
        } while (take(in, ","));
        need(in, "}");
    }
    return kt_map(entry, n);
}

static KtValue node(In *in)
{
    KtNodeImage *image = kt_arena_zero(in->arena, 1, sizeof *image);
    KtText *label = NULL;
    uint32_t cap = 0;
    need(in, "(");
    skip(in);
    if (*in->at != ':' && *in->at != '{' && *in->at != ')')
        (void)word(in); /* a name, as in paths */
    while (take(in, ":")) {
        if (kt_arena_grow(in->arena, (void **)&label, image->labels, &cap, sizeof *label) != KT_OK)
            in->bad = true;
        label[image->labels++] = word(in);
        if (in->bad)
            return kt_null();
    }
    skip(in);
    if (*in->at == '{') {
        KtValue props = map(in);
        image->prop = props.as.map;
        image->props = in->bad ? 0 : props.len;
    }
    need(in, ")");
    image->label = label;
    return (KtValue){.kind = KT_NODE, .flags = KT_VALUE_IMAGE, .as.node_image = image};
}

static KtRelImage *rel(In *in)
{
    KtRelImage *image = kt_arena_zero(in->arena, 1, sizeof *image);
    need(in, "[");
    skip(in);
    if (*in->at != ':')
        (void)word(in);
    need(in, ":");
    image->type = word(in);
    skip(in);
    if (*in->at == '{') {
        KtValue props = map(in);
        image->prop = props.as.map;
        image->props = in->bad ? 0 : props.len;
    }
    need(in, "]");
    return image;
}

static KtValue path(In *in)
{
    KtPathImage *image = kt_arena_zero(in->arena, 1, sizeof *image);
    const KtNodeImage **nodes = NULL;
    const KtRelImage **rels = NULL;
    uint32_t n = 0, node_cap = 0, rel_cap = 0;
    need(in, "<");
    for (;;) {
        KtValue v = node(in);
        if (in->bad ||
            kt_arena_grow(in->arena, (void **)&nodes, n, &node_cap, sizeof *nodes) != KT_OK)
            break;
        /* ids give the steps their direction */
        KtNodeImage *own = kt_arena_alloc(in->arena, sizeof *own);
        *own = *v.as.node_image;
        own->id = n;
        nodes[n++] = own;
        if (take(in, ">")) {
            *image = (KtPathImage){.rels = n - 1, .node = nodes, .rel = rels};
            return (KtValue){.kind = KT_PATH, .flags = KT_VALUE_IMAGE, .as.path_image = image};
        }
        bool back = take(in, "<-");
        if (!back)
            need(in, "-");
        KtRelImage *r = rel(in);
        if (back)
            need(in, "-");
        else
            need(in, "->");
        if (in->bad ||
            kt_arena_grow(in->arena, (void **)&rels, n - 1, &rel_cap, sizeof *rels) != KT_OK)
            break;
        r->start = back ? n : n - 1;
        r->end = back ? n - 1 : n;
        rels[n - 1] = r;
    }
    in->bad = true;
    return kt_null();
}

static KtValue list(In *in)
{
    KtValue *item = NULL;
    uint32_t n = 0, cap = 0;
    need(in, "[");
    if (!take(in, "]")) {
        do {
            KtValue v = value(in);
            if (in->bad || kt_arena_grow(in->arena, (void **)&item, n, &cap, sizeof v) != KT_OK) {
                in->bad = true;
                return kt_null();
            }
            item[n++] = v;
        } while (take(in, ","));
        need(in, "]");
    }
    return kt_list(item, n);
}

static KtValue value(In *in)
{
    skip(in);
    if (in->bad)
        return kt_null();
    char c = *in->at;
    if (c == '\'')
        return string(in);
    if (c == '(')
        return node(in);
    if (c == '<')
        return path(in);
    if (c == '{')
        return map(in);
    if (c == '[') {
        const char *next = in->at + 1 + strspn(in->at + 1, " ");
        if (*next != ':')
            return list(in);
        KtRelImage *image = rel(in);
        return (KtValue){.kind = KT_REL, .flags = KT_VALUE_IMAGE, .as.rel_image = image};
    }
    if (take(in, "null"))
        return kt_null();
    if (take(in, "true"))
        return kt_bool(true);
    if (take(in, "false"))
        return kt_bool(false);
    if (take(in, "NaN"))
        return kt_float(NAN);
    if (take(in, "Inf"))
        return kt_float(INFINITY);
    return number(in);
}

bool expect_parse(KtArena *arena, const char *text, KtValue *out)
{
    In in = {.arena = arena, .at = text};
    *out = value(&in);
    skip(&in);
    return !in.bad && *in.at == 0;
}

static bool same_props(const KtMapEntry *a, uint32_t n, const KtMapEntry *b, uint32_t m, bool bag)
{
    if (n != m)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const KtValue *other = kt_map_get(kt_map(b, m), a[i].key);
        if (!other || !expect_same(a[i].value, *other, bag))
            return false;
    }
    return true;
}

static bool same_node(const KtNodeImage *a, const KtNodeImage *b, bool bag)
{
    if (a->labels != b->labels || !same_props(a->prop, a->props, b->prop, b->props, bag))
        return false;
    for (uint32_t i = 0; i < a->labels; i++) {
        bool found = false;
        for (uint32_t k = 0; k < b->labels; k++)
            found |= kt_text_eq(a->label[i], b->label[k]);
        if (!found)
            return false;
    }
    return true;
}

static bool same_rel(const KtRelImage *a, const KtRelImage *b, bool bag)
{
    return kt_text_eq(a->type, b->type) && same_props(a->prop, a->props, b->prop, b->props, bag);
}

static bool same_path(const KtPathImage *a, const KtPathImage *b, bool bag)
{
    if (a->rels != b->rels)
        return false;
    for (uint32_t i = 0; i <= a->rels; i++) {
        if (!same_node(a->node[i], b->node[i], bag))
            return false;
    }
    for (uint32_t i = 0; i < a->rels; i++) {
        if (!same_rel(a->rel[i], b->rel[i], bag))
            return false;
        bool loop = b->node[i]->id == b->node[i + 1]->id;
        if (!loop && (a->rel[i]->start == a->node[i]->id) != (b->rel[i]->start == b->node[i]->id))
            return false;
    }
    return true;
}

static bool same_bag(const KtValue *a, const KtValue *b, uint32_t n, uint32_t width, bool bag)
{
    bool *used = calloc(n ? n : 1, sizeof *used);
    bool same = used != NULL;
    for (uint32_t i = 0; same && i < n; i++) {
        uint32_t k = 0;
        for (; k < n; k++) {
            bool equal = !used[k];
            for (uint32_t c = 0; equal && c < width; c++)
                equal = expect_same(a[i * width + c], b[k * width + c], bag);
            if (equal)
                break;
        }
        same = k < n;
        if (same)
            used[k] = true;
    }
    free(used);
    return same;
}

bool expect_same(KtValue want, KtValue got, bool bag)
{
    if (want.kind != got.kind)
        return false;
    switch ((KtKind)want.kind) {
    case KT_NULL: return true;
    case KT_BOOL: return want.as.b == got.as.b;
    case KT_INT: return want.as.i == got.as.i;
    case KT_FLOAT: return (isnan(want.as.f) && isnan(got.as.f)) || want.as.f == got.as.f;
    case KT_TEXT:
        return kt_text_eq((KtText){want.as.text, want.len}, (KtText){got.as.text, got.len});
    case KT_LIST:
        if (want.len != got.len)
            return false;
        if (bag)
            return same_bag(want.as.list, got.as.list, want.len, 1, bag);
        for (uint32_t i = 0; i < want.len; i++) {
            if (!expect_same(want.as.list[i], got.as.list[i], bag))
                return false;
        }
        return true;
    case KT_MAP: return same_props(want.as.map, want.len, got.as.map, got.len, bag);
    case KT_NODE:
        return (got.flags & KT_VALUE_IMAGE) &&
               same_node(want.as.node_image, got.as.node_image, bag);
    case KT_REL:
        return (got.flags & KT_VALUE_IMAGE) && same_rel(want.as.rel_image, got.as.rel_image, bag);
    case KT_PATH:
        return (got.flags & KT_VALUE_IMAGE) &&
               same_path(want.as.path_image, got.as.path_image, bag);
    case KT_BYTES:
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION:
    case KT_POINT:
    case KT_VECTOR:
    case KT_UUID:
    case KT_KIND_COUNT:
        break; /* feature files write these as text: never the same as a value of such a kind */
    }
    return false;
}

bool expect_rows(const Rows *want, const Rows *got, bool ordered, bool bag)
{
    if (want->rows != got->rows || (want->rows && want->cols != got->cols))
        return false;
    if (!ordered)
        return same_bag(want->value, got->value, want->rows, want->cols, bag);
    for (uint32_t i = 0; i < want->rows * want->cols; i++) {
        if (!expect_same(want->value[i], got->value[i], bag))
            return false;
    }
    return true;
}
