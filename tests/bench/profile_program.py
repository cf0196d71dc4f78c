#!/usr/bin/python3
"""
profile_program.py BUILD DATA xz|redis: CPU time of a program that is sampled (category cpu, category alloc), against the
same recording without samples.

Pairs of runs follow each other; each thing is what its cheapest run cost.
"""

import glob
import os
import subprocess
import sys

import programs
import redis_server

build, data, which = sys.argv[1:4]
ctrace = f"{build}/ctrace"


def xz(categories):
    text, costs = programs.text_file(f"{data}/text", 30 << 20), f"{data}/xz.costs"
    for path in glob.glob(f"{data}/xz.*"):
        os.unlink(path)
    with open(f"{data}/xz.out", "wb") as out:
        done = subprocess.run([ctrace, "record", "--only", categories, "-o", f"{data}/xz.trace", "--",
                               f"{build}/tests/bench/bench-meter", costs, "xz", "-T2", "-1", "--block-size=2MiB", "-k",
                               "-c", text], stdout=out, check=False)
    if done.returncode != 0:
        sys.exit(f"xz ended with status {done.returncode}")
    with open(costs, encoding="ascii") as f:
        return int(f.read())


def redis(categories):
    folder = f"{data}/redis"
    return redis_server.once(folder, redis_server.Server.cost, before=[
        ctrace, "record", "--only", categories, "-o", f"{folder}/trace.out", "--"])


measure = {"xz": xz, "redis": redis}[which]
ways = programs.Ways({categories: lambda categories=categories: measure(categories)
                      for categories in ("gc", "gc,cpu", "gc,alloc")})
ways.alternate()
for kind, most in ("cpu", 0.5), ("alloc", 1):
    name = f"profile.{'heap' if kind == 'alloc' else kind}.{which}"
    programs.show(name, ways.more(f"gc,{kind}", "gc"), "%", most)
    programs.show(f"{name}.paired", ways.more_paired(f"gc,{kind}", "gc"), "%")
for path in glob.glob(f"{data}/xz.*"):
    os.unlink(path)
