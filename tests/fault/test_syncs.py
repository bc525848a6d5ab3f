"""test_syncs.py KITHD SHIM SHIM_WITHOUT_SYNC - nothing is acknowledged before it is on disk, and a failed sync is said.

SHIM is preloaded into kithd and counts writes, syncs and acknowledgements; SHIM_WITHOUT_SYNC is the planted fault, a kithd
whose syncs do nothing: it must be caught.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
sys.path.insert(0, os.path.join(HERE, "..", "torture"))
from kithd import PROGRAM, Server, error_of, main  # noqa: E402
from torture import counted  # noqa: E402

SHIM, PLANTED = sys.argv[2:4]
del sys.argv[2:4]
WHOLE = "CREATE (a:Whole {n: $n}) CREATE (b:Whole {n: $n}) CREATE (a)-[:HALF {n: $n}]->(b)"


def torture_kill9(shim, cycles):
    return subprocess.run([sys.executable, os.path.join(HERE, "..", "torture", "torture.py"), PROGRAM, "kill9", "--cycles", str(cycles),
                           "--clients", "8", "--shim", shim], capture_output=True, text=True, timeout=200)


def test_no_acknowledgement_leaves_before_its_sync():
    done = torture_kill9(SHIM, 4)
    assert done.returncode == 0 and "each after its sync" in done.stdout, done.stdout + done.stderr
    print(done.stdout, end="")


def test_a_build_without_syncs_is_caught():
    done = torture_kill9(PLANTED, 1)
    assert done.returncode == 1 and "acknowledgements left before a sync" in done.stdout, done.stdout + done.stderr
    print(done.stdout, end="")


def shimmed(folder, data, fail_at=0):
    report = os.path.join(folder, "report-%d" % len(os.listdir(folder)))
    env = {"LD_PRELOAD": os.path.abspath(SHIM), "KITH_SHIM_REPORT": report, "KITH_FAULT_SYNC": str(fail_at)}
    return Server(data=os.path.join(folder, data), env=env), report


def syncs_of_a_start(folder):
    """Syncs of the log that creating a database and its first two commits need."""
    server, report = shimmed(folder, "measure")
    with server, server.connect() as c:
        for n in range(2):
            c.run(WHOLE, {"n": n})
        return counted(report)["syncs"]


def numbers(c):
    """The n of all commits that are there; each must be whole."""
    nodes = c.run("MATCH (a:Whole) RETURN a.n, count(*) ORDER BY a.n")[1]
    halves = c.run("MATCH (a:Whole)-[r:HALF]->(b:Whole) WHERE a.n = r.n AND b.n = r.n RETURN r.n ORDER BY r.n")[1]
    assert nodes == [[n, 2] for n, in halves], (nodes, halves)
    return [n for n, in halves]


def failed_sync(folder, name, fail_at, write, end):
    server, report = shimmed(folder, name, fail_at)
    with server, server.connect() as c, server.connect() as other:
        for n in range(2):
            c.run(WHOLE, {"n": n})
        assert counted(report)["failed_syncs"] == 0
        failed = error_of(write, c)
        assert failed.name == "CommitOutcomeUnknown" and not failed.retryable, failed
        assert counted(report)["failed_syncs"] == 1
        for who in (c, other):
            if who is c and failed.body.get("tx_state"):
                c.ask("ROLLBACK")
            assert numbers(who) == [0, 1]  # reads go on, and see what was acknowledged
            refused = error_of(who.run, WHOLE, {"n": 9})
            assert refused.name == "ReadOnlyLatched" and "restart" in refused.body["hint"], refused.body
        assert error_of(other.run, "CREATE INDEX i FOR (a:Whole) ON (a.n)").name == "ReadOnlyLatched"
        assert counted(report)["breaches"] == 0
        end(server)
    server, _ = shimmed(folder, name)
    with server, server.connect() as c:
        after = numbers(c)
        assert after in ([0, 1], [0, 1, 2]), after
        c.run(WHOLE, {"n": 5})
        assert numbers(c) == after + [5]
    print("failed sync, %s: after a restart the commit is %s" % (name, "whole" if 2 in after else "absent"))


def alone(c):
    c.run(WHOLE, {"n": 2})


def in_transaction(c):
    c.ask("BEGIN")
    c.run(WHOLE, {"n": 2})
    c.ask("COMMIT")


def test_a_failed_sync_closes_the_database_for_writing_and_loses_nothing():
    with tempfile.TemporaryDirectory() as folder:
        fail_at = syncs_of_a_start(folder) + 1
        for what, write in (("statement", alone), ("transaction", in_transaction)):
            for how, end in (("SIGTERM", lambda s: s.stop()), ("SIGKILL", lambda s: s.signal(9))):
                failed_sync(folder, "%s, %s" % (what, how), fail_at, write, end)


if __name__ == "__main__":
    main(globals())
