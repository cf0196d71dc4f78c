#!/usr/bin/python3
"""view_live.py BUILD: `ctrace view` of a trace that is still being written: it grows while looked at, and ends as one that was whole."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from serving import expect, settles
from viewing import Viewer, ctrace, more_than, rows_of, starts, state

scratch = tempfile.mkdtemp(prefix="ctrace-live-")
recordings = []
LOOP = 'while read x; do if [ "$x" = child ]; then /bin/true; fi; done'


# Reads its input to the end, as does a thread without a name of its own; its functions have names.
NAMED = r"""
#include <pthread.h>
#include <unistd.h>

__attribute__((noinline)) int read_one(void)
{
    char c;

    return read(0, &c, 1) > 0;
}

static void *read_in_thread(void *unused)
{
    while (read_one())
        ;
    return unused;
}

int main(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, read_in_thread, NULL);
    while (read_one())
        ;
    return pthread_join(thread, NULL);
}
"""


class Recording:
    """A program under `ctrace record`, by default a shell, that reads lines as long as it is fed."""

    def __init__(self, name, *options, program=("sh", "-c", LOOP)):
        self.path = f"{scratch}/{name}"
        self.record = subprocess.Popen([ctrace, "record", *options, "-o", self.path, "--", *program], stdin=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        self.lock, self.open = threading.Lock(), True
        self.feeder = threading.Thread(target=self.feed, daemon=True)
        self.feeder.start()
        recordings.append(self)
        settles(lambda: os.path.exists(self.path), True, "the trace", 10)

    def say(self, line):
        with self.lock:
            self.record.stdin.write(line)
            self.record.stdin.flush()

    def feed(self):
        try:
            while self.open:
                self.say("on\n" * 5)
                time.sleep(0.01)
        except OSError:
            pass

    def end(self, how=None):
        if how:
            self.record.send_signal(how)
        self.open = False
        self.feeder.join()
        try:
            self.record.stdin.close()
        except OSError:
            pass
        return self.record.wait(30)


def converts():
    """`ctrace convert` follows a recording to its end, or to ^C; a program that converts its own trace does not wait for itself."""
    def convert(name, *options):
        return subprocess.Popen([ctrace, "convert", "-t", "text", "-o", f"{scratch}/{name}.txt", *options, f"{scratch}/{name}"], stderr=subprocess.PIPE, text=True)

    def text_of(name, *options):
        return subprocess.run([ctrace, "convert", "-t", "text", "-o", "-", *options, f"{scratch}/{name}"], check=True, capture_output=True, text=True).stdout

    one, goes_on = Recording("followed.out"), " is still being recorded: it is converted when that ends, or at ^C (--now: at once)\n"
    time.sleep(1)
    now = convert("followed.out", "--now")
    assert now.wait(10) == 0 and "is cut at byte" in now.stderr.read(), "--now takes what is there"
    follows = convert("followed.out")
    one.say("child\n")                      # is a process whose trace is not there yet
    time.sleep(1.5)
    expect((follows.poll(), one.record.poll()), (None, None), "both go on")
    expect(one.end(), 0, "the recording")
    expect((follows.wait(15), follows.stderr.read()), (0, f"ctrace convert: {one.path}{goes_on}"), "what followed it")
    with open(f"{scratch}/followed.out.txt", encoding="utf-8") as f:
        expect(f.read(), text_of("followed.out"), "all of it")
    other = Recording("stopped.out")
    time.sleep(1)
    follows = convert("stopped.out")
    time.sleep(1)
    follows.send_signal(signal.SIGINT)
    status, said = follows.wait(10), follows.stderr.read()
    assert status == 0 and said.startswith(f"ctrace convert: {other.path}{goes_on}") and other.record.poll() is None, (status, said)
    assert os.path.getsize(f"{scratch}/stopped.out.txt") > 1000, "what was there"
    expect(other.end(), 0, "the recording")
    own = subprocess.run([ctrace, "record", "-o", f"{scratch}/own.out", "--", "sh", "-c",
                          f"/bin/true; sleep 1.5; {ctrace} convert -t text -o {scratch}/own.txt {scratch}/own.out"], capture_output=True, text=True, timeout=30)
    assert own.returncode == 0 and "is still being recorded" not in own.stderr and os.path.exists(f"{scratch}/own.txt"), own


def grows():
    """Events, time and processes come while it is looked at; numbers stay; at the end all is as in any trace."""
    recording = Recording("trace.out")
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "trace.out", folder=scratch) as v:
        starts(v)
        now = v.json("/api/progress")
        expect(now["state"], "building", "the state")
        assert 0 <= now["age_ns"] < 5e9, now
        first, rows, tile = v.json("/api/meta"), rows_of(v), v.ask("/api/tiles?l=25&i=0&rows=0")
        expect(tile[1]["cache-control"], "no-store", "a tile at the end of what is known")
        recording.say("child\n")
        settles(lambda: more_than(v, first["trace"]["events"]), True, "more events", 10)
        settles(lambda: len(v.json("/api/meta")["programs"]), 2, "the child", 10)
        later = v.json("/api/meta")
        assert later["span_ns"] > first["span_ns"] and later["trace"]["key"] == first["trace"]["key"], (first, later)
        assert {(i, kind) for i, kind, _ in rows} <= {(i, kind) for i, kind, _ in rows_of(v)}, "numbers of lanes stay"
        expect(recording.end(), 0, "the recording")
        settles(lambda: state(v), "ready", "the end", 10)
        last, lanes = v.json("/api/meta"), v.json("/api/lanes")["lanes"]
        expect((v.json("/api/progress")["age_ns"], last["trace"]["damage"]), (None, None), "the end")
    assert not os.path.exists(f"{recording.path}.idx"), "an index of half a trace"
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "trace.out", folder=scratch).ready() as v:
        whole = v.json("/api/meta")
        expect((last["trace"]["events"], len(last["programs"])), (whole["trace"]["events"], len(whole["programs"])), "events")
        counts = lambda list_: sorted((lane["kind"], lane["name"], len(lane["rows"])) for lane in list_)
        expect(counts(lanes), counts(v.json("/api/lanes")["lanes"]), "lanes")
        expect(v.json("/api/progress")["age_ns"], None, "a trace that is whole")


def named():
    """Functions have their names while the trace grows: in stacks, as pools of threads, and as names of such threads."""
    with open(f"{scratch}/named.c", "w", encoding="ascii") as f:
        f.write(NAMED)
    subprocess.run(["cc", "-g", "-O1", "-o", f"{scratch}/named", f"{scratch}/named.c"], check=True)
    recording = Recording("named.out", program=[f"{scratch}/named"])
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "named.out", folder=scratch) as v:
        starts(v)
        found = lambda: v.json("/api/search?q=read_one")["total"]
        settles(lambda: found() > 0, True, "names in stacks", 15)
        threads = lambda: {(lane["name"], lane["group"]) for lane in v.json("/api/lanes")["lanes"] if lane["kind"] == "thread"}
        settles(lambda: ("read_in_thread", "read_in_thread") in threads(), True, "the thread's name", 15)
        expect(state(v), "building", "the state")
        expect(recording.end(), 0, "the recording")
        settles(lambda: state(v), "ready", "the end", 10)
        assert found() > 0


# Writes without end, at a pace by which a ring of 1 MB goes on every second or two.
WRITES = """
import os, sys, time, select
out, written = os.open("/dev/null", os.O_WRONLY), 0
while not select.select([0], [], [], 0.01)[0]:
    for _ in range(500):
        written += os.write(out, b"x")
open(sys.argv[1], "w").write(str(written))
"""


def ring():
    """A ring that goes on from file to file is one timeline, to its end, where it is one file again."""
    path = f"{scratch}/ring.out"
    record = subprocess.Popen([ctrace, "record", "--max-size=ring:1M", "-o", path, "--", sys.executable, "-c", WRITES, f"{path}.count"], stdin=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        settles(lambda: os.path.exists(path), True, "the trace", 10)
        with Viewer("--no-browser", "--listen", "127.0.0.1:0", "ring.out", folder=scratch) as v:
            starts(v)
            files = set()
            for _ in range(80):
                files.add(os.stat(path).st_ino)
                time.sleep(0.1)
            assert len(files) > 2, "the ring did not go on"
            expect((state(v), len(v.json("/api/meta")["programs"])), ("building", 1), "what is looked at")
            record.stdin.close()
            expect(record.wait(30), 0, "the recording")
            settles(lambda: state(v), "ready", "the end", 15)
            meta = v.json("/api/meta")
            expect((v.json("/api/progress")["error"], meta["trace"]["damage"]), (None, None), "what is wrong")
            kept = json.loads(subprocess.run([ctrace, "info", "--json", path], check=True, capture_output=True).stdout)
        with open(f"{path}.count", encoding="ascii") as f:
            written = int(f.read())
        assert sum(each["event_count"] for each in kept["programs"]) < written <= meta["trace"]["events"] < 1.2 * written, (written, meta["trace"], kept)
    finally:
        if record.poll() is None:
            os.killpg(record.pid, signal.SIGKILL)


def killed():
    """The recorder dies: what it had not written comes from memory, and it is said that there is no more."""
    recording = Recording("killed.out")
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "killed.out", folder=scratch) as v:
        starts(v)
        recording.end(signal.SIGKILL)
        settles(lambda: state(v), "ready", "the end", 15)
        assert v.json("/api/meta")["trace"]["damage"].startswith("The trace is cut at byte "), v.json("/api/meta")["trace"]


def replaced():
    """Another recording of the same name: what was opened is shown to its end."""
    one = Recording("again.out")
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "again.out", folder=scratch) as v:
        starts(v)
        os.rename(one.path, f"{one.path}.away")
        with open(one.path, "wb"):
            pass
        settles(lambda: state(v), "ready", "the end", 10)
        assert v.json("/api/progress")["error"].startswith("again.out is another file by now"), v.json("/api/progress")
    one.end()


def beside():
    """A recording that goes on and a folder of CTF are one timeline, which grows; what a killed recorder left in memory is its end."""
    settled = Recording("settled.out")
    time.sleep(0.5)
    expect(settled.end(), 0, "the recording")
    subprocess.run([ctrace, "convert", "-t", "ctf", "-o", f"{scratch}/settled.ctf", settled.path], check=True)
    recording = Recording("growing.out")
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", "growing.out", "settled.ctf", folder=scratch) as v:
        starts(v)
        settles(lambda: [program["name"] for program in v.json("/api/meta")["programs"]], ["sh", "sh"], "both", 20)
        events = v.json("/api/meta")["trace"]["events"]
        settles(lambda: more_than(v, events), True, "it grows", 20)
        recording.end(signal.SIGKILL)
        settles(lambda: state(v), "ready", "the end", 15)
        assert "is cut at byte" in v.json("/api/meta")["trace"]["damage"], v.json("/api/meta")["trace"]


try:
    for test in sys.argv[2:] or ["grows", "named", "converts"]:
        globals()[test]()
finally:
    for each in recordings:
        each.open = False
        if each.record.poll() is None:
            os.killpg(each.record.pid, signal.SIGKILL)
    shutil.rmtree(scratch)
