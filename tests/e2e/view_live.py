#!/usr/bin/python3
"""view_live.py BUILD: `ctrace view` of a trace that is still being written: it grows while looked at, and ends as one that was whole."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from serving import expect, settles
from viewing import Viewer, ctrace

scratch = tempfile.mkdtemp(prefix="ctrace-live-")
recordings = []
LOOP = 'while read x; do if [ "$x" = child ]; then /bin/true; fi; done'


class Recording:
    """A shell under `ctrace record` that reads lines as long as it is fed."""

    def __init__(self, name, *options):
        self.path = f"{scratch}/{name}"
        self.record = subprocess.Popen([ctrace, "record", *options, "-o", self.path, "--", "sh", "-c", LOOP], stdin=subprocess.PIPE,
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


def state(v):
    return v.json("/api/progress")["state"]


def starts(v):
    try:
        settles(lambda: v.json("/api/progress")["covered_ns"] > 0, True, "the first second", 10)
    except AssertionError:
        raise AssertionError(f'nothing came: {v.json("/api/progress")}') from None


def more_than(v, events):
    return v.json("/api/meta")["trace"]["events"] > events


def rows_of(v):
    return [(lane["id"], lane["kind"], [row["id"] for row in lane["rows"]]) for lane in v.json("/api/lanes")["lanes"]]


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


try:
    for test in sys.argv[2:] or ["grows"]:
        globals()[test]()
finally:
    for each in recordings:
        each.open = False
        if each.record.poll() is None:
            os.killpg(each.record.pid, signal.SIGKILL)
    shutil.rmtree(scratch)
