#!/usr/bin/env bash
# Sets the machine up, builds ctrace three times and runs its tests; the last line is "N passed, N failed".
#
#   tests/run.sh [quick|full]     quick is the default and what CI runs; full adds the long tests and a clean chroot
#
#   build/plain   warnings are errors          every suite
#   build/asan    address+undefined, clang     unit, golden, fuzz, and the command's end-to-end tests
#   build/tsan    thread                       stress
set -euo pipefail
. "$(dirname "$0")/setup.sh"

tier=${1:-quick}
case $tier in
    quick | full) ;;
    *) die "usage: tests/run.sh [quick|full]" ;;
esac

# The tests of a build run in a process group of their own, which is ended with us.
child=
trap '[ -z "$child" ] || kill -TERM -- "-$child" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM HUP

# run_suites FOLDER SUITE...
run_suites() {
    local folder=$1 suites=() suite
    shift
    for suite; do
        suites+=(--suite "$suite")
    done
    say "== $folder: $*"
    rm -f "$folder"/meson-logs/testlog*.json
    set -m
    # A busy machine is no reason to fail: what hangs is still ended.  One more than there are CPUs: many tests mostly wait.
    # Who runs this with nohup ignores hangups; programs under test are sent some, and heed them.
    env --default-signal=HUP,INT meson test -C "$folder" --setup "$tier" --no-rebuild --timeout-multiplier 3 --num-processes "$(($(nproc) + 1))" "${suites[@]}" </dev/null &
    child=$!
    set +m
    wait "$child" || true
    child=
    # Named after the setup, testlog-quick.json or so.
    cat "$folder"/meson-logs/testlog*.json > "$folder.results.json" 2>/dev/null || true
    [ -s "$folder.results.json" ] ||
        say '{"result": "ERROR", "name": "no test ran"}' > "$folder.results.json"
}

# Reads the results of every build, prints the last words of what failed, what was not run, then the one line.
summary() {
    /usr/bin/env python3 - "$@" <<'PYTHON'
import json, sys

LINES, LINES_OF_ONE, COLUMNS = 60, 30, 300

results = []
for path in sys.argv[1:]:
    with open(path) as lines:
        build = path.rsplit("/", 1)[-1].split(".")[0]
        results += [(build, json.loads(line)) for line in lines if line.strip()]

passed = [r for b, r in results if r["result"] in ("OK", "EXPECTEDFAIL")]
skipped = [(b, r) for b, r in results if r["result"] == "SKIP"]
failed = [(b, r) for b, r in results if r["result"] not in ("OK", "EXPECTEDFAIL", "SKIP")]
share = max(4, min(LINES_OF_ONE, LINES // max(1, len(failed))))
for build, row in failed[:LINES // share]:
    said = (row.get("stdout") or "").splitlines() + (row.get("stderr") or "").splitlines()
    print(f"-- {row['name']} ({build}, {row['result']}, {row.get('duration', 0):.0f} s), the last of {len(said)} lines:")
    for line in said[1 - share:]:
        print("   ", line[:COLUMNS])
for build, row in skipped:
    print(f"not run here: {row['name']} ({build}): {' '.join((row.get('stdout') or '').split())[-200:]}")
for build, row in failed:
    print(f"FAILED: {row['name']} ({build}, {row['result']}); all it said is in build/{build}/meson-logs")
print(f"{len(passed)} passed, {len(failed)} failed", flush=True)
sys.exit(1 if failed or not passed else 0)
PYTHON
}

setup_machine 6 build demo test $([ "$tier" = quick ] || say full)
cd "$ROOT"
rm -f build/*.results.json

setup_build build/plain -Dwerror=true -Dtests=enabled
run_suites build/plain unit golden house e2e stress $([ "$tier" = quick ] || say full)

if command -v clang >/dev/null; then
    export CC=clang
fi
setup_build build/asan -Db_sanitize=address,undefined -Db_lundef=false -Dtests=enabled -Dweb=disabled
unset CC
run_suites build/asan unit golden fuzz $([ "$tier" = quick ] || echo fuzz-long)

setup_build build/tsan -Db_sanitize=thread -Dtests=enabled -Dweb=disabled
run_suites build/tsan stress

summary build/plain.results.json build/asan.results.json build/tsan.results.json
