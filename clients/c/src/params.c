/* clients/c/src/params.c - a tree of values under construction. The first failure is kept. */
#include "clients/c/src/internal.h"

#include "base/utf8.h"

#include <stdlib.h>

enum { DEEP = 64 }; /* lists and maps inside each other */

/* An open list or map; the outermost is the map of parameters. */
typedef struct Level {
    bool map;
    uint32_t n, cap;
    void *items; /* KtMapEntry or KtValue, in the arena */
    KtText key;  /* in the level above, if that is a map */
} Level;

struct kith_params {
    KtArena *arena;
    Level level[DEEP];
    uint32_t depth; /* open levels; level[0] always is */
    KtStatus status;
    KtDiag diag;
};

kith_params *kith_params_new(void)
{
    kith_params *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    if (kt_arena_open(NULL, &p->arena) != KT_OK) {
        free(p);
        return NULL;
    }
    kith_params_clear(p);
    return p;
}

void kith_params_free(kith_params *p)
{
    if (!p)
        return;
    kt_arena_close(p->arena);
    free(p);
}

void kith_params_clear(kith_params *p)
{
    if (!p)
        return;
    kt_arena_reset(p->arena);
    p->level[0] = (Level){.map = true};
    p->depth = 1;
    p->status = KT_OK;
    kt_diag_clear(&p->diag);
}

static void fail(kith_params *p, KtStatus status, const char *what, const char *name)
{
    if (p->status == KT_OK)
        p->status = kt_diag_set(&p->diag, status, NULL, "Parameter %s: %s.",
                                name ? name : "in a list", what);
}

static bool take_key(kith_params *p, const Level *level, const char *name, KtText *key)
{
    *key = (KtText){"", 0};
    if (level->map != (name != NULL)) {
        fail(p, KT_ERR_USAGE,
             level->map ? "a value in a map needs a name" : "a value in a list has no name", name);
        return false;
    }
    if (!name)
        return true;
    size_t len = strlen(name);
    if (!kt_utf8_valid(name, len)) {
        fail(p, KT_ERR_INVALID_VALUE, "the name is not valid UTF-8", "");
        return false;
    }
    for (uint32_t i = 0; i < level->n; i++)
        if (kt_text_eq(((const KtMapEntry *)level->items)[i].key, (KtText){name, (uint32_t)len})) {
            fail(p, KT_ERR_USAGE, "the name stands twice", name);
            return false;
        }
    char *copy = kt_arena_text(p->arena, name, len);
    if (!copy) {
        fail(p, KT_ERR_MEMORY, "no memory", name);
        return false;
    }
    *key = (KtText){copy, (uint32_t)len};
    return true;
}

static void append(kith_params *p, Level *level, KtText key, KtValue value)
{
    size_t size = level->map ? sizeof(KtMapEntry) : sizeof(KtValue);
    if (kt_arena_grow(p->arena, &level->items, level->n, &level->cap, size) != KT_OK) {
        fail(p, KT_ERR_MEMORY, "no memory", "");
        return;
    }
    if (level->map)
        ((KtMapEntry *)level->items)[level->n] = (KtMapEntry){key, value};
    else
        ((KtValue *)level->items)[level->n] = value;
    level->n++;
}

static void add(kith_params *p, const char *name, KtValue value)
{
    KtText key;
    if (!p || p->status != KT_OK)
        return;
    Level *level = &p->level[p->depth - 1];
    if (take_key(p, level, name, &key))
        append(p, level, key, value);
}

void kith_params_null(kith_params *p, const char *name) { add(p, name, kt_null()); }
void kith_params_bool(kith_params *p, const char *name, bool b) { add(p, name, kt_bool(b)); }
void kith_params_int(kith_params *p, const char *name, int64_t i) { add(p, name, kt_int(i)); }
void kith_params_float(kith_params *p, const char *name, double f) { add(p, name, kt_float(f)); }

static void add_copy(kith_params *p, const char *name, KtKind kind, const void *bytes, size_t len)
{
    if (!p || p->status != KT_OK)
        return;
    if (len > KMP_MESSAGE_MOST) {
        fail(p, KT_ERR_FRAME_TOO_LARGE, "the value is above 64 MiB", name);
        return;
    }
    if (kind == KT_TEXT && !kt_utf8_valid(bytes, len)) {
        fail(p, KT_ERR_INVALID_VALUE, "the text is not valid UTF-8", name);
        return;
    }
    char *copy = kt_arena_text(p->arena, bytes, len);
    if (!copy)
        fail(p, KT_ERR_MEMORY, "no memory", name);
    else
        add(p, name, (KtValue){.kind = (uint8_t)kind, .len = (uint32_t)len, .as.text = copy});
}

void kith_params_text(kith_params *p, const char *name, const char *text, size_t len)
{
    add_copy(p, name, KT_TEXT, text, len);
}
void kith_params_bytes(kith_params *p, const char *name, const void *bytes, size_t len)
{
    add_copy(p, name, KT_BYTES, bytes, len);
}

void kith_params_value(kith_params *p, const char *name, const kith_value *value)
{
    KtValue copy;
    if (!p || p->status != KT_OK)
        return;
    if (!value)
        add(p, name, kt_null());
    else if (kt_value_copy(p->arena, *(const KtValue *)value, &copy) != KT_OK)
        fail(p, KT_ERR_MEMORY, "no memory", name);
    else
        add(p, name, copy);
}

static void begin(kith_params *p, const char *name, bool map)
{
    KtText key;
    if (!p || p->status != KT_OK)
        return;
    if (p->depth == DEEP) {
        fail(p, KT_ERR_VALUE_TOO_DEEP, "lists and maps nest at most 63 deep here", name);
        return;
    }
    if (take_key(p, &p->level[p->depth - 1], name, &key))
        p->level[p->depth++] = (Level){.map = map, .key = key};
}

void kith_params_list_begin(kith_params *p, const char *name) { begin(p, name, false); }
void kith_params_map_begin(kith_params *p, const char *name) { begin(p, name, true); }

void kith_params_end(kith_params *p)
{
    if (!p || p->status != KT_OK)
        return;
    if (p->depth == 1) {
        fail(p, KT_ERR_USAGE, "an end without a list or map", "");
        return;
    }
    Level level = p->level[--p->depth];
    append(p, &p->level[p->depth - 1], level.key,
           level.map ? kt_map(level.items, level.n) : kt_list(level.items, level.n));
}

KtStatus kt_params_take(const kith_params *p, KtDiag *diag, KtValue *out)
{
    *out = kt_map(NULL, 0);
    if (!p)
        return KT_OK;
    if (p->status != KT_OK) {
        *diag = p->diag;
        return p->status;
    }
    if (p->depth != 1)
        return kt_diag_set(diag, KT_ERR_USAGE, NULL, "Parameters: %u lists or maps are not closed.",
                           p->depth - 1);
    *out = kt_map(p->level[0].items, p->level[0].n);
    return KT_OK;
}
