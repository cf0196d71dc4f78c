#!/usr/bin/python3
"""
ctf_ust.py BUILD: what applications and LTTng's own libraries tell in user space: ranges by name and by option, allocations, waits for
mutexes, functions by their names.  Exit 77 where babeltrace2 or its Python bindings are not; what needs LTTng is left out
without it.
"""

import collections
import json
import os
import re
import shutil
import sys
import tempfile

import ctf_needed
from lttng_session import Session, run

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
US = 10**3
CONTEXT = "vpid:i32 vtid:i32 procname:s ip:u64"

CALLS = r"""
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
void *kept;

void leak(void)
{
    kept = malloc(123456);
    free(malloc(1000));
    kept = realloc(kept, 200000);
}

static void *work(void *arg)
{
    for (int i = 0; i < 10; i++) {
        pthread_mutex_lock(&lock);
        usleep(2000);
        pthread_mutex_unlock(&lock);
        usleep(500);
    }
    return arg;
}

int main(void)
{
    void *plug = dlopen("./plug.so", RTLD_NOW);
    pthread_t threads[2];

    leak();
    ((void (*)(void))dlsym(plug, "plugged"))();
    dlclose(plug);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
"""


def texts(*words):
    r = run(ctrace, "convert", "-t", "text", "-o", "-", *words)
    return r.stdout, r.stderr


def slices(*words):
    """(tid, start, end, name) of all slices in us, and (tid, start, name, args) of moments."""
    events = json.loads(run(ctrace, "convert", "-o", "-", *words).stdout)["traceEvents"]
    rows = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    row = lambda e: int("".join(re.findall(r"\((\d+)\)", rows.get((e["pid"], e["tid"]), ""))) or 0)
    state = lambda e: "state" in rows.get((e["pid"], e["tid"]), "")
    return (sorted((row(e), round(e["ts"]), round(e["ts"] + e["dur"]), e["name"]) for e in events if e["ph"] == "X" and not state(e)),
            sorted(((row(e), round(e["ts"]), e["name"], e.get("args", {})) for e in events if e["ph"] == "i" and row(e)), key=str))


def shop(making):
    who = lambda tid: {"vpid": 100, "vtid": tid, "procname": "shop", "ip": 0}
    story = ((1, 100, "shop:order_begin"), (2, 100, "shop:pack_start"), (2, 101, "shop:order_begin"), (3, 100, "shop:pack_stop"),
             (4, 100, "shop:order_end"), (5, 100, "shop:order_end"),                         # a range within; an end alone
             (6, 100, "shop:order_begin"), (7, 100, "shop:pack_start"), (8, 100, "shop:order_end"), (9, 100, "shop:pack_stop"),
             (10, 101, "shop:order_end"),
             (11, 101, "shop:req_get_in"), (12, 101, "shop:req_put_in"), (13, 101, "shop:req_put_out"), (14, 101, "shop:req_get_out"),
             (15, 101, "shop:open"), (16, 101, "shop:shut"), (17, 101, "other:order_end"))
    making.write("shop", {**making.USER, "hostname": "web1"},
                 [(us * US, 0, name, {"id": us, "context": who(tid)}) for us, tid, name in story],
                 {name: "id:i32" for _, _, name in story}, CONTEXT)


def by_name():
    ranges, moments = slices("shop")
    assert ranges == [(100, 0, 3, "shop:order"), (100, 1, 2, "shop:pack"), (100, 5, 7, "shop:order"),
                      (100, 6, 7, "shop:pack"), (101, 1, 9, "shop:order")], ranges
    assert [m for m in moments if m[0] == 100] == [(100, 4, "shop_order_end", {"id": 5}),
                                                            (100, 8, "shop_pack_stop", {"id": 9})], moments
    assert len(moments) == 9, moments
    said = texts("shop")[1]
    assert said == ("ctrace: moments, for they end a range that did not begin: 2 (the first: shop_order_end)\n"
                    "ctrace: ranges that end with the one around them: 1\n"), said


def by_option():
    ranges, moments = slices("--range", "shop:req_*_in,shop:req_*_out", "--range", "door=shop:open,shop:shut", "shop")
    assert [r[1:] for r in ranges if r[0] == 101] == [(1, 9, "shop:order"), (10, 13, "shop:req_get"), (11, 12, "shop:req_put"),
                                                              (14, 15, "door")], ranges
    assert len(moments) == 3, moments
    ranges, moments = slices("--range", "none", "--range", "shop:open,shop:shut", "shop")
    assert ranges == [(101, 14, 15, "shop:open")] and len(moments) == 16, (ranges, moments)
    said = texts("--range", "shop:x,shop:y", "shop")[1]
    assert "ctrace: no event is called shop:x or shop:y\n" in said, said
    for bad in ("shop:x", "a,b,c", ",b", "a,a", "a*,b", "a*b*,c*d*", "n*=a,b"):
        assert "--range is [NAME=]BEGIN,END" in run(ctrace, "convert", "--range", bad, "shop", status=2).stderr, bad
    assert "--range is [NAME=]BEGIN,END" in run(ctrace, "info", "--range", "x", "shop", status=2).stderr
    assert "--range is [NAME=]BEGIN,END" in run(ctrace, "view", "--range", "x", "shop", status=2).stderr
    run(ctrace, "convert", "-t", "trace", "-o", "shop.out", "shop")
    assert "--range is for CTF" in run(ctrace, "info", "--range", "a,b", "shop.out", status=1).stderr


def late_unlock(making):
    """LTTng tells of an unlock after it was done: the next owner may have said before that it has the lock."""
    who = lambda tid: {"vpid": 100, "vtid": tid, "procname": "shop", "ip": 0}
    lock = "lttng_ust_pthread:pthread_mutex_"
    events = [(1, 100, "lock_req"), (2, 100, "lock_acq"), (3, 101, "lock_req"), (50, 101, "lock_acq"), (51, 100, "unlock"), (60, 101, "unlock")]
    making.write("late", {**making.USER, "hostname": "web1"},
                 [(us * US, 0, lock + name, {"mutex": 0x1000, **({} if name == "lock_req" else {"status": 0}), "context": who(tid)})
                  for us, tid, name in events],
                 {lock + "lock_req": "mutex:u64", lock + "lock_acq": "mutex:u64 status:i32", lock + "unlock": "mutex:u64 status:i32"}, CONTEXT)
    chrome = json.loads(run(ctrace, "convert", "-o", "-", "late").stdout)["traceEvents"]
    waits = [e for e in chrome if e["ph"] == "X" and e["name"] == "wait for mutex" and e["dur"] > 40]
    assert len(waits) == 1 and waits[0]["args"]["woken_by"].startswith("shop"), waits


def allocations(making):
    who = {"vpid": 100, "vtid": 100, "procname": "shop", "ip": 0}
    libc = "lttng_ust_libc:"
    events = [("malloc", {"size": 100, "ptr": 0x10}), ("calloc", {"nmemb": 4, "size": 25, "ptr": 0x20}), ("realloc", {"in_ptr": 0x10, "size": 300, "ptr": 0x30}),
              ("realloc", {"in_ptr": 0x20, "size": 1 << 60, "ptr": 0}), ("posix_memalign", {"out_ptr": 0x40, "alignment": 64, "size": 50, "result": 12}),
              ("memalign", {"alignment": 64, "size": 64, "ptr": 0x50}), ("free", {"ptr": 0x50}), ("free", {"ptr": 0})]
    layout = {libc + "malloc": "size:u64 ptr:u64", libc + "calloc": "nmemb:u64 size:u64 ptr:u64", libc + "realloc": "in_ptr:u64 size:u64 ptr:u64",
              libc + "posix_memalign": "out_ptr:u64 alignment:u64 size:u64 result:i32", libc + "memalign": "alignment:u64 size:u64 ptr:u64",
              libc + "free": "ptr:u64"}
    making.write("heap", {**making.USER, "hostname": "web1"},
                 [(i * US, 0, libc + name, {**fields, "context": who}) for i, (name, fields) in enumerate(events, 1)], layout, CONTEXT)
    told = re.findall(r" (ALLOC_SAMPLE block=\d+ size=\d+ rate=\d+|FREE_SAMPLE block=\d+)", texts("heap")[0])
    assert told == ["ALLOC_SAMPLE block=16 size=100 rate=1", "ALLOC_SAMPLE block=32 size=100 rate=1", "FREE_SAMPLE block=16",
                    "ALLOC_SAMPLE block=48 size=300 rate=1", "ALLOC_SAMPLE block=80 size=64 rate=1", "FREE_SAMPLE block=80"], told


def lost(making):
    """Events that were lost are a gap on the thread that was there last; a range whose end may be among them ends there."""
    who = lambda tid: {"vpid": 100, "vtid": tid, "procname": "shop", "ip": 0}
    story = [(1, 0, 100, "shop:order_begin"), (2, 1, 101, "shop:order_begin"), (10, 0, 100, "shop:tick"), (12, 0, 100, "shop:order_end"),
             (13, 1, 101, "shop:order_end")]
    making.write("gap", {**making.USER, "hostname": "web1"},
                 [(3 * US, 0, "lost events", {"count": 5, "until": 20 * US})] +
                 [(us * US, cpu, name, {"id": us, "context": who(tid)}) for us, cpu, tid, name in story],
                 {name: "id:i32" for *_, name in story}, CONTEXT)
    text = texts("gap")[0]
    assert re.findall(r"^0\.(\d+) \d+:(\d+) LOST count=(\d+)", text, re.M) == [("000009000", "1", "5")], text
    ranges, moments = slices("gap")
    assert ranges == [(100, 0, 9, "shop:order"), (101, 1, 12, "shop:order")], ranges
    assert (100, 11, "shop_order_end", {"id": 12}) in moments, moments


def libraries(session):
    """LTTng's own, preloaded."""
    with open("calls.c", "w", encoding="ascii") as f:
        f.write(CALLS)
    with open("plug.c", "w", encoding="ascii") as f:
        f.write("int plugs;\nvoid plugged(void)\n{\n    plugs++;\n}\n")
    run("cc", "-g", "-finstrument-functions", "-o", "calls", "calls.c", "-ldl", "-lpthread")
    run("cc", "-g", "-finstrument-functions", "-fPIC", "-shared", "-o", "plug.so", "plug.c")
    session("create", "s", f"--output={session.home}/s")
    session("enable-channel", "-u", "--subbuf-size=1M", "--num-subbuf=8", "c")
    session("enable-event", "-u", "-c", "c", "lttng_ust_*")
    session("add-context", "-u", "-t", "vpid", "-t", "vtid", "-t", "procname", "-t", "ip")
    session("start")
    wrappers = " ".join(f"liblttng-ust-{name}.so" for name in ("libc-wrapper", "pthread-wrapper", "cyg-profile", "dl"))
    run("./calls", env={**session.env, "LD_PRELOAD": wrappers}, **session.who)
    session("destroy")
    trace = f"{session.home}/s"
    counted = collections.Counter(re.search(r" (\w+:\w+): ", line)[1] for line in run("babeltrace2", trace).stdout.splitlines())
    text = texts(trace)[0]
    ours = collections.Counter(re.findall(r"^[\d.]+ \d+(?:@\d+)?:\d+ (\w+)", text, re.M))
    of = lambda name: counted[f"lttng_ust_{name}"]
    assert ours["ALLOC_SAMPLE"] == of("libc:malloc") + of("libc:calloc") + of("libc:realloc") > 3, (ours, counted)
    assert ours["REGION_BEGIN"] == ours["REGION_END"] == of("cyg_profile:func_entry") == 5, (ours, counted)
    assert ours["WAIT_DONE"] == of("pthread:pthread_mutex_lock_acq") >= 20 and ours["UNLOCK_WAKE"] == of("pthread:pthread_mutex_unlock"), ours
    assert ours["lttng_ust_dl_dlopen"] == of("dl:dlopen") >= 1 and ours["lttng_ust_lib_unload"] == of("lib:unload") >= 1, ours
    ranges, _ = slices(trace)
    functions = collections.Counter(name for _, _, _, name in ranges)
    assert (functions["main"], functions["leak"], functions["work"], functions["plugged"]) == (1, 1, 2, 1), functions
    waits = [r for r in ranges if "mutex" in r[3] and r[2] - r[1] > 1000]
    assert len(waits) > 3, waits
    heap = run(ctrace, "convert", "-t", "heap", "-o", "heap.pb.gz", trace)
    assert not heap.stderr, heap.stderr
    big = re.findall(r" ALLOC_SAMPLE block=(\d+) size=(\d{6}) rate=1 at=(\d+)", text)
    assert [size for _, size, _ in big] == ["123456", "200000"], big
    assert re.search(r'^symbol .* function="leak"', text, re.M), "names of what the calls came from"


def main():
    making = ctf_needed.making(build)
    with tempfile.TemporaryDirectory(prefix="ctrace-ust-") as scratch:
        os.chdir(scratch)
        shop(making)
        for test in (by_name, by_option, lambda: late_unlock(making), lambda: allocations(making), lambda: lost(making)):
            test()
        if shutil.which("lttng-sessiond"):
            os.chmod(".", 0o755)
            with Session(f"{scratch}/home") as session:
                libraries(session)
        os.chdir("/")


main()
