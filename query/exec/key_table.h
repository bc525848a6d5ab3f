/* query/exec/key_table.h - a hash table of encoded keys, for grouping, DISTINCT and joins.
 *
 * Each distinct key gets a number, from 0 in order of arrival. A key is built value by value between begin and end;
 * its bytes are those of base/key.h, so equal bytes are equivalent values. Memory is charged to the budget. */
#ifndef KT_QUERY_EXEC_KEY_TABLE_H
#define KT_QUERY_EXEC_KEY_TABLE_H

#include "base/value.h"

typedef struct KtKeyTable KtKeyTable;

KtStatus kt_key_table_open(KtBudget *budget, KtKeyTable **out) KT_MUST_CHECK;
void kt_key_table_close(KtKeyTable *table); /* NULL is allowed */
void kt_key_table_clear(KtKeyTable *table);
uint32_t kt_key_table_count(const KtKeyTable *table);

void kt_key_table_begin(KtKeyTable *table);
void kt_key_table_number(KtKeyTable *table,
                         uint32_t n); /* a plain number, such as an argument row */
void kt_key_table_put(KtKeyTable *table, KtValue value);
/* The key's number, made if it is new. Errors: KT_ERR_MEMORY. */
KtStatus kt_key_table_end(KtKeyTable *table, uint32_t *out, bool *fresh) KT_MUST_CHECK;
/* The key's number, or UINT32_MAX. */
KtStatus kt_key_table_find(KtKeyTable *table, uint32_t *out) KT_MUST_CHECK;
/* One value as a whole key. */
KtStatus kt_key_table_add(KtKeyTable *table, KtValue value) KT_MUST_CHECK;

#endif
