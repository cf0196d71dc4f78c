#!/usr/bin/python3
"""
truth_locks.py BUILD [CASE...]: block profiles tell who waited and for how long, mutex profiles who made them wait.

tests/tracer/profile/locks.c is the program; it looks at the clock itself.  5 % may lie between.  Where the program was switched out
between the clock and an unlock it does not know whose turn that was: if that is more than 2 % of one's, it is run again.
"""

import os
import subprocess
import sys
import tempfile

import pprofs

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
locks = f"{build}/tests/tracer/profile/profile-locks"
LOCKS = "mutex", "rwlock read", "rwlock write"
work = tempfile.TemporaryDirectory(prefix="ctrace-truth-locks-")


def fail(text):
    sys.exit(f"FAIL: {text}")


def near(what, seen, true, per_cent=5):
    print(f"{what}: {seen / 1e6:.2f} of {true / 1e6:.2f} ms, {100 * (seen / true - 1):+.2f} %")
    if abs(seen - true) > true * per_cent / 100:
        fail(f"{what}: {seen} ns, the truth is {true} ns")


def run_once(what, rounds):
    """(profile, function) -> ns, as the program tells it; its block profile and its mutex profile."""
    paths = [f"{work.name}/{kind}.pb.gz" for kind in ("block", "mutex")]
    done = subprocess.run([ctrace, "record", "--blockprofile", paths[0], "--mutexprofile", paths[1], "--",
                           locks, what, str(rounds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        fail(f"{what}: status {done.returncode}\n{done.stderr}")
    truth = {}
    for line in done.stdout.splitlines():
        kind, function, ns = line.split()
        truth[kind, function] = truth.get((kind, function), 0) + int(ns)
    return truth, *map(pprofs.read, paths)


def run(what, rounds):
    """The same of a run that the program could measure."""
    for _ in range(20):
        truth, *profiles = run_once(what, rounds)
        doubts = {function: truth.pop(("doubt", function)) for kind, function in list(truth) if kind == "doubt"}
        if not doubts or sum(doubts.values()) <= 0.02 * min(truth["mutex", function] for function in doubts):
            return truth, *profiles
        print(f"{what}: not measured, in doubt are {doubts} ns")
    return fail(f"{what}: this machine does not let the program measure")


def three(what, rounds, runs=1):
    """Sums over as many runs."""
    sums = {}
    for _ in range(runs):
        truth, block, mutex = run(what, rounds)
        for (kind, function), ns in truth.items():
            rows = [row for row in block.rows if row.labels.get("wait") in LOCKS] if kind == "block" else mutex.rows
            seen, true = sums.get((kind, function), (0, 0))
            sums[kind, function] = seen + sum(row.values[1] for row in rows if function in row.frames), true + ns
        actors = {function for _, function in truth}
        strange = [row.frames for row in mutex.rows if not actors & set(row.frames)]
        if strange:
            fail(f"{what}: nobody waited for {strange}")
    for (kind, function), (seen, true) in sums.items():
        near(f"{what}, {kind}, {function}", seen, true)


def mutex():
    three("mutex", 25)


def rwlock():
    three("rwlock", 25)


def storm():
    """In short runs: in a long one it is switched out beside an unlock sooner or later."""
    three("storm", 1000, 5)


def idle():
    """A worker that has nothing to do is no contention: the label `wait` tells what was waited for."""
    truth, block, _ = run("idle", 40)
    block.rows = [row for row in block.rows if row.labels.get("wait") != "barrier"]     # where two of them begin
    waits = {"idles": "condition", "takes": "semaphore", "contends": "mutex"}
    for function, wait in waits.items():
        near(f"idle, {function}", block.total("delay", function), truth["block", function])
        labels = {row.labels.get("wait") for row in block.rows if function in row.frames and row.values[1] > 1000000}
        if labels != {wait}:
            fail(f"{function} waited for {labels}, not {wait}")
    contended = sum(row.values[1] for row in block.rows if row.labels.get("wait") == "mutex")
    near("what `-tagfocus=wait=mutex` leaves", contended, truth["block", "contends"])


cases = {"mutex": mutex, "rwlock": rwlock, "storm": storm, "idle": idle}
for case in sys.argv[2:] or ("mutex", "rwlock", "idle"):
    cases[case]()
