#!/usr/bin/python3
"""
truth_cpu.py BUILD [CASE...]: CPU profiles of at least 1,600 samples tell within 3 points what a program used.

tests/tracer/profile/burn.c is the program that knows it; of xz, `perf record` does.  At 100 Hz 1,600 samples take a
while; the short version is in profile_cpu.py.
"""

import bisect
import collections
import os
import random
import re
import subprocess
import sys
import tempfile

import pprofs

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
burn = f"{build}/tests/tracer/profile/profile-burn"
work = tempfile.TemporaryDirectory(prefix="ctrace-truth-cpu-")
ENOUGH, POINTS = 1600, 3


def fail(text):
    sys.exit(f"FAIL: {text}")


def near(what, seen, true, points=POINTS):
    print(f"{what}: {seen:.2f} of {true:.2f}", flush=True)
    if abs(seen - true) > points:
        fail(f"{what} is {seen:.2f}, the truth is {true:.2f}, {points} points may lie between")


def run(arguments):
    """What burn printed, in ns, and its CPU profile."""
    path = f"{work.name}/cpu.pb.gz"
    done = subprocess.run([ctrace, "record", "--cpuprofile", path, "--", burn, *map(str, arguments)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        fail(f"{arguments}: status {done.returncode}\n{done.stderr}")
    truth = {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines()}
    seen = pprofs.read(path)
    if seen.total("samples") < ENOUGH:
        fail(f"{seen.total('samples')} samples are too few to tell anything: {truth}")
    return truth, seen


def shares():
    """Four threads of different length, 80/20 in two functions, one that sleeps."""
    truth, seen = run(["shares", 2200])
    all_ns = seen.total("cpu")
    near("all, in per cent", 100 * all_ns / truth["process"], 100)
    known = truth["most"] + truth["least"]
    for function in "most", "least":
        near(function, 100 * seen.total("cpu", function) / all_ns, 100 * truth[function] / known)
    for function in "one", "two", "three", "four":
        near(function, 100 * seen.total("cpu", function) / all_ns, 100 * truth[function] / truth["process"])
    near("sleeper", 100 * seen.total("cpu", "sleeper") / all_ns, 0, 0.5)


def short():
    """Threads that live for 1 to 15 ms, beside one that is there all the time."""
    truth, seen = run(["mixed", 15, 1400])
    known = truth["most"] + truth["least"]
    for function in "most", "least":
        near(f"short, {function}", 100 * seen.total("cpu", function) / seen.total("cpu"), 100 * truth[function] / known)


def load():
    """Two and four threads that are always busy: what they used is seen whole, however many CPUs there are."""
    for count in 2, 4:
        truth, seen = run(["load", count, 22000 // count])
        near(f"{count} busy threads, in per cent", 100 * seen.total("cpu", "most") / truth["most"], 100)
        near(f"{count} busy threads, all, in per cent", 100 * seen.total("cpu") / truth["process"], 100)


class Functions:
    """Which function of which file an address belongs to, told by where unwind tables say that functions begin."""

    def __init__(self):
        self.starts = {}

    def find(self, path, offset):
        if path not in self.starts:
            tables = subprocess.run(["readelf", "--debug-dump=frames", path], capture_output=True, text=True, check=False).stdout
            self.starts[path] = sorted(int(match, 16) for match in re.findall(r" FDE .* pc=([0-9a-f]+)\.\.", tables))
        at = bisect.bisect_right(self.starts[path], offset) - 1
        return os.path.basename(path), self.starts[path][at] if at >= 0 else 0


functions = Functions()


def by_perf(command, out):
    """(file, function) -> samples, of where the program was in user mode last."""
    data = f"{work.name}/perf.data"
    subprocess.run(["perf", "record", "-q", "-g", "-e", "cpu-clock", "-F", "997", "-o", data, "--", *command], stdout=out,
                   check=True)
    script = subprocess.run(["perf", "script", "-i", data, "-F", "comm,ip,dso", "--show-mmap-events"],
                            capture_output=True, text=True, check=True).stdout
    found, maps, waiting = collections.Counter(), [], False
    for line in script.splitlines():
        mapped = re.search(r"PERF_RECORD_MMAP2? .*\[0x(\w+)\(0x(\w+)\) @ (?:0x)?(\w+) .*\]: r-xp (/\S+)", line)
        frame = re.match(r"\s+([0-9a-f]+) \((/.*)\)$", line)
        if mapped:
            maps.append((*(int(mapped[i], 16) for i in (1, 2, 3)), mapped[4]))
        elif re.match(r"xz\s*$", line):
            waiting = True
        elif waiting and frame:         # of a chain perf tells where in the file, of single addresses where in memory
            waiting, address, path = False, int(frame[1], 16), frame[2]
            for start, size, offset, mapped_path in maps:
                if start <= address < start + size:
                    address, path = address - start + offset, mapped_path
            found[functions.find(path, address)] += 1
    return found


def by_ctrace(command, out):
    """The same of a trace: the innermost address of each sample."""
    trace, found = f"{work.name}/xz.trace", collections.Counter()
    subprocess.run([ctrace, "record", "--only", "cpu", "--cpu-rate", "250", "-o", trace, "--", *command], stdout=out, check=True)
    text = subprocess.run([ctrace, "convert", "-t", "text", "-o", "-", trace], capture_output=True, text=True, check=True,
                          errors="replace").stdout
    stacks, maps, samples = {}, [], 0
    for line in text.splitlines():
        module = re.match(r'module \d+ start=0x(\w+) end=0x(\w+) offset=0x(\w+) .*path="(.*)"', line)
        sample = re.search(r" CPU_SAMPLE weight=(\d+) at=(\d+)", line)
        if module:
            maps.append((int(module[1], 16), int(module[2], 16), int(module[3], 16), module[4]))
        elif line.startswith("stack "):
            words = line.split()
            stacks[words[2]] = int(words[3], 16)
        elif sample and sample[2] in stacks:
            samples += 1
            address = stacks[sample[2]]
            place = [m for m in maps if m[0] <= address < m[1]]
            if place:
                found[functions.find(place[-1][3], address - place[-1][0] + place[-1][2])] += int(sample[1])
    if samples < ENOUGH:
        fail(f"{samples} samples of xz")
    return found


def by_profile(command, out):
    """The same of profiles of CPU time, at 100 Hz, of as many runs as it takes."""
    profile, found, samples = f"{work.name}/xz.pb.gz", collections.Counter(), 0
    while samples < ENOUGH:
        subprocess.run([ctrace, "record", "--cpuprofile", profile, "--", *command], stdout=out, check=True)
        seen = pprofs.read(profile)
        samples += seen.total("samples")
        for row in seen.rows:
            found[functions.find(*row.place)] += row.values[seen.types.index("cpu")]
    return found


def perf():
    """xz, function by function, beside what `perf record` says of another run."""
    text, chance = f"{work.name}/text", random.Random(1)
    words = ["".join(chance.choices("etaoinshrdlucm", k=chance.randint(2, 9))) for _ in range(20000)]
    with open(text, "w", encoding="ascii") as f:
        f.write(" ".join(chance.choices(words, [1 / (rank + 3) for rank in range(20000)], k=4000000)))
    command = ["xz", "-T2", "-2", "--block-size=4MiB", "-k", "-c", text]
    with open(f"{work.name}/out", "wb") as out:
        theirs, ours = by_perf(command, out), {"trace": by_ctrace(command, out), "profile": by_profile(command, out)}
    if sum(theirs.values()) < ENOUGH:
        fail(f"{sum(theirs.values())} samples by perf")
    for place, count in theirs.most_common(10):
        for kind, found in ours.items():
            near(f"{kind} {place[0]}+{place[1]:#x}", 100 * found[place] / sum(found.values()), 100 * count / sum(theirs.values()))


cases = {"shares": shares, "short": short, "load": load, "perf": perf}
for case in sys.argv[2:] or cases:
    cases[case]()
