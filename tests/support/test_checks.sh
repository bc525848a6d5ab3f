#!/usr/bin/env bash
# test_checks.sh - do the layer and budget checks catch what they are for? Planted wrong trees must be named.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0 cases=0

# plant FILE LINE WANTED-WORDS(empty: allowed)
plant() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/tools" "$work/tree/$(dirname "$1")"
    cp "$root/tools/layers.txt" "$work/tree/tools/"
    local target
    target=$(printf '%s' "$2" | sed -n 's/.*"\(.*\)".*/\1/p')
    if [ -n "$target" ] && [ "${target#*/}" != "$target" ]; then
        mkdir -p "$work/tree/$(dirname "$target")"
        touch "$work/tree/$target"
    fi
    printf '%s\n' "$2" >"$work/tree/$1"
    python3 "$root/tools/check_layers.py" "$work/tree" >"$work/out" 2>&1
    local code=$?
    cases=$((cases + 1))
    if [ -z "$3" ] && [ "$code" -ne 0 ] || { [ -n "$3" ] && { [ "$code" -ne 1 ] || ! grep -qF "$3" "$work/out"; }; }; then
        echo "WRONG: $1: $2: exit $code"
        cat "$work/out"
        bad=1
    fi
}
plant storage/a.c '#include "base/x.h"' ''
plant base/a.c '#include "storage/x.h"' 'base/a.c:1'
plant query/query.c '#include "protocol/x.h"' 'query/query.c:1'
plant protocol/a.c '#include "query/exec/sink.h"' 'protocol/a.c:1'
plant query/parse/a.c '#include "query/bind/x.h"' 'query/parse/a.c:1'
plant query/bind/a.c '#include "storage/catalog.h"' ''
plant query/bind/a.c '#include "storage/database.h"' 'query/bind/a.c:1'
plant query/exec/a.c '#include "storage/graph.h"' ''
plant query/plan/a.c '#include "query/exec/x.h"' 'query/plan/a.c:1'
plant storage/a.c '#include <rocksdb/c.h>' 'storage/a.c:1'
plant storage/kv/a.c '#include <rocksdb/c.h>' ''
plant storage/import_a.c '#include <zlib.h>' ''
plant query/exec/a.c '#include <event2/event.h>' 'query/exec/a.c:1'
plant server/a.c '#include <event2/event.h>' ''
plant server/a.c '#include <msgpack.h>' 'server/a.c:1'
plant storage/a.c '#include <xxhash.h>' 'storage/a.c:1'
plant tools/kith/a.c '#include <histedit.h>' 'tools/kith/a.c:1'
plant tools/kith/shell/a.c '#include <histedit.h>' ''
plant storage/txn/a.c '#include "storage/cache/cache_internal.h"' 'stays in its folder'
plant base/a.c '#include "other.h"' 'from the root'
plant strange/a.c '#include <stdio.h>' 'no line of tools/layers.txt'

# budget SUITE-SECONDS-LINES JUNIT-LINES WANT
budget() {
    printf '%s\n' "$1" >"$work/budget.txt"
    printf '<testsuite>%s</testsuite>\n' "$2" >"$work/junit.xml"
    python3 "$root/tools/check_budget.py" "$work/budget.txt" "$work/junit.xml" >"$work/out" 2>&1
    local code=$?
    cases=$((cases + 1))
    [ "$code" -eq "$3" ] || { echo "WRONG: budget $1 / $2: exit $code"; cat "$work/out"; bad=1; }
}
budget 'unit 10' '<testcase name="unit/a" time="4"/><testcase name="unit/b" time="5"/>' 0
budget 'unit 10' '<testcase name="unit/a" time="4"/><testcase name="unit/b" time="7"/>' 1
budget 'unit 10' '<testcase name="spec/a" time="1"/>' 1
budget 'unit 10' '' 1
[ "$bad" -eq 0 ] && echo "checks: $cases cases judged right"
exit "$bad"
