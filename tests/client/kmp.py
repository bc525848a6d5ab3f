"""kmp.py - a client of the Kith message protocol in the standard library alone.

Written from part 1 of protocol/PROTOCOL.md, with a msgpack of its own; for tests, and as proof that a client is an
afternoon's work. Integers, floats, strings, bytes, lists, maps (dict), True, False and None are Python's; all other
kinds are the classes below. Errors of the server are raised as KithError.
"""
import socket
import struct
from collections import namedtuple

KINDS = dict(Node="id labels props", Rel="id start end type props", Path="nodes rels steps", Date="days", LocalTime="nanos",
             Time="nanos offset_s", LocalDateTime="seconds nanos", DateTime="seconds nanos offset_s zone",
             Duration="months days seconds nanos", Point="srid at", Vector="element data", UUID="bytes")
Node, Rel, Path, Date, LocalTime, Time, LocalDateTime, DateTime, Duration, Point, Vector, UUID = (
    namedtuple(name, fields) for name, fields in KINDS.items())
FIXED = {Date: (5, ">i"), LocalTime: (6, ">q"), Time: (7, ">qi"), LocalDateTime: (8, ">qI"), Duration: (10, ">qqqI"), UUID: (13, "16s")}
BY_EXT = {kind: (cls, layout) for cls, (kind, layout) in FIXED.items()}
POINT_DIMS = {4326: 2, 7203: 2, 4979: 3, 9157: 3}
ELEMENT_BYTES = {1: 4, 2: 8, 3: 1, 4: 2, 5: 4, 6: 8}

TYPES = dict(HELLO=0x01, BYE=0x03, PING=0x04, RESET=0x05, RUN=0x10, MORE=0x13, CLOSE=0x14, CANCEL=0x15, BEGIN=0x20, COMMIT=0x21,
             ROLLBACK=0x22, WELCOME=0x81, OK=0x83, ERROR=0x84, PONG=0x85, HEAD=0x90, ROWS=0x91, PROGRESS=0x94, NOTICE=0x95,
             EVENT=0xB0)
globals().update(TYPES)  # kmp.HELLO, kmp.RUN ...
LAST, MORE_FRAMES, SKIP_IF_FAILED, PARKED = 1, 2, 32, 64
RUNS = {1: "agent mechanism database", 32: "cursor request session cancel_key",
        16: "text params credit_rows credit_bytes deadline_ms read_only min_commit tag idempotency_key",
        64: "server frame_most message_most mechanisms commit heartbeat_s rows counters plan notices tx_state plan_us run_us peak_bytes",
        80: "code name gqlstatus class retryable retry_after_ms message detail hint position offset line column length query cause",
        96: "columns types rows_seen operator estimate kind grace_ms"}
KEYS = {first + i: name for first, names in RUNS.items() for i, name in enumerate(names.split())}
NUMBERS = {name: number for number, name in KEYS.items()}


class Broken(Exception):
    """The bytes are no value or no message of KMP."""


class KithError(Exception):
    def __init__(self, body):
        super().__init__("KITH-%d %s: %s" % (body["code"], body["name"], body["message"]))
        self.body, self.name, self.code = body, body["name"], body["code"]
        self.retryable = body.get("retryable", False)


def _head(out, n, short, short_most, lead, sizes):
    if n <= short_most:
        out.append(short | n)
        return
    for i, size in enumerate(sizes):
        if n < 1 << 8 * size:
            out.append(lead + i)
            out += n.to_bytes(size, "big")
            return
    raise Broken("too long, or too large")


def _ext_body(v):
    if isinstance(v, (Node, Rel)):
        return (1 if isinstance(v, Node) else 2), pack(list(v))
    if isinstance(v, Path):
        return 3, pack([[list(n) for n in v.nodes], [list(r) for r in v.rels], v.steps])
    if isinstance(v, DateTime):
        return 9, struct.pack(">qIi", v.seconds, v.nanos, v.offset_s) + v.zone.encode()
    if isinstance(v, Point):
        return 11, struct.pack(">I%dd" % len(v.at), v.srid, *v.at)
    if isinstance(v, Vector):
        return 12, bytes([v.element]) + v.data
    kind, layout = FIXED[type(v)]
    return kind, struct.pack(layout, *v)


def pack(v, out=None):
    """The msgpack bytes of a value (or of a body with numbers as keys)."""
    out = bytearray() if out is None else out
    if v is None or v is True or v is False:
        out.append({None: 0xC0, False: 0xC2, True: 0xC3}[v])
    elif isinstance(v, int) and v >= 0:
        _head(out, v, 0, 127, 0xCC, (1, 2, 4, 8))
    elif isinstance(v, int):
        i, size = next((i, 1 << i) for i in range(4) if v >= -(1 << (8 << i) - 1))
        out += v.to_bytes(1, "big", signed=True) if v >= -32 else bytes([0xD0 + i]) + v.to_bytes(size, "big", signed=True)
    elif isinstance(v, float):
        out += b"\xCB" + struct.pack(">d", v)
    elif isinstance(v, str):
        raw = v.encode()
        _head(out, len(raw), 0xA0, 31, 0xD9, (1, 2, 4))
        out += raw
    elif isinstance(v, (bytes, bytearray)):
        _head(out, len(v), 0, -1, 0xC4, (1, 2, 4))
        out += v
    elif isinstance(v, (dict, list)):
        _head(out, len(v), *((0x80, 15, 0xDE) if isinstance(v, dict) else (0x90, 15, 0xDC)), (2, 4))
        for item in v if isinstance(v, list) else (part for entry in v.items() for part in entry):
            pack(item, out)
    else:
        kind, body = _ext_body(v)
        if len(body) in (1, 2, 4, 8, 16):
            out.append(0xD4 + len(body).bit_length() - 1)
        else:
            _head(out, len(body), 0, -1, 0xC7, (1, 2, 4))
        out.append(kind)
        out += body
    return out


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n > len(self.data) - self.at:
            raise Broken("ends early")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n, signed=False):
        return int.from_bytes(self.take(n), "big", signed=signed)

    def value(self, body=False):
        """One value; `body`: maps may have numbers as keys and numbers may fill 64 bits (messages, entities)."""
        lead = self.number(1)
        if lead <= 0x7F or lead >= 0xE0:
            return lead if lead <= 0x7F else lead - 256
        if lead <= 0xBF:
            n = lead & (31 if lead >= 0xA0 else 15)
            return self.map(n, body) if lead <= 0x8F else self.list(n, body) if lead <= 0x9F else self.take(n).decode()
        if lead <= 0xC3:
            return {0xC0: None, 0xC2: False, 0xC3: True}[lead]
        if lead <= 0xC6:
            return self.take(self.number(1 << lead - 0xC4))
        if lead <= 0xC9 or 0xD4 <= lead <= 0xD8:
            n = self.number(1 << lead - 0xC7) if lead <= 0xC9 else 1 << lead - 0xD4
            return _read_ext(self.number(1, True), self.take(n))
        if lead in (0xCA, 0xCB):
            return struct.unpack(*((">f", self.take(4)) if lead == 0xCA else (">d", self.take(8))))[0]
        if lead <= 0xCF:
            n = self.number(1 << lead - 0xCC)
            if n >= 1 << 63 and not body:
                raise Broken("integer above 63 bits")
            return n
        if lead <= 0xD3:
            return self.number(1 << lead - 0xD0, True)
        if lead <= 0xDB:
            return self.take(self.number(1 << lead - 0xD9)).decode()
        n = self.number(2 if lead in (0xDC, 0xDE) else 4)
        return self.list(n, body) if lead <= 0xDD else self.map(n, body)

    def list(self, n, body):
        if n > len(self.data) - self.at:
            raise Broken("ends early")
        return [self.value(body) for _ in range(n)]

    def map(self, n, body):
        out = {}
        for _ in range(n):
            key = self.value(body)
            if key in out or not isinstance(key, (int, str) if body else str):
                raise Broken("map key")
            out[key] = self.value(body and isinstance(key, int) and key not in (17, 71))
        return out


def _read_ext(kind, raw):
    if kind in (1, 2, 3):
        fields = unpack(raw, True)
        return Node(*fields) if kind == 1 else Rel(*fields) if kind == 2 else _read_path(*fields)
    if kind == -1:
        both = int.from_bytes(raw[:8], "big")
        nanos, seconds = struct.unpack(">Iq", raw) if len(raw) == 12 else (both >> 34, both & (1 << 34) - 1)
        return DateTime(seconds, nanos, 0, "")
    if kind == 9:
        return DateTime(*struct.unpack(">qIi", raw[:16]), raw[16:].decode())
    if kind == 11:
        srid = int.from_bytes(raw[:4], "big")
        return Point(srid, list(struct.unpack(">%dd" % POINT_DIMS[srid], raw[4:])))
    if kind == 12 and (len(raw) - 1) % ELEMENT_BYTES[raw[0]] == 0:
        return Vector(raw[0], raw[1:])
    cls, layout = BY_EXT[kind]
    v = cls(*struct.unpack(layout, raw))
    if cls in (LocalTime, Time) and not 0 <= v.nanos < 86400 * 10 ** 9:
        raise Broken("time of day")
    return v


def _read_path(nodes, rels, steps):
    nodes, rels = [Node(*n) for n in nodes], [Rel(*r) for r in rels]
    for i, step in enumerate(steps):
        r = rels[abs(step) - 1]
        if (nodes[i].id, nodes[i + 1].id) != ((r.start, r.end) if step > 0 else (r.end, r.start)):
            raise Broken("path")
    return Path(nodes, rels, steps)


def unpack(raw, body=False):
    r = Reader(bytes(raw))
    try:
        v = r.value(body)
    except (struct.error, TypeError, KeyError, ValueError, IndexError) as e:
        raise Broken(str(e)) from e
    if r.at != len(raw):
        raise Broken("bytes behind a value")
    return v


def named(body):
    """A body with the names of its keys; keys that are not known are left out."""
    return [named(b) for b in body] if isinstance(body, list) else {
        KEYS[k]: named(v) if k in (73, 89, 95) else v for k, v in body.items() if k in KEYS}


def numbered(body):
    return [numbered(b) for b in body] if isinstance(body, list) else {
        NUMBERS[k]: numbered(v) if k in ("notices", "position", "cause") else v for k, v in body.items()}


def frame(kind, request, body, flags=0):
    raw = pack(body if kind == TYPES["ROWS"] else numbered(body))
    return struct.pack(">IBBHII", len(raw), kind, flags, 0, request, 0) + raw


def parse(kind, raw):
    return unpack(raw) if kind == TYPES["ROWS"] else named(unpack(raw, True))


class Connection:
    """One connection, blocking. run() reads a whole result; send() and receive() are there for tests."""

    def __init__(self, host="127.0.0.1", port=5484, path=None, database=None, timeout=30, hello=True):
        self.where = dict(host=host, port=port, path=path, timeout=timeout)
        self.sock = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.sock.settimeout(timeout)
        self.sock.connect(path or (host, port))
        self.request, self.buffer = 0, b""
        self.sock.sendall(b"KMP\n\x01\x01\0\0" + struct.pack(">II", 0, 16 << 20))
        answer = self._exactly(16)
        if answer[:6] != b"KMP\n\x01\x01":
            raise Broken("no KMP server: %r" % answer)
        if hello:
            self.welcome = self.ask("HELLO", agent="kmp.py/1", mechanism="none", **({"database": database} if database else {}))

    def _exactly(self, n):
        while len(self.buffer) < n:
            more = self.sock.recv(1 << 16)
            if not more:
                raise ConnectionError("the server closed the connection")
            self.buffer += more
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def send(self, kind, flags=0, **body):
        self.request += 1
        self.sock.sendall(frame(TYPES[kind], self.request, body, flags))
        return self.request

    def receive(self):
        """(type, flags, request, body) of the next message."""
        raw, flags = b"", MORE_FRAMES
        while flags & MORE_FRAMES:
            length, kind, flags, _, request, _ = struct.unpack(">IBBHII", self._exactly(16))
            raw += self._exactly(length)
        return next(n for n in TYPES if TYPES[n] == kind), flags, request, parse(kind, raw)

    def ask(self, kind, flags=0, **body):
        return self.wait(self.send(kind, flags, **body))[2]

    def run(self, text, params=None, rows=1000, size=1 << 20, **more):
        """(columns, rows, summary) of a statement."""
        more.update({"params": params} if params else {}, credit_rows=rows, credit_bytes=size)
        return self.wait(self.send("RUN", text=text, **more), rows, size)

    def wait(self, request, rows=1000, size=1 << 20):
        """(columns, rows, last message) of the answer to `request`; what belongs to others is dropped."""
        columns, out, cursor = [], [], None
        while True:
            kind, flags, of, body = self.receive()
            if kind == "ERROR" and of in (request, 0):
                raise KithError(body)
            if of != request:
                continue
            if flags & LAST:
                return columns, out, body
            if kind == "HEAD":
                columns, cursor = body["columns"], body["cursor"]
            elif kind == "ROWS":
                out += body
                if flags & PARKED:
                    self.send("MORE", credit_rows=rows, credit_bytes=size, cursor=cursor)

    def cancel(self, request=0):
        """Cancels from a second connection, as a blocking client does."""
        with Connection(hello=False, **self.where) as other:
            other.ask("CANCEL", request=request, session=self.welcome["session"], cancel_key=self.welcome["cancel_key"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()
