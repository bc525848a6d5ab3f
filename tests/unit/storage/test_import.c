/* Import: what the files say is what the families hold; bad lines are named; nothing half-made is left. */
#include "storage/adjacency.h"
#include "storage/catalog.h"
#include "storage/database.h"
#include "storage/digest.h"
#include "storage/import.h"
#include "storage/index_key.h"
#include "storage/label.h"
#include "storage/meta.h"
#include "storage/record.h"
#include "storage/relmap.h"
#include "tools/kith/cmd_import.h"

#include "tests/unit/storage/random.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64], data[96], edges[96], nodes[96];
static KtArena *arena;
static KtDiag diag;

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/kith-test-import-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(data, sizeof data, "%s/data", folder);
    snprintf(edges, sizeof edges, "%s/edges.txt", folder);
    snprintf(nodes, sizeof nodes, "%s/nodes.csv", folder);
    cr_assert_eq(kt_arena_open(NULL, &arena), KT_OK);
    kt_diag_clear(&diag);
}
static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
    kt_arena_close(arena);
}
TestSuite(storage_import, .init = setup, .fini = teardown);

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}
static void expect_file(const char *path, const char *want)
{
    char text[4096], name[128];
    snprintf(name, sizeof name, "%s.rejects", path);
    FILE *f = fopen(name, "r");
    if (!want) {
        cr_assert_null(f, "%s is there", name);
        return;
    }
    cr_assert(f, "%s is not there", name);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    cr_assert_str_eq(text, want);
}

static KtImportSpec spec(void)
{
    return (KtImportSpec){.data = data, .edges = edges, .label = "Person", .type = "KNOWS"};
}

static KtImportCounts import(const KtImportSpec *s)
{
    KtImportCounts counts = {0};
    KtStatus status = kt_import(s, &diag, &counts);
    cr_assert_eq(status, KT_OK, "%s", diag.message);
    return counts;
}
static KtKv *open_built(void)
{
    char path[128];
    KtKv *kv;
    snprintf(path, sizeof path, "%s/1", data);
    KtKvSpec s = {.path = path, .family = kt_families, .families = KT_FAMILIES};
    cr_assert_eq(kt_kv_open(&s, &diag, &kv), KT_OK, "%s", diag.message);
    return kv;
}
static KtKvValue get(KtKv *kv, uint32_t family, KtKey key)
{
    KtKvValue value;
    cr_assert_eq(kt_kv_get(kv, NULL, family, kt_key_span(&key), &value), KT_OK);
    return value;
}
/* A property of a node or relationship; null if it has none. */
static KtValue prop_of(KtKv *kv, uint32_t family, uint64_t id, KtToken key)
{
    KtKvValue value = get(kv, family, kt_key_u64(id));
    KtRecord record;
    KtRecordValue at;
    KtValue out = kt_null();
    bool found = false;
    if (value.bytes.at) {
        uint8_t *copy = kt_arena_alloc(arena, value.bytes.len);
        memcpy(copy, value.bytes.at, value.bytes.len);
        cr_assert_eq(kt_record_open(kt_span(copy, value.bytes.len), &record), KT_OK);
        cr_assert_eq(kt_record_find(&record, key, &at, &found), KT_OK);
        if (found && at.out_of_line) {
            KtKvValue big = get(kv, family, kt_key_value(id, key));
            uint8_t *bytes = kt_arena_alloc(arena, big.bytes.len);
            memcpy(bytes, big.bytes.at, big.bytes.len);
            cr_assert_eq(kt_value_decode_out(kt_span(bytes, big.bytes.len), arena, &out), KT_OK);
            kt_kv_release(&big);
        } else if (found) {
            cr_assert_eq(kt_value_decode(at.kind, at.bytes, arena, &out), KT_OK);
        }
    }
    kt_kv_release(&value);
    return out;
}
static KtText name_of(KtKv *kv, KtNameKind kind, KtToken token)
{
    KtBuf key = {0};
    KtKvValue value;
    KtText text = {"", 0};
    kt_meta_key_name(&key, kind, token);
    cr_assert_eq(kt_kv_get(kv, NULL, KT_FAMILY_META, kt_span(key.data, key.len), &value), KT_OK);
    if (value.bytes.at) {
        cr_assert(kt_meta_get_name(value.bytes.at, value.bytes.len, &text));
        text.at = kt_arena_text(arena, text.at, text.len);
    }
    kt_kv_release(&value);
    kt_buf_close(&key);
    return text;
}
/* All pairs of one list, over its segments. */
static uint32_t list_of(KtKv *kv, uint64_t node, uint8_t dir, KtAdjPair *out, uint32_t *keys)
{
    KtKvIter *it;
    KtKey prefix = kt_key_adj_prefix(node, dir);
    uint32_t n = 0;
    *keys = 0;
    cr_assert_eq(kt_kv_iter_open(kv, NULL, KT_FAMILY_ADJ, 0, &it), KT_OK);
    cr_assert_eq(kt_kv_iter_prefix(it, kt_key_span(&prefix), kt_span(NULL, 0)), KT_OK);
    while (kt_kv_iter_valid(it)) {
        KtAdjHead head;
        cr_assert_eq(kt_adj_open(kt_kv_iter_value(it), &head), KT_OK);
        cr_assert_eq(kt_adj_pairs(&head, out + n), KT_OK);
        n += head.n;
        ++*keys;
        cr_assert_eq(kt_kv_iter_next(it), KT_OK);
    }
    kt_kv_iter_close(it);
    return n;
}

Test(storage_import, lines_become_nodes_relationships_names_and_a_unique_constraint)
{
    write_file(edges, "# a comment\r\n% another\n\n 7 3\r\n3\t10  \n-5 7\n10 10\n3 10\n");
    KtImportSpec s = spec();
    KtImportCounts counts = import(&s);
    cr_assert(counts.nodes == 4 && counts.rels == 5 && counts.rejects == 0);
    expect_file(edges, NULL);
    KtKv *kv = open_built();
    int64_t number[] = {-5, 3, 7, 10}; /* ids 0 to 3 */
    KtBuf key = {0};
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert_eq(prop_of(kv, KT_FAMILY_NODE, i, 1).as.i, number[i]);
        kt_buf_clear(&key);
        cr_assert(kt_index_key(&key, 1, kt_int(number[i]), i));
        KtKvValue value;
        cr_assert_eq(kt_kv_get(kv, NULL, KT_FAMILY_INDEX, kt_span(key.data, key.len), &value),
                     KT_OK);
        cr_assert_not_null(value.bytes.at);
        kt_kv_release(&value);
    }
    /* in order of (start, end): -5>7, 3>10, 3>10, 7>3, 10>10 */
    uint32_t start[] = {0, 1, 1, 2, 3}, end[] = {2, 3, 3, 1, 3};
    KtKvValue value = get(kv, KT_FAMILY_RELMAP, kt_key_relmap(0));
    for (uint32_t r = 0; r < 6; r++) {
        KtRelRef ref;
        bool found;
        cr_assert_eq(kt_relmap_find(value.bytes, r, &ref, &found), KT_OK);
        cr_assert_eq(found, r < 5);
        cr_assert(!found || (ref.type == 1 && ref.start == start[r] && ref.end == end[r]));
    }
    kt_kv_release(&value);
    KtAdjPair pair[8];
    uint32_t keys;
    cr_assert_eq(list_of(kv, 3, KT_IN, pair, &keys), 3);
    cr_assert(pair[0].nbr == 1 && pair[0].rel == 1 && pair[1].nbr == 1 && pair[1].rel == 2 &&
              pair[2].nbr == 3 && pair[2].rel == 4);
    KtKey ten = kt_key_adj(3, KT_OUT, 1);
    KtAdjHead head;
    value = get(kv, KT_FAMILY_ADJ, ten);
    cr_assert(kt_adj_open(value.bytes, &head) == KT_OK && head.n == 1 && head.loops == 1);
    kt_kv_release(&value);
    for (KtToken label = 0; label < 2; label++) {
        KtLabelChunk chunk;
        value = get(kv, KT_FAMILY_LABEL, kt_key_label(label, 0));
        cr_assert(kt_label_decode(value.bytes, &chunk) == KT_OK && kt_label_count(&chunk) == 4);
        kt_kv_release(&value);
    }
    cr_assert(kt_text_eq(name_of(kv, KT_NAME_LABEL, 1), KT_TEXT_LITERAL("Person")));
    cr_assert(kt_text_eq(name_of(kv, KT_NAME_TYPE, 1), KT_TEXT_LITERAL("KNOWS")));
    cr_assert(kt_text_eq(name_of(kv, KT_NAME_KEY, 1), KT_TEXT_LITERAL("id")));
    kt_buf_clear(&key);
    kt_meta_key(&key, KT_META_STATE);
    KtMetaState state;
    cr_assert_eq(kt_kv_get(kv, NULL, KT_FAMILY_META, kt_span(key.data, key.len), &value), KT_OK);
    cr_assert(value.bytes.at && kt_meta_get_state(value.bytes.at, value.bytes.len, &state));
    cr_assert(state.nodes == 4 && state.rels == 5 && state.next_node == 4 && state.next_rel == 5 &&
              state.next_index == 2);
    kt_kv_release(&value);
    kt_buf_clear(&key);
    kt_meta_key_index(&key, 1);
    KtMetaIndex index;
    cr_assert_eq(kt_kv_get(kv, NULL, KT_FAMILY_META, kt_span(key.data, key.len), &value), KT_OK);
    cr_assert(kt_meta_get_index(key.data, key.len, value.bytes.at, value.bytes.len, &index));
    cr_assert(index.unique && index.state == KT_INDEX_ONLINE && index.label == 1 &&
              index.key == 1 && index.name.len > 0);
    kt_kv_release(&value);
    kt_buf_close(&key);
    kt_kv_close(kv);
}

Test(storage_import, bad_lines_are_written_out_with_number_and_reason_and_the_others_go_in)
{
    write_file(edges, "1 2\n1\nx 2\n1 2.5\n1 2 3\n99999999999999999999 1\n3 1");
    KtImportSpec s = spec();
    KtImportCounts counts = import(&s);
    cr_assert(counts.nodes == 3 && counts.rels == 2 && counts.rejects == 5);
    expect_file(edges, "2\tthere are fewer than two columns\t1\n"
                       "3\tthe first column is no integer of 64 bits\tx 2\n"
                       "4\tthe second column is no integer of 64 bits\t1 2.5\n"
                       "5\tthere is a third column, and --weight does not name it\t1 2 3\n"
                       "6\tthe first column is no integer of 64 bits\t99999999999999999999 1\n");
}

Test(storage_import, weights_are_integers_if_all_are_and_follow_their_relationship)
{
    write_file(edges, "5 6 30\n1 2 10\n1 1 -7\n5 6 40\n1 3\n1 3 x\n");
    KtImportSpec s = spec();
    s.weight = "strength";
    KtImportCounts counts = import(&s);
    cr_assert(counts.rels == 4 && counts.rejects == 2 && counts.nodes == 4,
              "node 3 came with rejected lines only");
    expect_file(edges,
                "5\tthere is no third column\t1 3\n6\tthe third column is no number\t1 3 x\n");
    KtKv *kv = open_built();
    int64_t want[] = {-7, 10, 30, 40}; /* 1>1, 1>2, 5>6, 5>6 in the order of the file */
    for (uint32_t r = 0; r < 4; r++) {
        KtValue v = prop_of(kv, KT_FAMILY_REL, r, 2);
        cr_assert(v.kind == KT_INT && v.as.i == want[r]);
    }
    cr_assert(kt_text_eq(name_of(kv, KT_NAME_KEY, 2), KT_TEXT_LITERAL("strength")));
    kt_kv_close(kv);
}

Test(storage_import, one_weight_with_a_point_makes_floats_of_all)
{
    write_file(edges, "1 2 3\n1 3 0.5\n1 4 7\n");
    KtImportSpec s = spec();
    s.weight = "w";
    import(&s);
    KtKv *kv = open_built();
    double want[] = {3, 0.5, 7};
    for (uint32_t r = 0; r < 3; r++) {
        KtValue v = prop_of(kv, KT_FAMILY_REL, r, 2);
        cr_assert(v.kind == KT_FLOAT && v.as.f == want[r]);
    }
    kt_kv_close(kv);
}

Test(storage_import, a_nodes_file_gives_typed_properties_and_the_only_nodes)
{
    char big[9000] = "id,name:string,age:integer,height:float,\"happy, now:boolean\"\r\n"
                     "4,\"Ann \"\"A\"\" B\",30,1.5,true\r\n"
                     "2,\"two\nlines\",,,\r\n"
                     "9,,-1,2,false\r\n"
                     "5,\"\",,,\r\n"
                     "4,again,,,\r\n"
                     "6,x,old,,\r\n"
                     "7,x\r\n"
                     "8,\"open,1,1,true\r\n"
                     "10,";
    size_t n = strlen(big);
    memset(big + n, 'z', 5000);
    strcpy(big + n + 5000, ",1,,\r\n");
    write_file(nodes, big);
    write_file(edges, "4 2\n2 9\n4 77\n6 2\n9 10\n");
    KtImportSpec s = spec();
    s.nodes = nodes;
    KtImportCounts counts = import(&s);
    cr_assert(counts.nodes == 5 && counts.rels == 3 && counts.rejects == 6, "%llu %llu %llu",
              (unsigned long long)counts.nodes, (unsigned long long)counts.rels,
              (unsigned long long)counts.rejects);
    expect_file(
        edges,
        "3\tthe nodes file lacks the second node\t4 77\n4\tthe nodes file lacks the first node\t6 2\n");
    expect_file(nodes, "7\ta node with this id came before\t4,again,,,\n"
                       "8\ta field is no integer of 64 bits\t6,x,old,,\n"
                       "9\tthere are fewer fields than in the heading\t7,x\n"
                       "10\ta quote is not closed\t8,\"open,1,1,true\n");
    KtKv *kv = open_built(); /* ids: 2 4 5 9 10 */
    KtValue v = prop_of(kv, KT_FAMILY_NODE, 1, 2);
    cr_assert(v.kind == KT_TEXT && v.len == 9 && memcmp(v.as.text, "Ann \"A\" B", 9) == 0);
    cr_assert_eq(prop_of(kv, KT_FAMILY_NODE, 1, 3).as.i, 30);
    cr_assert_eq(prop_of(kv, KT_FAMILY_NODE, 1, 4).as.f, 1.5);
    v = prop_of(kv, KT_FAMILY_NODE, 1, 5);
    cr_assert(v.kind == KT_BOOL && v.as.b);
    v = prop_of(kv, KT_FAMILY_NODE, 0, 2);
    cr_assert(v.len == 9 && memcmp(v.as.text, "two\nlines", 9) == 0);
    cr_assert_eq(prop_of(kv, KT_FAMILY_NODE, 0, 3).kind, KT_NULL);
    cr_assert_eq(prop_of(kv, KT_FAMILY_NODE, 3, 2).kind, KT_NULL,
                 "empty without quotes is no property");
    v = prop_of(kv, KT_FAMILY_NODE, 2, 2);
    cr_assert(v.kind == KT_TEXT && v.len == 0, "empty with quotes is the empty string");
    v = prop_of(kv, KT_FAMILY_NODE, 4, 2);
    cr_assert(v.kind == KT_TEXT && v.len == 5000 && v.as.text[4999] == 'z',
              "a long text stands out of line");
    cr_assert(kt_text_eq(name_of(kv, KT_NAME_KEY, 5), KT_TEXT_LITERAL("happy, now")));
    kt_kv_close(kv);
}

Test(storage_import, headings_that_are_not_understood_are_refused_by_name)
{
    const char *headings[] = {"",
                              "name:string\n",
                              "id,name\n",
                              "id,age:int\n",
                              "id,a:string,a:integer\n",
                              "id,id:integer\n",
                              "id:string\n",
                              "id,:string\n",
                              "id,\"a:string\n"};
    write_file(edges, "1 2\n");
    for (size_t i = 0; i < KT_COUNT(headings); i++) {
        KtImportSpec s = spec();
        KtImportCounts counts;
        s.nodes = nodes;
        write_file(nodes, headings[i]);
        kt_diag_clear(&diag);
        cr_assert_eq(kt_import(&s, &diag, &counts), KT_ERR_INVALID_VALUE, "heading %zu", i);
        cr_assert(strstr(diag.message, nodes), "%s", diag.message);
        cr_assert_neq(access(data, F_OK), 0, "nothing is left");
    }
}

typedef struct Edge {
    uint32_t start, end;
} Edge;

static int by_edge(const void *a, const void *b)
{
    const Edge *x = a, *y = b;
    return x->start != y->start ? (x->start < y->start ? -1 : 1)
                                : (x->end > y->end) - (x->end < y->end);
}

/* A multigraph with a hub, self-loops and thousands of parallel edges, against plain loops. */
Test(storage_import, every_list_equals_brute_force_and_long_ones_are_split)
{
    enum { N = 60, E = 30000 };
    uint64_t seed = 77;
    static Edge edge[E];
    FILE *f = fopen(edges, "w");
    bool seen[N] = {false};
    for (uint32_t i = 0; i < E; i++) {
        edge[i].start = random_below(&seed, 3) ? random_below(&seed, N) : 7;
        edge[i].end = random_below(&seed, 4) ? random_below(&seed, N) : 9;
        seen[edge[i].start] = seen[edge[i].end] = true;
        fprintf(f, "%u %u\n", edge[i].start * 1000003u,
                edge[i].end * 1000003u); /* far apart: hashed */
    }
    fclose(f);
    for (uint32_t i = 0; i < N; i++)
        cr_assert(seen[i]);
    KtImportSpec s = spec();
    KtImportCounts counts = import(&s);
    cr_assert(counts.nodes == N && counts.rels == E);
    qsort(edge, E, sizeof *edge, by_edge);
    KtKv *kv = open_built();
    static KtAdjPair pair[E];
    uint32_t split = 0, keys;
    for (uint32_t node = 0; node < N; node++) {
        uint32_t n = list_of(kv, node, KT_OUT, pair, &keys), at = 0;
        for (uint32_t r = 0; r < E; r++)
            if (edge[r].start == node) {
                cr_assert(at < n && pair[at].nbr == edge[r].end && pair[at].rel == r);
                at++;
            }
        cr_assert_eq(at, n);
        cr_assert_eq(keys, kt_adj_segments(n));
        uint32_t m = list_of(kv, node, KT_IN, pair, &keys);
        at = 0;
        for (uint32_t r = 0; r < E; r++)
            if (edge[r].end == node) {
                cr_assert(at < m && pair[at].nbr == edge[r].start && pair[at].rel == r);
                at++;
            }
        cr_assert_eq(at, m);
        KtBuf key = {0};
        KtKvValue value;
        kt_meta_key_split(&key, node, KT_IN, 1);
        cr_assert_eq(kt_kv_get(kv, NULL, KT_FAMILY_META, kt_span(key.data, key.len), &value),
                     KT_OK);
        cr_assert_eq(value.bytes.at ? kt_meta_split_count(value.bytes.at, value.bytes.len) : 1,
                     keys);
        for (uint32_t i = 0; value.bytes.at && i < keys; i++) {
            KtMetaBound bound = kt_meta_split_at(value.bytes.at, i);
            KtKvValue segment =
                get(kv, KT_FAMILY_ADJ, kt_key_adj_segment(node, KT_IN, 1, bound.nbr, bound.rel));
            cr_assert(segment.bytes.at && (i > 0 || (bound.nbr == 0 && bound.rel == 0)));
            kt_kv_release(&segment);
        }
        split += value.bytes.at != NULL;
        kt_kv_release(&value);
        kt_buf_close(&key);
    }
    cr_assert_gt(split, 0);
    /* and the map from ids */
    for (uint32_t r = 0; r < E; r += 97) {
        KtKvValue value = get(kv, KT_FAMILY_RELMAP, kt_key_relmap(r));
        KtRelRef ref;
        bool found;
        cr_assert_eq(kt_relmap_find(value.bytes, r, &ref, &found), KT_OK);
        cr_assert(found && ref.start == edge[r].start && ref.end == edge[r].end);
        kt_kv_release(&value);
    }
    kt_kv_close(kv);
}

Test(storage_import, a_gzip_file_gives_the_same_and_a_cut_one_is_an_error)
{
    char command[400];
    FILE *f = fopen(edges, "w");
    for (uint32_t i = 0; i < 100000; i++)
        fprintf(f, "%u %u\r\n", i % 1000, (i * 7919u) % 5000);
    fclose(f);
    snprintf(command, sizeof command, "gzip -k %s && head -c 50000 %s.gz > %s/cut.gz", edges, edges,
             folder);
    cr_assert_eq(system(command), 0);
    KtImportSpec s = spec();
    KtImportCounts plain = import(&s), zipped;
    snprintf(command, sizeof command, "mv %s %s-plain", data, data);
    cr_assert_eq(system(command), 0);
    snprintf(edges, sizeof edges, "%s/edges.txt.gz", folder);
    zipped = import(&s);
    cr_assert(plain.nodes == zipped.nodes && plain.rels == zipped.rels && zipped.rels == 100000);
    KtImportCounts counts;
    snprintf(edges, sizeof edges, "%s/cut.gz", folder);
    snprintf(data, sizeof data, "%s/other", folder);
    cr_assert_eq(kt_import(&s, &diag, &counts), KT_ERR_IO);
    cr_assert(strstr(diag.message, "cut.gz"), "%s", diag.message);
    cr_assert_neq(access(data, F_OK), 0);
}

Test(storage_import, a_database_that_exists_is_refused_and_a_leftover_is_removed)
{
    char path[128], command[300];
    KtImportCounts counts;
    KtImportSpec s = spec();
    write_file(edges, "1 2\n");
    snprintf(command, sizeof command,
             "mkdir -p %s/1.importing/files && touch %s/1.importing/files/x.sst", data, data);
    cr_assert_eq(system(command), 0);
    import(&s);
    snprintf(path, sizeof path, "%s/1.importing", data);
    cr_assert_neq(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/1", data);
    cr_assert_eq(access(path, F_OK), 0);
    cr_assert_eq(kt_import(&s, &diag, &counts), KT_ERR_ALREADY_EXISTS);
    cr_assert(strstr(diag.message, path), "%s", diag.message);
    kt_diag_clear(&diag);
    s.id = 2;
    snprintf(edges, sizeof edges, "%s/nothing", folder);
    cr_assert_eq(kt_import(&s, &diag, &counts), KT_ERR_NOT_FOUND);
    cr_assert(strstr(diag.message, edges), "%s", diag.message);
    kt_diag_clear(&diag);
    s.label = "";
    cr_assert_eq(kt_import(&s, &diag, &counts), KT_ERR_INVALID_VALUE);
}

Test(storage_import, lines_too_long_and_an_empty_file_are_no_end)
{
    KtImportSpec s = spec();
    FILE *f = fopen(edges, "w");
    fputs("1 2\n", f);
    for (int i = 0; i < 5000000; i++)
        putc('8', f);
    fputs("\n3 4\n", f);
    fclose(f);
    KtImportCounts counts = import(&s);
    cr_assert(counts.rels == 2 && counts.nodes == 4 && counts.rejects == 1);
    write_file(edges, "# nothing\n");
    s.id = 2;
    counts = import(&s);
    cr_assert(counts.rels == 0 && counts.nodes == 0 && counts.rejects == 0);
    expect_file(edges, NULL);
}

Test(storage_import, the_database_opens_keeps_its_constraint_and_takes_commits)
{
    char path[128];
    FILE *f = fopen(edges, "w");
    for (uint32_t i = 0; i < 3000; i++)
        fprintf(f, "%u %u\n", i % 2 ? 5 : i, i);
    fclose(f);
    KtImportSpec s = spec();
    import(&s);
    snprintf(path, sizeof path, "%s/1", data);
    for (int round = 0; round < 2; round++) { /* the second after a clean stop */
        KtDatabaseSpec open = {.path = path, .id = 1};
        KtDatabase *db;
        KtTurn turn = {0};
        KtView *view;
        cr_assert_eq(kt_database_open(&open, &diag, &db), KT_OK, "%s", diag.message);
        cr_assert_eq(kt_stats(db).nodes, 3000u + (uint32_t)round);
        cr_assert_eq(kt_stats(db).rels, 3000u + (uint32_t)round);
        cr_assert_eq(kt_turn_wait(db, &turn, 0, NULL), KT_OK);
        KtViewSpec writing = {.write = true};
        cr_assert_eq(kt_view_open(db, &writing, &diag, &view), KT_OK);
        const KtSchema *schema = kt_view_schema(view);
        cr_assert(schema->n == 1 && schema->index[0].unique &&
                  schema->index[0].state == KT_INDEX_ONLINE);
        KtToken label, type, key;
        cr_assert_eq(kt_name_find(view, KT_NAME_LABEL, KT_TEXT_LITERAL("Person"), &label), KT_OK);
        cr_assert_eq(kt_name_find(view, KT_NAME_TYPE, KT_TEXT_LITERAL("KNOWS"), &type), KT_OK);
        cr_assert_eq(kt_name_find(view, KT_NAME_KEY, KT_TEXT_LITERAL("id"), &key), KT_OK);
        cr_assert(label == 1 && type == 1 && key == 1);
        /* an equality by the index */
        KtColumn keys;
        KtPairs found;
        cr_assert_eq(kt_col_make(arena, KT_COL_INT, 2, false, &keys), KT_OK);
        ((int64_t *)keys.data)[0] = 2999;
        ((int64_t *)keys.data)[1] = 77777;
        cr_assert_eq(kt_seek_many(view, schema->index[0].id, &keys, 2, arena, &found), KT_OK);
        cr_assert(found.n == 1 && found.row[0] == 0 && found.id[0] == 2999);
        /* both ends of the hub, whose list is split */
        uint32_t five = 5;
        uint64_t degree = 0;
        KtHop hop = {.dir = KT_OUT};
        cr_assert_eq(kt_degrees(view, &hop, (KtIds){.id = &five, .width = 4, .n = 1}, &degree),
                     KT_OK);
        cr_assert_eq(degree, 1500u + (uint32_t)round);
        /* a value that is there is refused, a new one is not */
        uint32_t start[2] = {0, 1};
        KtProp taken = {key, kt_int(2999)}, fresh = {key, kt_int(100000 + round)};
        KtProps props = {start, &taken};
        KtMark mark = kt_mark(view);
        KtNodeId node, from = 5;
        KtRelId rel;
        KtStatus status = kt_add_nodes(view, 1, &label, 1, &props, &node);
        if (status == KT_OK)
            status = kt_statement_end(view, &diag);
        cr_assert_eq(status, KT_ERR_CONSTRAINT);
        kt_undo(view, mark);
        kt_diag_clear(&diag);
        props.prop = &fresh;
        cr_assert_eq(kt_add_nodes(view, 1, &label, 1, &props, &node), KT_OK);
        cr_assert_geq(node, 3000u + (uint32_t)round);
        cr_assert_eq(kt_add_rels(view, 1, type, &from, &node, NULL, &rel), KT_OK);
        cr_assert_geq(rel, 3000u + (uint32_t)round);
        KtCommit commit;
        cr_assert_eq(kt_view_commit(view, &diag, &commit), KT_OK, "%s", diag.message);
        cr_assert_eq(commit, 2u + (uint32_t)round);
        kt_view_close(view);
        kt_turn_release(db, &turn);
        kt_database_close(db);
    }
}

static void digest_of(KtDatabase *db, uint8_t out[KT_DIGEST_BYTES])
{
    KtView *view;
    KtViewSpec reading = {.write = false};
    cr_assert_eq(kt_view_open(db, &reading, &diag, &view), KT_OK);
    cr_assert_eq(kt_digest(view, out), KT_OK);
    kt_view_close(view);
}

/* The graph of the next test by commits: nodes 0..n-1 with id = 3 * node and name, edges with weights. */
static void commit_graph(KtDatabase *db, uint32_t n, const Edge *edge, const double *weight,
                         uint32_t edges_n)
{
    KtIndexSpec unique = {
        .label = KT_TEXT_LITERAL("Person"), .key = KT_TEXT_LITERAL("id"), .unique = true};
    KtCommit changed;
    cr_assert_eq(kt_index_create(db, &unique, 0, NULL, &diag, &changed), KT_OK, "%s", diag.message);
    KtTurn turn = {0};
    KtView *view;
    KtViewSpec writing = {.write = true};
    KtCommit commit;
    KtToken label, type, id, name, w;
    cr_assert_eq(kt_turn_wait(db, &turn, 0, NULL), KT_OK);
    cr_assert_eq(kt_view_open(db, &writing, &diag, &view), KT_OK);
    cr_assert_eq(kt_name_make(view, KT_NAME_LABEL, KT_TEXT_LITERAL("Person"), &label), KT_OK);
    cr_assert_eq(kt_name_make(view, KT_NAME_TYPE, KT_TEXT_LITERAL("KNOWS"), &type), KT_OK);
    cr_assert_eq(kt_name_make(view, KT_NAME_KEY, KT_TEXT_LITERAL("id"), &id), KT_OK);
    cr_assert_eq(kt_name_make(view, KT_NAME_KEY, KT_TEXT_LITERAL("w"), &w), KT_OK);
    cr_assert_eq(kt_name_make(view, KT_NAME_KEY, KT_TEXT_LITERAL("name"), &name), KT_OK);
    uint32_t two[2] = {0, 2}, one[2] = {0, 1};
    for (uint32_t i = 0; i < n; i++) {
        char text[16];
        int len = snprintf(text, sizeof text, "n%u", i);
        KtProp prop[2] = {{id, kt_int(3 * i)}, {name, kt_text(text, (size_t)len)}};
        KtProps props = {two, prop};
        KtNodeId made;
        cr_assert_eq(kt_add_nodes(view, 1, &label, 1, &props, &made), KT_OK);
        cr_assert_eq(made, i);
    }
    for (uint32_t i = 0; i < edges_n; i++) {
        KtProp prop = {w, kt_float(weight[i])};
        KtProps props = {one, &prop};
        KtNodeId start = edge[i].start, end = edge[i].end;
        KtRelId made;
        cr_assert_eq(kt_add_rels(view, 1, type, &start, &end, &props, &made), KT_OK);
    }
    cr_assert_eq(kt_statement_end(view, &diag), KT_OK);
    cr_assert_eq(kt_view_commit(view, &diag, &commit), KT_OK, "%s", diag.message);
    kt_view_close(view);
    kt_turn_release(db, &turn);
}

Test(storage_import, the_logical_digest_equals_that_of_the_same_graph_by_commits)
{
    enum { N = 200, E = 6000 };
    static Edge edge[E];
    static double weight[E];
    uint64_t seed = 99;
    char path[128];
    FILE *f = fopen(nodes, "w"), *g = fopen(edges, "w");
    fputs("id,name:string\n", f);
    for (uint32_t i = N; i-- > 0;)
        fprintf(f, "%u,n%u\n", 3 * i, i);
    for (uint32_t i = 0; i < E; i++) {
        edge[i] =
            (Edge){random_below(&seed, 3) ? random_below(&seed, N) : 7, random_below(&seed, N)};
        weight[i] = (double)random_below(&seed, 100) / 4 + 0.25;
        fprintf(g, "%u\t%u\t%.2f\n", 3 * edge[i].start, 3 * edge[i].end, weight[i]);
    }
    fclose(f), fclose(g);
    KtImportSpec s = spec();
    s.nodes = nodes;
    s.weight = "w";
    import(&s);
    snprintf(path, sizeof path, "%s/1", data);
    KtDatabaseSpec built = {.path = path, .id = 1}, memory = {.id = 2};
    KtDatabase *db, *other, *less;
    uint8_t a[KT_DIGEST_BYTES], b[KT_DIGEST_BYTES], c[KT_DIGEST_BYTES];
    cr_assert_eq(kt_database_open(&built, &diag, &db), KT_OK, "%s", diag.message);
    cr_assert_eq(kt_database_open(&memory, &diag, &other), KT_OK);
    cr_assert_eq(kt_database_open(&memory, &diag, &less), KT_OK);
    commit_graph(other, N, edge, weight, E);
    commit_graph(less, N, edge, weight, E - 1);
    digest_of(db, a);
    digest_of(other, b);
    digest_of(less, c);
    cr_assert_eq(memcmp(a, b, sizeof a), 0);
    cr_assert_neq(memcmp(a, c, sizeof a), 0, "a lost edge must show");
    kt_database_close(db);
    kt_database_close(other);
    kt_database_close(less);
}

/* Runs the command with these words. */
static int command(const char *a, const char *b, const char *c, const char *d)
{
    const char *word[] = {"import", a, b, c, d};
    char *argv[5];
    int argc = 0, code;
    for (; argc < 5 && word[argc]; argc++)
        argv[argc] = kt_arena_text(arena, word[argc], strlen(word[argc]));
    code = kt_cmd_import(argc, argv);
    return code;
}

Test(storage_import, the_command_says_by_its_exit_code_how_it_went)
{
    char data_flag[128], edges_flag[128];
    cr_redirect_stdout();
    cr_redirect_stderr();
    write_file(edges, "1 2\n");
    snprintf(data_flag, sizeof data_flag, "--data=%s", data);
    snprintf(edges_flag, sizeof edges_flag, "--edges=%s", edges);
    cr_assert_eq(command("--dta", data, NULL, NULL), 2);
    cr_assert_eq(command("--data", data, NULL, NULL), 2, "--edges is missing");
    cr_assert_eq(command("--data=x", "--data=y", NULL, NULL), 2);
    cr_assert_eq(command("--data", NULL, NULL, NULL), 2);
    cr_assert_eq(command("--help", NULL, NULL, NULL), 0);
    cr_assert_eq(command(data_flag, edges_flag, "--label=P", "--type=T"), 0);
    cr_assert_eq(command(data_flag, edges_flag, "--label=P", "--type=T"), 3, "it exists");
    snprintf(data_flag, sizeof data_flag, "--data=%s/second", folder);
    write_file(edges, "1 2\nx\n");
    cr_assert_eq(command(data_flag, edges_flag, "--label=P", "--type=T"), 1);
}
