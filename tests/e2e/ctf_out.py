#!/usr/bin/python3
"""
ctf_out.py BUILD: babeltrace2 reads trace.out through our plugin, and what `ctrace convert -t ctf` writes; both tell what the
text says.  Exit 77 where babeltrace2 is not.
"""

import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

build = os.path.abspath(sys.argv[1])
tests = os.environ.get("TESTS_DIR", os.path.abspath(f"{os.path.dirname(sys.argv[0])}/.."))
ctrace = f"{build}/ctrace"


def run(*words, status=0, **more):
    r = subprocess.run(words, capture_output=True, text=True, timeout=60, errors="replace", **more)
    assert r.returncode == status, f"{words}: exit {r.returncode}\n{r.stdout[-500:]}\n{r.stderr[-2000:]}"
    return r


def babeltrace(*words, **more):
    """Only our plugin beside its own: the build folder holds much that is no plugin."""
    return run("babeltrace2", "--plugin-path=plugins", *words, **more)


def told(*words):
    """The messages as lines, without what CTF adds, in their order."""
    return re.sub(r"__\w+_len = \d+, ", "", babeltrace("--no-delta", *words).stdout).splitlines()


def order_of(lines):
    """When each stream told what: of those of one moment it depends on the reader which comes first."""
    streams = collections.defaultdict(list)
    for line in lines:
        at, whose, name, first = re.match(r"\[([\d:.]+)\] (?:(.*) )?(\w+(?::\w+)?): \{ ?(.*?) ?\}", line).groups()
        streams[whose, first if re.fullmatch(r"(serial|cpu_id) = \d+", first) else ""].append((at, name))
    return streams


def events_of_text(path):
    """Events of each thread by name, as the text form says."""
    count = collections.Counter()
    programs = {}
    for line in run(ctrace, "convert", "-t", "text", "-o", "-", "--alone", path).stdout.splitlines():
        program = re.match(r"program (\d+) pid=(\d+)", line)
        event = re.match(r"-?\d+\.\d{9} (\d+)(?:@\d+)?:(\d+)!? (\w+)", line)
        if program:
            programs[program[1]] = program[2]
        if event:
            count[programs[event[1]], event[2], event[3].lower()] += 1
    return count


def events_of_ctf(*words):
    count = collections.Counter()
    for line in babeltrace("--fields=trace,trace:procname,trace:vpid,loglevel", *words).stdout.splitlines():
        event = re.search(r"\((\d+)\).* ctrace:(\w+): \{ serial = (\d+) \}", line)
        if event:
            count[event[1], event[3], event[2]] += 1
    return count


def same(ours, theirs):
    """Whether the plugin and CTF tell the same; babeltrace2 2.0.4 shows an empty string of CTF as the one read before it."""
    if len(ours) != len(theirs) or order_of(ours) != order_of(theirs):
        return False
    left = sorted(set(theirs) - set(ours))
    for line in sorted(set(ours) - set(theirs)):
        wanted = re.compile(re.escape(line).replace(re.escape(' = ""'), ' = "[^"]*"'))
        fits = [other for other in left if wanted.fullmatch(other)]
        if not fits:
            return False
        left.remove(fits[0])
    return not left


def compare(trace, name):
    run(ctrace, "convert", "-t", "ctf", "--alone", "-o", f"{name}.ctf", trace)
    ours, theirs = told(trace), told(f"{name}.ctf")
    assert same(ours, theirs), f"{name}: plugin and CTF differ, or their order: {set(ours) ^ set(theirs)}"
    return ours


def golden_texts():
    """Every event there is, losses, holes, handlers, names of any bytes, programs of one file."""
    for path in sorted(glob.glob(f"{tests}/golden/*.txt")):
        name = os.path.basename(path)[:-4]
        run(ctrace, "assemble", "-o", f"{name}.trace", path)
        compare(f"{name}.trace", name)
        assert events_of_text(f"{name}.trace") == events_of_ctf(f"{name}.trace"), name
    lost = babeltrace("losses.trace").stderr
    assert "discarded 12 events" in lost, lost


def a_program():
    run(ctrace, "record", "-o", "queue.out", "--", f"{build}/examples/queue")
    lines = compare("queue.out", "queue")
    text = events_of_text("queue.out")
    assert text == events_of_ctf("queue.out") == events_of_ctf("queue.ctf"), "events"
    assert sum(text.values()) > 100 and len({thread for _, thread, _ in text}) == 5, text
    assert len(os.listdir(glob.glob("queue.ctf/queue-*")[0])) == 7, "a stream for each thread, the tables, the metadata"
    assert any("ctrace_statedump:symbol" in line and 'function = "main"' in line for line in lines), "names"
    assert any(re.search(r"ctrace:cond_wait: .*object = 0x[0-9A-F]+.* at = \[ \[0\] = 0x", line) for line in lines), "stacks"
    plain = babeltrace("-c", "source.ctrace.fs", "-p", 'inputs=["queue.out"],no-stacks=yes').stdout
    assert "ctrace:cond_wait" in plain and "[0] = 0x" not in plain, "no-stacks"


def states():
    """What Trace Compass makes its pictures of: LTTng's kernel events, by which each CPU runs one thread after another."""
    folder = "queue.ctf/" + next(name for name in os.listdir("queue.ctf") if name.startswith("states"))
    with open(f"{folder}/metadata", encoding="utf-8") as f:
        metadata = f.read()
    for line in ('domain = "kernel";', 'tracer_name = "lttng-modules";', "tracer_major = 2;", "tracer_minor = 13;", 'hostname = "'):
        assert line in metadata, line
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        boot = f.read().strip()
    for path in glob.glob("queue.ctf/*/metadata"):
        with open(path, encoding="utf-8") as f:
            clock = re.search(r"^clock \{$(.*?)^\};$", f.read(), re.M | re.S)[1]
        assert f'uuid = "{boot}";' in clock, (path, clock)
    runs, calls, blocked, threads = {}, collections.Counter(), 0, set()
    for line in babeltrace("--no-delta", "--clock-seconds", folder).stdout.splitlines():
        at, name, cpu, fields = re.match(r"\[([\d.]+)\] (?:\S* )?(\w+): \{ cpu_id = (\d+) \}, \{ ?(.*?) ?\}$", line).groups()
        field = dict(re.findall(r'(\w+) = ("[^"]*"|-?\d+)', fields))
        if name == "sched_switch":
            assert field["prev_tid"] == runs.get(cpu, "0") != field["next_tid"], (line, runs)
            runs[cpu] = field["next_tid"]
            blocked += field["prev_state"] == "1"
        elif name.startswith("syscall_"):
            calls[name[8:]] += 1
            assert runs[cpu] != "0", line
        elif name == "lttng_statedump_process_state":
            threads.add((field["tid"], field["name"]))
    waits = sum(n for (_, _, name), n in events_of_text("queue.out").items() if name in ("cond_wait", "mutex_wait", "join_wait", "sleep"))
    assert blocked == waits > 20 and len(threads) == 5 and set(runs.values()) == {"0"}, (blocked, waits, threads, runs)
    assert all(n == calls["exit" + name[5:]] for name, n in calls.items() if name.startswith("entry")), calls
    ours = told("queue.out")
    assert len([line for line in ours if "sched_switch: " in line]) > 2 * waits, "the plugin tells them, too"
    plain = babeltrace("-c", "source.ctrace.fs", "-p", 'inputs=["queue.out"],no-states=yes').stdout
    assert "ctrace:cond_wait" in plain and "sched_switch" not in plain, "no-states"
    assert "for other viewers only" in run(ctrace, "info", folder, status=1).stderr
    slow()


def slow():
    """A call that is told at its end stands where it began; one of several seconds, where a row spoke of it."""
    with open("slow.txt", "w", encoding="ascii") as f:
        f.write("""program 1 pid=10 parent=0 uid=0 start_time=0 clock=tsc ticks_per_second=1000000000 cpus=0 categories=0x0 run=00000000000000000000000000000000 arena=00000000000000000000000000000011 boot=00000000000000000000000000000000 host="" name="slow" arguments="" version="" system=""
generation 1:1 start=1000000000/1000000000/1000000000 pause=0 kind=0 end=2000000000/2000000000/2000000000 lost=0 flags=0
thread 1:1 tid=10 parent=0 routine=0x0 name="" state=running reason=0 object=0x0 lost=0
0.500000000 1:1 IO_SLOW dur=400000000 call=read fd=3 result=5 at=-
generation 1:2 start=2000000000/2000000000/2000000000 pause=0 kind=0 end=3000000000/3000000000/3000000000 lost=0 flags=0
thread 1:1 tid=10 parent=0 routine=0x0 name="" state=in_call reason=1 object=0x4 since=0.600000000 lost=0
generation 1:3 start=3000000000/3000000000/3000000000 pause=0 kind=0 end=4000000000/4000000000/4000000000 lost=0 flags=0
thread 1:1 tid=10 parent=0 routine=0x0 name="" state=in_call reason=1 object=0x4 since=0.600000000 lost=0
2.500000000 1:1 IO_SLOW dur=1900000000 call=read fd=4 result=-4 at=-
""")
    run(ctrace, "assemble", "-o", "slow.out", "slow.txt")
    found = re.findall(r"\.(\d{3})\d+\] *(\w+): \{[^}]*\}, \{ (?:fd|ret) = (-?\d+)", babeltrace("--no-delta", "slow.out").stdout)
    assert found == [("100", "syscall_entry_read", "3"), ("500", "syscall_exit_read", "5"),
                     ("600", "syscall_entry_read", "4"), ("500", "syscall_exit_read", "-4")], found


def a_part():
    """The trimmer seeks; the muxer takes two traces."""
    whole = babeltrace("queue.out").stdout.splitlines()
    middle = re.match(r"\[(\S+)\]", whole[len(whole) // 2])[1]
    part = babeltrace(f"--begin={middle}", "queue.out").stdout.splitlines()
    assert whole[len(whole) // 2:][-10:] == part[-10:] and len(part) < len(whole) * 0.9, (len(whole), len(part))
    shutil.copy("queue.out", "again.out")
    assert len(babeltrace("queue.out", "again.out", "queue.ctf").stdout.splitlines()) == 3 * len(whole), "muxed"
    text = run(ctrace, "convert", "-t", "text", "-o", "-", "queue.out").stdout
    times = sorted(float(at) for at in re.findall(r"^(\d+\.\d{9}) \d+:\d+!? \w+", text, re.M))
    first, last = (f"{times[len(times) * third // 3] * 1e6:.0f}us" for third in (1, 2))
    run(ctrace, "convert", "-t", "ctf", "-o", "piece", "--from", first, "--to", last, "queue.out")
    assert 0 < sum(events_of_ctf("piece").values()) < sum(events_of_ctf("queue.out").values()), "a piece"


def python():
    count = run("/usr/bin/python3", "-c", """
import bt2, collections, sys
plugin = bt2.find_plugins_in_path("plugins")[0]
spec = bt2.ComponentSpec(plugin.source_component_classes["fs"], {"inputs": ["queue.out"]})
streams, calls, ends = set(), collections.Counter(), 0
for message in bt2.TraceCollectionMessageIterator(spec):
    if type(message) is bt2._EventMessageConst:
        streams.add(message.event.stream.name.split("_")[0])
        if message.event.name == "ctrace:thread_create":
            assert len(message.event["at"]) > 0 and message.event["dur"] > 0, message.event
            calls[int(message.event["child"])] += 1
    ends += type(message) is bt2._StreamEndMessageConst
print(len(streams), ends, sorted(calls))
""").stdout
    assert count == "7 11 [2, 3, 4, 5]\n", count    # the threads, the tables; and a CPU of its own for each thread


def a_family():
    run(ctrace, "record", "-o", "family.out", "--", "sh", "-c", "ls / | cat; true")
    assert {"ls", "cat", "sh"} <= set(re.findall(r":([^:]*):\(\d+\)", "\n".join(told("family.out")))), "children"
    run(ctrace, "convert", "-t", "ctf", "-o", "family.ctf", "family.out")
    assert same(told("family.out"), told("family.ctf")), "a family"
    assert told(*glob.glob("family.out*")) == told("family.out"), "children that are named, too, are told once"


def beside():
    """CTF of a trace and another trace of the same machine, and the same start of it, are one timeline, by the wall clock."""
    run(ctrace, "record", "-o", "later.out", "--", "true")
    events = json.loads(run(ctrace, "convert", "-o", "-", "queue.ctf", "later.out").stdout)["traceEvents"]
    last = {name: max(e["ts"] for e in events if e["pid"] == pid and "ts" in e)
            for pid, name in {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}.items()}
    assert 0 < last["true"] - last["queue"] < 60e6, f"us: {last}"


def damage():
    whole = open("queue.out", "rb").read()
    with open("cut.out", "wb") as f:
        f.write(whole[:len(whole) * 2 // 3])
    cut = run(ctrace, "convert", "-t", "ctf", "-o", "cut.ctf", "cut.out")
    assert "is cut at byte" in cut.stderr and same(told("cut.out"), told("cut.ctf")), cut.stderr
    with open("damaged.out", "wb") as f:
        f.write(whole[:len(whole) // 2] + b"XXXX" * 8 + whole[len(whole) // 2 + 32:])
    damaged = run(ctrace, "convert", "-t", "ctf", "-o", "damaged.ctf", "damaged.out", status=1)
    assert re.fullmatch(r"ctrace convert: damaged.out: .* \(at byte \d+\)\n", damaged.stderr), damaged.stderr
    assert told("damaged.ctf"), "what precedes the damage"
    r = babeltrace("damaged.out", status=1)
    assert "at byte" in r.stderr and r.stdout.splitlines(), r.stderr
    with open("none.out", "wb") as f:
        f.write(b"\x7fELF" * 100)
    babeltrace("none.out", status=1)
    run(ctrace, "convert", "-t", "ctf", "-o", "none.ctf", "none.out", status=1)
    assert not os.path.exists("none.ctf"), "nothing is left behind"


def refusals():
    assert "there already" in run(ctrace, "convert", "-t", "ctf", "-o", "queue.ctf", "queue.out", status=1).stderr
    assert "only once" in run(ctrace, "convert", "-t", "ctf", "-o", "x", "-", status=1, stdin=open("queue.out")).stderr
    limited = run("sh", "-c", f"ulimit -f 4; {ctrace} convert -t ctf -o full.ctf queue.out", status=1).stderr
    assert re.fullmatch(r"ctrace convert: CTF could not be written \(is there room\?\).*\n", limited), limited
    assert not os.path.exists("full.ctf"), "nothing is left behind"


def main():
    if not shutil.which("babeltrace2") or not os.path.exists(f"{build}/babeltrace-plugin-ctrace.so"):
        print("no babeltrace2 here")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="ctrace-ctf-") as scratch:
        os.chdir(scratch)
        os.mkdir("plugins")
        shutil.copy(f"{build}/babeltrace-plugin-ctrace.so", "plugins")
        for test in (golden_texts, a_program, states, a_part, python, a_family, beside, damage, refusals):
            print(test.__name__, flush=True)
            test()
        os.chdir("/")


main()
