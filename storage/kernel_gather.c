/* storage/kernel_gather.c - values of many nodes out of column pages, or their sum, in one tight loop for each width.
 *
 * Per value: an id, a page's address (in the first-level cache), the value. Pages of bytes instead of 8-byte numbers:
 * 2 hops over 1 M edges and 50 k nodes gather in 0.6 ns a value instead of 1.4. */
#include "storage/fetch_internal.h"

#include <string.h>

/* Ids in blocks of eight: one test of all their pages, so that the loads of the values do not wait for branches. */
#define GATHER(type)                                                                     \
    do {                                                                                 \
        uint32_t i = from;                                                               \
        for (; i + 8 <= n; i += 8) {                                                     \
            const type *page[8];                                                         \
            bool all = true;                                                             \
            for (uint32_t k = 0; k < 8; k++) {                                           \
                uint32_t number = id[i + k] >> KT_PAGE_BITS;                             \
                page[k] = number < pages ? dense[number] : NULL;                         \
                all &= page[k] != NULL;                                                  \
            }                                                                            \
            if (KT_UNLIKELY(!all))                                                       \
                break;                                                                   \
            for (uint32_t k = 0; k < 8; k++)                                             \
                out[i + k] = (int64_t)page[k][id[i + k] & (KT_PAGE_ROWS - 1)];           \
        }                                                                                \
        for (; i < n; i++) {                                                             \
            uint32_t number = id[i] >> KT_PAGE_BITS;                                     \
            if (number >= pages || !dense[number])                                       \
                break;                                                                   \
            out[i] = (int64_t)((const type *)dense[number])[id[i] & (KT_PAGE_ROWS - 1)]; \
        }                                                                                \
        return i;                                                                        \
    } while (0)

uint32_t kt_gather_pages(const void *const *dense, uint32_t pages, uint8_t width,
                         const uint32_t *id, uint32_t from, uint32_t n, int64_t *out)
{
    switch (width) {
    case 1: GATHER(uint8_t);
    case 4: GATHER(int32_t);
    case 8: GATHER(int64_t);
    default: return from;
    }
}

KT_CLONES uint32_t kt_gather_most(const uint32_t *id, uint32_t n)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < n; i++)
        most = id[i] > most ? id[i] : most;
    return most;
}

#define FLAT(type)                   \
    for (uint32_t i = 0; i < n; i++) \
    out[i] = (int64_t)((const type *)value[id[i] >> KT_PAGE_BITS])[id[i] & (KT_PAGE_ROWS - 1)]

void kt_gather_flat(const void *const *value, uint8_t width, const uint32_t *id, uint32_t n,
                    int64_t *out)
{
    switch (width) {
    case 1: FLAT(uint8_t); break;
    case 4: FLAT(int32_t); break;
    default: FLAT(int64_t); break;
    }
}

static KT_CLONES void widen_bytes(const uint8_t *from, uint32_t n, int64_t *out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = from[i];
}
static KT_CLONES void widen_halves(const int32_t *from, uint32_t n, int64_t *out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = from[i];
}

void kt_gather_run(const void *const *value, uint8_t width, uint32_t first, uint32_t n,
                   int64_t *out)
{
    while (n > 0) { /* page by page */
        uint32_t row = first & (KT_PAGE_ROWS - 1), part = KT_PAGE_ROWS - row;
        const char *from = (const char *)value[first >> KT_PAGE_BITS] + (size_t)row * width;
        if (part > n)
            part = n;
        switch (width) {
        case 1: widen_bytes((const uint8_t *)from, part, out); break;
        case 4: widen_halves((const int32_t *)(const void *)from, part, out); break;
        default: memcpy(out, from, part * sizeof *out); break;
        }
        first += part;
        out += part;
        n -= part;
    }
}

/* ---- sums: the same walk, but nothing is written. They wrap: `most` tells whether they could have ---- */

#define BITS(x) ((uint64_t)(x) ^ (uint64_t)((x) >> 63))

#define SUM_FLAT(type, bits)                                                                      \
    do {                                                                                          \
        uint64_t a = 0, b = 0;                                                                    \
        uint32_t i = 0;                                                                           \
        for (; i + 2 <= n; i += 2) {                                                              \
            int64_t x = ((const type *)value[id[i] >> KT_PAGE_BITS])[id[i] & (KT_PAGE_ROWS - 1)]; \
            int64_t y =                                                                           \
                ((const type *)value[id[i + 1] >> KT_PAGE_BITS])[id[i + 1] & (KT_PAGE_ROWS - 1)]; \
            a += (uint64_t)x;                                                                     \
            b += (uint64_t)y;                                                                     \
            if (bits)                                                                             \
                *most |= BITS(x) | BITS(y);                                                       \
        }                                                                                         \
        if (i < n) {                                                                              \
            int64_t x = ((const type *)value[id[i] >> KT_PAGE_BITS])[id[i] & (KT_PAGE_ROWS - 1)]; \
            a += (uint64_t)x;                                                                     \
            if (bits)                                                                             \
                *most |= BITS(x);                                                                 \
        }                                                                                         \
        return (int64_t)(a + b);                                                                  \
    } while (0)

int64_t kt_sum_flat(const void *const *value, uint8_t width, const uint32_t *id, uint32_t n,
                    uint64_t *most)
{
    switch (width) {
    case 1: SUM_FLAT(uint8_t, false);
    case 4: SUM_FLAT(int32_t, false);
    default: SUM_FLAT(int64_t, true);
    }
}

#define SUM_PAGES(type, bits)                                                      \
    do {                                                                           \
        uint64_t all = 0;                                                          \
        uint32_t i = from;                                                         \
        for (; i < n; i++) {                                                       \
            uint32_t number = id[i] >> KT_PAGE_BITS;                               \
            if (number >= pages || !dense[number])                                 \
                break;                                                             \
            int64_t x = ((const type *)dense[number])[id[i] & (KT_PAGE_ROWS - 1)]; \
            all += (uint64_t)x;                                                    \
            if (bits)                                                              \
                *most |= BITS(x);                                                  \
        }                                                                          \
        *sum = (int64_t)((uint64_t)*sum + all);                                    \
        return i;                                                                  \
    } while (0)

uint32_t kt_sum_pages(const void *const *dense, uint32_t pages, uint8_t width, const uint32_t *id,
                      uint32_t from, uint32_t n, int64_t *sum, uint64_t *most)
{
    switch (width) {
    case 1: SUM_PAGES(uint8_t, false);
    case 4: SUM_PAGES(int32_t, false);
    case 8: SUM_PAGES(int64_t, true);
    default: return from;
    }
}
