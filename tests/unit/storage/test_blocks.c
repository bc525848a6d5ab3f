/* Memory of the graph cache's lists: what was given back is used again, whatever the sizes, within the limit. */
#include "storage/cache/blocks.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { MB = 1024 * 1024, MOST = 128 * MB };

/* AddressSanitizer builds take every block from malloc: there is nothing to count. */
#if defined(__SANITIZE_ADDRESS__)
#define CUTS false
#else
#define CUTS true
#endif

/* As many blocks of a size as there is room for, up to `most` bytes. */
static size_t fill(KtBlocks *blocks, uint32_t bytes, size_t most, KtSlotBlock **all)
{
    size_t n = 0;
    while ((n + 1) * bytes <= most && (all[n] = kt_blocks_make(blocks, bytes)) != NULL)
        n++;
    return n;
}

static void drop(KtBlocks *blocks, KtSlotBlock **all, size_t from, size_t n, size_t step)
{
    for (size_t i = from; i < n; i += step)
        kt_blocks_free(blocks, all[i]);
}

Test(storage_blocks, small_pieces_side_by_side_serve_large_requests)
{
    KtBlocks *blocks;
    cr_assert_eq(kt_blocks_open(MOST, &blocks), KT_OK);
    KtSlotBlock **all = calloc(MOST / 64, sizeof *all);
    size_t sizes[] = {64, 4096, 48, 60000, 1024, 64};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        uint32_t bytes = (uint32_t)sizes[k];
        size_t most = (size_t)MOST / 2, n = fill(blocks, bytes, most, all);
        cr_assert(n * bytes > most - most / 8, "%zu blocks of %u bytes, then none", n, bytes);
        drop(blocks, all, 0, n, 1);
        cr_assert(kt_blocks_touched(blocks) <= MOST, "%zu bytes touched",
                  kt_blocks_touched(blocks));
    }
    free((void *)all);
    kt_blocks_close(blocks);
}

Test(storage_blocks, beyond_the_limit_whoever_asks_goes_without)
{
    KtBlocks *blocks;
    cr_assert_eq(kt_blocks_open(MOST, &blocks), KT_OK);
    KtSlotBlock **all = calloc(MOST / 64, sizeof *all);
    size_t n = fill(blocks, 1024, CUTS ? (size_t)MOST * 2 : MB, all);
    if (!CUTS) {
        cr_assert_eq(n, MB / 1024); /* the system's limit is the only one */
        drop(blocks, all, 0, n, 1);
        free((void *)all);
        kt_blocks_close(blocks);
        return;
    }
    cr_assert(n * 1024 > MOST - MB && n * 1024 <= MOST);
    cr_assert_null(kt_blocks_make(blocks, 1024));
    drop(blocks, all, 0, n, 2); /* every other one: no two side by side */
    cr_assert_null(kt_blocks_make(blocks, 2048));
    KtSlotBlock *again = kt_blocks_make(blocks, 1000);
    cr_assert_not_null(again);
    kt_blocks_free(blocks, again);
    drop(blocks, all, 1, n, 2);
    again = kt_blocks_make(blocks, 2048);
    cr_assert_not_null(again);
    kt_blocks_free(blocks, again);
    free((void *)all);
    kt_blocks_close(blocks);
}
