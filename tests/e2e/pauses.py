#!/usr/bin/python3
"""The heap's growth and shrinking, of libc's allocator and of others: bytes, times, and one event for a burst.

pauses.py BUILD_DIR
"""
import collections
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(sys.argv[1])
PROGRAM = os.path.join(BUILD, "tests", "tracer", "wrap", "wrap-heap")
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
EVENT = re.compile(r" HEAP_(GROW|SHRINK) dur=(\d+) how=(\d) bytes=(\d+) total=(\d+) at=(\d+)")
failures = []


def expect(truth, what):
    if not truth:
        failures.append(what)
        print("FAIL:", what, flush=True)


def text_of(case, preload=None, options=()):
    environment = dict(os.environ, MIMALLOC_PAGE_RESET="1")         # else it purges what was not used for a while
    if preload:
        environment["LD_PRELOAD"] = preload
    with tempfile.TemporaryDirectory() as scratch:
        trace = os.path.join(scratch, "trace")
        subprocess.run([os.path.join(BUILD, "ctrace"), "record", "-o", trace, *options, "--", PROGRAM, case], env=environment,
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        return subprocess.run([os.path.join(BUILD, "ctrace"), "convert", "-t", "text", "-o", "-", trace], check=True,
                              stdout=subprocess.PIPE, timeout=60).stdout.decode(errors="replace")


def changes(case, preload=None):
    """(GROW or SHRINK, how) -> [(dur, bytes, stack)] of one run."""
    found = collections.defaultdict(list)
    for what, dur, how, size, _, at in EVENT.findall(text_of(case, preload)):
        found[what, int(how)].append((int(dur), int(size), int(at)))
    return found


def late_growth():
    """Bytes by brk in the second trace of a program, which has grown between the two."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = dict(os.environ, LD_PRELOAD=f"{BUILD}/libctrace-rt.so {BUILD}/libctrace.so", EARLY_TRACE=f"{scratch}/early",
                           LATE_TRACE=f"{scratch}/late")
        subprocess.run([PROGRAM, "late"], env=environment, check=True, stdout=subprocess.DEVNULL, timeout=60)
        text = subprocess.run([os.path.join(BUILD, "ctrace"), "convert", "-t", "text", "-o", "-", f"{scratch}/late"], check=True,
                              stdout=subprocess.PIPE, timeout=60).stdout.decode(errors="replace")
    return sum(int(size) for what, _, how, size, _, _ in EVENT.findall(text) if (what, how) == ("GROW", "0"))


def bytes_of(rows):
    return sum(row[1] for row in rows)


def slow_calls(options):
    """call -> how many were told as slow."""
    return collections.Counter(re.findall(r" ALLOC_SLOW dur=\d+ call=(\w+) ", text_of("arenas", options=options)))


def check_first_heap():
    """What grows by brk, and blocks that are mapped by themselves: glibc's chunk has 16 bytes more, in whole pages."""
    found = changes("grow")
    mapped = [300000 + 16 + 4095 & ~4095, (40 << 20) + 16 + 4095 & ~4095]
    expect([row[1] for row in found["GROW", 1]] == mapped, f"grow: {found['GROW', 1]} mapped instead of {mapped}")
    expect([row[1] for row in found["SHRINK", 1]] == mapped, f"grow: {found['SHRINK', 1]} unmapped instead of {mapped}")
    expect(all(row[0] > 0 and row[2] > 1 for row in found["GROW", 1] + found["SHRINK", 1]), "grow: no time, or no stack")
    grown, trimmed = found["GROW", 0], found["SHRINK", 0]
    expect(2e6 <= bytes_of(grown) <= 2.8e6, f"grow: 2,000 blocks of 1,000 bytes, {bytes_of(grown)} were told")
    expect(all(row[0] > 0 for row in grown), f"grow: in no time: {grown}")
    bursts = [len(changes("grow")["GROW", 0]) for _ in range(5)]         # one that loses its CPU is none
    expect(min(bursts) <= 6, f"grow: {bursts} events for 17 steps")
    expect(any(row[1] > 1.7e6 and row[0] > 0 and row[2] > 1 for row in trimmed), f"grow: nothing tells how long the trim took: {trimmed}")
    for case in "kinds", "moves":
        found = changes(case)
        gone = bytes_of(found["SHRINK", 1])
        expect(bytes_of(found["GROW", 1]) == gone > 6e6, f"{case}: all is freed, {bytes_of(found['GROW', 1])} came and {gone} went")


def check_trims():
    """What realloc() cuts off, small thresholds, those that are lowered, malloc_trim(): each with its time, and told once."""
    found = changes("trims")
    trimmed, purged = found["SHRINK", 0], found["SHRINK", 3]
    sizes = [row[1] for row in trimmed if row[0] > 0 and row[2] > 1]
    expect(sizes == [row[1] for row in trimmed], f"trims: in no time, or by nobody: {trimmed}")
    expect([sum(least <= size < 1.2 * least for size in sizes) for least in (20e6, 30e6)] == [2, 1] and
           any(60e3 < size < 130e3 for size in sizes), f"trims: {sizes} instead of 20 MB, 0.1 MB, 30 MB and 20 MB")
    expect(bytes_of(purged) < 1e6, f"trims: malloc_trim tells {bytes_of(purged)} bytes twice")


def check_counter():
    """The heap's size is told at its highest, before it is trimmed, and is in the end what all events come to."""
    rows = [(int(size) if what == "GROW" else -int(size), how, int(total)) for what, _, how, size, total, _ in EVENT.findall(text_of("grow"))]
    before = [total for size, how, total in rows[:[row[1] for row in rows].index("1")] if size > 0]
    expect(max(before) == sum(size for size, how, _ in rows[:len(before)]) > 2e6, f"counter: {before} while 2 MB were held")
    left = sum(size for size, how, _ in rows if how != "3")
    expect(rows[-1][2] == left < 1e6, f"counter: {rows[-1][2]} in the end, where all events come to {left}")


def main():
    expect(not slow_calls([]), "calls are told as slow that nobody asked for")
    every, none = slow_calls(["--alloc-slow", "1ns"]), slow_calls(["--alloc-slow", "100s"])
    expect(24000 <= every["malloc"] < 24100 and 24000 <= every["free"] < 24100, f"--alloc-slow 1ns: {every}")
    expect(not none, f"--alloc-slow 100s: {none}")
    check_first_heap()
    check_trims()
    check_counter()
    found = changes("arenas")
    grown = found["GROW", 2]
    expect(24e6 <= bytes_of(grown) <= 26e6, f"arenas: three threads allocate 24 MB, {bytes_of(grown)} were told")
    expect(len(grown) <= 300, f"arenas: {len(grown)} events for some 6,000 steps")
    expect(sum(row[0] for row in grown) > 0 and any(row[2] > 1 for row in grown), "arenas: no time, or no stack")
    expect(bytes_of(found["SHRINK", 2]) > 12e6, f"arenas: {bytes_of(found['SHRINK', 2])} bytes given back of 24 MB")
    expect(all(row[0] > 0 for row in found["SHRINK", 2] if row[1] > 1e6), f"arenas: trimmed in no time: {found['SHRINK', 2]}")
    found = changes("purge")
    expect(bytes_of(found["SHRINK", 3]) > 40e6, f"malloc_trim: {bytes_of(found['SHRINK', 3])} bytes of 5 times 40 MB")
    expect(all(row[0] > 0 for row in found["SHRINK", 3]), "malloc_trim: no time")
    grown = late_growth()
    expect(9.8e6 <= grown <= 10.6e6, f"late: {grown} bytes of the second 10 MB were told")
    for name, how in ("libjemalloc.so.2", 1), ("libtcmalloc_minimal.so.4", 0), ("libmimalloc.so.2", 1):
        library = os.path.join(LIBRARIES, name)
        if not os.path.exists(library):
            print(f"no {name}")
            continue
        found = changes("purge", library)
        expect(bytes_of(found["GROW", how]) > 30e6, f"{name}: grew by {bytes_of(found['GROW', how])} bytes")
        expect(name == "libjemalloc.so.2" or not found["SHRINK", 2], f"{name}: arenas of libc's?")
        purged = found["SHRINK", 3]
        expect(bytes_of(purged) > 40e6, f"{name}: {len(purged)} purges of {bytes_of(purged)} bytes")
        expect(all(row[0] > 0 and row[2] > 0 for row in purged), f"{name}: a purge has no time, or no stack")
    print(f"{len(failures)} failed")
    return failures != []


sys.exit(main())
