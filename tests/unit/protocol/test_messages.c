/* Messages: what is refused, what is skipped, and what the row batches promise. */
#include "protocol/kmp/fields.h"
#include "protocol/kmp/request.h"
#include "protocol/kmp/response.h"

#include <criterion/criterion.h>

static KtArena *arena;
static KtDiag diag;

static void setup(void)
{
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    kt_diag_clear(&diag);
}
static void teardown(void) { kt_arena_close(arena); }

TestSuite(protocol_messages, .init = setup, .fini = teardown);

static KtStatus ask(uint8_t type, uint8_t flags, uint16_t stream, const char *payload, size_t len,
                    KmpRequest *out)
{
    KmpMessage m = {
        {.length = (uint32_t)len, .type = type, .flags = flags, .stream = stream, .request = 5},
        (const uint8_t *)payload};
    kt_diag_clear(&diag);
    KtStatus status = kt_kmp_request_decode(&m, arena, &diag, out);
    cr_assert(status == KT_OK || diag.message[0]);
    return status;
}
#define ASK(type, payload) ask((type), 0, 0, (payload), sizeof(payload) - 1, &(KmpRequest){0})

Test(protocol_messages, what_does_not_exist_yet_is_refused_by_name)
{
    cr_assert_eq(ASK(KMP_AUTH, "\x80"), KT_ERR_AUTH_UNSUPPORTED);
    cr_assert_eq(ASK(KMP_BACKUP, "\x80"), KT_ERR_NOT_SUPPORTED);
    cr_assert(strstr(diag.message, "BACKUP"));
    cr_assert_eq(ASK(KMP_PREPARE, "\x80"), KT_ERR_NOT_SUPPORTED);
    cr_assert_eq(ASK(0x7E, "\x80"), KT_ERR_PROTOCOL);
    cr_assert_eq(ASK(KMP_OK, "\x80"), KT_ERR_PROTOCOL, "a message of the server");
    cr_assert_eq(ask(KMP_PING, 0, 1, "\x80", 1, &(KmpRequest){0}), KT_ERR_NOT_SUPPORTED,
                 "a stream");
    cr_assert_eq(ASK(KMP_RUN, "\x82\x10\xA1x\x18\xC4\x01k"), KT_ERR_NOT_SUPPORTED,
                 "an idempotency key");
    cr_assert_eq(ASK(KMP_HELLO, "\x82\x01\xA1x\x02\xA5SCRAM"), KT_ERR_AUTH_UNSUPPORTED);
}

Test(protocol_messages, unknown_keys_are_skipped_whatever_their_value)
{
    KmpRequest r;
    const char payload[] = "\x83\x7F\x92\x01\x81\xA1z\x02\x10\xA1x\xCD\x10\x00\xC0";
    cr_assert_eq(ask(KMP_RUN, 0, 0, payload, sizeof payload - 1, &r), KT_OK, "%s", diag.message);
    cr_assert(r.as.run.text.len == 1 && r.as.run.params.kind == KT_MAP && r.as.run.params.len == 0);
    cr_assert(r.as.run.credit_rows == KMP_CREDIT_ROWS && r.as.run.credit_bytes == KMP_CREDIT_BYTES);
}

Test(protocol_messages, a_wrong_body_is_a_protocol_error)
{
    cr_assert_eq(ASK(KMP_RUN, "\x80"), KT_ERR_PROTOCOL, "no text");
    cr_assert_eq(ASK(KMP_RUN, "\x81\x10\x01"), KT_ERR_PROTOCOL, "text is a number");
    cr_assert_eq(ASK(KMP_RUN, "\x82\x10\xA1x\x10\xA1y"), KT_ERR_PROTOCOL, "text twice");
    cr_assert_eq(ASK(KMP_RUN, "\x81\x10\xA1x\xC0"), KT_ERR_PROTOCOL, "a byte behind");
    cr_assert_eq(ASK(KMP_RUN, "\x81\xA1t\xA1x"), KT_ERR_PROTOCOL, "a key that is text");
    cr_assert_eq(ASK(KMP_RUN, "\x82\x10\xA1x\x11\x90"), KT_ERR_PROTOCOL, "parameters are a list");
    cr_assert_eq(ASK(KMP_RUN, "\x82\x10\xA1x\x12\xFF"), KT_ERR_PROTOCOL, "credit below 0");
    cr_assert_eq(ASK(KMP_RUN, "\x90"), KT_ERR_PROTOCOL, "a list");
    cr_assert_eq(ASK(KMP_RUN, ""), KT_ERR_PROTOCOL, "nothing");
    cr_assert_eq(ASK(KMP_CANCEL, "\x81\x22\x01"), KT_ERR_PROTOCOL, "a session without its key");
    cr_assert_eq(ask(KMP_PING, KMP_LAST, 0, "\x80", 1, &(KmpRequest){0}), KT_ERR_PROTOCOL,
                 "a flag of the server");
}

Test(protocol_messages, an_error_carries_the_facts_and_the_words)
{
    kt_diag_set(&diag, KT_ERR_UNDEFINED_VARIABLE, &(KtPos){7, 1, 1, 8},
                "The name x is not known here.");
    KmpError e = kt_kmp_error_of(KT_ERR_UNDEFINED_VARIABLE, &diag);
    cr_assert(e.code == 1004 && kt_text_eq(e.name, KT_TEXT_LITERAL("UndefinedVariable")) &&
              e.at.column == 8 && !e.retryable);
    cr_assert_gt(e.hint.len, 0);
    e = kt_kmp_error_of(KT_ERR_UNAVAILABLE, &diag);
    cr_assert(e.retryable && e.at.line == 0 &&
                  kt_text_eq(e.message, KT_TEXT_LITERAL("Unavailable")),
              "words of another error");
}

Test(protocol_messages, a_batch_counts_its_bytes_and_gives_a_row_back)
{
    KtBuf out = {0};
    KmpBatch batch;
    KtValue row[] = {kt_int(1)}, wide[] = {kt_text("0123456789", 10)};
    kt_buf_u8(&out, 0xEE); /* something before */
    kt_kmp_batch_open(&batch, &out);
    cr_assert_eq(kt_kmp_batch_bytes(&batch), 3);
    cr_assert_eq(kt_kmp_batch_row(&batch, row, 1, &diag), KT_OK);
    size_t before = kt_kmp_batch_bytes(&batch);
    cr_assert_eq(before, 5);
    cr_assert_eq(kt_kmp_batch_row(&batch, wide, 1, &diag), KT_OK);
    cr_assert_eq(kt_kmp_batch_bytes(&batch), 17);
    kt_kmp_batch_drop_row(&batch, before);
    KtValue node[] = {kt_node(1)};
    cr_assert_neq(kt_kmp_batch_row(&batch, node, 1, &diag), KT_OK);
    cr_assert_eq(kt_kmp_batch_bytes(&batch), before, "a failed row leaves nothing");
    cr_assert_eq(
        kt_kmp_batch_close(&batch, &(KmpWire){.frame_most = KMP_FRAME_DEFAULT}, KMP_PARKED, 7),
        KT_OK);
    cr_assert(out.len == 1 + KMP_HEADER + 5 && out.data[1 + KMP_HEADER + 2] == 1 &&
              out.data[1 + 5] == KMP_PARKED);
    kt_buf_close(&out);
}

Test(protocol_messages, a_row_of_another_width_is_refused)
{
    const uint8_t payload[] = {0x91, 0x92, 1, 2};
    KmpMessage m = {{.length = sizeof payload, .type = KMP_ROWS, .request = 1}, payload};
    KmpResponse r;
    KtValue row[3];
    cr_assert_eq(kt_kmp_response_decode(&m, arena, &diag, &r), KT_OK);
    cr_assert_eq(kt_kmp_rows_next(&r.as.rows, arena, &diag, row, 3), KT_ERR_PROTOCOL);
}

Test(protocol_messages, key_numbers_are_one_byte_and_each_field_has_its_key)
{
    for (unsigned type = 0; type < 256; type++)
        for (uint64_t key = 0; key < KMP_KEY_COUNT; key++)
            if (kt_kmp_field((KmpType)type, key))
                cr_assert(kt_kmp_type_name((uint8_t)type, NULL) &&
                          strcmp(kt_kmp_key_name((KmpKey)key), "unknown") != 0);
}
