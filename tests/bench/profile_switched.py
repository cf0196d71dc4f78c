#!/usr/bin/python3
"""
profile_switched.py BUILD DATA xz|redis: CPU time of a program while a CPU profile of it is taken, against the same process
while none is.

What differs from start to start of a program, where its memory happens to lie for instance, is in neither.  The median's true
value lies between `low` and `high` in 95 of 100 such runs.  What the recorder costs a program that it is only loaded into
is not in it; `program.NAME.idle_instructions` tells that.  What begins and ends a profile is in it, once per window.
"""

import os
import shutil
import sys
import threading
import time
import urllib.request

import programs
from fed import AllFed
from server import CONNECTIONS, Servers, cpus, settle

build, data, which = sys.argv[1:4]
folder = f"{data}/switched"
STARTS = max(2, programs.ROUNDS // 2)
PAIRS = 20                              # of each start
SECONDS = 1                             # of a profile: as in Go, whole ones
LEAD = 0.03                             # which it takes at most to begin
WINDOW = SECONDS - 2 * LEAD             # what is measured of it
WARM, PER_ROUND = (2000, CONNECTIONS) if which == "redis" else (2, 1)


class Profile:
    """A CPU profile under way, while which a window is measured."""

    def __init__(self, port):
        self.reply = None
        self.url = f"http://127.0.0.1:{port}/debug/pprof/profile?seconds={SECONDS}&symbolize=0"
        self.asker = threading.Thread(target=self.ask)
        self.asker.start()
        time.sleep(LEAD)

    def ask(self):
        with urllib.request.urlopen(self.url, timeout=60) as reply:
            self.reply = reply.read()

    def end(self):
        self.asker.join()
        if not self.reply:
            sys.exit("no profile came")


def started(port):
    ways = {"served": {"before": [f"{build}/ctrace", "record", "--http", f"127.0.0.1:{port}", "--"]}}
    return Servers(build, folder, "redis", ways) if which == "redis" else AllFed(data, which, ways)


def window(program, rounds):
    """CPU time a piece of work over WINDOW seconds."""
    costs, end = [], time.monotonic() + WINDOW
    while time.monotonic() < end:
        costs.append(program.cost(rounds))
    return sum(costs) / len(costs)


def profiled(program, port, rounds):
    profile = Profile(port)
    cost = window(program, rounds)
    profile.end()
    return cost


def start():
    """Per cent that a window costs more with a profile than its neighbour without, of each pair."""
    port = programs.free_port()
    with started(port) as each:
        program = each["served"]
        rounds = max(1, int(0.02e9 / (min(program.cost(WARM) for _ in range(3)) * PER_ROUND)))
        pairs = []
        for turn in range(PAIRS):
            ways = [lambda: profiled(program, port, rounds), lambda: window(program, rounds)]
            costs = [way() for way in ways] if turn % 2 == 0 else [way() for way in reversed(ways)][::-1]
            pairs.append((costs[0] / costs[1] - 1) * 100)
    return pairs


os.makedirs(folder, exist_ok=True)
settle(os.getpid(), cpus[0])
ratios = [pair for _ in range(STARTS) for pair in start()]
shutil.rmtree(folder, ignore_errors=True)
programs.show_median(f"profile.cpu.{which}.switched", ratios, "%", 0.5)
