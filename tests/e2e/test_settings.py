"""Settings by file, environment and flag, and each way not to start: one clear sentence and a non-zero exit."""
import os
import socket
import subprocess
import tempfile
import time

from kithd import PROGRAM, Server, clean_env, error_of, fails, kmp, main


def one_line(said):
    assert said.startswith("kithd: ") and said.count("\n") == 1, said
    return said


# section, key, value, and what shows that it took
def shows_frame(c):
    return c.welcome["frame_most"] == 2 << 20


def shows_heartbeat(c):
    return c.welcome["heartbeat_s"] == 7


def shows_timeout(c):
    return error_of(c.run, "SPIN").name == "Deadline"


def shows_memory(c):
    return "limit of 2097152 bytes" in str(error_of(c.run, "EAT"))


def shows_idle(c):
    c.ask("BEGIN")
    time.sleep(0.4)
    return error_of(c.ask, "COMMIT").name == "TransactionTimedOut"


def shows_age(c):
    c.ask("BEGIN", read_only=True)
    time.sleep(0.4)
    return error_of(c.ask, "COMMIT").name == "SnapshotTooOld"


def shows_cursor(c):
    run = c.send("RUN", text="ROWS 10", credit_rows=1)
    while True:
        kind, _, of, body = c.receive()
        if kind == "ERROR":
            return body["name"] == "SnapshotTooOld"


def shows_cursors(c):
    for _ in range(2):
        kmp_park(c)
    return "limits cursors allows 2" in str(error_of(c.run, "RETURN 1"))


def kmp_park(c):
    c.send("RUN", text="ROWS 10", credit_rows=1)
    while not c.receive()[1] & kmp.PARKED:
        pass


def shows_nothing(c):
    """Taken without complaint; its effect is measured elsewhere, or has no sign on the wire."""
    return c.run("RETURN 1")[1] == [[1]]


CASES = [
    ("kmp", "max_frame", "2m", shows_frame), ("kmp", "heartbeat", "7s", shows_heartbeat),
    ("kmp", "max_connections", "50", shows_nothing), ("kmp", "login_timeout", "3s", shows_nothing),
    ("server", "workers", "3", shows_nothing), ("server", "loops", "2", shows_nothing), ("server", "stop_grace", "1s", shows_nothing),
    ("limits", "query_timeout", "200ms", shows_timeout), ("limits", "transaction_idle", "150ms", shows_idle),
    ("limits", "transaction_write", "150ms", shows_idle), ("limits", "view_age", "150ms", shows_age),
    ("limits", "cursor_idle", "150ms", shows_cursor), ("limits", "cursors", "2", shows_cursors), ("memory", "query", "2m", shows_memory), ("memory", "total", "64m", shows_memory),
    ("memory", "queries", "16m", shows_memory), ("memory", "graph_cache", "64m", shows_nothing), ("memory", "block_cache", "8m", shows_nothing),
    ("memory", "memtables", "8m", shows_nothing), ("log", "keep", "2h", shows_nothing), ("log", "keep_bytes", "1g", shows_nothing),
    ("log", "level", "error", shows_nothing), ("log", "store_dir", "/tmp", shows_nothing),
]


def test_every_setting_by_file_environment_and_flag():
    table = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    flags = {line.split()[0] for line in table.splitlines() if line.startswith("  --")}
    tried = {"--%s-%s" % (section, key.replace("_", "-")) for section, key, _, _ in CASES}
    rest = {"--config", "--data", "--ephemeral", "--kmp-listen", "--kmp-socket", "--help", "--version"}
    assert flags == tried | rest, flags ^ (tried | rest)
    for section, key, value, shown in CASES:
        folder = tempfile.mkdtemp()
        path = os.path.join(folder, "kith.conf")
        with open(path, "w") as f:
            f.write("# a comment\nephemeral = on\n\n[%s]\n  %s = %s\n" % (section, key, value))
        ways = [
            (["--config", path], None, ""),
            (["--ephemeral"], {"KITH_%s_%s" % (section.upper(), key.upper()): value}, None),
            (["--ephemeral", "--%s-%s" % (section, key.replace("_", "-")), value], None, None),
        ]
        if (section, key) == ("memory", "total"):  # 64 MiB * 25 % / 8
            def shown(c):
                return "limit of %d bytes" % ((64 << 20) // 100 * 25 // 8) in str(error_of(c.run, "EAT"))
        for flags_, env, data in ways:
            with Server(*flags_, env=env, data=data) as s, s.connect() as c:
                assert shown(c), (section, key, flags_)
        os.remove(path)
        os.rmdir(folder)


def test_the_later_place_wins():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "kith.conf")
        with open(path, "w") as f:
            f.write("ephemeral = on\n[kmp]\nheartbeat = 1s\n")
        env = {"KITH_CONFIG": path}
        with Server(env=env, data="") as s, s.connect() as c:
            assert c.welcome["heartbeat_s"] == 1
        env["KITH_KMP_HEARTBEAT"] = "2s"
        with Server(env=env, data="") as s, s.connect() as c:
            assert c.welcome["heartbeat_s"] == 2
        with Server("--kmp-heartbeat=3s", env=env, data="") as s, s.connect() as c:
            assert c.welcome["heartbeat_s"] == 3


def test_listening_by_file_and_environment():
    with tempfile.TemporaryDirectory() as folder:
        path, sock = os.path.join(folder, "kith.conf"), os.path.join(folder, "s")
        with open(path, "w") as f:
            f.write('ephemeral = on\n[kmp]\nlisten = ""\nsocket = %s\n' % sock)
        with Server("--config", path, data="", listen=False) as s, s.connect() as c:
            assert s.doors == [sock] and c.run("RETURN 1")[1] == [[1]]
        with Server(env={"KITH_KMP_LISTEN": "127.0.0.1:0", "KITH_EPHEMERAL": "1"}, data="", listen=False) as s, s.connect() as c:
            assert c.run("RETURN 1")[1] == [[1]]


def test_what_is_wrong_is_named_with_the_way_out():
    with tempfile.TemporaryDirectory() as folder, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        conf = os.path.join(folder, "kith.conf")
        plain = os.path.join(folder, "plain")
        open(plain, "w").close()

        def by_file(text):
            with open(conf, "w") as f:
                f.write(text)
            return ["--ephemeral", "--config", conf]

        e = ["--ephemeral"]
        cases = [
            ([], None, "--data DIR"),
            (["--ephemeral", "--data", folder], None, "give one of them"),
            (e + ["--kmp-lisen", "x"], None, "--kmp-listen"),
            (e + ["--worker", "2"], None, "the nearest is --server-workers"),
            (e + ["stray"], None, "'stray'"),
            (e + ["--kmp-socket"], None, "needs a value"),
            (e + ["--server-workers", "many"], None, "whole number"),
            (e + ["--server-workers", "5000"], None, "0 to 1024"),
            (e + ["--kmp-max-frame", "1k"], None, "1048576"),
            (e + ["--kmp-heartbeat", "5 days"], None, "30s"),
            (e + ["--ephemeral=maybe"], None, "on or off"),
            (e + ["--log-level", "loud"], None, "error, warn or info"),
            (e + ["--memory-queries", "1m", "--memory-query", "2m"], None, "more than memory queries"),
            (e, {"KITH_KMP_HARTBEAT": "1"}, "KITH_KMP_HEARTBEAT"),
            (e, {"KITH_SERVER_WORKERS": "x"}, "KITH_SERVER_WORKERS"),
            (e, {"KITH_CONFIG": "/nowhere/kith.conf"}, "/nowhere/kith.conf"),
            (e + ["--config", folder], None, folder),
            (e + ["--kmp-listen", "0.0.0.0:5484"], None, "no login yet"),
            (e + ["--kmp-listen", "[::]:5484"], None, "127.0.0.1:5484"),
            (e + ["--kmp-listen", "192.0.2.7:0"], None, "--kmp-socket"),
            (e + ["--kmp-listen", "example.org:5484"], None, "as a number"),
            (e + ["--kmp-listen", "127.0.0.1:99999"], None, "HOST:PORT"),
            (e + ["--kmp-listen", "127.0.0.1:http"], None, "HOST:PORT"),
            (e + ["--kmp-listen", "127.0.0.1:%d" % port], None, "in use"),
            (e + ["--kmp-listen", ""], None, "every door is off"),
            (e + ["--kmp-listen", "", "--kmp-socket", "/" + "x" * 200], None, "longer"),
            (e + ["--kmp-listen", "", "--kmp-socket", plain], None, "is no socket"),
            (e + ["--kmp-listen", "", "--kmp-socket", "/nowhere/s"], None, "/nowhere/s"),
            (["--data", plain, "--kmp-listen", "127.0.0.1:0"], None, "is a file"),
            (["--data", "/nowhere/at/all", "--kmp-listen", "127.0.0.1:0"], None, "/nowhere/at/all"),
        ]
        for args, env, named in cases:
            code, said = fails(*args, env=env)
            assert code in (1, 2) and named in one_line(said), (args, code, said)
        for text, named in (("[kpm]\n", "[kmp]"), ("[kmp]\nlisten 1\n", ":2: a setting is written key = value"),
                            ("[kmp]\n\nsokcet = /x\n", ":3: there is no setting 'sokcet' in [kmp]; the nearest is 'socket' in [kmp]"),
                            ("kmp_listen = x\n", "there is no setting"), ("[kmp\n", "written [name]"),
                            ("[limits]\nquery_timeout = soon\n", ":2: query_timeout is a time")):
            code, said = fails(*by_file(text))
            assert code == 1 and named in one_line(said), (text, said)


def test_a_socket_left_by_a_killed_server_is_replaced_and_a_live_one_is_not():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s")
        with Server("--ephemeral", "--kmp-socket", path) as s:
            code, said = fails("--ephemeral", "--kmp-listen", "", "--kmp-socket", path)
            assert code == 1 and "another program listens" in one_line(said)
            s.process.kill()
            s.process.wait()
        assert os.path.exists(path)
        with Server("--ephemeral", "--kmp-socket", path) as s, kmp.Connection(path=path) as c:
            assert c.run("RETURN 1")[1] == [[1]]


def test_a_folder_without_the_right_to_write_is_named():
    drop = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        locked = os.path.join(folder, "locked")
        os.mkdir(locked, 0o555)
        for data in (locked, os.path.join(locked, "new")):
            done = subprocess.run(drop + [PROGRAM, "--data", data, "--kmp-listen", "127.0.0.1:0"], capture_output=True, text=True,
                                  timeout=20, env=clean_env())
            if done.returncode == 126 or "setpriv" in done.stderr:
                continue  # the program itself is out of that user's reach
            assert done.returncode == 1 and data in one_line(done.stderr) and "--data" in done.stderr, done.stderr


def test_help_and_version():
    done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, env=clean_env())
    assert done.returncode == 0 and done.stdout == "kithd Kith/0.1.0\n", done
    done = subprocess.run([PROGRAM, "--nonsense", "--help"], capture_output=True, text=True, env=clean_env())
    assert done.returncode == 0 and "--limits-query-timeout" in done.stdout and "[60s]" in done.stdout


if __name__ == "__main__":
    main(globals())
