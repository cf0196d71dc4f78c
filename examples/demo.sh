#!/usr/bin/env bash
# From a fresh checkout to two traces in the browser: installs what building needs, builds, records, converts, shows.
#
#   examples/demo.sh [FOLDER]      FOLDER (by default build/demo) receives the traces
set -euo pipefail
. "$(dirname "$0")/../tests/setup.sh"

megabytes=48
out=${1:-$ROOT/build/demo}
build=$ROOT/build/release

show() { say; say "\$ $*"; "$@"; }

# Text that xz has something to do with; the same bytes on every machine.
make_input() {
    awk -v bytes=$((megabytes * 1024 * 1024)) 'BEGIN {
        srand(1)
        while (size < bytes) {
            line = sprintf("%08d %x thread %d waited %d ns for lock %x\n", ++n, rand() * 2^31, rand() * 64,
                           rand() * 1e6, rand() * 2^20)
            size += length(line)
            printf "%s", line
        }
    }' > "$1"
}

setup_machine 2 build demo
say "Building into ${build#"$ROOT"/} ..."
setup_build "$build" -Dbuildtype=release -Ddebug=true -Dtests=disabled
ctrace=$build/ctrace

mkdir -p "$out"
out=$(cd "$out" && pwd)
make_input "$out/input.txt"

say
say "1. A program that knows nothing of ctrace: xz, compressing $megabytes MB with all CPUs."
show "$ctrace" record -o "$out/xz.trace" -- xz -T0 -1 --block-size=4MiB -k -f "$out/input.txt"
show "$ctrace" info "$out/xz.trace"
show "$ctrace" convert "$out/xz.trace" -o "$out/xz.json.gz"

say
say "2. One of our examples: clients, sockets, a queue, a pool of workers, locks (examples/pool.c)."
show "$ctrace" record -o "$out/pool.trace" -- "$build/examples/pool"
show "$ctrace" info "$out/pool.trace"
show "$ctrace" convert "$out/pool.trace" -o "$out/pool.json.gz"
rm -f "$out/input.txt" "$out/input.txt.xz"

say
say "The traces as Chrome JSON:"
ls -l "$out"/*.json.gz | awk '{ printf "    %s  (%d KiB)\n", $NF, $5 / 1024 }'
say
say "To look at one, open https://ui.perfetto.dev and drop the file on the page (it stays on your machine),"
say "or chrome://tracing in Chrome, or https://www.speedscope.app."
say "Then record a program of yours:"
say "    ${ctrace#"$PWD"/} record -- PROGRAM ARGUMENT..."
say
if nobody_there; then
    say "To look at one in the browser, from this machine and no other:"
    say "    ${ctrace#"$PWD"/} view $out/pool.trace"
else
    say "Or look at it here: the page is served until you press Ctrl-C."
    show "$ctrace" view "$out/pool.trace"
fi
