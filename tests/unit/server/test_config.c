/* tests/unit/server/test_config.c - settings from three places into one struct. */
#include "server/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Loaded {
    KtConfig config;
    KtDiag diag;
    KtConfigAsk ask;
    KtStatus status;
} Loaded;

static void load(Loaded *out, const char *const *argv, const char *const *env)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    memset(out, 0, sizeof *out);
    cr_assert_eq(kt_config_open(&out->config), KT_OK);
    out->status = kt_config_load(&out->config, argc, (char *const *)(uintptr_t)argv,
                                 (char *const *)(uintptr_t)env, &out->diag, &out->ask);
}

static void write_file(char path[64], const char *text)
{
    snprintf(path, 64, "/tmp/kith-test-config-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

TestSuite(server_config);

Test(server_config, the_defaults_of_the_table_are_valid)
{
    Loaded l;
    load(&l, (const char *[]){"kithd", NULL}, NULL);
    cr_assert_eq(l.status, KT_OK);
    cr_assert_eq(l.ask, KT_CONFIG_RUN);
    cr_assert_str_eq(l.config.kmp_listen, "127.0.0.1:5484");
    cr_assert_eq(l.config.query_ms, 60000);
    cr_assert_eq(l.config.idle_ms, 10000);
    cr_assert_eq(l.config.write_ms, 60000);
    cr_assert_eq(l.config.log_keep_ms, 3600000);
    cr_assert_eq(l.config.log_keep_bytes, 256u << 20);
    cr_assert_eq(l.config.kmp_max_frame, 16u << 20);
    cr_assert_not(l.config.ephemeral);
    kt_config_close(&l.config);
}

Test(server_config, file_then_environment_then_flags_and_the_later_wins)
{
    char path[64];
    write_file(
        path,
        "; both comment signs\n# here\ndata = /from/file\n[server]\nworkers = 2\nloops=3\r\n[ limits ]\nquery-timeout = 5m\n");
    Loaded l;
    load(&l, (const char *[]){"kithd", "--server-workers", "4", NULL},
         (const char *[]){"KITH_SERVER_WORKERS=8", "KITH_SERVER_LOOPS=6", "OTHER=1",
                          "KITH_URL=kith://x", "KITH_CONFIG=/nowhere", NULL});
    cr_assert_eq(l.status, KT_ERR_CONFIG, "a file named in the environment must exist");
    kt_config_close(&l.config);
    load(&l, (const char *[]){"kithd", "--config", path, "--server-workers", "4", NULL},
         (const char *[]){"KITH_SERVER_WORKERS=8", "KITH_SERVER_LOOPS=6", "OTHER=1",
                          "KITH_URL=kith://x", "KITH_CONFIG=/nowhere", NULL});
    cr_assert_eq(l.status, KT_OK, "%s", l.diag.message);
    cr_assert_str_eq(l.config.data, "/from/file");
    cr_assert_eq(l.config.workers, 4);
    cr_assert_eq(l.config.loops, 6);
    cr_assert_eq(l.config.query_ms, 300000);
    kt_config_close(&l.config);
    unlink(path);
}

Test(server_config, numbers_have_units_and_bounds)
{
    static const struct {
        const char *text;
        bool good;
        int64_t ms;
    } spans[] = {
        {"250ms", true, 250},
        {"2", true, 2000},
        {"3 s", true, 3000},
        {"1h", true, 3600000},
        {"", false, 0},
        {"-1", false, 0},
        {"1d", false, 0},
        {"99999999999999999999", false, 0},
        {"9223372036854775807", false, 0},
        {"0", false, 0},
        {"1k", false, 0},
    };
    for (size_t i = 0; i < KT_COUNT(spans); i++) {
        char flag[64];
        snprintf(flag, sizeof flag, "--limits-query-timeout=%s", spans[i].text);
        Loaded l;
        load(&l, (const char *[]){"kithd", flag, NULL}, NULL);
        cr_assert_eq(l.status == KT_OK, spans[i].good, "%s: %s", spans[i].text, l.diag.message);
        if (spans[i].good)
            cr_assert_eq(l.config.query_ms, spans[i].ms);
        else
            cr_assert(strstr(l.diag.message, "--limits-query-timeout"), "%s", l.diag.message);
        kt_config_close(&l.config);
    }
}

Test(server_config, an_unknown_name_is_refused_with_the_nearest)
{
    Loaded l;
    load(&l, (const char *[]){"kithd", "--kmp-lsten", "x", NULL}, NULL);
    cr_assert_eq(l.status, KT_ERR_USAGE);
    cr_assert_str_eq(l.diag.message, "there is no flag --kmp-lsten; the nearest is --kmp-listen");
    kt_config_close(&l.config);
    load(&l, (const char *[]){"kithd", NULL}, (const char *[]){"KITH_LOG_LEVLE=info", NULL});
    cr_assert_eq(l.status, KT_ERR_CONFIG);
    cr_assert_str_eq(l.diag.message,
                     "there is no setting KITH_LOG_LEVLE; the nearest is KITH_LOG_LEVEL");
    kt_config_close(&l.config);
}

Test(server_config, help_and_version_come_before_anything_else)
{
    Loaded l;
    load(&l, (const char *[]){"kithd", "--nonsense", "--version", NULL}, NULL);
    cr_assert_eq(l.status, KT_OK);
    cr_assert_eq(l.ask, KT_CONFIG_VERSION);
    kt_config_close(&l.config);
}
