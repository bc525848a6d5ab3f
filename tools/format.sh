#!/usr/bin/env bash
# format.sh [--check] - clang-format over all our C files; --check changes nothing and names those that differ.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-format >/dev/null || { echo "format: clang-format is not here: apt-get install -y clang-format"; exit 3; }
mapfile -t files < <(tools/sources.sh)
if [ "${1:-}" = --check ]; then
    bad=0
    for file in "${files[@]}"; do
        if ! clang-format --style=file "$file" | cmp -s - "$file"; then
            echo "$file: not as clang-format writes it (./dev fmt)"
            bad=$((bad + 1))
        fi
    done
    echo "format: ${#files[@]} files, $bad to be formatted"
    [ "$bad" -eq 0 ]
else
    # clang-format 14 may move a comment again when it sees its own work: twice is stable.
    clang-format --style=file -i "${files[@]}"
    clang-format --style=file -i "${files[@]}"
    echo "format: ${#files[@]} files"
fi
