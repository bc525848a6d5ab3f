# tools/dev/common.sh - what the commands of ./dev share. Sourced, never run.

say() { printf '%s\n' "$*" >&2; }
die() {
    say "dev: $*"
    exit 1
}
usage() {
    say "usage: ./dev $*"
    exit 2
}

jobs_n() { echo "${KITH_JOBS:-$(nproc 2>/dev/null || echo 2)}"; }
cache_dir() { echo "${KITH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kith}"; }

# Folder with tck/ and graphs/: KITH_SHARED, or ../shared where it exists; empty where there is none.
shared_dir() {
    if [ -n "${KITH_SHARED:-}" ]; then
        [ -d "$KITH_SHARED" ] || die "KITH_SHARED names a folder that is not there: $KITH_SHARED"
        (cd "$KITH_SHARED" && pwd)
    elif [ -d "$ROOT/../shared" ]; then
        (cd "$ROOT/../shared" && pwd)
    fi
}

# configure PRESET: cmake where it has not been run yet, or where a list of sources changed since.
configure() {
    local log="build/configure-$1.log"
    mkdir -p build
    if [ -e "build/$1/build.ninja" ]; then
        ninja -C "build/$1" build.ninja >"$log" 2>&1 && return 0
    else
        cmake --preset "$1" >"$log" 2>&1 && return 0
    fi
    cat "$log" >&2
    die "cmake --preset $1 failed"
}

# build_preset PRESET [TARGET...]: quiet unless it fails.
build_preset() {
    local preset=$1 log
    shift
    configure "$preset"
    local targets=()
    [ $# -eq 0 ] || targets=(--target "$@")
    log="build/$preset/dev.log"
    local begin=$SECONDS
    cmake --build "build/$preset" -j "$(jobs_n)" ${targets[@]+"${targets[@]}"} >"$log" 2>&1 || {
        grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$log" | head -60 >&2
        die "the build of $preset failed (all of it: $log)"
    }
    say "built $preset in $((SECONDS - begin)) s"
}

# has_target PRESET TARGET: does this tree know such a target?
has_target() {
    configure "$1"
    ninja -C "build/$1" -t query "$2" >/dev/null 2>&1
}

# need_program NAME: builds the release programme NAME or says that it is not there yet.
need_program() {
    has_target release "$1" || die "this tree has no programme '$1' yet: $2"
    build_preset release "$1"
}

cmd_build() {
    deps_ready
    case ${1:-release} in
    dev | release | asan | tsan) build_preset "${1:-release}" ;;
    fuzz | tidy)
        deps_ready style
        build_preset "$1"
        ;;
    *) usage "build [dev|release|asan|tsan|fuzz|tidy]" ;;
    esac
    echo "build/${1:-release}/bin: $(find "build/${1:-release}/bin" -maxdepth 1 -type f -printf '%f ' 2>/dev/null)"
}
