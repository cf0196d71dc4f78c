#!/usr/bin/python3
"""
profile_share.py BUILD DATA xz|redis|sqlite: which share of a program's CPU time a profile of it takes, by perf.

Two runs of a program differ by more than a profile costs.  What its code takes in one run perf tells to a tenth of that:

    recorder    all that runs in the recorder's library
    kernel      of a profile of CPU time: what the kernel does for ticks, which is what runs there below its delivery of
                signals and its timers of CPU time, less what the program alone has of that
    libc        of one of the heap: what libc and the allocator take more, beside the program's own code, than in the program
                alone; mostly less, since they are entered by our jumps and the first of them is charged for what it waited for

What the program's own code loses because the recorder was in the caches is not in it.
"""

import os
import re
import shutil
import subprocess
import sys
import time

import programs
from fed import AllFed
from server import CONNECTIONS, Servers, cpus, settle

build, data, which = sys.argv[1:4]
folder = f"{data}/share"
record = f"{folder}/perf.data"
SECONDS = float(os.environ.get("BENCH_SHARE", 10))      # of CPU time, each way
WARM, PER_ROUND = (2000, CONNECTIONS) if which == "redis" else (2, 1)
WAYS = {"alone": [], "cpu": ["--cpuprofile", f"{folder}/cpu.%p.pb.gz"], "heap": ["--memprofile", f"{folder}/heap.%p.pb.gz"]}
# Never together with the kernel's own ticks.
RATE = 9973
FOR_A_TICK = re.compile(r"arch_do_signal_or_restart|sys_rt_sigreturn|posix_cpu_timers|posix_timer|posixtimer|hrtimer_run_softirq")

LIBC = re.compile(r"/lib(c|jemalloc)\.so")


def started(way):
    how = {way: {"before": [f"{build}/ctrace", "record", *WAYS[way], "--"]} if WAYS[way] else {}}
    return Servers(build, f"{folder}/server", which, how) if which == "redis" else AllFed(data, which, how)


def kind(sample):
    """Where it ran: by the innermost function's library, and by whom it was called in the kernel."""
    frames = sample.splitlines()
    if "libctrace-rt.so" in frames[0]:
        return "recorder"
    if any("kernel" in frame and FOR_A_TICK.search(frame) for frame in frames):
        return "tick"
    return "kernel" if "kernel" in frames[0] else "libc" if LIBC.search(frames[0]) else "program"


def counted():
    """Samples by kind."""
    counts = dict.fromkeys(("recorder", "tick", "kernel", "libc", "program"), 0)
    script = subprocess.Popen(["perf", "script", "-i", record, "-F", "ip,sym,dso"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    sample = ""
    for line in script.stdout:
        if line.strip():
            sample += line
        elif sample:
            counts[kind(sample)] += 1
            sample = ""
    if script.wait() != 0 or sum(counts.values()) < SECONDS * RATE / 4:
        sys.exit(f"perf gave {sum(counts.values())} samples, status {script.returncode}")
    return counts


def watched(way):
    with started(way) as each:
        program = each[way]
        rounds = max(1, int(0.1e9 / (program.cost(WARM) * PER_ROUND)))
        perf = subprocess.Popen(["perf", "record", "-q", "-g", "-F", str(RATE), "-e", "cpu-clock", "-o", record, "-p", str(program.pid)],
                                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        settle(perf.pid, cpus[0])
        time.sleep(0.5)
        end = programs.tree_cpu_ns(program.pid) + SECONDS * 1e9
        while programs.tree_cpu_ns(program.pid) < end:
            program.cost(rounds)
        perf.send_signal(2)
        perf.wait()
    return counted()


os.makedirs(folder, exist_ok=True)
settle(os.getpid(), cpus[0])
shares = {}
for way in WAYS:
    if which != "sqlite" or way != "cpu":
        counts = watched(way)
        shares[way] = {kind: 100 * count / sum(counts.values()) for kind, count in counts.items()}
alone = shares["alone"]
for way, most in ("cpu", 0.5), ("heap", 1):
    if way in shares:
        share, name = shares[way], f"profile.{way}.{which}.share"
        added = {"recorder": share["recorder"]}
        if way == "cpu":
            added["kernel"] = share["tick"] - alone["tick"]
        else:
            added["libc"] = share["libc"] - alone["libc"] / alone["program"] * share["program"]
        programs.show(name, sum(added.values()), "%", most)
        for part, value in added.items():
            programs.show(f"{name}.{part}", value, "%")
shutil.rmtree(folder, ignore_errors=True)
