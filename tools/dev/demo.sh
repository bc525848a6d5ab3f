# tools/dev/demo.sh - ./dev demo: a town of 10,000 people, from nothing to answers. Sourced by ./dev.
#
# Everything stands in build/demo (KITH_DEMO): the generated files, the imported database, the server's log.
# What has been made once is kept, so that a second run takes seconds. The server is ours alone: it picks a free
# port, is stopped at the end and at any failure, and is killed with -9 in the middle to show what survives.

DEMO_SERVER=0

# For the trap: the server ends, however.
demo_stop() {
    if [ "$DEMO_SERVER" -ne 0 ]; then
        kill "$DEMO_SERVER" 2>/dev/null || true
        wait "$DEMO_SERVER" 2>/dev/null || true
        DEMO_SERVER=0
    fi
}

# At the end: a server that is asked to stop must exit 0.
demo_stop_clean() {
    local code=0
    kill "$DEMO_SERVER" || die "demo: kithd is not there any more"
    wait "$DEMO_SERVER" 2>/dev/null || code=$?
    DEMO_SERVER=0
    [ "$code" -eq 0 ] || die "demo: kithd exits $code when asked to stop"
}

ms_now() { echo $(($(date +%s%N) / 1000000)); }

# demo_start FOLDER: starts kithd on a port of its choice; sets DEMO_URI.
demo_start() {
    local begin address="" tries
    begin=$(ms_now)
    : >"$1/kithd.out"
    build/release/bin/kithd --data "$1/data" --kmp-listen 127.0.0.1:0 </dev/null >"$1/kithd.out" 2>&1 &
    DEMO_SERVER=$!
    for tries in $(seq 600); do
        address=$(grep -oE '127\.0\.0\.1:[1-9][0-9]*' "$1/kithd.out" | head -1 || true)
        [ -z "$address" ] || break
        kill -0 "$DEMO_SERVER" 2>/dev/null || { cat "$1/kithd.out" >&2; die "demo: kithd ended at once"; }
        sleep 0.05
    done
    [ -n "$address" ] || die "demo: kithd named no address within 30 s: $1/kithd.out"
    DEMO_URI="kith://$address"
    echo "kithd serves $1/data at $DEMO_URI after $(($(ms_now) - begin)) ms (waited in steps of 50)"
}

# demo_ask TITLE STATEMENT: prints the statement, its answer and the time from the shell's start to its end.
demo_ask() {
    local begin took
    echo
    echo "-- $1"
    printf '%s\n' "$2" | sed 's/^/   /'
    begin=$(ms_now)
    build/release/bin/kith "$DEMO_URI" -c "$2" </dev/null || die "demo: that question failed"
    took=$(($(ms_now) - begin))
    echo "   ($took ms, the start of the shell included)"
}

# demo_value STATEMENT: the one value of the one row that it answers.
demo_value() {
    build/release/bin/kith "$DEMO_URI" --format csv -c "$1" </dev/null | sed -n '2{s/\r$//;s/^"\(.*\)"$/\1/;p}'
}

demo_questions() {
    demo_ask "Whom should $DEMO_NAME meet? Friends of friends, by how many friends they share" \
        "MATCH (me:Person {id: $DEMO_ME})-[:KNOWS]-(friend)-[:KNOWS]-(other)
WHERE other <> me AND NOT (me)-[:KNOWS]-(other)
RETURN other.name AS name, other.city AS city, count(DISTINCT friend) AS mutual
ORDER BY mutual DESC, name LIMIT 5"
    demo_ask "How is $DEMO_NAME connected to $DEMO_OTHER_NAME?" \
        "MATCH p = shortestPath((:Person {id: $DEMO_ME})-[:KNOWS*..10]-(:Person {id: $DEMO_OTHER}))
RETURN length(p) AS steps, [n IN nodes(p) | n.name] AS chain"
    demo_ask "Who at $DEMO_FIRM is within three hops of $DEMO_NAME, and through whom?" \
        "MATCH (me:Person {id: $DEMO_ME}), (x:Person {employer: '$DEMO_FIRM'})
WHERE x <> me
MATCH p = shortestPath((me)-[:KNOWS*..3]-(x))
RETURN x.name AS name, length(p) AS hops, nodes(p)[1].name AS through
ORDER BY hops, name LIMIT 8"
}

# Friendships whose acknowledgement arrived before the kill: all five must be there afterwards.
demo_writes() {
    local i
    for i in 1 2 3 4 5; do
        build/release/bin/kith "$DEMO_URI" -c "MATCH (a:Person {id: $DEMO_ME}), (b:Person {id: $((9000 + i * 37))})
MERGE (a)-[k:KNOWS]->(b) SET k.weight = 0.5, k.run = '$DEMO_RUN'" </dev/null >/dev/null ||
            die "demo: writing a friendship failed"
    done
}

DEMO_COUNT="MATCH (:Person {id: 4711})-[k:KNOWS]->(b:Person) WHERE k.run = '%s' RETURN count(k)"

cmd_demo() {
    local begin=$SECONDS folder town program counted shell=0
    case ${1:-} in
    "") ;;
    *) usage "demo" ;;
    esac
    [ ! -t 0 ] || [ ! -t 1 ] || shell=1
    deps_ready
    configure release
    for program in town kithd kith; do
        has_target release "$program" || die "demo: this tree has no programme '$program' yet"
    done
    build_preset release town kithd kith
    folder=${KITH_DEMO:-$ROOT/build/demo}
    town="$folder/town"
    # What stands in the folder is made and removed by this command, so the folder must be its own.
    if [ -n "$(ls -A "$folder" 2>/dev/null)" ] && [ ! -e "$folder/made-by-dev-demo" ]; then
        die "demo: $folder is not empty and not from an earlier demo: KITH_DEMO=DIR names another"
    fi
    mkdir -p "$town"
    touch "$folder/made-by-dev-demo"
    trap demo_stop EXIT
    trap 'exit 130' INT TERM

    if [ ! -e "$town/made" ]; then
        build/release/bin/town --people 10000 --seed 1 --out "$town" | tee "$town/made.new"
        mv "$town/made.new" "$town/made"
    else
        echo "$(cat "$town/made") (made by an earlier run, in $town)"
    fi
    # A database of another build may have another format: it is made anew when kith or the town changed.
    if [ ! -e "$folder/imported" ] || [ "$town/made" -nt "$folder/imported" ] ||
        [ build/release/bin/kith -nt "$folder/imported" ]; then
        rm -rf "$folder/data" "$folder/imported"
        build/release/bin/kith import --data "$folder/data" --edges "$town/friends.txt" --nodes "$town/people.csv" \
            --label Person --type KNOWS --weight weight || die "demo: the import failed"
        touch "$folder/imported"
    fi

    demo_start "$folder"
    DEMO_ME=4711 DEMO_OTHER=9876 DEMO_RUN=$(date +%s)-$$
    DEMO_NAME=$(demo_value "MATCH (p:Person {id: $DEMO_ME}) RETURN p.name") || die "demo: no answer"
    DEMO_OTHER_NAME=$(demo_value "MATCH (p:Person {id: $DEMO_OTHER}) RETURN p.name")
    DEMO_FIRM="Cobalt Clinic"
    [ -n "$DEMO_NAME" ] && [ -n "$DEMO_OTHER_NAME" ] || die "demo: the town is not in the database"
    demo_questions
    demo_ask "How did it find the friends of friends?" \
        "PROFILE MATCH (me:Person {id: $DEMO_ME})-[:KNOWS]-(friend)-[:KNOWS]-(other)
RETURN other.name, count(DISTINCT friend) AS mutual ORDER BY mutual DESC LIMIT 5"

    echo
    echo "-- Five friendships are written, one commit each; then the server is killed with -9"
    demo_writes
    kill -9 "$DEMO_SERVER"
    wait "$DEMO_SERVER" 2>/dev/null || true
    DEMO_SERVER=0
    demo_start "$folder"
    # shellcheck disable=SC2059
    counted=$(demo_value "$(printf "$DEMO_COUNT" "$DEMO_RUN")")
    [ "$counted" = 5 ] || die "demo: 5 friendships were acknowledged, ${counted:-none} survived kill -9"
    echo "all 5 are there"
    demo_questions

    echo
    echo "demo: done in $((SECONDS - begin)) s. The database stays in $folder/data; type next:"
    echo "  build/release/bin/kithd --data $folder/data &        serves it on port 5484"
    echo "  build/release/bin/kith                              asks it: MATCH (p:Person {id: $DEMO_ME})-[k:KNOWS]-(f) RETURN f.name, k.weight;"
    if [ "$shell" -eq 1 ]; then
        echo
        echo "Here is a shell on the running server (Ctrl-D ends both):"
        build/release/bin/kith "$DEMO_URI" || true
    fi
    demo_stop_clean
}
