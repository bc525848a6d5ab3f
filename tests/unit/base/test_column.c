/* Columns: what is gathered is what stood at those rows, in both widths of row numbers. */
#include "base/column.h"

#include "base/value_cmp.h"

#include <criterion/criterion.h>

enum { ROWS = 200, PICKED = 300 };

static const KtRelRef rel[2] = {{.id = 7}, {.id = 8}};

/* A column of ROWS rows; every seventh is null where `nulls`. */
static KtColumn make(KtArena *arena, KtColKind kind, uint8_t width, bool nulls)
{
    KtColumn col = {.kind = kind, .width = width};
    col.data = kt_arena_zero(arena, ROWS, kt_col_size(kind, width));
    cr_assert(col.data);
    for (uint32_t i = 0; i < ROWS; i++) {
        switch (kind) {
        case KT_COL_NODE:
            if (width == 8)
                ((uint64_t *)col.data)[i] = nulls && i % 7 == 0 ? UINT64_MAX : i * 5000000000u;
            else
                ((uint32_t *)col.data)[i] = nulls && i % 7 == 0 ? KT_NO_NODE : i * 3;
            break;
        case KT_COL_REL:
            ((const KtRelRef **)col.data)[i] = nulls && i % 7 == 0 ? NULL : &rel[i % 2];
            break;
        case KT_COL_BOOL: ((uint8_t *)col.data)[i] = i % 3 == 0; break;
        case KT_COL_INT: ((int64_t *)col.data)[i] = (int64_t)i - 50; break;
        case KT_COL_FLOAT: ((double *)col.data)[i] = i / 4.0; break;
        case KT_COL_TEXT: ((KtText *)col.data)[i] = (KtText){"abcdefghij", i % 10}; break;
        case KT_COL_VALUE:
            ((KtValue *)col.data)[i] = nulls && i % 7 == 0 ? kt_null() : kt_int(i);
            break;
        }
    }
    if (nulls && kind != KT_COL_NODE && kind != KT_COL_REL && kind != KT_COL_VALUE) {
        col.nulls = kt_arena_zero(arena, ROWS / 64 + 1, sizeof *col.nulls);
        for (uint32_t i = 0; i < ROWS; i += 7)
            kt_bit_set(col.nulls, i);
    }
    return col;
}

static void check(KtArena *arena, const KtColumn *from)
{
    uint32_t row[PICKED];
    uint16_t row16[PICKED];
    KtColumn wide, narrow;
    for (uint32_t i = 0; i < PICKED; i++) {
        row[i] = i * 37 % ROWS;
        row16[i] = (uint16_t)row[i];
    }
    cr_assert_eq(kt_col_gather(arena, from, row, PICKED, &wide), KT_OK);
    cr_assert_eq(kt_col_gather_16(arena, from, row16, PICKED, &narrow), KT_OK);
    cr_assert_eq(wide.kind, from->kind);
    cr_assert_eq(narrow.kind, from->kind);
    for (uint32_t i = 0; i < PICKED; i++) {
        KtValue want = kt_col_value(from, row[i]);
        cr_assert(kt_value_equivalent(kt_col_value(&wide, i), want), "kind %d row %u",
                  (int)from->kind, i);
        cr_assert(kt_value_equivalent(kt_col_value(&narrow, i), want), "kind %d row %u",
                  (int)from->kind, i);
    }
}

Test(base_column, gathered_rows_are_those_of_the_source)
{
    static const KtColKind kind[] = {KT_COL_NODE,  KT_COL_REL,  KT_COL_BOOL, KT_COL_INT,
                                     KT_COL_FLOAT, KT_COL_TEXT, KT_COL_VALUE};
    KtArena *arena;
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    for (size_t i = 0; i < KT_COUNT(kind); i++) {
        for (int nulls = 0; nulls < 2; nulls++) {
            KtColumn col = make(arena, kind[i], kind[i] == KT_COL_NODE ? 4 : 0, nulls != 0);
            check(arena, &col);
            if (kind[i] == KT_COL_NODE) {
                col = make(arena, kind[i], 8, nulls != 0);
                check(arena, &col);
            }
            col.constant = true;
            check(arena, &col);
        }
    }
    kt_arena_close(arena);
}
