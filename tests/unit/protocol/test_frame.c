/* Preamble and frames: joined, cut, checked, refused. */
#include "protocol/kmp/frame.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(protocol_frame);

static KmpInbox inbox_of(uint32_t frame_most, bool checks)
{
    return (KmpInbox){.frame_most = frame_most, .message_most = KMP_MESSAGE_MOST, .checks = checks};
}

static void put_message(KtBuf *out, const KmpWire *wire, size_t len, uint32_t request)
{
    size_t at = kt_kmp_frame_open(out);
    for (size_t i = 0; i < len; i++)
        kt_buf_u8(out, (uint8_t)(i * 7));
    cr_assert_eq(kt_kmp_frame_close(out, at, wire, KMP_PING, KMP_SKIP_IF_FAILED, request), KT_OK);
}

Test(protocol_frame, a_preamble_survives_the_way)
{
    KmpPreamble p = {1, 3, KMP_CAP_CHECKS | KMP_CAP_EVENTS, 1 << 20}, q;
    uint8_t bytes[KMP_PREAMBLE];
    kt_kmp_preamble_encode(&p, bytes);
    cr_assert_eq(kt_kmp_preamble_decode(bytes, NULL, &q), KT_OK);
    cr_assert(q.low == 1 && q.high == 3 && q.capabilities == p.capabilities &&
              q.frame_most == p.frame_most);
}

Test(protocol_frame, foreign_first_bytes_are_seen_at_once)
{
    const uint8_t *get = (const uint8_t *)"GET / HTTP/1.1\r\n",
                  *bolt = (const uint8_t *)"\x60\x60\xB0\x17";
    cr_assert_not(kt_kmp_preamble_possible(get, 1));
    cr_assert_not(kt_kmp_preamble_possible(bolt, 4));
    cr_assert(kt_kmp_preamble_possible((const uint8_t *)"KM", 2));
    KmpPreamble p;
    cr_assert_eq(kt_kmp_preamble_decode(get, NULL, &p), KT_ERR_PROTOCOL);
}

Test(protocol_frame, only_what_both_can_do_is_agreed)
{
    KmpPreamble client = {1, 1, 0x7F, KMP_FRAME_DEFAULT}, late = {2, 9, 0, KMP_FRAME_DEFAULT},
                answer;
    cr_assert_eq(kt_kmp_preamble_agree(&client, KMP_CAP_CHECKS, KMP_FRAME_DEFAULT, NULL, &answer),
                 KT_OK);
    cr_assert(answer.low == 1 && answer.high == 1 && answer.capabilities == KMP_CAP_CHECKS);
    cr_assert_eq(kt_kmp_preamble_agree(&late, 0, KMP_FRAME_DEFAULT, NULL, &answer),
                 KT_ERR_NOT_SUPPORTED);
    cr_assert(answer.low == 0 && answer.high == 0);
}

Test(protocol_frame, a_preamble_with_small_frames_is_refused)
{
    KmpPreamble p = {1, 1, 0, 65535}, q;
    uint8_t bytes[KMP_PREAMBLE];
    kt_kmp_preamble_encode(&p, bytes);
    cr_assert_eq(kt_kmp_preamble_decode(bytes, NULL, &q), KT_ERR_PROTOCOL);
}

static void arrives(const KmpWire *wire, size_t len, size_t piece)
{
    KtBuf out = {0};
    put_message(&out, wire, len, 9);
    put_message(&out, wire, 1, 10);
    KmpInbox inbox = inbox_of(wire->frame_most, wire->checks);
    size_t from = 0, have = 0;
    uint32_t seen = 0;
    while (seen < 2) {
        size_t used, need;
        KmpMessage m;
        bool got;
        KtDiag diag = {0};
        cr_assert_eq(
            kt_kmp_inbox_next(&inbox, out.data + from, have - from, &diag, &used, &need, &m, &got),
            KT_OK, "%s", diag.message);
        from += used;
        if (got) {
            seen++;
            size_t want = seen == 1 ? len : 1;
            cr_assert_eq(m.header.length, want);
            cr_assert_eq(m.header.request, 8 + seen);
            cr_assert(m.header.flags & KMP_SKIP_IF_FAILED);
            for (size_t i = 0; i < want; i++)
                cr_assert_eq(m.payload[i], (uint8_t)(i * 7));
            continue;
        }
        cr_assert_lt(have, out.len, "all bytes are there and no message");
        cr_assert_gt(need, have - from);
        have = have + piece < out.len ? have + piece : out.len;
    }
    cr_assert_eq(from, out.len);
    kt_kmp_inbox_close(&inbox);
    kt_buf_close(&out);
}

Test(protocol_frame, messages_arrive_whole_however_the_bytes_come)
{
    static const size_t lens[] = {0, 1, 99, 100, 101, 200, 201, 1000},
                        pieces[] = {1, 3, 16, 17, 117, 100000};
    for (int checks = 0; checks < 2; checks++)
        for (size_t i = 0; i < KT_COUNT(lens); i++)
            for (size_t j = 0; j < KT_COUNT(pieces); j++)
                arrives(&(KmpWire){100, checks == 1}, lens[i], pieces[j]);
}

static KtStatus taken(KmpInbox inbox, const KmpHeader *header, const uint8_t *payload, size_t len)
{
    uint8_t bytes[256];
    size_t used, need;
    KmpMessage m;
    bool got;
    kt_kmp_header_encode(header, bytes);
    if (len)
        memcpy(bytes + KMP_HEADER, payload, len);
    KtStatus status =
        kt_kmp_inbox_next(&inbox, bytes, KMP_HEADER + len, NULL, &used, &need, &m, &got);
    kt_kmp_inbox_close(&inbox);
    return status;
}

Test(protocol_frame, a_header_is_judged_before_its_payload_is_waited_for)
{
    KmpHeader huge = {.length = 101, .type = KMP_PING, .request = 1};
    cr_assert_eq(taken(inbox_of(100, false), &huge, NULL, 0), KT_ERR_FRAME_TOO_LARGE);
    KmpHeader zipped = {.length = 1, .type = KMP_PING, .flags = KMP_ZSTD, .request = 1};
    cr_assert_eq(taken(inbox_of(100, false), &zipped, NULL, 0), KT_ERR_NOT_SUPPORTED);
    KmpHeader hollow = {.length = 0, .type = KMP_PING, .flags = KMP_MORE_FRAMES, .request = 1};
    cr_assert_eq(taken(inbox_of(100, false), &hollow, NULL, 0), KT_ERR_PROTOCOL);
}

Test(protocol_frame, a_changed_byte_is_caught_when_checks_are_agreed)
{
    const uint8_t payload[1] = {0x80};
    KmpHeader h = {.length = 1, .type = KMP_PING, .flags = KMP_CHECKED, .request = 1};
    h.check = kt_kmp_check(&h, payload);
    cr_assert_eq(taken(inbox_of(100, true), &h, payload, 1), KT_OK);
    cr_assert_eq(taken(inbox_of(100, true), &h, (const uint8_t *)"\x81", 1), KT_ERR_PROTOCOL);
    h.request = 2;
    cr_assert_eq(taken(inbox_of(100, true), &h, payload, 1), KT_ERR_PROTOCOL);
    cr_assert_eq(taken(inbox_of(100, false), &h, payload, 1), KT_ERR_PROTOCOL,
                 "a check that was not agreed");
}

Test(protocol_frame, frames_of_two_messages_never_mix)
{
    KtBuf out = {0};
    const KmpWire wire = {.frame_most = 4};
    put_message(&out, &wire, 8, 1);
    out.data[2 * KMP_HEADER + 4 - KMP_HEADER + 11] ^= 1; /* request of the second frame */
    KmpInbox inbox = inbox_of(100, false);
    size_t used, need;
    KmpMessage m;
    bool got;
    cr_assert_eq(kt_kmp_inbox_next(&inbox, out.data, out.len, NULL, &used, &need, &m, &got),
                 KT_ERR_PROTOCOL);
    kt_kmp_inbox_close(&inbox);
    kt_buf_close(&out);
}

Test(protocol_frame, a_message_of_many_frames_is_bounded)
{
    KtBuf out = {0};
    const KmpWire wire = {.frame_most = 100};
    put_message(&out, &wire, 1000, 1);
    KmpInbox inbox = inbox_of(100, false);
    inbox.message_most = 999;
    size_t used, need;
    KmpMessage m;
    bool got;
    cr_assert_eq(kt_kmp_inbox_next(&inbox, out.data, out.len, NULL, &used, &need, &m, &got),
                 KT_ERR_FRAME_TOO_LARGE);
    kt_kmp_inbox_close(&inbox);
    kt_buf_close(&out);
}
