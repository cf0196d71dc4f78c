#!/usr/bin/python3
"""
write.py BUILD [NAME...]: a program (inside.c) that writes its profiles itself: trace_profile_write(), trace_cpu_profile_start() and
stop(), under `ctrace record` with and without --http, beside trace_serve(), and with nobody else there.
"""

import os
import re
import stat
import threading
import time

import insiding
from insiding import Program, build, info, main, pprof
from serving import curl, expect

NAMES = ("heap", "allocs", "block", "mutex", "threads", "threadcreate")


def path(name):
    return f"{insiding.scratch}/{name}"


def read(name):
    with open(path(name), encoding="utf-8") as file:
        return file.read()


def every_kind(p, since):
    """Profiles and texts of each kind; heap says whether it counts from the program's beginning."""
    p.ask("keep")
    for name in NAMES:
        expect(p.ask(f"write {name} 0 {name}.pb.gz"), "0", name)
        mode = os.stat(path(f"{name}.pb.gz")).st_mode
        expect(stat.S_IMODE(mode), 0o600, f"the mode of {name}")
        pprof(path(f"{name}.pb.gz"), "-top")
        expect(p.ask(f"write {name} 1 {name}.txt"), "0", f"{name} as text")
    assert re.search(r" main$", pprof(path("heap.pb.gz"), "-top", "-cum", "-sample_index=inuse_space"), re.M), "heap"
    expect("counts since" in pprof(path("heap.pb.gz"), "-comments"), since, "what heap says of its beginning")
    assert read("heap.txt").startswith("heap profile: ") and "\n# Arena = " in read("heap.txt"), \
        "what only a thread of the program can tell: " + read("heap.txt")[-1500:]
    assert re.search(r"^threads profile: total 1$", read("threads.txt"), re.M) and re.search(r"\tmain\+0x[0-9a-f]+\t", read("threads.txt")), read("threads.txt")
    expect(p.ask("write threads 2 each.txt"), "0", "each thread")
    assert "trace_profile_write" not in read("each.txt") and re.search(r"^\s+.*main", read("each.txt"), re.M), read("each.txt")


def cpu(p):
    """All that burns is in it, and of that only what was burnt between start and stop."""
    if os.path.exists(path("cpu.pb.gz")):
        os.unlink(path("cpu.pb.gz"))
    expect(p.ask("cpuend"), "-22", "a stop without a start")
    expect((p.ask("cpu cpu.pb.gz"), p.ask("cpu other.pb.gz")), ("0", "-114"), "a start, and another")
    p.ask("burn")
    time.sleep(0.6)
    assert not os.path.exists(path("cpu.pb.gz")), "written before the stop"
    expect((p.ask("cpuend"), p.ask("cpuend")), ("0", "-22"), "a stop, and another")
    top = pprof(path("cpu.pb.gz"), "-top", "-cum")
    share = re.search(r"([\d.]+)%\s+burn$", top, re.M)
    assert share and float(share[1]) > 70, top


def clean(p, before):
    """What is the program's own is as it was, and nothing lies beside the profiles."""
    expect(p.ask("state"), before, "descriptors and signals")
    left = [name for name in os.listdir(insiding.scratch) if re.search(r"\.\d+-\d+$", name)]
    expect(left, [], "left behind")


def recorded():
    """`ctrace record` makes them without --http; the trace of its own goes on."""
    with Program(f"{build}/ctrace", "record", "-o", "t.trace", "--") as p:
        before = p.ask("state")
        time.sleep(0.5)
        expect(p.ask("write heap 0 first.pb.gz"), "0", "the first")     # from which on it counts
        every_kind(p, True)
        cpu(p)
        clean(p, before)
    assert "CPU_SAMPLE" in info(path("t.trace")) and re.search(r"^lost +0$", info(path("t.trace")), re.M), info(path("t.trace"))


def recorded_http():
    """Beside a window of somebody else's."""
    with Program(f"{build}/ctrace", "record", "--http", "127.0.0.1:0", "--") as p:
        before = p.ask("state")
        url = re.search(r"http://\S+/", p.errors())[0]
        status = []
        other = threading.Thread(target=lambda: status.append(curl(url + "profile?seconds=2")[0]))
        other.start()
        every_kind(p, False)
        cpu(p)
        other.join()
        expect(status, [200], "another profile")
        clean(p, before)


def inside():
    """Of a program that nobody records: what serves it stands up without an address, and may get one."""
    with Program() as p:
        before = p.ask("state")
        time.sleep(0.5)
        expect(p.ask("write heap 0 first.pb.gz"), "0", "the first")
        every_kind(p, True)
        cpu(p)
        clean(p, before)
        expect(p.ask("url"), "none", "an address")
        expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve()")
        expect(curl(p.url("heap"))[0], 200, "heap")
        expect((p.ask("cpu cpu.pb.gz"), p.ask("stop"), p.ask("cpuend"), p.ask("stop")), ("0", "-16", "0", "0"), "a stop meanwhile")
        expect(p.ask("write heap 0 again.pb.gz"), "0", "after the stop")


def refused():
    """An error and nothing else: what was there is as it was."""
    with Program() as p:
        expect(p.ask("serve 127.0.0.1:0"), "0", "trace_serve()")
        with open(path("old"), "w", encoding="ascii") as file:
            file.write("old")
        for name in "profile", "goroutine", "Heap", "x" * 100:
            expect(p.ask(f"write {name} 0 old"), "-22", f"a profile {name}")
        expect(read("old"), "old", "what was there")
        expect((p.ask("write heap 0 none/x"), p.ask("cpu none/x")), ("-2", "-2"), "a folder that is not there")
        expect((p.ask("write heap 0 /"), p.ask("cpu /")), ("-21", "-21"), "a folder")
        expect(p.ask("write heap 0 /dev/full"), "-28", "no space")
        expect(p.ask("write heap 0 /dev/null"), "0", "what is no file")
        os.mkfifo(path("pipe"))
        expect(p.ask("write heap 0 pipe"), "-6", "a pipe without a reader")
        expect((p.ask("cpuend"), p.ask("write heap 0 old")), ("-22", "0"), "and then one that works")
        pprof(path("old"), "-top")
        clean(p, p.ask("state"))
    with Program() as p:
        expect((p.ask("trace t.trace"), p.ask("write heap 0 x.pb.gz"), p.ask("end")), ("0", "-16", "0"), "while a trace is under way")
        assert not os.path.exists(path("x.pb.gz")), "a profile that was refused"


main(recorded, recorded_http, inside, refused)
