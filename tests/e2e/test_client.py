#!/usr/bin/env python3
"""libkith's checks (client_checks.c) against a server. test_client.py KITHD CLIENT_CHECKS."""
import subprocess
import sys

from kithd import PROGRAM, clean_env, Server  # noqa: F401

server = Server()
try:
    done = subprocess.run([sys.argv[2], "kith://127.0.0.1:%d/kith" % server.port, str(server.process.pid)],
                          capture_output=True, text=True, timeout=120, env=clean_env())
    print(done.stdout + done.stderr, end="")
    server.process.wait(timeout=20)
    code = done.returncode
    if any(w in done.stderr for w in ("Sanitizer", "runtime error")):
        code = 1
finally:
    server.process.kill()
sys.exit(code)
