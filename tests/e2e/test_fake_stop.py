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


def test_a_thread_that_does_not_come_back_holds_up_the_stop_for_the_grace_and_five_seconds():
    running = []
    for loops, text in (("1", "HOLD 60000"), ("1", "HOLD 60000 1"), ("2", "HOLD 60000")):
        s = Server("--ephemeral", "--server-stop-grace", "200ms", "--server-loops", loops)
        c = s.connect()
        c.send("RUN", text=text)
        time.sleep(0.3)
        running.append((s, c, text, time.monotonic()))
        s.signal()
    for s, c, text, start in running:
        s.signal()  # a second one neither hastens it nor puts it off
        code = s.process.wait(20)
        took = time.monotonic() - start
        said = s.errors()
        assert code == 3 and 5 < took < 15, (text, code, took, said)
        lines = [x for x in said.splitlines() if x.startswith("kithd: ")]
        assert len(lines) == 1 and "server stop-grace (200 ms) and 5 s more" in lines[0], said
        c.sock.close()
        s.process.returncode = 0
        s.__exit__(None)


def test_a_thread_that_comes_back_late_is_waited_for():
    with Server("--ephemeral", "--server-stop-grace", "200ms") as s:
        c = s.connect()
        c.send("RUN", text="HOLD 2500 1")
        time.sleep(0.3)
        code, said = s.stop(), s.errors()
        assert code == 0 and "stop-grace" not in said, (code, said)
        c.sock.close()


if __name__ == "__main__":
    main(globals())
