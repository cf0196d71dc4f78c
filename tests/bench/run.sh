#!/usr/bin/env bash
# Builds ctrace for release and runs the benchmarks whose names begin with PREFIX, with the peers of their ratios.
#
#   tests/bench/run.sh [PREFIX]
#
# Prints `NAME VALUE UNIT` a line, and for what has a budget `NAME VALUE UNIT <=BUDGET ok|missed`, or `undecided` where the
# bounds of the true value lie on both sides of it.  What could not be measured is said on stderr.  The exit status is 0 when
# everything asked for was measured, met or not.
#
#   BENCH_ROUNDS   alternating runs of each thing (21 for loops, 8 for programs)
#   BENCH_STARTS   starts of each program, for those that are compared side by side
#   BENCH_SHARE    seconds of CPU time that perf watches, each way (10)
#   BENCH_SECONDS  how long emit.worst emits (60)
#   BENCH_LARGE    0: leave out traces of 100 M events; view.paint and view.frame show one of 1 M then
#   BENCH_PAGE     events of the trace that view.paint and view.frame show (100000000)
set -euo pipefail
. "$(dirname "$0")/../setup.sh"

prefix=${1:-}
bench=$ROOT/build/bench
programs=$bench/tests/bench
data=$bench/data
unmeasured=0

# name of the benchmark, function that runs it
benchmarks=(
    gate.shut       gate
    emit.open       emit_open
    tsc.read        emit_open
    emit.lttng      emit_lttng
    emit.lttng.idle emit_lttng_ours
    emit.lttng.active emit_lttng_ours
    emit.uftrace    emit_uftrace
    emit.stack16    emit_stack16
    emit.worst      emit_worst
    bytes.annotation bytes
    bytes.io        bytes
    bytes.wait      bytes
    mutex.free      mutex_free
    mutex.contended mutex_contended
    malloc.pair.idle malloc_idle
    malloc.pair.heap malloc_heap
    malloc.pair.recording malloc_recording
    exec.true       exec_true
    convert.chrome  convert_chrome
    ctf.chrome      ctf
    ctf.plugin      ctf
    view.index      view_index
    view.tile       view_index
    view.paint      view_page
    view.frame      view_page
    view.line       view_page
    view.page       view_page
    request.added   request_added
    program.xz      program_xz
    program.redis   program_redis
    program.nginx   program_nginx
    program.memcached program_memcached
    program.sqlite  program_sqlite
    memory.idle     memory
    memory.thread   memory
    profile.cpu.xz  profile_xz
    profile.heap.xz profile_xz
    profile.cpu.redis profile_redis
    profile.heap.redis profile_redis
    profile.heap.sqlite profile_sqlite
    profile.heap.malloc profile_malloc
    profile.cpu.xz.switched profile_switched_xz
    profile.cpu.redis.switched profile_switched_redis
    profile.cpu.redis.share profile_share_redis
    profile.heap.redis.share profile_share_redis
    profile.cpu.xz.share profile_share_xz
    profile.heap.xz.share profile_share_xz
    profile.heap.sqlite.share profile_share_sqlite
    profile.idle    profile_idle
)

not_measured() {
    say "$1: not measured: $2" >&2
    unmeasured=1
}

# run_bench NAME PROGRAM [ARGUMENT...]: a benchmark that is a program of its own.
run_bench() {
    local name=$1 program=$programs/$2
    shift 2
    if [ ! -x "$program" ]; then
        not_measured "$name" "$(basename "$program") was not built"
    elif ! "$program" "$@"; then
        not_measured "$name" "$(basename "$program") failed"
    fi
}

gate() {
    run_bench gate.shut bench-gate
    run_bench gate.shut bench-steps "$programs/bench-gate"
}

emit_open() {
    run_bench emit.open bench-emit "$data/emit.trace"
    run_bench emit.open bench-steps "$programs/bench-emit" "$data/emit.trace"
    run_bench emit.open bench-api "$data/emit.trace"
    rm -f "$data"/emit.trace*
}

emit_lttng() {
    command -v lttng-sessiond >/dev/null || { not_measured emit.lttng "lttng-tools is missing"; return; }
    "$ROOT/tests/bench/lttng_session.sh" "$data/lttng" "$programs/bench-emit-lttng" "$data/emit.trace" ||
        not_measured emit.lttng "the session failed"
    rm -f "$data"/emit.trace*
}

# Our events with libctrace-lttng.so loaded: told to nobody, and to a session.
emit_lttng_ours() {
    [ -e "$bench/libctrace-lttng.so" ] || { not_measured emit.lttng.idle "liblttng-ust-dev is missing"; return; }
    LD_LIBRARY_PATH=$bench "$programs/bench-emit-tap" idle "$data/emit.trace" || not_measured emit.lttng.idle "it was not loaded"
    rm -f "$data"/emit.trace*
    command -v lttng-sessiond >/dev/null || { not_measured emit.lttng.active "lttng-tools is missing"; return; }
    LD_LIBRARY_PATH=$bench "$ROOT/tests/bench/lttng_session.sh" "$data/lttng" "$programs/bench-emit-tap" active ||
        not_measured emit.lttng.active "the session failed"
}

emit_uftrace() {
    command -v uftrace >/dev/null || { not_measured emit.uftrace "uftrace is missing"; return; }
    # -pg also writes gmon.out, at exit, where the program stands.
    (cd "$data" && uftrace record --no-libcall -d "$data/uftrace" "$programs/bench-emit-uftrace" emit.trace) ||
        not_measured emit.uftrace "uftrace failed"
    rm -rf "$data/uftrace" "$data/gmon.out" "$data"/emit.trace*
}

emit_stack16() {
    run_bench emit.stack16 bench-emit-stack "$data/emit.trace"
    run_bench emit.stack16 bench-steps "$programs/bench-emit-stack" "$data/emit.trace"
    run_bench emit.stack16 bench-stack16
    rm -f "$data"/emit.trace*
}

emit_worst() { run_bench emit.worst bench-worst "$data"; }

mutex_free() {
    "$bench/ctrace" record -o "$data/mutex.trace" -- "$programs/bench-mutex" || not_measured mutex.free "it failed"
    # Stepping takes so long that CPU samples would be a part of what is counted.
    "$bench/ctrace" record -o "$data/mutex.trace" --without cpu -- "$programs/bench-steps" "$programs/bench-mutex" ||
        not_measured mutex.free "it failed"
    rm -f "$data"/mutex.trace*
}

# Alone and recorded take turns; what counts is the median of all.
mutex_contended() {
    local way
    for way in 1 2 3; do
        run_bench mutex.contended bench-contended mutex.contended.alone
        "$bench/ctrace" record -o "$data/mutex.trace" -- "$programs/bench-contended" mutex.contended ||
            not_measured mutex.contended "it failed"
        rm -f "$data"/mutex.trace*
    done
}

request_added() {
    "$bench/ctrace" record -o "$data/request.trace" -- "$programs/bench-request" || not_measured request.added "it failed"
    rm -f "$data"/request.trace*
}

exec_true() {
    run_bench exec.true bench-exec exec.true "$bench/libctrace-rt.so.0" 100
    "$bench/ctrace" record -o "$data/exec/" -- "$programs/bench-exec" exec.true.recorded || not_measured exec.true "it failed"
    rm -rf "$data/exec"
}

malloc_idle() {
    LD_PRELOAD=$bench/libctrace-rt.so "$programs/bench-malloc" malloc.pair.idle 2 || not_measured malloc.pair.idle "it failed"
    LD_PRELOAD=$bench/libctrace-rt.so "$programs/bench-steps" "$programs/bench-malloc" malloc.pair.idle ||
        not_measured malloc.pair.idle.instructions "it failed"
}

# malloc_under NAME BUDGET OPTION...: under `ctrace record`.  Stepped through, a tick's handler would not end before the next.
malloc_under() {
    local name=$1 budget=$2
    shift 2
    "$bench/ctrace" record "$@" -- "$programs/bench-malloc" "$name" "$budget" || not_measured "$name" "it failed"
    [ "$1" = -o ] && set -- "$@" --without cpu
    "$bench/ctrace" record "$@" -- "$programs/bench-steps" "$programs/bench-malloc" "$name" ||
        not_measured "$name.instructions" "it failed"
    rm -f "$data"/malloc.trace* "$data"/malloc.*pb.gz
}

malloc_heap() { malloc_under malloc.pair.heap 4 --memprofile "$data/malloc.%p.pb.gz"; }
malloc_recording() { malloc_under malloc.pair.recording 5 -o "$data/malloc.trace"; }

# The same pair with the heap profiles of others; NAME.off is the same allocator without one.
profile_malloc() {
    local libraries=/usr/lib/x86_64-linux-gnu name=profile.heap.malloc bench_malloc=$programs/bench-malloc
    malloc_under $name 4 --memprofile "$data/malloc.%p.pb.gz"
    rm -rf "$data/peers"
    mkdir -p "$data/peers"
    LD_PRELOAD=$libraries/libjemalloc.so.2 "$bench_malloc" $name.jemalloc.off || not_measured $name.jemalloc "it failed"
    LD_PRELOAD=$libraries/libjemalloc.so.2 MALLOC_CONF=prof:true,prof_prefix:$data/peers/jeprof \
        "$bench_malloc" $name.jemalloc || not_measured $name.jemalloc "it failed"
    LD_PRELOAD=$libraries/libtcmalloc.so.4 "$bench_malloc" $name.gperftools.off || not_measured $name.gperftools "it failed"
    LD_PRELOAD=$libraries/libtcmalloc.so.4 HEAPPROFILE=$data/peers/gperftools BENCH_ROUNDS=2 \
        "$bench_malloc" $name.gperftools 2>/dev/null || not_measured $name.gperftools "it failed"
    # In its file there is a line for each call.
    LD_PRELOAD=/usr/lib/heaptrack/libheaptrack_preload.so DUMP_HEAPTRACK_OUTPUT=$data/peers/heaptrack BENCH_ROUNDS=2 \
        "$bench_malloc" $name.heaptrack 2>/dev/null || not_measured $name.heaptrack "it failed"
    rm -rf "$data/peers"
}

bytes() { /usr/bin/python3 "$ROOT/tests/bench/bytes.py" "$bench" "$data" "$prefix" || not_measured bytes "it failed"; }

convert_chrome() {
    [ -x "$ROOT/tests/bench/convert.sh" ] || { not_measured convert.chrome "tests/bench/convert.sh is missing"; return; }
    "$ROOT/tests/bench/convert.sh" "$bench" "$data" || not_measured convert.chrome "it failed"
}

ctf() {
    command -v babeltrace2 >/dev/null || { not_measured ctf "babeltrace2 is missing"; return; }
    /usr/bin/python3 "$ROOT/tests/bench/ctf.py" "$bench" "$data" || not_measured ctf "it failed"
}

# 1, 10 and (unless BENCH_LARGE=0) 100 M events of 8 threads, 10 M of as few and of as many rows as one looks at, and what was
# recorded of a program: built, and opened again.
# view_trace NAME COMMAND... that makes $data/view.trace
view_trace() {
    local trace=$data/view.trace folder=$data/view.idx
    if "${@:2}"; then
        run_bench view.index bench-index "$trace" "$folder" "$1"
        run_bench view.index bench-index "$trace" "$folder" "$1"
        run_bench view.index bench-index "$trace" "$folder" "$1" cold
        run_bench view.index bench-index "$trace" "$folder" "$1" ask
    else
        not_measured "$1" "no trace was made"
    fi
    rm -rf "$trace"* "$folder"
}

# view_made NAME EVENTS THREADS MIX
view_made() {
    view_trace "$1" "$programs/mktrace" "$2" "$3" "$4" "$data/view.trace"
}

view_index() {
    view_made view.1M 1000000 8 mixed
    view_made view.10M 10000000 8 mixed
    view_made view.waits 10000000 8 wait
    view_made view.threads 10000000 64 mixed
    view_made view.4rows 10000000 1 wait
    view_made view.400rows 10000000 130 mixed
    if command -v redis-server >/dev/null; then
        view_trace view.recorded /usr/bin/python3 "$ROOT/tests/bench/record_redis.py" "$bench" "$data" "$data/view.trace" 20
    else
        not_measured view.recorded "redis-server is missing"
    fi
    [ "${BENCH_LARGE:-1}" = 0 ] || view_made view.100M 100000000 8 mixed
}

# The page of `ctrace view` in chromium.
view_page() {
    local events=100000000
    [ "${BENCH_LARGE:-1}" != 0 ] || events=1000000
    /usr/bin/python3 "$ROOT/tests/bench/page_view.py" "$bench" "$data" "${BENCH_PAGE:-$events}" ||
        not_measured view.paint "chromium or node is missing, or it failed"
}

program_run() {
    /usr/bin/python3 "$ROOT/tests/bench/program_run.py" "$bench" "$data" "$1" || not_measured "program.$1" "it failed"
}

program_xz() { program_run xz; }
program_sqlite() { program_run sqlite; }

memory() { /usr/bin/python3 "$ROOT/tests/bench/memory.py" "$bench" "$data" || not_measured memory "it failed"; }

# program_server KIND COMMAND
program_server() {
    command -v "$2" >/dev/null || { not_measured "program.$1" "$2 is missing"; return; }
    /usr/bin/python3 "$ROOT/tests/bench/program_server.py" "$bench" "$data" "$1" || not_measured "program.$1" "it failed"
}

program_redis() { program_server redis redis-server; }
program_nginx() { program_server nginx nginx; }
program_memcached() { program_server memcached memcached; }

profile_xz() {
    /usr/bin/python3 "$ROOT/tests/bench/profile_program.py" "$bench" "$data" xz || not_measured profile.xz "it failed"
}

profile_redis() {
    /usr/bin/python3 "$ROOT/tests/bench/profile_program.py" "$bench" "$data" redis || not_measured profile.redis "it failed"
}

profile_sqlite() {
    /usr/bin/python3 "$ROOT/tests/bench/profile_program.py" "$bench" "$data" sqlite || not_measured profile.sqlite "it failed"
}

# The same process with and without a CPU profile.
profile_switched() {
    /usr/bin/python3 "$ROOT/tests/bench/profile_switched.py" "$bench" "$data" "$1" || not_measured "profile.cpu.$1.switched" "it failed"
}

profile_switched_xz() { profile_switched xz; }
profile_switched_redis() { profile_switched redis; }

# What perf sees of it.
profile_share() {
    command -v perf >/dev/null || { not_measured "profile.$1.share" "perf is missing"; return; }
    /usr/bin/python3 "$ROOT/tests/bench/profile_share.py" "$bench" "$data" "$1" || not_measured "profile.$1.share" "it failed"
}

profile_share_redis() { profile_share redis; }
profile_share_xz() { profile_share xz; }
profile_share_sqlite() { profile_share sqlite; }

profile_idle() {
    /usr/bin/python3 "$ROOT/tests/bench/profile_idle.py" "$bench" || not_measured profile.idle "it failed"
}

setup_machine 6 build demo bench
cd "$ROOT"
mkdir -p "$data"
{
    [ -f "$bench/build.ninja" ] || meson setup "$bench" "$ROOT" --buildtype=release -Db_ndebug=true -Dtests=enabled
    ninja -C "$bench" bench
} > "$bench.log" 2>&1 || { tail -n 40 "$bench.log" >&2; die "the benchmarks do not build"; }

asked=0
done_before=' '
for ((i = 0; i < ${#benchmarks[@]}; i += 2)); do
    name=${benchmarks[i]} run=${benchmarks[i + 1]}
    [[ $name == "$prefix"* || $prefix == "$name".* ]] || continue
    asked=1
    [[ $done_before == *" $run "* ]] && continue
    done_before+="$run "
    "$run"
done
[ "$asked" -eq 1 ] || die "no benchmark's name begins with '$prefix'"
exit "$unmeasured"
