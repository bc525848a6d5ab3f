/* base/value_text.h - values as text: toString, the shell, error messages, the TCK runner. */
#ifndef KT_BASE_VALUE_TEXT_H
#define KT_BASE_VALUE_TEXT_H

#include "base/value.h"

/* Cypher literal form: 'text' quoted, 1.0, [1, 2], {k: v}, (:L {k: v}), [:T {k: v}], <(a)-[:T]->(b)>.
 * Nodes and relationships without an image print as (#id) and [#id]. */
void kt_value_print(KtBuf *out, KtValue value);
/* Shortest text that reads back as the same double, always with a point or exponent: 1.0, 1e-05, NaN, Infinity. */
size_t kt_float_print(double f, char out[32]);
/* Reads a whole text as a number. Returns false if it is none or out of range. */
bool kt_int_parse(KtText text, int64_t *out);
bool kt_float_parse(KtText text, double *out);

#endif
