"""
profile_idle.py BUILD: what a server inside a program costs while nobody asks it: memory, and how often its threads wake up.

The kernel maps code in whose neighbourhood something runs as far as it lies at hand, more or less of it at each start: what
counts is the median of several programs, with and without a server.
"""

import os
import re
import statistics
import subprocess
import sys
import time

import programs

build = os.path.abspath(sys.argv[1])
STARTS, SETTLES, WATCHED = 25, 10, 20            # the last two in seconds


class Sleeper:
    """A program that does nothing until its input ends; `variables` make it serve."""

    def __init__(self, **variables):
        self.process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env={
            **os.environ, **variables, "LD_PRELOAD": f"{build}/libctrace-rt.so {build}/libctrace.so"})

    def numbers(self, file, pattern):
        with open(f"/proc/{self.process.pid}/{file}", encoding="ascii") as text:
            return sum(int(number) for number in re.findall(pattern, text.read(), re.M))

    def resident(self):
        """In KiB, with pages of libraries and of the arena."""
        return self.numbers("status", r"^VmRSS:\s+(\d+)")

    def wakes(self):
        return sum(self.numbers(f"task/{task}/status", r"^voluntary_ctxt_switches:\s+(\d+)")
                   for task in os.listdir(f"/proc/{self.process.pid}/task"))


def resident(sleepers):
    return statistics.median(each.resident() for each in sleepers)


alone, served = [], []
try:
    for _ in range(STARTS):
        alone.append(Sleeper())
        served.append(Sleeper(CTRACE_HTTP="127.0.0.1:0"))
    time.sleep(SETTLES)
    before = served[0].wakes()
    time.sleep(WATCHED)
    programs.show("profile.idle.memory", (resident(served) - resident(alone)) / 1024, "MB", 1)
    programs.show("profile.idle.wakeups", (served[0].wakes() - before) / WATCHED, "/s", 2)
finally:
    for sleeper in alone + served:
        sleeper.process.stdin.close()
        sleeper.process.wait()
