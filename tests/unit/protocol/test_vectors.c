/* Every line of protocol/vectors/vectors.jsonl: decoded, compared with its JSON, encoded again. */
#include "protocol/kmp/value_codec.h"
#include "protocol/vectors/vector_json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(protocol_vectors);

typedef struct Vector {
    char *name, *kind, *json;
    uint8_t *bytes;
    size_t len;
} Vector;

static char *cut(char **at, const char *before, const char *behind)
{
    char *from = strstr(*at, before);
    cr_assert_not_null(from, "no %s", before);
    from += strlen(before);
    char *to = strstr(from, behind);
    cr_assert_not_null(to);
    *to = 0;
    *at = to + 1;
    return from;
}

/* The line is cut in place. */
static Vector parse(char *line)
{
    Vector v = {0};
    char *at = line;
    v.name = cut(&at, "\"name\":\"", "\",");
    v.kind = cut(&at, "\"kind\":\"", "\",");
    char *hex = cut(&at, "\"hex\":\"", "\",");
    v.json = strstr(at, "\"json\":") + strlen("\"json\":");
    v.json[strcspn(v.json, "\n")] = 0;
    v.json[strlen(v.json) - 1] = 0; /* the closing brace of the line */
    v.len = strlen(hex) / 2;
    v.bytes = malloc(v.len + 1);
    for (size_t i = 0; i < v.len; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        v.bytes[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return v;
}

static void same_json(const Vector *v, const KtBuf *json)
{
    cr_assert(json->len == strlen(v->json) && memcmp(json->data, v->json, json->len) == 0,
              "%s: read as %.*s", v->name, (int)(json->len < 300 ? json->len : 300),
              (const char *)json->data);
}

static void check_value(const Vector *v, KtArena *arena)
{
    KtDiag diag = {0};
    KtReader in = kt_reader(v->bytes, v->len);
    KtValue value;
    KtStatus status = kt_kmp_value_decode(&in, arena, &diag, &value);
    if (strcmp(v->kind, "value-bad") == 0) {
        cr_assert_neq(status, KT_OK, "%s was accepted", v->name);
        cr_assert(strncmp(v->json + 1, kt_error_facts(status)->wire, strlen(v->json) - 2) == 0,
                  "%s: %s", v->name, kt_error_facts(status)->wire);
        cr_assert(diag.message[0]);
        return;
    }
    cr_assert_eq(status, KT_OK, "%s: %s", v->name, diag.message);
    cr_assert_eq(kt_reader_left(&in), 0);
    KtBuf json = {0}, again = {0};
    kt_vector_value(&json, value);
    same_json(v, &json);
    if (strcmp(v->kind, "value") == 0) {
        cr_assert_eq(kt_kmp_value_encode(&again, value, &diag), KT_OK);
        cr_assert(again.len == v->len && memcmp(again.data, v->bytes, v->len) == 0, "%s", v->name);
    }
    kt_buf_close(&json);
    kt_buf_close(&again);
}

static void encode_again(const Vector *v, const KmpMessage *m, KtArena *arena, KtBuf *out)
{
    const KmpWire wire = {.frame_most = KMP_FRAME_DEFAULT};
    KtDiag diag = {0};
    if (!(m->header.type & 0x80)) {
        KmpRequest request;
        cr_assert_eq(kt_kmp_request_decode(m, arena, &diag, &request), KT_OK, "%s: %s", v->name,
                     diag.message);
        cr_assert_eq(kt_kmp_request_encode(out, &wire, &request, &diag), KT_OK);
        return;
    }
    KmpResponse response;
    cr_assert_eq(kt_kmp_response_decode(m, arena, &diag, &response), KT_OK, "%s: %s", v->name,
                 diag.message);
    if (response.type != KMP_ROWS) {
        cr_assert_eq(kt_kmp_response_encode(out, &wire, &response, &diag), KT_OK);
        return;
    }
    KmpBatch batch;
    KtValue row[2];
    kt_kmp_batch_open(&batch, out);
    while (response.as.rows.rows > 0) {
        cr_assert_eq(kt_kmp_rows_next(&response.as.rows, arena, &diag, row, 2), KT_OK, "%s",
                     diag.message);
        cr_assert_eq(kt_kmp_batch_row(&batch, row, 2, &diag), KT_OK);
    }
    cr_assert_eq(kt_kmp_batch_close(&batch, &wire, response.flags, response.request), KT_OK);
}

static void check_message(const Vector *v, KtArena *arena)
{
    KmpInbox inbox = {.frame_most = KMP_FRAME_DEFAULT, .message_most = KMP_MESSAGE_MOST};
    KmpMessage m;
    KtDiag diag = {0};
    size_t used, need;
    bool got;
    cr_assert_eq(kt_kmp_inbox_next(&inbox, v->bytes, v->len, &diag, &used, &need, &m, &got), KT_OK,
                 "%s", diag.message);
    cr_assert(got && used == v->len, "%s", v->name);
    KtBuf json = {0}, again = {0};
    cr_assert_eq(kt_vector_message(&json, &m, arena, &diag), KT_OK, "%s: %s", v->name,
                 diag.message);
    same_json(v, &json);
    encode_again(v, &m, arena, &again);
    cr_assert(again.len == v->len && memcmp(again.data, v->bytes, v->len) == 0, "%s", v->name);
    kt_buf_close(&json);
    kt_buf_close(&again);
    kt_kmp_inbox_close(&inbox);
}

Test(protocol_vectors, each_is_read_as_its_json_and_written_as_its_bytes)
{
    FILE *file = fopen(KITH_VECTORS, "r");
    cr_assert_not_null(file);
    char *line = NULL;
    size_t cap = 0;
    unsigned values = 0, messages = 0;
    KtArena *arena;
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    while (getline(&line, &cap, file) > 0) {
        Vector v = parse(line);
        bool message = strcmp(v.kind, "message") == 0;
        if (message)
            check_message(&v, arena);
        else
            check_value(&v, arena);
        *(message ? &messages : &values) += 1;
        free(v.bytes);
        kt_arena_reset(arena);
    }
    cr_assert_gt(values, 100u);
    cr_assert_gt(messages, 25u);
    kt_arena_close(arena);
    free(line);
    (void)fclose(file);
}
