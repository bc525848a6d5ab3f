/* query/exec/sink.h - where a query's rows go: the server, a test or a tool fills this in. */
#ifndef KT_QUERY_EXEC_SINK_H
#define KT_QUERY_EXEC_SINK_H

#include "base/value.h"

typedef struct KtSink KtSink;
struct KtSink {
    /* One row: nodes, relationships and paths come as images (KT_VALUE_IMAGE). Values live until it returns.
     * Sets *full when no further row is wanted now: the query then answers KT_QUERY_BLOCKED and goes on
     * with the next row later. A row that was handed over is accepted. A failure ends the query. */
    KtStatus (*row)(KtSink *sink, const KtValue *value, uint32_t n, bool *full);
};

#endif
