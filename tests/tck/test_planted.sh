#!/usr/bin/env bash
# test_planted.sh TCK - the runner catches wrong expectations of each kind, and says which kind.
set -u
here=$(cd "$(dirname "$0")" && pwd)
json=$(mktemp)
trap 'rm -f "$json"' EXIT
out=$("$1" --json "$json" --features "$here/planted") && { echo "planted: the runner exits 0 over wrong rows"; exit 1; }
printf '%s\n' "$out" | tail -3
python3 - "$json" <<'PY' || exit 1
import json, sys
want = {"right": "passed", "wrong-rows": "wrong rows", "rows-for-error": "rows in place of an error", "failed": "failed"}
bad = 0
rows = json.load(open(sys.argv[1]))
for row in rows:
    kind = row["name"].split("] ")[1].split(":")[0]
    if row["verdict"] != want[kind]:
        print("planted: %s came out as %s (%s)" % (row["name"], row["verdict"], row["why"]))
        bad += 1
sys.exit(1 if bad or len(rows) != 16 else 0)
PY
printf '%s\n' "$out" | grep -qx 'wrong rows: 9' && printf '%s\n' "$out" | grep -qx 'rows in place of an error: 1' &&
    printf '%s\n' "$out" | grep -qx '1 passed, 15 failed, 0 skipped'
