# tools/dev/deps.sh - the Debian packages that Kith is built with. Sourced by ./dev.
#
# dpkg is asked first: where all is there, nothing touches the network. Reasons for each library stand in
# ARCHITECTURE.md.

PACKAGES_BUILD="gcc libc6-dev cmake ninja-build pkg-config python3
    librocksdb-dev libevent-dev libmsgpack-dev libxxhash-dev libedit-dev libpcre2-dev zlib1g-dev libcriterion-dev"
# clang only fuzzes and checks style.
PACKAGES_STYLE="clang clang-format clang-tidy"

missing_packages() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s ' "$name"
    done
}

# deps_ready [style]: returns when all is there; installs as root; else prints the one line and exits 3.
deps_ready() {
    local wanted=$PACKAGES_BUILD missing
    [ "${1:-}" != style ] || wanted="$PACKAGES_BUILD $PACKAGES_STYLE"
    if ! command -v dpkg-query >/dev/null; then
        say "dev: no dpkg here. Debian calls what is needed:" $wanted
        return 0
    fi
    # shellcheck disable=SC2086
    missing=$(missing_packages $wanted)
    missing=${missing% }
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "apt-get update && apt-get install -y $missing"
        exit 3
    fi
    say "installing: $missing"
    # shellcheck disable=SC2086
    apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y $missing </dev/null >/dev/null ||
        die "apt-get could not install: $missing"
}

cmd_deps() {
    case ${1:-} in
    "" | style) deps_ready "${1:-}" ;;
    *) usage "deps [style]" ;;
    esac
    say "all packages are here"
}
