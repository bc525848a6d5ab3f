/* storage/import_numbers.c - the numbers of an import's nodes, in the order in which they are first seen. */
#include "storage/import_numbers.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *find_direct(const KtImportNumbers *numbers, int64_t number)
{
    return number >= 0 && (uint64_t)number < numbers->direct_cap ? &numbers->direct[number] : NULL;
}

bool kt_import_number_find(const KtImportNumbers *numbers, int64_t number, uint32_t *out)
{
    const uint32_t *direct = number == -1 ? &numbers->minus_one : find_direct(numbers, number);
    if (direct && *direct) {
        *out = *direct - 1;
        return true;
    }
    const uint64_t *slot =
        number != -1 && numbers->map.len ? kt_map64_get(&numbers->map, (uint64_t)number) : NULL;
    if (!slot)
        return false;
    *out = (uint32_t)*slot;
    return true;
}

/* Lets the array cover `number` where it is not much larger than there are nodes. */
static bool grow_direct(KtImportNumbers *numbers, int64_t number)
{
    if (number < 0 || (uint64_t)number / 4 > (uint64_t)numbers->n + (1 << 18))
        return true;
    uint64_t cap = numbers->direct_cap ? numbers->direct_cap : 1 << 16;
    while (cap <= (uint64_t)number)
        cap *= 2;
    if (cap == numbers->direct_cap)
        return true;
    uint32_t *grown = realloc(numbers->direct, cap * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + numbers->direct_cap, 0, (cap - numbers->direct_cap) * sizeof *grown);
    numbers->direct = grown;
    numbers->direct_cap = cap;
    return true;
}

KtStatus kt_import_number_add(KtImportNumbers *numbers, int64_t number, KtDiag *diag, uint32_t *out)
{
    if (numbers->n == UINT32_MAX - 1)
        return kt_diag_set(diag, KT_ERR_ID_RANGE, NULL,
                           "There are more nodes than a database can hold (2^32 - 2).");
    if (numbers->n == numbers->cap) {
        uint32_t cap =
            numbers->cap ? (numbers->cap < (1u << 30) ? numbers->cap * 2 : UINT32_MAX) : 1024;
        int64_t *grown = realloc(numbers->number, (size_t)cap * sizeof *grown);
        if (!grown)
            return KT_ERR_MEMORY;
        numbers->number = grown;
        numbers->cap = cap;
    }
    if (!grow_direct(numbers, number))
        return KT_ERR_MEMORY;
    uint32_t *direct = number == -1 ? &numbers->minus_one : find_direct(numbers, number),
             id = numbers->n;
    if (direct) {
        *direct = id + 1;
    } else {
        uint64_t *slot;
        bool made;
        KT_TRY(kt_map64_put(&numbers->map, (uint64_t)number, &slot, &made));
        *slot = id;
    }
    numbers->number[numbers->n++] = number;
    *out = id;
    return KT_OK;
}

void kt_import_numbers_close(KtImportNumbers *numbers)
{
    free(numbers->direct);
    free(numbers->number);
    kt_map64_close(&numbers->map);
}
