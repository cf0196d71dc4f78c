#!/usr/bin/python3
"""
mounts.py BUILD [NAME...]: the examples that mount ctrace on their own web server, by curl and go tool pprof: civetweb, libmicrohttpd,
and one of them under `ctrace record`.
"""

import concurrent.futures
import os
import re
import shutil
import socket
import subprocess
import sys
import threading

from insiding import build, download, info, pprof, scratch
from serving import curl, expect, get, receive_all, settles


class Server:
    """An example, on a port of its own; its standard input ends with the block."""

    def __init__(self, name, *before):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("CTRACE_")}
        self.err = open(f"{scratch}/err.{name}.{len(before)}", "w+")
        self.process = subprocess.Popen([*before, f"{build}/examples/mount_{name}", "0"], stdin=subprocess.PIPE, stderr=self.err,
                                        stdout=subprocess.PIPE, text=True, cwd=scratch, env={**kept, "CTRACE_HEAP_RATE": "1"})
        self.base = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        status = self.process.wait(20)
        self.err.seek(0)
        if not kind:
            expect((status, [line for line in self.err if "CPU samples of some threads" not in line]), (0, []), "its end")

    def url(self, path):
        return self.base + path

    def connect(self, path):
        host, port = re.match(r"http://([\d.]+):(\d+)/", self.base).groups()
        client = socket.create_connection((host, int(port)), 20)
        client.sendall(get("/debug/pprof/" + path).encode())
        return client


def check(server, function):
    """What a person does with it; `function` is one of the program's that allocates."""
    expect(curl(server.base.replace("debug/pprof/", ""))[::2], (200, "hello\n"), "its own page")
    status, headers, page = curl(server.url(""))
    expect((status, headers["x-content-type-options"], "<table>" in page), (200, "nosniff", True), "the index")
    settles(lambda: function in pprof(server.url("heap"), "-top", "-sample_index=alloc_space"), True, "heap")
    expect(re.findall("^lost +(.*)", info(download(server.url("trace?seconds=0.5"), f"{function}.trace")), re.M), ["0"], "a trace")
    assert re.match("mount_", os.path.basename(curl(server.url("cmdline"))[2])), "cmdline"
    assert curl(server.url("symbol?0x1+0x2"))[2].startswith("num_symbols: 1\n"), "symbol"
    assert curl(server.base.replace("debug/pprof/", "metrics"))[2].endswith("# EOF\n"), "metrics"
    expect(curl(server.url("nosuch"))[::2], (404, "Unknown profile\n"), "an unknown profile")
    expect(curl(server.url("heap"), "-H", "Host: evil.com")[0], 403, "another Host")
    expect(curl(server.url("heap"), "-H", "Origin: http://evil.com")[0], 403, "another Origin")
    expect(curl(server.url("trace?seconds=60"), method="HEAD")[::2], (200, ""), "HEAD")
    assert "in write" not in curl(server.url("threads?debug=1"))[2]


def civetweb():
    with Server("civetweb") as server:
        check(server, "work")
        many(server)


def microhttpd():
    with Server("microhttpd") as server:
        check(server, "begin")
        gone_clients(server)


def recorded():
    """Under `ctrace record` that answers, and nothing is loaded into the program."""
    with Server("civetweb", f"{build}/ctrace", "record", "-o", "r.trace", "--") as server:
        settles(lambda: "work" in pprof(server.url("heap"), "-top", "-sample_index=alloc_space"), True, "heap")
        download(server.url("trace?seconds=0.2"), "recorded.trace")
        with open(f"/proc/{server.process.pid}/task/{server.process.pid}/children", encoding="ascii") as file:
            pid = int(file.read().split()[0])
        with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
            assert "libctrace-serve" not in maps.read(), "libctrace-serve is loaded"


def many(server):
    """At once."""
    replies = {}

    def ask(path):
        with server.connect(path) as one:
            replies[path] = receive_all(one)

    paths = ["profile?seconds=1", "trace?seconds=1", "heap?seconds=1", "threads?debug=2", "heap", "block?debug=1", ""]
    threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for path in paths:
        head, _, body = replies[path].partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        whole = len(body) == int(length[1]) if length else body.endswith(b"0\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200") and whole, f"{path}: {replies[path][:200]}"


def gone_clients(server):
    """Eight traces at a time, the ninth client is told so; those that go away make room."""
    streams = [server.connect("trace?seconds=60") for _ in range(8)]
    for one in streams:
        assert one.recv(100).startswith(b"HTTP/1.1 200"), "a stream"
    expect(curl(server.url("cmdline"))[::2], (503, "too many clients: try again later\n"), "the ninth")
    for one in streams:
        one.close()
    settles(lambda: curl(server.url("cmdline"))[0], 200, "when they have gone", 10)


def main(*tests):
    for needed in (shutil.which("go"), shutil.which("curl"), os.path.exists(f"{build}/examples/mount_microhttpd")):
        if not needed:
            print("go, curl or libmicrohttpd is not installed")
            sys.exit(77)
    wanted = [test for test in tests if not sys.argv[2:] or test.__name__ in sys.argv[2:]]
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:       # each mostly waits
            for done in [pool.submit(test) for test in wanted]:
                done.result()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


main(civetweb, microhttpd, recorded)
