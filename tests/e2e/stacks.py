#!/usr/bin/python3
"""
stacks.py BUILD [PROGRAM...]: the whole stack of a thread in each call that blocks, by whatever way compilers make frames: as
`threads?debug=2` shows it while nothing is traced, and while a trace runs, and as the trace tells it.

tests/tracer/service/stacks.c is the program.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

from served import Served, build, fail

PROGRAMS = [f"stacks{level}{keeps}" for level in "02" for keeps in ("", "-bare")]
UNWRAPPED = {"sigwait", "sigwaitinfo", "sigsuspend", "pause", "fcntl", "waitpid"}       # a trace does not tell of these


def chain(name):
    return [f"blocked_in_{name}", f"middle_of_{name}", f"start_of_{name}", "start_thread", "clone3"]


def calls_of(pid):
    """What each thread is asleep in; None when one is not."""
    calls = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/stat", encoding="latin-1") as stat:
            state = stat.read().rpartition(")")[2].split()[0]
        with open(f"/proc/{pid}/task/{tid}/syscall", encoding="ascii") as call:
            calls[tid] = call.read()
        if state != "S" or calls[tid].startswith("running"):
            return None
    return calls


def blocked(served):
    """Waits until all threads are in their calls; how many were made for one."""
    count, pid = map(int, served.process.stdout.readline().split())
    until, before = time.monotonic() + 30, None
    while True:
        now = calls_of(pid)
        if now and now == before:
            return count
        if time.monotonic() > until:
            fail(f"its threads do not come to rest: {now}")
        before = now
        time.sleep(0.02)


def check_dump(served, count, what):
    text = served.get("threads?debug=2")
    names = []
    for name, rest in re.findall(r'^thread \d+ "(.*)" \[.*\]:\n((?:.+\n)*)', text, re.M):
        stack = re.findall(r"^(\S.*?)(?:\(\))?$", rest, re.M)
        if name.startswith("service-"):
            if stack[-1] != "_start" or "main" not in stack:
                fail(f"{what}: the first thread's stack is {stack}")
            continue
        names.append(name)
        if stack[-5:] != chain(name) or len(stack) < 6 or any(re.match(r"0x|\?|\[", frame) for frame in stack):
            fail(f"{what}: {name}'s stack is {stack}")
    if len(set(names)) != count:
        fail(f"{what}: {len(set(names))} threads of {count}:\n{text}")
    return names


def check_trace(path, names, what):
    """Whatever the trace tells of a call made under `blocked_in_X` must have the whole stack; and it tells of each."""
    text = subprocess.run([f"{build}/ctrace", "convert", "-t", "text", "--alone", "-o", "-", path], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    stacks, told = {}, set()
    for line in text.splitlines():
        if stack := re.match(r"stack 1 (\d+) .*# (.*)$", line):
            stacks[stack[1]] = re.findall(r'"([^"]*)"', stack[2])
        event = re.match(r"[\d.]+ 1:\d+ (?:\w+_WAIT|SLEEP|\w+_SLOW|OPEN) .*at=(\d+)", line)
        frames = stacks[event[1]] if event else []
        name = next((frame[len("blocked_in_"):] for frame in frames if frame.startswith("blocked_in_")), None)
        if name and frames != chain(name):
            fail(f"{what}: {name}'s stack is {frames} in <{line}>")
        told.add(name)
    if missing := set(names) - UNWRAPPED - told:
        fail(f"{what}: nothing is told of {sorted(missing)}")


def profiled(program, folder):
    """Dumps while nobody traces, the first at once, and while somebody does."""
    with Served(program, folder) as s:
        count = blocked(s)
        check_dump(s, count, f"{program}, profiled")
        with urllib.request.urlopen(f"{s.base}/trace?seconds=300", timeout=30) as trace:
            trace.read(1)
            check_dump(s, count, f"{program}, while a trace runs")
    if s.status != 0:
        fail(f"{program}: exit status {s.status}: {s.errors}")


def traced(program, folder):
    """The same calls, begun and ended in a trace."""
    path = f"{folder}/{program}.out"
    with Served(program, folder, options=["-o", path]) as s:
        names = check_dump(s, blocked(s), f"{program}, traced")
    if s.status != 0:
        fail(f"{program}, traced: exit status {s.status}: {s.errors}")
    check_trace(path, names, f"{program}'s trace")
    return len(names)


for each in sys.argv[2:] or PROGRAMS:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        profiled(each, place)
        print(f"{each}: ok, {traced(each, place)} calls ({time.monotonic() - began:.1f} s)", flush=True)
