#!/usr/bin/python3
"""
profile_cpu.py BUILD [CASE...]: CPU samples tell what a program that knows itself used, and nobody can see them come.

tests/tracer/profile/burn.c is the program; it prints its CPU time by function and by thread.
"""

import os
import signal
import subprocess
import sys
import tempfile

import pprofs
import samples

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
burn = f"{build}/tests/tracer/profile/profile-burn"
work = tempfile.TemporaryDirectory(prefix="ctrace-profile-")
NOT_SEEN = 1.0              # per cent of samples that may lack their stack's root: taken in ld.so, where there are no tables


def fail(text):
    sys.exit(f"FAIL: {text}")


def near(what, seen, true, points):
    print(f"{what}: {seen:.2f} of {true:.2f}")
    if abs(seen - true) > points:
        fail(f"{what} is {seen:.2f}, the truth is {true:.2f}, {points} may lie between")


def run(name, arguments, options=(), expect=0, within=(), **more):
    """Records burn; returns what it printed as numbers, its samples, and its stderr."""
    trace = f"{work.name}/{name}.trace"
    done = subprocess.run([*within, ctrace, "record", "--only", "cpu,thread", *options, "-o", trace, "--", burn, *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **more)
    if done.returncode != expect:
        fail(f"{name}: status {done.returncode}, not {expect}\n{done.stdout}{done.stderr}")
    truth = {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines()}
    return truth, samples.read(ctrace, trace), done.stderr


def weight(taken):
    return sum(sample.number("weight") for sample in taken)


def shares():
    """Four threads of different length, 80/20 in two functions, one that sleeps; all CPUs busy."""
    profile = f"{work.name}/shares.pb.gz"
    for length in 1400, 2800, 5600:         # a busy machine's threads run for less than a tick at a time
        truth, taken, _ = run("shares", ["shares", str(length)], ["--cpu-rate", "200", "--cpuprofile", profile])
        if len(taken) >= 1600:
            break
    else:
        fail(f"{len(taken)} samples are too few to tell anything: {truth}, {weight(taken)}")
    near("all, in per cent", 100 * weight(taken) / truth["process"], 100, 3)
    known = truth["most"] + truth["least"]
    for function in "most", "least":
        near(function, samples.share(taken, function), 100 * truth[function] / known, 3)
    for function in "one", "two", "three", "four":
        near(function, samples.share(taken, function), 100 * truth[function] / truth["process"], 3)
    if samples.share(taken, "sleeper") > 0.5:
        fail("the thread that sleeps was seen at work")
    made = pprofs.read(profile)
    for function in "most", "two", "four":
        told = sum(sample.number("weight") for sample in taken if function in (sample.frames or []))
        if told != made.total("cpu", function):
            fail(f"{function}: the profile says {made.total('cpu', function)} ns, the samples it is made of {told}")
    lost = [s for s in taken if not s.frames or s.truncated or s.frames[-1] not in ("clone3", "__clone3", "_start")]
    near("stacks without their root", 100 * len(lost) / len(taken), 0, NOT_SEEN)


def brief():
    """Threads that live for less than a period count for what they use."""
    truth, taken, _ = run("short", ["short", "8000", "500"])
    near("short-lived threads, in per cent", 100 * weight(taken) / truth["process"], 100, 12)


def usual():
    """The rate that is not asked for, of a thread that was there before the trace."""
    truth, taken, _ = run("late", ["shares", "300"], ["--delay", "200ms"])
    if not 100 < len(taken) < 320:
        fail(f"{len(taken)} samples of about 3 s")
    if {sample.number("weight") % 10000000 for sample in taken} != {0}:
        fail("a sample at 100 Hz stands for 10 ms")
    truth, taken, _ = run("raw", ["late", "2500"])
    if samples.share(taken, "raw") < 90:
        fail("a thread that libc does not know was not found")
    truth, taken, _ = run("shared", ["shared", "2500"])
    if samples.share(taken, "shared") < 90 or samples.share(taken, "raw") > 0:
        fail("a thread with another's thread-local data was taken for that one")


def child():
    """A forked child has ticks of its own, and none of its parent's."""
    run("fork", ["fork", "500"])
    traces = [name for name in os.listdir(work.name) if name.startswith("fork.trace.")]
    if len(traces) != 1:
        fail(f"the child's trace: {traces}")
    near("the child", weight(samples.read(ctrace, f"{work.name}/{traces[0]}")) / 1e6, 500, 60)


def timers():
    """A forked child's own timers are left alone: they have the numbers of its parent's ticks."""
    run("timers", ["timers", "200"])


def reused():
    """A thread that has the tid of one that ended is another thread, with ticks of its own."""
    inside = ["unshare", "-fp", "--mount-proc"]
    if subprocess.run([*inside, "true"], check=False, stderr=subprocess.DEVNULL).returncode != 0:
        print("reused: not tested: needs a namespace of processes")
        return
    _, taken, _ = run("reused", ["reused", "400"], within=inside)
    threads = [{sample.thread for sample in taken if function in (sample.frames or [])} for function in ("most", "least")]
    for function in "most", "least":
        near(function, weight([s for s in taken if function in (s.frames or [])]) / 1e6, 400, 80)
    if [len(thread) for thread in threads] != [1, 1] or threads[0] == threads[1]:
        fail(f"two threads of one tid are {threads}")


def own():
    """The program claims SIGPROF: it gets it, and samples go on by another signal."""
    _, taken, _ = run("own", ["own"])
    if samples.share(taken, "most") < 40:
        fail("no samples after the program took SIGPROF")
    _, taken, _ = run("own-fixed", ["own"], ["--cpu-signal", "PROF"])
    if samples.share(taken, "most") > 10 or not taken:
        fail("the one signal that may be used is the program's")


def masks():
    """Masks, pending signals and dispositions are what they would be."""
    truth, taken, _ = run("mask", ["mask"])
    near("blocked threads, in per cent", 100 * weight(taken) / truth["process"], 100, 10)
    done = subprocess.run([burn, "mask"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        fail(f"without ctrace: {done.returncode}")
    run("killed", ["killed"], expect=-signal.SIGPROF)

    def blocked():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPROF])
    _, taken, error = run("inherited", ["shares", "50"], preexec_fn=blocked)
    if len(taken) < 30 or error:
        fail(f"a mask that was inherited: {len(taken)} samples, {error}")


def limits():
    """Without timers the program runs as ever, and one line says what is missing."""
    _, _, error = run("many", ["many", "300"])
    if error:
        fail(f"300 threads: {error}")
    done = subprocess.run(["bash", "-c", f"ulimit -i 20; exec {ctrace} record -o {work.name}/few.trace -- {burn} many 300"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0 or done.stderr.count("ulimit -i") != 1:
        fail(f"too few timers: status {done.returncode}, {done.stderr}")


cases = {"shares": shares, "brief": brief, "usual": usual, "child": child, "timers": timers, "reused": reused, "own": own, "masks": masks, "limits": limits}
for case in sys.argv[2:] or cases:
    cases[case]()
