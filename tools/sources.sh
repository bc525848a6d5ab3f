#!/usr/bin/env bash
# sources.sh [--changed REF] - our C files, one a line; with --changed only those that differ from REF.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --changed ]; then
    { git diff --name-only --diff-filter=d "$2" -- '*.c' '*.h'; git ls-files --others --exclude-standard -- '*.c' '*.h'; } | sort -u
else
    for folder in base storage query protocol server clients tools bench tests; do
        [ ! -d "$folder" ] || find "$folder" -name '*.[ch]' -not -path '*/.*'
    done | sort
fi
