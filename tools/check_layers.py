#!/usr/bin/env python3
"""check_layers.py [ROOT]: do includes point the right way? The rules stand in tools/layers.txt.

Prints one line for each include that does not, with file and line, and exits 1; 2 when the rules are broken.
"""
import fnmatch
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SKIP = {"build", ".git", ".cache", "docs", "deploy", "cmake"}


def read_rules(path):
    see, doors = {}, {}
    with open(path, encoding="utf-8") as rules:
        for number, line in enumerate(rules, 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] not in ("see", "door") or len(words) < 2 or not words[1].endswith(":"):
                print(f"{path}:{number}: not a rule: {line.strip()}")
                sys.exit(2)
            (see if words[0] == "see" else doors)[words[1][:-1]] = words[2:]
    return see, doors


def under(path, place):
    """True when `path` is the file `place`, lies in the folder `place`, or fits the pattern `place`."""
    return path == place or path.startswith(place + "/") or ("*" in place and fnmatch.fnmatch(path, place))


def judge(path, see, doors, root):
    """Yields (line number, sentence) for each include of `path` that breaks a rule."""
    homes = [home for home in see if under(path, home)]
    if not homes:
        yield 0, "no line of tools/layers.txt covers this file"
        return
    home = max(homes, key=len)
    allowed = [home, *see[home]]
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as source:
        for number, line in enumerate(source, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, target = match.groups()
            if kind == '"':
                if not os.path.exists(os.path.join(root, target)):
                    yield number, f'"{target}": write the path from the root of the repository'
                elif not any(under(target, place) for place in allowed):
                    yield number, f'"{target}": {home} may see {" ".join(see[home]) or "nothing but itself"}'
                elif "_internal.h" in target and not (under(path, os.path.dirname(target)) or under(path, "tests")):
                    yield number, f'"{target}": an internal header stays in its folder'
                continue
            for header, places in doors.items():
                if target.startswith(header) and not any(under(path, place) for place in places):
                    yield number, f"<{target}>: only {' '.join(places)} may use it"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    see, doors = read_rules(os.path.join(root, "tools", "layers.txt"))
    files, wrong = 0, 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not (folder == root and f in SKIP) and not f.startswith("."))
        for name in sorted(names):
            if not name.endswith((".c", ".h", ".def")):
                continue
            path = os.path.relpath(os.path.join(folder, name), root)
            files += 1
            for number, sentence in judge(path, see, doors, root):
                print(f"{path}:{number}: {sentence}")
                wrong += 1
    print(f"layers: {files} files, {wrong} wrong includes")
    sys.exit(1 if wrong or not files else 0)


if __name__ == "__main__":
    main()
