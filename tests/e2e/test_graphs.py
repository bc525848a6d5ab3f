"""test_graphs.py KITHD KITH - two real social networks: imported, served with default limits, and all their figures asked over KMP.

The figures are those of graphs/README.md in KITH_SHARED: published ones, and breadth-first layers counted by a plain search.
Without KITH_SHARED the test is skipped (77); with it a missing file is a failure.
"""
import gzip
import os
import random
import subprocess
import sys
import tempfile
import time

KITH = os.path.abspath(sys.argv.pop(2))
from kithd import Server, clean_env, main  # noqa: E402

SHARED = os.environ.get("KITH_SHARED")
TRIANGLES = "MATCH (a)--(b)--(c)--(a) WHERE id(a) < id(b) AND id(b) < id(c) RETURN count(*)"
TRIANGLES_ONCE = ("MATCH (a)--(b)--(c)--(a) WHERE id(a) < id(b) AND id(b) < id(c) WITH DISTINCT a, b, c RETURN count(*)")


def server_with(graph, check):
    """Imports `graph` and hands a connection of a server with default limits to `check`."""
    edges = os.path.join(SHARED, "graphs", graph)
    assert os.path.exists(edges), "KITH_SHARED is set and %s is missing" % edges
    with tempfile.TemporaryDirectory(prefix="kith-graphs-") as folder:
        data, near = os.path.join(folder, "data"), os.path.join(folder, graph)
        os.symlink(edges, near)  # rejects would stand beside it
        begin = time.monotonic()
        done = subprocess.run([KITH, "import", "--data", data, "--edges", near, "--label", "Person", "--type", "KNOWS"],
                              capture_output=True, text=True, env=clean_env(), timeout=120)
        assert done.returncode == 0, done.stderr
        print("  import %.2f s: %s" % (time.monotonic() - begin, done.stdout.strip()))
        with Server(data=data) as s, s.connect(timeout=90) as c:
            check(c)


def one(c, text, **params):
    begin = time.monotonic()
    rows = c.run(text, params)[1]
    assert len(rows) == 1 and len(rows[0]) == 1, rows
    took = time.monotonic() - begin
    print("  %6.2f s  %s  %s%s" % (took, rows[0][0], text, "  %s" % params if params else ""), flush=True)
    return rows[0][0]


def layers(c, start, arrow, deepest=8):
    reached = [one(c, "MATCH (s:Person {id: $s})-[:KNOWS*1..%d]-%s(x) WHERE x <> s RETURN count(DISTINCT x)" % (k, arrow), s=start)
               for k in range(1, deepest + 1)]
    steps = [b - a for a, b in zip([0] + reached, reached)]
    while steps and steps[-1] == 0:
        steps.pop()
    return steps


def out_lists(graph):
    """The neighbours along the edge of every node that has any; no edge of the file stands there twice."""
    out = {}
    with gzip.open(os.path.join(SHARED, "graphs", graph), "rt") as file:
        for line in file:
            if not line.startswith("#"):
                a, b = map(int, line.split())
                out.setdefault(a, []).append(b)
    return out


def trails_of_three(out, s):
    """Trails s->b->c->d of pairwise different relationships. A relationship is its ends here, so of those that leave c the
    first is taken (s, b) if s is c, the second (b, c) if b is c: the last step is counted, not walked."""
    count = 0
    for b in out.get(s, ()):
        for c in out.get(b, ()):
            if (b, c) != (s, b):
                count += len(out.get(c, ())) - (s == c) - (b == c)
    return count


def trails_one_by_one(out, s):
    """The same with every trail walked."""
    return sum(1 for b in out.get(s, ()) for c in out.get(b, ()) for d in out.get(c, ())
               if len({(s, b), (b, c), (c, d)}) == 3)


THREE_HOPS = ("MATCH (a)-[r]->(b)-[q]->(c)-[p]->(d) WHERE id(a) = $s RETURN count(*)",
              "UNWIND $starts AS s MATCH (a:Person)-->()-->()-->() WHERE id(a) = s RETURN count(*)")


def three_hops(c, graph, starts=100, walked_most=200000):
    """Counting by degree, one start a statement and all in one as the bar asks it, equals counting by hand."""
    assert one(c, "MATCH (n) WHERE id(n) <> n.id RETURN count(n)") == 0  # ids are the file's numbers
    out = out_lists(graph)
    assert sum(map(len, out.values())) == len({(a, b) for a in out for b in out[a]})
    for text in THREE_HOPS:
        plan = c.run("EXPLAIN " + text, {"s": 0, "starts": [0]})[2]["plan"]
        assert "ExpandDegree" in plan, plan
    begin = time.monotonic()
    chosen = random.Random(20261126).sample(sorted(out), starts) + [max(out, key=lambda a: len(out[a]))]
    total = walked = loops = 0
    for s in chosen:
        right = trails_of_three(out, s)
        if right <= walked_most:
            assert trails_one_by_one(out, s) == right, s
            walked += 1
        got = c.run(THREE_HOPS[0], {"s": s})[1]
        assert got == [[right]], "start %d: %s, by hand %d" % (s, got, right)
        total += right
        loops += s in out[s]
    assert c.run(THREE_HOPS[1], {"starts": chosen})[1] == [[total]]
    assert walked >= starts // 4 and loops, "too few starts with short walks (%d) or self-loops (%d)" % (walked, loops)
    print("  %6.2f s  %d starts, %d with a self-loop, %d walked trail by trail: %d trails of three" %
          (time.monotonic() - begin, len(chosen), loops, walked, total), flush=True)


def test_facebook():
    def check(c):
        assert one(c, "MATCH (n) RETURN count(n)") == 4039
        assert one(c, "MATCH ()-[r]->() RETURN count(r)") == 88234
        assert one(c, "MATCH (a)-[r]-(b) RETURN count(r)") == 2 * 88234
        assert one(c, TRIANGLES) == 1612010
        assert one(c, "MATCH (n:Person {id: 107})-[r]-() RETURN count(r)") == 1045
        assert layers(c, 0, "") == [347, 1171, 1742, 519, 117, 142]
        assert layers(c, 107, "") == [1045, 1641, 1093, 117, 142]
        assert layers(c, 0, ">") == [347, 1171, 1740, 515, 55]
    server_with("facebook_combined.txt.gz", check)


def test_slashdot():
    def check(c):
        assert one(c, "MATCH (n) RETURN count(n)") == 82168
        assert one(c, "MATCH ()-[r]->() RETURN count(r)") == 948464
        assert one(c, "MATCH (a)-[r]->(a) RETURN count(r)") == 78303
        assert one(c, "MATCH (a)-[r]-(b) RETURN count(r)") == 1818625  # a self-loop is one row
        assert one(c, "MATCH (a)-[r]-(b) WHERE id(a) < id(b) WITH DISTINCT a, b RETURN count(*)") == 504230
        assert one(c, "MATCH (n:Person {id: 2494})-[r]->() RETURN count(r)") == 2511
        assert one(c, "MATCH (n:Person {id: 2494})<-[r]-() RETURN count(r)") == 2553
        assert layers(c, 0, "") == [245, 12086, 51563, 16763, 1401, 105, 3, 1]
        assert layers(c, 2494, "") == [2552, 28164, 44050, 6795, 553, 49, 3, 1]
        assert layers(c, 0, ">") == [215, 10780, 49165, 20021, 1816, 163, 6, 1]
        assert layers(c, 2494, ">") == [2510, 27165, 44009, 7757, 662, 60, 3, 1]
        assert one(c, TRIANGLES_ONCE) == 602592
        three_hops(c, "soc-Slashdot0902.txt.gz")
    server_with("soc-Slashdot0902.txt.gz", check)


if __name__ == "__main__":
    if not SHARED:
        print("SKIP: KITH_SHARED is not set: there are no graphs to import")
        sys.exit(77)
    main(globals())
