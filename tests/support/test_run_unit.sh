#!/usr/bin/env bash
# test_run_unit.sh - does run_unit.sh really catch what Criterion lets pass?
#
# Each case is a made-up test program and a made-up source; the wrapper must say no to all but the good one.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'Test(a, one)\n{\n}\nTest(a, two)\n{\n}\n' >"$work/two.c"
printf 'int x;\n' >"$work/none.c"
bad=0

# judge NAME WANT(0 or 1) SOURCE BODY-OF-PROGRAM
judge() {
    printf '#!/usr/bin/env bash\n%s\n' "$4" >"$work/program"
    chmod +x "$work/program"
    "$here/run_unit.sh" "$work/program" "$work/$3" >"$work/out" 2>&1
    local code=$?
    [ "$code" -ne 0 ] && code=1
    if [ "$code" -ne "$2" ]; then
        echo "WRONG: $1: exit $code, expected $2"
        cat "$work/out"
        bad=1
    fi
}

line() { printf 'echo "[====] Synthesis: Tested: %s | Passing: %s | Failing: 0 | Crashing: 0"' "$1" "$1"; }
judge "all ran" 0 two.c "$(line 2)"
judge "coloured figures" 0 two.c 'printf "Tested: \033[1;34m2\033[0m | Passing: 2\n"'
judge "more ran than the source names" 0 two.c "$(line 3)"
judge "nothing ran" 1 two.c "$(line 0)"
judge "one of two ran" 1 two.c "$(line 1)"
judge "says nothing at all" 1 two.c 'exit 0'
judge "a source without tests" 1 none.c "$(line 2)"
judge "an honest failure" 1 two.c "$(line 2); exit 1"
judge "a leak that Criterion lets pass" 1 two.c "$(line 2); echo 'ERROR: LeakSanitizer: detected memory leaks' >&2"
judge "undefined behaviour" 1 two.c "$(line 2); echo 'x.c:1:2: runtime error: signed integer overflow'"
judge "a data race" 1 two.c "$(line 2); echo 'WARNING: ThreadSanitizer: data race'"
judge "ended by a signal" 1 two.c "$(line 2); kill -SEGV \$\$"
judge "no such program" 1 two.c 'exec /nowhere/at/all'
[ "$bad" -eq 0 ] && echo "run_unit: 13 cases judged right"
exit "$bad"
