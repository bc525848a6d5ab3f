"""test_bad_input.py KITHD KITH MAKE_STORE - each bad input gives one clear sentence, a non-zero exit, and loses nothing.

A case says what is asked of which program, the exit code, and words that the answer must hold: the thing, and the way out. The
answer is one sentence with the program's name or the error's number; the shell may add the place (LINE and carets) and a HINT.
After each case the graph is still there and kithd still answers.
"""
import atexit
import gzip
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

KITH, MAKE_STORE = (os.path.abspath(p) for p in sys.argv[2:4])
del sys.argv[2:4]
from kithd import PROGRAM, SANITIZER, Server, clean_env, kmp, main  # noqa: E402

FACTS = "MATCH (n:P) OPTIONAL MATCH (n)-[r:K]->() RETURN count(DISTINCT n), count(r), sum(n.id)"
NESTED = "RETURN " + "(" * 100000 + "1" + ")" * 100000


PUBLIC = tempfile.mkdtemp(prefix="kith-bad-input-")
os.chmod(PUBLIC, 0o755)
atexit.register(shutil.rmtree, PUBLIC, ignore_errors=True)


def run(program, args, stdin="", env=None, cwd=None, drop=False):
    """(exit code, standard error, standard output)"""
    rights = []
    if drop and os.geteuid() == 0:  # root may write anywhere; a copy, since the program may lie where only root may look
        rights = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        program = shutil.copy(program, os.path.join(PUBLIC, os.path.basename(program)))
    done = subprocess.run(rights + [program] + list(args), input=stdin if isinstance(stdin, bytes) else stdin.encode(),
                          capture_output=True, timeout=30, env=clean_env(env), cwd=cwd)
    said = done.stderr.decode("utf-8", "replace")
    assert not SANITIZER.search(said), said
    return done.returncode, said, done.stdout.decode("utf-8", "replace")


def one_sentence(said):
    """The message, when `said` is one message with at most a place and a hint; every line is short enough to be read."""
    lines = said.splitlines()
    assert lines, "nothing was said"
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said), "it steers the terminal: %r" % said
    assert re.match(r"(kithd|kith|kith import): |KITH-\d+ \w+: ", lines[0]), said
    rest = lines[1:]
    if rest and rest[0].startswith("LINE "):
        assert re.fullmatch(r"\s*\^+", rest[1]), said
        rest = rest[2:]
    if rest and rest[0].startswith("HINT: "):
        rest = rest[1:]
    assert not rest, "more than one message: " + said
    assert all(len(line) < 400 for line in lines), "a line of %d characters" % max(map(len, lines))
    return said


def check(cases, of, program, still_there):
    failed = []
    for name, case in cases:
        code, words, args = case[:3]
        more = case[3] if len(case) > 3 else {}
        try:
            got, said, _ = run(program, args, **more)
            assert got == code, "exit %d, not %d" % (got, code)
            one_sentence(said)
            for word in words:
                assert word in said, "%r is not in it" % word
            still_there()
        except (AssertionError, subprocess.TimeoutExpired) as e:
            failed.append("%s: %s\n  said: %s" % (name, e, locals().get("said", "")[:500]))
    assert not failed, "%d of %d cases of %s:\n" % (len(failed), len(cases), of) + "\n".join(failed)
    print("%s: %d cases" % (of, len(cases)))


def write(path, text):
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


# ---- the shell ----

def shell_cases(uri, folder):
    def statement(text, *more):
        return [uri, *more, "-c", text]

    def script(name, text):
        return [uri, "-f", write(os.path.join(folder, name), text)]

    at = uri.removeprefix("kith://")
    return [
        # the command line
        ("unknown command", (1, ["nonsense", "kith help"], ["nonsense"])),
        ("unknown flag", (1, ["--nonsense", "--help"], ["--nonsense"])),
        ("flag without its value", (1, ["-c", "--help"], [uri, "-c"])),
        ("unknown format", (1, ["xml", "csv"], [uri, "--format", "xml"])),
        ("two addresses", (1, ["kith://b"], ["kith://a", "kith://b"])),
        ("parameter without a value", (1, ["NAME=VALUE", "oops"], [uri, "-P", "oops", "-c", "RETURN 1"])),
        ("parameter with a strange name", (1, ["a-b", "letters"], [uri, "-P", "a-b=1", "-c", "RETURN 1"])),
        ("text parameter without quotes", (1, ["parameter x", "in quotes"], [uri, "-P", "x=Ada", "-c", "RETURN 1"])),
        ("half a list as parameter", (1, ["parameter x", "[value, ...]"], [uri, "-P", "x=[1, 2", "-c", "RETURN 1"])),
        ("missing script", (1, ["/nowhere/script", "No such file"], [uri, "-f", "/nowhere/script"])),
        ("a folder as script", (3, [folder, "directory"], [uri, "-f", folder])),
        # the address
        ("another scheme", (1, ["bolt", "kith://"], ["bolt://localhost", "-c", "RETURN 1"])),
        ("a port that is none", (1, ["port", "65535"], ["kith://127.0.0.1:99999", "-c", "RETURN 1"])),
        ("user and password", (1, ["user or password", "no login"], ["kith://ada:secret@" + at, "-c", "RETURN 1"])),
        ("tls", (1, ["tls", "not supported"], [uri + "?tls=1", "-c", "RETURN 1"])),
        ("unknown option of the address", (1, ["nonsense"], [uri + "?nonsense=1", "-c", "RETURN 1"])),
        ("nobody listens", (2, ["127.0.0.1:1", "kithd"], ["kith://127.0.0.1:1", "-c", "RETURN 1"])),
        ("no such socket", (2, ["/nowhere/socket", "kithd"], ["kith+unix:///nowhere/socket", "-c", "RETURN 1"])),
        ("unknown host", (2, ["no.such.invalid"], ["kith://no.such.invalid", "-c", "RETURN 1"])),
        ("unknown database", (2, ["nowhere", "'kith'"], [uri + "/nowhere", "-c", "RETURN 1"])),
        # statements
        ("misspelt word", (1, ["RETRUN", "LINE 1", "expected"], statement("RETRUN 1"))),
        ("half a statement", (1, ["ends too early", "expected"], statement("MATCH (n) RETURN"))),
        ("half a string", (1, ["closing quote"], statement("RETURN 'abc"))),
        ("half a pattern", (1, ["')'"], statement("MATCH (n RETURN n"))),
        ("unknown function", (1, ["`foo`"], statement("RETURN foo(1)"))),
        ("unknown variable", (1, ["`x`", "MATCH"], statement("RETURN x"))),
        ("missing parameter", (1, ["$nobody", "value"], statement("RETURN $nobody"))),
        ("wrong type of a parameter", (1, ["SKIP", "Integer", "String"], statement("RETURN 1 SKIP $x", "-P", "x='a'"))),
        ("a map as property", (1, ["`v`", "Map", "boolean"], statement("CREATE (:P {v: $x})", "-P", "x={a: 1}"))),
        ("wrong type of an operand", (1, ["Integer or Float", "String"], statement("RETURN 'a' * 2"))),
        ("an integer too large", (1, ["64 bits"], statement("RETURN 99999999999999999999"))),
        ("division by zero", (1, ["zero"], statement("UNWIND [1, 0] AS x RETURN 1 / x"))),
        ("a value that is there", (1, ["`u`", "`id` = 1"], statement("CREATE (:P {id: 1})"))),
        ("a connected node deleted", (1, ["relationships", "DETACH DELETE"], statement("MATCH (n:P {id: 1}) DELETE n"))),
        ("unknown index dropped", (1, ["`nowhere`"], statement("DROP INDEX nowhere"))),
        ("a constraint that is there", (1, ["`u`", "already"], statement("CREATE CONSTRAINT u FOR (n:P) REQUIRE n.id IS UNIQUE"))),
        ("an index over two properties", (1, ["one property"], statement("CREATE INDEX FOR (n:P) ON (n.a, n.b)"))),
        ("LOAD CSV", (1, ["LOAD CSV", "kith import"], statement("LOAD CSV FROM 'x' AS row RETURN row"))),
        ("a procedure", (1, ["db.labels"], statement("CALL db.labels()"))),
        ("temporal values", (1, ["date()", "integers"], statement("RETURN date()"))),
        ("an order of what is not there", (1, ["`x`"], statement("MATCH (n) RETURN n.id ORDER BY x"))),
        # scripts
        ("half a script", (3, ["ends too early"], script("half", "MATCH (n) RETURN n.id;\nMATCH (n) RETURN"))),
        ("half a string in a script", (3, ["closing quote"], script("quote", "RETURN 1;\nRETURN 'abc;\n"))),
        ("a script stops at its first error", (3, ["RETRUN"], script("stop", "RETRUN 1;\nMATCH (n) DETACH DELETE n;\n"))),
        ("parentheses 100,000 deep", (3, ["1000", "1,000"], script("deep", NESTED))),
        ("lists 100,000 deep", (3, ["1000", "1,000"], script("lists", "RETURN " + "[" * 100000))),
        ("a statement of 10 MB", (3, ["1048576", "parameters"], script("long", "RETURN '%s'" % ("a" * 10000000)))),
        ("a script that is not UTF-8", (3, ["UTF-8"], script("latin", b"RETURN 'f\xfcr';"))),
        ("a NUL byte", (3, ["NUL"], script("nul", b"RETURN 1\0;"))),
        ("a pipe with half a statement", (3, ["ends too early"], [uri], dict(stdin="RETURN 1;\nRETURN"))),
        ("unknown command of the shell", (1, [":nonsense", ":help"], statement(":nonsense"))),
        ("commit without a transaction", (1, ["no transaction", "BEGIN"], statement(":commit"))),
        ("unknown parameter shown", (1, ["nobody", ":param"], statement(":param nobody"))),
    ]


def test_the_shell():
    with tempfile.TemporaryDirectory() as folder, Server() as s, s.connect() as c:
        c.run("CREATE CONSTRAINT u FOR (n:P) REQUIRE n.id IS UNIQUE")
        c.run("CREATE (:P {id: 1})-[:K]->(:P {id: 2})")

        def still_there():
            assert c.run(FACTS)[1] == [[2, 1, 3]], "something was lost, or written"

        check(shell_cases("kith://127.0.0.1:%d" % s.port, folder), "kith", KITH, still_there)


# ---- the server ----

def in_use():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen(1)
    return taken, taken.getsockname()[1]


def store(kind, folder):
    data = os.path.join(folder, kind)
    os.mkdir(data)
    subprocess.run([MAKE_STORE, kind, os.path.join(data, "1")], check=True, env=clean_env())
    return data


def listing(folder):
    """Names and sizes of what a refused kithd must leave as it was."""
    return sorted((os.path.join(at, n), os.path.getsize(os.path.join(at, n)))
                  for at, _, names in os.walk(folder) for n in names
                  if n != "LOCK" and not at.endswith(("newer/1", "strange/1")))  # opened to be read: their log may become a table


def test_the_server():
    with tempfile.TemporaryDirectory() as folder, Server() as s, s.connect() as c:
        os.chmod(folder, 0o755)
        c.run("CREATE CONSTRAINT u FOR (n:P) REQUIRE n.id IS UNIQUE")
        c.run("CREATE (:P {id: 1})-[:K]->(:P {id: 2})")
        taken, port = in_use()
        plain = write(os.path.join(folder, "plain"), "x")
        read_only = os.path.join(folder, "read_only")
        os.mkdir(read_only, 0o555)
        strangers = os.path.join(folder, "strangers")
        os.makedirs(os.path.join(strangers, "1"))
        write(os.path.join(strangers, "1", "thesis.tex"), "years of work")
        with Server(data=os.path.join(folder, "good")) as t, t.connect() as d:
            d.run("UNWIND range(1, 1000) AS i CREATE (:P {id: i})")
        with Server(data=os.path.join(folder, "good")):
            pass  # what was in the log is in a table now
        good = os.path.join(folder, "good")

        def copy(name):
            return shutil.copytree(good, os.path.join(folder, name))

        lost = copy("lost_current")
        os.remove(os.path.join(lost, "1", "CURRENT"))
        broken = copy("broken_current")
        write(os.path.join(broken, "1", "CURRENT"), "garbage")
        gone = copy("gone_manifest")
        for name in os.listdir(os.path.join(gone, "1")):
            if name.startswith("MANIFEST"):
                os.remove(os.path.join(gone, "1", name))
        no_tables = copy("gone_tables")
        removed = [os.remove(os.path.join(no_tables, "1", n)) for n in os.listdir(os.path.join(no_tables, "1")) if n.endswith(".sst")]
        assert removed
        conf = write(os.path.join(folder, "conf"), "[kmp]\nlissen = x\n")
        half = write(os.path.join(folder, "half"), "[limits]\nquery_timeout =")
        at, e = ["--kmp-listen", "127.0.0.1:0"], ["--ephemeral"]
        cases = [
            ("nothing said", (2, ["--data DIR", "--ephemeral"], [])),
            ("unknown flag", (2, ["--nonsense", "nearest is --"], e + ["--nonsense", "1"])),
            ("misspelt flag", (2, ["--kmp-lisen", "--kmp-listen"], e + ["--kmp-lisen", "x"])),
            ("flag without a value", (2, ["--kmp-socket", "value"], e + ["--kmp-socket"])),
            ("a stray word", (2, ["stray"], e + ["stray"])),
            ("a number that is none", (2, ["many", "whole number"], e + ["--server-workers", "many"])),
            ("a number out of bounds", (2, ["5000", "1024"], e + ["--server-workers", "5000"])),
            ("a time that is none", (2, ["soon", "30s"], e + ["--limits-query-timeout", "soon"])),
            ("misspelt setting in the environment", (1, ["KITH_KMP_HARTBEAT", "KITH_KMP_HEARTBEAT"], e, dict(env={"KITH_KMP_HARTBEAT": "1s"}))),
            ("missing file of settings", (1, ["/nowhere/conf", "No such file"], e + ["--config", "/nowhere/conf"])),
            ("misspelt setting in the file", (1, ["lissen", ":2", "listen"], e + ["--config", conf])),
            ("half a line in the file", (1, ["query_timeout", ":2"], e + ["--config", half])),
            ("off loopback", (1, ["0.0.0.0", "no login", "127.0.0.1"], e + ["--kmp-listen", "0.0.0.0:5484"])),
            ("a host by name", (1, ["example.org", "number"], e + ["--kmp-listen", "example.org:5484"])),
            ("port in use", (1, [str(port), "in use", "--kmp-listen"], e + ["--kmp-listen", "127.0.0.1:%d" % port])),
            ("a file where the socket should be", (1, [plain, "socket"], e + ["--kmp-listen", "", "--kmp-socket", plain])),
            ("no door", (1, ["--kmp-listen"], e + ["--kmp-listen", ""])),
            ("both kinds of data", (2, ["--ephemeral", "--data"], e + ["--data", folder])),
            ("a file as data folder", (1, [plain, "--data"], ["--data", plain] + at)),
            ("no parent folder", (1, ["/nowhere/at/all", "--data"], ["--data", "/nowhere/at/all"] + at)),
            ("data folder locked", (1, [s.data, "another process", "--data"], ["--data", s.data] + at)),
            ("data folder read-only", (1, [read_only, "right", "--data"], ["--data", read_only] + at, dict(drop=True))),
            ("a new folder in a read-only one", (1, [read_only, "--data"], ["--data", read_only + "/new"] + at, dict(drop=True))),
            ("strangers' files", (1, ["thesis.tex", strangers, "folder"], ["--data", strangers] + at)),
            ("another program's store", (1, ["other/1", "no Kith database"], ["--data", store("other", folder)] + at)),
            ("a newer format", (1, ["newer/1", "format 2", "newer version of Kith"], ["--data", store("newer", folder)] + at)),
            ("a format that is none", (1, ["strange/1", "Kith database", "backup"], ["--data", store("strange", folder)] + at)),
            ("a store without its CURRENT", (1, [lost, "backup"], ["--data", lost] + at)),
            ("a broken CURRENT", (1, [broken, "backup"], ["--data", broken] + at)),
            ("a store without its MANIFEST", (1, [gone, "backup"], ["--data", gone] + at)),
            ("a store without a table", (1, [no_tables, "backup"], ["--data", no_tables] + at)),
            ("a database as data folder", (1, [good + "/1", "above"], ["--data", good + "/1"] + at)),
        ]
        before = listing(folder)

        def still_there():
            assert c.run(FACTS)[1] == [[2, 1, 3]]
            assert listing(folder) == before, "files changed: %s" % (set(listing(folder)) ^ set(before))

        check(cases, "kithd", PROGRAM, still_there)
        taken.close()
        with Server(data=good) as t, t.connect() as d:
            assert d.run("MATCH (n:P) RETURN count(n)")[1] == [[1000]]


def test_strange_bytes_at_the_door():
    with Server() as s, s.connect() as c:
        c.run("CREATE (:P {id: 1})-[:K]->(:P {id: 2})")
        for raw, word in ((b"GET / HTTP/1.1\r\n\r\n", b"KMP"), (b"\x16\x03\x01" + b"\0" * 30, b"KMP"), (b"\x60\x60\xb0\x17" + b"\0" * 16, b"KMP")):
            with socket.create_connection(("127.0.0.1", s.port), timeout=10) as strange:
                strange.sendall(raw)
                said = b""
                while more := strange.recv(4096):
                    said += more
                line = said.splitlines()[-1] if said.startswith(b"HTTP") else said
                assert word in said and line.count(b"\n") <= 1, said
        for params in ({"x": kmp.Date(1)}, {"x": kmp.Point(4326, [1.0, 2.0])}):
            try:
                c.run("RETURN $x", params)
                raise AssertionError("taken")
            except kmp.KithError as e:
                assert e.name == "NotSupported" and "x" in e.body["message"], e.body
        assert c.run(FACTS)[1] == [[2, 1, 3]]


# ---- the import ----

def test_the_import():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)

        def f(name, text):
            return write(os.path.join(folder, name), text)

        edges = f("edges", "1 2\n2 3\n")
        taken = os.path.join(folder, "taken")
        there = ["import", "--data", taken, "--edges", edges, "--label", "P", "--type", "K"]
        assert run(KITH, there)[0] == 0
        read_only = os.path.join(folder, "read_only")
        os.mkdir(read_only, 0o555)
        packed = gzip.compress(b"1 2\n" * 10000)

        def new(edges, *more, data="new"):
            return ["import", "--data", os.path.join(folder, data), "--edges", edges, "--label", "P", "--type", "K", *more]

        def nodes(name, text):
            return new(edges, "--nodes", f(name, text))

        cases = [
            ("nothing said", (2, ["--data", "--help"], ["import"])),
            ("unknown flag", (2, ["--nonsense", "--help"], ["import", "--nonsense", "1"])),
            ("flag without a value", (2, ["--label", "value"], ["import", "--label"])),
            ("flag twice", (2, ["--label", "twice"], ["import", "--label", "A", "--label", "B"])),
            ("a database that is there", (3, [taken, "another --data"], there)),
            ("missing edges", (3, ["/nowhere/edges", "No such file"], new("/nowhere/edges"))),
            ("a folder as edges", (3, [folder, "directory"], new(folder))),
            ("missing nodes", (3, ["/nowhere/nodes", "No such file"], new(edges, "--nodes", "/nowhere/nodes"))),
            ("no parent folder", (3, ["/nowhere/at/all", "No such file"], ["import", "--data", "/nowhere/at/all"] + new(edges)[3:])),
            ("a read-only folder", (3, [read_only, "denied"], ["import", "--data", read_only] + new(edges)[3:], dict(drop=True))),
            ("broken gzip", (3, ["broken.gz"], new(f("broken.gz", b"\x1f\x8bnot at all")))),
            ("half a gzip", (3, ["half.gz"], new(f("half.gz", packed[:len(packed) // 2])))),
            ("no nodes at all", (2, ["empty.csv", "id,name:type"], nodes("empty.csv", ""))),
            ("a heading without id", (2, ["name.csv", "\"name\"", "id,name:type"], nodes("name.csv", "name,id\nAda,1\n"))),
            ("a type that is none", (2, ["date.csv", "\"date\"", "string"], nodes("date.csv", "id,born:date\n1,2\n"))),
            ("a heading that steers", (2, ["steer.csv", "\\u001b[2J"], nodes("steer.csv", "id,born:da\x1b[2J\u202e\u009bte\n1,2\n"))),
            ("a heading of no UTF-8", (2, ["latin.csv", "\\xe9"], nodes("latin.csv", b"id,born:dat\xe9\n1,2\n"))),
            ("a column twice", (2, ["twice.csv", "\"a\"", "twice"], nodes("twice.csv", "id,a:integer,a:integer\n1,2,3\n"))),
        ]

        def still_there():
            assert sorted(os.listdir(taken)) == ["1"], os.listdir(taken)
            assert not os.path.exists(os.path.join(folder, "new")), "a failed import left something"

        check(cases, "kith import", KITH, still_there)
        with Server(data=taken) as s, s.connect() as c:
            assert c.run("MATCH (n:P)-[r:K]->(m) RETURN count(r), sum(m.id)")[1] == [[2, 5]]


REJECTED = [
    # edges, nodes, more flags, rejects of edges, rejects of nodes: line and words of the reason
    ("1 2\nx 3\n4\n5 99999999999999999999\n2 3", None, [], [(2, "first column"), (3, "fewer than two"), (4, "64 bits")], []),
    ("1 2 0.5\n2 3 heavy\n3 4\n", None, ["--weight", "w"], [(2, "no number"), (3, "no third column")], []),
    ("1 2 7\n", None, [], [(1, "--weight")], []),
    ("1 2\n2 9\n", "id,name:string\n1,Ada\n2,Bob\n", [], [(2, "lacks the second node")], []),
    ("1 2\n", "id,age:integer\n1,36\n2,\"37\n", [], [(1, "lacks the second node")], [(3, "quote")]),
    ("1 2\n", "id,age:integer\n1,36\n2,old\n1,7\n3,4,5\n", [], [(1, "lacks the second node")],
     [(3, "no integer"), (4, "came before"), (5, "more fields")]),
    ("1 2\n", "id,good:boolean\n1,perhaps\n2,true\n", [], [(1, "lacks the first node")], [(2, "true nor false")]),
]


def test_a_byte_order_mark_costs_no_line():
    mark = b"\xef\xbb\xbf"
    for edges, nodes in ((mark + b"1 2\n2 3\n", None), (mark + b"# a comment\r\n1 2\r\n2 3\r\n", None), (gzip.compress(mark + b"1 2\n2 3"), None),
                         (b"1 2\n2 3", mark + b"id,name:string\n1,Ada\n2,Bob\n3,Eve\n"),
                         (mark + b"1 2\n2 3", mark + b"\"id\",name:string\n1,Ada\n2,\xef\xbb\xbfBob\n3,Eve\n")):
        with tempfile.TemporaryDirectory() as folder:
            more = ["--nodes", write(os.path.join(folder, "nodes"), nodes)] if nodes else []
            code, said, out = run(KITH, ["import", "--data", os.path.join(folder, "d"), "--edges", write(os.path.join(folder, "edges"), edges),
                                         "--label", "P", "--type", "K", *more])
            assert code == 0 and "3 nodes, 2 relationships, 0 rejected" in out, (edges, nodes, code, said, out)
    with tempfile.TemporaryDirectory() as folder:  # half a mark is none
        at = write(os.path.join(folder, "edges"), b"\xef\xbb1 2\n2 3\n")
        code, said, out = run(KITH, ["import", "--data", os.path.join(folder, "d"), "--edges", at, "--label", "P", "--type", "K"])
        assert code == 1 and "2 nodes, 1 relationships, 1 rejected" in out, (code, said, out)


def test_bad_lines_are_put_aside_and_counted():
    for edges, nodes, flags, bad_edges, bad_nodes in REJECTED:
        with tempfile.TemporaryDirectory() as folder:
            at = write(os.path.join(folder, "edges"), edges)
            more = ["--nodes", write(os.path.join(folder, "nodes"), nodes)] if nodes else []
            code, said, out = run(KITH, ["import", "--data", os.path.join(folder, "d"), "--edges", at, "--label", "P", "--type", "K",
                                         *more, *flags])
            count = len(bad_edges) + len(bad_nodes)
            assert code == 1 and "%d rejected" % count in out, (edges, code, said, out)
            assert at + ".rejects" in one_sentence(said) and ": %d;" % count in said, said
            for file, bad in ((at, bad_edges), (os.path.join(folder, "nodes"), bad_nodes)):
                lines = []
                if os.path.exists(file + ".rejects"):
                    with open(file + ".rejects") as f:
                        lines = f.read().splitlines()
                assert len(lines) == len(bad), (edges, lines)
                for line, (number, words) in zip(lines, bad):
                    assert line.startswith("%d\t" % number) and words in line, (line, number, words)
            with Server(data=os.path.join(folder, "d")) as s, s.connect() as c:
                rels = c.run("MATCH (:P)-[r:K]->(:P) RETURN count(r)")[1][0][0]
                whole = len([line for line in edges.splitlines() if line]) - len(bad_edges)
                assert rels == whole, (edges, rels, whole)


if __name__ == "__main__":
    main(globals())
