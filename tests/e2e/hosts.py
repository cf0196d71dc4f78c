#!/usr/bin/python3
"""
hosts.py BUILD: traces of several machines are one timeline.  Two programs talk by TCP, in network namespaces where those can
be made; one of the traces is then given another host's name and a clock that is wrong by a known time, which is found out to
100 us from the messages alone.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from viewing import Viewer

build = os.path.abspath(sys.argv[1])
ctrace = f"{build}/ctrace"
WRONG = 123_456_789         # ns that the second host's clock is ahead

TALK = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[2])) };
    int s = socket(AF_INET, SOCK_STREAM, 0), c = s, one = 1;
    char text[64] = "ping";

    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    inet_pton(AF_INET, argv[1], &a.sin_addr);
    if (argc > 3) {
        if (bind(s, (struct sockaddr *)&a, sizeof a) < 0 || listen(s, 5) < 0)
            return 1;
        c = accept(s, NULL, NULL);
        while (read(c, text, sizeof text) > 0)
            if (write(c, text, sizeof text) < 0)
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
            if (write(c, text, sizeof text) < 0 || read(c, text, sizeof text) <= 0)
                return 1;
    }
    close(c);
    return 0;
}
"""


def run(*words, status=0, **more):
    r = subprocess.run(words, capture_output=True, text=True, timeout=60, **more)
    assert status is None or r.returncode == status, f"{words}: exit {r.returncode}\n{r.stdout[-500:]}\n{r.stderr[-2000:]}"
    return r


class Network:
    """Two namespaces with a cable between them; the machine itself where they cannot be made."""

    def __init__(self):
        self.names = [f"ctrace{os.getpid()}a", f"ctrace{os.getpid()}b"]

    def __enter__(self):
        self.address, self.within = "127.0.0.1", [[], []]
        commands = [f"netns add {self.names[0]}", f"netns add {self.names[1]}",
                    f"link add va netns {self.names[0]} type veth peer name vb netns {self.names[1]}",
                    f"-n {self.names[0]} addr add 10.66.0.1/24 dev va", f"-n {self.names[1]} addr add 10.66.0.2/24 dev vb",
                    f"-n {self.names[0]} link set va up", f"-n {self.names[1]} link set vb up"]
        try:
            for command in commands:
                subprocess.run(["ip", *command.split()], check=True, capture_output=True)
            self.address, self.within = "10.66.0.2", [["ip", "netns", "exec", name] for name in self.names]
        except (OSError, subprocess.CalledProcessError) as e:
            print(f"no network namespaces here, so both talk over the loopback: {getattr(e, 'stderr', e)}")
        return self

    def __exit__(self, kind, value, trace):
        for name in self.names:
            try:
                subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
            except OSError:
                pass


def record():
    with open("talk.c", "w", encoding="ascii") as f:
        f.write(TALK)
    run("cc", "-O1", "-o", "talk", "talk.c")
    with Network() as net:
        port = str(20000 + os.getpid() % 20000)
        server = subprocess.Popen([*net.within[1], ctrace, "record", "-o", "server.out", "--", "./talk", net.address, port, "server"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run(*net.within[0], ctrace, "record", "-o", "client.out", "--", "./talk", net.address, port)
        assert server.wait(30) == 0


def as_host(path, name, number, ahead):
    """The trace as a machine of this name would have recorded it, whose clock is `ahead` ns."""
    text = run(ctrace, "convert", "--alone", "-t", "text", "-o", "-", path).stdout
    text = re.sub(r'boot=[0-9a-f]+ host="[^"]*"', f'boot={number:032x} host="{name}"', text)
    text = re.sub(r"\b(start|end)=(\d+)/(\d+)/(\d+)", lambda m: f"{m[1]}={m[2]}/{m[3]}/{int(m[4]) + ahead}", text)
    with open(f"{name}.txt", "w", encoding="utf-8") as f:
        f.write(text)
    run(ctrace, "assemble", "-o", f"{name}.trace", f"{name}.txt")


def clocks(*words):
    info = json.loads(run(ctrace, "info", "--json", *words).stdout)
    return {p["host"]: p.get("host_clock") for p in info["programs"]}, info


def compared():
    """A clock is found out from the messages, as good as it says, and the timeline is by it."""
    by, _ = clocks("web1.trace", "web2.trace")
    first, other = ("web1", "web2") if by["web1"]["how"] == "first" else ("web2", "web1")
    wrong = -WRONG if other == "web2" else WRONG
    found = by[other]
    assert found["how"] == "compared" and found["messages"] >= 100, by
    assert abs(found["offset_ns"] - wrong) <= max(found["uncertain_ns"], 1000) and found["uncertain_ns"] < 100_000, (by, wrong)
    print(f"found to {(found['offset_ns'] - wrong) / 1e3:.1f} us, and said to +-{found['uncertain_ns'] / 1e3:.1f} us")
    text = run(ctrace, "info", "web1.trace", "web2.trace").stdout
    assert re.search(r"^offset +[+-]\d+ ns, \+-\d+ ns by \d+ messages$", text, re.M) and "are compared with this one" in text, text
    events = json.loads(run(ctrace, "convert", "-o", "-", "web1.trace", "web2.trace").stdout)["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    assert f"talk on {first}" in names.values(), names
    assert any(re.fullmatch(rf"talk on {other} \(clock \+-\d+\.\d us\)", name) for name in names.values()), names
    last = {host: max(e["ts"] for e in events if e["ph"] == "X" and e["name"] == "read" and f"on {host}" in names[e["pid"]])
            for host in ("web1", "web2")}
    assert abs(last["web1"] - last["web2"]) < 20000, f"us between the last messages: {last}"


def said():
    by, _ = clocks("--offset", "web2=-123456789", "web1.trace", "web2.trace")
    assert by["web2"] == {"how": "said", "offset_ns": -WRONG}, by
    assert by["web1"]["how"] == "compared" and abs(by["web1"]["offset_ns"]) < 100_000, by
    by, _ = clocks("--offset", "web1=0", "--offset", "web2=-0.5ms", "web1.trace", "web2.trace")
    assert by["web2"] == {"how": "said", "offset_ns": -500_000}, by
    for bad in ("web2", "web2=", "=1", "web2=1h"):
        assert "--offset is HOST=NS" in run(ctrace, "info", "--offset", bad, "web1.trace", status=2).stderr, bad


def not_compared():
    """A machine that nobody talked to stands by its own clock, and that is said; one machine alone says nothing of it."""
    as_host("client.out", "web3", 3, 7)
    by, _ = clocks("web2.trace", "web3.trace", "web1.trace")
    assert {host: clock["how"] for host, clock in by.items()}["web2"] in ("first", "compared"), by
    alone, _ = clocks("web1.trace")
    assert alone["web1"] is None, alone
    by, _ = clocks("web1.trace", "web3.trace")
    assert sorted(clock["how"] for clock in by.values()) == ["first", "own"], by
    assert "no messages both ways tell" in run(ctrace, "info", "web1.trace", "web3.trace").stdout


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


def main():
    with tempfile.TemporaryDirectory(prefix="ctrace-hosts-") as scratch:
        os.chdir(scratch)
        record()
        as_host("client.out", "web1", 1, 0)
        as_host("server.out", "web2", 2, WRONG)
        for test in (compared, said, not_compared, viewed):
            print(test.__name__, flush=True)
            test()
        os.chdir("/")


main()
