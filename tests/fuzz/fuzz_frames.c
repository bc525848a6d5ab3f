/* tests/fuzz/fuzz_frames.c - a stranger's bytes as a connection: frames, then every message read both as a
 * request and as a response, and what could be read written again. */
#include "protocol/kmp/request.h"
#include "protocol/kmp/response.h"
#include "tests/fuzz/fuzz_target.h"

enum { MEMORY = 64 * 1024 * 1024 };

static void again(const KmpMessage *m, KtArena *arena)
{
    const KmpWire wire = {.frame_most = KMP_FRAME_HELLO};
    KtBuf out = {0};
    KtDiag diag = {0};
    KmpRequest request;
    KmpResponse response;
    if (kt_kmp_request_decode(m, arena, &diag, &request) == KT_OK) {
        KtStatus status = kt_kmp_request_encode(&out, &wire, &request, &diag);
        KT_CHECK(status == KT_OK || status == KT_ERR_NUMBER_OUT_OF_RANGE);
    } else {
        KT_CHECK(diag.message[0]);
    }
    kt_buf_clear(&out);
    kt_diag_clear(&diag);
    if (kt_kmp_response_decode(m, arena, &diag, &response) == KT_OK) {
        if (response.type == KMP_ROWS) {
            KtValue row[2];
            while (response.as.rows.rows > 0 &&
                   kt_kmp_rows_next(&response.as.rows, arena, NULL, row, 2) == KT_OK) {
            }
        } else {
            KtStatus status = kt_kmp_response_encode(&out, &wire, &response, &diag);
            KT_CHECK(status == KT_OK || status == KT_ERR_NUMBER_OUT_OF_RANGE);
        }
    } else {
        KT_CHECK(diag.message[0]);
    }
    kt_buf_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    KtBudget budget;
    KtArena *arena;
    KmpPreamble preamble;
    kt_budget_init(&budget, NULL, MEMORY);
    KT_CHECK(kt_arena_open(&budget, &arena) == KT_OK);
    if (size >= KMP_PREAMBLE && kt_kmp_preamble_decode(data, NULL, &preamble) == KT_OK) {
        data += KMP_PREAMBLE;
        size -= KMP_PREAMBLE;
    }
    KmpInbox inbox = {
        .frame_most = KMP_FRAME_HELLO, .message_most = 1 << 20, .joined = {.budget = &budget}};
    for (;;) {
        size_t used, need;
        KmpMessage m;
        bool got;
        KtDiag diag = {0};
        if (kt_kmp_inbox_next(&inbox, data, size, &diag, &used, &need, &m, &got) != KT_OK) {
            KT_CHECK(diag.message[0]);
            break;
        }
        KT_CHECK(used <= size);
        data += used;
        size -= used;
        if (!got) {
            KT_CHECK(need > size);
            break;
        }
        again(&m, arena);
        kt_arena_reset(arena);
    }
    kt_kmp_inbox_close(&inbox);
    kt_arena_close(arena);
    KT_CHECK(atomic_load(&budget.used) == 0);
    return 0;
}
