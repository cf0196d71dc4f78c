#!/usr/bin/env bash
# lttng_session.sh FOLDER COMMAND...: runs a command while an LTTng session of its own records ctrace_bench:* and ctrace:region_*.
# The session has per-user buffers, large enough for a burst; that nothing was discarded is checked.
set -euo pipefail
folder=$1
shift
rm -rf "$folder"
mkdir -p "$folder"
export LTTNG_HOME=$folder
session=ctrace-bench-$$
daemon=

end() {
    lttng -n destroy "$session" >/dev/null 2>&1 || true
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

# A daemon of root or of this user that runs already serves as well.
if ! lttng -n list >/dev/null 2>&1; then
    lttng-sessiond --no-kernel > "$folder/daemon.log" 2>&1 &
    daemon=$!
    for ((i = 0; i < 100; i++)); do
        lttng -n list >/dev/null 2>&1 && break
        sleep 0.1
    done
fi
{
    lttng -n create "$session" --output="$folder/trace"
    lttng -n enable-channel -s "$session" -u --buffers-uid --subbuf-size=8M --num-subbuf=8 bursts
    lttng -n enable-event -s "$session" -u -c bursts 'ctrace_bench:*,ctrace:region_*'
    lttng -n start "$session"
} > "$folder/lttng.log" 2>&1 || { cat "$folder/lttng.log" >&2; exit 1; }

LTTNG_UST_REGISTER_TIMEOUT=10000 "$@"

lttng -n stop "$session" > "$folder/lttng.log" 2>&1
if ! lttng -n list "$session" | grep -q 'Discarded events: 0$'; then
    echo "lttng discarded events; its number says nothing" >&2
    exit 1
fi
