"""What serve.py and serve_crowd.py share: the debug server over a host in memory, and ways to ask it."""

import os
import re
import socket
import subprocess
import sys
import time

build = os.path.abspath(sys.argv[1])
server = f"{build}/tests/debug-server"
TEXT, BINARY = "text/plain; charset=utf-8", "application/octet-stream"


class Server:
    """A running server; its end is checked: exit status 0 says that the program's state was kept and nothing leaked."""

    def __init__(self, *words, address="127.0.0.1:0"):
        self.process = subprocess.Popen([server, address, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = self.process.stdout.readline().strip()
        self.port = int(self.said.rsplit(":", 1)[1]) if re.fullmatch(r"[\d.]+:\d+", self.said) else 0
        self.pid = self.process.pid

    def __enter__(self):
        assert self.port, self.said
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        rest = self.process.stdout.read()
        status = self.process.wait(20)
        if not kind:
            assert status == 0 and not rest, f"exit status {status}: {rest}"

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 20)

    def raw(self, request, shut=False):
        """All that comes back for these bytes."""
        with self.connect() as s:
            s.sendall(request if isinstance(request, bytes) else request.encode("latin-1"))
            if shut:
                s.shutdown(socket.SHUT_WR)
            return receive_all(s)

    def status(self, request, shut=False):
        answer = self.raw(request, shut)
        return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else answer

    def metric(self, name):
        return float(re.search(rf"^{name} (.*)$", curl(self.url("/metrics"))[2], re.M).group(1))


# Short requests of a process that has no other threads, whose own lateness would count.  A time when a thread was ready and
# had no CPU is the machine's, not the server's: the second number is without that of the probe, and of the threads of the
# server that waited longest (one accepts, one answers ...).
PROBE = r"""
import os, socket, sys, time
port, seconds, pid, hands = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
def waited(path):
    try:
        with open(path) as file:
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0
def threads():
    return {t: waited(f"/proc/{pid}/task/{t}/schedstat") for t in os.listdir(f"/proc/{pid}/task")}
stop = time.monotonic() + seconds
paths = sys.argv[5:]
turn = 0
while time.monotonic() < stop:
    turn += 1
    theirs, mine, begin = threads(), waited("/proc/self/schedstat"), time.monotonic()
    path = paths[turn % len(paths)]
    with socket.create_connection(("127.0.0.1", port), 20) as c:
        c.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        got = b""
        while part := c.recv(65536):
            got += part
    took, mine = time.monotonic() - begin, waited("/proc/self/schedstat") - mine
    assert got.startswith(b"HTTP/1.1 200"), got[:200]
    gaps = sorted(after - theirs[t] for t, after in threads().items() if t in theirs)
    print(path, took, took - mine - sum(gaps[-hands:]))
    time.sleep(0.02)
"""
SHORT = ("/debug/pprof/cmdline", "/debug/pprof/", "/debug/pprof/symbol?0x1001", "/metrics")


class Probe:
    """Asks for what is answered at once, all the time; `hands` threads of the server have a hand in each reply."""

    def __init__(self, port, pid, seconds, paths=SHORT, hands=2):
        self.process = subprocess.Popen(["/usr/bin/python3", "-c", PROBE, str(port), str(seconds), str(pid), str(hands), *paths],
                                        stdout=subprocess.PIPE, text=True)
        self.took = []

    def end(self):
        lines = [line.split() for line in self.process.communicate()[0].splitlines()]
        expect(self.process.returncode, 0, "the probe's end")
        self.took = [(path, float(whole), float(own)) for path, whole, own in lines]
        return self

    def __str__(self):
        raw, net = sorted(whole for _, whole, _ in self.took), max(self.took, key=lambda row: row[2])
        return (f"{len(raw)} short replies: median {raw[len(raw) // 2] * 1000:.1f} ms, 95 % within "
                f"{raw[len(raw) * 95 // 100] * 1000:.1f} ms, worst {raw[-1] * 1000:.1f} ms, without waits for a CPU "
                f"{net[2] * 1000:.1f} ms ({net[0]})")

    def check(self, limit, count):
        raw = sorted(whole for _, whole, _ in self.took)
        assert len(raw) > count and raw[len(raw) * 95 // 100] < limit and max(own for *_, own in self.took) < limit, \
            f"short replies took longer than {limit * 1000:.0f} ms: {self}"


class Recorded:
    """A program under `ctrace record --http`, which is answered for when this begins; its standard input is a pipe."""

    def __init__(self, command, *options, folder=None, environment=None, token=None):
        self.process = subprocess.Popen([f"{build}/ctrace", "record", "--http", "127.0.0.1:0", *options, "--", *command],
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        cwd=folder, env=dict(os.environ, **(environment or {})))
        self.said = self.process.stderr.readline().strip()
        match = re.search(r":(\d+)/debug/pprof/$", self.said)
        assert match, self.said
        self.port, self.status, self.pid, self.token = int(match[1]), None, 0, token

    def __enter__(self):
        words = ["-u", f"x:{self.token}"] if self.token else []
        settles(lambda: curl(self.url("/debug/pprof/cmdline"), *words)[0], 200, "the first answer", 30)
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            self.pid = int(file.read().split()[0])
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        if kind:
            self.process.terminate()
        self.status = self.process.wait(60)
        self.process.stderr.close()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"


def receive_all(s):
    parts = []
    try:
        while part := s.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        parts.append(b" RESET")
    return b"".join(parts)


def curl(url, *options, method=None):
    """Status, headers (small letters), body."""
    words = ["curl", "-s", "-i", "-m", "20", *options, url]
    if method:
        words[1:1] = ["-I"] if method == "HEAD" else ["-X", method]
    done = subprocess.run(words, capture_output=True)
    assert done.returncode == 0, f"curl {url}: exit status {done.returncode}"
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict((key.lower(), value) for key, value in (line.split(": ", 1) for line in lines[1:]))
    return int(lines[0].split()[1]), headers, body.decode("latin-1")


def get(path, host="localhost", version="1.1", extra=""):
    return f"GET {path} HTTP/{version}\r\n" + (f"Host: {host}\r\n" if host else "") + extra + "Connection: close\r\n\r\n"


def expect(got, wanted, what):
    assert got == wanted, f"{what}: {got!r} instead of {wanted!r}"


def settles(ask, wanted, what, seconds=5):
    """What `ask()` says within some seconds, on a machine that may be busy."""
    until = time.monotonic() + seconds
    while (got := ask()) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    expect(got, wanted, what)
