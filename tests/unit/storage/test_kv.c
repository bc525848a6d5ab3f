/* One contract for every back end of the key-value door; each test runs on memory, on RocksDB, and on both behind the
 * fault wrapper. */
#include "tests/unit/storage/kv_store.h"
#include "tests/unit/storage/random.h"

#include <pthread.h>

TestSuite(storage_kv, .init = make_folder, .fini = clear_folder);

Test(storage_kv, a_batch_is_seen_whole_and_in_its_order)
{
    EACH(kv)
    {
        KtKvBatch b = {0};
        kt_kv_put(&b, PLAIN, s("a"), s("1"));
        kt_kv_put(&b, PLAIN, s("b"), s(""));
        kt_kv_put(&b, PLAIN, s("a"), s("2"));
        kt_kv_put(&b, PLAIN, s("c"), s("3"));
        kt_kv_delete(&b, PLAIN, s("c"));
        kt_kv_delete(&b, PLAIN, s("never"));
        kt_kv_put(&b, JOINED, s("a"), s("x"));
        kt_kv_merge(&b, JOINED, s("a"), s("y"));
        kt_kv_merge(&b, JOINED, s("z"), s("q"));
        cr_assert_eq(b.count, 9);
        write_now(kv, &b);
        kt_kv_batch_close(&b);
        expect(kv, NULL, PLAIN, "a", "2");
        expect(kv, NULL, PLAIN, "b", "");
        expect(kv, NULL, PLAIN, "c", NULL);
        expect(kv, NULL, JOINED, "a", "x,y");
        expect(kv, NULL, JOINED, "z", "q");
    }
}

Test(storage_kv, a_snapshot_never_changes)
{
    EACH(kv)
    {
        KtKvSnapshot *before, *after;
        put(kv, PLAIN, "a", "1");
        merge(kv, JOINED, "m", "1");
        cr_assert_eq(kt_kv_snapshot(kv, &before), KT_OK);
        put(kv, PLAIN, "a", "2");
        put(kv, PLAIN, "n", "new");
        merge(kv, JOINED, "m", "2");
        cr_assert_eq(kt_kv_snapshot(kv, &after), KT_OK);
        KtKvBatch b = {0};
        kt_kv_delete_range(&b, PLAIN, s("a"), s("z"));
        kt_kv_delete(&b, JOINED, s("m"));
        write_now(kv, &b);
        kt_kv_batch_close(&b);
        expect(kv, before, PLAIN, "a", "1");
        expect(kv, before, PLAIN, "n", NULL);
        expect(kv, before, JOINED, "m", "1");
        expect(kv, after, PLAIN, "a", "2");
        expect(kv, after, JOINED, "m", "1,2");
        expect(kv, NULL, PLAIN, "a", NULL);
        kt_kv_snapshot_release(kv, before);
        expect(kv, after, PLAIN, "n", "new");
        kt_kv_snapshot_release(kv, after);
        put(kv, PLAIN, "b", "3");
        expect(kv, NULL, PLAIN, "n", NULL);
    }
}

Test(storage_kv, merges_keep_their_order_over_flushes_and_reopen)
{
    EACH(kv)
    {
        put(kv, JOINED, "k", "0");
        char want[2000] = "0";
        for (int i = 1; i < 200; i++) { /* beyond max_successive_merges */
            char op[8];
            snprintf(op, sizeof op, i % 7 ? "%d" : "!%d", i);
            merge(kv, JOINED, "k", op);
            snprintf(want + strlen(want), sizeof want - strlen(want), ",%s", op);
            if (i % 60 == 0)
                cr_assert_eq(kt_kv_flush(kv, NULL), KT_OK);
        }
        expect(kv, NULL, JOINED, "k", want);
    }
}

Test(storage_kv, iterators_stay_in_their_prefix_and_see_one_moment)
{
    EACH(kv)
    {
        const char *keys[] = {"aa1", "aa2", "ab1", "ab2", "ab3", "b", "bb1"};
        for (size_t i = 0; i < KT_COUNT(keys); i++) {
            put(kv, PLAIN, keys[i], keys[i] + 1);
            if (strlen(keys[i]) > 2)
                put(kv, PREFIXED, keys[i], keys[i] + 1);
        }
        cr_assert_eq(kt_kv_flush(kv, NULL), KT_OK);
        for (uint32_t family = PLAIN; family <= PREFIXED; family += 2) {
            KtKvIter *it;
            cr_assert_eq(kt_kv_iter_open(kv, NULL, family, 0, &it), KT_OK);
            KtKvBatch b = {0};
            kt_kv_put(&b, family, s("ab9"), s("late"));
            kt_kv_delete(&b, family, s("ab1"));
            write_now(kv, &b);
            kt_kv_batch_close(&b);
            cr_assert_eq(kt_kv_iter_prefix(it, s("ab"), kt_span(NULL, 0)), KT_OK);
            expect_rest(it, "ab1=b1 ab2=b2 ab3=b3");
            cr_assert_eq(kt_kv_iter_prefix(it, s("ab"), s("ab2")), KT_OK);
            expect_rest(it, "ab2=b2 ab3=b3");
            cr_assert_eq(kt_kv_iter_prefix(it, s("aa"), kt_span(NULL, 0)), KT_OK);
            expect_rest(it, "aa1=a1 aa2=a2");
            cr_assert_eq(kt_kv_iter_prefix(it, s("zz"), kt_span(NULL, 0)), KT_OK);
            cr_assert_not(kt_kv_iter_valid(it));
            kt_kv_iter_close(it);
            cr_assert_eq(kt_kv_iter_open(kv, NULL, family, KT_KV_TOTAL_ORDER | KT_KV_NO_CACHE, &it),
                         KT_OK);
            cr_assert_eq(kt_kv_iter_seek(it, s("ab")), KT_OK);
            expect_rest(it, family == PLAIN ? "ab2=b2 ab3=b3 ab9=late b= bb1=b1"
                                            : "ab2=b2 ab3=b3 ab9=late bb1=b1");
            cr_assert_eq(kt_kv_iter_seek_before(it, s("ab2")), KT_OK);
            cr_assert(kt_kv_iter_valid(it) && memcmp(kt_kv_iter_key(it).at, "aa2", 3) == 0);
            cr_assert_eq(kt_kv_iter_seek_before(it, kt_span(NULL, 0)), KT_OK);
            cr_assert(kt_kv_iter_valid(it) && memcmp(kt_kv_iter_key(it).at, "bb1", 3) == 0);
            cr_assert_eq(kt_kv_iter_seek_before(it, s("aa1")), KT_OK);
            cr_assert_not(kt_kv_iter_valid(it));
            kt_kv_iter_close(it);
        }
    }
}

Test(storage_kv, ranges_are_deleted_up_to_their_end)
{
    EACH(kv)
    {
        for (int i = 0; i < 9; i++)
            put(kv, PLAIN, (char[]){'k', (char)('0' + i), 0}, "v");
        KtKvBatch b = {0};
        kt_kv_delete_range(&b, PLAIN, s("k2"), s("k7"));
        kt_kv_delete_range(&b, PLAIN, s("k8"), s("k8"));
        kt_kv_put(&b, PLAIN, s("k4"), s("again"));
        write_now(kv, &b);
        kt_kv_batch_close(&b);
        KtKvIter *it;
        cr_assert_eq(kt_kv_iter_open(kv, NULL, PLAIN, 0, &it), KT_OK);
        cr_assert_eq(kt_kv_iter_seek(it, kt_span(NULL, 0)), KT_OK);
        expect_rest(it, "k0=v k1=v k4=again k7=v k8=v");
        kt_kv_iter_close(it);
    }
}

Test(storage_kv, many_gets_equal_single_ones_sorted_or_not)
{
    EACH(kv)
    {
        char text[600][16];
        KtSpan key[600];
        KtKvValue value[600];
        KtKvBatch b = {0};
        for (int i = 0; i < 600; i++) {
            snprintf(text[i], 16, "%05d", i);
            key[i] = s(text[i]);
            if (i % 3)
                kt_kv_put(&b, PLAIN, key[i], key[i]);
        }
        write_now(kv, &b);
        kt_kv_batch_close(&b);
        cr_assert_eq(kt_kv_flush(kv, NULL), KT_OK);
        for (int pass = 0; pass < 3; pass++) {
            if (pass == 1) /* a broken promise of order must not matter */
                for (int i = 0; i < 300; i++) {
                    KtSpan swap = key[i];
                    key[i] = key[599 - i];
                    key[599 - i] = swap;
                }
            if (pass == 2)
                key[5] = key[6];
            cr_assert_eq(kt_kv_multi_get(kv, NULL, PLAIN, 600, key, true, value), KT_OK);
            for (int i = 0; i < 600; i++) {
                bool there = atoi((const char *)key[i].at) % 3 != 0;
                cr_assert_eq(value[i].bytes.at != NULL, there);
                cr_assert(!there || memcmp(value[i].bytes.at, key[i].at, 5) == 0);
                kt_kv_release(&value[i]);
            }
        }
    }
}

Test(storage_kv, a_value_outlives_what_is_written_over_it)
{
    EACH(kv)
    {
        KtKvValue value;
        put(kv, PLAIN, "a", "old");
        cr_assert_eq(kt_kv_get(kv, NULL, PLAIN, s("a"), &value), KT_OK);
        for (int i = 0; i < 100; i++)
            put(kv, PLAIN, "a", "new");
        KtKvBatch b = {0};
        kt_kv_delete(&b, PLAIN, s("a"));
        write_now(kv, &b);
        kt_kv_batch_close(&b);
        cr_assert(value.bytes.len == 3 && memcmp(value.bytes.at, "old", 3) == 0);
        kt_kv_release(&value);
    }
}

Test(storage_kv, a_failed_write_leaves_nothing_and_a_failed_sync_may_leave_all)
{
    for (int kind = 2; kind < BACK_ENDS; kind++) {
        KtKv *kv = open_kind(kind);
        KtKvBatch b = {0};
        KtDiag diag = {0};
        put(kv, PLAIN, "a", "1");
        kt_kv_put(&b, PLAIN, s("a"), s("2"));
        kt_kv_put(&b, PLAIN, s("b"), s("2"));
        kt_kv_fault_set(kv, KT_FAULT_WRITE, 0, false);
        cr_assert_eq(kt_kv_write(kv, &b, true, &diag), KT_ERR_IO);
        cr_assert(diag.message[0]);
        expect(kv, NULL, PLAIN, "a", "1");
        expect(kv, NULL, PLAIN, "b", NULL);
        kt_kv_fault_set(kv, KT_FAULT_SYNC, 1, true);
        cr_assert_eq(kt_kv_write(kv, &b, true, &diag), KT_OK);
        cr_assert_eq(kt_kv_write(kv, &b, true, &diag), KT_ERR_IO);
        cr_assert_eq(kt_kv_write(kv, &b, true, &diag), KT_ERR_IO);
        cr_assert_eq(kt_kv_write(kv, &b, false, &diag), KT_OK);
        expect(kv, NULL, PLAIN, "b", "2");
        kt_kv_fault_set(kv, KT_FAULT_SYNC, UINT64_MAX, false);
        cr_assert_eq(kt_kv_fault_hits(kv, KT_FAULT_WRITE), 1);
        cr_assert_eq(kt_kv_fault_hits(kv, KT_FAULT_SYNC), 2);
        kt_kv_batch_close(&b);
        kt_kv_close(kv);
    }
}

Test(storage_kv, every_kind_of_read_can_be_made_to_fail_and_recovers)
{
    for (int kind = 2; kind < BACK_ENDS; kind++) {
        KtKv *kv = open_kind(kind);
        put(kv, PLAIN, "a", "1");
        put(kv, PLAIN, "b", "2");
        int failures = 0;
        for (uint64_t nth = 0;; nth++) {
            KtKvSnapshot *at = NULL;
            KtKvIter *it = NULL;
            KtKvValue value[2] = {{{0}, NULL, NULL}};
            KtSpan key[2] = {s("a"), s("b")};
            kt_kv_fault_set(kv, KT_FAULT_READ, nth, false);
            KtStatus status = kt_kv_snapshot(kv, &at);
            if (status == KT_OK)
                status = kt_kv_get(kv, at, PLAIN, key[0], &value[0]);
            kt_kv_release(&value[0]);
            if (status == KT_OK)
                status = kt_kv_multi_get(kv, at, PLAIN, 2, key, true, value);
            if (status == KT_OK)
                status = kt_kv_iter_open(kv, at, PLAIN, 0, &it);
            if (status == KT_OK)
                status = kt_kv_iter_seek(it, kt_span(NULL, 0));
            if (status == KT_OK)
                status = kt_kv_iter_next(it);
            cr_assert(status == KT_OK || !it || !kt_kv_iter_valid(it));
            kt_kv_release(&value[0]);
            kt_kv_release(&value[1]);
            kt_kv_iter_close(it);
            kt_kv_snapshot_release(kv, at);
            if (status == KT_OK)
                break;
            cr_assert_eq(status, KT_ERR_IO);
            failures++;
        }
        cr_assert_eq(failures, 6);
        kt_kv_close(kv);
    }
}

/* Against a plain model of 40 keys, with old snapshots alive. */
Test(storage_kv, random_histories_equal_a_plain_model)
{
    EACH(kv)
    {
        enum { KEYS = 40, SNAPS = 4 };
        uint64_t seed = 5;
        uint32_t now[KEYS] = {0}, old[SNAPS][KEYS];
        KtKvSnapshot *snap[SNAPS] = {NULL};
        for (int step = 0; step < 1500; step++) {
            KtKvBatch b = {0};
            for (uint32_t i = 0, n = 1 + random_below(&seed, 4); i < n; i++) {
                uint32_t k = random_below(&seed, KEYS), to = k + random_below(&seed, 6),
                         v = 1 + random_below(&seed, 1000000);
                uint8_t key[2] = {'k', (uint8_t)k}, end[2] = {'k', (uint8_t)to};
                switch (random_below(&seed, 4)) {
                case 0:
                    kt_kv_delete(&b, PLAIN, kt_span(key, 2));
                    now[k] = 0;
                    break;
                case 1:
                    kt_kv_delete_range(&b, PLAIN, kt_span(key, 2), kt_span(end, 2));
                    for (uint32_t j = k; j < to && j < KEYS; j++)
                        now[j] = 0;
                    break;
                default: kt_kv_put(&b, PLAIN, kt_span(key, 2), kt_span(&v, 4)); now[k] = v;
                }
            }
            cr_assert_eq(kt_kv_write(kv, &b, false, NULL), KT_OK);
            kt_kv_batch_close(&b);
            uint32_t s_at = random_below(&seed, SNAPS * 8);
            if (s_at < SNAPS) {
                kt_kv_snapshot_release(kv, snap[s_at]);
                cr_assert_eq(kt_kv_snapshot(kv, &snap[s_at]), KT_OK);
                memcpy(old[s_at], now, sizeof now);
            }
            uint32_t look = random_below(&seed, SNAPS + 1);
            if (look < SNAPS && !snap[look])
                look = SNAPS;
            const uint32_t *model = look == SNAPS ? now : old[look];
            KtKvIter *it;
            cr_assert_eq(kt_kv_iter_open(kv, look == SNAPS ? NULL : snap[look], PLAIN, 0, &it),
                         KT_OK);
            cr_assert_eq(kt_kv_iter_prefix(it, s("k"), kt_span(NULL, 0)), KT_OK);
            for (uint32_t k = 0; k < KEYS; k++) {
                if (!model[k])
                    continue;
                cr_assert(kt_kv_iter_valid(it) && kt_kv_iter_key(it).at[1] == k &&
                              memcmp(kt_kv_iter_value(it).at, &model[k], 4) == 0,
                          "back end %d step %d key %u", kind_, step, k);
                cr_assert_eq(kt_kv_iter_next(it), KT_OK);
            }
            cr_assert_not(kt_kv_iter_valid(it));
            kt_kv_iter_close(it);
        }
        for (int i = 0; i < SNAPS; i++)
            kt_kv_snapshot_release(kv, snap[i]);
    }
}

Test(storage_kv, memory_gives_back_what_nobody_can_see)
{
    KtKv *kv = open_kind(0);
    char big[1000];
    memset(big, 'x', sizeof big);
    KtKvBatch b = {0};
    for (int i = 0; i < 5000; i++) {
        uint8_t key[4];
        kt_store_be32(key, (uint32_t)i);
        kt_kv_put(&b, PLAIN, kt_span(key, 4), kt_span(big, sizeof big));
        if (i >= 10) {
            kt_store_be32(key, (uint32_t)(i - 10));
            kt_kv_delete(&b, PLAIN, kt_span(key, 4));
        }
        write_now(kv, &b);
    }
    cr_assert_leq(kt_kv_bytes(kv, PLAIN), 11 * 1004);
    kt_kv_batch_close(&b);
    kt_kv_close(kv);
}

typedef struct Racer {
    KtKv *kv;
    atomic_bool stop;
    atomic_uint wrong;
} Racer;

/* A writer keeps two keys equal in each batch; a reader must never see them differ. */
static void *read_pairs(void *user)
{
    Racer *r = user;
    while (!atomic_load(&r->stop)) {
        KtKvSnapshot *at;
        KtKvValue a = {0}, b = {0};
        if (kt_kv_snapshot(r->kv, &at) != KT_OK ||
            kt_kv_get(r->kv, at, PLAIN, s("a"), &a) != KT_OK ||
            kt_kv_get(r->kv, at, PLAIN, s("b"), &b) != KT_OK || a.bytes.len != b.bytes.len ||
            memcmp(a.bytes.at, b.bytes.at, a.bytes.len) != 0)
            atomic_fetch_add(&r->wrong, 1);
        KtKvIter *it;
        if (kt_kv_iter_open(r->kv, at, PLAIN, 0, &it) != KT_OK ||
            kt_kv_iter_seek(it, kt_span(NULL, 0)) != KT_OK)
            atomic_fetch_add(&r->wrong, 1);
        int seen = 0;
        while (kt_kv_iter_valid(it)) {
            seen++;
            if (kt_kv_iter_next(it) != KT_OK)
                atomic_fetch_add(&r->wrong, 1);
        }
        if (seen != 3)
            atomic_fetch_add(&r->wrong, 1);
        kt_kv_iter_close(it);
        kt_kv_release(&a);
        kt_kv_release(&b);
        kt_kv_snapshot_release(r->kv, at);
    }
    return NULL;
}

Test(storage_kv, readers_beside_a_writer_never_see_half_a_batch)
{
    for (int kind = 0; kind < 2; kind++) {
        Racer racer = {.kv = open_kind(kind)};
        pthread_t thread[2];
        KtKvBatch b = {0};
        kt_kv_put(&b, PLAIN, s("a"), s("0"));
        kt_kv_put(&b, PLAIN, s("b"), s("0"));
        kt_kv_put(&b, PLAIN, s("t0"), s("0"));
        write_now(racer.kv, &b);
        for (int i = 0; i < 2; i++)
            cr_assert_eq(pthread_create(&thread[i], NULL, read_pairs, &racer), 0);
        for (int i = 1; i < 2000; i++) {
            char text[16], old[16], new[16];
            snprintf(text, sizeof text, "%d", i);
            snprintf(old, sizeof old, "t%d", i - 1);
            snprintf(new, sizeof new, "t%d", i);
            kt_kv_put(&b, PLAIN, s("a"), s(text));
            kt_kv_delete(&b, PLAIN, s(old));
            kt_kv_put(&b, PLAIN, s(new), s(text));
            kt_kv_put(&b, PLAIN, s("b"), s(text));
            cr_assert_eq(kt_kv_write(racer.kv, &b, false, NULL), KT_OK);
            kt_kv_batch_clear(&b);
        }
        atomic_store(&racer.stop, true);
        for (int i = 0; i < 2; i++)
            pthread_join(thread[i], NULL);
        cr_assert_eq(atomic_load(&racer.wrong), 0);
        kt_kv_batch_close(&b);
        kt_kv_close(racer.kv);
    }
}
