#!/usr/bin/python3
"""view_live.py BUILD: `ctrace view` of a trace that is still being written: it grows while looked at, and ends as one that was whole."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from lttng_session import Session
from relaying import Relay, benchmark, fall_silent, free_ports, redis, talk, two_machines
from serving import expect, settles
from viewing import Viewer, ctrace

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


# --- live sessions of LTTng's ---

@contextlib.contextmanager
def redis_looked_at(name):
    """redis in a live session of that name, and who looks at it."""
    os.chmod(scratch, 0o755)
    with Session(f"{scratch}/{name}") as lttng:
        relay, [port] = Relay(lttng), free_ports(1)
        server = None
        try:
            place = relay.begin(name)
            server = redis(lttng, port)
            with Viewer("--no-browser", "--listen", "127.0.0.1:0", place, folder=scratch) as v:
                time.sleep(1)
                yield lttng, relay, port, v
        finally:
            for each in (relay.daemon, server):
                if each:
                    each.terminate()
                    each.wait(30)


def burden(v, port):
    benchmark(port, 300)
    settles(lambda: v.json("/api/progress")["covered_ns"] > 0, True, "something", 20)


def destroyed():
    """`lttng destroy` is the end of what is looked at: all that came, and nothing is wrong with it."""
    with redis_looked_at("ended") as (lttng, _, port, v):
        burden(v, port)
        lttng("destroy", "ended")
        settles(lambda: state(v), "ready", "the end", 30)
        meta = v.json("/api/meta")
        expect((v.json("/api/progress")["error"], meta["trace"]["damage"]), (None, None), "what is wrong")
        assert meta["trace"]["events"] > 600 and v.json("/api/lanes")["lanes"], meta


def hosts_of(v):
    return {program["host"] for program in v.json("/api/meta")["programs"]}


def machines_of(v):
    """Their names; the first has none as long as it is alone."""
    return {host.split()[0] if host else "" for host in hosts_of(v)}


def several():
    """Sessions of two machines are one timeline, live: a group for each, and clocks that were compared by their messages."""
    with two_machines(scratch) as (one, other, places, running), Viewer("--no-browser", "--listen", "127.0.0.1:0", *places, folder=scratch) as v:
        time.sleep(1)
        running += talk(one, other)
        settles(lambda: v.json("/api/progress")["covered_ns"] > 0, True, "something", 30)
        settles(lambda: machines_of(v), {socket.gethostname(), "elsewhere"}, "a group for each machine", 20)
        uncertain = [re.search(r"\(clock \+-([\d.]+) us\)", host) for host in hosts_of(v)]
        assert any(found and float(found[1]) < 1000 for found in uncertain), hosts_of(v)
        events = v.json("/api/meta")["trace"]["events"]
        settles(lambda: more_than(v, events), True, "it grows", 20)
        expect({lane["host"] for lane in v.json("/api/lanes")["lanes"] if lane["kind"] == "cpu"}, hosts_of(v), "CPUs of both")
        fall_silent(one, other, running)
        settles(lambda: state(v), "ready", "the end", 30)
        expect(v.json("/api/progress")["error"], None, "what is wrong")


def late():
    """A machine that says something only when the other is shown: both have a group from then on, and a clock that nobody knows."""
    with two_machines(scratch) as (one, other, places, running), Viewer("--no-browser", "--listen", "127.0.0.1:0", *places, folder=scratch) as v:
        time.sleep(1)
        running += talk(one, one)
        starts(v)
        expect(hosts_of(v), {""}, "one machine alone says nothing of it")
        before = rows_of(v)
        running += talk(other, other)
        settles(lambda: hosts_of(v), {socket.gethostname(), "elsewhere (clock not compared)"}, "a group for each machine", 20)
        settles(lambda: {lane["host"] for lane in v.json("/api/lanes")["lanes"] if lane["kind"] == "cpu"}, hosts_of(v), "CPUs of both", 20)
        assert {(i, kind) for i, kind, _ in before} <= {(i, kind) for i, kind, _ in rows_of(v)}, "numbers of lanes stay"
        first = {lane["host"]: lane["start_ns"] for lane in v.json("/api/lanes")["lanes"] if lane["kind"] == "cpu"}
        assert 4e9 < first["elsewhere (clock not compared)"] - first[socket.gethostname()] < 60e9, first


def kept():
    """`ctrace convert` follows both at the same time."""
    with two_machines(scratch) as (one, other, places, running):
        convert = subprocess.Popen([ctrace, "convert", "-t", "trace", "-o", f"{scratch}/kept.trace", *places], stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        running += talk(one, other)
        time.sleep(3)
        fall_silent(one, other, running)
        expect((convert.wait(30), convert.stderr.read()), (0, ""), "ctrace convert")
        programs = json.loads(subprocess.run([ctrace, "info", "--json", f"{scratch}/kept.trace"], check=True, capture_output=True).stdout)["programs"]
        expect(({p["host"] for p in programs}, sorted(p["host_clock"]["how"] for p in programs)),
               ({socket.gethostname(), "elsewhere"}, ["compared", "first"]), "what was kept")


def restarted():
    """A relay daemon that hangs does not hold up who interrupts; one that began anew does not have the session, and that is said."""
    os.chmod(scratch, 0o755)
    with Session(f"{scratch}/anew") as lttng:
        relay, running = Relay(lttng), []
        follow = lambda: subprocess.Popen([ctrace, "convert", "-t", "trace", "-o", f"{scratch}/hung.trace", place], stderr=subprocess.PIPE, text=True)
        try:
            place = relay.begin("anew")
            convert = follow()
            time.sleep(1)
            running += talk(lttng, lttng)
            time.sleep(3)
            relay.daemon.send_signal(signal.SIGSTOP)
            time.sleep(0.5)
            convert.send_signal(signal.SIGINT)
            expect((convert.wait(10), convert.stderr.read()), (0, ""), "ctrace convert, interrupted")
            assert os.path.getsize(f"{scratch}/hung.trace") > 1000, "what had arrived"
            relay.daemon.kill()
            relay.daemon.wait()
            relay.start()
            said = f"ctrace convert: {place}: no such session is there to be looked at\n"
            settles(lambda: follow().communicate(timeout=20)[1], said, "what is said of it", 20)
            with Viewer("--no-browser", "--listen", "127.0.0.1:0", place, folder=scratch) as v:
                settles(lambda: state(v), "failed", "the state", 10)
                expect(v.json("/api/progress")["error"], said[len("ctrace convert: "):-1] + ".", "why")
        finally:
            for each in [relay.daemon, *running]:
                each.terminate()
                each.wait(30)


def session():
    """redis under redis-benchmark, looked at by way of a relay daemon, which dies at last: what arrived stays."""
    with redis_looked_at("benchmark") as (_, relay, port, v):
        counts = []
        for _ in range(3):
            burden(v, port)
            settles(lambda: more_than(v, counts[-1] if counts else 0), True, "more events", 20)
            counts.append(v.json("/api/meta")["trace"]["events"])
        now = v.json("/api/progress")
        assert now["state"] == "building" and 0 <= now["age_ns"] < 20e9, now
        assert "redis-server" in str(v.json("/api/meta")["programs"]), v.json("/api/meta")["programs"]
        relay.daemon.kill()
        settles(lambda: state(v), "ready", "the end", 20)
        said, meta = v.json("/api/progress")["error"], v.json("/api/meta")
        assert said.startswith("net://") and "what arrived before is all there is" in said, said
        assert meta["trace"]["events"] >= counts[-1] and v.json("/api/lanes")["lanes"], meta
        time.sleep(0.5)                     # for the terminal
    assert "what arrived before is all there is" in v.said, v.said


try:
    for test in sys.argv[2:] or ["grows", "named"]:
        if test in ("several", "late", "kept") and os.getuid() != 0:
            print(f"{test}: only root can call a machine by two names")
        else:
            globals()[test]()
finally:
    for each in recordings:
        each.open = False
        if each.record.poll() is None:
            os.killpg(each.record.pid, signal.SIGKILL)
    shutil.rmtree(scratch)
