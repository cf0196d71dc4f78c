#!/usr/bin/python3
"""
program_redis.py BUILD DATA: CPU time a request of redis-server, recorded with everything on, against redis alone; and
the instructions a request when the recorder is only preloaded.

Each round starts the servers anew: where their memory happens to lie is part of what a run costs.
"""

import sys

import programs
import redis_server
from redis_server import Server

build, data = sys.argv[1:3]
folder = f"{data}/redis"


def once(measure, **how):
    return redis_server.once(folder, measure, **how)


def steps(**how):
    return once(lambda server: server.steps(build), **how)


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
alone, idle = steps(), steps(preload=recorder)
programs.show("program.redis.instructions", alone, "instructions")
programs.show("program.redis.idle_instructions", (idle / alone - 1) * 100, "%", 0.2)
