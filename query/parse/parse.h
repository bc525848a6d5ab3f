/* query/parse/parse.h - statement text to syntax tree.
 *
 * Recursive descent, and precedence climbing for expressions. Both the recursion and the depth of the tree
 * are held below KT_NESTING_MOST, so that no text can exhaust the stack here or in a walk over the tree. */
#ifndef KT_QUERY_PARSE_PARSE_H
#define KT_QUERY_PARSE_PARSE_H

#include "query/ast/ast.h"

/* Parses one statement (a `;` at its end is allowed). The tree lies in `arena` and points into `text`, which
 * must live as long.
 * Errors, each with place and what was expected in `diag`: UNEXPECTED_SYNTAX, INTEGER_OVERFLOW,
 * FLOATING_POINT_OVERFLOW, INVALID_NUMBER_LITERAL, INVALID_UNICODE_CHARACTER, INVALID_UNICODE_LITERAL,
 * STATEMENT_TOO_LONG, TOO_COMPLEX, NOT_SUPPORTED, MEMORY; *out is then untouched. */
KtStatus kt_parse(KtText text, KtArena *arena, KtDiag *diag,
                  const KtAstStatement **out) KT_MUST_CHECK;

#endif
