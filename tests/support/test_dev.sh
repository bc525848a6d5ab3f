#!/usr/bin/env bash
# test_dev.sh - what ./dev promises before anything is built: exit codes, and one line where packages are missing.
#
# A copy of dev runs with a dpkg-query that knows nothing, without root's rights and without a network.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tree/tools" "$work/none" "$work/all"
cp "$root/dev" "$work/tree/"
cp -r "$root/tools/dev" "$work/tree/tools/"
printf '#!/bin/sh\nexit 1\n' >"$work/none/dpkg-query"
printf '#!/bin/sh\nprintf installed\n' >"$work/all/dpkg-query"
for folder in none all; do
    printf '#!/bin/sh\ntouch %s/called\nexit 1\n' "$work" >"$work/$folder/apt-get"
done
chmod -R a+rX "$work"
chmod a+rx "$work"/*/dpkg-query "$work"/*/apt-get "$work/tree/dev"
bad=0 cases=0

# as_user FOLDER ARGUMENTS: dev as somebody without rights, FOLDER first in PATH.
as_user() {
    local path="$work/$1:/usr/bin:/bin"
    shift
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH="$path" HOME=/ "$work/tree/dev" "$@"
    else
        env -i PATH="$path" HOME=/ "$work/tree/dev" "$@"
    fi </dev/null >"$work/out" 2>"$work/err"
}

# judge NAME WANTED-EXIT GOT-EXIT CONDITION...
judge() {
    local name=$1 want=$2 got=$3
    shift 3
    cases=$((cases + 1))
    if [ "$want" -ne "$got" ] || ! "$@"; then
        echo "WRONG: $name: exit $got, expected $want"
        cat "$work/out" "$work/err"
        bad=1
    fi
}
one_line() {
    [ "$(wc -l <"$work/out")" -eq 1 ] && [ ! -s "$work/err" ] && [ ! -e "$work/called" ] &&
        grep -qE '^apt-get update && apt-get install -y gcc .*librocksdb-dev' "$work/out"
}
not_called() { [ ! -e "$work/called" ]; }
says() { grep -qF "$1" "$work/out" "$work/err"; }

for command in deps build demo test "deps style" ci; do
    # shellcheck disable=SC2086
    as_user none $command
    judge "$command without packages and rights" 3 $? one_line
done
as_user all deps
judge "deps where all is there" 0 $? not_called
as_user all
judge "no command" 0 $? says "./dev COMMAND"
as_user all nosuch
judge "unknown command" 2 $? says "no command 'nosuch'"
as_user all test now
judge "unknown argument" 2 $? says "usage: ./dev test"
as_user all fuzz
judge "fuzz without a name" 2 $? says "usage: ./dev fuzz"
[ "$bad" -eq 0 ] && echo "dev: $cases cases judged right"
exit "$bad"
