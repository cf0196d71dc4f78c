#!/usr/bin/python3
"""
truth_heap.py BUILD [CASE...]: heap profiles tell what a program that knows itself allocated and kept.

tests/tracer/profile/alloc.c is the program.  Of blocks of size s, each taken with probability p, the sum that is
estimated has the variance s * s * (1 - p) / p a block, and the number of blocks (1 - p) / p.  So what is off, divided
by the root of that, is distributed normally, and many runs together show errors that one alone would hide.
"""

import math
import os
import subprocess
import sys
import tempfile

import pprofs

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
alloc = f"{build}/tests/tracer/profile/profile-alloc"
source = f"{os.path.dirname(os.path.abspath(__file__))}/../tracer/profile/alloc.c"
work = tempfile.TemporaryDirectory(prefix="ctrace-truth-heap-")
FUNCTIONS = "tiny", "small", "middle", "large", "chain"
ALLOCATORS = {"jemalloc": ("libjemalloc.so.2", ["-DWITHOUT_PVALLOC"]), "tcmalloc": ("libtcmalloc_minimal.so.4", []),
              "mimalloc": ("libmimalloc.so.2", [])}


def fail(text):
    sys.exit(f"FAIL: {text}")


def profile(program, what, rate, **more):
    """What the program printed, and its heap profile."""
    path = f"{work.name}/heap.pb.gz"
    done = subprocess.run([ctrace, "record", "--heap-rate", str(rate), "--memprofile", path, "--", program, what],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **more)
    if done.returncode != 0 or done.stderr:
        fail(f"{program} {what}: status {done.returncode}\n{done.stderr}")
    return [line.split() for line in done.stdout.splitlines()], pprofs.read(path)


class Sum:
    """What was estimated beside what is true, and the variance that the estimate has."""

    def __init__(self):
        self.seen = self.true = self.variance = 0

    def add(self, seen, blocks, rate, power):
        """`blocks`: (size, count); power 1 sums bytes, 0 blocks."""
        self.seen += seen
        for size, count in blocks:
            p = -math.expm1(-size / rate) if rate > 1 else 1
            self.true += count * size ** power
            self.variance += count * size ** (2 * power) * (1 - p) / p

    def off(self):
        return (self.seen - self.true) / math.sqrt(self.variance or 1)


def check(what, seen, blocks, rate):
    """One profile of one function: five standard deviations may lie between."""
    one = Sum()
    one.add(seen, blocks, rate, 1)
    print(f"{what}: {one.seen} of {one.true} bytes, {one.off():+.2f} standard deviations")
    if abs(one.off()) > 5:
        fail(f"{what}: {one.seen} bytes, the truth is {one.true}")


def empty(seen, what):
    for function in FUNCTIONS:
        if seen.total("inuse_space", function) or seen.total("inuse_objects", function):
            fail(f"{what}: in use at the end by {function}: {seen.total('inuse_space', function)} bytes")


def by_function(lines):
    return {function: [(int(size), int(count)) for name, size, count in lines if name == function]
            for function in FUNCTIONS}


def mix(runs=2):
    """Every size and entry point, at two rates, over several runs: each sum alone, all of them together, and their spread."""
    for rate in 524288, 16384:
        sums = {(function, power): Sum() for function in FUNCTIONS for power in (0, 1)}
        squares = 0
        for _ in range(runs):
            lines, seen = profile(alloc, "mix", rate)
            empty(seen, "mix")
            for function, blocks in by_function(lines).items():
                for power, kind in enumerate(("alloc_objects", "alloc_space")):
                    one = Sum()
                    for add_to in one, sums[function, power]:
                        add_to.add(seen.total(kind, function), blocks, rate, power)
                    if abs(one.off()) > 5:
                        fail(f"{function}, rate {rate}: {kind} {one.seen}, the truth is {one.true}")
                    squares += one.off() ** 2 if power else 0
        for (function, power), all_runs in sums.items():
            print(f"{function} over {runs} runs at {rate}: {'bytes' if power else 'blocks'} "
                  f"{100 * (all_runs.seen / all_runs.true - 1):+.2f} %, {all_runs.off():+.2f} standard deviations")
            if abs(all_runs.off()) > 4.5:
                fail(f"{function} at rate {rate}: {all_runs.seen} over {runs} runs, the truth is {all_runs.true}")
        # Squares of normal numbers: as many as were added, with twice that for variance.
        n = runs * len(FUNCTIONS)
        print(f"the spread at {rate}: {squares:.1f} of {n}")
        if not n - 4 * math.sqrt(2 * n) <= squares <= n + 6 * math.sqrt(2 * n):
            fail(f"what is off at rate {rate} is spread {squares / n:.2f} times as wide as sampling explains")


def tidy():
    """With a rate of 1 nothing is estimated: nothing at all is in use when all was freed."""
    _, seen = profile(alloc, "tidy", 1)
    for kind, true in ("alloc_objects", 20000), ("alloc_space", 20000 * 1024):
        if seen.total(kind, "tidies") != true:
            fail(f"tidy: {kind} {seen.total(kind, 'tidies')}, the truth is {true}")
    if seen.total("inuse_space") or seen.total("inuse_objects"):
        fail(f"tidy: in use at the end: {[(row.frames, row.values) for row in seen.rows if row.values[3]]}")


def many():
    mix(20)


def base():
    """Who leaks is told by the difference of two profiles, as `go tool pprof -base` makes it."""
    served = pprofs.Served(ctrace, [alloc, "grow"], ["--heap-rate", "64K"])
    for name in "old", "new":
        served.process.stdout.readline()
        with open(f"{work.name}/{name}", "wb") as f:
            f.write(served.get("heap"))
        served.process.stdin.write("\n")
        served.process.stdin.flush()
    if served.end() != 0:
        fail("the program's status")
    environment = dict(os.environ, PPROF_TMPDIR=work.name, GOCACHE=work.name, HOME=work.name)
    said = subprocess.run(["go", "tool", "pprof", "-sample_index=inuse_space", "-unit=B", "-top", "-base", f"{work.name}/old",
                           f"{work.name}/new"], capture_output=True, text=True, check=True, env=environment).stdout
    rows = [line.split() for line in said.splitlines()]
    bytes_of = {row[5]: int(row[3][:-1]) for row in rows if len(row) > 5 and row[3].endswith("B")}
    check("leaked since", bytes_of.get("leaks", 0), [(1024, 100000)], 65536)
    for innocent in "starts", "tidies":
        if bytes_of.get(innocent):
            fail(f"{innocent} is said to leak: {bytes_of[innocent]} bytes\n{said}")


def judge_mix(program, how):
    """Another allocator's blocks are sampled as libc's are."""
    lines, seen = profile(program, "mix", 65536)
    empty(seen, how)
    for function, blocks in by_function(lines).items():
        check(f"{how}, {function}", seen.total("alloc_space", function), blocks, 65536)


def judge_leak(program, how, **more):
    _, seen = profile(program, "leak", 65536, **more)
    check(f"{how}, kept", seen.total("inuse_space", "leaks"), [(1024, 100000)], 65536)
    if seen.total("inuse_space", "tidies"):
        fail(f"{how}: a block that was freed is said to be kept")


def allocators():
    """The program brings an allocator of its own: linked, or preloaded."""
    for name, (library, flags) in ALLOCATORS.items():
        program = f"{work.name}/alloc-{name}"
        subprocess.run(["cc", "-O2", "-fno-builtin", *flags, "-o", program, source, f"-l:{library}", "-pthread"], check=True)
        if library.split(".so")[0] not in subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout:
            fail(f"{program} is not linked with {library}")
        judge_mix(program, f"{name}, linked")
        judge_leak(program, f"{name}, linked")
    for library in "libtcmalloc_minimal.so.4", "libmimalloc.so.2", "libjemalloc.so.2":
        judge_leak(alloc, f"{library}, preloaded", env=dict(os.environ, LD_PRELOAD=library))


cases = {"mix": mix, "tidy": tidy, "base": base, "allocators": allocators, "many": many}
for case in sys.argv[2:] or ("mix", "tidy", "base", "allocators"):
    cases[case]()
