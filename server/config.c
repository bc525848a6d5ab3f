/* server/config.c - reads settings from a file, the environment and flags into one struct, by one table.
 *
 * Every place ends in set(): find the row, parse the text by the row's kind, store it. So a setting behaves the same
 * wherever it is written. */
#include "server/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum SettingKind {
    SETTING_TEXT,
    SETTING_SIZE,
    SETTING_SPAN,
    SETTING_COUNT,
    SETTING_SWITCH
} SettingKind;

typedef struct Setting {
    const char *section, *key, *init, *words;
    SettingKind kind;
    size_t offset;
    int64_t low, high;
} Setting;

static const Setting table[] = {
#define KITH_SETTING(section, key, field, kind, init, low, high, words) \
    {section, #key, init, words, SETTING_##kind, offsetof(KtConfig, field), low, high},
#include "server/config_keys.def"
};

/* Where a value was found: the words of its error. */
typedef struct Place {
    KtStatus status;  /* of an error here: CONFIG or USAGE */
    const char *file; /* NULL: not a file */
    unsigned line;
    const char *name; /* as the user wrote it */
} Place;

static KtStatus wrong(const Place *place, KtDiag *diag, const char *what, const char *text)
{
    if (place->file)
        return kt_diag_set(diag, place->status, NULL, "%s:%u: %s %s: '%s'", place->file,
                           place->line, place->name, what, text);
    return kt_diag_set(diag, place->status, NULL, "%s %s: '%s'", place->name, what, text);
}

static bool parse_number(const char *text, SettingKind kind, int64_t *out)
{
    if (!isdigit((unsigned char)text[0]))
        return false;
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno != 0)
        return false;
    while (*end == ' ')
        end++;
    int64_t unit = kind == SETTING_SPAN ? 1000 : 1;
    if (*end) {
        static const struct {
            const char *word;
            SettingKind kind;
            int64_t unit;
        } units[] = {
            {"k", SETTING_SIZE, 1 << 10},  {"m", SETTING_SIZE, 1 << 20},
            {"g", SETTING_SIZE, 1 << 30},  {"kb", SETTING_SIZE, 1 << 10},
            {"mb", SETTING_SIZE, 1 << 20}, {"gb", SETTING_SIZE, 1 << 30},
            {"ms", SETTING_SPAN, 1},       {"s", SETTING_SPAN, 1000},
            {"m", SETTING_SPAN, 60000},    {"h", SETTING_SPAN, 3600000},
        };
        size_t i = 0;
        while (i < KT_COUNT(units) &&
               !(units[i].kind == kind && strcasecmp(units[i].word, end) == 0))
            i++;
        if (i == KT_COUNT(units))
            return false;
        unit = units[i].unit;
    }
    return !__builtin_mul_overflow((int64_t)v, unit, out);
}

static KtStatus store(KtConfig *config, const Setting *row, const char *text, const Place *place,
                      KtDiag *diag)
{
    char *field = (char *)config + row->offset;
    int64_t n = 0;
    switch (row->kind) {
    case SETTING_TEXT: {
        char *copy = strdup(text);
        if (!copy)
            return kt_diag_set(diag, KT_ERR_MEMORY, NULL, "out of memory while reading settings");
        char *old;
        memcpy(&old, field, sizeof old);
        free(old);
        memcpy(field, &copy, sizeof copy);
        return KT_OK;
    }
    case SETTING_SWITCH: {
        bool on =
            strcasecmp(text, "on") == 0 || strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0;
        if (!on && strcasecmp(text, "off") != 0 && strcasecmp(text, "false") != 0 &&
            strcmp(text, "0") != 0)
            return wrong(place, diag, "is on or off, not this", text);
        memcpy(field, &on, sizeof on);
        return KT_OK;
    }
    case SETTING_SIZE:
    case SETTING_SPAN:
    case SETTING_COUNT:
        if (!parse_number(text, row->kind, &n))
            return wrong(place, diag,
                         row->kind == SETTING_SIZE ? "is a size like 512k, 64m or 2g, not this"
                         : row->kind == SETTING_SPAN
                             ? "is a time like 500ms, 30s, 5m or 1h, not this"
                             : "is a whole number, not this",
                         text);
        if (n < row->low || n > row->high) {
            char bounds[96];
            const char *unit = row->kind == SETTING_SIZE   ? " bytes"
                               : row->kind == SETTING_SPAN ? " ms"
                                                           : "";
            snprintf(bounds, sizeof bounds, "must be from %lld to %lld%s", (long long)row->low,
                     (long long)row->high, unit);
            return wrong(place, diag, bounds, text);
        }
        break;
    }
    if (row->kind == SETTING_SIZE) {
        uint64_t v = (uint64_t)n;
        memcpy(field, &v, sizeof v);
    } else if (row->kind == SETTING_SPAN) {
        memcpy(field, &n, sizeof n);
    } else {
        uint32_t v = (uint32_t)n;
        memcpy(field, &v, sizeof v);
    }
    return KT_OK;
}

/* section_key, or key alone in section "". */
static void full_name(const Setting *row, char out[80])
{
    snprintf(out, 80, "%s%s%s", row->section, *row->section ? "_" : "", row->key);
}

static unsigned distance(const char *a, const char *b)
{
    unsigned row[80];
    size_t n = strlen(b);
    if (n >= KT_COUNT(row))
        return UINT32_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i]; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < n; j++) {
            unsigned change = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            unsigned best = row[j] < row[j + 1] ? row[j] + 1 : row[j + 1] + 1;
            row[j + 1] = best < change ? best : change;
        }
    }
    return row[n];
}

/* `name`: section_key in small letters with underscores. */
static const Setting *find(const char *name)
{
    for (size_t i = 0; i < KT_COUNT(table); i++) {
        char full[80];
        full_name(&table[i], full);
        if (strcmp(full, name) == 0)
            return &table[i];
    }
    return NULL;
}

static const Setting *nearest(const char *name)
{
    const Setting *best = &table[0];
    unsigned least = UINT32_MAX;
    for (size_t i = 0; i < KT_COUNT(table); i++) {
        char full[80];
        full_name(&table[i], full);
        unsigned d = distance(name, full);
        unsigned alone = distance(name, table[i].key) + 1; /* the section may have been forgotten */
        if (alone < d)
            d = alone;
        if (d < least) {
            least = d;
            best = &table[i];
        }
    }
    return best;
}

static void lower(const char *from, size_t len, char out[80])
{
    size_t n = len < 79 ? len : 79;
    for (size_t i = 0; i < n; i++)
        out[i] = from[i] == '-' ? '_' : (char)tolower((unsigned char)from[i]);
    out[n] = 0;
}

/* ---- file ---- */

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    text[n] = 0;
    return text;
}

static KtStatus file_line(KtConfig *config, char *line, char section[80], Place *place,
                          KtDiag *diag)
{
    char *text = trim(line);
    if (*text == 0 || *text == '#' || *text == ';')
        return KT_OK;
    if (*text == '[') {
        size_t n = strlen(text);
        if (text[n - 1] != ']' || n < 3)
            return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                               "%s:%u: a section is written [name], not '%s'", place->file,
                               place->line, text);
        text[n - 1] = 0;
        lower(trim(text + 1), strlen(trim(text + 1)), section);
        for (size_t i = 0; i < KT_COUNT(table); i++)
            if (strcmp(table[i].section, section) == 0)
                return KT_OK;
        const char *best = "kmp";
        unsigned least = UINT32_MAX;
        for (size_t i = 0; i < KT_COUNT(table); i++) {
            unsigned d = *table[i].section ? distance(section, table[i].section) : UINT32_MAX;
            if (d < least) {
                least = d;
                best = table[i].section;
            }
        }
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                           "%s:%u: there is no section [%s]; the nearest is [%s]", place->file,
                           place->line, section, best);
    }
    char *equals = strchr(text, '=');
    if (!equals)
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                           "%s:%u: a setting is written key = value, not '%s'", place->file,
                           place->line, text);
    *equals = 0;
    char *key = trim(text);
    char *value = trim(equals + 1);
    size_t n = strlen(value);
    if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
        value[n - 1] = 0;
        value++;
    }
    char small[80], name[164];
    lower(key, strlen(key), small);
    snprintf(name, sizeof name, "%s%s%s", section, *section ? "_" : "", small);
    const Setting *row = find(name);
    /* "kmp_listen" before any section names a setting of a section: only as [kmp] listen */
    if (row && strcmp(row->section, section) == 0) {
        place->name = key;
        return store(config, row, value, place, diag);
    }
    row = nearest(name);
    if (*row->section)
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                           "%s:%u: there is no setting '%s' in [%s]; the nearest is '%s' in [%s]",
                           place->file, place->line, key, section, row->key, row->section);
    return kt_diag_set(
        diag, KT_ERR_CONFIG, NULL,
        "%s:%u: there is no setting '%s' in [%s]; the nearest is '%s' above the first section",
        place->file, place->line, key, section, row->key);
}

static KtStatus load_file(KtConfig *config, const char *path, KtDiag *diag)
{
    FILE *in = fopen(path, "re");
    if (!in)
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL, "cannot read the settings file %s: %s", path,
                           strerror(errno));
    Place place = {.status = KT_ERR_CONFIG, .file = path};
    char section[80] = "";
    char *line = NULL;
    size_t cap = 0;
    KtStatus status = KT_OK;
    while (status == KT_OK && getline(&line, &cap, in) >= 0) {
        place.line++;
        status = file_line(config, line, section, &place, diag);
    }
    if (status == KT_OK && ferror(in))
        status = kt_diag_set(diag, KT_ERR_CONFIG, NULL, "cannot read the settings file %s: %s",
                             path, strerror(errno));
    free(line);
    fclose(in);
    return status;
}

/* ---- environment ---- */

static KtStatus load_env(KtConfig *config, char *const *env, KtDiag *diag)
{
    for (; env && *env; env++) {
        const char *equals = strchr(*env, '=');
        if (!equals || strncmp(*env, "KITH_", 5) != 0)
            continue;
        char name[80], shown[96];
        lower(*env + 5, (size_t)(equals - *env - 5), name);
        snprintf(shown, sizeof shown, "%.*s", (int)(equals - *env), *env);
        const Setting *row = find(name);
        if (row) {
            Place place = {.status = KT_ERR_CONFIG, .name = shown};
            KT_TRY(store(config, row, equals + 1, &place, diag));
            continue;
        }
        /* Other programs of ours have variables too (KITH_URL): only a name inside one of our sections is a slip. */
        for (size_t i = 0; i < KT_COUNT(table); i++) {
            size_t n = strlen(table[i].section);
            if (n == 0 || strncmp(name, table[i].section, n) != 0 || name[n] != '_')
                continue;
            char full[80];
            full_name(nearest(name), full);
            for (char *c = full; *c; c++)
                *c = (char)toupper((unsigned char)*c);
            return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                               "there is no setting %s; the nearest is KITH_%s", shown, full);
        }
    }
    return KT_OK;
}

/* ---- flags ---- */

/* Splits argv[*i] (and the word after it) into a name without dashes and a value; value NULL: none was given. */
static const char *flag_value(int argc, char *const *argv, int *i, const char *equals,
                              bool needs_value)
{
    if (equals)
        return equals + 1;
    if (!needs_value || *i + 1 >= argc)
        return NULL;
    return argv[++*i];
}

static KtStatus load_flags(KtConfig *config, int argc, char *const *argv, KtDiag *diag)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (strncmp(arg, "--", 2) != 0 || arg[2] == 0)
            return kt_diag_set(diag, KT_ERR_USAGE, NULL,
                               "kithd takes flags only, not '%s'; see kithd --help", arg);
        const char *equals = strchr(arg, '=');
        char name[80], shown[96];
        lower(arg + 2, equals ? (size_t)(equals - arg - 2) : strlen(arg + 2), name);
        snprintf(shown, sizeof shown, "--%s", arg + 2);
        if (equals)
            shown[equals - arg < 95 ? equals - arg : 95] = 0;
        bool is_config = strcmp(name, "config") == 0;
        const Setting *row = find(name);
        if (!row && !is_config) {
            char full[80];
            full_name(nearest(name), full);
            for (char *c = full; *c; c++)
                *c = *c == '_' ? '-' : *c;
            return kt_diag_set(diag, KT_ERR_USAGE, NULL, "there is no flag %s; the nearest is --%s",
                               shown, full);
        }
        bool alone = row && row->kind == SETTING_SWITCH;
        const char *value = flag_value(argc, argv, &i, equals, !alone);
        if (!value && !alone)
            return kt_diag_set(diag, KT_ERR_USAGE, NULL, "the flag %s needs a value", shown);
        if (is_config)
            continue; /* read before */
        Place place = {.status = KT_ERR_USAGE, .name = shown};
        KT_TRY(store(config, row, value ? value : "on", &place, diag));
    }
    return KT_OK;
}

static const char *config_path(int argc, char *const *argv, char *const *env)
{
    const char *path = NULL;
    for (; env && *env; env++)
        if (strncmp(*env, "KITH_CONFIG=", 12) == 0)
            path = *env + 12;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            path = argv[++i];
        else if (strncmp(argv[i], "--config=", 9) == 0)
            path = argv[i] + 9;
    }
    return path;
}

KtStatus kt_config_open(KtConfig *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < KT_COUNT(table); i++) {
        Place place = {.status = KT_ERR_INTERNAL, .name = table[i].key};
        KtStatus status = store(config, &table[i], table[i].init, &place, NULL);
        KT_CHECK(status == KT_OK || status == KT_ERR_MEMORY);
        if (status != KT_OK) {
            kt_config_close(config);
            return status;
        }
    }
    return KT_OK;
}

KtStatus kt_config_load(KtConfig *config, int argc, char *const *argv, char *const *env,
                        KtDiag *diag, KtConfigAsk *ask)
{
    for (int i = 1; i < argc; i++) {
        bool help = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
        if (help || strcmp(argv[i], "--version") == 0) {
            *ask = help ? KT_CONFIG_HELP : KT_CONFIG_VERSION;
            return KT_OK;
        }
    }
    const char *path = config_path(argc, argv, env);
    if (path)
        KT_TRY(load_file(config, path, diag));
    KT_TRY(load_env(config, env, diag));
    KT_TRY(load_flags(config, argc, argv, diag));
    *ask = KT_CONFIG_RUN;
    return KT_OK;
}

void kt_config_help(void)
{
    printf(
        "kithd - the Kith graph database server\n\n"
        "usage: kithd --data DIR [--config FILE] [flags]\n"
        "       kithd --ephemeral [flags]\n\n"
        "A setting may stand in the file ([section] key = value), in the environment (KITH_SECTION_KEY) or on the\n"
        "command line (--section-key VALUE); the later of these wins.\n\n"
        "  %-28s %s\n",
        "--config FILE", "settings file (KITH_CONFIG)");
    for (size_t i = 0; i < KT_COUNT(table); i++) {
        char full[80], flag[96];
        full_name(&table[i], full);
        for (char *c = full; *c; c++)
            *c = *c == '_' ? '-' : *c;
        snprintf(flag, sizeof flag, "--%s", full);
        printf("  %-28s %s", flag, table[i].words);
        if (*table[i].init)
            printf(" [%s]", table[i].init);
        putchar('\n');
    }
    printf("  %-28s %s\n  %-28s %s\n", "--help", "this text", "--version", "the version");
}

void kt_config_close(KtConfig *config)
{
    for (size_t i = 0; i < KT_COUNT(table); i++) {
        if (table[i].kind != SETTING_TEXT)
            continue;
        char *text;
        memcpy(&text, (char *)config + table[i].offset, sizeof text);
        free(text);
    }
    memset(config, 0, sizeof *config);
}
