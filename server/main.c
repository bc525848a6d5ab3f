/* server/main.c - kithd: settings, start, run, stop. */
#include "server/server.h"

#include <stdio.h>
#include <unistd.h>

/* Ends with the sentence of an error. 2: the command line; 1: anything else. */
static int failed(KtStatus status, const KtDiag *diag)
{
    const char *hint = diag->hint[0] ? diag->hint : kt_error_facts(status)->hint;
    fprintf(stderr, "kithd: %s%s%s\n",
            diag->message[0] ? diag->message : kt_error_facts(status)->wire, *hint ? " " : "",
            hint);
    return status == KT_ERR_USAGE ? 2 : 1;
}

int main(int argc, char **argv)
{
    KtDiag diag = {0};
    KtConfig config;
    KtConfigAsk ask = KT_CONFIG_RUN;
    KtStatus status = kt_config_open(&config);
    if (status == KT_OK)
        status = kt_config_load(&config, argc, argv, environ, &diag, &ask);
    if (status != KT_OK) {
        kt_config_close(&config);
        return failed(status, &diag);
    }
    if (ask == KT_CONFIG_HELP) {
        kt_config_help();
    } else if (ask == KT_CONFIG_VERSION) {
        printf("kithd " KITH_SERVER_NAME "\n");
    } else {
        KtServer server;
        status = kt_server_start(&server, &config, &diag);
        if (status == KT_OK) {
            kt_server_run(&server);
            kt_server_stop(&server);
        }
    }
    kt_config_close(&config);
    return status == KT_OK ? 0 : failed(status, &diag);
}
