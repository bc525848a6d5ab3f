/* tools/kith/cmd_import.h - `kith import`: a new database out of an edge list. */
#ifndef KT_TOOLS_KITH_CMD_IMPORT_H
#define KT_TOOLS_KITH_CMD_IMPORT_H

/* argv[0] is the command's own name. Returns the exit code: 0, 1 when lines were rejected, 2 for a wrong command
 * line, 3 when nothing was imported. Counts go to stdout, progress and errors to stderr. */
int kt_cmd_import(int argc, char **argv);

#endif
