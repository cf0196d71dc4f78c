#!/usr/bin/python3
"""
harmless.py BUILD PROGRAM [CASE...]: a program of tests/harmless does the same under `ctrace record` as alone.

Compared are what it prints (which tells results, errno, descriptors, signals), its exit status, what it says on stderr, and
that it takes a time of the same class.  CPU samples come ten times as often as they do by default and heap samples 128 times,
so that whatever they could do happens here.  Cases whose names end with -long run when they are asked for, or with "long" as
the program.  The trace must be readable.
"""

import concurrent.futures
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
here = f"{build}/tests/harmless"
PROGRAMS = "alone", "cancel", "forks", "frames", "heap", "locks", "masks", "modules", "signals", "threads", "unwilling"
OFTEN = ["--cpu-rate", "1000", "--heap-rate", "4K"]
# What ctrace says at its end where it could not follow (docs/architecture.md, Known limits); the program says nothing.
SAYS = {"forks root": r"^ctrace: process [0-9]+ was not traced: the session's directory is not in its root, or gone\n",
        "forks user": r"^ctrace: process [0-9]+ was not traced: it may not enter the session's directory\n"}
# As it is, and as other people's tools would have it run.
WAYS = {
    "modules early": [{}, {"LD_AUDIT": f"{here}/harmless-auditor.so"}, {"LD_PRELOAD": f"{here}/harmless-interposer.so"}],
    "modules loop": [{}, {"LD_AUDIT": f"{here}/harmless-auditor.so"}],
    "modules lookup": [{}, {"LD_PRELOAD": f"{here}/harmless-interposer.so"}, {"LD_BIND_NOW": "1"}],
    "threads endings": [{}, {"LD_AUDIT": f"{here}/harmless-auditor.so"}, {"LD_PRELOAD": f"{here}/harmless-interposer.so"}],
}
# What the trace tells of a case, and how often at least, where somebody else might have taken it.
TELLS = {"modules second-recorder": (" SLEEP asked=777000 ", 10)}
failures = 0


def fail(text):
    global failures
    failures += 1
    print("FAIL:", text, flush=True)


def run(words, environment, limit):
    """Status, output, errors, seconds."""
    begin = time.monotonic()
    program = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=dict(os.environ, **environment), start_new_session=True)
    try:
        out, err = program.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        out, err = program.communicate()
        out += b"... and hangs\n"
    return program.returncode, out.decode(errors="replace"), err.decode(errors="replace"), time.monotonic() - begin


def takes_long(alone, traced):
    return traced[3] > 6 * alone[3] + 6


def idle():
    """Seconds that the processors had nothing to do since the machine began, on average."""
    with open("/proc/stat", encoding="ascii") as f:
        words = f.readline().split()
    return (int(words[4]) + int(words[5])) / os.sysconf("SC_CLK_TCK") / os.cpu_count()


def differ(what, alone, traced, says):
    """What is other than it should be, in words; nothing when all is well."""
    if alone[0] != traced[0]:
        return f"{what}: status {traced[0]} instead of {alone[0]}\n{traced[1]}{traced[2]}"
    if alone[1] != traced[1]:
        return f"{what}: other output\n--- alone\n{alone[1]}--- recorded\n{traced[1]}--- said\n{traced[2]}"
    if alone[2] != (re.sub(says, "", traced[2], flags=re.M) if says else traced[2]):
        return f"{what}: it says {traced[2]!r} instead of {alone[2]!r}"
    if takes_long(alone, traced):
        return f"{what}: takes {traced[3]:.1f} s instead of {alone[3]:.1f} s"
    return None


def run_both(words, record, environment, limit):
    """At once: a case mostly waits.  Third: whether it was the processors that were waited for."""
    with concurrent.futures.ThreadPoolExecutor() as both:
        before = idle()
        alone = both.submit(run, words, environment, limit)
        traced = run(record + words, environment, limit)
        return alone.result(), traced, idle() - before < 0.2 * traced[3]


def work():
    """Seconds of CPU that what was run has taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_in_turn(words, record, environment, limit):
    """For a machine that others use: where it was the processors that were waited for, the time is that on them."""
    for each in words, record + words:
        before, worked = idle(), work()
        done = run(each, environment, limit)
        yield (*done[:3], work() - worked) if idle() - before < 0.2 * done[3] else done


def check_told(what, trace, pattern, count):
    text = subprocess.run([ctrace, "convert", "-t", "text", "--alone", "-o", "-", trace], capture_output=True, text=True, check=True).stdout
    if text.count(pattern) < count:
        fail(f"{what}: <{pattern}> is told {text.count(pattern)} times, not {count}")


def compare(what, words, environment, limit=60):
    with tempfile.TemporaryDirectory(prefix="ctrace-harmless-") as scratch:
        record = [ctrace, "record", *OFTEN, "-o", f"{scratch}/trace", "--"]
        alone, traced, crowded = run_both(words, record, environment, limit)
        if takes_long(alone, traced) and crowded:       # others had them
            alone, traced = run_in_turn(words, record, environment, limit)
        problem = differ(what, alone, traced, SAYS.get(what))
        if problem:
            fail(problem)
        info = subprocess.run([ctrace, "info", f"{scratch}/trace"], capture_output=True, text=True, check=False)
        if info.returncode or info.stderr or "ended" not in info.stdout:
            fail(f"{what}: {info.stderr or info.stdout}")
        if what in TELLS:
            check_told(what, f"{scratch}/trace", *TELLS[what])
        return alone[3], traced[3]


def cases_of(program):
    return subprocess.run([f"{here}/harmless-{program}"], capture_output=True, text=True, check=True).stdout.split()


def check(program, names, limit=60):
    for name in sorted(set(names) - set(cases_of(program))):
        fail(f"{program} has no case {name}")
    for name in names:
        for environment in WAYS.get(f"{program} {name}", [{}]):
            took = compare(f"{program} {name}", [f"{here}/harmless-{program}", name], environment, limit)
            print(f"{program} {name} {' '.join(environment)}: {took[0]:.2f} s alone, {took[1]:.2f} s recorded", flush=True)


def allocators():
    """Linked dynamically, linked statically where there is an archive, and preloaded."""
    source = f"{os.path.dirname(os.path.abspath(__file__))}/../harmless/heap.c"
    ways = {"jemalloc": ["-l:libjemalloc.so.2"], "tcmalloc": ["-l:libtcmalloc_minimal.so.4"], "mimalloc": ["-l:libmimalloc.so.2"],
            "jemalloc, static": ["-l:libjemalloc.a", "-lm", "-lstdc++"],
            "tcmalloc, static": ["-l:libtcmalloc_minimal.a", "-lm", "-lstdc++"]}
    with tempfile.TemporaryDirectory(prefix="ctrace-allocators-") as scratch:
        for name, flags in ways.items():
            program = f"{scratch}/{name.replace(', ', '-')}"
            built = subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-w", "-pthread", "-o", program, source,
                                    "-Wl,--no-as-needed", *flags], capture_output=True, text=True, check=False)
            if built.returncode:
                fail(f"{name}: {built.stderr[-300:]}")
                continue
            for case in cases_of("heap"):
                compare(f"{name}, {case}", [program, case], {})
        for library in "libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2":
            for case in cases_of("heap"):
                compare(f"{library} preloaded, {case}", [f"{here}/harmless-heap", case], {"LD_PRELOAD": library})


if not os.path.exists(f"{here}/harmless-threads"):
    print("not built")
    sys.exit(77)
if sys.argv[2] == "allocators":
    allocators()
elif sys.argv[2] == "long":
    for each in PROGRAMS:
        check(each, [name for name in cases_of(each) if name.endswith("-long")], 600)
else:
    check(sys.argv[2], sys.argv[3:] or [name for name in cases_of(sys.argv[2]) if not name.endswith("-long")])
sys.exit(failures > 0)
