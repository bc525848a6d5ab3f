# tools/dev/fresh.sh - ./dev fresh: demo and test in a bare Debian 12. Sourced by ./dev. Needs root.
#
# Two copies of one base: in the first root runs all; in the second a user without any rights, for whom root
# runs the one line that the demo prints. What is tested is the commit that HEAD names, as `git clone` gives it,
# with a network and the base packages only. The mirror is this machine's own, read at run time. The base is kept
# below KITH_CACHE as an archive, since it is the same each time.
#
# What must hold: nothing below a mount point is ever removed. fresh_unmount looks at the mount table itself
# and gives up if anything is left.

FRESH_WORK=""

# fresh_mounts FOLDER: what is mounted below it, the deepest first.
fresh_mounts() { awk -v at="$1/" 'index($2 "/", at) == 1 {print $2}' /proc/self/mounts | sort -r; }

fresh_unmount() {
    local root=$1 place
    for place in $(fresh_mounts "$root"); do
        umount "$place" 2>/dev/null || umount -l "$place"
    done
    [ -z "$(fresh_mounts "$root")" ] || { say "fresh: still mounted below $root: nothing is removed"; return 1; }
}

fresh_mount() {
    local root=$1
    mkdir -p "$root/proc" "$root/dev/pts" "$root/dev/shm"
    mount -t proc proc "$root/proc"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
    rm -f "$root/dev/ptmx" && ln -s pts/ptmx "$root/dev/ptmx"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
}

fresh_remove() {
    [ -n "$1" ] && [ -d "$1" ] || return 0
    fresh_unmount "$1" || return 1
    rm -rf --one-file-system "$1"
}

fresh_end() {
    local code=$?
    if [ -n "$FRESH_WORK" ]; then
        if [ "${FRESH_KEEP:-0}" -eq 1 ]; then
            fresh_unmount "$FRESH_WORK" || true
            say "fresh: kept in $FRESH_WORK"
        else
            fresh_remove "$FRESH_WORK" || true
        fi
    fi
    exit "$code"
}

# The mirror that this machine's apt uses for main, read now and written to no tracked file.
fresh_mirror() {
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT) $(CREATED_BY)' |
        awk '$2 == "bookworm" && $3 == "main" && $4 == "Packages" {print $1; exit}'
}

# The base as an archive in the cache: made once, 25 s.
fresh_base() {
    local archive=$1 mirror bare
    [ ! -s "$archive" ] || return 0
    command -v debootstrap >/dev/null ||
        DEBIAN_FRONTEND=noninteractive apt-get install -y debootstrap </dev/null >/dev/null ||
        die "fresh: debootstrap is missing: apt-get update && apt-get install -y debootstrap"
    mirror=$(fresh_mirror)
    [ -n "$mirror" ] || die "fresh: apt knows no mirror of bookworm main: apt-get update first"
    bare="$FRESH_WORK/bare"
    say "fresh: debootstrap from $mirror"
    debootstrap --variant=minbase bookworm "$bare" "$mirror" >"$FRESH_WORK/debootstrap.log" 2>&1 || {
        tail -5 "$FRESH_WORK/debootstrap.log" >&2
        die "fresh: debootstrap failed"
    }
    tar -C "$bare" --one-file-system -czf "$archive.new" .
    mv "$archive.new" "$archive"
    fresh_remove "$bare"
}

# fresh_root NAME ARCHIVE: a copy of the base with a clone of HEAD in /src; prints its folder.
fresh_root() {
    local root="$FRESH_WORK/$1"
    mkdir -p "$root"
    tar -C "$root" -xzf "$2"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    printf 'Acquire::Retries "3";\n' >"$root/etc/apt/apt.conf.d/80retries"
    git clone -q --no-hardlinks "$ROOT" "$root/src"
    git -C "$root/src" checkout -q --detach "$(git -C "$ROOT" rev-parse HEAD)"
    fresh_mount "$root"
    echo "$root"
}

# inside ROOT USER COMMAND: nothing of this machine's environment goes in.
inside() {
    local root=$1 user=$2
    shift 2
    if [ "$user" = root ]; then
        chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 bash -c "cd /src && $*"
    else
        chroot "$root" setpriv --reuid="$user" --regid="$user" --clear-groups \
            env -i PATH=/usr/bin:/bin HOME="/home/$user" LANG=C.UTF-8 bash -c "cd /src && $*"
    fi
}

# fresh_step ROOT USER NAME COMMAND: timed; must exit 0; its log is kept until the end.
fresh_step() {
    local root=$1 user=$2 name=$3 begin=$SECONDS log
    shift 3
    log="$FRESH_WORK/$user-$name.log"
    if ! inside "$root" "$user" "$*" >"$log" 2>&1; then
        tail -60 "$log" >&2
        die "fresh: $name failed as $user after $((SECONDS - begin)) s"
    fi
    echo "fresh: $user: $name: ok in $((SECONDS - begin)) s: $(tail -1 "$log")"
    FRESH_TOOK=$((SECONDS - begin))
}

fresh_as_root() {
    local root
    root=$(fresh_root root "$1")
    fresh_step "$root" root demo './dev demo </dev/null'
    fresh_step "$root" root test './dev test </dev/null'
    [ "$FRESH_TOOK" -le 900 ] || die "fresh: ./dev test took $FRESH_TOOK s, 900 are allowed"
    fresh_step "$root" root demo-again './dev demo </dev/null'
    fresh_unmount "$root"
    [ "${FRESH_KEEP:-0}" -eq 1 ] || fresh_remove "$root"
}

fresh_as_user() {
    local root code=0 line before
    root=$(fresh_root user "$1")
    chroot "$root" useradd --create-home --shell /bin/bash kith
    chroot "$root" chown -R kith:kith /src
    inside "$root" kith './dev demo </dev/null' >"$FRESH_WORK/first.out" 2>"$FRESH_WORK/first.err" || code=$?
    line=$(cat "$FRESH_WORK/first.out")
    [ "$code" -eq 3 ] || die "fresh: without rights the demo exits $code, not 3: $line"
    case $line in
    *$'\n'*) die "fresh: without rights the demo prints more than one line: $line" ;;
    "apt-get update && apt-get install -y "*) ;;
    *) die "fresh: without rights the demo prints: $line" ;;
    esac
    [ ! -s "$FRESH_WORK/first.err" ] || die "fresh: without rights the demo also says: $(cat "$FRESH_WORK/first.err")"
    echo "fresh: user: demo exits 3 and prints: $line"
    fresh_step "$root" root packages "DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; $line </dev/null"
    before=$(stat -c %Y "$root/var/lib/dpkg/status")
    # From here on nobody may call apt: the programs are taken away.
    chmod 0 "$root/usr/bin/apt-get" "$root/usr/bin/apt"
    fresh_step "$root" kith demo './dev demo </dev/null'
    fresh_step "$root" kith test './dev test </dev/null'
    [ "$FRESH_TOOK" -le 900 ] || die "fresh: ./dev test took $FRESH_TOOK s, 900 are allowed"
    [ "$before" = "$(stat -c %Y "$root/var/lib/dpkg/status")" ] || die "fresh: packages changed meanwhile"
    fresh_unmount "$root"
    [ "${FRESH_KEEP:-0}" -eq 1 ] || fresh_remove "$root"
}

cmd_fresh() {
    local root_only=0 cache archive
    FRESH_KEEP=0
    while [ $# -gt 0 ]; do
        case $1 in
        --keep) FRESH_KEEP=1 ;;
        --root-only) root_only=1 ;;
        *) usage "fresh [--keep] [--root-only]" ;;
        esac
        shift
    done
    [ "$(id -u)" -eq 0 ] || die "fresh: needs root, for chroot and mounts"
    git -C "$ROOT" diff --quiet HEAD -- || say "fresh: there are uncommitted changes: HEAD is tested, not they"
    cache=$(cache_dir)
    mkdir -p "$cache"
    FRESH_WORK=$(mktemp -d "${KITH_FRESH:-/var/tmp}/kith-fresh.XXXXXX")
    chmod 755 "$FRESH_WORK"
    trap fresh_end EXIT
    trap 'exit 130' INT TERM
    archive="$cache/bookworm-minbase.tar.gz"
    fresh_base "$archive"
    fresh_as_root "$archive"
    [ "$root_only" -eq 1 ] || fresh_as_user "$archive"
    echo "fresh: all passed"
}
