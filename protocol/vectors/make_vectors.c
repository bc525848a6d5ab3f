/* protocol/vectors/make_vectors.c - writes vectors.jsonl to standard output, a line for each vector.
 *
 * The file is checked in and is what clients are held to; this program only spares writing it by hand. */
#include "protocol/kmp/value_codec.h"
#include "protocol/vectors/vector_json.h"

#include <math.h>
#include <stdio.h>

#define T(s) KT_TEXT_LITERAL(s)
#define TEXT(s) ((KtValue){.kind = KT_TEXT, .len = sizeof(s) - 1, .as.text = (s)})

static void must(KtStatus status, const KtDiag *diag)
{
    if (status == KT_OK)
        return;
    (void)fprintf(stderr, "make_vectors: %s\n", diag->message);
    KT_CHECK(status == KT_OK);
}

static void line(const char *name, const char *kind, const void *bytes, size_t len,
                 const KtBuf *json)
{
    KtBuf hex = {0};
    kt_vector_hex(&hex, bytes, len);
    printf("{\"name\":\"%s\",\"kind\":\"%s\",\"hex\":\"%.*s\",\"json\":%.*s}\n", name, kind,
           (int)hex.len, (const char *)hex.data, (int)json->len, (const char *)json->data);
    kt_buf_close(&hex);
}

static void value(const char *name, KtValue v)
{
    KtBuf bytes = {0}, json = {0};
    KtDiag diag = {0};
    must(kt_kmp_value_encode(&bytes, v, &diag), &diag);
    kt_vector_value(&json, v);
    line(name, "value", bytes.data, bytes.len, &json);
    kt_buf_close(&bytes);
    kt_buf_close(&json);
}

/* Bytes that are read but never written. */
static void read_only(const char *name, const char *bytes, size_t len)
{
    KtBuf json = {0};
    KtDiag diag = {0};
    KtArena *arena;
    KtValue v;
    KtReader in = kt_reader(bytes, len);
    must(kt_arena_open(NULL, &arena), &diag);
    must(kt_kmp_value_decode(&in, arena, &diag, &v), &diag);
    kt_vector_value(&json, v);
    line(name, "value-read", bytes, len, &json);
    kt_buf_close(&json);
    kt_arena_close(arena);
}

static void bad(const char *name, const char *bytes, size_t len, const char *error)
{
    KtBuf json = {0};
    kt_buf_u8(&json, '"');
    kt_buf_put(&json, error, strlen(error));
    kt_buf_u8(&json, '"');
    line(name, "value-bad", bytes, len, &json);
    kt_buf_close(&json);
}

static void message(const char *name, const KtBuf *bytes)
{
    KmpInbox inbox = {.frame_most = KMP_FRAME_DEFAULT, .message_most = KMP_MESSAGE_MOST};
    KmpMessage m;
    KtBuf json = {0};
    KtDiag diag = {0};
    KtArena *arena;
    size_t used, need;
    bool got;
    must(kt_arena_open(NULL, &arena), &diag);
    must(kt_kmp_inbox_next(&inbox, bytes->data, bytes->len, &diag, &used, &need, &m, &got), &diag);
    KT_CHECK(got && used == bytes->len);
    must(kt_vector_message(&json, &m, arena, &diag), &diag);
    line(name, "message", bytes->data, bytes->len, &json);
    kt_buf_close(&json);
    kt_arena_close(arena);
    kt_kmp_inbox_close(&inbox);
}

static const KmpWire plain = {.frame_most = KMP_FRAME_DEFAULT};

static void request(const char *name, KmpRequest r)
{
    KtBuf bytes = {0};
    KtDiag diag = {0};
    must(kt_kmp_request_encode(&bytes, &plain, &r, &diag), &diag);
    message(name, &bytes);
    kt_buf_close(&bytes);
}

static void response(const char *name, KmpResponse r)
{
    KtBuf bytes = {0};
    KtDiag diag = {0};
    must(kt_kmp_response_encode(&bytes, &plain, &r, &diag), &diag);
    message(name, &bytes);
    kt_buf_close(&bytes);
}

static void numbers(void)
{
    static const int64_t ints[] = {
        0,         1,  127, 128, 255,  256,  65535,  65536,  4294967295,    4294967296,
        INT64_MAX, -1, -32, -33, -128, -129, -32768, -32769, -2147483648LL, -2147483649LL,
        INT64_MIN};
    static const double floats[] = {0.0, -0.0,  1.0,    1.5,      -2.25,
                                    0.1, 1e300, 5e-324, INFINITY, -INFINITY};
    char name[48];
    value("null", kt_null());
    value("true", kt_bool(true));
    value("false", kt_bool(false));
    for (size_t i = 0; i < KT_COUNT(ints); i++) {
        (void)snprintf(name, sizeof name, "integer %lld", (long long)ints[i]);
        value(name, kt_int(ints[i]));
    }
    for (size_t i = 0; i < KT_COUNT(floats); i++) {
        (void)snprintf(name, sizeof name, "float %g", floats[i]);
        value(name, kt_float(floats[i]));
    }
    value("float NaN", kt_float((double)NAN));
}

static void texts(void)
{
    static char wide[70000];
    memset(wide, 'x', sizeof wide);
    value("empty string", TEXT(""));
    value("string", TEXT("Ada"));
    value("string with quotes", TEXT("a \"quoted\" \\ back\nline"));
    value("string beyond ASCII", TEXT("na\u00EFve \u4F60\u597D \U0001F600"));
    value("string of 31 bytes", kt_text(wide, 31));
    value("string of 32 bytes", kt_text(wide, 32));
    value("string of 256 bytes", kt_text(wide, 256));
    value("string of 65536 bytes", kt_text(wide, 65536));
    value("bytes", (KtValue){.kind = KT_BYTES, .len = 4, .as.text = "\x00\x01\xFE\xFF"});
    value("no bytes", (KtValue){.kind = KT_BYTES, .len = 0, .as.text = ""});
    value("300 bytes", (KtValue){.kind = KT_BYTES, .len = 300, .as.text = wide});
}

static void containers(void)
{
    KtValue items[20];
    for (int i = 0; i < 20; i++)
        items[i] = kt_int(i);
    KtValue mixed[] = {kt_null(),     kt_bool(true), kt_int(-5),
                       kt_float(0.5), TEXT("x"),     kt_list(items, 2)};
    KtMapEntry inner[] = {{T("deep"), kt_list(mixed, 6)}};
    KtMapEntry entries[] = {{T("name"), TEXT("Ada")},
                            {T("age"), kt_int(36)},
                            {T(""), kt_null()},
                            {T("more"), kt_map(inner, 1)}};
    static KtMapEntry many[20];
    static char key[20][8];
    for (int i = 0; i < 20; i++) {
        int n = snprintf(key[i], sizeof key[i], "k%d", 19 - i);
        many[i] = (KtMapEntry){{key[i], (uint32_t)n}, kt_int(i)};
    }
    value("empty list", kt_list(items, 0));
    value("list of 15", kt_list(items, 15));
    value("list of 16", kt_list(items, 16));
    value("mixed list", kt_list(mixed, 6));
    value("empty map", kt_map(entries, 0));
    value("map", kt_map(entries, 4));
    value("map of 20", kt_map(many, 20));
}

static void entities(void)
{
    const KtText labels[] = {T("Person"), T("Admin")};
    const KtMapEntry props[] = {{T("name"), {.kind = KT_TEXT, .len = 3, .as.text = "Ada"}},
                                {T("born"), {.kind = KT_INT, .as.i = 1815}}};
    const KtMapEntry since[] = {{T("since"), {.kind = KT_INT, .as.i = 1833}}};
    KtNodeImage ada = {.id = 7, .label = labels, .labels = 1, .prop = props, .props = 1};
    KtNodeImage both = {.id = 4294967294, .label = labels, .labels = 2, .prop = props, .props = 2};
    KtNodeImage bare = {.id = 0, .label = labels, .prop = props};
    KtNodeImage huge = {.id = UINT64_MAX, .label = labels, .prop = props};
    KtRelImage knows = {
        .id = 11, .start = 7, .end = 0, .type = T("KNOWS"), .prop = since, .props = 1};
    KtRelImage back = {.id = 12, .start = 4294967294, .end = 0, .type = T("KNOWS"), .prop = since};
    KtRelImage loop = {
        .id = 13, .start = 4294967294, .end = 4294967294, .type = T("LIKES"), .prop = since};
    const KtNodeImage *nodes[] = {&ada, &bare, &both, &both};
    const KtRelImage *rels[] = {&knows, &back, &loop};
    KtPathImage one = {.rels = 0, .node = nodes, .rel = rels},
                path = {.rels = 3, .node = nodes, .rel = rels};
#define IMAGE(k, member, at) ((KtValue){.kind = (k), .flags = KT_VALUE_IMAGE, .as.member = (at)})
    value("node", IMAGE(KT_NODE, node_image, &ada));
    value("node with two labels", IMAGE(KT_NODE, node_image, &both));
    value("node without labels and properties", IMAGE(KT_NODE, node_image, &bare));
    value("node with the largest id", IMAGE(KT_NODE, node_image, &huge));
    value("relationship", IMAGE(KT_REL, rel_image, &knows));
    value("relationship without properties", IMAGE(KT_REL, rel_image, &back));
    value("path of one node", IMAGE(KT_PATH, path_image, &one));
    value("path there, back and round", IMAGE(KT_PATH, path_image, &path));
    KtValue list[] = {IMAGE(KT_NODE, node_image, &ada), IMAGE(KT_REL, rel_image, &knows)};
    value("list of entities", kt_list(list, 2));
}

static void temporal(const char *name, KtKind kind, KtTemporal t)
{
    if (!t.zone.at)
        t.zone.at = "";
    value(name, (KtValue){.kind = (uint8_t)kind, .as.temporal = &t});
}

static void times_and_places(void)
{
    temporal("date", KT_DATE, (KtTemporal){.days = 19782});
    temporal("date before 1970", KT_DATE, (KtTemporal){.days = -719162});
    temporal("local time", KT_LOCAL_TIME, (KtTemporal){.seconds = 86399, .nanos = 999999999});
    temporal("time", KT_TIME, (KtTemporal){.seconds = 45296, .nanos = 5, .offset_s = -19800});
    temporal("local datetime", KT_LOCAL_DATETIME,
             (KtTemporal){.days = 19782, .seconds = 45296, .nanos = 120000000});
    temporal("local datetime before 1970", KT_LOCAL_DATETIME,
             (KtTemporal){.days = -1, .seconds = 86399, .nanos = 1});
    temporal("datetime with offset", KT_DATETIME,
             (KtTemporal){.days = 19782, .seconds = 45296, .offset_s = 3600});
    temporal(
        "datetime with zone", KT_DATETIME,
        (KtTemporal){
            .days = 0, .seconds = 1800, .nanos = 7, .offset_s = 3600, .zone = T("Europe/Paris")});
    temporal("duration", KT_DURATION,
             (KtTemporal){.months = 14, .days = -3, .seconds = 3723, .nanos = 500000000});
    temporal("negative duration", KT_DURATION,
             (KtTemporal){.months = -1, .seconds = -1, .nanos = 999999999});
    static const KtPoint points[] = {{4326, 2, {2.3522, 48.8566, 0}},
                                     {4979, 3, {2.3522, 48.8566, 35.5}},
                                     {7203, 2, {-1.0, 0.5, 0}},
                                     {9157, 3, {1.0, 2.0, 3.0}}};
    value("point on the earth", (KtValue){.kind = KT_POINT, .as.point = &points[0]});
    value("point above the earth", (KtValue){.kind = KT_POINT, .as.point = &points[1]});
    value("point in a plane", (KtValue){.kind = KT_POINT, .as.point = &points[2]});
    value("point in space", (KtValue){.kind = KT_POINT, .as.point = &points[3]});
    static const float f32[] = {1.0f, -0.5f, 3.25f};
    static const int16_t i16[] = {1, -2, 300};
    value("vector of float 32",
          (KtValue){.kind = KT_VECTOR, .aux = KMP_VECTOR_F32, .len = sizeof f32, .as.box = f32});
    value("vector of integer 16",
          (KtValue){.kind = KT_VECTOR, .aux = KMP_VECTOR_I16, .len = sizeof i16, .as.box = i16});
    value("empty vector", (KtValue){.kind = KT_VECTOR, .aux = KMP_VECTOR_F64, .as.box = f32});
    static const uint8_t uuid[16] = {0x12, 0x3E, 0x45, 0x67, 0xE8, 0x9B, 0x12, 0xD3,
                                     0xA4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0};
    value("uuid", (KtValue){.kind = KT_UUID, .as.uuid = uuid});
}

#define READ(name, s) read_only(name, s, sizeof(s) - 1)
#define BAD(name, s, error) bad(name, s, sizeof(s) - 1, error)

static void odd_bytes(void)
{
    READ("float 32", "\xCA\x3F\xC0\x00\x00");
    READ("integer in a long form", "\xD3\x00\x00\x00\x00\x00\x00\x00\x05");
    READ("unsigned 64 that fits", "\xCF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    READ("string in a long form", "\xDB\x00\x00\x00\x01x");
    READ("list in a long form", "\xDD\x00\x00\x00\x01\xC0");
    READ("timestamp 32", "\xD6\xFF\x00\x00\x00\x01");
    READ("timestamp 64", "\xD7\xFF\x00\x00\x00\x14\x00\x00\x00\x01");
    READ("timestamp 96", "\xC7\x0C\xFF\x00\x00\x00\x05\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    BAD("nothing", "", "Protocol");
    BAD("byte C1", "\xC1", "Protocol");
    BAD("string that ends early", "\xA5xy", "Protocol");
    BAD("list of four billion", "\xDD\xFF\xFF\xFF\xFF", "Protocol");
    BAD("map of four billion", "\xDF\xFF\xFF\xFF\xFF\xA1x", "Protocol");
    BAD("counts that promise the same bytes", "\x93\x93\x93\xC0", "Protocol");
    BAD("unsigned above 63 bits", "\xCF\x80\x00\x00\x00\x00\x00\x00\x00", "InvalidValue");
    BAD("string that is not UTF-8", "\xA2\xC3\x28", "InvalidValue");
    BAD("string with a surrogate", "\xA3\xED\xA0\x80", "InvalidValue");
    BAD("map with a number as key", "\x81\x01\x02", "InvalidValue");
    BAD("map with a key twice", "\x82\xA1x\x01\xA1x\x02", "InvalidValue");
    BAD("unknown extension", "\xD4\x63\x00", "InvalidValue");
    BAD("date of 2 bytes", "\xD5\x05\x00\x00", "InvalidValue");
    BAD("local time of 25 hours", "\xD7\x06\x00\x00\x51\xDA\xC2\x07\xA0\x00", "InvalidValue");
    BAD("point with an unknown srid",
        "\xC7\x14\x0B\x00\x00\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "InvalidValue");
    BAD("vector cut in an element", "\xD5\x0C\x02\x00", "InvalidValue");
    BAD("node with two fields", "\xC7\x03\x01\x92\x01\x90", "InvalidValue");
    BAD("node with bytes behind", "\xC7\x05\x01\x93\x01\x90\x80\xC0", "InvalidValue");
    BAD("path whose step leads elsewhere",
        "\xC7\x14\x03\x93\x92\x93\x01\x90\x80\x93\x02\x90\x80\x91\x95\x05\x01\x03\xA1T\x80\x91\x01",
        "InvalidValue");
}

static void requests(void)
{
    const KtMapEntry params[] = {{T("name"), {.kind = KT_TEXT, .len = 3, .as.text = "Ada"}},
                                 {T("n"), {.kind = KT_INT, .as.i = 3}}};
    static const char key[] = "0123456789abcdef0123456789ABCDEF";
    request(
        "HELLO",
        (KmpRequest){.type = KMP_HELLO, .request = 1, .as.hello = {T("demo/1"), T("none"), T("")}});
    request("HELLO with database", (KmpRequest){.type = KMP_HELLO,
                                                .request = 1,
                                                .as.hello = {T("demo/1"), T("none"), T("kith")}});
    request("RUN", (KmpRequest){.type = KMP_RUN,
                                .request = 2,
                                .as.run = {.text = T("RETURN 1 AS n"),
                                           .credit_rows = 1000,
                                           .credit_bytes = 1048576}});
    request("RUN with everything",
            (KmpRequest){.type = KMP_RUN,
                         .flags = KMP_SKIP_IF_FAILED,
                         .request = 4294967295,
                         .as.run = {.text = T("MATCH (p:Person {name: $name}) RETURN p LIMIT $n"),
                                    .params = kt_map(params, 2),
                                    .credit_rows = 0,
                                    .credit_bytes = 0,
                                    .deadline_ms = 60000,
                                    .read_only = true,
                                    .min_commit = 12345678901,
                                    .tag = T("job 7")}});
    request("MORE", (KmpRequest){.type = KMP_MORE, .request = 3, .as.more = {1, 1000, 1048576}});
    request("CLOSE", (KmpRequest){.type = KMP_CLOSE, .request = 4, .as.close = {1}});
    request("CANCEL all", (KmpRequest){.type = KMP_CANCEL, .request = 5});
    request("CANCEL one",
            (KmpRequest){.type = KMP_CANCEL, .request = 5, .as.cancel = {.request = 2}});
    request("CANCEL with a key",
            (KmpRequest){.type = KMP_CANCEL,
                         .request = 1,
                         .as.cancel = {.session = 9, .key = {key, KMP_CANCEL_KEY}}});
    request("BEGIN", (KmpRequest){.type = KMP_BEGIN, .request = 6});
    request("BEGIN to read",
            (KmpRequest){.type = KMP_BEGIN, .request = 6, .as.begin = {true, 5000, 77}});
    request("COMMIT", (KmpRequest){.type = KMP_COMMIT, .request = 7});
    request("ROLLBACK", (KmpRequest){.type = KMP_ROLLBACK, .request = 8});
    request("RESET", (KmpRequest){.type = KMP_RESET, .request = 9});
    request("PING", (KmpRequest){.type = KMP_PING, .request = 10});
    request("BYE", (KmpRequest){.type = KMP_BYE, .request = 11});
}

static void rows(void)
{
    KtBuf bytes = {0};
    KmpBatch batch;
    KtDiag diag = {0};
    KtValue first[] = {kt_int(1), TEXT("Ada")}, second[] = {kt_int(2), kt_null()};
    kt_kmp_batch_open(&batch, &bytes);
    must(kt_kmp_batch_row(&batch, first, 2, &diag), &diag);
    must(kt_kmp_batch_row(&batch, second, 2, &diag), &diag);
    must(kt_kmp_batch_close(&batch, &plain, 0, 2), &diag);
    message("ROWS", &bytes);
    kt_buf_clear(&bytes);
    kt_kmp_batch_open(&batch, &bytes);
    must(kt_kmp_batch_close(&batch, &plain, KMP_PARKED, 2), &diag);
    message("ROWS empty and parked", &bytes);
    kt_buf_close(&bytes);
}

static void responses(void)
{
    const KtText none[] = {T("none")}, columns[] = {T("n"), T("p.name")};
    static const uint64_t types[] = {4, 17};
    static const char key[] = "0123456789abcdef0123456789ABCDEF";
    const KtMapEntry counters[] = {{T("nodes_created"), {.kind = KT_INT, .as.i = 2}},
                                   {T("props_set"), {.kind = KT_INT, .as.i = 3}}};
    const KmpNotice notice[] = {{T("UnknownLabel"),
                                 T("No node has the label Persn."),
                                 T("Did you mean Person?"),
                                 {7, 5, 1, 8}}};
    const KmpError cause = {.code = 1410,
                            .name = T("Io"),
                            .gqlstatus = T("58030"),
                            .error_class = KT_CLASS_SERVER,
                            .message = T("No space left on device.")};
    response("WELCOME", (KmpResponse){.type = KMP_WELCOME,
                                      .request = 1,
                                      .as.welcome = {T("Kith/0.1.0"),
                                                     T("kith"),
                                                     9,
                                                     {key, KMP_CANCEL_KEY},
                                                     16777216,
                                                     67108864,
                                                     1,
                                                     none,
                                                     42,
                                                     10}});
    response("OK", (KmpResponse){.type = KMP_OK, .request = 2, .as.ok = {.rows = 1}});
    response("OK of nothing",
             (KmpResponse){.type = KMP_OK, .request = 6, .as.ok = {.tx_state = KMP_TX_OPEN}});
    response("OK with everything", (KmpResponse){.type = KMP_OK,
                                                 .request = 2,
                                                 .as.ok = {.rows = 3,
                                                           .counters = kt_map(counters, 2),
                                                           .commit = 43,
                                                           .plan_us = 120,
                                                           .run_us = 3400,
                                                           .peak_bytes = 65536,
                                                           .plan = T("Result\n  Scan p:Person\n"),
                                                           .notices = 1,
                                                           .notice = notice}});
    response("ERROR", (KmpResponse){.type = KMP_ERROR,
                                    .request = 2,
                                    .as.error = {.code = 1000,
                                                 .name = T("UnexpectedSyntax"),
                                                 .gqlstatus = T("42001"),
                                                 .error_class = KT_CLASS_CLIENT,
                                                 .message = T("Expected an expression."),
                                                 .detail = T("UnexpectedSyntax"),
                                                 .hint = T("Write one after RETURN."),
                                                 .at = {7, 1, 1, 8},
                                                 .query = 17,
                                                 .tx_state = KMP_TX_FAILED}});
    response("ERROR to retry, with a cause",
             (KmpResponse){.type = KMP_ERROR,
                           .request = 3,
                           .as.error = {.code = 1603,
                                        .name = T("Unavailable"),
                                        .gqlstatus = T("57P01"),
                                        .error_class = KT_CLASS_TRANSIENT,
                                        .retryable = true,
                                        .retry_after_ms = 250,
                                        .message = T("The server is stopping."),
                                        .cause = &cause}});
    response("PONG", (KmpResponse){.type = KMP_PONG, .request = 10});
    response("HEAD", (KmpResponse){.type = KMP_HEAD,
                                   .request = 2,
                                   .as.head = {.cursor = 1, .columns = 1, .column = columns}});
    response("HEAD with types",
             (KmpResponse){.type = KMP_HEAD, .request = 2, .as.head = {5, 17, 2, columns, types}});
    rows();
    response("PROGRESS", (KmpResponse){.type = KMP_PROGRESS,
                                       .request = 2,
                                       .as.progress = {1000000, 5000000, T("Expand")}});
    response("NOTICE", (KmpResponse){.type = KMP_NOTICE, .request = 2, .as.notice = notice[0]});
    response("EVENT going away",
             (KmpResponse){.type = KMP_EVENT,
                           .as.event = {T("going-away"), T("The server is stopping."), 5000}});
}

int main(void)
{
    numbers();
    texts();
    containers();
    entities();
    times_and_places();
    odd_bytes();
    requests();
    responses();
    return ferror(stdout) ? 1 : 0;
}
