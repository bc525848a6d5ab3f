/* base/status.h - the result of anything that can fail, and the facts about each error.
 *
 * A function that can fail returns KtStatus; its out parameters come last and are untouched on
 * failure. Words for the user go to a KtDiag (base/diag.h) where the cause is known. */
#ifndef KT_BASE_STATUS_H
#define KT_BASE_STATUS_H

#include "base/check.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum KtStatus {
    KT_OK = 0,
#define KT_ERROR(name, number, class, ct, rt, detail, gql, retry, hint) KT_ERR_##name,
#include "base/errors.def"
#undef KT_ERROR
    KT_STATUS_COUNT
} KtStatus;

typedef enum KtErrorClass {
    KT_CLASS_CLIENT,
    KT_CLASS_TRANSIENT,
    KT_CLASS_SERVER,
    KT_CLASS_SECURITY,
} KtErrorClass;

typedef struct KtErrorFacts {
    const char *name; /* "UndefinedVariable"-like name in UPPER_SNAKE as in errors.def */
    const char *wire; /* CamelCase of the same, for people and clients */
    uint16_t number;  /* KITH-<number> */
    KtErrorClass error_class;
    const char *compile_type, *run_type, *detail, *gqlstatus, *hint;
    bool retryable;
} KtErrorFacts;

/* The facts about `status`; KT_OK and numbers out of range give those of INTERNAL. Lifetime: static. */
const KtErrorFacts *kt_error_facts(KtStatus status);

/* Hands a failure up. The only macro that returns: use it while all you hold is arena memory or
 * has a cleanup attribute. */
#define KT_TRY(call)                              \
    do {                                          \
        KtStatus kt_try_status_ = (call);         \
        if (KT_UNLIKELY(kt_try_status_ != KT_OK)) \
            return kt_try_status_;                \
    } while (0)

#endif
