/* storage/import_graph.h - the graph of an import in memory: read from its files, numbered, sorted both ways.
 *
 * After kt_import_read: node i has number[i] (ascending); relationship r goes start[r] -> end[r], in order of (start,
 * end, place in the file). Out-lists are the runs [out_at[i], out_at[i + 1]) of relationship ids, in-lists the same
 * runs of in_rel. */
#ifndef KT_STORAGE_IMPORT_GRAPH_H
#define KT_STORAGE_IMPORT_GRAPH_H

#include "storage/import.h"
#include "storage/kv/kv.h"
#include "base/value.h"

enum {
    KT_IMPORT_LABEL = 1,
    KT_IMPORT_TYPE = 1,
    KT_IMPORT_ID = 1
}; /* tokens; keys of further properties follow */

/* A value out of line (storage/record.h). */
typedef struct KtImportSpill {
    struct KtImportSpill *next; /* ascending by key */
    KtToken key;
    KtSpan bytes;
} KtImportSpill;

/* A node's record as --nodes gives it. */
typedef struct KtImportRecord {
    KtSpan bytes;
    KtImportSpill *spill;
} KtImportRecord;

typedef struct KtImportGraph {
    uint32_t nodes, edges;
    int64_t *number;
    const KtImportRecord **record; /* NULL: there is no nodes file */
    uint32_t *start, *end, *out_at, *in_at, *in_rel;
    uint64_t *weight; /* bits of an integer or a float; NULL: none */
    bool weight_float;
    KtText *key; /* names of property keys: key[token - 1] */
    uint32_t keys;
    KtToken weight_key;
    uint64_t rejects;
    KtArena *arena; /* records and names */
} KtImportGraph;

/* Errors: as kt_import. *out is to be closed also after a failure. */
KtStatus kt_import_read(const KtImportSpec *spec, KtDiag *diag, KtImportGraph *out) KT_MUST_CHECK;
void kt_import_graph_close(KtImportGraph *graph);

#endif
