#!/usr/bin/python3
"""
profile_heap.py BUILD [CASE...]: samples of allocations tell what a program that knows itself allocated and kept.

tests/tracer/profile/alloc.c is the program.  A sum estimated from samples has a known error: of blocks of size s, each
taken with probability p, the variance is bytes * s * (1 - p) / p.  Five standard deviations may lie between.
Each case runs twice: samples alone and samples among all else go ways of their own (tracer/wrap/heap_counted.c, heap.c).
"""

import math
import os
import subprocess
import sys
import tempfile

import samples

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
alloc = f"{build}/tests/tracer/profile/profile-alloc"
work = tempfile.TemporaryDirectory(prefix="ctrace-profile-")
among = []                                  # options: what else is recorded


def fail(text):
    sys.exit(f"FAIL: {text}")


class Block:
    """What one sample stands for."""

    def __init__(self, sample):
        self.size, rate = sample.number("size"), sample.number("rate")
        p = -math.expm1(-self.size / rate) if rate > 1 else 1
        self.bytes = self.size / p
        self.variance = self.size ** 2 * (1 - p) / p ** 2
        self.frames = sample.frames or []


def run(name, options=(), what=None, environment=None):
    """Records the program: what it printed, blocks of all samples, those in use at the end, all samples, its traces."""
    trace = f"{work.name}/{name}{len(among)}.trace"
    done = subprocess.run([ctrace, "record", *among, *options, "-o", trace, "--", alloc, what or name], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, **(environment or {})))
    if done.returncode != 0 or done.stderr:
        fail(f"{name}: status {done.returncode}\n{done.stdout}{done.stderr}")
    truth = {}
    for line in done.stdout.splitlines():
        function, size, count = line.split()
        truth[function] = truth.get(function, 0) + int(size) * int(count)
    taken, every, live = samples.read(ctrace, trace), [], {}
    for sample in taken:
        if sample.kind == "ALLOC_SAMPLE":
            every.append(Block(sample))
            if live.get(sample.number("block")) and sample.number("block"):
                fail(f"{name}: a block was given away twice")
            live[sample.number("block")] = every[-1]
        elif sample.kind == "FREE_SAMPLE" and not live.pop(sample.number("block"), None):
            fail(f"{name}: a block was freed that was not sampled")
    return truth, every, list(live.values()), taken


def near(what, blocks, true, function=None):
    blocks = [block for block in blocks if not function or function in block.frames]
    seen, error = sum(b.bytes for b in blocks), 5 * math.sqrt(sum(b.variance for b in blocks)) + 1
    print(f"{what}: {seen:.0f} of {true}, within {error:.0f}")
    if abs(seen - true) > error:
        fail(f"{what}: {seen:.0f} bytes, the truth is {true}, {error:.0f} may lie between")


def mix():
    """Every size and entry point, at the usual rate and at a finer one; nothing is in use at the end."""
    for options in [], ["--heap-rate", "16K"]:
        truth, every, live, _ = run("mix", options)
        near("all", every, sum(truth.values()))
        for function, true in truth.items():
            near(function, every, true, function)
        live = [block for block in live if set(truth) & set(block.frames)]     # what stdio keeps is its own
        if live:
            fail(f"in use at the end: {[(b.size, b.frames) for b in live]}")


def leak():
    """Who keeps blocks is told from who frees them."""
    _, every, live, _ = run("leak", ["--heap-rate", "64K"])
    near("allocated by leaks", every, 1024 * 100000, "leaks")
    near("kept by leaks", live, 1024 * 100000, "leaks")
    if any("tidies" in block.frames for block in live):
        fail("a block that was freed is said to be kept")


def everything():
    """With a rate of 1 nothing is estimated."""
    _, every, live, taken = run("odd", ["--heap-rate", "1"])
    if any(sample.kind == "ALLOC_SAMPLE" and sample.number("block") == 0 for sample in taken):
        fail("a few blocks do not fit the set")
    sizes = sorted(block.size for block in every if block.frames and "odd" in block.frames)
    if sizes != [10, 777, 1000, 100000]:
        fail(f"allocations of {sizes} bytes")
    if [block.size for block in live if "odd" in block.frames] != [777]:
        fail("what is freed by realloc() is freed, and what could not be made larger is not")
    done = subprocess.run([alloc, "odd"], check=False)
    if done.returncode != 0:
        fail(f"without ctrace: {done.returncode}")


def swap():
    """What one thread frees the next one gets at once: told in that order, each block has one owner at a time."""
    _, every, live, _ = run("swap", ["--heap-rate", "1", "--buffer", "256M"],
                            environment={"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1"})
    if sum("swaps" in block.frames for block in every) != 80000 or sum("swaps" in block.frames for block in live) > 8:
        fail(f"swap: {len(every)} blocks were allocated, and {len(live)} are left")


def full():
    """A set that is full says so, block by block, and the sums hold."""
    _, every, _, taken = run("full", ["--heap-rate", "1", "--buffer", "256M"], "leak")
    lost = [s for s in taken if s.kind == "ALLOC_SAMPLE" and s.number("block") == 0]
    if not 20000 < len(lost) < 80000 + len(every) // 2:
        fail(f"{len(lost)} of {len(every)} were not watched")


def child():
    """Blocks of the parent that a child frees are told in the child."""
    run("fork", ["--heap-rate", "64K"])
    traces = [name for name in os.listdir(work.name) if name.startswith(f"fork{len(among)}.trace.")]
    freed = sum(s.kind == "FREE_SAMPLE" for name in traces for s in samples.read(ctrace, f"{work.name}/{name}"))
    if not 1000 < freed < 2200:
        fail(f"{freed} of about 1,560 sampled blocks were freed in the child")


cases = {"mix": mix, "leak": leak, "everything": everything, "swap": swap, "full": full, "child": child}
for among in ["--only", "alloc"], []:
    for case in sys.argv[2:] or cases:
        cases[case]()
