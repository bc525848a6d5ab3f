/* tests/tck/driver_wire.c - scenarios through the C client, against a running kithd.
 *
 * An empty graph is made by deleting what is there. The protocol does not tell when an error was raised: a query
 * that cannot even be explained failed at compile time. */
#include "tests/tck/driver.h"

#include "clients/c/include/kith/kith.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct WireDriver {
    Driver driver; /* first */
    kith_connection *connection;
} WireDriver;

static KtText text_of(KtArena *arena, const char *at, size_t len)
{
    return (KtText){kt_arena_text(arena, at, len), (uint32_t)len};
}

static KtValue value_of(KtArena *arena, const kith_value *from);

static const KtMapEntry *entries_of(KtArena *arena, const kith_value *from, uint32_t *n)
{
    *n = kith_count(from);
    KtMapEntry *entry = kt_arena_alloc(arena, (*n + 1) * sizeof *entry);
    for (uint32_t i = 0; i < *n; i++) {
        size_t len;
        const char *key = kith_key(from, i, &len);
        entry[i] = (KtMapEntry){text_of(arena, key, len), value_of(arena, kith_item(from, i))};
    }
    return entry;
}

static const KtNodeImage *node_of(KtArena *arena, const kith_value *from)
{
    KtNodeImage *image = kt_arena_zero(arena, 1, sizeof *image);
    KtText *label = kt_arena_alloc(arena, (kith_labels(from) + 1) * sizeof *label);
    (void)kith_id(from, &image->id);
    image->labels = kith_labels(from);
    image->label = label;
    for (uint32_t i = 0; i < image->labels; i++) {
        size_t len;
        const char *at = kith_label(from, i, &len);
        label[i] = text_of(arena, at, len);
    }
    image->prop = entries_of(arena, from, &image->props);
    return image;
}

static const KtRelImage *rel_of(KtArena *arena, const kith_value *from)
{
    KtRelImage *image = kt_arena_zero(arena, 1, sizeof *image);
    size_t len;
    const char *type = kith_rel_type(from, &len);
    (void)kith_id(from, &image->id);
    (void)kith_rel_ends(from, &image->start, &image->end);
    image->type = text_of(arena, type, len);
    image->prop = entries_of(arena, from, &image->props);
    return image;
}

static const KtPathImage *path_of(KtArena *arena, const kith_value *from)
{
    KtPathImage *image = kt_arena_zero(arena, 1, sizeof *image);
    uint32_t n = kith_count(from);
    const KtNodeImage **node = kt_arena_alloc(arena, (n + 1) * sizeof *node);
    const KtRelImage **rel = kt_arena_alloc(arena, (n + 1) * sizeof *rel);
    kith_slot slot;
    for (uint32_t i = 0; i <= n; i++)
        node[i] = node_of(arena, kith_path_node(from, i, &slot));
    for (uint32_t i = 0; i < n; i++)
        rel[i] = rel_of(arena, kith_path_rel(from, i, &slot));
    *image = (KtPathImage){.rels = n, .node = node, .rel = rel};
    return image;
}

static KtValue value_of(KtArena *arena, const kith_value *from)
{
    bool b;
    int64_t i;
    double f;
    const char *text;
    size_t len;
    switch (kith_kind_of(from)) {
    case KITH_BOOL: return kith_as_bool(from, &b) ? kt_bool(b) : kt_null();
    case KITH_INT: return kith_as_int(from, &i) ? kt_int(i) : kt_null();
    case KITH_FLOAT: return kith_as_float(from, &f) ? kt_float(f) : kt_null();
    case KITH_TEXT:
        if (!kith_as_text(from, &text, &len))
            return kt_null();
        return kt_text(kt_arena_text(arena, text, len), len);
    case KITH_LIST: {
        uint32_t n = kith_count(from);
        KtValue *item = kt_arena_alloc(arena, (n + 1) * sizeof *item);
        for (uint32_t k = 0; k < n; k++)
            item[k] = value_of(arena, kith_item(from, k));
        return kt_list(item, n);
    }
    case KITH_MAP: {
        uint32_t n;
        const KtMapEntry *entry = entries_of(arena, from, &n);
        return kt_map(entry, n);
    }
    case KITH_NODE:
        return (KtValue){
            .kind = KT_NODE, .flags = KT_VALUE_IMAGE, .as.node_image = node_of(arena, from)};
    case KITH_REL:
        return (KtValue){
            .kind = KT_REL, .flags = KT_VALUE_IMAGE, .as.rel_image = rel_of(arena, from)};
    case KITH_PATH:
        return (KtValue){
            .kind = KT_PATH, .flags = KT_VALUE_IMAGE, .as.path_image = path_of(arena, from)};
    default: return (KtValue){.kind = (uint8_t)kith_kind_of(from)};
    }
}

static void put_param(kith_params *params, const char *name, KtValue value)
{
    switch ((KtKind)value.kind) {
    case KT_BOOL: kith_params_bool(params, name, value.as.b); break;
    case KT_INT: kith_params_int(params, name, value.as.i); break;
    case KT_FLOAT: kith_params_float(params, name, value.as.f); break;
    case KT_TEXT: kith_params_text(params, name, value.as.text, value.len); break;
    case KT_LIST:
        kith_params_list_begin(params, name);
        for (uint32_t i = 0; i < value.len; i++)
            put_param(params, NULL, value.as.list[i]);
        kith_params_end(params);
        break;
    case KT_MAP:
        kith_params_map_begin(params, name);
        for (uint32_t i = 0; i < value.len; i++) {
            char key[256];
            (void)snprintf(key, sizeof key, "%.*s", (int)value.as.map[i].key.len,
                           value.as.map[i].key.at);
            put_param(params, key, value.as.map[i].value);
        }
        kith_params_end(params);
        break;
    default: kith_params_null(params, name); break;
    }
}

static kith_params *params_of(KtValue params)
{
    kith_params *out = kith_params_new();
    for (uint32_t i = 0; i < params.len; i++) {
        char name[256];
        (void)snprintf(name, sizeof name, "%.*s", (int)params.as.map[i].key.len,
                       params.as.map[i].key.at);
        put_param(out, name, params.as.map[i].value);
    }
    return out;
}

static int fetch(kith_connection *connection, KtArena *arena, const char *text, kith_params *params,
                 Reply *out, kith_error **error)
{
    kith_result *result;
    if (kith_run(connection, text, params, NULL, &result, error) != 0)
        return -1;
    uint32_t n = 0, cap = 0, cols = kith_columns(result);
    KtValue *value = NULL;
    KtText *column = kt_arena_alloc(arena, (cols + 1) * sizeof *column);
    for (uint32_t c = 0; c < cols; c++) {
        size_t len;
        const char *name = kith_column_name(result, c, &len);
        column[c] = text_of(arena, name, len);
    }
    int more;
    while ((more = kith_next(result, error)) == 1) {
        for (uint32_t c = 0; c < cols; c++) {
            if (kt_arena_grow(arena, (void **)&value, n, &cap, sizeof *value) != KT_OK)
                abort();
            value[n++] = value_of(arena, kith_get(result, c));
        }
    }
    if (more == 0) {
        const char *plan = kith_result_summary(result).plan;
        *out = (Reply){.columns = cols,
                       .column = column,
                       .plan = kt_arena_text(arena, plan ? plan : "", plan ? strlen(plan) : 0),
                       .rows = {value, cols ? n / cols : 0, cols}};
    }
    kith_result_free(result);
    return more;
}

static void wire_run(Driver *driver, KtArena *arena, const char *text, KtValue params, Reply *out)
{
    WireDriver *self = (WireDriver *)driver;
    kith_params *sent = params_of(params);
    kith_error *error = NULL;
    if (fetch(self->connection, arena, text, sent, out, &error) == 0) {
        kith_params_free(sent);
        return;
    }
    char *explain;
    kith_error *again = NULL;
    Reply ignored;
    kith_position at = {0};
    const KtErrorFacts *facts = kt_error_facts(KT_ERR_INTERNAL);
    for (int s = 1; s < KT_STATUS_COUNT; s++) {
        if (kt_error_facts((KtStatus)s)->number == kith_error_code(error))
            facts = kt_error_facts((KtStatus)s);
    }
    if (asprintf(&explain, "EXPLAIN %s", text) < 0)
        abort();
    bool compile = fetch(self->connection, arena, explain, sent, &ignored, &again) != 0;
    free(explain);
    (void)kith_error_position(error, &at);
    const char *message = kith_error_message(error);
    *out = (Reply){.failed = true,
                   .compile_time = compile,
                   .type = compile ? facts->compile_type : facts->run_type,
                   .detail = facts->detail,
                   .message = kt_arena_text(arena, message, strlen(message)),
                   .line = at.line,
                   .at = at.column,
                   .plan = ""};
    kith_error_free(error);
    kith_error_free(again);
    kith_params_free(sent);
}

static bool run_all(WireDriver *self, KtArena *arena, const char *show, const char *drop)
{
    Reply names;
    kith_error *error = NULL;
    if (fetch(self->connection, arena, show, NULL, &names, &error) != 0) {
        (void)fprintf(stderr, "tck: %s: %s\n", show, kith_error_message(error));
        kith_error_free(error);
        return false;
    }
    for (uint32_t i = 0; i < names.rows.rows; i++) {
        char *text;
        KtValue name = names.rows.value[i * names.rows.cols];
        if (asprintf(&text, "DROP %s `%.*s` IF EXISTS", drop, (int)name.len, name.as.text) < 0)
            abort();
        (void)kith_exec(self->connection, text, NULL, NULL);
        free(text);
    }
    return true;
}

static bool wire_reset(Driver *driver)
{
    WireDriver *self = (WireDriver *)driver;
    kith_error *error = NULL;
    KtArena *arena;
    if (kt_arena_open(NULL, &arena) != KT_OK)
        return false;
    bool ok = run_all(self, arena, "SHOW CONSTRAINTS", "CONSTRAINT") &&
              run_all(self, arena, "SHOW INDEXES", "INDEX");
    kt_arena_close(arena);
    if (ok && kith_exec(self->connection, "MATCH (n) DETACH DELETE n", NULL, &error) != 0) {
        (void)fprintf(stderr, "tck: the graph cannot be emptied: %s\n", kith_error_message(error));
        kith_error_free(error);
        return false;
    }
    return ok;
}

static void wire_close(Driver *driver)
{
    kith_close(((WireDriver *)driver)->connection);
    free(driver);
}

Driver *driver_wire(const char *uri)
{
    WireDriver *self = calloc(1, sizeof *self);
    kith_error *error = NULL;
    if (!self || kith_connect(uri, NULL, &self->connection, &error) != 0) {
        (void)fprintf(stderr, "tck: %s: %s\n", uri, kith_error_message(error));
        kith_error_free(error);
        free(self);
        return NULL;
    }
    self->driver = (Driver){.reset = wire_reset, .run = wire_run, .close = wire_close};
    return &self->driver;
}
