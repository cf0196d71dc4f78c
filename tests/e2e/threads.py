#!/usr/bin/python3
"""
threads.py BUILD [CASE...]: what every thread of a running program does, as `threads?debug=1|2` tells it: whole stacks of
threads that wait and that run, for how long, who holds the locks, deadlocks; and that no call of the program is spoilt by asking.

tests/tracer/service/threads.c and readers.c are the programs.
"""

import re
import subprocess
import sys
import time

from served import Served, fail


class Dump:
    """What debug=2 says: states and stacks by name, and the comments behind them."""

    def __init__(self, text):
        self.states, self.stacks, self.tids, self.text = {}, {}, {}, text
        self.comments = [line for line in text.splitlines() if line.startswith("# ")]
        for tid, name, state, rest in re.findall(r'^thread (\d+) "(.*)" \[(.*)\]:\n((?:.+\n)*)', text, re.M):
            self.states[name], self.tids[name] = state, tid
            self.stacks[name] = re.findall(r"^(\S.*?)(?:\(\))?$", rest, re.M)

    def thread(self, name):
        return f'thread {self.tids[name]} "{name}"'


def has(dump, text, what):
    if text not in dump.text:
        fail(f"{what}: no <{text}> in\n{dump.text}")


def settled(served, wanted):
    """A dump in which as many threads as `wanted` wait for somebody, on a machine that may be busy."""
    until = time.monotonic() + 20
    while True:
        dump = Dump(served.get("threads?debug=2"))
        if sum("held by" in state or ", for " in state for state in dump.states.values()) >= wanted:
            return Dump(served.get("threads?debug=2"))      # who had just come to wait has now waited all along
        if time.monotonic() > until:
            fail(f"its threads do not come to rest:\n{dump.text}")


def cycle(dump, *names):
    """Whether the deadlock of these threads is told once, from whichever of them on."""
    for first in range(len(names)):
        turn = [re.escape(dump.thread(name)) for name in (*names[first:], *names[:first])]
        told = "# deadlock: " + turn[0] + " waits for (mutex|rwlock) 0x[0-9a-f]+ of "
        told += ", which waits for (mutex|rwlock) 0x[0-9a-f]+ of ".join([*turn[1:], turn[0]])
        if any(re.match(told, line) for line in dump.comments):
            return True
    return False


def locks():
    """Holders of mutexes and rwlocks by name, threads that are joined, deadlocks of one, two and three threads."""
    for words in (["locks"], ["locks", "timed"]):
        with Served("threads2", *words) as s:
            dump = settled(s, 11)
            for waiter, kind in (("wanter", "MUTEX_WAIT"), ("reader", "RWLOCK_READ_WAIT"), ("writer", "RWLOCK_WRITE_WAIT")):
                if not re.fullmatch(kind + " 0x[0-9a-f]+, held by " + dump.thread("keeper") + r"(, \d+ s)?", dump.states[waiter]):
                    fail(f"the {waiter}'s state is <{dump.states[waiter]}>")
            has(dump, f"{dump.thread('joiner')} [JOIN_WAIT, for {dump.thread('keeper')}", "a thread that joins")
            if not re.search(r"held by \d+, which is no thread of this process", dump.states["orphan"]):
                fail(f"the lock of a thread that has ended: <{dump.states['orphan']}>")
            count = sum(line.startswith("# deadlock: ") for line in dump.comments)
            if count != 3 or not (cycle(dump, "pair-a", "pair-b") and cycle(dump, "ring-a", "ring-b", "ring-c") and cycle(dump, "twice")):
                fail(f"{count} deadlocks:\n" + "\n".join(dump.comments))
            if all("gives up" in line for line in dump.comments if "deadlock" in line) != (len(words) > 1):
                fail("who waits up to a time:\n" + "\n".join(dump.comments))
            grouped = s.get("threads?debug=1")
            if not re.match(r"threads profile: total 13\n", grouped) or not re.search(r"^[56] @( 0x[0-9a-f]+)+$", grouped, re.M):
                fail(f"not grouped by stack:\n{grouped}")
            if [line for line in grouped.splitlines() if line.startswith("# ")] != dump.comments:
                fail(f"debug=1 tells other locks than debug=2:\n{grouped}")
            if words[1:]:
                continue
            time.sleep(1.1)
            if not re.search(r", [1-9] s$", Dump(s.get("threads?debug=2")).states["wanter"]):
                fail("how long a thread has waited is not told")


def readers():
    """Who read-holds a rwlock, all by name, and the deadlocks of each; whoever has read is not named."""
    with Served("readers") as s:
        dump = settled(s, 6)
        held = re.fullmatch("RWLOCK_WRITE_WAIT 0x[0-9a-f]+, held by (.*?)(, \\d+ s)?", dump.states["tidier"])
        wanted = {dump.thread(name) for name in ("browser", "glancer", "visitor")}
        if not held or set(held[1].split(", ")) != wanted:
            fail(f"the tidier's state is <{dump.states['tidier']}>")
        if not re.search(r'^# rwlock 0x[0-9a-f]+ is held by (thread \d+ "student", ){15}thread \d+ "student" and 4 other readers; '
                         f"1 waits: {dump.thread('porter')}$", dump.text, re.M):
            fail("of many readers:\n" + "\n".join(dump.comments))
        count = sum(line.startswith("# deadlock: ") for line in dump.comments)
        if count != 3 or not (cycle(dump, "browser", "tidier") and cycle(dump, "glancer", "tidier") and cycle(dump, "upgrader")):
            fail(f"{count} deadlocks:\n" + "\n".join(dump.comments))


def states():
    """Whole stacks, with and without frame pointers: of threads that run, and in calls that are not wrapped."""
    ends = ["start_thread", "clone3"]
    wanted = {
        "spinner-a": (["spin", *["deep"] * 5, "run", *ends], "running"), "spinner-b": (["spin", *["deep"] * 5, "run", *ends], "running"),
        "flocker": (["kernel", "in_flock", "wait_for_file", *ends], "flock"),
        "receiver": (["kernel", "receive", "in_msgrcv", "wait_for_message", *ends], "msgrcv"),
    }
    for level in (0, 2):
        with Served(f"threads{level}", "states") as s:
            got, until = {}, time.monotonic() + 30
            while len(got) < len(wanted) + 1 and time.monotonic() < until:
                dump = Dump(s.get("threads?debug=2"))
                for name, (stack, state) in wanted.items():
                    if dump.stacks.get(name) == stack and dump.states[name].split(", at least ")[0] == state:
                        got[name] = True
                main = dump.stacks.get(f"service-threads{level}"[:15], [])
                if main[:2] == ["syscall", "run_states"] and main[-1] == "_start" and "main" in main:
                    got["main"] = True
            if len(got) < len(wanted) + 1:
                fail(f"-O{level}: only {sorted(got)} are whole in\n{dump.text}")
        if s.status != 0:
            fail(f"-O{level}: exit status {s.status}: {s.errors}")


def nameless():
    """Without names each frame tells its file and the place in there."""
    with Served("threads0", "states") as s:
        until = time.monotonic() + 20
        names = []
        while names[:3] != ["kernel", "in_flock", "wait_for_file"]:
            if time.monotonic() > until:
                fail(f"the frames of the flocker are {names}")
            text = s.get("threads?debug=2&symbolize=0")
            frames = re.search(r'^thread \d+ "flocker" \[.*\]:\n((?:0x[0-9a-f]+\n\t.*\n)*)', text, re.M)
            places = re.findall(r"^\t(.*service-threads0) \+0x([0-9a-f]+)$", frames[1] if frames else "", re.M)
            names = [subprocess.run(["addr2line", "-f", "-e", file, hex(int(place, 16) - 1)], capture_output=True, text=True, check=True)
                     .stdout.split("\n")[0] for file, place in places]


def still():
    """Of threads that wait in calls nobody wraps: how long at least, by who has not run from one look to the next."""
    with Served("threads2", "states") as s:
        waits = {"flocker": "flock", "receiver": "msgrcv"}
        until = time.monotonic() + 30
        while any(Dump(s.get("threads?debug=2")).states.get(name, "").split(",")[0] != call for name, call in waits.items()):
            if time.monotonic() > until:
                fail("they do not come to wait")
        s.get("threads?debug=2")
        began = time.monotonic()
        time.sleep(2.2)
        states = Dump(s.get("threads?debug=2")).states
        took = time.monotonic() - began
        for name, call in waits.items():
            told = re.fullmatch(call + r", at least (\d+) s", states[name])
            if not told or not 2 <= int(told[1]) <= took + 31:
                fail(f"{name} after {took:.1f} s: <{states[name]}>")
        if any("at least" in states[name] for name in ("spinner-a", "spinner-b")):
            fail(f"of threads that run: {states}")


def storm(dumps=300, seconds=6):
    """No call comes back early, short or interrupted, however often one asks."""
    done = shot = 0
    with Served("threads2", "storm") as s:
        until = time.monotonic() + seconds
        while done < dumps and time.monotonic() < until:
            text = s.get("threads?debug=2&symbolize=0")
            shot += len(re.findall(r"\[running\]:\n0x", text))
            done += 1
    if s.status != 0 or not re.fullmatch(r"calls=\d+ spoilt=0\n", s.rest):
        fail(f"after {done} dumps: exit status {s.status}, {s.rest}{s.errors}")
    if not shot:
        fail(f"in {done} dumps no thread was met that ran")
    print(f"  {done} dumps, {shot} stacks of threads that ran; {s.rest.strip()}")


def storm_long():
    storm(10000, 1200)


CASES = sys.argv[2:] or ["locks", "readers", "states", "nameless", "still", "storm"]
for case in CASES:
    began = time.monotonic()
    globals()[case]()
    print(f"{case}: ok ({time.monotonic() - began:.1f} s)", flush=True)
