"""Credit counted at the socket, slow readers, cancel, deadlines, memory: over the engine of words."""
import random
import socket
import struct
import threading
import time

from kithd import SANITIZED, Server, error_of, eventually, kmp, main


def raw_message(c):
    """(type, flags, request, payload bytes) of the next message, and its payload's length."""
    length, kind, flags, _, request, _ = struct.unpack(">IBBHII", c._exactly(16))
    return kind, flags, request, c._exactly(length)


def test_never_more_than_credit_in_rows_and_bytes():
    rng = random.Random(4)
    with Server("--ephemeral") as s, s.connect() as c:
        for text, total in (("ROWS 3000 0", 3000), ("ROWS 3000 50", 3000), ("ROWS 200 5000", 200), ("WRITE 2000 30", 2000)):
            rows, size = rng.choice((0, 1, 7)), rng.choice((0, 100, 6000))
            run = c.send("RUN", text=text, credit_rows=rows, credit_bytes=size)
            got_rows = got_bytes = parked = 0
            cursor = None
            while True:
                kind, flags, of, payload = raw_message(c)
                assert of == run
                if kind == kmp.HEAD:
                    cursor = kmp.parse(kind, payload)["cursor"]
                elif kind == kmp.ROWS:
                    n = len(kmp.parse(kind, payload))
                    got_rows += n
                    got_bytes += len(payload) if n else 0
                    assert got_rows <= rows and got_bytes <= size, (text, got_rows, rows, got_bytes, size)
                    if flags & kmp.PARKED:
                        parked += 1
                        more_rows, more_size = rng.choice((1, 10, 200)), rng.choice((50, 5100, 40000))
                        rows, size = rows + more_rows, size + more_size
                        c.send("MORE", cursor=cursor, credit_rows=more_rows, credit_bytes=more_size)
                else:
                    assert kind == kmp.OK, kmp.parse(kind, payload)
                    break
            assert got_rows == total and parked > 2, (text, got_rows, parked)


def test_a_result_as_long_as_its_credit_ends_without_more():
    with Server("--ephemeral") as s, s.connect() as c:
        c.send("RUN", text="ROWS 10", credit_rows=10)
        got = [c.receive() for _ in range(3)]
        assert [g[0] for g in got] == ["HEAD", "ROWS", "OK"] and not got[1][1] & kmp.PARKED


def test_credit_given_ahead_is_used_without_a_stop():
    with Server("--ephemeral") as s, s.connect() as c:
        run = c.send("RUN", text="ROWS 5000", credit_rows=10)
        cursor = c.receive()[3]["cursor"]
        c.send("MORE", cursor=cursor, credit_rows=1 << 62, credit_bytes=(1 << 64) - 1)
        c.send("MORE", cursor=cursor, credit_rows=(1 << 64) - 1, credit_bytes=1 << 62)
        rows = 0
        while True:
            kind, flags, _, body = c.receive()
            rows += len(body) if kind == "ROWS" else 0
            if flags & kmp.LAST:
                break
        assert rows == 5000 and kind == "OK"


def test_a_reader_that_stops_costs_bounded_memory():
    with Server("--ephemeral") as s, s.connect() as warm:
        warm.run("ROWS 1000 100")
        before = s.rss()
        readers = [s.connect() for _ in range(4)]
        for c in readers:
            c.send("RUN", text="ROWS 1000000 100", credit_rows=1 << 40, credit_bytes=1 << 50)
        time.sleep(1.0)
        grown = s.rss() - before
        assert grown < (64 if SANITIZED else 16) << 20, "%d MB more" % (grown >> 20)  # ASan keeps what was freed
        assert warm.run("RETURN 1")[1] == [[1]]
        # and who reads on gets the rest
        for c in readers[1:]:
            c.sock.close()
        c, rows = readers[0], 0
        while rows < 50000:
            kind, flags, _, body = c.receive()
            rows += len(body) if kind == "ROWS" else 0
        c.sock.close()


def test_held_rows_are_within_the_query_limit():
    with Server("--ephemeral", "--memory-query", "8m", "--memory-queries", "64m") as s, s.connect() as c:
        e = error_of(c.run, "WRITE 1000000 100")
        assert e.name == "Memory" and "commit" in str(e), e
        assert c.run("COUNT")[1] == [[0]]
        columns, rows, ok = c.run("WRITE 20000 100", rows=100)
        assert len(rows) == 20000 and ok["commit"] == 1 and ok["counters"] == {"nodes_created": 1}, ok


def test_a_query_over_its_memory_ends_alone():
    with Server("--ephemeral", "--memory-query", "8m") as s, s.connect() as c, s.connect() as other:
        request = other.send("RUN", text="SLEEP 300")
        for _ in range(3):
            e = error_of(c.run, "EAT")
            assert e.name == "Memory" and "limit of 8388608 bytes (setting memory query)" in str(e), e
        assert other.wait(request)[1] == [[1]]
        big = "x" * (12 << 20)
        assert error_of(c.run, "RETURN 1", {"p": big}).name == "Memory"
        assert c.run("RETURN 1")[1] == [[1]]


def test_a_memory_error_names_the_limit_that_was_hit():
    with Server("--ephemeral", "--memory-query", "12m", "--memory-queries", "16m") as s, s.connect() as c, s.connect() as big:
        assert "12582912 bytes (setting memory query)" in str(error_of(c.run, "EAT"))
        run = big.send("RUN", text="WRITE 70000 100", credit_rows=1)  # its rows wait in memory
        while not big.receive()[1] & kmp.PARKED:
            pass
        e = error_of(c.run, "EAT")
        assert "16777216 bytes (setting memory queries)" in str(e) and "memory queries" in e.body["hint"], e
        e = error_of(c.run, "RETURN 1", {"p": "x" * (12 << 20)})
        assert "memory query)" in str(e), e
        big.cancel(run)
        assert c.run("RETURN 1")[1] == [[1]]


def parked(c, text="ROWS 10", **more):
    """A cursor that has parked: (request, cursor)."""
    run = c.send("RUN", text=text, credit_rows=1, **more)
    while True:
        kind, flags, of, body = c.receive()
        assert of == run and kind in ("HEAD", "ROWS"), body
        if kind == "HEAD":
            cursor = body["cursor"]
        if flags & kmp.PARKED:
            return run, cursor


def test_open_cursors_of_a_connection_are_limited():
    with Server("--ephemeral", "--limits-cursors", "3") as s, s.connect() as c, s.connect() as other:
        open_ = [parked(c) for _ in range(3)]
        for _ in range(2):
            e = error_of(c.run, "RETURN 1")
            assert e.name == "TooManyCursors" and "limits cursors allows 3" in str(e) and "CLOSE" in e.body["hint"], e.body
        parked(other)
        c.ask("CLOSE", cursor=open_[0][1])
        assert c.run("RETURN 1")[1] == [[1]]
        c.ask("RESET")
        # in a transaction it fails like any other RUN: what was sent behind it does not commit
        c.ask("BEGIN")
        c.run("WRITE 1")
        for _ in range(3):
            parked(c)
        refused, commit = c.send("RUN", text="WRITE 1"), c.send("COMMIT")
        seen = {}
        while commit not in seen:
            kind, flags, of, body = c.receive()
            if flags & kmp.LAST:
                seen[of] = (kind, body)
        assert seen[refused][1]["name"] == "TooManyCursors" and seen[refused][1]["tx_state"] == 2, seen
        assert seen[commit][0] == "ERROR" and seen[commit][1]["name"] == "TransactionFailed", seen
        c.ask("ROLLBACK")
        assert c.run("COUNT")[1] == [[0]]


def test_a_long_read_parks_at_its_pauses_when_the_database_asks_for_it():
    with Server("--ephemeral") as s, s.connect() as c:
        assert c.run("PARKS 100 0")[1] == [[0]]
        assert c.run("PARKS 100 1")[1][0][0] > 5


def test_cancel_from_a_second_connection_and_on_the_first():
    with Server("--ephemeral") as s, s.connect() as c, s.connect() as other:
        other_run = other.send("RUN", text="SLEEP 500")
        run = c.send("RUN", text="SPIN")
        threading.Timer(0.1, c.cancel, (run,)).start()
        start = time.monotonic()
        e = error_of(c.wait, run)
        assert e.name == "Cancelled" and time.monotonic() - start < 5, e
        run, cancel = c.send("RUN", text="SPIN"), c.send("CANCEL")
        got = sorted((c.receive(), c.receive(), c.receive()), key=lambda m: m[2])
        names = [(m[0], m[2]) for m in got if m[1] & kmp.LAST]
        assert names == [("ERROR", run), ("OK", cancel)], names
        assert other.wait(other_run)[1] == [[1]]
        # a wrong key does nothing
        run = c.send("RUN", text="SLEEP 300")
        with s.connect(hello=False) as third:
            third.ask("CANCEL", session=c.welcome["session"], cancel_key=b"\0" * 32)
        assert c.wait(run)[1] == [[1]]


def test_cancel_of_one_that_waits_in_the_lane():
    with Server("--ephemeral") as s, s.connect() as c:
        first, second, third = c.send("RUN", text="SLEEP 200"), c.send("RUN", text="RETURN 2"), c.send("RUN", text="RETURN 3")
        c.send("CANCEL", request=second)
        ends = {}
        while len(ends) < 3:
            kind, flags, of, body = c.receive()
            if flags & kmp.LAST and of in (first, second, third):
                ends[of] = body.get("name", "ok")
        assert ends == {first: "ok", second: "Cancelled", third: "ok"} and list(ends) == [first, second, third], ends


def test_deadlines_end_one_query():
    with Server("--ephemeral", "--limits-query-timeout", "600ms") as s, s.connect() as c, s.connect() as other:
        run = other.send("RUN", text="SLEEP 400")
        start = time.monotonic()
        e = error_of(c.run, "SPIN", deadline_ms=100)
        assert e.name == "Deadline" and e.retryable and 0.09 < time.monotonic() - start < 0.55, e
        assert other.wait(run)[1] == [[1]]
        start = time.monotonic()
        assert error_of(c.run, "SPIN").name == "Deadline" and 0.55 < time.monotonic() - start < 6
        assert error_of(c.run, "SPIN", deadline_ms=60000).name == "Deadline"
        # a cursor that is parked too
        run = c.send("RUN", text="ROWS 1000", credit_rows=1, deadline_ms=200)
        assert error_of(until_last, c, run).name == "Deadline"


def until_last(c, request):
    while True:
        kind, flags, of, body = c.receive()
        if of == request and flags & kmp.LAST:
            if kind == "ERROR":
                raise kmp.KithError(body)
            return body


def test_a_cursor_that_nobody_reads_ends():
    with Server("--ephemeral", "--limits-cursor-idle", "200ms") as s, s.connect() as c:
        run = c.send("RUN", text="ROWS 1000", credit_rows=1)
        e = error_of(until_last, c, run)
        assert e.name == "SnapshotTooOld" and e.retryable, e
        # rows that are committed are not lost to a retry: never a retryable error
        run = c.send("RUN", text="WRITE 1000", credit_rows=1)
        e = error_of(until_last, c, run)
        assert e.name == "Cancelled" and not e.retryable and "committed as 1" in str(e), e


def test_a_client_that_vanishes_frees_what_it_held():
    with Server("--ephemeral") as s:
        for _ in range(30):
            c = s.connect()
            c.send("RUN", text="ROWS 1000000 50", credit_rows=1 << 40, credit_bytes=1 << 50)
            c.send("RUN", text="ROWS 1000", credit_rows=1)
            c.send("BEGIN")
            c.send("RUN", text="WRITE 0")
            c.send("RUN", text="SPIN")
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.sock.close()
        with s.connect() as c:
            assert c.run("WRITE 0", deadline_ms=5000)[2]["commit"] == 1


if __name__ == "__main__":
    main(globals())
