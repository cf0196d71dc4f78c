#!/usr/bin/python3
"""
kill.py BUILD: SIGKILL at random moments, KILL_COUNT times each (10; kill_often: 200) of

  program   the program alone, under `ctrace record`
  both      the program and `ctrace record`, in either order
  own       a program that called trace_start() itself
  memfd     the same where there is no /dev/shm to put events into; there 150 ms may be missing

Every file reads, and every event that had been emitted 10 ms before the kill is in it.
"""

import glob
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

import traces

build = os.path.abspath(sys.argv[1])
COUNT = int(os.environ.get("KILL_COUNT", 10))
ctrace = f"{build}/ctrace"
here = os.path.dirname(os.path.abspath(__file__))
STEPS = 1 << 20
NAMES = ["slow", "bursts"]
MS = 1000000


class Progress:
    """What the victim had done: struct progress of victim.c."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.map = mmap.mmap(f.fileno(), 8 * (1 + len(NAMES) * (1 + STEPS)), prot=mmap.PROT_READ)

    def word(self, index):
        return struct.unpack_from("<Q", self.map, 8 * index)[0]

    def pid(self):
        return self.word(0)

    def emitted_before(self, thread, ns):
        """How many events that thread had emitted by then."""
        low, high = 0, self.word(1 + thread)
        base = 1 + len(NAMES) + thread * STEPS
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.word(base + middle) <= ns else (low, middle)
        return low


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("the victim did not come up")
        time.sleep(0.001)


def kill(pid):
    assert pid > 1
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def counts_of(trace, name):
    """Values of one counter; they must be 0, 1, 2 ... without a gap."""
    values = [event.number("value") for event in trace.events
              if event.name == "COUNTER" and event.fields["name"] == name]
    if values != list(range(len(values))):
        first = next(i for i, value in enumerate(values) if value != i)
        raise AssertionError(f"counter {name}: {values[max(0, first - 1):first + 2]} at {first}")
    return len(values)


def check(path, progress, killed_ns, grace_ms):
    before = killed_ns - grace_ms * MS
    wanted = [progress.emitted_before(i, before) for i in range(len(NAMES))]
    if not os.path.exists(path):
        assert not any(wanted), f"no trace, though {wanted} events were emitted"
        return
    assert os.path.getsize(path) > 0, "a file without even its head"
    trace, _ = traces.read(ctrace, path)
    got = [counts_of(trace, name) for name in NAMES]
    for name, want, have in zip(NAMES, wanted, got):
        assert have >= want, f"thread {name}: {want} events were emitted {grace_ms} ms before the kill, {have} are there"


def start(scenario, folder):
    path, notes = f"{folder}/trace.out", f"{folder}/progress"
    victim, environment = f"{scratch}/victim", dict(os.environ, LD_LIBRARY_PATH=build)
    if scenario in ("program", "both"):
        command = [ctrace, "record", "-o", path, "--", victim, notes]
    else:
        command = [victim, notes, path]
    if scenario == "memfd":             # a mount namespace whose /dev/shm cannot be written to
        command = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$@"', "-", *command]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    wait_for(lambda: os.path.exists(notes) and os.path.getsize(notes) > 8 or process.poll() is not None)
    progress = Progress(notes) if process.poll() is None else None
    wait_for(lambda: process.poll() is not None or progress.pid())
    if process.poll() is not None:
        raise AssertionError(f"{' '.join(command)}: status {process.returncode}: {process.stderr.read().decode()}")
    return process, progress, path


def one(scenario, chance):
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        process, progress, path = start(scenario, folder)
        time.sleep(chance.choice([chance.uniform(0, 0.05), chance.uniform(0, 1.5)]))
        victims = [progress.pid()]
        if scenario == "both":
            victims = chance.sample([progress.pid(), process.pid], 2)
        killed_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        for pid in victims:
            kill(pid)
        process.stderr.read()           # until nobody holds it: all are gone
        process.wait(100)
        if scenario == "program":
            assert process.returncode == -signal.SIGKILL, f"ctrace record ended with {process.returncode}"
        check(path, progress, killed_ns, 150 if scenario == "memfd" else 10)
        if scenario != "program":       # once more when the rest was folded into the file
            said = subprocess.run([ctrace, "recover", path], check=True, capture_output=True).stdout.decode()
            check(path, progress, killed_ns, 150 if scenario == "memfd" else 10)
            assert " bytes of " not in said or ends_in_foot(path), "a recovered trace has no directory"


def ends_in_foot(path):
    """Whether the last block says where the directory is; there may be no trace at all."""
    if not os.path.exists(path):
        return True
    with open(path, "rb") as f:
        tail = f.read()[-36:]
    return len(tail) < 36 or struct.unpack_from("<IH", tail) == (0x6B6C4243, 15)


def problem_of(scenario, chance):
    try:
        one(scenario, chance)
    except AssertionError as problem:
        return str(problem)
    return None


def left_behind():
    """Session directories of traces of ours."""
    found = []
    for output in glob.glob(f"/dev/shm/ctrace-{os.getuid()}-*/output"):
        with open(output, encoding="utf-8", errors="replace") as f:
            if scratch in f.read():
                found.append(os.path.dirname(output))
    return found


def main():
    chance = random.Random(int(os.environ.get("KILL_SEED", time.time_ns())))
    failed = 0
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", f"-I{here}/../../tracer", f"{here}/victim.c", "-o", f"{scratch}/victim",
                    "-pthread", f"-L{build}", "-Wl,--no-as-needed", "-lctrace", "-lctrace-rt"], check=True)
    scenarios = ["program", "both", "own"] + (["memfd"] if os.getuid() == 0 else [])
    for scenario in scenarios:
        problems = list(filter(None, (problem_of(scenario, chance) for _ in range(COUNT))))
        failed += len(problems)
        print(*(f"{scenario}: {problem}" for problem in problems[:5]), f"{scenario}: {COUNT} kills, {len(problems)} failed",
              sep="\n", flush=True)
    if left_behind():
        failed += 1
        print(f"left behind: {left_behind()}")
    return 1 if failed else 0


with tempfile.TemporaryDirectory(prefix="ctrace-kill-") as scratch:
    sys.exit(main())
