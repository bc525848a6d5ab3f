/* Change records: what is written is read back; what is damaged or hostile is refused. */
#include "storage/txn/change_record.h"

#include "base/value_cmp.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static KtChange sample(int kind, KtToken *label, KtProp *prop)
{
    label[0] = 3;
    label[1] = 900;
    prop[0] = (KtProp){1, kt_int(-5)};
    prop[1] = (KtProp){70000, kt_text("text", 4)};
    KtChange c = {.kind = (KtChangeKind)kind,
                  .id = 77,
                  .token = 5,
                  .before = kt_null(),
                  .after = kt_float(0.5)};
    if (kind == KT_CHANGE_NODE_ADD || kind == KT_CHANGE_NODE_DEL) {
        c.labels = 2;
        c.label = label;
    }
    if (kind <= KT_CHANGE_REL_DEL && kind >= KT_CHANGE_NODE_ADD) {
        c.props = 2;
        c.prop = prop;
        c.start = 1;
        c.end = UINT32_MAX - 1u;
    }
    if (kind == KT_CHANGE_NAME)
        c.sub = KT_NAME_KEY;
    if (kind == KT_CHANGE_INDEX_PUT || kind == KT_CHANGE_INDEX_DROP) {
        c.sub = KT_INDEX_ONLINE;
        c.unique = true;
        c.key = 6;
    }
    c.text = KT_TEXT_LITERAL("a name");
    return c;
}

static void make(KtBuf *record, KtRecordHeader *header, const KtBuf *payload)
{
    uint8_t digest[KT_DIGEST_SIZE];
    cr_assert_eq(kt_change_record_put(record, header, kt_span(payload->data, payload->len), digest),
                 KT_OK);
}

Test(storage_change_record, every_kind_of_change_is_read_back)
{
    KtBuf payload = {0}, record = {0};
    KtArena *arena;
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    kt_buf_varint(&payload, KT_CHANGE_INDEX_FILL);
    for (int kind = KT_CHANGE_NAME; kind <= KT_CHANGE_INDEX_FILL; kind++) {
        KtToken label[2];
        KtProp prop[2];
        KtChange c = sample(kind, label, prop);
        cr_assert_eq(kt_change_put(&payload, &c), KT_OK);
    }
    kt_buf_varint(&payload, 0); /* the second member does nothing */
    KtRecordHeader header = {.epoch = 3, .first = 10, .last = 11, .utc_us = 12345, .log_at = 999};
    make(&record, &header, &payload);
    KtChangeRecord back;
    cr_assert_eq(kt_change_record_get(kt_span(record.data, record.len), arena, &back), KT_OK);
    cr_assert_eq(back.n, (uint32_t)KT_CHANGE_INDEX_FILL);
    cr_assert_eq(back.header.last, 11u);
    cr_assert_eq(back.header.log_at, 999u);
    for (uint32_t i = 0; i < back.n; i++) {
        KtToken label[2];
        KtProp prop[2];
        KtChange want = sample((int)i + 1, label, prop), got = back.change[i];
        cr_assert_eq(got.kind, want.kind);
        cr_assert_eq(got.labels, want.labels);
        cr_assert_eq(got.props, want.props);
        if (want.labels)
            cr_assert_eq(got.label[1], 900u);
        if (want.props)
            cr_assert(got.prop[1].key == 70000 &&
                      kt_value_equivalent(got.prop[1].value, prop[1].value));
        if (got.kind != KT_CHANGE_NAME)
            cr_assert_eq(got.id, 77u);
        if (got.kind == KT_CHANGE_NODE_PROP || got.kind == KT_CHANGE_REL_PROP)
            cr_assert(kt_is_null(got.before) && got.after.as.f == 0.5);
        if (got.kind == KT_CHANGE_INDEX_PUT)
            cr_assert(got.unique && got.sub == KT_INDEX_ONLINE && got.key == 6 &&
                      kt_text_eq(got.text, want.text));
    }
    kt_arena_close(arena);
    kt_buf_close(&payload);
    kt_buf_close(&record);
}

Test(storage_change_record, hostile_payloads_with_a_right_digest_are_refused_or_read)
{
    srand(7);
    for (int round = 0; round < 3000; round++) {
        KtBuf payload = {0}, record = {0};
        KtArena *arena;
        cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
        kt_buf_varint(&payload, (uint64_t)(round % 14));
        for (int kind = KT_CHANGE_NAME; kind <= KT_CHANGE_INDEX_FILL; kind++) {
            KtToken label[2];
            KtProp prop[2];
            KtChange c = sample(kind, label, prop);
            cr_assert_eq(kt_change_put(&payload, &c), KT_OK);
        }
        for (int hits = rand() % 4; hits >= 0; hits--)
            payload.data[(size_t)rand() % payload.len] = (uint8_t)rand();
        payload.len -= (size_t)rand() % 8;
        KtRecordHeader header = {.first = 1, .last = round % 5 ? 1 : UINT64_MAX};
        make(&record, &header, &payload);
        KtChangeRecord back;
        (void)!kt_change_record_get(kt_span(record.data, record.len), arena, &back);
        kt_arena_close(arena);
        kt_buf_close(&payload);
        kt_buf_close(&record);
    }
}

Test(storage_change_record, a_newer_form_is_named_as_such)
{
    KtBuf payload = {0}, record = {0};
    kt_buf_varint(&payload, 0);
    KtRecordHeader header = {.first = 1, .last = 1};
    make(&record, &header, &payload);
    record.data[0] = KT_RECORD_FORMAT + 1;
    uint8_t digest[KT_DIGEST_SIZE];
    cr_assert_eq(kt_record_header_get(kt_span(record.data, record.len), &header, digest),
                 KT_ERR_STORE_FORMAT);
    kt_buf_close(&payload);
    kt_buf_close(&record);
}
