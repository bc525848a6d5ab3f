/* clients/c/src/error.c - error objects: made once, from a status or from the server's ERROR, then read only. */
#include "clients/c/src/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct kith_error {
    KmpError wire; /* texts in arena */
    KtArena *arena;
    const kith_error *cause;
    char *name, *message, *hint, *detail, *gqlstatus;
};

/* What is handed out when there is no memory for an error. */
static char no_memory_name[] = "Memory", no_memory_text[] = "No memory for an error object.",
            nothing[] = "", no_memory_state[] = "53200";
static kith_error no_memory = {
    .wire = {.code = 1600, .error_class = KT_CLASS_TRANSIENT},
    .name = no_memory_name,
    .message = no_memory_text,
    .hint = nothing,
    .detail = nothing,
    .gqlstatus = no_memory_state,
};

static kith_error *build(KtArena *arena, const KmpError *wire)
{
    kith_error *e = kt_arena_zero(arena, 1, sizeof *e);
    if (!e)
        return NULL;
    e->wire = *wire;
    e->name = kt_arena_text(arena, wire->name.at, wire->name.len);
    e->message = kt_arena_text(arena, wire->message.at, wire->message.len);
    e->hint = kt_arena_text(arena, wire->hint.at, wire->hint.len);
    e->detail = kt_arena_text(arena, wire->detail.at, wire->detail.len);
    e->gqlstatus = kt_arena_text(arena, wire->gqlstatus.at, wire->gqlstatus.len);
    if (!e->name || !e->message || !e->hint || !e->detail || !e->gqlstatus)
        return NULL;
    if (wire->cause && !(e->cause = build(arena, wire->cause)))
        return NULL;
    return e;
}

int kt_client_fail_wire(kith_error **error, const KmpError *wire)
{
    if (!error)
        return -1;
    kith_error_free(*error);
    *error = &no_memory;
    KtArena *arena;
    if (kt_arena_open(NULL, &arena) != KT_OK)
        return -1;
    kith_error *e = build(arena, wire);
    if (!e) {
        kt_arena_close(arena);
        return -1;
    }
    e->arena = arena;
    *error = e;
    return -1;
}

int kt_client_fail(kith_error **error, KtStatus status, const KtDiag *diag)
{
    KmpError wire = kt_kmp_error_of(status, diag);
    return kt_client_fail_wire(error, &wire);
}

int kt_client_fail_text(kith_error **error, KtStatus status, const char *format, ...)
{
    KtDiag diag = {.status = status};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(diag.message, sizeof diag.message, format, args);
    va_end(args);
    return kt_client_fail(error, status, &diag);
}

bool kt_client_retryable(const kith_error *e)
{
    return e && e->wire.retryable && e->wire.code != KITH_CODE_COMMIT_OUTCOME_UNKNOWN;
}

int kith_error_code(const kith_error *e) { return e ? (int)e->wire.code : 0; }
const char *kith_error_name(const kith_error *e) { return e ? e->name : ""; }
const char *kith_error_message(const kith_error *e) { return e ? e->message : ""; }
const char *kith_error_hint(const kith_error *e) { return e ? e->hint : ""; }
const char *kith_error_detail(const kith_error *e) { return e ? e->detail : ""; }
const char *kith_error_gqlstatus(const kith_error *e) { return e ? e->gqlstatus : ""; }
kith_error_class kith_error_get_class(const kith_error *e)
{
    return e ? (kith_error_class)e->wire.error_class : KITH_CLASS_CLIENT;
}
bool kith_error_retryable(const kith_error *e) { return kt_client_retryable(e); }
uint64_t kith_error_retry_after_ms(const kith_error *e) { return e ? e->wire.retry_after_ms : 0; }
uint64_t kith_error_query(const kith_error *e) { return e ? e->wire.query : 0; }
const kith_error *kith_error_cause(const kith_error *e) { return e ? e->cause : NULL; }

bool kith_error_position(const kith_error *e, kith_position *out)
{
    if (!e || e->wire.at.line == 0)
        return false;
    *out =
        (kith_position){e->wire.at.offset, e->wire.at.line, e->wire.at.column, e->wire.at.length};
    return true;
}

void kith_error_free(kith_error *e)
{
    if (e && e != &no_memory)
        kt_arena_close(e->arena); /* the error itself is in it */
}
