#!/usr/bin/env bash
# run_unit.sh PROGRAM SOURCE - runs one Criterion program and believes it only if it ran every test of SOURCE.
#
# Criterion exits 0 after "Tested: 0" and after a leak. So this fails on no test, on fewer tests than the
# source has, on the words of a sanitizer, and on exit by signal.
set -u
program=$1 source=$2
want=$(grep -cE '^(Test|ParameterizedTest|Theory)\(' "$source")
out=$("$program" --verbose=0 2>&1)
code=$?
printf '%s\n' "$out"
[ "$want" -gt 0 ] || { echo "run_unit: $source holds no Test("; exit 1; }
ran=$(printf '%s\n' "$out" | sed 's/\x1b\[[0-9;]*m//g' | sed -n 's/.*Tested: [^0-9]*\([0-9][0-9]*\).*/\1/p' | tail -1)
[ "$code" -lt 128 ] || { echo "run_unit: ended by a signal ($code)"; exit 1; }
if printf '%s\n' "$out" | grep -qE 'LeakSanitizer|AddressSanitizer|ThreadSanitizer|runtime error'; then
    echo "run_unit: a sanitizer spoke"; exit 1
fi
[ "${ran:-0}" -ge "$want" ] || { echo "run_unit: ran ${ran:-0} of $want tests"; exit 1; }
exit "$code"
