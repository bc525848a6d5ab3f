"""SIGTERM: every request is answered, and the exit code is 0."""
import signal
import time

from kithd import Server, kmp, main


def answers(c):
    """All that comes until the server closes: [(type, request, body)], last messages only."""
    out = []
    while True:
        try:
            kind, flags, of, body = c.receive()
        except ConnectionError:
            return out
        if flags & kmp.LAST or kind == "EVENT":
            out.append((kind, of, body))


def test_open_cursors_and_a_waiting_writer_are_answered():
    with Server("--ephemeral", "--server-loops", "2") as s:
        holder, writer, reader, runner, idle = (s.connect() for _ in range(5))
        holder.ask("BEGIN")
        holder.run("WRITE 0")
        wait = writer.send("RUN", text="WRITE 1")
        queued = writer.send("RUN", text="RETURN 1")
        cursor = reader.send("RUN", text="ROWS 100000", credit_rows=3)
        spin = runner.send("RUN", text="SPIN")
        early = s.connect(hello=False)
        time.sleep(0.2)
        start = time.monotonic()
        s.signal()
        for c, asked in ((writer, [wait, queued]), (reader, [cursor]), (runner, [spin]), (holder, []), (idle, [])):
            got = answers(c)
            events = [b for k, _, b in got if k == "EVENT"]
            assert len(events) == 1 and events[0]["kind"] == "going-away" and events[0]["grace_ms"] > 0, got
            ends = [(of, b.get("name")) for k, of, b in got if k != "EVENT"]
            assert ends == [(r, "Unavailable") for r in asked], ends
            assert all(b["retryable"] for k, _, b in got if k == "ERROR")
            c.sock.close()
        assert answers(early) == []
        assert s.process.wait(10) == 0
        assert time.monotonic() - start < 3


def test_a_commit_under_way_is_answered_in_full():
    with Server("--ephemeral") as s:
        c, parked = s.connect(), s.connect()
        p = parked.send("RUN", text="WRITE 1000", credit_rows=1)
        time.sleep(0.1)
        c.send("RUN", text="WSLEEP 300")
        time.sleep(0.05)
        s.signal(signal.SIGINT)
        got = answers(c)
        assert [b.get("name") for k, _, b in got if k != "EVENT"] in (["Unavailable"], [None]), got
        (kind, of, body), = [g for g in answers(parked) if g[0] != "EVENT"]
        assert of == p and body["name"] == "Cancelled" and "committed as" in body["message"], body
        assert s.process.wait(10) == 0


def test_a_reader_that_never_reads_does_not_hold_up_the_stop():
    with Server("--ephemeral", "--server-stop-grace", "300ms") as s:
        c = s.connect()
        c.send("RUN", text="ROWS 10000000 100", credit_rows=1 << 40, credit_bytes=1 << 50)
        time.sleep(0.3)
        start = time.monotonic()
        assert s.stop() == 0 and time.monotonic() - start < 3
        c.sock.close()


def test_new_connections_are_not_taken():
    with Server("--ephemeral", "--server-stop-grace", "1s") as s:
        c = s.connect()
        c.send("RUN", text="ROWS 10000000 100", credit_rows=1 << 40, credit_bytes=1 << 50)
        s.signal()
        time.sleep(0.2)
        try:
            s.connect()
            raise AssertionError("a stopping server took a connection")
        except OSError:
            pass


if __name__ == "__main__":
    main(globals())
