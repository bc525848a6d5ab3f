# tools/dev/more.sh - tck, bench, torture, fuzz, long, fmt. Sourced by ./dev.

# tck [--over-wire] ...: --over-wire starts a kithd of its own and asks it through the C client.
cmd_tck() {
    local given=() features=1 wire=0 shared
    deps_ready
    while [ $# -gt 0 ]; do
        case $1 in
        --over-wire) wire=1 ;;
        --features)
            features=0
            given+=("$1" "${2:?--features needs a folder}")
            shift
            ;;
        *) given+=("$1") ;;
        esac
        shift
    done
    if [ "$features" -eq 1 ]; then
        shared=$(shared_dir)
        [ -n "$shared" ] && [ -d "$shared/tck/features" ] ||
            die "tck: no feature files: give --features DIR, or KITH_SHARED=DIR with tck/features in it"
        given+=(--graphs "$shared/tck/graphs" --features "$shared/tck/features")
    fi
    need_program tck "the TCK runner"
    if [ "$wire" -eq 0 ]; then
        build/release/bin/tck "${given[@]}"
        return
    fi
    need_program kithd "the server"
    local said server code=0
    said=$(mktemp)
    build/release/bin/kithd --ephemeral --kmp-listen 127.0.0.1:0 >"$said" 2>/dev/null &
    server=$!
    for _ in $(seq 100); do
        grep -q 'listening on' "$said" && break
        sleep 0.1
    done
    build/release/bin/tck --over-wire "kith://$(sed -n 's/^kithd: listening on //p' "$said" | head -1)/kith" "${given[@]}" || code=$?
    kill "$server" && wait "$server" || true
    rm -f "$said"
    return "$code"
}

cmd_bench() {
    local shared
    deps_ready
    shared=$(shared_dir)
    [ -z "$shared" ] || export KITH_SHARED=$shared
    need_program bench "the speed bars"
    build_preset release kithd kith
    local folder=${KITH_BENCH:-$ROOT/build/bench}
    mkdir -p "$folder"
    build/release/bin/bench --folder "$folder" --kithd build/release/bin/kithd \
        --kith build/release/bin/kith "$@"
}

cmd_torture() {
    deps_ready
    [ $# -gt 0 ] || usage "torture kill9|turns|clients ..."
    local shim=()
    need_program kithd "the server"
    if [ "$1" = kill9 ] && has_target release fault_shim; then # also: is each acknowledgement behind its sync?
        build_preset release fault_shim
        shim=(--shim build/release/lib/fault_shim.so)
    fi
    python3 tests/torture/torture.py build/release/bin/kithd "$@" ${shim[@]+"${shim[@]}"} || return 1
    if [ "$1" = turns ] && has_target release fault_shim; then # and the turn whose commit cannot be synced
        build_preset release fault_shim
        python3 tests/fault/test_syncs.py build/release/bin/kithd build/release/lib/fault_shim.so - \
            test_a_failed_sync_closes_the_database_for_writing_and_loses_nothing
    fi
}

cmd_fuzz() {
    local name=${1:-} seconds=600
    [ -n "$name" ] || usage "fuzz NAME [--seconds N]"
    shift
    while [ $# -gt 0 ]; do
        case $1 in
        --seconds) seconds=${2:?--seconds needs a number} ;;
        *) usage "fuzz NAME [--seconds N]" ;;
        esac
        shift 2
    done
    deps_ready style
    has_target fuzz "fuzz_$name" || die "no fuzz target '$name'; there are: $(ninja -C build/fuzz -t targets all |
        sed -n 's/^fuzz_\([a-z0-9_]*\): phony.*/\1/p' | tr '\n' ' ')"
    build_preset fuzz "fuzz_$name"
    local corpus found
    corpus="$(cache_dir)/fuzz/$name"
    found="build/fuzz/found/$name-"
    mkdir -p "$corpus" build/fuzz/found
    local seeds=()
    [ ! -d "tests/fuzz/corpus/$name" ] || seeds=("tests/fuzz/corpus/$name")
    local dictionary=()
    [ ! -e "tests/fuzz/$name.dict" ] || dictionary=("-dict=tests/fuzz/$name.dict")
    "build/fuzz/bin/fuzz_$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$found" ${dictionary[@]+"${dictionary[@]}"} "$corpus" ${seeds[@]+"${seeds[@]}"} ||
        die "fuzz $name found something: $found*"
}

# Walks and folds against brute force on 200 random graphs a test; the daily dose is a few.
long_walks() {
    has_target dev unit_query_exec_test_exec_walks || { say "this tree has no test of walks"; return 1; }
    build_preset dev unit_query_exec_test_exec_walks
    KITH_GRAPHS=200 tests/support/run_unit.sh build/dev/bin/unit_query_exec_test_exec_walks \
        tests/unit/query/exec/test_exec_walks.c
}

cmd_long() {
    [ $# -eq 0 ] || usage "long"
    local name
    deps_ready style
    configure fuzz
    for name in $(ninja -C build/fuzz -t targets all | sed -n 's/^fuzz_\([a-z0-9_]*\): phony.*/\1/p'); do
        row "fuzz $name" cmd_fuzz "$name" --seconds 600
    done
    row "walks, 200 graphs" long_walks
    row "torture kill9" cmd_torture kill9 --cycles 50 --clients 8
    row "torture turns" cmd_torture turns
    row "torture clients" cmd_torture clients --clients 200 --seconds 60
    row "bars" cmd_bench --bars
    [ "${#CI_RAN[@]}" -eq 0 ] || printf '%s\n' "${CI_RAN[@]}"
    [ "${#CI_FAILED[@]}" -eq 0 ] || die "long: failed: ${CI_FAILED[*]}"
}

cmd_fmt() {
    deps_ready style
    tools/format.sh "$@"
}
