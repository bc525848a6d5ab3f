/* Getters take only their own kind, and errors keep what the wire said. */
#include "clients/c/src/internal.h"

#include <criterion/criterion.h>

TestSuite(clients_value);

static const kith_value *as(const KtValue *v) { return (const kith_value *)v; }

Test(clients_value, each_getter_takes_only_its_own_kind)
{
    KtValue i = kt_int(3), f = kt_float(1.5), t = kt_text("x", 1), null = kt_null();
    int64_t n = 9;
    double d = 9;
    bool b;
    const char *text;
    size_t len;
    cr_assert(kith_as_int(as(&i), &n) && n == 3);
    cr_assert(!kith_as_int(as(&f), &n) && n == 3);
    cr_assert(kith_as_float(as(&i), &d) && d == 3.0 && kith_as_float(as(&f), &d) && d == 1.5);
    cr_assert(kith_as_text(as(&t), &text, &len) && len == 1 &&
              !kith_as_text(as(&null), &text, &len));
    cr_assert(!kith_as_bool(as(&i), &b) && !kith_as_int(NULL, &n));
    cr_assert(kith_kind_of(NULL) == KITH_NULL && kith_count(as(&i)) == 0 && !kith_item(as(&i), 0) &&
              !kith_find(as(&t), "k"));
}

Test(clients_value, entities_and_paths_are_walked)
{
    KtMapEntry prop[] = {{KT_TEXT_LITERAL("name"), kt_text("Ada", 3)}};
    KtText label[] = {KT_TEXT_LITERAL("Person")};
    KtNodeImage a = {.id = 1, .label = label, .labels = 1, .prop = prop, .props = 1}, b = {.id = 2};
    KtRelImage r = {.id = 5, .start = 2, .end = 1, .type = KT_TEXT_LITERAL("KNOWS")};
    const KtNodeImage *nodes[] = {&a, &b};
    const KtRelImage *rels[] = {&r};
    KtPathImage image = {.rels = 1, .node = nodes, .rel = rels};
    KtValue path = {.kind = KT_PATH, .flags = KT_VALUE_IMAGE, .as.path_image = &image};
    kith_slot slot;
    uint64_t id, start, end;
    size_t len;
    cr_assert_eq(kith_count(as(&path)), 1);
    const kith_value *node = kith_path_node(as(&path), 0, &slot);
    cr_assert(kith_id(node, &id) && id == 1 && kith_labels(node) == 1 &&
              strcmp(kith_label(node, 0, &len), "Person") == 0);
    cr_assert_eq(kith_kind_of(kith_find(node, "name")), KITH_TEXT);
    const kith_value *rel = kith_path_rel(as(&path), 0, &slot);
    cr_assert(kith_rel_ends(rel, &start, &end) && start == 2 && end == 1 &&
              kith_rel_type(rel, &len) && len == 5);
    cr_assert(!kith_path_node(as(&path), 2, &slot) && !kith_path_rel(as(&path), 1, &slot));
}

Test(clients_value, printing_cuts_as_snprintf_does)
{
    KtValue t = kt_text("abcdef", 6);
    char out[5];
    cr_assert_eq(kith_print(as(&t), out, sizeof out), 8);
    cr_assert_str_eq(out, "'abc");
    cr_assert_eq(kith_print(as(&t), NULL, 0), 8);
}

Test(clients_value, an_error_keeps_what_the_server_said)
{
    KmpError cause = {
        .code = 1410, .name = KT_TEXT_LITERAL("Io"), .message = KT_TEXT_LITERAL("disk")};
    KmpError wire = {.code = 1404,
                     .name = KT_TEXT_LITERAL("CommitOutcomeUnknown"),
                     .retryable = true,
                     .retry_after_ms = 5,
                     .message = KT_TEXT_LITERAL("who knows"),
                     .hint = KT_TEXT_LITERAL("look"),
                     .at = {.offset = 3, .length = 2, .line = 1, .column = 4},
                     .cause = &cause};
    kith_error *e = NULL;
    kith_position at;
    cr_assert_eq(kt_client_fail_wire(&e, &wire), -1);
    cr_assert(kith_error_code(e) == 1404 && strcmp(kith_error_hint(e), "look") == 0);
    cr_assert(!kith_error_retryable(e),
              "whatever a server says, an unknown outcome is not repeated");
    cr_assert(kith_error_position(e, &at) && at.offset == 3 && at.line == 1 && at.column == 4 &&
              at.length == 2);
    cr_assert_str_eq(kith_error_message(kith_error_cause(e)), "disk");
    cr_assert_null(kith_error_cause(kith_error_cause(e)));
    kith_error_free(e);
    cr_assert_eq(kith_error_code(NULL), 0);
    kith_error_free(NULL);
}

Test(clients_value, too_deep_parameters_are_refused_and_deep_ones_kept)
{
    kith_params *p = kith_params_new();
    KtDiag diag = {0};
    KtValue v;
    for (int i = 0; i < 60; i++)
        kith_params_list_begin(p, i ? NULL : "x");
    for (int i = 0; i < 60; i++)
        kith_params_end(p);
    cr_assert(kt_params_take(p, &diag, &v) == KT_OK && v.len == 1);
    kith_params_clear(p);
    for (int i = 0; i < 100; i++)
        kith_params_list_begin(p, i ? NULL : "x");
    cr_assert_eq(kt_params_take(p, &diag, &v), KT_ERR_VALUE_TOO_DEEP);
    kith_params_free(p);
    cr_assert(kt_params_take(NULL, &diag, &v) == KT_OK && v.kind == KT_MAP);
}
