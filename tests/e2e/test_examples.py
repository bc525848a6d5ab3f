#!/usr/bin/env python3
"""The examples of the C client, and every check of the shell, against kithd itself. test_examples.py KITHD BIN-FOLDER"""
import os
import subprocess
import sys

from kithd import Server, clean_env

folder = os.path.dirname(os.path.abspath(__file__))


def example(name, *arguments):
    done = subprocess.run([os.path.join(sys.argv[2], "example_" + name), *arguments], capture_output=True, text=True, timeout=60,
                          env=clean_env())
    assert not any(w in done.stderr for w in ("Sanitizer", "runtime error")), done.stderr
    return done.returncode, done.stdout, done.stderr


with Server() as server:
    uri = "kith://127.0.0.1:%d/kith" % server.port
    for _ in range(2):  # what is there is found again
        got = example("friends", uri)
        assert got == (0, "Cleo (1 mutual)\n", ""), got
    got = example("friends", uri, "Cleo")
    assert got == (0, "Ada (1 mutual)\n", ""), got
    for _ in range(11):  # 100 in tens, then nothing is left to move
        code, out, err = example("transfer", uri)
        assert code == 0 and out.endswith("the sum is 100\n"), (code, out, err)
    assert out == "moved 0, the sum is 100\n", out
    shell = subprocess.run([sys.executable, os.path.join(folder, "test_shell.py"), sys.argv[2], uri], timeout=250, env=clean_env())
    assert shell.returncode == 0
code, out, err = example("friends", uri)
assert code == 1 and "Connection" in err, (code, out, err)
print("the examples and the shell pass")
