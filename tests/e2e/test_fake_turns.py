"""Writers take turns: idle, overlong and dead holders hand theirs on; whoever waits holds up nobody."""
import threading
import time

from kithd import Server, error_of, eventually, kmp, main


def test_an_idle_writing_transaction_hands_its_turn_on():
    with Server("--ephemeral", "--limits-transaction-idle", "300ms") as s, s.connect() as c, s.connect() as other:
        c.ask("BEGIN")
        c.run("WRITE 0")
        start = time.monotonic()
        assert other.run("WRITE 0")[2]["commit"] == 1
        assert 0.2 < time.monotonic() - start < 8
        e = error_of(c.run, "RETURN 1")
        assert e.name == "TransactionTimedOut" and e.retryable and e.body["tx_state"] == 2, e
        assert error_of(c.run, "RETURN 1").name == "TransactionTimedOut"
        assert c.ask("ROLLBACK").get("tx_state", 0) == 0
        assert c.run("COUNT")[1] == [[1]]


def test_the_next_request_is_told_whatever_it_is():
    with Server("--ephemeral", "--limits-transaction-idle", "100ms") as s, s.connect() as c:
        for request in ("COMMIT", "ROLLBACK", "BEGIN"):
            c.ask("BEGIN")
            time.sleep(0.3)
            e = error_of(c.ask, request)
            assert e.name == "TransactionTimedOut" and e.body.get("tx_state", 0) == 0, (request, e.body)
        assert c.ask("BEGIN")["tx_state"] == 1


def test_an_overlong_transaction_ends_though_it_works():
    with Server("--ephemeral", "--limits-transaction-write", "500ms") as s, s.connect() as c, s.connect() as other:
        c.ask("BEGIN")
        c.run("WRITE 0")
        start = time.monotonic()
        names = []
        waiting = threading.Thread(target=lambda: names.append(other.run("WRITE 0")[2]["commit"]))
        waiting.start()
        e = error_of(c.run, "SPIN")
        assert e.name == "TransactionTimedOut", e
        waiting.join()
        assert names == [1] and time.monotonic() - start < 8
        assert c.ask("ROLLBACK").get("tx_state", 0) == 0


def test_a_transaction_ends_at_its_own_deadline():
    with Server("--ephemeral") as s, s.connect() as c:
        c.ask("BEGIN", deadline_ms=200)
        time.sleep(0.4)
        assert error_of(c.ask, "COMMIT").name == "TransactionTimedOut"


def test_a_client_that_dies_hands_its_turn_on():
    with Server("--ephemeral") as s, s.connect() as other:
        c = s.connect()
        c.ask("BEGIN")
        c.run("WRITE 0")
        c.sock.close()
        assert other.run("WRITE 0", deadline_ms=3000)[2]["commit"] == 1
        assert other.run("COUNT")[1] == [[1]]


def test_a_busy_transaction_is_not_idle():
    with Server("--ephemeral", "--limits-transaction-idle", "1500ms") as s, s.connect() as c:
        c.ask("BEGIN")
        c.run("SLEEP 2000")
        for _ in range(6):
            time.sleep(0.3)
            c.run("WRITE 0")
        assert c.ask("COMMIT")["commit"] == 1


def test_waiting_writers_hold_up_nobody_and_keep_their_order():
    with Server("--ephemeral", "--server-workers", "2") as s, s.connect() as holder, s.connect() as reader:
        holder.ask("BEGIN")
        writers = [s.connect() for _ in range(8)]
        for w in writers:
            w.send("RUN", text="WRITE 1")
            time.sleep(0.02)
        start = time.monotonic()
        for _ in range(20):
            reader.run("SLEEP 1")
            holder.run("WRITE 0")
        assert time.monotonic() - start < 8
        assert holder.ask("COMMIT")["commit"] == 1
        commits = [w.wait(w.request)[2]["commit"] for w in writers]
        assert commits == list(range(2, 10)), commits
        for w in writers:
            w.sock.close()


def test_writers_cancelled_timed_out_or_gone_in_the_queue_write_nothing():
    with Server("--ephemeral") as s, s.connect() as holder:
        holder.ask("BEGIN")
        a, b, d, e = (s.connect() for _ in range(4))
        run_a, run_b = a.send("RUN", text="WRITE 1"), b.send("RUN", text="WRITE 1", deadline_ms=200)
        d.send("RUN", text="WRITE 1")
        begin_e = e.send("BEGIN", deadline_ms=200)
        time.sleep(0.05)
        a.cancel(run_a)
        d.sock.close()
        assert error_of(a.wait, run_a).name == "Cancelled"
        err = error_of(b.wait, run_b)
        assert err.name == "Deadline" and "turn" in str(err), err
        assert error_of(e.wait, begin_e).name == "Deadline"
        holder.ask("COMMIT")
        assert holder.run("COUNT")[1] == [[0]]
        assert holder.run("WRITE 0")[2]["commit"] == 1
        for c in (a, b, e):
            assert c.run("RETURN 1")[1] == [[1]]
            c.sock.close()


def test_cancel_races_with_the_turn():
    """The turn comes while its request is cancelled: whichever wins, the turn is handed on and the count is right."""
    with Server("--ephemeral") as s:
        conns = [s.connect() for _ in range(12)]
        written = [0] * len(conns)

        def work(i):
            c = conns[i]
            for n in range(40):
                run = c.send("RUN", text="WRITE 0")
                if (n + i) % 2:
                    c.send("CANCEL")
                try:
                    c.wait(run)
                    written[i] += 1
                except kmp.KithError as e:
                    assert e.name == "Cancelled", e

        threads = [threading.Thread(target=work, args=(i,)) for i in range(len(conns))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert conns[0].run("COUNT")[1] == [[sum(written)]]
        for c in conns:
            c.sock.close()


def test_a_failed_sync_says_so_and_is_never_retryable():
    with Server("--ephemeral") as s, s.connect() as c:
        e = error_of(c.run, "UNKNOWN")
        assert e.name == "CommitOutcomeUnknown" and not e.retryable, e
        assert c.run("COUNT")[1] == [[0]]
        assert error_of(c.run, "WRITE 0").name == "ReadOnlyLatched"
        assert error_of(c.ask, "BEGIN").name == "ReadOnlyLatched"
        c.ask("BEGIN", read_only=True)
        assert c.run("COUNT")[1] == [[0]]
        c.ask("COMMIT")
        assert "CommitOutcomeUnknown" in s.errors()


def test_a_read_only_transaction_has_its_age():
    with Server("--ephemeral", "--limits-view-age", "300ms", "--limits-cursor-idle", "150ms") as s, s.connect() as c:
        c.ask("BEGIN", read_only=True)
        time.sleep(0.4)
        assert error_of(c.run, "RETURN 1").name == "SnapshotTooOld"
        c.ask("ROLLBACK")
        c.ask("BEGIN", read_only=True)
        e = error_of(c.run, "SPIN")
        assert e.name == "SnapshotTooOld", e
        try:
            c.ask("ROLLBACK")
        except kmp.KithError as late:  # a slow machine may have let the idle limit pass meanwhile
            assert late.name == "SnapshotTooOld", late


if __name__ == "__main__":
    main(globals())
