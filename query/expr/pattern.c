/* query/expr/pattern.c - =~ through PCRE2: the whole text must match, and no match may take too long.
 *
 * A pattern is compiled once for a query and kept in a small cache of the evaluation context. The work of one
 * match is bounded by PCRE2's own counters, so that (a+)+$ ends with an error instead of the afternoon. */
#include "query/expr/expr_internal.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

enum {
    PATTERNS_KEPT = 16,
    PATTERN_BYTES = 32 * 1024,
    MATCH_LIMIT = 1000 * 1000,
    DEPTH_LIMIT = 50 * 1000,
    HEAP_LIMIT_KIB = 20 * 1024,
    MATCHES_UNLOOKED = 16 /* each may take some milliseconds */
};

typedef struct Pattern {
    uint64_t used; /* time of the last use, for the oldest to go */
    char *text;
    uint32_t len;
    pcre2_code *code;
    pcre2_match_data *match;
} Pattern;

typedef struct PatternCache {
    Pattern kept[PATTERNS_KEPT];
    uint64_t clock;
    pcre2_match_context *limits;
} PatternCache;

static void pattern_free(Pattern *p)
{
    pcre2_match_data_free(p->match);
    pcre2_code_free(p->code);
    free(p->text);
    *p = (Pattern){0};
}

void kt_pattern_cache_close(void *cache)
{
    PatternCache *c = cache;
    if (!c)
        return;
    for (size_t i = 0; i < PATTERNS_KEPT; i++)
        pattern_free(&c->kept[i]);
    pcre2_match_context_free(c->limits);
    free(c);
}

static KtStatus cache_open(PatternCache **out)
{
    PatternCache *c = calloc(1, sizeof *c);
    if (!c)
        return KT_ERR_MEMORY;
    c->limits = pcre2_match_context_create(NULL);
    if (!c->limits) {
        free(c);
        return KT_ERR_MEMORY;
    }
    (void)pcre2_set_match_limit(c->limits, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(c->limits, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(c->limits, HEAP_LIMIT_KIB);
    *out = c;
    return KT_OK;
}

static KtStatus pattern_compile(KtCall *call, KtText text, Pattern *out)
{
    int error;
    PCRE2_SIZE where;
    if (text.len > PATTERN_BYTES)
        return kt_diag_set(call->diag, KT_ERR_INVALID_ARGUMENT_VALUE, &call->at,
                           "A regular expression has at most %d bytes", PATTERN_BYTES);
    PCRE2_SPTR source = (PCRE2_SPTR)(text.len ? text.at : "");
    pcre2_code *code = pcre2_compile(source, text.len,
                                     PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF |
                                         PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C,
                                     &error, &where, NULL);
    if (!code) {
        char words[120];
        (void)pcre2_get_error_message(error, (PCRE2_UCHAR *)words, sizeof words);
        return kt_diag_set(call->diag, KT_ERR_INVALID_ARGUMENT_VALUE, &call->at,
                           "The regular expression is wrong at byte %zu: %s", (size_t)where, words);
    }
    Pattern p = {.text = malloc((size_t)text.len + 1),
                 .len = text.len,
                 .code = code,
                 .match = pcre2_match_data_create(1, NULL)};
    if (!p.text || !p.match) {
        pattern_free(&p);
        return KT_ERR_MEMORY;
    }
    if (text.len)
        memcpy(p.text, text.at, text.len);
    *out = p;
    return KT_OK;
}

static KtStatus pattern_of(KtCall *call, PatternCache *cache, KtText text, Pattern **out)
{
    Pattern *oldest = &cache->kept[0];
    for (size_t i = 0; i < PATTERNS_KEPT; i++) {
        Pattern *p = &cache->kept[i];
        if (p->code && kt_text_eq((KtText){p->text, p->len}, text)) {
            p->used = ++cache->clock;
            *out = p;
            return KT_OK;
        }
        if (p->used < oldest->used)
            oldest = p;
    }
    Pattern fresh;
    KT_TRY(pattern_compile(call, text, &fresh));
    pattern_free(oldest);
    *oldest = fresh;
    oldest->used = ++cache->clock;
    *out = oldest;
    return KT_OK;
}

static KtStatus match(KtCall *call, PatternCache *cache, KtText text, KtText pattern, bool *out)
{
    Pattern *p = NULL;
    KT_TRY(pattern_of(call, cache, pattern, &p));
    if (cache->clock % MATCHES_UNLOOKED == 0)
        KT_TRY(kt_eval_tick(call->x));
    int found = pcre2_match(p->code, (PCRE2_SPTR)(text.len ? text.at : ""), text.len, 0,
                            PCRE2_NO_UTF_CHECK, p->match, cache->limits);
    if (found >= 0 || found == PCRE2_ERROR_NOMATCH) {
        *out = found >= 0;
        return KT_OK;
    }
    if (found == PCRE2_ERROR_NOMEMORY)
        return KT_ERR_MEMORY;
    return kt_diag_set(call->diag, KT_ERR_PATTERN_TOO_EXPENSIVE, &call->at,
                       "Matching a text of %u bytes took too many steps", text.len);
}

KtStatus kt_pattern_match(KtCall *call, KtText text, KtText pattern, bool *out)
{
    PatternCache *cache = call->x ? call->x->regex_cache : NULL;
    if (!cache)
        KT_TRY(cache_open(&cache));
    KtStatus status = match(call, cache, text, pattern, out);
    if (call->x)
        call->x->regex_cache = cache;
    else
        kt_pattern_cache_close(cache);
    return status;
}
