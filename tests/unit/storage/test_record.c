/* Records: round trips of values, one property without the rest, values out of line, damaged bytes. */
#include "storage/record.h"

#include "tests/unit/storage/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static KtArena *arena;
static void setup(void) { cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK); }
static void teardown(void) { kt_arena_close(arena); }
TestSuite(storage_record, .init = setup, .fini = teardown);

static bool same(KtValue a, KtValue b)
{
    if (a.kind != b.kind)
        return false;
    switch ((KtKind)a.kind) {
    case KT_BOOL: return a.as.b == b.as.b;
    case KT_INT: return a.as.i == b.as.i;
    case KT_FLOAT: return memcmp(&a.as.f, &b.as.f, 8) == 0;
    case KT_TEXT:
    case KT_BYTES: return a.len == b.len && memcmp(a.as.text, b.as.text, a.len) == 0;
    case KT_LIST:
        if (a.len != b.len)
            return false;
        for (uint32_t i = 0; i < a.len; i++)
            if (!same(a.as.list[i], b.as.list[i]))
                return false;
        return true;
    default: return false;
    }
}

static KtValue any_value(uint64_t *seed, bool scalar, uint8_t kind)
{
    static const char text[] = "a text with some letters in it, and an umlaut: \xc3\xbc";
    switch (kind) {
    case KT_BOOL: return kt_bool(random_below(seed, 2));
    case KT_INT:
        return kt_int((int64_t)(random_next(seed) >> random_below(seed, 64)) *
                      (random_below(seed, 2) ? 1 : -1));
    case KT_FLOAT: return kt_float((double)(int64_t)random_next(seed) / 1e9);
    case KT_TEXT: return kt_text(text, random_below(seed, sizeof text));
    case KT_BYTES:
        return (KtValue){.kind = KT_BYTES, .len = random_below(seed, 20), .as.text = text};
    default: break;
    }
    cr_assert(!scalar);
    uint32_t n = random_below(seed, 6);
    KtValue *item = kt_arena_alloc(arena, (n + 1) * sizeof *item);
    uint8_t one = (uint8_t)(KT_BOOL + random_below(seed, 5));
    for (uint32_t i = 0; i < n; i++)
        item[i] = any_value(seed, true, one);
    return kt_list(item, n);
}

Test(storage_record, values_come_back_as_they_were)
{
    uint64_t seed = 41;
    int64_t edges[] = {0,    1,     -1,    127,       128,       -128,
                       -129, 32767, 32768, INT32_MIN, INT64_MAX, INT64_MIN};
    for (uint32_t i = 0; i < 3000; i++) {
        KtValue value = i < KT_COUNT(edges) ? kt_int(edges[i])
                                            : any_value(&seed, false, (uint8_t)(KT_BOOL + i % 6)),
                back;
        KtBuf out = {0};
        kt_buf_u8(&out, 0);
        cr_assert_eq(kt_value_encode(&out, value), KT_OK);
        cr_assert_eq(kt_value_decode(value.kind, kt_span(out.data + 1, out.len - 1), arena, &back),
                     KT_OK);
        cr_assert(same(value, back), "value %u of kind %d", i, value.kind);
        kt_buf_clear(&out);
        cr_assert_eq(kt_value_encode_out(&out, value), KT_OK);
        cr_assert_eq(kt_value_decode_out(kt_span(out.data, out.len), arena, &back), KT_OK);
        cr_assert(same(value, back));
        kt_buf_close(&out);
    }
}

Test(storage_record, what_a_property_cannot_hold_is_refused_with_its_own_error)
{
    KtValue mixed[2] = {kt_int(1), kt_float(2)}, nested[1] = {kt_list(mixed, 1)},
            hole[2] = {kt_int(1), kt_null()};
    KtTemporal day = {.days = 1};
    KtValue date = {.kind = KT_DATE, .as.temporal = &day};
    KtBuf out = {0};
    cr_assert_eq(kt_value_encode(&out, kt_list(mixed, 2)), KT_ERR_INVALID_PROPERTY_TYPE);
    cr_assert_eq(kt_value_encode(&out, kt_list(nested, 1)), KT_ERR_INVALID_PROPERTY_TYPE);
    cr_assert_eq(kt_value_encode(&out, kt_list(hole, 2)), KT_ERR_INVALID_PROPERTY_TYPE);
    cr_assert_eq(kt_value_encode(&out, kt_map(NULL, 0)), KT_ERR_INVALID_PROPERTY_TYPE);
    cr_assert_eq(kt_value_encode(&out, kt_node(1)), KT_ERR_INVALID_PROPERTY_TYPE);
    cr_assert_eq(kt_value_encode(&out, date), KT_ERR_NOT_SUPPORTED);
    cr_assert_eq(kt_value_encode(&out, kt_list(&date, 1)), KT_ERR_NOT_SUPPORTED);
    cr_assert_eq(out.len, 0);
    kt_buf_close(&out);
}

typedef struct Spilled {
    KtToken key[8];
    KtBuf bytes[8];
    int n;
} Spilled;

static KtStatus spill(void *user, KtToken key, KtSpan bytes)
{
    Spilled *s = user;
    s->key[s->n] = key;
    kt_buf_put(&s->bytes[s->n++], bytes.at, bytes.len);
    return KT_OK;
}

Test(storage_record, one_property_is_found_without_the_others)
{
    uint64_t seed = 42;
    for (uint32_t round = 0; round < 200; round++) {
        KtToken label[5];
        KtProp prop[40];
        uint32_t labels = random_below(&seed, 5), props = random_below(&seed, 40);
        for (uint32_t i = 0; i < labels; i++)
            label[i] = i * 3 + 1;
        for (uint32_t i = 0; i < props; i++)
            prop[i] = (KtProp){
                i * 2 + 1, any_value(&seed, false, (uint8_t)(KT_BOOL + random_below(&seed, 6)))};
        KtBuf out = {0};
        cr_assert_eq(kt_record_encode(&out, label, labels, prop, props, NULL), KT_OK);
        KtSpan bytes = kt_span(out.data, out.len);
        cr_assert_eq(kt_record_verify(bytes), KT_OK);
        KtRecord record;
        cr_assert_eq(kt_record_open(bytes, &record), KT_OK);
        cr_assert(record.labels == labels && record.props == props);
        for (uint32_t i = 0; i < labels; i++)
            cr_assert(kt_record_has_label(&record, label[i]) &&
                      !kt_record_has_label(&record, label[i] + 1));
        for (uint32_t i = 0; i <= props; i++) {
            KtRecordValue at;
            KtValue value;
            bool found = true;
            cr_assert_eq(kt_record_find(&record, i * 2, &at, &found), KT_OK);
            cr_assert_not(found);
            if (i == props)
                break;
            cr_assert_eq(kt_record_find(&record, i * 2 + 1, &at, &found), KT_OK);
            cr_assert(found && !at.out_of_line);
            cr_assert_eq(kt_value_decode(at.kind, at.bytes, arena, &value), KT_OK);
            cr_assert(same(value, prop[i].value));
        }
        kt_buf_close(&out);
    }
}

Test(storage_record, a_value_over_two_kilobytes_stands_out_of_line)
{
    char big[5000];
    memset(big, 'x', sizeof big);
    KtProp prop[3] = {
        {1, kt_int(5)}, {2, kt_text(big, sizeof big)}, {3, kt_text(big, KT_RECORD_INLINE)}};
    Spilled spilled = {.n = 0};
    KtRecordSpill to = {spill, &spilled};
    KtBuf out = {0};
    cr_assert_eq(kt_record_encode(&out, NULL, 0, prop, 3, &to), KT_OK);
    cr_assert(spilled.n == 1 && spilled.key[0] == 2);
    KtRecord record;
    KtRecordValue at;
    bool found;
    cr_assert_eq(kt_record_verify(kt_span(out.data, out.len)), KT_OK);
    cr_assert_eq(kt_record_open(kt_span(out.data, out.len), &record), KT_OK);
    cr_assert_eq(kt_record_find(&record, 2, &at, &found), KT_OK);
    cr_assert(found && at.out_of_line && at.kind == KT_TEXT && at.bytes.len == 0);
    cr_assert_eq(kt_record_find(&record, 3, &at, &found), KT_OK);
    cr_assert(found && !at.out_of_line && at.bytes.len == KT_RECORD_INLINE);
    KtValue back;
    cr_assert_eq(
        kt_value_decode_out(kt_span(spilled.bytes[0].data, spilled.bytes[0].len), arena, &back),
        KT_OK);
    cr_assert(same(back, prop[1].value));
    kt_buf_close(&out), kt_buf_close(&spilled.bytes[0]);
}

Test(storage_record, decoders_survive_random_and_damaged_bytes)
{
    uint64_t seed = 43;
    for (int round = 0; round < 20000; round++) {
        KtToken label[3] = {1, 2, 9};
        KtProp prop[6];
        uint32_t props = random_below(&seed, 6);
        kt_arena_reset(arena);
        for (uint32_t i = 0; i < props; i++)
            prop[i] = (KtProp){
                i + 1, any_value(&seed, false, (uint8_t)(KT_BOOL + random_below(&seed, 6)))};
        KtBuf out = {0};
        cr_assert_eq(kt_record_encode(&out, label, random_below(&seed, 4), prop, props, NULL),
                     KT_OK);
        size_t len = round & 1 ? out.len : random_below(&seed, (uint32_t)out.len);
        uint8_t *exact = malloc(len ? len : 1);
        memcpy(exact, out.data, len);
        for (uint32_t i = random_below(&seed, 6); i > 0 && len; i--)
            exact[random_below(&seed, (uint32_t)len)] = (uint8_t)random_next(&seed);
        KtRecord record;
        (void)!kt_record_verify(kt_span(exact, len));
        if (kt_record_open(kt_span(exact, len), &record) == KT_OK) {
            for (KtToken key = 0; key < 8; key++) {
                KtRecordValue at;
                KtValue value;
                bool found = false;
                if (kt_record_find(&record, key, &at, &found) == KT_OK && found && !at.out_of_line)
                    (void)!kt_value_decode(at.kind, at.bytes, arena, &value);
            }
        }
        free(exact);
        kt_buf_close(&out);
    }
}
