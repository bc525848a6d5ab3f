/* query/exec/rows.h - the one row store: sort, aggregate, barrier, join build and union keep their rows here.
 *
 * Copies the slots it was opened for, each as a typed column (a column whose kind changes on the way becomes
 * one of values), texts and boxes with all they point to. Rows are numbered from 0 in order of arrival. All memory
 * is charged to the query's budget and given back by kt_rows_close. */
#ifndef KT_QUERY_EXEC_ROWS_H
#define KT_QUERY_EXEC_ROWS_H

#include "query/exec/batch.h"

typedef struct KtRows KtRows;

/* `tags`: each row also has a number of the caller's (its argument row). Errors: KT_ERR_MEMORY. */
KtStatus kt_rows_open(KtBudget *budget, const KtSlot *slot, uint32_t slots, bool tags,
                      KtRows **out) KT_MUST_CHECK;
void kt_rows_close(KtRows *rows); /* NULL is allowed */
void kt_rows_clear(KtRows *rows);
uint32_t kt_rows_count(const KtRows *rows);
/* Appends rows row[0 .. n) of `level` (NULL: 0 .. n - 1). tag[i] of row i, by row of the level (NULL: the row
 * itself); read only if the store has tags. Errors: KT_ERR_MEMORY; LIMIT of 2^32 - 2 rows the same. */
KtStatus kt_rows_put(KtRows *rows, KtLevel *level, const uint16_t *row, uint32_t n,
                     const uint16_t *tag) KT_MUST_CHECK;
uint32_t kt_rows_tag(const KtRows *rows, uint32_t row);
/* Sets the store's slots as columns of `level`, whose row i is row[i] of the store. Values point into the store. */
KtStatus kt_rows_get(const KtRows *rows, const uint32_t *row, uint32_t n,
                     KtLevel *level) KT_MUST_CHECK;
KtValue kt_rows_value(const KtRows *rows, uint32_t column, uint32_t row);

#endif
