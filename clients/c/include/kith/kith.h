/* kith.h - the C client of Kith: connect, ask, read rows, write in transactions. Blocking, POSIX sockets, no other
 * library.
 *
 *     kith_connection *c;
 *     kith_error *error = NULL;
 *     if (kith_connect("kith://127.0.0.1:5484/kith", NULL, &c, &error) != 0)
 *         die(kith_error_message(error));
 *     kith_params *p = kith_params_new();
 *     kith_params_text(p, "name", "Ada", 3);
 *     kith_result *r;
 *     if (kith_run(c, "MATCH (p:Person {name: $name})--(q) RETURN q.name", p, NULL, &r, &error) == 0) {
 *         while (kith_next(r, &error) == 1) { ... kith_get(r, 0) ... }
 *         kith_result_free(r);
 *     }
 *
 * Whatever can fail returns 0 for success and -1 for failure, and puts an error object into the last argument, which
 * may be NULL (the caller frees it by kith_error_free). Texts are UTF-8 with a length; where one is returned as
 * `const char *` alone it ends in NUL. A connection, and what came from it, belongs to one thread at a time; only
 * kith_cancel may be called from any. */
#ifndef KITH_KITH_H
#define KITH_KITH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define KITH_API __attribute__((visibility("default")))
#else
#define KITH_API
#endif

typedef struct kith_connection kith_connection;
typedef struct kith_error kith_error;
typedef struct kith_params kith_params;
typedef struct kith_result kith_result;
typedef struct kith_value kith_value;

KITH_API const char *kith_version(void); /* "0.1.0" */

/* ---- errors ---- */

typedef enum kith_error_class {
    KITH_CLASS_CLIENT = 0,    /* the request is wrong */
    KITH_CLASS_TRANSIENT = 1, /* it may work later */
    KITH_CLASS_SERVER = 2,
    KITH_CLASS_SECURITY = 3
} kith_error_class;

enum {
    KITH_CODE_COMMIT_OUTCOME_UNKNOWN = 1404,
    KITH_CODE_CANCELLED = 1601,
    KITH_CODE_CONNECTION = 1722
};

/* Where in the statement: line and column count from 1, column in characters; offset and length in bytes. */
typedef struct kith_position {
    uint32_t offset, line, column, length;
} kith_position;

KITH_API int kith_error_code(const kith_error *error);            /* 1042 of KITH-1042 */
KITH_API const char *kith_error_name(const kith_error *error);    /* "NotSupported" */
KITH_API const char *kith_error_message(const kith_error *error); /* one sentence */
KITH_API const char *kith_error_hint(const kith_error *error);    /* the way out, or "" */
KITH_API const char *kith_error_detail(const kith_error *error);  /* the openCypher detail, or "" */
KITH_API const char *kith_error_gqlstatus(const kith_error *error);
KITH_API kith_error_class kith_error_get_class(const kith_error *error);
/* The same again may succeed. Never true of CommitOutcomeUnknown. */
KITH_API bool kith_error_retryable(const kith_error *error);
KITH_API uint64_t kith_error_retry_after_ms(const kith_error *error);
/* False: the error has no place in the statement. */
KITH_API bool kith_error_position(const kith_error *error, kith_position *out);
/* Number of the query in the server's log; 0: none. */
KITH_API uint64_t kith_error_query(const kith_error *error);
/* NULL: none. Lifetime: the error's. */
KITH_API const kith_error *kith_error_cause(const kith_error *error);
KITH_API void kith_error_free(kith_error *error); /* NULL is allowed */

/* ---- connections ---- */

typedef struct kith_options {
    const char *agent; /* name of the program, for the server's log; NULL: "libkith/<version>" */
    uint64_t connect_timeout_ms; /* 0: 10,000 */
    /* the longest silence while an answer is due; 0: none. Then the connection is lost */
    uint64_t answer_timeout_ms;
    bool checks; /* a checksum on every frame, if the server can */
} kith_options;

/* URI: kith://host[:port][/database] or kith+unix:///path/of/socket[?database=name]; NULL: that of KITH_URL, else
 * kith://127.0.0.1:5484/kith. A user, a password or tls in it are refused as not supported. `options` may be NULL.
 * Ownership: kith_close. */
KITH_API int kith_connect(const char *uri, const kith_options *options, kith_connection **out,
                          kith_error **error);
/* An open transaction is rolled back; open results can only be freed. NULL is allowed. */
KITH_API void kith_close(kith_connection *connection);
KITH_API int kith_ping(kith_connection *connection, kith_error **error);
/* Connects anew to the same address; for a connection that was lost. Open results end. */
KITH_API int kith_reconnect(kith_connection *connection, kith_error **error);
KITH_API bool kith_is_lost(const kith_connection *connection);
KITH_API const char *kith_server(const kith_connection *connection);   /* "Kith/0.1.0" */
KITH_API const char *kith_database(const kith_connection *connection); /* "kith" */
/* Cancels what runs or waits on `connection`, by a second connection. From any thread, while the connection is open.
 * What was cancelled ends with the error Cancelled, unless it was faster. */
KITH_API int kith_cancel(kith_connection *connection, kith_error **error);

/* ---- parameters ---- */

/* A map of parameters under construction. Failures (memory, text that is not UTF-8, a name twice, lists that are not
 * closed) are kept and reported by kith_run. Inside a list names are NULL. */
KITH_API kith_params *kith_params_new(void); /* NULL: no memory; the other calls take that */
KITH_API void kith_params_free(kith_params *params);
KITH_API void kith_params_clear(kith_params *params);
KITH_API void kith_params_null(kith_params *params, const char *name);
KITH_API void kith_params_bool(kith_params *params, const char *name, bool b);
KITH_API void kith_params_int(kith_params *params, const char *name, int64_t i);
KITH_API void kith_params_float(kith_params *params, const char *name, double f);
KITH_API void kith_params_text(kith_params *params, const char *name, const char *text,
                               size_t len); /* copied */
KITH_API void kith_params_bytes(kith_params *params, const char *name, const void *bytes,
                                size_t len);
KITH_API void kith_params_value(kith_params *params, const char *name,
                                const kith_value *value); /* copied */
KITH_API void kith_params_list_begin(kith_params *params, const char *name);
KITH_API void kith_params_map_begin(kith_params *params, const char *name);
KITH_API void kith_params_end(kith_params *params); /* closes the innermost list or map */

/* ---- queries ---- */

typedef struct kith_run_options {
    uint64_t deadline_ms; /* the server ends the query after this; 0: its own limit */
    bool read_only;       /* refuse a statement that writes */
    uint64_t min_commit;  /* the answer must know this commit; 0: any */
    const char *tag;      /* shown with the query by the server; NULL: none */
    /* Rows, and bytes, that may be on the way; 0: 1,024 and 1 MiB. The client's memory stays within about twice that,
     * however large the result. */
    uint64_t window_rows, window_bytes;
} kith_run_options;

/* Runs a statement and returns when its columns are known. `params` and `options` may be NULL. Several results may be
 * open on a connection. When the connection is lost under a statement that may have been committed, the error is
 * CommitOutcomeUnknown. Ownership: kith_result_free. */
KITH_API int kith_run(kith_connection *connection, const char *text, const kith_params *params,
                      const kith_run_options *options, kith_result **out, kith_error **error);
/* The same, for a statement whose rows are not wanted: returns when it is done. */
KITH_API int kith_exec(kith_connection *connection, const char *text, const kith_params *params,
                       kith_error **error);
/* The next row: 1, at the end 0, -1 for an error. */
KITH_API int kith_next(kith_result *result, kith_error **error);
/* Ends a result early or late; what still runs is stopped. NULL is allowed. */
KITH_API void kith_result_free(kith_result *result);

KITH_API uint32_t kith_columns(const kith_result *result);
KITH_API const char *kith_column_name(const kith_result *result, uint32_t column,
                                      size_t *len); /* len may be NULL */
/* A value of the present row. Lifetime: until the next kith_next or kith_result_free. NULL: no such column, no row. */
KITH_API const kith_value *kith_get(const kith_result *result, uint32_t column);

typedef struct kith_summary {
    uint64_t rows, commit; /* commit 0: nothing was committed by it */
    uint64_t plan_us, run_us, peak_bytes;
    const char *plan;           /* of EXPLAIN and PROFILE, an indented text; else "" */
    const kith_value *counters; /* a map: nodes_created, rels_created, props_set ... */
    uint32_t notices;
} kith_summary;

/* Once kith_next has returned 0; before that all is 0. Lifetime: the result's. */
KITH_API kith_summary kith_result_summary(const kith_result *result);
KITH_API const char *kith_notice_message(const kith_result *result, uint32_t notice);

/* ---- transactions ---- */

typedef struct kith_begin_options {
    bool read_only;
    uint64_t deadline_ms, min_commit; /* 0: none */
} kith_begin_options;

KITH_API int kith_begin(kith_connection *connection, const kith_begin_options *options,
                        kith_error **error);
/* *commit (may be NULL): the number of the commit, 0 when nothing was written. A connection that is lost
 * meanwhile gives CommitOutcomeUnknown. */
KITH_API int kith_commit(kith_connection *connection, uint64_t *commit, kith_error **error);
KITH_API int kith_rollback(kith_connection *connection, kith_error **error);
KITH_API bool kith_in_transaction(const kith_connection *connection);

/* What the callback of kith_transact wants done. */
enum { KITH_COMMIT = 0, KITH_ROLLBACK = 1, KITH_FAILED = -1 };

typedef struct kith_transact_options {
    kith_begin_options begin;
    uint32_t attempts;  /* 0: 5 */
    uint64_t budget_ms; /* no new attempt after this; 0: 30,000 */
} kith_transact_options;

/* Runs `work` in a transaction and commits, or rolls back when it returns KITH_ROLLBACK. `work` runs
 * again, in a new transaction and if need be on a new connection, when it or the commit failed with an error that is
 * retryable; never after CommitOutcomeUnknown. It puts its error into *error and returns KITH_FAILED. */
KITH_API int kith_transact(kith_connection *connection, const kith_transact_options *options,
                           int (*work)(kith_connection *connection, void *context,
                                       kith_error **error),
                           void *context, kith_error **error);

/* ---- values ---- */

typedef enum kith_kind {
    KITH_NULL = 0,
    KITH_BOOL = 1,
    KITH_INT = 2,
    KITH_FLOAT = 3,
    KITH_TEXT = 4,
    KITH_BYTES = 5,
    KITH_LIST = 6,
    KITH_MAP = 7,
    KITH_NODE = 8,
    KITH_REL = 9,
    KITH_PATH = 10,
    KITH_DATE = 11,
    KITH_LOCAL_TIME = 12,
    KITH_TIME = 13,
    KITH_LOCAL_DATETIME = 14,
    KITH_DATETIME = 15,
    KITH_DURATION = 16,
    KITH_POINT = 17,
    KITH_VECTOR = 18,
    KITH_UUID = 19
} kith_kind;

KITH_API kith_kind kith_kind_of(const kith_value *value); /* NULL pointer: KITH_NULL */
KITH_API const char *kith_kind_name(kith_kind kind);      /* "Integer" */

/* Typed getters: false, with *out untouched, when the value is of another kind. kith_as_float takes an Integer too. */
KITH_API bool kith_as_bool(const kith_value *value, bool *out);
KITH_API bool kith_as_int(const kith_value *value, int64_t *out);
KITH_API bool kith_as_float(const kith_value *value, double *out);
KITH_API bool kith_as_text(const kith_value *value, const char **out,
                           size_t *len); /* not NUL-terminated */
KITH_API bool kith_as_bytes(const kith_value *value, const void **out, size_t *len);
/* Elements of a list, entries of a map or of the properties of a node or relationship, steps of a path; else 0. */
KITH_API uint32_t kith_count(const kith_value *value);
/* Element of a list, value of an entry; NULL: there is none. */
KITH_API const kith_value *kith_item(const kith_value *list, uint32_t i);
KITH_API const char *kith_key(const kith_value *map, uint32_t i,
                              size_t *len); /* not NUL-terminated */
/* Value of a key of a map, node or relationship; NULL: none. */
KITH_API const kith_value *kith_find(const kith_value *map, const char *key);
KITH_API bool kith_id(const kith_value *entity, uint64_t *out);
KITH_API uint32_t kith_labels(const kith_value *node);
KITH_API const char *kith_label(const kith_value *node, uint32_t i, size_t *len);
KITH_API bool kith_rel_ends(const kith_value *rel, uint64_t *start, uint64_t *end);
KITH_API const char *kith_rel_type(const kith_value *rel, size_t *len);
/* Node i (0 to kith_count) and relationship i of a path, written into `into`. Lifetime: the path's. */
typedef struct kith_slot {
    uint64_t opaque[2];
} kith_slot;
KITH_API const kith_value *kith_path_node(const kith_value *path, uint32_t i, kith_slot *into);
KITH_API const kith_value *kith_path_rel(const kith_value *path, uint32_t i, kith_slot *into);

/* The temporal kinds; fields that a kind lacks are 0. */
typedef struct kith_temporal {
    int64_t months;  /* Duration */
    int64_t days;    /* since 1970-01-01; Duration: days */
    int64_t seconds; /* of the day, local; Duration: seconds */
    int32_t nanos;
    int32_t offset_s; /* Time, DateTime: east of UTC */
    const char *zone; /* DateTime: IANA name, not NUL-terminated */
    size_t zone_len;
} kith_temporal;
KITH_API bool kith_as_temporal(const kith_value *value, kith_temporal *out);
KITH_API bool kith_as_point(const kith_value *value, uint32_t *srid, uint32_t *dims, double at[3]);
KITH_API bool kith_as_uuid(const kith_value *value, uint8_t out[16]);
/* Elements: 1 f32, 2 f64, 3 i8, 4 i16, 5 i32, 6 i64, little-endian, aligned. */
KITH_API bool kith_as_vector(const kith_value *value, int *element, const void **data,
                             size_t *bytes);

/* The value as a Cypher literal, cut to `size` and NUL-terminated, as snprintf does; returns the whole length. */
KITH_API size_t kith_print(const kith_value *value, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
