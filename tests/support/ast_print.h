/* tests/support/ast_print.h - a syntax tree as Cypher again: for tests and fuzzing of the parser.
 *
 * What is printed parses to an equal tree, with as few parentheses as that takes. */
#ifndef KT_TESTS_SUPPORT_AST_PRINT_H
#define KT_TESTS_SUPPORT_AST_PRINT_H

#include "query/ast/ast.h"

/* Appends to `out`; running out of memory shows in out->failed. */
void kt_ast_print(KtBuf *out, const KtAstStatement *statement);

#endif
