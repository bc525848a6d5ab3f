#!/usr/bin/env bash
# check_symbols.sh BUILD-FOLDER - global names carry kt_ or kith_; libkith.so gives out kith_ names only.
#
# Looks at every static library of ours below BUILD-FOLDER, and at libkith.so if it has been built.
set -euo pipefail
folder=${1:?usage: check_symbols.sh BUILD-FOLDER}
bad=0 names=0
mapfile -t archives < <(find "$folder" -name 'lib*.a' -not -path '*/CMakeFiles/*' | sort)
[ "${#archives[@]}" -gt 0 ] || { echo "symbols: no library of ours in $folder: build first"; exit 1; }
for archive in "${archives[@]}"; do
    while read -r name; do
        names=$((names + 1))
        case $name in
        kt_* | kith_*) ;;
        __asan_* | __odr_asan* | __tsan_* | __ubsan_* | *.resolver | asan.*) ;;
        *)
            echo "$(basename "$archive"): global name without our prefix: $name"
            bad=1
            ;;
        esac
    done < <(nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 {print $3}' | sed 's/\.\(default\|avx2\|arch_x86_64_v4\)\(\.[0-9]*\)\?$//')
done
library=$(find "$folder" -name 'libkith.so*' -type f | head -1)
if [ -n "$library" ]; then
    while read -r name; do
        names=$((names + 1))
        case $name in
        kith_*) ;;
        *)
            echo "$(basename "$library"): gives out $name"
            bad=1
            ;;
        esac
    done < <(nm -D --defined-only "$library" | awk '$2 != "A" {print $3}' | sed 's/@.*//')
fi
echo "symbols: ${#archives[@]} libraries${library:+ and libkith.so}, $names names"
exit "$bad"
