/* bench/loops.c - the loops. -O3 and the same clones as the server's kernels; see bench/README.md. */
#include "bench/loops.h"

#include <stdlib.h>
#include <string.h>

KT_CLONES uint64_t kt_loop_2hop(const KtCsr *g, const uint32_t *start, uint32_t starts)
{
    const uint32_t *at = g->out.at, *nbr = g->out.nbr, *rel = g->out.rel;
    uint64_t sum = 0;
    for (uint32_t s = 0; s < starts; s++) {
        uint32_t a = start[s];
        for (uint32_t i = at[a]; i < at[a + 1]; i++) {
            uint32_t b = nbr[i], end = at[b + 1];
            if (b != a) {
                for (uint32_t j = at[b]; j < end; j++)
                    sum += nbr[j];
            } else { /* a self-loop stands in its own end's list */
                for (uint32_t j = at[b]; j < end; j++)
                    sum += rel[j] != rel[i] ? nbr[j] : 0;
            }
        }
    }
    return sum;
}

KT_CLONES uint64_t kt_loop_2hop_filter(const KtCsr *g, const int64_t *x, int64_t least,
                                       const uint32_t *start, uint32_t starts)
{
    const uint32_t *at = g->out.at, *nbr = g->out.nbr, *rel = g->out.rel;
    uint64_t sum = 0;
    for (uint32_t s = 0; s < starts; s++) {
        uint32_t a = start[s];
        for (uint32_t i = at[a]; i < at[a + 1]; i++) {
            uint32_t b = nbr[i];
            if (x[b] < least)
                continue;
            uint32_t end = at[b + 1];
            if (b != a) {
                for (uint32_t j = at[b]; j < end; j++)
                    sum += nbr[j];
            } else {
                for (uint32_t j = at[b]; j < end; j++)
                    sum += rel[j] != rel[i] ? nbr[j] : 0;
            }
        }
    }
    return sum;
}

KT_CLONES int64_t kt_loop_2hop_sum(const KtCsr *g, const int64_t *x, const uint32_t *start,
                                   uint32_t starts)
{
    const uint32_t *at = g->out.at, *nbr = g->out.nbr, *rel = g->out.rel;
    int64_t sum = 0;
    for (uint32_t s = 0; s < starts; s++) {
        uint32_t a = start[s];
        for (uint32_t i = at[a]; i < at[a + 1]; i++) {
            uint32_t b = nbr[i], end = at[b + 1];
            int64_t ab = x[a] + x[b];
            if (b != a) {
                for (uint32_t j = at[b]; j < end; j++)
                    sum += ab + x[nbr[j]];
            } else {
                for (uint32_t j = at[b]; j < end; j++)
                    sum += rel[j] != rel[i] ? ab + x[nbr[j]] : 0;
            }
        }
    }
    return sum;
}

KT_CLONES uint64_t kt_loop_3hop_count(const KtCsr *g, const uint32_t *start, uint32_t starts,
                                      uint64_t *ends)
{
    const uint32_t *at = g->out.at, *nbr = g->out.nbr, *rel = g->out.rel;
    uint64_t count = 0, sum = 0;
    for (uint32_t s = 0; s < starts; s++) {
        uint32_t a = start[s];
        for (uint32_t i = at[a]; i < at[a + 1]; i++) {
            uint32_t b = nbr[i], r1 = rel[i];
            for (uint32_t j = at[b]; j < at[b + 1]; j++) {
                uint32_t c = nbr[j], r2 = rel[j], end = at[c + 1];
                if (b == a && r2 == r1)
                    continue;
                if (c != a && c != b) {
                    for (uint32_t k = at[c]; k < end; k++) {
                        count++;
                        sum += nbr[k];
                    }
                } else { /* the first or second relationship may stand in this list */
                    for (uint32_t k = at[c]; k < end; k++) {
                        if (rel[k] == r1 || rel[k] == r2)
                            continue;
                        count++;
                        sum += nbr[k];
                    }
                }
            }
        }
    }
    *ends = sum;
    return count;
}

KT_CLONES void kt_loop_distinct(const KtCsr *g, const uint32_t *start, uint32_t starts,
                                uint32_t *stamp, uint32_t *turn, uint64_t *out)
{
    const uint32_t *at = g->out.at, *nbr = g->out.nbr, *rel = g->out.rel;
    for (uint32_t s = 0; s < starts; s++) {
        uint32_t a = start[s], now = ++*turn;
        uint64_t count = 0;
        for (uint32_t i = at[a]; i < at[a + 1]; i++) {
            uint32_t b = nbr[i];
            for (uint32_t j = at[b]; j < at[b + 1]; j++) {
                if (b == a && rel[j] == rel[i])
                    continue;
                uint32_t c = nbr[j];
                count += stamp[c] != now;
                stamp[c] = now;
            }
        }
        out[s] = count;
    }
}

KT_CLONES void kt_loop_top(const KtCsr *g, uint32_t start, uint32_t *counter, uint32_t *touched,
                           KtLoopTop *out)
{
    const uint32_t *at = g->out.at, *nbr = g->out.nbr, *rel = g->out.rel;
    uint32_t n = 0;
    for (uint32_t i = at[start]; i < at[start + 1]; i++) {
        uint32_t b = nbr[i];
        for (uint32_t j = at[b]; j < at[b + 1]; j++) {
            if (b == start && rel[j] == rel[i])
                continue;
            uint32_t c = nbr[j];
            if (counter[c]++ == 0)
                touched[n++] = c;
        }
    }
    out->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c = touched[i], count = counter[c], place = out->n;
        counter[c] = 0;
        while (place > 0 && (count > out->count[place - 1] ||
                             (count == out->count[place - 1] && c < out->node[place - 1])))
            place--;
        if (place == KT_LOOP_TOP)
            continue;
        if (out->n < KT_LOOP_TOP)
            out->n++;
        for (uint32_t k = out->n - 1; k > place; k--) {
            out->node[k] = out->node[k - 1];
            out->count[k] = out->count[k - 1];
        }
        out->node[place] = c;
        out->count[place] = count;
    }
}

KtStatus kt_loop_search_open(const KtCsr *g, KtLoopSearch *out)
{
    KtLoopSearch search = {0};
    bool room = true;
    for (int side = 0; side < 2; side++) {
        search.seen[side] = calloc((size_t)g->nodes + 1, sizeof(uint32_t));
        search.frontier[side] = calloc((size_t)g->nodes + 1, sizeof(uint32_t));
        search.next[side] = calloc((size_t)g->nodes + 1, sizeof(uint32_t));
        room = room && search.seen[side] && search.frontier[side] && search.next[side];
    }
    if (!room) {
        kt_loop_search_close(&search);
        return KT_ERR_MEMORY;
    }
    *out = search;
    return KT_OK;
}

void kt_loop_search_close(KtLoopSearch *search)
{
    for (int side = 0; side < 2; side++) {
        free(search->seen[side]);
        free(search->frontier[side]);
        free(search->next[side]);
    }
    *search = (KtLoopSearch){0};
}

int32_t kt_loop_shortest(const KtCsr *g, KtLoopSearch *search, uint32_t a, uint32_t b, int32_t most)
{
    uint32_t now = ++search->turn, n[2] = {1, 1};
    search->frontier[0][0] = a;
    search->frontier[1][0] = b;
    search->seen[0][a] = search->seen[1][b] = now;
    for (int32_t length = 1; length <= most; length++) {
        int side = n[1] < n[0]; /* the smaller frontier takes the step */
        const uint32_t *frontier = search->frontier[side];
        uint32_t *next = search->next[side], *seen = search->seen[side];
        const uint32_t *met = search->seen[!side];
        uint32_t found = 0;
        for (uint32_t i = 0; i < n[side]; i++) {
            uint32_t v = frontier[i];
            const KtCsrSide *way[2] = {&g->out, &g->in};
            for (int w = 0; w < 2; w++) {
                for (uint32_t j = way[w]->at[v]; j < way[w]->at[v + 1]; j++) {
                    uint32_t c = way[w]->nbr[j];
                    if (met[c] == now)
                        return length;
                    if (seen[c] != now) {
                        seen[c] = now;
                        next[found++] = c;
                    }
                }
            }
        }
        if (found == 0)
            return -1;
        search->next[side] = search->frontier[side];
        search->frontier[side] = next;
        n[side] = found;
    }
    return -1;
}

KT_CLONES int64_t kt_loop_scan(const int64_t *x, uint32_t n, int64_t below)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += x[i] < below ? x[i] : 0;
    return sum;
}
