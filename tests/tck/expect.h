/* tests/tck/expect.h - the values that feature files write, and comparing answers with them. */
#ifndef KT_TESTS_TCK_EXPECT_H
#define KT_TESTS_TCK_EXPECT_H

#include "base/value.h"

/* Reads a whole cell as a value; nodes, relationships and paths become images with ids that mean nothing. */
bool expect_parse(KtArena *arena, const char *text, KtValue *out);
/* Same kind and content: 1 is not 1.0, NaN is NaN, maps and labels in any order, identity not looked at.
 * bag: lists, nested ones too, as multisets. */
bool expect_same(KtValue want, KtValue got, bool bag);

typedef struct Rows { /* row by row, `cols` values each */
    const KtValue *value;
    uint32_t rows, cols;
} Rows;
bool expect_rows(const Rows *want, const Rows *got, bool ordered, bool bag);

#endif
