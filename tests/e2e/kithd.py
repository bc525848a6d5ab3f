"""kithd.py - starts a server for a test and stops it; what every e2e test needs.

Each server has a temporary folder of its own and a free port. Errors of a sanitizer in what it wrote fail the test.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "client"))
import kmp  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else None
SANITIZED = PROGRAM is not None and any(w in open(PROGRAM, "rb").read() for w in (b"__asan_init", b"__tsan_init"))
SANITIZER = re.compile("AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error|check failed", re.I)


def clean_env(extra=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith("KITH_")}
    env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=16"  # freed memory counts as resident
    env.update(extra or {})
    return env


class Server:
    """with Server("--limits-query-timeout", "1s") as s: s.connect() ..."""

    def __init__(self, *flags, env=None, data=None, listen=True):
        self.folder = tempfile.mkdtemp(prefix="kithd-test-")
        self.data = data or os.path.join(self.folder, "data")
        where = [] if "--ephemeral" in flags or data == "" else ["--data", self.data]
        door = ["--kmp-listen", "127.0.0.1:0"] if listen else []
        self.err = open(os.path.join(self.folder, "stderr"), "w+")
        self.process = subprocess.Popen([PROGRAM] + where + door + list(flags), stdout=subprocess.PIPE, stderr=self.err,
                                        text=True, env=clean_env(env), cwd=self.folder)
        self.doors, self.port, self.socket = [], None, None
        for _ in range(1 + ("--kmp-socket" in flags)) if listen else range(1):
            line = self.process.stdout.readline()
            if not line:
                self.process.wait()
                raise AssertionError("kithd did not start: " + self.errors())
            where = line.strip().removeprefix("kithd: listening on ")
            self.doors.append(where)
            if where.startswith("/"):
                self.socket = where
            else:
                self.port = int(where.rsplit(":", 1)[1])

    def connect(self, **more):
        return kmp.Connection(**({"port": self.port} if self.port else {"path": self.socket}), **more)

    def errors(self):
        self.err.seek(0)
        return self.err.read()

    def rss(self):
        """Resident bytes."""
        with open("/proc/%d/statm" % self.process.pid) as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def signal(self, which=signal.SIGTERM):
        self.process.send_signal(which)

    def stop(self, timeout=20):
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.signal()
        return self.process.wait(timeout)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            code = self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = "none within 20 s of SIGTERM"
        said = self.errors()
        self.err.close()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if kind is None or SANITIZER.search(said):
            assert not SANITIZER.search(said), said
            assert code in (0, -signal.SIGKILL), "exit %s\n%s" % (code, said)


def fails(*args, env=None, cwd=None):
    """Runs kithd, which must not start: (exit code, what it wrote to standard error)."""
    done = subprocess.run([PROGRAM] + list(args), capture_output=True, text=True, timeout=20, env=clean_env(env), cwd=cwd)
    assert not SANITIZER.search(done.stderr), done.stderr
    return done.returncode, done.stderr


def error_of(call, *args, **more):
    """The KithError that a call raises."""
    try:
        call(*args, **more)
    except kmp.KithError as e:
        return e
    raise AssertionError("no error came")


def eventually(what, within=5.0):
    end = time.monotonic() + within
    while not what():
        assert time.monotonic() < end, "did not come about within %g s" % within
        time.sleep(0.01)


def main(tests):
    """Runs each function whose name begins with test_; says which failed."""
    only = sys.argv[2:]
    names = [n for n in tests if n.startswith("test_") and (not only or n in only)]
    assert names, "no test"
    for name in names:
        start = time.monotonic()
        tests[name]()
        print("ok %s %.2f s" % (name, time.monotonic() - start), flush=True)
    print("Tested: %d" % len(names))
