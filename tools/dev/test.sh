# tools/dev/test.sh - ./dev test and ./dev ci. Sourced by ./dev.

# run_ctest PRESET LABELS: no test found is a failure; the report goes to build/PRESET/junit.xml.
run_ctest() {
    ctest --test-dir "build/$1" -L "$2" -j "$(jobs_n)" --no-tests=error --output-on-failure --timeout 300 \
        --output-junit junit.xml </dev/null
}

cmd_test() {
    [ $# -eq 0 ] || usage "test"
    local begin=$SECONDS shared
    deps_ready
    shared=$(shared_dir)
    [ -z "$shared" ] || export KITH_SHARED=$shared
    build_preset asan
    run_ctest asan '^(unit|spec|fuzz)$' || die "tests failed under address and undefined sanitizers"
    build_preset dev
    local code=0
    run_ctest dev '^(unit|spec|e2e)$' >build/dev/test.log 2>&1 || code=$?
    grep -v '^100% tests passed\|% tests passed' build/dev/test.log || true
    python3 tools/check_budget.py tests/budget.txt build/asan/junit.xml build/dev/junit.xml || code=1
    echo "test: $((SECONDS - begin)) s in all"
    # ctest's own closing line comes last, so that whoever reads the end reads the truth.
    grep '% tests passed' build/dev/test.log || { echo "test: ctest ended without its closing line"; code=1; }
    return "$code"
}

CI_RAN=() CI_FAILED=()

# row NAME COMMAND...: one line at the end says what ran and how it went.
row() {
    local name=$1 begin=$SECONDS
    shift
    echo "== $name"
    if ("$@"); then
        CI_RAN+=("ok    $name ($((SECONDS - begin)) s)")
    else
        CI_RAN+=("FAILED $name ($((SECONDS - begin)) s)")
        CI_FAILED+=("$name")
    fi
}
absent() { CI_RAN+=("-     $1: $2"); }

# Each header must compile alone, under all our warnings.
check_headers() {
    local header bad=0 n=0
    while read -r header; do
        n=$((n + 1))
        case $header in tests/support/plain/*) continue ;; esac
        printf '#include "%s"\n' "$header" |
            gcc -std=gnu11 -D_GNU_SOURCE -I. -Iclients/c/include -Itests/support/plain -Wall -Wextra -Werror \
                -fsyntax-only -x c - || { echo "$header does not compile alone"; bad=1; }
    done < <(tools/sources.sh | grep '\.h$')
    echo "headers: $n"
    return "$bad"
}

ci_tsan() {
    build_preset tsan
    run_ctest tsan '^unit$'
}

ci_tidy() {
    # clang must find the flags of clang, so the tidy preset is configured with it (nothing is built).
    configure tidy
    tools/tidy.sh build/tidy --seconds "${KITH_TIDY_SECONDS:-420}"
}

ci_fault() { run_ctest dev '^fault$' && python3 tools/check_budget.py tests/budget.txt build/dev/junit.xml; }

ci_e2e() {
    build_preset asan
    run_ctest asan '^e2e$'
}

cmd_ci() {
    [ $# -eq 0 ] || usage "ci"
    local shared
    deps_ready style
    shared=$(shared_dir)
    [ -z "$shared" ] || export KITH_SHARED=$shared
    build_preset dev
    row "format" tools/format.sh --check
    row "layers" python3 tools/check_layers.py
    row "symbols" tools/check_symbols.sh build/dev
    row "headers" check_headers
    row "tidy" ci_tidy
    row "threads (TSan)" ci_tsan
    row "injected faults" ci_fault
    row "end to end (ASan)" ci_e2e
    if [ -z "$shared" ]; then
        absent "TCK" "KITH_SHARED has no tck/features here"
    else
        row "TCK" cmd_tck --least-passed 2096 --most-missing-errors 60
        row "TCK over the wire" cmd_tck --over-wire --least-passed 2096 --most-missing-errors 60
    fi
    row "torture kill9, small" cmd_torture kill9 --cycles 5
    row "torture turns" cmd_torture turns
    row "torture clients, small" cmd_torture clients --clients 50 --seconds 5
    row "bars, small" cmd_bench --bars --small --slack "${KITH_BENCH_SLACK:-2}"
    echo "== ci"
    printf '%s\n' "${CI_RAN[@]}"
    [ "${#CI_FAILED[@]}" -eq 0 ] || die "ci: ${#CI_FAILED[@]} failed: ${CI_FAILED[*]}"
}
