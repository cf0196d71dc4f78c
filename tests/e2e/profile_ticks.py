#!/usr/bin/python3
"""
profile_ticks.py BUILD [CASE...]: what other profilers' ticks have done to programs, ctrace's do not.

tests/tracer/profile/ticks.c is the program; docs/hacking.md has the table of faults.
"""

import os
import subprocess
import sys
import tempfile
import time

import samples
from serving import Recorded, build

ctrace = f"{build}/ctrace"
ticks = f"{build}/tests/tracer/profile/profile-ticks"
work = tempfile.TemporaryDirectory(prefix="ctrace-ticks-")


def fail(text):
    sys.exit(f"FAIL: {text}")


def run(name, arguments, *options, status=0):
    """What the program printed, its samples, and what ctrace said."""
    trace = f"{work.name}/{name}.trace"
    done = subprocess.run([ctrace, "record", "--only", "cpu,thread", *options, "-o", trace, "--", ticks, *arguments],
                          capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != status:
        fail(f"{name}: status {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    return done.stdout.split(), samples.read(ctrace, trace) if status == 0 else [], done.stderr


def weight(taken):
    return sum(sample.number("weight") for sample in taken)


def near(what, taken, used, part):
    print(f"{what}: {weight(taken) / 1e6:.0f} ms in {len(taken)} samples of {used / 1e6:.0f} ms used")
    if abs(weight(taken) - used) > part * used:
        fail(f"{what}: samples stand for {weight(taken)} of {used} ns")


def timers(pid):
    """How many timers of a process there are; None where the kernel does not tell."""
    try:
        with open(f"/proc/{pid}/timers", encoding="ascii") as file:
            return file.read().count("ID:")
    except OSError:
        return None


def late():
    """Sampling begins and ends fifty times while threads are busy: no tick comes when nobody takes it.  And when
    nothing is sampled, there is no timer that could send one."""
    with Recorded([ticks, "busy"], folder=work.name) as r:
        if timers(r.pid) is None:
            print("late: /proc/PID/timers is not there; not looked at")
        if timers(r.pid):
            fail(f"{timers(r.pid)} timers before anybody asked for samples")
        url = r.url("/debug/pprof/trace?only=cpu&seconds=")
        clients = [subprocess.Popen(["sh", "-c", f"for i in $(seq 12); do curl -s -o {work.name}/late.{n}.$i '{url}0.0{n + 2}' || exit 1; done"])
                   for n in range(4)]
        most = 0
        while any(client.poll() is None for client in clients):
            most = max(most, timers(r.pid) or 0)
            time.sleep(0.01)
        if any(client.returncode for client in clients):
            fail("a trace was not answered")
        if most == 0 and timers(r.pid) is not None:
            fail("no timer was ever seen")
        until = time.monotonic() + 10
        while timers(r.pid) and time.monotonic() < until:
            time.sleep(0.05)
        if timers(r.pid):
            fail(f"{timers(r.pid)} timers go on after all clients have gone")
        found = sum(len(samples.read(ctrace, f"{work.name}/late.3.{i}")) for i in range(1, 13))
        more = 0
        while found < 10 and more < 60:         # on a busy machine the program may hardly run in a moment
            subprocess.run(["curl", "-s", "-o", f"{work.name}/late.more", f"{url}0.05"], check=True)
            found += len(samples.read(ctrace, f"{work.name}/late.more"))
            more += 1
        if found < 10:
            fail(f"hardly a sample in {12 + more} traces")
    if r.status != 0:
        fail(f"the program ended with {r.status}")


def chain():
    """Two handlers that call whom they found do not find ours, and do not go round."""
    run("chain", ["chain", "300"], "--cpu-rate", "1000")
    run("chain-fixed", ["chain", "300"], "--cpu-rate", "1000", "--cpu-signal", "PROF")


def foreign():
    """SIGPROF of the program's own timer, and a storm of it by kill(), are no samples."""
    said, taken, _ = run("foreign", ["foreign", "1500"])
    near("beside somebody else's ticks", taken, int(said[0]), 0.15)


def asked():
    """A thread that could not be given a timer, since it makes another one just then, does not stay without until the next turn."""
    said, taken, _ = run("asked", ["asked", "600"])
    near("looked at again", taken, int(said[0]), 0.3)


def waits():
    """Threads in poll, select, epoll_wait, sleeps and the like are never woken by a tick."""
    said, taken, _ = run("waits", ["waits", "2500"], "--cpu-rate", "1000")
    print(f"waits: {said[0]}, ended by a signal: {said[1]}, {len(taken)} ticks")
    if len(taken) < 50:
        fail(f"{len(taken)} ticks are too few to do harm")


def rates():
    """From 1 to 1000 a second; what is beyond is refused before anything runs."""
    said, taken, _ = run("slow", ["burn", "2600"], "--cpu-rate", "1")
    if not 1 <= len(taken) <= 4:
        fail(f"{len(taken)} samples at 1 Hz of {said[0]} ns")
    said, taken, _ = run("fast", ["burn", "600"], "--cpu-rate", "1000")
    near("at 1000 Hz", taken, int(said[0]), 0.1)
    for rate in "10000", "1001", "0", "-5":
        _, _, error = run("refused", ["burn", "1"], f"--cpu-rate={rate}", status=2)
        if error.count("\n") != 1:
            fail(f"a rate of {rate}: {error}")


cases = {"late": late, "chain": chain, "foreign": foreign, "asked": asked, "waits": waits, "rates": rates}
for case in sys.argv[2:] or cases:
    cases[case]()
