/* tests/fuzz/fuzz_values.c - a stranger's bytes as one value: what can be read is written, read and written
 * again, and the two writings must be the same bytes. */
#include "protocol/kmp/value_codec.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    KtBudget budget;
    KtArena *arena;
    KtDiag diag = {0};
    KtValue value, second;
    KtReader in = kt_reader(data, size);
    kt_budget_init(&budget, NULL, 0);
    KT_CHECK(kt_arena_open(&budget, &arena) == KT_OK);
    KtStatus status = kt_kmp_value_decode(&in, arena, &diag, &value);
    KT_CHECK(status == KT_OK || diag.message[0]);
    KT_CHECK(atomic_load(&budget.peak) <=
             64 * size + 64 * 1024); /* nothing is allocated on a count's word */
    if (status == KT_OK) {
        KtBuf once = {0}, twice = {0};
        status = kt_kmp_value_encode(&once, value, &diag);
        KT_CHECK(status == KT_OK || status == KT_ERR_NUMBER_OUT_OF_RANGE);
        if (status == KT_OK) {
            KtReader from = kt_reader(once.data, once.len);
            KT_CHECK(kt_kmp_value_decode(&from, arena, &diag, &second) == KT_OK &&
                     kt_reader_left(&from) == 0);
            KT_CHECK(kt_kmp_value_encode(&twice, second, &diag) == KT_OK);
            KT_CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
        }
        kt_buf_close(&once);
        kt_buf_close(&twice);
    }
    kt_arena_close(arena);
    return 0;
}
