#!/usr/bin/python3
"""
profile_program.py BUILD DATA xz|redis|sqlite: CPU time of a program whose CPU time or heap is profiled, against the program
alone; and the same of peers.

All ways run at once and are given work in turns, some 20 ms each and more: what the machine does to one it does to all, and
it changes by more than what is looked for within seconds.  Where a program's memory happens to lie is part of what it costs,
more than a profile at times, so there are many starts, each of which gives one ratio.  What counts is the median of these; the
true one lies between `low` and `high` in 95 of 100 such runs.

A peer that replaces the allocator is compared with its own allocator without a profile.  heaptrack follows each allocation;
its reader's time is left out, as is that of `ctrace`.
"""

import glob
import os
import statistics
import sys

import programs
from fed import AllFed
from server import CONNECTIONS, Servers, cpus, settle

build, data, which = sys.argv[1:4]
ctrace = f"{build}/ctrace"
folder = f"{data}/profile"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
JEMALLOC, TCMALLOC = f"{LIBRARIES}/libjemalloc.so.2", f"{LIBRARIES}/libtcmalloc.so.4"
STARTS = int(os.environ.get("BENCH_STARTS", 2 * programs.ROUNDS))
PEER_STARTS = max(2, STARTS // 4)
TURN_NS, START_NS = 20e6, 0.8e9         # what a turn takes, if one piece of work does not take longer, and all turns of one way
WARM, PER_ROUND = (2000, CONNECTIONS) if which == "redis" else (2, 1)

WAYS = {
    "alone": {},
    "cpu": {"before": [ctrace, "record", "--cpuprofile", f"{folder}/cpu.%p.pb.gz", "--"]},
    "heap": {"before": [ctrace, "record", "--memprofile", f"{folder}/heap.%p.pb.gz", "--"]},
}
PEERS = {
    "alone": {},
    "cpu.gperftools": {"environment": {"CPUPROFILE": f"{folder}/gperftools.prof", "CPUPROFILE_FREQUENCY": "100"},
                       "preload": f"{LIBRARIES}/libprofiler.so.0"},
    "jemalloc": {"preload": JEMALLOC},
    "heap.jemalloc": {"environment": {"MALLOC_CONF": f"prof:true,prof_final:true,prof_prefix:{folder}/jeprof"}, "preload": JEMALLOC},
    "tcmalloc": {"preload": TCMALLOC},
    "heap.gperftools": {"environment": {"HEAPPROFILE": f"{folder}/gperftools"}, "preload": TCMALLOC},
    "heap.heaptrack": {"environment": {"DUMP_HEAPTRACK_OUTPUT": f"{folder}/heaptrack"},
                       "preload": "/usr/lib/heaptrack/libheaptrack_preload.so"},
}
BASES = {"heap.jemalloc": "jemalloc", "heap.gperftools": "tcmalloc"}


def clean():
    for path in glob.glob(f"{folder}/*"):
        if os.path.isfile(path):
            os.unlink(path)


def started(ways):
    if which == "redis":
        return Servers(build, f"{folder}/redis", "redis", ways)
    return AllFed(data, which, ways)


def found(ways):
    """Those whose library is there."""
    there = {}
    for way, how in ways.items():
        if which == "sqlite" and way.startswith("cpu"):
            continue
        if not os.path.exists(how.get("preload", "/")):
            print(f"profile.{way}.{which}: not measured: {how['preload']} is missing", file=sys.stderr)
            continue
        there[way] = how
    return there


def start(ways):
    """Per cent that each way costs more than another, in one start."""
    sums = dict.fromkeys(ways, 0)
    clean()
    with started(ways) as each:
        piece = min(one.cost(WARM) for one in each.values()) * PER_ROUND
        rounds = max(1, int(TURN_NS / piece))
        for turn in range(max(8, int(START_NS / (rounds * piece)))):
            for way in each if turn % 2 == 0 else reversed(each):
                sums[way] += each[way].cost(rounds)
    return {way: (sums[way] / sums[BASES.get(way, "alone")] - 1) * 100 for way in ways if BASES.get(way, "alone") in ways}


os.makedirs(folder, exist_ok=True)
settle(os.getpid(), cpus[0])
ours = found(WAYS)
starts = [start(ours) for _ in range(STARTS)]
for kind, most in ("cpu", 0.5), ("heap", 1):
    if kind in ours:
        programs.show_median(f"profile.{kind}.{which}", [more[kind] for more in starts], "%", most)
peers = found(PEERS)
starts = [start(peers) for _ in range(PEER_STARTS)]
for way in peers:
    if "." in way and BASES.get(way, "alone") in peers:
        kind, peer = way.split(".")
        programs.show(f"profile.{kind}.{which}.{peer}", statistics.median(more[way] for more in starts), "%")
clean()
