/* The growing buffer and the bounded reader. */
#include "base/buf.h"

#include <criterion/criterion.h>

Test(base_buf, what_was_put_is_read_back)
{
    KtBuf buf = {0};
    kt_buf_u8(&buf, 7);
    kt_buf_le16(&buf, 0x1234);
    kt_buf_be16(&buf, 0x1234);
    kt_buf_le32(&buf, 0xDEADBEEF);
    kt_buf_be32(&buf, 0xDEADBEEF);
    kt_buf_le64(&buf, 0x0102030405060708);
    kt_buf_be64(&buf, 0x0102030405060708);
    kt_buf_put(&buf, "text", 4);
    cr_assert_eq(buf.data[3], 0x12, "big-endian puts the high byte first");
    KtReader r = kt_reader(buf.data, buf.len);
    cr_assert_eq(kt_read_u8(&r), 7);
    cr_assert_eq(kt_read_le16(&r), 0x1234);
    cr_assert_eq(kt_read_be16(&r), 0x1234);
    cr_assert_eq(kt_read_le32(&r), 0xDEADBEEF);
    cr_assert_eq(kt_read_be32(&r), 0xDEADBEEF);
    cr_assert_eq(kt_read_le64(&r), 0x0102030405060708);
    cr_assert_eq(kt_read_be64(&r), 0x0102030405060708);
    cr_assert_eq(memcmp(kt_read_bytes(&r, 4), "text", 4), 0);
    cr_assert_eq(kt_reader_left(&r), 0);
    cr_assert_not(r.bad);
    kt_buf_close(&buf);
}

Test(base_buf, varints_read_back_at_every_width)
{
    KtBuf buf = {0};
    for (int shift = 0; shift < 64; shift++) {
        kt_buf_varint(&buf, (uint64_t)1 << shift);
        kt_buf_varint(&buf, ((uint64_t)1 << shift) - 1);
    }
    kt_buf_varint(&buf, UINT64_MAX);
    KtReader r = kt_reader(buf.data, buf.len);
    for (int shift = 0; shift < 64; shift++) {
        cr_assert_eq(kt_read_varint(&r), (uint64_t)1 << shift);
        cr_assert_eq(kt_read_varint(&r), ((uint64_t)1 << shift) - 1);
    }
    cr_assert_eq(kt_read_varint(&r), UINT64_MAX);
    cr_assert_not(r.bad);
    cr_assert_eq(kt_reader_left(&r), 0);
    kt_buf_close(&buf);
}

Test(base_buf, a_varint_of_more_than_64_bits_is_bad)
{
    uint8_t wide[11];
    memset(wide, 0xFF, sizeof wide);
    KtReader r = kt_reader(wide, sizeof wide);
    (void)kt_read_varint(&r);
    cr_assert(r.bad);
}

Test(base_buf, reading_past_the_end_latches_bad)
{
    KtReader r = kt_reader("abc", 3);
    cr_assert_eq(kt_read_le32(&r), 0);
    cr_assert(r.bad);
    cr_assert_eq(kt_read_u8(&r), 0, "bad stays, though bytes are left");
    cr_assert_null(kt_read_bytes(&r, 0));
}

Test(base_buf, a_full_budget_fails_without_change)
{
    KtBudget budget;
    kt_budget_init(&budget, NULL, 100);
    KtBuf buf = {.budget = &budget};
    for (int i = 0; i < 64; i++)
        kt_buf_u8(&buf, (uint8_t)i);
    kt_buf_be64(&buf, 1);
    cr_assert(buf.failed);
    cr_assert_eq(kt_buf_status(&buf), KT_ERR_MEMORY);
    cr_assert_eq(buf.len, 64);
    kt_buf_close(&buf);
    cr_assert_eq(atomic_load(&budget.used), 0);
}
