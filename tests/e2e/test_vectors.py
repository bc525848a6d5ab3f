#!/usr/bin/env python3
"""The Python client passes every line of protocol/vectors/vectors.jsonl (its README says what each kind asks for)."""
import json
import math
import os
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "client"))
import kmp  # noqa: E402

CLASSES = {"date": kmp.Date, "local_time": kmp.LocalTime, "time": kmp.Time, "local_datetime": kmp.LocalDateTime,
           "datetime": kmp.DateTime, "duration": kmp.Duration}


def fields(props):
    return {k: value(v) for k, v in props.items()}


def node(j):
    return kmp.Node(j["id"], j["labels"], fields(j["props"]))


def rel(j):
    return kmp.Rel(j["id"], j["start"], j["end"], j["type"], fields(j["props"]))


def value(j):
    """The value that JSON stands for."""
    if isinstance(j, list):
        return [value(x) for x in j]
    if not isinstance(j, dict):
        return j
    (kind, x), = j.items()
    if kind in CLASSES:
        return CLASSES[kind](**x)
    return {"float": lambda: float(x), "bytes": lambda: bytes.fromhex(x), "uuid": lambda: kmp.UUID(bytes.fromhex(x)),
            "map": lambda: fields(x), "node": lambda: node(x), "rel": lambda: rel(x),
            "path": lambda: kmp.Path([node(n) for n in x["nodes"]], [rel(r) for r in x["rels"]], x["steps"]),
            "point": lambda: kmp.Point(x["srid"], x["at"]),
            "vector": lambda: kmp.Vector(x["element"], bytes.fromhex(x["data"]))}[kind]()


def body(kind, j):
    if kind == "ROWS":
        return value(j)
    return {k: value(v) if k in ("params", "counters", "cancel_key") else v for k, v in j.items()}


def same(a, b):
    """Equal also in kind: 1 is not 1.0 and 0.0 is not -0.0; NaN is NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack(">d", a) == struct.pack(">d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return a == b


def check(vector):
    raw, kind, want = bytes.fromhex(vector["hex"]), vector["kind"], vector["json"]
    if kind == "value-bad":
        try:
            return "was read as %r" % (kmp.unpack(raw),)
        except kmp.Broken:
            return None
    if kind == "message":
        length, code, flags, stream, request, zero = struct.unpack(">IBBHII", raw[:16])
        assert length == len(raw) - 16 and stream == 0 and zero == 0
        name, expect = want["type"], body(want["type"], want["body"])
        got = kmp.parse(code, raw[16:])
        if kmp.TYPES[name] != code or flags != want["flags"] or request != want["request"] or not same(got, expect):
            return "read as %r" % (got,)
        again = kmp.frame(code, request, expect, flags)
        # ROWS have the long form of the array header, which another writer need not use
        return None if again == raw or name == "ROWS" else "written as %s" % again.hex()
    got = kmp.unpack(raw)
    if not same(got, value(want)):
        return "read as %r" % (got,)
    if kind == "value" and bytes(kmp.pack(value(want))) != raw:
        return "written as %s" % kmp.pack(value(want)).hex()
    return None


def main():
    failed = total = 0
    with open(os.path.join(ROOT, "protocol", "vectors", "vectors.jsonl"), encoding="utf-8") as lines:
        for line in lines:
            vector = json.loads(line)
            total += 1
            wrong = check(vector)
            if wrong:
                failed += 1
                print("%s: %s" % (vector["name"], wrong[:300]))
    with open(os.path.join(ROOT, "tests", "client", "kmp.py"), encoding="utf-8") as source:
        assert sum(1 for _ in source) <= 300, "the client is above 300 lines"
    print("%d vectors, %d failed" % (total, failed))
    return 1 if failed or total < 130 else 0


if __name__ == "__main__":
    sys.exit(main())
