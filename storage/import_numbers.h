/* storage/import_numbers.h - from the numbers in an import's files to provisional ids: 0, 1, 2... as they come.
 *
 * Starts as {0}. Small numbers are looked up in an array, others by hashing. */
#ifndef KT_STORAGE_IMPORT_NUMBERS_H
#define KT_STORAGE_IMPORT_NUMBERS_H

#include "base/diag.h"
#include "base/hash.h"

typedef struct KtImportNumbers {
    uint32_t *direct; /* id + 1; by number */
    uint64_t direct_cap;
    KtMap64 map;        /* number: id */
    uint32_t minus_one; /* id + 1 of the number -1, the one key that the map cannot hold */
    int64_t *number;    /* by id */
    uint32_t n, cap;
} KtImportNumbers;

/* False: this number has no id. */
bool kt_import_number_find(const KtImportNumbers *numbers, int64_t number, uint32_t *out);
/* Gives the next id to a number that has none. Errors: ID_RANGE, with words; MEMORY. */
KtStatus kt_import_number_add(KtImportNumbers *numbers, int64_t number, KtDiag *diag,
                              uint32_t *out) KT_MUST_CHECK;
void kt_import_numbers_close(KtImportNumbers *numbers);

#endif
