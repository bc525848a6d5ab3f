#!/usr/bin/env python3
"""What `cmake --install` puts down is enough: a program builds with pkg-config's flags, and with find_package(Kith), and
runs. test_install.py BUILD-FOLDER SOURCE-FOLDER"""
import os
import subprocess
import sys
import tempfile

BUILD, SOURCE = sys.argv[1], sys.argv[2]
EXAMPLE = os.path.join(SOURCE, "clients", "c", "examples", "friends.c")


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    assert done.returncode == 0, "%s\n%s%s" % (" ".join(command), done.stdout, done.stderr)
    return done.stdout


def no_server(program, folder, library):
    """It starts, finds its library, and says that nobody listens."""
    done = subprocess.run([program, "kith+unix:///there/is/none"], capture_output=True, text=True, env=dict(os.environ, LD_LIBRARY_PATH=library))
    assert done.returncode == 1 and "Connection" in done.stderr, (done.returncode, done.stderr)


with tempfile.TemporaryDirectory() as folder:
    prefix = os.path.join(folder, "prefix")
    run("cmake", "--install", BUILD, "--prefix", prefix, "--component", "client")
    files = sorted(os.path.relpath(os.path.join(at, name), prefix) for at, _, names in os.walk(prefix) for name in names)
    headers = [f for f in files if f.startswith("include/")]
    assert headers == ["include/kith/kith.h"], headers
    library = os.path.join(prefix, os.path.dirname(next(f for f in files if f.endswith("libkith.so.0"))))
    env = dict(os.environ, PKG_CONFIG_PATH=os.path.join(library, "pkgconfig"))
    flags = run("pkg-config", "--define-variable=prefix=" + prefix, "--cflags", "--libs", "kith", env=env).split()
    program = os.path.join(folder, "friends")
    run("cc", "-Wall", "-Wextra", "-Werror", "-std=c11", "-D_GNU_SOURCE", EXAMPLE, "-o", program, *flags)
    no_server(program, folder, library)
    cpp = os.path.join(folder, "header.c")
    with open(cpp, "w", encoding="utf-8") as out:
        out.write("#include <kith/kith.h>\nint main(void) { return kith_version()[0] == '0' ? 0 : 1; }\n")
    run("cc", "-std=c99", "-pedantic-errors", cpp, "-o", program, *flags)
    with open(os.path.join(folder, "CMakeLists.txt"), "w", encoding="utf-8") as out:
        out.write("cmake_minimum_required(VERSION 3.25)\nproject(user C)\nfind_package(Kith 0.1 REQUIRED)\n"
                  "add_executable(user header.c)\ntarget_link_libraries(user Kith::kith)\n")
    run("cmake", "-S", folder, "-B", os.path.join(folder, "b"), "-DCMAKE_PREFIX_PATH=" + prefix)
    run("cmake", "--build", os.path.join(folder, "b"))
    run(os.path.join(folder, "b", "user"), env=dict(os.environ, LD_LIBRARY_PATH=library))
print("installed: %d files" % len(files))
