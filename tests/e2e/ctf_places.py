#!/usr/bin/python3
"""
ctf_places.py BUILD: CTF as people have it: packed, in the parts that `lttng rotate` leaves, with buffers for each process, from bare metal,
with a clock that begins before 1970.  Exit 77 where babeltrace2 or its Python bindings are not; what needs LTTng is left out
without it.
"""

import glob
import io
import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

import ctf_needed
from lttng_session import Session, run

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
US = 10**3

LONG = """/* CTF 1.8 */
typealias integer { size = 64; align = 8; } := u64;
typealias integer { size = 32; align = 8; } := u32;
trace { major = 1; minor = 8; byte_order = le; };
clock { name = c; freq = 1000; };
typealias integer { size = 64; align = 8; map = clock.c.value; } := stamp;
stream { event.header := struct { stamp timestamp; }; };
event { name = many; fields := struct { u32 count; u32 of[count]; }; };
"""

# Two kinds of events in a process of their own, one thread.
WORK = r"""
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "work.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    for (int i = 0; i < atoi(argv[1]); i++) {
        if (i == 100) {
            puts("under way");
            fflush(stdout);
        }
        lttng_ust_tracepoint(work, job_begin, i);
        usleep(1000);
        lttng_ust_tracepoint(work, job_end, i);
    }
    return 0;
}
"""
PROVIDER = r"""
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER work
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./work.h"
#if !defined(WORK_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define WORK_H
#include <lttng/tracepoint.h>
LTTNG_UST_TRACEPOINT_EVENT(work, job_begin, LTTNG_UST_TP_ARGS(int, id), LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, id, id)))
LTTNG_UST_TRACEPOINT_EVENT(work, job_end, LTTNG_UST_TP_ARGS(int, id), LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, id, id)))
#endif
#include <lttng/tracepoint-event.h>
"""

# As barectf lays it out: no environment, no UUID, a clock that counts from the start of a device.
BARE = """/* CTF 1.8 */
trace { major = 1; minor = 8; byte_order = BYTES; packet.header := struct { integer { size = 32; align = 8; } magic;
    integer { size = 8; align = 8; } stream_id; } align(8); };
clock { name = default; freq = 8000000; offset_s = OFFSET; offset = 0; absolute = false; };
typealias integer { size = 64; align = 8; map = clock.default.value; } := ticks;
stream { id = 0; packet.context := struct { integer { size = 32; align = 8; } packet_size; integer { size = 32; align = 8; } content_size;
    ticks timestamp_begin; ticks timestamp_end; integer { size = 32; align = 8; } events_discarded; } align(8);
    event.header := struct { integer { size = 8; align = 8; } id; ticks timestamp; } align(8); };
event { name = "adc_start"; id = 0; stream_id = 0; fields := struct { integer { size = 8; align = 8; } channel; } align(8); };
event { name = "adc_stop"; id = 1; stream_id = 0; fields := struct { integer { size = 16; align = 8; signed = true; } value;
    floating_point { exp_dig = 8; mant_dig = 24; align = 8; } volt; } align(8); };
event { name = "led"; id = 2; stream_id = 0; fields := struct { string { encoding = UTF8; } colour; } align(8); };
"""


def records(*words):
    return json.loads(run(ctrace, "convert", "-o", "-", *words).stdout)["traceEvents"]


def left_behind():
    return glob.glob(f"{os.environ['TMPDIR']}/ctrace-*")


# --- archives ---

def shop(making):
    who = {"vpid": 100, "vtid": 100, "procname": "shop"}
    events = [(i * US, i % 2, f"shop:order_{'end' if i % 2 else 'begin'}", {"id": i // 2, "context": who}) for i in range(2000)]
    making.write("shop", {**making.USER, "hostname": "web1"}, events, {"shop:order_begin": "id:i32", "shop:order_end": "id:i32"},
                 "vpid:i32 vtid:i32 procname:s")


def archives():
    wanted = records("shop")
    assert sum(e.get("name") == "shop:order" for e in wanted) == 1000, "ranges"
    for name, words in (("shop.tar", ("tar", "cf")), ("shop.tar.gz", ("tar", "czf")), ("shop.tar.xz", ("tar", "cJf")), ("shop.tar.bz2", ("tar", "cjf"))):
        if words[1] == "cjf" and not shutil.which("bzip2"):
            continue
        run(*words, name, "shop")
        assert records(name) == wanted, name
    with zipfile.ZipFile("shop.zip", "w", zipfile.ZIP_DEFLATED) as z:
        for path in glob.glob("shop/*"):
            z.write(path)
    assert records("shop.zip") == wanted, "zip"
    shutil.copy("shop.tar.gz", "named-otherwise")
    info = run(ctrace, "info", "named-otherwise").stdout
    assert info.startswith("named-otherwise: complete") and "4000" not in info and re.search("^program +shop$", info, re.M), info
    run(ctrace, "convert", "-t", "trace", "-o", "shop.out.gz", "shop.tar.gz")
    assert records("shop.out.gz") == wanted, "a trace of ctrace through gzip is no archive"
    assert not left_behind(), "something is left behind"


def packed(name, *entries):
    """A tar of (path, bytes or type)."""
    with tarfile.open(name, "w") as tar:
        for path, what in entries:
            info = tarfile.TarInfo(path)
            if isinstance(what, bytes):
                info.size = len(what)
                tar.addfile(info, io.BytesIO(what))
            else:
                info.type, info.linkname = what
                tar.addfile(info)


def hostile_archives():
    whole = [(path, open(path, "rb").read()) for path in sorted(glob.glob("shop/*"))]
    metadata, *streams = whole
    link = lambda to: (tarfile.SYMTYPE, to)
    hard = lambda to: (tarfile.LNKTYPE, to)
    refused = lambda name: run(ctrace, "info", name, status=1).stderr
    packed("up.tar", ("../up", b"x"), *whole)
    assert refused("up.tar") == "ctrace info: up.tar: it is not unpacked, for a path in it leads elsewhere: ../up\n", refused("up.tar")
    packed("within.tar", ("shop/../../up", b"x"), *whole)
    packed("absolute.tar", (f"{os.getcwd()}/up", b"x"), *whole)
    for name in ("within.tar", "absolute.tar"):
        assert "leads elsewhere" in refused(name) and not glob.glob("**/up", recursive=True), name
    packed("link.tar", ("shop", link(os.getcwd() + "/elsewhere")), *whole)
    os.mkdir("elsewhere")
    assert records("link.tar") == records("shop") and not os.listdir("elsewhere"), "a link, and what is behind it"
    packed("hard.tar", metadata, ("shop/stream", hard(os.path.abspath("shop.tar"))), ("shop/pipe", (tarfile.FIFOTYPE, "")))
    assert "holds no event" in refused("hard.tar"), refused("hard.tar")
    with open("huge.tar", "wb") as f:
        info = tarfile.TarInfo("shop/stream")
        info.size = 1 << 50
        f.write(info.tobuf() + bytes(1 << 16))
    assert "not room enough" in refused("huge.tar"), refused("huge.tar")
    packed("deep.tar", metadata, ("a/" * 600 + "stream", b""))
    assert "a path in it is too long: a/a/" in refused("deep.tar"), refused("deep.tar")
    packed("many.tar", *((f"shop/{'d/' * 15}{i}", b"") for i in range((1 << 16) // 16)))   # a folder counts as a file, wherever it is named
    assert "holds more than 65536 files" in refused("many.tar"), refused("many.tar")
    with open("cut.tar.gz", "wb") as f:
        f.write(open("shop.tar.gz", "rb").read()[:2000])
    assert refused("cut.tar.gz").startswith("ctrace info: cut.tar.gz: it cannot be unpacked: "), refused("cut.tar.gz")
    packed("none.tar", ("readme", b"x"))
    assert refused("none.tar") == "ctrace info: none.tar: . is a directory that holds no trace.out, and no CTF\n", refused("none.tar")
    packed("damaged.tar", (metadata[0], metadata[1].replace(b"struct", b"strukt")), *streams)
    said = refused("damaged.tar")
    assert re.fullmatch(r"ctrace info: damaged.tar: shop: At line \d+ in metadata stream: syntax error[^\n]*strukt[^\n]*\n", said) and "/ctf/" not in said, said
    packed("closed.tar", *whole)
    os.chmod("closed.tar", 0)
    if os.getuid():
        assert refused("closed.tar").count("\n") == 1, refused("closed.tar")
    assert not left_behind(), left_behind()


def ended_early():
    """Whoever ends it while it unpacks or reads leaves nothing behind."""
    with tarfile.open("long.tar.gz", "w:gz") as tar:
        tar.add("shop")
        info = tarfile.TarInfo("shop/.rest")
        info.size = 1 << 28
        tar.addfile(info, open("/dev/zero", "rb"))
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        p = subprocess.Popen([ctrace, "convert", "-o", "x.json", "long.tar.gz"], stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + 20
        while not glob.glob(f"{os.environ['TMPDIR']}/ctrace-*/ctf/shop"):
            assert time.monotonic() < until and p.poll() is None, "it does not unpack"
            time.sleep(0.005)
        p.send_signal(number)
        said = p.communicate(timeout=20)[1]
        assert p.returncode == 1 and re.fullmatch(r"ctrace convert: long.tar.gz: it was not read to its end: [^\n]+\n", said), (p.returncode, said)
        assert not left_behind() and not os.path.exists("x.json"), left_behind()

    viewed = subprocess.Popen([ctrace, "view", "--no-browser", "--listen", "127.0.0.1:0", "long.tar.gz"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until = time.monotonic() + 20
    while not glob.glob(f"{os.environ['TMPDIR']}/ctrace-*/ctf/shop"):
        assert time.monotonic() < until, "view does not unpack"
        time.sleep(0.005)
    reader = int(run("pgrep", "-P", str(viewed.pid)).stdout)
    os.kill(reader, signal.SIGSTOP)         # as slow as can be
    viewed.terminate()
    said = viewed.communicate(timeout=20)[1]
    assert viewed.returncode in (0, -signal.SIGTERM) and not left_behind(), (viewed.returncode, said, left_behind())


def endless_lengths():
    """A length that is damaged makes babeltrace2 ask for memory without end: it gets so much and no more."""
    os.mkdir("long")
    with open("long/metadata", "w", encoding="ascii") as f:
        f.write(LONG)
    with open("long/stream", "wb") as f:
        f.write(struct.pack("<QII", 0, 0x08000000, 0) + bytes(4000))
    said = run(ctrace, "info", "long", status=1).stderr
    assert re.fullmatch(r"ctrace info: long: babeltrace2 died of this CTF: (it wanted more memory than it may have|Segmentation fault|Aborted)\n", said), said
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2.2 * 2**20, "KiB"


def without_libarchive():
    """It is not there, or is another than it says: a sentence, and what is not packed is read as ever."""
    os.mkdir("lib")
    env = {**os.environ, "LD_LIBRARY_PATH": f"{os.getcwd()}/lib:{os.environ.get('LD_LIBRARY_PATH', '')}"}
    for make in (lambda: open("lib/libarchive.so.13", "wb").close(),
                 lambda: run("cc", "-shared", "-x", "c", "-o", "lib/libarchive.so.13", "/dev/null")):
        make()
        said = run(ctrace, "info", "shop.tar.gz", status=1, env=env).stderr
        assert said == ("ctrace info: shop.tar.gz: it is an archive, and libarchive is not there to unpack it: install libarchive13, or open "
                        "what it holds\n"), said
        assert run(ctrace, "info", "shop", env=env).stdout == run(ctrace, "info", "shop").stdout
        assert not left_behind(), left_behind()


# --- bare metal ---

def bare(folder, offset=0, order="<", count=100):
    os.makedirs(folder)
    with open(f"{folder}/metadata", "w", encoding="ascii") as f:
        f.write(BARE.replace("BYTES", "le" if order == "<" else "be").replace("OFFSET", str(offset)))
    with open(f"{folder}/stream", "wb") as f:
        for packet in range(3):
            first, events = packet * count * 8000, b""
            for i in range(count):
                at = first + i * 8000                   # 1 ms
                events += struct.pack(order + "BQB", 0, at, i) + struct.pack(order + "BQhf", 1, at + 800, -i, i / 2)
            events += struct.pack(order + "BQ", 2, first + count * 8000 - 1) + b"red\0"
            size = 8 * (5 + 28 + len(events))
            f.write(struct.pack(order + "IB", 0xc1fc1fc1, 0) + struct.pack(order + "IIQQI", size, size, first, first + count * 8000, 0) + events)


def bare_metal():
    for folder, offset, order in (("bare", 0, "<"), ("big", 0, ">"), ("early", -5, "<"), ("late", 7, "<")):
        bare(folder, offset, order)
        events = records(folder)
        ranges = [e for e in events if e.get("name") == "adc"]
        assert len(ranges) == 300 and all(e["dur"] == 100 for e in ranges), (folder, len(ranges))
        assert [(e["ts"], e["args"]) for e in ranges[:2]] == [(0, {"channel": 0, "value": 0, "volt": 0}),
                                                             (1000, {"channel": 1, "value": -1, "volt": "0.5"})], ranges[:2]
        assert sum(e.get("name") == "led" and e["args"] == {"colour": "red"} for e in events) == 3, folder
        assert max(e["ts"] for e in events if e["ph"] == "X") >= 299000, folder
    recorded = re.search("^recorded +(.*)$", run(ctrace, "info", "early").stdout, re.M)[1]
    assert recorded.startswith("1970-01-01 23:59:55"), recorded     # the time of the day that it was
    info = run(ctrace, "info", "late").stdout
    assert re.search("^recorded +1970-01-01 00:00:07", info, re.M) and re.search("^program +trace$", info, re.M), info
    os.mkdir("both")
    shutil.copytree("bare", "both/one")
    shutil.copytree("late", "both/other")
    assert sum(e.get("name") == "adc" for e in records("both")) == 600, "two devices"


# --- LTTng ---

def make_work():
    for name, text in (("work.h", PROVIDER), ("work.c", WORK)):
        with open(name, "w", encoding="ascii") as f:
            f.write(text)
    run("cc", "-I.", "-o", "work", "work.c", "-llttng-ust", "-ldl")


def counted(path):
    return len(run("babeltrace2", path).stdout.splitlines())


def rotated(session):
    """Each part is a trace of its own with the same UUID: one timeline, with what began in one and ended in the next."""
    session("create", "parts", f"--output={session.home}/parts")
    session("enable-event", "-u", "work:*")
    session("add-context", "-u", "-t", "vpid", "-t", "vtid", "-t", "procname")
    session("start")
    work = subprocess.Popen(["./work", "400"], env=session.env, **session.who)
    for _ in range(3):
        time.sleep(0.08)
        session("rotate")
    assert work.wait(30) == 0
    session("destroy")
    parts = glob.glob(f"{session.home}/parts/archives/*/ust/uid/*/*/metadata")
    assert len(parts) >= 3, parts
    jobs = [e for e in records(f"{session.home}/parts") if e.get("name") == "work:job"]
    assert [e["args"]["id"] for e in jobs] == list(range(400)) and len({(e["pid"], e["tid"]) for e in jobs}) == 1, jobs
    assert min(later["ts"] - e["ts"] for e, later in zip(jobs, jobs[1:])) > 900, "in the order of time"
    run("tar", "czf", "parts.tar.gz", "-C", session.home, "parts")
    assert [e["args"]["id"] for e in records("parts.tar.gz") if e.get("name") == "work:job"] == list(range(400)), "packed"


def buffers_of_processes(session):
    """Their traces say whose they are; one that nothing was written of is left out."""
    session("create", "own", f"--output={session.home}/own")
    session("enable-channel", "-u", "--buffers-pid", "c")
    session("enable-event", "-u", "-c", "c", "work:*")
    session("add-context", "-u", "-c", "c", "-t", "vtid")       # streams are of CPUs, here too
    session("start")
    pids = []
    for count in (5, 6, 7):
        work = subprocess.Popen(["./work", str(count)], env=session.env, **session.who)
        pids.append(work.pid)
        assert work.wait(30) == 0
    session("destroy")
    own = f"{session.home}/own"
    events = records(own)
    jobs = {pid: sum(e.get("name") == "work:job" and e["pid"] == pid for e in events) for pid in pids}
    assert list(jobs.values()) == [5, 6, 7], jobs
    names = {e["pid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "process_name"}
    assert all(names[pid].startswith("work") for pid in pids), names
    shutil.copytree(own, "unwritten")
    os.truncate(glob.glob(f"unwritten/ust/pid/work-{pids[1]}-*/metadata")[0], 0)
    r = run(ctrace, "info", "unwritten")
    assert re.fullmatch(r"ctrace: left out, for their metadata is empty [^\n]*: 1 \(the first: unwritten/[^\n]*metadata\)\n", r.stderr), r.stderr
    assert set(map(int, re.findall(r"^process +(\d+)", r.stdout, re.M))) == {pids[0], pids[2]}, r.stdout
    for path in glob.glob("unwritten/ust/pid/*/metadata"):
        os.truncate(path, 0)
    said = run(ctrace, "info", "unwritten", status=1).stderr
    assert re.fullmatch(r"ctrace info: unwritten/[^\n]*/metadata is empty: nothing was written there yet\n", said), said


def snapshots(session):
    """What several have in common is there once: of a flight recorder, which also lets go of what is old."""
    for name, size, count in (("whole", "64K", 300), ("ring", "4K", 1500)):
        session("create", name, "--snapshot", f"--output={session.home}/{name}")
        session("enable-channel", "-u", "--overwrite", f"--subbuf-size={size}", "--num-subbuf=2", "c")
        session("enable-event", "-u", "-c", "c", "work:*")
        session("add-context", "-u", "-t", "vpid", "-t", "vtid", "-t", "procname")
        session("start")
        # On one CPU: what is lost of a stream shows where it goes on, and each CPU has its own.
        work = subprocess.Popen(["./work", str(count)], env=session.env, stdout=subprocess.PIPE, text=True, **session.who,
                                preexec_fn=lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}))
        assert work.stdout.readline() == "under way\n"
        for _ in range(2):
            time.sleep(0.1)
            session("snapshot", "record")
        assert work.wait(60) == 0
        session("snapshot", "record")
        session("destroy")
        r = run(ctrace, "convert", "-t", "text", "-o", "-", f"{session.home}/{name}")
        began = list(map(int, re.findall(r' RANGE_BEGIN name="work:job" told="id=(\d+)"', r.stdout)))
        assert began == sorted(set(began)) and began[-1] == count - 1, began
        assert began == list(range(count)) if name == "whole" else 100 < len(began) < count, (name, len(began))
        assert (" LOST " in r.stdout) == (name == "ring"), name


def many(making):
    """More streams than files that may be open at once as a rule: a session with buffers for each process has them."""
    for i in range(60):
        os.makedirs("many", exist_ok=True)
        making.write(f"many/{i}", {**making.USER, "hostname": "web1", "vpid": 100 + i, "procname": "shop"},
                     [(ms * 1000 * US, cpu, "shop:tick", {"id": i, "context": {"vtid": 100 + i}}) for ms in range(3) for cpu in (0, 1)],
                     {"shop:tick": "id:i32"}, "vtid:i32")
    info = run("sh", "-c", 'ulimit -S -n 64 && exec "$@"', "sh", ctrace, "info", "many")
    assert set(map(int, re.findall(r"^process +(\d+)", info.stdout, re.M))) == set(range(100, 160)) and not info.stderr, info.stderr
    assert sum(e.get("name") == "shop_tick" for e in records("many")) == 360


def without_threads(making):
    """LTTng knows whose an event is by a context: without it rows are CPUs, and that is said."""
    events = [(i * US, i % 2, "shop:tick", {"id": i}) for i in range(10)]
    making.write("rows", {**making.USER, "hostname": "web1"}, events, {"shop:tick": "id:i32"})
    r = run(ctrace, "info", "rows")
    assert r.stderr == "ctrace: rows are CPUs, not threads, where no context vtid is (lttng add-context -u -t vpid -t vtid -t procname)\n", r.stderr
    assert re.search("^threads +2$", r.stdout, re.M), r.stdout
    assert not run(ctrace, "info", "shop").stderr and not run(ctrace, "info", "bare").stderr


def main():
    making = ctf_needed.making(build)
    with tempfile.TemporaryDirectory(prefix="ctrace-places-") as scratch:
        os.chdir(scratch)
        os.mkdir("tmp")
        os.environ["TMPDIR"] = f"{scratch}/tmp"
        shop(making)
        for test in (archives, hostile_archives, ended_early, without_libarchive, endless_lengths, bare_metal):
            print(test.__name__, flush=True)
            test()
        for test in (many, without_threads):
            print(test.__name__, flush=True)
            test(making)
        if shutil.which("lttng-sessiond"):
            make_work()
            os.chmod(".", 0o755)
            with Session(f"{scratch}/home") as session:
                for test in (rotated, snapshots, buffers_of_processes):
                    print(test.__name__, flush=True)
                    test(session)
        os.chdir("/")


main()
