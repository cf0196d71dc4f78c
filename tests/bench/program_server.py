#!/usr/bin/python3
"""
program_server.py BUILD DATA redis|nginx|memcached: CPU time a request of a server, recorded with everything on, against the
server alone; and the instructions a request when the recorder is only preloaded.

All ways run at once and are asked in turns, some 20 ms each: what the machine does to one it does to all.  The costs of a
block of turns are summed, so that what recording does once a second is in them, and a ratio is the median of the ratios of
blocks.  Where a server's memory happens to lie is part of what it costs, so there are several starts.
"""

import os
import statistics
import sys

import programs
from server import Server, Servers

build, data, kind = sys.argv[1:4]
folder = f"{data}/{kind}"
STARTS = int(os.environ.get("BENCH_STARTS", 4))
BLOCKS = max(2, programs.ROUNDS // 2)
TURNS, TURN_NS = 20, 20e6

recorder = f"{build}/libctrace-rt.so.0"
WAYS = {
    "alone": {},
    "recorded": {"before": [f"{build}/ctrace", "record", "-o", f"{folder}/trace/", "--"]},
    "idle": {"preload": recorder},
}


def measure(servers, ways):
    """Some blocks of turns; the costs are added to `ways`."""
    rounds = max(1, int(TURN_NS / 4 / min(server.cost(2000) for server in servers.values())))
    turns = list(servers)
    for block in range(BLOCKS):
        sums = dict.fromkeys(servers, 0)
        for turn in range(TURNS):
            for way in turns if (block + turn) % 2 == 0 else reversed(turns):
                sums[way] += servers[way].cost(rounds)
        for way, cost in sums.items():
            ways.costs[way].append(cost / TURNS)


def steps(module=None, **how):
    with Servers(build, folder, kind, {"it": how}) as servers:
        return servers["it"].steps(module)


name = f"program.{kind}"
ways = programs.Ways(dict.fromkeys(WAYS))
for _ in range(STARTS):
    with Servers(build, folder, kind, WAYS) as servers:
        measure(servers, ways)
programs.show(f"{name}.alone", ways.least("alone"), "ns")
programs.show(name, ways.more_paired("recorded", "alone"), "%", 2)
programs.show(f"{name}.least", ways.more("recorded", "alone"), "%")
programs.show(f"{name}.idle", ways.more_paired("idle", "alone"), "%")
alone, idle, executed = [], [], []
for _ in range(STARTS - 1):
    alone.append(steps()[0])
    whole, inside = steps(module="libctrace-rt.so", preload=recorder)
    idle.append(whole)
    executed.append(inside / (whole - inside) * 100)
programs.show(f"{name}.instructions", statistics.median(alone), "instructions")
programs.show(f"{name}.idle_instructions", max(executed), "%", 0.2)
programs.show(f"{name}.idle_instructions.apart", (statistics.median(idle) / statistics.median(alone) - 1) * 100, "%")
