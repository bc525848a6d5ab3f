#!/usr/bin/env python3
"""The shell, driven through a pseudo terminal and through pipes: formats, parameters, exit codes, history, editing over
several lines, the caret under an error, Ctrl-C. test_shell.py BIN [URI]: against fake_server.py, or a server at URI."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_server import FakeServer  # noqa: E402

LONG = "UNWIND range(1,10000) AS a UNWIND range(1,10000) AS b UNWIND range(1,10000) AS c RETURN count(*)"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Terminal:
    """The shell on a pseudo terminal; wait() reads until a text has come."""

    def __init__(self, program, uri, home, *arguments):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(HOME=home, TERM="xterm", LC_ALL="C.UTF-8")
            os.environ.pop("EDITRC", None)
            try:
                os.execv(program, [program, uri, *arguments])
            finally:
                os._exit(127)
        self.seen = ""

    def wait(self, text, seconds=20):
        """What came up to and with `text`; the rest is kept."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            if time.monotonic() > end:
                raise AssertionError("waited for %r, saw %r" % (text, self.seen[-500:]))
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    more = os.read(self.fd, 65536)
                except OSError:
                    more = b""
                if not more:
                    raise AssertionError("the shell ended while %r was waited for, saw %r" % (text, self.seen[-500:]))
                self.seen += plain(more.decode("utf-8", "replace"))
        cut = self.seen.index(text) + len(text)
        out, self.seen = self.seen[:cut], self.seen[cut:]
        return out

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        """Ctrl-D, and the exit code."""
        self.type("\x04")
        return self.code()

    def code(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    os.read(self.fd, 65536)
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError("the shell does not end")


def plain(text):
    """Without escape sequences of the terminal."""
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[=>])", "", text).replace("\r", "")


class Case:
    def __init__(self, program, uri, home):
        self.program, self.uri, self.home = program, uri, home

    def run(self, *arguments, text=None, uri=None):
        """(exit code, output, errors) of the shell without a terminal."""
        done = subprocess.run([self.program, uri or self.uri, *arguments], input=text if text is not None else "", capture_output=True,
                              timeout=60, env=dict(os.environ, HOME=self.home, LC_ALL="C.UTF-8"))
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def terminal(self, *arguments):
        t = Terminal(self.program, self.uri, self.home, *arguments)
        t.wait("kith> ")
        return t


def same(got, want):
    assert got == want, "got %r, not %r" % (got, want)


@check
def a_table_is_aligned_by_what_the_eye_sees(c):
    code, out, err = c.run("-c", "RETURN 'na\u00efve \u4f60\u597d' AS t")
    same((code, err), (0, ""))
    same(out, " t\n------------\n na\u00efve \u4f60\u597d\n(1 row)\n")


@check
def numbers_stand_at_the_right(c):
    same(c.run("-c", "UNWIND range(1, 10) AS n RETURN n")[1].split("\n")[2:12], ["  %d" % n if n < 10 else " 10" for n in range(1, 11)])


@check
def csv_has_a_heading_and_quotes_what_needs_it(c):
    same(c.run("--format", "csv", "-c", "RETURN 'a,\"b\"' AS t"), (0, 't\r\n"a,""b"""\r\n', ""))


@check
def json_lines_are_objects(c):
    same(c.run("--format=jsonl", "-P", "x={a: [1, 'b', 2.5], \"c d\": null}", "-c", "RETURN $x AS x"),
         (0, '{"x":{"a":[1,"b",2.5],"c d":null}}\n', ""))


@check
def a_parameter_keeps_its_kind(c):
    for literal, json in [("1", "1"), ("-1.5", "-1.5"), ("true", "true"), ("null", "null"), ("'\\u00e4'", '"\u00e4"'), ("[]", "[]"),
                          ("9223372036854775807", "9223372036854775807"), ("{}", "{}")]:
        same(c.run("--format", "jsonl", "-P", "x=" + literal, "-c", "RETURN $x AS x"), (0, '{"x":%s}\n' % json, ""))
    for literal in ["x", "'x", "[1", "{a}", "1 2", "99999999999999999999", "'\\q'", ""]:
        code, out, err = c.run("-P", "x=" + literal, "-c", "RETURN $x AS x")
        assert code == 1 and out == "" and "parameter x" in err, (literal, code, out, err)


@check
def statements_come_from_a_pipe_and_a_file(c):
    script = "RETURN 1 AS a; // a comment; with a semicolon\nRETURN ';' AS b;\n:param y 7\nRETURN $y AS y"
    want = "a\r\n1\r\nb\r\n;\r\ny\r\n7\r\n"
    same(c.run("--format", "csv", text=script.encode()), (0, want, ""))
    with tempfile.NamedTemporaryFile("w", suffix=".cypher") as file:
        file.write(script)
        file.flush()
        same(c.run("--format", "csv", "-f", file.name), (0, want, ""))


@check
def exit_codes_are_those_of_psql(c):
    same(c.run("-c", "RETURN 1 AS n")[0], 0)
    same(c.run("-c", "NONSENSE !")[0], 1)
    same(c.run("--format", "xml")[0], 1)
    same(c.run("-f", "/there/is/no/such/file")[0], 1)
    same(c.run("-x")[0], 1)
    same(c.run("-c", "RETURN 1 AS n", uri="kith://127.0.0.1:1")[0], 2)
    same(c.run(text=b"NONSENSE !; RETURN 1 AS n;")[:2], (3, ""))


@check
def an_address_that_asks_for_more_is_refused(c):
    for uri in ["kith://me@127.0.0.1", "kith://me:secret@127.0.0.1", "kith://127.0.0.1/kith?tls=verify"]:
        code, _, err = c.run("-c", "RETURN 1 AS n", uri=uri)
        assert code == 1 and "NotSupported" in err, (uri, code, err)


@check
def a_large_result_is_streamed(c):
    code, out, _ = c.run("--format", "csv", "-c", "UNWIND range(1, 50000) AS n RETURN n")
    same((code, out.split()), (0, ["n"] + [str(n) for n in range(1, 50001)]))


@check
def a_caret_stands_under_the_place(c):
    err = c.run("-c", "RETURN 1 +\n  \u4f60 ! 2")[2].split("\n")
    caret = next(i for i, line in enumerate(err) if line.strip().startswith("^"))
    same(err[caret - 1].split(": ")[0], "LINE 2")
    if c.fake:
        same(err[caret].index("^"), len("LINE 2:   ") + 3)  # the Chinese letter is two columns wide


WILD = "a\x1b[2J\x07\x7f\x9b31m\u202e\u2066b"
TAME = "a\\u001b[2J\\u0007\\u007f\\u009b31m\\u202e\\u2066b"


@check
def nothing_in_a_table_or_an_error_steers_the_terminal(c):
    same(c.run("-c", "RETURN '%s' AS `%s`" % (WILD, WILD))[1].split("\n")[:3:2], [" " + TAME] * 2)
    same(c.run("-P", "x={`%s`: ['%s']}" % (WILD, WILD), "-c", "RETURN $x AS x")[1].split("\n")[2].count("\\u202e"), 2)
    err = c.run("-c", "RETURN '%s' ! 2" % WILD)[2]
    assert "LINE 1: RETURN '%s' ! 2\n" % TAME in err, err
    if c.fake:
        line, caret = err.split("\n")[1:3]
        same(line[len(caret) - 1], "!")
        same(c.run("-c", "COMPLAIN no %s\nHINT: none" % WILD)[2],
             "KITH-1020 UndefinedVariable: no %s\\nHINT: none\nHINT: no %s\\nHINT: none\n" % (TAME, TAME))
    for arguments in (["--" + WILD], ["-f", WILD], ["-P", WILD], ["-P", WILD + "=1"], ["-P", "x=" + WILD], ["--format", WILD],
                      ["-c", ":" + WILD], ["-c", ":param " + WILD], ["-P", "x='%s'" % WILD, "-c", ":param"], [WILD]):
        code, out, err = c.run(*arguments)
        assert TAME in out + err and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066]", out + err), (arguments, out, err)


@check
def csv_and_json_lines_stay_data(c):
    same(c.run("--format", "csv", "-c", "RETURN '%s' AS `%s`" % (WILD, WILD))[1], "%s\r\n%s\r\n" % (WILD, WILD))
    row = c.run("--format", "jsonl", "-c", "RETURN '%s' AS `%s`" % (WILD, WILD))[1]
    same(json.loads(row), {WILD: WILD})
    assert "\x1b" not in row


@check
def a_statement_may_span_lines(c):
    t = c.terminal()
    t.type("RETURN\n")
    t.wait("....> ")
    t.type("'one;two'\n")
    t.wait("....> ")
    t.type("AS x;\n")
    t.wait(" one;two\n")
    t.wait("(1 row, ")
    t.wait("kith> ")
    same(t.end(), 0)


@check
def history_comes_back_also_in_the_next_shell(c):
    t = c.terminal()
    t.type("RETURN 11\nAS eleven;\n")
    t.wait(" 11\n")
    t.wait("kith> ")
    same(t.end(), 0)
    t = c.terminal()
    t.type("\x1b[A")
    t.wait("RETURN 11 AS eleven;")
    t.type("\n")
    t.wait(" 11\n")
    t.wait("kith> ")
    t.type("\x10\x7f\x7f\x7f\x7f\x7f\x7f\x7fxi;\n")  # Ctrl-P, then the end is edited
    t.wait(" xi\n")
    t.wait("kith> ")
    same(t.end(), 0)


@check
def an_error_shows_its_caret_and_the_shell_goes_on(c):
    t = c.terminal()
    t.type("NONSENSE !;\n")
    t.wait("LINE 1: NONSENSE !\n")
    t.wait("^\n")
    t.wait("kith> ")
    t.type("RETURN 5 AS n;\n")
    t.wait(" 5\n")
    t.wait("kith> ")
    same(t.end(), 0)


@check
def ctrl_c_cancels_the_query_and_not_the_shell(c):
    t = c.terminal()
    t.type(LONG + ";\n")
    time.sleep(0.7)
    t.type("\x03")
    t.wait("Cancelled")
    t.wait("kith> ")
    t.type("RETURN 6 AS n;\n")
    t.wait(" 6\n")
    t.wait("kith> ")
    same(t.end(), 0)


@check
def ctrl_c_drops_what_is_being_typed(c):
    t = c.terminal()
    t.type("RETURN 7\n")
    t.wait("....> ")
    t.type("AS never\x03")
    t.wait("kith> ")
    t.type("RETURN 8 AS n;\n")
    t.wait(" 8\n")
    t.wait("kith> ")
    same(t.end(), 0)


@check
def ctrl_c_ends_a_script(c):
    shell = subprocess.Popen([c.program, c.uri, "-c", LONG], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    time.sleep(0.7)
    shell.send_signal(signal.SIGINT)
    err = shell.communicate(timeout=20)[1]
    assert shell.returncode == 1 and "Cancelled" in err, (shell.returncode, err)


@check
def commands_of_the_shell_are_answered(c):
    t = c.terminal()
    t.type(":help\n")
    t.wait(":rollback")
    t.wait("kith> ")
    t.type(":param who 'Ada'\n")
    t.wait("kith> ")
    t.type(":param\n")
    t.wait("who = 'Ada'")
    t.type(":format jsonl\n")
    t.wait("kith> ")
    t.type("RETURN $who AS who;\n")
    t.wait('{"who":"Ada"}')
    t.type(":begin\n")
    t.wait("kith*> ")
    t.type(":rollback\n")
    t.wait("kith> ")
    t.type(":nonsense\n")
    t.wait("no command :nonsense")
    t.type(":quit\n")
    same(t.code(), 0)


def main():
    program = os.path.join(sys.argv[1], "kith")
    server = None if len(sys.argv) > 2 else FakeServer()
    failed = 0
    for function in CHECKS:
        home = tempfile.mkdtemp(prefix="kith-shell-")
        case = Case(program, sys.argv[2] if server is None else server.uri, home)
        case.fake = server is not None
        begin = time.monotonic()
        try:
            function(case)
            print("ok    %-55s %5.1f s" % (function.__name__, time.monotonic() - begin))
        except Exception as e:  # noqa: BLE001 - the next check shall run all the same
            failed += 1
            print("WRONG %s: %s: %s" % (function.__name__, type(e).__name__, e))
        finally:
            shutil.rmtree(home, ignore_errors=True)
    print("%d checks, %d failed" % (len(CHECKS), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
