#!/usr/bin/python3
"""
http_guard.py BUILD: who may ask `ctrace record --http`, where it listens, and what it says when it may not.

The rules one by one are in tests/tracer/serve/guard.c and serve.py; here they are reached from the command line.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from serving import build, curl, expect, settles

ctrace = f"{build}/ctrace"


@contextlib.contextmanager
def recorded(*options, environment=None):
    """A program under `ctrace record OPTIONS`; its port, 0 when it serves nobody, and the process."""
    with subprocess.Popen([ctrace, "record", *options, "--", "cat"], cwd=scratch, env=dict(os.environ, **(environment or {})),
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        serves = any(option.startswith("--http") for option in options) or environment
        said = process.stderr.readline() if serves else ""
        match = re.search(r"serving http://[\d.]+:(\d+)/debug/pprof/$", said.strip())
        assert bool(match) == bool(serves), said
        if match:                       # it serves before the program has begun
            settles(lambda: curl(f"http://127.0.0.1:{match[1]}/metrics", "-u", "x:s3:cret")[0], 200, "the first answer", 20)
        yield (int(match[1]) if match else 0), process
        process.stdin.close()
        expect(process.wait(30), 0, "the program's status")


def refused(*options, status=125):
    """The one line that it says instead of running anything."""
    done = subprocess.run([ctrace, "record", *options, "--", "touch", "ran"], cwd=scratch, capture_output=True, text=True)
    expect((done.returncode, done.stderr.count("\n"), os.path.exists(f"{scratch}/ran")), (status, 1, False), f"{options}: {done.stderr}")
    return done.stderr.strip()


def unserved(*options):
    """The one line that it says beside running the program."""
    done = subprocess.run([ctrace, "record", *options, "--", "touch", "ran"], cwd=scratch, capture_output=True, text=True)
    expect((done.returncode, done.stderr.count("\n"), os.path.exists(f"{scratch}/ran")), (0, 1, True), f"{options}: {done.stderr}")
    os.unlink(f"{scratch}/ran")
    return done.stderr.strip()


def listening(pid):
    """How many sockets of a process listen to TCP."""
    inodes = set()
    for family in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{family}", encoding="ascii") as file:
            inodes |= {line.split()[9] for line in file.read().splitlines()[1:] if line.split()[3] == "0A"}
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    return sum(link == f"socket:[{inode}]" for link in links for inode in inodes)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def off():
    """Nobody listens unless asked to."""
    with recorded() as (_, process):
        until = time.monotonic() + 10
        while not children(process.pid) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)
        expect([listening(pid) for pid in (process.pid, *children(process.pid))], [0, 0], "listening sockets")
    with recorded("--http", ":0") as (_, process):
        expect([listening(pid) for pid in (process.pid, *children(process.pid))], [1, 0], "listening sockets")


def names():
    """By address on any port, as localhost, and by the names that are allowed; no page of elsewhere."""
    with recorded("--http", ":0", "--http-host", "web,web.prod.svc") as (port, _):
        url = f"http://127.0.0.1:{port}/debug/pprof/heap"
        for host, status in (("10.244.1.7:6060", 200), ("127.0.0.1", 200), ("[fd00::7]:80", 200), ("localhost:16060", 200),
                             ("web.prod.svc:6060", 200), ("WEB", 200), ("evil.com", 403), ("prod.svc", 403), ("web.evil.com", 403)):
            expect(curl(url, "-H", f"Host: {host}")[0], status, f"Host: {host}")
        for header in ("Origin: http://evil.com", "Origin: null", "Sec-Fetch-Site: cross-site"):
            expect(curl(url, "-H", header)[0], 403, header)
        expect(curl(url, "-H", f"Origin: http://127.0.0.1:{port}", "-H", "Sec-Fetch-Site: same-origin")[0], 200, "its own page")


def token():
    """In its three forms, by option and by variable, also as `go tool pprof` sends it; on every address of the machine."""
    for options, environment in (("--http-token=s3:cret",), {}), ((), {"CTRACE_HTTP_TOKEN": "s3:cret"}):
        with recorded("--http", "0.0.0.0:0", *options, environment=environment) as (port, _):
            heap = f"http://127.0.0.1:{port}/debug/pprof/heap"
            for words, status in (([], 401), (["-H", "Authorization: Bearer s3:cret"], 200), (["-u", "x:s3:cret"], 200),
                                  (["-u", "s3:cret"], 401), (["-H", "Authorization: Bearer s3:cre"], 401)):
                expect(curl(heap, *words)[0], status, f"{words}")
            expect(curl(heap + "?token=s3%3Acret")[0], 200, "in the query")
            expect(curl(f"http://127.0.0.1:{port}/metrics")[0], 401, "metrics without it")
            if shutil.which("go"):
                done = subprocess.run(["go", "tool", "pprof", "-raw", f"http://x:s3%3Acret@127.0.0.1:{port}/debug/pprof/heap"],
                                      env=dict(os.environ, PPROF_TMPDIR=scratch, HOME=scratch, GOCACHE=scratch),
                                      capture_output=True, text=True)
                assert done.returncode == 0 and "PeriodType: space bytes" in done.stdout, done.stderr
    for option in "--http-insecure", "--insecure":
        with recorded("--http", "0.0.0.0:0", option) as (port, _):
            expect(curl(f"http://127.0.0.1:{port}/debug/pprof/heap")[0], 200, "without, when asked to be")


def refusals():
    """One line; nothing is run where everybody could ask, else the program is all the same."""
    assert "give a token" in refused("--http", "0.0.0.0:0")
    assert "'' is no TOKEN" in refused("--http", "0.0.0.0:0", "--http-token=", status=2)
    assert "no NAME" in refused("--http", ":0", "--http-host", "web:80", status=2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        expect(unserved("--http", address), f"ctrace: record: --http: {address} is in use by somebody else; "
               "the program runs, and is not served", "in use")
    assert "no address of this machine" in unserved("--http", "192.0.2.1:1", "--http-insecure")
    assert "is no address" in unserved("--http", "evil.com:80")


with tempfile.TemporaryDirectory(prefix="ctrace-guard-") as scratch:
    for test in (off, names, token, refusals):
        began = time.monotonic()
        test()
        print(f"{test.__name__}: ok ({time.monotonic() - began:.1f} s)", flush=True)
