/* query/expr/fn_text.c - functions of texts. Positions and lengths count characters (code points).
 *
 * A result that is part of its argument shares its memory. */
#include "query/expr/expr_internal.h"

#include "base/utf8.h"

/* ---- upper and lower case ---- */

typedef struct CaseRun {
    uint32_t first, last, step;
    int32_t delta;
} CaseRun;

typedef struct CaseMany {
    uint32_t code;
    const char *bytes;
} CaseMany;

typedef struct CaseTable {
    const CaseRun *run;
    size_t runs;
    const CaseMany *many;
    size_t manys;
    char ascii_first, ascii_last; /* the letters that change */
} CaseTable;

#define KT_UPPER(first, last, step, delta)
#define KT_LOWER(first, last, step, delta)
#define KT_UPPER_MANY(code, bytes)
#define KT_LOWER_MANY(code, bytes)

#undef KT_UPPER
#define KT_UPPER(first, last, step, delta) {first, last, step, delta},
static const CaseRun upper_run[] = {
#include "query/expr/case_table.def"
};
#undef KT_UPPER
#define KT_UPPER(first, last, step, delta)
#undef KT_LOWER
#define KT_LOWER(first, last, step, delta) {first, last, step, delta},
static const CaseRun lower_run[] = {
#include "query/expr/case_table.def"
};
#undef KT_LOWER
#define KT_LOWER(first, last, step, delta)
#undef KT_UPPER_MANY
#define KT_UPPER_MANY(code, bytes) {code, bytes},
static const CaseMany upper_many[] = {
#include "query/expr/case_table.def"
};
#undef KT_UPPER_MANY
#define KT_UPPER_MANY(code, bytes)
#undef KT_LOWER_MANY
#define KT_LOWER_MANY(code, bytes) {code, bytes},
static const CaseMany lower_many[] = {
#include "query/expr/case_table.def"
};
#undef KT_UPPER
#undef KT_LOWER
#undef KT_UPPER_MANY
#undef KT_LOWER_MANY

static const CaseTable upper = {
    upper_run, KT_COUNT(upper_run), upper_many, KT_COUNT(upper_many), 'a', 'z'};
static const CaseTable lower = {
    lower_run, KT_COUNT(lower_run), lower_many, KT_COUNT(lower_many), 'A', 'Z'};

static uint32_t other_case(const CaseTable *table, uint32_t code)
{
    size_t low = 0, high = table->runs; /* the first run that ends at or behind code */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->run[middle].last < code)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == table->runs)
        return code;
    const CaseRun *run = &table->run[low];
    if (code < run->first || (code - run->first) % run->step != 0)
        return code;
    return (uint32_t)((int32_t)code + run->delta);
}

static const char *many_of(const CaseTable *table, uint32_t code)
{
    for (size_t i = 0; i < table->manys; i++) {
        if (table->many[i].code == code)
            return table->many[i].bytes;
    }
    return NULL;
}

/* Writes the character at `at` in the other case (out NULL: only counts) and returns its bytes. */
static uint32_t change_one(const CaseTable *table, const char *at, uint32_t len, char *out)
{
    char space[4];
    uint32_t code = kt_utf8_decode(at), changed = other_case(table, code), n = len;
    const char *from = at;
    if (changed != code) {
        n = kt_utf8_encode(changed, space);
        from = space;
    } else if (code >= 0xDF && many_of(table, code)) {
        from = many_of(table, code);
        n = (uint32_t)strlen(from);
    }
    if (out)
        memcpy(out, from, n);
    return n;
}

static KtStatus change_case(KtCall *call, const CaseTable *table, KtText text, KtValue *out)
{
    size_t len = 0;
    for (uint32_t i = 0, n; i < text.len; i += n) {
        n = kt_utf8_step(text.at[i]);
        len += n == 1 ? 1 : change_one(table, text.at + i, n, NULL);
    }
    char *to = len <= UINT32_MAX ? kt_arena_alloc(call->arena, len + 1) : NULL;
    if (!to)
        return KT_ERR_MEMORY;
    size_t at = 0;
    for (uint32_t i = 0, n; i < text.len; i += n) {
        char c = text.at[i];
        n = kt_utf8_step(c);
        if (n == 1)
            to[at++] = c >= table->ascii_first && c <= table->ascii_last ? (char)(c ^ 0x20) : c;
        else
            at += change_one(table, text.at + i, n, to + at);
    }
    *out = kt_text(to, len);
    return KT_OK;
}

KT_FN(kt_fn_to_upper) { return change_case(call, &upper, kt_text_of(args[0]), out); }
KT_FN(kt_fn_to_lower) { return change_case(call, &lower, kt_text_of(args[0]), out); }

/* ---- white space ---- */

static bool is_space(uint32_t code)
{
    return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
           code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000 || code == 0xA0;
}

static KtValue trimmed(KtText text, bool left, bool right)
{
    uint32_t from = 0, to = text.len;
    while (left && from < to && is_space(kt_utf8_decode(text.at + from)))
        from += kt_utf8_step(text.at[from]);
    while (right && to > from) {
        uint32_t last = to - 1;
        while (last > from && ((uint8_t)text.at[last] & 0xC0) == 0x80)
            last--;
        if (!is_space(kt_utf8_decode(text.at + last)))
            break;
        to = last;
    }
    return kt_text(text.at + from, to - from);
}

KT_FN(kt_fn_trim)
{
    (void)call;
    *out = trimmed(kt_text_of(args[0]), true, true);
    return KT_OK;
}
KT_FN(kt_fn_ltrim)
{
    (void)call;
    *out = trimmed(kt_text_of(args[0]), true, false);
    return KT_OK;
}
KT_FN(kt_fn_rtrim)
{
    (void)call;
    *out = trimmed(kt_text_of(args[0]), false, true);
    return KT_OK;
}

/* ---- parts ---- */

static KtStatus negative(KtCall *call, const char *name, int64_t i)
{
    return kt_diag_set(call->diag, KT_ERR_NUMBER_OUT_OF_RANGE, &call->at,
                       "%s() takes no negative position or length: %lld", name, (long long)i);
}

/* Characters from .. from + n of text. */
static KtValue part(KtText text, uint64_t from, uint64_t n)
{
    size_t start = kt_utf8_offset(text, from);
    KtText rest = {text.at + start, (uint32_t)(text.len - start)};
    return kt_text(rest.at, kt_utf8_offset(rest, n));
}

KT_FN(kt_fn_substring)
{
    int64_t from = args[1].as.i, n = kt_is_null(args[2]) ? INT64_MAX : args[2].as.i;
    if (from < 0 || n < 0)
        return negative(call, "substring", from < 0 ? from : n);
    *out = part(kt_text_of(args[0]), (uint64_t)from, (uint64_t)n);
    return KT_OK;
}

KT_FN(kt_fn_left)
{
    if (args[1].as.i < 0)
        return negative(call, "left", args[1].as.i);
    *out = part(kt_text_of(args[0]), 0, (uint64_t)args[1].as.i);
    return KT_OK;
}

KT_FN(kt_fn_right)
{
    if (args[1].as.i < 0)
        return negative(call, "right", args[1].as.i);
    KtText text = kt_text_of(args[0]);
    uint64_t have = kt_utf8_count(text), n = (uint64_t)args[1].as.i;
    *out = part(text, n < have ? have - n : 0, have);
    return KT_OK;
}

/* ---- search ---- */

/* Offset of the next `what` (not empty) at or behind `from`, or text.len. */
static uint32_t next_match(KtText text, uint32_t from, KtText what)
{
    const char *at =
        from < text.len ? memmem(text.at + from, text.len - from, what.at, what.len) : NULL;
    return at ? (uint32_t)(at - text.at) : text.len;
}

/* Every `what` becomes `by`; an empty `what` stands before each character and at the end. */
KT_FN(kt_fn_replace)
{
    KtText text = kt_text_of(args[0]), what = kt_text_of(args[1]), by = kt_text_of(args[2]);
    uint64_t matches = 0;
    if (what.len == 0) {
        matches = kt_utf8_count(text) + 1;
    } else {
        for (uint32_t at = next_match(text, 0, what); at < text.len;
             at = next_match(text, at + what.len, what))
            matches++;
    }
    if (matches == 0) {
        *out = args[0];
        return KT_OK;
    }
    uint64_t len = text.len - matches * what.len + matches * by.len;
    char *to = len <= UINT32_MAX ? kt_arena_alloc(call->arena, len + 1) : NULL;
    if (!to)
        return KT_ERR_MEMORY;
    uint32_t from = 0;
    size_t end = 0;
    for (uint64_t i = 0; i < matches; i++) {
        uint32_t at = what.len ? next_match(text, from, what)
                      : i == 0 ? 0
                               : from + kt_utf8_step(text.at[from]);
        memcpy(to + end, text.at + from, at - from);
        end += at - from;
        if (by.len)
            memcpy(to + end, by.at, by.len);
        end += by.len;
        from = at + what.len;
    }
    if (from < text.len)
        memcpy(to + end, text.at + from, text.len - from);
    *out = kt_text(to, len);
    return KT_OK;
}

/* The nearest of several delimiters, at or behind `from`; the longest at the same place. */
static uint32_t next_delimiter(KtText text, uint32_t from, const KtValue *delimiter, uint32_t n,
                               uint32_t *len)
{
    uint32_t nearest = text.len;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = next_match(text, from, kt_text_of(delimiter[i]));
        if (at < nearest || (at == nearest && at < text.len && delimiter[i].len > *len)) {
            nearest = at;
            *len = delimiter[i].len;
        }
    }
    return nearest;
}

static KtStatus put_part(KtCall *call, KtValue **items, uint32_t *n, uint32_t *cap, KtText part_)
{
    void *grown = *items;
    KT_TRY(kt_arena_grow(call->arena, &grown, *n, cap, sizeof **items));
    *items = grown;
    (*items)[(*n)++] = kt_text(part_.at, part_.len);
    return KT_OK;
}

KT_FN(kt_fn_split)
{
    KtText text = kt_text_of(args[0]);
    const KtValue *delimiter = args[1].kind == KT_LIST ? args[1].as.list : &args[1];
    uint32_t delimiters = args[1].kind == KT_LIST ? args[1].len : 1, n = 0, cap = 0;
    bool characters = false; /* an empty delimiter parts every two characters */
    KtValue *items = NULL;
    for (uint32_t i = 0; i < delimiters; i++) {
        if (delimiter[i].kind != KT_TEXT)
            return kt_diag_set(call->diag, KT_ERR_INVALID_ARGUMENT_VALUE, &call->at,
                               "split() takes Strings as delimiters, not %s",
                               kt_kind_name((KtKind)delimiter[i].kind));
        characters |= delimiter[i].len == 0;
    }
    uint32_t from = 0;
    while (characters && from < text.len) {
        uint32_t step = kt_utf8_step(text.at[from]);
        KT_TRY(put_part(call, &items, &n, &cap, (KtText){text.at + from, step}));
        from += step;
    }
    while (!characters) {
        uint32_t len = 0, at = next_delimiter(text, from, delimiter, delimiters, &len);
        KT_TRY(put_part(call, &items, &n, &cap, (KtText){text.at + from, at - from}));
        if (at == text.len)
            break;
        from = at + len;
    }
    *out = kt_list(items, n);
    return KT_OK;
}
