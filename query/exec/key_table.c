/* query/exec/key_table.c - open addressing over (hash, number), key bytes in one buffer. */
#include "query/exec/key_table.h"

#include "base/hash.h"
#include "base/key.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

typedef struct Slot {
    uint32_t hash;   /* upper half; with number tells most strangers apart */
    uint32_t number; /* + 1; 0: free */
} Slot;

struct KtKeyTable {
    KtBudget *budget;
    Slot *slot;
    uint32_t slots, count;
    KtBuf key;   /* the key being built */
    KtBuf bytes; /* of all keys, one behind the other */
    size_t *end; /* of key i in bytes */
    uint32_t end_cap;
};

KtStatus kt_key_table_open(KtBudget *budget, KtKeyTable **out)
{
    KtKeyTable *table = malloc(sizeof *table);
    if (!table)
        return KT_ERR_MEMORY;
    *table = (KtKeyTable){.budget = budget, .key = {.budget = budget}, .bytes = {.budget = budget}};
    *out = table;
    return KT_OK;
}

void kt_key_table_close(KtKeyTable *table)
{
    if (!table)
        return;
    kt_budget_give(table->budget, table->slots * sizeof(Slot) + table->end_cap * sizeof(size_t));
    free(table->slot);
    free(table->end);
    kt_buf_close(&table->key);
    kt_buf_close(&table->bytes);
    free(table);
}

void kt_key_table_clear(KtKeyTable *table)
{
    if (table->count)
        memset(table->slot, 0, table->slots * sizeof(Slot));
    table->count = 0;
    kt_buf_clear(&table->bytes);
}

uint32_t kt_key_table_count(const KtKeyTable *table) { return table->count; }
void kt_key_table_begin(KtKeyTable *table) { kt_buf_clear(&table->key); }
void kt_key_table_number(KtKeyTable *table, uint32_t n) { kt_buf_be32(&table->key, n); }
void kt_key_table_put(KtKeyTable *table, KtValue value) { kt_key_put(&table->key, value); }

static bool same(const KtKeyTable *table, uint32_t number)
{
    size_t from = number ? table->end[number - 1] : 0, len = table->end[number] - from;
    return len == table->key.len &&
           (len == 0 || memcmp(table->bytes.data + from, table->key.data, len) == 0);
}

/* The slot of the key being built: its own, or the free one where it belongs. */
static Slot *slot_of(const KtKeyTable *table, uint64_t hash)
{
    uint32_t mask = table->slots - 1, high = (uint32_t)(hash >> 32);
    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        Slot *s = &table->slot[i];
        if (s->number == 0 || (s->hash == high && same(table, s->number - 1)))
            return s;
    }
}

static KtStatus grow(KtKeyTable *table)
{
    uint32_t slots = table->slots ? table->slots * 2 : FIRST_SLOTS;
    if (slots == 0)
        return KT_ERR_MEMORY;
    size_t bytes = (size_t)slots * sizeof(Slot);
    if (table->budget && !kt_budget_take(table->budget, bytes))
        return KT_ERR_MEMORY;
    Slot *slot = calloc(slots, sizeof *slot);
    if (!slot) {
        kt_budget_give(table->budget, bytes);
        return KT_ERR_MEMORY;
    }
    size_t from = 0;
    for (uint32_t n = 0; n < table->count; n++) {
        uint64_t hash = kt_hash(table->bytes.data + from, table->end[n] - from);
        uint32_t i = (uint32_t)hash & (slots - 1);
        while (slot[i].number)
            i = (i + 1) & (slots - 1);
        slot[i] = (Slot){(uint32_t)(hash >> 32), n + 1};
        from = table->end[n];
    }
    kt_budget_give(table->budget, table->slots * sizeof(Slot));
    free(table->slot);
    table->slot = slot;
    table->slots = slots;
    return KT_OK;
}

static KtStatus grow_ends(KtKeyTable *table)
{
    if (table->count < table->end_cap)
        return KT_OK;
    uint32_t cap = table->end_cap ? table->end_cap * 2 : FIRST_SLOTS;
    size_t more = (size_t)(cap - table->end_cap) * sizeof *table->end;
    if (cap == 0 || (table->budget && !kt_budget_take(table->budget, more)))
        return KT_ERR_MEMORY;
    size_t *end = realloc(table->end, (size_t)cap * sizeof *end);
    if (!end) {
        kt_budget_give(table->budget, more);
        return KT_ERR_MEMORY;
    }
    table->end = end;
    table->end_cap = cap;
    return KT_OK;
}

KtStatus kt_key_table_end(KtKeyTable *table, uint32_t *out, bool *fresh)
{
    KT_TRY(kt_buf_status(&table->key));
    if (((uint64_t)table->count + 1) * 4 > (uint64_t)table->slots * 3)
        KT_TRY(grow(table));
    uint64_t hash = kt_hash(table->key.data, table->key.len);
    Slot *s = slot_of(table, hash);
    *fresh = s->number == 0;
    if (*fresh) {
        KT_TRY(grow_ends(table));
        kt_buf_put(&table->bytes, table->key.data, table->key.len);
        KT_TRY(kt_buf_status(&table->bytes));
        table->end[table->count] = table->bytes.len;
        *s = (Slot){(uint32_t)(hash >> 32), ++table->count};
    }
    *out = s->number - 1;
    return KT_OK;
}

KtStatus kt_key_table_find(KtKeyTable *table, uint32_t *out)
{
    KT_TRY(kt_buf_status(&table->key));
    *out = UINT32_MAX;
    if (table->count == 0)
        return KT_OK;
    const Slot *s = slot_of(table, kt_hash(table->key.data, table->key.len));
    if (s->number)
        *out = s->number - 1;
    return KT_OK;
}

KtStatus kt_key_table_add(KtKeyTable *table, KtValue value)
{
    uint32_t number;
    bool fresh;
    kt_key_table_begin(table);
    kt_key_table_put(table, value);
    return kt_key_table_end(table, &number, &fresh);
}
