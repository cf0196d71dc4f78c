#!/usr/bin/python3
"""
lttng_out.py BUILD: LTTng records our events: the same, with the same fields, as stand in trace.out of the same run; without
a trace.out, too, from when a session wants them until it does not; in forked children; and where LTTng is not, the program
runs as before.  Exit 77 without LTTng or babeltrace2.
"""

import collections
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from lttng_session import Built, Session, by_thread, run, same, schema
from serving import settles

def listed(built, session):
    """`lttng list -u` shows all events of events.def, their levels, and their fields (the last first; _*_length come with texts)."""
    level = {"trace": "DEBUG_SYSTEM", "user": "NOTICE", "thread": "INFO", "process": "INFO", "gc": "INFO", "lock": "DEBUG_SYSTEM",
             "sleep": "DEBUG_SYSTEM", "heap": "DEBUG_PROCESS", "io": "DEBUG_FUNCTION", "poll": "DEBUG_FUNCTION", "file": "DEBUG_FUNCTION"}
    kind = {"STRING": "string", "TEXT": "string", "STACK": "unknown", "CALL": "enum", "kind": "enum"}    # a sequence of numbers is "unknown" to it
    program = loop(built, session, "variable", LD_PRELOAD=built.recorder, CTRACE_LTTNG="1")
    said = session("list", "-u", "-f").stdout
    program.communicate("", timeout=20)
    said = re.search(rf"^PID: {program.pid} - .*\n((?: .*\n|\n)*)", said, re.M)[1]
    found = {m[1]: (m[2], re.findall(r"field: ([a-z]\w*) \((\w+)\)", m[3])[::-1])
             for m in re.finditer(r"^ +ctrace:(\w+) \(loglevel: TRACE_(\w+) \(\d+\)\).*\n((?: +field: .*\n)*)", said, re.M)}
    expected = {name.lower(): (level.get(category, "DEBUG_LINE"),
                               [(field, kind.get(of, kind.get(field, "integer") if name == "FD" else "integer")) for of, field in fields])
                for name, (category, fields) in schema().items()}
    assert len(expected) > 60 and found == expected, ([(n, found.get(n), e) for n, e in expected.items() if found.get(n) != e], set(found) - set(expected))


def redis_beside_trace(built, session):
    session.begin()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    server = subprocess.Popen([built.ctrace, "record", "--lttng", "-o", f"{session.home}/redis.out", "--", "redis-server", "--port", port,
                               "--save", "", "--dir", session.home], env=session.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True, **session.who)
    until = time.monotonic() + 20
    while run("redis-cli", "-p", port, "ping", status=None).stdout != "PONG\n":
        assert time.monotonic() < until, "no redis"
        time.sleep(0.05)
    run("redis-benchmark", "-p", port, "-n", "500", "-c", "4", "-t", "set,get", "-q")
    run("redis-cli", "-p", port, "bgsave")                  # a child, of a program that writes over its environment
    while "rdb_bgsave_in_progress:1" in run("redis-cli", "-p", port, "info", "persistence").stdout:
        time.sleep(0.05)
    run("redis-cli", "-p", port, "shutdown", "nosave", status=None)
    said = server.communicate(timeout=30)[1]
    assert server.returncode == 0 and "LTTng" not in said, said
    counted = same(built, f"{session.home}/redis.out", session.finish())
    assert counted["io"] > 1000 and counted["fork"] == 1 and counted["exit"] == 2 and counted["thread_start"] > 2, counted
    names = re.findall(r'^thread .*name="([^"]*)"', built.texts(f"{session.home}/redis.out"), re.M)
    assert not [name for name in names if name.endswith("-ust")], names


def work(session):
    """A file for xz, which the session's user may read."""
    with open(sys.argv[0], "rb") as part, open(f"{session.home}/some", "wb") as whole:
        whole.write((part.read() * 100)[:1 << 20])
    if session.who:
        os.chown(f"{session.home}/some", session.who["user"], session.who["group"])
    return ["xz", "-T2", "--block-size=100KiB", "-k", "-f", "-1", f"{session.home}/some"]


def xz_beside_trace(built, session):
    words = work(session)
    session.begin()
    run(built.ctrace, "record", "--lttng", "-o", f"{session.home}/xz.out", "--", *words, env=session.env, **session.who)
    counted = same(built, f"{session.home}/xz.out", session.finish())
    assert counted["cond_wait"] > 2 and counted["wake"] > 2 and counted["thread_start"] == 2 and counted["exit"] == 1, counted
    shutil.rmtree(f"{session.home}/s")


def xz_alone(built, session):
    """Nobody else records; a second session's events are only those that it enabled."""
    words = work(session)
    session.begin()
    session.begin("waits", "ctrace:cond_wait,ctrace:wait_done")
    left = lambda: {f for f in os.listdir("/dev/shm") if f.startswith(f"ctrace-{session.who.get('user', os.getuid())}-")}     # not others'
    before = left()
    run(*words, env={**session.env, "LD_PRELOAD": built.recorder, "CTRACE_LTTNG": "1"}, **session.who)
    settles(lambda: bool(left() - before), False, "what is left in /dev/shm, where other tests of that user come and go", 30)
    waits, trace = session.finish("waits"), session.finish()
    names = collections.Counter(re.findall(r" ctrace:(\w+): ", run("babeltrace2", waits).stdout))
    assert set(names) == {"cond_wait", "wait_done"}, names
    text = built.texts(trace)
    whole = collections.Counter(e.name.lower() for events in by_thread(text).values() for e in events)
    assert {name: whole[name] for name in names} == names and whole["cond_wait"] > 2, (whole, names)
    assert whole["thread_start"] == 2 and whole["exit"] == 1, whole
    info = run(built.ctrace, "info", trace).stdout
    assert re.search(r"^threads +3$", info, re.M) and "xz" in info, info
    events = run(built.ctrace, "convert", "-o", "-", trace).stdout
    assert "woken_by" in events and "condition" in events, "waits and who ended them"


def seen(session):
    return len(re.findall(r" ctrace:region_begin: ", session.pretty()))


def loop(built, session, how, *more, **environment):
    env = {**session.env, "LD_LIBRARY_PATH": built.folder, **environment}
    program = subprocess.Popen(["./lttng_loop", how, *more], cwd=session.home, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, **session.who)
    assert program.stdout.readline() == "ready\n", program.stderr.read()
    return program


def comes_and_goes(built, session, how, *more, **environment):
    """A program that runs before and after a session; its child is followed."""
    program = loop(built, session, how, *more, **environment)
    session.begin(events="ctrace:region_begin,ctrace:fork")
    time.sleep(1)
    session("stop", "s")
    between = seen(session)
    assert between > 20, between
    time.sleep(0.2)
    session("start", "s")
    time.sleep(1)
    program.communicate("", timeout=20)
    assert program.returncode == 0, program.returncode
    text = run("babeltrace2", session.finish()).stdout
    assert len(re.findall(r"ctrace:region_begin", text)) > between + 20 and 'name = "of the child"' in text, text[-2000:]
    child = re.search(rf"ctrace:fork: .*vpid = {program.pid}, .*result = (\d+)", text)
    assert child and f"vpid = {child[1]}," in text, "the child is not followed"
    daemon = re.search(r'vpid = (\d+),.*name = "of the daemon"', text)
    assert daemon and int(daemon[1]) not in (program.pid, int(child[1])), "the daemon is not followed"
    times = [float(h) * 3600 + float(m) * 60 + float(s) for h, m, s in re.findall(r"^\[(\d+):(\d+):([\d.]+)\]", text, re.M)]
    assert max(b - a for a, b in zip(times, times[1:])) > 0.15, "it was told while nobody wanted it"
    shutil.rmtree(f"{session.home}/s")


def by_variable_and_call(built, session):
    comes_and_goes(built, session, "variable", LD_PRELOAD=built.recorder, CTRACE_LTTNG="1")
    comes_and_goes(built, session, "enable", "trace")
    kept = by_thread(built.texts(f"{session.home}/self.out"))
    assert any(e.name == "REGION_BEGIN" for events in kept.values() for e in events), "the program's own trace"


def without_lttng(built, session):
    """Its library is not there, or LTTng's is not: a line, and everything else as before."""
    os.mkdir(f"{session.home}/lib")
    for name in ("ctrace", "libctrace-rt.so.0", "libctrace.so.0", "libctrace-serve.so.0"):
        shutil.copy(f"{built.folder}/{name}", f"{session.home}/lib/{name}")
    with open(f"{built.folder}/libctrace-lttng.so", "rb") as f:
        library = f.read()
    line = r"ctrace: LTTng gets no events( of this process)?: [^\n]*: cannot open shared object file: [^\n]+\n"
    for there in (False, True):
        if there:
            with open(f"{session.home}/lib/libctrace-lttng.so", "wb") as f:
                f.write(library.replace(b"liblttng-ust.so.1\0", b"liblttng-usT.so.1\0"))
        words = [f"{session.home}/lib/ctrace", "record", "--lttng", "-o", f"{session.home}/none.out", "--", "sh", "-c", "(echo a); echo b"]
        env = {**session.env, "LD_LIBRARY_PATH": f"{session.home}/lib"}
        r = run(*words, env=env, cwd=session.home, **session.who)
        assert r.stdout == "a\nb\n" and re.match(line, r.stderr) and r.stderr.count("LTTng") == 1, r.stderr
        assert " IO" in built.texts(f"{session.home}/none.out"), "a trace all the same"
        env = {**env, "LD_PRELOAD": f"{session.home}/lib/libctrace-rt.so.0", "CTRACE_LTTNG": "1"}
        r = run("/bin/echo", "a", env=env, **session.who)
        assert r.stdout == "a\n" and re.fullmatch(line, r.stderr), r.stderr
        r = run("./lttng_loop", "enable", env={**env, "CTRACE_LTTNG": "0"}, cwd=session.home, status=3, stdin=subprocess.DEVNULL, **session.who)
        assert re.fullmatch(line, r.stderr), r.stderr


def main():
    with tempfile.TemporaryDirectory(prefix="ctrace-lttng-") as scratch:
        os.chmod(scratch, 0o755)
        built = Built(os.path.abspath(sys.argv[1]), f"{scratch}/build")
        sys.argv[0] = os.path.abspath(sys.argv[0])
        os.chdir(scratch)
        with Session(f"{scratch}/home") as session:
            built.compile(session, "lttng_loop")
            for test in (listed, redis_beside_trace, xz_beside_trace, xz_alone, by_variable_and_call, without_lttng):
                if len(sys.argv) > 2 and test.__name__ not in sys.argv[2:]:
                    continue
                start = time.monotonic()
                test(built, session)
                print(f"{test.__name__} {time.monotonic() - start:.1f} s", flush=True)
        os.chdir("/")


main()
