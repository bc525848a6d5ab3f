/* tools/kith/commands.h - the commands of `kith`: each takes its own argc and argv (argv[0] is its name) and
 * returns the exit code of the program. */
#ifndef KT_TOOLS_KITH_COMMANDS_H
#define KT_TOOLS_KITH_COMMANDS_H

/* The shell: `kith [URI] ...` without a command. Exit codes: 0 done; 1 wrong usage, a file that is missing, a failed
 * statement of -c; 2 no connection, or it was lost; 3 a failed statement in a script. */
int kt_cmd_shell(int argc, char **argv);

#endif
