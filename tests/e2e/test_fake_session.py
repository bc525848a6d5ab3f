"""Lane, transactions, cursors and first bytes, over the engine of words (tests/support/fake_engine.c)."""
import socket
import struct
import time

from kithd import Server, error_of, eventually, kmp, main


def test_a_row_comes_back():
    with Server("--ephemeral") as s, s.connect() as c:
        columns, rows, ok = c.run("RETURN 7")
        assert (columns, rows, ok["rows"]) == (["n"], [[7]], 1), (columns, rows, ok)
        assert len(c.welcome["cancel_key"]) == 32 and c.welcome["database"] == "kith"
        assert c.run("ROWS 5000 10", rows=100)[1][-1] == [4999, "x" * 10]
        assert c.ask("PING") == {}


def test_unix_socket_answers_and_goes_away():
    import os
    with Server("--ephemeral") as s:
        path = os.path.join(s.folder, "sock")
        with Server("--ephemeral", "--kmp-socket", path) as t:
            with kmp.Connection(path=path) as c:
                assert c.run("RETURN 1")[1] == [[1]]
            assert os.stat(path).st_mode & 0o777 == 0o600
            assert t.stop() == 0
        assert not os.path.exists(path)


def test_foreign_first_bytes_get_one_line():
    with Server("--ephemeral") as s:
        for said, name in ((b"GET / HTTP/1.1\r\n\r\n", b"HTTP"), (b"\x16\x03\x01\x02\x00", b"TLS"), (b"\x60\x60\xb0\x17", b"Bolt"),
                           (b"K?", b"KMP")):
            sock = socket.create_connection(("127.0.0.1", s.port))
            sock.sendall(said)
            got = b"".join(iter(lambda: sock.recv(1000), b""))
            assert got.count(b"\n") == 1 and name in got and b"KMP" in got, got
            sock.close()


def test_requests_before_hello_are_refused_by_type():
    with Server("--ephemeral") as s, s.connect(hello=False) as c:
        e = error_of(c.run, "RETURN 1")
        assert e.name == "Protocol" and "HELLO" in str(e), e
        e = error_of(c.ask, "HELLO", agent="x", mechanism="PLAIN")
        assert e.name == "AuthUnsupported", e
        e = error_of(c.ask, "HELLO", agent="x", mechanism="none", database="other")
        assert e.name == "DatabaseNotFound" and "kith" in str(e), e
        c.ask("PING")
        c.ask("HELLO", agent="x", mechanism="none")
        assert c.run("RETURN 1")[1] == [[1]]
        assert error_of(c.ask, "HELLO", agent="x", mechanism="none").name == "Protocol"
        assert c.run("RETURN 1")[1] == [[1]]


def test_a_large_frame_before_hello_is_refused():
    with Server("--ephemeral") as s, s.connect(hello=False) as c:
        c.sock.sendall(struct.pack(">IBBHII", 70000, 1, 0, 0, 1, 0))
        kind, _, of, body = c.receive()
        assert (kind, of, body["name"]) == ("ERROR", 0, "FrameTooLarge"), body
        assert c.sock.recv(10) == b""


def test_login_must_come_in_time():
    with Server("--ephemeral", "--kmp-login-timeout", "200ms") as s, s.connect(hello=False) as c:
        kind, _, of, body = c.receive()
        assert (kind, of, body["name"]) == ("ERROR", 0, "Connection"), body
        assert c.sock.recv(10) == b""


def test_connections_have_a_limit():
    with Server("--ephemeral", "--kmp-max-connections", "2") as s, s.connect() as a, s.connect() as b:
        e = error_of(s.connect)
        assert e.name == "Unavailable" and "max_connections" in str(e), e
        a.sock.close()
        eventually(lambda: not fails_to_connect(s))
        b.run("RETURN 1")


def fails_to_connect(s):
    try:
        s.connect().sock.close()
        return False
    except kmp.KithError:
        return True


def test_later_messages_and_other_streams_are_refused_in_order():
    with Server("--ephemeral") as s, s.connect() as c:
        for code in (0x02, 0x11, 0x12, 0x30, 0x40, 0x41, 0x50, 0x7A):
            c.request += 1
            c.sock.sendall(struct.pack(">IBBHII", 1, code, 0, 0, c.request, 0) + b"\x80")
            kind, flags, of, body = c.receive()
            assert (kind, of) == ("ERROR", c.request), (kind, of)
            assert body["name"] in ("NotSupported", "AuthUnsupported", "Protocol"), (hex(code), body)
        c.request += 1
        c.sock.sendall(struct.pack(">IBBHII", 1, 0x04, 0, 3, c.request, 0) + b"\x80")
        assert c.receive()[3]["name"] == "NotSupported"
        e = error_of(c.run, "RETURN 1", idempotency_key=b"x" * 16)
        assert e.name == "NotSupported", e
        e = error_of(c.run, "RETURN 1", {"when": kmp.Date(3)})
        assert e.name == "NotSupported" and "$when" in str(e) and "Date" in str(e), e
        e = error_of(c.run, "RETURN 1", {"l": [{"p": kmp.Point(4326, [1.0, 2.0])}]})
        assert e.name == "NotSupported" and "$l" in str(e), e
        assert c.run("RETURN 1")[1] == [[1]]


def test_a_broken_frame_ends_the_connection_and_no_other():
    with Server("--ephemeral") as s, s.connect() as c, s.connect() as other:
        c.sock.sendall(struct.pack(">IBBHII", (16 << 20) + 1, 0x10, 0, 0, 9, 0))
        kind, _, of, body = c.receive()
        assert (kind, of, body["name"]) == ("ERROR", 0, "FrameTooLarge"), body
        assert c.sock.recv(10) == b""
        assert other.run("RETURN 1")[1] == [[1]]


def test_pipelined_requests_are_answered_in_order():
    with Server("--ephemeral") as s, s.connect() as c:
        first = c.request + 1
        raw = b"".join(kmp.frame(kmp.RUN, first + i, {"text": "SLEEP 20" if i == 3 else "RETURN %d" % i}) for i in range(3000))
        c.request += 3000
        import threading
        sender = threading.Thread(target=c.sock.sendall, args=(raw,))
        sender.start()
        seen = []
        while len(seen) < 3000:
            kind, flags, of, body = c.receive()
            assert kind != "ERROR", body
            if flags & kmp.LAST:
                seen.append(of)
        sender.join()
        assert seen == list(range(first, first + 3000))


def test_skip_if_failed_skips_the_chain_and_no_more():
    with Server("--ephemeral") as s, s.connect() as c:
        asked = [c.send("RUN", text="NONSENSE"), c.send("RUN", kmp.SKIP_IF_FAILED, text="RETURN 1"),
                 c.send("RUN", kmp.SKIP_IF_FAILED, text="RETURN 2"), c.send("RUN", text="RETURN 3"),
                 c.send("RUN", kmp.SKIP_IF_FAILED, text="RETURN 4")]
        got = []
        while len(got) < 5:
            kind, flags, of, body = c.receive()
            if flags & kmp.LAST:
                got.append((of, body.get("name", "ok")))
        assert got == list(zip(asked, ["UnexpectedSyntax", "Skipped", "Skipped", "ok", "ok"])), got


def test_an_error_says_where_and_what():
    with Server("--ephemeral") as s, s.connect() as c:
        e = error_of(c.run, "NONSENSE")
        assert e.code == 1000 and {"offset": 0, **e.body["position"]} == {"offset": 0, "length": 1, "line": 1, "column": 1}, e.body
        assert e.body["gqlstatus"] == "42001" and e.body.get("tx_state", 0) == 0 and not e.retryable
        e = error_of(c.run, "FAIL 3")
        assert e.name == "DivisionByZero" and e.body["query"] > 0, e.body


def test_rows_before_an_error_come_first():
    with Server("--ephemeral") as s, s.connect() as c:
        c.send("RUN", text="FAIL 3")
        kinds = [c.receive()[0] for _ in range(3)]
        assert kinds == ["HEAD", "ROWS", "ERROR"], kinds


def test_transaction_reads_its_own_write_and_nobody_else_does():
    with Server("--ephemeral") as s, s.connect() as c, s.connect() as other:
        assert c.ask("BEGIN")["tx_state"] == 1
        assert c.run("WRITE 0")[2]["tx_state"] == 1
        assert c.run("COUNT")[1] == [[1]]
        assert other.run("COUNT")[1] == [[0]]
        ok = c.ask("COMMIT")
        assert ok["commit"] == 1 and ok.get("tx_state", 0) == 0, ok
        assert other.run("COUNT", min_commit=1)[1] == [[1]]
        e = error_of(other.run, "COUNT", min_commit=2)
        assert e.name == "DurabilityGap", e


def test_rollback_leaves_nothing():
    with Server("--ephemeral") as s, s.connect() as c:
        c.ask("BEGIN")
        c.run("WRITE 3")
        c.ask("ROLLBACK")
        assert c.run("COUNT")[1] == [[0]]
        assert error_of(c.ask, "COMMIT").name == "TransactionState"
        assert error_of(c.ask, "ROLLBACK").name == "TransactionState"
        c.ask("BEGIN", read_only=True)
        assert error_of(c.ask, "BEGIN").name == "TransactionState"
        c.ask("COMMIT")


def test_a_failed_statement_leaves_only_rollback():
    with Server("--ephemeral") as s, s.connect() as c, s.connect() as other:
        c.ask("BEGIN")
        c.run("WRITE 0")
        assert error_of(c.run, "FAIL 1").body["tx_state"] == 2
        assert error_of(c.run, "RETURN 1").name == "TransactionFailed"
        assert error_of(c.ask, "COMMIT").name == "TransactionFailed"
        # it holds up nobody meanwhile
        assert other.run("WRITE 0", deadline_ms=2000)[2]["commit"] == 1
        assert c.ask("ROLLBACK").get("tx_state", 0) == 0
        assert c.run("COUNT")[1] == [[1]]


def test_writes_in_read_only_are_refused():
    with Server("--ephemeral") as s, s.connect() as c:
        assert error_of(c.run, "WRITE 1", read_only=True).name == "WriteInReadOnly"
        assert error_of(c.run, "SCHEMA 0", read_only=True).name == "WriteInReadOnly"
        c.ask("BEGIN", read_only=True)
        assert error_of(c.run, "WRITE 1").name == "WriteInReadOnly"
        c.ask("ROLLBACK")
        c.ask("BEGIN")
        assert error_of(c.run, "SCHEMA 0").name == "TransactionState"
        c.ask("ROLLBACK")
        assert c.run("SCHEMA 5") [0] == []


def test_commit_closes_cursors_and_keeps_their_writes():
    with Server("--ephemeral") as s, s.connect() as c:
        c.ask("BEGIN")
        reads = c.send("RUN", text="ROWS 1000000", credit_rows=5)
        writes = c.send("RUN", text="WRITE 1000", credit_rows=5)
        commit = c.send("COMMIT")
        ends = []
        while len(ends) < 3:
            kind, flags, of, body = c.receive()
            assert kind != "ERROR", body
            if flags & kmp.LAST:
                ends.append(of)
                assert of == commit or body["rows"] == 5, body
        assert sorted(ends) == sorted([reads, writes, commit]) and ends[-1] == commit
        assert c.run("COUNT")[1] == [[1]]


def test_close_answers_the_run_first():
    with Server("--ephemeral") as s, s.connect() as c:
        run = c.send("RUN", text="ROWS 100000", credit_rows=3)
        head = c.receive()[3]
        while not c.receive()[1] & kmp.PARKED:
            pass
        close = c.send("CLOSE", cursor=head["cursor"])
        (k1, _, of1, body1), (k2, _, of2, _) = c.receive(), c.receive()
        assert (k1, of1, body1["rows"], k2, of2) == ("OK", run, 3, "OK", close)
        c.ask("CLOSE", cursor=head["cursor"])  # ended: OK again
        assert error_of(c.ask, "CLOSE", cursor=99).name == "Protocol"
        c.send("MORE", cursor=head["cursor"], credit_rows=1)  # ended: nothing
        assert c.run("RETURN 1")[1] == [[1]]
        assert error_of(c.ask, "MORE", cursor=99).name == "Protocol"


def test_cursors_live_side_by_side():
    with Server("--ephemeral") as s, s.connect() as c:
        a, b = c.send("RUN", text="ROWS 10", credit_rows=4), c.send("RUN", text="ROWS 10", credit_rows=4)
        rows, cursors, ended = {a: 0, b: 0}, {}, set()
        while len(ended) < 2:
            kind, flags, of, body = c.receive()
            if kind == "HEAD":
                cursors[of] = body["cursor"]
            elif kind == "ROWS":
                rows[of] += len(body)
                if flags & kmp.PARKED:
                    c.send("MORE", cursor=cursors[of], credit_rows=4)
            elif flags & kmp.LAST:
                ended.add(of)
        assert rows == {a: 10, b: 10}


def test_reset_answers_all_and_rolls_back():
    with Server("--ephemeral") as s, s.connect() as c, s.connect() as other:
        c.ask("BEGIN")
        c.run("WRITE 0")
        asked = [c.send("RUN", text="SPIN"), c.send("RUN", text="RETURN 1"), c.send("RESET")]
        got = []
        while len(got) < 3:
            kind, flags, of, body = c.receive()
            if flags & kmp.LAST:
                got.append((of, body.get("name", "ok")))
        assert got == list(zip(asked, ["Cancelled", "Cancelled", "ok"])), got
        assert other.run("WRITE 0", deadline_ms=2000)[2]["commit"] == 1
        assert c.run("COUNT")[1] == [[1]]


def test_a_number_in_flight_is_refused():
    with Server("--ephemeral") as s, s.connect() as c:
        c.send("RUN", text="SLEEP 100")
        c.request -= 1
        c.send("RUN", text="RETURN 1")
        names = [body.get("name") for kind, flags, _, body in (c.receive() for _ in range(4)) if flags & kmp.LAST]
        assert names[0] == "Protocol" and names[1] is None, names


def test_bye_closes():
    with Server("--ephemeral") as s, s.connect() as c:
        c.ask("BEGIN")
        c.send("BYE")
        assert c.sock.recv(10) == b""
        with s.connect() as other:
            other.run("WRITE 0", deadline_ms=2000)


def test_checks_are_offered_and_held():
    with Server("--ephemeral") as s:
        sock = socket.create_connection(("127.0.0.1", s.port))
        sock.sendall(b"KMP\n\x01\x01\0\0" + struct.pack(">II", 0xFF, 1 << 20))
        answer = sock.recv(16, socket.MSG_WAITALL)
        assert struct.unpack(">I", answer[8:12])[0] == 4, answer
        sock.sendall(struct.pack(">IBBHII", 1, 4, 0, 0, 1, 0) + b"\x80")  # no check where one was agreed
        header = sock.recv(16, socket.MSG_WAITALL)
        assert header[4] == 0x84 and header[5] & 16, header
        sock.close()


def test_progress_comes_while_it_runs():
    with Server("--ephemeral", "--kmp-heartbeat", "100ms") as s, s.connect() as c:
        c.send("RUN", text="SLEEP 1000")
        kinds = []
        while not kinds or kinds[-1] != "OK":
            kinds.append(c.receive()[0])
        assert kinds.count("PROGRESS") >= 4, kinds


def test_slow_sessions_share_one_worker_with_quick_ones():
    with Server("--ephemeral", "--server-workers", "1") as s, s.connect() as slow, s.connect() as quick:
        slow.send("RUN", text="SPIN", deadline_ms=3000)
        time.sleep(0.1)
        start = time.monotonic()
        for _ in range(20):
            assert quick.run("SLEEP 1")[1] == [[1]]
        assert time.monotonic() - start < 6


def test_two_loops_serve_alike():
    with Server("--ephemeral", "--server-loops", "3") as s:
        conns = [s.connect() for _ in range(7)]
        ids = {c.welcome["session"] for c in conns}
        assert len(ids) == 7
        for c in conns:
            request = c.send("RUN", text="SPIN")
            c.cancel(request)
            assert error_of(c.wait, request).name == "Cancelled"
            c.sock.close()


if __name__ == "__main__":
    main(globals())
