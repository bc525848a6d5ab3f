"""Random requests from many clients at once: every request is answered exactly once, those of the lane in order,
never more than credit; clients that vanish leave nothing behind; garbage ends only its own connection."""
import os
import random
import socket
import struct
import threading
import time

from kithd import Server, kmp, main

SECONDS = float(os.environ.get("STORM_SECONDS", "3"))
TEXTS = ["RETURN 1", "RETURN 1", "ROWS 50 10", "ROWS 5000 40", "ROWS 100000 100", "SLEEP 1", "SLEEP 20", "SPIN", "WRITE 3 10", "WRITE 3000 20",
         "WRITE 0", "WSLEEP 3", "COUNT", "FAIL 5", "EAT", "NONSENSE", "SCHEMA 2"]
LANE = ("RUN", "BEGIN", "COMMIT", "ROLLBACK")


class Client:
    def __init__(self, server, seed):
        self.server, self.rng = server, random.Random(seed)
        self.wrong, self.answered = [], 0

    def connect(self):
        self.c = self.server.connect(timeout=30)
        self.lane, self.open, self.cursors, self.credit = [], {}, {}, {}

    def send(self, kind, **body):
        flags = kmp.SKIP_IF_FAILED if kind in LANE and self.rng.random() < 0.2 else 0
        request = self.c.send(kind, flags, **body)
        if kind in LANE:
            self.lane.append(request)
        if kind != "MORE":
            self.open[request] = kind
        return request

    def act(self):
        r = self.rng.random()
        if r < 0.55:
            rows, size = self.rng.choice((0, 1, 5, 1000, 1 << 30)), self.rng.choice((0, 60, 5000, 1 << 40))
            more = {"deadline_ms": self.rng.choice((5, 50, 300))} if self.rng.random() < 0.5 else {}
            if self.rng.random() < 0.1:
                more["read_only"] = True
            request = self.send("RUN", text=self.rng.choice(TEXTS), credit_rows=rows, credit_bytes=size, **more)
            self.credit[request] = [rows, size]
        elif r < 0.67:
            self.send("BEGIN", **({"read_only": True} if self.rng.random() < 0.4 else {"deadline_ms": 200}))
        elif r < 0.77:
            self.send(self.rng.choice(("COMMIT", "ROLLBACK")))
        elif r < 0.87 and self.cursors:
            request, cursor = self.rng.choice(list(self.cursors.items()))
            if self.rng.random() < 0.5:
                self.send("CLOSE", cursor=cursor)
            else:
                self.give(request)
        elif r < 0.92:
            self.send("CANCEL", request=self.rng.choice([0] + list(self.open)))
        elif r < 0.95:
            self.send("RESET")
        elif r < 0.97:
            self.c.cancel()
        else:
            self.send("PING")

    def give(self, request):
        rows, size = self.rng.choice((0, 1, 3000)), self.rng.choice((0, 100, 1 << 20))
        self.credit[request][0] += rows
        self.credit[request][1] += size
        self.send("MORE", cursor=self.cursors[request], credit_rows=rows, credit_bytes=size)

    def take(self):
        length, kind, flags, _, request, _ = struct.unpack(">IBBHII", self.c._exactly(16))
        payload = self.c._exactly(length)
        if kind == kmp.EVENT:
            return
        if request not in self.open:
            self.wrong.append("an answer to %d, which is not open" % request)
            return
        if kind == kmp.HEAD:
            self.cursors[request] = kmp.parse(kind, payload)["cursor"]
        elif kind == kmp.ROWS:
            n = struct.unpack(">H", payload[1:3])[0]
            self.credit[request][0] -= n
            self.credit[request][1] -= length if n else 0
            if min(self.credit[request]) < 0:
                self.wrong.append("more than credit: %r" % self.credit[request])
        elif kind == kmp.ERROR and kmp.parse(kind, payload)["name"] == "Internal":
            self.wrong.append("Internal: %r" % kmp.parse(kind, payload))
        if flags & kmp.LAST:
            self.answered += 1
            kind = self.open.pop(request)
            self.cursors.pop(request, None)
            if kind in LANE:
                if kind != "RUN":  # a RUN may park and end after later ones
                    before = [r for r in self.lane[:self.lane.index(request)] if self.open.get(r) not in (None, "RUN")]
                    if before:
                        self.wrong.append("%d answered before %r" % (request, before))
                self.lane.remove(request)

    def readable(self):
        if self.c.buffer:
            return True
        self.c.sock.settimeout(0.002)
        try:
            more = self.c.sock.recv(1 << 16)
            self.c.buffer += more
            return bool(more)
        except (TimeoutError, BlockingIOError):
            return False
        finally:
            self.c.sock.settimeout(30)

    def quiesce(self):
        """Gives what is wanted until all is answered."""
        end = time.monotonic() + 30
        while self.open:
            assert time.monotonic() < end, "not answered: %r" % self.open
            if self.rng.random() < 0.05:
                self.send("RESET")
            if self.readable():
                self.take()
            elif self.cursors:
                self.give(self.rng.choice(list(self.cursors)))

    def storm(self, until):
        try:
            while time.monotonic() < until:
                self.connect()
                for _ in range(self.rng.randrange(5, 60)):
                    for _ in range(self.rng.choice((1, 1, 3, 10))):
                        self.act()
                    while self.readable() and self.rng.random() < 0.95:
                        self.take()
                if self.rng.random() < 0.5:
                    self.quiesce()
                elif self.rng.random() < 0.5:
                    self.c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.c.sock.close()
        except Exception as e:  # noqa: BLE001 - told to the test
            self.wrong.append(repr(e))


def test_every_request_is_answered_once_and_in_order():
    with Server("--ephemeral", "--server-loops", "2", "--server-workers", "3", "--limits-transaction-idle", "100ms", "--memory-query", "8m",
                "--limits-query-timeout", "400ms", "--kmp-heartbeat", "100ms") as s:
        seed = int(os.environ.get("STORM_SEED", "1"))
        clients = [Client(s, seed * 100 + i) for i in range(12)]
        until = time.monotonic() + SECONDS
        threads = [threading.Thread(target=c.storm, args=(until,)) for c in clients]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        wrong = [w for c in clients for w in c.wrong]
        assert not wrong, wrong[:5]
        answered = sum(c.answered for c in clients)
        print("answered: %d" % answered)
        assert answered > 500
        with s.connect() as c:
            c.run("WRITE 0", deadline_ms=5000)


def test_a_stop_in_a_storm_is_clean():
    for seed in range(3):
        with Server("--ephemeral", "--server-loops", "2", "--limits-query-timeout", "400ms", "--server-stop-grace", "2s") as s:
            clients = [Client(s, seed * 1000 + i) for i in range(8)]
            threads = [threading.Thread(target=c.storm, args=(time.monotonic() + 1,)) for c in clients]
            for t in threads:
                t.start()
            time.sleep(0.4)
            assert s.stop() == 0
            for t in threads:
                t.join()
            wrong = [w for c in clients for w in c.wrong if not ("Connection" in w or "BrokenPipe" in w or "closed" in w)]
            assert not wrong, wrong[:3]


def test_garbage_ends_its_connection_only():
    rng = random.Random(7)
    with Server("--ephemeral") as s, s.connect() as good:
        for i in range(300):
            sock = socket.create_connection(("127.0.0.1", s.port))
            raw = b"" if rng.random() < 0.2 else b"KMP\n\x01\x01\0\0" + struct.pack(">II", rng.choice((0, 4)), 1 << 20)
            if rng.random() < 0.6:
                raw += kmp.frame(kmp.HELLO, 1, {"agent": "x", "mechanism": "none"})
            for n in range(rng.randrange(6)):
                body = rng.randbytes(rng.randrange(60))
                if rng.random() < 0.5:  # a good message with some bytes changed
                    good_one = bytearray(kmp.frame(rng.choice((kmp.RUN, kmp.BEGIN, kmp.MORE, kmp.CANCEL)), 10 + n,
                                                   {"text": "RETURN 1", "cursor": 1, "credit_rows": 3}))
                    for _ in range(rng.randrange(4)):
                        good_one[rng.randrange(len(good_one))] = rng.randrange(256)
                    raw += good_one
                else:
                    raw += struct.pack(">IBBHII", len(body), rng.randrange(256), rng.randrange(256), rng.choice((0, 0, 1)), rng.randrange(5), 0) + body
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(10)
            try:
                while sock.recv(65536):
                    pass
            except ConnectionResetError:
                pass
            sock.close()
        assert good.run("RETURN 1")[1] == [[1]]


if __name__ == "__main__":
    main(globals())
