#!/usr/bin/python3
"""
ctf_in.py BUILD: CTF opens as trace.out does.  What `ctrace convert -t ctf` wrote gives the same Chrome JSON as the trace;
LTTng's own traces give the events that babeltrace2 counts, with ranges and waits.  Exit 77 where babeltrace2 is not.
"""

import collections
import glob
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from lttng_session import Session, run
from relaying import Relay

build = os.path.abspath(sys.argv[1])
tests = os.environ.get("TESTS_DIR", os.path.abspath(f"{os.path.dirname(sys.argv[0])}/.."))
ctrace = f"{build}/ctrace"
# Records that CTF says differently: a zero in a text is a space, a name that is lost is empty, an event nobody knows is a moment.
OTHERWISE = {"names": 1, "unresolved": 1, "newer": 3}
EVENTS = "shop:*,lttng_ust_pthread:*"

PROVIDER = r"""
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER shop
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./shop.h"
#if !defined(SHOP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define SHOP_H
#include <lttng/tracepoint.h>
LTTNG_UST_TRACEPOINT_EVENT(shop, order_begin, LTTNG_UST_TP_ARGS(int, id),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, id, id)))
LTTNG_UST_TRACEPOINT_EVENT(shop, order_end, LTTNG_UST_TP_ARGS(int, id),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, id, id)))
LTTNG_UST_TRACEPOINT_EVENT(shop, price, LTTNG_UST_TP_ARGS(const char *, what, double, price, int *, parts),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_string(what, what) lttng_ust_field_float(double, price, price)
                        lttng_ust_field_array(int, parts, parts, 3)))
#endif
#include <lttng/tracepoint-event.h>
"""
SHOP = r"""
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "shop.h"
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *arg)
{
    int parts[3] = { 1, 2, 3 };

    for (int i = 0; i < 20; i++) {
        lttng_ust_tracepoint(shop, order_begin, i);
        pthread_mutex_lock(&lock);
        usleep(2000);
        pthread_mutex_unlock(&lock);
        lttng_ust_tracepoint(shop, price, "tea", i * 1.5, parts);
        lttng_ust_tracepoint(shop, order_end, i);
        usleep(1000);                   /* or one thread takes the lock over and over, and nobody waits for long but once */
    }
    return arg;
}

int main(void)
{
    pthread_t threads[3];

    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
"""


# Of a device without a clock.
TIMELESS = """/* CTF 1.8 */
trace { major = 1; minor = 8; byte_order = le; packet.header := struct {
    integer { size = 32; align = 8; } magic; integer { size = 32; align = 8; } stream_id; }; };
stream { id = 0; event.header := struct { integer { size = 16; align = 8; } id; }; };
event { name = "tick"; id = 0; stream_id = 0; fields := struct { integer { size = 32; align = 8; } n; }; };
"""
# Of one with a clock that does not count from 1970.
ITS_CLOCK = """/* CTF 1.8 */
trace { major = 1; minor = 8; byte_order = le; packet.header := struct {
    integer { size = 32; align = 8; } magic; integer { size = 32; align = 8; } stream_id; }; };
clock { name = up; uuid = "79e49040-21b5-42d4-a873-67726169600%d"; freq = 1000000000; };
typealias integer { size = 64; align = 8; map = clock.up.value; } := time;
stream { id = 0; event.header := struct { integer { size = 16; align = 8; } id; time timestamp; }; };
event { name = "tick"; id = 0; stream_id = 0; fields := struct { integer { size = 32; align = 8; } n; }; };
"""

# Two kinds of streams, whose packets say their length in places of their own, behind something else than integers.
HEADS = """/* CTF 1.8 */
typealias integer { size = 8; align = 8; } := u8;
typealias integer { size = 32; align = 8; } := u32;
trace { major = 1; minor = 8; byte_order = le; uuid = "%s"; packet.header := struct { u32 magic; u8 uuid[16];
    enum : u8 { ONE = 0, OTHER = 1 } stream_id; } align(8); };
clock { name = c; freq = 1000000; };
typealias integer { size = 32; align = 8; map = clock.c.value; } := stamp;
stream { id = 0; packet.context := struct { u32 content_size; u32 packet_size; }; event.header := struct { u8 id; stamp timestamp; }; };
stream { id = 1; packet.context := struct { floating_point { exp_dig = 8; mant_dig = 24; align = 8; } celsius; enum : u8 { SMALL, LARGE } size;
    u32 packet_size; u32 content_size; }; event.header := struct { u8 id; stamp timestamp; }; };
event { name = tick; id = 0; stream_id = 0; fields := struct { u8 n; }; };
event { name = tock; id = 0; stream_id = 1; fields := struct { u8 n; }; };
"""


def chrome(path):
    return run(ctrace, "convert", "--alone", "-o", "-", path).stdout


def there_and_back(trace, name):
    shutil.rmtree(f"{name}.ctf", ignore_errors=True)
    run(ctrace, "convert", "-t", "ctf", "-o", f"{name}.ctf", trace)
    return chrome(f"{name}.ctf")


def golden_texts():
    for path in sorted(glob.glob(f"{tests}/golden/*.txt")):
        name = os.path.basename(path)[:-4]
        run(ctrace, "assemble", "-o", f"{name}.trace", path)
        back = there_and_back(f"{name}.trace", name)
        if name in OTHERWISE:
            both = [json.loads(text)["traceEvents"] for text in (back, chrome(f"{name}.trace"))]
            assert len(both[0]) == len(both[1]) and sum(a != b for a, b in zip(*both)) == OTHERWISE[name], both
        else:
            assert back == chrome(f"{name}.trace"), f"{name}: not the same after a round by way of CTF"


def a_program():
    run(ctrace, "record", "-o", "queue.out", "--", f"{build}/examples/queue")
    assert there_and_back("queue.out", "queue") == chrome("queue.out"), "a program"
    info = run(ctrace, "info", "queue.ctf").stdout
    assert re.search(r"^threads +5$", info, re.M) and "ended        exit status 0" in info, info
    os.symlink("queue.ctf", "link.ctf")
    assert run(ctrace, "info", "link.ctf").stdout.splitlines()[1:] == info.splitlines()[1:], "by a link"
    cpu = run(ctrace, "convert", "-t", "block", "-o", "-", "queue.ctf")
    assert cpu.stdout, "a profile of CTF"


def as_set(events):
    """
    The events themselves, whatever the order of programs in the file is: numbers of rows and arrows are given by it, so these go by their
    names.
    """
    rows = {(e["pid"], e.get("tid")): e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] in ("thread_name", "process_name")}
    processes = {e["pid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "process_name"}
    plain = lambda e: {**{k: v for k, v in e.items() if k not in ("pid", "tid", "id", "sf", "sort_index")},
                       "row": rows.get((e["pid"], e.get("tid"))), "process": processes.get(e["pid"])}
    return collections.Counter(json.dumps(plain(e), sort_keys=True) for e in events if e["ph"] != "M" or e["name"].endswith("_name"))


def a_family():
    run(ctrace, "record", "-o", "family.out", "--", "sh", "-c", "ls / | cat; true")
    run(ctrace, "convert", "-t", "ctf", "-o", "family.ctf", "family.out")
    ours = json.loads(run(ctrace, "convert", "-o", "-", "family.out").stdout)["traceEvents"]
    theirs = json.loads(run(ctrace, "convert", "-o", "-", "family.ctf").stdout)["traceEvents"]
    ours, theirs = as_set(ours), as_set(theirs)
    assert ours == theirs and sum(ours.values()) > 50, (list((ours - theirs).items())[:3], list((theirs - ours).items())[:3])


# --- LTTng ---

def shop(session):
    run("./shop", env={**session.env, "LD_PRELOAD": "liblttng-ust-pthread-wrapper.so"}, **session.who)


def lttng():
    with open("shop.h", "w", encoding="ascii") as f:
        f.write(PROVIDER)
    with open("shop.c", "w", encoding="ascii") as f:
        f.write(SHOP)
    run("cc", "-I.", "-o", "shop", "shop.c", "-llttng-ust", "-ldl", "-lpthread")
    os.chmod(".", 0o755)
    with Session(f"{os.getcwd()}/home") as session:
        session("create", "s", f"--output={session.home}/s")
        session("enable-event", "-u", EVENTS)
        session("add-context", "-u", "-t", "vpid", "-t", "vtid", "-t", "procname")
        session("start")
        shop(session)
        session("destroy")
        live(session)
    check_shop(f"{session.home}/s")


def follow(place, name):
    return subprocess.Popen([ctrace, "convert", "-t", "text", "-o", name, place], stderr=subprocess.PIPE, text=True)


def live(session):
    """A session that a relay daemon streams: followed until somebody ends it here, until it ends, and until the daemon dies."""
    relay = Relay(session)
    try:
        place = relay.begin("stream", events=EVENTS)
        part = follow(place, "part.txt")        # one viewer a session, which sees what comes from then on
        relay.watched(1)
        shop(session)
        time.sleep(1.5)
        part.send_signal(signal.SIGINT)
        assert part.wait(20) == 0, part.stderr.read()
        relay.watched(0)
        whole = follow(place, "whole.txt")
        relay.watched(1)
        shop(session)
        session("destroy")
        assert whole.wait(20) == 0, whole.stderr.read()
        none = run(ctrace, "info", place + "-not", status=1).stderr
        assert re.fullmatch(r"ctrace info: net://[^\n]+\n", none) and "comp-addr" not in none, none
        orders = [len(re.findall(r" RANGE_BEGIN ", open(name, encoding="utf-8").read())) for name in ("whole.txt", "part.txt")]
        assert orders[0] == 60 and 0 < orders[1] <= 60, orders
        relay.watched(0)
        lost = follow(relay.begin("lost", events=EVENTS), "lost.txt")
        relay.watched(1)
        shop(session)
        time.sleep(1.5)
        relay.daemon.kill()
        said = lost.communicate(timeout=20)[1]
        assert lost.returncode == 0 and "what arrived before is all there is" in said and "is cut at byte" in said, said
        assert " RANGE_BEGIN " in open("lost.txt", encoding="utf-8").read(), "what arrived stays"
    finally:
        relay.daemon.kill()
        relay.daemon.wait(20)
    gone = run(ctrace, "info", place, status=1).stderr
    assert re.fullmatch(r"ctrace info: net://[^\n]+\n", gone), gone


def check_shop(trace):
    counted = collections.Counter(re.search(r" (\w+:\w+): ", line)[1] for line in run("babeltrace2", trace).stdout.splitlines())
    assert counted["shop:order_begin"] == counted["shop:price"] == 60, counted
    text = run(ctrace, "convert", "-t", "text", "-o", "-", trace).stdout
    ours = collections.Counter(m[1] for m in re.finditer(r"^[\d.]+ 1(?:@\d+)?:\d+ (\w+)", text, re.M))
    acquired = counted["lttng_ust_pthread:pthread_mutex_lock_acq"]
    assert ours["RANGE_BEGIN"] == ours["RANGE_END"] == ours["shop_price"] == 60, ours
    assert ours["WAIT_DONE"] == acquired and ours["UNLOCK_WAKE"] == counted["lttng_ust_pthread:pthread_mutex_unlock"], ours
    assert sum(ours.values()) == sum(counted.values()), (ours, counted)
    assert 'shop_price what="tea" price="28.5" parts="[1, 2, 3]"' in text, text[-500:]
    events = json.loads(chrome(trace))["traceEvents"]
    orders = [e for e in events if e.get("name") == "shop:order"]
    assert collections.Counter(e["args"]["id"] for e in orders) == {i: 3 for i in range(20)}, "their own fields"
    waits = [e for e in events if e["ph"] == "X" and "mutex" in e.get("name", "") and e["dur"] > 1000]
    assert len(orders) >= 60 and len(waits) > 20, (len(orders), len(waits))
    assert sum("woken_by" in e.get("args", {}) for e in waits) > 10, waits[:3]
    assert any(e["ph"] == "M" and "shop" in str(e.get("args")) for e in events), "the program's name"


def damage():
    for name, spoil in (("short", lambda: os.truncate(glob.glob("short/*/thread-1*")[0], 100)),
                        ("metadata", lambda: spoil_text(glob.glob("metadata/*/metadata")[0])),
                        ("stream", lambda: spoil_bytes(glob.glob("stream/*/thread-1*")[0]))):
        shutil.copytree("queue.ctf", name)
        spoil()
        r = run(ctrace, "convert", "-o", "x.json", name, status=1)
        assert re.fullmatch(rf"ctrace convert: {name}[^\n]*: [^\n]+\n", r.stderr) and "comp-addr" not in r.stderr, r.stderr
        assert not os.path.exists("x.json"), name
    for seed in range(20):
        shutil.copytree("queue.ctf", "any")
        spoil_some("any", random.Random(seed))
        r = run(ctrace, "convert", "-o", "x.json", "any", status=None)
        assert (r.returncode, os.path.exists("x.json")) == ((0, True) if not r.returncode else (1, False)), (seed, r)
        assert r.returncode == 0 or re.fullmatch(r"ctrace convert: [^\n]+\n", r.stderr), (seed, r.stderr)
        shutil.rmtree("any")
        if os.path.exists("x.json"):
            os.unlink("x.json")
    os.mkdir("packets")
    with open("packets/metadata", "wb") as f:
        f.write((struct.pack("<I16sIII5B", 0x75d11d57, bytes(16), 0, 8 * 4000, 8 * 4096, 0, 0, 0, 1, 8) + b"/* CTF 1.8 */").ljust(1000))
    r = run(ctrace, "info", "packets", status=1).stderr
    assert r == "ctrace info: packets/metadata is cut within its packet\n", r
    os.mkdir("timeless")
    with open("timeless/metadata", "w", encoding="ascii") as f:
        f.write(TIMELESS)
    with open("timeless/stream", "wb") as f:
        f.write(struct.pack("<II", 0xc1fc1fc1, 0) + struct.pack("<HI", 0, 7) * 4)
    r = run(ctrace, "info", "timeless", status=1).stderr
    assert r == "ctrace info: a stream of this CTF has no clock: nothing says when its events were\n", r
    clocks((1, 2), "apart")
    r = run(ctrace, "info", "apart", status=1).stderr
    assert r == "ctrace info: two clocks of this CTF have nothing in common: nothing says what was first\n", r
    clocks((1, 1), "shared")
    told = re.findall(r"^\S+ (\S+) tick n=(\d+)", run(ctrace, "convert", "-t", "text", "-o", "-", "shared").stdout, re.M)
    assert [n for _, n in told] == list("00112233") and len({whose for whose, _ in told}) == 2, told
    os.mkdir("empty")
    assert run(ctrace, "info", "empty", status=1).stderr == "ctrace info: empty is a directory that holds no trace.out, and no CTF\n"


def heads():
    """Each packet is looked at, whatever its head is like."""
    uuid = bytes(range(16))
    os.mkdir("heads")
    with open("heads/metadata", "w", encoding="ascii") as f:
        f.write(HEADS % "00010203-0405-0607-0809-0a0b0c0d0e0f")

    def write(kind, spoilt):
        with open(f"heads/stream{kind}", "wb") as f:
            for packet in range(4):
                events = b"".join(struct.pack("<BIB", 0, packet * 1000 + i * 100 + kind, i) for i in range(10))
                bits = 8 * (4 + 16 + 1 + (8 if kind == 0 else 13) + len(events))
                context = struct.pack("<II", bits, bits) if kind == 0 else struct.pack("<fBII", 36.5, 1, bits, bits)
                f.write(struct.pack("<I", 0xc1fc1fc1) + (uuid[::-1] if packet == spoilt else uuid) + bytes([kind]) + context + events)
    for kind in (0, 1):
        write(kind, None)
    told = re.findall(r"^[\d.]+ \S+ (tick|tock) ", run(ctrace, "convert", "-t", "text", "-o", "-", "heads").stdout, re.M)
    assert told == ["tick", "tock"] * 40, told
    for kind in (0, 1):
        for packet in range(4):
            write(kind, packet)
            said = run(ctrace, "info", "heads", status=1).stderr
            at = packet * (4 + 16 + 1 + (8 if kind == 0 else 13) + 60)
            assert re.fullmatch(rf"ctrace info: heads/stream{kind}: a packet has the UUID 0f0e[^\n]* \(at byte {at}\)\n" if at else
                                rf"ctrace info: heads/stream{kind}: a packet has the UUID 0f0e[^\n]*\n", said), (packet, said)
        write(kind, None)


def clocks(numbers, folder):
    """A trace for each, of four events at the same times, by the clock of this number."""
    for i, number in enumerate(numbers):
        os.makedirs(f"{folder}/{i}")
        with open(f"{folder}/{i}/metadata", "w", encoding="ascii") as f:
            f.write(ITS_CLOCK % number)
        with open(f"{folder}/{i}/stream", "wb") as f:
            f.write(struct.pack("<II", 0xc1fc1fc1, 0) + b"".join(struct.pack("<HQI", 0, 1000 * n, n) for n in range(4)))


def spoil_text(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("struct", "strukt", 3))


def spoil_some(folder, chance):
    """A few bytes of one stream; heads of packets, too, of which babeltrace2 2.0.4 dies."""
    path = chance.choice(sorted(glob.glob(f"{folder}/*/[st]*")))
    with open(path, "r+b") as f:
        for _ in range(3):
            f.seek(chance.randrange(min(os.path.getsize(path), 4096)))
            f.write(bytes([chance.randrange(256)]))


def spoil_bytes(path):
    with open(path, "r+b") as f:
        f.seek(20)
        f.write(b"\xff\xff\xff")


def main():
    if not shutil.which("babeltrace2") or not os.path.exists(f"{build}/babeltrace-plugin-ctrace.so"):
        print("no babeltrace2 here")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="ctrace-ctf-") as scratch:
        os.chdir(scratch)
        for test in (golden_texts, a_program, a_family, damage, heads) + ((lttng,) if shutil.which("lttng-sessiond") else ()):
            print(test.__name__, flush=True)
            test()
        os.chdir("/")
    assert not glob.glob("/tmp/ctrace-ctf-??????/trace"), "files are left behind"


main()
