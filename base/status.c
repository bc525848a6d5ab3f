/* base/status.c - errors.def as a table. */
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

/* "UNDEFINED_VARIABLE" is "UndefinedVariable" on the wire: made once, before main. */
enum { WIRE_NAME = 48 };
static char wire_name[KT_STATUS_COUNT][WIRE_NAME];

static KtErrorFacts facts[KT_STATUS_COUNT] = {
#define KT_ERROR(id, no, cls, ct, rt, det, gql, retry, way) \
    [KT_ERR_##id] = {.name = #id,                           \
                     .wire = wire_name[KT_ERR_##id],        \
                     .number = (no),                        \
                     .error_class = KT_CLASS_##cls,         \
                     .compile_type = (ct),                  \
                     .run_type = (rt),                      \
                     .detail = (det),                       \
                     .gqlstatus = (gql),                    \
                     .hint = (way),                         \
                     .retryable = (retry)},
#include "base/errors.def"
#undef KT_ERROR
};

__attribute__((constructor)) static void make_wire_names(void)
{
    for (int s = 1; s < KT_STATUS_COUNT; s++) {
        char *out = wire_name[s];
        bool upper = true;
        size_t n = 0;
        for (const char *p = facts[s].name; *p && n + 1 < WIRE_NAME; p++) {
            if (*p == '_') {
                upper = true;
                continue;
            }
            out[n++] = (char)(upper || *p < 'A' || *p > 'Z' ? *p : *p - 'A' + 'a');
            upper = false;
        }
        out[n] = 0;
    }
}

const KtErrorFacts *kt_error_facts(KtStatus status)
{
    if (status <= KT_OK || status >= KT_STATUS_COUNT)
        status = KT_ERR_INTERNAL;
    return &facts[status];
}

void kt_check_failed(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "kith: a check failed: %s (%s:%d). Nothing further was written.\n", what,
                  file, line);
    abort();
}
