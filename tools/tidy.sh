#!/usr/bin/env bash
# tidy.sh BUILD-FOLDER [--seconds N] [--changed REF] - clang-tidy with the checks of .clang-tidy.
#
# Takes the files in the order of their size, the largest first, and starts no new one after N seconds;
# then it says how many were not looked at. Exits 1 when a check spoke, 3 when clang-tidy is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?usage: tidy.sh BUILD-FOLDER [--seconds N] [--changed REF]}
shift
seconds=1000000 changed=()
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=$2 ;;
    --changed) changed=(--changed "$2") ;;
    *) echo "tidy: unknown: $1"; exit 2 ;;
    esac
    shift 2
done
command -v clang-tidy >/dev/null || { echo "tidy: clang-tidy is not here: apt-get install -y clang-tidy"; exit 3; }
[ -e "$folder/compile_commands.json" ] || { echo "tidy: $folder has no compile_commands.json: build first"; exit 1; }
mapfile -t files < <(tools/sources.sh ${changed[@]+"${changed[@]}"} | grep '\.c$' | grep -v '^tests/' |
    while read -r file; do
        if grep -q "/$file\"" "$folder/compile_commands.json"; then echo "$(stat -c %s "$file") $file"; fi
    done | sort -rn | cut -d' ' -f2)
[ "${#files[@]}" -gt 0 ] || { echo "tidy: no file to look at"; exit 0; }
work=$(mktemp -d)
touch "$work/bad" "$work/late"
trap 'rm -rf "$work"' EXIT
export folder work end=$(($(date +%s) + seconds))
one() {
    [ "$(date +%s)" -lt "$end" ] || { echo "$1" >>"$work/late"; return 0; }
    # gcc's warnings that clang does not know are no finding.
    clang-tidy -p "$folder" --quiet --extra-arg=-Wno-unknown-warning-option "$1" >"$work/out.$$" 2>"$work/err.$$" || {
        cat "$work/out.$$"
        grep -E 'error:' "$work/err.$$" || true
        echo "$1" >>"$work/bad"
    }
    rm -f "$work/out.$$" "$work/err.$$"
}
export -f one
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -I{} bash -c 'one {}'
bad=$(wc -l <"$work/bad")
late=$(wc -l <"$work/late")
echo "tidy: $((${#files[@]} - late)) of ${#files[@]} files looked at, $bad with findings"
[ "$bad" -eq 0 ]
