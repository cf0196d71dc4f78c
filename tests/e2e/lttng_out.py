#!/usr/bin/python3
"""
lttng_out.py BUILD: LTTng records our events: the same, with the same fields, as stand in trace.out of the same run; without
a trace.out, too, from when a session wants them until it does not; in forked children; and where LTTng is not, the program
runs as before.  Exit 77 without LTTng or babeltrace2.
"""

import collections
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from lttng_session import Session, run

build = os.path.abspath(sys.argv[1])
ctrace, recorder = f"{build}/ctrace", f"{build}/libctrace-rt.so.0"
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

LOOP = r"""
#include <ctrace.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

/* lttng_loop HOW: enables LTTng's events by itself ("enable"), prints a line, then lives until its input ends, with a
 * region each ms; traces itself for a while in between ("trace").  Then it forks, and goes on as a daemon. */
int main(int argc, char **argv)
{
    int trace = argc > 2 && strcmp(argv[2], "trace") == 0, rounds = 0, child;
    fd_set in;

    if (strcmp(argv[1], "enable") == 0 && (trace_lttng_enable() != 0 || trace_lttng_enable() != 0))
        return 3;
    if (trace && trace_start("self.out") != 0)
        return 4;
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct timeval ms = { 0, 1000 };

        trace_region_begin("turn");
        FD_ZERO(&in);
        FD_SET(0, &in);
        trace_region_end();
        if (select(1, &in, NULL, NULL, &ms) > 0)
            break;
        if (trace && ++rounds == 100 && trace_stop() != 0)
            return 5;
    }
    child = fork();
    if (child == 0) {
        trace_region_begin("of the child");
        trace_region_end();
        _exit(7);
    }
    waitpid(child, NULL, 0);
    if (daemon(1, 1) != 0)
        return 6;
    trace_region_begin("of the daemon");
    trace_region_end();
    return 0;
}
"""


def begin(session, name="s", events="ctrace:*"):
    session("create", name, f"--output={session.home}/{name}")
    session("enable-channel", "-u", "-s", name, "--subbuf-size=1M", "--num-subbuf=8", "c")
    session("enable-event", "-u", "-s", name, "-c", "c", events)
    session("add-context", "-u", "-s", name, "-t", "vpid", "-t", "vtid", "-t", "procname")
    session("start", name)


def finish(session, name="s"):
    """Ends it; where its trace is."""
    session("stop", name)
    discarded = re.search(r"Discarded events: (\d+)", session("list", name).stdout)
    assert discarded and discarded[1] == "0", discarded
    session("destroy", name)
    return f"{session.home}/{name}"


def without_names(text):
    """Each thread's events by their fields: numbers of threads are tids, ids of stacks are addresses; without durations."""
    tids = {m[1]: m[2] for m in re.finditer(r"^thread ((?:\d+(?:@\d+)?):\d+) tid=(\d+)", text, re.M)}
    pids = {m[1]: m[2] for m in re.finditer(r"^program (\d+(?:@\d+)?) pid=(\d+)", text, re.M)}
    stacks, events = {}, collections.defaultdict(list)
    for line in text.splitlines():
        stack = re.match(r"stack (\S+) (\d+) ([^#]*)", line)
        event = re.match(r"[\d.]+ (\d+(?:@\d+)?):(\d+) (\w+)(.*)", line)
        if stack:
            stacks[stack[1], stack[2]] = stack[3].strip()
        elif event:
            program, thread, name, fields = event.groups()
            fields = re.sub(r" (?:dur|start)=\S+", "", fields)
            fields = re.sub(r" at=(\w+)", lambda m: " at=" + stacks.get((program, m[1]), m[1]), fields)
            if name in ("THREAD_CREATE", "THREAD_START", "THREAD_NAME", "JOIN_WAIT"):
                fields = re.sub(r" (child|parent|thread|object)=(\d+)", lambda m: f" {m[1]}={tids.get(program + ':' + m[2], m[2])}", fields)
            events[pids[program], tids[f"{program}:{thread}"]].append(f"{name}{fields}")
    return events


def texts(trace, name):
    run(ctrace, "convert", "-t", "text", "-o", name, trace)
    with open(name, encoding="utf-8", errors="replace") as f:
        return f.read()


def same(trace, session_trace):
    """What both say of each thread: all but what comes after LTTng's library has said farewell."""
    ours, theirs = (without_names(texts(path, f"{i}.txt")) for i, path in enumerate((trace, session_trace)))
    counted = collections.Counter(re.search(r" ctrace:(\w+): ", line)[1] for line in run("babeltrace2", session_trace).stdout.splitlines())
    kept = collections.Counter(event.split()[0].lower() for events in theirs.values() for event in events)
    assert counted == kept, counted - kept
    assert sum(counted.values()) > 100, counted
    assert not set(theirs) - set(ours), "a thread that trace.out does not have"
    for thread, events in ours.items():
        other = theirs.get(thread, [])
        rest = len(events) - len(other)
        assert 0 <= rest <= 4 and (other or rest <= 2), (thread, len(events), len(other), events[-6:], other[-3:])
        mine, its = ([event for event in told if not event.startswith("CPU")] for told in (events, other))
        for one, two in zip(mine, its):
            assert one == two, (thread, one, two)
        # A tick's events may come between the two times that another event is told, here and there.
        more = collections.Counter(event for event in other if event.startswith("CPU")) - collections.Counter(events)
        assert not more, (thread, more)
    return counted


def preloaded(session, **more):
    return {**session.env, "LD_PRELOAD": recorder, "CTRACE_LTTNG": "1", **more}


def redis_beside_trace(session):
    begin(session)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    server = subprocess.Popen([ctrace, "record", "--lttng", "-o", f"{session.home}/redis.out", "--", "redis-server", "--port", port,
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
    counted = same(f"{session.home}/redis.out", finish(session))
    assert counted["io"] > 1000 and counted["fork"] == 1 and counted["exit"] == 2 and counted["thread_start"] > 2, counted
    assert "ust" not in re.sub(r"\"[^\"]*lttng[^\"]*\"", "", " ".join(re.findall(r'^thread .*name="([^"]*)"', texts(f"{session.home}/redis.out", "r.txt"), re.M)))


def xz_alone(session):
    """Nobody else records; a second session's events are only those that it enabled."""
    begin(session)
    begin(session, "waits", "ctrace:cond_wait,ctrace:wait_done")
    with open(ctrace, "rb") as whole, open(f"{session.home}/some", "wb") as part:
        part.write(whole.read(1 << 20))
    os.chown(f"{session.home}/some", session.who.get("user", -1), session.who.get("group", -1))
    left = lambda: {f for f in os.listdir("/dev/shm") if f.startswith(f"ctrace-{session.who.get('user', os.getuid())}-")}     # not others'
    before = left()
    run("xz", "-T2", "--block-size=100KiB", "-k", "-1", f"{session.home}/some", env=preloaded(session), **session.who)
    assert not left() - before, "something is left in /dev/shm"
    waits, trace = finish(session, "waits"), finish(session)
    names = collections.Counter(re.search(r" ctrace:(\w+): ", line)[1] for line in run("babeltrace2", waits).stdout.splitlines())
    assert set(names) == {"cond_wait", "wait_done"}, names
    text = texts(trace, "xz.txt")
    assert text.count(" THREAD_START ") == 2 and text.count(" COND_WAIT ") >= names["cond_wait"] > 2, names
    info = run(ctrace, "info", trace).stdout
    assert re.search(r"^threads +3$", info, re.M) and "xz" in info, info
    events = run(ctrace, "convert", "-o", "-", trace).stdout
    assert "woken_by" in events and "condition" in events, "waits and who ended them"
    order = re.findall(r"^([\d.]+) \S+ (COND_WAIT|WAKE|WAIT_DONE)", text, re.M)
    assert [float(t) for t, _ in order] == sorted(float(t) for t, _ in order), "order"


def seen(session):
    return len(re.findall(r" ctrace:region_begin: ", run("babeltrace2", f"{session.home}/s", status=None).stdout))


def loop(session, how, *more, **environment):
    env = {**session.env, "LD_LIBRARY_PATH": build, **environment}
    program = subprocess.Popen(["./lttng_loop", how, *more], cwd=session.home, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, **session.who)
    assert program.stdout.readline() == "ready\n", program.stderr.read()
    return program


def comes_and_goes(session, how, *more, **environment):
    """A program that runs before and after a session; it is listed meanwhile, and its child is followed."""
    program = loop(session, how, *more, **environment)
    listed = session("list", "-u").stdout
    events = re.search(rf"PID: {program.pid} - Name: \S+\n((?: +.*\n)*)", listed)[1]
    assert re.search(r"ctrace:region_begin \(loglevel: TRACE_NOTICE \(5\)\)", events) and "ctrace:io " in events, listed[:2000]
    begin(session, events="ctrace:region_begin,ctrace:fork")
    time.sleep(0.3)
    session("stop", "s")
    between = seen(session)
    assert between > 20, between
    time.sleep(0.2)
    session("start", "s")
    time.sleep(0.3)
    program.communicate("", timeout=20)
    assert program.returncode == 0, program.returncode
    text = run("babeltrace2", finish(session)).stdout
    assert len(re.findall(r"ctrace:region_begin", text)) > between + 20 and 'name = "of the child"' in text, text[-2000:]
    child = re.search(rf"ctrace:fork: .*vpid = {program.pid}, .*result = (\d+)", text)
    assert child and f"vpid = {child[1]}," in text, "the child is not followed"
    daemon = re.search(r'vpid = (\d+),.*name = "of the daemon"', text)
    assert daemon and int(daemon[1]) not in (program.pid, int(child[1])), "the daemon is not followed"
    times = [float(h) * 3600 + float(m) * 60 + float(s) for h, m, s in re.findall(r"^\[(\d+):(\d+):([\d.]+)\]", text, re.M)]
    assert max(b - a for a, b in zip(times, times[1:])) > 0.15, "it was told while nobody wanted it"
    shutil.rmtree(f"{session.home}/s")


def by_variable_and_call(session):
    comes_and_goes(session, "variable", LD_PRELOAD=recorder, CTRACE_LTTNG="1")
    comes_and_goes(session, "enable", "trace")
    kept = without_names(texts(f"{session.home}/self.out", "self.txt"))
    assert any("REGION_BEGIN" in e for events in kept.values() for e in events), "the program's own trace"


def without_lttng(session):
    """Its library is not there, or LTTng's is not: a line, and everything else as before."""
    os.mkdir(f"{session.home}/lib")
    for name in ("ctrace", "libctrace-rt.so.0", "libctrace.so.0", "libctrace-serve.so.0"):
        shutil.copy(f"{build}/{name}", f"{session.home}/lib/{name}")
    with open(f"{build}/libctrace-lttng.so", "rb") as f:
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
        assert " IO" in texts(f"{session.home}/none.out", "none.txt"), "a trace all the same"
        env = {**env, "LD_PRELOAD": f"{session.home}/lib/libctrace-rt.so.0", "CTRACE_LTTNG": "1"}
        r = run("/bin/echo", "a", env=env, **session.who)
        assert r.stdout == "a\n" and re.fullmatch(line, r.stderr), r.stderr
        r = run("./lttng_loop", "enable", env={**env, "CTRACE_LTTNG": "0"}, cwd=session.home, status=3, stdin=subprocess.DEVNULL, **session.who)
        assert re.fullmatch(line, r.stderr), r.stderr


def where_all_may_read(folder):
    """Copies what is run as another user, to whom the build folder may be closed (root's home is)."""
    global build, ctrace, recorder
    os.mkdir(folder, 0o755)
    for path in [f"{build}/ctrace"] + glob.glob(f"{build}/libctrace*.so*") + glob.glob(f"{build}/babeltrace-plugin-*.so"):
        if os.path.isfile(path):
            shutil.copy(path, folder, follow_symlinks=False)
    build = os.environ["LD_LIBRARY_PATH"] = folder
    ctrace, recorder = f"{build}/ctrace", f"{build}/libctrace-rt.so.0"


def main():
    if not all(shutil.which(tool) for tool in ("babeltrace2", "lttng-sessiond")) or not os.path.exists(f"{build}/libctrace-lttng.so"):
        print("no LTTng here")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="ctrace-lttng-") as scratch:
        os.chdir(scratch)
        os.chmod(".", 0o755)
        where_all_may_read(f"{scratch}/build")
        with Session(f"{scratch}/home") as session:
            with open("loop.c", "w", encoding="ascii") as f:
                f.write(LOOP)
            run("cc", f"-I{root}/tracer", "-o", f"{session.home}/lttng_loop", "loop.c", f"-L{build}", "-Wl,--no-as-needed", "-lctrace", "-lctrace-rt")
            for test in (redis_beside_trace, xz_alone, by_variable_and_call, without_lttng):
                start = time.monotonic()
                test(session)
                print(f"{test.__name__} {time.monotonic() - start:.1f} s", flush=True)
        os.chdir("/")


main()
