/* Where a statement ends: never inside a string, a name or a comment. */
#include "tools/kith/shell/shell.h"

#include <criterion/criterion.h>

TestSuite(tools_split);

static void gives(const char *text, KtShellPiece kind, const char *piece, const char *rest)
{
    size_t from, len, next;
    cr_assert_eq(kt_shell_split(text, strlen(text), &from, &len, &next), kind, "%s", text);
    cr_assert(strlen(piece) == len && strncmp(text + from, piece, len) == 0, "%s: %.*s", text,
              (int)len, text + from);
    cr_assert_str_eq(text + next, rest, "%s", text);
}

Test(tools_split, a_semicolon_ends_a_statement)
{
    gives("RETURN 1;", KT_PIECE_STATEMENT, "RETURN 1", "");
    gives("  RETURN 1 \n ; RETURN 2;", KT_PIECE_STATEMENT, "RETURN 1", " RETURN 2;");
    gives(";;RETURN 1;", KT_PIECE_STATEMENT, "RETURN 1", "");
    gives("RETURN 1", KT_PIECE_PART, "RETURN 1", "");
}

Test(tools_split, strings_and_names_hide_it)
{
    gives("RETURN ';' AS a;x", KT_PIECE_STATEMENT, "RETURN ';' AS a", "x");
    gives("RETURN \"a;'\";x", KT_PIECE_STATEMENT, "RETURN \"a;'\"", "x");
    gives("RETURN 'it\\';s';x", KT_PIECE_STATEMENT, "RETURN 'it\\';s'", "x");
    gives("RETURN `a``;`;x", KT_PIECE_STATEMENT, "RETURN `a``;`", "x");
    gives("RETURN 'open;", KT_PIECE_PART, "RETURN 'open;", "");
    gives("RETURN 'a\\", KT_PIECE_PART, "RETURN 'a\\", "");
}

Test(tools_split, comments_hide_it)
{
    gives("RETURN 1 // a; b\n+ 2;x", KT_PIECE_STATEMENT, "RETURN 1 // a; b\n+ 2", "x");
    gives("RETURN /* ; */ 1;x", KT_PIECE_STATEMENT, "RETURN /* ; */ 1", "x");
    gives("// only; this\n", KT_PIECE_BLANK, "", "");
    gives("/* a */ // b\n RETURN 1;", KT_PIECE_STATEMENT, "RETURN 1", "");
    gives("/* open; ", KT_PIECE_PART, "/* open; ", "");
    gives("RETURN 4 / 2;", KT_PIECE_STATEMENT, "RETURN 4 / 2", "");
}

Test(tools_split, a_colon_at_the_start_is_a_command_up_to_the_end_of_its_line)
{
    gives(":help \nRETURN 1;", KT_PIECE_COMMAND, ":help", "RETURN 1;");
    gives("\n :param a 'x;y'", KT_PIECE_COMMAND, ":param a 'x;y'", "");
    gives("MATCH (a\n:Person) RETURN a;", KT_PIECE_STATEMENT, "MATCH (a\n:Person) RETURN a", "");
}

Test(tools_split, blank_text_is_nothing_to_run)
{
    gives("", KT_PIECE_BLANK, "", "");
    gives(" \t\n;\n", KT_PIECE_BLANK, "", "");
}

Test(tools_split, only_real_line_comments_keep_lines_apart)
{
    cr_assert(kt_shell_has_line_comment("a // b", 6));
    cr_assert_not(kt_shell_has_line_comment("'//'", 4));
    cr_assert_not(kt_shell_has_line_comment("/* // */", 8));
}
