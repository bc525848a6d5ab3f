/* protocol/kmp/value_codec.c - the native msgpack kinds; what stands in extensions is in value_ext.c. */
#include "protocol/kmp/value_codec.h"

#include "base/utf8.h"
#include "protocol/kmp/value_internal.h"

/* ---- encoding ---- */

KtStatus kt_kmp_encode_entries(KtBuf *out, const KtMapEntry *entry, uint32_t n, KtDiag *diag,
                               uint32_t depth)
{
    kt_pack_map(out, n);
    for (uint32_t i = 0; i < n; i++) {
        kt_pack_text(out, entry[i].key);
        KT_TRY(kt_kmp_encode(out, entry[i].value, diag, depth));
    }
    return KT_OK;
}

KtStatus kt_kmp_encode(KtBuf *out, KtValue value, KtDiag *diag, uint32_t depth)
{
    if (depth > KMP_DEPTH_MOST)
        return kt_diag_set(diag, KT_ERR_VALUE_TOO_DEEP, NULL,
                           "A value is nested more than %d deep.", KMP_DEPTH_MOST);
    switch ((KtKind)value.kind) {
    case KT_NULL: kt_pack_nil(out); return KT_OK;
    case KT_BOOL: kt_pack_bool(out, value.as.b); return KT_OK;
    case KT_INT: kt_pack_int(out, value.as.i); return KT_OK;
    case KT_FLOAT: kt_pack_float(out, value.as.f); return KT_OK;
    case KT_TEXT: kt_pack_text(out, (KtText){value.as.text, value.len}); return KT_OK;
    case KT_BYTES: kt_pack_bin(out, value.as.text, value.len); return KT_OK;
    case KT_LIST:
        kt_pack_array(out, value.len);
        for (uint32_t i = 0; i < value.len; i++)
            KT_TRY(kt_kmp_encode(out, value.as.list[i], diag, depth + 1));
        return KT_OK;
    case KT_MAP: return kt_kmp_encode_entries(out, value.as.map, value.len, diag, depth + 1);
    case KT_NODE:
    case KT_REL:
    case KT_PATH:
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION:
    case KT_POINT:
    case KT_VECTOR:
    case KT_UUID: return kt_kmp_ext_encode(out, value, diag, depth);
    case KT_KIND_COUNT: break;
    }
    return kt_diag_set(diag, KT_ERR_INTERNAL, NULL, "A value of no known kind (%u) was to be sent.",
                       value.kind);
}

KtStatus kt_kmp_value_encode(KtBuf *out, KtValue value, KtDiag *diag)
{
    KT_TRY(kt_kmp_encode(out, value, diag, 0));
    return out->failed ? kt_diag_set(diag, KT_ERR_MEMORY, NULL, "No memory to encode a value.")
                       : KT_OK;
}

/* ---- decoding ---- */

KtStatus kt_kmp_invalid(KtDiag *diag, const char *what)
{
    return kt_diag_set(diag, KT_ERR_INVALID_VALUE, NULL, "%s", what);
}

static KtStatus no_memory(KmpDecoder *d)
{
    return kt_diag_set(d->diag, KT_ERR_MEMORY, NULL,
                       "No memory, or above the limit, for a received value.");
}

KtStatus kt_kmp_token(KmpDecoder *d, KtPackToken *out)
{
    KT_TRY(kt_unpack_token(&d->in, d->diag, out));
    size_t more = out->kind == KT_TOKEN_MAP     ? 2 * (size_t)out->len
                  : out->kind == KT_TOKEN_ARRAY ? out->len
                                                : 0;
    if (d->owed + more > kt_reader_left(&d->in))
        return kt_diag_set(d->diag, KT_ERR_PROTOCOL, NULL,
                           "A msgpack value announces more than the message holds.");
    return KT_OK;
}

static KtStatus checked_text(KmpDecoder *d, const KtPackToken *token, const char *what, KtText *out)
{
    if (token->kind != KT_TOKEN_TEXT)
        return kt_diag_set(d->diag, KT_ERR_INVALID_VALUE, NULL, "%s must be a string.", what);
    if (!kt_utf8_valid(token->body, token->len))
        return kt_diag_set(d->diag, KT_ERR_INVALID_VALUE, NULL, "%s is not valid UTF-8.", what);
    *out = (KtText){(const char *)token->body, token->len};
    return KT_OK;
}

KtStatus kt_kmp_text(KmpDecoder *d, const char *what, KtText *out)
{
    KtPackToken token;
    KT_TRY(kt_kmp_token(d, &token));
    return checked_text(d, &token, what, out);
}

KtStatus kt_kmp_list(KmpDecoder *d, const char *what, uint32_t *n)
{
    KtPackToken token;
    KT_TRY(kt_kmp_token(d, &token));
    if (token.kind != KT_TOKEN_ARRAY)
        return kt_diag_set(d->diag, KT_ERR_INVALID_VALUE, NULL, "%s must be a list.", what);
    d->owed += token.len;
    *n = token.len;
    return KT_OK;
}

static int key_order(KtText a, KtText b)
{
    uint32_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.at, b.at, least) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static void sift(uint32_t *heap, const KtMapEntry *entry, uint32_t at, uint32_t n)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= n)
            return;
        if (child + 1 < n && key_order(entry[heap[child]].key, entry[heap[child + 1]].key) < 0)
            child++;
        if (key_order(entry[heap[at]].key, entry[heap[child]].key) >= 0)
            return;
        uint32_t swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

/* Few keys are compared in pairs; many by heapsort, whose cost no choice of keys can raise. */
static KtStatus keys_distinct(KmpDecoder *d, const KtMapEntry *entry, uint32_t n, bool *distinct)
{
    *distinct = false;
    if (n <= 12) {
        for (uint32_t i = 1; i < n; i++)
            for (uint32_t j = 0; j < i; j++)
                if (kt_text_eq(entry[i].key, entry[j].key))
                    return KT_OK;
        *distinct = true;
        return KT_OK;
    }
    KtArenaMark mark = kt_arena_mark(d->arena);
    uint32_t *heap = kt_arena_alloc(d->arena, (size_t)n * sizeof *heap);
    if (!heap)
        return no_memory(d);
    for (uint32_t i = 0; i < n; i++)
        heap[i] = i;
    for (uint32_t i = n / 2; i > 0; i--)
        sift(heap, entry, i - 1, n);
    for (uint32_t i = n; i > 1; i--) {
        uint32_t swap = heap[0];
        heap[0] = heap[i - 1];
        heap[i - 1] = swap;
        sift(heap, entry, 0, i - 1);
    }
    bool twice = false;
    for (uint32_t i = 1; i < n && !twice; i++)
        twice = kt_text_eq(entry[heap[i - 1]].key, entry[heap[i]].key);
    kt_arena_rewind(d->arena, mark);
    *distinct = !twice;
    return KT_OK;
}

KtStatus kt_kmp_entries(KmpDecoder *d, uint32_t n, const KtMapEntry **out)
{
    KtMapEntry *entry = kt_arena_alloc(d->arena, (size_t)n * sizeof *entry);
    if (!entry)
        return no_memory(d);
    d->owed += 2 * (size_t)n;
    for (uint32_t i = 0; i < n; i++) {
        d->owed--;
        KT_TRY(kt_kmp_text(d, "A map key", &entry[i].key));
        d->owed--;
        KT_TRY(kt_kmp_decode(d, &entry[i].value));
    }
    bool distinct;
    KT_TRY(keys_distinct(d, entry, n, &distinct));
    if (!distinct)
        return kt_kmp_invalid(d->diag, "A map holds the same key twice.");
    *out = entry;
    return KT_OK;
}

static KtStatus decode_list(KmpDecoder *d, uint32_t n, KtValue *out)
{
    KtValue *item = kt_arena_alloc(d->arena, (size_t)n * sizeof *item);
    if (!item)
        return no_memory(d);
    d->owed += n;
    for (uint32_t i = 0; i < n; i++) {
        d->owed--;
        KT_TRY(kt_kmp_decode(d, &item[i]));
    }
    *out = kt_list(item, n);
    return KT_OK;
}

KtStatus kt_kmp_decode(KmpDecoder *d, KtValue *out)
{
    KtPackToken token;
    if (d->depth > KMP_DEPTH_MOST)
        return kt_diag_set(d->diag, KT_ERR_VALUE_TOO_DEEP, NULL,
                           "A value is nested more than %d deep.", KMP_DEPTH_MOST);
    KT_TRY(kt_kmp_token(d, &token));
    switch (token.kind) {
    case KT_TOKEN_NIL: *out = kt_null(); return KT_OK;
    case KT_TOKEN_BOOL: *out = kt_bool(token.as.b); return KT_OK;
    case KT_TOKEN_INT: *out = kt_int(token.as.i); return KT_OK;
    case KT_TOKEN_UINT: return kt_kmp_invalid(d->diag, "An integer is above 9223372036854775807.");
    case KT_TOKEN_FLOAT: *out = kt_float(token.as.f); return KT_OK;
    case KT_TOKEN_TEXT: {
        KtText text;
        KT_TRY(checked_text(d, &token, "A string", &text));
        *out = kt_text(text.at, text.len);
        return KT_OK;
    }
    case KT_TOKEN_BIN:
        *out = (KtValue){.kind = KT_BYTES, .len = token.len, .as.text = (const char *)token.body};
        return KT_OK;
    case KT_TOKEN_ARRAY: {
        d->depth++;
        KT_TRY(decode_list(d, token.len, out));
        d->depth--;
        return KT_OK;
    }
    case KT_TOKEN_MAP: {
        const KtMapEntry *entry;
        d->depth++;
        KT_TRY(kt_kmp_entries(d, token.len, &entry));
        d->depth--;
        *out = kt_map(entry, token.len);
        return KT_OK;
    }
    case KT_TOKEN_EXT: {
        d->depth++;
        KT_TRY(kt_kmp_ext_decode(d, &token, out));
        d->depth--;
        return KT_OK;
    }
    }
    return KT_ERR_INTERNAL;
}

KtStatus kt_kmp_value_decode(KtReader *in, KtArena *arena, KtDiag *diag, KtValue *out)
{
    KmpDecoder d = {.in = *in, .arena = arena, .diag = diag};
    KtValue value;
    KT_TRY(kt_kmp_decode(&d, &value));
    *in = d.in;
    *out = value;
    return KT_OK;
}
