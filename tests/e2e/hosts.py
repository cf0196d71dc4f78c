#!/usr/bin/python3
"""
hosts.py BUILD: traces of several machines are one timeline.  Two programs talk by TCP, each in namespaces of its own - network, host
name, time - so that the second one's clock is ahead by a known span, which is found out to 100 us from the messages alone.
Exit 77, with a sentence, where nobody may make namespaces; for root that is a failure.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from lttng_session import Built, Session
from machines import Machine, connect, is_real_root, may_make
from relaying import Relay
from serving import settles
from viewing import Viewer

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
WRONG = 123_456_789         # ns that the second host's clock is ahead
PORT = "7000"               # of a network that nobody else is in

# Client and server; "quiet" ones send in one direction only.
TALK = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[2])) };
    int s = socket(AF_INET, SOCK_STREAM, 0), c = s, one = 1, quiet = argc > 4;
    char text[64] = "ping";

    while (getenv("TALK_WHEN") && access(getenv("TALK_WHEN"), F_OK) < 0)
        usleep(20000);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    inet_pton(AF_INET, argv[1], &a.sin_addr);
    if (strcmp(argv[3], "server") == 0) {
        if (bind(s, (struct sockaddr *)&a, sizeof a) < 0 || listen(s, 5) < 0)
            return 1;
        c = accept(s, NULL, NULL);
        while (read(c, text, sizeof text) > 0)
            if (!quiet && write(c, text, sizeof text) < 0)
                return 1;
    } else {
        for (int i = 0; connect(c, (struct sockaddr *)&a, sizeof a) < 0; i++) {
            close(c);
            c = socket(AF_INET, SOCK_STREAM, 0);
            if (i == 200)
                return 1;
            usleep(50000);
        }
        for (int i = 0; i < 400; i++)
            if (write(c, text, sizeof text) < 0 || (!quiet && read(c, text, sizeof text) <= 0))
                return 1;
    }
    close(c);
    return 0;
}
"""

# The wall clock of a session daemon: all namespaces of a machine have the same one.
WALL = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *t)
{
    long r = syscall(SYS_clock_gettime, clock, t);

    if (r == 0 && clock == CLOCK_REALTIME) {
        t->tv_nsec += AHEAD;
        t->tv_sec += t->tv_nsec / 1000000000;
        t->tv_nsec %= 1000000000;
    }
    return r;
}
"""


def run(*words, status=0, **more):
    r = subprocess.run(words, capture_output=True, text=True, timeout=60, **more)
    assert status is None or r.returncode == status, f"{words}: exit {r.returncode}\n{r.stdout[-500:]}\n{r.stderr[-2000:]}"
    return r


def talk(web1, web2, address, begin, *more):
    """`begin` says how a program is begun on a machine."""
    server, client = [subprocess.Popen([*begin(machine), os.path.abspath("talk"), address, PORT, name, *more], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL) for machine, name in ((web2, "server"), (web1, "client"))]
    yield                               # both run
    assert (server.wait(30), client.wait(30)) == (0, 0)


def record(web1, web2, address):
    with open("talk.c", "w", encoding="ascii") as f:
        f.write(TALK)
    run("cc", "-O1", "-o", "talk", "talk.c")
    for kind, *more in (("trace",), ("quiet", "quiet")):
        list(talk(web1, web2, address, lambda machine: [*machine.within, ctrace, "record", "-o", f"{machine.name}.{kind}", "--"], *more))
    with Machine("web3", 7) as web3:
        run(*web3.within, ctrace, "record", "-o", "web3.trace", "--", "true")


def clocks(*words):
    info = json.loads(run(ctrace, "info", "--json", *words).stdout)
    return {p["host"]: p.get("host_clock") for p in info["programs"]}


def check_found(by):
    """The first is what the other is measured by; the found span is as good as it says."""
    first, other = ("web1", "web2") if by["web1"]["how"] == "first" else ("web2", "web1")
    wrong = -WRONG if other == "web2" else WRONG
    found = by[other]
    assert by[first]["how"] == "first" and found["how"] == "compared" and found["messages"] >= 100, by
    assert abs(found["offset_ns"] - wrong) <= max(found["uncertain_ns"], 1000) and found["uncertain_ns"] < 100_000, (by, wrong)
    print(f"found to {(found['offset_ns'] - wrong) / 1e3:.1f} us, and said to +-{found['uncertain_ns'] / 1e3:.1f} us")
    return first, other


def compared():
    """A clock is found out from the messages, as good as it says, and the timeline is by it."""
    first, other = check_found(clocks("web1.trace", "web2.trace"))
    text = run(ctrace, "info", "web1.trace", "web2.trace").stdout
    assert re.search(r"^offset +[+-]\d+ ns, \+-\d+ ns by \d+ messages$", text, re.M) and "are compared with this one" in text, text
    events = json.loads(run(ctrace, "convert", "-o", "-", "web1.trace", "web2.trace").stdout)["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    assert f"talk on {first}" in names.values(), names
    assert any(re.fullmatch(rf"talk on {other} \(clock \+-\d+\.\d us\)", name) for name in names.values()), names
    last = {host: max(e["ts"] for e in events if e["ph"] == "X" and e["name"] == "read" and f"on {host}" in names[e["pid"]])
            for host in ("web1", "web2")}
    assert abs(last["web1"] - last["web2"]) < 20000, f"us between the last messages: {last}"


def as_ctf():
    """CTF of several machines is by the clocks that were compared, or said; so is what our plugin tells, and what is read back."""
    def ends(path, *words):
        lines = run("babeltrace2", *words, "--clock-seconds", "--fields=trace:hostname", "--no-delta", path).stdout.splitlines()
        return {host: max(float(re.match(r"\[([\d.]+)\]", line)[1]) for line in lines if f"] {host} " in line and "ctrace:" in line)
                for host in ("web1", "web2")}

    if not shutil.which("babeltrace2") or not os.path.exists(f"{build}/babeltrace-plugin-ctrace.so"):
        print("no babeltrace2 here")
        return
    run(ctrace, "convert", "-t", "ctf", "-o", "both.ctf", "web1.trace", "web2.trace")
    written = ends("both.ctf")
    assert abs(written["web1"] - written["web2"]) < 0.02, written
    os.mkdir("plugins")
    shutil.copy(f"{build}/babeltrace-plugin-ctrace.so", "plugins")
    os.mkdir("both")
    for name in ("web1.trace", "web2.trace"):
        shutil.copy(name, "both")
    assert ends("both", "--plugin-path=plugins") == written, (ends("both", "--plugin-path=plugins"), written)
    by = clocks("both.ctf")
    assert all(abs(clock.get("offset_ns", 0)) < 100_000 for clock in by.values()), by
    run(ctrace, "convert", "-t", "ctf", "--offset", "web1=0", "--offset", "web2=0.5s", "-o", "said.ctf", "web1.trace", "web2.trace")
    apart = ends("said.ctf")
    assert abs(apart["web2"] - apart["web1"] - 0.5 - WRONG / 1e9) < 0.02, apart


def said():
    by = clocks("--offset", "web2=-123456789", "web1.trace", "web2.trace")
    assert by["web2"] == {"how": "said", "offset_ns": -WRONG}, by
    assert by["web1"]["how"] == "compared" and abs(by["web1"]["offset_ns"]) < 100_000, by
    by = clocks("--offset", "web1=0", "--offset", "web2=-0.5ms", "web1.trace", "web2.trace")
    assert by["web2"] == {"how": "said", "offset_ns": -500_000}, by
    for bad in ("web2", "web2=", "=1", "web2=1h"):
        assert "--offset is HOST=NS" in run(ctrace, "info", "--offset", bad, "web1.trace", status=2).stderr, bad


def not_compared():
    """A machine that nobody talked to, or that never answered, stands by its own clock, and that is said; one alone says nothing of it."""
    by = clocks("web2.trace", "web3.trace", "web1.trace")
    assert by["web2"]["how"] in ("first", "compared"), by
    assert clocks("web1.trace")["web1"] is None
    for pair in (("web1.trace", "web3.trace"), ("web1.quiet", "web2.quiet")):
        assert sorted(clock["how"] for clock in clocks(*pair).values()) == ["first", "own"], clocks(*pair)
        assert "no messages both ways tell" in run(ctrace, "info", *pair).stdout


def viewed():
    """The page has a group for each machine: programs and CPUs say which is theirs, and how uncertain its clock is."""
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", os.path.abspath("web1.trace"), os.path.abspath("web2.trace"), folder=".") as viewer:
        viewer.ready()
        meta, lanes = viewer.json("/api/meta"), viewer.json("/api/lanes")["lanes"]
    hosts = {program["host"] for program in meta["programs"]}
    assert len(hosts) == 2 and {host[:4] for host in hosts} == {"web1", "web2"}, hosts
    assert sum(bool(re.fullmatch(r"web[12] \(clock \+-\d+\.\d us\)", host)) for host in hosts) == 1, hosts
    assert all(program["name"] == f"talk on {program['host']}" for program in meta["programs"]), meta["programs"]
    assert {lane["host"] for lane in lanes if lane["kind"] == "cpu"} == hosts, lanes
    with Viewer("--no-browser", "--listen", "127.0.0.1:0", os.path.abspath("web1.trace"), folder=".") as viewer:
        viewer.ready()
        assert {program["host"] for program in viewer.json("/api/meta")["programs"]} == {""}, "one machine alone says nothing of it"


def streamed(web1, web2, addresses):
    """
    LTTng's sessions of both stream over the cable to one relay daemon, and their clocks are found to be apart as well: by as much as
    the second session daemon is told a wrong time, which is all that a trace of LTTng's has of the wall clock.
    """
    if not shutil.which("lttng-relayd") or not is_real_root():
        print("no LTTng here, or nobody who may run it on two machines")
        return
    os.chmod(".", 0o755)
    built = Built(build, os.path.abspath("built"))      # the users of the sessions run it
    with open("wall.c", "w", encoding="ascii") as f:
        f.write(WALL)
    run("cc", "-shared", "-fPIC", f"-DAHEAD={WRONG}", "-o", "wall.so", "wall.c")
    with Session(os.path.abspath("one"), machine=web1) as one, \
            Session(os.path.abspath("other"), machine=web2, preload=os.path.abspath("wall.so")) as other:
        sessions = {"web1": one, "web2": other}
        relay = Relay(one, addresses[0])
        try:
            places = [relay.begin("one"), relay.begin("other", other)]
            both = talk(web1, web2, addresses[1], lambda machine: [
                *machine.wires, *sessions[machine.name].as_user, "env", "-C", sessions[machine.name].home, f"LTTNG_HOME={sessions[machine.name].home}",
                "LTTNG_UST_REGISTER_TIMEOUT=20000", f"TALK_WHEN={os.path.abspath('go')}", built.ctrace, "record", "--lttng", "-o", "talk.out", "--"])
            next(both)
            for session in sessions.values():
                settles(lambda: "talk" in session("list", "-u").stdout, True, "a program that LTTng knows", 20)
            info = subprocess.Popen([*web1.wires, ctrace, "info", "--json", *places], stdout=subprocess.PIPE, text=True)
            relay.watched(len(places))
            with open("go", "w", encoding="ascii"):
                pass
            list(both)
            one("destroy", "one")
            other("destroy", "other")
            told = json.loads(info.communicate(timeout=60)[0])
            check_found({p["host"]: p["host_clock"] for p in told["programs"]})
        finally:
            relay.daemon.terminate()
            relay.daemon.wait(30)


def main():
    if not may_make():
        print("neither root nor user namespaces: two machines on one cannot be made here, and nothing of them is tested")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="ctrace-hosts-") as scratch, Machine("web1") as web1, Machine("web2", WRONG) as web2:
        os.chdir(scratch)
        addresses = connect(web1, web2)
        record(web1, web2, addresses[1])
        for test in (compared, as_ctf, said, not_compared, viewed):
            print(test.__name__, flush=True)
            test()
        print("streamed", flush=True)
        streamed(web1, web2, addresses)
        os.chdir("/")


main()
