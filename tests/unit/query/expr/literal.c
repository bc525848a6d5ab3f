#include "tests/unit/query/expr/literal.h"

#include "base/value_text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

typedef struct Text {
    KtArena *arena;
    const char *at;
} Text;

static KtValue value(Text *t);

static void skip(Text *t)
{
    while (*t->at == ' ')
        t->at++;
}

static bool eat(Text *t, const char *word)
{
    skip(t);
    size_t n = strlen(word);
    if (strncmp(t->at, word, n) != 0)
        return false;
    t->at += n;
    return true;
}

static KtValue list(Text *t)
{
    KtValue *items = kt_arena_alloc(t->arena, 64 * sizeof *items);
    uint32_t n = 0;
    while (!eat(t, "]")) {
        KT_CHECK(items && n < 64);
        items[n++] = value(t);
        (void)eat(t, ",");
    }
    return kt_list(items, n);
}

static KtValue map(Text *t)
{
    KtMapEntry *entries = kt_arena_alloc(t->arena, 64 * sizeof *entries);
    uint32_t n = 0;
    while (!eat(t, "}")) {
        skip(t);
        const char *from = t->at;
        while (isalnum((unsigned char)*t->at) || *t->at == '_')
            t->at++;
        KT_CHECK(entries && n < 64);
        entries[n].key = (KtText){from, (uint32_t)(t->at - from)};
        KT_CHECK(eat(t, ":"));
        entries[n++].value = value(t);
        (void)eat(t, ",");
    }
    return kt_map(entries, n);
}

static KtValue text(Text *t)
{
    const char *from = t->at;
    char *out = kt_arena_alloc(t->arena, strlen(from) + 1);
    size_t n = 0;
    KT_CHECK(out);
    while (*t->at != '\'') {
        KT_CHECK(*t->at);
        if (*t->at == '\\')
            t->at++;
        out[n++] = *t->at++;
    }
    t->at++;
    return kt_text(out, n);
}

static KtValue number(Text *t)
{
    const char *from = t->at;
    while (isalnum((unsigned char)*t->at) || *t->at == '.' || *t->at == '+' || *t->at == '-')
        t->at++;
    KtText word = {from, (uint32_t)(t->at - from)};
    int64_t i;
    double f;
    if (kt_int_parse(word, &i))
        return kt_int(i);
    KT_CHECK(kt_float_parse(word, &f));
    return kt_float(f);
}

static KtValue value(Text *t)
{
    if (eat(t, "null"))
        return kt_null();
    if (eat(t, "true"))
        return kt_bool(true);
    if (eat(t, "false"))
        return kt_bool(false);
    if (eat(t, "["))
        return list(t);
    if (eat(t, "{"))
        return map(t);
    if (eat(t, "'"))
        return text(t);
    if (eat(t, "(#")) {
        KtValue id = number(t);
        KT_CHECK(eat(t, ")"));
        return kt_node((uint64_t)id.as.i);
    }
    return number(t);
}

KtValue literal(KtArena *arena, const char *source)
{
    Text t = {arena, source};
    KtValue v = value(&t);
    skip(&t);
    KT_CHECK(*t.at == '\0');
    return v;
}

const char *printed(KtArena *arena, KtValue v)
{
    KtBuf buf = {0};
    kt_value_print(&buf, v);
    char *out = kt_arena_text(arena, (const char *)buf.data, buf.len);
    kt_buf_close(&buf);
    KT_CHECK(out);
    return out;
}
