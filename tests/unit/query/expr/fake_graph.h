/* A few nodes and relationships behind storage/graph.h, for tests of what expressions ask of storage.
 *
 * Node n has label token 1 ("A") if n is even and 2 ("B") if n is divisible by 3; property 1 ("num") is n, property
 * 2 ("name") is the text "n<id>" for odd n only. Relationship r has type token 1 ("T") or 2 ("U"), by
 * parity, and property "num" = 100 + r. Ids from 0 to 99 exist. */
#ifndef KT_TESTS_UNIT_QUERY_EXPR_FAKE_GRAPH_H
#define KT_TESTS_UNIT_QUERY_EXPR_FAKE_GRAPH_H

#include "storage/graph.h"

struct KtView {
    bool writes;
    uint64_t deleted_node; /* UINT64_MAX: none */
    uint32_t asked;        /* calls of any kind but kt_exist */
    bool cancelled;
};

#endif
