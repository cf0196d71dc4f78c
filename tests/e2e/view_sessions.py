#!/usr/bin/python3
"""view_sessions.py BUILD [TEST...]: live sessions of LTTng's, of one machine and of two, are looked at and kept while they go on."""

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
import time

from lttng_session import Session
from relaying import Relay, benchmark, fall_silent, free_ports, load, redis, talk, two_machines
from serving import expect, settles
from viewing import Viewer, ctrace, more_than, rows_of, starts, state

scratch = tempfile.mkdtemp(prefix="ctrace-lttng-")


@contextlib.contextmanager
def redis_looked_at(name, *beside):
    """redis in a live session of that name, and who looks at it, and at what else is named."""
    os.chmod(scratch, 0o755)
    with Session(f"{scratch}/{name}") as lttng:
        relay, [port] = Relay(lttng), free_ports(1)
        server = None
        try:
            place = relay.begin(name)
            server = redis(lttng, port)
            with Viewer("--no-browser", "--listen", "127.0.0.1:0", place, *beside, folder=scratch) as v:
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
    """A relay daemon that hangs is told of, and does not hold up who interrupts; one that began anew does not have the session, and that is said."""
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
            expect(convert.stderr.readline(), f"ctrace: {place}: the relay daemon has not answered for 10 s; ^C ends it here\n", "what is said")
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
    """redis while redis-benchmark runs, looked at by way of a relay daemon: it grows, until the relay dies; what arrived stays."""
    with redis_looked_at("benchmark") as (_, relay, port, v):
        grown = lambda: (v.json("/api/progress")["covered_ns"], v.json("/api/meta")["trace"]["events"])
        with load(port) as running:
            seen = [(0, 0)]
            for _ in range(5):
                settles(lambda: all(more > before for more, before in zip(grown(), seen[-1])), True, "it grows", 20)
                expect(running.poll(), None, "redis-benchmark")
                seen.append(grown())
            now = v.json("/api/progress")
            assert now["state"] == "building" and 0 <= now["age_ns"] < 20e9, now
            assert "redis-server" in str(v.json("/api/meta")["programs"]), v.json("/api/meta")["programs"]
            relay.daemon.kill()
        settles(lambda: state(v), "ready", "the end", 30)
        said, meta = v.json("/api/progress")["error"], v.json("/api/meta")
        assert re.fullmatch(r"net://\S+: the relay daemon went away: [^;]*; what arrived before is all there is\.", said), said
        assert meta["trace"]["events"] >= seen[-1][1] and v.json("/api/lanes")["lanes"], meta
        time.sleep(0.5)                     # for the terminal
    assert "what arrived before is all there is" in v.said, v.said


def beside():
    """A live session and an archive of CTF are one timeline, which grows."""
    subprocess.run([ctrace, "record", "-o", f"{scratch}/settled.out", "--", "sleep", "0.1"], check=True)
    subprocess.run([ctrace, "convert", "-t", "ctf", "-o", f"{scratch}/settled.ctf", f"{scratch}/settled.out"], check=True)
    subprocess.run(["tar", "-C", scratch, "-czf", f"{scratch}/settled.tar.gz", "settled.ctf"], check=True)
    with redis_looked_at("beside", f"{scratch}/settled.tar.gz") as (lttng, _, port, v):
        burden(v, port)
        settles(lambda: sorted(program["name"].split()[0] for program in v.json("/api/meta")["programs"]), ["redis-server", "sleep"], "both", 20)
        events = v.json("/api/meta")["trace"]["events"]
        benchmark(port, 300)
        settles(lambda: more_than(v, events), True, "it grows", 20)
        lttng("destroy", "beside")
        settles(lambda: state(v), "ready", "the end", 30)
        expect((v.json("/api/progress")["error"], v.json("/api/meta")["trace"]["damage"]), (None, None), "what is wrong")


def often():
    """Relays that die while redis-benchmark runs are told of at once, each time; one that only stopped is waited for, and goes on."""
    os.chmod(scratch, 0o755)
    with Session(f"{scratch}/often") as lttng:
        relay, [port], server = Relay(lttng), free_ports(1), None
        try:
            for name in ("first", "second", "third"):
                place = relay.begin(name)
                server = server or redis(lttng, port)
                convert = subprocess.Popen([ctrace, "convert", "-t", "trace", "-o", f"{scratch}/{name}", place], stderr=subprocess.PIPE, text=True)
                time.sleep(1)
                with load(port):
                    time.sleep(2)
                    relay.daemon.kill()
                    status, said = convert.wait(10), convert.stderr.read()
                assert status == 0 and re.match(r"ctrace: net://\S+: the relay daemon went away: [^;]*; what arrived before is all there is\n", said), said
                info = json.loads(subprocess.run([ctrace, "info", "--json", f"{scratch}/{name}"], check=True, capture_output=True).stdout)
                assert sum(each["event_count"] for each in info["programs"]) > 1000, info
                lttng("destroy", name, status=None)
                relay.start()
            with Viewer("--no-browser", "--listen", "127.0.0.1:0", relay.begin("last"), folder=scratch) as v, load(port):
                starts(v)
                relay.daemon.send_signal(signal.SIGSTOP)
                settles(lambda: v.json("/api/progress")["age_ns"] > 5e9, True, "nothing comes", 20)
                expect(state(v), "building", "the state")
                relay.daemon.send_signal(signal.SIGCONT)
                settles(lambda: v.json("/api/progress")["age_ns"] < 4e9, True, "it goes on", 20)
                relay.daemon.send_signal(signal.SIGSTOP)
        finally:
            relay.daemon.kill()
            for each in filter(None, [relay.daemon, server]):
                each.terminate()
                each.wait(30)


try:
    for test in sys.argv[2:] or ["destroyed", "several", "late", "kept", "restarted", "session", "beside", "often"]:
        if test in ("several", "late", "kept") and os.getuid() != 0:
            print(f"{test}: only root can call a machine by two names")
        else:
            globals()[test]()
finally:
    shutil.rmtree(scratch)
