#!/usr/bin/python3
"""
lttng_life.py BUILD [TEST...]: LTTng beside us through what programs and daemons do: ends, children, other libraries of LTTng's, daemons that
come late, are killed and come again, sessions that are destroyed; and when what is told of wakers is told.  Exit 77 without
LTTng or babeltrace2.
"""

import collections
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from lttng_session import Built, Session, by_thread, run, same

def alone(built, session, **more):
    return {**session.env, "LD_PRELOAD": built.recorder, "CTRACE_LTTNG": "1", **more}


def names_of(text, event):
    return re.findall(rf' ctrace:{event}: .*procname = "([^"]*)"', text)


def forget(session, *names):
    for name in names or ("s",):
        shutil.rmtree(f"{session.home}/{name}")


def ends(built, session):
    """
    The last act may be the first; what comes before main() does not hide it, and who ends the process does not matter, nor whether the
    program is profiled by gprof, which takes the place of what we are called by.
    """
    with open(f"{session.home}/empty.c", "w", encoding="ascii") as f:
        f.write("int main(void)\n{\n    return 4;\n}\n")
    run("cc", "-pg", "-o", f"{session.home}/profiled", f"{session.home}/empty.c")
    session.begin(events="ctrace:exit")
    told = []
    for words, status in ((["/bin/true"], 0), (["/bin/false"], 1), (["/bin/ls", "/"], 0), (["/bin/sh", "-c", "exit 3"], 3), (["./profiled"], 4),
                          *((["./lttng_life", "ends", how], 5 + i) for i, how in enumerate(("return", "exit", "_exit", "quick_exit", "thread")))):
        run(*words, env=alone(built, session, LD_LIBRARY_PATH=built.folder), cwd=session.home, status=status, **session.who)
        told.append((words[0].split("/")[-1], str(status)))
    text = run("babeltrace2", session.finish()).stdout
    assert [(m[1], m[2]) for m in re.finditer(r' ctrace:exit: .*procname = "(\w+)".* status = (\d+)', text)] == told, (told, text)
    forget(session)
    for how in ("true", "return", "exit", "_exit", "thread"):
        session.begin()
        words = ["/bin/true"] if how == "true" else ["./lttng_life", "ends", how]
        run(built.ctrace, "record", "--lttng", "-o", "ends.out", "--", *words, env=session.env, cwd=session.home, status=None, **session.who)
        counted = same(built, f"{session.home}/ends.out", session.finish())
        assert counted["exit"] == 1, counted
        forget(session)


def wakers(built, session):
    """
    Who wakes is told of before who was woken goes on: no object has ended more waits than it was told to.
    """
    session.begin(events="ctrace:*_wait,ctrace:sleep,ctrace:wait_done,ctrace:wake,ctrace:unlock_wake")
    run("./lttng_life", "wakes", env=alone(built, session), cwd=session.home, **session.who)
    woken, ended, waiting, done = collections.Counter(), collections.Counter(), {}, collections.Counter()
    for line in run("babeltrace2", session.finish()).stdout.splitlines():
        name, tid = re.search(r" ctrace:(\w+): .*vtid = (\d+)", line).groups()
        obj = re.search(r" object = (\w+)", line)
        if name.endswith("_wait") or name == "sleep":
            waiting[tid] = name, obj and obj[1]
        elif name == "wait_done":
            kind, of = waiting.pop(tid)
            ended[of] += 1
            assert kind in ("sleep", "join_wait") or woken[of] >= ended[of], (kind, of, line)
            done[kind] += 1
        else:
            woken[obj[1]] += 1
    assert done["sem_wait"] > 300 and done["cond_wait"] > 300 and done["mutex_wait"] > 100, done
    forget(session)


def beside_lttngs_own(built, session):
    """LTTng's own libraries, before ours and behind: nothing hangs, they tell what the program calls, and so do we."""
    wrappers = " ".join(f"liblttng-ust-{name}.so" for name in ("pthread-wrapper", "libc-wrapper", "dl", "fork", "fd"))
    for preload in (f"{built.recorder} liblttng-ust-pthread-wrapper.so", f"liblttng-ust-pthread-wrapper.so {built.recorder}",
                    f"{built.recorder} {wrappers}", f"{wrappers} {built.recorder}"):
        for events in ("ctrace:*,lttng_ust_pthread:*", "ctrace:*,lttng_ust_*"):
            session.begin(events=events)
            run("./lttng_life", "crowd", env=alone(built, session, LD_PRELOAD=preload), cwd=session.home, **session.who)
            lines = run("babeltrace2", session.finish()).stdout
            counted = collections.Counter(re.findall(r" (\w+:\w+): ", lines))
            mutexes = collections.Counter(re.findall(r" lttng_ust_pthread:pthread_mutex_(\w+): .* mutex = (\w+)", lines))
            lock = mutexes.most_common(1)[0][0][1]
            assert {of: n for of, n in mutexes.items() if of[1] == lock} == {(of, lock): 3200 for of in ("lock_req", "lock_acq", "unlock")}, (preload, mutexes)
            if preload.startswith(built.recorder):
                assert "trylock" not in {call for call, _ in mutexes}, (preload, mutexes)
            assert counted["ctrace:mutex_wait"] > 4 and counted["ctrace:unlock_wake"] > 4 and counted["ctrace:exit"] == 1, (preload, counted)
            made = re.findall(r" ctrace:thread_create: .* child = (\d+)", lines)
            assert len(set(made)) > 4 and "0" not in made, (preload, made)
            forget(session)


def statedump(built, session):
    """What LTTng's own threads tell, of modules, makes no threads and no names."""
    for events in ("ctrace:*,lttng_ust_statedump:*", "ctrace:*,lttng_ust_statedump:*,lttng_ust_lib:*", "lttng_ust_statedump:*"):
        program = living(built, session)
        session.begin("before", events)
        program.stdin.write("x")
        program.stdin.flush()
        time.sleep(0.3)
        session.begin(events=events)
        time.sleep(0.3)
        leave(program)
        trace, before = session.finish(), session.finish("before")
        lines = run("babeltrace2", trace).stdout
        assert len(re.findall(r" lttng_ust_statedump:bin_info: ", lines)) > 3
        assert "lttng_ust_lib" not in events or re.search(r' lttng_ust_lib:load: .*procname = "lttng_life-ust".*libbz2', run("babeltrace2", before).stdout)
        for one in (trace, before):
            text = built.texts(one)
            names = re.findall(r'^(?:thread|program) .* name="([^"]*)"', text, re.M)
            assert not [name for name in names if "-ust" in name], names
            if "ctrace" in events:
                assert set(names) == {"lttng_life"}, names
                assert re.search(r'^module .*/lttng_life"', text, re.M), text[:2000]
                assert re.search(r'^module .*/libbz2[^/]*"', text, re.M) or one == before and "lttng_ust_lib" not in events, text[:2000]
        forget(session, "s", "before")


def wait_for_daemon(session):
    """It is nobody's child: its name and its folder tell it from others."""
    def there():
        for folder in glob.glob("/proc/[0-9]*"):
            try:
                with open(f"{folder}/comm", encoding="utf-8", errors="replace") as file:
                    if file.read() == "lttng_life\n" and os.path.samefile(f"{folder}/cwd", session.home):
                        return True
            except OSError:
                pass                    # gone meanwhile
        return False
    until = time.monotonic() + 30
    while there():
        assert time.monotonic() < until, "the daemon does not end"
        time.sleep(0.1)


def children(built, session):
    session.begin(events="ctrace:exit,ctrace:region_begin,ctrace:fork")
    r = run("./lttng_life", "children", "_Fork", env=alone(built, session, LD_LIBRARY_PATH=built.folder), cwd=session.home, **session.who)
    assert r.stdout == "_Fork\n" and not r.stderr, r
    wait_for_daemon(session)
    text = run("babeltrace2", session.finish()).stdout
    told = re.findall(r'ctrace:region_begin: .*vpid = (\d+).* name = "([^"]*)"', text)
    assert sorted(name for _, name in told) == ["daemon", "fork", "fork of a fork", "forkpty"] and len({pid for pid, _ in told}) == 4, told
    ends = collections.Counter(re.findall(r'ctrace:exit: .*procname = "(\w+)"', text))
    assert ends["sh"] >= 2 and {**ends, "sh": 0} == {"lttng_life": 4, "true": 2, "sh": 0}, ends
    forget(session)
    session.begin()
    run(built.ctrace, "record", "--lttng", "-o", "children.out", "--", "./lttng_life", "children", env=session.env, cwd=session.home, **session.who)
    same(built, f"{session.home}/children.out", session.finish())
    forget(session)


def living(built, session, *what, **more):
    program = subprocess.Popen(["./lttng_life", *what], cwd=session.home, env=alone(built, session, LD_LIBRARY_PATH=built.folder, **more), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **session.who)
    assert program.stdout.readline() == "ready\n", program.stderr.read()
    return program


def leave(program):
    out, err = program.communicate("", timeout=20)
    assert program.returncode == 0 and not out and not err, (program.returncode, out, err)


def comes(session, name):
    until = time.monotonic() + 20
    while True:
        time.sleep(0.5)
        session("stop", name)           # else it stays in a buffer
        if 'name = "turn"' in session.pretty(name):
            break
        session("start", name)
        assert time.monotonic() < until, f"nothing comes to {name}"
    session("start", name)
    time.sleep(0.5)                     # it is looked ten times a second


def daemons(built, scratch):
    """The daemon comes after the program, its session is destroyed under it, the daemon is killed, and another comes."""
    session = Session(f"{scratch}/late")
    built.compile(session, "lttng_life")
    start = time.monotonic()
    program = living(built, session)
    assert time.monotonic() - start < 10, "nobody is there to be waited for"
    session.begin_daemon()
    session.begin("first")
    comes(session, "first")
    session("destroy", "first")
    session.begin("second")
    session.begin("third", "ctrace:region_end")
    comes(session, "second")
    session.end_daemon(signal.SIGKILL)
    time.sleep(0.5)
    assert program.poll() is None, "killed with its daemon"
    session.begin_daemon()
    session.begin("fourth")
    comes(session, "fourth")
    leave(program)
    text = run("babeltrace2", session.finish("fourth")).stdout
    assert names_of(text, "exit") == ["lttng_life"], text[-1000:]
    session.end_daemon()


def asked_by_threads(built, session):
    program = subprocess.Popen(["./lttng_life", "threads"], cwd=session.home, env={**session.env, "LD_LIBRARY_PATH": built.folder}, stdin=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, **session.who)
    until = time.monotonic() + 20
    while f"PID: {program.pid} " not in session("list", "-u").stdout:
        assert time.monotonic() < until and program.poll() is None, "not listed"
        time.sleep(0.1)
    session.begin()
    time.sleep(0.5)
    leave(program)
    trace = session.finish()
    threads = by_thread(built.texts(trace)).values()
    told = [e.fields[0][1] for events in threads for e in events if e.name == "REGION_BEGIN"]
    assert sorted(told) == ['"four"', '"one"', '"three"', '"two"'], told
    pool = [len(events) for events in threads if {e.name for e in events} <= {"SEM_WAIT", "WAIT_DONE", "THREAD_EXIT", "CPU", "CPU_SAMPLE"}]
    assert len(pool) == 1 and pool[0] > 80, pool
    assert names_of(run("babeltrace2", trace).stdout, "exit") == ["lttng_life"]
    forget(session)


def beside_an_allocator(built, session):
    """Its own thread, which was there before and waits with its lock, is not what LTTng's data are allocated in: malloc would wait for ever."""
    run("cc", "-shared", "-fPIC", "-pthread", "-o", f"{session.home}/allocator.so", f"{os.path.dirname(os.path.abspath(__file__))}/lttng_allocator.c")
    program = subprocess.Popen(["./lttng_life", "allocates"], cwd=session.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**session.env, "LD_LIBRARY_PATH": built.folder, "LD_PRELOAD": "./allocator.so"}, **session.who)
    assert program.stdout.readline() == "ready\n", program.stderr.read()
    session.begin()
    time.sleep(0.5)
    try:
        leave(program)
    finally:
        program.kill()
    counted = collections.Counter(re.findall(r" ctrace:(\w+): ", run("babeltrace2", session.finish()).stdout))
    assert counted["region_begin"] == 300 and counted["exit"] == 1, counted
    forget(session)


def many_threads(built, session):
    """Those that end before a session take nobody's place; those that end in it leave nothing behind, at LTTng's neither."""
    program = living(built, session, "many")
    session.begin(events="ctrace:region_begin,ctrace:thread_exit")
    time.sleep(0.5)
    out, err = program.communicate("x", timeout=100)
    assert program.returncode == 0 and not err, (program.returncode, err)
    counted = collections.Counter(re.findall(r" ctrace:(\w+): ", run("babeltrace2", session.finish()).stdout))
    assert counted == {"region_begin": 20, "thread_exit": 21020}, counted
    assert int(out) < 5000, f"{out} kB more after 20,000 threads"       # some of it LTTng's buffers
    forget(session)


def main():
    with tempfile.TemporaryDirectory(prefix="ctrace-lttng-") as scratch:
        os.chmod(scratch, 0o755)
        built = Built(os.path.abspath(sys.argv[1]), f"{scratch}/build")
        os.chdir(scratch)
        chosen = lambda test: len(sys.argv) < 3 or test.__name__ in sys.argv[2:]
        with Session(f"{scratch}/home") as session:
            built.compile(session, "lttng_life")
            for test in filter(chosen, (ends, wakers, beside_lttngs_own, statedump, children, asked_by_threads, beside_an_allocator, many_threads)):
                start = time.monotonic()
                test(built, session)
                print(f"{test.__name__} {time.monotonic() - start:.1f} s", flush=True)
        if chosen(daemons):
            daemons(built, scratch)
            print("daemons", flush=True)
        os.chdir("/")


main()
