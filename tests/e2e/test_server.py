"""kithd as it is shipped: real statements over KMP, on the memory back end and on disk."""
import os
import random
import subprocess
import threading
import time

from kithd import PROGRAM, SANITIZED, Server, clean_env, error_of, fails, kmp, main
from test_fake_credit import raw_message, until_last

MILLION = "UNWIND range(1, 1000) AS a UNWIND range(1, 1000) AS b RETURN a, b, 'x' + toString(a) AS text"
FOREVER = "UNWIND range(1, 3000) AS a UNWIND range(1, 3000) AS b UNWIND range(1, 3000) AS c RETURN count(*)"
COUNT = "MATCH (n) RETURN count(n)"


def count(c):
    return c.run(COUNT)[1][0][0]


def test_a_graph_is_written_and_read():
    for flags in ((), ("--ephemeral",)):
        with Server(*flags) as s, s.connect() as c:
            ok = c.run("CREATE (:P {name: 'Ada'})-[:KNOWS {since: 1843}]->(:P {name: 'Charles'})")[2]
            assert ok["commit"] > 0 and ok["counters"] == {"nodes_created": 2, "rels_created": 1, "props_set": 3, "labels_added": 2}, ok
            (row,) = c.run("MATCH (a:P {name: $who})-[r]->(b) RETURN a, r, b.name", {"who": "Ada"})[1]
            assert row[0].props == {"name": "Ada"} and row[1].type == "KNOWS" and row[2] == "Charles", row
            e = error_of(c.run, "MATCH (n)\nRETRUN n")
            assert e.name == "UnexpectedSyntax" and e.body["position"]["line"] == 2, e.body
            assert error_of(c.run, "RETURN $nobody").name == "MissingParameter"
            assert "plan" in c.run("EXPLAIN MATCH (n) SET n.x = 1")[2] and c.run("MATCH (n) RETURN count(n.x)")[1] == [[0]]
            assert "plan" in c.run("PROFILE MATCH (n) RETURN count(n)")[2]


def test_a_schema_statement_tells_its_commit_and_what_it_changed():
    index, drop = "CREATE INDEX i IF NOT EXISTS FOR (n:P) ON (n.x)", "DROP INDEX i IF EXISTS"
    unique, gone = "CREATE CONSTRAINT u IF NOT EXISTS FOR (n:P) REQUIRE n.id IS UNIQUE", "DROP CONSTRAINT u IF EXISTS"
    with Server("--ephemeral") as s, s.connect() as c:
        before = c.run("CREATE (:P {id: 1, x: 1})")[2]["commit"]
        for text, counter in ((index, "indexes_added"), (index, None), (unique, "constraints_added"), (unique, None),
                              (drop, "indexes_removed"), (drop, None), (gone, "constraints_removed"), (gone, None)):
            ok = c.run(text)[2]
            assert ok.get("counters", {}) == ({counter: 1} if counter else {}), (text, ok)
            assert ok.get("commit", 0) > before if counter else "commit" not in ok, (text, ok)
            before = ok.get("commit", before)
            assert c.run("RETURN 1", min_commit=before)[1] == [[1]]


def test_what_is_committed_is_there_after_a_stop_and_after_a_kill():
    with Server() as s:
        data = s.data
        with s.connect() as c:
            c.run("CREATE (:A)")
        assert s.stop() == 0
        with Server(data=data) as t:
            with t.connect() as c:
                assert count(c) == 1
                commit = c.run("CREATE (:B)")[2]["commit"]
            t.process.kill()
            t.process.wait()
            with Server(data=data) as u, u.connect() as c:
                assert count(c) == 2 and c.welcome["commit"] >= commit
                assert c.run(COUNT, min_commit=commit)[1] == [[2]]
                assert error_of(c.run, COUNT, min_commit=commit + 1000).name == "DurabilityGap"


def test_ephemeral_leaves_no_file():
    def files():
        return {os.path.join(d, f) for d, _, fs in os.walk(s.folder) for f in fs} - {os.path.join(s.folder, "stderr")}
    with Server("--ephemeral") as s:
        temp = set(os.listdir("/tmp"))
        with s.connect() as c:
            c.run("UNWIND range(1, 1000) AS i CREATE (:P {i: i})")
            assert not files()
        assert s.stop() == 0
        assert not files()
        assert not {n for n in set(os.listdir("/tmp")) - temp if n.startswith("kith") and "test" not in n}


def test_the_stores_own_notes_stay_out_of_the_data_folder():
    with Server() as s:
        s.connect().sock.close()
        assert sorted(os.listdir(s.data)) == ["1"], os.listdir(s.data)
        assert not [n for n in os.listdir(os.path.join(s.data, "1")) if n.startswith("LOG")]
    with Server("--log-store-dir", "notes") as s:
        os.path.isdir(os.path.join(s.folder, "notes"))
        assert any("LOG" in n for n in os.listdir(os.path.join(s.folder, "notes"))), os.listdir(s.folder)


def one_sentence(said):
    assert said.startswith("kithd: ") and said.count("\n") == 1, said
    return said


def test_a_locked_or_foreign_or_read_only_store_is_named():
    door = ("--kmp-listen", "127.0.0.1:0")
    with Server() as s:
        code, said = fails("--data", s.data, *door)
        assert code == 1 and s.data in one_sentence(said) and "another process" in said, said
        s.stop()
        current = os.path.join(s.data, "1", "CURRENT")
        with open(current, "w") as f:
            f.write("nonsense\n")
        code, said = fails("--data", s.data, *door)
        assert code == 1 and s.data in one_sentence(said), said
    with Server() as s:
        s.stop()
        if os.geteuid() == 0:
            for d, _, fs in os.walk(s.folder):
                os.chmod(d, 0o755)
            copy = "/tmp/kithd-readonly-%d" % os.getpid()  # a copy of the program that any user may run
            subprocess.run(["install", "-m", "755", PROGRAM, copy], check=True)
            try:
                done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", copy, "--data", s.data, *door],
                                      capture_output=True, text=True, timeout=20, env=clean_env(), cwd="/tmp")
                assert done.returncode == 1 and s.data in one_sentence(done.stderr) and "right to write" in done.stderr, done.stderr
            finally:
                os.remove(copy)


def test_credit_is_kept_on_real_rows():
    rng = random.Random(11)
    with Server("--ephemeral") as s, s.connect() as c:
        c.run("UNWIND range(1, 300) AS i CREATE (:P {i: i, text: 'a longer text to fill the row'})-[:R]->(:Q)")
        for text, total in (("MATCH p = (:P)-[:R]->(:Q) RETURN p, 1 AS one", 300), ("UNWIND range(1, 3000) AS i RETURN i", 3000),
                            ("MATCH (a:P) MATCH (b:P) WHERE b.i < 10 RETURN a, b.text", 2700),
                            ("MATCH (a:P) SET a.seen = true RETURN a", 300)):
            rows, size = rng.choice((0, 1, 7)), rng.choice((0, 100, 6000))
            run = c.send("RUN", text=text, credit_rows=rows, credit_bytes=size)
            got_rows = got_bytes = parked = 0
            while True:
                kind, flags, of, payload = raw_message(c)
                assert of == run
                if kind == kmp.HEAD:
                    cursor = kmp.parse(kind, payload)["cursor"]
                elif kind == kmp.ROWS:
                    n = len(kmp.parse(kind, payload))
                    got_rows, got_bytes = got_rows + n, got_bytes + (len(payload) if n else 0)
                    assert got_rows <= rows and got_bytes <= size, (text, got_rows, rows, got_bytes, size)
                    if flags & kmp.PARKED:
                        parked += 1
                        more = rng.choice((1, 10, 200)), rng.choice((50, 5100, 40000))
                        rows, size = rows + more[0], size + more[1]
                        c.send("MORE", cursor=cursor, credit_rows=more[0], credit_bytes=more[1])
                else:
                    assert kind == kmp.OK, kmp.parse(kind, payload)
                    break
            assert got_rows == total and parked > 2, (text, got_rows, parked)


def test_a_reader_that_stops_costs_bounded_memory():
    with Server("--ephemeral") as s, s.connect() as warm:
        warm.run("UNWIND range(1, 1000) AS i RETURN i")
        before = s.rss()
        readers = [s.connect() for _ in range(4)]
        for c in readers:
            c.send("RUN", text=MILLION, credit_rows=1 << 40, credit_bytes=1 << 50)
        time.sleep(1.0)
        grown = s.rss() - before
        assert grown < (128 if SANITIZED else 24) << 20, "%d MB more" % (grown >> 20)
        assert warm.run("RETURN 1")[1] == [[1]]
        rows, c = 0, readers[0]
        while True:
            kind, flags, _, body = c.receive()
            rows += len(body) if kind == "ROWS" else 0
            if flags & kmp.LAST:
                break
        assert (kind, rows) == ("OK", 1000000), (kind, rows, body)
        grown = s.rss() - before
        assert grown < (128 if SANITIZED else 24) << 20, "%d MB more" % (grown >> 20)


def test_cancel_deadline_and_memory_each_end_one_query():
    with Server("--ephemeral", "--memory-query", "16m") as s, s.connect() as a, s.connect() as b, s.connect() as c, s.connect() as other:
        run_a, run_b = a.send("RUN", text=FOREVER), b.send("RUN", text=FOREVER, deadline_ms=300)
        run_c = c.send("RUN", text="UNWIND range(1, 2000) AS a UNWIND range(1, 2000) AS b RETURN collect([a, b])")
        start = time.monotonic()
        others = 0
        while time.monotonic() - start < 0.6:
            assert other.run("RETURN 1")[1] == [[1]]
            others += 1
        assert others > 20
        a.cancel(run_a)
        assert error_of(a.wait, run_a).name == "Cancelled"
        e = error_of(b.wait, run_b)
        assert e.name == "Deadline" and e.retryable, e
        e = error_of(c.wait, run_c)
        assert e.name == "Memory" and "limit of 16777216 bytes (setting memory query)" in str(e), e
        assert "memory query" in e.body["hint"], e.body
        for x in (a, b, c):
            assert x.run("RETURN 1")[1] == [[1]]


def test_a_batch_of_long_values_ends_at_its_deadline_and_when_cancelled():
    made = "WITH range(1, 1000000) AS l UNWIND range(1, 2000) AS i "
    with Server("--ephemeral") as s, s.connect() as c:
        c.run("UNWIND range(1, 2000) AS i CREATE (:P {x: 1}), (:Q {y: 1})")
        for what in ("RETURN size([max(l)])", "RETURN size([min(l)])", "RETURN count(DISTINCT l)",
                     "RETURN size(collect(DISTINCT l))", "WITH [l, i % 2] AS k, count(*) AS n RETURN n",
                     "WITH l AS l, i % 2 AS k, count(*) AS n RETURN n", "WITH l, i WHERE [i] IN l RETURN count(*)",
                     "WITH l LIMIT 1 MATCH (a:P), (b:Q) WHERE [l, a.x] = [b.y, 1] RETURN count(*)",
                     "WITH l MATCH (b:Q) WHERE b.y = l RETURN count(*)"):
            start = time.monotonic()
            assert error_of(c.run, made + what, deadline_ms=300).name == "Deadline", what
            assert time.monotonic() - start < 3, what
            run = c.send("RUN", text=made + what)
            time.sleep(0.3)
            start = time.monotonic()
            c.cancel(run)
            assert error_of(c.wait, run).name == "Cancelled"
            assert time.monotonic() - start < 3, what


def hold_up_no_other(c, other, text, params):
    """The statement may end or meet its deadline; meanwhile another client is answered long before that."""
    run = c.send("RUN", text=text, params=params, deadline_ms=1500)
    slowest = 0
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        start = time.monotonic()
        assert other.run("RETURN 1")[1] == [[1]]
        slowest = max(slowest, time.monotonic() - start)
    assert slowest < (1 if SANITIZED else 0.5), (text[:100], slowest)
    try:
        c.wait(run)
    except kmp.KithError as e:
        assert e.name == "Deadline", e


def test_long_values_of_one_client_hold_up_no_other():
    each = " UNWIND range(1, 900) AS i "
    with Server("--ephemeral") as s, s.connect() as c, s.connect() as other:
        c.run("CREATE (:Big {a: $v, b: $v + 'x'})", {"v": "ab" * 3000000})
        for text in ("WITH range(1, 300000) AS l" + each + "WITH l, i WHERE [i] IN l RETURN count(*)",
                     "WITH 'aaaaaaaaaaaaaaaa' AS a " + "WITH a + a AS a " * 20 + "WITH a, a + 'b' AS b UNWIND $ids AS i "
                     "WITH a, CASE WHEN i >= 0 THEN b END AS b WHERE b STARTS WITH a RETURN count(*)",
                     "MATCH (b:Big) UNWIND $ids AS i WITH b, i WHERE b.a CONTAINS 'bb' + toString(i) RETURN count(*)",
                     "MATCH (b:Big) UNWIND $ids AS i WITH b, i WHERE b.b STARTS WITH CASE WHEN i >= 0 THEN b.a END RETURN count(*)",
                     "MATCH (b:Big) UNWIND $ids AS i RETURN sum(size(trim(CASE WHEN i >= 0 THEN b.b END)))"):
            hold_up_no_other(c, other, text, {"ids": list(range(900))})


def test_projections_of_many_properties_end_at_their_deadline_and_hold_up_no_other():
    many = {"k%d" % i: i for i in range(4000)}
    with Server("--ephemeral") as s, s.connect() as c, s.connect() as other:
        for _ in range(10):
            c.run("UNWIND range(1, 6) AS i CREATE (n:Big) SET n = $m", {"m": many})
        entries = ", ".join("a%d: n.k1" % i for i in range(6000))
        for text, params in (("MATCH (n:Big) RETURN n {.*, z: 1}", {}), ("MATCH (n:Big) RETURN count(n {.*, .*, k1: 2})", {}),
                             ("MATCH (n:Big) WHERE n {.*}.k5 < 0 RETURN n", {}), ("MATCH (n:Big) RETURN n {%s}.a7 AS x" % entries, {}),
                             ("UNWIND range(1, 300) AS i WITH $m AS m, i RETURN count(m {.*, z: i})", {"m": many})):
            begin = time.monotonic()
            hold_up_no_other(c, other, text, params)
            assert time.monotonic() - begin < (20 if SANITIZED else 3), text[:100]
        got = c.run("MATCH (n:Big) WITH n LIMIT 1 RETURN n {k9: 'first', .*, z: 1, k3: 'last'} AS m")[1][0][0]
        assert list(got)[0] == "k9" and got == dict(many, z=1, k3="last"), sorted(got.items())[:5]


def test_a_long_map_literal_and_many_parameters_are_ready_at_once():
    with Server("--ephemeral") as s, s.connect() as c, s.connect() as other:
        maps = "RETURN {%s, a5: $x, a1: $x}.a5 AS x" % ",".join("a%d: $x" % i for i in range(40000))
        lists = "RETURN [%s][39999] AS x" % ",".join("$p%d" % i for i in range(40000))
        values = {"p%d" % i: i for i in reversed(range(40000))}
        for text, params, want in ((maps, {"x": 7}, 7), (lists, values, 39999), (lists, values, 39999)):
            start = time.monotonic()
            assert c.run(text, params)[1] == [[want]]
            assert time.monotonic() - start < (8 if SANITIZED else 0.8), (text[:30], time.monotonic() - start)
        del values["p17"]
        e = error_of(c.run, lists, values)
        assert e.name == "MissingParameter" and "$p17" in str(e), e


def test_transactions_see_their_own_and_keep_their_turn():
    with Server("--limits-transaction-idle", "400ms") as s, s.connect() as c, s.connect() as other, s.connect() as third:
        c.ask("BEGIN")
        c.run("CREATE (:A)")
        assert count(c) == 1 and count(other) == 0
        run = other.send("RUN", text="CREATE (:B)", deadline_ms=5000)
        gone = third.send("RUN", text="CREATE (:C)", deadline_ms=100)
        assert error_of(third.wait, gone).name == "Deadline"
        commit = c.ask("COMMIT")["commit"]
        assert other.wait(run)[2]["commit"] == commit + 1
        assert count(c) == 2
        # rolled back
        c.ask("BEGIN")
        c.run("MATCH (n) DETACH DELETE n")
        assert count(c) == 0
        c.ask("ROLLBACK")
        assert count(c) == 2
        # idle: the turn goes on
        c.ask("BEGIN")
        c.run("CREATE (:D)")
        other.run("CREATE (:E)")
        assert error_of(c.run, "CREATE (:F)").name == "TransactionTimedOut"
        c.ask("ROLLBACK")
        assert count(c) == 3
        # failed: undone, only ROLLBACK
        c.ask("BEGIN")
        c.run("CREATE (:G)")
        e = error_of(c.run, "CREATE (:H) WITH 1 AS one RETURN one / 0")
        assert e.name == "DivisionByZero" and e.body["tx_state"] == 2, e
        assert error_of(c.ask, "COMMIT").name == "TransactionFailed"
        c.ask("ROLLBACK")
        assert count(c) == 3
        c.ask("BEGIN", read_only=True)
        assert error_of(c.run, "CREATE (:I)").name == "WriteInReadOnly"
        c.ask("ROLLBACK")


def test_a_constraint_speaks_also_inside_a_transaction():
    with Server("--ephemeral") as s, s.connect() as c:
        c.run("CREATE CONSTRAINT one IF NOT EXISTS FOR (p:P) REQUIRE p.id IS UNIQUE")
        c.run("CREATE (:P {id: 1})")
        alone = error_of(c.run, "CREATE (:P {id: 1})")
        assert alone.name == "Constraint", alone
        c.ask("BEGIN")
        c.run("CREATE (:P {id: 2})")
        inside = error_of(c.run, "CREATE (:P {id: 1})")
        assert inside.name == "Constraint" and "one" in str(inside) and "one" in str(alone), (str(alone), str(inside))
        c.ask("ROLLBACK")
        assert c.run("SHOW CONSTRAINTS")[1] != [] and count(c) == 1
        c.ask("BEGIN")
        assert error_of(c.run, "DROP CONSTRAINT one").name == "TransactionState"
        c.ask("ROLLBACK")


def test_two_cursors_of_one_transaction_read_what_they_began_with():
    with Server("--ephemeral") as s, s.connect() as c:
        c.run("UNWIND range(1, 100) AS i CREATE (:P {i: i})")
        c.ask("BEGIN")
        run = c.send("RUN", text="MATCH (p:P) RETURN p.i", credit_rows=10)
        rows, cursor = 0, None
        while True:
            kind, flags, of, body = c.receive()
            cursor = body["cursor"] if kind == "HEAD" else cursor
            rows += len(body) if kind == "ROWS" else 0
            if flags & kmp.PARKED:
                break
        c.run("UNWIND range(101, 200) AS i CREATE (:P {i: i})")
        assert count(c) == 200
        c.send("MORE", cursor=cursor, credit_rows=1000, credit_bytes=1 << 20)
        while True:
            kind, flags, of, body = c.receive()
            rows += len(body) if kind == "ROWS" else 0
            if of == run and flags & kmp.LAST:
                break
        assert (kind, rows) == ("OK", 100), (kind, rows, body)
        c.ask("COMMIT")


def test_cursors_of_one_transaction_take_turns_on_its_view():
    """Several results of one transaction are made side by side, each in slices, while writes go on between them."""
    with Server("--ephemeral") as s, s.connect() as c:
        c.run("UNWIND range(1, 2000) AS i CREATE (:P {i: i})")
        c.run("MATCH (a:P), (b:P) WHERE b.i = a.i + 1 CREATE (a)-[:R {w: a.i}]->(b)", deadline_ms=60000)
        c.ask("BEGIN")
        text = "MATCH (a:P)-[r:R]->(b) RETURN a.i, r.w, b"
        runs = [c.send("RUN", text=text, credit_rows=1) for _ in range(4)]
        rows, cursors, ended = {r: [] for r in runs}, {}, set()
        wrote = 0
        while len(ended) < len(runs):
            kind, flags, of, body = c.receive()
            if kind == "HEAD" and of in rows:
                cursors[of] = body["cursor"]
            elif kind == "ROWS" and of in rows:
                rows[of] += body
                if flags & kmp.PARKED:
                    c.send("MORE", cursor=cursors[of], credit_rows=300)
                    if wrote < 8:
                        wrote += 1
                        c.send("RUN", text="MATCH (p:P) WHERE p.i > 0 SET p.i = -p.i" if wrote % 2 else
                               "MATCH (p:P) WHERE p.i < 0 SET p.i = -p.i")
            elif flags & kmp.LAST:
                assert kind == "OK", body
                ended |= {of} & set(runs)
        for of in runs:
            assert len(rows[of]) == 1999 and all(a == w and b.props["i"] == a + 1 for a, w, b in rows[of]), rows[of][:3]
        c.ask("ROLLBACK")


def test_waiting_schema_statements_hold_up_nobody():
    with Server("--ephemeral", "--server-workers", "1") as s, s.connect() as holder, s.connect() as reader:
        holder.ask("BEGIN")
        holder.run("CREATE (:P {x: 1})")
        waiting = [s.connect() for _ in range(4)]
        runs = [w.send("RUN", text="CREATE INDEX i%d IF NOT EXISTS FOR (p:P) ON (p.k%d)" % (i, i)) for i, w in enumerate(waiting)]
        time.sleep(0.2)
        assert reader.run("UNWIND range(1, 100000) AS i RETURN sum(i)", deadline_ms=3000)[1] == [[5000050000]]
        holder.run("UNWIND range(1, 1000) AS i CREATE (:P {x: i})")
        assert holder.ask("COMMIT")["commit"] > 0
        for w, run in zip(waiting, runs):
            w.wait(run)
            w.sock.close()
        assert len(reader.run("SHOW INDEXES")[1]) == 4


def test_sigterm_answers_every_request():
    with Server("--server-loops", "2") as s:
        holder, writer, reader, runner, schema = (s.connect() for _ in range(5))
        holder.ask("BEGIN")
        holder.run("CREATE (:A)")
        asked = {writer: writer.send("RUN", text="CREATE (:B)"), reader: reader.send("RUN", text=MILLION, credit_rows=3),
                 runner: runner.send("RUN", text=FOREVER)}
        index = schema.send("RUN", text="CREATE INDEX i FOR (p:P) ON (p.x)")
        time.sleep(0.3)
        s.signal()
        e = error_of(until_last, schema, index)  # told to stop before the holder's turn goes on
        assert e.name == "Unavailable", e
        for c, run in asked.items():
            e = error_of(until_last, c, run)
            assert e.name == "Unavailable" and e.retryable, e
            c.sock.close()
        holder.sock.close()
        assert s.process.wait(10) == 0
        with Server(data=s.data) as t, t.connect() as c:
            assert count(c) == 0 and c.run("SHOW INDEXES")[1] == []


def test_many_clients_move_sums_and_every_read_is_right():
    with Server() as s:
        with s.connect() as c:
            c.run("UNWIND range(1, 10) AS i CREATE (:Account {id: i, sum: 100})")
        wrong, done = [], [0]

        def work(seed):
            rng = random.Random(seed)
            try:
                with s.connect() as c:
                    for _ in range(25):
                        a, b = rng.sample(range(1, 11), 2)
                        if rng.random() < 0.5:
                            total = c.run("MATCH (n:Account) RETURN sum(n.sum)")[1][0][0]
                            if total != 1000:
                                wrong.append(total)
                        else:
                            c.ask("BEGIN")
                            c.run("MATCH (n:Account {id: $a}) SET n.sum = n.sum - 1", {"a": a})
                            c.run("MATCH (n:Account {id: $b}) SET n.sum = n.sum + 1", {"b": b})
                            c.ask("COMMIT")
                        done[0] += 1
            except Exception as e:  # noqa: BLE001
                wrong.append(repr(e))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not wrong and done[0] == 400, wrong[:3]


def test_an_idle_server_is_small():
    if SANITIZED:
        return
    with Server() as s, s.connect() as c:
        c.run("RETURN 1")
        assert s.rss() < 30 << 20, "%d MB" % (s.rss() >> 20)


if __name__ == "__main__":
    main(globals())
