"""ctf: what CTF costs, each beside babeltrace2 doing the same in the same turn.

    ctf.py BUILD FOLDER         BENCH_ROUNDS turns over 1 M events of 8 threads

    ctf.chrome    CTF to Chrome JSON by `ctrace convert`, by the same graph into babeltrace2's sink.utils.dummy
    ctf.text      the same, by babeltrace2 printing text
    ctf.plugin    trace.out through our plugin into sink.utils.dummy, by the same events from CTF

What counts is CPU time, of all threads; a ratio is the median of what the turns give.
"""

import os
import shutil
import statistics
import sys

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 8))
EVENTS = 1_000_000


def seconds(*command):
    with open(os.devnull, "w", encoding="ascii") as null:
        pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null.fileno(), 1)])
        _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} failed: {status}")
    return usage.ru_utime + usage.ru_stime


def show(name, value, unit, most=None):
    print(f"{name} {value:.3g} {unit}" + (f" <={most} {'ok' if value <= most else 'missed'}" if most else ""), flush=True)


def main(build, folder):
    trace, ctf, plugins = (os.path.join(folder, name) for name in ("ctf.trace", "ctf.ctf", "ctf.plugins"))
    for path in (ctf, plugins):
        shutil.rmtree(path, ignore_errors=True)
    os.mkdir(plugins)
    shutil.copy(os.path.join(build, "babeltrace-plugin-ctrace.so"), plugins)
    ctrace = os.path.join(build, "ctrace")
    seconds(os.path.join(build, "tests/bench/mktrace"), str(EVENTS), "8", "mixed", trace)
    seconds(ctrace, "convert", "--alone", "-t", "ctf", "-o", ctf, trace)
    told = [os.path.join(ctf, name) for name in os.listdir(ctf) if not name.startswith("states")]   # what `ctrace convert` reads of it
    ways = {
        "dummy": ("babeltrace2", *told, "-o", "dummy"),
        "whole": ("babeltrace2", ctf, "-o", "dummy"),
        "chrome": (ctrace, "convert", "--alone", "-o", "/dev/null", ctf),
        "plugin": ("babeltrace2", f"--plugin-path={plugins}", trace, "-o", "dummy"),
        "text": ("babeltrace2", *told),
    }
    turns = [{way: seconds(*command) for way, command in ways.items()} for _ in range(ROUNDS)]
    ratio = lambda way, by: statistics.median(turn[way] / turn[by] for turn in turns)
    least = {way: min(turn[way] for turn in turns) for way in ways}
    for way in ways:
        show(f"ctf.{way}.speed", EVENTS / least[way] / 1e6, "Mevents/s")
    show("ctf.chrome", ratio("chrome", "dummy"), "x", 1.5)
    show("ctf.text", ratio("chrome", "text"), "x")
    show("ctf.plugin", ratio("plugin", "whole"), "x", 1)
    os.unlink(trace)
    for path in (ctf, plugins):
        shutil.rmtree(path)


main(sys.argv[1], sys.argv[2])
