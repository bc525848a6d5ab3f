/* Values from their Cypher literals, so that tests of expressions are tables of text. */
#ifndef KT_TESTS_UNIT_QUERY_EXPR_LITERAL_H
#define KT_TESTS_UNIT_QUERY_EXPR_LITERAL_H

#include "base/value.h"

/* null, true, 1, 1.5, NaN, Infinity, 'text', [..], {k: ..}, (#1) a node. Stops the test on anything else. */
KtValue literal(KtArena *arena, const char *text);
/* The value printed into arena memory. */
const char *printed(KtArena *arena, KtValue value);

#endif
