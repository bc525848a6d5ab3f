/* tools/kith/shell/split.c - where one statement ends. Knows 'strings' and "strings" with backslashes, `names` with
 * doubled backticks, // and block comments; nothing else of the language. */
#include "tools/kith/shell/shell.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* The end of the comment, string or name that begins at `at`, or `at` itself when none does. *whole: it has its end. */
static size_t pass_over(const char *text, size_t len, size_t at, bool *whole)
{
    char c = text[at];
    *whole = true;
    if (c == '/' && at + 1 < len && text[at + 1] == '/') {
        while (at < len && text[at] != '\n')
            at++;
        return at;
    }
    if (c == '/' && at + 1 < len && text[at + 1] == '*') {
        for (at += 2; at + 1 < len; at++)
            if (text[at] == '*' && text[at + 1] == '/')
                return at + 2;
        *whole = false;
        return len;
    }
    if (c == '\'' || c == '"' || c == '`') {
        for (at++; at < len; at++) {
            if (text[at] == '\\' && c != '`')
                at++;
            else if (text[at] == c)
                return at + 1;
        }
        *whole = false;
        return len;
    }
    return at;
}

static bool comment_at(const char *text, size_t len, size_t at)
{
    return text[at] == '/' && at + 1 < len && (text[at + 1] == '/' || text[at + 1] == '*');
}

KtShellPiece kt_shell_split(const char *text, size_t len, size_t *from, size_t *piece_len,
                            size_t *next)
{
    size_t at = 0;
    bool whole = true;
    while (at < len && (blank(text[at]) || text[at] == ';' || comment_at(text, len, at))) {
        size_t end = comment_at(text, len, at) ? pass_over(text, len, at, &whole) : at + 1;
        if (!whole) { /* a block comment that goes on */
            *from = at;
            *piece_len = len - at;
            *next = len;
            return KT_PIECE_PART;
        }
        at = end;
    }
    size_t begin = at, last = at; /* last: behind the last byte that is no white space */
    *from = begin;
    *piece_len = 0;
    *next = len;
    if (at == len)
        return KT_PIECE_BLANK;
    if (text[at] == ':') {
        while (at < len && text[at] != '\n')
            at++;
        *next = at < len ? at + 1 : at;
        while (at > begin && blank(text[at - 1]))
            at--;
        *piece_len = at - begin;
        return KT_PIECE_COMMAND;
    }
    while (at < len && text[at] != ';') {
        size_t end = pass_over(text, len, at, &whole);
        if (end == at)
            end = at + 1;
        if (!blank(text[at]))
            last = end;
        at = end;
    }
    *piece_len = last - begin;
    *next = at < len ? at + 1 : at;
    return at < len ? KT_PIECE_STATEMENT : KT_PIECE_PART;
}

bool kt_shell_has_line_comment(const char *text, size_t len)
{
    bool whole;
    for (size_t at = 0; at < len;) {
        if (text[at] == '/' && at + 1 < len && text[at + 1] == '/')
            return true;
        size_t end = pass_over(text, len, at, &whole);
        at = end == at ? at + 1 : end;
    }
    return false;
}
