#!/usr/bin/python3
"""
program_redis.py BUILD DATA: CPU time a request of redis-server, recorded with everything on, against redis alone; and
the instructions a request when the recorder is only preloaded.

Each round starts the servers anew: where their memory happens to lie is part of what a run costs.  The instructions of a
request, too, differ by some tenths of a percent from start to start, alone as well, since the server hashes with a random seed; so what
the recorder adds is counted where it executes, and the difference of the medians is told beside it.
"""

import os
import statistics
import sys

import programs
import redis_server
from redis_server import Server

build, data = sys.argv[1:3]
folder = f"{data}/redis"
STARTS = int(os.environ.get("BENCH_STARTS", 3))


def once(measure, **how):
    return redis_server.once(folder, measure, **how)


def steps(module=None, **how):
    return once(lambda server: server.steps(build, module), **how)


recorder = f"{build}/libctrace-rt.so.0"
record = [f"{build}/ctrace", "record", "-o", f"{folder}/trace.out", "--"]
ways = programs.Ways({
    "alone": lambda: once(Server.cost),
    "recorded": lambda: once(Server.cost, before=record),
    "idle": lambda: once(Server.cost, preload=recorder),
})
ways.alternate()
programs.show("program.redis.alone", ways.least("alone"), "ns")
programs.show("program.redis", ways.more("recorded", "alone"), "%", 2)
programs.show("program.redis.paired", ways.more_paired("recorded", "alone"), "%")
programs.show("program.redis.idle", ways.more("idle", "alone"), "%")
alone, idle, executed = [], [], []
for _ in range(STARTS):
    alone.append(steps()[0])
    whole, inside = steps(module="libctrace-rt.so", preload=recorder)
    idle.append(whole)
    executed.append(inside / (whole - inside) * 100)
programs.show("program.redis.instructions", statistics.median(alone), "instructions")
programs.show("program.redis.idle_instructions", max(executed), "%", 0.2)
programs.show("program.redis.idle_instructions.apart", (statistics.median(idle) / statistics.median(alone) - 1) * 100, "%")
