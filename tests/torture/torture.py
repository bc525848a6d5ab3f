#!/usr/bin/env python3
"""torture.py KITHD kill9|turns|clients [--cycles N] [--clients N] [--seconds S] [--seed N] [--shim PATH]

Does Kith keep what it acknowledged? Each run prints its seed and its counts, then `torture NAME: ok`, and exits 1 on
any breach. Only a real kithd over real sockets is asked; what must be true is kept here, in a plain model.
"""
import argparse
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import kithd  # noqa: E402
from kithd import Server, error_of, eventually, kmp  # noqa: E402


class Breach(Exception):
    """Something that must never be was seen."""


def need(true, what, *facts):
    if not true:
        raise Breach(what % facts if facts else what)


# ---- kill9 ----

ADD = ("MATCH (c:Client {id: $c}) CREATE (w:Work {client: $c, seq: $s, uid: $u})-[:OF {seq: $s}]->(c) "
       "SET c.last = $s, c.sum = c.sum + $s")
# The same in a transaction of two statements: half of the clients add so.
HALVES = ("MATCH (c:Client {id: $c}) CREATE (w:Work {client: $c, seq: $s, uid: $u}) SET c.last = $s",
          "MATCH (c:Client {id: $c}), (w:Work) WHERE w.uid = $u CREATE (w)-[:OF {seq: $s}]->(c) SET c.sum = c.sum + $s")


class Model:
    """What each client was told is durable, and what it asked for without an answer."""

    def __init__(self, clients):
        self.acked = [0] * clients   # highest sequence number acknowledged; all below it too
        self.asked = [0] * clients   # highest asked for
        self.commits = 0
        self.seeks = {}              # by index: restarts after which it was there and asked for every value
        self.lock = threading.Lock()


def writer(server, model, c, stop):
    """Adds one after the other until the server is gone."""
    try:
        with server.connect() as conn:
            while not stop.is_set():
                s = model.asked[c] = model.acked[c] + 1
                values = {"c": c, "s": s, "u": c * 1000000 + s}
                if c % 2:
                    conn.ask("BEGIN")
                    for half in HALVES:
                        conn.run(half, values)
                    conn.ask("COMMIT")
                else:
                    conn.run(ADD, values)
                model.acked[c] = s
                with model.lock:
                    model.commits += 1
    except (OSError, ConnectionError):
        return
    except kmp.KithError as e:
        if e.name not in ("Unavailable", "CommitOutcomeUnknown"):
            raise


def schema_client(server, rng, stop):
    """Makes and drops an index and a unique constraint, as fast as it can."""
    texts = ["CREATE INDEX work_seq IF NOT EXISTS FOR (w:Work) ON (w.seq)", "DROP INDEX work_seq IF EXISTS",
             "CREATE CONSTRAINT work_uid IF NOT EXISTS FOR (w:Work) REQUIRE w.uid IS UNIQUE",
             "DROP CONSTRAINT work_uid IF EXISTS"]
    try:
        with server.connect() as conn:
            while not stop.is_set():
                conn.run(rng.choice(texts))
    except (OSError, ConnectionError):
        return
    except kmp.KithError as e:
        if e.name not in ("Unavailable", "CommitOutcomeUnknown"):
            raise


def verify(conn, model):
    """The store against the model: nothing acknowledged is lost, nothing is half there, seeks equal scans."""
    clients = conn.run("MATCH (c:Client) RETURN c.id, c.last, c.sum ORDER BY c.id")[1]
    need(len(clients) == len(model.acked), "%d clients are there, %d were made", len(clients), len(model.acked))
    work = conn.run("MATCH (w:Work)-[o:OF]->(c:Client) RETURN c.id, w.client, w.seq, o.seq, w.uid")[1]
    nodes = conn.run("MATCH (w:Work) RETURN count(w)")[1][0][0]
    need(nodes == len(work), "%d nodes and %d whole works: a half transaction", nodes, len(work))
    there = [set() for _ in clients]
    for c, client, seq, of, uid in work:
        need(c == client and seq == of and uid == c * 1000000 + seq, "a work is mixed up: %s", (c, client, seq, of, uid))
        need(seq not in there[c], "work %d of client %d is there twice", seq, c)
        there[c].add(seq)
    for c, last, total in clients:
        acked, asked = model.acked[c], model.asked[c]
        need(last in (acked, asked), "client %d: %d is the last, %d was acknowledged and %d asked", c, last, acked, asked)
        need(there[c] == set(range(1, last + 1)), "client %d: works are missing below %d", c, last)
        need(total == last * (last + 1) // 2, "client %d: the sum is %d, not that of 1 to %d", c, total, last)
        model.acked[c] = model.asked[c] = last  # what was open is decided now
    indexes = {row[0]: row[1] for row in conn.run("SHOW INDEXES")[1]}
    need("client_id" in indexes, "the constraint of the clients is gone: %s", indexes)
    need(all(state == "ONLINE" for state in indexes.values()), "an index is left half built: %s", indexes)
    for index, seek, value in (("work_seq", "MATCH (w:Work {seq: x}) WITH w, x", 2), ("work_uid", "MATCH (w:Work {uid: x}) WITH w, x", 4)):
        if index not in indexes or not work:
            continue
        text = "UNWIND $xs AS x %s RETURN x, count(w), sum(w.uid) ORDER BY x" % seek
        values = sorted({row[value] for row in work})
        need("SeekIndex w by index %s" % index in conn.run("EXPLAIN " + text, {"xs": values})[2]["plan"], "%s is not used", index)
        by_scan = {x: [x, 0, 0] for x in values}
        for row in work:
            by_scan[row[value]][1] += 1
            by_scan[row[value]][2] += row[4]
        need(conn.run(text, {"xs": values})[1] == [by_scan[x] for x in values], "seeks by %s differ from the scan", index)
        need(index != "work_uid" or all(n == 1 for _, n, _ in by_scan.values()), "a unique value is there twice")
        model.seeks[index] = model.seeks.get(index, 0) + 1


COUNTS = "log_writes syncs written synced acknowledged breaches first_breach failed_syncs unread".split()


def counted(path):
    """What the shim of tests/fault counted, by name."""
    with open(path, "rb") as f:
        return dict(zip(COUNTS, struct.unpack("=%dQ" % len(COUNTS), f.read())))


def check_counts(path, commits, kills):
    """No acknowledgement left before its sync, and the shim saw them all."""
    seen = counted(path)
    need(seen["breaches"] == 0, "%d of %d acknowledgements left before a sync, the first of commit %d", seen["breaches"],
         seen["acknowledged"], seen["first_breach"])
    need(seen["unread"] == 0, "the shim could not read %d frames or log records", seen["unread"])
    # Counted when it has left: one may leave just before each kill.
    need(seen["acknowledged"] + kills >= commits, "the shim saw %d acknowledgements of %d", seen["acknowledged"], commits)
    need(seen["synced"] >= seen["acknowledged"], "%d acknowledged, %d synced", seen["acknowledged"], seen["synced"])
    print("kill9: shim: %d commits written, %d syncs, %d acknowledgements, each after its sync" %
          (seen["written"], seen["syncs"], seen["acknowledged"]))


def killed_at_birth(rng, folder, times):
    """Kills while the first start makes the database: what is left must open."""
    for n in range(times):
        data = os.path.join(folder, "birth-%d" % n)
        first = subprocess.Popen([kithd.PROGRAM, "--data", data, "--kmp-listen", "127.0.0.1:0"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=kithd.clean_env())
        time.sleep(rng.uniform(0.002, 0.12))
        first.kill()
        first.wait()
        with Server(data=data) as server, server.connect() as conn:
            conn.run("CREATE (:P)")
            need(conn.run("MATCH (n) RETURN count(n)")[1] == [[1]], "a database killed at birth holds something")
        shutil.rmtree(data)
    print("kill9: %d databases killed at birth, each opened" % times)


def kill9(options):
    rng = random.Random(options.seed)
    folder = tempfile.mkdtemp(prefix="kith-torture-")
    data = os.path.join(folder, "data")
    report = os.path.join(folder, "shim")
    env = {"LD_PRELOAD": os.path.abspath(options.shim), "KITH_SHIM_REPORT": report} if options.shim else None
    model = Model(options.clients)
    try:
        killed_at_birth(rng, folder, min(options.cycles, 30))
        with Server(data=data, env=env) as server, server.connect() as conn:
            for c in range(options.clients):
                conn.run("CREATE (:Client {id: $c, last: 0, sum: 0})", {"c": c})
            conn.run("CREATE CONSTRAINT client_id IF NOT EXISTS FOR (c:Client) REQUIRE c.id IS UNIQUE")
            server.signal(9)
            server.process.wait()
        for cycle in range(options.cycles):
            # Every other time with memory tables so small that they become files, and the log another, all the while.
            small = ("--memory-memtables", "256k") if cycle % 2 else ()
            server = Server(*small, data=data, env=env)
            with server, server.connect() as conn:
                verify(conn, model)
                stop = threading.Event()
                failed = []

                def guard(work, *args):
                    try:
                        work(*args)
                    except Exception as e:  # said below, with the cycle
                        failed.append(e)

                threads = [threading.Thread(target=guard, args=(writer, server, model, c, stop)) for c in range(options.clients)]
                threads.append(threading.Thread(target=guard, args=(schema_client, server, rng, stop)))
                for t in threads:
                    t.start()
                time.sleep(rng.uniform(0.05, 0.4))
                server.signal(9)
                server.process.wait()
                stop.set()
                for t in threads:
                    t.join()
                need(not failed, "cycle %d: a client failed: %r", cycle, failed[:1])
        with Server(data=data, env=env) as server, server.connect() as conn:
            verify(conn, model)
        if options.shim:
            check_counts(report, model.commits, options.cycles)
        print("kill9: after %s every seek equalled the scan" %
              (", ".join("%d restarts with %s" % (n, index) for index, n in sorted(model.seeks.items())) or "no restart"))
        need(options.cycles < 20 or len(model.seeks) == 2, "an index was never there after a restart")
        print("kill9: %d cycles, %d acknowledged commits, 0 lost" % (options.cycles, model.commits))
        need(model.commits >= options.cycles, "too little was written to show anything")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---- turns ----

def turns(options):
    with Server("--limits-transaction-idle", "400ms", "--limits-transaction-write", "900ms", "--server-workers", "2") as s:
        with s.connect() as c, s.connect() as other:
            c.run("CREATE (:N {v: 0})")

            c.ask("BEGIN")
            c.run("MATCH (n:N) SET n.v = 1")
            began = time.monotonic()
            other.run("MATCH (n:N) SET n.v = n.v + 10")
            need(0.2 < time.monotonic() - began < 3, "an idle holder kept its turn")
            need(error_of(c.run, "RETURN 1").name == "TransactionTimedOut", "the idle one was not told")
            c.ask("ROLLBACK")
            need(other.run("MATCH (n:N) RETURN n.v")[1] == [[10]], "an idle transaction left something")

            c.ask("BEGIN")
            began = time.monotonic()
            waiting = threading.Thread(target=lambda: other.run("MATCH (n:N) SET n.v = n.v + 10"))
            waiting.start()
            told = None
            while time.monotonic() - began < 5 and told is None:
                try:
                    c.run("MATCH (n:N) SET n.v = n.v + 1")
                    time.sleep(0.05)
                except kmp.KithError as e:
                    told = e
            need(told is not None and told.name == "TransactionTimedOut", "an overlong transaction went on: %s", told)
            waiting.join()
            c.ask("ROLLBACK")
            need(other.run("MATCH (n:N) RETURN n.v")[1] == [[20]], "an overlong transaction left something")

            dead = s.connect()
            dead.ask("BEGIN")
            dead.run("MATCH (n:N) SET n.v = 1000")
            dead.sock.close()
            other.run("MATCH (n:N) SET n.v = n.v + 10", deadline_ms=3000)
            need(other.run("MATCH (n:N) RETURN n.v")[1] == [[30]], "a dead client's transaction left something")

    with Server("--server-workers", "2") as s:
        with s.connect() as holder, s.connect() as reader, s.connect() as c:
            holder.run("CREATE (:N {v: 0})")
            holder.ask("BEGIN")
            holder.run("MATCH (n:N) SET n.v = 1")
            writers = [s.connect() for _ in range(8)]
            sent = [w.send("RUN", text="MATCH (n:N) SET n.v = n.v + 1", credit_rows=1, credit_bytes=1024) for w in writers]
            cancelled = c.send("RUN", text="MATCH (n:N) SET n.v = 5000", credit_rows=1, credit_bytes=1024)
            late = s.connect()
            timed = late.send("RUN", text="MATCH (n:N) SET n.v = 6000", deadline_ms=150, credit_rows=1, credit_bytes=1024)
            began = time.monotonic()
            for _ in range(20):
                need(reader.run("MATCH (n:N) RETURN n.v")[1] == [[0]], "a reader saw what is not committed")
            holder.run("MATCH (n:N) SET n.v = n.v + 1")
            need(time.monotonic() - began < 2, "waiting writers held up a reader or the holder")
            c.cancel(cancelled)
            need(error_of(c.wait, cancelled).name == "Cancelled", "a waiting writer was not cancelled")
            need(error_of(late.wait, timed).name == "Deadline", "a waiting writer did not time out")
            holder.ask("COMMIT")
            for w, request in zip(writers, sent):
                w.wait(request)
            need(reader.run("MATCH (n:N) RETURN n.v")[1] == [[10]], "cancelled or late writers wrote, or one was lost")
            for w in writers + [late]:
                w.sock.close()
    print("turns: idle, overlong and dead holders handed on; 8 waiting writers on 2 workers held up nobody")


# ---- clients ----

def clients(options):
    """Transfers among accounts and reads of the sum, from many connections at once."""
    accounts, money = 100, 1000
    counts = {"reads": 0, "transfers": 0, "timeouts": 0}
    lock = threading.Lock()
    failed = []
    with Server() as s:
        with s.connect() as c:
            c.run("UNWIND range(0, $n - 1) AS i CREATE (:Account {id: i, v: $m})", {"n": accounts, "m": money})
            c.run("CREATE CONSTRAINT account_id FOR (a:Account) REQUIRE a.id IS UNIQUE")
        end = time.monotonic() + options.seconds

        def client(number):
            rng = random.Random(options.seed + number)
            mine = {"reads": 0, "transfers": 0, "timeouts": 0}
            try:
                with s.connect(timeout=90) as c:
                    while time.monotonic() < end:
                        try:
                            if rng.random() < 0.85:
                                tag = rng.getrandbits(48)
                                rows = c.run("MATCH (a:Account) RETURN sum(a.v), count(a), $t", {"t": tag})[1]
                                need(rows == [[accounts * money, accounts, tag]], "a read gave %s for tag %d", rows, tag)
                                mine["reads"] += 1
                            else:
                                a, b = rng.sample(range(accounts), 2)
                                c.run("MATCH (a:Account {id: $a}), (b:Account {id: $b}) SET a.v = a.v - 1, b.v = b.v + 1",
                                      {"a": a, "b": b})
                                mine["transfers"] += 1
                        except kmp.KithError as e:
                            if e.name not in ("Deadline", "TransactionTimedOut"):
                                raise
                            mine["timeouts"] += 1
            except Exception as e:
                failed.append(e)
            with lock:
                for k in counts:
                    counts[k] += mine[k]

        threads = [threading.Thread(target=client, args=(i,)) for i in range(options.clients)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        need(not failed, "%d clients failed: %r", len(failed), failed[:1])
        with s.connect() as c:
            need(c.run("MATCH (a:Account) RETURN sum(a.v)")[1] == [[accounts * money]], "the sum at the end is wrong")
    print("clients: %d, %d reads, %d transfers, %d time-outs in %d s" %
          (options.clients, counts["reads"], counts["transfers"], counts["timeouts"], options.seconds))
    done = counts["reads"] + counts["transfers"]
    need(counts["timeouts"] * 100 <= done, "more than 1 %% timed out")
    need(counts["reads"] >= 10000 * options.seconds / 60 and counts["transfers"] >= 1000 * options.seconds / 60,
         "too little was done: 10,000 reads and 1,000 transfers a minute are the least")


def main():
    p = argparse.ArgumentParser(prog="torture", description=__doc__.splitlines()[0])
    p.add_argument("kithd")
    p.add_argument("name", choices=["kill9", "turns", "clients"])
    p.add_argument("--cycles", type=int, default=50)
    p.add_argument("--clients", type=int, default=0)
    p.add_argument("--seconds", type=int, default=60)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--shim", help="kill9: a shared library of tests/fault, preloaded into kithd")
    options = p.parse_args()
    options.clients = options.clients or {"kill9": 8, "clients": 200}.get(options.name, 0)
    options.seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    print("torture %s: seed %d" % (options.name, options.seed), flush=True)
    try:
        {"kill9": kill9, "turns": turns, "clients": clients}[options.name](options)
    except Breach as e:
        print("torture %s: BREACH: %s" % (options.name, e))
        return 1
    print("torture %s: ok" % options.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
