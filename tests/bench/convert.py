"""convert.chrome: how many events a second one core turns into Chrome JSON, to /dev/null and to .gz, and in how much memory.

    convert.py BUILD FOLDER         BENCH_ROUNDS runs of 1 M events each; BENCH_LARGE=0 leaves 100 M events out

What counts is CPU time, of all of ctrace's threads together: the least of all runs.  "mixed" is what a program does that
waits, reads, writes and annotates; io, wait and region are nothing but that; recorded is redis-server for five seconds.
"""

import json
import os
import shutil
import subprocess
import sys

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 8))
LARGE = os.environ.get("BENCH_LARGE", "1") != "0"
BUDGET = {"": 10, ".gz": 3}
MEMORY_BUDGET = 1.5                 # 100 times the events may take this much of the memory: it is not of the trace's size


def run(command):
    """CPU seconds and the largest resident size in MiB."""
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} failed: {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def make(build, folder, events, mix):
    path = os.path.join(folder, f"convert-{mix}-{events}.trace")
    run([os.path.join(build, "tests/bench/mktrace"), str(events), "8", mix, path])
    return path


def record(build, folder):
    """A trace of a server under load, and how many events it holds."""
    path = os.path.join(folder, "convert-recorded.trace")
    subprocess.run(["/usr/bin/python3", f"{os.path.dirname(os.path.abspath(__file__))}/record_redis.py", build, folder, path, "5"],
                   stdout=subprocess.DEVNULL, check=True)
    info = subprocess.run([f"{build}/ctrace", "info", "--json", "--alone", path], capture_output=True, check=True).stdout
    return path, sum(program["event_count"] for program in json.loads(info)["programs"])


def convert(build, trace, suffix, rounds):
    """Seconds and MiB of the cheapest run, for the trace to /dev/null or to a .gz that goes nowhere."""
    output = "/dev/null" if not suffix else trace + ".json.gz"
    if suffix:
        try:
            os.symlink("/dev/null", output)
        except FileExistsError:
            pass
    runs = [run([os.path.join(build, "ctrace"), "convert", "--alone", "-o", output, trace]) for _ in range(rounds)]
    if suffix:
        os.unlink(output)
    return min(runs)


def show(name, value, unit, verdict=""):
    print(f"{name} {value:.3g} {unit}{verdict}", flush=True)


def show_speed(name, suffix, events, seconds):
    speed = events / seconds / 1e6
    show(name, speed, "Mevents/s", f" >={BUDGET[suffix]} {'ok' if speed >= BUDGET[suffix] else 'missed'}")


def both(build, trace, name, events):
    """MiB that it takes without compression."""
    for suffix in ("", ".gz"):
        seconds, mib = convert(build, trace, suffix, ROUNDS)
        show_speed(name + suffix, suffix, events, seconds)
        memory = memory if suffix else mib
    os.unlink(trace)
    return memory


def main(build, folder):
    events = 1_000_000
    memory = both(build, make(build, folder, events, "mixed"), "convert.chrome", events)
    for mix in ("io", "wait", "region"):
        both(build, make(build, folder, events, mix), f"convert.chrome.{mix}", events)
    if shutil.which("redis-server"):
        trace, recorded = record(build, folder)
        both(build, trace, "convert.chrome.recorded", recorded)
    if not LARGE:
        return
    trace = make(build, folder, 100 * events, "mixed")
    for suffix in ("", ".gz"):
        seconds, mib = convert(build, trace, suffix, 1)
        show_speed("convert.chrome.100M" + suffix, suffix, 100 * events, seconds)
        if not suffix:
            show("convert.chrome.memory", mib / memory, "x",
                 f" <={MEMORY_BUDGET} {'ok' if mib <= MEMORY_BUDGET * memory else 'missed'}"
                 f" ({memory:.0f} MiB at 1 M events, {mib:.0f} at 100 M)")
    os.unlink(trace)


main(sys.argv[1], sys.argv[2])
