#!/usr/bin/python3
"""
page.py RESULTS...: makes docs/performance.md of what tests/bench/run.sh printed, later files before earlier ones; the notes at
its end stay as they are, and nothing else is on it.
"""

import datetime
import os
import platform
import re
import sys

def program(kind, alone, is_server):
    """The lines of a whole program."""
    name = f"program.{kind}"
    lines = {
        f"{name}.alone": f"{alone}, alone",
        name: "more CPU time when recorded, everything on (median of neighbouring runs)",
        f"{name}.least": "the same by the cheapest runs",
        f"{name}.idle": "more CPU time when the recorder is only preloaded",
    }
    if is_server:
        lines[f"{name}.instructions"] = "instructions of a request in user mode, alone"
        lines[f"{name}.idle_instructions"] = ("more of them when the recorder is only preloaded; what the kernel executes is "
                                              "not in the whole")
        lines[f"{name}.idle_instructions.apart"] = ("the same by the medians of several starts, with and without it, which "
                                                    "differ among themselves")
    else:
        lines[f"{name}.with_ctrace"] = "with the CPU time of ctrace, which writes the file and resolves names"
    return lines


def share(kind, program):
    name = f"profile.{kind}.{program}.share"
    return {
        name: f"share of the CPU time of {program} that a profile of its {kind} takes, by perf".replace("its cpu", "its CPU time"),
        f"{name}.recorder": "in the recorder's code",
        f"{name}.kernel": "in the kernel, for ticks",
        f"{name}.libc": "what libc takes more beside the program's own code",
    }


# What the names mean; a name without a line here is printed with its numbers all the same.
SECTIONS = [
    ("An event", {
        "loop.empty": "a loop that does nothing, an iteration",
        "gate.shut": "what an event adds to that loop while nothing is recorded",
        "gate.shut.instructions": "its instructions",
        "tsc.read": "one read of the TSC, the floor for anything with a time stamp",
        "emit.open": "an event without a stack, recorded and drained to a file",
        "emit.open.ratio": "by reads of the TSC",
        "emit.open.instructions": "its instructions, the stepping's longer time stamps included",
        "emit.counter": "a named value",
        "emit.region": "a region's begin or end",
        "emit.io": "an I/O call: duration, call, descriptor, result",
        "emit.lost": "events that found no room",
        "emit.api.shut": "trace_instant() while nothing is recorded",
        "emit.api.instant": "trace_instant(), from the program through libctrace.so",
        "emit.api.region": "trace_region_begin() or _end()",
        "emit.api.log": "trace_log() of 16 bytes",
        "emit.api.ratio": "trace_instant() by reads of the TSC",
        "emit.stack16": "an event with a stack of 16 frames, code without frame pointers, warm",
        "emit.stack16.stack": "the stack's share of it",
        "emit.stack16.instructions": "its instructions",
    }),
    ("Beside other tracers", {
        "emit.lttng": "an event of LTTng-UST 2.13, per-user buffers, a begin with two numbers and an end, halved",
        "emit.lttng.ours": "the same of ours, in the same process",
        "emit.lttng.ratio": "how much cheaper ours is",
        "emit.uftrace": "an event of uftrace, a call's two, halved, without the call itself",
        "emit.uftrace.ours": "one of ours, in the same process",
        "emit.uftrace.ratio": "how much cheaper ours is",
    }),
    ("Stalls", {
        "emit.worst": "emits of more than 100 us whose thread was not switched out, disk under fsync load",
        "emit.worst.bare": "such gaps in a loop that only reads the TSC, same run, same time",
        "emit.worst.emits": "events emitted",
        "emit.worst.longest": "the longest such emit",
        "emit.worst.bare_longest": "the longest such gap of the bare loop",
        "emit.worst.switched": "longer gaps in which the thread was switched out",
        "emit.worst.lost": "events that found no room",
    }),
    ("Bytes", {
        "bytes.annotation": "of an annotation: regions, values, moments",
        "bytes.annotation.file": "of the file by all its events",
        "bytes.io": "of an I/O call",
        "bytes.io.file": "of the file by all its events",
        "bytes.wait": "of a wait with its stack, begin and end together",
        "bytes.wait.file": "of the file by all its events",
    }),
    ("Programs", {
        "mutex.libc": "locking and unlocking a free mutex, libc alone",
        "mutex.wrapped": "the same, recorded",
        "mutex.libc.instructions": "its instructions",
        "mutex.wrapped.instructions": "its instructions",
        "mutex.free": "what recording adds",
        "mutex.free.ratio": "by libc alone",
        "mutex.trylock": "libc's trylock in place of its lock, which tells the wrapper whether it would wait",
        "mutex.trylock.ratio": "by libc alone",
        "mutex.contended.alone": "the same of a mutex that two threads want all the time, CPU time, libc alone",
        "mutex.contended": "the same, recorded: each wait has its two events and a stack",
        "request.libc": "a request of a server that does nothing else: its share of an epoll_wait, a read, a write, four small blocks",
        "request.added": "what recording adds",
        "request.added.ratio": "the same by libc alone",
        "malloc.pair.idle.libc": "malloc() and free() of 64 bytes, libc alone",
        "malloc.pair.idle": "what the recorder adds when it is only preloaded",
        "malloc.pair.idle.mixed_libc": "sizes of 16 to 2,000 bytes in 4,096 live blocks, libc alone",
        "malloc.pair.idle.mixed": "what the recorder adds to these",
        "malloc.pair.idle.paired": "the same, median of neighbouring turns",
        "malloc.pair.heap": "what a heap profile adds",
        "malloc.pair.heap.paired": "the same, median of neighbouring turns",
        "malloc.pair.recording.libc": "malloc() and free() of 64 bytes, libc alone",
        "malloc.pair.recording": "what recording adds",
        "malloc.pair.recording.paired": "the same, median of neighbouring turns",
        "malloc.pair.recording.mixed_libc": "sizes of 16 to 2,000 bytes in 4,096 live blocks, libc alone",
        "malloc.pair.recording.mixed": "what recording adds to these",
        "exec.true.alone": "start and end of /bin/true",
        "exec.true": "what the recorder adds when it is only preloaded",
        "exec.true.recorded": "what it adds to a child that is recorded",
        **program("redis", "CPU time of redis-server a request (GET and SET)", True),
        **program("nginx", "CPU time of nginx a request (a page of 1,000 bytes)", True),
        **program("memcached", "CPU time of memcached a request (get and set)", True),
        **program("sqlite", "CPU time of sqlite3, 300 transactions and queries on a file", False),
        **program("xz", "CPU time of xz -T2 on 6 MB", False),
        "memory.idle": "resident memory that the recorder adds to a program when it is only preloaded",
        "memory.thread": "what a recorded thread adds to that, without its slices",
    }),
    ("Samples", {
        "profile.cpu.xz": "more CPU time of xz with a CPU profile at 100 Hz than alone (median of many starts, in turns)",
        "profile.cpu.xz.low": "from here",
        "profile.cpu.xz.high": "to here it lies, in 95 of 100 runs",
        "profile.cpu.xz.gperftools": "the same with gperftools' CPU profiler",
        "profile.cpu.xz.switched": "more CPU time of xz while a CPU profile is taken than while none is, in one process",
        "profile.cpu.xz.switched.low": "from here",
        "profile.cpu.xz.switched.high": "to here it lies, in 95 of 100 runs",
        **share("cpu", "xz"), **share("cpu", "redis"), **share("heap", "xz"), **share("heap", "redis"), **share("heap", "sqlite"),
        "profile.heap.xz": "more with a heap profile, one sample in 512 KiB",
        "profile.heap.xz.low": "from here",
        "profile.heap.xz.high": "to here it lies, in 95 of 100 runs",
        "profile.cpu.redis": "more CPU time of redis-server a request with a CPU profile",
        "profile.cpu.redis.low": "from here",
        "profile.cpu.redis.high": "to here it lies, in 95 of 100 runs",
        "profile.cpu.redis.switched": "more CPU time of redis-server while a CPU profile is taken than while none is, in one process",
        "profile.cpu.redis.switched.low": "from here",
        "profile.cpu.redis.switched.high": "to here it lies, in 95 of 100 runs",
        "profile.heap.redis": "more with a heap profile",
        "profile.heap.redis.low": "from here",
        "profile.heap.redis.high": "to here it lies, in 95 of 100 runs",
        "profile.heap.redis.jemalloc": "more than jemalloc alone with its `prof:true`",
        "profile.heap.redis.gperftools": "more than tcmalloc alone with gperftools' heap profiler, which follows each call",
        "profile.heap.redis.heaptrack": "more with heaptrack, which follows each call; its reader is not in it",
        "profile.heap.sqlite": "more CPU time of sqlite3, in memory, with a heap profile",
        "profile.heap.sqlite.low": "from here",
        "profile.heap.sqlite.high": "to here it lies, in 95 of 100 runs",
        "profile.heap.malloc": "what a heap profile adds to malloc() and free() of 64 bytes",
        "profile.heap.malloc.jemalloc": "what jemalloc with `prof:true` costs more than libc's allocator",
        "profile.heap.malloc.jemalloc.off": "what it costs more without",
        "profile.idle.memory": "more resident memory of a program that serves itself, ten seconds after it began, while nobody asks",
        "profile.idle.wakeups": "how often its threads of ctrace's wake up then",
    }),
    ("The viewer", {
        **{f"view.{name}.{what}": f"{trace}: {meaning}" for name, trace in (
            ("100M", "100 M mixed events"), ("10M", "10 M"), ("1M", "1 M"), ("waits", "10 M of nothing but short waits"),
            ("threads", "10 M of 64 threads"),
            ("4rows", "10 M waits of one thread, as few lanes as a trace of waits has"), ("400rows", "10 M of 130 threads"),
            ("recorded", "redis-server, recorded for 20 s")) for what, meaning in (
                ("index", "events that the index takes in; 8 s for 100 M are 12.5"),
                ("index_cpu", "CPU time of all threads, an event"),
                ("index_bytes", "the index by its trace"),
                ("open_warm", "opening an index that is there"),
                ("memory", "anonymous memory while it answers"),
                ("rows", "rows"),
                ("lanes", "lanes, of which each has rows"),
                ("tile_row_p50", "a row of a tile, median"),
                ("tile_row_p95", "the 95th of a hundred"),
                ("tile_p95", "48 rows of a tile, the 95th of a hundred"),
                ("building_first", "until the first tile while it is built"),
                ("building_tile_p95", "48 rows of a tile while it is built, the wait for its turn included"),
                ("building_memory", "anonymous memory while it is built"))},
        "view.recorded.requests": "requests that it was asked meanwhile",
        "view.paint_cold": "from the start of `ctrace view` to lanes in a chromium that is open, without an index; 200 threads",
        "view.page_events": "events of the trace that the page shows in these",
        "view.paint_warm": "the same with an index, the least of three",
        "view.paint_bare": "the same of a page with nothing on it, from a server that runs already",
        "view.page": "all of the page, packed",
        "view.lanes": "lanes in sight while it moves",
        "view.frame_pan_p95": "from one frame to the next while the timeline pans, the 95th of a hundred",
        "view.frame_pan_median": "the median",
        "view.frame_zoom_p95": "the same while it zooms",
        "view.frame_draw_p95": "what drawing takes of it, without what chromium makes of that",
        "view.pans_memory": "what 2,000 pans and 300 zooms leave on the page's heap",
        "view.line_paint": "from the page's first byte to lanes over 200 kB/s and 40 ms there and back",
        "view.line_bytes": "what came over that line until all in sight and beside it was there",
        "view.line_zoom": "six steps closer, until all is there",
        "view.line_zoom_bytes": "and what came for it",
    }),
    ("Conversion", {
        **{f"convert.chrome{mix}{suffix}": f"{meaning}: events of its trace that a second of CPU time makes JSON of{packed}"
           for mix, meaning in (("", "1 M mixed events"), (".io", "1 M of nothing but I/O"), (".wait", "1 M of nothing but short waits"),
                                (".region", "1 M of nothing but regions"), (".recorded", "redis-server, recorded for 5 s"),
                                (".100M", "100 M mixed events")) for suffix, packed in (("", ""), (".gz", ", packed"))},
        "convert.chrome.memory": "memory for 100 M events by that for 1 M",
    }),
    ("CTF", {
        "ctf.chrome": "CTF to Chrome JSON, by the same graph of babeltrace2 into nothing",
        "ctf.text": "the same, by babeltrace2 printing text",
        "ctf.plugin": "trace.out through our plugin into nothing, by the same events from CTF",
        "ctf.chrome.speed": "1 M events of CTF to Chrome JSON",
        "ctf.plugin.speed": "trace.out through our plugin",
        "ctf.dummy.speed": "CTF through babeltrace2 alone",
        "ctf.text.speed": "babeltrace2 printing text",
    }),
]


def cpu():
    with open("/proc/cpuinfo", encoding="ascii") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def read(paths):
    """name -> words after it; a later run's line takes the place of an earlier one's."""
    lines = {}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for line in f:
                words = line.split()
                if not re.match(r"[a-z]\w*\.\S+ -?[0-9]", line):
                    continue                    # what programs of the benchmarks said
                if len(words) == 3:
                    lines[words[0]] = words[1:]
                elif len(words) > 4 and words[3].startswith(("<=", ">=")):
                    lines[words[0]] = words[1:5]
    return lines


def row(name, words, meaning):
    value, unit = words[:2]
    budget = f"{words[2].replace('<=', '≤ ').replace('>=', '≥ ')} {unit}, **{words[3]}**" if len(words) == 4 else ""
    return f"| `{name}` | {value} {unit} | {budget} | {meaning} |"


def table(title, names, lines, meanings):
    rows = [row(name, lines[name], meanings.get(name, "")) for name in names]
    return "\n".join([f"\n## {title}\n", "| | measured | budget | |", "|---|---|---|---|", *rows]) if rows else ""


def tables(lines):
    told = []
    for title, meanings in SECTIONS:
        names = [name for name in meanings if name in lines]
        told += names
        yield table(title, names, lines, meanings)
    yield table("Others", [name for name in lines if name not in told], lines, {})


def days(paths):
    """The first and the last day on which something was printed."""
    times = [datetime.date.fromtimestamp(os.stat(path).st_mtime) for path in paths]
    first, last = (f"{day:%-d %B %Y}" for day in (min(times), max(times)))
    return f"on {first}" if first == last else f"from {first} to {last}"


def head(paths):
    with open("/proc/meminfo", encoding="ascii") as f:
        memory = round(int(f.readline().split()[1]) / 2 ** 20)
    return f"""# Performance

Made by `tests/bench/page.py` of what `tests/bench/run.sh` printed {days(paths)}: {cpu()}, {os.cpu_count()} CPUs,
{memory} GiB, {platform.system()} {platform.release()}, glibc {platform.libc_ver()[1]}.  What is not on this page was not measured.

    tests/bench/run.sh [PREFIX]         the benchmarks whose names begin so

Loops are pinned to one CPU and run in turns, at least 21 of each; a time is the least of them, a ratio the median of
what neighbouring turns give.  Programs run at least 8 times each way, in turns, and what counts is their CPU time: this
machine shows no performance counters.  Instructions are counted by stepping through them."""


def main(paths):
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/performance.md")
    with open(page, encoding="utf-8") as f:
        _, mark, notes = f.read().partition("\n## Notes\n")
    text = "\n".join(filter(None, [head(paths), *tables(read(paths))]))
    with open(page, "w", encoding="utf-8") as f:
        f.write(text + "\n" + mark + notes)


main(sys.argv[1:])
