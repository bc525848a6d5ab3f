/* storage/import.h - a whole new database out of an edge list.
 *
 * Builds <data>/<id>.importing from sorted files, reads all of it back, and renames it to <data>/<id>: so the database
 * is there whole or not at all. A leftover .importing is removed first; a database that exists is refused.
 *
 * Edges file: two whole numbers a line, between spaces or tabs, with `weight` a third column; lines that begin with #
 * or % are comments; a closing CR is stripped; gzip is recognised. Each number becomes a node with `label` and the
 * integer property id (unique constraint on label and id); node ids are dense in ascending order of the numbers,
 * relationship ids in order of (start, end). Weights are integers if all of them are, else floats.
 * Nodes file: CSV (RFC 4180) with the heading `id,name:type,...`, type integer, float, boolean or string; an empty
 * field without quotes is no property. With it, an edge to a number that it lacks is rejected.
 * What is rejected goes to FILE.rejects, one line each: line number, tab, reason, tab, the line.
 *
 * Memory: 24 bytes an edge at most (32 with weights), 100 a node, and with `nodes` its encoded records. */
#ifndef KT_STORAGE_IMPORT_H
#define KT_STORAGE_IMPORT_H

#include "base/diag.h"

#define KT_IMPORT_EDGES_MOST 100000000u /* more are refused: about 3 GB of memory */

typedef struct KtImportSpec {
    const char *data; /* the server's folder; made if it is not there */
    uint32_t id;      /* database id; 0: 1 */
    const char *edges, *label, *type;
    const char *weight;  /* name of the third column's property; NULL: there is none */
    const char *nodes;   /* NULL: the nodes are the numbers in `edges` */
    const char *log_dir; /* as KtKvSpec */
    /* Told now and then what is being done; `of` is 0 when the end is unknown. NULL: silent. */
    void (*progress)(void *user, const char *phase, uint64_t done, uint64_t of);
    void *user;
} KtImportSpec;

typedef struct KtImportCounts {
    uint64_t nodes, rels, rejects;
} KtImportCounts;

/* Errors: NOT_FOUND and IO (files), ALREADY_EXISTS (the database), STORE_LOCKED (another import runs), INVALID_VALUE
 * (names, heading), LIST_TOO_LONG (more than KT_IMPORT_EDGES_MOST edges), MEMORY; words in `diag`. Nothing is left of
 * a failed import but FILE.rejects and perhaps .importing. */
KtStatus kt_import(const KtImportSpec *spec, KtDiag *diag, KtImportCounts *out) KT_MUST_CHECK;

#endif
