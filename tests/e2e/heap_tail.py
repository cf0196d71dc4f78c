#!/usr/bin/python3
"""
heap_tail.py BUILD [CASE...]: what heap?debug=1 ends with agrees with what the program knows of itself; gc=1 gives memory back, once in
ten seconds, and nothing else does; who cannot be asked is not waited for, nor is a program that is stopped.

tests/tracer/service/heap.c is the program.
"""

import ctypes.util
import os
import re
import signal
import sys
import threading
import time
import urllib.error

from served import Served, fail


def tail(text):
    """The comments "# Key = value" behind the samples."""
    return {key: value for key, value in re.findall(r"^# (\w+) = (.*)$", text, re.M)}


def of_itself(line):
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}


def child_of(s):
    with open(f"/proc/{s.process.pid}/task/{s.process.pid}/children", encoding="ascii") as f:
        return int(f.read().split()[0])


def look(s, profile="heap"):
    """The text with libc's numbers in it: on a busy machine no thread of the program may come by in time."""
    until = time.monotonic() + 20
    while "Arena" not in tail(text := s.get(f"{profile}?debug=1")):
        if time.monotonic() > until:
            fail(f"nobody ever comes by:\n{text}")
    return text


def rss(s):
    return int(tail(s.get("heap?debug=1"))["RSS"])


def agrees():
    """libc's numbers and the kernel's, between what the program said before and after."""
    with Served("heap", "busy") as s:
        s.order("fill")
        before = of_itself(s.order("tell"))
        text = look(s)
        after, told = of_itself(s.order("tell")), tail(text)
        for key in before:
            slack = 4 << 20 if key == "MaxRSS" else 0       # the kernel counts pages by CPU, and adds up late
            if not before[key] - slack <= int(told[key]) <= after[key] + slack:
                fail(f"{key} is {told[key]}, the program says {before[key]} and {after[key]}\n{text}")
        if before["Arena"] < 60 << 20 or int(told["Brk"]) < before["Arena"]:
            fail(f"the heap is too small:\n{text}")
        if not int(told["VSS"]) > int(told["RSS"]) >= int(told["PSS"]) > 60 << 20:
            fail(f"sizes make no sense:\n{text}")
        ns, end = ([int(n) for n in told[key].strip("[]").split()] for key in ("PauseNs", "PauseEnd"))
        count, total = int(told["NumPause"]), int(told["PauseTotalNs"])      # a burst of growth is one, up to a MiB
        if (len(ns), len(end)) != (256, 256) or count < 60 or sum(n > 0 for n in ns) != min(count, 256) or \
                (total < sum(ns) if count > 256 else total != sum(ns)):
            fail(f"pauses:\n{text}")
        if not all(abs(time.time() - t / 1e9) < 100 for t in end if t):
            fail(f"when pauses ended: {end}")
        if set(tail(look(s, "allocs"))) != set(told) or "gc=1" in s.get("allocs?debug=1&gc=1"):
            fail("as in Go the same stands behind allocs, where gc=1 means nothing")


def gives_back():
    """gc=1 does, a second one within ten seconds does not, and a look without it never."""
    with Served("heap", "busy") as s:
        s.order("fill")
        full = rss(s)
        if rss(s) < full - (8 << 20):
            fail("a look gave memory back")
        began = time.monotonic()
        text = s.get("heap?debug=1&gc=1")
        if "# gc=1: what is free was given back to the kernel\n" not in text or rss(s) > full - (40 << 20):
            fail(f"{full} bytes were not given back:\n{text}")
        s.order("fill")
        full = rss(s)
        text = s.get("heap?debug=1&gc=1")
        if time.monotonic() - began < 9:                    # else it is no second one on this machine
            if "# gc=1: nothing was given back: that was done within the last 10 seconds\n" not in text:
                fail(f"the second time:\n{text}")
            if rss(s) < full - (8 << 20):
                fail("the second one within ten seconds gave memory back")
        if s.get("heap?gc=1") == "":
            fail("gc=1 without debug")
    if s.status != 0:
        fail(f"exit status {s.status}: {s.errors}")


def nobody():
    """Threads that make no call, or in handlers only, and other allocators: said, and not waited for."""
    for words in ([], ["handler"]):
        with Served("heap", *words) as s:
            s.order("fill")
            time.sleep(0.1)
            text = s.get("heap?debug=1&gc=1")
            if "# gc=1: nothing was given back: no thread of the program made a call in time\n" not in text or "Arena" in tail(text):
                fail(f"{words}: nobody came by:\n{text}")
            told = tail(text)
            if "only one of them can ask libc" not in text or int(told["Brk"]) + int(told["ThreadArenas"]) < 60 << 20:
                fail(f"{words}: what is missing, and what is known:\n{text}")
            s.order("fill")                                 # nothing is left lying about
    if os.path.exists(f"/lib/x86_64-linux-gnu/libjemalloc.so.2") or ctypes.util.find_library("jemalloc"):
        with Served("heap", "busy", env=dict(os.environ, LD_PRELOAD="libjemalloc.so.2")) as s:
            text = s.get("heap?debug=1&gc=1")
            if "# the program's allocator is not libc's" not in text or "gc=1: nothing was given back" not in text:
                fail(f"jemalloc:\n{text}")


def stopped():
    """A program that stands still is not waited for: what is known of it is told at once, and what is missing."""
    with Served("heap", "busy") as s:
        s.order("fill")
        pid = child_of(s)
        os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            text = s.get("heap?debug=1&gc=1")
            if "# not known: the program is stopped" not in text or "nothing was given back: the program is stopped" not in text:
                fail(f"its heap:\n{text}")
            try:
                fail(s.get("threads?debug=1"))
            except urllib.error.HTTPError as e:
                said = e.read().decode()
            if said != "the program does not answer: it is stopped (SIGSTOP)\n":
                fail(f"its threads: {said}")
            s.get("profile?seconds=1")
            s.get("heap?seconds=1")
            took = time.monotonic() - began
            if took > 4.5:                                  # of which two are asked for; each wait in vain takes three or five
                fail(f"all that took {took:.1f} s")
        finally:
            os.kill(pid, signal.SIGCONT)
        look(s)


def stopped_meanwhile():
    """An answer that nobody waits for any more, because the program was stopped, is not taken for the next one."""
    with Served("heap") as s:           # nobody comes by: an answer takes 80 ms
        s.order("fill")
        pid = child_of(s)
        given_up = 0
        for turn in range(8):
            said = []
            one = threading.Thread(target=lambda: said.append(s.get("heap?debug=1")))
            one.start()
            time.sleep(0.03 + 0.005 * turn)
            os.kill(pid, signal.SIGSTOP)
            one.join()
            os.kill(pid, signal.SIGCONT)
            given_up += "the program is stopped" in said[0]
            text = s.get("threads?debug=1")
            if not re.match(r"threads profile: total 1\n", text):
                fail(f"turn {turn}: threads are\n{text}")
        if given_up == 0:
            fail("not one answer came too late")


for case in sys.argv[2:] or ("agrees", "gives_back", "nobody", "stopped", "stopped_meanwhile"):
    case_began = time.monotonic()
    globals()[case]()
    print(f"{case}: ok ({time.monotonic() - case_began:.1f} s)", flush=True)
