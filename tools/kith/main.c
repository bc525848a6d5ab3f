/* tools/kith/main.c - the program `kith`: one table of commands; without a command it is the shell. */
#include "tools/kith/cmd_import.h"
#include "tools/kith/commands.h"
#include "tools/kith/say.h"

#include "base/check.h"

#include <kith/kith.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct Command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} Command;

static int help(int argc, char **argv);
static int version(int argc, char **argv);

static const Command commands[] = {
    {"shell", kt_cmd_shell,
     "ask a server; also without a command: kith [URI] [-c TEXT] [-f FILE] ..."},
    {"import", kt_cmd_import, "a new database out of an edge list"},
    {"version", version, "the version of this program"},
    {"help", help, "this page; kith COMMAND --help tells about one"},
};

static int help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("usage: kith [COMMAND] ...\n\n");
    for (size_t i = 0; i < KT_COUNT(commands); i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].what);
    return 0;
}

static int version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("kith %s\n", kith_version());
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0)
        return version(argc, argv);
    for (size_t i = 0; i < KT_COUNT(commands); i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (*name && *name != '-' && !strstr(name, "://")) {
        kt_say(stderr,
               "kith: no command \"%s\": kith help lists them; an address begins with kith://\n",
               name);
        return 1;
    }
    return kt_cmd_shell(argc, argv);
}
