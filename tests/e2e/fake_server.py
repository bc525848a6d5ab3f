"""A server for tests of clients: speaks KMP by the Python client's own codec, knows a handful of statements, and keeps
count of what it was asked. It serves on 127.0.0.1 in threads of its own.

    RETURN literal AS name            one row         UNWIND range(1, N) AS n RETURN n    N rows, under credit
    RETURN $name AS column            the parameter   UNWIND range(1,10000) AS a ...      runs until it is cancelled
    anything else                     a syntax error with a place
"""
import ast
import os
import re
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "client"))
import kmp  # noqa: E402


class FakeServer:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.uri = "kith://127.0.0.1:%d" % self.port
        self.sessions, self.asked, self.lock = {}, [], threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            Session(self, sock).serve()
        except (ConnectionError, OSError):
            pass
        finally:
            sock.close()

    def stop(self):
        self.listener.close()


class Session:
    def __init__(self, server, sock):
        self.server, self.sock, self.cancelled = server, sock, threading.Event()
        self.key, self.tx, self.cursor, self.open = os.urandom(32), 0, 0, {}
        self.lock = threading.Lock()

    def exactly(self, n):
        out = b""
        while len(out) < n:
            more = self.sock.recv(n - len(out))
            if not more:
                raise ConnectionError
            out += more
        return out

    def send(self, kind, request, body=None, flags=0):
        with self.lock:
            self.sock.sendall(kmp.frame(kmp.TYPES[kind], request, {} if body is None else body, flags))

    def serve(self):
        if self.exactly(16)[:4] != b"KMP\n":
            return
        self.sock.sendall(b"KMP\n\x01\x01\0\0" + struct.pack(">II", 0, 1 << 24))
        while True:
            length, code, flags, _, request, _ = struct.unpack(">IBBHII", self.exactly(16))
            body = kmp.parse(code, self.exactly(length))
            kind = next(n for n in kmp.TYPES if kmp.TYPES[n] == code)
            self.server.asked.append((kind, body))
            if kind == "BYE":
                return
            getattr(self, "on_" + kind.lower())(request, body)

    def ok(self, request, **body):
        self.send("OK", request, dict(body, tx_state=self.tx), kmp.LAST)

    def error(self, request, code, name, message, **more):
        order = ["tx_state", "code", "name", "class", "retryable", "message", "hint", "position"]
        body = dict(more, tx_state=self.tx, code=code, name=name, message=message)
        body.setdefault("class", 0)
        self.send("ERROR", request, {k: body[k] for k in order if k in body}, kmp.LAST)

    def on_hello(self, request, body):
        with self.server.lock:
            number = len(self.server.sessions) + 1
            self.server.sessions[number] = self
        self.send("WELCOME", request, dict(database=body.get("database", "kith"), session=number, cancel_key=self.key, server="Fake/1",
                                           frame_most=1 << 24, message_most=1 << 26, mechanisms=["none"]), kmp.LAST)

    def on_ping(self, request, _):
        self.send("PONG", request, {}, kmp.LAST)

    def on_cancel(self, request, body):
        if "session" in body:
            other = self.server.sessions[body["session"]]
            if other.key == body["cancel_key"]:
                other.cancelled.set()
        self.ok(request)

    def on_begin(self, request, _):
        self.tx = 1
        self.ok(request)

    def on_commit(self, request, _):
        self.tx = 0
        self.ok(request, commit=42)

    def on_rollback(self, request, _):
        self.tx = 0
        self.ok(request)

    def on_close(self, request, body):
        run = self.open.pop(body["cursor"], None)
        if run:
            self.ok(run["request"], rows=run["sent"])
        self.ok(request)

    def on_more(self, _, body):
        run = self.open.get(body["cursor"])
        if run:
            run["rows"] += body["credit_rows"]
            run["bytes"] += body["credit_bytes"]
            self.pump(body["cursor"])

    def on_run(self, request, body):
        text = body["text"]
        one = re.fullmatch(r"RETURN\s+(.+?)\s+AS\s+(\w+|`[^`]+`)", text, re.S)
        many = re.fullmatch(r"UNWIND range\(1, (\d+)\) AS n RETURN n", text)
        if "UNWIND range(1,10000) AS a" in text:
            threading.Thread(target=self.run_until_cancelled, args=(request,), daemon=True).start()
            return
        name = one and one[2].strip("`")
        if text.startswith("COMPLAIN "):
            self.error(request, 1020, "UndefinedVariable", text[9:], hint=text[9:])
        elif one and one[1].startswith("$"):
            self.begin_rows(request, body, name, iter([body.get("params", {}).get(one[1][1:])]))
        elif one:
            try:
                self.begin_rows(request, body, name, iter([ast.literal_eval(one[1])]))
            except (SyntaxError, ValueError):
                self.syntax_error(request, text)
        elif many:
            self.begin_rows(request, body, "n", iter(range(1, int(many[1]) + 1)))
        else:
            self.syntax_error(request, text)

    def syntax_error(self, request, text):
        place = text.find("!")
        place = place if place >= 0 else 0
        before = text[:place]
        self.error(request, 1000, "UnexpectedSyntax", "Expected an expression.", hint="Write one.",
                   position=dict(offset=len(before.encode()), line=before.count("\n") + 1,
                                 column=place - (before.rfind("\n") + 1) + 1, length=1))

    def run_until_cancelled(self, request):
        self.send("HEAD", request, dict(cursor=self.next_cursor(), columns=["count(*)"]))
        came = self.cancelled.wait(60)
        self.cancelled.clear()
        self.error(request, 1601, "Cancelled" if came else "Timeout", "The query was cancelled.")

    def next_cursor(self):
        self.cursor += 1
        return self.cursor

    def begin_rows(self, request, body, column, rows):
        cursor = self.next_cursor()
        self.send("HEAD", request, dict(cursor=cursor, columns=[column]))
        self.open[cursor] = dict(request=request, source=rows, held=None, rows=body["credit_rows"], bytes=body["credit_bytes"], sent=0)
        self.pump(cursor)

    def pump(self, cursor):
        """Sends what the credit allows, and PARKED when it is used up."""
        run, batch, size = self.open[cursor], [], 3
        while True:
            row = run["held"] if run["held"] is not None else next(run["source"], StopIteration)
            run["held"] = None
            if row is StopIteration:
                if batch:
                    self.send("ROWS", run["request"], batch)
                del self.open[cursor]
                self.ok(run["request"], rows=run["sent"])
                return
            need = len(kmp.pack([row]))
            if run["rows"] == 0 or size + need > run["bytes"]:
                run["held"] = row
                run["bytes"] -= size if batch else 0
                self.send("ROWS", run["request"], batch, kmp.PARKED)
                return
            batch.append([row])
            size += need
            run["rows"] -= 1
            run["sent"] += 1
