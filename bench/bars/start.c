/* bench/bars/start.c - from the start of kithd's process to its first answer over TCP.
 *
 * The process is cold, the files are as the system's page cache has them. The clock runs from before fork to the last
 * row of the first answer, connecting included. The question to Slashdot names a node by its property, so that the
 * index, the node and its list are all read. */
#include "bench/bars/beside.h"
#include "bench/bars/served.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 5, NEIGHBOURS = 2511 /* of 2494, by the file */ };

#define GRAPH "soc-Slashdot0902.txt.gz"
#define RIVALS "(FalkorDB 0.05 s, Neo4j 6.5 s)"

/* Seconds, negative when the answer is not `right`. */
static double start_once(const Beside *beside, const char *data, const char *text, int64_t right)
{
    Served served;
    int64_t began = kt_clock_ns();
    if (!served_start(beside->kithd, data, -1, &served))
        return -1;
    kith_connection *connection = NULL;
    bool ok = kith_connect(served.uri, NULL, &connection, NULL) == 0 &&
              served_ask_int(connection, text) == right;
    double seconds = (double)(kt_clock_ns() - began) / 1e9;
    kith_close(connection);
    served_stop(&served);
    return ok ? seconds : -1;
}

static double start_median(const Beside *beside, const char *data, const char *text, int64_t right)
{
    double seconds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        seconds[i] = start_once(beside, data, text, right);
        if (seconds[i] < 0)
            return -1;
    }
    return beside_median(seconds, ROUNDS);
}

static void start_empty(const Beside *beside)
{
    char data[BESIDE_PATH];
    if (!beside_folder(beside, "start-empty", data))
        return;
    double made = start_once(beside, data, "RETURN 1", 1);
    double again = made < 0 ? -1 : start_median(beside, data, "MATCH (n) RETURN count(n)", 0);
    if (again < 0)
        (void)printf("beside start, empty store: not measured: kithd gave no right answer\n");
    else
        (void)printf("beside start, empty store: %.3f s to the first answer, %.3f s when the "
                     "store is made by it " RIVALS "\n",
                     again, made);
    beside_remove(data);
}

static void start_slashdot(const Beside *beside)
{
    static const char not_measured[] = "beside start, Slashdot: not measured";
    const char *shared = getenv("KITH_SHARED");
    char folder[BESIDE_PATH], file[BESIDE_PATH], near[BESIDE_PATH + 64], data[BESIDE_PATH + 64];
    if (!shared || !*shared) {
        (void)printf("%s: KITH_SHARED is not set\n", not_measured);
        return;
    }
    (void)snprintf(file, sizeof file, "%s/graphs/" GRAPH, shared);
    if (access(file, R_OK) != 0) {
        (void)printf("%s: %s cannot be read\n", not_measured, file);
        return;
    }
    if (!beside->kith) {
        (void)printf("%s: --kith was not given\n", not_measured);
        return;
    }
    if (!beside_folder(beside, "start-slashdot", folder))
        return;
    (void)snprintf(near, sizeof near, "%s/" GRAPH, folder); /* rejects would stand beside it */
    (void)snprintf(data, sizeof data, "%s/data", folder);
    const char *import[] = {beside->kith, "import", "--data", data,    "--edges", near,
                            "--label",    "Person", "--type", "KNOWS", NULL};
    double seconds = -1;
    if (symlink(file, near) == 0 && served_run(import, false) > 0)
        seconds = start_median(beside, data, "MATCH (n:Person {id: 2494})-[r]->() RETURN count(r)",
                               NEIGHBOURS);
    if (seconds < 0)
        (void)printf("%s: the import or the answer failed\n", not_measured);
    else
        (void)printf("beside start, Slashdot (82,168 nodes, 948,464 edges): %.3f s to the first "
                     "answer " RIVALS "\n",
                     seconds);
    beside_remove(folder);
}

void beside_start(const Beside *beside)
{
    start_empty(beside);
    start_slashdot(beside);
}
