/* server/config.h - the settings of kithd: one table, four places, the later wins.
 *
 * Order of use: kt_config_open, then kt_config_load, then kt_config_close. An unknown section, key or flag is refused
 * by name, with the nearest known one; so is a value that its kind or bounds do not allow. */
#ifndef KT_SERVER_CONFIG_H
#define KT_SERVER_CONFIG_H

#include "base/diag.h"

#include <stddef.h>

typedef char *KtConfigText; /* owned */

#define KT_CONFIG_TYPE_TEXT KtConfigText
#define KT_CONFIG_TYPE_SIZE uint64_t
#define KT_CONFIG_TYPE_SPAN int64_t
#define KT_CONFIG_TYPE_COUNT uint32_t
#define KT_CONFIG_TYPE_SWITCH bool

typedef struct KtConfig {
#define KITH_SETTING(section, key, field, kind, init, low, high, words) KT_CONFIG_TYPE_##kind field;
#include "server/config_keys.def"
} KtConfig;

typedef enum KtConfigAsk { KT_CONFIG_RUN, KT_CONFIG_HELP, KT_CONFIG_VERSION } KtConfigAsk;

/* Fills in the defaults. Errors: MEMORY. Ownership: the caller closes. */
KtStatus kt_config_open(KtConfig *config) KT_MUST_CHECK;
/* Reads the file named by --config (or KITH_CONFIG), then the environment (`env` as in environ), then the flags.
 * *ask is what to do; after HELP and VERSION nothing else was read. Errors: CONFIG (file, environment), USAGE (flags);
 * the sentence in `diag` names the place. */
KtStatus kt_config_load(KtConfig *config, int argc, char *const *argv, char *const *env,
                        KtDiag *diag, KtConfigAsk *ask) KT_MUST_CHECK;
/* The text of --help: every flag with its default. Written to standard output. */
void kt_config_help(void);
void kt_config_close(KtConfig *config);

#endif
