#!/usr/bin/env bash
# test_plain.sh CC - does plain_test.h fail what must fail? A pass that it makes up would hide every race.
set -u
cc=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/t.c" <<'C'
#include <criterion/criterion.h>
static int steps;
static void up(void) { steps++; }
static void down(void) { steps += 10; }
static void *wrong(void *unused) { (void)unused; cr_assert_eq(1, 2); return NULL; }
TestSuite(plain, .init = up);
Test(plain, passes, .init = up, .fini = down) { cr_assert_eq(steps, 2, "suite and test: %d", steps); }
Test(plain, sees_fini_of_the_one_before) { cr_assert_eq(steps, 13); cr_assert_str_eq("a", "a"); }
Test(plain, expects_a_signal, .signal = SIGABRT) { abort(); }
Test(plain, expects_an_exit_code, .exit_code = 7) { exit(7); }
#ifdef FAIL_ASSERT
Test(plain, fails) { cr_assert_eq(1, 2, "one is not %d", 2); steps = 1 / (steps - steps); }
#endif
#ifdef FAIL_EXPECT
Test(plain, fails_softly) { cr_expect_str_eq("a", "b"); }
#endif
#ifdef FAIL_SIGNAL
Test(plain, no_signal_comes, .signal = SIGABRT) { }
#endif
#ifdef FAIL_INIT
static void broken(void) { cr_assert_fail("init"); }
Test(plain, init_fails, .init = broken) { }
#endif
#ifdef FAIL_THREAD
Test(plain, another_thread_fails) { pthread_t t; pthread_create(&t, NULL, wrong, NULL); pthread_join(t, NULL); }
#else
Test(plain, unused) { (void)wrong; }
#endif
C
bad=0
# try DEFINE WANTED-EXIT
try() {
    "$cc" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-div-by-zero -I"$root" -I"$root/tests/support/plain" \
        ${1:+-D$1} "$work/t.c" -o "$work/t" -lpthread -lm || { echo "WRONG: does not compile with ${1:-nothing}"; bad=1; return; }
    "$root/tests/support/run_unit.sh" "$work/t" "$work/t.c" >"$work/out" 2>&1
    local code=$?
    [ "$code" -eq 0 ] || code=1
    [ "$code" -eq "$2" ] || { echo "WRONG: ${1:-all good}: exit $code"; cat "$work/out"; bad=1; }
}
# The wrapper counts Test( in the source, so take out what is not compiled in.
cp "$work/t.c" "$work/all.c"
for what in "" FAIL_ASSERT FAIL_EXPECT FAIL_SIGNAL FAIL_INIT FAIL_THREAD; do
    awk -v on="$what" '/^#ifdef/ {keep = ($2 == on); inside = 1; next} /^#else/ {keep = !keep; next}
        /^#endif/ {inside = 0; next} !inside || keep' "$work/all.c" >"$work/t.c"
    try "" "$([ -z "$what" ] && echo 0 || echo 1)"
done
[ "$bad" -eq 0 ] && echo "plain: 6 programs judged right"
exit "$bad"
