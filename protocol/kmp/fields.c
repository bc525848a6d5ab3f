/* protocol/kmp/fields.c - the table of messages.def at work. */
#include "protocol/kmp/fields.h"

#include "base/utf8.h"
#include "protocol/kmp/value_codec.h"

#define KMP_FORM_UINT KMP_UINT
#define KMP_FORM_BOOL KMP_BOOL
#define KMP_FORM_TEXT KMP_TEXT_
#define KMP_FORM_BIN KMP_BIN
#define KMP_FORM_TEXTS KMP_TEXTS
#define KMP_FORM_UINTS KMP_UINTS
#define KMP_FORM_MAP KMP_MAP
#define KMP_FORM_RAW KMP_RAW

static const KmpField fields[] = {
#define KMP_FIELD(message, key, form, must) {KMP_##message, KMP_KEY_##key, KMP_FORM_##form, (must)},
#include "protocol/kmp/messages.def"
};

/* The rows of one message stand together. */
static const KmpField *fields_of(KmpType message, size_t *n)
{
    size_t from = 0, to;
    while (from < KT_COUNT(fields) && fields[from].message != message)
        from++;
    for (to = from; to < KT_COUNT(fields) && fields[to].message == message;)
        to++;
    *n = to - from;
    return &fields[from < KT_COUNT(fields) ? from : 0];
}

static const KmpField *find_key(const KmpField *field, size_t n, uint64_t key)
{
    for (size_t i = 0; i < n; i++)
        if (field[i].key == key)
            return &field[i];
    return NULL;
}

const KmpField *kt_kmp_field(KmpType message, uint64_t key)
{
    size_t n;
    const KmpField *field = fields_of(message, &n);
    return find_key(field, n, key);
}

static const char *const key_names[KMP_KEY_COUNT] = {
#define KMP_KEY(name, number, text) [(number)] = (text),
#include "protocol/kmp/messages.def"
};

const char *kt_kmp_key_name(KmpKey key)
{
    const char *name = key < KMP_KEY_COUNT ? key_names[key] : NULL;
    return name ? name : "unknown";
}

/* ---- reading ---- */

static KtStatus wrong_form(KtDiag *diag, const KmpField *field, const char *form)
{
    return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "%s: key %u (%s) must be %s.",
                       kt_kmp_type_name(field->message, NULL), field->key,
                       kt_kmp_key_name((KmpKey)field->key), form);
}

static KtStatus read_uint(KtReader *in, KtDiag *diag, const KmpField *field, uint64_t *out)
{
    KtPackToken token;
    KT_TRY(kt_unpack_token(in, diag, &token));
    if (token.kind == KT_TOKEN_UINT)
        *out = token.as.u;
    else if (token.kind == KT_TOKEN_INT && token.as.i >= 0)
        *out = (uint64_t)token.as.i;
    else
        return wrong_form(diag, field, "a whole number of at least 0");
    return KT_OK;
}

static KtStatus read_text(KtReader *in, KtDiag *diag, const KmpField *field, KtText *out)
{
    KtPackToken token;
    KT_TRY(kt_unpack_token(in, diag, &token));
    if (token.kind != KT_TOKEN_TEXT || !kt_utf8_valid(token.body, token.len))
        return wrong_form(diag, field, "a string in UTF-8");
    *out = (KtText){(const char *)token.body, token.len};
    return KT_OK;
}

static KtStatus read_list(KtReader *in, KtArena *arena, KtDiag *diag, const KmpField *field,
                          KmpSlot *slot)
{
    KtPackToken token;
    bool text = field->form == KMP_TEXTS;
    KT_TRY(kt_unpack_token(in, diag, &token));
    if (token.kind != KT_TOKEN_ARRAY)
        return wrong_form(diag, field, "a list");
    KtText *texts = kt_arena_alloc(arena, text ? (size_t)token.len * sizeof *texts : 0);
    uint64_t *numbers = kt_arena_alloc(arena, text ? 0 : (size_t)token.len * sizeof *numbers);
    if (!texts || !numbers)
        return kt_diag_set(diag, KT_ERR_MEMORY, NULL, "No memory for a message.");
    for (uint32_t i = 0; i < token.len; i++) {
        if (text)
            KT_TRY(read_text(in, diag, field, &texts[i]));
        else
            KT_TRY(read_uint(in, diag, field, &numbers[i]));
    }
    slot->n = token.len;
    slot->texts = texts;
    slot->numbers = numbers;
    return KT_OK;
}

static KtStatus read_field(KtReader *in, KtArena *arena, KtDiag *diag, const KmpField *field,
                           KmpSlot *slot)
{
    KtPackToken token;
    slot->seen = true;
    switch (field->form) {
    case KMP_UINT: return read_uint(in, diag, field, &slot->number);
    case KMP_BOOL:
        KT_TRY(kt_unpack_token(in, diag, &token));
        if (token.kind != KT_TOKEN_BOOL)
            return wrong_form(diag, field, "true or false");
        slot->number = token.as.b ? 1 : 0;
        return KT_OK;
    case KMP_TEXT_: return read_text(in, diag, field, &slot->text);
    case KMP_BIN:
        KT_TRY(kt_unpack_token(in, diag, &token));
        slot->text = (KtText){(const char *)token.body, token.len};
        return token.kind == KT_TOKEN_BIN ? KT_OK : wrong_form(diag, field, "bytes");
    case KMP_TEXTS:
    case KMP_UINTS: return read_list(in, arena, diag, field, slot);
    case KMP_MAP:
        KT_TRY(kt_kmp_value_decode(in, arena, diag, &slot->map));
        return slot->map.kind == KT_MAP ? KT_OK : wrong_form(diag, field, "a map");
    case KMP_RAW: {
        const uint8_t *from = in->at;
        KT_TRY(kt_unpack_skip(in, diag));
        slot->text = (KtText){(const char *)from, (uint32_t)(in->at - from)};
        return KT_OK;
    }
    }
    return KT_ERR_INTERNAL;
}

KtStatus kt_kmp_body_decode(KmpType message, KtReader *in, KtArena *arena, KtDiag *diag,
                            KmpBody *out)
{
    KtPackToken token;
    size_t n;
    const KmpField *of = fields_of(message, &n);
    for (size_t i = 0; i < n; i++)
        out->slot[of[i].key] = (KmpSlot){0};
    KT_TRY(kt_unpack_token(in, diag, &token));
    if (token.kind != KT_TOKEN_MAP)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "%s: the payload must be one map.",
                           kt_kmp_type_name((uint8_t)message, NULL));
    uint32_t entries = token.len;
    for (uint32_t i = 0; i < entries; i++) {
        KT_TRY(kt_unpack_token(in, diag, &token));
        const KmpField *field = token.kind == KT_TOKEN_INT && token.as.i >= 0
                                    ? find_key(of, n, (uint64_t)token.as.i)
                                    : NULL;
        if (token.kind != KT_TOKEN_INT && token.kind != KT_TOKEN_UINT)
            return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                               "%s: the keys of the payload must be numbers.",
                               kt_kmp_type_name((uint8_t)message, NULL));
        if (!field) {
            KT_TRY(kt_unpack_skip(in, diag));
            continue;
        }
        if (out->slot[field->key].seen)
            return wrong_form(diag, field, "there once");
        KT_TRY(read_field(in, arena, diag, field, &out->slot[field->key]));
    }
    for (size_t i = 0; i < n; i++)
        if (of[i].must && !out->slot[of[i].key].seen)
            return wrong_form(diag, &of[i], "there");
    return KT_OK;
}

KtStatus kt_kmp_payload_decode(KmpType message, const uint8_t *payload, size_t len, KtArena *arena,
                               KtDiag *diag, KmpBody *out)
{
    KtReader in = kt_reader(payload, len);
    KT_TRY(kt_kmp_body_decode(message, &in, arena, diag, out));
    if (kt_reader_left(&in) != 0)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL,
                           "%s: %zu bytes are left over behind the payload.",
                           kt_kmp_type_name((uint8_t)message, NULL), kt_reader_left(&in));
    return KT_OK;
}

KtStatus kt_kmp_position(const KmpSlot *slot, KtDiag *diag, KtPos *out)
{
    *out = (KtPos){0};
    if (!slot->seen)
        return KT_OK;
    KtReader in = kt_reader(slot->text.at, slot->text.len);
    KtPackToken token;
    KT_TRY(kt_unpack_token(&in, diag, &token));
    uint32_t entries = token.kind == KT_TOKEN_MAP ? token.len : 0;
    for (uint32_t i = 0; i < entries; i++) {
        KtPackToken value;
        KT_TRY(kt_unpack_token(&in, diag, &token));
        KtReader before = in;
        KT_TRY(kt_unpack_skip(&in, diag));
        KT_TRY(kt_unpack_token(&before, diag, &value));
        if (token.kind != KT_TOKEN_INT || value.kind != KT_TOKEN_INT || value.as.i < 0 ||
            value.as.i > UINT32_MAX)
            continue; /* a key of a later version */
        uint32_t number = (uint32_t)value.as.i;
        switch (token.as.i) {
        case KMP_KEY_OFFSET: out->offset = number; break;
        case KMP_KEY_LINE: out->line = number; break;
        case KMP_KEY_COLUMN: out->column = number; break;
        case KMP_KEY_LENGTH: out->length = number; break;
        default: break;
        }
    }
    return KT_OK;
}

/* ---- writing ---- */

KmpMap kt_kmp_map_open(KtBuf *out)
{
    KmpMap map = {.out = out, .at = out->len};
    kt_buf_u8(out, 0x80);
    return map;
}

void kt_kmp_map_key(KmpMap *map, KmpKey key)
{
    KT_CHECK(map->n < 15);
    map->n++;
    kt_buf_u8(map->out, (uint8_t)key);
}

void kt_kmp_map_uint(KmpMap *map, KmpKey key, uint64_t number)
{
    kt_kmp_map_key(map, key);
    kt_pack_uint(map->out, number);
}

void kt_kmp_map_bool(KmpMap *map, KmpKey key, bool b)
{
    kt_kmp_map_key(map, key);
    kt_pack_bool(map->out, b);
}

void kt_kmp_map_text(KmpMap *map, KmpKey key, KtText text)
{
    kt_kmp_map_key(map, key);
    kt_pack_text(map->out, text);
}

void kt_kmp_map_bin(KmpMap *map, KmpKey key, const void *bytes, uint32_t len)
{
    kt_kmp_map_key(map, key);
    kt_pack_bin(map->out, bytes, len);
}

void kt_kmp_map_uint_if(KmpMap *map, KmpKey key, uint64_t number)
{
    if (number)
        kt_kmp_map_uint(map, key, number);
}

void kt_kmp_map_text_if(KmpMap *map, KmpKey key, KtText text)
{
    if (text.len)
        kt_kmp_map_text(map, key, text);
}

void kt_kmp_map_texts(KmpMap *map, KmpKey key, const KtText *text, uint32_t n)
{
    kt_kmp_map_key(map, key);
    kt_pack_array(map->out, n);
    for (uint32_t i = 0; i < n; i++)
        kt_pack_text(map->out, text[i]);
}

void kt_kmp_map_position_if(KmpMap *map, const KtPos *at)
{
    if (at->line == 0)
        return;
    kt_kmp_map_key(map, KMP_KEY_POSITION);
    KmpMap inner = kt_kmp_map_open(map->out);
    kt_kmp_map_uint(&inner, KMP_KEY_OFFSET, at->offset);
    kt_kmp_map_uint(&inner, KMP_KEY_LINE, at->line);
    kt_kmp_map_uint(&inner, KMP_KEY_COLUMN, at->column);
    kt_kmp_map_uint(&inner, KMP_KEY_LENGTH, at->length);
    kt_kmp_map_close(&inner);
}

void kt_kmp_map_close(KmpMap *map)
{
    if (!map->out->failed)
        map->out->data[map->at] = (uint8_t)(0x80 | map->n);
}
